/* gst-tsrec: reading NAL units, just as far as a mux has to
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * H.264 (ISO/IEC 14496-10), H.265 (ISO/IEC 23008-2) and H.266 (ISO/IEC
 * 23090-3) in the byte stream format of their annex B. Only the NAL
 * units before the first slice, and the start of that slice, are read: the
 * slices are most of the bytes and have no more facts for a mux.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum
{
  REC_NAL_H264,
  REC_NAL_H265,
  REC_NAL_H266
} RecNalSyntax;

typedef enum
{
  REC_NAL_OTHER = 0,
  REC_NAL_END,        /* end of sequence, end of bitstream: a header only */
  REC_NAL_SUBSET_SPS, /* H.264: of further views or layers */
  REC_NAL_LAYER,      /* slice of a layer or view other than the base one */
  REC_NAL_AUD,
  REC_NAL_VPS,
  REC_NAL_SPS,
  REC_NAL_PPS,
  REC_NAL_SEI,
  REC_NAL_SLICE,     /* of a picture that is no random access point */
  REC_NAL_SLICE_IDR, /* of an IDR picture */
  REC_NAL_SLICE_CRA /* of a CRA or BLA picture: decoding can start there, pictures
                    that lead it in output order excepted */
} RecNalKind;

/**
 * RecNalUnit:
 * @data: the first byte of its header
 * @size: bytes, without trailing zero bytes
 * @offset: where its start code begins in the access unit, leading zero bytes
 *   included
 * @kind: what it is
 */
typedef struct
{
  const uint8_t *data;
  size_t size;
  size_t offset;
  RecNalKind kind;
} RecNalUnit;

/**
 * RecNalScanner: goes through an access unit, one NAL unit a step, and stops at
 * the first slice.
 */
typedef struct
{
  const uint8_t *data;
  size_t size;
  size_t pos;
  RecNalSyntax syntax;
  bool done;
} RecNalScanner;

void rec_nal_scanner_init (RecNalScanner *scanner, RecNalSyntax syntax,
    const uint8_t *data, size_t size);
/* False at the end. The slice, the last one that is returned, extends to the
 * end of the access unit: the bytes after its header are not searched. */
bool rec_nal_scanner_next (RecNalScanner *scanner, RecNalUnit *nal);

/* Offset of the next start code prefix 00 00 01 in @data from @from on, or
 * @size when there is none. */
size_t rec_nal_find_start_code (const uint8_t *data, size_t size, size_t from);

/* The nal_unit_type in a header of rec_nal_header_size() bytes. */
unsigned rec_nal_get_type (RecNalSyntax syntax, const uint8_t *header);
RecNalKind rec_nal_get_kind (RecNalSyntax syntax, unsigned nal_unit_type);

/* How many bytes of the header a NAL unit of @syntax has. */
size_t rec_nal_header_size (RecNalSyntax syntax);

/* The identifier of a parameter set, -1 if it is broken. */
int rec_nal_get_parameter_set_id (RecNalSyntax syntax, const RecNalUnit *nal);

/* Returns true if @nal makes its picture a random access point: a decoder
 * that starts there shows right pictures from this one on. That is a slice
 * of an IDR, CRA or BLA picture, or an SEI NAL unit with a recovery point
 * message whose recovery_frame_cnt (H.264 D.1.8) or recovery_poc_cnt (H.265
 * D.2.8) is 0. This is the one definition: the mux sets
 * random_access_indicator there, and the loss gate of WebRTC sources opens
 * there. */
bool rec_nal_is_random_access (RecNalSyntax syntax, const RecNalUnit *nal);

/* Returns true if @nal is an SEI NAL unit with a recovery point message
 * whose count is not 0, as periodic intra refresh has them: a decoder that
 * starts there shows right pictures only later. Not a random access point. */
bool rec_nal_is_gradual_recovery (RecNalSyntax syntax, const RecNalUnit *nal);

/* H.264 and H.265: whether @nal is a slice that is not the first one of its
 * picture (first_mb_in_slice, first_slice_segment_in_pic_flag). */
bool rec_nal_continues_picture (RecNalSyntax syntax, const RecNalUnit *nal);

/* The access unit delimiter, start code included, for pictures of any slice
 * type. @random_access: the picture is IDR or CRA (a flag of it in H.266).
 * Returns static data of *@size bytes. */
const uint8_t *rec_nal_get_aud (
    RecNalSyntax syntax, bool random_access, size_t *size);
