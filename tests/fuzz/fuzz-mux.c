/* gst-tsrec: the mux against arbitrary sequences of what can happen to it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The input is a program: tracks come, change and go, access units of any
 * size, content and time arrive, packets are lost, an earlier stream goes on.
 * Whatever happens, the independent checker has to find nothing in what comes
 * out, and what went in has to come out. FUZZ_DUMP=FILE keeps the stream.
 */

#include "fuzz.h"
#include "tscheck.h"
#include "tsmux.h"

#define N_TRACKS 4
#define SIZE_MAX_AU 200000

typedef struct
{
  TsTrack *track;
  TsTrackConfig config;
  uint16_t pid;
  int64_t time;
  /* Expected payload of the next PES packet of private data. */
  uint32_t hash;
  size_t size;
  bool pending;
} Track;

typedef struct
{
  TsMux *mux;
  TsCheck *check;
  Track tracks[N_TRACKS];
  TsMuxConfig config;
  bool started;
  bool idle;    /* time went on without data, and PCR ahead of it */
  bool wild;    /* times were more than 33 bits can tell apart */
  bool removed; /* a track; its PID may be used again, from any time on */
  uint8_t *au;  /* SIZE_MAX_AU bytes */
} Fuzz;

static uint32_t
hash_of (const uint8_t *data, size_t size)
{
  uint32_t hash = 2166136261u;

  for (size_t i = 0; i < size; i++)
    hash = (hash ^ data[i]) * 16777619u;
  return hash;
}

static void
on_pes (void *user_data, const TsCheckPes *pes)
{
  Fuzz *fuzz = user_data;

  for (int i = 0; i < N_TRACKS; i++) {
    Track *track = &fuzz->tracks[i];

    /* Data of the PID from before a change of codec may leave only now. */
    if (track->pid != pes->pid || !track->pending ||
        pes->kind != TS_CHECK_KIND_DATA)
      continue;
    track->pending = false;
    FUZZ_ASSERT (pes->size == track->size, "%zu bytes became %zu", track->size,
        pes->size);
    FUZZ_ASSERT (hash_of (pes->data, pes->size) == track->hash,
        "an access unit was changed");
  }
}

static const uint8_t asc_stereo_48k[] = { 0x11, 0x90 };

static void
read_config (FuzzInput *input, TsTrackConfig *config)
{
  memset (config, 0, sizeof *config);
  config->codec = fuzz_u8 (input) % (TS_N_CODECS + 1);
  switch (config->codec) {
    case TS_CODEC_OPUS:
      config->channels = fuzz_u8 (input);
      config->mapping_family = fuzz_u8 (input);
      config->stream_count = fuzz_u8 (input);
      config->coupled_count = fuzz_u8 (input);
      for (int i = 0; i < 8; i++)
        config->channel_mapping[i] = (uint8_t)i;
      if ((config->channels & 0xf0) == 0) {
        /* mostly one that can be carried */
        config->channels = 1 + config->channels % 8;
        config->mapping_family = config->channels > 2;
        config->stream_count = (config->channels + 1) / 2;
        config->coupled_count = config->channels / 2;
      }
      break;
    case TS_CODEC_AAC_RAW:
      config->audio_specific_config = asc_stereo_48k;
      config->audio_specific_config_size = sizeof asc_stereo_48k;
      if (fuzz_u8 (input) & 1) {
        config->audio_specific_config = input->data;
        config->audio_specific_config_size = input->size < 8 ? input->size : 8;
      }
      break;
    default:
      break;
  }
  if (fuzz_u8 (input) & 1)
    for (int i = 0; i < 3; i++)
      config->language[i] = (char)fuzz_u8 (input);
}

