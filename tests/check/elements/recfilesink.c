/* gst-tsrec: what recfilesink promises about one file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recsinktest.h"

#include <sys/socket.h>

#include <signal.h>

static GstHarness *
start (const gchar *location)
{
  return start_sink (make_sink (location), NULL);
}

/* The same bytes in several memories. */
static GstBuffer *
split_memories (GstBuffer *buffer, guint n)
{
  GstBuffer *split = gst_buffer_new ();
  guint i;

  gst_buffer_copy_into (
      split, buffer, GST_BUFFER_COPY_TIMESTAMPS | GST_BUFFER_COPY_FLAGS, 0, -1);
  for (i = 0; i < n; i++) {
    GstBuffer *part = gst_buffer_copy_region (
        buffer, GST_BUFFER_COPY_MEMORY, i * AU / n, AU / n);

    gst_buffer_append_memory (split, gst_buffer_get_all_memory (part));
    gst_buffer_unref (part);
  }
  gst_buffer_unref (buffer);
  return split;
}

static void
assert_holds (const gchar *name, guint from, guint to)
{
  GArray *aus = read_aus (name);
  guint i;

  fail_unless_equals_int (aus->len, to - from + 1);
  for (i = 0; i < aus->len; i++)
    fail_unless_equals_int (g_array_index (aus, guint, i), from + i);
  g_array_unref (aus);
}

GST_START_TEST (test_every_buffer_is_in_the_file_when_push_returns)
{
  GstHarness *h = start (path);
  guint i;

  fail_if (g_file_test (path, G_FILE_TEST_EXISTS));
  for (i = 1; i <= 20; i++) {
    GstBuffer *buffer = make_au (i, TRUE);

    if (i % 3 == 0)
      buffer = split_memories (buffer, 7);

    fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
    fail_unless_equals_uint64 (size_on_disk (path), (guint64)i * AU);
    fail_unless_equals_uint64 (
        get_stat (h->element, "bytes-written"), (guint64)i * AU);
    fail_unless_equals_uint64 (get_stat (h->element, "buffers-written"), i);
  }
  assert_holds (path, 1, 20);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_buffer_of_many_memories_is_written_whole)
{
  GstHarness *h = start (path);
  guint n = gst_buffer_get_max_memory ();

  while (AU % n != 0)
    n--;
  fail_unless_equals_int (
      gst_harness_push (h, split_memories (make_au (9, TRUE), n)), GST_FLOW_OK);
  assert_holds (path, 9, 9);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_flush_never_truncates)
{
  GstHarness *h = start (path);
  GstSegment segment;

  gst_harness_push (h, make_au (1, TRUE));
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  fail_unless_equals_uint64 (size_on_disk (path), AU);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  fail_unless_equals_int (gst_harness_push (h, make_au (2, TRUE)), GST_FLOW_OK);
  fail_unless_equals_uint64 (size_on_disk (path), 2 * AU);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_buffers_out_of_segment_are_recorded)
{
  GstHarness *h = start (path);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = 10 * GST_SECOND;
  segment.stop = 11 * GST_SECOND;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  gst_harness_push (h, make_au (1, TRUE));
  fail_unless_equals_uint64 (size_on_disk (path), AU);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_all_is_durable_and_closed_before_the_eos_message)
{
  GstBus *bus;
  GstHarness *h = start_sink (make_sink (path), &bus);
  GstMessage *msg;

  gst_harness_push (h, make_au (1, TRUE));
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-durable"), AU);
  msg = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
  fail_unless (gst_message_has_name (msg, "recfilesink-opened"));
  gst_message_unref (msg);
  msg = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT | GST_MESSAGE_EOS);
  fail_unless (gst_message_has_name (msg, "recfilesink-closed"));
  fail_unless_equals_string (
      gst_structure_get_string (gst_message_get_structure (msg), "reason"),
      "eos");
  gst_message_unref (msg);
  msg = gst_bus_pop_filtered (bus, GST_MESSAGE_EOS);
  fail_unless (msg != NULL);
  gst_message_unref (msg);
  stop_sink (h, bus);
}

