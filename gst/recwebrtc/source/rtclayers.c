/* gst-tsrec: ranks of simulcast layers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtclayers.h"
#include "rtcsdpsimulcast.h"

#include <gst/codecparsers/gsth264parser.h>
#include <gst/codecparsers/gsth265parser.h>
#include <gst/rtp/rtp.h>
#include <string.h>

GST_DEBUG_CATEGORY_STATIC (rtc_layers_debug);
#define GST_CAT_DEFAULT rtc_layers_debug

/* Maximum number of SSRCs to remember. */
#define MAX_STREAMS 64
/* Ranks below it are an order. */
#define ORDER_RANKS 100

/**
 * Stream:
 * @layer: index of its layer, -1 if unknown
 * @pixels: size of its last key frame, pixels, 0 if unknown
 */
typedef struct
{
  guint ssrc;
  gint layer;
  guint pixels;
} Stream;

/**
 * RtcLayers:
 * @lowest: the smallest layer is wanted
 * @named: index of the layer that is wanted, -1 if none
 */
struct _RtcLayers
{
  GArray *layers;
  gboolean lowest;
  gint named;
  gchar *codec;
  guint8 rid_id;
  RtcLayersFunc changed;
  gpointer user_data;

  GMutex lock;
  /* under lock */
  GArray *streams;
};

/* --- the size of a picture --- */

static guint
pixels (guint width, guint height)
{
  return MIN (width, G_MAXUINT16) * MIN (height, 32767);
}

static guint
h264_size (const guint8 *unit, gsize size)
{
  GstH264NalParser *parser;
  GstH264NalUnit nalu;
  GstH264SPS sps;
  guint found = 0;

  if (size < 4 || (unit[0] & 0x1f) != GST_H264_NAL_SPS)
    return 0;
  memset (&nalu, 0, sizeof (nalu));
  nalu.type = GST_H264_NAL_SPS;
  nalu.ref_idc = (unit[0] & 0x60) >> 5;
  nalu.valid = TRUE;
  nalu.header_bytes = 1;
  nalu.data = (guint8 *)unit;
  nalu.size = (guint)size;
  parser = gst_h264_nal_parser_new ();
  memset (&sps, 0, sizeof (sps));
  if (gst_h264_parse_sps (&nalu, &sps) == GST_H264_PARSER_OK) {
    found = sps.frame_cropping_flag
        ? pixels (MAX (sps.crop_rect_width, 0), MAX (sps.crop_rect_height, 0))
        : pixels (MAX (sps.width, 0), MAX (sps.height, 0));
    gst_h264_sps_clear (&sps);
  }
  gst_h264_nal_parser_free (parser);
  return found;
}

static guint
h265_size (const guint8 *unit, gsize size)
{
  GstH265Parser *parser;
  GstH265NalUnit nalu;
  GstH265SPS sps;
  guint found = 0;

  if (size < 8 || ((unit[0] >> 1) & 0x3f) != GST_H265_NAL_SPS)
    return 0;
  memset (&nalu, 0, sizeof (nalu));
  nalu.type = GST_H265_NAL_SPS;
  nalu.temporal_id_plus1 = unit[1] & 7;
  nalu.valid = TRUE;
  nalu.header_bytes = 2;
  nalu.data = (guint8 *)unit;
  nalu.size = (guint)size;
  parser = gst_h265_parser_new ();
  memset (&sps, 0, sizeof (sps));
  if (gst_h265_parse_sps (parser, &nalu, &sps, FALSE) == GST_H265_PARSER_OK)
    found = sps.conformance_window_flag
        ? pixels (MAX (sps.crop_rect_width, 0), MAX (sps.crop_rect_height, 0))
        : pixels (MAX (sps.width, 0), MAX (sps.height, 0));
  gst_h265_parser_free (parser);
  return found;
}

/* The NAL unit is alone in the packet, or in an aggregation packet, whose NAL
 * units begin after @at bytes and follow their sizes. */
static guint
unit_size (const guint8 *payload, gsize size, gboolean aggregate, gsize at,
    guint (*read) (const guint8 *unit, gsize size))
{
  guint found = 0;

  if (!aggregate)
    return read (payload, size);
  while (found == 0 && at + 2 < size) {
    gsize length = (gsize)payload[at] << 8 | payload[at + 1];

    at += 2;
    length = MIN (length, size - at);
    found = read (payload + at, length);
    at += length;
  }
  return found;
}

/* RFC 7741 sections 4.2 and 4.3, RFC 6386 section 9.1. */
static guint
vp8_size (const guint8 *payload, gsize size)
{
  gsize at = 1;

  if (size < 2 || (payload[0] & 0x17) != 0x10)
    return 0;
  if (payload[0] & 0x80) {
    guint8 x = payload[1];

    at = 2;
    if (x & 0x80)
      at += size > 2 && (payload[2] & 0x80) ? 2 : 1;
    at += (x & 0x40) != 0;
    at += (x & 0x30) != 0;
  }
  if (at + 10 > size || (payload[at] & 1) || payload[at + 3] != 0x9d ||
      payload[at + 4] != 0x01 || payload[at + 5] != 0x2a)
    return 0;
  return pixels ((payload[at + 6] | payload[at + 7] << 8) & 0x3fff,
      (payload[at + 8] | payload[at + 9] << 8) & 0x3fff);
}

