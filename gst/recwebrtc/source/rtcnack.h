/* gst-tsrec: which tracks of a webrtcbin ask for lost packets again
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The property do-nack of a transceiver never compares SSRCs in GStreamer
 * 1.22: with BUNDLE it reaches the wrong jitter buffer, or none when the offer
 * names no SSRC. So each jitter buffer is set by its SSRC here: at once when
 * the offer names it (a=ssrc, RFC 5576), else when its pad appears.
 *
 * Made and freed on the thread of the session; the rest from any thread.
 */

#pragma once

#include "rtcsdp.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RtcNack RtcNack;

/* Watches @webrtc, a webrtcbin that has not received anything yet. @video and
 * @audio: whether that track of @choice, m-lines of @offer, asks again. */
RtcNack *rtc_nack_new (GstElement *webrtc, const GstSDPMessage *offer,
    const RtcSdpChoice *choice, gboolean video, gboolean audio);

/* @pad, a source pad that webrtcbin has just added, belongs to the video, or
 * to the audio. */
void rtc_nack_pad_added (RtcNack *self, GstPad *pad, gboolean is_video);

/* After webrtcbin has stopped. NULL is allowed. */
void rtc_nack_free (RtcNack *self);

G_END_DECLS
