/* gst-tsrec: recmonitor, messages and log lines of its rules
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecmonitor-private.h"

#define GST_CAT_DEFAULT gst_rec_monitor_debug

/* Asks along the pads and returns the name of the first stalled stage, "" for
 * the memory rule. */
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

/* Returns for how long the condition has lasted when it is detected. */
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
queue_alert (GstRecMonitor *self, RecAlertRule rule)
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
take_sample (GstRecMonitor *self, GstClockTime now, gboolean running,
    RecAlertSample *sample)
{
  sample->now = now;
  sample->running = running;
  sample->streak = gst_rec_monitor_get_streak (self);
  GST_OBJECT_LOCK (self);
  sample->idle = self->known.stats.idle_time;
  sample->memory = self->known.stats.memory_rss;
  sample->memory_known = sample->memory > 0;
  sample->sink_known = self->known.written_known;
  sample->written = self->known.written.bytes_written;
  sample->waiting = self->known.source.waiting;
  GST_OBJECT_UNLOCK (self);
}

void
gst_rec_monitor_check_rules (
    GstRecMonitor *self, GstClockTime now, gboolean running)
{
  RecThresholdChange change[REC_ALERT_N_RULES];
  RecAlertLimits limits;
  RecAlertSample sample;
  RecAlertRule rule;

  GST_OBJECT_LOCK (self);
  limits = self->settings.limits;
  GST_OBJECT_UNLOCK (self);
  take_sample (self, now, running, &sample);
  rec_alert_rules_update (&self->t.rules, &limits, &sample, change);
  for (rule = 0; rule < REC_ALERT_N_RULES; rule++) {
    guint64 value = self->t.rules.rule[rule].value;

    if (change[rule] == REC_THRESHOLD_SAME)
      continue;
    if (change[rule] == REC_THRESHOLD_RAISED) {
      self->t.where[rule] = find_where (self, rule, value);
      self->t.since[rule] = g_get_real_time () -
          (gint64)(get_age (rule, value, sample.idle) / 1000);
      self->t.raised_count[rule]++;
    }
    queue_alert (self, rule);
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
