/* gst-tsrec: packets of a peer, in order, into the tracks
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * On one of the threads of REC_TASKS_MEDIA, one at a time. Packets of all streams
 * leave in the order of their running times as far as they have arrived.
 */

#include "config.h"

#include "rtcreceiver-private.h"

#include <gst/rtp/rtp.h>
#include <gst/video/video.h>

GST_DEBUG_CATEGORY_EXTERN (rtc_receiver_debug);
#define GST_CAT_DEFAULT rtc_receiver_debug

/* As in RtcReception: tracks of which much arrives at once leave in the order
 * of their times, to within ORDER (ns), and wait for each other for so long at
 * most, µs. What is recorded LATE (ns) after its time has been held back, and
 * what belongs in front of it may not have arrived yet. */
#define ORDER ((gint64)(150 * GST_MSECOND))
#define ORDER_WAIT (250 * G_TIME_SPAN_MILLISECOND)
#define ORDER_WAIT_LATE (500 * G_TIME_SPAN_MILLISECOND)
#define LATE ((gint64)(300 * GST_MSECOND))
/* Packets that are pushed together. */
#define MAX_LIST 64
/* As in RtcReception: less than ORDER_WAIT, so that the other tracks wait with
 * it; µs. */
#define DECISION_WAIT                                                          \
  (RTC_TIMELINE_DECISION / 1000 + 40 * G_TIME_SPAN_MILLISECOND)

/* --- pads --- */

/* What the pad of a stream needs to answer events; lives as long as the pad. */
typedef struct
{
  struct _RtcSender *sender;
  RtcReceiverLink *link;
  guint32 ssrc;
  gboolean fir;
} PadData;

static void
free_pad_data (gpointer data)
{
  PadData *pad_data = data;

  rtc_sender_unref (pad_data->sender);
  g_free (pad_data);
}

static gboolean
on_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  PadData *data = gst_pad_get_element_private (pad);

  if (gst_video_event_is_force_key_unit (event))
    rtc_sender_request_keyframe (
        data->sender, data->link, data->ssrc, data->fir);
  gst_event_unref (event);
  return TRUE;
}

static GstPad *
new_pad (RtcReceiver *self, RtcReceiverStream *stream)
{
  PadData *data = g_new0 (PadData, 1);
  gchar *name = g_strdup_printf ("rtp_%u", stream->ssrc);
  GstPad *pad = gst_pad_new (name, GST_PAD_SRC);

  data->sender = rtc_sender_ref (self->sender);
  data->link = stream->link;
  data->ssrc = stream->ssrc;
  data->fir = self->tracks[stream->kind].fir;
  g_object_set_data_full (G_OBJECT (pad), "rtc-data", data, free_pad_data);
  gst_pad_set_element_private (pad, data);
  gst_pad_set_event_function (pad, on_event);
  gst_pad_set_active (pad, TRUE);
  g_free (name);
  return gst_object_ref_sink (pad);
}

static void
push_first_events (RtcReceiver *self, RtcReceiverStream *stream)
{
  gchar *id = g_strdup_printf ("%08x%08x", g_random_int (), stream->ssrc);
  GstCaps *caps = gst_caps_copy (self->tracks[stream->kind].caps);
  GstSegment segment;

  gst_pad_push_event (stream->src, gst_event_new_stream_start (id));
  g_free (id);
  gst_caps_set_simple (caps, "ssrc", G_TYPE_UINT, stream->ssrc, NULL);
  gst_pad_push_event (stream->src, gst_event_new_caps (caps));
  gst_caps_unref (caps);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (stream->src, gst_event_new_segment (&segment));
}

static void
open_stream (RtcReceiver *self, RtcReceiverStream *stream)
{
  RtcReceiverTrack *track = &self->tracks[stream->kind];
  gboolean layered = self->layers && stream->kind == RTC_KIND_VIDEO;
  guint rank = layered ? rtc_layers_get_rank (self->layers, stream->ssrc) : 0;
  GstPad *sink = rtc_depay_chain_add_stream (track->chain, rank);

  stream->src = new_pad (self, stream);
  if (gst_pad_link (stream->src, sink) != GST_PAD_LINK_OK)
    GST_ERROR_OBJECT (stream->src, "could not be linked");
  if (layered)
    rtc_layers_watch (self->layers, stream->ssrc, stream->src);
  g_mutex_lock (&self->lock);
  stream->sink = sink;
  g_mutex_unlock (&self->lock);
  push_first_events (self, stream);
  self->callbacks.added (
      stream->src, stream->kind == RTC_KIND_VIDEO, self->user_data);
}

void
rtc_receiver_free_stream (RtcReceiver *self, RtcReceiverStream *stream)
{
  if (stream->src) {
    gst_pad_unlink (stream->src, stream->sink);
    gst_pad_set_active (stream->src, FALSE);
    rtc_depay_chain_remove_stream (
        self->tracks[stream->kind].chain, stream->sink);
    gst_object_unref (stream->sink);
    gst_object_unref (stream->src);
  }
  if (stream->head)
    gst_buffer_unref (stream->head);
  rtc_reorder_free (stream->reorder);
  g_free (stream);
}

