/* gst-tsrec: from RTP to access units, for one track of a session
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcdepaychain.h"
#include "rtclossgate.h"
#include "rtckeywatch.h"
#include "recevent.h"
#include "rtcstreamselect.h"
#include "rtcpacketfilter.h"
#include "rtcparamsets.h"
#include "rtcpeer.h"

#include <gst/rtp/rtp.h>
#include <gst/video/video.h>

struct _RtcDepayChain
{
  GstBin *bin;
  gpointer owner;
  RtcSdpTrack track;
  GstPad *out;
  RtcStreamSelect *select;
  GstElement *depay;
  GstElement *filter;
  GstElement *parse;
  gboolean freeze;
  GstPadChainFunction parse_chain;
  gboolean sliced; /* the codec has slices and parameter sets */
  /* streaming thread */
  RtcPacketFilter shield;
  RtcParamSets slices;
  RtcLossGate gate;
  RtcKeyWatch key_watch;
  GstClockTime
      undecodable; /* PTS of the first packet of it that is journalled */
  GstClockTime last_start; /* of a gap that was journalled when it began */
  gboolean gap_journalled; /* its beginning; the gate is closed */
  gboolean undecodable_journalled;
  gboolean discont; /* of what was dropped behind the parser */
  RtcDepayChainCounters *counters;
};

static void
set_if_there (GstElement *element, const gchar *property, gint value)
{
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), property))
    g_object_set (element, property, value, NULL);
}

static GstElement *
add (RtcDepayChain *self, const gchar *factory, GError **error)
{
  GstElement *element = rtc_peer_make (factory, error);

  if (!element)
    return NULL;
  /* An error of the parser does not end the session: see guarded_chain(). */
  if (factory != self->track.codec->parser)
    rtc_peer_set_owner (element, self->owner);
  gst_bin_add (self->bin, gst_object_ref (element));
  return element;
}

/* --- packets in front of the depayloader; on the streaming thread --- */

/* A copy with what is left of the payload, without padding. */
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

/* Takes repeated parameter sets out of *@buffer. */
static void
filter_slices (RtcDepayChain *self, GstBuffer **buffer)
{
  RtcParamSets before = self->slices;
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  gsize size, kept;

  if (!gst_rtp_buffer_map (*buffer, GST_MAP_READ, &rtp))
    return;
  size = gst_rtp_buffer_get_payload_len (&rtp);
  kept =
      rtc_param_sets_filter (&self->slices, gst_rtp_buffer_get_timestamp (&rtp),
          gst_rtp_buffer_get_payload (&rtp), size, NULL);
  gst_rtp_buffer_unmap (&rtp);
  if (kept < size) {
    GstBuffer *copy = copy_filtered (*buffer, &before, kept);

    gst_buffer_unref (*buffer);
    *buffer = copy;
  }
}

/* Another SSRC: nothing of it belongs to what was before. */
static void
begin_stream (RtcDepayChain *self)
{
  if (self->sliced)
    rtc_param_sets_init (&self->slices, self->slices.h265);
  rtc_loss_gate_restart (&self->gate);
}

/* The session lets through as many as keyframe-interval-min allows. */
static void
request_keyframe (RtcDepayChain *self)
{
  GstPad *sink = gst_element_get_static_pad (self->depay, "sink");

  gst_pad_push_event (sink,
      gst_video_event_new_upstream_force_key_unit (
          GST_CLOCK_TIME_NONE, TRUE, 0));
  gst_object_unref (sink);
}

/* A line of the journal, now. @pad: behind the parser, which would keep it
 * until the next picture leaves it. Where a gap that is only known to have
 * begun ends is told by another line, "gap", with the same fields. */
static void
journal_gap_start (RtcDepayChain *self, const gchar *cause, GstClockTime from)
{
  GstPad *pad = gst_element_get_static_pad (
      self->parse ? self->parse : self->filter, "src");

  gst_pad_push_event (pad,
      rec_event_new_journal (gst_structure_new ("gap-start", "track",
          G_TYPE_STRING, "video", "cause", G_TYPE_STRING, cause, "running-time",
          G_TYPE_UINT64, from, NULL)));
  gst_object_unref (pad);
}

