/* gst-tsrec: power cuts
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A live recording goes to an ext4 image on a loop device. EXT4_IOC_SHUTDOWN
 * stops the file system at a random moment as a power cut would: nothing that
 * is in memory reaches the image any more, the journal is not flushed. The
 * image is mounted again, and what is missing in the file is measured.
 *
 * Needs root, loop devices and ext4; skipped with the reason otherwise.
 */

#include "campaign.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#define EXT4_IOC_SHUTDOWN _IOR ('X', 125, guint32)
#define EXT4_GOING_FLAGS_NOLOGFLUSH 2

static gint runs = 2, n_jobs = 2;
static gint interval_ms = 1000;

static GOptionEntry options[] = { { "runs", 0, 0, G_OPTION_ARG_INT, &runs,
                                      "Power cuts", "N" },
  { "jobs", 0, 0, G_OPTION_ARG_INT, &n_jobs, "At the same time", "N" },
  { "sync-interval", 0, 0, G_OPTION_ARG_INT, &interval_ms,
      "sync-interval of the sink", "MS" },
  { NULL, 0, 0, 0, NULL, NULL, NULL } };

typedef struct
{
  CampaignJobs jobs; /* its lock is that of all below, too */
  guint cuts, failed, torn, zeros, errors, lies, over;
  guint64 accepted, missing, worst, worst_sync; /* units, units, ns, ns */
} Campaign;

static gboolean
run_command (const gchar *command, const gchar *a, const gchar *b,
    const gchar *c, const gchar *d)
{
  const gchar *argv[] = { command, a, b, c, d, NULL };
  int status = -1;

  return g_spawn_sync (NULL, (gchar **)argv, NULL,
             G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL |
                 G_SPAWN_STDERR_TO_DEV_NULL,
             NULL, NULL, NULL, NULL, &status, NULL) &&
      status == 0;
}

