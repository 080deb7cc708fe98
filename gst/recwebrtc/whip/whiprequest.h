/* gst-tsrec: one request to a WHIP endpoint, and its answer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * WhipEndpoint passes requests to its callbacks, which own them. A request
 * that an application has received is made by whip_request_new_from_fields().
 * A request is answered with exactly one of the reply functions, which consume it. Any
 * thread, one at a time.
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _WhipRequest WhipRequest;

/**
 * WhipRequestFields:
 * @session_id: of a PATCH or DELETE; NULL for an offer
 * @body: @body_length bytes; may be NULL if @body_length is 0
 * @if_match: If-Match header, or NULL
 * @local: our numeric address that the client has connected to, or NULL
 * @remote: numeric address of the client, or NULL
 * @ice_servers: values for Link headers of the answer, or NULL
 *
 * A request that was not received by an endpoint.
 */
typedef struct
{
  const gchar *session_id;
  const gchar *body;
  gsize body_length;
  const gchar *if_match;
  const gchar *local;
  const gchar *remote;
  const gchar *const *ice_servers;
} WhipRequestFields;

/**
 * WhipReply:
 * @status: HTTP status
 * @type: content type of @text
 * @text: body, or NULL
 * @session_id: last component of the URL of the session with status 201,
 *   otherwise NULL
 * @etag: without quotes, or NULL
 * @warning: value of a Warning header, or NULL
 * @links: values of Link headers, ends with NULL, empty unless @status is 201
 *
 * Valid only during the call.
 */
typedef struct
{
  guint status;
  const gchar *type;
  const gchar *text;
  const gchar *session_id;
  const gchar *etag;
  const gchar *warning;
  const gchar *const *links;
} WhipReply;

/* Called once, on the thread that answers. */
typedef void (*WhipReplyFunc) (const WhipReply *reply, gpointer user_data);

/* Returns a request whose answer goes to @func. @fields is copied. Any thread.
 */
WhipRequest *whip_request_new_from_fields (
    const WhipRequestFields *fields, WhipReplyFunc func, gpointer user_data);

/* The strings are valid until the request is answered. */

const gchar *whip_request_get_body (WhipRequest *request, gsize *length);
/* Returns the last part of the path, or NULL for an offer. */
const gchar *whip_request_get_session_id (WhipRequest *request);
/* Returns our address that the client has connected to, or NULL if unknown. */
const gchar *whip_request_get_local (WhipRequest *request);
/* Returns the address of the client. */
const gchar *whip_request_get_remote (WhipRequest *request);
/* Returns FALSE if the request has an If-Match header (RFC 9110 section
 * 13.1.1) that does not list @etag, which has no quotes. */
gboolean whip_request_accepts_etag (WhipRequest *request, const gchar *etag);

/* Answers an offer with 201. @etag: without quotes, identifies the ICE
 * session.
 * @warning: a sentence for a Warning header (RFC 7234 section 5.5) about
 *   parts of the offer that are not used, or NULL. */
void whip_request_reply_created (WhipRequest *request, const gchar *session_id,
    const gchar *etag, const gchar *answer, const gchar *warning);
/* Answers a PATCH that restarts ICE with 200. */
void whip_request_reply_fragment (
    WhipRequest *request, const gchar *etag, const gchar *fragment);
/* Answers with @status and a sentence for people, which may be NULL. 503 and
 * 429 ask the client to try again in one second. */
void whip_request_reply (
    WhipRequest *request, guint status, const gchar *reason);

G_END_DECLS
