/* gst-tsrec: recfilesink goes on in a file that a crash left, and its journal
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recsinktest.h"

#include <sys/time.h>

#if HAVE_JOURNAL
#include <json-glib/json-glib.h>
#endif

static GstElement *
make_resuming (const gchar *location)
{
  GstElement *sink = make_sink (location);

  g_object_set (sink, "resume", TRUE, NULL);
  return sink;
}

/* A file with access units 0 to @n and @torn bytes of the next. */
static void
leave_file (const gchar *name, guint n, gsize torn)
{
  GByteArray *bytes = g_byte_array_new ();
  GstMapInfo map;
  guint i;

  for (i = 0; i <= n; i++) {
    GstBuffer *au = make_au (i, TRUE);

    gst_buffer_map (au, &map, GST_MAP_READ);
    g_byte_array_append (bytes, map.data, i < n ? AU : torn);
    gst_buffer_unmap (au, &map);
    gst_buffer_unref (au);
  }
  fail_unless (
      g_file_set_contents (name, (gchar *)bytes->data, bytes->len, NULL));
  g_byte_array_unref (bytes);
}

static gboolean
ask_resume (GstHarness *h, RecResume *resume)
{
  GstQuery *query = rec_query_new_resume ();
  gboolean answered = gst_pad_peer_query (h->srcpad, query) &&
      rec_query_parse_resume (query, resume);

  gst_query_unref (query);
  return answered;
}

GST_START_TEST (test_torn_tail_is_cut_and_the_stream_goes_on_behind)
{
  RecResume *resume = g_new0 (RecResume, 1);
  GstHarness *h;
  GArray *aus;

  leave_file (path, 3, 100);
  h = start_sink (make_resuming (path), NULL);
  fail_unless_equals_uint64 (size_on_disk (path), 3 * AU);
  fail_unless (ask_resume (h, resume));
  fail_unless_equals_int (
      resume->continuity_counter[0x100], (3 * AU_PACKETS - 1) & 0x0f);
  fail_unless_equals_int (resume->continuity_counter[0x101], TS_CC_NONE);
  fail_unless_equals_int (resume->pat_version, -1);
  fail_unless (resume->elapsed < 60 * GST_SECOND);
  gst_harness_push (h, make_au (3, TRUE));
  fail_if (ask_resume (h, resume));
  aus = read_aus (path);
  fail_unless_equals_int (aus->len, 4);
  fail_unless_equals_int (g_array_index (aus, guint, 3), 3);
  g_array_unref (aus);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-written"), AU);
  gst_harness_teardown (h);
  g_free (resume);
}

GST_END_TEST;

GST_START_TEST (test_nothing_to_resume_begins_a_new_file)
{
  RecResume *resume = g_new0 (RecResume, 1);
  GstHarness *h = start_sink (make_resuming (path), NULL);

  fail_if (ask_resume (h, resume));
  gst_harness_push (h, make_au (0, TRUE));
  fail_unless_equals_uint64 (size_on_disk (path), AU);
  gst_harness_teardown (h);
  g_free (resume);
}

GST_END_TEST;

GST_START_TEST (
    test_newest_fragment_is_resumed_and_older_ones_are_kept_count_of)
{
  gchar *pattern = in_dir ("rec-%05d.ts"), *names[5];
  GstElement *sink = make_resuming (pattern);
  GstHarness *h;
  guint i;

  for (i = 0; i < 5; i++) {
    gchar *name = g_strdup_printf ("rec-%05u.ts", i);

    names[i] = in_dir (name);
    g_free (name);
  }
  leave_file (names[0], 2, 0);
  leave_file (names[1], 2, 0);
  leave_file (names[2], 2, 50);
  g_object_set (sink, "max-size-time", 2 * FRAME, "max-files", 3, NULL);
  h = start_sink (sink, NULL);
  for (i = 0; i < 4; i++)
    gst_harness_push (h, make_au (i, TRUE));
  stop_sink (h, NULL);
  fail_unless_equals_uint64 (size_on_disk (names[0]), 0);
  fail_unless_equals_uint64 (size_on_disk (names[1]), 2 * AU);
  fail_unless_equals_uint64 (size_on_disk (names[2]), 4 * AU);
  fail_unless_equals_uint64 (size_on_disk (names[3]), 2 * AU);
  for (i = 0; i < 5; i++)
    g_free (names[i]);
  g_free (pattern);
}

