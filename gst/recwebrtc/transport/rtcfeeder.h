/* gst-tsrec: threads that pass on what has arrived
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A few threads for all sessions of the process. A task is run by one thread
 * at a time. As long as tasks are quick, one thread runs them all; when they
 * wait for longer than RTC_FEEDER_PATIENCE, because there is much to do or one
 * blocks, for example in a write to a slow disk, another one joins. Idle threads
 * end. Any thread.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* µs that a task waits for a thread before another thread is started. */
#define RTC_FEEDER_PATIENCE (5 * G_TIME_SPAN_MILLISECOND)

typedef struct _RtcFeederTask RtcFeederTask;

/* @func is called on one of the threads. */
RtcFeederTask *rtc_feeder_add (
    void (*func) (gpointer user_data), gpointer user_data);
/* The next rtc_feeder_run() runs the task; once more when it is running. */
void rtc_feeder_queue (RtcFeederTask *task);
/* Runs what is queued: wakes or starts a thread when none is at work, or when
 * tasks wait for too long. One call for many tasks costs one wakeup. */
void rtc_feeder_run (void);
/* Waits until the task is not running, and frees it. NULL is allowed. Not from
 * inside of the task. */
void rtc_feeder_remove (RtcFeederTask *task);
/* Threads there are now. */
guint rtc_feeder_count_threads (void);

G_END_DECLS