static void
warn_undecodable (RtcDepayChain *self)
{
  GST_ELEMENT_WARNING (self->bin, STREAM, DECODE,
      ("Video arrives, but no picture of it can be decoded: its key frame or "
       "its parameter sets are missing. The sender is asked for a key frame "
       "until it sends one; nothing of the video is recorded before."),
      ("%u requests in %u s", self->key_watch.requests,
          (guint)(RTC_KEY_WATCH_WARN / G_USEC_PER_SEC)));
}

/* Where the gate holds pictures back, it journals that. */
static void
watch_packet (RtcDepayChain *self, guint32 rtp_time, GstClockTime pts)
{
  gboolean first = self->key_watch.since == 0;
  RtcKeyWatchVerdict verdict = rtc_key_watch_packet (
      &self->key_watch, rtp_time, g_get_monotonic_time ());

  if (first)
    self->undecodable = pts;
  if (verdict == RTC_KEY_WATCH_WAIT)
    return;
  request_keyframe (self);
  if (self->key_watch.requests == 1 && !self->gap_journalled) {
    self->undecodable_journalled = TRUE;
    journal_gap_start (self, "no-key-frame", self->undecodable);
  }
  if (verdict == RTC_KEY_WATCH_ASK_AND_WARN)
    warn_undecodable (self);
}

/* A picture leaves the chain. */
static void
note_picture (RtcDepayChain *self, GstPad *pad, GstBuffer *buffer)
{
  rtc_key_watch_picture (&self->key_watch);
  if (!self->undecodable_journalled)
    return;
  self->undecodable_journalled = FALSE;
  gst_pad_push_event (pad,
      rec_event_new_journal (gst_structure_new ("gap", "track", G_TYPE_STRING,
          "video", "cause", G_TYPE_STRING, "no-key-frame", "running-time",
          G_TYPE_UINT64, self->undecodable, "duration", G_TYPE_UINT64,
          GST_BUFFER_PTS (buffer) > self->undecodable
              ? GST_BUFFER_PTS (buffer) - self->undecodable
              : 0,
          NULL)));
}

/* For RtcTrack, in order with what the depayloader makes of the packets. */
static void
push_loss (RtcDepayChain *self, GstClockTime timestamp)
{
  GstPad *src = gst_element_get_static_pad (self->depay, "src");
  GstEvent *segment = gst_pad_get_sticky_event (src, GST_EVENT_SEGMENT, 0);

  /* Nothing has left the depayloader before it. */
  if (segment && GST_CLOCK_TIME_IS_VALID (timestamp))
    gst_pad_push_event (src, gst_event_new_gap (timestamp, 0));
  gst_clear_event (&segment);
  gst_object_unref (src);
}

/* What the depayloader gets of @buffer; @seq: the sequence number it sees. */
static RtcPacketFilterVerdict
judge_packet (RtcDepayChain *self, GstBuffer *buffer, guint16 *seq)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  RtcPacketFilterVerdict verdict;
  gboolean marker;

  if (!gst_rtp_buffer_map (buffer, GST_MAP_READ, &rtp))
    return RTC_PACKET_FILTER_MALFORMED;
  marker = gst_rtp_buffer_get_marker (&rtp);
  verdict = rtc_packet_filter_check (self->track.codec->name,
      gst_rtp_buffer_get_payload (&rtp), gst_rtp_buffer_get_payload_len (&rtp),
      marker);
  *seq = gst_rtp_buffer_get_seq (&rtp);
  /* A malformed packet leaves a gap, as if it had been lost. */
  if (verdict == RTC_PACKET_FILTER_PASS && rtc_depay_chain_is_video (self))
    watch_packet (
        self, gst_rtp_buffer_get_timestamp (&rtp), GST_BUFFER_PTS (buffer));
  if (self->freeze && verdict != RTC_PACKET_FILTER_MALFORMED)
    rtc_loss_gate_packet (&self->gate, *seq,
        gst_rtp_buffer_get_timestamp (&rtp), marker,
        verdict == RTC_PACKET_FILTER_EMPTY, GST_BUFFER_PTS (buffer));
  if (verdict != RTC_PACKET_FILTER_MALFORMED &&
      rtc_packet_filter_note (&self->shield, *seq))
    push_loss (self, GST_BUFFER_PTS (buffer));
  *seq = rtc_packet_filter_map (&self->shield, *seq);
  gst_rtp_buffer_unmap (&rtp);
  if (verdict == RTC_PACKET_FILTER_EMPTY)
    rtc_packet_filter_remove (&self->shield);
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

