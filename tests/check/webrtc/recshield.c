/* gst-tsrec: packets that must not reach a depayloader
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtcpacketfilter.h"

#include <gst/check/gstcheck.h>

#define CHECK(codec, marker, verdict, ...)                                     \
  G_STMT_START                                                                 \
  {                                                                            \
    const guint8 packet[] = { __VA_ARGS__ };                                   \
    fail_unless_equals_int (                                                   \
        rtc_packet_filter_check (codec, packet, sizeof (packet), marker),      \
        verdict);                                                              \
  }                                                                            \
  G_STMT_END
#define PASSES(codec, ...)                                                     \
  CHECK (codec, FALSE, RTC_PACKET_FILTER_PASS, __VA_ARGS__)
#define EMPTY(codec, ...)                                                      \
  CHECK (codec, FALSE, RTC_PACKET_FILTER_EMPTY, __VA_ARGS__)
#define MALFORMED(codec, ...)                                                  \
  CHECK (codec, FALSE, RTC_PACKET_FILTER_MALFORMED, __VA_ARGS__)

GST_START_TEST (test_removed_packets_leave_no_gap)
{
  RtcPacketFilter shield;

  rtc_packet_filter_init (&shield);
  fail_unless (rtc_packet_filter_begin (&shield, 1));
  fail_if (rtc_packet_filter_begin (&shield, 1));
  fail_unless_equals_int (rtc_packet_filter_map (&shield, 65535), 65535);
  rtc_packet_filter_remove (&shield); /* 0 */
  rtc_packet_filter_remove (&shield); /* 1 */
  fail_unless_equals_int (rtc_packet_filter_map (&shield, 2), 0);
  /* A packet that was lost is still missing. */
  fail_unless_equals_int (rtc_packet_filter_map (&shield, 4), 2);
  fail_unless (rtc_packet_filter_begin (&shield, 2));
  fail_unless_equals_int (rtc_packet_filter_map (&shield, 7), 7);
}
GST_END_TEST;

GST_START_TEST (test_missing_packets_are_seen_once)
{
  RtcPacketFilter shield;

  rtc_packet_filter_init (&shield);
  rtc_packet_filter_begin (&shield, 1);
  fail_if (rtc_packet_filter_note (&shield, 65535));
  fail_if (rtc_packet_filter_note (&shield, 0));
  fail_unless (rtc_packet_filter_note (&shield, 3));
  fail_if (rtc_packet_filter_note (&shield, 4));
  /* Late and repeated ones. */
  fail_if (rtc_packet_filter_note (&shield, 2));
  fail_if (rtc_packet_filter_note (&shield, 4));
  fail_if (rtc_packet_filter_note (&shield, 5));
  rtc_packet_filter_begin (&shield, 2);
  fail_if (rtc_packet_filter_note (&shield, 1000));
}
GST_END_TEST;

/* Notes a packet; the two bytes of it tell where it is in its picture. */
static gboolean
note_end (RtcPacketFilter *shield, const gchar *codec, guint8 first,
    guint8 second, gboolean marker, guint32 rtp_time, guint16 seq)
{
  const guint8 packet[] = { first, second, second, 1 };
  gboolean cut = rtc_packet_filter_note_end (
      shield, codec, packet, sizeof (packet), marker, rtp_time, seq);

  rtc_packet_filter_note (shield, seq);
  return cut;
}