/* The largest layer of the scalability structure (RFC 9628 section 4.2.1). */
static guint
vp9_size (const guint8 *payload, gsize size)
{
  gsize at = 1;
  guint i, found = 0;
  guint8 header = size > 0 ? payload[0] : 0;

  if (!(header & 0x02) || (header & 0x48) != 0x08)
    return 0;
  if (header & 0x80)
    at += at < size && (payload[at] & 0x80) ? 2 : 1;
  if (header & 0x20)
    at += header & 0x10 ? 1 : 2;
  if (at >= size || !(payload[at] & 0x10))
    return 0;
  for (i = 0; i <= payload[at] >> 5 && at + 1 + 4 * (i + 1) <= size; i++) {
    const guint8 *entry = payload + at + 1 + 4 * i;

    found = MAX (found,
        pixels ((guint)(entry[0] << 8 | entry[1]),
            (guint)(entry[2] << 8 | entry[3])));
  }
  return found;
}

guint
rtc_layers_read_size (const gchar *codec, const guint8 *payload, gsize size)
{
  if (size == 0)
    return 0;
  if (g_str_equal (codec, "H264"))
    return unit_size (payload, size, (payload[0] & 0x1f) == 24, 1, h264_size);
  if (g_str_equal (codec, "H265"))
    return unit_size (
        payload, size, ((payload[0] >> 1) & 0x3f) == 48, 2, h265_size);
  if (g_str_equal (codec, "VP8"))
    return vp8_size (payload, size);
  return g_str_equal (codec, "VP9") ? vp9_size (payload, size) : 0;
}

/* --- ranks; under lock --- */

static Stream *
find_stream (RtcLayers *self, guint ssrc)
{
  Stream stream = { ssrc, -1, 0 };
  guint i;

  for (i = 0; i < self->streams->len; i++)
    if (g_array_index (self->streams, Stream, i).ssrc == ssrc)
      return &g_array_index (self->streams, Stream, i);
  if (self->streams->len >= MAX_STREAMS)
    g_array_remove_index (self->streams, 0);
  for (i = 0; i < self->layers->len; i++)
    if (g_array_index (self->layers, RtcSdpLayer, i).ssrc == ssrc && ssrc != 0)
      stream.layer = (gint)i;
  g_array_append_val (self->streams, stream);
  return &g_array_index (self->streams, Stream, self->streams->len - 1);
}

/* A size is still above all orders, and at most G_MAXINT. */
static guint
size_rank (RtcLayers *self, guint size)
{
  return self->lowest ? G_MAXUINT - size : size;
}

static guint
order_rank (RtcLayers *self, guint order)
{
  return self->lowest ? ORDER_RANKS - order : order;
}

static guint
stream_rank (RtcLayers *self, const Stream *stream)
{
  const RtcSdpLayer *layer;

  if (stream->layer >= 0 && stream->layer == self->named)
    return G_MAXUINT;
  if (stream->pixels > 0)
    return size_rank (self, stream->pixels);
  if (stream->layer < 0)
    return 0;
  layer = &g_array_index (self->layers, RtcSdpLayer, stream->layer);
  if (layer->pixels > 0)
    return size_rank (self, layer->pixels);
  return order_rank (self,
      layer->rid ? self->layers->len - (guint)stream->layer
                 : (guint)stream->layer + 1);
}

/* --- packets; on the thread that receives --- */

/* In the one-byte or the two-byte form of RFC 8285. */
static gint
read_layer (RtcLayers *self, GstRTPBuffer *rtp)
{
  gpointer data = NULL;
  guint8 appbits;
  guint i, size = 0;

  if (self->rid_id == 0 ||
      !((self->rid_id < 15 &&
            gst_rtp_buffer_get_extension_onebyte_header (
                rtp, self->rid_id, 0, &data, &size)) ||
          gst_rtp_buffer_get_extension_twobytes_header (
              rtp, &appbits, self->rid_id, 0, &data, &size)))
    return -1;
  for (i = 0; i < self->layers->len; i++) {
    const gchar *rid = g_array_index (self->layers, RtcSdpLayer, i).rid;

    if (rid && strlen (rid) == size && memcmp (rid, data, size) == 0)
      return (gint)i;
  }
  return -1;
}

