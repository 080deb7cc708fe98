/* gst-tsrec: HLS playlist of a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rechlswriter.h"

#include "recdisk.h"
#include "recfilematch.h"
#include "recfilename.h"
#include "rechlsplaylist.h"

#include <errno.h>
#include <stdlib.h>

GST_DEBUG_CATEGORY_EXTERN (gst_rec_file_sink_debug);
#define GST_CAT_DEFAULT gst_rec_file_sink_debug

/* EXT-X-TARGETDURATION is written before the distance of the key frames is
 * known, and no entry may be longer (RFC 8216, 6.2.1). It is PROMISED_TARGETS
 * times the wanted duration; a key frame is requested after ASK_AFTER_TARGETS
 * of them. The playlist raises it only if a source sends none even then. */
#define PROMISED_TARGETS 3
#define ASK_AFTER_TARGETS 2
/* The random access point nearest to the target ends an entry, but not one that
 * is more than a quarter of the target early. */
#define EARLIEST(target) ((target) / 4 * 3)
/* A pause is this many times longer than the longest step between buffers. */
#define PAUSE_STEPS 3
/* Entries kept while the disk is full. */
#define MAX_PENDING 4096

struct _RecHlsWriter
{
  GstElement *element; /* borrowed */
  gchar *location;
  guint64 target; /* ns */
  gboolean resume;

  RecHlsPlaylist file; /* path NULL: not opened */
  gchar *path;         /* NULL: not chosen */
  GQueue pending;      /* RecHlsPlaylistEntry that could not be written yet */
  gboolean given_up;   /* no playlist is possible */
  gboolean failing;    /* the last write failed, and a warning was posted */

  /* the current fragment */
  gchar *fragment_path; /* NULL: none */
  gchar *pattern;       /* of the recorded files; NULL: unknown */
  gboolean regular;
  gboolean named; /* `uri` is its name, and the playlist is open */
  gchar *uri;

  /* the entry that is being recorded */
  gboolean open;
  guint64 offset;                  /* first byte in the file */
  GstClockTime begin, end;         /* running time, ns; NONE: unknown */
  GstClockTime step;               /* longest time between two buffers, ns */
  GstClockTime last_random_access; /* running time, ns; NONE: unknown */
  gint64 clock_begin; /* monotonic µs; for streams without timestamps */
  gint64 utc_time;    /* µs since 1970 */
  gboolean discontinuity;
  gboolean lost; /* access units were dropped since it began */

  /* the entry before, whose end is not yet certain */
  RecHlsPlaylistEntry *ending; /* NULL: none */
  GstClockTime ending_time;    /* running time of the random access point */
  GstClockTime boundary;       /* the lowest running time after it */
  guint16 ending_pid;          /* PID of the random access point */
  gboolean next_reordered;     /* pictures may precede the next fragment */
};

/* --- the path --- */

/* Returns the newest playlist of an earlier run, NULL if there is none. */
static gchar *
find_newest (const gchar *location)
{
  GPtrArray *matches = rec_file_match_list (location);
  const RecFileMatch *newest;
  gchar *path = NULL;

  if (matches->len > 0) {
    newest = g_ptr_array_index (matches, matches->len - 1);
    path = g_strdup (newest->path);
  }
  g_ptr_array_unref (matches);
  return path;
}

/* Returns the playlist to continue, or a path that does not exist yet. */
static gchar *
choose_path (const gchar *location, gboolean resume)
{
  gchar *path = resume ? find_newest (location) : NULL, *plain;
  gint64 last;

  if (path)
    return path;
  plain = rec_filename_expand (location, g_get_real_time (), 0);
  last = rec_filename_last_number (plain);
  path = rec_filename_numbered (plain, last < 0 ? 0 : (guint)(last + 1));
  g_free (plain);
  return path;
}

/* --- warnings --- */

static void
give_up (RecHlsWriter *self, const gchar *reason)
{
  self->given_up = TRUE;
  GST_ELEMENT_WARNING (self->element, RESOURCE, WRITE,
      ("No playlist is written: %s. Recording continues without it.", reason),
      (NULL));
}

static void
report_error (RecHlsWriter *self, gint err)
{
  if (self->failing)
    return;
  self->failing = TRUE;
  GST_ELEMENT_WARNING (self->element, RESOURCE, WRITE,
      ("Could not write the playlist \"%s\": %s. Recording continues, and the "
       "playlist is tried again with its next entry.",
          self->path, g_strerror (err)),
      ("errno %d", err));
}

/* --- entries --- */

