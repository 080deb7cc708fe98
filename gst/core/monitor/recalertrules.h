/* gst-tsrec: the rules that raise and clear alerts
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recthreshold.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum
{
  REC_ALERT_RULE_STREAK,
  REC_ALERT_RULE_MEMORY,
  REC_ALERT_RULE_NO_BYTES,
  REC_ALERT_RULE_NO_PACKETS,
  REC_ALERT_N_RULES,
} RecAlertRule;

/* "zero-packet-streak", "memory", "no-bytes-written", "no-packets". */
const char *rec_alert_rule_name (RecAlertRule rule);

/**
 * RecAlertLimits:
 * @max_streak: most frames or checks without a packet
 * @max_memory: most resident memory, bytes
 * @first_byte_timeout: longest time from the start to the first byte written,
 *   ns
 * @write_timeout: longest time between two later writes, ns
 * @no_packets_timeout: longest time without a packet, ns
 *
 * 0 turns a rule off.
 */
typedef struct
{
  uint64_t max_streak;
  uint64_t max_memory;
  uint64_t first_byte_timeout;
  uint64_t write_timeout;
  uint64_t no_packets_timeout;
} RecAlertLimits;

/**
 * RecAlertSample:
 * @now: time of a monotonic clock, ns
 * @running: false before the start and after the end of the stream; no rule
 *   applies then
 * @waiting: no media is expected now; only the memory rule applies, and the
 *   timeouts begin when the wait is over
 * @streak: frames or checks without a packet
 * @idle: time since the last packet or since the start, ns
 * @memory_known: @memory is valid
 * @memory: resident memory, bytes
 * @sink_known: @written is valid, because a sink answered
 * @written: bytes that the sink wrote since the start
 */
typedef struct
{
  uint64_t now;
  bool running;
  bool waiting;
  uint64_t streak;
  uint64_t idle;
  bool memory_known;
  uint64_t memory;
  bool sink_known;
  uint64_t written;
} RecAlertSample;

/**
 * RecAlertRules:
 * @rule: state of each rule
 * @started: the timeouts run
 * @any_written: the sink wrote at least one byte
 * @written: bytes that the sink had written at the last update
 * @written_at: time at which @written last changed, or start, ns
 *
 * All zero is a valid value. One thread at a time.
 */
typedef struct
{
  RecThreshold rule[REC_ALERT_N_RULES];
  bool started;
  bool any_written;
  uint64_t written;
  uint64_t written_at;
} RecAlertRules;

/* Applies the rules to @sample. Fills @change for every rule. */
void rec_alert_rules_update (RecAlertRules *rules, const RecAlertLimits *limits,
    const RecAlertSample *sample, RecThresholdChange change[REC_ALERT_N_RULES]);
