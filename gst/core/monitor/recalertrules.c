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
mon_rule_name (MonRule rule)
{
  static const char *const names[] = { "zero-packet-streak", "memory",
    "no-bytes-written", "no-packets" };

  return names[rule];
}

void
mon_rules_restart (MonRules *rules, uint64_t now)
{
  rules->started = true;
  rules->any_written = false;
  rules->written_at = now;
  memset (&rules->slope, 0, sizeof rules->slope);
}

/* Time since the sink wrote something. */
static uint64_t
look_at_written (MonRules *rules, const MonLook *look)
{
  if (look->sink_known && look->written != rules->written) {
    rules->any_written = look->written > 0;
    rules->written = look->written;
    rules->written_at = look->now;
  }
  return look->now - rules->written_at;
}

static AlertChange
look_at_memory (MonRules *rules, const MonLimits *limits, const MonLook *look)
{
  AlertRule *both = &rules->rule[MON_RULE_MEMORY];
  AlertRule *half = &rules->memory_level;
  bool was = both->raised;
  uint64_t growth = 0, limit = 0;

  if (!look->memory_known)
    return ALERT_SAME;
  alert_rule_update (&rules->memory_level, look->now, look->memory,
      limits->max_memory, limits->max_memory / 10 * 9, HOLD);
  if (limits->memory_window > 0) {
    mem_slope_add (
        &rules->slope, limits->memory_window, look->now, look->memory);
    if (mem_slope_get (&rules->slope, &growth))
      limit = (uint64_t)((double)limits->max_memory_slope *
          (double)limits->memory_window / (double)SECOND);
  }
  alert_rule_update (
      &rules->memory_growth, look->now, growth, limit, limit / 2, HOLD);
  if (!rules->memory_level.raised && rules->memory_growth.raised)
    half = &rules->memory_growth;
  both->raised = rules->memory_level.raised || rules->memory_growth.raised;
  if (both->raised == was)
    return ALERT_SAME;
  both->value = half->value;
  both->threshold = half->threshold;
  return both->raised ? ALERT_RAISED : ALERT_CLEARED;
}

/* One of the rules about time or frames. */
static AlertChange
look_at (
    MonRules *rules, MonRule rule, uint64_t now, uint64_t value, uint64_t limit)
{
  return alert_rule_update (
      &rules->rule[rule], now, value, limit, limit / 2, HOLD);
}

static AlertChange
clear (AlertRule *rule)
{
  return alert_rule_update (rule, 0, 0, 0, 0, 0);
}

void
mon_rules_look (MonRules *rules, const MonLimits *limits, const MonLook *look,
    AlertChange change[MON_N_RULES])
{
  uint64_t write_idle;

  if (!look->running) {
    for (int i = 0; i < MON_N_RULES; i++)
      change[i] = clear (&rules->rule[i]);
    clear (&rules->memory_level);
    clear (&rules->memory_growth);
    rules->started = false;
    return;
  }
  if (!rules->started)
    mon_rules_restart (rules, look->now);
  write_idle = look_at_written (rules, look);
  change[MON_RULE_MEMORY] = look_at_memory (rules, limits, look);
  if (look->waiting) {
    rules->written_at = look->now;
    change[MON_RULE_STREAK] = clear (&rules->rule[MON_RULE_STREAK]);
    change[MON_RULE_NO_PACKETS] = clear (&rules->rule[MON_RULE_NO_PACKETS]);
    change[MON_RULE_NO_BYTES] = clear (&rules->rule[MON_RULE_NO_BYTES]);
    return;
  }
  change[MON_RULE_STREAK] = look_at (
      rules, MON_RULE_STREAK, look->now, look->streak, limits->max_streak);
  change[MON_RULE_NO_PACKETS] = look_at (rules, MON_RULE_NO_PACKETS, look->now,
      look->idle, limits->no_packets_timeout);
  change[MON_RULE_NO_BYTES] =
      look_at (rules, MON_RULE_NO_BYTES, look->now, write_idle,
          !look->sink_known        ? 0
              : rules->any_written ? limits->write_timeout
                                   : limits->first_byte_timeout);
}
