/* gst-tsrec: retransmission requests per track of a webrtcbin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The property do-nack of a transceiver never compares SSRCs in GStreamer 1.22.
 * With BUNDLE it is applied to the wrong jitter buffer, or to none if the offer
 * contains no SSRC. Therefore each jitter buffer is configured by its SSRC
 * here: at once if the offer contains it (a=ssrc, RFC 5576), otherwise when its
 * pad appears.
 *
 * Made and freed on the thread of the session; the other functions on any
 * thread.
 */

#pragma once

#include "rtcsdp.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RtcNack RtcNack;

/* Watches @webrtc, a webrtcbin that has not received anything yet. @video,
 * @audio: request retransmission for that track of @choice, whose m-lines are
 * in @offer. */
RtcNack *rtc_nack_new (GstElement *webrtc, const GstSDPMessage *offer,
    const RtcSdpChoice *choice, gboolean video, gboolean audio);

/* Assigns @pad, a source pad that webrtcbin has just added, to the video or the
 * audio track. */
void rtc_nack_pad_added (RtcNack *self, GstPad *pad, gboolean is_video);

/* Call it after webrtcbin has stopped. @nack may be NULL. */
void rtc_nack_free (RtcNack *self);

G_END_DECLS
