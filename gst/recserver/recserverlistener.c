/* gst-tsrec: the listening socket of the recording service
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverlistener.h"
#include "reclisten.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* Seconds */
#define SWEEP 1
#define MAX_STEP (3 * SWEEP * G_USEC_PER_SEC / 2)
#define MAX_IDLE 20    /* without a byte of a request */
#define MAX_ARRIVAL 10 /* from the first byte of a request to its last */
#define MAX_STUCK 60   /* without a byte of the answer being taken */

typedef struct
{
  RecServerListener *listener;
  GObject *stream; /* weak; NULL when it is gone */
  GSocket *socket;
  GSocketAddress *address; /* of the peer: of this connection alone */
  gchar *remote;           /* the same in words, without the port */
  gboolean answering;      /* FALSE: a request is arriving, or none is there */
  gboolean working;
  gint64 since;    /* of the last progress, on the listener's clock */
  gint64 arriving; /* since the first byte of the request, 0: none yet */
  guint64 bytes;   /* the count at @since, of the direction that matters */
} Connection;

struct _RecServerListener
{
  grefcount refcount;
  RecServerListenerFunc func;
  gpointer user_data;
  GTlsCertificate *certificate;
  SoupServer *soup;
  GSocketService *service;
  GHashTable *connections; /* GSocketAddress of the peer → Connection, which it
                            * owns */
  GSource *sweep;
  /* µs; stands still while this thread does, so that a busy machine is not taken
   * for slow clients */
  gint64 clock;
  gint64 swept_at; /* monotonic */
  guint max_connections;
  guint port;
};

/* --- progress --- */

