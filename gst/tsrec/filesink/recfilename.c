/* gst-tsrec: names of recorded files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recfilename.h"

#include <string.h>
#include <time.h>

/* Finds a fragment number ("%05d") and stores its length in @len. */
static const gchar *
find_index (const gchar *pattern, gsize *len)
{
  const gchar *p;

  for (p = pattern; *p; p++) {
    gsize digits;

    if (*p != '%')
      continue;
    digits = strspn (p + 1, "0123456789");
    if (digits > 0 && digits <= 3 && p[1 + digits] == 'd') {
      *len = digits + 2;
      return p;
    }
    if (p[1])
      p++; /* "%%" and other conversions */
  }
  return NULL;
}

gboolean
rec_filename_has_index (const gchar *pattern)
{
  gsize len;

  return find_index (pattern, &len) != NULL;
}

static gchar *
expand_time (const gchar *pattern, gint64 when)
{
  time_t seconds = when / G_USEC_PER_SEC;
  gchar *marked, *buf;
  gsize size = 2 * strlen (pattern) + 64, n;
  struct tm tm;

  if (!strchr (pattern, '%'))
    return g_strdup (pattern);
  localtime_r (&seconds, &tm);
  /* the mark in front distinguishes an empty result from one that is too long
   */
  marked = g_strconcat ("+", pattern, NULL);
  buf = g_malloc (size);
  while ((n = strftime (buf, size, marked, &tm)) == 0)
    buf = g_realloc (buf, size *= 2);
  memmove (buf, buf + 1, n);
  g_free (marked);
  return buf;
}

/* Returns the first conversion of @pattern; "%%" is not one. */
static const gchar *
find_conversion (const gchar *pattern)
{
  const gchar *p;

  for (p = pattern; *p; p++) {
    if (*p != '%')
      continue;
    if (p[1] != '%')
      return p;
    p++;
  }
  return NULL;
}

gchar *
rec_filename_fixed_folder (const gchar *pattern)
{
  const gchar *conversion = find_conversion (pattern), *p;
  gchar *fixed, *folder;
  gsize len = 0;

  if (!conversion || !strchr (conversion, G_DIR_SEPARATOR))
    return NULL;
  for (p = pattern; p < conversion; p++) {
    if (*p == G_DIR_SEPARATOR)
      len = (gsize)(p - pattern) + 1;
  }
  if (len == 0)
    return g_strdup (".");
  fixed = g_strndup (pattern, len);
  folder = expand_time (fixed, 0);
  g_free (fixed);
  len = strlen (folder);
  while (len > 1 && folder[len - 1] == G_DIR_SEPARATOR)
    folder[--len] = '\0';
  return folder;
}

gboolean
rec_filename_has_folders (const gchar *pattern)
{
  gchar *fixed = rec_filename_fixed_folder (pattern);

  g_free (fixed);
  return fixed != NULL;
}

gboolean
rec_filename_may_make_folder (
    const gchar *recording, const gchar *pattern, const gchar *path)
{
  gchar *fixed = recording ? rec_filename_fixed_folder (recording) : NULL;
  gchar *folder = g_path_get_dirname (path);
  gsize len = fixed ? strlen (fixed) : 0;
  gboolean may = rec_filename_has_folders (pattern) ||
      (fixed && strncmp (folder, fixed, len) == 0 &&
          (folder[len] == '\0' || folder[len] == G_DIR_SEPARATOR));

  g_free (fixed);
  g_free (folder);
  return may;
}

/* Stores the expanded parts before and after the fragment number. Returns FALSE
 * if there is none. */
static gboolean
split_at_index (
    const gchar *pattern, gint64 when, gchar **head, gchar **tail, guint *width)
{
  gsize len;
  const gchar *at = find_index (pattern, &len);
  gchar *part;

  if (!at)
    return FALSE;
  *width = (guint)g_ascii_strtoull (at + 1, NULL, 10);
  part = g_strndup (pattern, at - pattern);
  *head = expand_time (part, when);
  g_free (part);
  *tail = expand_time (at + len, when);
  return TRUE;
}

gchar *
rec_filename_expand (const gchar *pattern, gint64 when, guint index)
{
  gchar *head, *tail, *path;
  guint width;

  if (!split_at_index (pattern, when, &head, &tail, &width))
    return expand_time (pattern, when);
  path = g_strdup_printf ("%s%0*u%s", head, (gint)MIN (width, 20), index, tail);
  g_free (head);
  g_free (tail);
  return path;
}

/* Returns the position for a number in "a.b/rec.ts": before the last dot of the
 * file name. */
static gsize
stem_length (const gchar *path)
{
  const gchar *slash = strrchr (path, G_DIR_SEPARATOR);
  const gchar *name = slash ? slash + 1 : path;
  const gchar *dot = strrchr (name, '.');

  return dot && dot != name ? (gsize)(dot - path) : strlen (path);
}

gchar *
rec_filename_numbered (const gchar *path, guint number)
{
  gsize stem = stem_length (path);

  if (number == 0)
    return g_strdup (path);
  return g_strdup_printf ("%.*s-%u%s", (gint)stem, path, number, path + stem);
}

static gint
compare_numbers (gconstpointer a, gconstpointer b)
{
  guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;

  return x < y ? -1 : x > y;
}

/* Returns the numbers between @head and @tail in names of existing files,
 * ascending. */
static GArray *
numbers_between (const gchar *head, const gchar *tail)
{
  GArray *numbers = g_array_new (FALSE, FALSE, sizeof (guint64));
  gchar *dir_name = g_path_get_dirname (head);
  const gchar *slash = strrchr (head, G_DIR_SEPARATOR);
  const gchar *prefix = slash ? slash + 1 : head, *name;
  GDir *dir = g_dir_open (dir_name, 0, NULL);

  while (dir && (name = g_dir_read_name (dir))) {
    const gchar *digits = name + strlen (prefix);
    guint64 number;
    gsize n;

    if (!g_str_has_prefix (name, prefix))
      continue;
    n = strspn (digits, "0123456789");
    if (n == 0 || n > 9 || strcmp (digits + n, tail) != 0)
      continue;
    number = g_ascii_strtoull (digits, NULL, 10);
    g_array_append_val (numbers, number);
  }
  g_array_sort (numbers, compare_numbers);
  if (dir)
    g_dir_close (dir);
  g_free (dir_name);
  return numbers;
}

static gint64
highest_between (const gchar *head, const gchar *tail)
{
  GArray *numbers = numbers_between (head, tail);
  gint64 highest = -1;

  if (numbers->len > 0)
    highest = (gint64)g_array_index (numbers, guint64, numbers->len - 1);
  g_array_unref (numbers);
  return highest;
}

gint64
rec_filename_last_index (const gchar *pattern, gint64 when, gchar **path)
{
  gchar *head, *tail;
  gint64 index;
  guint width;

  if (path)
    *path = NULL;
  if (!split_at_index (pattern, when, &head, &tail, &width))
    return -1;
  index = highest_between (head, tail);
  if (index >= 0 && path)
    *path = rec_filename_expand (pattern, when, (guint)index);
  g_free (head);
  g_free (tail);
  return index;
}

gint64
rec_filename_last_number (const gchar *path)
{
  gsize stem = stem_length (path);
  gchar *head = g_strdup_printf ("%.*s-", (gint)stem, path);
  gint64 number = highest_between (head, path + stem);

  if (number < 0 && g_file_test (path, G_FILE_TEST_EXISTS))
    number = 0;
  g_free (head);
  return number;
}
