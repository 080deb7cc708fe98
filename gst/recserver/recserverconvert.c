/* gst-tsrec: conversion of a closed recording to another container
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverconvert.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct
{
  gchar *input;
  gchar *output;
  RecServerConvertFunc func;
  gpointer user_data;
} Conversion;

static void
conversion_free (Conversion *conversion)
{
  g_free (conversion->input);
  g_free (conversion->output);
  g_free (conversion);
}

static void
finish (Conversion *conversion, const GError *error)
{
  conversion->func (
      error ? NULL : conversion->output, error, conversion->user_data);
  conversion_free (conversion);
}

static gboolean
sync_path (const gchar *path, int flags, GError **error)
{
  int fd = open (path, flags | O_CLOEXEC);

  if (fd >= 0 && fsync (fd) == 0) {
    close (fd);
    return TRUE;
  }
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
      "\"%s\" could not be made durable: %s", path, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return FALSE;
}

/* Runs on a separate thread, because it waits for the disk. */
static void
run_publish (GTask *task, gpointer source, gpointer data, GCancellable *c)
{
  Conversion *conversion = data;
  gchar *folder = g_path_get_dirname (conversion->output);
  gchar *playlist =
      g_strndup (conversion->input, strlen (conversion->input) - 3);
  gchar *name = g_strconcat (playlist, ".m3u8", NULL);
  GError *error = NULL;

  if (sync_path (conversion->output, O_RDONLY, &error) &&
      sync_path (folder, O_RDONLY | O_DIRECTORY, &error)) {
    g_unlink (conversion->input);
    g_unlink (name);
    g_task_return_boolean (task, TRUE);
  } else
    g_task_return_error (task, error);
  g_free (name);
  g_free (playlist);
  g_free (folder);
}

static void
on_published (GObject *object, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;

  g_task_propagate_boolean (G_TASK (result), &error);
  finish (data, error);
  g_clear_error (&error);
}

static void
on_exited (GObject *object, GAsyncResult *result, gpointer data)
{
  Conversion *conversion = data;
  GSubprocess *process = G_SUBPROCESS (object);
  gchar *said = NULL;
  GError *error = NULL;
  GTask *task;

  if (g_subprocess_communicate_utf8_finish (
          process, result, NULL, &said, &error) &&
      !g_subprocess_get_successful (process))
    g_set_error (&error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s",
        said && *said ? g_strchomp (said) : "the conversion failed");
  g_free (said);
  if (error) {
    finish (conversion, error);
    g_error_free (error);
    return;
  }
  task = g_task_new (NULL, NULL, on_published, conversion);
  g_task_set_task_data (task, conversion, NULL);
  g_task_run_in_thread (task, run_publish);
  g_object_unref (task);
}

/* Between fork and exec: async-signal-safe calls only. */
static void
lower_priority (gpointer data)
{
  setpriority (PRIO_PROCESS, 0, 10);
}

void
rec_server_convert (const gchar *tools, const gchar *program,
    const gchar *input, const gchar *output, RecServerConvertFunc func,
    gpointer user_data)
{
  Conversion *conversion = g_new0 (Conversion, 1);
  GSubprocessLauncher *launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  gchar *path = g_build_filename (tools ? tools : "", program, NULL);
  GError *error = NULL;
  GSubprocess *process;

  conversion->input = g_strdup (input);
  conversion->output = g_strdup (output);
  conversion->func = func;
  conversion->user_data = user_data;
  g_subprocess_launcher_set_child_setup (launcher, lower_priority, NULL, NULL);
  process = g_subprocess_launcher_spawn (
      launcher, &error, path, "--force", input, output, NULL);
  if (process) {
    g_subprocess_communicate_utf8_async (
        process, NULL, NULL, on_exited, conversion);
    g_object_unref (process);
  } else {
    finish (conversion, error);
    g_error_free (error);
  }
  g_free (path);
  g_object_unref (launcher);
}
