/* gst-tsrec: negotiation of a WebRTC session that is received
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcice.h"
#include "rtcicesettings.h"
#include "rtcsession-private.h"
#include "rtcpeer.h"

/* A STUN server that does not answer must not keep the client waiting. */
#define GATHER_TIMEOUT_MS 2000

static gboolean
finish_description (gpointer data)
{
  RtcSession *self = data;
  GstWebRTCSessionDescription *local = NULL;
  GError *error = NULL;
  GstSDPMessage *whole;
  gchar *text, *published;

  if (self->described || rtc_session_is_closed (self))
    return G_SOURCE_REMOVE;
  self->described = TRUE;
  g_source_destroy (self->gather_timeout);
  g_object_get (self->webrtc, "local-description", &local, NULL);
  if (!local)
    goto no_description;
  if (self->config.port_range && rtc_sdp_count_candidates (local->sdp) == 0)
    goto no_candidates;
  whole = self->offer
      ? rtc_sdp_expand_answer (self->offer, local->sdp, &self->choice)
      : NULL;
  text =
      whole ? gst_sdp_message_as_text (whole) : rtc_sdp_offer_text (local->sdp);
  published = rtc_ice_settings_publish (text, self->config.public_address);
  self->callbacks.described (self, published, NULL, self->user_data);
  g_free (published);
  g_free (text);
  if (whole)
    gst_sdp_message_free (whole);
  gst_webrtc_session_description_free (local);
  return G_SOURCE_REMOVE;

  /* ERRORS */
no_description:
  error = g_error_new_literal (GST_CORE_ERROR, GST_CORE_ERROR_FAILED,
      "webrtcbin has no local description.");
  self->callbacks.described (self, NULL, error, self->user_data);
  g_error_free (error);
  return G_SOURCE_REMOVE;
no_candidates:
  gst_webrtc_session_description_free (local);
  error = g_error_new (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY,
      RTC_ICE_SETTINGS_NO_PORT, self->config.port_range);
  self->callbacks.described (self, NULL, error, self->user_data);
  g_error_free (error);
  return G_SOURCE_REMOVE;
}

static void
gathering_complete (RtcSession *self, const gchar *unused)
{
  finish_description (self);
}

static void
on_gathering_state (GstElement *webrtc, GParamSpec *pspec, RtcSession *self)
{
  GstWebRTCICEGatheringState state;

  g_object_get (webrtc, "ice-gathering-state", &state, NULL);
  if (state == GST_WEBRTC_ICE_GATHERING_STATE_COMPLETE)
    rtc_session_call (self, gathering_complete, NULL);
}

static void
wait_for_candidates (RtcSession *self)
{
  GstWebRTCICEGatheringState state;

  self->gather_timeout = g_timeout_source_new (GATHER_TIMEOUT_MS);
  g_source_set_callback (self->gather_timeout, finish_description,
      rtc_session_ref (self), rtc_session_unref_data);
  g_source_attach (self->gather_timeout, self->context);
  g_signal_connect (self->webrtc, "notify::ice-gathering-state",
      G_CALLBACK (on_gathering_state), self);
  g_object_get (self->webrtc, "ice-gathering-state", &state, NULL);
  if (state == GST_WEBRTC_ICE_GATHERING_STATE_COMPLETE)
    rtc_session_call (self, gathering_complete, NULL);
}

/* @caps is consumed. */
static void
add_transceiver (RtcSession *self, gboolean video, GstCaps *caps)
{
  GstWebRTCRTPTransceiver *transceiver = NULL;

  g_signal_emit_by_name (self->webrtc, "add-transceiver",
      GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY, caps, &transceiver);
  gst_caps_unref (caps);
  if (!transceiver)
    return;
  /* Puts nack and rtx into the description; the jitter buffers are set by
   * RtcNack. */
  g_object_set (transceiver, "do-nack",
      video ? self->config.retransmit_video : self->config.retransmit_audio,
      NULL);
  gst_object_unref (transceiver);
}

static void
set_choice (RtcSession *self, const RtcSdpChoice *choice)
{
  g_mutex_lock (&self->lock);
  self->choice = *choice;
  g_mutex_unlock (&self->lock);
}

