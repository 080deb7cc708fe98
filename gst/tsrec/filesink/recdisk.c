/* gst-tsrec: faults of a disk, and advice for the operator
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recdisk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

RecDiskFault
rec_disk_fault_from_errno (gint err)
{
  switch (err) {
    case 0:
      return REC_DISK_OK;
    case ENOSPC:
      return REC_DISK_FULL;
    case EDQUOT:
      return REC_DISK_QUOTA;
    case EIO:
      return REC_DISK_IO_ERROR;
    case EROFS:
      return REC_DISK_READ_ONLY;
    case EFBIG:
      return REC_DISK_FILE_LIMIT;
    case ENODEV:
    case ENXIO:
    case ESTALE:
    case ENOTCONN:
    case ENOENT:
    case ENOTDIR:
      return REC_DISK_MOUNT_REMOVED;
    default:
      return REC_DISK_OTHER;
  }
}

const gchar *
rec_disk_fault_name (RecDiskFault fault)
{
  static const gchar *names[] = {
    [REC_DISK_OK] = "ok",
    [REC_DISK_FULL] = "disk-full",
    [REC_DISK_QUOTA] = "quota",
    [REC_DISK_IO_ERROR] = "io-error",
    [REC_DISK_READ_ONLY] = "read-only",
    [REC_DISK_FILE_LIMIT] = "file-limit",
    [REC_DISK_MOUNT_REMOVED] = "mount-removed",
    [REC_DISK_DELETED] = "deleted",
    [REC_DISK_TRUNCATED] = "truncated",
    [REC_DISK_OTHER] = "error",
  };

  return names[fault];
}

const gchar *
rec_disk_fault_advice (RecDiskFault fault)
{
  switch (fault) {
    case REC_DISK_FULL:
      return "Free space; recording then continues by itself.";
    case REC_DISK_QUOTA:
      return "Free space of the recorder's user or raise the quota; recording "
             "then continues by itself.";
    case REC_DISK_IO_ERROR:
      return "The device or its cable is failing: see the kernel log (dmesg). "
             "Set on-disk-full=failover to use another disk.";
    case REC_DISK_READ_ONLY:
      return "The file system was made read-only, often by the kernel after "
             "an error: see dmesg, check it and remount it; recording then "
             "continues by itself.";
    case REC_DISK_FILE_LIMIT:
      return "The file system does not support larger files: recording "
             "continues in a new file. Set max-size-bytes to choose its size.";
    case REC_DISK_MOUNT_REMOVED:
      return "Mount the file system again; recording then continues by "
             "itself.";
    case REC_DISK_DELETED:
    case REC_DISK_TRUNCATED:
      return "Look for a cleaning job or another program that uses the "
             "directory. Recording continues by itself.";
    default:
      return "Writing is tried again every second.";
  }
}

const gchar *
rec_disk_open_advice (gint err)
{
  switch (err) {
    case ENOENT:
    case ENOTDIR:
      return "Create the directory, or set location to one that exists.";
    case EACCES:
    case EPERM:
      return "Give the recorder write permission, or set another location.";
    case EROFS:
      return "The file system is mounted read-only: remount it, or set another "
             "location.";
    case EISDIR:
      return "Set location to a file name in that directory.";
    case EBUSY:
      return "Another recorder is writing to it: stop that one, or set another "
             "location.";
    case EEXIST:
      return "Move it away, set another location, or set on-exists=number or "
             "resume=true.";
    case EMFILE:
    case ENFILE:
      return "Raise the limit of open files (ulimit -n, or LimitNOFILE= in a "
             "unit).";
    case ENODEV:
      return "Mount the file system again.";
    case ENXIO:
      return "Start the reader of the pipe first.";
    case ENOSPC:
    case EDQUOT:
      return "Free space, or set another location.";
    default:
      return "Set another location.";
  }
}

guint64
rec_disk_free (const gchar *directory)
{
  struct statvfs fs;

  if (statvfs (directory, &fs) < 0 || fs.f_blocks == 0)
    return G_MAXUINT64;
  return (guint64)fs.f_bavail * fs.f_frsize;
}

guint64
rec_disk_free_at (const gchar *path)
{
  gchar *directory = g_path_get_dirname (path);
  guint64 bytes = rec_disk_free (directory);

  g_free (directory);
  return bytes;
}

gint
rec_disk_probe_directory (const gchar *directory)
{
  struct stat st;
  gint fd;

  if (stat (directory, &st) < 0)
    return errno;
  if (!S_ISDIR (st.st_mode))
    return ENOTDIR;
  if (access (directory, W_OK | X_OK) < 0)
    return errno;
  /* finds more errors, on file systems that support O_TMPFILE */
  fd = open (directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (fd >= 0)
    close (fd);
  else if (errno == EROFS || errno == EACCES || errno == EPERM)
    return errno;
  return 0;
}

