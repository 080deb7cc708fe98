/* gst-tsrec: interface of the peers of the benchmark
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A load is a sequence of pairs: one video access unit of `video_size` bytes
 * and one audio access unit of `audio_size` bytes, 30 pairs a second.
 */

#pragma once

#include <gst/gst.h>

#define BENCH_FPS 30
#define BENCH_KEY_EVERY 60

typedef struct
{
  guint video_size, audio_size;
  guint pairs;
  GstBuffer *key, *delta, *audio; /* without timestamps */
} BenchLoad;

typedef struct _BenchPeer BenchPeer;

/* @run muxes @load into @path, which it makes, and returns the CPU time of the
 * process for the access units alone, ns; 0 with a message on stderr when it
 * could not. */
struct _BenchPeer
{
  const gchar *name;
  guint64 (*run) (
      const BenchPeer *peer, const BenchLoad *load, const gchar *path);
  const gchar *launch;
  gboolean sync; /* run_libav and run_write: fdatasync at the end, as we do */
};

guint64 bench_cpu_time (void);
/* As recfilesink at EOS. */
gboolean bench_sync (const gchar *path);

guint64 bench_run_launch (
    const BenchPeer *peer, const BenchLoad *load, const gchar *path);
guint64 bench_run_write (
    const BenchPeer *peer, const BenchLoad *load, const gchar *path);
#ifdef HAVE_LIBAVFORMAT
guint64 bench_run_libav (
    const BenchPeer *peer, const BenchLoad *load, const gchar *path);
#endif
