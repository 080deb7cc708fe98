/* gst-tsrec: AAC: AudioSpecificConfig, ADTS headers, LATM
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tsaac.h"

#include "recbitreader.h"
#include <string.h>

/* Table 1.17, audio object types */
#define AOT_AAC_MAIN 1
#define AOT_AAC_LTP 4
#define AOT_SBR 5
#define AOT_PS 29

/* Escape value of samplingFrequencyIndex: 24 bits follow. */
#define FREQUENCY_ESCAPE 15
#define FREQUENCY_LAST 12

static unsigned
read_frequency_index (RecBitReader *reader)
{
  unsigned index = rec_bit_reader_get (reader, 4);

  if (index == FREQUENCY_ESCAPE)
    rec_bit_reader_skip (reader, 24);
  return index;
}

/* --- Program_config_element --- */

/* id_syn_ele of a raw_data_block, table 4.85 */
#define ID_PCE 5

typedef struct
{
  uint8_t *data;
  size_t pos; /* in bits */
} BitWriter;

static void
put_bits (BitWriter *writer, unsigned n, uint32_t value)
{
  while (n-- > 0) {
    uint8_t *byte = &writer->data[writer->pos / 8];

    if (writer->pos % 8 == 0)
      *byte = 0;
    *byte |= (uint8_t)((value >> n & 1) << (7 - writer->pos % 8));
    writer->pos++;
  }
}

static unsigned
copy_bits (RecBitReader *reader, BitWriter *writer, unsigned n)
{
  unsigned value = rec_bit_reader_get (reader, n);

  put_bits (writer, n, value);
  return value;
}

static void
copy_elements (
    RecBitReader *reader, BitWriter *writer, unsigned count, unsigned bits)
{
  while (count-- > 0)
    copy_bits (reader, writer, bits);
}

/* 4.4.1.1, up to byte_alignment (). Returns the number of channels. */
static unsigned
copy_pce_fields (RecBitReader *reader, BitWriter *writer)
{
  unsigned front, side, back, lfe, data, coupling, channels = 0;

  copy_bits (reader, writer, 4 + 2 + 4); /* tag, object_type, frequency */
  front = copy_bits (reader, writer, 4);
  side = copy_bits (reader, writer, 4);
  back = copy_bits (reader, writer, 4);
  lfe = copy_bits (reader, writer, 2);
  data = copy_bits (reader, writer, 3);
  coupling = copy_bits (reader, writer, 4);
  if (copy_bits (reader, writer, 1)) /* mono_mixdown_present */
    copy_bits (reader, writer, 4);
  if (copy_bits (reader, writer, 1)) /* stereo_mixdown_present */
    copy_bits (reader, writer, 4);
  if (copy_bits (reader, writer, 1)) /* matrix_mixdown_idx_present */
    copy_bits (reader, writer, 3);
  for (unsigned i = front + side + back; i > 0; i--) {
    channels += 1 + copy_bits (reader, writer, 1); /* is_cpe */
    copy_bits (reader, writer, 4);
  }
  copy_elements (reader, writer, lfe, 4);
  copy_elements (reader, writer, data, 4);
  copy_elements (reader, writer, coupling, 5);
  return channels + lfe;
}

/* Copies the program_config_element at @reader, whose bytes are counted from
 * bit @start. Returns false if it is truncated or has no channel. */
static bool
read_pce (RecBitReader *reader, size_t start, TsAdts *adts)
{
  BitWriter writer = { adts->pce, 0 };
  unsigned channels, comment;

  put_bits (&writer, 3, ID_PCE);
  channels = copy_pce_fields (reader, &writer);
  rec_bit_reader_skip (reader, (unsigned)((8 - (reader->pos - start) % 8) % 8));
  put_bits (&writer, (unsigned)((8 - writer.pos % 8) % 8), 0);
  comment = copy_bits (reader, &writer, 8);
  copy_elements (reader, &writer, comment, 8);
  adts->pce_size = writer.pos / 8;
  return !reader->error && channels > 0;
}

/* --- ADTS --- */

