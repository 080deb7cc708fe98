/* gst-tsrec: one track over silence, jumps and sessions
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstrtctrack.h"
#include "recevent.h"
#include "recquery.h"

#include <gst/check/gstharness.h>
#include <gst/check/gstcheck.h>
#include <gst/video/video.h>

#define H264 "video/x-h264, stream-format=(string)byte-stream, alignment=au"

static GstHarness *h;
static GstRtcTrack *track;

static void
set_source (gboolean connected, gboolean waiting)
{
  RecSource source = { connected, waiting, 0 };

  gst_rtc_track_set_source (track, &source);
}

static void
setup (void)
{
  track = g_object_ref_sink (gst_rtc_track_new ("video", 1));
  gst_rtc_track_set_latency (track, 100 * GST_MSECOND);
  h = gst_harness_new_with_element (GST_ELEMENT (track), "sink", "src");
  gst_harness_play (h);
  set_source (TRUE, FALSE);
}

static void
teardown (void)
{
  gst_harness_teardown (h);
  gst_object_unref (track);
}

static GstFlowReturn
push (GstClockTime pts)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 10, NULL);

  GST_BUFFER_PTS (buffer) = pts;
  return gst_harness_push (h, buffer);
}

static GstClockTime
pull (void)
{
  GstBuffer *buffer = gst_harness_pull (h);
  GstClockTime pts = GST_BUFFER_PTS (buffer);

  fail_unless_equals_uint64 (GST_BUFFER_DTS (buffer), pts);
  gst_buffer_unref (buffer);
  return pts;
}

static guint64
stats_field (gsize offset)
{
  GstRtcTrackStats stats;

  gst_rtc_track_get_stats (track, &stats);
  return *(guint64 *)((guint8 *)&stats + offset);
}

#define STATS(field) stats_field (G_STRUCT_OFFSET (GstRtcTrackStats, field))

/* How many events of @type have come, and the last of them. */
static guint
events (GstEventType type, GstEvent **last)
{
  GstEvent *event;
  guint n = 0;

  if (last)
    *last = NULL;
  while ((event = gst_harness_try_pull_event (h))) {
    gboolean match = GST_EVENT_TYPE (event) == type;

    n += match;
    if (match && last)
      gst_event_replace (last, event);
    gst_event_unref (event);
  }
  return n;
}

GST_START_TEST (test_timestamps_never_go_backwards)
{
  GstClockTime one, two, three;

  gst_harness_set_src_caps_str (h, H264);
  push (GST_SECOND);
  push (GST_SECOND - 160 * GST_MSECOND);
  push (GST_SECOND);
  push (GST_SECOND + 40 * GST_MSECOND);
  one = pull ();
  two = pull ();
  three = pull ();
  fail_unless_equals_uint64 (one, GST_SECOND);
  /* Apart in units of 90 kHz as well. */
  fail_unless (two * 9 / 100000 > one * 9 / 100000);
  fail_unless (three * 9 / 100000 > two * 9 / 100000);
  fail_unless_equals_uint64 (pull (), GST_SECOND + 40 * GST_MSECOND);
  fail_unless_equals_uint64 (STATS (timestamps_corrected), 2);
}

GST_END_TEST;

GST_START_TEST (test_leading_buffers_without_a_timestamp_are_dropped)
{
  gst_harness_set_src_caps_str (h, H264);
  fail_unless_equals_int (push (GST_CLOCK_TIME_NONE), GST_FLOW_OK);
  fail_unless_equals_int (push (GST_SECOND), GST_FLOW_OK);
  fail_unless_equals_uint64 (pull (), GST_SECOND);
  fail_unless_equals_uint64 (STATS (dropped_no_timestamp), 1);
  fail_unless_equals_uint64 (STATS (buffers), 1);
}

GST_END_TEST;