GST_END_TEST;

/* A file that a run left at the time in its name. */
static gchar *
leave_old (const gchar *name, gint seconds)
{
  struct timeval times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };
  gchar *file = in_dir (name);

  leave_file (file, 2, 0);
  fail_unless_equals_int (utimes (file, times), 0);
  return file;
}

static guint
count_present (gchar *const *names, guint n)
{
  guint i, present = 0;

  for (i = 0; i < n; i++)
    present += g_file_test (names[i], G_FILE_TEST_EXISTS);
  return present;
}

GST_START_TEST (test_names_with_a_time_are_resumed_and_kept_count_of)
{
  gchar *names[] = { leave_old ("cam-20200101-000000.ts", 1000),
    leave_old ("cam-20200102-000000.ts", 2000),
    leave_old ("cam-20200103-000000.ts", 3000) };
  gchar *foreign = leave_old ("cam-holiday.ts", 500);
  gchar *pattern = in_dir ("cam-%Y%m%d-%H%M%S.ts");
  GstElement *sink = make_resuming (pattern);
  GstHarness *h;
  guint i;

  g_object_set (sink, "max-size-time", 2 * FRAME, "max-files", 2, NULL);
  h = start_sink (sink, NULL);
  gst_harness_push (h, make_au (2, TRUE));
  gst_harness_push (h, make_au (3, TRUE));
  /* the newest one has grown */
  fail_unless_equals_uint64 (size_on_disk (names[2]), 4 * AU);
  for (i = 4; i < 8; i++)
    gst_harness_push (h, make_au (i, TRUE));
  stop_sink (h, NULL);
  fail_unless_equals_int (count_present (names, 3), 0);
  fail_unless (g_file_test (foreign, G_FILE_TEST_EXISTS));
  fail_unless_equals_int (count_entries (dir), 3);
  for (i = 0; i < 3; i++)
    g_free (names[i]);
  g_free (foreign);
  g_free (pattern);
}

GST_END_TEST;

GST_START_TEST (test_files_that_another_recorder_writes_are_not_deleted)
{
  gchar *names[] = { leave_old ("cam-20200101.ts", 1000),
    leave_old ("cam-20200102.ts", 2000), leave_old ("cam-20200103.ts", 3000) };
  gchar *pattern = in_dir ("cam-%Y%m%d.ts");
  GstElement *sink = make_resuming (pattern);
  RecFile other;
  GstHarness *h;
  guint i;

  rec_file_init (&other, NULL, -1);
  fail_unless_equals_int (
      rec_file_open (&other, names[0], REC_FILE_CONTINUE), 0);
  g_object_set (sink, "max-files", 1, NULL);
  h = start_sink (sink, NULL);
  gst_harness_push (h, make_au (2, TRUE));
  stop_sink (h, NULL);
  fail_unless (g_file_test (names[0], G_FILE_TEST_EXISTS));
  fail_if (g_file_test (names[1], G_FILE_TEST_EXISTS));
  fail_unless_equals_uint64 (size_on_disk (names[2]), 3 * AU);
  rec_file_close (&other);
  for (i = 0; i < 3; i++)
    g_free (names[i]);
  g_free (pattern);
}

GST_END_TEST;

/* @folder, and what is in its folders. */
static void
remove_folders (const gchar *folder)
{
  GDir *d = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while (d && (name = g_dir_read_name (d))) {
    gchar *inside = g_build_filename (folder, name, NULL);

    if (g_unlink (inside) != 0)
      remove_folders (inside);
    g_free (inside);
  }
  if (d)
    g_dir_close (d);
  g_rmdir (folder);
}

