/* gst-tsrec: recmonitor, what happens on its timer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecmonitor-private.h"

#include "recprocmem.h"
#include "recrecordingid.h"
#include "recstatusline.h"
#include "recgraph.h"

#include <stdio.h>
#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (gst_rec_monitor_debug);
#define GST_CAT_DEFAULT gst_rec_monitor_debug

/* How often the flow is looked at; the unit of the streak without encoder. */
#define CHECK_TICK (100 * GST_MSECOND)

/* --- what is known now; any thread --------------------------------------- */

/* Object lock. A packet that came after the timer's last look counts. */
static guint64
get_streak_unlocked (GstRecMonitor *self)
{
  if (self->known.streak_by_frames)
    return rec_flow_counters_get_frames_pending (self->flow);
  if (rec_flow_counters_get_packets (self->flow) != self->known.ticks.packets)
    return 0;
  return self->known.ticks.streak;
}

/* The caller frees it. */
static gchar *
dup_recording_id_unlocked (GstRecMonitor *self)
{
  GstObject *object = GST_OBJECT_CAST (self);

  if (self->settings.recording_id)
    return g_strdup (self->settings.recording_id);
  if (self->known.derived_id)
    return g_strdup (self->known.derived_id);
  while (object->parent)
    object = object->parent;
  return g_strdup (GST_OBJECT_NAME (object));
}

void
gst_rec_monitor_take_stats (
    GstRecMonitor *self, RecMonitorStats *stats, gchar **id, gchar **stage)
{
  GST_OBJECT_LOCK (self);
  *stats = self->known.stats;
  stats->packets = rec_flow_counters_get_packets (self->flow);
  stats->bytes = rec_flow_counters_get_bytes (self->flow);
  stats->zero_packet_streak = get_streak_unlocked (self);
  if (stats->packets != self->known.ticks.packets)
    stats->idle_time = 0;
  stats->recording_id = *id = dup_recording_id_unlocked (self);
  stats->stage = *stage = g_strdup (
      self->settings.stage ? self->settings.stage : GST_OBJECT_NAME (self));
  GST_OBJECT_UNLOCK (self);
  stats->packets_lost = self->rtp.lost;
  stats->packets_late = self->rtp.late;
  stats->packets_reordered = self->rtp.reordered;
  stats->utc_time = g_get_real_time ();
}

GstStructure *
gst_rec_monitor_build_stats (GstRecMonitor *self, const gchar *name)
{
  RecMonitorStats stats;
  GstStructure *structure;
  gchar *id, *stage;

  gst_rec_monitor_take_stats (self, &stats, &id, &stage);
  structure = rec_structure_new_monitor_stats (name, &stats);
  g_free (id);
  g_free (stage);
  return structure;
}

guint64
gst_rec_monitor_get_streak (GstRecMonitor *self)
{
  guint64 streak;

  GST_OBJECT_LOCK (self);
  streak = get_streak_unlocked (self);
  GST_OBJECT_UNLOCK (self);
  return streak;
}

void
gst_rec_monitor_get_report (GstRecMonitor *self, RecMonitorReport *report)
{
  GST_OBJECT_LOCK (self);
  *report = self->known.report;
  GST_OBJECT_UNLOCK (self);
}

/* --- one look, each 100 ms ----------------------------------------------- */

/* Asks the sink, whoever that is; the answer is lock free there. */
static void
ask_written (GstRecMonitor *self, GstClockTime now)
{
  GstQuery *query = rec_query_new_written ();
  RecWritten written;
  gchar *location = NULL;

  if (gst_pad_peer_query (self->srcpad, query) &&
      rec_query_parse_written (query, &written, &location)) {
    GstClockTime lag = rec_sync_lag_update (
        &self->t.lag, now, written.bytes_written, written.bytes_durable);

    GST_OBJECT_LOCK (self);
    self->known.written_known = TRUE;
    self->known.written = written;
    self->known.durable_lag = lag;
    self->known.stats.bytes_written = written.bytes_written;
    self->known.stats.bytes_durable = written.bytes_durable;
    self->known.stats.bytes_dropped = written.bytes_dropped;
    if (location && !self->known.derived_id)
      self->known.derived_id = rec_recording_id_from_location (location);
    GST_OBJECT_UNLOCK (self);
  }
  g_free (location);
  gst_query_unref (query);
}

