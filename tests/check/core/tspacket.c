/* gst-tsrec: transport packets and sections are read as they are written
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tspacket.h"
#include "tspsi.h"

#include <gst/check/gstcheck.h>
#include <string.h>

GST_START_TEST (test_getters_return_what_setters_wrote)
{
  const guint64 pcr = G_GUINT64_CONSTANT (0x1fedcba98) * 300 + 299;
  guint8 ts[TS_PACKET_SIZE];
  const guint8 *payload;
  guint64 value = 1;
  gsize size;

  memset (ts, 0, sizeof (ts));
  ts_set_header (ts, 0x1abc, 13);
  fail_unless (ts_has_sync_byte (ts));
  fail_unless_equals_int (ts_get_pid (ts), 0x1abc);
  fail_unless_equals_int (ts_get_cc (ts), 13);
  fail_unless (ts_has_payload (ts));
  fail_if (ts_has_adaptation_field (ts));
  fail_if (ts_get_payload_unit_start_indicator (ts));
  fail_unless (ts_get_payload (ts, &size) == ts + TS_HEADER_SIZE);
  fail_unless_equals_uint64 (size, TS_PAYLOAD_SIZE);
  fail_if (ts_get_pcr (ts, &value));
  fail_unless_equals_uint64 (value, 1);

  ts_set_payload_unit_start_indicator (ts);
  ts_set_adaptation_field (ts, true);
  ts_set_adaptation_field_length (ts, 1 + TS_PCR_SIZE);
  fail_if (ts_get_pcr (ts, &value));
  fail_if (ts_get_random_access_indicator (ts));
  fail_if (ts_get_discontinuity_indicator (ts));
  ts_set_pcr (ts, pcr);
  ts_set_random_access_indicator (ts);
  ts_set_discontinuity_indicator (ts);
  fail_unless (ts_get_payload_unit_start_indicator (ts));
  fail_unless (ts_get_random_access_indicator (ts));
  fail_unless (ts_get_discontinuity_indicator (ts));
  fail_unless (ts_get_pcr (ts, &value));
  fail_unless_equals_uint64 (value, pcr);
  payload = ts_get_payload (ts, &size);
  fail_unless (payload == ts + 12);
  fail_unless_equals_uint64 (size, TS_PACKET_SIZE - 12);

  ts_set_adaptation_field_length (ts, TS_PAYLOAD_SIZE - 1);
  fail_unless (ts_get_payload (ts, &size) == NULL);
  fail_unless_equals_uint64 (size, 0);
  ts_set_adaptation_field (ts, false);
  ts_set_adaptation_field_length (ts, 0);
  fail_if (ts_get_discontinuity_indicator (ts));
  fail_unless (ts_get_payload (ts, &size) == NULL);
}

GST_END_TEST;

GST_START_TEST (test_timestamps_of_a_pes_packet_need_all_of_their_bytes)
{
  const guint64 pts = G_GUINT64_CONSTANT (0x155555555);
  const guint64 dts = G_GUINT64_CONSTANT (0x0aaaaaaaa);
  guint8 pes[TS_PES_HEADER_SIZE + 2 * TS_PES_TIMESTAMP_SIZE];
  guint64 value;

  ts_pes_set_start (pes, TS_STREAM_ID_VIDEO);
  ts_pes_set_length (pes, 0);
  ts_pes_set_header (pes, true, 2 * TS_PES_TIMESTAMP_SIZE);
  fail_if (ts_pes_get_pts (pes, sizeof (pes), &value));
  ts_pes_set_pts (pes, pts);
  fail_unless (ts_pes_get_pts (pes, 14, &value));
  fail_unless_equals_uint64 (value, pts);
  fail_if (ts_pes_get_pts (pes, 13, &value));
  fail_if (ts_pes_get_dts (pes, sizeof (pes), &value));
  ts_pes_set_pts_dts (pes, pts, dts);
  fail_unless (ts_pes_get_dts (pes, 19, &value));
  fail_unless_equals_uint64 (value, dts);
  fail_if (ts_pes_get_dts (pes, 18, &value));
  fail_unless (ts_pes_has_start (pes, 3));
  fail_if (ts_pes_has_start (pes, 2));
  fail_if (ts_pes_has_start (NULL, 0));
}

GST_END_TEST;

/* A packet whose payload starts with @pointer_field bytes before a section. */
static guint8 *
begin_section_packet (guint8 *ts, guint16 pid, guint8 pointer_field)
{
  memset (ts, TS_STUFFING_BYTE, TS_PACKET_SIZE);
  ts_set_header (ts, pid, 0);
  ts_set_payload_unit_start_indicator (ts);
  ts[TS_HEADER_SIZE] = pointer_field;
  return ts + TS_HEADER_SIZE + 1 + pointer_field;
}

