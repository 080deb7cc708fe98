/* gst-tsrec: whether input arrives at the pace of the clock
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A source that is live need not say so: an application's appsrc is not live
 * unless it is told. What arrives no faster than it is to be played, with
 * nobody keeping it back, is live; a file is read as fast as it can be written.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

/**
 * RecPace: of one source. All times are ns.
 * @start_now: clock time that the source took, when it is measured from
 * @start_time: time of the access unit then
 * @settle: how long it has to be measured
 * @units: access units, all of them
 * @measured: access units since @start_now
 * @paced: it arrives at the pace of the clock
 * @last_now: clock time of the last access unit
 * @last_time: its time
 * @in_time: the clock had gone on since the one before as far as that says
 */
typedef struct
{
  int64_t start_now;
  int64_t start_time;
  int64_t settle;
  uint64_t units;
  unsigned measured;
  bool paced;
  int64_t last_now;
  int64_t last_time;
  bool in_time;
} RecPace;

void rec_pace_init (RecPace *pace);

/* An access unit of @time has arrived at @now; of the time until then the
 * source was kept waiting for @kept, so that its own pace is not known from
 * it. Returns whether the source is paced, as in @pace. */
bool rec_pace_add (RecPace *pace, int64_t now, int64_t kept, int64_t time);

/* Whether enough has come to say so or otherwise. */
bool rec_pace_is_known (const RecPace *pace);
