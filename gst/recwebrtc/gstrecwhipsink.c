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
 * gst-launch-1.0 -e recwhipsink name=p location=http://127.0.0.1:8080/whip
 * videotestsrc is-live=true ! x264enc tune=zerolatency key-int-max=50 !
 * video/x-h264,profile=constrained-baseline ! p. audiotestsrc is-live=true !
 * opusenc ! p.
 * ]|
 */

#include "config.h"

#include "gstrecwhipsink.h"
#include "recoutput.h"
#include "recworker.h"
#include "sdputil.h"
#include "webrtcutil.h"
#include "whipclient.h"

GST_DEBUG_CATEGORY_STATIC (rec_whip_sink_debug);
#define GST_CAT_DEFAULT rec_whip_sink_debug

#define DEFAULT_RETRY_TIMEOUT (10 * GST_SECOND)

/* Tracks whose caps are not there by then are offered as they are expected. */
#define CAPS_TIMEOUT_MS 2000
#define GATHER_TIMEOUT_MS 2000
#define RETRY_FIRST_MS 100
#define RETRY_LAST_MS 2000
#define REMOVE_TIMEOUT_MS 2000

enum
{
  PROP_0,
  PROP_LOCATION,
  PROP_AUTH_TOKEN,
  PROP_STUN_SERVER,
  PROP_TURN_SERVER,
  PROP_RETRY_TIMEOUT,
  PROP_INSECURE_TLS,
  PROP_STATS,
};

struct _GstRecWhipSink
{
  GstBin parent;

  /* under the object lock */
  gchar *location;
  gchar *auth_token;
  gchar *stun_server;
  gchar *turn_server;
  GstClockTime retry_timeout;
  gboolean insecure_tls;
  GList *outputs;
  gboolean connected;
  gchar *session;

  /* control thread */
  RecWorker *worker;
  GstElement *webrtc;
  WhipClient *client;
  GObject *dtls;
  gchar *offer;
  gboolean running;
  gboolean offering;
  gboolean eos_posted;
  gint64 retry_until;
  guint retry_ms;
  GSource *timer;
};

G_DEFINE_TYPE (GstRecWhipSink, gst_rec_whip_sink, GST_TYPE_BIN);
GST_ELEMENT_REGISTER_DEFINE (
    recwhipsink, "recwhipsink", GST_RANK_NONE, GST_TYPE_REC_WHIP_SINK);

static GstStaticPadTemplate video_template = GST_STATIC_PAD_TEMPLATE (
    "video", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS ("video/x-h264"));
static GstStaticPadTemplate audio_template =
    GST_STATIC_PAD_TEMPLATE ("audio", GST_PAD_SINK, GST_PAD_REQUEST,
        GST_STATIC_CAPS ("audio/x-opus, channel-mapping-family=(int)0"));

static void
invoke (GstRecWhipSink *self, GSourceFunc function)
{
  rec_worker_invoke (
      self->worker, function, gst_object_ref (self), gst_object_unref);
}

/* A copy that stays valid while pads come and go. Free with g_list_free. */
static GList *
copy_outputs (GstRecWhipSink *self)
{
  GList *outputs;

  GST_OBJECT_LOCK (self);
  outputs = g_list_copy (self->outputs);
  GST_OBJECT_UNLOCK (self);
  return outputs;
}

static gboolean
all_outputs (GstRecWhipSink *self, gboolean (*is) (RecOutput *))
{
  GList *l, *outputs = copy_outputs (self);
  gboolean all = outputs != NULL;

  for (l = outputs; l && all; l = l->next)
    all = is (l->data);
  g_list_free (outputs);
  return all;
}

static void
each_output (GstRecWhipSink *self, void (*function) (RecOutput *))
{
  GList *outputs = copy_outputs (self);

  g_list_foreach (outputs, (GFunc)(void (*) (void))function, NULL);
  g_list_free (outputs);
}

/* --- timer; on the control thread --- */

static void
stop_timer (GstRecWhipSink *self)
{
  if (!self->timer)
    return;
  g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
}

static void
start_timer (GstRecWhipSink *self, guint ms, GSourceFunc function)
{
  stop_timer (self);
  self->timer = rec_worker_add_timeout (self->worker, ms, function, self, NULL);
}

/* --- the session; on the control thread --- */

static void
fail (GstRecWhipSink *self, const gchar *message)
{
  stop_timer (self);
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE, ("%s", message), (NULL));
}

