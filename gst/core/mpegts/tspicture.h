/* gst-tsrec: the place of a picture in output order
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Facts about time in the headers of a video stream, in addition to
 * timestamps: the reorder depth, the duration of pictures, their order, and
 * whether a picture is the second field of a frame.
 */

#pragma once

#include "recnalparse.h"

/**
 * TsPicture: one access unit.
 * @depth: number of pictures that may precede a picture in decoding order and
 *   follow it in output order, 0 to REC_NAL_MAX_REORDER
 * @declared: @depth is in the stream; otherwise it is the limit of the profile
 *   and level
 * @frame_time: duration of a frame by the stream, ns, 0 if unknown
 * @stated: @depth is in the stream as a number; pictures of MPEG-2 may be
 *   reordered or not
 * @has_order: @order is known
 * @order: place in output order, in fields, since the last @restart
 * @restart: @order is counted from this picture
 * @leading: pictures that follow it in decoding order may precede it in output
 *   order
 * @field: the picture is one field
 * @second_field: the picture completes the frame of the field before
 */
typedef struct
{
  unsigned depth;
  bool declared;
  bool stated;
  bool has_order;
  bool restart;
  bool leading;
  bool field;
  bool second_field;
  int32_t order;
  int64_t frame_time;
} TsPicture;

/**
 * TsPictureState: state of one stream.
 * @poc_msb: POC, most significant part, of the picture that later pictures are
 *   counted from
 * @poc_lsb: pic_order_cnt_lsb of the picture that later pictures are counted
 *   from
 * @single: pictures are counted by one instead of by two fields
 * @first_field: the last picture was the first field of a frame
 * @bottom: the last picture was a bottom field
 * @frame_num: frame_num or temporal_reference of the last picture
 * @mpeg: fields of the last headers of MPEG-1 or MPEG-2 video
 */
typedef struct
{
  int32_t poc_msb;
  uint32_t poc_lsb;
  bool single;
  bool first_field;
  bool bottom;
  uint32_t frame_num;
  TsPicture mpeg;
} TsPictureState;

void ts_picture_state_init (TsPictureState *state);

/* Fills @picture from the header of its first slice. */
void ts_picture_from_slice (TsPictureState *state, RecNalSyntax syntax,
    const RecNalSps *sps, const RecNalSlice *slice, TsPicture *picture);

/* Reads one header of MPEG-1 or MPEG-2 video: @data begins with its start code
 * prefix. A picture is complete at its first slice. */
void ts_picture_read_mpeg_header (
    TsPictureState *state, const uint8_t *data, size_t size);
void ts_picture_from_mpeg (TsPictureState *state, TsPicture *picture);
