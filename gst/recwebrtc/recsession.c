/* gst-tsrec: one WebRTC session that is received
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "icehost.h"
#include "recsessionpriv.h"
#include "rectrack.h"
#include "webrtcutil.h"

#include <gst/video/video.h>

GST_DEBUG_CATEGORY_STATIC (rec_session_debug);
#define GST_CAT_DEFAULT rec_session_debug

static void
ensure_debug_category (void)
{
  static gsize once = 0;

  if (g_once_init_enter (&once)) {
    GST_DEBUG_CATEGORY_INIT (
        rec_session_debug, "recsession", 0, "WebRTC session that is received");
    g_once_init_leave (&once, 1);
  }
}

RecSession *
rec_session_ref (RecSession *self)
{
  g_atomic_ref_count_inc (&self->refcount);
  return self;
}

void
rec_session_unref (RecSession *self)
{
  if (!g_atomic_ref_count_dec (&self->refcount))
    return;
  if (self->offer)
    gst_sdp_message_free (self->offer);
  g_clear_pointer (&self->refusals, g_ptr_array_unref);
  g_ptr_array_unref (self->dtls);
  rec_reception_free (self->reception);
  rec_sockets_free (self->sockets);
  gst_object_unref (self->video_out);
  gst_object_unref (self->audio_out);
  g_clear_pointer (&self->gather_timeout, g_source_unref);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->lock);
  g_free (self->remote_ufrag);
  g_free ((gchar *)self->config.stun_server);
  g_free ((gchar *)self->config.turn_server);
  g_free ((gchar *)self->config.port_range);
  g_free ((gchar *)self->config.public_address);
  g_free (self->etag);
  g_free (self->id);
  g_free (self);
}

/* GDestroyNotify */
void
rec_session_unref_data (gpointer data)
{
  rec_session_unref (data);
}

gboolean
rec_session_is_closed (RecSession *self)
{
  gboolean closed;

  g_mutex_lock (&self->lock);
  closed = self->closed;
  g_mutex_unlock (&self->lock);
  return closed;
}

/* --- from webrtcbin's threads to the control thread --- */

typedef struct
{
  RecSession *session;
  void (*function) (RecSession *session, const gchar *text);
  gchar *text;
} Call;

static gboolean
run_call (gpointer data)
{
  Call *call = data;

  if (!rec_session_is_closed (call->session))
    call->function (call->session, call->text);
  return G_SOURCE_REMOVE;
}

static void
free_call (gpointer data)
{
  Call *call = data;

  rec_session_unref (call->session);
  g_free (call->text);
  g_free (call);
}

void
rec_session_call (RecSession *self,
    void (*function) (RecSession *, const gchar *), const gchar *text)
{
  Call *call = g_new0 (Call, 1);
  GSource *source = g_idle_source_new ();

  call->session = rec_session_ref (self);
  call->function = function;
  call->text = g_strdup (text);
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, run_call, call, free_call);
  g_source_attach (source, self->context);
  g_source_unref (source);
}

void
rec_session_end (RecSession *self, const gchar *reason)
{
  if (self->ended)
    return;
  self->ended = TRUE;
  GST_CAT_DEBUG_OBJECT (self->config.category, self->bin,
      "session %s is to end: %s", self->id, reason);
  self->callbacks.ended (self, reason, self->user_data);
}

void
rec_session_fail (RecSession *self, const gchar *reason)
{
  rec_session_call (self, rec_session_end, reason);
}

/* --- key frames --- */

/* TRUE when a request may go out now; remembers it otherwise. */
static gboolean
may_request_keyframe (RecSession *self)
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

/* Requests of the depayloader and our own both pass here, on their way into
 * the RTP session, which makes PLI of them. */
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
rec_session_request_keyframe (RecSession *self)
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

/* Key frame requests of all kinds pass the pads of the video. */
void
rec_session_take_video_pad (RecSession *self, GstPad *pad)
{
  GstPad *event_pad = rec_chain_get_event_pad (self->video);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, on_upstream_event,
      rec_session_ref (self), rec_session_unref_data);
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

  if (parent && REC_IS_TRACK (parent))
    end = rec_track_get_end (REC_TRACK (parent));
  gst_clear_object (&parent);
  return end;
}

