/* gst-tsrec: /files, /hls, /api/recordings and the page
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserver-private.h"
#include "recservererror.h"
#include "recserverfilesender.h"
#include "recserverlibrary.h"
#include "recserverremux.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_LIMIT 5000

static void
set_error (GError **error, guint status, const gchar *what, const gchar *detail)
{
  rec_server_error_set (error, status, what, "%s", detail);
}

/* --- whose recording it is --- */

typedef struct
{
  RecServer *server;
  RecServerRequest *request;
  RecServerHandler next;
} Check;

static void
on_id (const gchar *id, gpointer data)
{
  Check *check = data;
  RecServerRequest *request = check->request;
  GError *error = NULL;

  if (!g_pattern_match_simple (rec_server_request_get_pattern (request), id))
    set_error (
        &error, 403, "not allowed", "This token is for other recordings.");
  else if (!check->server->listener)
    set_error (&error, 503, "shutting down", "The service has ended.");
  if (error)
    rec_server_request_reply_error (request, error);
  else
    check->next (check->server, request);
  rec_server_request_unref (request);
  g_free (check);
}

/* Calls @next if the token of @request is for the file @name. Otherwise answers
 * it. */
static void
check_pattern (RecServer *server, RecServerRequest *request, const gchar *name,
    RecServerHandler next)
{
  Check *check;

  if (g_str_equal (rec_server_request_get_pattern (request), "*")) {
    next (server, request);
    return;
  }
  check = g_new (Check, 1);
  check->server = server;
  check->request = rec_server_request_ref (request);
  check->next = next;
  rec_server_request_pause (request);
  rec_server_library_find_id (server->library, name, on_id, check);
}

/* --- answers of the library --- */

static void
on_answer (JsonObject *answer, GError *error, gpointer data)
{
  RecServerRequest *request = data;

  if (answer)
    rec_server_request_reply_json (request, 200, answer);
  else
    rec_server_request_reply_error (request, error);
  rec_server_request_unref (request);
}

static void
on_playlist (JsonObject *answer, GError *error, gpointer data)
{
  RecServerRequest *request = data;

  if (answer) {
    rec_server_request_reply_text (request, 200,
        "application/vnd.apple.mpegurl",
        json_object_get_string_member (answer, "text"));
    json_object_unref (answer);
  } else
    rec_server_request_reply_error (request, error);
  rec_server_request_unref (request);
}

static void
send_playlist (RecServer *server, RecServerRequest *request, const gchar *name)
{
  rec_server_request_pause (request);
  rec_server_library_make_playlist (
      server->library, name, on_playlist, rec_server_request_ref (request));
}

static void
on_open (int fd, const struct stat *st, GError *error, gpointer data)
{
  RecServerRequest *request = data;

  if (fd >= 0) {
    rec_server_file_sender_send (request, fd, st,
        rec_server_folder_get_type (
            rec_server_request_get_param (request, "name")));
    rec_server_request_resume (request);
  } else
    rec_server_request_reply_error (request, error);
  rec_server_request_unref (request);
}

static void
send_file (RecServer *server, RecServerRequest *request)
{
  const gchar *name = rec_server_request_get_param (request, "name");

  if (g_str_has_suffix (name, ".m3u8")) {
    send_playlist (server, request, name);
    return;
  }
  rec_server_request_pause (request);
  rec_server_library_open (
      server->library, name, on_open, rec_server_request_ref (request));
}

void
rec_server_handle_file (RecServer *server, RecServerRequest *request)
{
  check_pattern (server, request,
      rec_server_request_get_param (request, "name"), send_file);
}

/* "NAME.ts" of "NAME.ts.m3u8". Caller frees. */
static gchar *
dup_playlist_file (RecServerRequest *request)
{
  const gchar *name = rec_server_request_get_param (request, "name");

  return g_strndup (name, strlen (name) - strlen (".m3u8"));
}

