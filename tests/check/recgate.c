/* gst-tsrec: what is recorded around lost packets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtclossgate.h"

#include <gst/check/gstcheck.h>

#define FRAME (40 * GST_MSECOND)

/* A sender of pictures of three packets, the depayloader behind it, and the
 * gate. `lost` is a mask of the packets that do not arrive. */
typedef struct
{
  RtcLossGate gate;
  guint16 seq;
  guint picture;
  guint64 held_back;
  GstClockTime closed_at;
} Track;

static void
track_init (Track *track, guint16 seq)
{
  memset (track, 0, sizeof (*track));
  rtc_loss_gate_init (&track->gate);
  track->seq = seq;
}

static RtcLossGateVerdict
send_picture (Track *track, gboolean key, guint lost)
{
  GstClockTime pts = track->picture * FRAME;
  guint i;

  for (i = 0; i < 3; i++, track->seq++) {
    if (lost & (1 << i))
      continue;
    rtc_loss_gate_packet (
        &track->gate, track->seq, track->picture * 3600, i == 2, FALSE, pts);
  }
  track->picture++;
  return rtc_loss_gate_unit (
      &track->gate, pts, key, &track->held_back, &track->closed_at);
}

#define KEY(track, lost) send_picture (track, TRUE, lost)
#define DELTA(track, lost) send_picture (track, FALSE, lost)

static void
open_gate (Track *track)
{
  track_init (track, 65500);
  fail_unless_equals_int (KEY (track, 0), RTC_LOSS_GATE_OPEN);
}

