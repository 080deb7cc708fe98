/* gst-tsrec: what recwhipsrc and recwhepsrc have in common
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecwebrtcsrc.h"
#include "rectrack.h"

GST_DEBUG_CATEGORY_STATIC (rec_webrtc_src_debug);
#define GST_CAT_DEFAULT rec_webrtc_src_debug

#define TICK_MS 100

#define DEFAULT_LATENCY 200
#define DEFAULT_MAX_BITRATE 0
#define DEFAULT_KEYFRAME_INTERVAL_MIN (500 * GST_MSECOND)
#define DEFAULT_PEER_TIMEOUT (10 * GST_SECOND)
#define DEFAULT_ON_LOSS ON_LOSS_FREEZE
#define DEFAULT_ON_DISCONNECT ON_DISCONNECT_WAIT

typedef enum
{
  ON_LOSS_FREEZE,
  ON_LOSS_KEEP,
} OnLoss;

typedef enum
{
  ON_DISCONNECT_WAIT,
  ON_DISCONNECT_EOS,
} OnDisconnect;

enum
{
  PROP_0,
  PROP_LATENCY,
  PROP_STUN_SERVER,
  PROP_TURN_SERVER,
  PROP_VIDEO_CODECS,
  PROP_AUDIO_CODECS,
  PROP_MAX_BITRATE,
  PROP_ON_LOSS,
  PROP_KEYFRAME_INTERVAL_MIN,
  PROP_PEER_TIMEOUT,
  PROP_ON_DISCONNECT,
  PROP_STATS,
};

typedef struct
{
  /* under the object lock */
  guint latency;
  gchar *stun_server;
  gchar *turn_server;
  gchar *video_codecs;
  gchar *audio_codecs;
  guint max_bitrate;
  OnLoss on_loss;
  GstClockTime keyframe_interval_min;
  GstClockTime peer_timeout;
  OnDisconnect on_disconnect;

  RecTrack *video;
  RecTrack *audio;

  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;

  /* control thread; changed under session_lock, for readers elsewhere */
  RecSession *session;
  GMutex session_lock;
  gboolean accepting;
  gboolean announced;
  gchar *remote;
  GSource *tick;
  guint64 sessions;
} GstRecWebrtcSrcPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (
    GstRecWebrtcSrc, gst_rec_webrtc_src, GST_TYPE_BIN);
#define PRIV(self)                                                             \
  ((GstRecWebrtcSrcPrivate *)gst_rec_webrtc_src_get_instance_private (self))

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

static GType
on_loss_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { ON_LOSS_FREEZE, "Drop pictures from a loss until the next key frame",
        "freeze" },
    { ON_LOSS_KEEP, "Pass damaged pictures on", "keep" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstRecOnLoss", values));
  return type;
}

static GType
on_disconnect_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { ON_DISCONNECT_WAIT, "Keep the pads and wait for the next session",
        "wait" },
    { ON_DISCONNECT_EOS, "End the stream", "eos" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstRecOnDisconnect", values));
  return type;
}

/* --- control thread --- */

void
gst_rec_webrtc_src_invoke (GstRecWebrtcSrc *self, GSourceFunc function,
    gpointer data, GDestroyNotify destroy)
{
  GSource *source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, function, data, destroy);
  g_source_attach (source, PRIV (self)->context);
  g_source_unref (source);
}

GMainContext *
gst_rec_webrtc_src_get_context (GstRecWebrtcSrc *self)
{
  return PRIV (self)->context;
}

static gpointer
control_main (gpointer data)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (data);

  g_main_context_push_thread_default (priv->context);
  g_main_loop_run (priv->loop);
  g_main_context_pop_thread_default (priv->context);
  return NULL;
}

typedef struct
{
  GstRecWebrtcSrc *self;
  void (*function) (GstRecWebrtcSrc *self);
  GMutex lock;
  GCond cond;
  gboolean done;
} SyncCall;

static gboolean
run_sync_call (gpointer data)
{
  SyncCall *call = data;

  call->function (call->self);
  g_mutex_lock (&call->lock);
  call->done = TRUE;
  g_cond_signal (&call->cond);
  g_mutex_unlock (&call->lock);
  return G_SOURCE_REMOVE;
}

