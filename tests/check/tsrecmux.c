/* gst-tsrec: tests of tsrecmux
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include <time.h>

#include "recmuxtest.h"

#include <gst/audio/audio.h>

GST_START_TEST (test_is_the_element_of_this_build)
{
  rec_test_assert_built_here (subject);
}
GST_END_TEST;

/* --- Live input */

GST_START_TEST (test_live_recording_conforms)
{
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, 10 * GST_SECOND, 0, 0);
  mux_assert_conformant (&m);
  fail_unless_equals_uint64 (mux_get_stat (&m, "access-units"), 301 + 469);
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_every_access_unit_leaves_at_once)
{
  Mux m;

  mux_init (&m, TRUE);
  for (guint i = 0; i < 100; i++) {
    push_picture (&m, i);
    fail_unless (mux_collect (&m) > 0);
    push_aac (&m, i);
    fail_unless (mux_collect (&m) > 0);
  }
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_muted_video_never_stalls_audio)
{
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, 2 * GST_SECOND, 0, 0);
  mux_collect (&m);
  for (guint i = 94; i < 94 + 141; i++) {
    push_aac (&m, i);
    fail_unless (mux_collect (&m) >= PACKET_SIZE,
        "frame %u of the audio did not come out", i);
  }
  push_both (&m, 6 * GST_SECOND, 8 * GST_SECOND, 0, 0);
  mux_assert_conformant (&m);
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_muted_audio_never_stalls_video)
{
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, 1 * GST_SECOND, 0, 0);
  mux_collect (&m);
  for (guint i = 30; i < 150; i++) {
    push_picture (&m, i);
    fail_unless (mux_collect (&m) >= PACKET_SIZE);
  }
  mux_assert_conformant (&m);
  mux_clear (&m);
}
GST_END_TEST;

/* Video starts with a key frame of its own; pictures between are delta units,
 * audio never cuts while video flows. */
GST_START_TEST (test_only_random_access_points_are_not_delta_units)
{
  guint keys = 0, n = 0;
  GstBuffer *buffer;
  Mux m;

  mux_init (&m, TRUE);
  push_picture (&m, 0);
  push_both (&m, FRAME, 5 * GST_SECOND, 0, 0);
  while ((buffer = gst_harness_try_pull (m.video))) {
    if (!GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT)) {
      guint8 packet[4];

      fail_unless (GST_BUFFER_PTS (buffer) % (60 * FRAME) == 0);
      gst_buffer_extract (buffer, 0, packet, 4);
      fail_unless_equals_int (packet[1] & 0x1f, 0);
      fail_unless_equals_int (packet[2], 0); /* PAT */
      keys++;
    }
    n++;
    gst_buffer_unref (buffer);
  }
  fail_unless (n > 350);
  fail_unless_equals_int (keys, 3);
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_audio_alone_can_be_cut)
{
  GstClockTime last = 0;
  GstBuffer *buffer;
  guint keys = 0;
  Mux m;

  mux_init (&m, TRUE);
  for (guint i = 0; i < 470; i++)
    push_aac (&m, i);
  while ((buffer = gst_harness_try_pull (m.video))) {
    if (!GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT)) {
      keys++;
      fail_unless (GST_BUFFER_PTS (buffer) - last <= 500 * GST_MSECOND);
      last = GST_BUFFER_PTS (buffer);
    }
    gst_buffer_unref (buffer);
  }
  fail_unless (keys >= 20);
  mux_clear (&m);
}
GST_END_TEST;

/* --- Refused tracks */

GST_START_TEST (test_refused_track_never_stops_the_others)
{
  GstMessage *message;
  const gchar *reason;
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, 1 * GST_SECOND, 0, 0);
  gst_harness_set_src_caps_str (m.video, "video/x-vp8");
  message = pop_element_message (&m, "tsrecmux-track-rejected");
  fail_unless (message != NULL);
  reason =
      gst_structure_get_string (gst_message_get_structure (message), "reason");
  fail_unless (strstr (reason, "pipelines/record") != NULL, "%s", reason);
  gst_message_unref (message);
  mux_collect (&m);
  for (guint i = 30; i < 60; i++)
    push_picture (&m, i);
  fail_unless_equals_int (mux_collect (&m), 0);
  for (guint i = 47; i < 94; i++) {
    push_aac (&m, i);
    fail_unless (mux_collect (&m) > 0);
  }
  fail_unless_equals_uint64 (mux_get_stat (&m, "refused"), 30);
  gst_harness_set_src_caps_str (m.video, H264_CAPS);
  push_both (&m, 2 * GST_SECOND, 4 * GST_SECOND, 0, 0);
  mux_assert_conformant (&m);
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_vp8_is_refused_at_link_time_with_the_way_out)
{
  GstElement *pipeline = gst_pipeline_new (NULL);
  GstElement *filter = gst_element_factory_make ("capsfilter", NULL);
  GstElement *mux = make_subject ();
  GstCaps *caps = gst_caps_new_empty_simple ("video/x-vp8");
  GstBus *bus = gst_pipeline_get_bus (GST_PIPELINE (pipeline));
  GstMessage *message;
  GstPad *src, *sink;

  g_object_set (filter, "caps", caps, NULL);
  gst_bin_add_many (GST_BIN (pipeline), filter, mux, NULL);
  gst_element_set_state (pipeline, GST_STATE_READY);
  src = gst_element_get_static_pad (filter, "src");
  sink = gst_element_request_pad_simple (mux, "video_%u");
  fail_unless_equals_int (gst_pad_link (src, sink), GST_PAD_LINK_REFUSED);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
  fail_unless (message != NULL);
  fail_unless (gst_message_has_name (message, "tsrecmux-track-rejected"));
  gst_message_unref (message);
  gst_element_release_request_pad (mux, sink);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (src);
  gst_object_unref (sink);
  gst_object_unref (bus);
  gst_caps_unref (caps);
  gst_object_unref (pipeline);
}
GST_END_TEST;

