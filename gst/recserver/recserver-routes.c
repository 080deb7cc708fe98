/* gst-tsrec: the table of routes, and what is made of it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The same table routes requests and describes them (/api/openapi.json).
 */

#include "config.h"

#include "recserver-private.h"
#include "recserverauth.h"
#include "recservererror.h"
#include "recserverid.h"
#include "recserverjson.h"

#include <string.h>

/* Bytes. Whoever goes on sending beyond the second is cut off, as libsoup reads
 * a body to its end before it answers. */
#define MAX_JSON (64 * 1024)
#define MAX_SDP (256 * 1024)
#define CUT_OFF (1024 * 1024)
#define MAX_COMPONENTS 16
#define MAX_HEADERS (16 * 1024)

/**
 * Field: of a JSON body or a query
 * @type: of JSON Schema
 * @choices: separated by "|", or NULL
 */
typedef struct
{
  const gchar *name;
  const gchar *type;
  const gchar *choices;
  const gchar *text;
} Field;

/**
 * Route:
 * @path: "{id}", "{session}" and "{asset}" are one component, "{name}" is all that follow
 * @role: that is needed, for the {id} where there is one
 * @body, @query: end with a name of NULL; NULL: there is none
 * @errors: HTTP statuses, separated by spaces
 */
typedef struct
{
  const gchar *method;
  const gchar *path;
  RecServerRole role;
  RecServerHandler handler;
  const gchar *text;
  const Field *body;
  const gchar *body_type;
  const Field *query;
  const gchar *status;
  const gchar *answer_type;
  const gchar *errors;
} Route;

#define JSON "application/json"
#define SDP "application/sdp"
#define FRAGMENT "application/trickle-ice-sdpfrag"

static const Field start_body[] = {
  { "id", "string", NULL, "1 to 128 of A-Z a-z 0-9 . _ -, no dot in front" },
  { "mint_id", "string", NULL, "an alias of id" },
  { "output_format", "string", REC_SERVER_FORMAT_NAMES,
      "what is made; an unknown one records mpegts, and warning says so" },
  { "video_quality", "string", REC_SERVER_QUALITY_NAMES,
      "the bit rate that is asked of the sender, or used by an encoder where "
      "one is needed" },
  { "source", "object", NULL,
      "type (whip, whep, livekit, uri), url and token; whip when left out" },
  { NULL, NULL, NULL, NULL },
};

static const Field id_body[] = {
  { "id", "string", NULL, "of the recording" },
  { "mint_id", "string", NULL, "an alias of id" },
  { NULL, NULL, NULL, NULL },
};

static const Field list_query[] = {
  { "offset", "integer", NULL, "recordings to pass over" },
  { "limit", "integer", NULL, "recordings in the answer at most (1000)" },
  { "sort", "string",
      "-modified|modified|-name|name|-size|size|-duration|duration",
      "by what; a hyphen: the largest first (-modified)" },
  { NULL, NULL, NULL, NULL },
};

static const Field clip_query[] = {
  { "start", "string", NULL, "UTC, ISO 8601" },
  { "duration", "number", NULL, "seconds" },
  { "format", "string", "mpegts", "of the clip" },
  { NULL, NULL, NULL, NULL },
};

static const Field no_fields[] = { { NULL, NULL, NULL, NULL } };