static void
free_entry (gpointer data)
{
  RecHlsPlaylistEntry *entry = data;

  g_free ((gchar *)entry->uri);
  g_free (entry);
}

/* Creates the playlist again if another process has deleted it. */
static gboolean
create_again (RecHlsWriter *self)
{
  if (g_file_test (self->path, G_FILE_TEST_EXISTS))
    return FALSE;
  GST_WARNING_OBJECT (self->element,
      "\"%s\" was deleted; a new playlist begins with the next entry",
      self->path);
  rec_hls_playlist_clear (&self->file);
  return rec_hls_playlist_create (
             &self->file, self->path, PROMISED_TARGETS * self->target) == 0;
}

static void
write_pending (RecHlsWriter *self)
{
  RecHlsPlaylistEntry *entry;
  gint err;

  while ((entry = g_queue_peek_head (&self->pending))) {
    err = rec_hls_playlist_add (&self->file, entry);
    if (err == ENOENT && create_again (self))
      continue;
    if (err) {
      report_error (self, err);
      break;
    }
    self->failing = FALSE;
    free_entry (g_queue_pop_head (&self->pending));
  }
  while (g_queue_get_length (&self->pending) > MAX_PENDING)
    free_entry (g_queue_pop_head (&self->pending));
}

/* Returns the duration of the open entry until running time @time. Running time
 * and the monotonic clock are unrelated, so only one of them is used. */
static GstClockTime
get_duration (const RecHlsWriter *self, GstClockTime time)
{
  if (GST_CLOCK_TIME_IS_VALID (self->begin) && GST_CLOCK_TIME_IS_VALID (time))
    return time > self->begin ? time - self->begin : 0;
  return (g_get_monotonic_time () - self->clock_begin) * GST_USECOND;
}

/* TRUE when the open entry should end at the random access point at @time: the
 * next one, if the distance stays the same, is farther from the target. */
static gboolean
is_long_enough (const RecHlsWriter *self, GstClockTime time)
{
  GstClockTime duration = get_duration (self, time), step;

  if (duration >= self->target)
    return TRUE;
  if (duration <= EARLIEST (self->target) || !GST_CLOCK_TIME_IS_VALID (time) ||
      !GST_CLOCK_TIME_IS_VALID (self->last_random_access))
    return FALSE;
  step = time - MIN (time, self->last_random_access);
  return self->target - duration <= step / 2;
}

/* Adds the entry before the open one: it ends, and the open one begins, with
 * the lowest time of the pictures that lead the random access point. */
static void
settle (RecHlsWriter *self)
{
  RecHlsPlaylistEntry *entry = self->ending;
  GstClockTime early;

  if (!entry)
    return;
  self->ending = NULL;
  early = MIN (self->ending_time - self->boundary,
      entry->duration - MIN (entry->duration, GST_MSECOND));
  entry->duration -= early;
  if (self->open && self->begin == self->ending_time)
    self->begin -= early;
  g_queue_push_tail (&self->pending, entry);
  write_pending (self);
}

/* Looks for pictures that lead the random access point. Any track that is
 * further by the target shows that there are no more. */
static void
find_boundary (RecHlsWriter *self, const RecHlsWrite *write)
{
  if (!self->ending || !GST_CLOCK_TIME_IS_VALID (write->time))
    return;
  if (write->time >= self->ending_time + self->target ||
      (write->pid == self->ending_pid && write->time > self->ending_time))
    settle (self);
  else if (write->pid == self->ending_pid)
    self->boundary = MIN (self->boundary, write->time);
}

/* Ends the open entry before byte @offset and at running time @time.
 * @end_of_file: the file ends there. @reordered: a random access point follows
 * which others may lead. */
static void
end_entry (RecHlsWriter *self, guint64 offset, GstClockTime time,
    gboolean end_of_file, gboolean reordered)
{
  RecHlsPlaylistEntry *entry;

  settle (self);
  if (!self->open)
    return;
  self->open = FALSE;
  if (offset <= self->offset)
    return; /* another process has truncated the file */
  entry = g_new0 (RecHlsPlaylistEntry, 1);
  entry->uri = g_strdup (self->uri);
  entry->offset = self->offset;
  entry->size = offset - self->offset;
  entry->whole_file = end_of_file && self->offset == 0;
  entry->duration = MAX (get_duration (self, time), GST_MSECOND);
  GST_DEBUG_OBJECT (self->element,
      "entry of %" GST_TIME_FORMAT ", bytes %" G_GUINT64_FORMAT
      " to %" G_GUINT64_FORMAT "%s",
      GST_TIME_ARGS (entry->duration), entry->offset, offset,
      self->discontinuity ? ", discontinuous" : "");
  entry->utc_time = self->utc_time;
  entry->discontinuity = self->discontinuity;
  self->ending = entry;
  self->ending_time = self->boundary = time;
  self->ending_pid = 0;
  if (!reordered || !GST_CLOCK_TIME_IS_VALID (time) ||
      !GST_CLOCK_TIME_IS_VALID (self->begin))
    settle (self);
}

