/* gst-tsrec: recwhepsrc pulls from a server over loopback
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The server is made here of webrtcbin and libsoup alone.
 */

#include "reclive.h"
#include "recproxy.h"
#include "recssrc.h"

#include <gst/app/app.h>
#include <gst/webrtc/webrtc.h>
#include <libsoup/soup.h>

#define PLAYER                                                                 \
  "webrtcbin name=w bundle-policy=max-bundle "                                 \
  "videotestsrc is-live=true ! "                                               \
  "video/x-raw,width=160,height=120,framerate=25/1 ! "                         \
  "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! "          \
  "video/x-h264,profile=constrained-baseline ! "                               \
  "rtph264pay config-interval=-1 pt=96 ! "                                     \
  "application/x-rtp,media=video,encoding-name=H264,payload=96 ! w. "          \
  "audiotestsrc is-live=true ! opusenc ! rtpopuspay pt=111 ! "                 \
  "application/x-rtp,media=audio,encoding-name=OPUS,payload=111 ! w. "

/**
 * Server:
 * @refusals: how many offers are still answered with 404
 * @redirects: how many, after these, with 307
 */
typedef struct
{
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  SoupServer *soup;
  GSocketService *service;
  GSocketService *https_service;
  gchar *url;
  gchar *https_url;
  GstElement *player;

  gint refusals;
  gint redirects;
  gboolean endless;
  const gchar *session;
  gint offers;
  gint removed;
  gint unauthorized;
} Server;

static void
run (GstElement *webrtc, const gchar *action,
    GstWebRTCSessionDescription *description, GstWebRTCSessionDescription **out)
{
  GstPromise *promise = gst_promise_new ();

  g_signal_emit_by_name (webrtc, action, description, promise);
  gst_promise_wait (promise);
  if (out)
    gst_structure_get (gst_promise_get_reply (promise), "answer",
        GST_TYPE_WEBRTC_SESSION_DESCRIPTION, out, NULL);
  gst_promise_unref (promise);
}

static void
stop_player (Server *server)
{
  if (!server->player)
    return;
  gst_element_set_state (server->player, GST_STATE_NULL);
  gst_clear_object (&server->player);
}

static gboolean
stop_player_later (gpointer data)
{
  stop_player (data);
  return G_SOURCE_REMOVE;
}

/* And asks no router for a port, which leaks in libgssdp. */
static void
use_loopback (GstElement *webrtc)
{
  GObject *ice, *agent;
  gboolean added;

  g_object_get (webrtc, "ice-agent", &ice, NULL);
  g_signal_emit_by_name (ice, "add-local-ip-address", "127.0.0.1", &added);
  g_object_get (ice, "agent", &agent, NULL);
  g_object_set (agent, "upnp", FALSE, NULL);
  g_object_unref (agent);
  g_object_unref (ice);
}

/* Plays to whoever made @offer; returns the answer. */
static gchar *
play (Server *server, const gchar *offer)
{
  GstWebRTCSessionDescription *description, *answer = NULL;
  GstWebRTCICEGatheringState gathering;
  GstElement *webrtc;
  GstSDPMessage *sdp;
  gchar *text;

  stop_player (server);
  server->player = gst_parse_launch (PLAYER, NULL);
  webrtc = gst_bin_get_by_name (GST_BIN (server->player), "w");
  use_loopback (webrtc);
  gst_element_set_state (server->player, GST_STATE_READY);
  gst_sdp_message_new_from_text (offer, &sdp);
  description =
      gst_webrtc_session_description_new (GST_WEBRTC_SDP_TYPE_OFFER, sdp);
  run (webrtc, "set-remote-description", description, NULL);
  run (webrtc, "create-answer", NULL, &answer);
  run (webrtc, "set-local-description", answer, NULL);
  /* webrtcbin 1.22 aborts when media reaches a pad while it negotiates. */
  gst_element_set_state (server->player, GST_STATE_PLAYING);
  gst_webrtc_session_description_free (description);
  gst_webrtc_session_description_free (answer);
  do {
    g_usleep (10000);
    g_object_get (webrtc, "ice-gathering-state", &gathering, NULL);
  } while (gathering != GST_WEBRTC_ICE_GATHERING_STATE_COMPLETE);
  g_object_get (webrtc, "local-description", &answer, NULL);
  text = gst_sdp_message_as_text (answer->sdp);
  gst_webrtc_session_description_free (answer);
  gst_object_unref (webrtc);
  return text;
}