static const Route routes[] = {
  { "POST", "/whip/{id}", REC_SERVER_ROLE_PUBLISH, rec_server_handle_publish,
      "Publish by WHIP (RFC 9725): an SDP offer", no_fields, SDP, NULL, "201",
      SDP, "400 404 409 413 415 422 429 503" },
  { "PATCH", "/whip/{id}/{session}", REC_SERVER_ROLE_PUBLISH,
      rec_server_handle_session, "Candidates of ICE, or its restart", no_fields,
      FRAGMENT, NULL, "204", FRAGMENT, "400 404 412 413 415 501" },
  { "DELETE", "/whip/{id}/{session}", REC_SERVER_ROLE_PUBLISH,
      rec_server_handle_session, "End a session of a publisher", NULL, NULL,
      NULL, "200", NULL, "404" },
  { "POST", "/api/recording/start", REC_SERVER_ROLE_CONTROL,
      rec_server_handle_start, "Start a recording", start_body, JSON, NULL,
      "200", JSON, "400 409 413 422 500 503" },
  { "POST", "/api/recording/stop", REC_SERVER_ROLE_CONTROL,
      rec_server_handle_stop,
      "End a recording; its file is complete and durable when the answer comes",
      id_body, JSON, NULL, "200", JSON, "400 404 413" },
  { "GET", "/api/recording/status/{id}", REC_SERVER_ROLE_WATCH,
      rec_server_handle_status, "The state of a recording", NULL, NULL, NULL,
      "200", JSON, "400 404" },
  { "GET", "/api/recording/active", REC_SERVER_ROLE_WATCH,
      rec_server_handle_active, "All recordings that have not ended", NULL,
      NULL, NULL, "200", JSON, "" },
  { "GET", "/api/recording/formats", REC_SERVER_ROLE_WATCH,
      rec_server_handle_formats,
      "Formats, qualities, sources and codecs, and what to install for those "
      "that are missing",
      NULL, NULL, NULL, "200", JSON, "" },
  { "GET", "/api/events", REC_SERVER_ROLE_WATCH, rec_server_handle_events,
      "Server-sent events: every change of state, alert and fragment", NULL,
      NULL, NULL, "200", "text/event-stream", "503" },
  { "GET", "/api/recordings", REC_SERVER_ROLE_WATCH, rec_server_handle_list,
      "The recordings in the folder", NULL, NULL, list_query, "200", JSON,
      "400" },
  { "DELETE", "/api/recordings/{name}", REC_SERVER_ROLE_CONTROL,
      rec_server_handle_delete, "Delete a recording and what belongs to it",
      NULL, NULL, NULL, "200", JSON, "403 404 409" },
  { "GET", "/api/recordings/{name}/clip", REC_SERVER_ROLE_WATCH,
      rec_server_handle_clip,
      "A range by wall-clock time, from the random access point at or before "
      "its start on; also of a recording that grows",
      NULL, NULL, clip_query, "200", "video/mp2t", "400 403 404 422 503" },
  { "GET", "/files/{name}", REC_SERVER_ROLE_WATCH, rec_server_handle_file,
      "A file, with byte ranges", NULL, NULL, NULL, "200",
      "application/octet-stream", "304 403 404 416 503" },
  { "GET", "/hls/{name}", REC_SERVER_ROLE_WATCH, rec_server_handle_playlist,
      "A playlist of NAME.ts, for NAME.ts.m3u8, made by reading the recording",
      NULL, NULL, NULL, "200", "application/vnd.apple.mpegurl",
      "403 404 422 503" },
  { "GET", "/metrics", REC_SERVER_ROLE_WATCH, rec_server_handle_metrics,
      "Metrics of all recordings for Prometheus", NULL, NULL, NULL, "200",
      "text/plain", "" },
  { "GET", "/healthz", REC_SERVER_ROLE_NONE, rec_server_handle_healthz,
      "Whether the process answers", NULL, NULL, NULL, "200", JSON, "" },
  { "GET", "/readyz", REC_SERVER_ROLE_NONE, rec_server_handle_readyz,
      "Whether a recording could be started", NULL, NULL, NULL, "200", JSON,
      "503" },
  { "GET", "/api/openapi.json", REC_SERVER_ROLE_NONE, rec_server_handle_openapi,
      "This document", NULL, NULL, NULL, "200", JSON, "" },
  { "GET", "/", REC_SERVER_ROLE_NONE, rec_server_handle_page, "The page", NULL,
      NULL, NULL, "200", "text/html", "404" },
  { "GET", "/{asset}", REC_SERVER_ROLE_NONE, rec_server_handle_page,
      "A part of the page", NULL, NULL, NULL, "200", "text/plain", "404" },
};

/* --- matching --- */

/* The components of an encoded path; NULL when
 * it is not valid percent-encoding, or has a NUL or an encoded slash. */
static gchar **
split_path (const gchar *path)
{
  gchar **parts = g_strsplit (path + (*path == '/'), "/", MAX_COMPONENTS);
  guint n = g_strv_length (parts);

  /* Proxies and people add slashes to the URL of a publisher. */
  while (n > 0 && g_str_equal (parts[0], "whip") && *parts[n - 1] == '\0')
    g_clear_pointer (&parts[--n], g_free);
  for (guint i = 0; i < n; i++) {
    gchar *decoded = g_uri_unescape_string (parts[i], "/");

    if (!decoded || !g_utf8_validate (decoded, -1, NULL)) {
      g_free (decoded);
      g_strfreev (parts);
      return NULL;
    }
    g_free (parts[i]);
    parts[i] = decoded;
  }
  return parts;
}

