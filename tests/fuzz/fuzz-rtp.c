/* gst-tsrec: fuzz target, RTP and RTCP of a peer on our own UDP port
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The input is a program: packets, most of them with a header of a stream that
 * was negotiated (video in two layers, audio, retransmission) and with header
 * extensions from the input, lost, repeated, out of order and cut off. They go
 * the way of a packet that SRTP has accepted: is it wanted, its stream, the
 * reorder buffer, the timeline, the depayloader. In the end reports, NACK and
 * feedback are written, and discarded.
 */

#include "fuzz.h"
#include "rtcreceiver-private.h"
#include "rtcrtcp.h"
#include "rtcsdp-private.h"
#include "rtcsdpsimulcast.h"

#define MAX_PACKETS 48

/* Bits of the byte in front of a packet. */
#define OP_STREAM 0x07 /* which of streams[] */
#define OP_STEP 0x18   /* of the sequence number: 1, 2, 0, or from the input */
#define OP_EXTENSION 0x20
#define OP_NEXT_TIME 0x40
#define OP_RAW 0x80 /* the whole packet is from the input, or RTCP */

#define OFFER                                                                  \
  "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"                        \
  "a=group:BUNDLE 0 1\r\na=fingerprint:sha-256 "                               \
  "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:"   \
  "00:00:00:00:00:00:00:01\r\n"                                                \
  "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"         \
  "a=ice-ufrag:peer\r\na=ice-pwd:0123456789012345678901\r\n"                   \
  "a=setup:actpass\r\na=rtcp-mux\r\na=sendonly\r\n"                            \
  "a=rtpmap:111 opus/48000/2\r\n"                                              \
  "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n"       \
  "a=ice-ufrag:peer\r\na=ice-pwd:0123456789012345678901\r\n"                   \
  "a=setup:actpass\r\na=rtcp-mux\r\na=sendonly\r\n"                            \
  "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n"    \
  "a=rtcp-fb:96 transport-cc\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n" \
  "a=extmap:3 " RTC_SDP_TRANSPORT_CC_URI "\r\n"                                \
  "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"                         \
  "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"              \
  "a=rid:h send\r\na=rid:l send\r\na=simulcast:send h;l\r\n"                   \
  "a=ssrc-group:FID 1 3\r\n"

static const struct
{
  guint32 ssrc;
  guint8 payload;
} streams[] = {
  { 1, 96 },
  { 2, 96 },
  { 3, 97 },
  { 4, 97 },
  { 5, 111 },
  { 1, 127 },
  { 6, 96 },
  { 5, 96 },
};

static GstBin *bin;
static GstSDPMessage *offer, *pruned;
static RtcSdpChoice choice;
static RtcDepayChain *video, *audio;
static RtcDepayChainCounters counters;
static RtcUdpPort *port;
static guint64 ignored;

/* --- what surrounds a receiver --- */

static GstFlowReturn
take_unit (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
take_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gst_event_unref (event);
  return TRUE;
}

static GstPad *
new_sink (void)
{
  GstPad *pad = gst_pad_new ("out", GST_PAD_SINK);

  gst_pad_set_chain_function (pad, take_unit);
  gst_pad_set_event_function (pad, take_event);
  gst_pad_set_active (pad, TRUE);
  return pad;
}

/* Log output of GLib and GStreamer about invalid data is not tested. */
static void
drop_log (const gchar *domain, GLogLevelFlags level, const gchar *message,
    gpointer user_data)
{
}

static void
negotiate (void)
{
  const RtcSdpCodec *videos[] = { rtc_sdp_find_codec ("video", "VP8"), NULL };
  const RtcSdpCodec *audios[] = { rtc_sdp_find_codec ("audio", "OPUS"), NULL };
  GError *error = NULL;

  offer = rtc_sdp_parse (OFFER, strlen (OFFER), &error);
  FUZZ_ASSERT (offer && rtc_sdp_choose (offer, videos, audios, &choice, &error),
      "%s", error->message);
  pruned = rtc_sdp_prune (offer, &choice, &error);
  FUZZ_ASSERT (pruned, "%s", error->message);
  video = rtc_depay_chain_new (
      bin, bin, &choice.video, new_sink (), TRUE, &counters, &error);
  FUZZ_ASSERT (video, "%s", error->message);
  audio = rtc_depay_chain_new (
      bin, bin, &choice.audio, new_sink (), FALSE, &counters, &error);
  FUZZ_ASSERT (audio, "%s", error->message);
}

static void
set_up (void)
{
  gst_init (NULL, NULL);
  g_log_set_default_handler (drop_log, NULL);
  if (!g_getenv ("GST_DEBUG"))
    gst_debug_set_default_threshold (GST_LEVEL_NONE);
  bin = GST_BIN (gst_pipeline_new (NULL));
  gst_element_set_state (GST_ELEMENT (bin), GST_STATE_PLAYING);
  for (guint number = 30000; number < 60000 && !port; number++)
    port = rtc_udp_port_open (number, 5000, NULL);
  FUZZ_ASSERT (port, "no free port");
  negotiate ();
}

