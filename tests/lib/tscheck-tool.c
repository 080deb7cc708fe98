/* gst-tsrec: tscheck FILE... judges transport streams
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Prints what is wrong and what is in each file. Exit status: 0 when all are
 * good, 1 when one is not, 2 when one could not be read. Warnings of the
 * decoder model leave a file good.
 */

#include "tscheck.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: tscheck [--relaxed] [--pes] FILE...\n"
    "  --relaxed  streams of other muxers: 100 ms between PCRs, no SDT, and\n"
    "             no tables before random access points are asked for\n"
    "  --pes      list the PES packets\n";

static void
print_pes (void *user_data, const TsCheckPes *pes)
{
  printf ("%8" PRIu64 " PID 0x%04x pts %" PRId64 " dts %" PRId64
          " %zu bytes%s%s\n",
      pes->first_packet, pes->pid, pes->pts, pes->dts, pes->size,
      pes->random_access ? " random-access" : "",
      pes->discontinuity ? " discontinuity" : "");
}

static void
print_summary (const char *path, const TsCheck *check)
{
  const TsCheckStats *stats = ts_check_get_stats (check);
  const TsCheckStream *stream;

  fputs (ts_check_get_report (check), stdout);
  printf ("%s: %" PRIu64 " packets, %" PRIu64 " of tables, %" PRIu64
          " of PCR alone, %" PRIu64 " discontinuities, %.3f s\n",
      path, stats->packets, stats->psi_packets, stats->pcr_only_packets,
      stats->discontinuities,
      stats->pcrs ? (stats->last_pcr - stats->first_pcr) / 27e6 : 0.0);
  for (unsigned i = 0; (stream = ts_check_get_stream (check, i)); i++)
    printf ("  PID 0x%04x stream_type 0x%02x %s: %" PRIu64
            " PES packets, %" PRIu64 " bytes, %" PRIu64
            " random access points, longest gap %.1f ms\n",
        stream->pid, stream->stream_type, stream->language, stream->pes_packets,
        stream->payload_bytes, stream->random_access,
        stream->max_dts_gap / 90.0);
  for (unsigned i = 0; i < TS_CHECK_N_RULES; i++)
    if (stats->rule_errors[i])
      printf ("  %s: %" PRIu64 "\n", ts_check_rule_get_name (i),
          stats->rule_errors[i]);
  printf ("%s: %" PRIu64 " errors, %" PRIu64 " warnings of the decoder model\n",
      path, stats->errors, stats->warnings);
}

/* Returns the exit status for this file. */
static int
check_file (const char *path, const TsCheckOptions *options, int list)
{
  static unsigned char buffer[188 * 512];
  TsCheck *check;
  FILE *file = strcmp (path, "-") ? fopen (path, "rb") : stdin;
  size_t n;
  int status;

  if (!file) {
    fprintf (stderr, "Could not open \"%s\": %s\n", path, strerror (errno));
    return 2;
  }
  check = ts_check_new (options, list ? print_pes : NULL, NULL, NULL);
  if (!check)
    abort ();
  while ((n = fread (buffer, 1, sizeof buffer, file)) > 0)
    ts_check_push (check, buffer, n);
  status = ts_check_finish (check) ? 1 : 0;
  if (ferror (file)) {
    fprintf (stderr, "Could not read \"%s\": %s\n", path, strerror (errno));
    status = 2;
  }
  if (file != stdin)
    fclose (file);
  print_summary (path, check);
  ts_check_free (check);
  return status;
}

int
main (int argc, char **argv)
{
  TsCheckOptions options = TS_CHECK_STRICT;
  int status = 0, list = 0, files = 0;

  for (int i = 1; i < argc; i++) {
    if (!strcmp (argv[i], "--relaxed")) {
      options.pcr_interval_ms = 100;
      options.sdt_interval_ms = 0;
      options.ignored_rules = TS_CHECK_IGNORE (TS_CHECK_RAP_PSI);
    } else if (!strcmp (argv[i], "--pes")) {
      list = 1;
    } else if (argv[i][0] == '-' && argv[i][1]) {
      fputs (usage, stderr);
      return 2;
    } else {
      int one = check_file (argv[i], &options, list);

      files++;
      status = one > status ? one : status;
    }
  }
  if (!files) {
    fputs (usage, stderr);
    return 2;
  }
  return status;
}
