/* gst-tsrec: tsrecmux, the order of output
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Decides which pad goes next. For live input, the queues are emptied at once,
 * except for a track that begins without timestamps.
 * For other input the access unit with the lowest DTS leaves when every pad has
 * data, or when max-interleave lies between the queued data.
 */

#include "config.h"

#include "gsttsrecmux-private.h"

#define GST_CAT_DEFAULT gst_ts_rec_mux_debug

/* Limits of what is kept back to bring tracks in order. */
#define MAX_QUEUED_BYTES (32 * 1024 * 1024)
#define MAX_QUEUED_ITEMS 4096
/* Limits of what waits for the first timestamp: items, and for live input less
 * than the preroll, items and µs. */
#define MAX_UNTIMED 64
#define MAX_UNTIMED_LIVE 16
#define MAX_UNTIMED_TIME (500 * G_TIME_SPAN_MILLISECOND)

/* --- The next pad --- */

/* Returns TRUE if other pads have to wait for data on @pad. */
static gboolean
is_starving (GstTsRecMuxPad *pad, gint64 time)
{
  gint64 position = pad->position;

  if (position == TS_TIME_NONE && pad->arrived)
    position = gst_ts_rec_mux_pad_get_turn (pad, TS_TIME_NONE, TS_TIME_NONE);
  return gst_queue_array_is_empty (pad->queue) && !pad->eos && !pad->refused &&
      !pad->flushing && (position == TS_TIME_NONE || position < time) &&
      gst_ts_rec_mux_pad_is_fed (pad);
}

/* Returns TRUE if waiting for @slow is useful and possible. A thread that
 * feeds both pads must not wait. */
static gboolean
is_worth_waiting (GstTsRecMuxPad *slow, GThread *thread)
{
  return slow->wait_budget > 0 && slow->last_thread != thread;
}

/* Returns TRUE if @best, whose item of @time is next, has to wait. @far: more
 * than max-interleave lies between the queued data. */
static gboolean
has_to_wait (GstTsRecMux *self, GstTsRecMuxPad *best, gint64 time, gboolean far)
{
  for (guint i = 0; i < self->pads->len; i++) {
    GstTsRecMuxPad *pad = g_ptr_array_index (self->pads, i);

    /* The end of a stream does not wait for a pad that may never start. */
    if (best->eos && !pad->started)
      continue;
    if (is_starving (pad, time) &&
        (!far || is_worth_waiting (pad, best->last_thread)))
      return TRUE;
  }
  return FALSE;
}

/* Returns TRUE if the track in @pad begins without timestamps, for example in
 * the middle of a transport stream: the first timestamp tells their times. */
static gboolean
waits_for_time (GstTsRecMux *self, GstTsRecMuxPad *pad)
{
  guint n = gst_queue_array_get_length (pad->queue);

  if (pad->placed || pad->eos || !pad->arrived ||
      !gst_ts_rec_mux_pad_is_fed (pad) ||
      !(ts_codec_is_video (pad->codec) || ts_codec_is_audio (pad->codec)))
    return FALSE;
  if (!gst_ts_rec_mux_is_live (self))
    return n < MAX_UNTIMED;
  return n < MAX_UNTIMED_LIVE &&
      g_get_monotonic_time () - pad->first_arrival < MAX_UNTIMED_TIME;
}

/* Returns the pad whose next item may leave, or NULL. Events leave at once:
 * they are queued only to stay after earlier buffers. */
static GstTsRecMuxPad *
pick_pad (GstTsRecMux *self)
{
  GstTsRecMuxPad *best = NULL;
  gint64 best_time = G_MAXINT64, last = TS_TIME_NONE, time;
  gsize bytes = 0, items = 0;
  gboolean far, untimed = FALSE;

  for (guint i = 0; i < self->pads->len; i++) {
    GstTsRecMuxPad *pad = g_ptr_array_index (self->pads, i);
    RecMuxItem *head;

    head = gst_ts_rec_mux_pad_peek (pad);
    if (head == NULL)
      continue;
    if (GST_IS_EVENT (head->object) ||
        gst_ts_rec_mux_is_mid_stream (self, pad, head))
      return pad;
    if (gst_ts_rec_mux_waits_for_picture (self, pad, head))
      continue;
    bytes += pad->queued_bytes;
    items += gst_queue_array_get_length (pad->queue);
    if (waits_for_time (self, pad)) {
      untimed = TRUE;
      if (gst_ts_rec_mux_is_live (self))
        rec_task_wake_at (self->release, pad->first_arrival + MAX_UNTIMED_TIME);
      continue;
    }
    last = MAX (last, pad->position);
    time = gst_ts_rec_mux_pad_get_turn (pad, head->pts, head->dts);
    if (time < best_time || best == NULL) {
      best = pad;
      best_time = time;
    }
  }
  if (best == NULL || gst_ts_rec_mux_is_live (self) ||
      best_time == TS_TIME_NONE || bytes > MAX_QUEUED_BYTES ||
      items > MAX_QUEUED_ITEMS)
    return best;
  far = last != TS_TIME_NONE && last - best_time >= (gint64)self->interleave;
  if ((untimed && !far) || has_to_wait (self, best, best_time, far) ||
      gst_ts_rec_mux_lacks_next (self, best))
    return NULL;
  return best;
}

