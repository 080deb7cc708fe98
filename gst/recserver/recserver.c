/* gst-tsrec: the recording service
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserver-private.h"
#include "recservererror.h"
#include "recserverjson.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

GST_DEBUG_CATEGORY (rec_server_debug);
#define GST_CAT_DEFAULT rec_server_debug

/* Recordings that have ended and are still known by /status. */
#define MAX_ENDED 1000
/* Seconds */
#define HOOK_PATIENCE 3

/* --- recordings --- */

RecServerRecording *
rec_server_find (RecServer *server, const gchar *id)
{
  return g_hash_table_lookup (server->recordings, id);
}

static guint
count_active (RecServer *server)
{
  GHashTableIter iter;
  gpointer recording;
  guint n = 0;

  g_hash_table_iter_init (&iter, server->recordings);
  while (g_hash_table_iter_next (&iter, NULL, &recording))
    if (rec_server_recording_is_active (recording))
      n++;
  return n;
}

/* Removes the recording that ended first if there are too many. */
static void
forget_oldest (RecServer *server)
{
  gint64 oldest = G_MAXINT64;
  const gchar *found = NULL;
  GHashTableIter iter;
  gpointer id, recording;

  if (g_hash_table_size (server->recordings) <
      MAX_ENDED + server->config->max_recordings)
    return;
  g_hash_table_iter_init (&iter, server->recordings);
  while (g_hash_table_iter_next (&iter, &id, &recording)) {
    gint64 end = rec_server_recording_get_end_time (recording);

    if (end && end < oldest) {
      oldest = end;
      found = id;
    }
  }
  if (found)
    g_hash_table_remove (server->recordings, found);
}

static gboolean
check_again (gpointer data)
{
  rec_server_check_finished (data);
  return G_SOURCE_REMOVE;
}

/* Returns TRUE while the last hooks are waited for. */
static gboolean
waits_for_hooks (RecServer *server)
{
  RecServerHookCounts counts;
  GSource *source;

  rec_server_hooks_get_counts (server->hooks, &counts);
  if (counts.waiting == 0 || g_get_monotonic_time () >= server->finish_by)
    return FALSE;
  source = g_timeout_source_new (100);
  g_source_set_callback (source, check_again, server, NULL);
  g_source_attach (source, rec_worker_get_context (server->worker));
  g_source_unref (source);
  return TRUE;
}

void
rec_server_check_finished (RecServer *server)
{
  if (!server->finishing || !server->finished || server->archiving > 0 ||
      server->prunes || count_active (server) > 0 || waits_for_hooks (server))
    return;
  {
    void (*finished) (gpointer user_data) = server->finished;

    server->finished = NULL;
    finished (server->finished_data);
  }
}

static gboolean
check_start (
    RecServer *server, const RecServerRecordingConfig *config, GError **error)
{
  RecServerRecording *old = rec_server_find (server, config->id);

  if (!server->config->ingest) {
    rec_server_error_set (error, 403, "no ingest",
        "This server shows recordings and makes none (ingest=false).");
    return FALSE;
  }
  if (server->finishing) {
    rec_server_error_set (
        error, 503, "shutting down", "The service ends its recordings.");
    return FALSE;
  }
  if (old && rec_server_recording_is_active (old)) {
    rec_server_error_set (error, 409, "already recording",
        "%s is being recorded. Stop it first, or choose another id.",
        config->id);
    return FALSE;
  }
  if (count_active (server) >= server->config->max_recordings) {
    rec_server_error_set (error, 503, "too many recordings",
        "max-recordings is %u. Stop one, or raise it in [server].",
        server->config->max_recordings);
    return FALSE;
  }
  return rec_server_format_check (
             config->format, server->config->tools_directory, error) &&
      rec_server_source_check (config->source, error);
}

RecServerRecording *
rec_server_start (
    RecServer *server, const RecServerRecordingConfig *config, GError **error)
{
  RecServerRecording *recording;

  if (!check_start (server, config, error))
    return NULL;
  recording = rec_server_recording_new (
      config, &rec_server_recording_callbacks, server, error);
  if (!recording)
    return NULL;
  forget_oldest (server);
  g_hash_table_replace (server->recordings, g_strdup (config->id), recording);
  g_hash_table_remove (server->past, config->id);
  rec_server_notify (server, recording, "started", NULL);
  return recording;
}

