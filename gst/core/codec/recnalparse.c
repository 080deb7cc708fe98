/* gst-tsrec: parameter sets and slice headers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One syntax after the other in one file: H.265 and H.266 share helpers with
 * H.264, and a field is compared with its counterpart when one is changed.
 */

#include "recnalparse.h"

#include "recbitreader.h"
#include "rectime.h"
#include <string.h>

/* A longer duration of a picture is a damaged field. */
#define MAX_FRAME_TIME (3600 * REC_NS_PER_S)
/* Limit of loops, above the values of any real stream. */
#define MAX_SHORT_TERM_SETS 64
#define ASPECT_RATIO_EXTENDED 255

static void
skip_ue (RecBitReader *reader, unsigned n)
{
  while (n-- > 0)
    rec_bit_reader_get_ue (reader);
}

/* se(v) has the length of ue(v); its value is not needed. */
static int32_t
get_se (RecBitReader *reader)
{
  uint32_t code = rec_bit_reader_get_ue (reader);

  return code & 1 ? (int32_t)(code / 2 + 1) : -(int32_t)(code / 2);
}

/* @ticks: number of num_units_in_tick in a frame */
static int64_t
make_frame_time (uint32_t units, uint32_t scale, unsigned ticks)
{
  int64_t time;

  if (units == 0 || scale == 0)
    return 0;
  time =
      (int64_t)(((uint64_t)units * ticks * (uint64_t)REC_NS_PER_S + scale / 2) /
          scale);
  return time > 0 && time <= MAX_FRAME_TIME ? time : 0;
}

/* --- H.264 --- */

/* H.264 7.3.2.1.1.1 */
static void
skip_scaling_list (RecBitReader *reader, unsigned size)
{
  int32_t last = 8, next = 8;

  for (unsigned i = 0; i < size && !reader->error; i++) {
    if (next != 0)
      next = (last + get_se (reader)) & 0xff;
    last = next == 0 ? last : next;
  }
}

static bool
has_chroma_format (unsigned profile_idc)
{
  static const uint8_t profiles[] = { 100, 110, 122, 244, 44, 83, 86, 118, 128,
    138, 139, 134, 135 };

  return memchr (profiles, (int)profile_idc, sizeof (profiles)) != NULL;
}

static void
read_chroma_format (RecBitReader *reader, RecNalSps *sps)
{
  uint32_t chroma_format_idc = rec_bit_reader_get_ue (reader);
  unsigned n_lists = chroma_format_idc == 3 ? 12 : 8;

  if (chroma_format_idc == 3)
    sps->separate_planes = rec_bit_reader_get (reader, 1);
  skip_ue (reader, 2);             /* bit depths */
  rec_bit_reader_skip (reader, 1); /* qpprime_y_zero_transform_bypass_flag */
  if (!rec_bit_reader_get (reader, 1))
    return;
  for (unsigned i = 0; i < n_lists; i++) {
    if (rec_bit_reader_get (reader, 1))
      skip_scaling_list (reader, i < 6 ? 16 : 64);
  }
}

static void
read_pic_order_cnt_type (RecBitReader *reader, RecNalSps *sps)
{
  uint32_t n;

  sps->poc_type = (uint8_t)rec_bit_reader_get_ue (reader);
  if (sps->poc_type == 0) {
    sps->log2_max_poc_lsb = (uint8_t)(rec_bit_reader_get_ue (reader) + 4);
  } else if (sps->poc_type == 1) {
    rec_bit_reader_skip (reader, 1);
    skip_ue (reader, 2);
    n = rec_bit_reader_get_ue (reader);
    if (n > 255)
      reader->error = true;
    else
      skip_ue (reader, n);
  }
  if (sps->poc_type > 2 || sps->log2_max_poc_lsb > 16)
    reader->error = true;
}

/* E.1.2 */
static void
skip_h264_hrd (RecBitReader *reader)
{
  uint32_t count = rec_bit_reader_get_ue (reader) + 1;

  if (count > 32) {
    reader->error = true;
    return;
  }
  rec_bit_reader_skip (reader, 8);
  while (count-- > 0) {
    skip_ue (reader, 2);
    rec_bit_reader_skip (reader, 1);
  }
  rec_bit_reader_skip (reader, 20);
}