static void
on_connected (const gchar *pair, gpointer user_data)
{
}

static void
on_ended (RtcTransportEnd end, gpointer user_data)
{
}

static void
on_added (GstPad *pad, gboolean is_video, gpointer user_data)
{
}

static GstClockTime
on_get_floor (gpointer user_data)
{
  return GST_CLOCK_TIME_NONE;
}

/* --- packets --- */

/* State between the packets of an input. */
typedef struct
{
  guint16 seqs[G_N_ELEMENTS (streams)];
  guint32 times[G_N_ELEMENTS (streams)];
} Sender;

static gsize
take_bytes (FuzzInput *input, guint8 *out, gsize size)
{
  size = MIN (size, input->size);
  if (size > 0)
    memcpy (out, input->data, size);
  input->data += size;
  input->size -= size;
  return size;
}

/* RFC 8285; as many words as the input says, which may be more than follow. */
static gsize
write_extension (FuzzInput *input, guint8 *out)
{
  guint8 head = fuzz_u8 (input);
  gsize words = head & 0x0f;

  GST_WRITE_UINT16_BE (out, head & 0x40 ? 0x1000 : 0xbede);
  GST_WRITE_UINT16_BE (out + 2, words + (head & 0x80 ? 1 : 0));
  memset (out + 4, 0, 4 * words);
  take_bytes (input, out + 4, 4 * words);
  return 4 + 4 * words;
}

static gsize
write_packet (FuzzInput *input, Sender *sender, guint8 op, guint8 *out)
{
  guint which = op & OP_STREAM, step = (op & OP_STEP) >> 3;
  gsize size = 12;

  sender->seqs[which] = (guint16)(sender->seqs[which] +
      (step == 0          ? 1
              : step == 1 ? 2
              : step == 2 ? 0
                          : fuzz_u16 (input)));
  if (op & OP_NEXT_TIME)
    sender->times[which] += 3000;
  out[0] = op & OP_EXTENSION ? 0x90 : 0x80;
  out[1] = streams[which].payload | 0x80;
  GST_WRITE_UINT16_BE (out + 2, sender->seqs[which]);
  GST_WRITE_UINT32_BE (out + 4, sender->times[which]);
  GST_WRITE_UINT32_BE (out + 8, streams[which].ssrc);
  if (op & OP_EXTENSION)
    size += write_extension (input, out + size);
  return size + take_bytes (input, out + size, fuzz_u8 (input));
}

static void
push_packet (
    RtcReceiverLink *link, FuzzInput *input, Sender *sender, gint64 arrival)
{
  guint8 op = fuzz_u8 (input), packet[512];
  gsize size = op & OP_RAW ? take_bytes (input, packet, fuzz_u8 (input))
                           : write_packet (input, sender, op, packet);
  /* Exactly as large as it is, so that reads past its end are seen. */
  guint8 *data = g_memdup2 (packet, size);

  /* rtc_transport_take() sees to these sizes. */
  if (size >= 8 && rtc_rtcp_is_rtcp (data, size))
    rtc_receiver_take_rtcp (data, size, arrival, link);
  else if (size >= 12 && rtc_receiver_wants (data, size, arrival, link))
    rtc_receiver_take_rtp (data, size, arrival, link);
  g_free (data);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const RtcReceiverCallbacks callbacks = { on_connected, on_ended,
    on_added, on_get_floor };
  FuzzInput input = { data, size };
  Sender sender = { 0 };
  RtcReceiver *receiver;
  gint64 now;

  if (!bin)
    set_up ();
  receiver = rtc_receiver_new (&(RtcReceiverConfig){ .bin = bin,
                                   .port = port,
                                   .offer = offer,
                                   .pruned = pruned,
                                   .choice = &choice,
                                   .video = video,
                                   .audio = audio,
                                   .retransmit_video = TRUE,
                                   .layer = RTC_LAYERS_HIGHEST,
                                   .ignored = &ignored },
      &callbacks, NULL, NULL);
  FUZZ_ASSERT (receiver, "no receiver");
  for (guint i = 0; i < G_N_ELEMENTS (streams); i++)
    sender.seqs[i] = 65530;
  now = g_get_monotonic_time () - MAX_PACKETS * 1000;
  for (guint n = 0; input.size > 0 && n < MAX_PACKETS; n++, now += 1000) {
    push_packet (&receiver->links[0], &input, &sender, now);
    if (n % 8 == 7)
      rtc_receiver_feed (receiver);
  }
  rtc_receiver_feed (receiver);
  rtc_receiver_run_timers (now + G_USEC_PER_SEC, &receiver->links[0]);
  rtc_receiver_free (receiver);
  gst_bus_set_flushing (GST_ELEMENT_BUS (bin), TRUE);
  gst_bus_set_flushing (GST_ELEMENT_BUS (bin), FALSE);
  return 0;
}
