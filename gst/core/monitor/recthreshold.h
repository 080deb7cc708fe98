/* gst-tsrec: a threshold with hysteresis
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef enum
{
  REC_THRESHOLD_SAME,
  REC_THRESHOLD_RAISED,
  REC_THRESHOLD_CLEARED,
} RecThresholdChange;

/**
 * RecThreshold:
 * @raised: the limit was exceeded and the threshold was not cleared since
 * @calm: the value is at or below the lower limit
 * @calm_since: time since which @calm is true
 * @value: value at the last change
 * @threshold: limit at the last change
 *
 * All zero is a valid value.
 */
typedef struct
{
  bool raised;
  bool calm;
  uint64_t calm_since;
  uint64_t value;
  uint64_t threshold;
} RecThreshold;

/* Raises the threshold when @value is above @limit. Clears it when the value has
 * been at or below @clear_at for @hold without interruption, so that a value
 * that oscillates around the limit is reported once. A @limit of 0 disables the
 * threshold and clears it at once. @now and @hold have the same unit. */
RecThresholdChange rec_threshold_update (RecThreshold *rule, uint64_t now,
    uint64_t value, uint64_t limit, uint64_t clear_at, uint64_t hold);
