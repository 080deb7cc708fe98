/* gst-tsrec: WHIP server that records what is published to it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-recwhipsrc
 * @title: recwhipsrc
 * @short_description: WHIP server: a browser, OBS or ffmpeg pushes in
 * @see_also: recwhepsrc, recwhipsink, tsrecsink
 *
 * Listens for one publisher at a time (RFC 9725) and puts out what it sends as
 * parsed elementary streams: H.264 as byte-stream access units with the
 * parameter sets in front of every key frame, Opus as packets. The pads `video`
 * and `audio` are there from the beginning, so that a launch line can link
 * them before anyone has connected; a publisher may send only one of the two,
 * come late, go, and come back. EOS that is sent to the element leaves by both
 * pads.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -e recwhipsrc name=w port=8080 ! h264parse ! \
 *     tsrecsink name=rec location=rec.ts w.audio ! opusparse ! rec.
 * ]|
 * Publish to http://127.0.0.1:8080/whip, for example with
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! \
 *     x264enc tune=zerolatency key-int-max=50 ! \
 *     video/x-h264,profile=constrained-baseline ! \
 *     recwhipsink location=http://127.0.0.1:8080/whip
 * ]|
 */

#include "config.h"

#include "gstrecwhipsrc-private.h"
#include "whiptoken.h"

#include <string.h>

GST_DEBUG_CATEGORY_STATIC (rec_whip_src_debug);
#define GST_CAT_DEFAULT rec_whip_src_debug

#define MAX_CONNECTIONS 128
#define MAX_OFFERS_PER_SECOND 20
#define IDLE_TIMEOUT 15

G_DEFINE_TYPE (GstRecWhipSrc, gst_rec_whip_src, GST_TYPE_REC_WEBRTC_SRC);
GST_ELEMENT_REGISTER_DEFINE (
    recwhipsrc, "recwhipsrc", GST_RANK_NONE, GST_TYPE_REC_WHIP_SRC);

/* --- from the HTTP thread to the control thread --- */

typedef struct
{
  GstRecWhipSrc *self;
  WhipRequest *request;
  void (*handle) (GstRecWhipSrc *self, WhipRequest *request);
} Call;

static gboolean
run_call (gpointer data)
{
  Call *call = data;
  WhipRequest *request = g_steal_pointer (&call->request);

  call->handle (call->self, request);
  return G_SOURCE_REMOVE;
}

static void
free_call (gpointer data)
{
  Call *call = data;

  if (call->request)
    whip_request_reply (call->request, 503, "The recorder is shutting down.");
  gst_object_unref (call->self);
  g_free (call);
}

void
gst_rec_whip_src_hand_over (GstRecWhipSrc *self, WhipRequest *request,
    void (*handle) (GstRecWhipSrc *, WhipRequest *))
{
  Call *call = g_new0 (Call, 1);

  call->self = gst_object_ref (self);
  call->request = request;
  call->handle = handle;
  gst_rec_webrtc_src_invoke (
      GST_REC_WEBRTC_SRC (self), run_call, call, free_call);
}

/* --- requests, on the control thread --- */

static guint
status_of (const GError *error)
{
  if (error->domain != RTC_SDP_ERROR)
    return 500;
  switch (error->code) {
    case RTC_SDP_ERROR_SYNTAX:
      return 400;
    case RTC_SDP_ERROR_TOO_LARGE:
      return 413;
    default:
      return 422;
  }
}

static void
reply_error (GstRecWhipSrc *self, WhipRequest *request, GError *error)
{
  GST_WARNING_OBJECT (self, "offer of %s refused: %s",
      whip_request_get_remote (request), error->message);
  whip_request_reply (request, status_of (error), error->message);
  g_error_free (error);
}

void
gst_rec_whip_src_handle_offer (GstRecWhipSrc *self, WhipRequest *request)
{
  GstRecWebrtcSrc *src = GST_REC_WEBRTC_SRC (self);
  GError *error = NULL;
  const gchar *body;
  GstSDPMessage *offer;
  gsize length;

  if (!gst_rec_webrtc_src_is_accepting (src)) {
    whip_request_reply (request, 503, "The recorder is not running (yet).");
    return;
  }
  if (gst_rec_webrtc_src_get_session (src)) {
    whip_request_reply (request, 409,
        "Another publisher is connected. Stop it first, or publish to another "
        "recorder; a publisher that vanished is dropped after peer-timeout.");
    return;
  }
  body = whip_request_get_body (request, &length);
  offer = rtc_sdp_parse (body, length, &error);
  if (!offer) {
    reply_error (self, request, error);
    return;
  }
  /* A session that is still being drained ends in here, and with it only an
   * offer of its own. The answer comes later. */
  if (gst_rec_webrtc_src_answer (
          src, offer, whip_request_get_remote (request), &error))
    self->offer = request;
  else
    reply_error (self, request, error);
  gst_sdp_message_free (offer);
}

