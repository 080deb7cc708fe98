/* gst-tsrec: what the elements ask of and tell each other along the pads
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The elements never include each other and never look each other up by name:
 * they meet in these custom queries and events, which pass through queues,
 * tees and bins, and which an application or another muxer may answer too.
 *
 * Ownership: constructors return a new query or event that the caller owns.
 * Parsers return FALSE when the object is of another kind or was not answered;
 * outputs are then untouched. All of it is thread safe.
 */

#pragma once

#include "recstall.h"

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

/* --- event "tsrec-resync": upstream; recfilesink sends it when bytes of the
 * stream did not reach the file (disk full, failed write) and writing can go
 * on. tsrecmux then asks its video tracks for a key frame, and marks the next
 * random access point buffer GST_BUFFER_FLAG_DISCONT; from that buffer on the
 * first packet of every PID carries discontinuity_indicator=1. The sink drops
 * everything before that buffer. Where no video flows, the next buffer that
 * starts with PSI counts as the random access point.
 *
 * gst_pad_push_event() returns FALSE when nobody upstream understood it; the
 * sink then goes on at the next buffer that is not a DELTA_UNIT. */
GstEvent *rec_event_new_resync (void);
gboolean rec_event_is_resync (GstEvent *event);

/* --- event "tsrec-journal": downstream, serialized; anything upstream of
 * recfilesink may send it, and recfilesink adds the time and writes it to the
 * journal as one line. Other elements pass it on. @fields: a structure named
 * after the journal event ("gap", "caps-changed", "track-rejected", …) with
 * fields of basic types; the event takes ownership of it. */
GstEvent *rec_event_new_journal (GstStructure *fields);
/* Returns the structure, owned by the event, or NULL. */
const GstStructure *rec_event_parse_journal (GstEvent *event);

/* --- event "tsrec-session": downstream, serialized; a source sends it on each
 * of its pads before the first buffer of a session (a publisher that connects,
 * also again), with the same @session_id on all. recfilesink writes it to the
 * journal and, with `new-file-per-session`, begins a new file at the next
 * random access point. Other elements pass it on. */
GstEvent *rec_event_new_session (const gchar *session_id);
/* Returns the id, owned by the event ("" where it has none), or NULL. */
const gchar *rec_event_parse_session (GstEvent *event);

/* --- query "tsrec-stages": upstream or downstream; a recmonitor asks, and
 * every recmonitor on the way adds a report and passes the query on.
 *
 * Nobody answers it: the return value of gst_pad_query() says nothing, and
 * because it is FALSE an element with several pads sends the query along all
 * of them. Elements that know nothing of it just have to pass it on, which is
 * what gst_pad_query_default() does. It is asked from a timer, so whoever
 * reports takes no lock that is held while data is pushed. */

GstQuery *rec_query_new_stages (guint64 asker);
gboolean rec_query_is_stages (GstQuery *query);
/* The monitor that passed the query on last. A monitor puts its own id there
 * while it passes the query on and the one it found back afterwards, so that
 * upstream of a mux each branch is a branch. */
guint64 rec_query_get_stages_asker (GstQuery *query);
void rec_query_set_stages_asker (GstQuery *query, guint64 asker);
/* Adds a copy of @report, with the asker as its @next. */
void rec_query_add_stage (GstQuery *query, const RecMonitorReport *report);
/* All reports in the order in which they were added, so nearest first, and
 * how many; owned by the query, valid until it is changed. */
const RecMonitorReport *rec_query_get_stages (GstQuery *query, guint *n);

G_END_DECLS
