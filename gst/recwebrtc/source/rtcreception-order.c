/* gst-tsrec: packets of all tracks leave in the order of their times
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcreception-private.h"

/* Buffered packets of several tracks leave in the order of their times, with
 * this tolerance, because the mux writes no picture that lies before its
 * output. They wait for each other at most this long, µs. */
#define ORDER (150 * GST_MSECOND)
#define ORDER_WAIT (250 * G_TIME_SPAN_MILLISECOND)
#define ORDER_WAIT_LATE (500 * G_TIME_SPAN_MILLISECOND)

/* A packet that is this late was held back by the network, and packets that
 * belong before it may not have arrived yet. */
#define LATE (300 * GST_MSECOND)

static gboolean
any_missing (const RtcReception *self)
{
  return self->missing[RTC_RECEPTION_VIDEO] ||
      self->missing[RTC_RECEPTION_AUDIO];
}

/* Returns TRUE if nothing has left @stream yet and its track may begin with it;
 * under lock. Another SSRC of a track that has begun does not delay other
 * tracks. */
static gboolean
may_begin_track (const RtcReception *self, const RtcReceptionStream *stream)
{
  return stream->kind == RTC_RECEPTION_UNKNOWN ? any_missing (self)
                                               : self->missing[stream->kind];
}

/* Returns a stream with packets that belong before @running: they have arrived
 * and not left, or, if
 * @late, may have been held back too; under lock. */
static RtcReceptionStream *
find_behind (RtcReception *self, guint ssrc, gint64 running, gboolean late)
{
  guint i;

  for (i = 0; i < self->streams->len; i++) {
    RtcReceptionStream *other =
        &g_array_index (self->streams, RtcReceptionStream, i);
    gboolean more;

    if (other->ssrc == ssrc || other->excused || !other->has_newest)
      continue;
    if (!other->has_left) {
      if (may_begin_track (self, other))
        return other;
      continue;
    }
    more = late || (gint32)(other->newest - other->left) > 0;
    if (more && other->running + (gint64)ORDER < running)
      return other;
  }
  return NULL;
}

/* Returns FALSE while packets that belong before @running may still arrive;
 * under lock. With @excuse, the stream that was waited for is excused. */
static gboolean
is_in_order (RtcReception *self, guint ssrc, gint64 running, gboolean late,
    gboolean excuse)
{
  RtcReceptionStream *other = find_behind (self, ssrc, running, late);

  if (other && excuse)
    other->excused = TRUE;
  if (!other && late && excuse)
    self->missing[RTC_RECEPTION_VIDEO] = self->missing[RTC_RECEPTION_AUDIO] =
        FALSE;
  return !other && !(late && any_missing (self));
}

/* Under lock, which is released while waiting. */
void
rtc_reception_wait_for_order (RtcReception *self, guint ssrc, gint64 running)
{
  GstClockTime now = gst_element_get_current_running_time (self->rtpbin);
  gboolean late =
      GST_CLOCK_TIME_IS_VALID (now) && (gint64)now - running > (gint64)LATE;
  gint64 end = g_get_monotonic_time () + (late ? ORDER_WAIT_LATE : ORDER_WAIT);

  while (!self->stopped && !is_in_order (self, ssrc, running, late, FALSE)) {
    if (!g_cond_wait_until (&self->moved, &self->lock, end))
      is_in_order (self, ssrc, running, late, TRUE);
  }
}

/* Returns TRUE if no other stream is ahead of @stream by more than ORDER; under
 * lock. */
static gboolean
has_caught_up (RtcReception *self, const RtcReceptionStream *stream)
{
  guint i;

  for (i = 0; i < self->streams->len; i++) {
    const RtcReceptionStream *other =
        &g_array_index (self->streams, RtcReceptionStream, i);

    if (other->has_left && other->running > stream->running + (gint64)ORDER)
      return FALSE;
  }
  return TRUE;
}

void
rtc_reception_note_departure (RtcReception *self, RtcReceptionStream *stream,
    guint32 rtp_time, gint64 running)
{
  self->missing[stream->kind] = FALSE;
  stream->has_left = TRUE;
  stream->left = rtp_time;
  stream->running = running;
  if (stream->excused)
    stream->excused = !has_caught_up (self, stream);
  g_cond_broadcast (&self->moved);
}
