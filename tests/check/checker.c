/* gst-tsrec: the transport stream checker sees every kind of damage
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A small stream is laid out here by hand, packet by packet; it is good as it
 * stands, and each test damages it in one way. The file is long because the
 * layout stays beside the two tables of damages that refer to its fields.
 */

#include "tscheckpriv.h"

#include <gst/check/gstcheck.h>

#define PMT_PID 0x1000
#define VIDEO_PID 0x100
#define AUDIO_PID 0x101
#define FRAMES 60
#define PREROLL 18000 /* 90 kHz */

/* What is to be wrong while the stream is laid out; all 0 is a good one. */
typedef struct
{
  gboolean no_delimiter, no_parameters, no_rai, rai_on_p_frame;
  gboolean no_sdt, no_tables_at_rap, audio_unbounded, wrong_stream_id;
  gboolean no_pcr_for_long, no_pts_for_long, no_pcr, pcr_on_audio;
  gboolean pts_before_dts, dts_equal, dts_back, pcr_back, pcr_late, dts_far;
  gboolean version_without_change, change_without_version, no_tables_for_long;
  gboolean discontinuity_at_pcr_back, two_programs, pcr_jumps;
  gint64 start; /* 90 kHz */
} Plan;

typedef struct
{
  GByteArray *bytes;
  guint8 counter[8192];
  const Plan *plan;
  guint frame;
} Layout;

/* GStreamer's own macros would write to addresses that are not aligned. */
static void
put_u16 (guint8 *at, guint value)
{
  at[0] = (guint8)(value >> 8);
  at[1] = (guint8)value;
}

static void
put_u32 (guint8 *at, guint32 value)
{
  put_u16 (at, value >> 16);
  put_u16 (at + 2, value & 0xffff);
}

static guint32
crc_of (const guint8 *data, guint size)
{
  guint32 crc = 0xffffffff;

  for (guint i = 0; i < size; i++) {
    crc ^= (guint32)data[i] << 24;
    for (guint bit = 0; bit < 8; bit++)
      crc = crc & 0x80000000 ? crc << 1 ^ 0x04c11db7 : crc << 1;
  }
  return crc;
}

static void
put_pcr (guint8 *at, gint64 pcr)
{
  guint64 base = (guint64)(pcr / 300) & 0x1ffffffff;
  guint ext = pcr % 300;

  put_u32 (at, (guint32)(base >> 1));
  at[4] = (guint8)((base & 1) << 7 | 0x7e | ext >> 8);
  at[5] = (guint8)ext;
}

/* Cuts @data into packets of @pid. @pcr < 0: none. */
static void
put_unit (Layout *l, guint pid, const guint8 *data, guint size, gint64 pcr,
    guint8 flags)
{
  gboolean first = TRUE;

  while (size) {
    guint8 p[188];
    guint adaptation = first && pcr >= 0 ? 8 : first && flags ? 2 : 0;
    guint room = 184 - adaptation, n = MIN (size, room);

    memset (p, 0xff, sizeof p);
    if (n < room)
      adaptation = 184 - n;
    p[0] = 0x47;
    p[1] = (guint8)((first ? 0x40 : 0) | pid >> 8);
    p[2] = (guint8)pid;
    p[3] = (guint8)((adaptation ? 0x30 : 0x10) | (l->counter[pid]++ & 15));
    if (adaptation)
      p[4] = (guint8)(adaptation - 1);
    if (adaptation > 1)
      p[5] = first ? (guint8)(flags | (pcr >= 0 ? 0x10 : 0)) : 0;
    if (first && pcr >= 0)
      put_pcr (p + 6, pcr);
    memcpy (p + 188 - n, data, n);
    g_byte_array_append (l->bytes, p, 188);
    data += n;
    size -= n;
    first = FALSE;
  }
}

static void
put_section (Layout *l, guint pid, const guint8 *section, guint size)
{
  guint8 p[188];

  memset (p, 0xff, sizeof p);
  p[0] = 0x47;
  p[1] = (guint8)(0x40 | pid >> 8);
  p[2] = (guint8)pid;
  p[3] = (guint8)(0x10 | (l->counter[pid]++ & 15));
  p[4] = 0;
  memcpy (p + 5, section, size);
  put_u32 (p + 5 + size, crc_of (section, size));
  g_byte_array_append (l->bytes, p, 188);
}

