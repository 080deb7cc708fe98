/* gst-tsrec: keeps access units that cannot be decoded out of the recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrtcpicturefilter.h"

#include "recevent.h"
#include "rtcflow.h"
#include "rtckeywatch.h"
#include "rtclossgate.h"
#include "rtcpacketfilter.h"
#include "rtcshortcut.h"

#include <gst/video/video.h>

/**
 * GstRtcPictureFilter:
 * @sink: ghost pad of the capsfilter
 * @src: ghost pad of the last element
 * @to_parser: internal pad of @sink: events pushed on it pass the parser
 * @gated: pictures are dropped while @gate is closed
 * @undecodable: PTS of the first packet since the last picture that left
 * @undecodable_journalled: the gap that began there is journalled
 * @last_start: PTS at which the last "gap-start" of a loss was journalled
 * @gap_journalled: the beginning of the gap is journalled; the gate is closed
 * @discont: a buffer with this flag was dropped after the parser
 *
 * Streaming thread only, after the element was made.
 */
struct _GstRtcPictureFilter
{
  GstBin parent;

  GstPad *sink;
  GstPad *src;
  GstPad *to_parser;
  const RtcSdpCodec *codec;
  gboolean has_parser;
  gboolean gated;
  guint64 *held_back;
  guint64 *malformed;

  RtcLossGate gate;
  RtcKeyWatch key_watch;
  GstClockTime undecodable;
  gboolean undecodable_journalled;
  GstClockTime last_start;
  gboolean gap_journalled;
  gboolean discont;
  RtcShortcut shortcut;
};

G_DEFINE_TYPE (GstRtcPictureFilter, gst_rtc_picture_filter, GST_TYPE_BIN)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static gboolean
is_video (GstRtcPictureFilter *self)
{
  return g_str_equal (self->codec->media, "video");
}

/* The session passes on as many requests as keyframe-interval-min allows. */
static void
request_keyframe (GstRtcPictureFilter *self)
{
  gst_pad_push_event (self->sink,
      gst_video_event_new_upstream_force_key_unit (
          GST_CLOCK_TIME_NONE, TRUE, 0));
}

/* --- journal --- */

/* Journals the beginning of a gap at once. The event does not pass the
 * parser, which would keep it until the next picture. The end of the gap is
 * journalled as "gap", with the same fields. */
static void
journal_gap_start (
    GstRtcPictureFilter *self, const gchar *cause, GstClockTime from)
{
  gst_pad_push_event (self->src,
      rec_event_new_journal (gst_structure_new ("gap-start", "track",
          G_TYPE_STRING, "video", "cause", G_TYPE_STRING, cause, "running-time",
          G_TYPE_UINT64, from, NULL)));
}

/* Journals the beginning of a gap, at most once per second. The gap may never
 * end. */
static void
journal_held_back (GstRtcPictureFilter *self, GstClockTime pts)
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

/* Events on their way through the parser leave it with the next access unit. */
static void
push_to_parser (GstRtcPictureFilter *self, GstEvent *event)
{
  self->shortcut.kind = 0;
  gst_pad_push_event (self->to_parser, event);
}

/* Journals a gap of lost pictures. The event passes the parser, in front of the
 * picture @buffer that ends the gap. */
static void
journal_loss (GstRtcPictureFilter *self, GstBuffer *buffer, guint64 pictures,
    GstClockTime closed_at)
{
  GstClockTime duration = GST_CLOCK_TIME_NONE;

  if (GST_CLOCK_TIME_IS_VALID (closed_at) && GST_BUFFER_PTS_IS_VALID (buffer) &&
      GST_BUFFER_PTS (buffer) > closed_at)
    duration = GST_BUFFER_PTS (buffer) - closed_at;
  push_to_parser (self,
      rec_event_new_journal (gst_structure_new ("gap", "track", G_TYPE_STRING,
          "video", "cause", G_TYPE_STRING, "packet-loss", "pictures",
          G_TYPE_UINT64, pictures, "running-time", G_TYPE_UINT64, closed_at,
          "duration", G_TYPE_UINT64, duration, NULL)));
}

