/* gst-tsrec: recfilesink takes a buffer, and what happens if the disk does not
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "gstrecfilesink-private.h"

#include <gst/video/video.h>

#include <errno.h>

#define GST_CAT_DEFAULT gst_rec_file_sink_debug

/* More memories than that are merged first. */
#define MAX_IOVS 64
/* A disk that takes nothing is tried again this often. */
#define RETRY_US G_USEC_PER_SEC
/* Fails to write, that often in a row, to a file that is then given up. */
#define MAX_FAILED_TRIES 3
/* How long to wait for the random access point that upstream promised. */
#define RESYNC_US (5 * G_USEC_PER_SEC)
#define KEY_UNIT_US G_USEC_PER_SEC
/* How often a key frame is requested for a next file that cannot be opened. */
#define ASK_AGAIN_US (10 * G_USEC_PER_SEC)
/* Free bytes without which a full disk is not tried again. */
#define MIN_NEED (64 * 1024)

/* --- one write */

static gint
write_mapped (GstRecFileSink *self, GstBuffer *buffer)
{
  GstMapInfo map;
  struct iovec iov;
  gint err;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return ENOMEM;
  iov.iov_base = map.data;
  iov.iov_len = map.size;
  err = rec_file_write (&self->fragment->file, &iov, 1);
  gst_buffer_unmap (buffer, &map);
  return err;
}

static gint
write_memories (GstRecFileSink *self, GstBuffer *buffer, guint n)
{
  GstMapInfo maps[MAX_IOVS];
  struct iovec iov[MAX_IOVS];
  guint i, mapped;
  gint err = ENOMEM;

  for (mapped = 0; mapped < n; mapped++) {
    GstMemory *memory = gst_buffer_peek_memory (buffer, mapped);

    if (!gst_memory_map (memory, &maps[mapped], GST_MAP_READ))
      break;
    iov[mapped].iov_base = maps[mapped].data;
    iov[mapped].iov_len = maps[mapped].size;
  }
  if (n > 0 && mapped == n)
    err = rec_file_write (&self->fragment->file, iov, (gint)n);
  for (i = 0; i < mapped; i++)
    gst_memory_unmap (maps[i].memory, &maps[i]);
  return err;
}

static gint
write_buffer (GstRecFileSink *self, GstBuffer *buffer)
{
  guint n = gst_buffer_n_memory (buffer);
  gint64 began = g_get_monotonic_time ();
  guint64 latency;
  gint err;

  self->write_began = began;
  if (n == 1 || n > MAX_IOVS)
    err = write_mapped (self, buffer);
  else
    err = write_memories (self, buffer, n);
  latency = (g_get_monotonic_time () - began) * GST_USECOND;
  self->write_began = 0;
  if (err)
    return err;
  self->latency_sum += latency;
  if (latency > self->latency_max)
    self->latency_max = latency;
  return 0;
}

/* --- accounting */

