/* gst-tsrec: RTP timestamps of all tracks of a session on one running time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A recording follows the RTP timestamps of its tracks: pictures keep the
 * distance that the sender gave them, whatever the network does. Running time
 * is media time plus an offset of the track. The offset is derived from the
 * arrival of the first packets. Sender reports (RFC 3550 section 6.4.1) align
 * the tracks with each other. All tracks together follow the drift of the
 * sender's clock against the local clock slowly.
 *
 * An offset changes in two ways. Slewing, by at most 16 ms in a second,
 * corrects small errors. Steps, always forward, correct errors of more than 100
 * ms between tracks, and RTP clocks that stopped or jumped.
 *
 * Plain numbers, no threads, no allocation; the caller locks. All times are
 * nanoseconds; "arrival" is the running time at which a packet arrived.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTC_TIMELINE_NONE INT64_MIN
#define RTC_TIMELINE_TRACKS 8
/* ns in which it is known why packets come late after a silence. */
#define RTC_TIMELINE_DECISION INT64_C (200000000)
/* Number of seconds with packets in which the shortest transit is searched. */
#define RTC_TIMELINE_WINDOW 10

/**
 * RtcTimelineTrack:
 * Private.
 * @highest: highest timestamp so far, extended to 64 bits, in ticks from the
 *   first packet
 * @offset: running time minus media time
 * @transit: shortest transit (arrival minus media time) in each second of the
 *   window
 * @recent: shortest transit since the last report or the last silence
 * @clock: NTP time minus media time, from reports
 * @suspect: the same from reports that contradict @clock
 * @line: offset of timestamps that contradict @offset
 * @held_until: arrival of a packet that the network may have held back
 * @held_for: for so long
 * @stall: how late packets are since a silence, while the reason is not known
 */
typedef struct
{
  bool used;
  uint32_t rate;

  bool started;
  uint32_t highest_rtp;
  int64_t highest;
  int64_t arrived;
  int64_t held_until;
  int64_t held_for;
  int64_t step;

  bool anchored;
  int64_t offset;
  int64_t last_media;
  int64_t last_running;

  int64_t earliest;
  int64_t transit[RTC_TIMELINE_WINDOW];
  int64_t second;
  unsigned newest;
  int64_t recent;
  unsigned n_recent;

  unsigned n_reports;
  int64_t clock;
  uint64_t last_ntp;
  int64_t agreed_at;
  unsigned n_suspects;
  int64_t suspect;
  int64_t suspected_at;

  unsigned n_line;
  int64_t line;
  int64_t line_media;

  int64_t stall;
  int64_t stall_media;
  int64_t stall_since;
  int64_t stall_transit;
} RtcTimelineTrack;

/**
 * RtcTimeline:
 * @steps: how often a track was moved by more than slewing
 * @ignored_reports: sender reports that were not plausible
 *
 * The rest is private. Initialise with rtc_timeline_init().
 */
typedef struct
{
  RtcTimelineTrack tracks[RTC_TIMELINE_TRACKS];
  int64_t floor;
  int64_t now;
  uint64_t steps;
  uint64_t ignored_reports;
} RtcTimeline;

void rtc_timeline_init (RtcTimeline *timeline);

/* The first packet is mapped to @floor, the end of the recording so far, or
 * later. Later packets follow it at their distance. */
void rtc_timeline_set_floor (RtcTimeline *timeline, int64_t floor);

/* @rate: ticks per second, not 0. Returns the number of the track for the other
 *   functions. If RTC_TIMELINE_TRACKS tracks exist, the track that has been
 *   silent for longest is replaced. */
unsigned rtc_timeline_add_track (RtcTimeline *timeline, uint32_t rate);

/* The track has ended; its number may be reused. */
void rtc_timeline_remove_track (RtcTimeline *timeline, unsigned track);

/* A packet has arrived, for example in front of a jitter buffer; optional. If
 * packets arrive before the first one is mapped, the first offset is derived
 * from the shortest transit among them. Packets that arrive while a stall is
 * undecided decide it. */
void rtc_timeline_arrived (
    RtcTimeline *timeline, unsigned track, uint32_t rtp_time, int64_t arrival);

/* Before a packet is mapped; optional. TRUE: the packets come late after a
 * silence of this track, and it is not known whether its RTP clock stopped
 * during the silence, so that they belong to their arrival, or they were held
 * back. The packets within RTC_TIMELINE_DECISION decide it: map the packet then.
 * A packet that is mapped earlier keeps the place of its timestamp, and the track
 * is moved later. */
bool rtc_timeline_is_undecided (
    RtcTimeline *timeline, unsigned track, uint32_t rtp_time, int64_t arrival);

/* Returns the running time of a packet. Call it in the order of sequence
 * numbers. Packets with one timestamp have one running time. Timestamps that do
 * not go back (those of B-frames do) have running times that do not go back. */
int64_t rtc_timeline_map (
    RtcTimeline *timeline, unsigned track, uint32_t rtp_time, int64_t arrival);

/* A sender report was received. @ntp: 32.32 fixed point seconds since 1900, 0
 * if there is none. */
void rtc_timeline_report (RtcTimeline *timeline, unsigned track, uint64_t ntp,
    uint32_t rtp_time, int64_t arrival);
