/* gst-tsrec: what the files of RecSession share
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

  GstElement *webrtc;
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

/* Connects to the signals of webrtcbin. */
void rec_session_watch (RecSession *session);
/* To those of the transports, once there are some. */
void rec_session_watch_dtls (RecSession *session);

G_END_DECLS
