/* gst-tsrec: recfilesink when the disk is full, failing, taken away or tampered
 * with
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recsinktest.h"

#include <sched.h>
#include <sys/mount.h>

/* --- a table of calls that fail while they are told to */

static struct
{
  _Atomic gint write_err; /* 0: works */
  _Atomic gint sync_err;
  _Atomic gboolean frozen; /* writes do not return */
  const gchar *spared;     /* the file of that name never fails */
  gint spared_fd;
} fault;

static ssize_t
faulty_pwritev (int fd, const struct iovec *iov, int n, off_t offset)
{
  while (fault.frozen)
    g_usleep (1000);
  if (fault.write_err && fd != fault.spared_fd) {
    errno = fault.write_err;
    return -1;
  }
  return pwritev (fd, iov, n, offset);
}

static int
faulty_fdatasync (int fd)
{
  if (!fault.sync_err)
    return 0;
  errno = fault.sync_err;
  return -1;
}

static int
sparing_open (const char *name, int flags, mode_t mode)
{
  int fd = open (name, flags, mode);

  if (fault.spared && g_str_has_suffix (name, fault.spared))
    fault.spared_fd = fd;
  return fd;
}

static RecSyscalls faulty;

static void
faulty_setup (void)
{
  setup ();
  faulty = rec_syscalls_posix;
  faulty.pwritev = faulty_pwritev;
  faulty.fdatasync = faulty_fdatasync;
  faulty.open = sparing_open;
  memset (&fault, 0, sizeof (fault));
  fault.spared_fd = -1;
}

static GstElement *
make_faulty (void)
{
  GstElement *sink = make_sink (path);

  g_object_set_data (G_OBJECT (sink), "rec-syscalls", &faulty);
  return sink;
}

/* --- pushing */

/* Plays the mux: answers "tsrec-resync" with a random access point that is
 * marked DISCONT. TRUE when it was asked to. */
static gboolean
take_resync (GstHarness *h)
{
  GstEvent *event;
  gboolean asked = FALSE;

  while ((event = gst_harness_try_pull_upstream_event (h))) {
    asked |= rec_event_is_resync (event);
    gst_event_unref (event);
  }
  return asked;
}

/* Pushes access unit @n, every 12th and those that answer a resync as random
 * access points, and gives the clock of the element some time. */
static guint
push_one (GstHarness *h, guint n, gboolean resync)
{
  GstBuffer *buffer = make_au (n, resync || n % 12 == 0);

  if (resync)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  g_usleep (5000);
  return n + 1;
}

/* Pushes access units from number @n on until one is written; the number of
 * the one after it. Every 12th is a random access point. */
static guint
push_until_written (GstHarness *h, guint n)
{
  guint64 before = get_stat (h->element, "buffers-written");

  while (get_stat (h->element, "buffers-written") == before)
    n = push_one (h, n, take_resync (h));
  return n;
}

/* Pushes until the element tried the disk again @times. */
static guint
push_until_tried (GstHarness *h, guint n, guint times)
{
  while (times > 0) {
    gboolean resync = take_resync (h);

    times -= resync;
    n = push_one (h, n, resync);
  }
  return n;
}

static guint
push_n (GstHarness *h, guint n, guint count)
{
  for (; count > 0; count--, n++)
    fail_unless_equals_int (
        gst_harness_push (h, make_au (n, n % 12 == 0)), GST_FLOW_OK);
  return n;
}

static void
assert_is_continued_after (const gchar *name, guint last_before, guint first)
{
  GArray *aus = read_aus (name);
  guint i, breaks = 0;

  for (i = 1; i < aus->len; i++) {
    guint a = g_array_index (aus, guint, i - 1);
    guint b = g_array_index (aus, guint, i);

    if (b == a + 1)
      continue;
    breaks++;
    fail_unless_equals_int (a, last_before);
    fail_unless_equals_int (b, first);
  }
  fail_unless_equals_int (breaks, 1);
  g_array_unref (aus);
}

GST_START_TEST (test_full_disk_loses_nothing_and_recording_goes_on_by_itself)
{
  GstBus *bus;
  GstHarness *h = start_sink (make_faulty (), &bus);
  guint n, resumed;
  guint64 media, gap;

  n = push_n (h, 0, 20);
  fault.write_err = ENOSPC;
  n = push_n (h, n, 30);
  fail_unless_equals_uint64 (get_stat (h->element, "buffers-dropped"), 30);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-dropped"), 30 * AU);
  fail_unless_equals_uint64 (size_on_disk (path), 20 * AU);
  fault.write_err = 0;
  resumed = push_until_written (h, n) - 1;
  n = push_n (h, resumed + 1, 5);
  media = get_stat (h->element, "media-time");
  gap = get_stat (h->element, "gap-time");
  fail_unless_equals_uint64 (media + gap, (n - 1) * FRAME);
  fail_unless_equals_uint64 (gap, (resumed - 20) * FRAME);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-durable"),
      get_stat (h->element, "bytes-written"));
  assert_is_continued_after (path, 19, resumed);
  stop_sink (h, bus);
}

