/* gst-tsrec: a recording: pipeline, bus, state
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverrecording-private.h"
#include "recserverconvert.h"
#include "recservererror.h"
#include "recserverpipeline.h"

#include <glib/gstdio.h>
#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (rec_server_debug);
#define GST_CAT_DEFAULT rec_server_debug

/* Seconds that an EOS may take through a pipeline. */
#define EOS_TIMEOUT 15
#define MAX_RETRY 30

typedef struct
{
  RecServerStopFunc func;
  gpointer user_data;
} StopCall;

const gchar *
rec_server_state_get_name (RecServerState state)
{
  static const gchar *const names[] = { "waiting", "connecting", "recording",
    "stalled", "disk-full", "stopping", "stopped", "failed" };

  return names[state];
}

/* --- state --- */

void
rec_server_recording_emit (
    RecServerRecording *recording, const gchar *event, JsonObject *facts)
{
  rec_server_recording_ref (recording);
  recording->callbacks.event (recording, event, facts, recording->user_data);
  g_clear_pointer (&facts, json_object_unref);
  rec_server_recording_unref (recording);
}

void
rec_server_recording_set_state (
    RecServerRecording *recording, RecServerState state)
{
  if (recording->state == state)
    return;
  GST_INFO ("%s: %s", recording->id, rec_server_state_get_name (state));
  recording->state = state;
  rec_server_recording_emit (recording, "state", NULL);
}

static gboolean
has_stall (RecServerRecording *recording)
{
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, recording->alerts);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (!g_str_has_prefix (key, "memory") && !g_str_has_prefix (key, "disk"))
      return TRUE;
  return FALSE;
}

void
rec_server_recording_update_state (RecServerRecording *recording)
{
  gboolean is_whip = g_str_equal (recording->source->type, "whip");
  RecServerState state;

  if (recording->state >= REC_SERVER_STATE_STOPPING)
    return;
  if (recording->disk_full)
    state = REC_SERVER_STATE_DISK_FULL;
  else if (is_whip && !recording->connected)
    state = REC_SERVER_STATE_WAITING;
  else if (!recording->connected || !recording->opened)
    state = REC_SERVER_STATE_CONNECTING;
  else if (has_stall (recording))
    state = REC_SERVER_STATE_STALLED;
  else
    state = REC_SERVER_STATE_RECORDING;
  rec_server_recording_set_state (recording, state);
}

/* --- the pipeline's states and its EOS, on threads of their own --- */

/* Not on those of GTask, which wait for a disk that has stalled. */
typedef struct
{
  GTask *task; /* NULL: EOS is to be sent */
  GstElement *pipeline;
  GstState state;
} PipelineCall;

static gpointer
run_pipeline_call (gpointer data)
{
  PipelineCall *call = data;

  if (call->task)
    g_task_return_boolean (call->task,
        gst_element_set_state (call->pipeline, call->state) !=
            GST_STATE_CHANGE_FAILURE);
  else
    gst_element_send_event (call->pipeline, gst_event_new_eos ());
  g_clear_object (&call->task);
  gst_object_unref (call->pipeline);
  g_free (call);
  return NULL;
}

static void
start_pipeline_call (RecServerRecording *recording, GTask *task, GstState state)
{
  PipelineCall *call = g_new0 (PipelineCall, 1);
  GThread *thread;

  call->task = task;
  call->pipeline = gst_object_ref (recording->pipeline);
  call->state = state;
  thread = g_thread_try_new ("rec-state", run_pipeline_call, call, NULL);
  if (thread)
    g_thread_unref (thread);
  else /* as many as the system allows */
    run_pipeline_call (call);
}

static void
set_pipeline_state (
    RecServerRecording *recording, GstState state, GAsyncReadyCallback done)
{
  start_pipeline_call (recording,
      g_task_new (NULL, NULL, done, rec_server_recording_ref (recording)),
      state);
}

/* A source may be pushing into a queue that is full. */
static void
send_eos (RecServerRecording *recording)
{
  start_pipeline_call (recording, NULL, GST_STATE_VOID_PENDING);
}

/* --- beginning --- */

static void shut_down (RecServerRecording *recording, GAsyncReadyCallback done);
static void on_closed (GObject *o, GAsyncResult *result, gpointer data);

