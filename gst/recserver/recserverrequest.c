/* gst-tsrec: a request to the recording service, and its response
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverrequest.h"
#include "recservererror.h"
#include "recserverjson.h"

#include <string.h>

#define MAX_PARAMS 2

struct _RecServerRequest
{
  grefcount refcount;
  RecServerListener *listener;
  SoupServerMessage *msg;
  struct
  {
    const gchar *name;
    gchar *value;
  } params[MAX_PARAMS];
  GHashTable *query;
  JsonObject *json;
  gchar *local;
  gchar *remote;
  gchar *pattern;
  gboolean authorized;
  gboolean paused;
};

RecServerRequest *
rec_server_request_new (RecServerListener *listener, SoupServerMessage *msg)
{
  RecServerRequest *request = g_new0 (RecServerRequest, 1);
  const gchar *query = g_uri_get_query (soup_server_message_get_uri (msg));

  g_ref_count_init (&request->refcount);
  request->listener = rec_server_listener_ref (listener);
  request->msg = g_object_ref (msg);
  if (query)
    request->query =
        g_uri_parse_params (query, -1, "&", G_URI_PARAMS_WWW_FORM, NULL);
  return request;
}

RecServerRequest *
rec_server_request_ref (RecServerRequest *request)
{
  g_ref_count_inc (&request->refcount);
  return request;
}

void
rec_server_request_unref (RecServerRequest *request)
{
  if (!g_ref_count_dec (&request->refcount))
    return;
  for (guint i = 0; i < MAX_PARAMS; i++)
    g_free (request->params[i].value);
  g_clear_pointer (&request->query, g_hash_table_unref);
  g_clear_pointer (&request->json, json_object_unref);
  g_object_unref (request->msg);
  rec_server_listener_unref (request->listener);
  g_free (request->local);
  g_free (request->remote);
  g_free (request->pattern);
  g_free (request);
}

SoupServerMessage *
rec_server_request_get_message (RecServerRequest *request)
{
  return request->msg;
}

/* --- what was asked --- */

void
rec_server_request_set_param (
    RecServerRequest *request, const gchar *name, const gchar *value)
{
  guint i = 0;

  while (request->params[i].name)
    i++;
  g_assert (i < MAX_PARAMS);
  request->params[i].name = name;
  request->params[i].value = g_strdup (value);
}

const gchar *
rec_server_request_get_param (RecServerRequest *request, const gchar *name)
{
  for (guint i = 0; i < MAX_PARAMS; i++)
    if (g_strcmp0 (request->params[i].name, name) == 0)
      return request->params[i].value;
  return NULL;
}

const gchar *
rec_server_request_get_query (RecServerRequest *request, const gchar *name)
{
  return request->query ? g_hash_table_lookup (request->query, name) : NULL;
}

const gchar *
rec_server_request_get_header (RecServerRequest *request, const gchar *name)
{
  return soup_message_headers_get_one (
      soup_server_message_get_request_headers (request->msg), name);
}

GBytes *
rec_server_request_dup_body (RecServerRequest *request)
{
  return soup_message_body_flatten (
      soup_server_message_get_request_body (request->msg));
}

JsonObject *
rec_server_request_get_json (RecServerRequest *request, GError **error)
{
  GBytes *body;
  gconstpointer data;
  gsize length;

  if (request->json)
    return request->json;
  body = rec_server_request_dup_body (request);
  data = g_bytes_get_data (body, &length);
  request->json = rec_server_json_parse (data ? data : "", length, error);
  g_bytes_unref (body);
  return request->json;
}

