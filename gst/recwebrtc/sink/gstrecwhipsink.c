/* gst-tsrec: WHIP client that publishes H.264 and Opus
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-recwhipsink
 * @title: recwhipsink
 * @short_description: publishes H.264 and Opus to a WHIP server
 * @see_also: recwhipsrc
 *
 * Publishes encoded media over WHIP (RFC 9725). The request pads `video` and
 * `audio` accept H.264 and Opus, which the element parses and payloads. Upstream
 * never waits: packets are dropped until the connection is there, and then a key
 * frame is requested. Input that is not live is paced by the clock. If the server
 * cannot be reached, the element tries again for `retry-timeout`. The session is
 * DELETEd at EOS and when the element stops. The EOS message is posted after the
 * DELETE.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -e recwhipsink name=p location=http://127.0.0.1:8080/whip \
 *     videotestsrc is-live=true ! x264enc tune=zerolatency key-int-max=50 ! \
 *     video/x-h264,profile=constrained-baseline ! p. \
 *     audiotestsrc is-live=true ! opusenc ! p.
 * ]|
 */

#include "config.h"

#include "gstrecwhipsink.h"
#include "rtcicesettings.h"
#include "rtcproperties.h"
#include "rtcpublisher.h"
#include "whiptoken.h"

GST_DEBUG_CATEGORY_STATIC (gst_rec_whip_sink_debug);
#define GST_CAT_DEFAULT gst_rec_whip_sink_debug

#define DEFAULT_RETRY_TIMEOUT (10 * GST_SECOND)

enum
{
  PROP_0,
  PROP_CLIENT, /* RTC_CLIENT_N_PROPERTIES of them */
  PROP_STUN_SERVER = PROP_CLIENT + RTC_CLIENT_N_PROPERTIES,
  PROP_TURN_SERVER,
  PROP_PORT_RANGE,
  PROP_PUBLIC_ADDRESS,
  PROP_STATS,
};

struct _GstRecWhipSink
{
  GstBin parent;

  /* protected by the object lock */
  RtcClientProperties properties;
  gchar *token; /* of either property, from READY on; NULL: none */
  gchar *stun_server;
  gchar *turn_server;
  gchar *port_range;
  gchar *public_address;

  RecWorker *worker; /* control thread */
  RtcPublisher *publisher;
};

G_DEFINE_TYPE (GstRecWhipSink, gst_rec_whip_sink, GST_TYPE_BIN);
GST_ELEMENT_REGISTER_DEFINE (
    recwhipsink, "recwhipsink", GST_RANK_NONE, GST_TYPE_REC_WHIP_SINK);

static GstStaticPadTemplate video_template = GST_STATIC_PAD_TEMPLATE (
    "video", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS ("video/x-h264"));
static GstStaticPadTemplate audio_template =
    GST_STATIC_PAD_TEMPLATE ("audio", GST_PAD_SINK, GST_PAD_REQUEST,
        GST_STATIC_CAPS ("audio/x-opus, channel-mapping-family=(int)0"));

/* --- tracks; on streaming threads --- */

static void
output_ready (RtcPayChain *output, gpointer user_data)
{
  GstRecWhipSink *self = user_data;

  rtc_publisher_track_ready (self->publisher);
}

static void
output_eos (RtcPayChain *output, gpointer user_data)
{
  GstRecWhipSink *self = user_data;

  rtc_publisher_track_eos (self->publisher);
}

/* --- GstElement --- */

static GstPad *
gst_rec_whip_sink_request_new_pad (GstElement *element,
    GstPadTemplate *template, const gchar *name, const GstCaps *caps)
{
  static const RtcPayChainCallbacks callbacks = { output_ready, output_eos };
  GstRecWhipSink *self = GST_REC_WHIP_SINK (element);
  const gchar *kind = GST_PAD_TEMPLATE_NAME_TEMPLATE (template);
  GstPad *pad = gst_element_get_static_pad (element, kind), *target;
  RtcPayChain *output;
  GError *error = NULL;

  if (pad || GST_STATE (element) > GST_STATE_READY)
    goto not_now;
  output = rtc_pay_chain_new (GST_BIN (self), kind, &callbacks, self, &error);
  if (!output)
    goto failed;
  target = rtc_pay_chain_get_sink_pad (output);
  pad = gst_ghost_pad_new_from_template (kind, target, template);
  gst_object_unref (target);
  g_object_set_data (G_OBJECT (pad), "rec-output", output);
  rtc_publisher_add_track (self->publisher, output);
  gst_element_add_pad (element, pad);
  return pad;

  /* ERRORS */
not_now:
  GST_ELEMENT_WARNING (self, CORE, PAD,
      ("The pad %s cannot be requested. Request each pad once, while the "
       "element is in NULL or READY.",
          kind),
      (NULL));
  gst_clear_object (&pad);
  return NULL;
failed:
  GST_ELEMENT_ERROR (
      self, CORE, MISSING_PLUGIN, ("%s", error->message), (NULL));
  g_error_free (error);
  return NULL;
}

