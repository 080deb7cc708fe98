/* gst-tsrec: one file being recorded, and the loop that writes it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recfile.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Entries of one writev; larger buffers take several calls. */
#define CHUNK_IOVS 16
/* Interval and number of tries after EAGAIN of a regular file. */
#define AGAIN_WAIT_MS 10
#define AGAIN_MAX_TRIES 100

static int
posix_open (const char *path, int flags, mode_t mode)
{
  return open (path, flags, mode);
}

static int
posix_lock (int fd, struct flock *lock)
{
  return fcntl (fd, F_OFD_SETLK, lock);
}

/* Requests only the fields that are used. fstat(2) also requests timestamps,
 * which is expensive: Linux 6.13 and later then give the next write a finer
 * timestamp (multigrain timestamps), which doubles the cost of that write, and
 * an NFS client first sends all dirty data to the server. */
static int
lean_fstat (int fd, struct stat *st)
{
  const unsigned mask =
      STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_INO | STATX_SIZE;
  struct statx stx;

  if (statx (fd, "", AT_EMPTY_PATH, mask, &stx) < 0)
    return fstat (fd, st);
  memset (st, 0, sizeof (*st));
  st->st_mode = stx.stx_mode;
  st->st_nlink = stx.stx_nlink;
  st->st_dev = makedev (stx.stx_dev_major, stx.stx_dev_minor);
  st->st_ino = stx.stx_ino;
  st->st_size = (off_t)stx.stx_size;
  return 0;
}

const RecSyscalls rec_syscalls_posix = {
  .open = posix_open,
  .close = close,
  .writev = writev,
  .pwritev = pwritev,
  .ftruncate = ftruncate,
  .fdatasync = fdatasync,
  .fsync = fsync,
  .fstat = lean_fstat,
  .poll = poll,
  .lock = posix_lock,
  .sendmsg = sendmsg,
};

void
rec_file_init (RecFile *file, const RecSyscalls *sys, int cancel_fd)
{
  memset (file, 0, sizeof (*file));
  file->sys = sys ? sys : &rec_syscalls_posix;
  file->fd = -1;
  file->cancel_fd = cancel_fd;
}

static int
open_retrying (const RecSyscalls *sys, const char *path, int flags, int *fd)
{
  do {
    *fd = sys->open (path, flags | O_CLOEXEC | O_NOCTTY, 0666);
  } while (*fd < 0 && errno == EINTR);
  return *fd < 0 ? errno : 0;
}

/* Takes an open-file-description lock. It also excludes another element of this
 * process, and the kernel releases it when the process dies. */
static int
lock_file (const RecSyscalls *sys, int fd)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
  int r;

  do {
    r = sys->lock (fd, &lock);
  } while (r < 0 && errno == EINTR);
  if (r == 0)
    return 0;
  if (errno == EAGAIN || errno == EACCES)
    return EBUSY;
  /* ENOLCK, EINVAL, EOPNOTSUPP: the file system does not support locks */
  return 0;
}

static int
stat_file (RecFile *file, struct stat *st)
{
  int r;

  do {
    r = file->sys->fstat (file->fd, st);
  } while (r < 0 && errno == EINTR);
  return r < 0 ? errno : 0;
}

/* --- streams --- */

/* Limit for chains of symbolic links. */
#define MAX_LINKS 40
#define NO_DESCRIPTOR (-1)
#define DESCRIPTOR_OF_OTHER (-2)

/* Returns the number of "/proc/PID/fd/N" if @folder is "/proc/PID/fd". */
static int
descriptor_in (const char *folder, const char *number)
{
  char real[PATH_MAX], *end;
  long pid, n;

  if (realpath (folder, real) == NULL || strncmp (real, "/proc/", 6) != 0 ||
      strcmp (real + strlen (real) - 3, "/fd") != 0)
    return NO_DESCRIPTOR;
  pid = strtol (real + 6, NULL, 10);
  n = strtol (number, &end, 10);
  if (end == number || *end != '\0' || n < 0 || n > INT_MAX)
    return NO_DESCRIPTOR;
  return pid == getpid () ? (int)n : DESCRIPTOR_OF_OTHER;
}

/* Replaces @path with the target of the symbolic link. Returns false if it is
 * no link. */