static gchar *
address_to_string (GSocketAddress *address)
{
  if (!G_IS_INET_SOCKET_ADDRESS (address))
    return NULL;
  return g_inet_address_to_string (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

const gchar *
rec_server_request_get_remote (RecServerRequest *request)
{
  if (!request->remote)
    request->remote = address_to_string (
        soup_server_message_get_remote_address (request->msg));
  return request->remote;
}

const gchar *
rec_server_request_get_local (RecServerRequest *request)
{
  if (!request->local)
    request->local = address_to_string (
        soup_server_message_get_local_address (request->msg));
  return request->local;
}

/* A host that could stand in a URL, and nothing else. */
static gboolean
is_host (const gchar *host)
{
  return host && *host && strlen (host) < 300 &&
      host[strspn (host, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS ".-_:[]")] ==
      '\0';
}

gchar *
rec_server_request_dup_base (RecServerRequest *request)
{
  const gchar *proto =
      rec_server_request_get_header (request, "X-Forwarded-Proto");
  const gchar *forwarded =
      rec_server_request_get_header (request, "X-Forwarded-Host");
  const gchar *host = rec_server_request_get_header (request, "Host");
  gboolean tls = rec_server_listener_is_tls (request->listener) ||
      g_strcmp0 (proto, "https") == 0;

  if (is_host (forwarded))
    host = forwarded;
  if (is_host (host))
    return g_strconcat (tls ? "https://" : "http://", host, NULL);
  return g_strdup_printf ("%s://127.0.0.1:%u", tls ? "https" : "http",
      rec_server_listener_get_port (request->listener));
}

void
rec_server_request_set_authorized (
    RecServerRequest *request, gboolean authorized)
{
  request->authorized = authorized;
}

gboolean
rec_server_request_is_authorized (RecServerRequest *request)
{
  return request->authorized;
}

void
rec_server_request_set_pattern (RecServerRequest *request, const gchar *pattern)
{
  g_free (request->pattern);
  request->pattern = g_strdup (pattern);
}

const gchar *
rec_server_request_get_pattern (RecServerRequest *request)
{
  return request->pattern ? request->pattern : "*";
}

/* --- the answer --- */

void
rec_server_request_pause (RecServerRequest *request)
{
  request->paused = TRUE;
  rec_server_listener_set_working (request->listener, request->msg, TRUE);
  soup_server_message_pause (request->msg);
}

void
rec_server_request_resume (RecServerRequest *request)
{
  if (!request->paused)
    return;
  request->paused = FALSE;
  rec_server_listener_set_working (request->listener, request->msg, FALSE);
  soup_server_message_unpause (request->msg);
}

void
rec_server_request_set_header (
    RecServerRequest *request, const gchar *name, const gchar *value)
{
  soup_message_headers_replace (
      soup_server_message_get_response_headers (request->msg), name, value);
}

void
rec_server_request_remove_header (RecServerRequest *request, const gchar *name)
{
  soup_message_headers_remove (
      soup_server_message_get_response_headers (request->msg), name);
}

gboolean
rec_server_request_is_head (RecServerRequest *request)
{
  return g_str_equal (soup_server_message_get_method (request->msg), "HEAD");
}

void
rec_server_request_reply_text (RecServerRequest *request, guint status,
    const gchar *type, const gchar *text)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (request->msg);

  soup_server_message_set_status (request->msg, status, NULL);
  if (text)
    soup_server_message_set_response (
        request->msg, type, SOUP_MEMORY_COPY, text, strlen (text));
  if (!soup_message_headers_get_one (headers, "Cache-Control"))
    soup_message_headers_replace (headers, "Cache-Control", "no-store");
  rec_server_request_resume (request);
}

void
rec_server_request_reply_json (
    RecServerRequest *request, guint status, JsonObject *object)
{
  gchar *text = rec_server_json_to_string (object);

  rec_server_request_reply_text (request, status, "application/json", text);
  g_free (text);
}

void
rec_server_request_reply_error (RecServerRequest *request, GError *error)
{
  guint status = rec_server_error_get_status (error);
  JsonObject *object = json_object_new ();
  gchar *what, *detail;

  rec_server_error_split (error, &what, &detail);
  json_object_set_boolean_member (object, "success", FALSE);
  json_object_set_string_member (object, "error", what);
  json_object_set_string_member (object, "detail", detail);
  if (status == 503 || status == 429)
    rec_server_request_set_header (
        request, "Retry-After", status == 429 ? "1" : "10");
  if (status == 401)
    rec_server_request_set_header (request, "WWW-Authenticate", "Bearer");
  rec_server_request_reply_json (request, status, object);
  g_free (what);
  g_free (detail);
  g_error_free (error);
}

void
rec_server_request_refuse (RecServerRequest *request, GError *error)
{
  soup_message_body_set_accumulate (
      soup_server_message_get_request_body (request->msg), FALSE);
  rec_server_request_reply_error (request, error);
}
