/* gst-tsrec: timestamps that can be written, from timestamps as they come
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Live sources deliver access units without timestamps, with timestamps that
 * jump back, and with timestamps from another world. Each track here yields
 * DTS that strictly increase and PTS that are never before them, changing
 * nothing that is right. All times are nanoseconds.
 */

#pragma once

#include "tsmux.h"

/**
 * TsTimeline: what the tracks of one mux share.
 * @now: highest DTS of any track, TS_TIME_NONE before the first
 * @shift: what was last added to a track whose timestamps started over
 */
typedef struct
{
  int64_t now;
  int64_t shift;
} TsTimeline;

/**
 * TsTrackTime: what a track knows of its own.
 * @last_dts: of its last access unit, as yielded
 * @step: how long an access unit lasts, about
 * @shift: what is added to its timestamps
 * @suspect: raw DTS of an access unit that was far off, until the next one
 *   shows whether the timeline moved or that one was wrong
 */
typedef struct
{
  int64_t last_dts;
  int64_t step;
  int64_t shift;
  int64_t suspect;
} TsTrackTime;

void ts_timeline_init (TsTimeline *timeline);
void ts_track_time_init (TsTrackTime *time);

/* Yields *@pts and *@dts of @au and moves @timeline on. */
void ts_time_fix (TsTimeline *timeline, TsTrackTime *time,
    const TsAccessUnit *au, TsStats *stats, int64_t *pts, int64_t *dts);

/* Whether TsAccessUnit.now could make a difference to ts_time_fix(). */
bool ts_time_needs_now (const TsTimeline *timeline, const TsTrackTime *time,
    int64_t pts, int64_t dts);

/* ns to units of 90 kHz, to the nearest. */
static inline int64_t
ts_time_to_90k (int64_t ns)
{
  int64_t seconds = ns / TS_NS_PER_S;
  int64_t rest = ns % TS_NS_PER_S;

  return seconds * 90000 + (rest * 9 + (rest < 0 ? -50000 : 50000)) / 100000;
}
