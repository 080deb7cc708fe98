/* gst-tsrec: reading NAL units, just as far as a mux has to
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * H.264 (ISO/IEC 14496-10), H.265 (ISO/IEC 23008-2) and H.266 (ISO/IEC
 * 23090-3) in the byte stream format of their annex B. Only what stands
 * before the first slice is looked at: the slices are most of the bytes and
 * say nothing more.
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
  NAL_LAYER, /* slice of a layer or view other than the base one */
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
 * end of the access unit: what comes after its header is not searched. */
bool rec_nal_scanner_next (RecNalScanner *scanner, RecNalUnit *nal);

/* Offset of the next start code prefix 00 00 01 in @data from @from on, or
 * @size when there is none. */
size_t rec_nal_find_start_code (const uint8_t *data, size_t size, size_t from);

/* How many bytes of the header a NAL unit of @syntax has. */
size_t rec_nal_header_size (RecNalSyntax syntax);

/* The identifier of a parameter set, -1 if it is broken. */
int rec_nal_get_parameter_set_id (RecNalSyntax syntax, const RecNalUnit *nal);

/* H.264 and H.265: whether an SEI NAL unit has a recovery point message that
 * says that decoding that starts here is right from here on (no recovery
 * frames to wait for). */
bool rec_nal_sei_is_recovery_point (RecNalSyntax syntax, const RecNalUnit *nal);

/* H.264 and H.265: whether @nal is a slice that is not the first one of its
 * picture (first_mb_in_slice, first_slice_segment_in_pic_flag). */
bool rec_nal_continues_picture (RecNalSyntax syntax, const RecNalUnit *nal);

/* The access unit delimiter, start code included, for pictures of any slice
 * type. @random_access: the picture is IDR or CRA (H.266 says so in it).
 * Returns static data of *@size bytes. */
const uint8_t *rec_nal_get_aud (
    RecNalSyntax syntax, bool random_access, size_t *size);
