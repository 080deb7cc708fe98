/* gst-tsrec: presentation times are kept, decoding times are made
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Streams of pictures without DTS, or without any timestamp, go through the
 * mux and are read back with the checker: parameter sets and slice headers are
 * written here, bit by bit, or come from real encoders.
 */

#include "config.h"

#include <gst/check/gstcheck.h>
#include <stdlib.h>
#include <string.h>

#include "recnalparse.h"
#include "tscheck.h"
#include "tsmux.h"
#include "tsreorder.h"

#define MS TS_NS_PER_MS
#define FRAME (40 * MS)
#define PID 0x100
#define MAX_UNITS 400

/* --- Bits */

typedef struct
{
  uint8_t data[256];
  size_t bits;
} Bits;

static void
put (Bits *b, unsigned n, uint32_t value)
{
  while (n-- > 0) {
    if (value >> n & 1)
      b->data[b->bits / 8] |= (uint8_t)(0x80 >> b->bits % 8);
    b->bits++;
  }
}

static void
put_ue (Bits *b, uint32_t value)
{
  unsigned n = 0;

  while ((value + 1) >> (n + 1))
    n++;
  put (b, 2 * n + 1, value + 1);
}

/* With a stop bit, and no zero byte inside that would have to be escaped. */
static size_t
append_nal (GByteArray *au, Bits *b)
{
  const uint8_t start[] = { 0, 0, 0, 1 };
  size_t size;

  put (b, 1, 1);
  size = (b->bits + 7) / 8;
  for (size_t i = 2; i < size; i++)
    fail_if (b->data[i - 2] == 0 && b->data[i - 1] == 0 && b->data[i] <= 3);
  g_byte_array_append (au, start, sizeof (start));
  g_byte_array_append (au, b->data, (guint)size);
  return size;
}

/* --- H.264 */

typedef struct
{
  unsigned profile, constraints, level, poc_type, references, width_mbs;
  unsigned height_mbs;
  int reorder; /* -1: no VUI */
  bool fields;
  bool timing; /* 50 ticks a second */
} Sps;

static const Sps plain = { 100, 0, 30, 0, 4, 20, 15, -1, false, false };

static void
append_sps (GByteArray *au, const Sps *sps)
{
  Bits b = { { 0 }, 0 };

  put (&b, 8, 0x67);
  put (&b, 8, sps->profile);
  put (&b, 8, sps->constraints);
  put (&b, 8, sps->level);
  put_ue (&b, 0);
  if (sps->profile >= 100 || sps->profile == 44) {
    put_ue (&b, 1);
    put_ue (&b, 0);
    put_ue (&b, 0);
    put (&b, 2, 0);
  }
  put_ue (&b, 4); /* log2_max_frame_num 8 */
  put_ue (&b, sps->poc_type);
  if (sps->poc_type == 0)
    put_ue (&b, 4); /* log2_max_pic_order_cnt_lsb 8 */
  put_ue (&b, sps->references);
  put (&b, 1, 0);
  put_ue (&b, sps->width_mbs - 1);
  put_ue (&b, sps->height_mbs / (sps->fields ? 2 : 1) - 1);
  put (&b, 1, !sps->fields);
  if (sps->fields)
    put (&b, 1, 0);
  put (&b, 2, 2);
  put (&b, 1, sps->reorder >= 0 || sps->timing);
  if (sps->reorder >= 0 || sps->timing) {
    put (&b, 4, 0);
    put (&b, 1, sps->timing);
    if (sps->timing) {
      put (&b, 32, 0x01020304);
      put (&b, 32, 50 * 0x01020304);
      put (&b, 1, 1);
    }
    put (&b, 3, 0);
    put (&b, 1, sps->reorder >= 0);
    if (sps->reorder >= 0) {
      put (&b, 1, 1);
      for (int i = 0; i < 4; i++)
        put_ue (&b, 2);
      put_ue (&b, (uint32_t)sps->reorder);
      put_ue (&b, 16);
    }
  }
  append_nal (au, &b);
}

static void
append_pps (GByteArray *au)
{
  static const uint8_t pps[] = { 0, 0, 0, 1, 0x68, 0xeb, 0xe3, 0xc4, 0x48,
    0x44 };

  g_byte_array_append (au, pps, sizeof (pps));
}

typedef enum
{
  FRAME_PICTURE,
  TOP_FIELD,
  BOTTOM_FIELD
} Structure;

/* A slice: type 5 is IDR; pictures that none refers to have no nal_ref_idc. */
static void
append_slice (GByteArray *au, const Sps *sps, bool idr, bool reference,
    unsigned frame_num, unsigned poc, Structure structure)
{
  Bits b = { { 0 }, 0 };

  put (&b, 8, (reference ? 0x60 : 0) | (idr ? 5 : 1));
  put_ue (&b, 0);
  put_ue (&b, 7);
  put_ue (&b, 0);
  put (&b, 8, frame_num & 255);
  if (sps->fields) {
    put (&b, 1, structure != FRAME_PICTURE);
    if (structure != FRAME_PICTURE)
      put (&b, 1, structure == BOTTOM_FIELD);
  }
  if (idr)
    put_ue (&b, 0);
  if (sps->poc_type == 0)
    put (&b, 8, poc & 255);
  put (&b, 16, 0x7777);
  append_nal (au, &b);
}

/* --- The rig */

typedef struct
{
  TsMux *mux;
  TsTrack *track;
  TsCheck *check;
  int64_t pts[MAX_UNITS], dts[MAX_UNITS];
  int64_t wanted[MAX_UNITS]; /* ns */
  unsigned n, n_wanted;
  unsigned n_continuing; /* PES packets in which no access unit begins */
} Rig;

static void
on_pes (void *user_data, const TsCheckPes *pes)
{
  Rig *rig = user_data;

  if (pes->pid != PID)
    return;
  fail_unless (rig->n < MAX_UNITS);
  if (pes->dts == TS_CHECK_NONE) {
    rig->n_continuing++;
    return;
  }
  rig->pts[rig->n] = pes->pts;
  rig->dts[rig->n++] = pes->dts;
}