GST_START_TEST (test_a_picture_without_its_end_is_seen)
{
  /* bytes of a packet in the middle of a picture and at its end */
  static const struct
  {
    const gchar *codec;
    guint8 middle[2];
    guint8 end[2];
    gboolean marker;
  } codecs[] = {
    { "H264", { 0x7c, 0x05 }, { 0x7c, 0x45 }, FALSE },
    { "H265", { 0x62, 0x01 }, { 0x62, 0x41 }, FALSE },
    { "VP8", { 0x00, 0x00 }, { 0x00, 0x00 }, TRUE },
    { "VP9", { 0x00, 0x00 }, { 0x04, 0x00 }, FALSE },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (codecs); i++) {
    const gchar *codec = codecs[i].codec;
    const guint8 *middle = codecs[i].middle, *end = codecs[i].end;
    gboolean marker = codecs[i].marker;
    RtcPacketFilter shield;

    rtc_packet_filter_init (&shield);
    rtc_packet_filter_begin (&shield, 1);
    /* A stream that never marks ends is not judged by them. */
    fail_if (note_end (&shield, codec, middle[0], middle[1], FALSE, 10, 1));
    fail_if (note_end (&shield, codec, middle[0], middle[1], FALSE, 20, 2));
    fail_if (note_end (&shield, codec, end[0], end[1], marker, 20, 3));
    fail_if (note_end (&shield, codec, middle[0], middle[1], FALSE, 30, 4));
    fail_unless (note_end (&shield, codec, middle[0], middle[1], FALSE, 40, 5),
        "%s", codec);
    /* The depayloader sees a gap. */
    fail_unless_equals_int (rtc_packet_filter_map (&shield, 5), 6);
    /* A lost packet is the better reason, and a late one none. */
    fail_if (note_end (&shield, codec, middle[0], middle[1], FALSE, 50, 7));
    fail_if (note_end (&shield, codec, end[0], end[1], marker, 40, 6));
    fail_if (note_end (&shield, codec, end[0], end[1], TRUE, 50, 8));
    fail_if (note_end (&shield, codec, middle[0], middle[1], FALSE, 60, 9));
    fail_unless (rtc_packet_filter_begin (&shield, 2));
    fail_if (note_end (&shield, codec, middle[0], middle[1], FALSE, 70, 10));
    fail_if (note_end (&shield, codec, middle[0], middle[1], FALSE, 80, 11));
  }
}

GST_END_TEST;

GST_START_TEST (test_nothing_empty_passes)
{
  static const gchar *const codecs[] = { "H264", "H265", "VP8", "VP9", "AV1",
    "OPUS" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (codecs); i++)
    fail_unless_equals_int (
        rtc_packet_filter_check (codecs[i], (const guint8 *)"", 0, FALSE),
        RTC_PACKET_FILTER_EMPTY);
}
GST_END_TEST;

GST_START_TEST (test_h264)
{
  PASSES ("H264", 0x65, 0x88);
  PASSES ("H264", 0x0a); /* end of sequence: the header is all of it */
  PASSES ("H264", 0x78, 0, 2, 0x67, 0x42);
  PASSES ("H264", 0x7c, 0x85, 0x88);
  PASSES ("H264", 0x7c, 0xc5, 0x88);
  /* The last fragment may hold nothing; it ends the NAL unit. */
  PASSES ("H264", 0x7c, 0x45);
  MALFORMED ("H264", 0x65);
  MALFORMED ("H264", 0x7c);
  MALFORMED ("H264", 0x7c, 0x85);
  MALFORMED ("H264", 0x78);
  MALFORMED ("H264", 0x78, 0, 0);
  /* STAP-B, MTAP16, MTAP24, FU-B, undefined */
  MALFORMED ("H264", 0x79, 0, 0, 0, 2, 0x67, 0x42);
  MALFORMED ("H264", 0x7a, 0, 0, 0, 2, 0x67, 0x42);
  MALFORMED ("H264", 0x7b, 0, 0, 0, 2, 0x67, 0x42);
  MALFORMED ("H264", 0x7d, 0x85, 0, 0, 0x88);
  MALFORMED ("H264", 0x60, 1, 2);
  MALFORMED ("H264", 0x7e, 1, 2);
  MALFORMED ("H264", 0x7f, 1, 2);
}
GST_END_TEST;

GST_START_TEST (test_h265)
{
  PASSES ("H265", 0x26, 0x01, 0xaf);
  PASSES ("H265", 0x4a, 0x01); /* end of bitstream */
  PASSES ("H265", 0x60, 0x01, 0, 3, 0x40, 0x01, 0x0c);
  PASSES ("H265", 0x62, 0x01, 0x93, 0xaf);
  PASSES ("H265", 0x62, 0x01, 0x53);
  MALFORMED ("H265", 0x26);
  MALFORMED ("H265", 0x26, 0x01);
  MALFORMED ("H265", 0x62);
  MALFORMED ("H265", 0x62, 0x01);
  MALFORMED ("H265", 0x62, 0x01, 0x93);
  MALFORMED ("H265", 0x60, 0x01);
  MALFORMED ("H265", 0x60, 0x01, 0, 0);
  MALFORMED ("H265", 0x64, 0x01, 0, 0, 0, 0, 0); /* PACI */
  MALFORMED ("H265", 0x7e, 0x01, 0, 0, 0, 0, 0);
}
GST_END_TEST;

