/* gst-tsrec: selects one of the RTP streams that a peer sends for a track
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A private element, not registered. A peer may send more than one SSRC for a
 * track: simulcast, bandwidth probes, or an encoder that restarts or returns to
 * an earlier SSRC. One stream passes. Packets of the other streams are dropped
 * without an error, because an error would end the session.
 *
 * The first stream that carries media is chosen and kept. Another stream takes
 * over after it has carried media for GST_RTC_STREAM_SELECT_SILENCE without a
 * packet of the chosen stream. It starts at its first key frame within that
 * time, so that nothing of the new stream is lost. A stream of a higher rank
 * takes over at its next key frame.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Silence after which another stream takes over, ns. Less than the silence that
 * GstRtcTrack reports downstream. */
#define GST_RTC_STREAM_SELECT_SILENCE (300 * GST_MSECOND)

#define GST_TYPE_RTC_STREAM_SELECT (gst_rtc_stream_select_get_type ())
G_DECLARE_FINAL_TYPE (GstRtcStreamSelect, gst_rtc_stream_select, GST,
    RTC_STREAM_SELECT, GstElement)

/* @codec: encoding name, upper case. @ignored: number of packets dropped,
 *   counted atomically; outlives the element. Returns a floating reference. */
GstRtcStreamSelect *gst_rtc_stream_select_new (
    const gchar *codec, guint64 *ignored);

/* Adds a sink pad for another stream. @rank: streams of a higher rank are
 * preferred. Caller unrefs. Any thread. */
GstPad *gst_rtc_stream_select_add_stream (
    GstRtcStreamSelect *select, guint rank);

/* Changes the rank of the stream of @pad, from its next key frame on. Must not
 * run while the stream is being removed. Any thread; does not block. */
void gst_rtc_stream_select_set_rank (
    GstRtcStreamSelect *select, GstPad *pad, guint rank);

/* Removes the stream of @pad, which is unlinked. Any thread. */
void gst_rtc_stream_select_remove_stream (
    GstRtcStreamSelect *select, GstPad *pad);

/* Returns TRUE if the stream of @pad is the chosen one. Any thread. */
gboolean gst_rtc_stream_select_is_chosen (
    GstRtcStreamSelect *select, GstPad *pad);

G_END_DECLS
