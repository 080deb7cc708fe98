/* gst-tsrec: an MPEG transport stream mux in plain C
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Configuration, and the two steps of an output.
 */

#include "tsmux-private.h"

#include <stdlib.h>

#define MAX_PREROLL (30 * TS_NS_PER_S)
#define MAX_INTERVAL (10 * TS_NS_PER_S)
/* Least number of PCRs between two tables of a kind. */
#define MIN_PCRS_PER_TABLE 3

static int64_t
clamp (int64_t value, int64_t min, int64_t max)
{
  return value < min ? min : value > max ? max : value;
}

/* --- The mux --- */

void
ts_mux_config_init (TsMuxConfig *config)
{
  memset (config, 0, sizeof (*config));
  config->transport_stream_id = 1;
  config->program_number = 1;
  config->pmt_pid = 0x1000;
  config->start_offset = 1400 * TS_NS_PER_MS;
  config->preroll = 900 * TS_NS_PER_MS;
  config->psi_interval = 500 * TS_NS_PER_MS;
  config->si_interval = 500 * TS_NS_PER_MS;
  config->pcr_interval = 40 * TS_NS_PER_MS;
}

static void
fix_config (TsMuxConfig *config)
{
  const int64_t ms = TS_NS_PER_MS;

  if (config->program_number == 0)
    config->program_number = 1;
  if (config->pmt_pid < TS_PID_MIN_USER || config->pmt_pid > TS_PID_MAX_USER)
    config->pmt_pid = 0x1000;
  config->service_name[TS_MUX_MAX_NAME] = '\0';
  config->service_provider[TS_MUX_MAX_NAME] = '\0';
  config->psi_interval = clamp (config->psi_interval, 10 * ms, MAX_INTERVAL);
  config->si_interval = clamp (config->si_interval, 10 * ms, MAX_INTERVAL);
  config->pcr_interval = clamp (config->pcr_interval, 5 * ms, 100 * ms);
  config->audio_pes_time = clamp (config->audio_pes_time, 0, 700 * ms);
  config->preroll = clamp (config->preroll, 0, MAX_PREROLL);
  config->start_offset =
      clamp (config->start_offset, config->preroll, INT64_C (1) << 47);
}

/* Returns the PCR interval. Tables are placed between PCRs, and are in time
 * only if several PCRs fall within their interval. */
static int64_t
get_pcr_interval (const TsMuxConfig *config)
{
  int64_t interval = config->pcr_interval;

  if (interval > config->psi_interval / MIN_PCRS_PER_TABLE)
    interval = config->psi_interval / MIN_PCRS_PER_TABLE;
  if (interval > config->si_interval / MIN_PCRS_PER_TABLE)
    interval = config->si_interval / MIN_PCRS_PER_TABLE;
  return ts_time_to_90k (interval);
}

TsMux *
ts_mux_new (const TsMuxConfig *config)
{
  TsMux *mux = calloc (1, sizeof (*mux));

  if (mux == NULL)
    return NULL;
  mux->config = *config;
  fix_config (&mux->config);
  ts_timeline_init (&mux->timeline);
  memset (mux->cc, TS_CC_NONE, sizeof (mux->cc));
  mux->pat.pid = TS_PID_PAT;
  mux->pmt.pid = mux->config.pmt_pid;
  mux->sdt.pid = TS_PID_SDT;
  mux->pcr_interval = get_pcr_interval (&mux->config);
  mux->last_pcr = TS_TIME_NONE;
  mux->pat.last_now = TS_TIME_NONE;
  mux->pmt.last_now = TS_TIME_NONE;
  mux->sdt.last_now = TS_TIME_NONE;
  mux->last_video = TS_TIME_NONE;
  mux->last_now = TS_TIME_NONE;
  mux->psi_changed = true;
  return mux;
}

void
ts_mux_free (TsMux *mux)
{
  if (mux == NULL)
    return;
  for (unsigned i = 0; i < mux->n_tracks; i++)
    ts_track_free (mux->tracks[i]);
  free (mux);
}

void
ts_mux_get_stats (const TsMux *mux, TsStats *stats)
{
  *stats = mux->stats;
}

/* --- Where the stream starts --- */

bool
ts_mux_set_preroll (TsMux *mux, int64_t preroll)
{
  if (mux->started)
    return false;
  mux->config.preroll = preroll;
  fix_config (&mux->config);
  return true;
}

void
ts_mux_set_next (TsMux *mux, int64_t next)
{
  mux->timeline.has_next = true;
  mux->timeline.next = next;
}

void
ts_mux_note_no_timestamp (TsMux *mux)
{
  mux->stats.no_timestamp++;
}

