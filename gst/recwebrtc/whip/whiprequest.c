/* gst-tsrec: one request to a WHIP endpoint, and its answer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "whiprequest-private.h"

#include <string.h>

struct _WhipRequest
{
  /* The answer goes to @func, or, if that is NULL, to @msg. */
  WhipReplyFunc func;
  gpointer func_data;
  WhipListener *server;
  SoupServerMessage *msg;
  gchar *base; /* location of the session without its identifier */
  gchar *session_id;
  gchar *remote;
  gchar *local;
  gchar *if_match;
  gchar **ice_servers;
  GBytes *body;

  guint status;
  gchar *type;
  gchar *location;
  gchar *created_id;
  gchar *etag;
  gchar *warning;
  gchar *text;
};

/* --- answering --- */

void
whip_request_set_text (
    SoupServerMessage *msg, guint status, const gchar *type, const gchar *text)
{
  soup_server_message_set_status (msg, status, NULL);
  soup_server_message_set_response (
      msg, type, SOUP_MEMORY_COPY, text, strlen (text));
}

static void
request_free (gpointer data)
{
  WhipRequest *request = data;

  g_clear_object (&request->msg);
  g_clear_pointer (&request->server, whip_listener_unref);
  if (request->body)
    g_bytes_unref (request->body);
  g_strfreev (request->ice_servers);
  g_free (request->base);
  g_free (request->session_id);
  g_free (request->remote);
  g_free (request->local);
  g_free (request->if_match);
  g_free (request->type);
  g_free (request->location);
  g_free (request->created_id);
  g_free (request->etag);
  g_free (request->warning);
  g_free (request->text);
  g_free (request);
}

/* On the thread of the listener. */
static gboolean
send_reply (gpointer data)
{
  WhipRequest *request = data;
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (request->msg);
  guint i;

  if (request->location)
    soup_message_headers_replace (headers, "Location", request->location);
  if (request->etag) {
    gchar *quoted = g_strdup_printf ("\"%s\"", request->etag);

    soup_message_headers_replace (headers, "ETag", quoted);
    g_free (quoted);
  }
  if (request->warning)
    soup_message_headers_replace (headers, "Warning", request->warning);
  for (i = 0; request->location && request->ice_servers[i]; i++)
    soup_message_headers_append (headers, "Link", request->ice_servers[i]);
  if (request->status == SOUP_STATUS_SERVICE_UNAVAILABLE ||
      request->status == 429)
    soup_message_headers_replace (headers, "Retry-After", "1");
  if (request->text)
    whip_request_set_text (
        request->msg, request->status, request->type, request->text);
  else
    soup_server_message_set_status (request->msg, request->status, NULL);
  soup_server_message_unpause (request->msg);
  return G_SOURCE_REMOVE;
}

static void
call_back (WhipRequest *request)
{
  static const gchar *const none[] = { NULL };
  WhipReply answer = { .status = request->status,
    .type = request->type,
    .text = request->text,
    .session_id = request->created_id,
    .etag = request->etag,
    .warning = request->warning,
    .links = none };

  if (request->created_id)
    answer.links = (const gchar *const *)request->ice_servers;
  request->func (&answer, request->func_data);
  request_free (request);
}

static void
reply (WhipRequest *request)
{
  WhipListener *server;

  if (request->func) {
    call_back (request);
    return;
  }
  server = whip_listener_ref (request->server);
  whip_listener_invoke (server, send_reply, request, request_free);
  whip_listener_unref (server);
}

/* Returns the value of a Warning header; code 299 is a persistent warning.
 * @text may contain words of the client: characters that are not valid in a
 * quoted string are removed. Caller frees. */
static gchar *
make_warning (const gchar *text)
{
  GString *value = g_string_new ("299 gst-tsrec \"");

  for (; *text; text++)
    if (g_ascii_isprint (*text) && *text != '"' && *text != '\\')
      g_string_append_c (value, *text);
  g_string_append_c (value, '"');
  return g_string_free (value, FALSE);
}