static void
add_zeros (SoupServerMessage *msg, gpointer user_data)
{
  static const gchar zeros[64 * 1024] = { 0 };

  soup_message_body_append (soup_server_message_get_response_body (msg),
      SOUP_MEMORY_STATIC, zeros, sizeof (zeros));
}

static void
answer_without_end (SoupServerMessage *msg)
{
  soup_server_message_set_status (msg, 201, NULL);
  soup_message_headers_set_encoding (
      soup_server_message_get_response_headers (msg), SOUP_ENCODING_CHUNKED);
  soup_message_body_set_accumulate (
      soup_server_message_get_response_body (msg), FALSE);
  g_signal_connect (msg, "wrote-chunk", G_CALLBACK (add_zeros), NULL);
  g_signal_connect (msg, "wrote-headers", G_CALLBACK (add_zeros), NULL);
}

static void
answer_offer (Server *server, SoupServerMessage *msg, const gchar *path)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (msg);
  GBytes *body;
  gchar *answer;

  if (g_atomic_int_get (&server->refusals) > 0) {
    g_atomic_int_dec_and_test (&server->refusals);
    soup_server_message_set_status (msg, 404, NULL);
    return;
  }
  if (g_atomic_int_get (&server->redirects) > 0) {
    g_atomic_int_dec_and_test (&server->redirects);
    soup_message_headers_replace (headers, "Location", "/moved");
    soup_server_message_set_status (msg, 307, NULL);
    return;
  }
  if (server->endless) {
    answer_without_end (msg);
    return;
  }
  body = soup_message_body_flatten (soup_server_message_get_request_body (msg));
  answer = play (server, g_bytes_get_data (body, NULL));
  g_bytes_unref (body);
  soup_message_headers_replace (headers, "Location", server->session);
  soup_server_message_set_status (msg, 201, NULL);
  soup_server_message_set_response (
      msg, "application/sdp", SOUP_MEMORY_TAKE, answer, strlen (answer));
}

static void
on_request (SoupServer *soup, SoupServerMessage *msg, const gchar *path,
    GHashTable *query, gpointer user_data)
{
  Server *server = user_data;
  const gchar *token = soup_message_headers_get_one (
      soup_server_message_get_request_headers (msg), "Authorization");

  if (g_strcmp0 (token, "Bearer secret") != 0)
    g_atomic_int_inc (&server->unauthorized);
  if (g_str_equal (soup_server_message_get_method (msg), "POST")) {
    g_atomic_int_inc (&server->offers);
    answer_offer (server, msg, path);
  } else {
    if (g_str_equal (path, "/session/1"))
      g_atomic_int_inc (&server->removed);
    soup_server_message_set_status (msg, 200, NULL);
  }
}

/* SoupServer's own listeners leak in libsoup 3.2. */
static gboolean
on_incoming (GSocketService *service, GSocketConnection *connection,
    GObject *source, gpointer user_data)
{
  Server *server = user_data;
  GTlsCertificate *certificate =
      g_object_get_data (G_OBJECT (service), "certificate");
  GSocketAddress *local =
      g_socket_connection_get_local_address (connection, NULL);
  GSocketAddress *remote =
      g_socket_connection_get_remote_address (connection, NULL);
  GIOStream *stream = certificate
      ? g_tls_server_connection_new (
            G_IO_STREAM (connection), certificate, NULL)
      : g_object_ref (G_IO_STREAM (connection));

  if (local && remote && stream)
    soup_server_accept_iostream (server->soup, stream, local, remote, NULL);
  g_clear_object (&stream);
  g_clear_object (&local);
  g_clear_object (&remote);
  return TRUE;
}

/* Accepts connections, by TLS where there is a @certificate, which it takes.
 * Returns the URL. */
