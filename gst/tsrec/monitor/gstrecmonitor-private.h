/* gst-tsrec: what the files of recmonitor share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gstrecmonitor.c is the object and its pads, gstrecmonitor-properties.c its
 * properties, gstrecmonitor-timer.c everything that happens on its timer, and
 * gstrecmonitor-alerts.c what that says when a rule is raised or cleared.
 */

#pragma once

#include "gstrecmonitor.h"

#include "recsynclag.h"
#include "recflowcounters.h"
#include "recalertrules.h"
#include "recalerttext.h"
#include "recmessage.h"
#include "recmetrics.h"
#include "recmetricsserver.h"
#include "recstagetracker.h"
#include "rectimer.h"
#include "recinputcounter.h"
#include "recrtpseq.h"

G_BEGIN_DECLS

/* Properties; under the object lock. */
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

/* What the timer found out last; under the object lock. */
typedef struct
{
  gchar *derived_id;
  gboolean streak_by_frames;
  RecIdleTicks ticks;
  RecMonitorStats stats; /* without the strings */
  gboolean written_known;
  RecWritten written;
  gboolean source_known;
  RecSource source;
  GstClockTime durable_lag;
  RecMonitorReport report; /* for other monitors */
  GstClockTime paused_running_time;
} GstRecMonitorKnown;

/* The state of one periodic duty of the timer. */
typedef struct
{
  GstClockTime base; /* when it was last due */
  GstClockTime last; /* when it was last done */
  guint64 packets;   /* at that time */
  guint64 bytes;
} Duty;

/* Of the timer thread, or of the state change while there is none. */
typedef struct
{
  RecTimer *timer;
  GstClockTime started;
  Duty check, second, stats, report;
  gboolean said_waiting; /* the line that says so has been printed */
  RecInputCounter *encoder_watch;
  gchar *encoder_missed; /* name already complained about */
  RecStageTracker *stages;
  RecSyncLag lag;

  RecAlertRules rules;
  const gchar *where[REC_ALERT_N_RULES]; /* static */
  gint64 since[REC_ALERT_N_RULES];       /* µs since 1970 */
  guint64 raised_count[REC_ALERT_N_RULES];

  guint64 lowest_streak; /* since the last second */
  RecMetricsEntry *metrics;
  RecMetricsServer *metrics_server;
  gboolean metrics_file_failed; /* and said so */

  GQueue outbox; /* messages, posted when nothing else is left to do */
} GstRecMonitorTimer;

struct _GstRecMonitor
{
  GstElement parent;

  GstPad *sinkpad;
  GstPad *srcpad;

  /* What a buffer touches. */
  RecFlowCounters *flow;
  RecRtpSeq rtp;
  gint is_rtp; /* atomic; set by the CAPS event */

  gint ended; /* atomic; EOS passed */
  gint reset; /* atomic; asked for, not done yet */

  GstRecMonitorSettings settings;
  GstRecMonitorKnown known;
  GstRecMonitorTimer t;
};

/* --- gstrecmonitor-properties.c ------------------------------------------------ */

void gst_rec_monitor_install_properties (GObjectClass *gobject_class);
void gst_rec_monitor_init_settings (GstRecMonitorSettings *settings);
void gst_rec_monitor_clear_settings (GstRecMonitorSettings *settings);

/* --- gstrecmonitor-timer.c ------------------------------------------------ */

/* READY to PAUSED and back. Neither is called under a lock. */
void gst_rec_monitor_timer_start (GstRecMonitor *self);
void gst_rec_monitor_timer_stop (GstRecMonitor *self);

/* What is known now; the caller frees the two strings that @stats points to.
 * Any thread; asks nobody, changes nothing. */
void gst_rec_monitor_take_stats (
    GstRecMonitor *self, RecMonitorStats *stats, gchar **id, gchar **stage);
GstStructure *gst_rec_monitor_build_stats (
    GstRecMonitor *self, const gchar *name);
guint64 gst_rec_monitor_get_streak (GstRecMonitor *self);
/* For a monitor that asks; any thread. */
void gst_rec_monitor_get_report (GstRecMonitor *self, RecMonitorReport *report);

/* --- gstrecmonitor-alerts.c; on the timer --------------------------------- */

/* One look at all rules; what changed goes into the outbox. @running FALSE
 * clears them. */
void gst_rec_monitor_check_rules (
    GstRecMonitor *self, GstClockTime now, gboolean running);
/* Names of the raised rules for the report, "" when there are none. */
gchar *gst_rec_monitor_list_raised (GstRecMonitor *self);
/* Brings the metrics up to date. */
void gst_rec_monitor_update_metrics (GstRecMonitor *self, GstClockTime now);

G_END_DECLS
