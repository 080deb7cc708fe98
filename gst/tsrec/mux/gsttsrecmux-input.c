/* gst-tsrec: tsrecmux, what comes from upstream, and whose turn it is
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every buffer and serialized event goes through the queue of its pad, so that
 * the order within a pad is kept whatever happens. For live input, which says
 * so or arrives at the pace of the clock, the queue is emptied at once. For
 * other input the access unit with the lowest DTS leaves
 * when every pad has something, or when max-interleave lies between what waits.
 */

#include "config.h"

#include "gsttsrecmux-private.h"

#include "recpad.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ts_rec_mux_debug);
#define GST_CAT_DEFAULT gst_ts_rec_mux_debug

/* More than this is not held back to bring tracks in order. */
#define MAX_QUEUED_BYTES (32 * 1024 * 1024)
#define MAX_QUEUED_ITEMS 4096
/* So many frames of sound without a timestamp wait for the first one with. */
#define MAX_UNTIMED 64
/* How long it takes to see that input without timestamps comes at the pace of
 * the clock, µs, and how long a picture lasts at least: 100 a second. */
#define MIN_PACED_TIME (1 * G_TIME_SPAN_SECOND)
#define SHORTEST_PICTURE (10 * G_TIME_SPAN_MILLISECOND)

/* --- What leaves its queue */

/* Nothing that the end could wait for arrives at a pad that is not linked,
 * whether it never was or no longer is. */
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
  gst_ts_rec_mux_flush_held (self);
  g_mutex_unlock (&self->lock);
  gst_ts_rec_mux_post_messages (self); /* before the end is */
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

/* --- Which one goes next */

/* When something with these timestamps has its turn: by its DTS, or by the one
 * that it is going to get. */
static gint64
get_turn (GstTsRecMuxPad *pad, gint64 pts, gint64 dts)
{
  if (dts != TS_TIME_NONE)
    return dts;
  return pad->track ? ts_track_estimate_dts (pad->track, pts) : pts;
}

/* Whether the others have to wait for @pad to bring something. */
static gboolean
is_starving (GstTsRecMuxPad *pad, gint64 time)
{
  gint64 position = pad->position;

  if (position == TS_TIME_NONE && pad->arrived)
    position = get_turn (pad, TS_TIME_NONE, TS_TIME_NONE);
  return gst_queue_array_is_empty (pad->queue) && !pad->eos && !pad->refused &&
      !pad->flushing && (position == TS_TIME_NONE || position < time) &&
      gst_ts_rec_mux_pad_is_fed (pad);
}

/* Whether it is worth while to wait for @slow, and possible: when one thread
 * feeds both pads, it must go on for @slow to get anything. */
static gboolean
is_worth_waiting (GstTsRecMuxPad *slow, GThread *thread)
{
  return slow->patience > 0 && slow->last_thread != thread;
}

/* Whether @best, with @time to go next, has to stay. @far: more than
 * max-interleave lies between what waits. */
static gboolean
has_to_wait (GstTsRecMux *self, GstTsRecMuxPad *best, gint64 time, gboolean far)
{
  for (guint i = 0; i < self->pads->len; i++) {
    GstTsRecMuxPad *pad = g_ptr_array_index (self->pads, i);

    /* what has ended does not stay unwritten for what may never start */
    if (best->eos && !pad->started)
      continue;
    if (is_starving (pad, time) &&
        (!far || is_worth_waiting (pad, best->last_thread)))
      return TRUE;
  }
  return FALSE;
}

/* The time of the first buffer that waits in @pad: its DTS, or with @by_pts its
 * PTS, when it has that. */
static gboolean
get_first_time (GstTsRecMuxPad *pad, guint from, gboolean by_pts, gint64 *time)
{
  guint n = gst_queue_array_get_length (pad->queue);

  for (guint i = from; i < n; i++) {
    RecMuxItem *item = gst_queue_array_peek_nth_struct (pad->queue, i);

    *time = item->dts;
    if (*time == TS_TIME_NONE || (by_pts && item->pts != TS_TIME_NONE))
      *time = item->pts;
    if (GST_IS_BUFFER (item->object) && *time != TS_TIME_NONE)
      return TRUE;
  }
  return FALSE;
}