static void
put_tables (Layout *l)
{
  const Plan *plan = l->plan;
  guint8 pat[] = { 0, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xf0, 0, 0, 2, 0xf0,
    1 };
  guint8 pmt[] = { 2, 0xb0, 29, 0, 1, 0xc1, 0, 0, 0xe1, 0, 0xf0, 0, 0x1b, 0xe1,
    0, 0xf0, 0, 0x0f, 0xe1, 1, 0xf0, 6, 10, 4, 'e', 'n', 'g', 0 };
  guint8 sdt[] = { 0x42, 0xf0, 28, 0, 1, 0xc1, 0, 0, 0xff, 1, 0xff, 0, 1, 0xfc,
    0x80, 11, 0x48, 9, 1, 3, 'r', 'e', 'c', 3, 'o', 'n', 'e' };
  guint pat_size = plan->two_programs ? 16 : 12;

  if (!plan->two_programs)
    pat[2] = 13;
  else
    pat[2] = 17;
  if (plan->version_without_change && l->frame >= 30)
    pmt[5] = 0xcb;
  if (plan->change_without_version && l->frame >= 30)
    pmt[24] = 'd';
  put_section (l, 0, pat, pat_size);
  pmt[2] = sizeof pmt + 4 - 3;
  put_section (l, PMT_PID, pmt, sizeof pmt);
  sdt[2] = sizeof sdt + 4 - 3;
  if (!plan->no_sdt)
    put_section (l, 0x11, sdt, sizeof sdt);
}

static guint
put_stamp (guint8 *at, guint prefix, gint64 stamp)
{
  guint64 v = (guint64)stamp & 0x1ffffffff;

  at[0] = (guint8)(prefix << 4 | (v >> 30) << 1 | 1);
  put_u16 (at + 1, ((v >> 15) & 0x7fff) << 1 | 1);
  put_u16 (at + 3, (v & 0x7fff) << 1 | 1);
  return 5;
}

/* Returns the size of the header. @dts < 0: none; @pts < 0: neither. */
static guint
put_pes_header (
    guint8 *at, guint stream_id, guint payload, gint64 pts, gint64 dts)
{
  guint n = 9;

  put_u32 (at, 0x100 | stream_id);
  at[6] = 0x84;
  at[7] = pts < 0 ? 0 : dts < 0 ? 0x80 : 0xc0;
  if (pts >= 0)
    n += put_stamp (at + n, dts < 0 ? 2 : 3, pts);
  if (dts >= 0)
    n += put_stamp (at + n, 1, dts);
  at[8] = (guint8)(n - 9);
  put_u16 (at + 4, payload ? n - 6 + payload : 0);
  return n;
}

static guint
put_picture (const Plan *plan, guint8 *at, gboolean key, guint frame)
{
  static const guint8 sets[] = { 0, 0, 0, 1, 0x67, 66, 0, 10, 0, 0, 0, 1, 0x68,
    0xce };
  static const guint8 aud[] = { 0, 0, 0, 1, 9, 0xf0 };
  guint n = 0;

  if (!plan->no_delimiter || frame != 40) {
    memcpy (at, aud, sizeof aud);
    n += sizeof aud;
  }
  if (key && !(plan->no_parameters && frame)) {
    memcpy (at + n, sets, sizeof sets);
    n += sizeof sets;
  }
  at[n + 0] = at[n + 1] = 0;
  at[n + 2] = 1;
  at[n + 3] = key ? 0x65 : 0x41;
  memset (at + n + 4, 0x55, 100 + frame * 13);
  return n + 104 + frame * 13;
}

static void
put_video (Layout *l, gint64 dts)
{
  const Plan *plan = l->plan;
  guint8 unit[2048], *payload = unit + 32;
  guint f = l->frame, size, header;
  gboolean key = f % 30 == 0;
  gint64 pts = dts + 6000, pcr = (dts - PREROLL) * 300;
  guint8 flags =
      (key && !(plan->no_rai && f)) || (plan->rai_on_p_frame && f == 40) ? 0x40
                                                                         : 0;

  if (plan->pts_before_dts && f == 40)
    pts = dts - 1;
  if (plan->dts_equal && f == 40)
    pts = dts;
  if (plan->dts_back && f == 40)
    dts -= 3000;
  if (plan->dts_far && f == 40)
    pts = dts = dts + 11 * 90000;
  /* PCR holds back before, so that it is the step alone */
  if (plan->pcr_jumps && f >= 30 && f < 34)
    pcr = (dts - PREROLL - (f - 30) * 3000) * 300 + f - 30;
  if (plan->pcr_late && f == 40)
    pcr = (dts + 1) * 300;
  if (plan->pcr_back && f == 40)
    pcr -= 100 * 27000;
  if (plan->discontinuity_at_pcr_back && f == 40)
    flags |= 0x80;
  if ((plan->no_pcr_for_long && (f == 40 || f == 41)) || plan->no_pcr)
    pcr = -1;
  if (plan->no_pts_for_long && f > 30)
    pts = dts = -1;
  size = put_picture (plan, payload, key, f);
  header = put_pes_header (
      unit, 0xe0, f % 2 ? 0 : size, pts, plan->dts_far && f == 40 ? -1 : dts);
  memmove (unit + header, payload, size);
  put_unit (l, VIDEO_PID, unit, header + size, pcr, flags);
}

