/* gst-tsrec: reading session descriptions
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtcsdpfingerprint.h"
#include "rtcsdp.h"

#include <gst/check/gstcheck.h>
#include <string.h>

#define TRANSPORT                                                              \
  "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"                   \
  "a=fingerprint:sha-256 "                                                     \
  "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:"   \
  "88:99:AA:BB:CC:DD:EE:FF\r\na=setup:actpass\r\na=rtcp-mux\r\n"
#define HEAD "v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"

/* As a browser offers: Opus and RED; VP8, two H.264, RTX, ULPFEC. */
static const gchar browser[] = HEAD
    "a=group:BUNDLE 0 1\r\na=msid-semantic: WMS s\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\nc=IN IP4 0.0.0.0\r\n" TRANSPORT
    "a=mid:0\r\na=sendonly\r\n"
    "a=extmap:3 http://www.ietf.org/id/"
    "draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
    "a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n"
    "a=fmtp:111 minptime=10;useinbandfec=1\r\n"
    "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 104 105 116\r\n"
    "c=IN IP4 0.0.0.0\r\n" TRANSPORT "a=mid:1\r\na=sendonly\r\n"
    "a=candidate:1 1 udp 2113937151 192.0.2.1 5000 typ host\r\n"
    "a=extmap:3 http://www.ietf.org/id/"
    "draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
    "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\n"
    "a=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
    "a=rtpmap:102 H264/90000\r\na=rtcp-fb:102 goog-remb\r\n"
    "a=rtcp-fb:102 transport-cc\r\na=rtcp-fb:102 ccm fir\r\n"
    "a=rtcp-fb:102 nack\r\na=rtcp-fb:102 nack pli\r\n"
    "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=0;"
    "profile-level-id=42001f\r\n"
    "a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n"
    "a=rtpmap:104 H264/90000\r\na=rtcp-fb:104 goog-remb\r\n"
    "a=rtcp-fb:104 transport-cc\r\na=rtcp-fb:104 ccm fir\r\n"
    "a=rtcp-fb:104 nack\r\na=rtcp-fb:104 nack pli\r\n"
    "a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=1;"
    "profile-level-id=42e01f\r\n"
    "a=rtpmap:105 rtx/90000\r\na=fmtp:105 apt=104\r\n"
    "a=rtpmap:116 ulpfec/90000\r\n";

static GstSDPMessage *
parse (const gchar *text)
{
  GError *error = NULL;
  GstSDPMessage *sdp = rtc_sdp_parse (text, strlen (text), &error);

  fail_unless (sdp != NULL, "%s", error ? error->message : "");
  return sdp;
}

static gboolean
choose (const GstSDPMessage *offer, const gchar *video, const gchar *audio,
    RtcSdpChoice *choice, GError **error)
{
  const RtcSdpCodec **v = rtc_sdp_parse_codecs ("video", video, NULL);
  const RtcSdpCodec **a = rtc_sdp_parse_codecs ("audio", audio, NULL);
  gboolean ok = rtc_sdp_choose (offer, v, a, choice, error);

  g_free (v);
  g_free (a);
  return ok;
}

static void
assert_parse_fails (const gchar *text, gsize len, gint code)
{
  GError *error = NULL;

  fail_unless (rtc_sdp_parse (text, len, &error) == NULL);
  fail_unless (g_error_matches (error, RTC_SDP_ERROR, code), "%d: %s",
      error->code, error->message);
  g_error_free (error);
}

GST_START_TEST (test_the_error_domain_has_a_name)
{
  fail_unless_equals_string (
      g_quark_to_string (RTC_SDP_ERROR), "rtc-sdp-error-quark");
}

GST_END_TEST;

GST_START_TEST (test_what_is_not_sdp_is_refused_with_a_reason)
{
  GString *many = g_string_new (HEAD);
  gchar *large = g_strnfill (1024 * 1024, 'a');
  guint i;

  assert_parse_fails ("", 0, RTC_SDP_ERROR_SYNTAX);
  assert_parse_fails ("hello", 5, RTC_SDP_ERROR_SYNTAX);
  assert_parse_fails ("v=0\xff\xfe m=", 9, RTC_SDP_ERROR_SYNTAX);
  assert_parse_fails ("v=0\0m=audio", 11, RTC_SDP_ERROR_SYNTAX);
  assert_parse_fails (HEAD, strlen (HEAD), RTC_SDP_ERROR_SYNTAX);
  assert_parse_fails (large, 1024 * 1024, RTC_SDP_ERROR_TOO_LARGE);
  for (i = 0; i < 1000; i++)
    g_string_append (many, "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n");
  assert_parse_fails (many->str, many->len, RTC_SDP_ERROR_TOO_LARGE);
  g_string_free (many, TRUE);
  g_free (large);
}

