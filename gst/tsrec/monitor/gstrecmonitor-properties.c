/* gst-tsrec: recmonitor, its properties
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecmonitor-private.h"

#define MIN_INTERVAL (10 * GST_MSECOND)
#define MUTABLE                                                                \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)
#define MUTABLE_READY                                                          \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define READONLY (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

/* Those before PROP_STAGE are all guint64. */
enum
{
  PROP_0,
  PROP_INTERVAL,
  PROP_MAX_ZERO_PACKET_STREAK,
  PROP_MAX_MEMORY,
  PROP_FIRST_BYTE_TIMEOUT,
  PROP_WRITE_TIMEOUT,
  PROP_NO_PACKETS_TIMEOUT,
  PROP_STAGE,
  PROP_RECORDING_ID,
  PROP_ENCODER,
  PROP_REPORT,
  PROP_REPORT_INTERVAL,
  PROP_CLOCK,
  PROP_ON_ALERT,
  PROP_METRICS_FILE,
  PROP_METRICS_HOST,
  PROP_METRICS_PORT,
  PROP_ZERO_PACKET_STREAK,
  PROP_STATS,
  PROP_METRICS,
};

void
gst_rec_monitor_init_settings (GstRecMonitorSettings *settings)
{
  settings->interval = settings->report_interval = GST_SECOND;
  settings->limits.max_streak = 10;
  settings->limits.max_memory = 500 * 1000 * 1000;
  settings->limits.first_byte_timeout = 10 * GST_SECOND;
  settings->limits.write_timeout = 5 * GST_SECOND;
  settings->limits.no_packets_timeout = GST_SECOND;
  settings->metrics_host = g_strdup ("127.0.0.1");
}

void
gst_rec_monitor_clear_settings (GstRecMonitorSettings *settings)
{
  g_free (settings->stage);
  g_free (settings->recording_id);
  g_free (settings->encoder);
  g_free (settings->metrics_file);
  g_free (settings->metrics_host);
  gst_clear_object (&settings->clock);
}

static guint64 *
get_uint64_setting (GstRecMonitorSettings *settings, guint prop_id)
{
  switch (prop_id) {
    case PROP_INTERVAL:
      return &settings->interval;
    case PROP_MAX_ZERO_PACKET_STREAK:
      return &settings->limits.max_streak;
    case PROP_MAX_MEMORY:
      return &settings->limits.max_memory;
    case PROP_FIRST_BYTE_TIMEOUT:
      return &settings->limits.first_byte_timeout;
    case PROP_WRITE_TIMEOUT:
      return &settings->limits.write_timeout;
    case PROP_NO_PACKETS_TIMEOUT:
      return &settings->limits.no_packets_timeout;
    default:
      return NULL;
  }
}

static gchar **
get_string_setting (GstRecMonitorSettings *settings, guint prop_id)
{
  switch (prop_id) {
    case PROP_STAGE:
      return &settings->stage;
    case PROP_RECORDING_ID:
      return &settings->recording_id;
    case PROP_ENCODER:
      return &settings->encoder;
    case PROP_METRICS_FILE:
      return &settings->metrics_file;
    case PROP_METRICS_HOST:
      return &settings->metrics_host;
    default:
      return NULL;
  }
}

