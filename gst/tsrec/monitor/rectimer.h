/* gst-tsrec: calls a function at given times of any clock, on its own thread
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RecTimer RecTimer;

/* Called at @now, when it is due or soon after. Returns the time of the next call
 * (absolute, of the clock of the timer). A time in the past means at once. */
typedef GstClockTime (*RecTimerFunc) (GstClockTime now, gpointer user_data);

/* Starts a thread that calls @func at @first, and then at the times that it
 * returns. Takes a reference to @clock. Never fails. */
RecTimer *rec_timer_start (
    GstClock *clock, GstClockTime first, RecTimerFunc func, gpointer user_data);

/* Ends the timer and frees it. Afterwards @func does not run again; if @func is
 * the caller, this is its last call. The caller holds no lock that @func takes.
 * NULL is ignored. */
void rec_timer_stop (RecTimer *timer);

G_END_DECLS
