/* gst-tsrec: what the source files of recfilesink share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gstrecfilesink.c is the GstElement: queries, events, states.
 * gstrecfilesink-properties.c holds its properties.
 * gstrecfilesink-prepare.c finds out whether recording is possible.
 * gstrecfilesink-fragments.c names, opens, resumes and finishes fragments.
 * gstrecfilesink-cut.c decides where the next one begins.
 * gstrecfilesink-write.c takes a buffer, and decides what happens when the disk
 * does not. gstrecfilesink-tables.c completes the tables at the start of a file.
 * gstrecfilesink-events.c tells people, the bus and the journal.
 * gstrecfilesink-playlist.c keeps the HLS playlist.
 *
 * Threads: fields say which. "streaming" is the streaming thread, or a state
 * change while there is none. "worker" is the thread of the RecSyncer.
 */

#pragma once

#include "gstrecfilesink.h"

#include "tspmtpatch.h"
#include "recdisk.h"
#include "recsyncer.h"
#include "recfile.h"
#include "rechlsplaylist.h"
#include "recgaps.h"
#include "recjournal.h"
#include "recevent.h"
#include "recquery.h"
#include "recrecordingid.h"
#include "recretention.h"
#include "tsresume.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_rec_file_sink_debug);

typedef enum
{
  REC_ON_EXISTS_REFUSE,
  REC_ON_EXISTS_NUMBER
} GstRecFileSinkOnExists;

typedef enum
{
  REC_ON_DISK_FULL_WAIT,
  REC_ON_DISK_FULL_ERROR,
  REC_ON_DISK_FULL_FAILOVER
} GstRecFileSinkOnDiskFull;

/* The properties that are plain values. */
typedef struct
{
  guint64 sync_interval;
  GstRecFileSinkOnExists on_exists;
  GstRecFileSinkOnDiskFull on_disk_full;
  gboolean resume;
  gboolean new_file_per_session;
  guint64 max_size_time;
  gboolean align_to_clock;
  guint64 max_size_bytes;
  RecRetentionLimits retention;
} GstRecFileSinkSettings;

typedef enum
{
  REC_SINK_WRITING,
  REC_SINK_WAITING, /* the disk takes nothing: buffers are dropped */
  REC_SINK_RESYNC   /* it may again: dropped until a random access point */
} GstRecFileSinkState;

/* The HLS playlist of the recording; all of it streaming. */
typedef struct
{
  RecHlsPlaylist file; /* path NULL: not opened */
  gchar *path;
  gchar *uri; /* of the current fragment, for the playlist */
  guint64 target;
  const RecFragment *fragment; /* that `uri` and `offset` are of */
  gboolean resume, given_up, failing;
  GQueue pending; /* RecHlsPlaylistEntry that could not be written yet */

  gboolean open; /* the entry that is being recorded */
  guint64 offset;
  GstClockTime begin, end; /* of what it holds, running time; NONE: unknown */
  GstClockTime step;       /* the longest between two buffers of it */
  GstClockTime last_random_access; /* running time; NONE: unknown */
  gint64 clock_begin; /* monotonic µs; for a stream without timestamps */
  gint64 utc_time;
  gboolean discontinuity;
  gboolean lost; /* access units, since it began */
} GstRecFileSinkPlaylist;

#define REC_SINK_PLAYLIST_TARGET (2 * GST_SECOND)

struct _GstRecFileSink
{
  GstBaseSink parent;

  /* under the object lock */
  GstRecFileSinkSettings settings;
  gchar *location;
  RecRecordingId recording_id;
  gchar *failover_location;
  gchar *journal_location;
  gchar *playlist_location;
  guint64 playlist_target_duration;
  gchar *path;       /* of the current or last fragment */
  RecResume *resume; /* answer to "tsrec-resume" until the first buffer */
  guint64 resume_mtime_us;

  /* from READY on */
  const RecSyscalls *sys;
  RecJournal *journal;
  gint cancel_fd;
  atomic_bool split_requested;

