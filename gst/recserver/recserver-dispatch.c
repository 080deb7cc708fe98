/* gst-tsrec: checks of a request before its handler
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserver-private.h"
#include "recserverauth.h"
#include "recservererror.h"
#include "recserverid.h"
#include "recserverjson.h"

#include <string.h>

/* Bytes. libsoup reads a body to its end before it answers, so a client that
 * sends more than CUT_OFF is disconnected. */
#define MAX_JSON (64 * 1024)
#define MAX_SDP (256 * 1024)
#define CUT_OFF (1024 * 1024)
#define MAX_HEADERS (16 * 1024)

/* --- bodies --- */

typedef struct
{
  gsize size;
  gsize max;
} BodyLimit;

/* Checks the length of chunked bodies, which is not known in advance. */
static void
on_chunk (SoupServerMessage *msg, GBytes *chunk, gpointer data)
{
  BodyLimit *limit = data;

  limit->size += g_bytes_get_size (chunk);
  if (limit->size > limit->max)
    soup_message_body_set_accumulate (
        soup_server_message_get_request_body (msg), FALSE);
  if (limit->size > CUT_OFF)
    rec_server_listener_cut_off (msg);
}

static const gchar limit_key[] = "rec-server-body-limit";

static void
limit_body (SoupServerMessage *msg, gsize max)
{
  BodyLimit *limit = g_new0 (BodyLimit, 1);

  limit->max = max;
  g_object_set_data_full (G_OBJECT (msg), limit_key, limit, g_free);
  g_signal_connect (msg, "got-chunk", G_CALLBACK (on_chunk), limit);
}

static void
set_too_large (GError **error, gsize max)
{
  rec_server_error_set (error, 413, "body too large",
      "The body of this request has at most %zu bytes.", max);
}

static gsize
max_body (const RecServerRoute *route)
{
  if (!route->body)
    return 0;
  return g_strcmp0 (route->body_type, REC_SERVER_TYPE_JSON) == 0 ? MAX_JSON
                                                                 : MAX_SDP;
}

static void
add_size (const char *name, const char *value, gpointer size)
{
  *(gsize *)size += strlen (name) + strlen (value) + 4;
}

static gboolean
check_headers (SoupServerMessage *msg, GError **error)
{
  gsize size = 0;

  soup_message_headers_foreach (
      soup_server_message_get_request_headers (msg), add_size, &size);
  if (size <= MAX_HEADERS)
    return TRUE;
  rec_server_error_set (error, 431, "headers too large",
      "The headers of a request have at most %d bytes.", MAX_HEADERS);
  return FALSE;
}

/* Checks the Content-Length before the body has arrived. */
static gboolean
check_length (SoupServerMessage *msg, gsize max, GError **error)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (msg);
  goffset length;

  if (soup_message_headers_get_encoding (headers) !=
      SOUP_ENCODING_CONTENT_LENGTH)
    return TRUE;
  length = soup_message_headers_get_content_length (headers);
  if (length >= 0 && (guint64)length <= max)
    return TRUE;
  if (length < 0)
    rec_server_error_set (
        error, 400, "invalid length", "The Content-Length is negative.");
  else
    set_too_large (error, max);
  return FALSE;
}

/* --- when the headers have arrived --- */

static void
answer_options (RecServerRequest *request, const gchar *allow)
{
  gchar *all = g_strconcat (allow, *allow ? ", " : "", "OPTIONS", NULL);

  rec_server_request_set_header (request, "Allow", all);
  rec_server_request_reply_text (request, 204, NULL, NULL);
  g_free (all);
}