gchar *
rec_disk_nearest_folder (const gchar *path)
{
  gchar *folder = g_path_get_dirname (path), *parent;
  struct stat st;

  while (stat (folder, &st) < 0 && (errno == ENOENT || errno == ENOTDIR)) {
    parent = g_path_get_dirname (folder);
    if (g_str_equal (parent, folder)) {
      g_free (parent);
      break;
    }
    g_free (folder);
    folder = parent;
  }
  return folder;
}

gint
rec_disk_probe_place (const gchar *path, gboolean make_folders)
{
  gchar *directory =
      make_folders ? rec_disk_nearest_folder (path) : g_path_get_dirname (path);
  gint err = rec_disk_probe_directory (directory);

  g_free (directory);
  return err;
}

gint
rec_disk_make_folders (const gchar *path, guint *n_made)
{
  gchar *folder = g_path_get_dirname (path), *parent;
  gchar *nearest = rec_disk_nearest_folder (path);
  gint err = g_mkdir_with_parents (folder, 0777) < 0 ? errno : 0;

  *n_made = 0;
  while (!err && !g_str_equal (folder, nearest)) {
    (*n_made)++;
    parent = g_path_get_dirname (folder);
    g_free (folder);
    folder = parent;
  }
  g_free (folder);
  g_free (nearest);
  return err;
}

guint64
rec_disk_device (const gchar *path)
{
  gchar *folder = rec_disk_nearest_folder (path);
  struct stat st;
  guint64 device = 0;

  if (stat (folder, &st) == 0)
    device = st.st_dev;
  g_free (folder);
  return device;
}

RecDiskPlace
rec_disk_find (const gchar *path, guint64 device, guint64 inode, guint64 nlink)
{
  struct stat st;

  if (stat (path, &st) == 0 && st.st_dev == device && st.st_ino == inode)
    return REC_DISK_PLACE_SAME;
  if (nlink == 0)
    return REC_DISK_PLACE_DELETED;
  if (rec_disk_device (path) != device)
    return REC_DISK_PLACE_MOUNT_REMOVED;
  return REC_DISK_PLACE_RENAMED;
}

gboolean
rec_disk_is_back (const gchar *path, guint64 unmounted_device)
{
  guint64 device = rec_disk_device (path);

  return device != 0 && device != unmounted_device;
}

/* --- a remembered folder --- */

static guint64
device_of_folder (const gchar *folder)
{
  gchar *inside = g_build_filename (folder, "x", NULL);
  guint64 device = rec_disk_device (inside);

  g_free (inside);
  return device;
}

void
rec_disk_folder_set (RecDiskFolder *self, gchar *path)
{
  rec_disk_folder_clear (self);
  self->path = path;
  self->real = realpath (path, NULL);
  self->device = device_of_folder (path);
}

void
rec_disk_folder_clear (RecDiskFolder *self)
{
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->real, free);
}

gboolean
rec_disk_folder_is_relinked (const RecDiskFolder *self)
{
  char *now = self->path ? realpath (self->path, NULL) : NULL;
  gboolean relinked = now && self->real && !g_str_equal (now, self->real);

  free (now);
  return relinked;
}

gboolean
rec_disk_folder_is_unmounted (const RecDiskFolder *self)
{
  return self->path && device_of_folder (self->path) != self->device &&
      !rec_disk_folder_is_relinked (self);
}
