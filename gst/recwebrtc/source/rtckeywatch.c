/* gst-tsrec: video that arrives and cannot be decoded
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtckeywatch.h"

#include <string.h>

void
rec_key_watch_init (RecKeyWatch *self)
{
  memset (self, 0, sizeof (*self));
}

static void
begin (RecKeyWatch *self, guint32 rtp_time, gint64 now)
{
  self->since = now;
  self->rtp_time = rtp_time;
  self->pictures = 1;
  self->next = now + REC_KEY_WATCH_FIRST;
  self->interval = REC_KEY_WATCH_FIRST;
  self->requests = 0;
}

RecKeyWatchVerdict
rec_key_watch_packet (RecKeyWatch *self, guint32 rtp_time, gint64 now)
{
  gboolean warn;

  if (self->since == 0) {
    begin (self, rtp_time, now);
    return REC_KEY_WATCH_WAIT;
  }
  if (rtp_time != self->rtp_time) {
    self->rtp_time = rtp_time;
    self->pictures++;
  }
  warn = !self->warned && now - self->since >= REC_KEY_WATCH_WARN;
  if (self->pictures < REC_KEY_WATCH_PICTURES || (now < self->next && !warn))
    return REC_KEY_WATCH_WAIT;
  self->next = now + self->interval;
  self->interval = MIN (2 * self->interval, REC_KEY_WATCH_MAX);
  self->requests++;
  self->warned |= warn;
  return warn ? REC_KEY_WATCH_ASK_AND_WARN : REC_KEY_WATCH_ASK;
}

void
rec_key_watch_picture (RecKeyWatch *self)
{
  self->since = 0;
}
