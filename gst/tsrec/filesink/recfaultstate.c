/* gst-tsrec: state of a recording whose disk fails
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recfaultstate.h"

/* Interval of the tries to write to a failing disk. */
#define RETRY_US G_USEC_PER_SEC
/* Failed writes in a row after which a file is closed and opened again. */
#define MAX_FAILED_TRIES 3
/* Longest wait for the random access point that upstream announced. */
#define RESYNC_US (5 * G_USEC_PER_SEC)
/* Free bytes below which a full disk is not tried again. */
#define MIN_NEED (64 * 1024)

void
rec_fault_state_init (RecFaultState *self)
{
  self->phase = REC_FAULT_WRITING;
  self->fault = REC_DISK_OK;
  self->announced = FALSE;
  self->waiting = FALSE;
  self->failed_tries = 0;
}

gboolean
rec_fault_state_wait (
    RecFaultState *self, RecDiskFault fault, gint64 now, gsize size)
{
  self->phase = REC_FAULT_WAITING;
  self->waiting = TRUE;
  self->retry_at = now + RETRY_US;
  self->need_bytes = MAX (MIN_NEED, 2 * size);
  self->failed_tries++;
  if (fault == REC_DISK_FULL || fault == REC_DISK_QUOTA ||
      fault == REC_DISK_MOUNT_REMOVED || self->failed_tries < MAX_FAILED_TRIES)
    return FALSE;
  self->failed_tries = 0;
  return TRUE;
}

void
rec_fault_state_set_unmounted (
    RecFaultState *self, const gchar *path, guint64 device)
{
  guint64 found = rec_disk_device (path);

  /* the same device: it fails, but is still mounted */
  self->unmounted_device = found == device ? 0 : found;
}

gboolean
rec_fault_state_is_retry_due (RecFaultState *self, gint64 now)
{
  if (now < self->retry_at)
    return FALSE;
  self->retry_at = now + RETRY_US;
  return TRUE;
}

gboolean
rec_fault_state_is_disk_ready (const RecFaultState *self, const gchar *path)
{
  if (self->fault == REC_DISK_FULL)
    return rec_disk_free_at (path) >= self->need_bytes;
  if (self->fault == REC_DISK_MOUNT_REMOVED)
    return rec_disk_is_back (path, self->unmounted_device);
  return TRUE;
}

void
rec_fault_state_begin_resync (
    RecFaultState *self, gint64 now, gboolean understood)
{
  self->phase = REC_FAULT_RESYNC;
  self->resync_until = now + RESYNC_US;
  self->resync_understood = understood;
}

gboolean
rec_fault_state_ends_resync (const RecFaultState *self, gint64 now,
    gboolean random_access, gboolean discont)
{
  if (!random_access)
    return FALSE;
  return !self->resync_understood || discont || now >= self->resync_until;
}

void
rec_fault_state_end (RecFaultState *self)
{
  self->phase = REC_FAULT_WRITING;
  self->fault = REC_DISK_OK;
  self->announced = FALSE;
  self->waiting = FALSE;
  self->failed_tries = 0;
}
