/* gst-tsrec: our own offers, what servers make of them, and what is refused
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtcsdp.h"

#include <gst/check/gstcheck.h>
#include <string.h>

#define HEAD "v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
#define ICE(ufrag)                                                             \
  "a=ice-ufrag:" ufrag "\r\na=ice-pwd:0123456789012345678901\r\n"              \
  "a=fingerprint:sha-256 "                                                     \
  "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:"   \
  "88:99:AA:BB:CC:DD:EE:FF\r\na=setup:active\r\na=rtcp-mux\r\n"
#define VIDEO_LINE "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n"
#define AUDIO_LINE "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n"
#define H264 "a=rtpmap:96 H264/90000\r\n"
#define OPUS "a=rtpmap:111 opus/48000/2\r\n"

/* As webrtcbin makes it. */
static const gchar ours[] = HEAD
    "a=group:BUNDLE video0 audio1\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\n" ICE ("ours")
        H264
    "a=rtpmap:97 H265/90000\r\na=mid:video0\r\na=recvonly\r\n"
    "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n" ICE ("ours") OPUS
    "a=mid:audio1\r\na=recvonly\r\na=bundle-only\r\n";

static GstSDPMessage *
parse (const gchar *text)
{
  GError *error = NULL;
  GstSDPMessage *sdp = rtc_sdp_parse (text, strlen (text), &error);

  fail_unless (sdp != NULL, "%s", error ? error->message : "");
  return sdp;
}

static const gchar *
attribute (const GstSDPMessage *sdp, guint media, const gchar *key)
{
  return gst_sdp_media_get_attribute_val (
      gst_sdp_message_get_media (sdp, media), key);
}

GST_START_TEST (test_no_m_line_of_ours_looks_rejected)
{
  GstSDPMessage *offer = parse (ours), *sent;
  gchar *text = rtc_sdp_offer_text (offer);

  fail_unless (strstr (text, "bundle-only") == NULL, "%s", text);
  sent = parse (text);
  fail_unless_equals_int (
      gst_sdp_media_get_port (gst_sdp_message_get_media (sent, 0)), 9);
  fail_unless_equals_int (
      gst_sdp_media_get_port (gst_sdp_message_get_media (sent, 1)), 9);
  fail_unless_equals_string (gst_sdp_message_get_attribute_val (sent, "group"),
      "BUNDLE video0 audio1");
  gst_sdp_message_free (sent);
  gst_sdp_message_free (offer);
  g_free (text);
}

GST_END_TEST;

/* --- answers --- */

/* Returns @answer for webrtcbin; @video and @audio: the tracks of the session. */
static GstSDPMessage *
complete (const gchar *answer, gboolean video, gboolean audio)
{
  GstSDPMessage *offer = parse (ours), *sdp = parse (answer), *whole;
  GError *error = NULL;
  RtcSdpChoice choice;
  guint i;

  fail_unless (rtc_sdp_choose_answered (offer, sdp, TRUE, &choice, &error),
      "%s", error ? error->message : "");
  fail_unless_equals_int (choice.video.codec != NULL, video);
  fail_unless_equals_int (choice.audio.codec != NULL, audio);
  whole = rtc_sdp_complete_answer (offer, sdp, &choice, TRUE, &error);
  fail_unless (whole != NULL, "%s", error ? error->message : "");
  fail_unless_equals_int (gst_sdp_message_medias_len (whole), 2);
  fail_unless_equals_string (gst_sdp_message_get_attribute_val (whole, "group"),
      "BUNDLE video0 audio1");
  for (i = 0; i < 2; i++) {
    fail_unless (
        gst_sdp_media_get_port (gst_sdp_message_get_media (whole, i)) != 0);
    fail_unless_equals_string (
        attribute (whole, i, "mid"), i == 0 ? "video0" : "audio1");
    fail_unless_equals_string (attribute (whole, i, "ice-ufrag"), "theirs");
    fail_unless (attribute (whole, i, "fingerprint") != NULL);
    fail_unless (attribute (whole, i, "setup") != NULL);
    fail_unless (
        (attribute (whole, i, "inactive") == NULL) == (i == 0 ? video : audio));
  }
  gst_sdp_message_free (sdp);
  gst_sdp_message_free (offer);
  return whole;
}

