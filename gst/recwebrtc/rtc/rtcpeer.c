/* gst-tsrec: one webrtcbin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One object from start to end: signals, states and descriptions share the life
 * of one webrtcbin, and their order is what matters.
 */

#include "config.h"

#include "rtcpeer.h"
#include "rtcdtlsverifier.h"
#include "rtcice.h"
#include "rtcicesettings.h"

/* A STUN server that does not answer must not delay the session any longer. */
#define GATHER_TIMEOUT_MS 2000

struct _RtcPeer
{
  gatomicrefcount refcount;
  GstBin *bin;
  GMainContext *context;
  RtcPeerConfig config; /* with strings of its own */
  RtcPeerCallbacks callbacks;
  gpointer user_data;

  /* control thread */
  GstElement *webrtc;
  RtcDtlsVerifier *verifier;
  GPtrArray *transports;   /* watched DTLS transports */
  GSource *gather_timeout; /* NULL: candidates are not waited for */
  gboolean gathered;
  gboolean ended;
  gboolean refused;
  gboolean closed;

  gint connected; /* atomic; set on the control thread */
};

RtcPeer *
rtc_peer_new (GstBin *bin, GMainContext *context, const RtcPeerConfig *config,
    const RtcPeerCallbacks *callbacks, gpointer user_data)
{
  RtcPeer *self = g_new0 (RtcPeer, 1);

  g_atomic_ref_count_init (&self->refcount);
  self->bin = bin;
  self->context = g_main_context_ref (context);
  self->config.category = config->category;
  self->config.log_prefix = g_strdup (config->log_prefix);
  self->config.stun_server = g_strdup (config->stun_server);
  self->config.turn_server = g_strdup (config->turn_server);
  self->config.port_range = g_strdup (config->port_range);
  self->config.public_address = g_strdup (config->public_address);
  self->callbacks = *callbacks;
  self->user_data = user_data;
  self->transports = g_ptr_array_new_with_free_func (g_object_unref);
  return self;
}

RtcPeer *
rtc_peer_ref (RtcPeer *self)
{
  g_atomic_ref_count_inc (&self->refcount);
  return self;
}

void
rtc_peer_unref (RtcPeer *self)
{
  if (!g_atomic_ref_count_dec (&self->refcount))
    return;
  g_ptr_array_unref (self->transports);
  g_clear_pointer (&self->gather_timeout, g_source_unref);
  g_main_context_unref (self->context);
  g_free ((gchar *)self->config.log_prefix);
  g_free ((gchar *)self->config.stun_server);
  g_free ((gchar *)self->config.turn_server);
  g_free ((gchar *)self->config.port_range);
  g_free ((gchar *)self->config.public_address);
  g_free (self);
}

/* GDestroyNotify */
static void
unref_data (gpointer data)
{
  rtc_peer_unref (data);
}

/* GClosureNotify */
static void
unref_closure (gpointer data, GClosure *closure)
{
  rtc_peer_unref (data);
}

/* @handler may still run while it is disconnected, so it holds a reference. */
static void
connect_signal (
    RtcPeer *self, gpointer object, const gchar *signal, GCallback handler)
{
  g_signal_connect_data (
      object, signal, handler, rtc_peer_ref (self), unref_closure, 0);
}

/* --- from the threads of webrtcbin to the control thread --- */

typedef struct
{
  RtcPeer *peer;
  void (*function) (RtcPeer *peer, const gchar *text);
  gchar *text;
} Call;

static gboolean
run_call (gpointer data)
{
  Call *call = data;

  if (!call->peer->closed)
    call->function (call->peer, call->text);
  return G_SOURCE_REMOVE;
}

static void
free_call (gpointer data)
{
  Call *call = data;

  rtc_peer_unref (call->peer);
  g_free (call->text);
  g_free (call);
}

