/* gst-tsrec: running the recorder of the campaigns
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "campaign.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

void
campaign_skip (const gchar *reason)
{
  printf ("skipped: %s\n", reason);
  exit (CAMPAIGN_SKIP);
}

gchar *
campaign_get_directory (void)
{
  gchar *self = g_file_read_link ("/proc/self/exe", NULL);
  gchar *directory = g_path_get_dirname (self);

  g_free (self);
  return directory;
}

static gchar *
get_recorder (void)
{
  gchar *directory = campaign_get_directory ();
  gchar *path = g_build_filename (directory, "recorder", NULL);

  g_free (directory);
  return path;
}

gchar *
campaign_make_directory (void)
{
  GError *error = NULL;
  gchar *directory = g_dir_make_tmp ("tsrec-campaign-XXXXXX", &error);

  if (!directory)
    campaign_skip (error->message);
  return directory;
}

void
campaign_remove_directory (const gchar *directory)
{
  GDir *dir = g_dir_open (directory, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    gchar *path = g_build_filename (directory, name, NULL);

    if (g_unlink (path) != 0)
      g_rmdir (path);
    g_free (path);
  }
  if (dir)
    g_dir_close (dir);
  g_rmdir (directory);
}

UnitStream *
campaign_encode (const gchar *directory, gchar **path)
{
  gchar *argv[] = { get_recorder (), (gchar *)"encode",
    g_build_filename (directory, "units", NULL), (gchar *)"4", NULL };
  GError *error = NULL;
  UnitStream *stream = NULL;
  int status = -1;

  if (g_spawn_sync (
          NULL, argv, NULL, 0, NULL, NULL, NULL, NULL, &status, &error) &&
      status == 0)
    stream = unit_stream_load (argv[2], &error);
  if (!stream) {
    campaign_remove_directory (directory);
    campaign_skip (error ? error->message
                         : "x264enc or avenc_aac is missing (Debian packages "
                           "gstreamer1.0-plugins-ugly, gstreamer1.0-libav)");
  }
  *path = argv[2];
  g_free (argv[0]);
  return stream;
}

void
campaign_parse_options (int *argc, char ***argv, const GOptionEntry *options)
{
  GOptionContext *context = g_option_context_new (NULL);
  GError *error = NULL;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, argc, argv, &error)) {
    fprintf (stderr, "%s\n", error->message);
    exit (2);
  }
  g_option_context_free (context);
}

gboolean
campaign_take_run (CampaignJobs *jobs)
{
  gint left;

  g_mutex_lock (&jobs->lock);
  left = jobs->left--;
  g_mutex_unlock (&jobs->lock);
  return left > 0;
}

int
campaign_run (CampaignJobs *jobs, gchar *directory, gint runs, gint n_jobs,
    GThreadFunc work, int (*finish) (const CampaignJobs *jobs))
{
  GPtrArray *threads = g_ptr_array_new ();
  gchar *units;
  UnitStream *stream = campaign_encode (directory, &units);
  int status;

  jobs->directory = directory;
  jobs->stream = stream;
  jobs->units = units;
  jobs->left = runs;
  g_mutex_init (&jobs->lock);
  for (gint i = 0; i < MAX (n_jobs, 1); i++)
    g_ptr_array_add (threads, g_thread_new ("job", work, jobs));
  for (guint i = 0; i < threads->len; i++)
    g_thread_join (g_ptr_array_index (threads, i));
  status = finish (jobs);
  campaign_remove_directory (directory);
  unit_stream_free (stream);
  g_mutex_clear (&jobs->lock);
  g_ptr_array_unref (threads);
  g_free (units);
  g_free (directory);
  return status;
}

gboolean
recorder_start (
    Recorder *recorder, const gchar *units, const gchar *launch, gdouble speed)
{
  gchar fd_text[16], speed_text[G_ASCII_DTOSTR_BUF_SIZE];
  gchar *path = get_recorder ();
  const gchar *argv[] = { path, "record", units, fd_text, speed_text, launch,
    NULL };

  recorder->fd = memfd_create ("campaign", 0);
  if (recorder->fd < 0 || ftruncate (recorder->fd, sizeof (Shared)) != 0)
    return FALSE;
  recorder->shared = mmap (NULL, sizeof (Shared), PROT_READ | PROT_WRITE,
      MAP_SHARED, recorder->fd, 0);
  if (recorder->shared == MAP_FAILED)
    return FALSE;
  g_snprintf (fd_text, sizeof fd_text, "%d", recorder->fd);
  g_ascii_dtostr (speed_text, sizeof speed_text, speed);
  recorder->pid = fork ();
  if (recorder->pid == 0) {
    execv (path, (char *const *)argv);
    _exit (127);
  }
  g_free (path);
  return recorder->pid > 0;
}

void
recorder_kill (Recorder *recorder)
{
  if (recorder->pid <= 0)
    return;
  kill (recorder->pid, SIGKILL);
  waitpid (recorder->pid, NULL, 0);
  recorder->pid = 0;
}

gboolean
recorder_stop (Recorder *recorder)
{
  int status = -1;

  g_atomic_int_set (&recorder->shared->stop, 1);
  for (guint i = 0; i < 2000; i++) {
    if (waitpid (recorder->pid, &status, WNOHANG) == recorder->pid) {
      recorder->pid = 0;
      return WIFEXITED (status) && WEXITSTATUS (status) == 0;
    }
    g_usleep (10000);
  }
  recorder_kill (recorder);
  return FALSE;
}

void
recorder_clear (Recorder *recorder)
{
  recorder_kill (recorder);
  munmap (recorder->shared, sizeof (Shared));
  close (recorder->fd);
}

gboolean
recorder_wait (
    Recorder *recorder, volatile gint *value, gint minimum, guint seconds)
{
  for (guint i = 0; i < seconds * 1000; i++) {
    if (g_atomic_int_get (value) >= minimum)
      return TRUE;
    if (waitpid (recorder->pid, NULL, WNOHANG) == recorder->pid) {
      recorder->pid = 0;
      return FALSE;
    }
    g_usleep (1000);
  }
  return FALSE;
}
