/* gst-tsrec: recfilesink names, opens, resumes and finishes fragments
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecfilesink-private.h"

#include "recfilematch.h"
#include "recfilename.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define GST_CAT_DEFAULT gst_rec_file_sink_debug

/* Names that somebody else takes at the same moment. */
#define MAX_NAME_TRIES 100

/* --- names */

gchar *
gst_rec_file_sink_dup_pattern (GstRecFileSink *self)
{
  gchar *pattern;

  GST_OBJECT_LOCK (self);
  pattern =
      g_strdup (self->on_failover ? self->failover_location : self->location);
  GST_OBJECT_UNLOCK (self);
  return pattern;
}

/* The name that an application gives to the next fragment, NULL: none. */
static gchar *
ask_application (GstRecFileSink *self)
{
  gchar *path = NULL;

  if (!self->on_failover)
    g_signal_emit_by_name (self, "format-location", self->next_index, &path);
  return path;
}

static gint64
naming_time_of (GstRecFileSink *self)
{
  return self->naming_time ? self->naming_time : g_get_real_time ();
}

/* The name of the next fragment. With a pattern the number is in there,
 * otherwise it goes before the extension. */
static gchar *
next_path (GstRecFileSink *self, gboolean *numbered)
{
  gchar *pattern = NULL, *plain = ask_application (self), *path = NULL;

  *numbered = FALSE;
  self->named_by_application = plain != NULL;
  if (!plain) {
    pattern = gst_rec_file_sink_dup_pattern (self);
    if (!pattern)
      return NULL;
    *numbered = rec_filename_has_index (pattern);
    plain =
        rec_filename_expand (pattern, naming_time_of (self), self->next_index);
  }
  g_free (pattern);
  if (*numbered)
    return plain;
  if (rec_file_is_stream (plain))
    return plain; /* there is no second one */
  /* a name that changes with the time starts without a number */
  if (g_strcmp0 (plain, self->last_plain) != 0)
    self->next_number = 0;
  path = rec_filename_numbered (plain, self->next_number);
  g_free (self->last_plain);
  self->last_plain = plain;
  return path;
}

/* The highest fragment number among the files of @pattern at @now, also where
 * it is in the name of a folder; -1: none. */
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

/* Passes over the names that are taken. */
static void
skip_existing (GstRecFileSink *self)
{
  guint index = 0, number = 0;
  gchar *newest = gst_rec_file_sink_newest_existing (self, &index, &number);

  if (newest) {
    self->next_index = MAX (self->next_index, index + 1);
    self->next_number = MAX (self->next_number, number + 1);
  }
  g_free (newest);
}

/* --- folders */

/* The folder that all files of @pattern are in; @path is one of them. */
static gchar *
dup_base (const gchar *pattern, const gchar *path)
{
  gchar *fixed = pattern ? rec_filename_fixed_folder (pattern) : NULL;

  return fixed ? fixed : g_path_get_dirname (path);
}

static guint64
device_of_folder (const gchar *folder)
{
  gchar *inside = g_build_filename (folder, "x", NULL);
  guint64 device = rec_disk_device (inside);

  g_free (inside);
  return device;
}

/* Recording began in @base, on a file system that is not there any more: what
 * is made there now would fill the one below the mount point. A link that leads
 * to another folder now is no such case. */
static gboolean
is_unmounted (GstRecFileSink *self, const gchar *base)
{
  return g_strcmp0 (self->base, base) == 0 &&
      device_of_folder (base) != self->base_device &&
      !rec_disk_leads_elsewhere (base, self->base_real);
}

/* Makes the folders of @path that its pattern names, or that were there when
 * recording began. 0 or errno. */
static gint
make_folders (GstRecFileSink *self, const gchar *pattern, const gchar *base,
    RecFragment *fragment)
{
  gint err;

  if (g_strcmp0 (self->base, base) != 0 &&
      (!pattern || !rec_filename_has_folders (pattern)))
    return ENOENT;
  err = rec_disk_make_folders (fragment->path, &fragment->new_folders);
  if (err)
    return err;
  GST_INFO_OBJECT (self, "made %u folders for \"%s\"", fragment->new_folders,
      fragment->path);
  return 0;
}

static void
remember_base (GstRecFileSink *self, gchar *base)
{
  g_free (self->base);
  free (self->base_real);
  self->base = base;
  self->base_real = realpath (base, NULL);
  self->base_device = device_of_folder (base);
}

static void
remember_base_of (GstRecFileSink *self, const gchar *path)
{
  gchar *pattern = gst_rec_file_sink_dup_pattern (self);

  remember_base (self, dup_base (pattern, path));
  g_free (pattern);
}

/* Creates the file of @fragment and, where they are missing, its folders. */
static gint
create_file (GstRecFileSink *self, RecFragment *fragment)
{
  gchar *pattern =
      self->named_by_application ? NULL : gst_rec_file_sink_dup_pattern (self);
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
    remember_base (self, g_steal_pointer (&base));
  }
  g_free (base);
  g_free (pattern);
  return err;
}

/* --- fragments */

