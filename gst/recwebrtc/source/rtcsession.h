/* gst-tsrec: one WebRTC session that is received
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A webrtcbin, and behind it a depayloader and a parser for each track that was
 * negotiated, put into the bin of a source and linked to the sink pads of its
 * tracks. A session is used once and owned by the source.
 *
 * Threads: every function is called on the thread of the context it was made
 * with, unless it says otherwise, and every callback arrives there. The
 * session waits for webrtcbin there, so never call from a thread of webrtcbin.
 */

#pragma once

#include <gst/gst.h>
#include <gst/sdp/sdp.h>

#include "rtcsdp.h"

G_BEGIN_DECLS

typedef struct _RtcSession RtcSession;

/**
 * RtcSessionConfig:
 * @category: for what is logged of the session
 * @latency: of the jitter buffers, ms
 * @stun_server: "stun://host:port" or NULL
 * @turn_server: "turn://user:password@host:port" or NULL
 * @port_range: UDP ports of ICE, "MIN-MAX", or NULL
 * @public_address: instead of those in our host candidates, or NULL
 * @retransmit_video: ask for lost packets of video again
 * @retransmit_audio: ask for lost packets of audio again
 * @freeze: after a loss, drop pictures until the next key frame
 * @keyframe_interval_min: at most one key frame request in this time, ns
 * @max_bitrate: what the video may take, bit/s; 0: no limit
 * @peer_timeout: silence after which the peer is gone, ns; 0: never
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
} RtcSessionConfig;

/**
 * RtcSessionCallbacks:
 * @described: the local description is complete, candidates included; or
 *   @error says why there is none
 * @receiving: the peer begins to send; before its first packet is passed on,
 *   once, on a thread of webrtcbin
 * @connected: ICE and DTLS are up
 * @ended: the peer is gone, in one sentence; called once. The source then
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

/* @video and @audio: the pads to link to; must outlive the session. */
RtcSession *rtc_session_new (GstBin *bin, GstPad *video, GstPad *audio,
    GMainContext *context, const RtcSessionConfig *config,
    const RtcSessionCallbacks *callbacks, gpointer user_data);

/* Answers @offer with what @choice says; @described follows, unless FALSE is
 * returned with @error (domain RTC_SDP_ERROR: the client's fault). Takes
 * @refusals, see rtc_session_get_refusals(). */
gboolean rtc_session_answer (RtcSession *session, const GstSDPMessage *offer,
    const RtcSdpChoice *choice, GPtrArray *refusals, GError **error);

/* For a session that we offer (WHEP): tracks of the listed codecs, receiving
 * only; @described follows with the offer. NULL or empty: no such track. */
gboolean rtc_session_offer (RtcSession *session,
    const RtcSdpCodec *const *video_codecs,
    const RtcSdpCodec *const *audio_codecs, GError **error);
/* The answer to that. FALSE with @error when it cannot be used, or has no
 * track. */
gboolean rtc_session_accept (
    RtcSession *session, const GstSDPMessage *answer, GError **error);
/* RtcSdpRefusal of the tracks that were offered, by either side, and are not in
 * the session; owned by it. NULL before they are known. */
GPtrArray *rtc_session_get_refusals (RtcSession *session);

/* Takes the session apart and gives up the caller's reference. No callback
 * runs after it has returned. */
void rtc_session_close (RtcSession *session);

/* For other threads that look at the session; any thread. */
RtcSession *rtc_session_ref (RtcSession *session);
void rtc_session_unref (RtcSession *session);

const gchar *rtc_session_get_id (RtcSession *session);
/* Name of the ICE session: changes when ICE restarts (RFC 9725 section 4.3). */
const gchar *rtc_session_get_etag (RtcSession *session);
const RtcSdpChoice *rtc_session_get_choice (RtcSession *session);
/* µs since 1970 on the peer's clock; FALSE while unknown. Any thread. */
gboolean rtc_session_get_sender_time (RtcSession *session, gint64 *utc);
gboolean rtc_session_is_connected (RtcSession *session);
/* The session ends because the peer's certificate is not the one that its
 * description names. */
gboolean rtc_session_is_refused (RtcSession *session);

/* Candidates of the peer. FALSE when they belong to another ICE session. */
gboolean rtc_session_add_fragment (
    RtcSession *session, const RtcIceFragment *fragment);

/* The peer restarts ICE with @fragment. Returns our fragment, which the caller
 * frees, and takes another ETag; NULL when that is not possible. */
gchar *rtc_session_restart_ice (
    RtcSession *session, const RtcIceFragment *fragment);

/* Asks the peer for a key frame, now or as soon as it may. Any thread. */
void rtc_session_request_keyframe (RtcSession *session);

/* To be called every 100 ms: watches for silence. */
void rtc_session_tick (RtcSession *session);

/* Whether @object (the source of a message) is part of the session. Any
 * thread. */
gboolean rtc_session_owns (RtcSession *session, GstObject *object);
/* An element of the session failed: ends it. Any thread. */
void rtc_session_fail (RtcSession *session, const gchar *reason);

/* Adds what is known to @stats. Any thread. */
/* Packets that the kernel has dropped at the sockets of the session. */
guint64 rtc_session_get_socket_drops (RtcSession *session);

void rtc_session_add_stats (RtcSession *session, GstStructure *stats);

G_END_DECLS