static void
rig_init (Rig *rig, TsCodec codec, int64_t frame_time)
{
  TsTrackConfig config = { .codec = codec, .frame_time = frame_time };
  TsCheckOptions options = TS_CHECK_STRICT;
  TsMuxConfig defaults;

  memset (rig, 0, sizeof (*rig));
  /* pictures alone, minutes apart; and slices without pictures */
  options.ignored_rules = TS_CHECK_IGNORE (TS_CHECK_PCR_INTERVAL) |
      TS_CHECK_IGNORE (TS_CHECK_PTS_INTERVAL) |
      TS_CHECK_IGNORE (TS_CHECK_DELAY) |
      TS_CHECK_IGNORE (TS_CHECK_PAT_INTERVAL) |
      TS_CHECK_IGNORE (TS_CHECK_PMT_INTERVAL) |
      TS_CHECK_IGNORE (TS_CHECK_SDT_INTERVAL) |
      TS_CHECK_IGNORE (TS_CHECK_AU_PARAMETERS);
  ts_mux_config_init (&defaults);
  rig->mux = ts_mux_new (&defaults);
  rig->check = ts_check_new (&options, on_pes, NULL, rig);
  rig->track = ts_mux_add_track (rig->mux, PID, &config, NULL);
  fail_unless (rig->track != NULL);
}

static void
rig_push_to (Rig *rig, TsTrack *track, const GByteArray *data, int64_t pts,
    int64_t dts, int64_t now)
{
  TsAccessUnit au = { .data = data->data,
    .size = data->len,
    .pts = pts,
    .dts = dts,
    .duration = TS_TIME_NONE,
    .now = now };
  size_t size = ts_mux_begin (rig->mux, track, &au);
  uint8_t *out = g_malloc (size + 1);
  TsOutput output;

  size = ts_mux_finish (rig->mux, out, size, &output);
  ts_check_push (rig->check, out, size);
  g_free (out);
}

/* @wanted: the PTS that has to come out. Takes @data. */
static void
rig_push (Rig *rig, GByteArray *data, int64_t pts, int64_t dts, int64_t wanted)
{
  rig->wanted[rig->n_wanted++] = wanted;
  rig_push_to (rig, rig->track, data, pts, dts, TS_TIME_NONE);
  g_byte_array_unref (data);
}

static TsStats
rig_get_stats (Rig *rig)
{
  TsStats stats;

  ts_mux_get_stats (rig->mux, &stats);
  return stats;
}

/* PTS to a tick, but for at most @may_move of them; DTS rises, not above PTS.
 */
static void
rig_end (Rig *rig, unsigned may_move)
{
  TsStats stats = rig_get_stats (rig);
  unsigned moved = 0, last;

  fail_unless (ts_check_finish (rig->check) == 0, "%.1500s",
      ts_check_get_report (rig->check));
  fail_unless_equals_int (rig->n, rig->n_wanted);
  last = rig->n - 1;
  for (unsigned i = 0; i < rig->n; i++) {
    int64_t expected = (rig->wanted[i] - rig->wanted[last]) * 9 / 100000;

    moved += ABS (rig->pts[i] - rig->pts[last] - expected) > 1;
    fail_unless (moved <= may_move, "PTS %u is off by %" G_GINT64_FORMAT, i,
        rig->pts[i] - rig->pts[last] - expected);
    fail_unless (rig->dts[i] <= rig->pts[i], "DTS %u is after PTS", i);
    fail_unless (i == 0 || rig->dts[i] > rig->dts[i - 1], "DTS %u stands", i);
  }
  fail_unless_equals_uint64 (stats.pts_moved, moved);
  fail_unless_equals_uint64 (stats.pts_nudged, 0);
  fail_unless_equals_uint64 (stats.jumps, 0);
  ts_check_free (rig->check);
  ts_mux_free (rig->mux);
}

/* I P B b b: the order in which an encoder with three B pictures between, one
 * of which is referred to, sends them. */
static const int pyramid[] = { 4, 2, 1, 3 };

static unsigned
get_display (unsigned i)
{
  return i == 0 ? 0 : (i - 1) / 4 * 4 + (unsigned)pyramid[(i - 1) % 4];
}

/* @n pictures of H.264 from @first on, a GOP of @gop. */
static GByteArray *
new_h264 (const Sps *sps, unsigned i)
{
  GByteArray *au = g_byte_array_new ();

  if (i == 0) {
    append_sps (au, sps);
    append_pps (au);
  }
  append_slice (
      au, sps, i == 0, i % 4 < 3, i, 2 * get_display (i), FRAME_PICTURE);
  return au;
}

static void
push_pyramid (Rig *rig, const Sps *sps, unsigned n, int64_t frame)
{
  for (unsigned i = 0; i < n; i++) {
    int64_t pts = 1000 * MS + get_display (i) * frame;

    rig_push (rig, new_h264 (sps, i), pts, TS_TIME_NONE, pts);
  }
}

/* --- What a stream declares */

static RecNalSps
parse (const Sps *config)
{
  GByteArray *au = g_byte_array_new ();
  RecNalScanner scanner;
  RecNalUnit nal;
  RecNalSps sps;

  append_sps (au, config);
  rec_nal_scanner_init (&scanner, REC_NAL_H264, au->data, au->len);
  fail_unless (rec_nal_scanner_next (&scanner, &nal));
  rec_nal_parse_sps (REC_NAL_H264, &nal, &sps);
  fail_unless (sps.valid);
  g_byte_array_unref (au);
  return sps;
}

