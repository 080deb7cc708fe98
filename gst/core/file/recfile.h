/* gst-tsrec: one file being recorded, and the only write loop in the tree
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A RecFile is appended to in whole access units. Every system call goes
 * through a table, so that a test can let the Nth call fail.
 *
 * What holds at every return:
 *  - the regular file ends after a whole access unit: what a failed write left
 *    behind is cut off again, or, where even that fails, `torn` says so and
 *    the next write cuts first;
 *  - `accepted` counts bytes that the kernel took, `durable` those of them
 *    that a successful fdatasync covers. A byte that was concerned by a failed
 *    sync counts in `lost_to_sync` and never becomes durable: the kernel marks
 *    such pages clean, so a later successful sync says nothing about them.
 *
 * Threads: one thread writes; one other thread may call rec_file_sync() at the
 * same time; the counters may be read from anywhere with rec_file_*().
 * Functions return 0 or a positive errno; they never set errno for the caller.
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

/* The calls that a RecFile makes, with the contracts of POSIX. Of what fstat
 * tells, only type, size, number of links, device and inode are looked at. */
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
  REC_FILE_CREATE,  /* must not exist: EEXIST */
  REC_FILE_CONTINUE /* must exist; goes on after its last byte */
} RecFileMode;

/* What somebody else did to the file while we were writing to it. */
typedef enum
{
  REC_FILE_INTACT,
  REC_FILE_DELETED,   /* no name is left: the bytes go when we close */
  REC_FILE_TRUNCATED, /* shorter than what was written */
  REC_FILE_EXTENDED   /* longer than what was written */
} RecFileTamper;

typedef struct
{
  const RecSyscalls *sys;
  int fd;        /* -1: not open */
  int cancel_fd; /* readable: give up waiting for a pipe; -1: none; borrowed */
  bool regular;  /* FALSE for a stream: no offset, lock or sync */
  bool socket;   /* a stream that is one */
  bool shared;   /* a descriptor of the process: its flags are not ours */
  bool torn;     /* a part of an access unit stands after `size` */
  bool unlocked; /* the file system knows no locks */
  dev_t dev;
  ino_t ino;

  _Atomic uint64_t size;         /* of the file: whole access units */
  _Atomic uint64_t accepted;     /* bytes since open */
  _Atomic uint64_t durable;      /* of these */
  _Atomic uint64_t lost_to_sync; /* of these */
  _Atomic uint64_t rewrites;     /* calls of rec_file_rewrite() */
  uint64_t synced_mark;          /* syncing thread: `accepted` at last sync */
  uint64_t synced_rewrites;      /* likewise */
} RecFile;

/* Nothing is open. @sys NULL: the real calls. */
void rec_file_init (RecFile *file, const RecSyscalls *sys, int cancel_fd);

/* Whether @path leads to what is no name in a folder: a pipe, a device, a
 * socket, or a descriptor of a process (/dev/stdout, /dev/fd/N), also one that
 * stands for a regular file. It is written to as it is, from where it stands:
 * no offset, lock, sync or cut. */
bool rec_file_is_stream (const char *path);

/* Whether the stream @path can be written to. 0 or errno; EOPNOTSUPP: a socket
 * in a folder. */
int rec_file_probe_stream (const char *path);

/* Opens and locks @path. EEXIST, ENOENT and the like as open(2); EBUSY when
 * another recorder holds the file; nothing is created or changed then. A
 * stream is opened in either mode; ENXIO: nobody reads the pipe. */
int rec_file_open (RecFile *file, const char *path, RecFileMode mode);

/* Takes a lock on @path for an instant: EBUSY when a recorder holds it, 0 when
 * none does or the file does not exist. */
int rec_file_probe_lock (const RecSyscalls *sys, const char *path);

/* Appends one access unit, whole or not at all. ECANCELED: cancel_fd became
 * readable while a pipe was full. */
int rec_file_write (RecFile *file, const struct iovec *iov, int n_iov);

/* Writes @size bytes anew that stand at @offset of a regular file already. The
 * counters of bytes do not change; the next sync covers them. EINVAL: beyond
 * the end of the file, or no regular file. Where another error leaves a part of
 * them, that is not taken back. */
int rec_file_rewrite (
    RecFile *file, uint64_t offset, const void *data, size_t size);

/* Shortens the file to @size, at most its present size. */
int rec_file_truncate (RecFile *file, uint64_t size);

/* fdatasync; with @directory (NULL: none) also fsync of that directory, so
 * that the name is durable too. All bytes accepted before the call are durable
 * after success; after a failure all that was accepted until the return is
 * lost to sync. */
int rec_file_sync (RecFile *file, const char *directory);

/* fsync of @directory, so that the names in it are durable. Success where the
 * file system cannot do that and need not. */
int rec_file_sync_directory (const RecSyscalls *sys, const char *directory);

/* Compares the file with what was written to it. */
int rec_file_detect_change (
    RecFile *file, RecFileTamper *tamper, uint64_t *size);

/* Cuts a torn tail and closes; the error is that of close or of the cut. Bytes
 * not synced before are not durable. */
int rec_file_close (RecFile *file);

/* Whether there is something that no sync has covered or lost. */
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