/* GstBufferListFunc: *@buffer becomes NULL when it is removed. */
static gboolean
take_packet (GstBuffer **buffer, guint idx, gpointer user_data)
{
  RtcDepayChain *self = user_data;
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  guint16 seq = 0;

  if (gst_rtp_buffer_map (*buffer, GST_MAP_READ, &rtp)) {
    if (rtc_packet_filter_begin (&self->shield, gst_rtp_buffer_get_ssrc (&rtp)))
      begin_stream (self);
    gst_rtp_buffer_unmap (&rtp);
  }
  if (self->sliced)
    filter_slices (self, buffer);
  switch (judge_packet (self, *buffer, &seq)) {
    case RTC_PACKET_FILTER_PASS:
      if (self->shield.removed != 0)
        *buffer = set_sequence_number (*buffer, seq);
      return TRUE;
    case RTC_PACKET_FILTER_MALFORMED:
      __atomic_fetch_add (&self->counters->malformed, 1, __ATOMIC_RELAXED);
      break;
    default:
      break;
  }
  gst_buffer_unref (*buffer);
  *buffer = NULL;
  return TRUE;
}

static GstPadProbeReturn
on_packet (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstBuffer *buffer;

  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    info->data =
        gst_buffer_list_make_writable (GST_PAD_PROBE_INFO_BUFFER_LIST (info));
    gst_buffer_list_foreach (info->data, take_packet, user_data);
    return gst_buffer_list_length (info->data) > 0 ? GST_PAD_PROBE_OK
                                                   : GST_PAD_PROBE_DROP;
  }
  buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  take_packet (&buffer, 0, user_data);
  info->data = buffer;
  /* HANDLED: it is unreferenced already. */
  return buffer ? GST_PAD_PROBE_OK : GST_PAD_PROBE_HANDLED;
}

/* A jitter buffer also takes the packet behind the last one for lost, when a
 * stream pauses or ends: losses are seen in the sequence numbers. */
static GstPadProbeReturn
on_sink_event (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  return gst_event_has_name (
             GST_PAD_PROBE_INFO_EVENT (info), "GstRTPPacketLost")
      ? GST_PAD_PROBE_DROP
      : GST_PAD_PROBE_OK;
}

static void
install_shield (RtcDepayChain *self)
{
  gboolean h264 = g_str_equal (self->track.codec->name, "H264");
  gboolean h265 = g_str_equal (self->track.codec->name, "H265");
  GstPad *sink = gst_element_get_static_pad (self->depay, "sink");

  rtc_packet_filter_init (&self->shield);
  self->sliced = h264 || h265;
  rtc_param_sets_init (&self->slices, h265);
  gst_pad_add_probe (sink,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_packet,
      self, NULL);
  gst_pad_add_probe (
      sink, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_sink_event, NULL, NULL);
  gst_object_unref (sink);
}

/* --- the gate; on the streaming thread --- */

/* What leaves an element on @pad; FALSE: it is dropped. */
typedef gboolean (*UnitFunc) (
    RtcDepayChain *self, GstPad *pad, GstBuffer **unit);

