/* gst-tsrec: from the numbers of an element to its messages and statistics
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recmessage.h"

#include "tspacket.h"

/* One field a line. */
/* clang-format off */

#define STR(s) ((s) ? (s) : "")

GstStructure *
rec_structure_new_monitor_stats (
    const gchar *name, const RecMonitorStats *stats)
{
  return gst_structure_new (name,
      "recording-id", G_TYPE_STRING, STR (stats->recording_id),
      "stage", G_TYPE_STRING, STR (stats->stage),
      "packets", G_TYPE_UINT64, stats->packets,
      "bytes", G_TYPE_UINT64, stats->bytes,
      "packet-rate", G_TYPE_DOUBLE, stats->packet_rate,
      "bitrate", G_TYPE_UINT64, stats->bitrate,
      "zero-packet-streak", G_TYPE_UINT64, stats->zero_packet_streak,
      "waiting", G_TYPE_BOOLEAN, stats->waiting,
      "idle-time", G_TYPE_UINT64, stats->idle_time,
      "bytes-written", G_TYPE_UINT64, stats->bytes_written,
      "bytes-durable", G_TYPE_UINT64, stats->bytes_durable,
      "bytes-dropped", G_TYPE_UINT64, stats->bytes_dropped,
      "memory-rss", G_TYPE_UINT64, stats->memory_rss,
      "memory-rss-peak", G_TYPE_UINT64, stats->memory_rss_peak,
      "memory-queued", G_TYPE_UINT64, stats->memory_queued,
      "packets-lost", G_TYPE_UINT64, stats->packets_lost,
      "packets-late", G_TYPE_UINT64, stats->packets_late,
      "packets-reordered", G_TYPE_UINT64, stats->packets_reordered,
      "running-time", G_TYPE_UINT64, stats->running_time,
      "utc-time", G_TYPE_INT64, stats->utc_time, NULL);
}

GstMessage *
rec_message_new_alert (GstElement *src, const RecAlert *alert)
{
  return gst_message_new_element (GST_OBJECT (src),
      gst_structure_new ("recmonitor-alert",
      "recording-id", G_TYPE_STRING, STR (alert->recording_id),
      "stage", G_TYPE_STRING, STR (alert->stage),
      "rule", G_TYPE_STRING, alert->rule,
      "state", G_TYPE_STRING, alert->raised ? "raised" : "cleared",
      "value", G_TYPE_UINT64, alert->value,
      "threshold", G_TYPE_UINT64, alert->threshold,
      "where", G_TYPE_STRING, STR (alert->where),
      "since", G_TYPE_INT64, alert->since,
      "text", G_TYPE_STRING, STR (alert->text), NULL));
}

GstStructure *
rec_structure_new_file_sink_stats (const RecFileSinkStats *stats)
{
  return gst_structure_new ("application/x-recfilesink-stats",
      "location", G_TYPE_STRING, STR (stats->location),
      "fragment-index", G_TYPE_UINT64, stats->fragment_index,
      "fragments", G_TYPE_UINT64, stats->fragments,
      "file-size", G_TYPE_UINT64, stats->file_size,
      "bytes-written", G_TYPE_UINT64, stats->bytes_written,
      "bytes-durable", G_TYPE_UINT64, stats->bytes_durable,
      "bytes-lost-to-sync", G_TYPE_UINT64, stats->bytes_lost_to_sync,
      "buffers-written", G_TYPE_UINT64, stats->buffers_written,
      "bytes-dropped", G_TYPE_UINT64, stats->bytes_dropped,
      "buffers-dropped", G_TYPE_UINT64, stats->buffers_dropped,
      "write-latency-mean", G_TYPE_UINT64, stats->write_latency_mean,
      "write-latency-max", G_TYPE_UINT64, stats->write_latency_max,
      "write-blocked", G_TYPE_UINT64, stats->write_blocked,
      "syncs", G_TYPE_UINT64, stats->syncs,
      "sync-failures", G_TYPE_UINT64, stats->sync_failures,
      "last-sync-utc-time", G_TYPE_INT64, stats->last_sync_utc_time,
      "sync-duration-max", G_TYPE_UINT64, stats->sync_duration_max,
      "waiting-for-disk", G_TYPE_BOOLEAN, stats->waiting_for_disk,
      "media-time", G_TYPE_UINT64, stats->media_time,
      "gap-time", G_TYPE_UINT64, stats->gap_time,
      "gaps", G_TYPE_UINT64, stats->gaps, NULL);
}

