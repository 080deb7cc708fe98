/* gst-tsrec: /api/recording, events, metrics and health
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserver-private.h"
#include "recservererror.h"
#include "recserverid.h"
#include "recserverjson.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* --- start --- */

/**
 * Wanted: what a request to start asks for
 * @warning: for the answer, or NULL; owned
 */
typedef struct
{
  RecServerRecordingConfig config;
  gchar *warning;
} Wanted;

static gboolean
read_format (JsonObject *json, Wanted *wanted, GError **error)
{
  GError *reason = NULL;
  const gchar *name =
      rec_server_json_get_string (json, "output_format", &reason);

  if (reason) {
    g_propagate_error (error, reason);
    return FALSE;
  }
  wanted->config.format =
      rec_server_format_find (name ? name : wanted->config.path->format);
  if (!wanted->config.format) {
    gchar *shown =
        g_utf8_substring (name, 0, MIN (g_utf8_strlen (name, -1), 40));

    wanted->config.format = rec_server_format_find ("mpegts");
    wanted->warning =
        g_strdup_printf ("There is no format \"%s\" (%s): recording mpegts.",
            shown, REC_SERVER_FORMAT_NAMES);
    g_free (shown);
  }
  return TRUE;
}

static gboolean
read_quality (JsonObject *json, Wanted *wanted, GError **error)
{
  GError *reason = NULL;
  const gchar *name =
      rec_server_json_get_string (json, "video_quality", &reason);

  if (reason) {
    g_propagate_error (error, reason);
    return FALSE;
  }
  wanted->config.quality =
      rec_server_quality_find (name ? name : wanted->config.path->quality);
  if (wanted->config.quality)
    return TRUE;
  rec_server_error_set (error, 422, "unknown quality",
      "There is no quality \"%.40s\"; there are %s.", name,
      REC_SERVER_QUALITY_NAMES);
  return FALSE;
}

static gboolean
read_source_fields (JsonObject *source, Wanted *wanted, GError **error)
{
  GError *reason = NULL;
  const gchar *type = rec_server_json_get_string (source, "type", &reason);

  if (!reason)
    wanted->config.url = rec_server_json_get_string (source, "url", &reason);
  if (!reason)
    wanted->config.token =
        rec_server_json_get_string (source, "token", &reason);
  if (reason) {
    g_propagate_error (error, reason);
    return FALSE;
  }
  if (!type)
    type = "whip";
  wanted->config.source = rec_server_source_find (type);
  if (!wanted->config.source) {
    rec_server_error_set (error, 422, "unknown source",
        "There is no source of type \"%.40s\"; there are whip, whep, livekit "
        "and uri.",
        type);
    return FALSE;
  }
  return TRUE;
}

static gboolean
read_source (JsonObject *json, Wanted *wanted, GError **error)
{
  JsonNode *node = json_object_get_member (json, "source");

  wanted->config.source = rec_server_source_find ("whip");
  if (!node || JSON_NODE_HOLDS_NULL (node))
    return rec_server_source_check (wanted->config.source, error);
  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    rec_server_error_set (error, 400, "invalid field",
        "\"source\" has to be an object, as in {\"type\": \"uri\", \"url\": "
        "\"rtsp://…\"}.");
    return FALSE;
  }
  if (!read_source_fields (json_node_get_object (node), wanted, error) ||
      !rec_server_source_check (wanted->config.source, error))
    return FALSE;
  if (wanted->config.source->schemes &&
      !rec_server_source_takes_url (
          wanted->config.source, wanted->config.url)) {
    rec_server_error_set (error, 400, "invalid url",
        "A source of type %s needs a valid \"url\" with one of the schemes %s.",
        wanted->config.source->type, wanted->config.source->schemes);
    return FALSE;
  }
  return TRUE;
}

static const gchar *
read_id (RecServerRequest *request, JsonObject *json, GError **error)
{
  GError *reason = NULL;
  const gchar *id = rec_server_json_get_string (json, "id", &reason);

  if (!id && !reason)
    id = rec_server_json_get_string (json, "mint_id", &reason);
  if (reason) {
    g_propagate_error (error, reason);
    return NULL;
  }
  if (!rec_server_id_check (id, error))
    return NULL;
  if (g_pattern_match_simple (rec_server_request_get_pattern (request), id))
    return id;
  rec_server_error_set (error, 403, "not allowed",
      "This token does not allow to control %s.", id);
  return NULL;
}

static void
reply_started (RecServerRequest *request, RecServerRecording *recording,
    const Wanted *wanted)
{
  JsonObject *answer = rec_server_recording_describe (recording);
  static const gchar *const left_out[] = { "is_recording", "tracks", "stats",
    "alerts", "file_size_bytes", "duration_seconds", "gap_seconds", "warning" };
  gchar *base, *url;

  for (guint i = 0; i < G_N_ELEMENTS (left_out); i++)
    json_object_remove_member (answer, left_out[i]);
  if (g_str_equal (wanted->config.source->type, "whip")) {
    base = rec_server_request_dup_base (request);
    url = g_strdup_printf ("%s/whip/%s", base, wanted->config.id);
    json_object_set_string_member (answer, "publish_url", url);
    g_free (url);
    g_free (base);
  }
  if (wanted->warning)
    json_object_set_string_member (answer, "warning", wanted->warning);
  rec_server_request_reply_json (request, 200, answer);
}

