/* gst-tsrec: the HTTP side of a WHIP server (RFC 9725)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An endpoint is one path on one listening socket. Endpoints of one process
 * that name the same host and port share the socket, a thread and its
 * GMainContext. Everything that can be decided from the request alone
 * (unknown path, method, token, content type, size, rate) is answered here;
 * the rest goes to the callbacks, as strings.
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _WhipEndpoint WhipEndpoint;
typedef struct _WhipRequest WhipRequest;

/**
 * WhipEndpointConfig:
 * @host: address to listen on, numeric or a name; "0.0.0.0" and "::" are all
 * @port: TCP port, 0 picks a free one
 * @path: begins with "/"
 * @auth_token: bearer token that clients must bring, or NULL
 * @cors_origins: origins of web pages that may use the endpoint, separated by
 *   commas, "*" for all; NULL: none
 * @ice_servers: values for Link headers (RFC 9725 section 4.6), or NULL
 * @tls_certificate: PEM file, NULL for plain HTTP
 * @tls_key: PEM file of the private key; NULL: it is in @tls_certificate
 * @max_body: bytes a request's body may have
 * @max_connections: connections open at a time on the socket
 * @max_offers: offers answered per second on this endpoint
 * @idle_timeout: seconds until a connection that says nothing is closed
 *
 * Strings are copied.
 */
typedef struct
{
  const gchar *host;
  guint port;
  const gchar *path;
  const gchar *auth_token;
  const gchar *cors_origins;
  const gchar *const *ice_servers;
  const gchar *tls_certificate;
  const gchar *tls_key;
  gsize max_body;
  guint max_connections;
  guint max_offers;
  guint idle_timeout;
} WhipEndpointConfig;

/**
 * WhipEndpointCallbacks:
 * @offer: POST of an offer
 * @patch: PATCH of a session with a trickle-ice-sdpfrag
 * @remove: DELETE of a session
 *
 * Called on the thread of the socket; must not block. Each takes ownership of
 * the request and answers it, at once or later and from any thread, with
 * exactly one of the reply functions.
 */
typedef struct
{
  void (*offer) (WhipRequest *request, gpointer user_data);
  void (*patch) (WhipRequest *request, gpointer user_data);
  void (*remove) (WhipRequest *request, gpointer user_data);
} WhipEndpointCallbacks;

/* Listens. NULL with @error saying what to do when the port is in use, the
 * path is taken by another endpoint, or a file cannot be read. */
WhipEndpoint *whip_endpoint_new (const WhipEndpointConfig *config,
    const WhipEndpointCallbacks *callbacks, gpointer user_data, GError **error);

/* No callback runs after this has returned; the socket is closed with the last
 * endpoint on it. Requests that are still unanswered may be answered later, to
 * nobody. Not from a callback. */
void whip_endpoint_free (WhipEndpoint *endpoint);

/* URL that clients use. Caller frees. */
gchar *whip_endpoint_dup_url (WhipEndpoint *endpoint);

/* Changes the token while running; any thread. */
void whip_endpoint_set_auth_token (WhipEndpoint *endpoint, const gchar *token);

/* Requests refused here, without asking the callbacks; any thread. */
guint64 whip_endpoint_get_refused (WhipEndpoint *endpoint);

/**
 * WhipRequestFields:
 * @session_id: of a PATCH or DELETE; NULL for an offer
 * @body: @body_length bytes; NULL when @body_length is 0
 * @if_match: If-Match header, or NULL
 * @local: numeric address of ours that the client has connected to, or NULL
 * @remote: numeric address of the client, or NULL
 * @ice_servers: values for Link headers of the answer, or NULL
 *
 * A request that came by another way than a socket of an endpoint. Copied.
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
 * @session_id: last component of the session's URL; set with 201 only
 * @etag: without quotes, or NULL
 * @warning: value of a Warning header, or NULL
 * @links: values of Link headers, NULL-terminated, empty unless 201
 *
 * Valid during the call only.
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

/* A request that no endpoint has received: its reply goes to @func. The reply
 * functions take it like any other. Any thread. */
WhipRequest *whip_request_new (
    const WhipRequestFields *fields, WhipReplyFunc func, gpointer user_data);

/* All are valid until the request is answered. */
const gchar *whip_request_get_body (WhipRequest *request, gsize *length);
/* Last part of the path; NULL in an offer. */
const gchar *whip_request_get_session_id (WhipRequest *request);
/* Our address that the client has connected to; NULL when unknown. */
const gchar *whip_request_get_local (WhipRequest *request);
/* Address of the client. */
const gchar *whip_request_get_remote (WhipRequest *request);
/* If-Match header, or NULL. */
const gchar *whip_request_get_if_match (WhipRequest *request);

/* 201 to an offer. @etag: without quotes, names the ICE session. @warning: a
 * sentence on what of the offer is not taken, for a Warning header (RFC 7234
 * section 5.5), or NULL. */
void whip_request_reply_created (WhipRequest *request, const gchar *session_id,
    const gchar *etag, const gchar *answer, const gchar *warning);
/* 200 to a PATCH that restarts ICE. */
void whip_request_reply_fragment (
    WhipRequest *request, const gchar *etag, const gchar *fragment);
/* @status and a sentence a person can read, which may be NULL. With 503 and
 * 429 the client is told to come back in a second. */
void whip_request_reply (
    WhipRequest *request, guint status, const gchar *reason);

G_END_DECLS
