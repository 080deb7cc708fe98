/* gst-tsrec: the session of recwhipsink
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One object from start to end: its steps share the state of one publication,
 * and the parts with a state of their own are RtcPeer and WhipRetry.
 */

#include "config.h"

#include "rtcpublisher.h"
#include "recmessage.h"
#include "rtcdtlsverifier.h"
#include "rtcpeer.h"
#include "whipretry.h"

#include <string.h>

/* Tracks without caps by then are offered with the caps that are expected. */
#define CAPS_TIMEOUT_MS 2000
#define REMOVE_TIMEOUT_MS 2000
#define RETRY_INTERVAL_MAX 2000 /* ms */

struct _RtcPublisher
{
  GstBin *bin;
  RecWorker *worker;
  GstDebugCategory *category;

  GMutex lock;
  GList *tracks;      /* of RtcPayChain (protected by lock) */
  gboolean connected; /* (protected by lock) */
  gchar *session;     /* URL, NULL before an answer (protected by lock) */

  /* control thread; NULL and FALSE while stopped */
  RtcPeer *peer;
  WhipClient *client;
  WhipRetry *retry;
  GSource *timer; /* for the caps of the tracks, or for the end */
  gchar *offer;
  RtcSdpChoice choice; /* accepted by the server */
  gboolean running;
  gboolean offering;
  gboolean finishing; /* every track has ended */
};

/* --- tracks --- */

void
rtc_publisher_add_track (RtcPublisher *self, RtcPayChain *track)
{
  g_mutex_lock (&self->lock);
  self->tracks = g_list_append (self->tracks, track);
  g_mutex_unlock (&self->lock);
}

void
rtc_publisher_remove_track (RtcPublisher *self, RtcPayChain *track)
{
  g_mutex_lock (&self->lock);
  self->tracks = g_list_remove (self->tracks, track);
  g_mutex_unlock (&self->lock);
}

/* Returns a copy, for calls without the lock. Free with g_list_free(). */
static GList *
copy_tracks (RtcPublisher *self)
{
  GList *tracks;

  g_mutex_lock (&self->lock);
  tracks = g_list_copy (self->tracks);
  g_mutex_unlock (&self->lock);
  return tracks;
}

/* Returns FALSE without tracks. */
static gboolean
all_tracks (RtcPublisher *self, gboolean (*is) (RtcPayChain *))
{
  GList *l, *tracks = copy_tracks (self);
  gboolean all = tracks != NULL;

  for (l = tracks; l && all; l = l->next)
    all = is (l->data);
  g_list_free (tracks);
  return all;
}

static void
each_track (RtcPublisher *self, void (*function) (RtcPayChain *))
{
  GList *tracks = copy_tracks (self);

  g_list_foreach (tracks, (GFunc)(void (*) (void))function, NULL);
  g_list_free (tracks);
}

static const RtcSdpTrack *
find_track (RtcPublisher *self, const gchar *kind)
{
  return g_str_equal (kind, "video") ? &self->choice.video
                                     : &self->choice.audio;
}

static const gchar *
codec_name (RtcPublisher *self, const gchar *kind)
{
  const RtcSdpTrack *track = find_track (self, kind);

  return track->codec ? track->codec->name : "";
}

/* Only tracks that the server accepted are sent. */
static void
open_tracks (RtcPublisher *self)
{
  GList *l, *tracks = copy_tracks (self);

  for (l = tracks; l; l = l->next)
    if (find_track (self, rtc_pay_chain_get_kind (l->data))->codec)
      rtc_pay_chain_open (l->data);
  g_list_free (tracks);
}

static void
set_linked (RtcPublisher *self, GstElement *webrtc, gboolean linked)
{
  GList *l, *tracks = copy_tracks (self);

  for (l = tracks; l; l = l->next)
    if (linked)
      rtc_pay_chain_link (l->data, webrtc);
    else
      rtc_pay_chain_unlink (l->data, webrtc);
  g_list_free (tracks);
}

/* --- control thread --- */

/* GDestroyNotify: releases the reference of invoke(). */
static void
unref_bin (gpointer data)
{
  gst_object_unref (((RtcPublisher *)data)->bin);
}

static void
invoke (RtcPublisher *self, GSourceFunc function)
{
  gst_object_ref (self->bin);
  rec_worker_invoke (self->worker, function, self, unref_bin);
}

static void
start_timer (RtcPublisher *self, guint ms, GSourceFunc function)
{
  rec_worker_clear_timeout (&self->timer);
  self->timer = rec_worker_add_timeout (self->worker, ms, function, self, NULL);
}