GST_END_TEST;

GST_START_TEST (test_data_after_eos_and_flush_goes_on_in_the_same_file)
{
  GstHarness *h = start (path);
  GstSegment segment;

  gst_harness_push (h, make_au (1, TRUE));
  gst_harness_push_event (h, gst_event_new_eos ());
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  fail_unless_equals_int (gst_harness_push (h, make_au (2, TRUE)), GST_FLOW_OK);
  assert_holds (path, 1, 2);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_every_access_unit_is_durable_when_push_returns)
{
  GstElement *sink = make_sink (path);
  GstHarness *h;
  guint i;

  gst_util_set_object_arg (G_OBJECT (sink), "sync-interval", "-1");
  h = start_sink (sink, NULL);
  for (i = 1; i <= 10; i++) {
    gst_harness_push (h, make_au (i, TRUE));
    fail_unless_equals_uint64 (
        get_stat (h->element, "bytes-durable"), (guint64)i * AU);
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_bytes_become_durable_while_nothing_more_arrives)
{
  GstElement *sink = make_sink (path);
  GstHarness *h;

  g_object_set (sink, "sync-interval", 20 * GST_MSECOND, NULL);
  h = start_sink (sink, NULL);
  gst_harness_push (h, make_au (1, TRUE));
  while (get_stat (h->element, "bytes-durable") < AU)
    g_usleep (1000);
  fail_unless (get_stat (h->element, "sync-duration-max") > 0);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_no_sync_before_eos_with_interval_zero)
{
  GstElement *sink = make_sink (path);
  GstHarness *h;

  g_object_set (sink, "sync-interval", (guint64)0, NULL);
  h = start_sink (sink, NULL);
  gst_harness_push (h, make_au (1, TRUE));
  gst_harness_push (h, make_au (2, TRUE));
  fail_unless_equals_uint64 (get_stat (h->element, "syncs"), 0);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-durable"), 2 * AU);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_location_that_cannot_be_written_is_refused_at_ready)
{
  gchar *missing = g_build_filename (dir, "none", "rec.ts", NULL);
  gchar *below_file = g_build_filename (path, "rec.ts", NULL);

  assert_refused (make_sink (NULL), GST_STATE_READY, "Set location");
  assert_refused (make_sink (missing), GST_STATE_READY, "Create the directory");
  assert_refused (make_sink (dir), GST_STATE_READY, "Is a directory");
  fail_unless (g_file_set_contents (path, "x", 1, NULL));
  assert_refused (make_sink (below_file), GST_STATE_READY, "Not a directory");
  g_free (missing);
  g_free (below_file);
}

GST_END_TEST;

GST_START_TEST (test_recorder_without_input_leaves_no_file)
{
  GstHarness *h = start (path);

  gst_harness_push_event (h, gst_event_new_eos ());
  gst_harness_teardown (h);
  fail_if (g_file_test (path, G_FILE_TEST_EXISTS));
}

GST_END_TEST;

static gpointer
push_one (gpointer data)
{
  GstHarness *h = data;
  GstFlowReturn ret = GST_FLOW_OK;
  guint i;

  for (i = 0; ret == GST_FLOW_OK && i < 1000; i++)
    ret = gst_harness_push (h, make_au (i & 0xff, TRUE));
  return GINT_TO_POINTER (ret);
}

GST_START_TEST (test_sink_blocked_by_a_full_pipe_can_be_stopped)
{
  gchar *fifo = g_build_filename (dir, "fifo", NULL);
  GstHarness *h;
  GThread *thread;
  gint reader;

  fail_unless_equals_int (mkfifo (fifo, 0600), 0);
  reader = open (fifo, O_RDONLY | O_NONBLOCK);
  h = start (fifo);
  thread = g_thread_new ("push", push_one, h);
  while (get_stat (h->element, "write-blocked") < 50 * GST_MSECOND)
    g_thread_yield ();
  gst_element_set_state (h->element, GST_STATE_NULL);
  fail_unless_equals_int (
      GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_FLUSHING);
  close (reader);
  gst_harness_teardown (h);
  g_free (fifo);
}

GST_END_TEST;

/* --- what is no name in a folder */

/* Records three access units to @location, which is a stream. */
static void
record_stream (const gchar *location)
{
  GstElement *sink = make_sink (location);
  GstHarness *h;
  GstBus *bus;
  guint i;

  /* of no consequence: nothing is created */
  gst_util_set_object_arg (G_OBJECT (sink), "on-exists", "refuse");
  g_object_set (sink, "min-free-bytes", G_MAXUINT64 / 2, NULL);
  h = start_sink (sink, &bus);
  for (i = 1; i < 4; i++)
    fail_unless_equals_int (
        gst_harness_push (h, make_au (i, TRUE)), GST_FLOW_OK);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless (gst_bus_pop_filtered (
                   bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR) == NULL);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-written"), 3 * AU);
  fail_unless_equals_uint64 (get_stat (h->element, "sync-failures"), 0);
  stop_sink (h, bus);
}

GST_START_TEST (test_descriptor_of_a_file_is_written_where_it_stands)
{
  static const gchar *folders[] = { "/dev/fd", "/proc/self/fd",
    "/proc/thread-self/fd" };
  gchar *link = in_dir ("link");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (folders); i++) {
    /* another process has written to it before, and does again afterwards */
    gint fd = open (path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    gchar *location = g_strdup_printf ("%s/%d", folders[i], fd), *contents;
    gsize length;

    fail_unless_equals_int (write (fd, "before", 6), 6);
    fail_unless_equals_int (symlink (location, link), 0);
    record_stream (i == 0 ? link : location);
    fail_unless_equals_int (write (fd, "after", 5), 5);
    fail_unless (g_file_get_contents (path, &contents, &length, NULL));
    fail_unless_equals_uint64 (length, 6 + 3 * AU + 5);
    fail_unless (memcmp (contents, "before\x47", 7) == 0);
    fail_unless (memcmp (contents + 6 + 3 * AU, "after", 5) == 0);
    g_free (contents);
    g_free (location);
    close (fd);
    g_unlink (link);
    fail_unless_equals_int (count_entries (dir), 1);
  }
  g_free (link);
}

GST_END_TEST;

static void
assert_readable (gint fd)
{
  gchar buf[4 * AU];
  gsize done = 0;
  gssize n;

  while (done < 3 * AU && (n = read (fd, buf + done, sizeof (buf) - done)) > 0)
    done += (gsize)n;
  fail_unless_equals_uint64 (done, 3 * AU);
}

GST_START_TEST (test_pipes_devices_and_sockets_are_written_as_they_are)
{
  gchar *location, *fifo = in_dir ("fifo.ts"), *other = in_dir ("fifo-3.ts");
  gint fds[2], reader;

  fail_unless_equals_int (pipe (fds), 0);
  location = g_strdup_printf ("/proc/self/fd/%d", fds[1]);
  record_stream (location);
  assert_readable (fds[0]);
  g_free (location);
  close (fds[0]);
  close (fds[1]);
  /* a socket cannot be opened once more */
  fail_unless_equals_int (socketpair (AF_UNIX, SOCK_STREAM, 0, fds), 0);
  location = g_strdup_printf ("/dev/fd/%d", fds[1]);
  record_stream (location);
  assert_readable (fds[0]);
  g_free (location);
  close (fds[0]);
  close (fds[1]);
  /* a file of a like name has nothing to do with a pipe */
  g_file_set_contents (other, "x", 1, NULL);
  fail_unless_equals_int (mkfifo (fifo, 0600), 0);
  reader = open (fifo, O_RDONLY | O_NONBLOCK);
  record_stream (fifo);
  assert_readable (reader);
  close (reader);
  record_stream ("/dev/null");
  fail_unless_equals_int (count_entries (dir), 2);
  g_free (fifo);
  g_free (other);
}

GST_END_TEST;

/* Its reader is slow, and it cannot be made not to block. */
GST_START_TEST (test_sink_blocked_by_a_shared_socket_can_be_stopped)
{
  gchar *location;
  GThread *thread;
  GstHarness *h;
  gint fds[2];

  fail_unless_equals_int (socketpair (AF_UNIX, SOCK_STREAM, 0, fds), 0);
  location = g_strdup_printf ("/dev/fd/%d", fds[1]);
  h = start (location);
  thread = g_thread_new ("push", push_one, h);
  while (get_stat (h->element, "write-blocked") < 50 * GST_MSECOND)
    g_thread_yield ();
  gst_element_set_state (h->element, GST_STATE_NULL);
  fail_unless_equals_int (
      GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_FLUSHING);
  close (fds[0]);
  close (fds[1]);
  gst_harness_teardown (h);
  g_free (location);
}

GST_END_TEST;

GST_START_TEST (test_split_of_a_stream_stays_in_it)
{
  gchar *fifo = in_dir ("fifo.ts");
  GstHarness *h;
  gint reader;

  fail_unless_equals_int (mkfifo (fifo, 0600), 0);
  reader = open (fifo, O_RDONLY | O_NONBLOCK);
  h = start (fifo);
  gst_harness_push (h, make_au (1, TRUE));
  g_signal_emit_by_name (h->element, "split-now");
  gst_harness_push (h, make_au (2, TRUE));
  gst_harness_push (h, make_au (3, TRUE));
  assert_readable (reader);
  fail_unless_equals_int (count_entries (dir), 1);
  gst_harness_teardown (h);
  close (reader);
  g_free (fifo);
}

GST_END_TEST;

GST_START_TEST (test_what_needs_files_is_refused_for_a_stream)
{
  static const gchar *rows[][2] = { { "resume", "true" },
    { "max-size-time", "1000000000" }, { "max-size-bytes", "1000000" },
    { "max-files", "3" }, { "max-total-bytes", "1000000" },
    { "playlist-location", "rec.m3u8" } };
  GstElement *sink;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++) {
    sink = make_sink ("/dev/null");
    gst_util_set_object_arg (G_OBJECT (sink), rows[i][0], rows[i][1]);
    assert_refused (sink, GST_STATE_READY, rows[i][0]);
  }
  sink = make_sink (path);
  g_object_set (sink, "playlist-location", "/dev/null", NULL);
  assert_refused (sink, GST_STATE_READY, "playlist");
  /* one that is not open */
  assert_refused (make_sink ("/dev/fd/987"), GST_STATE_READY, "/dev/fd/987");
}

GST_END_TEST;

GST_START_TEST (test_link_to_a_file_is_a_name_in_a_folder)
{
  gchar *target = in_dir ("target.ts"), *next = in_dir ("rec-1.ts");
  GstHarness *h;

  g_file_set_contents (target, "x", 1, NULL);
  fail_unless_equals_int (symlink (target, path), 0);
  h = start (path);
  gst_harness_push (h, make_au (1, TRUE));
  gst_harness_teardown (h);
  fail_unless_equals_uint64 (size_on_disk (target), 1);
  fail_unless_equals_uint64 (size_on_disk (next), AU);
  g_free (target);
  g_free (next);
}

GST_END_TEST;

GST_START_TEST (test_written_query_is_answered)
{
  GstHarness *h = start (path);
  GstQuery *query = rec_query_new_written ();
  RecWritten written;
  gchar *location;

  gst_harness_push (h, make_au (1, TRUE));
  fail_unless (gst_pad_peer_query (h->srcpad, query));
  fail_unless (rec_query_parse_written (query, &written, &location));
  fail_unless_equals_uint64 (written.bytes_written, AU);
  fail_unless_equals_uint64 (written.file_size, AU);
  fail_unless_equals_uint64 (written.buffers_written, 1);
  fail_unless_equals_string (location, path);
  g_free (location);
  gst_query_unref (query);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_position_is_in_bytes_and_seeking_is_denied)
{
  GstHarness *h = start (path);
  GstQuery *query = gst_query_new_seeking (GST_FORMAT_BYTES);
  gboolean seekable = TRUE;
  gint64 position = -1;

  gst_harness_push (h, make_au (1, TRUE));
  fail_unless (
      gst_pad_peer_query_position (h->srcpad, GST_FORMAT_BYTES, &position));
  fail_unless_equals_int64 (position, AU);
  fail_unless (gst_pad_peer_query (h->srcpad, query));
  gst_query_parse_seeking (query, NULL, &seekable, NULL, NULL);
  fail_if (seekable);
  gst_query_unref (query);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_existing_file_is_never_overwritten)
{
  gchar *numbered = in_dir ("rec-1.ts");
  GstElement *sink;
  GstHarness *h;

  fail_unless (g_file_set_contents (path, "x", 1, NULL));
  sink = make_sink (path);
  gst_util_set_object_arg (G_OBJECT (sink), "on-exists", "refuse");
  assert_refused (sink, GST_STATE_READY, "on-exists=number");
  h = start (path);
  gst_harness_push (h, make_au (1, TRUE));
  gst_harness_teardown (h);
  fail_unless_equals_uint64 (size_on_disk (path), 1);
  assert_holds (numbered, 1, 1);
  g_free (numbered);
}

GST_END_TEST;

/* Also with on-exists=number: who starts a recorder twice does not want two. */
GST_START_TEST (test_second_recorder_of_a_file_is_refused)
{
  GstHarness *one = start (path), *two;
  GstBus *bus;
  gchar *text;

  two = start_sink (make_sink (path), &bus);
  gst_harness_push (one, make_au (1, TRUE));
  /* the file did not exist when the second became ready */
  fail_unless_equals_int (
      gst_harness_push (two, make_au (100, TRUE)), GST_FLOW_ERROR);
  text = pop_text (bus, GST_MESSAGE_ERROR);
  assert_text_has (text, "Another recorder is writing to it");
  g_free (text);
  stop_sink (two, bus);
  assert_refused (
      make_sink (path), GST_STATE_READY, "Another recorder is writing to it");
  gst_harness_push (one, make_au (2, TRUE));
  assert_holds (path, 1, 2);
  gst_harness_teardown (one);
}

GST_END_TEST;

GST_START_TEST (test_thousand_start_stop_cycles_leave_nothing_behind)
{
  GstElement *sink = make_sink (path);
  guint i, n = soak_rounds (1000), fds = 0, threads = 0;
  guint64 memory = 0;
  GstHarness *h;

  g_object_set (sink, "sync-interval", (guint64)0, NULL);
  h = start_sink (sink, NULL);
  for (i = 0; i < n; i++) {
    gst_element_set_state (h->element, GST_STATE_NULL);
    g_unlink (path);
    gst_element_set_state (h->element, GST_STATE_PLAYING);
    fail_unless_equals_int (
        gst_harness_push (h, make_au (i & 0xff, TRUE)), GST_FLOW_OK);
    if (i == n / 10) {
      fds = count_entries ("/proc/self/fd");
      threads = count_entries ("/proc/self/task");
      memory = resident ();
    }
  }
  fail_unless_equals_int (count_entries ("/proc/self/fd"), fds);
  /* Shared threads join on a busy machine, and end when they have been idle. */
  fail_unless (count_entries ("/proc/self/task") <= threads + 4);
  if (n >= 1000) /* a debugger of memory keeps what is freed */
    fail_unless (resident () < memory + 1024 * 1024,
        "grew by %" G_GUINT64_FORMAT, resident () - memory);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_shorter_sync_interval_holds_for_what_is_written)
{
  GstElement *sink = make_sink (path);
  GstHarness *h;

  g_object_set (sink, "sync-interval", 3600 * GST_SECOND, NULL);
  h = start_sink (sink, NULL);
  gst_harness_push (h, make_au (1, TRUE));
  g_object_set (h->element, "sync-interval", 20 * GST_MSECOND, NULL);
  gst_harness_push (h, make_au (2, TRUE));
  while (get_stat (h->element, "bytes-durable") < 2 * AU)
    g_usleep (1000);
  gst_harness_teardown (h);
}

GST_END_TEST;

static int (*real_fdatasync) (int fd);
static gint sync_gate; /* 0: passes, 1: closed, 2: a thread waits */

static int
gated_fdatasync (int fd)
{
  while (g_atomic_int_get (&sync_gate) != 0) {
    g_atomic_int_set (&sync_gate, 2);
    g_usleep (1000);
  }
  return real_fdatasync (fd);
}

static gpointer
push_eos (gpointer h)
{
  gst_harness_push_event (h, gst_event_new_eos ());
  return NULL;
}

GST_START_TEST (test_pause_does_not_let_the_eos_message_overtake_the_sync)
{
  RecSyscalls gated = rec_syscalls_posix;
  GstElement *sink = make_sink (path);
  GThread *thread;
  GstMessage *msg;
  GstHarness *h;
  GstBus *bus;

  real_fdatasync = gated.fdatasync;
  gated.fdatasync = gated_fdatasync;
  g_object_set_data (G_OBJECT (sink), "rec-syscalls", &gated);
  g_object_set (sink, "sync-interval", (guint64)0, NULL);
  h = start_sink (sink, &bus);
  gst_harness_push (h, make_au (1, TRUE));
  g_atomic_int_set (&sync_gate, 1);
  thread = g_thread_new ("eos", push_eos, h);
  while (g_atomic_int_get (&sync_gate) != 2)
    g_usleep (1000);
  gst_element_set_state (h->element, GST_STATE_PAUSED);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  msg = gst_bus_timed_pop_filtered (bus, GST_SECOND / 2, GST_MESSAGE_EOS);
  fail_unless (msg == NULL);
  g_atomic_int_set (&sync_gate, 0);
  msg = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND, GST_MESSAGE_EOS);
  fail_unless (msg != NULL);
  gst_message_unref (msg);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-durable"), AU);
  g_thread_join (thread);
  stop_sink (h, bus);
}