static void
put_audio (Layout *l, gint64 pts)
{
  const Plan *plan = l->plan;
  guint8 unit[512];
  guint header, size = 150 + l->frame;

  header = put_pes_header (unit,
      plan->wrong_stream_id && l->frame == 40 ? 0xe0 : 0xc0,
      plan->audio_unbounded && l->frame == 40 ? 0 : size, pts, -1);
  memset (unit + header, 0xaa, size);
  put_unit (l, AUDIO_PID, unit, header + size,
      plan->pcr_on_audio && l->frame == 40 ? (pts - PREROLL) * 300 : -1, 0);
}

static GByteArray *
lay_out (const Plan *plan)
{
  Layout *l = g_new0 (Layout, 1);
  GByteArray *bytes = l->bytes = g_byte_array_new ();

  l->plan = plan;
  for (l->frame = 0; l->frame < FRAMES; l->frame++) {
    gint64 dts = plan->start + 2 * PREROLL + l->frame * 3000;

    if (l->frame % 10 == 0 && !(plan->no_tables_at_rap && l->frame == 30) &&
        !(plan->no_tables_for_long && l->frame % 30 != 0))
      put_tables (l);
    put_video (l, dts);
    put_audio (l, dts + 100);
  }
  g_free (l);
  return bytes;
}

static TsCheck *
judge (const GByteArray *bytes)
{
  TsCheck *check = ts_check_new (NULL, NULL, NULL, NULL);

  /* In cuts that are not packets. */
  for (guint at = 0; at < bytes->len; at += 1000)
    ts_check_push (check, bytes->data + at, MIN (1000, bytes->len - at));
  ts_check_finish (check);
  return check;
}

static void
assert_good (GByteArray *bytes)
{
  TsCheck *check = judge (bytes);

  fail_unless (ts_check_get_stats (check)->errors == 0, "%s",
      ts_check_get_report (check));
  ts_check_free (check);
  g_byte_array_unref (bytes);
}

/* @rule, and nothing but @rule and @also, is reported. Takes @bytes. */
static void
assert_found (GByteArray *bytes, TsCheckRule rule, guint64 also)
{
  TsCheck *check = judge (bytes);
  const TsCheckStats *stats = ts_check_get_stats (check);

  fail_unless (stats->rule_errors[rule] > 0, "\"%s\" was not found, but: %s",
      ts_check_rule_get_name (rule), ts_check_get_report (check));
  for (guint i = 0; i < TS_CHECK_N_RULES; i++)
    fail_unless (
        i == rule || (also & TS_CHECK_IGNORE (i)) || stats->rule_errors[i] == 0,
        "%s", ts_check_get_report (check));
  fail_unless (ts_check_get_report (check)[0] != '\0');
  if (TS_CHECK_WARNINGS & TS_CHECK_IGNORE (rule))
    fail_unless (stats->warnings >= stats->rule_errors[rule]);
  else
    fail_unless (stats->errors >= stats->rule_errors[rule]);
  ts_check_free (check);
  g_byte_array_unref (bytes);
}

/* The @n-th packet of @pid. */
static guint8 *
packet_of (GByteArray *bytes, guint pid, guint n)
{
  for (guint at = 0; at < bytes->len; at += 188) {
    guint8 *p = bytes->data + at;

    if ((guint)((p[1] & 0x1f) << 8 | p[2]) == pid && n-- == 0)
      return p;
  }
  fail ("no such packet");
  return NULL;
}

