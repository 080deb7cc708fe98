/* gst-tsrec: recfilesink keeps an HLS playlist of what it has written
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An entry goes from one random access point to another one, so that it can be
 * decoded alone. It is added when the second one has been written: the
 * playlist never names a byte that is not in the file. What cannot be written
 * (a full disk) waits, within bounds, and never disturbs the recording.
 */

#include "config.h"

#include "gstrecfilesink-private.h"

#include "recfilematch.h"
#include "recfilename.h"

#include <errno.h>

#define GST_CAT_DEFAULT gst_rec_file_sink_debug

/* EXT-X-TARGETDURATION must hold for all entries from the start, before it is
 * known how far apart the key frames will be (RFC 8216, 6.2.1). It promises
 * so many times what is wanted; a key frame is asked for before that is used
 * up. Only a source that sends none even then makes the playlist raise it. */
#define PROMISED_TARGETS 3
#define ASK_AFTER_TARGETS 2
/* The random access point that is nearest to the target ends an entry; one that
 * is a quarter of the target before it does not. */
#define EARLIEST(target) ((target) / 4 * 3)
/* A pause is so many times longer than what was between two buffers before. */
#define PAUSE_STEPS 3
/* Entries that wait for a disk that is full. */
#define MAX_PENDING 4096

static gchar *
dup_location (GstRecFileSink *self, guint64 *target_duration)
{
  gchar *location;

  GST_OBJECT_LOCK (self);
  location = g_strdup (self->playlist_location);
  *target_duration = self->playlist_target_duration;
  GST_OBJECT_UNLOCK (self);
  return location;
}

/* The newest playlist of an earlier run, NULL: none. */
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

/* The playlist of that name to go on with, or one that does not exist yet. */
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

static gint
probe_path (const gchar *path, gboolean make_folders)
{
  gchar *directory =
      make_folders ? rec_disk_nearest_folder (path) : g_path_get_dirname (path);
  gint err = rec_disk_probe_directory (directory);

  g_free (directory);
  return err;
}

gboolean
gst_rec_file_sink_playlist_prepare (GstRecFileSink *self)
{
  GstRecFileSinkSettings settings = gst_rec_file_sink_get_settings (self);
  guint64 target_duration;
  gchar *location = dup_location (self, &target_duration), *path;
  gint err;

  if (!location)
    return TRUE;
  path = rec_filename_expand (location, g_get_real_time (), 0);
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    err = EISDIR;
  else if (rec_file_is_stream (path))
    err = ESPIPE; /* it is replaced as a whole */
  else if (g_file_test (path, G_FILE_TEST_EXISTS) && !settings.resume &&
      settings.on_exists == REC_ON_EXISTS_REFUSE)
    err = EEXIST;
  else
    err = probe_path (
        path, gst_rec_file_sink_may_make_folder (self, location, path));
  if (err)
    GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE,
        ("Could not write the playlist \"%s\": %s. Set playlist-location to "
         "a file that can be made there.",
            path, g_strerror (err)),
        ("errno %d", err));
  g_free (path);
  g_free (location);
  return err == 0;
}

/* --- troubles: the recording goes on in any case */

static void
give_up (GstRecFileSink *self, const gchar *reason)
{
  self->playlist.given_up = TRUE;
  GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
      ("No playlist is written: %s. The recording goes on without it.", reason),
      (NULL));
}

static void
report_error (GstRecFileSink *self, gint err)
{
  GstRecFileSinkPlaylist *playlist = &self->playlist;

  if (playlist->failing)
    return;
  playlist->failing = TRUE;
  GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
      ("Could not write the playlist \"%s\": %s. The recording goes on, and "
       "the playlist is tried again with its next entry.",
          playlist->path, g_strerror (err)),
      ("errno %d", err));
}

/* --- entries */

static void
free_entry (gpointer data)
{
  RecHlsPlaylistEntry *entry = data;

  g_free ((gchar *)entry->uri);
  g_free (entry);
}

