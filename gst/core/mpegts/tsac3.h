/* gst-tsrec: AC-3, E-AC-3, DTS and MPEG audio: what the header of a frame says
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ETSI TS 102 366, ETSI TS 102 114, ISO/IEC 11172-3. Pure functions; every
 * read stays within the bytes given.
 */

#pragma once

#include "tsframetime.h"

/**
 * TsAudioFrame:
 * @length: of the frame
 * @dependent: it belongs to the access unit of the frame before it
 * @index: DTS: nExtSSIndex of an extension substream
 * @next_index: DTS: the lowest one that can follow in the same frame
 * @core: frames that depend on it can follow: a header that says so is there
 */
typedef struct
{
  TsFrameLength length;
  bool dependent;
  unsigned index;
  unsigned next_index;
  bool core;
} TsAudioFrame;

/* A frame of AC-3 or E-AC-3 (TS 102 366 4.3 and E.1.2.2). Dependent are the
 * frames of dependent substreams, and those of independent substreams other
 * than the first: all of them are presented at the time of the frame of
 * independent substream 0 before them (E.1.3.1). False when it does not start
 * with a syncword. */
bool ts_ac3_read_frame (const uint8_t *data, size_t size, TsAudioFrame *frame);

/* A frame of DTS with words of 16 bits, most significant byte first (TS 102 114
 * 5.3). Dependent is an extension substream. */
bool ts_dts_read_frame (const uint8_t *data, size_t size, TsAudioFrame *frame);

/* Whether a frame of MPEG audio is a Xing, Info or VBRI frame, which describes
 * the stream and of which nothing is presented. */
bool ts_mpeg_audio_is_info_frame (const uint8_t *data, size_t size);