  /* streaming */
  RecSyncer *durability; /* from PAUSED on */
  RecFragment *fragment; /* borrowed from it; NULL: none is open */
  guint64 opened_local;  /* local time at its opened_time, ns since 1970 */
  gchar *continue_path;  /* data after EOS goes on in this file */
  guint next_index;      /* of the next fragment */
  guint next_number;     /* behind its name, without a pattern */
  gchar *last_plain;     /* the name it goes behind */
  gchar *session_id;     /* of the last "tsrec-session"; NULL: none */
  gint64 naming_time;    /* µs since 1970, for names; 0: that of now */
  gchar *tried_path;     /* the last name that was tried to be opened */
  gchar *base;           /* folder in which recording began */
  gchar *base_real;      /* where it leads, of malloc(); NULL: unknown */
  guint64 base_device;   /* what it is on */
  gint64 split_retry_at; /* monotonic µs: the next try to open; 0: now */
  gint64 split_ask_at;   /* the same: the next request for a key frame */
  gboolean named_by_application;
  gboolean on_failover;
  TsPmtPatch first_pmt;
  guint packet_size; /* 188 and the like; 1: no transport stream */
  gboolean raw_resumed;
  GstRecFileSinkState state;
  RecDiskFault fault; /* since it is not WRITING */
  gboolean announced; /* "recfilesink-disk-full" was posted */
  guint64 need_bytes; /* to be free before the next try */
  guint64 unmounted_device;
  guint failed_tries;
  gint64 retry_at, resync_until, next_key_unit_at;
  gboolean resync_understood;
  guint key_units_asked;
  RecGaps gaps;
  gint64 resumed_at; /* µs since 1970: last write of the earlier run; 0: none */
  GstRecFileSinkPlaylist playlist;

  /* worker */
  RecRetention retention;
  gboolean disk_low;

  /* any thread */
  RecSyncerTotals totals;
  atomic_bool place_suspect; /* the name may lead to another file */
  atomic_bool waiting;
  atomic_bool recording; /* a fragment is open */
  atomic_bool to_stream; /* the last one is no file in a folder */
  _Atomic guint64 device, inode;
  _Atomic guint64 fragments, fragment_index;
  _Atomic guint64 file_size, bytes_written, buffers_written;
  _Atomic guint64 bytes_dropped, buffers_dropped;
  _Atomic gint64 write_began; /* monotonic µs, 0: no write is under way */
  _Atomic guint64 latency_sum, latency_max;
  _Atomic guint64 media_time, gap_time, n_gaps, last_time;
};

/* --- gstrecfilesink.c */

GstStructure *gst_rec_file_sink_get_stats (GstRecFileSink *self);

/* --- gstrecfilesink-properties.c */

void gst_rec_file_sink_install_properties (GObjectClass *klass);
/* The defaults of the settings that have one. */
void gst_rec_file_sink_init_settings (GstRecFileSink *self);
void gst_rec_file_sink_set_property (
    GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec);
void gst_rec_file_sink_get_property (
    GObject *object, guint prop_id, GValue *value, GParamSpec *pspec);

/* --- gstrecfilesink-prepare.c */

/* NULL->READY: whether recording is possible. An error was posted if not. */
gboolean gst_rec_file_sink_prepare (GstRecFileSink *self);

/* Whether the folder of @path may be made where it is missing: a folder of
 * @pattern, which led to @path, holds a conversion, or it is in the folder that
 * is made for `location`. */
gboolean gst_rec_file_sink_may_make_folder (
    GstRecFileSink *self, const gchar *pattern, const gchar *path);

/* --- gstrecfilesink-fragments.c */

/* The pattern of the files that are recorded now, NULL: none; to be freed. */
gchar *gst_rec_file_sink_dup_pattern (GstRecFileSink *self);

/* The file with the highest number among those that have the name of this
 * moment, to be freed; NULL: none, or it is a stream. */
gchar *gst_rec_file_sink_newest_existing (
    GstRecFileSink *self, guint *index, guint *number);

/* READY->PAUSED, before there is a worker: goes on in the file of an earlier
 * run, if that is wanted. */
gboolean gst_rec_file_sink_resume (GstRecFileSink *self);

/* Opens the next fragment, whose first buffer is @buffer at @time, and then hands the
 * current one, if any, to the worker. 0 or errno; the current fragment is still
 * open then. */
gint gst_rec_file_sink_open_next (
    GstRecFileSink *self, GstBuffer *buffer, GstClockTime time);

/* Hands the current fragment, if any, to the worker. */
void gst_rec_file_sink_finish (GstRecFileSink *self, const gchar *reason);

/* --- gstrecfilesink-cut.c */

/* The time that the next fragment is named after, whose first buffer is at
 * @time; µs since 1970. */
gint64 gst_rec_file_sink_naming_time (GstRecFileSink *self, GstClockTime time);

/* The first buffer of the current fragment is at @time. */
void gst_rec_file_sink_cut_begin (GstRecFileSink *self, GstClockTime time);

