/* gst-tsrec: a listening socket, its thread and its paths
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "whiplistener.h"

#include "reclisten.h"
#include "recworker.h"

#include <string.h>

/* Maximum size of a body, bytes: four times the limit of an endpoint. */
#define MAX_BODY (1024 * 1024)

typedef struct
{
  WhipListenerHandler handler;
  gpointer data;
} WhipPath;

struct _WhipListener
{
  gatomicrefcount refcount;
  gchar *host;
  guint wanted_port;
  guint port;
  guint max_connections;
  guint idle_timeout;
  GTlsCertificate *certificate;
  gchar *tls_files;

  RecWorker *worker;

  /* thread of the worker only */
  SoupServer *soup;
  GSocketService *service;
  guint connections;

  /* under servers_lock */
  guint claims;
  GMutex lock;
  /* under lock; paths: path -> WhipPath */
  GHashTable *paths;
  gboolean stopped;
};

/* Protects the list of servers of this process; never held while waiting for a
 * server's thread. */
static GMutex servers_lock;
static GList *servers;

WhipListener *
whip_listener_ref (WhipListener *server)
{
  g_atomic_ref_count_inc (&server->refcount);
  return server;
}

void
whip_listener_unref (WhipListener *server)
{
  if (!g_atomic_ref_count_dec (&server->refcount))
    return;
  g_hash_table_unref (server->paths);
  g_clear_object (&server->certificate);
  rec_worker_free (server->worker);
  g_mutex_clear (&server->lock);
  g_free (server->tls_files);
  g_free (server->host);
  g_free (server);
}

guint
whip_listener_get_port (WhipListener *server)
{
  return server->port;
}

gboolean
whip_listener_is_tls (WhipListener *server)
{
  return server->certificate != NULL;
}

void
whip_listener_invoke (WhipListener *server, GSourceFunc function, gpointer data,
    GDestroyNotify destroy)
{
  gboolean stopped;

  g_mutex_lock (&server->lock);
  stopped = server->stopped;
  if (!stopped)
    rec_worker_invoke (server->worker, function, data, destroy);
  g_mutex_unlock (&server->lock);
  /* A stopped worker would keep @data, which may hold a reference to the
   * server, and with it to the worker. */
  if (stopped && destroy)
    destroy (data);
}

/* --- requests --- */

/* Returns @path without repeated and trailing slashes, which proxies and people
 * add; "/" is kept. Caller frees. */
static gchar *
normalize_path (const gchar *path)
{
  GString *normal = g_string_new ("/");

  for (; *path; path++)
    if (*path != '/' || normal->str[normal->len - 1] != '/')
      g_string_append_c (normal, *path);
  if (normal->len > 1 && normal->str[normal->len - 1] == '/')
    g_string_truncate (normal, normal->len - 1);
  return g_string_free (normal, FALSE);
}

/* Finds the owner of @path, which is normalized. A session is one further
 * component. */
static gboolean
find_path (WhipListener *server, const gchar *path, WhipPath *found,
    const gchar **session_id)
{
  const gchar *slash = strrchr (path, '/');
  WhipPath *entry;

  g_mutex_lock (&server->lock);
  entry = g_hash_table_lookup (server->paths, path);
  *session_id = NULL;
  if (!entry && slash[1] != '\0') {
    gchar *parent = g_strndup (path, MAX (slash - path, 1));

    entry = g_hash_table_lookup (server->paths, parent);
    *session_id = slash + 1;
    g_free (parent);
  }
  if (entry)
    *found = *entry;
  g_mutex_unlock (&server->lock);
  return entry != NULL;
}

static void
refuse_unknown (SoupServerMessage *msg)
{
  static const gchar text[] =
      "There is no WHIP endpoint at this path. Use the path that the recorder "
      "was started with.\n";

  soup_message_body_set_accumulate (
      soup_server_message_get_request_body (msg), FALSE);
  soup_message_headers_replace (
      soup_server_message_get_response_headers (msg), "Connection", "close");
  soup_server_message_set_status (msg, SOUP_STATUS_NOT_FOUND, NULL);
  soup_server_message_set_response (
      msg, "text/plain", SOUP_MEMORY_STATIC, text, strlen (text));
}

static void
dispatch (WhipListener *server, SoupServerMessage *msg, const gchar *path,
    gboolean early)
{
  gchar *normal = normalize_path (path);
  const gchar *session_id;
  WhipPath found;

  if (find_path (server, normal, &found, &session_id))
    found.handler (found.data, server, msg, session_id, early);
  else
    refuse_unknown (msg);
  g_free (normal);
}

