/* gst-tsrec: times of audio frames that are not presented
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A decoder presents nothing of some frames, for example of the Xing frame of
 * an MP3 file or of a frame within the pre-skip of Opus. Such a frame has the
 * time of the frame after it, but its PES packet needs a time of its own: it
 * gets one that is a tick earlier.
 *
 * Some sources count the time of such frames, or of dependent frames of
 * E-AC-3, which have no duration either. The next timestamps reveal such
 * sources. All times are nanoseconds. Pure functions.
 */

#pragma once

#include "tsmux.h"

/**
 * TsFrameTime: state of a track.
 * @next: expected time of the next frame, TS_TIME_NONE if unknown
 * @counted: samples without duration that the source may have counted
 * @rate: samples per second of @counted
 * @counting: the source has counted them
 * @silent: time of the last frame if nothing of it is presented
 */
typedef struct
{
  int64_t next;
  int64_t counted;
  unsigned rate;
  bool counting;
  int64_t silent;
} TsFrameTime;

/**
 * TsFrameLength: length of one frame.
 * @rate: samples per second, 0 if the length is unknown
 * @coded: samples that the frame codes
 * @presented: samples that a decoder presents
 * @silent: a decoder presents nothing of the frame
 * @believed: its source has no reason to count samples that are not presented
 */
typedef struct
{
  unsigned rate;
  unsigned coded;
  unsigned presented;
  bool silent;
  bool believed;
} TsFrameLength;

void ts_frame_time_init (TsFrameTime *time);

/* Notes a frame without duration, which belongs to the frame before. */
void ts_frame_time_add_hidden (TsFrameTime *time, const TsFrameLength *length);

/* Corrects PTS and DTS of a frame. Subtracts the time that the source has
 * counted if the frame then follows the frame before more closely. A frame
 * without PTS, as within a PES packet after its first frame, follows the frame
 * before. */
void ts_frame_time_fix (
    TsFrameTime *time, const TsFrameLength *length, int64_t *pts, int64_t *dts);
