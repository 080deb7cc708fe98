/* gst-tsrec: status of a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverrecording-private.h"
#include "recserverjson.h"

#include <glib/gstdio.h>
#include <string.h>

static const gchar *const monitors[] = { "monitor_video", "monitor_audio" };

/* --- properties of the pipeline's elements --- */

/* The structure @property of the element @name; NULL when there is none. */
static GstStructure *
get_stats (
    RecServerRecording *recording, const gchar *name, const gchar *property)
{
  GstElement *element =
      gst_bin_get_by_name (GST_BIN (recording->pipeline), name);
  GstStructure *s = NULL;

  if (element &&
      g_object_class_find_property (G_OBJECT_GET_CLASS (element), property))
    g_object_get (element, property, &s, NULL);
  gst_clear_object (&element);
  return s;
}

static guint64
get_count (const GstStructure *s, const gchar *field)
{
  guint64 value = 0;

  gst_structure_get_uint64 (s, field, &value);
  return value;
}

static void
add_sink_totals (RecServerRecording *recording, RecServerTotals *totals)
{
  GstStructure *s = get_stats (recording, "rec", "stats");

  if (!s)
    return;
  totals->bytes_written += get_count (s, "bytes-written");
  totals->bytes_durable += get_count (s, "bytes-durable");
  totals->bytes_dropped += get_count (s, "bytes-dropped");
  totals->media_time += get_count (s, "media-time");
  totals->gap_time += get_count (s, "gap-time");
  totals->gaps += get_count (s, "gaps");
  gst_structure_free (s);
}

static void
add_source_totals (RecServerRecording *recording, RecServerTotals *totals)
{
  GstStructure *s = get_stats (recording, "source", "stats");

  if (!s)
    return;
  totals->packets_lost +=
      get_count (s, "video-rtp-lost") + get_count (s, "audio-rtp-lost");
  totals->keyframe_requests += get_count (s, "keyframe-requests");
  gst_structure_free (s);
}

void
rec_server_recording_get_totals (
    RecServerRecording *recording, RecServerTotals *totals)
{
  if (!recording->pipeline || recording->closing) {
    *totals = recording->last;
    return;
  }
  *totals = recording->before;
  add_sink_totals (recording, totals);
  add_source_totals (recording, totals);
  for (guint i = 0; i < G_N_ELEMENTS (monitors); i++) {
    GstStructure *s = get_stats (recording, monitors[i], "stats");

    if (!s)
      continue;
    totals->packets += get_count (s, "packets");
    gst_structure_free (s);
  }
}

/* --- tracks --- */

static JsonObject *
describe_track (const GstCaps *caps)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  const gchar *name = rec_server_formats_get_codec_name (caps);
  JsonObject *track = json_object_new ();
  gint value;

  json_object_set_string_member (track, "kind",
      g_str_has_prefix (gst_structure_get_name (s), "video/") ? "video"
                                                              : "audio");
  json_object_set_string_member (
      track, "codec", name ? name : gst_structure_get_name (s));
  if (gst_structure_get_int (s, "width", &value))
    json_object_set_int_member (track, "width", value);
  if (gst_structure_get_int (s, "height", &value))
    json_object_set_int_member (track, "height", value);
  if (gst_structure_get_int (s, "rate", &value))
    json_object_set_int_member (track, "sample_rate", value);
  if (gst_structure_get_int (s, "channels", &value))
    json_object_set_int_member (track, "channels", value);
  return track;
}

static void
update_tracks (RecServerRecording *recording)
{
  GstElement *rec = gst_bin_get_by_name (GST_BIN (recording->pipeline), "rec");
  JsonArray *tracks = json_array_new ();
  GList *pads = NULL, *l;

  if (rec) {
    GST_OBJECT_LOCK (rec);
    pads = g_list_copy_deep (
        rec->sinkpads, (GCopyFunc)(void (*) (void))gst_object_ref, NULL);
    GST_OBJECT_UNLOCK (rec);
  }
  for (l = pads; l; l = l->next) {
    GstCaps *caps = gst_pad_get_current_caps (l->data);

    if (caps && !gst_caps_is_empty (caps) && !gst_caps_is_any (caps))
      json_array_add_object_element (tracks, describe_track (caps));
    gst_clear_caps (&caps);
  }
  g_list_free_full (pads, gst_object_unref);
  gst_clear_object (&rec);
  if (json_array_get_length (tracks) > 0) {
    json_array_unref (recording->tracks);
    recording->tracks = tracks;
  } else
    json_array_unref (tracks);
}

