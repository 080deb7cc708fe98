/* gst-tsrec: timestamps that are far off
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Part of the timestamp correction: decides whether a timestamp far from the
 * expected one is a real gap, a track that has started again, or damage.
 */

#include "tstimeline-private.h"

/* A track that is further ahead than this of its own past, and of the clock of
 * a live pipeline, is suspect. Without a clock the limits are larger. */
#define MAX_AHEAD (10 * TS_NS_PER_S)
#define MAX_AHEAD_NO_CLOCK (30 * TS_NS_PER_S)
/* Largest delay of the first access unit of a track: that of an encoder with
 * lookahead whose pictures are rare. */
#define MAX_LATE_START (30 * TS_NS_PER_S)
/* An access unit after a suspect one confirms it within this time, or within
 * two of its steps. */
#define CONFIRM_TIME (2 * TS_NS_PER_S)
/* PTS and DTS of an access unit are no further apart than pictures may stay in
 * the buffers of the T-STD (2.4.2.7: ten seconds), or than as many steps as
 * pictures can be reordered by. */
#define MAX_REORDER (10 * TS_NS_PER_S)
/* Without an access unit, a longer step is not believed. */
#define MAX_IDLE (3600 * TS_NS_PER_S)

/* --- Distance of a timestamp --- */

void
ts_raw_time_init (
    TsRawTime *raw, const TsTrackTime *time, int64_t pts, int64_t dts)
{
  raw->pts = ts_time_is_known (pts) ? pts : TS_TIME_NONE;
  raw->dts = ts_time_is_known (dts) ? dts : TS_TIME_NONE;
  /* DTS after PTS is impossible. */
  if (raw->pts != TS_TIME_NONE && raw->dts > raw->pts)
    raw->dts = TS_TIME_NONE;
  raw->by_pts =
      raw->pts != TS_TIME_NONE && (raw->dts == TS_TIME_NONE || time->made);
  raw->key = raw->by_pts ? raw->pts : raw->dts;
}

/* Returns the expected time of the next access unit of a track. */
static int64_t
get_expected (const TsTimeline *timeline, const TsTrackTime *time, bool by_pts)
{
  if (time->last_dts == TS_TIME_NONE)
    return timeline->now;
  return (by_pts ? time->high_pts : time->last_dts) + time->step;
}

/* Returns the distance of @key, shift included, from the range of possible
 * times. */
static int64_t
get_distance (
    const TsTrackTime *time, int64_t key, int64_t expected, bool by_pts)
{
  if (by_pts && time->last_dts != TS_TIME_NONE && key < expected) {
    /* Pictures are output between the last DTS and the highest PTS. */
    return key < time->last_dts ? key - time->last_dts : 0;
  }
  return key - expected;
}

static bool
is_far_behind (const TsTrackTime *time, int64_t distance)
{
  return distance <
      (time->last_dts == TS_TIME_NONE ? -MAX_LATE_START : -MAX_BACKWARD);
}

bool
ts_timeline_needs_now (const TsTimeline *timeline, const TsTrackTime *time,
    int64_t pts, int64_t dts)
{
  int64_t expected, distance;
  TsRawTime raw;

  ts_raw_time_init (&raw, time, pts, dts);
  if (raw.key == TS_TIME_NONE)
    return true;
  expected = get_expected (timeline, time, raw.by_pts);
  if (expected == TS_TIME_NONE)
    return false;
  distance = get_distance (time, raw.key + time->shift, expected, raw.by_pts);
  return distance > MAX_AHEAD || is_far_behind (time, distance);
}

/* Without a clock, a long step is real if it fits the duration of the last
 * access unit, the time of other tracks, or the step before. */
static bool
is_far_ahead_no_clock (const TsTimeline *timeline, const TsTrackTime *time,
    int64_t key, int64_t distance)
{
  if (distance <= MAX_AHEAD_NO_CLOCK ||
      (timeline->now != TS_TIME_NONE &&
          key <= timeline->now + MAX_AHEAD_NO_CLOCK))
    return false;
  if (time->end != TS_TIME_NONE && key <= time->end + MAX_BACKWARD)
    return false;
  return distance > 2 * time->pace;
}

