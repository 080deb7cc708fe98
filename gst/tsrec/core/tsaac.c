/* gst-tsrec: AAC: AudioSpecificConfig, ADTS headers, LATM
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tsaac.h"

#include <string.h>

/* Table 1.17, audio object types */
#define AOT_AAC_MAIN 1
#define AOT_AAC_LTP 4
#define AOT_SBR 5
#define AOT_PS 29

/* An escape value of samplingFrequencyIndex: 24 bits follow. */
#define FREQUENCY_ESCAPE 15
#define FREQUENCY_LAST 12

static unsigned
read_frequency_index (BitReader *reader)
{
  unsigned index = bit_reader_get (reader, 4);

  if (index == FREQUENCY_ESCAPE)
    bit_reader_skip (reader, 24);
  return index;
}

/* 1.6.2.1, AudioSpecificConfig up to what ADTS has a field for. */
static bool
read_config (BitReader *reader, uint8_t *header, const char **reason)
{
  unsigned type = bit_reader_get (reader, 5);
  unsigned index = read_frequency_index (reader);
  unsigned channels = bit_reader_get (reader, 4);

  if (type == AOT_SBR || type == AOT_PS) {
    /* The core codec comes after the sampling rate of the extension; readers
     * of ADTS find SBR and PS in the frames. */
    read_frequency_index (reader);
    type = bit_reader_get (reader, 5);
  }
  *reason = NULL;
  if (reader->error)
    *reason = "its AudioSpecificConfig (codec_data) is cut short";
  else if (type < AOT_AAC_MAIN || type > AOT_AAC_LTP)
    *reason = "ADTS carries AAC Main, LC, SSR and LTP only";
  else if (index > FREQUENCY_LAST)
    *reason = "ADTS carries the standard sampling rates only";
  else if (channels < 1 || channels > 7)
    *reason = "ADTS carries the standard channel configurations 1 to 7 only";
  if (*reason)
    return false;
  header[0] = 0xff;
  header[1] = 0xf1; /* MPEG-4, layer 0, protection_absent */
  header[2] = (uint8_t)((type - 1) << 6 | index << 2 | (channels >> 2 & 1));
  header[3] = (uint8_t)((channels & 3) << 6);
  header[4] = 0;
  header[5] = 0x1f; /* adts_buffer_fullness 0x7ff: variable rate */
  header[6] = 0xfc; /* one raw_data_block */
  return true;
}

bool
ts_adts_init (
    uint8_t *header, const uint8_t *config, size_t size, const char **reason)
{
  BitReader reader;

  bit_reader_init (&reader, config, size);
  return read_config (&reader, header, reason);
}

void
ts_adts_write_header (uint8_t *out, const uint8_t *header, size_t size)
{
  size_t length = size + TS_ADTS_HEADER_SIZE;

  memcpy (out, header, TS_ADTS_HEADER_SIZE);
  out[3] |= (uint8_t)(length >> 11);
  out[4] = (uint8_t)(length >> 3);
  out[5] |= (uint8_t)((length & 7) << 5);
}

/* 1.7.3.1, LatmGetValue */
static uint32_t
read_value (BitReader *reader)
{
  unsigned bytes = bit_reader_get (reader, 2) + 1;

  return bit_reader_get (reader, 8 * bytes);
}

/* 4.4.1, GASpecificConfig of AAC: nothing in it has a place in ADTS. */
static void
skip_ga_config (BitReader *reader)
{
  bit_reader_skip (reader, 1);    /* frameLengthFlag */
  if (bit_reader_get (reader, 1)) /* dependsOnCoreCoder */
    bit_reader_skip (reader, 14);
  if (bit_reader_get (reader, 1)) /* extensionFlag: not with AAC */
    reader->error = true;
}

static bool
read_stream_config (BitReader *reader, TsLoas *loas, unsigned version)
{
  const char *reason;
  size_t end = 0;

  if (version == 1) {
    end = read_value (reader);
    end += reader->pos;
  }
  if (!read_config (reader, loas->adts, &reason))
    return false;
  skip_ga_config (reader);
  if (version == 1) {
    if (end < reader->pos || end > 8 * reader->size)
      return false;
    reader->pos = end;
  }
  return !reader->error;
}

