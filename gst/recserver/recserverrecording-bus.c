/* gst-tsrec: messages of a recording's pipeline
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverrecording-private.h"
#include "recserverjson.h"

#include <string.h>

/* Keys of alerts that do not come from recmonitor. */
#define DISK_FAULT "disk-fault"
#define DISK_LOW "disk-low"
#define NEXT_FILE "disk-next-file"

typedef struct
{
  const gchar *name;
  void (*handle) (RecServerRecording *recording, const GstStructure *s);
} Handler;

static void
set_string (JsonObject *facts, const gchar *member, const GstStructure *s,
    const gchar *field)
{
  const gchar *value = gst_structure_get_string (s, field);

  if (value)
    json_object_set_string_member (facts, member, value);
}

/* --- publishers --- */

static void
on_connected (RecServerRecording *recording, const GstStructure *s)
{
  JsonObject *facts = json_object_new ();

  recording->connected = TRUE;
  recording->lonely_since = 0;
  set_string (facts, "remote", s, "remote");
  set_string (facts, "video_codec", s, "video-codec");
  set_string (facts, "audio_codec", s, "audio-codec");
  rec_server_recording_emit (recording, "publisher-connected", facts);
  rec_server_recording_update_state (recording);
}

static void
on_disconnected (RecServerRecording *recording, const GstStructure *s)
{
  JsonObject *facts = json_object_new ();

  recording->connected = FALSE;
  recording->lonely_since = g_get_monotonic_time ();
  set_string (facts, "remote", s, "remote");
  set_string (facts, "reason", s, "reason");
  rec_server_recording_emit (recording, "publisher-disconnected", facts);
  rec_server_recording_update_state (recording);
}

/* --- alerts --- */

static JsonObject *
make_alert (const GstStructure *s)
{
  JsonObject *alert = json_object_new ();
  gint64 since;

  set_string (alert, "rule", s, "rule");
  set_string (alert, "stage", s, "stage");
  set_string (alert, "where", s, "where");
  set_string (alert, "text", s, "text");
  if (gst_structure_get_int64 (s, "since", &since))
    rec_server_json_set_time (alert, "since", since);
  return alert;
}

static void
on_alert (RecServerRecording *recording, const GstStructure *s)
{
  const gchar *rule = gst_structure_get_string (s, "rule");
  const gchar *stage = gst_structure_get_string (s, "stage");
  gboolean raised =
      g_strcmp0 (gst_structure_get_string (s, "state"), "raised") == 0;
  gchar *key = g_strdup_printf ("%s %s", rule, stage);
  JsonObject *alert = make_alert (s);

  if (raised)
    g_hash_table_insert (recording->alerts, key, json_object_ref (alert));
  else {
    g_hash_table_remove (recording->alerts, key);
    g_free (key);
  }
  rec_server_recording_emit (
      recording, raised ? "alert-raised" : "alert-cleared", alert);
  rec_server_recording_update_state (recording);
}

static void
clear_alert (RecServerRecording *recording, const gchar *key)
{
  JsonObject *alert = g_hash_table_lookup (recording->alerts, key);

  if (!alert)
    return;
  json_object_ref (alert);
  g_hash_table_remove (recording->alerts, key);
  rec_server_recording_emit (recording, "alert-cleared", alert);
}

void
rec_server_recording_clear_alerts (RecServerRecording *recording)
{
  GList *keys, *l;

  /* It was reported by "disk-full", and there is no event for its end. */
  g_hash_table_remove (recording->alerts, DISK_FAULT);
  recording->disk_full = FALSE;
  keys = g_hash_table_get_keys (recording->alerts);
  for (l = keys; l; l = l->next)
    l->data = g_strdup (l->data);
  for (l = keys; l; l = l->next)
    clear_alert (recording, l->data);
  g_list_free_full (keys, g_free);
}

/* --- disk --- */

/* Takes @text. */
static JsonObject *
add_disk_alert (RecServerRecording *recording, const gchar *key,
    const gchar *rule, gchar *text)
{
  JsonObject *alert = json_object_new ();

  json_object_set_string_member (alert, "rule", rule ? rule : "error");
  json_object_set_string_member (alert, "stage", "");
  json_object_set_string_member (alert, "where", "disk");
  json_object_set_string_member (alert, "text", text ? text : "");
  rec_server_json_set_time (alert, "since", g_get_real_time ());
  g_hash_table_replace (recording->alerts, g_strdup (key), alert);
  g_free (text);
  return alert;
}

