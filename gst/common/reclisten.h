/* gst-tsrec: the port of an HTTP server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Address and certificate of the HTTP servers of this project. Any thread.
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Lets @listener accept TCP connections on @host (a name or an address) and @port
 * (0: any). Returns the port; 0 with @error, a sentence for the user. Blocks while
 * @host is looked up. */
guint rec_listen_on (
    GSocketListener *listener, const gchar *host, guint port, GError **error);

/* Loads the certificate and the private key from PEM files. @key NULL: it is in
 * the file @certificate. Both NULL: *@loaded is NULL, for plain HTTP. Returns
 * FALSE with @error, which names the properties tls-certificate and tls-key. */
gboolean rec_listen_load_certificate (const gchar *certificate,
    const gchar *key, GTlsCertificate **loaded, GError **error);

/* Closes a connection, with TLS or without, at once: the client finds it broken
 * off, and what it had not taken is lost. g_io_stream_close() alone waits until
 * the client has taken a TLS close_notify, and so forever if it reads nothing. */
void rec_listen_cut_off (GIOStream *connection);

G_END_DECLS
