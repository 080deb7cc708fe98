/* gst-tsrec: one WebRTC session of a source
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcsession-private.h"
#include "gstrtctrack.h"
#include "rtcpeer.h"

#include <gst/video/video.h>

GST_DEBUG_CATEGORY_STATIC (rtc_session_debug);
#define GST_CAT_DEFAULT rtc_session_debug

static void
ensure_debug_category (void)
{
  static gsize once = 0;

  if (g_once_init_enter (&once)) {
    GST_DEBUG_CATEGORY_INIT (
        rtc_session_debug, "recsession", 0, "WebRTC session that is received");
    g_once_init_leave (&once, 1);
  }
}

RtcSession *
rtc_session_ref (RtcSession *self)
{
  g_atomic_ref_count_inc (&self->refcount);
  return self;
}

void
rtc_session_unref (RtcSession *self)
{
  if (!g_atomic_ref_count_dec (&self->refcount))
    return;
  if (self->offer)
    gst_sdp_message_free (self->offer);
  g_clear_pointer (&self->refusals, g_ptr_array_unref);
  rtc_peer_unref (self->peer);
  rtc_reception_free (self->reception);
  rtc_sockets_free (self->sockets);
  gst_object_unref (self->video_out);
  gst_object_unref (self->audio_out);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->lock);
  g_free ((gchar *)self->config.simulcast_layer);
  g_free (self->remote_ufrag);
  g_free (self->etag);
  g_free (self->id);
  g_free (self);
}

/* GDestroyNotify */
static void
unref_data (gpointer data)
{
  rtc_session_unref (data);
}

static gboolean
is_closed (RtcSession *self)
{
  gboolean closed;

  g_mutex_lock (&self->lock);
  closed = self->closed;
  g_mutex_unlock (&self->lock);
  return closed;
}

/* --- key frames --- */

/* Returns TRUE if a request may be sent now. Otherwise rtc_session_tick() sends
 * it later. */
static gboolean
may_request_keyframe (RtcSession *self)
{
  gint64 now = g_get_monotonic_time ();
  gboolean may;

  g_mutex_lock (&self->lock);
  may = self->last_keyframe_request == 0 ||
      now - self->last_keyframe_request >=
          (gint64)(self->config.keyframe_interval_min / GST_USECOND);
  self->keyframe_wanted = !may;
  if (may) {
    self->last_keyframe_request = now;
    self->keyframe_requests++;
  }
  g_mutex_unlock (&self->lock);
  return may;
}

/* Limits the rate of key frame requests, from the depayloader and from us, before
 * the RTP session turns them into PLI. */
static GstPadProbeReturn
on_upstream_event (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);

  if (!gst_video_event_is_force_key_unit (event))
    return GST_PAD_PROBE_OK;
  return may_request_keyframe (user_data) ? GST_PAD_PROBE_OK
                                          : GST_PAD_PROBE_DROP;
}

void
rtc_session_request_keyframe (RtcSession *self)
{
  GstPad *pad;

  g_mutex_lock (&self->lock);
  pad = self->video_pad ? gst_object_ref (self->video_pad) : NULL;
  g_mutex_unlock (&self->lock);
  if (!pad)
    return;
  gst_pad_send_event (pad,
      gst_video_event_new_upstream_force_key_unit (
          GST_CLOCK_TIME_NONE, TRUE, 0));
  gst_object_unref (pad);
}

/* --- pads of webrtcbin; on a streaming thread of it --- */

void
rtc_session_take_video_pad (RtcSession *self, GstPad *pad)
{
  GstPad *event_pad = rtc_depay_chain_get_event_pad (self->video);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, on_upstream_event,
      rtc_session_ref (self), unref_data);
  g_mutex_lock (&self->lock);
  if (!self->closed)
    gst_object_replace ((GstObject **)&self->video_pad, GST_OBJECT (event_pad));
  g_mutex_unlock (&self->lock);
  gst_object_unref (event_pad);
}