GST_END_TEST;

/* In a process that does not ignore SIGPIPE, as most do not. */
GST_START_TEST (test_reader_that_leaves_a_pipe_is_an_error_and_no_crash)
{
  gchar *fifo = in_dir ("fifo"), *text;
  GstHarness *h;
  GstBus *bus;
  gint fd;

  fail_unless_equals_int (mkfifo (fifo, 0600), 0);
  fd = open (fifo, O_RDONLY | O_NONBLOCK);
  signal (SIGPIPE, SIG_DFL);
  h = start_sink (make_sink (fifo), &bus);
  fail_unless_equals_int (gst_harness_push (h, make_au (1, TRUE)), GST_FLOW_OK);
  close (fd);
  fail_unless_equals_int (
      gst_harness_push (h, make_au (2, TRUE)), GST_FLOW_ERROR);
  text = pop_text (bus, GST_MESSAGE_ERROR);
  assert_text_has (text, "Broken pipe");
  g_free (text);
  stop_sink (h, bus);
  g_free (fifo);
}

GST_END_TEST;

static gint push_returned;

static gpointer
push_and_tell (gpointer h)
{
  GstFlowReturn flow = gst_harness_push (h, make_au (1, TRUE));

  g_atomic_int_set (&push_returned, 1);
  return GINT_TO_POINTER (flow);
}

