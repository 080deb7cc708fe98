/* gst-tsrec: recfilesink makes folders, and goes on where a file cannot be
 * opened
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recsinktest.h"

#include <gst/video/video.h>

#include <sched.h>
#include <sys/mount.h>

/* Random access points are so many access units apart. */
#define GOP 5

static _Atomic gint open_err; /* 0: files can be created */

static int
failing_open (const char *name, int flags, mode_t mode)
{
  if (open_err && (flags & O_CREAT)) {
    errno = open_err;
    return -1;
  }
  return open (name, flags, mode);
}

static RecSyscalls failing;

static void
remove_tree (const gchar *folder)
{
  GDir *d = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while (d && (name = g_dir_read_name (d))) {
    gchar *file = g_build_filename (folder, name, NULL);

    if (g_file_test (file, G_FILE_TEST_IS_DIR))
      remove_tree (file);
    else
      g_unlink (file);
    g_free (file);
  }
  if (d)
    g_dir_close (d);
  g_rmdir (folder);
}

static void
setup_folders (void)
{
  setup ();
  failing = rec_syscalls_posix;
  failing.open = failing_open;
  open_err = 0;
}

static void
teardown_folders (void)
{
  remove_tree (dir);
  fail_if (g_file_test (dir, G_FILE_TEST_EXISTS));
  g_free (path);
  g_free (dir);
}

/* A sink with fragments of one group of pictures. */
static GstElement *
make_cutting (const gchar *name)
{
  gchar *location = in_dir (name);
  GstElement *sink = make_sink (location);

  g_object_set_data (G_OBJECT (sink), "rec-syscalls", &failing);
  g_object_set (sink, "max-size-time", GOP * FRAME, NULL);
  g_free (location);
  return sink;
}

static guint
push_n (GstHarness *h, guint n, guint count)
{
  for (; count > 0; count--, n++)
    fail_unless_equals_int (
        gst_harness_push (h, make_au (n, n % GOP == 0)), GST_FLOW_OK);
  return n;
}

/* Pushes from @n on until @fragments have been opened. */
static guint
push_until_opened (GstHarness *h, guint n, guint64 fragments)
{
  while (get_stat (h->element, "fragments") < fragments) {
    n = push_n (h, n, 1);
    g_usleep (2000);
  }
  return n;
}

/* Appends the access units of @name to those of the files before. */
static guint
assert_goes_on (const gchar *name, guint next)
{
  gchar *file = in_dir (name);
  GArray *aus = read_aus (file);
  guint i;

  fail_unless (aus->len > 0, "%s is empty", name);
  for (i = 0; i < aus->len; i++)
    fail_unless_equals_int (g_array_index (aus, guint, i), next++);
  g_array_unref (aus);
  g_free (file);
  return next;
}

static void
assert_nothing_dropped (GstHarness *h)
{
  fail_unless_equals_uint64 (get_stat (h->element, "buffers-dropped"), 0);
}

GST_START_TEST (test_folders_of_a_pattern_are_made)
{
  GstElement *sink = make_cutting ("day/%Y/f-%05d/rec.ts");
  gchar *none = in_dir ("day");
  gchar year[8], *name;
  time_t now = time (NULL);
  struct tm tm;
  GstHarness *h;
  guint i, next = 0;

  gst_element_set_state (sink, GST_STATE_READY);
  fail_if (g_file_test (none, G_FILE_TEST_EXISTS)); /* with the first buffer */
  h = start_sink (sink, NULL);
  push_n (h, 0, 3 * GOP);
  assert_nothing_dropped (h);
  gst_harness_push_event (h, gst_event_new_eos ());
  strftime (year, sizeof (year), "%Y", localtime_r (&now, &tm));
  for (i = 0; i < 3; i++) {
    name = g_strdup_printf ("day/%s/f-%05u/rec.ts", year, i);
    next = assert_goes_on (name, next);
    g_free (name);
  }
  fail_unless_equals_int (next, 3 * GOP);
  gst_harness_teardown (h);
  g_free (none);
}

GST_END_TEST;

