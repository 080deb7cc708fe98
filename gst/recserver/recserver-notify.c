/* gst-tsrec: events of recordings: bus, hooks, server-sent events
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserver-private.h"
#include "recserverjson.h"

void
rec_server_warn (RecServer *server, const gchar *format, ...)
{
  va_list args;
  gchar *text;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  server->func (gst_structure_new (
                    "recserver-warning", "text", G_TYPE_STRING, text, NULL),
      server->user_data);
  g_free (text);
}

void
rec_server_warn_of (const gchar *id, const gchar *text, gpointer server)
{
  rec_server_warn (server, "%s: %s", id, text);
}

static JsonObject *
make_event (
    RecServerRecording *recording, const gchar *event, JsonObject *facts)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "event", event);
  rec_server_json_set_time (object, "time", g_get_real_time ());
  json_object_set_string_member (
      object, "id", rec_server_recording_get_id (recording));
  json_object_set_string_member (object, "state",
      rec_server_state_get_name (rec_server_recording_get_state (recording)));
  if (facts)
    json_object_set_object_member (object, "facts", json_object_ref (facts));
  return object;
}

/* Returns the event for hook-url that corresponds to @event, or NULL. */
static const gchar *
get_hook_event (RecServerRecording *recording, const gchar *event)
{
  static const gchar *const passed_on[] = { "publisher-connected",
    "publisher-disconnected", "fragment-opened", "fragment-closed",
    "alert-raised", "alert-cleared", "disk-full", "disk-recovered", NULL };

  if (g_strv_contains (passed_on, event))
    return event;
  if (g_str_equal (event, "started"))
    return "recording-started";
  if (!g_str_equal (event, "closed"))
    return NULL;
  return rec_server_recording_get_state (recording) == REC_SERVER_STATE_FAILED
      ? "recording-failed"
      : "recording-stopped";
}

static void
post_hook (RecServer *server, RecServerRecording *recording, const gchar *event,
    JsonObject *facts)
{
  const RecServerPath *path = rec_server_recording_get_path (recording);
  const gchar *name = get_hook_event (recording, event);
  JsonObject *object;

  if (!path->hook_url || !name)
    return;
  object = make_event (recording, name, facts);
  json_object_set_string_member (
      object, "output_path", rec_server_recording_get_output (recording));
  rec_server_hooks_post (server->hooks, rec_server_recording_get_id (recording),
      path->hook_url, path->hook_secret, object);
  json_object_unref (object);
}

static void
archive_rest (RecServer *server, RecServerRecording *recording)
{
  GPtrArray *paths = rec_server_recording_list_unclosed (recording);

  for (guint i = 0; i < paths->len; i++)
    rec_server_archive_closed (
        server, recording, g_ptr_array_index (paths, i), -1);
  g_ptr_array_unref (paths);
}

static void
archive (RecServer *server, RecServerRecording *recording, const gchar *event,
    JsonObject *facts)
{
  const gchar *path = facts
      ? json_object_get_string_member_with_default (facts, "path", NULL)
      : NULL;

  if (path && g_str_equal (event, "fragment-opened"))
    rec_server_archive_opened (server, recording, path);
  else if (path && g_str_equal (event, "fragment-closed") &&
      rec_server_recording_is_complete (recording,
          json_object_get_string_member_with_default (facts, "reason", NULL)))
    rec_server_archive_closed (server, recording, path,
        json_object_get_double_member (facts, "duration_seconds"));
  else if (g_str_equal (event, "closed"))
    archive_rest (server, recording);
}

void
rec_server_notify (RecServer *server, RecServerRecording *recording,
    const gchar *event, JsonObject *facts)
{
  JsonObject *object = make_event (recording, event, facts);

  rec_server_events_publish (
      server->events, event, rec_server_recording_get_id (recording), object);
  json_object_unref (object);
  if (g_str_equal (event, "state") || g_str_equal (event, "started")) {
    server->func (
        gst_structure_new ("recserver-recording", "id", G_TYPE_STRING,
            rec_server_recording_get_id (recording), "state", G_TYPE_STRING,
            rec_server_state_get_name (
                rec_server_recording_get_state (recording)),
            NULL),
        server->user_data);
  }
  post_hook (server, recording, event, facts);
  archive (server, recording, event, facts);
  if (g_str_equal (event, "disk-recovered"))
    rec_server_archive_write_again (server);
  if (g_str_equal (event, "closed"))
    rec_server_check_finished (server);
}

/* Warnings and errors as structures with "text". */
static GstStructure *
dup_structure (GstMessage *message)
{
  const GstStructure *s = gst_message_get_structure (message);
  GError *error = NULL;
  GstStructure *copy;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT)
    return s ? gst_structure_copy (s) : NULL;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
    gst_message_parse_warning (message, &error, NULL);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else
    return NULL;
  copy =
      gst_structure_new (gst_message_type_get_name (GST_MESSAGE_TYPE (message)),
          "text", G_TYPE_STRING, error->message, NULL);
  g_error_free (error);
  return copy;
}

static void
on_message (
    RecServerRecording *recording, GstMessage *message, gpointer user_data)
{
  RecServer *server = user_data;
  GstStructure *inner = dup_structure (message);

  if (!inner)
    return;
  server->func (
      gst_structure_new ("recserver-recording", "id", G_TYPE_STRING,
          rec_server_recording_get_id (recording), "state", G_TYPE_STRING,
          rec_server_state_get_name (
              rec_server_recording_get_state (recording)),
          "message", GST_TYPE_STRUCTURE, inner, NULL),
      server->user_data);
  gst_structure_free (inner);
}

static void
on_event (RecServerRecording *recording, const gchar *event, JsonObject *facts,
    gpointer user_data)
{
  rec_server_notify (user_data, recording, event, facts);
}

const RecServerRecordingCallbacks rec_server_recording_callbacks = { on_event,
  on_message };
