/* gst-tsrec: RTP packets of H.264 become access units
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrtch264depay.h"

#include "rtcflow.h"
#include "rtch264depay.h"

#include <gst/rtp/rtp.h>
#include <gst/video/video.h>

/* As GstRTPBaseDepayload: a packet that is further back belongs to a sender that
 * has started over. */
#define MAX_REORDER 100

/**
 * GstRtcH264Depay:
 * @caps: of the access units
 * @malformed: access units that were given up, counted atomically
 * @ssrc: of the last packet
 * @next_seq: sequence number after it, when @has_next_seq
 * @lost: packets are missing before the next access unit
 * @in_dts: of the packet, for the first access unit that it completes
 * @flow: of the last access unit
 * @parameter_sets: from the session description, in front of the first access
 *   unit; NULL: none
 *
 * Streaming thread only, after the element was made.
 */
struct _GstRtcH264Depay
{
  GstElement parent;

  GstPad *sink;
  GstPad *src;
  const gchar *caps;
  guint64 *malformed;

  RtcH264Depay depay;
  guint32 ssrc;
  gboolean has_next_seq;
  guint16 next_seq;
  gboolean lost;
  GstClockTime in_dts;
  GstFlowReturn flow;
  GstBuffer *parameter_sets;
};

G_DEFINE_TYPE (GstRtcH264Depay, gst_rtc_h264_depay, GST_TYPE_ELEMENT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-rtp"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-h264"));

/* --- packets --- */

/* RtcH264DepayFunc */
static void
push_unit (const RtcH264Unit *unit, gpointer user_data)
{
  GstRtcH264Depay *self = user_data;
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, unit->size, NULL);
  gboolean key = unit->key || self->parameter_sets;

  gst_buffer_fill (buffer, 0, unit->data, unit->size);
  if (self->parameter_sets)
    buffer =
        gst_buffer_append (g_steal_pointer (&self->parameter_sets), buffer);
  GST_BUFFER_PTS (buffer) = unit->pts;
  GST_BUFFER_DTS (buffer) = self->in_dts;
  self->in_dts = GST_CLOCK_TIME_NONE;
  if (!key)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  if (unit->marker)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_MARKER);
  if (self->lost)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  self->lost = FALSE;
  self->flow = gst_pad_push (self->src, buffer);
}

/* After a pause the first packet of the key frame is easily lost, and nothing
 * else requests another one. */
static void
note_discontinuity (GstRtcH264Depay *self)
{
  self->lost = TRUE;
  rtc_h264_depay_note_loss (&self->depay);
  gst_pad_push_event (self->sink,
      gst_video_event_new_upstream_force_key_unit (
          GST_CLOCK_TIME_NONE, TRUE, 0));
}

/* Returns FALSE for a packet that has been there, or that comes too late. */
static gboolean
follow (GstRtcH264Depay *self, guint16 seq, guint32 ssrc, gboolean discont)
{
  gint16 ahead = 0;

  if (self->has_next_seq && ssrc != self->ssrc)
    discont = TRUE;
  else if (self->has_next_seq && !discont)
    ahead = (gint16)(seq - self->next_seq);
  if (ahead < 0 && ahead > -MAX_REORDER)
    return FALSE;
  if (ahead != 0 || discont)
    note_discontinuity (self);
  self->has_next_seq = TRUE;
  self->next_seq = (guint16)(seq + 1);
  self->ssrc = ssrc;
  return TRUE;
}

static void
depayload (GstRtcH264Depay *self, GstBuffer *buffer, GstRTPBuffer *rtp)
{
  guint16 seq = gst_rtp_buffer_get_seq (rtp);
  guint size = gst_rtp_buffer_get_payload_len (rtp);

  self->in_dts = GST_BUFFER_DTS (buffer);
  if (!follow (self, seq, gst_rtp_buffer_get_ssrc (rtp),
          GST_BUFFER_IS_DISCONT (buffer)) ||
      size == 0 ||
      rtc_h264_depay_packet (&self->depay, gst_rtp_buffer_get_payload (rtp),
          size, seq, gst_rtp_buffer_get_marker (rtp), GST_BUFFER_PTS (buffer)))
    return;
  __atomic_fetch_add (self->malformed, 1, __ATOMIC_RELAXED);
  note_discontinuity (self);
}

static GstFlowReturn
sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstRtcH264Depay *self = GST_RTC_H264_DEPAY (parent);
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;

  self->flow = GST_FLOW_OK;
  if (gst_rtp_buffer_map (buffer, GST_MAP_READ, &rtp)) {
    depayload (self, buffer, &rtp);
    gst_rtp_buffer_unmap (&rtp);
  }
  gst_buffer_unref (buffer);
  return self->flow;
}