static void
begin_entry (RecHlsWriter *self, const RecHlsWrite *write, gboolean lost)
{
  self->open = TRUE;
  self->ending_pid = write->pid;
  self->offset = write->offset;
  self->begin = self->end = write->time;
  self->clock_begin = g_get_monotonic_time ();
  self->utc_time = g_get_real_time ();
  self->discontinuity = lost;
  self->lost = FALSE;
}

/* TRUE when the time since the last buffer is longer than an entry may last and
 * longer than usual for the stream: a publisher has left and come back. Its
 * absence does not belong to an entry. */
static gboolean
is_after_pause (const RecHlsWriter *self, GstClockTime time)
{
  GstClockTime step;

  if (!self->open || !GST_CLOCK_TIME_IS_VALID (time) ||
      !GST_CLOCK_TIME_IS_VALID (self->end) || time <= self->end)
    return FALSE;
  step = time - self->end;
  return step > PROMISED_TARGETS * self->target &&
      step / PAUSE_STEPS > self->step;
}

/* Extends the open entry to @time. Buffers of tables alone have no timestamp
 * and do not extend it. */
static void
extend_entry (RecHlsWriter *self, GstClockTime time, GstClockTime duration)
{
  if (!GST_CLOCK_TIME_IS_VALID (time))
    return;
  if (!GST_CLOCK_TIME_IS_VALID (self->begin))
    self->begin = self->end = time;
  if (time > self->end)
    self->step = MAX (self->step, time - self->end);
  if (GST_CLOCK_TIME_IS_VALID (duration))
    time += duration;
  self->end = MAX (self->end, time);
}

static gboolean
wants_key_unit (const RecHlsWriter *self, GstClockTime time)
{
  return self->open && GST_CLOCK_TIME_IS_VALID (time) &&
      GST_CLOCK_TIME_IS_VALID (self->begin) &&
      time >= self->begin + ASK_AFTER_TARGETS * self->target;
}

/* --- the playlist file --- */

/* Continues the playlist of an earlier run, or after EOS the one of this run.
 * @file_size: size of the recorded file before the first buffer. */
static gint
open_playlist (RecHlsWriter *self, guint64 file_size)
{
  gboolean ours = self->file.path && self->file.ended;
  guint64 promised = PROMISED_TARGETS * self->target;

  if (ours)
    rec_hls_playlist_clear (&self->file);
  if (ours || self->resume)
    return rec_hls_playlist_continue (
        &self->file, self->path, promised, self->uri, file_size);
  return rec_hls_playlist_create (&self->file, self->path, promised);
}

/* Chooses the path once and creates missing folders. */
static void
prepare_path (RecHlsWriter *self)
{
  guint n_made;

  if (self->path)
    return;
  self->path = choose_path (self->location, self->resume);
  /* opening the playlist reports folders that cannot be created */
  if (rec_filename_may_make_folder (self->pattern, self->location, self->path))
    rec_disk_make_folders (self->path, &n_made);
}

/* Opens the playlist for the current fragment, whose first buffer was written
 * at byte @offset. */
static gboolean
name_fragment (RecHlsWriter *self, guint64 offset)
{
  gchar *uri;
  gint err;

  prepare_path (self);
  uri = rec_hls_playlist_uri (self->path, self->fragment_path);
  g_free (self->uri);
  self->uri = g_strdup (uri);
  free (uri);
  if (!self->file.path || self->file.ended) {
    err = open_playlist (self, offset);
    if (err == EINVAL) {
      give_up (self, "the file at playlist-location is not a media playlist");
      return FALSE;
    }
    if (err) {
      report_error (self, err);
      return FALSE;
    }
  }
  GST_INFO_OBJECT (
      self->element, "playlist \"%s\" names \"%s\"", self->path, self->uri);
  self->named = TRUE;
  return TRUE;
}

/* --- the interface --- */

