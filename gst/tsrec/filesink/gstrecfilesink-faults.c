/* gst-tsrec: recfilesink, failed writes, and changes made by other processes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecfilesink-private.h"

#include <errno.h>

#define GST_CAT_DEFAULT gst_rec_file_sink_debug

/* --- resync --- */

void
gst_rec_file_sink_begin_resync (GstRecFileSink *self)
{
  gboolean understood =
      gst_pad_push_event (GST_BASE_SINK_PAD (self), rec_event_new_resync ());

  rec_fault_state_begin_resync (
      &self->faults, g_get_monotonic_time (), understood);
  GST_DEBUG_OBJECT (self, "waiting for a random access point%s",
      understood ? " marked by the mux" : "");
  if (!understood)
    gst_rec_file_sink_request_key_unit (self);
}

static gboolean
is_disk_ready (GstRecFileSink *self)
{
  gchar *path = gst_rec_file_sink_dup_path (self);
  gboolean ready = rec_fault_state_is_disk_ready (&self->faults, path);

  g_free (path);
  if (ready && self->faults.fault == REC_DISK_MOUNT_REMOVED)
    rec_disk_folder_clear (&self->base);
  return ready;
}

gboolean
gst_rec_file_sink_may_write (GstRecFileSink *self, const RecBufferView *view)
{
  RecFaultState *faults = &self->faults;

  if (faults->phase == REC_FAULT_WRITING)
    return TRUE;
  if (faults->phase == REC_FAULT_WAITING) {
    if (!rec_fault_state_is_retry_due (faults, g_get_monotonic_time ()))
      return FALSE;
    if (!is_disk_ready (self)) {
      GST_DEBUG_OBJECT (
          self, "not ready yet: %s", rec_disk_fault_name (faults->fault));
      return FALSE;
    }
    gst_rec_file_sink_begin_resync (self);
  }
  return rec_fault_state_ends_resync (
      faults, g_get_monotonic_time (), view->random_access, view->discont);
}

/* --- faults --- */

static gboolean
use_failover (GstRecFileSink *self)
{
  gboolean usable;

  GST_OBJECT_LOCK (self);
  usable = self->settings.on_disk_full == REC_ON_DISK_FULL_FAILOVER &&
      !self->on_failover && self->failover_location;
  GST_OBJECT_UNLOCK (self);
  if (!usable)
    return FALSE;
  GST_INFO_OBJECT (self, "disk state: failover");
  gst_rec_file_sink_finish (self, "failover");
  self->on_failover = TRUE;
  self->names.next_number = 0;
  return TRUE;
}

static void
begin_wait (GstRecFileSink *self, RecDiskFault fault, const RecBufferView *view)
{
  gboolean reopen;

  if (self->faults.phase != REC_FAULT_WAITING)
    GST_INFO_OBJECT (
        self, "disk state: waiting, %s, dropping", rec_disk_fault_name (fault));
  reopen = rec_fault_state_wait (
      &self->faults, fault, g_get_monotonic_time (), view->size);
  if (fault == REC_DISK_MOUNT_REMOVED) {
    gchar *path = gst_rec_file_sink_dup_path (self);

    rec_fault_state_set_unmounted (&self->faults, path, self->device);
    g_free (path);
    reopen = TRUE;
  }
  if (reopen)
    gst_rec_file_sink_finish (self, "error");
}

GstFlowReturn
gst_rec_file_sink_handle_fault (GstRecFileSink *self, RecDiskFault fault,
    gint err, const RecBufferView *view)
{
  GstRecFileSinkSettings settings = gst_rec_file_sink_get_settings (self);
  RecFaultState *faults = &self->faults;

  faults->fault = fault;
  if (fault == REC_DISK_FILE_LIMIT) {
    gst_rec_file_sink_finish (self, "fragment");
    gst_rec_file_sink_begin_resync (self);
    return GST_FLOW_OK;
  }
  if (settings.on_disk_full == REC_ON_DISK_FULL_ERROR)
    goto failed;
  /* a broken pipe or device does not come back */
  if (self->fragment && !self->fragment->file.regular && fault != REC_DISK_FULL)
    goto failed;
  if (!faults->announced) {
    faults->announced = TRUE;
    gst_rec_file_sink_report_fault (self, fault, err, view->time);
  }
  if (use_failover (self)) {
    faults->waiting = TRUE;
    gst_rec_file_sink_begin_resync (self);
  } else {
    begin_wait (self, fault, view);
  }
  return GST_FLOW_OK;

  /* ERRORS */
failed:
  gst_rec_file_sink_post_write_error (self, fault, err);
  gst_rec_file_sink_finish (self, "error");
  return GST_FLOW_ERROR;
}

