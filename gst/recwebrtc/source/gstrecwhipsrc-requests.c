/* gst-tsrec: requests that an HTTP server of the application has received
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecwhipsrc-private.h"

#include <string.h>

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
  request = whip_request_new (&fields, on_reply, gst_promise_ref (promise));
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
    { "POST", FALSE, gst_rec_whip_src_handle_offer },
    { "PATCH", TRUE, gst_rec_whip_src_handle_patch },
    { "DELETE", TRUE, gst_rec_whip_src_handle_remove },
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
  /* With the lock, so that it is queued before the control thread is stopped.
   */
  GST_OBJECT_LOCK (self);
  taken = self->taking_requests;
  if (taken)
    gst_rec_whip_src_hand_over (self, request, methods[i].handle);
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
   * @request: (type GstStructure): "method" (string: POST, PATCH, DELETE),
   *   "session-id" (string; none with POST), "body" (string), "if-match"
   *   (string, the header), "local" and "remote" (strings, numeric addresses of
   *   the connection), "authorized" (gboolean, default FALSE: whether the client
   *   has brought a token, so that it may see credentials of a TURN server)
   * @promise: (type GstPromise): gets "status" (guint, of HTTP), "links" (strv,
   *   values of Link headers) and, where they apply, "content-type" and "body"
   *   (strings), "session-id" (string, with 201: the last component of the
   *   Location), "etag" (string, without quotes) and "warning" (string, value of
   *   a Warning header)
   *
   * Handles a request of a WHIP publisher (RFC 9725) that a server of the
   * application has received, and has checked as far as path, token, content
   * type and origin go. Returns at once; the promise is replied to from any
   * thread, also with an error, exactly once. Any thread may emit it.
   */
  g_signal_new_class_handler ("handle-request", G_TYPE_FROM_CLASS (klass),
      G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION,
      G_CALLBACK (gst_rec_whip_src_handle_request), NULL, NULL, NULL,
      G_TYPE_NONE, 2, GST_TYPE_STRUCTURE | G_SIGNAL_TYPE_STATIC_SCOPE,
      GST_TYPE_PROMISE | G_SIGNAL_TYPE_STATIC_SCOPE);
}