/* Runs @function on the control thread, unless the object is closed by then. */
static void
invoke (RtcPeer *self, void (*function) (RtcPeer *, const gchar *),
    const gchar *text)
{
  Call *call = g_new0 (Call, 1);
  GSource *source = g_idle_source_new ();

  call->peer = rtc_peer_ref (self);
  call->function = function;
  call->text = g_strdup (text);
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, run_call, call, free_call);
  g_source_attach (source, self->context);
  g_source_unref (source);
}

/* --- states --- */

void
rtc_peer_end (RtcPeer *self, const gchar *reason)
{
  if (self->ended)
    return;
  self->ended = TRUE;
  GST_CAT_DEBUG_OBJECT (self->config.category, self->bin, "%sending: %s",
      self->config.log_prefix, reason);
  self->callbacks.ended (reason, self->user_data);
}

void
rtc_peer_fail (RtcPeer *self, const gchar *reason)
{
  invoke (self, rtc_peer_end, reason);
}

static void
refuse (RtcPeer *self, const gchar *unused)
{
  if (self->ended)
    return;
  self->refused = TRUE;
  rtc_peer_end (self, RTC_DTLS_VERIFIER_REFUSED);
}

/* On a thread of webrtcbin. */
static void
on_refused (gpointer data)
{
  invoke (data, refuse, NULL);
}

static void
connect_peer (RtcPeer *self, const gchar *pair)
{
  if (self->ended || rtc_peer_is_connected (self))
    return;
  g_atomic_int_set (&self->connected, TRUE);
  self->callbacks.connected (pair, self->user_data);
}

/* A peer without a certificate is not verified, and also refused. */
static void
became_connected (RtcPeer *self, const gchar *unused)
{
  gchar *pair;

  if (rtc_peer_is_connected (self) || self->ended)
    return;
  if (!rtc_dtls_verifier_is_verified (self->verifier)) {
    refuse (self, NULL);
    return;
  }
  pair = rtc_ice_describe_pair (self->webrtc);
  connect_peer (self, pair ? pair : "unknown");
  g_free (pair);
}

static void
on_connection_state (GstElement *webrtc, GParamSpec *pspec, RtcPeer *self)
{
  GstWebRTCPeerConnectionState state;

  g_object_get (webrtc, "connection-state", &state, NULL);
  if (state == GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED)
    invoke (self, became_connected, NULL);
  else if (state == GST_WEBRTC_PEER_CONNECTION_STATE_FAILED)
    rtc_peer_fail (self, "the connection failed");
  else if (state == GST_WEBRTC_PEER_CONNECTION_STATE_CLOSED)
    rtc_peer_fail (self, "the peer closed the connection");
}

static const gchar *
dtls_state_name (GstWebRTCDTLSTransportState state)
{
  static const gchar *const names[] = { "new", "closed", "failed", "connecting",
    "connected" };

  return (guint)state < G_N_ELEMENTS (names) ? names[state] : "unknown";
}

static void
on_dtls_state (GObject *transport, GParamSpec *pspec, RtcPeer *self)
{
  GstWebRTCDTLSTransportState state;

  g_object_get (transport, "state", &state, NULL);
  GST_CAT_INFO_OBJECT (self->config.category, self->bin, "%sDTLS is %s",
      self->config.log_prefix, dtls_state_name (state));
  if (state == GST_WEBRTC_DTLS_TRANSPORT_STATE_CLOSED)
    rtc_peer_fail (self, "the peer closed the connection");
  else if (state == GST_WEBRTC_DTLS_TRANSPORT_STATE_FAILED)
    rtc_peer_fail (self, "DTLS failed");
}

/* Webrtcbin sets the same transport on the receiver and on the sender. */
static void
watch_transceiver (RtcPeer *self, GstWebRTCRTPTransceiver *transceiver)
{
  GstWebRTCRTPReceiver *receiver = NULL;
  GObject *transport = NULL;

  g_object_get (transceiver, "receiver", &receiver, NULL);
  if (receiver)
    g_object_get (receiver, "transport", &transport, NULL);
  if (transport && !g_ptr_array_find (self->transports, transport, NULL)) {
    connect_signal (
        self, transport, "notify::state", G_CALLBACK (on_dtls_state));
    g_ptr_array_add (self->transports, g_object_ref (transport));
  }
  g_clear_object (&transport);
  g_clear_object (&receiver);
}

