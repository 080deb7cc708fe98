/* gst-tsrec: tests of what each codec needs in a transport stream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the core writes is judged by the checker, which shares no code with it.
 * Expected bytes are those of the standards, or of other writers.
 */

#include "config.h"

#include <gst/check/gstcheck.h>
#include <string.h>

#include "reccaps.h"
#include "tscheck.h"
#include "tsmux.h"

#define MS TS_NS_PER_MS
#define PID 0x200
#define START (14 * 9000) /* of the first access unit, 90 kHz */

typedef struct
{
  GByteArray *data;
  int64_t pts;
} Pes;

typedef struct
{
  TsMux *mux;
  TsTrack *track;
  TsCheck *check;
  GByteArray *ts;
  GPtrArray *pes; /* Pes */
} Rig;

static void
pes_free (gpointer data)
{
  Pes *pes = data;

  g_byte_array_unref (pes->data);
  g_free (pes);
}

static void
on_pes (void *user_data, const TsCheckPes *pes)
{
  Rig *rig = user_data;
  Pes *copy = g_new0 (Pes, 1);

  copy->data =
      g_byte_array_append (g_byte_array_new (), pes->data, (guint)pes->size);
  copy->pts = pes->pts;
  g_ptr_array_add (rig->pes, copy);
}

static void
rig_init_full (Rig *rig, const TsTrackConfig *config, int64_t audio_pes_time)
{
  TsCheckOptions options = TS_CHECK_STRICT;
  TsMuxConfig mux;
  const char *reason;

  /* one track with frames of any length: tables and PCR are tested elsewhere */
  options.ignored_rules = TS_CHECK_IGNORE (TS_CHECK_PAT_INTERVAL) |
      TS_CHECK_IGNORE (TS_CHECK_PMT_INTERVAL) |
      TS_CHECK_IGNORE (TS_CHECK_SDT_INTERVAL) |
      TS_CHECK_IGNORE (TS_CHECK_PCR_INTERVAL) |
      TS_CHECK_IGNORE (TS_CHECK_PTS_INTERVAL);
  ts_mux_config_init (&mux);
  mux.audio_pes_time = audio_pes_time;
  rig->mux = ts_mux_new (&mux);
  rig->check = ts_check_new (&options, on_pes, NULL, rig);
  rig->ts = g_byte_array_new ();
  rig->pes = g_ptr_array_new_with_free_func (pes_free);
  rig->track = ts_mux_add_track (rig->mux, PID, config, &reason);
  fail_unless (rig->track != NULL, "%s", reason);
}

static void
rig_init (Rig *rig, const TsTrackConfig *config)
{
  rig_init_full (rig, config, 0);
}

static void
rig_init_codec (Rig *rig, TsCodec codec)
{
  TsTrackConfig config = { .codec = codec };

  rig_init (rig, &config);
}

static void
rig_finish (Rig *rig, size_t asked)
{
  uint8_t *out;
  TsOutput output;
  size_t size;

  if (asked == 0)
    return;
  out = g_malloc (asked);
  size = ts_mux_finish (rig->mux, out, asked, &output);
  fail_unless (size > 0 && size <= asked);
  ts_check_push (rig->check, out, size);
  g_byte_array_append (rig->ts, out, (guint)size);
  g_free (out);
}

static void
rig_push_unit (Rig *rig, const TsAccessUnit *au)
{
  rig_finish (rig, ts_mux_begin (rig->mux, rig->track, au));
}

static void
rig_push (Rig *rig, const void *data, size_t size, int64_t pts)
{
  TsAccessUnit au = { .data = data,
    .size = size,
    .pts = pts,
    .dts = TS_TIME_NONE,
    .duration = TS_TIME_NONE,
    .now = TS_TIME_NONE };

  rig_push_unit (rig, &au);
}

static TsStats
rig_get_stats (Rig *rig)
{
  TsStats stats;

  ts_mux_get_stats (rig->mux, &stats);
  return stats;
}

/* The output is conformant, and nothing was corrected. */
static void
rig_assert_fine (Rig *rig)
{
  TsStats stats;

  rig_finish (rig, ts_mux_begin_flush (rig->mux));
  fail_unless (ts_check_finish (rig->check) == 0, "%.1500s",
      ts_check_get_report (rig->check));
  stats = rig_get_stats (rig);
  fail_unless_equals_uint64 (stats.backward, 0);
  fail_unless_equals_uint64 (stats.jumps, 0);
  fail_unless_equals_uint64 (stats.late, 0);
  fail_unless_equals_uint64 (stats.damaged, 0);
}

static void
rig_clear (Rig *rig)
{
  ts_mux_free (rig->mux);
  ts_check_free (rig->check);
  g_byte_array_unref (rig->ts);
  g_ptr_array_unref (rig->pes);
}

static const Pes *
rig_get (Rig *rig, guint index)
{
  fail_unless (index < rig->pes->len, "%u PES packets", rig->pes->len);
  return g_ptr_array_index (rig->pes, index);
}

static void
assert_bytes (const Pes *pes, const void *expected, size_t size)
{
  fail_unless_equals_uint64 (pes->data->len, size);
  for (size_t i = 0; i < size; i++)
    fail_unless (pes->data->data[i] == ((const uint8_t *)expected)[i],
        "byte %zu is %02x, not %02x", i, pes->data->data[i],
        ((const uint8_t *)expected)[i]);
}

static void
assert_in_pmt (Rig *rig, const void *bytes, size_t size)
{
  fail_unless (memmem (rig->ts->data, rig->ts->len, bytes, size) != NULL);
}

/* --- AAC with channel configuration 0 */

/* AAC LC, 48 kHz, quad, as ffmpeg 5.1 writes it. */
static const uint8_t quad_config[] = { 0x11, 0x80, 0x04, 0xc4, 0x04, 0x00, 0x21,
  0x10, 0x0d, 'L', 'a', 'v', 'c', '5', '9', '.', '3', '7', '.', '1', '0', '0',
  0x56, 0xe5, 0x00 };
