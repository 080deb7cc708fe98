/* gst-tsrec: opens recordings and finds their ids
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverlibrary-private.h"

#include <unistd.h>

/**
 * FileJob:
 * @fd: -1 if the file could not be opened, or is the callee's
 */
typedef struct
{
  RecServerLibrary *library;
  gchar *name;
  gchar *id;
  int fd;
  struct stat st;
  GError *error;
  RecServerLibraryIdFunc id_func;
  RecServerLibraryOpenFunc open_func;
  gpointer user_data;
} FileJob;

static void
file_job_free (gpointer data)
{
  FileJob *job = data;

  if (job->fd >= 0)
    close (job->fd);
  g_clear_error (&job->error);
  rec_server_library_unref (job->library);
  g_free (job->name);
  g_free (job->id);
  g_free (job);
}

static void
run_file_job (GTask *task, gpointer source, gpointer data, GCancellable *c)
{
  FileJob *job = data;

  if (job->id_func)
    job->id = rec_server_library_dup_id (job->library, job->name);
  else
    job->fd = rec_server_folder_open (
        job->library->folder, job->name, &job->st, &job->error);
  g_task_return_boolean (task, TRUE);
}

static void
on_done (GObject *object, GAsyncResult *result, gpointer data)
{
  FileJob *job = g_task_get_task_data (G_TASK (result));
  int fd = job->fd;

  job->fd = -1;
  if (job->id_func)
    job->id_func (job->id, job->user_data);
  else
    job->open_func (
        fd, &job->st, g_steal_pointer (&job->error), job->user_data);
}

static void
start_job (RecServerLibrary *library, const gchar *name,
    RecServerLibraryIdFunc id_func, RecServerLibraryOpenFunc open_func,
    gpointer user_data)
{
  FileJob *job = g_new0 (FileJob, 1);
  GTask *task = g_task_new (NULL, NULL, on_done, NULL);

  g_atomic_ref_count_inc (&library->refcount);
  job->library = library;
  job->name = g_strdup (name);
  job->fd = -1;
  job->id_func = id_func;
  job->open_func = open_func;
  job->user_data = user_data;
  g_task_set_task_data (task, job, file_job_free);
  g_task_run_in_thread (task, run_file_job);
  g_object_unref (task);
}

void
rec_server_library_find_id (RecServerLibrary *library, const gchar *name,
    RecServerLibraryIdFunc func, gpointer user_data)
{
  start_job (library, name, func, NULL, user_data);
}

void
rec_server_library_open (RecServerLibrary *library, const gchar *name,
    RecServerLibraryOpenFunc func, gpointer user_data)
{
  start_job (library, name, NULL, func, user_data);
}
