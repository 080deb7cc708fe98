/* gst-tsrec: how a sender's clock runs against ours
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcsenderclock.h"

#include <math.h>
#include <string.h>

#define SECOND G_GINT64_CONSTANT (1000000)
/* From 1900, where NTP begins, to 1970. */
#define NTP_TO_UNIX (G_GINT64_CONSTANT (2208988800) * SECOND)
/* 2000-01-01; what is earlier is the uptime of a machine or the like. */
#define PLAUSIBLE (G_GINT64_CONSTANT (946684800) * SECOND)

#define MIN_REPORTS 10
#define MIN_SPAN (10 * SECOND)
#define MAX_ERROR_PPM 200

static gint64
ntp_to_us (guint64 ntp)
{
  gint64 seconds = (gint64)(ntp >> 32);
  gint64 fraction = (gint64)(((ntp & 0xffffffff) * 1000000) >> 32);

  return seconds * SECOND + fraction;
}

static gboolean
has_jumped (const RtcSenderClock *clock, gint64 sender, gint64 local)
{
  gint64 expected = clock->last_sender + (local - clock->last_local);

  return clock->n > 0 && ABS (sender - expected) > SECOND;
}

void
rtc_sender_clock_add (RtcSenderClock *clock, guint64 ntp, gint64 local)
{
  gint64 sender = ntp_to_us (ntp);
  gdouble x, y;

  if (clock->n > 0 && sender == clock->last_sender)
    return;
  if (has_jumped (clock, sender, local))
    memset (clock, 0, sizeof (*clock));
  if (clock->n == 0) {
    clock->first_sender = sender;
    clock->first_local = local;
  }
  clock->last_sender = sender;
  clock->last_local = local;
  /* y: how far the sender has gained on us; small, so that doubles suffice. */
  x = (gdouble)(local - clock->first_local);
  y = (gdouble)((sender - clock->first_sender) - (local - clock->first_local));
  clock->n++;
  clock->sum_x += x;
  clock->sum_y += y;
  clock->sum_xx += x * x;
  clock->sum_xy += x * y;
  clock->sum_yy += y * y;
}

gboolean
rtc_sender_clock_get_wall_clock (
    const RtcSenderClock *clock, gint64 local, gint64 *utc)
{
  gint64 result =
      clock->last_sender - NTP_TO_UNIX + (local - clock->last_local);

  if (clock->n == 0 || result < PLAUSIBLE)
    return FALSE;
  *utc = result;
  return TRUE;
}

gboolean
rtc_sender_clock_get_drift (const RtcSenderClock *clock, gdouble *ppm)
{
  gdouble n = (gdouble)clock->n;
  gdouble xx = n * clock->sum_xx - clock->sum_x * clock->sum_x;
  gdouble xy = n * clock->sum_xy - clock->sum_x * clock->sum_y;
  gdouble yy = n * clock->sum_yy - clock->sum_y * clock->sum_y;
  gdouble slope, error;

  if (clock->n < MIN_REPORTS ||
      clock->last_local - clock->first_local < MIN_SPAN || xx <= 0)
    return FALSE;
  slope = xy / xx;
  error = sqrt (MAX (0, (yy - slope * xy) / xx / (n - 2)));
  if (1e6 * error > MAX_ERROR_PPM)
    return FALSE;
  *ppm = 1e6 * slope;
  return TRUE;
}