void
ts_mux_set_expecting (TsMux *mux, bool expecting)
{
  mux->expecting = expecting;
}

static uint8_t
get_next_version (int version)
{
  return version < 0 ? 0 : (uint8_t)((version + 1) & TS_VERSION_MASK);
}

bool
ts_mux_resume (TsMux *mux, const TsResumePoint *point)
{
  int64_t elapsed = clamp (point->elapsed, 0, INT64_C (1) << 60);

  if (mux->started)
    return false;
  memcpy (mux->cc, point->continuity_counter, sizeof (mux->cc));
  mux->pat.version = get_next_version (point->pat_version);
  mux->pmt.version = get_next_version (point->pmt_version);
  mux->sdt.version = get_next_version (point->sdt_version);
  mux->resume_ts = (int64_t)(point->last_ts & TS_TIMESTAMP_MASK);
  mux->resume_elapsed = ts_time_to_90k (elapsed);
  mux->resumed = true;
  return true;
}

void
ts_mux_resync (TsMux *mux)
{
  mux->resync = true;
  for (unsigned i = 0; i < mux->n_tracks; i++) {
    TsTrack *track = mux->tracks[i];

    track->needs_random_access = ts_codec_is_video (track->config.codec);
  }
}

/* --- Parameter sets before their picture --- */

static void
join_lead (TsTrack *track, TsAccessUnit *au)
{
  size_t front =
      ts_codec_get_delimiter_size (&track->codec, au->data, au->size);

  ts_lead_join (&track->lead, au, front);
}

/* --- The two steps --- */

static void
count_access_unit (TsMux *mux, const TsPlan *plan)
{
  mux->stats.access_units += !plan->dependent;
  mux->stats.access_unit_bytes += plan->au_size;
}

size_t
ts_mux_begin (TsMux *mux, TsTrack *track, const TsAccessUnit *access_unit)
{
  TsPlan *plan = &mux->plan;
  TsAccessUnit au = *access_unit;
  bool held;

  memset (plan, 0, sizeof (*plan));
  if (au.size == 0) {
    mux->stats.empty++;
    return 0;
  }
  if (track->lead.size > 0)
    join_lead (track, &au);
  if (!ts_codec_prepare (&track->codec, &au, &plan->payload)) {
    mux->stats.damaged++;
    return 0;
  }
  if (plan->payload.leads && ts_lead_add (&track->lead, &au))
    return 0;
  if (ts_track_skip (mux, track, &au, plan->payload.random_access))
    return 0;
  if (plan->payload.described)
    ts_mux_describe_track (mux, track);
  plan->track = track;
  plan->au_size = au.size;
  if (ts_plan_dependent (mux, track, plan)) {
    held = ts_plan_hold_dependent (track, plan);
  } else {
    mux->timeline.alone = mux->n_tracks == 1;
    ts_timeline_correct (&mux->timeline, &track->time, &au,
        ts_codec_is_video (track->config.codec) ? &plan->payload.picture : NULL,
        plan->payload.duration > 0 ? plan->payload.duration
                                   : track->config.frame_time,
        &mux->stats, &plan->pts_ns, &plan->dts_ns);
    plan->duration_ns = ts_plan_get_duration (track, &au, plan);
    ts_plan_time (mux, track, plan);
    held = ts_plan_hold (mux, track, plan);
  }
  if (held) {
    count_access_unit (mux, plan);
    return 0;
  }
  plan->kind = TS_PLAN_ACCESS_UNIT;
  return ts_plan_output (mux, plan);
}

size_t
ts_mux_begin_idle (TsMux *mux, const TsTrack *track, int64_t time, int64_t now)
{
  TsPlan *plan = &mux->plan;
  int64_t place;

  memset (plan, 0, sizeof (*plan));
  if (!mux->started || time == TS_TIME_NONE)
    return 0;
  place = ts_timeline_place_idle (
      &mux->timeline, track ? &track->time : NULL, time, now);
  if (place > mux->timeline.now)
    mux->timeline.now = place;
  plan->kind = TS_PLAN_IDLE;
  return ts_plan_output (mux, plan);
}

size_t
ts_mux_begin_flush (TsMux *mux)
{
  TsPlan *plan = &mux->plan;

  memset (plan, 0, sizeof (*plan));
  if (!mux->started)
    return 0;
  plan->kind = TS_PLAN_FLUSH;
  return ts_plan_flush (mux, plan);
}

/* Writes the PCRs that do not fit into the packets of the access unit. Writes
 * also those between which tables are due, if pictures are rarer than tables.
 */
