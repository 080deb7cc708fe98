/* gst-tsrec: transport-wide congestion control feedback
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Remembers when packets with a transport-wide sequence number arrived, and
 * writes the FCI of RTCP feedback messages (RTPFB, FMT 15) of
 * draft-holmer-rmcat-transport-wide-cc-extensions-01. Plain numbers, no
 * allocation.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define RTC_TWCC_MAX_PACKETS 2048
/* Bytes of FCI that are written at most. */
#define RTC_TWCC_MAX_FCI 1100

/**
 * RtcTwcc:
 * Private; initialise with rtc_twcc_init().
 */
typedef struct
{
  gboolean started;
  gint64 first; /* extended number of the first that is not reported */
  gint64 end;   /* behind the highest */
  guint8 count; /* of the next message */
  gint64 arrivals[RTC_TWCC_MAX_PACKETS]; /* µs, -1: not received */
} RtcTwcc;

void rtc_twcc_init (RtcTwcc *twcc);
/* A packet with @seq has arrived at @arrival, µs. */
void rtc_twcc_add (RtcTwcc *twcc, guint16 seq, gint64 arrival);
/* Returns whether there is something to report. */
gboolean rtc_twcc_is_due (const RtcTwcc *twcc);
/* Writes one message about the oldest packets that are not reported. Returns
 * how many bytes of @fci (RTC_TWCC_MAX_FCI) are used, a multiple of 4; 0 when
 * there is nothing to report. Call until it returns 0. */
gsize rtc_twcc_write (RtcTwcc *twcc, guint8 *fci);

G_END_DECLS