/* Dropped, it would take along every picture that refers to it. */
GST_START_TEST (test_a_buffer_without_a_timestamp_follows_its_predecessor)
{
  gst_harness_set_src_caps_str (h, H264);
  push (GST_SECOND);
  push (GST_CLOCK_TIME_NONE);
  push (GST_SECOND + 40 * GST_MSECOND);
  fail_unless_equals_uint64 (pull (), GST_SECOND);
  fail_unless (pull () * 9 / 100000 > GST_SECOND * 9 / 100000);
  fail_unless_equals_uint64 (pull (), GST_SECOND + 40 * GST_MSECOND);
  fail_unless_equals_uint64 (STATS (dropped_no_timestamp), 0);
  fail_unless_equals_uint64 (STATS (timestamps_corrected), 1);
}

GST_END_TEST;

GST_START_TEST (test_another_session_continues_the_same_stream)
{
  GstCaps *caps = gst_caps_from_string (H264);
  GstSegment segment;
  GstEvent *event;
  GstBuffer *buffer;

  gst_harness_set_src_caps_str (h, H264);
  push (GST_SECOND);
  gst_buffer_unref (gst_harness_pull (h));
  events (GST_EVENT_CAPS, NULL);
  /* The next one counts from elsewhere; its running time is what matters. */
  gst_harness_push_event (h, gst_event_new_stream_start ("other"));
  gst_harness_push_event (h, gst_event_new_caps (caps));
  gst_caps_unref (caps);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = 10 * GST_SECOND;
  segment.base = 2 * GST_SECOND;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  push (11 * GST_SECOND);
  buffer = gst_harness_pull (h);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), 3 * GST_SECOND);
  fail_unless (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT));
  gst_buffer_unref (buffer);
  while ((event = gst_harness_try_pull_event (h))) {
    fail_if (GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START);
    fail_if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT);
    gst_event_unref (event);
  }
}

GST_END_TEST;

GST_START_TEST (test_silence_is_told_by_gap_events_that_overtake_nothing)
{
  GstClockTime start, duration;
  GstEvent *event;

  gst_harness_set_src_caps_str (h, H264);
  push (GST_SECOND);
  gst_buffer_unref (gst_harness_pull (h));
  gst_rtc_track_tick (track, GST_SECOND + 300 * GST_MSECOND);
  fail_unless_equals_int (events (GST_EVENT_GAP, NULL), 0);
  gst_rtc_track_tick (track, 2 * GST_SECOND);
  fail_unless_equals_int (events (GST_EVENT_GAP, &event), 1);
  gst_event_parse_gap (event, &start, &duration);
  fail_unless_equals_uint64 (start, GST_SECOND);
  /* Behind the clock by the latency, and what may still be on its way. */
  fail_unless (start + duration <= 2 * GST_SECOND - 100 * GST_MSECOND);
  gst_event_unref (event);
  gst_rtc_track_tick (track, 3 * GST_SECOND);
  fail_unless_equals_int (events (GST_EVENT_GAP, &event), 1);
  gst_event_parse_gap (event, &start, NULL);
  fail_unless (start > GST_SECOND);
  gst_event_unref (event);
  fail_unless_equals_uint64 (STATS (gaps), 1);
}

GST_END_TEST;

/* Else 24 kB of useless encoded silence a second, 2 GB a day. */
GST_START_TEST (test_nothing_leaves_while_nobody_is_connected)
{
  const GstStructure *entry;
  GstClockTime start;
  guint64 from, duration;
  GstEvent *event;

  gst_harness_set_src_caps_str (h, H264);
  push (GST_SECOND);
  gst_buffer_unref (gst_harness_pull (h));
  events (GST_EVENT_CAPS, NULL);
  set_source (FALSE, TRUE);
  gst_rtc_track_tick (track, 10 * GST_SECOND);
  gst_rtc_track_tick (track, 600 * GST_SECOND);
  /* but for the line of the journal that says that the pause has begun */
  fail_unless_equals_int (events (GST_EVENT_CUSTOM_DOWNSTREAM, &event), 1);
  gst_event_unref (event);
  fail_unless (gst_harness_try_pull_event (h) == NULL);
  /* Nor does the pause leave as one GAP event when a peer connects. */
  set_source (TRUE, FALSE);
  gst_rtc_track_tick (track, 601 * GST_SECOND);
  fail_unless_equals_int (events (GST_EVENT_GAP, &event), 1);
  gst_event_parse_gap (event, &start, NULL);
  fail_unless (start > 599 * GST_SECOND);
  gst_event_unref (event);
  push (602 * GST_SECOND);
  gst_buffer_unref (gst_harness_pull (h));
  fail_unless_equals_int (events (GST_EVENT_CUSTOM_DOWNSTREAM, &event), 1);
  entry = rec_event_parse_journal (event);
  fail_unless (gst_structure_get (entry, "running-time", G_TYPE_UINT64, &from,
      "duration", G_TYPE_UINT64, &duration, NULL));
  fail_unless_equals_uint64 (from, GST_SECOND);
  fail_unless_equals_uint64 (duration, 601 * GST_SECOND);
  gst_event_unref (event);
}

