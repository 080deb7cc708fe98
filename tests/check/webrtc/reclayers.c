/* gst-tsrec: simulcast: how it is answered, and which layer is the largest
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtclayers.h"
#include "rtcsdpsimulcast.h"
#include "rtcsdp.h"

#include <gst/check/gstcheck.h>
#include <gst/rtp/rtp.h>
#include <string.h>

#define HEAD                                                                   \
  "v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"                     \
  "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"       \
  "a=sendonly\r\na=rtpmap:96 H264/90000\r\na=rtpmap:97 VP8/90000\r\n"
#define EXTENSIONS                                                             \
  "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"                         \
  "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"              \
  "a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\n"

static GstSDPMessage *
parse (const gchar *text)
{
  GError *error = NULL;
  GstSDPMessage *sdp = rtc_sdp_parse (text, strlen (text), &error);

  fail_unless (sdp != NULL, "%s", error ? error->message : "");
  return sdp;
}

/* --- descriptions --- */

/* The attributes that accept the simulcast of @lines, one a line. */
static void
assert_accepted (const gchar *lines, const gchar *expected)
{
  gchar *text = g_strconcat (HEAD, lines, NULL);
  GstSDPMessage *offer = parse (text);
  GString *found = g_string_new (NULL);
  GstSDPMedia *answered;
  guint i;

  gst_sdp_media_new (&answered);
  rtc_sdp_simulcast_accept (gst_sdp_message_get_media (offer, 0), 96, answered);
  for (i = 0; i < gst_sdp_media_attributes_len (answered); i++) {
    const GstSDPAttribute *a = gst_sdp_media_get_attribute (answered, i);

    if (!g_str_equal (a->key, "extmap"))
      g_string_append_printf (found, "%s:%s\n", a->key, a->value);
  }
  fail_unless_equals_string (found->str, expected);
  /* Without it no packet says of which layer it is. */
  fail_unless_equals_int (rtc_sdp_header_extension (answered, RTC_SDP_RID_URI),
      *expected && strstr (lines, RTC_SDP_RID_URI) ? 10 : 0);
  gst_sdp_media_free (answered);
  gst_sdp_message_free (offer);
  g_string_free (found, TRUE);
  g_free (text);
}

GST_START_TEST (test_every_layer_is_accepted)
{
  assert_accepted ("a=rid:h send\r\na=rid:m send\r\na=rid:l send\r\n"
                   "a=simulcast:send h;m;l\r\n" EXTENSIONS,
      "rid:h recv\nrid:m recv\nrid:l recv\nsimulcast:recv h;m;l\n");
  /* OBS, with the one layer it starts with. */
  assert_accepted ("a=rid:0 send\r\na=simulcast:send 0\r\n" EXTENSIONS,
      "rid:0 recv\nsimulcast:recv 0\n");
  assert_accepted ("a=rid:x send\r\n" EXTENSIONS, "rid:x recv\n");
}

GST_END_TEST;

GST_START_TEST (test_alternatives_and_restrictions_return)
{
  assert_accepted ("a=rid:1 send max-width=1280;max-height=720\r\n"
                   "a=rid:4 send pt=97\r\na=rid:2 send pt=97,96;max-fps=15\r\n"
                   "a=simulcast:recv 7 send 1,4;~2\r\n" EXTENSIONS,
      "rid:1 recv max-width=1280;max-height=720\n"
      "rid:2 recv pt=96;max-fps=15\nsimulcast:recv 1;~2\n");
}

GST_END_TEST;

GST_START_TEST (test_no_simulcast_is_answered_to_nonsense)
{
  assert_accepted ("", "");
  assert_accepted ("a=simulcast:send\r\n", "");
  assert_accepted ("a=simulcast:send a;b\r\n", "");
  assert_accepted ("a=simulcast:recv a\r\na=rid:a recv\r\n", "");
  assert_accepted ("a=rid:a sendish\r\na=rid: send\r\na=rid\r\n", "");
  assert_accepted ("a=ssrc-group:SIM 1 2 3\r\n", "");
}

GST_END_TEST;

