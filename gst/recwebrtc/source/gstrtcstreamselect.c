/* gst-tsrec: selects one of the RTP streams that a peer sends for a track
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrtcstreamselect.h"
#include "rtcflow.h"
#include "rtckeystart.h"

#include <gst/rtp/rtp.h>
#include <gst/video/video.h>

GST_DEBUG_CATEGORY_STATIC (gst_rtc_stream_select_debug);
#define GST_CAT_DEFAULT gst_rtc_stream_select_debug

/* Limits for the packets of a stream that may take over, for
 * GST_RTC_STREAM_SELECT_SILENCE. */
#define MAX_HELD_BYTES (4 * 1024 * 1024)
#define MAX_HELD_PACKETS 4096
#define SILENCE_US ((gint64)(GST_RTC_STREAM_SELECT_SILENCE / GST_USECOND))

/**
 * Stream:
 * @pad: sink pad of the stream; the stream is its private data
 * @rank: see gst_rtc_stream_select_add_stream(); atomic
 * @since: arrival of its first packet after the last packet of the chosen
 *   stream, µs, 0 if there is none
 * @last: arrival of its last packet since @since
 * @paused: the stream has paused; @since is the end of the pause
 * @asked: a key frame was requested since @since
 * @held: its packets from a key frame on
 * @held_bytes: size of @held, bytes
 *
 * All fields except @pad and @rank are protected by the stream lock of the
 * source pad.
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

struct _GstRtcStreamSelect
{
  GstElement parent;

  GstPad *src;
  const gchar *codec;
  guint64 *ignored;
  guint n_streams; /* for names of pads; atomic */

  /* Written under the stream lock of the source pad and the object lock. */
  GList *streams;
  Stream *chosen;
};

G_DEFINE_TYPE (GstRtcStreamSelect, gst_rtc_stream_select, GST_TYPE_ELEMENT)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink_%u", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

/* --- streams that are not chosen; under the stream lock of the src pad --- */

static void
count_ignored (GstRtcStreamSelect *self, guint packets)
{
  __atomic_fetch_add (self->ignored, packets, __ATOMIC_RELAXED);
}

static void
forget_time (Stream *stream)
{
  stream->since = 0;
  stream->paused = stream->asked = FALSE;
}

/* Returns how long the stream has carried packets, µs. After a pause of all
 * streams, the first one to continue is not the only one that carries
 * packets. */
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
drop_held (GstRtcStreamSelect *self, Stream *stream)
{
  count_ignored (self, g_queue_get_length (&stream->held));
  g_queue_clear_full (&stream->held, (GDestroyNotify)gst_buffer_unref);
  stream->held_bytes = 0;
}

/* The chosen stream carries packets: restarts the wait of the other streams,
 * except @keep. */
static void
forget_others (GstRtcStreamSelect *self, Stream *keep)
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
hold (GstRtcStreamSelect *self, Stream *stream, GstBuffer *buffer, gboolean key)
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
choose (GstRtcStreamSelect *self, Stream *stream)
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
push_held (GstRtcStreamSelect *self, Stream *stream)
{
  GstBufferList *list = gst_buffer_list_new ();
  GstBuffer *buffer;

  while ((buffer = g_queue_pop_head (&stream->held)))
    gst_buffer_list_add (list, buffer);
  stream->held_bytes = 0;
  return gst_pad_push_list (self->src, list);
}

static gboolean
is_higher (const Stream *stream, const Stream *other)
{
  return __atomic_load_n (&stream->rank, __ATOMIC_RELAXED) >
      __atomic_load_n (&other->rank, __ATOMIC_RELAXED);
}

static GstFlowReturn
take_other (
    GstRtcStreamSelect *self, Stream *stream, GstBuffer *buffer, gboolean key)
{
  gint64 flowing = note_time (stream, g_get_monotonic_time ());

  if (flowing < SILENCE_US && !(key && is_higher (stream, self->chosen))) {
    hold (self, stream, buffer, key);
    if (!stream->asked && g_queue_is_empty (&stream->held) &&
        flowing >= SILENCE_US / 2)
      request_keyframe (stream);
    return GST_FLOW_OK;
  }
  /* Switches even without a key frame: elements downstream request one. */
  choose (self, stream);
  forget_others (self, stream);
  g_queue_push_tail (&stream->held, buffer);
  return push_held (self, stream);
}

static void
look_at_packet (
    GstRtcStreamSelect *self, GstBuffer *buffer, gboolean *empty, gboolean *key)
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
take_packet (GstRtcStreamSelect *self, Stream *stream, GstBuffer *buffer)
{
  gboolean empty, key;

  look_at_packet (self, buffer, &empty, &key);
  /* Padding is not media: a stream of padding is not chosen, and does not delay
   * the others. */
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

/* Most peers send one stream for a track: there is nothing to choose. */
static gboolean
is_alone (GstRtcStreamSelect *self, Stream *stream)
{
  return stream == self->chosen && !self->streams->next &&
      g_queue_is_empty (&stream->held);
}

/* --- pads --- */

static GstFlowReturn
gst_rtc_stream_select_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstRtcStreamSelect *self = GST_RTC_STREAM_SELECT (parent);
  Stream *stream = gst_pad_get_element_private (pad);
  GstFlowReturn ret;

  GST_PAD_STREAM_LOCK (self->src);
  ret = is_alone (self, stream) ? gst_pad_push (self->src, buffer)
                                : take_packet (self, stream, buffer);
  GST_PAD_STREAM_UNLOCK (self->src);
  return ret;
}

