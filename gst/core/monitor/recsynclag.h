/* gst-tsrec: how old the oldest byte is that a power cut would take
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef REC_SYNC_LAG_H
#define REC_SYNC_LAG_H

#include <stdint.h>

#define REC_SYNC_LAG_SAMPLES 64

/* Looks at "so much was written" that are not yet known to be durable, oldest
 * first. Zero-initialize. */
typedef struct
{
  unsigned n;
  struct
  {
    uint64_t time;
    uint64_t written;
  } sample[REC_SYNC_LAG_SAMPLES];
} RecSyncLag;

/* One look: @written bytes by now, @durable of them safe. Returns since when
 * the oldest unsafe byte has been waiting, as a time span of the unit of @now;
 * 0 when all is safe. Exact to the time between two looks, or to an eighth of
 * itself when it is long. */
uint64_t rec_sync_lag_update (
    RecSyncLag *lag, uint64_t now, uint64_t written, uint64_t durable);

#endif