static void
fail (RtcPublisher *self, const gchar *message)
{
  rec_worker_clear_timeout (&self->timer);
  whip_retry_fail (self->retry, message);
}

/* Like fail(); frees @error. */
static void
fail_with (RtcPublisher *self, GError *error)
{
  fail (self, error->message);
  g_error_free (error);
}

/* Returns the last segment of the session URL, or NULL. Caller frees. */
static gchar *
dup_session_id (RtcPublisher *self)
{
  const gchar *slash;
  gchar *id;

  g_mutex_lock (&self->lock);
  slash = self->session ? strrchr (self->session, '/') : NULL;
  id = g_strdup (slash ? slash + 1 : NULL);
  g_mutex_unlock (&self->lock);
  return id;
}

static void
post_session_message (
    RtcPublisher *self, const gchar *name, const gchar *reason)
{
  gchar *host = whip_client_dup_host (self->client);
  gchar *id = dup_session_id (self);
  const RecSession report = { .id = id,
    .remote = host,
    .video_codec = codec_name (self, "video"),
    .audio_codec = codec_name (self, "audio"),
    .reason = reason };

  GST_CAT_INFO_OBJECT (self->category, self->bin, "%s: %s", name, reason);
  gst_element_post_message (GST_ELEMENT (self->bin),
      gst_message_new_element (
          GST_OBJECT (self->bin), rec_structure_new_session (name, &report)));
  g_free (host);
  g_free (id);
}

/* Returns the previous value. */
static gboolean
set_connected (RtcPublisher *self, gboolean connected)
{
  gboolean previous;

  g_mutex_lock (&self->lock);
  previous = self->connected;
  self->connected = connected;
  g_mutex_unlock (&self->lock);
  return previous;
}

/* Posts recwhip-disconnected, once, if the session was connected. */
static void
end_session (RtcPublisher *self, const gchar *reason)
{
  if (set_connected (self, FALSE))
    post_session_message (self, "recwhip-disconnected", reason);
}

static void
drop_peer (RtcPublisher *self)
{
  if (!self->peer)
    return;
  /* Webrtcbin stops before its pads are unlinked. */
  rtc_peer_stop (self->peer);
  set_linked (self, rtc_peer_get_webrtcbin (self->peer), FALSE);
  rtc_peer_close (self->peer);
  g_clear_pointer (&self->peer, rtc_peer_unref);
}

/* --- connection --- */

/* Distributes the latency, which the RTP session needs for sender reports even
 * if nothing else asks for a new latency. This takes the state lock. A state
 * change holds that lock while it waits for this thread, hence the trylock. */
static void
calculate_latency (RtcPublisher *self)
{
  if (!GST_STATE_TRYLOCK (self->bin)) {
    gst_element_post_message (GST_ELEMENT (self->bin),
        gst_message_new_latency (GST_OBJECT (self->bin)));
    return;
  }
  gst_bin_recalculate_latency (self->bin);
  GST_STATE_UNLOCK (self->bin);
}

static void
on_connected (const gchar *pair, gpointer user_data)
{
  RtcPublisher *self = user_data;

  set_connected (self, TRUE);
  GST_CAT_INFO_OBJECT (self->category, self->bin,
      "connected, candidate pair %s; the certificate is verified; negotiated "
      "video %s, audio %s",
      pair, codec_name (self, "video"), codec_name (self, "audio"));
  post_session_message (self, "recwhip-connected", "connected");
  calculate_latency (self);
  open_tracks (self);
}

/* Nothing has been sent, because tracks are opened after verification. */
static void
refuse_peer (RtcPublisher *self)
{
  set_connected (self, FALSE);
  post_session_message (
      self, "recwhip-disconnected", RTC_DTLS_VERIFIER_REFUSED);
  fail (self, "Nothing was published: " RTC_DTLS_VERIFIER_REFUSED ".");
  drop_peer (self);
}

static void
on_ended (const gchar *reason, gpointer user_data)
{
  RtcPublisher *self = user_data;

  if (self->finishing)
    return;
  each_track (self, rtc_pay_chain_close);
  if (rtc_peer_is_refused (self->peer)) {
    refuse_peer (self);
    return;
  }
  end_session (self, "the server closed the connection");
  fail (self,
      "The server closed the connection. Look at its log, and publish again.");
}

/* --- negotiation --- */

