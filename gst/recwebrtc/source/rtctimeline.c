/* gst-tsrec: RTP timestamps of all tracks of a session on one running time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtctimeline.h"

#include <string.h>

#define NONE RTC_TIMELINE_NONE
#define MS INT64_C (1000000)
#define SECOND INT64_C (1000000000)

/* A timestamp that goes back by more is no B-frame, one that goes ahead by more
 * than the time that has passed is no loss: another source, perhaps. */
#define MAX_BACK (500 * MS)
#define MAX_FORWARD SECOND
/* So many timestamps in a row on another line are another source. */
#define LINE_CONFIRMED 3

/* What a sender may have kept back before the first packets, at most. */
#define MAX_BURST (10 * SECOND)

/* Slewing: the time in which an error would be corrected, and the most that is
 * done, in parts per million of media time. */
#define DRIFT_TIME (20 * SECOND)
#define MAX_DRIFT_PPM 6000
#define DRIFT_DEADBAND (10 * MS)
#define ALIGN_TIME (3 * SECOND)
#define MAX_ALIGN_PPM 10000

/* Tracks further apart are aligned by a step; further than this, their reports
 * are not of one clock. */
#define ALIGN_STEP (100 * MS)
#define MAX_ALIGN (8 * SECOND)
/* All tracks late by this for a whole window: the sender's RTP clocks have
 * stood still. */
#define COMMON_STEP (2 * SECOND)

/* Silence that separates what was measured before from what is after it. */
#define SILENCE (400 * MS)
/* An RTP clock may have stood still while nothing came, by so much at least.
 * When a track has been late by more than HELD_BACK shortly before, the sender
 * gets no processor time, perhaps, and less than STALL_SURE is left to the next
 * report. */
#define STALL_MIN (200 * MS)
#define STALL_SURE (900 * MS)
#define HELD_BACK (150 * MS)
#define CALM SECOND
/* A network or a queue that has held packets back delivers them faster than in
 * real time, and a sender without processor time more slowly. What is as late
 * as before for so long, but for a part of it, or this at most, has another
 * reason. */
#define STALL_WATCH RTC_TIMELINE_DECISION
#define STALL_SLACK (150 * MS)
/* A track without packets for longer does not count. */
#define ACTIVE (5 * SECOND)

/* Reports: aiortc's name the time of the last packet, up to 40 ms ago. */
#define REPORT_JITTER (80 * MS)
#define REPORT_PLAUSIBLE (10 * SECOND)
#define REPORT_UNCHALLENGED (300 * MS)
#define SUSPECTS_CONFIRMED 3
#define MIN_RECENT 3

static int64_t
clamp (int64_t value, int64_t limit)
{
  if (value > limit)
    return limit;
  return value < -limit ? -limit : value;
}

static int64_t
distance (int64_t a, int64_t b)
{
  return a > b ? a - b : b - a;
}

static int64_t
to_ns (int64_t ticks, int64_t rate)
{
  return ticks / rate * SECOND + ticks % rate * SECOND / rate;
}

static int64_t
ntp_to_ns (uint64_t ntp)
{
  return (int64_t)(ntp >> 32) * SECOND +
      (int64_t)(((ntp & 0xffffffff) * UINT64_C (1000000000)) >> 32);
}

/* --- transit: arrival minus media time --- */

static void
forget_transit (RtcTimelineTrack *track)
{
  for (unsigned i = 0; i < RTC_TIMELINE_WINDOW; i++)
    track->transit[i] = INT64_MAX;
  track->recent = INT64_MAX;
  track->n_recent = 0;
}

/* A second without packets takes no place in the window: after a long silence
 * there is still something to compare with. */
static void
note_transit (RtcTimelineTrack *track, int64_t transit, int64_t arrival)
{
  if (arrival / SECOND != track->second) {
    track->second = arrival / SECOND;
    track->newest = (track->newest + 1) % RTC_TIMELINE_WINDOW;
    track->transit[track->newest] = INT64_MAX;
  }
  if (transit < track->transit[track->newest])
    track->transit[track->newest] = transit;
  if (transit < track->recent)
    track->recent = transit;
  track->n_recent++;
}

