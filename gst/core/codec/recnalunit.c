/* gst-tsrec: reading NAL units, just as far as a mux has to
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recnalunit.h"

#include "recbitreader.h"

#include <string.h>

#define START_CODE_SIZE 3

size_t
rec_nal_find_start_code (const uint8_t *data, size_t size, size_t from)
{
  const uint8_t *end = data + size;
  const uint8_t *p;

  if (from + START_CODE_SIZE > size)
    return size;
  /* The 01 is the rarest byte of the three, and memchr the fastest search. */
  p = data + from + 2;
  while ((p = memchr (p, 1, (size_t)(end - p))) != NULL) {
    if (p[-1] == 0 && p[-2] == 0)
      return (size_t)(p - 2 - data);
    p++;
  }
  return size;
}

size_t
rec_nal_header_size (RecNalSyntax syntax)
{
  return syntax == REC_NAL_H264 ? 1 : 2;
}

/* H.264 table 7-1 */
static RecNalKind
get_kind_h264 (unsigned nal_unit_type)
{
  switch (nal_unit_type) {
    case 1:
    case 2:
    case 3:
    case 4:
      return REC_NAL_SLICE;
    case 5:
      return REC_NAL_SLICE_IDR;
    case 6:
      return REC_NAL_SEI;
    case 7:
      return REC_NAL_SPS;
    case 8:
      return REC_NAL_PPS;
    case 9:
      return REC_NAL_AUD;
    case 10:
    case 11:
      return REC_NAL_END;
    case 15:
      return REC_NAL_SUBSET_SPS;
    case 20: /* slice of SVC or MVC */
    case 21: /* slice of 3D-AVC */
      return REC_NAL_LAYER;
    default:
      return REC_NAL_OTHER;
  }
}

/* H.265 table 7-1 */
static RecNalKind
get_kind_h265 (unsigned nal_unit_type)
{
  if (nal_unit_type == 19 || nal_unit_type == 20)
    return REC_NAL_SLICE_IDR;
  if (nal_unit_type >= 16 && nal_unit_type <= 21)
    return REC_NAL_SLICE_CRA;
  if (nal_unit_type < 32)
    return REC_NAL_SLICE;
  switch (nal_unit_type) {
    case 32:
      return REC_NAL_VPS;
    case 33:
      return REC_NAL_SPS;
    case 34:
      return REC_NAL_PPS;
    case 35:
      return REC_NAL_AUD;
    case 36:
    case 37:
      return REC_NAL_END;
    case 39:
      return REC_NAL_SEI;
    default:
      return REC_NAL_OTHER;
  }
}

/* H.266 table 5 */
static RecNalKind
get_kind_h266 (unsigned nal_unit_type)
{
  if (nal_unit_type == 7 || nal_unit_type == 8)
    return REC_NAL_SLICE_IDR;
  if (nal_unit_type == 9)
    return REC_NAL_SLICE_CRA;
  if (nal_unit_type < 12)
    return REC_NAL_SLICE;
  switch (nal_unit_type) {
    case 14:
      return REC_NAL_VPS;
    case 15:
      return REC_NAL_SPS;
    case 16:
      return REC_NAL_PPS;
    case 20:
      return REC_NAL_AUD;
    case 21:
    case 22:
      return REC_NAL_END;
    case 23:
      return REC_NAL_SEI;
    default:
      return REC_NAL_OTHER;
  }
}

unsigned
rec_nal_get_type (RecNalSyntax syntax, const uint8_t *header)
{
  switch (syntax) {
    case REC_NAL_H264:
      return header[0] & 0x1f;
    case REC_NAL_H265:
      return header[0] >> 1 & 0x3f;
    default:
      return header[1] >> 3;
  }
}

RecNalKind
rec_nal_get_kind (RecNalSyntax syntax, unsigned nal_unit_type)
{
  switch (syntax) {
    case REC_NAL_H264:
      return get_kind_h264 (nal_unit_type);
    case REC_NAL_H265:
      return get_kind_h265 (nal_unit_type);
    default:
      return get_kind_h266 (nal_unit_type);
  }
}

/* nuh_layer_id: H.265 7.4.2.2, H.266 7.4.2.2. Layers have parameter sets with IDs
 * of their own. */
