/* gst-tsrec: the session of recwhipsink
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecwhipsink-private.h"
#include "recmessage.h"
#include "rtcice.h"
#include "rtcicesettings.h"
#include "rtcpeer.h"

#include <string.h>

GST_DEBUG_CATEGORY_EXTERN (gst_rec_whip_sink_debug);
#define GST_CAT_DEFAULT gst_rec_whip_sink_debug

/* Tracks whose caps are not there by then are offered as they are expected. */
#define CAPS_TIMEOUT_MS 2000
#define GATHER_TIMEOUT_MS 2000
#define RETRY_FIRST_MS 100
#define RETRY_LAST_MS 2000
#define REMOVE_TIMEOUT_MS 2000

void
gst_rec_whip_sink_invoke (GstRecWhipSink *self, GSourceFunc function)
{
  rec_worker_invoke (
      self->worker, function, gst_object_ref (self), gst_object_unref);
}

/* A copy that stays valid while pads come and go. Free with g_list_free. */
GList *
gst_rec_whip_sink_copy_outputs (GstRecWhipSink *self)
{
  GList *outputs;

  GST_OBJECT_LOCK (self);
  outputs = g_list_copy (self->outputs);
  GST_OBJECT_UNLOCK (self);
  return outputs;
}

static gboolean
all_outputs (GstRecWhipSink *self, gboolean (*is) (RtcPayChain *))
{
  GList *l, *outputs = gst_rec_whip_sink_copy_outputs (self);
  gboolean all = outputs != NULL;

  for (l = outputs; l && all; l = l->next)
    all = is (l->data);
  g_list_free (outputs);
  return all;
}

static void
each_output (GstRecWhipSink *self, void (*function) (RtcPayChain *))
{
  GList *outputs = gst_rec_whip_sink_copy_outputs (self);

  g_list_foreach (outputs, (GFunc)(void (*) (void))function, NULL);
  g_list_free (outputs);
}

/* --- timer; on the control thread --- */

static void
start_timer (GstRecWhipSink *self, guint ms, GSourceFunc function)
{
  rec_worker_clear_timeout (&self->timer);
  self->timer = rec_worker_add_timeout (self->worker, ms, function, self, NULL);
}

/* --- the session; on the control thread --- */

static void
fail (GstRecWhipSink *self, const gchar *message)
{
  rec_worker_clear_timeout (&self->timer);
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE, ("%s", message), (NULL));
}

static const RtcSdpTrack *
find_track (GstRecWhipSink *self, const gchar *kind)
{
  return g_str_equal (kind, "video") ? &self->choice.video
                                     : &self->choice.audio;
}

static const gchar *
codec_name (GstRecWhipSink *self, const gchar *kind)
{
  const RtcSdpTrack *track = find_track (self, kind);

  return track->codec ? track->codec->name : "";
}

static void
post_session_message (
    GstRecWhipSink *self, const gchar *name, const gchar *reason)
{
  const gchar *id;
  gchar *session, *host = whip_client_dup_host (self->client);
  RecSession report = { .reason = reason };
  GstStructure *s;

  GST_INFO_OBJECT (self, "%s: %s", name, reason);
  GST_OBJECT_LOCK (self);
  session = g_strdup (self->session ? self->session : "");
  GST_OBJECT_UNLOCK (self);
  id = strrchr (session, '/');
  report.id = id ? id + 1 : NULL;
  report.remote = host;
  report.video_codec = codec_name (self, "video");
  report.audio_codec = codec_name (self, "audio");
  s = rec_structure_new_session (name, &report);
  gst_element_post_message (
      GST_ELEMENT (self), gst_message_new_element (GST_OBJECT (self), s));
  g_free (host);
  g_free (session);
}

/* Says so once, if there was a session at all. */
static void
end_session (GstRecWhipSink *self, const gchar *reason)
{
  gboolean connected;

  GST_OBJECT_LOCK (self);
  connected = self->connected;
  self->connected = FALSE;
  GST_OBJECT_UNLOCK (self);
  if (connected)
    post_session_message (self, "recwhip-disconnected", reason);
}

/* The RTP session inside wants to know the latency for its sender reports,
 * also where nobody asks for it to be calculated anew. That takes the state
 * lock, which a state change holds while it waits for this thread to end. */
static void
calculate_latency (GstRecWhipSink *self)
{
  if (!GST_STATE_TRYLOCK (self)) {
    gst_element_post_message (
        GST_ELEMENT (self), gst_message_new_latency (GST_OBJECT (self)));
    return;
  }
  gst_bin_recalculate_latency (GST_BIN (self));
  GST_STATE_UNLOCK (self);
}

