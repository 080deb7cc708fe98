/* gst-tsrec: the state of a transport stream at the end of a file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tsresume.h"

#include <gst/check/gstcheck.h>
#include <glib/gstdio.h>
#include <string.h>

#define PACKET 188

static TsResumeScan tail;

static void
add_packet (guint pid, guint cc, gboolean start, const guint8 *payload, gsize n)
{
  guint8 packet[PACKET];

  memset (packet, 0xff, PACKET);
  packet[0] = 0x47;
  packet[1] = (start ? 0x40 : 0) | pid >> 8;
  packet[2] = pid & 0xff;
  packet[3] = 0x10 | cc;
  if (n > 0)
    memcpy (packet + 4, payload, n);
  ts_resume_scan_add_packet (&tail, packet);
}

static void
add_pat (guint pmt_pid, guint version)
{
  guint8 section[] = { 0, 0x00, 0xb0, 0x0d, 0, 1, 0xc1 | version << 1, 0, 0, 0,
    1, 0xe0 | pmt_pid >> 8, pmt_pid & 0xff, 0, 0, 0, 0 };

  add_packet (0, 0, TRUE, section, sizeof (section));
}

static void
add_pmt (guint pmt_pid, guint version)
{
  guint8 section[] = { 0, 0x02, 0xb0, 0x0d, 0, 1, 0xc1 | version << 1, 0, 0,
    0xe1, 0x00, 0xf0, 0, 0, 0, 0, 0 };

  add_packet (pmt_pid, 0, TRUE, section, sizeof (section));
}

static void
add_pes (guint pid, guint cc, guint64 pts)
{
  guint8 pes[] = { 0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21 | pts >> 30 << 1,
    (guint8)(pts >> 22), (guint8)(1 | pts >> 15 << 1), (guint8)(pts >> 7),
    (guint8)(1 | pts << 1), 0 };

  add_packet (pid, cc, TRUE, pes, sizeof (pes));
}

GST_START_TEST (test_state_of_the_stream_is_that_of_its_last_packets)
{
  ts_resume_scan_init (&tail);
  add_pat (0x1000, 3);
  add_pmt (0x1000, 30);
  add_pmt (0x1001, 7); /* not named by the PAT */
  add_pes (0x100, 4, 90000);
  add_pes (0x101, 15, 180000);
  add_pes (0x100, 5, 135000);
  add_packet (0x1fff, 9, FALSE, NULL, 0);
  fail_unless_equals_int (tail.pat_version, 3);
  fail_unless_equals_int (tail.pmt_version, 30);
  fail_unless_equals_int (tail.sdt_version, -1);
  fail_unless_equals_int (tail.continuity_counter[0x100], 5);
  fail_unless_equals_int (tail.continuity_counter[0x101], 15);
  fail_unless_equals_int (tail.continuity_counter[0x102], TS_CC_NONE);
  fail_unless_equals_int (tail.continuity_counter[0x1fff], TS_CC_NONE);
  fail_unless (tail.has_ts);
  fail_unless_equals_uint64 (tail.last_ts, 180000);
}

GST_END_TEST;

GST_START_TEST (test_highest_time_stamp_is_found_across_the_wrap)
{
  ts_resume_scan_init (&tail);
  add_pes (0x100, 0, G_GUINT64_CONSTANT (0x1fffffff0));
  add_pes (0x100, 1, 3600);
  add_pes (0x100, 2, G_GUINT64_CONSTANT (0x1fffffff8));
  fail_unless_equals_uint64 (tail.last_ts, 3600);
}

GST_END_TEST;

/* Every value of every byte, and every length: nothing is read beyond. */
GST_START_TEST (test_damaged_packets_are_harmless)
{
  guint8 packet[PACKET];
  guint i, n;

  ts_resume_scan_init (&tail);
  for (n = 0; n < 20000; n++) {
    for (i = 0; i < PACKET; i++)
      packet[i] = (guint8)g_random_int ();
    packet[0] = 0x47;
    packet[1] &= n % 3 ? 0x40 : 0xff;
    packet[2] &= n % 3 ? 0x10 : 0xff;
    ts_resume_scan_add_packet (&tail, packet);
    ts_packets_have_pes_start (packet, PACKET);
  }
}

GST_END_TEST;

static void
check_file (const guint8 *data, gsize size, gboolean is_ts, guint64 whole)
{
  gchar *dir = g_dir_make_tmp ("rectail-XXXXXX", NULL);
  gchar *path = g_build_filename (dir, "rec.ts", NULL);

  fail_unless (
      g_file_set_contents (path, (const gchar *)data, (gssize)size, NULL));
  fail_unless_equals_int (ts_resume_scan_file (&tail, path, 4 * PACKET), 0);
  fail_unless_equals_int (tail.is_ts, is_ts);
  fail_unless_equals_uint64 (tail.size, size);
  fail_unless_equals_uint64 (tail.whole, whole);
  g_unlink (path);
  g_rmdir (dir);
  g_free (path);
  g_free (dir);
}

GST_START_TEST (test_last_whole_packet_is_found)
{
  guint8 data[10 * PACKET] = { 0 };
  guint i;

  for (i = 0; i < 6; i++) {
    data[i * PACKET] = 0x47;
    data[i * PACKET + 2] = 0x20;
    data[i * PACKET + 3] = 0x10 | i;
  }
  check_file (data, 6 * PACKET, TRUE, 6 * PACKET);
  fail_unless_equals_int (tail.continuity_counter[0x20], 5);
  check_file (data, 5 * PACKET + 187, TRUE, 5 * PACKET);
  fail_unless_equals_int (tail.continuity_counter[0x20], 4);
  check_file (data, 5 * PACKET + 1, TRUE, 5 * PACKET);
  /* a power cut left a length without contents */
  check_file (data, 10 * PACKET, TRUE, 6 * PACKET);
  fail_unless_equals_int (tail.continuity_counter[0x20], 5);
  check_file (data, 100, FALSE, 0);
  check_file (data, 0, FALSE, 0);
  memset (data, 'x', sizeof (data));
  check_file (data, sizeof (data), FALSE, 0);
}

GST_END_TEST;

GST_START_TEST (test_tables_and_clocks_start_no_pes_packet)
{
  guint8 packets[2 * PACKET] = { 0 };

  packets[0] = packets[PACKET] = 0x47;
  packets[1] = 0x40;
  packets[3] = packets[PACKET + 3] = 0x10;
  memcpy (packets + 4, "\0\0\xb0\x0d", 4);
  fail_if (ts_packets_have_pes_start (packets, sizeof (packets)));
  packets[PACKET + 1] = 0x41;
  memcpy (packets + PACKET + 4, "\0\0\1\xe0", 4);
  fail_unless (ts_packets_have_pes_start (packets, sizeof (packets)));
}

GST_END_TEST;

static Suite *
rectail_suite (void)
{
  Suite *s = suite_create ("rectail");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_state_of_the_stream_is_that_of_its_last_packets);
  tcase_add_test (tc, test_highest_time_stamp_is_found_across_the_wrap);
  tcase_add_test (tc, test_damaged_packets_are_harmless);
  tcase_add_test (tc, test_last_whole_packet_is_found);
  tcase_add_test (tc, test_tables_and_clocks_start_no_pes_packet);
  return s;
}

GST_CHECK_MAIN (rectail);
