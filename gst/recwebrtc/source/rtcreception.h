/* gst-tsrec: reception statistics and timestamps of a webrtcbin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Knows the jitter buffers of a session by their SSRC. Reads their statistics
 * and the sender's clock, and maps the packets of all tracks to one running
 * time. Thread safe.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RtcReception RtcReception;

RtcReception *rtc_reception_new (GstElement *webrtc);
/* No callback runs afterwards. */
void rtc_reception_free (RtcReception *reception);

/* Sets the tracks that were negotiated. Call it once, before packets arrive. If
 * many packets arrive in one burst at the beginning, the first track waits a
 * moment for the other one. */
void rtc_reception_expect (
    RtcReception *reception, gboolean video, gboolean audio);

/* Assigns @pad, a source pad of webrtcbin, to the video or the audio track.
 * From here on its packets have the timestamps of the recording (RtcTimeline),
 * DTS and PTS. @floor: earliest running time of the first packet of the
 * session, ns. The reception outlives the pad. */
void rtc_reception_take_pad (RtcReception *reception, GstPad *pad, guint ssrc,
    gboolean video, GstClockTime floor);

/* The session ends: from now on, no packet waits for another one. @reception may
 * be NULL. Any thread. */
void rtc_reception_stop (RtcReception *reception);

/* Adds to @stats, for each track: `video-rtp-received`, `video-rtp-lost`,
 * `video-rtp-late`, `video-rtp-retransmitted`, `video-rtp-requested` (guint64
 * packets), `video-jitter`, `video-round-trip` (guint64 ns, GST_CLOCK_TIME_NONE
 * if unknown), and these fields with `audio-`. Also adds `clock-steps`
 * (guint64) and `sender-utc-time` (gint64 µs since 1970 on the sender's clock,
 * 0 if unknown). */
void rtc_reception_add_stats (RtcReception *reception, GstStructure *stats);

/* Sets *@utc to the time on the sender's clock, µs since 1970. Returns FALSE if
 * it is unknown. */
gboolean rtc_reception_get_sender_time (RtcReception *reception, gint64 *utc);

G_END_DECLS