typedef struct
{
  RecSource source;
  gboolean known;
} SourceAnswer;

/* Behind a mux there may be several sources: one that is connected is enough,
 * and only when all wait nothing is expected. */
static gboolean
take_answer (SourceAnswer *answer, GstQuery *query, gboolean answered)
{
  RecSource source;

  answered = answered && rec_query_parse_source (query, &source);
  gst_query_unref (query);
  if (!answered)
    return FALSE;
  answer->source.connected |= source.connected;
  answer->source.waiting &= source.waiting;
  answer->source.packets_dropped =
      MAX (answer->source.packets_dropped, source.packets_dropped);
  answer->known = TRUE;
  return TRUE;
}

/* user_data: SourceAnswer */
static gboolean
query_source (GstElement *element, GstPad *peer, gpointer user_data)
{
  GstQuery *query = rec_query_new_source ();

  return !take_answer (user_data, query, gst_pad_query (peer, query));
}

/* Walks where the query does not get through: a switchbin that has not chosen
 * its path yet does not pass it on, for example. */
static void
ask_source (GstRecMonitor *self, GstClockTime now)
{
  SourceAnswer answer = { { FALSE, TRUE, 0 }, FALSE };
  GstQuery *query = rec_query_new_source ();
  gboolean was_waiting;

  if (!take_answer (&answer, query, gst_pad_peer_query (self->sinkpad, query)))
    rec_graph_foreach (self->sinkpad, query_source, &answer);
  if (!answer.known)
    answer.source.waiting = FALSE;
  GST_OBJECT_LOCK (self);
  was_waiting = self->known.source.waiting;
  self->known.source_known = answer.known;
  self->known.source = answer.source;
  self->known.stats.waiting = answer.source.waiting;
  if (was_waiting && !answer.source.waiting)
    rec_idle_ticks_init (&self->known.ticks, self->flow, now);
  GST_OBJECT_UNLOCK (self);
  if (was_waiting != answer.source.waiting)
    GST_INFO_OBJECT (self,
        answer.source.waiting ? "nothing is expected from the source for now"
                              : "media is expected from the source");
}

static void
warn (GstRecMonitor *self, GError *error)
{
  GST_WARNING_OBJECT (self, "%s", error->message);
  g_queue_push_tail (&self->t.outbox,
      gst_message_new_warning (GST_OBJECT (self), error, NULL));
}

static void
warn_encoder_missed (GstRecMonitor *self, const gchar *name)
{
  GError *error;

  if (g_strcmp0 (self->t.encoder_missed, name) == 0)
    return;
  g_free (self->t.encoder_missed);
  self->t.encoder_missed = g_strdup (name);
  error = g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      "There is no element named \"%s\" in this pipeline, so the zero packet "
      "streak counts checks without a packet. Set encoder to the name of the "
      "encoder, or unset it to have it found.",
      name);
  warn (self, error);
  g_error_free (error);
}

/* The element named by the property, or NULL after saying so once. */
static GstElement *
find_named_encoder (GstRecMonitor *self, const gchar *name)
{
  GstObject *top = gst_object_ref (GST_OBJECT (self));
  GstObject *parent;
  GstElement *encoder = NULL;

  while ((parent = gst_object_get_parent (top)) != NULL) {
    gst_object_unref (top);
    top = parent;
  }
  if (GST_IS_BIN (top))
    encoder = gst_bin_get_by_name (GST_BIN (top), name);
  gst_object_unref (top);
  if (!encoder)
    warn_encoder_missed (self, name);
  return encoder;
}

/* Follows the encoder as it comes, goes or is swapped. */
static void
watch_encoder (GstRecMonitor *self)
{
  GstElement *encoder;
  gchar *name;

  GST_OBJECT_LOCK (self);
  name = g_strdup (self->settings.encoder);
  GST_OBJECT_UNLOCK (self);
  encoder = name ? find_named_encoder (self, name)
                 : rec_graph_find_encoder (self->sinkpad);
  rec_input_counter_set_element (self->t.encoder_watch, encoder);
  GST_OBJECT_LOCK (self);
  self->known.streak_by_frames = encoder != NULL;
  GST_OBJECT_UNLOCK (self);
  gst_clear_object (&encoder);
  g_free (name);
}

