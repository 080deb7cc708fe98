/* gst-tsrec: a strict checker of MPEG transport streams: access units
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tscheckpriv.h"

#include <string.h>

typedef struct
{
  bool delimiter_first, delimiter, key, maybe_key, sps, pps, vps, slice;
} Picture;

/* The offset of the next start code (00 00 01) at or after @at, or @size. */
static size_t
find_start_code (const uint8_t *data, size_t size, size_t at)
{
  for (; at + 3 < size; at++)
    if (data[at] == 0 && data[at + 1] == 0 && data[at + 2] == 1)
      return at;
  return size;
}

/* ITU-T H.264 Table 7-1 */
static void
read_h264 (Picture *picture, const uint8_t *nal, bool first)
{
  switch (nal[0] & 0x1f) {
    case 1:
    case 2:
      picture->slice = true;
      break;
    case 5:
      picture->key = picture->slice = true;
      break;
    case 6:
      picture->maybe_key = true; /* it may hold a recovery point */
      break;
    case 7:
      picture->sps = true;
      break;
    case 8:
      picture->pps = true;
      break;
    case 9:
      picture->delimiter = true;
      picture->delimiter_first = picture->delimiter_first || first;
      break;
    default:
      break;
  }
}

/* nuh_layer_id: its pictures and parameter sets are not those of the base. */
static bool
is_other_layer (const uint8_t *nal)
{
  return (nal[0] & 1) != 0 || nal[1] >> 3 != 0;
}

/* ITU-T H.265 Table 7-1 */
static void
read_h265 (Picture *picture, const uint8_t *nal, bool first)
{
  unsigned type = nal[0] >> 1 & 0x3f;

  if (is_other_layer (nal))
    return;
  if (type <= 31)
    picture->slice = true;
  if (type >= 16 && type <= 20)
    picture->key = true; /* BLA, IDR */
  if (type == 21 || type == 39)
    picture->maybe_key = true; /* CRA; SEI with a recovery point */
  picture->vps = picture->vps || type == 32;
  picture->sps = picture->sps || type == 33;
  picture->pps = picture->pps || type == 34;
  if (type == 35) {
    picture->delimiter = true;
    picture->delimiter_first = picture->delimiter_first || first;
  }
}

static void
read_mpeg2 (Picture *picture, const uint8_t *code)
{
  if (code[0] == 0xb3)
    picture->key = true;
}

/* What belongs to the access unit that begins in @pes; what stands before its
 * delimiter is the end of the one before. */
static Picture
read_picture (const TsCheckPes *pes)
{
  Picture picture = { 0 };
  bool first = true;

  for (size_t at = find_start_code (pes->data, pes->size, 0); at < pes->size;
       at = find_start_code (pes->data, pes->size, at + 3)) {
    const uint8_t *nal = pes->data + at + 3;
    bool aligned = first && (at == 0 || (at == 1 && pes->data[0] == 0));

    first = false;
    if (pes->stream_type == 0x1b) {
      if ((nal[0] & 0x1f) == 9 && !picture.delimiter)
        picture = (Picture){ 0 };
      read_h264 (&picture, nal, aligned);
    } else if (pes->stream_type == 0x24) {
      if ((nal[0] >> 1 & 0x3f) == 35 && !is_other_layer (nal) &&
          !picture.delimiter)
        picture = (Picture){ 0 };
      read_h265 (&picture, nal, aligned);
    } else {
      read_mpeg2 (&picture, nal);
    }
  }
  return picture;
}

/* --- Frames of audio that go on with the access unit before them */

#define AC3_HEADER_SIZE 6
#define AC3_MAX_BSID 10 /* above, it is E-AC-3 */

static bool
is_frame_of_ac3 (const uint8_t *data, size_t size)
{
  return size >= AC3_HEADER_SIZE && data[0] == 0x0b && data[1] == 0x77;
}

/* Whether an E-AC-3 frame is of independent substream 0 (TS 102 366 E.1.3.1.1,
 * E.1.3.1.2), as every AC-3 frame is. */
static bool
is_core_of_ac3 (const uint8_t *frame)
{
  if (frame[5] >> 3 <= AC3_MAX_BSID)
    return true;
  return frame[2] >> 6 != 1 && (frame[2] >> 3 & 7) == 0;
}

/* From frame to frame: the size of E-AC-3 is in its header, and AC-3 begins an
 * access unit wherever it is. Where no frame begins after that size, from one
 * syncword to the next. */
static bool
has_core_of_ac3 (const uint8_t *data, size_t size)
{
  while (size >= AC3_HEADER_SIZE) {
    size_t length = ((size_t)(data[2] & 7) << 8 | data[3]) * 2 + 2;

    if (!is_frame_of_ac3 (data, size)) {
      length = 1;
    } else if (is_core_of_ac3 (data)) {
      return true;
    } else if (length > size ||
        (length < size && !is_frame_of_ac3 (data + length, size - length))) {
      length = 1;
    }
    data += length;
    size -= length;
  }
  return false;
}

