/* gst-tsrec: AAC: AudioSpecificConfig, ADTS headers, LATM
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ISO/IEC 14496-3. Pure functions; every read stays within the given size.
 */

#pragma once

#include "recnalunit.h"

/* 1.A.3.2, adts_fixed_header and adts_variable_header */
#define TS_ADTS_HEADER_SIZE 7
#define TS_ADTS_MAX_FRAME_SIZE 0x1fff
/* 4.4.1.1, program_config_element () with its id_syn_ele: 52 bytes of fields
 * at most, the length of a comment, and 255 bytes of comment. */
#define TS_AAC_PCE_MAX_SIZE (52 + 1 + 255)

/* The longest prefix of a raw_data_block. */
#define TS_ADTS_MAX_PREFIX_SIZE (TS_ADTS_HEADER_SIZE + TS_AAC_PCE_MAX_SIZE)

/* 1.7.2, AudioSyncStream: 13 bits of length follow the syncword, and a frame
 * has at most 64 subframes. */
#define TS_LOAS_HEADER_SIZE 3
#define TS_LOAS_MAX_ADTS_SIZE (8192 + 64 * TS_ADTS_MAX_PREFIX_SIZE)

/**
 * TsAdts: prefix of every frame of a stream.
 * @header: the header without its length
 * @pce: with channel_configuration 0: the program_config_element that
 *   describes the channels, as a syntactic element of a raw_data_block
 * @pce_size: bytes of @pce, 0 with any other channel_configuration
 */
typedef struct
{
  uint8_t header[TS_ADTS_HEADER_SIZE];
  uint8_t pce[TS_AAC_PCE_MAX_SIZE];
  size_t pce_size;
} TsAdts;

/* Fills @adts from an AudioSpecificConfig. Returns false, with *@reason set to
 * a static sentence, if ADTS cannot express it. */
bool ts_adts_init (
    TsAdts *adts, const uint8_t *config, size_t size, const char **reason);

/* Writes the prefix of the raw_data_block @frame to @out, which has room for
 * TS_ADTS_MAX_PREFIX_SIZE bytes. With channel_configuration 0, a
 * program_config_element precedes every frame without its own, so that
 * decoding can start at any frame (1.A.3.2.1 requires one in the first
 * raw_data_block after each header). Returns the number of bytes, 0 if the
 * frame is too long for ADTS. */
size_t ts_adts_write_prefix (
    uint8_t *out, const TsAdts *adts, const uint8_t *frame, size_t size);

/**
 * TsLoas: state of one AudioSyncStream.
 * @configured: a StreamMuxConfig that ADTS can express has arrived
 * @adts: prefix of the frames
 * @sub_frames: frames in each AudioMuxElement
 * @other_data: otherDataPresent
 * @other_data_bits: otherDataLenBits
 */
typedef struct
{
  bool configured;
  TsAdts adts;
  unsigned sub_frames;
  bool other_data;
  uint32_t other_data_bits;
} TsLoas;

/* Converts the AudioSyncStream frames in @data to ADTS frames in @out, which
 * has room for @out_size bytes. Returns their size, 0 if a frame is damaged,
 * not yet configured or not possible in ADTS. */
size_t ts_loas_to_adts (TsLoas *loas, const uint8_t *data, size_t size,
    uint8_t *out, size_t out_size);