/* The shortest way, which no queue has lengthened; FALSE when unknown. */
static bool
get_transit (const RtcTimelineTrack *track, int64_t *transit, bool *full)
{
  *transit = INT64_MAX;
  *full = true;
  for (unsigned i = 0; i < RTC_TIMELINE_WINDOW; i++) {
    if (track->transit[i] == INT64_MAX)
      *full = false;
    else if (track->transit[i] < *transit)
      *transit = track->transit[i];
  }
  return *transit != INT64_MAX;
}

/* How late packets of the track are at best, as it is mapped. */
static int64_t
get_lateness (const RtcTimelineTrack *track)
{
  int64_t transit;
  bool full;

  return get_transit (track, &transit, &full) ? transit - track->offset : 0;
}

static bool
is_active (const RtcTimeline *self, const RtcTimelineTrack *track)
{
  return track->used && track->anchored && self->now - track->arrived < ACTIVE;
}

/* The same of the earliest track; FALSE when there is none but @except. @full:
 * of all of the window. */
static bool
get_shared_lateness (const RtcTimeline *self, const RtcTimelineTrack *except,
    int64_t *lateness, bool *full)
{
  bool found = false;

  *full = true;
  *lateness = INT64_MAX;
  for (unsigned i = 0; i < RTC_TIMELINE_TRACKS; i++) {
    const RtcTimelineTrack *track = &self->tracks[i];
    int64_t transit;
    bool all;

    if (track == except || !is_active (self, track) ||
        !get_transit (track, &transit, &all))
      continue;
    found = true;
    *full = *full && all;
    if (transit - track->offset < *lateness)
      *lateness = transit - track->offset;
  }
  return found;
}

/* --- moving a track --- */

/* Its RTP clock has stood still for @by: what it says of itself is later. */
static void
move_line (RtcTimelineTrack *track, int64_t by)
{
  track->offset += by;
  track->clock += by;
  track->n_suspects = 0;
  track->stall = 0;
}

static bool
is_synced (const RtcTimelineTrack *track)
{
  return track->n_reports > 0;
}

/* Running time minus NTP time: the same for all tracks that are in step. */
static int64_t
get_sync (const RtcTimelineTrack *track)
{
  return track->offset - track->clock;
}

/* Moves tracks that are far behind the others ahead to them. */
static void
align (RtcTimeline *self)
{
  int64_t latest = NONE;

  for (unsigned i = 0; i < RTC_TIMELINE_TRACKS; i++) {
    const RtcTimelineTrack *track = &self->tracks[i];

    if (is_active (self, track) && is_synced (track) &&
        (latest == NONE || get_sync (track) > latest))
      latest = get_sync (track);
  }
  for (unsigned i = 0; i < RTC_TIMELINE_TRACKS; i++) {
    RtcTimelineTrack *track = &self->tracks[i];
    int64_t behind;

    if (!is_active (self, track) || !is_synced (track))
      continue;
    behind = latest - get_sync (track);
    if (behind <= ALIGN_STEP || behind > MAX_ALIGN)
      continue;
    track->offset += behind;
    self->steps++;
  }
}

/* How much the track is to be slewed over @media to be in the middle of all. */
static int64_t
slew_to_others (
    const RtcTimeline *self, const RtcTimelineTrack *track, int64_t media)
{
  int64_t sum = 0, n = 0;

  if (!is_synced (track))
    return 0;
  for (unsigned i = 0; i < RTC_TIMELINE_TRACKS; i++) {
    const RtcTimelineTrack *other = &self->tracks[i];
    int64_t error;

    if (!is_active (self, other) || !is_synced (other))
      continue;
    error = get_sync (other) - get_sync (track);
    if (distance (error, 0) > MAX_ALIGN)
      continue;
    sum += error;
    n++;
  }
  if (n < 2)
    return 0;
  return clamp (sum / n / (ALIGN_TIME / MS) * (media / MS),
      media / 1000000 * MAX_ALIGN_PPM);
}

/* The same to follow the sender's clock, alike for all tracks. */
static int64_t
slew_to_arrival (const RtcTimeline *self, int64_t media)
{
  int64_t late;
  bool full;

  if (!get_shared_lateness (self, NULL, &late, &full) ||
      distance (late, 0) < DRIFT_DEADBAND || (late > 0 && !full))
    return 0;
  return clamp (
      late / (DRIFT_TIME / MS) * (media / MS), media / 1000000 * MAX_DRIFT_PPM);
}