static void
warn_of_rejected (
    RtcPublisher *self, const GstSDPMessage *offer, const GstSDPMessage *answer)
{
  GPtrArray *refusals = rtc_sdp_find_rejected (offer, answer, &self->choice);
  guint i;

  for (i = 0; i < refusals->len; i++) {
    const RtcSdpRefusal *refusal = g_ptr_array_index (refusals, i);

    GST_ELEMENT_WARNING (
        self->bin, STREAM, CODEC_NOT_FOUND, ("%s", refusal->text), (NULL));
  }
  g_ptr_array_unref (refusals);
}

static gboolean
accept_answer (RtcPublisher *self, const gchar *answer, GError **error)
{
  GstSDPMessage *sdp = rtc_sdp_parse (answer, strlen (answer), error);
  GstSDPMessage *offer = NULL, *whole = NULL;
  gboolean ok;

  if (sdp)
    offer = rtc_sdp_parse (self->offer, strlen (self->offer), error);
  if (offer &&
      rtc_sdp_choose_answered (offer, sdp, FALSE, &self->choice, error))
    whole = rtc_sdp_complete_answer (offer, sdp, &self->choice, FALSE, error);
  if (whole)
    warn_of_rejected (self, offer, sdp);
  ok = whole &&
      rtc_peer_set_remote (
          self->peer, GST_WEBRTC_SDP_TYPE_ANSWER, whole, error);
  g_clear_pointer (&offer, gst_sdp_message_free);
  g_clear_pointer (&sdp, gst_sdp_message_free);
  return ok;
}

static void
on_answer (const gchar *answer, gpointer user_data)
{
  RtcPublisher *self = user_data;
  GError *error = NULL;

  g_mutex_lock (&self->lock);
  g_free (self->session);
  self->session = g_strdup (whip_client_get_session (self->client));
  g_mutex_unlock (&self->lock);
  if (accept_answer (self, answer, &error))
    rtc_peer_watch_dtls (self->peer);
  else
    fail_with (self, error);
}

static void
on_gathered (gpointer user_data)
{
  RtcPublisher *self = user_data;
  GError *error = NULL;

  self->offer = rtc_peer_describe (self->peer, NULL, NULL, &error);
  if (self->offer)
    whip_retry_post (self->retry, self->offer, on_answer, self);
  else
    fail_with (self, error);
}

static gboolean
negotiate (gpointer data)
{
  RtcPublisher *self = data;
  GError *error = NULL;

  if (!self->running || !self->peer || self->offering)
    return G_SOURCE_REMOVE;
  self->offering = TRUE;
  rec_worker_clear_timeout (&self->timer);
  if (!rtc_peer_set_local (self->peer, GST_WEBRTC_SDP_TYPE_OFFER, 0, &error))
    fail_with (self, error);
  return G_SOURCE_REMOVE;
}

static gboolean
check_ready (gpointer data)
{
  RtcPublisher *self = data;

  if (all_tracks (self, rtc_pay_chain_is_ready))
    negotiate (self);
  return G_SOURCE_REMOVE;
}

void
rtc_publisher_track_ready (RtcPublisher *self)
{
  invoke (self, check_ready);
}

/* --- start --- */

static void
make_client (RtcPublisher *self, const RtcPublisherConfig *config)
{
  const WhipRetryConfig retry_config = { .category = self->category,
    .code = GST_RESOURCE_ERROR_OPEN_WRITE,
    .timeout = config->retry_timeout,
    .interval_max = RETRY_INTERVAL_MAX };

  self->client = whip_client_new (rec_worker_get_context (self->worker),
      config->location, config->token, config->insecure_tls);
  self->retry = whip_retry_new (
      GST_ELEMENT (self->bin), self->worker, self->client, &retry_config);
}

static gboolean
make_peer (RtcPublisher *self, const RtcPublisherConfig *config, GError **error)
{
  static const RtcPeerCallbacks callbacks = { on_gathered, on_connected,
    on_ended };
  const RtcPeerConfig peer_config = { .category = self->category,
    .log_prefix = "",
    .stun_server = config->stun_server,
    .turn_server = config->turn_server,
    .port_range = config->port_range,
    .public_address = config->public_address };

  self->peer = rtc_peer_new (self->bin, rec_worker_get_context (self->worker),
      &peer_config, &callbacks, self);
  if (!rtc_peer_open (self->peer, error)) {
    g_clear_pointer (&self->peer, rtc_peer_unref);
    return FALSE;
  }
  rtc_peer_start (self->peer);
  set_linked (self, rtc_peer_get_webrtcbin (self->peer), TRUE);
  return TRUE;
}

typedef struct
{
  RtcPublisher *publisher;
  const RtcPublisherConfig *config;
} Start;