/* --- the timeline; under lock --- */

/* The timeline may have given another stream the number of one that has been
 * silent. */
void
rtc_receiver_begin_track (RtcReceiver *self, RtcReceiverStream *stream)
{
  stream->timeline =
      rtc_timeline_add_track (&self->timeline, self->tracks[stream->kind].rate);
  for (guint i = 0; i < self->streams->len; i++) {
    RtcReceiverStream *other = g_ptr_array_index (self->streams, i);

    if (other != stream && other->has_timeline &&
        other->timeline == stream->timeline)
      other->has_timeline = FALSE;
  }
  stream->has_timeline = TRUE;
}

/* See add_packet(). */
static guint32
get_rtp_time (GstBuffer *buffer)
{
  return (guint32)GST_BUFFER_OFFSET (buffer);
}

typedef struct
{
  RtcTimeline *timeline;
  guint track;
} Arrivals;

/* GFunc */
static void
tell_arrival (gpointer data, gpointer user_data)
{
  Arrivals *arrivals = user_data;

  rtc_timeline_arrived (arrivals->timeline, arrivals->track,
      get_rtp_time (data), (gint64)GST_BUFFER_DTS (data));
}

static gboolean
is_undecided (RtcReceiver *self, RtcReceiverStream *stream)
{
  return rtc_timeline_is_undecided (&self->timeline, stream->timeline,
      stream->head_rtp_time, (gint64)GST_BUFFER_DTS (stream->head));
}

/* TRUE while it is not known whether the RTP clock stopped in front of the head:
 * the packets that arrive next show it. */
static gboolean
waits_for_decision (RtcReceiver *self, RtcReceiverStream *stream, gint64 now)
{
  Arrivals arrivals = { &self->timeline, stream->timeline };

  if (!is_undecided (self, stream))
    return FALSE;
  if (stream->decide_by == 0) {
    stream->decide_by = now + DECISION_WAIT;
    rtc_reorder_foreach (stream->reorder, tell_arrival, &arrivals);
  }
  return is_undecided (self, stream) && now < stream->decide_by;
}

static void
map_head (RtcReceiver *self, RtcReceiverStream *stream, gint64 now)
{
  GstClockTime floor;

  if (!stream->has_left) {
    floor = self->callbacks.get_floor (self->user_data);
    if (GST_CLOCK_TIME_IS_VALID (floor))
      rtc_timeline_set_floor (&self->timeline, (gint64)floor);
  }
  if (!stream->has_timeline)
    rtc_receiver_begin_track (self, stream);
  if (waits_for_decision (self, stream, now))
    return;
  stream->head_running = rtc_timeline_map (&self->timeline, stream->timeline,
      stream->head_rtp_time, (gint64)GST_BUFFER_DTS (stream->head));
  stream->head_running = MAX (stream->head_running, 0);
  stream->is_mapped = TRUE;
}

static void
take_head (RtcReceiverStream *stream, gint64 now)
{
  stream->head = rtc_reorder_take (stream->reorder, now);
  if (!stream->head)
    return;
  stream->head_rtp_time = get_rtp_time (stream->head);
  stream->is_mapped = FALSE;
  stream->decide_by = 0;
}

static void
take_heads (RtcReceiver *self, gint64 now)
{
  for (guint i = 0; i < self->streams->len; i++) {
    RtcReceiverStream *stream = g_ptr_array_index (self->streams, i);

    if (!stream->head && !stream->ended)
      take_head (stream, now);
    if (stream->head && !stream->is_mapped)
      map_head (self, stream, now);
  }
}

/* --- the order of the tracks; under lock --- */

static gboolean
any_missing (const RtcReceiver *self)
{
  return self->missing[RTC_KIND_VIDEO] || self->missing[RTC_KIND_AUDIO];
}

/* A stream of which more belongs in front of @running, as it has arrived and
 * not left, or, when @late, as it may have been held back too. */
static RtcReceiverStream *
find_behind (RtcReceiver *self, RtcReceiverStream *head, gboolean late)
{
  for (guint i = 0; i < self->streams->len; i++) {
    RtcReceiverStream *other = g_ptr_array_index (self->streams, i);
    gboolean more;

    if (other == head || other->excused || other->ended ||
        (other->head && other->is_mapped))
      continue;
    more = late || other->head ||
        rtc_reorder_get_due (other->reorder) != RTC_REORDER_NEVER;
    if (!other->has_left) {
      if (self->missing[other->kind])
        return other;
      continue;
    }
    if (more && other->running + ORDER < head->head_running)
      return other;
  }
  return NULL;
}

static RtcReceiverStream *
find_first_head (RtcReceiver *self)
{
  RtcReceiverStream *first = NULL;

  for (guint i = 0; i < self->streams->len; i++) {
    RtcReceiverStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->head && stream->is_mapped &&
        (!first || stream->head_running < first->head_running))
      first = stream;
  }
  return first;
}

