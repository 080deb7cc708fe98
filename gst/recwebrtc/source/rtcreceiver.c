/* gst-tsrec: receives the media of a peer on our own UDP port
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcjitterstats.h"
#include "rtcreceiver-private.h"
#include "rtcrtcp.h"
#include "rtcsdpfingerprint.h"
#include "rtcsdp-lite.h"
#include "rtcsdp-private.h"
#include "rtcsdpsimulcast.h"

#include <string.h>

GST_DEBUG_CATEGORY (rtc_receiver_debug);
#define GST_CAT_DEFAULT rtc_receiver_debug

/* A stream with a BYE has ended if it is still silent after ENDED_AFTER_BYE;
 * another one after a silence that is longer than any pause of RFC 3550 section
 * 6.3.5. */
#define ENDED_AFTER_BYE (2 * G_TIME_SPAN_SECOND)
#define ENDED_AFTER (30 * G_TIME_SPAN_SECOND)

/* --- key frames --- */

/**
 * RtcSender:
 * Sends on behalf of pads that may outlive the receiver.
 * @closed: the links are gone (protected by lock)
 */
typedef struct _RtcSender
{
  gatomicrefcount refcount;
  GMutex lock;
  gboolean closed;
  guint32 ssrc;
  const gchar *cname; /* of the receiver, valid until @closed */
  guint8 n_fir;
} RtcSender;

RtcSender *
rtc_sender_ref (RtcSender *self)
{
  g_atomic_ref_count_inc (&self->refcount);
  return self;
}

void
rtc_sender_unref (RtcSender *self)
{
  if (!g_atomic_ref_count_dec (&self->refcount))
    return;
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
rtc_sender_request_keyframe (
    RtcSender *self, RtcReceiverLink *link, guint32 ssrc, gboolean fir)
{
  guint8 out[RTC_RTCP_MAX_SIZE];

  g_mutex_lock (&self->lock);
  if (!self->closed) {
    gsize size = fir
        ? rtc_rtcp_write_fir (out, self->ssrc, self->cname, ssrc, self->n_fir++)
        : rtc_rtcp_write_pli (out, self->ssrc, self->cname, ssrc);

    rtc_transport_send_rtcp (link->transport, out, size);
  }
  g_mutex_unlock (&self->lock);
}

/* --- callbacks of a transport; thread of the port --- */

static gboolean
verify_certificate (const gchar *pem, gpointer user_data)
{
  RtcReceiverLink *link = user_data;

  return rtc_sdp_fingerprint_matches (
      (const gchar *const *)link->fingerprints, pem);
}

static void
link_connected (const gchar *pair, gpointer user_data)
{
  RtcReceiver *self = ((RtcReceiverLink *)user_data)->receiver;

  if (self->connected)
    return;
  self->connected = TRUE;
  self->callbacks.connected (pair, self->user_data);
}

/* If each m-line has its own transport, the session ends with the last of them,
 * or with the first one that is refused. */
static void
link_ended (RtcTransportEnd end, gpointer user_data)
{
  RtcReceiver *self = ((RtcReceiverLink *)user_data)->receiver;

  if (++self->n_ended == self->n_links || end == RTC_TRANSPORT_REFUSED)
    self->callbacks.ended (end, self->user_data);
}

/* --- tracks --- */

static void
init_track (RtcReceiver *self, RtcKind kind, const RtcSdpTrack *chosen,
    RtcDepayChain *chain, gboolean retransmit)
{
  static const gchar *const names[RTC_KINDS] = { "video", "audio" };
  RtcReceiverTrack *track = &self->tracks[kind];
  gint rate = 0;

  track->track = *chosen;
  track->chain = chain;
  track->rtx = -1;
  for (guint i = 0; i < gst_sdp_message_medias_len (self->pruned); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (self->pruned, i);

    if (g_str_equal (gst_sdp_media_get_media (media), names[kind]))
      track->media = media;
  }
  track->nack = retransmit && rtc_sdp_lite_has_feedback (track->media, "nack");
  if (track->nack)
    track->rtx = rtc_sdp_lite_get_rtx (track->media);
  track->fir = rtc_sdp_lite_has_feedback (track->media, "ccm fir") &&
      !rtc_sdp_lite_has_feedback (track->media, "nack pli");
  track->twcc =
      (guint8)rtc_sdp_header_extension (track->media, RTC_SDP_TRANSPORT_CC_URI);
  track->caps = rtc_sdp_media_caps (track->media);
  gst_structure_get_int (
      gst_caps_get_structure (track->caps, 0), "clock-rate", &rate);
  track->rate = rate > 0 ? (guint)rate : kind == RTC_KIND_VIDEO ? 90000 : 48000;
  self->missing[kind] = TRUE;
}

/* a=ssrc-group:FID MEDIA RETRANSMISSION (RFC 5576 section 4.2). */
static void
read_rtx_groups (RtcReceiver *self, const GstSDPMedia *media)
{
  for (guint i = 0; i < gst_sdp_media_attributes_len (media) && i < 256; i++) {
    const GstSDPAttribute *a = gst_sdp_media_get_attribute (media, i);
    gchar **ssrcs;

    if (!g_str_equal (a->key, "ssrc-group") || !a->value ||
        !g_str_has_prefix (a->value, "FID "))
      continue;
    ssrcs = g_strsplit (a->value + 4, " ", 3);
    if (ssrcs[0] && ssrcs[1])
      g_hash_table_insert (self->rtx_groups,
          GUINT_TO_POINTER ((guint32)g_ascii_strtoull (ssrcs[1], NULL, 10)),
          GUINT_TO_POINTER ((guint32)g_ascii_strtoull (ssrcs[0], NULL, 10)));
    g_strfreev (ssrcs);
  }
}

/* On the thread that pushes. */
static void
on_rank (guint ssrc, guint rank, gpointer user_data)
{
  RtcReceiver *self = user_data;

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->streams->len; i++) {
    RtcReceiverStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->ssrc == ssrc && stream->sink)
      rtc_depay_chain_set_rank (
          self->tracks[RTC_KIND_VIDEO].chain, stream->sink, rank);
  }
  g_mutex_unlock (&self->lock);
}

