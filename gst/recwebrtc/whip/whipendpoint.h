/* gst-tsrec: the HTTP side of a WHIP server (RFC 9725)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An endpoint is one path on one listening socket. Endpoints of one process
 * with the same host and port share the socket, a thread and its GMainContext.
 * Requests that can be refused without knowledge of sessions (unknown path,
 * method, token, content type, size, rate) are answered here. The other
 * requests are passed to the callbacks.
 */

#pragma once

#include "whiprequest.h"

G_BEGIN_DECLS

typedef struct _WhipEndpoint WhipEndpoint;

/**
 * WhipEndpointConfig:
 * @host: address to listen on, numeric or a name; "0.0.0.0" and "::" are all
 *   addresses
 * @port: TCP port, 0 selects a free one
 * @path: begins with "/"
 * @auth_token: bearer token that clients must send, or NULL
 * @cors_origins: origins of web pages that may use the endpoint, separated by
 *   commas, "*" for all; NULL: none
 * @ice_servers: values of Link headers (RFC 9725 section 4.6), or NULL
 * @tls_certificate: PEM file, NULL for plain HTTP
 * @tls_key: PEM file of the private key; NULL: it is in @tls_certificate
 * @max_body: maximum size of the body of a request, bytes
 * @max_connections: maximum number of open connections on the socket
 * @max_offers: maximum number of offers per second on this endpoint
 * @idle_timeout: seconds after which a silent connection is closed
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
 * Called on the thread of the socket; must not block. Each callback takes
 * ownership of the request and answers it with exactly one reply function, at
 * once or later, on any thread.
 */
typedef struct
{
  void (*offer) (WhipRequest *request, gpointer user_data);
  void (*patch) (WhipRequest *request, gpointer user_data);
  void (*remove) (WhipRequest *request, gpointer user_data);
} WhipEndpointCallbacks;

/* Starts to listen. Returns NULL with @error, including advice, if the port is
 * in use, another endpoint has the path, or a file cannot be read. */
WhipEndpoint *whip_endpoint_new (const WhipEndpointConfig *config,
    const WhipEndpointCallbacks *callbacks, gpointer user_data, GError **error);

/* No callback runs after this function has returned. The last endpoint on a
 * socket closes it. Pending requests may be answered later; the answers are
 * discarded. Not from a callback. */
void whip_endpoint_free (WhipEndpoint *endpoint);

/* Returns the URL for clients. Caller frees. */
gchar *whip_endpoint_dup_url (WhipEndpoint *endpoint);

G_END_DECLS
