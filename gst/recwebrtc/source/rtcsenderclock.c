/* gst-tsrec: the wall clock of a sender
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcsenderclock.h"

/* From 1900, the epoch of NTP, to 1970. */
#define NTP_TO_UNIX (G_GINT64_CONSTANT (2208988800) * G_USEC_PER_SEC)
/* 2000-01-01. An earlier time is the uptime of a machine, for example. */
#define EARLIEST_WALL_CLOCK (G_GINT64_CONSTANT (946684800) * G_USEC_PER_SEC)

static gint64
ntp_to_us (guint64 ntp)
{
  gint64 seconds = (gint64)(ntp >> 32);
  gint64 fraction = (gint64)(((ntp & 0xffffffff) * 1000000) >> 32);

  return seconds * G_USEC_PER_SEC + fraction;
}

void
rtc_sender_clock_add (RtcSenderClock *clock, guint64 ntp, gint64 local)
{
  gint64 sender = ntp_to_us (ntp);

  if (clock->known && sender == clock->sender)
    return;
  clock->known = TRUE;
  clock->sender = sender;
  clock->local = local;
}

gboolean
rtc_sender_clock_get_wall_clock (
    const RtcSenderClock *clock, gint64 local, gint64 *utc)
{
  gint64 result = clock->sender - NTP_TO_UNIX + (local - clock->local);

  if (!clock->known || result < EARLIEST_WALL_CLOCK)
    return FALSE;
  *utc = result;
  return TRUE;
}

gboolean
rtc_sender_clock_get_utc_now (const RtcSenderClock *clock, gint64 *utc)
{
  return rtc_sender_clock_get_wall_clock (clock, g_get_monotonic_time (), utc);
}

gboolean
rtc_sender_clock_get_utc_now_with_lock (
    const RtcSenderClock *clock, GMutex *lock, gint64 *utc)
{
  gboolean known;

  g_mutex_lock (lock);
  known = rtc_sender_clock_get_utc_now (clock, utc);
  g_mutex_unlock (lock);
  return known;
}
