/* gst-tsrec: recmonitor, what happens on its timer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecmonitorprivate.h"

#include "procmem.h"
#include "recquery.h"
#include "recreport.h"

#include <stdio.h>
#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (rec_monitor_debug);
#define GST_CAT_DEFAULT rec_monitor_debug

/* How often the flow is looked at; the unit of the streak without encoder. */
#define CHECK_TICK (100 * GST_MSECOND)
#define REPORT_PERIOD GST_SECOND

/* --- what is known now --------------------------------------------------- */

/* Object lock. A packet that came after the timer's last look counts. */
static guint64
get_streak_unlocked (GstRecMonitor *self)
{
  if (self->streak_by_frames)
    return flow_count_get_swallowed (self->flow);
  if (flow_count_get_packets (self->flow) != self->ticks.packets)
    return 0;
  return self->ticks.streak;
}

/* The caller frees it. */
static gchar *
dup_recording_id_unlocked (GstRecMonitor *self)
{
  GstObject *object = GST_OBJECT_CAST (self);

  if (self->recording_id)
    return g_strdup (self->recording_id);
  if (self->derived_id)
    return g_strdup (self->derived_id);
  while (object->parent)
    object = object->parent;
  return g_strdup (GST_OBJECT_NAME (object));
}

/* What is known now; the caller frees the two strings that @stats points to.
 * Any thread. */
static void
take_stats (
    GstRecMonitor *self, RecMonitorStats *stats, gchar **id, gchar **stage)
{
  GST_OBJECT_LOCK (self);
  *stats = self->last;
  stats->packets = flow_count_get_packets (self->flow);
  stats->bytes = flow_count_get_bytes (self->flow);
  stats->zero_packet_streak = get_streak_unlocked (self);
  if (stats->packets != self->ticks.packets)
    stats->idle_time = 0;
  stats->recording_id = *id = dup_recording_id_unlocked (self);
  stats->stage = *stage =
      g_strdup (self->stage ? self->stage : GST_OBJECT_NAME (self));
  GST_OBJECT_UNLOCK (self);
  stats->utc_time = g_get_real_time ();
}

GstStructure *
rec_monitor_build_stats (GstRecMonitor *self, const gchar *name)
{
  RecMonitorStats stats;
  GstStructure *structure;
  gchar *id, *stage;

  take_stats (self, &stats, &id, &stage);
  structure = rec_structure_new_monitor_stats (name, &stats);
  g_free (id);
  g_free (stage);
  return structure;
}

guint64
rec_monitor_get_streak (GstRecMonitor *self)
{
  guint64 streak;

  GST_OBJECT_LOCK (self);
  streak = get_streak_unlocked (self);
  GST_OBJECT_UNLOCK (self);
  return streak;
}

/* --- timer thread -------------------------------------------------------- */

/* "dir/rec.ts" names the recording "rec". */
static gchar *
id_from_location (const gchar *location)
{
  gchar *id = g_path_get_basename (location);
  gchar *dot = strrchr (id, '.');

  if (dot && dot != id)
    *dot = '\0';
  return id;
}

/* Asks the sink, whoever that is; the answer is lock free there. */
static void
ask_written (GstRecMonitor *self)
{
  GstQuery *query = rec_query_new_written ();
  RecWritten written;
  gchar *location = NULL;

  if (gst_pad_peer_query (self->srcpad, query) &&
      rec_query_parse_written (query, &written, &location)) {
    GST_OBJECT_LOCK (self);
    self->written_known = TRUE;
    self->last.bytes_written = written.bytes_written;
    self->last.bytes_durable = written.bytes_durable;
    if (location && !self->derived_id)
      self->derived_id = id_from_location (location);
    GST_OBJECT_UNLOCK (self);
  }
  g_free (location);
  gst_query_unref (query);
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
  if (!encoder && g_strcmp0 (self->encoder_missed, name) != 0) {
    g_free (self->encoder_missed);
    self->encoder_missed = g_strdup (name);
    GST_ELEMENT_WARNING (self, RESOURCE, NOT_FOUND,
        ("No element named \"%s\" in this pipeline, so the zero packet streak "
         "counts ticks without a packet. Set encoder= to the name of the "
         "encoder, or unset it to have it found.",
            name),
        (NULL));
  }
  return encoder;
}

/* Follows the encoder as it comes, goes or is swapped. */
static void
watch_encoder (GstRecMonitor *self)
{
  GstElement *encoder;
  gchar *name;

  GST_OBJECT_LOCK (self);
  name = g_strdup (self->encoder);
  GST_OBJECT_UNLOCK (self);
  encoder = name ? find_named_encoder (self, name)
                 : rec_upstream_find_encoder (self->sinkpad);
  rec_entry_watch_set (self->encoder_watch, encoder);
  GST_OBJECT_LOCK (self);
  self->streak_by_frames = encoder != NULL;
  GST_OBJECT_UNLOCK (self);
  gst_clear_object (&encoder);
  g_free (name);
}

/* Running time, standing still in PAUSED. */
static GstClockTime
get_running_time (GstRecMonitor *self)
{
  GstClockTime time;

  GST_OBJECT_LOCK (self);
  time = self->paused_running_time;
  GST_OBJECT_UNLOCK (self);
  if (GST_STATE (self) == GST_STATE_PLAYING)
    time = gst_element_get_current_running_time (GST_ELEMENT (self));
  return time;
}