static bool
is_far_off (const TsTimeline *timeline, const TsTrackTime *time, int64_t key,
    int64_t distance, int64_t now)
{
  /* Without a clock, a track may be written into a file, or read from one, far
   * behind others. Its first access unit is not from before the start. */
  if (is_far_behind (time, distance))
    return time->last_dts != TS_TIME_NONE || ts_time_is_known (now) ||
        key < timeline->first - MAX_AHEAD;
  if (ts_time_is_known (now))
    return distance > MAX_AHEAD && key > now + MAX_AHEAD;
  return is_far_ahead_no_clock (timeline, time, key, distance);
}

/* Returns true if PTS is further ahead of DTS than a picture can be reordered.
 * @duration: duration of the picture, if known. Its own step counts as well,
 * since it is the only one at the start of a time lapse. */
static bool
is_apart (const TsTrackTime *time, int64_t pts, int64_t dts, int64_t duration)
{
  int64_t step = ts_track_time_get_frame_time (time), apart = pts - dts;

  if (time->pace > step)
    step = time->pace;
  if (ts_time_is_known (duration) && duration > step)
    step = duration;
  if (time->last_dts != TS_TIME_NONE &&
      dts + time->shift - time->last_dts > step)
    step = dts + time->shift - time->last_dts;
  if (time->last_dts == TS_TIME_NONE || step > MAX_NOMINAL)
    step = MAX_NOMINAL / (REC_NAL_MAX_REORDER + 2);
  return apart > MAX_REORDER && apart > step * (REC_NAL_MAX_REORDER + 2);
}

bool
ts_track_time_is_apart (const TsTrackTime *time, int64_t pts, int64_t dts)
{
  TsRawTime raw;

  ts_raw_time_init (&raw, time, pts, dts);
  return raw.pts != TS_TIME_NONE && raw.dts != TS_TIME_NONE && !raw.by_pts &&
      is_apart (time, raw.pts, raw.dts, TS_TIME_NONE);
}

bool
ts_timeline_needs_next (const TsTimeline *timeline, const TsTrackTime *time,
    int64_t pts, int64_t dts)
{
  int64_t expected, key;
  TsRawTime raw;

  ts_raw_time_init (&raw, time, pts, dts);
  if (raw.key == TS_TIME_NONE)
    return false;
  if (ts_track_time_is_apart (time, pts, dts))
    return true;
  expected = get_expected (timeline, time, raw.by_pts);
  if (expected == TS_TIME_NONE)
    return false;
  key = raw.key + time->shift;
  return is_far_ahead_no_clock (
      timeline, time, key, get_distance (time, key, expected, raw.by_pts));
}

/* --- Timestamps that are far off --- */

/* The track has started again: determines the new shift. Tracks that start
 * again together keep their distance. */
static void
restart_track (
    TsTimeline *timeline, TsTrackTime *time, int64_t raw, int64_t expected)
{
  int64_t shared = raw + timeline->shift - expected;

  if (shared < 0 || shared > MAX_BACKWARD)
    timeline->shift = expected - raw;
  time->shift = timeline->shift;
}

/* Returns true if a long step ahead is real. That is so without another track,
 * or if the next access unit is not before @raw. If pictures are reordered,
 * the next one may be before @raw, but is far ahead too, or by at least its
 * share of the step among as many pictures as can be reordered. */
static bool
is_step_real (const TsTimeline *timeline, const TsTrackTime *time,
    const TsAccessUnit *au, int64_t raw, int64_t expected)
{
  int64_t next_ahead;

  if (ts_time_is_known (au->now))
    return false;
  if (!timeline->has_next)
    return timeline->alone;
  if (!ts_time_is_known (timeline->next) ||
      timeline->next >= raw - MAX_BACKWARD)
    return true;
  next_ahead = timeline->next + time->shift - expected;
  return time->reorder.depth > 0 && next_ahead > 0 &&
      (next_ahead > MAX_AHEAD_NO_CLOCK ||
          next_ahead >=
              (raw + time->shift - expected) / (REC_NAL_MAX_REORDER + 2));
}