static GstFlowReturn
gst_rtc_stream_select_chain_list (
    GstPad *pad, GstObject *parent, GstBufferList *list)
{
  GstRtcStreamSelect *self = GST_RTC_STREAM_SELECT (parent);
  Stream *stream = gst_pad_get_element_private (pad);
  GstFlowReturn ret;

  GST_PAD_STREAM_LOCK (self->src);
  ret = is_alone (self, stream)
      ? gst_pad_push_list (self->src, list)
      : rtc_flow_chain_each (pad, parent, list, gst_rtc_stream_select_chain);
  GST_PAD_STREAM_UNLOCK (self->src);
  return ret;
}

gboolean
gst_rtc_stream_select_is_chosen (GstRtcStreamSelect *self, GstPad *pad)
{
  gboolean chosen;

  GST_OBJECT_LOCK (self);
  chosen = self->chosen && self->chosen->pad == pad;
  GST_OBJECT_UNLOCK (self);
  return chosen;
}

/* Sticky events stay on the pad until its stream is chosen. */
static gboolean
gst_rtc_stream_select_sink_event (
    GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstRtcStreamSelect *self = GST_RTC_STREAM_SELECT (parent);
  gboolean serialized = GST_EVENT_IS_SERIALIZED (event);

  if (serialized)
    GST_PAD_STREAM_LOCK (self->src);
  if (gst_rtc_stream_select_is_chosen (self, pad))
    gst_pad_push_event (self->src, event);
  else
    gst_event_unref (event);
  if (serialized)
    GST_PAD_STREAM_UNLOCK (self->src);
  return TRUE;
}

/* Sends the event to the sender of the chosen stream, or of the only stream. */
static gboolean
gst_rtc_stream_select_src_event (
    GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstRtcStreamSelect *self = GST_RTC_STREAM_SELECT (parent);
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
gst_rtc_stream_select_add_stream (GstRtcStreamSelect *self, guint rank)
{
  Stream *stream = g_new0 (Stream, 1);
  gchar *name = g_strdup_printf (
      "sink_%u", (guint)g_atomic_int_add (&self->n_streams, 1));

  stream->rank = rank;
  stream->pad = gst_pad_new_from_static_template (&sink_template, name);
  g_free (name);
  g_queue_init (&stream->held);
  gst_pad_set_element_private (stream->pad, stream);
  gst_pad_set_chain_function (stream->pad, gst_rtc_stream_select_chain);
  gst_pad_set_chain_list_function (
      stream->pad, gst_rtc_stream_select_chain_list);
  gst_pad_set_event_function (stream->pad, gst_rtc_stream_select_sink_event);
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
gst_rtc_stream_select_set_rank (
    GstRtcStreamSelect *self, GstPad *pad, guint rank)
{
  Stream *stream = gst_pad_get_element_private (pad);

  __atomic_store_n (&stream->rank, rank, __ATOMIC_RELAXED);
}

static void
free_stream (GstRtcStreamSelect *self, Stream *stream)
{
  drop_held (self, stream);
  g_free (stream);
}

void
gst_rtc_stream_select_remove_stream (GstRtcStreamSelect *self, GstPad *pad)
{
  Stream *stream = gst_pad_get_element_private (pad);

  /* Waits for a packet that is being pushed. */
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
gst_rtc_stream_select_finalize (GObject *object)
{
  GstRtcStreamSelect *self = GST_RTC_STREAM_SELECT (object);

  while (self->streams) {
    free_stream (self, self->streams->data);
    self->streams = g_list_delete_link (self->streams, self->streams);
  }
  G_OBJECT_CLASS (gst_rtc_stream_select_parent_class)->finalize (object);
}

static void
gst_rtc_stream_select_class_init (GstRtcStreamSelectClass *klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_rtc_stream_select_finalize;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "RTP stream selector",
      "Generic", "Passes one of the RTP streams of a track",
      "The gst-tsrec authors");
  GST_DEBUG_CATEGORY_INIT (gst_rtc_stream_select_debug, "recselect", 0,
      "one of the RTP streams of a track");
}

static void
gst_rtc_stream_select_init (GstRtcStreamSelect *self)
{
  self->src = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_event_function (self->src, gst_rtc_stream_select_src_event);
  gst_element_add_pad (GST_ELEMENT (self), self->src);
}

GstRtcStreamSelect *
gst_rtc_stream_select_new (const gchar *codec, guint64 *ignored)
{
  GstRtcStreamSelect *self = g_object_new (GST_TYPE_RTC_STREAM_SELECT, NULL);

  self->codec = g_intern_string (codec);
  self->ignored = ignored;
  return self;
}
