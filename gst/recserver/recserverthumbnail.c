/* gst-tsrec: NAME.jpg beside a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverthumbnail.h"

#include <gio/gio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define MAX_WAITING 1000

struct _RecServerThumbnails
{
  GQueue waiting; /* of paths */
  gchar *program; /* NULL: there is none */
  GSubprocess *process;
  GCancellable *cancellable;
};

static void start_next (RecServerThumbnails *thumbnails);

static void
on_exited (GObject *object, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  gboolean ended =
      g_subprocess_wait_finish (G_SUBPROCESS (object), result, &error);

  /* Cancelled: @data has gone. */
  if (!ended) {
    g_error_free (error);
    return;
  }
  g_clear_object (&((RecServerThumbnails *)data)->process);
  start_next (data);
}

/* Between fork and exec: async-signal-safe calls only. It ends with the service.
 */
static void
lower_priority (gpointer data)
{
  setpriority (PRIO_PROCESS, 0, 19);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

static GSubprocess *
spawn (RecServerThumbnails *thumbnails, const gchar *path)
{
  GSubprocessLauncher *launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  const gchar *dot = strrchr (path, '.');
  gchar *stem = g_strndup (path, dot ? (gsize)(dot - path) : strlen (path));
  gchar *input = g_strconcat ("file:", path, NULL);
  gchar *output = g_strconcat ("file:", stem, ".jpg", NULL);
  GSubprocess *process;

  g_subprocess_launcher_set_child_setup (launcher, lower_priority, NULL, NULL);
  process = g_subprocess_launcher_spawn (launcher, NULL, thumbnails->program,
      "-nostdin", "-y", "-threads", "1", "-skip_frame", "nokey", "-i", input,
      "-frames:v", "1", "-vf", "scale=320:-2", "-update", "1", output, NULL);
  g_object_unref (launcher);
  g_free (input);
  g_free (output);
  g_free (stem);
  return process;
}

static void
start_next (RecServerThumbnails *thumbnails)
{
  gchar *path;

  while (!thumbnails->process &&
      (path = g_queue_pop_head (&thumbnails->waiting))) {
    thumbnails->process = spawn (thumbnails, path);
    if (thumbnails->process)
      g_subprocess_wait_async (
          thumbnails->process, thumbnails->cancellable, on_exited, thumbnails);
    g_free (path);
  }
}

void
rec_server_thumbnails_add (RecServerThumbnails *thumbnails, const gchar *path)
{
  if (!thumbnails->program || thumbnails->waiting.length >= MAX_WAITING)
    return;
  g_queue_push_tail (&thumbnails->waiting, g_strdup (path));
  start_next (thumbnails);
}

RecServerThumbnails *
rec_server_thumbnails_new (void)
{
  RecServerThumbnails *thumbnails = g_new0 (RecServerThumbnails, 1);

  thumbnails->program = g_find_program_in_path ("ffmpeg");
  thumbnails->cancellable = g_cancellable_new ();
  return thumbnails;
}

void
rec_server_thumbnails_free (RecServerThumbnails *thumbnails)
{
  g_cancellable_cancel (thumbnails->cancellable);
  if (thumbnails->process)
    g_subprocess_force_exit (thumbnails->process);
  g_clear_object (&thumbnails->process);
  g_object_unref (thumbnails->cancellable);
  g_queue_clear_full (&thumbnails->waiting, g_free);
  g_free (thumbnails->program);
  g_free (thumbnails);
}
