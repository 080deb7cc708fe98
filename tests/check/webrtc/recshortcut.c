/* gst-tsrec: access units that go around the parser
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstrtcpicturefilter.h"
#include "rtcshortcut.h"

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

/* --- the kinds --- */

static guint
kind_of (const gchar *codec, const gchar *bytes)
{
  gchar **words = g_strsplit (bytes, " ", -1);
  guint8 data[64];
  guint n = g_strv_length (words);

  for (guint i = 0; i < n; i++)
    data[i] = (guint8)g_ascii_strtoull (words[i], NULL, 16);
  g_strfreev (words);
  return rtc_shortcut_get_kind (codec, data, n);
}

GST_START_TEST (test_only_plain_pictures_go_around)
{
  /* first_mb_in_slice 0 and slice_type 5 (P), 7 (I), 0 (P), 6 (B) */
  fail_unless (kind_of ("H264", "0 0 0 1 41 9a 24 6c 41") != 0);
  fail_unless (kind_of ("H264", "0 0 1 41 9a 24 6c 41") != 0);
  fail_unless_equals_int (kind_of ("H264", "0 0 0 1 41 88 84 6c 41"), 0);
  fail_unless (kind_of ("H264", "0 0 0 1 41 e0 24 6c 41") != 0);
  fail_unless (kind_of ("H264", "0 0 0 1 01 9e 24 6c 41") != 0);
  /* A second slice, of P and of I. */
  fail_unless (
      kind_of ("H264", "0 0 1 41 9a 24 6c 41 0 0 1 41 26 a4 6c 41 12") != 0);
  fail_unless_equals_int (
      kind_of ("H264", "0 0 1 41 9a 24 6c 41 0 0 1 41 20 84 6c 41 12"), 0);
  /* An IDR picture, delimiters, SEI, parameter sets, an end of sequence. */
  fail_unless_equals_int (kind_of ("H264", "0 0 1 65 9a 24 6c 41"), 0);
  fail_unless (kind_of ("H264", "0 0 1 9 30 0 0 1 41 9a 24 6c 41") != 0);
  fail_unless (kind_of ("H264", "0 0 1 9 30 0 0 1 41 9a 24 6c 41") !=
      kind_of ("H264", "0 0 1 41 9a 24 6c 41"));
  fail_unless_equals_int (kind_of ("H264", "0 0 1 9 30 0 0 1 9 30"), 0);
  fail_unless_equals_int (kind_of ("H264", "0 0 1 9 30"), 0);
  fail_unless_equals_int (
      kind_of ("H264", "0 0 1 6 6 1 84 80 0 0 1 41 9a 24 6c 41"), 0);
  fail_unless_equals_int (
      kind_of ("H264", "0 0 1 41 9a 24 6c 41 0 0 1 68 ce f 8 0"), 0);
  fail_unless_equals_int (kind_of ("H264", "0 0 1 41 9a 24 6c 41 0 0 1 a"), 0);
  /* Too short, without a start code, with something in front of it. */
  fail_unless_equals_int (kind_of ("H264", "0 0 1 41 9a"), 0);
  fail_unless_equals_int (kind_of ("H264", "41 9a 24 6c 41"), 0);
  fail_unless_equals_int (kind_of ("H264", "1 0 0 1 41 9a 24 6c 41"), 0);
  fail_unless_equals_int (kind_of ("H264", "0 0 1 41 0 0 3 0 41 12 9a"), 0);
  fail_unless_equals_int (kind_of ("VP9", "0 0 1 41 9a 24 6c 41"), 0);
}

GST_END_TEST;

GST_START_TEST (test_opus_packets_of_one_configuration_are_of_a_kind)
{
  guint kind = kind_of ("OPUS", "fc 1 2");

  fail_unless (kind != 0);
  fail_unless_equals_int (kind_of ("OPUS", "fc 3"), kind);
  fail_unless (kind_of ("OPUS", "f8 1 2") != kind);
  fail_unless (kind_of ("OPUS", "ff 1 2") != kind_of ("OPUS", "ff 2 2"));
  fail_unless_equals_int (kind_of ("OPUS", "ff"), 0);
}

GST_END_TEST;

/* --- the same comes out --- */

static gint n_parsed;

static GstPadProbeReturn
count (GstPad *pad, GstPadProbeInfo *info, gpointer unused)
{
  n_parsed++;
  return GST_PAD_PROBE_OK;
}

static GstElement *
make_parser (const RtcSdpCodec *codec)
{
  GstElement *parser = gst_element_factory_make (codec->parser, NULL);

  if (g_str_equal (codec->media, "video"))
    g_object_set (parser, "config-interval", -1, NULL);
  return parser;
}