/* Only for a sender that does not know better. */
static void
init_remb (RtcReceiver *self, const GstSDPMedia *offered, guint max_bitrate)
{
  RtcReceiverTrack *track = &self->tracks[RTC_KIND_VIDEO];

  track->remb = rtc_sdp_lite_offers_feedback (
                    offered, track->track.payload, "goog-remb") &&
      !(track->twcc != 0 &&
          rtc_sdp_lite_has_feedback (track->media, "transport-cc"));
  rtc_remb_init (&self->remb, max_bitrate, g_get_monotonic_time ());
}

static void
init_tracks (RtcReceiver *self, const RtcReceiverConfig *config)
{
  const RtcSdpChoice *choice = config->choice;

  if (choice->video.codec) {
    const GstSDPMedia *offered =
        gst_sdp_message_get_media (config->offer, choice->video.media);

    init_track (self, RTC_KIND_VIDEO, &choice->video, config->video,
        config->retransmit_video);
    init_remb (self, offered, config->max_bitrate);
    read_rtx_groups (self, offered);
    self->layers = rtc_layers_new (offered, choice->video.payload,
        choice->video.codec->name, config->layer, on_rank, self);
  }
  if (choice->audio.codec) {
    init_track (self, RTC_KIND_AUDIO, &choice->audio, config->audio,
        config->retransmit_audio);
    read_rtx_groups (
        self, gst_sdp_message_get_media (config->offer, choice->audio.media));
  }
}

/* --- links --- */

/* Who offers "actpass" leaves it to us: it begins the handshake as soon as its
 * checks have succeeded. */
