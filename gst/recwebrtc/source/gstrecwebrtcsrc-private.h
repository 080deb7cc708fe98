/* gst-tsrec: private to the files of GstRecWebrtcSrc
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "gstrecwebrtcsrc.h"
#include "rtcdepaychain.h"
#include "gstrtctrack.h"
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
  gchar *simulcast_layer;
  guint max_bitrate;
  GstRecWebrtcSrcOnLoss on_loss;
  GstClockTime keyframe_interval_min;
  GstClockTime peer_timeout;
  gboolean retransmit_video;
  gboolean retransmit_audio;
  GstRecWebrtcSrcOnDisconnect on_disconnect;

  GstRtcTrack *video;
  GstRtcTrack *audio;

  /* control thread; set by the subclass from NULL to READY. NULL: webrtcbin
   * receives */
  struct _RtcUdpPort *udp_port;

  /* The control thread runs sessions. The pusher calls gst_rtc_track_tick(),
   * which may block downstream. */
  RecWorker *control;
  RecWorker *pusher;
  /* thread of the pusher; running times */
  gboolean pushing;
  GSource *push_timer; /* NULL while there is nothing to do */
  guint64 heard_units;
  GstClockTime heard_at;
  GstClockTime last_push_tick;

  /* control thread; @session is changed under @session_lock, for readers on
   * other threads */
  GMutex session_lock;
  RtcSession *session;
  gboolean accepting;
  gboolean announced;
  gchar *remote;
  gchar *refused; /* text of the last warning about refused tracks */
  GSource *tick;  /* while there is a session */
  GSource *drain;
  gchar *drain_reason;
  gboolean journal_clock;
  guint64 ended_drops; /* at the sockets of earlier sessions */
  guint64 drops;       /* of all sessions, as passed to the tracks */

  /* atomic */
  gint sessions;
} GstRecWebrtcSrcPrivate;

GstRecWebrtcSrcPrivate *gst_rec_webrtc_src_priv (GstRecWebrtcSrc *src);

/* While there is a session, it is watched, and silence is looked for. */
#define GST_REC_WEBRTC_SRC_TICK_MS 100

/* Sets the defaults of the properties. */
void gst_rec_webrtc_src_init_props (GstRecWebrtcSrc *src);
void gst_rec_webrtc_src_free_props (GstRecWebrtcSrc *src);
void gst_rec_webrtc_src_install_props (GObjectClass *klass);

/* Lets the tracks push what is due, after a condition that they wait for has
 * changed. Any thread. */
void gst_rec_webrtc_src_wake_tracks (GstRecWebrtcSrc *src);

/* gstrecwebrtcsrc-sessions.c; on the control thread */

/* Timer function: watches the session; @data is the element. */
gboolean gst_rec_webrtc_src_on_tick (gpointer data);
/* Sets the peer of the tracks. @choice: tracks of the session, NULL if there is
 * no session. */
void gst_rec_webrtc_src_set_source (
    GstRecWebrtcSrc *src, const RtcSdpChoice *choice);
/* Sends EOS on both pads. Any thread. */
void gst_rec_webrtc_src_finish_tracks (GstRecWebrtcSrc *src);

/* Returns the session, for other threads than the control thread. Caller
 * unrefs. */
RtcSession *gst_rec_webrtc_src_peek_session (GstRecWebrtcSrc *src);

G_END_DECLS
