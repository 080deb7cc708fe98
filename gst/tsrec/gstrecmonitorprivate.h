/* gst-tsrec: what the files of recmonitor share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gstrecmonitor.c is the object, its pads and properties;
 * gstrecmonitortimer.c is everything that happens on its timer.
 */

#pragma once

#include "gstrecmonitor.h"

#include "flowcount.h"
#include "recmessage.h"
#include "rectimer.h"
#include "recupstream.h"

G_BEGIN_DECLS

/* The state of one periodic duty of the timer. */
typedef struct
{
  GstClockTime base; /* when it was last due */
  GstClockTime last; /* when it was last done */
  guint64 packets;   /* at that time */
  guint64 bytes;
} Duty;

struct _GstRecMonitor
{
  GstElement parent;

  GstPad *sinkpad;
  GstPad *srcpad;
  FlowCount *flow; /* the only thing that a buffer touches */

  /* Properties; object lock. */
  GstClockTime interval;
  gchar *stage;
  gchar *recording_id;
  gchar *encoder;
  gboolean report;
  GstClock *clock;

  /* What the timer found out last; object lock. */
  gchar *derived_id;
  gboolean streak_by_frames;
  FlowTicks ticks;
  RecMonitorStats last; /* without the strings */
  gboolean written_known;
  GstClockTime paused_running_time;

  /* Of the timer thread, or of the state change while there is none. */
  RecTimer *timer;
  RecEntryWatch *encoder_watch;
  gchar *encoder_missed; /* name already complained about */
  GstClockTime started;
  Duty check_duty;
  Duty stats_duty;
  Duty report_duty;
};

/* Builds what the message and the property both are. Any thread; asks nobody,
 * changes nothing. */
GstStructure *rec_monitor_build_stats (GstRecMonitor *self, const gchar *name);

/* Any thread. */
guint64 rec_monitor_get_streak (GstRecMonitor *self);

/* READY to PAUSED and back. Neither is called under a lock. */
void rec_monitor_timer_start (GstRecMonitor *self);
void rec_monitor_timer_stop (GstRecMonitor *self);

G_END_DECLS
