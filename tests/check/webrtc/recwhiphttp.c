/* gst-tsrec: what recwhipsrc answers over HTTP
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rechttp.h"
#include "reclive.h"

/* An offer that only its codec makes unacceptable. */
static const gchar vp8_offer[] =
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"
    "a=sendonly\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
    "a=fingerprint:sha-256 "
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:"
    "88:99:AA:BB:CC:DD:EE:FF\r\n"
    "a=setup:actpass\r\na=rtpmap:96 VP8/90000\r\n";
static const gchar h264_offer[] =
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"
    "a=sendonly\r\na=rtcp-mux\r\na=ice-ufrag:abcd\r\n"
    "a=ice-pwd:0123456789012345678901\r\n"
    "a=fingerprint:sha-256 "
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:"
    "88:99:AA:BB:CC:DD:EE:FF\r\n"
    "a=setup:actpass\r\na=rtpmap:96 H264/90000\r\n"
    "a=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\n";

static GstElement *src;
static gchar *url;

static void
start (const gchar *property, const gchar *value)
{
  GstStateChangeReturn ret;

  rec_test_assert_built_here ("recwhipsrc");
  src = gst_element_factory_make ("recwhipsrc", NULL);
  g_object_set (src, "port", 0, NULL);
  rec_live_set_transport (src);
  if (property)
    g_object_set (src, property, value, NULL);
  ret = gst_element_set_state (src, GST_STATE_PLAYING);
  fail_unless_equals_int (ret, GST_STATE_CHANGE_SUCCESS);
  g_object_get (src, "url", &url, NULL);
  fail_unless (g_str_has_prefix (url, "http://127.0.0.1:"));
}

static void
stop (void)
{
  gst_element_set_state (src, GST_STATE_NULL);
  gst_clear_object (&src);
  g_clear_pointer (&url, g_free);
}

static gchar *
join (const gchar *path)
{
  return g_strconcat (url, path, NULL);
}

GST_START_TEST (test_what_is_not_sdp_is_refused_with_the_reason)
{
  start (NULL, NULL);
  rec_http_assert (rec_http ("POST", url, REC_HTTP_SDP, "hello"), 400, "v=0");
  rec_http_assert (rec_http ("POST", url, REC_HTTP_SDP, ""), 400, "v=0");
  rec_http_assert (
      rec_http ("POST", url, REC_HTTP_SDP, "v=0\r\n\xff\xfe"), 400, "UTF-8");
  rec_http_assert (
      rec_http ("POST", url, "Content-Type: text/html\r\n", vp8_offer), 415,
      "application/sdp");
  stop ();
}

GST_END_TEST;

/* Of two lite agents neither would send a check. */
GST_START_TEST (test_a_lite_publisher_is_refused_where_we_are_lite)
{
  const gchar *media = strstr (h264_offer, "m=");
  gchar *session = g_strndup (h264_offer, media - h264_offer);
  gchar *offer = g_strconcat (session, "a=ice-lite\r\n", media, NULL);

  start (NULL, NULL);
  if (g_getenv ("REC_TEST_UDP_PORT")) {
    rec_http_assert (
        rec_http ("POST", url, REC_HTTP_SDP, offer), 422, "Set udp-port=0.");
    g_free (offer);
    offer = g_strdup (h264_offer);
  }
  rec_http_assert (
      rec_http ("POST", url, REC_HTTP_SDP, offer), 201, "m=video 9");
  stop ();
  g_free (offer);
  g_free (session);
}

GST_END_TEST;

/* A client that reuses the connection would not know whether its offer was
 * handled. */
GST_START_TEST (test_a_connection_that_is_closed_is_announced)
{
  gchar *other;

  start (NULL, NULL);
  other = join ("/a/b");
  rec_http_assert_closing (rec_http_request ("OPTIONS", url, NULL, NULL), 204);
  rec_http_assert_closing (rec_http_request ("GET", url, NULL, NULL), 405);
  rec_http_assert_closing (rec_http_request ("GET", other, NULL, NULL), 404);
  rec_http_assert_closing (
      rec_http_request ("POST", url, REC_HTTP_SDP, vp8_offer), 422);
  rec_http_assert_closing (
      rec_http_request ("POST", url, REC_HTTP_SDP, h264_offer), 201);
  g_free (other);
  stop ();
}

GST_END_TEST;