/* --- Key frames */

static guint
count_key_requests (GstHarness *h)
{
  GstEvent *event;
  guint n = 0;

  while ((event = gst_harness_try_pull_upstream_event (h))) {
    n += gst_video_event_is_force_key_unit (event);
    gst_event_unref (event);
  }
  return n;
}

GST_START_TEST (test_key_frame_requests_reach_the_video_pad_only)
{
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, 1 * GST_SECOND, 0, 0);
  fail_unless_equals_int (count_key_requests (m.video), 0);
  gst_harness_push_upstream_event (m.video,
      gst_video_event_new_upstream_force_key_unit (
          GST_CLOCK_TIME_NONE, TRUE, 1));
  fail_unless_equals_int (count_key_requests (m.video), 1);
  fail_unless_equals_int (count_key_requests (m.audio), 0);
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_key_frame_is_requested_until_decoding_can_start)
{
  Mux m;

  mux_init (&m, TRUE);
  gst_harness_push (m.video, new_picture (0, 100, FALSE, FALSE));
  gst_harness_push (m.video, new_picture (FRAME, 100, FALSE, FALSE));
  fail_unless_equals_int (count_key_requests (m.video), 1);
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_resync_marks_the_next_random_access_point)
{
  GstBuffer *buffer;
  guint discont = 0;
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, 1 * GST_SECOND, 0, 0);
  mux_collect (&m);
  fail_unless (gst_pad_push_event (m.video->sinkpad, rec_event_new_resync ()));
  fail_unless_equals_int (count_key_requests (m.video), 1);
  push_both (&m, 1 * GST_SECOND, 3 * GST_SECOND, 0, 0);
  while ((buffer = gst_harness_try_pull (m.video))) {
    if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT)) {
      fail_if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT));
      fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), 60 * FRAME);
      discont++;
    }
    gst_buffer_unref (buffer);
  }
  fail_unless_equals_int (discont, 1);
  mux_clear (&m);
}
GST_END_TEST;

/* --- The end */

GST_START_TEST (test_eos_when_the_last_pad_is_eos)
{
  GstEvent *event;
  gboolean eos = FALSE;
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, 1 * GST_SECOND, 0, 0);
  gst_harness_push_event (m.video, gst_event_new_eos ());
  while ((event = gst_harness_try_pull_event (m.video))) {
    fail_if (GST_EVENT_TYPE (event) == GST_EVENT_EOS);
    gst_event_unref (event);
  }
  push_aac (&m, 47);
  gst_harness_push_event (m.audio, gst_event_new_eos ());
  while ((event = gst_harness_try_pull_event (m.video))) {
    eos |= GST_EVENT_TYPE (event) == GST_EVENT_EOS;
    gst_event_unref (event);
  }
  fail_unless (eos);
  mux_assert_conformant (&m);
  mux_clear (&m);
}
GST_END_TEST;

/* --- Input that is not live */

GST_START_TEST (test_one_thread_feeding_both_pads_never_deadlocks)
{
  Mux m;

  mux_init (&m, FALSE);
  /* all of the video first: far more than max-interleave */
  for (guint i = 0; i < 300; i++)
    push_picture (&m, i);
  for (guint i = 0; i < 469; i++)
    push_aac (&m, i);
  gst_harness_push_event (m.video, gst_event_new_eos ());
  gst_harness_push_event (m.audio, gst_event_new_eos ());
  mux_collect (&m);
  fail_unless_equals_uint64 (mux_get_stat (&m, "access-units"), 769);
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_file_input_leaves_in_the_order_of_dts)
{
  GstClockTime last = 0;
  GstBuffer *buffer;
  guint n = 0;
  Mux m;

  mux_init (&m, FALSE);
  for (guint i = 0; i < 10; i++) {
    for (guint j = 0; j < 15; j++)
      push_picture (&m, i * 15 + j);
    for (guint j = 0; j < 23; j++)
      push_aac (&m, i * 23 + j);
  }
  gst_harness_push_event (m.video, gst_event_new_eos ());
  gst_harness_push_event (m.audio, gst_event_new_eos ());
  while ((buffer = gst_harness_try_pull (m.video))) {
    fail_unless (GST_BUFFER_DTS (buffer) >= last);
    last = GST_BUFFER_DTS (buffer);
    n++;
    gst_buffer_unref (buffer);
  }
  fail_unless_equals_int (n, 380);
  mux_clear (&m);
}
GST_END_TEST;

/* As from an appsrc that was not told that it is live, beside a microphone that
 * is silent: nothing waits, once that is known. */
static void
check_pace (gboolean without_dts)
{
  guint at_once = 0;
  Mux m;

  mux_init (&m, FALSE);
  for (guint i = 0; at_once < 30; i++) {
    GstBuffer *buffer = new_picture (i * FRAME, 2000, i == 0, i == 0);

    if (without_dts)
      GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
    gst_harness_push (m.video, buffer);
    mux_collect (&m);
    if (mux_get_stat (&m, "access-units") == i + 1)
      at_once++;
    else
      fail_unless (at_once == 0 && i < 60, "picture %u is held back", i);
    g_usleep (FRAME / 1000); /* it is what makes the pace */
  }
  mux_assert_conformant (&m);
  mux_clear (&m);
}

GST_START_TEST (test_input_at_the_pace_of_the_clock_is_live)
{
  check_pace (FALSE);
  check_pace (TRUE);
}
GST_END_TEST;

/* Both tracks at that pace, from two threads: in the order of arrival. */
static gpointer
push_sound_at_pace (gpointer data)
{
  Mux *m = data;

  for (guint i = 0; i < 80; i++) {
    push_aac (m, i);
    g_usleep (AAC_FRAME / 1000);
  }
  return NULL;
}