static void
slew (RtcTimeline *self, RtcTimelineTrack *track, int64_t media)
{
  if (media > SECOND)
    media = SECOND;
  track->offset +=
      slew_to_others (self, track, media) + slew_to_arrival (self, media);
}

/* All tracks are late for good: all RTP clocks have stood still. */
static void
step_together (RtcTimeline *self)
{
  int64_t late;
  bool full;

  if (!get_shared_lateness (self, NULL, &late, &full) || !full ||
      late < COMMON_STEP)
    return;
  for (unsigned i = 0; i < RTC_TIMELINE_TRACKS; i++) {
    RtcTimelineTrack *track = &self->tracks[i];

    if (is_active (self, track))
      track->offset += late;
  }
  self->steps++;
}

/* --- an RTP clock that stood still while the track was silent --- */

/* @track has not been late by more than @limit since @since. */
static bool
was_in_time (const RtcTimelineTrack *track, int64_t since, int64_t limit)
{
  return track->held_until == NONE || track->held_until <= since ||
      track->held_for <= limit;
}

/* Whether the network brought the other tracks in time while @track was silent
 * since @since and its RTP clock may have @stood still. */
static bool
others_flowed (const RtcTimeline *self, const RtcTimelineTrack *track,
    int64_t since, int64_t stood)
{
  bool sure = stood >= STALL_SURE;
  int64_t limit = sure ? SILENCE : HELD_BACK;
  bool any = false;

  if (!sure && !was_in_time (track, since - CALM, limit))
    return false;
  for (unsigned i = 0; i < RTC_TIMELINE_TRACKS; i++) {
    const RtcTimelineTrack *other = &self->tracks[i];

    if (other == track || !is_active (self, other))
      continue;
    if (self->now - other->arrived > limit + other->step ||
        !was_in_time (other, sure ? since : since - CALM, limit))
      return false;
    any = true;
  }
  return any;
}

static void
end_stall (RtcTimeline *self, RtcTimelineTrack *track, int64_t transit)
{
  int64_t by = transit - track->offset - get_lateness (track);

  move_line (track, by);
  forget_transit (track);
  self->steps++;
}

/* Another packet behind the silence, at @arrival: once it is known, the track
 * is moved, or not. */
static void
watch_stall (RtcTimeline *self, RtcTimelineTrack *track, int64_t transit,
    int64_t arrival)
{
  int64_t late = transit - track->offset - get_lateness (track);
  int64_t slack =
      track->stall / 4 < STALL_SLACK ? track->stall / 4 : STALL_SLACK;

  if (late < track->stall - slack ||
      (track->stall < STALL_SURE && late > track->stall + STALL_SLACK)) {
    track->stall = 0;
    return;
  }
  if (transit < track->stall_transit)
    track->stall_transit = transit;
  if (arrival - track->stall_since >= STALL_WATCH)
    end_stall (self, track, track->stall_transit);
}

/* The first packet behind a silence. @passed: since the packet before, @step:
 * of the RTP clock. */
static void
find_stall (RtcTimeline *self, RtcTimelineTrack *track, int64_t media,
    int64_t arrival, int64_t step)
{
  int64_t passed = arrival - track->arrived, transit = arrival - media;
  int64_t late = transit - track->offset - get_lateness (track);
  int64_t stood = passed - step;
  bool announced = track->n_suspects > 0 &&
      track->suspect - track->clock >= STALL_MIN &&
      late >= track->suspect - track->clock - REPORT_JITTER;

  if (media == track->stall_media || stood < STALL_MIN || late < STALL_MIN ||
      !others_flowed (self, track, self->now - passed, stood))
    return;
  if (announced) {
    end_stall (self, track, transit);
  } else if (late >= stood - (stood / 4 < SILENCE ? stood / 4 : SILENCE)) {
    track->stall = late;
    track->stall_media = media;
    track->stall_since = arrival;
    track->stall_transit = transit;
  }
}

/* --- timestamps of another line --- */

