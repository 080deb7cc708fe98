/* gst-tsrec: tsrecmux, buffers and events from upstream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every buffer and serialized event goes through the queue of its pad, which
 * keeps their order. Input is live if a LATENCY query says so, or if it
 * arrives at the pace of the clock.
 */

#include "config.h"

#include "gsttsrecmux-private.h"

#include "recpad.h"

#define GST_CAT_DEFAULT gst_ts_rec_mux_debug

/* Time in which input without timestamps is measured against the clock, µs,
 * and the least duration of a picture: 100 per second. */
#define MIN_PACED_TIME (1 * G_TIME_SPAN_SECOND)
#define SHORTEST_PICTURE (10 * G_TIME_SPAN_MILLISECOND)

/* A running time of more than 73 years is unknown, so that sums and differences
 * of a few times do not overflow; the core has the same limit. */
#define MAX_RUNNING_TIME ((guint64)G_MAXINT64 / 4)

/* --- Input --- */

static gint64
to_running_time (const GstSegment *segment, GstClockTime time)
{
  guint64 running_time;
  gint sign;

  if (!GST_CLOCK_TIME_IS_VALID (time) || segment->format != GST_FORMAT_TIME)
    return TS_TIME_NONE;
  sign = gst_segment_to_running_time_full (
      segment, GST_FORMAT_TIME, time, &running_time);
  if (sign == 0 || running_time > MAX_RUNNING_TIME)
    return TS_TIME_NONE;
  return sign > 0 ? (gint64)running_time : -(gint64)running_time;
}

/* Queries a branch once whether it is live, and its latency. No lock held. */
static void
ask_latency (GstTsRecMux *self, GstTsRecMuxPad *pad)
{
  GstQuery *query = gst_query_new_latency ();
  GstClockTime min = 0, max;
  gboolean live = FALSE;

  if (gst_pad_peer_query (GST_PAD (pad), query))
    gst_query_parse_latency (query, &live, &min, &max);
  gst_query_unref (query);
  GST_DEBUG_OBJECT (
      pad, "live %d, latency %" GST_TIME_FORMAT, live, GST_TIME_ARGS (min));
  g_mutex_lock (&self->lock);
  pad->asked_latency = TRUE;
  pad->latency = live ? min : GST_CLOCK_TIME_NONE;
  if (live)
    self->live = TRUE;
  g_mutex_unlock (&self->lock);
}

static void
ask_all_latencies (GstTsRecMux *self)
{
  GPtrArray *pads = g_ptr_array_new_with_free_func (gst_object_unref);

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->pads->len; i++) {
    GstTsRecMuxPad *pad = g_ptr_array_index (self->pads, i);

    if (!pad->asked_latency && rec_pad_is_linked (GST_PAD (pad)))
      g_ptr_array_add (pads, gst_object_ref (pad));
  }
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < pads->len; i++)
    ask_latency (self, g_ptr_array_index (pads, i));
  g_ptr_array_unref (pads);
}

/* Notes a buffer of @time that has arrived on @pad at @now, monotonic µs.
 * Input whose tracks all arrive at the pace of the clock is live, whatever its
 * LATENCY query says. */
static void
watch_pace (GstTsRecMux *self, GstTsRecMuxPad *pad, gint64 time, gint64 now)
{
  gboolean any = FALSE, all = TRUE;

  if (time == TS_TIME_NONE)
    return;
  rec_pace_add (&pad->pace, now * 1000, pad->kept, time);
  for (guint i = 0; i < self->pads->len; i++) {
    GstTsRecMuxPad *other = g_ptr_array_index (self->pads, i);

    if (other->eos || !rec_pace_is_known (&other->pace))
      continue;
    any = TRUE;
    all &= other->pace.paced;
  }
  if (self->paced == (any && all))
    return;
  self->paced = any && all;
  GST_INFO_OBJECT (self, "input arrives %s",
      self->paced ? "at the pace of the clock: nothing waits any more"
                  : "faster than the clock: in the order of DTS");
  g_cond_broadcast (&self->cond);
}

/* Puts the object of @item, which is taken, into the queue of @pad. Lock held.
 */
static void
enqueue (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *item, gint64 end)
{
  gst_ts_rec_mux_pad_push (pad, item, end);
  /* A system call even without a waiting thread, as with all live input. */
  if (self->n_waiting > 0)
    g_cond_broadcast (&self->cond);
}

static gboolean
is_codec_header (GstBuffer *buffer)
{
  return GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_HEADER) &&
      (gst_buffer_memcmp (buffer, 0, "OpusHead", 8) == 0 ||
          gst_buffer_memcmp (buffer, 0, "OpusTags", 8) == 0);
}

/* Returns TRUE for a buffer that only marks a gap. */
static gboolean
is_gap (GstBuffer *buffer)
{
  return GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP) &&
      gst_buffer_get_size (buffer) == 0;
}

