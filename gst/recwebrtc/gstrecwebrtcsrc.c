/* gst-tsrec: what recwhipsrc and recwhepsrc have in common
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecwebrtcsrcpriv.h"
#include "recquery.h"

GST_DEBUG_CATEGORY_STATIC (rec_webrtc_src_debug);
#define GST_CAT_DEFAULT rec_webrtc_src_debug

#define TICK_MS 100

/* What the jitter buffers still hold when the peer has said good-bye leaves
 * them within the latency, and a little. */
#define DRAIN_MARGIN_MS 100

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (
    GstRecWebrtcSrc, gst_rec_webrtc_src, GST_TYPE_BIN);
#define PRIV(self) gst_rec_webrtc_src_priv (self)

static GstStaticPadTemplate video_template =
    GST_STATIC_PAD_TEMPLATE ("video", GST_PAD_SRC, GST_PAD_ALWAYS,
        GST_STATIC_CAPS ("video/x-h264, stream-format=(string)byte-stream, "
                         "alignment=(string)au; "
                         "video/x-h265, stream-format=(string)byte-stream, "
                         "alignment=(string)au; "
                         "video/x-vp8; video/x-vp9; "
                         "video/x-av1, stream-format=(string)obu-stream, "
                         "alignment=(string)tu"));
static GstStaticPadTemplate audio_template = GST_STATIC_PAD_TEMPLATE (
    "audio", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("audio/x-opus"));

GstRecWebrtcSrcPrivate *
gst_rec_webrtc_src_priv (GstRecWebrtcSrc *self)
{
  return gst_rec_webrtc_src_get_instance_private (self);
}

void
gst_rec_webrtc_src_invoke (GstRecWebrtcSrc *self, GSourceFunc function,
    gpointer data, GDestroyNotify destroy)
{
  rec_worker_invoke (PRIV (self)->control, function, data, destroy);
}

RecWorker *
gst_rec_webrtc_src_get_worker (GstRecWebrtcSrc *self)
{
  return PRIV (self)->control;
}

static void
clear_source (GSource **source)
{
  if (!*source)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

/* --- timers --- */

/* On the control thread. */
static gboolean
on_tick (gpointer data)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (data);

  if (priv->session)
    rec_session_tick (priv->session);
  return G_SOURCE_CONTINUE;
}

/* On the pushing thread. */
static gboolean
on_push_timer (gpointer data)
{
  GstRecWebrtcSrc *self = data;
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  GstClockTime now = GST_CLOCK_TIME_NONE;

  if (GST_STATE (self) == GST_STATE_PLAYING)
    now = gst_element_get_current_running_time (GST_ELEMENT (self));
  rec_track_tick (priv->video, now);
  rec_track_tick (priv->audio, now);
  return G_SOURCE_CONTINUE;
}

static gboolean
push_once (gpointer data)
{
  if (PRIV (data)->push_timer)
    on_push_timer (data);
  return G_SOURCE_REMOVE;
}

/* --- what others are told; on the control thread --- */

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

static gboolean
on_clock_timer (gpointer data)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (data);

  on_tick (data);
  if (priv->session && priv->announced && !priv->journal_clock)
    priv->journal_clock = journal_sender_clock (data);
  return G_SOURCE_CONTINUE;
}

/* --- sessions; on the control thread --- */

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
finish_tracks (GstRecWebrtcSrc *self)
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

  clear_source (&priv->drain);
  if (!session)
    return;
  take_session (self, NULL);
  priv->announced = FALSE;
  if (was_announced)
    post_session_message (self, "recwhip-disconnected", session, reason);
  rec_session_close (session);
  GST_OBJECT_LOCK (self);
  on_disconnect = priv->on_disconnect;
  GST_OBJECT_UNLOCK (self);
  if (was_announced && on_disconnect == ON_DISCONNECT_EOS)
    finish_tracks (self);
  if (klass->ended)
    klass->ended (self, reason);
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
      priv->control, latency + DRAIN_MARGIN_MS, on_drained, self, NULL);
}

static void
session_described (RecSession *session, const gchar *sdp, const GError *error,
    gpointer user_data)
{
  GstRecWebrtcSrc *self = user_data;

  GST_REC_WEBRTC_SRC_GET_CLASS (self)->described (self, session, sdp, error);
}

static void
session_connected (RecSession *session, gpointer user_data)
{
  GstRecWebrtcSrc *self = user_data;

  PRIV (self)->announced = TRUE;
  PRIV (self)->journal_clock = FALSE;
  g_atomic_int_inc (&PRIV (self)->sessions);
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

  GST_OBJECT_LOCK (self);
  config->latency = priv->latency;
  config->stun_server = g_strdup (priv->stun_server);
  config->turn_server = g_strdup (priv->turn_server);
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
    session_connected, session_ended };
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
  gst_object_unref (video);
  gst_object_unref (audio);
  g_free (priv->remote);
  priv->remote = g_strdup (remote);
  take_session (self, session);
  return session;
}

