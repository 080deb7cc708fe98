/* gst-tsrec: the sessions of recwhipsrc and recwhepsrc
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sessions follow one another on the control thread. This file also posts their
 * messages and journal entries.
 */

#include "config.h"

#include "gstrecwebrtcsrc-private.h"
#include "rtclayers.h"
#include "recevent.h"
#include "recmessage.h"
#include "recquery.h"

#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (gst_rec_webrtc_src_debug);
#define GST_CAT_DEFAULT gst_rec_webrtc_src_debug

/* After the peer has ended the session, the jitter buffers release their
 * packets within the latency plus this margin. */
#define DRAIN_MARGIN_MS 100

#define PRIV(self) gst_rec_webrtc_src_priv (self)
#define CATEGORY(self) (GST_REC_WEBRTC_SRC_GET_CLASS (self)->category)

/* --- messages and journal --- */

static void
post_session_message (GstRecWebrtcSrc *self, const gchar *name,
    RtcSession *session, const gchar *reason)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  const RtcSdpChoice *choice = rtc_session_get_choice (session);
  const RtcSdpCodec *video = choice->video.codec, *audio = choice->audio.codec;
  RecSession report = {
    .id = rtc_session_get_id (session),
    .remote = priv->remote,
    .video_codec = video ? video->name : NULL,
    .audio_codec = audio ? audio->name : NULL,
    .reason = reason,
  };
  GstStructure *s = rec_structure_new_session (name, &report);
  GstStructure *entry = gst_structure_copy (s);

  gst_element_post_message (
      GST_ELEMENT (self), gst_message_new_element (GST_OBJECT (self), s));
  /* One journal entry, sent by a track that is in the session. */
  gst_rtc_track_queue_event (
      video ? priv->video : priv->audio, rec_event_new_journal (entry));
}

/* Posts a warning about refused tracks, once per session, and not again if a
 * reconnection has the same result. A track that is in the session sends the
 * journal entries. */
static void
post_refusals (GstRecWebrtcSrc *self, RtcSession *session)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  const RtcSdpChoice *choice = rtc_session_get_choice (session);
  gchar *text = gst_rec_webrtc_src_dup_refusals (self);
  GPtrArray *refusals = rtc_session_get_refusals (session);
  guint i;

  if (text && g_strcmp0 (text, priv->refused) != 0)
    GST_ELEMENT_WARNING (self, STREAM, CODEC_NOT_FOUND, ("%s", text), (NULL));
  for (i = 0; refusals && i < refusals->len; i++) {
    const RtcSdpRefusal *refusal = g_ptr_array_index (refusals, i);

    gst_rtc_track_queue_event (choice->video.codec ? priv->video : priv->audio,
        rec_event_new_journal (gst_structure_new ("track-refused", "session-id",
            G_TYPE_STRING, rtc_session_get_id (session), "track", G_TYPE_STRING,
            refusal->media, "offered", G_TYPE_STRING, refusal->offered,
            "accepted", G_TYPE_STRING, refusal->accepted, NULL)));
  }
  g_free (priv->refused);
  priv->refused = text;
}

/* Journals the sender's wall clock, once per session: the difference between
 * the times of the recording and those of the sender. */
static gboolean
journal_sender_clock (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  const RtcSdpChoice *choice;
  gint64 sender;

  if (!rtc_session_get_sender_time (priv->session, &sender))
    return FALSE;
  choice = rtc_session_get_choice (priv->session);
  gst_rtc_track_queue_event (choice->video.codec ? priv->video : priv->audio,
      rec_event_new_journal (gst_structure_new ("sender-clock", "session-id",
          G_TYPE_STRING, rtc_session_get_id (priv->session), "sender-utc-time",
          G_TYPE_INT64, sender, "utc-time", G_TYPE_INT64, g_get_real_time (),
          "running-time", G_TYPE_UINT64,
          gst_element_get_current_running_time (GST_ELEMENT (self)), NULL)));
  return TRUE;
}