GST_END_TEST;

GST_START_TEST (test_full_disk_is_told_once_each_way)
{
  GstBus *bus;
  GstHarness *h = start_sink (make_faulty (), &bus);
  GstMessage *msg;
  guint n = push_n (h, 0, 1);
  const GstStructure *s;
  guint64 dropped;

  fault.write_err = ENOSPC;
  n = push_n (h, n, 30);
  msg = wait_message (bus, "recfilesink-disk-full");
  s = gst_message_get_structure (msg);
  fail_unless_equals_string (
      gst_structure_get_string (s, "reason"), "disk-full");
  fail_unless_equals_string (gst_structure_get_string (s, "location"), path);
  gst_message_unref (msg);
  n = push_until_tried (h, n, 2);
  fault.write_err = 0;
  push_until_written (h, n);
  while ((msg = gst_bus_pop (bus)) &&
      !gst_message_has_name (msg, "recfilesink-recovered")) {
    fail_if (gst_message_has_name (msg, "recfilesink-disk-full"));
    gst_message_unref (msg);
  }
  fail_unless (msg != NULL);
  s = gst_message_get_structure (msg);
  fail_unless (gst_structure_get_uint64 (s, "bytes-dropped", &dropped));
  fail_unless (dropped >= 30 * AU);
  gst_message_unref (msg);
  fail_unless_equals_int (count_messages (bus, "recfilesink-recovered"), 0);
  stop_sink (h, bus);
}

GST_END_TEST;

static gboolean
refuse_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gst_event_unref (event);
  return FALSE;
}

/* Another mux does not know the event. */
GST_START_TEST (test_recording_continues_with_another_mux)
{
  GstHarness *h = start_sink (make_faulty (), NULL);
  GstQuery *query = rec_query_new_written ();
  RecWritten written;
  guint n = push_n (h, 0, 2);

  gst_pad_set_event_function (h->srcpad, refuse_event);
  fault.write_err = ENOSPC;
  n = push_n (h, n, 1);
  fail_unless (gst_pad_peer_query (h->srcpad, query));
  fail_unless (rec_query_parse_written (query, &written, NULL));
  fail_unless (written.waiting_for_disk);
  fault.write_err = 0;
  n = push_until_written (h, n) - 1;
  fail_unless_equals_int (n % 12, 0);
  gst_query_unref (query);
  gst_harness_teardown (h);
}

GST_END_TEST;

static void
check_reason (gint err, const gchar *reason, const gchar *advice)
{
  GstBus *bus;
  GstHarness *h = start_sink (make_faulty (), &bus);
  GstMessage *msg;
  gchar *text;

  push_n (h, 0, 1);
  fault.write_err = err;
  push_n (h, 1, 1);
  msg = wait_message (bus, "recfilesink-disk-full");
  fail_unless_equals_string (
      gst_structure_get_string (gst_message_get_structure (msg), "reason"),
      reason);
  gst_message_unref (msg);
  text = pop_text (bus, GST_MESSAGE_WARNING);
  assert_text_has (text, advice);
  assert_text_has (text, path);
  g_free (text);
  fault.write_err = 0;
  stop_sink (h, bus);
  g_unlink (path);
}

GST_START_TEST (test_each_way_to_fail_is_told_apart)
{
  check_reason (ENOSPC, "disk-full", "Free space");
  check_reason (EDQUOT, "quota", "quota");
  check_reason (EIO, "io-error", "dmesg");
  check_reason (EROFS, "read-only", "remount");
  check_reason (ENODEV, "mount-removed", "Mount the file system again");
}

GST_END_TEST;

GST_START_TEST (test_error_policy_ends_the_recording_with_an_error)
{
  GstElement *sink = make_faulty ();
  GstHarness *h;
  GstBus *bus;
  gchar *text;

  gst_util_set_object_arg (G_OBJECT (sink), "on-disk-full", "error");
  h = start_sink (sink, &bus);
  push_n (h, 0, 2);
  fault.write_err = ENOSPC;
  fail_unless_equals_int (
      gst_harness_push (h, make_au (2, FALSE)), GST_FLOW_ERROR);
  text = pop_text (bus, GST_MESSAGE_ERROR);
  assert_text_has (text, "on-disk-full=wait");
  g_free (text);
  fault.write_err = 0;
  stop_sink (h, bus);
  fail_unless_equals_uint64 (size_on_disk (path), 2 * AU);
}