GST_START_TEST (test_two_tracks_at_the_pace_of_the_clock_are_live)
{
  GThread *thread;
  Mux m;

  mux_init (&m, FALSE);
  thread = g_thread_new ("audio", push_sound_at_pace, &m);
  for (guint i = 0; i < 51; i++) {
    push_picture (&m, i);
    g_usleep (FRAME / 1000);
  }
  g_thread_join (thread);
  /* all of it has left, without an end of the stream */
  fail_unless_equals_uint64 (mux_get_stat (&m, "access-units"), 51 + 80);
  mux_assert_conformant (&m);
  mux_clear (&m);
}
GST_END_TEST;

/* What the element takes for the clock is ahead by this, µs. */
static gint64 clock_lead = 0;

gint64
g_get_monotonic_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 + clock_lead;
}

/* PTS of the last buffer that has left. */
static GstClockTime
pull_last_pts (Mux *m)
{
  GstClockTime pts = GST_CLOCK_TIME_NONE;
  GstBuffer *buffer;

  while ((buffer = gst_harness_try_pull (m->video))) {
    pts = GST_BUFFER_PTS (buffer);
    gst_buffer_unref (buffer);
  }
  return pts;
}

/* The first picture and the first sound after it come on time, as the clock
 * says: nothing has to confirm them. */
GST_START_TEST (test_a_pause_of_input_at_the_pace_of_the_clock_is_real)
{
  const GstClockTime pause = 40 * GST_SECOND;
  guint a = 0, v;
  Mux m;

  mux_init (&m, FALSE);
  for (v = 0; v < 30; v++) {
    push_picture (&m, v);
    for (; a * AAC_FRAME < v * FRAME; a++)
      push_aac (&m, a);
    g_usleep (FRAME / 1000);
  }
  pull_last_pts (&m);
  clock_lead = pause / 1000;
  gst_harness_push (m.video, new_picture (v * FRAME + pause, 5000, TRUE, TRUE));
  fail_unless_equals_uint64 (pull_last_pts (&m), v * FRAME + pause);
  gst_harness_push (m.audio, new_aac (a * AAC_FRAME + pause, 135));
  fail_unless_equals_uint64 (pull_last_pts (&m), a * AAC_FRAME + pause);
  clock_lead = 0;
  fail_unless_equals_uint64 (mux_get_stat (&m, "jumps"), 0);
  mux_clear (&m);
}
GST_END_TEST;

/* --- Pads that come and go */

GST_START_TEST (test_pads_come_and_go_while_playing)
{
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, 1 * GST_SECOND, 0, 0);
  for (guint i = 1; i <= 5; i++) {
    GstHarness *other;
    gchar *name = g_strdup_printf ("audio_%u", i);

    other = gst_harness_new_with_element (m.mux, name, NULL);
    gst_harness_set_src_caps_str (other, AAC_CAPS);
    gst_harness_push (other, new_aac (i * GST_SECOND + 1, 135));
    push_both (&m, i * GST_SECOND, (i + 1) * GST_SECOND, 0, 0);
    fail_unless_equals_uint64 (mux_get_stat (&m, "tracks"), 3);
    gst_harness_teardown (other); /* releases the pad */
    fail_unless_equals_uint64 (mux_get_stat (&m, "tracks"), 2);
    g_free (name);
  }
  push_both (&m, 6 * GST_SECOND, 7 * GST_SECOND, 0, 0);
  mux_assert_conformant (&m);
  /* audio_0 joins with its first access unit; then one goes as the next one
   * comes: one change of the PMT for both */
  fail_unless_equals_int (ts_check_get_stats (m.check)->pmt_version, 7);
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_an_unused_pad_holds_nothing_up)
{
  GstPad *pad;
  Mux m;

  mux_init (&m, FALSE);
  pad = gst_element_request_pad_simple (m.mux, "data_%u");
  push_both (&m, 0, 3 * GST_SECOND, 0, 0);
  gst_harness_push_event (m.video, gst_event_new_eos ());
  gst_harness_push_event (m.audio, gst_event_new_eos ());
  fail_unless_equals_uint64 (mux_get_stat (&m, "access-units"), 91 + 141);
  mux_assert_conformant (&m);
  gst_element_release_request_pad (m.mux, pad);
  gst_object_unref (pad);
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_release_of_the_last_pad_that_is_not_eos_ends_the_stream)
{
  GstHarness *other;
  Mux m;

  mux_init (&m, TRUE);
  other = gst_harness_new_with_element (m.mux, "audio_1", NULL);
  gst_harness_set_src_caps_str (other, AAC_CAPS);
  push_both (&m, 0, 1 * GST_SECOND, 0, 0);
  gst_harness_push_event (m.video, gst_event_new_eos ());
  gst_harness_push_event (m.audio, gst_event_new_eos ());
  fail_if (has_event (&m, GST_EVENT_EOS));
  gst_harness_teardown (other); /* releases the pad */
  fail_unless (has_event (&m, GST_EVENT_EOS));
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_names_of_pads_give_their_pids)
{
  GstElement *mux = make_subject ();
  GstPad *a = gst_element_request_pad_simple (mux, "video_3");
  GstPad *b = gst_element_request_pad_simple (mux, "video_%u");

  fail_unless_equals_string (GST_PAD_NAME (a), "video_3");
  fail_unless_equals_string (GST_PAD_NAME (b), "video_4");
  gst_element_release_request_pad (mux, a);
  gst_element_release_request_pad (mux, b);
  gst_object_unref (a);
  gst_object_unref (b);
  gst_object_unref (mux);
}
GST_END_TEST;