/* Common start of H.264 E.1.1 and H.265 E.2.1. */
static void
skip_vui_start (RecBitReader *reader)
{
  if (rec_bit_reader_get (reader, 1) &&
      rec_bit_reader_get (reader, 8) == ASPECT_RATIO_EXTENDED)
    rec_bit_reader_skip (reader, 32);
  if (rec_bit_reader_get (reader, 1)) /* overscan_info_present_flag */
    rec_bit_reader_skip (reader, 1);
  if (rec_bit_reader_get (reader, 1)) { /* video_signal_type_present_flag */
    rec_bit_reader_skip (reader, 4);
    if (rec_bit_reader_get (reader, 1))
      rec_bit_reader_skip (reader, 24);
  }
  if (rec_bit_reader_get (reader, 1)) /* chroma_loc_info_present_flag */
    skip_ue (reader, 2);
}

/* E.1.1. A frame lasts two ticks, because a tick is a field. */
static void
read_h264_vui (RecBitReader *reader, RecNalSps *sps)
{
  bool nal_hrd, vcl_hrd;
  uint32_t reorder;

  skip_vui_start (reader);
  if (rec_bit_reader_get (reader, 1)) { /* timing_info_present_flag */
    uint32_t units = rec_bit_reader_get (reader, 32);
    uint32_t scale = rec_bit_reader_get (reader, 32);

    if (!reader->error)
      sps->frame_time = make_frame_time (units, scale, 2);
    rec_bit_reader_skip (reader, 1);
  }
  nal_hrd = rec_bit_reader_get (reader, 1);
  if (nal_hrd)
    skip_h264_hrd (reader);
  vcl_hrd = rec_bit_reader_get (reader, 1);
  if (vcl_hrd)
    skip_h264_hrd (reader);
  if (nal_hrd || vcl_hrd)
    rec_bit_reader_skip (reader, 1);
  rec_bit_reader_skip (reader, 1);
  if (!rec_bit_reader_get (reader, 1)) /* bitstream_restriction_flag */
    return;
  rec_bit_reader_skip (reader, 1);
  skip_ue (reader, 4);
  reorder = rec_bit_reader_get_ue (reader);
  if (reader->error || reorder > REC_NAL_MAX_REORDER)
    return;
  sps->max_reorder = (uint8_t)reorder;
  sps->declared = true;
}

/* MaxDpbFrames of A.3.1, by MaxDpbMbs of table A-1 */
static unsigned
get_max_dpb_frames (unsigned level_idc, bool level_1b, uint64_t frame_mbs)
{
  static const struct
  {
    uint8_t level_idc;
    uint32_t max_dpb_mbs;
  } levels[] = { { 10, 396 }, { 11, 900 }, { 20, 2376 }, { 21, 4752 },
    { 30, 8100 }, { 31, 18000 }, { 32, 20480 }, { 41, 32768 }, { 42, 34816 },
    { 50, 110400 }, { 52, 184320 }, { 255, 696320 } };
  uint64_t max_dpb_mbs = levels[0].max_dpb_mbs, frames;

  for (unsigned i = 0; !level_1b; i++) {
    max_dpb_mbs = levels[i].max_dpb_mbs;
    if (level_idc <= levels[i].level_idc)
      break;
  }
  frames = frame_mbs > 0 ? max_dpb_mbs / frame_mbs : REC_NAL_MAX_REORDER;
  return frames > REC_NAL_MAX_REORDER ? REC_NAL_MAX_REORDER
      : frames > 0                    ? (unsigned)frames
                                      : 1;
}

static bool
is_h264_intra_profile (unsigned profile_idc, unsigned constraints)
{
  return profile_idc == 44 ||
      ((constraints & 0x10) &&
          (profile_idc == 86 || profile_idc == 100 || profile_idc == 110 ||
              profile_idc == 122 || profile_idc == 244));
}

