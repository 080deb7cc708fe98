/* gst-tsrec: recfilesink tells people, the bus and the journal
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecfilesink-private.h"

#include "recmessage.h"

#include <errno.h>
#include <unistd.h>

#define GST_CAT_DEFAULT gst_rec_file_sink_debug

/* Lists of fields stand one field a line. */
/* clang-format off */

gchar *
gst_rec_file_sink_dup_path (GstRecFileSink *self)
{
  gchar *path;

  GST_OBJECT_LOCK (self);
  path = g_strdup (self->path ? self->path : self->location);
  GST_OBJECT_UNLOCK (self);
  return path;
}

GstRecFileSinkSettings
gst_rec_file_sink_get_settings (GstRecFileSink *self)
{
  GstRecFileSinkSettings settings;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  GST_OBJECT_UNLOCK (self);
  return settings;
}

void
gst_rec_file_sink_journal (
    GstRecFileSink *self, GstClockTime time, GstStructure *fields)
{
  rec_journal_add (self->journal, time, fields);
  if (self->journal && self->durability)
    rec_syncer_wake (self->durability);
}

static guint64
free_bytes_at (const gchar *path)
{
  gchar *directory = g_path_get_dirname (path);
  guint64 bytes = rec_disk_free (directory);

  g_free (directory);
  return bytes;
}

static void
post_disk (GstRecFileSink *self, const gchar *name, const gchar *path,
    const gchar *reason)
{
  gst_element_post_message (GST_ELEMENT (self),
      rec_message_new_disk (GST_ELEMENT (self), name, path,
      free_bytes_at (path), self->bytes_dropped, reason));
}

/* --- errors that end the recording */

void
gst_rec_file_sink_post_open_error (
    GstRecFileSink *self, const gchar *path, gint err)
{
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE,
      ("Could not record to \"%s\": %s. %s", path ? path : "",
      err == EBUSY ? "it is in use" : g_strerror (err), rec_disk_open_advice (err)),
      ("errno %d", err));
}

static const gchar *
describe (RecDiskFault fault, gint err)
{
  switch (fault) {
    case REC_DISK_DELETED:
      return "the file was deleted by somebody else";
    case REC_DISK_TRUNCATED:
      return "the file was truncated by somebody else";
    case REC_DISK_MOUNT_REMOVED:
      return "the file system is not mounted there any more";
    default:
      return g_strerror (err);
  }
}

void
gst_rec_file_sink_post_write_error (
    GstRecFileSink *self, RecDiskFault fault, gint err)
{
  gchar *path = gst_rec_file_sink_dup_path (self);

  if (fault == REC_DISK_FULL || fault == REC_DISK_QUOTA)
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
        ("Could not write to \"%s\": %s (wrote %" G_GUINT64_FORMAT
         " bytes, all kept). Free space or set on-disk-full=wait.", path,
        describe (fault, err), (guint64) self->bytes_written),
        ("errno %d", err));
  else
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE,
        ("Could not write to \"%s\": %s (wrote %" G_GUINT64_FORMAT
         " bytes, all kept). %s", path, describe (fault, err),
        (guint64) self->bytes_written, rec_disk_fault_advice (fault)),
        ("errno %d", err));
  g_free (path);
}

/* --- the next file */

void
gst_rec_file_sink_report_open_failed (
    GstRecFileSink *self, gint err, GstClockTime time)
{
  const gchar *path = self->tried_path ? self->tried_path : "";
  const gchar *current = self->fragment->path;

  gst_element_post_message (GST_ELEMENT (self),
      rec_message_new_open_failed (GST_ELEMENT (self), path, current,
      g_strerror (err)));
  GST_ELEMENT_WARNING (self, RESOURCE, OPEN_WRITE,
      ("Could not begin the next file \"%s\": %s. Recording goes on in \"%s\", "
       "nothing is lost, and the next file is tried again every second. %s",
      path, g_strerror (err), current, rec_disk_open_advice (err)),
      ("errno %d", err));
  gst_rec_file_sink_journal (self, time, gst_structure_new ("open-failed",
      "location", G_TYPE_STRING, path,
      "current", G_TYPE_STRING, current,
      "text", G_TYPE_STRING, g_strerror (err), NULL));
}

