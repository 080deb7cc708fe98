/* gst-tsrec: the place of a picture in output order
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the headers of a video stream say about time, beside timestamps: how
 * far pictures are reordered, how long they last, how they are counted, and
 * which of them are the second field of a frame.
 */

#pragma once

#include "recnalparse.h"

/**
 * TsPicture: of one access unit.
 * @depth: pictures that may come before one in decoding order and follow it in
 *   output order, 0 to REC_NAL_MAX_REORDER
 * @declared: the stream says so; otherwise @depth is the most that it may use
 * @frame_time: how long a frame lasts by the stream, ns, 0 when not known
 * @stated: as a number; pictures of MPEG-2 may be reordered, or not
 * @has_order: @order is known
 * @order: its place in output order, in fields, since the last @restart
 * @restart: @order is counted from here
 * @leading: pictures that follow it may precede it in output order; if not,
 *   none that comes from here on is output before it
 * @field: it is one field
 * @second_field: it completes the frame whose first field came before it
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
 * TsPictureState: what one stream has to remember.
 * @poc_msb: of the picture that others are counted from
 * @poc_lsb: its pic_order_cnt_lsb
 * @single: pictures are counted by one instead of by two fields
 * @first_field: the last picture was the first field of a frame
 * @bottom: it was the bottom field
 * @frame_num: its frame_num, or temporal_reference
 * @mpeg: of the last headers of MPEG-1 or MPEG-2 video
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

/* Reads one header of MPEG-1 or MPEG-2 video: @data begins with its start
 * code prefix. A picture is complete with the first slice behind it. */
void ts_picture_read_mpeg_header (
    TsPictureState *state, const uint8_t *data, size_t size);
void ts_picture_from_mpeg (TsPictureState *state, TsPicture *picture);
