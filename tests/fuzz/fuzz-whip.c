/* gst-tsrec: fuzz target, what a client sends to a WHIP endpoint
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The input goes over a loopback connection as it is. The endpoint must answer
 * or close, whatever it is, and still answer a decent request afterwards.
 */

#include "fuzz.h"
#include "whipendpoint.h"

#include <gio/gio.h>

static gchar *url;

static void
on_request (WhipRequest *request, gpointer user_data)
{
  gsize length;

  whip_request_get_body (request, &length);
  FUZZ_ASSERT (length <= 65536, "%zu bytes got through", length);
  whip_request_reply (request, 422, "No.");
}

static void
start (void)
{
  static const WhipEndpointCallbacks callbacks = { on_request, on_request,
    on_request };
  WhipEndpointConfig config = { .host = "127.0.0.1",
    .path = "/whip",
    .auth_token = "t",
    .cors_origins = "https://a.example",
    .max_body = 65536,
    .max_connections = 64,
    .max_offers = G_MAXUINT,
    .idle_timeout = 5 };
  WhipEndpoint *endpoint = whip_endpoint_new (&config, &callbacks, NULL, NULL);

  FUZZ_ASSERT (endpoint, "no endpoint");
  url = whip_endpoint_dup_url (endpoint);
}

/* Sends @data, says that there is no more, and returns the length of the
 * reply, which ends with the connection. */
static gsize
exchange (const uint8_t *data, size_t size)
{
  GSocketClient *client = g_socket_client_new ();
  GSocketConnection *connection;
  gchar buffer[4096];
  gsize total = 0;
  gssize n;

  g_socket_client_set_enable_proxy (client, FALSE);
  connection = g_socket_client_connect_to_uri (client, url, 80, NULL, NULL);
  FUZZ_ASSERT (connection, "the endpoint is gone");
  g_socket_set_timeout (g_socket_connection_get_socket (connection), 20);
  g_output_stream_write_all (
      g_io_stream_get_output_stream (G_IO_STREAM (connection)), data, size,
      NULL, NULL, NULL);
  g_socket_shutdown (
      g_socket_connection_get_socket (connection), FALSE, TRUE, NULL);
  while ((n = g_input_stream_read (
              g_io_stream_get_input_stream (G_IO_STREAM (connection)), buffer,
              sizeof (buffer), NULL, NULL)) > 0)
    total += (gsize)n;
  g_object_unref (connection);
  g_object_unref (client);
  return total;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char decent[] = "OPTIONS /whip HTTP/1.1\r\nHost: x\r\n"
                               "Connection: close\r\n\r\n";

  if (!url)
    start ();
  exchange (data, size);
  FUZZ_ASSERT (exchange ((const uint8_t *)decent, strlen (decent)) > 0,
      "no answer to a decent request");
  return 0;
}
