/* gst-tsrec: where the program clock reference stands
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * PCR follows the highest DTS at a distance, the preroll. The decoder model
 * (ISO/IEC 13818-1 2.4.2.3) wants no access unit with a DTS that PCR has passed
 * already, so PCR is kept behind what can still come:
 *
 * - a track that lags by up to MAX_LAG, like that of an encoder that the
 *   machine is too slow for: behind its last access unit, and for a few seconds
 *   also when it is silent, as it owes something;
 * - tracks that are still to start, for a few seconds.
 *
 * PCR never stands still meanwhile, it creeps. Afterwards it catches up, at
 * twice its speed at most, as nothing may jump. It does not wait for a track
 * that was in time and falls silent, which is muted more often than stuck, for
 * one that lags by more than MAX_LAG, nor for one whose access units are rare.
 * What comes behind PCR after all keeps its timestamps and is counted: readers
 * present by PTS, and a time that was moved cannot be restored.
 */

#include "tsmux-private.h"

/* How long tracks that never started keep PCR back. */
#define EXPECT_TIME (5 * 90000)
/* A track that has lagged by this owes something when it is silent, and keeps
 * PCR back for so much longer than it lagged. */
#define OWING_LAG (3 * 90000 / 10)
#define OWING_TIME (3 * 90000)
/* Across a longer gap, nothing flowed and no PCR was missing: PCR jumps, and
 * says discontinuity_indicator. */
#define MAX_GAP (3 * 90000 / 2)
/* The T-STD lets nothing wait for longer (2.4.2.7): PCR is never kept further
 * behind the highest DTS by a track that lags. */
#define MAX_LAG (10 * 90000)
/* Access units further apart are too rare to keep the other tracks waiting. */
#define MAX_DISTANCE (1 * 90000)

void
ts_mux_clamp_dts (TsMux *mux, TsTrack *track, int64_t dts)
{
  track->lag = ts_mux_to_ts (mux, mux->timeline.now) - dts;
  if (track->last_dts != TS_TIME_NONE)
    track->distance = dts - track->last_dts;
  if (mux->last_pcr != TS_TIME_NONE && dts <= mux->last_pcr)
    mux->stats.late++;
}

/* The lowest DTS that is going to be written for certain. What PCR has passed
 * already does not keep it back any more. */
static int64_t
get_hard_limit (const TsMux *mux, const TsPlan *plan)
{
  int64_t limit = INT64_MAX;

  if (plan->track && plan->dts > mux->last_pcr)
    limit = plan->dts;
  for (unsigned i = 0; i < mux->n_tracks; i++) {
    const TsTrack *track = mux->tracks[i];

    if (track->held_size > 0 && !(plan->flush >> i & 1) &&
        track->held_dts >= mux->last_pcr && track->held_dts < limit)
      limit = track->held_dts;
  }
  return limit;
}

/* Whether PCR waits for what @track may still bring. */
static bool
is_owing (const TsTrack *track, int64_t now)
{
  int64_t silent;

  if (track->last_dts == TS_TIME_NONE || track->lag <= OWING_LAG ||
      track->lag > MAX_LAG || track->distance > MAX_DISTANCE)
    return false;
  silent = now - track->last_dts;
  return silent < track->lag + OWING_TIME && silent <= MAX_LAG;
}

/* The same for what may still come. */
static int64_t
get_limit (const TsMux *mux, int64_t now)
{
  int64_t limit = now - mux->preroll;

  if (mux->expecting && now - mux->ts_origin < EXPECT_TIME &&
      mux->ts_origin - mux->preroll < limit)
    limit = mux->ts_origin - mux->preroll;
  for (unsigned i = 0; i < mux->n_tracks; i++) {
    const TsTrack *track = mux->tracks[i];

    if (is_owing (track, now) && track->last_dts - OWING_LAG < limit)
      limit = track->last_dts - OWING_LAG;
  }
  return limit;
}

bool
ts_mux_is_catching_up (const TsMux *mux, int64_t now)
{
  return mux->last_pcr != TS_TIME_NONE &&
      get_limit (mux, now) > mux->last_pcr + now - mux->last_pcr_now + 90;
}

/* From where it should be to where it can be from here. */
static int64_t
get_pcr (const TsMux *mux, const TsPlan *plan, int64_t now)
{
  int64_t hard_limit = get_hard_limit (mux, plan);
  int64_t limit = get_limit (mux, now);
  int64_t last = mux->last_pcr, passed = now - mux->last_pcr_now;

  if (hard_limit < limit)
    limit = hard_limit;
  if (last == TS_TIME_NONE)
    return limit;
  if (limit > last + TS_PCR_CATCH_UP * passed)
    limit = last + TS_PCR_CATCH_UP * passed;
  if (limit > last)
    return limit;
  /* It creeps as often as it would come. */
  if (hard_limit > last && (passed >= mux->pcr_interval || plan->random_access))
    return last + 1;
  return last;
}

/* How long it takes, about, until there is the next chance for a PCR. That is
 * the next access unit of the PCR track, if it comes in time; a packet of its
 * own can come with any track. */
static int64_t
get_step (const TsMux *mux, const TsPlan *plan)
{
  const TsTrack *track = mux->pcr_track;
  int64_t step = ts_time_to_90k (track->time.step);

  if (plan->track == track)
    return step > 0 ? step : mux->pcr_interval;
  /* Frames that wait for their PES packet are no chance. */
  if (mux->config.audio_pes_time > 0 && ts_codec_is_audio (track->config.codec))
    return plan->kind == TS_PLAN_FLUSH ? mux->pcr_interval : mux->gap;
  if (track->last_dts != TS_TIME_NONE && step > 0 &&
      track->last_dts + step - mux->last_pcr_now <= mux->pcr_interval &&
      track->last_dts + step >= mux->last_now)
    return 0;
  return mux->gap;
}

void
ts_mux_plan_pcr (TsMux *mux, TsPlan *plan, int64_t now)
{
  int64_t last = mux->last_pcr, step, gap, passed;

  plan->n_pcrs = 0;
  plan->pcr_jump = false;
  if (mux->pcr_track == NULL)
    return;
  plan->pcr = get_pcr (mux, plan, now);
  if (last == TS_TIME_NONE) {
    plan->n_pcrs = 1;
    return;
  }
  gap = plan->pcr - last;
  passed = now - mux->last_pcr_now;
  if (gap <= 0)
    return;
  step = get_step (mux, plan);
  /* Now, if the next chance to have it comes too late. */
  if (plan->random_access || passed + step > mux->pcr_interval ||
      gap + step > mux->pcr_interval)
    plan->n_pcrs = 1;
  plan->pcr_jump = gap > MAX_GAP;
  if (gap > mux->pcr_interval && !plan->pcr_jump)
    plan->n_pcrs =
        (unsigned)((gap + mux->pcr_interval - 1) / mux->pcr_interval);
}