static void
make_header (uint8_t *header, unsigned type, unsigned index, unsigned channels)
{
  header[0] = 0xff;
  header[1] = 0xf1; /* MPEG-4, layer 0, protection_absent */
  header[2] = (uint8_t)((type - 1) << 6 | index << 2 | (channels >> 2 & 1));
  header[3] = (uint8_t)((channels & 3) << 6);
  header[4] = 0;
  header[5] = 0x1f; /* adts_buffer_fullness 0x7ff: variable rate */
  header[6] = 0xfc; /* one raw_data_block */
}

/* 4.4.1, GASpecificConfig of AAC. */
static const char *
read_ga_config (
    RecBitReader *reader, size_t start, unsigned channels, TsAdts *adts)
{
  bool short_frames = rec_bit_reader_get (reader, 1) == 1; /* frameLengthFlag */

  if (rec_bit_reader_get (reader, 1)) /* dependsOnCoreCoder */
    rec_bit_reader_skip (reader, 14);
  if (rec_bit_reader_get (reader, 1)) /* extensionFlag: not with AAC */
    return "its AudioSpecificConfig (codec_data) has an extension that is not "
           "of AAC";
  if (channels == 0 && !read_pce (reader, start, adts))
    return "its AudioSpecificConfig (codec_data) has channel configuration 0 "
           "and no program_config_element that names its channels";
  if (short_frames)
    return "ADTS carries frames of 1024 samples only, and these have 960";
  return NULL;
}

/* 1.6.2.1, AudioSpecificConfig up to the last field that ADTS needs. */
static bool
read_config (RecBitReader *reader, TsAdts *adts, const char **reason)
{
  size_t start = reader->pos;
  unsigned type = rec_bit_reader_get (reader, 5);
  unsigned index = read_frequency_index (reader);
  unsigned channels = rec_bit_reader_get (reader, 4);

  if (type == AOT_SBR || type == AOT_PS) {
    /* The core codec follows the sampling rate of the extension. Readers of
     * ADTS find SBR and PS in the frames. */
    read_frequency_index (reader);
    type = rec_bit_reader_get (reader, 5);
  }
  *reason = NULL;
  adts->pce_size = 0;
  if (reader->error)
    *reason = "its AudioSpecificConfig (codec_data) is cut short";
  else if (type < AOT_AAC_MAIN || type > AOT_AAC_LTP)
    *reason = "ADTS carries AAC Main, LC, SSR and LTP only";
  else if (index > FREQUENCY_LAST)
    *reason = "ADTS carries the standard sampling rates only";
  else if (channels > 7)
    *reason = "ADTS carries the channel configurations 0 to 7 only";
  else
    *reason = read_ga_config (reader, start, channels, adts);
  if (*reason)
    return false;
  make_header (adts->header, type, index, channels);
  return true;
}

bool
ts_adts_init (
    TsAdts *adts, const uint8_t *config, size_t size, const char **reason)
{
  RecBitReader reader;

  rec_bit_reader_init (&reader, config, size);
  return read_config (&reader, adts, reason);
}

size_t
ts_adts_write_prefix (
    uint8_t *out, const TsAdts *adts, const uint8_t *frame, size_t size)
{
  size_t pce_size = adts->pce_size, length;

  if (size > 0 && frame[0] >> 5 == ID_PCE)
    pce_size = 0; /* the frame has its own */
  length = TS_ADTS_HEADER_SIZE + pce_size + size;
  if (length > TS_ADTS_MAX_FRAME_SIZE)
    return 0;
  memcpy (out, adts->header, TS_ADTS_HEADER_SIZE);
  memcpy (out + TS_ADTS_HEADER_SIZE, adts->pce, pce_size);
  out[3] |= (uint8_t)(length >> 11);
  out[4] = (uint8_t)(length >> 3);
  out[5] |= (uint8_t)((length & 7) << 5);
  return TS_ADTS_HEADER_SIZE + pce_size;
}

/* --- LATM --- */

