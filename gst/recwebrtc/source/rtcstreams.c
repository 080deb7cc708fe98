/* gst-tsrec: the RTP streams (SSRCs) that a peer sends in a session
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtclayers.h"
#include "rtcstreams.h"

#include <gst/rtp/rtp.h>
#include <stdio.h>
#include <stdlib.h>

GST_DEBUG_CATEGORY_STATIC (rtc_streams_debug);
#define GST_CAT_DEFAULT rtc_streams_debug

/* A stream that timed out has ended if it is still silent after this time. */
#define ENDED_AFTER_US (2 * G_USEC_PER_SEC)

/**
 * PayloadFilter: drops packets in front of a jitter buffer
 * @payloads: payload types that were negotiated, -1 if unused
 * @payload: payload type of the last packet that passed, -1 before the first
 * @timestamp: RTP timestamp of that packet
 * @last: arrival of the last packet, µs; atomic
 *
 * On the thread that receives. An atomic rc box.
 */
typedef struct
{
  gint payloads[2];
  guint64 *ignored;
  gint payload;
  guint32 timestamp;
  gint64 last;
} PayloadFilter;

/**
 * Source: an SSRC that has a jitter buffer
 * @timed_out: by the rules of RTCP
 */
typedef struct
{
  guint session;
  guint ssrc;
  PayloadFilter *filter;
  gboolean timed_out;
} Source;

/**
 * Stream:
 * @pad: source pad of webrtcbin
 * @sink: its peer: a pad of @chain, or one that drops everything
 * @chain: NULL if the stream is not recorded
 */
typedef struct
{
  guint ssrc;
  GstPad *pad;
  GstPad *sink;
  RtcDepayChain *chain;
} Stream;

struct _RtcStreams
{
  GstElement *webrtc;
  GstElement *rtpbin;
  RtcSdpChoice choice;
  RtcDepayChain *video;
  RtcDepayChain *audio;
  guint64 *ignored;
  RtcLayers *layers; /* of the video, or NULL */

  GMutex lock;
  /* under lock */
  GArray *streams;
  GArray *sources;
};

static void
ensure_debug_category (void)
{
  static gsize once = 0;

  if (g_once_init_enter (&once)) {
    GST_DEBUG_CATEGORY_INIT (
        rtc_streams_debug, "recstreams", 0, "RTP streams of a session");
    g_once_init_leave (&once, 1);
  }
}

void
rtc_streams_limit (GstElement *webrtc)
{
  GstElement *rtpbin = gst_bin_get_by_name (GST_BIN (webrtc), "rtpbin");

  if (!rtpbin)
    return;
  g_object_set (rtpbin, "max-streams", RTC_STREAMS_MAX, NULL);
  gst_object_unref (rtpbin);
}

/* --- payload types that were not negotiated --- */

/* The packet leaves neither a gap in the sequence numbers nor another
 * timestamp. */
static GstBuffer *
make_empty (
    const PayloadFilter *filter, GstBuffer *buffer, guint16 seq, guint32 ssrc)
{
  GstBuffer *empty = gst_rtp_buffer_new_allocate (0, 0, 0);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  gst_rtp_buffer_map (empty, GST_MAP_READWRITE, &rtp);
  gst_rtp_buffer_set_payload_type (&rtp, (guint8)filter->payload);
  gst_rtp_buffer_set_seq (&rtp, seq);
  gst_rtp_buffer_set_ssrc (&rtp, ssrc);
  gst_rtp_buffer_set_timestamp (&rtp, filter->timestamp);
  gst_rtp_buffer_unmap (&rtp);
  gst_buffer_copy_into (empty, buffer,
      GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS | GST_BUFFER_COPY_META,
      0, -1);
  return empty;
}

/* GstBufferListFunc: removes *@buffer from the list by setting it to NULL. */
static gboolean
filter_packet (GstBuffer **buffer, guint idx, gpointer user_data)
{
  PayloadFilter *filter = user_data;
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  GstBuffer *empty = NULL;
  gint payload;

  __atomic_store_n (&filter->last, g_get_monotonic_time (), __ATOMIC_RELAXED);
  if (!gst_rtp_buffer_map (*buffer, GST_MAP_READ, &rtp))
    return TRUE;
  payload = gst_rtp_buffer_get_payload_type (&rtp);
  if (payload == filter->payloads[0] || payload == filter->payloads[1]) {
    filter->payload = payload;
    filter->timestamp = gst_rtp_buffer_get_timestamp (&rtp);
    gst_rtp_buffer_unmap (&rtp);
    return TRUE;
  }
  if (filter->payload >= 0)
    empty = make_empty (filter, *buffer, gst_rtp_buffer_get_seq (&rtp),
        gst_rtp_buffer_get_ssrc (&rtp));
  gst_rtp_buffer_unmap (&rtp);
  __atomic_fetch_add (filter->ignored, 1, __ATOMIC_RELAXED);
  gst_buffer_unref (*buffer);
  *buffer = empty;
  return TRUE;
}