static gboolean
is_server (const GstSDPMedia *media)
{
  const gchar *setup = gst_sdp_media_get_attribute_val (media, "setup");

  return g_strcmp0 (setup, "passive") != 0;
}

static gboolean
open_link (RtcReceiver *self, GError **error)
{
  static const RtcTransportCallbacks callbacks = { verify_certificate,
    link_connected, link_ended, rtc_receiver_wants, rtc_receiver_take_rtp,
    rtc_receiver_take_rtcp, rtc_receiver_run_timers };
  RtcReceiverLink *link = &self->links[self->n_links];
  const GstSDPMedia *media =
      gst_sdp_message_get_media (self->pruned, self->n_links);

  link->receiver = self;
  link->index = self->n_links;
  link->fingerprints = rtc_sdp_fingerprint_list (self->pruned, self->n_links);
  rtc_twcc_init (&link->twcc);
  self->n_links++;
  link->server = is_server (media);
  link->transport =
      rtc_transport_new (self->port, link->server, &callbacks, link, error);
  return link->transport != NULL;
}

/* Two ICE-lite agents send no checks (RFC 8445 section 6.1.1). */
static gboolean
open_links (RtcReceiver *self, GError **error)
{
  guint n = self->bundled ? 1 : gst_sdp_message_medias_len (self->pruned);

  if (gst_sdp_message_get_attribute_val (self->pruned, "ice-lite")) {
    g_set_error (error, RTC_SDP_ERROR, RTC_SDP_ERROR_UNACCEPTABLE,
        "The publisher is ICE-lite, and so is the recorder on its udp-port: "
        "neither would send a connectivity check. Set udp-port=0.");
    return FALSE;
  }
  while (self->n_links < n)
    if (!open_link (self, error))
      return FALSE;
  return TRUE;
}

GstSDPMessage *
rtc_receiver_make_answer (RtcReceiver *self)
{
  gchar **candidates = rtc_udp_port_list_candidates (self->port);
  RtcSdpLiteTransport transports[RTC_KINDS];
  GstSDPMessage *answer;

  for (guint i = 0; i < self->n_links; i++) {
    RtcReceiverLink *link = &self->links[i];

    transports[i].ufrag = rtc_transport_get_ufrag (link->transport);
    transports[i].pwd = rtc_transport_get_pwd (link->transport);
    transports[i].fingerprint = rtc_transport_get_fingerprint (link->transport);
    transports[i].server = link->server;
  }
  answer = rtc_sdp_lite_answer (self->pruned, transports,
      (const gchar *const *)candidates, self->retransmit_video,
      self->retransmit_audio, self->tracks[RTC_KIND_VIDEO].remb);
  g_strfreev (candidates);
  return answer;
}

void
rtc_receiver_restart_ice (RtcReceiver *self)
{
  for (guint i = 0; i < self->n_links; i++)
    rtc_transport_restart_ice (self->links[i].transport);
}

const gchar *
rtc_receiver_get_ufrag (RtcReceiver *self)
{
  return rtc_transport_get_ufrag (self->links[0].transport);
}

const gchar *
rtc_receiver_get_pwd (RtcReceiver *self)
{
  return rtc_transport_get_pwd (self->links[0].transport);
}

/* --- watching --- */

static void
add_ended (RtcReceiver *self, RtcReceiverStream *stream)
{
  RtcReceiverTotals *totals = &self->ended[stream->kind];
  RtcReorderStats stats;

  rtc_reorder_get_stats (stream->reorder, &stats);
  totals->packets.received += stats.received;
  totals->packets.lost += stats.lost;
  totals->packets.late += stats.late;
  totals->packets.requested += stats.requested;
  totals->packets.retransmitted += stats.retransmitted;
  totals->jitter = rtc_rtp_source_get_jitter (&stream->source);
  if (stream->round_trip > 0)
    totals->round_trip = (guint64)stream->round_trip * 1000;
}

