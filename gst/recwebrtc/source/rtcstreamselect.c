/* gst-tsrec: one of the RTP streams that a peer sends for a track
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcstreamselect.h"
#include "rtckeystart.h"

#include <gst/rtp/rtp.h>
#include <gst/video/video.h>

GST_DEBUG_CATEGORY_STATIC (rtc_stream_select_debug);
#define GST_CAT_DEFAULT rtc_stream_select_debug

/* Of a stream that may take over, for RTC_STREAM_SELECT_SILENCE. */
#define MAX_HELD_BYTES (4 * 1024 * 1024)
#define MAX_HELD_PACKETS 4096
#define SILENCE_US ((gint64)(RTC_STREAM_SELECT_SILENCE / GST_USECOND))

/**
 * Stream:
 * @pad: its sink pad, on which this is the private data
 * @rank: see rtc_stream_select_add_stream(); atomic
 * @since: time of its first packet after the last one of the chosen stream, µs;
 *   0: none yet
 * @last: time of its last packet since then
 * @paused: it has paused since then; @since is the end of the pause
 * @asked: for a key frame, since then
 * @held: its packets since then, from a key frame on
 * @held_bytes: their size
 *
 * All but @pad and @rank under the stream lock of the source pad.
 */
typedef struct
{
  GstPad *pad;
  guint rank;
  gint64 since;
  gint64 last;
  gboolean paused;
  gboolean asked;
  GQueue held;
  gsize held_bytes;
} Stream;

struct _RtcStreamSelect
{
  GstElement parent;

  GstPad *src;
  const gchar *codec;
  guint64 *ignored;
  gint64 (*time_func) (void);
  guint n_streams; /* for names of pads; atomic */

  /* Written under the stream lock of the source pad and the object lock. */
  GList *streams;
  Stream *chosen;
};

/* The type is registered under the name that dot graphs and logs know. */
typedef RtcStreamSelect RecSelect;
typedef RtcStreamSelectClass RecSelectClass;

