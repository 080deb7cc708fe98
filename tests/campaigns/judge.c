/* gst-tsrec: content of a file, compared with the data recorded
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "campaign.h"
#include "tscheck.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

typedef struct
{
  const UnitStream *stream;
  gboolean holes;
  guint64 next[N_TRACKS];
  Verdict *verdict;
  TsCheckRule last_rule;
} Judge;

/* Delimiters and parameter sets may stand in front of a picture. */
static gboolean
is_unit (const Unit *unit, const TsCheckPes *pes)
{
  if (pes->size < unit->size)
    return FALSE;
  if (unit->track == TRACK_AUDIO && pes->size != unit->size)
    return FALSE;
  return memcmp (pes->data + pes->size - unit->size, unit->data, unit->size) ==
      0;
}

static void
take_pes (void *user_data, const TsCheckPes *pes)
{
  Judge *judge = user_data;
  guint track = pes->kind == TS_CHECK_KIND_VIDEO ? TRACK_VIDEO : TRACK_AUDIO;
  guint limit = judge->holes ? judge->stream->units[track]->len : 1;
  guint64 offset;

  for (guint i = 0; i < limit; i++) {
    const Unit *unit =
        unit_stream_get (judge->stream, track, judge->next[track] + i, &offset);

    if (!is_unit (unit, pes))
      continue;
    judge->verdict->skipped += i;
    judge->next[track] += i + 1;
    judge->verdict->found[track]++;
    return;
  }
  judge->verdict->changed++;
}

static void
take_error (void *user_data, TsCheckRule rule, uint64_t packet, uint16_t pid,
    const char *text)
{
  Judge *judge = user_data;

  if (rule == TS_CHECK_SIZE)
    return;
  if (rule == TS_CHECK_PES_TRUNCATED)
    judge->verdict->cut++;
  else
    judge->verdict->errors++;
}

/* At the end of the file. */
static gsize
count_zeros (const gchar *contents, gsize size)
{
  gsize n = 0;

  while (n < size && contents[size - n - 1] == 0)
    n++;
  return n;
}

void
judge_file (const UnitStream *stream, const gchar *path, gboolean holes,
    Verdict *verdict)
{
  Judge judge = { .stream = stream, .holes = holes, .verdict = verdict };
  TsCheckOptions options = CAMPAIGN_CHECK;
  TsCheck *check = ts_check_new (&options, take_pes, take_error, &judge);
  const TsCheckStats *stats;
  gchar *contents = NULL;
  gsize size = 0;

  memset (verdict, 0, sizeof *verdict);
  g_file_get_contents (path, &contents, &size, NULL);
  verdict->size = size;
  verdict->zeros = (guint)count_zeros (contents, size);
  if (verdict->zeros >= 188)
    size = (size - verdict->zeros + 187) / 188 * 188;
  verdict->torn = (guint)(size % 188);
  if (size)
    ts_check_push (check, (const guint8 *)contents, size);
  ts_check_finish (check);
  stats = ts_check_get_stats (check);
  if (stats->pcrs)
    verdict->duration =
        (guint64)(stats->last_pcr - stats->first_pcr) * 1000 / 27;
  verdict->report = g_strdup (ts_check_get_report (check));
  /* The last PES packet in a file is whole or is not, and if it is unbounded
   * nothing but its bytes can tell: it is not the next unit, then. */
  ts_check_free (check);
  g_free (contents);
}

void
verdict_clear (Verdict *verdict)
{
  g_clear_pointer (&verdict->report, g_free);
}

/* Of less than 20 packets ffmpeg cannot tell what they are. */
static gboolean
is_tiny (const gchar *path)
{
  GStatBuf st;

  return g_stat (path, &st) == 0 && st.st_size < 20 * 188;
}

gboolean
judge_ffprobe (const gchar *path, gchar **complaint)
{
  const gchar *detected[] = { "ffprobe", "-v", "error", "-count_frames",
    "-show_entries", "stream=nb_read_frames", path, NULL };
  const gchar *told[] = { "ffprobe", "-v", "error", "-count_frames",
    "-show_entries", "stream=nb_read_frames", "-f", "mpegts", path, NULL };
  GError *error = NULL;
  GSubprocess *process = g_subprocess_newv (is_tiny (path) ? told : detected,
      G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE,
      &error);
  gchar *text = NULL;
  gboolean good;

  if (!process) {
    *complaint = g_strdup (error->message);
    g_clear_error (&error);
    return FALSE;
  }
  g_subprocess_communicate_utf8 (process, NULL, NULL, NULL, &text, NULL);
  good = g_subprocess_get_successful (process) && (!text || !text[0]);
  *complaint = good ? NULL : g_strdup (text ? text : "it failed");
  g_free (text);
  g_object_unref (process);
  return good;
}
