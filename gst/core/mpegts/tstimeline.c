/* gst-tsrec: timestamp correction
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One state machine: the steps share TsTimeline and its constants, and the order
 * in which they run is the algorithm.
 */

#include "tstimeline.h"

#include <string.h>

/* A track that goes back further than this has started again; a smaller step
 * is jitter (WebRTC: 20 to 160 ms after congestion). */
#define MAX_BACKWARD (1 * TS_NS_PER_S)
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
/* Duration of a picture if it is unknown: 25 per second. */
#define DEFAULT_FRAME_TIME (40 * TS_NS_PER_MS)
/* Access units without timestamps follow the clock. If their duration is
 * known, only deviations above this are corrected. */
#define CLOCK_TOLERANCE (200 * TS_NS_PER_MS)
/* A larger deviation is a pause. */
#define CLOCK_PAUSE (1 * TS_NS_PER_S)
#define CLOCK_SMOOTHING 8
/* Rounding error of ticks in ns. A move by less is none. */
#define ROUNDING 10
/* Sums of a timestamp, a shift and an expected time must not overflow. A
 * timestamp beyond MAX_TIME (73 years, and 13 days for access units that
 * follow) is therefore unknown, a step is a day at most, and the tick of a
 * stream an hour. */
#define MAX_STEP (24 * 3600 * TS_NS_PER_S)
#define MAX_NOMINAL (3600 * TS_NS_PER_S)
/* Without an access unit, a longer step is not believed. */
#define MAX_IDLE (3600 * TS_NS_PER_S)
#define MAX_TIME ((INT64_C (1) << 61) - (INT64_C (1) << 50))

void
ts_timeline_init (TsTimeline *timeline)
{
  timeline->now = TS_TIME_NONE;
  timeline->first = TS_TIME_NONE;
  timeline->shift = 0;
  timeline->alone = false;
  timeline->has_next = false;
  timeline->next = TS_TIME_NONE;
}

void
ts_track_time_init (TsTrackTime *time)
{
  memset (time, 0, sizeof (*time));
  time->last_dts = TS_TIME_NONE;
  time->last_pts = TS_TIME_NONE;
  time->high_pts = TS_TIME_NONE;
  time->end = TS_TIME_NONE;
  time->base = TS_TIME_NONE;
  time->clock = TS_TIME_NONE;
  time->suspect = TS_TIME_NONE;
  time->anchor_pts = TS_TIME_NONE;
  time->n_since_restart = -1;
  ts_reorder_init (&time->reorder);
}

static bool
is_known (int64_t time)
{
  return time > -MAX_TIME && time < MAX_TIME;
}

/* Returns the duration of a picture. */
static int64_t
get_frame_time (const TsTrackTime *time)
{
  if (time->nominal > 0)
    return time->nominal;
  return time->step > TS_TIME_TICK ? time->step : DEFAULT_FRAME_TIME;
}

/* --- Distance of a timestamp --- */

/**
 * Raw: timestamps of an access unit as received.
 * @pts: PTS, TS_TIME_NONE if unknown
 * @dts: DTS, TS_TIME_NONE if unknown
 * @key: the timestamp that is checked, TS_TIME_NONE without any
 * @by_pts: @key is @pts, which goes back if pictures are reordered
 */
typedef struct
{
  int64_t pts;
  int64_t dts;
  int64_t key;
  bool by_pts;
} Raw;

static void
get_raw (const TsTrackTime *time, int64_t pts, int64_t dts, Raw *raw)
{
  raw->pts = is_known (pts) ? pts : TS_TIME_NONE;
  raw->dts = is_known (dts) ? dts : TS_TIME_NONE;
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
  Raw raw;

  get_raw (time, pts, dts, &raw);
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
    return time->last_dts != TS_TIME_NONE || is_known (now) ||
        key < timeline->first - MAX_AHEAD;
  if (is_known (now))
    return distance > MAX_AHEAD && key > now + MAX_AHEAD;
  return is_far_ahead_no_clock (timeline, time, key, distance);
}

/* Returns true if PTS is further ahead of DTS than a picture can be reordered.
 * @duration: duration of the picture, if known. Its own step counts as well,
 * since it is the only one at the start of a time lapse. */
static bool
is_apart (const TsTrackTime *time, int64_t pts, int64_t dts, int64_t duration)
{
  int64_t step = get_frame_time (time), apart = pts - dts;

  if (time->pace > step)
    step = time->pace;
  if (is_known (duration) && duration > step)
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
  Raw raw;

  get_raw (time, pts, dts, &raw);
  return raw.pts != TS_TIME_NONE && raw.dts != TS_TIME_NONE && !raw.by_pts &&
      is_apart (time, raw.pts, raw.dts, TS_TIME_NONE);
}

