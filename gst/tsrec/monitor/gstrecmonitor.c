/* gst-tsrec: recmonitor, reports the data flow and its stalls
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-recmonitor
 * @title: recmonitor
 * @short_description: reports the data flow, and where it stalls
 *
 * Passes everything through and reports by a clock of its own: also when no
 * buffer ever arrives, in PAUSED, and while everything upstream or downstream
 * hangs. Put one before the sink of a recording, and further ones wherever it
 * is worth knowing whether data still flows: they find each other along the
 * pads, and an alert names the first stage that is dry.
 *
 * Every #GstRecMonitor:interval it posts an element message `recmonitor-stats`
 * with the fields of the #GstRecMonitor:stats property, and once each when a
 * rule is raised or cleared an element message `recmonitor-alert`: with
 * `rule`, `state`, `value`, `threshold`, `where` (network, depayloader,
 * decoder, encoder, mux or disk), `since` (µs since 1970) and `text`. All
 * messages are posted from the monitor's own thread, never from a streaming
 * thread. No rule applies after EOS.
 *
 * On `application/x-rtp` it also counts packets that are lost, late or
 * reordered. It works in push mode.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc is-live=true num-buffers=150 ! \
 *     video/x-raw,format=I420 ! x264enc tune=zerolatency ! recmonitor report=true ! fakesink
 * ]| Prints one line a second: date, elapsed time, size, bit rate, packets a
 * second, zero packet streak and resident memory.
 */

#include "config.h"

#include "gstrecmonitor-private.h"

GST_DEBUG_CATEGORY (gst_rec_monitor_debug);
#define GST_CAT_DEFAULT gst_rec_monitor_debug

enum
{
  SIGNAL_RESET,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

#define gst_rec_monitor_parent_class parent_class
G_DEFINE_TYPE (GstRecMonitor, gst_rec_monitor, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (
    recmonitor, "recmonitor", GST_RANK_NONE, GST_TYPE_REC_MONITOR)

/* --- Streaming thread --- */

static void
count_rtp (GstRecMonitor *self, GstBuffer *buffer)
{
  guint8 header[REC_RTP_SEQ_HEADER_SIZE];

  rec_rtp_seq_push (&self->rtp, header,
      gst_buffer_extract (buffer, 0, header, sizeof header));
}

static gboolean
count_rtp_of_list (GstBuffer **buffer, guint idx, gpointer user_data)
{
  count_rtp (user_data, *buffer);
  return TRUE;
}

static GstFlowReturn
gst_rec_monitor_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstRecMonitor *self = (GstRecMonitor *)parent;
  GstFlowReturn ret;

  rec_flow_counters_set_pushing (self->flow, 1);
  rec_flow_counters_packets (self->flow, 1, gst_buffer_get_size (buffer));
  if (G_UNLIKELY (g_atomic_int_get (&self->is_rtp)))
    count_rtp (self, buffer);
  ret = gst_pad_push (self->srcpad, buffer);
  rec_flow_counters_set_pushing (self->flow, 0);
  return ret;
}

static GstFlowReturn
gst_rec_monitor_chain_list (GstPad *pad, GstObject *parent, GstBufferList *list)
{
  GstRecMonitor *self = (GstRecMonitor *)parent;
  GstFlowReturn ret;

  rec_flow_counters_set_pushing (self->flow, 1);
  rec_flow_counters_packets (self->flow, gst_buffer_list_length (list),
      gst_buffer_list_calculate_size (list));
  if (G_UNLIKELY (g_atomic_int_get (&self->is_rtp)))
    gst_buffer_list_foreach (list, count_rtp_of_list, self);
  ret = gst_pad_push_list (self->srcpad, list);
  rec_flow_counters_set_pushing (self->flow, 0);
  return ret;
}

static gboolean
gst_rec_monitor_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstRecMonitor *self = (GstRecMonitor *)parent;
  GstCaps *caps;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      g_atomic_int_set (&self->is_rtp,
          gst_structure_has_name (
              gst_caps_get_structure (caps, 0), "application/x-rtp"));
      break;
    case GST_EVENT_STREAM_START:
    case GST_EVENT_FLUSH_STOP:
      g_atomic_int_set (&self->ended, FALSE);
      break;
    case GST_EVENT_EOS:
      g_atomic_int_set (&self->ended, TRUE);
      break;
    default:
      break;
  }
  return gst_pad_event_default (pad, parent, event);
}

/* --- Queries; any thread --- */

