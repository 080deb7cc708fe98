/* gst-tsrec: a WebRTC session that is received on our own UDP port
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What webrtcbin does in the other sessions, RtcReceiver does here.
 */

#include "config.h"

#include "icesettings.h"
#include "recsessionpriv.h"

#if HAVE_TRANSPORT

#include "rtcreceiver.h"
#include "sdplite.h"

#include <gst/video/video.h>

/* --- from other threads to the control thread --- */

static void
become_connected (RecSession *self, const gchar *pair)
{
  if (self->connected || self->ended)
    return;
  g_atomic_int_set (&self->connected, TRUE);
  GST_CAT_INFO_OBJECT (self->config.category, self->bin,
      "session %s: connected, candidate pair %s; the certificate is verified",
      self->id, pair);
  self->callbacks.connected (self, self->user_data);
}

static void
on_connected (const gchar *pair, gpointer user_data)
{
  rec_session_call (user_data, become_connected, pair);
}

static void
on_ended (RtcTransportEnd end, gpointer user_data)
{
  switch (end) {
    case RTC_TRANSPORT_CLOSED:
      rec_session_call (
          user_data, rec_session_end, "the peer closed the connection");
      break;
    case RTC_TRANSPORT_REFUSED:
      rec_session_call (user_data, rec_session_refuse, NULL);
      break;
    case RTC_TRANSPORT_EXPIRED:
      rec_session_call (user_data, rec_session_end,
          "nothing was heard of the peer for 30 s (RFC 7675)");
      break;
    default:
      rec_session_call (user_data, rec_session_end, "DTLS failed");
      break;
  }
}

/* --- on the thread that pushes --- */

static void
on_added (GstPad *pad, gboolean video, gpointer user_data)
{
  RecSession *self = user_data;

  if (g_atomic_int_compare_and_exchange (&self->receiving, FALSE, TRUE))
    self->callbacks.receiving (self, self->user_data);
  if (!video)
    return;
  rec_session_take_video_pad (self, pad);
  /* The first packets may be lost, and the key frame with them. */
  gst_pad_send_event (pad,
      gst_video_event_new_upstream_force_key_unit (
          GST_CLOCK_TIME_NONE, TRUE, 0));
}

static GstClockTime
on_get_floor (gpointer user_data)
{
  return rec_session_get_floor (user_data);
}

/* --- negotiation --- */

static void
describe (RecSession *self, const gchar *unused)
{
  GstSDPMessage *answer = rtc_receiver_make_answer (self->receiver), *whole;
  gchar *text, *published;

  sdp_util_set_bandwidth (answer, self->config.max_bitrate);
  whole = sdp_util_expand_answer (self->offer, answer, &self->choice);
  text = gst_sdp_message_as_text (whole);
  published = ice_settings_publish (text, self->config.public_address);
  self->described = TRUE;
  self->callbacks.described (self, published, NULL, self->user_data);
  g_free (published);
  g_free (text);
  gst_sdp_message_free (whole);
  gst_sdp_message_free (answer);
}

gboolean
rec_session_port_answer (
    RecSession *self, const GstSDPMessage *pruned, GError **error)
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
    .ignored = &self->ignored };
  RtcReceiver *receiver = rtc_receiver_new (&config, &callbacks, self, error);

  if (!receiver)
    return FALSE;
  g_mutex_lock (&self->lock);
  self->receiver = receiver;
  g_mutex_unlock (&self->lock);
  rec_session_call (self, describe, NULL);
  return TRUE;
}

gchar *
rec_session_port_restart_ice (RecSession *self)
{
  GstSDPMessage *answer;
  gchar *text;

  rtc_receiver_restart_ice (self->receiver);
  answer = rtc_receiver_make_answer (self->receiver);
  text =
      sdp_util_make_fragment (answer, rtc_receiver_get_ufrag (self->receiver),
          rtc_receiver_get_pwd (self->receiver));
  gst_sdp_message_free (answer);
  return text;
}

/* --- the rest of RecSession --- */

void
rec_session_port_close (RecSession *self)
{
  RtcReceiver *receiver;

  g_mutex_lock (&self->lock);
  receiver = g_steal_pointer (&self->receiver);
  g_mutex_unlock (&self->lock);
  rtc_receiver_free (receiver);
}

void
rec_session_port_tick (RecSession *self)
{
  gint64 last = rtc_receiver_get_last_packet (self->receiver);

  __atomic_store_n (&self->last_packet, last, __ATOMIC_RELAXED);
  rtc_receiver_tick (self->receiver);
}

gboolean
rec_session_port_get_sender_time (RecSession *self, gint64 *utc)
{
  gboolean known;

  g_mutex_lock (&self->lock);
  known = self->receiver && rtc_receiver_get_sender_time (self->receiver, utc);
  g_mutex_unlock (&self->lock);
  return known;
}

void
rec_session_port_get_socket (RecSession *self, guint64 *drops, guint *granted)
{
  g_mutex_lock (&self->lock);
  if (self->receiver)
    rtc_receiver_get_socket (self->receiver, drops, granted);
  g_mutex_unlock (&self->lock);
}

void
rec_session_port_add_stats (RecSession *self, GstStructure *stats)
{
  g_mutex_lock (&self->lock);
  if (self->receiver)
    rtc_receiver_add_stats (self->receiver, stats);
  g_mutex_unlock (&self->lock);
}

#else /* there is no such port, see gst_rec_whip_src_open() */

gboolean
rec_session_port_answer (
    RecSession *self, const GstSDPMessage *pruned, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
      "This build cannot receive on a UDP port of its own.");
  return FALSE;
}

gchar *
rec_session_port_restart_ice (RecSession *self)
{
  return NULL;
}

void
rec_session_port_close (RecSession *self)
{
}

void
rec_session_port_tick (RecSession *self)
{
}

gboolean
rec_session_port_get_sender_time (RecSession *self, gint64 *utc)
{
  return FALSE;
}

void
rec_session_port_get_socket (RecSession *self, guint64 *drops, guint *granted)
{
}

void
rec_session_port_add_stats (RecSession *self, GstStructure *stats)
{
}

#endif
