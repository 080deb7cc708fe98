/* gst-tsrec: recmonitor, its entry among the metrics of the process
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecmonitor-private.h"

#define GST_CAT_DEFAULT gst_rec_monitor_debug

void
gst_rec_monitor_update_metrics (GstRecMonitor *self, GstClockTime now)
{
  RecMetricsSample sample = { 0 };
  gchar *id, *stage;
  RecAlertRule rule;

  gst_rec_monitor_take_stats (self, &sample.stats, &id, &stage);
  GST_OBJECT_LOCK (self);
  sample.written = self->known.written;
  sample.durable_lag = self->known.durable_lag;
  sample.source_known = self->known.source_known;
  sample.source = self->known.source;
  GST_OBJECT_UNLOCK (self);
  /* A frame that is in the encoder at this moment is not a stall. The lowest
   * value of the last second shows real stalls only. */
  sample.stats.zero_packet_streak =
      MIN (sample.stats.zero_packet_streak, self->t.lowest_streak);
  sample.elapsed = now - self->t.started;
  sample.rtp = g_atomic_int_get (&self->is_rtp);
  sample.running = TRUE;
  for (rule = 0; rule < REC_ALERT_N_RULES; rule++) {
    sample.raised[rule] = self->t.rules.rule[rule].raised;
    sample.where[rule] = self->t.where[rule];
    sample.raised_count[rule] = self->t.raised_count[rule];
  }
  rec_metrics_update (self->t.metrics, &sample);
  g_free (id);
  g_free (stage);
}

void
gst_rec_monitor_write_metrics (GstRecMonitor *self)
{
  GError *error = NULL;
  gchar *path;

  GST_OBJECT_LOCK (self);
  path = g_strdup (self->settings.metrics_file);
  GST_OBJECT_UNLOCK (self);
  if (rec_metrics_claim_file (self->t.metrics, path)) {
    if (rec_metrics_write_file (path, &error))
      self->t.metrics_file_failed = FALSE;
    else if (!self->t.metrics_file_failed) {
      self->t.metrics_file_failed = TRUE;
      gst_rec_monitor_queue_warning (self, error);
    }
    g_clear_error (&error);
  }
  g_free (path);
}

void
gst_rec_monitor_start_metrics (GstRecMonitor *self)
{
  GError *error = NULL;
  gchar *host;
  guint port;

  self->t.metrics = rec_metrics_add ();
  GST_OBJECT_LOCK (self);
  host = g_strdup (self->settings.metrics_host);
  port = self->settings.metrics_port;
  GST_OBJECT_UNLOCK (self);
  if (port)
    self->t.metrics_server =
        rec_metrics_server_acquire (host ? host : "127.0.0.1", port, &error);
  if (error)
    gst_rec_monitor_queue_warning (self, error);
  g_clear_error (&error);
  g_free (host);
}

void
gst_rec_monitor_stop_metrics (GstRecMonitor *self)
{
  rec_metrics_end (self->t.metrics);
  gst_rec_monitor_write_metrics (self);
  rec_metrics_leave (self->t.metrics);
  rec_metrics_server_release (self->t.metrics_server);
}
