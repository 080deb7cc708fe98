/* gst-tsrec: how old the oldest byte is that a power cut would take
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recsynclag.h"

#include <string.h>

/* Makes room by forgetting every other look, but never the oldest. */
static void
thin_out (RecSyncLag *lag)
{
  unsigned kept = 0;

  for (unsigned i = 0; i < lag->n; i += 2)
    lag->sample[kept++] = lag->sample[i];
  lag->n = kept;
}

uint64_t
rec_sync_lag_update (
    RecSyncLag *lag, uint64_t now, uint64_t written, uint64_t durable)
{
  unsigned safe = 0;

  /* A new recording counts from 0 again. */
  if (lag->n > 0 && written < lag->sample[lag->n - 1].written)
    lag->n = 0;
  if (written > durable &&
      (lag->n == 0 || written > lag->sample[lag->n - 1].written)) {
    if (lag->n == REC_SYNC_LAG_SAMPLES)
      thin_out (lag);
    lag->sample[lag->n].time = now;
    lag->sample[lag->n].written = written;
    lag->n++;
  }
  while (safe < lag->n && lag->sample[safe].written <= durable)
    safe++;
  lag->n -= safe;
  memmove (lag->sample, lag->sample + safe, lag->n * sizeof lag->sample[0]);
  return lag->n > 0 ? now - lag->sample[0].time : 0;
}
