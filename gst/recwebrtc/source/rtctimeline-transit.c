/* gst-tsrec: transit of packets, and the tracks that it moves
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtctimeline-private.h"

/* --- transit: arrival minus media time --- */

void
rtc_timeline_track_forget_transit (RtcTimelineTrack *track)
{
  for (unsigned i = 0; i < RTC_TIMELINE_WINDOW; i++)
    track->transit[i] = INT64_MAX;
  track->recent = INT64_MAX;
  track->n_recent = 0;
}

/* A second without packets has no slot in the window, so that values to compare
 * with remain after a long silence. */
void
rtc_timeline_track_note_transit (
    RtcTimelineTrack *track, int64_t transit, int64_t arrival)
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

/* Returns the shortest transit, which no queue has lengthened, or FALSE if it
 * is unknown. *@full: the whole window has values. */
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

/* Returns the lateness of the earliest packets of the track, as mapped now. */
int64_t
rtc_timeline_track_get_lateness (const RtcTimelineTrack *track)
{
  int64_t transit;
  bool full;

  return get_transit (track, &transit, &full) ? transit - track->offset : 0;
}

bool
rtc_timeline_is_active (const RtcTimeline *self, const RtcTimelineTrack *track)
{
  return track->used && track->anchored && self->now - track->arrived < ACTIVE;
}

/* The same of the earliest track; FALSE when there is none but @except. @full:
 * of all of the window. */
bool
rtc_timeline_get_shared_lateness (const RtcTimeline *self,
    const RtcTimelineTrack *except, int64_t *lateness, bool *full)
{
  bool found = false;

  *full = true;
  *lateness = INT64_MAX;
  for (unsigned i = 0; i < RTC_TIMELINE_TRACKS; i++) {
    const RtcTimelineTrack *track = &self->tracks[i];
    int64_t transit;
    bool all;

    if (track == except || !rtc_timeline_is_active (self, track) ||
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

/* The RTP clock of the track has stopped for @by: its media time is later than
 * its timestamps. */
void
rtc_timeline_track_move_line (RtcTimelineTrack *track, int64_t by)
{
  track->offset += by;
  track->clock += by;
  track->n_suspects = 0;
  track->stall = 0;
}

bool
rtc_timeline_track_is_synced (const RtcTimelineTrack *track)
{
  return track->n_reports > 0;
}

/* Returns running time minus NTP time, which is equal for all tracks that are
 * aligned. */
static int64_t
get_sync (const RtcTimelineTrack *track)
{
  return track->offset - track->clock;
}

/* Moves tracks that are far behind the others forward to them. */
void
rtc_timeline_align (RtcTimeline *self)
{
  int64_t latest = NONE;

  for (unsigned i = 0; i < RTC_TIMELINE_TRACKS; i++) {
    const RtcTimelineTrack *track = &self->tracks[i];

    if (rtc_timeline_is_active (self, track) &&
        rtc_timeline_track_is_synced (track) &&
        (latest == NONE || get_sync (track) > latest))
      latest = get_sync (track);
  }
  for (unsigned i = 0; i < RTC_TIMELINE_TRACKS; i++) {
    RtcTimelineTrack *track = &self->tracks[i];
    int64_t behind;

    if (!rtc_timeline_is_active (self, track) ||
        !rtc_timeline_track_is_synced (track))
      continue;
    behind = latest - get_sync (track);
    if (behind <= ALIGN_STEP || behind > MAX_ALIGN)
      continue;
    track->offset += behind;
    self->steps++;
  }
}

/* Returns the slew of the track over @media towards the middle of all
 * tracks. */
static int64_t
slew_to_others (
    const RtcTimeline *self, const RtcTimelineTrack *track, int64_t media)
{
  int64_t sum = 0, n = 0;

  if (!rtc_timeline_track_is_synced (track))
    return 0;
  for (unsigned i = 0; i < RTC_TIMELINE_TRACKS; i++) {
    const RtcTimelineTrack *other = &self->tracks[i];
    int64_t error;

    if (!rtc_timeline_is_active (self, other) ||
        !rtc_timeline_track_is_synced (other))
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

/* Returns the slew over @media that follows the sender's clock, equal for all
 * tracks. */
static int64_t
slew_to_arrival (const RtcTimeline *self, int64_t media)
{
  int64_t late;
  bool full;

  if (!rtc_timeline_get_shared_lateness (self, NULL, &late, &full) ||
      distance (late, 0) < DRIFT_DEADBAND || (late > 0 && !full))
    return 0;
  return clamp (
      late / (DRIFT_TIME / MS) * (media / MS), media / 1000000 * MAX_DRIFT_PPM);
}

void
rtc_timeline_slew (RtcTimeline *self, RtcTimelineTrack *track, int64_t media)
{
  if (media > SECOND)
    media = SECOND;
  track->offset +=
      slew_to_others (self, track, media) + slew_to_arrival (self, media);
}

/* Handles lateness of all tracks: all RTP clocks have stopped for a time. */
void
rtc_timeline_step_together (RtcTimeline *self)
{
  int64_t late;
  bool full;

  if (!rtc_timeline_get_shared_lateness (self, NULL, &late, &full) || !full ||
      late < COMMON_STEP)
    return;
  for (unsigned i = 0; i < RTC_TIMELINE_TRACKS; i++) {
    RtcTimelineTrack *track = &self->tracks[i];

    if (rtc_timeline_is_active (self, track))
      track->offset += late;
  }
  self->steps++;
}