static void
drop_webrtcbin (GstRecWhipSink *self)
{
  GList *l, *outputs;

  if (self->dtls)
    g_signal_handlers_disconnect_by_data (self->dtls, self);
  g_clear_object (&self->dtls);
  if (!self->webrtc)
    return;
  g_signal_handlers_disconnect_by_data (self->webrtc, self);
  gst_element_set_locked_state (self->webrtc, TRUE);
  gst_element_set_state (self->webrtc, GST_STATE_NULL);
  outputs = gst_rec_whip_sink_copy_outputs (self);
  for (l = outputs; l; l = l->next)
    rtc_pay_chain_unlink (l->data, self->webrtc);
  g_list_free (outputs);
  gst_bin_remove (GST_BIN (self), self->webrtc);
  gst_clear_object (&self->webrtc);
  g_clear_pointer (&self->peer, rtc_dtls_verifier_unref);
}

/* Nothing has been sent yet: that begins when the peer is verified. */
static gboolean
refuse_peer (gpointer data)
{
  GstRecWhipSink *self = data;

  if (!self->running || !self->webrtc || self->eos_posted)
    return G_SOURCE_REMOVE;
  each_output (self, rtc_pay_chain_close);
  GST_OBJECT_LOCK (self);
  self->connected = FALSE;
  GST_OBJECT_UNLOCK (self);
  post_session_message (
      self, "recwhip-disconnected", RTC_DTLS_VERIFIER_REFUSED);
  fail (self, "Nothing was published: " RTC_DTLS_VERIFIER_REFUSED ".");
  drop_webrtcbin (self);
  return G_SOURCE_REMOVE;
}

/* On a thread of webrtcbin. */
static void
on_peer_refused (gpointer data)
{
  gst_rec_whip_sink_invoke (data, refuse_peer);
}

/* What the server does not accept is not sent. */
static void
open_outputs (GstRecWhipSink *self)
{
  GList *l, *outputs = gst_rec_whip_sink_copy_outputs (self);

  for (l = outputs; l; l = l->next)
    if (find_track (self, rtc_pay_chain_get_kind (l->data))->codec)
      rtc_pay_chain_open (l->data);
  g_list_free (outputs);
}

static gboolean
became_connected (gpointer data)
{
  GstRecWhipSink *self = data;
  gchar *pair;

  if (!self->running || !self->webrtc)
    return G_SOURCE_REMOVE;
  if (!rtc_dtls_verifier_is_verified (self->peer))
    return refuse_peer (self);
  GST_OBJECT_LOCK (self);
  self->connected = TRUE;
  GST_OBJECT_UNLOCK (self);
  pair = rtc_ice_describe_pair (self->webrtc);
  GST_INFO_OBJECT (self,
      "connected, candidate pair %s; the certificate is verified; negotiated "
      "video %s, audio %s",
      pair ? pair : "unknown", codec_name (self, "video"),
      codec_name (self, "audio"));
  g_free (pair);
  post_session_message (self, "recwhip-connected", "connected");
  calculate_latency (self);
  open_outputs (self);
  return G_SOURCE_REMOVE;
}

static gboolean
became_disconnected (gpointer data)
{
  GstRecWhipSink *self = data;

  if (!self->running || !self->webrtc || self->eos_posted)
    return G_SOURCE_REMOVE;
  each_output (self, rtc_pay_chain_close);
  end_session (self, "the server closed the connection");
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
    gst_rec_whip_sink_invoke (self, became_connected);
  else if (state == GST_WEBRTC_PEER_CONNECTION_STATE_FAILED ||
      state == GST_WEBRTC_PEER_CONNECTION_STATE_CLOSED)
    gst_rec_whip_sink_invoke (self, became_disconnected);
}

static void
on_dtls_state (GObject *transport, GParamSpec *pspec, GstRecWhipSink *self)
{
  GstWebRTCDTLSTransportState state;

  g_object_get (transport, "state", &state, NULL);
  GST_INFO_OBJECT (self, "DTLS is %s", rtc_peer_dtls_state_name (state));
  if (state == GST_WEBRTC_DTLS_TRANSPORT_STATE_CLOSED ||
      state == GST_WEBRTC_DTLS_TRANSPORT_STATE_FAILED)
    gst_rec_whip_sink_invoke (self, became_disconnected);
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
  /* Once; waiting for a server to come up is no fault. */
  if (self->retry_ms == RETRY_FIRST_MS)
    GST_ELEMENT_INFO (self, RESOURCE, OPEN_WRITE,
        ("%s Trying again until retry-timeout is over.", error->message),
        (NULL));
  start_timer (self, self->retry_ms, post_offer);
  self->retry_ms = MIN (2 * self->retry_ms, RETRY_LAST_MS);
}