/* What comes after @item of @pad, which is not in its queue any more or, with
 * @from 1, the first one there: in the same track, or at that time or later in
 * another one. FALSE when that is still to arrive. */
static gboolean
find_next (GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *item,
    guint from, gint64 *next)
{
  gint64 time = item->dts != TS_TIME_NONE ? item->dts : item->pts;
  gboolean apart = ts_track_is_apart (pad->track, item->pts, item->dts);

  if (get_first_time (pad, from, apart, next))
    return TRUE;
  for (guint i = 0; !apart && i < self->pads->len; i++) {
    GstTsRecMuxPad *other = g_ptr_array_index (self->pads, i);

    if (other != pad && get_first_time (other, 0, FALSE, next) && *next >= time)
      return TRUE;
  }
  *next = TS_TIME_NONE;
  return pad->eos;
}

/* Without a clock, a step of half a minute is only believed with what comes
 * after it. */
static gboolean
has_to_wait_for_next (GstTsRecMux *self, GstTsRecMuxPad *pad)
{
  RecMuxItem *head = gst_queue_array_peek_head_struct (pad->queue);
  gint64 next;

  return pad->track &&
      ts_track_needs_next (self->core, pad->track, head->pts, head->dts) &&
      !find_next (self, pad, head, 1, &next);
}

void
gst_ts_rec_mux_set_next (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *item)
{
  gint64 next = gst_ts_rec_mux_get_item_time (item);

  if (!ts_track_needs_next (self->core, pad->track, item->pts, item->dts))
    return;
  /* a clock that has gone on as far confirms it, without what comes next */
  if ((pad->pace.paced && pad->pace.in_time) ||
      find_next (self, pad, item, 0, &next))
    ts_mux_set_next (self->core, next);
}

/* Whether the sound in @pad has begun without timestamps, as that of a
 * transport stream from its middle does: the first one that has a timestamp
 * says when they were. */
static gboolean
waits_for_time (GstTsRecMux *self, GstTsRecMuxPad *pad)
{
  return !pad->placed && !pad->eos && pad->arrived &&
      gst_ts_rec_mux_pad_is_fed (pad) && !gst_ts_rec_mux_is_live (self) &&
      !ts_codec_is_video (pad->codec) &&
      gst_queue_array_get_length (pad->queue) < MAX_UNTIMED;
}

/* What waits in @pad without a timestamp comes before @time, the first one. */
static void
place_before (GstTsRecMuxPad *pad, gint64 time)
{
  for (guint i = gst_queue_array_get_length (pad->queue); i > 0; i--) {
    RecMuxItem *item = gst_queue_array_peek_nth_struct (pad->queue, i - 1);
    GstBuffer *buffer = GST_BUFFER_CAST (item->object);

    if (!GST_IS_BUFFER (item->object))
      continue;
    if (item->pts != TS_TIME_NONE || !GST_BUFFER_DURATION_IS_VALID (buffer))
      return;
    time -= (gint64)GST_BUFFER_DURATION (buffer);
    item->pts = time;
    item->estimated = TRUE;
  }
}

/* The pad whose next item may leave, or NULL. Events leave at once: they only
 * stand in the queue because of what is before them. */
static GstTsRecMuxPad *
pick_pad (GstTsRecMux *self)
{
  GstTsRecMuxPad *best = NULL;
  gint64 best_time = G_MAXINT64, last = G_MININT64, time;
  gsize bytes = 0, items = 0;
  gboolean far, untimed = FALSE;

  for (guint i = 0; i < self->pads->len; i++) {
    GstTsRecMuxPad *pad = g_ptr_array_index (self->pads, i);
    RecMuxItem *head;

    if (gst_queue_array_is_empty (pad->queue))
      continue;
    head = gst_queue_array_peek_head_struct (pad->queue);
    if (GST_IS_EVENT (head->object) ||
        gst_ts_rec_mux_is_mid_stream (self, pad, head))
      return pad;
    if (gst_ts_rec_mux_waits_for_picture (self, pad, head))
      continue;
    bytes += pad->queued_bytes;
    items += gst_queue_array_get_length (pad->queue);
    if (waits_for_time (self, pad)) {
      untimed = TRUE;
      continue;
    }
    last = MAX (last, pad->position);
    time = get_turn (pad, head->pts, head->dts);
    if (time < best_time || best == NULL) {
      best = pad;
      best_time = time;
    }
  }
  if (best == NULL || gst_ts_rec_mux_is_live (self) ||
      best_time == TS_TIME_NONE || bytes > MAX_QUEUED_BYTES ||
      items > MAX_QUEUED_ITEMS)
    return best;
  far = last - best_time >= (gint64)self->interleave;
  if ((untimed && !far) || has_to_wait (self, best, best_time, far) ||
      has_to_wait_for_next (self, best))
    return NULL;
  return best;
}

