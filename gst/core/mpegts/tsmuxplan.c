/* gst-tsrec: the plan of an output
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Part of TsMux: decides what is written with an access unit, and the most
 * bytes that it takes.
 */

#include "tsmux-private.h"

/* Time without video after which audio is a random access point. */
#define VIDEO_GONE (TS_TIMESTAMPS_PER_S * 1)
/* Least distance of the first PCR behind DTS, in addition to the reorder
 * delay. */
#define REORDER_MARGIN (TS_TIMESTAMPS_PER_S / 5)
/* --- Start of the stream --- */

void
ts_mux_mark_discontinuity (TsMux *mux)
{
  for (unsigned i = 0; i < mux->n_tracks; i++)
    mux->tracks[i]->discontinuity = true;
  mux->pat.discontinuity = true;
  mux->pmt.discontinuity = true;
  mux->sdt.discontinuity = true;
}

/* Returns the preroll. By DTS, reordered pictures are later than audio by the
 * reorder delay. The first PCR is not negative. */
static int64_t
get_preroll (const TsMux *mux)
{
  int64_t preroll = ts_time_to_90k (mux->config.preroll);
  int64_t delay = ts_mux_get_reorder_delay (mux);
  int64_t most = ts_time_to_90k (mux->config.start_offset);

  if (delay > 0 && delay + REORDER_MARGIN > preroll)
    preroll = delay + REORDER_MARGIN;
  return preroll < most ? preroll : most;
}

/* The first access unit determines the start of TS time. */
static void
start (TsMux *mux, TsPlan *plan)
{
  int64_t dts_ns = plan->dts_ns;

  mux->started = true;
  mux->origin_ns = dts_ns;
  mux->preroll = get_preroll (mux);
  /* The time of the clock, but so far after the end of the file that a track
   * that is late by the preroll does not fall back into it. */
  if (mux->resumed && mux->resume_elapsed > mux->preroll)
    mux->ts_origin = mux->resume_ts + mux->resume_elapsed;
  else if (mux->resumed)
    mux->ts_origin = mux->resume_ts + mux->preroll + 1;
  else
    mux->ts_origin = ts_time_to_90k (mux->config.start_offset);
  plan->discontinuity = mux->resumed;
  if (mux->resumed)
    ts_mux_mark_discontinuity (mux);
}

/* --- Times, tables and pending data --- */

static void
count_effect (TsStats *stats, TsEffect effect)
{
  switch (effect) {
    case TS_EFFECT_NONE:
      break;
    case TS_EFFECT_DTS:
      stats->dts_raised++;
      break;
    case TS_EFFECT_TICK:
      stats->pts_nudged++;
      break;
    case TS_EFFECT_MOVED:
      stats->pts_moved++;
      break;
  }
}

void
ts_plan_time (TsMux *mux, TsTrack *track, TsPlan *plan)
{
  TsEffect effect = track->time.effect;

  if (!mux->started)
    start (mux, plan);
  plan->pts = ts_mux_to_ts (mux, plan->pts_ns);
  plan->dts = ts_mux_to_ts (mux, plan->dts_ns);
  ts_mux_note_dts (mux, track, plan->dts);
  if (track->last_dts != TS_TIME_NONE && plan->dts <= track->last_dts)
    plan->dts = track->last_dts + 1;
  if (plan->pts < plan->dts) {
    if (plan->dts - plan->pts > 1)
      effect = TS_EFFECT_MOVED;
    else if (effect != TS_EFFECT_MOVED)
      effect = TS_EFFECT_TICK;
    plan->pts = plan->dts;
  }
  track->last_dts = plan->dts;
  count_effect (&mux->stats, effect);
}

static void
update_au_distance (TsMux *mux, int64_t now)
{
  int64_t gap = mux->last_now != TS_TIME_NONE ? now - mux->last_now : 0;
  int64_t max = ts_time_to_90k (mux->config.psi_interval) / 4;

  if (gap > max)
    gap = max;
  mux->au_distance =
      gap > mux->au_distance ? gap : mux->au_distance - mux->au_distance / 16;
  mux->last_now = now;
}

