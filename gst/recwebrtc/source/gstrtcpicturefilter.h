/* gst-tsrec: keeps access units that cannot be decoded out of the recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A private element, not registered: a bin with the parser of a track.
 * Access units of a depayloader enter it, and whole ones leave it:
 *
 * - Video from a lost packet to the next random access point is dropped
 *   (RtcLossGate). GstRtcPacketFilter reports the packets.
 * - Access units that break the bitstream format are dropped before they
 *   reach the parser, and an error of the parser costs one access unit: it
 *   does not end the stream.
 * - While video arrives and no picture leaves, a key frame is requested
 *   (RtcKeyWatch).
 *
 * A key frame is requested with an upstream event. The beginning and the end
 * of each gap is journalled with an event. Everything runs on the streaming
 * thread.
 */

#pragma once

#include "rtcsdp.h"

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_RTC_PICTURE_FILTER (gst_rtc_picture_filter_get_type ())
G_DECLARE_FINAL_TYPE (GstRtcPictureFilter, gst_rtc_picture_filter, GST,
    RTC_PICTURE_FILTER, GstBin)

/* @capsfilter, @parser (may be NULL): added to the bin and linked. @gated:
 *   drop video from a loss to the next random access point. @held_back,
 *   @malformed: access units dropped by the gate, and because they are not
 *   valid; counted atomically, they outlive the element. Floating reference;
 *   NULL if the elements do not link. */
GstRtcPictureFilter *gst_rtc_picture_filter_new (const RtcSdpCodec *codec,
    GstElement *capsfilter, GstElement *parser, gboolean gated,
    guint64 *held_back, guint64 *malformed);

/* The following functions are for the streaming thread, before the packet
 * enters the depayloader. */

/* The next packet is of another stream: its sequence numbers are unrelated. */
void gst_rtc_picture_filter_restart (GstRtcPictureFilter *filter);

/* A packet with media is about to enter the depayloader. */
void gst_rtc_picture_filter_watch_packet (
    GstRtcPictureFilter *filter, guint32 rtp_time, GstClockTime pts);

/* A valid packet arrived; see rtc_loss_gate_packet(). */
void gst_rtc_picture_filter_note_packet (GstRtcPictureFilter *filter,
    guint16 seq, guint32 rtp_time, gboolean marker, gboolean empty,
    GstClockTime pts);

/* Packets are missing before the one with @pts: sends a GAP event of no
 * duration downstream, in order with the access units. */
void gst_rtc_picture_filter_push_loss (
    GstRtcPictureFilter *filter, GstClockTime pts);

G_END_DECLS
