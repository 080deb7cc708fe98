/* gst-tsrec: recorded and missing time of one run
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each access unit covers the time from its own timestamp to that of the next
 * one. The timeline of a recording is thus divided into media and gaps:
 * media + gaps = end - begin at all times. One thread at a time.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REC_TIME_NONE UINT64_MAX

typedef enum
{
  REC_GAP_NO_INPUT, /* no access unit arrived */
  REC_GAP_DISK,     /* access units were dropped */
  REC_GAP_RESUME    /* no recorder was running */
} RecGapCause;

typedef struct
{
  uint64_t begin, end; /* running time, ns */
  RecGapCause cause;
} RecGap;

typedef struct
{
  uint64_t threshold; /* shortest gap, ns */
  uint64_t begin;    /* running time of the first access unit; NONE: none yet */
  uint64_t end;      /* running time up to which all is accounted for, ns */
  bool lost;         /* access units were dropped since `end` */
  RecGapCause cause; /* cause of the loss while `lost` */
  uint64_t media;    /* recorded time, ns */
  uint64_t gaps;     /* missing time, ns */
  uint64_t n_gaps;
} RecGaps;

/* @threshold: time without an access unit that counts as a gap, ns. */
void rec_gaps_init (RecGaps *gaps, uint64_t threshold);

/* Adds an access unit that was written. @time: running time, ns. @duration: ns,
 * REC_TIME_NONE: unknown. Returns true if it ended @gap. A @time before the end
 * is already accounted for. */
bool rec_gaps_written (
    RecGaps *gaps, uint64_t time, uint64_t duration, RecGap *gap);

/* Adds an access unit that was dropped. The gap begins at the end of the media.
 */
void rec_gaps_lost (RecGaps *gaps, uint64_t time, RecGapCause cause);