static void
on_playing (GObject *object, GAsyncResult *result, gpointer data)
{
  RecServerRecording *recording = data;
  gboolean ok = g_task_propagate_boolean (G_TASK (result), NULL);

  /* An error has been seen on the bus, or will be. */
  if (recording->pipeline && ok) {
    recording->playing = TRUE;
    if (recording->state == REC_SERVER_STATE_STOPPING)
      send_eos (recording);
    else
      rec_server_recording_flush_whip (recording);
  } else if (recording->pipeline &&
      recording->state == REC_SERVER_STATE_STOPPING)
    shut_down (recording, on_closed);
  rec_server_recording_unref (recording);
}

static gboolean
make_pipeline (RecServerRecording *recording, GError **error)
{
  RecServerPipelineConfig config = { .id = recording->id,
    .location = recording->location,
    .server = recording->server,
    .path = recording->path,
    .source = recording->source,
    .quality = recording->quality,
    .url = recording->url,
    .token = recording->token,
    .resume = recording->resume };
  GstBus *bus;

  recording->pipeline = rec_server_pipeline_new (&config, error);
  if (!recording->pipeline)
    return FALSE;
  gst_object_set_name (GST_OBJECT (recording->pipeline), recording->id);
  bus = gst_element_get_bus (recording->pipeline);
  recording->bus_watch = gst_bus_create_watch (bus);
  g_source_set_callback (recording->bus_watch,
      G_SOURCE_FUNC (rec_server_recording_on_bus), recording, NULL);
  g_source_attach (recording->bus_watch, recording->context);
  gst_object_unref (bus);
  recording->playing = FALSE;
  set_pipeline_state (recording, GST_STATE_PLAYING, on_playing);
  return TRUE;
}

/* --- once a second --- */

static gboolean
is_over (gint64 since, guint64 limit_ns)
{
  return since != 0 && limit_ns != 0 &&
      g_get_monotonic_time () - since >= (gint64)(limit_ns / 1000);
}

static void
try_again (RecServerRecording *recording)
{
  GError *error = NULL;

  recording->retry_at = 0;
  recording->resume = recording->resume || recording->opened;
  if (make_pipeline (recording, &error))
    return;
  rec_server_recording_fail (recording, strchr (error->message, '\n') + 1);
  g_error_free (error);
}

static gboolean
on_timer (gpointer data)
{
  RecServerRecording *recording = rec_server_recording_ref (data);
  gboolean active = recording->state < REC_SERVER_STATE_STOPPING;

  if (recording->state == REC_SERVER_STATE_STOPPING) {
    if (recording->pipeline && recording->playing &&
        is_over (recording->stopping_at, EOS_TIMEOUT * GST_SECOND)) {
      recording->stopping_at = 0;
      shut_down (recording, on_closed);
    }
  } else if (active && recording->retry_at &&
      g_get_monotonic_time () >= recording->retry_at)
    try_again (recording);
  else if (active &&
      (is_over (recording->opened_at, recording->path->max_duration) ||
          (recording->by_publisher &&
              is_over (recording->lonely_since,
                  recording->path->publisher_timeout))))
    rec_server_recording_stop (recording, NULL, NULL);
  rec_server_recording_unref (recording);
  return G_SOURCE_CONTINUE;
}

/* --- ending --- */

static void
clear_source (GSource **source)
{
  if (!*source)
    return;
  g_source_destroy (*source);
  g_source_unref (*source);
  *source = NULL;
}

/* The pipeline goes to NULL on a thread of its own, and @done is called. */
static void
shut_down (RecServerRecording *recording, GAsyncReadyCallback done)
{
  if (recording->closing)
    return;
  rec_server_recording_keep_totals (recording);
  recording->closing = TRUE;
  recording->playing = FALSE;
  set_pipeline_state (recording, GST_STATE_NULL, done);
}

static void
drop_pipeline (RecServerRecording *recording)
{
  clear_source (&recording->bus_watch);
  gst_clear_object (&recording->pipeline);
  recording->playing = recording->closing = FALSE;
}

