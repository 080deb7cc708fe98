/* gst-tsrec: frame headers of AC-3, E-AC-3, DTS and MPEG audio
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tsac3.h"

#include <string.h>

#include "recbitreader.h"

/* --- AC-3, E-AC-3 --- */

#define AC3_HEADER_SIZE 6
#define AC3_BLOCK_SAMPLES 256
#define AC3_BLOCKS 6
/* highest bsid of AC-3 */
#define AC3_MAX_BSID 10
/* strmtype */
#define STREAM_TYPE_DEPENDENT 1

static const unsigned ac3_rates[] = { 48000, 44100, 32000 };

static void
read_ac3 (const uint8_t *data, unsigned bsid, TsAudioFrame *frame)
{
  unsigned fscod = data[4] >> 6;

  frame->length.coded = AC3_BLOCKS * AC3_BLOCK_SAMPLES;
  if (fscod < 3) /* bsid 9 and 10: half and a quarter of the sampling rate */
    frame->length.rate = ac3_rates[fscod] >> (bsid > 8 ? bsid - 8 : 0);
}

static void
read_eac3 (const uint8_t *data, TsAudioFrame *frame)
{
  static const unsigned blocks[] = { 1, 2, 3, AC3_BLOCKS };
  unsigned fscod = data[4] >> 6, second = data[4] >> 4 & 3;

  /* strmtype selects the meaning of substreamid: number of a dependent or of an
   * independent substream. */
  frame->dependent =
      data[2] >> 6 == STREAM_TYPE_DEPENDENT || (data[2] >> 3 & 7) != 0;
  if (fscod < 3) { /* then numblkscod */
    frame->length.rate = ac3_rates[fscod];
    frame->length.coded = blocks[second] * AC3_BLOCK_SAMPLES;
  } else if (second < 3) { /* fscod2: half of the sampling rate */
    frame->length.rate = ac3_rates[second] / 2;
    frame->length.coded = AC3_BLOCKS * AC3_BLOCK_SAMPLES;
  }
}

bool
ts_ac3_read_frame (const uint8_t *data, size_t size, TsAudioFrame *frame)
{
  memset (frame, 0, sizeof (*frame));
  if (size < 2 || data[0] != 0x0b || data[1] != 0x77)
    return false;
  if (size < AC3_HEADER_SIZE)
    return true;
  if (data[5] >> 3 > AC3_MAX_BSID)
    read_eac3 (data, frame);
  else
    read_ac3 (data, data[5] >> 3, frame);
  frame->core = !frame->dependent;
  frame->length.presented = frame->length.coded;
  return true;
}

/* --- DTS --- */

#define DTS_SYNC_CORE 0x7ffe8001
#define DTS_SYNC_EXTENSION 0x64582025

/* TS 102 114 table 5-5, SFREQ */
static const unsigned dts_rates[16] = { 0, 8000, 16000, 32000, 0, 0, 11025,
  22050, 44100, 0, 0, 12000, 24000, 48000, 0, 0 };

/* Returns true if an extension substream follows the core. */
static bool
has_extension (const uint8_t *data, size_t size, size_t core_size)
{
  RecBitReader reader;

  if (size < core_size)
    return false;
  rec_bit_reader_init (&reader, data + core_size, size - core_size);
  return rec_bit_reader_get (&reader, 32) == DTS_SYNC_EXTENSION;
}

bool
ts_dts_read_frame (const uint8_t *data, size_t size, TsAudioFrame *frame)
{
  RecBitReader reader;
  size_t core_size;
  uint32_t sync;

  memset (frame, 0, sizeof (*frame));
  rec_bit_reader_init (&reader, data, size);
  sync = rec_bit_reader_get (&reader, 32);
  if (reader.error || (sync != DTS_SYNC_CORE && sync != DTS_SYNC_EXTENSION))
    return false;
  frame->dependent = sync == DTS_SYNC_EXTENSION;
  if (frame->dependent) {
    rec_bit_reader_skip (&reader, 8); /* UserDefinedBits */
    frame->index = rec_bit_reader_get (&reader, 2);
    frame->next_index = frame->index + 1;
    return true;
  }
  rec_bit_reader_skip (&reader, 1 + 5 + 1); /* FTYPE, SHORT, CPF */
  frame->length.coded = 32 * (rec_bit_reader_get (&reader, 7) + 1); /* NBLKS */
  core_size = rec_bit_reader_get (&reader, 14) + 1;                 /* FSIZE */
  rec_bit_reader_skip (&reader, 6);                                 /* AMODE */
  frame->length.rate = dts_rates[rec_bit_reader_get (&reader, 4)];
  frame->length.presented = frame->length.coded;
  frame->core = true;
  frame->next_index = has_extension (data, size, core_size);
  return !reader.error;
}

/* --- MPEG audio --- */

/* Returns the offset of a VBRI tag from the header. */
#define VBRI_OFFSET 36

bool
ts_mpeg_audio_is_info_frame (const uint8_t *data, size_t size)
{
  bool mpeg1, mono;
  size_t offset;

  if (size < VBRI_OFFSET + 4 || (data[1] >> 1 & 3) != 1) /* layer III */
    return false;
  mpeg1 = (data[1] >> 3 & 3) == 3;
  mono = data[3] >> 6 == 3;
  /* after the side information, which is all zero */
  offset = 4u + (mpeg1 ? (mono ? 17u : 32u) : (mono ? 9u : 17u));
  return memcmp (data + offset, "Xing", 4) == 0 ||
      memcmp (data + offset, "Info", 4) == 0 ||
      memcmp (data + VBRI_OFFSET, "VBRI", 4) == 0;
}