static gboolean
is_malformed (RtcDepayChain *self, GstBuffer *buffer)
{
  GstMapInfo map;
  gboolean valid;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return TRUE;
  valid = rtc_packet_filter_check_unit (
      self->track.codec->name, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  return !valid;
}

/* Returns the access unit *@unit, from now on without subset sequence
 * parameter sets, or NULL if it had nothing else. */
static GstBuffer *
strip_subset_sps (RtcDepayChain *self, GstBuffer **unit)
{
  GstBuffer *buffer = *unit, *stripped;
  GstMapInfo map;
  guint8 *data;
  gsize size;

  if (!g_str_equal (self->track.codec->name, "H264") ||
      !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return buffer;
  if (!rtc_packet_filter_has_subset_sps (map.data, map.size)) {
    gst_buffer_unmap (buffer, &map);
    return buffer;
  }
  data = g_malloc (map.size);
  size = rtc_packet_filter_strip_subset_sps (map.data, map.size, data);
  gst_buffer_unmap (buffer, &map);
  if (size == 0) {
    g_free (data);
    return NULL;
  }
  stripped = gst_buffer_new_wrapped (data, size);
  gst_buffer_copy_into (stripped, buffer, GST_BUFFER_COPY_METADATA, 0, -1);
  gst_buffer_unref (buffer);
  return *unit = stripped;
}

static gboolean
has_picture (RtcDepayChain *self, GstBuffer *buffer)
{
  GstMapInfo map;
  gboolean picture;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return TRUE;
  picture =
      rtc_loss_gate_has_picture (self->track.codec->name, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  return picture;
}

static gboolean
is_key (RtcDepayChain *self, GstBuffer *buffer)
{
  GstMapInfo map;
  gboolean key;

  if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT) ||
      !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return FALSE;
  key = rtc_loss_gate_is_key (self->track.codec->name, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  return key;
}

/* A line of the journal, in front of the picture that goes on. */
static void
journal_gap (
    GstPad *pad, GstBuffer *buffer, guint64 held_back, GstClockTime closed_at)
{
  GstClockTime duration = GST_CLOCK_TIME_NONE;

  if (GST_CLOCK_TIME_IS_VALID (closed_at) && GST_BUFFER_PTS_IS_VALID (buffer) &&
      GST_BUFFER_PTS (buffer) > closed_at)
    duration = GST_BUFFER_PTS (buffer) - closed_at;
  gst_pad_push_event (pad,
      rec_event_new_journal (gst_structure_new ("gap", "track", G_TYPE_STRING,
          "video", "cause", G_TYPE_STRING, "packet-loss", "pictures",
          G_TYPE_UINT64, held_back, "running-time", G_TYPE_UINT64, closed_at,
          "duration", G_TYPE_UINT64, duration, NULL)));
}

/* Parameter sets alone: the parser keeps them for the key frame behind them,
 * which has the same time; it would not give the time to both. */
static gboolean
pass_parameter_sets (GstBuffer **buffer)
{
  *buffer = gst_buffer_make_writable (*buffer);
  GST_BUFFER_PTS (*buffer) = GST_BUFFER_DTS (*buffer) = GST_CLOCK_TIME_NONE;
  return TRUE;
}

/* The beginning of a gap, one line a second at most. It may never end. */
static void
note_held_back (RtcDepayChain *self, GstClockTime pts)
{
  GstClockTime from = self->gate.closed_at;

  if (self->gap_journalled || !GST_CLOCK_TIME_IS_VALID (pts) ||
      !GST_CLOCK_TIME_IS_VALID (from))
    return;
  if (GST_CLOCK_TIME_IS_VALID (self->last_start) && pts >= self->last_start &&
      pts - self->last_start < GST_SECOND)
    return;
  self->gap_journalled = TRUE;
  self->last_start = pts;
  journal_gap_start (self, "packet-loss", from);
}

/* Whether it can be decoded is known behind the parser, where there is one. */
static gboolean
pass_picture (RtcDepayChain *self, GstPad *pad, GstBuffer *buffer)
{
  if (!self->parse)
    note_picture (self, pad, buffer);
  return TRUE;
}

/* UnitFunc */
static gboolean
take_unit (RtcDepayChain *self, GstPad *pad, GstBuffer **unit)
{
  GstBuffer *buffer = strip_subset_sps (self, unit);
  guint64 held_back = 0;
  GstClockTime closed_at = GST_CLOCK_TIME_NONE;

  if (!buffer)
    return FALSE;
  if (is_malformed (self, buffer)) {
    __atomic_fetch_add (&self->counters->malformed, 1, __ATOMIC_RELAXED);
    rtc_loss_gate_close (&self->gate);
    request_keyframe (self);
    return FALSE;
  }
  if (self->parse && !has_picture (self, buffer))
    return pass_parameter_sets (unit);
  if (!self->freeze)
    return pass_picture (self, pad, buffer);
  switch (rtc_loss_gate_unit (&self->gate, GST_BUFFER_PTS (buffer),
      is_key (self, buffer), &held_back, &closed_at)) {
    case RTC_LOSS_GATE_PASS:
      return pass_picture (self, pad, buffer);
    case RTC_LOSS_GATE_OPEN:
      if (held_back > 0)
        journal_gap (pad, buffer, held_back, closed_at);
      self->gap_journalled = FALSE;
      return pass_picture (self, pad, buffer);
    default:
      break;
  }
  __atomic_fetch_add (&self->counters->held_back, 1, __ATOMIC_RELAXED);
  note_held_back (self, GST_BUFFER_PTS (buffer));
  request_keyframe (self);
  return FALSE;
}

/* Behind the parser, which puts parameter sets in front of every key frame:
 * nothing is lost with those that came alone. */
static gboolean
take_parsed (RtcDepayChain *self, GstPad *pad, GstBuffer **unit)
{
  if (!has_picture (self, *unit)) {
    self->discont |= GST_BUFFER_IS_DISCONT (*unit);
    return FALSE;
  }
  note_picture (self, pad, *unit);
  if (self->discont) {
    self->discont = FALSE;
    *unit = gst_buffer_make_writable (*unit);
    GST_BUFFER_FLAG_SET (*unit, GST_BUFFER_FLAG_DISCONT);
  }
  return TRUE;
}

typedef struct
{
  RtcDepayChain *chain;
  GstPad *pad;
  UnitFunc take;
} ListedUnits;

/* GstBufferListFunc: *@buffer becomes NULL when it is removed. */
static gboolean
take_listed (GstBuffer **buffer, guint idx, gpointer user_data)
{
  ListedUnits *units = user_data;

  if (!units->take (units->chain, units->pad, buffer)) {
    gst_buffer_unref (*buffer);
    *buffer = NULL;
  }
  return TRUE;
}

static GstPadProbeReturn
for_each_unit (
    RtcDepayChain *self, GstPad *pad, GstPadProbeInfo *info, UnitFunc take)
{
  ListedUnits units = { self, pad, take };

  if (!(GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST))
    return take (self, pad, (GstBuffer **)&info->data) ? GST_PAD_PROBE_OK
                                                       : GST_PAD_PROBE_DROP;
  info->data =
      gst_buffer_list_make_writable (GST_PAD_PROBE_INFO_BUFFER_LIST (info));
  gst_buffer_list_foreach (info->data, take_listed, &units);
  return gst_buffer_list_length (info->data) > 0 ? GST_PAD_PROBE_OK
                                                 : GST_PAD_PROBE_DROP;
}

static GstPadProbeReturn
on_unit (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  return for_each_unit (user_data, pad, info, take_unit);
}

static GstPadProbeReturn
on_parsed (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  return for_each_unit (user_data, pad, info, take_parsed);
}

static void
add_probe (RtcDepayChain *self, GstElement *element, GstPadProbeCallback f)
{
  GstPad *pad = gst_element_get_static_pad (element, "src");

  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, f, self,
      NULL);
  gst_object_unref (pad);
}

static void
install_gate (RtcDepayChain *self, gboolean freeze)
{
  self->freeze = freeze;
  rtc_loss_gate_init (&self->gate);
  rtc_key_watch_init (&self->key_watch);
  self->undecodable = self->last_start = GST_CLOCK_TIME_NONE;
  add_probe (self, self->depay, on_unit);
  if (self->parse)
    add_probe (self, self->parse, on_parsed);
}

/* --- the parser's errors; on the streaming thread --- */

/* What the parser has kept of the data would make it fail again. */
static void
reset_parser (RtcDepayChain *self, GstPad *sink)
{
  GstEvent *segment = gst_pad_get_sticky_event (sink, GST_EVENT_SEGMENT, 0);

  gst_pad_send_event (sink, gst_event_new_flush_start ());
  gst_pad_send_event (sink, gst_event_new_flush_stop (FALSE));
  if (segment)
    gst_pad_send_event (sink, segment);
}

/* The parsers of GStreamer end the stream at data they do not understand. Here
 * it costs the picture, like a lost packet. */
static GstFlowReturn
guarded_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  RtcDepayChain *self = pad->chaindata;
  GstFlowReturn ret = self->parse_chain (pad, parent, buffer);

  if (ret != GST_FLOW_ERROR)
    return ret;
  __atomic_fetch_add (&self->counters->malformed, 1, __ATOMIC_RELAXED);
  reset_parser (self, pad);
  rtc_loss_gate_close (&self->gate);
  request_keyframe (self);
  return GST_FLOW_OK;
}

/* The flush is between us and the parser. */
static GstPadProbeReturn
drop_flush (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  return GST_PAD_PROBE_DROP;
}

static void
install_guard (RtcDepayChain *self)
{
  GstPad *sink = gst_element_get_static_pad (self->parse, "sink");
  GstPad *src = gst_element_get_static_pad (self->parse, "src");

  self->parse_chain = GST_PAD_CHAINFUNC (sink);
  gst_pad_set_chain_function_full (sink, guarded_chain, self, NULL);
  gst_pad_add_probe (
      src, GST_PAD_PROBE_TYPE_EVENT_FLUSH, drop_flush, NULL, NULL);
  gst_object_unref (src);
  gst_object_unref (sink);
}

/* --- elements --- */

static gboolean
add_elements (RtcDepayChain *self, gboolean freeze, GError **error)
{
  const RtcSdpCodec *codec = self->track.codec;
  GstCaps *caps;

  self->select = rtc_stream_select_new (codec->name, &self->counters->ignored);
  gst_bin_add (self->bin, gst_object_ref (self->select));
  if (!(self->depay = add (self, codec->depayloader, error)) ||
      !(self->filter = add (self, "capsfilter", error)) ||
      (codec->parser && !(self->parse = add (self, codec->parser, error))))
    return FALSE;
  if (rtc_depay_chain_is_video (self)) {
    /* After a pause the first packet of the key frame is easily lost, and
     * nobody else asks for another. */
    set_if_there (self->depay, "request-keyframe", TRUE);
    install_gate (self, freeze);
  }
  install_shield (self);
  if (self->parse)
    install_guard (self);
  caps = gst_caps_from_string (codec->caps);
  g_object_set (self->filter, "caps", caps, NULL);
  gst_caps_unref (caps);
  /* Parameter sets in front of every key frame: one can begin there. */
  if (self->parse)
    set_if_there (self->parse, "config-interval", -1);
  return TRUE;
}

static gboolean
link_elements (RtcDepayChain *self)
{
  GstElement *last = self->parse ? self->parse : self->filter;
  GstPad *src = gst_element_get_static_pad (last, "src");
  gboolean ok = gst_element_link (GST_ELEMENT (self->select), self->depay) &&
      gst_element_link (self->depay, self->filter) &&
      (!self->parse || gst_element_link (self->filter, self->parse)) &&
      gst_pad_link (src, self->out) == GST_PAD_LINK_OK;

  gst_object_unref (src);
  if (!ok)
    return FALSE;
  if (self->parse)
    gst_element_sync_state_with_parent (self->parse);
  gst_element_sync_state_with_parent (self->filter);
  gst_element_sync_state_with_parent (self->depay);
  gst_element_sync_state_with_parent (GST_ELEMENT (self->select));
  return TRUE;
}

RtcDepayChain *
rtc_depay_chain_new (GstBin *bin, gpointer owner, const RtcSdpTrack *track,
    GstPad *out, gboolean freeze, RtcDepayChainCounters *counters,
    GError **error)
{
  RtcDepayChain *self = g_new0 (RtcDepayChain, 1);

  self->bin = bin;
  self->owner = owner;
  self->track = *track;
  self->counters = counters;
  self->out = gst_object_ref (out);
  if (!add_elements (self, freeze, error))
    goto failed;
  if (!link_elements (self))
    goto not_linked;
  return self;

  /* ERRORS */
not_linked:
  g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
      "Could not link the elements for %s.", track->codec->name);
failed:
  rtc_depay_chain_free (self);
  return NULL;
}

