/* gst-tsrec: tsrecmux, output
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pushes packets of the core on the source pad, in buffers from the pools. The
 * stream lock of the source pad is held.
 */

#include "config.h"

#include "gsttsrecmux-private.h"

#define GST_CAT_DEFAULT gst_ts_rec_mux_debug

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

GstBuffer *
gst_ts_rec_mux_finish (GstTsRecMux *self, gsize size, TsOutput *output)
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
  /* RFC 8216 4.3.2.3: a playlist marks changes of the tracks. */
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

void
gst_ts_rec_mux_push (
    GstTsRecMux *self, GstBuffer *buffer, const TsOutput *output)
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

void
gst_ts_rec_mux_flush_pending (GstTsRecMux *self)
{
  gsize size = ts_mux_begin_flush (self->core);
  TsOutput output;

  if (size > 0)
    gst_ts_rec_mux_push (
        self, gst_ts_rec_mux_finish (self, size, &output), &output);
}

void
gst_ts_rec_mux_remove_tracks (GstTsRecMux *self)
{
  if (self->removed->len == 0)
    return;
  gst_ts_rec_mux_flush_pending (self);
  for (guint i = 0; i < self->removed->len; i++) {
    GST_INFO_OBJECT (self, "track on PID 0x%04x leaves",
        ts_track_get_pid (g_ptr_array_index (self->removed, i)));
    ts_mux_remove_track (self->core, g_ptr_array_index (self->removed, i));
  }
  g_ptr_array_set_size (self->removed, 0);
}