static void
send_generated (RecServer *server, RecServerRequest *request)
{
  gchar *file = dup_playlist_file (request);

  send_playlist (server, request, file);
  g_free (file);
}

void
rec_server_handle_playlist (RecServer *server, RecServerRequest *request)
{
  const gchar *name = rec_server_request_get_param (request, "name");
  GError *error = NULL;
  gchar *file;

  if (!g_str_has_suffix (name, ".ts.m3u8")) {
    set_error (&error, 404, "no such playlist",
        "A playlist is /hls/NAME.ts.m3u8, for the recording NAME.ts.");
    rec_server_request_reply_error (request, error);
    return;
  }
  file = dup_playlist_file (request);
  check_pattern (server, request, file, send_generated);
  g_free (file);
}

/* Reads a number of the query, @fallback if it is missing. */
static gboolean
read_number (RecServerRequest *request, const gchar *name, guint fallback,
    guint max, guint *number, GError **error)
{
  const gchar *text = rec_server_request_get_query (request, name);
  guint64 value = fallback;

  if (text && !g_ascii_string_to_unsigned (text, 10, 0, max, &value, NULL)) {
    rec_server_error_set (error, 400, "invalid query",
        "\"%s\" takes a number from 0 to %u.", name, max);
    return FALSE;
  }
  *number = (guint)value;
  return TRUE;
}

static gboolean
read_sort (RecServerRequest *request, gchar **sort, GError **error)
{
  static const gchar *const names[] = { "modified", "name", "size", "duration",
    NULL };
  const gchar *text = rec_server_request_get_query (request, "sort");

  if (!text)
    text = "-modified";
  if (!g_strv_contains (names, text + (*text == '-'))) {
    set_error (error, 400, "invalid query",
        "\"sort\" takes modified, name, size or duration, with a hyphen in "
        "front for the largest first.");
    return FALSE;
  }
  *sort = (gchar *)text;
  return TRUE;
}

void
rec_server_handle_list (RecServer *server, RecServerRequest *request)
{
  RecServerLibraryQuery query = {
    .pattern = (gchar *)rec_server_request_get_pattern (request),
    .name = (gchar *)rec_server_request_get_query (request, "name")
  };
  GError *error = NULL;

  if (read_number (request, "offset", 0, G_MAXINT, &query.offset, &error) &&
      read_number (request, "limit", 1000, MAX_LIMIT, &query.limit, &error) &&
      read_sort (request, &query.sort, &error)) {
    rec_server_request_pause (request);
    rec_server_library_list (
        server->library, &query, on_answer, rec_server_request_ref (request));
  } else
    rec_server_request_reply_error (request, error);
}

typedef struct
{
  RecServer *server;
  RecServerRequest *request;
} Deletion;

static void
on_deleted (JsonObject *answer, GError *error, gpointer data)
{
  Deletion *deletion = data;
  RecServer *server = deletion->server;

  /* The service may be ending. */
  if (answer && server->hooks) {
    gchar *directory =
        g_canonicalize_filename (server->config->directory, NULL);
    gchar *path = g_canonicalize_filename (
        rec_server_request_get_param (deletion->request, "name"), directory);

    rec_server_hooks_forget (server->hooks, path);
    g_free (path);
    g_free (directory);
  }
  on_answer (answer, error, deletion->request);
  g_free (deletion);
}

static void
delete_recording (RecServer *server, RecServerRequest *request)
{
  GError *error = NULL;
  Deletion *deletion;

  if (!server->config->ingest) {
    set_error (&error, 403, "no ingest",
        "This server shows recordings and deletes none (ingest=false).");
    rec_server_request_reply_error (request, error);
    return;
  }
  rec_server_request_pause (request);
  deletion = g_new0 (Deletion, 1);
  deletion->server = server;
  deletion->request = rec_server_request_ref (request);
  rec_server_library_delete (server->library,
      rec_server_request_get_param (request, "name"), on_deleted, deletion);
}

