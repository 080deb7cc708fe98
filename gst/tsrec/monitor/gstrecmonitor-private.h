/* gst-tsrec: the private contract between the files of recmonitor
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each file uses only the files above it:
 *   gstrecmonitor-sample.c      the current state: counters, queries, encoder
 *   gstrecmonitor-properties.c  properties
 *   gstrecmonitor-alerts.c      rules, and the message for a change
 *   gstrecmonitor-metrics.c     metrics of this monitor
 *   gstrecmonitor-timer.c       periodic tasks
 *   gstrecmonitor.c             element, pads, states
 */

#pragma once

#include "gstrecmonitor.h"

#include "recalertrules.h"
#include "recalerttext.h"
#include "recflowcounters.h"
#include "recinputcounter.h"
#include "recmessage.h"
#include "recmetrics.h"
#include "recmetricsserver.h"
#include "recrtpseq.h"
#include "recstagetracker.h"
#include "recsynclag.h"
#include "rectimer.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_rec_monitor_debug);

/* Values of the properties (protected by the object lock). */
typedef struct
{
  GstClockTime interval;
  gchar *stage;
  gchar *recording_id;
  gchar *encoder;
  gboolean report;
  GstClockTime report_interval;
  GstClock *clock;
  RecAlertLimits limits;
  GstRecMonitorOnAlert on_alert;
  gchar *metrics_file;
  gchar *metrics_host;
  guint metrics_port;
} GstRecMonitorSettings;

/**
 * GstRecMonitorKnown:
 * @derived_id: name from the location of the sink, NULL before it is known
 * @sink_id: property `recording-id` of the sink, NULL if it is not set
 * @streak_by_frames: the streak counts frames of an encoder, not checks
 * @ticks: idle checks
 * @stats: statistics; their strings are NULL
 * @written_known: @written is valid, because a sink answered
 * @written: last answer of the sink
 * @source_known: @source is valid, because a source answered
 * @source: last answer of the source
 * @durable_lag: age of the oldest byte that is not durable, ns
 * @report: report for other monitors
 * @paused_running_time: running time of the last pause, ns
 *
 * Result of the last sample (protected by the object lock).
 */
typedef struct
{
  gchar *sink_id;
  gchar *derived_id;
  gboolean streak_by_frames;
  RecIdleTicks ticks;
  RecMonitorStats stats;
  gboolean written_known;
  RecWritten written;
  gboolean source_known;
  RecSource source;
  GstClockTime durable_lag;
  RecMonitorReport report;
  GstClockTime paused_running_time;
} GstRecMonitorKnown;

/**
 * RecMonitorTask:
 * @base: time at which the task was last due, ns
 * @last: time at which it was last run, ns
 * @packets: packets that had passed at @last
 * @bytes: bytes that had passed at @last
 *
 * State of one periodic task of the timer.
 */
typedef struct
{
  GstClockTime base;
  GstClockTime last;
  guint64 packets;
  guint64 bytes;
} RecMonitorTask;

/**
 * GstRecMonitorTimer:
 * @timer: the thread, NULL while it does not run
 * @started: time of the start, ns
 * @check: checks, every 100 ms
 * @second: metrics, every second
 * @stats: statistics message, every `interval`
 * @report: status line, every `report-interval`
 * @waiting_reported: a status line has reported that the source waits
 * @encoder_watch: counter of the frames that enter the encoder
 * @missing_encoder: name that the last warning was about, or NULL
 * @stages: neighbours along the pads
 * @lag: age of the data that is not durable
 * @rules: state of the rules
 * @where: first stalled stage for each rule, static string
 * @since: begin of the condition for each rule, µs since 1970
 * @raised_count: number of times that each rule was raised
 * @lowest_streak: lowest streak since @second last ran
 * @metrics: entry in the registry
 * @metrics_server: HTTP server, or NULL
 * @metrics_file_failed: a warning has reported that the file cannot be written
 * @outbox: messages to be posted at the end of the callback
 *
 * Belongs to the timer thread, or to the state change while no timer runs.
 */