static void
journal_undecodable (GstRtcPictureFilter *self, GstBuffer *buffer)
{
  gst_pad_push_event (self->src,
      rec_event_new_journal (gst_structure_new ("gap", "track", G_TYPE_STRING,
          "video", "cause", G_TYPE_STRING, "no-key-frame", "running-time",
          G_TYPE_UINT64, self->undecodable, "duration", G_TYPE_UINT64,
          GST_BUFFER_PTS (buffer) > self->undecodable
              ? GST_BUFFER_PTS (buffer) - self->undecodable
              : 0,
          NULL)));
}

/* --- packets that enter the depayloader --- */

/* Posts in the name of the source, which is the bin around this one. */
static void
warn_undecodable (GstRtcPictureFilter *self)
{
  GstObject *source = gst_object_get_parent (GST_OBJECT (self));

  if (!source)
    return;
  GST_ELEMENT_WARNING (source, STREAM, DECODE,
      ("Video arrives, but no picture of it can be decoded: its key frame or "
       "its parameter sets are missing. The sender is asked for a key frame "
       "until it sends one; nothing of the video is recorded before."),
      ("%u requests in %u s", self->key_watch.requests,
          (guint)(RTC_KEY_WATCH_WARN / G_USEC_PER_SEC)));
  gst_object_unref (source);
}

void
gst_rtc_picture_filter_restart (GstRtcPictureFilter *self)
{
  rtc_loss_gate_restart (&self->gate);
}