static void
gst_rec_whip_sink_release_pad (GstElement *element, GstPad *pad)
{
  GstRecWhipSink *self = GST_REC_WHIP_SINK (element);
  RtcPayChain *output = g_object_get_data (G_OBJECT (pad), "rec-output");

  rtc_publisher_remove_track (self->publisher, output);
  gst_pad_set_active (pad, FALSE);
  gst_ghost_pad_set_target (GST_GHOST_PAD (pad), NULL);
  gst_element_remove_pad (element, pad);
  rtc_pay_chain_free (output);
}

static gboolean
load_token (GstRecWhipSink *self, GError **error)
{
  gchar *token, *file;
  gboolean loaded;

  GST_OBJECT_LOCK (self);
  token = g_strdup (self->properties.auth_token);
  file = g_strdup (self->properties.auth_token_file);
  g_clear_pointer (&self->token, g_free);
  GST_OBJECT_UNLOCK (self);
  loaded = whip_token_load (token, file, &self->token, error);
  g_free (token);
  g_free (file);
  return loaded;
}

/* Returns FALSE with @error if a property has no valid value. */
static gboolean
check_properties (GstRecWhipSink *self, GError **error)
{
  gboolean located, ok;

  GST_OBJECT_LOCK (self);
  located = self->properties.location && *self->properties.location;
  ok = rtc_ice_settings_check (
      self->port_range, self->public_address, located ? error : NULL);
  GST_OBJECT_UNLOCK (self);
  if (located)
    return ok && load_token (self, error);
  g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      "No location to publish to. Set location to the URL of a WHIP endpoint, "
      "for example http://127.0.0.1:8080/whip.");
  return FALSE;
}

static gboolean
open_sink (GstRecWhipSink *self)
{
  GError *error = NULL;
  gint code = GST_RESOURCE_ERROR_SETTINGS;

  if (check_properties (self, &error)) {
    rec_worker_start (self->worker, "rec-publish");
    return TRUE;
  }
  if (error->domain == GST_RESOURCE_ERROR)
    code = error->code;
  gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR,
      GST_RESOURCE_ERROR, code, g_strdup (error->message), NULL, __FILE__,
      G_STRFUNC, __LINE__);
  g_error_free (error);
  return FALSE;
}

static void
start (GstRecWhipSink *self)
{
  RtcPublisherConfig config;

  GST_OBJECT_LOCK (self);
  config = (RtcPublisherConfig){
    .location = g_strdup (self->properties.location),
    .token = g_strdup (self->token),
    .insecure_tls = self->properties.insecure_tls,
    .retry_timeout = self->properties.retry_timeout,
    .stun_server = g_strdup (self->stun_server),
    .turn_server = g_strdup (self->turn_server),
    .port_range = g_strdup (self->port_range),
    .public_address = g_strdup (self->public_address),
  };
  GST_OBJECT_UNLOCK (self);
  rtc_publisher_start (self->publisher, &config);
  g_free ((gchar *)config.location);
  g_free ((gchar *)config.token);
  g_free ((gchar *)config.stun_server);
  g_free ((gchar *)config.turn_server);
  g_free ((gchar *)config.port_range);
  g_free ((gchar *)config.public_address);
}

static GstStateChangeReturn
gst_rec_whip_sink_change_state (GstElement *element, GstStateChange transition)
{
  GstRecWhipSink *self = GST_REC_WHIP_SINK (element);
  GstStateChangeReturn ret;

  switch (transition) {
    case GST_STATE_CHANGE_NULL_TO_READY:
      if (!open_sink (self))
        return GST_STATE_CHANGE_FAILURE;
      break;
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      start (self);
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      rtc_publisher_stop (self->publisher);
      break;
    default:
      break;
  }
  ret = GST_ELEMENT_CLASS (gst_rec_whip_sink_parent_class)
            ->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    rec_worker_stop (self->worker);
  /* No child prerolls, although webrtcbin returns NO_PREROLL for its sources. */
  if (ret == GST_STATE_CHANGE_NO_PREROLL)
    ret = GST_STATE_CHANGE_SUCCESS;
  return ret;
}

