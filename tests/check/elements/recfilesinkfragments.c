/* gst-tsrec: recfilesink cuts a recording into files, and keeps some of them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recsinktest.h"

#include <gst/video/video.h>

static GstElement *
make_fragments (const gchar *name)
{
  gchar *location = in_dir (name);
  GstElement *sink = make_sink (location);

  g_object_set (sink, "sync-interval", (guint64)0, NULL);
  g_free (location);
  return sink;
}

static void
push_range (GstHarness *h, guint from, guint to, guint gop)
{
  for (; from < to; from++)
    fail_unless_equals_int (
        gst_harness_push (h, make_au (from, from % gop == 0)), GST_FLOW_OK);
}

/* Fragments @names hold the access units 0 to @n, each beginning where @begins
 * says. */
static void
assert_continuous (const gchar *pattern, guint n_files, guint n, guint gop)
{
  guint i, j, next = 0;

  for (i = 0; i < n_files; i++) {
    gchar *name = g_strdup_printf (pattern, i), *file = in_dir (name);
    GArray *aus = read_aus (file);

    fail_unless (aus->len > 0, "%s is empty", name);
    fail_unless_equals_int (g_array_index (aus, guint, 0) % gop, 0);
    for (j = 0; j < aus->len; j++)
      fail_unless_equals_int (g_array_index (aus, guint, j), next++);
    g_array_unref (aus);
    g_free (name);
    g_free (file);
  }
  fail_unless_equals_int (next, n);
}

static guint
count_key_units_asked (GstHarness *h)
{
  GstEvent *event;
  guint n = 0;

  while ((event = gst_harness_try_pull_upstream_event (h))) {
    n += gst_video_event_is_force_key_unit (event);
    gst_event_unref (event);
  }
  return n;
}

GST_START_TEST (test_fragments_are_cut_at_random_access_points_after_time)
{
  GstElement *sink = make_fragments ("rec-%05d.ts");
  GstHarness *h;
  GstBus *bus;

  g_object_set (sink, "max-size-time", 10 * FRAME, NULL);
  h = start_sink (sink, &bus);
  push_range (h, 0, 10, 12);
  fail_unless_equals_int (count_key_units_asked (h), 0);
  push_range (h, 10, 48, 12);
  fail_unless (count_key_units_asked (h) > 0);
  gst_harness_push_event (h, gst_event_new_eos ());
  assert_continuous ("rec-%05u.ts", 4, 48, 12);
  fail_unless_equals_uint64 (get_stat (h->element, "fragments"), 4);
  stop_sink (h, bus);
}

GST_END_TEST;

GST_START_TEST (test_fragments_are_cut_at_random_access_points_after_size)
{
  GstElement *sink = make_fragments ("rec-%05d.ts");
  GstHarness *h;

  g_object_set (sink, "max-size-bytes", (guint64)8 * AU, NULL);
  h = start_sink (sink, NULL);
  push_range (h, 0, 40, 4);
  gst_harness_push_event (h, gst_event_new_eos ());
  assert_continuous ("rec-%05u.ts", 5, 40, 4);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_split_now_cuts_at_the_next_random_access_point_once)
{
  GstElement *sink = make_fragments ("rec-%05d.ts");
  GstHarness *h = start_sink (sink, NULL);

  push_range (h, 0, 3, 5);
  g_signal_emit_by_name (h->element, "split-now");
  push_range (h, 3, 20, 5);
  gst_harness_push_event (h, gst_event_new_eos ());
  assert_continuous ("rec-%05u.ts", 2, 20, 5);
  gst_harness_teardown (h);
}

GST_END_TEST;

static guint
record_sessions (gboolean new_file)
{
  GstElement *sink = make_fragments ("rec-%05d.ts");
  GstHarness *h;
  guint n;

  g_object_set (sink, "new-file-per-session", new_file, NULL);
  h = start_sink (sink, NULL);
  gst_harness_push_event (h, rec_event_new_session ("one"));
  push_range (h, 0, 3, 5);
  /* the other pad of the source */
  gst_harness_push_event (h, rec_event_new_session ("one"));
  push_range (h, 3, 12, 5);
  gst_harness_push_event (h, rec_event_new_session ("two"));
  gst_harness_push_event (h, rec_event_new_session ("two"));
  push_range (h, 12, 17, 5);
  gst_harness_push_event (h, rec_event_new_session ("two"));
  push_range (h, 17, 30, 5);
  gst_harness_push_event (h, gst_event_new_eos ());
  n = (guint)get_stat (h->element, "fragments");
  gst_harness_teardown (h);
  return n;
}