static void
raise_disk_alert (RecServerRecording *recording, const gchar *key,
    const gchar *rule, gchar *text)
{
  rec_server_recording_emit (recording, "alert-raised",
      json_object_ref (add_disk_alert (recording, key, rule, text)));
}

/* Removes the warning as well, which has the same text. */
static void
remove_disk_fault (RecServerRecording *recording)
{
  JsonObject *alert = g_hash_table_lookup (recording->alerts, DISK_FAULT);

  if (alert &&
      g_strcmp0 (recording->warning,
          json_object_get_string_member (alert, "text")) == 0)
    g_clear_pointer (&recording->warning, g_free);
  g_hash_table_remove (recording->alerts, DISK_FAULT);
}

static void
set_disk_full (
    RecServerRecording *recording, const GstStructure *s, gboolean full)
{
  JsonObject *facts = json_object_new ();

  recording->disk_full = full;
  set_string (facts, "path", s, "location");
  set_string (facts, "reason", s, "reason");
  set_string (facts, "text", s, "text");
  if (full)
    add_disk_alert (recording, DISK_FAULT,
        gst_structure_get_string (s, "reason"),
        g_strdup (gst_structure_get_string (s, "text")));
  else
    remove_disk_fault (recording);
  rec_server_recording_update_state (recording);
  rec_server_recording_emit (
      recording, full ? "disk-full" : "disk-recovered", facts);
}

static void
on_disk_full (RecServerRecording *recording, const GstStructure *s)
{
  set_disk_full (recording, s, TRUE);
}

static void
on_disk_low (RecServerRecording *recording, const GstStructure *s)
{
  raise_disk_alert (recording, DISK_LOW, "disk-low",
      g_strdup (gst_structure_get_string (s, "text")));
}

static void
on_disk_recovered (RecServerRecording *recording, const GstStructure *s)
{
  if (g_strcmp0 (gst_structure_get_string (s, "reason"), "disk-low") == 0)
    clear_alert (recording, DISK_LOW);
  else if (recording->disk_full)
    set_disk_full (recording, s, FALSE);
}

/* Nothing is lost, but the current file exceeds max-size-time. */
static void
on_open_failed (RecServerRecording *recording, const GstStructure *s)
{
  raise_disk_alert (recording, NEXT_FILE, "open-failed",
      g_strdup_printf ("Could not begin the next file \"%s\": %s. Recording "
                       "continues in \"%s\" without loss.",
          gst_structure_get_string (s, "location"),
          gst_structure_get_string (s, "reason"),
          gst_structure_get_string (s, "current")));
}

/* --- files --- */

static void
on_opened (RecServerRecording *recording, const GstStructure *s)
{
  JsonObject *facts = json_object_new ();

  if (!recording->opened_at)
    recording->opened_at = g_get_monotonic_time ();
  recording->opened = TRUE;
  recording->attempts = 0;
  recording->fragments++;
  g_clear_pointer (&recording->warning, g_free);
  clear_alert (recording, NEXT_FILE);
  /* Without a publisher, what delivers is connected. */
  if (!g_str_equal (recording->source->type, "whip"))
    recording->connected = TRUE;
  rec_server_recording_add_file (
      recording, gst_structure_get_string (s, "location"));
  set_string (facts, "path", s, "location");
  rec_server_recording_emit (recording, "fragment-opened", facts);
  rec_server_recording_update_state (recording);
}

static void
on_file_closed (RecServerRecording *recording, const GstStructure *s)
{
  JsonObject *facts = json_object_new ();
  guint64 bytes = 0, duration = 0;

  gst_structure_get (s, "bytes", G_TYPE_UINT64, &bytes, "duration",
      G_TYPE_UINT64, &duration, NULL);
  rec_server_recording_complete_file (recording,
      gst_structure_get_string (s, "location"),
      gst_structure_get_string (s, "reason"), bytes);
  set_string (facts, "path", s, "location");
  set_string (facts, "reason", s, "reason");
  json_object_set_int_member (facts, "file_size_bytes", (gint64)bytes);
  json_object_set_double_member (
      facts, "duration_seconds", duration / (gdouble)GST_SECOND);
  rec_server_recording_emit (recording, "fragment-closed", facts);
}