/* Where the recording of the sessions before this one ends. */
GstClockTime
rec_session_get_floor (RecSession *self)
{
  GstClockTime video = get_track_end (self->video_out);
  GstClockTime audio = get_track_end (self->audio_out);

  if (!GST_CLOCK_TIME_IS_VALID (video))
    return audio;
  return GST_CLOCK_TIME_IS_VALID (audio) ? MAX (video, audio) : video;
}

static void
on_pad_added (GstElement *webrtc, GstPad *pad, RecSession *self)
{
  RecChain *chain;
  guint ssrc = 0;

  if (GST_PAD_DIRECTION (pad) != GST_PAD_SRC || rec_session_is_closed (self))
    return;
  if (g_atomic_int_compare_and_exchange (&self->receiving, FALSE, TRUE))
    self->callbacks.receiving (self, self->user_data);
  chain = rec_streams_add_pad (self->streams, pad, &ssrc);
  if (!chain)
    return;
  rec_reception_take_pad (self->reception, pad, ssrc, chain == self->video,
      rec_session_get_floor (self));
  rec_retransmit_pad_added (self->retransmit, pad, chain == self->video);
  if (chain != self->video)
    return;
  rec_session_take_video_pad (self, pad);
  /* The first packets may be lost, and the key frame with them. */
  gst_pad_send_event (pad,
      gst_video_event_new_upstream_force_key_unit (
          GST_CLOCK_TIME_NONE, TRUE, 0));
}

/* --- the peer's signs of life --- */

static GstPadProbeReturn
on_packet (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  RecSession *self = user_data;

  __atomic_store_n (
      &self->last_packet, g_get_monotonic_time (), __ATOMIC_RELAXED);
  return GST_PAD_PROBE_OK;
}

static void
on_deep_element_added (
    GstBin *webrtc, GstBin *sub_bin, GstElement *element, RecSession *self)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  GstPad *pad;

  if (!factory || g_strcmp0 (GST_OBJECT_NAME (factory), "nicesrc") != 0)
    return;
  pad = gst_element_get_static_pad (element, "src");
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_packet,
      rec_session_ref (self), rec_session_unref_data);
  gst_object_unref (pad);
}

static gboolean
peer_is_silent (RecSession *self)
{
  gint64 last = __atomic_load_n (&self->last_packet, __ATOMIC_RELAXED);

  return self->config.peer_timeout > 0 && last > 0 &&
      g_get_monotonic_time () - last >
      (gint64)(self->config.peer_timeout / GST_USECOND);
}

static void
get_socket (RecSession *self, guint64 *drops, guint *granted)
{
  rec_sockets_get (self->sockets, drops, granted);
  rec_session_port_get_socket (self, drops, granted);
}

/* Returns whether the kernel has dropped packets. */
static gboolean
update_drops (RecSession *self)
{
  guint64 drops;
  guint granted;

  if (self->webrtc)
    return rec_sockets_update (self->sockets, self->webrtc) > 0;
  get_socket (self, &drops, &granted);
  return drops > 0;
}

