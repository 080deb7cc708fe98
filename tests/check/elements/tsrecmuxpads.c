/* gst-tsrec: tests of the pads of tsrecmux: links, and what is behind them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include <gst/mpegts/mpegts.h>

#include "recmuxtest.h"

/* --- Links */

static GstElement *
make_filter (const gchar *caps_str)
{
  GstElement *filter = gst_element_factory_make ("capsfilter", NULL);
  GstCaps *caps = gst_caps_from_string (caps_str);

  g_object_set (filter, "caps", caps, NULL);
  gst_caps_unref (caps);
  return filter;
}

/* Links an element with @caps to a new subject. Returns the reason why that was
 * refused, which the caller frees, or NULL if it was not. */
static gchar *
link_caps (const gchar *caps, const gchar *pad_name)
{
  GstElement *pipeline = gst_pipeline_new (NULL);
  GstElement *filter = make_filter (caps), *mux = make_subject ();
  GstBus *bus = gst_pipeline_get_bus (GST_PIPELINE (pipeline));
  GstMessage *message;
  gchar *reason = NULL;
  gboolean linked;

  gst_bin_add_many (GST_BIN (pipeline), filter, mux, NULL);
  gst_element_set_state (pipeline, GST_STATE_READY);
  linked = gst_element_link_pads (filter, "src", mux, pad_name);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
  fail_unless_equals_int (message == NULL, linked);
  if (message) {
    const GstStructure *s = gst_message_get_structure (message);

    fail_unless (gst_message_has_name (message, "tsrecmux-track-rejected"));
    reason = g_strdup (gst_structure_get_string (s, "reason"));
    gst_message_unref (message);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  return reason;
}

static void
assert_refused (const gchar *caps, const gchar *pad_name, const gchar *part)
{
  gchar *reason = link_caps (caps, pad_name);

  fail_unless (reason != NULL, "%s was linked", caps);
  fail_unless (strstr (reason, part) != NULL, "%s: %s", caps, reason);
  g_free (reason);
}

static void
assert_linked (const gchar *caps, const gchar *pad_name)
{
  gchar *reason = link_caps (caps, pad_name);

  fail_unless (reason == NULL, "%s: %s", caps, reason);
}

GST_START_TEST (test_refused_link_names_what_is_missing_in_front_of_the_pad)
{
  assert_refused ("video/x-vp8", NULL, "x264enc");
  assert_refused ("video/x-vp9", "video_%u", "VP9");
  assert_refused ("video/x-av1", "video_0", "AV1");
  assert_refused ("audio/x-vorbis", NULL, "opusenc");
  assert_refused ("audio/x-flac", "audio_0", "opusenc");
  assert_refused ("video/x-raw, format=I420", NULL, "x264enc");
  assert_refused ("audio/x-raw, format=S16LE", NULL, "avenc_aac");
  assert_refused ("video/x-h264, stream-format=byte-stream, alignment=nal",
      NULL, "h264parse");
  assert_refused ("video/x-h265, stream-format=byte-stream, alignment=nal",
      "video_%u", "h265parse");
  assert_refused (
      "video/mpeg, mpegversion=2, parsed=false", NULL, "mpegvideoparse");
  assert_refused (
      "audio/mpeg, mpegversion=4, stream-format=adif", NULL, "aacparse");
  assert_refused ("audio/x-ac3, framed=false", NULL, "ac3parse");
  assert_refused ("application/x-rtp", NULL, "depay");
  assert_refused ("text/x-raw", NULL, "plain text");
  assert_refused ("application/x-unheard-of", NULL, "gst-inspect-1.0 tsrecmux");
  assert_refused ("image/jpeg", NULL, "x264enc");
}
GST_END_TEST;

GST_START_TEST (test_link_to_the_wrong_kind_of_pad_names_the_right_one)
{
  assert_refused (AAC_CAPS, "video_0", "audio_%u");
  assert_refused (H264_CAPS, "audio_0", "video_%u");
  assert_refused ("meta/x-klv, parsed=true", "video_0", "data_%u");
}
GST_END_TEST;

GST_START_TEST (test_links_find_the_kind_of_pad_by_themselves)
{
  assert_linked (H264_CAPS, NULL);
  assert_linked (AAC_CAPS, NULL);
  assert_linked ("meta/x-klv, parsed=true", NULL);
  assert_linked ("video/x-h264, stream-format=avc, alignment=au", NULL);
  assert_linked ("video/x-h265, stream-format=hvc1, alignment=au", NULL);
  assert_linked ("audio/mpeg, mpegversion=4, stream-format=raw", NULL);
}
GST_END_TEST;

/* Autopluggers read the templates of the factory. */
GST_START_TEST (test_the_registry_names_what_is_carried_only)
{
  static const gchar *const refused[] = { "video/x-vp8", "video/x-vp9",
    "video/x-av1", "audio/x-vorbis", "audio/x-flac", "video/x-raw",
    "audio/x-raw", "text/x-raw" };
  GstElementFactory *factory = gst_element_factory_find (subject);
  GstElement *element = make_subject ();
  GstCaps *caps = gst_caps_from_string (H264_CAPS);

  fail_unless (gst_element_factory_can_sink_any_caps (factory, caps));
  gst_caps_unref (caps);
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    caps = gst_caps_from_string (refused[i]);
    fail_if (gst_element_factory_can_sink_any_caps (factory, caps), "%s",
        refused[i]);
    gst_caps_unref (caps);
  }
  gst_object_unref (factory);
  gst_object_unref (element);
}
GST_END_TEST;