GST_START_TEST (test_the_number_of_layers_is_bounded)
{
  GString *lines = g_string_new (HEAD);
  GstSDPMessage *offer;
  GArray *layers;
  guint i;

  for (i = 0; i < 1000; i++)
    g_string_append_printf (lines, "a=rid:r%u send\r\n", i);
  offer = parse (lines->str);
  layers = rtc_sdp_simulcast_layers (gst_sdp_message_get_media (offer, 0), 96);
  fail_unless_equals_int (layers->len, RTC_SDP_SIMULCAST_MAX_LAYERS);
  g_array_unref (layers);
  gst_sdp_message_free (offer);
  g_string_free (lines, TRUE);
}

GST_END_TEST;

/* --- sizes --- */

/* Of 640x360, by x264 and x265. */
static const guint8 h264_sps[] = { 0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0,
  0x2f, 0xf9, 0x70, 0x16, 0xa0, 0xc0, 0xc0, 0xd4, 0xa0, 0x00, 0x00, 0x03, 0x00,
  0x20, 0x00, 0x00, 0x07, 0x91, 0xe2, 0xc5, 0xc9 };
static const guint8 h265_sps[] = { 0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00,
  0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03, 0x00, 0x3f, 0xa0, 0x05,
  0x02, 0x01, 0x69, 0x65, 0x95, 0x9a, 0x49, 0x32, 0xbf, 0xfc, 0x00, 0x04, 0x00,
  0x05, 0xa8, 0x30, 0x30, 0x30, 0x20, 0x00, 0x00, 0x03, 0x00, 0x20, 0x00, 0x00,
  0x03, 0x03, 0xc1 };

static guint
size_in_aggregate (const gchar *codec, const guint8 *header, gsize n,
    const guint8 *unit, gsize size)
{
  GByteArray *packet = g_byte_array_new ();
  guint8 first[] = { 0, 2, 0, 0, 0, (guint8)size };
  guint found;

  g_byte_array_append (packet, header, (guint)n);
  g_byte_array_append (packet, first, sizeof (first));
  g_byte_array_append (packet, unit, (guint)size);
  found = rtc_layers_read_size (codec, packet->data, packet->len);
  g_byte_array_unref (packet);
  return found;
}

GST_START_TEST (test_sizes_are_read_from_key_frames)
{
  static const guint8 vp8[] = { 0x90, 0xe0, 0x80, 0x01, 0x02, 0x03, 0x10, 0, 0,
    0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x41, 0 };
  static const guint8 vp8_delta[] = { 0x10, 0x11, 0, 0, 0x9d, 0x01, 0x2a, 0x80,
    0x02, 0x68, 0x01, 0 };
  static const guint8 vp9[] = { 0x8a, 0x81, 0x02, 0x38, 0x01, 0x40, 0x00, 0xb4,
    0x02, 0x80, 0x01, 0x68, 0x01, 0x00 };
  static const guint8 stap[] = { 0x78 }, ap[] = { 0x60, 0x01 };

  fail_unless_equals_int (
      rtc_layers_read_size ("H264", h264_sps, sizeof (h264_sps)), 640 * 360);
  fail_unless_equals_int (
      size_in_aggregate ("H264", stap, 1, h264_sps, sizeof (h264_sps)),
      640 * 360);
  fail_unless_equals_int (
      rtc_layers_read_size ("H265", h265_sps, sizeof (h265_sps)), 640 * 360);
  fail_unless_equals_int (
      size_in_aggregate ("H265", ap, 2, h265_sps, sizeof (h265_sps)),
      640 * 360);
  fail_unless_equals_int (
      rtc_layers_read_size ("VP8", vp8, sizeof (vp8)), 640 * 360);
  fail_unless_equals_int (
      rtc_layers_read_size ("VP8", vp8_delta, sizeof (vp8_delta)), 0);
  fail_unless_equals_int (
      rtc_layers_read_size ("VP9", vp9, sizeof (vp9)), 640 * 360);
}

GST_END_TEST;

/* Whatever is cut off, or in a place of its own, nothing is read beyond the
 * end (run under valgrind, and with the address sanitizer). */
