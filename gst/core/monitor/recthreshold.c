/* gst-tsrec: one limit, raised once and cleared once
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recthreshold.h"

static AlertChange
change (AlertRule *rule, bool raised, uint64_t value, uint64_t limit)
{
  rule->raised = raised;
  rule->calm = false;
  rule->value = value;
  if (limit)
    rule->threshold = limit;
  return raised ? ALERT_RAISED : ALERT_CLEARED;
}

AlertChange
alert_rule_update (AlertRule *rule, uint64_t now, uint64_t value,
    uint64_t limit, uint64_t clear_at, uint64_t hold)
{
  if (limit == 0)
    return rule->raised ? change (rule, false, value, limit) : ALERT_SAME;
  if (!rule->raised)
    return value > limit ? change (rule, true, value, limit) : ALERT_SAME;
  if (value > clear_at) {
    rule->calm = false;
    return ALERT_SAME;
  }
  if (!rule->calm) {
    rule->calm = true;
    rule->calm_since = now;
  }
  if (now - rule->calm_since < hold)
    return ALERT_SAME;
  return change (rule, false, value, limit);
}
