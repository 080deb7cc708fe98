/* gst-tsrec: recfilesink, work of the syncing thread: retention and free space
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecfilesink-private.h"

#include "recmessage.h"

#include <unistd.h>

#define GST_CAT_DEFAULT gst_rec_file_sink_debug

/* Lists of fields have one field per line. */
/* clang-format off */

static void
on_sync_failed (
    RecFragment *fragment, gint err, guint64 bytes, gpointer user_data)
{
  GstRecFileSink *self = user_data;

  GST_ELEMENT_WARNING (self, RESOURCE, SYNC,
      ("Could not make %" G_GUINT64_FORMAT " bytes of \"%s\" durable: %s. They "
       "are in the file, but a power failure may lose them. See the kernel "
       "log (dmesg); the device may be failing.", bytes, fragment->path,
      g_strerror (err)), ("errno %d", err));
  rec_journal_add (self->journal, self->counters.last_time, gst_structure_new (
      "sync-failed",
      "location", G_TYPE_STRING, fragment->path,
      "bytes", G_TYPE_UINT64, bytes,
      "text", G_TYPE_STRING, g_strerror (err), NULL));
}

static void
on_sync_late (RecFragment *fragment, guint64 duration, gpointer user_data)
{
  GstRecFileSink *self = user_data;

  GST_WARNING_OBJECT (self, "sync of \"%s\" took %" GST_TIME_FORMAT
      ": a power failure may lose more than sync-interval", fragment->path,
      GST_TIME_ARGS (duration));
  rec_journal_add (self->journal, self->counters.last_time, gst_structure_new (
      "sync-late",
      "location", G_TYPE_STRING, fragment->path,
      "duration", G_TYPE_UINT64, duration, NULL));
}

static void
on_deleted (const gchar *path, guint64 bytes, gpointer user_data)
{
  GstRecFileSink *self = user_data;

  GST_INFO_OBJECT (self, "deleting \"%s\" (retention)", path);
  rec_journal_add (self->journal, self->counters.last_time, gst_structure_new (
      "deleted",
      "location", G_TYPE_STRING, path,
      "bytes", G_TYPE_UINT64, bytes, NULL));
}

static guint64
apply_retention (GstRecFileSink *self, const gchar *path)
{
  GstRecFileSinkSettings settings = gst_rec_file_sink_get_settings (self);
  gchar *directory = g_path_get_dirname (path);
  guint64 bytes_free;

  rec_retention_apply (&self->retention, &settings.retention,
      self->recording ? 1 : 0, self->recording ? self->counters.file_size : 0,
      directory, on_deleted, self);
  bytes_free = rec_disk_free (directory);
  g_free (directory);
  return bytes_free;
}

/* Removes a file that is still empty. */
static gboolean
remove_empty (GstRecFileSink *self, RecFragment *fragment)
{
  if (!fragment->created || !fragment->file.regular || fragment->file.size > 0)
    return FALSE;
  GST_WARNING_OBJECT (self, "nothing was recorded: removing the empty file \"%s\"",
      fragment->path);
  return unlink (fragment->path) == 0;
}

static void
on_closed (RecFragment *fragment, gint err, gpointer user_data)
{
  GstRecFileSink *self = user_data;
  guint64 begin = fragment->opened_time, end = fragment->last_time;
  GstClockTime duration = begin <= end && GST_CLOCK_TIME_IS_VALID (end) ?
      end - begin : GST_CLOCK_TIME_NONE;

  GST_INFO_OBJECT (self,
      "closed \"%s\": %s, %" G_GUINT64_FORMAT " bytes, %" G_GUINT64_FORMAT
      " durable, %" GST_TIME_FORMAT, fragment->path,
      fragment->reason ? fragment->reason : "stopped",
      (guint64) fragment->file.size, (guint64) fragment->file.durable,
      GST_TIME_ARGS (duration));
  if (err)
    on_sync_failed (fragment, err, 0, self);
  if (!remove_empty (self, fragment) && fragment->file.regular)
    rec_retention_add (&self->retention, fragment->path, fragment->base);
  rec_journal_add (self->journal, end, gst_structure_new ("closed",
      "location", G_TYPE_STRING, fragment->path,
      "index", G_TYPE_UINT64, (guint64) fragment->index,
      "bytes", G_TYPE_UINT64, (guint64) fragment->file.size,
      "duration", G_TYPE_UINT64, duration,
      "reason", G_TYPE_STRING, fragment->reason ? fragment->reason : "stopped",
      "media-time", G_TYPE_UINT64, (guint64) self->media_time.media,
      "gap-time", G_TYPE_UINT64, (guint64) self->media_time.missing, NULL));
  gst_element_post_message (GST_ELEMENT (self),
      rec_message_new_closed (GST_ELEMENT (self), fragment->path,
      fragment->index, end, fragment->file.size, duration,
      fragment->reason ? fragment->reason : "stopped"));
  apply_retention (self, fragment->path);
}

/* Posts a message when too little space is free, and one when enough is free
 * again. A full disk has messages of its own. */
static void
check_free (GstRecFileSink *self, const gchar *path, guint64 bytes_free)
{
  guint64 limit = gst_rec_file_sink_get_settings (self).retention.min_free_bytes;

  if (!self->disk_low && limit && bytes_free < limit) {
    self->disk_low = TRUE;
    GST_INFO_OBJECT (self, "disk low: %" G_GUINT64_FORMAT " bytes free",
        bytes_free);
    gst_rec_file_sink_post_disk (self, "recfilesink-disk-low", path, "disk-low",
        "Less space is free than min-free-bytes. Free space.");
    rec_journal_add (self->journal, self->counters.last_time, gst_structure_new (
        "disk-low",
        "location", G_TYPE_STRING, path,
        "bytes-free", G_TYPE_UINT64, bytes_free, NULL));
  } else if (self->disk_low && bytes_free >= limit + limit / 8) {
    self->disk_low = FALSE;
    GST_INFO_OBJECT (self, "disk no longer low: %" G_GUINT64_FORMAT
        " bytes free", bytes_free);
    if (!self->faults.waiting)
      gst_rec_file_sink_post_disk (self, "recfilesink-recovered", path, "disk-low",
          "More space is free than min-free-bytes.");
  }
}

static void
on_tick (gpointer user_data)
{
  GstRecFileSink *self = user_data;
  gchar *path = gst_rec_file_sink_dup_path (self);

  if (!path)
    return;
  if (!self->to_stream)
    check_free (self, path, apply_retention (self, path));
  if (self->inode &&
      rec_disk_find (path, self->device, self->inode, 1) != REC_DISK_PLACE_SAME)
    self->place_suspect = TRUE;
  rec_journal_flush (self->journal);
  g_free (path);
}

static void
on_work (gpointer user_data)
{
  rec_journal_flush (GST_REC_FILE_SINK (user_data)->journal);
}

const RecSyncerFuncs gst_rec_file_sink_syncer_funcs = {
  .sync_failed = on_sync_failed,
  .sync_late = on_sync_late,
  .closed = on_closed,
  .tick = on_tick,
  .work = on_work,
};
