/* gst-tsrec: recmonitor, the periodic tasks of its timer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecmonitor-private.h"

#include "recstatusline.h"

#include <stdio.h>
#include <string.h>

#define GST_CAT_DEFAULT gst_rec_monitor_debug

/* Period of the checks. Without an encoder the streak counts checks. */
#define CHECK_TICK (100 * GST_MSECOND)
/* The same while no media is expected, so that a recorder that waits for days for
 * a publisher costs nothing. */
#define WAITING_TICK GST_SECOND

static void
check (GstRecMonitor *self, GstClockTime now)
{
  gboolean ended = g_atomic_int_get (&self->ended);

  gst_rec_monitor_sample_neighbours (self, now);
  if (g_atomic_int_compare_and_exchange (&self->reset, TRUE, FALSE)) {
    gst_rec_monitor_check_rules (self, now, FALSE);
    GST_OBJECT_LOCK (self);
    rec_idle_ticks_init (&self->known.ticks, self->flow, now);
    GST_OBJECT_UNLOCK (self);
  }
  gst_rec_monitor_sample_flow (self, now);
  gst_rec_monitor_check_rules (self, now, !ended);
}

/* --- Each second and each interval --- */

/* Returns the rates since @task was last run. */
static void
measure_rates (GstRecMonitor *self, RecMonitorTask *task, GstClockTime now,
    gdouble *packet_rate, guint64 *bitrate)
{
  guint64 packets = rec_flow_counters_get_packets (self->flow);
  guint64 bytes = rec_flow_counters_get_bytes (self->flow);
  GstClockTime span = MAX (now - task->last, 1);

  *packet_rate = (gdouble)(packets - task->packets) * GST_SECOND / span;
  *bitrate = gst_util_uint64_scale (bytes - task->bytes, 8 * GST_SECOND, span);
  task->last = now;
  task->packets = packets;
  task->bytes = bytes;
}

static void
queue_stats (GstRecMonitor *self, GstClockTime now)
{
  GstClockTime running_time = gst_rec_monitor_get_running_time (self);
  gdouble packet_rate;
  guint64 bitrate;

  gst_rec_monitor_sample_memory (self);
  measure_rates (self, &self->t.stats, now, &packet_rate, &bitrate);
  GST_OBJECT_LOCK (self);
  self->known.stats.packet_rate = packet_rate;
  self->known.stats.bitrate = bitrate;
  self->known.stats.running_time = running_time;
  GST_OBJECT_UNLOCK (self);
  g_queue_push_tail (&self->t.outbox,
      gst_message_new_element (GST_OBJECT (self),
          gst_rec_monitor_build_stats (self, "recmonitor-stats")));
}

/* Returns TRUE if no line is printed, because an earlier one has reported that
 * the source waits. */
static gboolean
is_waiting_reported (GstRecMonitor *self, const RecStatusLine *report)
{
  gboolean waiting = report->waiting && !report->connected;
  gboolean reported = waiting && self->t.waiting_reported;

  self->t.waiting_reported = waiting;
  return reported;
}

static void
print_report (GstRecMonitor *self, GstClockTime now)
{
  RecMonitorStats stats;
  RecStatusLine report = { .stats = &stats };
  gchar *id, *stage, *line, *raised = gst_rec_monitor_list_raised (self);
  gdouble packet_rate;
  guint64 bitrate;

  measure_rates (self, &self->t.report, now, &packet_rate, &bitrate);
  gst_rec_monitor_take_stats (self, &stats, &id, &stage);
  GST_OBJECT_LOCK (self);
  report.written_known = self->known.written_known;
  report.waiting_for_disk = self->known.written.waiting_for_disk;
  report.connected = self->known.source.connected;
  report.waiting = self->known.source.waiting;
  GST_OBJECT_UNLOCK (self);
  stats.packet_rate = packet_rate;
  stats.bitrate = bitrate;
  report.elapsed = now - self->t.started;
  report.alerts = raised;
  if (!is_waiting_reported (self, &report)) {
    line = rec_status_line_format (&report);
    fprintf (stderr, "%s\n", line);
    g_free (line);
  }
  g_free (raised);
  g_free (id);
  g_free (stage);
}

static void
do_second (GstRecMonitor *self, GstClockTime now)
{
  gst_rec_monitor_sample_memory (self);
  gst_rec_monitor_update_metrics (self, now);
  self->t.lowest_streak = G_MAXUINT64;
  gst_rec_monitor_write_metrics (self);
}

/* --- The timer --- */

/* Returns TRUE if the task with this period is due. Lowers @next to the time at
 * which it is due again. Missed runs are skipped. */
static gboolean
task_is_due (RecMonitorTask *task, GstClockTime period, GstClockTime now,
    GstClockTime *next)
{
  gboolean due = now >= task->base + period;

  if (due)
    task->base += (now - task->base) / period * period;
  *next = MIN (*next, task->base + period);
  return due;
}