static gboolean
has_media (GstRecFileSink *self, GstBuffer *buffer)
{
  GstMapInfo map;
  gboolean media;

  if (self->packet_size != 188 || !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return TRUE;
  media = rec_packets_have_media (map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  return media;
}

static void
publish_gaps (GstRecFileSink *self)
{
  self->media_time = self->gaps.media;
  self->gap_time = self->gaps.gaps;
  self->n_gaps = self->gaps.n_gaps;
}

/* The time from the last write of an earlier run to the first of this one. */
static void
end_resume_gap (GstRecFileSink *self, GstClockTime time)
{
  gint64 elapsed = g_get_real_time () - self->resumed_at;
  GstClockTime begin = GST_CLOCK_TIME_IS_VALID (time) ? time : 0;
  RecGap gap = { begin, begin + MAX (elapsed, 0) * GST_USECOND,
    REC_GAP_RESUME };

  if (!self->resumed_at)
    return;
  self->resumed_at = 0;
  gst_rec_file_sink_report_gap (self, &gap);
}

static void
forget_resume (GstRecFileSink *self)
{
  if (self->buffers_written > 0)
    return;
  GST_OBJECT_LOCK (self);
  g_clear_pointer (&self->resume, g_free);
  GST_OBJECT_UNLOCK (self);
}

static void
note_written (GstRecFileSink *self, GstBuffer *buffer, GstClockTime time)
{
  RecFragment *fragment = self->fragment;
  RecGap gap;

  forget_resume (self);
  self->file_size = fragment->file.size;
  self->bytes_written += gst_buffer_get_size (buffer);
  self->buffers_written++;
  if (GST_CLOCK_TIME_IS_VALID (time)) {
    if (!GST_CLOCK_TIME_IS_VALID (fragment->opened_time)) {
      fragment->opened_time = time;
      gst_rec_file_sink_cut_begin (self, time);
    }
    self->last_time = time;
    fragment->last_time = time;
  }
  end_resume_gap (self, time);
  if (has_media (self, buffer) &&
      rec_gaps_written (&self->gaps, time, GST_BUFFER_DURATION (buffer), &gap))
    gst_rec_file_sink_report_gap (self, &gap);
  publish_gaps (self);
  rec_syncer_notify_written (self->durability);
  gst_rec_file_sink_playlist_written (self, buffer, time);
}

static GstFlowReturn
drop (GstRecFileSink *self, GstBuffer *buffer, GstClockTime time)
{
  self->bytes_dropped += gst_buffer_get_size (buffer);
  self->buffers_dropped++;
  gst_rec_file_sink_playlist_lost (self);
  if (has_media (self, buffer))
    rec_gaps_lost (&self->gaps, time, REC_GAP_DISK);
  return GST_FLOW_OK;
}

/* --- random access points */

static gboolean
is_random_access_point (GstBuffer *buffer)
{
  return !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
}

static void
ask_key_unit (GstRecFileSink *self)
{
  gint64 now = g_get_monotonic_time ();

  if (now < self->next_key_unit_at)
    return;
  self->next_key_unit_at = now + KEY_UNIT_US;
  GST_DEBUG_OBJECT (self, "asking for a key frame");
  gst_pad_push_event (GST_BASE_SINK_PAD (self),
      gst_video_event_new_upstream_force_key_unit (
          GST_CLOCK_TIME_NONE, TRUE, self->key_units_asked++));
}

/* What comes next has to make sense without what is missing. */
static void
begin_resync (GstRecFileSink *self)
{
  gint64 now = g_get_monotonic_time ();

  self->state = REC_SINK_RESYNC;
  self->resync_until = now + RESYNC_US;
  self->resync_understood =
      gst_pad_push_event (GST_BASE_SINK_PAD (self), rec_event_new_resync ());
  GST_DEBUG_OBJECT (self, "waiting for a random access point%s",
      self->resync_understood ? " of the mux" : "");
  if (!self->resync_understood)
    ask_key_unit (self);
}

/* The mux marks the random access point from which on it told the reader of
 * the discontinuity; without one of ours, the next random access point it is.
 */
static gboolean
ends_resync (GstRecFileSink *self, GstBuffer *buffer)
{
  if (!is_random_access_point (buffer))
    return FALSE;
  return !self->resync_understood || GST_BUFFER_IS_DISCONT (buffer) ||
      g_get_monotonic_time () >= self->resync_until;
}

/* --- faults */

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
  self->next_number = 0;
  return TRUE;
}

static void
begin_wait (GstRecFileSink *self, RecDiskFault fault, GstBuffer *buffer)
{
  if (self->state != REC_SINK_WAITING)
    GST_INFO_OBJECT (
        self, "disk state: waiting, %s, dropping", rec_disk_fault_name (fault));
  self->state = REC_SINK_WAITING;
  self->waiting = TRUE;
  self->retry_at = g_get_monotonic_time () + RETRY_US;
  self->need_bytes = MAX (MIN_NEED, 2 * gst_buffer_get_size (buffer));
  self->failed_tries++;
  if (fault == REC_DISK_MOUNT_REMOVED) {
    gchar *path = gst_rec_file_sink_dup_path (self);

    self->unmounted_device = rec_disk_device (path);
    if (self->unmounted_device == self->device)
      self->unmounted_device = 0; /* it fails, but is mounted there */
    gst_rec_file_sink_finish (self, "error");
    g_free (path);
  } else if (fault != REC_DISK_FULL && fault != REC_DISK_QUOTA &&
      self->failed_tries >= MAX_FAILED_TRIES) {
    /* a descriptor may be dead for good while the disk is not */
    self->failed_tries = 0;
    gst_rec_file_sink_finish (self, "error");
  }
}

/* @buffer could not be written; it is dropped, unless the recording ends. */
static GstFlowReturn
handle_fault (GstRecFileSink *self, RecDiskFault fault, gint err,
    GstBuffer *buffer, GstClockTime time)
{
  GstRecFileSinkSettings settings = gst_rec_file_sink_get_settings (self);

  self->fault = fault;
  if (fault == REC_DISK_FILE_LIMIT) {
    gst_rec_file_sink_finish (self, "fragment");
    begin_resync (self);
    return drop (self, buffer, time);
  }
  if (settings.on_disk_full == REC_ON_DISK_FULL_ERROR)
    goto failed;
  /* a pipe or a device that breaks is no disk that comes back */
  if (self->fragment && !self->fragment->file.regular && fault != REC_DISK_FULL)
    goto failed;
  if (!self->announced) {
    self->announced = TRUE;
    gst_rec_file_sink_report_fault (self, fault, err, time);
  }
  if (use_failover (self)) {
    self->waiting = TRUE;
    begin_resync (self);
  } else {
    begin_wait (self, fault, buffer);
  }
  return drop (self, buffer, time);

  /* ERRORS */
failed:
  gst_rec_file_sink_post_write_error (self, fault, err);
  gst_rec_file_sink_finish (self, "error");
  return GST_FLOW_ERROR;
}

/* Whether it is worth trying to write again. */
static gboolean
disk_seems_ready (GstRecFileSink *self)
{
  gchar *path = gst_rec_file_sink_dup_path (self);
  gboolean ready = TRUE;

  if (self->fault == REC_DISK_FULL) {
    gchar *directory = g_path_get_dirname (path);

    ready = rec_disk_free (directory) >= self->need_bytes;
    g_free (directory);
  } else if (self->fault == REC_DISK_MOUNT_REMOVED) {
    ready = rec_disk_is_back (path, self->unmounted_device);
    if (ready)
      g_clear_pointer (&self->base, g_free);
  }
  g_free (path);
  return ready;
}

/* While not WRITING: TRUE when @buffer may be written. */
static gboolean
may_try (GstRecFileSink *self, GstBuffer *buffer)
{
  if (self->state == REC_SINK_WAITING) {
    gint64 now = g_get_monotonic_time ();

    if (now < self->retry_at)
      return FALSE;
    self->retry_at = now + RETRY_US;
    if (!disk_seems_ready (self)) {
      GST_DEBUG_OBJECT (
          self, "not ready yet: %s", rec_disk_fault_name (self->fault));
      return FALSE;
    }
    begin_resync (self);
  }
  return ends_resync (self, buffer);
}

static void
end_fault (GstRecFileSink *self, GstClockTime time)
{
  GST_INFO_OBJECT (self,
      "disk state: writing, after %s; %" G_GUINT64_FORMAT
      " buffers were dropped so far",
      rec_disk_fault_name (self->fault), (guint64)self->buffers_dropped);
  self->state = REC_SINK_WRITING;
  self->waiting = FALSE;
  self->failed_tries = 0;
  if (self->announced)
    gst_rec_file_sink_report_recovered (self, time);
  self->announced = FALSE;
  self->fault = REC_DISK_OK;
}

/* --- what somebody else did to the file */

static RecDiskFault
find_place (GstRecFileSink *self)
{
  RecFragment *fragment = self->fragment;
  RecDiskPlace place;

  self->place_suspect = FALSE;
  place =
      rec_disk_find (fragment->path, fragment->file.dev, fragment->file.ino, 1);
  /* the name leads to another disk, and the file is still on the one before */
  if (place == REC_DISK_PLACE_MOUNT_REMOVED && self->base &&
      rec_disk_leads_elsewhere (self->base, self->base_real))
    place = REC_DISK_PLACE_RENAMED;
  if (place == REC_DISK_PLACE_MOUNT_REMOVED)
    return REC_DISK_MOUNT_REMOVED;
  if (place == REC_DISK_PLACE_RENAMED && self->inode) {
    GST_INFO_OBJECT (
        self, "\"%s\" was renamed; recording goes on in it", fragment->path);
    self->inode = 0; /* said once */
  }
  return REC_DISK_OK;
}

/* Goes on where the file ends now. */
static RecDiskFault
adopt_size (GstRecFileSink *self, guint64 size, GstClockTime time)
{
  RecFile *file = &self->fragment->file;
  guint64 whole = size - size % MAX (self->packet_size, 1);

  gst_rec_file_sink_report_tampering (
      self, REC_DISK_TRUNCATED, file->size - size, time);
  gst_rec_file_sink_playlist_truncated (self, whole);
  return rec_file_truncate (file, whole) ? REC_DISK_IO_ERROR
                                         : REC_DISK_TRUNCATED;
}

/* Whether the file is still the one that was written. */
static RecDiskFault
check_file (GstRecFileSink *self, GstClockTime time)
{
  RecFile *file = &self->fragment->file;
  RecFileTamper tamper;
  uint64_t size;

  if (rec_file_detect_change (file, &tamper, &size) != 0)
    return REC_DISK_OK; /* the write will tell */
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
          " bytes that somebody else appended to \"%s\"",
          size - file->size, self->fragment->path);
      rec_file_truncate (file, file->size);
      return REC_DISK_OK;
    default:
      break;
  }
  return self->place_suspect && file->regular ? find_place (self) : REC_DISK_OK;
}

