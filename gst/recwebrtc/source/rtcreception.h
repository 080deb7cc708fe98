/* gst-tsrec: what the RTP session of a webrtcbin knows about reception
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Keeps the jitter buffers of a session apart by SSRC and reads their
 * statistics, and the sender's clock; puts the packets of all tracks on one
 * running time. Thread safe.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RtcReception RtcReception;

RtcReception *rtc_reception_new (GstElement *webrtc);
/* Nothing is called any more afterwards. */
void rtc_reception_free (RtcReception *reception);

/* These tracks were negotiated; once, before packets come. When much arrives at
 * once at the beginning, the first of them waits a moment for the other. */
void rtc_reception_expect (
    RtcReception *reception, gboolean video, gboolean audio);

/* The packets of @pad, a source pad of the webrtcbin, are the video or the
 * audio track. From here on they have the timestamps of the recording
 * (RtcTimeline), DTS as well as PTS. Nothing before @floor, ns of running time,
 * when it is the first of the session. The reception outlives the pad. */
void rtc_reception_take_pad (RtcReception *reception, GstPad *pad, guint ssrc,
    gboolean video, GstClockTime floor);

/* The session ends: from now on, no packet waits for another one. Any thread;
 * NULL is allowed. */
void rtc_reception_stop (RtcReception *reception);

/* Adds to @stats, per track: `video-rtp-received`, `video-rtp-lost`,
 * `video-rtp-late`, `video-rtp-retransmitted`, `video-rtp-requested` (guint64
 * packets), `video-jitter`, `video-round-trip` (guint64 ns,
 * GST_CLOCK_TIME_NONE while unknown), the same for `audio-`; `clock-steps`
 * (guint64); and of the sender's clock: `sender-utc-time` (gint64 µs since
 * 1970, 0 while unknown), `sender-clock-drift` (gdouble ppm, 0 while unknown).
 */
void rtc_reception_add_stats (RtcReception *reception, GstStructure *stats);

/* µs since 1970 on the sender's clock; FALSE while unknown. */
gboolean rtc_reception_get_sender_time (RtcReception *reception, gint64 *utc);

G_END_DECLS