static void
warn_of_rejected (GstRecWhipSink *self, const GstSDPMessage *offer,
    const GstSDPMessage *answer)
{
  GPtrArray *refusals = rtc_sdp_find_rejected (offer, answer, &self->choice);
  guint i;

  for (i = 0; i < refusals->len; i++) {
    const RtcSdpRefusal *refusal = g_ptr_array_index (refusals, i);

    GST_ELEMENT_WARNING (
        self, STREAM, CODEC_NOT_FOUND, ("%s", refusal->text), (NULL));
  }
  g_ptr_array_unref (refusals);
}

static gboolean
accept_answer (GstRecWhipSink *self, const gchar *answer, GError **error)
{
  GstSDPMessage *sdp = rtc_sdp_parse (answer, strlen (answer), error);
  GstSDPMessage *offer = NULL, *whole = NULL;
  gboolean ok;

  if (sdp)
    offer = rtc_sdp_parse (self->offer, strlen (self->offer), error);
  if (offer &&
      rtc_sdp_choose_answered (offer, sdp, FALSE, &self->choice, error))
    whole = rtc_sdp_complete_answer (offer, sdp, &self->choice, FALSE, error);
  if (whole) {
    rtc_dtls_verifier_set_remote (self->peer, whole);
    warn_of_rejected (self, offer, sdp);
  }
  ok = whole &&
      rtc_peer_set_remote (
          self->webrtc, GST_WEBRTC_SDP_TYPE_ANSWER, whole, error);
  g_clear_pointer (&offer, gst_sdp_message_free);
  g_clear_pointer (&sdp, gst_sdp_message_free);
  return ok;
}