/* 7.3.2.1.1 */
static void
parse_h264_sps (RecBitReader *reader, RecNalSps *sps)
{
  unsigned profile_idc = rec_bit_reader_get (reader, 8);
  unsigned constraints = rec_bit_reader_get (reader, 8);
  unsigned level_idc = rec_bit_reader_get (reader, 8);
  bool level_1b = level_idc == 11 && (constraints & 0x10) && profile_idc < 100;
  uint32_t references, width, height;

  skip_ue (reader, 1);
  if (has_chroma_format (profile_idc))
    read_chroma_format (reader, sps);
  sps->log2_max_frame_num = (uint8_t)(rec_bit_reader_get_ue (reader) + 4);
  if (sps->log2_max_frame_num > 16)
    reader->error = true;
  read_pic_order_cnt_type (reader, sps);
  references = rec_bit_reader_get_ue (reader);
  rec_bit_reader_skip (reader, 1);
  width = rec_bit_reader_get_ue (reader) + 1;
  height = rec_bit_reader_get_ue (reader) + 1;
  sps->frames_only = rec_bit_reader_get (reader, 1);
  if (!sps->frames_only)
    rec_bit_reader_skip (reader, 1);
  rec_bit_reader_skip (reader, 1);
  if (rec_bit_reader_get (reader, 1)) /* frame_cropping_flag */
    skip_ue (reader, 4);
  /* Determines the depth without the VUI, which some encoders write wrongly.
   * The two profiles without B slices, output order equal to decoding order,
   * and pictures that are never referred to need no reordering. */
  sps->valid = !reader->error;
  if (sps->poc_type != 2 && references > 0 && profile_idc != 66 &&
      !is_h264_intra_profile (profile_idc, constraints))
    sps->max_reorder = (uint8_t)get_max_dpb_frames (level_idc, level_1b,
        (uint64_t)width * height * (sps->frames_only ? 1 : 2));
  else
    sps->declared = sps->poc_type == 2;
  if (sps->valid && rec_bit_reader_get (reader, 1))
    read_h264_vui (reader, sps);
  if (sps->poc_type == 2)
    sps->max_reorder = 0;
}

static void
parse_h264_slice (RecBitReader *reader, const RecNalUnit *nal,
    const RecNalSps *sps, RecNalSlice *slice)
{
  skip_ue (reader, 3); /* first_mb_in_slice, slice_type, PPS */
  if (sps->separate_planes)
    rec_bit_reader_skip (reader, 2);
  slice->frame_num = rec_bit_reader_get (reader, sps->log2_max_frame_num);
  if (!sps->frames_only && rec_bit_reader_get (reader, 1)) {
    slice->bottom = rec_bit_reader_get (reader, 1);
    slice->field = true;
  }
  if ((nal->data[0] & 0x1f) == 5)
    skip_ue (reader, 1); /* idr_pic_id */
  if (sps->poc_type == 0)
    slice->poc_lsb = rec_bit_reader_get (reader, sps->log2_max_poc_lsb);
  if (reader->error)
    slice->field = false;
  slice->has_poc = sps->poc_type == 0 && !reader->error;
}

/* --- H.265 --- */

/* H.265 7.3.3: profile_tier_level (1, maxNumSubLayersMinus1) */
static void
skip_h265_profile_tier_level (RecBitReader *reader, unsigned sub_layers_minus1)
{
  uint32_t present;

  rec_bit_reader_skip (reader, 88 + 8);
  if (sub_layers_minus1 == 0)
    return;
  present = rec_bit_reader_get (reader, 16);
  for (unsigned i = 0; i < sub_layers_minus1; i++) {
    if (present >> (15 - 2 * i) & 1)
      rec_bit_reader_skip (reader, 88);
    if (present >> (14 - 2 * i) & 1)
      rec_bit_reader_skip (reader, 8);
  }
}

/* 7.3.4 */
static void
skip_h265_scaling_lists (RecBitReader *reader)
{
  for (unsigned size = 0; size < 4; size++) {
    for (unsigned matrix = 0; matrix < 6; matrix += size == 3 ? 3 : 1) {
      unsigned n = size == 0 ? 16 : 64;

      if (!rec_bit_reader_get (reader, 1)) {
        skip_ue (reader, 1);
        continue;
      }
      skip_ue (reader, size > 1 ? n + 1 : n);
    }
  }
}

