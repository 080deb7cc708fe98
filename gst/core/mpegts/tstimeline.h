/* gst-tsrec: timestamps that can be written, from timestamps as they come
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Live sources deliver access units without timestamps, with timestamps that
 * jump back, and with timestamps from another world. Each track here yields
 * DTS that strictly increase and PTS that are never before them, changing
 * nothing that is right. PTS are what the source says; DTS that it does not
 * say, or that cannot be, are made (tsreorder.h). All times are nanoseconds.
 */

#pragma once

#include "tsmux.h"
#include "tspicture.h"
#include "tsreorder.h"

/**
 * TsTimeline: what the tracks of one mux share.
 * @now: highest DTS of any track, TS_TIME_NONE before the first
 * @first: the first DTS
 * @shift: what was last added to a track whose timestamps started over
 * @alone: there is only one track
 * @has_next: @next is set, for one access unit
 * @next: time of what comes after it, raw
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

/* What a correction did to an access unit. */
typedef enum
{
  TS_EFFECT_NONE = 0,
  TS_EFFECT_DTS,  /* its DTS was raised, its PTS is as it came */
  TS_EFFECT_TICK, /* its PTS was moved by a tick at most */
  TS_EFFECT_MOVED /* its PTS was moved by more */
} TsEffect;

/**
 * TsTrackTime: what a track knows of its own.
 * @last_dts: of its last access unit, as yielded
 * @last_pts: its PTS
 * @high_pts: the highest PTS so far
 * @end: PTS or DTS of the last access unit, and how long it said it lasts
 * @base: when the last access unit came in its order, which one without
 *   timestamps follows
 * @clock: how far the clock that paces its input is ahead of @base,
 *   TS_TIME_NONE as long as none does
 * @step: how long an access unit lasts, about
 * @pace: the last step of its timestamps, however long
 * @nominal: how long one lasts by the caps or the stream, 0 when not known
 * @shift: what is added to its timestamps
 * @suspect: raw time of an access unit that was far off, until the next one
 *   shows whether the timeline moved or that one was wrong
 * @suspect_place: what was written instead of @suspect
 * @anchor_pts: PTS of the picture whose place in output order is
 *   @anchor_order, TS_TIME_NONE when there is none
 * @n_since_anchor: pictures since then, where none has a timestamp
 * @timed: it had timestamps, besides one of its first access unit
 * @last_timed: its last access unit had a timestamp
 * @made: DTS are made, as those of the source are not there or wrong
 * @reorder: makes them
 * @effect: what was done to the last access unit
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
  bool timed;
  bool last_timed;
  bool made;
  TsEffect effect;
  TsReorder reorder;
} TsTrackTime;

void ts_timeline_init (TsTimeline *timeline);
void ts_track_time_init (TsTrackTime *time);

/* Yields *@pts and *@dts of @au and moves @timeline on. @picture: of video,
 * otherwise NULL. @nominal: how long @au lasts by the caps or the stream, 0
 * when not known. */
void ts_timeline_correct (TsTimeline *timeline, TsTrackTime *time,
    const TsAccessUnit *au, const TsPicture *picture, int64_t nominal,
    TsStats *stats, int64_t *pts, int64_t *dts);

/* Whether TsAccessUnit.now could make a difference to ts_timeline_correct(). */
bool ts_timeline_needs_now (const TsTimeline *timeline, const TsTrackTime *time,
    int64_t pts, int64_t dts);

/* Whether TsTimeline.next could make a difference, when there is no clock. */
bool ts_timeline_needs_next (const TsTimeline *timeline,
    const TsTrackTime *time, int64_t pts, int64_t dts);

/* Whether PTS is further ahead of DTS than pictures can be reordered: only what
 * follows in the same track can show that it is real. */
bool ts_track_time_is_apart (const TsTrackTime *time, int64_t pts, int64_t dts);

/* About what DTS the track will give to its next access unit, which has @pts,
 * or TS_TIME_NONE, and no DTS. Both are as they come. */
int64_t ts_track_time_estimate_dts (const TsTrackTime *time, int64_t pts);

/* Where on the timeline @raw is, at which the track has nothing; TS_TIME_NONE
 * when it is not to be believed. @time: NULL for no track. @now: as
 * TsAccessUnit.now. */
int64_t ts_time_place_idle (const TsTimeline *timeline, const TsTrackTime *time,
    int64_t raw, int64_t now);

/* Forgets what the track knows of its codec; its time goes on. */
void ts_track_time_change_codec (TsTrackTime *time);

/* How far DTS of the track is before PTS at most, ns. */
int64_t ts_track_time_get_reorder_delay (const TsTrackTime *time);

/* ns to units of 90 kHz, to the nearest. */
static inline int64_t
ts_time_to_90k (int64_t ns)
{
  int64_t seconds = ns / TS_NS_PER_S;
  int64_t rest = ns % TS_NS_PER_S;

  return seconds * 90000 + (rest * 9 + (rest < 0 ? -50000 : 50000)) / 100000;
}
