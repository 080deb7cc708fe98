/* gst-tsrec: access units recorded around lost packets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtclossgate.h"
#include "tscodec.h"

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
send_picture (Track *track, RtcPictureKind kind, guint lost)
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
      &track->gate, pts, kind, &track->held_back, &track->closed_at);
}

#define KEY(track, lost) send_picture (track, RTC_PICTURE_RANDOM_ACCESS, lost)
#define GRADUAL(track, lost)                                                   \
  send_picture (track, RTC_PICTURE_GRADUAL_RECOVERY, lost)
#define DELTA(track, lost) send_picture (track, RTC_PICTURE_DEPENDENT, lost)

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
        i % 10 == 0 ? KEY (&track, 0) : DELTA (&track, 0), RTC_LOSS_GATE_PASS);
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
  fail_unless_equals_int (
      rtc_loss_gate_unit (&track.gate, 2 * FRAME, RTC_PICTURE_RANDOM_ACCESS,
          &track.held_back, &track.closed_at),
      RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (
      rtc_loss_gate_unit (&track.gate, 3 * FRAME, RTC_PICTURE_DEPENDENT,
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
  /* Key frames by the rule of rtph264depay. */
  static const guint8 delta[] = { PARAMETER_SETS, 0, 0, 1, 0x41, 0x9a, 0x12 };
  static const guint8 nothing[] = { PARAMETER_SETS };
  static const guint8 recovery[] = { PARAMETER_SETS, 0, 0, 1, 6, 6, 1, 0x80, 0,
    0, 1, 0x41, 0x9a, 0x12 };
  static const guint8 hevc[] = { 0, 0, 1, 0x40, 1, 0xc, 0, 0, 1, 0x26, 1,
    0xaf };
  static const guint8 hevc_later[] = { 0, 0, 1, 0x26, 0x01, 0x2f, 0 };
  static const guint8 hevc_delta[] = { 0, 0, 1, 0x02, 0x01, 0xd0, 0 };

#define KIND(codec, unit) rtc_loss_gate_parse_unit (codec, unit, sizeof (unit))
  fail_unless_equals_int (KIND ("H264", idr), RTC_PICTURE_RANDOM_ACCESS);
  fail_unless_equals_int (KIND ("H264", alone), RTC_PICTURE_RANDOM_ACCESS);
  fail_unless_equals_int (KIND ("H264", later), RTC_PICTURE_DEPENDENT);
  fail_unless_equals_int (KIND ("H264", delta), RTC_PICTURE_DEPENDENT);
  fail_unless_equals_int (KIND ("H264", nothing), RTC_PICTURE_NONE);
  fail_unless_equals_int (KIND ("H264", recovery), RTC_PICTURE_RANDOM_ACCESS);
  fail_unless_equals_int (
      rtc_loss_gate_parse_unit ("H264", idr, 0), RTC_PICTURE_NONE);
  fail_unless_equals_int (KIND ("H265", hevc), RTC_PICTURE_RANDOM_ACCESS);
  fail_unless_equals_int (KIND ("H265", hevc_later), RTC_PICTURE_DEPENDENT);
  fail_unless_equals_int (KIND ("H265", hevc_delta), RTC_PICTURE_DEPENDENT);
  fail_unless_equals_int (KIND ("VP8", delta), RTC_PICTURE_RANDOM_ACCESS);
}
GST_END_TEST;

/* Returns TRUE if the mux sets random_access_indicator for the access unit. */
static gboolean
mux_says_random_access (TsCodec codec, const guint8 *data, gsize size)
{
  TsTrackConfig config = { .codec = codec };
  TsAccessUnit au = { .data = data, .size = size, .pts = 0, .dts = 0 };
  TsPsiStream psi = { 0 };
  TsPayload payload = { 0 };
  const char *reason = NULL;
  TsCodecState state;
  gboolean random_access;

  fail_unless (ts_codec_init (&state, &config, &psi, &reason), "%s", reason);
  fail_unless (ts_codec_prepare (&state, &au, &payload));
  random_access = payload.random_access;
  ts_codec_clear (&state);
  return random_access;
}

