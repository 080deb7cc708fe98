/* gst-tsrec: the write loop, with every system call failing at every moment
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recfile.h"

#include <gst/check/gstcheck.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <glib/gstdio.h>

#define PACKET 188
#define AU_PACKETS 3
#define AU (PACKET * AU_PACKETS)
#define N_AUS 260
#define MAX_N 200

/* --- a table whose Nth call of one kind fails */

typedef enum
{
  FAIL_NOTHING,
  FAIL_WRITE,
  FAIL_SHORT,      /* half of the bytes are taken */
  FAIL_SHORT_THEN, /* half of the bytes, and the call after it fails */
  FAIL_SYNC
} FailKind;

static struct
{
  FailKind kind;
  guint nth;         /* counted from 1 */
  gint err;          /* what the Nth call says */
  gboolean no_trunc; /* while TRUE, ftruncate fails with EIO */
  guint writes, syncs, failed;
  guint64 taken; /* bytes that the kernel really took */
} fault;

static size_t
iov_size (const struct iovec *iov, int n)
{
  size_t size = 0;
  int i;

  for (i = 0; i < n; i++)
    size += iov[i].iov_len;
  return size;
}

static ssize_t
faulty_pwritev (int fd, const struct iovec *iov, int n, off_t offset)
{
  gboolean second = fault.kind == FAIL_SHORT_THEN && fault.writes == fault.nth;
  gboolean hit = ++fault.writes == fault.nth;

  if (second || (hit && fault.kind == FAIL_WRITE)) {
    fault.failed++;
    errno = fault.err;
    return -1;
  }
  if (hit && (fault.kind == FAIL_SHORT || fault.kind == FAIL_SHORT_THEN)) {
    fault.failed++;
    return pwrite (fd, iov[0].iov_base, iov_size (iov, 1) / 2, offset);
  }
  return pwritev (fd, iov, n, offset);
}

static int
faulty_fdatasync (int fd)
{
  if (++fault.syncs == fault.nth && fault.kind == FAIL_SYNC) {
    fault.failed++;
    errno = fault.err;
    return -1;
  }
  return 0;
}

static int
faulty_ftruncate (int fd, off_t size)
{
  if (!fault.no_trunc)
    return ftruncate (fd, size);
  errno = EIO;
  return -1;
}

/* Nobody waits in this test. */
static int
instant_poll (struct pollfd *fds, nfds_t n_fds, int timeout_ms)
{
  return 0;
}

static RecSyscalls faulty;
static gchar *dir, *path;

static void
setup (void)
{
  faulty = rec_syscalls_posix;
  faulty.pwritev = faulty_pwritev;
  faulty.poll = instant_poll;
  faulty.fdatasync = faulty_fdatasync;
  faulty.ftruncate = faulty_ftruncate;
  memset (&fault, 0, sizeof (fault));
  /* in memory where that is possible: this writes and reads a great deal */
  dir = g_strdup ("/dev/shm/recfile-XXXXXX");
  if (!g_mkdtemp (dir)) {
    g_free (dir);
    dir = g_dir_make_tmp ("recfile-XXXXXX", NULL);
  }
  path = g_build_filename (dir, "rec.ts", NULL);
}

static void
teardown (void)
{
  g_unlink (path);
  g_rmdir (dir);
  g_free (path);
  g_free (dir);
}

/* --- what is on disk */

/* Access unit number @n: packets that carry its number in every byte. */
static void
fill_au (guint8 *au, guint n)
{
  guint i;

  memset (au, (guint8)n, AU);
  for (i = 0; i < AU_PACKETS; i++) {
    au[i * PACKET] = 0x47;
    au[i * PACKET + 1] = n >> 8;
    au[i * PACKET + 2] = n & 0xff;
  }
}

/* The file must hold exactly the access units of @accepted, each of them whole,
 * and nothing else. */
static void
assert_on_disk (const gboolean *accepted, guint n_aus)
{
  guint8 expected[AU];
  gchar *contents;
  gsize size, pos = 0;
  guint i;

  fail_unless (g_file_get_contents (path, &contents, &size, NULL));
  for (i = 0; i < n_aus; i++) {
    if (!accepted[i])
      continue;
    fill_au (expected, i);
    if (pos + AU > size)
      fail ("access unit %u is missing", i);
    if (memcmp (contents + pos, expected, AU) != 0)
      fail ("access unit %u is torn or displaced", i);
    pos += AU;
  }
  fail_unless_equals_uint64 (size, pos);
  g_free (contents);
}