/* Groups of pictures that the playlist takes: each begins with a PAT. */
static void
push_list (GstHarness *h, guint groups)
{
  static const guint8 pat[] = { 0x47, 0x40, 0x00, 0x10 };
  GstBuffer *buffer;
  guint n;

  for (n = 0; n < groups * GOP; n++) {
    buffer = make_au (n, n % GOP == 0);
    if (n % GOP == 0)
      gst_buffer_fill (buffer, 0, pat, sizeof (pat));
    fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  }
}

GST_START_TEST (test_folders_of_what_is_beside_the_files_are_made)
{
  gchar *list = in_dir ("cam/rec.m3u8"), *text;
  GstElement *sink = make_cutting ("cam/%Y/rec-%05d.ts");
  GstHarness *h;

  g_object_set (sink, "playlist-location", list, NULL);
#if HAVE_JOURNAL
  text = in_dir ("cam/journal");
  g_object_set (sink, "journal-location", text, NULL);
  g_free (text);
#endif
  h = start_sink (sink, NULL);
  push_list (h, 2);
  stop_sink (h, NULL);
  fail_unless (g_file_get_contents (list, &text, NULL, NULL));
  assert_text_has (text, "/rec-00000.ts");
  g_free (text);
#if HAVE_JOURNAL
  text = in_dir ("cam/journal");
  fail_unless (size_on_disk (text) > 0);
  g_free (text);
#endif
  g_free (list);
}

GST_END_TEST;

/* Each reason for which a next file cannot be opened. */
static void
check_goes_on_in_the_old_file (gint err)
{
  GstHarness *h;
  GstMessage *msg;
  GstBus *bus;
  gchar *text, *expected;
  guint n, next;

  h = start_sink (make_cutting ("rec-%05d.ts"), &bus);
  n = push_n (h, 0, 1);
  open_err = err;
  n = push_n (h, n, 10 * GOP);
  assert_nothing_dropped (h);
  fail_unless_equals_uint64 (get_stat (h->element, "fragments"), 1);
  msg = wait_message (bus, "recfilesink-open-failed");
  expected = in_dir ("rec-00001.ts");
  fail_unless_equals_string (
      gst_structure_get_string (gst_message_get_structure (msg), "location"),
      expected);
  gst_message_unref (msg);
  text = pop_text (bus, GST_MESSAGE_WARNING);
  assert_text_has (text, expected);
  assert_text_has (text, g_strerror (err));
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);
  open_err = 0;
  n = push_until_opened (h, n, 2);
  assert_nothing_dropped (h);
  fail_unless_equals_int (count_messages (bus, "recfilesink-open-failed"), 0);
  stop_sink (h, bus);
  next = assert_goes_on ("rec-00000.ts", 0);
  fail_unless_equals_int (assert_goes_on ("rec-00001.ts", next), n);
  g_free (text);
  g_free (expected);
  remove_tree (dir);
  g_mkdir (dir, 0700);
}

GST_START_TEST (test_file_that_cannot_be_opened_drops_nothing)
{
  check_goes_on_in_the_old_file (EACCES);
  check_goes_on_in_the_old_file (ENAMETOOLONG);
  check_goes_on_in_the_old_file (ENOSPC);
  check_goes_on_in_the_old_file (EMFILE);
  check_goes_on_in_the_old_file (EROFS);
  check_goes_on_in_the_old_file (EISDIR);
  check_goes_on_in_the_old_file (ENOTDIR);
}

GST_END_TEST;

GST_START_TEST (test_file_in_the_place_of_a_folder_drops_nothing)
{
  gchar *obstacle = in_dir ("f-00001");
  GstHarness *h;
  guint n, next;

  h = start_sink (make_cutting ("f-%05d/rec.ts"), NULL);
  n = push_n (h, 0, 1);
  g_file_set_contents (obstacle, "x", 1, NULL);
  n = push_n (h, n, 4 * GOP);
  assert_nothing_dropped (h);
  g_unlink (obstacle);
  n = push_until_opened (h, n, 2);
  stop_sink (h, NULL);
  next = assert_goes_on ("f-00000/rec.ts", 0);
  fail_unless_equals_int (assert_goes_on ("f-00001/rec.ts", next), n);
  g_free (obstacle);
}

GST_END_TEST;