static void
begin_fragment (GstRecFileSink *self, RecFragment *fragment, GstClockTime time)
{
  fragment->opened_time = fragment->last_time = time;
  self->fragment = fragment;
  ts_pmt_patch_init (&self->first_pmt, fragment->file.size);
  self->file_size = fragment->file.size;
  self->device = fragment->file.dev;
  self->inode = fragment->file.ino;
  self->fragment_index = fragment->index;
  self->fragments++;
  self->recording = TRUE;
  self->to_stream = !fragment->file.regular;
  self->place_suspect = FALSE;
  GST_OBJECT_LOCK (self);
  g_free (self->path);
  self->path = g_strdup (fragment->path);
  GST_OBJECT_UNLOCK (self);
  if (self->durability)
    rec_syncer_set_current (self->durability, fragment);
  gst_rec_file_sink_cut_begin (self, time);
  GST_INFO_OBJECT (self,
      "opened \"%s\" (%s), fragment %u, at byte %" G_GUINT64_FORMAT
      ", running time %" GST_TIME_FORMAT,
      fragment->path, fragment->file.regular ? "file" : "stream",
      fragment->index, (guint64)fragment->file.size, GST_TIME_ARGS (time));
}

/* One try to create the next name. */
static gint
create_fragment (GstRecFileSink *self, RecFragment **result, gboolean *taken)
{
  gboolean numbered;
  gchar *path = next_path (self, &numbered);
  RecFragment *fragment;
  gint err;

  *taken = FALSE;
  g_free (self->tried_path);
  self->tried_path = path;
  if (!path)
    return ENOENT;
  fragment = rec_fragment_new (path, self->sys, self->cancel_fd);
  fragment->index = self->next_index;
  fragment->created = TRUE;
  err = create_file (self, fragment);
  *taken = err == EEXIST;
  if (!err) {
    *result = fragment;
    return 0;
  }
  GST_DEBUG_OBJECT (self, "cannot create \"%s\": %s", path, g_strerror (err));
  /* who records to that name is not a file that was left */
  if (*taken && self->fragments == 0 && rec_file_probe_lock (self->sys, path))
    err = EBUSY;
  rec_fragment_free (fragment);
  return err;
}

static gint
continue_fragment (
    GstRecFileSink *self, const gchar *path, guint index, RecFragment **result)
{
  RecFragment *fragment = rec_fragment_new (path, self->sys, self->cancel_fd);
  gchar *pattern =
      self->named_by_application ? NULL : gst_rec_file_sink_dup_pattern (self);
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
    /* a recording that runs is not stopped by a name that is taken */
    if (self->fragments == 0 && settings.on_exists == REC_ON_EXISTS_REFUSE)
      break;
    if (self->named_by_application || tries > 0)
      self->next_number++;
    else
      skip_existing (self);
  }
  return err;
}

gint
gst_rec_file_sink_open_next (
    GstRecFileSink *self, GstBuffer *buffer, GstClockTime time)
{
  RecFragment *fragment = NULL;
  gint err;

  if (self->continue_path) {
    err = continue_fragment (
        self, self->continue_path, self->next_index - 1, &fragment);
    g_clear_pointer (&self->continue_path, g_free);
    if (!err) {
      begin_fragment (self, fragment, time);
      return 0;
    }
  }
  self->naming_time = gst_rec_file_sink_naming_time (self, time);
  err = create_next (self, &fragment);
  self->naming_time = 0;
  if (err)
    return err;
  gst_rec_file_sink_playlist_next_fragment (self, buffer, time);
  gst_rec_file_sink_finish (self, "fragment");
  self->split_retry_at = 0;
  self->next_index++;
  self->next_number++;
  begin_fragment (self, fragment, time);
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
  gst_rec_file_sink_playlist_fragment_closed (self, fragment);
  rec_syncer_finish_current (self->durability, g_str_equal (reason, "eos"));
}

/* --- resume */

static void
set_answer (GstRecFileSink *self, const TsResumeScan *tail)
{
  RecResume *resume = g_new0 (RecResume, 1);

  G_STATIC_ASSERT (TS_RESUME_MAX_STREAMS == REC_RESUME_MAX_STREAMS);
  G_STATIC_ASSERT (TS_RESUME_N_PIDS == REC_RESUME_N_PIDS);
  G_STATIC_ASSERT (TS_RESUME_CC_NONE == REC_RESUME_CC_NONE);
  memcpy (
      resume->continuity_counter, tail->continuity_counter, REC_RESUME_N_PIDS);
  resume->pat_version = tail->pat_version;
  resume->pmt_version = tail->pmt_version;
  resume->sdt_version = tail->sdt_version;
  resume->n_streams = tail->n_streams;
  for (guint i = 0; i < tail->n_streams; i++) {
    resume->streams[i].pid = tail->streams[i].pid;
    resume->streams[i].identity = tail->streams[i].identity;
  }
  resume->last_ts = tail->last_ts;
  GST_OBJECT_LOCK (self);
  g_free (self->resume);
  self->resume = resume;
  self->resume_mtime_us = tail->mtime_ns / 1000;
  GST_OBJECT_UNLOCK (self);
}