/* A core of DTS, which an extension substream follows (TS 102 114 4). */
static bool
has_core_of_dts (const uint8_t *data, size_t size)
{
  static const uint8_t sync[] = { 0x7f, 0xfe, 0x80, 0x01 };

  for (; size >= sizeof sync; data++, size--)
    if (memcmp (data, sync, sizeof sync) == 0)
      return true;
  return false;
}

/* Whether @pes has a frame that others can follow in its access unit. */
static bool
has_core (const TsCheckPes *pes)
{
  return is_frame_of_ac3 (pes->data, pes->size)
      ? has_core_of_ac3 (pes->data, pes->size)
      : has_core_of_dts (pes->data, pes->size);
}

static bool
begins_with_dts_extension (const TsCheckPes *pes)
{
  static const uint8_t extension[] = { 0x64, 0x58, 0x20, 0x25 };

  return pes->size >= sizeof extension &&
      memcmp (pes->data, extension, sizeof extension) == 0;
}

/* Whether @pes begins with a frame that follows one in its access unit. */
static bool
begins_with_dependent (const TsCheckPes *pes)
{
  const uint8_t *data = pes->data;

  if (is_frame_of_ac3 (data, pes->size))
    return !is_core_of_ac3 (data);
  return begins_with_dts_extension (pes);
}

/* Of private data, where AC-3, E-AC-3 and DTS are. */
static bool
is_private_audio (const TsCheckPes *pes)
{
  return pes->kind == TS_CHECK_KIND_AUDIO && pes->stream_id == 0xbd;
}

void
ts_check_es_note_core (Pid *pid, const TsCheckPes *pes)
{
  /* Without a core, the first extension substream begins the access unit. */
  if (is_private_audio (pes) &&
      (has_core (pes) ||
          (pes->dts != TS_CHECK_NONE && begins_with_dts_extension (pes))))
    pid->had_core = true;
}

bool
ts_check_es_begins_unit (const Pid *pid, const TsCheckPes *pes)
{
  if (pid->had_core && is_private_audio (pes) && begins_with_dependent (pes))
    return has_core (pes);
  for (size_t at = find_start_code (pes->data, pes->size, 0); at < pes->size;
       at = find_start_code (pes->data, pes->size, at + 3)) {
    const uint8_t *nal = pes->data + at + 3;

    switch (pes->stream_type) {
      case 0x01: /* picture_start_code, sequence_header_code */
      case 0x02:
        if (nal[0] == 0x00 || nal[0] == 0xb3)
          return true;
        break;
      case 0x1b: /* access unit delimiters */
        if ((nal[0] & 0x1f) == 9)
          return true;
        break;
      case 0x24:
        if ((nal[0] >> 1 & 0x3f) == 35)
          return true;
        break;
      case 0x33:
        if (at + 4 < pes->size && nal[1] >> 3 == 20)
          return true;
        break;
      default:
        return true;
    }
  }
  return pes->kind != TS_CHECK_KIND_VIDEO;
}

static void
check_rap (
    TsCheck *check, Pid *pid, const TsCheckPes *pes, const Picture *picture)
{
  bool h265 = pes->stream_type == 0x24;

  if (picture->key && !pes->random_access)
    ts_check_error (check, TS_CHECK_RAP_INDICATOR, pes->pid,
        "a key picture without random_access_indicator");
  if (!pes->random_access)
    return;
  if (!picture->key && !picture->maybe_key)
    ts_check_error (check, TS_CHECK_RAP_INDICATOR, pes->pid,
        "random_access_indicator on a picture that is no way in");
  if (!pid->rap_psi)
    ts_check_error (check, TS_CHECK_RAP_PSI, pes->pid,
        "a random access point without tables and PCR in front of it");
  if (pes->stream_type != 0x02 &&
      (!picture->sps || !picture->pps || (h265 && !picture->vps)))
    ts_check_error (check, TS_CHECK_AU_PARAMETERS, pes->pid,
        "a random access point without parameter sets");
}

void
ts_check_es (TsCheck *check, Pid *pid, const TsCheckPes *pes)
{
  Picture picture;

  if (pes->stream_type != 0x1b && pes->stream_type != 0x24 &&
      pes->stream_type != 0x02)
    return;
  if (pes->pts == TS_CHECK_NONE)
    return; /* no access unit begins here */
  picture = read_picture (pes);
  if (pes->stream_type != 0x02 &&
      (!picture.delimiter || (pes->data_alignment && !picture.delimiter_first)))
    ts_check_error (check, TS_CHECK_AU_DELIMITER, pes->pid,
        "the access unit does not begin with a delimiter");
  check_rap (check, pid, pes, &picture);
}