GST_START_TEST (test_good_stream_is_good)
{
  Plan plan = { 0 };
  GByteArray *bytes = lay_out (&plan);
  TsCheck *check = judge (bytes);
  const TsCheckStats *stats = ts_check_get_stats (check);
  const TsCheckStream *video = ts_check_get_stream (check, 0);
  const TsCheckStream *audio = ts_check_get_stream (check, 1);

  fail_unless (stats->errors == 0, "%s", ts_check_get_report (check));
  fail_unless_equals_int (stats->pcrs, FRAMES);
  fail_unless_equals_int64 (stats->max_pcr_gap, 900000);
  fail_unless_equals_int64 (
      stats->last_pcr - stats->first_pcr, (FRAMES - 1) * INT64_C (900000));
  fail_unless_equals_string (stats->service_name, "one");
  fail_unless_equals_string (stats->service_provider, "rec");
  fail_unless_equals_int (video->kind, TS_CHECK_KIND_VIDEO);
  fail_unless_equals_int (video->pes_packets, FRAMES);
  fail_unless_equals_int (video->random_access, 2);
  fail_unless_equals_int (audio->pes_packets, FRAMES);
  fail_unless_equals_string (audio->language, "eng");
  fail_unless (ts_check_get_stream (check, 2) == NULL);
  ts_check_free (check);
  g_byte_array_unref (bytes);
}

GST_END_TEST;

GST_START_TEST (test_time_that_wraps_is_good)
{
  Plan plan = { .start = (INT64_C (1) << 33) - 90000 };

  assert_good (lay_out (&plan));
}

GST_END_TEST;

GST_START_TEST (test_pcr_may_jump_with_discontinuity_indicator)
{
  Plan plan = { .pcr_back = TRUE, .discontinuity_at_pcr_back = TRUE };
  Plan silent = { .pcr_back = TRUE };
  GByteArray *bytes = lay_out (&plan);
  TsCheck *check = judge (bytes);

  fail_unless (
      ts_check_get_stats (check)->rule_errors[TS_CHECK_PCR_ORDER] == 0);
  fail_unless_equals_int (ts_check_get_stats (check)->discontinuities, 1);
  ts_check_free (check);
  g_byte_array_unref (bytes);
  assert_found (lay_out (&silent), TS_CHECK_PCR_ORDER,
      TS_CHECK_IGNORE (TS_CHECK_PCR_INTERVAL) |
          TS_CHECK_IGNORE (TS_CHECK_PCR_JUMP));
}

GST_END_TEST;

typedef struct
{
  const gchar *what;
  Plan plan;
  TsCheckRule rule;
  guint64 also;
} PlanRow;

static const PlanRow plan_rows[] = {
  { "no delimiter", { .no_delimiter = TRUE }, TS_CHECK_AU_DELIMITER, 0 },
  { "no SPS", { .no_parameters = TRUE }, TS_CHECK_AU_PARAMETERS, 0 },
  { "no indicator", { .no_rai = TRUE }, TS_CHECK_RAP_INDICATOR, 0 },
  { "indicator on P", { .rai_on_p_frame = TRUE }, TS_CHECK_RAP_INDICATOR,
      TS_CHECK_IGNORE (TS_CHECK_RAP_PSI) |
          TS_CHECK_IGNORE (TS_CHECK_AU_PARAMETERS) },
  { "no SDT", { .no_sdt = TRUE }, TS_CHECK_SDT_INTERVAL,
      TS_CHECK_IGNORE (TS_CHECK_RAP_PSI) },
  { "no tables at a RAP", { .no_tables_at_rap = TRUE }, TS_CHECK_RAP_PSI,
      TS_CHECK_IGNORE (TS_CHECK_PAT_INTERVAL) |
          TS_CHECK_IGNORE (TS_CHECK_PMT_INTERVAL) |
          TS_CHECK_IGNORE (TS_CHECK_SDT_INTERVAL) },
  { "tables too rare", { .no_tables_for_long = TRUE }, TS_CHECK_PAT_INTERVAL,
      TS_CHECK_IGNORE (TS_CHECK_PMT_INTERVAL) |
          TS_CHECK_IGNORE (TS_CHECK_SDT_INTERVAL) },
  { "PMT too rare", { .no_tables_for_long = TRUE }, TS_CHECK_PMT_INTERVAL,
      TS_CHECK_IGNORE (TS_CHECK_PAT_INTERVAL) |
          TS_CHECK_IGNORE (TS_CHECK_SDT_INTERVAL) },
  { "two programs", { .two_programs = TRUE }, TS_CHECK_PSI_CONTENT, ~0ull },
  { "unbounded audio", { .audio_unbounded = TRUE }, TS_CHECK_PES_LENGTH, 0 },
  { "stream_id", { .wrong_stream_id = TRUE }, TS_CHECK_PES_HEADER, 0 },
  { "PCR too rare", { .no_pcr_for_long = TRUE }, TS_CHECK_PCR_INTERVAL, 0 },
  { "no PCR", { .no_pcr = TRUE }, TS_CHECK_PCR_PID,
      TS_CHECK_IGNORE (TS_CHECK_RAP_PSI) },
  { "PCR elsewhere", { .pcr_on_audio = TRUE }, TS_CHECK_PCR_PID, 0 },
  { "PTS too rare", { .no_pts_for_long = TRUE }, TS_CHECK_PTS_INTERVAL, 0 },
  { "PTS before DTS", { .pts_before_dts = TRUE }, TS_CHECK_PTS_ORDER, 0 },
  { "DTS for nothing", { .dts_equal = TRUE }, TS_CHECK_PTS_ORDER, 0 },
  { "DTS back", { .dts_back = TRUE }, TS_CHECK_DTS_ORDER,
      TS_CHECK_IGNORE (TS_CHECK_PCR_INTERVAL) },
  { "DTS far ahead", { .dts_far = TRUE }, TS_CHECK_DELAY,
      TS_CHECK_IGNORE (TS_CHECK_PCR_INTERVAL) |
          TS_CHECK_IGNORE (TS_CHECK_DTS_ORDER) },
  { "PCR jumps", { .pcr_jumps = TRUE }, TS_CHECK_PCR_JUMP, 0 },
  { "PCR late", { .pcr_late = TRUE }, TS_CHECK_PCR_LATE, ~0ull },
  { "version", { .version_without_change = TRUE }, TS_CHECK_PSI_VERSION, 0 },
  { "no version", { .change_without_version = TRUE }, TS_CHECK_PSI_VERSION, 0 },
};