typedef struct
{
  gboolean accepted[N_AUS];
  guint n_accepted;
} Run;

/* One recording: @split memories an access unit, a sync after each. */
static void
record (RecFile *file, Run *run, guint n_aus, gboolean sync)
{
  guint8 au[AU];
  struct iovec iov[2] = { { au, 100 }, { au + 100, AU - 100 } };
  guint64 accepted;
  struct stat st;
  guint i;
  gint err;

  for (i = 0; i < n_aus; i++) {
    fill_au (au, i);
    accepted = file->accepted;
    err = rec_file_write (file, iov, 2);
    run->accepted[i] = err == 0;
    run->n_accepted += err == 0;
    /* fail_unless() writes to a pipe: too slow for every access unit */
    if (file->accepted - accepted != (err ? 0 : AU) ||
        file->size != (guint64)run->n_accepted * AU)
      fail ("access unit %u is counted wrongly", i);
    if (fstat (file->fd, &st) < 0 || (guint64)st.st_size != file->size)
      fail ("access unit %u left a tail on disk", i);
    if (sync)
      rec_file_sync (file, NULL);
  }
}

static void
check_failing_write (FailKind kind, gint err, guint nth)
{
  Run run = { { 0 }, 0 };
  RecFile file;

  memset (&fault, 0, sizeof (fault));
  fault.kind = kind;
  fault.err = err;
  fault.nth = nth;
  g_unlink (path);
  rec_file_init (&file, &faulty, -1);
  fail_unless_equals_int (rec_file_open (&file, path, REC_FILE_CREATE), 0);
  record (&file, &run, nth + 2, FALSE);
  fail_unless (fault.failed > 0);
  fail_unless_equals_int (rec_file_close (&file), 0);
  assert_on_disk (run.accepted, nth + 2);
  if (kind == FAIL_SHORT || err == EINTR || err == EAGAIN) {
    fail_unless_equals_int (run.n_accepted, nth + 2);
  } else {
    fail_unless_equals_int (run.n_accepted, nth + 1);
  }
}

/* Every N, or some where each takes a hundred times as long. */
static guint
next_n (guint nth)
{
  return g_getenv ("REC_SLOW_MACHINE") ? nth * 2 + 1 : nth + 1;
}

static const gint write_errors[] = { EINTR, EAGAIN, ENOSPC, EIO };

GST_START_TEST (test_nth_write_failing_never_tears_an_access_unit)
{
  guint i, nth;

  for (nth = 1; nth <= MAX_N; nth = next_n (nth)) {
    for (i = 0; i < G_N_ELEMENTS (write_errors); i++) {
      check_failing_write (FAIL_WRITE, write_errors[i], nth);
      check_failing_write (FAIL_SHORT_THEN, write_errors[i], nth);
    }
    check_failing_write (FAIL_SHORT, 0, nth);
  }
}

GST_END_TEST;

/* The remainder of a failed write is cut before anything is added, however late the
 * cutting works. */
GST_START_TEST (test_torn_tail_that_cannot_be_cut_is_cut_later)
{
  Run run = { { 0 }, 0 };
  RecFile file;
  guint8 au[AU];
  struct iovec iov = { au, AU };

  fault.kind = FAIL_SHORT_THEN;
  fault.nth = 3;
  fault.err = ENOSPC;
  rec_file_init (&file, &faulty, -1);
  fail_unless_equals_int (rec_file_open (&file, path, REC_FILE_CREATE), 0);
  record (&file, &run, 2, FALSE);
  fault.no_trunc = TRUE;
  fill_au (au, 2);
  fail_unless_equals_int (rec_file_write (&file, &iov, 1), ENOSPC);
  fail_unless (file.torn);
  fail_unless_equals_int (rec_file_write (&file, &iov, 1), EIO);
  fail_unless_equals_uint64 (file.accepted, 2 * AU);
  fault.no_trunc = FALSE;
  fail_unless_equals_int (rec_file_write (&file, &iov, 1), 0);
  fail_unless (!file.torn);
  run.accepted[2] = TRUE;
  fail_unless_equals_int (rec_file_close (&file), 0);
  assert_on_disk (run.accepted, 3);
}

GST_END_TEST;