/* Whether the next fragment should begin with @buffer, which is at @time, or at
 * the next random access point. */
gboolean gst_rec_file_sink_cut_is_due (GstRecFileSink *self, GstBuffer *buffer,
    GstClockTime time, gboolean random_access);

/* --- gstrecfilesink-write.c */

GstFlowReturn gst_rec_file_sink_write_buffer (
    GstRecFileSink *self, GstBuffer *buffer);

/* Until all that was accepted is durable or lost. The preroll lock is held, as
 * for buffers and serialized events: a pause interrupts the wait, which goes on
 * in PLAYING; only a flush or a stop gives it up, with GST_FLOW_FLUSHING. */
GstFlowReturn gst_rec_file_sink_wait_durable (GstRecFileSink *self);

/* --- gstrecfilesink-tables.c */

/* Before @buffer is written, which is at @time: how many tables in the file
 * lack a track that comes with it. */
guint gst_rec_file_sink_find_incomplete_tables (
    GstRecFileSink *self, GstBuffer *buffer, GstClockTime time);

/* Once it is in the file: completes these. What cannot be is logged; nothing
 * else depends on it. */
void gst_rec_file_sink_complete_tables (GstRecFileSink *self, guint n);

/* --- gstrecfilesink-playlist.c: nothing here fails the recording but _prepare */

void gst_rec_file_sink_playlist_install_properties (
    GObjectClass *klass, guint location_id, guint target_duration_id);

/* NULL->READY: whether the playlist can be made. An error was posted if not. */
gboolean gst_rec_file_sink_playlist_prepare (GstRecFileSink *self);

/* @buffer is now the last one in the file of the current fragment. */
void gst_rec_file_sink_playlist_written (
    GstRecFileSink *self, GstBuffer *buffer, GstClockTime decoding_time);

/* Whether the entry is so long that a random access point should come. */
gboolean gst_rec_file_sink_playlist_wants_key_unit (
    GstRecFileSink *self, GstClockTime time);

/* The next fragment begins with @buffer, before the current one is closed. */
void gst_rec_file_sink_playlist_next_fragment (
    GstRecFileSink *self, GstBuffer *buffer, GstClockTime decoding_time);

/* A buffer was dropped. */
void gst_rec_file_sink_playlist_lost (GstRecFileSink *self);

/* The current file has only @size bytes left. */
void gst_rec_file_sink_playlist_truncated (GstRecFileSink *self, guint64 size);

/* @fragment has got its last byte; it is not self->fragment any more. */
void gst_rec_file_sink_playlist_fragment_closed (
    GstRecFileSink *self, const RecFragment *fragment);

/* The recording has ended: adds EXT-X-ENDLIST. */
void gst_rec_file_sink_playlist_end (GstRecFileSink *self);

/* Frees everything; the next recording starts anew. */
void gst_rec_file_sink_playlist_clear (GstRecFileSink *self);

/* --- gstrecfilesink-events.c */

extern const RecSyncerFuncs gst_rec_file_sink_syncer_funcs;

void gst_rec_file_sink_post_open_error (
    GstRecFileSink *self, const gchar *path, gint err);
void gst_rec_file_sink_post_write_error (
    GstRecFileSink *self, RecDiskFault fault, gint err);

/* The next file cannot be opened, once for each time: message, warning and
 * journal. Recording goes on in the current one. */
void gst_rec_file_sink_report_open_failed (
    GstRecFileSink *self, gint err, GstClockTime time);

/* The disk fails, once for each time: message, warning and journal. */
void gst_rec_file_sink_report_fault (
    GstRecFileSink *self, RecDiskFault fault, gint err, GstClockTime time);
/* It works again. */
void gst_rec_file_sink_report_recovered (
    GstRecFileSink *self, GstClockTime time);
/* Something happened to the file that does not stop the recording. */
void gst_rec_file_sink_report_tampering (GstRecFileSink *self,
    RecDiskFault fault, guint64 bytes_lost, GstClockTime time);
void gst_rec_file_sink_report_gap (GstRecFileSink *self, const RecGap *gap);
void gst_rec_file_sink_report_opened (GstRecFileSink *self, gboolean resumed);
/* Adds a line to the journal and has it written soon; owns @fields. */
void gst_rec_file_sink_journal (
    GstRecFileSink *self, GstClockTime time, GstStructure *fields);

gchar *gst_rec_file_sink_dup_path (GstRecFileSink *self);
GstRecFileSinkSettings gst_rec_file_sink_get_settings (GstRecFileSink *self);

G_END_DECLS
