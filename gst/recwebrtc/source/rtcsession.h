/* gst-tsrec: one WebRTC session of a source
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Adds a webrtcbin (or an RtcReceiver, if there is a UDP port) to the bin of a
 * source, and a depayloader and a parser for each negotiated track, and links
 * them to the sink pads of the tracks. The source owns the session and uses it
 * once.
 *
 * Threads: functions and callbacks run on the thread of the context (the control
 * thread), unless noted otherwise. The session waits for webrtcbin there, so
 * functions must not be called on a thread of webrtcbin.
 */

#pragma once

#include <gst/gst.h>
#include <gst/sdp/sdp.h>

#include "rtcsdp.h"

G_BEGIN_DECLS

typedef struct _RtcSession RtcSession;
struct _RtcUdpPort;

/**
 * RtcSessionConfig:
 * @category: debug category of the element
 * @latency: latency of the jitter buffers, ms
 * @stun_server: "stun://host:port" or NULL
 * @turn_server: "turn://user:password@host:port" or NULL
 * @port_range: UDP ports of ICE, "MIN-MAX", or NULL
 * @public_address: replaces the address of our host candidates, or NULL
 * @retransmit_video: request lost video packets again
 * @retransmit_audio: request lost audio packets again
 * @freeze: after a loss, drop pictures until the next key frame
 * @keyframe_interval_min: shortest interval between key frame requests, ns
 * @max_bitrate: limit for the video of the peer, bit/s; 0: none
 * @peer_timeout: silence of the peer that ends the session, ns; 0: never
 * @simulcast_layer: see rtc_layers_new()
 * @udp_port: port that receives, which outlives the session; NULL: webrtcbin
 *   receives
 */
typedef struct
{
  GstDebugCategory *category;
  guint latency;
  const gchar *stun_server;
  const gchar *turn_server;
  const gchar *port_range;
  const gchar *public_address;
  gboolean retransmit_video;
  gboolean retransmit_audio;
  gboolean freeze;
  GstClockTime keyframe_interval_min;
  guint max_bitrate;
  GstClockTime peer_timeout;
  const gchar *simulcast_layer;
  struct _RtcUdpPort *udp_port;
} RtcSessionConfig;

/**
 * RtcSessionCallbacks:
 * @described: @sdp is the local description with its candidates, or NULL with
 *   @error
 * @receiving: the peer begins to send; called once, on a thread of webrtcbin,
 *   before the first packet is passed on
 * @connected: ICE and DTLS are connected, and the certificate is verified
 * @ended: the session is over; called once. @reason: a sentence. The source then
 *   closes the session.
 */
typedef struct
{
  void (*described) (RtcSession *session, const gchar *sdp, const GError *error,
      gpointer user_data);
  void (*receiving) (RtcSession *session, gpointer user_data);
  void (*connected) (RtcSession *session, gpointer user_data);
  void (*ended) (RtcSession *session, const gchar *reason, gpointer user_data);
} RtcSessionCallbacks;

/* @video and @audio: pads to link to, which outlive the session. */
RtcSession *rtc_session_new (GstBin *bin, GstPad *video, GstPad *audio,
    GMainContext *context, const RtcSessionConfig *config,
    const RtcSessionCallbacks *callbacks, gpointer user_data);

/* Answers @offer with the tracks of @choice; @described follows. Returns FALSE
 * with @error on failure; domain RTC_SDP_ERROR: the offer is not usable. Takes
 * ownership of @refusals, see rtc_session_get_refusals(). */
gboolean rtc_session_answer (RtcSession *session, const GstSDPMessage *offer,
    const RtcSdpChoice *choice, GPtrArray *refusals, GError **error);

/* Makes an offer (WHEP) with tracks of the listed codecs that only receive;
 * @described follows with the offer. NULL or empty: no track of this kind.
 * Returns FALSE with @error on failure. */
gboolean rtc_session_offer (RtcSession *session,
    const RtcSdpCodec *const *video_codecs,
    const RtcSdpCodec *const *audio_codecs, GError **error);
/* Accepts the answer to that offer. Returns FALSE with @error if it is not usable
 * or has no track. */
gboolean rtc_session_accept (
    RtcSession *session, const GstSDPMessage *answer, GError **error);
/* Returns the RtcSdpRefusal of each offered track, of either side, that is not in
 * the session. Owned by the session. NULL before the negotiation. */
GPtrArray *rtc_session_get_refusals (RtcSession *session);

/* Removes the elements and releases the reference of the caller. No callback runs
 * afterwards. NULL is allowed. */
void rtc_session_close (RtcSession *session);

/* Any thread. */
RtcSession *rtc_session_ref (RtcSession *session);
void rtc_session_unref (RtcSession *session);

const gchar *rtc_session_get_id (RtcSession *session);
/* Returns the ETag of the ICE session, which changes with a restart of ICE (RFC
 * 9725 section 4.3). */
const gchar *rtc_session_get_etag (RtcSession *session);
const RtcSdpChoice *rtc_session_get_choice (RtcSession *session);
/* Sets @utc to the time on the clock of the peer, µs since 1970. Returns FALSE
 * while it is unknown. Any thread. */
gboolean rtc_session_get_sender_time (RtcSession *session, gint64 *utc);
gboolean rtc_session_is_connected (RtcSession *session);
/* Returns TRUE if the session ended because the certificate of the peer does not
 * match its description. */
gboolean rtc_session_is_refused (RtcSession *session);

/* Adds candidates of the peer. Returns FALSE if they belong to another ICE
 * session. */
gboolean rtc_session_add_fragment (
    RtcSession *session, const RtcIceFragment *fragment);

/* Restarts ICE with the credentials of the peer in @fragment, and changes the
 * ETag. Returns our fragment, which the caller frees, or NULL if a restart is not
 * possible. */
gchar *rtc_session_restart_ice (
    RtcSession *session, const RtcIceFragment *fragment);

/* Requests a key frame from the peer, now or when keyframe-interval-min is over.
 * Any thread. */
void rtc_session_request_keyframe (RtcSession *session);

/* Watches for silence of the peer. Called every 100 ms. */
void rtc_session_tick (RtcSession *session);

/* Returns TRUE if @object, the source of a message, belongs to the session. Any
 * thread. */
gboolean rtc_session_owns (RtcSession *session, GstObject *object);
/* Ends the session, because one of its elements failed. Any thread. */
void rtc_session_fail (RtcSession *session, const gchar *reason);

/* Returns the number of packets that the kernel dropped at the sockets of the
 * session. */
guint64 rtc_session_get_socket_drops (RtcSession *session);

/* Adds the fields of the property "stats". Any thread. */
void rtc_session_add_stats (RtcSession *session, GstStructure *stats);

G_END_DECLS