/* Returns the stream whose head leaves now; NULL with *@due, when that is. */
static RtcReceiverStream *
choose_head (RtcReceiver *self, gint64 now, gint64 *due)
{
  RtcReceiverStream *first = find_first_head (self), *behind;
  gboolean late;

  *due = G_MAXINT64;
  if (!first)
    return NULL;
  late = now * 1000 + self->offset - first->head_running > LATE;
  behind = find_behind (self, first, late);
  if (!behind && !(late && any_missing (self))) {
    self->wait_since = 0;
    return first;
  }
  if (self->wait_since == 0)
    self->wait_since = now;
  *due = self->wait_since + (late ? ORDER_WAIT_LATE : ORDER_WAIT);
  if (now < *due)
    return NULL;
  /* Waited for long enough, and not again. */
  if (behind)
    behind->excused = TRUE;
  else
    self->missing[RTC_KIND_VIDEO] = self->missing[RTC_KIND_AUDIO] = FALSE;
  self->wait_since = 0;
  return choose_head (self, now, due);
}

gint64
rtc_receiver_get_feed_due (RtcReceiver *self, gint64 now)
{
  gint64 due = G_MAXINT64;
  gboolean heads = FALSE;

  for (guint i = 0; i < self->streams->len; i++) {
    RtcReceiverStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->ended && stream->src)
      return now;
    if (!stream->head)
      due = MIN (due, rtc_reorder_get_due (stream->reorder));
    else if (stream->is_mapped)
      heads = TRUE;
    else
      due = MIN (due,
          stream->has_timeline && is_undecided (self, stream)
              ? stream->decide_by
              : now);
  }
  if (heads)
    due = MIN (due, self->wait_since + ORDER_WAIT);
  return due;
}

/* Under lock: no other stream is ahead of it by more than ORDER. */
static gboolean
has_caught_up (RtcReceiver *self, const RtcReceiverStream *stream)
{
  for (guint i = 0; i < self->streams->len; i++) {
    const RtcReceiverStream *other = g_ptr_array_index (self->streams, i);

    if (other->has_left && other->running > stream->running + ORDER)
      return FALSE;
  }
  return TRUE;
}

/* --- pushing --- */

static GstBuffer *
steal_head (RtcReceiver *self, RtcReceiverStream *stream)
{
  GstBuffer *buffer =
      gst_buffer_make_writable (g_steal_pointer (&stream->head));

  GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) =
      (GstClockTime)stream->head_running;
  GST_BUFFER_OFFSET (buffer) = GST_BUFFER_OFFSET_NONE;
  if (!stream->has_left)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  stream->has_left = TRUE;
  stream->running = stream->head_running;
  self->missing[stream->kind] = FALSE;
  if (stream->excused)
    stream->excused = !has_caught_up (self, stream);
  return buffer;
}

/* Takes a stream out of the list that has ended; under lock. */
static RtcReceiverStream *
steal_ended (RtcReceiver *self)
{
  for (guint i = 0; i < self->streams->len; i++) {
    RtcReceiverStream *stream = g_ptr_array_index (self->streams, i);

    if (!stream->ended)
      continue;
    if (stream->has_timeline)
      rtc_timeline_remove_track (&self->timeline, stream->timeline);
    g_ptr_array_remove_index (self->streams, i);
    return stream;
  }
  return NULL;
}

static void
free_ended (RtcReceiver *self)
{
  RtcReceiverStream *stream;

  do {
    g_mutex_lock (&self->lock);
    stream = steal_ended (self);
    g_mutex_unlock (&self->lock);
    if (stream)
      rtc_receiver_free_stream (self, stream);
  } while (stream);
}

/* Under lock. Returns the packets that leave now: those of one stream, until
 * another one is next; NULL when there is none. */
static GstBufferList *
take_packets (RtcReceiver *self, RtcReceiverStream **stream)
{
  gint64 now = g_get_monotonic_time (), due;
  GstBufferList *list = NULL;
  RtcReceiverStream *next;

  *stream = NULL;
  for (guint n = 0; n < MAX_LIST; n++) {
    take_heads (self, now);
    next = choose_head (self, now, &due);
    if (!next || (*stream && next != *stream))
      break;
    *stream = next;
    if (!list)
      list = gst_buffer_list_new ();
    gst_buffer_list_add (list, steal_head (self, next));
  }
  return list;
}

/* What is refused is lost, and what follows is offered again: who refuses may
 * have been linked, or have ended its flush, by then. Errors are on the bus. */
static void
push_packets (RtcReceiverStream *stream, GstBufferList *list)
{
  GstFlowReturn flow = gst_pad_push_list (stream->src, list);

  if (flow != stream->flow)
    GST_INFO_OBJECT (stream->src, "packets are %s", gst_flow_get_name (flow));
  stream->flow = flow;
}

void
rtc_receiver_feed (gpointer data)
{
  RtcReceiver *self = data;
  RtcReceiverStream *stream;
  GstBufferList *list;

  free_ended (self);
  do {
    g_mutex_lock (&self->lock);
    list = take_packets (self, &stream);
    self->feeding = list != NULL;
    g_mutex_unlock (&self->lock);
    if (!list)
      break;
    if (!stream->src)
      open_stream (self, stream);
    push_packets (stream, list);
  } while (TRUE);
}