static void
gst_rec_whip_src_described (GstRecWebrtcSrc *src, RtcSession *session,
    const gchar *sdp, const GError *error)
{
  GstRecWhipSrc *self = GST_REC_WHIP_SRC (src);
  WhipRequest *request = g_steal_pointer (&self->offer);

  if (sdp) {
    gchar *answer =
        rtc_sdp_order_candidates (sdp, whip_request_get_local (request));
    gchar *refusals = gst_rec_webrtc_src_dup_refusals (src);

    whip_request_reply_created (request, rtc_session_get_id (session),
        rtc_session_get_etag (session), answer, refusals);
    g_free (refusals);
    g_free (answer);
    return;
  }
  whip_request_reply (request, 500, error->message);
  gst_rec_webrtc_src_end_session (src, error->message);
}

static gboolean
is_own_session (GstRecWhipSrc *self, WhipRequest *request)
{
  RtcSession *session =
      gst_rec_webrtc_src_get_session (GST_REC_WEBRTC_SRC (self));

  return session &&
      g_str_equal (
          rtc_session_get_id (session), whip_request_get_session_id (request));
}

static void
reply_no_session (WhipRequest *request)
{
  whip_request_reply (request, 404, "There is no such session (any more).");
}

void
gst_rec_whip_src_handle_remove (GstRecWhipSrc *self, WhipRequest *request)
{
  if (!is_own_session (self, request)) {
    reply_no_session (request);
    return;
  }
  whip_request_reply (request, 200, NULL);
  gst_rec_webrtc_src_drain_session (
      GST_REC_WEBRTC_SRC (self), "the publisher ended the session (DELETE)");
}

/* One of a list (RFC 9110 section 13.1.1), "*" for any. Weak ones and those
 * without quotes, which some clients send, count too: there is one ICE session,
 * and its name is never used again. */
static gboolean
etag_matches (RtcSession *session, const gchar *if_match)
{
  gchar **tags = g_strsplit (if_match, ",", 64);
  gboolean matches = FALSE;
  guint i;

  for (i = 0; tags[i] && !matches; i++) {
    gchar *tag = g_strstrip (tags[i]);
    gsize length;

    if (g_str_has_prefix (tag, "W/"))
      tag += 2;
    length = strlen (tag);
    if (length >= 2 && tag[0] == '"' && tag[length - 1] == '"') {
      tag[length - 1] = '\0';
      tag++;
    }
    matches = g_str_equal (tag, "*") ||
        g_str_equal (tag, rtc_session_get_etag (session));
  }
  g_strfreev (tags);
  return matches;
}

/* RFC 9725 section 4.3.3. */
static void
restart_ice (
    RtcSession *session, WhipRequest *request, const RtcIceFragment *fragment)
{
  gchar *answer = rtc_session_restart_ice (session, fragment), *ordered;

  if (!answer) {
    whip_request_reply (request, 501,
        "ICE cannot be restarted (it takes a=ice-ufrag and a=ice-pwd, and a "
        "recorder that was built with libnice). Publish anew instead.");
    return;
  }
  ordered = rtc_sdp_order_candidates (answer, whip_request_get_local (request));
  whip_request_reply_fragment (
      request, rtc_session_get_etag (session), ordered);
  g_free (ordered);
  g_free (answer);
}

void
gst_rec_whip_src_handle_patch (GstRecWhipSrc *self, WhipRequest *request)
{
  RtcSession *session =
      gst_rec_webrtc_src_get_session (GST_REC_WEBRTC_SRC (self));
  const gchar *if_match = whip_request_get_if_match (request);
  RtcIceFragment *fragment;
  GError *error = NULL;
  const gchar *body;
  gsize length;

  if (!is_own_session (self, request)) {
    reply_no_session (request);
    return;
  }
  body = whip_request_get_body (request, &length);
  fragment = rtc_ice_fragment_parse (body, length, &error);
  if (!fragment) {
    reply_error (self, request, error);
    return;
  }
  if (if_match && !etag_matches (session, if_match))
    whip_request_reply (
        request, 412, "If-Match does not name the current ICE session.");
  else if (rtc_session_add_fragment (session, fragment))
    whip_request_reply (request, 204, NULL);
  else
    restart_ice (session, request, fragment);
  rtc_ice_fragment_free (fragment);
}

/* --- on the HTTP thread --- */

static void
on_offer (WhipRequest *request, gpointer user_data)
{
  gst_rec_whip_src_hand_over (
      user_data, request, gst_rec_whip_src_handle_offer);
}

static void
on_patch (WhipRequest *request, gpointer user_data)
{
  gst_rec_whip_src_hand_over (
      user_data, request, gst_rec_whip_src_handle_patch);
}

static void
on_remove (WhipRequest *request, gpointer user_data)
{
  gst_rec_whip_src_hand_over (
      user_data, request, gst_rec_whip_src_handle_remove);
}

/* --- GstRecWebrtcSrc --- */

