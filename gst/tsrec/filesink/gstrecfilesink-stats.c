/* gst-tsrec: recfilesink, statistics
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Nothing here waits for a write.
 */

#include "config.h"

#include "gstrecfilesink-private.h"

#include "recmessage.h"

void
gst_rec_file_sink_init_counters (GstRecFileSinkCounters *counters)
{
  counters->fragments = counters->fragment_index = 0;
  counters->file_size = 0;
  counters->bytes_written = counters->buffers_written = 0;
  counters->bytes_dropped = counters->buffers_dropped = 0;
  counters->latency_sum = counters->latency_max = 0;
  counters->last_time = GST_CLOCK_TIME_NONE;
}

guint64
gst_rec_file_sink_get_write_blocked (GstRecFileSink *self)
{
  gint64 began = self->counters.write_began;

  return began ? (g_get_monotonic_time () - began) * GST_USECOND : 0;
}

GstStructure *
gst_rec_file_sink_create_stats (GstRecFileSink *self)
{
  const GstRecFileSinkCounters *counters = &self->counters;
  guint64 buffers = counters->buffers_written;
  GstStructure *s;
  gchar *path;
  RecFileSinkStats stats = {
    .fragment_index = counters->fragment_index,
    .fragments = counters->fragments,
    .file_size = counters->file_size,
    .bytes_durable = self->totals.durable,
    .bytes_written = counters->bytes_written,
    .bytes_lost_to_sync = self->totals.lost,
    .buffers_written = buffers,
    .bytes_dropped = counters->bytes_dropped,
    .buffers_dropped = counters->buffers_dropped,
    .write_latency_mean = buffers ? counters->latency_sum / buffers : 0,
    .write_latency_max = counters->latency_max,
    .write_blocked = gst_rec_file_sink_get_write_blocked (self),
    .syncs = self->totals.syncs,
    .sync_failures = self->totals.failures,
    .last_sync_utc_time = self->totals.last_utc,
    .sync_duration_max = self->totals.duration_max,
    .waiting_for_disk = self->faults.waiting,
    .media_time = self->media_time.media,
    .gap_time = self->media_time.missing,
    .gaps = self->media_time.n_gaps,
  };

  GST_OBJECT_LOCK (self);
  path = g_strdup (self->path);
  GST_OBJECT_UNLOCK (self);
  stats.location = path;
  s = rec_structure_new_file_sink_stats (&stats);
  g_free (path);
  return s;
}
