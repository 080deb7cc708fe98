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

G_END_DECLS
