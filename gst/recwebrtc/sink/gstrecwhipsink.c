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
 * Publishes what is encoded already (RFC 9725): the request pads `video` and
 * `audio` take H.264 and Opus, parse and payload it. Upstream is never kept
 * waiting: until the connection is there, packets are dropped, and then a key
 * frame is asked for. Input that is not live is paced by the clock. A server
 * that is not there yet is tried again for `retry-timeout`. At EOS and at stop
 * the session is DELETEd; the EOS message follows that.
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

#include "gstrecwhipsink-private.h"
#include "rtcicesettings.h"
#include "whiptoken.h"

GST_DEBUG_CATEGORY (gst_rec_whip_sink_debug);
#define GST_CAT_DEFAULT gst_rec_whip_sink_debug

#define DEFAULT_RETRY_TIMEOUT (10 * GST_SECOND)

enum
{
  PROP_0,
  PROP_LOCATION,
  PROP_AUTH_TOKEN,
  PROP_AUTH_TOKEN_FILE,
  PROP_STUN_SERVER,
  PROP_TURN_SERVER,
  PROP_PORT_RANGE,
  PROP_PUBLIC_ADDRESS,
  PROP_RETRY_TIMEOUT,
  PROP_INSECURE_TLS,
  PROP_STATS,
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
  gst_rec_whip_sink_invoke (user_data, gst_rec_whip_sink_check_ready);
}

static void
output_eos (RtcPayChain *output, gpointer user_data)
{
  gst_rec_whip_sink_invoke (user_data, gst_rec_whip_sink_check_eos);
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
  GST_OBJECT_LOCK (self);
  self->outputs = g_list_append (self->outputs, output);
  GST_OBJECT_UNLOCK (self);
  gst_element_add_pad (element, pad);
  return pad;

  /* ERRORS */
not_now:
  GST_ELEMENT_WARNING (self, CORE, PAD,
      ("The pad %s cannot be requested: there is one of each kind, and only "
       "before the element runs.",
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

  GST_OBJECT_LOCK (self);
  self->outputs = g_list_remove (self->outputs, output);
  GST_OBJECT_UNLOCK (self);
  gst_pad_set_active (pad, FALSE);
  gst_ghost_pad_set_target (GST_GHOST_PAD (pad), NULL);
  gst_element_remove_pad (element, pad);
  rtc_pay_chain_free (output);
}

static gboolean
has_location (GstRecWhipSink *self)
{
  gboolean has;

  GST_OBJECT_LOCK (self);
  has = self->location && *self->location;
  GST_OBJECT_UNLOCK (self);
  if (!has)
    GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND,
        ("No location to publish to. Set location to the URL of a WHIP "
         "endpoint, for example http://127.0.0.1:8080/whip."),
        (NULL));
  return has;
}

static gboolean
load_token (GstRecWhipSink *self)
{
  GError *error = NULL;
  gchar *token, *file;

  GST_OBJECT_LOCK (self);
  token = g_strdup (self->auth_token);
  file = g_strdup (self->auth_token_file);
  g_clear_pointer (&self->token, g_free);
  GST_OBJECT_UNLOCK (self);
  if (!whip_token_load (token, file, &self->token, &error)) {
    GST_ELEMENT_ERROR (
        self, RESOURCE, SETTINGS, ("%s", error->message), (NULL));
    g_error_free (error);
    g_free (token);
    g_free (file);
    return FALSE;
  }
  g_free (token);
  g_free (file);
  return TRUE;
}

static gboolean
check_ice_settings (GstRecWhipSink *self)
{
  GError *error = NULL;
  gboolean ok;

  GST_OBJECT_LOCK (self);
  ok = rtc_ice_settings_check (self->port_range, self->public_address, &error);
  GST_OBJECT_UNLOCK (self);
  if (ok)
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS, ("%s", error->message), (NULL));
  g_error_free (error);
  return FALSE;
}

static GstStateChangeReturn
gst_rec_whip_sink_change_state (GstElement *element, GstStateChange transition)
{
  GstRecWhipSink *self = GST_REC_WHIP_SINK (element);
  GstStateChangeReturn ret;

  switch (transition) {
    case GST_STATE_CHANGE_NULL_TO_READY:
      if (!has_location (self) || !load_token (self) ||
          !check_ice_settings (self))
        return GST_STATE_CHANGE_FAILURE;
      rec_worker_start (self->worker, "rec-publish");
      break;
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      rec_worker_call (self->worker, gst_rec_whip_sink_start, self);
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      rec_worker_call (self->worker, gst_rec_whip_sink_stop, self);
      break;
    default:
      break;
  }
  ret = GST_ELEMENT_CLASS (gst_rec_whip_sink_parent_class)
            ->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    rec_worker_stop (self->worker);
  /* Nothing in here prerolls, whatever webrtcbin says of its sources. */
  if (ret == GST_STATE_CHANGE_NO_PREROLL)
    ret = GST_STATE_CHANGE_SUCCESS;
  return ret;
}

/* --- properties --- */

