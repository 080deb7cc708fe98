/* gst-tsrec: CPU time per access unit and per byte, against the peers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Prints a table of medians. Nothing is asserted about time. The peers take
 * turns, so that what disturbs the machine disturbs all of them.
 */

#include "bench.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_ROUNDS 31

static const BenchPeer peers[] = {
  { "tsrecsink", bench_run_launch, "tsrecsink name=s location=\"%s\"", TRUE },
  { "tsrecsink sync-interval=0", bench_run_launch,
      "tsrecsink name=s sync-interval=0 location=\"%s\"", TRUE },
  { "mpegtsmux ! filesink unbuffered", bench_run_launch,
      "mpegtsmux name=s ! filesink buffer-mode=unbuffered location=\"%s\"",
      FALSE },
  { "mpegtsmux ! filesink", bench_run_launch,
      "mpegtsmux name=s ! filesink location=\"%s\"", FALSE },
#ifdef HAVE_LIBAVFORMAT
  { "libavformat flush_packets", bench_run_libav, NULL, FALSE },
  { "libavformat, fdatasync at the end", bench_run_libav, NULL, TRUE },
#endif
  { "write(2)", bench_run_write, NULL, FALSE },
  { "write(2), fdatasync at the end", bench_run_write, NULL, TRUE },
};

static const guint sizes[] = { 160, 1000, 20000, 200000 };

static gint rounds = 7;
static gint megabytes = 40;
static gchar *directory = NULL;
static gchar *only = NULL;

static GOptionEntry options[] = { { "rounds", 0, 0, G_OPTION_ARG_INT, &rounds,
                                      "Runs of each, 1 to 31", "N" },
  { "megabytes", 0, 0, G_OPTION_ARG_INT, &megabytes, "At most this much a run",
      "N" },
  { "directory", 0, 0, G_OPTION_ARG_FILENAME, &directory,
      "Where the files are written", "DIR" },
  { "only", 0, 0, G_OPTION_ARG_STRING, &only,
      "Only peers whose name begins so (for a profiler)", "NAME" },
  { NULL, 0, 0, 0, NULL, NULL, NULL } };

guint64
bench_cpu_time (void)
{
  struct timespec time;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &time);
  return (guint64)time.tv_sec * GST_SECOND + (guint64)time.tv_nsec;
}

/* @head, then bytes that never look like a start code. */
static GstBuffer *
make_unit (const guint8 *head, guint head_size, guint size)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);
  GstMapInfo map;
  guint32 random = 1;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  memcpy (map.data, head, head_size);
  for (guint i = head_size; i < size; i++) {
    random = random * 1103515245 + 12345;
    map.data[i] = (guint8)(random >> 16) | 1;
  }
  gst_buffer_unmap (buffer, &map);
  return buffer;
}

static void
init_load (BenchLoad *load, guint size)
{
  static const guint8 key[] = { 0, 0, 0, 1, 9, 0xf0, 0, 0, 0, 1, 0x67, 0x42,
    0xc0, 0x0a, 0xda, 0x0f, 0x0a, 0, 0, 0, 1, 0x68, 0xce, 0x38, 0x80, 0, 0, 1,
    0x65, 0x88, 0x80 };
  static const guint8 delta[] = { 0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x41, 0x9a, 2 };
  guint audio = MIN (size, 400);
  guint8 adts[7] = { 0xff, 0xf1, 0x4c, 0x80, 0, 0x1f, 0xfc };

  adts[3] = (guint8)(adts[3] | audio >> 11);
  adts[4] = (guint8)(audio >> 3);
  adts[5] = (guint8)(0x1f | audio << 5);
  load->video_size = size;
  load->audio_size = audio;
  load->pairs = (guint)CLAMP (
      megabytes * G_GUINT64_CONSTANT (1000000) / (size + audio), 100, 30000);
  load->key = make_unit (key, sizeof key, size);
  load->delta = make_unit (delta, sizeof delta, size);
  load->audio = make_unit (adts, sizeof adts, audio);
}

