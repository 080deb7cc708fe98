/* gst-tsrec: what parameter sets and slice headers say about time and order
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pure functions on one NAL unit each. Only the fields up to those that are
 * needed are read: how far pictures are reordered, how long they last, and
 * where a picture is in output order.
 */

#pragma once

#include "recnalunit.h"

/* The most pictures that H.264 (A.3.1), H.265 and H.266 (A.4.2) can hold. */
#define REC_NAL_MAX_REORDER 16

/**
 * RecNalSps: a sequence parameter set.
 * @valid: it was read, up to @frame_time
 * @max_reorder: pictures that may come before one in decoding order and follow
 *   it in output order, 0 to REC_NAL_MAX_REORDER
 * @declared: @max_reorder is in the stream; otherwise it is the most that its
 *   profile and level allow
 * @frame_time: how long a frame lasts, ns, 0 when it is not said
 * @log2_max_frame_num: H.264
 * @poc_type: H.264: pic_order_cnt_type
 * @log2_max_poc_lsb: of pic_order_cnt_lsb, 0 when there is none
 * @frames_only: H.264: frame_mbs_only_flag
 * @separate_planes: separate_colour_plane_flag
 */
typedef struct
{
  bool valid;
  bool declared;
  uint8_t max_reorder;
  uint8_t log2_max_frame_num;
  uint8_t poc_type;
  uint8_t log2_max_poc_lsb;
  bool frames_only;
  bool separate_planes;
  int64_t frame_time;
} RecNalSps;

/**
 * RecNalPps: a picture parameter set, as far as a slice header depends on it.
 * @valid: it was read
 * @sps_id: of its sequence parameter set
 * @output_flag_present: H.265
 * @extra_bits: H.265: num_extra_slice_header_bits
 */
typedef struct
{
  bool valid;
  bool output_flag_present;
  uint8_t sps_id;
  uint8_t extra_bits;
} RecNalPps;

/**
 * RecNalSlice: the header of the first slice of a picture.
 * @idr: of an IDR picture
 * @leading: pictures that follow it may precede it in output order
 * @reference: H.264: nal_ref_idc is not 0; H.265: the pictures that follow
 *   count their order from it
 * @field: it is a field, not a frame
 * @bottom: it is the bottom field
 * @has_poc: @poc_lsb was read
 * @frame_num: H.264
 * @poc_lsb: pic_order_cnt_lsb
 */
typedef struct
{
  bool idr;
  bool leading;
  bool reference;
  bool field;
  bool bottom;
  bool has_poc;
  uint32_t frame_num;
  uint32_t poc_lsb;
} RecNalSlice;

/* Reads @nal, of kind REC_NAL_SPS, into @sps; its @valid tells of success. */
void rec_nal_parse_sps (
    RecNalSyntax syntax, const RecNalUnit *nal, RecNalSps *sps);

/* Reads @nal, of kind REC_NAL_PPS; for H.266 there is nothing to be read. */
void rec_nal_parse_pps (
    RecNalSyntax syntax, const RecNalUnit *nal, RecNalPps *pps);

/* The pic_parameter_set_id of a slice of H.264 or H.265, -1 if it is broken or
 * H.266 (which has it in the picture header). */
int rec_nal_get_slice_pps_id (RecNalSyntax syntax, const RecNalUnit *nal);

/* Reads the header of @nal, a slice. @sps and @pps: those that it refers to;
 * without valid ones only @idr, @leading and @reference are set. */
void rec_nal_parse_slice (RecNalSyntax syntax, const RecNalUnit *nal,
    const RecNalSps *sps, const RecNalPps *pps, RecNalSlice *slice);