GST_START_TEST (test_session_begins_a_new_file_where_that_is_wanted)
{
  gchar *file = in_dir ("rec-00000.ts");
  fail_unless_equals_int (record_sessions (FALSE), 1);
  g_unlink (file);
  fail_unless_equals_int (record_sessions (TRUE), 2);
  assert_continuous ("rec-%05u.ts", 2, 30, 5);
  g_free (file);
}

GST_END_TEST;

GST_START_TEST (test_every_fragment_is_told_when_opened_and_closed)
{
  GstElement *sink = make_fragments ("rec-%05d.ts");
  guint64 index, bytes, duration;
  const GstStructure *s;
  GstMessage *msg;
  GstHarness *h;
  GstBus *bus;
  guint i;

  g_object_set (sink, "max-size-time", 5 * FRAME, NULL);
  h = start_sink (sink, &bus);
  push_range (h, 0, 15, 5);
  gst_harness_push_event (h, gst_event_new_eos ());
  for (i = 0; i < 3; i++) {
    msg = wait_message (bus, "recfilesink-closed");
    s = gst_message_get_structure (msg);
    fail_unless (gst_structure_get (s, "index", G_TYPE_UINT64, &index, "bytes",
        G_TYPE_UINT64, &bytes, "duration", G_TYPE_UINT64, &duration, NULL));
    fail_unless_equals_uint64 (index, i);
    fail_unless_equals_uint64 (bytes, 5 * AU);
    fail_unless_equals_uint64 (duration, 4 * FRAME);
    fail_unless_equals_string (
        gst_structure_get_string (s, "reason"), i < 2 ? "fragment" : "eos");
    gst_message_unref (msg);
  }
  stop_sink (h, bus);
}

GST_END_TEST;

GST_START_TEST (test_names_without_a_number_get_one)
{
  GstElement *sink = make_fragments ("rec.ts");
  gchar *third = in_dir ("rec-2.ts");
  GstHarness *h;

  g_object_set (sink, "max-size-time", 5 * FRAME, NULL);
  h = start_sink (sink, NULL);
  push_range (h, 0, 15, 5);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless_equals_uint64 (size_on_disk (path), 5 * AU);
  fail_unless_equals_uint64 (size_on_disk (third), 5 * AU);
  gst_harness_teardown (h);
  g_free (third);
}

GST_END_TEST;

static gchar *
name_fragment (GstElement *sink, guint index, gpointer user_data)
{
  gchar *name, *file;

  if (index == 2)
    return NULL;
  name = g_strdup_printf ("app-%c.ts", 'a' + index);
  file = in_dir (name);
  g_free (name);
  return file;
}

