/* gst-tsrec: the listening socket of the recording service
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Bounds what connections can take: how many there are, in all and of one
 * address; how long a request may take to arrive; how long a client may take
 * nothing of an answer. When one more comes than there may be, the one that has
 * made no progress for longest goes, so that thousands of idle ones keep
 * nobody out. On the thread of the GMainContext it was made on only.
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

/* Called once when the headers are there (@early; setting a status refuses the
 * request) and, unless it was refused, once when the body is. */
typedef void (*RecServerListenerFunc) (
    SoupServerMessage *msg, gboolean early, gpointer user_data);

/* NULL with @error, which says what to do. */
RecServerListener *rec_server_listener_new (
    const RecServerListenerConfig *config, RecServerListenerFunc func,
    gpointer user_data, GError **error);
/* Closes every connection; @func is not called any more. What still has a
 * reference, as a request whose answer is being made, may go on using it. */
void rec_server_listener_close (RecServerListener *listener);
RecServerListener *rec_server_listener_ref (RecServerListener *listener);
void rec_server_listener_unref (RecServerListener *listener);

guint rec_server_listener_get_port (RecServerListener *listener);
gboolean rec_server_listener_is_tls (RecServerListener *listener);
guint rec_server_listener_get_connections (RecServerListener *listener);

/* Whether an answer to @msg is still being made, so that the time until it
 * begins is not the client's fault. */
void rec_server_listener_set_working (
    RecServerListener *listener, SoupServerMessage *msg, gboolean working);

/* Cuts the connection of @msg off. */
void rec_server_listener_drop (
    RecServerListener *listener, SoupServerMessage *msg);

G_END_DECLS
