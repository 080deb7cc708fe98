/* gst-tsrec: end of fragments that are aligned to the clock
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <stdint.h>

/* Returns the time from @local to the next multiple of @period, all in ns.
 * @local is local time since 1970-01-01 00:00 local time. Multiples of a
 * @period of up to one day are counted from each midnight, which is a multiple
 * itself; multiples of a longer @period from 1970. A remainder of at most
 * rec_clock_align_tolerance() is added to the period after it. The result is
 * greater than 0; UINT64_MAX if @period is 0. */
uint64_t rec_clock_align_remaining (uint64_t local, uint64_t period);

/* Returns the remainder at @local, ns, if it is too short for a fragment of its
 * own, else 0. */
uint64_t rec_clock_align_early (uint64_t local, uint64_t period);

/* Returns the longest remainder that gets no fragment of its own, ns: a tenth
 * of @period, at most 1 s. The alignment makes no fragment this
 * short. */
uint64_t rec_clock_align_tolerance (uint64_t period);