/* Bytes received (@sent FALSE), or acknowledged by the peer (@sent TRUE). */
static guint64
count_bytes (GSocket *socket, gboolean sent)
{
  struct tcp_info info = { 0 };
  socklen_t length = sizeof (info);

  if (getsockopt (
          g_socket_get_fd (socket), IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
    return 0;
  return sent ? info.tcpi_bytes_acked : info.tcpi_bytes_received;
}

static void
update_progress (Connection *connection, gint64 now)
{
  guint64 bytes = count_bytes (connection->socket, connection->answering);

  if (bytes == connection->bytes && !connection->working)
    return;
  connection->bytes = bytes;
  connection->since = now;
  if (!connection->answering && connection->arriving == 0)
    connection->arriving = now;
}

static void
begin_phase (Connection *connection, gboolean answering)
{
  connection->answering = answering;
  /* A handler may have said so before the request counts as read. */
  if (!answering)
    connection->working = FALSE;
  connection->arriving = 0;
  connection->since = connection->listener->clock;
  connection->bytes = count_bytes (connection->socket, answering);
}

static gboolean
is_late (const Connection *connection, gint64 now)
{
  if (connection->answering)
    return now - connection->since > MAX_STUCK * G_USEC_PER_SEC;
  if (connection->arriving)
    return now - connection->arriving > MAX_ARRIVAL * G_USEC_PER_SEC;
  return now - connection->since > MAX_IDLE * G_USEC_PER_SEC;
}

static void
cut (Connection *connection)
{
  g_socket_shutdown (connection->socket, TRUE, TRUE, NULL);
}

static gboolean
on_sweep (gpointer user_data)
{
  RecServerListener *listener = user_data;
  gint64 now = g_get_monotonic_time ();
  GHashTableIter iter;
  gpointer value;

  listener->clock += MIN (now - listener->swept_at, MAX_STEP);
  listener->swept_at = now;
  g_hash_table_iter_init (&iter, listener->connections);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    update_progress (value, listener->clock);
    if (is_late (value, listener->clock))
      cut (value);
  }
  return G_SOURCE_CONTINUE;
}

/* --- connections --- */

static void on_connection_gone (gpointer data, GObject *stream);

static void
connection_free (gpointer data)
{
  Connection *connection = data;

  if (connection->stream)
    g_object_weak_unref (connection->stream, on_connection_gone, connection);
  g_object_unref (connection->socket);
  g_object_unref (connection->address);
  g_free (connection->remote);
  g_free (connection);
}

static void
on_connection_gone (gpointer data, GObject *stream)
{
  Connection *connection = data;

  connection->stream = NULL;
  g_hash_table_remove (connection->listener->connections, connection->address);
}

static gchar *
address_to_string (GSocketAddress *address)
{
  if (!G_IS_INET_SOCKET_ADDRESS (address))
    return g_strdup ("");
  return g_inet_address_to_string (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

/* Half of all; a proxy on this host brings everybody. */
static gboolean
has_too_many (RecServerListener *listener, const gchar *remote)
{
  GHashTableIter iter;
  gpointer value;
  guint n = 0;

  if (g_str_has_prefix (remote, "127.") || g_str_equal (remote, "::1"))
    return FALSE;
  g_hash_table_iter_init (&iter, listener->connections);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (g_str_equal (((Connection *)value)->remote, remote))
      n++;
  return n >= (listener->max_connections + 1) / 2;
}

/* Cuts the one off that has made no progress for longest. */
static void
make_room (RecServerListener *listener)
{
  Connection *worst = NULL;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, listener->connections);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Connection *connection = value;

    if (!worst || connection->since < worst->since)
      worst = connection;
  }
  if (!worst)
    return;
  cut (worst);
  /* libsoup frees it later; do not choose it again. */
  worst->since = G_MAXINT64;
}

static GIOStream *
wrap_stream (RecServerListener *listener, GSocketConnection *connection)
{
  GIOStream *stream;

  if (!listener->certificate)
    return g_object_ref (G_IO_STREAM (connection));
  stream = g_tls_server_connection_new (
      G_IO_STREAM (connection), listener->certificate, NULL);
  if (stream)
    g_tls_connection_set_require_close_notify (
        G_TLS_CONNECTION (stream), FALSE);
  return stream;
}

/* Takes @remote. */
static void
add_connection (RecServerListener *listener, GSocketConnection *stream,
    GSocketAddress *address, gchar *remote)
{
  Connection *connection = g_new0 (Connection, 1);

  connection->listener = listener;
  connection->socket = g_object_ref (g_socket_connection_get_socket (stream));
  connection->address = g_object_ref (address);
  connection->remote = remote;
  begin_phase (connection, FALSE);
  g_hash_table_insert (listener->connections, connection->address, connection);
  connection->stream = G_OBJECT (stream);
  g_object_weak_ref (connection->stream, on_connection_gone, connection);
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *connection,
    GObject *source, gpointer user_data)
{
  RecServerListener *listener = user_data;
  GSocketAddress *local =
      g_socket_connection_get_local_address (connection, NULL);
  GSocketAddress *remote =
      g_socket_connection_get_remote_address (connection, NULL);
  gchar *name = remote ? address_to_string (remote) : NULL;
  guint n = g_hash_table_size (listener->connections);
  GIOStream *stream = NULL;

  /* Those that were cut off may not have gone yet; twice is the end of it. */
  if (!local || !remote || n >= 2 * listener->max_connections ||
      has_too_many (listener, name)) {
    g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
    goto done;
  }
  if (n >= listener->max_connections)
    make_room (listener);
  stream = wrap_stream (listener, connection);
  if (!stream)
    goto done;
  add_connection (listener, connection, remote, g_steal_pointer (&name));
  soup_server_accept_iostream (listener->soup, stream, local, remote, NULL);

done:
  g_clear_object (&stream);
  g_clear_object (&local);
  g_clear_object (&remote);
  g_free (name);
  return TRUE;
}

/* By its address, as libsoup does not know the socket below TLS. */
static Connection *
find_connection (RecServerListener *listener, SoupServerMessage *msg)
{
  GSocketAddress *remote = soup_server_message_get_remote_address (msg);

  return remote ? g_hash_table_lookup (listener->connections, remote) : NULL;
}

void
rec_server_listener_set_working (
    RecServerListener *listener, SoupServerMessage *msg, gboolean working)
{
  Connection *connection = find_connection (listener, msg);

  if (!connection)
    return;
  connection->working = working;
  connection->since = listener->clock;
}

void
rec_server_listener_cut_off (SoupServerMessage *msg)
{
  GIOStream *stream = soup_server_message_steal_connection (msg);

  if (!stream)
    return;
  rec_listen_cut_off (stream);
  g_object_unref (stream);
}

/* --- requests --- */

static void
on_early (SoupServer *soup, SoupServerMessage *msg, const gchar *path,
    GHashTable *query, gpointer user_data)
{
  RecServerListener *listener = user_data;

  listener->func (msg, TRUE, listener->user_data);
}

static void
on_request (SoupServer *soup, SoupServerMessage *msg, const gchar *path,
    GHashTable *query, gpointer user_data)
{
  RecServerListener *listener = user_data;

  listener->func (msg, FALSE, listener->user_data);
}

static void
on_request_read (
    SoupServer *soup, SoupServerMessage *msg, RecServerListener *listener)
{
  Connection *connection = find_connection (listener, msg);

  /* libsoup closes the connections of a server that does not listen itself
   * after every answer. This announces it (RFC 9112 section 9.6): who sends the
   * next request into a connection that is being closed, cannot know whether it
   * was handled, and may not repeat a POST. */
  soup_message_headers_replace (
      soup_server_message_get_response_headers (msg), "Connection", "close");
  if (connection)
    begin_phase (connection, TRUE);
}

static void
on_request_done (
    SoupServer *soup, SoupServerMessage *msg, RecServerListener *listener)
{
  Connection *connection = find_connection (listener, msg);

  if (connection)
    begin_phase (connection, FALSE);
}

/* --- life --- */

static void
start_soup (RecServerListener *listener)
{
  listener->soup = soup_server_new ("server-header", "gst-tsrec ", NULL);
  soup_server_add_early_handler (
      listener->soup, NULL, on_early, listener, NULL);
  soup_server_add_handler (listener->soup, NULL, on_request, listener, NULL);
  g_signal_connect (
      listener->soup, "request-read", G_CALLBACK (on_request_read), listener);
  g_signal_connect (listener->soup, "request-finished",
      G_CALLBACK (on_request_done), listener);
  listener->service = g_socket_service_new ();
  /* Accept bursts of connections before any is handled. */
  g_socket_listener_set_backlog (G_SOCKET_LISTENER (listener->service), 512);
  g_signal_connect (
      listener->service, "incoming", G_CALLBACK (on_incoming), listener);
}

RecServerListener *
rec_server_listener_new (const RecServerListenerConfig *config,
    RecServerListenerFunc func, gpointer user_data, GError **error)
{
  RecServerListener *listener = g_new0 (RecServerListener, 1);

  g_ref_count_init (&listener->refcount);
  listener->func = func;
  listener->user_data = user_data;
  listener->max_connections = config->max_connections;
  listener->connections =
      g_hash_table_new_full (NULL, NULL, NULL, connection_free);
  if (!rec_listen_load_certificate (config->tls_certificate, config->tls_key,
          &listener->certificate, error))
    goto failed;
  start_soup (listener);
  listener->port = rec_listen_on (
      G_SOCKET_LISTENER (listener->service), config->host, config->port, error);
  if (listener->port == 0)
    goto failed;
  listener->swept_at = g_get_monotonic_time ();
  listener->clock = G_USEC_PER_SEC;
  listener->sweep = g_timeout_source_new_seconds (SWEEP);
  g_source_set_callback (listener->sweep, on_sweep, listener, NULL);
  g_source_attach (listener->sweep, g_main_context_get_thread_default ());
  return listener;

  /* ERRORS */
failed:
  rec_server_listener_close (listener);
  rec_server_listener_unref (listener);
  return NULL;
}

gboolean
rec_server_listener_reconfigure (RecServerListener *listener,
    const RecServerListenerConfig *config, GError **error)
{
  GTlsCertificate *certificate = NULL;

  if (listener->certificate &&
      !rec_listen_load_certificate (
          config->tls_certificate, config->tls_key, &certificate, error))
    return FALSE;
  if (certificate) {
    g_object_unref (listener->certificate);
    listener->certificate = certificate;
  }
  listener->max_connections = config->max_connections;
  return TRUE;
}

void
rec_server_listener_close (RecServerListener *listener)
{
  if (listener->sweep) {
    g_source_destroy (listener->sweep);
    g_clear_pointer (&listener->sweep, g_source_unref);
  }
  if (listener->service) {
    g_socket_service_stop (listener->service);
    g_socket_listener_close (G_SOCKET_LISTENER (listener->service));
    g_signal_handlers_disconnect_by_data (listener->service, listener);
    g_clear_object (&listener->service);
  }
  if (listener->soup) {
    g_signal_handlers_disconnect_by_data (listener->soup, listener);
    soup_server_remove_handler (listener->soup, NULL);
    soup_server_disconnect (listener->soup);
    g_clear_object (&listener->soup);
  }
  /* Run the idle sources of libsoup. */
  while (g_main_context_iteration (g_main_context_get_thread_default (), FALSE))
    ;
  g_hash_table_remove_all (listener->connections);
}

RecServerListener *
rec_server_listener_ref (RecServerListener *listener)
{
  g_ref_count_inc (&listener->refcount);
  return listener;
}

void
rec_server_listener_unref (RecServerListener *listener)
{
  if (!g_ref_count_dec (&listener->refcount))
    return;
  g_hash_table_unref (listener->connections);
  g_clear_object (&listener->certificate);
  g_free (listener);
}

guint
rec_server_listener_get_port (RecServerListener *listener)
{
  return listener->port;
}

gboolean
rec_server_listener_is_tls (RecServerListener *listener)
{
  return listener->certificate != NULL;
}

guint
rec_server_listener_get_connections (RecServerListener *listener)
{
  return g_hash_table_size (listener->connections);
}
