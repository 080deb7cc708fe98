/* gst-tsrec: struct of recfilesink and the functions of its parts
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each part calls only parts below it in this list:
 *
 *  gstrecfilesink.c             element: queries, events, states, signals
 *  gstrecfilesink-prepare.c     NULL->READY: tests if recording is possible
 *  gstrecfilesink-resume.c      READY->PAUSED: continues after a crash
 *  gstrecfilesink-write.c       one buffer: the write and its accounting
 *  gstrecfilesink-faults.c      failed writes, and changes made to the file by
 *                               other processes
 *  gstrecfilesink-cut.c         where a fragment ends; key frame requests
 *  gstrecfilesink-fragments.c   names, opening and closing of fragments
 *  gstrecfilesink-worker.c      syncing thread: retention, free space
 *  gstrecfilesink-events.c      bus messages and journal entries
 *  gstrecfilesink-properties.c  properties
 *  gstrecfilesink-stats.c       statistics
 *
 * State that belongs to one concept is in a struct of its own: RecFaultState,
 * RecMediaTime, RecHlsWriter, RecRetention, TsPmtPatch.
 *
 * Threads: "streaming" is the streaming thread, or a state change while there
 * is none. "worker" is the thread of the RecSyncer.
 */

#pragma once

#include "gstrecfilesink.h"

#include "recbufferview.h"
#include "recdisk.h"
#include "recevent.h"
#include "recfaultstate.h"
#include "rechlswriter.h"
#include "recjournal.h"
#include "recmediatime.h"
#include "recquery.h"
#include "recrecordingid.h"
#include "recretention.h"
#include "recsyncer.h"
#include "tspmtpatch.h"

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

/* Properties that are plain values. */
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
  guint64 playlist_target_duration;
} GstRecFileSinkSettings;

/* Names of the fragments (streaming). */
typedef struct
{
  gchar *continue_path; /* file to continue with data after EOS; NULL: none */
  guint next_index;     /* number of the next fragment */
  guint next_number;    /* number added to the next name without a pattern */
  gchar *last_plain;    /* name that next_number is added to */
  gchar *tried_path;    /* last name that was tried to be opened */
  gint64 time;          /* time to expand in names, µs since 1970; 0: now */
  gboolean by_application;
} GstRecFileSinkNames;

/* State of cutting (streaming). */
typedef struct
{
  guint64 opened_local; /* local time at the fragment's opened_time, ns */
  gint64 retry_at;      /* next try to open a file, monotonic µs; 0: now */
  gint64 ask_at; /* next key frame request while it fails, monotonic µs */
  gint64 next_key_unit_at; /* earliest next key frame request, monotonic µs */
  guint n_key_units;       /* key frames requested */
} GstRecFileSinkCut;

/* Counters of this run (written by streaming, read by any thread). */
typedef struct
{
  _Atomic guint64 fragments, fragment_index;
  _Atomic guint64 file_size, bytes_written, buffers_written;
  _Atomic guint64 bytes_dropped, buffers_dropped;
  _Atomic gint64 write_began; /* monotonic µs; 0: no write in progress */
  _Atomic guint64 latency_sum, latency_max; /* ns */
  _Atomic guint64 last_time; /* running time of the last buffer, ns */
} GstRecFileSinkCounters;

struct _GstRecFileSink
{
  GstBaseSink parent;

  /* protected by the object lock */
  GstRecFileSinkSettings settings;
  gchar *location;
  RecRecordingId recording_id;
  gchar *failover_location;
  gchar *journal_location;
  gchar *playlist_location;
  gchar *path;       /* current or last fragment; NULL: none */
  RecResume *resume; /* answer to "tsrec-resume" until the first buffer */
  guint64 resume_mtime_us;

  /* from READY on */
  const RecSyscalls *sys; /* NULL: the real calls */
  RecJournal *journal;    /* NULL: none */
  gint cancel_fd;
  atomic_bool split_requested;

