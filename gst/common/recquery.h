/* gst-tsrec: custom queries between the elements
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The elements neither include each other nor look each other up by name. They
 * use these queries and the events of recevent.h, which pass through queues, tees
 * and bins. An application or another mux may answer them too.
 *
 * Constructors return a new query that the caller owns. Parsers return FALSE if
 * the query is of another kind or was not answered, and leave their outputs
 * unchanged then. All functions are thread safe.
 */

#pragma once

#include "tspacket.h"

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
 * @bytes_durable: bytes covered by a successful fdatasync
 * @bytes_dropped: bytes received but not written, because the disk was full or
 *   failed; 0 from a sink that does not report it
 * @file_size: size of the current file (fragment), bytes
 * @buffers_written: buffers (access units) accepted
 * @write_blocked: age of the current write, ns; 0 if there is none
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
/* @location: the current file; before it is open, the name or pattern of the
 * first file; or NULL. */
void rec_query_set_written (
    GstQuery *query, const RecWritten *written, const gchar *location);
/* @location: NULL, or receives a string that the caller frees, NULL if the file
 * is unknown. */
gboolean rec_query_parse_written (
    GstQuery *query, RecWritten *written, gchar **location);
/* The property `recording-id` of the sink; NULL where it is not set. */
void rec_query_set_recording_id (GstQuery *query, const gchar *id);
/* Owned by the query. */
const gchar *rec_query_get_recording_id (GstQuery *query);

/* --- query "tsrec-resume": downstream; tsrecmux asks once, before its first
 * packet; recfilesink answers if it continues a file of an earlier run. */

#define REC_RESUME_MAX_STREAMS 64

/* A PID of the file and the identity of its stream (ts_psi_get_identity()). */
typedef struct
{
  guint16 pid;
  guint64 identity;
} RecResumeStream;

/**
 * RecResume:
 * @continuity_counter: the last continuity_counter of each PID in the file,
 *   TS_CC_NONE for a PID that is not in it
 * @pat_version: version_number of the last PAT, -1 if there was none
 * @pmt_version: version_number of the last PMT, -1 if there was none
 * @sdt_version: version_number of the last SDT, -1 if there was none
 * @last_ts: highest PCR, DTS or PTS in the file, 90 kHz units, 33 bit
 * @elapsed: wall-clock time since the file was last written, ns
 * @n_streams: number of @streams
 * @streams: elementary streams of the last tables in the file
 */
typedef struct
{
  guint8 continuity_counter[TS_N_PIDS];
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
 * whether media is expected. Answered from any thread, without a lock that is
 * held while data is pushed. A source that does not answer is expected to send
 * all the time.
 */

/**
 * RecSource:
 * @connected: a peer is connected to the source
 * @waiting: no media is expected on this pad now, because no peer has to be
 *   connected or the connected peer does not send this kind of media
 * @packets_dropped: packets that the kernel has dropped since the start because
 *   the receive buffer of a socket was full; 0 from a source that does not report
 *   it
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
