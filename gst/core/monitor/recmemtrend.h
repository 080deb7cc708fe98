/* gst-tsrec: whether memory grows without end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef REC_MEM_TREND_H
#define REC_MEM_TREND_H

#include <stdbool.h>
#include <stdint.h>

#define REC_MEM_TREND_SAMPLES 60

/* A ring of samples that covers a window. Zero-initialize. */
typedef struct
{
  uint64_t window;
  unsigned first, n;
  struct
  {
    uint64_t time;
    uint64_t bytes;
  } sample[REC_MEM_TREND_SAMPLES + 1];
} RecMemTrend;

/* Adds a sample, or leaves it out when the last one is younger than a sixtieth
 * of @window. A new @window starts over. Times of any one unit that does not
 * go back. */
void rec_mem_trend_add (
    RecMemTrend *slope, uint64_t window, uint64_t now, uint64_t bytes);

/* Growth over the window by the line of least squares through it, bytes; 0
 * when it shrinks. Returns false until the samples cover the window. */
bool rec_mem_trend_get (const RecMemTrend *slope, uint64_t *growth);

#endif