/* --- Caps that arrive */

GST_START_TEST (test_caps_that_are_in_no_template_never_stop_the_others)
{
  GstMessage *message;
  Mux m;

  mux_init (&m, TRUE);
  push_both (&m, 0, GST_SECOND, 0, 0);
  mux_collect (&m);
  gst_harness_set_src_caps_str (m.audio, "audio/x-alaw, rate=8000, channels=1");
  for (guint i = 47; i < 94; i++)
    push_aac (&m, i); /* fails where the flow is not GST_FLOW_OK */
  message = pop_element_message (&m, "tsrecmux-track-rejected");
  fail_unless (message != NULL);
  gst_message_unref (message);
  for (guint i = 30; i < 60; i++) {
    push_picture (&m, i);
    fail_unless (mux_collect (&m) > 0);
  }
  mux_assert_conformant (&m);
  mux_clear (&m);
}
GST_END_TEST;

/* --- Sections as events */

/* The text of the next warning, which the caller frees, or NULL. */
static gchar *
pop_warning (GstBus *bus)
{
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  GError *error = NULL;
  gchar *text;

  if (message == NULL)
    return NULL;
  gst_message_parse_warning (message, &error, NULL);
  text = g_strdup (error->message);
  g_error_free (error);
  gst_message_unref (message);
  return text;
}

static GstEvent *
new_section_event (GstMpegtsSection *section)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
      gst_structure_new (
          "scte-sit", "section", GST_TYPE_MPEGTS_SECTION, section, NULL));
}

/* As tsdemux sends them with send-scte35-events: nothing of it is recorded, and
 * that is said once. Other events are not spoken of. */
GST_START_TEST (test_sections_that_are_not_carried_are_said_once)
{
  GstMpegtsSCTESIT *sit;
  GstMpegtsSection *section;
  gchar *text;
  Mux m;

  gst_mpegts_initialize ();
  sit = gst_mpegts_scte_null_new ();
  section = gst_mpegts_section_from_scte_sit (sit, 0x1f0);
  mux_init (&m, TRUE);
  push_both (&m, 0, GST_SECOND, 0, 0);
  gst_harness_push_event (m.video,
      gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
          gst_structure_new_empty ("section-of-an-orange")));
  text = pop_warning (m.bus);
  fail_unless (text == NULL, "%s", text);
  for (guint i = 0; i < 3; i++)
    gst_harness_push_event (m.video, new_section_event (section));
  gst_mpegts_section_send_event (section, m.mux);
  text = pop_warning (m.bus);
  fail_unless (text && strstr (text, "SCTE-35 sections") &&
          strstr (text, "not recorded"),
      "%s", text);
  g_free (text);
  text = pop_warning (m.bus);
  fail_unless (text == NULL, "%s", text);
  mux_assert_conformant (&m);
  gst_mpegts_section_unref (section);
  mux_clear (&m);
}
GST_END_TEST;

