/* gst-tsrec: tsrecmux, what leaves
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Access units through the core into buffers from the pool, and what is to be
 * told about it: on the bus, and upstream where a key frame is missing.
 */

#include "config.h"

#include "gsttsrecmux-private.h"

#include <gst/audio/audio.h>
#include <gst/video/video.h>
#include <string.h>

#include "recquery.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ts_rec_mux_debug);
#define GST_CAT_DEFAULT gst_ts_rec_mux_debug

/* A key frame is asked for once in this time, until one comes. */
#define KEY_REQUEST_INTERVAL (1 * G_TIME_SPAN_SECOND)
/* What PCR leaves for scheduling, on top of the latency of the branches. */
#define PREROLL_MARGIN (500 * GST_MSECOND)
/* It is raised by itself no further. A branch with more latency, as of an
 * encoder whose pictures come rarely, is late, and keeps its times. */
#define MAX_RAISED_PREROLL (3 * GST_SECOND)

/* --- What is said */

static void
say_once (GstTsRecMux *self, GstPad *pad, RecMuxWarning said, guint64 before,
    guint64 after, const gchar *what)
{
  GError *error;

  if (after == before)
    return;
  GST_DEBUG_OBJECT (pad, "%s", what);
  if (self->said & said)
    return;
  self->said |= said;
  error = g_error_new (GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "%s: %s It goes on; further cases are counted in the property \"stats\".",
      GST_OBJECT_NAME (pad), what);
  g_queue_push_tail (&self->messages,
      gst_message_new_warning (GST_OBJECT (self), error, NULL));
  g_error_free (error);
}

/* A correction that moved the time a picture or sound is shown at, and one that
 * did not, are different things. What is late has its own sentence. */
static void
say_corrections (
    GstTsRecMux *self, GstPad *pad, const TsStats *before, const TsStats *after)
{
  if (after->late == before->late)
    say_once (self, pad, REC_MUX_WARNING_DTS_RAISED, before->dts_raised,
        after->dts_raised,
        "decoding timestamps (DTS) go back; they were raised to follow the one "
        "before. Presentation times (PTS) are as they came.");
  say_once (self, pad, REC_MUX_WARNING_PTS_NUDGED, before->pts_nudged,
      after->pts_nudged,
      "a presentation time (PTS) was moved by one tick of 90 kHz, to follow "
      "the one before.");
  say_once (self, pad, REC_MUX_WARNING_PTS_MOVED, before->pts_moved,
      after->pts_moved,
      "presentation times (PTS) were moved by more than one tick of 90 kHz: "
      "timestamps go back, or pictures are reordered by more than the stream "
      "declares.");
}

/* Live input lags by what is done to it; a file, by how it was written. */
static void
say_late (
    GstTsRecMux *self, GstPad *pad, const TsStats *before, const TsStats *after)
{
  say_once (self, pad, REC_MUX_WARNING_LATE, before->late, after->late,
      gst_ts_rec_mux_is_live (self)
          ? "this track lags behind the others by more than the preroll; its "
            "timestamps are kept, and a decoder that follows PCR gets it too "
            "late. Lower the load or the latency of its branch, or raise the "
            "property \"preroll\"."
          : "this track lags behind the others by more than the preroll; its "
            "timestamps are kept, and a decoder that follows PCR gets it too "
            "late. The input is not in the order of time: raise the property "
            "\"max-interleave\", and the mux waits longer to sort it.");
}

static void
say_what_changed (GstTsRecMux *self, GstPad *pad, const TsStats *before)
{
  TsStats after;

  ts_mux_get_stats (self->core, &after);
  say_once (self, pad, REC_MUX_WARNING_NO_TIMESTAMP, before->no_timestamp,
      after.no_timestamp,
      "an access unit without a timestamp; it follows the one before.");
  say_corrections (self, pad, before, &after);
  say_once (self, pad, REC_MUX_WARNING_JUMP, before->jumps, after.jumps,
      "a timestamp far off the others; the timeline was kept.");
  say_late (self, pad, before, &after);
  say_once (self, pad, REC_MUX_WARNING_NO_KEYFRAME, before->no_random_access,
      after.no_random_access,
      "no key frame within 10 s; the recording begins with pictures that may "
      "not be decodable. Lower the key frame interval of the encoder.");
  say_once (self, pad, REC_MUX_WARNING_EMPTY, before->empty, after.empty,
      "a buffer of zero size; it was dropped.");
  say_once (self, pad, REC_MUX_WARNING_DAMAGED, before->damaged, after.damaged,
      "a buffer that is not what its caps say; it was dropped. Put a parser "
      "in front of the pad.");
}