GST_START_TEST (test_empty_folders_go_with_their_last_fragment)
{
  gchar *day = in_dir ("day"), *old = in_dir ("day/2020"), *names[4];
  gchar *notes = in_dir ("day/2021/notes"), *pattern = in_dir ("day/%Y/rec.ts");
  GstElement *sink = make_resuming (pattern);
  GstHarness *h;
  guint i;

  for (i = 0; i < 4; i++) {
    gchar *folder = g_strdup_printf ("%s/202%u", day, i);

    g_mkdir_with_parents (folder, 0700);
    g_free (folder);
    folder = g_strdup_printf ("day/202%u/rec.ts", i);
    names[i] = leave_old (folder, 1000 * (gint)i);
    g_free (folder);
  }
  g_file_set_contents (notes, "x", 1, NULL);
  g_object_set (sink, "max-files", 1, NULL);
  h = start_sink (sink, NULL);
  gst_harness_push (h, make_au (2, TRUE));
  fail_unless_equals_uint64 (size_on_disk (names[3]), 3 * AU);
  /* the one that was resumed goes in its turn */
  g_signal_emit_by_name (h->element, "split-now");
  gst_harness_push (h, make_au (3, TRUE));
  stop_sink (h, NULL);
  fail_unless_equals_int (count_present (names, 4), 0);
  fail_if (g_file_test (old, G_FILE_TEST_EXISTS));
  fail_unless (g_file_test (notes, G_FILE_TEST_EXISTS));
  /* that of this year, and the one with the notes */
  fail_unless_equals_int (count_entries (day), 2);
  remove_folders (day);
  for (i = 0; i < 4; i++)
    g_free (names[i]);
  g_free (day);
  g_free (old);
  g_free (notes);
  g_free (pattern);
}

GST_END_TEST;

GST_START_TEST (test_what_cannot_be_resumed_is_refused_at_ready)
{
  gchar *pattern = in_dir ("rec-%c.ts"), *list = in_dir ("rec-%x.m3u8");
  GstElement *sink;

  assert_refused (make_resuming (pattern), GST_STATE_READY, "\"%c\"");
  sink = make_resuming (path);
  g_object_set (sink, "playlist-location", list, NULL);
  assert_refused (sink, GST_STATE_READY, "playlist-location");
  g_free (pattern);
  g_free (list);
}

GST_END_TEST;

GST_START_TEST (test_file_behind_a_link_is_resumed)
{
  gchar *file = in_dir ("data");
  GstHarness *h;

  leave_file (file, 2, 0);
  fail_unless_equals_int (symlink (file, path), 0);
  h = start_sink (make_resuming (path), NULL);
  gst_harness_push (h, make_au (2, TRUE));
  stop_sink (h, NULL);
  fail_unless_equals_uint64 (size_on_disk (file), 3 * AU);
  g_free (file);
}

GST_END_TEST;

GST_START_TEST (test_other_files_are_not_resumed_as_a_transport_stream)
{
  GstHarness *h;
  GstBus *bus;
  gchar *text;

  fail_unless (g_file_set_contents (path, "precious", -1, NULL));
  h = start_sink (make_resuming (path), &bus);
  gst_harness_push (h, make_au (0, TRUE));
  text = pop_text (bus, GST_MESSAGE_ERROR);
  assert_text_has (text, "not an MPEG transport stream");
  g_free (text);
  stop_sink (h, bus);
  fail_unless_equals_uint64 (size_on_disk (path), strlen ("precious"));
}

GST_END_TEST;

GST_START_TEST (test_file_that_is_being_recorded_is_not_resumed)
{
  GstHarness *h = start_sink (make_sink (path), NULL);

  gst_harness_push (h, make_au (0, TRUE));
  assert_refused (make_resuming (path), GST_STATE_PAUSED, "Another recorder");
  gst_harness_teardown (h);
}

GST_END_TEST;

#if HAVE_JOURNAL

/* The lines of the journal, each of them a whole object. */
static GPtrArray *
read_journal (const gchar *name)
{
  GPtrArray *lines =
      g_ptr_array_new_with_free_func ((GDestroyNotify)json_node_unref);
  gchar *contents, **parts;
  guint i;

  fail_unless (g_file_get_contents (name, &contents, NULL, NULL));
  fail_unless (g_str_has_suffix (contents, "\n"));
  parts = g_strsplit (contents, "\n", -1);
  for (i = 0; parts[i]; i++) {
    JsonNode *node;

    if (!*parts[i])
      continue;
    node = json_from_string (parts[i], NULL);
    fail_unless (
        node && JSON_NODE_HOLDS_OBJECT (node), "no JSON: %s", parts[i]);
    fail_unless (json_object_has_member (json_node_get_object (node), "utc"));
    g_ptr_array_add (lines, node);
  }
  g_strfreev (parts);
  g_free (contents);
  return lines;
}

