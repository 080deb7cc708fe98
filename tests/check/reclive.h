/* gst-tsrec: what the tests of live WebRTC sessions have in common
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "rectest.h"

#include <unistd.h>

G_BEGIN_DECLS

/* Long enough for a busy machine; nothing waits for it to pass. */
#define REC_LIVE_PATIENCE                                                      \
  ((g_getenv ("REC_SLOW_MACHINE") ? 300 : 20) * GST_SECOND)

/* The name of a thread that is not for the whole life of the process, or NULL.
 * Those of GLib's workers and of GStreamer's clock are. Caller frees. */
static inline gchar *
rec_live_find_thread (void)
{
  static const gchar *const kept[] = { "gmain", "pool-spawner",
    "GstSystemClock", NULL };
  GDir *dir = g_dir_open ("/proc/self/task", 0, NULL);
  const gchar *id;
  gchar *name = NULL;

  fail_unless (dir != NULL);
  while (!name && (id = g_dir_read_name (dir)) != NULL) {
    gchar *path = g_strdup_printf ("/proc/self/task/%s/comm", id);

    /* One that has just ended has no name any more. */
    if (g_ascii_strtoll (id, NULL, 10) != getpid () &&
        g_file_get_contents (path, &name, NULL, NULL) &&
        g_strv_contains (kept, g_strchomp (name)))
      g_clear_pointer (&name, g_free);
    g_free (path);
  }
  g_dir_close (dir);
  return name;
}

/* Sessions leave no thread behind, and a test that has left one is not over:
 * OpenSSL's exit handler forgets what it keeps for each thread that still runs,
 * and a detector of leaks takes that for a leak. Those of GStreamer's pool end
 * half a second after their last task. */
static inline void
rec_live_wait_for_threads (void)
{
  gint64 until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;
  gchar *name;

  while ((name = rec_live_find_thread ()) != NULL) {
    fail_unless (
        g_get_monotonic_time () < until, "thread \"%s\" is left", name);
    g_free (name);
    g_usleep (10000);
  }
}

/* To be called for the test case of every suite of live sessions. */
static inline void
rec_live_init (TCase *tc)
{
  /* libproxy and its unwinder are not what is tested here. */
  g_setenv ("GIO_USE_PROXY_RESOLVER", "dummy", TRUE);
  g_thread_pool_set_max_unused_threads (0);
  tcase_add_checked_fixture (tc, NULL, rec_live_wait_for_threads);
}

G_END_DECLS