GST_START_TEST (test_no_bytes_lead_beyond_the_packet)
{
  static const gchar *const codecs[] = { "H264", "H265", "VP8", "VP9", "AV1" };
  GRand *random = g_rand_new_with_seed (1);
  guint i, c, n;

  for (i = 0; i < 5000; i++) {
    gsize size = (gsize)g_rand_int_range (random, 0, 64);
    guint8 *bytes = g_malloc (size);

    for (n = 0; n < size; n++)
      bytes[n] = (guint8)g_rand_int (random);
    if (size > 0 && i % 4 == 0)
      memcpy (bytes, h264_sps, MIN (size, sizeof (h264_sps)));
    if (size > 0 && i % 4 == 1)
      memcpy (bytes, h265_sps, MIN (size, sizeof (h265_sps)));
    if (size > 4 && i % 8 < 2)
      bytes[g_rand_int_range (random, 1, (gint)size)] ^= 0xff;
    for (c = 0; c < G_N_ELEMENTS (codecs); c++)
      rtc_layers_read_size (codecs[c], bytes, size);
    g_free (bytes);
  }
  g_rand_free (random);
}

GST_END_TEST;

/* --- ranks --- */

static guint changes;

static void
on_changed (guint ssrc, guint rank, gpointer user_data)
{
  changes++;
}

static RtcLayers *
new_layers_for (
    const gchar *wanted, const gchar *lines, const gchar *codec, gint payload)
{
  gchar *text = g_strconcat (HEAD, lines, NULL);
  GstSDPMessage *offer = parse (text);
  RtcLayers *layers = rtc_layers_new (gst_sdp_message_get_media (offer, 0),
      payload, codec, wanted, on_changed, NULL);

  changes = 0;
  gst_sdp_message_free (offer);
  g_free (text);
  return layers;
}

static RtcLayers *
new_layers (const gchar *lines, const gchar *codec, gint payload)
{
  return new_layers_for (RTC_LAYERS_HIGHEST, lines, codec, payload);
}

static guint8 rid_extension = 10;

/* One packet of @ssrc, with @rid, which may be NULL, in the extension; @width
 * 0: of a picture that is no key frame. */
static void
send (GstPad *pad, const gchar *rid, guint width, gboolean two_bytes)
{
  guint8 payload[] = { 0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, (guint8)width,
    (guint8)(width >> 8), 100, 0, 0 };
  GstBuffer *buffer = gst_rtp_buffer_new_allocate (sizeof (payload), 0, 0);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  payload[1] |= width == 0;
  gst_rtp_buffer_map (buffer, GST_MAP_READWRITE, &rtp);
  memcpy (gst_rtp_buffer_get_payload (&rtp), payload, sizeof (payload));
  if (rid && two_bytes)
    gst_rtp_buffer_add_extension_twobytes_header (
        &rtp, 0, rid_extension, rid, (guint)strlen (rid));
  else if (rid)
    gst_rtp_buffer_add_extension_onebyte_header (
        &rtp, rid_extension, rid, (guint)strlen (rid));
  gst_rtp_buffer_unmap (&rtp);
  gst_pad_push (pad, buffer);
}

static GstPad *
watched_pad (RtcLayers *layers, guint ssrc)
{
  GstPad *pad = gst_pad_new (NULL, GST_PAD_SRC);
  GstSegment segment;

  gst_pad_set_active (pad, TRUE);
  gst_pad_push_event (pad, gst_event_new_stream_start ("s"));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (pad, gst_event_new_segment (&segment));
  rtc_layers_watch (layers, ssrc, pad);
  return pad;
}

#define RIDS "a=rid:l send\r\na=rid:h send\r\na=simulcast:send l;h\r\n"