void
rec_server_recording_keep_totals (RecServerRecording *recording)
{
  RecServerTotals totals;

  update_tracks (recording);
  rec_server_recording_get_totals (recording, &totals);
  recording->last = totals;
}

/* --- the monitors --- */

/**
 * Monitored:
 * @streak: the longest of the tracks that are expected
 * @bitrate: bit/s, of all tracks
 * @packet_rate: 1/s, of all tracks
 * @memory: bytes, of the process
 */
typedef struct
{
  guint64 streak;
  guint64 bitrate;
  gdouble packet_rate;
  guint64 memory;
  guint64 queued;
} Monitored;

static void
read_monitors (RecServerRecording *recording, Monitored *sum)
{
  memset (sum, 0, sizeof (*sum));
  if (!recording->pipeline)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (monitors); i++) {
    GstStructure *s = get_stats (recording, monitors[i], "stats");
    gboolean waiting = FALSE;
    gdouble rate = 0;

    if (!s)
      continue;
    gst_structure_get_boolean (s, "waiting", &waiting);
    gst_structure_get_double (s, "packet-rate", &rate);
    if (!waiting && recording->opened)
      sum->streak = MAX (sum->streak, get_count (s, "zero-packet-streak"));
    sum->bitrate += get_count (s, "bitrate");
    sum->packet_rate += rate;
    sum->memory = MAX (sum->memory, get_count (s, "memory-rss"));
    sum->queued = MAX (sum->queued, get_count (s, "memory-queued"));
    gst_structure_free (s);
  }
}

/* --- answers --- */

static gdouble
round_to (gdouble value, gdouble unit)
{
  return (gint64)(value / unit + 0.5) * unit;
}

static JsonObject *
describe_stats (RecServerRecording *recording)
{
  JsonObject *stats = json_object_new ();
  RecServerTotals totals;
  Monitored seen;

  rec_server_recording_get_totals (recording, &totals);
  read_monitors (recording, &seen);
  json_object_set_int_member (stats, "zero_packet_streak", (gint64)seen.streak);
  json_object_set_int_member (stats, "packets_written", (gint64)totals.packets);
  json_object_set_int_member (
      stats, "bytes_written", (gint64)totals.bytes_written);
  json_object_set_int_member (
      stats, "bytes_durable", (gint64)totals.bytes_durable);
  json_object_set_int_member (
      stats, "bytes_dropped", (gint64)totals.bytes_dropped);
  json_object_set_double_member (
      stats, "memory_usage_mb", round_to (seen.memory / 1e6, 0.1));
  json_object_set_double_member (
      stats, "memory_queued_mb", round_to (seen.queued / 1e6, 0.1));
  json_object_set_int_member (
      stats, "packets_lost", (gint64)totals.packets_lost);
  json_object_set_int_member (
      stats, "keyframe_requests", (gint64)totals.keyframe_requests);
  json_object_set_int_member (stats, "bitrate_bps", (gint64)seen.bitrate);
  json_object_set_double_member (
      stats, "packets_per_second", round_to (seen.packet_rate, 0.1));
  json_object_set_int_member (stats, "gaps", (gint64)totals.gaps);
  json_object_set_int_member (stats, "fragments", recording->fragments);
  return stats;
}

static JsonArray *
describe_alerts (RecServerRecording *recording)
{
  JsonArray *alerts = json_array_new ();
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, recording->alerts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    json_array_add_object_element (alerts, json_object_ref (value));
  return alerts;
}

