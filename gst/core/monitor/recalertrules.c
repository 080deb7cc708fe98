/* gst-tsrec: the rules that raise and clear alerts
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recalertrules.h"

#define SECOND UINT64_C (1000000000)
/* Time for which a value must stay low before its alert is cleared. It equals
 * the default no-packets-timeout, so that a stream of one packet every 1.5 s
 * raises one alert. */
#define HOLD SECOND

const char *
rec_alert_rule_name (RecAlertRule rule)
{
  static const char *const names[] = { "zero-packet-streak", "memory",
    "no-bytes-written", "no-packets" };

  return names[rule];
}

/* Begins the timeouts at @now. Raised rules stay raised. */
static void
restart (RecAlertRules *rules, uint64_t now)
{
  rules->started = true;
  rules->any_written = false;
  rules->written_at = now;
}

/* Returns the time since the sink last wrote something. */
static uint64_t
update_written (RecAlertRules *rules, const RecAlertSample *sample)
{
  if (sample->sink_known && sample->written != rules->written) {
    rules->any_written = sample->written > 0;
    rules->written = sample->written;
    rules->written_at = sample->now;
  }
  return sample->now - rules->written_at;
}

static RecThresholdChange
update_memory (RecAlertRules *rules, const RecAlertLimits *limits,
    const RecAlertSample *sample)
{
  if (!sample->memory_known)
    return REC_THRESHOLD_SAME;
  return rec_threshold_update (&rules->rule[REC_ALERT_RULE_MEMORY], sample->now,
      sample->memory, limits->max_memory, limits->max_memory / 10 * 9, HOLD);
}

/* Updates one of the rules about time or frames. */
static RecThresholdChange
update_rule (RecAlertRules *rules, RecAlertRule rule, uint64_t now,
    uint64_t value, uint64_t limit)
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
    const RecAlertSample *sample, RecThresholdChange change[REC_ALERT_N_RULES])
{
  uint64_t write_idle;

  if (!sample->running) {
    for (int i = 0; i < REC_ALERT_N_RULES; i++)
      change[i] = clear (&rules->rule[i]);
    rules->started = false;
    return;
  }
  if (!rules->started)
    restart (rules, sample->now);
  write_idle = update_written (rules, sample);
  change[REC_ALERT_RULE_MEMORY] = update_memory (rules, limits, sample);
  if (sample->waiting) {
    rules->written_at = sample->now;
    change[REC_ALERT_RULE_STREAK] = clear (&rules->rule[REC_ALERT_RULE_STREAK]);
    change[REC_ALERT_RULE_NO_PACKETS] =
        clear (&rules->rule[REC_ALERT_RULE_NO_PACKETS]);
    change[REC_ALERT_RULE_NO_BYTES] =
        clear (&rules->rule[REC_ALERT_RULE_NO_BYTES]);
    return;
  }
  change[REC_ALERT_RULE_STREAK] = update_rule (rules, REC_ALERT_RULE_STREAK,
      sample->now, sample->streak, limits->max_streak);
  change[REC_ALERT_RULE_NO_PACKETS] =
      update_rule (rules, REC_ALERT_RULE_NO_PACKETS, sample->now, sample->idle,
          limits->no_packets_timeout);
  change[REC_ALERT_RULE_NO_BYTES] =
      update_rule (rules, REC_ALERT_RULE_NO_BYTES, sample->now, write_idle,
          !sample->sink_known      ? 0
              : rules->any_written ? limits->write_timeout
                                   : limits->first_byte_timeout);
}