/* Adds to what another monitor gathers, and passes its query on. */
static gboolean
gst_rec_monitor_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstRecMonitor *self = (GstRecMonitor *)parent;
  RecMonitorReport report;
  guint64 asker;
  gboolean ret;

  if (!rec_query_is_stages (query))
    return gst_pad_query_default (pad, parent, query);
  gst_rec_monitor_get_report (self, &report);
  rec_query_add_stage (query, &report);
  asker = rec_query_get_stages_asker (query);
  rec_query_set_stages_asker (query, report.id);
  ret = gst_pad_query_default (pad, parent, query);
  rec_query_set_stages_asker (query, asker);
  return ret;
}

/* --- States --- */

static GstStateChangeReturn
gst_rec_monitor_change_state (GstElement *element, GstStateChange transition)
{
  GstRecMonitor *self = GST_REC_MONITOR (element);
  GstStateChangeReturn ret;
  GstClockTime now;

  switch (transition) {
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      gst_rec_monitor_timer_start (self);
      break;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      now = gst_element_get_current_running_time (element);
      GST_OBJECT_LOCK (self);
      self->known.paused_running_time = now;
      GST_OBJECT_UNLOCK (self);
      break;
    default:
      break;
  }
  ret = GST_ELEMENT_CLASS (parent_class)->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
          ret == GST_STATE_CHANGE_FAILURE))
    gst_rec_monitor_timer_stop (self);
  return ret;
}

/* --- Object --- */

static void
gst_rec_monitor_reset (GstRecMonitor *self)
{
  rec_flow_counters_reset_streak (self->flow);
  GST_OBJECT_LOCK (self);
  self->known.ticks.streak = 0;
  GST_OBJECT_UNLOCK (self);
  /* the rest belongs to the timer */
  g_atomic_int_set (&self->reset, TRUE);
}

static void
gst_rec_monitor_finalize (GObject *object)
{
  GstRecMonitor *self = GST_REC_MONITOR (object);

  gst_rec_monitor_clear_settings (&self->settings);
  g_free (self->known.sink_id);
  g_free (self->known.derived_id);
  rec_flow_counters_unref (self->flow);
  G_OBJECT_CLASS (parent_class)->finalize (object);
}

static void
gst_rec_monitor_class_init (GstRecMonitorClass *klass)
{
  GObjectClass *gobject_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      gst_rec_monitor_debug, "recmonitor", 0, "recmonitor");
  gobject_class->finalize = gst_rec_monitor_finalize;
  element_class->change_state = gst_rec_monitor_change_state;
  gst_rec_monitor_install_properties (gobject_class);
  /**
   * GstRecMonitor::reset:
   * @monitor: the monitor
   *
   * Resets the zero packet streak to 0 and restarts the timeouts. Raised rules
   * are cleared at the next check, and raised again if their cause persists.
   * Counters of packets and bytes continue. Any thread.
   */
  signals[SIGNAL_RESET] = g_signal_new_class_handler ("reset",
      G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION,
      G_CALLBACK (gst_rec_monitor_reset), NULL, NULL, NULL, G_TYPE_NONE, 0);
  gst_type_mark_as_plugin_api (gst_rec_monitor_on_alert_get_type (), 0);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Recording monitor",
      "Filter/Analyzer",
      "Passes everything through and reports what flows, what stalls and where",
      "The gst-tsrec authors");
}

static void
gst_rec_monitor_init (GstRecMonitor *self)
{
  static gsize last_id = 0;

  self->flow = rec_flow_counters_new ();
  if (!self->flow)
    g_error ("recmonitor: out of memory");
  gst_rec_monitor_init_settings (&self->settings);
  self->known.stats.running_time = GST_CLOCK_TIME_NONE;
  self->known.paused_running_time = GST_CLOCK_TIME_NONE;
  self->known.report.id = g_atomic_pointer_add (&last_id, 1) + 1;

  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sinkpad, gst_rec_monitor_chain);
  gst_pad_set_chain_list_function (self->sinkpad, gst_rec_monitor_chain_list);
  gst_pad_set_event_function (self->sinkpad, gst_rec_monitor_sink_event);
  gst_pad_set_query_function (self->sinkpad, gst_rec_monitor_query);
  GST_PAD_SET_PROXY_CAPS (self->sinkpad);
  GST_PAD_SET_PROXY_ALLOCATION (self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);

  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_query_function (self->srcpad, gst_rec_monitor_query);
  GST_PAD_SET_PROXY_CAPS (self->srcpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
}
