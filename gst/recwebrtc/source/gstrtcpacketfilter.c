/* gst-tsrec: the packets that enter a depayloader
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrtcpacketfilter.h"

#include "rtcflow.h"
#include "rtcnal.h"
#include "rtcpacketfilter.h"
#include "rtcparamsets.h"

#include <gst/rtp/rtp.h>

/**
 * GstRtcPacketFilter:
 * @pictures: the filter after the depayloader
 * @has_nal_units: the codec has slices and parameter sets
 *
 * Streaming thread only, after the element was made.
 */
struct _GstRtcPacketFilter
{
  GstElement parent;

  GstPad *sink;
  GstPad *src;
  const RtcSdpCodec *codec;
  GstRtcPictureFilter *pictures;
  guint64 *malformed;

  gboolean has_nal_units;
  RecNalSyntax syntax;
  RtcParamSets param_sets;
  RtcPacketFilter filter;
};

G_DEFINE_TYPE (GstRtcPacketFilter, gst_rtc_packet_filter, GST_TYPE_ELEMENT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

/* --- repeated parameter sets --- */

/* Returns a copy whose payload has @kept bytes, without padding. */
static GstBuffer *
copy_filtered (GstBuffer *buffer, RtcParamSets *before, gsize kept)
{
  GstBuffer *copy = gst_buffer_copy_deep (buffer);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  gsize header;

  gst_rtp_buffer_map (copy, GST_MAP_READWRITE, &rtp);
  header = gst_rtp_buffer_get_header_len (&rtp);
  rtc_param_sets_filter (before, gst_rtp_buffer_get_timestamp (&rtp),
      gst_rtp_buffer_get_payload (&rtp), gst_rtp_buffer_get_payload_len (&rtp),
      gst_rtp_buffer_get_payload (&rtp));
  gst_rtp_buffer_set_padding (&rtp, FALSE);
  gst_rtp_buffer_unmap (&rtp);
  gst_buffer_set_size (copy, (gssize)(header + kept));
  return copy;
}

/* Returns *@rtp without the repeated parameter sets, or NULL if there are none.
 * Caller unrefs. */
static GstBuffer *
remove_repeated_sets (
    GstRtcPacketFilter *self, GstBuffer *buffer, GstRTPBuffer *rtp)
{
  RtcParamSets before = self->param_sets;
  gsize size = gst_rtp_buffer_get_payload_len (rtp);
  gsize kept = rtc_param_sets_filter (&self->param_sets,
      gst_rtp_buffer_get_timestamp (rtp), gst_rtp_buffer_get_payload (rtp),
      size, NULL);

  return kept == size ? NULL : copy_filtered (buffer, &before, kept);
}

/* --- packets --- */

static void
begin_stream (GstRtcPacketFilter *self)
{
  rtc_param_sets_init (&self->param_sets, self->syntax == REC_NAL_H265);
  gst_rtc_picture_filter_restart (self->pictures);
}

/* Sets *@seq to the sequence number that the depayloader is to see. */
static RtcPacketFilterVerdict
check_packet (
    GstRtcPacketFilter *self, GstRTPBuffer *rtp, GstClockTime pts, guint16 *seq)
{
  gboolean marker = gst_rtp_buffer_get_marker (rtp);
  guint32 rtp_time = gst_rtp_buffer_get_timestamp (rtp);
  RtcPacketFilterVerdict verdict = rtc_packet_filter_check (self->codec->name,
      gst_rtp_buffer_get_payload (rtp), gst_rtp_buffer_get_payload_len (rtp),
      marker);
  gboolean lost = FALSE;

  *seq = gst_rtp_buffer_get_seq (rtp);
  /* A malformed packet leaves a gap, as if it had been lost. */
  if (verdict == RTC_PACKET_FILTER_PASS)
    gst_rtc_picture_filter_watch_packet (self->pictures, rtp_time, pts);
  if (verdict == RTC_PACKET_FILTER_PASS)
    lost = rtc_packet_filter_note_end (&self->filter, self->codec->name,
        gst_rtp_buffer_get_payload (rtp), gst_rtp_buffer_get_payload_len (rtp),
        marker, rtp_time, *seq);
  if (verdict != RTC_PACKET_FILTER_MALFORMED) {
    gst_rtc_picture_filter_note_packet (self->pictures,
        (guint16)(*seq + self->filter.cut), rtp_time, marker,
        verdict == RTC_PACKET_FILTER_EMPTY, pts);
    if (rtc_packet_filter_note (&self->filter, *seq) || lost)
      gst_rtc_picture_filter_push_loss (self->pictures, pts);
  }
  *seq = rtc_packet_filter_map (&self->filter, *seq);
  if (verdict == RTC_PACKET_FILTER_EMPTY)
    rtc_packet_filter_remove (&self->filter);
  return verdict;
}

static GstBuffer *
set_sequence_number (GstBuffer *buffer, guint16 seq)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  buffer = gst_buffer_make_writable (buffer);
  if (gst_rtp_buffer_map (buffer, GST_MAP_READWRITE, &rtp)) {
    gst_rtp_buffer_set_seq (&rtp, seq);
    gst_rtp_buffer_unmap (&rtp);
  }
  return buffer;
}

