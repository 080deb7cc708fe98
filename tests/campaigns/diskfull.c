/* gst-tsrec: a disk that another process fills and frees
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A live recording goes to a tmpfs of 4 MiB. A file of another process takes all
 * the room, and goes away again; the recording has to go on by itself, keep
 * all that was written, and say so once each way.
 *
 * Needs root to mount; skipped with the reason otherwise.
 */

#include "campaign.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static gint rounds = 1;

static GOptionEntry options[] = { { "rounds", 0, 0, G_OPTION_ARG_INT, &rounds,
                                      "Fill and free so often", "N" },
  { NULL, 0, 0, 0, NULL, NULL, NULL } };

typedef struct
{
  guint rounds, full, recovered, errors, stuck;
  guint64 written, found, dropped, changed, size, bytes_written;
  guint64 checker_errors;
  guint torn;
  gboolean ffprobe, stopped;
} Result;

/* Takes all the room that is left. */
static void
fill (const gchar *path)
{
  static const gchar zeros[4096];
  int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

  while (fd >= 0 && write (fd, zeros, sizeof zeros) > 0)
    ;
  if (fd >= 0)
    close (fd);
}

static void
run_round (Recorder *recorder, const gchar *filler, Result *result)
{
  Shared *shared = recorder->shared;
  gint full = shared->disk_full, recovered = shared->recovered;

  g_usleep (700000);
  fill (filler);
  if (!recorder_wait (recorder, &shared->disk_full, full + 1, 20))
    result->stuck++;
  /* The recorder's own tail may leave a page: stay full for a while. */
  g_usleep (1500000);
  g_unlink (filler);
  if (!recorder_wait (recorder, &shared->recovered, recovered + 1, 20))
    result->stuck++;
  g_usleep (700000);
  result->rounds++;
}

static void
run (const gchar *units, const UnitStream *stream, const gchar *point,
    Result *result)
{
  gchar *path = g_build_filename (point, "rec.ts", NULL);
  gchar *filler = g_build_filename (point, "filler", NULL);
  gchar *launch = g_strdup_printf (
      "tsrecsink name=s on-disk-full=wait location=\"%s\"", path);
  gchar *complaint = NULL;
  Recorder recorder;
  Verdict verdict;

  if (recorder_start (&recorder, units, launch, 1.0) &&
      recorder_wait (&recorder, &recorder.shared->accepted[TRACK_VIDEO], 5, 30))
    for (gint i = 0; i < rounds && recorder.pid > 0; i++)
      run_round (&recorder, filler, result);
  result->stopped = recorder.pid > 0 && recorder_stop (&recorder);
  result->full = (guint)recorder.shared->disk_full;
  result->recovered = (guint)recorder.shared->recovered;
  result->errors = (guint)(recorder.shared->errors + recorder.shared->failed);
  result->written = recorder.shared->buffers_written;
  result->dropped = recorder.shared->buffers_dropped;
  result->bytes_written = recorder.shared->bytes_written;
  judge_file (stream, path, TRUE, &verdict);
  result->found = verdict.found[0] + verdict.found[1];
  result->changed = verdict.changed;
  result->size = verdict.size;
  result->torn = verdict.torn;
  result->checker_errors = verdict.errors + verdict.cut;
  result->ffprobe = judge_ffprobe (path, &complaint);
  printf ("%s%s", verdict.report, complaint ? complaint : "");
  verdict_clear (&verdict);
  recorder_clear (&recorder);
  g_unlink (path);
  g_free (complaint);
  g_free (launch);
  g_free (filler);
  g_free (path);
}

static int
print_table (const Result *r)
{
  printf ("\na tmpfs of 4 MiB, filled by somebody else and freed\n"
          "  %-44s %10u\n  %-44s %10u\n  %-44s %10u\n  %-44s %10u\n",
      "rounds", r->rounds, "messages recfilesink-disk-full", r->full,
      "messages recfilesink-recovered", r->recovered,
      "errors and refused buffers", r->errors);
  printf ("  %-44s %10" G_GUINT64_FORMAT "\n  %-44s %10" G_GUINT64_FORMAT
          "\n  %-44s %10" G_GUINT64_FORMAT "\n  %-44s %10" G_GUINT64_FORMAT
          "\n",
      "buffers dropped while it was full", r->dropped, "buffers written",
      r->written, "access units found in the file", r->found,
      "access units changed", r->changed);
  printf ("  %-44s %10" G_GUINT64_FORMAT "\n  %-44s %10" G_GUINT64_FORMAT
          "\n  %-44s %10u\n  %-44s %10" G_GUINT64_FORMAT "\n  %-44s %10s\n",
      "bytes-written", r->bytes_written, "bytes in the file", r->size,
      "torn bytes", r->torn, "errors of the checker", r->checker_errors,
      "ffprobe reads it without an error", r->ffprobe ? "yes" : "no");
  return !r->rounds || r->stuck || r->errors || !r->stopped || r->torn ||
      r->full != r->rounds || r->recovered != r->rounds || !r->ffprobe ||
      r->found < r->written || r->changed || r->checker_errors ||
      r->size != r->bytes_written || r->dropped == 0;
}

int
main (int argc, char **argv)
{
  Result result = { 0 };
  gchar *directory, *units, *point;
  UnitStream *stream;
  int status;

  campaign_parse_options (&argc, &argv, options);
  directory = campaign_make_directory ();
  point = g_build_filename (directory, "mnt", NULL);
  g_mkdir (point, 0700);
  if (mount ("none", point, "tmpfs", 0, "size=4m") != 0) {
    gchar *reason =
        g_strdup_printf ("no tmpfs can be mounted: %s", g_strerror (errno));

    campaign_remove_directory (directory);
    campaign_skip (reason);
  }
  stream = campaign_encode (directory, &units);
  run (units, stream, point, &result);
  status = print_table (&result);
  umount2 (point, 0);
  campaign_remove_directory (directory);
  unit_stream_free (stream);
  g_free (units);
  g_free (point);
  g_free (directory);
  return status;
}