static GstClockTime
get_track_end (GstPad *pad)
{
  GstObject *parent = gst_pad_get_parent (pad);
  GstClockTime end = GST_CLOCK_TIME_NONE;

  if (parent && GST_IS_RTC_TRACK (parent))
    end = gst_rtc_track_get_end (GST_RTC_TRACK (parent));
  gst_clear_object (&parent);
  return end;
}

GstClockTime
rtc_session_get_floor (RtcSession *self)
{
  GstClockTime video = get_track_end (self->video_out);
  GstClockTime audio = get_track_end (self->audio_out);

  if (!GST_CLOCK_TIME_IS_VALID (video))
    return audio;
  return GST_CLOCK_TIME_IS_VALID (audio) ? MAX (video, audio) : video;
}

static void
on_pad_added (GstElement *webrtc, GstPad *pad, RtcSession *self)
{
  RtcDepayChain *chain;
  guint ssrc = 0;

  if (GST_PAD_DIRECTION (pad) != GST_PAD_SRC || is_closed (self))
    return;
  if (g_atomic_int_compare_and_exchange (&self->receiving, FALSE, TRUE))
    self->callbacks.receiving (self, self->user_data);
  chain = rtc_streams_add_pad (self->streams, pad, &ssrc);
  if (!chain)
    return;
  rtc_reception_take_pad (self->reception, pad, ssrc, chain == self->video,
      rtc_session_get_floor (self));
  rtc_nack_pad_added (self->retransmit, pad, chain == self->video);
  if (chain != self->video)
    return;
  rtc_session_take_video_pad (self, pad);
  /* Request a key frame, because the first packets may be lost. */
  gst_pad_send_event (pad,
      gst_video_event_new_upstream_force_key_unit (
          GST_CLOCK_TIME_NONE, TRUE, 0));
}

/* --- silence of the peer --- */

static GstPadProbeReturn
on_packet (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  RtcSession *self = user_data;

  __atomic_store_n (
      &self->last_packet, g_get_monotonic_time (), __ATOMIC_RELAXED);
  return GST_PAD_PROBE_OK;
}

static void
on_deep_element_added (
    GstBin *webrtc, GstBin *sub_bin, GstElement *element, RtcSession *self)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  GstPad *pad;

  if (!factory || g_strcmp0 (GST_OBJECT_NAME (factory), "nicesrc") != 0)
    return;
  pad = gst_element_get_static_pad (element, "src");
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_packet,
      rtc_session_ref (self), unref_data);
  gst_object_unref (pad);
}

static gboolean
peer_is_silent (RtcSession *self)
{
  gint64 last = __atomic_load_n (&self->last_packet, __ATOMIC_RELAXED);

  return self->config.peer_timeout > 0 && last > 0 &&
      g_get_monotonic_time () - last >
      (gint64)(self->config.peer_timeout / GST_USECOND);
}

static void
get_socket (RtcSession *self, guint64 *drops, guint *granted)
{
  rtc_sockets_get (self->sockets, drops, granted);
  rtc_session_port_get_socket (self, drops, granted);
}

/* Returns TRUE if the kernel has dropped packets. */
static gboolean
update_drops (RtcSession *self)
{
  guint64 drops;
  guint granted;

  if (self->webrtc)
    return rtc_sockets_update (self->sockets, self->webrtc) > 0;
  get_socket (self, &drops, &granted);
  return drops > 0;
}

/* Posted once in a session; `stats` has the count. */
static void
warn_of_drops (RtcSession *self)
{
  guint64 drops;
  guint granted;

  get_socket (self, &drops, &granted);
  self->warned_of_drops = TRUE;
  if (granted < RTC_SOCKETS_WANTED)
    GST_ELEMENT_WARNING (self->bin, RESOURCE, READ,
        ("The kernel dropped packets, because the receive buffer of %u bytes "
         "was full. Set net.core.rmem_max to %u or more (sysctl), so that key "
         "frames fit in.",
            granted, RTC_SOCKETS_WANTED),
        ("session %s, %" G_GUINT64_FORMAT " packets", self->id, drops));
  else
    GST_ELEMENT_WARNING (self->bin, RESOURCE, READ,
        ("The kernel dropped packets, because the receive buffer of %u bytes "
         "was full. The recorder did not read it in time: the machine is too "
         "busy, or the process was stopped. net.core.rmem_max is not the "
         "limit.",
            granted),
        ("session %s, %" G_GUINT64_FORMAT " packets", self->id, drops));
}