/* Runs @function on the control thread and waits for it. */
static void
call_sync (GstRecWebrtcSrc *self, void (*function) (GstRecWebrtcSrc *))
{
  SyncCall call = { .self = self, .function = function };

  g_mutex_init (&call.lock);
  g_cond_init (&call.cond);
  gst_rec_webrtc_src_invoke (self, run_sync_call, &call, NULL);
  g_mutex_lock (&call.lock);
  while (!call.done)
    g_cond_wait (&call.cond, &call.lock);
  g_mutex_unlock (&call.lock);
  g_mutex_clear (&call.lock);
  g_cond_clear (&call.cond);
}

static gboolean
on_tick (gpointer data)
{
  GstRecWebrtcSrc *self = data;
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  GstClockTime now = gst_element_get_current_running_time (GST_ELEMENT (self));

  if (GST_STATE (self) != GST_STATE_PLAYING)
    now = GST_CLOCK_TIME_NONE;
  if (priv->session)
    rec_session_tick (priv->session);
  rec_track_tick (priv->video, now);
  rec_track_tick (priv->audio, now);
  return G_SOURCE_CONTINUE;
}

static gboolean
tick_once (gpointer data)
{
  if (PRIV (data)->tick)
    on_tick (data);
  return G_SOURCE_REMOVE;
}

/* --- sessions; on the control thread --- */

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

  gst_element_post_message (
      GST_ELEMENT (self), gst_message_new_element (GST_OBJECT (self), s));
}

static void
take_session (GstRecWebrtcSrc *self, RecSession *session)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);

  g_mutex_lock (&priv->session_lock);
  priv->session = session;
  g_mutex_unlock (&priv->session_lock);
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
  RecSession *session = priv->session;
  gboolean was_announced = priv->announced;
  OnDisconnect on_disconnect;

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
  if (GST_REC_WEBRTC_SRC_GET_CLASS (self)->ended)
    GST_REC_WEBRTC_SRC_GET_CLASS (self)->ended (self, reason);
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
  PRIV (self)->sessions++;
  post_session_message (self, "recwhip-connected", session, "connected");
}

static void
session_ended (RecSession *session, const gchar *reason, gpointer user_data)
{
  gst_rec_webrtc_src_end_session (user_data, reason);
}

static void
get_config (GstRecWebrtcSrc *self, RecSessionConfig *config)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);

  GST_OBJECT_LOCK (self);
  config->latency = priv->latency;
  config->stun_server = g_strdup (priv->stun_server);
  config->turn_server = g_strdup (priv->turn_server);
  config->retransmit_video = TRUE;
  config->retransmit_audio = FALSE;
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
  session = rec_session_new (
      GST_BIN (self), video, audio, priv->context, &config, &callbacks, self);
  g_free ((gchar *)config.stun_server);
  g_free ((gchar *)config.turn_server);
  gst_object_unref (video);
  gst_object_unref (audio);
  g_free (priv->remote);
  priv->remote = g_strdup (remote);
  return session;
}

static gboolean
choose (GstRecWebrtcSrc *self, const GstSDPMessage *offer, SdpChoice *choice,
    GError **error)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  const SdpCodec **video, **audio;
  gboolean ok = FALSE;

  GST_OBJECT_LOCK (self);
  video = sdp_util_parse_codecs ("video", priv->video_codecs, NULL);
  audio = sdp_util_parse_codecs ("audio", priv->audio_codecs, NULL);
  GST_OBJECT_UNLOCK (self);
  ok = sdp_util_choose (offer, video, audio, choice, error);
  g_free (video);
  g_free (audio);
  return ok;
}

gboolean
gst_rec_webrtc_src_answer (GstRecWebrtcSrc *self, const GstSDPMessage *offer,
    const gchar *remote, GError **error)
{
  SdpChoice choice;
  RecSession *session;

  g_return_val_if_fail (PRIV (self)->session == NULL, FALSE);
  if (!choose (self, offer, &choice, error))
    return FALSE;
  session = new_session (self, remote);
  take_session (self, session);
  if (rec_session_answer (session, offer, &choice, error))
    return TRUE;
  take_session (self, NULL);
  rec_session_close (session);
  return FALSE;
}

RecSession *
gst_rec_webrtc_src_get_session (GstRecWebrtcSrc *self)
{
  return PRIV (self)->session;
}

gboolean
gst_rec_webrtc_src_is_accepting (GstRecWebrtcSrc *self)
{
  return PRIV (self)->accepting && !rec_track_is_finished (PRIV (self)->video);
}