/* The stream that is recorded stays, with its place on the timeline, for when
 * its sender goes on. Under lock. */
static gboolean
has_ended (RtcReceiver *self, const RtcReceiverStream *stream, gint64 now)
{
  if (stream->ended || stream->head ||
      now - stream->last < (stream->bye ? ENDED_AFTER_BYE : ENDED_AFTER))
    return FALSE;
  return !stream->sink ||
      !rtc_depay_chain_is_recorded (
          self->tracks[stream->kind].chain, stream->sink);
}

void
rtc_receiver_tick (RtcReceiver *self)
{
  gint64 now = g_get_monotonic_time ();
  guint32 ssrcs[2 * RTC_RECEIVER_MAX_STREAMS];
  RtcTransport *transports[2 * RTC_RECEIVER_MAX_STREAMS];
  guint n = 0;

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->streams->len; i++) {
    RtcReceiverStream *stream = g_ptr_array_index (self->streams, i);

    if (!has_ended (self, stream, now))
      continue;
    GST_INFO_OBJECT (self->bin, "SSRC %u has ended", stream->ssrc);
    stream->ended = TRUE;
    add_ended (self, stream);
    transports[n] = stream->link->transport;
    ssrcs[n++] = stream->ssrc;
    transports[n] = stream->link->transport;
    ssrcs[n++] = stream->rtx_ssrc;
  }
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < n; i++)
    rtc_transport_remove_ssrc (transports[i], ssrcs[i]);
  if (n == 0)
    return;
  rec_task_wake (self->task);
}

gint64
rtc_receiver_get_last_packet (RtcReceiver *self)
{
  gint64 last = 0;

  for (guint i = 0; i < self->n_links; i++)
    last = MAX (last, rtc_transport_get_last_packet (self->links[i].transport));
  return last;
}

gboolean
rtc_receiver_get_sender_time (RtcReceiver *self, gint64 *utc)
{
  return rtc_sender_clock_get_utc_now_with_lock (
      &self->clock, &self->lock, utc);
}

static void
sum_up (RtcReceiver *self, RtcKind kind, RtcJitterStats *totals)
{
  const RtcReceiverTotals *ended = &self->ended[kind];

  *totals = (RtcJitterStats){ ended->packets.received, ended->packets.lost,
    ended->packets.late, ended->packets.requested, ended->packets.retransmitted,
    ended->jitter, ended->round_trip };
  for (guint i = 0; i < self->streams->len; i++) {
    RtcReceiverStream *stream = g_ptr_array_index (self->streams, i);
    RtcReorderStats stats;

    if (stream->kind != kind || stream->ended)
      continue;
    rtc_reorder_get_stats (stream->reorder, &stats);
    totals->received += stats.received;
    totals->lost += stats.lost;
    totals->late += stats.late;
    totals->requested += stats.requested;
    totals->retransmitted += stats.retransmitted;
    totals->jitter = rtc_rtp_source_get_jitter (&stream->source);
    if (stream->round_trip > 0)
      totals->round_trip = (guint64)stream->round_trip * 1000;
  }
}

void
rtc_receiver_add_stats (RtcReceiver *self, GstStructure *stats)
{
  RtcJitterStats video, audio;
  gint64 utc = 0;
  guint64 steps;

  g_mutex_lock (&self->lock);
  sum_up (self, RTC_KIND_VIDEO, &video);
  sum_up (self, RTC_KIND_AUDIO, &audio);
  steps = self->timeline.steps;
  rtc_sender_clock_get_utc_now (&self->clock, &utc);
  g_mutex_unlock (&self->lock);
  rtc_jitter_stats_fill (&video, "video", stats);
  rtc_jitter_stats_fill (&audio, "audio", stats);
  gst_structure_set (stats, "clock-steps", G_TYPE_UINT64, steps,
      "sender-utc-time", G_TYPE_INT64, utc, NULL);
}