static guint64
get_file_size (RecServerRecording *recording)
{
  GstStructure *s;
  guint64 size;

  if (recording->state >= REC_SERVER_STATE_STOPPED)
    return recording->file_size;
  if (recording->path->max_size_time) {
    RecServerTotals totals;

    rec_server_recording_get_totals (recording, &totals);
    return totals.bytes_written;
  }
  s = recording->pipeline && !recording->closing
      ? get_stats (recording, "rec", "stats")
      : NULL;
  size = rec_server_recording_estimate (recording, s);
  g_clear_pointer (&s, gst_structure_free);
  return size;
}

static void
set_times (RecServerRecording *recording, JsonObject *object)
{
  RecServerTotals totals;

  rec_server_recording_get_totals (recording, &totals);
  json_object_set_double_member (object, "duration_seconds",
      round_to ((totals.media_time + totals.gap_time) / 1e9, 0.001));
  json_object_set_double_member (
      object, "gap_seconds", round_to (totals.gap_time / 1e9, 0.001));
}

static void
set_output (RecServerRecording *recording, JsonObject *object)
{
  if (recording->state >= REC_SERVER_STATE_STOPPED && !recording->opened)
    json_object_set_null_member (object, "output_path");
  else
    json_object_set_string_member (object, "output_path", recording->output);
  rec_server_recording_describe_files (recording, object);
}

static void
set_problems (RecServerRecording *recording, JsonObject *object)
{
  if (recording->fault)
    json_object_set_string_member (object, "fault", recording->fault);
  if (recording->warning)
    json_object_set_string_member (object, "warning", recording->warning);
}

JsonObject *
rec_server_recording_describe (RecServerRecording *recording)
{
  JsonObject *status = json_object_new ();

  if (recording->pipeline && !recording->closing)
    update_tracks (recording);
  json_object_set_boolean_member (status, "success", TRUE);
  json_object_set_string_member (status, "id", recording->id);
  json_object_set_string_member (
      status, "state", rec_server_state_get_name (recording->state));
  json_object_set_boolean_member (status, "is_recording",
      recording->state == REC_SERVER_STATE_RECORDING ||
          recording->state == REC_SERVER_STATE_STALLED ||
          recording->state == REC_SERVER_STATE_DISK_FULL);
  rec_server_json_set_time (status, "start_time", recording->start_time);
  if (recording->end_time)
    rec_server_json_set_time (status, "end_time", recording->end_time);
  set_output (recording, status);
  json_object_set_string_member (
      status, "output_format", recording->format->name);
  json_object_set_string_member (
      status, "video_quality", recording->quality->name);
  json_object_set_string_member (status, "source", recording->source->type);
  json_object_set_int_member (
      status, "file_size_bytes", (gint64)get_file_size (recording));
  set_times (recording, status);
  json_object_set_array_member (
      status, "tracks", json_array_ref (recording->tracks));
  json_object_set_object_member (status, "stats", describe_stats (recording));
  json_object_set_array_member (status, "alerts", describe_alerts (recording));
  set_problems (recording, status);
  return status;
}

JsonObject *
rec_server_recording_describe_end (RecServerRecording *recording)
{
  JsonObject *answer = json_object_new ();

  json_object_set_boolean_member (answer, "success", recording->fault == NULL);
  json_object_set_string_member (answer, "id", recording->id);
  json_object_set_string_member (
      answer, "state", rec_server_state_get_name (recording->state));
  set_output (recording, answer);
  json_object_set_int_member (
      answer, "file_size_bytes", (gint64)recording->file_size);
  set_times (recording, answer);
  json_object_set_object_member (answer, "stats", describe_stats (recording));
  set_problems (recording, answer);
  if (recording->fault) {
    json_object_set_string_member (answer, "error", "recording failed");
    json_object_set_string_member (answer, "detail", recording->fault);
  }
  if (!recording->opened && !recording->fault)
    json_object_set_string_member (
        answer, "warning", "Nothing arrived, so there is no file.");
  return answer;
}
