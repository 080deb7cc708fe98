/* gst-tsrec: recmonitor, what it says when a rule is raised or cleared
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecmonitor-private.h"

GST_DEBUG_CATEGORY_EXTERN (gst_rec_monitor_debug);
#define GST_CAT_DEFAULT gst_rec_monitor_debug

/* Where the trouble is, asked along the pads. */
static const gchar *
find_where (GstRecMonitor *self, RecAlertRule rule, guint64 value)
{
  RecMonitorReport report;
  RecWritten written;
  gboolean known;
  RecStallStage stage;

  if (rule == REC_ALERT_RULE_MEMORY)
    return "";
  GST_OBJECT_LOCK (self);
  report = self->known.report;
  written = self->known.written;
  known = self->known.written_known;
  GST_OBJECT_UNLOCK (self);
  if (rule == REC_ALERT_RULE_NO_BYTES)
    stage = rec_stage_tracker_find_unwritten (
        self->sinkpad, self->srcpad, &report, value, known ? &written : NULL);
  else
    stage = rec_stage_tracker_find_stalled (self->sinkpad, self->srcpad,
        &report, report.idle, known ? &written : NULL);
  return rec_stall_stage_name (stage);
}

/* How long the condition lasts already when it is noticed. */
static GstClockTime
get_age (RecAlertRule rule, guint64 value, GstClockTime idle)
{
  switch (rule) {
    case REC_ALERT_RULE_STREAK:
      return idle;
    case REC_ALERT_RULE_MEMORY:
      return 0;
    default:
      return value;
  }
}

static void
say (GstRecMonitor *self, RecAlertRule rule)
{
  const RecThreshold *state = &self->t.rules.rule[rule];
  RecMonitorStats stats;
  RecAlert alert = { 0 };
  RecAlertTextContext context = { .rule = rule };
  GstRecMonitorOnAlert how;
  GstMessage *extra;
  gchar *id, *stage, *text;

  gst_rec_monitor_take_stats (self, &stats, &id, &stage);
  GST_OBJECT_LOCK (self);
  how = self->settings.on_alert;
  context.by_frames = self->known.streak_by_frames;
  GST_OBJECT_UNLOCK (self);
  context.memory_queued = stats.memory_queued;
  context.paused = GST_STATE (self) == GST_STATE_PAUSED;
  context.by_growth = !self->t.rules.memory_level.raised;
  alert.recording_id = id;
  alert.stage = stage;
  alert.rule = rec_alert_rule_name (rule);
  alert.raised = state->raised;
  alert.value = state->value;
  alert.threshold = state->threshold;
  alert.where = self->t.where[rule];
  alert.since = self->t.since[rule];
  alert.text = text = rec_alert_text_get (&alert, &context);
  GST_INFO_OBJECT (self, "%s", text);
  g_queue_push_tail (
      &self->t.outbox, rec_message_new_alert (GST_ELEMENT (self), &alert));
  extra = rec_alert_text_new_message (GST_ELEMENT (self), &alert, how);
  if (extra)
    g_queue_push_tail (&self->t.outbox, extra);
  g_free (text);
  g_free (id);
  g_free (stage);
}

static void
look (GstRecMonitor *self, GstClockTime now, gboolean running,
    RecAlertSample *out)
{
  out->now = now;
  out->running = running;
  out->streak = gst_rec_monitor_get_streak (self);
  GST_OBJECT_LOCK (self);
  out->idle = self->known.stats.idle_time;
  out->memory = self->known.stats.memory_rss;
  out->memory_known = out->memory > 0;
  out->sink_known = self->known.written_known;
  out->written = self->known.written.bytes_written;
  out->waiting = self->known.source.waiting;
  GST_OBJECT_UNLOCK (self);
}

void
gst_rec_monitor_check_rules (
    GstRecMonitor *self, GstClockTime now, gboolean running)
{
  RecThresholdChange change[REC_ALERT_N_RULES];
  RecAlertLimits limits;
  RecAlertSample seen;
  RecAlertRule rule;

  GST_OBJECT_LOCK (self);
  limits = self->settings.limits;
  GST_OBJECT_UNLOCK (self);
  look (self, now, running, &seen);
  rec_alert_rules_update (&self->t.rules, &limits, &seen, change);
  for (rule = 0; rule < REC_ALERT_N_RULES; rule++) {
    guint64 value = self->t.rules.rule[rule].value;

    if (change[rule] == REC_THRESHOLD_SAME)
      continue;
    if (change[rule] == REC_THRESHOLD_RAISED) {
      self->t.where[rule] = find_where (self, rule, value);
      self->t.since[rule] = g_get_real_time () -
          (gint64)(get_age (rule, value, seen.idle) / 1000);
      self->t.raised_count[rule]++;
    }
    say (self, rule);
  }
}

gchar *
gst_rec_monitor_list_raised (GstRecMonitor *self)
{
  GString *list = g_string_new (NULL);
  RecAlertRule rule;

  for (rule = 0; rule < REC_ALERT_N_RULES; rule++) {
    if (!self->t.rules.rule[rule].raised)
      continue;
    g_string_append_printf (
        list, "%s%s", list->len ? ", " : "", rec_alert_rule_name (rule));
    if (*self->t.where[rule])
      g_string_append_printf (list, " (%s)", self->t.where[rule]);
  }
  return g_string_free (list, FALSE);
}

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
  /* A frame that is in the encoder right now is no stall: a scraper that looks
   * once in a while gets what lasted. */
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