static JsonObject *
find_event (GPtrArray *lines, const gchar *event)
{
  guint i;

  for (i = 0; i < lines->len; i++) {
    JsonObject *line = json_node_get_object (g_ptr_array_index (lines, i));

    if (g_str_equal (json_object_get_string_member (line, "event"), event))
      return line;
  }
  fail ("no event %s in the journal", event);
  return NULL;
}

GST_START_TEST (test_journal_tells_what_happened)
{
  gchar *journal = in_dir ("journal");
  GstElement *sink = make_sink (path);
  JsonObject *line;
  GPtrArray *lines;
  GstHarness *h;
  guint64 total;

  g_object_set (sink, "journal-location", journal, NULL);
  h = start_sink (sink, NULL);
  gst_harness_push (h, make_au (0, TRUE));
  gst_harness_push (h, make_au (1, TRUE));
  gst_harness_push_event (h,
      rec_event_new_journal (gst_structure_new (
          "track-rejected", "pad", G_TYPE_STRING, "video_0", NULL)));
  gst_harness_push (h, make_au (101, TRUE));
  gst_harness_push_event (h, gst_event_new_eos ());
  stop_sink (h, NULL);
  lines = read_journal (journal);
  line = find_event (lines, "opened");
  fail_unless_equals_string (
      json_object_get_string_member (line, "location"), path);
  line = find_event (lines, "track-rejected");
  fail_unless_equals_string (
      json_object_get_string_member (line, "pad"), "video_0");
  fail_unless_equals_int64 (
      json_object_get_int_member (line, "running-time"), FRAME);
  line = find_event (lines, "gap");
  fail_unless_equals_string (
      json_object_get_string_member (line, "cause"), "no-input");
  fail_unless_equals_int64 (
      json_object_get_int_member (line, "duration"), 100 * FRAME);
  line = find_event (lines, "closed");
  fail_unless_equals_string (
      json_object_get_string_member (line, "reason"), "eos");
  total = json_object_get_int_member (line, "media-time") +
      json_object_get_int_member (line, "gap-time");
  fail_unless_equals_uint64 (total, 101 * FRAME);
  g_ptr_array_unref (lines);
  g_free (journal);
}

GST_END_TEST;

GST_START_TEST (test_resume_after_a_crash_is_in_the_journal)
{
  gchar *journal = in_dir ("journal");
  GstElement *sink = make_resuming (path);
  JsonObject *line;
  GPtrArray *lines;
  GstHarness *h;

  leave_file (path, 2, 40);
  /* the crash cut this line */
  fail_unless (g_file_set_contents (journal, "{}", -1, NULL));
  g_object_set (sink, "journal-location", journal, NULL);
  h = start_sink (sink, NULL);
  gst_harness_push (h, make_au (2, TRUE));
  stop_sink (h, NULL);
  fail_unless (
      g_file_set_contents (journal, "{\"event\":\"cut\",\"utc\":0}", -1, NULL));
  sink = make_resuming (path);
  g_object_set (sink, "journal-location", journal, NULL);
  h = start_sink (sink, NULL);
  gst_harness_push (h, make_au (3, TRUE));
  stop_sink (h, NULL);
  lines = read_journal (journal);
  line = find_event (lines, "cut");
  line = find_event (lines, "resumed");
  fail_unless_equals_int64 (json_object_get_int_member (line, "bytes-torn"), 0);
  line = find_event (lines, "gap");
  fail_unless_equals_string (
      json_object_get_string_member (line, "cause"), "resume-after-crash");
  fail_unless (json_object_get_int_member (line, "duration") > 0);
  g_ptr_array_unref (lines);
  g_free (journal);
}

GST_END_TEST;

GST_START_TEST (test_journal_that_cannot_be_written_is_refused_at_ready)
{
  GstElement *sink = make_sink (path);
  gchar *journal = g_build_filename (dir, "none", "journal", NULL);

  g_object_set (sink, "journal-location", journal, NULL);
  assert_refused (sink, GST_STATE_READY, "journal-location");
  g_free (journal);
}

GST_END_TEST;

#else

GST_START_TEST (test_journal_says_what_this_build_lacks)
{
  GstElement *sink = make_sink (path);

  g_object_set (sink, "journal-location", "journal", NULL);
  assert_refused (sink, GST_STATE_READY, "libjson-glib-dev");
}

GST_END_TEST;

#endif

