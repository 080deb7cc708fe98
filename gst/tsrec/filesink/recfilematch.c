/* gst-tsrec: existing files of a name pattern
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recfilematch.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define N_CONVERSIONS 128
/* Conversions that strftime(3) does not know: the fragment number, and the
 * number that rec_filename_numbered() adds. */
#define INDEX '\1'
#define NUMBER '\2'
#define MAX_DIGITS 9
#define MAX_NUMBER 999999999

typedef struct
{
  gchar **components; /* parts of the pattern between slashes */
  guint index_width;
  gboolean has_time;
  gint64 value[N_CONVERSIONS]; /* value of a conversion; -1: not matched yet */
  GPtrArray *matches;
} Matcher;

/* Numbers of a fixed width. */
static const struct
{
  gchar conversion;
  guint8 width;
  guint16 min, max;
} numbers[] = { { 'Y', 4, 0, 9999 }, { 'G', 4, 0, 9999 }, { 'C', 2, 0, 99 },
  { 'y', 2, 0, 99 }, { 'g', 2, 0, 99 }, { 'm', 2, 1, 12 }, { 'd', 2, 1, 31 },
  { 'H', 2, 0, 23 }, { 'I', 2, 1, 12 }, { 'M', 2, 0, 59 }, { 'S', 2, 0, 60 },
  { 'j', 3, 1, 366 }, { 'U', 2, 0, 53 }, { 'W', 2, 0, 53 }, { 'V', 2, 1, 53 },
  { 'u', 1, 1, 7 }, { 'w', 1, 0, 6 } };

/* Conversions that are abbreviations of others. */
static const struct
{
  gchar conversion;
  const gchar *stands_for;
} composites[] = { { 'F', "%Y-%m-%d" }, { 'T', "%H:%M:%S" }, { 'R', "%H:%M" },
  { 'D', "%m/%d/%y" }, { 'h', "%b" } };

/* Words of the locale. */
#define WORDS "aAbBpP"
/* Seconds since 1970, and the offset from UTC. */
#define VARIABLE "sz"

static gint
find_number (gchar conversion)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (numbers); i++) {
    if (numbers[i].conversion == conversion)
      return (gint)i;
  }
  return -1;
}

static const gchar *
find_composite (gchar conversion)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (composites); i++) {
    if (composites[i].conversion == conversion)
      return composites[i].stands_for;
  }
  return NULL;
}

/* --- the pattern --- */

/* Returns @pattern with its fragment number and composites replaced. Returns
 * NULL, with the conversion in @unsupported, if one cannot be recognised. */
static gchar *
normalise (const gchar *pattern, guint *index_width, gchar **unsupported)
{
  GString *out = g_string_new (NULL);
  gboolean has_index = FALSE;
  const gchar *p, *composite;

  for (p = pattern; *p; p++) {
    gsize digits;

    if (*p != '%') {
      g_string_append_c (out, *p);
      continue;
    }
    digits = strspn (p + 1, "0123456789");
    if (!has_index && digits > 0 && digits <= 3 && p[1 + digits] == 'd') {
      has_index = TRUE;
      *index_width = (guint)MIN (g_ascii_strtoull (p + 1, NULL, 10), 20);
      g_string_append_printf (out, "%%%c", INDEX);
      p += digits + 1;
    } else if ((composite = find_composite (p[1]))) {
      g_string_append (out, composite);
      p++;
    } else if (p[1] == '%' || find_number (p[1]) >= 0 ||
        (p[1] && strchr (WORDS VARIABLE, p[1]))) {
      g_string_append_len (out, p++, 2);
    } else {
      *unsupported = g_strndup (p, p[1] ? 2 : 1);
      g_string_free (out, TRUE);
      return NULL;
    }
  }
  return g_string_free (out, FALSE);
}

gchar *
rec_file_match_find_unsupported (const gchar *pattern)
{
  gchar *unsupported = NULL;
  guint width;

  g_free (normalise (pattern, &width, &unsupported));
  return unsupported;
}

/* Adds an optional number ("-1") before the extension of @component. */
static gchar *
add_number (const gchar *component)
{
  const gchar *dot = strrchr (component, '.');
  gsize stem =
      dot && dot != component ? (gsize)(dot - component) : strlen (component);

  return g_strdup_printf (
      "%.*s%%%c%s", (gint)stem, component, NUMBER, component + stem);
}

/* --- one name --- */