GST_END_TEST;

GST_START_TEST (test_failover_goes_on_at_the_other_location)
{
  GstElement *sink = make_faulty ();
  gchar *other = in_dir ("other.ts");
  GstHarness *h;
  GstBus *bus;
  GArray *aus;
  guint n;

  fault.spared = "other.ts";
  gst_util_set_object_arg (G_OBJECT (sink), "on-disk-full", "failover");
  g_object_set (sink, "failover-location", other, NULL);
  h = start_sink (sink, &bus);
  n = push_n (h, 0, 5);
  fault.write_err = EIO;
  n = push_n (h, n, 1);
  n = push_until_written (h, n);
  push_n (h, n, 3);
  gst_harness_push_event (h, gst_event_new_eos ());
  aus = read_aus (other);
  fail_unless_equals_int (aus->len, 4);
  fail_unless_equals_int (g_array_index (aus, guint, 0), n - 1);
  g_array_unref (aus);
  fail_unless_equals_uint64 (size_on_disk (path), 5 * AU);
  fault.write_err = 0;
  stop_sink (h, bus);
  g_free (other);
}

GST_END_TEST;

GST_START_TEST (test_deleted_file_is_told_and_replaced)
{
  GstBus *bus;
  GstHarness *h = start_sink (make_faulty (), &bus);
  gchar *text, *next = in_dir ("rec-1.ts");
  guint n = push_n (h, 0, 5);
  GArray *aus;

  g_unlink (path);
  n = push_until_written (h, n);
  text = pop_text (bus, GST_MESSAGE_WARNING);
  assert_text_has (text, "deleted by another process");
  g_free (text);
  push_n (h, n, 1);
  aus = read_aus (next);
  fail_unless_equals_int (g_array_index (aus, guint, 0), n - 1);
  g_array_unref (aus);
  stop_sink (h, bus);
  g_free (next);
}

GST_END_TEST;

GST_START_TEST (test_truncated_file_gets_no_hole_and_no_torn_packet)
{
  GstBus *bus;
  GstHarness *h = start_sink (make_faulty (), &bus);
  gchar *text;
  guint n = push_n (h, 0, 5);

  fail_unless_equals_int (truncate (path, 2 * AU + 100), 0);
  n = push_until_written (h, n);
  text = pop_text (bus, GST_MESSAGE_WARNING);
  assert_text_has (text, "truncated by another process");
  g_free (text);
  assert_is_continued_after (path, 1, n - 1);
  stop_sink (h, bus);
}

GST_END_TEST;

GST_START_TEST (test_failed_sync_is_told_and_its_bytes_are_never_durable)
{
  GstElement *sink = make_faulty ();
  GstHarness *h;
  GstBus *bus;
  gchar *text;

  gst_util_set_object_arg (G_OBJECT (sink), "sync-interval", "-1");
  h = start_sink (sink, &bus);
  push_n (h, 0, 2);
  fault.sync_err = EIO;
  push_n (h, 2, 1);
  fault.sync_err = 0;
  text = pop_text (bus, GST_MESSAGE_WARNING);
  assert_text_has (text, "Could not make 1316 bytes");
  g_free (text);
  push_n (h, 3, 2);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-written"), 5 * AU);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-durable"), 4 * AU);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-lost-to-sync"), AU);
  fail_unless_equals_uint64 (get_stat (h->element, "sync-failures"), 1);
  stop_sink (h, bus);
}

GST_END_TEST;

static gpointer
push_three (gpointer h)
{
  push_n (h, 1, 3);
  return NULL;
}

GST_START_TEST (test_frozen_disk_loses_nothing_and_is_seen_in_stats)
{
  GstHarness *h = start_sink (make_faulty (), NULL);
  GThread *thread;

  push_n (h, 0, 1);
  fault.frozen = TRUE;
  thread = g_thread_new ("push", push_three, h);
  while (get_stat (h->element, "write-blocked") < 100 * GST_MSECOND)
    g_usleep (1000);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-written"), AU);
  fault.frozen = FALSE;
  g_thread_join (thread);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-written"), 4 * AU);
  fail_unless_equals_uint64 (get_stat (h->element, "write-blocked"), 0);
  fail_unless (get_stat (h->element, "write-latency-max") >= 100 * GST_MSECOND);
  fail_unless (get_stat (h->element, "write-latency-mean") > 0);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_little_space_is_warned_of_before_it_is_none)
{
  GstElement *sink = make_faulty ();
  GstHarness *h;
  GstBus *bus;

  g_object_set (sink, "min-free-bytes", G_MAXUINT64 / 2, NULL);
  h = start_sink (sink, &bus);
  push_n (h, 0, 2);
  gst_message_unref (wait_message (bus, "recfilesink-disk-low"));
  /* recording goes on */
  push_n (h, 2, 1);
  fail_unless_equals_uint64 (size_on_disk (path), 3 * AU);
  stop_sink (h, bus);
}

