/* gst-tsrec: negotiation of a WebRTC session of a source
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcice.h"
#include "rtcsession-private.h"

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
  /* Adds nack and rtx to the description. RtcNack configures the jitter
   * buffers. */
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

  if (!rtc_peer_open (self->peer, error))
    return FALSE;
  self->webrtc = rtc_peer_get_webrtcbin (self->peer);
  rtc_peer_set_owner (self->webrtc, self);
  reception = rtc_reception_new (self->webrtc);
  g_mutex_lock (&self->lock);
  self->reception = reception;
  g_mutex_unlock (&self->lock);
  g_object_set (self->webrtc, "latency", self->config.latency, NULL);
  rtc_session_watch (self);
  rtc_peer_start (self->peer);
  return TRUE;
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

/* Called before packets arrive. @sdp: description of the peer. */
static void
watch_streams (RtcSession *self, const GstSDPMessage *sdp)
{
  self->streams = rtc_streams_new (self->webrtc, sdp, &self->choice,
      self->video, self->audio, self->config.simulcast_layer, &self->ignored);
  self->retransmit = rtc_nack_new (self->webrtc, sdp, &self->choice,
      self->config.retransmit_video, self->config.retransmit_audio);
}

static void
start_silence_watch (RtcSession *self)
{
  __atomic_store_n (
      &self->last_packet, g_get_monotonic_time (), __ATOMIC_RELAXED);
}

/* Called when both descriptions are set. */
static void
start_watches (RtcSession *self)
{
  start_silence_watch (self);
  rtc_reception_expect (
      self->reception, self->video != NULL, self->audio != NULL);
  rtc_peer_watch_dtls (self->peer);
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
  if (self->config.udp_port) {
    gboolean ok = make_chains (self, error) &&
        rtc_session_port_answer (self, pruned, error);

    gst_sdp_message_free (pruned);
    start_silence_watch (self);
    return ok;
  }
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
  if (!rtc_peer_set_remote (
          self->peer, GST_WEBRTC_SDP_TYPE_OFFER, pruned, error) ||
      !rtc_peer_set_local (self->peer, GST_WEBRTC_SDP_TYPE_ANSWER,
          self->config.max_bitrate, error))
    return FALSE;
  start_watches (self);
  return TRUE;
}

/* --- our own offer --- */

gboolean
rtc_session_offer (RtcSession *self, const RtcSdpCodec *const *video_codecs,
    const RtcSdpCodec *const *audio_codecs, GError **error)
{
  GstCaps *video = rtc_sdp_offer_caps (video_codecs);
  GstCaps *audio = rtc_sdp_offer_caps (audio_codecs);

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
  return rtc_peer_set_local (
      self->peer, GST_WEBRTC_SDP_TYPE_OFFER, self->config.max_bitrate, error);
}

static GstSDPMessage *
choose_answered (RtcSession *self, const GstSDPMessage *answer, GError **error)
{
  GstWebRTCSessionDescription *local = rtc_peer_get_local (self->peer);
  GstSDPMessage *whole = NULL;
  RtcSdpChoice choice;

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
  if (!rtc_peer_set_remote (
          self->peer, GST_WEBRTC_SDP_TYPE_ANSWER, whole, error))
    return FALSE;
  start_watches (self);
  return TRUE;
}

/* --- trickle --- */

static void
add_candidates (RtcSession *self, const RtcIceFragment *fragment)
{
  guint i;

  /* All m-lines are bundled on the transport of the first one. */
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
  /* An ICE-lite agent does not need candidates: it only answers checks. */
  if (!self->receiver)
    add_candidates (self, fragment);
  return TRUE;
}

/* Returns our fragment, or NULL if webrtcbin cannot restart ICE. */
static gchar *
restart_webrtcbin (RtcSession *self, const RtcIceFragment *fragment)
{
  GstWebRTCSessionDescription *local;
  gchar *ufrag = NULL, *pwd = NULL, *text;

  if (!rtc_ice_restart (
          self->webrtc, fragment->ufrag, fragment->pwd, &ufrag, &pwd))
    return NULL;
  self->n_candidates = 0;
  add_candidates (self, fragment);
  local = rtc_peer_get_local (self->peer);
  text = rtc_ice_fragment_build (local->sdp, ufrag, pwd);
  gst_webrtc_session_description_free (local);
  g_free (ufrag);
  g_free (pwd);
  return text;
}

gchar *
rtc_session_restart_ice (RtcSession *self, const RtcIceFragment *fragment)
{
  gchar *text, *published;

  if (!fragment->ufrag || !fragment->pwd)
    return NULL;
  text = self->receiver ? rtc_session_port_restart_ice (self)
                        : restart_webrtcbin (self, fragment);
  if (!text)
    return NULL;
  g_free (self->remote_ufrag);
  self->remote_ufrag = g_strdup (fragment->ufrag);
  g_free (self->etag);
  self->etag = g_uuid_string_random ();
  published = rtc_peer_publish (self->peer, text);
  g_free (text);
  return published;
}
