/* gst-tsrec: custom queries between the elements
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recquery.h"

/* One field per line. */
/* clang-format off */

#define QUERY_WRITTEN "tsrec-written"
#define QUERY_RESUME "tsrec-resume"
#define QUERY_SOURCE "tsrec-source"

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

void
rec_query_set_recording_id (GstQuery *query, const gchar *id)
{
  if (id)
    gst_structure_set (gst_query_writable_structure (query),
        "recording-id", G_TYPE_STRING, id, NULL);
}

const gchar *
rec_query_get_recording_id (GstQuery *query)
{
  return gst_structure_get_string (
      gst_query_get_structure (query), "recording-id");
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
  GBytes *cc = g_bytes_new (resume->continuity_counter, TS_N_PIDS);
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

/* Sets n_streams to 0 if the answer has no streams. */
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
  RecResume r = *resume;
  gboolean ok;

  if (!rec_query_is_resume (query))
    return FALSE;
  ok = gst_structure_get (gst_query_get_structure (query),
      "continuity-counters", G_TYPE_BYTES, &cc,
      "pat-version", G_TYPE_INT, &r.pat_version,
      "pmt-version", G_TYPE_INT, &r.pmt_version,
      "sdt-version", G_TYPE_INT, &r.sdt_version,
      "last-ts", G_TYPE_UINT64, &r.last_ts,
      "elapsed", G_TYPE_UINT64, &r.elapsed, NULL);
  ok = ok && cc && g_bytes_get_size (cc) == TS_N_PIDS;
  if (ok) {
    memcpy (r.continuity_counter, g_bytes_get_data (cc, NULL),
        TS_N_PIDS);
    parse_streams (gst_query_get_structure (query), &r);
    *resume = r;
  }
  g_clear_pointer (&cc, g_bytes_unref);
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
