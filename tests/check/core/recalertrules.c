/* gst-tsrec: the rules of alerts
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recalertrules.h"

#include <gst/check/gstcheck.h>

#define S UINT64_C (1000000000)
#define MS UINT64_C (1000000)

static const RecAlertLimits limits = { 10, 500000000, 10 * S, 5 * S, S };

static guint
look (RecAlertRules *rules, const RecAlertSample *l,
    RecThresholdChange change[REC_ALERT_N_RULES])
{
  guint i, n = 0;

  rec_alert_rules_update (rules, &limits, l, change);
  for (i = 0; i < REC_ALERT_N_RULES; i++)
    n += change[i] != REC_THRESHOLD_SAME;
  return n;
}

GST_START_TEST (test_first_byte_and_later_bytes_have_limits_of_their_own)
{
  RecAlertRules rules = { 0 };
  RecThresholdChange c[REC_ALERT_N_RULES];
  RecAlertSample l = { .running = true, .sink_known = true };

  fail_unless_equals_int (look (&rules, &l, c), 0);
  l.now = 10 * S;
  fail_unless_equals_int (look (&rules, &l, c), 0);
  l.now = 10 * S + 1;
  fail_unless_equals_int (look (&rules, &l, c), 1);
  fail_unless_equals_int (c[REC_ALERT_RULE_NO_BYTES], REC_THRESHOLD_RAISED);
  /* bytes come: calm for a second, then cleared */
  for (; l.now < 11 * S; l.now += 100 * MS) {
    l.written += 188;
    fail_unless_equals_int (look (&rules, &l, c), 0);
  }
  l.now = 12 * S;
  l.written += 188;
  fail_unless_equals_int (look (&rules, &l, c), 1);
  fail_unless_equals_int (c[REC_ALERT_RULE_NO_BYTES], REC_THRESHOLD_CLEARED);
  l.now = 17 * S;
  fail_unless_equals_int (look (&rules, &l, c), 0);
  l.now = 17 * S + 1;
  fail_unless_equals_int (look (&rules, &l, c), 1);
  fail_unless_equals_uint64 (
      rules.rule[REC_ALERT_RULE_NO_BYTES].threshold, 5 * S);
}

GST_END_TEST;

GST_START_TEST (test_without_a_sink_nothing_is_said_about_bytes)
{
  RecAlertRules rules = { 0 };
  RecThresholdChange c[REC_ALERT_N_RULES];
  RecAlertSample l = { .running = true };

  look (&rules, &l, c);
  l.now = 1000 * S;
  fail_unless_equals_int (look (&rules, &l, c), 0);
}

GST_END_TEST;

GST_START_TEST (test_memory_is_raised_once_and_cleared_once)
{
  RecAlertRules rules = { 0 };
  RecThresholdChange c[REC_ALERT_N_RULES];
  RecAlertSample l = {
    .running = true, .memory_known = true, .memory = 400000000
  };
  guint raised = 0, cleared = 0;

  for (; l.now <= 1100 * S; l.now += S) {
    rec_alert_rules_update (&rules, &limits, &l, c);
    raised += c[REC_ALERT_RULE_MEMORY] == REC_THRESHOLD_RAISED;
    cleared += c[REC_ALERT_RULE_MEMORY] == REC_THRESHOLD_CLEARED;
    fail_unless_equals_int (raised, l.memory > limits.max_memory || raised);
    if (l.now < 900 * S)
      l.memory += 200000; /* 580 MB in the end */
    else
      l.memory = 300000000;
  }
  fail_unless_equals_int (raised, 1);
  fail_unless_equals_int (cleared, 1);
}

GST_END_TEST;

GST_START_TEST (test_nothing_applies_after_the_end)
{
  RecAlertRules rules = { 0 };
  RecThresholdChange c[REC_ALERT_N_RULES];
  RecAlertSample l = { .running = true };

  look (&rules, &l, c);
  l.now = 2 * S;
  l.idle = 2 * S;
  l.streak = 20;
  fail_unless_equals_int (look (&rules, &l, c), 2);
  l.running = false;
  fail_unless_equals_int (look (&rules, &l, c), 2);
  fail_unless_equals_int (c[REC_ALERT_RULE_STREAK], REC_THRESHOLD_CLEARED);
  fail_unless_equals_int (c[REC_ALERT_RULE_NO_PACKETS], REC_THRESHOLD_CLEARED);
  l.now = 200 * S;
  fail_unless_equals_int (look (&rules, &l, c), 0);
}

GST_END_TEST;

static Suite *
recalertrules_suite (void)
{
  Suite *s = suite_create ("recalertrules");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_first_byte_and_later_bytes_have_limits_of_their_own);
  tcase_add_test (tc, test_without_a_sink_nothing_is_said_about_bytes);
  tcase_add_test (tc, test_memory_is_raised_once_and_cleared_once);
  tcase_add_test (tc, test_nothing_applies_after_the_end);
  return s;
}

GST_CHECK_MAIN (recalertrules);
