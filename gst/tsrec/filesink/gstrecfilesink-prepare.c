/* gst-tsrec: recfilesink finds out, on the way to READY, whether it can record
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

/* A bin around this element may ask on behalf of somebody or of nobody. */
static gboolean
may_be_named (GstRecFileSink *self)
{
  guint id = g_signal_lookup ("format-location", G_OBJECT_TYPE (self));

  return g_signal_has_handler_pending (self, id, 0, FALSE);
}

/* @make_folders: those that are missing will be made. */
static gint
probe_directory_of (const gchar *path, gboolean make_folders)
{
  gchar *directory =
      make_folders ? rec_disk_nearest_folder (path) : g_path_get_dirname (path);
  gint err = rec_disk_probe_directory (directory);

  g_free (directory);
  return err;
}

gboolean
gst_rec_file_sink_may_make_folder (
    GstRecFileSink *self, const gchar *pattern, const gchar *path)
{
  gchar *location = gst_rec_file_sink_dup_pattern (self),
        *folder = g_path_get_dirname (path);
  gchar *fixed = location ? rec_filename_fixed_folder (location) : NULL;
  gsize len = fixed ? strlen (fixed) : 0;
  gboolean may = rec_filename_has_folders (pattern) ||
      (fixed && strncmp (folder, fixed, len) == 0 &&
          (folder[len] == '\0' || folder[len] == G_DIR_SEPARATOR));

  g_free (fixed);
  g_free (folder);
  g_free (location);
  return may;
}

/* Whether @path can be recorded to; nothing is created or changed. */
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
  return errno != ENOENT ? errno : probe_directory_of (path, make_folders);
}

/* Somebody records to these names already, or may not be allowed to. */
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
  gchar *location, *error = NULL;
  guint n_made;

  GST_OBJECT_LOCK (self);
  location = g_strdup (self->journal_location);
  GST_OBJECT_UNLOCK (self);
  if (!location)
    return TRUE;
  /* what cannot be made is told by the open that follows */
  if (gst_rec_file_sink_may_make_folder (self, "", location))
    rec_disk_make_folders (location, &n_made);
  self->journal = rec_journal_new (location, self->sys, &error);
  g_free (location);
  if (self->journal)
    return TRUE;

  /* ERRORS */
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE, ("%s", error), (NULL));
  g_free (error);
  return FALSE;
}

/* The property that is set and asks for files in a folder; NULL: none. */
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

/* FALSE, after an error was posted: what is set needs files in a folder, and
 * @location is a stream. */
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
      ("Could not record to \"%s\" with %s: it is no file in a folder, but a "
       "stream, which is written to as it is. Unset %s, or record to a file.",
          location, property, property),
      (NULL));
  return FALSE;
}

/* FALSE, after an error was posted: resume is set, and the files of an earlier
 * run could not be recognised. */
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
    GST_OBJECT_LOCK (self);
    playlist = g_strdup (self->playlist_location);
    GST_OBJECT_UNLOCK (self);
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
       "%%m, "
       "%%d, %%H, %%M and %%S in %s, or set resume=false.",
          unknown, property),
      (NULL));
  g_free (unknown);
  return FALSE;
}

gboolean
gst_rec_file_sink_prepare (GstRecFileSink *self)
{
  gchar *path = NULL, *pattern = gst_rec_file_sink_dup_pattern (self);
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
      err = probe_directory_of (path, FALSE);
    if (err)
      goto failed;
    g_free (path);
  }
  g_free (pattern);
  return gst_rec_file_sink_playlist_prepare (self) && open_journal (self);

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
