/* gst-tsrec: what the files of GstRecWebrtcSrc share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "gstrecwebrtcsrc.h"
#include "rtcdepaychain.h"
#include "rtctrack.h"
#include "recworker.h"

G_BEGIN_DECLS

typedef enum
{
  GST_REC_WEBRTC_SRC_ON_LOSS_FREEZE,
  GST_REC_WEBRTC_SRC_ON_LOSS_KEEP,
} GstRecWebrtcSrcOnLoss;

typedef enum
{
  GST_REC_WEBRTC_SRC_ON_DISCONNECT_WAIT,
  GST_REC_WEBRTC_SRC_ON_DISCONNECT_EOS,
} GstRecWebrtcSrcOnDisconnect;

typedef struct
{
  /* under the object lock */
  guint latency;
  gchar *stun_server;
  gchar *turn_server;
  gchar *port_range;
  gchar *public_address;
  gchar *video_codecs;
  gchar *audio_codecs;
  guint max_bitrate;
  GstRecWebrtcSrcOnLoss on_loss;
  GstClockTime keyframe_interval_min;
  GstClockTime peer_timeout;
  gboolean retransmit_video;
  gboolean retransmit_audio;
  GstRecWebrtcSrcOnDisconnect on_disconnect;

  RtcTrack *video;
  RtcTrack *audio;

  /* The control thread runs sessions; the other tells the tracks what time it
   * is, which may block downstream. */
  RecWorker *control;
  RecWorker *pusher;
  GSource *push_timer;
  /* thread of the pusher; running times */
  guint64 heard_units;
  GstClockTime heard_at;
  GstClockTime last_push_tick;

  /* control thread; session is changed under session_lock, for readers
   * elsewhere */
  GMutex session_lock;
  RtcSession *session;
  gboolean accepting;
  gboolean announced;
  gchar *remote;
  gchar *refused; /* what the last warning said of refused tracks, or NULL */
  GSource *tick;
  GSource *drain;
  gchar *drain_reason;
  gboolean journal_clock;
  guint64 ended_drops; /* at the sockets of sessions that have ended */
  guint64 drops;       /* of all sessions, as the tracks know */

  /* atomic */
  gint sessions;
} GstRecWebrtcSrcPrivate;

GstRecWebrtcSrcPrivate *gst_rec_webrtc_src_priv (GstRecWebrtcSrc *src);

/* Defaults of the properties. */
void gst_rec_webrtc_src_init_props (GstRecWebrtcSrc *src);
void gst_rec_webrtc_src_free_props (GstRecWebrtcSrc *src);
void gst_rec_webrtc_src_install_props (GObjectClass *klass);

/* gstrecwebrtcsrc-sessions.c; on the control thread */

/* Timer: watches the session; @data is the element. */
gboolean gst_rec_webrtc_src_on_tick (gpointer data);
/* Tells the tracks who is connected: @choice of the session, NULL without
 * one. */
void gst_rec_webrtc_src_set_source (
    GstRecWebrtcSrc *src, const RtcSdpChoice *choice);
/* EOS leaves by both pads. Any thread. */
void gst_rec_webrtc_src_finish_tracks (GstRecWebrtcSrc *src);

/* The session for a thread that is not the control thread; caller unrefs. */
RtcSession *gst_rec_webrtc_src_peek_session (GstRecWebrtcSrc *src);

G_END_DECLS