GST_START_TEST (test_state_changes_start_over)
{
  GstElement *pipeline = gst_pipeline_new (NULL);
  GstElement *mux = make_subject ();
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  GstPad *pad = gst_element_request_pad_simple (mux, "video_%u");

  gst_bin_add_many (GST_BIN (pipeline), gst_object_ref (mux), sink, NULL);
  fail_unless (gst_element_link_pads (mux, "src", sink, "sink"));
  for (guint i = 0; i < 20; i++) {
    gst_element_set_state (mux, GST_STATE_PLAYING);
    gst_element_set_state (mux, i % 2 ? GST_STATE_READY : GST_STATE_NULL);
  }
  gst_element_set_state (mux, GST_STATE_NULL);
  gst_element_release_request_pad (mux, pad);
  gst_object_unref (pad);
  gst_object_unref (mux);
  gst_object_unref (pipeline);
}
GST_END_TEST;

/* --- Caps and tags */

GST_START_TEST (test_caps_that_change_nothing_change_nothing)
{
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, 1 * GST_SECOND, 0, 0);
  for (guint i = 1; i < 50; i++) {
    gchar *caps = g_strdup_printf (H264_CAPS ", width=%u", i);

    gst_harness_set_src_caps_str (m.video, caps);
    g_free (caps);
  }
  push_both (&m, 1 * GST_SECOND, 3 * GST_SECOND, 0, 0);
  mux_assert_conformant (&m);
  fail_unless (ts_check_get_stats (m.check)->pmt_version <= 1);
  fail_unless (pop_element_message (&m, "tsrecmux-track-changed") == NULL);
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_change_of_codec_is_announced)
{
  GstMessage *message;
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, 1 * GST_SECOND, 0, 0);
  gst_harness_set_src_caps_str (m.audio, "audio/x-opus, channels=2");
  message = pop_element_message (&m, "tsrecmux-track-changed");
  fail_unless (message != NULL);
  gst_message_unref (message);
  for (guint i = 0; i < 50; i++)
    gst_harness_push (m.audio,
        stamp (gst_buffer_new_memdup ("opus", 4),
            GST_SECOND + i * 20 * GST_MSECOND, 20 * GST_MSECOND));
  mux_assert_conformant (&m);
  mux_clear (&m);
}
GST_END_TEST;

/* What an encoder wants cut off is in the control header: 312 samples at the
 * start, and at the end more than its 13 bits can say. */
GST_START_TEST (test_clipping_of_opus_is_in_its_control_header)
{
  static const guint8 expected[] = { 0x7f, 0xf8, 4, 312 >> 8, 312 & 0xff, 0x1f,
    0xff, 'o', 'p', 'u', 's' };
  GstBuffer *buffer = gst_buffer_new_memdup ("opus", 4);
  gboolean found = FALSE;
  Mux m;

  mux_init (&m, TRUE);
  gst_harness_set_src_caps_str (m.audio, "audio/x-opus, channels=2");
  gst_buffer_add_audio_clipping_meta (buffer, GST_FORMAT_DEFAULT, 312, 9999);
  gst_harness_push (m.audio, stamp (buffer, 0, 20 * GST_MSECOND));
  while ((buffer = gst_harness_try_pull (m.video))) {
    GstMapInfo map;

    gst_buffer_map (buffer, &map, GST_MAP_READ);
    found |= memmem (map.data, map.size, expected, sizeof (expected)) != NULL;
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
  fail_unless (found);
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_language_tag_becomes_a_descriptor)
{
  const TsCheckStream *stream;
  guint i = 0;
  Mux m;

  mux_init (&m, TRUE);
  gst_harness_push_event (m.audio,
      gst_event_new_tag (gst_tag_list_new (GST_TAG_LANGUAGE_CODE, "fr", NULL)));
  push_both (&m, 0, 1 * GST_SECOND, 0, 0);
  mux_assert_conformant (&m);
  while ((stream = ts_check_get_stream (m.check, i++))) {
    if (stream->kind == TS_CHECK_KIND_AUDIO)
      fail_unless_equals_string (stream->language, "fre");
  }
  mux_clear (&m);
}
GST_END_TEST;

/* --- Broken input is said once */

GST_START_TEST (test_bad_buffers_are_counted_and_said_once)
{
  GstMessage *message;
  guint warnings = 0;
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, 1 * GST_SECOND, 0, 0);
  for (guint i = 0; i < 10; i++) {
    gst_harness_push (
        m.audio, stamp (gst_buffer_new (), (47 + i) * AAC_FRAME, AAC_FRAME));
    gst_harness_push (
        m.audio, stamp (new_aac (0, 100), GST_CLOCK_TIME_NONE, AAC_FRAME));
  }
  while ((message = gst_bus_pop_filtered (m.bus, GST_MESSAGE_WARNING))) {
    warnings++;
    gst_message_unref (message);
  }
  fail_unless_equals_int (warnings, 2);
  fail_unless_equals_uint64 (mux_get_stat (&m, "empty"), 10);
  fail_unless_equals_uint64 (mux_get_stat (&m, "no-timestamp"), 10);
  mux_assert_conformant (&m);
  mux_clear (&m);
}
GST_END_TEST;

static GstEvent *
new_segment_from (GstClockTime start)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = start;
  return gst_event_new_segment (&segment);
}

/* One picture of ten has a running time of centuries, before or after the
 * others; it follows the one before. Beside sound, and without it. */
GST_START_TEST (test_times_of_centuries_are_unknown)
{
  const guint64 half = G_GUINT64_CONSTANT (1) << 63;
  const struct
  {
    GstClockTime start, time;
  } rows[] = { { 0, G_MAXUINT64 - GST_SECOND }, { 0, half }, { 0, half - 1 },
    { half, 0 }, { half - 1, 0 }, { half + 1, 0 } };

  for (guint i = 0; i < 4 * G_N_ELEMENTS (rows); i++) {
    GstBuffer *buffer;
    guint row = i / 4, wild = i % 2 ? 0 : 5;
    guint64 n = 0;
    Mux m;

    mux_init (&m, i & 2);
    for (guint v = 0; v < 10; v++) {
      push_aac (&m, v);
      buffer = new_picture (v * FRAME, 900, v == 0, v == 0);
      gst_harness_push_event (
          m.video, new_segment_from (v == wild ? rows[row].start : 0));
      if (v == wild)
        GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = rows[row].time;
      gst_harness_push (m.video, buffer);
    }
    gst_harness_push_event (m.audio, gst_event_new_eos ());
    gst_harness_push_event (m.video, gst_event_new_eos ());
    mux_assert_conformant (&m);
    n = mux_get_stat (&m, "no-timestamp");
    fail_unless (n == 1, "row %u: %" G_GUINT64_FORMAT, row, n);
    fail_unless_equals_uint64 (mux_get_stat (&m, "access-units"), 20);
    fail_unless_equals_uint64 (mux_get_stat (&m, "jumps"), 0);
    fail_unless_equals_uint64 (mux_get_stat (&m, "backward"), 0);
    mux_clear (&m);
  }
}
GST_END_TEST;