static gboolean match_here (Matcher *self, const gchar *p, const gchar *name);

/* Matches if @conversion had @value wherever it occurred before. */
static gboolean
match_value (Matcher *self, gchar conversion, gint64 value, const gchar *p,
    const gchar *name)
{
  gint64 *slot = &self->value[(guint8)conversion], before = *slot;

  if (before >= 0 && before != value)
    return FALSE;
  *slot = value;
  if (match_here (self, p, name))
    return TRUE;
  *slot = before;
  return FALSE;
}

static gboolean
match_digits (Matcher *self, gchar conversion, guint width, gint64 min,
    gint64 max, const gchar *p, const gchar *name)
{
  gint64 value = 0;
  guint i;

  for (i = 0; i < width; i++) {
    if (!g_ascii_isdigit (name[i]) || value > (G_MAXINT64 - 9) / 10)
      return FALSE;
    value = value * 10 + (name[i] - '0');
  }
  return value >= min && value <= max &&
      match_value (self, conversion, value, p, name + width);
}

/* Matches at least @width digits; more digits do not begin with a zero. */
static gboolean
match_open_ended (Matcher *self, gchar conversion, guint width, guint max_width,
    gint64 max, const gchar *p, const gchar *name)
{
  guint n;

  for (n = MAX (width, 1); n <= max_width; n++) {
    if (n > MAX (width, 1) && name[0] == '0')
      return FALSE;
    if (match_digits (self, conversion, n, 0, max, p, name))
      return TRUE;
  }
  return FALSE;
}

static gboolean
match_added_number (Matcher *self, const gchar *p, const gchar *name)
{
  if (match_value (self, NUMBER, 0, p, name))
    return TRUE;
  return name[0] == '-' && name[1] != '0' &&
      match_open_ended (self, NUMBER, 1, MAX_DIGITS, MAX_NUMBER, p, name + 1);
}

/* Matches the names of days and months in the present locale. */
static gboolean
match_word (Matcher *self, gchar conversion, const gchar *p, const gchar *name)
{
  const gchar format[] = { '%', conversion, '\0' };
  gchar word[128];
  gint i;

  for (i = 0; i < 12; i++) {
    struct tm tm = { .tm_mday = 1, .tm_mon = i, .tm_wday = i % 7 };

    tm.tm_hour = i * 2;
    if (strftime (word, sizeof (word), format, &tm) == 0 ||
        !g_str_has_prefix (name, word))
      continue;
    if (match_value (
            self, conversion, g_str_hash (word), p, name + strlen (word)))
      return TRUE;
  }
  return FALSE;
}

static gboolean
match_conversion (
    Matcher *self, gchar conversion, const gchar *p, const gchar *name)
{
  gint i = find_number (conversion);

  if (i >= 0)
    return match_digits (self, conversion, numbers[i].width, numbers[i].min,
        numbers[i].max, p, name);
  switch (conversion) {
    case INDEX:
      return match_open_ended (self, INDEX, self->index_width,
          MAX (self->index_width, MAX_DIGITS), MAX_NUMBER, p, name);
    case NUMBER:
      return match_added_number (self, p, name);
    case 's':
      return match_open_ended (self, 's', 1, 11, G_MAXINT64, p, name);
    case 'z':
      return (name[0] == '+' || name[0] == '-') &&
          match_digits (self, 'z', 4, 0, 1400, p, name + 1);
    default:
      return match_word (self, conversion, p, name);
  }
}

static gboolean
match_here (Matcher *self, const gchar *p, const gchar *name)
{
  for (; *p; p++, name++) {
    if (*p == '%' && p[1] != '%')
      return match_conversion (self, p[1], p + 2, name);
    p += *p == '%';
    if (*p != *name)
      return FALSE;
  }
  return *name == '\0';
}

/* --- the folders --- */

static void
match_free (gpointer data)
{
  RecFileMatch *match = data;

  g_free (match->path);
  g_free (match->plain);
  g_free (match);
}

/* Returns @path without the @number that rec_filename_numbered() added. */
static gchar *
dup_plain (const gchar *path, guint number)
{
  const gchar *slash = strrchr (path, G_DIR_SEPARATOR);
  const gchar *name = slash ? slash + 1 : path, *dot = strrchr (name, '.');
  gchar *suffix = g_strdup_printf ("-%u", number), *plain;
  gsize end = dot && dot != name ? (gsize)(dot - path) : strlen (path);
  gsize len = strlen (suffix);

  if (number > 0 && end > len && strncmp (path + end - len, suffix, len) == 0)
    plain = g_strdup_printf ("%.*s%s", (gint)(end - len), path, path + end);
  else
    plain = g_strdup (path);
  g_free (suffix);
  return plain;
}