GST_START_TEST (test_nothing_passes_before_the_first_key_frame)
{
  Track track;

  track_init (&track, 1);
  fail_unless_equals_int (DELTA (&track, 0), RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (DELTA (&track, 0), RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (KEY (&track, 0), RTC_LOSS_GATE_OPEN);
  fail_unless_equals_uint64 (track.held_back, 2);
  fail_unless_equals_uint64 (track.closed_at, 0);
  fail_unless_equals_int (DELTA (&track, 0), RTC_LOSS_GATE_PASS);
}
GST_END_TEST;

GST_START_TEST (test_everything_passes_when_nothing_is_lost)
{
  Track track;
  guint i;

  open_gate (&track);
  /* The sequence number wraps on the way. */
  for (i = 0; i < 100; i++)
    fail_unless_equals_int (
        send_picture (&track, i % 10 == 0, 0), RTC_LOSS_GATE_PASS);
}
GST_END_TEST;

GST_START_TEST (test_a_broken_picture_and_those_behind_it_are_held_back)
{
  Track track;
  guint lost;

  /* The first packet, the second, both. */
  for (lost = 1; lost < 4; lost++) {
    open_gate (&track);
    fail_unless_equals_int (DELTA (&track, 0), RTC_LOSS_GATE_PASS);
    fail_unless_equals_int (DELTA (&track, lost), RTC_LOSS_GATE_DROP);
    fail_unless_equals_int (DELTA (&track, 0), RTC_LOSS_GATE_DROP);
    fail_unless_equals_int (KEY (&track, 0), RTC_LOSS_GATE_OPEN);
    fail_unless_equals_uint64 (track.held_back, 2);
    fail_unless_equals_uint64 (track.closed_at, 2 * FRAME);
    fail_unless_equals_int (DELTA (&track, 0), RTC_LOSS_GATE_PASS);
  }
}
GST_END_TEST;

/* Only what comes next tells: the depayloader keeps the picture until then. */
GST_START_TEST (test_a_picture_without_its_end_is_held_back)
{
  Track track;
  guint16 seq;

  open_gate (&track);
  fail_unless_equals_int (DELTA (&track, 0), RTC_LOSS_GATE_PASS);
  seq = track.seq;
  rtc_loss_gate_packet (&track.gate, seq, 2 * 3600, FALSE, FALSE, 2 * FRAME);
  rtc_loss_gate_packet (
      &track.gate, seq + 1, 2 * 3600, FALSE, FALSE, 2 * FRAME);
  rtc_loss_gate_packet (&track.gate, seq + 3, 3 * 3600, TRUE, FALSE, 3 * FRAME);
  fail_unless_equals_int (rtc_loss_gate_unit (&track.gate, 2 * FRAME, TRUE,
                              &track.held_back, &track.closed_at),
      RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (rtc_loss_gate_unit (&track.gate, 3 * FRAME, FALSE,
                              &track.held_back, &track.closed_at),
      RTC_LOSS_GATE_DROP);
}
GST_END_TEST;

GST_START_TEST (test_a_picture_lost_as_a_whole_closes_the_gate)
{
  Track track;

  open_gate (&track);
  track.seq += 3;
  track.picture++;
  fail_unless_equals_int (DELTA (&track, 0), RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (KEY (&track, 0), RTC_LOSS_GATE_OPEN);
}
GST_END_TEST;

GST_START_TEST (test_a_key_frame_with_a_hole_does_not_open_the_gate)
{
  Track track;

  open_gate (&track);
  fail_unless_equals_int (DELTA (&track, 2), RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (KEY (&track, 2), RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (DELTA (&track, 0), RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (KEY (&track, 0), RTC_LOSS_GATE_OPEN);
}
GST_END_TEST;

GST_START_TEST (test_padding_and_pauses_are_no_loss)
{
  Track track;

  open_gate (&track);
  rtc_loss_gate_packet (
      &track.gate, track.seq++, track.picture * 3600, FALSE, TRUE, 0);
  fail_unless_equals_int (DELTA (&track, 0), RTC_LOSS_GATE_PASS);
  track.picture += 1000;
  fail_unless_equals_int (DELTA (&track, 0), RTC_LOSS_GATE_PASS);
}
GST_END_TEST;

/* Its sequence number happens to be the next. */
GST_START_TEST (test_another_stream_begins_with_a_key_frame)
{
  Track track;

  open_gate (&track);
  fail_unless_equals_int (DELTA (&track, 0), RTC_LOSS_GATE_PASS);
  rtc_loss_gate_restart (&track.gate);
  fail_unless_equals_int (DELTA (&track, 0), RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (KEY (&track, 0), RTC_LOSS_GATE_OPEN);
  fail_unless_equals_uint64 (track.held_back, 1);
}
GST_END_TEST;

#define PARAMETER_SETS                                                         \
  0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0, 0, 0, 1, 0x68, 0xce

GST_START_TEST (test_only_the_first_slice_of_a_key_frame_makes_one)
{
  static const guint8 idr[] = { PARAMETER_SETS, 0, 0, 1, 0x65, 0x88, 0x84, 0 };
  static const guint8 alone[] = { 0, 0, 1, 0x65, 0x88, 0x84, 0 };
  static const guint8 later[] = { PARAMETER_SETS, 0, 0, 1, 0x65, 0x11, 0x84 };
  /* What rtph264depay takes for a key frame. */
  static const guint8 delta[] = { PARAMETER_SETS, 0, 0, 1, 0x41, 0x9a, 0x12 };
  static const guint8 nothing[] = { PARAMETER_SETS };
  static const guint8 recovery[] = { PARAMETER_SETS, 0, 0, 1, 6, 6, 1, 0x80, 0,
    0, 1, 0x41, 0x9a, 0x12 };
  static const guint8 hevc[] = { 0, 0, 1, 0x40, 1, 0xc, 0, 0, 1, 0x26, 1,
    0xaf };
  static const guint8 hevc_later[] = { 0, 0, 1, 0x26, 0x01, 0x2f, 0 };
  static const guint8 hevc_delta[] = { 0, 0, 1, 0x02, 0x01, 0xd0, 0 };

  fail_unless (rtc_loss_gate_is_key ("H264", idr, sizeof (idr)));
  fail_unless (rtc_loss_gate_is_key ("H264", alone, sizeof (alone)));
  fail_if (rtc_loss_gate_is_key ("H264", later, sizeof (later)));
  fail_if (rtc_loss_gate_is_key ("H264", delta, sizeof (delta)));
  fail_if (rtc_loss_gate_is_key ("H264", nothing, sizeof (nothing)));
  fail_unless (rtc_loss_gate_is_key ("H264", recovery, sizeof (recovery)));
  fail_if (rtc_loss_gate_is_key ("H264", idr, 0));
  fail_unless (rtc_loss_gate_is_key ("H265", hevc, sizeof (hevc)));
  fail_if (rtc_loss_gate_is_key ("H265", hevc_later, sizeof (hevc_later)));
  fail_if (rtc_loss_gate_is_key ("H265", hevc_delta, sizeof (hevc_delta)));
  fail_unless (rtc_loss_gate_is_key ("VP8", delta, 1));
}
GST_END_TEST;

GST_START_TEST (test_parameter_sets_alone_are_no_picture)
{
  static const guint8 sets[] = { 0, 0, 0, 1, 9, 0x10, PARAMETER_SETS, 0, 0, 1,
    6, 5, 1, 0, 0x80 };
  static const guint8 idr[] = { PARAMETER_SETS, 0, 0, 1, 0x65, 0x88, 0x84, 0 };
  static const guint8 delta[] = { 0, 0, 1, 0x41, 0x9a, 0x12 };
  static const guint8 hevc_sets[] = { 0, 0, 1, 0x40, 1, 0xc, 0, 0, 1, 0x42, 1,
    0xaf, 0, 0, 1, 0x44, 1, 0xaf };
  static const guint8 hevc[] = { 0, 0, 1, 0x40, 1, 0xc, 0, 0, 1, 0x26, 1,
    0xaf };

  fail_if (rtc_loss_gate_has_picture ("H264", sets, sizeof (sets)));
  fail_unless (rtc_loss_gate_has_picture ("H264", idr, sizeof (idr)));
  fail_unless (rtc_loss_gate_has_picture ("H264", delta, sizeof (delta)));
  fail_if (rtc_loss_gate_has_picture ("H264", delta, 0));
  fail_if (rtc_loss_gate_has_picture ("H265", hevc_sets, sizeof (hevc_sets)));
  fail_unless (rtc_loss_gate_has_picture ("H265", hevc, sizeof (hevc)));
  fail_unless (rtc_loss_gate_has_picture ("VP8", sets, 1));
}
GST_END_TEST;

static Suite *
recgate_suite (void)
{
  Suite *suite = suite_create ("recgate");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, test_nothing_passes_before_the_first_key_frame);
  tcase_add_test (tc, test_everything_passes_when_nothing_is_lost);
  tcase_add_test (tc, test_a_broken_picture_and_those_behind_it_are_held_back);
  tcase_add_test (tc, test_a_picture_lost_as_a_whole_closes_the_gate);
  tcase_add_test (tc, test_a_key_frame_with_a_hole_does_not_open_the_gate);
  tcase_add_test (tc, test_a_picture_without_its_end_is_held_back);
  tcase_add_test (tc, test_padding_and_pauses_are_no_loss);
  tcase_add_test (tc, test_another_stream_begins_with_a_key_frame);
  tcase_add_test (tc, test_only_the_first_slice_of_a_key_frame_makes_one);
  tcase_add_test (tc, test_parameter_sets_alone_are_no_picture);
  return suite;
}

GST_CHECK_MAIN (recgate);