/* One picture a minute, one of which has a time that is an hour wrong. */
GST_START_TEST (test_long_steps_of_a_file_are_kept)
{
  GstBuffer *buffer;
  guint n = 0;
  Mux m;

  mux_init (&m, FALSE);
  gst_harness_push_event (m.audio, gst_event_new_eos ());
  for (guint i = 0; i < 8; i++) {
    GstClockTime time = i * 60 * GST_SECOND + (i == 1 ? 3600 * GST_SECOND : 0);

    gst_harness_push (m.video, new_picture (time, 500, TRUE, TRUE));
  }
  gst_harness_push_event (m.video, gst_event_new_eos ());
  while ((buffer = gst_harness_try_pull (m.video))) {
    if (n != 1) {
      fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), n * 60 * GST_SECOND);
    } else {
      fail_unless (GST_BUFFER_PTS (buffer) <= GST_SECOND);
    }
    gst_buffer_unref (buffer);
    n++;
  }
  fail_unless_equals_int (n, 8);
  fail_unless_equals_uint64 (mux_get_stat (&m, "jumps"), 1);
  fail_unless_equals_uint64 (mux_get_stat (&m, "pts-moved"), 0);
  mux_clear (&m);
}
GST_END_TEST;

/* PCR does not wait for it: no DTS is more than a second after PCR. */
GST_START_TEST (test_a_track_without_timestamps_has_come)
{
  Mux m;

  mux_init (&m, TRUE);
  for (guint i = 0; i < 150; i++) {
    push_picture (&m, i);
    gst_harness_push (
        m.audio, stamp (new_aac (0, 100), GST_CLOCK_TIME_NONE, FRAME));
  }
  mux_assert_conformant (&m);
  mux_clear (&m);
}
GST_END_TEST;

/* --- What passes through */

GST_START_TEST (test_journal_events_pass)
{
  GstEvent *event;
  gboolean found = FALSE;
  Mux m;

  mux_init (&m, TRUE);
  gst_harness_push_event (
      m.video, rec_event_new_journal (gst_structure_new_empty ("gap")));
  while ((event = gst_harness_try_pull_event (m.video))) {
    const GstStructure *entry = rec_event_parse_journal (event);

    found |= entry && gst_structure_has_name (entry, "gap");
    gst_event_unref (event);
  }
  fail_unless (found);
  mux_clear (&m);
}
GST_END_TEST;

static GstPadProbeReturn
answer_query (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  RecWritten written = { 0 };

  if (rec_query_is_resume (query)) {
    rec_query_set_resume (query, user_data);
    return GST_PAD_PROBE_HANDLED;
  }
  if (rec_query_is_written (query)) {
    written.bytes_written = 12345;
    rec_query_set_written (query, &written, "x.ts");
    return GST_PAD_PROBE_HANDLED;
  }
  return GST_PAD_PROBE_OK;
}

GST_START_TEST (test_question_for_bytes_written_passes)
{
  GstQuery *query = rec_query_new_written ();
  RecWritten written = { 0 };
  Mux m;

  mux_init (&m, TRUE);
  gst_pad_add_probe (m.video->sinkpad,
      GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PUSH,
      answer_query, NULL, NULL);
  fail_unless (gst_pad_peer_query (m.audio->srcpad, query));
  fail_unless (rec_query_parse_written (query, &written, NULL));
  fail_unless_equals_uint64 (written.bytes_written, 12345);
  gst_query_unref (query);
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_resume_goes_on_where_the_file_ends)
{
  RecResume *resume = g_new0 (RecResume, 1);
  GstBuffer *buffer;
  guint8 packet[6];
  Mux m;

  memset (resume->continuity_counter, 0xff, TS_N_PIDS);
  resume->continuity_counter[0] = 4;
  resume->pat_version = 2;
  resume->pmt_version = resume->sdt_version = -1;
  resume->last_ts = 90000 * 60;
  mux_init (&m, TRUE);
  gst_pad_add_probe (m.video->sinkpad,
      GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PUSH,
      answer_query, resume, NULL);
  push_picture (&m, 0);
  buffer = gst_harness_pull (m.video);
  gst_buffer_extract (buffer, 0, packet, sizeof (packet));
  fail_unless_equals_int (packet[3] & 0x0f, 5);
  fail_unless (packet[5] & 0x80);
  gst_buffer_unref (buffer);
  g_free (resume);
  mux_clear (&m);
}
GST_END_TEST;

/* --- Flushes and gaps */

GST_START_TEST (test_flush_of_one_track_is_its_own_affair)
{
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, 1 * GST_SECOND, 0, 0);
  gst_harness_push_event (m.video, gst_event_new_flush_start ());
  fail_if (has_event (&m, GST_EVENT_FLUSH_START));
  push_aac (&m, 47);
  fail_unless (mux_collect (&m) > 0);
  gst_harness_push_event (m.video, gst_event_new_flush_stop (TRUE));
  fail_if (has_event (&m, GST_EVENT_FLUSH_STOP));
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_gap_events_keep_tables_and_pcr_going)
{
  gsize size;
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, 1 * GST_SECOND, 0, 0);
  mux_collect (&m);
  for (guint i = 0; i < 50; i++)
    gst_harness_push_event (m.video,
        gst_event_new_gap (
            GST_SECOND + i * 20 * GST_MSECOND, 20 * GST_MSECOND));
  size = mux_collect (&m);
  fail_unless (size >= (3 + 24) * PACKET_SIZE);
  push_both (&m, 2 * GST_SECOND, 3 * GST_SECOND, 0, 0);
  mux_assert_conformant (&m);
  mux_clear (&m);
}
GST_END_TEST;