static void
check (GstRecMonitor *self, GstClockTime now)
{
  FlowTicks ticks;

  watch_encoder (self);
  ask_written (self);
  GST_OBJECT_LOCK (self);
  ticks = self->ticks;
  flow_ticks_look (&ticks, self->flow, now);
  self->ticks = ticks;
  self->last.idle_time = now - ticks.since;
  GST_OBJECT_UNLOCK (self);
}

static void
sample_memory (GstRecMonitor *self)
{
  ProcMem mem;
  int err = procmem_sample (PROCMEM_SELF, &mem);

  if (err < 0) {
    GST_DEBUG_OBJECT (
        self, "no memory figures from " PROCMEM_SELF ": %s", g_strerror (-err));
    return;
  }
  GST_OBJECT_LOCK (self);
  self->last.memory_rss = mem.rss;
  self->last.memory_rss_peak = MAX (mem.rss_peak, mem.rss);
  GST_OBJECT_UNLOCK (self);
}

/* What passed per second since this duty was last done. */
static void
measure_rates (GstRecMonitor *self, Duty *duty, GstClockTime now,
    gdouble *packet_rate, guint64 *bitrate)
{
  guint64 packets = flow_count_get_packets (self->flow);
  guint64 bytes = flow_count_get_bytes (self->flow);
  GstClockTime span = MAX (now - duty->last, 1);

  *packet_rate = (gdouble)(packets - duty->packets) * GST_SECOND / span;
  *bitrate = gst_util_uint64_scale (bytes - duty->bytes, 8 * GST_SECOND, span);
  duty->last = now;
  duty->packets = packets;
  duty->bytes = bytes;
}

static void
post_stats (GstRecMonitor *self, GstClockTime now)
{
  GstClockTime running_time = get_running_time (self);
  gdouble packet_rate;
  guint64 bitrate;

  sample_memory (self);
  measure_rates (self, &self->stats_duty, now, &packet_rate, &bitrate);
  GST_OBJECT_LOCK (self);
  self->last.packet_rate = packet_rate;
  self->last.bitrate = bitrate;
  self->last.running_time = running_time;
  GST_OBJECT_UNLOCK (self);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self),
          rec_monitor_build_stats (self, "recmonitor-stats")));
}

static void
print_report (GstRecMonitor *self, GstClockTime now)
{
  RecMonitorStats stats;
  gchar *id, *stage, *line;
  gdouble packet_rate;
  guint64 bitrate;
  gboolean written;

  sample_memory (self);
  measure_rates (self, &self->report_duty, now, &packet_rate, &bitrate);
  take_stats (self, &stats, &id, &stage);
  GST_OBJECT_LOCK (self);
  written = self->written_known;
  GST_OBJECT_UNLOCK (self);
  stats.packet_rate = packet_rate;
  stats.bitrate = bitrate;
  line = rec_report_line (&stats, now - self->started, written, NULL);
  fprintf (stderr, "%s\n", line);
  g_free (line);
  g_free (id);
  g_free (stage);
}

/* Whether a duty with this period is to be done now; the earliest time at which
 * it is due again goes into *next. What was missed is skipped. */
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

static GstClockTime
on_timer (GstClockTime now, gpointer user_data)
{
  GstRecMonitor *self = user_data;
  GstClockTime next = GST_CLOCK_TIME_NONE;
  GstClockTime interval;
  gboolean report;

  GST_OBJECT_LOCK (self);
  interval = self->interval;
  report = self->report;
  GST_OBJECT_UNLOCK (self);

  if (duty_is_due (&self->check_duty, CHECK_TICK, now, &next))
    check (self, now);
  if (duty_is_due (&self->stats_duty, interval, now, &next))
    post_stats (self, now);
  if (duty_is_due (&self->report_duty, REPORT_PERIOD, now, &next) && report)
    print_report (self, now);
  return next;
}

void
rec_monitor_timer_start (GstRecMonitor *self)
{
  GstClock *clock;
  GstClockTime now, first;
  Duty duty = { 0 };

  GST_OBJECT_LOCK (self);
  clock = self->clock ? gst_object_ref (self->clock) : NULL;
  first = MIN (self->interval, CHECK_TICK);
  GST_OBJECT_UNLOCK (self);
  if (!clock)
    clock = gst_system_clock_obtain ();
  now = gst_clock_get_time (clock);
  flow_count_reset (self->flow);
  duty.base = duty.last = self->started = now;
  self->check_duty = self->stats_duty = self->report_duty = duty;
  self->encoder_watch = rec_entry_watch_new (self->flow);
  GST_OBJECT_LOCK (self);
  memset (&self->last, 0, sizeof self->last);
  self->last.running_time = GST_CLOCK_TIME_NONE;
  self->written_known = FALSE;
  self->paused_running_time = GST_CLOCK_TIME_NONE;
  g_clear_pointer (&self->derived_id, g_free);
  flow_ticks_init (&self->ticks, self->flow, now);
  GST_OBJECT_UNLOCK (self);
  /* Before the first frame can enter the encoder. */
  watch_encoder (self);
  self->timer = rec_timer_start (clock, now + first, on_timer, self);
  gst_object_unref (clock);
}

void
rec_monitor_timer_stop (GstRecMonitor *self)
{
  rec_timer_stop (self->timer);
  self->timer = NULL;
  g_clear_pointer (&self->encoder_watch, rec_entry_watch_free);
  g_clear_pointer (&self->encoder_missed, g_free);
}