GST_START_TEST (test_location_and_split_that_cannot_be_followed_drop_nothing)
{
  gchar *bad = in_dir ("none/other.ts"), *folder = in_dir ("none");
  GstElement *sink = make_cutting ("rec.ts");
  GstHarness *h;
  guint n, next;

  g_object_set (sink, "max-size-time", (guint64)0, NULL);
  h = start_sink (sink, NULL);
  n = push_n (h, 0, 3);
  /* the folder of a name without a conversion is not made */
  g_object_set (h->element, "location", bad, NULL);
  g_signal_emit_by_name (h->element, "split-now");
  n = push_n (h, n, 3 * GOP);
  assert_nothing_dropped (h);
  fail_unless_equals_uint64 (get_stat (h->element, "fragments"), 1);
  fail_unless_equals_int (g_mkdir (folder, 0700), 0);
  n = push_until_opened (h, n, 2);
  n = push_n (h, n, 2 * GOP);
  fail_unless_equals_uint64 (get_stat (h->element, "fragments"), 2);
  stop_sink (h, NULL);
  next = assert_goes_on ("rec.ts", 0);
  fail_unless_equals_int (assert_goes_on ("none/other.ts", next), n);
  g_free (bad);
  g_free (folder);
}

GST_END_TEST;

GST_START_TEST (test_key_frames_are_not_asked_for_every_second_meanwhile)
{
  GstHarness *h = start_sink (make_cutting ("rec-%05d.ts"), NULL);
  GstEvent *event;
  guint n = push_n (h, 0, 1), asked = 0;

  open_err = EACCES;
  n = push_n (h, n, 3 * GOP);
  while ((event = gst_harness_try_pull_upstream_event (h)))
    gst_event_unref (event);
  push_n (h, n, 3 * GOP);
  while ((event = gst_harness_try_pull_upstream_event (h))) {
    asked += gst_video_event_is_force_key_unit (event);
    gst_event_unref (event);
  }
  fail_unless_equals_int (asked, 0);
  stop_sink (h, NULL);
}

GST_END_TEST;

GST_START_TEST (test_folder_that_is_moved_away_is_no_disk_that_is_gone)
{
  gchar *folder = in_dir ("f-00000"), *moved = in_dir ("moved");
  GstHarness *h;
  GstBus *bus;
  gint64 until;
  guint n, next;

  h = start_sink (make_cutting ("f-%05d/rec.ts"), &bus);
  n = push_n (h, 0, 2);
  fail_unless_equals_int (g_rename (folder, moved), 0);
  /* the element looks around every second */
  until = g_get_monotonic_time () + 1500 * 1000;
  while (g_get_monotonic_time () < until) {
    n = push_n (h, n, 1);
    g_usleep (5000);
  }
  assert_nothing_dropped (h);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-lost-to-sync"), 0);
  stop_sink (h, bus);
  next = assert_goes_on ("moved/rec.ts", 0);
  fail_unless_equals_int (assert_goes_on ("f-00001/rec.ts", next), 2 * GOP);
  g_free (folder);
  g_free (moved);
}

GST_END_TEST;

GST_START_TEST (test_folder_that_is_deleted_is_made_again)
{
  gchar *folder = in_dir ("keep"), *file = in_dir ("keep/rec-1.ts");
  GstElement *sink = make_cutting ("keep/rec.ts");
  GstHarness *h;
  guint n;

  g_mkdir (folder, 0700);
  g_object_set (sink, "max-size-time", (guint64)0, NULL);
  h = start_sink (sink, NULL);
  n = push_n (h, 0, GOP);
  remove_tree (folder);
  n = push_until_opened (h, n, 2);
  push_n (h, n, 1);
  fail_unless (size_on_disk (file) > 0);
  stop_sink (h, NULL);
  g_free (folder);
  g_free (file);
}

GST_END_TEST;

