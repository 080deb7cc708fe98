/* gst-tsrec: decoding times for pictures with presentation times
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tsreorder.h"

#include <string.h>

#include "tsmux.h"

/* Number of pictures that may precede the first random access point in output
 * order. */
#define MAX_LEADING 8
/* Limit of the distance for a reorder depth that a stream may use but does not
 * declare, as long as it does not use it: it affects streams with few
 * pictures. */
#define MAX_UNDECLARED_DELAY (2 * TS_NS_PER_S)
/* Longest time in the buffers of the T-STD (2.4.2.7). DTS is further from PTS
 * only if pictures are that far apart. */
#define MAX_DELAY (10 * TS_NS_PER_S)
#define MAX_STEP (24 * 3600 * TS_NS_PER_S)

void
ts_reorder_init (TsReorder *reorder)
{
  memset (reorder, 0, sizeof (*reorder));
  reorder->lead = MAX_LEADING;
}

void
ts_reorder_set_depth (TsReorder *reorder, unsigned depth, bool declared)
{
  if (depth > REC_NAL_MAX_REORDER)
    depth = REC_NAL_MAX_REORDER;
  if (depth == reorder->declared_depth && declared == reorder->declared)
    return;
  reorder->declared_depth = reorder->depth = depth;
  reorder->declared = declared;
}

void
ts_reorder_restart (TsReorder *reorder, bool leading)
{
  reorder->n = 0;
  reorder->lead = leading ? MAX_LEADING : 0;
}

/* Inserts @pts. The pictures before it in the list precede it in decoding
 * order and follow it in output order: if there are more than declared, the
 * depth is raised. */
static void
insert (TsReorder *reorder, int64_t pts)
{
  unsigned at = 0, last;

  while (at < reorder->n && reorder->pts[at] > pts)
    at++;
  if (at > 0)
    reorder->reordered = true;
  if (at > reorder->depth)
    reorder->depth = at <= REC_NAL_MAX_REORDER ? at : REC_NAL_MAX_REORDER;
  if (at > REC_NAL_MAX_REORDER)
    return;
  last = reorder->n <= REC_NAL_MAX_REORDER ? reorder->n++ : REC_NAL_MAX_REORDER;
  memmove (reorder->pts + at + 1, reorder->pts + at,
      (last - at) * sizeof (reorder->pts[0]));
  reorder->pts[at] = pts;
}

/* Returns the longest time between two of the pictures, without the newest
 * one; 0 with too few pictures. */
static int64_t
get_longest_step (const TsReorder *reorder)
{
  int64_t longest = 0;

  if (reorder->n <= REC_NAL_MAX_REORDER)
    return 0;
  for (unsigned i = 1; i + 1 < reorder->n; i++) {
    int64_t step = reorder->pts[i] - reorder->pts[i + 1];

    if (step > longest)
      longest = step;
  }
  return longest < MAX_STEP ? longest : MAX_STEP;
}

/* After a pause, DTS need not stay before it until there are enough pictures
 * after it. */
static int64_t
limit_delay (const TsReorder *reorder, int64_t pts, int64_t dts)
{
  int64_t step;

  if (!reorder->declared && !reorder->reordered &&
      dts < pts - MAX_UNDECLARED_DELAY)
    return pts - MAX_UNDECLARED_DELAY;
  if (dts >= pts - MAX_DELAY)
    return dts;
  step = get_longest_step (reorder) * (reorder->depth + REC_NAL_MAX_REORDER);
  if (step > 0 && step < MAX_DELAY)
    step = MAX_DELAY;
  return step > 0 && dts < pts - step ? pts - step : dts;
}

static int64_t
make_dts (
    const TsReorder *reorder, int64_t pts, int64_t last_dts, int64_t frame_time)
{
  unsigned missing = reorder->depth + 1 - reorder->n;
  int64_t dts;

  if (reorder->n > reorder->depth)
    return limit_delay (reorder, pts, reorder->pts[reorder->depth]);
  if (reorder->n == 1)
    missing += reorder->lead;
  dts = reorder->pts[reorder->n - 1] - missing * frame_time;
  /* Leading pictures are still to come: advance no faster than they do. */
  if (reorder->n > 1 && last_dts != INT64_MIN && dts > last_dts + frame_time)
    dts = last_dts + frame_time;
  return limit_delay (reorder, pts, dts);
}

/* Between the last DTS and the next picture in output order, about a frame
 * later, there must be room for the missing pictures. */
static int64_t
creep (
    const TsReorder *reorder, int64_t pts, int64_t last_dts, int64_t frame_time)
{
  int64_t room = pts - last_dts < frame_time ? pts - last_dts : frame_time;
  int64_t step = room / (reorder->depth + 2);

  return last_dts + (step > TS_TIME_TICK ? step : TS_TIME_TICK);
}

int64_t
ts_reorder_push (
    TsReorder *reorder, int64_t pts, int64_t last_dts, int64_t frame_time)
{
  int64_t dts;

  insert (reorder, pts);
  dts = make_dts (reorder, pts, last_dts, frame_time);
  if (last_dts != INT64_MIN && dts < last_dts + TS_TIME_TICK)
    dts = creep (reorder, pts, last_dts, frame_time);
  if (pts - dts > reorder->max_delay)
    reorder->max_delay = pts - dts;
  return dts;
}

void
ts_reorder_note (TsReorder *reorder, int64_t pts, int64_t dts)
{
  insert (reorder, pts);
  if (pts - dts > reorder->max_delay)
    reorder->max_delay = pts - dts;
}

int64_t
ts_reorder_estimate (const TsReorder *reorder, int64_t pts)
{
  unsigned last = reorder->depth < reorder->n ? reorder->depth : reorder->n;
  int64_t step =
      get_longest_step (reorder) * (reorder->depth + REC_NAL_MAX_REORDER);
  int64_t dts = pts;

  if (last > 0 && reorder->pts[last - 1] < pts)
    dts = reorder->pts[last - 1];
  else if (last < reorder->n && reorder->pts[last] > pts)
    dts = reorder->pts[last];
  return step > 0 && dts < pts - step ? pts - step : dts;
}

int64_t
ts_reorder_get_delay (const TsReorder *reorder, int64_t frame_time)
{
  int64_t delay = reorder->depth * frame_time;

  if (delay < reorder->max_delay)
    delay = reorder->max_delay;
  return delay < MAX_DELAY ? delay : MAX_DELAY;
}