static gboolean
became_connected (gpointer data)
{
  GstRecWhipSink *self = data;

  if (!self->running || !self->webrtc)
    return G_SOURCE_REMOVE;
  GST_INFO_OBJECT (self, "connected");
  GST_OBJECT_LOCK (self);
  self->connected = TRUE;
  GST_OBJECT_UNLOCK (self);
  /* The RTP session inside wants to know the latency for its sender reports,
   * also where nobody asks for it to be calculated anew. */
  gst_bin_recalculate_latency (GST_BIN (self));
  each_output (self, rec_output_open);
  return G_SOURCE_REMOVE;
}

static gboolean
became_disconnected (gpointer data)
{
  GstRecWhipSink *self = data;

  if (!self->running || !self->webrtc || self->eos_posted)
    return G_SOURCE_REMOVE;
  each_output (self, rec_output_close);
  fail (self,
      "The server closed the connection. Look at its log, and publish again.");
  return G_SOURCE_REMOVE;
}

static void
on_connection_state (
    GstElement *webrtc, GParamSpec *pspec, GstRecWhipSink *self)
{
  GstWebRTCPeerConnectionState state;

  g_object_get (webrtc, "connection-state", &state, NULL);
  if (state == GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED)
    invoke (self, became_connected);
  else if (state == GST_WEBRTC_PEER_CONNECTION_STATE_FAILED ||
      state == GST_WEBRTC_PEER_CONNECTION_STATE_CLOSED)
    invoke (self, became_disconnected);
}

static void
on_dtls_state (GObject *transport, GParamSpec *pspec, GstRecWhipSink *self)
{
  GstWebRTCDTLSTransportState state;

  g_object_get (transport, "state", &state, NULL);
  if (state == GST_WEBRTC_DTLS_TRANSPORT_STATE_CLOSED ||
      state == GST_WEBRTC_DTLS_TRANSPORT_STATE_FAILED)
    invoke (self, became_disconnected);
}

/* A server that goes says so in DTLS; the connection state stays as it is. */
static void
watch_dtls (GstRecWhipSink *self)
{
  GstWebRTCRTPTransceiver *transceiver = NULL;
  GstWebRTCRTPSender *sender = NULL;

  g_signal_emit_by_name (self->webrtc, "get-transceiver", 0, &transceiver);
  if (!transceiver)
    return;
  g_object_get (transceiver, "sender", &sender, NULL);
  if (sender)
    g_object_get (sender, "transport", &self->dtls, NULL);
  if (self->dtls)
    g_signal_connect (
        self->dtls, "notify::state", G_CALLBACK (on_dtls_state), self);
  g_clear_object (&sender);
  gst_object_unref (transceiver);
}

static gboolean post_offer (gpointer data);

static void
retry_later (GstRecWhipSink *self, const GError *error)
{
  GST_INFO_OBJECT (
      self, "trying again in %u ms: %s", self->retry_ms, error->message);
  start_timer (self, self->retry_ms, post_offer);
  self->retry_ms = MIN (2 * self->retry_ms, RETRY_LAST_MS);
}

static void
on_answer (WhipClient *client, const gchar *answer, const GError *error,
    gboolean temporary, gpointer user_data)
{
  GstRecWhipSink *self = user_data;
  GstSDPMessage *sdp;
  GError *reason = NULL;

  if (!answer) {
    if (temporary && g_get_monotonic_time () < self->retry_until)
      retry_later (self, error);
    else
      fail (self, error->message);
    return;
  }
  GST_OBJECT_LOCK (self);
  g_free (self->session);
  self->session = g_strdup (whip_client_get_session (client));
  GST_OBJECT_UNLOCK (self);
  sdp = sdp_util_parse (answer, strlen (answer), &reason);
  if (sdp)
    webrtc_util_set_remote (
        self->webrtc, GST_WEBRTC_SDP_TYPE_ANSWER, sdp, &reason);
  if (reason) {
    fail (self, reason->message);
    g_error_free (reason);
    return;
  }
  watch_dtls (self);
}

static gboolean
post_offer (gpointer data)
{
  GstRecWhipSink *self = data;

  stop_timer (self);
  whip_client_offer (self->client, self->offer, on_answer, self);
  return G_SOURCE_REMOVE;
}

static gboolean
gathered (gpointer data)
{
  GstRecWhipSink *self = data;

  if (!self->running || !self->webrtc || self->offer)
    return G_SOURCE_REMOVE;
  stop_timer (self);
  self->offer = webrtc_util_get_local_sdp (self->webrtc);
  post_offer (self);
  return G_SOURCE_REMOVE;
}