GST_END_TEST;

GST_START_TEST (test_a_monitor_is_told_who_is_connected)
{
  GstPad *pad = gst_element_get_static_pad (GST_ELEMENT (track), "src");
  RecSource source = { FALSE, FALSE, 0 };
  GstQuery *query = rec_query_new_source ();

  set_source (FALSE, TRUE);
  fail_unless (gst_pad_query (pad, query));
  fail_unless (rec_query_parse_source (query, &source));
  fail_unless (!source.connected && source.waiting);
  gst_query_unref (query);
  query = rec_query_new_source ();
  set_source (TRUE, FALSE);
  fail_unless (gst_pad_query (pad, query));
  fail_unless (rec_query_parse_source (query, &source));
  fail_unless (source.connected && !source.waiting);
  gst_query_unref (query);
  gst_object_unref (pad);
}

GST_END_TEST;

GST_START_TEST (test_nothing_but_stream_start_leaves_before_there_are_caps)
{
  GstEvent *event;

  gst_rtc_track_tick (track, 10 * GST_SECOND);
  event = gst_harness_pull_event (h);
  fail_unless_equals_int (GST_EVENT_TYPE (event), GST_EVENT_STREAM_START);
  gst_event_unref (event);
  fail_unless_equals_int (events (GST_EVENT_GAP, NULL), 0);
}

GST_END_TEST;

GST_START_TEST (test_eos_leaves_once_and_nothing_after_it)
{
  gst_harness_set_src_caps_str (h, H264);
  gst_rtc_track_finish (track);
  gst_rtc_track_tick (track, GST_SECOND);
  gst_rtc_track_tick (track, 2 * GST_SECOND);
  fail_unless_equals_int (events (GST_EVENT_EOS, NULL), 1);
  fail_unless_equals_int (push (3 * GST_SECOND), GST_FLOW_EOS);
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 0);
}

GST_END_TEST;

GST_START_TEST (test_eos_of_a_session_ends_nothing)
{
  gst_harness_set_src_caps_str (h, H264);
  push (GST_SECOND);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless_equals_int (events (GST_EVENT_EOS, NULL), 0);
}

GST_END_TEST;

static const GstStructure *
last_entry (GstEvent **event)
{
  events (GST_EVENT_CUSTOM_DOWNSTREAM, event);
  return *event ? rec_event_parse_journal (*event) : NULL;
}

GST_START_TEST (test_losses_and_silence_are_journalled)
{
  const GstStructure *entry;
  GstEvent *event;
  guint64 value;

  gst_harness_set_src_caps_str (h, H264);
  push (GST_SECOND);
  gst_harness_push_event (h, gst_event_new_gap (GST_SECOND, 1));
  gst_harness_push_event (h, gst_event_new_gap (GST_SECOND, 1));
  push (GST_SECOND + 400 * GST_MSECOND);
  entry = last_entry (&event);
  fail_unless (entry != NULL && gst_structure_has_name (entry, "gap"));
  fail_unless_equals_string (
      gst_structure_get_string (entry, "cause"), "packet-loss");
  fail_unless_equals_string (
      gst_structure_get_string (entry, "track"), "video");
  fail_unless (gst_structure_get_uint64 (entry, "losses", &value));
  fail_unless_equals_uint64 (value, 2);
  fail_unless (gst_structure_get_uint64 (entry, "duration", &value));
  fail_unless_equals_uint64 (value, 400 * GST_MSECOND);
  gst_event_unref (event);

  /* It may never end: its beginning is in the journal at once. */
  gst_rtc_track_tick (track, 5 * GST_SECOND);
  entry = last_entry (&event);
  fail_unless (entry != NULL && gst_structure_has_name (entry, "gap-start"));
  fail_unless_equals_string (
      gst_structure_get_string (entry, "cause"), "silence");
  fail_unless (gst_structure_get_uint64 (entry, "running-time", &value));
  fail_unless_equals_uint64 (value, 1400 * GST_MSECOND);
  gst_event_unref (event);
  gst_rtc_track_tick (track, 5 * GST_SECOND + 100 * GST_MSECOND);
  fail_unless (last_entry (&event) == NULL);
  push (6 * GST_SECOND);
  entry = last_entry (&event);
  fail_unless (entry != NULL);
  fail_unless_equals_string (
      gst_structure_get_string (entry, "cause"), "silence");
  fail_unless (gst_structure_get_uint64 (entry, "duration", &value));
  fail_unless_equals_uint64 (value, 4600 * GST_MSECOND);
  gst_event_unref (event);
  fail_unless_equals_uint64 (STATS (losses), 2);
}

