/* gst-tsrec: which input is live, by the pace at which it arrives
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Time is made up here: nothing waits.
 */

#include "recpace.h"

#include <gst/check/gstcheck.h>

#define MS G_GINT64_CONSTANT (1000000)
#define SECOND (1000 * MS)

/* Adds @n access units, @interval of the clock and @step of time apart. Returns
 * how many of them were paced. */
static guint
add (RecPace *pace, guint n, gint64 *now, gint64 interval, gint64 *time,
    gint64 step)
{
  guint paced = 0;

  for (guint i = 0; i < n; i++) {
    paced += rec_pace_add (pace, *now, 0, *time);
    *now += interval;
    *time += step;
  }
  return paced;
}

GST_START_TEST (test_what_arrives_at_the_pace_of_the_clock_is_live)
{
  static const gint64 steps[] = { 5 * MS, 21 * MS, 40 * MS, 200 * MS, 1000 * MS,
    12000 * MS };

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    gint64 now = 77 * SECOND, time = 3600 * SECOND;
    guint settle = MAX (2, (guint)((500 * MS + steps[i] - 1) / steps[i]));
    RecPace pace;

    rec_pace_init (&pace);
    fail_if (rec_pace_is_known (&pace));
    fail_unless_equals_int (
        add (&pace, 1000, &now, steps[i], &time, steps[i]), 1000 - settle);
    fail_unless (rec_pace_is_known (&pace));
  }
}
GST_END_TEST;

/* Two clocks differ: after days the source may be ahead of what was measured
 * in the beginning by more than a wrong timestamp is, and still be paced. */
GST_START_TEST (test_a_step_is_in_time_when_the_clock_has_gone_on_as_far)
{
  gint64 now = 77 * SECOND, time = 0;
  RecPace pace;

  rec_pace_init (&pace);
  add (&pace, 10 * 86400, &now, SECOND, &time, SECOND);
  fail_unless (pace.paced && pace.in_time);
  rec_pace_add (&pace, now, 0, time + 60 * SECOND);
  fail_if (pace.in_time);
  add (&pace, 2, &now, SECOND, &time, SECOND);
  fail_unless (pace.paced && pace.in_time);
  now += 60 * SECOND;
  time += 60 * SECOND;
  add (&pace, 1, &now, SECOND, &time, SECOND);
  fail_unless (pace.paced && pace.in_time);
}
GST_END_TEST;

/* Pictures of one encoder come in pairs, those of another one late. */
GST_START_TEST (test_jitter_is_live_too)
{
  static const gint64 jitter[] = { 0, 35 * MS, 5 * MS, 60 * MS, 90 * MS, 2 * MS,
    140 * MS, 10 * MS };
  guint paced = 0;
  RecPace pace;

  rec_pace_init (&pace);
  for (guint i = 0; i < 1000; i++)
    paced += rec_pace_add (
        &pace, i * 40 * MS + jitter[i % G_N_ELEMENTS (jitter)], 0, i * 40 * MS);
  fail_unless (paced > 980);
}
GST_END_TEST;

GST_START_TEST (test_what_is_read_fast_is_not_live)
{
  static const gint64 speeds[] = { 2, 5, 20, 1000 };

  for (guint i = 0; i < G_N_ELEMENTS (speeds); i++) {
    gint64 now = 0, time = 0;
    RecPace pace;

    rec_pace_init (&pace);
    fail_unless_equals_int (
        add (&pace, 2000, &now, 40 * MS / speeds[i], &time, 40 * MS), 0);
    fail_unless (rec_pace_is_known (&pace));
  }
}
GST_END_TEST;

/* A file that is kept waiting, by other tracks or by a slow disk, is fast all
 * the same; so is one that begins after a pause. */
