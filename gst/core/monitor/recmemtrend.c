/* gst-tsrec: whether memory grows without end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recmemtrend.h"

#define RING (REC_MEM_TREND_SAMPLES + 1)

void
rec_mem_trend_add (
    RecMemTrend *slope, uint64_t window, uint64_t now, uint64_t bytes)
{
  unsigned at;

  if (window != slope->window) {
    slope->window = window;
    slope->n = 0;
  }
  if (slope->n > 0) {
    unsigned last = (slope->first + slope->n - 1) % RING;

    if (now - slope->sample[last].time < window / REC_MEM_TREND_SAMPLES)
      return;
  }
  at = (slope->first + slope->n) % RING;
  slope->sample[at].time = now;
  slope->sample[at].bytes = bytes;
  if (slope->n < RING)
    slope->n++;
  else
    slope->first = (slope->first + 1) % RING;
}

bool
rec_mem_trend_get (const RecMemTrend *slope, uint64_t *growth)
{
  double t0, t_mean = 0, b_mean = 0, tb = 0, tt = 0, grown;
  unsigned last;

  if (slope->n < 2)
    return false;
  last = (slope->first + slope->n - 1) % RING;
  /* A timer skips a beat now and then; nearly the window is the window. */
  if (slope->sample[last].time - slope->sample[slope->first].time <
      slope->window / 10 * 9)
    return false;
  t0 = (double)slope->sample[slope->first].time;
  for (unsigned i = 0; i < slope->n; i++) {
    unsigned at = (slope->first + i) % RING;

    t_mean += (double)slope->sample[at].time - t0;
    b_mean += (double)slope->sample[at].bytes;
  }
  t_mean /= slope->n;
  b_mean /= slope->n;
  for (unsigned i = 0; i < slope->n; i++) {
    unsigned at = (slope->first + i) % RING;
    double t = (double)slope->sample[at].time - t0 - t_mean;

    tb += t * ((double)slope->sample[at].bytes - b_mean);
    tt += t * t;
  }
  grown = tt > 0 ? tb / tt * (double)slope->window : 0;
  *growth = grown > 0 ? (uint64_t)grown : 0;
  return true;
}