/* 1.7.3.1, LatmGetValue */
static uint32_t
read_value (RecBitReader *reader)
{
  unsigned bytes = rec_bit_reader_get (reader, 2) + 1;

  return rec_bit_reader_get (reader, 8 * bytes);
}

static bool
read_stream_config (RecBitReader *reader, TsLoas *loas, unsigned version)
{
  const char *reason;
  size_t end = 0;

  if (version == 1) {
    end = read_value (reader);
    end += reader->pos;
  }
  if (!read_config (reader, &loas->adts, &reason))
    return false;
  if (version == 1) {
    if (end < reader->pos || end > 8 * reader->size)
      return false;
    reader->pos = end;
  }
  return !reader->error;
}

/* otherDataLenBits */
static void
read_other_data (RecBitReader *reader, TsLoas *loas, unsigned version)
{
  unsigned more = 1;

  loas->other_data = rec_bit_reader_get (reader, 1) == 1;
  loas->other_data_bits = 0;
  if (!loas->other_data)
    return;
  if (version == 1) {
    loas->other_data_bits = read_value (reader);
    return;
  }
  while (more && !reader->error) {
    more = rec_bit_reader_get (reader, 1);
    loas->other_data_bits =
        loas->other_data_bits << 8 | rec_bit_reader_get (reader, 8);
  }
}

/* 1.7.3.1, StreamMuxConfig with one program and one layer. */
static bool
read_mux_config (RecBitReader *reader, TsLoas *loas)
{
  unsigned version = rec_bit_reader_get (reader, 1);

  loas->configured = false;
  if (version == 1) {
    if (rec_bit_reader_get (reader, 1)) /* audioMuxVersionA: reserved */
      return false;
    read_value (reader); /* taraBufferFullness */
  }
  if (!rec_bit_reader_get (reader, 1)) /* allStreamsSameTimeFraming */
    return false;
  loas->sub_frames = rec_bit_reader_get (reader, 6) + 1;
  if (rec_bit_reader_get (reader, 4) != 0 ||
      rec_bit_reader_get (reader, 3) != 0)
    return false; /* numProgram, numLayer */
  if (!read_stream_config (reader, loas, version))
    return false;
  if (rec_bit_reader_get (reader, 3) != 0) /* frameLengthType: variable */
    return false;
  rec_bit_reader_skip (reader, 8); /* latmBufferFullness */
  read_other_data (reader, loas, version);
  if (rec_bit_reader_get (reader, 1)) /* crcCheckPresent */
    rec_bit_reader_skip (reader, 8);
  loas->configured = !reader->error;
  return loas->configured;
}

/* PayloadLengthInfo and PayloadMux of one frame. */
static size_t
read_frame (RecBitReader *reader, const TsLoas *loas, uint8_t *out, size_t room)
{
  size_t size = 0, start, prefix;
  unsigned byte;
  uint8_t first;

  do {
    byte = rec_bit_reader_get (reader, 8);
    size += byte;
  } while (byte == 255 && !reader->error);
  if (reader->error || size == 0 || size > TS_ADTS_MAX_FRAME_SIZE ||
      TS_ADTS_MAX_PREFIX_SIZE + size > room)
    return 0;
  start = reader->pos;
  first = (uint8_t)rec_bit_reader_get (reader, 8);
  reader->pos = start;
  prefix = ts_adts_write_prefix (out, &loas->adts, &first, size);
  if (prefix == 0)
    return 0;
  out += prefix;
  for (size_t i = 0; i < size; i++)
    out[i] = (uint8_t)rec_bit_reader_get (reader, 8);
  return reader->error ? 0 : size + prefix;
}

/* 1.7.3.1, AudioMuxElement (1) */
static size_t
read_element (
    TsLoas *loas, const uint8_t *data, size_t size, uint8_t *out, size_t room)
{
  RecBitReader reader;
  size_t done = 0;

  rec_bit_reader_init (&reader, data, size);
  if (!rec_bit_reader_get (&reader, 1) && !read_mux_config (&reader, loas))
    return 0; /* no useSameStreamMux, and no usable configuration */
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