static void
call_stops (RecServerRecording *recording)
{
  GSList *stops = g_steal_pointer (&recording->stops);

  while (stops) {
    StopCall *call = stops->data;

    stops = g_slist_delete_link (stops, stops);
    call->func (recording, call->user_data);
    g_free (call);
  }
}

/* All is on disk. */
static void
conclude (RecServerRecording *recording)
{
  recording->end_time = g_get_real_time ();
  recording->file_size = rec_server_recording_measure (recording);
  clear_source (&recording->timer);
  rec_server_recording_clear_alerts (recording);
  rec_server_recording_set_state (recording,
      recording->fault ? REC_SERVER_STATE_FAILED : REC_SERVER_STATE_STOPPED);
  rec_server_recording_emit (recording, "closed", NULL);
  call_stops (recording);
}

static void
on_converted (const gchar *output, const GError *error, gpointer data)
{
  RecServerRecording *recording = data;

  if (error) {
    g_free (recording->warning);
    recording->warning =
        g_strdup_printf ("The recording stays MPEG-TS: %s", error->message);
  } else {
    g_free (recording->output);
    recording->output = g_strdup (output);
  }
  conclude (recording);
  rec_server_recording_unref (recording);
}

static void
convert (RecServerRecording *recording)
{
  gchar *output = g_strdup (recording->output);

  g_free (recording->output);
  recording->output = g_strconcat (recording->location, ".ts", NULL);
  rec_server_convert (recording->server->tools_directory,
      recording->format->program, recording->output, output, on_converted,
      rec_server_recording_ref (recording));
  g_free (output);
}

/* There is no pipeline any more. */
static void
wrap_up (RecServerRecording *recording)
{
  if (recording->format->program && recording->opened &&
      !recording->path->max_size_time)
    convert (recording);
  else
    conclude (recording);
}

/* The pipeline is in NULL. */
static void
on_closed (GObject *object, GAsyncResult *result, gpointer data)
{
  RecServerRecording *recording = data;

  drop_pipeline (recording);
  rec_server_recording_flush_whip (recording);
  wrap_up (recording);
  rec_server_recording_unref (recording);
}

void
rec_server_recording_finish (RecServerRecording *recording)
{
  if (recording->state < REC_SERVER_STATE_STOPPING)
    rec_server_recording_set_state (recording, REC_SERVER_STATE_STOPPING);
  recording->stopping_at = 0;
  shut_down (recording, on_closed);
}

void
rec_server_recording_fail (RecServerRecording *recording, const gchar *fault)
{
  if (recording->fault || recording->state >= REC_SERVER_STATE_STOPPED)
    return;
  recording->fault = g_strdup (fault);
  GST_WARNING ("%s: %s", recording->id, fault);
  recording->state = REC_SERVER_STATE_STOPPING;
  recording->stopping_at = 0;
  recording->retry_at = 0;
  if (recording->pipeline)
    shut_down (recording, on_closed);
  else
    wrap_up (recording);
}

static void
on_gone (GObject *object, GAsyncResult *result, gpointer data)
{
  RecServerRecording *recording = data;
  guint delay = 1u << MIN (recording->attempts, 5);

  drop_pipeline (recording);
  recording->before = recording->last;
  if (recording->state == REC_SERVER_STATE_STOPPING)
    wrap_up (recording);
  else {
    recording->attempts++;
    recording->retry_at = g_get_monotonic_time () +
        (gint64)MIN (delay, MAX_RETRY) * G_USEC_PER_SEC;
  }
  rec_server_recording_unref (recording);
}

void
rec_server_recording_retry (RecServerRecording *recording, const gchar *reason)
{
  if (recording->retry_at || !recording->pipeline || recording->closing)
    return;
  GST_INFO ("%s: trying again: %s", recording->id, reason);
  g_free (recording->warning);
  recording->warning = g_strdup (reason);
  recording->connected = FALSE;
  rec_server_recording_clear_alerts (recording);
  rec_server_recording_update_state (recording);
  clear_source (&recording->bus_watch);
  shut_down (recording, on_gone);
}

