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

#include "sdputil.h"

G_BEGIN_DECLS

typedef struct _RecSession RecSession;
struct _RtcUdpPort;

/**
 * RecSessionConfig:
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
 * @udp_port: receive on this port, which outlives the session; NULL: by
 *   webrtcbin
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
  struct _RtcUdpPort *udp_port;
} RecSessionConfig;

/**
 * RecSessionCallbacks:
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
  void (*described) (RecSession *session, const gchar *sdp, const GError *error,
      gpointer user_data);
  void (*receiving) (RecSession *session, gpointer user_data);
  void (*connected) (RecSession *session, gpointer user_data);
  void (*ended) (RecSession *session, const gchar *reason, gpointer user_data);
} RecSessionCallbacks;

/* @video and @audio: the pads to link to; must outlive the session. */
RecSession *rec_session_new (GstBin *bin, GstPad *video, GstPad *audio,
    GMainContext *context, const RecSessionConfig *config,
    const RecSessionCallbacks *callbacks, gpointer user_data);

/* Answers @offer with what @choice says; @described follows, unless FALSE is
 * returned with @error (domain SDP_UTIL_ERROR: the client's fault). Takes
 * @refusals, see rec_session_get_refusals(). */
gboolean rec_session_answer (RecSession *session, const GstSDPMessage *offer,
    const SdpChoice *choice, GPtrArray *refusals, GError **error);

/* For a session that we offer (WHEP): tracks of the listed codecs, receiving
 * only; @described follows with the offer. NULL or empty: no such track. */
gboolean rec_session_offer (RecSession *session,
    const SdpCodec *const *video_codecs, const SdpCodec *const *audio_codecs,
    GError **error);
/* The answer to that. FALSE with @error when it cannot be used, or has no
 * track. */
gboolean rec_session_accept (
    RecSession *session, const GstSDPMessage *answer, GError **error);
/* SdpRefusal of the tracks that were offered, by either side, and are not in
 * the session; owned by it. NULL before they are known. */
GPtrArray *rec_session_get_refusals (RecSession *session);

/* Takes the session apart and gives up the caller's reference. No callback
 * runs after it has returned. */
void rec_session_close (RecSession *session);

/* For other threads that look at the session; any thread. */
RecSession *rec_session_ref (RecSession *session);
void rec_session_unref (RecSession *session);

const gchar *rec_session_get_id (RecSession *session);
/* Name of the ICE session: changes when ICE restarts (RFC 9725 section 4.3). */
const gchar *rec_session_get_etag (RecSession *session);
const SdpChoice *rec_session_get_choice (RecSession *session);
/* µs since 1970 on the peer's clock; FALSE while unknown. Any thread. */
gboolean rec_session_get_sender_time (RecSession *session, gint64 *utc);
gboolean rec_session_is_connected (RecSession *session);
/* The session ends because the peer's certificate is not the one that its
 * description names. */
gboolean rec_session_is_refused (RecSession *session);

/* Candidates of the peer. FALSE when they belong to another ICE session. */
gboolean rec_session_add_fragment (
    RecSession *session, const SdpFragment *fragment);

/* The peer restarts ICE with @fragment. Returns our fragment, which the caller
 * frees, and takes another ETag; NULL when that is not possible. */
gchar *rec_session_restart_ice (
    RecSession *session, const SdpFragment *fragment);

/* Asks the peer for a key frame, now or as soon as it may. Any thread. */
void rec_session_request_keyframe (RecSession *session);

/* To be called every 100 ms: watches for silence. */
void rec_session_tick (RecSession *session);

/* Whether @object (the source of a message) is part of the session. Any
 * thread. */
gboolean rec_session_owns (RecSession *session, GstObject *object);
/* An element of the session failed: ends it. Any thread. */
void rec_session_fail (RecSession *session, const gchar *reason);

/* Adds what is known to @stats. Any thread. */
/* Packets that the kernel has dropped at the sockets of the session. */
guint64 rec_session_get_socket_drops (RecSession *session);

void rec_session_add_stats (RecSession *session, GstStructure *stats);

G_END_DECLS
