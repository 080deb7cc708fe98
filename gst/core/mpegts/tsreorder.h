/* gst-tsrec: decoding times for pictures with presentation times
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * In a stream whose pictures are reordered by at most N, the (N+1)th highest
 * PTS so far is a valid DTS of the current picture: it increases, no later
 * picture is output before it, and no picture has to be waited for. Before N+1
 * pictures, and after N was raised, DTS are placed in the room before that
 * time.
 *
 * All times are nanoseconds on one continuous timeline.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "recnalparse.h"

/* Least distance of two DTS, ns: slightly more than one tick of 90 kHz. */
#define TS_TIME_TICK 11112

/**
 * TsReorder: state of one track.
 * @pts: the highest PTS so far, in descending order
 * @n: number of @pts
 * @depth: N: the declared depth, or more if the stream has exceeded it
 * @declared_depth: the declared depth
 * @declared: @declared_depth is in the stream; otherwise it is the limit of the profile
 *   and level
 * @lead: number of pictures, in addition to @depth, that may be output before
 *   the first picture
 * @reordered: a picture was output before one that precedes it in decoding
 *   order
 * @max_delay: longest distance of a DTS before its PTS, ns
 */
typedef struct
{
  int64_t pts[REC_NAL_MAX_REORDER + 1];
  unsigned n;
  unsigned depth;
  unsigned declared_depth;
  unsigned lead;
  bool declared;
  bool reordered;
  int64_t max_delay;
} TsReorder;

void ts_reorder_init (TsReorder *reorder);

/* Sets the declared depth, 0 to REC_NAL_MAX_REORDER. */
void ts_reorder_set_depth (TsReorder *reorder, unsigned depth, bool declared);

/* Starts again with the next picture. @leading: later pictures may be output
 * before it. */
void ts_reorder_restart (TsReorder *reorder, bool leading);

/* Takes the next picture in decoding order. @last_dts: DTS of the picture
 * before, INT64_MIN if there is none. @frame_time: approximate duration of a
 * picture, above 0. Returns its DTS: above @last_dts and not above @pts or,
 * without room between the two, the lowest value above @last_dts. */
int64_t ts_reorder_push (
    TsReorder *reorder, int64_t pts, int64_t last_dts, int64_t frame_time);

/* Like ts_reorder_push(), for a picture whose DTS is known. */
void ts_reorder_note (TsReorder *reorder, int64_t pts, int64_t dts);

/* Returns an estimate of the result of ts_reorder_push(). */
int64_t ts_reorder_estimate (const TsReorder *reorder, int64_t pts);

/* Returns the reorder delay: the longest distance of DTS before PTS as far as
 * it is known, up to ten seconds. */
int64_t ts_reorder_get_delay (const TsReorder *reorder, int64_t frame_time);
