/* gst-tsrec: RtcSession, for the files rtcsession*.c
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "rtcdepaychain.h"
#include "rtcreception.h"
#include "rtcnack.h"
#include "rtcpeer.h"
#include "rtcsession.h"
#include "rtcsockets.h"
#include "rtcstreams.h"

G_BEGIN_DECLS

struct _RtcReceiver;

struct _RtcSession
{
  gatomicrefcount refcount;
  gchar *id;
  gchar *etag;
  GstBin *bin;
  GMainContext *context;
  RtcSessionConfig config;
  RtcSessionCallbacks callbacks;
  gpointer user_data;

  RtcPeer *peer;
  GstElement *webrtc; /* of peer; NULL while there is none */
  /* receives instead of webrtcbin, or NULL; set and cleared under lock */
  struct _RtcReceiver *receiver;
  RtcDepayChain *video;
  RtcDepayChain *audio;
  GstPad *video_out;
  GstPad *audio_out;
  RtcNack *retransmit;
  RtcStreams *streams;
  RtcSockets *sockets; /* for the life of the session */
  GstSDPMessage *offer;
  GPtrArray *refusals;
  gchar *remote_ufrag;
  guint n_candidates; /* by trickle, since the last restart of ICE */

  /* control thread only */
  gboolean warned_of_drops;

  /* µs of the monotonic clock; read and written by any thread */
  gint64 last_packet;
  /* read and written atomically by any thread */
  gint receiving;
  RtcDepayChainCounters video_counters;
  RtcDepayChainCounters audio_counters;
  guint64 ignored; /* packets that are not recorded */

  GMutex lock;
  /* Written on the control thread with the lock; other threads read them with the
   * lock. */
  RtcReception *reception;
  RtcSdpChoice choice;
  /* protected by lock */
  gboolean closed;
  GstPad *video_pad; /* receives key frame requests for the peer */
  gint64 last_keyframe_request;
  gboolean keyframe_wanted;
  guint64 keyframe_requests;
};

/* Connects to the signals of webrtcbin for pads and packets. */
void rtc_session_watch (RtcSession *session);

/* @pad receives the video from now on: all key frame requests pass it. */
void rtc_session_take_video_pad (RtcSession *session, GstPad *pad);
/* Returns the end of the recording of earlier sessions, a running time. */
GstClockTime rtc_session_get_floor (RtcSession *session);

/* --- rtcsession-port.c: sessions with config.udp_port --- */

/* Answers with an RtcReceiver. Returns FALSE with @error. */
gboolean rtc_session_port_answer (
    RtcSession *session, const GstSDPMessage *pruned, GError **error);
/* Returns the answer with candidates. Caller frees. */
gchar *rtc_session_port_describe (RtcSession *session);
/* Returns our ICE fragment. Caller frees. */
gchar *rtc_session_port_restart_ice (RtcSession *session);
void rtc_session_port_close (RtcSession *session);
void rtc_session_port_tick (RtcSession *session);
/* See rtc_session_get_sender_time(). */
gboolean rtc_session_port_get_sender_time (RtcSession *session, gint64 *utc);
/* Leaves the values alone if there is no receiver. */
void rtc_session_port_get_socket (
    RtcSession *session, guint64 *drops, guint *granted);
/* Adds the fields of rtc_reception_add_stats(), if there is a receiver. */
void rtc_session_port_add_stats (RtcSession *session, GstStructure *stats);

G_END_DECLS
