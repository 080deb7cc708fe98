/* gst-tsrec: retention of recordings by age and size
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverretention.h"
#include "recservererror.h"
#include "recserverjson.h"
#include "recserversidecar.h"

#include <string.h>
#include <unistd.h>

#include <gst/gst.h>

GST_DEBUG_CATEGORY_EXTERN (rec_server_debug);
#define GST_CAT_DEFAULT rec_server_debug

typedef struct
{
  RecServerConfig *config;
  RecServerFolder *folder;
  gchar *directory;
  gchar **kept;
  GPtrArray *candidates;
  gchar *problem; /* the first one, or NULL */
  RecServerRetentionFunc func;
  gpointer user_data;
} RetentionJob;

typedef struct
{
  gchar *name;
  const RecServerPath *path; /* belongs to the configuration */
  gint64 modified;           /* s since 1970 */
  guint64 bytes;
} Candidate;

static void
candidate_free (gpointer data)
{
  Candidate *candidate = data;

  g_free (candidate->name);
  g_free (candidate);
}

static void
retention_job_free (gpointer data)
{
  RetentionJob *job = data;

  rec_server_config_unref (job->config);
  rec_server_folder_unref (job->folder);
  g_ptr_array_unref (job->candidates);
  g_strfreev (job->kept);
  g_free (job->problem);
  g_free (job->directory);
  g_free (job);
}

gboolean
rec_server_retention_is_wanted (const RecServerConfig *config)
{
  for (guint i = 0; i < config->paths->len; i++) {
    const RecServerPath *path = g_ptr_array_index (config->paths, i);

    if (path->keep_time || path->keep_bytes)
      return TRUE;
  }
  return FALSE;
}

static gchar *
replace_suffix (const gchar *name, const gchar *suffix)
{
  const gchar *dot = strrchr (name, '.');
  gchar *stem = g_strndup (name, dot ? (gsize)(dot - name) : strlen (name));
  gchar *replaced = g_strconcat (stem, suffix, NULL);

  g_free (stem);
  return replaced;
}

/* The id in the sidecar of a recording that was closed, and whether its command
 * has yet to succeed; NULL for any other. Caller frees. */
static gchar *
load_id (RecServerFolder *folder, const gchar *name, gboolean *waits)
{
  gchar *beside = replace_suffix (name, ".json"), *id = NULL;
  gchar *text = rec_server_folder_load (folder, beside);
  JsonObject *facts =
      text ? rec_server_json_parse (text, strlen (text), NULL) : NULL;

  if (facts && rec_server_json_get_string (facts, "ended", NULL))
    id = g_strdup (rec_server_json_get_string (facts, "id", NULL));
  *waits = facts &&
      g_strcmp0 (
          rec_server_json_get_string (facts, REC_SERVER_SIDECAR_COMMAND, NULL),
          REC_SERVER_SIDECAR_PENDING) == 0;
  g_clear_pointer (&facts, json_object_unref);
  g_free (text);
  g_free (beside);
  return id;
}

static gboolean
is_kept (const RetentionJob *job, const gchar *name)
{
  gchar *path = g_canonicalize_filename (name, job->directory);
  gboolean kept = g_strv_contains ((const gchar *const *)job->kept, path);

  g_free (path);
  return kept;
}

static gboolean
look (const gchar *name, gpointer user_data)
{
  RetentionJob *job = user_data;
  const RecServerPath *path;
  Candidate *candidate;
  gboolean waits = FALSE;
  struct stat st;
  gchar *id;
  int fd;

  if (g_str_has_suffix (name, ".m3u8") || g_str_has_suffix (name, ".jpg") ||
      !(id = load_id (job->folder, name, &waits)))
    return TRUE;
  path = rec_server_config_get_path (job->config, id);
  waits = waits && path->run_on_closed;
  g_free (id);
  fd = rec_server_folder_open (job->folder, name, &st, NULL);
  if (fd < 0)
    return TRUE;
  if ((path->keep_time || path->keep_bytes) &&
      !rec_server_folder_is_locked (fd) && !is_kept (job, name) && !waits) {
    candidate = g_new0 (Candidate, 1);
    candidate->name = g_strdup (name);
    candidate->path = path;
    candidate->modified = st.st_mtim.tv_sec;
    candidate->bytes = st.st_size;
    g_ptr_array_add (job->candidates, candidate);
  }
  close (fd);
  return TRUE;
}