static void
write_pcrs (TsWriter *w, TsPlan *plan)
{
  TsTrack *track = w->mux->pcr_track;
  size_t room = 0;

  if (plan->track == track && track)
    room = plan->payload.size / TS_PAYLOAD_SIZE + 1;
  while (ts_write_tables_between (w, plan) || plan->n_pcrs > room)
    ts_write_pcr (w, track, ts_mux_take_pcr (w->mux));
}

/* Pending frames are written after the PCRs of the time in which they waited,
 * unless one of these PCRs exceeds their DTS. The last PCR stays for the
 * random access point. */
static void
write_pcrs_before_pending (TsWriter *w, TsPlan *plan)
{
  TsMux *mux = w->mux;
  unsigned keep = plan->kind == TS_PLAN_FLUSH ? 0 : 1;

  if (plan->kind != TS_PLAN_FLUSH && !plan->random_access)
    return;
  /* PCR may move to another PID, which the tables have to name first. */
  if (mux->psi_changed)
    return;
  for (unsigned i = 0; i < mux->n_tracks; i++) {
    if ((plan->flush >> i & 1) && mux->tracks[i]->pending_dts < plan->pcr)
      return;
  }
  while (plan->flush && plan->n_pcrs > keep) {
    ts_write_tables_between (w, plan);
    ts_write_pcr (w, mux->pcr_track, ts_mux_take_pcr (mux));
  }
}

/* The last PCR of the plan belongs to its access unit, not to pending data. */
static void
write_flush (TsWriter *w, TsPlan *plan)
{
  unsigned n_pcrs;

  write_pcrs_before_pending (w, plan);
  n_pcrs = plan->n_pcrs;
  plan->n_pcrs = 0;
  if (plan->flush_own)
    ts_write_pending (w, plan->track);
  for (unsigned i = 0; i < w->mux->n_tracks; i++) {
    if (plan->flush >> i & 1)
      ts_write_pending (w, w->mux->tracks[i]);
  }
  plan->n_pcrs = n_pcrs;
}

static void
write_access_unit (TsWriter *w, TsPlan *plan)
{
  TsTrack *track = plan->track;
  bool video = ts_codec_is_video (track->config.codec);
  int64_t pts = plan->dependent ? TS_TIME_NONE : plan->pts, dts = plan->dts;

  if (track->pending_size > 0 && !video) {
    pts = track->pending_pts;
    dts = track->pending_dts;
  }
  track->pending_since = plan->dts_ns;
  ts_write_pes (w, track, &plan->payload, pts, dts,
      plan->random_access || (video && plan->payload.random_access));
  count_access_unit (w->mux, plan);
  if (video) {
    w->mux->last_video = ts_mux_to_ts (w->mux, w->mux->timeline.now);
    if (plan->payload.random_access)
      track->needs_random_access = false;
  }
}

/* After lost packets, or after a resumed file, the first random access point
 * starts again. */
static void
end_resync (TsMux *mux, TsPlan *plan)
{
  if (!mux->resync || !plan->random_access)
    return;
  mux->resync = false;
  plan->discontinuity = true;
  ts_mux_mark_discontinuity (mux);
}

size_t
ts_mux_finish (TsMux *mux, uint8_t *out, size_t size, TsOutput *output)
{
  TsPlan *plan = &mux->plan;
  TsWriter w = { mux, out, out };

  memset (output, 0, sizeof (*output));
  output->pts = output->dts = output->duration = TS_TIME_NONE;
  if (plan->kind == TS_PLAN_NONE || size < plan->size)
    return 0;
  /* Tables that are due precede the PCRs of pending data. */
  if (plan->kind == TS_PLAN_FLUSH)
    ts_write_psi (&w, plan);
  write_flush (&w, plan);
  output->random_access = plan->random_access;
  output->random_access_offset = plan->random_access ? (size_t)(w.p - out) : 0;
  end_resync (mux, plan);
  if (plan->kind != TS_PLAN_FLUSH)
    ts_write_psi (&w, plan);
  write_pcrs (&w, plan);
  if (plan->kind == TS_PLAN_ACCESS_UNIT) {
    write_access_unit (&w, plan);
    output->pts = plan->pts_ns;
    output->dts = plan->dts_ns;
    output->duration = plan->dependent ? TS_TIME_NONE : plan->duration_ns;
  }
  output->discontinuity = plan->discontinuity;
  output->size = (size_t)(w.p - out);
  mux->stats.packets += output->size / TS_PACKET_SIZE;
  mux->stats.random_access_points += plan->random_access;
  plan->kind = TS_PLAN_NONE;
  return output->size;
}
