/* gst-tsrec: private to the files of RtcTimeline
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * rtctimeline.c maps packets, rtctimeline-transit.c measures transit and moves
 * tracks, rtctimeline-reports.c handles sender reports.
 */

#pragma once

#include "rtctimeline.h"

#define NONE RTC_TIMELINE_NONE
#define MS INT64_C (1000000)
#define SECOND INT64_C (1000000000)

/* A timestamp that goes back further than a B-frame does, or ahead further than
 * the time that has passed, may be from another source. */
#define MAX_BACK (500 * MS)
#define MAX_FORWARD SECOND
/* Number of consecutive timestamps on another line that confirm another
 * source. */
#define LINE_CONFIRMED 3

/* Maximum time of media that a sender may have buffered before the first
 * packets. */
#define MAX_BURST (10 * SECOND)

/* Slewing: time in which an error would be corrected, and its limit, in parts
 * per million of media time. */
#define DRIFT_TIME (20 * SECOND)
#define MAX_DRIFT_PPM 6000
#define DRIFT_DEADBAND (10 * MS)
#define ALIGN_TIME (3 * SECOND)
#define MAX_ALIGN_PPM 10000

/* Tracks that are further apart than ALIGN_STEP are aligned by a step. If they
 * are further apart than MAX_ALIGN, their reports are not of one clock. */
#define ALIGN_STEP (100 * MS)
#define MAX_ALIGN (8 * SECOND)
/* If all tracks are late by this for a whole window, the sender's RTP clocks
 * have stopped for a time. */
#define COMMON_STEP (2 * SECOND)

/* Silence after which measurements start again, and silence after which an RTP
 * clock may have stopped, by at least STALL_MIN. */
#define SILENCE (400 * MS)
/* An RTP clock may have stopped during a silence, for STALL_MIN at least. If a
 * track has been late by more than HELD_BACK shortly before, the sender may not
 * get processor time, and a stop shorter than STALL_SURE is left to the next
 * report. */
#define STALL_MIN (200 * MS)
#define STALL_SURE (900 * MS)
#define HELD_BACK (150 * MS)
#define CALM SECOND
/* A network or a queue that held packets back delivers them faster than in real
 * time, and a sender without processor time more slowly. Lateness that stays
 * constant for this long, except for a part of it or at most this much, has
 * another cause. */
#define STALL_WATCH RTC_TIMELINE_DECISION
#define STALL_SLACK (150 * MS)
/* A track without packets for this long is not active. */
#define ACTIVE (5 * SECOND)

/* The reports of aiortc contain the time of the last packet, up to 40 ms
 * ago. */
#define REPORT_JITTER (80 * MS)
#define REPORT_PLAUSIBLE (10 * SECOND)
#define REPORT_UNCHALLENGED (300 * MS)
#define SUSPECTS_CONFIRMED 3
#define MIN_RECENT 3

static inline int64_t
clamp (int64_t value, int64_t limit)
{
  if (value > limit)
    return limit;
  return value < -limit ? -limit : value;
}

static inline int64_t
distance (int64_t a, int64_t b)
{
  return a > b ? a - b : b - a;
}

static inline int64_t
to_ns (int64_t ticks, int64_t rate)
{
  return ticks / rate * SECOND + ticks % rate * SECOND / rate;
}

static inline int64_t
ntp_to_ns (uint64_t ntp)
{
  return (int64_t)(ntp >> 32) * SECOND +
      (int64_t)(((ntp & 0xffffffff) * UINT64_C (1000000000)) >> 32);
}

/* rtctimeline-transit.c */

/* Discards the measurements of @track. */
void rtc_timeline_track_forget_transit (RtcTimelineTrack *track);
/* Adds a packet to the window of @track. */
void rtc_timeline_track_note_transit (
    RtcTimelineTrack *track, int64_t transit, int64_t arrival);
/* Returns the lateness of the earliest packets of @track, as mapped now. */
int64_t rtc_timeline_track_get_lateness (const RtcTimelineTrack *track);
/* Returns true if @track had a packet within ACTIVE. */
bool rtc_timeline_is_active (
    const RtcTimeline *timeline, const RtcTimelineTrack *track);
/* Sets *@lateness to that of the earliest active track. Returns false if
 * there is none other than @except, which may be NULL. *@full: the whole
 * window has values. */
bool rtc_timeline_get_shared_lateness (const RtcTimeline *timeline,
    const RtcTimelineTrack *except, int64_t *lateness, bool *full);
/* Moves @track after its RTP clock has stopped for @by. */
void rtc_timeline_track_move_line (RtcTimelineTrack *track, int64_t by);
/* Returns true if reports have mapped @track to the sender's clock. */
bool rtc_timeline_track_is_synced (const RtcTimelineTrack *track);
/* Moves tracks that are far behind the others forward to them. */
void rtc_timeline_align (RtcTimeline *timeline);
/* Slews @track over @media. */
void rtc_timeline_slew (
    RtcTimeline *timeline, RtcTimelineTrack *track, int64_t media);
/* Moves all tracks if all RTP clocks have stopped for a time. */
void rtc_timeline_step_together (RtcTimeline *timeline);

/* rtctimeline.c */

/* Returns @rtp_time, extended to 64 bits, in ticks from the first packet. */
int64_t rtc_timeline_track_unwrap (RtcTimelineTrack *track, uint32_t rtp_time);