GstFlowReturn
gst_ts_rec_mux_drain (GstTsRecMux *self)
{
  GstTsRecMuxPad *pad;
  GstFlowReturn flow;

  GST_PAD_STREAM_LOCK (self->srcpad);
  g_mutex_lock (&self->lock);
  while (!self->stopping && self->core && (pad = pick_pad (self))) {
    RecMuxItem item =
        *(RecMuxItem *)gst_queue_array_pop_head_struct (pad->queue);

    gst_object_ref (pad);
    gst_ts_rec_mux_remove_tracks (self);
    if (GST_IS_BUFFER (item.object)) {
      pad->queued_bytes -= gst_buffer_get_size (GST_BUFFER_CAST (item.object));
      pad->placed = TRUE;
      if (!self->prepared) {
        g_mutex_unlock (&self->lock);
        gst_ts_rec_mux_prepare (self);
        g_mutex_lock (&self->lock);
      }
      gst_ts_rec_mux_mux_buffer (self, pad, &item);
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

/* --- Input */

void
gst_ts_rec_mux_pad_clear (GstTsRecMuxPad *pad)
{
  while (!gst_queue_array_is_empty (pad->queue)) {
    RecMuxItem *item = gst_queue_array_pop_head_struct (pad->queue);

    gst_mini_object_unref (item->object);
  }
  pad->queued_bytes = 0;
}

static gint64
to_running_time (const GstSegment *segment, GstClockTime time)
{
  guint64 running_time;
  gint sign;

  if (!GST_CLOCK_TIME_IS_VALID (time) || segment->format != GST_FORMAT_TIME)
    return TS_TIME_NONE;
  sign = gst_segment_to_running_time_full (
      segment, GST_FORMAT_TIME, time, &running_time);
  if (sign == 0)
    return TS_TIME_NONE;
  return sign > 0 ? (gint64)running_time : -(gint64)running_time;
}

/* Asks every branch once whether it is live, and how late. No lock held. */
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

/* A pad that @pad, far ahead, should wait for. The thread that has to bring
 * its data is another one, as far as we know. */
static GstTsRecMuxPad *
find_slow_pad (GstTsRecMux *self, GstTsRecMuxPad *pad)
{
  RecMuxItem *head = gst_queue_array_peek_head_struct (pad->queue);
  gint64 time = head ? get_turn (pad, head->pts, head->dts) : TS_TIME_NONE;

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

/* Lets others catch up, for a bounded time; nothing depends on it but the
 * order in the file. */
static void
wait_for_others (GstTsRecMux *self, GstTsRecMuxPad *pad)
{
  GstTsRecMuxPad *slow;

  while (!gst_ts_rec_mux_is_live (self) && !self->stopping && !pad->flushing &&
      (slow = find_slow_pad (self, pad))) {
    gint64 start = g_get_monotonic_time ();

    gst_object_ref (slow);
    self->n_waiting++;
    g_cond_wait_until (&self->cond, &self->lock, start + slow->patience);
    self->n_waiting--;
    slow->patience -= g_get_monotonic_time () - start;
    gst_object_unref (slow);
  }
}

/* A buffer of @time has come to @pad at @now, monotonic µs. Input of which all
 * tracks arrive at the pace of the clock is live, whatever it says. */
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

/* Puts @object, which it takes, into the queue of @pad. Lock held. */
static void
enqueue (GstTsRecMux *self, GstTsRecMuxPad *pad, GstMiniObject *object,
    gint64 pts, gint64 dts, gint64 end)
{
  RecMuxItem item = { object, pts, dts, FALSE };

  gst_queue_array_push_tail_struct (pad->queue, &item);
  if (end != TS_TIME_NONE &&
      (pad->position == TS_TIME_NONE || end > pad->position))
    pad->position = end;
  /* a system call even where nobody waits, as in all live input */
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

/* A buffer that is only there to mark a gap. */
static gboolean
is_gap (GstBuffer *buffer)
{
  return GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP) &&
      gst_buffer_get_size (buffer) == 0;
}

/* Whether buffers without timestamps arrive at the pace of the clock, as from a
 * camera through a pipe: over a second or more, as slowly as they last, or as
 * slowly as pictures do. Lock held. */
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

/* Lock held; takes @buffer. *@entered: set to now, monotonic µs, where the pace
 * of the input is watched. */
static GstFlowReturn
accept_buffer (GstTsRecMux *self, GstTsRecMuxPad *pad, GstBuffer *buffer,
    gint64 pts, gint64 dts, gint64 *entered)
{
  if (pad->flushing || self->stopping)
    goto flushing;
  if (self->core == NULL)
    goto not_started;
  if (pad->eos)
    goto eos;
  pad->last_thread = g_thread_self ();
  pad->arrived = TRUE;
  watch_untimed (pad, buffer, pts != TS_TIME_NONE || dts != TS_TIME_NONE);
  pad->patience = REC_MUX_PATIENCE;
  if (pad->refused || is_gap (buffer) || is_codec_header (buffer)) {
    self->refused += pad->refused;
    gst_buffer_unref (buffer);
    return self->flow;
  }
  if (!self->live) {
    *entered = g_get_monotonic_time ();
    watch_pace (self, pad, dts != TS_TIME_NONE ? dts : pts, *entered);
  }
  if (!pad->placed && (pts != TS_TIME_NONE || dts != TS_TIME_NONE)) {
    place_before (pad, pts != TS_TIME_NONE ? pts : dts);
    pad->placed = TRUE;
  }
  pad->queued_bytes += gst_buffer_get_size (buffer);
  enqueue (self, pad, GST_MINI_OBJECT_CAST (buffer), pts, dts,
      get_turn (pad, pts, dts));
  if (!self->live)
    wait_for_others (self, pad);
  return GST_FLOW_OK;

  /* ERRORS */
flushing : {
  gst_buffer_unref (buffer);
  return GST_FLOW_FLUSHING;
}
not_started : {
  /* linked to a source that runs: it may go on, and nothing piles up here */
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
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

/* --- Events */

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

/* A flush of one branch is its own affair: what the others have recorded
 * stays. Only when all flush, downstream does too. */
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

/* What the stream is stays known across a flush: upstream does not say it
 * again. */
static gboolean
survives_flush (GstMiniObject *object)
{
  return GST_IS_EVENT (object) &&
      GST_EVENT_IS_STICKY (GST_EVENT_CAST (object)) &&
      GST_EVENT_TYPE (object) != GST_EVENT_EOS;
}

static void
flush_queue (GstTsRecMuxPad *pad)
{
  for (guint i = gst_queue_array_get_length (pad->queue); i > 0; i--) {
    RecMuxItem item =
        *(RecMuxItem *)gst_queue_array_pop_head_struct (pad->queue);

    if (survives_flush (item.object))
      gst_queue_array_push_tail_struct (pad->queue, &item);
    else
      gst_mini_object_unref (item.object);
  }
  pad->queued_bytes = 0;
}

void
gst_ts_rec_mux_end_flush (GstTsRecMux *self, GstEvent *event)
{
  GST_PAD_STREAM_LOCK (self->srcpad);
  self->started = FALSE; /* a flush takes the segment away */
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
  pad->position = TS_TIME_NONE;
  rec_pace_init (&pad->pace);
  gst_segment_init (&pad->segment, GST_FORMAT_UNDEFINED);
  flush_queue (pad);
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

/* A serialized event waits for its turn. Takes @event. */
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
    enqueue (self, pad, GST_MINI_OBJECT_CAST (event), start, start, end);
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
      /* It speaks of one track: nothing to those downstream. */
      break;
  }
  gst_event_unref (event);
  return TRUE;
}