/* Measures whether buffers without timestamps arrive at the pace of the clock,
 * as from a camera through a pipe: for a second or more, no faster than their
 * duration, or than the shortest picture. Lock held. */
static void
watch_untimed (GstTsRecMuxPad *pad, GstBuffer *buffer, gboolean timed)
{
  gint64 now = g_get_monotonic_time (), elapsed, length;

  if (timed || pad->n_untimed == 0)
    pad->first_arrival = now;
  pad->n_untimed = timed ? 0 : pad->n_untimed + 1;
  elapsed = now - pad->first_arrival;
  if (elapsed < MIN_PACED_TIME)
    return;
  length = GST_BUFFER_DURATION_IS_VALID (buffer)
      ? (gint64)GST_TIME_AS_USECONDS (GST_BUFFER_DURATION (buffer)) * 9 / 10
      : SHORTEST_PICTURE;
  length = MAX (length, 1);
  pad->paced = elapsed / length >= (gint64)pad->n_untimed - 1;
}

/* Before the first timestamp of @pad: @item tells the times of what is queued,
 * or is itself queued for it. Lock held. */
static void
place_first (GstTsRecMux *self, GstTsRecMuxPad *pad, RecMuxItem *item)
{
  GstClockTime now;

  if (pad->placed)
    return;
  if (rec_mux_item_get_time (item) != TS_TIME_NONE) {
    gst_ts_rec_mux_pad_place_before (pad, item->pts, item->dts);
    pad->placed = TRUE;
  } else if (gst_ts_rec_mux_is_live (self)) {
    now = gst_element_get_current_running_time (GST_ELEMENT (self));
    if (GST_CLOCK_TIME_IS_VALID (now))
      item->arrival = (gint64)now;
  }
}

/* Takes @buffer. Stores the current time, monotonic µs, in *@entered if the
 * pace of the input is measured. Lock held. */
static GstFlowReturn
accept_buffer (GstTsRecMux *self, GstTsRecMuxPad *pad, GstBuffer *buffer,
    gint64 pts, gint64 dts, gint64 *entered)
{
  RecMuxItem item = { GST_MINI_OBJECT_CAST (buffer), pts, dts, TS_TIME_NONE,
    FALSE, FALSE };

  if (pad->flushing || self->stopping)
    goto flushing;
  if (self->core == NULL) {
    /* Linked to a running source before the start: the source continues. */
    gst_buffer_unref (buffer);
    return GST_FLOW_OK;
  }
  if (pad->eos)
    goto eos;
  pad->last_thread = g_thread_self ();
  pad->arrived = TRUE;
  watch_untimed (pad, buffer, pts != TS_TIME_NONE || dts != TS_TIME_NONE);
  pad->wait_budget = REC_MUX_WAIT_BUDGET;
  if (pad->refused || is_gap (buffer) || is_codec_header (buffer)) {
    self->refused += pad->refused;
    gst_buffer_unref (buffer);
    return self->flow;
  }
  if (!self->live) {
    *entered = g_get_monotonic_time ();
    watch_pace (self, pad, dts != TS_TIME_NONE ? dts : pts, *entered);
  }
  place_first (self, pad, &item);
  enqueue (self, pad, &item, gst_ts_rec_mux_pad_get_turn (pad, pts, dts));
  if (!self->live)
    gst_ts_rec_mux_wait_for_others (self, pad);
  return GST_FLOW_OK;

  /* ERRORS */
flushing : {
  gst_buffer_unref (buffer);
  return GST_FLOW_FLUSHING;
}
eos : {
  gst_buffer_unref (buffer);
  return GST_FLOW_EOS;
}
}

GstFlowReturn
gst_ts_rec_mux_chain (GstPad *gstpad, GstObject *parent, GstBuffer *buffer)
{
  GstTsRecMux *self = GST_TS_REC_MUX (parent);
  GstTsRecMuxPad *pad = GST_TS_REC_MUX_PAD (gstpad);
  gint64 pts = to_running_time (&pad->segment, GST_BUFFER_PTS (buffer));
  gint64 dts = to_running_time (&pad->segment, GST_BUFFER_DTS (buffer));
  gint64 entered = 0;
  GstFlowReturn flow;

  if (!pad->asked_latency)
    ask_all_latencies (self);
  g_mutex_lock (&self->lock);
  flow = accept_buffer (self, pad, buffer, pts, dts, &entered);
  g_mutex_unlock (&self->lock);
  if (flow == GST_FLOW_OK)
    flow = gst_ts_rec_mux_drain (self);
  gst_ts_rec_mux_post_pending (self);
  if (entered > 0)
    pad->kept += (g_get_monotonic_time () - entered) * 1000;
  return flow;
}

/* --- Events --- */

