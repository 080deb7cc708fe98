/* gst-tsrec: a WebRTC session that is received on our own UDP port
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * RtcReceiver does here what webrtcbin does in other sessions.
 */

#include "config.h"

#include "rtcsession-private.h"

#if HAVE_TRANSPORT

#include "rtcreceiver.h"
#include "rtcsdp-lite.h"

#include <gst/video/video.h>

/* --- on the thread of the port --- */

static void
on_connected (const gchar *pair, gpointer user_data)
{
  RtcSession *self = user_data;

  rtc_peer_note_connected (self->peer, pair);
}

static void
on_ended (RtcTransportEnd end, gpointer user_data)
{
  RtcPeer *peer = ((RtcSession *)user_data)->peer;

  switch (end) {
    case RTC_TRANSPORT_CLOSED:
      rtc_peer_fail (peer, "the peer closed the connection");
      break;
    case RTC_TRANSPORT_REFUSED:
      rtc_peer_note_refused (peer);
      break;
    case RTC_TRANSPORT_EXPIRED:
      rtc_peer_fail (peer, "nothing was heard of the peer for 30 s (RFC 7675)");
      break;
    default:
      rtc_peer_fail (peer, "DTLS failed");
      break;
  }
}

/* --- on the thread that pushes --- */

static void
on_added (GstPad *pad, gboolean video, gpointer user_data)
{
  RtcSession *self = user_data;

  if (g_atomic_int_compare_and_exchange (&self->receiving, FALSE, TRUE))
    self->callbacks.receiving (self, self->user_data);
  if (!video)
    return;
  rtc_session_take_video_pad (self, pad);
  /* Request a key frame, because the first packets may be lost. */
  gst_pad_send_event (pad,
      gst_video_event_new_upstream_force_key_unit (
          GST_CLOCK_TIME_NONE, TRUE, 0));
}

static GstClockTime
on_get_floor (gpointer user_data)
{
  return rtc_session_get_floor (user_data);
}

/* --- negotiation --- */

gchar *
rtc_session_port_describe (RtcSession *self)
{
  GstSDPMessage *answer = rtc_receiver_make_answer (self->receiver), *whole;
  gchar *text, *published;

  rtc_sdp_set_bandwidth (answer, self->config.max_bitrate);
  whole = rtc_sdp_expand_answer (self->offer, answer, &self->choice);
  text = gst_sdp_message_as_text (whole);
  published = rtc_peer_publish (self->peer, text);
  g_free (text);
  gst_sdp_message_free (whole);
  gst_sdp_message_free (answer);
  return published;
}

gboolean
rtc_session_port_answer (
    RtcSession *self, const GstSDPMessage *pruned, GError **error)
{
  static const RtcReceiverCallbacks callbacks = { on_connected, on_ended,
    on_added, on_get_floor };
  RtcReceiverConfig config = { .bin = self->bin,
    .port = self->config.udp_port,
    .offer = self->offer,
    .pruned = pruned,
    .choice = &self->choice,
    .video = self->video,
    .audio = self->audio,
    .latency = self->config.latency,
    .retransmit_video = self->config.retransmit_video,
    .retransmit_audio = self->config.retransmit_audio,
    .max_bitrate = self->config.max_bitrate,
    .layer = self->config.simulcast_layer,
    .ignored = &self->ignored };
  RtcReceiver *receiver = rtc_receiver_new (&config, &callbacks, self, error);

  if (!receiver)
    return FALSE;
  g_mutex_lock (&self->lock);
  self->receiver = receiver;
  g_mutex_unlock (&self->lock);
  rtc_peer_note_gathered (self->peer);
  return TRUE;
}

gchar *
rtc_session_port_restart_ice (RtcSession *self)
{
  GstSDPMessage *answer;
  gchar *text;

  rtc_receiver_restart_ice (self->receiver);
  answer = rtc_receiver_make_answer (self->receiver);
  text =
      rtc_ice_fragment_build (answer, rtc_receiver_get_ufrag (self->receiver),
          rtc_receiver_get_pwd (self->receiver));
  gst_sdp_message_free (answer);
  return text;
}

/* --- the rest of RtcSession --- */

void
rtc_session_port_close (RtcSession *self)
{
  RtcReceiver *receiver;

  g_mutex_lock (&self->lock);
  receiver = g_steal_pointer (&self->receiver);
  g_mutex_unlock (&self->lock);
  rtc_receiver_free (receiver);
}

void
rtc_session_port_tick (RtcSession *self)
{
  gint64 last = rtc_receiver_get_last_packet (self->receiver);

  __atomic_store_n (&self->last_packet, last, __ATOMIC_RELAXED);
  rtc_receiver_tick (self->receiver);
}

gboolean
rtc_session_port_get_sender_time (RtcSession *self, gint64 *utc)
{
  gboolean known;

  g_mutex_lock (&self->lock);
  known = self->receiver && rtc_receiver_get_sender_time (self->receiver, utc);
  g_mutex_unlock (&self->lock);
  return known;
}

void
rtc_session_port_get_socket (RtcSession *self, guint64 *drops, guint *granted)
{
  g_mutex_lock (&self->lock);
  if (self->receiver)
    rtc_receiver_get_socket (self->receiver, drops, granted);
  g_mutex_unlock (&self->lock);
}

void
rtc_session_port_add_stats (RtcSession *self, GstStructure *stats)
{
  g_mutex_lock (&self->lock);
  if (self->receiver)
    rtc_receiver_add_stats (self->receiver, stats);
  g_mutex_unlock (&self->lock);
}

#else /* there is no such port, see gst_rec_whip_src_open() */

gboolean
rtc_session_port_answer (
    RtcSession *self, const GstSDPMessage *pruned, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
      "This build cannot receive on a UDP port of its own.");
  return FALSE;
}

gchar *
rtc_session_port_describe (RtcSession *self)
{
  return NULL;
}

gchar *
rtc_session_port_restart_ice (RtcSession *self)
{
  return NULL;
}

void
rtc_session_port_close (RtcSession *self)
{
}

void
rtc_session_port_tick (RtcSession *self)
{
}

gboolean
rtc_session_port_get_sender_time (RtcSession *self, gint64 *utc)
{
  return FALSE;
}

void
rtc_session_port_get_socket (RtcSession *self, guint64 *drops, guint *granted)
{
}

void
rtc_session_port_add_stats (RtcSession *self, GstStructure *stats)
{
}

#endif