/* --- fragments */

/* Begins the next fragment at a random access point. Where that cannot be
 * opened, the current one goes on, and it is tried again later. */
static void
split (GstRecFileSink *self, GstBuffer *buffer, GstClockTime time)
{
  gint64 now = g_get_monotonic_time ();
  gint err;

  if (now < self->split_retry_at)
    return;
  GST_DEBUG_OBJECT (self,
      "a cut is due: fragment of %" G_GUINT64_FORMAT " bytes, %" GST_TIME_FORMAT
      " to %" GST_TIME_FORMAT,
      (guint64)self->fragment->file.size,
      GST_TIME_ARGS (self->fragment->opened_time), GST_TIME_ARGS (time));
  /* before the file is opened: what is requested from now on is another one */
  self->split_requested = FALSE;
  err = gst_rec_file_sink_open_next (self, buffer, time);
  if (!err)
    return;
  self->split_requested = TRUE;
  if (err == ENODEV)
    self->place_suspect = TRUE; /* check_file() looks for itself */
  else if (!self->split_retry_at)
    gst_rec_file_sink_report_open_failed (self, err, time);
  self->split_retry_at = now + RETRY_US;
  self->split_ask_at = now + ASK_AGAIN_US;
}

static void
ask_for_split (GstRecFileSink *self)
{
  if (!self->split_retry_at || g_get_monotonic_time () >= self->split_ask_at)
    ask_key_unit (self);
}

