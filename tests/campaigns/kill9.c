/* gst-tsrec: kill -9 at random moments of a live recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each run records H.264 and AAC as they come, is killed at a random moment,
 * and leaves a file in which every access unit must be that the sink had
 * accepted. With --sink the stock elements can be put to the same test.
 *
 * The kernel gives up a write(2) between two pages when the process is killed
 * inside it. The rest of that access unit, which was not accepted, may then be
 * a part of a packet; these are counted as "torn" all the same.
 */

#include "campaign.h"

#include <glib/gstdio.h>
#include <stdio.h>

static gint runs = 10, n_jobs = 4;
static gdouble speed = 2.0;
static gint window_ms = 600;
static gchar *sink = NULL;
static gchar *keep = NULL;

static GOptionEntry options[] = { { "runs", 0, 0, G_OPTION_ARG_INT, &runs,
                                      "Kills", "N" },
  { "jobs", 0, 0, G_OPTION_ARG_INT, &n_jobs, "At the same time", "N" },
  { "speed", 0, 0, G_OPTION_ARG_DOUBLE, &speed, "1 is real time", "X" },
  { "window", 0, 0, G_OPTION_ARG_INT, &window_ms,
      "Latest moment of the kill after the first access unit", "MS" },
  { "sink", 0, 0, G_OPTION_ARG_STRING, &sink,
      "Launch description, mux named s, %s for the file", "LAUNCH" },
  { "keep", 0, 0, G_OPTION_ARG_FILENAME, &keep,
      "Copy files with a finding to this directory", "DIR" },
  { NULL, 0, 0, 0, NULL, NULL, NULL } };

typedef struct
{
  CampaignJobs jobs; /* its lock is that of all below, too */
  guint killed, torn, cut, errors, changed, ffprobe, not_started;
  guint64 accepted, missing, bytes;
} Campaign;

static void
keep_file (const gchar *path, guint number)
{
  gchar *copy = g_strdup_printf ("%s/finding-%u.ts", keep, number);
  gchar *contents = NULL;
  gsize size;

  if (g_file_get_contents (path, &contents, &size, NULL) &&
      g_file_set_contents (copy, contents, (gssize)size, NULL))
    printf ("kept %s\n", copy);
  g_free (contents);
  g_free (copy);
}

static void
judge (Campaign *campaign, const Recorder *recorder, const gchar *path)
{
  Verdict verdict;
  gchar *complaint = NULL;
  gboolean readable;

  judge_file (campaign->jobs.stream, path, FALSE, &verdict);
  readable = judge_ffprobe (path, &complaint);
  g_mutex_lock (&campaign->jobs.lock);
  campaign->killed++;
  campaign->torn += verdict.torn > 0;
  campaign->cut += verdict.cut;
  campaign->errors += verdict.errors;
  campaign->bytes += verdict.size;
  campaign->ffprobe += !readable;
  for (guint i = 0; i < N_TRACKS; i++) {
    guint64 accepted = (guint64)recorder->shared->accepted[i];

    campaign->accepted += accepted;
    if (verdict.found[i] < accepted)
      campaign->missing += accepted - verdict.found[i];
  }
  /* One changed unit may be that whose write was cut. */
  campaign->changed += verdict.changed > (verdict.cut || verdict.torn);
  if (verdict.errors)
    printf ("%s", verdict.report);
  if (!readable)
    printf ("ffprobe: %s\n", complaint);
  if (keep && (verdict.errors || verdict.torn || !readable))
    keep_file (path, campaign->killed);
  g_mutex_unlock (&campaign->jobs.lock);
  verdict_clear (&verdict);
  g_free (complaint);
}

static void
run_once (Campaign *campaign, const gchar *path)
{
  Recorder recorder;
  gchar **parts =
      g_strsplit (sink ? sink : "tsrecsink name=s location=\"%s\"", "%s", 2);
  gchar *launch = g_strconcat (parts[0], path, parts[1], NULL);
  gboolean started;

  g_unlink (path);
  started = recorder_start (&recorder, campaign->jobs.units, launch, speed) &&
      recorder_wait (
          &recorder, &recorder.shared->accepted[TRACK_AUDIO], 1, 30) &&
      recorder_wait (&recorder, &recorder.shared->accepted[TRACK_VIDEO], 1, 30);
  if (started) {
    g_usleep ((gulong)g_random_int_range (0, window_ms * 1000 + 1));
    recorder_kill (&recorder);
    judge (campaign, &recorder, path);
  } else {
    g_mutex_lock (&campaign->jobs.lock);
    campaign->not_started++;
    g_mutex_unlock (&campaign->jobs.lock);
  }
  recorder_clear (&recorder);
  g_free (launch);
  g_strfreev (parts);
}

static gpointer
work (gpointer user_data)
{
  static gint number = 0;
  Campaign *campaign = user_data;
  gchar *name = g_strdup_printf ("rec-%d.ts", g_atomic_int_add (&number, 1));
  gchar *path = g_build_filename (campaign->jobs.directory, name, NULL);

  while (campaign_take_run (&campaign->jobs)) {
    run_once (campaign, path);
  }
  g_unlink (path);
  g_free (path);
  g_free (name);
  return NULL;
}

static int
print_table (const CampaignJobs *jobs)
{
  const Campaign *c = (const Campaign *)jobs;

  printf ("\nkill -9 of a live H.264 + AAC recording\n"
          "  %-44s %10u\n  %-44s %10u\n  %-44s %10" G_GUINT64_FORMAT
          "\n  %-44s %10" G_GUINT64_FORMAT "\n",
      "kills", c->killed, "recordings that did not start", c->not_started,
      "bytes in the files", c->bytes, "access units accepted", c->accepted);
  printf ("  %-44s %10" G_GUINT64_FORMAT "\n  %-44s %10u\n  %-44s %10u\n"
          "  %-44s %10u\n  %-44s %10u\n  %-44s %10u\n",
      "of these missing", c->missing, "torn packets", c->torn,
      "access units cut by the end of the file", c->cut, "access units changed",
      c->changed, "errors of the checker", c->errors,
      "files that ffprobe reads with an error", c->ffprobe);
  return c->killed == 0 || c->not_started || c->missing ||
      c->torn > 1 + c->killed / 200 || c->changed || c->errors || c->ffprobe;
}

int
main (int argc, char **argv)
{
  Campaign campaign = { 0 };

  campaign_parse_options (&argc, &argv, options);
  return campaign_run (&campaign.jobs, campaign_make_directory (), runs,
      MIN (n_jobs, 64), work, print_table);
}
