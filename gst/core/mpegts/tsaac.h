/* gst-tsrec: AAC: AudioSpecificConfig, ADTS headers, LATM
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ISO/IEC 14496-3. Pure functions; every read stays within the bytes given.
 */

#pragma once

#include "recnalunit.h"

/* 1.A.3.2, adts_fixed_header and adts_variable_header */
#define TS_ADTS_HEADER_SIZE 7
#define TS_ADTS_MAX_FRAME_SIZE 0x1fff
/* 4.4.1.1, program_config_element () with its id_syn_ele: 52 bytes of fields
 * with every element there can be, the length of a comment, 255 bytes of it. */
#define TS_AAC_PCE_MAX_SIZE (52 + 1 + 255)

/* What stands in front of a raw_data_block at most. */
#define TS_ADTS_MAX_PREFIX_SIZE (TS_ADTS_HEADER_SIZE + TS_AAC_PCE_MAX_SIZE)

/* 1.7.2, AudioSyncStream: 13 bits of length after the syncword. With 64
 * subframes at most, this is what a frame can become. */
#define TS_LOAS_HEADER_SIZE 3
#define TS_LOAS_MAX_ADTS_SIZE (8192 + 64 * TS_ADTS_MAX_PREFIX_SIZE)

/**
 * TsAdts: what stands in front of every frame of a stream.
 * @header: but for the length
 * @pce: with channel_configuration 0, the program_config_element that says
 *   which channels there are, as a syntactic element of a raw_data_block
 * @pce_size: bytes of @pce, 0 with any other channel_configuration
 */
typedef struct
{
  uint8_t header[TS_ADTS_HEADER_SIZE];
  uint8_t pce[TS_AAC_PCE_MAX_SIZE];
  size_t pce_size;
} TsAdts;

/* Fills @adts from an AudioSpecificConfig. False, with *@reason a static
 * sentence, when ADTS cannot express it. */
bool ts_adts_init (
    TsAdts *adts, const uint8_t *config, size_t size, const char **reason);

/* Writes what stands in front of the raw_data_block @frame to @out, which has
 * room for TS_ADTS_MAX_PREFIX_SIZE bytes. With channel_configuration 0 that is
 * a program_config_element in every frame (1.A.3.2.1 wants one in the first
 * raw_data_block after each header), unless @frame has its own: decoding can
 * start at any of them. Returns how many bytes, 0 when the frame is too long
 * for ADTS. */
size_t ts_adts_write_prefix (
    uint8_t *out, const TsAdts *adts, const uint8_t *frame, size_t size);

/**
 * TsLoas: what one AudioSyncStream has said about itself so far.
 * @configured: a StreamMuxConfig that ADTS can express has come
 * @adts: as ts_adts_init() made it
 * @sub_frames: frames in each AudioMuxElement
 */
typedef struct
{
  bool configured;
  TsAdts adts;
  unsigned sub_frames;
  bool other_data;
  uint32_t other_data_bits;
} TsLoas;

/* Turns the AudioSyncStream frames in @data into ADTS frames in @out, which
 * has room for @out_size bytes. Returns how many bytes they have, 0 when
 * something is damaged, not yet configured or not possible in ADTS. */
size_t ts_loas_to_adts (TsLoas *loas, const uint8_t *data, size_t size,
    uint8_t *out, size_t out_size);
