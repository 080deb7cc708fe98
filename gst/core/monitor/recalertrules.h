/* gst-tsrec: when a recording is in trouble
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef REC_ALERT_RULES_H
#define REC_ALERT_RULES_H

#include "recthreshold.h"
#include "recmemtrend.h"

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

/* 0 turns a rule, or one half of it, off. Times in ns. */
typedef struct
{
  uint64_t max_streak;         /* frames or ticks */
  uint64_t max_memory;         /* bytes */
  uint64_t memory_window;      /* over which growth is measured */
  uint64_t max_memory_slope;   /* bytes per second over the window */
  uint64_t first_byte_timeout; /* from start to the first byte written */
  uint64_t write_timeout;      /* between two later ones */
  uint64_t no_packets_timeout;
} RecAlertLimits;

/* One look at the recording. */
typedef struct
{
  uint64_t now; /* ns of a clock that does not go back */
  bool running; /* false before start and after the end of the stream: no
                   rule applies */
  bool waiting; /* nothing is expected now: only the memory rule applies, and
                   timeouts begin when it is over */
  uint64_t streak;
  uint64_t idle; /* since a packet passed, or since start */
  bool memory_known;
  uint64_t memory;
  bool sink_known; /* a sink tells how much it wrote */
  uint64_t written;
} RecAlertSample;

/* Zero-initialize; belongs to one thread. */
typedef struct
{
  RecThreshold rule[REC_ALERT_N_RULES]; /* what is raised, at what value */
  RecMemTrend slope;
  RecThreshold memory_level,
      memory_growth; /* the halves of REC_ALERT_RULE_MEMORY */
  bool started;
  bool any_written;
  uint64_t written;
  uint64_t written_at; /* when that last changed, or start */
} RecAlertRules;

/* Fills @change for every rule. */
void rec_alert_rules_update (RecAlertRules *rules, const RecAlertLimits *limits,
    const RecAlertSample *look, RecThresholdChange change[REC_ALERT_N_RULES]);

/* Forgets what was, as if the recording started now; what is raised stays so
 * until a look finds it calm. */
void rec_alert_rules_restart (RecAlertRules *rules, uint64_t now);

#endif
