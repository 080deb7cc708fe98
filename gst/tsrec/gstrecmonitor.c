/* gst-tsrec: recmonitor, says what passes, what stalls, and where
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-recmonitor
 * @title: recmonitor
 * @short_description: says what passes, what stalls, and where
 *
 * Passes everything through and reports by a clock of its own: also when no
 * buffer ever arrives, in PAUSED, and while everything upstream or downstream
 * hangs. Put one before the sink of a recording, and further ones wherever it
 * is worth knowing whether data still flows.
 *
 * Every #recmonitor:interval it posts an element message `recmonitor-stats`
 * with the fields of the #recmonitor:stats property. Messages are posted from
 * the monitor's own thread, never from a streaming thread.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc is-live=true num-buffers=150 ! x264enc
 * tune=zerolatency ! recmonitor report=true ! fakesink
 * ]| Prints one line a second: elapsed time, size, bit rate, packets a second,
 * zero packet streak and resident memory.
 */

#include "config.h"

#include "gstrecmonitorprivate.h"

GST_DEBUG_CATEGORY (rec_monitor_debug);
#define GST_CAT_DEFAULT rec_monitor_debug

#define DEFAULT_INTERVAL GST_SECOND
#define MIN_INTERVAL (10 * GST_MSECOND)
#define MUTABLE                                                                \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

enum
{
  PROP_0,
  PROP_INTERVAL,
  PROP_STAGE,
  PROP_RECORDING_ID,
  PROP_ENCODER,
  PROP_REPORT,
  PROP_CLOCK,
  PROP_ZERO_PACKET_STREAK,
  PROP_STATS,
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

#define gst_rec_monitor_parent_class parent_class
G_DEFINE_TYPE (GstRecMonitor, gst_rec_monitor, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (
    recmonitor, "recmonitor", GST_RANK_NONE, GST_TYPE_REC_MONITOR)

/* --- streaming thread ---------------------------------------------------- */

static GstFlowReturn
gst_rec_monitor_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstRecMonitor *self = (GstRecMonitor *)parent;

  flow_count_packets (self->flow, 1, gst_buffer_get_size (buffer));
  return gst_pad_push (self->srcpad, buffer);
}

static GstFlowReturn
gst_rec_monitor_chain_list (GstPad *pad, GstObject *parent, GstBufferList *list)
{
  GstRecMonitor *self = (GstRecMonitor *)parent;

  flow_count_packets (self->flow, gst_buffer_list_length (list),
      gst_buffer_list_calculate_size (list));
  return gst_pad_push_list (self->srcpad, list);
}

static GstStateChangeReturn
gst_rec_monitor_change_state (GstElement *element, GstStateChange transition)
{
  GstRecMonitor *self = GST_REC_MONITOR (element);
  GstStateChangeReturn ret;
  GstClockTime now;

  switch (transition) {
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      rec_monitor_timer_start (self);
      break;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      now = gst_element_get_current_running_time (element);
      GST_OBJECT_LOCK (self);
      self->paused_running_time = now;
      GST_OBJECT_UNLOCK (self);
      break;
    default:
      break;
  }
  ret = GST_ELEMENT_CLASS (parent_class)->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
          ret == GST_STATE_CHANGE_FAILURE))
    rec_monitor_timer_stop (self);
  return ret;
}

/* --- object -------------------------------------------------------------- */

static void
replace_string (gchar **string, const GValue *value)
{
  g_free (*string);
  *string = g_value_dup_string (value);
}

