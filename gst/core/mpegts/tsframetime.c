/* gst-tsrec: times of audio frames that are not presented
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tsframetime.h"

/* Slightly more than one tick of 90 kHz. */
#define TICK 11112
/* A source counts the time of hidden frames if the next frame follows within
 * this tolerance after that time is subtracted. */
#define TOLERANCE (1 * TS_NS_PER_MS)
/* Timestamps beyond this are unknown (see tstimeline.c). */
#define MAX_TIME (INT64_C (1) << 60)

void
ts_frame_time_init (TsFrameTime *time)
{
  time->next = time->silent = TS_TIME_NONE;
  time->counted = 0;
  time->rate = 0;
  time->counting = false;
}

static int64_t
to_ns (int64_t samples, unsigned rate)
{
  return samples / rate * TS_NS_PER_S + samples % rate * TS_NS_PER_S / rate;
}

static int64_t
get_distance (int64_t a, int64_t b)
{
  return a > b ? a - b : b - a;
}

static void
count (TsFrameTime *time, const TsFrameLength *length, unsigned samples)
{
  if (time->rate != length->rate)
    time->counted = 0;
  time->rate = length->rate;
  time->counted += samples;
}

void
ts_frame_time_add_hidden (TsFrameTime *time, const TsFrameLength *length)
{
  if (length->rate > 0)
    count (time, length, length->coded);
}

static int64_t
take_off_counted (TsFrameTime *time, int64_t pts)
{
  int64_t earlier;

  if (time->counted == 0 || time->next == TS_TIME_NONE)
    return pts;
  earlier = pts - to_ns (time->counted, time->rate);
  time->counting =
      get_distance (earlier, time->next) < get_distance (pts, time->next) &&
      (time->counting || get_distance (earlier, time->next) < TOLERANCE);
  if (time->counting)
    return earlier;
  time->counted = 0;
  return pts;
}

/* Makes room for a frame that is not presented before the next one. */
static int64_t
make_room (TsFrameTime *time, int64_t pts, bool silent)
{
  int64_t last = time->silent;

  if (silent)
    pts -= TICK;
  if (last != TS_TIME_NONE && pts < last + TICK && pts > last - 2 * TICK)
    pts = last + TICK;
  time->silent = silent ? pts : TS_TIME_NONE;
  return pts;
}

void
ts_frame_time_fix (
    TsFrameTime *time, const TsFrameLength *length, int64_t *pts, int64_t *dts)
{
  int64_t fixed;

  if (*pts == TS_TIME_NONE && *dts == TS_TIME_NONE && length->rate > 0)
    *pts = time->next;
  if (*pts < -MAX_TIME || *pts > MAX_TIME) {
    time->next = time->silent = TS_TIME_NONE;
    return;
  }
  if (length->rate == 0) {
    time->next = TS_TIME_NONE;
    time->counted = 0;
    fixed = *pts;
  } else {
    if (length->believed)
      time->counted = 0;
    fixed = take_off_counted (time, *pts);
    time->next = fixed + to_ns (length->presented, length->rate);
    count (time, length, length->coded - length->presented);
  }
  fixed = make_room (time, fixed, length->silent);
  if (*dts > -MAX_TIME && *dts < MAX_TIME)
    *dts += fixed - *pts;
  *pts = fixed;
}
