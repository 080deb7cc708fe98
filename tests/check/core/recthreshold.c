/* gst-tsrec: a threshold with hysteresis
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recthreshold.h"

#include <gst/check/gstcheck.h>

#define S UINT64_C (1000000000)

GST_START_TEST (test_a_rule_is_raised_above_its_limit_only)
{
  RecThreshold r = { 0 };

  fail_unless_equals_int (
      rec_threshold_update (&r, 0, 10, 10, 5, S), REC_THRESHOLD_SAME);
  fail_unless_equals_int (
      rec_threshold_update (&r, 1, 11, 10, 5, S), REC_THRESHOLD_RAISED);
  fail_unless_equals_int (
      rec_threshold_update (&r, 2, 99, 10, 5, S), REC_THRESHOLD_SAME);
  fail_unless_equals_uint64 (r.value, 11);
  fail_unless_equals_uint64 (r.threshold, 10);
}

GST_END_TEST;

GST_START_TEST (test_a_rule_is_cleared_after_it_stayed_calm)
{
  RecThreshold r = { 0 };

  rec_threshold_update (&r, 0, 11, 10, 5, S);
  fail_unless_equals_int (
      rec_threshold_update (&r, 3 * S, 5, 10, 5, S), REC_THRESHOLD_SAME);
  /* between the limits: starts the wait again */
  rec_threshold_update (&r, 3 * S + S / 2, 6, 10, 5, S);
  rec_threshold_update (&r, 4 * S, 0, 10, 5, S);
  fail_unless_equals_int (
      rec_threshold_update (&r, 5 * S - 1, 0, 10, 5, S), REC_THRESHOLD_SAME);
  fail_unless_equals_int (
      rec_threshold_update (&r, 5 * S, 0, 10, 5, S), REC_THRESHOLD_CLEARED);
  fail_unless_equals_int (
      rec_threshold_update (&r, 6 * S, 0, 10, 5, S), REC_THRESHOLD_SAME);
}

GST_END_TEST;

GST_START_TEST (test_a_rule_turned_off_is_cleared_at_once)
{
  RecThreshold r = { 0 };

  rec_threshold_update (&r, 0, 11, 10, 5, S);
  fail_unless_equals_int (
      rec_threshold_update (&r, 1, 11, 0, 0, S), REC_THRESHOLD_CLEARED);
  fail_unless_equals_int (
      rec_threshold_update (&r, 2, 11, 0, 0, S), REC_THRESHOLD_SAME);
}

GST_END_TEST;

static Suite *
recthreshold_suite (void)
{
  Suite *s = suite_create ("recthreshold");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_a_rule_is_raised_above_its_limit_only);
  tcase_add_test (tc, test_a_rule_is_cleared_after_it_stayed_calm);
  tcase_add_test (tc, test_a_rule_turned_off_is_cleared_at_once);
  return s;
}

GST_CHECK_MAIN (recthreshold);