/* A gap that the gate makes is journalled by the gate. */
void
gst_rtc_picture_filter_watch_packet (
    GstRtcPictureFilter *self, guint32 rtp_time, GstClockTime pts)
{
  gboolean first = self->key_watch.since == 0;
  RtcKeyWatchVerdict verdict;

  if (!is_video (self))
    return;
  verdict = rtc_key_watch_packet (
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

void
gst_rtc_picture_filter_note_packet (GstRtcPictureFilter *self, guint16 seq,
    guint32 rtp_time, gboolean marker, gboolean empty, GstClockTime pts)
{
  if (self->gated)
    rtc_loss_gate_packet (&self->gate, seq, rtp_time, marker, empty, pts);
}

void
gst_rtc_picture_filter_push_loss (GstRtcPictureFilter *self, GstClockTime pts)
{
  GstEvent *segment =
      gst_pad_get_sticky_event (self->sink, GST_EVENT_SEGMENT, 0);

  /* Nothing is lost before the stream has begun. */
  if (segment && GST_CLOCK_TIME_IS_VALID (pts))
    push_to_parser (self, gst_event_new_gap (pts, 0));
  gst_clear_event (&segment);
}

/* --- access units of the depayloader --- */

/* Resets the parser: data that it has kept would make it fail again. The
 * flush does not leave this element. */
static void
reset_parser (GstRtcPictureFilter *self)
{
  GstEvent *segment =
      gst_pad_get_sticky_event (self->sink, GST_EVENT_SEGMENT, 0);

  push_to_parser (self, gst_event_new_flush_start ());
  push_to_parser (self, gst_event_new_flush_stop (FALSE));
  if (segment)
    push_to_parser (self, segment);
}

/* Counts an access unit that is not valid, which costs what a lost packet
 * costs. */
static void
note_malformed (GstRtcPictureFilter *self)
{
  __atomic_fetch_add (self->malformed, 1, __ATOMIC_RELAXED);
  rtc_loss_gate_close (&self->gate);
  request_keyframe (self);
}

/* Returns the access unit without subset sequence parameter sets, which
 * h264parse does not survive, or NULL if it has nothing else. Consumes
 * @buffer. */
static GstBuffer *
strip_subset_sps (GstBuffer *buffer)
{
  GstBuffer *stripped;
  GstMapInfo map;
  guint8 *data;
  gsize size;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return buffer;
  data = g_malloc (map.size);
  size = rtc_packet_filter_strip_subset_sps (map.data, map.size, data);
  gst_buffer_unmap (buffer, &map);
  if (size == 0) {
    g_free (data);
    gst_buffer_unref (buffer);
    return NULL;
  }
  stripped = gst_buffer_new_wrapped (data, size);
  gst_buffer_copy_into (stripped, buffer, GST_BUFFER_COPY_METADATA, 0, -1);
  gst_buffer_unref (buffer);
  return stripped;
}

/**
 * Unit: properties of an access unit
 * @valid: the parser accepts it
 * @has_subset_sps: see strip_subset_sps()
 * @plain: see rtc_shortcut_get_kind()
 * @kind: see rtc_loss_gate_parse_unit()
 */
typedef struct
{
  gboolean valid;
  gboolean has_subset_sps;
  guint plain;
  RtcPictureKind kind;
} Unit;

static void
parse_unit (GstRtcPictureFilter *self, GstBuffer *buffer, Unit *unit)
{
  const gchar *codec = self->codec->name;
  GstMapInfo map;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    unit->valid = FALSE;
    return;
  }
  unit->plain = rtc_shortcut_get_kind (codec, map.data, map.size);
  if (unit->plain) {
    unit->valid = TRUE;
    unit->kind = RTC_PICTURE_DEPENDENT;
    gst_buffer_unmap (buffer, &map);
    return;
  }
  unit->valid = rtc_packet_filter_check_unit (codec, map.data, map.size);
  unit->has_subset_sps = g_str_equal (codec, "H264") &&
      rtc_packet_filter_has_subset_sps (map.data, map.size);
  unit->kind = rtc_loss_gate_parse_unit (codec, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  if (!self->codec->parser &&
      GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT))
    unit->kind = RTC_PICTURE_DEPENDENT;
}

/* A picture leaves the element. */
static void
note_picture (GstRtcPictureFilter *self, GstBuffer *buffer)
{
  rtc_key_watch_picture (&self->key_watch);
  if (!self->undecodable_journalled)
    return;
  self->undecodable_journalled = FALSE;
  journal_undecodable (self, buffer);
}

/* Returns FALSE if the gate holds the picture back. */
static gboolean
passes_gate (GstRtcPictureFilter *self, GstBuffer *buffer, RtcPictureKind kind)
{
  guint64 held_back = 0;
  GstClockTime closed_at = GST_CLOCK_TIME_NONE;

  switch (rtc_loss_gate_unit (
      &self->gate, GST_BUFFER_PTS (buffer), kind, &held_back, &closed_at)) {
    case RTC_LOSS_GATE_PASS:
      return TRUE;
    case RTC_LOSS_GATE_OPEN:
      if (held_back > 0)
        journal_loss (self, buffer, held_back, closed_at);
      self->gap_journalled = FALSE;
      return TRUE;
    default:
      break;
  }
  __atomic_fetch_add (self->held_back, 1, __ATOMIC_RELAXED);
  journal_held_back (self, GST_BUFFER_PTS (buffer));
  request_keyframe (self);
  return FALSE;
}

/* Returns the access unit to pass to the parser, or NULL, and sets *@plain.
 * Consumes @buffer. */
static GstBuffer *
filter_video (GstRtcPictureFilter *self, GstBuffer *buffer, guint *plain)
{
  Unit unit = { 0 };

  parse_unit (self, buffer, &unit);
  *plain = unit.plain;
  if (!unit.valid) {
    note_malformed (self);
    gst_buffer_unref (buffer);
    return NULL;
  }
  if (unit.has_subset_sps && !(buffer = strip_subset_sps (buffer)))
    return NULL;
  /* Parameter sets alone: the parser keeps them for the key frame after
   * them. Both have the same time, and the parser would not give it to both. */
  if (self->has_parser && unit.kind == RTC_PICTURE_NONE) {
    buffer = gst_buffer_make_writable (buffer);
    GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
    return buffer;
  }
  if (self->gated && !passes_gate (self, buffer, unit.kind)) {
    gst_buffer_unref (buffer);
    return NULL;
  }
  if (!self->has_parser)
    note_picture (self, buffer);
  return buffer;
}

static guint
get_audio_kind (GstRtcPictureFilter *self, GstBuffer *buffer)
{
  GstMapInfo map;
  guint kind;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return 0;
  kind = rtc_shortcut_get_kind (self->codec->name, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  return kind;
}

static GstFlowReturn
go_around (GstRtcPictureFilter *self, GstBuffer *buffer)
{
  buffer = rtc_shortcut_apply (&self->shortcut, buffer);
  if (is_video (self))
    note_picture (self, buffer);
  return gst_pad_push (self->src, buffer);
}

/* The parsers of GStreamer end the stream with GST_FLOW_ERROR at data that
 * they do not understand. Here it costs one access unit. */
static GstFlowReturn
sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstRtcPictureFilter *self = GST_RTC_PICTURE_FILTER (parent);
  guint plain = 0;
  GstFlowReturn ret;

  if (is_video (self) && !(buffer = filter_video (self, buffer, &plain)))
    return GST_FLOW_OK;
  if (self->has_parser && !is_video (self))
    plain = get_audio_kind (self, buffer);
  if (!self->discont && rtc_shortcut_is_open (&self->shortcut, buffer, plain))
    return go_around (self, buffer);
  rtc_shortcut_note_input (&self->shortcut, buffer, plain);
  ret = gst_proxy_pad_chain_default (pad, parent, buffer);
  self->shortcut.input_kind = 0;
  if (ret != GST_FLOW_ERROR || !self->has_parser)
    return ret;
  note_malformed (self);
  reset_parser (self);
  return GST_FLOW_OK;
}

/* What is not forwarded at once waits in the parser for an access unit. */
static gboolean
sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  if (GST_EVENT_IS_SERIALIZED (event))
    GST_RTC_PICTURE_FILTER (parent)->shortcut.kind = 0;
  return gst_pad_event_default (pad, parent, event);
}

