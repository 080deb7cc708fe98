/* gst-tsrec: one file being recorded, and the loop that writes it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A RecFile is appended to in whole access units. Every system call goes
 * through a table, so that a test can make the Nth call fail.
 *
 * Guarantees when a function returns:
 *  - A regular file ends after a whole access unit. Remains of a failed write
 *    are truncated. If that fails too, `torn` is set and the next write
 *    truncates first.
 *  - `accepted` counts bytes that the kernel took, `durable` the accepted bytes
 *    that a successful fdatasync covers. Bytes of a failed sync count in
 *    `lost_to_sync` and never become durable: the kernel marks their pages
 *    clean, so a later successful sync does not cover them.
 *
 * Threads: one thread writes; one other thread may call rec_file_sync() at the
 * same time; any thread may read the counters. Functions return 0 or a positive
 * errno; callers must not rely on the value of errno itself.
 */

#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

/* System calls of a RecFile, with the contracts of POSIX. fstat needs to set
 * only type, size, number of links, device and inode. */
typedef struct
{
  int (*open) (const char *path, int flags, mode_t mode);
  int (*close) (int fd);
  ssize_t (*writev) (int fd, const struct iovec *iov, int n_iov);
  ssize_t (*pwritev) (int fd, const struct iovec *iov, int n_iov, off_t offset);
  int (*ftruncate) (int fd, off_t size);
  int (*fdatasync) (int fd);
  int (*fsync) (int fd);
  int (*fstat) (int fd, struct stat *st);
  int (*poll) (struct pollfd *fds, nfds_t n_fds, int timeout_ms);
  int (*lock) (int fd, struct flock *lock); /* fcntl (F_OFD_SETLK) */
  ssize_t (*sendmsg) (int fd, const struct msghdr *msg, int flags);
} RecSyscalls;

extern const RecSyscalls rec_syscalls_posix;

typedef enum
{
  REC_FILE_CREATE,  /* the file must not exist: EEXIST */
  REC_FILE_CONTINUE /* the file must exist; writes append to it */
} RecFileMode;

/* Change made to the file by another process while it is written. */
typedef enum
{
  REC_FILE_INTACT,
  REC_FILE_DELETED,   /* it has no name any more: closing it frees its bytes */
  REC_FILE_TRUNCATED, /* shorter than the written bytes */
  REC_FILE_EXTENDED   /* longer than the written bytes */
} RecFileTamper;

typedef struct
{
  const RecSyscalls *sys;
  int fd;        /* -1: not open */
  int cancel_fd; /* readable: stop waiting for a pipe; -1: none; borrowed */
  bool regular;  /* false for a stream: no offset, lock or sync */
  bool socket;   /* the stream is a socket */
  bool shared;   /* a duplicate: its flags must not be changed */
  bool torn;     /* part of an access unit follows `size` */
  dev_t dev;
  ino_t ino;

  _Atomic uint64_t size;         /* size of the file, whole access units */
  _Atomic uint64_t accepted;     /* bytes written since open */
  _Atomic uint64_t durable;      /* accepted bytes covered by a sync */
  _Atomic uint64_t lost_to_sync; /* accepted bytes of failed syncs */
  _Atomic uint64_t rewrites;     /* calls of rec_file_rewrite() */
  uint64_t synced_mark;          /* syncing thread: `accepted` at last sync */
  uint64_t synced_rewrites;      /* syncing thread: `rewrites` at last sync */
} RecFile;

/* Initializes @file; nothing is open. @sys NULL: the real calls. */
void rec_file_init (RecFile *file, const RecSyscalls *sys, int cancel_fd);

/* Returns true if @path is a stream: a pipe, a device, a socket, or a
 * descriptor of a process (/dev/stdout, /dev/fd/N), also one that refers to a
 * regular file. A stream is written from its present position, without offset,
 * lock, sync or truncation. */
bool rec_file_is_stream (const char *path);

/* Tests whether the stream @path can be written to. Returns 0 or errno;
 * EOPNOTSUPP for the file name of a socket. */
int rec_file_probe_stream (const char *path);

/* Opens and locks @path. Errors are those of open(2), and EBUSY if another
 * recorder has the file open; nothing is created or changed after an error. A
 * stream is opened in either mode; ENXIO: the pipe has no reader. */
int rec_file_open (RecFile *file, const char *path, RecFileMode mode);

/* Tests whether @path is locked by a recorder. Returns EBUSY if it is, 0 if not
 * or if the file does not exist. */
int rec_file_probe_lock (const RecSyscalls *sys, const char *path);

/* Appends one access unit, whole or not at all. Returns ECANCELED if cancel_fd
 * became readable while a pipe was full. */
int rec_file_write (RecFile *file, const struct iovec *iov, int n_iov);

/* Overwrites @size bytes at @offset of a regular file. The byte counters do not
 * change; the next sync covers the new bytes. Returns EINVAL beyond the end of
 * the file and for streams. After another error, part of the bytes may have
 * been overwritten. */
int rec_file_rewrite (
    RecFile *file, uint64_t offset, const void *data, size_t size);

/* Truncates the file to @size bytes, at most its present size. */
int rec_file_truncate (RecFile *file, uint64_t size);

/* Calls fdatasync and, unless @directory is NULL, fsync for that directory, so
 * that the file name is durable too. After success, all bytes accepted before
 * the call are durable. After a failure, all bytes accepted before the return
 * are lost to sync. */
int rec_file_sync (RecFile *file, const char *directory);

/* Calls fsync for @directory, so that the names in it are durable. Returns 0
 * also on file systems that cannot sync a directory and do not need to. */
int rec_file_sync_directory (const RecSyscalls *sys, const char *directory);

/* Compares the file with the written bytes. Stores the change in @tamper and
 * the present size in @size. Returns 0 or errno. */
int rec_file_detect_change (
    RecFile *file, RecFileTamper *tamper, uint64_t *size);

/* Truncates a partial access unit and closes. Returns the first error of the
 * two. Does not sync. */
int rec_file_close (RecFile *file);

/* Returns true if bytes were written or overwritten since the last sync. */
static inline bool
rec_file_needs_sync (const RecFile *file)
{
  return file->regular &&
      (file->accepted != file->synced_mark ||
          file->rewrites != file->synced_rewrites);
}

static inline bool
rec_file_is_open (const RecFile *file)
{
  return file->fd >= 0;
}
