/* gst-tsrec: an MPEG transport stream mux in plain C
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tracks, PSI, and what goes out when. See tsmux.h for the interface and
 * tswrite.c for the packets.
 */

#include "tsmux-private.h"

#include <stdlib.h>

/* How long no video must have flowed before audio counts as a random access
 * point. */
#define VIDEO_GONE (90000 * 1)
/* Across a longer gap, nothing flowed and no PCR was missing. */
#define PCR_MAX_GAP (90000 * 1)
/* PCR falls behind this much more than a track was late. */
#define LATE_MARGIN (90000 / 5)
#define MAX_PREROLL (30 * TS_NS_PER_S)
#define MAX_INTERVAL (10 * TS_NS_PER_S)

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
  config->preroll = 700 * TS_NS_PER_MS;
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
  mux->pcr_interval = ts_time_to_90k (mux->config.pcr_interval);
  mux->last_pcr = TS_TIME_NONE;
  mux->last_psi = TS_TIME_NONE;
  mux->last_sdt = TS_TIME_NONE;
  mux->last_video = TS_TIME_NONE;
  mux->last_now = TS_TIME_NONE;
  mux->psi_changed = true;
  return mux;
}

static void
free_track (TsTrack *track)
{
  ts_codec_clear (&track->codec);
  free (track->held);
  free (track);
}

void
ts_mux_free (TsMux *mux)
{
  if (mux == NULL)
    return;
  for (unsigned i = 0; i < mux->n_tracks; i++)
    free_track (mux->tracks[i]);
  free (mux);
}

void
ts_mux_get_stats (const TsMux *mux, TsStats *stats)
{
  *stats = mux->stats;
}

/* --- Tracks and PSI */

/* PCR travels with the track that has the most to carry it. */
static void
choose_pcr_track (TsMux *mux)
{
  TsTrack *best = NULL;
  int best_rank = -1;

  for (unsigned i = 0; i < mux->n_tracks; i++) {
    TsCodec codec = mux->tracks[i]->config.codec;
    int rank = ts_codec_is_video (codec) ? 2 : ts_codec_is_audio (codec);

    if (rank > best_rank) {
      best = mux->tracks[i];
      best_rank = rank;
    }
  }
  mux->pcr_track = best;
}

/* Apple's "Timed Metadata for HTTP Live Streaming": a metadata_pointer
 * descriptor in the program that refers to the program itself. */
static size_t
make_program_info (const TsMux *mux, uint8_t *info)
{
  const uint8_t pointer[] = { TS_DESCRIPTOR_METADATA_POINTER, 15, 0xff, 0xff,
    'I', 'D', '3', ' ', 0xff, 'I', 'D', '3', ' ', 0x00, 0x1f,
    (uint8_t)(mux->config.program_number >> 8),
    (uint8_t)mux->config.program_number };

  for (unsigned i = 0; i < mux->n_tracks; i++) {
    if (mux->tracks[i]->config.codec == TS_CODEC_ID3) {
      memcpy (info, pointer, sizeof (pointer));
      return sizeof (pointer);
    }
  }
  return 0;
}

static size_t
build_pmt (TsMux *mux)
{
  TsPsiStream streams[TS_MUX_MAX_TRACKS];
  uint8_t info[32];
  size_t info_length = make_program_info (mux, info);

  for (unsigned i = 0; i < mux->n_tracks; i++)
    streams[i] = mux->tracks[i]->psi;
  /* 0x1fff: no PCR, as there is no track */
  mux->pmt.size = ts_psi_build_pmt (mux->pmt.section, sizeof (mux->pmt.section),
      mux->config.program_number, mux->pmt.version,
      mux->pcr_track ? mux->pcr_track->pid : TS_PID_MASK, info, info_length,
      streams, mux->n_tracks);
  return mux->pmt.size;
}

static void
build_tables (TsMux *mux)
{
  const TsMuxConfig *config = &mux->config;

  mux->pat.size = ts_psi_build_pat (mux->pat.section, sizeof (mux->pat.section),
      config->transport_stream_id, mux->pat.version, config->program_number,
      config->pmt_pid);
  mux->sdt.size = ts_psi_build_sdt (mux->sdt.section, sizeof (mux->sdt.section),
      config->transport_stream_id, mux->sdt.version, config->program_number,
      config->service_provider, config->service_name);
  build_pmt (mux);
}