void
rtc_peer_watch_dtls (RtcPeer *self)
{
  GArray *transceivers = NULL;
  guint i;

  g_signal_emit_by_name (self->webrtc, "get-transceivers", &transceivers);
  for (i = 0; transceivers && i < transceivers->len; i++)
    watch_transceiver (
        self, g_array_index (transceivers, GstWebRTCRTPTransceiver *, i));
  g_clear_pointer (&transceivers, g_array_unref);
}

gboolean
rtc_peer_has_ended (RtcPeer *self)
{
  return self->ended;
}

gboolean
rtc_peer_is_refused (RtcPeer *self)
{
  return self->refused;
}

gboolean
rtc_peer_is_connected (RtcPeer *self)
{
  return g_atomic_int_get (&self->connected);
}

/* --- candidates --- */

static void
report_gathered (RtcPeer *self, const gchar *unused)
{
  if (self->gathered)
    return;
  self->gathered = TRUE;
  self->callbacks.gathered (self->user_data);
}

static void
finish_gathering (RtcPeer *self, const gchar *unused)
{
  if (!self->gather_timeout)
    return;
  g_source_destroy (self->gather_timeout);
  report_gathered (self, NULL);
}

static gboolean
on_gather_timeout (gpointer data)
{
  RtcPeer *self = data;

  if (!self->closed)
    finish_gathering (self, NULL);
  return G_SOURCE_REMOVE;
}

static void
on_gathering_state (GstElement *webrtc, GParamSpec *pspec, RtcPeer *self)
{
  GstWebRTCICEGatheringState state;

  g_object_get (webrtc, "ice-gathering-state", &state, NULL);
  if (state == GST_WEBRTC_ICE_GATHERING_STATE_COMPLETE)
    invoke (self, finish_gathering, NULL);
}

static void
wait_for_candidates (RtcPeer *self)
{
  self->gather_timeout = g_timeout_source_new (GATHER_TIMEOUT_MS);
  g_source_set_callback (
      self->gather_timeout, on_gather_timeout, rtc_peer_ref (self), unref_data);
  g_source_attach (self->gather_timeout, self->context);
  on_gathering_state (self->webrtc, NULL, self);
}

/* --- states of another transport --- */

void
rtc_peer_note_gathered (RtcPeer *self)
{
  invoke (self, report_gathered, NULL);
}

void
rtc_peer_note_connected (RtcPeer *self, const gchar *pair)
{
  invoke (self, connect_peer, pair);
}

void
rtc_peer_note_refused (RtcPeer *self)
{
  invoke (self, refuse, NULL);
}

/* --- life of webrtcbin --- */

static void
configure (RtcPeer *self)
{
  /* Chromium rejects the answer with any other policy. */
  gst_util_set_object_arg (
      G_OBJECT (self->webrtc), "bundle-policy", "max-bundle");
  if (self->config.stun_server)
    g_object_set (self->webrtc, "stun-server", self->config.stun_server, NULL);
  if (self->config.turn_server)
    g_object_set (self->webrtc, "turn-server", self->config.turn_server, NULL);
  rtc_ice_prepare (self->webrtc);
  rtc_ice_settings_set_ports (self->webrtc, self->config.port_range);
}

gboolean
rtc_peer_open (RtcPeer *self, GError **error)
{
  self->webrtc = rtc_peer_make ("webrtcbin", error);
  if (!self->webrtc)
    return FALSE;
  gst_object_ref_sink (self->webrtc);
  gst_bin_add (self->bin, self->webrtc);
  configure (self);
  self->verifier = rtc_dtls_verifier_new (
      self->webrtc, on_refused, rtc_peer_ref (self), unref_data);
  connect_signal (self, self->webrtc, "notify::connection-state",
      G_CALLBACK (on_connection_state));
  connect_signal (self, self->webrtc, "notify::ice-gathering-state",
      G_CALLBACK (on_gathering_state));
  return TRUE;
}

