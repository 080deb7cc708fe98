/* gst-tsrec: parameter sets and slice headers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads the facts about time and order of pictures: how far they are
 * reordered, their duration, and their place in output order. Fields after
 * these are not read. Pure functions on one NAL unit each.
 */

#pragma once

#include "recnalunit.h"

/* Limit of pictures in the buffer of H.264 (A.3.1), H.265 and H.266 (A.4.2). */
#define REC_NAL_MAX_REORDER 16

/**
 * RecNalSps: a sequence parameter set.
 * @valid: it was read, at least up to @frame_time
 * @max_reorder: number of pictures that may precede a picture in decoding
 *   order and follow it in output order, 0 to REC_NAL_MAX_REORDER
 * @declared: @max_reorder is in the stream; otherwise it is the limit of the
 *   profile and level
 * @frame_time: duration of a frame, ns, 0 if unknown
 * @log2_max_frame_num: H.264: bits of frame_num
 * @poc_type: H.264: pic_order_cnt_type
 * @log2_max_poc_lsb: bits of pic_order_cnt_lsb, 0 if it is not used
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
 * RecNalPps: the fields of a picture parameter set that a slice header depends
 * on.
 * @valid: it was read
 * @sps_id: identifier of its sequence parameter set
 * @output_flag_present: H.265: output_flag_present_flag
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
 * @idr: the picture is an IDR picture
 * @leading: pictures that follow it in decoding order may precede it in output
 *   order
 * @reference: H.264: nal_ref_idc is not 0; H.265: the order of later pictures
 *   is counted from it
 * @field: the picture is a field
 * @bottom: the picture is a bottom field
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

/* Reads @nal, of kind REC_NAL_SPS, into @sps. @sps->valid is false on failure.
 */
void rec_nal_parse_sps (
    RecNalSyntax syntax, const RecNalUnit *nal, RecNalSps *sps);

/* Reads @nal, of kind REC_NAL_PPS, into @pps. @pps->valid is false on failure.
 * Reads nothing of H.266. */
void rec_nal_parse_pps (
    RecNalSyntax syntax, const RecNalUnit *nal, RecNalPps *pps);

/* Returns the pic_parameter_set_id of a slice of H.264 or H.265. Returns -1
 * for a damaged slice and for H.266, whose picture header has it. */
int rec_nal_get_slice_pps_id (RecNalSyntax syntax, const RecNalUnit *nal);

/* Reads the header of the slice @nal. @sps and @pps: the parameter sets of the
 * slice. Without valid ones, only @idr, @leading and @reference are set. */
void rec_nal_parse_slice (RecNalSyntax syntax, const RecNalUnit *nal,
    const RecNalSps *sps, const RecNalPps *pps, RecNalSlice *slice);
