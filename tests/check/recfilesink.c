/* gst-tsrec: what recfilesink promises about one file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rectest.h"
#include "recquery.h"

#include <gst/check/gstharness.h>

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define AU (7 * 188)

static gchar *dir, *path;

static void
setup (void)
{
  rec_test_assert_built_here ("recfilesink");
  dir = g_dir_make_tmp ("recfilesink-XXXXXX", NULL);
  path = g_build_filename (dir, "rec.ts", NULL);
}

static void
teardown (void)
{
  GDir *d = g_dir_open (dir, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (d))) {
    gchar *file = g_build_filename (dir, name, NULL);

    g_unlink (file);
    g_free (file);
  }
  g_dir_close (d);
  fail_unless_equals_int (g_rmdir (dir), 0);
  g_free (path);
  g_free (dir);
}

/* An access unit whose every byte says its number. */
static GstBuffer *
make_au (guint n, guint n_memories)
{
  GstBuffer *buffer = gst_buffer_new ();
  guint i;

  for (i = 0; i < n_memories; i++) {
    GstMemory *mem = gst_allocator_alloc (NULL, AU / n_memories, NULL);
    GstMapInfo map;

    gst_memory_map (mem, &map, GST_MAP_WRITE);
    memset (map.data, (gint)n, map.size);
    gst_memory_unmap (mem, &map);
    gst_buffer_append_memory (buffer, mem);
  }
  GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = n * 40 * GST_MSECOND;
  return buffer;
}

static guint64
size_on_disk (const gchar *name)
{
  struct stat st;

  return stat (name, &st) == 0 ? (guint64)st.st_size : 0;
}

static guint64
get_stat (GstElement *element, const gchar *field)
{
  GstStructure *stats = NULL;
  guint64 value = 0;

  g_object_get (element, "stats", &stats, NULL);
  fail_unless (
      gst_structure_has_name (stats, "application/x-recfilesink-stats"));
  fail_unless (gst_structure_get_uint64 (stats, field, &value), "no %s", field);
  gst_structure_free (stats);
  return value;
}

static GstHarness *
start (const gchar *location)
{
  GstElement *element = gst_element_factory_make ("recfilesink", NULL);
  GstHarness *h;

  g_object_set (element, "location", location, NULL);
  h = gst_harness_new_with_element (element, "sink", NULL);
  gst_object_unref (element);
  gst_harness_set_src_caps_str (
      h, "video/mpegts, systemstream=(boolean)true, packetsize=(int)188");
  gst_harness_play (h);
  return h;
}

GST_START_TEST (test_every_buffer_is_in_the_file_when_push_returns)
{
  GstHarness *h = start (path);
  guint i;

  fail_if (g_file_test (path, G_FILE_TEST_EXISTS));
  for (i = 1; i <= 20; i++) {
    GstBuffer *buffer = make_au (i, i % 3 == 0 ? 7 : 1);

    fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
    fail_unless_equals_uint64 (size_on_disk (path), (guint64)i * AU);
    fail_unless_equals_uint64 (
        get_stat (h->element, "bytes-written"), (guint64)i * AU);
    fail_unless_equals_uint64 (get_stat (h->element, "buffers-written"), i);
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_buffer_of_many_memories_is_written_whole)
{
  GstHarness *h = start (path);
  GstBuffer *buffer = make_au (9, 188);
  gchar *contents;
  gsize size, i;

  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  fail_unless (g_file_get_contents (path, &contents, &size, NULL));
  fail_unless_equals_uint64 (size, AU);
  for (i = 0; i < size; i++)
    fail_unless_equals_int (contents[i], 9);
  g_free (contents);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_flush_never_truncates)
{
  GstHarness *h = start (path);
  GstSegment segment;

  gst_harness_push (h, make_au (1, 1));
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  fail_unless_equals_uint64 (size_on_disk (path), AU);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  fail_unless_equals_int (gst_harness_push (h, make_au (2, 1)), GST_FLOW_OK);
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
  gst_harness_push (h, make_au (1, 1));
  fail_unless_equals_uint64 (size_on_disk (path), AU);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_all_is_durable_and_closed_before_the_eos_message)
{
  GstHarness *h = start (path);
  GstBus *bus = gst_bus_new ();
  GstMessage *msg;

  gst_element_set_bus (h->element, bus);
  gst_harness_push (h, make_au (1, 1));
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless_equals_uint64 (get_stat (h->element, "bytes-durable"), AU);
  msg = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
  fail_unless (gst_message_has_name (msg, "recfilesink-opened"));
  gst_message_unref (msg);
  msg = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT | GST_MESSAGE_EOS);
  fail_unless (gst_message_has_name (msg, "recfilesink-closed"));
  gst_message_unref (msg);
  msg = gst_bus_pop_filtered (bus, GST_MESSAGE_EOS);
  fail_unless (msg != NULL);
  gst_message_unref (msg);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* The error a person reads when going to READY with @location. */
static void
assert_refused (const gchar *location, const gchar *text)
{
  GstElement *sink = gst_check_setup_element ("recfilesink");
  GstBus *bus = gst_bus_new ();
  GError *err = NULL;
  GstMessage *msg;

  gst_element_set_bus (sink, bus);
  g_object_set (sink, "location", location, NULL);
  fail_unless_equals_int (
      gst_element_set_state (sink, GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  msg = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (msg != NULL);
  gst_message_parse_error (msg, &err, NULL);
  fail_unless (strstr (err->message, text) != NULL, "\"%s\" lacks \"%s\"",
      err->message, text);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
  g_error_free (err);
  gst_message_unref (msg);
  gst_element_set_state (sink, GST_STATE_NULL);
  gst_element_set_bus (sink, NULL);
  gst_object_unref (bus);
  gst_check_teardown_element (sink);
}

GST_START_TEST (test_location_that_cannot_be_written_is_refused_at_ready)
{
  gchar *missing = g_build_filename (dir, "none", "rec.ts", NULL);
  gchar *below_file = g_build_filename (path, "rec.ts", NULL);

  assert_refused (NULL, "Set location");
  assert_refused (missing, "Create the directory");
  assert_refused (dir, "Is a directory");
  fail_unless (g_file_set_contents (path, "x", 1, NULL));
  assert_refused (below_file, "Not a directory");
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
    ret = gst_harness_push (h, make_au (i & 0xff, 1));
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

GST_START_TEST (test_written_query_is_answered)
{
  GstHarness *h = start (path);
  GstQuery *query = rec_query_new_written ();
  RecWritten written;
  gchar *location;

  gst_harness_push (h, make_au (1, 1));
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

  gst_harness_push (h, make_au (1, 1));
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
  tcase_add_test (tc, test_written_query_is_answered);
  tcase_add_test (tc, test_position_is_in_bytes_and_seeking_is_denied);
  return s;
}

GST_CHECK_MAIN (recfilesink);
