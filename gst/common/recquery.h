/* gst-tsrec: what the elements ask of each other along the pads
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The elements never include each other and never look each other up by name:
 * they meet in these custom queries and in the events of recevent.h, which pass
 * through queues, tees and bins, and which an application or another muxer may
 * answer too.
 *
 * Ownership: constructors return a new query that the caller owns.
 * Parsers return FALSE when the object is of another kind or was not answered;
 * outputs are then untouched. All of it is thread safe.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* --- query "tsrec-written": downstream; recmonitor asks, recfilesink answers.
 *
 * Answered from any thread without taking a lock that is held during a write,
 * so it also answers while a write hangs.
 */

/**
 * RecWritten:
 * @bytes_written: bytes accepted by the kernel in this recording, over all
 *   fragments
 * @bytes_durable: of these, bytes covered by a successful fdatasync
 * @bytes_dropped: bytes received and not written, as the disk was full or
 *   failed; 0 from a sink that does not say
 * @file_size: size of the current file (fragment), bytes
 * @buffers_written: buffers (access units) accepted
 * @write_blocked: how long the write that is now under way has been going on,
 *   ns; 0 when none is
 * @waiting_for_disk: TRUE while on-disk-full=wait drops access units
 */
typedef struct
{
  guint64 bytes_written;
  guint64 bytes_durable;
  guint64 bytes_dropped;
  guint64 file_size;
  guint64 buffers_written;
  GstClockTime write_blocked;
  gboolean waiting_for_disk;
} RecWritten;

GstQuery *rec_query_new_written (void);
gboolean rec_query_is_written (GstQuery *query);
/* @location: the current file, or the name or pattern of the first one before
 * it is open; may be NULL. */
void rec_query_set_written (
    GstQuery *query, const RecWritten *written, const gchar *location);
/* @location: NULL, or set to a string the caller frees (NULL if unknown). */
gboolean rec_query_parse_written (
    GstQuery *query, RecWritten *written, gchar **location);

/* --- query "tsrec-resume": downstream; tsrecmux asks once, before its first
 * packet; recfilesink answers when it goes on in a file that was left by an
 * earlier run. */

#define REC_RESUME_N_PIDS 8192
#define REC_RESUME_CC_NONE 0xff
#define REC_RESUME_MAX_STREAMS 64

/* A PID of the file and the identity of the stream on it, as
 * ts_psi_get_identity() has it. */
typedef struct
{
  guint16 pid;
  guint64 identity;
} RecResumeStream;

/**
 * RecResume:
 * @continuity_counter: the last continuity_counter of each PID in the file,
 *   REC_RESUME_CC_NONE for a PID that is not in it
 * @pat_version: version_number of the last PAT, -1 when there was none
 * @pmt_version: version_number of the last PMT, -1 when there was none
 * @sdt_version: version_number of the last SDT, -1 when there was none
 * @last_ts: highest PCR, DTS or PTS in the file, 90 kHz units, 33 bit
 * @elapsed: wall-clock time since the file was last written, ns
 * @n_streams: of @streams
 * @streams: what the tables at the end of the file name
 */
typedef struct
{
  guint8 continuity_counter[REC_RESUME_N_PIDS];
  gint pat_version;
  gint pmt_version;
  gint sdt_version;
  guint64 last_ts;
  GstClockTime elapsed;
  guint n_streams;
  RecResumeStream streams[REC_RESUME_MAX_STREAMS];
} RecResume;

GstQuery *rec_query_new_resume (void);
gboolean rec_query_is_resume (GstQuery *query);
void rec_query_set_resume (GstQuery *query, const RecResume *resume);
gboolean rec_query_parse_resume (GstQuery *query, RecResume *resume);

/* --- query "tsrec-source": upstream; recmonitor asks, the source answers
 * whether media can be expected of it. Answered from any thread without taking
 * a lock that is held while data is pushed. A source that does not answer is
 * expected to send all the time.
 */

/**
 * RecSource:
 * @connected: a peer is connected to the source
 * @waiting: nothing is expected on this pad now: nobody has to be connected, or
 *   the peer that is connected does not send this kind of media
 * @packets_dropped: packets that the kernel has dropped, as the receive buffer of
 *   a socket was full, since the start; 0 from a source that does not say
 */
typedef struct
{
  gboolean connected;
  gboolean waiting;
  guint64 packets_dropped;
} RecSource;

GstQuery *rec_query_new_source (void);
gboolean rec_query_is_source (GstQuery *query);
void rec_query_set_source (GstQuery *query, const RecSource *source);
gboolean rec_query_parse_source (GstQuery *query, RecSource *source);

G_END_DECLS