GST_START_TEST (test_h264_declares_its_depth)
{
  static const struct
  {
    Sps sps;
    unsigned depth;
    bool declared;
  } rows[] = {
    { { 100, 0, 30, 0, 4, 20, 15, 2, false, true }, 2, true },
    { { 100, 0, 30, 0, 4, 20, 15, 0, false, false }, 0, true },
    /* table A-1: 8100 macroblocks of 45 x 36, of 40 x 30, of 120 x 68 */
    { { 77, 0, 30, 0, 4, 45, 36, -1, false, false }, 5, false },
    { { 100, 0, 30, 0, 4, 40, 30, -1, false, false }, 6, false },
    { { 100, 0, 40, 0, 4, 120, 68, -1, true, false }, 4, false },
    { { 100, 0, 40, 0, 4, 20, 15, -1, false, false }, 16, false },
    { { 100, 0, 30, 2, 4, 20, 15, -1, false, false }, 0, true },
    { { 66, 0xc0, 30, 0, 4, 20, 15, -1, false, false }, 0, false },
    { { 100, 0x10, 30, 0, 4, 20, 15, -1, false, false }, 0, false },
    { { 44, 0, 30, 0, 4, 20, 15, -1, false, false }, 0, false },
    { { 100, 0, 30, 0, 0, 20, 15, -1, false, false }, 0, false },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    RecNalSps sps = parse (&rows[i].sps);

    fail_unless (
        sps.max_reorder == rows[i].depth, "row %u: %u", i, sps.max_reorder);
    fail_unless_equals_int (sps.declared, rows[i].declared);
    fail_unless_equals_int64 (sps.frame_time, rows[i].sps.timing ? FRAME : 0);
  }
}
GST_END_TEST;

/* Of x264 and x265, at 25 pictures a second. */
GST_START_TEST (test_parameter_sets_of_encoders_are_read)
{
  static const uint8_t x264[] = { 0x67, 0xf4, 0x00, 0x0d, 0x91, 0x9b, 0x28,
    0x28, 0x3f, 0x60, 0x22, 0x00, 0x00, 0x03, 0x00, 0x02, 0x00, 0x00, 0x03,
    0x00, 0x64, 0x1e, 0x28, 0x53, 0x2c };
  static const uint8_t x265[] = { 0x42, 0x01, 0x01, 0x04, 0x08, 0x00, 0x00,
    0x03, 0x00, 0x9e, 0x08, 0x00, 0x00, 0x03, 0x00, 0x00, 0x3c, 0x90, 0x01,
    0x41, 0x01, 0xe2, 0xcb, 0x2b, 0x34, 0x92, 0x65, 0x78, 0x0b, 0x70, 0x20,
    0x20, 0x00, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40, 0x00, 0x00, 0x06, 0x42 };
  RecNalUnit nal = { x264, sizeof (x264), 0, REC_NAL_SPS };
  RecNalSps sps;

  rec_nal_parse_sps (REC_NAL_H264, &nal, &sps);
  fail_unless (sps.valid && sps.declared);
  fail_unless_equals_int (sps.max_reorder, 2);
  fail_unless_equals_int64 (sps.frame_time, FRAME);
  for (size_t size = 0; size < sizeof (x264); size++) {
    nal.size = size;
    rec_nal_parse_sps (REC_NAL_H264, &nal, &sps);
  }
  nal = (RecNalUnit){ x265, sizeof (x265), 0, REC_NAL_SPS };
  rec_nal_parse_sps (REC_NAL_H265, &nal, &sps);
  fail_unless (sps.valid && sps.declared);
  fail_unless_equals_int (sps.max_reorder, 2);
  fail_unless_equals_int64 (sps.frame_time, FRAME);
  for (size_t size = 0; size < sizeof (x265); size++) {
    nal.size = size;
    rec_nal_parse_sps (REC_NAL_H265, &nal, &sps);
  }
}
GST_END_TEST;

/* --- The component */

/* With a depth of 2: DTS are those that the encoder would have given. */
GST_START_TEST (test_dts_is_as_late_as_the_depth_allows)
{
  int64_t last = INT64_MIN;
  TsReorder reorder;

  ts_reorder_init (&reorder);
  ts_reorder_set_depth (&reorder, 2, true);
  ts_reorder_restart (&reorder, false);
  for (unsigned i = 0; i < 100; i++) {
    last = ts_reorder_push (&reorder, get_display (i) * FRAME, last, FRAME);
    fail_unless_equals_int64 (last, ((int64_t)i - 2) * FRAME);
  }
  fail_unless_equals_int64 (ts_reorder_get_delay (&reorder, FRAME), 5 * FRAME);
}
GST_END_TEST;

/* --- Through the mux */

GST_START_TEST (test_pictures_without_dts_keep_their_pts)
{
  static const int64_t frames[] = { FRAME, 16683350, 200 * MS,
    60 * TS_NS_PER_S };

  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    for (int known = 0; known < 2; known++) {
      Sps sps = plain;
      Rig rig;

      sps.reorder = 2;
      rig_init (&rig, TS_CODEC_H264, known ? frames[i] : 0);
      push_pyramid (&rig, &sps, 101, frames[i]);
      rig_end (&rig, 0);
    }
  }
}
GST_END_TEST;

/* @n pictures in the reverse of their output order: n - 1 come before the one
 * that is output first, the most that there can be. */
static void
check_deepest_order (unsigned n, bool declared, bool live)
{
  Sps sps = plain;
  Rig rig;

  if (declared)
    sps.reorder = (int)n - 1;
  rig_init (&rig, TS_CODEC_H264, FRAME);
  for (unsigned i = 0; i < 1 + 10 * n; i++) {
    GByteArray *au = g_byte_array_new ();
    unsigned display = i == 0 ? 0 : (i - 1) / n * n + n - (i - 1) % n;
    int64_t pts = 1000 * MS + display * FRAME;

    if (i == 0) {
      append_sps (au, &sps);
      append_pps (au);
    }
    append_slice (
        au, &sps, i == 0, i % n == 1 % n, i, 2 * display, FRAME_PICTURE);
    rig.wanted[rig.n_wanted++] = pts;
    rig_push_to (&rig, rig.track, au, pts, TS_TIME_NONE,
        live ? 1000 * MS + i * FRAME : TS_TIME_NONE);
    g_byte_array_unref (au);
  }
  rig_end (&rig, 0);
}

