/* gst-tsrec: what WHIP clients that are not at hand take from our answer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each test reads the answer as the client is publicly known to do.
 */

#include "rechttp.h"
#include "recwhipoffers.h"
#include "reclive.h"

#include <stdio.h>

static GstElement *src;
static gchar *url;

/* --- the answer --- */

static gchar *answer;    /* with the headers */
static const gchar *sdp; /* of it */
static gchar *session;

static gchar *
header (const gchar *name)
{
  gchar *start = g_strconcat ("\r\n", name, ": ", NULL), *value = NULL;
  const gchar *found = strstr (answer, start);

  if (found && found < sdp) {
    found += strlen (start);
    value = g_strndup (found, strcspn (found, "\r"));
  }
  g_free (start);
  return value;
}

static void
publish (const gchar *headers, const gchar *offer)
{
  gchar *location, *type;

  rec_test_assert_built_here ("recwhipsrc");
  src = gst_element_factory_make ("recwhipsrc", NULL);
  g_object_set (src, "port", 0, NULL);
  rec_live_set_transport (src);
  fail_unless_equals_int (
      gst_element_set_state (src, GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  g_object_get (src, "url", &url, NULL);
  answer = rec_http ("POST", url, headers, offer);
  fail_unless_equals_int (rec_http_status (answer), 201);
  sdp = strstr (answer, "\r\n\r\n");
  fail_unless (sdp != NULL);
  sdp += 4;
  type = header ("Content-Type");
  fail_unless_equals_string (type, "application/sdp");
  location = header ("Location");
  fail_unless (location != NULL, "%s", answer);
  session = g_uri_resolve_relative (url, location, G_URI_FLAGS_NONE, NULL);
  fail_unless (session != NULL, "%s", location);
  g_free (location);
  g_free (type);
}

/* Every client ends its session so, and OBS takes nothing else than 200 for
 * success. */
static void
unpublish (void)
{
  rec_http_assert (
      rec_http ("DELETE", session, "Accept: */*\r\n", NULL), 200, NULL);
  gst_element_set_state (src, GST_STATE_NULL);
  gst_clear_object (&src);
  g_clear_pointer (&answer, g_free);
  g_clear_pointer (&session, g_free);
  g_clear_pointer (&url, g_free);
}

static void
assert_line (const gchar *line)
{
  gchar *whole = g_strconcat ("\r\n", line, "\r\n", NULL);

  fail_unless (strstr (sdp, whole) != NULL, "no %s in: %s", line, sdp);
  g_free (whole);
}

static guint
count (const gchar *text)
{
  const gchar *at = sdp;
  guint n = 0;

  for (; (at = strstr (at, text)) != NULL; at++)
    n++;
  return n;
}

/* The value of the first line that begins with @prefix. Caller frees. */
static gchar *
first_value (const gchar *prefix)
{
  const gchar *found = strstr (sdp, prefix);

  fail_unless (found != NULL, "no %s in: %s", prefix, sdp);
  found += strlen (prefix);
  return g_strndup (found, strcspn (found, "\r\n"));
}

/* --- ffmpeg --- */

static gboolean
has_other_than_loopback (void)
{
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
      G_SOCKET_PROTOCOL_UDP, NULL);
  GSocketAddress *far = g_inet_socket_address_new_from_string ("192.0.2.99", 9);
  /* Sends nothing: the kernel looks for a route. */
  gboolean has = g_socket_connect (socket, far, NULL, NULL);

  g_object_unref (far);
  g_object_unref (socket);
  return has;
}

/* libavformat/whip.c, parse_answer(): the first user name, the first password,
 * and of the candidates the first that says "udp" and "host", no other. */
static void
assert_ffmpeg_takes_it (void)
{
  gchar *ufrag = first_value ("a=ice-ufrag:"),
        *pwd = first_value ("a=ice-pwd:");
  const gchar *line = sdp, *found = NULL;
  gchar protocol[17], host[129];
  gint priority, port;

  fail_unless (g_str_has_prefix (sdp, "v="));
  fail_unless (strlen (sdp) < 8192, "%zu bytes", strlen (sdp));
  fail_unless (*ufrag && *pwd);
  while (!found && (line = strstr (line, "a=candidate:")) != NULL) {
    gchar *lower = g_ascii_strdown (line, (gssize)strcspn (line, "\r"));

    if (strstr (lower, "udp") && strstr (lower, "host"))
      found = line + (strstr (lower, "udp") - lower);
    g_free (lower);
    line++;
  }
  fail_unless (found != NULL, "%s", sdp);
  fail_unless_equals_int (sscanf (found, "%16s %d %128s %d typ host", protocol,
                              &priority, host, &port),
      4);
  fail_unless (port > 0);
  if (has_other_than_loopback ())
    fail_unless (!g_str_has_prefix (host, "127.") && strcmp (host, "::1") != 0,
        "the first candidate is %s", host);
  /* It waits for the DTLS handshake to be begun. */
  assert_line ("a=setup:active");
  fail_unless_equals_int (count ("a=setup:passive"), 0);
  g_free (ufrag);
  g_free (pwd);
}

GST_START_TEST (test_ffmpeg_publishes_both)
{
  publish (FFMPEG_HEADERS, ffmpeg_offer);
  assert_ffmpeg_takes_it ();
  assert_line ("m=audio 9 UDP/TLS/RTP/SAVPF 111");
  assert_line ("m=video 9 UDP/TLS/RTP/SAVPF 106");
  assert_line ("a=group:BUNDLE 0 1");
  unpublish ();
}

GST_END_TEST;

/* The group names an m-line that is not there. */
GST_START_TEST (test_ffmpeg_publishes_one_of_the_two)
{
  publish (FFMPEG_HEADERS, ffmpeg_video_offer);
  assert_ffmpeg_takes_it ();
  assert_line ("m=video 9 UDP/TLS/RTP/SAVPF 106");
  unpublish ();
  publish (FFMPEG_HEADERS, ffmpeg_audio_offer);
  assert_ffmpeg_takes_it ();
  assert_line ("m=audio 9 UDP/TLS/RTP/SAVPF 111");
  unpublish ();
}

GST_END_TEST;

/* --- OBS --- */

/* libdatachannel: one m-line for each that was offered, known by its mid, a
 * fingerprint of two words, a role that is decided, and a track that is not
 * inactive. It sends nothing before it has a candidate. */
static void
assert_libdatachannel_takes_it (void)
{
  gchar *fingerprint = first_value ("a=fingerprint:");

  fail_unless (g_str_has_prefix (sdp, "v=0"));
  fail_unless (g_str_has_prefix (fingerprint, "sha-256 "));
  fail_unless_equals_int (
      strlen (fingerprint), strlen ("sha-256 ") + 32 * 3 - 1);
  fail_unless_equals_int (count ("\r\nm="), 2);
  fail_unless (strstr (sdp, "\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n") <
      strstr (sdp, "\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"));
  assert_line ("a=mid:0");
  assert_line ("a=mid:1");
  fail_unless_equals_int (count ("\r\na=recvonly\r\n"), 2);
  fail_unless_equals_int (count ("\r\na=rtcp-mux\r\n"), 2);
  fail_unless_equals_int (count ("a=setup:actpass"), 0);
  fail_unless (count ("a=setup:active") + count ("a=setup:passive") > 0);
  fail_unless (count ("a=candidate:") > 0);
  assert_line ("a=rtcp-fb:96 nack");
  assert_line ("a=rtcp-fb:96 nack pli");
  g_free (fingerprint);
}

GST_START_TEST (test_obs_publishes)
{
  const gchar *offers[] = { obs30_offer, obs32_offer };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (offers); i++) {
    publish (OBS_HEADERS, offers[i]);
    assert_libdatachannel_takes_it ();
    unpublish ();
  }
}