static void
note_packet (RtcLayers *self, guint ssrc, GstBuffer *buffer)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  guint before, rank, size;
  Stream *stream;
  gint layer;

  if (!gst_rtp_buffer_map (buffer, GST_MAP_READ, &rtp))
    return;
  layer = read_layer (self, &rtp);
  size = rtc_layers_read_size (self->codec, gst_rtp_buffer_get_payload (&rtp),
      gst_rtp_buffer_get_payload_len (&rtp));
  gst_rtp_buffer_unmap (&rtp);
  if (layer < 0 && size == 0)
    return;
  g_mutex_lock (&self->lock);
  stream = find_stream (self, ssrc);
  before = stream_rank (self, stream);
  if (layer >= 0)
    stream->layer = layer;
  if (size > 0)
    stream->pixels = size;
  rank = stream_rank (self, stream);
  g_mutex_unlock (&self->lock);
  if (rank == before)
    return;
  GST_INFO ("SSRC %u: layer %d, rank %u", ssrc, layer, rank);
  self->changed (ssrc, rank, self->user_data);
}

typedef struct
{
  RtcLayers *layers;
  guint ssrc;
} Watch;

static gboolean
note_listed (GstBuffer **buffer, guint idx, gpointer user_data)
{
  Watch *watch = user_data;

  note_packet (watch->layers, watch->ssrc, *buffer);
  return TRUE;
}

static GstPadProbeReturn
on_packet (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstBuffer *buffer;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    gst_buffer_list_foreach (
        GST_PAD_PROBE_INFO_BUFFER_LIST (info), note_listed, user_data);
  } else {
    buffer = GST_PAD_PROBE_INFO_BUFFER (info);
    note_listed (&buffer, 0, user_data);
  }
  return GST_PAD_PROBE_OK;
}

void
rtc_layers_watch (RtcLayers *self, guint ssrc, GstPad *pad)
{
  Watch *watch;

  if (!rtc_layers_is_simulcast (self))
    return;
  watch = g_new (Watch, 1);
  watch->layers = self;
  watch->ssrc = ssrc;
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_packet,
      watch, g_free);
}

guint
rtc_layers_get_rank (RtcLayers *self, guint ssrc)
{
  guint rank;

  if (!rtc_layers_is_simulcast (self))
    return 0;
  g_mutex_lock (&self->lock);
  rank = stream_rank (self, find_stream (self, ssrc));
  g_mutex_unlock (&self->lock);
  return rank;
}

/* --- life --- */

gboolean
rtc_layers_is_simulcast (RtcLayers *self)
{
  return self->layers->len > 1;
}

/* Returns the index of layer @rid, -1 if there is none. */
static gint
find_layer (const GArray *layers, const gchar *rid)
{
  for (guint i = 0; i < layers->len; i++)
    if (g_strcmp0 (g_array_index (layers, RtcSdpLayer, i).rid, rid) == 0)
      return (gint)i;
  return -1;
}

static gboolean
is_rid (const gchar *wanted)
{
  return !g_str_equal (wanted, RTC_LAYERS_HIGHEST) &&
      !g_str_equal (wanted, RTC_LAYERS_LOWEST);
}

gchar *
rtc_layers_find_unavailable (
    const GstSDPMedia *media, gint payload, const gchar *wanted)
{
  GArray *layers = rtc_sdp_simulcast_layers (media, payload);
  GString *offered = NULL;

  if (layers->len > 0 && is_rid (wanted) && find_layer (layers, wanted) < 0) {
    offered = g_string_new (NULL);
    for (guint i = 0; i < layers->len; i++) {
      const gchar *rid = g_array_index (layers, RtcSdpLayer, i).rid;

      g_string_append_printf (
          offered, "%s%s", i > 0 ? ", " : "", rid ? rid : "one without a name");
    }
  }
  g_array_unref (layers);
  return offered ? g_string_free (offered, FALSE) : NULL;
}

RtcLayers *
rtc_layers_new (const GstSDPMedia *media, gint payload, const gchar *codec,
    const gchar *wanted, RtcLayersFunc changed, gpointer user_data)
{
  static gsize once = 0;
  RtcLayers *self = g_new0 (RtcLayers, 1);

  if (g_once_init_enter (&once)) {
    GST_DEBUG_CATEGORY_INIT (
        rtc_layers_debug, "reclayers", 0, "layers of simulcast");
    g_once_init_leave (&once, 1);
  }
  g_mutex_init (&self->lock);
  self->layers = rtc_sdp_simulcast_layers (media, payload);
  self->lowest = g_str_equal (wanted, RTC_LAYERS_LOWEST);
  self->named = is_rid (wanted) ? find_layer (self->layers, wanted) : -1;
  self->rid_id = (guint8)rtc_sdp_header_extension (media, RTC_SDP_RID_URI);
  self->codec = g_strdup (codec);
  self->changed = changed;
  self->user_data = user_data;
  self->streams = g_array_new (FALSE, FALSE, sizeof (Stream));
  return self;
}

void
rtc_layers_free (RtcLayers *self)
{
  if (!self)
    return;
  g_array_unref (self->layers);
  g_array_unref (self->streams);
  g_mutex_clear (&self->lock);
  g_free (self->codec);
  g_free (self);
}
