/* gst-tsrec: what part of the elapsed time is in the file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each access unit covers the time from its own to that of the next one. The
 * time line of a recording is so divided into media and gaps, without a rest:
 * media + gaps = end - begin, at every moment. One thread.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REC_TIME_NONE UINT64_MAX

typedef enum
{
  REC_GAP_NO_INPUT,
  REC_GAP_DISK,
  REC_GAP_RESUME
} RecGapCause;

typedef struct
{
  uint64_t begin, end; /* running time, ns */
  RecGapCause cause;
} RecGap;

typedef struct
{
  uint64_t threshold; /* ns without a buffer that are called a gap */
  uint64_t begin;     /* REC_TIME_NONE: nothing yet */
  uint64_t end;       /* of what is accounted for */
  uint64_t step;      /* duration taken for an access unit without one */
  bool lost;          /* something was dropped since `end` */
  RecGapCause cause;  /* of that */
  uint64_t media, gaps, n_gaps;
} RecGaps;

void rec_gaps_init (RecGaps *gaps, uint64_t threshold);

/* An access unit at @time, of @duration (REC_TIME_NONE: not known), is in the
 * file. TRUE: it ended @gap. Times that go back are covered already. */
bool rec_gaps_written (
    RecGaps *gaps, uint64_t time, uint64_t duration, RecGap *gap);

/* An access unit was dropped; the gap begins where the media ended. */
void rec_gaps_lost (RecGaps *gaps, uint64_t time, RecGapCause cause);

/* The recording ends at @time; TRUE: with @gap. */
bool rec_gaps_finish (RecGaps *gaps, uint64_t time, RecGap *gap);

/* Whether @size bytes of whole packets carry the start of a PES packet (ISO/IEC
 * 13818-1, 2.4.3.6), so that a buffer of PSI and PCR alone is no media. */
bool rec_packets_have_media (const uint8_t *data, size_t size);