GST_START_TEST (test_application_may_name_fragments)
{
  static const gchar *names[] = { "app-a.ts", "app-b.ts", "rec.ts" };
  GstElement *sink = make_fragments ("rec.ts");
  GstHarness *h;
  guint i;

  g_object_set (sink, "max-size-time", 5 * FRAME, NULL);
  g_signal_connect (sink, "format-location", G_CALLBACK (name_fragment), NULL);
  h = start_sink (sink, NULL);
  push_range (h, 0, 15, 5);
  gst_harness_push_event (h, gst_event_new_eos ());
  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    gchar *file = in_dir (names[i]);

    fail_unless_equals_uint64 (size_on_disk (file), 5 * AU);
    g_free (file);
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

static gboolean
is_there (const gchar *name)
{
  gchar *file = in_dir (name);
  gboolean there = g_file_test (file, G_FILE_TEST_EXISTS);

  g_free (file);
  return there;
}

GST_START_TEST (test_retention_deletes_only_what_the_recording_made)
{
  GstElement *sink = make_fragments ("rec-%05d.ts");
  gchar *foreign = in_dir ("rec-00000.ts"), *replaced = in_dir ("rec-00002.ts");
  GstHarness *h;
  GstBus *bus;

  /* of another program, although the name is one of ours */
  fail_unless (g_file_set_contents (foreign, "x", 1, NULL));
  g_object_set (sink, "max-size-time", 5 * FRAME, "max-files", 3, NULL);
  h = start_sink (sink, &bus);
  push_range (h, 0, 11, 5);
  gst_message_unref (wait_message (bus, "recfilesink-closed"));
  gst_message_unref (wait_message (bus, "recfilesink-closed"));
  /* 1 and 2 are finished, 3 is being written; 2 is used by another program */
  fail_unless (is_there ("rec-00001.ts"));
  g_unlink (replaced);
  fail_unless (g_file_set_contents (replaced, "x", 1, NULL));
  push_range (h, 11, 30, 5);
  stop_sink (h, bus);
  fail_if (is_there ("rec-00001.ts"));
  fail_if (is_there ("rec-00003.ts"));
  fail_unless (is_there ("rec-00000.ts"));
  fail_unless (is_there ("rec-00002.ts"));
  fail_unless (is_there ("rec-00005.ts"));
  fail_unless (is_there ("rec-00006.ts"));
  g_free (foreign);
  g_free (replaced);
}

GST_END_TEST;

GST_START_TEST (test_retention_keeps_the_total_size)
{
  GstElement *sink = make_fragments ("rec-%05d.ts");
  guint64 total = 0;
  GstHarness *h;
  guint i;

  g_object_set (sink, "max-size-time", 5 * FRAME, "max-total-bytes",
      (guint64)20 * AU, NULL);
  h = start_sink (sink, NULL);
  push_range (h, 0, 100, 5);
  stop_sink (h, NULL);
  for (i = 0; i < 20; i++) {
    gchar *name = g_strdup_printf ("rec-%05u.ts", i), *file = in_dir (name);

    total += size_on_disk (file);
    g_free (name);
    g_free (file);
  }
  fail_unless (total <= 20 * AU);
  fail_unless (total >= 10 * AU);
  fail_unless (is_there ("rec-00019.ts"));
}

GST_END_TEST;

GST_START_TEST (test_ten_thousand_fragments_leave_nothing_behind)
{
  GstElement *sink = make_fragments ("rec-%05d.ts");
  guint i, n = soak_rounds (10000), threads = 0;
  guint64 memory = 0;
  GstHarness *h;
  GstBus *bus;

  g_object_set (sink, "max-size-time", FRAME, "max-files", 10, NULL);
  h = start_sink (sink, &bus);
  for (i = 0; i < n; i++) {
    push_range (h, i, i + 1, 1);
    /* one at a time: what waits for the worker is not what is measured */
    if (i > 0)
      gst_message_unref (wait_message (bus, "recfilesink-closed"));
    if (i == n / 10) {
      threads = count_entries ("/proc/self/task");
      memory = resident ();
    }
  }
  fail_unless_equals_uint64 (get_stat (h->element, "fragments"), n);
  /* Shared threads join on a busy machine, and end when they have been idle. */
  fail_unless (count_entries ("/proc/self/task") <= threads + 4);
  fail_unless (count_entries ("/proc/self/fd") < 32);
  if (n >= 1000) /* a debugger of memory keeps what is freed */
    fail_unless (resident () < memory + 1024 * 1024,
        "grew by %" G_GUINT64_FORMAT, resident () - memory);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless (count_entries (dir) <= 10);
  stop_sink (h, bus);
}

GST_END_TEST;

GST_START_TEST (test_key_frames_that_vary_do_not_double_the_fragments)
{
  GstElement *sink = make_fragments ("rec-%05d.ts");
  GstHarness *h;
  guint i;

  g_object_set (sink, "max-size-time", 2 * GST_SECOND, NULL);
  h = start_sink (sink, NULL);
  for (i = 0; i < 10; i++) {
    GstBuffer *buffer = make_au (i, TRUE);

    GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) =
        GST_SECOND + i * 2 * GST_SECOND - (i % 2) * 30 * GST_USECOND;
    fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  }
  fail_unless_equals_uint64 (get_stat (h->element, "fragments"), 10);
  stop_sink (h, NULL);
}

GST_END_TEST;

GST_START_TEST (test_greatest_time_of_a_fragment_is_no_limit)
{
  GstElement *sink = make_fragments ("rec.ts");
  GstHarness *h;

  g_object_set (sink, "max-size-time", G_MAXUINT64, NULL);
  h = start_sink (sink, NULL);
  push_range (h, 1, 20, 5);
  fail_unless_equals_uint64 (get_stat (h->element, "fragments"), 1);
  stop_sink (h, NULL);
}

GST_END_TEST;

static Suite *
recfilesinkfragments_suite (void)
{
  Suite *s = suite_create ("recfilesinkfragments");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 120);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (
      tc, test_fragments_are_cut_at_random_access_points_after_time);
  tcase_add_test (
      tc, test_fragments_are_cut_at_random_access_points_after_size);
  tcase_add_test (tc, test_split_now_cuts_at_the_next_random_access_point_once);
  tcase_add_test (tc, test_session_begins_a_new_file_where_that_is_wanted);
  tcase_add_test (tc, test_every_fragment_is_told_when_opened_and_closed);
  tcase_add_test (tc, test_names_without_a_number_get_one);
  tcase_add_test (tc, test_application_may_name_fragments);
  tcase_add_test (tc, test_retention_deletes_only_what_the_recording_made);
  tcase_add_test (tc, test_retention_keeps_the_total_size);
  tcase_add_test (tc, test_ten_thousand_fragments_leave_nothing_behind);
  tcase_add_test (tc, test_key_frames_that_vary_do_not_double_the_fragments);
  tcase_add_test (tc, test_greatest_time_of_a_fragment_is_no_limit);
  return s;
}

GST_CHECK_MAIN (recfilesinkfragments);