static gboolean
are_all_flushing (GstTsRecMux *self)
{
  for (guint i = 0; i < self->pads->len; i++) {
    GstTsRecMuxPad *pad = g_ptr_array_index (self->pads, i);

    if (!pad->flushing && rec_pad_is_linked (GST_PAD (pad)))
      return FALSE;
  }
  return TRUE;
}

/* A flush affects only its own branch. Downstream is flushed only if all
 * branches flush. */
static void
start_flush (GstTsRecMux *self, GstTsRecMuxPad *pad, GstEvent *event)
{
  gboolean forward;

  g_mutex_lock (&self->lock);
  pad->flushing = TRUE;
  forward = !self->flushing && are_all_flushing (self);
  if (forward)
    self->flushing = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  if (forward)
    gst_pad_push_event (self->srcpad, event);
  else
    gst_event_unref (event);
}

void
gst_ts_rec_mux_end_flush (GstTsRecMux *self, GstEvent *event)
{
  GST_PAD_STREAM_LOCK (self->srcpad);
  self->started = FALSE; /* A flush removes the segment. */
  gst_pad_push_event (self->srcpad, event);
  GST_PAD_STREAM_UNLOCK (self->srcpad);
}

static void
stop_flush (GstTsRecMux *self, GstTsRecMuxPad *pad, GstEvent *event)
{
  gboolean forward;

  g_mutex_lock (&self->lock);
  pad->flushing = FALSE;
  pad->eos = pad->drained = FALSE;
  pad->arrived = pad->placed = FALSE;
  pad->n_untimed = 0;
  pad->position = TS_TIME_NONE;
  rec_pace_init (&pad->pace);
  gst_segment_init (&pad->segment, GST_FORMAT_UNDEFINED);
  gst_ts_rec_mux_pad_flush (pad);
  forward = self->flushing;
  self->flushing = FALSE;
  self->eos_sent = FALSE;
  self->flow = GST_FLOW_OK;
  g_mutex_unlock (&self->lock);
  if (forward)
    gst_ts_rec_mux_end_flush (self, event);
  else
    gst_event_unref (event);
}

/* Queues a serialized event, which is taken. */
static gboolean
queue_event (GstTsRecMux *self, GstTsRecMuxPad *pad, GstEvent *event)
{
  gint64 start = TS_TIME_NONE, end = TS_TIME_NONE;

  if (GST_EVENT_TYPE (event) == GST_EVENT_GAP) {
    GstClockTime time, duration;

    gst_event_parse_gap (event, &time, &duration);
    start = to_running_time (&pad->segment, time);
    if (GST_CLOCK_TIME_IS_VALID (duration))
      time += duration;
    end = to_running_time (&pad->segment, time);
  }
  g_mutex_lock (&self->lock);
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    pad->eos = TRUE;
  if (self->core || GST_EVENT_IS_STICKY (event))
    enqueue (self, pad,
        &(RecMuxItem){ GST_MINI_OBJECT_CAST (event), start, start, TS_TIME_NONE,
            FALSE, FALSE },
        end);
  else
    gst_event_unref (event);
  g_mutex_unlock (&self->lock);
  gst_ts_rec_mux_drain (self);
  gst_ts_rec_mux_post_pending (self);
  return TRUE;
}

static void
start_stream (GstTsRecMux *self, GstTsRecMuxPad *pad)
{
  g_mutex_lock (&self->lock);
  pad->eos = pad->drained = FALSE;
  pad->started = TRUE;
  g_mutex_unlock (&self->lock);
}

gboolean
gst_ts_rec_mux_sink_event (GstPad *gstpad, GstObject *parent, GstEvent *event)
{
  GstTsRecMux *self = GST_TS_REC_MUX (parent);
  GstTsRecMuxPad *pad = GST_TS_REC_MUX_PAD (gstpad);

  GST_LOG_OBJECT (pad, "%" GST_PTR_FORMAT, event);
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_START:
      start_flush (self, pad, event);
      return TRUE;
    case GST_EVENT_FLUSH_STOP:
      stop_flush (self, pad, event);
      return TRUE;
    case GST_EVENT_STREAM_START:
      start_stream (self, pad);
      break;
    case GST_EVENT_SEGMENT:
      gst_event_copy_segment (event, &pad->segment);
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
      gst_ts_rec_mux_note_section (self, event);
      return queue_event (self, pad, event);
    case GST_EVENT_CAPS:
    case GST_EVENT_TAG:
    case GST_EVENT_GAP:
    case GST_EVENT_EOS:
    case GST_EVENT_SINK_MESSAGE:
      return queue_event (self, pad, event);
    case GST_EVENT_CUSTOM_DOWNSTREAM_OOB:
    case GST_EVENT_CUSTOM_BOTH:
    case GST_EVENT_CUSTOM_BOTH_OOB:
      return gst_pad_push_event (self->srcpad, event);
    default:
      /* Concerns a single track: not forwarded. */
      break;
  }
  gst_event_unref (event);
  return TRUE;
}