static void
on_gathering_state (GstElement *webrtc, GParamSpec *pspec, GstRecWhipSink *self)
{
  if (webrtc_util_is_gathered (webrtc))
    invoke (self, gathered);
}

static gboolean
make_offer (GstRecWhipSink *self, GError **error)
{
  GstWebRTCSessionDescription *offer = NULL;
  gboolean ok;

  if (!webrtc_util_run (self->webrtc, "create-offer", NULL, &offer, error))
    return FALSE;
  g_signal_connect (self->webrtc, "notify::ice-gathering-state",
      G_CALLBACK (on_gathering_state), self);
  ok = webrtc_util_run (
      self->webrtc, "set-local-description", offer, NULL, error);
  gst_webrtc_session_description_free (offer);
  if (!ok)
    return FALSE;
  if (webrtc_util_is_gathered (self->webrtc))
    invoke (self, gathered);
  else
    start_timer (self, GATHER_TIMEOUT_MS, gathered);
  return TRUE;
}

static gboolean
negotiate (gpointer data)
{
  GstRecWhipSink *self = data;
  GError *error = NULL;

  if (!self->running || !self->webrtc || self->offering)
    return G_SOURCE_REMOVE;
  self->offering = TRUE;
  stop_timer (self);
  if (!make_offer (self, &error)) {
    fail (self, error->message);
    g_error_free (error);
  }
  return G_SOURCE_REMOVE;
}

static gboolean
check_ready (gpointer data)
{
  GstRecWhipSink *self = data;

  if (all_outputs (self, rec_output_is_ready))
    negotiate (self);
  return G_SOURCE_REMOVE;
}

static void
make_client (GstRecWhipSink *self)
{
  GST_OBJECT_LOCK (self);
  self->client = whip_client_new (rec_worker_get_context (self->worker),
      self->location, self->auth_token, self->insecure_tls);
  self->retry_until =
      g_get_monotonic_time () + (gint64)(self->retry_timeout / GST_USECOND);
  GST_OBJECT_UNLOCK (self);
  self->retry_ms = RETRY_FIRST_MS;
}

static gboolean
make_webrtcbin (GstRecWhipSink *self, GError **error)
{
  GList *l, *outputs;

  self->webrtc = webrtc_util_make ("webrtcbin", error);
  if (!self->webrtc)
    return FALSE;
  gst_object_ref (self->webrtc);
  gst_bin_add (GST_BIN (self), self->webrtc);
  webrtc_util_configure (self->webrtc, self->stun_server, self->turn_server);
  g_signal_connect (self->webrtc, "notify::connection-state",
      G_CALLBACK (on_connection_state), self);
  gst_element_sync_state_with_parent (self->webrtc);
  outputs = copy_outputs (self);
  for (l = outputs; l; l = l->next)
    rec_output_link (l->data, self->webrtc);
  g_list_free (outputs);
  return TRUE;
}

static void
start (gpointer data)
{
  GstRecWhipSink *self = data;
  GError *error = NULL;

  self->running = TRUE;
  self->offering = self->eos_posted = FALSE;
  make_client (self);
  if (!make_webrtcbin (self, &error)) {
    fail (self, error->message);
    g_error_free (error);
    return;
  }
  start_timer (self, CAPS_TIMEOUT_MS, negotiate);
  if (all_outputs (self, rec_output_is_ready))
    invoke (self, negotiate);
}

/* --- the end --- */

static gboolean
finish_eos (gpointer data)
{
  GstRecWhipSink *self = data;

  stop_timer (self);
  if (!self->running)
    return G_SOURCE_REMOVE;
  gst_element_post_message (
      GST_ELEMENT (self), gst_message_new_eos (GST_OBJECT (self)));
  return G_SOURCE_REMOVE;
}

static void
on_removed (WhipClient *client, const GError *error, gpointer user_data)
{
  if (error)
    GST_WARNING_OBJECT (user_data, "DELETE failed: %s", error->message);
  finish_eos (user_data);
}

/* Every track is at its end: the session is given back, then EOS is posted. */
static gboolean
check_eos (gpointer data)
{
  GstRecWhipSink *self = data;

  if (!self->running || self->eos_posted ||
      !all_outputs (self, rec_output_is_eos))
    return G_SOURCE_REMOVE;
  self->eos_posted = TRUE;
  start_timer (self, REMOVE_TIMEOUT_MS, finish_eos);
  whip_client_remove (self->client, on_removed, self);
  return G_SOURCE_REMOVE;
}

