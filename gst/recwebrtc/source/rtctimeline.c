/* gst-tsrec: RTP timestamps of all tracks of a session on one running time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtctimeline-private.h"

#include <string.h>

/* --- an RTP clock that stopped while the track was silent --- */

/* @track has not been late by more than @limit since @since. */
static bool
was_in_time (const RtcTimelineTrack *track, int64_t since, int64_t limit)
{
  return track->held_until == NONE || track->held_until <= since ||
      track->held_for <= limit;
}

/* Returns TRUE if the network delivered the other tracks in time while this one
 * was silent since
 * @since. */
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

    if (other == track || !rtc_timeline_is_active (self, other))
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
  int64_t by =
      transit - track->offset - rtc_timeline_track_get_lateness (track);

  rtc_timeline_track_move_line (track, by);
  rtc_timeline_track_forget_transit (track);
  self->steps++;
}

/* Another packet behind the silence, at @arrival: once it is known, the track
 * is moved, or not. */
static void
watch_stall (RtcTimeline *self, RtcTimelineTrack *track, int64_t transit,
    int64_t arrival)
{
  int64_t late =
      transit - track->offset - rtc_timeline_track_get_lateness (track);
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

/* The first packet after a silence. @passed: time since the previous packet.
 * @step: time on the RTP clock since then. */
static void
find_stall (RtcTimeline *self, RtcTimelineTrack *track, int64_t media,
    int64_t arrival, int64_t step)
{
  int64_t passed = arrival - track->arrived, transit = arrival - media;
  int64_t late =
      transit - track->offset - rtc_timeline_track_get_lateness (track);
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

int64_t
rtc_timeline_track_unwrap (RtcTimelineTrack *track, uint32_t rtp_time)
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
      late < rtc_timeline_track_get_lateness (track) - MAX_FORWARD;
}

static bool
is_on_suspect_line (const RtcTimelineTrack *track, int64_t media)
{
  return track->n_line > 0 && media > track->line_media - MAX_BACK &&
      media < track->line_media + 2 * SECOND;
}

/* Maps a packet off the line to its arrival, or to after the packet before it.
 * Later packets follow it at their distance, and some of them confirm a new
 * line. */
static int64_t
map_off_line (RtcTimeline *self, RtcTimelineTrack *track, uint32_t rtp_time,
    int64_t media, int64_t arrival)
{
  bool known = is_on_suspect_line (track, media);
  int64_t earliest = track->last_running + track->step;
  int64_t at = arrival - rtc_timeline_track_get_lateness (track);

  if (!known) {
    track->line = (at > earliest ? at : earliest) - media;
    track->n_line = 0;
  }
  if (!known || media != track->line_media)
    track->n_line++;
  track->line_media = media;
  if (track->n_line >= LINE_CONFIRMED) {
    rtc_timeline_track_move_line (track, track->line - track->offset);
    rtc_timeline_track_forget_transit (track);
    rtc_timeline_track_note_transit (track, arrival - media, arrival);
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
  if (rtc_timeline_get_shared_lateness (self, track, &late, &full)) {
    track->offset = track->earliest - late;
  } else {
    track->offset = track->earliest;
    if (media + track->offset < self->floor)
      track->offset = self->floor - media;
  }
  rtc_timeline_track_note_transit (track, track->earliest, arrival);
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
  rtc_timeline_track_forget_transit (track);
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
  transit = arrival -
      to_ns (rtc_timeline_track_unwrap (track, rtp_time), track->rate);
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
  rtc_timeline_track_note_transit (track, arrival - media, arrival);
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
  media = to_ns (rtc_timeline_track_unwrap (track, rtp_time), track->rate);
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
  int64_t ticks = rtc_timeline_track_unwrap (track, rtp_time);
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
  rtc_timeline_step_together (self);
  rtc_timeline_slew (self, track, media - track->last_media);
  running = media + track->offset;
  if (running <= track->last_running)
    running = track->last_running + 1;
  track->last_media = media;
  track->last_running = running;
  return running;
}