/* Access units that begin with the first slice of a picture. */
GST_START_TEST (test_gate_and_mux_agree_on_random_access_points)
{
#define UNIT(codec, ts_codec, kind, ...)                                       \
  {                                                                            \
    codec, ts_codec, RTC_PICTURE_##kind,                                       \
        sizeof ((const guint8[]){ __VA_ARGS__ }),                              \
    {                                                                          \
      __VA_ARGS__                                                              \
    }                                                                          \
  }
#define SLICE 0, 0, 1, 0x41, 0x9a, 0x12
#define HEVC_SLICE 0, 0, 1, 0x02, 0x01, 0xd0, 0
  static const struct
  {
    const gchar *codec;
    TsCodec ts_codec;
    RtcPictureKind kind;
    gsize size;
    guint8 data[64];
  } units[] = {
    UNIT ("H264", TS_CODEC_H264, RANDOM_ACCESS, PARAMETER_SETS, 0, 0, 1, 0x65,
        0x88, 0x84, 0),
    UNIT ("H264", TS_CODEC_H264, DEPENDENT, PARAMETER_SETS, SLICE),
    /* recovery_frame_cnt: 0, 1, 59 */
    UNIT ("H264", TS_CODEC_H264, RANDOM_ACCESS, 0, 0, 1, 6, 6, 1, 0xc4, 0x80,
        SLICE),
    UNIT ("H264", TS_CODEC_H264, GRADUAL_RECOVERY, PARAMETER_SETS, 0, 0, 1, 6,
        6, 1, 0x48, 0x80, SLICE),
    UNIT ("H264", TS_CODEC_H264, GRADUAL_RECOVERY, 0, 0, 1, 6, 6, 2, 0x07, 0x88,
        0x80, SLICE),
    /* Another message is in front of it: user data, and in a NAL unit. */
    UNIT ("H264", TS_CODEC_H264, RANDOM_ACCESS, 0, 0, 1, 6, 5, 2, 1, 1, 6, 1,
        0xc4, 0x80, SLICE),
    UNIT ("H264", TS_CODEC_H264, GRADUAL_RECOVERY, 0, 0, 1, 6, 1, 1, 8, 0x80, 0,
        0, 1, 6, 6, 1, 0x48, 0x80, SLICE),
    /* A key frame with a count is one. */
    UNIT ("H264", TS_CODEC_H264, RANDOM_ACCESS, 0, 0, 1, 6, 6, 1, 0x48, 0x80, 0,
        0, 1, 0x65, 0x88, 0x84, 0),
    UNIT ("H265", TS_CODEC_H265, RANDOM_ACCESS, 0, 0, 1, 0x26, 1, 0xaf, 1),
    UNIT ("H265", TS_CODEC_H265, RANDOM_ACCESS, 0, 0, 1, 0x2a, 1, 0xaf, 1),
    UNIT ("H265", TS_CODEC_H265, DEPENDENT, HEVC_SLICE),
    /* recovery_poc_cnt: 0, 1 */
    UNIT ("H265", TS_CODEC_H265, RANDOM_ACCESS, 0, 0, 1, 0x4e, 1, 6, 1, 0xd0,
        0x80, HEVC_SLICE),
    UNIT ("H265", TS_CODEC_H265, GRADUAL_RECOVERY, 0, 0, 1, 0x4e, 1, 6, 1, 0x50,
        0x80, HEVC_SLICE),
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (units); i++) {
    RtcPictureKind kind =
        rtc_loss_gate_parse_unit (units[i].codec, units[i].data, units[i].size);
    gboolean mux = mux_says_random_access (
        units[i].ts_codec, units[i].data, units[i].size);

    fail_unless (kind == units[i].kind, "unit %u: %d", (guint)i, kind);
    fail_unless (mux == (kind == RTC_PICTURE_RANDOM_ACCESS),
        "unit %u: gate %d, mux %d", (guint)i, kind, mux);
  }
}
GST_END_TEST;

/* A sender that also sends key frames may be about to send one. */
GST_START_TEST (test_gradual_recovery_does_not_open_the_gate_at_once)
{
  Track track;

  open_gate (&track);
  fail_unless_equals_int (DELTA (&track, 1), RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (GRADUAL (&track, 0), RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (DELTA (&track, 0), RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (KEY (&track, 0), RTC_LOSS_GATE_OPEN);
  fail_unless_equals_int (DELTA (&track, 1), RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (GRADUAL (&track, 0), RTC_LOSS_GATE_DROP);
}
GST_END_TEST;

/* A sender with periodic intra refresh sends no key frame but the first. */
GST_START_TEST (test_gate_does_not_stay_closed_with_periodic_intra_refresh)
{
  Track track;

  open_gate (&track);
  fail_unless_equals_int (DELTA (&track, 1), RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (GRADUAL (&track, 0), RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (DELTA (&track, 0), RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (GRADUAL (&track, 2), RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (GRADUAL (&track, 0), RTC_LOSS_GATE_OPEN);
  fail_unless_equals_int (DELTA (&track, 0), RTC_LOSS_GATE_PASS);
  fail_unless_equals_int (GRADUAL (&track, 0), RTC_LOSS_GATE_PASS);
  /* Known from now on: the next loss costs the rest of one period. */
  fail_unless_equals_int (DELTA (&track, 1), RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (GRADUAL (&track, 0), RTC_LOSS_GATE_OPEN);
  /* Another stream may be another sender. */
  rtc_loss_gate_restart (&track.gate);
  fail_unless_equals_int (GRADUAL (&track, 0), RTC_LOSS_GATE_DROP);
  fail_unless_equals_int (GRADUAL (&track, 0), RTC_LOSS_GATE_OPEN);
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

  fail_unless_equals_int (KIND ("H264", sets), RTC_PICTURE_NONE);
  fail_unless (
      rtc_loss_gate_parse_unit ("H264", idr, sizeof (idr)) != RTC_PICTURE_NONE);
  fail_unless (rtc_loss_gate_parse_unit ("H264", delta, sizeof (delta)) !=
      RTC_PICTURE_NONE);
  fail_unless_equals_int (
      rtc_loss_gate_parse_unit ("H264", delta, 0), RTC_PICTURE_NONE);
  fail_unless_equals_int (KIND ("H265", hevc_sets), RTC_PICTURE_NONE);
  fail_unless (rtc_loss_gate_parse_unit ("H265", hevc, sizeof (hevc)) !=
      RTC_PICTURE_NONE);
  fail_unless (rtc_loss_gate_parse_unit ("VP8", sets, 1) != RTC_PICTURE_NONE);
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
  tcase_add_test (tc, test_gate_and_mux_agree_on_random_access_points);
  tcase_add_test (tc, test_gradual_recovery_does_not_open_the_gate_at_once);
  tcase_add_test (
      tc, test_gate_does_not_stay_closed_with_periodic_intra_refresh);
  tcase_add_test (tc, test_parameter_sets_alone_are_no_picture);
  return suite;
}

GST_CHECK_MAIN (recgate);