/* Writes what was begun, into a buffer that is exactly as large as it said. */
static void
finish (Fuzz *fuzz, size_t size, TsOutput *output)
{
  uint8_t *out;
  size_t n;

  memset (output, 0, sizeof *output);
  if (size == 0)
    return;
  FUZZ_ASSERT (size % 188 == 0, "%zu", size);
  out = malloc (size);
  if (!out)
    abort ();
  n = ts_mux_finish (fuzz->mux, out, size, output);
  FUZZ_ASSERT (
      n <= size && n % 188 == 0 && n == output->size, "%zu of %zu", n, size);
  if (output->random_access) {
    const uint8_t *rap = out + output->random_access_offset;

    FUZZ_ASSERT (output->random_access_offset % 188 == 0 &&
            output->random_access_offset < n,
        "%zu of %zu", output->random_access_offset, n);
    FUZZ_ASSERT (rap[0] == 0x47 && rap[1] == 0x40 && rap[2] == 0,
        "a random access point does not start with a PAT");
  }
  if (getenv ("FUZZ_DUMP")) {
    FILE *dump = fopen (getenv ("FUZZ_DUMP"), "ab");

    fwrite (out, 1, n, dump);
    fclose (dump);
  }
  ts_check_push (fuzz->check, out, n);
  fuzz->started = fuzz->started || n > 0;
  free (out);
}

static void
flush (Fuzz *fuzz)
{
  TsOutput output;

  finish (fuzz, ts_mux_begin_flush (fuzz->mux), &output);
}

/* Of the length of one packet, of two, of any, and of more than a PES packet
 * can say. */
static size_t
read_size (FuzzInput *input)
{
  uint8_t kind = fuzz_u8 (input);

  switch (kind & 7) {
    case 0:
      return kind >> 3;
    case 1:
      return 150 + (kind >> 3);
    case 2:
      return 340 + (kind >> 3);
    case 3:
      /* rarely: they are slow */
      return kind < 0x40 ? 65490 + (size_t)(kind >> 3) * 5 : kind;
    case 4:
      return fuzz_u16 (input) % 3000;
    case 5:
      return fuzz_u16 (input) % 400;
    default:
      return fuzz_u8 (input);
  }
}

static size_t
put (uint8_t *to, size_t at, const char *bytes, size_t size)
{
  memcpy (to + at, bytes, size);
  return at + size;
}

#define PUT(bytes) at = put (au, at, bytes, sizeof bytes - 1)

/* The start of a picture, as any encoder may send it. */
static size_t
start_picture (uint8_t *au, TsCodec codec, uint8_t shape)
{
  bool key = shape & 1;
  size_t at = 0;

  switch (codec) {
    case TS_CODEC_H264:
      if (shape & 2)
        PUT ("\0\0\0\1\x09\xf0");
      if (shape & 4)
        PUT ("\0\0\0\1\x67\x42\xc0\x0a\xda\x0f\x0a");
      if (shape & 8)
        PUT ("\0\0\0\1\x68\xce\x38\x80");
      if (shape & 16)
        PUT ("\0\0\0\1\x06\x06\x01\xc4\x80");
      if (shape & 32)
        PUT ("\0");
      if (key)
        PUT ("\0\0\1\x65\x88\x80");
      else
        PUT ("\0\0\1\x41\x9a\x02");
      break;
    case TS_CODEC_H265:
      if (shape & 2)
        PUT ("\0\0\0\1\x46\1\x50");
      if (shape & 4)
        PUT ("\0\0\0\1\x40\1\x0c\1\xff\xff");
      if (shape & 4)
        PUT ("\0\0\0\1\x42\1\1\1\x60\xa0\x80");
      if (shape & 8)
        PUT ("\0\0\0\1\x44\1\xc1\x72");
      if (key)
        PUT ("\0\0\1\x26\1\xaf");
      else if (shape & 32)
        PUT ("\0\0\1\x2a\1\xaf");
      else
        PUT ("\0\0\1\2\1\xd0");
      break;
    case TS_CODEC_MPEG1_VIDEO:
    case TS_CODEC_MPEG2_VIDEO:
      if (key)
        PUT ("\0\0\1\xb3\x16\0\xf0\x15\xff\xff\xe0\x18");
      PUT ("\0\0\1\0\0\x0f\xff\xf8\0\0\1\1\x13");
      break;
    default:
      break;
  }
  return at;
}

