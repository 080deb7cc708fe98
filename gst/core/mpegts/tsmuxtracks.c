/* gst-tsrec: the tracks of a mux, and the tables that describe them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Part of TsMux: adds, changes and removes tracks, and selects the PCR track.
 */

#include "tsmux-private.h"

#include <stdlib.h>

/* Limits of the wait for the first random access point of a track: time, or
 * number of pictures if times are missing. */
#define MAX_SKIPPED_TIME (10 * TS_NS_PER_S)
#define MAX_SKIPPED 1000
/* Silence after which PCR in packets of its own costs more than another PMT. */
#define PCR_SILENT (3 * TS_TIMESTAMPS_PER_S)

void
ts_track_free (TsTrack *track)
{
  ts_codec_clear (&track->codec);
  ts_lead_clear (&track->lead);
  free (track->pending);
  free (track);
}

/* Selects the PCR track: the track whose packets have room for PCR often
 * enough. That is video, or audio if pictures are rarer than PCR. */
static int
get_pcr_rank (const TsMux *mux, const TsTrack *track)
{
  bool slow = track->config.frame_time > mux->config.pcr_interval;

  if (ts_codec_is_video (track->config.codec))
    return slow && mux->config.audio_pes_time == 0 ? 1 : 3;
  return ts_codec_is_audio (track->config.codec) ? 2 : 0;
}

static TsTrack *
find_best_pcr_track (const TsMux *mux)
{
  TsTrack *best = NULL;

  for (unsigned i = 0; i < mux->n_tracks; i++) {
    TsTrack *track = mux->tracks[i];

    if (best == NULL || get_pcr_rank (mux, track) > get_pcr_rank (mux, best))
      best = track;
  }
  return best;
}

/* Returns true if PCR stays on its track although a better track joins. A new
 * PCR_PID is more than an additional track in the PMT, and readers may start
 * again. PCR stays on audio that has room for it often enough. */
static bool
may_keep_pcr (const TsMux *mux, const TsTrack *track)
{
  if (track->pid != mux->pcr_pid || get_pcr_rank (mux, track) < 2)
    return false;
  return ts_codec_is_video (track->config.codec) ||
      (mux->config.audio_pes_time == 0 &&
          track->time.step <= mux->config.pcr_interval);
}

static void
choose_pcr_track (TsMux *mux)
{
  for (unsigned i = 0; i < mux->n_tracks; i++) {
    if (mux->tracks[i] == mux->pcr_track && may_keep_pcr (mux, mux->pcr_track))
      return;
  }
  mux->pcr_track = find_best_pcr_track (mux);
}

void
ts_mux_move_pcr (TsMux *mux, int64_t now)
{
  TsTrack *best;

  if (mux->pcr_track == NULL || mux->pcr_track->last_dts == TS_TIME_NONE ||
      now - mux->pcr_track->last_dts < PCR_SILENT)
    return;
  best = find_best_pcr_track (mux);
  if (get_pcr_rank (mux, best) <= get_pcr_rank (mux, mux->pcr_track))
    return;
  mux->pcr_track = best;
  if (!mux->psi_changed)
    mux->pmt.version = (mux->pmt.version + 1) & TS_VERSION_MASK;
  mux->psi_changed = true;
}

/* Apple's "Timed Metadata for HTTP Live Streaming": a metadata_pointer
 * descriptor of the program that refers to the program itself. */
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

void
ts_mux_build_tables (TsMux *mux)
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

/* Notes a change of the tracks: a new PMT accompanies the next access unit.
 * The version changes only if the last PMT was written. */
