/* gst-tsrec: the place of a picture in output order
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tspicture.h"

#include <string.h>

void
ts_picture_state_init (TsPictureState *state)
{
  memset (state, 0, sizeof (*state));
  /* ISO/IEC 13818-2 6.1.1.11: a reference picture waits for the next reference
   * picture. */
  state->mpeg.depth = 1;
  state->mpeg.declared = true;
  state->mpeg.leading = true;
}

/* --- H.264, H.265 and H.266 --- */

/* H.264 8.2.1.1 and H.265 8.3.1 */
static int32_t
get_poc (TsPictureState *state, const RecNalSps *sps, const RecNalSlice *slice)
{
  uint32_t max = UINT32_C (1) << sps->log2_max_poc_lsb;
  uint32_t lsb = slice->poc_lsb;
  int32_t msb = state->poc_msb;

  if (slice->idr) {
    msb = 0;
    state->poc_lsb = 0;
  } else if (lsb < state->poc_lsb && state->poc_lsb - lsb >= max / 2) {
    msb += (int32_t)max;
  } else if (lsb > state->poc_lsb && lsb - state->poc_lsb > max / 2) {
    msb -= (int32_t)max;
  }
  /* After years of a stream the count starts again, once. */
  if (msb > INT32_MAX / 4 || msb < INT32_MIN / 4)
    msb = 0;
  if (slice->reference || slice->idr) {
    state->poc_msb = msb;
    state->poc_lsb = lsb;
  }
  return msb + (int32_t)lsb;
}

static bool
is_second_field (const TsPictureState *state, const RecNalSlice *slice)
{
  return slice->field && !slice->idr && state->first_field &&
      slice->bottom != state->bottom && slice->frame_num == state->frame_num;
}

void
ts_picture_from_slice (TsPictureState *state, RecNalSyntax syntax,
    const RecNalSps *sps, const RecNalSlice *slice, TsPicture *picture)
{
  memset (picture, 0, sizeof (*picture));
  picture->depth = sps->max_reorder;
  picture->declared = picture->stated = sps->declared;
  picture->frame_time = sps->frame_time;
  picture->leading = slice->leading;
  picture->restart = slice->idr;
  picture->field = slice->field;
  picture->second_field = is_second_field (state, slice);
  state->first_field = slice->field && !picture->second_field;
  state->bottom = slice->bottom;
  state->frame_num = slice->frame_num;
  if (!slice->has_poc)
    return;
  picture->has_order = true;
  picture->order = get_poc (state, sps, slice);
  /* H.264 counts fields, two per frame, but some encoders count frames. */
  if (syntax == REC_NAL_H264 && sps->frames_only && picture->order & 1)
    state->single = true;
  if (syntax == REC_NAL_H265 || state->single)
    picture->order *= 2;
}

/* --- MPEG-1 and MPEG-2 video, ISO/IEC 13818-2 6.2 --- */

#define PICTURE_START_CODE 0x00
#define SEQUENCE_HEADER_CODE 0xb3
#define EXTENSION_START_CODE 0xb5
#define GROUP_START_CODE 0xb8
#define SEQUENCE_EXTENSION_ID 1
#define PICTURE_CODING_EXTENSION_ID 8
#define PICTURE_STRUCTURE_FRAME 3

static void
read_frame_rate (TsPicture *mpeg, unsigned frame_rate_code)
{
  /* table 6-4, frames in 1001 s */
  static const uint32_t rates[16] = { 0, 24000, 24024, 25025, 30000, 30030,
    50050, 60000, 60060 };

  mpeg->frame_time = 0;
  if (rates[frame_rate_code] > 0)
    mpeg->frame_time = (INT64_C (1001000000000) + rates[frame_rate_code] / 2) /
        rates[frame_rate_code];
}

static void
read_extension (TsPictureState *state, const uint8_t *p, size_t size)
{
  TsPicture *mpeg = &state->mpeg;
  unsigned structure;

  if (size >= 6 && p[0] >> 4 == SEQUENCE_EXTENSION_ID) {
    mpeg->depth = p[5] & 0x80 ? 0 : 1; /* low_delay */
    mpeg->frame_time =
        mpeg->frame_time * ((p[5] & 0x1f) + 1) / ((p[5] >> 5 & 3) + 1);
  }
  if (size >= 3 && p[0] >> 4 == PICTURE_CODING_EXTENSION_ID) {
    structure = p[2] & 3;
    mpeg->field = structure != PICTURE_STRUCTURE_FRAME && structure != 0;
    mpeg->second_field = mpeg->field && state->first_field &&
        state->bottom != (structure == 2) &&
        (uint32_t)(mpeg->order / 2) == state->frame_num;
    state->bottom = structure == 2;
  }
}

void
ts_picture_read_mpeg_header (
    TsPictureState *state, const uint8_t *data, size_t size)
{
  TsPicture *mpeg = &state->mpeg;

  if (size < 8)
    return;
  switch (data[3]) {
    case SEQUENCE_HEADER_CODE:
      read_frame_rate (mpeg, data[7] & 15);
      break;
    case GROUP_START_CODE:
      mpeg->restart = true;
      mpeg->leading = !(data[7] & 0x40); /* closed_gop */
      break;
    case PICTURE_START_CODE:
      mpeg->order = 2 * (data[4] << 2 | data[5] >> 6);
      mpeg->has_order = true;
      break;
    case EXTENSION_START_CODE:
      read_extension (state, data + 4, size - 4);
      break;
    default:
      break;
  }
}

void
ts_picture_from_mpeg (TsPictureState *state, TsPicture *picture)
{
  TsPicture *mpeg = &state->mpeg;

  *picture = *mpeg;
  state->first_field = mpeg->field && !mpeg->second_field;
  state->frame_num = (uint32_t)mpeg->order / 2;
  mpeg->restart = mpeg->has_order = false;
  mpeg->field = mpeg->second_field = false;
  mpeg->leading = true;
}