static void
count_drops (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  guint64 drops =
      priv->ended_drops + rtc_session_get_socket_drops (priv->session);

  if (drops == priv->drops)
    return;
  priv->drops = drops;
  gst_rec_webrtc_src_set_source (
      self, priv->announced ? rtc_session_get_choice (priv->session) : NULL);
}

gboolean
gst_rec_webrtc_src_on_tick (gpointer data)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (data);

  if (priv->session)
    rtc_session_tick (priv->session);
  if (priv->session)
    count_drops (data);
  if (priv->session && priv->announced && !priv->journal_clock)
    priv->journal_clock = journal_sender_clock (data);
  return G_SOURCE_CONTINUE;
}

/* --- sessions --- */

static void
take_session (GstRecWebrtcSrc *self, RtcSession *session)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);

  g_mutex_lock (&priv->session_lock);
  priv->session = session;
  g_mutex_unlock (&priv->session_lock);
  rec_worker_clear_timeout (&priv->tick);
  if (session)
    priv->tick = rec_worker_add_tick (priv->control, GST_REC_WEBRTC_SRC_TICK_MS,
        gst_rec_webrtc_src_on_tick, self, NULL);
  gst_rec_webrtc_src_wake_tracks (self);
}

RtcSession *
gst_rec_webrtc_src_peek_session (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  RtcSession *session;

  g_mutex_lock (&priv->session_lock);
  session = priv->session ? rtc_session_ref (priv->session) : NULL;
  g_mutex_unlock (&priv->session_lock);
  return session;
}

static void
set_track_source (GstRecWebrtcSrc *self, GstRtcTrack *track, gboolean connected,
    gboolean sent)
{
  RecSource source = { .connected = connected,
    .packets_dropped = PRIV (self)->drops };

  source.waiting =
      connected ? !sent : GST_REC_WEBRTC_SRC_GET_CLASS (self)->waits_for_peer;
  gst_rtc_track_set_source (track, &source);
}

void
gst_rec_webrtc_src_set_source (
    GstRecWebrtcSrc *self, const RtcSdpChoice *choice)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);

  set_track_source (self, priv->video, choice != NULL,
      choice != NULL && choice->video.codec != NULL);
  set_track_source (self, priv->audio, choice != NULL,
      choice != NULL && choice->audio.codec != NULL);
}

void
gst_rec_webrtc_src_finish_tracks (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);

  gst_rtc_track_finish (priv->video);
  gst_rtc_track_finish (priv->audio);
  gst_rec_webrtc_src_wake_tracks (self);
}

void
gst_rec_webrtc_src_end_session (GstRecWebrtcSrc *self, const gchar *reason)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  GstRecWebrtcSrcClass *klass = GST_REC_WEBRTC_SRC_GET_CLASS (self);
  RtcSession *session = priv->session;
  gboolean was_announced = priv->announced;
  GstRecWebrtcSrcOnDisconnect on_disconnect;

  rec_worker_clear_timeout (&priv->drain);
  if (!session)
    return;
  take_session (self, NULL);
  GST_CAT_INFO_OBJECT (CATEGORY (self), self, "session %s ended: %s",
      rtc_session_get_id (session), reason);
  priv->announced = FALSE;
  priv->ended_drops += rtc_session_get_socket_drops (session);
  gst_rec_webrtc_src_set_source (self, NULL);
  if (rtc_session_is_refused (session))
    GST_ELEMENT_WARNING (self, RESOURCE, NOT_AUTHORIZED,
        ("Nothing of %s was recorded: %s.",
            PRIV (self)->remote ? PRIV (self)->remote : "a peer", reason),
        (NULL));
  if (was_announced || rtc_session_is_refused (session))
    post_session_message (self, "recwhip-disconnected", session, reason);
  rtc_session_close (session);
  GST_OBJECT_LOCK (self);
  on_disconnect = priv->on_disconnect;
  GST_OBJECT_UNLOCK (self);
  if (was_announced && on_disconnect == GST_REC_WEBRTC_SRC_ON_DISCONNECT_EOS)
    gst_rec_webrtc_src_finish_tracks (self);
  if (klass->ended)
    klass->ended (self, reason, was_announced);
  gst_rec_webrtc_src_wake_tracks (self);
}