/* Returns the place of an access unit that is far off. */
static int64_t
resolve_jump (TsTimeline *timeline, TsTrackTime *time, const TsAccessUnit *au,
    int64_t raw, int64_t expected)
{
  int64_t longest = CONFIRM_TIME + 2 * time->pace;
  int64_t since =
      time->suspect != TS_TIME_NONE ? raw - time->suspect : INT64_MIN;
  bool ahead = raw + time->shift > expected &&
      ts_time_is_known (raw + time->shift) && !ts_time_is_known (au->now);

  /* A real gap: it is ahead, and nothing contradicts it. */
  if (ahead &&
      (is_step_real (timeline, time, au, raw, expected) ||
          (since >= -CONFIRM_TIME && !timeline->has_next))) {
    time->suspect = TS_TIME_NONE;
    return raw + time->shift;
  }
  if (since < -MAX_BACKWARD || since > longest) {
    time->suspect = raw;
    time->suspect_place = expected;
    return expected;
  }
  restart_track (timeline, time, time->suspect, time->suspect_place);
  time->suspect = TS_TIME_NONE;
  return raw + time->shift;
}

/* Over a pause, DTS of reordered pictures stay behind for as many pictures as
 * are reordered. The next access unit, or the end, confirms PTS. */
static bool
is_apart_real (const TsTimeline *timeline, const TsAccessUnit *au)
{
  return !ts_time_is_known (au->now) && timeline->has_next &&
      (!ts_time_is_known (timeline->next) ||
          timeline->next >= au->pts - MAX_REORDER);
}

void
ts_timeline_place (TsTimeline *timeline, TsTrackTime *time,
    const TsAccessUnit *au, TsStats *stats, TsRawTime *raw)
{
  int64_t expected = get_expected (timeline, time, raw->by_pts);
  int64_t key = raw->key + time->shift, ahead;

  if (expected != TS_TIME_NONE &&
      is_far_off (timeline, time, key,
          get_distance (time, key, expected, raw->by_pts), au->now)) {
    int64_t is = resolve_jump (timeline, time, au, raw->key, expected);

    stats->jumps += is != key;
    key = is;
  } else {
    time->suspect = TS_TIME_NONE;
  }
  if (raw->by_pts) {
    raw->pts = key;
    raw->dts = TS_TIME_NONE;
    return;
  }
  ahead = raw->pts != TS_TIME_NONE ? raw->pts - raw->dts : 0;
  raw->dts = key;
  if (raw->pts == TS_TIME_NONE)
    return;
  if (is_apart (time, au->pts, au->dts, au->duration) &&
      !is_apart_real (timeline, au)) {
    stats->jumps++;
    ahead = 0;
  }
  raw->pts = key + ahead;
}

int64_t
ts_timeline_place_idle (const TsTimeline *timeline, const TsTrackTime *time,
    int64_t raw, int64_t now)
{
  int64_t place;

  if (!ts_time_is_known (raw) || timeline->now == TS_TIME_NONE)
    return TS_TIME_NONE;
  if (time == NULL)
    place = raw;
  else if (time->last_dts == TS_TIME_NONE)
    place = raw + timeline->shift;
  else if (time->suspect != TS_TIME_NONE &&
      raw >= time->suspect - MAX_BACKWARD && raw <= time->suspect + MAX_AHEAD)
    place = time->suspect_place + (raw - time->suspect);
  else
    place = raw + time->shift;
  /* An access unit at this time would be far off. */
  if (ts_time_is_known (now) && place > now + MAX_AHEAD &&
      place > timeline->now + MAX_AHEAD)
    return TS_TIME_NONE;
  return place <= timeline->now + MAX_IDLE ? place : TS_TIME_NONE;
}