/* Files beside the recording that a pattern may match as well. */
static GHashTable *
list_sidecars (GstRecFileSink *self)
{
  GHashTable *names =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GPtrArray *lists = NULL;
  gchar *playlist;
  guint i;

  GST_OBJECT_LOCK (self);
  if (self->journal_location)
    g_hash_table_add (names, g_strdup (self->journal_location));
  playlist = g_strdup (self->playlist_location);
  GST_OBJECT_UNLOCK (self);
  if (playlist)
    lists = rec_file_match_list (playlist);
  g_free (playlist);
  for (i = 0; lists && i < lists->len; i++) {
    const RecFileMatch *match = g_ptr_array_index (lists, i);

    g_hash_table_add (names, g_strdup (match->path));
  }
  g_clear_pointer (&lists, g_ptr_array_unref);
  return names;
}

/* The fragments that earlier runs made of the pattern, oldest first. */
static GPtrArray *
list_fragments (GstRecFileSink *self)
{
  gchar *pattern = gst_rec_file_sink_dup_pattern (self);
  GPtrArray *matches = rec_file_match_list (pattern ? pattern : "");
  GHashTable *sidecars = list_sidecars (self);
  guint i = 0;

  while (i < matches->len) {
    const RecFileMatch *match = g_ptr_array_index (matches, i);

    if (g_hash_table_contains (sidecars, match->path))
      g_ptr_array_remove_index (matches, i);
    else
      i++;
  }
  g_hash_table_unref (sidecars);
  g_free (pattern);
  return matches;
}

/* All of @matches but the last one, which is resumed, count for retention. */
static void
adopt_older (GstRecFileSink *self, GPtrArray *matches)
{
  gchar *pattern = gst_rec_file_sink_dup_pattern (self);
  gchar *fixed = rec_filename_fixed_folder (pattern);
  guint i;

  for (i = 0; i + 1 < matches->len; i++) {
    const RecFileMatch *match = g_ptr_array_index (matches, i);

    if (match->is_link)
      continue; /* a recorder makes none */
    GST_DEBUG_OBJECT (self, "\"%s\" counts for retention", match->path);
    rec_retention_add (&self->retention, match->path, fixed);
  }
  g_free (fixed);
  g_free (pattern);
}

/* Cuts what is no whole packet and remembers where the stream stood. */
static gint
take_over (
    GstRecFileSink *self, RecFragment *fragment, const TsResumeScan *tail)
{
  guint64 torn = tail->is_ts ? fragment->file.size - tail->whole : 0;
  gint err;

  self->raw_resumed = !tail->is_ts && tail->size > 0;
  if (!tail->is_ts)
    return 0;
  if (torn > 0) {
    if ((err = rec_file_truncate (&fragment->file, tail->whole)))
      return err;
    GST_WARNING_OBJECT (self,
        "cut a torn tail of %" G_GUINT64_FORMAT " bytes off \"%s\"", torn,
        fragment->path);
  }
  gst_rec_file_sink_journal (self, GST_CLOCK_TIME_NONE,
      gst_structure_new ("resumed", "location", G_TYPE_STRING, fragment->path,
          "bytes", G_TYPE_UINT64, tail->whole, "bytes-torn", G_TYPE_UINT64,
          torn, NULL));
  set_answer (self, tail);
  self->resumed_at = (gint64)(tail->mtime_ns / 1000);
  return 0;
}

gboolean
gst_rec_file_sink_resume (GstRecFileSink *self)
{
  GstRecFileSinkSettings settings = gst_rec_file_sink_get_settings (self);
  const RecFileMatch *newest;
  RecFragment *fragment = NULL;
  GPtrArray *matches;
  TsResumeScan *tail;
  gint err;

  if (!settings.resume)
    return TRUE;
  matches = list_fragments (self);
  if (matches->len == 0) {
    g_ptr_array_unref (matches);
    return TRUE;
  }
  newest = g_ptr_array_index (matches, matches->len - 1);
  tail = g_new (TsResumeScan, 1);
  /* locked first: what is scanned stays as it is */
  err = continue_fragment (self, newest->path, (guint)newest->index, &fragment);
  if (!err)
    err = ts_resume_scan_file (tail, newest->path, 0);
  if (!err)
    err = take_over (self, fragment, tail);
  g_free (tail);
  if (err)
    goto failed;
  adopt_older (self, matches);
  self->next_index = (guint)newest->index + 1;
  self->next_number = newest->number + 1;
  g_free (self->last_plain);
  self->last_plain = g_strdup (newest->plain);
  remember_base_of (self, newest->path);
  begin_fragment (self, fragment, GST_CLOCK_TIME_NONE);
  gst_rec_file_sink_report_opened (self, TRUE);
  g_ptr_array_unref (matches);
  return TRUE;

  /* ERRORS */
failed:
  gst_rec_file_sink_post_open_error (self, newest->path, err);
  if (fragment)
    rec_fragment_free (fragment);
  g_ptr_array_unref (matches);
  return FALSE;
}