static void
start (gpointer data)
{
  const Start *call = data;
  RtcPublisher *self = call->publisher;
  GError *error = NULL;

  self->running = TRUE;
  self->offering = self->finishing = FALSE;
  memset (&self->choice, 0, sizeof (self->choice));
  make_client (self, call->config);
  if (!make_peer (self, call->config, &error)) {
    fail_with (self, error);
    return;
  }
  start_timer (self, CAPS_TIMEOUT_MS, negotiate);
  if (all_tracks (self, rtc_pay_chain_is_ready))
    invoke (self, negotiate);
}

void
rtc_publisher_start (RtcPublisher *self, const RtcPublisherConfig *config)
{
  Start call = { self, config };

  rec_worker_call (self->worker, start, &call);
}

/* --- the end --- */

static gboolean
post_eos (gpointer data)
{
  RtcPublisher *self = data;

  rec_worker_clear_timeout (&self->timer);
  if (!self->running)
    return G_SOURCE_REMOVE;
  gst_element_post_message (
      GST_ELEMENT (self->bin), gst_message_new_eos (GST_OBJECT (self->bin)));
  return G_SOURCE_REMOVE;
}

static void
on_removed (WhipClient *client, const GError *error, gpointer user_data)
{
  RtcPublisher *self = user_data;

  if (error)
    GST_CAT_WARNING_OBJECT (
        self->category, self->bin, "DELETE failed: %s", error->message);
  post_eos (self);
}

static gboolean
check_eos (gpointer data)
{
  RtcPublisher *self = data;

  if (!self->running || self->finishing ||
      !all_tracks (self, rtc_pay_chain_is_eos))
    return G_SOURCE_REMOVE;
  self->finishing = TRUE;
  end_session (self, "end of stream");
  whip_retry_cancel (self->retry);
  start_timer (self, REMOVE_TIMEOUT_MS, post_eos);
  whip_client_remove (self->client, on_removed, self);
  return G_SOURCE_REMOVE;
}

void
rtc_publisher_track_eos (RtcPublisher *self)
{
  invoke (self, check_eos);
}

static void
stop (gpointer data)
{
  RtcPublisher *self = data;

  self->running = FALSE;
  end_session (self, "the publisher stopped");
  each_track (self, rtc_pay_chain_close);
  rec_worker_clear_timeout (&self->timer);
  if (self->client) {
    whip_retry_cancel (self->retry);
    whip_client_remove_sync (self->client, REMOVE_TIMEOUT_MS);
  }
  g_clear_pointer (&self->client, whip_client_free);
  g_clear_pointer (&self->retry, whip_retry_free);
  drop_peer (self);
  each_track (self, rtc_pay_chain_reset);
  g_clear_pointer (&self->offer, g_free);
  g_mutex_lock (&self->lock);
  g_clear_pointer (&self->session, g_free);
  g_mutex_unlock (&self->lock);
}

void
rtc_publisher_stop (RtcPublisher *self)
{
  rec_worker_call (self->worker, stop, self);
}

/* --- stats --- */

static void
add_track_stats (RtcPayChain *track, GstStructure *stats)
{
  const gchar *kind = rtc_pay_chain_get_kind (track);
  gchar *packets_name = g_strconcat (kind, "-packets", NULL);
  gchar *bytes_name = g_strconcat (kind, "-bytes", NULL);
  guint64 packets, bytes;

  rtc_pay_chain_get_stats (track, &packets, &bytes);
  gst_structure_set (stats, packets_name, G_TYPE_UINT64, packets, bytes_name,
      G_TYPE_UINT64, bytes, NULL);
  g_free (packets_name);
  g_free (bytes_name);
}

void
rtc_publisher_add_stats (RtcPublisher *self, GstStructure *stats)
{
  GList *l, *tracks = copy_tracks (self);

  g_mutex_lock (&self->lock);
  gst_structure_set (stats, "connected", G_TYPE_BOOLEAN, self->connected,
      "session-url", G_TYPE_STRING, self->session ? self->session : "", NULL);
  g_mutex_unlock (&self->lock);
  for (l = tracks; l; l = l->next)
    add_track_stats (l->data, stats);
  g_list_free (tracks);
}

/* --- life --- */

RtcPublisher *
rtc_publisher_new (GstBin *bin, RecWorker *worker, GstDebugCategory *category)
{
  RtcPublisher *self = g_new0 (RtcPublisher, 1);

  g_mutex_init (&self->lock);
  self->bin = bin;
  self->worker = worker;
  self->category = category;
  return self;
}

void
rtc_publisher_free (RtcPublisher *self)
{
  g_list_free (self->tracks);
  g_mutex_clear (&self->lock);
  g_free (self);
}