GST_START_TEST (test_badly_laid_out_stream_is_reported)
{
  const PlanRow *row = &plan_rows[__i__];

  GST_INFO ("%s", row->what);
  assert_found (lay_out (&row->plan), row->rule, row->also);
}

GST_END_TEST;

static void
damage_sync (GByteArray *bytes)
{
  packet_of (bytes, AUDIO_PID, 10)[0] = 0x48;
}

static void
damage_size (GByteArray *bytes)
{
  g_byte_array_set_size (bytes, bytes->len - 1);
}

static void
damage_transport_error (GByteArray *bytes)
{
  packet_of (bytes, AUDIO_PID, 10)[1] |= 0x80;
}

static void
damage_scrambled (GByteArray *bytes)
{
  packet_of (bytes, AUDIO_PID, 10)[3] |= 0x80;
}

static void
damage_continuity (GByteArray *bytes)
{
  guint8 *p = packet_of (bytes, 0x11, 1);

  p[3] = (guint8)((p[3] & 0xf0) | ((p[3] + 5) & 15));
}

static void
lose_packet (GByteArray *bytes)
{
  guint8 *p = packet_of (bytes, AUDIO_PID, 11);

  g_byte_array_remove_range (bytes, (guint)(p - bytes->data), 188);
}

static void
swap_packets (GByteArray *bytes)
{
  guint8 *one = packet_of (bytes, VIDEO_PID, 100), copy[188];

  memcpy (copy, one, 188);
  memcpy (one, one + 188, 188);
  memcpy (one + 188, copy, 188);
}

/* The same packet twice in a row is allowed; three times is not. */
static void
repeat_packet (GByteArray *bytes)
{
  guint8 *p = packet_of (bytes, AUDIO_PID, 4);
  guint at = (guint)(p - bytes->data), tail = bytes->len - at;

  g_byte_array_set_size (bytes, bytes->len + 188);
  p = bytes->data + at;
  memmove (p + 188, p, tail);
}

static void
repeat_packet_twice (GByteArray *bytes)
{
  repeat_packet (bytes);
  repeat_packet (bytes);
}

static void
repeat_changed (GByteArray *bytes)
{
  repeat_packet (bytes);
  packet_of (bytes, AUDIO_PID, 4)[187] ^= 1;
}

static void
damage_control (GByteArray *bytes)
{
  packet_of (bytes, AUDIO_PID, 80)[3] &= 0xcf;
}

static void
damage_adaptation_length (GByteArray *bytes)
{
  packet_of (bytes, VIDEO_PID, 0)[4] = 183;
}

static void
damage_stuffing (GByteArray *bytes)
{
  guint8 *p = packet_of (bytes, AUDIO_PID, 0);

  fail_unless (p[4] > 3);
  p[7] = 0;
}

static void
damage_pcr_extension (GByteArray *bytes)
{
  guint8 *p = packet_of (bytes, VIDEO_PID, 0);

  p[10] |= 1;
  p[11] = 0xff;
}

static void
damage_crc (GByteArray *bytes)
{
  packet_of (bytes, 0, 1)[15] ^= 1;
}

static void
damage_pointer (GByteArray *bytes)
{
  packet_of (bytes, PMT_PID, 1)[4] = 183;
}

