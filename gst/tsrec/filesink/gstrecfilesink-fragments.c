/* gst-tsrec: recfilesink, names, opening and closing of fragments
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecfilesink-private.h"

#include "recfilematch.h"
#include "recfilename.h"

#include <errno.h>

#define GST_CAT_DEFAULT gst_rec_file_sink_debug

/* Limit of tries if other recorders take the names at the same time. */
#define MAX_NAME_TRIES 100

/* --- names --- */

void
gst_rec_file_sink_clear_names (GstRecFileSink *self)
{
  GstRecFileSinkNames *names = &self->names;

  names->next_index = names->next_number = 0;
  g_clear_pointer (&names->continue_path, g_free);
  g_clear_pointer (&names->last_plain, g_free);
  g_clear_pointer (&names->tried_path, g_free);
}

/* Returns the name of the next fragment from the application; NULL: none. */
static gchar *
ask_application (GstRecFileSink *self)
{
  gchar *path = NULL;

  if (!self->on_failover)
    g_signal_emit_by_name (
        self, "format-location", self->names.next_index, &path);
  return path;
}

static gint64
naming_time_of (GstRecFileSink *self)
{
  return self->names.time ? self->names.time : g_get_real_time ();
}

/* Returns the name of the next fragment; NULL: no location. If the pattern has
 * no fragment number, a number is added before the extension. */
static gchar *
next_path (GstRecFileSink *self)
{
  gchar *pattern = NULL, *plain = ask_application (self), *path = NULL;
  gboolean numbered = FALSE;

  self->names.by_application = plain != NULL;
  if (!plain) {
    pattern = gst_rec_file_sink_dup_pattern (self);
    if (!pattern)
      return NULL;
    numbered = rec_filename_has_index (pattern);
    plain = rec_filename_expand (
        pattern, naming_time_of (self), self->names.next_index);
  }
  g_free (pattern);
  if (numbered)
    return plain;
  if (rec_file_is_stream (plain))
    return plain; /* a stream has only one name */
  /* a name that has changed with the time starts without a number */
  if (g_strcmp0 (plain, self->names.last_plain) != 0)
    self->names.next_number = 0;
  path = rec_filename_numbered (plain, self->names.next_number);
  g_free (self->names.last_plain);
  self->names.last_plain = plain;
  return path;
}

/* Returns the highest fragment number among the files of @pattern at @now, also
 * if the number is in the name of a folder; -1: none. */
static gint64
last_index (const gchar *pattern, gint64 now, gchar **path)
{
  gint64 last = rec_filename_last_index (pattern, now, path);
  GPtrArray *matches;
  guint i;

  if (!rec_filename_has_folders (pattern))
    return last;
  matches = rec_file_match_list (pattern);
  for (i = 0; i < matches->len; i++) {
    const RecFileMatch *match = g_ptr_array_index (matches, i);
    gchar *name = rec_filename_expand (pattern, now, (guint)match->index);

    if (g_str_equal (name, match->path) && (gint64)match->index > last) {
      last = (gint64)match->index;
      g_free (*path);
      *path = g_strdup (name);
    }
    g_free (name);
  }
  g_ptr_array_unref (matches);
  return last;
}

gchar *
gst_rec_file_sink_newest_existing (
    GstRecFileSink *self, guint *index, guint *number)
{
  gchar *pattern = gst_rec_file_sink_dup_pattern (self), *path = NULL, *plain;
  gint64 now = naming_time_of (self), n;

  if (!pattern)
    return NULL;
  if (rec_file_is_stream (pattern)) {
    g_free (pattern);
    return NULL;
  }
  if (rec_filename_has_index (pattern)) {
    n = last_index (pattern, now, &path);
    *index = n < 0 ? 0 : (guint)n;
  } else {
    plain = rec_filename_expand (pattern, now, 0);
    n = rec_filename_last_number (plain);
    if (n >= 0)
      path = rec_filename_numbered (plain, (guint)n);
    *number = n < 0 ? 0 : (guint)n;
    g_free (plain);
  }
  g_free (pattern);
  return path;
}