static size_t
start_frame (uint8_t *au, TsCodec codec, size_t size)
{
  size_t at = 0;

  switch (codec) {
    case TS_CODEC_AAC_ADTS:
      PUT ("\xff\xf1\x4c\x80\0\x1f\xfc");
      if (size < 8191) {
        au[3] = (uint8_t)(au[3] | size >> 11);
        au[4] = (uint8_t)(size >> 3);
        au[5] = (uint8_t)(0x1f | size << 5);
      }
      break;
    case TS_CODEC_AAC_LOAS:
      PUT ("\x56\xe0\x10\x20\0\x11\x90");
      break;
    case TS_CODEC_MPEG1_AUDIO:
      PUT ("\xff\xfd\x84\4");
      break;
    case TS_CODEC_MPEG2_AUDIO:
      PUT ("\xff\xf5\x84\4");
      break;
    case TS_CODEC_AC3:
      PUT ("\x0b\x77\0\0\x14\x40\x43");
      break;
    case TS_CODEC_EAC3:
      PUT ("\x0b\x77\0\x7f\x34\x87\xc0");
      if (size & 1) /* of a dependent substream */
        au[2] |= 0x40;
      break;
    case TS_CODEC_DTS:
      if (size & 1)
        PUT ("\x64\x58\x20\x25");
      else
        PUT ("\x7f\xfe\x80\x01\xfc\x3c\x75\xb0\x36");
      break;
    case TS_CODEC_DVB_SUBTITLE:
      if (size & 1)
        PUT ("\x20\x00");
      PUT ("\x0f\x10\0\2\0\2\x1e\x10");
      break;
    case TS_CODEC_TELETEXT:
      if (size & 1)
        PUT ("\x10");
      PUT ("\x02\x2c\xe8\xe4\xa8\xa8");
      break;
    case TS_CODEC_KLV:
      PUT ("\x06\x0e\x2b\x34");
      break;
    case TS_CODEC_ID3:
      PUT ("ID3\4\0\0\0\0\0\x20");
      break;
    default:
      break;
  }
  return at;
}

static size_t
read_access_unit (Fuzz *fuzz, FuzzInput *input, TsCodec codec, uint8_t shape)
{
  size_t size = read_size (input), at = 0;
  uint8_t fill = fuzz_u8 (input);

  /* 0xc0: arbitrary bytes instead */
  if ((shape & 0xc0) != 0xc0) {
    at = start_picture (fuzz->au, codec, shape);
    at += start_frame (fuzz->au + at, codec, size);
  } else {
    size_t n = input->size < 64 ? input->size : 64;

    memcpy (fuzz->au, input->data, n);
    at = n;
  }
  if (at < size)
    memset (fuzz->au + at, fill | 1, size - at);
  /* A picture is at least what was begun. */
  return size < at && codec <= TS_CODEC_MPEG2_VIDEO ? at : size;
}

static int64_t
read_step (Fuzz *fuzz, FuzzInput *input)
{
  static const int64_t steps[] = { 33333333, 21333333, 20000000, 1, 0, 11111,
    -5000000, 40000000, 500000000, -700000000, 3000000000, -3000000000,
    3600000000000, -3600000000000, 2000000000000, 1000000 };
  uint8_t kind = fuzz_u8 (input);

  if (kind == 0xff) {
    fuzz->wild = true;
    return (int64_t)fuzz_u64 (input);
  }
  return steps[kind & 15];
}

static int64_t
add (int64_t a, int64_t b)
{
  return (int64_t)((uint64_t)a + (uint64_t)b);
}

