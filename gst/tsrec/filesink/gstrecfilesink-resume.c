/* gst-tsrec: recfilesink, continues the recording of an earlier run
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecfilesink-private.h"

#include "recfilematch.h"
#include "recfilename.h"
#include "tsresume.h"

#define GST_CAT_DEFAULT gst_rec_file_sink_debug

static void
set_resume_point (GstRecFileSink *self, const TsResumeScan *scan)
{
  RecResume *resume = g_new0 (RecResume, 1);

  memcpy (resume->continuity_counter, scan->continuity_counter, TS_N_PIDS);
  resume->pat_version = scan->pat_version;
  resume->pmt_version = scan->pmt_version;
  resume->sdt_version = scan->sdt_version;
  resume->n_streams = scan->n_streams;
  for (guint i = 0; i < scan->n_streams; i++) {
    resume->streams[i].pid = scan->streams[i].pid;
    resume->streams[i].identity = scan->streams[i].identity;
  }
  resume->last_ts = scan->last_ts;
  GST_OBJECT_LOCK (self);
  g_free (self->resume);
  self->resume = resume;
  self->resume_mtime_us = scan->mtime_ns / 1000;
  GST_OBJECT_UNLOCK (self);
}

/* Returns the paths of journal and playlists, which the pattern may match too.
 */
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

/* Returns the fragments of earlier runs, oldest first. */
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

/* Adds all of @matches to retention, except the last one, which is resumed. */
static void
adopt_older (GstRecFileSink *self, GPtrArray *matches)
{
  gchar *pattern = gst_rec_file_sink_dup_pattern (self);
  gchar *fixed = rec_filename_fixed_folder (pattern);
  guint i;

  for (i = 0; i + 1 < matches->len; i++) {
    const RecFileMatch *match = g_ptr_array_index (matches, i);

    if (match->is_link)
      continue; /* not created by a recorder */
    GST_DEBUG_OBJECT (self, "\"%s\" counts for retention", match->path);
    rec_retention_add (&self->retention, match->path, fixed);
  }
  g_free (fixed);
  g_free (pattern);
}

/* Truncates the file to its last whole packet and stores the resume point.
 * Returns 0 or errno. */
static gint
adopt_newest (
    GstRecFileSink *self, RecFragment *fragment, const TsResumeScan *scan)
{
  guint64 torn = scan->is_ts ? fragment->file.size - scan->whole : 0;
  gint err;

  self->raw_resumed = !scan->is_ts && scan->size > 0;
  if (!scan->is_ts)
    return 0;
  if (torn > 0) {
    if ((err = rec_file_truncate (&fragment->file, scan->whole)))
      return err;
    GST_WARNING_OBJECT (self,
        "removed a partial packet of %" G_GUINT64_FORMAT
        " bytes from the end of \"%s\"",
        torn, fragment->path);
  }
  gst_rec_file_sink_journal (self, GST_CLOCK_TIME_NONE,
      gst_structure_new ("resumed", "location", G_TYPE_STRING, fragment->path,
          "bytes", G_TYPE_UINT64, scan->whole, "bytes-torn", G_TYPE_UINT64,
          torn, NULL));
  set_resume_point (self, scan);
  self->media_time.resumed_at = (gint64)(scan->mtime_ns / 1000);
  return 0;
}

/* The next fragment gets the name after @newest. */
static void
continue_names (GstRecFileSink *self, const RecFileMatch *newest)
{
  self->names.next_index = (guint)newest->index + 1;
  self->names.next_number = newest->number + 1;
  g_free (self->names.last_plain);
  self->names.last_plain = g_strdup (newest->plain);
  gst_rec_file_sink_remember_base (self, newest->path);
}

gboolean
gst_rec_file_sink_resume (GstRecFileSink *self)
{
  GstRecFileSinkSettings settings = gst_rec_file_sink_get_settings (self);
  const RecFileMatch *newest;
  RecFragment *fragment = NULL;
  GPtrArray *matches;
  TsResumeScan *scan;
  gint err;

  if (!settings.resume)
    return TRUE;
  matches = list_fragments (self);
  if (matches->len == 0) {
    g_ptr_array_unref (matches);
    return TRUE;
  }
  newest = g_ptr_array_index (matches, matches->len - 1);
  scan = g_new (TsResumeScan, 1);
  /* locked before the scan, so that no other process changes it */
  err = gst_rec_file_sink_open_existing (
      self, newest->path, (guint)newest->index, &fragment);
  if (!err)
    err = ts_resume_scan_file (scan, newest->path, 0);
  if (!err)
    err = adopt_newest (self, fragment, scan);
  g_free (scan);
  if (err)
    goto failed;
  adopt_older (self, matches);
  continue_names (self, newest);
  gst_rec_file_sink_begin_fragment (self, fragment, GST_CLOCK_TIME_NONE);
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
