/* gst-tsrec: recorded and missing time of a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recmediatime.h"

/* Distance of two access units above which the time between them is a gap, ns.
 */
#define GAP_THRESHOLD G_GUINT64_CONSTANT (1000000000)

void
rec_media_time_init (RecMediaTime *self)
{
  rec_gaps_init (&self->gaps, GAP_THRESHOLD);
  self->resumed_at = 0;
  self->media = self->missing = self->n_gaps = 0;
}

gboolean
rec_media_time_has_begun (const RecMediaTime *self)
{
  return self->gaps.begin != REC_TIME_NONE;
}

gboolean
rec_media_time_end_resume (RecMediaTime *self, guint64 time, RecGap *gap)
{
  gint64 elapsed = g_get_real_time () - self->resumed_at;

  if (!self->resumed_at)
    return FALSE;
  self->resumed_at = 0;
  gap->begin = time != REC_TIME_NONE ? time : 0;
  gap->end = gap->begin + (guint64)MAX (elapsed, 0) * 1000;
  gap->cause = REC_GAP_RESUME;
  return TRUE;
}

gboolean
rec_media_time_add_written (
    RecMediaTime *self, guint64 time, guint64 duration, RecGap *gap)
{
  gboolean ended = rec_gaps_written (&self->gaps, time, duration, gap);

  self->media = self->gaps.media;
  self->missing = self->gaps.gaps;
  self->n_gaps = self->gaps.n_gaps;
  return ended;
}

void
rec_media_time_add_dropped (RecMediaTime *self, guint64 time)
{
  rec_gaps_lost (&self->gaps, time, REC_GAP_DISK);
}