static GstFlowReturn
sink_chain_list (GstPad *pad, GstObject *parent, GstBufferList *list)
{
  return rtc_flow_chain_each (pad, parent, list, sink_chain);
}

/* --- access units of the parser --- */

static gboolean
has_picture (GstRtcPictureFilter *self, GstBuffer *buffer)
{
  RtcPictureKind kind;
  GstMapInfo map;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return TRUE;
  kind = rtc_loss_gate_parse_unit (self->codec->name, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  return kind != RTC_PICTURE_NONE;
}

/* The parser puts parameter sets in front of every key frame: those that it
 * pushes alone are dropped, and nothing is lost. */
static GstFlowReturn
parsed_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstRtcPictureFilter *self = gst_pad_get_element_private (pad);

  rtc_shortcut_note_output (&self->shortcut, buffer);
  if (!is_video (self))
    return gst_proxy_pad_chain_default (pad, parent, buffer);
  if (!has_picture (self, buffer)) {
    self->discont |= GST_BUFFER_IS_DISCONT (buffer);
    gst_buffer_unref (buffer);
    return GST_FLOW_OK;
  }
  note_picture (self, buffer);
  if (self->discont) {
    self->discont = FALSE;
    buffer = gst_buffer_make_writable (buffer);
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  }
  return gst_proxy_pad_chain_default (pad, parent, buffer);
}

static GstFlowReturn
parsed_chain_list (GstPad *pad, GstObject *parent, GstBufferList *list)
{
  return rtc_flow_chain_each (pad, parent, list, parsed_chain);
}

/* The parser measures only what goes through it. Consumes @event; NULL: there was
 * nothing else. */