GST_START_TEST (test_the_larger_picture_has_the_higher_rank)
{
  RtcLayers *layers = new_layers (RIDS EXTENSIONS, "VP8", 97);
  GstPad *low = watched_pad (layers, 1), *high = watched_pad (layers, 2);

  fail_unless (rtc_layers_is_simulcast (layers));
  fail_unless_equals_int (rtc_layers_get_rank (layers, 1), 0);
  /* The order of the offer, best first, until more is known. */
  send (low, "l", 0, FALSE);
  send (high, "h", 0, TRUE);
  fail_unless_equals_int (rtc_layers_get_rank (layers, 1), 2);
  fail_unless_equals_int (rtc_layers_get_rank (layers, 2), 1);
  send (low, NULL, 320, FALSE);
  send (high, NULL, 1280, FALSE);
  fail_unless_equals_int (rtc_layers_get_rank (layers, 1), 320 * 100);
  fail_unless_equals_int (rtc_layers_get_rank (layers, 2), 1280 * 100);
  fail_unless_equals_int (changes, 4);
  send (high, "h", 0, FALSE);
  fail_unless_equals_int (changes, 4);
  gst_object_unref (low);
  gst_object_unref (high);
  rtc_layers_free (layers);
}

GST_END_TEST;

GST_START_TEST (test_the_smallest_layer_may_be_wanted)
{
  RtcLayers *layers =
      new_layers_for (RTC_LAYERS_LOWEST, RIDS EXTENSIONS, "VP8", 97);
  GstPad *low = watched_pad (layers, 1), *high = watched_pad (layers, 2);

  fail_unless_equals_int (rtc_layers_get_rank (layers, 1), 0);
  /* By the order of the offer, best first, "h" is the smaller one. */
  send (low, "l", 0, FALSE);
  send (high, "h", 0, FALSE);
  fail_unless (
      rtc_layers_get_rank (layers, 2) > rtc_layers_get_rank (layers, 1));
  fail_unless (rtc_layers_get_rank (layers, 1) > 0);
  /* A size counts more than an order, and the smaller size most. */
  send (high, NULL, 1280, FALSE);
  fail_unless (rtc_layers_get_rank (layers, 2) > 100);
  send (low, NULL, 320, FALSE);
  fail_unless (
      rtc_layers_get_rank (layers, 1) > rtc_layers_get_rank (layers, 2));
  gst_object_unref (low);
  gst_object_unref (high);
  rtc_layers_free (layers);
}

GST_END_TEST;

GST_START_TEST (test_a_layer_may_be_wanted_by_its_rid)
{
  RtcLayers *layers = new_layers_for ("l", RIDS EXTENSIONS, "VP8", 97);
  GstPad *low = watched_pad (layers, 1), *high = watched_pad (layers, 2);

  send (high, "h", 1280, FALSE);
  send (low, "l", 320, FALSE);
  fail_unless (
      rtc_layers_get_rank (layers, 1) > rtc_layers_get_rank (layers, 2));
  fail_unless_equals_int (rtc_layers_get_rank (layers, 2), 1280 * 100);
  gst_object_unref (low);
  gst_object_unref (high);
  rtc_layers_free (layers);
}

GST_END_TEST;

/* Then the largest one is recorded, with a message. */
GST_START_TEST (test_a_rid_that_is_not_offered_is_noticed)
{
  GstSDPMessage *offer = parse (HEAD RIDS EXTENSIONS);
  const GstSDPMedia *media = gst_sdp_message_get_media (offer, 0);
  RtcLayers *layers = new_layers_for ("q", RIDS EXTENSIONS, "VP8", 97);
  GstPad *low = watched_pad (layers, 1), *high = watched_pad (layers, 2);
  gchar *offered = rtc_layers_find_unavailable (media, 97, "q");

  fail_unless_equals_string (offered, "l, h");
  g_free (offered);
  fail_unless (rtc_layers_find_unavailable (media, 97, "h") == NULL);
  fail_unless (
      rtc_layers_find_unavailable (media, 97, RTC_LAYERS_LOWEST) == NULL);
  send (high, "h", 1280, FALSE);
  send (low, "l", 320, FALSE);
  fail_unless (
      rtc_layers_get_rank (layers, 2) > rtc_layers_get_rank (layers, 1));
  gst_object_unref (low);
  gst_object_unref (high);
  rtc_layers_free (layers);
  gst_sdp_message_free (offer);
  offer = parse (HEAD);
  fail_unless (rtc_layers_find_unavailable (
                   gst_sdp_message_get_media (offer, 0), 97, "q") == NULL);
  gst_sdp_message_free (offer);
}

