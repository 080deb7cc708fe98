/* gst-tsrec: a raw HTTP client for tests of the WHIP endpoint
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rechttp.h"

gchar *
rec_http_raw (const gchar *url, const gchar *data, gssize length)
{
  GSocketClient *client = g_socket_client_new ();
  GSocketConnection *connection;
  GString *reply = g_string_new (NULL);
  gchar buffer[4096];
  gssize n;

  g_socket_client_set_enable_proxy (client, FALSE);
  connection = g_socket_client_connect_to_uri (client, url, 80, NULL, NULL);
  fail_unless (connection != NULL, "cannot connect to %s", url);
  g_socket_set_timeout (g_socket_connection_get_socket (connection),
      g_getenv ("REC_SLOW_MACHINE") ? 300 : 20);
  /* A server that refuses early may close before everything is sent. */
  g_output_stream_write_all (
      g_io_stream_get_output_stream (G_IO_STREAM (connection)), data,
      length < 0 ? strlen (data) : (gsize)length, NULL, NULL, NULL);
  while ((n = g_input_stream_read (
              g_io_stream_get_input_stream (G_IO_STREAM (connection)), buffer,
              sizeof (buffer), NULL, NULL)) > 0)
    g_string_append_len (reply, buffer, n);
  g_object_unref (connection);
  g_object_unref (client);
  return g_string_free (reply, FALSE);
}

gchar *
rec_http_request (const gchar *method, const gchar *url, const gchar *headers,
    const gchar *body)
{
  /* As it is, with the query, and whatever no parser of URLs would take. */
  const gchar *path = strchr (strstr (url, "://") + 3, '/');
  gchar *request = g_strdup_printf ("%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                    "%sContent-Length: %zu\r\n\r\n%s",
      method, path ? path : "/", headers ? headers : "",
      body ? strlen (body) : 0, body ? body : "");
  gchar *reply = rec_http_raw (url, request, -1);

  g_free (request);
  return reply;
}

gchar *
rec_http (const gchar *method, const gchar *url, const gchar *headers,
    const gchar *body)
{
  gchar *all =
      g_strconcat ("Connection: close\r\n", headers ? headers : "", NULL);
  gchar *reply = rec_http_request (method, url, all, body);

  g_free (all);
  return reply;
}

guint
rec_http_status (const gchar *reply)
{
  if (!g_str_has_prefix (reply, "HTTP/1.1 "))
    return 0;
  return (guint)g_ascii_strtoull (reply + strlen ("HTTP/1.1 "), NULL, 10);
}

void
rec_http_assert (gchar *reply, guint status, const gchar *text)
{
  fail_unless (rec_http_status (reply) == status, "not %u: %s", status, reply);
  fail_unless (
      !text || strstr (reply, text) != NULL, "no \"%s\" in: %s", text, reply);
  g_free (reply);
}

void
rec_http_assert_closing (gchar *reply, guint status)
{
  rec_http_assert (reply, status, "\r\nConnection: close\r\n");
}