static GstPadProbeReturn
on_received (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstBuffer *buffer;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    info->data =
        gst_buffer_list_make_writable (GST_PAD_PROBE_INFO_BUFFER_LIST (info));
    gst_buffer_list_foreach (info->data, filter_packet, user_data);
    return gst_buffer_list_length (info->data) > 0 ? GST_PAD_PROBE_OK
                                                   : GST_PAD_PROBE_DROP;
  }
  buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  filter_packet (&buffer, 0, user_data);
  info->data = buffer;
  return buffer ? GST_PAD_PROBE_OK : GST_PAD_PROBE_HANDLED;
}

static PayloadFilter *
new_filter (RtcStreams *self)
{
  PayloadFilter *filter = g_atomic_rc_box_new0 (PayloadFilter);

  filter->payloads[0] =
      self->choice.video.codec ? self->choice.video.payload : -1;
  filter->payloads[1] =
      self->choice.audio.codec ? self->choice.audio.payload : -1;
  filter->payload = -1;
  filter->ignored = self->ignored;
  filter->last = g_get_monotonic_time ();
  return filter;
}

/* GDestroyNotify */
static void
free_filter (gpointer filter)
{
  g_atomic_rc_box_release (filter);
}

/* GDestroyNotify */
static void
clear_source (gpointer source)
{
  free_filter (((Source *)source)->filter);
}

/* Returns NULL if there is none; under lock. */
static Source *
find_source (RtcStreams *self, guint session, guint ssrc)
{
  guint i;

  for (i = 0; i < self->sources->len; i++) {
    Source *source = &g_array_index (self->sources, Source, i);

    if (source->session == session && source->ssrc == ssrc)
      return source;
  }
  return NULL;
}

static void
on_new_jitterbuffer (GstElement *rtpbin, GstElement *jitterbuffer,
    guint session, guint ssrc, RtcStreams *self)
{
  Source source = { session, ssrc, new_filter (self), FALSE };
  GstPad *sink = gst_element_get_static_pad (jitterbuffer, "sink");

  gst_pad_add_probe (sink,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_received,
      g_atomic_rc_box_acquire (source.filter), free_filter);
  if (self->layers)
    rtc_layers_watch (self->layers, ssrc, sink);
  gst_object_unref (sink);
  g_mutex_lock (&self->lock);
  g_array_append_val (self->sources, source);
  g_mutex_unlock (&self->lock);
}

/* --- pads --- */

static GstFlowReturn
drop_packet (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  __atomic_fetch_add (
      (guint64 *)gst_pad_get_element_private (pad), 1, __ATOMIC_RELAXED);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
drop_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gst_event_unref (event);
  return TRUE;
}

static GstPad *
new_drain (RtcStreams *self)
{
  static GstStaticPadTemplate template = GST_STATIC_PAD_TEMPLATE (
      "drain", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  GstPad *pad = gst_pad_new_from_static_template (&template, "drain");

  gst_pad_set_element_private (pad, self->ignored);
  gst_pad_set_chain_function (pad, drop_packet);
  gst_pad_set_event_function (pad, drop_event);
  gst_pad_set_active (pad, TRUE);
  return gst_object_ref_sink (pad);
}

/* On the thread that receives. The lock keeps the stream alive. */
static void
on_rank (guint ssrc, guint rank, gpointer user_data)
{
  RtcStreams *self = user_data;
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < self->streams->len; i++) {
    const Stream *stream = &g_array_index (self->streams, Stream, i);

    if (stream->ssrc == ssrc && stream->chain == self->video && self->video)
      rtc_depay_chain_set_rank (stream->chain, stream->sink, rank);
  }
  g_mutex_unlock (&self->lock);
}

static guint
get_rank (RtcStreams *self, const Stream *stream)
{
  return self->layers && stream->chain == self->video
      ? rtc_layers_get_rank (self->layers, stream->ssrc)
      : 0;
}