G_DEFINE_TYPE (RecSelect, rtc_stream_select, GST_TYPE_ELEMENT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink_%u", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

/* --- streams that are not chosen; under the stream lock of the src pad --- */

static void
count_ignored (RtcStreamSelect *self, guint packets)
{
  __atomic_fetch_add (self->ignored, packets, __ATOMIC_RELAXED);
}

static void
forget_time (Stream *stream)
{
  stream->since = 0;
  stream->paused = stream->asked = FALSE;
}

/* Returns how long the stream has flowed. When everything has paused, the
 * first to go on is not the only one that flows. */
static gint64
note_time (Stream *stream, gint64 now)
{
  if (stream->since == 0) {
    stream->since = now;
  } else if (!stream->paused && now - stream->last >= SILENCE_US) {
    stream->paused = TRUE;
    stream->since = now;
  }
  stream->last = now;
  return now - stream->since;
}

static void
drop_held (RtcStreamSelect *self, Stream *stream)
{
  count_ignored (self, g_queue_get_length (&stream->held));
  g_queue_clear_full (&stream->held, (GDestroyNotify)gst_buffer_unref);
  stream->held_bytes = 0;
}

/* The chosen stream flows: the others, all but @keep, have to wait. */
static void
forget_others (RtcStreamSelect *self, Stream *keep)
{
  GList *l;

  for (l = self->streams; l; l = l->next) {
    Stream *stream = l->data;

    if (stream->since == 0 || stream == keep)
      continue;
    forget_time (stream);
    drop_held (self, stream);
  }
}

static void
hold (RtcStreamSelect *self, Stream *stream, GstBuffer *buffer, gboolean key)
{
  if (!key && g_queue_is_empty (&stream->held)) {
    count_ignored (self, 1);
    gst_buffer_unref (buffer);
    return;
  }
  g_queue_push_tail (&stream->held, buffer);
  stream->held_bytes += gst_buffer_get_size (buffer);
  if (stream->held_bytes > MAX_HELD_BYTES ||
      g_queue_get_length (&stream->held) > MAX_HELD_PACKETS)
    drop_held (self, stream);
}

static void
request_keyframe (Stream *stream)
{
  stream->asked = TRUE;
  gst_pad_push_event (stream->pad,
      gst_video_event_new_upstream_force_key_unit (
          GST_CLOCK_TIME_NONE, TRUE, 0));
}

/* --- the chosen stream; under the stream lock of the src pad --- */

static gboolean
push_sticky_event (GstPad *pad, GstEvent **event, gpointer user_data)
{
  if (GST_EVENT_TYPE (*event) != GST_EVENT_EOS)
    gst_pad_push_event (user_data, gst_event_ref (*event));
  return TRUE;
}

static void
choose (RtcStreamSelect *self, Stream *stream)
{
  GST_INFO_OBJECT (self, "stream of %" GST_PTR_FORMAT " takes over from %s",
      stream->pad, self->chosen ? GST_PAD_NAME (self->chosen->pad) : "none");
  GST_OBJECT_LOCK (self);
  self->chosen = stream;
  GST_OBJECT_UNLOCK (self);
  forget_time (stream);
  gst_pad_sticky_events_foreach (stream->pad, push_sticky_event, self->src);
}

static GstFlowReturn
push_held (RtcStreamSelect *self, Stream *stream)
{
  GstFlowReturn ret = GST_FLOW_OK;
  GstBuffer *buffer;

  while (ret == GST_FLOW_OK && (buffer = g_queue_pop_head (&stream->held)))
    ret = gst_pad_push (self->src, buffer);
  g_queue_clear_full (&stream->held, (GDestroyNotify)gst_buffer_unref);
  stream->held_bytes = 0;
  return ret;
}

static gboolean
is_higher (const Stream *stream, const Stream *other)
{
  return __atomic_load_n (&stream->rank, __ATOMIC_RELAXED) >
      __atomic_load_n (&other->rank, __ATOMIC_RELAXED);
}

static GstFlowReturn
take_other (
    RtcStreamSelect *self, Stream *stream, GstBuffer *buffer, gboolean key)
{
  gint64 flowing = note_time (stream, self->time_func ());

  if (flowing < SILENCE_US && !(key && is_higher (stream, self->chosen))) {
    hold (self, stream, buffer, key);
    if (!stream->asked && g_queue_is_empty (&stream->held) &&
        flowing >= SILENCE_US / 2)
      request_keyframe (stream);
    return GST_FLOW_OK;
  }
  /* Also without a key frame: what asks for one is behind us. */
  choose (self, stream);
  forget_others (self, stream);
  g_queue_push_tail (&stream->held, buffer);
  return push_held (self, stream);
}

static void
look_at_packet (
    RtcStreamSelect *self, GstBuffer *buffer, gboolean *empty, gboolean *key)
{
  GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
  guint size;

  *empty = TRUE;
  *key = FALSE;
  if (!gst_rtp_buffer_map (buffer, GST_MAP_READ, &rtp))
    return;
  size = gst_rtp_buffer_get_payload_len (&rtp);
  *empty = size == 0;
  *key = rtc_key_start (self->codec, gst_rtp_buffer_get_payload (&rtp), size);
  gst_rtp_buffer_unmap (&rtp);
}

static GstFlowReturn
take_packet (RtcStreamSelect *self, Stream *stream, GstBuffer *buffer)
{
  gboolean empty, key;

  look_at_packet (self, buffer, &empty, &key);
  /* Padding is no media: it neither gets chosen nor keeps others waiting. */
  if (empty && stream != self->chosen) {
    count_ignored (self, 1);
    gst_buffer_unref (buffer);
    return GST_FLOW_OK;
  }
  if (!self->chosen)
    choose (self, stream);
  if (stream != self->chosen)
    return take_other (self, stream, buffer, key);
  if (!empty)
    forget_others (self, stream);
  g_queue_push_tail (&stream->held, buffer);
  return push_held (self, stream);
}

/* --- pads --- */

static GstFlowReturn
rtc_stream_select_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  RtcStreamSelect *self = RTC_STREAM_SELECT (parent);
  Stream *stream = gst_pad_get_element_private (pad);
  GstFlowReturn ret;

  GST_PAD_STREAM_LOCK (self->src);
  ret = take_packet (self, stream, buffer);
  GST_PAD_STREAM_UNLOCK (self->src);
  return ret;
}

gboolean
rtc_stream_select_is_chosen (RtcStreamSelect *self, GstPad *pad)
{
  gboolean chosen;

  GST_OBJECT_LOCK (self);
  chosen = self->chosen && self->chosen->pad == pad;
  GST_OBJECT_UNLOCK (self);
  return chosen;
}

/* Sticky events stay on the pad, for when its stream is chosen. */
static gboolean
rtc_stream_select_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  RtcStreamSelect *self = RTC_STREAM_SELECT (parent);
  gboolean serialized = GST_EVENT_IS_SERIALIZED (event);

  if (serialized)
    GST_PAD_STREAM_LOCK (self->src);
  if (rtc_stream_select_is_chosen (self, pad))
    gst_pad_push_event (self->src, event);
  else
    gst_event_unref (event);
  if (serialized)
    GST_PAD_STREAM_UNLOCK (self->src);
  return TRUE;
}

