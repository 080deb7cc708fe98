/* gst-tsrec: recfilesink, bus messages and journal entries
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecfilesink-private.h"

#include "recmessage.h"

#include <errno.h>

#define GST_CAT_DEFAULT gst_rec_file_sink_debug

/* Lists of fields have one field per line. */
/* clang-format off */

void
gst_rec_file_sink_journal (
    GstRecFileSink *self, GstClockTime time, GstStructure *fields)
{
  rec_journal_add (self->journal, time, fields);
  if (self->journal && self->syncer)
    rec_syncer_wake (self->syncer);
}

void
gst_rec_file_sink_post_disk (GstRecFileSink *self, const gchar *name,
    const gchar *path, const gchar *reason, const gchar *text)
{
  gst_element_post_message (GST_ELEMENT (self),
      rec_message_new_disk (GST_ELEMENT (self), name, path,
      rec_disk_free_at (path), self->counters.bytes_dropped, reason, text));
}

/* --- errors that end the recording --- */

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
      return "the file was deleted by another process";
    case REC_DISK_TRUNCATED:
      return "the file was truncated by another process";
    case REC_DISK_MOUNT_REMOVED:
      return "the file system is no longer mounted there";
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
        describe (fault, err), (guint64) self->counters.bytes_written),
        ("errno %d", err));
  else
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE,
        ("Could not write to \"%s\": %s (wrote %" G_GUINT64_FORMAT
         " bytes, all kept). %s", path, describe (fault, err),
        (guint64) self->counters.bytes_written, rec_disk_fault_advice (fault)),
        ("errno %d", err));
  g_free (path);
}

/* --- the next file --- */

void
gst_rec_file_sink_report_open_failed (
    GstRecFileSink *self, gint err, GstClockTime time)
{
  const gchar *path = self->names.tried_path ? self->names.tried_path : "";
  const gchar *current = self->fragment->path;

  gst_element_post_message (GST_ELEMENT (self),
      rec_message_new_open_failed (GST_ELEMENT (self), path, current,
      g_strerror (err)));
  GST_ELEMENT_WARNING (self, RESOURCE, OPEN_WRITE,
      ("Could not begin the next file \"%s\": %s. Recording continues in \"%s\" "
       "without loss, and the next file is tried again every second. %s",
      path, g_strerror (err), current, rec_disk_open_advice (err)),
      ("errno %d", err));
  gst_rec_file_sink_journal (self, time, gst_structure_new ("open-failed",
      "location", G_TYPE_STRING, path,
      "current", G_TYPE_STRING, current,
      "text", G_TYPE_STRING, g_strerror (err), NULL));
}

/* --- faults of the disk, and gaps --- */

/* Returns the current file or, if none is open, the file that cannot be opened.
 */
static gchar *
dup_faulty_path (GstRecFileSink *self)
{
  return self->fragment || !self->names.tried_path ? gst_rec_file_sink_dup_path (self)
                                             : g_strdup (self->names.tried_path);
}

void
gst_rec_file_sink_report_fault (
    GstRecFileSink *self, RecDiskFault fault, gint err, GstClockTime time)
{
  gchar *path = dup_faulty_path (self);
  const gchar *name = rec_disk_fault_name (fault);
  gchar *text = g_strdup_printf (
      "Could not write to \"%s\": %s (wrote %" G_GUINT64_FORMAT
      " bytes, all kept; new data is dropped). %s", path,
      describe (fault, err), (guint64) self->counters.bytes_written,
      rec_disk_fault_advice (fault));

  gst_rec_file_sink_post_disk (self, "recfilesink-disk-full", path, name, text);
  GST_ELEMENT_WARNING (self, RESOURCE, WRITE, ("%s", text), ("errno %d", err));
  g_free (text);
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
  const gchar *name = rec_disk_fault_name (self->faults.fault);
  gchar *text = g_strdup_printf ("Writing to \"%s\" again; %" G_GUINT64_FORMAT
      " bytes were dropped so far.", path, (guint64) self->counters.bytes_dropped);

  gst_rec_file_sink_post_disk (self, "recfilesink-recovered", path, name, text);
  g_free (text);
  GST_ELEMENT_INFO (self, RESOURCE, WRITE,
      ("Writing to \"%s\" again; %" G_GUINT64_FORMAT
       " bytes were dropped so far.", path, (guint64) self->counters.bytes_dropped),
      /* gst-launch-1.0 prints only this part of an INFO message */
      ("writing to \"%s\" again; %" G_GUINT64_FORMAT
       " bytes were dropped so far", path, (guint64) self->counters.bytes_dropped));
  gst_rec_file_sink_journal (self, time, gst_structure_new ("disk-recovered",
      "location", G_TYPE_STRING, path,
      "reason", G_TYPE_STRING, name,
      "bytes-dropped", G_TYPE_UINT64, (guint64) self->counters.bytes_dropped, NULL));
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
  static const gchar *const causes[] = {
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
      "bytes-dropped", G_TYPE_UINT64, (guint64) self->counters.bytes_dropped, NULL));
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
