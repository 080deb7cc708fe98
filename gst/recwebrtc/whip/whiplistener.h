/* gst-tsrec: a listening socket, its thread and the paths on it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Private to whipendpoint.c. Connections are bounded in number and in the time
 * they may stay silent, before anything is parsed.
 */

#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _WhipListener WhipListener;

/* Called on the server's thread: once when the headers are there
 * (@early TRUE; setting a status refuses the request), once with the body. */
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

/* Listens, or joins the server that this process already has at that host and
 * port, and claims @path on it. Any thread. NULL with @error. */
WhipListener *whip_listener_claim (const WhipListenerConfig *config,
    const gchar *path, WhipListenerHandler handler, gpointer path_data,
    GError **error);

/* Gives @path up; @handler is not running and will not run after this. The
 * last path closes the socket. Not from the server's own thread. */
void whip_listener_release (WhipListener *server, const gchar *path);

/* For a request that outlives its path. */
WhipListener *whip_listener_ref (WhipListener *server);
void whip_listener_unref (WhipListener *server);

guint whip_listener_get_port (WhipListener *server);
gboolean whip_listener_is_tls (WhipListener *server);

/* Runs @function on the server's thread, or only @destroy when that has
 * stopped. Any thread. */
void whip_listener_invoke (WhipListener *server, GSourceFunc function,
    gpointer data, GDestroyNotify destroy);

G_END_DECLS