static gboolean
make_webrtcbin (RtcSession *self, GError **error)
{
  RtcReception *reception;

  self->webrtc = rtc_peer_make ("webrtcbin", error);
  if (!self->webrtc)
    return FALSE;
  rtc_peer_set_owner (self->webrtc, self);
  gst_bin_add (self->bin, gst_object_ref (self->webrtc));
  reception = rtc_reception_new (self->webrtc);
  g_mutex_lock (&self->lock);
  self->reception = reception;
  g_mutex_unlock (&self->lock);
  g_object_set (self->webrtc, "latency", self->config.latency, NULL);
  rtc_peer_configure (
      self->webrtc, self->config.stun_server, self->config.turn_server);
  rtc_ice_settings_set_ports (self->webrtc, self->config.port_range);
  rtc_session_watch (self);
  gst_element_sync_state_with_parent (self->webrtc);
  return TRUE;
}

static gboolean
make_answer (RtcSession *self, GError **error)
{
  GstWebRTCSessionDescription *answer = NULL;
  gboolean ok;

  if (!rtc_peer_run (self->webrtc, "create-answer", NULL, &answer, error))
    return FALSE;
  rtc_sdp_set_bandwidth (answer->sdp, self->config.max_bitrate);
  ok =
      rtc_peer_run (self->webrtc, "set-local-description", answer, NULL, error);
  gst_webrtc_session_description_free (answer);
  return ok;
}

static gboolean
make_chains (RtcSession *self, GError **error)
{
  if (self->choice.video.codec &&
      !(self->video = rtc_depay_chain_new (self->bin, self, &self->choice.video,
            self->video_out, self->config.freeze, &self->video_counters,
            error)))
    return FALSE;
  return !self->choice.audio.codec ||
      (self->audio = rtc_depay_chain_new (self->bin, self, &self->choice.audio,
           self->audio_out, FALSE, &self->audio_counters, error));
}

/* Before packets come; @sdp: of the peer. */
static void
watch_streams (RtcSession *self, const GstSDPMessage *sdp)
{
  self->streams = rtc_streams_new (self->webrtc, sdp, &self->choice,
      self->video, self->audio, &self->ignored);
  self->retransmit = rtc_nack_new (self->webrtc, sdp, &self->choice,
      self->config.retransmit_video, self->config.retransmit_audio);
}

static void
start_silence_watch (RtcSession *self)
{
  __atomic_store_n (
      &self->last_packet, g_get_monotonic_time (), __ATOMIC_RELAXED);
}

gboolean
rtc_session_answer (RtcSession *self, const GstSDPMessage *offer,
    const RtcSdpChoice *choice, GPtrArray *refusals, GError **error)
{
  GstSDPMessage *pruned = rtc_sdp_prune (offer, choice, error);
  guint i;

  self->refusals = refusals;
  if (!pruned)
    return FALSE;
  set_choice (self, choice);
  gst_sdp_message_copy (offer, &self->offer);
  self->remote_ufrag = g_strdup (rtc_sdp_get_ufrag (pruned));
  if (!make_chains (self, error) || !make_webrtcbin (self, error)) {
    gst_sdp_message_free (pruned);
    return FALSE;
  }
  watch_streams (self, offer);
  for (i = 0; i < gst_sdp_message_medias_len (pruned); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (pruned, i);

    add_transceiver (self,
        g_str_equal (gst_sdp_media_get_media (media), "video"),
        rtc_sdp_media_caps (media));
  }
  rtc_dtls_verifier_set_remote (self->peer, pruned);
  if (!rtc_peer_set_remote (
          self->webrtc, GST_WEBRTC_SDP_TYPE_OFFER, pruned, error) ||
      !make_answer (self, error))
    return FALSE;
  start_silence_watch (self);
  rtc_session_watch_dtls (self);
  wait_for_candidates (self);
  return TRUE;
}

/* --- as the offerer --- */

