/* gst-tsrec: decoding times for pictures that come with presentation times
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Of a stream whose pictures are reordered by at most N, the (N+1)th highest
 * PTS so far is a DTS of the present picture: it rises, no picture from here
 * on is output before it, and no picture has to be waited for. Before there
 * are as many, and after N was raised, DTS are made up in the room that is
 * left in front. All times are nanoseconds on one continuous timeline.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "recnalparse.h"

/* A bit more than one tick of 90 kHz: what DTS advances at least, ns. */
#define TS_TIME_TICK 11112

/**
 * TsReorder: of one track.
 * @pts: the highest so far, in descending order
 * @n: of @pts
 * @depth: N; what the stream says, or more where it proved to be more
 * @said: what the stream says
 * @declared: @said is in the stream; otherwise it is the most that it may use
 * @lead: pictures, besides those of @depth, that may be output before the
 *   first one
 * @reordered: a picture came that is output before one that came before it
 * @max_delay: the most that a DTS was before its PTS
 */
typedef struct
{
  int64_t pts[REC_NAL_MAX_REORDER + 1];
  unsigned n;
  unsigned depth;
  unsigned said;
  unsigned lead;
  bool declared;
  bool reordered;
  int64_t max_delay;
} TsReorder;

void ts_reorder_init (TsReorder *reorder);

/* What the stream says about its depth, 0 to REC_NAL_MAX_REORDER. */
void ts_reorder_set_depth (TsReorder *reorder, unsigned depth, bool declared);

/* The next picture starts anew. @leading: those that follow may be output
 * before it. */
void ts_reorder_restart (TsReorder *reorder, bool leading);

/* Takes the next picture, in decoding order. @last_dts: DTS of the one before,
 * INT64_MIN for none. @frame_time: how long a picture lasts, about, above 0.
 * Returns its DTS, above @last_dts and not above @pts, or, where there is no
 * room between the two, the least above @last_dts. */
int64_t ts_reorder_push (
    TsReorder *reorder, int64_t pts, int64_t last_dts, int64_t frame_time);

/* The same for a picture whose DTS is known. */
void ts_reorder_note (TsReorder *reorder, int64_t pts, int64_t dts);

/* About what DTS ts_reorder_push() would give. */
int64_t ts_reorder_estimate (const TsReorder *reorder, int64_t pts);

/* How far DTS is before PTS at most, as far as is known, up to ten seconds:
 * the reorder delay. */
int64_t ts_reorder_get_delay (const TsReorder *reorder, int64_t frame_time);