static gboolean
is_plain_pattern (const gchar *pattern)
{
  return !strpbrk (pattern, "*?");
}

/* Warns once for each reason. */
static void
warn_permanent (
    RecServer *server, const RecServerPath *path, const GError *error)
{
  gchar *what, *detail;

  if (g_strcmp0 (g_hash_table_lookup (server->refusals, path->pattern),
          error->message) == 0)
    return;
  g_hash_table_replace (
      server->refusals, g_strdup (path->pattern), g_strdup (error->message));
  rec_server_error_split (error, &what, &detail);
  rec_server_warn (server,
      "[path %s] is not recorded: %s. %s It is tried again every %u s.",
      path->pattern, what, detail, REC_SERVER_UPKEEP_INTERVAL);
  g_free (what);
  g_free (detail);
}

static void
start_path (RecServer *server, const RecServerPath *path)
{
  RecServerRecordingConfig config = { .id = path->pattern,
    .server = server->config,
    .path = path,
    .format = rec_server_format_find (path->format),
    .quality = rec_server_quality_find (path->quality),
    .source = rec_server_source_find ("uri"),
    .url = path->source,
    .location = g_hash_table_lookup (server->resumable, path->pattern) };
  GError *error = NULL;

  if (!rec_server_start (server, &config, &error)) {
    warn_permanent (server, path, error);
    g_error_free (error);
    return;
  }
  g_hash_table_remove (server->resumable, path->pattern);
  g_hash_table_remove (server->refusals, path->pattern);
}

/* Starts the recordings of paths that name one id and a source, unless they run
 * or, without @all, were stopped. */
static void
start_permanent (RecServer *server, gboolean all)
{
  for (guint i = 0; i < server->config->paths->len && server->config->ingest &&
       !server->finishing;
       i++) {
    const RecServerPath *path = g_ptr_array_index (server->config->paths, i);
    RecServerRecording *old = rec_server_find (server, path->pattern);

    if (!path->source || !is_plain_pattern (path->pattern) ||
        (old && rec_server_recording_is_active (old)))
      continue;
    if (all || !old ||
        rec_server_recording_get_state (old) == REC_SERVER_STATE_FAILED)
      start_path (server, path);
  }
}

/* --- ending --- */

static void
stop_all (RecServer *server)
{
  GList *recordings = g_hash_table_get_values (server->recordings);

  server->finishing = TRUE;
  server->finish_by = g_get_monotonic_time () + HOOK_PATIENCE * G_USEC_PER_SEC;
  for (GList *l = recordings; l; l = l->next)
    rec_server_recording_stop (l->data, NULL, NULL);
  g_list_free (recordings);
  rec_server_check_finished (server);
}

typedef struct
{
  RecServer *server;
  void (*func) (gpointer user_data);
  gpointer user_data;
} Finish;

static gboolean
run_finish (gpointer data)
{
  Finish *finish = data;

  finish->server->finished = finish->func;
  finish->server->finished_data = finish->user_data;
  stop_all (finish->server);
  return G_SOURCE_REMOVE;
}

void
rec_server_finish (
    RecServer *server, void (*func) (gpointer user_data), gpointer user_data)
{
  Finish *finish = g_new0 (Finish, 1);

  finish->server = server;
  finish->func = func;
  finish->user_data = user_data;
  rec_worker_invoke (server->worker, run_finish, finish, g_free);
}

static void
push_ended (gpointer data)
{
  g_async_queue_push (data, data);
}

static void
run_close (gpointer data)
{
  RecServer *server = data;

  server->finished = push_ended;
  server->finished_data = server->ended;
  stop_all (server);
}

static void
clear (RecServer *server)
{
  if (server->upkeep) {
    g_source_destroy (server->upkeep);
    g_source_unref (server->upkeep);
  }
  if (server->listener) {
    rec_server_listener_close (server->listener);
    g_clear_pointer (&server->listener, rec_server_listener_unref);
  }
  if (server->events)
    rec_server_events_free (server->events);
  g_clear_pointer (&server->hooks, rec_server_hooks_free);
  if (server->thumbnails)
    rec_server_thumbnails_free (server->thumbnails);
  rec_server_archive_clear (server);
  g_hash_table_unref (server->recordings);
  g_hash_table_unref (server->past);
  g_hash_table_unref (server->resumable);
  g_hash_table_unref (server->refusals);
  g_clear_pointer (&server->library, rec_server_library_unref);
  gst_clear_object (&server->metrics);
  rec_server_udp_close (server);
  rec_server_config_unref (server->config);
  while (
      g_main_context_iteration (rec_worker_get_context (server->worker), FALSE))
    ;
}