static void
stop (gpointer data)
{
  GstRecWhipSink *self = data;
  GList *l, *outputs = copy_outputs (self);

  self->running = FALSE;
  each_output (self, rec_output_close);
  stop_timer (self);
  if (self->client)
    whip_client_remove_sync (self->client, REMOVE_TIMEOUT_MS);
  g_clear_pointer (&self->client, whip_client_free);
  if (self->dtls)
    g_signal_handlers_disconnect_by_data (self->dtls, self);
  g_clear_object (&self->dtls);
  if (self->webrtc) {
    g_signal_handlers_disconnect_by_data (self->webrtc, self);
    gst_element_set_locked_state (self->webrtc, TRUE);
    gst_element_set_state (self->webrtc, GST_STATE_NULL);
    for (l = outputs; l; l = l->next)
      rec_output_unlink (l->data, self->webrtc);
    gst_bin_remove (GST_BIN (self), self->webrtc);
    gst_clear_object (&self->webrtc);
  }
  each_output (self, rec_output_reset);
  g_list_free (outputs);
  g_clear_pointer (&self->offer, g_free);
  GST_OBJECT_LOCK (self);
  self->connected = FALSE;
  g_clear_pointer (&self->session, g_free);
  GST_OBJECT_UNLOCK (self);
}

/* --- tracks; on streaming threads --- */

static void
output_ready (RecOutput *output, gpointer user_data)
{
  invoke (user_data, check_ready);
}

static void
output_eos (RecOutput *output, gpointer user_data)
{
  invoke (user_data, check_eos);
}

/* --- GstElement --- */

static GstPad *
gst_rec_whip_sink_request_new_pad (GstElement *element,
    GstPadTemplate *template, const gchar *name, const GstCaps *caps)
{
  static const RecOutputCallbacks callbacks = { output_ready, output_eos };
  GstRecWhipSink *self = GST_REC_WHIP_SINK (element);
  const gchar *kind = GST_PAD_TEMPLATE_NAME_TEMPLATE (template);
  GstPad *pad = gst_element_get_static_pad (element, kind), *target;
  RecOutput *output;
  GError *error = NULL;

  if (pad || GST_STATE (element) > GST_STATE_READY)
    goto not_now;
  output = rec_output_new (GST_BIN (self), kind, &callbacks, self, &error);
  if (!output)
    goto failed;
  target = rec_output_get_sink_pad (output);
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
  RecOutput *output = g_object_get_data (G_OBJECT (pad), "rec-output");

  GST_OBJECT_LOCK (self);
  self->outputs = g_list_remove (self->outputs, output);
  GST_OBJECT_UNLOCK (self);
  gst_pad_set_active (pad, FALSE);
  gst_ghost_pad_set_target (GST_GHOST_PAD (pad), NULL);
  gst_element_remove_pad (element, pad);
  rec_output_free (output);
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

static GstStateChangeReturn
gst_rec_whip_sink_change_state (GstElement *element, GstStateChange transition)
{
  GstRecWhipSink *self = GST_REC_WHIP_SINK (element);
  GstStateChangeReturn ret;

  switch (transition) {
    case GST_STATE_CHANGE_NULL_TO_READY:
      if (!has_location (self))
        return GST_STATE_CHANGE_FAILURE;
      rec_worker_start (self->worker, "rec-publish");
      break;
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      rec_worker_call (self->worker, start, self);
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      rec_worker_call (self->worker, stop, self);
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
  GList *l, *outputs = copy_outputs (self);

  GST_OBJECT_LOCK (self);
  gst_structure_set (s, "connected", G_TYPE_BOOLEAN, self->connected,
      "session-url", G_TYPE_STRING, self->session ? self->session : "", NULL);
  GST_OBJECT_UNLOCK (self);
  for (l = outputs; l; l = l->next) {
    gchar *packets_name =
        g_strconcat (rec_output_get_kind (l->data), "-packets", NULL);
    gchar *bytes_name =
        g_strconcat (rec_output_get_kind (l->data), "-bytes", NULL);
    guint64 packets, bytes;

    rec_output_get_stats (l->data, &packets, &bytes);
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
    case PROP_STUN_SERVER:
      return &self->stun_server;
    case PROP_TURN_SERVER:
      return &self->turn_server;
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
  g_free (self->stun_server);
  g_free (self->turn_server);
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
      rec_whip_sink_debug, "recwhipsink", 0, "WHIP client sink");
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