static void
gst_rec_monitor_set_property (
    GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  GstRecMonitor *self = GST_REC_MONITOR (object);
  GstRecMonitorSettings *settings = &self->settings;
  gchar **string = get_string_setting (settings, prop_id);
  guint64 *integer = get_uint64_setting (settings, prop_id);

  GST_OBJECT_LOCK (self);
  if (integer) {
    *integer = g_value_get_uint64 (value);
  } else if (string) {
    g_free (*string);
    *string = g_value_dup_string (value);
  } else {
    switch (prop_id) {
      case PROP_REPORT:
        settings->report = g_value_get_boolean (value);
        break;
      case PROP_REPORT_INTERVAL:
        settings->report_interval = g_value_get_uint64 (value);
        break;
      case PROP_CLOCK:
        gst_object_replace (
            (GstObject **)&settings->clock, g_value_get_object (value));
        break;
      case PROP_ON_ALERT:
        settings->on_alert = g_value_get_enum (value);
        break;
      case PROP_METRICS_PORT:
        settings->metrics_port = g_value_get_uint (value);
        break;
      default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
        break;
    }
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_rec_monitor_get_property (
    GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  GstRecMonitor *self = GST_REC_MONITOR (object);
  GstRecMonitorSettings *settings = &self->settings;
  gchar **string = get_string_setting (settings, prop_id);
  guint64 *integer = get_uint64_setting (settings, prop_id);

  /* These two take the lock themselves. */
  if (prop_id == PROP_ZERO_PACKET_STREAK) {
    g_value_set_uint64 (value, gst_rec_monitor_get_streak (self));
    return;
  }
  if (prop_id == PROP_STATS) {
    g_value_take_boxed (value,
        gst_rec_monitor_build_stats (self, "application/x-recmonitor-stats"));
    return;
  }
  if (prop_id == PROP_METRICS) {
    g_value_take_string (value, rec_metrics_render (REC_METRICS_TEXT));
    return;
  }
  GST_OBJECT_LOCK (self);
  if (integer) {
    g_value_set_uint64 (value, *integer);
  } else if (string) {
    g_value_set_string (value, *string);
  } else {
    switch (prop_id) {
      case PROP_REPORT:
        g_value_set_boolean (value, settings->report);
        break;
      case PROP_REPORT_INTERVAL:
        g_value_set_uint64 (value, settings->report_interval);
        break;
      case PROP_CLOCK:
        g_value_set_object (value, settings->clock);
        break;
      case PROP_ON_ALERT:
        g_value_set_enum (value, settings->on_alert);
        break;
      case PROP_METRICS_PORT:
        g_value_set_uint (value, settings->metrics_port);
        break;
      default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
        break;
    }
  }
  GST_OBJECT_UNLOCK (self);
}

static void
install_uint64 (GObjectClass *gobject_class, guint prop_id, const gchar *name,
    const gchar *nick, const gchar *blurb, guint64 def)
{
  g_object_class_install_property (gobject_class, prop_id,
      g_param_spec_uint64 (name, nick, blurb, 0, G_MAXUINT64, def, MUTABLE));
}

/* Properties for reports: contents and labels. */
static void
install_reporting (GObjectClass *gobject_class)
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
          3600 * GST_SECOND, GST_SECOND, MUTABLE));
  /**
   * GstRecMonitor:stage:
   *
   * Name of the place of this monitor in the pipeline, in messages, alerts and
   * metrics. Default: %NULL, the name of the element.
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
   * takes the `recording-id` of the sink downstream, else the name in its
   * location without directory, suffix and conversions, and without a sink that
   * of the pipeline.
   */
  g_object_class_install_property (gobject_class, PROP_RECORDING_ID,
      g_param_spec_string ("recording-id", "Recording ID",
          "Names the recording in messages and metrics (NULL: as the sink, "
          "else "
          "the name of the file that it writes, else of the pipeline)",
          NULL, MUTABLE));
  /**
   * GstRecMonitor:encoder:
   *
   * Name of the element whose incoming buffers the zero packet streak counts.
   * Default: %NULL, the nearest video encoder upstream (any encoder when
   * there is none for video), found by its klass. It is followed when it is
   * swapped while the pipeline runs.
   */
  g_object_class_install_property (gobject_class, PROP_ENCODER,
      g_param_spec_string ("encoder", "Encoder",
          "Name of the encoder whose incoming frames are counted "
          "(NULL: the nearest one upstream)",
          NULL, MUTABLE));
  /**
   * GstRecMonitor:report:
   *
   * Whether to print one line every #GstRecMonitor:report-interval to stderr:
   * date, elapsed time, size, bit rate, packets a second, zero packet streak,
   * resident memory, what the disk did not take, and what rules are raised.
   * While the source waits for a publisher there is one line in all. Default:
   * %FALSE.
   */
  g_object_class_install_property (gobject_class, PROP_REPORT,
      g_param_spec_boolean ("report", "Report",
          "Print one readable line every report-interval to stderr", FALSE,
          MUTABLE));
  /**
   * GstRecMonitor:report-interval:
   *
   * Time between two lines of #GstRecMonitor:report, ns. Range: 100 ms and
   * more. Default: 1000000000 (1 s).
   */
  g_object_class_install_property (gobject_class, PROP_REPORT_INTERVAL,
      g_param_spec_uint64 ("report-interval", "Report interval",
          "Time between two lines of report, ns", 100 * GST_MSECOND,
          G_MAXUINT64, GST_SECOND, MUTABLE));
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
          GST_TYPE_CLOCK, MUTABLE_READY));
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
          0, G_MAXUINT64, 0, READONLY));
  /**
   * GstRecMonitor:stats:
   *
   * The current statistics, as a structure `application/x-recmonitor-stats` with
   * the fields of the message `recmonitor-stats`. Counters and the streak are
   * live; sampled values are from the last check or message.
   */
  g_object_class_install_property (gobject_class, PROP_STATS,
      g_param_spec_boxed ("stats", "Stats",
          "What passed, what was written, and how long nothing came",
          GST_TYPE_STRUCTURE, READONLY));
  /**
   * GstRecMonitor:metrics:
   *
   * The metrics of all monitors of the process, in Prometheus' text format
   * 0.0.4, for an application that has an HTTP server of its own. Can be read
   * in any state and from any thread; "" when no monitor has run yet.
   */
  g_object_class_install_property (gobject_class, PROP_METRICS,
      g_param_spec_string ("metrics", "Metrics",
          "Metrics of all monitors of the process, in Prometheus' text format",
          NULL, READONLY));
}