/* Returns a pad that @pad, which is far ahead, should wait for, and which
 * another thread feeds. NULL without such a pad. */
static GstTsRecMuxPad *
find_slow_pad (GstTsRecMux *self, GstTsRecMuxPad *pad)
{
  RecMuxItem *head = gst_ts_rec_mux_pad_peek (pad);
  gint64 time = head ? gst_ts_rec_mux_pad_get_turn (pad, head->pts, head->dts)
                     : TS_TIME_NONE;

  if (time == TS_TIME_NONE || pad->position == TS_TIME_NONE ||
      pad->position - time < (gint64)self->interleave)
    return NULL;
  for (guint i = 0; i < self->pads->len; i++) {
    GstTsRecMuxPad *other = g_ptr_array_index (self->pads, i);

    if (other != pad && is_worth_waiting (other, g_thread_self ()) &&
        is_starving (other, time))
      return other;
  }
  return NULL;
}

void
gst_ts_rec_mux_wait_for_others (GstTsRecMux *self, GstTsRecMuxPad *pad)
{
  GstTsRecMuxPad *slow;

  while (!gst_ts_rec_mux_is_live (self) && !self->stopping && !pad->flushing &&
      (slow = find_slow_pad (self, pad))) {
    gint64 start = g_get_monotonic_time ();

    gst_object_ref (slow);
    self->n_waiting++;
    g_cond_wait_until (&self->cond, &self->lock, start + slow->wait_budget);
    self->n_waiting--;
    slow->wait_budget -= g_get_monotonic_time () - start;
    gst_object_unref (slow);
  }
}

/* --- Items that leave their queue --- */

/* The end of the stream does not wait for a pad that is not linked. */
static gboolean
is_done (GstTsRecMuxPad *pad)
{
  return pad->drained ||
      (gst_queue_array_is_empty (pad->queue) &&
          !gst_ts_rec_mux_pad_is_fed (pad));
}

static gboolean
are_all_drained (GstTsRecMux *self)
{
  gboolean any = FALSE;

  for (guint i = 0; i < self->pads->len; i++) {
    GstTsRecMuxPad *pad = g_ptr_array_index (self->pads, i);

    if (!is_done (pad))
      return FALSE;
    any |= pad->drained;
  }
  return any;
}

static void
push_eos_if_done (GstTsRecMux *self)
{
  if (self->eos_sent || self->core == NULL || !are_all_drained (self))
    return;
  self->eos_sent = TRUE;
  gst_ts_rec_mux_check_refusals (self);
  gst_ts_rec_mux_flush_pending (self);
  g_mutex_unlock (&self->lock);
  gst_ts_rec_mux_post_messages (self); /* before EOS */
  gst_ts_rec_mux_ensure_started (self);
  GST_DEBUG_OBJECT (self, "all pads are EOS");
  gst_pad_push_event (self->srcpad, gst_event_new_eos ());
  g_mutex_lock (&self->lock);
}

static void
handle_event (GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *item)
{
  GstEvent *event = GST_EVENT_CAST (item->object);
  GstTagList *tags;
  GstCaps *caps;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      gst_ts_rec_mux_configure_track (self, pad, caps);
      break;
    case GST_EVENT_TAG:
      gst_event_parse_tag (event, &tags);
      gst_ts_rec_mux_set_language (self, pad, tags);
      break;
    case GST_EVENT_GAP:
      gst_ts_rec_mux_mux_gap (self, pad, item);
      break;
    case GST_EVENT_EOS:
      pad->drained = pad->eos; /* unless another stream has begun */
      GST_INFO_OBJECT (pad, "end of stream");
      gst_ts_rec_mux_check_refusals (self);
      break;
    default:
      g_mutex_unlock (&self->lock);
      gst_ts_rec_mux_ensure_started (self);
      gst_pad_push_event (self->srcpad, gst_event_ref (event));
      g_mutex_lock (&self->lock);
      break;
  }
}

GstFlowReturn
gst_ts_rec_mux_drain (GstTsRecMux *self)
{
  GstTsRecMuxPad *pad;
  GstFlowReturn flow;

  GST_PAD_STREAM_LOCK (self->srcpad);
  g_mutex_lock (&self->lock);
  while (!self->stopping && self->core && (pad = pick_pad (self))) {
    RecMuxItem item = gst_ts_rec_mux_pad_pop (pad);

    gst_object_ref (pad);
    gst_ts_rec_mux_remove_tracks (self);
    if (GST_IS_BUFFER (item.object)) {
      pad->placed = TRUE;
      if (!self->prepared) {
        g_mutex_unlock (&self->lock);
        gst_ts_rec_mux_prepare (self);
        g_mutex_lock (&self->lock);
      }
      gst_ts_rec_mux_mux_access_unit (self, pad, &item);
    } else {
      handle_event (self, pad, &item);
    }
    gst_mini_object_unref (item.object);
    gst_object_unref (pad);
  }
  push_eos_if_done (self);
  flow = self->flow;
  g_mutex_unlock (&self->lock);
  GST_PAD_STREAM_UNLOCK (self->srcpad);
  return flow;
}

void
gst_ts_rec_mux_release (gpointer self)
{
  gst_ts_rec_mux_drain (self);
  gst_ts_rec_mux_post_pending (self);
}