GST_END_TEST;

GST_START_TEST (test_h264_mode_1_is_chosen_before_what_is_offered_first)
{
  GstSDPMessage *offer = parse (browser);
  RtcSdpChoice choice;

  fail_unless (choose (offer, "H264,VP8", "OPUS", &choice, NULL));
  fail_unless_equals_string (choice.video.codec->name, "H264");
  fail_unless_equals_int (choice.video.payload, 104);
  fail_unless_equals_int (choice.video.media, 1);
  fail_unless_equals_int (choice.video.profile_level_id, 0x42e01f);
  fail_unless_equals_string (choice.audio.codec->name, "OPUS");
  fail_unless_equals_int (choice.audio.payload, 111);
  fail_unless_equals_int (choice.audio.media, 0);
  gst_sdp_message_free (offer);
}

GST_END_TEST;

GST_START_TEST (test_the_list_of_the_user_comes_before_that_of_the_client)
{
  GstSDPMessage *offer = parse (browser);
  RtcSdpChoice choice;

  fail_unless (choose (offer, "vp9, vp8, h264", "", &choice, NULL));
  fail_unless_equals_string (choice.video.codec->name, "VP8");
  fail_unless (choice.audio.codec == NULL);
  gst_sdp_message_free (offer);
}

GST_END_TEST;

GST_START_TEST (test_no_common_codec_names_both_sides)
{
  GstSDPMessage *offer = parse (browser);
  RtcSdpChoice choice;
  GError *error = NULL;

  fail_if (choose (offer, "AV1", "", &choice, &error));
  fail_unless (
      g_error_matches (error, RTC_SDP_ERROR, RTC_SDP_ERROR_UNACCEPTABLE));
  fail_unless (strstr (error->message, "VP8") != NULL, "%s", error->message);
  fail_unless (strstr (error->message, "AV1") != NULL, "%s", error->message);
  g_error_free (error);
  gst_sdp_message_free (offer);
}

GST_END_TEST;

GST_START_TEST (test_m_lines_that_do_not_send_are_not_chosen)
{
  gchar **parts = g_strsplit (browser, "a=sendonly", -1);
  gchar *text = g_strjoinv ("a=recvonly", parts);
  GstSDPMessage *offer = parse (text);
  RtcSdpChoice choice;

  fail_if (choose (offer, "H264", "OPUS", &choice, NULL));
  gst_sdp_message_free (offer);
  g_strfreev (parts);
  g_free (text);
}

GST_END_TEST;

GST_START_TEST (test_webrtcbin_sees_only_what_was_chosen)
{
  GstSDPMessage *offer = parse (browser), *pruned;
  RtcSdpChoice choice;
  gchar *text;

  fail_unless (choose (offer, "H264", "OPUS", &choice, NULL));
  pruned = rtc_sdp_prune (offer, &choice, NULL);
  text = gst_sdp_message_as_text (pruned);
  fail_unless (strstr (text, "104 105") != NULL, "%s", text);
  fail_unless (strstr (text, "VP8") == NULL, "%s", text);
  fail_unless (strstr (text, "ulpfec") == NULL, "%s", text);
  fail_unless (strstr (text, "red/") == NULL, "%s", text);
  fail_unless (strstr (text, "goog-remb") == NULL, "%s", text);
  fail_unless (strstr (text, "audio-level") == NULL, "%s", text);
  fail_unless (strstr (text, "104 nack pli") != NULL, "%s", text);
  fail_unless (strstr (text, "ccm fir") == NULL, "%s", text);
  fail_unless (strstr (text, "104 transport-cc") != NULL, "%s", text);
  fail_unless (strstr (text, "a=group:BUNDLE 0 1") != NULL, "%s", text);
  fail_unless_equals_int (gst_sdp_message_medias_len (pruned), 2);
  g_free (text);
  gst_sdp_message_free (pruned);
  gst_sdp_message_free (offer);
}