gboolean
rtc_session_offer (RtcSession *self, const RtcSdpCodec *const *video_codecs,
    const RtcSdpCodec *const *audio_codecs, GError **error)
{
  GstCaps *video = rtc_sdp_offer_caps (video_codecs);
  GstCaps *audio = rtc_sdp_offer_caps (audio_codecs);
  GstWebRTCSessionDescription *offer = NULL;
  gboolean ok;

  if (!make_webrtcbin (self, error)) {
    gst_caps_unref (video);
    gst_caps_unref (audio);
    return FALSE;
  }
  if (!gst_caps_is_empty (video))
    add_transceiver (self, TRUE, gst_caps_ref (video));
  if (!gst_caps_is_empty (audio))
    add_transceiver (self, FALSE, gst_caps_ref (audio));
  gst_caps_unref (video);
  gst_caps_unref (audio);
  if (!rtc_peer_run (self->webrtc, "create-offer", NULL, &offer, error))
    return FALSE;
  rtc_sdp_set_bandwidth (offer->sdp, self->config.max_bitrate);
  ok = rtc_peer_run (self->webrtc, "set-local-description", offer, NULL, error);
  gst_webrtc_session_description_free (offer);
  if (ok)
    wait_for_candidates (self);
  return ok;
}

static GstSDPMessage *
choose_answered (RtcSession *self, const GstSDPMessage *answer, GError **error)
{
  GstWebRTCSessionDescription *local = NULL;
  GstSDPMessage *whole = NULL;
  RtcSdpChoice choice;

  g_object_get (self->webrtc, "local-description", &local, NULL);
  if (rtc_sdp_choose_answered (local->sdp, answer, TRUE, &choice, error)) {
    set_choice (self, &choice);
    whole = rtc_sdp_complete_answer (local->sdp, answer, &choice, TRUE, error);
  }
  if (whole)
    self->refusals = rtc_sdp_find_rejected (local->sdp, answer, &choice);
  gst_webrtc_session_description_free (local);
  return whole;
}

gboolean
rtc_session_accept (
    RtcSession *self, const GstSDPMessage *answer, GError **error)
{
  GstSDPMessage *whole = choose_answered (self, answer, error);

  if (!whole)
    return FALSE;
  if (!make_chains (self, error)) {
    gst_sdp_message_free (whole);
    return FALSE;
  }
  watch_streams (self, answer);
  rtc_dtls_verifier_set_remote (self->peer, whole);
  if (!rtc_peer_set_remote (
          self->webrtc, GST_WEBRTC_SDP_TYPE_ANSWER, whole, error))
    return FALSE;
  start_silence_watch (self);
  rtc_session_watch_dtls (self);
  return TRUE;
}

/* --- trickle --- */

static void
add_candidates (RtcSession *self, const RtcIceFragment *fragment)
{
  guint i;

  /* Everything is bundled onto the transport of the first m-line. */
  for (i = 0; i < fragment->candidates->len &&
       self->n_candidates < RTC_SDP_MAX_CANDIDATES;
       i++, self->n_candidates++)
    g_signal_emit_by_name (self->webrtc, "add-ice-candidate", 0,
        g_ptr_array_index (fragment->candidates, i));
}

gboolean
rtc_session_add_fragment (RtcSession *self, const RtcIceFragment *fragment)
{
  if (fragment->ufrag && g_strcmp0 (fragment->ufrag, self->remote_ufrag) != 0)
    return FALSE;
  add_candidates (self, fragment);
  return TRUE;
}

gchar *
rtc_session_restart_ice (RtcSession *self, const RtcIceFragment *fragment)
{
  GstWebRTCSessionDescription *local = NULL;
  gchar *ufrag = NULL, *pwd = NULL, *text, *published;

  if (!fragment->ufrag || !fragment->pwd ||
      !rtc_ice_restart (
          self->webrtc, fragment->ufrag, fragment->pwd, &ufrag, &pwd))
    return NULL;
  g_free (self->remote_ufrag);
  self->remote_ufrag = g_strdup (fragment->ufrag);
  g_free (self->etag);
  self->etag = g_uuid_string_random ();
  self->n_candidates = 0;
  add_candidates (self, fragment);
  g_object_get (self->webrtc, "local-description", &local, NULL);
  text = rtc_ice_fragment_build (local->sdp, ufrag, pwd);
  published = rtc_ice_settings_publish (text, self->config.public_address);
  gst_webrtc_session_description_free (local);
  g_free (text);
  g_free (ufrag);
  g_free (pwd);
  return published;
}
