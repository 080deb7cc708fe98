/* gst-tsrec: the RTP streams (SSRCs) that a peer sends in a session
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Links the pads of webrtcbin to the tracks. Every pad is linked for as long as
 * it exists, because a packet that is refused would end the session. The number
 * of streams is limited. A stream that was replaced by another one is removed
 * after it has ended (RTCP BYE, or the timeout of RFC 3550 section 6.3.5).
 *
 * Packets whose payload type was not negotiated become empty packets in front
 * of the jitter buffer: they are not recorded, and do not count as lost.
 *
 * Made and freed on the thread of the session; the other functions on any
 * thread.
 */

#pragma once

#include "rtcdepaychain.h"

G_BEGIN_DECLS

/* Maximum number of SSRCs that a peer may send at a time, including
 * retransmission. */
#define RTC_STREAMS_MAX 32

typedef struct _RtcStreams RtcStreams;

/* Limits the streams of @webrtc, a webrtcbin without a description. */
void rtc_streams_limit (GstElement *webrtc);

/* Watches @webrtc, which has not received anything yet. @remote: description
 * of the peer, from which @choice was made. @video and @audio may be NULL,
 * and outlive the streams. @layer: see rtc_layers_new(). @ignored: packets that
 * are not used, counted atomically. */
RtcStreams *rtc_streams_new (GstElement *webrtc, const GstSDPMessage *remote,
    const RtcSdpChoice *choice, RtcDepayChain *video, RtcDepayChain *audio,
    const gchar *layer, guint64 *ignored);

/* Links @pad, a source pad that webrtcbin has just added. Returns the track it
 * belongs to, or NULL if it is not recorded. @ssrc: SSRC from its caps. */
RtcDepayChain *rtc_streams_add_pad (
    RtcStreams *streams, GstPad *pad, guint *ssrc);

/* Removes streams that have ended. Call it every 100 ms. @streams may be
 * NULL. */
void rtc_streams_tick (RtcStreams *streams);

/* Call it after webrtcbin has stopped. @streams may be NULL. */
void rtc_streams_free (RtcStreams *streams);

G_END_DECLS