/* Returns TRUE if the pipeline leaves PLAYING, or has left it. A sink then
 * blocks the streaming thread. Stopping webrtcbin waits for that thread with
 * the state lock of webrtcbin held, and the state change of the pipeline waits
 * for that lock: a deadlock. The session ends when the pipeline plays again, or
 * stops. */
static gboolean
is_pausing (GstRecWebrtcSrc *self)
{
  GstObject *object = gst_object_ref (GST_OBJECT (self));
  gboolean pausing = FALSE;

  while (object) {
    GstObject *parent = gst_object_get_parent (object);

    pausing |= GST_STATE_TARGET (object) < GST_STATE_PLAYING;
    gst_object_unref (object);
    object = parent;
  }
  return pausing;
}

static gboolean
on_drained (gpointer data)
{
  GstRecWebrtcSrc *self = data;
  gchar *reason = g_steal_pointer (&PRIV (self)->drain_reason);

  gst_rec_webrtc_src_end_session (self, reason);
  g_free (reason);
  return G_SOURCE_REMOVE;
}

static gboolean
on_drain_timeout (gpointer data)
{
  return is_pausing (data) ? G_SOURCE_CONTINUE : on_drained (data);
}

void
gst_rec_webrtc_src_drain_session (GstRecWebrtcSrc *self, const gchar *reason)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  guint latency;

  if (!priv->session || priv->drain)
    return;
  if (!priv->announced) {
    gst_rec_webrtc_src_end_session (self, reason);
    return;
  }
  GST_OBJECT_LOCK (self);
  latency = priv->latency;
  GST_OBJECT_UNLOCK (self);
  g_free (priv->drain_reason);
  priv->drain_reason = g_strdup (reason);
  priv->drain = rec_worker_add_timeout (
      priv->control, latency + DRAIN_MARGIN_MS, on_drain_timeout, self, NULL);
}

static void
session_described (RtcSession *session, const gchar *sdp, const GError *error,
    gpointer user_data)
{
  GstRecWebrtcSrc *self = user_data;
  GstSDPMessage *local = sdp ? rtc_sdp_parse (sdp, strlen (sdp), NULL) : NULL;

  if (local)
    GST_CAT_INFO_OBJECT (CATEGORY (self), self,
        "session %s: described with %u candidates",
        rtc_session_get_id (session), rtc_sdp_count_candidates (local));
  g_clear_pointer (&local, gst_sdp_message_free);
  GST_REC_WEBRTC_SRC_GET_CLASS (self)->described (self, session, sdp, error);
}

/* Sent before the first buffers: recfilesink may begin a new file there. */
static void
session_receiving (RtcSession *session, gpointer user_data)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (user_data);
  const gchar *id = rtc_session_get_id (session);

  gst_rtc_track_queue_event (priv->video, rec_event_new_session (id));
  gst_rtc_track_queue_event (priv->audio, rec_event_new_session (id));
}

static void
log_codecs (GstRecWebrtcSrc *self, RtcSession *session)
{
  const RtcSdpChoice *choice = rtc_session_get_choice (session);

  GST_CAT_INFO_OBJECT (CATEGORY (self), self,
      "session %s: negotiated video %s, audio %s", rtc_session_get_id (session),
      choice->video.codec ? choice->video.codec->name : "none",
      choice->audio.codec ? choice->audio.codec->name : "none");
}

static void
session_connected (RtcSession *session, gpointer user_data)
{
  GstRecWebrtcSrc *self = user_data;

  PRIV (self)->announced = TRUE;
  log_codecs (self, session);
  PRIV (self)->journal_clock = FALSE;
  g_atomic_int_inc (&PRIV (self)->sessions);
  gst_rec_webrtc_src_set_source (self, rtc_session_get_choice (session));
  post_session_message (self, "recwhip-connected", session, "connected");
}

static void
session_ended (RtcSession *session, const gchar *reason, gpointer user_data)
{
  gst_rec_webrtc_src_drain_session (user_data, reason);
}