/* --- Lean */

/* What is held back for the next access unit leaves in a buffer of its own
 * before a random access point, so that the cut is clean. */
GST_START_TEST (test_lean_buffers_can_be_cut_too)
{
  GstBuffer *buffer;
  guint keys = 0;
  Mux m;

  mux_init (&m, TRUE);
  gst_element_set_state (m.mux, GST_STATE_READY);
  g_object_set (m.mux, "pack", TRUE, "audio-pes-time", 200 * GST_MSECOND, NULL);
  gst_element_set_state (m.mux, GST_STATE_PLAYING);
  gst_harness_set_src_caps_str (m.video, H264_CAPS);
  gst_harness_set_src_caps_str (m.audio, AAC_CAPS);
  push_both (&m, 0, 5 * GST_SECOND, 0, 0);
  while ((buffer = gst_harness_try_pull (m.video))) {
    guint8 packet[4];

    fail_unless_equals_int (gst_buffer_n_memory (buffer), 1);
    gst_buffer_extract (buffer, 0, packet, 4);
    if (!GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT)) {
      fail_unless ((packet[1] & 0x1f) == 0 && packet[2] == 0);
      keys++;
    }
    gst_buffer_unref (buffer);
  }
  fail_unless (keys >= 3);
  mux_clear (&m);
}
GST_END_TEST;

static gpointer
push_from_thread (gpointer data)
{
  Mux *m = data;

  for (guint i = 0; i < 469; i++)
    push_aac (m, i);
  gst_harness_push_event (m->audio, gst_event_new_eos ());
  return NULL;
}

/* Two threads, each as fast as it can: still in order. */
GST_START_TEST (test_two_fast_threads_leave_in_the_order_of_dts)
{
  GstClockTime last = 0;
  GstBuffer *buffer;
  GThread *thread;
  guint n = 0;
  Mux m;

  mux_init (&m, FALSE);
  thread = g_thread_new ("audio", push_from_thread, &m);
  for (guint i = 0; i < 300; i++)
    push_picture (&m, i);
  gst_harness_push_event (m.video, gst_event_new_eos ());
  g_thread_join (thread);
  while ((buffer = gst_harness_try_pull (m.video))) {
    fail_unless (GST_BUFFER_DTS (buffer) >= last, "buffer %u", n);
    last = GST_BUFFER_DTS (buffer);
    n++;
    gst_buffer_unref (buffer);
  }
  fail_unless_equals_int (n, 769);
  mux_clear (&m);
}
GST_END_TEST;

static gpointer
release_video (gpointer data)
{
  Mux *m = data;
  GstPad *pad = gst_element_get_static_pad (m->mux, "video_0");

  gst_element_release_request_pad (m->mux, pad);
  gst_object_unref (pad);
  return NULL;
}

typedef struct
{
  Mux *m;
  GThread *thread;
  gint countdown; /* of buffers */
} Release;

static GstPadProbeReturn
release_meanwhile (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Release *r = data;

  if (r->countdown == 0 || --r->countdown > 0)
    return GST_PAD_PROBE_OK;
  r->thread = g_thread_new ("release", release_video, r->m);
  while (mux_get_stat (r->m, "tracks") > 1)
    g_thread_yield ();
  return GST_PAD_PROBE_OK;
}

/* While what is held back of it is on its way out, for a change of its codec
 * that another thread carries out. */
GST_START_TEST (test_pad_may_go_while_its_codec_changes)
{
  Release r = { 0 };
  GstPad *src;
  Mux m;

  mux_init (&m, FALSE);
  gst_element_set_state (m.mux, GST_STATE_READY);
  g_object_set (m.mux, "pack", TRUE, NULL);
  gst_element_set_state (m.mux, GST_STATE_PLAYING);
  gst_harness_set_src_caps_str (m.video, H264_CAPS);
  gst_harness_set_src_caps_str (m.audio, AAC_CAPS);
  push_aac (&m, 0);
  for (guint i = 0; i < 10; i++)
    push_picture (&m, i);
  gst_harness_set_src_caps_str (
      m.video, "video/x-h265, stream-format=byte-stream, alignment=au");
  r.m = &m;
  src = gst_element_get_static_pad (m.mux, "src");
  gst_pad_add_probe (
      src, GST_PAD_PROBE_TYPE_BUFFER, release_meanwhile, &r, NULL);
  for (guint i = 1; i < 15; i++)
    push_aac (&m, i);
  r.countdown = 2; /* the last picture, and what is left of it */
  push_aac (&m, 15);
  g_thread_join (r.thread);
  gst_object_unref (src);
  fail_unless_equals_uint64 (mux_get_stat (&m, "tracks"), 1);
  mux_clear (&m);
}
GST_END_TEST;

/* Caps wait behind the buffers that are held back; a flush throws away the
 * buffers only. */