/* Closes the connection of a client that keeps sending, refused or not: libsoup
 * reads a body to its end before it answers. */
static void
on_chunk (SoupServerMessage *msg, GBytes *chunk, gpointer user_data)
{
  gsize *left = user_data;
  GIOStream *stream;

  if (g_bytes_get_size (chunk) <= *left) {
    *left -= g_bytes_get_size (chunk);
    return;
  }
  stream = soup_server_message_steal_connection (msg);
  if (!stream)
    return;
  rec_listen_cut_off (stream);
  g_object_unref (stream);
}

static void
limit_body (SoupServerMessage *msg)
{
  gsize *left = g_new (gsize, 1);

  *left = MAX_BODY;
  g_signal_connect_data (msg, "got-chunk", G_CALLBACK (on_chunk), left,
      (GClosureNotify)(void (*) (void))g_free, 0);
}

static void
on_early (SoupServer *soup, SoupServerMessage *msg, const gchar *path,
    GHashTable *query, gpointer user_data)
{
  limit_body (msg);
  dispatch (user_data, msg, path, TRUE);
}

static void
on_request (SoupServer *soup, SoupServerMessage *msg, const gchar *path,
    GHashTable *query, gpointer user_data)
{
  dispatch (user_data, msg, path, FALSE);
}

/* libsoup closes the connections of a server that does not listen itself after
 * every answer. This announces it (RFC 9112 section 9.6): who sends the next
 * request into a connection that is being closed, cannot know whether it was
 * handled, and may not repeat a POST. */
static void
on_request_read (SoupServer *soup, SoupServerMessage *msg, gpointer user_data)
{
  soup_message_headers_replace (
      soup_server_message_get_response_headers (msg), "Connection", "close");
}

/* --- connections --- */

static void
on_connection_gone (gpointer data, GObject *connection)
{
  WhipListener *server = data;

  server->connections--;
  whip_listener_unref (server);
}

/* A timeout of the socket makes libsoup's non-blocking reads fail. This closes
 * the connections of clients that connect and send nothing, or stop in the
 * middle. */
static gboolean
on_incoming (GSocketService *service, GSocketConnection *connection,
    GObject *source, gpointer user_data)
{
  WhipListener *server = user_data;
  GSocketAddress *local, *remote;
  GIOStream *stream = g_object_ref (G_IO_STREAM (connection));

  if (server->connections >= server->max_connections)
    goto too_many;
  g_socket_set_timeout (
      g_socket_connection_get_socket (connection), server->idle_timeout);
  if (server->certificate) {
    g_object_unref (stream);
    stream = g_tls_server_connection_new (
        G_IO_STREAM (connection), server->certificate, NULL);
    if (!stream)
      return TRUE;
    g_tls_connection_set_require_close_notify (
        G_TLS_CONNECTION (stream), FALSE);
  }
  local = g_socket_connection_get_local_address (connection, NULL);
  remote = g_socket_connection_get_remote_address (connection, NULL);
  if (local && remote) {
    server->connections++;
    g_object_weak_ref (
        G_OBJECT (connection), on_connection_gone, whip_listener_ref (server));
    soup_server_accept_iostream (server->soup, stream, local, remote, NULL);
  }
  g_clear_object (&local);
  g_clear_object (&remote);
  g_object_unref (stream);
  return TRUE;

  /* ERRORS */
too_many:
  g_io_stream_close (stream, NULL, NULL);
  g_object_unref (stream);
  return TRUE;
}

/* --- life --- */

static WhipListener *
server_new (const WhipListenerConfig *config, GError **error)
{
  WhipListener *server = g_new0 (WhipListener, 1);
  GMainContext *context;

  g_atomic_ref_count_init (&server->refcount);
  g_mutex_init (&server->lock);
  server->host = g_strdup (config->host);
  server->wanted_port = config->port;
  server->max_connections = config->max_connections;
  server->idle_timeout = config->idle_timeout;
  server->paths =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  server->worker = rec_worker_new ();
  server->tls_files = g_strdup_printf ("%s\n%s",
      config->tls_certificate ? config->tls_certificate : "",
      config->tls_key ? config->tls_key : "");
  if (!rec_listen_load_certificate (config->tls_certificate, config->tls_key,
          &server->certificate, error)) {
    whip_listener_unref (server);
    return NULL;
  }
  context = rec_worker_get_context (server->worker);
  g_main_context_push_thread_default (context);
  server->soup = soup_server_new ("server-header", "gst-tsrec ", NULL);
  soup_server_add_early_handler (server->soup, NULL, on_early, server, NULL);
  soup_server_add_handler (server->soup, NULL, on_request, server, NULL);
  g_signal_connect (
      server->soup, "request-read", G_CALLBACK (on_request_read), NULL);
  server->service = g_socket_service_new ();
  g_signal_connect (
      server->service, "incoming", G_CALLBACK (on_incoming), server);
  server->port = rec_listen_on (G_SOCKET_LISTENER (server->service),
      server->host, server->wanted_port, error);
  if (server->port == 0)
    goto not_listening;
  g_main_context_pop_thread_default (context);
  rec_worker_start (server->worker, "rec-http");
  return server;

  /* ERRORS */
not_listening:
  g_object_unref (server->service);
  g_object_unref (server->soup);
  g_main_context_pop_thread_default (context);
  whip_listener_unref (server);
  return NULL;
}