/* --- Pads that nothing arrives at */

/* An element that is not linked to anything, and a pad of @mux behind it. */
static GstElement *
link_dangling (GstElement *mux, const gchar *name)
{
  GstElement *identity = gst_element_factory_make ("identity", NULL);
  GstPad *src = gst_element_get_static_pad (identity, "src");
  GstPad *sink = gst_element_request_pad_simple (mux, name);

  gst_object_ref_sink (identity);
  gst_element_set_state (identity, GST_STATE_PLAYING);
  fail_unless_equals_int (gst_pad_link (src, sink), GST_PAD_LINK_OK);
  gst_object_unref (src);
  gst_object_unref (sink);
  return identity;
}

static void
end_both (Mux *m)
{
  gst_harness_push_event (m->video, gst_event_new_eos ());
  gst_harness_push_event (m->audio, gst_event_new_eos ());
}

static void
check_dangling (gboolean live)
{
  GstElement *identity;
  Mux m;

  mux_init (&m, live);
  identity = link_dangling (m.mux, "audio_1");
  push_both (&m, 0, 3 * GST_SECOND, 0, 0);
  end_both (&m);
  fail_unless (has_event (&m, GST_EVENT_EOS));
  fail_unless_equals_uint64 (mux_get_stat (&m, "access-units"), 91 + 141);
  mux_assert_conformant (&m);
  gst_element_set_state (identity, GST_STATE_NULL);
  gst_object_unref (identity);
  mux_clear (&m);
}

GST_START_TEST (test_pad_behind_an_element_without_input_holds_nothing_up)
{
  check_dangling (TRUE);
  check_dangling (FALSE);
}
GST_END_TEST;

static void
wait_for_eos (Mux *m)
{
  while (!has_event (m, GST_EVENT_EOS))
    g_thread_yield ();
}

/* As behind a valve that drops everything, EOS included. */
GST_START_TEST (test_pad_that_never_starts_keeps_nothing_unwritten)
{
  GstPad *src = gst_pad_new ("src", GST_PAD_SRC), *sink;
  Mux m;

  mux_init (&m, FALSE);
  sink = gst_element_request_pad_simple (m.mux, "audio_1");
  gst_pad_set_active (src, TRUE);
  fail_unless_equals_int (gst_pad_link (src, sink), GST_PAD_LINK_OK);
  push_both (&m, 0, GST_SECOND, 0, 0);
  end_both (&m);
  fail_unless_equals_uint64 (mux_get_stat (&m, "access-units"), 31 + 47);
  fail_if (has_event (&m, GST_EVENT_EOS));
  gst_element_release_request_pad (m.mux, sink);
  wait_for_eos (&m);
  gst_object_unref (sink);
  gst_object_unref (src);
  mux_clear (&m);
}
GST_END_TEST;

/* The link ends before or after the end of the others. */
static void
check_unlinked (gboolean live, gboolean before)
{
  GstPad *src = gst_pad_new ("src", GST_PAD_SRC), *sink;
  GstCaps *caps = gst_caps_from_string (AAC_CAPS);
  Mux m;

  mux_init (&m, live);
  sink = gst_element_request_pad_simple (m.mux, "audio_1");
  gst_pad_set_active (src, TRUE);
  fail_unless_equals_int (gst_pad_link (src, sink), GST_PAD_LINK_OK);
  gst_check_setup_events_with_stream_id (
      src, m.mux, caps, GST_FORMAT_TIME, "one");
  fail_unless_equals_int (gst_pad_push (src, new_aac (0, 135)), GST_FLOW_OK);
  if (before)
    gst_pad_unlink (src, sink);
  push_both (&m, 0, GST_SECOND, 0, 0);
  end_both (&m);
  if (!before) {
    fail_if (has_event (&m, GST_EVENT_EOS));
    gst_pad_unlink (src, sink);
  }
  wait_for_eos (&m);
  fail_unless_equals_uint64 (mux_get_stat (&m, "access-units"), 1 + 31 + 47);
  mux_assert_conformant (&m);
  gst_element_release_request_pad (m.mux, sink);
  gst_object_unref (sink);
  gst_object_unref (src);
  gst_caps_unref (caps);
  mux_clear (&m);
}