GST_START_TEST (test_flush_keeps_caps_that_wait_for_their_turn)
{
  GstSegment segment;
  GstMessage *msg;
  Mux m;

  mux_init (&m, FALSE);
  push_aac (&m, 0);
  for (guint i = 0; i < 10; i++)
    push_picture (&m, i);
  gst_harness_set_src_caps_str (
      m.video, "video/x-h265, stream-format=byte-stream, alignment=au");
  fail_unless_equals_uint64 (mux_get_stat (&m, "access-units"), 2);
  gst_harness_push_event (m.video, gst_event_new_flush_start ());
  gst_harness_push_event (m.video, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (m.video, gst_event_new_segment (&segment));
  gst_harness_push_event (m.audio, gst_event_new_eos ());
  msg = gst_bus_timed_pop_filtered (m.bus, 0, GST_MESSAGE_ELEMENT);
  fail_unless (msg && gst_message_has_name (msg, "tsrecmux-track-changed"));
  gst_message_unref (msg);
  mux_clear (&m);
}
GST_END_TEST;

/* A source that is torn down between the two events of a flush leaves the
 * output as it found it. */
GST_START_TEST (test_pad_released_within_a_flush_stops_nobody)
{
  GstElement *mux = make_subject ();
  GstHarness *out = gst_harness_new_with_element (mux, NULL, "src");
  GstHarness *audio = gst_harness_new_with_element (mux, "audio_0", NULL);
  GstHarness *other;

  gst_harness_play (out);
  gst_harness_set_live (audio, TRUE);
  gst_harness_set_src_caps_str (audio, AAC_CAPS);
  fail_unless_equals_int (
      gst_harness_push (audio, new_aac (0, 135)), GST_FLOW_OK);
  gst_harness_push_event (audio, gst_event_new_flush_start ());
  gst_harness_teardown (audio); /* releases the pad */
  other = gst_harness_new_with_element (mux, "audio_1", NULL);
  gst_harness_set_live (other, TRUE);
  gst_harness_set_src_caps_str (other, AAC_CAPS);
  fail_unless_equals_int (
      gst_harness_push (other, new_aac (GST_SECOND, 135)), GST_FLOW_OK);
  fail_unless_equals_int (gst_harness_buffers_received (out), 2);
  gst_harness_teardown (other);
  gst_harness_teardown (out);
  gst_object_unref (mux);
}
GST_END_TEST;

/* Participants come and go for days; one stays. */
GST_START_TEST (test_pids_do_not_run_out_as_pads_come_and_go)
{
  GstHarness *other;
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, GST_SECOND, 0, 0);
  for (guint i = 0; i < 255; i++) {
    GstPad *pad = gst_element_request_pad_simple (m.mux, "audio_%u");

    gst_element_release_request_pad (m.mux, pad);
    gst_object_unref (pad);
  }
  other = gst_harness_new_with_element (m.mux, "audio_%u", NULL);
  gst_harness_set_live (other, TRUE);
  gst_harness_set_src_caps_str (other, AAC_CAPS);
  gst_harness_push (other, new_aac (GST_SECOND, 135));
  fail_unless_equals_uint64 (mux_get_stat (&m, "tracks"), 3);
  fail_unless_equals_uint64 (mux_get_stat (&m, "refused"), 0);
  gst_harness_teardown (other);
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_names_longer_than_the_sdt_takes_end_at_a_character)
{
  GstElement *mux = make_subject ();
  GString *name = g_string_new (NULL);
  gchar *value;

  while (name->len < 79)
    g_string_append_c (name, 'x');
  g_string_append (name, "\303\251\303\251");
  g_object_set (mux, "service-name", name->str, NULL);
  g_object_get (mux, "service-name", &value, NULL);
  fail_unless (g_utf8_validate (value, -1, NULL));
  fail_unless_equals_int (strlen (value), 79);
  g_free (value);
  g_string_free (name, TRUE);
  gst_object_unref (mux);
}
GST_END_TEST;

GST_START_TEST (test_an_unused_pad_does_not_keep_the_end_back)
{
  GstPad *pad;
  Mux m;

  mux_init (&m, TRUE);
  pad = gst_element_request_pad_simple (m.mux, "data_%u");
  push_both (&m, 0, GST_SECOND, 0, 0);
  gst_harness_push_event (m.video, gst_event_new_eos ());
  gst_harness_push_event (m.audio, gst_event_new_eos ());
  fail_unless (has_event (&m, GST_EVENT_EOS));
  gst_element_release_request_pad (m.mux, pad);
  gst_object_unref (pad);
  mux_clear (&m);
}
GST_END_TEST;

static gboolean
answer_live (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return gst_pad_query_default (pad, parent, query);
  gst_query_set_latency (query, TRUE, 0, GST_CLOCK_TIME_NONE);
  return TRUE;
}

/* A live source that runs, linked to pad @name. */
static GstPad *
link_live_source (GstElement *mux, const gchar *name, const gchar *caps_str)
{
  GstPad *src = gst_pad_new (NULL, GST_PAD_SRC);
  GstPad *sink = gst_element_request_pad_simple (mux, name);
  GstCaps *caps = gst_caps_from_string (caps_str);

  gst_pad_set_query_function (src, answer_live);
  gst_pad_set_active (src, TRUE);
  fail_unless_equals_int (gst_pad_link (src, sink), GST_PAD_LINK_OK);
  gst_check_setup_events_with_stream_id (src, mux, caps, GST_FORMAT_TIME, name);
  gst_caps_unref (caps);
  gst_object_unref (sink);
  return src;
}

/* As where an application adds a recording to a pipeline that plays, and links
 * it before it starts it: nothing of before is kept in memory until then, and
 * it is live input afterwards. */
GST_START_TEST (test_mux_may_be_linked_to_a_live_source_before_it_is_started)
{
  GstElement *mux = make_subject ();
  GstPad *video = link_live_source (mux, "video_0", H264_CAPS);
  GstPad *audio = link_live_source (mux, "audio_0", AAC_CAPS);
  GstHarness *out;
  GstBuffer *buffer = new_picture (0, 900, TRUE, TRUE);

  gst_buffer_ref (buffer);
  gst_pad_push (video, buffer);
  ASSERT_BUFFER_REFCOUNT (buffer, "buffer", 1);
  gst_buffer_unref (buffer);
  gst_pad_push (audio, new_aac (0, 135));
  out = gst_harness_new_with_element (mux, NULL, "src");
  gst_harness_play (out);
  for (guint i = 1; i <= 2; i++)
    fail_unless_equals_int (
        gst_pad_push (video, new_picture (i * FRAME, 900, i == 1, TRUE)),
        GST_FLOW_OK);
  fail_unless_equals_int (gst_harness_buffers_received (out), 2);
  gst_harness_teardown (out);
  gst_object_unref (video);
  gst_object_unref (audio);
  gst_object_unref (mux);
}
GST_END_TEST;

