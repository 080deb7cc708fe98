/* gst-tsrec: one track of a WebRTC source, with and without a session
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A private element, not registered. Sessions link to its sink pad one after
 * the other, and its src pad stays. The output is one stream: one stream-start,
 * one TIME segment in running time, timestamps that never go backwards, GAP
 * events while a peer is silent, one EOS.
 */

#pragma once

#include "recquery.h"

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_RTC_TRACK (gst_rtc_track_get_type ())
G_DECLARE_FINAL_TYPE (GstRtcTrack, gst_rtc_track, GST, RTC_TRACK, GstElement)

/**
 * GstRtcTrackStats:
 * @buffers: access units that left
 * @bytes: size of these access units
 * @dropped_no_timestamp: access units dropped because they had no timestamp and
 *   there was no earlier access unit
 * @timestamps_corrected: access units whose timestamp went backwards or was
 *   missing
 * @gaps: periods of silence reported downstream
 * @losses: number of losses that were not repaired
 */
typedef struct
{
  guint64 buffers;
  guint64 bytes;
  guint64 dropped_no_timestamp;
  guint64 timestamps_corrected;
  guint64 gaps;
  guint64 losses;
} GstRtcTrackStats;

/* Called on the thread that sends the event upstream, without a lock. */
typedef void (*GstRtcTrackKeyframeFunc) (
    GstRtcTrack *track, gpointer user_data);

/* @kind: "video" or "audio". Returns a floating reference. */
GstRtcTrack *gst_rtc_track_new (const gchar *kind, guint group_id);

/* Call it before the element is used. */
void gst_rtc_track_set_keyframe_func (
    GstRtcTrack *track, GstRtcTrackKeyframeFunc func, gpointer user_data);
/* Sets the latency that is reported downstream. Any thread. */
void gst_rtc_track_set_latency (GstRtcTrack *track, GstClockTime latency);

/* Pushes the events that are due: stream-start, GAP events up to @now -
 * latency, EOS. Returns at once while the streaming thread is pushing. Not from
 * a streaming thread. Returns FALSE when there is nothing more to do until a
 * peer is there, an event is queued or the track is finished. */
gboolean gst_rtc_track_tick (GstRtcTrack *track, GstClockTime now);

/* Sets the state of the peer, which is the answer to the query "tsrec-source".
 * GAP events are pushed only while @source->waiting is FALSE, so that nothing
 * is written while nothing is expected. Initially no peer is connected, and the
 * track waits. Any thread. */
void gst_rtc_track_set_source (GstRtcTrack *track, const RecSource *source);

/* Ends the stream: later buffers are refused with GST_FLOW_EOS, and the next
 * tick sends EOS downstream. */
void gst_rtc_track_finish (GstRtcTrack *track);
gboolean gst_rtc_track_is_finished (GstRtcTrack *track);

/* Queues a serialized event, which is pushed in order with the buffers after
 * the stream has begun. Takes ownership. Any thread. */
void gst_rtc_track_queue_event (GstRtcTrack *track, GstEvent *event);

void gst_rtc_track_get_stats (GstRtcTrack *track, GstRtcTrackStats *stats);

/* Returns the running time of the end of the output, including GAP events, or
 * GST_CLOCK_TIME_NONE before the first output. Any thread. */
GstClockTime gst_rtc_track_get_end (GstRtcTrack *track);

G_END_DECLS