static void
free_cleared (RecServer *server)
{
  rec_worker_free (server->worker);
  g_async_queue_unref (server->ended);
  g_free (server->host);
  g_free (server);
}

void
rec_server_free (RecServer *server)
{
  GMainContext *context = rec_worker_get_context (server->worker);

  rec_worker_call (server->worker, run_close, server);
  g_async_queue_pop (server->ended);
  rec_worker_stop (server->worker);
  g_main_context_push_thread_default (context);
  clear (server);
  g_main_context_pop_thread_default (context);
  free_cleared (server);
}

/* --- configuration --- */

typedef struct
{
  RecServer *server;
  RecServerConfig *config;
} Reconfiguration;

static RecServerListenerConfig
get_listener_config (const RecServerConfig *config)
{
  const RecServerListenerConfig listener = { config->host, config->port,
    config->tls_certificate, config->tls_key, config->max_connections };

  return listener;
}

/* Restores the settings that cannot change at run time. */
static void
keep_fixed (RecServer *server, RecServerConfig *config)
{
  const RecServerConfig *old = server->config;

  if (g_strcmp0 (config->directory, old->directory) != 0 ||
      g_strcmp0 (config->host, old->host) != 0 || config->port != old->port ||
      config->ingest != old->ingest ||
      (config->udp_port && config->udp_port != server->udp_port) ||
      (config->tls_certificate != NULL) != server->tls)
    rec_server_warn (server,
        "directory, host, port, udp-port, ingest, and whether there is a "
        "tls-certificate, are read at the start only. Restart the service to "
        "change them.");
  g_free (config->directory);
  config->directory = g_strdup (old->directory);
  g_free (config->host);
  config->host = g_strdup (old->host);
  config->port = old->port;
  config->udp_port = server->udp_port;
  config->ingest = old->ingest;
}

static void
reconfigure_listener (RecServer *server)
{
  RecServerListenerConfig listener = get_listener_config (server->config);
  GError *error = NULL;

  if (rec_server_listener_reconfigure (server->listener, &listener, &error))
    return;
  rec_server_warn (server,
      "%s The service continues with the certificate that it has.",
      error->message);
  g_error_free (error);
}

static gboolean
run_reconfigure (gpointer data)
{
  Reconfiguration *change = data;
  RecServer *server = change->server;

  keep_fixed (server, change->config);
  rec_server_config_unref (server->config);
  server->config = rec_server_config_ref (change->config);
  reconfigure_listener (server);
  rec_server_hooks_set_max_commands (
      server->hooks, server->config->max_commands);
  start_permanent (server, TRUE);
  return G_SOURCE_REMOVE;
}

static void
reconfiguration_free (gpointer data)
{
  Reconfiguration *change = data;

  rec_server_config_unref (change->config);
  g_free (change);
}

/* --- life --- */

static gboolean
is_loopback_address (const gchar *host)
{
  GInetAddress *address = g_inet_address_new_from_string (host);
  gboolean loopback = address ? g_inet_address_get_is_loopback (address)
                              : g_ascii_strcasecmp (host, "localhost") == 0;

  g_clear_object (&address);
  return loopback;
}

/* Whether everybody who reaches @host, where the service listens, may do what
 * @config allows. */
static gboolean
check_auth (const RecServerConfig *config, const gchar *host, GError **error)
{
  if (config->has_auth || is_loopback_address (host))
    return TRUE;
  rec_server_error_set (error, 403, "no [auth] section",
      "Without an [auth] section in the configuration the service listens on "
      "loopback addresses only, as everybody who reaches it could record and "
      "watch. Add one, or set host to 127.0.0.1 instead of %s.",
      host);
  return FALSE;
}