/* In front of the first frame, of 566 bytes, by its ADTS writer. */
static const uint8_t quad_prefix[] = { 0xff, 0xf1, 0x4c, 0x00, 0x4a, 0x3f, 0xfc,
  0xa0, 0x98, 0x80, 0x80, 0x04, 0x22, 0x0d, 'L', 'a', 'v', 'c', '5', '9', '.',
  '3', '7', '.', '1', '0', '0' };

static void
init_quad (Rig *rig)
{
  TsTrackConfig config = { .codec = TS_CODEC_AAC_RAW,
    .audio_specific_config = quad_config,
    .audio_specific_config_size = sizeof (quad_config) };

  rig_init (rig, &config);
}

GST_START_TEST (test_raw_aac_without_a_channel_configuration_names_its_channels)
{
  uint8_t frame[566] = { 0xde, 0x02 }, expected[593];
  Rig rig;

  memcpy (expected, quad_prefix, sizeof (quad_prefix));
  memcpy (expected + sizeof (quad_prefix), frame, sizeof (frame));
  init_quad (&rig);
  for (guint i = 0; i < 3; i++)
    rig_push (&rig, frame, sizeof (frame), i * 21 * MS);
  rig_assert_fine (&rig);
  for (guint i = 0; i < 3; i++) /* decoding can start at each of them */
    assert_bytes (rig_get (&rig, i), expected, sizeof (expected));
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_a_frame_that_names_its_channels_gets_nothing_more)
{
  uint8_t frame[100] = { 0xa0, 0x98, 0x80, 0x80, 0x04, 0x22, 0x00 };
  Rig rig;

  init_quad (&rig);
  rig_push (&rig, frame, sizeof (frame), 0);
  rig_assert_fine (&rig);
  fail_unless_equals_uint64 (rig_get (&rig, 0)->data->len, 107);
  fail_unless (
      memcmp (rig_get (&rig, 0)->data->data + 7, frame, sizeof (frame)) == 0);
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_aac_configurations_that_adts_has_no_field_for_say_so)
{
  static const struct
  {
    uint8_t config[8];
    size_t size;
    const char *word;
  } rows[] = {
    { { 0x11, 0x80 }, 2, "program_config_element" }, /* 0, cut short */
    /* 0, and no element in it */
    { { 0x11, 0x80, 0x04, 0xc0, 0x00, 0x00, 0x00, 0x00 }, 8,
        "program_config_element" },
    { { 0x11, 0xd8 }, 2, "channel configuration" }, /* 11 */
    { { 0x11, 0x94 }, 2, "1024" },                  /* 960 samples */
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    TsTrackConfig config = { .codec = TS_CODEC_AAC_RAW,
      .audio_specific_config = rows[i].config,
      .audio_specific_config_size = rows[i].size };
    TsMuxConfig defaults;
    const char *reason = NULL;
    TsMux *mux;

    ts_mux_config_init (&defaults);
    mux = ts_mux_new (&defaults);
    fail_unless (ts_mux_add_track (mux, PID, &config, &reason) == NULL);
    fail_unless (
        strstr (reason, rows[i].word) != NULL, "row %u: %s", i, reason);
    ts_mux_free (mux);
  }
}
GST_END_TEST;

/* Bits, most significant first. */
static void
put_bits (GByteArray *array, guint *pos, guint n, guint value)
{
  const uint8_t zero = 0;

  while (n-- > 0) {
    if (*pos / 8 == array->len)
      g_byte_array_append (array, &zero, 1);
    array->data[*pos / 8] |= (value >> n & 1) << (7 - *pos % 8);
    (*pos)++;
  }
}

GST_START_TEST (test_latm_without_a_channel_configuration_names_its_channels)
{
  static const uint8_t frame[] = { 0x21, 0x22, 0x23, 0x24 };
  GByteArray *loas = g_byte_array_new ();
  guint pos = 0;
  const Pes *pes;
  Rig rig;

  put_bits (loas, &pos, 24, 0x56e000);
  put_bits (loas, &pos, 1 + 1 + 1, 1); /* config, version 0, same framing */
  put_bits (loas, &pos, 6 + 4 + 3, 0);
  /* The AudioSpecificConfig ends with the program_config_element. */
  for (guint i = 0; i < sizeof (quad_config) - 3; i++)
    put_bits (loas, &pos, 8, quad_config[i]);
  put_bits (loas, &pos, 3 + 8, 0xff);
  put_bits (loas, &pos, 2, 0);
  put_bits (loas, &pos, 8, sizeof (frame));
  for (guint i = 0; i < sizeof (frame); i++)
    put_bits (loas, &pos, 8, frame[i]);
  loas->data[2] = (uint8_t)(loas->len - 3);

  rig_init_codec (&rig, TS_CODEC_AAC_LOAS);
  rig_push (&rig, loas->data, loas->len, 0);
  rig_assert_fine (&rig);
  pes = rig_get (&rig, 0);
  fail_unless_equals_uint64 (
      pes->data->len, sizeof (quad_prefix) + sizeof (frame));
  fail_unless (memcmp (pes->data->data + 7, quad_prefix + 7,
                   sizeof (quad_prefix) - 7) == 0);
  fail_unless (memcmp (pes->data->data + sizeof (quad_prefix), frame,
                   sizeof (frame)) == 0);
  g_byte_array_unref (loas);
  rig_clear (&rig);
}
GST_END_TEST;

/* --- Opus */

typedef struct
{
  uint8_t channels, family, streams, coupled;
  uint8_t mapping[8];
  uint8_t descriptor[16]; /* its length, then what follows */
} OpusRow;