void
rec_server_handle_delete (RecServer *server, RecServerRequest *request)
{
  check_pattern (server, request,
      rec_server_request_get_param (request, "name"), delete_recording);
}

/* --- clips --- */

/* RFC 6266: a name for the file that the client makes. Clients that do not know
 * filename* (curl) get what a quoted string can hold of it. */
static void
set_file_name (RecServerRequest *request, const gchar *suffix)
{
  const gchar *name = rec_server_request_get_param (request, "name");
  gchar *base = g_path_get_basename (name);
  gchar *dot = strrchr (base, '.');
  gchar *escaped, *header;

  if (dot)
    *dot = '\0';
  escaped = g_uri_escape_string (base, NULL, FALSE);
  g_strcanon (base,
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", '_');
  header = g_strdup_printf ("attachment; filename=\"%s%s\"; "
                            "filename*=UTF-8''%s%s",
      base, suffix, escaped, suffix);
  rec_server_request_set_header (request, "Content-Disposition", header);
  g_free (header);
  g_free (escaped);
  g_free (base);
}

static void
on_clip (const RecServerLibraryClip *clip, GError *error, gpointer data)
{
  RecServerRequest *request = data;

  if (clip) {
    set_file_name (request, ".ts");
    rec_server_file_sender_send_part (
        request, clip->fd, clip->offset, clip->length, "video/mp2t");
    rec_server_request_resume (request);
  } else
    rec_server_request_reply_error (request, error);
  rec_server_request_unref (request);
}

static void
on_mp4_clip (const RecServerLibraryClip *clip, GError *error, gpointer data)
{
  RecServerRequest *request = data;

  if (clip)
    set_file_name (request, ".mp4");
  if (clip && rec_server_request_is_head (request)) {
    close (clip->fd);
    rec_server_request_reply_text (request, 200, "video/mp4", "");
  } else if (!clip || !rec_server_remux (request, clip, &error)) {
    rec_server_request_remove_header (request, "Content-Disposition");
    rec_server_request_reply_error (request, error);
  }
  rec_server_request_unref (request);
}

/* start: ISO 8601, UTC if it has no time zone; duration: seconds. */
static gboolean
read_range (
    RecServerRequest *request, RecServerLibraryRange *range, GError **error)
{
  const gchar *from = rec_server_request_get_query (request, "start");
  const gchar *length = rec_server_request_get_query (request, "duration");
  GTimeZone *utc = g_time_zone_new_utc ();
  GDateTime *time = from ? g_date_time_new_from_iso8601 (from, utc) : NULL;
  gchar *end = NULL;
  gdouble seconds = length ? g_ascii_strtod (length, &end) : 0;

  g_time_zone_unref (utc);
  range->start = G_MININT64;
  range->duration = G_MAXINT64;
  if ((from && !time) ||
      (length && (end == length || *end || !(seconds > 0) || seconds > 1e7))) {
    g_clear_pointer (&time, g_date_time_unref);
    set_error (error, 400, "invalid query",
        "A clip takes start=2026-01-31T12:00:00Z and duration=SECONDS.");
    return FALSE;
  }
  if (time)
    range->start = g_date_time_to_unix (time) * G_USEC_PER_SEC +
        g_date_time_get_microsecond (time);
  if (length)
    range->duration = (gint64)(seconds * G_USEC_PER_SEC);
  g_clear_pointer (&time, g_date_time_unref);
  return TRUE;
}

static gboolean
read_format (RecServerRequest *request, gboolean *mp4, GError **error)
{
  const gchar *format = rec_server_request_get_query (request, "format");
  const gchar *name = rec_server_request_get_param (request, "name");

  *mp4 = g_strcmp0 (format, "mp4") == 0;
  if (format && !*mp4 && !g_str_equal (format, "mpegts"))
    set_error (error, 422, "format not available",
        "The format of a clip is mpegts or mp4.");
  else if (!g_str_has_suffix (name, ".ts"))
    set_error (error, 422, "format not available",
        "Clips can be made of MPEG-TS recordings (NAME.ts). Download other "
        "files from /files/NAME.");
  else
    return TRUE;
  return FALSE;
}

static void
send_clip (RecServer *server, RecServerRequest *request)
{
  RecServerLibraryRange range = { 0 };
  GError *error = NULL;

  if (!read_format (request, &range.uniform, &error) ||
      !read_range (request, &range, &error)) {
    rec_server_request_reply_error (request, error);
    return;
  }
  rec_server_request_pause (request);
  rec_server_library_find_clip (server->library,
      rec_server_request_get_param (request, "name"), &range,
      range.uniform ? on_mp4_clip : on_clip, rec_server_request_ref (request));
}

void
rec_server_handle_clip (RecServer *server, RecServerRequest *request)
{
  check_pattern (server, request,
      rec_server_request_get_param (request, "name"), send_clip);
}

/* --- the page --- */

static const struct
{
  const gchar *name;
  const gchar *file; /* below the tools directory */
  const gchar *type;
} assets[] = {
  { "index.html", "lib/web/page/index.html", "text/html; charset=utf-8" },
  { "page.js", "lib/web/page/page.js", "text/javascript; charset=utf-8" },
  { "api.js", "lib/web/page/api.js", "text/javascript; charset=utf-8" },
  { "service.js", "lib/web/page/service.js", "text/javascript; charset=utf-8" },
  { "whip.js", "lib/web/page/whip.js", "text/javascript; charset=utf-8" },
  { "player.js", "lib/web/page/player.js", "text/javascript; charset=utf-8" },
  { "tsindex.js", "lib/web/page/tsindex.js", "text/javascript; charset=utf-8" },
  { "style.css", "lib/web/page/style.css", "text/css; charset=utf-8" },
  { "icon.svg", "lib/web/page/icon.svg", "image/svg+xml" },
  { "hls.js", "lib/web/node_modules/hls.js/dist/hls.min.mjs",
      "text/javascript; charset=utf-8" },
  { "hls.worker.js", "lib/web/node_modules/hls.js/dist/hls.worker.js",
      "text/javascript; charset=utf-8" },
};

/* hls.js plays through a MediaSource, which has a blob: URL. */
static const gchar page_policy[] =
    "default-src 'none'; script-src 'self'; worker-src 'self'; "
    "style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "media-src 'self' blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

static void
send_asset (RecServer *server, RecServerRequest *request, guint i)
{
  gchar *path = server->config->tools_directory
      ? g_build_filename (server->config->tools_directory, assets[i].file, NULL)
      : NULL;
  int fd = path ? open (path, O_RDONLY | O_CLOEXEC) : -1;
  GError *error = NULL;
  struct stat st;

  g_free (path);
  rec_server_request_set_header (
      request, "Content-Security-Policy", page_policy);
  if (fd >= 0 && fstat (fd, &st) == 0) {
    rec_server_file_sender_send (request, fd, &st, assets[i].type);
    return;
  }
  if (fd >= 0)
    close (fd);
  set_error (&error, 404, "not installed",
      "This part of the page is not installed. Set tools-directory to the "
      "folder pipelines of gst-tsrec; pipelines/server fetches hls.js.");
  rec_server_request_reply_error (request, error);
}

void
rec_server_handle_page (RecServer *server, RecServerRequest *request)
{
  const gchar *name = rec_server_request_get_param (request, "asset");
  GError *error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (assets); i++)
    if (g_str_equal (assets[i].name, name ? name : "index.html")) {
      send_asset (server, request, i);
      return;
    }
  set_error (&error, 404, "no such path",
      "There is nothing at this path. /api/openapi.json lists all paths.");
  rec_server_request_reply_error (request, error);
}
