/* gst-tsrec: one WebRTC session that is received
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recsession.h"
#include "recretransmit.h"
#include "webrtcutil.h"

#include <gst/video/video.h>

GST_DEBUG_CATEGORY_STATIC (rec_session_debug);
#define GST_CAT_DEFAULT rec_session_debug

/* A STUN server that does not answer must not keep the client waiting. */
#define GATHER_TIMEOUT_MS 2000

/**
 * Chain:
 * @depay, @filter, @parse: between the pad of webrtcbin and the track; @parse
 *   may be NULL
 * @requests: key frames asked for
 */
typedef struct
{
  RecSession *session;
  SdpTrack track;
  GstElement *depay;
  GstElement *filter;
  GstElement *parse;
  GstPad *out;
} Chain;

struct _RecSession
{
  gatomicrefcount refcount;
  gchar *id;
  gchar *etag;
  GstBin *bin;
  GMainContext *context;
  RecSessionConfig config;
  RecSessionCallbacks callbacks;
  gpointer user_data;

  GstElement *webrtc;
  RecRetransmit *retransmit;
  Chain video;
  Chain audio;
  GPtrArray *dtls;
  SdpChoice choice;
  GstSDPMessage *offer;
  gchar *remote_ufrag;
  GSource *gather_timeout;

  /* control thread only */
  gboolean described;
  gboolean connected;
  gboolean ended;

  /* µs of the monotonic clock; read and written by any thread */
  gint64 last_packet;

  GMutex lock;
  /* under lock */
  gboolean closed;
  GPtrArray *elements;
  GstPad *video_pad;
  gint64 last_keyframe_request;
  gboolean keyframe_wanted;
  guint64 keyframe_requests;
};

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
  g_ptr_array_unref (self->dtls);
  g_ptr_array_unref (self->elements);
  g_clear_pointer (&self->gather_timeout, g_source_unref);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->lock);
  g_free (self->remote_ufrag);
  g_free ((gchar *)self->config.stun_server);
  g_free ((gchar *)self->config.turn_server);
  g_free (self->etag);
  g_free (self->id);
  g_free (self);
}

/* GDestroyNotify */
static void
session_unref (gpointer data)
{
  rec_session_unref (data);
}

static gboolean
is_closed (RecSession *self)
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

  if (!is_closed (call->session))
    call->function (call->session, call->text);
  return G_SOURCE_REMOVE;
}

static void
free_call (gpointer data)
{
  Call *call = data;

  session_unref (call->session);
  g_free (call->text);
  g_free (call);
}

static void
call_later (RecSession *self, void (*function) (RecSession *, const gchar *),
    const gchar *text)
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

static void
end_session (RecSession *self, const gchar *reason)
{
  if (self->ended)
    return;
  self->ended = TRUE;
  GST_INFO_OBJECT (self->bin, "session %s ended: %s", self->id, reason);
  self->callbacks.ended (self, reason, self->user_data);
}

void
rec_session_fail (RecSession *self, const gchar *reason)
{
  call_later (self, end_session, reason);
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

/* --- depayloading --- */

static void
set_if_there (GstElement *element, const gchar *property, gint value)
{
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), property))
    g_object_set (element, property, value, NULL);
}

static void
add_element (RecSession *self, GstElement *element)
{
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->elements, gst_object_ref (element));
  g_mutex_unlock (&self->lock);
  gst_bin_add (self->bin, element);
}

static gboolean
make_parser (Chain *chain, GError **error)
{
  const SdpCodec *codec = chain->track.codec;
  GstElement *filter = webrtc_util_make ("capsfilter", error);
  GstCaps *caps = gst_caps_from_string (codec->caps);

  if (!filter)
    return FALSE;
  g_object_set (filter, "caps", caps, NULL);
  gst_caps_unref (caps);
  add_element (chain->session, filter);
  chain->filter = filter;
  if (!codec->parser)
    return TRUE;
  chain->parse = webrtc_util_make (codec->parser, error);
  if (!chain->parse)
    return FALSE;
  add_element (chain->session, chain->parse);
  /* Parameter sets in front of every key frame: one can begin there. */
  set_if_there (chain->parse, "config-interval", -1);
  /* The timestamps are those of the jitter buffer, not of a frame rate. */
  set_if_there (chain->parse, "disable-passthrough", TRUE);
  return TRUE;
}

