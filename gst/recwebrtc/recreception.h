/* gst-tsrec: what the RTP session of a webrtcbin knows about reception
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Keeps the jitter buffers of a session apart by SSRC and reads their
 * statistics, and the sender's clock. Thread safe.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RecReception RecReception;

RecReception *rec_reception_new (GstElement *webrtc);
/* Nothing is called any more afterwards. */
void rec_reception_free (RecReception *reception);

/* The stream with @ssrc is the video or the audio track. */
void rec_reception_set_kind (
    RecReception *reception, guint ssrc, gboolean video);

/* Adds to @stats, per track: `video-rtp-received`, `video-rtp-lost`,
 * `video-rtp-late`, `video-rtp-retransmitted`, `video-rtp-requested` (guint64
 * packets), `video-jitter`, `video-round-trip` (guint64 ns,
 * GST_CLOCK_TIME_NONE while unknown), the same for `audio-`; and of the
 * sender's clock: `sender-utc-time` (gint64 µs since 1970, 0 while unknown),
 * `sender-clock-drift` (gdouble ppm, 0 while unknown). */
void rec_reception_add_stats (RecReception *reception, GstStructure *stats);

/* µs since 1970 on the sender's clock; FALSE while unknown. */
gboolean rec_reception_get_sender_time (RecReception *reception, gint64 *utc);

G_END_DECLS