static void
check_failing_sync (gint err, guint nth)
{
  gboolean again = err == EINTR || err == EAGAIN;
  Run run = { { 0 }, 0 };
  RecFile file;

  memset (&fault, 0, sizeof (fault));
  fault.kind = FAIL_SYNC;
  fault.err = err;
  fault.nth = nth;
  g_unlink (path);
  rec_file_init (&file, &faulty, -1);
  fail_unless_equals_int (rec_file_open (&file, path, REC_FILE_CREATE), 0);
  record (&file, &run, nth + 2, TRUE);
  fail_unless_equals_int (fault.failed, 1);
  fail_unless_equals_uint64 (file.accepted, (guint64)(nth + 2) * AU);
  /* the bytes of the failed sync are never called durable again */
  fail_unless_equals_uint64 (file.lost_to_sync, again ? 0 : AU);
  fail_unless_equals_uint64 (file.durable + file.lost_to_sync, file.accepted);
  rec_file_close (&file);
}

GST_START_TEST (test_nth_sync_failing_is_never_made_good_by_a_later_one)
{
  static const gint errors[] = { EINTR, EAGAIN, ENOSPC, EIO, EDQUOT };
  guint i, nth;

  for (nth = 1; nth <= MAX_N; nth = next_n (nth))
    for (i = 0; i < G_N_ELEMENTS (errors); i++)
      check_failing_sync (errors[i], nth);
}

GST_END_TEST;

GST_START_TEST (test_second_recorder_of_a_file_is_refused)
{
  RecFile one, two;
  guint8 au[AU];
  struct iovec iov = { au, AU };

  fill_au (au, 0);
  rec_file_init (&one, NULL, -1);
  rec_file_init (&two, NULL, -1);
  fail_unless_equals_int (rec_file_open (&one, path, REC_FILE_CREATE), 0);
  fail_unless_equals_int (rec_file_write (&one, &iov, 1), 0);
  fail_unless_equals_int (rec_file_open (&two, path, REC_FILE_CONTINUE), EBUSY);
  fail_unless (!rec_file_is_open (&two));
  fail_unless_equals_int (rec_file_open (&two, path, REC_FILE_CREATE), EEXIST);
  fail_unless_equals_int (rec_file_probe_lock (NULL, path), EBUSY);
  rec_file_close (&one);
  fail_unless_equals_int (rec_file_probe_lock (NULL, path), 0);
  fail_unless_equals_int (rec_file_open (&two, path, REC_FILE_CONTINUE), 0);
  fail_unless_equals_uint64 (two.size, AU);
  rec_file_close (&two);
}

GST_END_TEST;

GST_START_TEST (test_tampering_is_told_apart)
{
  RecFile file;
  RecFileTamper tamper;
  uint64_t size;
  guint8 au[AU];
  struct iovec iov = { au, AU };

  fill_au (au, 0);
  rec_file_init (&file, NULL, -1);
  fail_unless_equals_int (rec_file_open (&file, path, REC_FILE_CREATE), 0);
  fail_unless_equals_int (rec_file_write (&file, &iov, 1), 0);
  fail_unless_equals_int (rec_file_detect_change (&file, &tamper, &size), 0);
  fail_unless_equals_int (tamper, REC_FILE_INTACT);
  fail_unless_equals_int (truncate (path, 100), 0);
  fail_unless_equals_int (rec_file_detect_change (&file, &tamper, &size), 0);
  fail_unless_equals_int (tamper, REC_FILE_TRUNCATED);
  fail_unless_equals_uint64 (size, 100);
  fail_unless_equals_int (truncate (path, 2 * AU), 0);
  fail_unless_equals_int (rec_file_detect_change (&file, &tamper, &size), 0);
  fail_unless_equals_int (tamper, REC_FILE_EXTENDED);
  g_unlink (path);
  fail_unless_equals_int (rec_file_detect_change (&file, &tamper, &size), 0);
  fail_unless_equals_int (tamper, REC_FILE_DELETED);
  rec_file_close (&file);
}

GST_END_TEST;

static Suite *
recfile_suite (void)
{
  Suite *s = suite_create ("recfile");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_nth_write_failing_never_tears_an_access_unit);
  tcase_add_test (tc, test_torn_tail_that_cannot_be_cut_is_cut_later);
  tcase_add_test (tc, test_nth_sync_failing_is_never_made_good_by_a_later_one);
  tcase_add_test (tc, test_second_recorder_of_a_file_is_refused);
  tcase_add_test (tc, test_tampering_is_told_apart);
  return s;
}

GST_CHECK_MAIN (recfile);