static void
clear_load (BenchLoad *load)
{
  gst_buffer_unref (load->key);
  gst_buffer_unref (load->delta);
  gst_buffer_unref (load->audio);
}

static int
compare (const void *a, const void *b)
{
  guint64 one = *(const guint64 *)a, two = *(const guint64 *)b;

  return one < two ? -1 : one > two;
}

static gboolean
is_wanted (const BenchPeer *peer)
{
  return !only || g_str_has_prefix (peer->name, only);
}

/* A peer that wrote less than it was given would win. */
static gboolean
is_complete (const BenchLoad *load, const gchar *path)
{
  guint64 bytes = (guint64)load->pairs * (load->video_size + load->audio_size);
  GStatBuf st;

  return g_stat (path, &st) == 0 && (guint64)st.st_size >= bytes;
}

/* Fills @times. Returns FALSE when a peer could not run. */
static gboolean
measure (const BenchLoad *load, guint64 times[][MAX_ROUNDS])
{
  for (gint round = 0; round < rounds; round++)
    for (guint i = 0; i < G_N_ELEMENTS (peers); i++) {
      gchar *name = g_strdup_printf ("bench-%u-%u.ts", i, (guint)getpid ());
      gchar *path = g_build_filename (directory, name, NULL);

      if (is_wanted (&peers[i]))
        times[i][round] = peers[i].run (&peers[i], load, path);
      if (is_wanted (&peers[i]) && !is_complete (load, path)) {
        g_printerr ("%s lost access units\n", peers[i].name);
        times[i][round] = 0;
      }
      g_unlink (path);
      g_free (path);
      g_free (name);
      if (is_wanted (&peers[i]) && times[i][round] == 0)
        return FALSE;
    }
  return TRUE;
}

/* Ratios are of the first peer's time to this one's: above 1, it is slower. */
static void
print_table (const BenchLoad *load, guint64 times[][MAX_ROUNDS])
{
  gdouble units = load->pairs * 2.0;
  gdouble bytes = (gdouble)load->pairs * (load->video_size + load->audio_size);
  gdouble own = 0;

  g_print ("\naccess units of %u bytes (video) and %u (audio), %u pairs, "
           "%d rounds\n",
      load->video_size, load->audio_size, load->pairs, rounds);
  g_print ("%-34s %10s %10s %10s %10s %10s\n", "", "us/unit", "min", "max",
      "ns/byte", "tsrecsink");
  for (guint i = 0; i < G_N_ELEMENTS (peers); i++) {
    gdouble median;

    if (!is_wanted (&peers[i]))
      continue;
    qsort (times[i], (size_t)rounds, sizeof times[i][0], compare);
    median = (gdouble)times[i][rounds / 2];
    own = i == 0 ? median : own;
    g_print ("%-34s %10.2f %10.2f %10.2f %10.3f %9.2fx\n", peers[i].name,
        median / units / 1000, times[i][0] / units / 1000,
        times[i][rounds - 1] / units / 1000, median / bytes, own / median);
  }
}

int
main (int argc, char **argv)
{
  static guint64 times[G_N_ELEMENTS (peers)][MAX_ROUNDS];
  GError *error = NULL;
  GOptionContext *context = g_option_context_new (NULL);

  g_option_context_add_main_entries (context, options, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("%s\n", error->message);
    return 2;
  }
  g_option_context_free (context);
  rounds = CLAMP (rounds, 1, MAX_ROUNDS);
  if (!directory)
    directory = g_get_current_dir ();
  g_print ("CPU time of the process (user and system), files in %s\n"
           "tsrecsink: its time divided by that of the peer\n",
      directory);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    BenchLoad load;
    gboolean done;

    init_load (&load, sizes[i]);
    done = measure (&load, times);
    if (done)
      print_table (&load, times);
    clear_load (&load);
    if (!done)
      return 1;
  }
  return 0;
}
