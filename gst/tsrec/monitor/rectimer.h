/* gst-tsrec: a function called on time, on a thread of its own, by any clock
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RecTimer RecTimer;

/* Called at @now or soon after it was due; returns when to be called again
 * (absolute, of the timer's clock). A time that has already passed means at
 * once, so skip what was missed. */
typedef GstClockTime (*RecTimerFunc) (GstClockTime now, gpointer user_data);

/* Starts a thread that calls @func at @first and then whenever it asked for.
 * @clock is referenced. Never fails. */
RecTimer *rec_timer_start (
    GstClock *clock, GstClockTime first, RecTimerFunc func, gpointer user_data);

/* Ends the timer and frees it. When this returns @func is not running and
 * will not run again, unless it is @func itself that called: then it is the
 * last call. Hold no lock that @func takes. NULL does nothing. */
void rec_timer_stop (RecTimer *timer);

G_END_DECLS