RecHlsWriter *
rec_hls_writer_new (GstElement *element, const gchar *location,
    guint64 target_duration, gboolean resume)
{
  RecHlsWriter *self;

  if (!location)
    return NULL;
  self = g_new0 (RecHlsWriter, 1);
  self->element = element;
  self->location = g_strdup (location);
  self->target = target_duration;
  self->resume = resume;
  g_queue_init (&self->pending);
  return self;
}

void
rec_hls_writer_free (RecHlsWriter *self)
{
  if (!self)
    return;
  if (self->file.path)
    rec_hls_playlist_clear (&self->file);
  if (self->ending)
    free_entry (self->ending);
  g_queue_clear_full (&self->pending, free_entry);
  g_free (self->location);
  g_free (self->path);
  g_free (self->fragment_path);
  g_free (self->pattern);
  g_free (self->uri);
  g_free (self);
}

void
rec_hls_writer_begin_fragment (RecHlsWriter *self, const gchar *path,
    const gchar *pattern, gboolean regular)
{
  if (!self)
    return;
  g_free (self->fragment_path);
  g_free (self->pattern);
  self->fragment_path = g_strdup (path);
  self->pattern = g_strdup (pattern);
  self->regular = regular;
  self->named = FALSE;
}

/* Returns TRUE when the buffer belongs to an entry, or begins one. */
static gboolean
is_listed (RecHlsWriter *self, const RecHlsWrite *write)
{
  if (self->given_up)
    return FALSE;
  if (self->named)
    return TRUE;
  if (!write->random_access)
    return FALSE;
  if (!self->regular)
    give_up (self, "it is for recordings to files only");
  else if (!write->is_ts)
    give_up (self, "it is for MPEG transport streams only");
  return !self->given_up && name_fragment (self, write->offset);
}

gboolean
rec_hls_writer_add (RecHlsWriter *self, const RecHlsWrite *write)
{
  GstClockTime time = write->time;
  gboolean lost;

  if (!self)
    return FALSE;
  if (!is_listed (self, write))
    return wants_key_unit (self, time);
  find_boundary (self, write);
  if (is_after_pause (self, time)) {
    self->step = time - self->end;
    end_entry (self, write->offset, self->end, FALSE, FALSE);
    self->lost = TRUE;
  }
  if (write->random_access) {
    lost = self->lost || (self->open && write->discont);
    if (lost || (self->open && is_long_enough (self, time)))
      end_entry (self, write->offset, lost ? self->end : time, FALSE,
          write->reordered && !lost);
    if (!self->open)
      begin_entry (self, write, lost);
    self->last_random_access = time;
  }
  extend_entry (self, time, write->duration);
  return wants_key_unit (self, time);
}

void
rec_hls_writer_note_loss (RecHlsWriter *self)
{
  if (self)
    self->lost = TRUE;
}

void
rec_hls_writer_truncate (RecHlsWriter *self, guint64 size)
{
  gint err;

  if (!self || !self->file.path || !self->uri)
    return;
  settle (self);
  if (self->open && self->offset >= size)
    self->open = FALSE;
  self->lost = TRUE;
  rec_hls_playlist_clear (&self->file);
  err = rec_hls_playlist_continue (&self->file, self->path,
      PROMISED_TARGETS * self->target, self->uri, size);
  if (err) {
    report_error (self, err);
    self->named = FALSE; /* opened again with the next random access point */
  }
}

void
rec_hls_writer_next_fragment (
    RecHlsWriter *self, GstClockTime time, gboolean reordered)
{
  if (self)
    self->next_reordered = FALSE;
  if (!self || !self->open || self->lost || !GST_CLOCK_TIME_IS_VALID (time) ||
      !GST_CLOCK_TIME_IS_VALID (self->end))
    return;
  /* the entry lasts until the next fragment, unless there was a pause */
  if (is_after_pause (self, time))
    self->step = time - self->end;
  else if (time > self->begin) {
    self->end = time;
    self->next_reordered = reordered;
  }
}

void
rec_hls_writer_end_fragment (RecHlsWriter *self, guint64 size)
{
  if (!self || !self->named)
    return;
  end_entry (self, size, self->end, TRUE, self->next_reordered);
  self->next_reordered = FALSE;
  self->named = FALSE;
}

void
rec_hls_writer_end (RecHlsWriter *self)
{
  gint err;

  if (!self || !self->file.path || self->file.ended)
    return;
  settle (self);
  write_pending (self);
  if ((err = rec_hls_playlist_end (&self->file)))
    report_error (self, err);
  else
    GST_INFO_OBJECT (self->element, "playlist \"%s\" is ended", self->path);
}