void
rec_server_handle_start (RecServer *server, RecServerRequest *request)
{
  Wanted wanted = { { NULL }, NULL };
  RecServerRecording *recording = NULL;
  GError *error = NULL;
  JsonObject *json = rec_server_request_get_json (request, &error);

  if (json)
    wanted.config.id = read_id (request, json, &error);
  if (wanted.config.id) {
    wanted.config.server = server->config;
    wanted.config.path =
        rec_server_config_get_path (server->config, wanted.config.id);
    if (read_format (json, &wanted, &error) &&
        read_quality (json, &wanted, &error) &&
        read_source (json, &wanted, &error))
      recording = rec_server_start (server, &wanted.config, &error);
  }
  if (recording)
    reply_started (request, recording, &wanted);
  else
    rec_server_request_reply_error (request, error);
  g_free (wanted.warning);
}

/* --- stop --- */

static void
on_stopped (RecServerRecording *recording, gpointer data)
{
  RecServerRequest *request = data;

  rec_server_request_reply_json (
      request, 200, rec_server_recording_describe_end (recording));
  rec_server_request_unref (request);
}

static RecServerRecording *
find_recording (RecServer *server, const gchar *id, GError **error)
{
  RecServerRecording *recording = rec_server_find (server, id);

  if (!recording)
    rec_server_error_set (error, 404, "no such recording",
        "There is no recording %s. /api/recording/active lists those that run.",
        id);
  return recording;
}

void
rec_server_handle_stop (RecServer *server, RecServerRequest *request)
{
  GError *error = NULL;
  JsonObject *json = rec_server_request_get_json (request, &error);
  const gchar *id = json ? read_id (request, json, &error) : NULL;
  RecServerRecording *recording =
      id ? find_recording (server, id, &error) : NULL;

  JsonObject *past = id ? g_hash_table_lookup (server->past, id) : NULL;

  if (past) {
    /* Stopped by a crash: as a second stop, which says what there is. */
    g_clear_error (&error);
    rec_server_request_reply_json (request, 200, json_object_ref (past));
    return;
  }
  if (!recording) {
    rec_server_request_reply_error (request, error);
    return;
  }
  rec_server_request_pause (request);
  rec_server_recording_stop (
      recording, on_stopped, rec_server_request_ref (request));
}

/* --- looking --- */

void
rec_server_handle_status (RecServer *server, RecServerRequest *request)
{
  const gchar *id = rec_server_request_get_param (request, "id");
  JsonObject *past = g_hash_table_lookup (server->past, id);
  GError *error = NULL;
  RecServerRecording *recording;

  if (past) {
    rec_server_request_reply_json (request, 200, json_object_ref (past));
    return;
  }
  recording = find_recording (server, id, &error);
  if (recording)
    rec_server_request_reply_json (
        request, 200, rec_server_recording_describe (recording));
  else
    rec_server_request_reply_error (request, error);
}

void
rec_server_handle_active (RecServer *server, RecServerRequest *request)
{
  const gchar *pattern = rec_server_request_get_pattern (request);
  JsonObject *answer = json_object_new (), *recordings = json_object_new ();
  GHashTableIter iter;
  gpointer id, recording;
  guint count = 0;

  g_hash_table_iter_init (&iter, server->recordings);
  while (g_hash_table_iter_next (&iter, &id, &recording)) {
    if (!rec_server_recording_is_active (recording) ||
        !g_pattern_match_simple (pattern, id))
      continue;
    json_object_set_object_member (
        recordings, id, rec_server_recording_describe (recording));
    count++;
  }
  json_object_set_boolean_member (answer, "success", TRUE);
  json_object_set_object_member (answer, "recordings", recordings);
  json_object_set_int_member (answer, "count", count);
  json_object_set_boolean_member (answer, "ingest", server->config->ingest);
  rec_server_request_reply_json (request, 200, answer);
}

void
rec_server_handle_formats (RecServer *server, RecServerRequest *request)
{
  rec_server_request_reply_json (request, 200,
      rec_server_formats_describe (server->config->tools_directory));
}

void
rec_server_handle_events (RecServer *server, RecServerRequest *request)
{
  rec_server_events_add (server->events, request);
}

void
rec_server_handle_openapi (RecServer *server, RecServerRequest *request)
{
  rec_server_request_reply_json (request, 200, rec_server_routes_describe ());
}

/* --- metrics and health --- */

/* The last line of an exposition. */
#define END "# EOF\n"

static void
append_states (RecServer *server, GString *text)
{
  guint counts[REC_SERVER_STATE_FAILED + 1] = { 0 };
  GHashTableIter iter;
  gpointer recording;

  g_hash_table_iter_init (&iter, server->recordings);
  while (g_hash_table_iter_next (&iter, NULL, &recording))
    counts[rec_server_recording_get_state (recording)]++;
  g_string_append (text,
      "# HELP recserver_recordings Recordings by state.\n"
      "# TYPE recserver_recordings gauge\n");
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    g_string_append_printf (text, "recserver_recordings{state=\"%s\"} %u\n",
        rec_server_state_get_name (i), counts[i]);
}