/* What other monitors are told. */
static void
look_around (GstRecMonitor *self, GstClockTime now)
{
  RecMonitorReport report;

  gst_rec_monitor_get_report (self, &report);
  rec_stage_tracker_update (self->t.stages, self->sinkpad, now, &report);
  GST_OBJECT_LOCK (self);
  report.idle = self->known.stats.idle_time;
  report.blocked = report.idle > 0 && rec_flow_counters_is_pushing (self->flow);
  report.rtp = g_atomic_int_get (&self->is_rtp);
  self->known.report = report;
  GST_OBJECT_UNLOCK (self);
}

static void
check (GstRecMonitor *self, GstClockTime now)
{
  gboolean ended = g_atomic_int_get (&self->ended);

  watch_encoder (self);
  ask_written (self, now);
  ask_source (self, now);
  if (g_atomic_int_compare_and_exchange (&self->reset, TRUE, FALSE)) {
    gst_rec_monitor_check_rules (self, now, FALSE);
    GST_OBJECT_LOCK (self);
    rec_idle_ticks_init (&self->known.ticks, self->flow, now);
    GST_OBJECT_UNLOCK (self);
  }
  GST_OBJECT_LOCK (self);
  rec_idle_ticks_update (&self->known.ticks, self->flow, now);
  self->known.stats.idle_time = now - self->known.ticks.since;
  if (self->known.source.waiting) {
    self->known.ticks.streak = 0;
    rec_flow_counters_reset_streak (self->flow);
  }
  GST_OBJECT_UNLOCK (self);
  self->t.lowest_streak =
      MIN (self->t.lowest_streak, gst_rec_monitor_get_streak (self));
  look_around (self, now);
  gst_rec_monitor_check_rules (self, now, !ended);
}

/* --- each second, and each interval -------------------------------------- */

static void
sample_memory (GstRecMonitor *self)
{
  guint64 queued = rec_stage_tracker_get_queued (self->sinkpad);
  RecProcMem mem = { 0 };
  int err = rec_proc_mem_sample (REC_PROC_MEM_SELF, &mem);

  if (err < 0)
    GST_DEBUG_OBJECT (self, "no memory figures from " REC_PROC_MEM_SELF ": %s",
        g_strerror (-err));
  GST_OBJECT_LOCK (self);
  self->known.stats.memory_queued = queued;
  if (err == 0) {
    self->known.stats.memory_rss = mem.rss;
    self->known.stats.memory_rss_peak = MAX (mem.rss_peak, mem.rss);
  }
  GST_OBJECT_UNLOCK (self);
}

/* Running time, standing still in PAUSED. */
static GstClockTime
get_running_time (GstRecMonitor *self)
{
  GstClockTime time;

  GST_OBJECT_LOCK (self);
  time = self->known.paused_running_time;
  GST_OBJECT_UNLOCK (self);
  if (GST_STATE (self) == GST_STATE_PLAYING)
    time = gst_element_get_current_running_time (GST_ELEMENT (self));
  return time;
}

/* What passed per second since this duty was last done. */
static void
measure_rates (GstRecMonitor *self, Duty *duty, GstClockTime now,
    gdouble *packet_rate, guint64 *bitrate)
{
  guint64 packets = rec_flow_counters_get_packets (self->flow);
  guint64 bytes = rec_flow_counters_get_bytes (self->flow);
  GstClockTime span = MAX (now - duty->last, 1);

  *packet_rate = (gdouble)(packets - duty->packets) * GST_SECOND / span;
  *bitrate = gst_util_uint64_scale (bytes - duty->bytes, 8 * GST_SECOND, span);
  duty->last = now;
  duty->packets = packets;
  duty->bytes = bytes;
}

