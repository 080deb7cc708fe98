/* gst-tsrec: recorded and missing time of one run
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recgaps.h"

#include <string.h>

void
rec_gaps_init (RecGaps *gaps, uint64_t threshold)
{
  memset (gaps, 0, sizeof (*gaps));
  gaps->threshold = threshold;
  gaps->begin = gaps->end = REC_TIME_NONE;
}

static void
begin_at (RecGaps *gaps, uint64_t time)
{
  if (gaps->begin == REC_TIME_NONE)
    gaps->begin = gaps->end = time;
}

static void
add_gap (RecGaps *gaps, uint64_t time, RecGap *gap)
{
  gap->begin = gaps->end;
  gap->end = time;
  gap->cause = gaps->lost ? gaps->cause : REC_GAP_NO_INPUT;
  gaps->gaps += time - gaps->end;
  gaps->n_gaps++;
  gaps->end = time;
  gaps->lost = false;
}

static void
cover_until (RecGaps *gaps, uint64_t time)
{
  if (time <= gaps->end)
    return;
  gaps->media += time - gaps->end;
  gaps->end = time;
}

bool
rec_gaps_written (RecGaps *gaps, uint64_t time, uint64_t duration, RecGap *gap)
{
  bool ended = false;

  if (time == REC_TIME_NONE)
    return false;
  begin_at (gaps, time);
  if (time > gaps->end) {
    uint64_t step = time - gaps->end;

    if (gaps->lost || step > gaps->threshold) {
      add_gap (gaps, time, gap);
      ended = true;
    } else {
      cover_until (gaps, time);
    }
  } else if (gaps->lost && time == gaps->end) {
    gaps->lost = false;
  }
  if (duration != REC_TIME_NONE && duration <= gaps->threshold)
    cover_until (gaps, time + duration);
  return ended;
}

void
rec_gaps_lost (RecGaps *gaps, uint64_t time, RecGapCause cause)
{
  if (time != REC_TIME_NONE)
    begin_at (gaps, time);
  if (gaps->lost || gaps->begin == REC_TIME_NONE)
    return;
  /* the last access unit lasts until this one */
  if (time != REC_TIME_NONE && time > gaps->end &&
      time - gaps->end <= gaps->threshold)
    cover_until (gaps, time);
  gaps->lost = true;
  gaps->cause = cause;
}
