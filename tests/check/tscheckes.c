/* gst-tsrec: a strict checker of MPEG transport streams: video pictures
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tscheckpriv.h"

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

/* ITU-T H.265 Table 7-1 */
static void
read_h265 (Picture *picture, const uint8_t *nal, bool first)
{
  unsigned type = nal[0] >> 1 & 0x3f;

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
      if ((nal[0] >> 1 & 0x3f) == 35 && !picture.delimiter)
        picture = (Picture){ 0 };
      read_h265 (&picture, nal, aligned);
    } else {
      read_mpeg2 (&picture, nal);
    }
  }
  return picture;
}

bool
ts_check_es_begins_unit (const TsCheckPes *pes)
{
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
