/* gst-tsrec: the packets that enter a depayloader
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A private element, not registered, in front of a depayloader. It drops
 * packets that a depayloader of GStreamer 1.22 does not survive
 * (RtcPacketFilter), and removes parameter sets that are repeated between the
 * slices of a picture (RtcParamSets). It reports received and missing packets
 * to GstRtcPictureFilter. Everything runs on the streaming thread.
 */

#pragma once

#include "gstrtcpicturefilter.h"

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_RTC_PACKET_FILTER (gst_rtc_packet_filter_get_type ())
G_DECLARE_FINAL_TYPE (GstRtcPacketFilter, gst_rtc_packet_filter, GST,
    RTC_PACKET_FILTER, GstElement)

/* @pictures: the filter after the depayloader; referenced. @malformed:
 *   packets that were dropped because they break the payload format; counted
 *   atomically, outlives the element. Floating reference. */
GstRtcPacketFilter *gst_rtc_packet_filter_new (const RtcSdpCodec *codec,
    GstRtcPictureFilter *pictures, guint64 *malformed);

G_END_DECLS