static gchar *
start_listening (
    Server *server, GSocketService **service, GTlsCertificate *certificate)
{
  GInetAddress *loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  GSocketAddress *any = g_inet_socket_address_new (loopback, 0), *bound;
  gchar *url;

  *service = g_socket_service_new ();
  g_object_set_data_full (
      G_OBJECT (*service), "certificate", certificate, g_object_unref);
  g_signal_connect (*service, "incoming", G_CALLBACK (on_incoming), server);
  fail_unless (g_socket_listener_add_address (G_SOCKET_LISTENER (*service), any,
      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &bound, NULL));
  url = g_strdup_printf ("%s://127.0.0.1:%u/", certificate ? "https" : "http",
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)));
  g_object_unref (bound);
  g_object_unref (any);
  g_object_unref (loopback);
  return url;
}

static void
stop_listening (GSocketService *service)
{
  if (!service)
    return;
  g_socket_service_stop (service);
  g_socket_listener_close (G_SOCKET_LISTENER (service));
  g_object_unref (service);
}

/* The key in the file protects nothing. NULL where there is no TLS. */
static GTlsCertificate *
load_certificate (void)
{
  gchar *pem = g_build_filename (g_getenv ("REC_SOURCE_DIR"), "tests", "check",
      "data", "tls-test.pem", NULL);
  GTlsCertificate *certificate = NULL;

  if (g_tls_backend_supports_tls (g_tls_backend_get_default ())) {
    certificate = g_tls_certificate_new_from_file (pem, NULL);
    fail_unless (certificate != NULL);
  }
  g_free (pem);
  return certificate;
}

static gpointer
server_main (gpointer data)
{
  Server *server = data;

  g_main_context_push_thread_default (server->context);
  g_main_loop_run (server->loop);
  stop_player (server);
  stop_listening (server->service);
  stop_listening (server->https_service);
  soup_server_disconnect (server->soup);
  g_object_unref (server->soup);
  /* Work that libsoup deferred, and answers without a client. */
  while (g_main_context_iteration (server->context, FALSE))
    ;
  g_main_context_pop_thread_default (server->context);
  return NULL;
}

static void
server_start (Server *server, gint refusals, gint redirects)
{
  GTlsCertificate *certificate = load_certificate ();

  memset (server, 0, sizeof (*server));
  server->refusals = refusals;
  server->redirects = redirects;
  server->session = "/session/1";
  server->context = g_main_context_new ();
  server->loop = g_main_loop_new (server->context, FALSE);
  g_main_context_push_thread_default (server->context);
  server->soup = soup_server_new (NULL, NULL);
  soup_server_add_handler (server->soup, NULL, on_request, server, NULL);
  server->url = start_listening (server, &server->service, NULL);
  if (certificate)
    server->https_url =
        start_listening (server, &server->https_service, certificate);
  g_main_context_pop_thread_default (server->context);
  server->thread = g_thread_new ("server", server_main, server);
}

static gboolean
quit (gpointer data)
{
  g_main_loop_quit (data);
  return G_SOURCE_REMOVE;
}

static void
server_stop (Server *server)
{
  g_main_context_invoke (server->context, quit, server->loop);
  g_thread_join (server->thread);
  g_main_loop_unref (server->loop);
  g_main_context_unref (server->context);
  g_free (server->url);
  g_free (server->https_url);
}

static GstElement *
pull_from (const gchar *url, const gchar *properties)
{
  gchar *line = g_strdup_printf (
      "recwhepsrc name=src location=%s peer-timeout=300000000000 latency=100 "
      "%s src.video ! appsink name=v sync=false async=false wait-on-eos=false "
      "src.audio ! appsink name=a sync=false async=false wait-on-eos=false",
      url, properties);
  GstElement *pipeline = gst_parse_launch (line, NULL);

  rec_test_assert_built_here ("recwhepsrc");
  fail_unless (pipeline != NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_free (line);
  return pipeline;
}

static void
expect_sample (GstElement *pipeline, const gchar *name, const gchar *type)
{
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), name);
  GstSample *sample =
      gst_app_sink_try_pull_sample (GST_APP_SINK (sink), REC_LIVE_PATIENCE);

  fail_unless (sample != NULL, "nothing came out of %s", name);
  fail_unless (gst_structure_has_name (
      gst_caps_get_structure (gst_sample_get_caps (sample), 0), type));
  gst_sample_unref (sample);
  gst_object_unref (sink);
}