static int64_t
unwrap (RtcTimelineTrack *track, uint32_t rtp_time)
{
  if (!track->started) {
    track->started = true;
    track->highest_rtp = rtp_time;
    track->highest = 0;
  }
  return track->highest + (int32_t)(rtp_time - track->highest_rtp);
}

static void
raise_highest (RtcTimelineTrack *track, uint32_t rtp_time, int64_t ticks)
{
  if (ticks <= track->highest)
    return;
  track->highest = ticks;
  track->highest_rtp = rtp_time;
}

static bool
is_off_line (const RtcTimelineTrack *track, int64_t media, int64_t arrival)
{
  int64_t step = media - track->last_media;
  int64_t passed = arrival - track->arrived;
  int64_t late = arrival - media - track->offset;

  if (step < 0)
    return step < -MAX_BACK;
  return step > MAX_FORWARD + (passed > 0 ? passed : 0) &&
      late < get_lateness (track) - MAX_FORWARD;
}

static bool
is_on_suspect_line (const RtcTimelineTrack *track, int64_t media)
{
  return track->n_line > 0 && media > track->line_media - MAX_BACK &&
      media < track->line_media + 2 * SECOND;
}

/* A packet off the line: where it arrived, or behind the one before, and those
 * that follow it at their distance; a few of them, and that is the line. */
static int64_t
map_off_line (RtcTimeline *self, RtcTimelineTrack *track, uint32_t rtp_time,
    int64_t media, int64_t arrival)
{
  bool known = is_on_suspect_line (track, media);
  int64_t earliest = track->last_running + track->step;
  int64_t at = arrival - get_lateness (track);

  if (!known) {
    track->line = (at > earliest ? at : earliest) - media;
    track->n_line = 0;
  }
  if (!known || media != track->line_media)
    track->n_line++;
  track->line_media = media;
  if (track->n_line >= LINE_CONFIRMED) {
    move_line (track, track->line - track->offset);
    forget_transit (track);
    note_transit (track, arrival - media, arrival);
    track->n_line = 0;
    track->highest = (int64_t)((media / SECOND) * track->rate) +
        media % SECOND * track->rate / SECOND;
    track->highest_rtp = rtp_time;
    track->last_media = media;
    self->steps++;
  }
  track->arrived = arrival;
  track->last_running = media + track->line;
  return track->last_running;
}

/* --- the first packet --- */

static void
anchor (
    RtcTimeline *self, RtcTimelineTrack *track, int64_t media, int64_t arrival)
{
  int64_t late = 0;
  bool full;

  if (arrival - media < track->earliest)
    track->earliest = arrival - media;
  track->anchored = true;
  track->last_media = media;
  track->arrived = arrival;
  if (get_shared_lateness (self, track, &late, &full)) {
    track->offset = track->earliest - late;
  } else {
    track->offset = track->earliest;
    if (media + track->offset < self->floor)
      track->offset = self->floor - media;
  }
  note_transit (track, track->earliest, arrival);
  track->last_running = media + track->offset;
}

/* --- interface --- */

void
rtc_timeline_init (RtcTimeline *self)
{
  memset (self, 0, sizeof (*self));
}

void
rtc_timeline_set_floor (RtcTimeline *self, int64_t floor)
{
  self->floor = floor;
}

unsigned
rtc_timeline_add_track (RtcTimeline *self, uint32_t rate)
{
  RtcTimelineTrack *track;
  unsigned best = 0;

  for (unsigned i = 0; i < RTC_TIMELINE_TRACKS; i++) {
    if (!self->tracks[i].used) {
      best = i;
      break;
    }
    if (self->tracks[i].arrived < self->tracks[best].arrived)
      best = i;
  }
  track = &self->tracks[best];
  memset (track, 0, sizeof (*track));
  track->used = true;
  track->rate = rate;
  track->earliest = INT64_MAX;
  track->arrived = self->now;
  track->held_until = track->stall_media = NONE;
  forget_transit (track);
  return best;
}

void
rtc_timeline_remove_track (RtcTimeline *self, unsigned number)
{
  self->tracks[number].used = false;
}