/* 7.3.7. @n_deltas: NumDeltaPocs of the set before, afterwards of this set */
static void
skip_short_term_set (RecBitReader *reader, unsigned index, uint32_t *n_deltas)
{
  uint32_t negative, positive, n = 0;

  if (index > 0 && rec_bit_reader_get (reader, 1)) {
    rec_bit_reader_skip (reader, 1);
    skip_ue (reader, 1);
    for (uint32_t i = 0; i <= *n_deltas; i++) {
      bool used = rec_bit_reader_get (reader, 1);

      n += used || rec_bit_reader_get (reader, 1);
    }
    *n_deltas = n;
  } else {
    negative = rec_bit_reader_get_ue (reader);
    positive = rec_bit_reader_get_ue (reader);
    if (negative > REC_NAL_MAX_REORDER || positive > REC_NAL_MAX_REORDER)
      reader->error = true;
    for (uint32_t i = 0; i < negative + positive && !reader->error; i++) {
      skip_ue (reader, 1);
      rec_bit_reader_skip (reader, 1);
    }
    *n_deltas = negative + positive;
  }
  if (*n_deltas > 2 * REC_NAL_MAX_REORDER)
    reader->error = true;
}

/* E.2.1, up to the timing information */
static void
read_h265_vui (RecBitReader *reader, RecNalSps *sps)
{
  skip_vui_start (reader);
  rec_bit_reader_skip (reader, 3);
  if (rec_bit_reader_get (reader, 1)) /* default_display_window_flag */
    skip_ue (reader, 4);
  if (rec_bit_reader_get (reader, 1)) { /* vui_timing_info_present_flag */
    uint32_t units = rec_bit_reader_get (reader, 32);
    uint32_t scale = rec_bit_reader_get (reader, 32);

    if (!reader->error)
      sps->frame_time = make_frame_time (units, scale, 1);
  }
}

/* 7.3.2.2.1, after sps_max_num_reorder_pics */
static void
read_h265_sps_rest (RecBitReader *reader, RecNalSps *sps)
{
  uint32_t n, n_deltas = 0;

  skip_ue (reader, 6);
  if (rec_bit_reader_get (reader, 1) && rec_bit_reader_get (reader, 1))
    skip_h265_scaling_lists (reader);
  rec_bit_reader_skip (reader, 2);
  if (rec_bit_reader_get (reader, 1)) { /* pcm_enabled_flag */
    rec_bit_reader_skip (reader, 8);
    skip_ue (reader, 2);
    rec_bit_reader_skip (reader, 1);
  }
  n = rec_bit_reader_get_ue (reader);
  for (unsigned i = 0; i < n && n <= MAX_SHORT_TERM_SETS && !reader->error; i++)
    skip_short_term_set (reader, i, &n_deltas);
  if (rec_bit_reader_get (reader, 1)) { /* long_term_ref_pics_present_flag */
    n = rec_bit_reader_get_ue (reader);
    for (unsigned i = 0; i < n && n <= 32; i++)
      rec_bit_reader_skip (reader, sps->log2_max_poc_lsb + 1u);
  }
  rec_bit_reader_skip (reader, 2);
  if (!reader->error && rec_bit_reader_get (reader, 1))
    read_h265_vui (reader, sps);
}

static void
parse_h265_sps (RecBitReader *reader, RecNalSps *sps)
{
  unsigned sub_layers_minus1;
  bool all_layers;
  uint32_t reorder = 0;

  rec_bit_reader_skip (reader, 4);
  sub_layers_minus1 = rec_bit_reader_get (reader, 3);
  rec_bit_reader_skip (reader, 1);
  skip_h265_profile_tier_level (reader, sub_layers_minus1);
  skip_ue (reader, 1);
  if (rec_bit_reader_get_ue (reader) == 3) /* chroma_format_idc */
    sps->separate_planes = rec_bit_reader_get (reader, 1);
  skip_ue (reader, 2);
  if (rec_bit_reader_get (reader, 1)) /* conformance_window_flag */
    skip_ue (reader, 4);
  skip_ue (reader, 2);
  sps->log2_max_poc_lsb = (uint8_t)(rec_bit_reader_get_ue (reader) + 4);
  all_layers = rec_bit_reader_get (reader, 1);
  for (unsigned i = all_layers ? 0 : sub_layers_minus1; i <= sub_layers_minus1;
       i++) {
    skip_ue (reader, 1);
    reorder = rec_bit_reader_get_ue (
        reader); /* the value of the highest sub-layer counts */
    skip_ue (reader, 1);
  }
  if (reader->error || reorder > REC_NAL_MAX_REORDER ||
      sps->log2_max_poc_lsb > 16)
    return;
  sps->valid = sps->declared = true;
  sps->max_reorder = (uint8_t)reorder;
  read_h265_sps_rest (reader, sps);
}

