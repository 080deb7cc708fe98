/* gst-tsrec: tsrecmux, an access unit
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Passes an access unit of a pad through the core. Before the first one,
 * sets the start of the timeline in the core.
 */

#include "config.h"

#include "gsttsrecmux-private.h"

#include <gst/audio/audio.h>

#include "recquery.h"

#define GST_CAT_DEFAULT gst_ts_rec_mux_debug

/* PCR stays behind by this much for scheduling, in addition to the latency of
 * the branches. */
#define PREROLL_MARGIN (500 * GST_MSECOND)
/* Upper limit of the raised preroll. A branch with more latency, for example
 * with an encoder whose pictures are rare, is late and keeps its times. */
#define MAX_RAISED_PREROLL (3 * GST_SECOND)

/* --- Start of the timeline --- */

static void
resume (GstTsRecMux *self)
{
  GstQuery *query = rec_query_new_resume ();
  RecResume *resume = g_new0 (RecResume, 1);

  if (gst_pad_peer_query (self->srcpad, query) &&
      rec_query_parse_resume (query, resume)) {
    TsResumePoint point = { resume->continuity_counter, resume->pat_version,
      resume->pmt_version, resume->sdt_version, resume->last_ts,
      (gint64)MIN (resume->elapsed, (guint64)G_MAXINT64) };

    GST_INFO_OBJECT (self,
        "going on %" GST_TIME_FORMAT " after the end of an "
        "earlier recording",
        GST_TIME_ARGS (resume->elapsed));
    g_mutex_lock (&self->lock);
    ts_mux_resume (self->core, &point);
    for (guint i = 0; i < resume->n_streams; i++)
      gst_ts_rec_mux_add_stream (
          self, resume->streams[i].pid, resume->streams[i].identity);
    g_mutex_unlock (&self->lock);
  }
  g_free (resume);
  gst_query_unref (query);
}

/* Returns how much later the last branch is than the first one. */
static GstClockTime
get_latency_spread (GstTsRecMux *self)
{
  GstClockTime min = GST_CLOCK_TIME_NONE, max = 0;

  for (guint i = 0; i < self->pads->len; i++) {
    GstTsRecMuxPad *pad = g_ptr_array_index (self->pads, i);

    if (!GST_CLOCK_TIME_IS_VALID (pad->latency))
      continue;
    min =
        GST_CLOCK_TIME_IS_VALID (min) ? MIN (min, pad->latency) : pad->latency;
    max = MAX (max, pad->latency);
  }
  return GST_CLOCK_TIME_IS_VALID (min) ? max - min : 0;
}

void
gst_ts_rec_mux_prepare (GstTsRecMux *self)
{
  GstClockTime spread;
  gint64 preroll, wanted;

  if (self->prepared)
    return;
  self->prepared = TRUE;
  resume (self);
  GST_OBJECT_LOCK (self);
  preroll = self->config.preroll;
  GST_OBJECT_UNLOCK (self);
  g_mutex_lock (&self->lock);
  spread = self->live ? get_latency_spread (self) : 0;
  wanted = (gint64)MIN (spread + PREROLL_MARGIN, MAX_RAISED_PREROLL);
  if (spread > 0 && wanted > preroll) {
    GST_INFO_OBJECT (self, "branches are %" GST_TIME_FORMAT " apart",
        GST_TIME_ARGS (spread));
    ts_mux_set_preroll (self->core, wanted);
  }
  g_mutex_unlock (&self->lock);
}

/* Returns TRUE if a linked branch has not sent anything yet. */
static gboolean
is_expecting (GstTsRecMux *self)
{
  for (guint i = 0; i < self->pads->len; i++) {
    GstTsRecMuxPad *pad = g_ptr_array_index (self->pads, i);

    if (!pad->arrived && !pad->eos && !pad->refused &&
        gst_ts_rec_mux_pad_is_fed (pad))
      return TRUE;
  }
  return FALSE;
}

/* --- The item after an item --- */

/* Stores the time that follows @item of @pad: in the same track, or in another
 * track if it is not before @item. @from: index in the queue after @item,
 * which is 0 if it has left the queue. Returns FALSE if that time is still to
 * arrive. */
static gboolean
find_next (GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *item,
    guint from, gint64 *next)
{
  gint64 time = rec_mux_item_get_time (item);
  gboolean apart = ts_track_is_apart (pad->track, item->pts, item->dts);

  if (gst_ts_rec_mux_pad_find_time (pad, from, apart, next))
    return TRUE;
  for (guint i = 0; !apart && i < self->pads->len; i++) {
    GstTsRecMuxPad *other = g_ptr_array_index (self->pads, i);

    if (other != pad && gst_ts_rec_mux_pad_find_time (other, 0, FALSE, next) &&
        *next >= time)
      return TRUE;
  }
  *next = TS_TIME_NONE;
  return pad->eos;
}