static GstEvent *
remove_bitrates (GstEvent *event)
{
  GstTagList *tags;
  GstEvent *other;

  gst_event_parse_tag (event, &tags);
  tags = gst_tag_list_copy (tags);
  gst_tag_list_remove_tag (tags, GST_TAG_BITRATE);
  gst_tag_list_remove_tag (tags, GST_TAG_MINIMUM_BITRATE);
  gst_tag_list_remove_tag (tags, GST_TAG_MAXIMUM_BITRATE);
  if (gst_tag_list_is_empty (tags)) {
    gst_tag_list_unref (tags);
    gst_event_unref (event);
    return NULL;
  }
  other = gst_event_new_tag (tags);
  gst_event_set_seqnum (other, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return other;
}

static gboolean
parsed_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  /* The flush of reset_parser() ends here. */
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START ||
      GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP) {
    gst_event_unref (event);
    return TRUE;
  }
  if (GST_EVENT_TYPE (event) == GST_EVENT_TAG)
    event = remove_bitrates (event);
  return event ? gst_pad_event_default (pad, parent, event) : TRUE;
}

/* --- element --- */

static GstPad *
add_ghost_pad (GstRtcPictureFilter *self, GstElement *element,
    const gchar *name, GstPadTemplate *template)
{
  GstPad *target = gst_element_get_static_pad (element, name);
  GstPad *pad = gst_ghost_pad_new_from_template (name, target, template);

  gst_object_unref (target);
  gst_element_add_pad (GST_ELEMENT (self), pad);
  return pad;
}

static void
add_pads (GstRtcPictureFilter *self, GstElement *first, GstElement *last)
{
  GstElementClass *klass = GST_ELEMENT_GET_CLASS (self);
  GstPad *parsed;

  self->sink = add_ghost_pad (
      self, first, "sink", gst_element_class_get_pad_template (klass, "sink"));
  gst_pad_set_chain_function (self->sink, sink_chain);
  gst_pad_set_chain_list_function (self->sink, sink_chain_list);
  gst_pad_set_event_function (self->sink, sink_event);
  self->to_parser =
      GST_PAD (gst_proxy_pad_get_internal (GST_PROXY_PAD (self->sink)));
  self->src = add_ghost_pad (
      self, last, "src", gst_element_class_get_pad_template (klass, "src"));
  if (!self->has_parser)
    return;
  parsed = GST_PAD (gst_proxy_pad_get_internal (GST_PROXY_PAD (self->src)));
  gst_pad_set_element_private (parsed, self);
  gst_pad_set_chain_function (parsed, parsed_chain);
  gst_pad_set_chain_list_function (parsed, parsed_chain_list);
  gst_pad_set_event_function (parsed, parsed_event);
  gst_object_unref (parsed);
}

GstRtcPictureFilter *
gst_rtc_picture_filter_new (const RtcSdpCodec *codec, GstElement *capsfilter,
    GstElement *parser, gboolean gated, guint64 *held_back, guint64 *malformed)
{
  GstRtcPictureFilter *self = g_object_new (GST_TYPE_RTC_PICTURE_FILTER, NULL);

  self->codec = codec;
  self->has_parser = parser != NULL;
  self->gated = gated && is_video (self);
  self->held_back = held_back;
  self->malformed = malformed;
  gst_bin_add (GST_BIN (self), capsfilter);
  if (parser)
    gst_bin_add (GST_BIN (self), parser);
  if (parser && !gst_element_link (capsfilter, parser)) {
    gst_object_ref_sink (self);
    gst_object_unref (self);
    return NULL;
  }
  add_pads (self, capsfilter, parser ? parser : capsfilter);
  return self;
}

static void
gst_rtc_picture_filter_finalize (GObject *object)
{
  GstRtcPictureFilter *self = GST_RTC_PICTURE_FILTER (object);

  gst_clear_object (&self->to_parser);
  G_OBJECT_CLASS (gst_rtc_picture_filter_parent_class)->finalize (object);
}

static void
gst_rtc_picture_filter_class_init (GstRtcPictureFilterClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_rtc_picture_filter_finalize;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "RTC picture filter",
      "Filter/Parser", "Drops access units that cannot be decoded",
      "gst-tsrec");
}

static void
gst_rtc_picture_filter_init (GstRtcPictureFilter *self)
{
  rtc_loss_gate_init (&self->gate);
  rtc_key_watch_init (&self->key_watch);
  self->undecodable = self->last_start = GST_CLOCK_TIME_NONE;
}
