/* gst-tsrec: reception of one SSRC, as RTCP reports it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcrtpsource.h"

#define MAX_LOST 0x7fffff

void
rtc_rtp_source_init (RtcRtpSource *self, guint32 ssrc, guint32 rate)
{
  *self = (RtcRtpSource){ .ssrc = ssrc, .rate = rate };
}

/* RFC 3550 appendix A.8. */
static void
update_jitter (RtcRtpSource *self, guint32 rtp_time, gint64 arrival)
{
  gint64 ticks = arrival / G_USEC_PER_SEC * self->rate +
      arrival % G_USEC_PER_SEC * self->rate / G_USEC_PER_SEC;
  gint64 transit = ticks - rtp_time;
  gint32 d = (gint32)(guint32)(transit - self->transit);
  guint32 distance = d < 0 ? 0u - (guint32)d : (guint32)d;

  self->transit = transit;
  if (self->received > 1 && distance < self->rate * 10)
    self->jitter += distance - ((self->jitter + 8) >> 4);
}

void
rtc_rtp_source_add (
    RtcRtpSource *self, guint16 seq, guint32 rtp_time, gint64 arrival)
{
  if (!self->started) {
    self->started = TRUE;
    self->max_seq = seq;
    self->base_seq = seq;
  } else if ((guint16)(seq - self->max_seq) < 0x8000) {
    if (seq < self->max_seq)
      self->cycles += 0x10000;
    self->max_seq = seq;
  }
  self->received++;
  update_jitter (self, rtp_time, arrival);
}

void
rtc_rtp_source_set_report (RtcRtpSource *self, guint64 ntp, gint64 arrival)
{
  self->last_report = (guint32)(ntp >> 16);
  self->last_report_at = arrival;
}

/* RFC 3550 appendix A.3. */
void
rtc_rtp_source_get_report (RtcRtpSource *self, gint64 now, RtcReport *report)
{
  guint32 highest = self->cycles + self->max_seq;
  guint64 expected = (guint64)(highest - self->base_seq) + 1;
  gint64 lost = (gint64)expected - (gint64)self->received;
  gint64 expected_interval = (gint64)(expected - self->expected_prior);
  gint64 received_interval = (gint64)(self->received - self->received_prior);
  gint64 lost_interval = expected_interval - received_interval;

  self->expected_prior = expected;
  self->received_prior = self->received;
  report->ssrc = self->ssrc;
  report->fraction_lost = expected_interval > 0 && lost_interval > 0
      ? (guint8)MIN (lost_interval * 256 / expected_interval, 255)
      : 0;
  report->lost = (gint32)CLAMP (lost, -MAX_LOST - 1, MAX_LOST);
  report->highest = highest;
  report->jitter = self->jitter >> 4;
  report->last_report = self->last_report;
  report->delay = self->last_report_at > 0
      ? (guint32)((now - self->last_report_at) * 65536 / G_USEC_PER_SEC)
      : 0;
}

guint64
rtc_rtp_source_get_jitter (const RtcRtpSource *self)
{
  return (guint64)(self->jitter >> 4) * 1000000000u / MAX (self->rate, 1);
}
