/* gst-tsrec: the sessions of recwhipsrc and recwhepsrc
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One after the other, on the control thread, and what others are told of them.
 */

#include "config.h"

#include "gstrecwebrtcsrcpriv.h"
#include "recquery.h"

#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (rec_webrtc_src_debug);
#define GST_CAT_DEFAULT rec_webrtc_src_debug

/* What the jitter buffers still hold when the peer has said good-bye leaves
 * them within the latency, and a little. */
#define DRAIN_MARGIN_MS 100

#define PRIV(self) gst_rec_webrtc_src_priv (self)
#define CATEGORY(self) (GST_REC_WEBRTC_SRC_GET_CLASS (self)->category)

/* --- what others are told --- */

static void
post_session_message (GstRecWebrtcSrc *self, const gchar *name,
    RecSession *session, const gchar *reason)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  const SdpChoice *choice = rec_session_get_choice (session);
  GstStructure *s = gst_structure_new (name, "session-id", G_TYPE_STRING,
      rec_session_get_id (session), "remote", G_TYPE_STRING,
      priv->remote ? priv->remote : "", "video-codec", G_TYPE_STRING,
      choice->video.codec ? choice->video.codec->name : "", "audio-codec",
      G_TYPE_STRING, choice->audio.codec ? choice->audio.codec->name : "",
      "reason", G_TYPE_STRING, reason, NULL);
  GstStructure *entry = gst_structure_copy (s);

  gst_element_post_message (
      GST_ELEMENT (self), gst_message_new_element (GST_OBJECT (self), s));
  /* One line of the journal, by the track that is there. */
  rec_track_queue_event (choice->video.codec ? priv->video : priv->audio,
      rec_event_new_journal (entry));
}

/* Once a session, and not again while reconnecting yields the same. The track
 * that is there carries it to the journal. */
static void
post_refusals (GstRecWebrtcSrc *self, RecSession *session)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  const SdpChoice *choice = rec_session_get_choice (session);
  gchar *text = gst_rec_webrtc_src_dup_refusals (self);
  GPtrArray *refusals = rec_session_get_refusals (session);
  guint i;

  if (text && g_strcmp0 (text, priv->refused) != 0)
    GST_ELEMENT_WARNING (self, STREAM, CODEC_NOT_FOUND, ("%s", text), (NULL));
  for (i = 0; refusals && i < refusals->len; i++) {
    const SdpRefusal *refusal = g_ptr_array_index (refusals, i);

    rec_track_queue_event (choice->video.codec ? priv->video : priv->audio,
        rec_event_new_journal (gst_structure_new ("track-refused", "session-id",
            G_TYPE_STRING, rec_session_get_id (session), "track", G_TYPE_STRING,
            refusal->media, "offered", G_TYPE_STRING, refusal->offered,
            "accepted", G_TYPE_STRING, refusal->accepted, NULL)));
  }
  g_free (priv->refused);
  priv->refused = text;
}

/* The sender's wall clock, once a session: what to add to the times of the
 * recording to get those of the sender. */
static gboolean
journal_sender_clock (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  const SdpChoice *choice;
  gint64 sender;

  if (!rec_session_get_sender_time (priv->session, &sender))
    return FALSE;
  choice = rec_session_get_choice (priv->session);
  rec_track_queue_event (choice->video.codec ? priv->video : priv->audio,
      rec_event_new_journal (gst_structure_new ("sender-clock", "session-id",
          G_TYPE_STRING, rec_session_get_id (priv->session), "sender-utc-time",
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
      priv->ended_drops + rec_session_get_socket_drops (priv->session);

  if (drops == priv->drops)
    return;
  priv->drops = drops;
  gst_rec_webrtc_src_set_source (
      self, priv->announced ? rec_session_get_choice (priv->session) : NULL);
}

gboolean
gst_rec_webrtc_src_on_tick (gpointer data)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (data);

  if (priv->session)
    rec_session_tick (priv->session);
  if (priv->session)
    count_drops (data);
  if (priv->session && priv->announced && !priv->journal_clock)
    priv->journal_clock = journal_sender_clock (data);
  return G_SOURCE_CONTINUE;
}

/* --- sessions --- */

static void
take_session (GstRecWebrtcSrc *self, RecSession *session)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);

  g_mutex_lock (&priv->session_lock);
  priv->session = session;
  g_mutex_unlock (&priv->session_lock);
}

RecSession *
gst_rec_webrtc_src_peek_session (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  RecSession *session;

  g_mutex_lock (&priv->session_lock);
  session = priv->session ? rec_session_ref (priv->session) : NULL;
  g_mutex_unlock (&priv->session_lock);
  return session;
}

static void
set_track_source (
    GstRecWebrtcSrc *self, RecTrack *track, gboolean connected, gboolean sent)
{
  RecSource source = { .connected = connected,
    .packets_dropped = PRIV (self)->drops };

  source.waiting =
      connected ? !sent : GST_REC_WEBRTC_SRC_GET_CLASS (self)->waits_for_peer;
  rec_track_set_source (track, &source);
}

