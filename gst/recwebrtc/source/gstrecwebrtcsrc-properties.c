/* gst-tsrec: properties of recwhipsrc and recwhepsrc
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecwebrtcsrc-private.h"
#include "rtclayers.h"
#include "rtcproperties.h"

#define DEFAULT_LATENCY 200
#define DEFAULT_MAX_BITRATE 0
#define DEFAULT_KEYFRAME_INTERVAL_MIN (500 * GST_MSECOND)
#define DEFAULT_PEER_TIMEOUT (10 * GST_SECOND)
#define DEFAULT_ON_LOSS GST_REC_WEBRTC_SRC_ON_LOSS_FREEZE
#define DEFAULT_ON_DISCONNECT GST_REC_WEBRTC_SRC_ON_DISCONNECT_WAIT

enum
{
  PROP_0,
  PROP_LATENCY,
  PROP_STUN_SERVER,
  PROP_TURN_SERVER,
  PROP_PORT_RANGE,
  PROP_PUBLIC_ADDRESS,
  PROP_VIDEO_CODECS,
  PROP_AUDIO_CODECS,
  PROP_MAX_BITRATE,
  PROP_ON_LOSS,
  PROP_KEYFRAME_INTERVAL_MIN,
  PROP_PEER_TIMEOUT,
  PROP_RETRANSMIT_VIDEO,
  PROP_RETRANSMIT_AUDIO,
  PROP_ON_DISCONNECT,
  PROP_STATS,
};

static GType
on_loss_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_REC_WEBRTC_SRC_ON_LOSS_FREEZE,
        "Drop pictures from a loss until the next key frame", "freeze" },
    { GST_REC_WEBRTC_SRC_ON_LOSS_KEEP, "Pass damaged pictures on", "keep" },
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
    { GST_REC_WEBRTC_SRC_ON_DISCONNECT_WAIT,
        "Keep the pads and wait for the next session", "wait" },
    { GST_REC_WEBRTC_SRC_ON_DISCONNECT_EOS, "End the stream", "eos" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstRecOnDisconnect", values));
  return type;
}

/* --- properties --- */

static void
add_track_stats (GstStructure *s, const gchar *kind, GstRtcTrack *track)
{
  GstRtcTrackStats stats;
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
    { "losses", &stats.losses },
  };

  gst_rtc_track_get_stats (track, &stats);
  for (i = 0; i < G_N_ELEMENTS (fields); i++) {
    name = g_strdup_printf ("%s-%s", kind, fields[i].name);
    gst_structure_set (s, name, G_TYPE_UINT64, *fields[i].value, NULL);
    g_free (name);
  }
}

static GstStructure *
get_stats (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = gst_rec_webrtc_src_priv (self);
  gchar *name = g_strdup_printf ("application/x-%s-stats",
      GST_OBJECT_NAME (gst_element_get_factory (GST_ELEMENT (self))));
  GstStructure *s = gst_structure_new_empty (name);
  RtcSession *session = gst_rec_webrtc_src_peek_session (self);

  g_free (name);
  gst_structure_set (s, "sessions", G_TYPE_UINT64,
      (guint64)(guint)g_atomic_int_get (&priv->sessions), "connected",
      G_TYPE_BOOLEAN, session && rtc_session_is_connected (session), NULL);
  if (session)
    rtc_session_add_stats (session, s);
  g_clear_pointer (&session, rtc_session_unref);
  add_track_stats (s, "video", priv->video);
  add_track_stats (s, "audio", priv->audio);
  return s;
}