gboolean
rec_server_reconfigure (
    RecServer *server, RecServerConfig *config, GError **error)
{
  Reconfiguration *change;

  if (!check_auth (config, server->host, error))
    return FALSE;
  change = g_new0 (Reconfiguration, 1);
  change->server = server;
  change->config = rec_server_config_ref (config);
  rec_worker_invoke (
      server->worker, run_reconfigure, change, reconfiguration_free);
  return TRUE;
}

static gboolean
check_config (const RecServerConfig *config, GError **error)
{
  if (!check_auth (config, config->host, error))
    return FALSE;
  if (g_mkdir_with_parents (config->directory, 0777) == 0)
    return TRUE;
  rec_server_error_set (error, 500, "no folder",
      "Could not make the folder \"%s\": %s. Set directory to another one.",
      config->directory, g_strerror (errno));
  return FALSE;
}

static gboolean
on_upkeep (gpointer data)
{
  rec_server_archive_write_again (data);
  rec_server_archive_prune (data);
  start_permanent (data, FALSE);
  return G_SOURCE_CONTINUE;
}

static void
start_upkeep (RecServer *server)
{
  server->upkeep = g_timeout_source_new_seconds (REC_SERVER_UPKEEP_INTERVAL);
  g_source_set_callback (server->upkeep, on_upkeep, server, NULL);
  g_source_attach (server->upkeep, rec_worker_get_context (server->worker));
  rec_server_archive_prune (server);
}

static gboolean
open_library (RecServer *server, GError **error)
{
  RecServerFolder *folder =
      rec_server_folder_new (server->config->directory, error);

  if (!folder)
    return FALSE;
  server->library = rec_server_library_new (folder);
  rec_server_folder_unref (folder);
  return TRUE;
}

static gboolean
start_listening (RecServer *server, GError **error)
{
  RecServerListenerConfig config = get_listener_config (server->config);

  server->listener =
      rec_server_listener_new (&config, rec_server_dispatch, server, error);
  if (!server->listener)
    return FALSE;
  server->port = rec_server_listener_get_port (server->listener);
  server->tls = rec_server_listener_is_tls (server->listener);
  server->host = g_strdup (server->config->host);
  return TRUE;
}

RecServer *
rec_server_new (RecServerConfig *config, RecServerMessageFunc func,
    gpointer user_data, GError **error)
{
  RecServer *server = g_new0 (RecServer, 1);
  GMainContext *context;
  gboolean ok;

  server->func = func;
  server->user_data = user_data;
  server->config = rec_server_config_ref (config);
  server->worker = rec_worker_new ();
  server->ended = g_async_queue_new ();
  context = rec_worker_get_context (server->worker);
  server->recordings = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
      (GDestroyNotify)rec_server_recording_unref);
  server->past = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_object_unref);
  server->refusals =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  server->resumable =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_main_context_push_thread_default (context);
  server->events = rec_server_events_new ();
  server->thumbnails = rec_server_thumbnails_new ();
  server->hooks = rec_server_hooks_new ();
  rec_server_hooks_set_max_commands (server->hooks, config->max_commands);
  rec_server_hooks_set_problem_func (server->hooks, rec_server_warn_of, server);
  server->metrics = gst_element_factory_make ("recmonitor", NULL);
  if (server->metrics)
    gst_object_ref_sink (server->metrics);
  ok = check_config (config, error) && open_library (server, error) &&
      start_listening (server, error) && rec_server_udp_open (server, error);
  if (ok)
    config->udp_port = server->udp_port;
  if (ok && config->ingest)
    rec_server_archive_recover (server);
  if (ok)
    start_upkeep (server);
  if (ok)
    start_permanent (server, TRUE);
  else
    clear (server);
  g_main_context_pop_thread_default (context);
  if (!ok) {
    free_cleared (server);
    return NULL;
  }
  rec_worker_start (server->worker, "rec-server");
  return server;
}

guint
rec_server_get_port (RecServer *server)
{
  return server->port;
}

gchar *
rec_server_dup_url (RecServer *server)
{
  gboolean v6 = strchr (server->host, ':') != NULL;

  return g_strdup_printf ("%s://%s%s%s:%u/", server->tls ? "https" : "http",
      v6 ? "[" : "", server->host, v6 ? "]" : "", server->port);
}