static bool
is_video_flowing (const TsMux *mux, int64_t now)
{
  return mux->last_video != TS_TIME_NONE && now - mux->last_video < VIDEO_GONE;
}

static void
plan_psi (TsMux *mux, TsPlan *plan, int64_t now)
{
  TsTrack *track = plan->track;
  bool video = track && ts_codec_is_video (track->config.codec);

  plan->psi = mux->psi_changed ||
      ts_mux_is_table_due (mux, &mux->pat, mux->config.psi_interval, now);
  plan->sdt =
      ts_mux_is_table_due (mux, &mux->sdt, mux->config.si_interval, now);
  if (track == NULL || !plan->payload.random_access)
    return;
  if (video)
    ts_mux_move_pcr (mux, now);
  if (video)
    plan->random_access = true;
  else if (!is_video_flowing (mux, now))
    plan->random_access = plan->psi || mux->resync;
  if (plan->random_access)
    plan->psi = plan->sdt = true;
}

/* Selects the tracks whose pending data have waited for long enough. */
static void
plan_flush (TsMux *mux, TsPlan *plan)
{
  int64_t now = mux->timeline.now;

  plan->flush = 0;
  for (unsigned i = 0; i < mux->n_tracks; i++) {
    TsTrack *track = mux->tracks[i];
    bool own = track == plan->track && !plan->random_access;
    int64_t max = ts_write_get_pending_time (mux, track, own);

    if (track->pending_size > 0 &&
        (plan->random_access || plan->kind == TS_PLAN_FLUSH ||
            now - track->pending_since > max))
      plan->flush |= UINT32_C (1) << i;
  }
}

/* Determines the most bytes that the plan takes. */
static void
plan_size (TsMux *mux, TsPlan *plan)
{
  size_t size = 0, psi, sdt;

  for (unsigned i = 0; i < mux->n_tracks; i++) {
    if (plan->flush >> i & 1)
      size += ts_write_get_max_size (mux->tracks[i]->pending_size, 0);
  }
  if (mux->psi_changed)
    ts_mux_build_tables (mux);
  psi = plan->psi +
      ts_mux_count_between (
          mux, &mux->pat, mux->config.psi_interval, plan->psi);
  sdt = plan->sdt +
      ts_mux_count_between (mux, &mux->sdt, mux->config.si_interval, plan->sdt);
  /* One more if PCRs, and tables between them, precede pending data. */
  if (plan->flush && plan->n_pcrs > 1) {
    psi++;
    sdt++;
  }
  size += psi *
      (ts_write_get_max_size (mux->pat.size, 0) +
          ts_write_get_max_size (mux->pmt.size, 0));
  size += sdt * ts_write_get_max_size (mux->sdt.size, 0);
  if (plan->flush_own)
    size += ts_write_get_max_size (plan->track->pending_size, 0);
  if (plan->track)
    size += ts_write_get_max_size (
        plan->payload.size + plan->track->pending_size, plan->n_pcrs);
  else
    size += plan->n_pcrs * TS_PACKET_SIZE;
  plan->size = size;
}

size_t
ts_plan_output (TsMux *mux, TsPlan *plan)
{
  int64_t now = ts_mux_to_ts (mux, mux->timeline.now);

  update_au_distance (mux, now);
  plan_psi (mux, plan, now);
  plan_flush (mux, plan);
  ts_mux_plan_pcr (mux, plan, now);
  plan_size (mux, plan);
  return plan->size;
}

size_t
ts_plan_flush (TsMux *mux, TsPlan *plan)
{
  plan_flush (mux, plan);
  if (plan->flush && !mux->psi_changed) {
    int64_t now = ts_mux_to_ts (mux, mux->timeline.now);

    plan_psi (mux, plan, now);
    ts_mux_plan_pcr (mux, plan, now);
  }
  plan_size (mux, plan);
  return plan->size;
}