static void
gst_rec_monitor_set_property (
    GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  GstRecMonitor *self = GST_REC_MONITOR (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_INTERVAL:
      self->interval = g_value_get_uint64 (value);
      break;
    case PROP_STAGE:
      replace_string (&self->stage, value);
      break;
    case PROP_RECORDING_ID:
      replace_string (&self->recording_id, value);
      break;
    case PROP_ENCODER:
      replace_string (&self->encoder, value);
      break;
    case PROP_REPORT:
      self->report = g_value_get_boolean (value);
      break;
    case PROP_CLOCK:
      gst_object_replace (
          (GstObject **)&self->clock, g_value_get_object (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_rec_monitor_get_property (
    GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  GstRecMonitor *self = GST_REC_MONITOR (object);

  if (prop_id == PROP_ZERO_PACKET_STREAK) {
    g_value_set_uint64 (value, rec_monitor_get_streak (self));
    return;
  }
  if (prop_id == PROP_STATS) {
    g_value_take_boxed (value,
        rec_monitor_build_stats (self, "application/x-recmonitor-stats"));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_INTERVAL:
      g_value_set_uint64 (value, self->interval);
      break;
    case PROP_STAGE:
      g_value_set_string (value, self->stage);
      break;
    case PROP_RECORDING_ID:
      g_value_set_string (value, self->recording_id);
      break;
    case PROP_ENCODER:
      g_value_set_string (value, self->encoder);
      break;
    case PROP_REPORT:
      g_value_set_boolean (value, self->report);
      break;
    case PROP_CLOCK:
      g_value_set_object (value, self->clock);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_rec_monitor_finalize (GObject *object)
{
  GstRecMonitor *self = GST_REC_MONITOR (object);

  g_free (self->stage);
  g_free (self->recording_id);
  g_free (self->encoder);
  g_free (self->derived_id);
  gst_clear_object (&self->clock);
  flow_count_unref (self->flow);
  G_OBJECT_CLASS (parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *gobject_class)
{
  /**
   * GstRecMonitor:interval:
   *
   * Time between two `recmonitor-stats` messages, in nanoseconds of the
   * monitor's clock. At least 10 ms, default 1 s. A change counts from the
   * last message on.
   */
  g_object_class_install_property (gobject_class, PROP_INTERVAL,
      g_param_spec_uint64 ("interval", "Interval",
          "Time between two recmonitor-stats messages (ns)", MIN_INTERVAL,
          3600 * GST_SECOND, DEFAULT_INTERVAL, MUTABLE));
  /**
   * GstRecMonitor:stage:
   *
   * Names the place in the pipeline where this monitor stands, in messages,
   * alerts and metrics. Default: %NULL, the name of the element.
   */
  g_object_class_install_property (gobject_class, PROP_STAGE,
      g_param_spec_string ("stage", "Stage",
          "Names the place of this monitor in messages and metrics "
          "(NULL: the name of the element)",
          NULL, MUTABLE));
  /**
   * GstRecMonitor:recording-id:
   *
   * Names the recording, in every message and metric. Default: %NULL, which
   * takes the name of the first file that the sink downstream writes, without
   * directory and suffix, and while no sink answers the name of the pipeline.
   */
  g_object_class_install_property (gobject_class, PROP_RECORDING_ID,
      g_param_spec_string ("recording-id", "Recording ID",
          "Names the recording in messages and metrics (NULL: the name of the "
          "file that the sink writes, else of the pipeline)",
          NULL, MUTABLE));
  /**
   * GstRecMonitor:encoder:
   *
   * Name of the element whose incoming buffers the zero packet streak counts.
   * Default: %NULL, the nearest video encoder upstream (any encoder when
   * there is none for video), found by its klass.
   */
  g_object_class_install_property (gobject_class, PROP_ENCODER,
      g_param_spec_string ("encoder", "Encoder",
          "Name of the encoder whose incoming frames are counted "
          "(NULL: the nearest one upstream)",
          NULL, MUTABLE));
  /**
   * GstRecMonitor:report:
   *
   * Whether to print one line a second to stderr: elapsed time, size, bit
   * rate, packets a second, zero packet streak, resident memory. Default:
   * %FALSE.
   */
  g_object_class_install_property (gobject_class, PROP_REPORT,
      g_param_spec_boolean ("report", "Report",
          "Print one readable line a second to stderr", FALSE, MUTABLE));
  /**
   * GstRecMonitor:clock:
   *
   * The clock that all the monitor's own timing follows; taken when it goes
   * to PAUSED. Default: %NULL, the system's monotonic clock. It is never the
   * clock of the pipeline by itself: that one may stand still together with
   * what is to be watched.
   */
  g_object_class_install_property (gobject_class, PROP_CLOCK,
      g_param_spec_object ("clock", "Clock",
          "Clock that drives the monitor (NULL: the system clock)",
          GST_TYPE_CLOCK,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_READY));
  /**
   * GstRecMonitor:zero-packet-streak:
   *
   * With an encoder upstream: frames in a row that entered it while no packet
   * reached the monitor. Without one: checks in a row (one each 100 ms) that
   * saw no new packet. 0 again with the next packet.
   */
  g_object_class_install_property (gobject_class, PROP_ZERO_PACKET_STREAK,
      g_param_spec_uint64 ("zero-packet-streak", "Zero packet streak",
          "Frames that entered the encoder, or checks of 100 ms, since a "
          "packet came (count)",
          0, G_MAXUINT64, 0, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  /**
   * GstRecMonitor:stats:
   *
   * What is known now, as structure `application/x-recmonitor-stats` with the
   * fields of the message `recmonitor-stats`. Counters and the streak are live;
   * what has to be sampled or asked for is as of the last check or message.
   */
  g_object_class_install_property (gobject_class, PROP_STATS,
      g_param_spec_boxed ("stats", "Stats",
          "What passed, what was written, and how long nothing came",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
gst_rec_monitor_class_init (GstRecMonitorClass *klass)
{
  GObjectClass *gobject_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (rec_monitor_debug, "recmonitor", 0, "recmonitor");
  gobject_class->set_property = gst_rec_monitor_set_property;
  gobject_class->get_property = gst_rec_monitor_get_property;
  gobject_class->finalize = gst_rec_monitor_finalize;
  element_class->change_state = gst_rec_monitor_change_state;
  install_properties (gobject_class);
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
  self->flow = flow_count_new ();
  if (!self->flow)
    g_error ("out of memory");
  self->interval = DEFAULT_INTERVAL;
  self->last.running_time = GST_CLOCK_TIME_NONE;
  self->paused_running_time = GST_CLOCK_TIME_NONE;

  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sinkpad, gst_rec_monitor_chain);
  gst_pad_set_chain_list_function (self->sinkpad, gst_rec_monitor_chain_list);
  GST_PAD_SET_PROXY_CAPS (self->sinkpad);
  GST_PAD_SET_PROXY_ALLOCATION (self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);

  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  GST_PAD_SET_PROXY_CAPS (self->srcpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
}