void
gst_rec_webrtc_src_set_source (GstRecWebrtcSrc *self, const SdpChoice *choice)
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

  rec_track_finish (priv->video);
  rec_track_finish (priv->audio);
}

void
gst_rec_webrtc_src_end_session (GstRecWebrtcSrc *self, const gchar *reason)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  GstRecWebrtcSrcClass *klass = GST_REC_WEBRTC_SRC_GET_CLASS (self);
  RecSession *session = priv->session;
  gboolean was_announced = priv->announced;
  OnDisconnect on_disconnect;

  rec_worker_clear_timeout (&priv->drain);
  if (!session)
    return;
  take_session (self, NULL);
  GST_CAT_INFO_OBJECT (CATEGORY (self), self, "session %s ended: %s",
      rec_session_get_id (session), reason);
  priv->announced = FALSE;
  priv->ended_drops += rec_session_get_socket_drops (session);
  gst_rec_webrtc_src_set_source (self, NULL);
  if (rec_session_is_refused (session))
    GST_ELEMENT_WARNING (self, RESOURCE, NOT_AUTHORIZED,
        ("Nothing of %s was recorded: %s.",
            PRIV (self)->remote ? PRIV (self)->remote : "a peer", reason),
        (NULL));
  if (was_announced || rec_session_is_refused (session))
    post_session_message (self, "recwhip-disconnected", session, reason);
  rec_session_close (session);
  GST_OBJECT_LOCK (self);
  on_disconnect = priv->on_disconnect;
  GST_OBJECT_UNLOCK (self);
  if (was_announced && on_disconnect == ON_DISCONNECT_EOS)
    gst_rec_webrtc_src_finish_tracks (self);
  if (klass->ended)
    klass->ended (self, reason, was_announced);
}

/* Whether the pipeline leaves PLAYING, or has. A sink then keeps the thread that
 * pushes into it, and to take webrtcbin down is to wait for that thread, with
 * the state lock of webrtcbin, which the state change of the pipeline waits for:
 * a deadlock. The session ends when the pipeline plays again, or stops. */
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
session_described (RecSession *session, const gchar *sdp, const GError *error,
    gpointer user_data)
{
  GstRecWebrtcSrc *self = user_data;
  GstSDPMessage *local = sdp ? sdp_util_parse (sdp, strlen (sdp), NULL) : NULL;

  if (local)
    GST_CAT_INFO_OBJECT (CATEGORY (self), self,
        "session %s: described with %u candidates",
        rec_session_get_id (session), sdp_util_count_candidates (local));
  g_clear_pointer (&local, gst_sdp_message_free);
  GST_REC_WEBRTC_SRC_GET_CLASS (self)->described (self, session, sdp, error);
}

/* In front of the first buffers: recfilesink may begin a new file there. */
static void
session_receiving (RecSession *session, gpointer user_data)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (user_data);
  const gchar *id = rec_session_get_id (session);

  rec_track_queue_event (priv->video, rec_event_new_session (id));
  rec_track_queue_event (priv->audio, rec_event_new_session (id));
}

static void
log_codecs (GstRecWebrtcSrc *self, RecSession *session)
{
  const SdpChoice *choice = rec_session_get_choice (session);

  GST_CAT_INFO_OBJECT (CATEGORY (self), self,
      "session %s: negotiated video %s, audio %s", rec_session_get_id (session),
      choice->video.codec ? choice->video.codec->name : "none",
      choice->audio.codec ? choice->audio.codec->name : "none");
}

static void
session_connected (RecSession *session, gpointer user_data)
{
  GstRecWebrtcSrc *self = user_data;

  PRIV (self)->announced = TRUE;
  log_codecs (self, session);
  PRIV (self)->journal_clock = FALSE;
  g_atomic_int_inc (&PRIV (self)->sessions);
  gst_rec_webrtc_src_set_source (self, rec_session_get_choice (session));
  post_session_message (self, "recwhip-connected", session, "connected");
}

static void
session_ended (RecSession *session, const gchar *reason, gpointer user_data)
{
  gst_rec_webrtc_src_drain_session (user_data, reason);
}

static void
get_config (GstRecWebrtcSrc *self, RecSessionConfig *config)
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
  config->retransmit_video = priv->retransmit_video;
  config->retransmit_audio = priv->retransmit_audio;
  config->freeze = priv->on_loss == ON_LOSS_FREEZE;
  config->keyframe_interval_min = priv->keyframe_interval_min;
  config->max_bitrate = priv->max_bitrate;
  config->peer_timeout = priv->peer_timeout;
  GST_OBJECT_UNLOCK (self);
}

