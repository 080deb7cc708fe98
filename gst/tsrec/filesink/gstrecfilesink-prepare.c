/* gst-tsrec: recfilesink, NULL->READY: tests whether recording is possible
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecfilesink-private.h"

#include "recfilematch.h"
#include "recfilename.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define GST_CAT_DEFAULT gst_rec_file_sink_debug

/* TRUE if a handler of format-location is connected, including the one of an
 * enclosing bin. */
static gboolean
may_be_named (GstRecFileSink *self)
{
  guint id = g_signal_lookup ("format-location", G_OBJECT_TYPE (self));

  return g_signal_has_handler_pending (self, id, 0, FALSE);
}

/* Tests whether @path can be recorded to, without creating or changing
 * anything. Returns 0 or errno; EEXIST: the file exists; EBUSY: a recorder has
 * it open. */
static gint
probe_path (GstRecFileSink *self, const gchar *path, gboolean make_folders)
{
  struct stat st;

  if (rec_file_is_stream (path))
    return rec_file_probe_stream (path);
  if (stat (path, &st) == 0) {
    if (S_ISDIR (st.st_mode))
      return EISDIR;
    return rec_file_probe_lock (self->sys, path) ? EBUSY : EEXIST;
  }
  return errno != ENOENT ? errno : rec_disk_probe_place (path, make_folders);
}

/* Tests the newest existing file of the names that would be used. Returns 0, or
 * errno with its path in @path. */
static gint
probe_newest (GstRecFileSink *self, gchar **path)
{
  GstRecFileSinkSettings settings = gst_rec_file_sink_get_settings (self);
  guint index, number;
  gint err;

  *path = gst_rec_file_sink_newest_existing (self, &index, &number);
  if (!*path)
    return 0;
  err = probe_path (self, *path, FALSE);
  if (err == EEXIST &&
      (settings.resume || settings.on_exists == REC_ON_EXISTS_NUMBER))
    err = access (*path, W_OK) < 0 && settings.resume ? errno : 0;
  if (!err)
    g_clear_pointer (path, g_free);
  return err;
}

static gboolean
open_journal (GstRecFileSink *self)
{
  gchar *location =
      gst_rec_file_sink_dup_string (self, &self->journal_location);
  gchar *pattern, *error = NULL;
  guint n_made;

  if (!location)
    return TRUE;
  pattern = gst_rec_file_sink_dup_pattern (self);
  /* the open reports folders that cannot be created */
  if (rec_filename_may_make_folder (pattern, "", location))
    rec_disk_make_folders (location, &n_made);
  g_free (pattern);
  self->journal = rec_journal_new (location, self->sys, &error);
  g_free (location);
  if (self->journal)
    return TRUE;

  /* ERRORS */
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE, ("%s", error), (NULL));
  g_free (error);
  return FALSE;
}

/* Returns the name of a property that is set and needs files in a folder; NULL:
 * none. */
static const gchar *
find_property_of_files (GstRecFileSink *self)
{
  const GstRecFileSinkSettings *settings = &self->settings;
  const gchar *property = NULL;

  GST_OBJECT_LOCK (self);
  if (settings->resume)
    property = "resume";
  else if (settings->max_size_time)
    property = "max-size-time";
  else if (settings->max_size_bytes)
    property = "max-size-bytes";
  else if (settings->new_file_per_session)
    property = "new-file-per-session";
  else if (settings->retention.max_files)
    property = "max-files";
  else if (settings->retention.max_bytes)
    property = "max-total-bytes";
  else if (self->playlist_location)
    property = "playlist-location";
  GST_OBJECT_UNLOCK (self);
  return property;
}

/* Returns FALSE, after posting an error, if @location is a stream and a
 * property needs files in a folder. */