static void
damage_section_length (GByteArray *bytes)
{
  packet_of (bytes, PMT_PID, 1)[6] |= 0x0f;
}

static void
damage_section_stuffing (GByteArray *bytes)
{
  packet_of (bytes, PMT_PID, 1)[187] = 0;
}

static void
damage_table_id (GByteArray *bytes)
{
  guint8 *p = packet_of (bytes, PMT_PID, 1);

  p[5] = 0x40;
  put_u32 (p + 5 + 28, crc_of (p + 5, 28));
}

static void
damage_es_info_length (GByteArray *bytes)
{
  guint8 *p = packet_of (bytes, PMT_PID, 0);

  p[5 + 16] = 40;
  put_u32 (p + 5 + 28, crc_of (p + 5, 28));
}

static void
stray_pid (GByteArray *bytes)
{
  packet_of (bytes, AUDIO_PID, 80)[2] = 0x77;
}

static void
damage_start_code (GByteArray *bytes)
{
  guint8 *p = packet_of (bytes, AUDIO_PID, 10);

  p[4 + (p[3] & 0x20 ? 1 + p[4] : 0) + 2] = 2;
}

static void
damage_marker (GByteArray *bytes)
{
  guint8 *p = packet_of (bytes, AUDIO_PID, 10);

  p[4 + (p[3] & 0x20 ? 1 + p[4] : 0) + 9 + 4] &= 0xfe;
}

static void
damage_stamp_flags (GByteArray *bytes)
{
  guint8 *p = packet_of (bytes, AUDIO_PID, 10);

  p[4 + (p[3] & 0x20 ? 1 + p[4] : 0) + 7] = 0x40;
}

static void
damage_pes_length (GByteArray *bytes)
{
  guint8 *p = packet_of (bytes, AUDIO_PID, 10);

  p[4 + (p[3] & 0x20 ? 1 + p[4] : 0) + 5] += 1;
}

static void
cut_inside_pes (GByteArray *bytes)
{
  guint8 *p;
  guint n = 40;

  /* The first of the two packets of an audio frame. */
  do {
    p = packet_of (bytes, AUDIO_PID, n++);
  } while ((p[1] & 0x40) == 0);
  g_byte_array_set_size (bytes, (guint)(p - bytes->data) + 188);
}

static void
keep_nothing_of_tables (GByteArray *bytes)
{
  for (guint at = 0; at < bytes->len;) {
    guint8 *p = bytes->data + at;
    guint pid = (p[1] & 0x1f) << 8 | p[2];

    if (pid == 0)
      g_byte_array_remove_range (bytes, at, 188);
    else
      at += 188;
  }
}

typedef struct
{
  const gchar *what;
  void (*damage) (GByteArray *bytes);
  TsCheckRule rule;
  guint64 also;
} DamageRow;

#define LOSS                                                                   \
  (TS_CHECK_IGNORE (TS_CHECK_CONTINUITY) |                                     \
      TS_CHECK_IGNORE (TS_CHECK_PES_LENGTH))
#define TABLE_LOST                                                             \
  (TS_CHECK_IGNORE (TS_CHECK_PAT_INTERVAL) |                                   \
      TS_CHECK_IGNORE (TS_CHECK_PMT_INTERVAL) |                                \
      TS_CHECK_IGNORE (TS_CHECK_SDT_INTERVAL) |                                \
      TS_CHECK_IGNORE (TS_CHECK_RAP_PSI))