void
rtc_receiver_get_socket (RtcReceiver *self, guint64 *drops, guint *granted)
{
  RtcUdpPortStats stats;

  rtc_udp_port_get_stats (self->port, &stats);
  *drops = stats.drops - self->first_drops;
  *granted = stats.buffer;
}

/* --- life --- */

static void
init_sender (RtcReceiver *self)
{
  RtcSender *sender = g_new0 (RtcSender, 1);

  self->ssrc = g_random_int ();
  g_snprintf (self->cname, sizeof (self->cname), "%08x%08x", g_random_int (),
      g_random_int ());
  g_atomic_ref_count_init (&sender->refcount);
  g_mutex_init (&sender->lock);
  sender->ssrc = self->ssrc;
  sender->cname = self->cname;
  self->sender = sender;
}

static RtcReceiver *
new_receiver (const RtcReceiverConfig *config,
    const RtcReceiverCallbacks *callbacks, gpointer user_data)
{
  RtcReceiver *self = g_new0 (RtcReceiver, 1);
  RtcUdpPortStats stats;

  self->bin = config->bin;
  self->port = config->port;
  self->latency = config->latency * G_TIME_SPAN_MILLISECOND;
  self->ignored = config->ignored;
  self->callbacks = *callbacks;
  self->user_data = user_data;
  self->retransmit_video = config->retransmit_video;
  self->retransmit_audio = config->retransmit_audio;
  gst_sdp_message_copy (config->pruned, &self->pruned);
  self->bundled = rtc_sdp_lite_is_bundled (self->pruned);
  g_mutex_init (&self->lock);
  self->streams = g_ptr_array_new ();
  self->rtx_groups = g_hash_table_new (NULL, NULL);
  rtc_timeline_init (&self->timeline);
  for (guint i = 0; i < RTC_KINDS; i++)
    self->ended[i].round_trip = GST_CLOCK_TIME_NONE;
  init_sender (self);
  rtc_udp_port_get_stats (config->port, &stats);
  self->first_drops = stats.drops;
  self->task = rec_task_new (REC_TASKS_MEDIA, rtc_receiver_feed, self);
  return self;
}

RtcReceiver *
rtc_receiver_new (const RtcReceiverConfig *config,
    const RtcReceiverCallbacks *callbacks, gpointer user_data, GError **error)
{
  static gsize once = 0;
  RtcReceiver *self;

  if (g_once_init_enter (&once)) {
    GST_DEBUG_CATEGORY_INIT (
        rtc_receiver_debug, "rtcreceiver", 0, "WebRTC on our own UDP port");
    g_once_init_leave (&once, 1);
  }
  self = new_receiver (config, callbacks, user_data);
  init_tracks (self, config);
  if (open_links (self, error))
    return self;
  rtc_receiver_free (self);
  return NULL;
}

static void
close_sender (RtcReceiver *self)
{
  g_mutex_lock (&self->sender->lock);
  self->sender->closed = TRUE;
  g_mutex_unlock (&self->sender->lock);
  rtc_sender_unref (self->sender);
}

void
rtc_receiver_free (RtcReceiver *self)
{
  if (!self)
    return;
  close_sender (self);
  for (guint i = 0; i < self->n_links; i++) {
    rtc_transport_free (self->links[i].transport);
    g_strfreev (self->links[i].fingerprints);
  }
  /* No thread runs the task after this. */
  rec_task_free (self->task);
  for (guint i = 0; i < self->streams->len; i++)
    rtc_receiver_free_stream (self, g_ptr_array_index (self->streams, i));
  g_ptr_array_unref (self->streams);
  if (self->layers)
    rtc_layers_free (self->layers);
  for (guint i = 0; i < RTC_KINDS; i++)
    gst_clear_caps (&self->tracks[i].caps);
  g_hash_table_unref (self->rtx_groups);
  gst_sdp_message_free (self->pruned);
  g_mutex_clear (&self->lock);
  g_free (self);
}