void
gst_ts_rec_mux_post_messages (GstTsRecMux *self)
{
  GstMessage *message;

  do {
    g_mutex_lock (&self->lock);
    message = g_queue_pop_head (&self->messages);
    g_mutex_unlock (&self->lock);
    if (message)
      gst_element_post_message (GST_ELEMENT (self), message);
  } while (message);
}

void
gst_ts_rec_mux_post_pending (GstTsRecMux *self)
{
  GstPad *pad;

  do {
    gst_ts_rec_mux_post_messages (self);
    g_mutex_lock (&self->lock);
    pad = g_queue_pop_head (&self->key_requests);
    g_mutex_unlock (&self->lock);
    if (pad) {
      GST_DEBUG_OBJECT (pad, "asking for a key frame");
      gst_pad_push_event (pad,
          gst_video_event_new_upstream_force_key_unit (
              GST_CLOCK_TIME_NONE, TRUE, 0));
      gst_object_unref (pad);
    }
  } while (pad);
}

static void
request_key_frame_if_needed (GstTsRecMux *self, GstTsRecMuxPad *pad)
{
  gint64 now;

  if (pad->track == NULL || !ts_track_needs_random_access_point (pad->track))
    return;
  now = g_get_monotonic_time ();
  if (pad->last_request != 0 && now - pad->last_request < KEY_REQUEST_INTERVAL)
    return;
  pad->last_request = now;
  g_queue_push_tail (&self->key_requests, gst_object_ref (pad));
}

/* --- Output. All of it under the stream lock of the source pad. */

static gboolean
forward_stream_start (GstTsRecMux *self)
{
  gchar *id =
      g_strdup_printf ("%s-%08x", GST_OBJECT_NAME (self), g_random_int ());
  GstEvent *event = gst_event_new_stream_start (id);

  gst_event_set_group_id (event, gst_util_group_id_next ());
  g_free (id);
  return gst_pad_push_event (self->srcpad, event);
}

/* Before anything else leaves. Lock not held. */
void
gst_ts_rec_mux_ensure_started (GstTsRecMux *self)
{
  GstSegment segment;
  GstCaps *caps;

  if (self->started)
    return;
  self->started = TRUE;
  forward_stream_start (self);
  caps = gst_pad_get_pad_template_caps (self->srcpad);
  gst_pad_push_event (self->srcpad, gst_event_new_caps (caps));
  gst_caps_unref (caps);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (self->srcpad, gst_event_new_segment (&segment));
}

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

/* How much later than the first branch the last one may be. */
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

/* Before the first access unit: where does the timeline start? Lock not
 * held. */
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

/* Whether a branch is linked that has not brought anything yet. */
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

/* Second half of muxing, lock held: packets into a buffer from the pool. */
static GstBuffer *
finish (GstTsRecMux *self, gsize size, TsOutput *output)
{
  GstBuffer *buffer;
  GstMapInfo map;

  buffer = rec_buffer_pools_acquire (&self->buffers, size);
  if (buffer == NULL || !gst_buffer_map (buffer, &map, GST_MAP_WRITE))
    goto no_memory;
  size = ts_mux_finish (self->core, map.data, map.size, output);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_set_size (buffer, (gssize)size);
  if (!output->random_access)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  /* RFC 8216 4.3.2.3: a playlist says where tracks change */
  if (output->discontinuity || !self->sent_buffer ||
      (output->random_access && self->codec_changed))
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  if (output->random_access)
    self->codec_changed = FALSE;
  self->sent_buffer = TRUE;
  if (output->pts != TS_TIME_NONE)
    GST_BUFFER_PTS (buffer) = (GstClockTime)MAX (output->pts, 0);
  if (output->dts != TS_TIME_NONE)
    GST_BUFFER_DTS (buffer) = (GstClockTime)MAX (output->dts, 0);
  if (output->duration != TS_TIME_NONE)
    GST_BUFFER_DURATION (buffer) = (GstClockTime)output->duration;
  return buffer;

  /* ERRORS */
no_memory : {
  GST_ERROR_OBJECT (self,
      "no memory for a buffer of %" G_GSIZE_FORMAT
      " bytes, dropping an access unit",
      size);
  gst_clear_buffer (&buffer);
  return NULL;
}
}

/* Pushes @buffer, which may be NULL. Lock held, and given up meanwhile. What
 * stands before a random access point leaves in a buffer of its own, so that
 * the file can be cut between the two. */