GST_START_TEST (test_tables_are_read_as_they_were_built)
{
  TsPsiStream streams[2] = { { TS_STREAM_TYPE_H264, 0x100, 0, { 0 } },
    { TS_STREAM_TYPE_PRIVATE_PES, 0x1fed, 0, { 0 } } };
  guint8 ts[TS_PACKET_SIZE], *built;
  const guint8 *section, *info;
  TsPatProgram program;
  TsPmtStream stream;
  TsDescriptor descriptor;
  gsize size, length, pos = 0, n;

  built = begin_section_packet (ts, TS_PID_PAT, 7);
  n = ts_psi_build_pat (built, 100, 0x1234, 21, 9, 0x1abc);
  section = ts_psi_find_section (ts, &size);
  fail_unless (section == built);
  fail_unless_equals_uint64 (size, n);
  fail_unless_equals_int (ts_psi_get_table_id (section), TS_TABLE_ID_PAT);
  fail_unless_equals_int (ts_psi_get_table_id_extension (section), 0x1234);
  fail_unless_equals_int (ts_psi_get_version_number (section), 21);
  fail_unless (ts_psi_get_current_next_indicator (section));
  fail_unless (ts_psi_next_program (section, size, &pos, &program));
  fail_unless_equals_int (program.program_number, 9);
  fail_unless_equals_int (program.pid, 0x1abc);
  fail_if (ts_psi_next_program (section, size, &pos, &program));
  fail_if (ts_psi_is_pmt (section, size));

  ts_psi_add_descriptor (&streams[1], 0x05, (const guint8 *)"Opus", 4);
  ts_psi_add_descriptor (&streams[1], 0x7f, (const guint8 *)"\x80\x02", 2);
  built = begin_section_packet (ts, 0x1abc, 0);
  n = ts_psi_build_pmt (
      built, 100, 9, 3, 0x1fed, (const guint8 *)"\x05\x04HDMV", 6, streams, 2);
  section = ts_psi_find_section (ts, &size);
  fail_unless_equals_uint64 (size, n);
  fail_unless (ts_psi_is_pmt (section, size));
  fail_unless_equals_int (ts_psi_get_pcr_pid (section), 0x1fed);
  info = ts_psi_get_program_info (section, &length);
  fail_unless_equals_uint64 (length, 6);
  fail_unless (memcmp (info + 2, "HDMV", 4) == 0);
  pos = 0;
  for (guint i = 0; i < 2; i++) {
    fail_unless (ts_psi_next_stream (section, size, &pos, &stream));
    fail_unless_equals_int (stream.stream_type, streams[i].stream_type);
    fail_unless_equals_int (stream.elementary_pid, streams[i].elementary_pid);
    fail_unless_equals_uint64 (
        stream.es_info_length, streams[i].es_info_length);
  }
  fail_if (ts_psi_next_stream (section, size, &pos, &stream));
  pos = 0;
  fail_unless (ts_psi_next_descriptor (
      stream.es_info, stream.es_info_length, &pos, &descriptor));
  fail_unless_equals_int (descriptor.tag, 0x05);
  fail_unless_equals_uint64 (descriptor.size, 4);
  fail_unless (memcmp (descriptor.data, "Opus", 4) == 0);
  fail_unless (ts_psi_next_descriptor (
      stream.es_info, stream.es_info_length, &pos, &descriptor));
  fail_unless_equals_int (descriptor.tag, 0x7f);
  fail_if (ts_psi_next_descriptor (
      stream.es_info, stream.es_info_length, &pos, &descriptor));
}

