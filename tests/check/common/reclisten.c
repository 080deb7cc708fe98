/* gst-tsrec: the connections of the HTTP servers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "reclisten.h"

#include <gst/check/gstcheck.h>
#include <sys/socket.h>

/* Two ends of a connection that nobody reads. */
typedef struct
{
  GSocketConnection *server, *client;
} Pair;

static GSocketConnection *
make_end (int fd)
{
  GSocket *socket = g_socket_new_from_fd (fd, NULL);
  GSocketConnection *connection;

  fail_unless (socket != NULL);
  connection = g_socket_connection_factory_create_connection (socket);
  g_object_unref (socket);
  return connection;
}

static Pair
make_pair (void)
{
  int fds[2];

  fail_unless_equals_int (socketpair (AF_UNIX, SOCK_STREAM, 0, fds), 0);
  return (Pair){ make_end (fds[0]), make_end (fds[1]) };
}

static gpointer
shake_hands (gpointer connection)
{
  GError *error = NULL;

  fail_unless (g_tls_connection_handshake (connection, NULL, &error), "%s",
      error ? error->message : "");
  return NULL;
}

static gboolean
accept_any (GTlsConnection *connection, GTlsCertificate *certificate,
    GTlsCertificateFlags errors, gpointer user_data)
{
  return TRUE;
}

/* A TLS connection over @pair, after the handshake, from the side of the server.
 * The caller frees both. */
static GIOStream *
make_tls (const Pair *pair, GIOStream **client)
{
  gchar *path = g_build_filename (g_getenv ("REC_SOURCE_DIR"), "tests", "check",
      "data", "tls-test.pem", NULL);
  GTlsCertificate *certificate;
  GIOStream *server;
  GThread *thread;
  GError *error = NULL;

  fail_unless (rec_listen_load_certificate (path, NULL, &certificate, &error),
      "%s", error ? error->message : "");
  g_free (path);
  server = g_tls_server_connection_new (
      G_IO_STREAM (pair->server), certificate, NULL);
  *client =
      g_tls_client_connection_new (G_IO_STREAM (pair->client), NULL, NULL);
  g_signal_connect (
      *client, "accept-certificate", G_CALLBACK (accept_any), NULL);
  thread = g_thread_new ("client", shake_hands, *client);
  shake_hands (server);
  g_thread_join (thread);
  g_object_unref (certificate);
  return server;
}

/* Until the peer would have to read. */
static void
fill (GSocketConnection *connection)
{
  static const gchar zeros[4096];
  GSocket *socket = g_socket_connection_get_socket (connection);

  g_socket_set_blocking (socket, FALSE);
  while (g_socket_send (socket, zeros, sizeof (zeros), NULL, NULL) > 0)
    ;
  while (g_socket_send (socket, zeros, 1, NULL, NULL) > 0)
    ;
  g_socket_set_blocking (socket, TRUE);
}

static void
assert_cut_off (const Pair *pair)
{
  static gchar buffer[1 << 20];
  GSocket *socket = g_socket_connection_get_socket (pair->client);

  fail_unless (g_io_stream_is_closed (G_IO_STREAM (pair->server)));
  while (g_socket_receive (socket, buffer, sizeof (buffer), NULL, NULL) > 0)
    ;
}

static void
pair_clear (Pair *pair)
{
  g_object_unref (pair->server);
  g_object_unref (pair->client);
}

/* Closing would wait for the client for ever: this test would not end. */
GST_START_TEST (test_a_tls_client_that_reads_nothing_is_cut_off)
{
  Pair pair;
  GIOStream *client, *server;

  if (!g_tls_backend_supports_tls (g_tls_backend_get_default ())) {
    g_print ("skipped: no TLS (Debian package glib-networking)\n");
    return;
  }
  pair = make_pair ();
  server = make_tls (&pair, &client);
  fill (pair.server);
  rec_listen_cut_off (server);
  assert_cut_off (&pair);
  g_object_unref (server);
  g_object_unref (client);
  pair_clear (&pair);
}

GST_END_TEST;

GST_START_TEST (test_a_client_without_tls_is_cut_off)
{
  Pair pair = make_pair ();

  fill (pair.server);
  rec_listen_cut_off (G_IO_STREAM (pair.server));
  assert_cut_off (&pair);
  pair_clear (&pair);
}

GST_END_TEST;

static Suite *
reclisten_suite (void)
{
  Suite *s = suite_create ("reclisten");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_a_tls_client_that_reads_nothing_is_cut_off);
  tcase_add_test (tc, test_a_client_without_tls_is_cut_off);
  return s;
}

GST_CHECK_MAIN (reclisten);
