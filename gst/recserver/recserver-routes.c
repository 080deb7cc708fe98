/* gst-tsrec: the table of routes, and the route of a request
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * recserver-openapi.c generates the OpenAPI document from the same table.
 */

#include "config.h"

#include "recserver-private.h"
#include "recservererror.h"

#include <string.h>

#define MAX_COMPONENTS 16

#define JSON REC_SERVER_TYPE_JSON
#define SDP "application/sdp"
#define FRAGMENT "application/trickle-ice-sdpfrag"

static const RecServerField start_body[] = {
  { "id", "string", NULL, "1 to 128 of A-Z a-z 0-9 . _ -, no dot in front" },
  { "mint_id", "string", NULL, "an alias of id" },
  { "output_format", "string", REC_SERVER_FORMAT_NAMES,
      "format of the file; an unknown one records mpegts, with a warning" },
  { "video_quality", "string", REC_SERVER_QUALITY_NAMES,
      "bit rate requested from the sender, or used by an encoder if one is "
      "needed" },
  { "source", "object", NULL,
      "type (whip, whep, livekit, uri), url and token; default: whip" },
  { NULL, NULL, NULL, NULL },
};

static const RecServerField id_body[] = {
  { "id", "string", NULL, "of the recording" },
  { "mint_id", "string", NULL, "an alias of id" },
  { NULL, NULL, NULL, NULL },
};

static const RecServerField list_query[] = {
  { "name", "string", NULL, "only the recording with this name" },
  { "offset", "integer", NULL, "recordings to skip" },
  { "limit", "integer", NULL, "maximum number of recordings (1000)" },
  { "sort", "string",
      "-modified|modified|-name|name|-size|size|-duration|duration",
      "order; with a hyphen, descending (-modified)" },
  { NULL, NULL, NULL, NULL },
};

static const RecServerField clip_query[] = {
  { "start", "string", NULL,
      "UTC, ISO 8601; default: the start of the recording" },
  { "duration", "number", NULL,
      "seconds; default: until the end of the recording" },
  { "format", "string", "mpegts|mp4",
      "format of the clip (mpegts); mp4 is remuxed while it is sent, without "
      "re-encoding" },
  { NULL, NULL, NULL, NULL },
};

static const RecServerField no_fields[] = { { NULL, NULL, NULL, NULL } };

static const RecServerRoute routes[] = {
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
      "its start, or all of an MPEG-TS recording; also while it is written",
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
      "Returns 200 while the process runs", NULL, NULL, NULL, "200", JSON, "" },
  { "GET", "/readyz", REC_SERVER_ROLE_NONE, rec_server_handle_readyz,
      "Returns 200 if a recording could be started", NULL, NULL, NULL, "200",
      JSON, "503" },
  { "GET", "/api/openapi.json", REC_SERVER_ROLE_NONE, rec_server_handle_openapi,
      "This document", NULL, NULL, NULL, "200", JSON, "" },
  { "GET", "/", REC_SERVER_ROLE_NONE, rec_server_handle_page, "The page", NULL,
      NULL, NULL, "200", "text/html", "404" },
  { "GET", "/{asset}", REC_SERVER_ROLE_NONE, rec_server_handle_page,
      "A part of the page", NULL, NULL, NULL, "200", "text/plain", "404" },
};

const RecServerRoute *
rec_server_routes_get (guint *n)
{
  *n = G_N_ELEMENTS (routes);
  return routes;
}

/* --- matching --- */

/* Returns the decoded components of @path. Returns NULL if it is not valid
 * percent-encoding of UTF-8, or has an encoded NUL or slash. */
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

/* Returns TRUE if @parts match the path of @route. */
static gboolean
matches (const RecServerRoute *route, gchar **parts)
{
  gchar **wanted = g_strsplit (route->path + 1, "/", -1);
  guint i = 0, n = g_strv_length (parts);
  gboolean ok = TRUE, rest = FALSE;

  /* "/" has no components. */
  if (wanted[0] && *wanted[0] == '\0')
    g_clear_pointer (&wanted[0], g_free);
  for (; ok && wanted[i]; i++) {
    rest = g_str_equal (wanted[i], "{name}");
    ok = parts[i] && (*wanted[i] == '{' || g_str_equal (wanted[i], parts[i]));
    if (rest)
      break;
  }
  /* A component after "{name}" is the last one of the path. */
  if (ok && rest && wanted[i + 1])
    ok = n > i + 1 && g_str_equal (wanted[i + 1], parts[n - 1]);
  ok = ok && (rest || !parts[i]);
  g_strfreev (wanted);
  return ok;
}

static gboolean
has_method (const RecServerRoute *route, const gchar *method)
{
  return g_str_equal (route->method, method) ||
      (g_str_equal (method, "HEAD") && g_str_equal (route->method, "GET"));
}

/* Joins @parts, without the last one if it is @suffix. */
static gchar *
join_rest (gchar **parts, const gchar *suffix)
{
  gchar *rest = g_strjoinv ("/", parts);

  if (suffix)
    rest[strlen (rest) - strlen (suffix) - 1] = '\0';
  return rest;
}

static void
set_params (
    const RecServerRoute *route, gchar **parts, RecServerRequest *request)
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

const RecServerRoute *
rec_server_routes_find (
    RecServerRequest *request, gchar **allow, GError **error)
{
  SoupServerMessage *msg = rec_server_request_get_message (request);
  const gchar *method = soup_server_message_get_method (msg);
  gchar **parts =
      split_path (g_uri_get_path (soup_server_message_get_uri (msg)));
  GString *methods = g_string_new (NULL);
  const RecServerRoute *found = NULL;

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
        "There is nothing at this path. /api/openapi.json lists all paths.");
  *allow = g_string_free (methods, FALSE);
  g_strfreev (parts);
  return found;
}
