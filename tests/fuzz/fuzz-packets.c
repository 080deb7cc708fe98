/* gst-tsrec: fuzz target, RTP packets on their way to access units
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The input is a program: a payload format, then packets with their sequence
 * numbers, times and marker bits, lost, repeated, out of order, padded or cut
 * off. They pass our chain (shield, depayloader, gate, parser) in every format
 * that a session can negotiate. Its output must not be empty.
 *
 * The elements of GStreamer are not instrumented, but they read the memory of
 * the packets, which is exactly as large as the packet.
 */

#include "fuzz.h"
#include "rtcdepaychain.h"

#include <gst/gst.h>

#define MAX_PACKETS 64

/* Bits of the byte in front of a packet. */
#define OP_MARKER 0x01
#define OP_STEP 0x06 /* of the sequence number: 1, 2, 0, -1 */
#define OP_NEXT_TIME 0x08
#define OP_PADDING 0x10
#define OP_OTHER_SSRC 0x20
#define OP_BAD_HEADER 0x40
#define OP_LOST_EVENT 0x80

typedef struct
{
  const gchar *media;
  const gchar *codec;
  const gchar *caps;
} Format;

/* clang-format off */
static const Format formats[] = {
  { "video", "H264", "application/x-rtp, media=video, encoding-name=H264, "
    "clock-rate=90000, payload=96" },
  { "video", "H265", "application/x-rtp, media=video, encoding-name=H265, "
    "clock-rate=90000, payload=96" },
  { "video", "VP8", "application/x-rtp, media=video, encoding-name=VP8, "
    "clock-rate=90000, payload=96" },
  { "video", "VP9", "application/x-rtp, media=video, encoding-name=VP9, "
    "clock-rate=90000, payload=96" },
  { "video", "AV1", "application/x-rtp, media=video, encoding-name=AV1, "
    "clock-rate=90000, payload=96" },
  { "audio", "OPUS", "application/x-rtp, media=audio, encoding-name=OPUS, "
    "clock-rate=48000, encoding-params=(string)2, payload=111" },
};
/* clang-format on */

typedef struct
{
  GstPad *src;
  RtcDepayChain *chain;
  RtcDepayChainCounters counters;
} Track;

/* One of each kind, with and without the gate, kept from input to input. */
static Track tracks[G_N_ELEMENTS (formats)][2];
static GstElement *bin;
static guint32 ssrc;

static GstFlowReturn
take_unit (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  FUZZ_ASSERT (gst_buffer_get_size (buffer) > 0, "an empty access unit");
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
take_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gst_event_unref (event);
  return TRUE;
}