GST_START_TEST (test_vp8)
{
  PASSES ("VP8", 0x10, 0x9d);
  PASSES ("VP8", 0x90, 0x80, 0x05, 0x9d);
  PASSES ("VP8", 0x90, 0xf0, 0x85, 0x01, 0x02, 0x03, 0x9d);
  EMPTY ("VP8", 0x10);
  EMPTY ("VP8", 0x90, 0x80, 0x05);
  CHECK ("VP8", TRUE, RTC_PACKET_FILTER_MALFORMED, 0x10);
  MALFORMED ("VP8", 0x90);
  MALFORMED ("VP8", 0x90, 0x80);
  MALFORMED ("VP8", 0x90, 0x80, 0x85);
  MALFORMED ("VP8", 0x90, 0xe0, 0x05);
}
GST_END_TEST;

GST_START_TEST (test_vp9)
{
  PASSES ("VP9", 0x0c, 0x82);
  PASSES ("VP9", 0x8c, 0x85, 0x01, 0x82);
  PASSES ("VP9", 0xac, 0x05, 0x00, 0x01, 0x82);
  PASSES ("VP9", 0xdc, 0x05, 0x03, 0x03, 0x02, 0x82);
  /* Scalability structure: one layer, its size, a group of one picture. */
  PASSES ("VP9", 0x0e, 0x18, 1, 0x40, 0, 0xf0, 1, 0x04, 1, 0x82);
  EMPTY ("VP9", 0x0c);
  EMPTY ("VP9", 0x8c, 0x85, 0x01);
  CHECK ("VP9", TRUE, RTC_PACKET_FILTER_MALFORMED, 0x0c);
  MALFORMED ("VP9", 0x8c);
  MALFORMED ("VP9", 0x8c, 0x85);
  MALFORMED ("VP9", 0xac, 0x05, 0x00);
  MALFORMED ("VP9", 0xdc, 0x05, 0x03);
  MALFORMED ("VP9", 0x0e);
  MALFORMED ("VP9", 0x0e, 0x18, 1, 0x40, 0);
  MALFORMED ("VP9", 0x0e, 0x18, 1, 0x40, 0, 0xf0);
  MALFORMED ("VP9", 0x0e, 0x18, 1, 0x40, 0, 0xf0, 255, 0x04, 1, 0x82);
}
GST_END_TEST;