bool
ts_timeline_needs_next (const TsTimeline *timeline, const TsTrackTime *time,
    int64_t pts, int64_t dts)
{
  int64_t expected, key;
  Raw raw;

  get_raw (time, pts, dts, &raw);
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

  if (is_known (au->now))
    return false;
  if (!timeline->has_next)
    return timeline->alone;
  if (!is_known (timeline->next) || timeline->next >= raw - MAX_BACKWARD)
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
  bool ahead = raw + time->shift > expected && is_known (raw + time->shift) &&
      !is_known (au->now);

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
  return !is_known (au->now) && timeline->has_next &&
      (!is_known (timeline->next) || timeline->next >= au->pts - MAX_REORDER);
}

/* Converts received timestamps to the timeline. */
static void
place (TsTimeline *timeline, TsTrackTime *time, const TsAccessUnit *au,
    TsStats *stats, Raw *raw)
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

/* --- Missing timestamps --- */

/* Returns the place of an access unit without timestamps: one step after the
 * access unit before, or by the clock that paces the input. */
static int64_t
get_place_in_order (const TsTimeline *timeline, TsTrackTime *time,
    const TsAccessUnit *au, const TsPicture *picture)
{
  bool paced = is_known (au->now);
  int64_t step, tolerance, off;

  if (time->base == TS_TIME_NONE && paced)
    time->clock = 0;
  if (time->base == TS_TIME_NONE)
    return paced ? au->now : timeline->now != TS_TIME_NONE ? timeline->now : 0;
  if (!paced || time->timed) {
    step = time->step > 0 ? time->step : get_frame_time (time);
    /* If a parser makes two access units of one buffer, the first gets its
     * timestamp. The second precedes the next timestamp. */
    if (picture && picture->depth == 0 && time->timed && time->last_timed)
      step /= 2;
    return time->base + step;
  }
  tolerance = time->nominal > 0 ? CLOCK_TOLERANCE : 0;
  step = time->nominal > 0 ? time->nominal : DEFAULT_FRAME_TIME;
  if (time->clock == TS_TIME_NONE)
    time->clock = au->now - (time->base + step);
  off = au->now - time->clock - (time->base + step);
  if (off > CLOCK_PAUSE)
    return time->base + step + off;
  if (off > -tolerance && off < tolerance)
    return time->base + step;
  off = (off > 0 ? off - tolerance : off + tolerance) / CLOCK_SMOOTHING;
  /* Access units of a burst keep a distance. */
  return time->base + (step + off > step / 4 ? step + off : step / 4);
}

/* Most pictures between the places of a picture in decoding order and in output
 * order. */
#define MAX_APART (REC_NAL_MAX_REORDER + 2)

/* Counts the picture, and learns from its timestamps how far output is behind
 * decoding. */
static void
note_order (TsTrackTime *time, const TsPicture *picture, const Raw *raw)
{
  int64_t ahead;

  if (picture->restart)
    time->n_since_restart = 0;
  else if (time->n_since_restart >= 0 && time->n_since_restart < INT32_MAX)
    time->n_since_restart++;
  if (time->n_since_restart < 0 || raw->pts == TS_TIME_NONE ||
      raw->dts == TS_TIME_NONE || time->made)
    return;
  ahead = picture->order - 2 * (int64_t)time->n_since_restart; /* fields */
  if (ahead >= -2 * MAX_APART && ahead <= 2 * MAX_APART)
    time->order_delay = raw->pts - raw->dts - ahead * get_frame_time (time) / 2;
}

/* Returns the PTS of the first picture in output order after a restart at
 * @base in decoding order. Without a DTS, it follows the pictures before. */
static int64_t
get_restart_time (const TsTrackTime *time, int64_t base, bool has_dts)
{
  if (!time->timed || time->high_pts == TS_TIME_NONE)
    return base;
  return has_dts ? base + time->order_delay
                 : time->high_pts + get_frame_time (time);
}

/* Returns the PTS of a picture at @base in decoding order: by the number of
 * pictures that it is output before or after. @has_dts: @base is its DTS. */
static int64_t
get_pts_by_order (
    TsTrackTime *time, const TsPicture *picture, int64_t base, bool has_dts)
{
  int64_t frame_time = get_frame_time (time), pts, fields;
  const int64_t most = MAX_APART;

  if (!picture->has_order || picture->depth == 0)
    return base;
  if (picture->restart || time->anchor_pts == TS_TIME_NONE) {
    time->anchor_pts =
        picture->restart ? get_restart_time (time, base, has_dts) : base;
    time->anchor_order = picture->restart ? 0 : picture->order;
    time->n_since_anchor = 0;
  }
  fields = (int64_t)picture->order - time->anchor_order;
  if (!time->timed) {
    /* If @base follows a clock, so do earlier and later pictures. */
    fields -= 2 * (int64_t)time->n_since_anchor;
    if (time->n_since_anchor < INT32_MAX)
      time->n_since_anchor++;
    frame_time = time->nominal > 0 ? time->nominal : DEFAULT_FRAME_TIME;
    if (fields > 2 * most || fields < -2 * most)
      return base;
    return base + fields * frame_time / 2;
  }
  if (fields > 4 * most || fields < -4 * most)
    return base;
  pts = time->anchor_pts + fields * frame_time / 2;
  if (pts - base > most * frame_time || base - pts > most * frame_time)
    return base;
  return pts;
}