void
whip_request_reply_created (WhipRequest *request, const gchar *session_id,
    const gchar *etag, const gchar *answer, const gchar *warning)
{
  request->status = SOUP_STATUS_CREATED;
  request->type = g_strdup (WHIP_TYPE_SDP);
  request->created_id = g_strdup (session_id);
  if (request->base)
    request->location = g_strconcat (request->base, session_id, NULL);
  request->etag = g_strdup (etag);
  request->text = g_strdup (answer);
  request->warning = warning ? make_warning (warning) : NULL;
  reply (request);
}

void
whip_request_reply_fragment (
    WhipRequest *request, const gchar *etag, const gchar *fragment)
{
  request->status = SOUP_STATUS_OK;
  request->type = g_strdup (WHIP_TYPE_FRAGMENT);
  request->etag = g_strdup (etag);
  request->text = g_strdup (fragment);
  reply (request);
}

void
whip_request_reply (WhipRequest *request, guint status, const gchar *reason)
{
  request->status = status;
  request->type = g_strdup ("text/plain; charset=utf-8");
  request->text = reason ? g_strconcat (reason, "\n", NULL) : NULL;
  reply (request);
}

const gchar *
whip_request_get_body (WhipRequest *request, gsize *length)
{
  return g_bytes_get_data (request->body, length);
}

const gchar *
whip_request_get_session_id (WhipRequest *request)
{
  return request->session_id;
}

const gchar *
whip_request_get_local (WhipRequest *request)
{
  return request->local;
}

const gchar *
whip_request_get_remote (WhipRequest *request)
{
  return request->remote;
}

/* Weak tags, and tags without quotes, which some clients send, match too:
 * there is one ICE session, and its name is never used again. */
gboolean
whip_request_accepts_etag (WhipRequest *request, const gchar *etag)
{
  gchar **tags;
  gboolean matches = FALSE;
  guint i;

  if (!request->if_match)
    return TRUE;
  tags = g_strsplit (request->if_match, ",", 64);
  for (i = 0; tags[i] && !matches; i++) {
    gchar *tag = g_strstrip (tags[i]);
    gsize length;

    if (g_str_has_prefix (tag, "W/"))
      tag += 2;
    length = strlen (tag);
    if (length >= 2 && tag[0] == '"' && tag[length - 1] == '"') {
      tag[length - 1] = '\0';
      tag++;
    }
    matches = g_str_equal (tag, "*") || g_str_equal (tag, etag);
  }
  g_strfreev (tags);
  return matches;
}

/* --- life --- */

static gchar *
local_address (SoupServerMessage *msg)
{
  GSocketAddress *address = soup_server_message_get_local_address (msg);

  if (!G_IS_INET_SOCKET_ADDRESS (address))
    return NULL;
  return g_inet_address_to_string (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

WhipRequest *
whip_request_new (WhipListener *server, SoupServerMessage *msg, gchar *base,
    const gchar *session_id, gchar **ice_servers)
{
  WhipRequest *request = g_new0 (WhipRequest, 1);

  request->server = whip_listener_ref (server);
  request->msg = g_object_ref (msg);
  request->base = base;
  request->session_id = g_strdup (session_id);
  request->remote = g_strdup (soup_server_message_get_remote_host (msg));
  request->local = local_address (msg);
  request->if_match = g_strdup (soup_message_headers_get_list (
      soup_server_message_get_request_headers (msg), "If-Match"));
  request->ice_servers = g_strdupv (ice_servers);
  request->body =
      soup_message_body_flatten (soup_server_message_get_request_body (msg));
  return request;
}

WhipRequest *
whip_request_new_from_fields (
    const WhipRequestFields *fields, WhipReplyFunc func, gpointer user_data)
{
  static const gchar *const none[] = { NULL };
  WhipRequest *request = g_new0 (WhipRequest, 1);

  request->func = func;
  request->func_data = user_data;
  request->session_id = g_strdup (fields->session_id);
  request->body = g_bytes_new (fields->body, fields->body_length);
  request->if_match = g_strdup (fields->if_match);
  request->local = g_strdup (fields->local);
  request->remote = g_strdup (fields->remote);
  request->ice_servers =
      g_strdupv ((gchar **)(fields->ice_servers ? fields->ice_servers : none));
  return request;
}