static void
set_codecs (GstRecWebrtcSrc *self, const gchar *media, gchar **field,
    const GValue *value)
{
  GError *error = NULL;
  const RtcSdpCodec **list =
      rtc_sdp_parse_codecs (media, g_value_get_string (value), &error);

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
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstRecWebrtcSrc *self = GST_REC_WEBRTC_SRC (object);
  GstRecWebrtcSrcPrivate *priv = gst_rec_webrtc_src_priv (self);
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
    case PROP_PORT_RANGE:
      g_free (priv->port_range);
      priv->port_range = g_value_dup_string (value);
      break;
    case PROP_PUBLIC_ADDRESS:
      g_free (priv->public_address);
      priv->public_address = g_value_dup_string (value);
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
    case PROP_RETRANSMIT_VIDEO:
      priv->retransmit_video = g_value_get_boolean (value);
      break;
    case PROP_RETRANSMIT_AUDIO:
      priv->retransmit_audio = g_value_get_boolean (value);
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
    gst_rtc_track_set_latency (priv->video, latency * GST_MSECOND);
    gst_rtc_track_set_latency (priv->audio, latency * GST_MSECOND);
  }
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstRecWebrtcSrc *self = GST_REC_WEBRTC_SRC (object);
  GstRecWebrtcSrcPrivate *priv = gst_rec_webrtc_src_priv (self);

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
    case PROP_PORT_RANGE:
      g_value_set_string (value, priv->port_range);
      break;
    case PROP_PUBLIC_ADDRESS:
      g_value_set_string (value, priv->public_address);
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
    case PROP_RETRANSMIT_VIDEO:
      g_value_set_boolean (value, priv->retransmit_video);
      break;
    case PROP_RETRANSMIT_AUDIO:
      g_value_set_boolean (value, priv->retransmit_audio);
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

