/* gst-tsrec: times of audio frames of which nothing is presented
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A frame of which a decoder presents nothing (the Xing frame of an MP3, a
 * frame inside the pre-skip of Opus) has the same time as the frame after it,
 * and a PES packet has to have one of its own: it gets one that is a tick
 * earlier. Sources that count the time of such frames, or of the dependent
 * frames of E-AC-3, which last no time either, are found out by what comes
 * next. All times are nanoseconds. Pure functions.
 */

#pragma once

#include "tsmux.h"

/**
 * TsFrameTime: what is known of the last frames of a track.
 * @next: where the next frame should begin, TS_TIME_NONE if not known
 * @counted: samples that last no time, and that the source may have counted
 * @rate: of @counted, samples a second
 * @counting: the source has counted them
 * @silent: time of the last frame, if nothing of it is presented
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
 * TsFrameLength: what is known of one frame.
 * @rate: samples a second, 0 when the length is not known
 * @coded: samples that it codes
 * @presented: samples of these that a decoder presents
 * @silent: nothing of it is presented
 * @believed: its source has no reason to count what is not presented
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

/* @length lasts no time, and belongs to the frame before. */
void ts_frame_time_add_hidden (TsFrameTime *time, const TsFrameLength *length);

/* Corrects PTS and DTS of a frame: takes off what the source counted, where
 * the frame then follows the one before better than without. A frame without
 * PTS, as there are behind the first one of a PES packet, follows the one
 * before. */
void ts_frame_time_fix (
    TsFrameTime *time, const TsFrameLength *length, int64_t *pts, int64_t *dts);
