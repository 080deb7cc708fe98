/* gst-tsrec: end of fragments that are aligned to the clock
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recclockalign.h"

#define SECOND UINT64_C (1000000000)
#define DAY (86400 * SECOND)

static uint64_t
to_next_multiple (uint64_t local, uint64_t period)
{
  uint64_t remaining;

  if (period > DAY)
    return period - local % period;
  local %= DAY;
  remaining = period - local % period;
  return remaining < DAY - local ? remaining : DAY - local;
}

uint64_t
rec_clock_align_tolerance (uint64_t period)
{
  return period / 10 < SECOND ? period / 10 : SECOND;
}

uint64_t
rec_clock_align_early (uint64_t local, uint64_t period)
{
  uint64_t remaining;

  if (period == 0)
    return 0;
  remaining = to_next_multiple (local, period);
  return remaining <= rec_clock_align_tolerance (period) ? remaining : 0;
}

uint64_t
rec_clock_align_remaining (uint64_t local, uint64_t period)
{
  uint64_t early, next;

  if (period == 0)
    return UINT64_MAX;
  early = rec_clock_align_early (local, period);
  next = to_next_multiple (local + early, period);
  return next > UINT64_MAX - early ? UINT64_MAX : early + next;
}