GST_START_TEST (test_pause_does_not_let_a_push_return_before_the_sync)
{
  RecSyscalls gated = rec_syscalls_posix;
  GstElement *sink = make_sink (path);
  GThread *thread;
  GstHarness *h;

  real_fdatasync = gated.fdatasync;
  gated.fdatasync = gated_fdatasync;
  g_object_set_data (G_OBJECT (sink), "rec-syscalls", &gated);
  gst_util_set_object_arg (G_OBJECT (sink), "sync-interval", "-1");
  h = start_sink (sink, NULL);
  g_atomic_int_set (&sync_gate, 1);
  thread = g_thread_new ("push", push_and_tell, h);
  while (g_atomic_int_get (&sync_gate) != 2)
    g_usleep (1000);
  gst_element_set_state (h->element, GST_STATE_PAUSED);
  gst_element_set_state (h->element, GST_STATE_PLAYING);
  g_usleep (G_USEC_PER_SEC / 4); /* for what should not happen */
  fail_if (g_atomic_int_get (&push_returned));
  g_atomic_int_set (&sync_gate, 0);
  fail_unless_equals_int (
      GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_OK);
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-durable"), AU);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
recfilesink_suite (void)
{
  Suite *s = suite_create ("recfilesink");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_every_buffer_is_in_the_file_when_push_returns);
  tcase_add_test (tc, test_buffer_of_many_memories_is_written_whole);
  tcase_add_test (tc, test_flush_never_truncates);
  tcase_add_test (tc, test_buffers_out_of_segment_are_recorded);
  tcase_add_test (tc, test_all_is_durable_and_closed_before_the_eos_message);
  tcase_add_test (tc, test_location_that_cannot_be_written_is_refused_at_ready);
  tcase_add_test (tc, test_recorder_without_input_leaves_no_file);
  tcase_add_test (tc, test_sink_blocked_by_a_full_pipe_can_be_stopped);
  tcase_add_test (tc, test_descriptor_of_a_file_is_written_where_it_stands);
  tcase_add_test (tc, test_pipes_devices_and_sockets_are_written_as_they_are);
  tcase_add_test (tc, test_sink_blocked_by_a_shared_socket_can_be_stopped);
  tcase_add_test (tc, test_split_of_a_stream_stays_in_it);
  tcase_add_test (tc, test_what_needs_files_is_refused_for_a_stream);
  tcase_add_test (tc, test_link_to_a_file_is_a_name_in_a_folder);
  tcase_add_test (tc, test_written_query_is_answered);
  tcase_add_test (tc, test_position_is_in_bytes_and_seeking_is_denied);
  tcase_add_test (tc, test_data_after_eos_and_flush_goes_on_in_the_same_file);
  tcase_add_test (tc, test_every_access_unit_is_durable_when_push_returns);
  tcase_add_test (tc, test_bytes_become_durable_while_nothing_more_arrives);
  tcase_add_test (tc, test_no_sync_before_eos_with_interval_zero);
  tcase_add_test (tc, test_existing_file_is_never_overwritten);
  tcase_add_test (tc, test_second_recorder_of_a_file_is_refused);
  tcase_add_test (tc, test_thousand_start_stop_cycles_leave_nothing_behind);
  tcase_add_test (tc, test_shorter_sync_interval_holds_for_what_is_written);
  tcase_add_test (
      tc, test_pause_does_not_let_the_eos_message_overtake_the_sync);
  tcase_add_test (tc, test_reader_that_leaves_a_pipe_is_an_error_and_no_crash);
  tcase_add_test (tc, test_pause_does_not_let_a_push_return_before_the_sync);
  return s;
}

GST_CHECK_MAIN (recfilesink);
