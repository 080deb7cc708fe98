/* gst-tsrec: one track of a WebRTC source, with and without a session
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A private element, not registered: sessions come and go on its sink pad, and
 * its src pad stays. What leaves it is one stream: one stream-start, one TIME
 * segment in running time, timestamps that never go backwards, GAP events
 * while a peer is silent, one EOS.
 */

#pragma once

#include "recquery.h"

#include <gst/gst.h>

G_BEGIN_DECLS

#define RTC_TYPE_TRACK (rtc_track_get_type ())
G_DECLARE_FINAL_TYPE (RtcTrack, rtc_track, RTC, TRACK, GstElement)

/**
 * RtcTrackStats:
 * @buffers: access units that left
 * @bytes: their size
 * @dropped_no_timestamp: access units dropped because they had no timestamp,
 *   and there was none before them
 * @timestamps_corrected: access units whose timestamp had gone backwards, or
 *   was missing
 * @gaps: stretches of silence that were told downstream
 * @losses: times that packets were missing for good
 * @last_buffer: running time when the last access unit left, or
 *   GST_CLOCK_TIME_NONE
 */
typedef struct
{
  guint64 buffers;
  guint64 bytes;
  guint64 dropped_no_timestamp;
  guint64 timestamps_corrected;
  guint64 gaps;
  guint64 losses;
  GstClockTime last_buffer;
} RtcTrackStats;

/* Called on the thread that sends the event upstream, with no lock held. */
typedef void (*RtcTrackKeyframeFunc) (RtcTrack *track, gpointer user_data);

/* @kind: "video" or "audio". Floating reference. */
RtcTrack *rtc_track_new (const gchar *kind, guint group_id);

/* Before the element is used. */
void rtc_track_set_keyframe_func (
    RtcTrack *track, RtcTrackKeyframeFunc func, gpointer user_data);
/* Latency that is reported downstream; any thread. */
void rtc_track_set_latency (RtcTrack *track, GstClockTime latency);

/* Says what is due: stream-start, GAP events up to @now - latency, EOS. Returns
 * without having done anything while the streaming thread is pushing. Not from
 * a streaming thread. */
void rtc_track_tick (RtcTrack *track, GstClockTime now);

/* Who is at the other end; any thread. The query "tsrec-source" is answered
 * with it, and GAP events leave only while @source->waiting is FALSE: nothing
 * is written while nothing is expected. Initially nobody is connected, and the
 * track waits. */
void rtc_track_set_source (RtcTrack *track, const RecSource *source);

/* The stream ends: what still comes in is refused with GST_FLOW_EOS, and the
 * next tick sends EOS downstream. */
void rtc_track_finish (RtcTrack *track);
gboolean rtc_track_is_finished (RtcTrack *track);

/* A serialized event to go downstream in order with the buffers, after the
 * stream has begun; kept until then. Takes ownership. Any thread. */
void rtc_track_queue_event (RtcTrack *track, GstEvent *event);

void rtc_track_get_stats (RtcTrack *track, RtcTrackStats *stats);

/* Running time at which what has left ends, GAP events included;
 * GST_CLOCK_TIME_NONE before anything has. Any thread. */
GstClockTime rtc_track_get_end (RtcTrack *track);

G_END_DECLS
