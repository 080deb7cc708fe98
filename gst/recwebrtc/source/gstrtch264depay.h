/* gst-tsrec: RTP packets of H.264 become access units
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A private element, not registered, in the place of rtph264depay, with the
 * same result (RtcH264Depay). It requests a key frame where packets are missing.
 * Packets have passed GstRtcPacketFilter. Everything runs on the streaming
 * thread.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_RTC_H264_DEPAY (gst_rtc_h264_depay_get_type ())
G_DECLARE_FINAL_TYPE (
    GstRtcH264Depay, gst_rtc_h264_depay, GST, RTC_H264_DEPAY, GstElement)

/* @caps: of the access units, a byte stream. @malformed: access units that were
 *   given up because they are too large; counted atomically, outlives the
 *   element. Floating reference. */
GstElement *gst_rtc_h264_depay_new (const gchar *caps, guint64 *malformed);

G_END_DECLS
