/* gst-tsrec: arbitrary bytes as H.264, H.265 and H.266 access units
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * First the scanner alone, then the whole way through a mux: what comes out
 * has to be a valid stream in which the access unit is found again. And as a
 * decoder configuration record with access units that have lengths.
 */

#include "fuzz.h"
#include "recnalformat.h"
#include "recnalunit.h"
#include "tscheck.h"
#include "tsmux.h"

static const RecNalSyntax syntaxes[] = { REC_NAL_H264, REC_NAL_H265,
  REC_NAL_H266 };

static void
scan (RecNalSyntax syntax, const uint8_t *data, size_t size)
{
  RecNalScanner scanner;
  RecNalUnit nal;
  size_t last = 0;

  rec_nal_scanner_init (&scanner, syntax, data, size);
  while (rec_nal_scanner_next (&scanner, &nal)) {
    FUZZ_ASSERT (nal.data >= data && nal.data + nal.size <= data + size,
        "a NAL unit outside of its access unit");
    FUZZ_ASSERT (nal.offset >= last && data + nal.offset <= nal.data,
        "NAL units out of order");
    last = nal.offset + 1;
    if (nal.kind == REC_NAL_SPS || nal.kind == REC_NAL_PPS ||
        nal.kind == REC_NAL_VPS)
      rec_nal_get_parameter_set_id (syntax, &nal);
    rec_nal_is_random_access (syntax, &nal);
    rec_nal_is_gradual_recovery (syntax, &nal);
  }
  FUZZ_ASSERT (rec_nal_find_start_code (data, size, 0) <= size, "past the end");
}

typedef struct
{
  const uint8_t *data;
  size_t size;
  unsigned found;
} Expected;

/* Is all of @expected in @pes, in order, with whole pieces added at most? */
static void
on_pes (void *user_data, const TsCheckPes *pes)
{
  Expected *expected = user_data;
  size_t added;

  FUZZ_ASSERT (pes->size >= expected->size, "%zu of %zu bytes", pes->size,
      expected->size);
  added = pes->size - expected->size;
  /* The tail behind what may be added is as it was. */
  for (size_t head = 0; head <= expected->size; head++) {
    if (memcmp (pes->data + head + added, expected->data + head,
            expected->size - head) == 0)
      break;
    FUZZ_ASSERT (
        pes->data[head] == expected->data[head], "byte %zu was changed", head);
  }
  expected->found++;
}

static void
mux (TsCodec codec, const uint8_t *data, size_t size)
{
  TsTrackConfig track_config = { .codec = codec };
  TsCheckOptions options = TS_CHECK_STRICT;
  TsMuxConfig config;
  Expected expected = { data, size, 0 };
  TsMux *mux;
  TsTrack *track;
  TsCheck *check;
  unsigned written = 0;

  options.ignored_rules = TS_CHECK_IGNORE (TS_CHECK_RAP_INDICATOR) |
      TS_CHECK_IGNORE (TS_CHECK_AU_PARAMETERS) |
      TS_CHECK_IGNORE (TS_CHECK_AU_DELIMITER);
  ts_mux_config_init (&config);
  mux = ts_mux_new (&config);
  check = ts_check_new (&options, on_pes, NULL, &expected);
  track = mux ? ts_mux_add_track (mux, 0x100, &track_config, NULL) : NULL;
  /* Twice: parameter sets of the first are known to the second. */
  for (int i = 0; track && i < 2; i++) {
    TsAccessUnit au = { .data = data,
      .size = size,
      .pts = i * 33333333,
      .dts = TS_TIME_NONE,
      .duration = TS_TIME_NONE,
      .now = TS_TIME_NONE };
    size_t need = ts_mux_begin (mux, track, &au);
    uint8_t *out = malloc (need ? need : 1);
    TsOutput output;

    if (!out)
      abort ();
    if (need && ts_mux_finish (mux, out, need, &output) && output.size) {
      ts_check_push (check, out, output.size);
      written++;
    }
    free (out);
  }
  if (written)
    FUZZ_ASSERT (
        ts_check_finish (check) == 0, "\n%s", ts_check_get_report (check));
  FUZZ_ASSERT (expected.found == written, "%u of %u", expected.found, written);
  ts_check_free (check);
  ts_mux_free (mux);
}

/* The first half as a decoder configuration record, the rest as access units
 * with lengths in front of their NAL units. Copies end where they say. */
static void
convert (RecNalSyntax syntax, const uint8_t *data, size_t size)
{
  size_t half = size / 2, out_size;
  uint8_t *record = malloc (half + 1), *au = malloc (size - half + 1);
  const uint8_t *out;
  const char *reason;
  RecNalFormat format;

  if (!record || !au)
    abort ();
  memcpy (record, data, half);
  memcpy (au, data + half, size - half);
  if (rec_nal_format_init (&format, syntax, record, half, &reason)) {
    for (int i = 0; i < 2; i++) {
      if (rec_nal_format_convert (&format, au, size - half, &out, &out_size))
        FUZZ_ASSERT (out_size >= 5 && memcmp (out, "\0\0\0\1", 4) == 0,
            "%zu bytes without a start code", out_size);
    }
  }
  rec_nal_format_clear (&format);
  free (record);
  free (au);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const TsCodec codecs[] = { TS_CODEC_H264, TS_CODEC_H265,
    TS_CODEC_H266 };
  unsigned which;

  if (size == 0)
    return 0;
  which = data[0] % 3;
  scan (syntaxes[which], data + 1, size - 1);
  if (data[0] & 0x80)
    mux (codecs[which], data + 1, size - 1);
  convert (syntaxes[which], data + 1, size - 1);
  return 0;
}