static void
queue_stats (GstRecMonitor *self, GstClockTime now)
{
  GstClockTime running_time = get_running_time (self);
  gdouble packet_rate;
  guint64 bitrate;

  sample_memory (self);
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

/* One line each time that waiting begins, and none until it is over. */
static gboolean
is_silent (GstRecMonitor *self, const RecStatusLine *report)
{
  gboolean silent = report->waiting && !report->connected;
  gboolean first = silent && !self->t.said_waiting;

  self->t.said_waiting = silent;
  return silent && !first;
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
  if (!is_silent (self, &report)) {
    line = rec_status_line_format (&report);
    fprintf (stderr, "%s\n", line);
    g_free (line);
  }
  g_free (raised);
  g_free (id);
  g_free (stage);
}

static void
write_metrics (GstRecMonitor *self)
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
      warn (self, error);
    }
    g_clear_error (&error);
  }
  g_free (path);
}

static void
do_second (GstRecMonitor *self, GstClockTime now)
{
  sample_memory (self);
  gst_rec_monitor_update_metrics (self, now);
  self->t.lowest_streak = G_MAXUINT64;
  write_metrics (self);
}

/* --- the timer ----------------------------------------------------------- */

/* Whether a duty with this period is to be done now; the earliest time at
 * which it is due again goes into *next. What was missed is skipped. */
static gboolean
duty_is_due (
    Duty *duty, GstClockTime period, GstClockTime now, GstClockTime *next)
{
  gboolean due = now >= duty->base + period;

  if (due)
    duty->base += (now - duty->base) / period * period;
  *next = MIN (*next, duty->base + period);
  return due;
}

/* The last thing to do: whoever gets a message may stop the monitor from
 * here. */
static void
post_all (GstRecMonitor *self)
{
  GQueue outbox = self->t.outbox;
  GstMessage *msg;

  g_queue_init (&self->t.outbox);
  while ((msg = g_queue_pop_head (&outbox)) != NULL)
    gst_element_post_message (GST_ELEMENT (self), msg);
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

  if (duty_is_due (&self->t.check, CHECK_TICK, now, &next))
    check (self, now);
  if (duty_is_due (&self->t.stats, interval, now, &next))
    queue_stats (self, now);
  if (duty_is_due (&self->t.second, GST_SECOND, now, &next))
    do_second (self, now);
  if (report && duty_is_due (&self->t.report, report_interval, now, &next))
    print_report (self, now);
  post_all (self);
  gst_object_unref (self);
  return next;
}

static void
forget (GstRecMonitor *self, GstClockTime now)
{
  GstRecMonitorKnown *known = &self->known;
  Duty duty = { now, now, 0, 0 };

  rec_flow_counters_reset (self->flow);
  rec_rtp_seq_init (&self->rtp);
  g_atomic_int_set (&self->ended, FALSE);
  g_atomic_int_set (&self->reset, FALSE);
  memset (&self->t, 0, sizeof self->t);
  g_queue_init (&self->t.outbox);
  self->t.started = now;
  self->t.check = self->t.second = self->t.stats = self->t.report = duty;
  GST_OBJECT_LOCK (self);
  memset (&known->stats, 0, sizeof known->stats);
  memset (&known->written, 0, sizeof known->written);
  known->stats.running_time = GST_CLOCK_TIME_NONE;
  memset (&known->source, 0, sizeof known->source);
  known->written_known = known->source_known = FALSE;
  known->durable_lag = 0;
  known->paused_running_time = GST_CLOCK_TIME_NONE;
  g_clear_pointer (&known->derived_id, g_free);
  rec_idle_ticks_init (&known->ticks, self->flow, now);
  GST_OBJECT_UNLOCK (self);
}

static void
start_metrics (GstRecMonitor *self)
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
    warn (self, error);
  g_clear_error (&error);
  g_free (host);
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
  forget (self, now);
  self->t.encoder_watch = rec_input_counter_new (self->flow);
  self->t.stages = rec_stage_tracker_new (GST_TYPE_REC_MONITOR);
  start_metrics (self);
  /* Before the first frame can enter anything. */
  watch_encoder (self);
  look_around (self, now);
  ask_source (self, now);
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
  rec_metrics_end (self->t.metrics);
  write_metrics (self);
  rec_metrics_leave (self->t.metrics);
  rec_metrics_server_release (self->t.metrics_server);
  rec_input_counter_free (self->t.encoder_watch);
  rec_stage_tracker_free (self->t.stages);
  g_free (self->t.encoder_missed);
  post_all (self);
}