/* The tracks changed: the next access unit comes with a new PMT. Only a PMT
 * that somebody may have seen needs another version. */
static void
change_psi (TsMux *mux)
{
  if (mux->last_psi != TS_TIME_NONE && !mux->psi_changed)
    mux->pmt.version = (mux->pmt.version + 1) & TS_VERSION_MASK;
  mux->psi_changed = true;
  choose_pcr_track (mux);
}

static bool
is_pid_free (const TsMux *mux, uint16_t pid)
{
  if (pid < TS_PID_MIN_USER || pid > TS_PID_MAX_USER ||
      pid == mux->config.pmt_pid)
    return false;
  for (unsigned i = 0; i < mux->n_tracks; i++) {
    if (mux->tracks[i]->pid == pid)
      return false;
  }
  return true;
}

/* Room for what audio_pes_time or pack hold back. */
static bool
allocate_held (const TsMux *mux, TsTrack *track)
{
  size_t alloc = 0;

  if (mux->config.pack && ts_codec_is_video (track->config.codec))
    alloc = TS_PAYLOAD_SIZE;
  else if (mux->config.audio_pes_time > 0 &&
      ts_codec_is_audio (track->config.codec))
    alloc = TS_PES_MAX_PAYLOAD;
  track->held_size = 0;
  if (alloc > track->held_alloc) {
    uint8_t *held = realloc (track->held, alloc);

    if (held == NULL)
      return false;
    track->held = held;
    track->held_alloc = alloc;
  }
  return true;
}

/* How many tracks of its kind come before @track: its number in stream_id. */
static unsigned
get_index_of_kind (const TsMux *mux, const TsTrack *track)
{
  uint8_t id = ts_codec_get_stream_id (track->config.codec);
  unsigned n = 0;

  for (unsigned i = 0; i < mux->n_tracks && mux->tracks[i] != track; i++)
    n += ts_codec_get_stream_id (mux->tracks[i]->config.codec) == id;
  return n;
}

static bool
init_track (TsMux *mux, TsTrack *track, const TsTrackConfig *config,
    const char **reason)
{
  uint8_t stream_id;

  if (!ts_codec_init (&track->codec, config, &track->psi, reason))
    return false;
  track->config = *config;
  track->config.audio_specific_config = NULL;
  track->psi.elementary_pid = track->pid;
  stream_id = ts_codec_get_stream_id (config->codec);
  if (stream_id == TS_STREAM_ID_VIDEO)
    stream_id |= get_index_of_kind (mux, track) & 0x0f;
  else if (stream_id == TS_STREAM_ID_AUDIO)
    stream_id |= get_index_of_kind (mux, track) & 0x1f;
  track->stream_id = stream_id;
  track->needs_random_access = ts_codec_is_video (config->codec);
  *reason = "out of memory";
  return allocate_held (mux, track);
}

TsTrack *
ts_mux_add_track (
    TsMux *mux, uint16_t pid, const TsTrackConfig *config, const char **reason)
{
  const char *dummy;
  TsTrack *track;

  if (reason == NULL)
    reason = &dummy;
  if (!is_pid_free (mux, pid)) {
    *reason = "its PID is taken";
    return NULL;
  }
  if (mux->n_tracks == TS_MUX_MAX_TRACKS) {
    *reason = "there are too many tracks already";
    return NULL;
  }
  track = calloc (1, sizeof (*track));
  if (track == NULL) {
    *reason = "out of memory";
    return NULL;
  }
  track->pid = pid;
  track->discontinuity = mux->resumed;
  track->last_dts = TS_TIME_NONE;
  ts_track_time_init (&track->time);
  if (!init_track (mux, track, config, reason)) {
    free_track (track);
    return NULL;
  }
  mux->tracks[mux->n_tracks++] = track;
  change_psi (mux);
  if (build_pmt (mux) == 0) {
    *reason = "the PMT is full";
    ts_mux_remove_track (mux, track);
    return NULL;
  }
  *reason = NULL;
  return track;
}