/* RFC 3264 section 6: nothing but the port is looked at. */
GST_START_TEST (test_a_rejected_m_line_may_lack_everything)
{
  static const gchar *const rejected[] = { "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n",
    "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\na=mid:audio1\r\na=inactive\r\n",
    "m=audio 0 RTP/AVP 0\r\na=mid:other\r\n", "" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rejected); i++) {
    gchar *text =
        g_strconcat (HEAD "a=group:BUNDLE video0\r\n" VIDEO_LINE ICE ("theirs")
                         H264 "a=mid:video0\r\na=sendonly\r\n",
            rejected[i], NULL);

    gst_sdp_message_free (complete (text, TRUE, FALSE));
    g_free (text);
  }
}

GST_END_TEST;

GST_START_TEST (test_the_first_m_line_may_be_the_rejected_one)
{
  gst_sdp_message_free (complete (HEAD
      "m=video 0 UDP/TLS/RTP/SAVPF 0\r\n" AUDIO_LINE ICE ("theirs") OPUS
      "a=mid:audio1\r\na=sendonly\r\n",
      FALSE, TRUE));
}

GST_END_TEST;

GST_START_TEST (test_a_codec_that_was_not_offered_is_not_expected)
{
  gst_sdp_message_free (complete (HEAD
      "a=group:BUNDLE video0 audio1\r\n"
      "m=video 9 UDP/TLS/RTP/SAVPF 100\r\n" ICE (
          "theirs") "a=rtpmap:100 "
                    "VP8/90000\r\na=mid:video0\r\na=sendonly\r\n" AUDIO_LINE
                        OPUS "a=mid:audio1\r\na=sendonly\r\n",
      FALSE, TRUE));
}

GST_END_TEST;

GST_START_TEST (test_tracks_of_one_transport_need_no_group)
{
  gst_sdp_message_free (complete (HEAD VIDEO_LINE ICE ("theirs") H264
      "a=sendonly\r\n" AUDIO_LINE ICE ("theirs") OPUS "a=sendonly\r\n",
      TRUE, TRUE));
  /* Of two transports only one was offered. */
  gst_sdp_message_free (complete (HEAD VIDEO_LINE ICE ("theirs") H264
      "a=sendonly\r\n" AUDIO_LINE ICE ("second") OPUS "a=sendonly\r\n",
      TRUE, FALSE));
}

GST_END_TEST;

GST_START_TEST (test_an_answer_without_any_track_is_an_error)
{
  GstSDPMessage *offer = parse (ours);
  GstSDPMessage *answer = parse (HEAD "m=video 0 UDP/TLS/RTP/SAVPF 0\r\n"
                                      "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n");
  GError *error = NULL;
  RtcSdpChoice choice;

  fail_if (rtc_sdp_choose_answered (offer, answer, TRUE, &choice, &error));
  fail_unless (strstr (error->message, "H264") != NULL, "%s", error->message);
  g_error_free (error);
  gst_sdp_message_free (answer);
  gst_sdp_message_free (offer);
}

GST_END_TEST;

/* --- what is refused --- */

static void
assert_refused (const gchar *text, const gchar *video, const gchar *audio,
    const gchar *media, const gchar *offered, const gchar *accepted)
{
  const RtcSdpCodec **v = rtc_sdp_parse_codecs ("video", video, NULL);
  const RtcSdpCodec **a = rtc_sdp_parse_codecs ("audio", audio, NULL);
  GstSDPMessage *offer = parse (text);
  GPtrArray *refusals;
  RtcSdpChoice choice;

  fail_unless (rtc_sdp_choose (offer, v, a, &choice, NULL));
  refusals = rtc_sdp_find_refused (offer, &choice, v, a);
  fail_unless_equals_int (refusals->len, media ? 1 : 0);
  if (media) {
    const RtcSdpRefusal *refusal = g_ptr_array_index (refusals, 0);

    fail_unless_equals_string (refusal->media, media);
    fail_unless_equals_string (refusal->offered, offered);
    fail_unless_equals_string (refusal->accepted, accepted);
    fail_unless (strstr (refusal->text, offered) != NULL);
  }
  g_ptr_array_unref (refusals);
  gst_sdp_message_free (offer);
  g_free (v);
  g_free (a);
}

#define VP8_OFFER                                                              \
  HEAD "m=video 9 UDP/TLS/RTP/SAVPF 100 101 98\r\na=sendonly\r\n"              \
       "a=rtpmap:100 VP8/90000\r\na=rtpmap:101 rtx/90000\r\n"                  \
       "a=rtpmap:98 VP9/90000\r\n" AUDIO_LINE "a=sendonly\r\n" OPUS