static TsTrackConfig
get_opus_config (const OpusRow *row)
{
  TsTrackConfig config = { .codec = TS_CODEC_OPUS,
    .channels = row->channels,
    .mapping_family = row->family,
    .stream_count = row->streams,
    .coupled_count = row->coupled };

  memcpy (config.channel_mapping, row->mapping, sizeof (row->mapping));
  return config;
}

GST_START_TEST (test_opus_mappings_of_every_kind_are_described)
{
  static const OpusRow rows[] = {
    { 1, 0, 1, 0, { 0 }, { 2, 0x80, 1 } },
    { 2, 0, 1, 1, { 0, 1 }, { 2, 0x80, 2 } },
    { 2, 255, 1, 1, { 0, 1 }, { 2, 0x80, 0 } },
    { 2, 255, 2, 0, { 0, 1 }, { 2, 0x80, 0x82 } },
    { 6, 1, 6, 0, { 0, 1, 2, 3, 4, 5 }, { 2, 0x80, 0x86 } },
    /* the streams can change places */
    { 8, 1, 5, 3, { 0, 6, 1, 4, 5, 2, 3, 7 }, { 2, 0x80, 8 } },
    { 6, 1, 4, 2, { 2, 5, 3, 0, 1, 4 }, { 2, 0x80, 6 } },
    /* sides swapped: explicit, 0 in 1 bit, 1 in 1, 1 0 in 2 each */
    { 2, 1, 1, 1, { 1, 0 }, { 5, 0x80, 0x81, 2, 1, 0x50 } },
    { 1, 255, 1, 0, { 0 }, { 5, 0x80, 0x81, 1, 255, 0x00 } },
    /* first order ambisonics: 3 in 2 bits, 0 in 3, 0 to 3 in 3 each */
    { 4, 2, 4, 0, { 0, 1, 2, 3 }, { 7, 0x80, 0x81, 4, 2, 0xc0, 0x29, 0x80 } },
    /* 4 channels of family 255 in two stereo streams, the last one silent:
     * 1 in 2 bits, 2 in 2, 0 1 2 4 in 3 each */
    { 4, 255, 2, 2, { 0, 1, 2, 255 }, { 6, 0x80, 0x81, 4, 255, 0x60, 0x54 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    TsTrackConfig config = get_opus_config (&rows[i]);
    uint8_t descriptor[20] = { 0x05, 4, 'O', 'p', 'u', 's', 0x7f };
    Rig rig;

    memcpy (descriptor + 7, rows[i].descriptor, 1 + rows[i].descriptor[0]);
    rig_init (&rig, &config);
    /* five packets of code 0, all but the last one self-delimiting */
    rig_push (&rig, "\xfc\1a\xfc\1b\xfc\1c\xfc\1d\xfc", 13, 0);
    rig_assert_fine (&rig);
    fail_unless (memmem (rig.ts->data, rig.ts->len, descriptor,
                     8u + rows[i].descriptor[0]) != NULL,
        "row %u", i);
    rig_clear (&rig);
  }
}
GST_END_TEST;

GST_START_TEST (test_opus_mappings_that_are_not_valid_say_so)
{
  static const OpusRow rows[] = {
    { 3, 0, 1, 1, { 0, 1, 2 }, { 0 } },
    { 4, 3, 4, 0, { 0, 1, 2, 3 }, { 0 } },
    { 2, 1, 0, 0, { 0, 1 }, { 0 } },
    { 2, 1, 1, 2, { 0, 1 }, { 0 } },
    { 2, 1, 1, 0, { 0, 1 }, { 0 } },
    { 37, 255, 37, 0, { 0 }, { 0 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    TsTrackConfig config = get_opus_config (&rows[i]);
    TsMuxConfig defaults;
    const char *reason = NULL;
    TsMux *mux;

    ts_mux_config_init (&defaults);
    mux = ts_mux_new (&defaults);
    fail_unless (
        ts_mux_add_track (mux, PID, &config, &reason) == NULL, "row %u", i);
    fail_unless (reason != NULL);
    ts_mux_free (mux);
  }
}
GST_END_TEST;

/* Packets of each code, of streams that change places, the last one included:
 * what was self-delimiting is not any more, and the other way round. */
GST_START_TEST (test_opus_streams_change_places)
{
  /* three channels: a stereo stream and a mono one; 5.1 with its stereo
   * streams 1, 0 and its mono streams 3, 2 */
  static const OpusRow row = { 6, 1, 4, 2, { 2, 5, 3, 0, 1, 4 }, { 0 } };
  static const uint8_t in[] = { /* code 1, two frames of 2 bytes */
    0x11, 2, 'a', 'a', 'b', 'b',
    /* code 3, variable, padding of 1, three frames of 1, 2 and 3 bytes */
    0x13, 0xc3, 1, 1, 2, 3, 'c', 'd', 'd', 'e', 'e', 'e', 0,
    /* code 2, frames of 1 and 2 bytes */
    0x12, 1, 2, 'f', 'g', 'g',
    /* code 3, constant, two frames of 3 bytes, not self-delimiting */
    0x13, 0x02, 'h', 'h', 'h', 'i', 'i', 'i'
  };
  static const uint8_t out[] = { 0x7f, 0xe0, sizeof (in), 0x13, 0xc3, 1, 1, 2,
    3, 'c', 'd', 'd', 'e', 'e', 'e', 0, 0x11, 2, 'a', 'a', 'b', 'b', 0x13, 0x02,
    3, 'h', 'h', 'h', 'i', 'i', 'i', 0x12, 1, 'f', 'g', 'g' };
  TsTrackConfig config = get_opus_config (&row);
  Rig rig;

  rig_init (&rig, &config);
  rig_push (&rig, in, sizeof (in), 0);
  assert_bytes ((rig_assert_fine (&rig), rig_get (&rig, 0)), out, sizeof (out));
  rig_clear (&rig);

  for (guint cut = 1; cut < sizeof (in); cut++) { /* read within bounds */
    uint8_t *part = g_memdup2 (in, cut);

    rig_init (&rig, &config);
    rig_push (&rig, part, cut, 0);
    rig_clear (&rig);
    g_free (part);
  }
}
GST_END_TEST;

/* Frames of 2.5 ms, and a pre-skip of 312 samples, as opusenc says it and as
 * opusparse counts it. */
static void
check_short_opus (const int64_t *times, int64_t duration)
{
  static const unsigned trims[] = { 120, 120, 72, 0, 0, 0 };
  static const int64_t expected[] = { 0, 1, 2, 91, 316, 541 };
  TsTrackConfig config = { .codec = TS_CODEC_OPUS, .channels = 1 };
  Rig rig;

  rig_init (&rig, &config);
  for (guint i = 0; i < G_N_ELEMENTS (trims); i++) {
    TsAccessUnit au = { .data = (const uint8_t *)"\xe0opus",
      .size = 5,
      .pts = times[i],
      .dts = TS_TIME_NONE,
      .duration = i < 2 ? duration : 2500000,
      .now = TS_TIME_NONE,
      .trim_start = trims[i] };

    rig_push_unit (&rig, &au);
  }
  rig_assert_fine (&rig);
  for (guint i = 0; i < G_N_ELEMENTS (trims); i++)
    fail_unless_equals_int64 (rig_get (&rig, i)->pts, START + expected[i]);
  rig_clear (&rig);
}

GST_START_TEST (test_opus_frames_inside_the_pre_skip_take_no_time)
{
  static const int64_t encoder[] = { 0, 0, 0, 1000000, 3500000, 6000000 };
  static const int64_t parser[] = { 0, 2500000, 5000000, 1000000, 3500000,
    6000000 };

  check_short_opus (encoder, 0);
  check_short_opus (parser, 2500000);
}
GST_END_TEST;

/* As tsdemux gives those that share a PES packet. */
GST_START_TEST (test_opus_frames_without_a_timestamp_follow_the_one_before)
{
  TsTrackConfig config = { .codec = TS_CODEC_OPUS, .channels = 1 };
  Rig rig;

  rig_init (&rig, &config);
  for (guint i = 0; i < 9; i++) /* 20 ms each, and a pause */
    rig_push (
        &rig, "\xf8opus", 5, i % 3 == 0 ? i / 3 * 100 * MS : TS_TIME_NONE);
  fail_unless_equals_uint64 (rig_get_stats (&rig).no_timestamp, 0);
  rig_assert_fine (&rig);
  for (guint i = 0; i < 9; i++)
    fail_unless_equals_int64 (
        rig_get (&rig, i)->pts, START + i / 3 * 9000 + i % 3 * 1800);
  rig_clear (&rig);
}
GST_END_TEST;

/* The control header never drops more than there is. */
GST_START_TEST (test_opus_clipping_longer_than_a_frame_is_bounded)
{
  static const struct
  {
    uint32_t start, end;
    int64_t duration;
    uint8_t header[8];
    size_t size;
  } rows[] = {
    { 312, 0, 0, { 0x7f, 0xf0, 5, 0, 120 }, 5 },
    { 0, 200, 0, { 0x7f, 0xe8, 5, 0, 120 }, 5 },
    { 100, 100, 0, { 0x7f, 0xf8, 5, 0, 100, 0, 20 }, 7 },
    /* a frame that lasts is not dropped as a whole */
    { 0, 2084490682, 2500000, { 0x7f, 0xe0, 5 }, 3 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    TsTrackConfig config = { .codec = TS_CODEC_OPUS, .channels = 1 };
    TsAccessUnit au = { .data = (const uint8_t *)"\xe0opus",
      .size = 5,
      .dts = TS_TIME_NONE,
      .duration = rows[i].duration,
      .now = TS_TIME_NONE,
      .trim_start = rows[i].start,
      .trim_end = rows[i].end };
    Rig rig;

    rig_init (&rig, &config);
    rig_push_unit (&rig, &au);
    rig_assert_fine (&rig);
    fail_unless (memcmp (rig_get (&rig, 0)->data->data, rows[i].header,
                     rows[i].size) == 0,
        "row %u", i);
    rig_clear (&rig);
  }
}
GST_END_TEST;

/* --- MPEG audio */

GST_START_TEST (test_a_frame_that_describes_an_mp3_takes_no_time)
{
  static const struct
  {
    uint8_t header[4];
    guint offset;
    const char *tag;
  } rows[] = {
    { { 0xff, 0xfb, 0x90, 0x00 }, 36, "Xing" },
    { { 0xff, 0xfb, 0x90, 0xc0 }, 21, "Info" },
    { { 0xff, 0xf3, 0x90, 0x00 }, 21, "Xing" },
    { { 0xff, 0xf3, 0x90, 0xc0 }, 13, "Info" },
    { { 0xff, 0xfb, 0x90, 0x00 }, 36, "VBRI" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    uint8_t info[200] = { 0 }, frame[200] = { 0 };
    Rig rig;

    memcpy (info, rows[i].header, 4);
    memcpy (frame, rows[i].header, 4);
    memcpy (info + rows[i].offset, rows[i].tag, 4);
    rig_init_codec (&rig, TS_CODEC_MPEG1_AUDIO);
    rig_push (&rig, info, sizeof (info), 0);
    for (guint j = 0; j < 3; j++)
      rig_push (&rig, frame, sizeof (frame), j * 26 * MS);
    rig_assert_fine (&rig);
    fail_unless_equals_int64 (rig_get (&rig, 0)->pts, START);
    fail_unless_equals_int64 (rig_get (&rig, 1)->pts, START + 1);
    fail_unless_equals_int64 (rig_get (&rig, 2)->pts, START + 1 + 26 * 90);
    rig_clear (&rig);
  }
}
GST_END_TEST;

/* AAC whose first frame is the priming of the decoder, say. */
GST_START_TEST (test_a_frame_that_lasts_no_time_is_no_fault)
{
  static const uint8_t frame[] = { 0xff, 0xf1, 0x4c, 0x80, 0x01, 0x1f, 0xfc,
    0x21 };
  TsAccessUnit au = { .data = frame,
    .size = sizeof (frame),
    .dts = TS_TIME_NONE,
    .now = TS_TIME_NONE };
  Rig rig;

  rig_init_codec (&rig, TS_CODEC_AAC_ADTS);
  for (guint i = 0; i < 6; i++) {
    au.duration = i % 3 == 0 ? 0 : 20 * MS;
    au.pts = i / 3 * 100 * MS + (i % 3 == 2 ? 20 * MS : 0);
    rig_push_unit (&rig, &au);
  }
  rig_assert_fine (&rig);
  for (guint i = 0; i < 6; i++)
    fail_unless_equals_int64 (rig_get (&rig, i)->pts,
        START + i / 3 * 9000 + (i % 3 == 0 ? 0 : 1) + (i % 3 == 2 ? 1800 : 0));
  rig_clear (&rig);
}
GST_END_TEST;

/* --- AC-3, E-AC-3, DTS */

/* @type: strmtype, @id: substreamid; six blocks at 48 kHz: 32 ms */
static void
make_eac3 (uint8_t *frame, size_t size, unsigned type, unsigned id)
{
  memset (frame, 0x55, size);
  frame[0] = 0x0b;
  frame[1] = 0x77;
  frame[2] = (uint8_t)(type << 6 | id << 3 | (size / 2 - 1) >> 8);
  frame[3] = (uint8_t)(size / 2 - 1);
  frame[4] = 0x34;
  frame[5] = 16 << 3;
}

static void
make_ac3 (uint8_t *frame, size_t size)
{
  memset (frame, 0x55, size);
  frame[0] = 0x0b;
  frame[1] = 0x77;
  frame[4] = 0x14;
  frame[5] = 8 << 3;
}

/* Output of a parser without support of dependent frames: each lasts 32 ms,
 * and time doubles, if @counted; else the container brings it back. */
static void
check_dependent (TsCodec codec, unsigned type, unsigned id, bool counted)
{
  int64_t step = counted ? 64 * MS : 32 * MS;
  uint8_t frame_0[768], frame_1[384];
  guint n = 0;
  Rig rig;

  if (codec == TS_CODEC_AC3)
    make_ac3 (frame_0, sizeof (frame_0));
  else
    make_eac3 (frame_0, sizeof (frame_0), 0, 0);
  make_eac3 (frame_1, sizeof (frame_1), type, id);
  rig_init_codec (&rig, codec);
  for (guint i = 0; i < 40; i++) {
    rig_push (&rig, frame_0, sizeof (frame_0), i * step);
    rig_push (&rig, frame_1, sizeof (frame_1), i * step + 32 * MS);
  }
  fail_unless_equals_uint64 (rig_get_stats (&rig).access_units, 40);
  rig_assert_fine (&rig);
  for (guint i = 0; i < 40; i++) {
    const Pes *pes = rig_get (&rig, n++);

    assert_bytes (pes, frame_0, sizeof (frame_0));
    fail_unless_equals_int64 (pes->pts, START + i * 2880);
    pes = rig_get (&rig, n++);
    assert_bytes (pes, frame_1, sizeof (frame_1));
    fail_unless_equals_int64 (pes->pts, TS_CHECK_NONE);
  }
  rig_clear (&rig);
}

GST_START_TEST (test_a_dependent_frame_belongs_to_the_one_before)
{
  for (guint counted = 0; counted < 2; counted++) {
    check_dependent (TS_CODEC_EAC3, 1, 0, counted);
    check_dependent (TS_CODEC_EAC3, 1, 3, counted);
    check_dependent (TS_CODEC_EAC3, 0, 1, counted); /* another program */
    check_dependent (TS_CODEC_AC3, 1, 0, counted);  /* as on Blu-ray discs */
  }
}
GST_END_TEST;

GST_START_TEST (test_a_dependent_frame_is_held_with_the_one_before)
{
  TsTrackConfig config = { .codec = TS_CODEC_EAC3 };
  uint8_t frame_0[384], frame_1[384];
  gsize size = 0;
  Rig rig;

  make_eac3 (frame_0, sizeof (frame_0), 0, 0);
  make_eac3 (frame_1, sizeof (frame_1), 1, 0);
  rig_init_full (&rig, &config, 200 * MS);
  for (guint i = 0; i < 60; i++) {
    rig_push (&rig, frame_0, sizeof (frame_0), i * 32 * MS);
    rig_push (&rig, frame_1, sizeof (frame_1), i * 32 * MS + 32 * MS);
  }
  rig_assert_fine (&rig);
  for (guint i = 0; i < rig.pes->len; i++)
    size += rig_get (&rig, i)->data->len;
  fail_unless_equals_uint64 (size, 60 * (sizeof (frame_0) + sizeof (frame_1)));
  fail_unless (rig.pes->len < 40, "%u PES packets", rig.pes->len);
  rig_clear (&rig);
}
GST_END_TEST;

/* A real pause in a stream whose time was doubled. */
/* No access unit begins in its PES packet, so it has no PTS, whenever it comes
 * (13818-1 2.4.3.7). */
GST_START_TEST (test_a_dependent_frame_that_comes_late_has_no_pts)
{
  TsCheckOptions options = TS_CHECK_STRICT;
  uint8_t frame_0[768], frame_1[384];
  Rig rig;

  make_eac3 (frame_0, sizeof (frame_0), 0, 0);
  make_eac3 (frame_1, sizeof (frame_1), 1, 0);
  rig_init_codec (&rig, TS_CODEC_EAC3);
  ts_check_free (rig.check);
  rig.check = ts_check_new (&options, on_pes, NULL, &rig);
  rig_push (&rig, frame_0, sizeof (frame_0), 0);
  for (guint i = 1; i < 100; i++)
    rig_finish (
        &rig, ts_mux_begin_idle (rig.mux, NULL, i * 20 * MS, TS_TIME_NONE));
  rig_push (&rig, frame_1, sizeof (frame_1), 32 * MS);
  rig_push (&rig, frame_0, sizeof (frame_0), 2000 * MS);
  rig_assert_fine (&rig);
  fail_unless_equals_int64 (rig_get (&rig, 1)->pts, TS_CHECK_NONE);
  fail_unless_equals_int64 (rig_get (&rig, 2)->pts, START + 180000);
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_a_pause_is_kept_after_dependent_frames)
{
  uint8_t frame_0[384], frame_1[384];
  Rig rig;

  make_eac3 (frame_0, sizeof (frame_0), 0, 0);
  make_eac3 (frame_1, sizeof (frame_1), 1, 0);
  rig_init_codec (&rig, TS_CODEC_EAC3);
  for (guint i = 0; i < 20; i++) {
    int64_t time = i * 32 * MS + (i < 10 ? 0 : 5 * TS_NS_PER_S);

    rig_push (&rig, frame_0, sizeof (frame_0), time);
    rig_push (&rig, frame_1, sizeof (frame_1), time + 32 * MS);
  }
  rig_assert_fine (&rig);
  for (guint i = 0; i < 20; i++)
    fail_unless_equals_int64 (rig_get (&rig, 2 * i)->pts,
        START + i * 2880 + (i < 10 ? 0 : 5 * 90000));
  rig_clear (&rig);
}
GST_END_TEST;

GST_START_TEST (test_eac3_frames_of_fewer_blocks_keep_their_own_time)
{
  static const guint ticks[] = { 480, 960, 1440, 2880 };

  for (guint code = 0; code < G_N_ELEMENTS (ticks); code++) {
    uint8_t frame[200];
    Rig rig;

    make_eac3 (frame, sizeof (frame), 0, 0);
    frame[4] = (uint8_t)(code << 4 | 4);
    rig_init_codec (&rig, TS_CODEC_EAC3);
    for (guint i = 0; i < 20; i++)
      rig_push (
          &rig, frame, sizeof (frame), (int64_t)i * ticks[code] * 100000 / 9);
    rig_assert_fine (&rig);
    for (guint i = 0; i < 20; i++)
      fail_unless_equals_int64 (
          rig_get (&rig, i)->pts, START + i * ticks[code]);
    rig_clear (&rig);
  }
}
GST_END_TEST;

GST_START_TEST (test_dts_is_registered_by_the_length_of_its_frames)
{
  static const struct
  {
    uint8_t blocks; /* NBLKS */
    char digit;
  } rows[] = { { 15, '1' }, { 31, '2' }, { 63, '3' } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    uint8_t registration[] = { 0x06, 0xe2, 0x00, 0xf0, 0x06, 0x05, 4, 'D', 'T',
      'S', (uint8_t)rows[i].digit };
    uint8_t frame[100] = { 0x7f, 0xfe, 0x80, 0x01, 0xfc, 0, 0, 0xe0, 0x34 };
    static const uint8_t extension[40] = { 0x64, 0x58, 0x20, 0x25 };
    Rig rig;

    frame[4] |= rows[i].blocks >> 6;
    frame[5] = (uint8_t)(rows[i].blocks << 2);
    rig_init_codec (&rig, TS_CODEC_DTS);
    for (guint j = 0; j < 3; j++) {
      rig_push (&rig, frame, sizeof (frame), j * 10 * MS);
      rig_push (&rig, extension, sizeof (extension), j * 10 * MS + 5 * MS);
    }
    rig_push (&rig, "\xfe\x7f\x01\x80little", 10, 40 * MS);
    fail_unless_equals_uint64 (rig_get_stats (&rig).damaged, 1);
    fail_unless_equals_uint64 (rig_get_stats (&rig).access_units, 3);
    rig_finish (&rig, ts_mux_begin_flush (rig.mux));
    fail_unless (ts_check_finish (rig.check) == 0);
    assert_in_pmt (&rig, registration, sizeof (registration));
    fail_unless (
        ts_check_get_stream (rig.check, 0)->kind == TS_CHECK_KIND_AUDIO);
    fail_unless_equals_int (ts_check_get_stats (rig.check)->pmt_version, 0);
    rig_clear (&rig);
  }
}
GST_END_TEST;

/* DTS Express, or a stream whose core ends: frames of extension substreams
 * alone are frames, with times of their own. */
GST_START_TEST (test_dts_extensions_without_a_core_are_frames)
{
  static const uint8_t extension[2][40] = { { 0x64, 0x58, 0x20, 0x25, 0, 0 },
    { 0x64, 0x58, 0x20, 0x25, 0, 0x40 } };
  /* FSIZE: 100 bytes, an extension substream behind them */
  uint8_t frame[140] = { 0x7f, 0xfe, 0x80, 0x01, 0xfc, 0x3c, 0x06, 0x30, 0x34 };
  /* c: core, with: C, e: extension 0, f: extension 1 */
  static const struct
  {
    const char *frames;
    guint expected;
  } rows[] = { { "cecece", 3 }, { "cefcef", 2 }, { "CCC", 3 }, { "CfCf", 2 },
    { "CCeee", 5 }, { "ceeee", 4 }, { "cefefef", 3 }, { "eeee", 4 },
    { "Ceece", 4 } };

  memcpy (frame + 100, extension[0], sizeof (extension[0]));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Rig rig;

    rig_init_codec (&rig, TS_CODEC_DTS);
    for (guint j = 0; rows[i].frames[j]; j++) {
      int64_t pts = j * 10 * MS;

      switch (rows[i].frames[j]) {
        case 'c':
          rig_push (&rig, frame, 100, pts);
          break;
        case 'C':
          rig_push (&rig, frame, sizeof (frame), pts);
          break;
        case 'e':
          rig_push (&rig, extension[0], sizeof (extension[0]), pts);
          break;
        default:
          rig_push (&rig, extension[1], sizeof (extension[1]), pts);
          break;
      }
    }
    fail_unless (rig_get_stats (&rig).access_units == rows[i].expected,
        "%s: %d", rows[i].frames, (int)rig_get_stats (&rig).access_units);
    fail_unless_equals_uint64 (rig_get_stats (&rig).damaged, 0);
    rig_clear (&rig);
  }
}
GST_END_TEST;

/* --- DVB subtitles and teletext */

GST_START_TEST (test_dvb_subtitles_are_described_by_their_page)
{
  /* page composition segment of page 0x0203, and an end of display set */
  static const uint8_t segments[] = { 0x0f, 0x10, 0x02, 0x03, 0x00, 0x02, 0x1e,
    0x10, 0x0f, 0x80, 0x02, 0x03, 0x00, 0x00 };
  static const uint8_t descriptor[] = { 0x06, 0xe2, 0x00, 0xf0, 0x0a, 0x59, 8,
    'd', 'e', 'u', 0x10, 0x02, 0x03, 0x02, 0x03 };
  uint8_t field[sizeof (segments) + 3] = { 0x20, 0x00 };
  TsTrackConfig config = { .codec = TS_CODEC_DVB_SUBTITLE, .language = "deu" };
  Rig rig;

  memcpy (field + 2, segments, sizeof (segments));
  field[sizeof (field) - 1] = 0xff;
  rig_init (&rig, &config);
  rig_push (&rig, segments, sizeof (segments), 0); /* as in Matroska */
  rig_push (&rig, field, sizeof (field), TS_NS_PER_S);
  rig_push (&rig, field, sizeof (field) - 1, 2 * TS_NS_PER_S);
  rig_assert_fine (&rig);
  for (guint i = 0; i < 3; i++)
    assert_bytes (rig_get (&rig, i), field, sizeof (field));
  assert_in_pmt (&rig, descriptor, sizeof (descriptor));
  fail_unless_equals_int (ts_check_get_stats (rig.check)->pmt_version, 0);
  rig_push (&rig, "no segment", 10, 3 * TS_NS_PER_S);
  fail_unless_equals_uint64 (rig_get_stats (&rig).damaged, 1);
  rig_clear (&rig);
}
GST_END_TEST;

/* EN 300 472 4.2: whole transport packets, 45 bytes of PES header, and data
 * units of 46 bytes. */
GST_START_TEST (test_teletext_fills_whole_packets)
{
  /* Hamming 8/4: magazine 0 (8) row 0, page 88, subcode 0, C6, as on the line
   */
  static const uint8_t header[] = { 0xe8, 0xe4, 0xa8, 0xa8, 0x0b, 0x0b, 0xa8,
    0xa8, 0xa8, 0x0b };
  static const uint8_t descriptor[] = { 0x06, 0xe2, 0x00, 0xf0, 0x07, 0x56, 5,
    'u', 'n', 'd', 2 << 3 | 0, 0x88 };

  for (guint units = 1; units < 9; units++) {
    TsTrackConfig config = { .codec = TS_CODEC_TELETEXT };
    guint size = 1 + units * 46, total = (units + 4) / 4 * 184 - 45;
    GByteArray *data = g_byte_array_new ();
    const Pes *pes;
    Rig rig;

    g_byte_array_set_size (data, size);
    memset (data->data, 0xa8, size);
    data->data[0] = 0x10;
    for (guint i = 0; i < units; i++) {
      data->data[1 + i * 46] = 0x02;
      data->data[2 + i * 46] = 0x2c;
    }
    memcpy (data->data + 3, header, sizeof (header));
    rig_init (&rig, &config);
    rig_push (&rig, data->data, size, 0);
    rig_push (&rig, data->data + 1, size - 1, 40 * MS); /* no identifier */
    rig_assert_fine (&rig);
    for (guint i = 0; i < 2; i++) {
      pes = rig_get (&rig, i);
      fail_unless_equals_uint64 (pes->data->len, total);
      fail_unless (memcmp (pes->data->data, data->data, size) == 0);
      for (guint at = size; at < total; at += 46)
        fail_unless (pes->data->data[at] == 0xff &&
            pes->data->data[at + 1] == 0x2c && pes->data->data[at + 2] == 0xff);
    }
    assert_in_pmt (&rig, descriptor, sizeof (descriptor));
    /* no adaptation field, and a header of 0x24 bytes */
    assert_in_pmt (&rig, "\x84\x80\x24", 3);
    g_byte_array_unref (data);
    rig_clear (&rig);
  }
}
GST_END_TEST;

/* --- Caps */

GST_START_TEST (test_caps_become_a_configuration)
{
  static const struct
  {
    const gchar *caps;
    TsCodec codec;
  } rows[] = {
    { "audio/x-dts, framed=true", TS_CODEC_DTS },
    { "audio/x-dts, depth=16, endianness=4321", TS_CODEC_DTS },
    { "subpicture/x-dvb", TS_CODEC_DVB_SUBTITLE },
    { "application/x-teletext", TS_CODEC_TELETEXT },
    { "audio/x-opus, channels=8, channel-mapping-family=1, stream-count=5, "
      "coupled-count=3, channel-mapping=(int)<0,6,1,4,5,2,3,7>",
        TS_CODEC_OPUS },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstCaps *caps = gst_caps_from_string (rows[i].caps);
    RecCapsData data;
    TsTrackConfig config;
    gchar *reason = NULL;

    fail_unless (rec_caps_parse (caps, &config, &data, &reason), "%s", reason);
    fail_unless_equals_int (config.codec, rows[i].codec);
    gst_caps_unref (caps);
  }
}
GST_END_TEST;

GST_START_TEST (test_caps_that_are_refused_say_why)
{
  static const struct
  {
    const gchar *caps, *word;
  } rows[] = {
    { "video/mpeg, mpegversion=4, systemstream=false", "MPEG-4 part 2" },
    { "video/x-divx, divxversion=5", "DivX" },
    { "video/x-av1", "AV1" },
    { "image/x-jpc", "JPEG 2000" },
    { "image/jpeg", "Motion JPEG" },
    { "video/x-theora", "Theora" },
    { "audio/x-smpte-302m", "SMPTE 302M" },
    { "audio/x-dts, depth=14, endianness=1234", "14 bits, least" },
    { "audio/x-opus, channels=6", "channel-mapping" },
    { "audio/x-true-hd", "TrueHD" },
    { "application/x-scte-35", "SCTE-35" },
    { "text/x-raw, format=utf8", "text" },
    { "video/mpeg, mpegversion=2, systemstream=true", "mpegpsdemux" },
    { "video/mpeg, mpegversion=2, systemstream=false, parsed=false",
        "mpegvideoparse" },
    { "audio/x-ac3, framed=false, rate=48000", "ac3parse" },
    { "video/mpegts, systemstream=true, packetsize=188", "tsdemux" },
    { "video/quicktime, variant=iso", "qtdemux" },
    { "video/x-never-heard-of", "video/x-never-heard-of" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstCaps *caps = gst_caps_from_string (rows[i].caps);
    RecCapsData data;
    TsTrackConfig config;
    gchar *reason = NULL;

    fail_if (
        rec_caps_parse (caps, &config, &data, &reason), "%s", rows[i].caps);
    fail_unless (reason && strstr (reason, rows[i].word), "%s: %s",
        rows[i].caps, reason);
    g_free (reason);
    gst_caps_unref (caps);
  }
}
GST_END_TEST;

/* A link that is refused names the element that is missing. */
GST_START_TEST (test_links_that_are_refused_name_what_is_missing)
{
  static const struct
  {
    const gchar *caps, *pad, *word;
  } rows[] = {
    { "video/x-h264, stream-format=byte-stream, alignment=nal", "video_%u",
        "h264parse" },
    { "video/x-h265, alignment=nal", "video_%u", "h265parse" },
    { "video/mpeg, mpegversion=2, systemstream=false, parsed=false", "video_%u",
        "mpegvideoparse" },
    { "video/mpeg, mpegversion=2, systemstream=true", "video_%u",
        "mpegpsdemux" },
    { "audio/x-dts, framed=false", "audio_%u", "dcaparse" },
    { "audio/x-private1-dts", "audio_%u", "dcaparse" },
    { "audio/x-ac3, framed=false", "audio_%u", "ac3parse" },
    { "audio/x-private1-ac3", "audio_%u", "ac3parse" },
    { "audio/mpeg, mpegversion=4, stream-format=latm", "audio_%u", "aacparse" },
    { "video/mpegts, systemstream=true", "video_%u", "tsdemux" },
    { "video/x-matroska", "video_%u", "matroskademux" },
    { "application/ogg", "audio_%u", "oggdemux" },
    { "audio/x-opus", "video_%u", "pad audio_%u" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstCaps *caps = gst_caps_from_string (rows[i].caps);
    gchar *reason = rec_caps_get_link_problem (caps, rows[i].pad);

    fail_unless (reason && strstr (reason, rows[i].word), "%s: %s",
        rows[i].caps, reason);
    g_free (reason);
    gst_caps_unref (caps);
  }
}
GST_END_TEST;

static Suite *
tscodec_suite (void)
{
  Suite *s = suite_create ("tscodec");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (
      tc, test_raw_aac_without_a_channel_configuration_names_its_channels);
  tcase_add_test (tc, test_a_frame_that_names_its_channels_gets_nothing_more);
  tcase_add_test (
      tc, test_aac_configurations_that_adts_has_no_field_for_say_so);
  tcase_add_test (
      tc, test_latm_without_a_channel_configuration_names_its_channels);
  tcase_add_test (tc, test_opus_mappings_of_every_kind_are_described);
  tcase_add_test (tc, test_opus_mappings_that_are_not_valid_say_so);
  tcase_add_test (tc, test_opus_streams_change_places);
  tcase_add_test (tc, test_opus_frames_inside_the_pre_skip_take_no_time);
  tcase_add_test (
      tc, test_opus_frames_without_a_timestamp_follow_the_one_before);
  tcase_add_test (tc, test_opus_clipping_longer_than_a_frame_is_bounded);
  tcase_add_test (tc, test_a_frame_that_describes_an_mp3_takes_no_time);
  tcase_add_test (tc, test_a_frame_that_lasts_no_time_is_no_fault);
  tcase_add_test (tc, test_a_dependent_frame_belongs_to_the_one_before);
  tcase_add_test (tc, test_a_dependent_frame_is_held_with_the_one_before);
  tcase_add_test (tc, test_a_dependent_frame_that_comes_late_has_no_pts);
  tcase_add_test (tc, test_a_pause_is_kept_after_dependent_frames);
  tcase_add_test (tc, test_eac3_frames_of_fewer_blocks_keep_their_own_time);
  tcase_add_test (tc, test_dts_is_registered_by_the_length_of_its_frames);
  tcase_add_test (tc, test_dts_extensions_without_a_core_are_frames);
  tcase_add_test (tc, test_dvb_subtitles_are_described_by_their_page);
  tcase_add_test (tc, test_teletext_fills_whole_packets);
  tcase_add_test (tc, test_caps_become_a_configuration);
  tcase_add_test (tc, test_caps_that_are_refused_say_why);
  tcase_add_test (tc, test_links_that_are_refused_name_what_is_missing);
  return s;
}

GST_CHECK_MAIN (tscodec);