/* Once a session; `stats` has the count. */
static void
warn_of_drops (RecSession *self)
{
  guint64 drops;
  guint granted;

  get_socket (self, &drops, &granted);
  self->warned_of_drops = TRUE;
  if (granted < REC_SOCKETS_WANTED)
    GST_ELEMENT_WARNING (self->bin, RESOURCE, READ,
        ("The kernel dropped packets, because the receive buffer of %u bytes "
         "was full. Set net.core.rmem_max to %u or more (sysctl), so that key "
         "frames fit in.",
            granted, REC_SOCKETS_WANTED),
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
rec_session_tick (RecSession *self)
{
  gboolean wanted;

  if (update_drops (self) && !self->warned_of_drops)
    warn_of_drops (self);
  if (self->receiver)
    rec_session_port_tick (self);
  if (self->ended)
    return;
  if (peer_is_silent (self)) {
    gchar *reason = g_strdup_printf (self->connected
            ? "the peer has been silent for %.1f s"
            : "the peer did not connect within %.1f s",
        (gdouble)self->config.peer_timeout / GST_SECOND);

    rec_session_end (self, reason);
    g_free (reason);
    return;
  }
  g_mutex_lock (&self->lock);
  wanted = self->keyframe_wanted;
  g_mutex_unlock (&self->lock);
  if (wanted)
    rec_session_request_keyframe (self);
  rec_streams_tick (self->streams);
}

/* --- states of webrtcbin --- */

void
rec_session_refuse (RecSession *self, const gchar *unused)
{
  self->refused = TRUE;
  rec_session_end (self, REC_PEER_REFUSED);
}

/* On a thread of webrtcbin. */
static void
on_peer_refused (gpointer data)
{
  rec_session_call (data, rec_session_refuse, NULL);
}

/* No certificate, no verdict: that is refused as well. */
static void
became_connected (RecSession *self, const gchar *unused)
{
  gchar *pair;

  if (self->connected || self->ended)
    return;
  if (!rec_peer_is_verified (self->peer)) {
    rec_session_refuse (self, NULL);
    return;
  }
  g_atomic_int_set (&self->connected, TRUE);
  pair = ice_host_describe_pair (self->webrtc);
  GST_CAT_INFO_OBJECT (self->config.category, self->bin,
      "session %s: connected, candidate pair %s; the certificate is verified",
      self->id, pair ? pair : "unknown");
  g_free (pair);
  self->callbacks.connected (self, self->user_data);
}

static void
on_connection_state (GstElement *webrtc, GParamSpec *pspec, RecSession *self)
{
  GstWebRTCPeerConnectionState state;

  g_object_get (webrtc, "connection-state", &state, NULL);
  if (state == GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED)
    rec_session_call (self, became_connected, NULL);
  else if (state == GST_WEBRTC_PEER_CONNECTION_STATE_FAILED)
    rec_session_call (self, rec_session_end, "the connection failed");
  else if (state == GST_WEBRTC_PEER_CONNECTION_STATE_CLOSED)
    rec_session_call (self, rec_session_end, "the peer closed the connection");
}

static void
on_dtls_state (GObject *transport, GParamSpec *pspec, RecSession *self)
{
  GstWebRTCDTLSTransportState state;

  g_object_get (transport, "state", &state, NULL);
  GST_CAT_INFO_OBJECT (self->config.category, self->bin,
      "session %s: DTLS is %s", self->id, webrtc_util_dtls_state_name (state));
  if (state == GST_WEBRTC_DTLS_TRANSPORT_STATE_CLOSED)
    rec_session_call (self, rec_session_end, "the peer closed the connection");
  else if (state == GST_WEBRTC_DTLS_TRANSPORT_STATE_FAILED)
    rec_session_call (self, rec_session_end, "DTLS failed");
}

void
rec_session_watch (RecSession *self)
{
  rec_streams_limit (self->webrtc);
  self->peer = rec_peer_new (self->webrtc, on_peer_refused,
      rec_session_ref (self), rec_session_unref_data);
  g_signal_connect (self->webrtc, "pad-added", G_CALLBACK (on_pad_added), self);
  g_signal_connect (self->webrtc, "deep-element-added",
      G_CALLBACK (on_deep_element_added), self);
  g_signal_connect (self->webrtc, "notify::connection-state",
      G_CALLBACK (on_connection_state), self);
}

/* Called once, when the tracks are known. */
void
rec_session_watch_dtls (RecSession *self)
{
  GArray *transceivers = NULL;
  guint i;

  rec_reception_expect (
      self->reception, self->video != NULL, self->audio != NULL);
  g_signal_emit_by_name (self->webrtc, "get-transceivers", &transceivers);
  for (i = 0; transceivers && i < transceivers->len; i++) {
    GstWebRTCRTPTransceiver *transceiver =
        g_array_index (transceivers, GstWebRTCRTPTransceiver *, i);
    GstWebRTCRTPReceiver *receiver = NULL;
    GObject *transport = NULL;

    g_object_get (transceiver, "receiver", &receiver, NULL);
    if (receiver)
      g_object_get (receiver, "transport", &transport, NULL);
    if (transport && !g_ptr_array_find (self->dtls, transport, NULL)) {
      g_signal_connect (
          transport, "notify::state", G_CALLBACK (on_dtls_state), self);
      g_ptr_array_add (self->dtls, g_object_ref (transport));
    }
    g_clear_object (&transport);
    g_clear_object (&receiver);
  }
  g_clear_pointer (&transceivers, g_array_unref);
}

/* --- life --- */

RecSession *
rec_session_new (GstBin *bin, GstPad *video, GstPad *audio,
    GMainContext *context, const RecSessionConfig *config,
    const RecSessionCallbacks *callbacks, gpointer user_data)
{
  RecSession *self = g_new0 (RecSession, 1);

  ensure_debug_category ();
  g_atomic_ref_count_init (&self->refcount);
  g_mutex_init (&self->lock);
  self->id = g_uuid_string_random ();
  self->etag = g_uuid_string_random ();
  self->bin = bin;
  self->context = g_main_context_ref (context);
  self->config = *config;
  self->config.stun_server = g_strdup (config->stun_server);
  self->config.turn_server = g_strdup (config->turn_server);
  self->config.port_range = g_strdup (config->port_range);
  self->config.public_address = g_strdup (config->public_address);
  self->callbacks = *callbacks;
  self->user_data = user_data;
  self->sockets = rec_sockets_new ();
  self->dtls = g_ptr_array_new_with_free_func (g_object_unref);
  self->video_out = gst_object_ref (video);
  self->audio_out = gst_object_ref (audio);
  return self;
}

static void
drop_webrtcbin (RecSession *self)
{
  if (!self->webrtc)
    return;
  g_signal_handlers_disconnect_by_data (self->webrtc, self);
  /* First out of the bin: to take it down is to wait for the threads that push
   * out of it, which a sink in PAUSED keeps, and with its state lock meanwhile,
   * for which a state change of the bin would wait. */
  gst_bin_remove (self->bin, self->webrtc);
  gst_element_set_state (self->webrtc, GST_STATE_NULL);
  /* The probes on its pads hold references to the session. */
  gst_clear_object (&self->webrtc);
}

void
rec_session_close (RecSession *self)
{
  guint i;

  if (!self)
    return;
  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  gst_clear_object (&self->video_pad);
  g_mutex_unlock (&self->lock);
  if (self->gather_timeout)
    g_source_destroy (self->gather_timeout);
  for (i = 0; i < self->dtls->len; i++)
    g_signal_handlers_disconnect_by_data (
        g_ptr_array_index (self->dtls, i), self);
  drop_webrtcbin (self);
  rec_session_port_close (self);
  g_clear_pointer (&self->peer, rec_peer_unref);
  g_clear_pointer (&self->retransmit, rec_retransmit_free);
  g_clear_pointer (&self->streams, rec_streams_free);
  rec_chain_free (self->video);
  rec_chain_free (self->audio);
  rec_session_unref (self);
}

const gchar *
rec_session_get_id (RecSession *self)
{
  return self->id;
}

const gchar *
rec_session_get_etag (RecSession *self)
{
  return self->etag;
}

const SdpChoice *
rec_session_get_choice (RecSession *self)
{
  return &self->choice;
}

GPtrArray *
rec_session_get_refusals (RecSession *self)
{
  return self->refusals;
}

gboolean
rec_session_get_sender_time (RecSession *self, gint64 *utc)
{
  return self->reception ? rec_reception_get_sender_time (self->reception, utc)
                         : rec_session_port_get_sender_time (self, utc);
}

gboolean
rec_session_is_connected (RecSession *self)
{
  return g_atomic_int_get (&self->connected);
}

gboolean
rec_session_is_refused (RecSession *self)
{
  return self->refused;
}

gboolean
rec_session_owns (RecSession *self, GstObject *object)
{
  return webrtc_util_has_owner (object, self);
}

guint64
rec_session_get_socket_drops (RecSession *self)
{
  guint64 drops;
  guint granted;

  get_socket (self, &drops, &granted);
  return drops;
}

void
rec_session_add_stats (RecSession *self, GstStructure *stats)
{
  RecReception *reception;
  SdpChoice choice;
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
    rec_reception_add_stats (reception, stats);
  else
    rec_session_port_add_stats (self, stats);
}