/* Whether @parts are those of @route. */
static gboolean
matches (const Route *route, gchar **parts)
{
  gchar **wanted = g_strsplit (route->path + 1, "/", -1);
  guint i = 0, n = g_strv_length (parts);
  gboolean ok = TRUE, rest = FALSE;

  /* "/" is no component at all. */
  if (wanted[0] && *wanted[0] == '\0')
    g_clear_pointer (&wanted[0], g_free);
  for (; ok && wanted[i]; i++) {
    rest = g_str_equal (wanted[i], "{name}");
    ok = parts[i] && (*wanted[i] == '{' || g_str_equal (wanted[i], parts[i]));
    if (rest)
      break;
  }
  /* What follows "{name}" is the end of the path. */
  if (ok && rest && wanted[i + 1])
    ok = n > i + 1 && g_str_equal (wanted[i + 1], parts[n - 1]);
  ok = ok && (rest || !parts[i]);
  g_strfreev (wanted);
  return ok;
}

static gboolean
has_method (const Route *route, const gchar *method)
{
  return g_str_equal (route->method, method) ||
      (g_str_equal (method, "HEAD") && g_str_equal (route->method, "GET"));
}

/* @parts as one name, without its last one where @suffix follows. */
static gchar *
join_rest (gchar **parts, const gchar *suffix)
{
  gchar *rest = g_strjoinv ("/", parts);

  if (suffix)
    rest[strlen (rest) - strlen (suffix) - 1] = '\0';
  return rest;
}

static void
set_params (const Route *route, gchar **parts, RecServerRequest *request)
{
  static const gchar *const names[] = { "id", "session", "name", "asset" };
  gchar **wanted = g_strsplit (route->path + 1, "/", -1);

  for (guint i = 0; wanted[i] && parts[i]; i++)
    for (guint j = 0; j < G_N_ELEMENTS (names); j++) {
      gchar *placeholder = g_strdup_printf ("{%s}", names[j]);

      if (g_str_equal (wanted[i], placeholder)) {
        gchar *rest = j == 2 ? join_rest (parts + i, wanted[i + 1]) : NULL;

        rec_server_request_set_param (
            request, names[j], rest ? rest : parts[i]);
        g_free (rest);
      }
      g_free (placeholder);
    }
  g_strfreev (wanted);
}

/* The route of a request; sets its parameters. NULL with @error, and with
 * *@allow the methods of that path, which the caller frees. */
static const Route *
find_route (RecServerRequest *request, gchar **allow, GError **error)
{
  SoupServerMessage *msg = rec_server_request_get_message (request);
  const gchar *method = soup_server_message_get_method (msg);
  gchar **parts =
      split_path (g_uri_get_path (soup_server_message_get_uri (msg)));
  GString *methods = g_string_new (NULL);
  const Route *found = NULL;

  for (guint i = 0; parts && !found && i < G_N_ELEMENTS (routes); i++) {
    if (!matches (&routes[i], parts))
      continue;
    if (has_method (&routes[i], method))
      found = &routes[i];
    else
      g_string_append_printf (
          methods, "%s%s", methods->len ? ", " : "", routes[i].method);
  }
  if (found)
    set_params (found, parts, request);
  else if (!parts)
    rec_server_error_set (error, 400, "invalid path",
        "The path is not valid percent-encoding of UTF-8.");
  else if (methods->len)
    rec_server_error_set (
        error, 405, "wrong method", "This path takes %s.", methods->str);
  else
    rec_server_error_set (error, 404, "no such path",
        "There is nothing at this path; /api/openapi.json says what there is.");
  *allow = g_string_free (methods, FALSE);
  g_strfreev (parts);
  return found;
}

/* --- bodies --- */

typedef struct
{
  gsize size;
  gsize max;
} BodyLimit;