GST_START_TEST (test_fragments_are_counted_once_however_often_it_starts)
{
  gchar *pattern = in_dir ("rec-%05d.ts");
  GstElement *sink = make_resuming (pattern);
  GstHarness *h;
  guint i;

  for (i = 0; i < 3; i++) {
    gchar *name = g_strdup_printf ("rec-%05u.ts", i), *file = in_dir (name);

    leave_file (file, 2, 0);
    g_free (file);
    g_free (name);
  }
  g_object_set (sink, "max-files", 3, NULL);
  h = start_sink (sink, NULL);
  for (i = 0; i < 3; i++) {
    gst_element_set_state (h->element, GST_STATE_READY);
    gst_element_set_state (h->element, GST_STATE_PLAYING);
  }
  stop_sink (h, NULL);
  fail_unless_equals_int (count_entries (dir), 3);
  g_free (pattern);
}

GST_END_TEST;

static gboolean
has_thread (const gchar *wanted)
{
  GDir *dir = g_dir_open ("/proc/self/task", 0, NULL);
  gboolean found = FALSE;
  const gchar *id;

  while (!found && (id = g_dir_read_name (dir)) != NULL) {
    gchar *comm = g_strdup_printf ("/proc/self/task/%s/comm", id);
    gchar *name = NULL;

    found = g_file_get_contents (comm, &name, NULL, NULL) &&
        g_str_equal (g_strchomp (name), wanted);
    g_free (name);
    g_free (comm);
  }
  g_dir_close (dir);
  return found;
}

static gboolean deleting_at_open;

static int
open_and_look_for_thread (const char *name, int flags, mode_t mode)
{
  deleting_at_open |= has_thread ("rec-disk");
  return open (name, flags, mode);
}

static void
wait_for_thread (gboolean there)
{
  for (guint i = 0; i < 2000 && has_thread ("rec-disk") != there; i++)
    g_usleep (10000);
  fail_unless (has_thread ("rec-disk") == there);
}

/* The older fragments are put where the thread that deletes finds them: it may
 * not be at work yet. That of a test before ends when it has been idle for half a
 * second. */
GST_START_TEST (test_older_fragments_are_found_before_any_is_deleted)
{
  RecSyscalls counting = rec_syscalls_posix;
  GstElement *sink = make_resuming (path);
  GstHarness *h;

  wait_for_thread (FALSE);
  leave_file (path, 2, 0);
  deleting_at_open = FALSE;
  counting.open = open_and_look_for_thread;
  g_object_set_data (G_OBJECT (sink), "rec-syscalls", &counting);
  h = start_sink (sink, NULL);
  wait_for_thread (TRUE);
  fail_unless (!deleting_at_open);
  stop_sink (h, NULL);
}

GST_END_TEST;

static Suite *
recfilesinkresume_suite (void)
{
  Suite *s = suite_create ("recfilesinkresume");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_torn_tail_is_cut_and_the_stream_goes_on_behind);
  tcase_add_test (tc, test_nothing_to_resume_begins_a_new_file);
  tcase_add_test (
      tc, test_newest_fragment_is_resumed_and_older_ones_are_kept_count_of);
  tcase_add_test (tc, test_names_with_a_time_are_resumed_and_kept_count_of);
  tcase_add_test (tc, test_files_that_another_recorder_writes_are_not_deleted);
  tcase_add_test (tc, test_empty_folders_go_with_their_last_fragment);
  tcase_add_test (tc, test_what_cannot_be_resumed_is_refused_at_ready);
  tcase_add_test (tc, test_file_behind_a_link_is_resumed);
  tcase_add_test (tc, test_other_files_are_not_resumed_as_a_transport_stream);
  tcase_add_test (tc, test_file_that_is_being_recorded_is_not_resumed);
#if HAVE_JOURNAL
  tcase_add_test (tc, test_journal_tells_what_happened);
  tcase_add_test (tc, test_resume_after_a_crash_is_in_the_journal);
  tcase_add_test (tc, test_journal_that_cannot_be_written_is_refused_at_ready);
#else
  tcase_add_test (tc, test_journal_says_what_this_build_lacks);
#endif
  tcase_add_test (tc, test_fragments_are_counted_once_however_often_it_starts);
  tcase_add_test (tc, test_older_fragments_are_found_before_any_is_deleted);
  return s;
}

GST_CHECK_MAIN (recfilesinkresume);