static void
drop (RtcDepayChain *self, GstElement *element)
{
  if (!element)
    return;
  gst_element_set_locked_state (element, TRUE);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_bin_remove (self->bin, element);
  gst_object_unref (element);
}

void
rtc_depay_chain_free (RtcDepayChain *self)
{
  GstPad *peer;

  if (!self)
    return;
  peer = gst_pad_get_peer (self->out);
  if (peer) {
    gst_pad_unlink (peer, self->out);
    gst_object_unref (peer);
  }
  drop (self, (GstElement *)self->select);
  drop (self, self->depay);
  drop (self, self->filter);
  drop (self, self->parse);
  gst_object_unref (self->out);
  g_free (self);
}

const RtcSdpTrack *
rtc_depay_chain_get_track (RtcDepayChain *self)
{
  return &self->track;
}

gboolean
rtc_depay_chain_is_video (RtcDepayChain *self)
{
  return g_str_equal (self->track.codec->media, "video");
}

GstPad *
rtc_depay_chain_add_stream (RtcDepayChain *self, guint rank)
{
  return rtc_stream_select_add_stream (self->select, rank);
}

gboolean
rtc_depay_chain_is_recorded (RtcDepayChain *self, GstPad *pad)
{
  return rtc_stream_select_is_chosen (self->select, pad);
}

