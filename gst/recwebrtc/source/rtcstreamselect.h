/* gst-tsrec: one of the RTP streams that a peer sends for a track
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A private element, not registered. A peer may send more than one SSRC for a
 * track: simulcast, probes for bandwidth, an encoder that starts over, or that
 * returns to the SSRC it had before. One stream passes; packets of the others
 * are dropped without an error, which would end the session.
 *
 * The first stream that carries media is chosen and kept. Another one takes
 * over when it has carried media for RTC_STREAM_SELECT_SILENCE without a packet of the
 * chosen one in between: from its first key frame in that time on, so that
 * nothing of a stream that replaces another is lost. A stream of a higher rank
 * takes over with its next key frame.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* ns. Less than the silence that RtcTrack reports downstream. */
#define RTC_STREAM_SELECT_SILENCE (300 * GST_MSECOND)

#define RTC_TYPE_STREAM_SELECT (rtc_stream_select_get_type ())
G_DECLARE_FINAL_TYPE (
    RtcStreamSelect, rtc_stream_select, RTC, STREAM_SELECT, GstElement)

/* @codec: encoding name, upper case. @ignored: packets that were dropped,
 * counted atomically; outlives the element. Floating reference. */
RtcStreamSelect *rtc_stream_select_new (const gchar *codec, guint64 *ignored);

/* A sink pad for another stream. @rank: preferred to streams of a lower rank.
 * Caller unrefs. Any thread. */
GstPad *rtc_stream_select_add_stream (RtcStreamSelect *select, guint rank);

/* Another rank for the stream of @pad, which counts from its next key frame
 * on. Must not run while the stream is removed. Any thread; does not block. */
void rtc_stream_select_set_rank (
    RtcStreamSelect *select, GstPad *pad, guint rank);

/* The stream of @pad, which is unlinked, is gone. Any thread. */
void rtc_stream_select_remove_stream (RtcStreamSelect *select, GstPad *pad);

/* Whether the stream of @pad is the one that passes. Any thread. */
gboolean rtc_stream_select_is_chosen (RtcStreamSelect *select, GstPad *pad);

/* For tests: @func returns the time in µs. Before the first packet. */
void rtc_stream_select_set_time_func (
    RtcStreamSelect *select, gint64 (*func) (void));

G_END_DECLS