/* The session for a thread that is not the control thread; caller unrefs. */
static RecSession *
peek_session (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  RecSession *session;

  g_mutex_lock (&priv->session_lock);
  session = priv->session ? rec_session_ref (priv->session) : NULL;
  g_mutex_unlock (&priv->session_lock);
  return session;
}

static void
keyframe_wanted (RecTrack *track, gpointer user_data)
{
  RecSession *session = peek_session (user_data);

  if (!session)
    return;
  rec_session_request_keyframe (session);
  rec_session_unref (session);
}

/* --- states --- */

static void
start (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  GstRecWebrtcSrcClass *klass = GST_REC_WEBRTC_SRC_GET_CLASS (self);

  priv->accepting = TRUE;
  priv->tick = g_timeout_source_new (TICK_MS);
  g_source_set_callback (priv->tick, on_tick, self, NULL);
  g_source_attach (priv->tick, priv->context);
  if (klass->start)
    klass->start (self);
}

static void
stop (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  GstRecWebrtcSrcClass *klass = GST_REC_WEBRTC_SRC_GET_CLASS (self);

  priv->accepting = FALSE;
  if (priv->tick) {
    g_source_destroy (priv->tick);
    g_clear_pointer (&priv->tick, g_source_unref);
  }
  if (klass->stop)
    klass->stop (self);
  gst_rec_webrtc_src_end_session (self, "the recorder stopped");
}

static gboolean
open_control (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  GstRecWebrtcSrcClass *klass = GST_REC_WEBRTC_SRC_GET_CLASS (self);
  GError *error = NULL;

  priv->loop = g_main_loop_new (priv->context, FALSE);
  priv->thread = g_thread_new ("rec-webrtc", control_main, self);
  if (!klass->open || klass->open (self, &error))
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_READ, ("%s", error->message), (NULL));
  g_error_free (error);
  return FALSE;
}

static gboolean
quit (gpointer data)
{
  g_main_loop_quit (data);
  return G_SOURCE_REMOVE;
}

static void
close_control (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  GstRecWebrtcSrcClass *klass = GST_REC_WEBRTC_SRC_GET_CLASS (self);

  if (!priv->thread)
    return;
  if (klass->close)
    klass->close (self);
  gst_rec_webrtc_src_invoke (self, quit, priv->loop, NULL);
  g_thread_join (priv->thread);
  priv->thread = NULL;
  g_clear_pointer (&priv->loop, g_main_loop_unref);
}

static GstStateChangeReturn
gst_rec_webrtc_src_change_state (GstElement *element, GstStateChange transition)
{
  GstRecWebrtcSrc *self = GST_REC_WEBRTC_SRC (element);
  GstStateChangeReturn ret;

  switch (transition) {
    case GST_STATE_CHANGE_NULL_TO_READY:
      if (!open_control (self)) {
        close_control (self);
        return GST_STATE_CHANGE_FAILURE;
      }
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      call_sync (self, stop);
      break;
    default:
      break;
  }
  ret = GST_ELEMENT_CLASS (gst_rec_webrtc_src_parent_class)
            ->change_state (element, transition);
  switch (transition) {
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      if (ret != GST_STATE_CHANGE_FAILURE) {
        call_sync (self, start);
        ret = GST_STATE_CHANGE_NO_PREROLL;
      }
      break;
    case GST_STATE_CHANGE_PLAYING_TO_PAUSED:
      if (ret != GST_STATE_CHANGE_FAILURE)
        ret = GST_STATE_CHANGE_NO_PREROLL;
      break;
    case GST_STATE_CHANGE_READY_TO_NULL:
      close_control (self);
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
  gst_rec_webrtc_src_invoke (
      self, tick_once, gst_object_ref (self), gst_object_unref);
  return TRUE;
}

/* What goes wrong in a session ends the session, not the recording. */
static void
gst_rec_webrtc_src_handle_message (GstBin *bin, GstMessage *message)
{
  RecSession *session;
  GError *error = NULL;
  gchar *debug = NULL;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR ||
      GST_MESSAGE_SRC (message) == GST_OBJECT (bin)) {
    GST_BIN_CLASS (gst_rec_webrtc_src_parent_class)
        ->handle_message (bin, message);
    return;
  }
  gst_message_parse_error (message, &error, &debug);
  GST_WARNING_OBJECT (bin, "%s: %s (%s)", GST_MESSAGE_SRC_NAME (message),
      error->message, GST_STR_NULL (debug));
  session = peek_session (GST_REC_WEBRTC_SRC (bin));
  if (session && rec_session_owns (session, GST_MESSAGE_SRC (message)))
    rec_session_fail (session, error->message);
  g_clear_pointer (&session, rec_session_unref);
  g_error_free (error);
  g_free (debug);
  gst_message_unref (message);
}