GST_START_TEST (test_every_depth_keeps_pts)
{
  for (unsigned n = 1; n <= REC_NAL_MAX_REORDER + 1; n++) {
    for (int live = 0; live < 2; live++) {
      check_deepest_order (n, true, live);
      check_deepest_order (n, false, live);
    }
  }
}
GST_END_TEST;

/* Through 2^33, with pictures and with silence; @idle: pictures of it. */
static void
check_wrap (bool live, unsigned idle)
{
  const int64_t wrap = INT64_C (95443717688888);
  TsTrackConfig data = { .codec = TS_CODEC_KLV };
  TsTrackConfig video = { .codec = TS_CODEC_H264 };
  TsMuxConfig config;
  TsTrack *other;
  unsigned at = 0;
  Sps sps = plain;
  Rig rig;

  sps.reorder = 2;
  rig_init (&rig, TS_CODEC_H264, FRAME);
  ts_mux_free (rig.mux);
  ts_mux_config_init (&config);
  config.start_offset = wrap - 2 * TS_NS_PER_S;
  rig.mux = ts_mux_new (&config);
  rig.track = ts_mux_add_track (rig.mux, PID, &video, NULL);
  other = ts_mux_add_track (rig.mux, PID + 1, &data, NULL);
  for (unsigned i = 0; i < 201; i++, at++) {
    GByteArray *au = new_h264 (&sps, i);
    int64_t offset = (1000 + (i > 24 ? idle * 40 : 0)) * MS;
    int64_t pts = offset + get_display (i) * FRAME;

    for (; i == 25 && at < 25 + idle; at++) {
      int64_t time = 1000 * MS + at * FRAME;
      size_t size =
          ts_mux_begin_idle (rig.mux, other, time, live ? time : TS_TIME_NONE);
      uint8_t *out = g_malloc (size + 1);
      TsOutput output;

      ts_check_push (
          rig.check, out, ts_mux_finish (rig.mux, out, size, &output));
      g_free (out);
    }
    rig.wanted[rig.n_wanted++] = pts;
    rig_push_to (&rig, rig.track, au, pts, TS_TIME_NONE,
        live ? 1000 * MS + at * FRAME : TS_TIME_NONE);
    g_byte_array_unref (au);
  }
  /* behind a silence, as many as are reordered have a DTS from before it */
  fail_unless (rig_get_stats (&rig).late <= (idle ? 2 : 0));
  rig_end (&rig, 0);
}

GST_START_TEST (test_reordered_pictures_keep_pts_over_the_wrap)
{
  for (int live = 0; live < 2; live++) {
    check_wrap (live, 0);
    check_wrap (live, 100);
    check_wrap (live, 500);
  }
}
GST_END_TEST;

/* By level and size, where nothing is said. */
GST_START_TEST (test_pictures_of_an_undeclared_depth_keep_their_pts)
{
  Rig rig;

  rig_init (&rig, TS_CODEC_H264, 0);
  push_pyramid (&rig, &plain, 101, FRAME);
  fail_unless_equals_uint64 (rig_get_stats (&rig).dts_raised, 0);
  rig_end (&rig, 0);
}
GST_END_TEST;

/* A depth that is not declared is learned: some pictures are moved, which is counted
 * as such, and then none is any more. */
GST_START_TEST (test_a_wrong_depth_is_learned)
{
  Sps sps = plain;
  Rig rig;

  sps.reorder = 0;
  rig_init (&rig, TS_CODEC_H264, 0);
  push_pyramid (&rig, &sps, 201, FRAME);
  for (unsigned i = 20; i < rig.n; i++)
    fail_unless (ABS (rig.pts[i] - rig.pts[i - 4] - 4 * 3600) <= 1 || i < 24);
  fail_unless (rig_get_stats (&rig).pts_moved > 0);
  rig_end (&rig, 5);
}
GST_END_TEST;

/* The first picture is no IDR picture, and others lead it in output order. */
GST_START_TEST (test_a_start_in_an_open_gop_keeps_pts)
{
  Sps sps = plain;
  Rig rig;

  sps.reorder = 2;
  rig_init (&rig, TS_CODEC_H264, 0);
  for (unsigned i = 0; i < 60; i++) {
    unsigned display = i / 4 * 4 + (unsigned)pyramid[i % 4];
    GByteArray *au = g_byte_array_new ();

    if (i == 0) {
      append_sps (au, &sps);
      append_pps (au);
    }
    append_slice (au, &sps, false, i % 4 < 2, i, 2 * display, FRAME_PICTURE);
    rig_push (&rig, au, display * FRAME, TS_TIME_NONE, display * FRAME);
  }
  rig_end (&rig, 0);
}
GST_END_TEST;

/* Another SPS, with a higher depth, comes with a key frame. */
GST_START_TEST (test_a_depth_that_is_raised_keeps_pts)
{
  Sps low = plain, high = plain;
  Rig rig;

  low.reorder = 0;
  high.reorder = 2;
  rig_init (&rig, TS_CODEC_H264, 0);
  for (unsigned i = 0; i < 25; i++) {
    GByteArray *au = g_byte_array_new ();

    if (i == 0) {
      append_sps (au, &low);
      append_pps (au);
    }
    append_slice (au, &low, i == 0, true, i, 2 * i, FRAME_PICTURE);
    rig_push (&rig, au, i * FRAME, TS_TIME_NONE, i * FRAME);
  }
  push_pyramid (&rig, &high, 101, FRAME);
  rig_end (&rig, 0);
}
GST_END_TEST;