GST_END_TEST;

/* As the gate of a session does. */
static void
push_entry (const gchar *name, GstClockTime from)
{
  gst_harness_push_event (h,
      rec_event_new_journal (gst_structure_new (name, "track", G_TYPE_STRING,
          "video", "cause", G_TYPE_STRING, "packet-loss", "running-time",
          G_TYPE_UINT64, from, NULL)));
}

/* The entries that have left since the last call: "gap-start packet-loss …".
 * Caller frees. */
static gchar *
entries (void)
{
  GString *text = g_string_new (NULL);
  GstEvent *event;

  while ((event = gst_harness_try_pull_event (h)) != NULL) {
    const GstStructure *entry = rec_event_parse_journal (event);

    if (entry)
      g_string_append_printf (text, "%s %s ", gst_structure_get_name (entry),
          gst_structure_get_string (entry, "cause"));
    gst_event_unref (event);
  }
  return g_string_free (text, FALSE);
}

static void
assert_entries (const gchar *wanted)
{
  gchar *text = entries ();

  fail_unless_equals_string (text, wanted);
  g_free (text);
}

/* Pictures that are held back until the next key frame are no silence. */
GST_START_TEST (test_what_the_gate_holds_back_is_journalled_once)
{
  gst_harness_set_src_caps_str (h, H264);
  push (GST_SECOND);
  assert_entries ("");
  push_entry ("gap-start", GST_SECOND + 40 * GST_MSECOND);
  gst_rtc_track_tick (track, 4 * GST_SECOND);
  push_entry ("gap", GST_SECOND + 40 * GST_MSECOND);
  push (5 * GST_SECOND);
  assert_entries ("gap-start packet-loss gap packet-loss ");
  /* Where the gate says it all at the end. */
  gst_rtc_track_tick (track, 5 * GST_SECOND + 200 * GST_MSECOND);
  push_entry ("gap", 5 * GST_SECOND + 40 * GST_MSECOND);
  push (6 * GST_SECOND);
  assert_entries ("gap packet-loss ");
}

GST_END_TEST;

GST_START_TEST (test_silence_ends_where_the_gate_closes)
{
  const GstStructure *entry;
  GstEvent *event;
  guint64 duration;

  gst_harness_set_src_caps_str (h, H264);
  push (GST_SECOND);
  gst_rtc_track_tick (track, 4 * GST_SECOND);
  assert_entries ("gap-start silence ");
  push_entry ("gap", 5 * GST_SECOND);
  while ((event = gst_harness_pull_event (h)) != NULL &&
      !(entry = rec_event_parse_journal (event)))
    gst_event_unref (event);
  fail_unless_equals_string (
      gst_structure_get_string (entry, "cause"), "silence");
  fail_unless (gst_structure_get_uint64 (entry, "duration", &duration));
  fail_unless_equals_uint64 (duration, 4 * GST_SECOND);
  gst_event_unref (event);
  push (6 * GST_SECOND);
  assert_entries ("gap packet-loss ");
}

GST_END_TEST;