static void
expect_message (GstElement *pipeline, const gchar *name)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  gboolean found = FALSE;

  while (!found) {
    GstMessage *message = gst_bus_timed_pop_filtered (
        bus, REC_LIVE_PATIENCE, GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR);

    fail_unless (message != NULL, "no %s", name);
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      GError *error = NULL;

      gst_message_parse_error (message, &error, NULL);
      fail ("%s", error->message);
    }
    found = gst_message_has_name (message, name);
    gst_message_unref (message);
  }
  gst_object_unref (bus);
}

static void
finish (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

GST_START_TEST (test_a_stream_is_pulled_after_a_retry_and_a_redirect)
{
  GstElement *pipeline;
  Server server;

  server_start (&server, 1, 1);
  pipeline = pull_from (server.url, "auth-token=secret");
  expect_message (pipeline, "recwhip-connected");
  expect_sample (pipeline, "v", "video/x-h264");
  expect_sample (pipeline, "a", "audio/x-opus");
  finish (pipeline);
  fail_unless_equals_int (g_atomic_int_get (&server.offers), 3);
  fail_unless_equals_int (g_atomic_int_get (&server.removed), 1);
  fail_unless_equals_int (g_atomic_int_get (&server.unauthorized), 0);
  server_stop (&server);
}

GST_END_TEST;

/* Pulls until @name is 2 s behind *@last. */
static void
pull_on (GstElement *pipeline, const gchar *name, GstClockTime *last)
{
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), name);
  GstClockTime until =
      GST_CLOCK_TIME_IS_VALID (*last) ? *last + 2 * GST_SECOND : 0;

  do {
    GstSample *sample =
        gst_app_sink_try_pull_sample (GST_APP_SINK (sink), REC_LIVE_PATIENCE);
    GstClockTime pts;

    fail_unless (sample != NULL, "nothing came out of %s", name);
    pts = GST_BUFFER_PTS (gst_sample_get_buffer (sample));
    fail_unless (!GST_CLOCK_TIME_IS_VALID (*last) || pts > *last);
    *last = pts;
    gst_sample_unref (sample);
  } while (*last < until);
  gst_object_unref (sink);
}

static gboolean
has_ended (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;
  gboolean ended = FALSE;

  while ((message = gst_bus_pop_filtered (
              bus, GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR)) != NULL) {
    ended |= GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR ||
        gst_message_has_name (message, "recwhip-disconnected");
    gst_message_unref (message);
  }
  gst_object_unref (bus);
  return ended;
}

/* A server whose source starts over takes another SSRC, and the first one
 * again. */
GST_START_TEST (test_a_server_returns_to_an_ssrc)
{
  GstClockTime video = GST_CLOCK_TIME_NONE, audio = GST_CLOCK_TIME_NONE;
  GstElement *pipeline;
  static RecSsrc streams;
  Server server;
  guint i;

  server_start (&server, 0, 0);
  pipeline = pull_from (server.url, "keyframe-interval-min=0");
  expect_message (pipeline, "recwhip-connected");
  pull_on (pipeline, "v", &video);
  pull_on (pipeline, "a", &audio);
  rec_ssrc_init (&streams, server.player);
  for (i = 0; i < 3; i++) {
    g_atomic_int_set (&streams.other, i % 2);
    pull_on (pipeline, "v", &video);
    pull_on (pipeline, "a", &audio);
    fail_if (has_ended (pipeline), "after %u changes", i);
  }
  fail_unless (g_atomic_int_get (&streams.sent[0]) > 0);
  fail_unless (g_atomic_int_get (&streams.sent[1]) > 0);
  finish (pipeline);
  fail_unless_equals_int (g_atomic_int_get (&server.offers), 1);
  server_stop (&server);
}

GST_END_TEST;