/* --- properties --- */

static gchar **
string_field (GstRecWhipSink *self, guint id)
{
  switch (id) {
    case PROP_STUN_SERVER:
      return &self->stun_server;
    case PROP_TURN_SERVER:
      return &self->turn_server;
    case PROP_PORT_RANGE:
      return &self->port_range;
    case PROP_PUBLIC_ADDRESS:
      return &self->public_address;
    default:
      return NULL;
  }
}

static void
gst_rec_whip_sink_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstRecWhipSink *self = GST_REC_WHIP_SINK (object);
  gchar **field = string_field (self, id);

  GST_OBJECT_LOCK (self);
  if (field) {
    g_free (*field);
    *field = g_value_dup_string (value);
  } else if (!rtc_client_properties_set (
                 &self->properties, id - PROP_CLIENT, value)) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_rec_whip_sink_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstRecWhipSink *self = GST_REC_WHIP_SINK (object);
  gchar **field = string_field (self, id);

  if (id == PROP_STATS) {
    GstStructure *stats =
        gst_structure_new_empty ("application/x-recwhipsink-stats");

    rtc_publisher_add_stats (self->publisher, stats);
    g_value_take_boxed (value, stats);
    return;
  }
  GST_OBJECT_LOCK (self);
  if (field)
    g_value_set_string (value, *field);
  else if (!rtc_client_properties_get (
               &self->properties, id - PROP_CLIENT, value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
install_properties (GObjectClass *klass)
{
  rtc_client_properties_install (klass, PROP_CLIENT,
      "URL of the WHIP endpoint to publish to",
      "How long to try again while the server is not there or busy, in "
      "nanoseconds",
      DEFAULT_RETRY_TIMEOUT);
  rtc_ice_properties_install (klass, PROP_STUN_SERVER);
  /**
   * GstRecWhipSink:stats:
   *
   * `connected` (gboolean), `session-url` (string), and per track
   * `video-packets`, `video-bytes`, `audio-packets`, `audio-bytes` (guint64,
   * sent RTP). Type: #GstStructure.
   */
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics", "What has been sent",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

/* --- GObject --- */

static void
gst_rec_whip_sink_finalize (GObject *object)
{
  GstRecWhipSink *self = GST_REC_WHIP_SINK (object);

  rec_worker_free (self->worker);
  rtc_publisher_free (self->publisher);
  rtc_client_properties_clear (&self->properties);
  g_free (self->token);
  g_free (self->stun_server);
  g_free (self->turn_server);
  g_free (self->port_range);
  g_free (self->public_address);
  G_OBJECT_CLASS (gst_rec_whip_sink_parent_class)->finalize (object);
}

static void
gst_rec_whip_sink_class_init (GstRecWhipSinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  object_class->set_property = gst_rec_whip_sink_set_property;
  object_class->get_property = gst_rec_whip_sink_get_property;
  object_class->finalize = gst_rec_whip_sink_finalize;
  element_class->request_new_pad = gst_rec_whip_sink_request_new_pad;
  element_class->release_pad = gst_rec_whip_sink_release_pad;
  element_class->change_state = gst_rec_whip_sink_change_state;
  gst_element_class_add_static_pad_template (element_class, &video_template);
  gst_element_class_add_static_pad_template (element_class, &audio_template);
  gst_element_class_set_static_metadata (element_class, "WHIP client sink",
      "Sink/Network", "Publishes H.264 and Opus by WHIP (RFC 9725)",
      "The gst-tsrec authors");
  install_properties (object_class);
  GST_DEBUG_CATEGORY_INIT (
      gst_rec_whip_sink_debug, "recwhipsink", 0, "WHIP client sink");
}

static void
gst_rec_whip_sink_init (GstRecWhipSink *self)
{
  self->properties.retry_timeout = DEFAULT_RETRY_TIMEOUT;
  self->worker = rec_worker_new ();
  self->publisher =
      rtc_publisher_new (GST_BIN (self), self->worker, GST_CAT_DEFAULT);
  /* The sinks inside post no EOS message; RtcPublisher posts it. */
  gst_bin_set_suppressed_flags (
      GST_BIN (self), GST_ELEMENT_FLAG_SOURCE | GST_ELEMENT_FLAG_SINK);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SINK);
}
