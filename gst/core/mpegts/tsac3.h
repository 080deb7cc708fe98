/* gst-tsrec: frame headers of AC-3, E-AC-3, DTS and MPEG audio
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ETSI TS 102 366, ETSI TS 102 114, ISO/IEC 11172-3. Pure functions; every
 * read stays within the given size.
 */

#pragma once

#include "tsframetime.h"

/**
 * TsAudioFrame:
 * @length: length of the frame
 * @dependent: the frame belongs to the access unit of the frame before
 * @index: DTS: nExtSSIndex of an extension substream
 * @next_index: DTS: the lowest nExtSSIndex that can follow in the same frame
 * @core: dependent frames can follow
 */
typedef struct
{
  TsFrameLength length;
  bool dependent;
  unsigned index;
  unsigned next_index;
  bool core;
} TsAudioFrame;

/* Reads a frame of AC-3 or E-AC-3 (TS 102 366 4.3 and E.1.2.2). Dependent are
 * frames of dependent substreams, and frames of independent substreams except
 * the first: they are presented at the time of the preceding frame of
 * independent substream 0 (E.1.3.1). Returns false without a syncword. */
bool ts_ac3_read_frame (const uint8_t *data, size_t size, TsAudioFrame *frame);

/* Reads a frame of DTS with words of 16 bits, most significant byte first (TS
 * 102 114 5.3). An extension substream is dependent. Returns false without a
 * syncword. */
bool ts_dts_read_frame (const uint8_t *data, size_t size, TsAudioFrame *frame);

/* Returns true for a Xing, Info or VBRI frame of MPEG audio. It describes the
 * stream, and a decoder presents nothing of it. */
bool ts_mpeg_audio_is_info_frame (const uint8_t *data, size_t size);
