/* gst-tsrec: bit rate that a sender without an estimate of its own may use
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * For senders that know REMB (draft-alvestrand-rmcat-remb) and not
 * transport-wide congestion control. The rate may be twice what arrives, so that
 * it can grow, and less than what arrives while packets are lost. Plain numbers.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bit/s that are never gone below. */
#define RTC_REMB_MIN 300000
/* Bit/s of the first report, and of the highest one. */
#define RTC_REMB_FIRST 1000000
#define RTC_REMB_MAX 50000000

/**
 * RtcRemb:
 * Private; initialise with rtc_remb_init().
 */
typedef struct
{
  guint max;
  guint bitrate;
  guint64 bytes;
  gint64 since;
} RtcRemb;

/* @max: bit/s, 0: no limit. @now: µs. */
void rtc_remb_init (RtcRemb *remb, guint max, gint64 now);
/* A packet of @size bytes has arrived. */
void rtc_remb_add (RtcRemb *remb, gsize size);
/* Returns the rate to report, bit/s, at @now, and begins the next interval.
 * @fraction_lost: of this interval, times 256. */
guint rtc_remb_update (RtcRemb *remb, guint8 fraction_lost, gint64 now);

G_END_DECLS
