/* gst-tsrec: what the files of RtcSession share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "rtcdepaychain.h"
#include "rtcdtlsverifier.h"
#include "rtcreception.h"
#include "rtcnack.h"
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

  /* one of the two; the receiver is set and cleared under lock */
  GstElement *webrtc;
  struct _RtcReceiver *receiver;
  RtcDepayChain *video;
  RtcDepayChain *audio;
  GstPad *video_out;
  GstPad *audio_out;
  RtcNack *retransmit;
  RtcStreams *streams;
  RtcSockets *sockets; /* for the life of the session */
  GPtrArray *dtls;
  RtcDtlsVerifier *peer;
  GstSDPMessage *offer;
  GPtrArray *refusals;
  gchar *remote_ufrag;
  guint n_candidates; /* that came by trickle, since the last restart of ICE */
  GSource *gather_timeout;

  /* control thread only */
  gboolean described;
  gboolean connected;
  gboolean ended;
  gboolean refused;
  gboolean warned_of_drops;

  /* µs of the monotonic clock; read and written by any thread */
  gint64 last_packet;
  /* read and written atomically by any thread */
  gint receiving;
  RtcDepayChainCounters video_counters;
  RtcDepayChainCounters audio_counters;
  guint64 ignored; /* packets without use */

  GMutex lock;
  /* Set on the control thread under lock; read there, elsewhere under lock. */
  RtcReception *reception;
  RtcSdpChoice choice;
  /* under lock */
  gboolean closed;
  GstPad *video_pad; /* takes events for the sender */
  gint64 last_keyframe_request;
  gboolean keyframe_wanted;
  guint64 keyframe_requests;
};

/* Runs @function on the control thread, unless the session is closed by then.
 * Any thread. */
void rtc_session_call (RtcSession *session,
    void (*function) (RtcSession *session, const gchar *text),
    const gchar *text);
gboolean rtc_session_is_closed (RtcSession *session);
/* GDestroyNotify */
void rtc_session_unref_data (gpointer data);

/* Ends the session, with @reason; control thread. */
void rtc_session_end (RtcSession *session, const gchar *reason);
/* The same, as the certificate of the peer was not verified. */
void rtc_session_refuse (RtcSession *session, const gchar *unused);
/* @pad brings video, from now on: key frame requests of all kinds pass it. */
void rtc_session_take_video_pad (RtcSession *session, GstPad *pad);
/* Where the recording of the sessions before this one ends. */
GstClockTime rtc_session_get_floor (RtcSession *session);

/* --- rtcsession-port.c: sessions with config.udp_port --- */

gboolean rtc_session_port_answer (
    RtcSession *session, const GstSDPMessage *pruned, GError **error);
/* Returns our fragment, as rtc_session_restart_ice(). */
gchar *rtc_session_port_restart_ice (RtcSession *session);
void rtc_session_port_close (RtcSession *session);
void rtc_session_port_tick (RtcSession *session);
gboolean rtc_session_port_get_sender_time (RtcSession *session, gint64 *utc);
/* Leaves the values alone when the session is closed. */
void rtc_session_port_get_socket (
    RtcSession *session, guint64 *drops, guint *granted);
void rtc_session_port_add_stats (RtcSession *session, GstStructure *stats);

/* Connects to the signals of webrtcbin. */
void rtc_session_watch (RtcSession *session);
/* To those of the transports, once there are some. */
void rtc_session_watch_dtls (RtcSession *session);

G_END_DECLS