/* --- the disk guard */

/* The file that is written to or, without one, that cannot be opened. */
static gchar *
dup_faulty_path (GstRecFileSink *self)
{
  return self->fragment || !self->tried_path ? gst_rec_file_sink_dup_path (self)
                                             : g_strdup (self->tried_path);
}

void
gst_rec_file_sink_report_fault (
    GstRecFileSink *self, RecDiskFault fault, gint err, GstClockTime time)
{
  gchar *path = dup_faulty_path (self);
  const gchar *name = rec_disk_fault_name (fault);

  post_disk (self, "recfilesink-disk-full", path, name);
  GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
      ("Could not write to \"%s\": %s (wrote %" G_GUINT64_FORMAT
       " bytes, all kept; what arrives now is dropped). %s", path,
      describe (fault, err), (guint64) self->bytes_written,
      rec_disk_fault_advice (fault)),
      ("errno %d", err));
  gst_rec_file_sink_journal (self, time, gst_structure_new ("disk-fault",
      "location", G_TYPE_STRING, path,
      "reason", G_TYPE_STRING, name,
      "text", G_TYPE_STRING, describe (fault, err), NULL));
  g_free (path);
}

void
gst_rec_file_sink_report_recovered (GstRecFileSink *self, GstClockTime time)
{
  gchar *path = gst_rec_file_sink_dup_path (self);
  const gchar *name = rec_disk_fault_name (self->fault);

  post_disk (self, "recfilesink-recovered", path, name);
  GST_ELEMENT_INFO (self, RESOURCE, WRITE,
      ("Writing to \"%s\" again; %" G_GUINT64_FORMAT
       " bytes were dropped so far.", path, (guint64) self->bytes_dropped),
      /* gst-launch-1.0 prints only this part of an INFO message */
      ("writing to \"%s\" again; %" G_GUINT64_FORMAT
       " bytes were dropped so far", path, (guint64) self->bytes_dropped));
  gst_rec_file_sink_journal (self, time, gst_structure_new ("disk-recovered",
      "location", G_TYPE_STRING, path,
      "reason", G_TYPE_STRING, name,
      "bytes-dropped", G_TYPE_UINT64, (guint64) self->bytes_dropped, NULL));
  g_free (path);
}

void
gst_rec_file_sink_report_tampering (GstRecFileSink *self, RecDiskFault fault,
    guint64 bytes_lost, GstClockTime time)
{
  gchar *path = gst_rec_file_sink_dup_path (self);

  GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
      ("\"%s\": %s, %" G_GUINT64_FORMAT " bytes of the recording are lost. %s",
      path, describe (fault, 0), bytes_lost, rec_disk_fault_advice (fault)),
      (NULL));
  gst_rec_file_sink_journal (self, time, gst_structure_new ("tampered",
      "location", G_TYPE_STRING, path,
      "reason", G_TYPE_STRING, rec_disk_fault_name (fault),
      "bytes-lost", G_TYPE_UINT64, bytes_lost, NULL));
  g_free (path);
}

void
gst_rec_file_sink_report_gap (GstRecFileSink *self, const RecGap *gap)
{
  static const gchar *causes[] = {
    [REC_GAP_NO_INPUT] = "no-input",
    [REC_GAP_DISK] = "disk",
    [REC_GAP_RESUME] = "resume-after-crash",
  };

  GST_INFO_OBJECT (self, "gap of %" GST_TIME_FORMAT " from %" GST_TIME_FORMAT
      ": %s", GST_TIME_ARGS (gap->end - gap->begin),
      GST_TIME_ARGS (gap->begin), causes[gap->cause]);
  gst_rec_file_sink_journal (self, gap->begin, gst_structure_new ("gap",
      "cause", G_TYPE_STRING, causes[gap->cause],
      "duration", G_TYPE_UINT64, gap->end - gap->begin,
      "bytes-dropped", G_TYPE_UINT64, (guint64) self->bytes_dropped, NULL));
}