GST_START_TEST (test_pad_that_is_unlinked_does_not_keep_the_end_back)
{
  check_unlinked (TRUE, TRUE);
  check_unlinked (TRUE, FALSE);
  check_unlinked (FALSE, TRUE);
  check_unlinked (FALSE, FALSE);
}
GST_END_TEST;

/* --- Properties */

static guint64
get_interval (GstElement *mux, const gchar *name)
{
  guint64 value;

  g_object_get (mux, name, &value, NULL);
  return value;
}

/* A line of mpegtsmux, which counts in ticks of 90 kHz, works here as there. */
GST_START_TEST (test_intervals_in_ticks_are_understood_with_a_warning)
{
  GstElement *mux = make_subject ();
  GstBus *bus = gst_bus_new ();
  gchar *text;

  gst_element_set_bus (mux, bus);
  g_object_set (mux, "pcr-interval", G_GUINT64_CONSTANT (3600), NULL);
  fail_unless_equals_uint64 (
      get_interval (mux, "pcr-interval"), 40 * GST_MSECOND);
  gst_element_set_state (mux, GST_STATE_PAUSED);
  text = pop_warning (bus);
  fail_unless (text && strstr (text, "pcr-interval=40000000"), "%s", text);
  g_free (text);
  fail_unless (pop_warning (bus) == NULL);
  gst_element_set_state (mux, GST_STATE_NULL);
  g_object_set (mux, "si-interval", G_GUINT64_CONSTANT (9000), NULL);
  fail_unless_equals_uint64 (
      get_interval (mux, "si-interval"), 100 * GST_MSECOND);
  gst_element_set_state (mux, GST_STATE_PAUSED);
  text = pop_warning (bus);
  fail_unless (text && strstr (text, "si-interval=100000000"), "%s", text);
  g_free (text);
  gst_element_set_state (mux, GST_STATE_NULL);
  gst_element_set_bus (mux, NULL);
  gst_object_unref (bus);
  gst_object_unref (mux);
}
GST_END_TEST;

GST_START_TEST (test_intervals_out_of_range_are_limited_with_a_warning)
{
  GstElement *mux = make_subject ();
  GstBus *bus = gst_bus_new ();
  gchar *text;

  gst_element_set_bus (mux, bus);
  g_object_set (mux, "pcr-interval", 200 * GST_MSECOND, NULL);
  fail_unless_equals_uint64 (
      get_interval (mux, "pcr-interval"), 100 * GST_MSECOND);
  gst_element_set_state (mux, GST_STATE_PAUSED);
  text = pop_warning (bus);
  fail_unless (text && strstr (text, "out of range"), "%s", text);
  g_free (text);
  gst_element_set_state (mux, GST_STATE_NULL);
  g_object_set (mux, "pcr-interval", 20 * GST_MSECOND, "psi-interval",
      200 * GST_MSECOND, NULL);
  gst_element_set_state (mux, GST_STATE_PAUSED);
  fail_unless (pop_warning (bus) == NULL);
  gst_element_set_state (mux, GST_STATE_NULL);
  gst_element_set_bus (mux, NULL);
  gst_object_unref (bus);
  gst_object_unref (mux);
}
GST_END_TEST;

static void
note_stream_id (void *stream_ids, const TsCheckPes *pes)
{
  g_hash_table_insert (stream_ids, GUINT_TO_POINTER (pes->pid),
      GUINT_TO_POINTER (pes->stream_id));
}

