/* gst-tsrec: what is wrong with a disk, and what a person can do about it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * No state but the struct; no GStreamer type.
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
  REC_DISK_MOUNT_REMOVED, /* ENODEV, ESTALE, ..., or found by looking */
  REC_DISK_DELETED,       /* the file, by somebody else */
  REC_DISK_TRUNCATED,     /* the same */
  REC_DISK_OTHER
} RecDiskFault;

RecDiskFault rec_disk_fault_from_errno (gint err);

/* "disk-full", "quota", ...: for messages and the journal; static. */
const gchar *rec_disk_fault_name (RecDiskFault fault);

/* What a person can do; one sentence, static. */
const gchar *rec_disk_fault_advice (RecDiskFault fault);

/* The same for an error of opening @err. */
const gchar *rec_disk_open_advice (gint err);

/* Bytes that may be used in @directory; G_MAXUINT64 when that is unknown. */
guint64 rec_disk_free (const gchar *directory);

/* Tries, without leaving a trace, whether a file can be made in @directory.
 * 0 or errno. */
gint rec_disk_probe_directory (const gchar *directory);

/* What became of a file's name. */
typedef enum
{
  REC_DISK_PLACE_SAME,
  REC_DISK_PLACE_DELETED,      /* no name left, or another file has it */
  REC_DISK_PLACE_RENAMED,      /* moved, still there under another name */
  REC_DISK_PLACE_MOUNT_REMOVED /* the directory is on another file system now */
} RecDiskPlace;

/* Where the file that was opened as @path, with device and inode, and that has
 * @nlink names now, is. */
RecDiskPlace rec_disk_find (
    const gchar *path, guint64 device, guint64 inode, guint64 nlink);

/* TRUE when @folder, which led to @real by realpath(3), exists and leads to
 * another one now: a link was changed. */
gboolean rec_disk_leads_elsewhere (const gchar *folder, const gchar *real);

/* TRUE once something else than @unmounted_device is mounted where the
 * directory of @path is. */
gboolean rec_disk_is_back (const gchar *path, guint64 unmounted_device);

/* The folder of @path or, where it does not exist, the nearest one above it
 * that does. The caller frees it. */
gchar *rec_disk_nearest_folder (const gchar *path);

/* Makes the folders of @path that are missing, with the mode that the umask
 * leaves. @n_made: how many. 0 or errno. */
gint rec_disk_make_folders (const gchar *path, guint *n_made);

/* The device that the folder of @path is on or would be made on; 0 when that
 * cannot be found out. */
guint64 rec_disk_device (const gchar *path);

G_END_DECLS
