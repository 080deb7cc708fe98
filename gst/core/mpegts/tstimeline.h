/* gst-tsrec: timestamp correction
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Live sources deliver missing, backward and unrelated timestamps. For each
 * track this yields strictly increasing DTS, and PTS >= DTS; valid timestamps
 * are not changed. PTS are those of the source. DTS that are missing or
 * impossible are generated (tsreorder.h). All times are nanoseconds.
 */

#pragma once

#include "tsmux.h"
#include "tspicture.h"
#include "tsreorder.h"

/**
 * TsTimeline: state that the tracks of one mux share.
 * @now: highest DTS of all tracks, TS_TIME_NONE before the first one
 * @first: the first DTS
 * @shift: offset of the last track that started again
 * @alone: there is only one track
 * @has_next: @next is set, for one access unit
 * @next: received time of the access unit after the current one, see
 *   ts_mux_set_next()
 */
typedef struct
{
  int64_t now;
  int64_t first;
  int64_t shift;
  bool alone;
  bool has_next;
  int64_t next;
} TsTimeline;

/* Effect of a correction on an access unit. */
typedef enum
{
  TS_EFFECT_NONE = 0,
  TS_EFFECT_DTS,  /* DTS was raised, PTS was kept */
  TS_EFFECT_TICK, /* PTS was moved by one tick at most */
  TS_EFFECT_MOVED /* PTS was moved by more than a tick */
} TsEffect;

/**
 * TsTrackTime: state of one track.
 * @last_dts: DTS of the last access unit, as written
 * @last_pts: PTS of the last access unit, as written
 * @high_pts: the highest PTS so far
 * @end: PTS plus duration of the last access unit, TS_TIME_NONE without a
 *   duration
 * @base: place of the last access unit in decoding order; an access unit
 *   without timestamps follows it
 * @clock: distance of the clock that paces the input ahead of @base,
 *   TS_TIME_NONE without a clock
 * @step: approximate duration of an access unit
 * @pace: last step of the timestamps, however long
 * @nominal: duration of an access unit by the caps or the stream, 0 if unknown
 * @shift: offset that is added to received timestamps
 * @suspect: received time of an access unit that was far off. The next access
 *   unit shows whether the timeline has moved or the time was wrong
 * @suspect_place: time that was written instead of @suspect
 * @anchor_pts: PTS of the picture with the place @anchor_order in output
 *   order, TS_TIME_NONE without one
 * @anchor_order: place of that picture in output order
 * @n_since_anchor: number of pictures since the anchor, if none has a
 *   timestamp
 * @n_since_restart: number of pictures since the last TsPicture.restart,
 *   -1 before one
 * @order_delay: how far the first picture in output order after a restart is
 *   after the DTS of the restart, as far as it is known
 * @timed: an access unit after the first one had a timestamp
 * @last_timed: the last access unit had a timestamp
 * @made: DTS are generated, because those of the source are missing or wrong
 * @reorder: generates DTS
 * @effect: effect of the correction of the last access unit
 */
typedef struct
{
  int64_t last_dts;
  int64_t last_pts;
  int64_t high_pts;
  int64_t end;
  int64_t base;
  int64_t clock;
  int64_t step;
  int64_t pace;
  int64_t nominal;
  int64_t shift;
  int64_t suspect;
  int64_t suspect_place;
  int64_t anchor_pts;
  int32_t anchor_order;
  int32_t n_since_anchor;
  int32_t n_since_restart;
  int64_t order_delay;
  bool timed;
  bool last_timed;
  bool made;
  TsEffect effect;
  TsReorder reorder;
} TsTrackTime;

void ts_timeline_init (TsTimeline *timeline);
void ts_track_time_init (TsTrackTime *time);

/* Stores the corrected timestamps of @au in *@pts and *@dts, and updates
 * @timeline. @picture: NULL except for video. @nominal: duration of @au by the
 * caps or the stream, 0 if unknown. Corrections are counted in @stats. */
void ts_timeline_correct (TsTimeline *timeline, TsTrackTime *time,
    const TsAccessUnit *au, const TsPicture *picture, int64_t nominal,
    TsStats *stats, int64_t *pts, int64_t *dts);

/* Returns true if TsAccessUnit.now can change the result of
 * ts_timeline_correct(). */
bool ts_timeline_needs_now (const TsTimeline *timeline, const TsTrackTime *time,
    int64_t pts, int64_t dts);

/* Returns true if TsTimeline.next can change the result of
 * ts_timeline_correct() without a clock. */
bool ts_timeline_needs_next (const TsTimeline *timeline,
    const TsTrackTime *time, int64_t pts, int64_t dts);

/* Returns true if PTS is further ahead of DTS than pictures can be reordered,
 * so that only the next access unit of the track can confirm it. */
bool ts_track_time_is_apart (const TsTrackTime *time, int64_t pts, int64_t dts);

/* Returns an estimate of the DTS of the next access unit, which has @pts, or
 * TS_TIME_NONE, and no DTS. Both are times as received. */
int64_t ts_track_time_estimate_dts (const TsTrackTime *time, int64_t pts);

/* Returns the place on the timeline of @raw, a time without data, or
 * TS_TIME_NONE if it is not believed. @time: NULL without a track. @now: as
 * TsAccessUnit.now. */
int64_t ts_timeline_place_idle (const TsTimeline *timeline,
    const TsTrackTime *time, int64_t raw, int64_t now);

/* Forgets facts about the codec of the track. Its time continues. */
void ts_track_time_change_codec (TsTrackTime *time);

/* Returns the longest distance of DTS before PTS, ns. */
int64_t ts_track_time_get_reorder_delay (const TsTrackTime *time);

/* Converts ns to units of 90 kHz, rounded. */
static inline int64_t
ts_time_to_90k (int64_t ns)
{
  int64_t seconds = ns / TS_NS_PER_S;
  int64_t rest = ns % TS_NS_PER_S;

  return seconds * 90000 + (rest * 9 + (rest < 0 ? -50000 : 50000)) / 100000;
}