static void
on_answer (WhipClient *client, const gchar *answer, const GError *error,
    gboolean temporary, gpointer user_data)
{
  GstRecWhipSink *self = user_data;
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
  if (!accept_answer (self, answer, &reason)) {
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

  rec_worker_clear_timeout (&self->timer);
  GST_INFO_OBJECT (self, "posting the offer to %s", self->location);
  whip_client_offer (self->client, self->offer, on_answer, self);
  return G_SOURCE_REMOVE;
}

/* Of a description that is complete. Caller frees; NULL after an error. */
static gchar *
get_offer (GstRecWhipSink *self)
{
  gchar *text = rtc_peer_get_offer (self->webrtc), *offer;
  gchar *public_address, *port_range;

  GST_OBJECT_LOCK (self);
  public_address = g_strdup (self->public_address);
  port_range = g_strdup (self->port_range);
  GST_OBJECT_UNLOCK (self);
  offer = text ? rtc_ice_settings_publish (text, public_address) : NULL;
  if (offer && port_range && !strstr (offer, "a=candidate:")) {
    gchar *reason = g_strdup_printf (RTC_ICE_SETTINGS_NO_PORT, port_range);

    fail (self, reason);
    g_free (reason);
    g_clear_pointer (&offer, g_free);
  }
  g_free (text);
  g_free (public_address);
  g_free (port_range);
  return offer;
}

static gboolean
gathered (gpointer data)
{
  GstRecWhipSink *self = data;

  if (!self->running || !self->webrtc || self->offer)
    return G_SOURCE_REMOVE;
  rec_worker_clear_timeout (&self->timer);
  self->offer = get_offer (self);
  if (self->offer)
    post_offer (self);
  return G_SOURCE_REMOVE;
}

static void
on_gathering_state (GstElement *webrtc, GParamSpec *pspec, GstRecWhipSink *self)
{
  if (rtc_peer_is_gathered (webrtc))
    gst_rec_whip_sink_invoke (self, gathered);
}

static gboolean
make_offer (GstRecWhipSink *self, GError **error)
{
  GstWebRTCSessionDescription *offer = NULL;
  gboolean ok;

  if (!rtc_peer_run (self->webrtc, "create-offer", NULL, &offer, error))
    return FALSE;
  g_signal_connect (self->webrtc, "notify::ice-gathering-state",
      G_CALLBACK (on_gathering_state), self);
  ok = rtc_peer_run (self->webrtc, "set-local-description", offer, NULL, error);
  gst_webrtc_session_description_free (offer);
  if (!ok)
    return FALSE;
  if (rtc_peer_is_gathered (self->webrtc))
    gst_rec_whip_sink_invoke (self, gathered);
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
  rec_worker_clear_timeout (&self->timer);
  if (!make_offer (self, &error)) {
    fail (self, error->message);
    g_error_free (error);
  }
  return G_SOURCE_REMOVE;
}

gboolean
gst_rec_whip_sink_check_ready (gpointer data)
{
  GstRecWhipSink *self = data;

  if (all_outputs (self, rtc_pay_chain_is_ready))
    negotiate (self);
  return G_SOURCE_REMOVE;
}

static void
make_client (GstRecWhipSink *self)
{
  GST_OBJECT_LOCK (self);
  self->client = whip_client_new (rec_worker_get_context (self->worker),
      self->location, self->token, self->insecure_tls);
  self->retry_until =
      g_get_monotonic_time () + (gint64)(self->retry_timeout / GST_USECOND);
  GST_OBJECT_UNLOCK (self);
  self->retry_ms = RETRY_FIRST_MS;
}

static gboolean
make_webrtcbin (GstRecWhipSink *self, GError **error)
{
  gchar *stun_server, *turn_server, *port_range;
  GList *l, *outputs;

  self->webrtc = rtc_peer_make ("webrtcbin", error);
  if (!self->webrtc)
    return FALSE;
  gst_object_ref (self->webrtc);
  gst_bin_add (GST_BIN (self), self->webrtc);
  self->peer = rtc_dtls_verifier_new (
      self->webrtc, on_peer_refused, gst_object_ref (self), gst_object_unref);
  GST_OBJECT_LOCK (self);
  stun_server = g_strdup (self->stun_server);
  turn_server = g_strdup (self->turn_server);
  port_range = g_strdup (self->port_range);
  GST_OBJECT_UNLOCK (self);
  rtc_peer_configure (self->webrtc, stun_server, turn_server);
  rtc_ice_settings_set_ports (self->webrtc, port_range);
  g_free (port_range);
  g_free (stun_server);
  g_free (turn_server);
  g_signal_connect (self->webrtc, "notify::connection-state",
      G_CALLBACK (on_connection_state), self);
  gst_element_sync_state_with_parent (self->webrtc);
  outputs = gst_rec_whip_sink_copy_outputs (self);
  for (l = outputs; l; l = l->next)
    rtc_pay_chain_link (l->data, self->webrtc);
  g_list_free (outputs);
  return TRUE;
}

void
gst_rec_whip_sink_start (gpointer data)
{
  GstRecWhipSink *self = data;
  GError *error = NULL;

  self->running = TRUE;
  self->offering = self->eos_posted = FALSE;
  memset (&self->choice, 0, sizeof (self->choice));
  make_client (self);
  if (!make_webrtcbin (self, &error)) {
    fail (self, error->message);
    g_error_free (error);
    return;
  }
  start_timer (self, CAPS_TIMEOUT_MS, negotiate);
  if (all_outputs (self, rtc_pay_chain_is_ready))
    gst_rec_whip_sink_invoke (self, negotiate);
}

/* --- the end --- */

static gboolean
finish_eos (gpointer data)
{
  GstRecWhipSink *self = data;

  rec_worker_clear_timeout (&self->timer);
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
gboolean
gst_rec_whip_sink_check_eos (gpointer data)
{
  GstRecWhipSink *self = data;

  if (!self->running || self->eos_posted ||
      !all_outputs (self, rtc_pay_chain_is_eos))
    return G_SOURCE_REMOVE;
  self->eos_posted = TRUE;
  end_session (self, "end of stream");
  start_timer (self, REMOVE_TIMEOUT_MS, finish_eos);
  whip_client_remove (self->client, on_removed, self);
  return G_SOURCE_REMOVE;
}

void
gst_rec_whip_sink_stop (gpointer data)
{
  GstRecWhipSink *self = data;

  self->running = FALSE;
  end_session (self, "the publisher stopped");
  each_output (self, rtc_pay_chain_close);
  rec_worker_clear_timeout (&self->timer);
  if (self->client)
    whip_client_remove_sync (self->client, REMOVE_TIMEOUT_MS);
  g_clear_pointer (&self->client, whip_client_free);
  drop_webrtcbin (self);
  each_output (self, rtc_pay_chain_reset);
  g_clear_pointer (&self->offer, g_free);
  GST_OBJECT_LOCK (self);
  g_clear_pointer (&self->session, g_free);
  GST_OBJECT_UNLOCK (self);
}
