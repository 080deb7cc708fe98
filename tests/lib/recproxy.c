/* gst-tsrec: a reverse proxy between a WHIP or WHEP client and its server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recproxy.h"

static gchar *
rec_proxy_no_edit (const gchar *text)
{
  return g_strdup (text);
}

gchar *
rec_proxy_break_fingerprints (const gchar *text)
{
  GString *broken = g_string_new (text);
  static const gchar key[] = "a=fingerprint:sha-256 ";
  gchar *at = broken->str;

  while ((at = strstr (at, key)) != NULL) {
    at += strlen (key);
    at[1] = at[0] == '0' && at[1] == '0' ? '1' : '0';
    at[0] = '0';
  }
  return g_string_free (broken, FALSE);
}

/* The request with headers and body. */
static GString *
rec_proxy_read (GInputStream *stream)
{
  GString *text = g_string_new (NULL);
  gsize wanted = 0;
  gchar buffer[4096];
  gssize n;

  while ((n = g_input_stream_read (
              stream, buffer, sizeof (buffer), NULL, NULL)) > 0) {
    const gchar *body, *length;

    g_string_append_len (text, buffer, n);
    body = strstr (text->str, "\r\n\r\n");
    length = strstr (text->str, "Content-Length: ");
    if (body && length)
      wanted =
          g_ascii_strtoull (length + strlen ("Content-Length: "), NULL, 10);
    if (body && strlen (body + 4) >= wanted)
      break;
  }
  return text;
}

/* @text with another body, and the length of that. Caller frees. */
static gchar *
rec_proxy_set_body (const gchar *text, RecProxyEdit edit, const gchar *close)
{
  const gchar *body = strstr (text, "\r\n\r\n");
  GString *out = g_string_new (NULL);
  gchar *other, **lines;
  guint i;

  if (!body)
    return g_string_free (out, FALSE);
  other = edit (body + 4);
  g_string_append_len (out, text, body - text);
  lines = g_strsplit (out->str, "\r\n", -1);
  g_string_truncate (out, 0);
  for (i = 0; lines[i]; i++)
    if (!g_str_has_prefix (lines[i], "Content-Length:") &&
        !g_str_has_prefix (lines[i], "Connection:"))
      g_string_append_printf (out, "%s\r\n", lines[i]);
  g_string_append_printf (
      out, "%sContent-Length: %zu\r\n\r\n%s", close, strlen (other), other);
  g_strfreev (lines);
  g_free (other);
  return g_string_free (out, FALSE);
}

static void
rec_proxy_keep (RecProxy *proxy, gchar **field, const gchar *text)
{
  g_mutex_lock (&proxy->lock);
  g_free (*field);
  *field = g_strdup (text);
  g_mutex_unlock (&proxy->lock);
}

gchar *
rec_proxy_dup (RecProxy *proxy, gchar **field)
{
  gchar *text;

  g_mutex_lock (&proxy->lock);
  text = g_strdup (*field);
  g_mutex_unlock (&proxy->lock);
  return text;
}

static void
rec_proxy_serve (RecProxy *proxy, GSocketConnection *connection)
{
  GIOStream *stream = G_IO_STREAM (connection);
  GString *request = rec_proxy_read (g_io_stream_get_input_stream (stream));
  gchar *prefix = strstr (request->str, REC_PROXY_PREFIX);
  gboolean post = g_str_has_prefix (request->str, "POST ");
  gchar *forward, *reply, *back;

  if (prefix && prefix < strchr (request->str, '\n'))
    g_string_erase (request, prefix - request->str, strlen (REC_PROXY_PREFIX));
  if (post)
    rec_proxy_keep (
        proxy, &proxy->offer, strstr (request->str, "\r\n\r\n") + 4);
  forward = rec_proxy_set_body (request->str,
      post ? proxy->edit_offer : rec_proxy_no_edit, "Connection: close\r\n");
  reply = rec_http_raw (proxy->target, forward, -1);
  if (post)
    rec_proxy_keep (proxy, &proxy->answer, reply);
  back = rec_proxy_set_body (reply,
      post ? proxy->edit_answer : rec_proxy_no_edit, "Connection: close\r\n");
  g_output_stream_write_all (g_io_stream_get_output_stream (stream), back,
      strlen (back), NULL, NULL, NULL);
  g_io_stream_close (stream, NULL, NULL);
  g_free (back);
  g_free (reply);
  g_free (forward);
  g_string_free (request, TRUE);
}

/* One connection after the other. */
static gpointer
rec_proxy_main (gpointer data)
{
  RecProxy *proxy = data;
  GSocketConnection *connection;

  while ((connection = g_socket_listener_accept (
              proxy->listener, NULL, proxy->cancellable, NULL)) != NULL) {
    rec_proxy_serve (proxy, connection);
    g_object_unref (connection);
  }
  return NULL;
}

void
rec_proxy_start (RecProxy *proxy, const gchar *target, RecProxyEdit edit_offer,
    RecProxyEdit edit_answer)
{
  GUri *uri = g_uri_parse (target, G_URI_FLAGS_NONE, NULL);
  guint16 port;

  memset (proxy, 0, sizeof (*proxy));
  g_mutex_init (&proxy->lock);
  proxy->target = g_strdup (target);
  proxy->edit_offer = edit_offer ? edit_offer : rec_proxy_no_edit;
  proxy->edit_answer = edit_answer ? edit_answer : rec_proxy_no_edit;
  proxy->cancellable = g_cancellable_new ();
  proxy->listener = g_socket_listener_new ();
  port = g_socket_listener_add_any_inet_port (proxy->listener, NULL, NULL);
  fail_unless (port != 0);
  proxy->url = g_strdup_printf (
      "http://127.0.0.1:%u" REC_PROXY_PREFIX "%s", port, g_uri_get_path (uri));
  g_uri_unref (uri);
  proxy->thread = g_thread_new ("proxy", rec_proxy_main, proxy);
}

void
rec_proxy_stop (RecProxy *proxy)
{
  g_cancellable_cancel (proxy->cancellable);
  g_thread_join (proxy->thread);
  g_socket_listener_close (proxy->listener);
  g_object_unref (proxy->listener);
  g_object_unref (proxy->cancellable);
  g_mutex_clear (&proxy->lock);
  g_free (proxy->target);
  g_free (proxy->offer);
  g_free (proxy->answer);
  g_free (proxy->url);
}
