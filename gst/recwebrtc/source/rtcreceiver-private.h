/* gst-tsrec: what the files of RtcReceiver share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "rtcsenderclock.h"
#include "rtclayers.h"
#include "rectasks.h"
#include "rtcreceiver.h"
#include "rtcremb.h"
#include "rtcreorder.h"
#include "rtcrtpsource.h"
#include "rtctwcc.h"
#include "rtctimeline.h"

#include <gst/rtp/rtp.h>

G_BEGIN_DECLS

/* SSRCs that carry media, at a time. */
#define RTC_RECEIVER_MAX_STREAMS 16

typedef enum
{
  RTC_KIND_VIDEO,
  RTC_KIND_AUDIO,
  RTC_KINDS
} RtcKind;

/**
 * RtcReceiverTrack:
 * @track: what was chosen; its codec is NULL without such a track
 * @media: the m-line in the pruned description
 * @chain: where packets go
 * @rtx: payload type of retransmissions, -1: none
 * @nack: missing packets are requested
 * @fir: FIR instead of PLI
 * @twcc: id of the header extension of transport-wide congestion control, 0:
 *   none
 * @remb: the sender knows of no other congestion control
 * @rate: ticks per second
 * @caps: of the packets
 */
typedef struct
{
  RtcSdpTrack track;
  const GstSDPMedia *media;
  RtcDepayChain *chain;
  gint rtx;
  gboolean nack;
  gboolean fir;
  guint8 twcc;
  gboolean remb;
  guint rate;
  GstCaps *caps;
} RtcReceiverTrack;

/* One transport, and what is sent through it. */
typedef struct
{
  RtcReceiver *receiver;
  guint index;
  RtcTransport *transport;
  gchar **fingerprints;
  gboolean server;
  /* under the lock of the receiver */
  RtcTwcc twcc;
  gboolean has_twcc;
  gint64 report_due;
  gint64 twcc_due;
} RtcReceiverLink;

/**
 * RtcReceiverStream:
 * @ssrc: of the media
 * @rtx_ssrc: of its retransmissions, 0: unknown
 * @payload: of the last packet
 * @rtp_time: timestamp of the last packet
 * @last: when the last packet arrived, µs
 * @bye: the sender has said goodbye
 * @ended: to be taken apart
 * @round_trip: of requests, µs; 0: unknown
 * @timeline: number of the track there, when @has_timeline
 * @newest: highest RTP timestamp that has arrived
 * @skipped: a layer that is not recorded: its packets are not decrypted, except
 *   for the first one in a while; that was at @sampled, µs
 * @head: the next packet, with the timestamp @head_rtp_time, and, when
 *   @is_mapped, the running time @head_running
 * @decide_by: until when the timeline may decide where @head belongs, µs; 0: it
 *   was not asked
 * @has_left: a packet has left, the last one at @running
 * @excused: others do not wait for it until it has caught up
 * @src: our pad, NULL before the first packet has left
 * @flow: result of the last push
 * @sink: what it is linked to
 */
typedef struct
{
  guint32 ssrc;
  guint32 rtx_ssrc;
  RtcKind kind;
  RtcReceiverLink *link;
  /* under the lock of the receiver */
  RtcReorder *reorder;
  RtcRtpSource source;
  gint payload;
  guint32 rtp_time;
  gint64 last;
  gboolean bye;
  gboolean ended;
  gint64 round_trip;
  gboolean has_timeline;
  guint timeline;
  gboolean skipped;
  gint64 sampled;
  GstBuffer *head;
  guint32 head_rtp_time;
  gboolean is_mapped;
  gint64 decide_by;
  gint64 head_running;
  gboolean has_left;
  gint64 running;
  gboolean excused;
  GstPad *sink;
  /* thread that pushes */
  GstPad *src;
  GstFlowReturn flow;
} RtcReceiverStream;

/* Totals of streams that have ended. */
typedef struct
{
  RtcReorderStats packets;
  guint64 jitter;
  guint64 round_trip;
} RtcReceiverTotals;