/* --- Audio frames that wait for their PES packet --- */

static void
hold_frame (TsTrack *track, const TsPlan *plan)
{
  uint8_t *p = track->pending + track->pending_size;

  if (track->pending_size == 0) {
    track->pending_pts = plan->pts;
    track->pending_dts = plan->dts;
    track->pending_since = plan->dts_ns;
  }
  for (unsigned i = 0; i < plan->payload.n_spans; i++) {
    memcpy (p, plan->payload.spans[i].data, plan->payload.spans[i].size);
    p += plan->payload.spans[i].size;
  }
  track->pending_size = (size_t)(p - track->pending);
}

/* Returns true if the frame may follow the pending frames without a timestamp
 * of its own: readers compute one from the durations. */
static bool
is_contiguous (const TsTrack *track, const TsPlan *plan)
{
  int64_t distance = plan->dts_ns - track->pending_next;

  return track->pending_size == 0 ||
      (distance < TS_PENDING_TOLERANCE && distance > -TS_PENDING_TOLERANCE);
}

bool
ts_plan_hold (TsMux *mux, TsTrack *track, TsPlan *plan)
{
  int64_t pes_time = mux->config.audio_pes_time;
  int64_t step = track->time.step, since;
  int64_t now = ts_mux_to_ts (mux, mux->timeline.now);
  bool contiguous = is_contiguous (track, plan), wait;

  if (pes_time == 0 || !ts_codec_is_audio (track->config.codec))
    return false;
  if (track->pending_size + plan->payload.size > TS_PES_MAX_PAYLOAD)
    contiguous = false;
  plan->flush_own = track->pending_size > 0 && !contiguous;
  since = track->pending_size > 0 && contiguous ? track->pending_since
                                                : plan->dts_ns;
  /* One more frame would exceed the time of the PES packet. */
  wait = step > 0 && plan->dts_ns + 2 * step - since <= pes_time;
  track->pending_next = plan->dts_ns + step;
  /* The PMT precedes the first data of a new track, and a PCR accompanies the
   * first frame after a silence. */
  if (mux->psi_changed ||
      now - mux->last_pcr_dts > ts_time_to_90k (TS_NS_PER_S))
    wait = false;
  if (!wait || plan->flush_own || mux->resync ||
      plan->payload.size > TS_PES_MAX_PAYLOAD)
    return false;
  hold_frame (track, plan);
  return true;
}

/* --- Frames that belong to the access unit before --- */

bool
ts_plan_dependent (TsMux *mux, TsTrack *track, TsPlan *plan)
{
  if (!plan->payload.dependent || track->last_dts == TS_TIME_NONE)
    return false;
  plan->dependent = true;
  plan->pts_ns = plan->dts_ns = track->time.last_dts;
  plan->pts = plan->dts = track->last_dts;
  return true;
}

bool
ts_plan_hold_dependent (TsTrack *track, const TsPlan *plan)
{
  if (track->pending_size == 0 || ts_codec_is_video (track->config.codec) ||
      track->pending_size + plan->payload.size > TS_PES_MAX_PAYLOAD)
    return false;
  hold_frame (track, plan);
  return true;
}

int64_t
ts_plan_get_duration (
    const TsTrack *track, const TsAccessUnit *au, const TsPlan *plan)
{
  if (!ts_codec_is_video (track->config.codec) &&
      !ts_codec_is_audio (track->config.codec))
    return TS_TIME_NONE;
  if (au->duration > 0)
    return au->duration;
  if (plan->payload.duration > 0)
    return plan->payload.duration;
  if (track->time.nominal > 0)
    return track->time.nominal;
  return track->time.step > 0 ? track->time.step : TS_TIME_NONE;
}