void
gst_rec_file_sink_report_opened (GstRecFileSink *self, gboolean resumed)
{
  RecFragment *fragment = self->fragment;
  GstClockTime time = fragment->opened_time;

  gst_element_post_message (GST_ELEMENT (self),
      rec_message_new_opened (GST_ELEMENT (self), fragment->path,
      fragment->index, time));
  gst_rec_file_sink_journal (self, time, gst_structure_new ("opened",
      "location", G_TYPE_STRING, fragment->path,
      "index", G_TYPE_UINT64, (guint64) fragment->index,
      "resumed", G_TYPE_BOOLEAN, resumed, NULL));
}

/* --- called by the worker */

static void
on_sync_failed (
    RecFragment *fragment, gint err, guint64 bytes, gpointer user_data)
{
  GstRecFileSink *self = user_data;

  GST_ELEMENT_WARNING (self, RESOURCE, SYNC,
      ("Could not make %" G_GUINT64_FORMAT " bytes of \"%s\" durable: %s. They "
       "are in the file now, but may be lost in a power cut. See the kernel "
       "log (dmesg); the device may be failing.", bytes, fragment->path,
      g_strerror (err)), ("errno %d", err));
  rec_journal_add (self->journal, self->last_time, gst_structure_new (
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
      ": more than sync-interval may be lost in a power cut", fragment->path,
      GST_TIME_ARGS (duration));
  rec_journal_add (self->journal, self->last_time, gst_structure_new (
      "sync-late",
      "location", G_TYPE_STRING, fragment->path,
      "duration", G_TYPE_UINT64, duration, NULL));
}

static void
on_deleted (const gchar *path, guint64 bytes, gpointer user_data)
{
  GstRecFileSink *self = user_data;

  GST_INFO_OBJECT (self, "deleting \"%s\" (retention)", path);
  rec_journal_add (self->journal, self->last_time, gst_structure_new (
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
      self->recording ? 1 : 0, self->recording ? self->file_size : 0,
      directory, on_deleted, self);
  bytes_free = rec_disk_free (directory);
  g_free (directory);
  return bytes_free;
}

/* A file without a byte says nothing to anybody. */
static gboolean
remove_empty (GstRecFileSink *self, RecFragment *fragment)
{
  if (!fragment->created || !fragment->file.regular || fragment->file.size > 0)
    return FALSE;
  GST_WARNING_OBJECT (self, "nothing was recorded: removing the empty \"%s\"",
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
      " of them durable, %" GST_TIME_FORMAT, fragment->path,
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
      "media-time", G_TYPE_UINT64, (guint64) self->media_time,
      "gap-time", G_TYPE_UINT64, (guint64) self->gap_time, NULL));
  gst_element_post_message (GST_ELEMENT (self),
      rec_message_new_closed (GST_ELEMENT (self), fragment->path,
      fragment->index, end, fragment->file.size, duration,
      fragment->reason ? fragment->reason : "stopped"));
  apply_retention (self, fragment->path);
}

/* Warns once, and once that it is over; a full disk has its own messages. */
static void
check_free (GstRecFileSink *self, const gchar *path, guint64 bytes_free)
{
  guint64 limit = gst_rec_file_sink_get_settings (self).retention.min_free_bytes;

  if (!self->disk_low && limit && bytes_free < limit) {
    self->disk_low = TRUE;
    GST_INFO_OBJECT (self, "disk low: %" G_GUINT64_FORMAT " bytes free",
        bytes_free);
    post_disk (self, "recfilesink-disk-low", path, "disk-low");
    rec_journal_add (self->journal, self->last_time, gst_structure_new (
        "disk-low",
        "location", G_TYPE_STRING, path,
        "bytes-free", G_TYPE_UINT64, bytes_free, NULL));
  } else if (self->disk_low && bytes_free >= limit + limit / 8) {
    self->disk_low = FALSE;
    GST_INFO_OBJECT (self, "disk not low any more: %" G_GUINT64_FORMAT
        " bytes free", bytes_free);
    if (!self->waiting)
      post_disk (self, "recfilesink-recovered", path, "disk-low");
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
