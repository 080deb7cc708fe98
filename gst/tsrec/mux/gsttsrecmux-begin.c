/* gst-tsrec: tsrecmux, with what a recording begins
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A recording that is begun in the middle of a stream (a branch of a tee that
 * is linked while it plays) begins with the first random access point, as
 * nobody can decode the pictures before: the core skips them. Sound waits in
 * its queue until then, and what is older than the picture is left out.
 *
 * Nothing waits once something is written, and nothing waits for pictures that
 * a branch does not bring: where the pipeline has played for MIN_PLAYED when the
 * recording begins, sound does for MAX_ABSENT, in which a branch that runs has
 * brought one; otherwise nothing runs yet, and the first picture is a key
 * frame. After MAX_WAIT without a random access point the
 * recording begins with what there is.
 */

#include "config.h"

#include "gsttsrecmux-private.h"

#include "recmessage.h"
#include "recevent.h"

GST_DEBUG_CATEGORY_EXTERN (gst_ts_rec_mux_debug);
#define GST_CAT_DEFAULT gst_ts_rec_mux_debug

#define MIN_PLAYED (1 * GST_SECOND)
#define MAX_ABSENT (200 * GST_MSECOND)
#define MAX_WAIT (10 * GST_SECOND)
/* Sound that waits. */
#define MAX_BYTES (8 * 1024 * 1024)

/* By its name as long as it has no caps. */
static gboolean
is_video_pad (GstTsRecMuxPad *pad)
{
  if (pad->caps)
    return ts_codec_is_video (pad->codec);
  return g_str_has_prefix (
      GST_PAD_TEMPLATE_NAME_TEMPLATE (GST_PAD_PAD_TEMPLATE (GST_PAD (pad))),
      "video");
}

gboolean
gst_ts_rec_mux_is_mid_stream (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *head)
{
  return self->wait_for_keyframe && !self->sent_buffer &&
      GST_IS_BUFFER (head->object) &&
      GST_BUFFER_FLAG_IS_SET (head->object, GST_BUFFER_FLAG_DELTA_UNIT) &&
      is_video_pad (pad);
}

/* How long others with an access unit of @time wait for the first picture of
 * @pad. */
static GstClockTime
get_wait (GstTsRecMuxPad *pad, gint64 time)
{
  if (!is_video_pad (pad) || pad->eos || pad->refused || pad->flushing)
    return 0;
  if (pad->track && ts_track_is_skipping (pad->track))
    return MAX_WAIT;
  if (pad->position == TS_TIME_NONE && time >= (gint64)MIN_PLAYED &&
      gst_ts_rec_mux_pad_is_fed (pad))
    return MAX_ABSENT;
  return 0;
}

gboolean
gst_ts_rec_mux_waits_for_picture (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *head)
{
  gint64 time = gst_ts_rec_mux_get_item_time (head);
  GstClockTime wait = 0;

  if (!self->wait_for_keyframe || self->sent_buffer || pad->eos ||
      time == TS_TIME_NONE || pad->queued_bytes > MAX_BYTES ||
      is_video_pad (pad))
    return FALSE;
  for (guint i = 0; i < self->pads->len; i++)
    wait = MAX (wait, get_wait (g_ptr_array_index (self->pads, i), time));
  return pad->position - time < (gint64)wait;
}

void
gst_ts_rec_mux_note_skipped (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *item)
{
  if (pad->skipped++ == 0)
    pad->skipped_since = gst_ts_rec_mux_get_item_time (item);
  GST_LOG_OBJECT (pad, "skipped %" GST_PTR_FORMAT, item->object);
}

/* Sound that waits in @pad, from before @time. */
static void
skip_before (GstTsRecMux *self, GstTsRecMuxPad *pad, gint64 time)
{
  while (!gst_queue_array_is_empty (pad->queue)) {
    RecMuxItem item =
        *(RecMuxItem *)gst_queue_array_peek_head_struct (pad->queue);
    gint64 item_time = gst_ts_rec_mux_get_item_time (&item);

    if (!GST_IS_BUFFER (item.object) || item_time == TS_TIME_NONE ||
        item_time >= time)
      return;
    gst_queue_array_pop_head_struct (pad->queue);
    pad->queued_bytes -= gst_buffer_get_size (GST_BUFFER_CAST (item.object));
    gst_ts_rec_mux_note_skipped (self, pad, &item);
    self->skipped++;
    gst_mini_object_unref (item.object);
  }
}

/* Once for each track: in a message, and in the journal. */
static void
say_skipped (GstTsRecMux *self, GstTsRecMuxPad *pad, gint64 time)
{
  GstClockTime duration = GST_CLOCK_TIME_NONE;
  GstMessage *message;
  GstStructure *entry;

  if (time != TS_TIME_NONE && pad->skipped_since != TS_TIME_NONE &&
      time >= pad->skipped_since)
    duration = (GstClockTime)time - (GstClockTime)pad->skipped_since;
  GST_INFO_OBJECT (pad,
      "%" G_GUINT64_FORMAT " access units before the first random access point "
      "were left out, %" GST_TIME_FORMAT,
      pad->skipped, GST_TIME_ARGS (duration));
  message = rec_message_new_skipped (
      GST_ELEMENT (self), GST_PAD (pad), pad->skipped, duration);
  pad->skipped = 0;
  entry = gst_structure_copy (gst_message_get_structure (message));
  gst_structure_set_name (entry, "skipped");
  g_queue_push_tail (&self->messages, message);
  g_mutex_unlock (&self->lock);
  gst_ts_rec_mux_ensure_started (self);
  gst_pad_push_event (self->srcpad, rec_event_new_journal (entry));
  g_mutex_lock (&self->lock);
}

void
gst_ts_rec_mux_note_begun (GstTsRecMux *self, GstTsRecMuxPad *pad,
    const RecMuxItem *item, gboolean first)
{
  gint64 time = item->pts != TS_TIME_NONE ? item->pts : item->dts;

  if (first && pad->skipped > 0 && time != TS_TIME_NONE && pad->track &&
      !ts_track_is_skipping (pad->track) &&
      !(self->said & REC_MUX_WARNING_NO_KEYFRAME)) {
    for (guint i = 0; i < self->pads->len; i++) {
      GstTsRecMuxPad *other = g_ptr_array_index (self->pads, i);

      if (!is_video_pad (other))
        skip_before (self, other, time);
    }
  }
  if (pad->skipped > 0)
    say_skipped (self, pad, gst_ts_rec_mux_get_item_time (item));
}
