/* gst-tsrec: statistics of jitter buffers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A plain struct; the caller locks.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * RtcJitterStats: totals over the streams of one kind. A sender that starts
 * again uses a new SSRC, and so a new jitter buffer.
 * @received: packets that left the jitter buffer
 * @lost: packets that were declared lost
 * @late: packets that arrived too late
 * @requested: retransmissions requested
 * @retransmitted: packets received by retransmission
 * @jitter: average jitter of the last jitter buffer added, ns
 * @round_trip: round-trip time of retransmissions, ns, GST_CLOCK_TIME_NONE if
 *   unknown
 */
typedef struct
{
  guint64 received;
  guint64 lost;
  guint64 late;
  guint64 requested;
  guint64 retransmitted;
  guint64 jitter;
  guint64 round_trip;
} RtcJitterStats;

void rtc_jitter_stats_init (RtcJitterStats *stats);

/* Adds the counters of an rtpjitterbuffer. */
void rtc_jitter_stats_add (RtcJitterStats *stats, GstElement *jitterbuffer);

/* Sets the fields "@kind-rtp-received", "@kind-rtp-lost", … of @structure. */
void rtc_jitter_stats_fill (
    const RtcJitterStats *stats, const gchar *kind, GstStructure *structure);

G_END_DECLS