GST_START_TEST (test_no_common_codec_is_refused_with_the_list)
{
  start (NULL, NULL);
  rec_http_assert (
      rec_http ("POST", url, REC_HTTP_SDP, vp8_offer), 422, "H264, H265");
  stop ();
}

GST_END_TEST;

/* Sound would be recorded without a picture, and nobody know. */
GST_START_TEST (test_a_track_that_is_refused_is_said_in_the_answer)
{
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GError *error = NULL;
  gchar *offer = g_strconcat (vp8_offer,
      "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n"
      "a=sendonly\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n",
      strstr (vp8_offer, "a=fingerprint"), NULL);
  gchar *at = strstr (strstr (offer, "m=audio"), "a=rtpmap"), *reply;
  gchar *text;

  *at = '\0';
  text = g_strconcat (offer, "a=rtpmap:111 opus/48000/2\r\n", NULL);
  start (NULL, NULL);
  gst_element_set_bus (src, bus);
  reply = rec_http ("POST", url, REC_HTTP_SDP, text);
  fail_unless (strstr (reply, "Warning: 299 ") != NULL, "%s", reply);
  fail_unless (strstr (reply, "m=video 0 ") != NULL, "%s", reply);
  rec_http_assert (reply, 201, "No video is recorded");
  message = gst_bus_timed_pop_filtered (
      bus, REC_LIVE_PATIENCE, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (strstr (error->message, "VP8") != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  stop ();
  gst_bus_set_flushing (bus, TRUE);
  gst_object_unref (bus);
  g_free (text);
  g_free (offer);
}

GST_END_TEST;

GST_START_TEST (test_other_codecs_are_taken_when_asked_for)
{
  start ("video-codecs", "H264,VP8");
  rec_http_assert (
      rec_http ("POST", url, REC_HTTP_SDP, vp8_offer), 201, "VP8/90000");
  stop ();
}

GST_END_TEST;

/* As AV1 on a system without rtpav1depay. */
GST_START_TEST (test_a_codec_without_its_depayloader_is_refused_by_name)
{
  GstRegistry *registry = gst_registry_get ();
  GstPluginFeature *depayloader =
      gst_registry_lookup_feature (registry, "rtpvp8depay");

  gst_registry_remove_feature (registry, depayloader);
  start ("video-codecs", "H264,VP8");
  rec_http_assert (rec_http ("POST", url, REC_HTTP_SDP, vp8_offer), 422,
      "VP8 (rtpvp8depay)");
  stop ();
  gst_registry_add_feature (registry, depayloader);
  gst_object_unref (depayloader);
}

GST_END_TEST;

GST_START_TEST (test_a_wrong_token_is_unauthorized)
{
  gchar *session;

  start ("auth-token", "secret");
  rec_http_assert (
      rec_http ("POST", url, REC_HTTP_SDP, h264_offer), 401, "Bearer");
  rec_http_assert (
      rec_http ("POST", url, REC_HTTP_SDP "Authorization: Bearer secreT\r\n",
          h264_offer),
      401, "WWW-Authenticate");
  rec_http_assert (rec_http ("POST", url,
                       REC_HTTP_SDP "Authorization: Bearer \r\n", h264_offer),
      401, NULL);
  session = join ("/0");
  rec_http_assert (rec_http ("DELETE", session, NULL, NULL), 401, NULL);
  g_free (session);
  rec_http_assert (
      rec_http ("POST", url, REC_HTTP_SDP "Authorization: Bearer secret\r\n",
          h264_offer),
      201, "ETag");
  stop ();
}

GST_END_TEST;

GST_START_TEST (test_other_paths_and_methods_are_refused)
{
  gchar *other;

  start (NULL, NULL);
  rec_http_assert (rec_http ("GET", url, NULL, NULL), 405, "Allow: OPTIONS");
  rec_http_assert (rec_http ("DELETE", url, NULL, NULL), 405, NULL);
  other = join ("x");
  rec_http_assert (rec_http ("POST", other, REC_HTTP_SDP, "x"), 404, NULL);
  g_free (other);
  other = join ("/a/b");
  rec_http_assert (rec_http ("DELETE", other, NULL, NULL), 404, NULL);
  g_free (other);
  other = join ("/%2e%2e/whip");
  rec_http_assert (rec_http ("POST", other, REC_HTTP_SDP, "x"), 400, NULL);
  g_free (other);
  stop ();
}

GST_END_TEST;

/* The Location of a reply, as a URL. */
static gchar *
session_url (const gchar *reply)
{
  const gchar *start_of = strstr (reply, "Location: ");
  const gchar *path;
  gchar *result, *origin;

  fail_unless (start_of != NULL, "%s", reply);
  path = start_of + strlen ("Location: ");
  origin = g_strndup (url, strlen (url) - strlen ("/whip"));
  result =
      g_strdup_printf ("%s%.*s", origin, (int)strcspn (path, "\r\n"), path);
  g_free (origin);
  return result;
}

GST_START_TEST (test_sessions_are_found_below_any_path)
{
  static const gchar *const paths[] = { "/", "/whip/", "/a/b" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (paths); i++) {
    gchar *reply, *path, *session;

    start ("path", paths[i]);
    reply = rec_http ("POST", url, REC_HTTP_SDP, h264_offer);
    fail_unless_equals_int (rec_http_status (reply), 201);
    path = strstr (reply, "Location: ") + strlen ("Location: ");
    path[strcspn (path, "\r\n")] = '\0';
    session = g_uri_resolve_relative (url, path, G_URI_FLAGS_NONE, NULL);
    rec_http_assert (rec_http ("DELETE", session, NULL, NULL), 200, NULL);
    g_free (session);
    g_free (reply);
    stop ();
  }
}

GST_END_TEST;

/* Publishes with @headers to @suffix behind the URL; the Location, and that the
 * session is there where it leads from @seen, the URL that the client used
 * before a proxy took a prefix off it. */
static void
assert_location (const gchar *headers, const gchar *suffix, const gchar *seen,
    const gchar *prefix)
{
  gchar *all = g_strconcat (REC_HTTP_SDP, headers, NULL);
  gchar *target = join (suffix), *reply, *location, *resolved;
  const gchar *id;

  reply = rec_http ("POST", target, all, h264_offer);
  fail_unless_equals_int (rec_http_status (reply), 201);
  location = strstr (reply, "Location: ") + strlen ("Location: ");
  location[strcspn (location, "\r\n")] = '\0';
  resolved = g_uri_resolve_relative (seen, location, G_URI_FLAGS_NONE, NULL);
  fail_unless (g_str_has_prefix (resolved, prefix), "%s leads to %s", location,
      resolved);
  id = resolved + strlen (prefix);
  fail_unless (strlen (id) == 36 && !strchr (id, '/'), "%s", resolved);
  g_free (target);
  target = g_strconcat (url, "/", id, "/", NULL);
  rec_http_assert (rec_http ("DELETE", target, NULL, NULL), 200, NULL);
  g_free (target);
  g_free (resolved);
  g_free (reply);
  g_free (all);
}

GST_START_TEST (test_slashes_too_many_do_not_matter)
{
  gchar *doubled, *id;

  start (NULL, NULL);
  assert_location ("", "/", "http://h/whip/", "http://h/whip/");
  assert_location ("", "//", "http://h/whip//", "http://h/whip/");
  doubled = g_strndup (url, strlen (url) - strlen ("/whip"));
  id = g_strconcat (doubled, "//whip", NULL);
  rec_http_assert (rec_http ("POST", id, REC_HTTP_SDP, h264_offer), 201, NULL);
  g_free (id);
  g_free (doubled);
  stop ();
}

GST_END_TEST;

GST_START_TEST (test_the_location_keeps_the_prefix_of_a_proxy)
{
  start ("path", "/a/whip");
  assert_location ("", "", "http://h/a/whip", "http://h/a/whip/");
  assert_location ("X-Forwarded-For: 192.0.2.1\r\n", "",
      "https://h/some/prefix/a/whip", "https://h/some/prefix/a/whip/");
  assert_location ("Via: 1.1 proxy\r\n", "/", "https://h/some/a/whip/",
      "https://h/some/a/whip/");
  assert_location ("X-Forwarded-Prefix: /some/prefix\r\n", "", "https://h/x",
      "https://h/some/prefix/a/whip/");
  assert_location ("X-Forwarded-Prefix: //evil.example/\r\n", "",
      "https://h/some/a/whip", "https://h/some/a/whip/");
  /* It takes everything for a path from the root. */
  assert_location ("Forwarded: for=192.0.2.1\r\nUser-Agent: Mozilla/5.0 "
                   "(OBS-Studio/32.0.1; Linux x86_64; en-US)\r\n",
      "", "http://h/x", "http://h/a/whip/");
  stop ();
}

GST_END_TEST;

GST_START_TEST (test_a_second_publisher_is_refused_until_the_first_is_gone)
{
  gchar *reply, *session, *foreign;

  start (NULL, NULL);
  reply = rec_http ("POST", url, REC_HTTP_SDP, h264_offer);
  fail_unless_equals_int (rec_http_status (reply), 201);
  fail_unless (strstr (reply, "a=candidate") != NULL, "%s", reply);
  fail_unless (strstr (reply, "a=recvonly") != NULL, "%s", reply);
  session = session_url (reply);
  g_free (reply);
  rec_http_assert (rec_http ("POST", url, REC_HTTP_SDP, h264_offer), 409,
      "Another publisher");
  foreign = join ("/00000000-0000-0000-0000-000000000000");
  rec_http_assert (rec_http ("DELETE", foreign, NULL, NULL), 404, NULL);
  rec_http_assert (
      rec_http ("PATCH", foreign, REC_HTTP_FRAGMENT, "a=x:y\r\n"), 404, NULL);
  g_free (foreign);
  rec_http_assert (rec_http ("POST", url, REC_HTTP_SDP, h264_offer), 409, NULL);
  rec_http_assert (rec_http ("DELETE", session, NULL, NULL), 200, NULL);
  rec_http_assert (rec_http ("DELETE", session, NULL, NULL), 404, NULL);
  g_free (session);
  rec_http_assert (rec_http ("POST", url, REC_HTTP_SDP, h264_offer), 201, NULL);
  stop ();
}

GST_END_TEST;

GST_START_TEST (test_candidates_trickle_in_and_a_wrong_etag_is_refused)
{
  const gchar candidate[] =
      "a=ice-ufrag:abcd\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n"
      "a=candidate:1 1 udp 2113937151 127.0.0.1 9 typ host\r\n";
  static const gchar *const forms[] = { "If-Match: \"%s\"\r\n",
    "If-Match: W/\"%s\"\r\n", "If-Match: %s\r\n", "If-Match: *\r\n",
    "If-Match: \"x\", \"%s\"\r\n",
    "If-Match: \"x\"\r\nIf-Match: W/\"%s\" ,\"y\"\r\n" };
  gchar *reply, *session, *etag;
  guint i;

  start (NULL, NULL);
  reply = rec_http ("POST", url, REC_HTTP_SDP, h264_offer);
  session = session_url (reply);
  etag = g_strndup (strstr (reply, "ETag: \"") + strlen ("ETag: \""), 36);
  g_free (reply);
  rec_http_assert (
      rec_http ("PATCH", session, REC_HTTP_FRAGMENT, candidate), 204, NULL);
  rec_http_assert (rec_http ("PATCH", session,
                       REC_HTTP_FRAGMENT "If-Match: \"x\"\r\n", candidate),
      412, NULL);
  for (i = 0; i < G_N_ELEMENTS (forms); i++) {
    gchar *line = g_strdup_printf (forms[i], etag);
    gchar *headers = g_strconcat (REC_HTTP_FRAGMENT, line, NULL);

    rec_http_assert (
        rec_http ("PATCH", session, headers, candidate), 204, NULL);
    g_free (headers);
    g_free (line);
  }
  g_free (etag);
  rec_http_assert (
      rec_http ("PATCH", session, REC_HTTP_FRAGMENT, "nonsense"), 400, NULL);
  rec_http_assert (
      rec_http ("PATCH", session, REC_HTTP_SDP, candidate), 415, NULL);
  g_free (session);
  stop ();
}

GST_END_TEST;

GST_START_TEST (test_ice_restarts_with_other_credentials_and_etag)
{
  gchar *reply, *session, *old;

  start (NULL, NULL);
  reply = rec_http ("POST", url, REC_HTTP_SDP, h264_offer);
  session = session_url (reply);
  old = g_strndup (strstr (reply, "ETag: "), strlen ("ETag: ") + 38);
  g_free (reply);
  reply = rec_http ("PATCH", session, REC_HTTP_FRAGMENT "If-Match: \"*\"\r\n",
      "a=ice-ufrag:efgh\r\na=ice-pwd:9876543210987654321098\r\n");
  /* Without libnice at build time. */
  if (rec_http_status (reply) != 501) {
    rec_http_assert (g_strdup (reply), 200, "a=ice-pwd:");
    fail_unless (strstr (reply, "ETag: \"") != NULL);
    fail_unless (strstr (reply, old) == NULL, "%s", reply);
    fail_unless (strstr (reply, "a=candidate:") != NULL);
    rec_http_assert (rec_http ("PATCH", session, REC_HTTP_FRAGMENT,
                         "a=ice-ufrag:efgh\r\na=ice-pwd:x\r\n"),
        204, NULL);
  }
  g_free (reply);
  g_free (old);
  g_free (session);
  stop ();
}

GST_END_TEST;

GST_START_TEST (test_ice_servers_are_told_with_the_answer)
{
  start ("stun-server", "stun://127.0.0.1:9");
  rec_http_assert (rec_http ("POST", url, REC_HTTP_SDP, h264_offer), 201,
      "Link: <stun:127.0.0.1:9>; rel=\"ice-server\"");
  stop ();
}

GST_END_TEST;

GST_START_TEST (test_cors_is_for_listed_origins_only)
{
  gchar *reply;

  start (NULL, NULL);
  reply = rec_http ("OPTIONS", url, "Origin: https://a.example\r\n", NULL);
  fail_unless_equals_int (rec_http_status (reply), 204);
  fail_unless (strstr (reply, "Access-Control") == NULL, "%s", reply);
  fail_unless (strstr (reply, "Accept-Post: application/sdp") != NULL);
  g_free (reply);
  stop ();
  start ("cors-origins", "https://a.example, https://b.example");
  rec_http_assert (
      rec_http ("OPTIONS", url, "Origin: https://b.example\r\n", NULL), 204,
      "Access-Control-Allow-Origin: https://b.example");
  rec_http_assert (
      rec_http ("POST", url, REC_HTTP_SDP "Origin: https://b.example\r\n", "x"),
      400, "Access-Control-Expose-Headers: Location");
  reply = rec_http ("OPTIONS", url, "Origin: https://c.example\r\n", NULL);
  fail_unless (strstr (reply, "Access-Control") == NULL, "%s", reply);
  g_free (reply);
  stop ();
}

GST_END_TEST;

GST_START_TEST (test_a_large_body_is_refused_before_it_is_read)
{
  const gsize size = 1024 * 1024;
  gchar *large = g_strnfill (size, 'a');
  gchar *chunked;

  start (NULL, NULL);
  rec_http_assert (
      rec_http ("POST", url, REC_HTTP_SDP, large), 413, "too large");
  chunked = g_strdup_printf (
      "POST /whip HTTP/1.1\r\nHost: x\r\n" REC_HTTP_SDP
      "Transfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n",
      size, large);
  g_free (rec_http_raw (url, chunked, -1));
  g_free (chunked);
  g_free (large);
  rec_http_assert (rec_http ("POST", url, REC_HTTP_SDP, "x"), 400, NULL);
  stop ();
}

GST_END_TEST;

/* Also where there is no endpoint, and nobody is asked for a token. */
GST_START_TEST (test_a_body_without_end_is_cut_off)
{
  static const gchar *const paths[] = { "/whip", "/nowhere" };
  static const gchar head[] = " HTTP/1.1\r\nHost: x\r\n" REC_HTTP_SDP
                              "Transfer-Encoding: chunked\r\n\r\n";
  gchar *chunk = g_strnfill (65536, 'a');
  guint i, n;

  start ("auth-token", "secret");
  for (i = 0; i < G_N_ELEMENTS (paths); i++) {
    GSocketClient *client = g_socket_client_new ();
    GSocketConnection *connection =
        g_socket_client_connect_to_uri (client, url, 80, NULL, NULL);
    GOutputStream *out;
    gboolean ok;

    fail_unless (connection != NULL);
    out = g_io_stream_get_output_stream (G_IO_STREAM (connection));
    ok = g_output_stream_printf (
        out, NULL, NULL, NULL, "POST %s%s", paths[i], head);
    /* Far more than the buffers of two sockets hold. */
    for (n = 0; n < 1024 && ok; n++)
      ok = g_output_stream_printf (
          out, NULL, NULL, NULL, "10000\r\n%s\r\n", chunk);
    fail_if (ok, "%s took %u chunks", paths[i], n);
    g_object_unref (connection);
    g_object_unref (client);
  }
  g_free (chunk);
  stop ();
}

GST_END_TEST;

static gchar *
error_of (GstElement *element)
{
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GError *error = NULL;
  gchar *text;

  gst_element_set_bus (element, bus);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  text = g_strdup (error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_element_set_state (element, GST_STATE_NULL);
  return text;
}

/* The ports of the UDP candidates of @reply, and how many have @address. */
static guint
count_candidates (
    const gchar *reply, guint min, guint max, const gchar *address)
{
  guint n = 0;

  for (const gchar *at = reply; (at = strstr (at, "a=candidate:")); at++) {
    gchar **fields = g_strsplit (at, " ", 9);

    if (g_ascii_strcasecmp (fields[2], "udp") == 0) {
      guint64 port = g_ascii_strtoull (fields[5], NULL, 10);

      fail_unless (port >= min && port <= max, "%s", reply);
      if (address)
        fail_unless_equals_string (fields[4], address);
      n++;
    }
    g_strfreev (fields);
  }
  return n;
}

GST_START_TEST (test_candidates_have_the_ports_and_the_address_that_are_set)
{
  gchar *reply;

  /* It has no effect with udp-port. */
  if (!g_getenv ("REC_TEST_UDP_PORT")) {
    start ("port-range", "41000-41009");
    reply = rec_http ("POST", url, REC_HTTP_SDP, h264_offer);
    fail_unless (count_candidates (reply, 41000, 41009, NULL) > 0, "%s", reply);
    g_free (reply);
    stop ();
  }
  start ("public-address", "203.0.113.5,2001:db8::1");
  reply = rec_http ("POST", url, REC_HTTP_SDP, h264_offer);
  fail_unless (strstr (reply, " 203.0.113.5 ") != NULL, "%s", reply);
  fail_if (strstr (reply, " 127.0.0.1 ") != NULL, "%s", reply);
  g_free (reply);
  stop ();
}

GST_END_TEST;

/* With one port for two sessions, the second is told. */
GST_START_TEST (test_a_range_without_a_free_port_is_said)
{
  GstElement *other;
  gchar *other_url, *reply;

  start ("port-range", "41010-41010");
  reply = rec_http ("POST", url, REC_HTTP_SDP, h264_offer);
  fail_unless (count_candidates (reply, 41010, 41010, NULL) > 0, "%s", reply);
  g_free (reply);
  other = gst_element_factory_make ("recwhipsrc", NULL);
  g_object_set (other, "port", 0, "port-range", "41010-41010", NULL);
  gst_element_set_state (other, GST_STATE_PLAYING);
  g_object_get (other, "url", &other_url, NULL);
  rec_http_assert (rec_http ("POST", other_url, REC_HTTP_SDP, h264_offer), 500,
      "port-range 41010-41010");
  gst_element_set_state (other, GST_STATE_NULL);
  gst_object_unref (other);
  g_free (other_url);
  stop ();
}

GST_END_TEST;

/* All three elements. */
GST_START_TEST (test_wrong_ports_and_addresses_are_an_error)
{
  static const gchar *const factories[] = { "recwhipsrc", "recwhepsrc",
    "recwhipsink" };
  static const gchar *const values[][2] = { { "port-range", "9000-8000" },
    { "public-address", "example.org" } };

  for (guint i = 0; i < 6; i++) {
    GstElement *element = gst_element_factory_make (factories[i / 2], NULL);
    gchar *text;

    if (i > 1)
      g_object_set (element, "location", "http://127.0.0.1:1/x", NULL);
    g_object_set (element, values[i % 2][0], values[i % 2][1], NULL);
    text = error_of (element);
    fail_unless (strstr (text, values[i % 2][0]) != NULL, "%s", text);
    g_free (text);
    gst_object_unref (element);
  }
}

GST_END_TEST;

GST_START_TEST (test_what_cannot_be_listened_on_is_an_error)
{
  static const struct
  {
    const gchar *property, *value, *advice;
  } cases[] = { { "path", NULL, "Set path" }, { "path", "whip", "Set path" },
    { "host", NULL, "Set host" },
    { "tls-key", "key.pem", "Set tls-certificate" } };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstElement *element = gst_element_factory_make ("recwhipsrc", NULL);
    gchar *text;

    g_object_set (element, "port", 0, cases[i].property, cases[i].value, NULL);
    text = error_of (element);
    fail_unless (strstr (text, cases[i].advice) != NULL, "%s", text);
    g_free (text);
    gst_object_unref (element);
  }
}

GST_END_TEST;

GST_START_TEST (test_a_port_in_use_is_an_error_that_says_what_to_do)
{
  GSocketListener *other = g_socket_listener_new ();
  GstElement *element = gst_element_factory_make ("recwhipsrc", NULL);
  GInetAddress *loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  GSocketAddress *any = g_inet_socket_address_new (loopback, 0), *bound;
  gchar *text, *number;
  guint port;

  fail_unless (g_socket_listener_add_address (other, any, G_SOCKET_TYPE_STREAM,
      G_SOCKET_PROTOCOL_TCP, NULL, &bound, NULL));
  port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  g_object_set (element, "port", port, NULL);
  text = error_of (element);
  number = g_strdup_printf ("%u", port);
  fail_unless (strstr (text, number) != NULL, "%s", text);
  fail_unless (strstr (text, "in use") != NULL, "%s", text);
  fail_unless (strstr (text, "port") != NULL, "%s", text);
  g_free (number);
  g_free (text);
  gst_object_unref (element);
  g_object_unref (bound);
  g_object_unref (any);
  g_object_unref (loopback);
  g_object_unref (other);
}

GST_END_TEST;

GST_START_TEST (test_elements_of_one_process_share_a_port_by_path)
{
  GstElement *second = gst_element_factory_make ("recwhipsrc", NULL);
  gchar *other, *text;
  GUri *uri;

  start (NULL, NULL);
  uri = g_uri_parse (url, G_URI_FLAGS_NONE, NULL);
  g_object_set (second, "port", g_uri_get_port (uri), NULL);
  text = error_of (second);
  fail_unless (strstr (text, "/whip") != NULL, "%s", text);
  g_free (text);
  g_object_set (second, "path", "/second", NULL);
  fail_unless_equals_int (gst_element_set_state (second, GST_STATE_PLAYING),
      GST_STATE_CHANGE_SUCCESS);
  g_object_get (second, "url", &other, NULL);
  rec_http_assert (
      rec_http ("POST", other, REC_HTTP_SDP, h264_offer), 201, "/second/");
  rec_http_assert (
      rec_http ("POST", url, REC_HTTP_SDP, h264_offer), 201, "/whip/");
  gst_element_set_state (second, GST_STATE_NULL);
  rec_http_assert (
      rec_http ("POST", other, REC_HTTP_SDP, h264_offer), 404, NULL);
  rec_http_assert (rec_http ("POST", url, REC_HTTP_SDP, h264_offer), 409, NULL);
  stop ();
  g_free (other);
  g_uri_unref (uri);
  gst_object_unref (second);
}

GST_END_TEST;

GST_START_TEST (test_below_paused_a_publisher_is_asked_to_come_back)
{
  start (NULL, NULL);
  gst_element_set_state (src, GST_STATE_READY);
  rec_http_assert (
      rec_http ("POST", url, REC_HTTP_SDP, h264_offer), 503, "Retry-After");
  stop ();
}

GST_END_TEST;

/* --- without a socket --- */

/* What handle-request replies, as its status. @reply may be NULL. */
static guint
handle (const gchar *method, const gchar *session_id, const gchar *body,
    GstStructure **reply)
{
  GstStructure *request = gst_structure_new ("request", "method", G_TYPE_STRING,
      method, "body", G_TYPE_STRING, body, "remote", G_TYPE_STRING, "192.0.2.1",
      "local", G_TYPE_STRING, "127.0.0.1", NULL);
  GstPromise *promise = gst_promise_new ();
  guint status = 0;

  if (session_id)
    gst_structure_set (request, "session-id", G_TYPE_STRING, session_id, NULL);
  g_signal_emit_by_name (src, "handle-request", request, promise);
  fail_unless_equals_int (
      gst_promise_wait (promise), GST_PROMISE_RESULT_REPLIED);
  fail_unless (gst_structure_get_uint (
      gst_promise_get_reply (promise), "status", &status));
  if (reply)
    *reply = gst_structure_copy (gst_promise_get_reply (promise));
  gst_promise_unref (promise);
  gst_structure_free (request);
  return status;
}

GST_START_TEST (test_requests_of_an_application_are_answered)
{
  GstStructure *reply;
  const gchar *id;

  src = gst_element_factory_make ("recwhipsrc", NULL);
  g_object_set (
      src, "listen", FALSE, "stun-server", "stun://192.0.2.7:3478", NULL);
  fail_unless_equals_int (handle ("POST", NULL, h264_offer, NULL), 503);
  gst_element_set_state (src, GST_STATE_PLAYING);
  g_object_get (src, "url", &url, NULL);
  fail_unless (url == NULL, "it listens at %s", url);
  fail_unless_equals_int (handle ("GET", NULL, NULL, NULL), 405);
  fail_unless_equals_int (handle ("DELETE", NULL, NULL, NULL), 405);
  fail_unless_equals_int (handle ("POST", "1", h264_offer, NULL), 405);
  fail_unless_equals_int (handle ("POST", NULL, "hello", NULL), 400);
  fail_unless_equals_int (handle ("POST", NULL, NULL, NULL), 400);
  fail_unless_equals_int (handle ("POST", NULL, vp8_offer, &reply), 422);
  fail_unless (strstr (gst_structure_get_string (reply, "body"), "VP8"));
  gst_structure_free (reply);
  fail_unless_equals_int (handle ("POST", NULL, h264_offer, &reply), 201);
  id = gst_structure_get_string (reply, "session-id");
  fail_unless (id != NULL && gst_structure_has_field (reply, "etag"));
  fail_unless_equals_string (
      gst_structure_get_string (reply, "content-type"), "application/sdp");
  fail_unless (
      g_str_has_prefix (gst_structure_get_string (reply, "body"), "v=0"));
  fail_unless_equals_int (g_strv_length (g_value_get_boxed (
                              gst_structure_get_value (reply, "links"))),
      1);
  fail_unless_equals_int (handle ("POST", NULL, h264_offer, NULL), 409);
  fail_unless_equals_int (handle ("DELETE", "other", NULL, NULL), 404);
  fail_unless_equals_int (handle ("DELETE", id, NULL, NULL), 200);
  gst_structure_free (reply);
  gst_element_set_state (src, GST_STATE_NULL);
  fail_unless_equals_int (handle ("POST", NULL, h264_offer, NULL), 503);
  stop ();
}
GST_END_TEST

static Suite *
recwhiphttp_suite (void)
{
  Suite *s = suite_create ("recwhiphttp");
  TCase *tc = tcase_create ("general");

  rec_live_init (tc);
  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_what_is_not_sdp_is_refused_with_the_reason);
  tcase_add_test (tc, test_a_lite_publisher_is_refused_where_we_are_lite);
  tcase_add_test (tc, test_a_connection_that_is_closed_is_announced);
  tcase_add_test (tc, test_no_common_codec_is_refused_with_the_list);
  tcase_add_test (tc, test_a_track_that_is_refused_is_said_in_the_answer);
  tcase_add_test (tc, test_other_codecs_are_taken_when_asked_for);
  tcase_add_test (tc, test_a_codec_without_its_depayloader_is_refused_by_name);
  tcase_add_test (tc, test_a_wrong_token_is_unauthorized);
  tcase_add_test (tc, test_other_paths_and_methods_are_refused);
  tcase_add_test (tc, test_sessions_are_found_below_any_path);
  tcase_add_test (tc, test_slashes_too_many_do_not_matter);
  tcase_add_test (tc, test_the_location_keeps_the_prefix_of_a_proxy);
  tcase_add_test (
      tc, test_a_second_publisher_is_refused_until_the_first_is_gone);
  tcase_add_test (tc, test_candidates_trickle_in_and_a_wrong_etag_is_refused);
  tcase_add_test (tc, test_ice_restarts_with_other_credentials_and_etag);
  tcase_add_test (tc, test_ice_servers_are_told_with_the_answer);
  tcase_add_test (tc, test_cors_is_for_listed_origins_only);
  tcase_add_test (tc, test_a_large_body_is_refused_before_it_is_read);
  tcase_add_test (tc, test_a_body_without_end_is_cut_off);
  tcase_add_test (tc, test_what_cannot_be_listened_on_is_an_error);
  tcase_add_test (
      tc, test_candidates_have_the_ports_and_the_address_that_are_set);
  if (!g_getenv ("REC_TEST_UDP_PORT"))
    tcase_add_test (tc, test_a_range_without_a_free_port_is_said);
  tcase_add_test (tc, test_wrong_ports_and_addresses_are_an_error);
  tcase_add_test (tc, test_a_port_in_use_is_an_error_that_says_what_to_do);
  tcase_add_test (tc, test_elements_of_one_process_share_a_port_by_path);
  tcase_add_test (tc, test_below_paused_a_publisher_is_asked_to_come_back);
  tcase_add_test (tc, test_requests_of_an_application_are_answered);
  return s;
}

GST_CHECK_MAIN (recwhiphttp);
