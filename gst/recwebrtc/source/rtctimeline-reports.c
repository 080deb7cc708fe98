/* gst-tsrec: sender reports of RtcTimeline
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtctimeline-private.h"

/* --- sender reports --- */

/* How late the packets since the last report, or since a silence, are against
 * those before; 0 when unknown. */
static int64_t
get_recent_lateness (const RtcTimelineTrack *track)
{
  return track->n_recent < MIN_RECENT
      ? 0
      : track->recent - track->offset - rtc_timeline_track_get_lateness (track);
}

/* Returns TRUE if these packets are as late as the RTP clock is by the
 * report. */
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
  return rtc_timeline_track_is_synced (track) && track->n_suspects > 0;
}

/* Returns TRUE if the NTP clock of all tracks was set. That moves no track. */
static bool
clock_was_set (RtcTimeline *self, int64_t by)
{
  unsigned n = 0, suspects = 0;

  for (unsigned i = 0; i < RTC_TIMELINE_TRACKS; i++) {
    const RtcTimelineTrack *track = &self->tracks[i];

    if (!rtc_timeline_is_active (self, track) ||
        !rtc_timeline_track_is_synced (track))
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

/* Returns TRUE if later reports of the other tracks show that their clock was
 * not set. */
static bool
others_disagree (const RtcTimeline *self, const RtcTimelineTrack *track)
{
  for (unsigned i = 0; i < RTC_TIMELINE_TRACKS; i++) {
    const RtcTimelineTrack *other = &self->tracks[i];

    if (other == track || !rtc_timeline_is_active (self, other) ||
        !rtc_timeline_track_is_synced (other))
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
    rtc_timeline_track_move_line (track, by);
    rtc_timeline_track_forget_transit (track);
    self->steps++;
    rtc_timeline_align (self);
    return;
  }
  suspect (self, track, clock);
  if (clock_was_set (self, by)) {
    set_clocks (self);
  } else if (track->n_suspects >= SUSPECTS_CONFIRMED &&
      others_disagree (self, track)) {
    track->clock = clock;
    track->n_suspects = 0;
    /* Earlier measurements may belong to an RTP clock that did not stop. */
    rtc_timeline_track_forget_transit (track);
    rtc_timeline_align (self);
  }
}

/* The first report is accepted if it agrees with the packets, or if the second
 * one agrees with it. */
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
  rtc_timeline_align (self);
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
  media = to_ns (rtc_timeline_track_unwrap (track, rtp_time), track->rate);
  clock = ntp_to_ns (ntp) - media;
  late =
      arrival - media - track->offset - rtc_timeline_track_get_lateness (track);
  if (distance (late, 0) > REPORT_PLAUSIBLE) {
    self->ignored_reports++;
    return;
  }
  if (!rtc_timeline_track_is_synced (track)) {
    handle_first (self, track, clock, late);
  } else if (distance (clock, track->clock) > REPORT_JITTER) {
    handle_contradiction (self, track, clock);
  } else {
    int64_t weight = track->n_reports < 4 ? track->n_reports + 1 : 4;

    track->n_reports++;
    track->clock += (clock - track->clock) / weight;
    track->n_suspects = 0;
    track->agreed_at = self->now;
    rtc_timeline_align (self);
  }
  track->recent = INT64_MAX;
  track->n_recent = 0;
}