GST_END_TEST;

GST_START_TEST (test_rejected_m_lines_return_in_their_place)
{
  GstSDPMessage *offer = parse (browser), *pruned, *answer;
  RtcSdpChoice choice;
  const GstSDPMedia *media;

  fail_unless (choose (offer, "H264", "", &choice, NULL));
  pruned = rtc_sdp_prune (offer, &choice, NULL);
  fail_unless_equals_int (gst_sdp_message_medias_len (pruned), 1);
  fail_unless_equals_string (
      gst_sdp_message_get_attribute_val (pruned, "group"), "BUNDLE 1");
  answer = rtc_sdp_expand_answer (offer, pruned, &choice);
  fail_unless_equals_int (gst_sdp_message_medias_len (answer), 2);
  media = gst_sdp_message_get_media (answer, 0);
  fail_unless_equals_string (gst_sdp_media_get_media (media), "audio");
  fail_unless_equals_int (gst_sdp_media_get_port (media), 0);
  fail_unless_equals_string (
      gst_sdp_media_get_attribute_val (media, "mid"), "0");
  media = gst_sdp_message_get_media (answer, 1);
  fail_unless_equals_string (gst_sdp_media_get_media (media), "video");
  fail_unless (gst_sdp_media_get_port (media) != 0);
  gst_sdp_message_free (answer);
  gst_sdp_message_free (pruned);
  gst_sdp_message_free (offer);
}

GST_END_TEST;

/* aiortc: one BUNDLE group, but every m-line its own ICE credentials. */
GST_START_TEST (test_a_bundle_has_the_transport_of_its_first_m_line)
{
  gchar **parts = g_strsplit (browser, "a=ice-ufrag:abcd", -1);
  gchar *text = g_strconcat (parts[0], "a=ice-ufrag:first", parts[1],
      "a=ice-ufrag:second", parts[2], NULL);
  GstSDPMessage *offer = parse (text), *pruned;
  RtcSdpChoice choice;
  guint i;

  fail_unless (choose (offer, "H264", "OPUS", &choice, NULL));
  pruned = rtc_sdp_prune (offer, &choice, NULL);
  for (i = 0; i < 2; i++)
    fail_unless_equals_string (
        gst_sdp_media_get_attribute_val (
            gst_sdp_message_get_media (pruned, i), "ice-ufrag"),
        "first");
  gst_sdp_message_free (pruned);
  gst_sdp_message_free (offer);
  g_strfreev (parts);
  g_free (text);
}

GST_END_TEST;

GST_START_TEST (test_an_offer_without_fingerprint_is_refused)
{
  gchar **parts = g_strsplit (browser, "a=fingerprint", -1);
  gchar *text = g_strjoinv ("a=x-fingerprint", parts);
  GstSDPMessage *offer = parse (text);
  GError *error = NULL;
  RtcSdpChoice choice;

  fail_unless (choose (offer, "H264", "OPUS", &choice, NULL));
  fail_unless (rtc_sdp_prune (offer, &choice, &error) == NULL);
  fail_unless (strstr (error->message, "fingerprint") != NULL);
  g_error_free (error);
  gst_sdp_message_free (offer);
  g_strfreev (parts);
  g_free (text);
}

GST_END_TEST;

GST_START_TEST (test_codec_preferences_carry_feedback_and_payload_type)
{
  GstSDPMessage *offer = parse (browser), *pruned;
  const GstStructure *s;
  RtcSdpChoice choice;
  GstCaps *caps;
  gint payload;

  fail_unless (choose (offer, "H264", "OPUS", &choice, NULL));
  pruned = rtc_sdp_prune (offer, &choice, NULL);
  caps = rtc_sdp_media_caps (gst_sdp_message_get_media (pruned, 1));
  s = gst_caps_get_structure (caps, 0);
  fail_unless (gst_structure_has_name (s, "application/x-rtp"));
  fail_unless (gst_structure_get_int (s, "payload", &payload));
  fail_unless_equals_int (payload, 104);
  fail_unless (gst_structure_has_field (s, "rtcp-fb-nack-pli"));
  fail_unless (gst_structure_has_field (s, "rtcp-fb-transport-cc"));
  fail_unless (gst_structure_has_field (s, "extmap-3"));
  gst_caps_unref (caps);
  gst_sdp_message_free (pruned);
  gst_sdp_message_free (offer);
}