  /* streaming */
  RecSyncer *syncer;     /* from PAUSED on */
  RecFragment *fragment; /* borrowed from the syncer; NULL: none is open */
  RecHlsWriter *hls;     /* from PAUSED on */
  GstRecFileSinkNames names;
  GstRecFileSinkCut cut;
  RecDiskFolder base; /* folder in which recording began */
  gchar *session_id;  /* last "tsrec-session"; NULL: none */
  gboolean on_failover;
  TsPmtPatch first_pmt;
  guint packet_size;    /* "packetsize" of the caps; 1: no transport stream */
  gboolean raw_resumed; /* the resumed file is no transport stream */
  RecFaultState faults;
  RecMediaTime media_time;

  /* worker */
  RecRetention retention;
  gboolean disk_low;

  /* any thread */
  RecSyncerTotals totals;
  GstRecFileSinkCounters counters;
  atomic_bool place_suspect;     /* the name may belong to another file */
  atomic_bool recording;         /* a fragment is open */
  atomic_bool to_stream;         /* the last fragment was no regular file */
  _Atomic guint64 device, inode; /* of the open file; 0: not to be checked */
};

/* --- gstrecfilesink-stats.c --- */

void gst_rec_file_sink_init_counters (GstRecFileSinkCounters *counters);
/* Duration of the write in progress, ns; 0: none. */
guint64 gst_rec_file_sink_get_write_blocked (GstRecFileSink *self);
/* The property `stats`; does not wait for a write. */
GstStructure *gst_rec_file_sink_create_stats (GstRecFileSink *self);

/* --- gstrecfilesink-properties.c --- */

void gst_rec_file_sink_install_properties (GObjectClass *klass);
void gst_rec_file_sink_init_settings (GstRecFileSink *self);
void gst_rec_file_sink_set_property (
    GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec);
void gst_rec_file_sink_get_property (
    GObject *object, guint prop_id, GValue *value, GParamSpec *pspec);

GstRecFileSinkSettings gst_rec_file_sink_get_settings (GstRecFileSink *self);
/* Copies a string field of the element under the object lock. */
gchar *gst_rec_file_sink_dup_string (GstRecFileSink *self, gchar *const *field);
/* Path of the current or last fragment, else `location`. */
gchar *gst_rec_file_sink_dup_path (GstRecFileSink *self);
/* Pattern of the recorded files: `location`, after a failover
 * `failover-location`; NULL: not set. */
gchar *gst_rec_file_sink_dup_pattern (GstRecFileSink *self);

/* --- gstrecfilesink-events.c --- */

/* Errors, which end the recording. */
void gst_rec_file_sink_post_open_error (
    GstRecFileSink *self, const gchar *path, gint err);
void gst_rec_file_sink_post_write_error (
    GstRecFileSink *self, RecDiskFault fault, gint err);

/* Posts the element message @name about the disk of @path. @text: for the
 * operator. */
void gst_rec_file_sink_post_disk (GstRecFileSink *self, const gchar *name,
    const gchar *path, const gchar *reason, const gchar *text);

/* The next file cannot be opened: message, warning and journal entry. */
void gst_rec_file_sink_report_open_failed (
    GstRecFileSink *self, gint err, GstClockTime time);
/* The disk fails: message, warning and journal entry. */
void gst_rec_file_sink_report_fault (
    GstRecFileSink *self, RecDiskFault fault, gint err, GstClockTime time);
/* The disk works again: message, info and journal entry. */
void gst_rec_file_sink_report_recovered (
    GstRecFileSink *self, GstClockTime time);
/* Another process deleted or truncated the file: warning and journal entry. */
void gst_rec_file_sink_report_tampering (GstRecFileSink *self,
    RecDiskFault fault, guint64 bytes_lost, GstClockTime time);
/* A gap ended: journal entry. */
void gst_rec_file_sink_report_gap (GstRecFileSink *self, const RecGap *gap);
/* The current fragment was opened: message and journal entry. */
void gst_rec_file_sink_report_opened (GstRecFileSink *self, gboolean resumed);
/* Adds an entry to the journal and has it written soon; owns @fields. */
void gst_rec_file_sink_journal (
    GstRecFileSink *self, GstClockTime time, GstStructure *fields);

/* --- gstrecfilesink-worker.c --- */

/* Callbacks of the RecSyncer; their user data is the element. */
extern const RecSyncerFuncs gst_rec_file_sink_syncer_funcs;

/* --- gstrecfilesink-fragments.c --- */

void gst_rec_file_sink_clear_names (GstRecFileSink *self);