/* A missing name does not mean that the file system is gone: its absence is
 * detected before a file is created. */
static RecDiskFault
fault_of_open (gint err)
{
  return err == ENOENT || err == ENOTDIR ? REC_DISK_OTHER
                                         : rec_disk_fault_from_errno (err);
}

/* A recording whose first file cannot be created ends, unless only space is
 * missing. */
GstFlowReturn
gst_rec_file_sink_handle_open_error (
    GstRecFileSink *self, gint err, const RecBufferView *view)
{
  if (self->counters.fragments > 0 || self->on_failover || err == ENOSPC ||
      err == EDQUOT)
    return gst_rec_file_sink_handle_fault (
        self, fault_of_open (err), err, view);
  gst_rec_file_sink_post_open_error (self, self->names.tried_path, err);
  return GST_FLOW_ERROR;
}

void
gst_rec_file_sink_end_fault (GstRecFileSink *self, GstClockTime time)
{
  GST_INFO_OBJECT (self,
      "disk state: writing, after %s; %" G_GUINT64_FORMAT
      " buffers were dropped so far",
      rec_disk_fault_name (self->faults.fault),
      (guint64)self->counters.buffers_dropped);
  self->faults.waiting = FALSE;
  if (self->faults.announced)
    gst_rec_file_sink_report_recovered (self, time);
  rec_fault_state_end (&self->faults);
}

/* --- changes made to the file by other processes --- */

static RecDiskFault
find_place (GstRecFileSink *self)
{
  RecFragment *fragment = self->fragment;
  RecDiskPlace place;

  self->place_suspect = FALSE;
  place =
      rec_disk_find (fragment->path, fragment->file.dev, fragment->file.ino, 1);
  /* the path leads to another disk, and the file is still on the first one */
  if (place == REC_DISK_PLACE_MOUNT_REMOVED &&
      rec_disk_folder_is_relinked (&self->base))
    place = REC_DISK_PLACE_RENAMED;
  if (place == REC_DISK_PLACE_MOUNT_REMOVED)
    return REC_DISK_MOUNT_REMOVED;
  if (place == REC_DISK_PLACE_RENAMED && self->inode) {
    GST_INFO_OBJECT (
        self, "\"%s\" was renamed; recording continues in it", fragment->path);
    self->inode = 0; /* logged once */
  }
  return REC_DISK_OK;
}

/* Continues at the present end of a file that was truncated. */
static RecDiskFault
adopt_size (GstRecFileSink *self, guint64 size, GstClockTime time)
{
  RecFile *file = &self->fragment->file;
  guint64 whole = size - size % MAX (self->packet_size, 1);

  gst_rec_file_sink_report_tampering (
      self, REC_DISK_TRUNCATED, file->size - size, time);
  rec_hls_writer_truncate (self->hls, whole);
  return rec_file_truncate (file, whole) ? REC_DISK_IO_ERROR
                                         : REC_DISK_TRUNCATED;
}

RecDiskFault
gst_rec_file_sink_check_file (GstRecFileSink *self, GstClockTime time)
{
  RecFile *file = &self->fragment->file;
  RecFileTamper tamper;
  uint64_t size;

  if (rec_file_detect_change (file, &tamper, &size) != 0)
    return REC_DISK_OK; /* the write reports the error */
  switch (tamper) {
    case REC_FILE_DELETED:
      gst_rec_file_sink_report_tampering (
          self, REC_DISK_DELETED, file->size, time);
      gst_rec_file_sink_finish (self, "error");
      return REC_DISK_DELETED;
    case REC_FILE_TRUNCATED:
      return adopt_size (self, size, time);
    case REC_FILE_EXTENDED:
      GST_WARNING_OBJECT (self,
          "removing %" G_GUINT64_FORMAT
          " bytes that another process appended to \"%s\"",
          size - file->size, self->fragment->path);
      rec_file_truncate (file, file->size);
      return REC_DISK_OK;
    default:
      break;
  }
  return self->place_suspect && file->regular ? find_place (self) : REC_DISK_OK;
}
