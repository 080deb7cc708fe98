/* gst-tsrec: one limit, raised once and cleared once
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recthreshold.h"

static RecThresholdChange
change (RecThreshold *rule, bool raised, uint64_t value, uint64_t limit)
{
  rule->raised = raised;
  rule->calm = false;
  rule->value = value;
  if (limit)
    rule->threshold = limit;
  return raised ? REC_THRESHOLD_RAISED : REC_THRESHOLD_CLEARED;
}

RecThresholdChange
rec_threshold_update (RecThreshold *rule, uint64_t now, uint64_t value,
    uint64_t limit, uint64_t clear_at, uint64_t hold)
{
  if (limit == 0)
    return rule->raised ? change (rule, false, value, limit)
                        : REC_THRESHOLD_SAME;
  if (!rule->raised)
    return value > limit ? change (rule, true, value, limit)
                         : REC_THRESHOLD_SAME;
  if (value > clear_at) {
    rule->calm = false;
    return REC_THRESHOLD_SAME;
  }
  if (!rule->calm) {
    rule->calm = true;
    rule->calm_since = now;
  }
  if (now - rule->calm_since < hold)
    return REC_THRESHOLD_SAME;
  return change (rule, false, value, limit);
}
