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
 * (0: any). Returns the port; 0 with @error. Blocks while @host is looked up. */
guint rec_listen_on (
    GSocketListener *listener, const gchar *host, guint port, GError **error);

/* Loads the certificate and the private key from PEM files. @key NULL: it is in
 * the file @certificate. Both NULL: *@loaded is NULL, for plain HTTP. Returns
 * FALSE with @error, which names the properties tls-certificate and tls-key. */
gboolean rec_listen_load_certificate (const gchar *certificate,
    const gchar *key, GTlsCertificate **loaded, GError **error);

/* Closes @stream at once, so that the peer notices that what it gets is
 * incomplete. Closing a TLS connection would wait until the peer has taken its
 * close_notify; this does not. */
void rec_listen_cut_off (GIOStream *stream);

G_END_DECLS