static GstFlowReturn
sink_chain_list (GstPad *pad, GstObject *parent, GstBufferList *list)
{
  return rtc_flow_chain_each (pad, parent, list, sink_chain);
}

/* --- events --- */

/* RFC 6184 section 8.1: sprop-parameter-sets, base64, separated by commas. */
static GstBuffer *
parse_parameter_sets (const GstStructure *caps)
{
  static const guint8 start_code[] = { 0, 0, 0, 1 };
  const gchar *text = gst_structure_get_string (caps, "sprop-parameter-sets");
  gchar **sets = text ? g_strsplit (text, ",", 0) : NULL;
  GByteArray *bytes = g_byte_array_new ();
  GstBuffer *buffer = NULL;

  for (guint i = 0; sets && sets[i]; i++) {
    gsize size = 0;
    guint8 *set = *sets[i] ? g_base64_decode (sets[i], &size) : NULL;

    if (size > 0) {
      g_byte_array_append (bytes, start_code, sizeof (start_code));
      g_byte_array_append (bytes, set, (guint)size);
    }
    g_free (set);
  }
  g_strfreev (sets);
  if (bytes->len > 0)
    buffer = gst_buffer_new_memdup (bytes->data, bytes->len);
  g_byte_array_unref (bytes);
  return buffer;
}

static gboolean
set_caps (GstRtcH264Depay *self, GstEvent *event)
{
  GstCaps *caps, *old = gst_pad_get_current_caps (self->src);
  GstBuffer *sets;
  gboolean ok = TRUE;

  gst_event_parse_caps (event, &caps);
  sets = parse_parameter_sets (gst_caps_get_structure (caps, 0));
  if (sets)
    gst_clear_buffer (&self->parameter_sets);
  if (sets)
    self->parameter_sets = sets;
  caps = gst_caps_from_string (self->caps);
  if (!old || !gst_caps_is_equal (old, caps))
    ok = gst_pad_push_event (self->src, gst_event_new_caps (caps));
  gst_caps_unref (caps);
  gst_clear_caps (&old);
  gst_event_unref (event);
  return ok;
}

static gboolean
sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstRtcH264Depay *self = GST_RTC_H264_DEPAY (parent);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      return set_caps (self, event);
    case GST_EVENT_FLUSH_STOP:
      rtc_h264_depay_reset (&self->depay);
      self->has_next_seq = FALSE;
      break;
    case GST_EVENT_EOS:
      rtc_h264_depay_drain (&self->depay);
      break;
    default:
      break;
  }
  return gst_pad_event_default (pad, parent, event);
}

/* --- element --- */

GstElement *
gst_rtc_h264_depay_new (const gchar *caps, guint64 *malformed)
{
  GstRtcH264Depay *self = g_object_new (GST_TYPE_RTC_H264_DEPAY, NULL);

  self->caps = g_intern_string (caps);
  self->malformed = malformed;
  return GST_ELEMENT (self);
}

static GstStateChangeReturn
change_state (GstElement *element, GstStateChange transition)
{
  GstRtcH264Depay *self = GST_RTC_H264_DEPAY (element);
  GstStateChangeReturn ret = GST_ELEMENT_CLASS (gst_rtc_h264_depay_parent_class)
                                 ->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    rtc_h264_depay_reset (&self->depay);
    gst_clear_buffer (&self->parameter_sets);
    self->has_next_seq = self->lost = FALSE;
  }
  return ret;
}

static void
finalize (GObject *object)
{
  GstRtcH264Depay *self = GST_RTC_H264_DEPAY (object);

  gst_clear_buffer (&self->parameter_sets);
  rtc_h264_depay_clear (&self->depay);
  G_OBJECT_CLASS (gst_rtc_h264_depay_parent_class)->finalize (object);
}

static void
gst_rtc_h264_depay_class_init (GstRtcH264DepayClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = finalize;
  element_class->change_state = change_state;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "RTP H.264 depayloader",
      "Codec/Depayloader/Network/RTP",
      "Makes access units of RTP packets (RFC 6184)", "gst-tsrec");
}

static void
gst_rtc_h264_depay_init (GstRtcH264Depay *self)
{
  rtc_h264_depay_init (&self->depay, push_unit, self);
  self->in_dts = GST_CLOCK_TIME_NONE;
  self->sink = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sink, sink_chain);
  gst_pad_set_chain_list_function (self->sink, sink_chain_list);
  gst_pad_set_event_function (self->sink, sink_event);
  gst_element_add_pad (GST_ELEMENT (self), self->sink);
  self->src = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_use_fixed_caps (self->src);
  gst_element_add_pad (GST_ELEMENT (self), self->src);
}