static unsigned
get_layer (RecNalSyntax syntax, const uint8_t *header)
{
  switch (syntax) {
    case REC_NAL_H265:
      return (header[0] & 1u) << 5 | header[1] >> 3;
    case REC_NAL_H266:
      return header[0] & 0x3f;
    default:
      return 0;
  }
}

static bool
is_slice_type (RecNalSyntax syntax, const uint8_t *header)
{
  return rec_nal_get_type (syntax, header) < (syntax == REC_NAL_H265 ? 32 : 12);
}

static RecNalKind
get_kind (RecNalSyntax syntax, const uint8_t *data, size_t size)
{
  if (size < rec_nal_header_size (syntax))
    return REC_NAL_OTHER;
  if (get_layer (syntax, data) != 0)
    return is_slice_type (syntax, data) ? REC_NAL_LAYER : REC_NAL_OTHER;
  return rec_nal_get_kind (syntax, rec_nal_get_type (syntax, data));
}

void
rec_nal_scanner_init (RecNalScanner *scanner, RecNalSyntax syntax,
    const uint8_t *data, size_t size)
{
  scanner->data = data;
  scanner->size = size;
  scanner->pos = 0;
  scanner->syntax = syntax;
  scanner->done = false;
}

bool
rec_nal_scanner_next (RecNalScanner *scanner, RecNalUnit *nal)
{
  const uint8_t *data = scanner->data;
  size_t start = rec_nal_find_start_code (data, scanner->size, scanner->pos);
  size_t end;

  if (scanner->done || start == scanner->size)
    return false;
  nal->offset = start;
  while (nal->offset > scanner->pos && data[nal->offset - 1] == 0)
    nal->offset--;
  start += START_CODE_SIZE;
  nal->data = data + start;
  nal->kind = get_kind (scanner->syntax, nal->data, scanner->size - start);
  if (nal->kind >= REC_NAL_SLICE) {
    scanner->done = true;
    end = scanner->size;
  } else {
    end = rec_nal_find_start_code (data, scanner->size, start);
    scanner->pos = end;
  }
  /* trailing_zero_8bits, or the zero_byte of the next start code */
  while (end > start && data[end - 1] == 0 && !scanner->done)
    end--;
  if (!scanner->done)
    scanner->pos = end;
  nal->size = end - start;
  return true;
}

/* H.265 7.3.3, profile_tier_level (1, maxNumSubLayersMinus1) */
static void
skip_profile_tier_level (RecBitReader *reader, unsigned max_sub_layers_minus1)
{
  uint32_t present;

  rec_bit_reader_skip (reader, 88 + 8);
  if (max_sub_layers_minus1 == 0)
    return;
  present = rec_bit_reader_get (reader, 16);
  for (unsigned i = 0; i < max_sub_layers_minus1; i++) {
    if (present >> (15 - 2 * i) & 1)
      rec_bit_reader_skip (reader, 88);
    if (present >> (14 - 2 * i) & 1)
      rec_bit_reader_skip (reader, 8);
  }
}

static uint32_t
read_h264_id (RecBitReader *reader, RecNalKind kind)
{
  if (kind == REC_NAL_SPS)
    rec_bit_reader_skip (reader, 24); /* profile_idc .. level_idc */
  return rec_bit_reader_get_ue (reader);
}

static uint32_t
read_h265_id (RecBitReader *reader, RecNalKind kind)
{
  if (kind == REC_NAL_VPS)
    return rec_bit_reader_get (reader, 4);
  if (kind == REC_NAL_SPS) {
    unsigned max_sub_layers_minus1;

    rec_bit_reader_skip (reader, 4); /* sps_video_parameter_set_id */
    max_sub_layers_minus1 = rec_bit_reader_get (reader, 3);
    rec_bit_reader_skip (reader, 1); /* sps_temporal_id_nesting_flag */
    skip_profile_tier_level (reader, max_sub_layers_minus1);
  }
  return rec_bit_reader_get_ue (reader);
}

static uint32_t
read_h266_id (RecBitReader *reader, RecNalKind kind)
{
  return rec_bit_reader_get (reader, kind == REC_NAL_PPS ? 6 : 4);
}

