/* gst-tsrec: HLS playlist of a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Divides the recording into entries and writes them to a RecHlsPlaylist. An
 * entry begins and ends at a random access point, so that it can be decoded
 * alone. It is added when the next random access point has been written: the
 * playlist never names a byte that is not in the file. If pictures may follow
 * that point in the file and precede it in output order, as in an open GOP,
 * the entry ends before these, and is added when the first other one arrives.
 *
 * A playlist error never stops the recording. It is posted once as a warning of
 * the element; entries that cannot be written are kept, up to a limit, and
 * tried again with the next entry.
 *
 * Threads: streaming thread. Every function but rec_hls_writer_new() accepts
 * NULL, for a recording without a playlist, and then does nothing.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * RecHlsWrite:
 * @offset: position of the buffer in the file, bytes
 * @size: size of the buffer, bytes
 * @time: running time at which the buffer is presented, ns;
 *   GST_CLOCK_TIME_NONE: unknown. EXTINF is the duration of the presentation
 *   (RFC 8216, 4.3.2.1).
 * @duration: duration of the buffer, ns; GST_CLOCK_TIME_NONE: unknown
 * @reordered: it is presented after it is decoded, so that other pictures may
 *   follow it and be presented before it
 * @pid: PID of the access unit
 * @is_ts: the recording is a transport stream of packets of 188 bytes
 * @random_access: an entry can begin with the buffer: decoding can begin there,
 *   and a transport stream repeats its tables (ISO/IEC 13818-1, 2.4.4)
 * @discont: data is missing before the buffer
 *
 * One buffer that was written to the current fragment.
 */
typedef struct
{
  guint64 offset;
  guint64 size;
  GstClockTime time;
  GstClockTime duration;
  gboolean reordered;
  guint16 pid;
  gboolean is_ts;
  gboolean random_access;
  gboolean discont;
} RecHlsWrite;

typedef struct _RecHlsWriter RecHlsWriter;

/* @element: posts warnings and is named in logs; must outlive the writer.
 * @location: path of the playlist, with strftime(3) conversions; NULL: returns
 * NULL. @target_duration: wanted duration of an entry, ns. @resume: continue
 * the newest playlist of an earlier run. Writes nothing yet. */
RecHlsWriter *rec_hls_writer_new (GstElement *element, const gchar *location,
    guint64 target_duration, gboolean resume);

/* Frees the writer; the playlist on disk stays as it is. */
void rec_hls_writer_free (RecHlsWriter *self);

/* The recording continues in the file @path. @pattern: pattern of the recorded
 * files, may be NULL. @regular: the file is a regular file. */
void rec_hls_writer_begin_fragment (RecHlsWriter *self, const gchar *path,
    const gchar *pattern, gboolean regular);

/* A buffer was written. Returns TRUE when the open entry is so long that a
 * random access point should be requested. */
gboolean rec_hls_writer_add (RecHlsWriter *self, const RecHlsWrite *write);

/* A buffer was dropped. */
void rec_hls_writer_note_loss (RecHlsWriter *self);

/* The current file was truncated to @size bytes. */
void rec_hls_writer_truncate (RecHlsWriter *self, guint64 size);

/* The next fragment begins with a buffer that is presented at running time
 * @time, ns. @reordered: as in RecHlsWrite. To be called before
 * rec_hls_writer_end_fragment(). */
void rec_hls_writer_next_fragment (
    RecHlsWriter *self, GstClockTime time, gboolean reordered);

/* The current fragment is complete and has @size bytes. */
void rec_hls_writer_end_fragment (RecHlsWriter *self, guint64 size);

/* The recording has ended: adds EXT-X-ENDLIST (RFC 8216, 4.3.3.4). A buffer
 * after that removes it again. */
void rec_hls_writer_end (RecHlsWriter *self);

G_END_DECLS
