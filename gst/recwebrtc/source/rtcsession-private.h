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

  GstElement *webrtc;
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

/* Connects to the signals of webrtcbin. */
void rtc_session_watch (RtcSession *session);
/* To those of the transports, once there are some. */
void rtc_session_watch_dtls (RtcSession *session);

G_END_DECLS
