/* gst-tsrec: base class of recwhipsrc and recwhepsrc
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecwebrtcsrc-private.h"
#include "rtcicesettings.h"

GST_DEBUG_CATEGORY (gst_rec_webrtc_src_debug);
#define GST_CAT_DEFAULT gst_rec_webrtc_src_debug

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

/* --- timers --- */

/* A network that holds back all packets usually releases them within this time.
 * GAP events before that would make the mux continue beyond them. */
#define HELD_BACK (4 * GST_SECOND)
/* Silence of all tracks for this long has one cause. */
#define ALL_SILENT (150 * GST_MSECOND)

/* Returns TRUE if all tracks are silent while a peer is connected: the network
 * may hold packets back. A late tick shows that the process was stopped. */
static gboolean
may_be_held_back (GstRecWebrtcSrc *self, GstClockTime now)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  RtcSession *session = gst_rec_webrtc_src_peek_session (self);
  GstRtcTrackStats video, audio;
  gboolean connected = session && rtc_session_is_connected (session);

  g_clear_pointer (&session, rtc_session_unref);
  gst_rtc_track_get_stats (priv->video, &video);
  gst_rtc_track_get_stats (priv->audio, &audio);
  if (video.buffers + audio.buffers != priv->heard_units ||
      now > priv->last_push_tick + GST_SECOND)
    priv->heard_at = now;
  priv->heard_units = video.buffers + audio.buffers;
  priv->last_push_tick = now;
  return connected && now >= priv->heard_at + ALL_SILENT &&
      now < priv->heard_at + HELD_BACK;
}

static gboolean
has_session (GstRecWebrtcSrc *self)
{
  RtcSession *session = gst_rec_webrtc_src_peek_session (self);
  gboolean has = session != NULL;

  g_clear_pointer (&session, rtc_session_unref);
  return has;
}

static GstClockTime
get_playing_time (GstRecWebrtcSrc *self)
{
  return GST_STATE (self) == GST_STATE_PLAYING
      ? gst_element_get_current_running_time (GST_ELEMENT (self))
      : GST_CLOCK_TIME_NONE;
}

/* On the pushing thread. While no peer is there, nothing wakes up: the timer
 * stops. */
static gboolean
on_push_timer (gpointer data)
{
  GstRecWebrtcSrc *self = data;
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  GstClockTime now = get_playing_time (self);
  gboolean needed;

  if (GST_CLOCK_TIME_IS_VALID (now) && may_be_held_back (self, now))
    now = GST_CLOCK_TIME_NONE;
  needed = gst_rtc_track_tick (priv->video, now);
  needed |= gst_rtc_track_tick (priv->audio, now);
  if (!needed && !has_session (self))
    rec_worker_clear_timeout (&priv->push_timer);
  return G_SOURCE_CONTINUE;
}

/* On the pushing thread. */
static gboolean
push_now (gpointer data)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (data);

  if (!priv->pushing)
    return G_SOURCE_REMOVE;
  if (!priv->push_timer) {
    priv->push_timer = rec_worker_add_tick (
        priv->pusher, GST_REC_WEBRTC_SRC_TICK_MS, on_push_timer, data, NULL);
    /* The pause of the timer is not one of the process. */
    priv->last_push_tick = get_playing_time (data);
  }
  on_push_timer (data);
  return G_SOURCE_REMOVE;
}

void
gst_rec_webrtc_src_wake_tracks (GstRecWebrtcSrc *self)
{
  /* There is no worker to release the reference below. */
  if (GST_STATE (self) < GST_STATE_PAUSED &&
      GST_STATE_NEXT (self) != GST_STATE_PAUSED)
    return;
  rec_worker_invoke (
      PRIV (self)->pusher, push_now, gst_object_ref (self), gst_object_unref);
}

/* --- states --- */

static void
start (gpointer data)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (data);
  GstRecWebrtcSrcClass *klass = GST_REC_WEBRTC_SRC_GET_CLASS (data);

  priv->accepting = TRUE;
  gst_rec_webrtc_src_set_source (data, NULL);
  if (klass->start)
    klass->start (data);
}

static void
stop (gpointer data)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (data);
  GstRecWebrtcSrcClass *klass = GST_REC_WEBRTC_SRC_GET_CLASS (data);

  priv->accepting = FALSE;
  rec_worker_clear_timeout (&priv->tick);
  if (klass->stop)
    klass->stop (data);
  gst_rec_webrtc_src_end_session (data, "the recorder stopped");
}

