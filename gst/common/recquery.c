/* gst-tsrec: what the elements ask of and tell each other along the pads
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recquery.h"

/* Lists of fields stand one field a line. */
/* clang-format off */

#define QUERY_WRITTEN "tsrec-written"
#define QUERY_RESUME "tsrec-resume"
#define QUERY_SOURCE "tsrec-source"
#define QUERY_STAGES "tsrec-stages"
#define EVENT_RESYNC "tsrec-resync"
#define EVENT_JOURNAL "tsrec-journal"
#define EVENT_SESSION "tsrec-session"

static gboolean
query_has_name (GstQuery *query, const gchar *name)
{
  const GstStructure *s;

  if (GST_QUERY_TYPE (query) != GST_QUERY_CUSTOM)
    return FALSE;
  s = gst_query_get_structure (query);
  return s && gst_structure_has_name (s, name);
}

GstQuery *
rec_query_new_written (void)
{
  return gst_query_new_custom (
      GST_QUERY_CUSTOM, gst_structure_new_empty (QUERY_WRITTEN));
}

gboolean
rec_query_is_written (GstQuery *query)
{
  return query_has_name (query, QUERY_WRITTEN);
}

void
rec_query_set_written (
    GstQuery *query, const RecWritten *written, const gchar *location)
{
  gst_structure_set (gst_query_writable_structure (query),
      "bytes-written", G_TYPE_UINT64, written->bytes_written,
      "bytes-durable", G_TYPE_UINT64, written->bytes_durable,
      "bytes-dropped", G_TYPE_UINT64, written->bytes_dropped,
      "file-size", G_TYPE_UINT64, written->file_size,
      "buffers-written", G_TYPE_UINT64, written->buffers_written,
      "write-blocked", G_TYPE_UINT64, written->write_blocked,
      "waiting-for-disk", G_TYPE_BOOLEAN, written->waiting_for_disk,
      "location", G_TYPE_STRING, location, NULL);
}

gboolean
rec_query_parse_written (GstQuery *query, RecWritten *written, gchar **location)
{
  RecWritten w;
  const GstStructure *s;

  if (!rec_query_is_written (query))
    return FALSE;
  s = gst_query_get_structure (query);
  if (!gst_structure_get (s,
      "bytes-written", G_TYPE_UINT64, &w.bytes_written,
      "bytes-durable", G_TYPE_UINT64, &w.bytes_durable,
      "file-size", G_TYPE_UINT64, &w.file_size,
      "buffers-written", G_TYPE_UINT64, &w.buffers_written,
      "write-blocked", G_TYPE_UINT64, &w.write_blocked,
      "waiting-for-disk", G_TYPE_BOOLEAN, &w.waiting_for_disk, NULL))
    return FALSE;
  if (!gst_structure_get_uint64 (s, "bytes-dropped", &w.bytes_dropped))
    w.bytes_dropped = 0;
  *written = w;
  if (location)
    *location = g_strdup (gst_structure_get_string (s, "location"));
  return TRUE;
}

GstQuery *
rec_query_new_resume (void)
{
  return gst_query_new_custom (
      GST_QUERY_CUSTOM, gst_structure_new_empty (QUERY_RESUME));
}

gboolean
rec_query_is_resume (GstQuery *query)
{
  return query_has_name (query, QUERY_RESUME);
}

void
rec_query_set_resume (GstQuery *query, const RecResume *resume)
{
  GBytes *cc = g_bytes_new (resume->continuity_counter, REC_RESUME_N_PIDS);
  GBytes *streams = g_bytes_new (
      resume->streams, resume->n_streams * sizeof (resume->streams[0]));

  gst_structure_set (gst_query_writable_structure (query),
      "continuity-counters", G_TYPE_BYTES, cc,
      "pat-version", G_TYPE_INT, resume->pat_version,
      "pmt-version", G_TYPE_INT, resume->pmt_version,
      "sdt-version", G_TYPE_INT, resume->sdt_version,
      "last-ts", G_TYPE_UINT64, resume->last_ts,
      "elapsed", G_TYPE_UINT64, resume->elapsed,
      "streams", G_TYPE_BYTES, streams, NULL);
  g_bytes_unref (streams);
  g_bytes_unref (cc);
}

/* Who answers may know nothing of them. */
static void
parse_streams (const GstStructure *s, RecResume *resume)
{
  GBytes *bytes = NULL;
  gsize size;
  gconstpointer data;

  resume->n_streams = 0;
  if (!gst_structure_get (s, "streams", G_TYPE_BYTES, &bytes, NULL) || !bytes)
    return;
  data = g_bytes_get_data (bytes, &size);
  if (data && size <= sizeof (resume->streams)) {
    memcpy (resume->streams, data, size);
    resume->n_streams = (guint)(size / sizeof (resume->streams[0]));
  }
  g_bytes_unref (bytes);
}