int
rec_nal_get_parameter_set_id (RecNalSyntax syntax, const RecNalUnit *nal)
{
  size_t header = rec_nal_header_size (syntax);
  RecBitReader reader;
  uint32_t id;

  if (nal->size < header)
    return -1;
  rec_bit_reader_init_nal (&reader, nal->data + header, nal->size - header);
  switch (syntax) {
    case REC_NAL_H264:
      id = read_h264_id (&reader, nal->kind);
      break;
    case REC_NAL_H265:
      id = read_h265_id (&reader, nal->kind);
      break;
    default:
      id = read_h266_id (&reader, nal->kind);
      break;
  }
  return reader.error || id > 255 ? -1 : (int)id;
}

/* A number in SEI is the sum of bytes up to the first that is not ff. */
static uint32_t
read_sei_number (RecBitReader *reader)
{
  uint32_t sum = 0, byte;

  do {
    byte = rec_bit_reader_get (reader, 8);
    sum += byte;
  } while (byte == 0xff && sum < 0xffffff);
  return sum;
}

/* Reads the recovery point message of an SEI NAL unit: *@count is
 * recovery_frame_cnt, or recovery_poc_cnt as ue(v), which is 0 for 0. Returns
 * false if there is none. */
static bool
read_recovery_point (
    RecNalSyntax syntax, const RecNalUnit *nal, uint32_t *count)
{
  const uint32_t recovery_point = 6; /* payloadType: H.264 and H.265 D.1 */
  size_t header = rec_nal_header_size (syntax);
  RecBitReader reader;

  if (syntax == REC_NAL_H266 || nal->kind != REC_NAL_SEI || nal->size < header)
    return false;
  rec_bit_reader_init_nal (&reader, nal->data + header, nal->size - header);
  while (!reader.error) {
    uint32_t type = read_sei_number (&reader);
    uint32_t size = read_sei_number (&reader);

    if (type == recovery_point) {
      *count = rec_bit_reader_get_ue (&reader);
      return !reader.error;
    }
    if (size > nal->size)
      return false;
    rec_bit_reader_skip (&reader, 8 * size);
    /* rbsp_trailing_bits: nothing but a stop bit is left */
    if (reader.pos + 8 >= 8 * reader.size)
      return false;
  }
  return false;
}

bool
rec_nal_is_random_access (RecNalSyntax syntax, const RecNalUnit *nal)
{
  uint32_t count;

  if (nal->kind == REC_NAL_SEI)
    return read_recovery_point (syntax, nal, &count) && count == 0;
  return nal->kind == REC_NAL_SLICE_IDR || nal->kind == REC_NAL_SLICE_CRA;
}

bool
rec_nal_is_gradual_recovery (RecNalSyntax syntax, const RecNalUnit *nal)
{
  uint32_t count;

  return read_recovery_point (syntax, nal, &count) && count > 0;
}

const uint8_t *
rec_nal_get_aud (RecNalSyntax syntax, bool random_access, size_t *size)
{
  /* primary_pic_type 7, any slices */
  static const uint8_t h264[] = { 0, 0, 0, 1, 0x09, 0xf0 };
  /* pic_type 2, I, P and B slices */
  static const uint8_t h265[] = { 0, 0, 0, 1, 0x46, 0x01, 0x50 };
  /* aud_irap_or_gdr_flag, then aud_pic_type 2 */
  static const uint8_t h266[] = { 0, 0, 0, 1, 0x00, 0xa1, 0x28 };
  static const uint8_t h266_irap[] = { 0, 0, 0, 1, 0x00, 0xa1, 0xa8 };

  switch (syntax) {
    case REC_NAL_H264:
      *size = sizeof (h264);
      return h264;
    case REC_NAL_H265:
      *size = sizeof (h265);
      return h265;
    default:
      *size = sizeof (h266);
      return random_access ? h266_irap : h266;
  }
}

bool
rec_nal_continues_picture (RecNalSyntax syntax, const RecNalUnit *nal)
{
  size_t header = rec_nal_header_size (syntax);

  if (nal->kind < REC_NAL_SLICE || nal->size <= header ||
      syntax == REC_NAL_H266)
    return false;
  /* ue(v) 0 and the flag are both a first bit that is set */
  return !(nal->data[header] & 0x80);
}
