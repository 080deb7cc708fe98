/* gst-tsrec: buffers are mapped and read once
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recbufferview.h"
#include "tspacket.h"

#include <gst/check/gstcheck.h>
#include <string.h>

static GstSegment segment;

/* A PAT without payload bytes, then a packet with the start of a PES packet. */
static GstMemory *
make_packets (gboolean pat, gboolean pes)
{
  guint8 *data = g_malloc (2 * TS_PACKET_SIZE), *second = data + TS_PACKET_SIZE;

  memset (data, TS_STUFFING_BYTE, 2 * TS_PACKET_SIZE);
  ts_set_header (data, pat ? TS_PID_PAT : 0x101, 0);
  ts_set_header (second, 0x100, 0);
  if (pes) {
    ts_set_payload_unit_start_indicator (second);
    ts_pes_set_start (second + TS_HEADER_SIZE, TS_STREAM_ID_VIDEO);
  }
  return gst_memory_new_wrapped (
      0, data, 2 * TS_PACKET_SIZE, 0, 2 * TS_PACKET_SIZE, data, g_free);
}

static void
setup (void)
{
  gst_segment_init (&segment, GST_FORMAT_TIME);
}

GST_START_TEST (test_findings_do_not_depend_on_the_number_of_memories)
{
  for (guint n = 1; n < 100; n += 33) {
    GstBuffer *buffer = gst_buffer_new ();
    RecBufferView view;
    gsize size = 0;

    for (guint i = 0; i < n; i++)
      gst_buffer_append_memory (buffer, make_packets (i == 0, i + 1 == n));
    rec_buffer_view_map (&view, buffer, &segment, TRUE);
    fail_unless_equals_uint64 (view.size, n * 2 * TS_PACKET_SIZE);
    fail_unless (view.has_media);
    fail_unless (view.begins_with_pat);
    for (guint i = 0; i < view.n_iov; i++)
      size += view.iov[i].iov_len;
    fail_unless_equals_uint64 (size, view.size);
    rec_buffer_view_unmap (&view);
    gst_buffer_unref (buffer);
  }
}

GST_END_TEST;

GST_START_TEST (test_packets_never_span_two_entries)
{
  GstMemory *whole = make_packets (TRUE, TRUE);
  GstBuffer *buffer = gst_buffer_new ();
  RecBufferView view;

  gst_buffer_append_memory (buffer, gst_memory_share (whole, 0, 100));
  gst_buffer_append_memory (
      buffer, gst_memory_share (whole, 100, 2 * TS_PACKET_SIZE - 100));
  gst_memory_unref (whole);
  /* other formats are not merged */
  rec_buffer_view_map (&view, buffer, &segment, FALSE);
  fail_unless_equals_int (view.n_iov, 2);
  fail_unless (view.has_media);
  fail_if (view.begins_with_pat);
  rec_buffer_view_unmap (&view);
  rec_buffer_view_map (&view, buffer, &segment, TRUE);
  fail_unless_equals_int (view.n_iov, 1);
  fail_unless (view.has_media);
  rec_buffer_view_unmap (&view);
  gst_buffer_unref (buffer);
}

GST_END_TEST;

GST_START_TEST (test_bytes_can_be_read_in_one_block)
{
  GstBuffer *buffer = gst_buffer_new ();
  RecBufferView view;
  const guint8 *data;

  gst_buffer_append_memory (buffer, make_packets (TRUE, FALSE));
  gst_buffer_append_memory (buffer, make_packets (FALSE, FALSE));
  rec_buffer_view_map (&view, buffer, &segment, TRUE);
  fail_unless_equals_int (view.n_iov, 2);
  fail_if (view.has_media);
  data = rec_buffer_view_get_contiguous (&view);
  fail_unless_equals_int (view.n_iov, 1);
  fail_unless_equals_int (gst_buffer_memcmp (buffer, 0, data, view.size), 0);
  fail_unless (rec_buffer_view_get_contiguous (&view) == data);
  rec_buffer_view_unmap (&view);
  gst_buffer_unref (buffer);
}

GST_END_TEST;

GST_START_TEST (test_times_are_running_times)
{
  GstBuffer *buffer = gst_buffer_new ();
  RecBufferView view;

  gst_buffer_append_memory (buffer, make_packets (TRUE, TRUE));
  segment.start = GST_SECOND;
  rec_buffer_view_map (&view, buffer, &segment, TRUE);
  fail_if (GST_CLOCK_TIME_IS_VALID (view.time));
  fail_if (GST_CLOCK_TIME_IS_VALID (view.presentation_time));
  fail_if (GST_CLOCK_TIME_IS_VALID (view.duration));
  rec_buffer_view_unmap (&view);
  GST_BUFFER_DTS (buffer) = 3 * GST_SECOND;
  rec_buffer_view_map (&view, buffer, &segment, TRUE);
  fail_unless_equals_uint64 (view.time, 2 * GST_SECOND);
  fail_unless_equals_uint64 (view.presentation_time, 2 * GST_SECOND);
  rec_buffer_view_unmap (&view);
  GST_BUFFER_PTS (buffer) = 4 * GST_SECOND;
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  rec_buffer_view_map (&view, buffer, &segment, TRUE);
  fail_unless_equals_uint64 (view.time, 2 * GST_SECOND);
  fail_unless_equals_uint64 (view.presentation_time, 3 * GST_SECOND);
  fail_if (view.random_access);
  rec_buffer_view_unmap (&view);
  gst_buffer_unref (buffer);
}

GST_END_TEST;

static Suite *
recbufferview_suite (void)
{
  Suite *s = suite_create ("recbufferview");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, NULL);
  tcase_add_test (tc, test_findings_do_not_depend_on_the_number_of_memories);
  tcase_add_test (tc, test_packets_never_span_two_entries);
  tcase_add_test (tc, test_bytes_can_be_read_in_one_block);
  tcase_add_test (tc, test_times_are_running_times);
  return s;
}

GST_CHECK_MAIN (recbufferview);
