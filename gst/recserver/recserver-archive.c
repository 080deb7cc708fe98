/* gst-tsrec: sidecars, repair and retention of recorded files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserver-private.h"
#include "recserverjson.h"
#include "recserverretention.h"
#include "recserversidecar.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

GST_DEBUG_CATEGORY_EXTERN (rec_server_debug);
#define GST_CAT_DEFAULT rec_server_debug

#define MAX_UNWRITTEN 1000

/* --- sidecars --- */

/* The members of the status that describe the file. */
static JsonObject *
make_facts (RecServerRecording *recording)
{
  static const gchar *const left_out[] = { "success", "state", "is_recording",
    "output_path", "files", "stats", "alerts", "video_quality" };
  JsonObject *facts = rec_server_recording_describe (recording);

  for (guint i = 0; i < G_N_ELEMENTS (left_out); i++)
    json_object_remove_member (facts, left_out[i]);
  return facts;
}

void
rec_server_archive_opened (
    RecServer *server, RecServerRecording *recording, const gchar *path)
{
  JsonObject *facts = make_facts (recording);

  rec_server_json_set_time (facts, "first_utc", g_get_real_time ());
  rec_server_sidecar_open (path, facts);
  json_object_unref (facts);
}

static void
on_command_done (const gchar *path, gpointer data)
{
  rec_server_sidecar_set_done (path);
}

/* The sidecar says that a command is pending before it runs, so that it runs after
 * a crash. */
static void
note_command (RecServer *server, JsonObject *facts)
{
  const gchar *id = json_object_get_string_member (facts, "id");

  if (rec_server_config_get_path (server->config, id)->run_on_closed)
    json_object_set_string_member (
        facts, REC_SERVER_SIDECAR_COMMAND, REC_SERVER_SIDECAR_PENDING);
}

static void
run_command (RecServer *server, const gchar *path, JsonObject *facts)
{
  const gchar *id = json_object_get_string_member (facts, "id");
  const RecServerPath *settings =
      rec_server_config_get_path (server->config, id);

  if (settings->run_on_closed)
    rec_server_hooks_run (server->hooks, id, settings->run_on_closed, path,
        facts, on_command_done, NULL);
}

/* Updates the status with the size and duration of the file, which has been read
 * to its end. */
static void
update_past (RecServer *server, const gchar *path, JsonObject *facts)
{
  static const gchar *const members[] = { "file_size_bytes", "duration_seconds",
    "gap_seconds", "tracks" };
  const gchar *id = json_object_get_string_member (facts, "id");
  JsonObject *past = g_hash_table_lookup (server->past, id);

  if (!past ||
      g_strcmp0 (json_object_get_string_member (past, "output_path"), path) !=
          0)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    if (json_object_has_member (facts, members[i]))
      json_object_set_member (
          past, members[i], json_object_dup_member (facts, members[i]));
}

typedef struct
{
  gchar *path;
  JsonObject *facts;
} Unwritten;

static void
unwritten_free (gpointer data)
{
  Unwritten *unwritten = data;

  json_object_unref (unwritten->facts);
  g_free (unwritten->path);
  g_free (unwritten);
}

/* Retried by rec_server_archive_write_again(). */
static void
keep_unwritten (RecServer *server, const gchar *path, JsonObject *facts)
{
  Unwritten *unwritten = g_new0 (Unwritten, 1);

  unwritten->path = g_strdup (path);
  unwritten->facts = json_object_ref (facts);
  g_queue_push_tail (&server->unwritten, unwritten);
  if (g_queue_get_length (&server->unwritten) <= MAX_UNWRITTEN)
    return;
  unwritten = g_queue_pop_head (&server->unwritten);
  if (!server->sidecars_dropped)
    rec_server_warn (server,
        "%u sidecars wait for a disk that refuses them: that of \"%s\", and "
        "more from now on, are given up with their run-on-closed.",
        MAX_UNWRITTEN, unwritten->path);
  server->sidecars_dropped = TRUE;
  unwritten_free (unwritten);
}