void
rtc_depay_chain_set_rank (RtcDepayChain *self, GstPad *pad, guint rank)
{
  rtc_stream_select_set_rank (self->select, pad, rank);
}

void
rtc_depay_chain_remove_stream (RtcDepayChain *self, GstPad *pad)
{
  rtc_stream_select_remove_stream (self->select, pad);
}

GstPad *
rtc_depay_chain_get_event_pad (RtcDepayChain *self)
{
  return gst_element_get_static_pad (GST_ELEMENT (self->select), "src");
}

static gboolean
has_factory (const gchar *name)
{
  GstElementFactory *factory = gst_element_factory_find (name);

  if (!factory)
    return FALSE;
  gst_object_unref (factory);
  return TRUE;
}

static const gchar *
find_missing (const RtcSdpCodec *codec)
{
  if (!has_factory (codec->depayloader))
    return codec->depayloader;
  return codec->parser && !has_factory (codec->parser) ? codec->parser : NULL;
}

void
rtc_depay_chain_keep_available (const RtcSdpCodec **codecs, GString *missing)
{
  const gchar *element;
  guint i, n = 0;

  for (i = 0; codecs[i]; i++) {
    if (!(element = find_missing (codecs[i])))
      codecs[n++] = codecs[i];
    else
      g_string_append_printf (missing, "%s%s (%s)", missing->len ? ", " : "",
          codecs[i]->name, element);
  }
  codecs[n] = NULL;
}
