/* gst-tsrec: a listening socket, its thread and its paths
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Private to whipendpoint.c and whiprequest.c. The number of connections is
 * limited, and a connection that stays silent for too long is closed before
 * anything is parsed.
 */

#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _WhipListener WhipListener;

/* Called on the server's thread, twice per request: after its headers (@early
 * is TRUE; setting a status refuses the request), and after its body. */
typedef void (*WhipListenerHandler) (gpointer path_data, WhipListener *server,
    SoupServerMessage *msg, const gchar *session_id, gboolean early);

/**
 * WhipListenerConfig: see #WhipEndpointConfig
 */
typedef struct
{
  const gchar *host;
  guint port;
  const gchar *tls_certificate;
  const gchar *tls_key;
  guint max_connections;
  guint idle_timeout;
} WhipListenerConfig;

/* Listens, or uses the server that this process has at that host and port, and
 * claims @path on it. Any thread. Returns NULL with @error on failure. */
WhipListener *whip_listener_claim (const WhipListenerConfig *config,
    const gchar *path, WhipListenerHandler handler, gpointer path_data,
    GError **error);

/* Releases @path. @handler is not running and will not run after this.
 * Releasing the last path closes the socket. Not from the server's own
 * thread. */
void whip_listener_release (WhipListener *server, const gchar *path);

/* For a request that outlives its path. */
WhipListener *whip_listener_ref (WhipListener *server);
void whip_listener_unref (WhipListener *server);

guint whip_listener_get_port (WhipListener *server);
gboolean whip_listener_is_tls (WhipListener *server);

/* Runs @function on the server's thread, or only @destroy if that thread has
 * stopped. Any thread. */
void whip_listener_invoke (WhipListener *server, GSourceFunc function,
    gpointer data, GDestroyNotify destroy);

G_END_DECLS