static void
add_match (Matcher *self, const gchar *path)
{
  gint64 number = MAX (self->value[NUMBER], 0);
  RecFileMatch *match;
  gboolean is_link;
  struct stat st;

  if (lstat (path, &st) < 0)
    return;
  is_link = S_ISLNK (st.st_mode);
  if ((is_link && stat (path, &st) < 0) || !S_ISREG (st.st_mode))
    return;
  match = g_new0 (RecFileMatch, 1);
  match->is_link = is_link;
  match->path = g_strdup (path);
  match->index = (guint64)MAX (self->value[INDEX], 0);
  match->number = (guint)number;
  match->modified =
      st.st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) + st.st_mtim.tv_nsec;
  match->plain = dup_plain (path, match->number);
  g_ptr_array_add (self->matches, match);
}

static void walk (Matcher *self, const gchar *folder, guint level);

/* Continues below @name in @folder, which matches the component at @level. */
static void
enter (Matcher *self, const gchar *folder, const gchar *name, guint level)
{
  gchar *path = g_strconcat (folder, name, NULL), *below;

  if (!self->components[level + 1]) {
    add_match (self, path);
  } else {
    below = g_strconcat (path, G_DIR_SEPARATOR_S, NULL);
    walk (self, below, level + 1);
    g_free (below);
  }
  g_free (path);
}

/* Searches @folder, which is empty or ends in a slash, for the component at
 * @level. */
static void
walk (Matcher *self, const gchar *folder, guint level)
{
  const gchar *component = self->components[level], *name;
  gint64 before[N_CONVERSIONS];
  GDir *dir;

  if (!strchr (component, '%')) {
    enter (self, folder, component, level);
    return;
  }
  dir = g_dir_open (*folder ? folder : ".", 0, NULL);
  memcpy (before, self->value, sizeof (before));
  while (dir && (name = g_dir_read_name (dir))) {
    if (match_here (self, component, name))
      enter (self, folder, name, level);
    memcpy (self->value, before, sizeof (before));
  }
  if (dir)
    g_dir_close (dir);
}

static gint
compare (gconstpointer a, gconstpointer b, gpointer has_time)
{
  const RecFileMatch *x = *(RecFileMatch *const *)a;
  const RecFileMatch *y = *(RecFileMatch *const *)b;
  gint order;

  if (GPOINTER_TO_INT (has_time) && x->modified != y->modified)
    return x->modified < y->modified ? -1 : 1;
  if (x->index != y->index)
    return x->index < y->index ? -1 : 1;
  order = strcmp (x->plain, y->plain);
  if (order == 0)
    order = x->number < y->number ? -1 : x->number > y->number;
  return order;
}

/* Returns TRUE if @normal has a conversion other than the fragment number. */
static gboolean
has_time (const gchar *normal)
{
  const gchar *p;

  for (p = strchr (normal, '%'); p; p = strchr (p + 2, '%')) {
    if (p[1] != '%' && p[1] != INDEX)
      return TRUE;
  }
  return FALSE;
}

GPtrArray *
rec_file_match_list (const gchar *pattern)
{
  const gchar index[] = { '%', INDEX, '\0' };
  gchar *normal, *unsupported = NULL, *last;
  Matcher self = { 0 };
  guint i;

  self.matches = g_ptr_array_new_with_free_func (match_free);
  normal = normalise (pattern, &self.index_width, &unsupported);
  g_free (unsupported);
  if (!normal)
    return self.matches;
  for (i = 0; i < N_CONVERSIONS; i++)
    self.value[i] = -1;
  self.components = g_strsplit (normal, G_DIR_SEPARATOR_S, -1);
  i = g_strv_length (self.components);
  if (i > 0 && !strstr (normal, index)) {
    last = self.components[i - 1];
    self.components[i - 1] = add_number (last);
    g_free (last);
  }
  if (i > 0)
    walk (&self, "", 0);
  g_ptr_array_sort_with_data (
      self.matches, compare, GINT_TO_POINTER (has_time (normal)));
  g_strfreev (self.components);
  g_free (normal);
  return self.matches;
}
