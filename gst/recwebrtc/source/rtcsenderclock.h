/* gst-tsrec: how a sender's clock runs against ours
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From the NTP timestamps of RTCP sender reports (RFC 3550 section 6.4.1) and
 * the moments they arrived: the sender's wall clock, and how many parts per
 * million it runs faster than ours, by least squares over all reports, so that
 * the jitter of the network averages out. Plain numbers; the caller locks.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * RtcSenderClock:
 *
 * All zero at the start. Private.
 */
typedef struct
{
  guint64 n;
  gint64 first_sender;
  gint64 first_local;
  gint64 last_sender;
  gint64 last_local;
  gdouble sum_x;
  gdouble sum_y;
  gdouble sum_xx;
  gdouble sum_xy;
  gdouble sum_yy;
} RtcSenderClock;

/* @ntp: 32.32 fixed point seconds since 1900; @local: µs of a monotonic clock.
 * A jump of the sender's clock by more than a second begins anew. */
void rtc_sender_clock_add (RtcSenderClock *clock, guint64 ntp, gint64 local);

/* µs since 1970 on the sender's clock at @local; FALSE when no report has come,
 * or the sender does not send wall-clock time (RFC 3550 allows that). */
gboolean rtc_sender_clock_get_wall_clock (
    const RtcSenderClock *clock, gint64 local, gint64 *utc);

/* Parts per million, positive when the sender's clock is the faster one; FALSE
 * until 10 reports over 10 s have come, and for as long as the jitter of their
 * arrival leaves a standard error of more than 200 ppm. */
gboolean rtc_sender_clock_get_drift (const RtcSenderClock *clock, gdouble *ppm);

G_END_DECLS