static RecSession *
new_session (GstRecWebrtcSrc *self, const gchar *remote)
{
  static const RecSessionCallbacks callbacks = { session_described,
    session_receiving, session_connected, session_ended };
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  GstPad *video =
      gst_element_get_static_pad (GST_ELEMENT (priv->video), "sink");
  GstPad *audio =
      gst_element_get_static_pad (GST_ELEMENT (priv->audio), "sink");
  RecSessionConfig config;
  RecSession *session;

  get_config (self, &config);
  session = rec_session_new (GST_BIN (self), video, audio,
      rec_worker_get_context (priv->control), &config, &callbacks, self);
  g_free ((gchar *)config.stun_server);
  g_free ((gchar *)config.turn_server);
  g_free ((gchar *)config.port_range);
  g_free ((gchar *)config.public_address);
  gst_object_unref (video);
  gst_object_unref (audio);
  g_free (priv->remote);
  priv->remote = g_strdup (remote);
  take_session (self, session);
  GST_CAT_INFO_OBJECT (CATEGORY (self), self, "session %s with %s begins",
      rec_session_get_id (session), GST_STR_NULL (remote));
  return session;
}

/* The listed codecs that this system can take. Free with g_free(). @missing
 * becomes what it lacks for the others; free it with g_string_free(). */
static void
get_codecs (GstRecWebrtcSrc *self, const SdpCodec ***video,
    const SdpCodec ***audio, GString **missing)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);

  *missing = g_string_new (NULL);
  GST_OBJECT_LOCK (self);
  *video = sdp_util_parse_codecs ("video", priv->video_codecs, NULL);
  *audio = sdp_util_parse_codecs ("audio", priv->audio_codecs, NULL);
  GST_OBJECT_UNLOCK (self);
  rec_chain_keep_available (*video, *missing);
  rec_chain_keep_available (*audio, *missing);
}

static void
drop_session (GstRecWebrtcSrc *self)
{
  RecSession *session = PRIV (self)->session;

  take_session (self, NULL);
  rec_session_close (session);
}

/* A codec that is listed and refused all the same: the client is told why. */
static void
name_missing (GError *error, const gchar *missing)
{
  gchar *message = g_strdup_printf ("%s Listed, but not accepted for want of "
                                    "an element: %s.",
      error->message, missing);

  g_free (error->message);
  error->message = message;
}

gboolean
gst_rec_webrtc_src_answer (GstRecWebrtcSrc *self, const GstSDPMessage *offer,
    const gchar *remote, GError **error)
{
  const SdpCodec **video, **audio;
  GPtrArray *refusals = NULL;
  GString *missing;
  SdpChoice choice;
  gboolean ok;

  get_codecs (self, &video, &audio, &missing);
  ok = sdp_util_choose (offer, (const SdpCodec *const *)video,
      (const SdpCodec *const *)audio, &choice, error);
  if (!ok && error && missing->len)
    name_missing (*error, missing->str);
  if (ok)
    refusals = sdp_util_find_refused (offer, &choice,
        (const SdpCodec *const *)video, (const SdpCodec *const *)audio);
  g_string_free (missing, TRUE);
  g_free (video);
  g_free (audio);
  if (!ok)
    return FALSE;
  if (PRIV (self)->drain)
    on_drained (self);
  ok = rec_session_answer (
      new_session (self, remote), offer, &choice, refusals, error);
  if (ok)
    post_refusals (self, PRIV (self)->session);
  else
    drop_session (self);
  return ok;
}

gboolean
gst_rec_webrtc_src_offer (
    GstRecWebrtcSrc *self, const gchar *remote, GError **error)
{
  const SdpCodec **video, **audio;
  GString *missing;
  gboolean ok;

  if (PRIV (self)->drain)
    on_drained (self);
  get_codecs (self, &video, &audio, &missing);
  g_string_free (missing, TRUE);
  ok = rec_session_offer (new_session (self, remote),
      (const SdpCodec *const *)video, (const SdpCodec *const *)audio, error);
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
  RecSession *session = gst_rec_webrtc_src_get_session (self);

  if (!rec_session_accept (session, answer, error))
    return FALSE;
  post_refusals (self, session);
  return TRUE;
}

gchar *
gst_rec_webrtc_src_dup_refusals (GstRecWebrtcSrc *self)
{
  RecSession *session = PRIV (self)->session;
  GPtrArray *refusals = session ? rec_session_get_refusals (session) : NULL;
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; refusals && i < refusals->len; i++) {
    const SdpRefusal *refusal = g_ptr_array_index (refusals, i);

    g_string_append_printf (text, "%s%s", i > 0 ? " " : "", refusal->text);
  }
  return g_string_free (text, text->len == 0);
}

RecSession *
gst_rec_webrtc_src_get_session (GstRecWebrtcSrc *self)
{
  return PRIV (self)->drain ? NULL : PRIV (self)->session;
}

gboolean
gst_rec_webrtc_src_is_accepting (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  OnDisconnect on_disconnect;

  GST_OBJECT_LOCK (self);
  on_disconnect = priv->on_disconnect;
  GST_OBJECT_UNLOCK (self);
  /* What is being drained is the last that is recorded. */
  if (priv->drain && on_disconnect == ON_DISCONNECT_EOS)
    return FALSE;
  return priv->accepting && !rec_track_is_finished (priv->video);
}
