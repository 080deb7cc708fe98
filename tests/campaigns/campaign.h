/* gst-tsrec: code that the campaigns share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A campaign harms a live recording many times over and looks at what is left
 * in the file. The recording runs in a process of its own (`recorder`), which
 * is given an encoded H.264 + AAC stream and tells, through shared memory, what
 * the sink has accepted: after gst_pad_push() came back, not before.
 */

#pragma once

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

#define CAMPAIGN_SKIP 77

/* A machine that is busy with other campaigns lets one track fall behind the
 * other, further than a decoder wants to buffer; PCR then catches up at twice
 * its speed, and so the tables are further apart by it. */
#define CAMPAIGN_CHECK                                                         \
  {                                                                            \
    1000, 1000, 40, 700, TS_CHECK_IGNORE (TS_CHECK_DELAY)                      \
  }

#define TRACK_VIDEO 0
#define TRACK_AUDIO 1
#define N_TRACKS 2

/* One access unit. Times in ns. */
typedef struct
{
  guint64 pts, dts;
  guint32 size;
  guint8 track;
  guint8 key;
  guint8 *data;
} Unit;

/* A stream that is repeated for ever: unit number n of a track comes again
 * after @length. */
typedef struct
{
  GArray *units[N_TRACKS]; /* of Unit, in decoding order */
  gchar *caps[N_TRACKS];
  guint64 length; /* ns */
} UnitStream;

/* Encodes @seconds of a test picture and sound. NULL with @error. */
UnitStream *unit_stream_encode (guint seconds, GError **error);
gboolean unit_stream_save (
    const UnitStream *stream, const gchar *path, GError **error);
UnitStream *unit_stream_load (const gchar *path, GError **error);
void unit_stream_free (UnitStream *stream);
/* Unit @number of @track of the endless stream; @offset: what to add to its
 * timestamps. */
const Unit *unit_stream_get (
    const UnitStream *stream, guint track, guint64 number, guint64 *offset);

/* Written by the recorder, read by the campaign. */
typedef struct
{
  volatile gint playing;
  volatile gint stop;               /* by the campaign: EOS, then exit */
  volatile gint accepted[N_TRACKS]; /* pushes that came back with OK */
  volatile gint failed;             /* pushes that did not */
  volatile gint disk_full, recovered, disk_low, errors, warnings;
  volatile guint64 bytes_written, bytes_durable; /* of the stats */
  volatile guint64 buffers_written, buffers_dropped;
  volatile guint64 sync_duration_max; /* ns */
  volatile gint64 started; /* monotonic time of the first push, µs */
} Shared;

typedef struct
{
  Shared *shared;
  int fd; /* of the shared memory */
  pid_t pid;
} Recorder;

/* Starts `recorder` (found beside this program) on @launch, a description with
 * an element named "s" to which the tracks are linked. @speed: 1 for real
 * time. FALSE with errno set. */
gboolean recorder_start (
    Recorder *recorder, const gchar *units, const gchar *launch, gdouble speed);
/* SIGKILL, and waits. */
void recorder_kill (Recorder *recorder);
/* Asks for EOS and waits; TRUE when it ended well. */
gboolean recorder_stop (Recorder *recorder);
void recorder_clear (Recorder *recorder);
/* Polls until @*value >= @minimum. FALSE after @seconds, or when the recorder
 * is gone. */
gboolean recorder_wait (
    Recorder *recorder, volatile gint *value, gint minimum, guint seconds);

/* Content of a file, compared with the data sent. */
typedef struct
{
  guint64 size;
  guint zeros;    /* at its end; packets of nothing else are left out */
  guint torn;     /* bytes after the last whole packet */
  guint cut;      /* PES packets that the end of the file cuts */
  guint64 errors; /* others of the checker */
  guint64 found[N_TRACKS]; /* access units that are as they went in, from the
                            * first on without a hole */
  guint64 changed;         /* access units that are not */
  guint64 skipped;         /* holes, when they are looked for */
  guint64 duration;        /* ns of PCR */
  gchar *report;
} Verdict;

/* @holes: access units may be missing between others (a full disk). */
void judge_file (const UnitStream *stream, const gchar *path, gboolean holes,
    Verdict *verdict);
void verdict_clear (Verdict *verdict);
/* ffprobe decodes @path to its end and says nothing. */
gboolean judge_ffprobe (const gchar *path, gchar **complaint);

/* The directory of this program. */
gchar *campaign_get_directory (void);
/* Encodes the stream in a process of its own, into @directory. Ends the
 * process with CAMPAIGN_SKIP when an encoder is missing. */
UnitStream *campaign_encode (const gchar *directory, gchar **path);
/* A new directory under TMPDIR. */
gchar *campaign_make_directory (void);
void campaign_remove_directory (const gchar *directory);
G_GNUC_NORETURN void campaign_skip (const gchar *reason);

/* Ends the process with 2 and a message when they are wrong. */
void campaign_parse_options (
    int *argc, char ***argv, const GOptionEntry *options);

/* State that the jobs of a campaign share, first member of its own struct. */
typedef struct
{
  const gchar *directory, *units;
  const UnitStream *stream;
  GMutex lock; /* of all below */
  gint left;
} CampaignJobs;

/* Returns TRUE if this job has to run once more. */
gboolean campaign_take_run (CampaignJobs *jobs);
/* Encodes the stream into @directory, which it takes and removes, lets
 * @n_jobs threads of @work share @runs runs, and returns what @finish does. */
int campaign_run (CampaignJobs *jobs, gchar *directory, gint runs, gint n_jobs,
    GThreadFunc work, int (*finish) (const CampaignJobs *jobs));

G_END_DECLS