static void
on_rejected (RecServerRecording *recording, const GstStructure *s)
{
  JsonObject *facts = json_object_new ();

  set_string (facts, "pad", s, "pad");
  set_string (facts, "reason", s, "reason");
  rec_server_recording_emit (recording, "track-rejected", facts);
}

static const Handler handlers[] = {
  { "recwhip-connected", on_connected },
  { "recwhip-disconnected", on_disconnected },
  { "recfilesink-opened", on_opened },
  { "recfilesink-closed", on_file_closed },
  { "recfilesink-open-failed", on_open_failed },
  { "recfilesink-disk-low", on_disk_low },
  { "recfilesink-disk-full", on_disk_full },
  { "recfilesink-recovered", on_disk_recovered },
  { "recmonitor-alert", on_alert },
  { "tsrecmux-track-rejected", on_rejected },
};

/* --- problems --- */

static void
on_warning (RecServerRecording *recording, GstMessage *message)
{
  JsonObject *facts;
  GError *error;

  gst_message_parse_warning (message, &error, NULL);
  g_free (recording->warning);
  recording->warning = g_strdup (error->message);
  facts = json_object_new ();
  json_object_set_string_member (facts, "text", error->message);
  rec_server_recording_emit (recording, "warning", facts);
  g_error_free (error);
}

/* Returns TRUE if @object is in the element @name of the pipeline. */
static gboolean
is_within (RecServerRecording *recording, GstObject *object, const gchar *name)
{
  GstElement *element =
      gst_bin_get_by_name (GST_BIN (recording->pipeline), name);
  gboolean within = element && object &&
      (object == GST_OBJECT (element) ||
          gst_object_has_as_ancestor (object, GST_OBJECT (element)));

  gst_clear_object (&element);
  return within;
}

static void
on_error (RecServerRecording *recording, GstMessage *message)
{
  GError *error;

  gst_message_parse_error (message, &error, NULL);
  /* A URL can be reached again later, unless it is the disk that failed. */
  if (!g_str_equal (recording->source->type, "uri") ||
      is_within (recording, GST_MESSAGE_SRC (message), "rec"))
    rec_server_recording_fail (recording, error->message);
  else if (recording->state >= REC_SERVER_STATE_STOPPING)
    rec_server_recording_finish (recording);
  else
    rec_server_recording_retry (recording, error->message);
  g_error_free (error);
}

/* A live source that ends has lost its server; another one is complete. */
static void
on_eos (RecServerRecording *recording)
{
  GstQuery *query = gst_query_new_latency ();
  gboolean live = FALSE;

  if (recording->state < REC_SERVER_STATE_STOPPING &&
      g_str_equal (recording->source->type, "uri") &&
      gst_element_query (recording->pipeline, query))
    gst_query_parse_latency (query, &live, NULL, NULL);
  gst_query_unref (query);
  if (live)
    rec_server_recording_retry (recording, "the source ended its stream");
  else
    rec_server_recording_finish (recording);
}

gboolean
rec_server_recording_on_bus (
    GstBus *bus, GstMessage *message, gpointer user_data)
{
  RecServerRecording *recording = rec_server_recording_ref (user_data);
  const GstStructure *s = gst_message_get_structure (message);

  recording->callbacks.message (recording, message, recording->user_data);
  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ELEMENT:
      for (guint i = 0; s && i < G_N_ELEMENTS (handlers); i++)
        if (gst_structure_has_name (s, handlers[i].name))
          handlers[i].handle (recording, s);
      break;
    case GST_MESSAGE_WARNING:
      on_warning (recording, message);
      break;
    case GST_MESSAGE_ERROR:
      on_error (recording, message);
      break;
    case GST_MESSAGE_EOS:
      on_eos (recording);
      break;
    case GST_MESSAGE_LATENCY:
      gst_bin_recalculate_latency (GST_BIN (recording->pipeline));
      break;
    default:
      break;
  }
  rec_server_recording_unref (recording);
  return G_SOURCE_CONTINUE;
}