GST_START_TEST (test_a_kind_without_a_codec_in_common_is_named)
{
  assert_refused (
      VP8_OFFER, "H264,H265", "OPUS", "video", "VP8, VP9", "H264, H265");
  assert_refused (VP8_OFFER, "VP8", "OPUS", NULL, NULL, NULL);
  /* Who lists nothing wants no video. */
  assert_refused (VP8_OFFER, "", "OPUS", NULL, NULL, NULL);
}

GST_END_TEST;

GST_START_TEST (test_a_second_track_of_a_kind_is_named)
{
  assert_refused (HEAD VIDEO_LINE H264 VIDEO_LINE H264, "H264", "OPUS", "video",
      "H264", "H264");
  /* This one does not send. */
  assert_refused (HEAD VIDEO_LINE H264 VIDEO_LINE H264 "a=recvonly\r\n", "H264",
      "OPUS", NULL, NULL, NULL);
}

GST_END_TEST;

/* --- clock rates --- */

#define WRONG_VIDEO "H264 with a clock rate of 48000 Hz instead of 90000 Hz"
#define WRONG_AUDIO "opus with a clock rate of 44100 Hz instead of 48000 Hz"

GST_START_TEST (test_another_clock_rate_is_refused)
{
  assert_refused (HEAD VIDEO_LINE "a=rtpmap:96 H264/48000\r\n" AUDIO_LINE OPUS,
      "H264", "OPUS", "video", WRONG_VIDEO, "H264");
  assert_refused (HEAD VIDEO_LINE H264 AUDIO_LINE
      "a=rtpmap:111 opus/44100/2\r\n",
      "H264", "OPUS", "audio", WRONG_AUDIO, "OPUS");
  assert_refused (HEAD VIDEO_LINE "a=rtpmap:96 VP8/\r\n" AUDIO_LINE OPUS, "VP8",
      "OPUS", "video", "VP8 with a clock rate of 0 Hz instead of 90000 Hz",
      "VP8");
  /* Of two payload types, one is right. */
  assert_refused (HEAD "m=video 9 UDP/TLS/RTP/SAVPF 95 96\r\n"
                       "a=rtpmap:95 H264/8000\r\n" H264,
      "H264", "OPUS", NULL, NULL, NULL);
}

GST_END_TEST;

GST_START_TEST (test_offers_of_another_clock_rate_alone_are_an_error)
{
  const RtcSdpCodec **v = rtc_sdp_parse_codecs ("video", "H264", NULL);
  GstSDPMessage *offer = parse (HEAD VIDEO_LINE "a=rtpmap:96 H264/48000\r\n");
  GError *error = NULL;
  RtcSdpChoice choice;

  fail_if (rtc_sdp_choose (offer, v, NULL, &choice, &error));
  fail_unless (strstr (error->message, WRONG_VIDEO), "%s", error->message);
  g_error_free (error);
  gst_sdp_message_free (offer);
  g_free (v);
}

GST_END_TEST;

/* @answer leaves out one track, for this reason. */
static void
assert_rejected (const gchar *answer, const gchar *media, const gchar *text)
{
  GstSDPMessage *offer = parse (ours), *sdp = parse (answer);
  const RtcSdpRefusal *refusal;
  GPtrArray *refusals;
  RtcSdpChoice choice;

  fail_unless (rtc_sdp_choose_answered (offer, sdp, TRUE, &choice, NULL));
  refusals = rtc_sdp_find_rejected (offer, sdp, &choice);
  fail_unless_equals_int (refusals->len, 1);
  refusal = g_ptr_array_index (refusals, 0);
  fail_unless_equals_string (refusal->media, media);
  fail_unless (strstr (refusal->text, text) != NULL, "%s", refusal->text);
  g_ptr_array_unref (refusals);
  gst_sdp_message_free (sdp);
  gst_sdp_message_free (offer);
}

GST_START_TEST (test_answers_of_another_clock_rate_are_named)
{
  gst_sdp_message_free (complete (
      HEAD VIDEO_LINE ICE ("theirs") "a=rtpmap:96 H264/48000\r\n"
                                     "a=sendonly\r\n" AUDIO_LINE ICE ("theirs")
                                         OPUS "a=sendonly\r\n",
      FALSE, TRUE));
  assert_rejected (HEAD VIDEO_LINE "a=rtpmap:96 H264/48000\r\n" AUDIO_LINE OPUS,
      "video", "the server answers " WRONG_VIDEO);
  assert_rejected (HEAD VIDEO_LINE H264 AUDIO_LINE
      "a=rtpmap:111 opus/44100/2\r\n",
      "audio", "the server answers " WRONG_AUDIO);
  assert_rejected (HEAD VIDEO_LINE H264 "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n",
      "audio", "does not accept it");
  assert_rejected (HEAD VIDEO_LINE H264 AUDIO_LINE OPUS "a=inactive\r\n",
      "audio", "does not accept it");
}