/* Properties for alerts: limits and reaction. */
static void
install_rules (GObjectClass *gobject_class)
{
  GstRecMonitorSettings def = { 0 };

  gst_rec_monitor_init_settings (&def);
  /**
   * GstRecMonitor:max-zero-packet-streak:
   *
   * The rule `zero-packet-streak` is raised when
   * #GstRecMonitor:zero-packet-streak is above this many frames, or checks of
   * 100 ms. Default: 10; 0: off. An encoder that looks ahead gives nothing for
   * its first frames: allow for them here.
   */
  install_uint64 (gobject_class, PROP_MAX_ZERO_PACKET_STREAK,
      "max-zero-packet-streak", "Maximum zero packet streak",
      "Raise an alert above this zero packet streak (frames, or checks of "
      "100 ms; 0: never)",
      def.limits.max_streak);
  /**
   * GstRecMonitor:max-memory:
   *
   * The rule `memory` is raised when the process holds more resident memory
   * than this, in bytes. Default: 500 MB (500000000); 0: off.
   */
  install_uint64 (gobject_class, PROP_MAX_MEMORY, "max-memory",
      "Maximum memory",
      "Raise an alert above this much resident memory (bytes; 0: never)",
      def.limits.max_memory);
  /**
   * GstRecMonitor:first-byte-timeout:
   *
   * The rule `no-bytes-written` is raised when the sink has written nothing
   * this long after the start, in nanoseconds. Default: 10 s; 0: off. Applies
   * when a sink downstream tells what it writes, which recfilesink does.
   */
  install_uint64 (gobject_class, PROP_FIRST_BYTE_TIMEOUT, "first-byte-timeout",
      "First byte timeout",
      "Raise an alert when nothing is written this long after start (ns; "
      "0: never)",
      def.limits.first_byte_timeout);
  /**
   * GstRecMonitor:write-timeout:
   *
   * The rule `no-bytes-written` is raised when the sink, having written
   * before, writes nothing for this long, in nanoseconds. Default: 5 s; 0: off.
   */
  install_uint64 (gobject_class, PROP_WRITE_TIMEOUT, "write-timeout",
      "Write timeout",
      "Raise an alert when nothing more is written for this long (ns; "
      "0: never)",
      def.limits.write_timeout);
  /**
   * GstRecMonitor:no-packets-timeout:
   *
   * The rule `no-packets` is raised when no packet reaches the monitor for
   * this long, in nanoseconds, also when none ever did. Default: 1 s; 0: off.
   */
  install_uint64 (gobject_class, PROP_NO_PACKETS_TIMEOUT, "no-packets-timeout",
      "No packets timeout",
      "Raise an alert when no packet comes for this long (ns; 0: never)",
      def.limits.no_packets_timeout);
  /**
   * GstRecMonitor:on-alert:
   *
   * Messages for a raised alert in addition to `recmonitor-alert`. Default:
   * %GST_REC_MONITOR_ON_ALERT_MESSAGE, none.
   */
  g_object_class_install_property (gobject_class, PROP_ON_ALERT,
      g_param_spec_enum ("on-alert", "On alert",
          "What a raised alert posts besides its element message",
          gst_rec_monitor_on_alert_get_type (),
          GST_REC_MONITOR_ON_ALERT_MESSAGE, MUTABLE));
  gst_rec_monitor_clear_settings (&def);
}