GST_START_TEST (test_a_file_that_is_kept_waiting_is_not_live)
{
  gint64 now = 0, kept = 0, time = 0;
  RecPace pace;

  rec_pace_init (&pace);
  for (guint i = 0; i < 1000; i++) {
    fail_if (rec_pace_add (&pace, now, kept, time));
    now += 40 * MS;
    kept += 39 * MS;
    time += 40 * MS;
  }
  rec_pace_init (&pace);
  now = time = 0;
  for (guint i = 0; i < 20; i++) {
    fail_unless_equals_int (add (&pace, 100, &now, MS / 10, &time, 40 * MS), 0);
    now += 10 * SECOND;
  }
}
GST_END_TEST;

/* A disk that hangs, a machine that is too slow: all of it comes at once then,
 * and it is live. So it is when the clocks differ. */
GST_START_TEST (test_live_input_stays_live)
{
  gint64 now = 0, time = 0;
  RecPace pace;

  rec_pace_init (&pace);
  add (&pace, 100, &now, 20 * MS, &time, 20 * MS);
  for (guint i = 0; i < 10; i++) {
    now += 10 * SECOND;
    fail_unless_equals_int (add (&pace, 500, &now, 0, &time, 20 * MS), 500);
    fail_unless_equals_int (
        add (&pace, 500, &now, 20 * MS, &time, 20 * MS), 500);
  }
  fail_unless_equals_int (
      add (&pace, 5000000, &now, 20 * MS, &time, 20 * MS + 10000), 5000000);
}
GST_END_TEST;

/* Buffered data first, then live input. */
GST_START_TEST (test_a_burst_at_the_start_is_not_the_pace)
{
  gint64 now = 0, time = 0;
  RecPace pace;

  rec_pace_init (&pace);
  fail_unless_equals_int (add (&pace, 250, &now, 0, &time, 40 * MS), 0);
  fail_unless (add (&pace, 100, &now, 40 * MS, &time, 40 * MS) >= 85);
}
GST_END_TEST;

/* And the other way: a source that hurries is no longer live, and has to show
 * for longer each time that it is. */
GST_START_TEST (test_input_that_hurries_is_not_live_any_more)
{
  gint64 now = 0, time = 0;
  guint last = 100;
  RecPace pace;

  rec_pace_init (&pace);
  for (guint i = 0; i < 3; i++) {
    guint paced = add (&pace, 100, &now, 40 * MS, &time, 40 * MS);

    fail_unless (paced > 0 && paced < last);
    last = paced;
    fail_unless (add (&pace, 1000, &now, 0, &time, 40 * MS) <= 51);
    fail_if (pace.paced);
  }
}
GST_END_TEST;

GST_START_TEST (test_no_timestamp_does_harm)
{
  static const gint64 times[] = { 0, G_MAXINT64, G_MININT64 + 1, -5, G_MAXINT64,
    1, G_MININT64 + 1, G_MININT64 + 1, G_MAXINT64 };
  RecPace pace;

  rec_pace_init (&pace);
  for (guint i = 0; i < 900; i++)
    rec_pace_add (&pace, i * 100 * MS, 0, times[i % G_N_ELEMENTS (times)]);
}
GST_END_TEST;

static Suite *
recpace_suite (void)
{
  Suite *s = suite_create ("recpace");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_what_arrives_at_the_pace_of_the_clock_is_live);
  tcase_add_test (tc, test_jitter_is_live_too);
  tcase_add_test (tc, test_a_step_is_in_time_when_the_clock_has_gone_on_as_far);
  tcase_add_test (tc, test_what_is_read_fast_is_not_live);
  tcase_add_test (tc, test_a_file_that_is_kept_waiting_is_not_live);
  tcase_add_test (tc, test_live_input_stays_live);
  tcase_add_test (tc, test_a_burst_at_the_start_is_not_the_pace);
  tcase_add_test (tc, test_input_that_hurries_is_not_live_any_more);
  tcase_add_test (tc, test_no_timestamp_does_harm);
  return s;
}

GST_CHECK_MAIN (recpace);
