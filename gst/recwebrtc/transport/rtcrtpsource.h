/* gst-tsrec: reception of one SSRC, as RTCP reports it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The numbers of a receiver report (RFC 3550 section 6.4.1 and appendix A),
 * from the packets as they arrive. Plain numbers; the caller locks.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * RtcRtpSource:
 * Private; initialise with rtc_rtp_source_init().
 * @rate: ticks per second
 * @jitter: in ticks, times 16
 * @last_report: middle 32 bits of the NTP time of the last sender report
 * @last_report_at: when that arrived, µs; 0: none has
 */
typedef struct
{
  guint32 ssrc;
  guint32 rate;
  gboolean started;
  guint16 max_seq;
  guint32 cycles;
  guint32 base_seq;
  guint64 received;
  guint64 expected_prior;
  guint64 received_prior;
  gint64 transit;
  guint32 jitter;
  guint32 last_report;
  gint64 last_report_at;
} RtcRtpSource;

/**
 * RtcReport:
 * @ssrc: of the source
 * @fraction_lost: since the last report, times 256
 * @lost: packets lost since the beginning, at most 24 bits
 * @highest: extended highest sequence number
 * @jitter: ticks
 * @last_report: see RtcRtpSource, 0: none
 * @delay: since the last sender report, 1/65536 s
 *
 * A report block.
 */
typedef struct
{
  guint32 ssrc;
  guint8 fraction_lost;
  gint32 lost;
  guint32 highest;
  guint32 jitter;
  guint32 last_report;
  guint32 delay;
} RtcReport;

void rtc_rtp_source_init (RtcRtpSource *source, guint32 ssrc, guint32 rate);
/* A packet has arrived at @arrival, µs. */
void rtc_rtp_source_add (
    RtcRtpSource *source, guint16 seq, guint32 rtp_time, gint64 arrival);
/* A sender report has arrived, with the NTP timestamp @ntp. */
void rtc_rtp_source_set_report (
    RtcRtpSource *source, guint64 ntp, gint64 arrival);
/* Fills @report and begins the next interval. */
void rtc_rtp_source_get_report (
    RtcRtpSource *source, gint64 now, RtcReport *report);
/* Interarrival jitter, ns. */
guint64 rtc_rtp_source_get_jitter (const RtcRtpSource *source);

G_END_DECLS