GST_START_TEST (test_folders_are_not_made_below_a_mount_that_is_gone)
{
  GstHarness *h;
  GstBus *bus;
  gchar *mount_point = in_dir ("disk");
  guint n;

  g_mkdir (mount_point, 0700);
  if (unshare (CLONE_NEWNS) != 0 ||
      mount ("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
      mount ("tmpfs", mount_point, "tmpfs", 0, "size=4m") != 0) {
    g_printerr ("skipped: no mount namespace; run as root\n");
    g_free (mount_point);
    return;
  }
  h = start_sink (make_cutting ("disk/cam/f-%05d/rec.ts"), &bus);
  n = push_n (h, 0, GOP + 1);
  fail_unless_equals_int (umount2 (mount_point, MNT_DETACH), 0);
  while (get_stat (h->element, "buffers-dropped") == 0) {
    n = push_n (h, n, 1);
    g_usleep (5000);
  }
  fail_unless_equals_int (count_entries (mount_point), 0);
  gst_message_unref (wait_message (bus, "recfilesink-disk-full"));
  fail_unless_equals_int (count_messages (bus, "recfilesink-open-failed"), 0);
  /* another disk, on which nothing is yet */
  fail_unless_equals_int (
      mount ("tmpfs", mount_point, "tmpfs", 0, "size=4m"), 0);
  n = push_until_opened (h, n, 3);
  gst_message_unref (wait_message (bus, "recfilesink-recovered"));
  stop_sink (h, bus);
  umount2 (mount_point, MNT_DETACH);
  g_free (mount_point);
}

GST_END_TEST;

GST_START_TEST (test_link_that_leads_to_another_disk_is_followed)
{
  gchar *disk = in_dir ("disk"), *link = in_dir ("cam"), *old = in_dir ("old");
  GstHarness *h;
  gint64 until;
  guint n, next;

  g_mkdir (disk, 0700);
  g_mkdir (old, 0700);
  if (unshare (CLONE_NEWNS) != 0 ||
      mount ("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
      mount ("tmpfs", disk, "tmpfs", 0, "size=4m") != 0) {
    g_printerr ("skipped: no mount namespace; run as root\n");
    goto done;
  }
  fail_unless_equals_int (symlink ("old", link), 0);
  h = start_sink (make_cutting ("cam/f-%05d/rec.ts"), NULL);
  n = push_n (h, 0, 2);
  g_unlink (link);
  fail_unless_equals_int (symlink ("disk", link), 0);
  /* the element looks around every second */
  until = g_get_monotonic_time () + 1500 * 1000;
  while (g_get_monotonic_time () < until) {
    n = push_n (h, n, n < GOP - 1);
    g_usleep (5000);
  }
  n = push_n (h, n, GOP);
  assert_nothing_dropped (h);
  stop_sink (h, NULL);
  next = assert_goes_on ("old/f-00000/rec.ts", 0);
  fail_unless_equals_int (assert_goes_on ("disk/f-00001/rec.ts", next), n);
  umount2 (disk, MNT_DETACH);

done:
  g_unlink (link);
  g_free (disk);
  g_free (link);
  g_free (old);
}

GST_END_TEST;

GST_START_TEST (test_folder_that_cannot_be_made_is_refused_at_ready)
{
  GstElement *sink;

  g_file_set_contents (path, "x", 1, NULL);
  sink = make_cutting ("rec.ts/%Y/rec.ts");
  assert_refused (sink, GST_STATE_READY, "Not a directory");
}

GST_END_TEST;

static Suite *
recfilesinkfolders_suite (void)
{
  Suite *s = suite_create ("recfilesinkfolders");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 60);
  tcase_add_checked_fixture (tc, setup_folders, teardown_folders);
  tcase_add_test (tc, test_folders_of_a_pattern_are_made);
  tcase_add_test (tc, test_folders_of_what_is_beside_the_files_are_made);
  tcase_add_test (tc, test_file_that_cannot_be_opened_drops_nothing);
  tcase_add_test (tc, test_file_in_the_place_of_a_folder_drops_nothing);
  tcase_add_test (
      tc, test_location_and_split_that_cannot_be_followed_drop_nothing);
  tcase_add_test (tc, test_key_frames_are_not_asked_for_every_second_meanwhile);
  tcase_add_test (tc, test_folder_that_is_moved_away_is_no_disk_that_is_gone);
  tcase_add_test (tc, test_folder_that_is_deleted_is_made_again);
  tcase_add_test (tc, test_folders_are_not_made_below_a_mount_that_is_gone);
  tcase_add_test (tc, test_link_that_leads_to_another_disk_is_followed);
  tcase_add_test (tc, test_folder_that_cannot_be_made_is_refused_at_ready);
  return s;
}

GST_CHECK_MAIN (recfilesinkfolders);