/* For all responses that a browser may show. */
static void
set_security_headers (RecServerRequest *request)
{
  static const gchar *const headers[][2] = {
    { "X-Content-Type-Options", "nosniff" },
    { "Referrer-Policy", "no-referrer" },
    { "Cross-Origin-Resource-Policy", "same-origin" },
    { "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (headers); i++)
    rec_server_request_set_header (request, headers[i][0], headers[i][1]);
}

static void
check_early (RecServer *server, RecServerRequest *request)
{
  SoupServerMessage *msg = rec_server_request_get_message (request);
  const gchar *method = soup_server_message_get_method (msg);
  gboolean preflight = g_str_equal (method, "OPTIONS"), ask;
  GError *error = NULL;
  gchar *allow = NULL;
  const RecServerRoute *route = NULL;

  server->requests++;
  set_security_headers (request);
  if (check_headers (msg, &error) &&
      rec_server_auth_check_origin (server->config, request, &error))
    route = rec_server_routes_find (request, &allow, &error);
  limit_body (msg, route ? max_body (route) : 0);
  if (allow && *allow && error && preflight) {
    answer_options (request, allow);
    g_clear_error (&error);
  } else if (route &&
      (!check_length (msg, max_body (route), &error) ||
          !rec_server_auth_check (server->config, request, route->role,
              rec_server_request_get_param (request, "id"), &ask, &error)))
    route = NULL;
  if (error) {
    if (allow && *allow)
      rec_server_request_set_header (request, "Allow", allow);
    server->refused++;
    rec_server_request_refuse (request, error);
  }
  g_free (allow);
}

/* --- when the body has arrived --- */

typedef struct
{
  RecServer *server;
  RecServerConfig *config; /* that the token was looked for in */
  RecServerRequest *request;
  const RecServerRoute *route;
} Call;

static void
run_handler (Call *call, GError *error)
{
  const gchar *id = rec_server_request_get_param (call->request, "id");
  BodyLimit *limit = g_object_get_data (
      G_OBJECT (rec_server_request_get_message (call->request)), limit_key);

  /* auth-url or the disk has answered after the service has ended. */
  if (!error && !call->server->listener)
    rec_server_error_set (
        &error, 503, "shutting down", "The service has ended.");
  if (!error && limit && limit->size > limit->max)
    set_too_large (&error, limit->max);
  if (!error && id)
    rec_server_id_check (id, &error);
  if (error)
    rec_server_request_reply_error (call->request, error);
  else
    call->route->handler (call->server, call->request);
  rec_server_request_unref (call->request);
  rec_server_config_unref (call->config);
  g_free (call);
}

/* Of the recording that @request is about, for auth-url; NULL when it is about
 * none, about all, or about a file. */
static const gchar *
get_id (RecServerRequest *request, const RecServerRoute *route)
{
  const gchar *id = rec_server_request_get_param (request, "id");
  JsonObject *json = NULL;

  if (!id && g_strcmp0 (route->body_type, REC_SERVER_TYPE_JSON) == 0)
    json = rec_server_request_get_json (request, NULL);
  if (json)
    id = rec_server_json_get_string (json, "id", NULL);
  if (json && !id)
    id = rec_server_json_get_string (json, "mint_id", NULL);
  return id;
}

static void
on_asked (GError *error, gpointer data)
{
  run_handler (data, error ? g_error_copy (error) : NULL);
}

/* Asks auth-url about the recording @id. */
static void
ask_about (const gchar *id, gpointer data)
{
  Call *call = data;

  rec_server_auth_ask (
      call->config, call->request, call->route->role, id, on_asked, call);
}

static void
handle (RecServer *server, RecServerRequest *request)
{
  const gchar *id, *name;
  GError *error = NULL;
  gchar *allow = NULL;
  const RecServerRoute *route =
      rec_server_routes_find (request, &allow, &error);
  gboolean ask = FALSE;
  Call *call;

  g_free (allow);
  if (!route) {
    rec_server_request_reply_error (request, error);
    return;
  }
  id = rec_server_request_get_param (request, "id");
  rec_server_auth_check (
      server->config, request, route->role, id, &ask, &error);
  call = g_new0 (Call, 1);
  call->server = server;
  call->config = rec_server_config_ref (server->config);
  call->request = rec_server_request_ref (request);
  call->route = route;
  if (!ask || error) {
    run_handler (call, error);
    return;
  }
  rec_server_request_pause (request);
  name = rec_server_request_get_param (request, "name");
  if (name)
    rec_server_library_find_id (server->library, name, ask_about, call);
  else
    ask_about (get_id (request, route), call);
}

void
rec_server_dispatch (SoupServerMessage *msg, gboolean early, gpointer data)
{
  RecServer *server = data;
  RecServerRequest *request = rec_server_request_new (server->listener, msg);

  if (early)
    check_early (server, request);
  else
    handle (server, request);
  rec_server_request_unref (request);
}
