/* gst-tsrec: when a PCR is written, and its value
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * PCR follows the highest DTS at a distance, the preroll. The decoder model
 * (ISO/IEC 13818-1 2.4.2.3) does not allow an access unit whose DTS PCR has
 * passed. PCR is therefore kept behind access units that are still expected:
 *
 * - of a track that lags by up to MAX_LAG, for example of an encoder that is
 *   too slow for the machine: PCR stays behind its last access unit, for a few
 *   seconds even while the track is silent;
 * - of tracks that are still to start, for a few seconds.
 *
 * While PCR is kept back it still advances by one tick per interval.
 * Afterwards it runs at up to twice real time until it has caught up, because
 * it must not jump. PCR does not wait for a track that was in time and falls
 * silent, since muted is more likely than stuck. It does not wait for a track
 * that lags by more than MAX_LAG, nor for one with rare access units.
 *
 * An access unit behind PCR keeps its timestamps and is counted: readers
 * present by PTS, and a moved time cannot be restored.
 */

#include "tsmux-private.h"

/* Longest time that PCR waits for tracks that have not started. */
#define EXPECT_TIME (5 * TS_TIMESTAMPS_PER_S)
/* PCR waits for a silent track if it has lagged by OWING_LAG, for its lag and
 * OWING_TIME. */
#define OWING_LAG (3 * TS_TIMESTAMPS_PER_S / 10)
#define OWING_TIME (3 * TS_TIMESTAMPS_PER_S)
/* After a longer silence of all tracks no PCR is missing: PCR jumps, with a
 * discontinuity_indicator. */
#define MAX_GAP (3 * TS_TIMESTAMPS_PER_S / 2)
/* Largest lag that keeps PCR back, as no access unit may stay in the T-STD for
 * longer (2.4.2.7). */
#define MAX_LAG (10 * TS_TIMESTAMPS_PER_S)
/* Access units further apart are too rare to keep PCR back. */
#define MAX_DISTANCE (1 * TS_TIMESTAMPS_PER_S)

void
ts_mux_note_dts (TsMux *mux, TsTrack *track, int64_t dts)
{
  track->lag = ts_mux_to_ts (mux, mux->timeline.now) - dts;
  if (track->last_dts != TS_TIME_NONE)
    track->distance = dts - track->last_dts;
  if (mux->last_pcr != TS_TIME_NONE && dts <= mux->last_pcr)
    mux->stats.late++;
}

/* Returns the lowest DTS that is certain to be written. A DTS that PCR has
 * passed does not keep PCR back any more. */
static int64_t
get_hard_limit (const TsMux *mux, const TsPlan *plan)
{
  int64_t limit = INT64_MAX;

  if (plan->track && plan->dts > mux->last_pcr)
    limit = plan->dts;
  for (unsigned i = 0; i < mux->n_tracks; i++) {
    const TsTrack *track = mux->tracks[i];

    if (track->pending_size > 0 && !(plan->flush >> i & 1) &&
        track->pending_dts >= mux->last_pcr && track->pending_dts < limit)
      limit = track->pending_dts;
  }
  return limit;
}

/* Returns true if PCR waits for the next access unit of @track. */
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

/* Returns the highest PCR that leaves room for access units that are still
 * expected. */
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
      get_limit (mux, now) > mux->last_pcr + now - mux->last_pcr_dts + 90;
}

/* Returns the PCR to write: the target, limited by the catch-up rate. */
static int64_t
get_pcr (const TsMux *mux, const TsPlan *plan, int64_t now)
{
  int64_t hard_limit = get_hard_limit (mux, plan);
  int64_t limit = get_limit (mux, now);
  int64_t last = mux->last_pcr, passed = now - mux->last_pcr_dts;

  if (hard_limit < limit)
    limit = hard_limit;
  if (last == TS_TIME_NONE)
    return limit;
  if (limit > last + TS_PCR_CATCH_UP * passed)
    limit = last + TS_PCR_CATCH_UP * passed;
  if (limit > last)
    return limit;
  /* Advance by one tick so that PCR keeps its interval. */
  if (hard_limit > last && (passed >= mux->pcr_interval || plan->random_access))
    return last + 1;
  return last;
}

/* Returns the estimated time until the next opportunity for a PCR: the next
 * access unit of the PCR track if it is in time. A PCR in a packet of its own
 * can accompany any track. */
static int64_t
get_step (const TsMux *mux, const TsPlan *plan)
{
  const TsTrack *track = mux->pcr_track;
  int64_t step = ts_time_to_90k (track->time.step);

  if (plan->track == track)
    return step > 0 ? step : mux->pcr_interval;
  /* Frames that wait for their PES packet are no opportunity. */
  if (mux->config.audio_pes_time > 0 && ts_codec_is_audio (track->config.codec))
    return plan->kind == TS_PLAN_FLUSH ? mux->pcr_interval : mux->au_distance;
  if (track->last_dts != TS_TIME_NONE && step > 0 &&
      track->last_dts + step - mux->last_pcr_dts <= mux->pcr_interval &&
      track->last_dts + step >= mux->last_now)
    return 0;
  return mux->au_distance;
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
  passed = now - mux->last_pcr_dts;
  if (gap <= 0)
    return;
  step = get_step (mux, plan);
  /* A PCR is due if the next opportunity is too late. */
  if (plan->random_access || passed + step > mux->pcr_interval ||
      gap + step > mux->pcr_interval)
    plan->n_pcrs = 1;
  plan->pcr_jump = gap > MAX_GAP;
  if (gap > mux->pcr_interval && !plan->pcr_jump)
    plan->n_pcrs =
        (unsigned)((gap + mux->pcr_interval - 1) / mux->pcr_interval);
}