GST_END_TEST;

static guint
count_text (const gchar *text, const gchar *what)
{
  guint n = 0;

  for (; (text = strstr (text, what)) != NULL; text += strlen (what))
    n++;
  return n;
}

/* As many lines as are accepted: whoever sends them does not keep the thread
 * busy that also stops the recording. */
GST_START_TEST (test_an_offer_of_the_largest_size_is_answered)
{
  GString *text = g_string_new (
      HEAD "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n" TRANSPORT
           "a=mid:0\r\na=sendonly\r\na=rtpmap:96 H264/90000\r\n");
  GstSDPMessage *offer, *pruned;
  RtcSdpChoice choice;
  gchar *out;
  guint i;

  for (i = 0; i < RTC_SDP_MAX_LINES - 100; i++)
    g_string_append (text, "a=rtcp-fb:96 ccm fir\r\n");
  offer = parse (text->str);
  fail_unless (choose (offer, "H264", "OPUS", &choice, NULL));
  pruned = rtc_sdp_prune (offer, &choice, NULL);
  out = gst_sdp_message_as_text (pruned);
  fail_unless_equals_int (count_text (out, "a=rtcp-fb:96 ccm fir"), 1);
  g_free (out);
  gst_sdp_message_free (pruned);
  gst_sdp_message_free (offer);
  g_string_free (text, TRUE);
}

GST_END_TEST;

GST_START_TEST (test_one_format_that_is_listed_very_often_is_read_once)
{
  GString *text = g_string_new (HEAD "m=video 9 UDP/TLS/RTP/SAVPF");
  GstSDPMessage *offer;
  RtcSdpChoice choice;
  guint i;

  for (i = 0; i < 60000; i++)
    g_string_append (text, " 97");
  g_string_append (text, " 96\r\nc=IN IP4 0.0.0.0\r\na=sendonly\r\n");
  for (i = 0; i < RTC_SDP_MAX_LINES - 100; i++)
    g_string_append (text, "a=x\r\n");
  g_string_append (text, "a=rtpmap:96 H264/90000\r\n");
  offer = parse (text->str);
  fail_unless (choose (offer, "H265,H264,AV1", "OPUS", &choice, NULL));
  fail_unless_equals_int (choice.video.payload, 96);
  fail_if (choose (offer, "AV1,VP8,VP9", "OPUS", &choice, NULL));
  gst_sdp_message_free (offer);
  g_string_free (text, TRUE);
}

GST_END_TEST;

GST_START_TEST (test_max_bitrate_becomes_bandwidth_lines_of_the_video)
{
  GstSDPMessage *offer = parse (browser);
  gchar *text;

  rtc_sdp_set_bandwidth (offer, 1500500);
  text = gst_sdp_message_as_text (offer);
  fail_unless (strstr (text, "b=AS:1501") != NULL, "%s", text);
  fail_unless (strstr (text, "b=TIAS:1500500") != NULL, "%s", text);
  fail_unless (strstr (text, "b=AS") > strstr (text, "m=video"), "%s", text);
  g_free (text);
  gst_sdp_message_free (offer);
}

GST_END_TEST;

GST_START_TEST (test_a_fragment_is_read_and_nonsense_is_not)
{
  const gchar text[] = "a=ice-ufrag:abcd\r\na=ice-pwd:secret\r\n"
                       "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
                       "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n"
                       "a=end-of-candidates\r\n";
  RtcIceFragment *fragment = rtc_ice_fragment_parse (text, strlen (text), NULL);
  GError *error = NULL;

  fail_unless (fragment != NULL);
  fail_unless_equals_string (fragment->ufrag, "abcd");
  fail_unless_equals_string (fragment->pwd, "secret");
  fail_unless_equals_int (fragment->candidates->len, 1);
  fail_unless (fragment->end_of_candidates);
  rtc_ice_fragment_free (fragment);
  fail_unless (rtc_ice_fragment_parse ("nonsense", 8, &error) == NULL);
  fail_unless (error != NULL);
  g_error_free (error);
}