static void
install_metrics (GObjectClass *gobject_class)
{
  /**
   * GstRecMonitor:metrics-file:
   *
   * File that is replaced each second by the metrics of all monitors of the
   * process, for the textfile collector of node_exporter. When monitors share
   * a path one of them writes it. It stays when the recording has ended, with
   * `recording_running` 0. Default: %NULL, none.
   */
  g_object_class_install_property (gobject_class, PROP_METRICS_FILE,
      g_param_spec_string ("metrics-file", "Metrics file",
          "Write the metrics of all monitors of the process to this file once "
          "a second (NULL: do not)",
          NULL, MUTABLE_READY));
  /**
   * GstRecMonitor:metrics-host:
   *
   * IP address at which #GstRecMonitor:metrics-port listens. Default:
   * 127.0.0.1, this machine only. There is neither encryption nor a password:
   * open it to a network that you trust.
   */
  g_object_class_install_property (gobject_class, PROP_METRICS_HOST,
      g_param_spec_string ("metrics-host", "Metrics host",
          "IP address at which metrics-port listens", "127.0.0.1",
          MUTABLE_READY));
  /**
   * GstRecMonitor:metrics-port:
   *
   * TCP port at which `/metrics` serves the metrics of all monitors of the
   * process while this monitor is in PAUSED or PLAYING. Monitors may share a
   * port. Default: 0, none. Needs a build with libsoup-3.0 (Meson option
   * `metrics`); otherwise, and if the port is in use, it
   * posts a warning.
   */
  g_object_class_install_property (gobject_class, PROP_METRICS_PORT,
      g_param_spec_uint ("metrics-port", "Metrics port",
#if HAVE_METRICS
          "Serve the metrics of all monitors of the process at this TCP port, "
          "path /metrics (0: do not)",
#else
          "Serve metrics over HTTP at this TCP port: NOT IN THIS BUILD, which "
          "lacked libsoup-3.0 (Debian package libsoup-3.0-dev)",
#endif
          0, 65535, 0, MUTABLE_READY));
}

void
gst_rec_monitor_install_properties (GObjectClass *gobject_class)
{
  gobject_class->set_property = gst_rec_monitor_set_property;
  gobject_class->get_property = gst_rec_monitor_get_property;
  install_reporting (gobject_class);
  install_rules (gobject_class);
  install_metrics (gobject_class);
}