GST_START_TEST (test_a_session_that_ends_is_made_anew)
{
  GstElement *pipeline;
  Server server;

  server_start (&server, 0, 0);
  /* webrtcbin says no good-bye; a slow one that still plays is not gone. */
  pipeline = pull_from (server.url,
      g_getenv ("REC_SLOW_MACHINE") ? "peer-timeout=10000000000"
                                    : "peer-timeout=2000000000");
  expect_sample (pipeline, "v", "video/x-h264");
  g_main_context_invoke (server.context, stop_player_later, &server);
  expect_message (pipeline, "recwhip-disconnected");
  expect_message (pipeline, "recwhip-connected");
  finish (pipeline);
  fail_unless_equals_int (g_atomic_int_get (&server.offers), 2);
  server_stop (&server);
}

GST_END_TEST;

static void
expect_error (GstElement *pipeline, const gchar *text)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message =
      gst_bus_timed_pop_filtered (bus, REC_LIVE_PATIENCE, GST_MESSAGE_ERROR);
  GError *error = NULL;

  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_object_unref (bus);
}

GST_START_TEST (test_giving_up_says_why)
{
  GstElement *pipeline;
  Server server;

  server_start (&server, G_MAXINT, 0);
  pipeline = pull_from (server.url,
      g_getenv ("REC_SLOW_MACHINE") ? "retry-timeout=10000000000"
                                    : "retry-timeout=3000000000");
  expect_error (pipeline, "404");
  finish (pipeline);
  fail_unless (g_atomic_int_get (&server.offers) > 1);
  pipeline = pull_from ("http://127.0.0.1:1/", "retry-timeout=0");
  expect_error (pipeline, "127.0.0.1:1");
  finish (pipeline);
  pipeline = pull_from ("\"\"", "");
  expect_error (pipeline, "location");
  finish (pipeline);
  server_stop (&server);
}

GST_END_TEST;

/* As behind a proxy that speaks HTTPS for a server that does not know it. */
GST_START_TEST (test_the_token_does_not_travel_in_the_clear)
{
  GstElement *pipeline;
  Server server;
  gchar *session;

  server_start (&server, 0, 0);
  session = g_strconcat (server.url, "session/1", NULL);
  server.session = session;
  if (!server.https_url) {
    g_print ("skipped: no TLS (Debian package glib-networking)\n");
  } else {
    pipeline = pull_from (server.https_url, "retry-timeout=3600000000000");
    expect_error (pipeline, "certificate");
    finish (pipeline);
    fail_unless_equals_int (g_atomic_int_get (&server.offers), 0);
    pipeline =
        pull_from (server.https_url, "auth-token=secret insecure-tls=true");
    expect_message (pipeline, "recwhip-connected");
    finish (pipeline);
    fail_unless_equals_int (g_atomic_int_get (&server.offers), 1);
    fail_unless_equals_int (g_atomic_int_get (&server.removed), 1);
    fail_unless_equals_int (g_atomic_int_get (&server.unauthorized), 1);
  }
  server_stop (&server);
  g_free (session);
}

GST_END_TEST;

GST_START_TEST (test_an_answer_without_end_is_not_read_to_the_end)
{
  GstElement *pipeline;
  Server server;

  server_start (&server, 0, 0);
  server.endless = TRUE;
  pipeline = pull_from (server.url, "retry-timeout=0");
  expect_error (pipeline, "longer than");
  finish (pipeline);
  server_stop (&server);
}

GST_END_TEST;

GST_START_TEST (test_nothing_is_recorded_of_another_certificate)
{
  GstElement *pipeline, *sink;
  RecProxy proxy;
  Server server;

  server_start (&server, 0, 0);
  rec_proxy_start (&proxy, server.url, NULL, rec_proxy_break_fingerprints);
  pipeline = pull_from (proxy.url, "retry-timeout=0");
  expect_error (pipeline, "fingerprint");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "v");
  fail_unless (gst_app_sink_try_pull_sample (GST_APP_SINK (sink), 0) == NULL);
  gst_object_unref (sink);
  finish (pipeline);
  rec_proxy_stop (&proxy);
  server_stop (&server);
}

GST_END_TEST;

/* --- servers that have one track only --- */

/* As Pion and others answer what they do not have. @text with the m-line of
 * @kind as bare as RFC 3264 allows it. */
