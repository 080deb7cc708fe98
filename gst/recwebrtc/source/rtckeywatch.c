/* gst-tsrec: video that arrives and cannot be decoded
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtckeywatch.h"

#include <string.h>

void
rtc_key_watch_init (RtcKeyWatch *self)
{
  memset (self, 0, sizeof (*self));
}

static void
begin (RtcKeyWatch *self, guint32 rtp_time, gint64 now)
{
  self->since = now;
  self->rtp_time = rtp_time;
  self->pictures = 1;
  self->next = now + RTC_KEY_WATCH_FIRST;
  self->interval = RTC_KEY_WATCH_FIRST;
  self->requests = 0;
}

RtcKeyWatchVerdict
rtc_key_watch_packet (RtcKeyWatch *self, guint32 rtp_time, gint64 now)
{
  gboolean warn;

  if (self->since == 0) {
    begin (self, rtp_time, now);
    return RTC_KEY_WATCH_WAIT;
  }
  if (rtp_time != self->rtp_time) {
    self->rtp_time = rtp_time;
    self->pictures++;
  }
  warn = !self->warned && now - self->since >= RTC_KEY_WATCH_WARN;
  if (self->pictures < RTC_KEY_WATCH_PICTURES || (now < self->next && !warn))
    return RTC_KEY_WATCH_WAIT;
  self->next = now + self->interval;
  self->interval = MIN (2 * self->interval, RTC_KEY_WATCH_MAX);
  self->requests++;
  self->warned |= warn;
  return warn ? RTC_KEY_WATCH_ASK_AND_WARN : RTC_KEY_WATCH_ASK;
}

void
rtc_key_watch_picture (RtcKeyWatch *self)
{
  self->since = 0;
}
