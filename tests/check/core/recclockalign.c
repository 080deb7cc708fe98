/* gst-tsrec: when fragments that are aligned to the clock end
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recclockalign.h"
#include "rectest.h"

#include <gst/check/gstcheck.h>

#define SECOND GST_SECOND
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define AT(hours, minutes, seconds)                                            \
  (20000 * DAY + (hours)*HOUR + (minutes)*60 * SECOND + (seconds)*SECOND)

typedef struct
{
  guint64 local, period, remaining;
} Row;

static const Row rows[] = {
  /* whole periods, and what is left of one */
  { AT (10, 0, 0), HOUR, HOUR },
  { AT (10, 20, 0), HOUR, 40 * 60 * SECOND },
  { AT (10, 59, 58), HOUR, 2 * SECOND },
  { AT (23, 30, 0), HOUR, 30 * 60 * SECOND },
  { AT (10, 0, 7), 10 * SECOND, 3 * SECOND },
  { AT (0, 0, 0), DAY, DAY },
  { AT (18, 0, 0), DAY, 6 * HOUR },
  /* little is left: with the period after it */
  { AT (10, 59, 59), HOUR, HOUR + SECOND },
  { AT (11, 0, 0) - 1, HOUR, HOUR + 1 },
  { AT (10, 59, 59) - 1, HOUR, SECOND + 1 },
  { AT (10, 0, 2) - 200 * GST_MSECOND, 2 * SECOND, 2200 * GST_MSECOND },
  { AT (10, 0, 2) - 201 * GST_MSECOND, 2 * SECOND, 201 * GST_MSECOND },
  { AT (24, 0, 0) - 1, DAY, DAY + 1 },
  /* periods that do not divide a day: midnight ends one */
  { AT (6, 0, 0), 7 * HOUR, HOUR },
  { AT (7, 0, 0), 7 * HOUR, 7 * HOUR },
  { AT (21, 0, 0), 7 * HOUR, 3 * HOUR },
  { AT (23, 59, 59), 7 * HOUR, 7 * HOUR + SECOND },
  { AT (13, 0, 0), 13 * HOUR, 11 * HOUR },
  { AT (12, 0, 0), 13 * HOUR, HOUR },
  /* longer than a day: from 1970 */
  { AT (6, 0, 0), 2 * DAY, 2 * DAY - 6 * HOUR },
  { AT (30, 0, 0), 2 * DAY, 18 * HOUR },
  { 0, 7 * DAY, 7 * DAY },
  { AT (0, 0, 0), 30 * HOUR, 30 * HOUR },
  /* the ends of the range */
  { 0, HOUR, HOUR },
  { AT (10, 0, 0), 0, G_MAXUINT64 },
  { AT (10, 0, 0), 1, 1 },
  { AT (10, 0, 0), G_MAXUINT64, G_MAXUINT64 - AT (10, 0, 0) },
};

GST_START_TEST (test_remaining_is_to_the_next_multiple)
{
  const Row *row = &rows[__i__];

  fail_unless_equals_uint64 (
      rec_clock_align_remaining (row->local, row->period), row->remaining);
}
GST_END_TEST;

/* However long the period: no fragment is shorter than the tolerance, and each
 * ends where a period does. */
GST_START_TEST (test_no_tiny_fragment_appears)
{
  static const guint64 periods[] = { SECOND, 2 * SECOND, 7 * SECOND, HOUR,
    5 * HOUR, DAY, 36 * HOUR };
  guint64 period = periods[__i__], local = AT (3, 4, 5), tolerance;

  tolerance = rec_clock_align_tolerance (period);
  fail_unless (tolerance >= MIN (period / 50, 100 * GST_MSECOND));
  for (guint i = 0; i < 500; i++) {
    guint64 remaining = rec_clock_align_remaining (local, period);

    fail_unless (remaining > tolerance);
    fail_unless (remaining <= period + tolerance);
    fail_unless_equals_uint64 (
        rec_clock_align_early (local + remaining, period), 0);
    /* a key frame that is early */
    local += remaining - MIN (period / 50, 100 * GST_MSECOND) * (i % 3) / 2;
  }
}
GST_END_TEST;

GST_START_TEST (test_early_is_what_is_left)
{
  fail_unless_equals_uint64 (
      rec_clock_align_early (AT (9, 59, 59), HOUR), SECOND);
  fail_unless_equals_uint64 (rec_clock_align_early (AT (9, 59, 58), HOUR), 0);
  fail_unless_equals_uint64 (rec_clock_align_early (AT (10, 0, 0), HOUR), 0);
  fail_unless_equals_uint64 (rec_clock_align_early (AT (10, 0, 0), 0), 0);
}
GST_END_TEST;

static Suite *
recclockalign_suite (void)
{
  Suite *s = suite_create ("recclockalign");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (
      tc, test_remaining_is_to_the_next_multiple, 0, G_N_ELEMENTS (rows));
  tcase_add_loop_test (tc, test_no_tiny_fragment_appears, 0, 7);
  tcase_add_test (tc, test_early_is_what_is_left);
  return s;
}

GST_CHECK_MAIN (recclockalign);