/* Some pictures have a DTS, one in three or the first ten. */
GST_START_TEST (test_some_dts_are_enough_to_be_kept_or_not)
{
  for (int kind = 0; kind < 4; kind++) {
    Sps sps = plain;
    Rig rig;

    sps.reorder = 2;
    rig_init (&rig, TS_CODEC_H264, 0);
    for (unsigned i = 0; i < 101; i++) {
      int64_t pts = get_display (i) * FRAME, dts = ((int64_t)i - 2) * FRAME;

      if (kind == 0 ? i % 3 != 0 : kind == 1 ? i >= 10 : kind == 2 ? i < 10 : 0)
        dts = TS_TIME_NONE;
      if (kind == 3) /* a parser's, which counts from the first PTS */
        dts = i * FRAME;
      rig_push (&rig, new_h264 (&sps, i), pts, dts, pts);
    }
    rig_end (&rig, 0);
  }
}
GST_END_TEST;

/* DTS that are right are kept. */
GST_START_TEST (test_dts_of_the_source_are_kept)
{
  Sps sps = plain;
  Rig rig;

  sps.reorder = 2;
  rig_init (&rig, TS_CODEC_H264, 0);
  for (unsigned i = 0; i < 50; i++) {
    int64_t pts = get_display (i) * FRAME, dts = ((int64_t)i - 3) * FRAME;

    rig_push (&rig, new_h264 (&sps, i), pts, dts, pts);
  }
  ts_check_finish (rig.check);
  for (unsigned i = 0; i < rig.n; i++)
    fail_unless (ABS (rig.dts[i] - rig.dts[0] - i * 3600) <= 1);
  ts_check_free (rig.check);
  ts_mux_free (rig.mux);
}
GST_END_TEST;

/* A tick of 90 kHz is 11,111.1 ns: a source that decodes a picture one tick after
 * the one before says 11,111 ns, and that is no reason to move or say anything.
 */
GST_START_TEST (test_a_dts_of_one_tick_later_is_kept)
{
  const int64_t ticks[][2] = { { 2000, 0 }, { 6000, 3000 }, { 3001, 3001 },
    { 12000, 9000 }, { 9001, 9001 }, { 18000, 15000 }, { 15001, 15001 } };
  Sps sps = plain;
  Rig rig;

  sps.reorder = 1;
  rig_init (&rig, TS_CODEC_H264, 0);
  for (unsigned i = 0; i < G_N_ELEMENTS (ticks); i++) {
    int64_t pts = ticks[i][0] * 100000 / 9, dts = ticks[i][1] * 100000 / 9;

    rig_push (&rig, new_h264 (&sps, i), pts, dts, pts);
  }
  ts_check_finish (rig.check);
  for (unsigned i = 0; i < rig.n; i++) {
    fail_unless_equals_int64 (rig.pts[i] - rig.dts[0], ticks[i][0]);
    fail_unless_equals_int64 (rig.dts[i] - rig.dts[0], ticks[i][1]);
  }
  rig_end (&rig, 0);
}
GST_END_TEST;

/* A field pair: the second field has a DTS only, or nothing at all. It is shown
 * half a frame after the first. */
GST_START_TEST (test_a_second_field_comes_half_a_frame_later)
{
  for (int with_dts = 0; with_dts < 2; with_dts++) {
    Sps sps = plain;
    Rig rig;

    sps.reorder = 2;
    sps.fields = true;
    sps.height_mbs = 16;
    rig_init (&rig, TS_CODEC_H264, FRAME);
    for (unsigned i = 0; i < 101; i++) {
      int64_t pts = get_display (i) * FRAME, dts = ((int64_t)i - 2) * FRAME;
      GByteArray *second = g_byte_array_new (), *au = g_byte_array_new ();
      bool frame = i % 7 == 6; /* frames and fields in turn */

      if (i == 0) {
        append_sps (au, &sps);
        append_pps (au);
      }
      append_slice (au, &sps, i == 0, i % 4 < 3, i, 2 * get_display (i),
          frame ? FRAME_PICTURE : TOP_FIELD);
      rig_push (&rig, au, pts, with_dts ? dts : TS_TIME_NONE, pts);
      append_slice (second, &sps, false, i % 4 < 3, i, 2 * get_display (i) + 1,
          BOTTOM_FIELD);
      if (frame)
        g_byte_array_unref (second);
      else
        rig_push (&rig, second, TS_TIME_NONE,
            with_dts ? dts + FRAME / 2 : TS_TIME_NONE, pts + FRAME / 2);
    }
    fail_unless_equals_uint64 (rig_get_stats (&rig).no_timestamp, 0);
    rig_end (&rig, 0);
  }
}
GST_END_TEST;

/* --- Long steps */

static GByteArray *
new_intra (unsigned i)
{
  static const Sps sps = { 66, 0xc0, 30, 0, 1, 20, 15, -1, false, false };
  GByteArray *au = g_byte_array_new ();

  append_sps (au, &sps);
  append_pps (au);
  append_slice (au, &sps, true, true, 0, 0, FRAME_PICTURE);
  (void)i;
  return au;
}

/* One picture a minute, with DTS and without, alone. */
GST_START_TEST (test_time_lapse_keeps_its_steps)
{
  for (int with_dts = 0; with_dts < 2; with_dts++) {
    Rig rig;

    rig_init (&rig, TS_CODEC_H264, 0);
    for (unsigned i = 0; i < 20; i++)
      rig_push (&rig, new_intra (i), i * 60 * TS_NS_PER_S,
          with_dts ? i * 60 * TS_NS_PER_S : TS_TIME_NONE, i * 60 * TS_NS_PER_S);
    rig_end (&rig, 0);
  }
}
GST_END_TEST;

/* The same with pictures that are reordered: what comes after one that is far
 * ahead is output before it. A time that is a day wrong is not believed. */