gboolean
gst_ts_rec_mux_lacks_next (GstTsRecMux *self, GstTsRecMuxPad *pad)
{
  RecMuxItem *head = gst_ts_rec_mux_pad_peek (pad);
  gint64 next;

  return pad->track &&
      ts_track_needs_next (self->core, pad->track, head->pts, head->dts) &&
      !find_next (self, pad, head, 1, &next);
}

/* Tells the core the time that follows @item of @pad, which has left its
 * queue. */
static void
set_next (GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *item)
{
  gint64 next = rec_mux_item_get_time (item);

  if (!ts_track_needs_next (self->core, pad->track, item->pts, item->dts))
    return;
  /* A clock that has advanced as far confirms the time. */
  if ((pad->pace.paced && pad->pace.in_time) ||
      find_next (self, pad, item, 0, &next))
    ts_mux_set_next (self->core, next);
}

/* --- Muxing --- */

/* Reads what a decoder of Opus has to drop at the start (the pre-skip of an
 * encoder) and at the end, from the metadata of opusenc and opusparse. */
static void
get_trim (GstBuffer *buffer, TsAccessUnit *au)
{
  const GstAudioClippingMeta *meta =
      gst_buffer_get_audio_clipping_meta (buffer);

  if (meta == NULL || meta->format != GST_FORMAT_DEFAULT)
    return;
  au->trim_start = (uint32_t)MIN (meta->start, G_MAXUINT32);
  au->trim_end = (uint32_t)MIN (meta->end, G_MAXUINT32);
}

/* Fills @au, whose timestamps are set, from @item and its mapped buffer. */
static void
describe (GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *item,
    const GstMapInfo *map, TsAccessUnit *au)
{
  GstBuffer *in = GST_BUFFER_CAST (item->object);

  au->data = map->data;
  au->size = map->size;
  au->duration = GST_BUFFER_DURATION_IS_VALID (in)
      ? (gint64)GST_BUFFER_DURATION (in)
      : TS_TIME_NONE;
  if (ts_track_get_codec (pad->track) == TS_CODEC_OPUS)
    get_trim (in, au);
  au->now = TS_TIME_NONE;
  if ((self->live || pad->paced) && !item->follows &&
      ts_track_needs_now (self->core, pad->track, item->pts, item->dts)) {
    GstClockTime now =
        gst_element_get_current_running_time (GST_ELEMENT (self));

    if (item->arrival != TS_TIME_NONE)
      au->now = item->arrival;
    else if (GST_CLOCK_TIME_IS_VALID (now))
      au->now = (gint64)now;
  }
}

void
gst_ts_rec_mux_mux_access_unit (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *item)
{
  GstBuffer *in = GST_BUFFER_CAST (item->object), *out = NULL;
  TsAccessUnit au = { .pts = item->pts, .dts = item->dts };
  gboolean first = !self->sent_buffer;
  TsStats before, after;
  TsOutput output;
  GstMapInfo map;
  gsize size;

  GST_LOG_OBJECT (pad, "%" GST_PTR_FORMAT, in);
  if (pad->track_pending)
    gst_ts_rec_mux_begin_track (self, pad);
  if (pad->track == NULL) {
    self->refused++;
    return;
  }
  if (!gst_buffer_map (in, &map, GST_MAP_READ)) {
    GST_WARNING_OBJECT (pad, "cannot read %" GST_PTR_FORMAT, in);
    return;
  }
  describe (self, pad, item, &map, &au);
  if (!self->live)
    set_next (self, pad, item);
  ts_mux_get_stats (self->core, &before);
  if (item->estimated)
    ts_mux_note_no_timestamp (self->core);
  ts_mux_set_expecting (self->core, is_expecting (self));
  size = ts_mux_begin (self->core, pad->track, &au);
  if (size > 0)
    out = gst_ts_rec_mux_finish (self, size, &output);
  gst_buffer_unmap (in, &map);
  ts_mux_get_stats (self->core, &after);
  gst_ts_rec_mux_warn_of_changes (self, GST_PAD (pad), &before);
  gst_ts_rec_mux_request_key_frame (self, pad);
  if (after.skipped > before.skipped)
    gst_ts_rec_mux_note_skipped (self, pad, item);
  gst_ts_rec_mux_push (self, out, &output);
  if (after.access_units > before.access_units)
    gst_ts_rec_mux_note_begun (self, pad, item, first);
}

/* Nothing arrives on @pad for a while. For live input the clock drives PSI and
 * PCR, in a file the other tracks do. */
void
gst_ts_rec_mux_mux_gap (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *item)
{
  GstClockTime now;
  TsOutput output;
  gsize size;

  if (!gst_ts_rec_mux_is_live (self))
    return;
  now = gst_element_get_current_running_time (GST_ELEMENT (self));
  size = ts_mux_begin_idle (self->core, pad->track, item->dts,
      GST_CLOCK_TIME_IS_VALID (now) ? (gint64)now : TS_TIME_NONE);
  if (size > 0)
    gst_ts_rec_mux_push (
        self, gst_ts_rec_mux_finish (self, size, &output), &output);
}
