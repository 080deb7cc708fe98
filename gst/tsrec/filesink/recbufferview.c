/* gst-tsrec: bytes and properties of one buffer, mapped and read once
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recbufferview.h"

#include "tspacket.h"

static void
map_merged (RecBufferView *view)
{
  view->merged = TRUE;
  if (!gst_buffer_map (view->buffer, &view->maps[0], GST_MAP_READ))
    return;
  view->iov[0].iov_base = view->maps[0].data;
  view->iov[0].iov_len = view->maps[0].size;
  view->n_iov = 1;
}

static void
unmap_memories (RecBufferView *view)
{
  for (guint i = 0; i < view->n_iov; i++)
    gst_memory_unmap (view->maps[i].memory, &view->maps[i]);
  view->n_iov = 0;
}

/* FALSE, with nothing mapped, if a memory cannot be mapped or, with
 * @packet_size, does not hold whole packets. */
static gboolean
map_memories (RecBufferView *view, guint n, gsize packet_size)
{
  for (guint i = 0; i < n; i++) {
    GstMemory *memory = gst_buffer_peek_memory (view->buffer, i);

    if (!gst_memory_map (memory, &view->maps[i], GST_MAP_READ)) {
      unmap_memories (view);
      return FALSE;
    }
    view->iov[i].iov_base = view->maps[i].data;
    view->iov[i].iov_len = view->maps[i].size;
    view->n_iov = i + 1;
    if (view->maps[i].size % packet_size != 0) {
      unmap_memories (view);
      return FALSE;
    }
  }
  return TRUE;
}

static guint16
get_last_pid (const RecBufferView *view)
{
  const struct iovec *last =
      view->n_iov > 0 ? &view->iov[view->n_iov - 1] : NULL;

  if (last == NULL || last->iov_len < TS_PACKET_SIZE)
    return 0;
  return ts_get_pid (
      (const guint8 *)last->iov_base + last->iov_len - TS_PACKET_SIZE);
}

static void
scan_packets (RecBufferView *view)
{
  const guint8 *first = view->n_iov > 0 ? view->iov[0].iov_base : NULL;

  view->begins_with_pat = first && view->iov[0].iov_len >= TS_PACKET_SIZE &&
      ts_has_sync_byte (first) && ts_get_pid (first) == TS_PID_PAT;
  view->pid = get_last_pid (view);
  view->has_media = view->n_iov == 0;
  for (guint i = 0; i < view->n_iov && !view->has_media; i++)
    view->has_media =
        ts_packets_have_pes_start (view->iov[i].iov_base, view->iov[i].iov_len);
}

static GstClockTime
to_running_time (const GstSegment *segment, GstClockTime time)
{
  if (segment->format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID (time))
    return GST_CLOCK_TIME_NONE;
  return gst_segment_to_running_time (segment, GST_FORMAT_TIME, time);
}

void
rec_buffer_view_map (RecBufferView *view, GstBuffer *buffer,
    const GstSegment *segment, gboolean is_ts)
{
  guint n = gst_buffer_n_memory (buffer);

  view->buffer = buffer;
  view->n_iov = 0;
  view->merged = FALSE;
  view->size = gst_buffer_get_size (buffer);
  view->time = to_running_time (segment, GST_BUFFER_DTS_OR_PTS (buffer));
  view->presentation_time = to_running_time (segment, GST_BUFFER_PTS (buffer));
  if (!GST_CLOCK_TIME_IS_VALID (view->time) ||
      !GST_CLOCK_TIME_IS_VALID (view->presentation_time))
    view->presentation_time = view->time;
  view->duration = GST_BUFFER_DURATION (buffer);
  view->random_access =
      !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  view->discont = GST_BUFFER_IS_DISCONT (buffer);
  if (n == 1 || n > REC_BUFFER_VIEW_MAX ||
      !map_memories (view, n, is_ts ? TS_PACKET_SIZE : 1))
    map_merged (view);
  if (is_ts) {
    scan_packets (view);
  } else {
    view->has_media = TRUE;
    view->pid = 0;
    view->begins_with_pat = FALSE;
  }
}

const guint8 *
rec_buffer_view_get_contiguous (RecBufferView *view)
{
  if (view->n_iov > 1) {
    unmap_memories (view);
    map_merged (view);
  }
  return view->n_iov == 1 ? view->iov[0].iov_base : NULL;
}

void
rec_buffer_view_unmap (RecBufferView *view)
{
  if (!view->merged)
    unmap_memories (view);
  else if (view->n_iov > 0)
    gst_buffer_unmap (view->buffer, &view->maps[0]);
  view->n_iov = 0;
}
