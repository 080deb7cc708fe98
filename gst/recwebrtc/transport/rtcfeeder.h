/* gst-tsrec: threads that pass on what has arrived
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A few threads for all sessions of the process. A task is run by one thread
 * at a time. As long as tasks are quick, there are as many threads as cores;
 * when one blocks, for example in a write to a slow disk, others are started so
 * that no other task waits for it. Idle threads end. Any thread.
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
/* Runs the task soon, once more when it is running. Also looks whether tasks
 * wait for too long. */
void rtc_feeder_push (RtcFeederTask *task);
/* Waits until the task is not running, and frees it. NULL is allowed. Not from
 * inside of the task. */
void rtc_feeder_remove (RtcFeederTask *task);
/* Threads there are now. */
guint rtc_feeder_count_threads (void);

G_END_DECLS
