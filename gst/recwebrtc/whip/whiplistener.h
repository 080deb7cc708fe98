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

typedef struct _WhipServer WhipServer;

/* Called on the server's thread: once when the headers are there
 * (@early TRUE; setting a status refuses the request), once with the body. */
typedef void (*WhipServerHandler) (gpointer path_data, WhipServer *server,
    SoupServerMessage *msg, const gchar *session_id, gboolean early);

/**
 * WhipServerConfig: see #WhipEndpointConfig
 */
typedef struct
{
  const gchar *host;
  guint port;
  const gchar *tls_certificate;
  const gchar *tls_key;
  guint max_connections;
  guint idle_timeout;
} WhipServerConfig;

/* Listens, or joins the server that this process already has at that host and
 * port, and claims @path on it. Any thread. NULL with @error. */
WhipServer *whip_server_claim (const WhipServerConfig *config,
    const gchar *path, WhipServerHandler handler, gpointer path_data,
    GError **error);

/* Gives @path up; @handler is not running and will not run after this. The
 * last path closes the socket. Not from the server's own thread. */
void whip_server_release (WhipServer *server, const gchar *path);

/* For a request that outlives its path. */
WhipServer *whip_server_ref (WhipServer *server);
void whip_server_unref (WhipServer *server);

guint whip_server_get_port (WhipServer *server);
gboolean whip_server_is_tls (WhipServer *server);

/* Runs @function on the server's thread, or only @destroy when that has
 * stopped. Any thread. */
void whip_server_invoke (WhipServer *server, GSourceFunc function,
    gpointer data, GDestroyNotify destroy);

G_END_DECLS