/* The listed codecs that this system can take. Free with g_free(). */
static const SdpCodec **
available_codecs (const gchar *media, const gchar *list)
{
  const SdpCodec **codecs = sdp_util_parse_codecs (media, list, NULL);
  guint i, n = 0;

  for (i = 0; codecs[i]; i++)
    if (rec_chain_is_available (codecs[i]))
      codecs[n++] = codecs[i];
  codecs[n] = NULL;
  return codecs;
}

static void
get_codecs (
    GstRecWebrtcSrc *self, const SdpCodec ***video, const SdpCodec ***audio)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  gchar *video_list, *audio_list;

  GST_OBJECT_LOCK (self);
  video_list = g_strdup (priv->video_codecs);
  audio_list = g_strdup (priv->audio_codecs);
  GST_OBJECT_UNLOCK (self);
  *video = available_codecs ("video", video_list);
  *audio = available_codecs ("audio", audio_list);
  g_free (video_list);
  g_free (audio_list);
}

static void
drop_session (GstRecWebrtcSrc *self)
{
  RecSession *session = PRIV (self)->session;

  take_session (self, NULL);
  rec_session_close (session);
}

gboolean
gst_rec_webrtc_src_answer (GstRecWebrtcSrc *self, const GstSDPMessage *offer,
    const gchar *remote, GError **error)
{
  const SdpCodec **video, **audio;
  SdpChoice choice;
  gboolean ok;

  get_codecs (self, &video, &audio);
  ok = sdp_util_choose (offer, (const SdpCodec *const *)video,
      (const SdpCodec *const *)audio, &choice, error);
  g_free (video);
  g_free (audio);
  if (!ok)
    return FALSE;
  if (PRIV (self)->drain)
    on_drained (self);
  ok = rec_session_answer (new_session (self, remote), offer, &choice, error);
  if (!ok)
    drop_session (self);
  return ok;
}

gboolean
gst_rec_webrtc_src_offer (
    GstRecWebrtcSrc *self, const gchar *remote, GError **error)
{
  const SdpCodec **video, **audio;
  gboolean ok;

  if (PRIV (self)->drain)
    on_drained (self);
  get_codecs (self, &video, &audio);
  ok = rec_session_offer (new_session (self, remote),
      (const SdpCodec *const *)video, (const SdpCodec *const *)audio, error);
  g_free (video);
  g_free (audio);
  if (!ok)
    drop_session (self);
  return ok;
}

RecSession *
gst_rec_webrtc_src_get_session (GstRecWebrtcSrc *self)
{
  return PRIV (self)->drain ? NULL : PRIV (self)->session;
}

gboolean
gst_rec_webrtc_src_is_accepting (GstRecWebrtcSrc *self)
{
  return PRIV (self)->accepting && !rec_track_is_finished (PRIV (self)->video);
}

static void
keyframe_wanted (RecTrack *track, gpointer user_data)
{
  RecSession *session = gst_rec_webrtc_src_peek_session (user_data);

  if (!session)
    return;
  rec_session_request_keyframe (session);
  rec_session_unref (session);
}

/* --- states --- */

static void
start (gpointer data)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (data);
  GstRecWebrtcSrcClass *klass = GST_REC_WEBRTC_SRC_GET_CLASS (data);

  priv->accepting = TRUE;
  priv->tick = rec_worker_add_timeout (
      priv->control, TICK_MS, on_clock_timer, data, NULL);
  if (klass->start)
    klass->start (data);
}

static void
stop (gpointer data)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (data);
  GstRecWebrtcSrcClass *klass = GST_REC_WEBRTC_SRC_GET_CLASS (data);

  priv->accepting = FALSE;
  clear_source (&priv->tick);
  if (klass->stop)
    klass->stop (data);
  gst_rec_webrtc_src_end_session (data, "the recorder stopped");
}

static void
start_pushing (gpointer data)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (data);

  priv->push_timer =
      rec_worker_add_timeout (priv->pusher, TICK_MS, on_push_timer, data, NULL);
  on_push_timer (data);
}

static void
stop_pushing (gpointer data)
{
  clear_source (&PRIV (data)->push_timer);
}

static void
close_workers (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  GstRecWebrtcSrcClass *klass = GST_REC_WEBRTC_SRC_GET_CLASS (self);

  if (klass->close)
    klass->close (self);
  rec_worker_stop (priv->control);
  rec_worker_stop (priv->pusher);
}

static gboolean
open_workers (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  GstRecWebrtcSrcClass *klass = GST_REC_WEBRTC_SRC_GET_CLASS (self);
  GError *error = NULL;

  rec_worker_start (priv->control, "rec-webrtc");
  rec_worker_start (priv->pusher, "rec-gap");
  if (!klass->open || klass->open (self, &error))
    return TRUE;
  close_workers (self);
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_READ, ("%s", error->message), (NULL));
  g_error_free (error);
  return FALSE;
}