void
rtc_session_tick (RtcSession *self)
{
  gboolean wanted;

  if (update_drops (self) && !self->warned_of_drops)
    warn_of_drops (self);
  if (self->receiver)
    rtc_session_port_tick (self);
  if (rtc_peer_has_ended (self->peer))
    return;
  if (peer_is_silent (self)) {
    gchar *reason = g_strdup_printf (rtc_peer_is_connected (self->peer)
            ? "the peer has been silent for %.1f s"
            : "the peer did not connect within %.1f s",
        (gdouble)self->config.peer_timeout / GST_SECOND);

    rtc_peer_end (self->peer, reason);
    g_free (reason);
    return;
  }
  g_mutex_lock (&self->lock);
  wanted = self->keyframe_wanted;
  g_mutex_unlock (&self->lock);
  if (wanted)
    rtc_session_request_keyframe (self);
  rtc_streams_tick (self->streams);
}

/* --- RtcPeer --- */

static void
on_gathered (gpointer user_data)
{
  RtcSession *self = user_data;
  GError *error = NULL;
  gchar *text = self->receiver
      ? rtc_session_port_describe (self)
      : rtc_peer_describe (self->peer, self->offer, &self->choice, &error);

  self->callbacks.described (self, text, error, self->user_data);
  g_free (text);
  g_clear_error (&error);
}

static void
on_connected (const gchar *pair, gpointer user_data)
{
  RtcSession *self = user_data;

  GST_CAT_INFO_OBJECT (self->config.category, self->bin,
      "session %s: connected, candidate pair %s; the certificate is verified",
      self->id, pair);
  self->callbacks.connected (self, self->user_data);
}

static void
on_ended (const gchar *reason, gpointer user_data)
{
  RtcSession *self = user_data;

  self->callbacks.ended (self, reason, self->user_data);
}

static void
make_peer (RtcSession *self, const RtcSessionConfig *config)
{
  static const RtcPeerCallbacks callbacks = { on_gathered, on_connected,
    on_ended };
  gchar *prefix = g_strdup_printf ("session %s: ", self->id);
  const RtcPeerConfig peer_config = { .category = config->category,
    .log_prefix = prefix,
    .stun_server = config->stun_server,
    .turn_server = config->turn_server,
    .port_range = config->port_range,
    .public_address = config->public_address };

  self->peer =
      rtc_peer_new (self->bin, self->context, &peer_config, &callbacks, self);
  g_free (prefix);
}

void
rtc_session_fail (RtcSession *self, const gchar *reason)
{
  rtc_peer_fail (self->peer, reason);
}

void
rtc_session_watch (RtcSession *self)
{
  rtc_streams_limit (self->webrtc);
  g_signal_connect (self->webrtc, "pad-added", G_CALLBACK (on_pad_added), self);
  g_signal_connect (self->webrtc, "deep-element-added",
      G_CALLBACK (on_deep_element_added), self);
}

/* --- life --- */

RtcSession *
rtc_session_new (GstBin *bin, GstPad *video, GstPad *audio,
    GMainContext *context, const RtcSessionConfig *config,
    const RtcSessionCallbacks *callbacks, gpointer user_data)
{
  RtcSession *self = g_new0 (RtcSession, 1);

  ensure_debug_category ();
  g_atomic_ref_count_init (&self->refcount);
  g_mutex_init (&self->lock);
  self->id = g_uuid_string_random ();
  self->etag = g_uuid_string_random ();
  self->bin = bin;
  self->context = g_main_context_ref (context);
  self->config = *config;
  /* Only RtcPeer uses these, and it has copies. */
  self->config.stun_server = self->config.turn_server = NULL;
  self->config.port_range = self->config.public_address = NULL;
  self->config.simulcast_layer = g_strdup (config->simulcast_layer);
  self->callbacks = *callbacks;
  self->user_data = user_data;
  self->sockets = rtc_sockets_new ();
  self->video_out = gst_object_ref (video);
  self->audio_out = gst_object_ref (audio);
  make_peer (self, config);
  return self;
}