GST_START_TEST (test_pads_have_pid_language_and_stream_number)
{
  GHashTable *stream_ids = g_hash_table_new (NULL, NULL);
  GstPad *pad;
  guint pid;
  Mux m;

  mux_init (&m, TRUE);
  ts_check_free (m.check);
  m.check = ts_check_new (NULL, note_stream_id, NULL, stream_ids);
  pad = gst_element_get_static_pad (m.mux, "audio_0");
  g_object_set (pad, "pid", 0x123, "language", "de", "stream-number", 7, NULL);
  gst_object_unref (pad);
  /* as a launch line does it */
  gst_child_proxy_set (GST_CHILD_PROXY (m.mux), "video_0::pid", 0x321, NULL);
  gst_child_proxy_get (GST_CHILD_PROXY (m.mux), "video_0::pid", &pid, NULL);
  fail_unless_equals_int (pid, 0x321);
  push_both (&m, 0, GST_SECOND, 0, 0);
  mux_assert_conformant (&m);
  for (guint i = 0; i < 2; i++) {
    const TsCheckStream *stream = ts_check_get_stream (m.check, i);

    if (stream->kind == TS_CHECK_KIND_AUDIO) {
      fail_unless_equals_int (stream->pid, 0x123);
      fail_unless_equals_string (stream->language, "ger");
    } else {
      fail_unless_equals_int (stream->pid, 0x321);
    }
  }
  fail_unless_equals_int (GPOINTER_TO_UINT (g_hash_table_lookup (
                              stream_ids, GUINT_TO_POINTER (0x123))),
      0xc7);
  g_hash_table_unref (stream_ids);
  mux_clear (&m);
}
GST_END_TEST;

GST_START_TEST (test_pid_that_cannot_be_used_is_said)
{
  GstPad *pad;
  gchar *text;
  Mux m;

  mux_init (&m, TRUE);
  push_picture (&m, 0);
  pad = gst_element_get_static_pad (m.mux, "audio_0");
  g_object_set (pad, "pid", 0x100, NULL);
  gst_object_unref (pad);
  push_aac (&m, 0);
  text = pop_warning (m.bus);
  fail_unless (text && strstr (text, "PID 256 cannot be used") &&
          strstr (text, "PID 512 is used"),
      "%s", text);
  g_free (text);
  fail_unless_equals_uint64 (mux_get_stat (&m, "tracks"), 2);
  mux_clear (&m);
}
GST_END_TEST;

/* --- The suite */

static void
add_tests (TCase *tc)
{
  tcase_add_test (
      tc, test_refused_link_names_what_is_missing_in_front_of_the_pad);
  tcase_add_test (tc, test_link_to_the_wrong_kind_of_pad_names_the_right_one);
  tcase_add_test (tc, test_links_find_the_kind_of_pad_by_themselves);
  tcase_add_test (tc, test_the_registry_names_what_is_carried_only);
  tcase_add_test (tc, test_caps_that_are_in_no_template_never_stop_the_others);
  tcase_add_test (tc, test_sections_that_are_not_carried_are_said_once);
  tcase_add_test (
      tc, test_pad_behind_an_element_without_input_holds_nothing_up);
  tcase_add_test (tc, test_pad_that_never_starts_keeps_nothing_unwritten);
  tcase_add_test (tc, test_pad_that_is_unlinked_does_not_keep_the_end_back);
  tcase_add_test (tc, test_intervals_in_ticks_are_understood_with_a_warning);
  tcase_add_test (tc, test_intervals_out_of_range_are_limited_with_a_warning);
  tcase_add_test (tc, test_pads_have_pid_language_and_stream_number);
  tcase_add_test (tc, test_pid_that_cannot_be_used_is_said);
}

static Suite *
tsrecmuxpads_suite (void)
{
  Suite *s = suite_create ("tsrecmuxpads");
  TCase *mux = tcase_create ("tsrecmux"), *sink = tcase_create ("tsrecsink");

  tcase_add_checked_fixture (mux, use_tsrecmux, NULL);
  add_tests (mux);
  suite_add_tcase (s, mux);
  tcase_add_checked_fixture (sink, use_tsrecsink, NULL);
  add_tests (sink);
  suite_add_tcase (s, sink);
  return s;
}

GST_CHECK_MAIN (tsrecmuxpads);
