/* gst-tsrec: fixtures of the tests of live WebRTC sessions
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "rectest.h"

#include <gio/gio.h>
#include <unistd.h>

G_BEGIN_DECLS

/* Long enough for a busy machine; nothing waits for it to pass. */
#define REC_LIVE_PATIENCE                                                      \
  ((g_getenv ("REC_SLOW_MACHINE") ? 300 : 20) * GST_SECOND)

/* With REC_TEST_UDP_PORT in the environment, @src, a recwhipsrc, receives on a
 * UDP port of its own instead of by webrtcbin: one that is free now. */
void rec_live_set_transport (GstElement *src);

/* Sessions leave no thread behind, and a test that has left one is not over:
 * OpenSSL's exit handler forgets what it keeps for each thread that still runs,
 * and a detector of leaks takes that for a leak. Those of GStreamer's pool end
 * half a second after their last task. */
void rec_live_wait_for_threads (void);

/* To be called for the test case of every suite of live sessions. */
void rec_live_init (TCase *tc);

G_END_DECLS
