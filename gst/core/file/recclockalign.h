/* gst-tsrec: when a fragment that is aligned to the clock ends
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <stdint.h>

/* Time from @local to the next multiple of @period, all in ns. @local: local
 * time, counted from 1970-01-01 00:00 local time. Multiples of a @period of up
 * to a day are counted from each midnight, and midnight is one; of longer ones
 * from 1970. A remainder of at most rec_clock_align_tolerance() belongs to the
 * period after it and is added to that one. The result is more than 0;
 * UINT64_MAX when @period is 0. */
uint64_t rec_clock_align_remaining (uint64_t local, uint64_t period);

/* The remainder at @local, if it is so short that it is no fragment of its own;
 * else 0. */
uint64_t rec_clock_align_early (uint64_t local, uint64_t period);

/* The longest remainder that is no fragment of its own, ns: a tenth of @period,
 * at most 1 s. It is longer than a fragment may end early. */
uint64_t rec_clock_align_tolerance (uint64_t period);