/* Adds a PTS to @raw, which is on the timeline. */
static void
complete (const TsTimeline *timeline, TsTrackTime *time, const TsAccessUnit *au,
    const TsPicture *picture, TsStats *stats, Raw *raw)
{
  int64_t base = raw->dts;
  bool has_pts = raw->pts != TS_TIME_NONE;

  if (raw->key == TS_TIME_NONE) {
    stats->no_timestamp++;
    base = get_place_in_order (timeline, time, au, picture);
  }
  if (picture && picture->has_order)
    note_order (time, picture, raw);
  if (raw->pts == TS_TIME_NONE && picture) {
    raw->pts = get_pts_by_order (time, picture, base, raw->dts != TS_TIME_NONE);
    /* The DTS does not allow for reordered pictures. */
    if (raw->pts < raw->dts || picture->depth > 0)
      raw->dts = TS_TIME_NONE;
  } else if (raw->pts == TS_TIME_NONE) {
    raw->pts = base;
  }
  /* Pictures without timestamps that follow the first one are output after it:
   * its DTS does not matter. */
  if (picture && has_pts && !time->timed)
    base = raw->pts;
  time->base = base != TS_TIME_NONE ? base : raw->pts;
  if (picture && picture->has_order && (time->timed || has_pts)) {
    time->anchor_pts = raw->pts;
    time->anchor_order = picture->order;
    time->n_since_anchor = 1;
  }
}

/* --- DTS --- */

/* Returns true if DTS leaves less room than the reordering of pictures needs:
 * a parser has made it up. */
static bool
is_made_up (const TsTrackTime *time, const TsPicture *picture, const Raw *raw)
{
  return picture->stated && picture->depth > 0 &&
      (time->last_dts == TS_TIME_NONE || picture->restart) &&
      raw->pts - raw->dts < picture->depth * get_frame_time (time) / 2;
}

/* Returns true if DTS leaves no room for pictures that are skipped in decoding
 * order, and output before this one: the source gives PTS as DTS. */
static bool
is_no_dts (const TsTrackTime *time, const TsPicture *picture, const Raw *raw)
{
  int64_t frame_time = get_frame_time (time);

  return picture->has_order && !picture->restart && picture->depth > 0 &&
      time->anchor_pts != TS_TIME_NONE && raw->pts != TS_TIME_NONE &&
      raw->dts > raw->pts - frame_time / 2 &&
      (int64_t)picture->order - time->anchor_order > 2 &&
      raw->pts - time->last_pts > frame_time * 3 / 2;
}

/* A second field follows half a frame after the first, and is decoded after
 * it. */
static void
fix_second_field (const TsTrackTime *time, Raw *raw)
{
  int64_t half = time->nominal > 0 ? time->nominal / 2 : DEFAULT_FRAME_TIME / 2;

  if (raw->pts == TS_TIME_NONE)
    raw->pts = time->last_pts + half;
  if (raw->dts == TS_TIME_NONE || raw->dts <= time->last_dts ||
      raw->dts > raw->pts || time->made)
    raw->dts = time->last_dts + half;
  if (raw->dts > raw->pts)
    raw->dts = raw->pts;
}

/* Decides the DTS of a picture with a known PTS. */
static void
decide_dts (TsTrackTime *time, const TsPicture *picture, Raw *raw)
{
  if (raw->dts != TS_TIME_NONE && !time->made &&
      is_made_up (time, picture, raw))
    time->made = true;
  /* The DTS contradict the PTS of their own pictures. */
  if (raw->dts != TS_TIME_NONE && time->last_dts != TS_TIME_NONE &&
      raw->pts <= time->last_dts)
    time->made = true;
  if (!picture->leading)
    ts_reorder_restart (&time->reorder, false);
  if (raw->dts == TS_TIME_NONE || time->made) {
    raw->dts = ts_reorder_push (
        &time->reorder, raw->pts, time->last_dts, get_frame_time (time));
  } else {
    ts_reorder_note (&time->reorder, raw->pts, raw->dts);
  }
}