/* Somebody has deleted the playlist: what comes is in a new one. */
static gboolean
begin_anew (GstRecFileSink *self)
{
  GstRecFileSinkPlaylist *playlist = &self->playlist;

  if (g_file_test (playlist->path, G_FILE_TEST_EXISTS))
    return FALSE;
  GST_WARNING_OBJECT (self,
      "\"%s\" was deleted; it begins anew with what is recorded from now on",
      playlist->path);
  rec_hls_playlist_clear (&playlist->file);
  return rec_hls_playlist_create (&playlist->file, playlist->path,
             PROMISED_TARGETS * playlist->target) == 0;
}

static void
write_pending (GstRecFileSink *self)
{
  GstRecFileSinkPlaylist *playlist = &self->playlist;
  RecHlsPlaylistEntry *entry;
  gint err;

  while ((entry = g_queue_peek_head (&playlist->pending))) {
    err = rec_hls_playlist_add (&playlist->file, entry);
    if (err == ENOENT && begin_anew (self))
      continue;
    if (err) {
      report_error (self, err);
      break;
    }
    playlist->failing = FALSE;
    free_entry (g_queue_pop_head (&playlist->pending));
  }
  while (g_queue_get_length (&playlist->pending) > MAX_PENDING)
    free_entry (g_queue_pop_head (&playlist->pending));
}

/* How long the entry that is open lasts until running time @time. Running time
 * and the monotonic clock have nothing in common, so that one of the two
 * measures all of it. */
static GstClockTime
get_duration (const GstRecFileSinkPlaylist *playlist, GstClockTime time)
{
  if (GST_CLOCK_TIME_IS_VALID (playlist->begin) &&
      GST_CLOCK_TIME_IS_VALID (time))
    return time > playlist->begin ? time - playlist->begin : 0;
  return (g_get_monotonic_time () - playlist->clock_begin) * GST_USECOND;
}

/* Whether the entry should end at the random access point at @time: the next
 * one, as far off as the last one was, would be farther from the target. */
static gboolean
is_long_enough (const GstRecFileSinkPlaylist *playlist, GstClockTime time)
{
  GstClockTime duration = get_duration (playlist, time), step;

  if (duration >= playlist->target)
    return TRUE;
  if (duration <= EARLIEST (playlist->target) ||
      !GST_CLOCK_TIME_IS_VALID (time) ||
      !GST_CLOCK_TIME_IS_VALID (playlist->last_random_access))
    return FALSE;
  step = time - MIN (time, playlist->last_random_access);
  return playlist->target - duration <= step / 2;
}

/* The entry that is open ends at byte @offset and running time @time. */
static void
end_entry (GstRecFileSink *self, guint64 offset, GstClockTime time)
{
  GstRecFileSinkPlaylist *playlist = &self->playlist;
  RecHlsPlaylistEntry *entry;

  if (!playlist->open)
    return;
  playlist->open = FALSE;
  if (offset <= playlist->offset)
    return; /* somebody has shortened the file */
  entry = g_new0 (RecHlsPlaylistEntry, 1);
  entry->uri = g_strdup (playlist->uri);
  entry->offset = playlist->offset;
  entry->size = offset - playlist->offset;
  /* a fragment that is one entry is named as a whole */
  entry->whole_file = !self->fragment && playlist->offset == 0;
  entry->duration = MAX (get_duration (playlist, time), GST_MSECOND);
  GST_DEBUG_OBJECT (self,
      "entry of %" GST_TIME_FORMAT ", bytes %" G_GUINT64_FORMAT
      " to %" G_GUINT64_FORMAT "%s",
      GST_TIME_ARGS (entry->duration), entry->offset, offset,
      playlist->discontinuity ? ", discontinuous" : "");
  entry->utc_time = playlist->utc_time;
  entry->discontinuity = playlist->discontinuity;
  g_queue_push_tail (&playlist->pending, entry);
  write_pending (self);
}

