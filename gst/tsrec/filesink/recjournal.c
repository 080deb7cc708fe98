/* gst-tsrec: journal of a recording, one JSON object per line
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recjournal.h"

#if HAVE_JOURNAL

#include <json-glib/json-glib.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Limit of pending lines. Older lines are dropped, and their number is
 * journalled. */
#define MAX_PENDING 10000

struct _RecJournal
{
  RecFile file;   /* flushing thread */
  guint64 synced; /* size at the last sync (flushing thread) */
  GMutex lock;
  GQueue pending; /* lines, gchar * (protected by lock) */
  guint64 dropped;
};

/* --- JSON --- */

static void
add_value (JsonBuilder *builder, const GValue *value)
{
  if (G_VALUE_HOLDS_STRING (value)) {
    json_builder_add_string_value (builder, g_value_get_string (value));
  } else if (G_VALUE_HOLDS_BOOLEAN (value)) {
    json_builder_add_boolean_value (builder, g_value_get_boolean (value));
  } else if (G_VALUE_HOLDS_DOUBLE (value)) {
    json_builder_add_double_value (builder, g_value_get_double (value));
  } else if (G_VALUE_HOLDS_UINT64 (value) &&
      g_value_get_uint64 (value) > G_MAXINT64) {
    json_builder_add_null_value (builder);
  } else if (g_value_type_transformable (G_VALUE_TYPE (value), G_TYPE_INT64)) {
    GValue number = G_VALUE_INIT;

    g_value_init (&number, G_TYPE_INT64);
    g_value_transform (value, &number);
    json_builder_add_int_value (builder, g_value_get_int64 (&number));
    g_value_unset (&number);
  } else {
    gchar *text = gst_value_serialize (value);

    json_builder_add_string_value (builder, text);
    g_free (text);
  }
}

static gboolean
add_field (GQuark field, const GValue *value, gpointer builder)
{
  json_builder_set_member_name (builder, g_quark_to_string (field));
  add_value (builder, value);
  return TRUE;
}

static gchar *
utc_now (void)
{
  GDateTime *now = g_date_time_new_now_utc ();
  gchar *seconds = g_date_time_format (now, "%Y-%m-%dT%H:%M:%S");
  gchar *text =
      g_strdup_printf ("%s.%06dZ", seconds, g_date_time_get_microsecond (now));

  g_free (seconds);
  g_date_time_unref (now);
  return text;
}

static gchar *
make_line (GstClockTime running_time, const GstStructure *fields)
{
  JsonBuilder *builder = json_builder_new ();
  JsonGenerator *generator = json_generator_new ();
  gchar *utc = utc_now (), *json, *line;
  JsonNode *root;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "event");
  json_builder_add_string_value (builder, gst_structure_get_name (fields));
  json_builder_set_member_name (builder, "utc");
  json_builder_add_string_value (builder, utc);
  json_builder_set_member_name (builder, "running-time");
  if (GST_CLOCK_TIME_IS_VALID (running_time))
    json_builder_add_int_value (builder, running_time);
  else
    json_builder_add_null_value (builder);
  gst_structure_foreach (fields, add_field, builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  json_generator_set_root (generator, root);
  json = json_generator_to_data (generator, NULL);
  line = g_strconcat (json, "\n", NULL);
  g_free (json);
  g_free (utc);
  json_node_unref (root);
  g_object_unref (generator);
  g_object_unref (builder);
  return line;
}

/* --- the file --- */

/* Returns FALSE if the last line is incomplete (after a crash). */
static gboolean
ends_in_a_line (const gchar *location, guint64 size)
{
  gchar last = '\n';
  gint fd = open (location, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0)
    return TRUE;
  if (pread (fd, &last, 1, (off_t)size - 1) != 1)
    last = '\n';
  close (fd);
  return last == '\n';
}

RecJournal *
rec_journal_new (const gchar *location, const RecSyscalls *sys, gchar **error)
{
  RecJournal *self = g_new0 (RecJournal, 1);
  gint err;

  rec_file_init (&self->file, sys, -1);
  err = rec_file_open (&self->file, location, REC_FILE_CONTINUE);
  if (err == ENOENT)
    err = rec_file_open (&self->file, location, REC_FILE_CREATE);
  if (err)
    goto failed;
  g_mutex_init (&self->lock);
  g_queue_init (&self->pending);
  self->synced = self->file.size;
  if (self->file.size > 0 && !ends_in_a_line (location, self->file.size))
    g_queue_push_tail (&self->pending, g_strdup ("\n"));
  return self;

  /* ERRORS */
failed:
  *error = g_strdup_printf ("Could not open the journal \"%s\": %s. Set "
                            "journal-location to a file that can be written "
                            "and that no other recorder uses.",
      location, err == EBUSY ? "another recorder uses it" : g_strerror (err));
  g_free (self);
  return NULL;
}

static gchar *
pop_pending (RecJournal *self)
{
  gchar *line;

  g_mutex_lock (&self->lock);
  line = g_queue_pop_head (&self->pending);
  g_mutex_unlock (&self->lock);
  return line;
}

void
rec_journal_flush (RecJournal *self)
{
  gchar *line;

  if (!self)
    return;
  while ((line = pop_pending (self))) {
    struct iovec iov = { line, strlen (line) };

    if (rec_file_write (&self->file, &iov, 1) != 0) {
      g_mutex_lock (&self->lock);
      g_queue_push_head (&self->pending, line);
      g_mutex_unlock (&self->lock);
      return;
    }
    g_free (line);
  }
  if (self->file.size != self->synced) {
    self->synced = self->file.size;
    rec_file_sync (&self->file, NULL);
  }
}

void
rec_journal_add (
    RecJournal *self, GstClockTime running_time, GstStructure *fields)
{
  gchar *line;

  if (!self)
    goto done;
  line = make_line (running_time, fields);
  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->pending, line);
  line = NULL;
  if (self->pending.length > MAX_PENDING) {
    line = g_queue_pop_head (&self->pending);
    self->dropped++;
  }
  g_mutex_unlock (&self->lock);
  g_free (line);

done:
  gst_structure_free (fields);
}

void
rec_journal_free (RecJournal *self)
{
  if (!self)
    return;
  if (self->dropped)
    rec_journal_add (self, GST_CLOCK_TIME_NONE,
        gst_structure_new ("journal-overflow", "lines-dropped", G_TYPE_UINT64,
            self->dropped, NULL));
  rec_journal_flush (self);
  rec_file_close (&self->file);
  g_queue_clear_full (&self->pending, g_free);
  g_mutex_clear (&self->lock);
  g_free (self);
}

#else /* !HAVE_JOURNAL */

RecJournal *
rec_journal_new (const gchar *location, const RecSyscalls *sys, gchar **error)
{
  *error = g_strdup_printf (
      "No journal \"%s\": this build of gst-tsrec has no json-glib. Install "
      "libjson-glib-dev and build again, or unset journal-location.",
      location);
  return NULL;
}

void
rec_journal_free (RecJournal *self)
{
}

void
rec_journal_add (
    RecJournal *self, GstClockTime running_time, GstStructure *fields)
{
  gst_structure_free (fields);
}

void
rec_journal_flush (RecJournal *self)
{
}

#endif /* HAVE_JOURNAL */