static void
op_access_unit (Fuzz *fuzz, FuzzInput *input, uint8_t op)
{
  Track *track = &fuzz->tracks[op >> 4 & (N_TRACKS - 1)];
  uint8_t shape = fuzz_u8 (input), flags = fuzz_u8 (input);
  TsAccessUnit au = { 0 };
  TsOutput output;
  TsCodec codec;
  size_t size;

  if (!track->track)
    return;
  codec = ts_track_get_codec (track->track);
  au.size = read_access_unit (fuzz, input, codec, shape);
  au.data = fuzz->au;
  track->time = add (track->time, read_step (fuzz, input));
  au.dts = flags & 1 ? TS_TIME_NONE : track->time;
  au.pts = flags & 2 ? TS_TIME_NONE : track->time;
  if ((flags & 6) == 4)
    au.pts = add (au.pts, read_step (fuzz, input));
  au.duration = flags & 8 ? TS_TIME_NONE : 20000000;
  au.now = flags & 16 ? track->time : TS_TIME_NONE;
  au.trim_start = flags & 64 ? 312 : 0;
  au.trim_end = flags & 128 ? fuzz_u16 (input) & 8191 : 0;
  size = ts_mux_begin (fuzz->mux, track->track, &au);
  if (size && au.size < 60000 &&
      (codec == TS_CODEC_KLV || codec == TS_CODEC_ID3)) {
    track->pending = true;
    track->size = au.size;
    track->hash = hash_of (au.data, au.size);
  }
  finish (fuzz, size, &output);
  /* All of a small private unit comes at once, and so does what it carries. */
  FUZZ_ASSERT (!track->pending, "held back");
  track->pending = false;
}

static void
op_track (Fuzz *fuzz, FuzzInput *input, uint8_t op)
{
  Track *track = &fuzz->tracks[op >> 4 & (N_TRACKS - 1)];
  const char *reason = NULL;
  TsTrackConfig config;

  if (op & 0x80 && track->track) {
    flush (fuzz);
    ts_mux_remove_track (fuzz->mux, track->track);
    fuzz->removed = true;
    track->track = NULL;
    return;
  }
  read_config (input, &config);
  if (track->track) {
    bool changed;

    flush (fuzz);
    changed =
        ts_mux_configure_track (fuzz->mux, track->track, &config, &reason);
    FUZZ_ASSERT (changed || reason, "refused without a reason");
    return;
  }
  track->pid = fuzz_u8 (input) & 1 ? fuzz_u16 (input) & 0x1fff
                                   : 0x100 + (op >> 4 & (N_TRACKS - 1));
  track->track = ts_mux_add_track (fuzz->mux, track->pid, &config, &reason);
  FUZZ_ASSERT (track->track || reason, "refused without a reason");
  if (!track->track)
    track->pid = 0;
}

static void
op_resume (Fuzz *fuzz, FuzzInput *input)
{
  static uint8_t counters[8192];
  TsResumePoint point = { .continuity_counter = counters };

  memset (counters, fuzz_u8 (input) & 15, sizeof counters);
  point.pat_version = (int)(fuzz_u8 (input) % 33) - 1;
  point.pmt_version = (int)(fuzz_u8 (input) % 33) - 1;
  point.sdt_version = (int)(fuzz_u8 (input) % 33) - 1;
  point.last_ts = fuzz_u64 (input) & 0x1ffffffff;
  point.elapsed = read_step (fuzz, input);
  FUZZ_ASSERT (!ts_mux_resume (fuzz->mux, &point) || !fuzz->started,
      "resumed in the middle");
}

static void
op_other (Fuzz *fuzz, FuzzInput *input, uint8_t op)
{
  TsOutput output;
  TsStats stats;

  switch (op >> 4) {
    case 0:
    case 1:
      fuzz->idle = true;
      finish (fuzz,
          ts_mux_begin_idle (fuzz->mux, fuzz->tracks[op >> 4].track,
              add (fuzz->tracks[op >> 4].time, read_step (fuzz, input)),
              TS_TIME_NONE),
          &output);
      break;
    case 2:
      flush (fuzz);
      break;
    case 3:
      ts_mux_resync (fuzz->mux);
      break;
    case 4:
      op_resume (fuzz, input);
      break;
    case 5:
      ts_mux_set_preroll (fuzz->mux, read_step (fuzz, input) % TS_NS_PER_S);
      break;
    case 6:
      ts_mux_get_stats (fuzz->mux, &stats);
      break;
    default:
      for (int i = 0; i < N_TRACKS; i++)
        if (fuzz->tracks[i].track)
          ts_track_needs_random_access_point (fuzz->tracks[i].track);
      break;
  }
}