static void
change_psi (TsMux *mux)
{
  if (mux->pmt.last_now != TS_TIME_NONE && !mux->psi_changed)
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

static bool
allocate_pending (const TsMux *mux, TsTrack *track)
{
  size_t alloc = ts_write_get_pending_room (mux, track);

  track->pending_size = 0;
  if (alloc > track->pending_alloc) {
    uint8_t *pending = realloc (track->pending, alloc);

    if (pending == NULL)
      return false;
    track->pending = pending;
    track->pending_alloc = alloc;
  }
  return true;
}

/* Returns the number of tracks of the same kind before @track: its number in
 * stream_id. */
static unsigned
get_index_of_kind (const TsMux *mux, const TsTrack *track)
{
  uint8_t id = ts_codec_get_stream_id (track->config.codec);
  unsigned n = 0;

  if (track->config.stream_number > 0)
    return track->config.stream_number - 1u;
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
  track->config.decoder_configuration = NULL;
  track->psi.elementary_pid = track->pid;
  stream_id = ts_codec_get_stream_id (config->codec);
  if (stream_id == TS_STREAM_ID_VIDEO)
    stream_id |= get_index_of_kind (mux, track) & 0x0f;
  else if (stream_id == TS_STREAM_ID_AUDIO)
    stream_id |= get_index_of_kind (mux, track) & 0x1f;
  track->stream_id = stream_id;
  track->needs_random_access = ts_codec_is_video (config->codec);
  track->waiting =
      mux->config.wait_for_random_access && track->needs_random_access;
  track->skipped = 0;
  *reason = "out of memory";
  return allocate_pending (mux, track);
}

bool
ts_track_config_check (
    const TsTrackConfig *config, uint64_t *identity, const char **reason)
{
  TsCodecState codec;
  TsPsiStream psi;
  bool ok = ts_codec_init (&codec, config, &psi, reason);

  ts_codec_clear (&codec);
  if (ok)
    *identity =
        ts_psi_get_identity (psi.stream_type, psi.es_info, psi.es_info_length);
  return ok;
}

int64_t
ts_track_config_get_duration (
    const TsTrackConfig *config, const uint8_t *data, size_t size)
{
  TsAccessUnit au = { .data = data,
    .size = size,
    .pts = TS_TIME_NONE,
    .dts = TS_TIME_NONE,
    .duration = TS_TIME_NONE,
    .now = TS_TIME_NONE };
  int64_t duration = config->frame_time;
  TsPayload payload = { .n_spans = 0 };
  const char *reason;
  TsCodecState codec;
  TsPsiStream psi;

  if (ts_codec_init (&codec, config, &psi, &reason) &&
      ts_codec_prepare (&codec, &au, &payload)) {
    if (payload.duration > 0)
      duration = payload.duration;
    else if (duration == 0)
      duration = payload.picture.frame_time;
  }
  ts_codec_clear (&codec);
  return duration;
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
    ts_track_free (track);
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

void
ts_mux_describe_track (TsMux *mux, TsTrack *track)
{
  const char *reason;
  TsPsiStream psi;

  if (!ts_codec_describe (&track->codec, &track->config, &psi, &reason))
    return;
  psi.elementary_pid = track->pid;
  if (is_same_psi (&psi, &track->psi))
    return;
  track->psi = psi;
  change_psi (mux);
}

/* The codec has not changed: facts from its access units stay known. */
static void
keep_learned (TsTrack *track, const TsCodecState *old)
{
  const char *reason;

  track->codec.pages = old->pages;
  track->codec.dts_samples = old->dts_samples;
  track->codec.has_core = old->has_core;
  track->codec.next_index = old->next_index;
  track->codec.frame_time = old->frame_time;
  track->codec.pictures = old->pictures;
  if (ts_codec_describe (&track->codec, &track->config, &track->psi, &reason))
    track->psi.elementary_pid = track->pid;
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
    old.pending = track->pending;
    old.pending_alloc = track->pending_alloc;
    *track = old;
    return false;
  }
  if (old.config.codec == config->codec && track->codec.sets) {
    /* The parameter sets stay in force until others arrive. */
    ts_codec_keep_parameter_sets (&track->codec, &old.codec);
    track->needs_random_access = old.needs_random_access;
  } else {
    ts_codec_clear (&old.codec);
  }
  if (old.config.codec == config->codec) {
    keep_learned (track, &old.codec);
    track->waiting = old.waiting;
    track->skipped = old.skipped;
  } else {
    ts_lead_clear (&track->lead);
    ts_track_time_change_codec (&track->time);
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
  ts_track_free (track);
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

static bool
has_waited_enough (const TsTrack *track, int64_t time)
{
  int64_t waited;

  if (track->skipped >= MAX_SKIPPED)
    return true;
  if (track->skipped == 0 || time == TS_TIME_NONE ||
      track->skipped_since == TS_TIME_NONE)
    return false;
  return __builtin_sub_overflow (time, track->skipped_since, &waited) ||
      waited > MAX_SKIPPED_TIME || waited < -MAX_SKIPPED_TIME;
}

bool
ts_track_skip (
    TsMux *mux, TsTrack *track, const TsAccessUnit *au, bool random_access)
{
  int64_t time = au->dts != TS_TIME_NONE ? au->dts : au->pts;

  if (!track->waiting)
    return false;
  if (random_access || has_waited_enough (track, time)) {
    mux->stats.no_random_access += !random_access;
    track->waiting = false;
    return false;
  }
  if (track->skipped++ == 0)
    track->skipped_since = time;
  mux->stats.skipped++;
  return true;
}

bool
ts_track_is_skipping (const TsTrack *track)
{
  return track->waiting && track->skipped > 0;
}

bool
ts_track_needs_random_access_point (const TsTrack *track)
{
  return track->needs_random_access;
}

bool
ts_track_needs_now (
    const TsMux *mux, const TsTrack *track, int64_t pts, int64_t dts)
{
  return ts_timeline_needs_now (&mux->timeline, &track->time, pts, dts);
}

bool
ts_track_needs_next (
    const TsMux *mux, const TsTrack *track, int64_t pts, int64_t dts)
{
  return ts_timeline_needs_next (&mux->timeline, &track->time, pts, dts);
}

bool
ts_track_is_apart (const TsTrack *track, int64_t pts, int64_t dts)
{
  return ts_track_time_is_apart (&track->time, pts, dts);
}

int64_t
ts_track_estimate_dts (const TsTrack *track, int64_t pts)
{
  if (pts != TS_TIME_NONE && !ts_codec_is_video (track->config.codec))
    return pts;
  return ts_track_time_estimate_dts (&track->time, pts);
}

int64_t
ts_mux_get_reorder_delay (const TsMux *mux)
{
  int64_t delay = 0;

  for (unsigned i = 0; i < mux->n_tracks && mux->n_tracks > 1; i++) {
    const TsTrack *track = mux->tracks[i];
    int64_t one;

    if (!ts_codec_is_video (track->config.codec))
      continue;
    one = ts_track_time_get_reorder_delay (&track->time);
    if (one > delay)
      delay = one;
  }
  return ts_time_to_90k (delay);
}