GST_START_TEST (test_stream_that_follows_an_eos_in_the_queue_is_waited_for)
{
  GstSegment segment;
  Mux m;

  mux_init (&m, FALSE);
  push_aac (&m, 0);
  for (guint i = 0; i < 10; i++)
    push_picture (&m, i);
  /* waits behind pictures that wait for audio */
  gst_harness_push_event (m.video, gst_event_new_eos ());
  gst_harness_push_event (m.video, gst_event_new_stream_start ("next"));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (m.video, gst_event_new_segment (&segment));
  gst_harness_push_event (m.audio, gst_event_new_eos ());
  fail_if (has_event (&m, GST_EVENT_EOS));
  push_picture (&m, 10);
  gst_harness_push_event (m.video, gst_event_new_eos ());
  fail_unless (has_event (&m, GST_EVENT_EOS));
  fail_unless_equals_uint64 (mux_get_stat (&m, "access-units"), 12);
  mux_clear (&m);
}
GST_END_TEST;

static void
add_tests (TCase *tc)
{
  tcase_add_test (tc, test_is_the_element_of_this_build);
  tcase_add_test (tc, test_live_recording_conforms);
  tcase_add_test (tc, test_every_access_unit_leaves_at_once);
  tcase_add_test (tc, test_muted_video_never_stalls_audio);
  tcase_add_test (tc, test_muted_audio_never_stalls_video);
  tcase_add_test (tc, test_only_random_access_points_are_not_delta_units);
  tcase_add_test (tc, test_audio_alone_can_be_cut);
  tcase_add_test (tc, test_refused_track_never_stops_the_others);
  tcase_add_test (tc, test_vp8_is_refused_at_link_time_with_the_way_out);
  tcase_add_test (tc, test_key_frame_requests_reach_the_video_pad_only);
  tcase_add_test (tc, test_key_frame_is_requested_until_decoding_can_start);
  tcase_add_test (tc, test_resync_marks_the_next_random_access_point);
  tcase_add_test (tc, test_eos_when_the_last_pad_is_eos);
  tcase_add_test (tc, test_one_thread_feeding_both_pads_never_deadlocks);
  tcase_add_test (tc, test_file_input_leaves_in_the_order_of_dts);
  tcase_add_test (tc, test_input_at_the_pace_of_the_clock_is_live);
  tcase_add_test (tc, test_two_tracks_at_the_pace_of_the_clock_are_live);
  tcase_add_test (tc, test_a_pause_of_input_at_the_pace_of_the_clock_is_real);
  tcase_add_test (tc, test_pads_come_and_go_while_playing);
  tcase_add_test (tc, test_an_unused_pad_holds_nothing_up);
  tcase_add_test (
      tc, test_release_of_the_last_pad_that_is_not_eos_ends_the_stream);
  tcase_add_test (tc, test_names_of_pads_give_their_pids);
  tcase_add_test (tc, test_state_changes_start_over);
  tcase_add_test (tc, test_caps_that_change_nothing_change_nothing);
  tcase_add_test (tc, test_change_of_codec_is_announced);
  tcase_add_test (tc, test_clipping_of_opus_is_in_its_control_header);
  tcase_add_test (tc, test_language_tag_becomes_a_descriptor);
  tcase_add_test (tc, test_bad_buffers_are_counted_and_said_once);
  tcase_add_test (tc, test_times_of_centuries_are_unknown);
  tcase_add_test (tc, test_long_steps_of_a_file_are_kept);
  tcase_add_test (tc, test_a_track_without_timestamps_has_come);
  tcase_add_test (tc, test_journal_events_pass);
  tcase_add_test (tc, test_question_for_bytes_written_passes);
  tcase_add_test (tc, test_resume_goes_on_where_the_file_ends);
  tcase_add_test (tc, test_flush_of_one_track_is_its_own_affair);
  tcase_add_test (tc, test_gap_events_keep_tables_and_pcr_going);
  tcase_add_test (tc, test_lean_buffers_can_be_cut_too);
  tcase_add_test (tc, test_two_fast_threads_leave_in_the_order_of_dts);
  tcase_add_test (tc, test_pad_may_go_while_its_codec_changes);
  tcase_add_test (tc, test_flush_keeps_caps_that_wait_for_their_turn);
  tcase_add_test (tc, test_pad_released_within_a_flush_stops_nobody);
  tcase_add_test (tc, test_pids_do_not_run_out_as_pads_come_and_go);
  tcase_add_test (tc, test_names_longer_than_the_sdt_takes_end_at_a_character);
  tcase_add_test (tc, test_an_unused_pad_does_not_keep_the_end_back);
  tcase_add_test (
      tc, test_mux_may_be_linked_to_a_live_source_before_it_is_started);
  tcase_add_test (
      tc, test_stream_that_follows_an_eos_in_the_queue_is_waited_for);
}

static Suite *
tsrecmux_suite (void)
{
  Suite *s = suite_create ("tsrecmux");
  TCase *mux = tcase_create ("tsrecmux"), *sink = tcase_create ("tsrecsink");

  tcase_add_checked_fixture (mux, use_tsrecmux, NULL);
  add_tests (mux);
  suite_add_tcase (s, mux);
  tcase_add_checked_fixture (sink, use_tsrecsink, NULL);
  add_tests (sink);
  suite_add_tcase (s, sink);
  return s;
}

GST_CHECK_MAIN (tsrecmux);