static void
begin_entry (GstRecFileSinkPlaylist *playlist, guint64 offset,
    GstClockTime time, gboolean discontinuity)
{
  playlist->open = TRUE;
  playlist->offset = offset;
  playlist->begin = playlist->end = time;
  playlist->clock_begin = g_get_monotonic_time ();
  playlist->utc_time = g_get_real_time ();
  playlist->discontinuity = discontinuity;
  playlist->lost = FALSE;
}

/* --- the file */

/* Goes on with the playlist of an earlier run, or after EOS with our own. */
static gint
open_playlist (GstRecFileSink *self, guint64 target, guint64 file_size)
{
  GstRecFileSinkPlaylist *playlist = &self->playlist;
  gboolean ours = playlist->file.path && playlist->file.ended;
  guint64 promised = PROMISED_TARGETS * target;
  gint err;

  if (ours)
    rec_hls_playlist_clear (&playlist->file);
  if (ours || playlist->resume)
    err = rec_hls_playlist_continue (
        &playlist->file, playlist->path, promised, playlist->uri, file_size);
  else
    err = rec_hls_playlist_create (&playlist->file, playlist->path, promised);
  return err;
}

/* The first buffer of a fragment is in its file, at byte @offset. */
static gboolean
begin_file (GstRecFileSink *self, guint64 offset)
{
  GstRecFileSinkPlaylist *playlist = &self->playlist;
  gchar *location, *uri;
  guint n_made;
  gint err;

  location = dup_location (self, &playlist->target);
  if (!location)
    return FALSE;
  if (!playlist->path) {
    playlist->resume = gst_rec_file_sink_get_settings (self).resume;
    playlist->path = choose_path (location, playlist->resume);
    /* what cannot be made is told when the playlist is opened */
    if (gst_rec_file_sink_may_make_folder (self, location, playlist->path))
      rec_disk_make_folders (playlist->path, &n_made);
  }
  g_free (location);
  uri = rec_hls_playlist_uri (playlist->path, self->fragment->path);
  g_free (playlist->uri);
  playlist->uri = g_strdup (uri);
  free (uri);
  if (!playlist->file.path || playlist->file.ended) {
    err = open_playlist (self, playlist->target, offset);
    if (err == EINVAL) {
      give_up (self, "the file at playlist-location is no media playlist");
      return FALSE;
    }
    if (err) {
      report_error (self, err);
      return FALSE;
    }
  }
  GST_INFO_OBJECT (
      self, "playlist \"%s\" names \"%s\"", playlist->path, playlist->uri);
  playlist->fragment = self->fragment;
  return TRUE;
}

static gboolean
has_location (GstRecFileSink *self)
{
  guint64 target;
  gchar *location = dup_location (self, &target);

  g_free (location);
  return location != NULL;
}

/* ISO/IEC 13818-1, 2.4.3.2: a packet with PID 0 carries the PAT. */
static gboolean
may_begin_entry (GstBuffer *buffer)
{
  guint8 header[4];

  return !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT) &&
      gst_buffer_extract (buffer, 0, header, sizeof (header)) ==
      sizeof (header) &&
      header[0] == 0x47 && (header[1] & 0x1f) == 0 && header[2] == 0;
}

/* Nothing came for longer than an entry may last, and that is not how the
 * stream is: a publisher has left and come back. Its absence is no part of an
 * entry. */
static gboolean
is_after_pause (const GstRecFileSinkPlaylist *playlist, GstClockTime time)
{
  GstClockTime step;

  if (!playlist->open || !GST_CLOCK_TIME_IS_VALID (time) ||
      !GST_CLOCK_TIME_IS_VALID (playlist->end) || time <= playlist->end)
    return FALSE;
  step = time - playlist->end;
  return step > PROMISED_TARGETS * playlist->target &&
      step / PAUSE_STEPS > playlist->step;
}

/* What is written now, of the entry that is open. Tables have no timestamps:
 * they are no part of its time. */