static void
get_config (GstRecWebrtcSrc *self, RtcSessionConfig *config)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);

  config->category = CATEGORY (self);
  config->udp_port = priv->udp_port;
  GST_OBJECT_LOCK (self);
  config->latency = priv->latency;
  config->stun_server = g_strdup (priv->stun_server);
  config->turn_server = g_strdup (priv->turn_server);
  config->port_range = g_strdup (priv->port_range);
  config->public_address = g_strdup (priv->public_address);
  config->simulcast_layer = g_strdup (priv->simulcast_layer);
  config->retransmit_video = priv->retransmit_video;
  config->retransmit_audio = priv->retransmit_audio;
  config->freeze = priv->on_loss == GST_REC_WEBRTC_SRC_ON_LOSS_FREEZE;
  config->keyframe_interval_min = priv->keyframe_interval_min;
  config->max_bitrate = priv->max_bitrate;
  config->peer_timeout = priv->peer_timeout;
  GST_OBJECT_UNLOCK (self);
}

static RtcSession *
new_session (GstRecWebrtcSrc *self, const gchar *remote)
{
  static const RtcSessionCallbacks callbacks = { session_described,
    session_receiving, session_connected, session_ended };
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  GstPad *video =
      gst_element_get_static_pad (GST_ELEMENT (priv->video), "sink");
  GstPad *audio =
      gst_element_get_static_pad (GST_ELEMENT (priv->audio), "sink");
  RtcSessionConfig config;
  RtcSession *session;

  get_config (self, &config);
  session = rtc_session_new (GST_BIN (self), video, audio,
      rec_worker_get_context (priv->control), &config, &callbacks, self);
  g_free ((gchar *)config.stun_server);
  g_free ((gchar *)config.turn_server);
  g_free ((gchar *)config.port_range);
  g_free ((gchar *)config.public_address);
  g_free ((gchar *)config.simulcast_layer);
  gst_object_unref (video);
  gst_object_unref (audio);
  g_free (priv->remote);
  priv->remote = g_strdup (remote);
  take_session (self, session);
  GST_CAT_INFO_OBJECT (CATEGORY (self), self, "session %s with %s begins",
      rtc_session_get_id (session), GST_STR_NULL (remote));
  return session;
}

/* Returns the listed codecs that this system supports; free it with g_free().
 * *@missing: missing elements of the other codecs; free it with
 * g_string_free(). */
static void
get_codecs (GstRecWebrtcSrc *self, const RtcSdpCodec ***video,
    const RtcSdpCodec ***audio, GString **missing)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);

  *missing = g_string_new (NULL);
  GST_OBJECT_LOCK (self);
  *video = rtc_sdp_parse_codecs ("video", priv->video_codecs, NULL);
  *audio = rtc_sdp_parse_codecs ("audio", priv->audio_codecs, NULL);
  GST_OBJECT_UNLOCK (self);
  rtc_depay_chain_keep_available (*video, *missing);
  rtc_depay_chain_keep_available (*audio, *missing);
}

static void
drop_session (GstRecWebrtcSrc *self)
{
  RtcSession *session = PRIV (self)->session;

  take_session (self, NULL);
  rtc_session_close (session);
}

/* Adds to @error why a listed codec is refused. */
static void
name_missing (GError *error, const gchar *missing)
{
  gchar *message =
      g_strdup_printf ("%s Codecs without their elements on this host: %s.",
          error->message, missing);

  g_free (error->message);
  error->message = message;
}

/* A layer that cannot be recorded, as the publisher does not have it. */
static void
warn_of_layer (
    GstRecWebrtcSrc *self, const GstSDPMessage *offer, RtcSession *session)
{
  const RtcSdpTrack *video = &rtc_session_get_choice (session)->video;
  gchar *wanted, *offered;

  if (!video->codec)
    return;
  GST_OBJECT_LOCK (self);
  wanted = g_strdup (PRIV (self)->simulcast_layer);
  GST_OBJECT_UNLOCK (self);
  offered = rtc_layers_find_unavailable (
      gst_sdp_message_get_media (offer, video->media), video->payload, wanted);
  if (offered)
    GST_ELEMENT_WARNING (self, STREAM, FAILED,
        ("The publisher has no layer \"%s\", which simulcast-layer names: it "
         "offers %s. The largest one is recorded.",
            wanted, offered),
        ("session %s", rtc_session_get_id (session)));
  g_free (offered);
  g_free (wanted);
}