static bool
is_same_psi (const TsPsiStream *a, const TsPsiStream *b)
{
  return a->stream_type == b->stream_type &&
      a->es_info_length == b->es_info_length &&
      memcmp (a->es_info, b->es_info, a->es_info_length) == 0;
}

bool
ts_mux_configure_track (TsMux *mux, TsTrack *track, const TsTrackConfig *config,
    const char **reason)
{
  const char *dummy;
  TsTrack old = *track;

  if (reason == NULL)
    reason = &dummy;
  if (!init_track (mux, track, config, reason)) {
    ts_codec_clear (&track->codec);
    old.held = track->held;
    old.held_alloc = track->held_alloc;
    *track = old;
    return false;
  }
  if (old.config.codec == config->codec && track->codec.sets) {
    /* The parameter sets in force stay, until others come. */
    ts_codec_clear (&track->codec);
    track->codec.sets = old.codec.sets;
    track->needs_random_access = old.needs_random_access;
  } else {
    ts_codec_clear (&old.codec);
  }
  if (!is_same_psi (&old.psi, &track->psi))
    change_psi (mux);
  mux->plan.kind = TS_PLAN_NONE;
  *reason = NULL;
  return true;
}

void
ts_mux_remove_track (TsMux *mux, TsTrack *track)
{
  unsigned i = 0;

  while (i < mux->n_tracks && mux->tracks[i] != track)
    i++;
  if (i == mux->n_tracks)
    return;
  memmove (mux->tracks + i, mux->tracks + i + 1,
      (mux->n_tracks - i - 1) * sizeof (mux->tracks[0]));
  mux->n_tracks--;
  mux->plan.kind = TS_PLAN_NONE;
  change_psi (mux);
  free_track (track);
}

uint16_t
ts_track_get_pid (const TsTrack *track)
{
  return track->pid;
}

TsCodec
ts_track_get_codec (const TsTrack *track)
{
  return track->config.codec;
}