GST_START_TEST (test_time_lapse_with_reordered_pictures_keeps_its_steps)
{
  static const int64_t steps[] = { 5, 10, 15, 20, 25, 40, 60 };

  for (unsigned s = 0; s < 2 * G_N_ELEMENTS (steps); s++) {
    int64_t step = steps[s / 2] * TS_NS_PER_S;
    bool wrong = s % 2;
    Sps sps = plain;
    Rig rig;

    sps.reorder = 2;
    rig_init (&rig, TS_CODEC_H264, 0);
    for (unsigned i = 0; i < 61; i++) {
      int64_t pts = get_display (i) * step, raw = pts;

      if (wrong && i == 30)
        raw += 86400 * TS_NS_PER_S;
      if (ts_track_needs_next (rig.mux, rig.track, raw, TS_TIME_NONE))
        ts_mux_set_next (rig.mux, get_display (i + 1) * step);
      rig_push (&rig, new_h264 (&sps, i), raw, TS_TIME_NONE, pts);
    }
    fail_unless_equals_uint64 (rig_get_stats (&rig).jumps, wrong);
    if (!wrong) {
      rig_end (&rig, 0);
      continue;
    }
    ts_check_free (rig.check);
    ts_mux_free (rig.mux);
  }
}
GST_END_TEST;

/* A pause of all tracks: believed with what comes after it; a wrong timestamp
 * is not. */
GST_START_TEST (test_what_comes_next_confirms_a_long_step)
{
  for (int wrong = 0; wrong < 2; wrong++) {
    TsTrackConfig config = { .codec = TS_CODEC_H264 };
    TsTrack *other;
    Rig rig;

    rig_init (&rig, TS_CODEC_H264, 0);
    other = ts_mux_add_track (rig.mux, PID + 1, &config, NULL);
    for (unsigned i = 0; i < 40; i++) {
      int64_t time = i * FRAME + (i >= 20 ? 40 * TS_NS_PER_S : 0);
      int64_t raw = time, next = time + FRAME;
      GByteArray *au = new_intra (i);

      if (wrong && i >= 20)
        time -= 40 * TS_NS_PER_S;
      if (wrong && i > 20)
        raw = time;
      if (wrong)
        next = time + FRAME;
      if (ts_track_needs_next (rig.mux, rig.track, raw, TS_TIME_NONE)) {
        fail_unless_equals_int (i, 20);
        ts_mux_set_next (rig.mux, next);
      }
      rig_push_to (&rig, rig.track, au, raw, TS_TIME_NONE, TS_TIME_NONE);
      rig_push_to (&rig, other, au, time, TS_TIME_NONE, TS_TIME_NONE);
      g_byte_array_unref (au);
      rig.wanted[rig.n_wanted++] = time;
    }
    fail_unless_equals_uint64 (rig_get_stats (&rig).jumps, wrong);
    ts_check_finish (rig.check);
    for (unsigned i = 0; i < rig.n; i++)
      fail_unless (
          ABS (rig.pts[i] - rig.pts[0] - rig.wanted[i] * 9 / 100000) <= 1);
    ts_check_free (rig.check);
    ts_mux_free (rig.mux);
  }
}
GST_END_TEST;

/* As MP4 has them: each DTS is the PTS of two pictures before, in the order of
 * display, so that DTS stay behind over a pause, and over minutes. */
static int64_t
get_lapse (unsigned display, int64_t step, int64_t pause)
{
  return display * step + (display > 12 ? pause : 0);
}

GST_START_TEST (test_reordered_pictures_keep_their_times_over_a_pause)
{
  static const int64_t steps[] = { FRAME, FRAME, 60 * TS_NS_PER_S };
  static const int64_t pauses[] = { 40 * TS_NS_PER_S, 3600 * TS_NS_PER_S, 0 };

  for (int kind = 0; kind < 3; kind++) {
    int64_t step = steps[kind], pause = pauses[kind];
    Sps sps = plain;
    Rig rig;

    sps.reorder = 2;
    rig_init (&rig, TS_CODEC_H264, FRAME);
    for (unsigned i = 0; i < 25; i++) {
      int64_t pts = get_lapse (get_display (i), step, pause);
      int64_t dts =
          i < 2 ? ((int64_t)i - 2) * step : get_lapse (i - 2, step, pause);

      if (ts_track_needs_next (rig.mux, rig.track, pts, dts))
        ts_mux_set_next (rig.mux,
            i == 24 ? TS_TIME_NONE
                    : get_lapse (get_display (i + 1), step, pause));
      rig_push (&rig, new_h264 (&sps, i), pts, dts, pts);
    }
    fail_unless_equals_uint64 (rig_get_stats (&rig).jumps, 0);
    rig_end (&rig, 0);
  }
}
GST_END_TEST;

/* --- No timestamps */

/* As a parser leaves a raw stream: nothing, or DTS in the order of arrival, the
 * first picture with a PTS or without.
 * Pictures are output in their order, at the rate of the caps, of the stream,
 * or 25 a second. */
GST_START_TEST (test_pictures_without_timestamps_are_in_order)
{
  for (int kind = 0; kind < 6; kind++) {
    int64_t frame = kind == 1 ? 20 * MS : FRAME;
    Sps sps = plain;
    Rig rig;

    sps.reorder = 2;
    sps.timing = kind == 2;
    rig_init (&rig, TS_CODEC_H264, kind == 1 ? frame : 0);
    for (unsigned i = 0; i < 101; i++)
      rig_push (&rig, new_h264 (&sps, i),
          kind >= 4 && i == 0 ? 0 : TS_TIME_NONE,
          kind == 3 || kind == 4 ? i * frame : TS_TIME_NONE,
          get_display (i) * frame);
    rig_end (&rig, 0);
  }
}
GST_END_TEST;

/* Behind a key frame that was asked for, a depayloader gives two access units of
 * what had one timestamp: the second must not take the time of the third. */
GST_START_TEST (test_a_picture_without_timestamp_comes_before_the_next_one)
{
  Sps sps = plain;
  Rig rig;

  sps.reorder = 0;
  rig_init (&rig, TS_CODEC_H264, 0);
  for (int i = 0; i < 20; i++) {
    rig_push (&rig, new_h264 (&sps, 0), i * FRAME, TS_TIME_NONE, i * FRAME);
    if (i == 10)
      rig_push (&rig, new_h264 (&sps, 0), TS_TIME_NONE, TS_TIME_NONE,
          i * FRAME + FRAME / 2);
  }
  rig_end (&rig, 0);
}
GST_END_TEST;

