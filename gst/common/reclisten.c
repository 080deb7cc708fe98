/* gst-tsrec: the port of an HTTP server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "reclisten.h"

#include <string.h>

static guint
listen_on (
    GSocketListener *listener, const gchar *host, guint port, GError **error)
{
  GResolver *resolver = g_resolver_get_default ();
  GList *addresses = g_resolver_lookup_by_name (resolver, host, NULL, error);
  GSocketAddress *wanted, *bound = NULL;
  guint got = 0;

  g_object_unref (resolver);
  if (!addresses)
    return 0;
  wanted = g_inet_socket_address_new (addresses->data, (guint16)port);
  if (g_socket_listener_add_address (listener, wanted, G_SOCKET_TYPE_STREAM,
          G_SOCKET_PROTOCOL_TCP, NULL, &bound, error))
    got = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  g_clear_object (&bound);
  g_object_unref (wanted);
  g_resolver_free_addresses (addresses);
  return got;
}

guint
rec_listen_on (
    GSocketListener *listener, const gchar *host, guint port, GError **error)
{
  GError *reason = NULL;
  guint got = listen_on (listener, host, port, &reason);

  if (got > 0)
    return got;
  g_set_error (error, reason->domain, reason->code,
      "Could not listen on %s port %u: %s. Stop the program that uses the "
      "port, or set host and port to others (port 0 picks a free one).",
      host, port, reason->message);
  g_error_free (reason);
  return 0;
}

/* Without one, every handshake would fail. */
static gboolean
has_key (GTlsCertificate *certificate)
{
  gchar *pem = NULL;

  g_object_get (certificate, "private-key-pem", &pem, NULL);
  if (!pem)
    return FALSE;
  memset (pem, 0, strlen (pem));
  g_free (pem);
  return TRUE;
}

gboolean
rec_listen_load_certificate (const gchar *certificate, const gchar *key,
    GTlsCertificate **loaded, GError **error)
{
  GError *reason = NULL;

  *loaded = NULL;
  if (!certificate && !key)
    return TRUE;
  if (!certificate) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "There is a TLS key and no certificate, so that this would be plain "
        "HTTP. Set tls-certificate too, or tls-key to none.");
    return FALSE;
  }
  *loaded = key ? g_tls_certificate_new_from_files (certificate, key, &reason)
                : g_tls_certificate_new_from_file (certificate, &reason);
  if (*loaded && has_key (*loaded))
    return TRUE;
  if (*loaded) {
    g_clear_object (loaded);
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "The TLS certificate \"%s\" comes without a private key. Set "
        "tls-key to the PEM file with its key.",
        certificate);
    return FALSE;
  }
  g_set_error (error, reason->domain, reason->code,
      "Could not load the TLS certificate \"%s\" with the key \"%s\": %s. Set "
      "tls-certificate and tls-key to PEM files that can be read.",
      certificate, key ? key : certificate, reason->message);
  g_error_free (reason);
  return FALSE;
}

void
rec_listen_cut_off (GIOStream *stream)
{
  GIOStream *base = NULL;

  if (G_IS_TLS_CONNECTION (stream))
    g_object_get (stream, "base-io-stream", &base, NULL);
  else
    base = g_object_ref (stream);
  if (G_IS_SOCKET_CONNECTION (base))
    g_socket_shutdown (
        g_socket_connection_get_socket (G_SOCKET_CONNECTION (base)), TRUE, TRUE,
        NULL);
  g_io_stream_close (stream, NULL, NULL);
  g_clear_object (&base);
}
