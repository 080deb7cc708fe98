/* gst-tsrec: crash and resume, round after round into one file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each round records, is killed, and goes on in the same file with
 * resume=true. At the end the file is one stream, everything that was accepted
 * in any round is in it, and the journal has every gap.
 */

#include "campaign.h"
#include "tscheck.h"

#include <glib/gstdio.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static gint rounds = 5;
static gint window_ms = 700;

static GOptionEntry options[] = { { "rounds", 0, 0, G_OPTION_ARG_INT, &rounds,
                                      "Crashes", "N" },
  { "window", 0, 0, G_OPTION_ARG_INT, &window_ms,
      "Latest moment of the kill after the first access unit", "MS" },
  { NULL, 0, 0, 0, NULL, NULL, NULL } };

typedef struct
{
  guint64 accepted[N_TRACKS], found[N_TRACKS];
} Round;

typedef struct
{
  const UnitStream *stream;
  GArray *rounds;     /* of Round */
  guint at[N_TRACKS]; /* the round that the track is in */
  guint changed, cut, time_back;
  gint64 last_dts[N_TRACKS];
} Judge;

static gboolean
matches (Judge *judge, const TsCheckPes *pes, guint track, guint64 number)
{
  guint64 offset;
  const Unit *unit = unit_stream_get (judge->stream, track, number, &offset);

  return pes->size >= unit->size &&
      !memcmp (pes->data + pes->size - unit->size, unit->data, unit->size);
}

/* The next unit of this round, or the first one of the next round. */
static void
take_pes (void *user_data, const TsCheckPes *pes)
{
  Judge *judge = user_data;
  guint track = pes->kind == TS_CHECK_KIND_VIDEO ? TRACK_VIDEO : TRACK_AUDIO;
  Round *round = &g_array_index (judge->rounds, Round, judge->at[track]);

  if (pes->dts <= judge->last_dts[track])
    judge->time_back++;
  judge->last_dts[track] = pes->dts;
  if (matches (judge, pes, track, round->found[track])) {
    round->found[track]++;
  } else if (judge->at[track] + 1 < judge->rounds->len &&
      matches (judge, pes, track, 0)) {
    judge->at[track]++;
    g_array_index (judge->rounds, Round, judge->at[track]).found[track]++;
  } else {
    judge->changed++;
  }
}

static gboolean
run_round (const gchar *units, const gchar *launch, Round *round)
{
  Recorder recorder;
  gboolean started = recorder_start (&recorder, units, launch, 2.0) &&
      recorder_wait (
          &recorder, &recorder.shared->accepted[TRACK_AUDIO], 1, 30) &&
      recorder_wait (&recorder, &recorder.shared->accepted[TRACK_VIDEO], 1, 30);

  if (started)
    g_usleep ((gulong)g_random_int_range (0, window_ms * 1000 + 1));
  recorder_kill (&recorder);
  for (guint i = 0; i < N_TRACKS; i++)
    round->accepted[i] = (guint64)recorder.shared->accepted[i];
  recorder_clear (&recorder);
  return started;
}

/* Lines of the journal with a gap whose cause is the crash. */
static guint
count_gaps (const gchar *journal)
{
  gchar *contents = NULL;
  gchar **lines;
  guint gaps = 0;

  if (!g_file_get_contents (journal, &contents, NULL, NULL))
    return 0;
  lines = g_strsplit (contents, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    gaps += strstr (lines[i], "\"event\":\"gap\"") &&
        strstr (lines[i], "\"cause\":\"resume-after-crash\"");
  g_strfreev (lines);
  g_free (contents);
  return gaps;
}

static int
print_table (Judge *judge, const TsCheck *check, guint started, guint gaps,
    gboolean readable)
{
  const TsCheckStats *stats = ts_check_get_stats (check);
  guint64 accepted = 0, missing = 0;

  for (guint i = 0; i < judge->rounds->len; i++)
    for (guint track = 0; track < N_TRACKS; track++) {
      const Round *r = &g_array_index (judge->rounds, Round, i);

      accepted += r->accepted[track];
      if (r->found[track] < r->accepted[track])
        missing += r->accepted[track] - r->found[track];
    }
  printf ("%s\ncrash and resume into one file\n  %-44s %10u\n"
          "  %-44s %10" G_GUINT64_FORMAT "\n  %-44s %10" G_GUINT64_FORMAT
          "\n  %-44s %10u\n",
      ts_check_get_report (check), "rounds recorded", started,
      "access units accepted", accepted, "of these missing", missing,
      "access units that are not as they went in", judge->changed);
  printf ("  %-44s %10u\n  %-44s %10.3f\n  %-44s %10u\n  %-44s %10" PRIu64
          "\n  %-44s %10s\n",
      "timestamps that go back", judge->time_back, "length of the recording, s",
      (stats->last_pcr - stats->first_pcr) / 27e6,
      "gaps by a crash in the journal", gaps, "errors of the checker",
      stats->errors, "ffprobe reads it without an error",
      readable ? "yes" : "no");
  return started != judge->rounds->len || missing || judge->time_back ||
      gaps + 1 != started || stats->errors || !readable ||
      judge->changed > started;
}

static int
judge_all (const UnitStream *stream, GArray *all, const gchar *path,
    const gchar *journal, guint started)
{
  Judge judge = {
    .stream = stream, .rounds = all, .last_dts = { G_MININT64, G_MININT64 }
  };
  TsCheckOptions options = CAMPAIGN_CHECK;
  TsCheck *check = ts_check_new (&options, take_pes, NULL, &judge);
  gchar *contents = NULL, *complaint = NULL;
  gsize size = 0;
  gboolean readable;
  int status;

  g_file_get_contents (path, &contents, &size, NULL);
  /* The last crash leaves its tail as it is; so does the check of it. */
  ts_check_push (check, (const guint8 *)contents, size - size % 188);
  readable = judge_ffprobe (path, &complaint);
  if (!readable)
    printf ("ffprobe: %s\n", complaint);
  status = print_table (&judge, check, started, count_gaps (journal), readable);
  ts_check_free (check);
  g_free (complaint);
  g_free (contents);
  return status;
}

int
main (int argc, char **argv)
{
  gchar *directory, *units, *path, *journal, *launch;
  GArray *all = g_array_new (FALSE, TRUE, sizeof (Round));
  UnitStream *stream;
  guint started = 0;
  int status;

  campaign_parse_options (&argc, &argv, options);
  directory = campaign_make_directory ();
  stream = campaign_encode (directory, &units);
  path = g_build_filename (directory, "rec.ts", NULL);
  journal = g_build_filename (directory, "rec.jsonl", NULL);
  launch = g_strdup_printf ("tsrecsink name=s resume=true location=\"%s\" "
                            "journal-location=\"%s\"",
      path, journal);
  g_array_set_size (all, (guint)rounds);
  for (gint i = 0; i < rounds; i++)
    started += run_round (units, launch, &g_array_index (all, Round, i));
  status = judge_all (stream, all, path, journal, started);
  campaign_remove_directory (directory);
  unit_stream_free (stream);
  g_array_unref (all);
  g_free (launch);
  g_free (journal);
  g_free (path);
  g_free (units);
  g_free (directory);
  return status;
}