GST_END_TEST;

/* The one byte form has no room for it, and nothing may look there. */
GST_START_TEST (test_the_extension_may_have_a_high_number)
{
  RtcLayers *layers =
      new_layers ("a=rid:l send\r\na=rid:h send\r\n"
                  "a=simulcast:send l;h\r\na=extmap:20 " RTC_SDP_RID_URI "\r\n",
          "VP8", 97);
  GstPad *pad = watched_pad (layers, 5);

  rid_extension = 20;
  send (pad, "l", 0, TRUE);
  fail_unless_equals_int (changes, 1);
  rid_extension = 10;
  send (pad, "h", 0, FALSE);
  fail_unless_equals_int (changes, 1);
  gst_object_unref (pad);
  rtc_layers_free (layers);
}

GST_END_TEST;

GST_START_TEST (test_restrictions_count_before_the_first_key_frame)
{
  RtcLayers *layers = new_layers (
      "a=rid:l send max-width=320;max-height=180\r\n"
      "a=rid:h send max-fs=3600\r\na=simulcast:send l;h\r\n" EXTENSIONS,
      "AV1", 96);
  GstPad *low = watched_pad (layers, 1), *high = watched_pad (layers, 2);

  send (low, "l", 0, FALSE);
  send (high, "h", 0, FALSE);
  fail_unless_equals_int (rtc_layers_get_rank (layers, 1), 320 * 180);
  fail_unless_equals_int (rtc_layers_get_rank (layers, 2), 1280 * 720);
  gst_object_unref (low);
  gst_object_unref (high);
  rtc_layers_free (layers);
}

GST_END_TEST;

GST_START_TEST (test_ssrcs_of_a_group_rise)
{
  RtcLayers *layers = new_layers ("a=ssrc-group:SIM 11 12 13\r\n", "VP8", 97);
  GstPad *pad = watched_pad (layers, 11);

  fail_unless (
      rtc_layers_get_rank (layers, 11) < rtc_layers_get_rank (layers, 13));
  fail_unless_equals_int (rtc_layers_get_rank (layers, 99), 0);
  send (pad, NULL, 640, FALSE);
  fail_unless (
      rtc_layers_get_rank (layers, 11) > rtc_layers_get_rank (layers, 13));
  gst_object_unref (pad);
  rtc_layers_free (layers);
}

GST_END_TEST;

GST_START_TEST (test_one_layer_is_no_simulcast)
{
  RtcLayers *layers =
      new_layers ("a=rid:0 send\r\na=simulcast:send 0\r\n", "VP8", 97);

  fail_if (rtc_layers_is_simulcast (layers));
  fail_unless_equals_int (rtc_layers_get_rank (layers, 1), 0);
  rtc_layers_free (layers);
}

GST_END_TEST;

static Suite *
reclayers_suite (void)
{
  Suite *s = suite_create ("reclayers");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_every_layer_is_accepted);
  tcase_add_test (tc, test_alternatives_and_restrictions_return);
  tcase_add_test (tc, test_no_simulcast_is_answered_to_nonsense);
  tcase_add_test (tc, test_the_number_of_layers_is_bounded);
  tcase_add_test (tc, test_sizes_are_read_from_key_frames);
  tcase_add_test (tc, test_no_bytes_lead_beyond_the_packet);
  tcase_add_test (tc, test_the_larger_picture_has_the_higher_rank);
  tcase_add_test (tc, test_the_smallest_layer_may_be_wanted);
  tcase_add_test (tc, test_a_layer_may_be_wanted_by_its_rid);
  tcase_add_test (tc, test_a_rid_that_is_not_offered_is_noticed);
  tcase_add_test (tc, test_the_extension_may_have_a_high_number);
  tcase_add_test (tc, test_restrictions_count_before_the_first_key_frame);
  tcase_add_test (tc, test_ssrcs_of_a_group_rise);
  tcase_add_test (tc, test_one_layer_is_no_simulcast);
  return s;
}

GST_CHECK_MAIN (reclayers);