static void
note_time (
    GstRecFileSinkPlaylist *playlist, GstClockTime time, GstClockTime duration)
{
  if (!GST_CLOCK_TIME_IS_VALID (time))
    return;
  if (!GST_CLOCK_TIME_IS_VALID (playlist->begin))
    playlist->begin = playlist->end = time;
  if (time > playlist->end)
    playlist->step = MAX (playlist->step, time - playlist->end);
  if (GST_CLOCK_TIME_IS_VALID (duration))
    time += duration;
  playlist->end = MAX (playlist->end, time);
}

/* When @buffer is presented, running time: entries last as long as what they
 * hold plays (RFC 8216, 4.3.2.1), and pictures are written before that, by more
 * when they are reordered. @time: when it is decoded. */
static GstClockTime
get_presentation_time (
    GstRecFileSink *self, GstBuffer *buffer, GstClockTime time)
{
  const GstSegment *segment = &GST_BASE_SINK (self)->segment;
  GstClockTime pts = GST_BUFFER_PTS (buffer);

  if (!GST_CLOCK_TIME_IS_VALID (time) || !GST_CLOCK_TIME_IS_VALID (pts))
    return time;
  pts = gst_segment_to_running_time (segment, GST_FORMAT_TIME, pts);
  return GST_CLOCK_TIME_IS_VALID (pts) ? pts : time;
}

void
gst_rec_file_sink_playlist_written (
    GstRecFileSink *self, GstBuffer *buffer, GstClockTime decoding_time)
{
  GstRecFileSinkPlaylist *playlist = &self->playlist;
  GstClockTime time = get_presentation_time (self, buffer, decoding_time);
  guint64 end = self->fragment->file.size;
  guint64 offset = end - gst_buffer_get_size (buffer);
  gboolean lost, first = may_begin_entry (buffer);

  if (playlist->given_up)
    return;
  if (playlist->fragment != self->fragment && first && has_location (self) &&
      !self->fragment->file.regular) {
    give_up (self, "it is for recordings to files only");
    return;
  }
  if (playlist->fragment != self->fragment &&
      !(first && begin_file (self, offset)))
    return;
  if (self->packet_size != 188) {
    give_up (self, "it is for MPEG transport streams only");
    return;
  }
  if (is_after_pause (playlist, time)) {
    playlist->step = time - playlist->end;
    end_entry (self, offset, playlist->end);
    playlist->lost = TRUE;
  }
  if (first) {
    lost = playlist->lost ||
        (playlist->open &&
            GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT));
    if (lost || (playlist->open && is_long_enough (playlist, time)))
      end_entry (self, offset, lost ? playlist->end : time);
    if (!playlist->open)
      begin_entry (playlist, offset, time, lost);
    playlist->last_random_access = time;
  }
  note_time (playlist, time, GST_BUFFER_DURATION (buffer));
}

void
gst_rec_file_sink_playlist_next_fragment (
    GstRecFileSink *self, GstBuffer *buffer, GstClockTime decoding_time)
{
  GstRecFileSinkPlaylist *playlist = &self->playlist;
  GstClockTime time = get_presentation_time (self, buffer, decoding_time);

  if (!playlist->open || playlist->lost || !GST_CLOCK_TIME_IS_VALID (time) ||
      !GST_CLOCK_TIME_IS_VALID (playlist->end))
    return;
  /* what is written lasts until the next fragment, unless there was a pause */
  if (is_after_pause (playlist, time))
    playlist->step = time - playlist->end;
  else if (time > playlist->begin)
    playlist->end = time;
}

gboolean
gst_rec_file_sink_playlist_wants_key_unit (
    GstRecFileSink *self, GstClockTime time)
{
  const GstRecFileSinkPlaylist *playlist = &self->playlist;

  return playlist->open && GST_CLOCK_TIME_IS_VALID (time) &&
      GST_CLOCK_TIME_IS_VALID (playlist->begin) &&
      time >= playlist->begin + ASK_AFTER_TARGETS * playlist->target;
}