static void
append_hooks (RecServer *server, GString *text)
{
  RecServerHookCounts counts;

  rec_server_hooks_get_counts (server->hooks, &counts);
  g_string_append_printf (text,
      "# HELP recserver_hooks_waiting Hooks and commands that have yet to "
      "succeed.\n"
      "# TYPE recserver_hooks_waiting gauge\n"
      "recserver_hooks_waiting %u\n"
      "# HELP recserver_hooks_failures_total Attempts of hooks and commands "
      "that failed.\n"
      "# TYPE recserver_hooks_failures_total counter\n"
      "recserver_hooks_failures_total %" G_GUINT64_FORMAT "\n"
      "# HELP recserver_hooks_dropped_total Hooks and commands that were given "
      "up because too many waited.\n"
      "# TYPE recserver_hooks_dropped_total counter\n"
      "recserver_hooks_dropped_total %" G_GUINT64_FORMAT "\n",
      counts.waiting, counts.failures, counts.dropped);
}

static void
append_counters (RecServer *server, GString *text)
{
  g_string_append_printf (text,
      "# HELP recserver_connections HTTP connections that are open.\n"
      "# TYPE recserver_connections gauge\n"
      "recserver_connections %u\n"
      "# HELP recserver_requests_total HTTP requests.\n"
      "# TYPE recserver_requests_total counter\n"
      "recserver_requests_total %" G_GUINT64_FORMAT "\n"
      "# HELP recserver_requests_refused_total HTTP requests that were "
      "answered with a status of 400 or more before their body was read.\n"
      "# TYPE recserver_requests_refused_total counter\n"
      "recserver_requests_refused_total %" G_GUINT64_FORMAT "\n",
      rec_server_listener_get_connections (server->listener), server->requests,
      server->refused);
}

/* Appends the lines of @text, without those of recordings that @pattern does not
 * match. */
static void
append_matching (GString *to, const gchar *text, const gchar *pattern)
{
  static const gchar label[] = "recording=\"";
  gchar **lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i]; i++) {
    const gchar *id = *lines[i] == '#' ? NULL : strstr (lines[i], label);
    const gchar *end = id ? strchr (id + strlen (label), '"') : NULL;
    gchar *name =
        end ? g_strndup (id + strlen (label), end - id - strlen (label)) : NULL;

    if (*lines[i] && (!name || g_pattern_match_simple (pattern, name)))
      g_string_append_printf (to, "%s\n", lines[i]);
    g_free (name);
  }
  g_strfreev (lines);
}

void
rec_server_handle_metrics (RecServer *server, RecServerRequest *request)
{
  GString *text = g_string_new (NULL);
  gchar *monitors = NULL;

  if (server->metrics)
    g_object_get (server->metrics, "metrics", &monitors, NULL);
  /* The metrics of the service are appended to the same text. */
  if (monitors && g_str_has_suffix (monitors, END))
    monitors[strlen (monitors) - strlen (END)] = '\0';
  if (monitors)
    append_matching (text, monitors, rec_server_request_get_pattern (request));
  append_states (server, text);
  append_counters (server, text);
  append_hooks (server, text);
  rec_server_request_reply_text (
      request, 200, "text/plain; version=0.0.4; charset=utf-8", text->str);
  g_string_free (text, TRUE);
  g_free (monitors);
}

void
rec_server_handle_healthz (RecServer *server, RecServerRequest *request)
{
  JsonObject *answer = json_object_new ();

  json_object_set_boolean_member (answer, "success", TRUE);
  rec_server_request_reply_json (request, 200, answer);
}

static void
run_access (GTask *task, gpointer source, gpointer data, GCancellable *c)
{
  g_task_return_boolean (task, g_access (data, W_OK | X_OK) == 0);
}

static void
on_access (GObject *object, GAsyncResult *result, gpointer data)
{
  RecServerRequest *request = data;
  GError *error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), NULL))
    rec_server_handle_healthz (NULL, request);
  else {
    rec_server_error_set (&error, 503, "folder not writable",
        "Cannot write into the recordings' folder. Check its permissions.");
    rec_server_request_reply_error (request, error);
  }
  rec_server_request_unref (request);
}

/* Does not answer before a disk that has stalled does. */
void
rec_server_handle_readyz (RecServer *server, RecServerRequest *request)
{
  GError *error = NULL;
  GTask *task;

  if (server->finishing) {
    rec_server_error_set (
        &error, 503, "shutting down", "The service ends its recordings.");
    rec_server_request_reply_error (request, error);
    return;
  }
  rec_server_request_pause (request);
  task = g_task_new (NULL, NULL, on_access, rec_server_request_ref (request));
  g_task_set_task_data (task, g_strdup (server->config->directory), g_free);
  g_task_run_in_thread (task, run_access);
  g_object_unref (task);
}