static RtcDepayChain *
find_chain (RtcStreams *self, GstPad *pad, guint *ssrc)
{
  GstCaps *caps = gst_pad_get_current_caps (pad);
  const gchar *media = NULL;
  const RtcSdpTrack *track = NULL;
  gint payload = -1;

  if (!caps)
    caps = gst_pad_query_caps (pad, NULL);
  if (!gst_caps_is_empty (caps) && !gst_caps_is_any (caps)) {
    const GstStructure *s = gst_caps_get_structure (caps, 0);

    media = gst_structure_get_string (s, "media");
    if (g_strcmp0 (media, "video") == 0)
      track = &self->choice.video;
    else if (g_strcmp0 (media, "audio") == 0)
      track = &self->choice.audio;
    gst_structure_get_uint (s, "ssrc", ssrc);
    gst_structure_get_int (s, "payload", &payload);
  }
  gst_caps_unref (caps);
  if (!track || !track->codec || (payload >= 0 && payload != track->payload))
    return NULL;
  return track == &self->choice.video ? self->video : self->audio;
}

static void
clear_stream (gpointer data)
{
  Stream *stream = data;

  gst_pad_unlink (stream->pad, stream->sink);
  if (stream->chain)
    rtc_depay_chain_remove_stream (stream->chain, stream->sink);
  else
    gst_pad_set_active (stream->sink, FALSE);
  gst_object_unref (stream->sink);
  gst_object_unref (stream->pad);
}

RtcDepayChain *
rtc_streams_add_pad (RtcStreams *self, GstPad *pad, guint *ssrc)
{
  Stream stream = { 0 };

  stream.chain = find_chain (self, pad, &stream.ssrc);
  stream.pad = gst_object_ref (pad);
  if (stream.chain == NULL)
    stream.sink = new_drain (self);
  else
    stream.sink =
        rtc_depay_chain_add_stream (stream.chain, get_rank (self, &stream));
  GST_INFO_OBJECT (self->webrtc, "SSRC %u on %s: %s", stream.ssrc,
      GST_PAD_NAME (pad),
      !stream.chain                     ? "not recorded"
          : stream.chain == self->video ? "video"
                                        : "audio");
  if (gst_pad_link (pad, stream.sink) != GST_PAD_LINK_OK)
    GST_ERROR_OBJECT (pad, "could not be linked");
  *ssrc = stream.ssrc;
  g_mutex_lock (&self->lock);
  g_array_append_val (self->streams, stream);
  g_mutex_unlock (&self->lock);
  /* The rank may have changed before the pad was known. */
  if (self->layers && stream.chain == self->video)
    on_rank (stream.ssrc, get_rank (self, &stream), self);
  return stream.chain;
}

/* Removes the stream from the list. Returns FALSE if it is not there. */
static gboolean
steal_stream (RtcStreams *self, guint ssrc, Stream *stream)
{
  gboolean found = FALSE;
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < self->streams->len && !found; i++) {
    *stream = g_array_index (self->streams, Stream, i);
    found = stream->ssrc == ssrc;
    if (found)
      g_array_remove_index_fast (self->streams, i);
  }
  g_mutex_unlock (&self->lock);
  return found;
}

/* rtpbin has removed a stream. webrtcbin keeps its own pad for it. */
static void
on_pad_removed (GstElement *rtpbin, GstPad *pad, RtcStreams *self)
{
  guint session, ssrc, payload;
  Stream stream;

  if (sscanf (GST_PAD_NAME (pad), "recv_rtp_src_%u_%u_%u", &session, &ssrc,
          &payload) != 3 ||
      !steal_stream (self, ssrc, &stream))
    return;
  GST_INFO_OBJECT (self->webrtc, "SSRC %u has ended", ssrc);
  gst_object_ref (stream.pad);
  clear_stream (&stream);
  gst_element_remove_pad (self->webrtc, stream.pad);
  gst_object_unref (stream.pad);
}

/* Returns the pad of rtpbin for @ssrc, or NULL. Caller unrefs. */
static GstPad *
match_pad (const GValue *item, guint ssrc)
{
  GstPad *pad = g_value_get_object (item);
  guint session, pad_ssrc, payload;

  return sscanf (GST_PAD_NAME (pad), "recv_rtp_src_%u_%u_%u", &session,
             &pad_ssrc, &payload) == 3 &&
          pad_ssrc == ssrc
      ? gst_object_ref (pad)
      : NULL;
}

static GstPad *
find_pad (GstElement *rtpbin, guint ssrc)
{
  GstIterator *iterator = gst_element_iterate_src_pads (rtpbin);
  GValue item = G_VALUE_INIT;
  GstPad *pad = NULL;
  GstIteratorResult result;

  while (!pad &&
      (result = gst_iterator_next (iterator, &item)) != GST_ITERATOR_DONE) {
    if (result == GST_ITERATOR_ERROR)
      break;
    if (result == GST_ITERATOR_RESYNC) {
      gst_iterator_resync (iterator);
      continue;
    }
    pad = match_pad (&item, ssrc);
    g_value_reset (&item);
  }
  g_value_unset (&item);
  gst_iterator_free (iterator);
  return pad;
}

