/* gst-tsrec: timestamps that can be written, from timestamps as they come
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tstime.h"

/* A track that goes back further than this has started over; less is jitter
 * (WebRTC: 20 to 160 ms after congestion). */
#define MAX_BACKWARD (1 * TS_NS_PER_S)
/* A track that is further ahead than this of its own past, and of the clock
 * of a live pipeline, is suspect; without a clock, twice as far and more. */
#define MAX_AHEAD (10 * TS_NS_PER_S)
#define MAX_AHEAD_NO_CLOCK (30 * TS_NS_PER_S)
/* Before its first access unit a track may be late by what an encoder with
 * lookahead takes, of pictures that come rarely too. */
#define MAX_LATE_START (30 * TS_NS_PER_S)
/* The next access unit after a suspect one comes within this. */
#define CONFIRM_TIME (2 * TS_NS_PER_S)
/* PTS and DTS of one access unit are not further apart than the T-STD allows
 * pictures to stay in its buffers (2.4.2.7: ten seconds). */
#define MAX_REORDER (10 * TS_NS_PER_S)
/* A bit more than one tick of 90 kHz: what DTS advances at least. */
#define TICK 11112
/* Beyond this (73 years, and 13 days for access units that follow) sums of a
 * timestamp, a shift and what was expected could overflow: no timestamp at all.
 */
#define MAX_TIME ((INT64_C (1) << 61) - (INT64_C (1) << 50))

void
ts_timeline_init (TsTimeline *timeline)
{
  timeline->now = TS_TIME_NONE;
  timeline->shift = 0;
}

void
ts_track_time_init (TsTrackTime *time)
{
  time->last_dts = TS_TIME_NONE;
  time->step = 0;
  time->shift = 0;
  time->suspect = TS_TIME_NONE;
}

static bool
is_known (int64_t time)
{
  return time > -MAX_TIME && time < MAX_TIME;
}

/* When the next access unit of a track is to be expected. */
static int64_t
get_expected (const TsTimeline *timeline, const TsTrackTime *time)
{
  if (time->last_dts != TS_TIME_NONE)
    return time->last_dts + time->step;
  return timeline->now;
}

/* PTS and DTS as they come, either of which may be unknown. */
static void
get_raw (int64_t *pts, int64_t *dts)
{
  if (!is_known (*pts))
    *pts = *dts;
  if (!is_known (*dts) || *dts > *pts)
    *dts = *pts;
}

static bool
is_far_behind (const TsTrackTime *time, int64_t distance)
{
  return distance <
      (time->last_dts == TS_TIME_NONE ? -MAX_LATE_START : -MAX_BACKWARD);
}

bool
ts_time_needs_now (const TsTimeline *timeline, const TsTrackTime *time,
    int64_t pts, int64_t dts)
{
  int64_t expected = get_expected (timeline, time), distance;

  get_raw (&pts, &dts);
  if (!is_known (dts))
    return true;
  if (expected == TS_TIME_NONE)
    return false;
  distance = dts + time->shift - expected;
  return distance > MAX_AHEAD || is_far_behind (time, distance);
}

static bool
is_far_off (const TsTrackTime *time, int64_t dts, int64_t expected, int64_t now)
{
  int64_t distance = dts - expected;

  if (is_far_behind (time, distance))
    return true;
  if (is_known (now))
    return distance > MAX_AHEAD && dts > now + MAX_AHEAD;
  return distance > MAX_AHEAD_NO_CLOCK;
}

/* The track has started over: what has to be added from now on. Tracks that
 * start over together keep their distance. */
static void
start_over (
    TsTimeline *timeline, TsTrackTime *time, int64_t raw, int64_t expected)
{
  int64_t shared = raw + timeline->shift - expected;

  if (shared < 0 || shared > MAX_BACKWARD)
    timeline->shift = expected - raw;
  time->shift = timeline->shift;
}

/* Decides about an access unit that is far off: its DTS, shift included. */
static int64_t
judge (TsTimeline *timeline, TsTrackTime *time, int64_t raw, int64_t expected,
    int64_t now)
{
  int64_t since = time->suspect != TS_TIME_NONE ? raw - time->suspect : -1;

  if (since < 0 || since > CONFIRM_TIME) {
    time->suspect = raw;
    return expected;
  }
  time->suspect = TS_TIME_NONE;
  /* Ahead, and nothing says that it is not yet that late: a real gap. */
  if (raw + time->shift > expected && is_known (raw + time->shift) &&
      !is_known (now))
    return raw + time->shift;
  start_over (timeline, time, raw, expected);
  return raw + time->shift;
}

static void
fix_order (TsTrackTime *time, TsStats *stats, int64_t *pts, int64_t *dts)
{
  if (time->last_dts != TS_TIME_NONE) {
    if (*dts < time->last_dts + TICK) {
      if (*dts <= time->last_dts)
        stats->backward++;
      *dts = time->last_dts + TICK;
    } else if (*dts - time->last_dts < MAX_BACKWARD) {
      time->step = *dts - time->last_dts;
    }
  }
  if (*pts < *dts)
    *pts = *dts;
}

void
ts_time_fix (TsTimeline *timeline, TsTrackTime *time, const TsAccessUnit *au,
    TsStats *stats, int64_t *pts, int64_t *dts)
{
  int64_t raw_pts = au->pts, raw_dts = au->dts;
  int64_t expected = get_expected (timeline, time);

  get_raw (&raw_pts, &raw_dts);
  if (expected == TS_TIME_NONE && !is_known (raw_dts))
    expected = is_known (au->now) ? au->now : 0;
  if (!is_known (raw_dts)) {
    stats->no_timestamp++;
    *pts = *dts = expected;
  } else {
    int64_t ahead = raw_pts - raw_dts;

    if (ahead > MAX_REORDER)
      ahead = 0;
    *dts = raw_dts + time->shift;
    if (expected != TS_TIME_NONE &&
        is_far_off (time, *dts, expected, au->now)) {
      stats->jumps++;
      *dts = judge (timeline, time, raw_dts, expected, au->now);
    } else {
      time->suspect = TS_TIME_NONE;
    }
    *pts = *dts + ahead;
  }
  fix_order (time, stats, pts, dts);
  if (is_known (au->duration) && au->duration > 0 &&
      au->duration < MAX_BACKWARD)
    time->step = au->duration;
  time->last_dts = *dts;
  if (timeline->now == TS_TIME_NONE || *dts > timeline->now)
    timeline->now = *dts;
}
