/* gst-tsrec: bit rate that a sender without an estimate of its own may use
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcremb.h"

/* Of 256: losses that a lower rate may prevent. */
#define MANY_LOST 26
/* Shorter intervals say little. */
#define MIN_INTERVAL (500 * G_TIME_SPAN_MILLISECOND)

void
rtc_remb_init (RtcRemb *self, guint max, gint64 now)
{
  self->max = max > 0 ? MIN (max, RTC_REMB_MAX) : RTC_REMB_MAX;
  self->bitrate = MIN (RTC_REMB_FIRST, self->max);
  self->bytes = 0;
  self->since = now;
}

void
rtc_remb_add (RtcRemb *self, gsize size)
{
  self->bytes += size;
}

guint
rtc_remb_update (RtcRemb *self, guint8 fraction_lost, gint64 now)
{
  guint64 received, wanted;

  if (now - self->since < MIN_INTERVAL)
    return self->bitrate;
  received = self->bytes * 8 * G_USEC_PER_SEC / (guint64)(now - self->since);
  wanted = fraction_lost >= MANY_LOST ? received * 85 / 100
                                      : MAX (self->bitrate, received * 2);
  self->bitrate = (guint)MIN (MAX (wanted, RTC_REMB_MIN), (guint64)self->max);
  self->bytes = 0;
  self->since = now;
  return self->bitrate;
}