static gboolean
make_chain (Chain *chain, GstPad *out, GError **error)
{
  RecSession *self = chain->session;
  gboolean video = g_str_equal (chain->track.codec->media, "video");
  GstElement *last;
  GstPad *src;
  gboolean ok;

  chain->depay = webrtc_util_make (chain->track.codec->depayloader, error);
  if (!chain->depay)
    return FALSE;
  add_element (self, chain->depay);
  if (video) {
    set_if_there (chain->depay, "request-keyframe", TRUE);
    set_if_there (chain->depay, "wait-for-keyframe", self->config.freeze);
  }
  if (!make_parser (chain, error))
    return FALSE;
  ok = gst_element_link (chain->depay, chain->filter) &&
      (!chain->parse || gst_element_link (chain->filter, chain->parse));
  last = chain->parse ? chain->parse : chain->filter;
  src = gst_element_get_static_pad (last, "src");
  ok = ok && gst_pad_link (src, out) == GST_PAD_LINK_OK;
  gst_object_unref (src);
  if (!ok)
    goto not_linked;
  chain->out = out;
  if (chain->parse)
    gst_element_sync_state_with_parent (chain->parse);
  gst_element_sync_state_with_parent (chain->filter);
  gst_element_sync_state_with_parent (chain->depay);
  return TRUE;

  /* ERRORS */
not_linked:
  g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
      "Could not link the elements for %s.", chain->track.codec->name);
  return FALSE;
}

static void
drop_element (RecSession *self, GstElement *element)
{
  if (!element)
    return;
  gst_element_set_locked_state (element, TRUE);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_bin_remove (self->bin, element);
}

static void
drop_chain (Chain *chain)
{
  GstPad *peer = chain->out ? gst_pad_get_peer (chain->out) : NULL;

  if (peer) {
    gst_pad_unlink (peer, chain->out);
    gst_object_unref (peer);
  }
  drop_element (chain->session, chain->depay);
  drop_element (chain->session, chain->filter);
  drop_element (chain->session, chain->parse);
}

/* --- pads of webrtcbin; on a streaming thread of it --- */

static Chain *
find_chain (RecSession *self, GstPad *pad)
{
  GstCaps *caps = gst_pad_get_current_caps (pad);
  const gchar *media = NULL;
  Chain *chain = NULL;

  if (!caps)
    caps = gst_pad_query_caps (pad, NULL);
  if (!gst_caps_is_empty (caps) && !gst_caps_is_any (caps))
    media =
        gst_structure_get_string (gst_caps_get_structure (caps, 0), "media");
  if (g_strcmp0 (media, "video") == 0 && self->video.depay)
    chain = &self->video;
  else if (g_strcmp0 (media, "audio") == 0 && self->audio.depay)
    chain = &self->audio;
  gst_caps_unref (caps);
  return chain;
}

static void
on_pad_added (GstElement *webrtc, GstPad *pad, RecSession *self)
{
  Chain *chain;
  GstPad *sink;

  if (GST_PAD_DIRECTION (pad) != GST_PAD_SRC || is_closed (self))
    return;
  chain = find_chain (self, pad);
  if (!chain) {
    GST_WARNING_OBJECT (self->bin, "pad %s has no use", GST_PAD_NAME (pad));
    return;
  }
  sink = gst_element_get_static_pad (chain->depay, "sink");
  rec_retransmit_pad_added (self->retransmit, pad, chain == &self->video);
  if (chain == &self->video) {
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM,
        on_upstream_event, rec_session_ref (self), session_unref);
    g_mutex_lock (&self->lock);
    if (!self->closed)
      gst_object_replace ((GstObject **)&self->video_pad, GST_OBJECT (pad));
    g_mutex_unlock (&self->lock);
  }
  if (gst_pad_link (pad, sink) != GST_PAD_LINK_OK)
    rec_session_fail (self, "a track could not be linked");
  gst_object_unref (sink);
  /* The first packets may be lost, and the key frame with them. */
  if (chain == &self->video)
    rec_session_request_keyframe (self);
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
      rec_session_ref (self), session_unref);
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

void
rec_session_tick (RecSession *self)
{
  gboolean wanted;

  if (self->ended)
    return;
  if (peer_is_silent (self)) {
    gchar *reason = g_strdup_printf (self->connected
            ? "the peer has been silent for %.1f s"
            : "the peer did not connect within %.1f s",
        (gdouble)self->config.peer_timeout / GST_SECOND);

    end_session (self, reason);
    g_free (reason);
    return;
  }
  g_mutex_lock (&self->lock);
  wanted = self->keyframe_wanted;
  g_mutex_unlock (&self->lock);
  if (wanted)
    rec_session_request_keyframe (self);
}

/* --- states of webrtcbin --- */

static void
became_connected (RecSession *self, const gchar *unused)
{
  if (self->connected || self->ended)
    return;
  self->connected = TRUE;
  self->callbacks.connected (self, self->user_data);
}