GST_END_TEST;

/* The copy is as large as the packet, so that valgrind sees each byte that is
 * read beyond it. */
static void
read_all (const guint8 *packet)
{
  guint8 *ts = g_memdup2 (packet, TS_PACKET_SIZE);
  const guint8 *section, *info;
  gsize size, length, pos = 0;
  TsPatProgram program;
  TsPmtStream stream;
  TsDescriptor descriptor;
  guint64 value;

  ts_get_pcr (ts, &value);
  ts_packets_have_pes_start (ts, TS_PACKET_SIZE);
  section = ts_get_payload (ts, &size);
  ts_pes_get_pts (section, size, &value);
  ts_pes_get_dts (section, size, &value);
  if ((section = ts_psi_find_section (ts, &size)) != NULL) {
    while (ts_psi_next_program (section, size, &pos, &program))
      ;
    if (ts_psi_is_pmt (section, size)) {
      info = ts_psi_get_program_info (section, &length);
      for (pos = 0; ts_psi_next_descriptor (info, length, &pos, &descriptor);)
        ts_psi_get_identity (descriptor.tag, descriptor.data, descriptor.size);
    }
    for (pos = 0; ts_psi_next_stream (section, size, &pos, &stream);)
      ts_psi_get_identity (
          stream.stream_type, stream.es_info, stream.es_info_length);
  }
  g_free (ts);
}

GST_START_TEST (test_random_packets_are_read_within_their_bounds)
{
  guint8 packet[TS_PACKET_SIZE];

  for (guint n = 0; n < 20000; n++) {
    for (guint i = 0; i < TS_PACKET_SIZE; i++)
      packet[i] = (guint8)g_random_int_range (0, n % 2 ? 256 : 8);
    packet[0] = TS_SYNC_BYTE;
    packet[1] |= 0x40;
    packet[3] |= 0x10;
    if (n % 4 == 0)
      packet[5] = TS_TABLE_ID_PMT;
    read_all (packet);
  }
}

GST_END_TEST;

GST_START_TEST (test_only_the_start_of_a_pes_packet_is_found)
{
  guint8 packets[2 * TS_PACKET_SIZE], *second = packets + TS_PACKET_SIZE;

  memset (packets, TS_STUFFING_BYTE, sizeof (packets));
  ts_set_header (packets, TS_PID_PAT, 0);
  ts_set_payload_unit_start_indicator (packets);
  memcpy (packets + TS_HEADER_SIZE, "\0\0\xb0\x0d", 4);
  ts_set_header (second, 0x100, 0);
  ts_pes_set_start (second + TS_HEADER_SIZE, TS_STREAM_ID_VIDEO);
  fail_if (ts_packets_have_pes_start (packets, sizeof (packets)));
  ts_set_payload_unit_start_indicator (second);
  fail_unless (ts_packets_have_pes_start (packets, sizeof (packets)));
  fail_if (ts_packets_have_pes_start (packets, sizeof (packets) - 1));
  second[0] = 0;
  ts_pes_set_start (second + TS_HEADER_SIZE + 1, TS_STREAM_ID_VIDEO);
  fail_unless (ts_packets_have_pes_start (packets, sizeof (packets)));
}

GST_END_TEST;

static Suite *
tspacket_suite (void)
{
  Suite *s = suite_create ("tspacket");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_getters_return_what_setters_wrote);
  tcase_add_test (tc, test_timestamps_of_a_pes_packet_need_all_of_their_bytes);
  tcase_add_test (tc, test_tables_are_read_as_they_were_built);
  tcase_add_test (tc, test_random_packets_are_read_within_their_bounds);
  tcase_add_test (tc, test_only_the_start_of_a_pes_packet_is_found);
  return s;
}

GST_CHECK_MAIN (tspacket);
