/* gst-tsrec: faults of a disk, and advice for the operator
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * No GStreamer types, and no state except in RecDiskFolder. Thread safe. All
 * functions may block on a slow file system.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  REC_DISK_OK,
  REC_DISK_FULL,          /* ENOSPC */
  REC_DISK_QUOTA,         /* EDQUOT */
  REC_DISK_IO_ERROR,      /* EIO */
  REC_DISK_READ_ONLY,     /* EROFS */
  REC_DISK_FILE_LIMIT,    /* EFBIG: the file system's largest file */
  REC_DISK_MOUNT_REMOVED, /* ENODEV, ESTALE, ..., or found by rec_disk_find() */
  REC_DISK_DELETED,       /* another process deleted the file */
  REC_DISK_TRUNCATED,     /* another process truncated the file */
  REC_DISK_OTHER
} RecDiskFault;

RecDiskFault rec_disk_fault_from_errno (gint err);

/* Returns "disk-full", "quota", ... for messages and the journal; static. */
const gchar *rec_disk_fault_name (RecDiskFault fault);

/* Returns advice for the operator after a failed write; static. */
const gchar *rec_disk_fault_advice (RecDiskFault fault);

/* Returns advice for the operator after the error @err of an open; static. */
const gchar *rec_disk_open_advice (gint err);

/* Returns the free bytes in @directory; G_MAXUINT64: unknown. */
guint64 rec_disk_free (const gchar *directory);

/* Like rec_disk_free(), for the directory of the file @path. */
guint64 rec_disk_free_at (const gchar *path);

/* Tests, without leaving a trace, whether a file can be created in @directory.
 * Returns 0 or errno. */
gint rec_disk_probe_directory (const gchar *directory);

/* Like rec_disk_probe_directory(), for the directory of the file @path.
 * @make_folders: missing directories will be created, so that the nearest
 * existing one is tested. */
gint rec_disk_probe_place (const gchar *path, gboolean make_folders);

/* State of a file's name. */
typedef enum
{
  REC_DISK_PLACE_SAME,
  REC_DISK_PLACE_DELETED,      /* the file has no name any more */
  REC_DISK_PLACE_RENAMED,      /* the file has another name */
  REC_DISK_PLACE_MOUNT_REMOVED /* its directory is on another file system */
} RecDiskPlace;

/* Returns the state of the file that was opened as @path, with its device and
 * inode number. @nlink: present number of names. */
RecDiskPlace rec_disk_find (
    const gchar *path, guint64 device, guint64 inode, guint64 nlink);

/* TRUE when a file system other than @unmounted_device is mounted at the
 * directory of @path. */
gboolean rec_disk_is_back (const gchar *path, guint64 unmounted_device);

/* Returns the folder of @path or, if it does not exist, the nearest existing
 * folder above it. To be freed. */
gchar *rec_disk_nearest_folder (const gchar *path);

/* Creates the missing folders of @path, with mode 0777 minus the umask. Stores
 * their number in @n_made. Returns 0 or errno. */
gint rec_disk_make_folders (const gchar *path, guint *n_made);

/* Returns the device number of the folder of @path, or of the folder in which
 * it would be created; 0: unknown. */
guint64 rec_disk_device (const gchar *path);

/**
 * RecDiskFolder:
 * @path: path of the folder; %NULL: none
 * @real: @path without symbolic links, of malloc(); %NULL: unknown
 * @device: device number of its file system
 *
 * A folder, remembered to detect that its file system was unmounted.
 */
typedef struct
{
  gchar *path;
  gchar *real;
  guint64 device;
} RecDiskFolder;

/* Remembers the present state of the folder @path; owns @path. */
void rec_disk_folder_set (RecDiskFolder *self, gchar *path);
void rec_disk_folder_clear (RecDiskFolder *self);

/* TRUE when the path exists and leads to another folder than before: a symbolic
 * link was changed. */
gboolean rec_disk_folder_is_relinked (const RecDiskFolder *self);

/* TRUE when the folder is on another file system than before, and not because a
 * symbolic link was changed. */
gboolean rec_disk_folder_is_unmounted (const RecDiskFolder *self);

G_END_DECLS
