/* gst-tsrec: the sampler of resident memory
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recprocmem.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>

#define UNTOUCHED 0x5555u

/* Samples a file with this text. */
static int
sample (const gchar *text, gssize length, RecProcMem *mem)
{
  gchar *path = NULL;
  gint fd = g_file_open_tmp ("procmem-XXXXXX", &path, NULL);
  int ret;

  fail_unless (fd >= 0);
  g_close (fd, NULL);
  fail_unless (g_file_set_contents (path, text, length, NULL));
  mem->rss = mem->rss_peak = UNTOUCHED;
  ret = rec_proc_mem_sample (path, mem);
  g_unlink (path);
  g_free (path);
  return ret;
}

static void
assert_rejected (const gchar *text)
{
  RecProcMem mem;

  fail_unless_equals_int (sample (text, -1, &mem), EBADMSG);
  fail_unless_equals_uint64 (mem.rss, UNTOUCHED);
  fail_unless_equals_uint64 (mem.rss_peak, UNTOUCHED);
}

GST_START_TEST (test_own_memory_is_plausible)
{
  RecProcMem mem;

  fail_unless_equals_int (rec_proc_mem_sample (REC_PROC_MEM_SELF, &mem), 0);
  fail_unless (mem.rss > 1024 * 1024);
  fail_unless (mem.rss_peak > 1024 * 1024);
}

GST_END_TEST;

GST_START_TEST (test_fields_are_bytes)
{
  RecProcMem mem;

  fail_unless_equals_int (
      sample ("Name:\ta\nVmHWM:\t    3000 kB\nVmRSS:\t  2000 kB\nX:\t1\n", -1,
          &mem),
      0);
  fail_unless_equals_uint64 (mem.rss, 2000 * 1024);
  fail_unless_equals_uint64 (mem.rss_peak, 3000 * 1024);
  fail_unless_equals_int (sample ("VmHWM: 0 kB\nVmRSS: 1 kB", -1, &mem), 0);
  fail_unless_equals_uint64 (mem.rss, 1024);
}

GST_END_TEST;

GST_START_TEST (test_bad_fields_leave_the_output_alone)
{
  assert_rejected ("");
  assert_rejected ("VmRSS: 1 kB\n");
  assert_rejected ("VmHWM: 1 kB\n");
  assert_rejected ("VmHWM: 1 kB\nVmRSS: 1 kB\nVmRSS: 1 kB\n");
  assert_rejected ("VmHWM: 1 kB\nVmHWM: 1 kB\nVmRSS: 1 kB\n");
  assert_rejected ("VmHWM: 1 kB\nVmRSS: 1 MB\n");
  assert_rejected ("VmHWM: 1 kB\nVmRSS: 1\n");
  assert_rejected ("VmHWM: 1 kB\nVmRSS: kB\n");
  assert_rejected ("VmHWM: 1 kB\nVmRSS: -1 kB\n");
  assert_rejected ("VmHWM: 1 kB\nVmRSS: 1 kB x\n");
  assert_rejected ("VmHWM: 1 kB\nVmRSS: 18014398509481984 kB\n");
  assert_rejected ("VmHWM: 1 kB\nXVmRSS: 1 kB\n");
  assert_rejected ("VmHWM: 1 kB\nVmRSSX: 1 kB\n");
}

GST_END_TEST;

GST_START_TEST (test_errors_of_the_file_are_told)
{
  RecProcMem mem;
  gchar *big = g_malloc0 (1 << 16);

  fail_unless_equals_int (rec_proc_mem_sample ("/nonexistent/x", &mem), ENOENT);
  fail_unless_equals_int (rec_proc_mem_sample ("/", &mem), EISDIR);
  memset (big, 'x', 1 << 16);
  fail_unless_equals_int (sample (big, 1 << 16, &mem), EFBIG);
  g_free (big);
}

GST_END_TEST;

static Suite *
procmem_suite (void)
{
  Suite *s = suite_create ("procmem");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_own_memory_is_plausible);
  tcase_add_test (tc, test_fields_are_bytes);
  tcase_add_test (tc, test_bad_fields_leave_the_output_alone);
  tcase_add_test (tc, test_errors_of_the_file_are_told);
  return s;
}

GST_CHECK_MAIN (procmem);