void
rtc_session_close (RtcSession *self)
{
  if (!self)
    return;
  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  gst_clear_object (&self->video_pad);
  g_mutex_unlock (&self->lock);
  rtc_reception_stop (self->reception);
  if (self->webrtc)
    g_signal_handlers_disconnect_by_data (self->webrtc, self);
  self->webrtc = NULL;
  /* The probes on pads of webrtcbin hold references to the session. */
  rtc_peer_close (self->peer);
  rtc_session_port_close (self);
  g_clear_pointer (&self->retransmit, rtc_nack_free);
  g_clear_pointer (&self->streams, rtc_streams_free);
  rtc_depay_chain_free (self->video);
  rtc_depay_chain_free (self->audio);
  rtc_session_unref (self);
}

const gchar *
rtc_session_get_id (RtcSession *self)
{
  return self->id;
}

const gchar *
rtc_session_get_etag (RtcSession *self)
{
  return self->etag;
}

const RtcSdpChoice *
rtc_session_get_choice (RtcSession *self)
{
  return &self->choice;
}

GPtrArray *
rtc_session_get_refusals (RtcSession *self)
{
  return self->refusals;
}

gboolean
rtc_session_get_sender_time (RtcSession *self, gint64 *utc)
{
  return self->reception ? rtc_reception_get_sender_time (self->reception, utc)
                         : rtc_session_port_get_sender_time (self, utc);
}

gboolean
rtc_session_is_connected (RtcSession *self)
{
  return rtc_peer_is_connected (self->peer);
}

gboolean
rtc_session_is_refused (RtcSession *self)
{
  return rtc_peer_is_refused (self->peer);
}

gboolean
rtc_session_owns (RtcSession *self, GstObject *object)
{
  return rtc_peer_has_owner (object, self);
}

guint64
rtc_session_get_socket_drops (RtcSession *self)
{
  guint64 drops;
  guint granted;

  get_socket (self, &drops, &granted);
  return drops;
}

void
rtc_session_add_stats (RtcSession *self, GstStructure *stats)
{
  RtcReception *reception;
  RtcSdpChoice choice;
  guint64 requests, drops;
  guint granted;

  get_socket (self, &drops, &granted);
  g_mutex_lock (&self->lock);
  reception = self->reception;
  choice = self->choice;
  requests = self->keyframe_requests;
  g_mutex_unlock (&self->lock);
  gst_structure_set (stats, "session-id", G_TYPE_STRING, self->id,
      "keyframe-requests", G_TYPE_UINT64, requests, "video-codec",
      G_TYPE_STRING, choice.video.codec ? choice.video.codec->name : "",
      "audio-codec", G_TYPE_STRING,
      choice.audio.codec ? choice.audio.codec->name : "",
      "video-profile-level-id", G_TYPE_UINT, choice.video.profile_level_id,
      "video-pictures-dropped", G_TYPE_UINT64,
      __atomic_load_n (&self->video_counters.held_back, __ATOMIC_RELAXED),
      "rtp-ignored", G_TYPE_UINT64,
      __atomic_load_n (&self->ignored, __ATOMIC_RELAXED) +
          __atomic_load_n (&self->video_counters.ignored, __ATOMIC_RELAXED) +
          __atomic_load_n (&self->audio_counters.ignored, __ATOMIC_RELAXED),
      "video-rtp-malformed", G_TYPE_UINT64,
      __atomic_load_n (&self->video_counters.malformed, __ATOMIC_RELAXED),
      "audio-rtp-malformed", G_TYPE_UINT64,
      __atomic_load_n (&self->audio_counters.malformed, __ATOMIC_RELAXED),
      "socket-drops", G_TYPE_UINT64, drops, "socket-buffer", G_TYPE_UINT,
      granted, NULL);
  if (reception)
    rtc_reception_add_stats (reception, stats);
  else
    rtc_session_port_add_stats (self, stats);
}