static gchar *
reject (const gchar *text, const gchar *kind)
{
  gchar **medias = g_strsplit (text, "\r\nm=", -1), *line, *joined;
  guint i;

  for (i = 1; medias[i]; i++) {
    if (!g_str_has_prefix (medias[i], kind))
      continue;
    line = g_strdup_printf (
        "%s 0 UDP/TLS/RTP/SAVPF 0%s", kind, medias[i + 1] ? "" : "\r\n");
    g_free (medias[i]);
    medias[i] = line;
  }
  joined = g_strjoinv ("\r\nm=", medias);
  g_strfreev (medias);
  return joined;
}

static gchar *
reject_audio (const gchar *text)
{
  return reject (text, "audio");
}

static gchar *
reject_video (const gchar *text)
{
  gchar *without = reject (text, "video");
  gchar **parts = g_strsplit (without, "BUNDLE video0 ", 2);
  gchar *joined = g_strjoinv ("BUNDLE ", parts);

  g_strfreev (parts);
  g_free (without);
  return joined;
}

static gchar *
reject_both (const gchar *text)
{
  gchar *without = reject (text, "video"), *nothing = reject (without, "audio");

  g_free (without);
  return nothing;
}

static void
expect_warning (GstElement *pipeline, const gchar *text)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered (
      bus, REC_LIVE_PATIENCE, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
  GError *error = NULL;

  fail_unless (message != NULL);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else
    gst_message_parse_warning (message, &error, NULL);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_WARNING);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_object_unref (bus);
}

static void
pull_one_track (RecProxyEdit edit, const gchar *missing, const gchar *pad,
    const gchar *type)
{
  GstElement *pipeline;
  RecProxy proxy;
  Server server;
  gchar *offer;

  server_start (&server, 0, 0);
  rec_proxy_start (&proxy, server.url, NULL, edit);
  pipeline = pull_from (proxy.url, "");
  expect_warning (pipeline, missing);
  expect_message (pipeline, "recwhip-connected");
  expect_sample (pipeline, pad, type);
  finish (pipeline);
  offer = rec_proxy_dup (&proxy, &proxy.offer);
  fail_unless (strstr (offer, "bundle-only") == NULL);
  fail_unless (strstr (offer, "m=audio 0") == NULL);
  fail_unless (strstr (offer, "stereo=1") != NULL);
  g_free (offer);
  rec_proxy_stop (&proxy);
  server_stop (&server);
}

GST_START_TEST (test_a_server_without_one_of_the_tracks_is_recorded)
{
  pull_one_track (reject_audio, "no audio", "v", "video/x-h264");
  pull_one_track (reject_video, "no video", "a", "audio/x-opus");
}

GST_END_TEST;

GST_START_TEST (test_a_server_without_any_track_is_an_error)
{
  GstElement *pipeline;
  RecProxy proxy;
  Server server;

  server_start (&server, 0, 0);
  rec_proxy_start (&proxy, server.url, NULL, reject_both);
  pipeline = pull_from (proxy.url, "");
  expect_error (pipeline, "accepted no track");
  finish (pipeline);
  rec_proxy_stop (&proxy);
  server_stop (&server);
}

GST_END_TEST;

static Suite *
recwhep_suite (void)
{
  Suite *s = suite_create ("recwhep");
  TCase *tc = tcase_create ("general");

  rec_live_init (tc);
  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_a_stream_is_pulled_after_a_retry_and_a_redirect);
  tcase_add_test (tc, test_a_server_returns_to_an_ssrc);
  tcase_add_test (tc, test_a_session_that_ends_is_made_anew);
  tcase_add_test (tc, test_the_token_does_not_travel_in_the_clear);
  tcase_add_test (tc, test_an_answer_without_end_is_not_read_to_the_end);
  tcase_add_test (tc, test_giving_up_says_why);
  tcase_add_test (tc, test_nothing_is_recorded_of_another_certificate);
  tcase_add_test (tc, test_a_server_without_one_of_the_tracks_is_recorded);
  tcase_add_test (tc, test_a_server_without_any_track_is_an_error);
  return s;
}

GST_CHECK_MAIN (recwhep);