static void
warn_unwritten (RecServer *server, const gchar *path, const GError *error)
{
  /* A missing file or file system is reported by other warnings. */
  if (server->sidecars_fail ||
      g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return;
  server->sidecars_fail = TRUE;
  rec_server_warn (server,
      "The sidecar of \"%s\" could not be written: %s. It is tried again every "
      "%u s, and run-on-closed waits for it. Free space or make the folder "
      "writable.",
      path, error->message, REC_SERVER_UPKEEP_INTERVAL);
}

/* Thumbnails and commands start when the sidecar exists. */
static void
on_written (
    const gchar *path, JsonObject *facts, const GError *error, gpointer data)
{
  RecServer *server = data;

  server->archiving--;
  if (error) {
    warn_unwritten (server, path, error);
    keep_unwritten (server, path, facts);
  } else {
    server->sidecars_fail = server->sidecars_dropped = FALSE;
    update_past (server, path, facts);
    rec_server_thumbnails_add (server->thumbnails, path);
    run_command (server, path, facts);
  }
  rec_server_check_finished (server);
}

void
rec_server_archive_write_again (RecServer *server)
{
  guint n = g_queue_get_length (&server->unwritten);

  for (guint i = 0; i < n && !server->finishing; i++) {
    Unwritten *unwritten = g_queue_pop_head (&server->unwritten);

    server->archiving++;
    rec_server_sidecar_close (
        unwritten->path, unwritten->facts, on_written, server);
    unwritten_free (unwritten);
  }
}

void
rec_server_archive_clear (RecServer *server)
{
  g_queue_clear_full (&server->unwritten, unwritten_free);
}

void
rec_server_archive_closed (RecServer *server, RecServerRecording *recording,
    const gchar *path, gdouble duration)
{
  JsonObject *facts = make_facts (recording);
  gint64 now = g_get_real_time ();
  const gchar *ended = "stop";

  if (rec_server_recording_get_state (recording) == REC_SERVER_STATE_FAILED)
    ended = "fault";
  else if (server->finishing)
    ended = "shutdown";
  if (duration >= 0)
    json_object_set_double_member (facts, "duration_seconds", duration);
  else
    duration = json_object_get_double_member (facts, "duration_seconds");
  rec_server_json_set_time (
      facts, "first_utc", now - (gint64)(duration * G_USEC_PER_SEC));
  rec_server_json_set_time (facts, "last_utc", now);
  json_object_set_string_member (facts, "ended", ended);
  note_command (server, facts);
  server->archiving++;
  rec_server_sidecar_close (path, facts, on_written, server);
  json_object_unref (facts);
}

/* --- after a crash --- */

/* Members of the status that come from the pipeline, for a recording without
 * one. */
static void
set_empty (JsonObject *past)
{
  static const gchar *const counts[] = { "zero_packet_streak",
    "packets_written", "bytes_written", "bytes_durable", "bytes_dropped",
    "memory_usage_mb", "memory_queued_mb", "packets_lost", "keyframe_requests",
    "bitrate_bps", "packets_per_second", "gaps", "fragments" };
  JsonObject *stats = json_object_new ();

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    json_object_set_int_member (stats, counts[i], 0);
  json_object_set_int_member (past, "file_size_bytes", 0);
  json_object_set_double_member (past, "duration_seconds", 0);
  json_object_set_double_member (past, "gap_seconds", 0);
  json_object_set_array_member (past, "tracks", json_array_new ());
  json_object_set_array_member (past, "alerts", json_array_new ());
  json_object_set_object_member (past, "stats", stats);
}

/* "status" of a recording that an earlier run did not close. */
static JsonObject *
make_past (const RecServerCrashed *crashed)
{
  JsonObject *past = json_object_new ();
  struct stat st;

  set_empty (past);

  json_object_set_boolean_member (past, "success", TRUE);
  json_object_set_member (
      past, "id", json_object_dup_member (crashed->facts, "id"));
  json_object_set_string_member (past, "state", "stopped");
  json_object_set_boolean_member (past, "is_recording", FALSE);
  json_object_set_string_member (past, "ended", "crash");
  json_object_set_string_member (past, "output_path", crashed->path);
  if (json_object_has_member (crashed->facts, "start_time"))
    json_object_set_member (past, "start_time",
        json_object_dup_member (crashed->facts, "start_time"));
  if (stat (crashed->path, &st) == 0)
    json_object_set_int_member (past, "file_size_bytes", st.st_size);
  return past;
}

static void
close_crashed (RecServer *server, const RecServerCrashed *crashed)
{
  struct stat st;

  if (!rec_server_sidecar_repair (crashed->path))
    rec_server_warn (server,
        "\"%s\", which was interrupted by a crash, could not be truncated to "
        "whole packets: %s.",
        crashed->path, g_strerror (errno));
  json_object_set_string_member (crashed->facts, "ended", "crash");
  if (stat (crashed->path, &st) == 0)
    rec_server_json_set_time (crashed->facts, "last_utc",
        st.st_mtim.tv_sec * G_USEC_PER_SEC + st.st_mtim.tv_nsec / 1000);
  note_command (server, crashed->facts);
  server->archiving++;
  rec_server_sidecar_close (crashed->path, crashed->facts, on_written, server);
}

/* The recording of a path with a source goes on in its file. */
static gboolean
is_resumed (RecServer *server, const gchar *id)
{
  const RecServerPath *path = rec_server_config_get_path (server->config, id);

  return path->source && path->resume && path->max_size_time == 0 &&
      g_str_equal (path->pattern, id);
}

void
rec_server_archive_recover (RecServer *server)
{
  GPtrArray *found = rec_server_sidecar_find_crashed (
      rec_server_library_get_folder (server->library),
      server->config->directory);

  for (guint i = 0; i < found->len; i++) {
    const RecServerCrashed *crashed = g_ptr_array_index (found, i);
    const gchar *id = json_object_get_string_member (crashed->facts, "id");

    if (crashed->closed) {
      run_command (server, crashed->path, crashed->facts);
      continue;
    }
    GST_INFO ("%s: \"%s\" was not closed", id, crashed->path);
    if (is_resumed (server, id) &&
        !g_hash_table_contains (server->resumable, id)) {
      g_hash_table_insert (server->resumable, g_strdup (id),
          g_strndup (crashed->path, strlen (crashed->path) - strlen (".ts")));
      continue;
    }
    close_crashed (server, crashed);
    g_hash_table_replace (server->past, g_strdup (id), make_past (crashed));
  }
  g_ptr_array_unref (found);
}

/* --- retention --- */

static void
on_pruned (const gchar *problem, gpointer data)
{
  RecServer *server = data;

  server->prunes = FALSE;
  if (problem)
    rec_server_warn (server, "%s", problem);
  rec_server_check_finished (server);
}

/* Runs once at a time: if the disk hangs, each run would block another thread. */
void
rec_server_archive_prune (RecServer *server)
{
  if (server->prunes || !server->config->ingest ||
      !rec_server_retention_is_wanted (server->config))
    return;
  server->prunes = TRUE;
  rec_server_retention_run (server->config,
      rec_server_library_get_folder (server->library),
      server->config->directory, rec_server_hooks_dup_pending (server->hooks),
      on_pruned, server);
}
