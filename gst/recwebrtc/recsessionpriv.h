/* gst-tsrec: what the files of RecSession share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recchain.h"
#include "recpeer.h"
#include "recreception.h"
#include "recretransmit.h"
#include "recsession.h"
#include "recsockets.h"
#include "recstreams.h"

G_BEGIN_DECLS

struct _RtcReceiver;

struct _RecSession
{
  gatomicrefcount refcount;
  gchar *id;
  gchar *etag;
  GstBin *bin;
  GMainContext *context;
  RecSessionConfig config;
  RecSessionCallbacks callbacks;
  gpointer user_data;

  /* one of the two; the receiver is set and cleared under lock */
  GstElement *webrtc;
  struct _RtcReceiver *receiver;
  RecChain *video;
  RecChain *audio;
  GstPad *video_out;
  GstPad *audio_out;
  RecRetransmit *retransmit;
  RecStreams *streams;
  RecSockets *sockets; /* for the life of the session */
  GPtrArray *dtls;
  RecPeer *peer;
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
  RecChainCounters video_counters;
  RecChainCounters audio_counters;
  guint64 ignored; /* packets without use */

  GMutex lock;
  /* Set on the control thread under lock; read there, elsewhere under lock. */
  RecReception *reception;
  SdpChoice choice;
  /* under lock */
  gboolean closed;
  GstPad *video_pad; /* takes events for the sender */
  gint64 last_keyframe_request;
  gboolean keyframe_wanted;
  guint64 keyframe_requests;
};

/* Runs @function on the control thread, unless the session is closed by then.
 * Any thread. */
void rec_session_call (RecSession *session,
    void (*function) (RecSession *session, const gchar *text),
    const gchar *text);
gboolean rec_session_is_closed (RecSession *session);
/* GDestroyNotify */
void rec_session_unref_data (gpointer data);

/* Ends the session, with @reason; control thread. */
void rec_session_end (RecSession *session, const gchar *reason);
/* The same, as the certificate of the peer was not verified. */
void rec_session_refuse (RecSession *session, const gchar *unused);
/* @pad brings video, from now on: key frame requests of all kinds pass it. */
void rec_session_take_video_pad (RecSession *session, GstPad *pad);
/* Where the recording of the sessions before this one ends. */
GstClockTime rec_session_get_floor (RecSession *session);

/* --- recsessionport.c: sessions with config.udp_port --- */

gboolean rec_session_port_answer (
    RecSession *session, const GstSDPMessage *pruned, GError **error);
/* Returns our fragment, as rec_session_restart_ice(). */
gchar *rec_session_port_restart_ice (RecSession *session);
void rec_session_port_close (RecSession *session);
void rec_session_port_tick (RecSession *session);
gboolean rec_session_port_get_sender_time (RecSession *session, gint64 *utc);
/* Leaves the values alone when the session is closed. */
void rec_session_port_get_socket (
    RecSession *session, guint64 *drops, guint *granted);
void rec_session_port_add_stats (RecSession *session, GstStructure *stats);

/* Connects to the signals of webrtcbin. */
void rec_session_watch (RecSession *session);
/* To those of the transports, once there are some. */
void rec_session_watch_dtls (RecSession *session);

G_END_DECLS