void
rtc_timeline_arrived (
    RtcTimeline *self, unsigned number, uint32_t rtp_time, int64_t arrival)
{
  RtcTimelineTrack *track = &self->tracks[number];
  int64_t transit;

  if (track->anchored && track->stall == 0)
    return;
  transit = arrival - to_ns (unwrap (track, rtp_time), track->rate);
  if (track->anchored)
    watch_stall (self, track, transit, arrival);
  else if (track->earliest == INT64_MAX ||
      (transit < track->earliest && track->earliest - transit < MAX_BURST))
    track->earliest = transit;
}

/* The last delay, or a longer one shortly before it. */
static void
note_held (RtcTimelineTrack *track, int64_t by, int64_t arrival)
{
  if (by <= HELD_BACK)
    return;
  if (by > track->held_for || arrival - track->held_until > SECOND)
    track->held_for = by;
  track->held_until = arrival;
}

static void
note_packet (
    RtcTimeline *self, RtcTimelineTrack *track, int64_t media, int64_t arrival)
{
  int64_t passed = arrival - track->arrived;
  int64_t step = media - track->last_media;

  if (passed > SILENCE) {
    track->recent = INT64_MAX;
    track->n_recent = 0;
  }
  if (track->stall > 0)
    watch_stall (self, track, arrival - media, arrival);
  else
    find_stall (self, track, media, arrival, step > 0 ? step : 0);
  note_held (track, passed - (step > 0 ? step : 0), arrival);
  note_transit (track, arrival - media, arrival);
  if (step > 0 && step < SECOND)
    track->step = step;
}

bool
rtc_timeline_is_undecided (
    RtcTimeline *self, unsigned number, uint32_t rtp_time, int64_t arrival)
{
  RtcTimelineTrack *track = &self->tracks[number];
  int64_t media;

  if (!track->anchored || track->n_line > 0)
    return false;
  if (track->stall > 0)
    return true;
  media = to_ns (unwrap (track, rtp_time), track->rate);
  if (media <= track->last_media || is_off_line (track, media, arrival))
    return false;
  if (arrival > self->now)
    self->now = arrival;
  find_stall (self, track, media, arrival, media - track->last_media);
  return track->stall > 0;
}

int64_t
rtc_timeline_map (
    RtcTimeline *self, unsigned number, uint32_t rtp_time, int64_t arrival)
{
  RtcTimelineTrack *track = &self->tracks[number];
  int64_t ticks = unwrap (track, rtp_time);
  int64_t media = to_ns (ticks, track->rate), running;

  if (arrival > self->now)
    self->now = arrival;
  if (!track->anchored) {
    anchor (self, track, media, arrival);
    raise_highest (track, rtp_time, ticks);
    return track->last_running;
  }
  if (media == track->last_media && track->n_line == 0) {
    track->arrived = arrival;
    return track->last_running;
  }
  if (is_off_line (track, media, arrival))
    return map_off_line (self, track, rtp_time, media, arrival);
  track->n_line = 0;
  note_packet (self, track, media, arrival);
  track->arrived = arrival;
  raise_highest (track, rtp_time, ticks);
  if (media <= track->last_media)
    return media + track->offset;
  step_together (self);
  slew (self, track, media - track->last_media);
  running = media + track->offset;
  if (running <= track->last_running)
    running = track->last_running + 1;
  track->last_media = media;
  track->last_running = running;
  return running;
}

/* --- sender reports --- */

/* How late the packets since the last report, or since a silence, are against
 * those before; 0 when unknown. */
static int64_t
get_recent_lateness (const RtcTimelineTrack *track)
{
  return track->n_recent < MIN_RECENT
      ? 0
      : track->recent - track->offset - get_lateness (track);
}

/* Whether these packets are as late as the report says that the RTP clock is.
 */
static bool
is_seen_in_packets (const RtcTimelineTrack *track, int64_t by)
{
  return track->n_recent >= MIN_RECENT && by > REPORT_JITTER &&
      distance (get_recent_lateness (track), by) <
      (by > SECOND ? by / 8 : 120 * MS);
}

static bool
is_suspected (const RtcTimelineTrack *track)
{
  return is_synced (track) && track->n_suspects > 0;
}

