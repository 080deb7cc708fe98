/* gst-tsrec: the listening socket of the recording service
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Limits the number of connections, in total and per address, the time in which
 * a request must arrive, and the time without progress of a response. A
 * connection beyond the limit replaces the one that has made no progress for
 * longest, so thousands of idle connections lock nobody out. Use it only on the
 * thread of the GMainContext that it was created on.
 */

#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _RecServerListener RecServerListener;

/**
 * RecServerListenerConfig:
 * @host: a numeric address or a name
 * @port: 0 picks a free one
 * @tls_certificate: PEM file, NULL: plain HTTP
 * @tls_key: PEM file, NULL: it is in @tls_certificate
 */
typedef struct
{
  const gchar *host;
  guint port;
  const gchar *tls_certificate;
  const gchar *tls_key;
  guint max_connections;
} RecServerListenerConfig;

/* Called when the headers have arrived (@early; setting a status refuses the
 * request) and, unless it was refused, again when the body has. */
typedef void (*RecServerListenerFunc) (
    SoupServerMessage *msg, gboolean early, gpointer user_data);

/* Returns NULL with @error, which contains advice. */
RecServerListener *rec_server_listener_new (
    const RecServerListenerConfig *config, RecServerListenerFunc func,
    gpointer user_data, GError **error);
/* Closes every connection; @func is not called again. Holders of a reference,
 * such as a paused request, may continue to use the listener. */
void rec_server_listener_close (RecServerListener *listener);
RecServerListener *rec_server_listener_ref (RecServerListener *listener);
void rec_server_listener_unref (RecServerListener *listener);

/* Takes what may change of @config: of the TLS certificate, which new connections
 * get, and the number of connections. FALSE with @error, and nothing changes, if
 * the certificate cannot be loaded. */
gboolean rec_server_listener_reconfigure (RecServerListener *listener,
    const RecServerListenerConfig *config, GError **error);

guint rec_server_listener_get_port (RecServerListener *listener);
gboolean rec_server_listener_is_tls (RecServerListener *listener);
guint rec_server_listener_get_connections (RecServerListener *listener);

/* @working: the response to @msg is being prepared, so the client is not timed
 * out. */
void rec_server_listener_set_working (
    RecServerListener *listener, SoupServerMessage *msg, gboolean working);

/* Closes the connection of @msg at once, so that the client notices that what it
 * gets is incomplete. Does not wait for the client. */
void rec_server_listener_cut_off (SoupServerMessage *msg);

G_END_DECLS