/* Under servers_lock. Returns NULL, and sets @error, if there is a server that
 * cannot be shared. */
static WhipListener *
find_server (const WhipListenerConfig *config, gboolean *found, GError **error)
{
  gchar *tls_files = g_strdup_printf ("%s\n%s",
      config->tls_certificate ? config->tls_certificate : "",
      config->tls_key ? config->tls_key : "");
  WhipListener *server = NULL;
  GList *l;

  *found = FALSE;
  for (l = servers; l && config->port != 0 && !server; l = l->next) {
    WhipListener *candidate = l->data;

    if (candidate->port == config->port &&
        g_str_equal (candidate->host, config->host))
      server = candidate;
  }
  *found = server != NULL;
  if (server && !g_str_equal (server->tls_files, tls_files)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE,
        "Another element of this process listens on %s port %u with other TLS "
        "files. Give both the same, or another port.",
        config->host, config->port);
    server = NULL;
  }
  g_free (tls_files);
  return server;
}

static gboolean
claim_path (WhipListener *server, const gchar *path,
    WhipListenerHandler handler, gpointer data, GError **error)
{
  gchar *normal = normalize_path (path);
  gboolean taken;

  g_mutex_lock (&server->lock);
  taken = g_hash_table_contains (server->paths, normal);
  if (!taken) {
    WhipPath *entry = g_new (WhipPath, 1);

    entry->handler = handler;
    entry->data = data;
    g_hash_table_insert (server->paths, g_strdup (normal), entry);
  }
  g_mutex_unlock (&server->lock);
  g_free (normal);
  if (taken)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE,
        "Another element of this process already has the path \"%s\" on %s "
        "port %u. Set path to another.",
        path, server->host, server->port);
  return !taken;
}

WhipListener *
whip_listener_claim (const WhipListenerConfig *config, const gchar *path,
    WhipListenerHandler handler, gpointer path_data, GError **error)
{
  gboolean found;
  WhipListener *server;

  g_mutex_lock (&servers_lock);
  server = find_server (config, &found, error);
  if (!found) {
    server = server_new (config, error);
    if (server)
      servers = g_list_prepend (servers, server);
  }
  if (server && claim_path (server, path, handler, path_data, error))
    server->claims++;
  else
    server = NULL;
  g_mutex_unlock (&servers_lock);
  return server;
}

/* Closes the socket and all connections. On the worker, which then runs what
 * libsoup has left for an idle moment. */
static void
shut_down (gpointer data)
{
  WhipListener *server = data;

  g_socket_service_stop (server->service);
  g_socket_listener_close (G_SOCKET_LISTENER (server->service));
  g_clear_object (&server->service);
  soup_server_disconnect (server->soup);
  g_clear_object (&server->soup);
  g_mutex_lock (&server->lock);
  server->stopped = TRUE;
  g_mutex_unlock (&server->lock);
}

/* Called on the worker after the handler that may be running. */
static void
do_nothing (gpointer data)
{
}

void
whip_listener_release (WhipListener *server, const gchar *path)
{
  gchar *normal = normalize_path (path);
  gboolean last;

  g_mutex_lock (&server->lock);
  g_hash_table_remove (server->paths, normal);
  g_mutex_unlock (&server->lock);
  g_free (normal);

  g_mutex_lock (&servers_lock);
  last = --server->claims == 0;
  if (last)
    servers = g_list_remove (servers, server);
  g_mutex_unlock (&servers_lock);

  if (!last) {
    rec_worker_call (server->worker, do_nothing, NULL);
    return;
  }
  rec_worker_call (server->worker, shut_down, server);
  rec_worker_stop (server->worker);
  whip_listener_unref (server);
}