/* To the sender of the chosen stream, or of the only one that there is. */
static gboolean
rtc_stream_select_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  RtcStreamSelect *self = RTC_STREAM_SELECT (parent);
  GstPad *sink = NULL;
  gboolean ret = FALSE;

  GST_OBJECT_LOCK (self);
  if (self->chosen)
    sink = gst_object_ref (self->chosen->pad);
  else if (self->streams)
    sink = gst_object_ref (((Stream *)self->streams->data)->pad);
  GST_OBJECT_UNLOCK (self);
  if (!sink) {
    gst_event_unref (event);
    return FALSE;
  }
  ret = gst_pad_push_event (sink, event);
  gst_object_unref (sink);
  return ret;
}

GstPad *
rtc_stream_select_add_stream (RtcStreamSelect *self, guint rank)
{
  Stream *stream = g_new0 (Stream, 1);
  gchar *name = g_strdup_printf (
      "sink_%u", (guint)g_atomic_int_add (&self->n_streams, 1));

  stream->rank = rank;
  stream->pad = gst_pad_new_from_static_template (&sink_template, name);
  g_free (name);
  g_queue_init (&stream->held);
  gst_pad_set_element_private (stream->pad, stream);
  gst_pad_set_chain_function (stream->pad, rtc_stream_select_chain);
  gst_pad_set_event_function (stream->pad, rtc_stream_select_sink_event);
  gst_pad_set_active (stream->pad, TRUE);
  GST_PAD_STREAM_LOCK (self->src);
  GST_OBJECT_LOCK (self);
  self->streams = g_list_append (self->streams, stream);
  GST_OBJECT_UNLOCK (self);
  GST_PAD_STREAM_UNLOCK (self->src);
  gst_element_add_pad (GST_ELEMENT (self), stream->pad);
  return gst_object_ref (stream->pad);
}

void
rtc_stream_select_set_rank (RtcStreamSelect *self, GstPad *pad, guint rank)
{
  Stream *stream = gst_pad_get_element_private (pad);

  __atomic_store_n (&stream->rank, rank, __ATOMIC_RELAXED);
}

static void
free_stream (RtcStreamSelect *self, Stream *stream)
{
  drop_held (self, stream);
  g_free (stream);
}

void
rtc_stream_select_remove_stream (RtcStreamSelect *self, GstPad *pad)
{
  Stream *stream = gst_pad_get_element_private (pad);

  /* Waits for a packet that is on its way. */
  gst_pad_set_active (pad, FALSE);
  GST_PAD_STREAM_LOCK (self->src);
  GST_OBJECT_LOCK (self);
  self->streams = g_list_remove (self->streams, stream);
  if (self->chosen == stream)
    self->chosen = NULL;
  GST_OBJECT_UNLOCK (self);
  free_stream (self, stream);
  GST_PAD_STREAM_UNLOCK (self->src);
  gst_element_remove_pad (GST_ELEMENT (self), pad);
}

/* --- GObject --- */

static void
rtc_stream_select_finalize (GObject *object)
{
  RtcStreamSelect *self = RTC_STREAM_SELECT (object);

  while (self->streams) {
    free_stream (self, self->streams->data);
    self->streams = g_list_delete_link (self->streams, self->streams);
  }
  G_OBJECT_CLASS (rtc_stream_select_parent_class)->finalize (object);
}

static void
rtc_stream_select_class_init (RecSelectClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = rtc_stream_select_finalize;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "RTP stream selector",
      "Generic", "Passes one of the RTP streams of a track",
      "The gst-tsrec authors");
  GST_DEBUG_CATEGORY_INIT (rtc_stream_select_debug, "recselect", 0,
      "one of the RTP streams of a track");
}

static void
rtc_stream_select_init (RtcStreamSelect *self)
{
  self->time_func = g_get_monotonic_time;
  self->src = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_event_function (self->src, rtc_stream_select_src_event);
  gst_element_add_pad (GST_ELEMENT (self), self->src);
}

RtcStreamSelect *
rtc_stream_select_new (const gchar *codec, guint64 *ignored)
{
  RtcStreamSelect *self = g_object_new (RTC_TYPE_STREAM_SELECT, NULL);

  self->codec = g_intern_string (codec);
  self->ignored = ignored;
  return self;
}

void
rtc_stream_select_set_time_func (RtcStreamSelect *self, gint64 (*func) (void))
{
  self->time_func = func;
}