/* Bits that are not audio come after it. */
static void
read_other_data (BitReader *reader, TsLoas *loas, unsigned version)
{
  unsigned more = 1;

  loas->other_data = bit_reader_get (reader, 1) == 1;
  loas->other_data_bits = 0;
  if (!loas->other_data)
    return;
  if (version == 1) {
    loas->other_data_bits = read_value (reader);
    return;
  }
  while (more && !reader->error) {
    more = bit_reader_get (reader, 1);
    loas->other_data_bits =
        loas->other_data_bits << 8 | bit_reader_get (reader, 8);
  }
}

/* 1.7.3.1, StreamMuxConfig with one program and one layer. */
static bool
read_mux_config (BitReader *reader, TsLoas *loas)
{
  unsigned version = bit_reader_get (reader, 1);

  loas->configured = false;
  if (version == 1) {
    if (bit_reader_get (reader, 1)) /* audioMuxVersionA: reserved */
      return false;
    read_value (reader); /* taraBufferFullness */
  }
  if (!bit_reader_get (reader, 1)) /* allStreamsSameTimeFraming */
    return false;
  loas->sub_frames = bit_reader_get (reader, 6) + 1;
  if (bit_reader_get (reader, 4) != 0 || bit_reader_get (reader, 3) != 0)
    return false; /* numProgram, numLayer */
  if (!read_stream_config (reader, loas, version))
    return false;
  if (bit_reader_get (reader, 3) != 0) /* frameLengthType: variable */
    return false;
  bit_reader_skip (reader, 8); /* latmBufferFullness */
  read_other_data (reader, loas, version);
  if (bit_reader_get (reader, 1)) /* crcCheckPresent */
    bit_reader_skip (reader, 8);
  loas->configured = !reader->error;
  return loas->configured;
}

/* PayloadLengthInfo and PayloadMux of one frame. */
static size_t
read_frame (BitReader *reader, const TsLoas *loas, uint8_t *out, size_t room)
{
  size_t size = 0;
  unsigned byte;

  do {
    byte = bit_reader_get (reader, 8);
    size += byte;
  } while (byte == 255 && !reader->error);
  if (reader->error || size == 0 || size + TS_ADTS_HEADER_SIZE > room ||
      size + TS_ADTS_HEADER_SIZE > TS_ADTS_MAX_FRAME_SIZE)
    return 0;
  ts_adts_write_header (out, loas->adts, size);
  out += TS_ADTS_HEADER_SIZE;
  for (size_t i = 0; i < size; i++)
    out[i] = (uint8_t)bit_reader_get (reader, 8);
  return reader->error ? 0 : size + TS_ADTS_HEADER_SIZE;
}

/* 1.7.3.1, AudioMuxElement (1) */
static size_t
read_element (
    TsLoas *loas, const uint8_t *data, size_t size, uint8_t *out, size_t room)
{
  BitReader reader;
  size_t done = 0;

  bit_reader_init (&reader, data, size);
  if (!bit_reader_get (&reader, 1) && !read_mux_config (&reader, loas))
    return 0; /* not useSameStreamMux, and nothing that can be used */
  if (!loas->configured)
    return 0;
  for (unsigned i = 0; i < loas->sub_frames; i++) {
    size_t n = read_frame (&reader, loas, out + done, room - done);

    if (n == 0)
      return 0;
    done += n;
  }
  return done;
}

size_t
ts_loas_to_adts (TsLoas *loas, const uint8_t *data, size_t size, uint8_t *out,
    size_t out_size)
{
  size_t done = 0;

  while (size >= TS_LOAS_HEADER_SIZE) {
    /* syncword 0x2b7, audioMuxLengthBytes */
    size_t length = (size_t)(data[1] & 0x1f) << 8 | data[2];
    size_t n;

    if (data[0] != 0x56 || (data[1] & 0xe0) != 0xe0 ||
        length > size - TS_LOAS_HEADER_SIZE)
      return 0;
    data += TS_LOAS_HEADER_SIZE;
    size -= TS_LOAS_HEADER_SIZE;
    n = read_element (loas, data, length, out + done, out_size - done);
    if (n == 0)
      return 0;
    done += n;
    data += length;
    size -= length;
  }
  return size == 0 ? done : 0;
}