static bool
follow_link (char *path)
{
  char target[PATH_MAX];
  ssize_t length = readlink (path, target, sizeof (target) - 1);
  const char *slash = strrchr (path, '/');
  size_t folder = slash != NULL ? (size_t)(slash - path) + 1 : 0;

  if (length <= 0)
    return false;
  target[length] = '\0';
  if (target[0] == '/')
    folder = 0;
  if (folder + (size_t)length >= PATH_MAX)
    return false;
  memcpy (path + folder, target, (size_t)length + 1);
  return true;
}

/* Returns the descriptor of this process that @path refers to. The links of
 * procfs look like links to a name, but refer to the open file. */
static int
find_descriptor (const char *path)
{
  char current[PATH_MAX], folder[PATH_MAX];
  struct statfs fs;
  int i, fd;

  if (strlen (path) >= sizeof (current))
    return NO_DESCRIPTOR;
  strcpy (current, path);
  for (i = 0; i < MAX_LINKS; i++) {
    char *slash = strrchr (current, '/');

    if (slash != NULL) {
      memcpy (folder, current, (size_t)(slash - current));
      folder[slash - current] = '\0';
      if (statfs (folder, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC) {
        fd = descriptor_in (folder, slash + 1);
        if (fd != NO_DESCRIPTOR)
          return fd;
      }
    }
    if (!follow_link (current))
      break;
  }
  return NO_DESCRIPTOR;
}

bool
rec_file_is_stream (const char *path)
{
  struct stat st;

  if (find_descriptor (path) != NO_DESCRIPTOR)
    return true;
  return stat (path, &st) == 0 && !S_ISREG (st.st_mode) &&
      !S_ISDIR (st.st_mode);
}

static int
probe_descriptor (int fd)
{
  int flags = fcntl (fd, F_GETFL);

  if (flags < 0)
    return errno;
  return (flags & O_ACCMODE) == O_RDONLY ? EBADF : 0;
}

int
rec_file_probe_stream (const char *path)
{
  int fd = find_descriptor (path);
  struct stat st;

  if (fd >= 0)
    return probe_descriptor (fd);
  if (stat (path, &st) < 0)
    return errno;
  if (S_ISSOCK (st.st_mode) && fd == NO_DESCRIPTOR)
    return EOPNOTSUPP;
  return access (path, W_OK) < 0 ? errno : 0;
}

/* Opens a pipe or a device again, so that its flags can be set. Duplicates a
 * descriptor that cannot be opened again (a socket, a terminal of another user)
 * or would begin at its start (a regular file). */
static int
open_descriptor (RecFile *file, const char *path, int own, int *fd)
{
  struct stat st;
  int err = probe_descriptor (own);

  if (err)
    return err;
  if (fstat (own, &st) < 0)
    return errno;
  if (!S_ISREG (st.st_mode) && !S_ISSOCK (st.st_mode) &&
      open_retrying (file->sys, path, O_WRONLY | O_NONBLOCK, fd) == 0)
    return 0;
  *fd = fcntl (own, F_DUPFD_CLOEXEC, 0);
  if (*fd < 0)
    return errno;
  file->shared = true;
  file->socket = S_ISSOCK (st.st_mode);
  return 0;
}

static int
open_stream (RecFile *file, const char *path, int own)
{
  int err, fd = -1;

  rec_file_init (file, file->sys, file->cancel_fd);
  if (own >= 0)
    err = open_descriptor (file, path, own, &fd);
  else
    err =
        open_retrying (file->sys, path, O_WRONLY | O_NONBLOCK | O_APPEND, &fd);
  if (!err)
    file->fd = fd;
  return err;
}

int
rec_file_open (RecFile *file, const char *path, RecFileMode mode)
{
  int flags = O_WRONLY | O_NONBLOCK, fd, err;
  int own = find_descriptor (path);
  struct stat st;

  if (own != NO_DESCRIPTOR) {
    if ((err = open_stream (file, path, own)))
      return err;
    if ((err = stat_file (file, &st)))
      goto failed;
    file->dev = st.st_dev;
    file->ino = st.st_ino;
    return 0;
  }
  if (mode == REC_FILE_CREATE)
    flags |= O_CREAT | O_EXCL;
  err = open_retrying (file->sys, path, flags, &fd);
  if (err == EEXIST && stat (path, &st) == 0 && !S_ISREG (st.st_mode))
    err = open_retrying (file->sys, path, O_WRONLY | O_NONBLOCK, &fd);
  if (err)
    return err;
  rec_file_init (file, file->sys, file->cancel_fd);
  file->fd = fd;
  if ((err = stat_file (file, &st)))
    goto failed;
  file->regular = S_ISREG (st.st_mode);
  file->dev = st.st_dev;
  file->ino = st.st_ino;
  if (!file->regular)
    return 0;
  if ((err = lock_file (file->sys, fd)))
    goto failed;
  file->size = (uint64_t)st.st_size;
  return 0;

  /* ERRORS */
failed:
  file->sys->close (file->fd);
  file->fd = -1;
  return err;
}

int
rec_file_probe_lock (const RecSyscalls *sys, const char *path)
{
  int fd, err;

  if (!sys)
    sys = &rec_syscalls_posix;
  if (open_retrying (sys, path, O_WRONLY | O_NONBLOCK, &fd))
    return 0;
  err = lock_file (sys, fd);
  sys->close (fd);
  return err;
}

/* Fills @chunk with the part of @iov after @done bytes. Returns its entries. */
static int
remaining_iov (
    struct iovec *chunk, const struct iovec *iov, int n_iov, size_t done)
{
  int i, n = 0;

  for (i = 0; i < n_iov && n < CHUNK_IOVS; i++) {
    if (done >= iov[i].iov_len) {
      done -= iov[i].iov_len;
      continue;
    }
    chunk[n].iov_base = (char *)iov[i].iov_base + done;
    chunk[n].iov_len = iov[i].iov_len - done;
    done = 0;
    n++;
  }
  return n;
}

/* Waits after EAGAIN until the pipe takes bytes again or the wait is cancelled.
 * A regular file is always ready for poll, so the wait is short. */
static int
wait_writable (RecFile *file, int tries)
{
  struct pollfd fds[2] = {
    { .fd = file->cancel_fd, .events = POLLIN },
    { .fd = file->fd, .events = POLLOUT },
  };
  int r;

  if (file->regular && tries > AGAIN_MAX_TRIES)
    return EAGAIN;
  r = file->sys->poll (
      fds, file->regular ? 1 : 2, file->regular ? AGAIN_WAIT_MS : -1);
  if (r < 0 && errno != EINTR && errno != EAGAIN)
    return errno;
  if (r > 0 && (fds[0].revents & POLLIN))
    return ECANCELED;
  return 0;
}

/* A shared socket may be in blocking mode. */
static ssize_t
send_without_waiting (RecFile *file, const struct iovec *iov, int n_iov)
{
  const struct msghdr msg = { .msg_iov = (struct iovec *)iov,
    .msg_iovlen = (size_t)n_iov };

  return file->sys->sendmsg (file->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Reports a closed pipe as EPIPE. SIGPIPE is blocked and consumed so that it
 * does not kill the host process. */
static ssize_t
write_pipe (RecFile *file, const struct iovec *iov, int n_iov)
{
  const struct timespec no_time = { 0 };
  sigset_t sigpipe, old, pending;
  ssize_t r;
  int err;

  sigemptyset (&sigpipe);
  sigaddset (&sigpipe, SIGPIPE);
  sigpending (&pending);
  pthread_sigmask (SIG_BLOCK, &sigpipe, &old);
  r = file->socket ? send_without_waiting (file, iov, n_iov)
                   : file->sys->writev (file->fd, iov, n_iov);
  err = errno;
  if (r < 0 && err == EPIPE && !sigismember (&pending, SIGPIPE)) {
    while (sigtimedwait (&sigpipe, NULL, &no_time) < 0 && errno == EINTR)
      ;
  }
  pthread_sigmask (SIG_SETMASK, &old, NULL);
  errno = err;
  return r;
}

/* The write loop of every recorded file. @offset: position in a regular file.
 * Stores the number of written bytes in @done, also after an error. */
static int
write_all (RecFile *file, const struct iovec *iov, int n_iov, uint64_t offset,
    size_t *done)
{
  struct iovec chunk[CHUNK_IOVS];
  int n, err, tries = 0;
  ssize_t r;

  *done = 0;
  while ((n = remaining_iov (chunk, iov, n_iov, *done)) > 0) {
    /* the write itself may block */
    if (file->shared && !file->socket && (err = wait_writable (file, 0)))
      return err;
    if (file->regular)
      r = file->sys->pwritev (file->fd, chunk, n, (off_t)(offset + *done));
    else
      r = write_pipe (file, chunk, n);
    if (r > 0) {
      *done += (size_t)r;
      tries = 0;
    } else if (r == 0) {
      return EIO;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if ((err = wait_writable (file, ++tries)))
        return err;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

static int
truncate_to (RecFile *file, uint64_t size)
{
  int r;

  do {
    r = file->sys->ftruncate (file->fd, (off_t)size);
  } while (r < 0 && errno == EINTR);
  return r < 0 ? errno : 0;
}

static int
truncate_torn (RecFile *file)
{
  int err;

  if (!file->torn)
    return 0;
  if ((err = truncate_to (file, file->size)))
    return err;
  file->torn = false;
  return 0;
}

int
rec_file_write (RecFile *file, const struct iovec *iov, int n_iov)
{
  size_t done;
  int err;

  if ((err = truncate_torn (file)))
    return err;
  err = write_all (file, iov, n_iov, file->size, &done);
  if (err) {
    file->torn = file->regular && done > 0;
    truncate_torn (file);
    return err;
  }
  file->size += done;
  file->accepted += done;
  return 0;
}

int
rec_file_rewrite (RecFile *file, uint64_t offset, const void *data, size_t size)
{
  struct iovec iov = { (void *)data, size };
  size_t done;

  if (!file->regular || offset > file->size || size > file->size - offset)
    return EINVAL;
  file->rewrites++;
  return write_all (file, &iov, 1, offset, &done);
}

int
rec_file_truncate (RecFile *file, uint64_t size)
{
  int err;

  if (!file->regular || size > file->size)
    return EINVAL;
  if ((err = truncate_to (file, size)))
    return err;
  file->size = size;
  file->torn = false;
  return 0;
}

/* EINTR and EAGAIN do not mean that data was lost. */
static int
sync_retrying (int (*sync) (int fd), int fd)
{
  int r, tries = 0;

  do {
    r = sync (fd);
  } while (r < 0 && (errno == EINTR || errno == EAGAIN) &&
      ++tries < AGAIN_MAX_TRIES);
  return r < 0 ? errno : 0;
}

int
rec_file_sync_directory (const RecSyscalls *sys, const char *directory)
{
  int fd, err;

  err = open_retrying (sys, directory, O_RDONLY | O_DIRECTORY, &fd);
  if (err)
    return err;
  err = sync_retrying (sys->fsync, fd);
  sys->close (fd);
  /* some network file systems cannot sync a directory and do not need to */
  return err == EINVAL ? 0 : err;
}

int
rec_file_sync (RecFile *file, const char *directory)
{
  uint64_t mark = file->accepted, rewrites = file->rewrites;
  int err;

  if (!file->regular)
    return 0;
  err = sync_retrying (file->sys->fdatasync, file->fd);
  if (!err && directory) {
    err = rec_file_sync_directory (file->sys, directory);
    if (err == ENOENT || err == ENOTDIR)
      err = 0; /* the directory was moved; the bytes are durable */
  }
  if (err) {
    /* bytes accepted during the sync may belong to the failed write-back */
    mark = file->accepted;
    file->lost_to_sync += mark - file->synced_mark;
  } else {
    file->durable += mark - file->synced_mark;
  }
  file->synced_mark = mark;
  file->synced_rewrites = rewrites;
  return err;
}

int
rec_file_detect_change (RecFile *file, RecFileTamper *tamper, uint64_t *size)
{
  struct stat st;
  int err;

  *tamper = REC_FILE_INTACT;
  *size = file->size;
  if (!file->regular)
    return 0;
  if ((err = stat_file (file, &st)))
    return err;
  *size = (uint64_t)st.st_size;
  if (st.st_nlink == 0)
    *tamper = REC_FILE_DELETED;
  else if (*size < file->size)
    *tamper = REC_FILE_TRUNCATED;
  else if (*size > file->size && !file->torn)
    *tamper = REC_FILE_EXTENDED;
  return 0;
}

int
rec_file_close (RecFile *file)
{
  int err, r;

  if (file->fd < 0)
    return 0;
  err = truncate_torn (file);
  /* not repeated after EINTR: Linux has closed the descriptor by then */
  r = file->sys->close (file->fd);
  if (r < 0 && errno != EINTR && !err)
    err = errno;
  file->fd = -1;
  return err;
}