void
rtc_peer_start (RtcPeer *self)
{
  gst_element_sync_state_with_parent (self->webrtc);
}

void
rtc_peer_stop (RtcPeer *self)
{
  if (!self->webrtc)
    return;
  gst_element_set_locked_state (self->webrtc, TRUE);
  gst_element_set_state (self->webrtc, GST_STATE_NULL);
}

void
rtc_peer_close (RtcPeer *self)
{
  guint i;

  self->closed = TRUE;
  if (self->gather_timeout)
    g_source_destroy (self->gather_timeout);
  for (i = 0; i < self->transports->len; i++)
    g_signal_handlers_disconnect_by_data (
        g_ptr_array_index (self->transports, i), self);
  if (!self->webrtc)
    return;
  g_signal_handlers_disconnect_by_data (self->webrtc, self);
  /* Webrtcbin leaves the bin before it stops. Stopping holds its state lock and
   * waits for threads that push into a sink, which is blocked in PAUSED. If it
   * were still in the bin, a state change of the bin would wait for that lock.
   */
  gst_bin_remove (self->bin, self->webrtc);
  gst_element_set_state (self->webrtc, GST_STATE_NULL);
  gst_clear_object (&self->webrtc);
  g_clear_pointer (&self->verifier, rtc_dtls_verifier_unref);
}

GstElement *
rtc_peer_get_webrtcbin (RtcPeer *self)
{
  return self->webrtc;
}

/* --- descriptions --- */

/* Emits @action ("create-offer", "set-local-description", ...) and waits for the
 * reply. @description: argument of the set actions, NULL for the others. @out:
 * result of the create actions. Returns FALSE with @error. */
static gboolean
run_action (GstElement *webrtc, const gchar *action,
    GstWebRTCSessionDescription *description, GstWebRTCSessionDescription **out,
    GError **error)
{
  GstPromise *promise = gst_promise_new ();
  const GstStructure *reply;
  GError *reason = NULL;
  gboolean ok;

  g_signal_emit_by_name (webrtc, action, description, promise);
  ok = gst_promise_wait (promise) == GST_PROMISE_RESULT_REPLIED;
  reply = ok ? gst_promise_get_reply (promise) : NULL;
  if (reply && gst_structure_has_field (reply, "error"))
    gst_structure_get (reply, "error", G_TYPE_ERROR, &reason, NULL);
  if (ok && !reason && out)
    ok = reply &&
        gst_structure_get (reply,
            g_str_equal (action, "create-answer") ? "answer" : "offer",
            GST_TYPE_WEBRTC_SESSION_DESCRIPTION, out, NULL);
  gst_promise_unref (promise);
  if (ok && !reason)
    return TRUE;
  g_set_error (error, RTC_SDP_ERROR, RTC_SDP_ERROR_UNACCEPTABLE,
      "webrtcbin refused the session description (%s): %s", action,
      reason ? reason->message : "no reply");
  g_clear_error (&reason);
  return FALSE;
}

/* Copies the first fingerprint to every m-line. webrtcbin refuses m-lines with
 * different fingerprints, which a peer with one certificate for each transport
 * sends, and it verifies none of them. RtcDtlsVerifier does. */
static void
unify_fingerprints (GstSDPMessage *sdp)
{
  gchar *first = NULL;
  guint i, j;

  for (i = 0; i < gst_sdp_message_medias_len (sdp); i++) {
    GstSDPMedia *media = (GstSDPMedia *)gst_sdp_message_get_media (sdp, i);
    const gchar *value = gst_sdp_media_get_attribute_val (media, "fingerprint");

    if (!value)
      continue;
    if (!first)
      first = g_strdup (value);
    for (j = gst_sdp_media_attributes_len (media); j-- > 0;)
      if (g_str_equal (
              gst_sdp_media_get_attribute (media, j)->key, "fingerprint"))
        gst_sdp_media_remove_attribute (media, j);
    gst_sdp_media_add_attribute (media, "fingerprint", first);
  }
  g_free (first);
}