/* Posts the queued messages. A message handler may stop the monitor, so nothing
 * may follow on the timer. */
static void
post_all (GstRecMonitor *self)
{
  GQueue outbox = self->t.outbox;
  GstMessage *msg;

  g_queue_init (&self->t.outbox);
  while ((msg = g_queue_pop_head (&outbox)) != NULL)
    gst_element_post_message (GST_ELEMENT (self), msg);
}

/* Returns the time between two checks. */
static GstClockTime
get_check_period (GstRecMonitor *self)
{
  gboolean idle;

  GST_OBJECT_LOCK (self);
  idle = self->known.source.waiting && !self->known.source.connected &&
      rec_flow_counters_get_packets (self->flow) == self->known.ticks.packets;
  GST_OBJECT_UNLOCK (self);
  return idle ? WAITING_TICK : CHECK_TICK;
}

static GstClockTime
on_timer (GstClockTime now, gpointer user_data)
{
  GstRecMonitor *self = gst_object_ref (user_data);
  GstClockTime next = GST_CLOCK_TIME_NONE;
  GstClockTime interval, report_interval;
  gboolean report;

  GST_OBJECT_LOCK (self);
  interval = self->settings.interval;
  report = self->settings.report;
  report_interval = self->settings.report_interval;
  GST_OBJECT_UNLOCK (self);

  if (task_is_due (&self->t.check, get_check_period (self), now, &next)) {
    check (self, now);
    next = MIN (next, self->t.check.base + get_check_period (self));
  }
  if (task_is_due (&self->t.stats, interval, now, &next))
    queue_stats (self, now);
  if (task_is_due (&self->t.second, GST_SECOND, now, &next))
    do_second (self, now);
  if (report && task_is_due (&self->t.report, report_interval, now, &next))
    print_report (self, now);
  post_all (self);
  gst_object_unref (self);
  return next;
}

/* Clears the state of the run before. */
static void
reset (GstRecMonitor *self, GstClockTime now)
{
  GstRecMonitorKnown *known = &self->known;
  RecMonitorTask task = { now, now, 0, 0 };

  rec_flow_counters_reset (self->flow);
  rec_rtp_seq_init (&self->rtp);
  g_atomic_int_set (&self->ended, FALSE);
  g_atomic_int_set (&self->reset, FALSE);
  memset (&self->t, 0, sizeof self->t);
  g_queue_init (&self->t.outbox);
  self->t.started = now;
  self->t.check = self->t.second = self->t.stats = self->t.report = task;
  GST_OBJECT_LOCK (self);
  memset (&known->stats, 0, sizeof known->stats);
  memset (&known->written, 0, sizeof known->written);
  known->stats.running_time = GST_CLOCK_TIME_NONE;
  memset (&known->source, 0, sizeof known->source);
  known->written_known = known->source_known = FALSE;
  known->durable_lag = 0;
  known->paused_running_time = GST_CLOCK_TIME_NONE;
  g_clear_pointer (&known->derived_id, g_free);
  g_clear_pointer (&known->sink_id, g_free);
  rec_idle_ticks_init (&known->ticks, self->flow, now);
  GST_OBJECT_UNLOCK (self);
}

void
gst_rec_monitor_timer_start (GstRecMonitor *self)
{
  GstClock *clock;
  GstClockTime now, first;

  GST_OBJECT_LOCK (self);
  clock = self->settings.clock ? gst_object_ref (self->settings.clock) : NULL;
  first = MIN (self->settings.interval, CHECK_TICK);
  GST_OBJECT_UNLOCK (self);
  if (!clock)
    clock = gst_system_clock_obtain ();
  now = gst_clock_get_time (clock);
  reset (self, now);
  self->t.encoder_watch = rec_input_counter_new (self->flow);
  self->t.stages = rec_stage_tracker_new (GST_TYPE_REC_MONITOR);
  gst_rec_monitor_start_metrics (self);
  /* Before a frame can enter the encoder. */
  gst_rec_monitor_sample_first (self, now);
  post_all (self);
  self->t.timer = rec_timer_start (clock, now + first, on_timer, self);
  gst_object_unref (clock);
}

void
gst_rec_monitor_timer_stop (GstRecMonitor *self)
{
  rec_timer_stop (self->t.timer);
  self->t.timer = NULL;
  gst_rec_monitor_check_rules (self, self->t.check.base, FALSE);
  gst_rec_monitor_update_metrics (self, self->t.check.base);
  gst_rec_monitor_stop_metrics (self);
  rec_input_counter_free (self->t.encoder_watch);
  rec_stage_tracker_free (self->t.stages);
  g_free (self->t.missing_encoder);
  post_all (self);
}