typedef struct
{
  RecTimer *timer;
  GstClockTime started;
  RecMonitorTask check, second, stats, report;
  gboolean waiting_reported;
  RecInputCounter *encoder_watch;
  gchar *missing_encoder;
  RecStageTracker *stages;
  RecSyncLag lag;

  RecAlertRules rules;
  const gchar *where[REC_ALERT_N_RULES];
  gint64 since[REC_ALERT_N_RULES];
  guint64 raised_count[REC_ALERT_N_RULES];

  guint64 lowest_streak;
  RecMetricsEntry *metrics;
  RecMetricsServer *metrics_server;
  gboolean metrics_file_failed;

  GQueue outbox;
} GstRecMonitorTimer;

/**
 * GstRecMonitor:
 * @flow: counters of packets and bytes
 * @rtp: sequence numbers of RTP packets; streaming thread
 * @is_rtp: atomic; the caps are application/x-rtp
 * @ended: atomic; EOS has passed
 * @reset: atomic; the signal `reset` was emitted and the timer has not handled
 *   it yet
 */
struct _GstRecMonitor
{
  GstElement parent;

  GstPad *sinkpad;
  GstPad *srcpad;

  RecFlowCounters *flow;
  RecRtpSeq rtp;
  gint is_rtp;
  gint ended;
  gint reset;

  GstRecMonitorSettings settings;
  GstRecMonitorKnown known;
  GstRecMonitorTimer t;
};

/* --- gstrecmonitor-sample.c --- */

/* Returns the current statistics in @stats. The caller frees @id and @stage,
 * which @stats refers to. Any thread. */
void gst_rec_monitor_take_stats (
    GstRecMonitor *self, RecMonitorStats *stats, gchar **id, gchar **stage);
/* Returns the current statistics as a structure with the name @name. Any
 * thread. */
GstStructure *gst_rec_monitor_build_stats (
    GstRecMonitor *self, const gchar *name);
/* Returns the property `zero-packet-streak`. Any thread. */
guint64 gst_rec_monitor_get_streak (GstRecMonitor *self);
/* Returns the report for another monitor. Any thread. */
void gst_rec_monitor_get_report (GstRecMonitor *self, RecMonitorReport *report);

/* The functions below run on the timer. */

/* Looks for the encoder, the source and other monitors before the first
 * buffer. */
void gst_rec_monitor_sample_first (GstRecMonitor *self, GstClockTime now);
/* Queries the encoder, the sink and the source. */
void gst_rec_monitor_sample_neighbours (GstRecMonitor *self, GstClockTime now);
/* Updates the streak, the idle time and the report for other monitors. */
void gst_rec_monitor_sample_flow (GstRecMonitor *self, GstClockTime now);
/* Updates the memory usage. */
void gst_rec_monitor_sample_memory (GstRecMonitor *self);
/* Returns the running time, which does not advance in PAUSED, ns. */
GstClockTime gst_rec_monitor_get_running_time (GstRecMonitor *self);
/* Queues a warning message. */
void gst_rec_monitor_queue_warning (GstRecMonitor *self, const GError *error);

/* --- gstrecmonitor-properties.c --- */

void gst_rec_monitor_install_properties (GObjectClass *gobject_class);
void gst_rec_monitor_init_settings (GstRecMonitorSettings *settings);
void gst_rec_monitor_clear_settings (GstRecMonitorSettings *settings);

/* --- gstrecmonitor-alerts.c, on the timer --- */

/* Applies all rules and queues a message for each change. @running FALSE clears
 * all rules. */
void gst_rec_monitor_check_rules (
    GstRecMonitor *self, GstClockTime now, gboolean running);
/* Returns the names of the raised rules for the status line, "" if no rule is
 * raised. The caller frees it. */
gchar *gst_rec_monitor_list_raised (GstRecMonitor *self);

/* --- gstrecmonitor-metrics.c, on the timer --- */

/* Registers the monitor and starts the HTTP server if `metrics-port` is set. */
void gst_rec_monitor_start_metrics (GstRecMonitor *self);
/* Copies the current state into the registry. */
void gst_rec_monitor_update_metrics (GstRecMonitor *self, GstClockTime now);
/* Writes the file `metrics-file`, if it is set. */
void gst_rec_monitor_write_metrics (GstRecMonitor *self);
/* Writes the last values and leaves the registry. */
void gst_rec_monitor_stop_metrics (GstRecMonitor *self);

/* --- gstrecmonitor-timer.c --- */

/* Start and stop in READY to PAUSED and back. No lock may be held. */
void gst_rec_monitor_timer_start (GstRecMonitor *self);
void gst_rec_monitor_timer_stop (GstRecMonitor *self);

G_END_DECLS
