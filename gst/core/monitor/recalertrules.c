/* gst-tsrec: when a recording is in trouble
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recalertrules.h"

#include <string.h>

#define SECOND UINT64_C (1000000000)
/* How long it has to be calm: as long as the default limits take to raise
 * again, so that a stream of one packet a second and a half is one alert. */
#define HOLD SECOND

const char *
rec_alert_rule_name (RecAlertRule rule)
{
  static const char *const names[] = { "zero-packet-streak", "memory",
    "no-bytes-written", "no-packets" };

  return names[rule];
}

void
rec_alert_rules_restart (RecAlertRules *rules, uint64_t now)
{
  rules->started = true;
  rules->any_written = false;
  rules->written_at = now;
  memset (&rules->slope, 0, sizeof rules->slope);
}

/* Time since the sink wrote something. */
static uint64_t
look_at_written (RecAlertRules *rules, const RecAlertSample *look)
{
  if (look->sink_known && look->written != rules->written) {
    rules->any_written = look->written > 0;
    rules->written = look->written;
    rules->written_at = look->now;
  }
  return look->now - rules->written_at;
}

static RecThresholdChange
look_at_memory (RecAlertRules *rules, const RecAlertLimits *limits,
    const RecAlertSample *look)
{
  RecThreshold *both = &rules->rule[REC_ALERT_RULE_MEMORY];
  RecThreshold *half = &rules->memory_level;
  bool was = both->raised;
  uint64_t growth = 0, limit = 0;

  if (!look->memory_known)
    return REC_THRESHOLD_SAME;
  rec_threshold_update (&rules->memory_level, look->now, look->memory,
      limits->max_memory, limits->max_memory / 10 * 9, HOLD);
  if (limits->memory_window > 0) {
    rec_mem_trend_add (
        &rules->slope, limits->memory_window, look->now, look->memory);
    if (rec_mem_trend_get (&rules->slope, &growth))
      limit = (uint64_t)((double)limits->max_memory_slope *
          (double)limits->memory_window / (double)SECOND);
  }
  rec_threshold_update (
      &rules->memory_growth, look->now, growth, limit, limit / 2, HOLD);
  if (!rules->memory_level.raised && rules->memory_growth.raised)
    half = &rules->memory_growth;
  both->raised = rules->memory_level.raised || rules->memory_growth.raised;
  if (both->raised == was)
    return REC_THRESHOLD_SAME;
  both->value = half->value;
  both->threshold = half->threshold;
  return both->raised ? REC_THRESHOLD_RAISED : REC_THRESHOLD_CLEARED;
}

/* One of the rules about time or frames. */
static RecThresholdChange
look_at (RecAlertRules *rules, RecAlertRule rule, uint64_t now, uint64_t value,
    uint64_t limit)
{
  return rec_threshold_update (
      &rules->rule[rule], now, value, limit, limit / 2, HOLD);
}

static RecThresholdChange
clear (RecThreshold *rule)
{
  return rec_threshold_update (rule, 0, 0, 0, 0, 0);
}

void
rec_alert_rules_update (RecAlertRules *rules, const RecAlertLimits *limits,
    const RecAlertSample *look, RecThresholdChange change[REC_ALERT_N_RULES])
{
  uint64_t write_idle;

  if (!look->running) {
    for (int i = 0; i < REC_ALERT_N_RULES; i++)
      change[i] = clear (&rules->rule[i]);
    clear (&rules->memory_level);
    clear (&rules->memory_growth);
    rules->started = false;
    return;
  }
  if (!rules->started)
    rec_alert_rules_restart (rules, look->now);
  write_idle = look_at_written (rules, look);
  change[REC_ALERT_RULE_MEMORY] = look_at_memory (rules, limits, look);
  if (look->waiting) {
    rules->written_at = look->now;
    change[REC_ALERT_RULE_STREAK] = clear (&rules->rule[REC_ALERT_RULE_STREAK]);
    change[REC_ALERT_RULE_NO_PACKETS] =
        clear (&rules->rule[REC_ALERT_RULE_NO_PACKETS]);
    change[REC_ALERT_RULE_NO_BYTES] =
        clear (&rules->rule[REC_ALERT_RULE_NO_BYTES]);
    return;
  }
  change[REC_ALERT_RULE_STREAK] = look_at (rules, REC_ALERT_RULE_STREAK,
      look->now, look->streak, limits->max_streak);
  change[REC_ALERT_RULE_NO_PACKETS] = look_at (rules, REC_ALERT_RULE_NO_PACKETS,
      look->now, look->idle, limits->no_packets_timeout);
  change[REC_ALERT_RULE_NO_BYTES] =
      look_at (rules, REC_ALERT_RULE_NO_BYTES, look->now, write_idle,
          !look->sink_known        ? 0
              : rules->any_written ? limits->write_timeout
                                   : limits->first_byte_timeout);
}