bool
ts_track_needs_random_access_point (const TsTrack *track)
{
  return track->needs_random_access;
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
  mux->resume_ts =
      (int64_t)(point->last_ts & TS_TIMESTAMP_MASK) + ts_time_to_90k (elapsed);
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

/* The first access unit says where TS time begins. */
static void
start (TsMux *mux, TsPlan *plan)
{
  int64_t dts_ns = plan->dts_ns;

  mux->started = true;
  mux->origin_ns = dts_ns;
  mux->preroll = ts_time_to_90k (mux->config.preroll);
  if (mux->resumed)
    mux->ts_origin = mux->resume_ts + mux->preroll + 1;
  else
    mux->ts_origin = ts_time_to_90k (mux->config.start_offset);
  plan->discontinuity = mux->resumed;
  if (mux->resumed)
    mark_discontinuity (mux);
}

static int64_t
to_ts (const TsMux *mux, int64_t ns)
{
  return mux->ts_origin + ts_time_to_90k (ns - mux->origin_ns);
}

/* --- What goes out when */

/* The timestamps as they will be written: DTS after the last one and not
 * before PCR. */
static void
plan_time (TsMux *mux, TsTrack *track, TsPlan *plan)
{
  int64_t now;

  if (!mux->started)
    start (mux, plan);
  now = to_ts (mux, mux->timeline.now);
  plan->pts = to_ts (mux, plan->pts_ns);
  plan->dts = to_ts (mux, plan->dts_ns);
  if (mux->last_pcr != TS_TIME_NONE && plan->dts <= mux->last_pcr) {
    mux->stats.late++;
    /* PCR waits until this track has caught up. */
    if (now - plan->dts + LATE_MARGIN > mux->preroll)
      mux->preroll = clamp (now - plan->dts + LATE_MARGIN, mux->preroll,
          ts_time_to_90k (MAX_PREROLL));
    plan->dts = mux->last_pcr + 2;
  }
  if (track->last_dts != TS_TIME_NONE && plan->dts <= track->last_dts)
    plan->dts = track->last_dts + 1;
  if (plan->pts < plan->dts)
    plan->pts = plan->dts;
  track->last_dts = plan->dts;
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

/* Due: later than that would be too late with the next access unit. */
static bool
is_due (const TsMux *mux, int64_t last, int64_t interval_ns, int64_t now)
{
  return last == TS_TIME_NONE ||
      now + mux->gap - last >= ts_time_to_90k (interval_ns);
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
      is_due (mux, mux->last_psi, mux->config.psi_interval, now);
  plan->sdt = is_due (mux, mux->last_sdt, mux->config.si_interval, now);
  if (track == NULL || !plan->payload.random_access)
    return;
  if (video)
    plan->random_access = true;
  else if (!is_video_flowing (mux, now))
    plan->random_access = plan->psi || mux->resync;
  if (plan->random_access)
    plan->psi = plan->sdt = true;
}

/* No PCR may be later than what comes after it. */
static int64_t
get_pcr_limit (const TsMux *mux, const TsPlan *plan, int64_t now)
{
  int64_t limit = now - mux->preroll;

  if (plan->track && plan->dts < limit)
    limit = plan->dts;
  for (unsigned i = 0; i < mux->n_tracks; i++) {
    const TsTrack *track = mux->tracks[i];

    if (track->held_size > 0 && !(plan->flush >> i & 1) &&
        track->held_dts < limit)
      limit = track->held_dts;
  }
  return limit;
}

static void
plan_pcr (TsMux *mux, TsPlan *plan, int64_t now)
{
  int64_t last = mux->last_pcr, gap, step = 0;

  plan->n_pcrs = 0;
  plan->pcr = get_pcr_limit (mux, plan, now);
  if (mux->pcr_track == NULL)
    return;
  if (last == TS_TIME_NONE) {
    plan->n_pcrs = 1;
    return;
  }
  if (plan->random_access && plan->pcr <= last)
    plan->pcr = last + 1;
  gap = plan->pcr - last;
  if (gap <= 0)
    return;
  if (plan->track == mux->pcr_track && plan->track->time.step > 0)
    step = ts_time_to_90k (plan->track->time.step);
  else if (plan->track == mux->pcr_track)
    step = mux->pcr_interval;
  /* Now, if the next chance to have it for eight bytes comes too late. */
  if (plan->random_access || gap + step > mux->pcr_interval)
    plan->n_pcrs = 1;
  if (gap > mux->pcr_interval && gap <= PCR_MAX_GAP)
    plan->n_pcrs =
        (unsigned)((gap + mux->pcr_interval - 1) / mux->pcr_interval);
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

    if (track->held_size > 0 &&
        (plan->random_access || plan->kind == TS_PLAN_FLUSH ||
            (!own && now - track->held_since > max)))
      plan->flush |= UINT32_C (1) << i;
  }
}

/* The most bytes that the plan takes. */
static void
plan_size (TsMux *mux, TsPlan *plan)
{
  size_t size = 0;

  for (unsigned i = 0; i < mux->n_tracks; i++) {
    if (plan->flush >> i & 1)
      size += ts_write_get_max_size (mux->tracks[i]->held_size, 0);
  }
  if (plan->psi || plan->sdt)
    build_tables (mux);
  if (plan->psi)
    size += ts_write_get_max_size (mux->pat.size, 0) +
        ts_write_get_max_size (mux->pmt.size, 0);
  if (plan->sdt)
    size += ts_write_get_max_size (mux->sdt.size, 0);
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
  int64_t now = to_ts (mux, mux->timeline.now);

  watch_gap (mux, now);
  plan_psi (mux, plan, now);
  plan_flush (mux, plan);
  plan_pcr (mux, plan, now);
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
  if (!wait || plan->flush_own || mux->resync ||
      plan->payload.size > TS_PES_MAX_PAYLOAD)
    return false;
  hold_frame (track, plan);
  return true;
}

/* --- The two steps */

static void
count_access_unit (TsMux *mux, const TsPlan *plan)
{
  mux->stats.access_units++;
  mux->stats.access_unit_bytes += plan->au_size;
}

size_t
ts_mux_begin (TsMux *mux, TsTrack *track, const TsAccessUnit *au)
{
  TsPlan *plan = &mux->plan;

  memset (plan, 0, sizeof (*plan));
  if (au->size == 0) {
    mux->stats.empty++;
    return 0;
  }
  if (!ts_codec_prepare (&track->codec, au, &plan->payload)) {
    mux->stats.damaged++;
    return 0;
  }
  plan->track = track;
  plan->au_size = au->size;
  ts_time_fix (&mux->timeline, &track->time, au, &mux->stats, &plan->pts_ns,
      &plan->dts_ns);
  plan_time (mux, track, plan);
  if (plan_hold (mux, track, plan)) {
    count_access_unit (mux, plan);
    return 0;
  }
  plan->kind = TS_PLAN_ACCESS_UNIT;
  return plan_rest (mux, plan);
}

size_t
ts_mux_begin_idle (TsMux *mux, int64_t time)
{
  TsPlan *plan = &mux->plan;

  memset (plan, 0, sizeof (*plan));
  if (!mux->started || time == TS_TIME_NONE)
    return 0;
  if (time > mux->timeline.now &&
      time - mux->timeline.now < INT64_C (3600) * TS_NS_PER_S)
    mux->timeline.now = time;
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
  plan_size (mux, plan);
  return plan->size;
}

static void
write_flush (TsWriter *w, const TsPlan *plan)
{
  for (unsigned i = 0; i < w->mux->n_tracks; i++) {
    if (plan->flush >> i & 1)
      ts_write_held (w, w->mux->tracks[i]);
  }
}

static void
write_psi (TsWriter *w, const TsPlan *plan)
{
  TsMux *mux = w->mux;
  int64_t now = to_ts (mux, mux->timeline.now);

  if (plan->psi) {
    ts_write_table (w, &mux->pat);
    ts_write_table (w, &mux->pmt);
    mux->last_psi = now;
    mux->psi_changed = false;
  }
  if (plan->sdt) {
    ts_write_table (w, &mux->sdt);
    mux->last_sdt = now;
  }
}

/* PCRs for which the access unit has no packet. */
static void
write_pcrs (TsWriter *w, TsPlan *plan)
{
  TsTrack *track = w->mux->pcr_track;
  size_t room = 0;

  if (plan->track == track && track)
    room = plan->payload.size / TS_PAYLOAD_SIZE + 1;
  while (plan->n_pcrs > room)
    ts_write_pcr (w, track, ts_mux_take_pcr (w->mux));
}

static void
write_access_unit (TsWriter *w, TsPlan *plan)
{
  TsTrack *track = plan->track;
  bool video = ts_codec_is_video (track->config.codec);
  bool hold = video && w->mux->config.pack;
  int64_t pts = plan->pts, dts = plan->dts;

  if (track->held_size > 0 && !video) {
    pts = track->held_pts;
    dts = track->held_dts;
  }
  track->held_since = plan->dts_ns;
  ts_write_pes (w, track, &plan->payload, pts, dts,
      plan->random_access || (video && plan->payload.random_access), hold);
  count_access_unit (w->mux, plan);
  if (video) {
    w->mux->last_video = to_ts (w->mux, w->mux->timeline.now);
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
  output->pts = output->dts = TS_TIME_NONE;
  if (plan->kind == TS_PLAN_NONE || size < plan->size)
    return 0;
  if (plan->flush_own)
    ts_write_held (&w, plan->track);
  write_flush (&w, plan);
  output->random_access = plan->random_access;
  output->random_access_offset = plan->random_access ? (size_t)(w.p - out) : 0;
  end_resync (mux, plan);
  write_psi (&w, plan);
  write_pcrs (&w, plan);
  if (plan->kind == TS_PLAN_ACCESS_UNIT) {
    write_access_unit (&w, plan);
    output->pts = plan->pts_ns;
    output->dts = plan->dts_ns;
  }
  output->discontinuity = plan->discontinuity;
  output->size = (size_t)(w.p - out);
  mux->stats.packets += output->size / TS_PACKET_SIZE;
  mux->stats.random_access_points += plan->random_access;
  plan->kind = TS_PLAN_NONE;
  return output->size;
}