static GstStaticPadTemplate out_template = GST_STATIC_PAD_TEMPLATE (
    "out", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static GstPad *
new_sink (void)
{
  GstPad *pad = gst_pad_new_from_static_template (&out_template, "out");

  gst_pad_set_chain_function (pad, take_unit);
  gst_pad_set_event_function (pad, take_event);
  gst_pad_set_active (pad, TRUE);
  return pad;
}

static void
start_stream (Track *track, const Format *format)
{
  GstCaps *caps = gst_caps_from_string (format->caps);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (track->src, gst_event_new_stream_start ("fuzz"));
  gst_pad_push_event (track->src, gst_event_new_caps (caps));
  gst_pad_push_event (track->src, gst_event_new_segment (&segment));
  gst_caps_unref (caps);
}

/* FALSE when this system lacks the depayloader. */
static gboolean
make_track (Track *track, const Format *format, gboolean freeze)
{
  const RtcSdpCodec *codecs[] = {
    rtc_sdp_find_codec (format->media, format->codec), NULL
  };
  RtcSdpTrack description = { .codec = codecs[0] };
  GString *missing = g_string_new (NULL);
  GstPad *sink;

  rtc_depay_chain_keep_available (codecs, missing);
  g_string_free (missing, TRUE);
  if (!codecs[0])
    return FALSE;
  track->chain = rtc_depay_chain_new (GST_BIN (bin), bin, &description,
      new_sink (), freeze, &track->counters, NULL);
  FUZZ_ASSERT (track->chain, "no chain for %s", format->codec);
  track->src = gst_pad_new ("src", GST_PAD_SRC);
  gst_pad_set_active (track->src, TRUE);
  sink = rtc_depay_chain_add_stream (track->chain, 0);
  FUZZ_ASSERT (gst_pad_link (track->src, sink) == GST_PAD_LINK_OK, "no link");
  gst_object_unref (sink);
  start_stream (track, format);
  return TRUE;
}

/* Log output of GLib and GStreamer about invalid data is not tested. */
static void
drop_log (const gchar *domain, GLogLevelFlags level, const gchar *message,
    gpointer user_data)
{
}

/* Errors of the parser are on the bus, and do not end the stream. */
static void
empty_bus (void)
{
  gst_bus_set_flushing (GST_ELEMENT_BUS (bin), TRUE);
  gst_bus_set_flushing (GST_ELEMENT_BUS (bin), FALSE);
}

static void
set_up (void)
{
  guint i, j;

  gst_init (NULL, NULL);
  g_log_set_default_handler (drop_log, NULL);
  if (!g_getenv ("GST_DEBUG"))
    gst_debug_set_default_threshold (GST_LEVEL_NONE);
  bin = gst_pipeline_new (NULL);
  gst_element_set_state (bin, GST_STATE_PLAYING);
  for (i = 0; i < G_N_ELEMENTS (formats); i++)
    for (j = 0; j < 2; j++)
      make_track (&tracks[i][j], &formats[i], j == 1);
}

/* State between the packets of an input. */
typedef struct
{
  guint16 seq;
  guint32 time;
  guint32 ssrc;
} Sender;

static GstBuffer *
make_packet (FuzzInput *input, Sender *sender, guint8 op)
{
  static const gint steps[] = { 1, 2, 0, -1 };
  gsize size = fuzz_u8 (input), padding = op & OP_PADDING ? 7 : 0;
  guint8 *data;

  size = MIN (size, input->size);
  sender->seq = (guint16)(sender->seq + steps[(op & OP_STEP) >> 1]);
  if (op & OP_NEXT_TIME)
    sender->time += 3000;
  data = g_malloc (12 + size + padding);
  data[0] = 0x80 | (padding ? 0x20 : 0);
  data[1] = 96 | (op & OP_MARKER ? 0x80 : 0);
  GST_WRITE_UINT16_BE (data + 2, sender->seq);
  GST_WRITE_UINT32_BE (data + 4, sender->time);
  GST_WRITE_UINT32_BE (data + 8, sender->ssrc + !!(op & OP_OTHER_SSRC));
  if (size > 0)
    memcpy (data + 12, input->data, size);
  if (padding) {
    memset (data + 12 + size, 0, padding - 1);
    data[12 + size + padding - 1] = (guint8)padding;
  }
  input->data += size;
  input->size -= size;
  if (op & OP_BAD_HEADER)
    data[0] ^= fuzz_u8 (input);
  return gst_buffer_new_wrapped (data, 12 + size + padding);
}

static void
push_packet (Track *track, FuzzInput *input, Sender *sender)
{
  guint8 op = fuzz_u8 (input);
  GstBuffer *buffer;
  GstFlowReturn ret;

  if (op & OP_LOST_EVENT)
    gst_pad_push_event (track->src,
        gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
            gst_structure_new ("GstRTPPacketLost", "seqnum", G_TYPE_UINT,
                (guint)sender->seq, "timestamp", G_TYPE_UINT64,
                (guint64)sender->time * 11111, "duration", G_TYPE_UINT64,
                (guint64)GST_MSECOND, "might-have-been-fec", G_TYPE_BOOLEAN,
                (op & OP_MARKER) != 0, NULL)));
  buffer = make_packet (input, sender, op);
  GST_BUFFER_PTS (buffer) = (guint64)sender->time * 11111;
  ret = gst_pad_push (track->src, buffer);
  /* Anything else would end the session. */
  FUZZ_ASSERT (ret == GST_FLOW_OK, "%s", gst_flow_get_name (ret));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzInput input = { data, size };
  Sender sender = { 65530, 0, 0 };
  guint8 head = fuzz_u8 (&input);
  guint index = (head & 0x7f) % G_N_ELEMENTS (formats), n = 0;
  Track *track;

  if (!bin)
    set_up ();
  track = &tracks[index][head >> 7];
  if (!track->chain)
    return 0;
  /* Another stream, so that an input does not depend on those before. */
  sender.ssrc = ssrc += 2;
  gst_pad_push_event (track->src, gst_event_new_flush_start ());
  gst_pad_push_event (track->src, gst_event_new_flush_stop (TRUE));
  start_stream (track, &formats[index]);
  while (input.size > 0 && n++ < MAX_PACKETS)
    push_packet (track, &input, &sender);
  empty_bus ();
  return 0;
}