static void
push (GstTsRecMux *self, GstBuffer *buffer, const TsOutput *output)
{
  GstFlowReturn flow = GST_FLOW_OK;

  if (buffer == NULL)
    return;
  g_mutex_unlock (&self->lock);
  gst_ts_rec_mux_ensure_started (self);
  if (output->random_access_offset > 0) {
    GstBuffer *head = gst_buffer_copy_region (
        buffer, GST_BUFFER_COPY_MEMORY, 0, output->random_access_offset);

    GST_BUFFER_FLAG_SET (head, GST_BUFFER_FLAG_DELTA_UNIT);
    GST_BUFFER_PTS (head) = GST_BUFFER_PTS (buffer);
    GST_BUFFER_DTS (head) = GST_BUFFER_DTS (buffer);
    gst_buffer_resize (buffer, (gssize)output->random_access_offset, -1);
    flow = gst_pad_push (self->srcpad, head);
  }
  if (flow == GST_FLOW_OK && gst_buffer_get_size (buffer) > 0)
    flow = gst_pad_push (self->srcpad, buffer);
  else
    gst_buffer_unref (buffer);
  g_mutex_lock (&self->lock);
  self->flow = flow;
}

/* Lock held, as for all that follows unless it says otherwise. */
void
gst_ts_rec_mux_flush_held (GstTsRecMux *self)
{
  gsize size = ts_mux_begin_flush (self->core);
  TsOutput output;

  if (size > 0)
    push (self, finish (self, size, &output), &output);
}

void
gst_ts_rec_mux_remove_tracks (GstTsRecMux *self)
{
  if (self->removed->len == 0)
    return;
  gst_ts_rec_mux_flush_held (self);
  for (guint i = 0; i < self->removed->len; i++) {
    GST_INFO_OBJECT (self, "track on PID 0x%04x leaves",
        ts_track_get_pid (g_ptr_array_index (self->removed, i)));
    ts_mux_remove_track (self->core, g_ptr_array_index (self->removed, i));
  }
  g_ptr_array_set_size (self->removed, 0);
}

/* What a decoder of Opus has to leave out at the start (the pre-skip of an
 * encoder) and at the end, as opusenc and opusparse tell. */
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

void
gst_ts_rec_mux_mux_buffer (
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
  if (pad->pending)
    gst_ts_rec_mux_begin_track (self, pad);
  if (pad->track == NULL) {
    self->refused++;
    return;
  }
  if (!gst_buffer_map (in, &map, GST_MAP_READ)) {
    GST_WARNING_OBJECT (pad, "cannot read %" GST_PTR_FORMAT, in);
    return;
  }
  au.data = map.data;
  au.size = map.size;
  au.duration = GST_BUFFER_DURATION_IS_VALID (in)
      ? (gint64)GST_BUFFER_DURATION (in)
      : TS_TIME_NONE;
  if (ts_track_get_codec (pad->track) == TS_CODEC_OPUS)
    get_trim (in, &au);
  au.now = TS_TIME_NONE;
  if ((self->live || pad->paced) &&
      ts_track_needs_now (self->core, pad->track, item->pts, item->dts)) {
    GstClockTime now =
        gst_element_get_current_running_time (GST_ELEMENT (self));

    if (GST_CLOCK_TIME_IS_VALID (now))
      au.now = (gint64)now;
  }
  au.discont = GST_BUFFER_IS_DISCONT (in);
  if (!self->live)
    gst_ts_rec_mux_set_next (self, pad, item);
  ts_mux_get_stats (self->core, &before);
  if (item->estimated)
    ts_mux_note_no_timestamp (self->core);
  ts_mux_set_expecting (self->core, is_expecting (self));
  size = ts_mux_begin (self->core, pad->track, &au);
  if (size > 0)
    out = finish (self, size, &output);
  gst_buffer_unmap (in, &map);
  ts_mux_get_stats (self->core, &after);
  say_what_changed (self, GST_PAD (pad), &before);
  request_key_frame_if_needed (self, pad);
  if (after.skipped > before.skipped)
    gst_ts_rec_mux_note_skipped (self, pad, item);
  push (self, out, &output);
  if (after.access_units > before.access_units)
    gst_ts_rec_mux_note_begun (self, pad, item, first);
}

/* Nothing comes from this pad for a while. PSI and PCR go on when the clock
 * drives them; in a file, the other tracks do. */
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
    push (self, finish (self, size, &output), &output);
}