struct _RtcReceiver
{
  GstBin *bin;
  RtcUdpPort *port;
  gint64 latency; /* µs */
  guint64 *ignored;
  RtcReceiverCallbacks callbacks;
  gpointer user_data;
  GstSDPMessage *pruned;
  gboolean bundled;
  gboolean retransmit_video;
  gboolean retransmit_audio;
  RtcReceiverTrack tracks[RTC_KINDS];
  RtcReceiverLink links[RTC_KINDS];
  guint n_links;
  GHashTable *rtx_groups; /* SSRC of retransmission: SSRC of media */
  RtcLayers *layers;      /* of the video, or NULL */
  RecTask *task;
  guint32 ssrc; /* ours */
  gchar cname[17];
  guint64 first_drops;
  /* under the lock of the port */
  guint n_ended;
  gboolean connected;

  /* For sending upstream: not under the lock, which the thread of the port
   * takes with its own lock held. */
  struct _RtcSender *sender;

  GMutex lock;
  /* under lock */
  GPtrArray *streams;
  gboolean missing[RTC_KINDS]; /* has not begun, and is waited for */
  RtcReceiverTotals ended[RTC_KINDS];
  RtcRemb remb; /* of the video */
  RtcSenderClock clock;
  guint32 clock_ssrc;
  RtcTimeline timeline;
  gint64 offset; /* running time minus monotonic time, ns */
  gint64 offset_at;
  gint64 skip_decided_at; /* arrival of a packet, µs */
  gboolean feeding;
  gint64 wait_since; /* for the order of tracks, µs; 0: it does not */
};

/* --- rtcreceiver-feed.c --- */

/* RecTask's function; @data is the receiver. */
void rtc_receiver_feed (gpointer data);
/* Under lock: whether rtc_receiver_feed() has something to do, or, if not, when
 * it will, µs. */
gint64 rtc_receiver_get_feed_due (RtcReceiver *receiver, gint64 now);
/* Gives @stream a place on the timeline; under lock. */
void rtc_receiver_begin_track (
    RtcReceiver *receiver, RtcReceiverStream *stream);
void rtc_receiver_free_stream (
    RtcReceiver *receiver, RtcReceiverStream *stream);

/* --- rtcreceiver-layers.c --- */

/* Whether a packet, which is not authentic, is to be decrypted: callback of a
 * transport. */
gboolean rtc_receiver_wants (
    const guint8 *data, gsize size, gint64 arrival, gpointer link);
/* Counts an authentic packet of a stream that is skipped; under lock. */
void rtc_receiver_note_skipped (RtcReceiver *receiver, RtcReceiverLink *link,
    RtcReceiverStream *stream, GstRTPBuffer *rtp, gint64 arrival);

/* --- rtcreceiver-packets.c: the RTP and RTCP callbacks of a transport --- */

/* Under lock; NULL when there is none. */
RtcReceiverStream *rtc_receiver_find_stream (
    RtcReceiver *receiver, guint32 ssrc);
/* For transport-wide congestion control; under lock. */
void rtc_receiver_note_twcc (RtcReceiver *receiver, RtcReceiverLink *link,
    GstRTPBuffer *rtp, gint64 arrival);
void rtc_receiver_take_rtp (
    guint8 *data, gsize size, gint64 arrival, gpointer link);
void rtc_receiver_take_rtcp (
    const guint8 *data, gsize size, gint64 arrival, gpointer link);
gint64 rtc_receiver_run_timers (gint64 now, gpointer link);

/* --- rtcreceiver.c --- */

/* Asks the sender of @ssrc for a key frame; without the lock. */
void rtc_sender_request_keyframe (struct _RtcSender *sender,
    RtcReceiverLink *link, guint32 ssrc, gboolean fir);
struct _RtcSender *rtc_sender_ref (struct _RtcSender *sender);
void rtc_sender_unref (struct _RtcSender *sender);

G_END_DECLS