static gboolean
is_possible (GstRecFileSink *self, const gchar *location)
{
  const gchar *property;

  if (!location || !rec_file_is_stream (location))
    return TRUE;
  property = find_property_of_files (self);
  if (!property)
    return TRUE;

  /* ERRORS */
  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
      ("Could not record to \"%s\" with %s: it is a stream (a pipe, a device "
       "or "
       "a descriptor), not a file in a folder. Unset %s, or record to a file.",
          location, property, property),
      (NULL));
  return FALSE;
}

/* Returns FALSE, after posting an error, if resume is set and the files of an
 * earlier run cannot be recognised by name. */
static gboolean
can_resume (GstRecFileSink *self, const gchar *location)
{
  gchar *playlist, *unknown = NULL;
  const gchar *property = "location";

  if (!gst_rec_file_sink_get_settings (self).resume)
    return TRUE;
  if (!location)
    goto no_location;
  unknown = rec_file_match_find_unsupported (location);
  if (!unknown) {
    playlist = gst_rec_file_sink_dup_string (self, &self->playlist_location);
    property = "playlist-location";
    if (playlist)
      unknown = rec_file_match_find_unsupported (playlist);
    g_free (playlist);
  }
  if (unknown)
    goto unsupported;
  return TRUE;

  /* ERRORS */
no_location:
  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
      ("Could not resume: the files of an earlier run are found by location, "
       "which is not set. Set location, or resume=false."),
      (NULL));
  return FALSE;
unsupported:
  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
      ("Could not resume: names with \"%s\" cannot be recognised. Use %%Y, "
       "%%m, %%d, %%H, %%M and %%S in %s, or set resume=false.",
          unknown, property),
      (NULL));
  g_free (unknown);
  return FALSE;
}

/* Returns FALSE, after posting an error, if the playlist cannot be written. */
static gboolean
can_write_playlist (GstRecFileSink *self, const gchar *pattern)
{
  GstRecFileSinkSettings settings = gst_rec_file_sink_get_settings (self);
  gchar *location =
      gst_rec_file_sink_dup_string (self, &self->playlist_location);
  gchar *path;
  gint err;

  if (!location)
    return TRUE;
  path = rec_filename_expand (location, g_get_real_time (), 0);
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    err = EISDIR;
  else if (rec_file_is_stream (path))
    err = ESPIPE; /* a stream cannot be replaced as a whole */
  else if (g_file_test (path, G_FILE_TEST_EXISTS) && !settings.resume &&
      settings.on_exists == REC_ON_EXISTS_REFUSE)
    err = EEXIST;
  else
    err = rec_disk_probe_place (
        path, rec_filename_may_make_folder (pattern, location, path));
  if (err)
    GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE,
        ("Could not write the playlist \"%s\": %s. Set playlist-location to "
         "a file that can be created.",
            path, g_strerror (err)),
        ("errno %d", err));
  g_free (path);
  g_free (location);
  return err == 0;
}

gboolean
gst_rec_file_sink_prepare (GstRecFileSink *self)
{
  gchar *path = NULL, *pattern = gst_rec_file_sink_dup_pattern (self);
  gboolean possible;
  gint err;

  if (!pattern && !may_be_named (self))
    goto no_location;
  if (!is_possible (self, pattern) || !can_resume (self, pattern)) {
    g_free (pattern);
    return FALSE;
  }
  if (pattern) {
    if ((err = probe_newest (self, &path)))
      goto failed;
    path = rec_filename_expand (pattern, g_get_real_time (), 0);
    err = probe_path (self, path, rec_filename_has_folders (pattern));
    if (err == EEXIST)
      err = rec_disk_probe_place (path, FALSE);
    if (err)
      goto failed;
    g_free (path);
  }
  possible = can_write_playlist (self, pattern) && open_journal (self);
  g_free (pattern);
  return possible;

  /* ERRORS */
no_location:
  GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND,
      ("No file name to record to. Set location, for example to \"rec.ts\"."),
      (NULL));
  return FALSE;
failed:
  gst_rec_file_sink_post_open_error (self, path, err);
  g_free (path);
  g_free (pattern);
  return FALSE;
}