gboolean
gst_rec_webrtc_src_answer (GstRecWebrtcSrc *self, const GstSDPMessage *offer,
    const gchar *remote, GError **error)
{
  const RtcSdpCodec **video, **audio;
  GPtrArray *refusals = NULL;
  GString *missing;
  RtcSdpChoice choice;
  gboolean ok;

  get_codecs (self, &video, &audio, &missing);
  ok = rtc_sdp_choose (offer, (const RtcSdpCodec *const *)video,
      (const RtcSdpCodec *const *)audio, &choice, error);
  if (!ok && error && missing->len)
    name_missing (*error, missing->str);
  if (ok)
    refusals = rtc_sdp_find_refused (offer, &choice,
        (const RtcSdpCodec *const *)video, (const RtcSdpCodec *const *)audio);
  g_string_free (missing, TRUE);
  g_free (video);
  g_free (audio);
  if (!ok)
    return FALSE;
  if (PRIV (self)->drain)
    on_drained (self);
  ok = rtc_session_answer (
      new_session (self, remote), offer, &choice, refusals, error);
  if (!ok) {
    drop_session (self);
    return FALSE;
  }
  post_refusals (self, PRIV (self)->session);
  warn_of_layer (self, offer, PRIV (self)->session);
  return TRUE;
}

gboolean
gst_rec_webrtc_src_offer (
    GstRecWebrtcSrc *self, const gchar *remote, GError **error)
{
  const RtcSdpCodec **video, **audio;
  GString *missing;
  gboolean ok;

  if (PRIV (self)->drain)
    on_drained (self);
  get_codecs (self, &video, &audio, &missing);
  g_string_free (missing, TRUE);
  ok = rtc_session_offer (new_session (self, remote),
      (const RtcSdpCodec *const *)video, (const RtcSdpCodec *const *)audio,
      error);
  g_free (video);
  g_free (audio);
  if (!ok)
    drop_session (self);
  return ok;
}

gboolean
gst_rec_webrtc_src_accept (
    GstRecWebrtcSrc *self, const GstSDPMessage *answer, GError **error)
{
  RtcSession *session = gst_rec_webrtc_src_get_session (self);

  if (!rtc_session_accept (session, answer, error))
    return FALSE;
  post_refusals (self, session);
  return TRUE;
}

gchar *
gst_rec_webrtc_src_dup_refusals (GstRecWebrtcSrc *self)
{
  RtcSession *session = PRIV (self)->session;
  GPtrArray *refusals = session ? rtc_session_get_refusals (session) : NULL;
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; refusals && i < refusals->len; i++) {
    const RtcSdpRefusal *refusal = g_ptr_array_index (refusals, i);

    g_string_append_printf (text, "%s%s", i > 0 ? " " : "", refusal->text);
  }
  return g_string_free (text, text->len == 0);
}

RtcSession *
gst_rec_webrtc_src_get_session (GstRecWebrtcSrc *self)
{
  return PRIV (self)->drain ? NULL : PRIV (self)->session;
}

gboolean
gst_rec_webrtc_src_is_accepting (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  GstRecWebrtcSrcOnDisconnect on_disconnect;

  GST_OBJECT_LOCK (self);
  on_disconnect = priv->on_disconnect;
  GST_OBJECT_UNLOCK (self);
  /* The session that is being drained is the last one to be recorded. */
  if (priv->drain && on_disconnect == GST_REC_WEBRTC_SRC_ON_DISCONNECT_EOS)
    return FALSE;
  return priv->accepting && !gst_rtc_track_is_finished (priv->video);
}