static const DamageRow damage_rows[] = {
  { "sync_byte", damage_sync, TS_CHECK_SYNC, LOSS },
  { "size", damage_size, TS_CHECK_SIZE,
      TS_CHECK_IGNORE (TS_CHECK_PES_TRUNCATED) },
  { "transport error", damage_transport_error, TS_CHECK_TRANSPORT_ERROR, 0 },
  { "scrambled", damage_scrambled, TS_CHECK_SCRAMBLED, 0 },
  { "counter", damage_continuity, TS_CHECK_CONTINUITY, 0 },
  { "lost packet", lose_packet, TS_CHECK_CONTINUITY, LOSS },
  { "swapped packets", swap_packets, TS_CHECK_CONTINUITY, LOSS },
  { "packet three times", repeat_packet_twice, TS_CHECK_CONTINUITY, 0 },
  { "changed repetition", repeat_changed, TS_CHECK_CONTINUITY,
      LOSS | TS_CHECK_IGNORE (TS_CHECK_DTS_ORDER) },
  { "no payload, no field", damage_control, TS_CHECK_ADAPTATION, LOSS },
  { "adaptation length", damage_adaptation_length, TS_CHECK_ADAPTATION, ~0ull },
  { "stuffing", damage_stuffing, TS_CHECK_ADAPTATION, 0 },
  { "PCR extension", damage_pcr_extension, TS_CHECK_ADAPTATION, 0 },
  { "CRC", damage_crc, TS_CHECK_PSI_CRC, TABLE_LOST },
  { "pointer_field", damage_pointer, TS_CHECK_PSI_SECTION, TABLE_LOST },
  { "section_length", damage_section_length, TS_CHECK_PSI_SECTION, TABLE_LOST },
  { "section stuffing", damage_section_stuffing, TS_CHECK_PSI_SECTION, 0 },
  { "table_id", damage_table_id, TS_CHECK_PSI_SECTION, TABLE_LOST },
  { "ES_info_length", damage_es_info_length, TS_CHECK_PSI_CONTENT, ~0ull },
  { "stray PID", stray_pid, TS_CHECK_PID_UNREFERENCED,
      LOSS | TS_CHECK_IGNORE (TS_CHECK_PES_TRUNCATED) },
  { "start code", damage_start_code, TS_CHECK_PES_HEADER, 0 },
  { "marker bit", damage_marker, TS_CHECK_PES_HEADER, 0 },
  { "PTS_DTS_flags", damage_stamp_flags, TS_CHECK_PES_HEADER, 0 },
  { "PES_packet_length", damage_pes_length, TS_CHECK_PES_LENGTH, 0 },
  { "cut PES packet", cut_inside_pes, TS_CHECK_PES_TRUNCATED, 0 },
  { "no PAT", keep_nothing_of_tables, TS_CHECK_PAT_INTERVAL, ~0ull },
};

GST_START_TEST (test_damaged_bytes_are_reported)
{
  const DamageRow *row = &damage_rows[__i__];
  Plan plan = { 0 };
  GByteArray *bytes = lay_out (&plan);

  GST_INFO ("%s", row->what);
  row->damage (bytes);
  assert_found (bytes, row->rule, row->also);
}

GST_END_TEST;

GST_START_TEST (test_one_repetition_of_a_packet_is_allowed)
{
  Plan plan = { 0 };
  GByteArray *bytes = lay_out (&plan);

  repeat_packet (bytes);
  assert_good (bytes);
}

GST_END_TEST;

GST_START_TEST (test_ignored_rule_is_not_counted)
{
  Plan plan = { .no_delimiter = TRUE };
  TsCheckOptions options = TS_CHECK_STRICT;
  GByteArray *bytes = lay_out (&plan);
  TsCheck *check;

  options.ignored_rules = TS_CHECK_IGNORE (TS_CHECK_AU_DELIMITER);
  check = ts_check_new (&options, NULL, NULL, NULL);
  ts_check_push (check, bytes->data, bytes->len);
  fail_unless_equals_int (ts_check_finish (check), 0);
  ts_check_free (check);
  g_byte_array_unref (bytes);
}

GST_END_TEST;

typedef struct
{
  guint video, audio;
  gint64 last_video_dts;
} Seen;

static void
see_pes (void *user_data, const TsCheckPes *pes)
{
  Seen *seen = user_data;

  if (pes->pid == AUDIO_PID) {
    fail_unless_equals_int (pes->size, 150 + seen->audio);
    fail_unless (pes->data[0] == 0xaa && pes->data[pes->size - 1] == 0xaa);
    fail_unless_equals_int64 (pes->pts, 2 * PREROLL + seen->audio * 3000 + 100);
    fail_unless_equals_int64 (pes->dts, pes->pts);
    seen->audio++;
  } else {
    fail_unless (pes->data[pes->size - 1] == 0x55);
    fail_unless_equals_int64 (pes->dts, 2 * PREROLL + seen->video * 3000);
    fail_unless_equals_int64 (pes->pts, pes->dts + 6000);
    fail_unless (pes->random_access == (seen->video % 30 == 0));
    seen->video++;
  }
}

GST_START_TEST (test_access_units_come_out_as_they_went_in)
{
  Plan plan = { 0 };
  Seen seen = { 0 };
  GByteArray *bytes = lay_out (&plan);
  TsCheck *check = ts_check_new (NULL, see_pes, NULL, &seen);

  ts_check_push (check, bytes->data, bytes->len);
  fail_unless_equals_int (ts_check_finish (check), 0);
  fail_unless_equals_int (seen.video, FRAMES);
  fail_unless_equals_int (seen.audio, FRAMES);
  ts_check_free (check);
  g_byte_array_unref (bytes);
}

GST_END_TEST;

