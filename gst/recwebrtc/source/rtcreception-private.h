/* gst-tsrec: private to the files of RtcReception
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "rtcjitterstats.h"
#include "rtcreception.h"
#include "rtcsenderclock.h"
#include "rtctimeline.h"

G_BEGIN_DECLS

/* Number of packets of a stream whose arrival is remembered: the capacity of a
 * jitter buffer. A power of two. */
#define RTC_RECEPTION_ARRIVALS 4096
typedef enum
{
  RTC_RECEPTION_UNKNOWN,
  RTC_RECEPTION_VIDEO,
  RTC_RECEPTION_AUDIO,
} RtcReceptionKind;

/**
 * RtcArrival:
 * @time: running time of the arrival, GST_CLOCK_TIME_NONE if there is no packet
 */
typedef struct
{
  GstClockTime time;
  guint32 rtp_time;
  guint16 seq;
} RtcArrival;

/**
 * RtcReceptionStream:
 * @jitterbuffer: jitter buffer of this SSRC
 * @session: number of its RTP session
 * @arrivals: RTC_RECEPTION_ARRIVALS arrivals, by sequence number
 * @last_arrival: arrival of the last packet that left the jitter buffer
 * @newest: highest RTP timestamp that has arrived
 * @track: number of the track on the timeline
 * @left: RTP timestamp of the last packet that left the jitter buffer
 * @running: running time of that packet, ns
 * @excused: other streams do not wait for it until it has caught up with them
 * @rate: ticks per second, 0 while it is not recorded
 */
typedef struct
{
  guint ssrc;
  guint session;
  RtcReceptionKind kind;
  GstElement *jitterbuffer;
  RtcArrival *arrivals;
  GstClockTime last_arrival;
  gboolean has_newest;
  guint32 newest;
  gboolean has_track;
  guint track;
  gboolean has_left;
  guint32 left;
  gint64 running;
  gboolean excused;
  guint rate;
} RtcReceptionStream;

struct _RtcReception
{
  GstElement *rtpbin;
  gulong handlers[4];

  GMutex lock;
  GCond moved; /* a packet of a stream has left */
  /* under lock */
  GArray *streams;
  RtcJitterStats
      ended[RTC_RECEPTION_AUDIO + 1]; /* of streams that have ended */
  gboolean missing[RTC_RECEPTION_AUDIO +
      1];           /* the track is expected and has not begun */
  gboolean stopped; /* no packet waits for another one */
  RtcSenderClock clock;
  RtcTimeline timeline;
};

/* rtcreception-order.c: tracks leave in the order of their times */

/* The packet with @rtp_time of @stream is about to leave, at @running; under
 * lock. */
void rtc_reception_note_departure (RtcReception *reception,
    RtcReceptionStream *stream, guint32 rtp_time, gint64 running);

/* Waits until no other track has packets that belong before @running, or the
 * time for that is over; under lock, which is released while waiting:
 * streams may then be at another place of the array. */
void rtc_reception_wait_for_order (
    RtcReception *reception, guint ssrc, gint64 running);

G_END_DECLS