static GstStateChangeReturn
gst_rec_webrtc_src_change_state (GstElement *element, GstStateChange transition)
{
  GstRecWebrtcSrc *self = GST_REC_WEBRTC_SRC (element);
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !open_workers (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    rec_worker_call (priv->control, stop, self);
  ret = GST_ELEMENT_CLASS (gst_rec_webrtc_src_parent_class)
            ->change_state (element, transition);
  if (ret == GST_STATE_CHANGE_FAILURE)
    return ret;
  switch (transition) {
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      rec_worker_call (priv->pusher, start_pushing, self);
      rec_worker_call (priv->control, start, self);
      return GST_STATE_CHANGE_NO_PREROLL;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      return GST_STATE_CHANGE_NO_PREROLL;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      rec_worker_call (priv->pusher, stop_pushing, self);
      break;
    case GST_STATE_CHANGE_READY_TO_NULL:
      close_workers (self);
      break;
    default:
      break;
  }
  return ret;
}

/* EOS from the application (Ctrl+C of gst-launch-1.0 -e) leaves by both pads,
 * in order with the buffers. */
static gboolean
gst_rec_webrtc_src_send_event (GstElement *element, GstEvent *event)
{
  GstRecWebrtcSrc *self = GST_REC_WEBRTC_SRC (element);

  if (GST_EVENT_TYPE (event) != GST_EVENT_EOS)
    return GST_ELEMENT_CLASS (gst_rec_webrtc_src_parent_class)
        ->send_event (element, event);
  gst_event_unref (event);
  finish_tracks (self);
  rec_worker_invoke (
      PRIV (self)->pusher, push_once, gst_object_ref (self), gst_object_unref);
  return TRUE;
}

/* What goes wrong in a session ends the session, not the recording. */
static void
gst_rec_webrtc_src_handle_message (GstBin *bin, GstMessage *message)
{
  RecSession *session;
  GError *error = NULL;
  gchar *debug = NULL;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR) {
    GST_BIN_CLASS (gst_rec_webrtc_src_parent_class)
        ->handle_message (bin, message);
    return;
  }
  gst_message_parse_error (message, &error, &debug);
  GST_WARNING_OBJECT (bin, "%s: %s (%s)", GST_MESSAGE_SRC_NAME (message),
      error->message, GST_STR_NULL (debug));
  session = gst_rec_webrtc_src_peek_session (GST_REC_WEBRTC_SRC (bin));
  if (session && rec_session_owns (session, GST_MESSAGE_SRC (message)))
    rec_session_fail (session, error->message);
  g_clear_pointer (&session, rec_session_unref);
  g_error_free (error);
  g_free (debug);
  gst_message_unref (message);
}

/* --- GObject --- */

static void
gst_rec_webrtc_src_finalize (GObject *object)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (GST_REC_WEBRTC_SRC (object));

  rec_worker_free (priv->control);
  rec_worker_free (priv->pusher);
  g_mutex_clear (&priv->session_lock);
  g_free (priv->remote);
  g_free (priv->drain_reason);
  gst_rec_webrtc_src_free_props (GST_REC_WEBRTC_SRC (object));
  G_OBJECT_CLASS (gst_rec_webrtc_src_parent_class)->finalize (object);
}

static void
gst_rec_webrtc_src_class_init (GstRecWebrtcSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  object_class->finalize = gst_rec_webrtc_src_finalize;
  element_class->change_state = gst_rec_webrtc_src_change_state;
  element_class->send_event = gst_rec_webrtc_src_send_event;
  GST_BIN_CLASS (klass)->handle_message = gst_rec_webrtc_src_handle_message;
  gst_element_class_add_static_pad_template (element_class, &video_template);
  gst_element_class_add_static_pad_template (element_class, &audio_template);
  gst_rec_webrtc_src_install_props (object_class);
  gst_type_mark_as_plugin_api (GST_TYPE_REC_WEBRTC_SRC, 0);
  GST_DEBUG_CATEGORY_INIT (
      rec_webrtc_src_debug, "recwebrtcsrc", 0, "WebRTC source for recording");
}

static RecTrack *
add_track (GstRecWebrtcSrc *self, const gchar *kind,
    GstStaticPadTemplate *static_template, guint group_id)
{
  RecTrack *track = rec_track_new (kind, group_id);
  GstPad *target = gst_element_get_static_pad (GST_ELEMENT (track), "src");
  GstPadTemplate *template = gst_static_pad_template_get (static_template);

  rec_track_set_keyframe_func (track, keyframe_wanted, self);
  gst_bin_add (GST_BIN (self), GST_ELEMENT (track));
  gst_element_add_pad (GST_ELEMENT (self),
      gst_ghost_pad_new_from_template (kind, target, template));
  gst_object_unref (template);
  gst_object_unref (target);
  return track;
}

static void
gst_rec_webrtc_src_init (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  guint group_id = gst_util_group_id_next ();

  g_mutex_init (&priv->session_lock);
  priv->control = rec_worker_new ();
  priv->pusher = rec_worker_new ();
  /* webrtcbin has sinks and sources inside, which are not ours to wait for. */
  gst_bin_set_suppressed_flags (
      GST_BIN (self), GST_ELEMENT_FLAG_SOURCE | GST_ELEMENT_FLAG_SINK);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SOURCE);
  priv->video = add_track (self, "video", &video_template, group_id);
  priv->audio = add_track (self, "audio", &audio_template, group_id);
  gst_rec_webrtc_src_init_props (self);
}