void
gst_rec_webrtc_src_install_props (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  klass->set_property = set_property;
  klass->get_property = get_property;
  gst_type_mark_as_plugin_api (on_loss_get_type (), 0);
  gst_type_mark_as_plugin_api (on_disconnect_get_type (), 0);

  /**
   * GstRecWebrtcSrc:latency:
   *
   * How long the jitter buffers wait for late packets, in milliseconds. Type:
   * guint. Range: 0 to 60000. Default: 200. The element reports this latency.
   * With 600 or more, bursts of loss do half the damage, and a recording is not
   * delayed by it.
   */
  g_object_class_install_property (klass, PROP_LATENCY,
      g_param_spec_uint ("latency", "Latency",
          "How long to wait for packets that are late, in milliseconds", 0,
          60000, DEFAULT_LATENCY, flags));
  rtc_ice_properties_install (klass, PROP_STUN_SERVER);
  /**
   * GstRecWebrtcSrc:video-codecs:
   *
   * Video codecs to accept, best first, separated by commas: H264, H265, VP8,
   * VP9, AV1. Type: string. Default: codecs that MPEG-TS carries. Empty: no
   * video. The caps of the video pad are those of the negotiated codec.
   */
  g_object_class_install_property (klass, PROP_VIDEO_CODECS,
      g_param_spec_string ("video-codecs", "Video codecs",
          "Video codecs to accept, best first, separated by commas "
          "(H264, H265, VP8, VP9, AV1)",
          RTC_SDP_DEFAULT_VIDEO_CODECS, flags));
  /**
   * GstRecWebrtcSrc:audio-codecs:
   *
   * Audio codecs to accept: OPUS. Type: string. Empty: no audio.
   */
  g_object_class_install_property (klass, PROP_AUDIO_CODECS,
      g_param_spec_string ("audio-codecs", "Audio codecs",
          "Audio codecs to accept, best first, separated by commas (OPUS)",
          RTC_SDP_DEFAULT_AUDIO_CODECS, flags));
  /**
   * GstRecWebrtcSrc:max-bitrate:
   *
   * Maximum bit rate of the peer's video, in bit/s: b=AS and b=TIAS (RFC 3890)
   * in our description. Type: guint. Default: 0, no limit.
   */
  g_object_class_install_property (klass, PROP_MAX_BITRATE,
      g_param_spec_uint ("max-bitrate", "Maximum bit rate",
          "Bit rate the peer may send video at, in bit/s (0: no limit)", 0,
          G_MAXUINT, DEFAULT_MAX_BITRATE, flags));
  /**
   * GstRecWebrtcSrc:on-loss:
   *
   * Handling of pictures after a loss that retransmission did not repair. Type:
   * enum. Default: freeze, which drops them up to the next random access point.
   */
  g_object_class_install_property (klass, PROP_ON_LOSS,
      g_param_spec_enum ("on-loss", "On loss",
          "What to do with pictures from a loss until the next key frame",
          on_loss_get_type (), DEFAULT_ON_LOSS, flags));
  /**
   * GstRecWebrtcSrc:keyframe-interval-min:
   *
   * Minimum time between two key frame requests to the peer, in nanoseconds.
   * Type: guint64. Default: 0.5 s. An earlier request is delayed until then.
   */
  g_object_class_install_property (klass, PROP_KEYFRAME_INTERVAL_MIN,
      g_param_spec_uint64 ("keyframe-interval-min",
          "Minimum key frame interval",
          "Ask for at most one key frame in this time, in nanoseconds", 0,
          G_MAXUINT64, DEFAULT_KEYFRAME_INTERVAL_MIN, flags));
  /**
   * GstRecWebrtcSrc:peer-timeout:
   *
   * The session ends if no packet arrives from the peer for this time, in
   * nanoseconds. Type: guint64. Default: 10 s. 0: never.
   */
  g_object_class_install_property (klass, PROP_PEER_TIMEOUT,
      g_param_spec_uint64 ("peer-timeout", "Peer timeout",
          "End the session when the peer has been silent for this time, in "
          "nanoseconds (0: never)",
          0, G_MAXUINT64, DEFAULT_PEER_TIMEOUT, flags));
  /**
   * GstRecWebrtcSrc:retransmit-video:
   *
   * Request retransmission of lost video packets (NACK, RFC 4585 and 4588),
   * while the latency allows. Type: gboolean. Default: TRUE.
   */
  g_object_class_install_property (klass, PROP_RETRANSMIT_VIDEO,
      g_param_spec_boolean ("retransmit-video", "Retransmit video",
          "Ask for lost packets of the video again", TRUE, flags));
  /**
   * GstRecWebrtcSrc:retransmit-audio:
   *
   * Request retransmission of lost audio packets. Type: gboolean. Default:
   * FALSE, because Opus conceals losses, and browsers do not offer
   * retransmission of audio.
   */
  g_object_class_install_property (klass, PROP_RETRANSMIT_AUDIO,
      g_param_spec_boolean ("retransmit-audio", "Retransmit audio",
          "Ask for lost packets of the audio again", FALSE, flags));
  /**
   * GstRecWebrtcSrc:on-disconnect:
   *
   * Action at the end of a session. Type: enum. Default: wait.
   */
  g_object_class_install_property (klass, PROP_ON_DISCONNECT,
      g_param_spec_enum ("on-disconnect", "On disconnect",
          "What to do when the session ends", on_disconnect_get_type (),
          DEFAULT_ON_DISCONNECT, flags));
  /**
   * GstRecWebrtcSrc:stats:
   *
   * Statistics of the reception. Type: #GstStructure. Any thread.
   */
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "What was negotiated, received and lost", GST_TYPE_STRUCTURE,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

void
gst_rec_webrtc_src_init_props (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = gst_rec_webrtc_src_priv (self);

  priv->latency = DEFAULT_LATENCY;
  priv->video_codecs = g_strdup (RTC_SDP_DEFAULT_VIDEO_CODECS);
  priv->audio_codecs = g_strdup (RTC_SDP_DEFAULT_AUDIO_CODECS);
  priv->simulcast_layer = g_strdup (RTC_LAYERS_HIGHEST);
  priv->max_bitrate = DEFAULT_MAX_BITRATE;
  priv->on_loss = DEFAULT_ON_LOSS;
  priv->keyframe_interval_min = DEFAULT_KEYFRAME_INTERVAL_MIN;
  priv->peer_timeout = DEFAULT_PEER_TIMEOUT;
  priv->retransmit_video = TRUE;
  priv->retransmit_audio = FALSE;
  priv->on_disconnect = DEFAULT_ON_DISCONNECT;
  gst_rtc_track_set_latency (priv->video, DEFAULT_LATENCY * GST_MSECOND);
  gst_rtc_track_set_latency (priv->audio, DEFAULT_LATENCY * GST_MSECOND);
}

void
gst_rec_webrtc_src_free_props (GstRecWebrtcSrc *self)
{
  GstRecWebrtcSrcPrivate *priv = gst_rec_webrtc_src_priv (self);

  g_free (priv->stun_server);
  g_free (priv->turn_server);
  g_free (priv->port_range);
  g_free (priv->public_address);
  g_free (priv->video_codecs);
  g_free (priv->audio_codecs);
  g_free (priv->simulcast_layer);
}
