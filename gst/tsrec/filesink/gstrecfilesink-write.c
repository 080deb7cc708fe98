/* gst-tsrec: recfilesink, one buffer: the write and its accounting
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecfilesink-private.h"

#include "tspacket.h"

#include <errno.h>

#define GST_CAT_DEFAULT gst_rec_file_sink_debug

/* Tracks that start within this time are named in all tables of the file. */
#define START_TIME (5 * GST_SECOND)

/* --- tables: the only bytes that are changed after they were written, see
 * tspmtpatch.h */

static gboolean
is_at_start (GstRecFileSink *self, GstClockTime time)
{
  const RecFragment *fragment = self->fragment;

  return self->packet_size == TS_PACKET_SIZE && fragment->file.regular &&
      GST_CLOCK_TIME_IS_VALID (time) &&
      (!GST_CLOCK_TIME_IS_VALID (fragment->opened_time) ||
          time < fragment->opened_time + START_TIME);
}

/* Returns the number of tables in the file that do not name a track of the one
 * in @view, which is not written yet. */
static guint
find_incomplete_tables (GstRecFileSink *self, RecBufferView *view)
{
  const guint8 *data;

  if (!self->first_pmt.watching)
    return 0;
  data = is_at_start (self, view->time) ? rec_buffer_view_get_contiguous (view)
                                        : NULL;
  if (!data) {
    self->first_pmt.watching = FALSE;
    return 0;
  }
  return ts_pmt_patch_scan (
      &self->first_pmt, data, view->size, self->fragment->file.size);
}

static gint
rewrite_table (GstRecFileSink *self, guint i, gboolean old)
{
  guint8 packet[TS_PACKET_SIZE];
  guint64 offset = ts_pmt_patch_get (&self->first_pmt, i, old, packet);

  return rec_file_rewrite (
      &self->fragment->file, offset, packet, sizeof (packet));
}

/* Completes @n tables, once the one that names all tracks is in the file. An
 * error is logged; nothing else depends on the tables. */
static void
complete_tables (GstRecFileSink *self, guint n)
{
  for (guint i = n; i > 0; i--) {
    gint err = rewrite_table (self, i - 1, FALSE);

    if (err) {
      GST_WARNING_OBJECT (self,
          "the tables at the start of \"%s\" are not complete: %s",
          self->fragment->path, g_strerror (err));
      /* the failed write may have left part of the packet */
      rewrite_table (self, i - 1, TRUE);
      self->first_pmt.watching = FALSE;
      return;
    }
  }
  if (n > 0)
    GST_INFO_OBJECT (self, "completed %u tables at the start of \"%s\"", n,
        self->fragment->path);
}

/* --- one write --- */

static gint
write_once (GstRecFileSink *self, const RecBufferView *view)
{
  GstRecFileSinkCounters *counters = &self->counters;
  gint64 began = g_get_monotonic_time ();
  guint64 latency;
  gint err;

  if (view->n_iov == 0)
    return ENOMEM;
  counters->write_began = began;
  err = rec_file_write (&self->fragment->file, view->iov, (gint)view->n_iov);
  latency = (g_get_monotonic_time () - began) * GST_USECOND;
  counters->write_began = 0;
  if (err)
    return err;
  counters->latency_sum += latency;
  if (latency > counters->latency_max)
    counters->latency_max = latency;
  return 0;
}

/* Waits while a pipe is full; a state change or a flush ends the wait. */
static GstFlowReturn
write_waiting (GstRecFileSink *self, const RecBufferView *view, gint *err)
{
  GstFlowReturn ret;

  while ((*err = write_once (self, view)) == ECANCELED) {
    ret = gst_base_sink_wait_preroll (GST_BASE_SINK (self));
    if (ret != GST_FLOW_OK)
      return ret;
  }
  return GST_FLOW_OK;
}

/* --- accounting --- */

static void
forget_resume (GstRecFileSink *self)
{
  if (self->counters.buffers_written > 0)
    return;
  GST_OBJECT_LOCK (self);
  g_clear_pointer (&self->resume, g_free);
  GST_OBJECT_UNLOCK (self);
}

static void
note_time (GstRecFileSink *self, GstClockTime time)
{
  RecFragment *fragment = self->fragment;

  if (!GST_CLOCK_TIME_IS_VALID (time))
    return;
  if (!GST_CLOCK_TIME_IS_VALID (fragment->opened_time)) {
    fragment->opened_time = time;
    gst_rec_file_sink_cut_begin (self, time);
  }
  self->counters.last_time = time;
  fragment->last_time = time;
}

static void
note_gaps (GstRecFileSink *self, const RecBufferView *view)
{
  RecGap gap;

  if (rec_media_time_end_resume (&self->media_time, view->time, &gap))
    gst_rec_file_sink_report_gap (self, &gap);
  if (view->has_media &&
      rec_media_time_add_written (
          &self->media_time, view->time, view->duration, &gap))
    gst_rec_file_sink_report_gap (self, &gap);
}