/* The file with the highest number among those with the name of this moment, to
 * be freed; NULL: none, or the location is a stream. @index and @number are set
 * to its numbers. */
gchar *gst_rec_file_sink_newest_existing (
    GstRecFileSink *self, guint *index, guint *number);

/* Opens the existing file @path to append to it. 0 or errno. */
gint gst_rec_file_sink_open_existing (GstRecFileSink *self, const gchar *path,
    guint index, RecFragment **fragment);

/* Makes @fragment the current one, first buffer at @time. */
void gst_rec_file_sink_begin_fragment (
    GstRecFileSink *self, RecFragment *fragment, GstClockTime time);

/* Opens the next fragment, whose first buffer is @view, then hands the current
 * fragment, if any, to the worker. @naming_time: time to expand in its name, µs
 * since 1970. 0 or errno; after an error the current fragment is still open. */
gint gst_rec_file_sink_open_next (
    GstRecFileSink *self, const RecBufferView *view, gint64 naming_time);

/* Remembers the folder of the recorded files, of which @path is one. */
void gst_rec_file_sink_remember_base (GstRecFileSink *self, const gchar *path);

/* Hands the current fragment, if any, to the worker. @reason: static. */
void gst_rec_file_sink_finish (GstRecFileSink *self, const gchar *reason);

/* --- gstrecfilesink-cut.c --- */

/* The first buffer of the current fragment is at @time. */
void gst_rec_file_sink_cut_begin (GstRecFileSink *self, GstClockTime time);

/* Opens the first fragment, or the next one if it is due and @view is a random
 * access point; otherwise requests a key frame. 0 or errno; 0 also when the
 * next file cannot be opened and recording continues in the current one. */
gint gst_rec_file_sink_prepare_fragment (
    GstRecFileSink *self, const RecBufferView *view);

/* Requests a key frame upstream, at most once a second. */
void gst_rec_file_sink_request_key_unit (GstRecFileSink *self);

/* --- gstrecfilesink-faults.c --- */

/* FALSE when @view must be dropped: the disk does not work yet, or @view is not
 * the random access point that is needed. */
gboolean gst_rec_file_sink_may_write (
    GstRecFileSink *self, const RecBufferView *view);

/* Checks whether the file was changed by another process. The recording
 * continues after REC_DISK_DELETED and REC_DISK_TRUNCATED, both reported. */
RecDiskFault gst_rec_file_sink_check_file (
    GstRecFileSink *self, GstClockTime time);

/* Drops buffers until a random access point. */
void gst_rec_file_sink_begin_resync (GstRecFileSink *self);

/* @view could not be written. GST_FLOW_OK: drop it. GST_FLOW_ERROR: the
 * recording has ended and an error was posted. */
GstFlowReturn gst_rec_file_sink_handle_fault (GstRecFileSink *self,
    RecDiskFault fault, gint err, const RecBufferView *view);

/* Like gst_rec_file_sink_handle_fault(), for a file that cannot be opened. */
GstFlowReturn gst_rec_file_sink_handle_open_error (
    GstRecFileSink *self, gint err, const RecBufferView *view);

/* The first write after a fault succeeded. */
void gst_rec_file_sink_end_fault (GstRecFileSink *self, GstClockTime time);

/* --- gstrecfilesink-write.c --- */

GstFlowReturn gst_rec_file_sink_write_buffer (
    GstRecFileSink *self, GstBuffer *buffer);

/* Waits until all accepted bytes are durable or lost. The preroll lock is held,
 * as for buffers and serialized events. A pause interrupts the wait, PLAYING
 * continues it, a flush or a stop ends it with GST_FLOW_FLUSHING. */
GstFlowReturn gst_rec_file_sink_wait_durable (GstRecFileSink *self);

/* --- gstrecfilesink-resume.c --- */

/* READY->PAUSED, before the worker starts: continues the newest file of an
 * earlier run if `resume` is set. FALSE, after posting an error, if that
 * fails. */
gboolean gst_rec_file_sink_resume (GstRecFileSink *self);

/* --- gstrecfilesink-prepare.c --- */

/* NULL->READY: opens the journal. FALSE, after posting an error, if recording
 * is not possible. */
gboolean gst_rec_file_sink_prepare (GstRecFileSink *self);

G_END_DECLS