/* --- Some pictures without timestamps */

/* MPEG-2, a GOP of nine: the first is closed, two pictures lead each other one. */
static GByteArray *
new_mpeg2 (unsigned i, unsigned *display)
{
  static const unsigned first[] = { 0, 3, 1, 2, 6, 4, 5 };
  static const unsigned other[] = { 2, 0, 1, 5, 3, 4, 8, 6, 7 };
  /* 64 x 48, 25/s, "low_delay" not set */
  static const uint8_t sequence[] = { 0, 0, 1, 0xb3, 4, 0, 0x30, 0x13, 0xff,
    0xff, 0xe0, 0x18, 0, 0, 1, 0xb5, 0x14, 0x82, 0, 1, 0, 0 };
  static const uint8_t slice[] = { 0, 0, 1, 1, 0x13, 0xf8 };
  unsigned gop = i < 7 ? 0 : 1 + (i - 7) / 9, at = i < 7 ? i : (i - 7) % 9;
  unsigned order = gop == 0 ? first[at] : other[at];
  unsigned type = at == 0 ? 1 : order % 3 == (gop == 0 ? 0 : 2) ? 2 : 3;
  const uint8_t group[] = { 0, 0, 1, 0xb8, 0, 8, 0, gop == 0 ? 0x40 : 0 };
  const uint8_t picture[] = { 0, 0, 1, 0, (uint8_t)(order >> 2),
    (uint8_t)((order & 3) << 6 | type << 3 | 7), 0xff, 0xf8 };
  GByteArray *au = g_byte_array_new ();

  if (at == 0) {
    g_byte_array_append (au, sequence, sizeof (sequence));
    g_byte_array_append (au, group, sizeof (group));
  }
  g_byte_array_append (au, picture, sizeof (picture));
  g_byte_array_append (au, slice, sizeof (slice));
  *display = gop == 0 ? order : 7 + 9 * (gop - 1) + order;
  return au;
}

/* H.264, an IDR picture in nine. */
static GByteArray *
new_h264_gop (unsigned i, unsigned *display)
{
  unsigned at = i % 9;
  Sps sps = plain;
  GByteArray *au = g_byte_array_new ();

  sps.reorder = 2;
  if (at == 0) {
    append_sps (au, &sps);
    append_pps (au);
  }
  append_slice (
      au, &sps, at == 0, at % 4 < 3, at, 2 * get_display (at), FRAME_PICTURE);
  *display = i - at + get_display (at);
  return au;
}

typedef enum
{
  NOTHING,
  DTS_ONLY,
  PTS_ONLY,
  BOTH
} Given;

/* A program stream has timestamps where a picture begins in a packet, and some
 * sources have them at key frames. The others are shown in between, at the
 * rate of the stream. */
GST_START_TEST (test_pictures_between_those_with_timestamps_are_in_order)
{
  static const struct
  {
    Given key, third, rest;
  } rows[] = { { BOTH, DTS_ONLY, DTS_ONLY }, { BOTH, NOTHING, NOTHING },
    { BOTH, BOTH, DTS_ONLY }, { BOTH, BOTH, NOTHING },
    { PTS_ONLY, NOTHING, NOTHING }, { PTS_ONLY, PTS_ONLY, NOTHING },
    { NOTHING, BOTH, BOTH }, { NOTHING, PTS_ONLY, PTS_ONLY },
    { DTS_ONLY, BOTH, BOTH }, { DTS_ONLY, BOTH, DTS_ONLY },
    { NOTHING, BOTH, DTS_ONLY }, { NOTHING, BOTH, NOTHING } };

  for (unsigned n = 0; n < 2 * G_N_ELEMENTS (rows); n++) {
    unsigned row = n / 2, depth = n % 2 ? 1 : 2, display;
    Rig rig;

    rig_init (&rig, n % 2 ? TS_CODEC_MPEG2_VIDEO : TS_CODEC_H264, 0);
    for (unsigned i = 0; i < 97; i++) {
      bool key = n % 2 ? i == 0 || i % 9 == 7 : i % 9 == 0;
      Given given = i == 0 ? BOTH
          : key            ? rows[row].key
          : i % 3 == 2     ? rows[row].third
                           : rows[row].rest;
      GByteArray *au =
          n % 2 ? new_mpeg2 (i, &display) : new_h264_gop (i, &display);
      int64_t pts = (25 + (int64_t)display) * FRAME;

      rig_push (&rig, au, given & PTS_ONLY ? pts : TS_TIME_NONE,
          given & DTS_ONLY ? (25 + (int64_t)i - depth) * FRAME : TS_TIME_NONE,
          pts);
    }
    rig_end (&rig, 0);
  }
}
GST_END_TEST;

/* A source that gives each picture its PTS as DTS does not know the DTS. */
GST_START_TEST (test_dts_that_repeat_pts_are_not_believed)
{
  for (int kind = 0; kind < 3; kind++) {
    unsigned display;
    Sps sps = plain;
    Rig rig;

    sps.reorder = kind == 1 ? 2 : -1;
    rig_init (&rig, kind == 0 ? TS_CODEC_MPEG2_VIDEO : TS_CODEC_H264, 0);
    for (unsigned i = 0; i < 97; i++) {
      GByteArray *au = kind == 0 ? new_mpeg2 (i, &display) : new_h264 (&sps, i);
      int64_t pts =
          (25 + (int64_t)(kind == 0 ? display : get_display (i))) * FRAME;

      rig_push (&rig, au, pts, pts, pts);
    }
    rig_end (&rig, 0);
  }
}
GST_END_TEST;

/* A buffer that @rig has no PTS to wait for. Takes @data. */
static void
push_part (Rig *rig, GByteArray *data, int64_t pts)
{
  rig_push_to (rig, rig->track, data, pts, TS_TIME_NONE, TS_TIME_NONE);
  g_byte_array_unref (data);
}