/* --- properties --- */

static void
add_track_stats (GstStructure *s, const gchar *kind, RecTrack *track)
{
  RecTrackStats stats;
  gchar *name;
  guint i;
  const struct
  {
    const gchar *name;
    guint64 *value;
  } fields[] = {
    { "packets", &stats.buffers },
    { "bytes", &stats.bytes },
    { "dropped-no-timestamp", &stats.dropped_no_timestamp },
    { "timestamps-corrected", &stats.timestamps_corrected },
    { "gaps", &stats.gaps },
  };

  rec_track_get_stats (track, &stats);
  for (i = 0; i < G_N_ELEMENTS (fields); i++) {
    name = g_strdup_printf ("%s-%s", kind, fields[i].name);
    gst_structure_set (s, name, G_TYPE_UINT64, *fields[i].value, NULL);
    g_free (name);
  }
}

static GstStructure *
get_stats (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  gchar *name = g_strdup_printf ("application/x-%s-stats",
      GST_OBJECT_NAME (gst_element_get_factory (GST_ELEMENT (self))));
  GstStructure *s = gst_structure_new_empty (name);
  RecSession *session = peek_session (self);

  g_free (name);
  gst_structure_set (s, "sessions", G_TYPE_UINT64, priv->sessions, "connected",
      G_TYPE_BOOLEAN, session && rec_session_is_connected (session), NULL);
  if (session)
    rec_session_add_stats (session, s);
  g_clear_pointer (&session, rec_session_unref);
  add_track_stats (s, "video", priv->video);
  add_track_stats (s, "audio", priv->audio);
  return s;
}

static void
set_codecs (GstRecWebrtcSrc *self, const gchar *media, gchar **field,
    const GValue *value)
{
  GError *error = NULL;
  const SdpCodec **list =
      sdp_util_parse_codecs (media, g_value_get_string (value), &error);

  if (list) {
    g_free (*field);
    *field = g_value_dup_string (value);
    g_free (list);
    return;
  }
  g_warning ("%s-codecs is left at \"%s\": %s", media, *field, error->message);
  g_error_free (error);
}

static void
gst_rec_webrtc_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstRecWebrtcSrc *self = GST_REC_WEBRTC_SRC (object);
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  guint latency;

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LATENCY:
      priv->latency = g_value_get_uint (value);
      break;
    case PROP_STUN_SERVER:
      g_free (priv->stun_server);
      priv->stun_server = g_value_dup_string (value);
      break;
    case PROP_TURN_SERVER:
      g_free (priv->turn_server);
      priv->turn_server = g_value_dup_string (value);
      break;
    case PROP_VIDEO_CODECS:
      set_codecs (self, "video", &priv->video_codecs, value);
      break;
    case PROP_AUDIO_CODECS:
      set_codecs (self, "audio", &priv->audio_codecs, value);
      break;
    case PROP_MAX_BITRATE:
      priv->max_bitrate = g_value_get_uint (value);
      break;
    case PROP_ON_LOSS:
      priv->on_loss = g_value_get_enum (value);
      break;
    case PROP_KEYFRAME_INTERVAL_MIN:
      priv->keyframe_interval_min = g_value_get_uint64 (value);
      break;
    case PROP_PEER_TIMEOUT:
      priv->peer_timeout = g_value_get_uint64 (value);
      break;
    case PROP_ON_DISCONNECT:
      priv->on_disconnect = g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  latency = priv->latency;
  GST_OBJECT_UNLOCK (self);
  if (id == PROP_LATENCY) {
    rec_track_set_latency (priv->video, latency * GST_MSECOND);
    rec_track_set_latency (priv->audio, latency * GST_MSECOND);
  }
}