/* The newest first. */
static gint
compare (gconstpointer a, gconstpointer b)
{
  const Candidate *x = *(Candidate *const *)a, *y = *(Candidate *const *)b;

  if (x->modified != y->modified)
    return x->modified < y->modified ? 1 : -1;
  return strcmp (y->name, x->name);
}

static void
note_problem (RetentionJob *job, const gchar *name, const GError *error)
{
  gchar *what, *detail;

  /* 404: a client was quicker. */
  if (job->problem || rec_server_error_get_status (error) == 404)
    return;
  rec_server_error_split (error, &what, &detail);
  job->problem = g_strdup_printf (
      "\"%s\", which exceeds keep-time or keep-bytes, could not be deleted: "
      "%s",
      name, detail);
  g_free (what);
  g_free (detail);
}

static void
delete_recording (RetentionJob *job, const Candidate *candidate)
{
  static const gchar *const beside[] = { ".m3u8", ".jsonl", ".jpg", ".json" };
  GError *error = NULL;

  GST_INFO ("deleting \"%s\", which is more than is kept", candidate->name);
  if (!rec_server_folder_delete (job->folder, candidate->name, &error)) {
    note_problem (job, candidate->name, error);
    g_error_free (error);
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (beside); i++) {
    gchar *name = replace_suffix (candidate->name, beside[i]);

    rec_server_folder_delete (job->folder, name, NULL);
    g_free (name);
  }
}

/* Applies the limits of one [path], starting with the newest recording. */
static void
apply (RetentionJob *job, const RecServerPath *path, gint64 now)
{
  guint64 bytes = 0;

  for (guint i = 0; i < job->candidates->len; i++) {
    const Candidate *candidate = g_ptr_array_index (job->candidates, i);

    if (candidate->path != path)
      continue;
    bytes += candidate->bytes;
    if ((path->keep_bytes && bytes > path->keep_bytes) ||
        (path->keep_time &&
            now - candidate->modified > (gint64)(path->keep_time / 1000000000)))
      delete_recording (job, candidate);
  }
}

static void
run_retention_job (GTask *task, gpointer source, gpointer data, GCancellable *c)
{
  RetentionJob *job = data;
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;

  rec_server_folder_foreach (job->folder, look, job);
  g_ptr_array_sort (job->candidates, compare);
  for (guint i = 0; i < job->config->paths->len; i++)
    apply (job, g_ptr_array_index (job->config->paths, i), now);
  g_task_return_boolean (task, TRUE);
}

static void
on_done (GObject *object, GAsyncResult *result, gpointer data)
{
  RetentionJob *job = g_task_get_task_data (G_TASK (result));

  job->func (job->problem, job->user_data);
}

void
rec_server_retention_run (RecServerConfig *config, RecServerFolder *folder,
    const gchar *directory, gchar **kept, RecServerRetentionFunc func,
    gpointer user_data)
{
  GTask *task = g_task_new (NULL, NULL, on_done, NULL);
  RetentionJob *job = g_new0 (RetentionJob, 1);

  job->config = rec_server_config_ref (config);
  job->folder = rec_server_folder_ref (folder);
  job->directory = g_canonicalize_filename (directory, NULL);
  job->kept = kept;
  job->func = func;
  job->user_data = user_data;
  job->candidates = g_ptr_array_new_with_free_func (candidate_free);
  g_task_set_task_data (task, job, retention_job_free);
  g_task_run_in_thread (task, run_retention_job);
  g_object_unref (task);
}