GST_START_TEST (test_opus)
{
  PASSES ("OPUS", 0x78); /* DTX */
  PASSES ("OPUS", 0x78, 1, 2, 3);
  PASSES ("OPUS", 0x79, 1, 2);
  PASSES ("OPUS", 0x7a, 1, 2, 3);
  PASSES ("OPUS", 0x7b, 0x02, 1, 2);
  PASSES ("OPUS", 0x7b, 0x82, 1, 2, 3);
  PASSES ("OPUS", 0x7b, 0x41, 2, 1, 0, 0);
  MALFORMED ("OPUS", 0x79, 1);
  MALFORMED ("OPUS", 0x7a);
  MALFORMED ("OPUS", 0x7a, 2, 1);
  MALFORMED ("OPUS", 0x7b);
  MALFORMED ("OPUS", 0x7b, 0x00);
  MALFORMED ("OPUS", 0x7b, 0x07); /* 140 ms */
  MALFORMED ("OPUS", 0x7b, 0x02, 1);
  MALFORMED ("OPUS", 0x7b, 0x82);
  MALFORMED ("OPUS", 0x7b, 0x82, 2, 1);
  MALFORMED ("OPUS", 0x7b, 0x41);
  MALFORMED ("OPUS", 0x7b, 0x41, 2, 1);
  MALFORMED ("OPUS", 'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1, 2);
}
GST_END_TEST;

#define UNIT(codec, ...)                                                       \
  rtc_packet_filter_check_unit (codec, (const guint8[]){ __VA_ARGS__ },        \
      sizeof ((const guint8[]){ __VA_ARGS__ }))
#define START 0, 0, 0, 1

GST_START_TEST (test_nothing_follows_an_end_of_sequence_but_a_unit)
{
  fail_unless (UNIT ("H264", START, 0x65, 0x88, START, 0x0a));
  fail_unless (UNIT ("H264", START, 0x0a, START, 0x65, 0x88));
  fail_unless (UNIT ("H264", START, 0x0a, 0, 0, 1, 0x0b));
  fail_if (UNIT ("H264", START, 0x0a, 1, 2, 3, 4));
  fail_if (UNIT ("H264", START, 0x0b, 0));
  fail_if (UNIT ("H264", START, 0x65, 0x88, 0, 0, 1, 0x0a, 0, 0, 0, 0, 0));
  fail_if (UNIT ("H264", START, 0x0a, 0, 0, 1));
  fail_unless (UNIT ("H265", START, 0x26, 1, 0xaf, START, 0x48, 1));
  fail_unless (UNIT ("H265", START, 0x4a, 1, START, 0x26, 1, 0xaf));
  fail_if (UNIT ("H265", START, 0x48, 1, 0));
  fail_if (UNIT ("H265", START, 0x48, 1, 0, 0, 1, 0x26));
  fail_unless (UNIT ("VP8", START, 0x0a, 1, 2, 3, 4));
}
GST_END_TEST;

static gsize
strip (const guint8 *data, gsize size, guint8 *out)
{
  return rtc_packet_filter_has_subset_sps (data, size)
      ? rtc_packet_filter_strip_subset_sps (data, size, out)
      : size;
}

/* h264parse 1.22 dereferences NULL when it rejects one. */
GST_START_TEST (test_subset_parameter_sets_are_removed)
{
  const guint8 plain[] = { START, 0x67, 0x42, START, 0x65, 0x88 };
  const guint8 leading[] = { START, 0x6f, 0x76, 0, 0, 1, 0x65, 0x88 };
  const guint8 middle[] = { START, 0x67, 0x42, 0, 0, 1, 0x0f, 0, 0, 1, 0x65 };
  const guint8 trailing[] = { START, 0x65, 0x88, 0, 0, 1, 0x6f };
  const guint8 cut_off[] = { START, 0x6f, 0, 0, 1 };
  guint8 out[sizeof (middle)];

  fail_unless_equals_int (strip (plain, sizeof (plain), out), sizeof (plain));
  fail_unless_equals_int (strip (leading, sizeof (leading), out), 6);
  fail_unless (memcmp (out + 1, leading + 6, 5) == 0);
  fail_unless_equals_int (strip (middle, sizeof (middle), out), 10);
  fail_unless (memcmp (out, middle, 6) == 0 && out[9] == 0x65);
  fail_unless_equals_int (strip (trailing, sizeof (trailing), out), 6);
  fail_unless (memcmp (out, trailing, 6) == 0);
  fail_unless_equals_int (strip (cut_off, sizeof (cut_off), out), 4);
}
GST_END_TEST;

static Suite *
recshield_suite (void)
{
  Suite *s = suite_create ("recshield");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_removed_packets_leave_no_gap);
  tcase_add_test (tc, test_missing_packets_are_seen_once);
  tcase_add_test (tc, test_a_picture_without_its_end_is_seen);
  tcase_add_test (tc, test_nothing_empty_passes);
  tcase_add_test (tc, test_h264);
  tcase_add_test (tc, test_h265);
  tcase_add_test (tc, test_vp8);
  tcase_add_test (tc, test_vp9);
  tcase_add_test (tc, test_opus);
  tcase_add_test (tc, test_nothing_follows_an_end_of_sequence_but_a_unit);
  tcase_add_test (tc, test_subset_parameter_sets_are_removed);
  return s;
}

GST_CHECK_MAIN (recshield);