static GByteArray *
new_sets (const Sps *sps)
{
  GByteArray *data = g_byte_array_new ();

  append_sps (data, sps);
  append_pps (data);
  return data;
}

/* Parameter sets that come alone, with the only timestamp, are the beginning of
 * the picture that follows. */
GST_START_TEST (test_parameter_sets_that_come_alone_lead_the_next_picture)
{
  Sps sps = plain;
  Rig rig;

  sps.reorder = 0;
  rig_init (&rig, TS_CODEC_H264, 0);
  for (int i = 0; i < 20; i++) {
    GByteArray *slice = g_byte_array_new ();

    append_slice (
        slice, &sps, i % 5 == 0, true, i % 5, 2 * (i % 5), FRAME_PICTURE);
    if (i % 5 == 0)
      push_part (&rig, new_sets (&sps), i * FRAME);
    rig_push (&rig, slice, i % 5 == 0 ? TS_TIME_NONE : i * FRAME, TS_TIME_NONE,
        i * FRAME);
  }
  fail_unless_equals_uint64 (rig_get_stats (&rig).no_timestamp, 0);
  fail_unless_equals_uint64 (rig_get_stats (&rig).access_units, 20);
  rig_end (&rig, 0);
}
GST_END_TEST;

/* rtph264pay config-interval=-1 repeats the sets in front of each slice of a key
 * frame, and h264parse makes an access unit of each slice. */
GST_START_TEST (test_slices_behind_repeated_sets_continue_their_picture)
{
  static const uint8_t second[] = { 0, 0, 0, 1, 0x65, 0x40, 0x88, 0x84 };
  Sps sps = plain;
  Rig rig;

  sps.reorder = 0;
  rig_init (&rig, TS_CODEC_H264, 0);
  for (int i = 0; i < 20; i++) {
    rig_push (&rig, new_h264 (&sps, 0), i * FRAME, TS_TIME_NONE, i * FRAME);
    for (int slice = 0; i % 5 == 0 && slice < 2; slice++) {
      GByteArray *part = new_sets (&sps);

      g_byte_array_append (part, second, sizeof (second));
      push_part (&rig, part, TS_TIME_NONE);
    }
  }
  fail_unless_equals_uint64 (rig_get_stats (&rig).no_timestamp, 0);
  fail_unless_equals_uint64 (rig_get_stats (&rig).access_units, 20);
  rig_end (&rig, 0);
  fail_unless_equals_int (rig.n_continuing, 8);
}
GST_END_TEST;

/* Paced by the clock, 30 a second where 25 would be taken. */
GST_START_TEST (test_pictures_without_timestamps_follow_the_clock)
{
  Rig rig;

  rig_init (&rig, TS_CODEC_H264, 0);
  for (unsigned i = 0; i < 300; i++) {
    int64_t now = (int64_t)i * TS_NS_PER_S / 30 + (i % 3) * 3 * MS;
    GByteArray *au = new_intra (i);

    rig_push_to (&rig, rig.track, au, TS_TIME_NONE, TS_TIME_NONE, now);
    g_byte_array_unref (au);
  }
  ts_check_finish (rig.check);
  for (unsigned i = 1; i < rig.n; i++) {
    int64_t off = rig.pts[i] - rig.pts[0] - i * 3000;

    fail_unless (
        ABS (off) < 9000, "picture %u is off by %" G_GINT64_FORMAT, i, off);
    fail_unless (
        rig.pts[i] - rig.pts[i - 1] > 900, "picture %u is squeezed", i);
  }
  ts_check_free (rig.check);
  ts_mux_free (rig.mux);
}
GST_END_TEST;

static Suite *
tsreorder_suite (void)
{
  Suite *s = suite_create ("tsreorder");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_h264_declares_its_depth);
  tcase_add_test (tc, test_parameter_sets_of_encoders_are_read);
  tcase_add_test (tc, test_dts_is_as_late_as_the_depth_allows);
  tcase_add_test (tc, test_pictures_without_dts_keep_their_pts);
  tcase_add_test (tc, test_every_depth_keeps_pts);
  tcase_add_test (tc, test_reordered_pictures_keep_pts_over_the_wrap);
  tcase_add_test (tc, test_pictures_of_an_undeclared_depth_keep_their_pts);
  tcase_add_test (tc, test_a_wrong_depth_is_learned);
  tcase_add_test (tc, test_a_start_in_an_open_gop_keeps_pts);
  tcase_add_test (tc, test_a_depth_that_is_raised_keeps_pts);
  tcase_add_test (tc, test_some_dts_are_enough_to_be_kept_or_not);
  tcase_add_test (tc, test_dts_of_the_source_are_kept);
  tcase_add_test (tc, test_a_dts_of_one_tick_later_is_kept);
  tcase_add_test (tc, test_a_second_field_comes_half_a_frame_later);
  tcase_add_test (tc, test_time_lapse_keeps_its_steps);
  tcase_add_test (tc, test_time_lapse_with_reordered_pictures_keeps_its_steps);
  tcase_add_test (tc, test_what_comes_next_confirms_a_long_step);
  tcase_add_test (tc, test_reordered_pictures_keep_their_times_over_a_pause);
  tcase_add_test (tc, test_pictures_without_timestamps_are_in_order);
  tcase_add_test (
      tc, test_a_picture_without_timestamp_comes_before_the_next_one);
  tcase_add_test (tc, test_pictures_between_those_with_timestamps_are_in_order);
  tcase_add_test (tc, test_dts_that_repeat_pts_are_not_believed);
  tcase_add_test (
      tc, test_parameter_sets_that_come_alone_lead_the_next_picture);
  tcase_add_test (tc, test_slices_behind_repeated_sets_continue_their_picture);
  tcase_add_test (tc, test_pictures_without_timestamps_follow_the_clock);
  return s;
}

GST_CHECK_MAIN (tsreorder);