/* Skips the names of existing files. */
static void
skip_existing (GstRecFileSink *self)
{
  guint index = 0, number = 0;
  gchar *newest = gst_rec_file_sink_newest_existing (self, &index, &number);

  if (newest) {
    self->names.next_index = MAX (self->names.next_index, index + 1);
    self->names.next_number = MAX (self->names.next_number, number + 1);
  }
  g_free (newest);
}

/* --- folders --- */

/* Returns the folder that contains all files of @pattern, for example @path. */
static gchar *
dup_base (const gchar *pattern, const gchar *path)
{
  gchar *fixed = pattern ? rec_filename_fixed_folder (pattern) : NULL;

  return fixed ? fixed : g_path_get_dirname (path);
}

/* TRUE when recording began in @base and its file system is no longer mounted:
 * a new file there would fill the file system of the mount point. */
static gboolean
is_unmounted (GstRecFileSink *self, const gchar *base)
{
  return g_strcmp0 (self->base.path, base) == 0 &&
      rec_disk_folder_is_unmounted (&self->base);
}

/* Creates missing folders of @fragment if its pattern has folders with
 * conversions, or if they existed when recording began. Returns 0 or errno. */
static gint
make_folders (GstRecFileSink *self, const gchar *pattern, const gchar *base,
    RecFragment *fragment)
{
  gint err;

  if (g_strcmp0 (self->base.path, base) != 0 &&
      (!pattern || !rec_filename_has_folders (pattern)))
    return ENOENT;
  err = rec_disk_make_folders (fragment->path, &fragment->new_folders);
  if (err)
    return err;
  GST_INFO_OBJECT (self, "created %u folders for \"%s\"", fragment->new_folders,
      fragment->path);
  return 0;
}

void
gst_rec_file_sink_remember_base (GstRecFileSink *self, const gchar *path)
{
  gchar *pattern = gst_rec_file_sink_dup_pattern (self);

  rec_disk_folder_set (&self->base, dup_base (pattern, path));
  g_free (pattern);
}

/* Creates the file of @fragment and its missing folders. Returns 0 or errno. */
static gint
create_file (GstRecFileSink *self, RecFragment *fragment)
{
  gchar *pattern =
      self->names.by_application ? NULL : gst_rec_file_sink_dup_pattern (self);
  gchar *base = dup_base (pattern, fragment->path);
  gint err = ENODEV;

  if (!is_unmounted (self, base))
    err = rec_file_open (&fragment->file, fragment->path, REC_FILE_CREATE);
  if (err == ENOENT)
    err = make_folders (self, pattern, base, fragment);
  if (!err && !rec_file_is_open (&fragment->file))
    err = rec_file_open (&fragment->file, fragment->path, REC_FILE_CREATE);
  /* retention may have removed a folder that was empty for a moment */
  if (err == ENOENT && make_folders (self, pattern, base, fragment) == 0)
    err = rec_file_open (&fragment->file, fragment->path, REC_FILE_CREATE);
  if (!err) {
    fragment->base = pattern ? rec_filename_fixed_folder (pattern) : NULL;
    rec_disk_folder_set (&self->base, g_steal_pointer (&base));
  }
  g_free (base);
  g_free (pattern);
  return err;
}

/* --- fragments --- */

void
gst_rec_file_sink_begin_fragment (
    GstRecFileSink *self, RecFragment *fragment, GstClockTime time)
{
  gchar *pattern;

  fragment->opened_time = fragment->last_time = time;
  self->fragment = fragment;
  ts_pmt_patch_init (&self->first_pmt, fragment->file.size);
  self->counters.file_size = fragment->file.size;
  self->device = fragment->file.dev;
  self->inode = fragment->file.ino;
  self->counters.fragment_index = fragment->index;
  self->counters.fragments++;
  self->recording = TRUE;
  self->to_stream = !fragment->file.regular;
  self->place_suspect = FALSE;
  GST_OBJECT_LOCK (self);
  g_free (self->path);
  self->path = g_strdup (fragment->path);
  GST_OBJECT_UNLOCK (self);
  if (self->syncer)
    rec_syncer_set_current (self->syncer, fragment);
  pattern = gst_rec_file_sink_dup_pattern (self);
  rec_hls_writer_begin_fragment (
      self->hls, fragment->path, pattern, fragment->file.regular);
  g_free (pattern);
  GST_INFO_OBJECT (self,
      "opened \"%s\" (%s), fragment %u, at byte %" G_GUINT64_FORMAT
      ", running time %" GST_TIME_FORMAT,
      fragment->path, fragment->file.regular ? "file" : "stream",
      fragment->index, (guint64)fragment->file.size, GST_TIME_ARGS (time));
}