/* No outcome is asked for but that it comes back, inside its bounds. */
GST_START_TEST (test_random_damage_never_harms_the_checker)
{
  GRand *rand = g_rand_new_with_seed (1);
  Plan plan = { 0 };
  GByteArray *good = lay_out (&plan);

  for (guint round = 0; round < 300; round++) {
    GByteArray *bytes = g_byte_array_new ();

    g_byte_array_append (bytes, good->data, good->len);
    for (guint i = 0; i < 200; i++)
      bytes->data[g_rand_int_range (rand, 0, bytes->len)] =
          (guint8)g_rand_int (rand);
    ts_check_free (judge (bytes));
    g_byte_array_unref (bytes);
  }
  g_byte_array_unref (good);
  g_rand_free (rand);
}

GST_END_TEST;

#define EAC3(type, id) 0x0b, 0x77, (type) << 6 | (id) << 3, 3, 0x34, 0x80, 5, 5
#define AC3 0x0b, 0x77, 0, 0, 0x14, 0x40, 5, 5
#define DTS_CORE 0x7f, 0xfe, 0x80, 0x01, 5, 5, 5, 5
#define DTS_EXTENSION 0x64, 0x58, 0x20, 0x25, 5, 5, 5, 5

static const struct
{
  guint8 data[16];
  gboolean begins; /* an access unit, when a core was before it */
} audio_rows[] = {
  { { AC3 }, TRUE },
  { { EAC3 (0, 0) }, TRUE },
  { { EAC3 (2, 0) }, TRUE },
  { { EAC3 (1, 0) }, FALSE },
  { { EAC3 (1, 2) }, FALSE },
  { { EAC3 (0, 1) }, FALSE },
  { { EAC3 (1, 0), EAC3 (1, 1) }, FALSE },
  { { EAC3 (1, 0), EAC3 (0, 0) }, TRUE },
  { { EAC3 (1, 0), AC3 }, TRUE },
  { { DTS_CORE }, TRUE },
  { { DTS_CORE, DTS_EXTENSION }, TRUE },
  { { DTS_EXTENSION }, FALSE },
  { { DTS_EXTENSION, DTS_CORE }, TRUE },
  { { 0xff, 0xf1, 0x4c, 0x80 }, TRUE },
};

/* Only an access unit that begins can have a PTS (2.4.3.7). The core that
 * others follow may itself be behind a dependent frame, whose header tells
 * another size than it has. */
GST_START_TEST (test_a_dependent_frame_begins_no_access_unit)
{
  static const guint8 core[] = { EAC3 (0, 0) };
  static const guint8 behind[] = { EAC3 (1, 0), 5, 5, EAC3 (0, 0) };
  TsCheckPes pes = { .kind = TS_CHECK_KIND_AUDIO, .stream_id = 0xbd };
  TsCheckPes firsts[] = { pes, pes };

  firsts[0].data = core;
  firsts[0].size = sizeof core;
  firsts[1].data = behind;
  firsts[1].size = sizeof behind;
  pes.data = audio_rows[__i__].data;
  pes.size = sizeof audio_rows[__i__].data;
  for (guint i = 0; i < G_N_ELEMENTS (firsts); i++) {
    Pid pid = { 0 };

    fail_unless (ts_check_es_begins_unit (&pid, &pes));
    ts_check_es_note_core (&pid, &firsts[i]);
    fail_unless (
        ts_check_es_begins_unit (&pid, &pes) == audio_rows[__i__].begins);
  }
}

GST_END_TEST;

static Suite *
checker_suite (void)
{
  Suite *s = suite_create ("checker");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_good_stream_is_good);
  tcase_add_test (tc, test_time_that_wraps_is_good);
  tcase_add_test (tc, test_pcr_may_jump_with_discontinuity_indicator);
  tcase_add_loop_test (
      tc, test_badly_laid_out_stream_is_reported, 0, G_N_ELEMENTS (plan_rows));
  tcase_add_loop_test (
      tc, test_damaged_bytes_are_reported, 0, G_N_ELEMENTS (damage_rows));
  tcase_add_test (tc, test_one_repetition_of_a_packet_is_allowed);
  tcase_add_test (tc, test_ignored_rule_is_not_counted);
  tcase_add_test (tc, test_access_units_come_out_as_they_went_in);
  tcase_add_loop_test (tc, test_a_dependent_frame_begins_no_access_unit, 0,
      G_N_ELEMENTS (audio_rows));
  tcase_add_test (tc, test_random_damage_never_harms_the_checker);
  return s;
}

GST_CHECK_MAIN (checker);
