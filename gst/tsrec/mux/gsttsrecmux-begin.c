/* gst-tsrec: tsrecmux, the start of a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A recording may start in the middle of a stream, for example in a branch of
 * a tee that is linked while it plays. It then starts with the first random
 * access point, because earlier pictures cannot be decoded: the core skips
 * them. Audio waits in its queue until then, and audio from before the picture
 * is left out.
 *
 * Nothing waits once something is written, nor for pictures that a branch does
 * not send. If the pipeline has played for MIN_PLAYED at the start of the
 * recording, audio waits for MAX_ABSENT, in which a running branch sends a
 * picture. Otherwise nothing runs yet, and the first picture is a key frame.
 * After MAX_WAIT without a random access point the recording starts without
 * one.
 */

#include "config.h"

#include "gsttsrecmux-private.h"

#include "recmessage.h"

#define GST_CAT_DEFAULT gst_ts_rec_mux_debug

#define MIN_PLAYED (1 * GST_SECOND)
#define MAX_ABSENT (200 * GST_MSECOND)
#define MAX_WAIT (10 * GST_SECOND)
/* Limit of audio that waits. */
#define MAX_BYTES (8 * 1024 * 1024)

gboolean
gst_ts_rec_mux_is_mid_stream (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *head)
{
  return self->wait_for_keyframe && !self->sent_buffer &&
      GST_IS_BUFFER (head->object) &&
      GST_BUFFER_FLAG_IS_SET (head->object, GST_BUFFER_FLAG_DELTA_UNIT) &&
      gst_ts_rec_mux_pad_is_video (pad);
}

/* Returns how long other pads with an access unit of @time wait for the first
 * picture of @pad. */
static GstClockTime
get_wait (GstTsRecMuxPad *pad, gint64 time)
{
  if (!gst_ts_rec_mux_pad_is_video (pad) || pad->eos || pad->refused ||
      pad->flushing)
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
  gint64 time = rec_mux_item_get_time (head);
  GstClockTime wait = 0;

  if (!self->wait_for_keyframe || self->sent_buffer || pad->eos ||
      time == TS_TIME_NONE || pad->queued_bytes > MAX_BYTES ||
      gst_ts_rec_mux_pad_is_video (pad))
    return FALSE;
  for (guint i = 0; i < self->pads->len; i++)
    wait = MAX (wait, get_wait (g_ptr_array_index (self->pads, i), time));
  return pad->position == TS_TIME_NONE ? wait > 0
                                       : pad->position - time < (gint64)wait;
}

void
gst_ts_rec_mux_note_skipped (
    GstTsRecMux *self, GstTsRecMuxPad *pad, const RecMuxItem *item)
{
  if (pad->skipped++ == 0)
    pad->skipped_since = rec_mux_item_get_time (item);
  GST_LOG_OBJECT (pad, "skipped %" GST_PTR_FORMAT, item->object);
}

/* Leaves out audio from before @time that waits in @pad. */
static void
skip_before (GstTsRecMux *self, GstTsRecMuxPad *pad, gint64 time)
{
  RecMuxItem *head, item;

  while ((head = gst_ts_rec_mux_pad_peek (pad))) {
    gint64 item_time = rec_mux_item_get_time (head);

    if (!GST_IS_BUFFER (head->object) || item_time == TS_TIME_NONE ||
        item_time >= time)
      return;
    item = gst_ts_rec_mux_pad_pop (pad);
    gst_ts_rec_mux_note_skipped (self, pad, &item);
    self->skipped++;
    gst_mini_object_unref (item.object);
  }
}

/* Reports once per track how much was left out: in a message and in the
 * journal. */
static void
queue_skipped (GstTsRecMux *self, GstTsRecMuxPad *pad, gint64 time)
{
  GstClockTime duration = GST_CLOCK_TIME_NONE;
  GstMessage *message;

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
  gst_ts_rec_mux_queue_journalled (self, message, "skipped");
}

void
gst_ts_rec_mux_note_begun (GstTsRecMux *self, GstTsRecMuxPad *pad,
    const RecMuxItem *item, gboolean first)
{
  gint64 time = item->pts != TS_TIME_NONE ? item->pts : item->dts;

  if (first && pad->skipped > 0 && time != TS_TIME_NONE && pad->track &&
      !ts_track_is_skipping (pad->track) &&
      !(self->warnings & REC_MUX_WARNING_NO_KEYFRAME)) {
    for (guint i = 0; i < self->pads->len; i++) {
      GstTsRecMuxPad *other = g_ptr_array_index (self->pads, i);

      if (!gst_ts_rec_mux_pad_is_video (other))
        skip_before (self, other, time);
    }
  }
  if (pad->skipped > 0)
    queue_skipped (self, pad, rec_mux_item_get_time (item));
}