static gboolean
make_image (const gchar *image)
{
  int fd = open (image, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  gboolean made = fd >= 0 && ftruncate (fd, 64 << 20) == 0;

  if (fd >= 0)
    close (fd);
  return made && run_command ("mkfs.ext4", "-q", "-F", image, NULL);
}

static gboolean
mount_image (const gchar *image, const gchar *point)
{
  return run_command ("mount", "-o", "loop", image, point);
}

/* Something may look into every new mount; it goes away again. */
static void
unmount (const gchar *point)
{
  for (guint i = 0; i < 50; i++) {
    if (umount2 (point, 0) == 0)
      return;
    g_usleep (100000);
  }
  umount2 (point, MNT_DETACH);
}

static gboolean
cut_power (const gchar *point)
{
  guint32 flags = EXT4_GOING_FLAGS_NOLOGFLUSH;
  int fd = open (point, O_RDONLY | O_CLOEXEC);
  gboolean cut = fd >= 0 && ioctl (fd, EXT4_IOC_SHUTDOWN, &flags) == 0;

  if (fd >= 0)
    close (fd);
  return cut;
}

/* Stream time between the last unit that was accepted and the last one that
 * is in the file. */
static guint64
lost_time (
    const UnitStream *stream, guint track, guint64 accepted, guint64 found)
{
  guint64 offset_a, offset_b;
  const Unit *a, *b;

  if (found >= accepted)
    return 0;
  a = unit_stream_get (stream, track, accepted - 1, &offset_a);
  b = unit_stream_get (stream, track, found ? found - 1 : 0, &offset_b);
  return a->dts + offset_a - b->dts - offset_b;
}

static void
judge (Campaign *campaign, const Shared *before, const gchar *path)
{
  Verdict verdict;
  guint64 limit = (guint64)interval_ms * 1000000;

  judge_file (campaign->jobs.stream, path, FALSE, &verdict);
  g_mutex_lock (&campaign->jobs.lock);
  campaign->cuts++;
  campaign->torn += verdict.torn > 0;
  campaign->zeros += verdict.zeros >= 188;
  campaign->errors += verdict.errors > 0;
  campaign->lies += verdict.size < before->bytes_durable;
  campaign->worst_sync = MAX (campaign->worst_sync, before->sync_duration_max);
  for (guint i = 0; i < N_TRACKS; i++) {
    guint64 accepted = (guint64)before->accepted[i];
    guint64 lost =
        lost_time (campaign->jobs.stream, i, accepted, verdict.found[i]);

    campaign->accepted += accepted;
    campaign->missing +=
        accepted > verdict.found[i] ? accepted - verdict.found[i] : 0;
    campaign->worst = MAX (campaign->worst, lost);
    /* One access unit: 33.4 ms of video. */
    campaign->over += lost > limit + 33400000;
  }
  if (verdict.errors)
    printf ("%s", verdict.report);
  g_mutex_unlock (&campaign->jobs.lock);
  verdict_clear (&verdict);
}

/* One recording on a mounted image, up to the cut. */
static gboolean
record_and_cut (
    Campaign *campaign, const gchar *point, const gchar *path, Shared *before)
{
  Recorder recorder;
  gchar *launch = g_strdup_printf (
      "tsrecsink name=s location=\"%s\" sync-interval=%" G_GUINT64_FORMAT, path,
      (guint64)interval_ms * 1000000);
  gboolean cut = FALSE;

  if (recorder_start (&recorder, campaign->jobs.units, launch, 1.0) &&
      recorder_wait (
          &recorder, &recorder.shared->accepted[TRACK_VIDEO], 1, 30)) {
    g_usleep ((gulong)g_random_int_range (
        interval_ms * 1000, interval_ms * 3000 + 500000));
    memcpy (before, recorder.shared, sizeof *before);
    cut = cut_power (point);
  }
  recorder_clear (&recorder);
  g_free (launch);
  return cut;
}

static void
run_once (Campaign *campaign, const gchar *image, const gchar *point)
{
  gchar *path = g_build_filename (point, "rec.ts", NULL);
  Shared before = { 0 };
  gboolean done = FALSE;

  if (make_image (image) && mount_image (image, point)) {
    done = record_and_cut (campaign, point, path, &before);
    unmount (point);
    if (done && (done = mount_image (image, point))) {
      judge (campaign, &before, path);
      unmount (point);
    }
  }
  if (!done) {
    g_mutex_lock (&campaign->jobs.lock);
    campaign->failed++;
    g_mutex_unlock (&campaign->jobs.lock);
  }
  g_free (path);
}

static gpointer
work (gpointer user_data)
{
  static gint number = 0;
  Campaign *campaign = user_data;
  gint n = g_atomic_int_add (&number, 1);
  gchar *image = g_strdup_printf ("%s/image-%d", campaign->jobs.directory, n);
  gchar *point = g_strdup_printf ("%s/mnt-%d", campaign->jobs.directory, n);

  g_mkdir (point, 0700);
  while (campaign_take_run (&campaign->jobs)) {
    run_once (campaign, image, point);
  }
  g_unlink (image);
  g_rmdir (point);
  g_free (image);
  g_free (point);
  return NULL;
}

static void
skip_unless_possible (const gchar *directory)
{
  gchar *image = g_build_filename (directory, "probe", NULL);
  gchar *point = g_build_filename (directory, "probe-mnt", NULL);
  const gchar *reason = NULL;

  g_mkdir (point, 0700);
  if (geteuid () != 0)
    reason = "power cuts need root";
  else if (!make_image (image))
    reason = "no mkfs.ext4 (Debian package e2fsprogs), or no room";
  else if (!mount_image (image, point))
    reason = "a loop device with ext4 cannot be mounted here";
  else if (!cut_power (point))
    reason = "EXT4_IOC_SHUTDOWN is refused here";
  umount2 (point, 0);
  g_unlink (image);
  g_rmdir (point);
  g_free (image);
  g_free (point);
  if (reason) {
    campaign_remove_directory (directory);
    campaign_skip (reason);
  }
}

static int
print_table (const CampaignJobs *jobs)
{
  const Campaign *c = (const Campaign *)jobs;

  printf ("\npower cuts (EXT4_IOC_SHUTDOWN without log flush), sync-interval "
          "%d ms\n  %-44s %10u\n  %-44s %10u\n  %-44s %10" G_GUINT64_FORMAT
          "\n  %-44s %10" G_GUINT64_FORMAT "\n",
      interval_ms, "cuts", c->cuts, "that could not be made", c->failed,
      "access units accepted", c->accepted, "of these missing", c->missing);
  printf ("  %-44s %10.1f\n  %-44s %10u\n  %-44s %10u\n  %-44s %10.1f\n"
          "  %-44s %10u\n  %-44s %10u\n  %-44s %10u\n",
      "longest loss, ms", c->worst / 1e6,
      "losses above sync-interval + one access unit", c->over,
      "files shorter than bytes-durable", c->lies, "longest sync, ms",
      c->worst_sync / 1e6, "files that end inside a packet", c->torn,
      "files that end in zeros (of their last block)", c->zeros,
      "files with errors of the checker", c->errors);
  return c->cuts == 0 || c->failed || c->over || c->lies || c->errors;
}

int
main (int argc, char **argv)
{
  Campaign campaign = { 0 };
  gchar *directory;

  campaign_parse_options (&argc, &argv, options);
  directory = campaign_make_directory ();
  skip_unless_possible (directory);
  return campaign_run (
      &campaign.jobs, directory, runs, MIN (n_jobs, 16), work, print_table);
}
