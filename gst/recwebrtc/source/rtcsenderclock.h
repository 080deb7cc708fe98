/* gst-tsrec: the wall clock of a sender
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Read from the NTP timestamps of RTCP sender reports (RFC 3550 section
 * 6.4.1) and the times at which the reports arrived. Plain numbers; the
 * caller locks.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * RtcSenderClock:
 * @known: a report was received
 * @sender: NTP timestamp of the newest report, µs since 1900
 * @local: arrival of that report, µs of a monotonic clock
 *
 * All zero is a valid value: no report was received.
 */
typedef struct
{
  gboolean known;
  gint64 sender;
  gint64 local;
} RtcSenderClock;

/* Adds a report. @ntp: 32.32 fixed point seconds since 1900; @local:
 * arrival, µs of a monotonic clock. Ignores a report that was added before. */
void rtc_sender_clock_add (RtcSenderClock *clock, guint64 ntp, gint64 local);

/* Sets *@utc to the sender's time at @local, µs since 1970. Returns FALSE,
 * and leaves *@utc alone, before the first report, or if the sender does not
 * send wall-clock time (RFC 3550 section 4 allows the time since the start
 * of its machine instead). */
gboolean rtc_sender_clock_get_wall_clock (
    const RtcSenderClock *clock, gint64 local, gint64 *utc);

/* Like rtc_sender_clock_get_wall_clock(), at the time of the call. */
gboolean rtc_sender_clock_get_utc_now (
    const RtcSenderClock *clock, gint64 *utc);

/* Like rtc_sender_clock_get_utc_now(), with @lock, which protects @clock, held
 * during the call. */
gboolean rtc_sender_clock_get_utc_now_with_lock (
    const RtcSenderClock *clock, GMutex *lock, gint64 *utc);

G_END_DECLS