GST_END_TEST;

GST_START_TEST (test_an_unknown_codec_is_named_with_those_that_are_known)
{
  GError *error = NULL;

  fail_unless (rtc_sdp_parse_codecs ("video", "H264,H263", &error) == NULL);
  fail_unless (strstr (error->message, "H263") != NULL);
  fail_unless (strstr (error->message, "VP9") != NULL);
  g_error_free (error);
}

GST_END_TEST;

static void
assert_link (const gchar *uri, const gchar *expected)
{
  gchar *link = rtc_sdp_ice_server_link (uri);

  fail_unless_equals_string (link, expected);
  g_free (link);
}

GST_START_TEST (test_ice_servers_become_links)
{
  assert_link ("stun://stun.example.net:3478",
      "<stun:stun.example.net:3478>; rel=\"ice-server\"");
  assert_link ("turns://joe:s%22cret%3A1@turn.example.net",
      "<turns:turn.example.net>; rel=\"ice-server\"; username=\"joe\"; "
      "credential=\"scret:1\"; credential-type=\"password\"");
  assert_link ("http://example.net", NULL);
  assert_link ("stun", NULL);
}

GST_END_TEST;

/* webrtcbin, which pairs each with all of ours, gets a part of too many. */
GST_START_TEST (test_candidates_of_a_peer_are_bounded)
{
  GString *text = g_string_new (browser);
  GstSDPMessage *offer, *pruned;
  RtcSdpChoice choice;

  for (guint i = 0; i < 4 * RTC_SDP_MAX_CANDIDATES; i++) {
    gchar *line = g_strdup_printf ("a=candidate:%u 1 udp 1 192.0.2.1 %u typ "
                                   "host\r\n",
        i, 5000 + i);
    gsize at = (gsize)(strstr (text->str, "a=mid:0") - text->str);

    g_string_insert (text, (gssize)at, line);
    g_free (line);
  }
  offer = parse (text->str);
  fail_unless (choose (offer, "H264", "OPUS", &choice, NULL));
  pruned = rtc_sdp_prune (offer, &choice, NULL);
  fail_unless (pruned != NULL);
  /* in both m-lines, which share a transport */
  fail_unless_equals_int (
      rtc_sdp_count_candidates (pruned), 2 * RTC_SDP_MAX_CANDIDATES);
  gst_sdp_message_free (pruned);
  gst_sdp_message_free (offer);
  g_string_free (text, TRUE);
}

GST_END_TEST;

GST_START_TEST (test_the_first_candidate_is_where_the_client_came)
{
  static const gchar *const lines[] = {
    "a=mid:0",
    "a=candidate:1 1 UDP 2015363327 127.0.0.1 5001 typ host",
    "a=candidate:2 1 TCP 1015021823 192.0.2.1 9 typ host tcptype active",
    "a=candidate:3 1 udp 2015363583 2001:db8::1 5003 typ host",
    "a=candidate:4 1 UDP 2015363839 198.51.100.1 5004 typ host",
    "a=candidate:5 1 UDP 2015364095 192.0.2.1 5005 typ host",
    "a=candidate:6 1 UDP 1679819007 203.0.113.1 5006 typ srflx raddr 192.0.2.1 "
    "rport 5005",
    "a=candidate:7 1 UDP 2015364351 ::1 5007 typ host",
    "a=end-of-candidates",
    "m=audio 9 UDP/TLS/RTP/SAVPF 96",
    "a=candidate:8 1 UDP 2015363327 127.0.0.1 5008 typ host",
    "a=candidate:9",
    "a=candidate:10 1 UDP 2015363839 198.51.100.1 5010 typ host",
    "",
    NULL,
  };
  static const guint reached[] = { 0, 5, 4, 3, 2, 6, 1, 7, 8, 9, 12, 11, 10,
    13 };
  static const guint unknown[] = { 0, 4, 5, 3, 2, 6, 1, 7, 8, 9, 12, 11, 10,
    13 };
  gchar *text = g_strjoinv ("\r\n", (gchar **)lines);
  const struct
  {
    const gchar *reached_at;
    const guint *order;
  } cases[] = { { "192.0.2.1", reached }, { "127.0.0.1", unknown },
    { NULL, unknown } };
  guint c, i;

  for (c = 0; c < G_N_ELEMENTS (cases); c++) {
    gchar *ordered = rtc_sdp_order_candidates (text, cases[c].reached_at);
    gchar **split = g_strsplit (ordered, "\r\n", -1);

    fail_unless_equals_int (g_strv_length (split), G_N_ELEMENTS (reached));
    for (i = 0; i < G_N_ELEMENTS (reached); i++)
      fail_unless_equals_string (split[i], lines[cases[c].order[i]]);
    g_strfreev (split);
    g_free (ordered);
  }
  g_free (text);
}

