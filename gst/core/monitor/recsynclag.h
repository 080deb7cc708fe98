/* gst-tsrec: age of the oldest byte that a power cut would destroy
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <stdint.h>

#define REC_SYNC_LAG_SAMPLES 64

/**
 * RecSyncLag:
 * @n: number of samples
 * @sample: bytes written at a time, for data that is not durable, oldest first
 *
 * All zero is a valid value.
 */
typedef struct
{
  unsigned n;
  struct
  {
    uint64_t time;
    uint64_t written;
  } sample[REC_SYNC_LAG_SAMPLES];
} RecSyncLag;

/* Adds a sample: @written bytes at time @now, of which @durable are durable.
 * Returns the age of the oldest byte that is not durable, in the unit of @now; 0
 * if there is none. The error is at most the time between two samples, or an
 * eighth of a long age. */
uint64_t rec_sync_lag_update (
    RecSyncLag *lag, uint64_t now, uint64_t written, uint64_t durable);