gboolean
rtc_peer_set_remote (
    RtcPeer *self, GstWebRTCSDPType type, GstSDPMessage *sdp, GError **error)
{
  GstWebRTCSessionDescription *description;
  gboolean ok;

  rtc_dtls_verifier_set_remote (self->verifier, sdp);
  unify_fingerprints (sdp);
  description = gst_webrtc_session_description_new (type, sdp);
  ok = run_action (
      self->webrtc, "set-remote-description", description, NULL, error);
  gst_webrtc_session_description_free (description);
  return ok;
}

gboolean
rtc_peer_set_local (
    RtcPeer *self, GstWebRTCSDPType type, guint max_bitrate, GError **error)
{
  const gchar *action =
      type == GST_WEBRTC_SDP_TYPE_ANSWER ? "create-answer" : "create-offer";
  GstWebRTCSessionDescription *local = NULL;
  gboolean ok;

  if (!run_action (self->webrtc, action, NULL, &local, error))
    return FALSE;
  rtc_sdp_set_bandwidth (local->sdp, max_bitrate);
  ok = run_action (self->webrtc, "set-local-description", local, NULL, error);
  gst_webrtc_session_description_free (local);
  if (ok)
    wait_for_candidates (self);
  return ok;
}

GstWebRTCSessionDescription *
rtc_peer_get_local (RtcPeer *self)
{
  GstWebRTCSessionDescription *local = NULL;

  g_object_get (self->webrtc, "local-description", &local, NULL);
  return local;
}

gchar *
rtc_peer_publish (RtcPeer *self, const gchar *text)
{
  return rtc_ice_settings_publish (text, self->config.public_address);
}

gchar *
rtc_peer_describe (RtcPeer *self, const GstSDPMessage *offer,
    const RtcSdpChoice *choice, GError **error)
{
  GstWebRTCSessionDescription *local = rtc_peer_get_local (self);
  GstSDPMessage *whole;
  gchar *text, *published;

  if (!local)
    goto no_description;
  if (self->config.port_range && rtc_sdp_count_candidates (local->sdp) == 0)
    goto no_candidates;
  whole = offer ? rtc_sdp_expand_answer (offer, local->sdp, choice) : NULL;
  text =
      whole ? gst_sdp_message_as_text (whole) : rtc_sdp_offer_text (local->sdp);
  published = rtc_peer_publish (self, text);
  g_free (text);
  g_clear_pointer (&whole, gst_sdp_message_free);
  gst_webrtc_session_description_free (local);
  return published;

  /* ERRORS */
no_description:
  g_set_error_literal (error, GST_CORE_ERROR, GST_CORE_ERROR_FAILED,
      "webrtcbin has no local description.");
  return NULL;
no_candidates:
  gst_webrtc_session_description_free (local);
  g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY,
      RTC_ICE_SETTINGS_NO_PORT, self->config.port_range);
  return NULL;
}

/* --- elements of a session --- */

GstElement *
rtc_peer_make (const gchar *factory, GError **error)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  if (!element)
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
        "The element \"%s\" is missing. Install the GStreamer plugin that has "
        "it (Debian: gstreamer1.0-plugins-good, -bad and gstreamer1.0-nice).",
        factory);
  return element;
}

#define OWNER "rec-owner"

void
rtc_peer_set_owner (GstElement *element, gpointer owner)
{
  g_object_set_data (G_OBJECT (element), OWNER, owner);
}

gboolean
rtc_peer_has_owner (GstObject *object, gpointer owner)
{
  GstObject *current = gst_object_ref (object);
  gboolean owned = FALSE;

  while (current) {
    GstObject *parent;

    owned = g_object_get_data (G_OBJECT (current), OWNER) == owner;
    parent = owned ? NULL : gst_object_get_parent (current);
    gst_object_unref (current);
    current = parent;
  }
  return owned;
}