gboolean
rec_query_parse_resume (GstQuery *query, RecResume *resume)
{
  GBytes *cc = NULL;
  gboolean ok;

  if (!rec_query_is_resume (query))
    return FALSE;
  ok = gst_structure_get (gst_query_get_structure (query),
      "continuity-counters", G_TYPE_BYTES, &cc,
      "pat-version", G_TYPE_INT, &resume->pat_version,
      "pmt-version", G_TYPE_INT, &resume->pmt_version,
      "sdt-version", G_TYPE_INT, &resume->sdt_version,
      "last-ts", G_TYPE_UINT64, &resume->last_ts,
      "elapsed", G_TYPE_UINT64, &resume->elapsed, NULL);
  ok = ok && cc && g_bytes_get_size (cc) == REC_RESUME_N_PIDS;
  if (ok)
    memcpy (resume->continuity_counter, g_bytes_get_data (cc, NULL),
        REC_RESUME_N_PIDS);
  if (ok)
    parse_streams (gst_query_get_structure (query), resume);
  if (cc)
    g_bytes_unref (cc);
  return ok;
}

GstQuery *
rec_query_new_source (void)
{
  return gst_query_new_custom (
      GST_QUERY_CUSTOM, gst_structure_new_empty (QUERY_SOURCE));
}

gboolean
rec_query_is_source (GstQuery *query)
{
  return query_has_name (query, QUERY_SOURCE);
}

void
rec_query_set_source (GstQuery *query, const RecSource *source)
{
  gst_structure_set (gst_query_writable_structure (query),
      "connected", G_TYPE_BOOLEAN, source->connected,
      "waiting", G_TYPE_BOOLEAN, source->waiting,
      "packets-dropped", G_TYPE_UINT64, source->packets_dropped, NULL);
}

gboolean
rec_query_parse_source (GstQuery *query, RecSource *source)
{
  RecSource s = { 0 };

  if (!rec_query_is_source (query) ||
      !gst_structure_get (gst_query_get_structure (query),
      "connected", G_TYPE_BOOLEAN, &s.connected,
      "waiting", G_TYPE_BOOLEAN, &s.waiting, NULL))
    return FALSE;
  gst_structure_get_uint64 (gst_query_get_structure (query),
      "packets-dropped", &s.packets_dropped);
  *source = s;
  return TRUE;
}

GstEvent *
rec_event_new_resync (void)
{
  return gst_event_new_custom (
      GST_EVENT_CUSTOM_UPSTREAM, gst_structure_new_empty (EVENT_RESYNC));
}

gboolean
rec_event_is_resync (GstEvent *event)
{
  return GST_EVENT_TYPE (event) == GST_EVENT_CUSTOM_UPSTREAM &&
      gst_event_has_name (event, EVENT_RESYNC);
}

GstEvent *
rec_event_new_journal (GstStructure *fields)
{
  GstStructure *s = gst_structure_new (
      EVENT_JOURNAL, "entry", GST_TYPE_STRUCTURE, fields, NULL);

  gst_structure_free (fields);
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, s);
}

const GstStructure *
rec_event_parse_journal (GstEvent *event)
{
  const GValue *entry;

  if (GST_EVENT_TYPE (event) != GST_EVENT_CUSTOM_DOWNSTREAM ||
      !gst_event_has_name (event, EVENT_JOURNAL))
    return NULL;
  entry = gst_structure_get_value (gst_event_get_structure (event), "entry");
  return entry ? gst_value_get_structure (entry) : NULL;
}

GstEvent *
rec_event_new_session (const gchar *session_id)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
      gst_structure_new (EVENT_SESSION,
          "session-id", G_TYPE_STRING, session_id, NULL));
}

const gchar *
rec_event_parse_session (GstEvent *event)
{
  const gchar *id;

  if (GST_EVENT_TYPE (event) != GST_EVENT_CUSTOM_DOWNSTREAM ||
      !gst_event_has_name (event, EVENT_SESSION))
    return NULL;
  id = gst_structure_get_string (gst_event_get_structure (event), "session-id");
  return id ? id : "";
}

GstQuery *
rec_query_new_stages (guint64 asker)
{
  GArray *reports = g_array_new (FALSE, FALSE, sizeof (RecMonitorReport));
  GstStructure *s = gst_structure_new (QUERY_STAGES,
      "asker", G_TYPE_UINT64, asker,
      "reports", G_TYPE_ARRAY, reports, NULL);

  g_array_unref (reports);
  return gst_query_new_custom (GST_QUERY_CUSTOM, s);
}

gboolean
rec_query_is_stages (GstQuery *query)
{
  return query_has_name (query, QUERY_STAGES);
}

guint64
rec_query_get_stages_asker (GstQuery *query)
{
  guint64 asker = 0;

  gst_structure_get_uint64 (gst_query_get_structure (query), "asker", &asker);
  return asker;
}

void
rec_query_set_stages_asker (GstQuery *query, guint64 asker)
{
  gst_structure_set (gst_query_writable_structure (query),
      "asker", G_TYPE_UINT64, asker, NULL);
}

static GArray *
get_reports (GstQuery *query)
{
  const GValue *value =
      gst_structure_get_value (gst_query_get_structure (query), "reports");

  return value ? g_value_get_boxed (value) : NULL;
}

void
rec_query_add_stage (GstQuery *query, const RecMonitorReport *report)
{
  GArray *reports = get_reports (query);
  RecMonitorReport copy = *report;

  if (!reports)
    return;
  copy.next = rec_query_get_stages_asker (query);
  g_array_append_val (reports, copy);
}

const RecMonitorReport *
rec_query_get_stages (GstQuery *query, guint *n)
{
  GArray *reports = get_reports (query);

  *n = reports ? reports->len : 0;
  return reports ? (const RecMonitorReport *)reports->data : NULL;
}