GstStructure *
rec_structure_new_mux_stats (const RecMuxStats *stats)
{
  const TsStats *mux = &stats->mux;

  return gst_structure_new ("application/x-tsrecmux-stats",
      "tracks", G_TYPE_UINT64, stats->tracks,
      "access-units", G_TYPE_UINT64, mux->access_units,
      "bytes-in", G_TYPE_UINT64, mux->access_unit_bytes,
      "bytes-out", G_TYPE_UINT64, mux->packets * TS_PACKET_SIZE,
      "packets", G_TYPE_UINT64, mux->packets,
      "stuffing-bytes", G_TYPE_UINT64, mux->stuffing_bytes,
      "psi-packets", G_TYPE_UINT64, mux->psi_packets,
      "pcr-packets", G_TYPE_UINT64, mux->pcr_packets,
      "random-access-points", G_TYPE_UINT64, mux->random_access_points,
      "no-timestamp", G_TYPE_UINT64, mux->no_timestamp,
      "backward", G_TYPE_UINT64, mux->backward,
      "jumps", G_TYPE_UINT64, mux->jumps,
      "late", G_TYPE_UINT64, mux->late,
      "skipped", G_TYPE_UINT64, mux->skipped,
      "dts-raised", G_TYPE_UINT64, mux->dts_raised,
      "pts-nudged", G_TYPE_UINT64, mux->pts_nudged,
      "pts-moved", G_TYPE_UINT64, mux->pts_moved,
      "empty", G_TYPE_UINT64, mux->empty,
      "damaged", G_TYPE_UINT64, mux->damaged,
      "refused", G_TYPE_UINT64, stats->refused, NULL);
}

GstMessage *
rec_message_new_opened (GstElement *src, const gchar *location, guint index,
    GstClockTime running_time)
{
  return gst_message_new_element (GST_OBJECT (src),
      gst_structure_new ("recfilesink-opened",
      "location", G_TYPE_STRING, STR (location),
      "index", G_TYPE_UINT64, (guint64) index,
      "running-time", G_TYPE_UINT64, running_time, NULL));
}

GstMessage *
rec_message_new_closed (GstElement *src, const gchar *location, guint index,
    GstClockTime running_time, guint64 bytes, GstClockTime duration,
    const gchar *reason)
{
  return gst_message_new_element (GST_OBJECT (src),
      gst_structure_new ("recfilesink-closed",
      "location", G_TYPE_STRING, STR (location),
      "index", G_TYPE_UINT64, (guint64) index,
      "running-time", G_TYPE_UINT64, running_time,
      "bytes", G_TYPE_UINT64, bytes,
      "duration", G_TYPE_UINT64, duration,
      "reason", G_TYPE_STRING, STR (reason), NULL));
}

GstMessage *
rec_message_new_open_failed (GstElement *src, const gchar *location,
    const gchar *current, const gchar *reason)
{
  return gst_message_new_element (GST_OBJECT (src),
      gst_structure_new ("recfilesink-open-failed",
      "location", G_TYPE_STRING, STR (location),
      "current", G_TYPE_STRING, STR (current),
      "reason", G_TYPE_STRING, STR (reason), NULL));
}

GstMessage *
rec_message_new_disk (GstElement *src, const gchar *name, const gchar *location,
    guint64 bytes_free, guint64 bytes_dropped, const gchar *reason,
    const gchar *text)
{
  return gst_message_new_element (GST_OBJECT (src),
      gst_structure_new (name,
      "location", G_TYPE_STRING, STR (location),
      "bytes-free", G_TYPE_UINT64, bytes_free,
      "bytes-dropped", G_TYPE_UINT64, bytes_dropped,
      "reason", G_TYPE_STRING, STR (reason),
      "text", G_TYPE_STRING, STR (text), NULL));
}

GstMessage *
rec_message_new_track (GstElement *src, const gchar *name, GstPad *pad,
    const GstCaps *caps, const gchar *reason)
{
  gchar *caps_str = caps ? gst_caps_to_string (caps) : NULL;
  GstStructure *s = gst_structure_new (name,
      "pad", G_TYPE_STRING, GST_OBJECT_NAME (pad),
      "caps", G_TYPE_STRING, STR (caps_str),
      "reason", G_TYPE_STRING, STR (reason), NULL);

  g_free (caps_str);
  return gst_message_new_element (GST_OBJECT (src), s);
}

GstMessage *
rec_message_new_skipped (GstElement *src, GstPad *pad, guint64 access_units,
    GstClockTime duration)
{
  return gst_message_new_element (GST_OBJECT (src),
      gst_structure_new ("tsrecmux-skipped",
          "pad", G_TYPE_STRING, GST_OBJECT_NAME (pad),
          "access-units", G_TYPE_UINT64, access_units,
          "duration", G_TYPE_UINT64, duration, NULL));
}

GstStructure *
rec_structure_new_session (const gchar *name, const RecSession *session)
{
  return gst_structure_new (name,
      "session-id", G_TYPE_STRING, STR (session->id),
      "remote", G_TYPE_STRING, STR (session->remote),
      "video-codec", G_TYPE_STRING, STR (session->video_codec),
      "audio-codec", G_TYPE_STRING, STR (session->audio_codec),
      "reason", G_TYPE_STRING, STR (session->reason), NULL);
}