static GstHarness *
make_filter (const RtcSdpCodec *codec)
{
  static guint64 held_back, malformed;
  GstElement *caps_filter = gst_element_factory_make ("capsfilter", NULL);
  GstElement *parser = make_parser (codec), *filter;
  GstCaps *caps = gst_caps_from_string (codec->caps);
  GstPad *pad = gst_element_get_static_pad (parser, "sink");
  GstHarness *h;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count, NULL, NULL);
  gst_object_unref (pad);
  g_object_set (caps_filter, "caps", caps, NULL);
  gst_caps_unref (caps);
  filter = GST_ELEMENT (gst_rtc_picture_filter_new (
      codec, caps_filter, parser, FALSE, &held_back, &malformed));
  h = gst_harness_new_with_element (filter, "sink", "src");
  gst_object_unref (filter);
  return h;
}

static void
compare_next (GstHarness *plain, GstHarness *filter)
{
  GstBuffer *expected = gst_harness_pull (plain);
  GstBuffer *buffer = gst_harness_pull (filter);
  GstMapInfo map;

  gst_buffer_map (expected, &map, GST_MAP_READ);
  fail_unless_equals_uint64 (gst_buffer_get_size (buffer), map.size);
  fail_unless_equals_int (gst_buffer_memcmp (buffer, 0, map.data, map.size), 0);
  gst_buffer_unmap (expected, &map);
  fail_unless_equals_uint64 (
      GST_BUFFER_PTS (buffer), GST_BUFFER_PTS (expected));
  fail_unless_equals_uint64 (
      GST_BUFFER_DTS (buffer), GST_BUFFER_DTS (expected));
  fail_unless_equals_uint64 (
      GST_BUFFER_DURATION (buffer), GST_BUFFER_DURATION (expected));
  fail_unless_equals_int (
      GST_BUFFER_FLAGS (buffer) & ~GST_BUFFER_FLAG_TAG_MEMORY,
      GST_BUFFER_FLAGS (expected) & ~GST_BUFFER_FLAG_TAG_MEMORY);
  gst_buffer_unref (expected);
  gst_buffer_unref (buffer);
}

/* Pushes what @encoder makes through the parser alone, and through the filter. */
static void
compare (const gchar *media, const gchar *name, const gchar *encoder, guint n)
{
  const RtcSdpCodec *codec = rtc_sdp_find_codec (media, name);
  GstHarness *source = gst_harness_new_parse (encoder);
  GstHarness *plain, *filter = make_filter (codec);
  GstElement *parser = make_parser (codec);
  GstCaps *caps;

  plain = gst_harness_new_with_element (parser, "sink", "src");
  gst_object_unref (parser);
  n_parsed = 0;
  gst_harness_play (source);
  for (guint i = 0; i < n; i++) {
    GstBuffer *buffer = gst_harness_pull (source);

    if (i == 0) {
      caps = gst_pad_get_current_caps (source->sinkpad);
      gst_harness_set_src_caps (plain, gst_caps_ref (caps));
      gst_harness_set_src_caps (filter, caps);
    }
    /* As a depayloader has it. */
    buffer = gst_buffer_make_writable (buffer);
    GST_BUFFER_DTS (buffer) = GST_BUFFER_PTS (buffer);
    GST_BUFFER_DURATION (buffer) = GST_CLOCK_TIME_NONE;
    GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    if (i == n / 2)
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    fail_unless_equals_int (
        gst_harness_push (plain, gst_buffer_copy (buffer)), GST_FLOW_OK);
    fail_unless_equals_int (gst_harness_push (filter, buffer), GST_FLOW_OK);
    compare_next (plain, filter);
  }
  fail_unless (n_parsed > 0 && (guint)n_parsed < n / 3, "%d of %u were parsed",
      n_parsed, n);
  gst_harness_teardown (source);
  gst_harness_teardown (plain);
  gst_harness_teardown (filter);
}

GST_START_TEST (test_pictures_that_go_around_are_the_same)
{
  compare ("video", "H264",
      "videotestsrc num-buffers=100 ! video/x-raw,width=64,height=48,"
      "framerate=25/1 ! x264enc tune=zerolatency key-int-max=30 ! "
      "video/x-h264,profile=constrained-baseline ! rtph264pay ! rtph264depay ! "
      "capsfilter caps=video/x-h264,stream-format=byte-stream,alignment=au",
      100);
}

GST_END_TEST;

GST_START_TEST (test_audio_that_goes_around_is_the_same)
{
  compare ("audio", "OPUS",
      "audiotestsrc num-buffers=60 samplesperbuffer=960 ! "
      "audio/x-raw,rate=48000,channels=2 ! opusenc",
      50);
}

GST_END_TEST;

static Suite *
recshortcut_suite (void)
{
  Suite *s = suite_create ("recshortcut");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_only_plain_pictures_go_around);
  tcase_add_test (tc, test_opus_packets_of_one_configuration_are_of_a_kind);
  tcase_add_test (tc, test_pictures_that_go_around_are_the_same);
  tcase_add_test (tc, test_audio_that_goes_around_is_the_same);
  return s;
}

GST_CHECK_MAIN (recshortcut);