void
gst_rec_file_sink_playlist_lost (GstRecFileSink *self)
{
  self->playlist.lost = TRUE;
}

void
gst_rec_file_sink_playlist_truncated (GstRecFileSink *self, guint64 size)
{
  GstRecFileSinkPlaylist *playlist = &self->playlist;
  gint err;

  if (!playlist->file.path || !playlist->uri)
    return;
  if (playlist->open && playlist->offset >= size)
    playlist->open = FALSE;
  playlist->lost = TRUE;
  rec_hls_playlist_clear (&playlist->file);
  err = rec_hls_playlist_continue (&playlist->file, playlist->path,
      PROMISED_TARGETS * playlist->target, playlist->uri, size);
  if (err) {
    report_error (self, err);
    playlist->fragment = NULL; /* opened again with the next buffer */
  }
}

void
gst_rec_file_sink_playlist_fragment_closed (
    GstRecFileSink *self, const RecFragment *fragment)
{
  GstRecFileSinkPlaylist *playlist = &self->playlist;

  if (playlist->fragment != fragment)
    return;
  end_entry (self, fragment->file.size, playlist->end);
  playlist->fragment = NULL;
}

void
gst_rec_file_sink_playlist_end (GstRecFileSink *self)
{
  GstRecFileSinkPlaylist *playlist = &self->playlist;
  gint err;

  if (!playlist->file.path || playlist->file.ended)
    return;
  write_pending (self);
  if ((err = rec_hls_playlist_end (&playlist->file)))
    report_error (self, err);
  else
    GST_INFO_OBJECT (self, "playlist \"%s\" is ended", playlist->path);
}

void
gst_rec_file_sink_playlist_clear (GstRecFileSink *self)
{
  GstRecFileSinkPlaylist *playlist = &self->playlist;

  if (playlist->file.path)
    rec_hls_playlist_clear (&playlist->file);
  g_queue_clear_full (&playlist->pending, free_entry);
  g_free (playlist->path);
  g_free (playlist->uri);
  memset (playlist, 0, sizeof (*playlist));
  g_queue_init (&playlist->pending);
}

void
gst_rec_file_sink_playlist_install_properties (
    GObjectClass *klass, guint location_id, guint target_duration_id)
{
  /**
   * GstRecFileSink:playlist-location:
   *
   * An HLS media playlist (RFC 8216, version 4) of the recording: a player
   * that opens it over HTTP, or beside the recording, can watch while it is
   * recorded and seek in what was recorded. It is of type EVENT, gets
   * EXT-X-ENDLIST at the end, names byte ranges of the file (a fragment that
   * is one entry as a whole), and is replaced as a whole with each entry, so
   * that it is valid at every instant. strftime(3) conversions are expanded;
   * a playlist that exists is treated as #GstRecFileSink:on-exists says, and
   * goes on with #GstRecFileSink:resume. For MPEG transport streams only.
   * Trouble with it is said once, in a warning, and never stops the recording.
   * %NULL: no playlist.
   */
  g_object_class_install_property (klass, location_id,
      g_param_spec_string ("playlist-location", "Playlist location",
          "HLS playlist to keep of the recording (null = none)", NULL,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_READY));

  /**
   * GstRecFileSink:playlist-target-duration:
   *
   * Duration of an entry, ns of running time: the random access point that is
   * nearest to it begins the next entry, also one that is up to a quarter of it
   * early. The playlist promises players
   * three times that (EXT-X-TARGETDURATION); when two thirds of it have passed
   * without a random access point, a key frame is requested upstream.
   */
  g_object_class_install_property (klass, target_duration_id,
      g_param_spec_uint64 ("playlist-target-duration",
          "Playlist target duration",
          "Duration in ns after which a new entry of the playlist is begun",
          GST_SECOND, 3600 * GST_SECOND, REC_SINK_PLAYLIST_TARGET,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_READY));
}