/* Tries to create the next name once. @taken: set to TRUE if the file exists.
 */
static gint
create_fragment (GstRecFileSink *self, RecFragment **result, gboolean *taken)
{
  gchar *path = next_path (self);
  RecFragment *fragment;
  gint err;

  *taken = FALSE;
  g_free (self->names.tried_path);
  self->names.tried_path = path;
  if (!path)
    return ENOENT;
  fragment = rec_fragment_new (path, self->sys, self->cancel_fd);
  fragment->index = self->names.next_index;
  fragment->created = TRUE;
  err = create_file (self, fragment);
  *taken = err == EEXIST;
  if (!err) {
    *result = fragment;
    return 0;
  }
  GST_DEBUG_OBJECT (self, "cannot create \"%s\": %s", path, g_strerror (err));
  /* the file belongs to a running recorder, not to an earlier run */
  if (*taken && self->counters.fragments == 0 &&
      rec_file_probe_lock (self->sys, path))
    err = EBUSY;
  rec_fragment_free (fragment);
  return err;
}

gint
gst_rec_file_sink_open_existing (
    GstRecFileSink *self, const gchar *path, guint index, RecFragment **result)
{
  RecFragment *fragment = rec_fragment_new (path, self->sys, self->cancel_fd);
  gchar *pattern =
      self->names.by_application ? NULL : gst_rec_file_sink_dup_pattern (self);
  gint err;

  fragment->index = index;
  fragment->base = pattern ? rec_filename_fixed_folder (pattern) : NULL;
  g_free (pattern);
  err = rec_file_open (&fragment->file, path, REC_FILE_CONTINUE);
  if (err)
    rec_fragment_free (fragment);
  else
    *result = fragment;
  return err;
}

static gint
create_next (GstRecFileSink *self, RecFragment **result)
{
  GstRecFileSinkSettings settings = gst_rec_file_sink_get_settings (self);
  gboolean taken;
  guint tries;
  gint err = EEXIST;

  for (tries = 0; tries < MAX_NAME_TRIES; tries++) {
    err = create_fragment (self, result, &taken);
    if (err != EEXIST)
      break;
    /* an existing name stops only a recording that has not begun */
    if (self->counters.fragments == 0 &&
        settings.on_exists == REC_ON_EXISTS_REFUSE)
      break;
    if (self->names.by_application || tries > 0)
      self->names.next_number++;
    else
      skip_existing (self);
  }
  return err;
}

gint
gst_rec_file_sink_open_next (
    GstRecFileSink *self, const RecBufferView *view, gint64 naming_time)
{
  RecFragment *fragment = NULL;
  gint err;

  if (self->names.continue_path) {
    err = gst_rec_file_sink_open_existing (
        self, self->names.continue_path, self->names.next_index - 1, &fragment);
    g_clear_pointer (&self->names.continue_path, g_free);
    if (!err) {
      gst_rec_file_sink_begin_fragment (self, fragment, view->time);
      return 0;
    }
  }
  self->names.time = naming_time;
  err = create_next (self, &fragment);
  self->names.time = 0;
  if (err)
    return err;
  rec_hls_writer_next_fragment (
      self->hls, view->presentation_time, view->time < view->presentation_time);
  gst_rec_file_sink_finish (self, "fragment");
  self->names.next_index++;
  self->names.next_number++;
  gst_rec_file_sink_begin_fragment (self, fragment, view->time);
  gst_rec_file_sink_report_opened (self, FALSE);
  return 0;
}

void
gst_rec_file_sink_finish (GstRecFileSink *self, const gchar *reason)
{
  RecFragment *fragment = self->fragment;

  if (!fragment)
    return;
  GST_DEBUG_OBJECT (self, "finishing \"%s\": %s", fragment->path, reason);
  fragment->reason = reason;
  self->fragment = NULL;
  self->recording = FALSE;
  rec_hls_writer_end_fragment (self->hls, fragment->file.size);
  rec_syncer_finish_current (self->syncer, g_str_equal (reason, "eos"));
}