/* Opens the first or the next fragment where that is due. 0 or errno. */
static gint
prepare_fragment (GstRecFileSink *self, GstBuffer *buffer, GstClockTime time)
{
  if (self->fragment &&
      gst_rec_file_sink_cut_is_due (
          self, buffer, time, is_random_access_point (buffer))) {
    if (is_random_access_point (buffer))
      split (self, buffer, time);
    else
      ask_for_split (self);
  }
  return self->fragment ? 0 : gst_rec_file_sink_open_next (self, buffer, time);
}

/* A name that is not there is no file system that is gone: that is looked for
 * before a file is created. */
static RecDiskFault
fault_of_open (gint err)
{
  return err == ENOENT || err == ENOTDIR ? REC_DISK_OTHER
                                         : rec_disk_fault_from_errno (err);
}

/* A recording that never began ends where nothing can be created, unless it is
 * only space that is missing. */
static GstFlowReturn
handle_open_error (
    GstRecFileSink *self, gint err, GstBuffer *buffer, GstClockTime time)
{
  if (self->fragments > 0 || self->on_failover || err == ENOSPC ||
      err == EDQUOT)
    return handle_fault (self, fault_of_open (err), err, buffer, time);
  gst_rec_file_sink_post_open_error (self, self->tried_path, err);
  return GST_FLOW_ERROR;
}

