/* gst-tsrec: recfilesink ends fragments where the time of day is a multiple
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recsinktest.h"

#include <stdlib.h>
#include <time.h>

#define HOUR 3600
#define STEP 10

/* The time of day is made up: the element gets ours, µs since 1970. */
static gint64 wall;

gint64
g_get_real_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_REALTIME, &now);
  return wall ? wall : now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* µs since 1970 of a time of day in UTC+5:30, where the recorder is */
static gint64
at (guint hours, guint minutes, guint seconds)
{
  gint64 time = 20000 * 24 * HOUR + hours * HOUR + minutes * 60 + seconds;

  return (time - (5 * HOUR + 1800)) * G_USEC_PER_SEC;
}

static GstElement *
make_aligned (guint64 seconds)
{
  gchar *location = in_dir ("rec-%H%M%S.ts");
  GstElement *sink = make_sink (location);

  g_setenv ("TZ", "IST-5:30", TRUE);
  tzset ();
  g_object_set (sink, "sync-interval", (guint64)0, "max-size-time",
      seconds * GST_SECOND, "align-to-clock", TRUE, NULL);
  g_free (location);
  return sink;
}

/* Key frame @n is @n * STEP seconds after the first, @offset µs off that. */
static void
push_key_frame (GstHarness *h, guint n, gint64 begin, gint64 offset)
{
  GstBuffer *buffer = make_au (n, TRUE);
  gint64 time = (gint64)n * STEP * G_USEC_PER_SEC + offset;

  wall = begin + time;
  GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) =
      GST_SECOND + time * GST_USECOND;
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
}

/* The file that began at @name holds key frames @begin to before @end. */
static void
assert_file (const gchar *name, guint begin, guint end)
{
  gchar *file = in_dir (name);
  GArray *aus = read_aus (file);

  fail_unless_equals_int (aus->len, end - begin);
  for (guint i = 0; i < aus->len; i++)
    fail_unless_equals_int (g_array_index (aus, guint, i), begin + i);
  g_array_unref (aus);
  g_free (file);
}

static void
record (GstElement *sink, guint n, gint64 begin, gint64 offset)
{
  GstHarness *h;

  wall = begin;
  h = start_sink (sink, NULL);
  for (guint i = 0; i < n; i++)
    push_key_frame (h, i, begin, i ? offset : 0);
  stop_sink (h, NULL);
}

GST_START_TEST (test_fragments_end_on_the_hour)
{
  record (make_aligned (HOUR), 800, at (12, 58, 0), 0);
  assert_file ("rec-125800.ts", 0, 12);
  assert_file ("rec-130000.ts", 12, 372);
  assert_file ("rec-140000.ts", 372, 732);
  assert_file ("rec-150000.ts", 732, 800);
  fail_unless_equals_int (count_entries (dir), 4);
}
GST_END_TEST;

/* The times of key frames vary: they are no tiny fragments, and a file is named
 * after the period that it is of. */
GST_START_TEST (test_early_key_frames_begin_the_next_period)
{
  record (make_aligned (HOUR), 400, at (12, 58, 0), -30);
  assert_file ("rec-125800.ts", 0, 12);
  assert_file ("rec-130000.ts", 12, 372);
  assert_file ("rec-140000.ts", 372, 400);
  fail_unless_equals_int (count_entries (dir), 3);
}
GST_END_TEST;

GST_START_TEST (test_first_fragment_is_not_tiny)
{
  record (make_aligned (60), 13, at (12, 59, 59) + 500000, 0);
  assert_file ("rec-130000.ts", 0, 7);
  assert_file ("rec-130109.ts", 7, 13);
  fail_unless_equals_int (count_entries (dir), 2);
}
GST_END_TEST;

GST_START_TEST (test_midnight_ends_a_period_that_does_not_divide_a_day)
{
  record (make_aligned (7 * HOUR), 1100, at (20, 59, 0), 0);
  assert_file ("rec-205900.ts", 0, 6);
  assert_file ("rec-210000.ts", 6, 6 + 3 * 360);
  assert_file ("rec-000000.ts", 6 + 3 * 360, 1100);
  fail_unless_equals_int (count_entries (dir), 3);
}
GST_END_TEST;

/* The current fragment keeps its length; the next one is aligned again. */
GST_START_TEST (test_clock_that_is_set_aligns_the_next_fragment)
{
  gint64 begin = at (12, 58, 0), set = 20 * 60 * G_USEC_PER_SEC;
  GstHarness *h;

  wall = begin;
  h = start_sink (make_aligned (HOUR), NULL);
  for (guint i = 0; i < 800; i++)
    push_key_frame (h, i, i < 100 ? begin : begin + set, 0);
  stop_sink (h, NULL);
  assert_file ("rec-125800.ts", 0, 12);
  assert_file ("rec-130000.ts", 12, 372);
  assert_file ("rec-142000.ts", 372, 612);
  assert_file ("rec-150000.ts", 612, 800);
}
GST_END_TEST;

GST_START_TEST (test_without_a_period_nothing_is_cut)
{
  record (make_aligned (0), 800, at (12, 58, 0), 0);
  assert_file ("rec-125800.ts", 0, 800);
}
GST_END_TEST;

static Suite *
recfilesinkalign_suite (void)
{
  Suite *s = suite_create ("recfilesinkalign");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 60);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_fragments_end_on_the_hour);
  tcase_add_test (tc, test_early_key_frames_begin_the_next_period);
  tcase_add_test (tc, test_first_fragment_is_not_tiny);
  tcase_add_test (tc, test_midnight_ends_a_period_that_does_not_divide_a_day);
  tcase_add_test (tc, test_clock_that_is_set_aligns_the_next_fragment);
  tcase_add_test (tc, test_without_a_period_nothing_is_cut);
  return s;
}

GST_CHECK_MAIN (recfilesinkalign);
