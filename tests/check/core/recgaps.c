/* gst-tsrec: recorded and missing time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recgaps.h"

#include <gst/check/gstcheck.h>

#define MS G_GUINT64_CONSTANT (1000000)

/* fail_unless() writes to a pipe: too slow for 100,000 times. */
static void
assert_adds_up (const RecGaps *gaps)
{
  if (gaps->media + gaps->gaps != gaps->end - gaps->begin)
    fail ("media and gaps do not add up to the elapsed time");
}

GST_START_TEST (test_pause_is_a_gap_without_input)
{
  RecGaps gaps;
  RecGap gap;
  guint i;

  rec_gaps_init (&gaps, 1000 * MS);
  for (i = 0; i < 10; i++)
    fail_if (rec_gaps_written (&gaps, i * 40 * MS, 40 * MS, &gap));
  fail_if (rec_gaps_written (&gaps, 1300 * MS, 40 * MS, &gap));
  fail_unless (rec_gaps_written (&gaps, 5000 * MS, 40 * MS, &gap));
  fail_unless_equals_int (gap.cause, REC_GAP_NO_INPUT);
  fail_unless_equals_uint64 (gap.begin, 1340 * MS);
  fail_unless_equals_uint64 (gap.end, 5000 * MS);
  fail_unless_equals_uint64 (gaps.gaps, 3660 * MS);
  assert_adds_up (&gaps);
}

GST_END_TEST;

GST_START_TEST (test_dropped_access_units_are_a_gap_of_the_disk)
{
  RecGaps gaps;
  RecGap gap;

  rec_gaps_init (&gaps, 1000 * MS);
  rec_gaps_written (&gaps, 0, REC_TIME_NONE, &gap);
  rec_gaps_written (&gaps, 40 * MS, REC_TIME_NONE, &gap);
  rec_gaps_lost (&gaps, 80 * MS, REC_GAP_DISK);
  rec_gaps_lost (&gaps, 120 * MS, REC_GAP_DISK);
  fail_unless (rec_gaps_written (&gaps, 160 * MS, REC_TIME_NONE, &gap));
  fail_unless_equals_int (gap.cause, REC_GAP_DISK);
  /* two access units of 40 ms are missing */
  fail_unless_equals_uint64 (gap.begin, 80 * MS);
  fail_unless_equals_uint64 (gap.end, 160 * MS);
  fail_unless_equals_uint64 (gaps.media, 80 * MS);
  assert_adds_up (&gaps);
}

GST_END_TEST;

GST_START_TEST (test_media_and_gaps_add_up_to_the_elapsed_time)
{
  guint64 time = 5000 * MS;
  RecGaps gaps;
  RecGap gap;
  guint i;

  rec_gaps_init (&gaps, 1000 * MS);
  for (i = 0; i < 100000; i++) {
    guint64 duration = g_random_int_range (0, 60) * MS;

    time += g_random_int_range (0, i % 100 == 0 ? 3000 : 60) * MS;
    if (i % 70 < 10)
      rec_gaps_lost (&gaps, time, REC_GAP_DISK);
    else
      rec_gaps_written (&gaps, i % 9 ? time : time - 30 * MS,
          i % 2 ? duration : REC_TIME_NONE, &gap);
    assert_adds_up (&gaps);
  }
}

GST_END_TEST;

static Suite *
recgaps_suite (void)
{
  Suite *s = suite_create ("recgaps");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_pause_is_a_gap_without_input);
  tcase_add_test (tc, test_dropped_access_units_are_a_gap_of_the_disk);
  tcase_add_test (tc, test_media_and_gaps_add_up_to_the_elapsed_time);
  return s;
}

GST_CHECK_MAIN (recgaps);