GST_END_TEST;

/* --- fingerprints --- */

/* The content between the lines is not read: "certificate" in base64. */
#define PEM                                                                    \
  "-----BEGIN CERTIFICATE-----\nY2VydGlm\naWNhdGU=\n"                          \
  "-----END CERTIFICATE-----\n"

/* "NAME AB:CD:…" of the certificate above. Caller frees. */
static gchar *
fingerprint (const gchar *name, GChecksumType type, gboolean upper)
{
  gchar *hex = g_compute_checksum_for_string (type, "certificate", -1);
  GString *text = g_string_new (name);
  gsize i;

  for (i = 0; hex[i]; i += 2)
    g_string_append_printf (text, "%c%.2s", i == 0 ? ' ' : ':', hex + i);
  g_free (hex);
  hex = g_string_free (text, FALSE);
  if (upper)
    for (i = strlen (name); hex[i]; i++)
      hex[i] = g_ascii_toupper (hex[i]);
  return hex;
}

static gboolean
matches (const gchar *first, const gchar *second)
{
  const gchar *const list[] = { first, second, NULL };

  return rtc_sdp_fingerprint_matches (list, PEM);
}

GST_START_TEST (test_a_certificate_is_held_against_its_fingerprint)
{
  static const struct
  {
    const gchar *name;
    GChecksumType type;
  } hashes[] = { { "sha-1", G_CHECKSUM_SHA1 }, { "sha-256", G_CHECKSUM_SHA256 },
    { "sha-384", G_CHECKSUM_SHA384 }, { "SHA-512", G_CHECKSUM_SHA512 } };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (hashes); i++) {
    gchar *upper = fingerprint (hashes[i].name, hashes[i].type, TRUE);
    gchar *lower = fingerprint (hashes[i].name, hashes[i].type, FALSE);

    fail_unless (matches (upper, NULL));
    fail_unless (matches (lower, NULL));
    upper[strlen (upper) - 1] ^= 1;
    fail_if (matches (upper, NULL));
    /* One for each of several certificates. */
    fail_unless (matches (upper, lower));
    lower[strlen (lower) - 3] = '\0';
    fail_if (matches (lower, NULL), "%s is too short", lower);
    g_free (upper);
    g_free (lower);
  }
}

GST_END_TEST;

/* RFC 8122 section 5.1; whoever can forge the weaker one gains nothing. */
GST_START_TEST (test_only_the_strongest_hash_counts)
{
  gchar *sha1 = fingerprint ("sha-1", G_CHECKSUM_SHA1, TRUE);
  gchar *sha256 = fingerprint ("sha-256", G_CHECKSUM_SHA256, TRUE);

  sha1[strlen (sha1) - 1] ^= 1;
  fail_unless (matches (sha1, sha256));
  fail_unless (matches (sha256, sha1));
  sha1[strlen (sha1) - 1] ^= 1;
  sha256[strlen (sha256) - 1] ^= 1;
  fail_if (matches (sha1, sha256));
  fail_if (matches (sha256, sha1));
  g_free (sha1);
  g_free (sha256);
}

GST_END_TEST;

