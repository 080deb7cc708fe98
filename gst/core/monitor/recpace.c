/* gst-tsrec: whether input arrives at the pace of the clock
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recpace.h"

#define MS INT64_C (1000000)
/* Access units and time for a result. The time doubles after each wrong
 * result. */
#define MIN_UNITS 3
#define SETTLE_TIME (500 * MS)
#define MAX_SETTLE_TIME (8000 * MS)
/* Longest lead over the clock that an encoder or a network may have for a
 * moment. */
#define MAX_LEAD (200 * MS)
/* Longest burst from queues after pacing was detected. */
#define MAX_PACED_LEAD (2000 * MS)
/* Two clocks differ by no more than 1/1000. */
#define MAX_DRIFT 1000

void
rec_pace_init (RecPace *pace)
{
  pace->start_now = pace->start_time = 0;
  pace->settle = SETTLE_TIME;
  pace->units = 0;
  pace->measured = 0;
  pace->paced = false;
  pace->last_now = pace->last_time = 0;
  pace->in_time = false;
}

bool
rec_pace_is_known (const RecPace *pace)
{
  return pace->units >= MIN_UNITS;
}

static void
begin (RecPace *pace, int64_t now, int64_t time)
{
  pace->start_now = now;
  pace->start_time = time;
  pace->measured = 1;
}

/* Saturated: timestamps may be anything. */
static int64_t
subtract (int64_t a, int64_t b)
{
  int64_t difference;

  if (__builtin_sub_overflow (a, b, &difference))
    return a < b ? INT64_MIN / 2 : INT64_MAX / 2;
  return difference;
}

static int64_t
get_lead (const RecPace *pace, int64_t now, int64_t time)
{
  int64_t passed = now - pace->start_now;

  return subtract (
      subtract (time, pace->start_time), passed + passed / MAX_DRIFT);
}

/* While the input is paced, the time that it is kept waiting counts: the burst
 * after a wait has the data that arrived during the wait. */
static void
watch (RecPace *pace, int64_t now, int64_t kept, int64_t time)
{
  if (get_lead (pace, now, time) <= MAX_PACED_LEAD)
    return;
  pace->paced = false;
  if (pace->settle < MAX_SETTLE_TIME)
    pace->settle *= 2;
  begin (pace, now - kept, time);
}

/* The input is faster than the clock, or follows a pause, which is no measure of
 * its pace: measures from here. */
static void
measure (RecPace *pace, int64_t now, int64_t kept, int64_t time)
{
  int64_t passed = now - kept - pace->start_now;
  int64_t lead = get_lead (pace, now - kept, time);
  int64_t pause = passed / 2 > MAX_LEAD ? passed / 2 : MAX_LEAD;

  if (pace->measured == 0 || lead > MAX_LEAD || lead < -pause) {
    begin (pace, now - kept, time);
    return;
  }
  if (++pace->measured < MIN_UNITS || passed < pace->settle)
    return;
  pace->paced = true;
  begin (pace, now, time);
}

bool
rec_pace_add (RecPace *pace, int64_t now, int64_t kept, int64_t time)
{
  pace->in_time = pace->units > 0 &&
      subtract (time, pace->last_time) <= now - pace->last_now + MAX_PACED_LEAD;
  pace->last_now = now;
  pace->last_time = time;
  pace->units++;
  if (pace->paced)
    watch (pace, now, kept, time);
  else
    measure (pace, now, kept, time);
  return pace->paced;
}
