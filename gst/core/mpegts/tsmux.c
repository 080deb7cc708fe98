/* gst-tsrec: an MPEG transport stream mux in plain C
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tracks, PSI, and what goes out when. See tsmux.h for the interface and
 * tsmuxwrite.c for the packets.
 */

#include "tsmux-private.h"

#include <stdlib.h>

/* How long no video must have flowed before audio counts as a random access
 * point. */
#define VIDEO_GONE (90000 * 1)
/* How much further than by the reorder delay PCR starts behind at least. */
#define REORDER_MARGIN (90000 / 5)
#define MAX_PREROLL (30 * TS_NS_PER_S)
#define MAX_INTERVAL (10 * TS_NS_PER_S)
/* PCRs between two tables of a kind, at least */
#define MIN_PCRS_PER_TABLE 3

static int64_t
clamp (int64_t value, int64_t min, int64_t max)
{
  return value < min ? min : value > max ? max : value;
}

/* --- The mux */

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

/* Tables are placed between PCRs, and are in time only where several PCRs come
 * within their interval. */
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

/* --- Where the stream starts */

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

static void
mark_discontinuity (TsMux *mux)
{
  for (unsigned i = 0; i < mux->n_tracks; i++)
    mux->tracks[i]->discontinuity = true;
  mux->pat.discontinuity = true;
  mux->pmt.discontinuity = true;
  mux->sdt.discontinuity = true;
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

/* Pictures that are reordered come that much later than sound, by DTS. The
 * first PCR is not negative. */
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

/* The first access unit says where TS time begins. */
static void
start (TsMux *mux, TsPlan *plan)
{
  int64_t dts_ns = plan->dts_ns;

  mux->started = true;
  mux->origin_ns = dts_ns;
  mux->preroll = get_preroll (mux);
  /* where the clock stands now, but never so close behind the file that a
   * track that is late by the preroll would fall back into it */
  if (mux->resumed && mux->resume_elapsed > mux->preroll)
    mux->ts_origin = mux->resume_ts + mux->resume_elapsed;
  else if (mux->resumed)
    mux->ts_origin = mux->resume_ts + mux->preroll + 1;
  else
    mux->ts_origin = ts_time_to_90k (mux->config.start_offset);
  plan->discontinuity = mux->resumed;
  if (mux->resumed)
    mark_discontinuity (mux);
}

int64_t
ts_mux_to_ts (const TsMux *mux, int64_t ns)
{
  return mux->ts_origin + ts_time_to_90k (ns - mux->origin_ns);
}

/* --- What goes out when */

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

/* The timestamps as they will be written: DTS after the last one. */
static void
plan_time (TsMux *mux, TsTrack *track, TsPlan *plan)
{
  TsEffect effect = track->time.effect;

  if (!mux->started)
    start (mux, plan);
  plan->pts = ts_mux_to_ts (mux, plan->pts_ns);
  plan->dts = ts_mux_to_ts (mux, plan->dts_ns);
  ts_mux_clamp_dts (mux, track, plan->dts);
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
watch_gap (TsMux *mux, int64_t now)
{
  int64_t gap = mux->last_now != TS_TIME_NONE ? now - mux->last_now : 0;
  int64_t max = ts_time_to_90k (mux->config.psi_interval) / 4;

  if (gap > max)
    gap = max;
  mux->gap = gap > mux->gap ? gap : mux->gap - mux->gap / 16;
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

/* Which tracks have waited for long enough. */
static void
plan_flush (TsMux *mux, TsPlan *plan)
{
  int64_t now = mux->timeline.now;

  plan->flush = 0;
  for (unsigned i = 0; i < mux->n_tracks; i++) {
    TsTrack *track = mux->tracks[i];
    int64_t max = ts_codec_is_video (track->config.codec)
        ? TS_TAIL_TIME
        : mux->config.audio_pes_time;
    bool own = track == plan->track && !plan->random_access;

    /* The end of a picture from before a silence would hold PCR back. */
    if (own)
      max = ts_codec_is_video (track->config.codec) ? TS_NS_PER_S : INT64_MAX;
    if (track->held_size > 0 &&
        (plan->random_access || plan->kind == TS_PLAN_FLUSH ||
            now - track->held_since > max))
      plan->flush |= UINT32_C (1) << i;
  }
}

/* The most bytes that the plan takes. */
static void
plan_size (TsMux *mux, TsPlan *plan)
{
  size_t size = 0, psi, sdt;

  for (unsigned i = 0; i < mux->n_tracks; i++) {
    if (plan->flush >> i & 1)
      size += ts_write_get_max_size (mux->tracks[i]->held_size, 0);
  }
  if (mux->psi_changed)
    ts_mux_build_tables (mux);
  psi = plan->psi +
      ts_mux_count_between (
          mux, &mux->pat, mux->config.psi_interval, plan->psi);
  sdt = plan->sdt +
      ts_mux_count_between (mux, &mux->sdt, mux->config.si_interval, plan->sdt);
  /* one more where PCRs, and tables between them, go before what waited */
  if (plan->flush && plan->n_pcrs > 1) {
    psi++;
    sdt++;
  }
  size += psi *
      (ts_write_get_max_size (mux->pat.size, 0) +
          ts_write_get_max_size (mux->pmt.size, 0));
  size += sdt * ts_write_get_max_size (mux->sdt.size, 0);
  if (plan->flush_own)
    size += ts_write_get_max_size (plan->track->held_size, 0);
  if (plan->track)
    size += ts_write_get_max_size (
        plan->payload.size + plan->track->held_size, plan->n_pcrs);
  else
    size += plan->n_pcrs * TS_PACKET_SIZE;
  plan->size = size;
}

static size_t
plan_rest (TsMux *mux, TsPlan *plan)
{
  int64_t now = ts_mux_to_ts (mux, mux->timeline.now);

  watch_gap (mux, now);
  plan_psi (mux, plan, now);
  plan_flush (mux, plan);
  ts_mux_plan_pcr (mux, plan, now);
  plan_size (mux, plan);
  return plan->size;
}

/* --- Audio frames that wait for their PES packet */

static void
hold_frame (TsTrack *track, const TsPlan *plan)
{
  uint8_t *p = track->held + track->held_size;

  if (track->held_size == 0) {
    track->held_pts = plan->pts;
    track->held_dts = plan->dts;
    track->held_since = plan->dts_ns;
  }
  for (unsigned i = 0; i < plan->payload.n_spans; i++) {
    memcpy (p, plan->payload.spans[i].data, plan->payload.spans[i].size);
    p += plan->payload.spans[i].size;
  }
  track->held_size = (size_t)(p - track->held);
}

/* Whether the frame may follow those held without a timestamp of its own: a
 * reader computes one from the durations. */
static bool
is_contiguous (const TsTrack *track, const TsPlan *plan)
{
  int64_t distance = plan->dts_ns - track->held_next;

  return track->held_size == 0 ||
      (distance < TS_HELD_TOLERANCE && distance > -TS_HELD_TOLERANCE);
}

/* True when the frame of the plan waits for others. Otherwise the plan takes
 * those that are held along, or flushes them if they do not belong. */
static bool
plan_hold (TsMux *mux, TsTrack *track, TsPlan *plan)
{
  int64_t pes_time = mux->config.audio_pes_time;
  int64_t step = track->time.step, since;
  int64_t now = ts_mux_to_ts (mux, mux->timeline.now);
  bool contiguous = is_contiguous (track, plan), wait;

  if (pes_time == 0 || !ts_codec_is_audio (track->config.codec))
    return false;
  if (track->held_size + plan->payload.size > TS_PES_MAX_PAYLOAD)
    contiguous = false;
  plan->flush_own = track->held_size > 0 && !contiguous;
  since = track->held_size > 0 && contiguous ? track->held_since : plan->dts_ns;
  /* One more frame would make it too long. */
  wait = step > 0 && plan->dts_ns + 2 * step - since <= pes_time;
  track->held_next = plan->dts_ns + step;
  /* The PMT comes before anything of a track that it does not have yet, and a
   * PCR with the first frame after a silence. */
  if (mux->psi_changed ||
      now - mux->last_pcr_now > ts_time_to_90k (TS_NS_PER_S))
    wait = false;
  if (!wait || plan->flush_own || mux->resync ||
      plan->payload.size > TS_PES_MAX_PAYLOAD)
    return false;
  hold_frame (track, plan);
  return true;
}

/* --- Frames that belong to the access unit before */

/* The end of an access unit whose beginning was written, or is held. It goes
 * where that goes, or into a PES packet in which no access unit begins. */
static bool
plan_dependent (TsMux *mux, TsTrack *track, TsPlan *plan)
{
  if (!plan->payload.dependent || track->last_dts == TS_TIME_NONE)
    return false;
  plan->dependent = true;
  plan->pts_ns = plan->dts_ns = track->time.last_dts;
  plan->pts = plan->dts = track->last_dts;
  return true;
}

static bool
hold_dependent (TsTrack *track, const TsPlan *plan)
{
  if (track->held_size == 0 || ts_codec_is_video (track->config.codec) ||
      track->held_size + plan->payload.size > TS_PES_MAX_PAYLOAD)
    return false;
  hold_frame (track, plan);
  return true;
}

/* --- What leads a picture and came before it */

static void
join_lead (TsTrack *track, TsAccessUnit *au)
{
  size_t front =
      ts_codec_get_delimiter_size (&track->codec, au->data, au->size);

  ts_lead_join (&track->lead, au, front);
}

/* --- The two steps */

static void
count_access_unit (TsMux *mux, const TsPlan *plan)
{
  mux->stats.access_units += !plan->dependent;
  mux->stats.access_unit_bytes += plan->au_size;
}

/* How long it is presented, ns, or TS_TIME_NONE. */
static int64_t
get_duration (const TsTrack *track, const TsAccessUnit *au, const TsPlan *plan)
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
  if (plan_dependent (mux, track, plan)) {
    held = hold_dependent (track, plan);
  } else {
    mux->timeline.alone = mux->n_tracks == 1;
    ts_timeline_correct (&mux->timeline, &track->time, &au,
        ts_codec_is_video (track->config.codec) ? &plan->payload.picture : NULL,
        plan->payload.duration > 0 ? plan->payload.duration
                                   : track->config.frame_time,
        &mux->stats, &plan->pts_ns, &plan->dts_ns);
    plan->duration_ns = get_duration (track, &au, plan);
    plan_time (mux, track, plan);
    held = plan_hold (mux, track, plan);
  }
  if (held) {
    count_access_unit (mux, plan);
    return 0;
  }
  plan->kind = TS_PLAN_ACCESS_UNIT;
  return plan_rest (mux, plan);
}

size_t
ts_mux_begin_idle (TsMux *mux, const TsTrack *track, int64_t time, int64_t now)
{
  TsPlan *plan = &mux->plan;
  int64_t place;

  memset (plan, 0, sizeof (*plan));
  if (!mux->started || time == TS_TIME_NONE)
    return 0;
  place = ts_time_place_idle (
      &mux->timeline, track ? &track->time : NULL, time, now);
  if (place > mux->timeline.now)
    mux->timeline.now = place;
  plan->kind = TS_PLAN_IDLE;
  return plan_rest (mux, plan);
}

size_t
ts_mux_begin_flush (TsMux *mux)
{
  TsPlan *plan = &mux->plan;

  memset (plan, 0, sizeof (*plan));
  if (!mux->started)
    return 0;
  plan->kind = TS_PLAN_FLUSH;
  plan_flush (mux, plan);
  if (plan->flush && !mux->psi_changed) {
    int64_t now = ts_mux_to_ts (mux, mux->timeline.now);

    plan_psi (mux, plan, now);
    ts_mux_plan_pcr (mux, plan, now);
  }
  plan_size (mux, plan);
  return plan->size;
}

/* PCRs for which the access unit has no packet, and those between which tables
 * have to come, where pictures come less often than tables. */
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

/* Frames that have waited come after the PCRs of the time in which they did,
 * unless one of those is later than them: all but the one that a random access
 * point begins with. */
static void
write_pcrs_of_held (TsWriter *w, TsPlan *plan)
{
  TsMux *mux = w->mux;
  unsigned keep = plan->kind == TS_PLAN_FLUSH ? 0 : 1;

  if (plan->kind != TS_PLAN_FLUSH && !plan->random_access)
    return;
  /* PCR may move to another PID, which the tables have to say first. */
  if (mux->psi_changed)
    return;
  for (unsigned i = 0; i < mux->n_tracks; i++) {
    if ((plan->flush >> i & 1) && mux->tracks[i]->held_dts < plan->pcr)
      return;
  }
  while (plan->flush && plan->n_pcrs > keep) {
    ts_write_tables_between (w, plan);
    ts_write_pcr (w, mux->pcr_track, ts_mux_take_pcr (mux));
  }
}

/* The last PCR of the plan is of its access unit, not of what waited. */
static void
write_flush (TsWriter *w, TsPlan *plan)
{
  unsigned n_pcrs;

  write_pcrs_of_held (w, plan);
  n_pcrs = plan->n_pcrs;
  plan->n_pcrs = 0;
  if (plan->flush_own)
    ts_write_held (w, plan->track);
  for (unsigned i = 0; i < w->mux->n_tracks; i++) {
    if (plan->flush >> i & 1)
      ts_write_held (w, w->mux->tracks[i]);
  }
  plan->n_pcrs = n_pcrs;
}

static void
write_access_unit (TsWriter *w, TsPlan *plan)
{
  TsTrack *track = plan->track;
  bool video = ts_codec_is_video (track->config.codec);
  bool hold = video && w->mux->config.pack;
  int64_t pts = plan->dependent ? TS_TIME_NONE : plan->pts, dts = plan->dts;

  if (track->held_size > 0 && !video) {
    pts = track->held_pts;
    dts = track->held_dts;
  }
  track->held_since = plan->dts_ns;
  ts_write_pes (w, track, &plan->payload, pts, dts,
      plan->random_access || (video && plan->payload.random_access), hold);
  count_access_unit (w->mux, plan);
  if (video) {
    w->mux->last_video = ts_mux_to_ts (w->mux, w->mux->timeline.now);
    if (plan->payload.random_access)
      track->needs_random_access = false;
  }
}

/* After lost packets (or an earlier recording), the first random access point
 * starts anew. */
static void
end_resync (TsMux *mux, TsPlan *plan)
{
  if (!mux->resync || !plan->random_access)
    return;
  mux->resync = false;
  plan->discontinuity = true;
  mark_discontinuity (mux);
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
  /* Tables that are due come before the PCRs of what waited. */
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