GST_END_TEST;

/* --- gst-plugins-rs --- */

/* It takes the codec that is answered, and asks for no other status than 200
 * or 201. The location is resolved against the URL. */
/* It gives up unless every layer is accepted, by looking for these lines. */
GST_START_TEST (test_obs_publishes_simulcast)
{
  gchar *offer = g_strconcat (obs32_offer,
      "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
      "a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"
      "a=rid:0 send\r\na=rid:1 send\r\na=rid:2 send\r\na=rid:3 send\r\n"
      "a=simulcast:send 0;1;2;3\r\n",
      NULL);

  publish (OBS_HEADERS, offer);
  assert_line ("a=rid:0 recv");
  assert_line ("a=rid:1 recv");
  assert_line ("a=rid:2 recv");
  assert_line ("a=rid:3 recv");
  assert_line ("a=simulcast:recv 0;1;2;3");
  assert_line ("a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid");
  assert_line ("a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id");
  unpublish ();
  g_free (offer);
}

GST_END_TEST;

GST_START_TEST (test_whipclientsink_publishes)
{
  publish (WHIPCLIENTSINK_HEADERS, whipclientsink_offer);
  assert_line ("a=group:BUNDLE video0 audio1");
  assert_line ("m=video 9 UDP/TLS/RTP/SAVPF 98 99");
  assert_line ("a=rtpmap:98 H264/90000");
  assert_line ("a=fmtp:99 apt=98");
  assert_line ("a=rtcp-fb:98 transport-cc");
  assert_line ("m=audio 9 UDP/TLS/RTP/SAVPF 104");
  assert_line ("a=mid:video0");
  assert_line ("a=mid:audio1");
  fail_unless_equals_int (count ("\r\na=recvonly\r\n"), 2);
  fail_unless (count ("a=candidate:") > 0);
  unpublish ();
}

GST_END_TEST;

/* --- how they write it --- */

GST_START_TEST (test_the_content_type_may_have_parameters_and_any_case)
{
  publish ("content-type: Application/SDP; charset=utf-8\r\n", obs32_offer);
  assert_libdatachannel_takes_it ();
  unpublish ();
}

GST_END_TEST;

GST_START_TEST (test_lines_may_end_without_carriage_return)
{
  gchar **lines = g_strsplit (obs30_offer, "\r\n", -1);
  gchar *text = g_strjoinv ("\n", lines);

  publish (OBS_HEADERS, g_strchomp (text));
  assert_libdatachannel_takes_it ();
  unpublish ();
  g_free (text);
  g_strfreev (lines);
}

GST_END_TEST;

static Suite *
recwhipclients_suite (void)
{
  Suite *s = suite_create ("recwhipclients");
  TCase *tc = tcase_create ("general");

  rec_live_init (tc);
  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_ffmpeg_publishes_both);
  tcase_add_test (tc, test_ffmpeg_publishes_one_of_the_two);
  tcase_add_test (tc, test_obs_publishes);
  tcase_add_test (tc, test_obs_publishes_simulcast);
  tcase_add_test (tc, test_whipclientsink_publishes);
  tcase_add_test (tc, test_the_content_type_may_have_parameters_and_any_case);
  tcase_add_test (tc, test_lines_may_end_without_carriage_return);
  return s;
}

GST_CHECK_MAIN (recwhipclients);