static void
gst_rec_webrtc_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstRecWebrtcSrc *self = GST_REC_WEBRTC_SRC (object);
  GstRecWebrtcSrcPrivate *priv = PRIV (self);

  if (id == PROP_STATS) {
    g_value_take_boxed (value, get_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LATENCY:
      g_value_set_uint (value, priv->latency);
      break;
    case PROP_STUN_SERVER:
      g_value_set_string (value, priv->stun_server);
      break;
    case PROP_TURN_SERVER:
      g_value_set_string (value, priv->turn_server);
      break;
    case PROP_VIDEO_CODECS:
      g_value_set_string (value, priv->video_codecs);
      break;
    case PROP_AUDIO_CODECS:
      g_value_set_string (value, priv->audio_codecs);
      break;
    case PROP_MAX_BITRATE:
      g_value_set_uint (value, priv->max_bitrate);
      break;
    case PROP_ON_LOSS:
      g_value_set_enum (value, priv->on_loss);
      break;
    case PROP_KEYFRAME_INTERVAL_MIN:
      g_value_set_uint64 (value, priv->keyframe_interval_min);
      break;
    case PROP_PEER_TIMEOUT:
      g_value_set_uint64 (value, priv->peer_timeout);
      break;
    case PROP_ON_DISCONNECT:
      g_value_set_enum (value, priv->on_disconnect);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  /**
   * GstRecWebrtcSrc:latency:
   *
   * How long the jitter buffers wait for packets that are late, in
   * milliseconds. Type: guint. Range: 0 to 60000. Default: 200. Also the
   * latency that the element reports. From 600 on, bursts of loss do half the
   * harm; recording has the time.
   */
  g_object_class_install_property (klass, PROP_LATENCY,
      g_param_spec_uint ("latency", "Latency",
          "How long to wait for packets that are late, in milliseconds", 0,
          60000, DEFAULT_LATENCY, flags));
  /**
   * GstRecWebrtcSrc:stun-server:
   *
   * STUN server for finding our public address, "stun://host:port". Type:
   * string. Default: none, which suffices within one network.
   */
  g_object_class_install_property (klass, PROP_STUN_SERVER,
      g_param_spec_string ("stun-server", "STUN server",
          "STUN server, stun://host:port; none: only addresses of this host",
          NULL, flags));
  /**
   * GstRecWebrtcSrc:turn-server:
   *
   * TURN server to relay through, "turn://user:password@host:port". Type:
   * string. Default: none.
   */
  g_object_class_install_property (klass, PROP_TURN_SERVER,
      g_param_spec_string ("turn-server", "TURN server",
          "TURN server, turn(s)://user:password@host:port; none: no relaying",
          NULL, flags));
  /**
   * GstRecWebrtcSrc:video-codecs:
   *
   * Video codecs to accept, best first, separated by commas: H264, H265, VP8,
   * VP9, AV1. Type: string. Default: what MPEG-TS carries. Empty: no video.
   * The caps of the video pad follow what was negotiated.
   */
  g_object_class_install_property (klass, PROP_VIDEO_CODECS,
      g_param_spec_string ("video-codecs", "Video codecs",
          "Video codecs to accept, best first, separated by commas "
          "(H264, H265, VP8, VP9, AV1)",
          SDP_UTIL_DEFAULT_VIDEO_CODECS, flags));
  /**
   * GstRecWebrtcSrc:audio-codecs:
   *
   * Audio codecs to accept: OPUS. Type: string. Empty: no audio.
   */
  g_object_class_install_property (klass, PROP_AUDIO_CODECS,
      g_param_spec_string ("audio-codecs", "Audio codecs",
          "Audio codecs to accept, best first, separated by commas (OPUS)",
          SDP_UTIL_DEFAULT_AUDIO_CODECS, flags));
  /**
   * GstRecWebrtcSrc:max-bitrate:
   *
   * What the peer may send of video, in bit/s: b=AS and b=TIAS (RFC 3890) in
   * our description. Type: guint. Default: 0, no limit.
   */
  g_object_class_install_property (klass, PROP_MAX_BITRATE,
      g_param_spec_uint ("max-bitrate", "Maximum bit rate",
          "Bit rate the peer may send video at, in bit/s (0: no limit)", 0,
          G_MAXUINT, DEFAULT_MAX_BITRATE, flags));
  /**
   * GstRecWebrtcSrc:on-loss:
   *
   * What is done with pictures that follow a loss which retransmission did not
   * repair. Type: enum. Default: freeze.
   */
  g_object_class_install_property (klass, PROP_ON_LOSS,
      g_param_spec_enum ("on-loss", "On loss",
          "What to do with pictures from a loss until the next key frame",
          on_loss_get_type (), DEFAULT_ON_LOSS, flags));
  /**
   * GstRecWebrtcSrc:keyframe-interval-min:
   *
   * At most one key frame is asked of the peer in this time, in nanoseconds.
   * Type: guint64. Default: 0.5 s. A request that comes too early is made when
   * the time is over.
   */
  g_object_class_install_property (klass, PROP_KEYFRAME_INTERVAL_MIN,
      g_param_spec_uint64 ("keyframe-interval-min",
          "Minimum key frame interval",
          "Ask for at most one key frame in this time, in nanoseconds", 0,
          G_MAXUINT64, DEFAULT_KEYFRAME_INTERVAL_MIN, flags));
  /**
   * GstRecWebrtcSrc:peer-timeout:
   *
   * The peer is gone when nothing has come from it for so long, in
   * nanoseconds. Type: guint64. Default: 10 s. 0: never.
   */
  g_object_class_install_property (klass, PROP_PEER_TIMEOUT,
      g_param_spec_uint64 ("peer-timeout", "Peer timeout",
          "End the session when the peer has been silent for this time, in "
          "nanoseconds (0: never)",
          0, G_MAXUINT64, DEFAULT_PEER_TIMEOUT, flags));
  /**
   * GstRecWebrtcSrc:on-disconnect:
   *
   * What follows the end of a session. Type: enum. Default: wait.
   */
  g_object_class_install_property (klass, PROP_ON_DISCONNECT,
      g_param_spec_enum ("on-disconnect", "On disconnect",
          "What to do when the session ends", on_disconnect_get_type (),
          DEFAULT_ON_DISCONNECT, flags));
  /**
   * GstRecWebrtcSrc:stats:
   *
   * What has been received. Type: #GstStructure.
   */
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "What was negotiated, received and lost", GST_TYPE_STRUCTURE,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

/* --- GObject --- */

static void
gst_rec_webrtc_src_finalize (GObject *object)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (GST_REC_WEBRTC_SRC (object));

  g_main_context_unref (priv->context);
  g_mutex_clear (&priv->session_lock);
  g_free (priv->stun_server);
  g_free (priv->turn_server);
  g_free (priv->video_codecs);
  g_free (priv->audio_codecs);
  g_free (priv->remote);
  G_OBJECT_CLASS (gst_rec_webrtc_src_parent_class)->finalize (object);
}

static void
gst_rec_webrtc_src_class_init (GstRecWebrtcSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  object_class->set_property = gst_rec_webrtc_src_set_property;
  object_class->get_property = gst_rec_webrtc_src_get_property;
  object_class->finalize = gst_rec_webrtc_src_finalize;
  element_class->change_state = gst_rec_webrtc_src_change_state;
  element_class->send_event = gst_rec_webrtc_src_send_event;
  GST_BIN_CLASS (klass)->handle_message = gst_rec_webrtc_src_handle_message;
  gst_element_class_add_static_pad_template (element_class, &video_template);
  gst_element_class_add_static_pad_template (element_class, &audio_template);
  install_properties (object_class);
  gst_type_mark_as_plugin_api (GST_TYPE_REC_WEBRTC_SRC, 0);
  gst_type_mark_as_plugin_api (on_loss_get_type (), 0);
  gst_type_mark_as_plugin_api (on_disconnect_get_type (), 0);
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

  rec_track_set_latency (track, DEFAULT_LATENCY * GST_MSECOND);
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

  priv->latency = DEFAULT_LATENCY;
  priv->video_codecs = g_strdup (SDP_UTIL_DEFAULT_VIDEO_CODECS);
  priv->audio_codecs = g_strdup (SDP_UTIL_DEFAULT_AUDIO_CODECS);
  priv->max_bitrate = DEFAULT_MAX_BITRATE;
  priv->on_loss = DEFAULT_ON_LOSS;
  priv->keyframe_interval_min = DEFAULT_KEYFRAME_INTERVAL_MIN;
  priv->peer_timeout = DEFAULT_PEER_TIMEOUT;
  priv->on_disconnect = DEFAULT_ON_DISCONNECT;
  g_mutex_init (&priv->session_lock);
  priv->context = g_main_context_new ();
  /* webrtcbin has sinks and sources inside, which are not ours to wait for. */
  gst_bin_set_suppressed_flags (
      GST_BIN (self), GST_ELEMENT_FLAG_SOURCE | GST_ELEMENT_FLAG_SINK);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SOURCE);
  priv->video = add_track (self, "video", &video_template, group_id);
  priv->audio = add_track (self, "audio", &audio_template, group_id);
}
