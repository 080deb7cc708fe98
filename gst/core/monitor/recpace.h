/* gst-tsrec: detects input that arrives at the pace of the clock
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A live source may not declare itself live; appsrc does so only with
 * is-live=true. Input that arrives no faster than it is played,
 * without being blocked, is live. A file is read as fast as it can be written.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

/**
 * RecPace:
 * @start_now: clock time at the begin of the measurement, without the time
 *   during which the source was blocked, ns
 * @start_time: timestamp of the access unit at @start_now, ns
 * @settle: shortest duration of a measurement, ns
 * @units: access units in total
 * @measured: access units since @start_now
 * @paced: the input arrives at the pace of the clock
 * @last_now: clock time of the last access unit, ns
 * @last_time: timestamp of the last access unit, ns
 * @in_time: since the access unit before the last, the clock advanced at least
 *   as far as the timestamps
 *
 * State of one source.
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

/* Adds an access unit with timestamp @time that arrived at @now, ns. @kept is
 * the time during which the source was blocked; it does not count. Returns
 * @pace->paced. */
bool rec_pace_add (RecPace *pace, int64_t now, int64_t kept, int64_t time);

/* Returns true if the measurement is long enough for a result. */
bool rec_pace_is_known (const RecPace *pace);
