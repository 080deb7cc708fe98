/* gst-tsrec: bytes and properties of one buffer, mapped and read once
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

#include <sys/uio.h>

G_BEGIN_DECLS

/* Buffers of more memories are merged. */
#define REC_BUFFER_VIEW_MAX 64

/**
 * RecBufferView:
 * @iov: the bytes of the buffer, in order
 * @n_iov: number of entries in @iov; 0: the buffer could not be mapped
 * @size: size of the buffer, bytes
 * @time: running time of the buffer (DTS, else PTS), ns; GST_CLOCK_TIME_NONE:
 *   unknown
 * @presentation_time: running time at which the buffer is presented (PTS), ns;
 *   @time if there is no PTS. Pictures are written before that, and earlier if
 *   they are reordered.
 * @duration: duration of the buffer, ns; GST_CLOCK_TIME_NONE: unknown
 * @random_access: decoding can begin with the buffer
 * @discont: data is missing before the buffer
 * @has_media: a PES packet begins in the buffer (ISO/IEC 13818-1, 2.4.3.6);
 *   always TRUE for other formats than transport streams
 * @pid: PID of the last packet, which belongs to the access unit of the buffer;
 *   0 for other formats than transport streams
 * @begins_with_pat: the first packet carries the PAT (2.4.3.3, table 2-3)
 *
 * The other fields are private.
 */
typedef struct
{
  struct iovec iov[REC_BUFFER_VIEW_MAX];
  guint n_iov;
  gsize size;
  GstClockTime time;
  GstClockTime presentation_time;
  GstClockTime duration;
  gboolean random_access;
  gboolean discont;
  gboolean has_media;
  guint16 pid;
  gboolean begins_with_pat;

  GstBuffer *buffer;
  gboolean merged;
  GstMapInfo maps[REC_BUFFER_VIEW_MAX];
} RecBufferView;

/* Maps @buffer, which must stay alive until rec_buffer_view_unmap(), and reads
 * its packets when @is_ts. Transport packets never span two entries of `iov`.
 * @segment: to convert timestamps. */
void rec_buffer_view_map (RecBufferView *view, GstBuffer *buffer,
    const GstSegment *segment, gboolean is_ts);

/* Returns all bytes in one block, and merges several memories for that; NULL if
 * the buffer cannot be mapped. */
const guint8 *rec_buffer_view_get_contiguous (RecBufferView *view);

void rec_buffer_view_unmap (RecBufferView *view);

G_END_DECLS