/* Credentials of a TURN server are for those only who had to bring a token. */
gchar **
gst_rec_whip_src_make_links (GstRecWhipSrc *self, gboolean authorized)
{
  GPtrArray *links = g_ptr_array_new ();
  gchar *stun = NULL, *turn = NULL, *link;

  g_object_get (self, "stun-server", &stun, "turn-server", &turn, NULL);
  if (stun && (link = rtc_sdp_ice_server_link (stun)))
    g_ptr_array_add (links, link);
  if (turn && authorized && (link = rtc_sdp_ice_server_link (turn)))
    g_ptr_array_add (links, link);
  g_free (stun);
  g_free (turn);
  g_ptr_array_add (links, NULL);
  return (gchar **)g_ptr_array_free (links, FALSE);
}

static void
set_taking_requests (GstRecWhipSrc *self, gboolean taking)
{
  GST_OBJECT_LOCK (self);
  self->taking_requests = taking;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
gst_rec_whip_src_open (GstRecWebrtcSrc *src, GError **error)
{
  static const WhipEndpointCallbacks callbacks = { on_offer, on_patch,
    on_remove };
  GstRecWhipSrc *self = GST_REC_WHIP_SRC (src);
  WhipEndpointConfig config = { .max_body = RTC_SDP_MAX_BYTES,
    .max_connections = MAX_CONNECTIONS,
    .max_offers = MAX_OFFERS_PER_SECOND,
    .idle_timeout = IDLE_TIMEOUT };
  WhipEndpoint *endpoint;
  gchar **links;
  gchar *url, *token;

  if (!self->listen) {
    set_taking_requests (self, TRUE);
    return TRUE;
  }
  if (!whip_token_load (self->auth_token, self->auth_token_file, &token, error))
    return FALSE;
  links = gst_rec_whip_src_make_links (self, token != NULL);
  /* These properties do not change from here on. */
  config.host = self->host;
  config.port = self->port;
  config.path = self->path;
  config.auth_token = token;
  config.cors_origins = self->cors_origins;
  config.tls_certificate = self->tls_certificate;
  config.tls_key = self->tls_key;
  config.ice_servers = (const gchar *const *)links;
  endpoint = whip_endpoint_new (&config, &callbacks, self, error);
  g_strfreev (links);
  g_free (token);
  if (!endpoint)
    return FALSE;
  GST_OBJECT_LOCK (self);
  self->endpoint = endpoint;
  GST_OBJECT_UNLOCK (self);
  url = whip_endpoint_dup_url (endpoint);
  GST_INFO_OBJECT (self, "publish to %s", url);
  g_free (url);
  g_object_notify (G_OBJECT (self), "url");
  return TRUE;
}

static void
gst_rec_whip_src_close (GstRecWebrtcSrc *src)
{
  GstRecWhipSrc *self = GST_REC_WHIP_SRC (src);
  WhipEndpoint *endpoint;

  GST_OBJECT_LOCK (self);
  endpoint = g_steal_pointer (&self->endpoint);
  self->taking_requests = FALSE;
  GST_OBJECT_UNLOCK (self);
  whip_endpoint_free (endpoint);
}

/* The session went before its offer was answered. */
static void
gst_rec_whip_src_ended (
    GstRecWebrtcSrc *src, const gchar *reason, gboolean connected)
{
  GstRecWhipSrc *self = GST_REC_WHIP_SRC (src);
  WhipRequest *request = g_steal_pointer (&self->offer);

  if (request)
    whip_request_reply (request, 503, reason);
}

/* --- GObject --- */

static void
gst_rec_whip_src_finalize (GObject *object)
{
  gst_rec_whip_src_free_props (GST_REC_WHIP_SRC (object));
  G_OBJECT_CLASS (gst_rec_whip_src_parent_class)->finalize (object);
}

static void
gst_rec_whip_src_class_init (GstRecWhipSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstRecWebrtcSrcClass *src_class = GST_REC_WEBRTC_SRC_CLASS (klass);

  object_class->finalize = gst_rec_whip_src_finalize;
  src_class->open = gst_rec_whip_src_open;
  src_class->close = gst_rec_whip_src_close;
  src_class->described = gst_rec_whip_src_described;
  src_class->ended = gst_rec_whip_src_ended;
  src_class->waits_for_peer = TRUE;
  gst_rec_whip_src_install_properties (object_class);
  gst_rec_whip_src_install_signals (klass);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "WHIP server source", "Source/Network",
      "Receives one WebRTC publisher at a time by WHIP (RFC 9725)",
      "The gst-tsrec authors");
  GST_DEBUG_CATEGORY_INIT (
      rec_whip_src_debug, "recwhipsrc", 0, "WHIP server source");
  src_class->category = rec_whip_src_debug;
}

static void
gst_rec_whip_src_init (GstRecWhipSrc *self)
{
  gst_rec_whip_src_init_props (self);
}
