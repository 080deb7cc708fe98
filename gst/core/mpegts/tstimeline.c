/* gst-tsrec: timestamp correction
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One state machine: the steps share TsTrackTime, and the order in which they run
 * is the algorithm. The step that judges timestamps that are far off is in
 * tstimelinejump.c.
 */

#include "tstimeline-private.h"

#include <string.h>

/* Access units without timestamps follow the clock. If their duration is
 * known, only deviations above this are corrected. */
#define CLOCK_TOLERANCE (200 * TS_NS_PER_MS)
/* A larger deviation is a pause. */
#define CLOCK_PAUSE (1 * TS_NS_PER_S)
#define CLOCK_SMOOTHING 8
/* Rounding error of ticks in ns. A move by less is none. */
#define ROUNDING 10

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

/* --- Missing timestamps --- */

/* Returns the place of an access unit without timestamps: one step after the
 * access unit before, or by the clock that paces the input. */
static int64_t
get_place_in_order (const TsTimeline *timeline, TsTrackTime *time,
    const TsAccessUnit *au, const TsPicture *picture)
{
  bool paced = ts_time_is_known (au->now);
  int64_t step, tolerance, off;

  if (time->base == TS_TIME_NONE && paced)
    time->clock = 0;
  if (time->base == TS_TIME_NONE)
    return paced ? au->now : timeline->now != TS_TIME_NONE ? timeline->now : 0;
  if (!paced || time->timed) {
    step = time->step > 0 ? time->step : ts_track_time_get_frame_time (time);
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
note_order (TsTrackTime *time, const TsPicture *picture, const TsRawTime *raw)
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
    time->order_delay =
        raw->pts - raw->dts - ahead * ts_track_time_get_frame_time (time) / 2;
}

/* Returns the PTS of the first picture in output order after a restart at
 * @base in decoding order. Without a DTS, it follows the pictures before. */
static int64_t
get_restart_time (const TsTrackTime *time, int64_t base, bool has_dts)
{
  if (!time->timed || time->high_pts == TS_TIME_NONE)
    return base;
  return has_dts ? base + time->order_delay
                 : time->high_pts + ts_track_time_get_frame_time (time);
}

/* Returns the PTS of a picture at @base in decoding order: by the number of
 * pictures that it is output before or after. @has_dts: @base is its DTS. */
static int64_t
get_pts_by_order (
    TsTrackTime *time, const TsPicture *picture, int64_t base, bool has_dts)
{
  int64_t frame_time = ts_track_time_get_frame_time (time), pts, fields;
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
    const TsPicture *picture, TsStats *stats, TsRawTime *raw)
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
is_made_up (
    const TsTrackTime *time, const TsPicture *picture, const TsRawTime *raw)
{
  return picture->stated && picture->depth > 0 &&
      (time->last_dts == TS_TIME_NONE || picture->restart) &&
      raw->pts - raw->dts <
      picture->depth * ts_track_time_get_frame_time (time) / 2;
}

/* Returns true if DTS leaves no room for pictures that are skipped in decoding
 * order, and output before this one: the source gives PTS as DTS. */
static bool
is_no_dts (
    const TsTrackTime *time, const TsPicture *picture, const TsRawTime *raw)
{
  int64_t frame_time = ts_track_time_get_frame_time (time);

  return picture->has_order && !picture->restart && picture->depth > 0 &&
      time->anchor_pts != TS_TIME_NONE && raw->pts != TS_TIME_NONE &&
      raw->dts > raw->pts - frame_time / 2 &&
      (int64_t)picture->order - time->anchor_order > 2 &&
      raw->pts - time->last_pts > frame_time * 3 / 2;
}

/* A second field follows half a frame after the first, and is decoded after
 * it. */
static void
fix_second_field (const TsTrackTime *time, TsRawTime *raw)
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
decide_dts (TsTrackTime *time, const TsPicture *picture, TsRawTime *raw)
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
    raw->dts = ts_reorder_push (&time->reorder, raw->pts, time->last_dts,
        ts_track_time_get_frame_time (time));
  } else {
    ts_reorder_note (&time->reorder, raw->pts, raw->dts);
  }
}

static void
fix_order (TsTrackTime *time, TsStats *stats, TsRawTime *raw)
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
    const TsRawTime *raw)
{
  time->end = TS_TIME_NONE;
  if (ts_time_is_known (au->duration) && au->duration > 0) {
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
  TsRawTime raw;

  learn (time, picture, nominal);
  ts_raw_time_init (&raw, time, au->pts, au->dts);
  if (picture && ts_time_is_known (au->dts) && ts_time_is_known (au->pts) &&
      au->dts > au->pts)
    time->made = true;
  if (raw.key != TS_TIME_NONE) {
    ts_timeline_place (timeline, time, au, stats, &raw);
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
  return ts_reorder_get_delay (
      &time->reorder, ts_track_time_get_frame_time (time));
}

int64_t
ts_track_time_estimate_dts (const TsTrackTime *time, int64_t pts)
{
  if (time->last_dts == TS_TIME_NONE)
    return pts;
  if (!ts_time_is_known (pts))
    return time->base + ts_track_time_get_frame_time (time) - time->shift;
  return ts_reorder_estimate (&time->reorder, pts + time->shift) - time->shift;
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
