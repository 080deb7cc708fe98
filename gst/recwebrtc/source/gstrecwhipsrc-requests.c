/* gst-tsrec: the requests of publishers that recwhipsrc handles
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecwhipsrc-private.h"

#include <string.h>

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

static void
hand_over (GstRecWhipSrc *self, WhipRequest *request,
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
  GST_CAT_WARNING_OBJECT (GST_REC_WEBRTC_SRC_GET_CLASS (self)->category, self,
      "offer of %s refused: %s", whip_request_get_remote (request),
      error->message);
  whip_request_reply (request, status_of (error), error->message);
  g_error_free (error);
}

static void
handle_offer (GstRecWhipSrc *self, WhipRequest *request)
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
  /* This ends a session that is still being drained; only such a session has no
   * offer of its own. The answer follows later. */
  if (gst_rec_webrtc_src_answer (
          src, offer, whip_request_get_remote (request), &error))
    self->offer = request;
  else
    reply_error (self, request, error);
  gst_sdp_message_free (offer);
}

void
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

void
gst_rec_whip_src_ended (
    GstRecWebrtcSrc *src, const gchar *reason, gboolean connected)
{
  GstRecWhipSrc *self = GST_REC_WHIP_SRC (src);
  WhipRequest *request = g_steal_pointer (&self->offer);

  if (request)
    whip_request_reply (request, 503, reason);
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

static void
handle_remove (GstRecWhipSrc *self, WhipRequest *request)
{
  if (!is_own_session (self, request)) {
    reply_no_session (request);
    return;
  }
  whip_request_reply (request, 200, NULL);
  gst_rec_webrtc_src_drain_session (
      GST_REC_WEBRTC_SRC (self), "the publisher ended the session (DELETE)");
}

/* RFC 9725 section 4.3.3. */
static void
restart_ice (
    RtcSession *session, WhipRequest *request, const RtcIceFragment *fragment)
{
  gchar *answer = rtc_session_restart_ice (session, fragment), *ordered;

  if (!answer) {
    whip_request_reply (request, 501,
        "ICE cannot be restarted: this needs a=ice-ufrag and a=ice-pwd, and a "
        "recorder that was built with libnice. Publish again instead.");
    return;
  }
  ordered = rtc_sdp_order_candidates (answer, whip_request_get_local (request));
  whip_request_reply_fragment (
      request, rtc_session_get_etag (session), ordered);
  g_free (ordered);
  g_free (answer);
}

static void
handle_patch (GstRecWhipSrc *self, WhipRequest *request)
{
  RtcSession *session =
      gst_rec_webrtc_src_get_session (GST_REC_WEBRTC_SRC (self));
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
  if (!whip_request_accepts_etag (request, rtc_session_get_etag (session)))
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
  hand_over (user_data, request, handle_offer);
}

static void
on_patch (WhipRequest *request, gpointer user_data)
{
  hand_over (user_data, request, handle_patch);
}

static void
on_remove (WhipRequest *request, gpointer user_data)
{
  hand_over (user_data, request, handle_remove);
}

const WhipEndpointCallbacks gst_rec_whip_src_callbacks = { on_offer, on_patch,
  on_remove };

/* --- requests that the application passes on --- */

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
on_reply (const WhipReply *reply, gpointer user_data)
{
  GstPromise *promise = user_data;
  GstStructure *s =
      gst_structure_new ("application/x-recwhipsrc-reply", "status",
          G_TYPE_UINT, reply->status, "links", G_TYPE_STRV, reply->links, NULL);

  if (reply->text)
    gst_structure_set (s, "content-type", G_TYPE_STRING, reply->type, "body",
        G_TYPE_STRING, reply->text, NULL);
  if (reply->session_id)
    gst_structure_set (s, "session-id", G_TYPE_STRING, reply->session_id, NULL);
  if (reply->etag)
    gst_structure_set (s, "etag", G_TYPE_STRING, reply->etag, NULL);
  if (reply->warning)
    gst_structure_set (s, "warning", G_TYPE_STRING, reply->warning, NULL);
  gst_promise_reply (promise, s);
  gst_promise_unref (promise);
}

static WhipRequest *
request_from_structure (
    GstRecWhipSrc *self, const GstStructure *s, GstPromise *promise)
{
  WhipRequestFields fields = { .session_id =
                                   gst_structure_get_string (s, "session-id"),
    .body = gst_structure_get_string (s, "body"),
    .if_match = gst_structure_get_string (s, "if-match"),
    .local = gst_structure_get_string (s, "local"),
    .remote = gst_structure_get_string (s, "remote") };
  gboolean authorized = FALSE;
  WhipRequest *request;
  gchar **links;

  gst_structure_get_boolean (s, "authorized", &authorized);
  links = gst_rec_whip_src_make_links (self, authorized);
  fields.body_length = fields.body ? strlen (fields.body) : 0;
  fields.ice_servers = (const gchar *const *)links;
  request = whip_request_new_from_fields (
      &fields, on_reply, gst_promise_ref (promise));
  g_strfreev (links);
  return request;
}

static void
gst_rec_whip_src_handle_request (
    GstRecWhipSrc *self, const GstStructure *s, GstPromise *promise)
{
  static const struct
  {
    const gchar *method;
    gboolean in_session;
    void (*handle) (GstRecWhipSrc *self, WhipRequest *request);
  } methods[] = {
    { "POST", FALSE, handle_offer },
    { "PATCH", TRUE, handle_patch },
    { "DELETE", TRUE, handle_remove },
  };
  const gchar *method = gst_structure_get_string (s, "method");
  WhipRequest *request = request_from_structure (self, s, promise);
  gboolean taken = FALSE;
  guint i = 0;

  while (
      i < G_N_ELEMENTS (methods) && g_strcmp0 (method, methods[i].method) != 0)
    i++;
  if (i == G_N_ELEMENTS (methods) ||
      methods[i].in_session !=
          (whip_request_get_session_id (request) != NULL)) {
    whip_request_reply (request, 405,
        "An endpoint takes POST, a session takes PATCH and DELETE.");
    return;
  }
  /* Under the lock, so that the request is queued before close() stops the
   * control thread. */
  GST_OBJECT_LOCK (self);
  taken = self->taking_requests;
  if (taken)
    hand_over (self, request, methods[i].handle);
  GST_OBJECT_UNLOCK (self);
  if (!taken)
    whip_request_reply (request, 503, "The recorder is not running (yet).");
}

void
gst_rec_whip_src_install_signals (GstRecWhipSrcClass *klass)
{
  /**
   * GstRecWhipSrc::handle-request:
   * @self: the element, PAUSED or PLAYING, with #GstRecWhipSrc:listen FALSE
   * @request: (type GstStructure): "method" (string: POST, PATCH or DELETE),
   *   "session-id" (string, not with POST), "body" (string), "if-match"
   *   (string, the header), "local" and "remote" (strings, numeric addresses of
   *   the connection), "authorized" (gboolean, default FALSE: the client sent a
   *   token, so the answer may contain the credentials of a TURN server)
   * @promise: (type GstPromise): receives "status" (guint, HTTP status) and
   *   "links" (strv, values of Link headers); depending on the answer also
   *   "content-type" and "body" (strings), "session-id" (string, with 201: the
   *   last component of the Location), "etag" (string, without quotes) and
   *   "warning" (string, value of a Warning header)
   *
   * Handles a request of a WHIP publisher (RFC 9725) that an HTTP server of the
   * application has received. The application has checked path, token, content
   * type and origin. Returns at once. The promise is replied to exactly once,
   * also after an error, from any thread. May be emitted from any thread.
   */
  g_signal_new_class_handler ("handle-request", G_TYPE_FROM_CLASS (klass),
      G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION,
      G_CALLBACK (gst_rec_whip_src_handle_request), NULL, NULL, NULL,
      G_TYPE_NONE, 2, GST_TYPE_STRUCTURE | G_SIGNAL_TYPE_STATIC_SCOPE,
      GST_TYPE_PROMISE | G_SIGNAL_TYPE_STATIC_SCOPE);
}