/* @view is the last buffer in the playlist's file. */
static void
note_playlist (GstRecFileSink *self, const RecBufferView *view)
{
  gboolean is_ts = self->packet_size == TS_PACKET_SIZE;
  RecHlsWrite write = {
    .offset = self->fragment->file.size - view->size,
    .size = view->size,
    .time = view->presentation_time,
    .duration = view->duration,
    .reordered = view->time < view->presentation_time,
    .pid = view->pid,
    .is_ts = is_ts,
    /* only an access unit after its tables can begin an entry */
    .random_access = view->random_access && (view->begins_with_pat || !is_ts),
    .discont = view->discont,
  };

  if (rec_hls_writer_add (self->hls, &write))
    gst_rec_file_sink_request_key_unit (self);
}

static void
note_written (GstRecFileSink *self, const RecBufferView *view)
{
  forget_resume (self);
  self->counters.file_size = self->fragment->file.size;
  self->counters.bytes_written += view->size;
  self->counters.buffers_written++;
  note_time (self, view->time);
  note_gaps (self, view);
  rec_syncer_notify_written (self->syncer);
  note_playlist (self, view);
}

static GstFlowReturn
drop (GstRecFileSink *self, const RecBufferView *view)
{
  self->counters.bytes_dropped += view->size;
  self->counters.buffers_dropped++;
  rec_hls_writer_note_loss (self->hls);
  if (view->has_media)
    rec_media_time_add_dropped (&self->media_time, view->time);
  return GST_FLOW_OK;
}

/* --- a buffer --- */

GstFlowReturn
gst_rec_file_sink_wait_durable (GstRecFileSink *self)
{
  GstFlowReturn ret;

  while (!rec_syncer_wait (self->syncer)) {
    ret = gst_base_sink_wait_preroll (GST_BASE_SINK (self));
    if (ret != GST_FLOW_OK)
      return ret;
  }
  return GST_FLOW_OK;
}

/* @view could not be written because of @fault. */
static GstFlowReturn
drop_after_fault (GstRecFileSink *self, RecDiskFault fault, gint err,
    const RecBufferView *view)
{
  GstFlowReturn ret = gst_rec_file_sink_handle_fault (self, fault, err, view);

  return ret == GST_FLOW_OK ? drop (self, view) : ret;
}

/* Opens a file for @view if that is due, and checks the open file. Sets @ready
 * when @view can be written; otherwise it was dropped. */
static GstFlowReturn
prepare_file (GstRecFileSink *self, const RecBufferView *view, gboolean *ready)
{
  GstFlowReturn ret;
  RecDiskFault fault;
  gint err;

  *ready = FALSE;
  if (!gst_rec_file_sink_may_write (self, view))
    return drop (self, view);
  err = gst_rec_file_sink_prepare_fragment (self, view);
  if (err) {
    ret = gst_rec_file_sink_handle_open_error (self, err, view);
    return ret == GST_FLOW_OK ? drop (self, view) : ret;
  }
  fault = gst_rec_file_sink_check_file (self, view->time);
  if (fault == REC_DISK_DELETED || fault == REC_DISK_TRUNCATED) {
    gst_rec_file_sink_begin_resync (self);
    if (view->random_access && !self->faults.resync_understood)
      return prepare_file (self, view, ready);
    return drop (self, view);
  }
  if (fault)
    return drop_after_fault (self, fault, EIO, view);
  *ready = TRUE;
  return GST_FLOW_OK;
}

static GstFlowReturn
write_view (GstRecFileSink *self, RecBufferView *view)
{
  GstFlowReturn ret;
  gboolean ready;
  guint n_tables;
  gint err;

  ret = prepare_file (self, view, &ready);
  if (!ready)
    return ret;
  n_tables = find_incomplete_tables (self, view);
  ret = write_waiting (self, view, &err);
  if (ret != GST_FLOW_OK)
    return ret;
  if (err)
    return drop_after_fault (self, rec_disk_fault_from_errno (err), err, view);
  if (self->faults.phase != REC_FAULT_WRITING)
    gst_rec_file_sink_end_fault (self, view->time);
  complete_tables (self, n_tables);
  note_written (self, view);
  return GST_FLOW_OK;
}

GstFlowReturn
gst_rec_file_sink_write_buffer (GstRecFileSink *self, GstBuffer *buffer)
{
  guint64 written = self->counters.buffers_written;
  RecBufferView view;
  GstFlowReturn ret;

  if (gst_buffer_get_size (buffer) == 0)
    return GST_FLOW_OK;
  rec_buffer_view_map (&view, buffer, &GST_BASE_SINK (self)->segment,
      self->packet_size == TS_PACKET_SIZE);
  ret = write_view (self, &view);
  rec_buffer_view_unmap (&view);
  if (self->counters.buffers_written > written &&
      gst_rec_file_sink_get_settings (self).sync_interval == REC_SYNCER_ALWAYS)
    return gst_rec_file_sink_wait_durable (self);
  return ret;
}
