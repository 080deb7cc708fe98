/* gst-tsrec: the age of bytes that are not synced
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recsynclag.h"

#include <gst/check/gstcheck.h>

GST_START_TEST (test_lag_is_the_age_of_the_oldest_unsafe_byte)
{
  RecSyncLag lag = { 0 };
  guint i;

  fail_unless_equals_uint64 (rec_sync_lag_update (&lag, 0, 0, 0), 0);
  fail_unless_equals_uint64 (rec_sync_lag_update (&lag, 10, 100, 0), 0);
  fail_unless_equals_uint64 (rec_sync_lag_update (&lag, 20, 200, 0), 10);
  fail_unless_equals_uint64 (rec_sync_lag_update (&lag, 30, 300, 100), 10);
  fail_unless_equals_uint64 (rec_sync_lag_update (&lag, 40, 300, 300), 0);
  /* never safe, for long: as long as it really is */
  for (i = 1; i <= 10000; i++)
    fail_unless_equals_uint64 (
        rec_sync_lag_update (&lag, 100 + i, 300 + i, 300), i - 1);
  /* a new recording */
  fail_unless_equals_uint64 (rec_sync_lag_update (&lag, 20000, 5, 0), 0);
}

GST_END_TEST;

static Suite *
recsynclag_suite (void)
{
  Suite *s = suite_create ("recsynclag");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_lag_is_the_age_of_the_oldest_unsafe_byte);
  return s;
}

GST_CHECK_MAIN (recsynclag);