GST_END_TEST;

/* --- real file systems, in a mount namespace of this test */

static gboolean
mount_tmpfs (const gchar *where)
{
  if (unshare (CLONE_NEWNS) == 0 &&
      mount ("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
      mount ("tmpfs", where, "tmpfs", 0, "size=4m") == 0)
    return TRUE;
  g_printerr (
      "skipped: no mount namespace (%s); run as root\n", g_strerror (errno));
  return FALSE;
}

static void
fill (const gchar *name)
{
  gint fd = open (name, O_WRONLY | O_CREAT, 0600);
  gchar block[65536] = { 0 };
  guint step;

  for (step = sizeof (block); step > 0; step /= 4)
    while (write (fd, block, step) == (gssize)step)
      ;
  close (fd);
}

GST_START_TEST (test_file_system_filled_by_somebody_else_and_freed_again)
{
  gchar *filler = in_dir ("filler");
  GstHarness *h;
  GstBus *bus;
  guint n, resumed, last;

  if (!mount_tmpfs (dir))
    goto done;
  h = start_sink (make_sink (path), &bus);
  n = push_n (h, 0, 10);
  fill (filler);
  while (get_stat (h->element, "buffers-dropped") == 0)
    n = push_n (h, n, 1);
  last = n - 2;
  fail_unless_equals_uint64 (size_on_disk (path), (guint64)(last + 1) * AU);
  g_unlink (filler);
  resumed = push_until_written (h, n) - 1;
  assert_is_continued_after (path, last, resumed);
  fail_unless_equals_int (count_messages (bus, "recfilesink-recovered"), 1);
  stop_sink (h, bus);
  umount2 (dir, MNT_DETACH);

done:
  g_free (filler);
}

GST_END_TEST;

GST_START_TEST (test_removed_mount_is_never_written_past)
{
  GstHarness *h;
  GstBus *bus;
  GstMessage *msg;
  gint64 until;
  guint n;

  if (!mount_tmpfs (dir))
    return;
  h = start_sink (make_sink (path), &bus);
  n = push_n (h, 0, 3);
  fail_unless_equals_int (umount2 (dir, MNT_DETACH), 0);
  while (get_stat (h->element, "buffers-dropped") == 0) {
    n = push_n (h, n, 1);
    g_usleep (5000);
  }
  msg = wait_message (bus, "recfilesink-disk-full");
  fail_unless_equals_string (
      gst_structure_get_string (gst_message_get_structure (msg), "reason"),
      "mount-removed");
  gst_message_unref (msg);
  /* the directory below the mount point is not filled instead, although the
   * element looks every second */
  until = g_get_monotonic_time () + 1500 * 1000;
  while (g_get_monotonic_time () < until)
    n = push_one (h, n, take_resync (h));
  fail_unless_equals_int (count_entries (dir), 0);
  fail_unless_equals_int (mount ("tmpfs", dir, "tmpfs", 0, "size=4m"), 0);
  push_until_written (h, n);
  gst_message_unref (wait_message (bus, "recfilesink-recovered"));
  stop_sink (h, bus);
  umount2 (dir, MNT_DETACH);
}

GST_END_TEST;

static Suite *
recfilesinkdisk_suite (void)
{
  Suite *s = suite_create ("recfilesinkdisk");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, faulty_setup, teardown);
  tcase_add_test (
      tc, test_full_disk_loses_nothing_and_recording_goes_on_by_itself);
  tcase_add_test (tc, test_full_disk_is_told_once_each_way);
  tcase_add_test (tc, test_recording_continues_with_another_mux);
  tcase_add_test (tc, test_each_way_to_fail_is_told_apart);
  tcase_add_test (tc, test_error_policy_ends_the_recording_with_an_error);
  tcase_add_test (tc, test_failover_goes_on_at_the_other_location);
  tcase_add_test (tc, test_deleted_file_is_told_and_replaced);
  tcase_add_test (tc, test_truncated_file_gets_no_hole_and_no_torn_packet);
  tcase_add_test (tc, test_failed_sync_is_told_and_its_bytes_are_never_durable);
  tcase_add_test (tc, test_frozen_disk_loses_nothing_and_is_seen_in_stats);
  tcase_add_test (tc, test_little_space_is_warned_of_before_it_is_none);
  tcase_add_test (tc, test_file_system_filled_by_somebody_else_and_freed_again);
  tcase_add_test (tc, test_removed_mount_is_never_written_past);
  return s;
}

GST_CHECK_MAIN (recfilesinkdisk);