/* Looks at *@buffer, and replaces it when parameter sets are removed from it. */
static RtcPacketFilterVerdict
take_packet (GstRtcPacketFilter *self, GstBuffer **buffer, guint16 *seq)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  RtcPacketFilterVerdict verdict;
  GstBuffer *filtered = NULL;

  if (!gst_rtp_buffer_map (*buffer, GST_MAP_READ, &rtp))
    return RTC_PACKET_FILTER_MALFORMED;
  if (rtc_packet_filter_begin (&self->filter, gst_rtp_buffer_get_ssrc (&rtp)))
    begin_stream (self);
  if (self->has_nal_units)
    filtered = remove_repeated_sets (self, *buffer, &rtp);
  if (filtered) {
    gst_rtp_buffer_unmap (&rtp);
    gst_buffer_unref (*buffer);
    *buffer = filtered;
    if (!gst_rtp_buffer_map (*buffer, GST_MAP_READ, &rtp))
      return RTC_PACKET_FILTER_MALFORMED;
  }
  verdict = check_packet (self, &rtp, GST_BUFFER_PTS (*buffer), seq);
  gst_rtp_buffer_unmap (&rtp);
  return verdict;
}

/* Returns the packet for the depayloader, or NULL. Consumes @buffer. */
static GstBuffer *
filter_packet (GstRtcPacketFilter *self, GstBuffer *buffer)
{
  guint16 seq = 0;

  switch (take_packet (self, &buffer, &seq)) {
    case RTC_PACKET_FILTER_PASS:
      if (self->filter.removed != 0)
        buffer = set_sequence_number (buffer, seq);
      return buffer;
    case RTC_PACKET_FILTER_MALFORMED:
      __atomic_fetch_add (self->malformed, 1, __ATOMIC_RELAXED);
      break;
    default:
      break;
  }
  gst_buffer_unref (buffer);
  return NULL;
}

static GstFlowReturn
sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstRtcPacketFilter *self = GST_RTC_PACKET_FILTER (parent);

  buffer = filter_packet (self, buffer);
  return buffer ? gst_pad_push (self->src, buffer) : GST_FLOW_OK;
}

static GstFlowReturn
sink_chain_list (GstPad *pad, GstObject *parent, GstBufferList *list)
{
  return rtc_flow_chain_each (pad, parent, list, sink_chain);
}

/* A jitter buffer also reports the packet after the last one as lost if a
 * stream pauses or ends. Losses are detected by sequence numbers instead. */
static gboolean
sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  if (gst_event_has_name (event, "GstRTPPacketLost")) {
    gst_event_unref (event);
    return TRUE;
  }
  return gst_pad_event_default (pad, parent, event);
}

/* --- element --- */

GstRtcPacketFilter *
gst_rtc_packet_filter_new (
    const RtcSdpCodec *codec, GstRtcPictureFilter *pictures, guint64 *malformed)
{
  GstRtcPacketFilter *self = g_object_new (GST_TYPE_RTC_PACKET_FILTER, NULL);

  self->codec = codec;
  self->pictures = gst_object_ref (pictures);
  self->malformed = malformed;
  self->has_nal_units = rtc_nal_get_syntax (codec->name, &self->syntax);
  rtc_param_sets_init (&self->param_sets, self->syntax == REC_NAL_H265);
  return self;
}

static void
gst_rtc_packet_filter_dispose (GObject *object)
{
  GstRtcPacketFilter *self = GST_RTC_PACKET_FILTER (object);

  gst_clear_object (&self->pictures);
  G_OBJECT_CLASS (gst_rtc_packet_filter_parent_class)->dispose (object);
}

static void
gst_rtc_packet_filter_class_init (GstRtcPacketFilterClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = gst_rtc_packet_filter_dispose;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "RTC packet filter",
      "Filter/Network/RTP",
      "Drops RTP packets that a depayloader cannot handle", "gst-tsrec");
}

static void
gst_rtc_packet_filter_init (GstRtcPacketFilter *self)
{
  rtc_packet_filter_init (&self->filter);
  self->sink = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sink, sink_chain);
  gst_pad_set_chain_list_function (self->sink, sink_chain_list);
  gst_pad_set_event_function (self->sink, sink_event);
  GST_PAD_SET_PROXY_CAPS (self->sink);
  GST_PAD_SET_PROXY_ALLOCATION (self->sink);
  gst_element_add_pad (GST_ELEMENT (self), self->sink);
  self->src = gst_pad_new_from_static_template (&src_template, "src");
  GST_PAD_SET_PROXY_CAPS (self->src);
  gst_element_add_pad (GST_ELEMENT (self), self->src);
}
