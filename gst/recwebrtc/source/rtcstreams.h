/* gst-tsrec: the RTP streams (SSRCs) that a peer sends in a session
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Links the pads of webrtcbin to the tracks. Every pad is linked to something
 * for as long as it exists: a packet that is refused would end the session.
 * The number of streams is bounded, and one that another stream has replaced
 * is taken apart when it has ended (RTCP BYE or the timeout of RFC 3550 section
 * 6.3.5).
 *
 * Packets of payload types that were not negotiated become empty packets in
 * front of the jitter buffer: they are not recorded, and not missing either.
 *
 * Made and freed on the thread of the session; the rest from any thread.
 */

#pragma once

#include "rtcdepaychain.h"

G_BEGIN_DECLS

/* SSRCs that a peer may send at a time, those of retransmission included. */
#define RTC_STREAMS_MAX 32

typedef struct _RtcStreams RtcStreams;

/* Sets the bounds of @webrtc, a webrtcbin without a description. */
void rtc_streams_limit (GstElement *webrtc);

/* Watches @webrtc, which has not received anything yet. @remote: description
 * of the peer, of which @choice was taken. @video and @audio may be NULL, and
 * outlive the streams. @ignored: packets without use, counted atomically. */
RtcStreams *rtc_streams_new (GstElement *webrtc, const GstSDPMessage *remote,
    const RtcSdpChoice *choice, RtcDepayChain *video, RtcDepayChain *audio,
    guint64 *ignored);

/* Links @pad, a source pad that webrtcbin has just added. Returns the track it
 * belongs to, NULL when it is not recorded. @ssrc: what its caps say. */
RtcDepayChain *rtc_streams_add_pad (
    RtcStreams *streams, GstPad *pad, guint *ssrc);

/* To be called every 100 ms: takes streams apart that have ended. NULL is
 * allowed. */
void rtc_streams_tick (RtcStreams *streams);

/* After webrtcbin has stopped. NULL is allowed. */
void rtc_streams_free (RtcStreams *streams);

G_END_DECLS