/* 7.3.6.1. Types 22 and 23 are reserved, and random access points. */
static void
parse_h265_slice (RecBitReader *reader, const RecNalUnit *nal,
    const RecNalSps *sps, const RecNalPps *pps, RecNalSlice *slice)
{
  unsigned type = nal->data[0] >> 1 & 0x3f;

  slice->has_poc = true;
  if (type == 19 || type == 20)
    return;
  rec_bit_reader_skip (reader, 1);
  if (type >= 16 && type <= 23)
    rec_bit_reader_skip (reader, 1);
  skip_ue (reader, 1);
  rec_bit_reader_skip (reader, pps->extra_bits);
  skip_ue (reader, 1); /* slice_type */
  if (pps->output_flag_present)
    rec_bit_reader_skip (reader, 1);
  if (sps->separate_planes)
    rec_bit_reader_skip (reader, 2);
  slice->poc_lsb = rec_bit_reader_get (reader, sps->log2_max_poc_lsb);
  slice->has_poc = !reader->error;
}

/* --- H.266 --- */

/* H.266 7.3.3.1: profile_tier_level (1, maxNumSubLayersMinus1) */
static void
skip_h266_profile_tier_level (RecBitReader *reader, unsigned sub_layers_minus1)
{
  uint32_t present = 0, n;

  rec_bit_reader_skip (reader, 8 + 8 + 2);
  if (rec_bit_reader_get (reader, 1)) { /* gci_present_flag */
    rec_bit_reader_skip (reader, 71);
    n = rec_bit_reader_get (reader, 8);
    rec_bit_reader_skip (reader, n);
  }
  rec_bit_reader_skip (reader, (8 - (reader->pos & 7)) & 7);
  for (unsigned i = 0; i < sub_layers_minus1; i++)
    present = present << 1 | rec_bit_reader_get (reader, 1);
  rec_bit_reader_skip (reader, (8 - (reader->pos & 7)) & 7);
  for (; present; present &= present - 1)
    rec_bit_reader_skip (reader, 8);
  n = rec_bit_reader_get (reader, 8);
  for (; n > 0 && !reader->error; n--)
    rec_bit_reader_skip (reader, 32);
}

/* 7.3.2.4, up to dpb_parameters(). Nothing is known with subpictures, which
 * current encoders do not use, or without dpb_parameters(). */
static void
parse_h266_sps (RecBitReader *reader, RecNalSps *sps)
{
  unsigned sub_layers_minus1, n;
  bool present, all_layers = false;
  uint32_t reorder = 0;

  rec_bit_reader_skip (reader, 8);
  sub_layers_minus1 = rec_bit_reader_get (reader, 3);
  rec_bit_reader_skip (reader, 4);
  present = rec_bit_reader_get (reader, 1);
  if (!present)
    return;
  skip_h266_profile_tier_level (reader, sub_layers_minus1);
  rec_bit_reader_skip (reader, 1);
  if (rec_bit_reader_get (reader, 1)) /* ref_pic_resampling_enabled_flag */
    rec_bit_reader_skip (reader, 1);
  skip_ue (reader, 2);
  if (rec_bit_reader_get (reader, 1)) /* conformance_window_flag */
    skip_ue (reader, 4);
  if (rec_bit_reader_get (reader, 1)) /* subpic_info_present_flag */
    return;
  skip_ue (reader, 1);
  rec_bit_reader_skip (reader, 2 + 4);
  if (rec_bit_reader_get (reader, 1)) /* poc_msb_cycle_flag */
    skip_ue (reader, 1);
  for (int i = 0; i < 2; i++) { /* extra bytes of picture and slice headers */
    n = rec_bit_reader_get (reader, 2);
    rec_bit_reader_skip (reader, 8 * n);
  }
  if (sub_layers_minus1 > 0)
    all_layers = rec_bit_reader_get (reader, 1);
  for (unsigned i = all_layers ? 0 : sub_layers_minus1; i <= sub_layers_minus1;
       i++) {
    skip_ue (reader, 1);
    reorder = rec_bit_reader_get_ue (reader);
    skip_ue (reader, 1);
  }
  if (reader->error || reorder > REC_NAL_MAX_REORDER)
    return;
  sps->valid = sps->declared = true;
  sps->max_reorder = (uint8_t)reorder;
}