static void
read_mux_config (Fuzz *fuzz, FuzzInput *input, TsMuxConfig *config)
{
  uint8_t flags = fuzz_u8 (input);

  ts_mux_config_init (config);
  if (flags & 1)
    config->pack = true;
  if (flags & 2)
    config->audio_pes_time = read_step (fuzz, input);
  if (flags & 4)
    config->preroll = read_step (fuzz, input);
  if (flags & 8)
    config->start_offset = read_step (fuzz, input);
  if (flags & 16)
    config->pmt_pid = fuzz_u16 (input);
  if (flags & 32)
    snprintf (config->service_name, sizeof config->service_name, "%.*s",
        (int)(input->size < 80 ? input->size : 80), (const char *)input->data);
  config->wait_for_random_access = flags & 128;
  /* Nearly 2^33 ticks of 90 kHz: through the wrap in the first second. */
  if (flags & 64)
    config->start_offset = INT64_C (95443717688888) - 800000000;
}

static const TsCheckRule of_time[] = { TS_CHECK_PAT_INTERVAL,
  TS_CHECK_PMT_INTERVAL, TS_CHECK_SDT_INTERVAL, TS_CHECK_PTS_ORDER,
  TS_CHECK_PCR_ORDER, TS_CHECK_PCR_INTERVAL, TS_CHECK_PCR_JUMP };

static void
judge (Fuzz *fuzz, const uint8_t *data, size_t size)
{
  uint64_t errors = ts_check_finish (fuzz->check);

  const TsCheckStats *stats = ts_check_get_stats (fuzz->check);
  TsStats mux;

  ts_mux_get_stats (fuzz->mux, &mux);
  /* PCR waits for a track that was late. */
  if ((mux.late || fuzz->idle) && !fuzz->wild)
    errors -= stats->rule_errors[TS_CHECK_PCR_INTERVAL];
  if (fuzz->removed || fuzz->wild)
    errors -= stats->rule_errors[TS_CHECK_DTS_ORDER];
  if (fuzz->wild)
    for (size_t i = 0; i < sizeof of_time / sizeof of_time[0]; i++)
      errors -= stats->rule_errors[of_time[i]];
  (void)data;
  FUZZ_ASSERT (
      fuzz->wild || mux.late || stats->rule_errors[TS_CHECK_PCR_LATE] == 0,
      "%llu late, and none is counted:\n%s",
      (unsigned long long)stats->rule_errors[TS_CHECK_PCR_LATE],
      ts_check_get_report (fuzz->check));
  FUZZ_ASSERT (errors == 0,
      "%llu errors in the stream, input of %zu bytes:\n%s",
      (unsigned long long)errors, size, ts_check_get_report (fuzz->check));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static uint8_t au[SIZE_MAX_AU];
  FuzzInput input = { data, size };
  TsCheckOptions options = TS_CHECK_STRICT;
  Fuzz fuzz = { .au = au };

  read_mux_config (&fuzz, &input, &fuzz.config);
  /* The pictures are shells; what is in them is for the tests with real ones.
   * A large preroll is the user's. */
  options.ignored_rules = TS_CHECK_IGNORE (TS_CHECK_RAP_INDICATOR) |
      TS_CHECK_IGNORE (TS_CHECK_AU_PARAMETERS) |
      TS_CHECK_IGNORE (TS_CHECK_AU_DELIMITER);
  /* Data that waits to share packets leaves after the PCR of its time. */
  if (fuzz.config.pack || fuzz.config.audio_pes_time) {
    options.pcr_interval_ms += 1000;
  }
  /* PCR stays as far behind as the lag of the slowest track asks for. */
  options.ignored_rules |= TS_CHECK_IGNORE (TS_CHECK_DELAY);
  fuzz.mux = ts_mux_new (&fuzz.config);
  fuzz.check = ts_check_new (&options, on_pes, NULL, &fuzz);
  if (!fuzz.mux || !fuzz.check)
    abort ();
  while (input.size) {
    uint8_t op = fuzz_u8 (&input);

    if ((op & 15) < 11)
      op_access_unit (&fuzz, &input, op);
    else if ((op & 15) < 14)
      op_track (&fuzz, &input, op);
    else
      op_other (&fuzz, &input, op);
  }
  flush (&fuzz);
  judge (&fuzz, data, size);
  ts_check_free (fuzz.check);
  ts_mux_free (fuzz.mux);
  return 0;
}