/* The NTP clock of all tracks has been set: that moves none of them. */
static bool
clock_was_set (RtcTimeline *self, int64_t by)
{
  unsigned n = 0, suspects = 0;

  for (unsigned i = 0; i < RTC_TIMELINE_TRACKS; i++) {
    const RtcTimelineTrack *track = &self->tracks[i];

    if (!is_active (self, track) || !is_synced (track))
      continue;
    n++;
    if (!is_suspected (track) ||
        distance (track->suspect - track->clock, by) > ALIGN_STEP)
      return false;
    suspects += track->n_suspects;
  }
  return suspects >= 2 && n > 0;
}

static void
set_clocks (RtcTimeline *self)
{
  for (unsigned i = 0; i < RTC_TIMELINE_TRACKS; i++) {
    RtcTimelineTrack *track = &self->tracks[i];

    if (!is_suspected (track))
      continue;
    track->clock = track->suspect;
    track->n_suspects = 0;
  }
}

/* The others have said since that their clock has not been set. */
static bool
others_disagree (const RtcTimeline *self, const RtcTimelineTrack *track)
{
  for (unsigned i = 0; i < RTC_TIMELINE_TRACKS; i++) {
    const RtcTimelineTrack *other = &self->tracks[i];

    if (other == track || !is_active (self, other) || !is_synced (other))
      continue;
    if (is_suspected (other) || other->agreed_at < track->suspected_at)
      return false;
  }
  return true;
}

static void
suspect (RtcTimeline *self, RtcTimelineTrack *track, int64_t clock)
{
  if (track->n_suspects == 0 ||
      distance (clock, track->suspect) > REPORT_JITTER) {
    track->n_suspects = 0;
    track->suspected_at = self->now;
  }
  track->n_suspects++;
  track->suspect = clock;
}

static void
handle_contradiction (RtcTimeline *self, RtcTimelineTrack *track, int64_t clock)
{
  int64_t by = clock - track->clock;

  if (is_seen_in_packets (track, by)) {
    move_line (track, by);
    forget_transit (track);
    self->steps++;
    align (self);
    return;
  }
  suspect (self, track, clock);
  if (clock_was_set (self, by)) {
    set_clocks (self);
  } else if (track->n_suspects >= SUSPECTS_CONFIRMED &&
      others_disagree (self, track)) {
    track->clock = clock;
    track->n_suspects = 0;
    /* What was seen before may belong to an RTP clock that went on. */
    forget_transit (track);
    align (self);
  }
}

/* The first report is believed when it agrees with the packets, or the next one
 * with it. */
static void
handle_first (
    RtcTimeline *self, RtcTimelineTrack *track, int64_t clock, int64_t late)
{
  suspect (self, track, clock);
  if (distance (late, 0) > REPORT_UNCHALLENGED &&
      distance (late, get_recent_lateness (track)) > REPORT_UNCHALLENGED &&
      track->n_suspects < 2)
    return;
  track->clock = clock;
  track->n_reports = 1;
  track->n_suspects = 0;
  align (self);
}

void
rtc_timeline_report (RtcTimeline *self, unsigned number, uint64_t ntp,
    uint32_t rtp_time, int64_t arrival)
{
  RtcTimelineTrack *track = &self->tracks[number];
  int64_t media, clock, late;

  if (ntp == 0 || !track->anchored || ntp == track->last_ntp)
    return;
  track->last_ntp = ntp;
  media = to_ns (unwrap (track, rtp_time), track->rate);
  clock = ntp_to_ns (ntp) - media;
  late = arrival - media - track->offset - get_lateness (track);
  if (distance (late, 0) > REPORT_PLAUSIBLE) {
    self->ignored_reports++;
    return;
  }
  if (!is_synced (track)) {
    handle_first (self, track, clock, late);
  } else if (distance (clock, track->clock) > REPORT_JITTER) {
    handle_contradiction (self, track, clock);
  } else {
    int64_t weight = track->n_reports < 4 ? track->n_reports + 1 : 4;

    track->n_reports++;
    track->clock += (clock - track->clock) / weight;
    track->n_suspects = 0;
    track->agreed_at = self->now;
    align (self);
  }
  track->recent = INT64_MAX;
  track->n_recent = 0;
}

bool
rtc_timeline_is_synced (const RtcTimeline *self, unsigned number)
{
  return is_synced (&self->tracks[number]);
}
