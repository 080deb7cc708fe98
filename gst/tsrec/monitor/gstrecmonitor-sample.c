/* gst-tsrec: recmonitor, the current state of the recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecmonitor-private.h"

#include "recgraph.h"
#include "recprocmem.h"
#include "recrecordingid.h"

#define GST_CAT_DEFAULT gst_rec_monitor_debug

/* --- The current state, any thread --- */

/* Returns the streak; a packet since the last check ends it. The caller holds
 * the object lock. */
static guint64
get_streak_unlocked (GstRecMonitor *self)
{
  if (self->known.streak_by_frames)
    return rec_flow_counters_get_frames_pending (self->flow);
  if (rec_flow_counters_get_packets (self->flow) != self->known.ticks.packets)
    return 0;
  return self->known.ticks.streak;
}

/* Returns the id of the recording, which the caller frees. The caller holds the
 * object lock. */
static gchar *
dup_recording_id_unlocked (GstRecMonitor *self)
{
  GstObject *object = GST_OBJECT_CAST (self);

  if (self->settings.recording_id)
    return g_strdup (self->settings.recording_id);
  if (self->known.sink_id)
    return g_strdup (self->known.sink_id);
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

/* --- Sampling, on the timer --- */

/* Asks the sink downstream for its counters. The sink answers without a lock
 * that is held during a write. */
static void
query_written (GstRecMonitor *self, GstClockTime now)
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
    g_free (self->known.sink_id);
    self->known.sink_id = g_strdup (rec_query_get_recording_id (query));
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

/* Merges the answer to @query, and frees @query. Several sources may feed one
 * mux: media is expected unless all of them wait, and one connected source is
 * enough to be connected. Returns FALSE if there was no answer. */
static gboolean
merge_answer (SourceAnswer *answer, GstQuery *query, gboolean answered)
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

/* @user_data: SourceAnswer. Returns FALSE to end the walk. */
static gboolean
query_source_of_element (GstElement *element, GstPad *peer, gpointer user_data)
{
  GstQuery *query = rec_query_new_source ();

  return !merge_answer (user_data, query, gst_pad_query (peer, query));
}

/* Asks the source upstream whether media is expected. Some elements do not
 * forward the query, for example a switchbin without a chosen path; the graph
 * is walked then. */
static void
query_source (GstRecMonitor *self, GstClockTime now)
{
  SourceAnswer answer = { { FALSE, TRUE, 0 }, FALSE };
  GstQuery *query = rec_query_new_source ();
  gboolean was_waiting;

  if (!merge_answer (&answer, query, gst_pad_peer_query (self->sinkpad, query)))
    rec_graph_foreach (self->sinkpad, query_source_of_element, &answer);
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
  /* A session may be shorter than the interval of the status lines. */
  if (answer.source.connected || !answer.source.waiting)
    self->t.waiting_reported = FALSE;
  if (was_waiting != answer.source.waiting)
    GST_INFO_OBJECT (self,
        answer.source.waiting ? "the source is waiting: no media is expected"
                              : "media is expected from the source");
}

void
gst_rec_monitor_queue_warning (GstRecMonitor *self, const GError *error)
{
  GST_WARNING_OBJECT (self, "%s", error->message);
  g_queue_push_tail (&self->t.outbox,
      gst_message_new_warning (GST_OBJECT (self), (GError *)error, NULL));
}

static void
warn_encoder_missing (GstRecMonitor *self, const gchar *name)
{
  GError *error;

  if (g_strcmp0 (self->t.missing_encoder, name) == 0)
    return;
  g_free (self->t.missing_encoder);
  self->t.missing_encoder = g_strdup (name);
  error = g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      "There is no element named \"%s\" in this pipeline, so the zero packet "
      "streak counts checks without a packet. Set encoder to the name of the "
      "encoder, or unset it to have it found.",
      name);
  gst_rec_monitor_queue_warning (self, error);
  g_error_free (error);
}

/* Returns the element with the name of the property, or NULL after one
 * warning. */
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
    warn_encoder_missing (self, name);
  return encoder;
}

/* Finds the encoder again, because it may be added, removed or replaced. */
static void
update_encoder (GstRecMonitor *self)
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

/* Updates the report for other monitors. */
static void
update_report (GstRecMonitor *self, GstClockTime now)
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

void
gst_rec_monitor_sample_memory (GstRecMonitor *self)
{
  guint64 queued = rec_stage_tracker_get_queued (self->sinkpad);
  RecProcMem mem = { 0 };
  int err = rec_proc_mem_sample (REC_PROC_MEM_SELF, &mem);

  if (err)
    GST_DEBUG_OBJECT (self, "no memory usage from " REC_PROC_MEM_SELF ": %s",
        g_strerror (err));
  GST_OBJECT_LOCK (self);
  self->known.stats.memory_queued = queued;
  if (err == 0) {
    self->known.stats.memory_rss = mem.rss;
    self->known.stats.memory_rss_peak = MAX (mem.rss_peak, mem.rss);
  }
  GST_OBJECT_UNLOCK (self);
}

GstClockTime
gst_rec_monitor_get_running_time (GstRecMonitor *self)
{
  GstClockTime time;

  GST_OBJECT_LOCK (self);
  time = self->known.paused_running_time;
  GST_OBJECT_UNLOCK (self);
  if (GST_STATE (self) == GST_STATE_PLAYING)
    time = gst_element_get_current_running_time (GST_ELEMENT (self));
  return time;
}

/* Updates the idle time and the streak of a monitor without an encoder. */
static void
update_ticks (GstRecMonitor *self, GstClockTime now)
{
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
}

void
gst_rec_monitor_sample_first (GstRecMonitor *self, GstClockTime now)
{
  update_encoder (self);
  update_report (self, now);
  query_source (self, now);
}

void
gst_rec_monitor_sample_neighbours (GstRecMonitor *self, GstClockTime now)
{
  update_encoder (self);
  query_written (self, now);
  query_source (self, now);
}

void
gst_rec_monitor_sample_flow (GstRecMonitor *self, GstClockTime now)
{
  update_ticks (self, now);
  update_report (self, now);
}