static void
on_connection_state (GstElement *webrtc, GParamSpec *pspec, RecSession *self)
{
  GstWebRTCPeerConnectionState state;

  g_object_get (webrtc, "connection-state", &state, NULL);
  if (state == GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED)
    call_later (self, became_connected, NULL);
  else if (state == GST_WEBRTC_PEER_CONNECTION_STATE_FAILED)
    call_later (self, end_session, "the connection failed");
  else if (state == GST_WEBRTC_PEER_CONNECTION_STATE_CLOSED)
    call_later (self, end_session, "the peer closed the connection");
}

static void
on_dtls_state (GObject *transport, GParamSpec *pspec, RecSession *self)
{
  GstWebRTCDTLSTransportState state;

  g_object_get (transport, "state", &state, NULL);
  if (state == GST_WEBRTC_DTLS_TRANSPORT_STATE_CLOSED)
    call_later (self, end_session, "the peer closed the connection");
  else if (state == GST_WEBRTC_DTLS_TRANSPORT_STATE_FAILED)
    call_later (self, end_session, "DTLS failed");
}

static void
watch_dtls (RecSession *self)
{
  GArray *transceivers = NULL;
  guint i;

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

/* --- negotiation --- */

static gboolean
finish_description (gpointer data)
{
  RecSession *self = data;
  GstWebRTCSessionDescription *local = NULL;
  GError *error = NULL;
  GstSDPMessage *whole;
  gchar *text;

  if (self->described || is_closed (self))
    return G_SOURCE_REMOVE;
  self->described = TRUE;
  g_source_destroy (self->gather_timeout);
  g_object_get (self->webrtc, "local-description", &local, NULL);
  if (!local)
    goto no_description;
  whole = self->offer
      ? sdp_util_expand_answer (self->offer, local->sdp, &self->choice)
      : NULL;
  text = gst_sdp_message_as_text (whole ? whole : local->sdp);
  self->callbacks.described (self, text, NULL, self->user_data);
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
}

static void
gathering_complete (RecSession *self, const gchar *unused)
{
  finish_description (self);
}

static void
on_gathering_state (GstElement *webrtc, GParamSpec *pspec, RecSession *self)
{
  GstWebRTCICEGatheringState state;

  g_object_get (webrtc, "ice-gathering-state", &state, NULL);
  if (state == GST_WEBRTC_ICE_GATHERING_STATE_COMPLETE)
    call_later (self, gathering_complete, NULL);
}

static void
wait_for_candidates (RecSession *self)
{
  GstWebRTCICEGatheringState state;

  self->gather_timeout = g_timeout_source_new (GATHER_TIMEOUT_MS);
  g_source_set_callback (self->gather_timeout, finish_description,
      rec_session_ref (self), session_unref);
  g_source_attach (self->gather_timeout, self->context);
  g_signal_connect (self->webrtc, "notify::ice-gathering-state",
      G_CALLBACK (on_gathering_state), self);
  g_object_get (self->webrtc, "ice-gathering-state", &state, NULL);
  if (state == GST_WEBRTC_ICE_GATHERING_STATE_COMPLETE)
    call_later (self, gathering_complete, NULL);
}

static void
add_transceiver (RecSession *self, const GstSDPMedia *media)
{
  gboolean video = g_str_equal (gst_sdp_media_get_media (media), "video");
  GstCaps *caps = sdp_util_media_caps (media);
  GstWebRTCRTPTransceiver *transceiver = NULL;

  g_signal_emit_by_name (self->webrtc, "add-transceiver",
      GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY, caps, &transceiver);
  gst_caps_unref (caps);
  if (!transceiver)
    return;
  /* Puts nack and rtx into the answer; the jitter buffers are set by
   * RecRetransmit. */
  g_object_set (transceiver, "do-nack",
      video ? self->config.retransmit_video : self->config.retransmit_audio,
      NULL);
  gst_object_unref (transceiver);
}

static gboolean
make_webrtcbin (RecSession *self, GError **error)
{
  self->webrtc = webrtc_util_make ("webrtcbin", error);
  if (!self->webrtc)
    return FALSE;
  add_element (self, self->webrtc);
  g_object_set (self->webrtc, "latency", self->config.latency, NULL);
  webrtc_util_configure (
      self->webrtc, self->config.stun_server, self->config.turn_server);
  g_signal_connect (self->webrtc, "pad-added", G_CALLBACK (on_pad_added), self);
  g_signal_connect (self->webrtc, "deep-element-added",
      G_CALLBACK (on_deep_element_added), self);
  g_signal_connect (self->webrtc, "notify::connection-state",
      G_CALLBACK (on_connection_state), self);
  self->retransmit =
      rec_retransmit_new (self->webrtc, self->offer, &self->choice,
          self->config.retransmit_video, self->config.retransmit_audio);
  gst_element_sync_state_with_parent (self->webrtc);
  return TRUE;
}

static gboolean
make_answer (RecSession *self, GError **error)
{
  GstWebRTCSessionDescription *answer = NULL;
  gboolean ok;

  if (!webrtc_util_run (self->webrtc, "create-answer", NULL, &answer, error))
    return FALSE;
  sdp_util_set_bandwidth (answer->sdp, self->config.max_bitrate);
  ok = webrtc_util_run (
      self->webrtc, "set-local-description", answer, NULL, error);
  gst_webrtc_session_description_free (answer);
  return ok;
}

static gboolean
make_chains (RecSession *self, GstPad *video, GstPad *audio, GError **error)
{
  self->video.track = self->choice.video;
  self->audio.track = self->choice.audio;
  if (self->choice.video.codec && !make_chain (&self->video, video, error))
    return FALSE;
  return !self->choice.audio.codec || make_chain (&self->audio, audio, error);
}

gboolean
rec_session_answer (RecSession *self, const GstSDPMessage *offer,
    const SdpChoice *choice, GError **error)
{
  GstSDPMessage *pruned = sdp_util_prune (offer, choice, error);
  guint i;

  if (!pruned)
    return FALSE;
  self->choice = *choice;
  gst_sdp_message_copy (offer, &self->offer);
  self->remote_ufrag = g_strdup (sdp_util_get_ufrag (pruned));
  if (!make_chains (self, self->video.out, self->audio.out, error) ||
      !make_webrtcbin (self, error)) {
    gst_sdp_message_free (pruned);
    return FALSE;
  }
  for (i = 0; i < gst_sdp_message_medias_len (pruned); i++)
    add_transceiver (self, gst_sdp_message_get_media (pruned, i));
  if (!webrtc_util_set_remote (
          self->webrtc, GST_WEBRTC_SDP_TYPE_OFFER, pruned, error) ||
      !make_answer (self, error))
    return FALSE;
  __atomic_store_n (
      &self->last_packet, g_get_monotonic_time (), __ATOMIC_RELAXED);
  watch_dtls (self);
  wait_for_candidates (self);
  return TRUE;
}

gboolean
rec_session_add_fragment (RecSession *self, const SdpFragment *fragment)
{
  guint i;

  if (fragment->ufrag && g_strcmp0 (fragment->ufrag, self->remote_ufrag) != 0)
    return FALSE;
  /* Everything is bundled onto the transport of the first m-line. */
  for (i = 0; i < fragment->candidates->len; i++)
    g_signal_emit_by_name (self->webrtc, "add-ice-candidate", 0,
        g_ptr_array_index (fragment->candidates, i));
  return TRUE;
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
  self->callbacks = *callbacks;
  self->user_data = user_data;
  self->dtls = g_ptr_array_new_with_free_func (g_object_unref);
  self->elements = g_ptr_array_new_with_free_func (gst_object_unref);
  self->video.session = self->audio.session = self;
  self->video.out = video;
  self->audio.out = audio;
  return self;
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
  if (self->webrtc)
    g_signal_handlers_disconnect_by_data (self->webrtc, self);
  drop_element (self, self->webrtc);
  drop_chain (&self->video);
  drop_chain (&self->audio);
  g_clear_pointer (&self->retransmit, rec_retransmit_free);
  session_unref (self);
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

gboolean
rec_session_is_connected (RecSession *self)
{
  return self->connected;
}

gboolean
rec_session_owns (RecSession *self, GstObject *object)
{
  gboolean owns = FALSE;
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < self->elements->len && !owns; i++) {
    GstObject *element = g_ptr_array_index (self->elements, i);

    owns = object == element || gst_object_has_as_ancestor (object, element);
  }
  g_mutex_unlock (&self->lock);
  return owns;
}

void
rec_session_add_stats (RecSession *self, GstStructure *stats)
{
  guint64 requests;

  g_mutex_lock (&self->lock);
  requests = self->keyframe_requests;
  g_mutex_unlock (&self->lock);
  gst_structure_set (stats, "session-id", G_TYPE_STRING, self->id,
      "keyframe-requests", G_TYPE_UINT64, requests, "video-codec",
      G_TYPE_STRING,
      self->choice.video.codec ? self->choice.video.codec->name : "",
      "audio-codec", G_TYPE_STRING,
      self->choice.audio.codec ? self->choice.audio.codec->name : "", NULL);
}