/* The peer leaves before the key frame comes. */
GST_START_TEST (test_a_gap_of_the_gate_that_nobody_ends_is_ended)
{
  gst_harness_set_src_caps_str (h, H264);
  push (GST_SECOND);
  push_entry ("gap-start", GST_SECOND + 40 * GST_MSECOND);
  gst_rtc_track_tick (track, 4 * GST_SECOND);
  push (5 * GST_SECOND);
  assert_entries ("gap-start packet-loss gap silence ");
}

GST_END_TEST;

/* The network held it back: after the GAP event it has come, with its time. */
GST_START_TEST (test_what_was_only_late_is_no_silence)
{
  GstBuffer *buffer;

  gst_harness_set_src_caps_str (h, H264);
  push (GST_SECOND);
  gst_buffer_unref (gst_harness_pull (h));
  gst_rtc_track_tick (track, 4 * GST_SECOND);
  fail_unless_equals_int (events (GST_EVENT_GAP, NULL), 1);
  fail_unless (gst_rtc_track_get_end (track) > 3 * GST_SECOND);
  push (GST_SECOND + 40 * GST_MSECOND);
  buffer = gst_harness_pull (h);
  fail_unless_equals_uint64 (
      GST_BUFFER_PTS (buffer), GST_SECOND + 40 * GST_MSECOND);
  gst_buffer_unref (buffer);
  fail_unless_equals_int (events (GST_EVENT_CUSTOM_DOWNSTREAM, NULL), 0);
}

GST_END_TEST;

static void
count_request (GstRtcTrack *unused, gpointer user_data)
{
  (*(guint *)user_data)++;
}

GST_START_TEST (test_sessions_without_media_do_not_pile_up)
{
  guint i, n;

  for (i = 0; i < 10000; i++)
    gst_rtc_track_queue_event (
        track, rec_event_new_journal (gst_structure_new_empty ("recwhip")));
  gst_harness_set_src_caps_str (h, H264);
  push (GST_SECOND);
  n = events (GST_EVENT_CUSTOM_DOWNSTREAM, NULL);
  fail_unless (n > 0 && n < 1000, "%u events", n);
}

GST_END_TEST;

GST_START_TEST (test_key_frame_requests_end_at_the_track)
{
  guint n = 0;

  gst_rtc_track_set_keyframe_func (track, count_request, &n);
  gst_harness_push_upstream_event (h,
      gst_video_event_new_upstream_force_key_unit (
          GST_CLOCK_TIME_NONE, TRUE, 1));
  fail_unless_equals_int (n, 1);
}

GST_END_TEST;

static Suite *
rectrack_suite (void)
{
  Suite *s = suite_create ("rectrack");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_timestamps_never_go_backwards);
  tcase_add_test (tc, test_leading_buffers_without_a_timestamp_are_dropped);
  tcase_add_test (
      tc, test_a_buffer_without_a_timestamp_follows_its_predecessor);
  tcase_add_test (tc, test_another_session_continues_the_same_stream);
  tcase_add_test (tc, test_silence_is_told_by_gap_events_that_overtake_nothing);
  tcase_add_test (tc, test_nothing_leaves_while_nobody_is_connected);
  tcase_add_test (tc, test_a_monitor_is_told_who_is_connected);
  tcase_add_test (
      tc, test_nothing_but_stream_start_leaves_before_there_are_caps);
  tcase_add_test (tc, test_eos_leaves_once_and_nothing_after_it);
  tcase_add_test (tc, test_eos_of_a_session_ends_nothing);
  tcase_add_test (tc, test_losses_and_silence_are_journalled);
  tcase_add_test (tc, test_what_the_gate_holds_back_is_journalled_once);
  tcase_add_test (tc, test_silence_ends_where_the_gate_closes);
  tcase_add_test (tc, test_a_gap_of_the_gate_that_nobody_ends_is_ended);
  tcase_add_test (tc, test_what_was_only_late_is_no_silence);
  tcase_add_test (tc, test_sessions_without_media_do_not_pile_up);
  tcase_add_test (tc, test_key_frame_requests_end_at_the_track);
  return s;
}

GST_CHECK_MAIN (rectrack);