GST_START_TEST (test_what_is_no_fingerprint_allows_nothing)
{
  static const gchar *const nothing[] = { NULL };
  gchar *md5 = fingerprint ("md5", G_CHECKSUM_MD5, TRUE);
  gchar *sha256 = fingerprint ("sha-256", G_CHECKSUM_SHA256, TRUE);
  const gchar *const good[] = { sha256, NULL };
  const gchar *const weak[] = { md5, NULL };

  fail_if (matches (md5, NULL));
  fail_if (matches ("", "sha-256"));
  fail_if (matches ("sha-256 ", "sha-2567 00"));
  fail_if (rtc_sdp_fingerprint_is_usable (weak));
  fail_if (rtc_sdp_fingerprint_is_usable (nothing));
  fail_unless (rtc_sdp_fingerprint_is_usable (good));
  fail_if (rtc_sdp_fingerprint_matches (good, ""));
  fail_if (rtc_sdp_fingerprint_matches (good, "-----BEGIN CERTIFICATE-----"));
  fail_if (rtc_sdp_fingerprint_matches (good, NULL));
  g_free (sha256);
  g_free (md5);
}

GST_END_TEST;

static void
assert_fingerprints (const GstSDPMessage *sdp, guint media, const gchar *text)
{
  gchar **list = rtc_sdp_fingerprint_list (sdp, media);
  gchar *joined = g_strjoinv (",", list);

  fail_unless_equals_string (joined, text);
  g_free (joined);
  g_strfreev (list);
}

GST_START_TEST (test_a_transport_has_the_fingerprints_of_its_m_line)
{
  GstSDPMessage *sdp =
      parse (HEAD "a=fingerprint:sha-256 AA\r\n"
                  "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:a\r\n"
                  "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\n"
                  "a=fingerprint:sha-1 BB\r\na=fingerprint:sha-256 CC\r\n");

  assert_fingerprints (sdp, 0, "sha-256 AA");
  assert_fingerprints (sdp, 1, "sha-1 BB,sha-256 CC");
  gst_sdp_message_add_attribute (sdp, "group", "BUNDLE v a");
  assert_fingerprints (sdp, 0, "sha-1 BB,sha-256 CC");
  assert_fingerprints (sdp, 7, "sha-1 BB,sha-256 CC");
  gst_sdp_message_free (sdp);
  sdp = parse (HEAD "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n"
                    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
                    "a=fingerprint:sha-1 BB\r\n");
  assert_fingerprints (sdp, 0, "sha-1 BB");
  gst_sdp_message_free (sdp);
}

GST_END_TEST;

static Suite *
sdputil_suite (void)
{
  Suite *s = suite_create ("sdputil");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_the_error_domain_has_a_name);
  tcase_add_test (tc, test_what_is_not_sdp_is_refused_with_a_reason);
  tcase_add_test (tc, test_h264_mode_1_is_chosen_before_what_is_offered_first);
  tcase_add_test (
      tc, test_the_list_of_the_user_comes_before_that_of_the_client);
  tcase_add_test (tc, test_no_common_codec_names_both_sides);
  tcase_add_test (tc, test_m_lines_that_do_not_send_are_not_chosen);
  tcase_add_test (tc, test_webrtcbin_sees_only_what_was_chosen);
  tcase_add_test (tc, test_rejected_m_lines_return_in_their_place);
  tcase_add_test (tc, test_a_bundle_has_the_transport_of_its_first_m_line);
  tcase_add_test (tc, test_an_offer_without_fingerprint_is_refused);
  tcase_add_test (tc, test_codec_preferences_carry_feedback_and_payload_type);
  tcase_add_test (tc, test_an_offer_of_the_largest_size_is_answered);
  tcase_add_test (tc, test_one_format_that_is_listed_very_often_is_read_once);
  tcase_add_test (tc, test_max_bitrate_becomes_bandwidth_lines_of_the_video);
  tcase_add_test (tc, test_a_fragment_is_read_and_nonsense_is_not);
  tcase_add_test (tc, test_an_unknown_codec_is_named_with_those_that_are_known);
  tcase_add_test (tc, test_ice_servers_become_links);
  tcase_add_test (tc, test_candidates_of_a_peer_are_bounded);
  tcase_add_test (tc, test_the_first_candidate_is_where_the_client_came);
  tcase_add_test (tc, test_a_certificate_is_held_against_its_fingerprint);
  tcase_add_test (tc, test_only_the_strongest_hash_counts);
  tcase_add_test (tc, test_what_is_no_fingerprint_allows_nothing);
  tcase_add_test (tc, test_a_transport_has_the_fingerprints_of_its_m_line);
  return s;
}

GST_CHECK_MAIN (sdputil);