static GstStructure *
get_stats (GstRecWhipSink *self)
{
  GstStructure *s = gst_structure_new_empty ("application/x-recwhipsink-stats");
  GList *l, *outputs = gst_rec_whip_sink_copy_outputs (self);

  GST_OBJECT_LOCK (self);
  gst_structure_set (s, "connected", G_TYPE_BOOLEAN, self->connected,
      "session-url", G_TYPE_STRING, self->session ? self->session : "", NULL);
  GST_OBJECT_UNLOCK (self);
  for (l = outputs; l; l = l->next) {
    gchar *packets_name =
        g_strconcat (rtc_pay_chain_get_kind (l->data), "-packets", NULL);
    gchar *bytes_name =
        g_strconcat (rtc_pay_chain_get_kind (l->data), "-bytes", NULL);
    guint64 packets, bytes;

    rtc_pay_chain_get_stats (l->data, &packets, &bytes);
    gst_structure_set (s, packets_name, G_TYPE_UINT64, packets, bytes_name,
        G_TYPE_UINT64, bytes, NULL);
    g_free (packets_name);
    g_free (bytes_name);
  }
  g_list_free (outputs);
  return s;
}

static gchar **
string_field (GstRecWhipSink *self, guint id)
{
  switch (id) {
    case PROP_LOCATION:
      return &self->location;
    case PROP_AUTH_TOKEN:
      return &self->auth_token;
    case PROP_AUTH_TOKEN_FILE:
      return &self->auth_token_file;
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
  } else if (id == PROP_RETRY_TIMEOUT) {
    self->retry_timeout = g_value_get_uint64 (value);
  } else if (id == PROP_INSECURE_TLS) {
    self->insecure_tls = g_value_get_boolean (value);
  } else {
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
    g_value_take_boxed (value, get_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  if (field)
    g_value_set_string (value, *field);
  else if (id == PROP_RETRY_TIMEOUT)
    g_value_set_uint64 (value, self->retry_timeout);
  else if (id == PROP_INSECURE_TLS)
    g_value_set_boolean (value, self->insecure_tls);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  /**
   * GstRecWhipSink:location:
   *
   * URL of the WHIP endpoint. Type: string. No default: the element does not
   * go to READY without it.
   */
  g_object_class_install_property (klass, PROP_LOCATION,
      g_param_spec_string ("location", "Location",
          "URL of the WHIP endpoint to publish to", NULL, flags));
  /**
   * GstRecWhipSink:auth-token:
   *
   * Bearer token to send (RFC 6750). Type: string. Default: none. Redirects
   * get it too, except from HTTPS to HTTP.
   */
  g_object_class_install_property (klass, PROP_AUTH_TOKEN,
      g_param_spec_string ("auth-token", "Authentication token",
          "Bearer token to send to the server", NULL, flags));
  /**
   * GstRecWhipSink:auth-token-file:
   *
   * File with the token, for that a command line is there for everybody to see.
   * White space around the token is left out. Type: string. Default: none. Read
   * from NULL to READY; one that cannot be read, or is set beside
   * #GstRecWhipSink:auth-token, is an error.
   */
  g_object_class_install_property (klass, PROP_AUTH_TOKEN_FILE,
      g_param_spec_string ("auth-token-file", "Authentication token file",
          "File to read the bearer token from, instead of auth-token", NULL,
          flags));
  /**
   * GstRecWhipSink:stun-server:
   *
   * STUN server, "stun://host:port". Type: string. Default: none.
   */
  g_object_class_install_property (klass, PROP_STUN_SERVER,
      g_param_spec_string ("stun-server", "STUN server",
          "STUN server, stun://host:port; none: only addresses of this host",
          NULL, flags));
  /**
   * GstRecWhipSink:turn-server:
   *
   * TURN server, "turn://user:password@host:port". Type: string. Default:
   * none.
   */
  g_object_class_install_property (klass, PROP_TURN_SERVER,
      g_param_spec_string ("turn-server", "TURN server",
          "TURN server, turn(s)://user:password@host:port; none: no relaying",
          NULL, flags));
  rtc_ice_settings_install_properties (
      klass, PROP_PORT_RANGE, PROP_PUBLIC_ADDRESS);
  /**
   * GstRecWhipSink:retry-timeout:
   *
   * How long to try again while the server cannot be reached or is busy, in
   * nanoseconds. Type: guint64. Default: 10 s. 0: try once.
   */
  g_object_class_install_property (klass, PROP_RETRY_TIMEOUT,
      g_param_spec_uint64 ("retry-timeout", "Retry timeout",
          "How long to try again while the server is not there or busy, in "
          "nanoseconds",
          0, G_MAXUINT64, DEFAULT_RETRY_TIMEOUT, flags));
  /**
   * GstRecWhipSink:insecure-tls:
   *
   * Take any certificate of an HTTPS server, for tests with a self-signed one.
   * Type: gboolean. Default: FALSE.
   */
  g_object_class_install_property (klass, PROP_INSECURE_TLS,
      g_param_spec_boolean ("insecure-tls", "Insecure TLS",
          "Take any certificate of an HTTPS server", FALSE, flags));
  /**
   * GstRecWhipSink:stats:
   *
   * `connected` (gboolean), `session-url` (string), and per track
   * `video-packets`, `video-bytes`, `audio-packets`, `audio-bytes` (guint64,
   * RTP that was sent). Type: #GstStructure.
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
  g_free (self->location);
  g_free (self->auth_token);
  g_free (self->auth_token_file);
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
  self->retry_timeout = DEFAULT_RETRY_TIMEOUT;
  self->worker = rec_worker_new ();
  /* The sinks inside never say EOS; the element says it itself. */
  gst_bin_set_suppressed_flags (
      GST_BIN (self), GST_ELEMENT_FLAG_SOURCE | GST_ELEMENT_FLAG_SINK);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SINK);
}
