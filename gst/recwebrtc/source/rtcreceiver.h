/* gst-tsrec: receives the media of a peer on our own UDP port
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Replaces webrtcbin: answers the offer, puts the RTP packets of each SSRC
 * in order, asks for those that are missing, puts all tracks onto one running
 * time (RtcTimeline), and pushes them into the RtcDepayChain of their track.
 *
 * Threads: made and freed on the thread of the session. Packets arrive on the
 * thread of the port, and are pushed on one of those of REC_TASKS_MEDIA, one at a
 * time. The other functions may be called from any thread.
 */

#pragma once

#include "rtcdepaychain.h"
#include "rtctransport.h"

G_BEGIN_DECLS

typedef struct _RtcReceiver RtcReceiver;

/**
 * RtcReceiverConfig:
 * @bin: gives the running time
 * @port: must outlive the receiver
 * @offer: description of the peer
 * @pruned: @offer after rtc_sdp_prune()
 * @choice: the tracks to receive
 * @video: destination of the video, or NULL; outlives the receiver
 * @audio: destination of the audio, or NULL; outlives the receiver
 * @latency: ms for which a missing packet is waited for
 * @retransmit_video: ask for lost packets of video again
 * @retransmit_audio: ask for lost packets of audio again
 * @max_bitrate: limit for the video, bit/s; 0: none
 * @layer: see rtc_layers_new()
 * @ignored: packets without use, counted atomically; outlives the receiver
 */
typedef struct
{
  GstBin *bin;
  RtcUdpPort *port;
  const GstSDPMessage *offer;
  const GstSDPMessage *pruned;
  const RtcSdpChoice *choice;
  RtcDepayChain *video;
  RtcDepayChain *audio;
  guint latency;
  gboolean retransmit_video;
  gboolean retransmit_audio;
  guint max_bitrate;
  const gchar *layer;
  guint64 *ignored;
} RtcReceiverConfig;

/**
 * RtcReceiverCallbacks:
 * @connected: the peer is verified; @pair names the two addresses. Thread of
 *   the port: must not block
 * @ended: nothing more comes. Thread of the port: must not block
 * @added: @pad, linked to the track, brings another SSRC. No packet has left it.
 *   Thread that pushes
 * @get_floor: returns the running time before which nothing may be recorded, or
 *   GST_CLOCK_TIME_NONE. Thread that pushes
 */
typedef struct
{
  void (*connected) (const gchar *pair, gpointer user_data);
  void (*ended) (RtcTransportEnd end, gpointer user_data);
  void (*added) (GstPad *pad, gboolean video, gpointer user_data);
  GstClockTime (*get_floor) (gpointer user_data);
} RtcReceiverCallbacks;

/* NULL with @error (RTC_SDP_ERROR: the fault of the peer; or G_IO_ERROR). */
RtcReceiver *rtc_receiver_new (const RtcReceiverConfig *config,
    const RtcReceiverCallbacks *callbacks, gpointer user_data, GError **error);
/* No callback runs after it has returned. Waits for a packet that is being
 * pushed. NULL is allowed. */
void rtc_receiver_free (RtcReceiver *receiver);

/* The answer to @pruned, with candidates; caller frees. */
GstSDPMessage *rtc_receiver_make_answer (RtcReceiver *receiver);
/* Takes other ICE credentials. Thread of the session. */
void rtc_receiver_restart_ice (RtcReceiver *receiver);
const gchar *rtc_receiver_get_ufrag (RtcReceiver *receiver);
const gchar *rtc_receiver_get_pwd (RtcReceiver *receiver);

/* Takes streams apart that have ended; every 100 ms. */
void rtc_receiver_tick (RtcReceiver *receiver);
/* Monotonic time of the last authentic packet, µs. */
gint64 rtc_receiver_get_last_packet (RtcReceiver *receiver);
/* µs since 1970 on the sender's clock; FALSE while unknown. */
gboolean rtc_receiver_get_sender_time (RtcReceiver *receiver, gint64 *utc);
/* Adds what rtc_reception_add_stats() does. */
void rtc_receiver_add_stats (RtcReceiver *receiver, GstStructure *stats);
/* Datagrams that the kernel dropped at the port since the receiver was made,
 * and the bytes of the receive buffer. */
void rtc_receiver_get_socket (
    RtcReceiver *receiver, guint64 *drops, guint *granted);

G_END_DECLS