static gboolean
start_pushing (gpointer data)
{
  PRIV (data)->pushing = TRUE;
  return push_now (data);
}

static void
stop_pushing (gpointer data)
{
  PRIV (data)->pushing = FALSE;
  rec_worker_clear_timeout (&PRIV (data)->push_timer);
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
check_ice_settings (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  GError *error = NULL;
  gboolean ok;

  GST_OBJECT_LOCK (self);
  ok = rtc_ice_settings_check (priv->port_range, priv->public_address, &error);
  GST_OBJECT_UNLOCK (self);
  if (ok)
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS, ("%s", error->message), (NULL));
  g_error_free (error);
  return FALSE;
}

static gboolean
open_workers (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (self);
  GstRecWebrtcSrcClass *klass = GST_REC_WEBRTC_SRC_GET_CLASS (self);
  GError *error = NULL;

  if (!check_ice_settings (self))
    return FALSE;
  if (klass->needs_thread)
    rec_worker_start (priv->control, "rec-webrtc");
  else
    rec_worker_start_shared (priv->control, REC_TASKS_CONTROL);
  rec_worker_start_shared (priv->pusher, REC_TASKS_MEDIA);
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
      /* Does not wait: downstream may block the pusher until the pipeline is
       * PLAYING. */
      rec_worker_invoke (priv->pusher, start_pushing, self, NULL);
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

/* EOS from the application (Ctrl+C of gst-launch-1.0 -e) is sent on both pads,
 * in order with the buffers. */
static gboolean
gst_rec_webrtc_src_send_event (GstElement *element, GstEvent *event)
{
  GstRecWebrtcSrc *self = GST_REC_WEBRTC_SRC (element);

  if (GST_EVENT_TYPE (event) != GST_EVENT_EOS)
    return GST_ELEMENT_CLASS (gst_rec_webrtc_src_parent_class)
        ->send_event (element, event);
  gst_event_unref (event);
  /* There is no stream to end yet. */
  if (GST_STATE (element) < GST_STATE_PAUSED)
    return FALSE;
  gst_rec_webrtc_src_finish_tracks (self);
  return TRUE;
}

/* An error inside a session ends only that session. */
static void
gst_rec_webrtc_src_handle_message (GstBin *bin, GstMessage *message)
{
  RtcSession *session;
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
  if (session && rtc_session_owns (session, GST_MESSAGE_SRC (message)))
    rtc_session_fail (session, error->message);
  g_clear_pointer (&session, rtc_session_unref);
  g_error_free (error);
  g_free (debug);
  gst_message_unref (message);
}

/* --- GObject --- */

static void
keyframe_wanted (GstRtcTrack *track, gpointer user_data)
{
  RtcSession *session = gst_rec_webrtc_src_peek_session (user_data);

  if (!session)
    return;
  rtc_session_request_keyframe (session);
  rtc_session_unref (session);
}

static void
gst_rec_webrtc_src_finalize (GObject *object)
{
  GstRecWebrtcSrcPrivate *priv = PRIV (GST_REC_WEBRTC_SRC (object));

  rec_worker_free (priv->control);
  rec_worker_free (priv->pusher);
  g_mutex_clear (&priv->session_lock);
  g_free (priv->remote);
  g_free (priv->refused);
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
  GST_DEBUG_CATEGORY_INIT (gst_rec_webrtc_src_debug, "recwebrtcsrc", 0,
      "WebRTC source for recording");
}

static GstRtcTrack *
add_track (GstRecWebrtcSrc *self, const gchar *kind,
    GstStaticPadTemplate *static_template, guint group_id)
{
  GstRtcTrack *track = gst_rtc_track_new (kind, group_id);
  GstPad *target = gst_element_get_static_pad (GST_ELEMENT (track), "src");
  GstPadTemplate *template = gst_static_pad_template_get (static_template);

  gst_rtc_track_set_keyframe_func (track, keyframe_wanted, self);
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
  /* The sinks and sources inside webrtcbin must not affect the state of this
   * bin. */
  gst_bin_set_suppressed_flags (
      GST_BIN (self), GST_ELEMENT_FLAG_SOURCE | GST_ELEMENT_FLAG_SINK);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SOURCE);
  priv->video = add_track (self, "video", &video_template, group_id);
  priv->audio = add_track (self, "audio", &audio_template, group_id);
  gst_rec_webrtc_src_init_props (self);
}