/* On the thread of RTCP. */
static void
on_timeout (GstElement *rtpbin, guint session, guint ssrc, RtcStreams *self)
{
  Source *source;

  g_mutex_lock (&self->lock);
  source = find_source (self, session, ssrc);
  if (source)
    source->timed_out = TRUE;
  g_mutex_unlock (&self->lock);
}

/* The recorded stream stays, and keeps its place on the timeline, in case its
 * sender continues. Under lock. */
static gboolean
is_recorded (RtcStreams *self, guint ssrc)
{
  gboolean recorded = FALSE;
  guint i;

  for (i = 0; i < self->streams->len && !recorded; i++) {
    Stream *stream = &g_array_index (self->streams, Stream, i);

    recorded = stream->ssrc == ssrc && stream->chain &&
        rtc_depay_chain_is_recorded (stream->chain, stream->sink);
  }
  return recorded;
}

/* Removes a source that has ended from the list. Returns FALSE if there is
 * none. */
static gboolean
steal_ended (RtcStreams *self, Source *ended)
{
  gint64 now = g_get_monotonic_time ();
  gboolean found = FALSE;
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < self->sources->len && !found; i++) {
    Source *source = &g_array_index (self->sources, Source, i);

    if (!source->timed_out)
      continue;
    if (now - __atomic_load_n (&source->filter->last, __ATOMIC_RELAXED) <
        ENDED_AFTER_US) {
      source->timed_out = FALSE;
      continue;
    }
    found = !is_recorded (self, source->ssrc);
    *ended = *source;
    if (found) {
      g_atomic_rc_box_acquire (ended->filter);
      g_array_remove_index_fast (self->sources, i);
    }
  }
  g_mutex_unlock (&self->lock);
  return found;
}

/* The property autoremove of rtpbin does not remove its own pad if there is a
 * decoder for FEC, and webrtcbin always adds one. When the SSRC returned, its
 * pad could not be added, and the session ended. */
void
rtc_streams_tick (RtcStreams *self)
{
  Source ended;
  GstPad *pad;

  while (self && self->rtpbin && steal_ended (self, &ended)) {
    g_signal_emit_by_name (
        self->rtpbin, "clear-ssrc", ended.session, ended.ssrc);
    while ((pad = find_pad (self->rtpbin, ended.ssrc))) {
      gst_pad_set_active (pad, FALSE);
      gst_element_remove_pad (self->rtpbin, pad);
      gst_object_unref (pad);
    }
    free_filter (ended.filter);
  }
}

/* --- life --- */

RtcStreams *
rtc_streams_new (GstElement *webrtc, const GstSDPMessage *remote,
    const RtcSdpChoice *choice, RtcDepayChain *video, RtcDepayChain *audio,
    const gchar *layer, guint64 *ignored)
{
  RtcStreams *self = g_new0 (RtcStreams, 1);

  ensure_debug_category ();
  g_mutex_init (&self->lock);
  self->webrtc = webrtc;
  self->choice = *choice;
  self->video = video;
  self->audio = audio;
  self->ignored = ignored;
  self->streams = g_array_new (FALSE, FALSE, sizeof (Stream));
  self->sources = g_array_new (FALSE, FALSE, sizeof (Source));
  g_array_set_clear_func (self->sources, clear_source);
  if (choice->video.codec)
    self->layers = rtc_layers_new (
        gst_sdp_message_get_media (remote, choice->video.media),
        choice->video.payload, choice->video.codec->name, layer, on_rank, self);
  self->rtpbin = gst_bin_get_by_name (GST_BIN (webrtc), "rtpbin");
  if (self->rtpbin) {
    g_signal_connect (self->rtpbin, "new-jitterbuffer",
        G_CALLBACK (on_new_jitterbuffer), self);
    g_signal_connect (
        self->rtpbin, "pad-removed", G_CALLBACK (on_pad_removed), self);
    g_signal_connect (
        self->rtpbin, "on-timeout", G_CALLBACK (on_timeout), self);
    g_signal_connect (
        self->rtpbin, "on-bye-timeout", G_CALLBACK (on_timeout), self);
  }
  return self;
}

void
rtc_streams_free (RtcStreams *self)
{
  if (!self)
    return;
  if (self->rtpbin)
    g_signal_handlers_disconnect_by_data (self->rtpbin, self);
  gst_clear_object (&self->rtpbin);
  g_array_set_clear_func (self->streams, clear_stream);
  g_array_unref (self->streams);
  g_array_unref (self->sources);
  rtc_layers_free (self->layers);
  g_mutex_clear (&self->lock);
  g_free (self);
}