GST_END_TEST;

/* --- ICE lite --- */

/* Who makes no checks has to be checked: webrtcbin then is controlling (RFC
 * 8445 section 6.1.1). */
GST_START_TEST (test_webrtcbin_is_told_of_a_lite_peer)
{
  const RtcSdpCodec **v = rtc_sdp_parse_codecs ("video", "H264", NULL);
  const gchar *const heads[] = { HEAD "a=ice-lite\r\n", HEAD };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (heads); i++) {
    gchar *text = g_strconcat (heads[i], VIDEO_LINE ICE ("abcd") H264, NULL);
    GstSDPMessage *offer = parse (text), *pruned;
    RtcSdpChoice choice;

    fail_unless (rtc_sdp_choose (offer, v, NULL, &choice, NULL));
    pruned = rtc_sdp_prune (offer, &choice, NULL);
    fail_unless_equals_int (
        gst_sdp_message_get_attribute_val (pruned, "ice-lite") != NULL, i == 0);
    gst_sdp_message_free (pruned);
    gst_sdp_message_free (offer);
    g_free (text);
  }
  g_free (v);
}

GST_END_TEST;

/* --- stereo --- */

static void
assert_stereo (const gchar *fmtp, const gchar *expected)
{
  const RtcSdpCodec **a = rtc_sdp_parse_codecs ("audio", "OPUS", NULL);
  gchar *text = g_strconcat (HEAD AUDIO_LINE ICE ("abcd") OPUS, fmtp, NULL);
  GstSDPMessage *offer = parse (text), *pruned;
  RtcSdpChoice choice;

  fail_unless (rtc_sdp_choose (offer, NULL, a, &choice, NULL));
  pruned = rtc_sdp_prune (offer, &choice, NULL);
  fail_unless_equals_string (attribute (pruned, 0, "fmtp"), expected);
  gst_sdp_message_free (pruned);
  gst_sdp_message_free (offer);
  g_free (text);
  g_free (a);
}

/* RFC 7587 section 6.1: stereo is what the receiver would like, and the
 * receiver is the recorder. */
GST_START_TEST (test_stereo_is_asked_for)
{
  assert_stereo ("", "111 stereo=1");
  assert_stereo ("a=fmtp:111 minptime=10;useinbandfec=1\r\n",
      "111 minptime=10;useinbandfec=1;stereo=1");
  assert_stereo ("a=fmtp:111 stereo=0; sprop-stereo=1;maxaveragebitrate=96000"
                 "\r\n",
      "111 sprop-stereo=1;maxaveragebitrate=96000;stereo=1");
}

GST_END_TEST;

GST_START_TEST (test_our_own_offer_asks_for_stereo)
{
  const RtcSdpCodec **a = rtc_sdp_parse_codecs ("audio", "OPUS", NULL);
  GstCaps *caps = rtc_sdp_offer_caps (a);

  fail_unless_equals_string (
      gst_structure_get_string (gst_caps_get_structure (caps, 0), "stereo"),
      "1");
  gst_caps_unref (caps);
  g_free (a);
}

GST_END_TEST;

static Suite *
sdpoffer_suite (void)
{
  Suite *s = suite_create ("sdpoffer");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_no_m_line_of_ours_looks_rejected);
  tcase_add_test (tc, test_a_rejected_m_line_may_lack_everything);
  tcase_add_test (tc, test_the_first_m_line_may_be_the_rejected_one);
  tcase_add_test (tc, test_a_codec_that_was_not_offered_is_not_expected);
  tcase_add_test (tc, test_tracks_of_one_transport_need_no_group);
  tcase_add_test (tc, test_an_answer_without_any_track_is_an_error);
  tcase_add_test (tc, test_a_kind_without_a_codec_in_common_is_named);
  tcase_add_test (tc, test_a_second_track_of_a_kind_is_named);
  tcase_add_test (tc, test_another_clock_rate_is_refused);
  tcase_add_test (tc, test_offers_of_another_clock_rate_alone_are_an_error);
  tcase_add_test (tc, test_answers_of_another_clock_rate_are_named);
  tcase_add_test (tc, test_webrtcbin_is_told_of_a_lite_peer);
  tcase_add_test (tc, test_stereo_is_asked_for);
  tcase_add_test (tc, test_our_own_offer_asks_for_stereo);
  return s;
}

GST_CHECK_MAIN (sdpoffer);