/* Chunked bodies have no length to check in advance. */
static void
on_chunk (SoupServerMessage *msg, GBytes *chunk, gpointer data)
{
  BodyLimit *limit = data;
  GIOStream *stream;

  limit->size += g_bytes_get_size (chunk);
  if (limit->size > limit->max)
    soup_message_body_set_accumulate (
        soup_server_message_get_request_body (msg), FALSE);
  if (limit->size <= CUT_OFF)
    return;
  stream = soup_server_message_steal_connection (msg);
  g_io_stream_close (stream, NULL, NULL);
  g_object_unref (stream);
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
max_body (const Route *route)
{
  if (!route->body)
    return 0;
  return g_strcmp0 (route->body_type, JSON) == 0 ? MAX_JSON : MAX_SDP;
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

/* What can be refused before the body has come. */
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

/* --- early: when the headers are there --- */

static void
answer_options (RecServerRequest *request, const gchar *allow)
{
  gchar *all = g_strconcat (allow, *allow ? ", " : "", "OPTIONS", NULL);

  rec_server_request_set_header (request, "Allow", all);
  rec_server_request_reply_text (request, 204, NULL, NULL);
  g_free (all);
}

/* For what a person opens in a browser, and for every page of ours. */
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
  const Route *route = NULL;

  server->requests++;
  set_security_headers (request);
  if (check_headers (msg, &error) &&
      rec_server_auth_check_origin (server->config, request, &error))
    route = find_route (request, &allow, &error);
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

/* --- when the body is there --- */

typedef struct
{
  RecServer *server;
  RecServerRequest *request;
  const Route *route;
} Call;

static void
run_handler (Call *call, GError *error)
{
  const gchar *id = rec_server_request_get_param (call->request, "id");
  BodyLimit *limit = g_object_get_data (
      G_OBJECT (rec_server_request_get_message (call->request)), limit_key);

  if (!error && limit && limit->size > limit->max)
    set_too_large (&error, limit->max);
  if (!error && id)
    rec_server_id_check (id, &error);
  if (error)
    rec_server_request_reply_error (call->request, error);
  else
    call->route->handler (call->server, call->request);
  rec_server_request_unref (call->request);
  g_free (call);
}

static void
on_asked (GError *error, gpointer data)
{
  run_handler (data, error ? g_error_copy (error) : NULL);
}

static void
handle (RecServer *server, RecServerRequest *request)
{
  const gchar *id;
  GError *error = NULL;
  gchar *allow = NULL;
  const Route *route = find_route (request, &allow, &error);
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
  call->request = rec_server_request_ref (request);
  call->route = route;
  if (!ask || error) {
    run_handler (call, error);
    return;
  }
  rec_server_request_pause (request);
  rec_server_auth_ask (
      server->config, request, route->role, id, on_asked, call);
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

/* --- OpenAPI --- */

static JsonObject *
describe_type (const Field *field)
{
  JsonObject *schema = json_object_new ();

  json_object_set_string_member (schema, "type", field->type);
  if (field->choices) {
    gchar **choices = g_strsplit (field->choices, "|", -1);
    JsonArray *values = json_array_new ();

    for (guint i = 0; choices[i]; i++)
      json_array_add_string_element (values, choices[i]);
    json_object_set_array_member (schema, "enum", values);
    g_strfreev (choices);
  }
  return schema;
}

static JsonObject *
describe_content (const gchar *type, JsonObject *schema)
{
  JsonObject *content = json_object_new (), *media = json_object_new ();

  json_object_set_object_member (media, "schema", schema);
  json_object_set_object_member (content, type, media);
  return content;
}

static JsonObject *
describe_body (const Route *route)
{
  JsonObject *body = json_object_new (), *schema = json_object_new ();

  if (route->body->name) {
    JsonObject *properties = json_object_new ();

    for (const Field *field = route->body; field->name; field++) {
      JsonObject *property = describe_type (field);

      json_object_set_string_member (property, "description", field->text);
      json_object_set_object_member (properties, field->name, property);
    }
    json_object_set_string_member (schema, "type", "object");
    json_object_set_object_member (schema, "properties", properties);
  } else
    json_object_set_string_member (schema, "type", "string");
  json_object_set_boolean_member (body, "required", TRUE);
  json_object_set_object_member (
      body, "content", describe_content (route->body_type, schema));
  return body;
}

static void
add_parameter (JsonArray *parameters, const gchar *name, const gchar *in,
    JsonObject *schema, const gchar *text)
{
  JsonObject *parameter = json_object_new ();

  json_object_set_string_member (parameter, "name", name);
  json_object_set_string_member (parameter, "in", in);
  json_object_set_boolean_member (
      parameter, "required", g_str_equal (in, "path"));
  if (text)
    json_object_set_string_member (parameter, "description", text);
  json_object_set_object_member (parameter, "schema", schema);
  json_array_add_object_element (parameters, parameter);
}

static JsonArray *
describe_parameters (const Route *route)
{
  JsonArray *parameters = json_array_new ();
  gchar **parts = g_strsplit_set (route->path, "{}", -1);

  for (guint i = 1; parts[0] && parts[i]; i += 2) {
    JsonObject *schema = json_object_new ();

    json_object_set_string_member (schema, "type", "string");
    add_parameter (parameters, parts[i], "path", schema, NULL);
    if (!parts[i + 1])
      break;
  }
  for (const Field *field = route->query; field && field->name; field++)
    add_parameter (
        parameters, field->name, "query", describe_type (field), field->text);
  g_strfreev (parts);
  return parameters;
}

static JsonObject *
describe_answer (const gchar *text, const gchar *type, const gchar *schema_type)
{
  JsonObject *answer = json_object_new (), *schema = json_object_new ();

  json_object_set_string_member (answer, "description", text);
  if (!type) {
    json_object_unref (schema);
    return answer;
  }
  if (schema_type)
    json_object_set_string_member (schema, "type", schema_type);
  else
    json_object_set_string_member (
        schema, "$ref", "#/components/schemas/Error");
  json_object_set_object_member (
      answer, "content", describe_content (type, schema));
  return answer;
}

static JsonObject *
describe_answers (const Route *route)
{
  gchar *all = g_strconcat (route->errors, route->role ? " 401 403" : "", NULL);
  gchar **statuses = g_strsplit (all, " ", -1);
  JsonObject *answers = json_object_new ();

  json_object_set_object_member (answers, route->status,
      describe_answer ("success", route->answer_type,
          g_strcmp0 (route->answer_type, JSON) == 0 ? "object" : "string"));
  for (guint i = 0; statuses[i]; i++)
    if (*statuses[i])
      json_object_set_object_member (answers, statuses[i],
          describe_answer (
              soup_status_get_phrase ((guint)atoi (statuses[i])), JSON, NULL));
  g_strfreev (statuses);
  g_free (all);
  return answers;
}

static JsonObject *
describe_route (const Route *route)
{
  JsonObject *operation = json_object_new ();
  gchar *text;

  json_object_set_string_member (operation, "summary", route->text);
  json_object_set_array_member (
      operation, "parameters", describe_parameters (route));
  if (route->body)
    json_object_set_object_member (
        operation, "requestBody", describe_body (route));
  json_object_set_object_member (
      operation, "responses", describe_answers (route));
  if (route->role) {
    JsonArray *security = json_array_new (), *none = json_array_new ();
    JsonObject *bearer = json_object_new ();

    json_object_set_array_member (bearer, "token", none);
    json_array_add_object_element (security, bearer);
    json_object_set_array_member (operation, "security", security);
    text = g_strdup_printf (
        "Needs a token with the role %s where there is an [auth] section.",
        rec_server_role_get_name (route->role));
    json_object_set_string_member (operation, "description", text);
    g_free (text);
  }
  return operation;
}

static JsonNode *
parse_constant (const gchar *text)
{
  JsonNode *node = json_from_string (text, NULL);

  g_assert (node);
  return node;
}

JsonObject *
rec_server_routes_describe (void)
{
  JsonObject *document = json_object_new (), *paths = json_object_new ();

  for (guint i = 0; i < G_N_ELEMENTS (routes); i++) {
    gchar *method = g_ascii_strdown (routes[i].method, -1);
    JsonObject *path;

    if (!json_object_has_member (paths, routes[i].path))
      json_object_set_object_member (paths, routes[i].path, json_object_new ());
    path = json_object_get_object_member (paths, routes[i].path);
    json_object_set_object_member (path, method, describe_route (&routes[i]));
    g_free (method);
  }
  json_object_set_string_member (document, "openapi", "3.0.3");
  json_object_set_member (document, "info",
      parse_constant (
          "{\"title\": \"gst-tsrec recording service\", \"version\": \"" VERSION
          "\", \"license\": {\"name\": \"LGPL-2.1-or-later\"}}"));
  json_object_set_object_member (document, "paths", paths);
  json_object_set_member (document, "components",
      parse_constant (
          "{\"securitySchemes\": {\"token\": {\"type\": \"http\", \"scheme\": "
          "\"bearer\"}}, \"schemas\": {\"Error\": {\"type\": \"object\", "
          "\"required\": [\"success\", \"error\", \"detail\"], \"properties\": "
          "{\"success\": {\"type\": \"boolean\", \"enum\": [false]}, "
          "\"error\": {\"type\": \"string\"}, \"detail\": {\"type\": "
          "\"string\"}}}}}"));
  return document;
}
