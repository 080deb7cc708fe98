/* gst-tsrec: serves the metrics of the process over HTTP
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recmetricsserver.h"

#include "recmetrics.h"
#include "recworker.h"

#include <gio/gio.h>
#include <string.h>

#if HAVE_METRICS

#include <libsoup/soup.h>

#define TYPE_TEXT "text/plain; version=0.0.4; charset=utf-8"
#define TYPE_OPENMETRICS                                                       \
  "application/openmetrics-text; version=1.0.0; charset=utf-8"

struct _RecMetricsServer
{
  guint refs; /* protected by servers_lock */
  guint port;
  RecWorker *worker;
  SoupServer *soup; /* belongs to the worker once it runs */
};

static GMutex servers_lock;
static GList *servers; /* of RecMetricsServer */

static void
answer (SoupServer *soup, SoupServerMessage *msg, const char *path,
    GHashTable *query, gpointer user_data)
{
  const gchar *method = soup_server_message_get_method (msg);
  const gchar *accept = soup_message_headers_get_list (
      soup_server_message_get_request_headers (msg), "Accept");
  RecMetricsFormat format = REC_METRICS_TEXT;
  gchar *text;

  if (strcmp (path, "/metrics") != 0) {
    soup_server_message_set_status (msg, SOUP_STATUS_NOT_FOUND, NULL);
    soup_server_message_set_response (msg, "text/plain", SOUP_MEMORY_STATIC,
        "The metrics are at /metrics\n",
        strlen ("The metrics are at /metrics\n"));
    return;
  }
  if (strcmp (method, "GET") != 0 && strcmp (method, "HEAD") != 0) {
    soup_message_headers_replace (
        soup_server_message_get_response_headers (msg), "Allow", "GET, HEAD");
    soup_server_message_set_status (msg, SOUP_STATUS_METHOD_NOT_ALLOWED, NULL);
    return;
  }
  if (accept && strstr (accept, "application/openmetrics-text"))
    format = REC_METRICS_OPENMETRICS;
  text = rec_metrics_render (format);
  soup_server_message_set_status (msg, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (msg,
      format == REC_METRICS_OPENMETRICS ? TYPE_OPENMETRICS : TYPE_TEXT,
      SOUP_MEMORY_TAKE, text, strlen (text));
}

/* libsoup 3.2 does not notice that a client has left whose connection it kept,
 * as curl lets it: each would cost a descriptor for the life of the process. */
static void
on_request_read (SoupServer *soup, SoupServerMessage *msg, gpointer user_data)
{
  soup_message_headers_replace (
      soup_server_message_get_response_headers (msg), "Connection", "close");
}

/* On the worker. */
static void
disconnect (gpointer data)
{
  RecMetricsServer *server = data;

  soup_server_disconnect (server->soup);
  g_clear_object (&server->soup);
}

static void
server_free (RecMetricsServer *server)
{
  g_clear_object (&server->soup);
  rec_worker_free (server->worker);
  g_free (server);
}

/* Returns the address to listen at, or NULL and @error. */
static GSocketAddress *
get_address (const gchar *host, guint port, GError **error)
{
  GSocketAddress *address = g_inet_socket_address_new_from_string (
      g_strcmp0 (host, "localhost") == 0 ? "127.0.0.1" : host, port);

  if (!address)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "\"%s\" is not an IP address. Set metrics-host to one, 127.0.0.1 for "
        "this machine only or 0.0.0.0 for all.",
        host);
  return address;
}

static RecMetricsServer *
server_new (const gchar *host, guint port, GError **error)
{
  RecMetricsServer *server;
  GSocketAddress *address = get_address (host, port, error);
  GMainContext *context;
  GError *cause = NULL;
  gboolean listening;

  if (!address)
    return NULL;
  server = g_new0 (RecMetricsServer, 1);
  server->refs = 1;
  server->port = port;
  server->worker = rec_worker_new ();
  context = rec_worker_get_context (server->worker);
  /* The sockets belong to the default context of the calling thread. */
  g_main_context_push_thread_default (context);
  server->soup = soup_server_new ("server-header", "gst-tsrec ", NULL);
  soup_server_add_handler (server->soup, NULL, answer, NULL, NULL);
  g_signal_connect (
      server->soup, "request-read", G_CALLBACK (on_request_read), NULL);
  listening = soup_server_listen (server->soup, address, 0, &cause);
  g_main_context_pop_thread_default (context);
  g_object_unref (address);
  if (!listening)
    goto not_listening;
  rec_worker_start (server->worker, "recmetrics");
  return server;

  /* ERRORS */
not_listening:
  g_set_error (error, cause->domain, cause->code,
      "Could not serve metrics at %s port %u: %s. Recording goes on; set "
      "metrics-port to a free port.",
      host, port, cause->message);
  g_error_free (cause);
  server_free (server);
  return NULL;
}

RecMetricsServer *
rec_metrics_server_acquire (const gchar *host, guint port, GError **error)
{
  RecMetricsServer *server = NULL;
  GList *l;

  g_mutex_lock (&servers_lock);
  for (l = servers; l && !server; l = l->next)
    if (((RecMetricsServer *)l->data)->port == port)
      server = l->data;
  if (server) {
    server->refs++;
  } else {
    server = server_new (host, port, error);
    if (server)
      servers = g_list_prepend (servers, server);
  }
  g_mutex_unlock (&servers_lock);
  return server;
}

void
rec_metrics_server_release (RecMetricsServer *server)
{
  gboolean last;

  if (!server)
    return;
  g_mutex_lock (&servers_lock);
  last = --server->refs == 0;
  if (last)
    servers = g_list_remove (servers, server);
  g_mutex_unlock (&servers_lock);
  if (!last)
    return;
  rec_worker_call (server->worker, disconnect, server);
  rec_worker_stop (server->worker);
  server_free (server);
}

#else /* !HAVE_METRICS */

RecMetricsServer *
rec_metrics_server_acquire (const gchar *host, guint port, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
      "This build has no metrics server, because libsoup-3.0 was missing. "
      "Recording goes on; install libsoup-3.0-dev and build with "
      "-Dmetrics=enabled, or set metrics-file.");
  return NULL;
}

void
rec_metrics_server_release (RecMetricsServer *server)
{
}

#endif