void
rec_server_recording_stop (
    RecServerRecording *recording, RecServerStopFunc func, gpointer user_data)
{
  if (func) {
    StopCall *call = g_new (StopCall, 1);

    call->func = func;
    call->user_data = user_data;
    recording->stops = g_slist_append (recording->stops, call);
  }
  if (recording->state >= REC_SERVER_STATE_STOPPED)
    call_stops (recording);
  if (recording->state >= REC_SERVER_STATE_STOPPING)
    return;
  rec_server_recording_set_state (recording, REC_SERVER_STATE_STOPPING);
  recording->stopping_at = g_get_monotonic_time ();
  if (recording->retry_at) {
    recording->retry_at = 0;
    wrap_up (recording);
  } else if (recording->pipeline && recording->playing)
    send_eos (recording);
}

/* --- life --- */

static void
start_timer (RecServerRecording *recording)
{
  recording->timer = g_timeout_source_new (1000);
  g_source_set_callback (recording->timer, on_timer, recording, NULL);
  g_source_attach (recording->timer, recording->context);
}

static RecServerRecording *
recording_new_bare (const RecServerRecordingConfig *config)
{
  RecServerRecording *recording = g_new0 (RecServerRecording, 1);

  g_ref_count_init (&recording->refcount);
  recording->context = g_main_context_ref_thread_default ();
  recording->id = g_strdup (config->id);
  recording->server = rec_server_config_ref (config->server);
  recording->path = config->path;
  recording->format = config->format;
  recording->quality = config->quality;
  recording->source = config->source;
  recording->url = g_strdup (config->url);
  recording->token = g_strdup (config->token);
  recording->by_publisher = config->by_publisher;
  recording->resume = config->location != NULL;
  recording->location = config->location
      ? g_strdup (config->location)
      : rec_server_recording_choose_location (config);
  recording->alerts = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_object_unref);
  recording->tracks = json_array_new ();
  recording->start_time = g_get_real_time ();
  recording->lonely_since = g_get_monotonic_time ();
  recording->state = g_str_equal (config->source->type, "whip")
      ? REC_SERVER_STATE_WAITING
      : REC_SERVER_STATE_CONNECTING;
  recording->output = rec_server_recording_choose_output (recording);
  recording->files = g_ptr_array_new_with_free_func (g_free);
  return recording;
}

RecServerRecording *
rec_server_recording_new (const RecServerRecordingConfig *config,
    const RecServerRecordingCallbacks *callbacks, gpointer user_data,
    GError **error)
{
  RecServerRecording *recording = recording_new_bare (config);

  recording->callbacks = *callbacks;
  recording->user_data = user_data;
  if (!rec_server_recording_make_folder (recording, error) ||
      !make_pipeline (recording, error)) {
    rec_server_recording_unref (recording);
    return NULL;
  }
  start_timer (recording);
  return recording;
}

RecServerRecording *
rec_server_recording_ref (RecServerRecording *recording)
{
  g_ref_count_inc (&recording->refcount);
  return recording;
}

void
rec_server_recording_unref (RecServerRecording *recording)
{
  if (!g_ref_count_dec (&recording->refcount))
    return;
  clear_source (&recording->timer);
  drop_pipeline (recording);
  g_hash_table_unref (recording->alerts);
  json_array_unref (recording->tracks);
  rec_server_config_unref (recording->server);
  g_main_context_unref (recording->context);
  g_free (recording->id);
  g_free (recording->url);
  g_free (recording->token);
  g_free (recording->location);
  g_free (recording->output);
  g_free (recording->open_file);
  g_ptr_array_unref (recording->files);
  g_free (recording->fault);
  g_free (recording->warning);
  g_free (recording);
}

const gchar *
rec_server_recording_get_id (RecServerRecording *recording)
{
  return recording->id;
}

RecServerState
rec_server_recording_get_state (RecServerRecording *recording)
{
  return recording->state;
}

gboolean
rec_server_recording_is_active (RecServerRecording *recording)
{
  return recording->state < REC_SERVER_STATE_STOPPED;
}

gint64
rec_server_recording_get_end_time (RecServerRecording *recording)
{
  return recording->end_time;
}

const RecServerPath *
rec_server_recording_get_path (RecServerRecording *recording)
{
  return recording->path;
}

const gchar *
rec_server_recording_get_output (RecServerRecording *recording)
{
  return recording->output;
}