/* --- All of them --- */

static bool
init_reader (RecBitReader *reader, RecNalSyntax syntax, const RecNalUnit *nal)
{
  size_t header = rec_nal_header_size (syntax);

  if (nal->size < header)
    return false;
  rec_bit_reader_init_nal (reader, nal->data + header, nal->size - header);
  return true;
}

void
rec_nal_parse_sps (RecNalSyntax syntax, const RecNalUnit *nal, RecNalSps *sps)
{
  RecBitReader reader;

  memset (sps, 0, sizeof (*sps));
  if (!init_reader (&reader, syntax, nal))
    return;
  switch (syntax) {
    case REC_NAL_H264:
      parse_h264_sps (&reader, sps);
      break;
    case REC_NAL_H265:
      parse_h265_sps (&reader, sps);
      break;
    case REC_NAL_H266:
      parse_h266_sps (&reader, sps);
      break;
  }
}

void
rec_nal_parse_pps (RecNalSyntax syntax, const RecNalUnit *nal, RecNalPps *pps)
{
  RecBitReader reader;
  uint32_t id;

  memset (pps, 0, sizeof (*pps));
  if (syntax == REC_NAL_H266 || !init_reader (&reader, syntax, nal))
    return;
  skip_ue (&reader, 1);
  id = rec_bit_reader_get_ue (&reader);
  if (syntax == REC_NAL_H265) {
    rec_bit_reader_skip (&reader, 1);
    pps->output_flag_present = rec_bit_reader_get (&reader, 1);
    pps->extra_bits = (uint8_t)rec_bit_reader_get (&reader, 3);
  }
  pps->sps_id = (uint8_t)id;
  pps->valid = !reader.error && id < 32;
}

int
rec_nal_get_slice_pps_id (RecNalSyntax syntax, const RecNalUnit *nal)
{
  RecBitReader reader;
  uint32_t id;

  if (syntax == REC_NAL_H266 || !init_reader (&reader, syntax, nal))
    return -1;
  if (syntax == REC_NAL_H264) {
    skip_ue (&reader, 2);
  } else {
    unsigned type = nal->data[0] >> 1 & 0x3f;

    rec_bit_reader_skip (&reader, type >= 16 && type <= 23 ? 2 : 1);
  }
  id = rec_bit_reader_get_ue (&reader);
  return reader.error || id > 255 ? -1 : (int)id;
}

/* Reads the type of a NAL unit, without a parameter set. H.265 8.1.3: the
 * order is counted from reference pictures of temporal layer 0 that are not
 * leading pictures. */
static void
read_nal_type (RecNalSyntax syntax, const RecNalUnit *nal, RecNalSlice *slice)
{
  unsigned type;

  slice->idr = nal->kind == REC_NAL_SLICE_IDR;
  switch (syntax) {
    case REC_NAL_H264:
      slice->leading = !slice->idr;
      slice->reference = nal->data[0] & 0x60;
      break;
    case REC_NAL_H265:
      type = nal->data[0] >> 1 & 0x3f;
      slice->leading = type != 20 && type != 18; /* IDR_N_LP, BLA_N_LP */
      slice->reference = (nal->data[1] & 7) == 1 && !(type >= 6 && type <= 9) &&
          !(type < 16 && type % 2 == 0);
      break;
    case REC_NAL_H266:
      slice->leading = nal->data[1] >> 3 != 8; /* IDR_N_LP */
      break;
  }
}

void
rec_nal_parse_slice (RecNalSyntax syntax, const RecNalUnit *nal,
    const RecNalSps *sps, const RecNalPps *pps, RecNalSlice *slice)
{
  RecBitReader reader;

  memset (slice, 0, sizeof (*slice));
  if (!init_reader (&reader, syntax, nal))
    return;
  read_nal_type (syntax, nal, slice);
  if (!sps->valid || !pps->valid)
    return;
  if (syntax == REC_NAL_H264)
    parse_h264_slice (&reader, nal, sps, slice);
  else if (syntax == REC_NAL_H265)
    parse_h265_slice (&reader, nal, sps, pps, slice);
}
