/* gst-tsrec: one limit, raised once and cleared once
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef REC_THRESHOLD_H
#define REC_THRESHOLD_H

#include <stdbool.h>
#include <stdint.h>

typedef enum
{
  REC_THRESHOLD_SAME,
  REC_THRESHOLD_RAISED,
  REC_THRESHOLD_CLEARED,
} RecThresholdChange;

/* Zero-initialize. */
typedef struct
{
  bool raised;
  bool calm; /* below the lower limit since calm_since */
  uint64_t calm_since;
  uint64_t value; /* as of the last change */
  uint64_t threshold;
} RecThreshold;

/* Raises the rule when @value is above @limit, and clears it when the value
 * has been at or below @clear_at for @hold without interruption, so that a
 * value that swings around the limit is told once. A @limit of 0 turns the
 * rule off, which clears it at once. @now and @hold are of one clock. */
RecThresholdChange rec_threshold_update (RecThreshold *rule, uint64_t now,
    uint64_t value, uint64_t limit, uint64_t clear_at, uint64_t hold);

#endif