/* --- a buffer */

static GstClockTime
running_time_of (GstRecFileSink *self, GstBuffer *buffer)
{
  GstClockTime time = GST_BUFFER_DTS_OR_PTS (buffer);
  const GstSegment *segment = &GST_BASE_SINK (self)->segment;

  if (segment->format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID (time))
    return GST_CLOCK_TIME_NONE;
  return gst_segment_to_running_time (segment, GST_FORMAT_TIME, time);
}

/* A pipe that is full is waited for; a state change or a flush ends that. */
static GstFlowReturn
write_waiting (GstRecFileSink *self, GstBuffer *buffer, gint *err)
{
  GstFlowReturn ret;

  while ((*err = write_buffer (self, buffer)) == ECANCELED) {
    ret = gst_base_sink_wait_preroll (GST_BASE_SINK (self));
    if (ret != GST_FLOW_OK)
      return ret;
  }
  return GST_FLOW_OK;
}

GstFlowReturn
gst_rec_file_sink_wait_durable (GstRecFileSink *self)
{
  GstFlowReturn ret;

  while (!rec_syncer_wait (self->durability)) {
    ret = gst_base_sink_wait_preroll (GST_BASE_SINK (self));
    if (ret != GST_FLOW_OK)
      return ret;
  }
  return GST_FLOW_OK;
}

GstFlowReturn
gst_rec_file_sink_write_buffer (GstRecFileSink *self, GstBuffer *buffer)
{
  GstClockTime time = running_time_of (self, buffer);
  RecDiskFault fault;
  GstFlowReturn ret;
  guint n_tables;
  gint err;

  if (gst_buffer_get_size (buffer) == 0)
    return GST_FLOW_OK;
  if (self->state != REC_SINK_WRITING && !may_try (self, buffer))
    return drop (self, buffer, time);
  if ((err = prepare_fragment (self, buffer, time)))
    return handle_open_error (self, err, buffer, time);
  fault = check_file (self, time);
  if (fault == REC_DISK_DELETED || fault == REC_DISK_TRUNCATED) {
    begin_resync (self);
    if (is_random_access_point (buffer) && !self->resync_understood)
      return gst_rec_file_sink_write_buffer (self, buffer);
    return drop (self, buffer, time);
  }
  if (fault)
    return handle_fault (self, fault, EIO, buffer, time);
  n_tables = gst_rec_file_sink_find_incomplete_tables (self, buffer, time);
  ret = write_waiting (self, buffer, &err);
  if (ret != GST_FLOW_OK)
    return ret;
  if (err)
    return handle_fault (
        self, rec_disk_fault_from_errno (err), err, buffer, time);
  if (self->state != REC_SINK_WRITING)
    end_fault (self, time);
  gst_rec_file_sink_complete_tables (self, n_tables);
  note_written (self, buffer, time);
  if (gst_rec_file_sink_playlist_wants_key_unit (self, time))
    ask_key_unit (self);
  if (gst_rec_file_sink_get_settings (self).sync_interval == REC_SYNCER_ALWAYS)
    return gst_rec_file_sink_wait_durable (self);
  return GST_FLOW_OK;
}