static void
fix_order (TsTrackTime *time, TsStats *stats, Raw *raw)
{
  int64_t moved;

  time->effect = TS_EFFECT_NONE;
  if (time->last_dts != TS_TIME_NONE) {
    if (raw->dts < time->last_dts + TS_TIME_TICK) {
      if (raw->dts <= time->last_dts) {
        stats->backward++;
        time->effect = TS_EFFECT_DTS;
      }
      raw->dts = time->last_dts + TS_TIME_TICK;
    } else {
      time->pace = raw->dts - time->last_dts;
      if (time->pace > MAX_STEP)
        time->pace = MAX_STEP;
      if (time->pace < MAX_BACKWARD)
        time->step = time->pace;
    }
  }
  moved = raw->dts - raw->pts;
  if (moved <= 0)
    return;
  raw->pts = raw->dts;
  if (moved > ROUNDING)
    time->effect = moved <= TS_TIME_TICK ? TS_EFFECT_TICK : TS_EFFECT_MOVED;
}

/* --- Correction --- */

/* Updates facts from the stream about its time. */
static void
learn (TsTrackTime *time, const TsPicture *picture, int64_t nominal)
{
  if (nominal <= 0 && picture)
    nominal = picture->frame_time;
  if (nominal > 0 && nominal <= MAX_NOMINAL)
    time->nominal = nominal;
  if (picture)
    ts_reorder_set_depth (&time->reorder, picture->depth, picture->declared);
}

static void
remember (TsTimeline *timeline, TsTrackTime *time, const TsAccessUnit *au,
    const Raw *raw)
{
  time->end = TS_TIME_NONE;
  if (is_known (au->duration) && au->duration > 0) {
    time->end = raw->pts + au->duration;
    if (au->duration < MAX_BACKWARD)
      time->step = au->duration;
  }
  time->last_dts = raw->dts;
  time->last_pts = raw->pts;
  if (time->high_pts == TS_TIME_NONE || raw->pts > time->high_pts)
    time->high_pts = raw->pts;
  if (timeline->now == TS_TIME_NONE || raw->dts > timeline->now)
    timeline->now = raw->dts;
  if (timeline->first == TS_TIME_NONE)
    timeline->first = raw->dts;
  timeline->has_next = false;
}

void
ts_timeline_correct (TsTimeline *timeline, TsTrackTime *time,
    const TsAccessUnit *au, const TsPicture *picture, int64_t nominal,
    TsStats *stats, int64_t *pts, int64_t *dts)
{
  bool second =
      picture && picture->second_field && time->last_pts != TS_TIME_NONE;
  bool timed;
  Raw raw;

  learn (time, picture, nominal);
  get_raw (time, au->pts, au->dts, &raw);
  if (picture && is_known (au->dts) && is_known (au->pts) && au->dts > au->pts)
    time->made = true;
  if (raw.key != TS_TIME_NONE) {
    place (timeline, time, au, stats, &raw);
    /* Parsers assign a time to the first picture of a raw stream only. */
    time->timed = time->timed || time->last_dts != TS_TIME_NONE;
  }
  timed = raw.key != TS_TIME_NONE;
  if (picture && !second && is_no_dts (time, picture, &raw))
    time->made = true;
  if (second)
    fix_second_field (time, &raw);
  else
    complete (timeline, time, au, picture, stats, &raw);
  if (picture && !second)
    decide_dts (time, picture, &raw);
  else if (raw.dts == TS_TIME_NONE || raw.dts > raw.pts)
    raw.dts = raw.pts;
  time->last_timed = timed;
  fix_order (time, stats, &raw);
  remember (timeline, time, au, &raw);
  *pts = raw.pts;
  *dts = raw.dts;
}

int64_t
ts_track_time_get_reorder_delay (const TsTrackTime *time)
{
  return ts_reorder_get_delay (&time->reorder, get_frame_time (time));
}

int64_t
ts_track_time_estimate_dts (const TsTrackTime *time, int64_t pts)
{
  if (time->last_dts == TS_TIME_NONE)
    return pts;
  if (!is_known (pts))
    return time->base + get_frame_time (time) - time->shift;
  return ts_reorder_estimate (&time->reorder, pts + time->shift) - time->shift;
}

int64_t
ts_timeline_place_idle (const TsTimeline *timeline, const TsTrackTime *time,
    int64_t raw, int64_t now)
{
  int64_t place;

  if (!is_known (raw) || timeline->now == TS_TIME_NONE)
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
  if (is_known (now) && place > now + MAX_AHEAD &&
      place > timeline->now + MAX_AHEAD)
    return TS_TIME_NONE;
  return place <= timeline->now + MAX_IDLE ? place : TS_TIME_NONE;
}

void
ts_track_time_change_codec (TsTrackTime *time)
{
  ts_reorder_init (&time->reorder);
  time->nominal = 0;
  time->anchor_pts = TS_TIME_NONE;
  time->n_since_restart = -1;
  time->order_delay = 0;
  time->made = false;
}
