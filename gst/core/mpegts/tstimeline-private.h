/* gst-tsrec: private parts of TsTimeline
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tstimeline.h"

/* A track that goes back further than this has started again; a smaller step
 * is jitter (WebRTC: 20 to 160 ms after congestion). */
#define MAX_BACKWARD (1 * TS_NS_PER_S)
/* Duration of a picture if it is unknown: 25 per second. */
#define DEFAULT_FRAME_TIME (40 * TS_NS_PER_MS)
/* Sums of a timestamp, a shift and an expected time must not overflow. A
 * timestamp beyond MAX_TIME (73 years, and 13 days for access units that
 * follow) is therefore unknown, a step is a day at most, and the tick of a
 * stream an hour. */
#define MAX_STEP (24 * 3600 * TS_NS_PER_S)
#define MAX_NOMINAL (3600 * TS_NS_PER_S)
#define MAX_TIME ((INT64_C (1) << 61) - (INT64_C (1) << 50))

/**
 * TsRawTime: timestamps of an access unit as received.
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
} TsRawTime;

/* Returns true if @time is a time, and not beyond MAX_TIME. */
static inline bool
ts_time_is_known (int64_t time)
{
  return time > -MAX_TIME && time < MAX_TIME;
}

/* Returns the duration of a picture. */
static inline int64_t
ts_track_time_get_frame_time (const TsTrackTime *time)
{
  if (time->nominal > 0)
    return time->nominal;
  return time->step > TS_TIME_TICK ? time->step : DEFAULT_FRAME_TIME;
}

/* --- tstimelinejump.c --- */

/* Reads the timestamps of an access unit of @time into @raw. */
void ts_raw_time_init (
    TsRawTime *raw, const TsTrackTime *time, int64_t pts, int64_t dts);

/* Converts received timestamps, with a key, to the timeline. A timestamp that is
 * far off gets a place on it, and is counted in @stats, unless the jump is real.
 */
void ts_timeline_place (TsTimeline *timeline, TsTrackTime *time,
    const TsAccessUnit *au, TsStats *stats, TsRawTime *raw);
