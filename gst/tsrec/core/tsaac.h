/* gst-tsrec: AAC: AudioSpecificConfig, ADTS headers, LATM
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ISO/IEC 14496-3. Pure functions; every read stays within the bytes given.
 */

#pragma once

#include "nalunit.h"

/* 1.A.3.2, adts_fixed_header and adts_variable_header */
#define TS_ADTS_HEADER_SIZE 7
#define TS_ADTS_MAX_FRAME_SIZE 0x1fff

/* 1.7.2, AudioSyncStream: 13 bits of length after the syncword. With 64
 * subframes at most, this is what a frame can become. */
#define TS_LOAS_HEADER_SIZE 3
#define TS_LOAS_MAX_ADTS_SIZE (8192 + 64 * TS_ADTS_HEADER_SIZE)

/* Fills the header of every frame of a stream with this AudioSpecificConfig,
 * but for the length. False, with *@reason a static sentence, when ADTS cannot
 * express it. */
bool ts_adts_init (
    uint8_t *header, const uint8_t *config, size_t size, const char **reason);

/* Writes the header of a frame of @size bytes to @out. @size: without the
 * header, at most TS_ADTS_MAX_FRAME_SIZE - TS_ADTS_HEADER_SIZE. */
void ts_adts_write_header (uint8_t *out, const uint8_t *header, size_t size);

/**
 * TsLoas: what one AudioSyncStream has said about itself so far.
 * @configured: a StreamMuxConfig that ADTS can express has come
 * @adts: as ts_adts_init() made it
 * @sub_frames: frames in each AudioMuxElement
 */
typedef struct
{
  bool configured;
  uint8_t adts[TS_ADTS_HEADER_SIZE];
  unsigned sub_frames;
  bool other_data;
  uint32_t other_data_bits;
} TsLoas;

/* Turns the AudioSyncStream frames in @data into ADTS frames in @out, which
 * has room for @out_size bytes. Returns how many bytes they have, 0 when
 * something is damaged, not yet configured or not possible in ADTS. */
size_t ts_loas_to_adts (TsLoas *loas, const uint8_t *data, size_t size,
    uint8_t *out, size_t out_size);
