/* gst-tsrec: the rules, counters and verdicts of the monitor
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recstall.h"
#include "recsynclag.h"
#include "recflowcounters.h"
#include "recalertrules.h"
#include "recrtpseq.h"

#include <gst/check/gstcheck.h>

#define S UINT64_C (1000000000)
#define MS UINT64_C (1000000)

/* --- a rule -------------------------------------------------------------- */

GST_START_TEST (test_a_rule_is_raised_above_its_limit_only)
{
  RecThreshold r = { 0 };

  fail_unless_equals_int (
      rec_threshold_update (&r, 0, 10, 10, 5, S), REC_THRESHOLD_SAME);
  fail_unless_equals_int (
      rec_threshold_update (&r, 1, 11, 10, 5, S), REC_THRESHOLD_RAISED);
  fail_unless_equals_int (
      rec_threshold_update (&r, 2, 99, 10, 5, S), REC_THRESHOLD_SAME);
  fail_unless_equals_uint64 (r.value, 11);
  fail_unless_equals_uint64 (r.threshold, 10);
}

GST_END_TEST;

GST_START_TEST (test_a_rule_is_cleared_after_it_stayed_calm)
{
  RecThreshold r = { 0 };

  rec_threshold_update (&r, 0, 11, 10, 5, S);
  fail_unless_equals_int (
      rec_threshold_update (&r, 3 * S, 5, 10, 5, S), REC_THRESHOLD_SAME);
  /* between the limits: starts the wait anew */
  rec_threshold_update (&r, 3 * S + S / 2, 6, 10, 5, S);
  rec_threshold_update (&r, 4 * S, 0, 10, 5, S);
  fail_unless_equals_int (
      rec_threshold_update (&r, 5 * S - 1, 0, 10, 5, S), REC_THRESHOLD_SAME);
  fail_unless_equals_int (
      rec_threshold_update (&r, 5 * S, 0, 10, 5, S), REC_THRESHOLD_CLEARED);
  fail_unless_equals_int (
      rec_threshold_update (&r, 6 * S, 0, 10, 5, S), REC_THRESHOLD_SAME);
}

GST_END_TEST;

GST_START_TEST (test_a_rule_turned_off_is_cleared_at_once)
{
  RecThreshold r = { 0 };

  rec_threshold_update (&r, 0, 11, 10, 5, S);
  fail_unless_equals_int (
      rec_threshold_update (&r, 1, 11, 0, 0, S), REC_THRESHOLD_CLEARED);
  fail_unless_equals_int (
      rec_threshold_update (&r, 2, 11, 0, 0, S), REC_THRESHOLD_SAME);
}

GST_END_TEST;

/* --- all rules ----------------------------------------------------------- */

static const RecAlertLimits limits = { 10, 500000000, 10 * S, 5 * S, S };

static guint
look (RecAlertRules *rules, const RecAlertSample *l,
    RecThresholdChange change[REC_ALERT_N_RULES])
{
  guint i, n = 0;

  rec_alert_rules_update (rules, &limits, l, change);
  for (i = 0; i < REC_ALERT_N_RULES; i++)
    n += change[i] != REC_THRESHOLD_SAME;
  return n;
}

GST_START_TEST (test_first_byte_and_later_bytes_have_limits_of_their_own)
{
  RecAlertRules rules = { 0 };
  RecThresholdChange c[REC_ALERT_N_RULES];
  RecAlertSample l = { .running = true, .sink_known = true };

  fail_unless_equals_int (look (&rules, &l, c), 0);
  l.now = 10 * S;
  fail_unless_equals_int (look (&rules, &l, c), 0);
  l.now = 10 * S + 1;
  fail_unless_equals_int (look (&rules, &l, c), 1);
  fail_unless_equals_int (c[REC_ALERT_RULE_NO_BYTES], REC_THRESHOLD_RAISED);
  /* bytes come: calm for a second, then cleared */
  for (; l.now < 11 * S; l.now += 100 * MS) {
    l.written += 188;
    fail_unless_equals_int (look (&rules, &l, c), 0);
  }
  l.now = 12 * S;
  l.written += 188;
  fail_unless_equals_int (look (&rules, &l, c), 1);
  fail_unless_equals_int (c[REC_ALERT_RULE_NO_BYTES], REC_THRESHOLD_CLEARED);
  l.now = 17 * S;
  fail_unless_equals_int (look (&rules, &l, c), 0);
  l.now = 17 * S + 1;
  fail_unless_equals_int (look (&rules, &l, c), 1);
  fail_unless_equals_uint64 (
      rules.rule[REC_ALERT_RULE_NO_BYTES].threshold, 5 * S);
}

GST_END_TEST;

GST_START_TEST (test_without_a_sink_nothing_is_said_about_bytes)
{
  RecAlertRules rules = { 0 };
  RecThresholdChange c[REC_ALERT_N_RULES];
  RecAlertSample l = { .running = true };

  look (&rules, &l, c);
  l.now = 1000 * S;
  fail_unless_equals_int (look (&rules, &l, c), 0);
}

GST_END_TEST;

GST_START_TEST (test_memory_is_raised_once_and_cleared_once)
{
  RecAlertRules rules = { 0 };
  RecThresholdChange c[REC_ALERT_N_RULES];
  RecAlertSample l = {
    .running = true, .memory_known = true, .memory = 400000000
  };
  guint raised = 0, cleared = 0;

  for (; l.now <= 1100 * S; l.now += S) {
    rec_alert_rules_update (&rules, &limits, &l, c);
    raised += c[REC_ALERT_RULE_MEMORY] == REC_THRESHOLD_RAISED;
    cleared += c[REC_ALERT_RULE_MEMORY] == REC_THRESHOLD_CLEARED;
    fail_unless_equals_int (raised, l.memory > limits.max_memory || raised);
    if (l.now < 900 * S)
      l.memory += 200000; /* 580 MB in the end */
    else
      l.memory = 300000000;
  }
  fail_unless_equals_int (raised, 1);
  fail_unless_equals_int (cleared, 1);
}

GST_END_TEST;

GST_START_TEST (test_nothing_applies_after_the_end)
{
  RecAlertRules rules = { 0 };
  RecThresholdChange c[REC_ALERT_N_RULES];
  RecAlertSample l = { .running = true };

  look (&rules, &l, c);
  l.now = 2 * S;
  l.idle = 2 * S;
  l.streak = 20;
  fail_unless_equals_int (look (&rules, &l, c), 2);
  l.running = false;
  fail_unless_equals_int (look (&rules, &l, c), 2);
  fail_unless_equals_int (c[REC_ALERT_RULE_STREAK], REC_THRESHOLD_CLEARED);
  fail_unless_equals_int (c[REC_ALERT_RULE_NO_PACKETS], REC_THRESHOLD_CLEARED);
  l.now = 200 * S;
  fail_unless_equals_int (look (&rules, &l, c), 0);
}

GST_END_TEST;

/* --- RTP sequence numbers ------------------------------------------------ */

static void
rtp (RecRtpSeq *seq, guint number, guint ssrc)
{
  guint8 header[REC_RTP_SEQ_HEADER_SIZE] = { 0x80, 96, number >> 8,
    number & 0xff, 0, 0, 0, 0, 0, 0, 0, ssrc };

  fail_unless (rec_rtp_seq_push (seq, header, sizeof header));
}

static void
assert_rtp (RecRtpSeq *seq, guint lost, guint late, guint reordered, guint dup)
{
  fail_unless_equals_uint64 (seq->lost, lost);
  fail_unless_equals_uint64 (seq->late, late);
  fail_unless_equals_uint64 (seq->reordered, reordered);
  fail_unless_equals_uint64 (seq->duplicate, dup);
}

GST_START_TEST (test_rtp_in_order_over_the_wrap_counts_nothing)
{
  RecRtpSeq seq = { 0 };
  guint i;

  rec_rtp_seq_init (&seq);
  for (i = 65000; i < 65000 + 70000; i++)
    rtp (&seq, i & 0xffff, 1);
  assert_rtp (&seq, 0, 0, 0, 0);
}

GST_END_TEST;

GST_START_TEST (test_rtp_lost_late_reordered_and_duplicate)
{
  RecRtpSeq seq = { 0 };
  guint i;

  rec_rtp_seq_init (&seq);
  for (i = 65530; i < 65530 + 500; i++) {
    if (i == 65535 || i == 65600 || i == 65601 || i == 65700)
      continue;
    rtp (&seq, i & 0xffff, 1);
    if (i == 65540)
      rtp (&seq, 65535, 1); /* 5 behind */
    if (i == 65541)
      rtp (&seq, 65541 & 0xffff, 1); /* twice */
    if (i == 65542)
      rtp (&seq, 65535, 1); /* twice, too */
    if (i == 65800)
      rtp (&seq, 65700 & 0xffff, 1); /* 100 behind */
  }
  assert_rtp (&seq, 3, 1, 1, 2);
}

GST_END_TEST;

GST_START_TEST (test_rtp_long_gap_is_all_lost)
{
  RecRtpSeq seq = { 0 };
  guint i;

  rec_rtp_seq_init (&seq);
  rtp (&seq, 100, 1);
  for (i = 1101; i < 1300; i++)
    rtp (&seq, i, 1);
  assert_rtp (&seq, 1000, 0, 0, 0);
}

GST_END_TEST;

GST_START_TEST (test_rtp_gaps_of_every_length_are_counted_exactly)
{
  guint gap, i;

  for (gap = 0; gap < 200; gap++) {
    RecRtpSeq seq = { 0 };

    rec_rtp_seq_init (&seq);
    rtp (&seq, 1000, 1);
    for (i = 0; i < 64; i++)
      rtp (&seq, 1001 + gap + i, 1);
    rtp (&seq, 1001 + gap + 64, 1);
    assert_rtp (&seq, gap, 0, 0, 0);
  }
}

GST_END_TEST;

GST_START_TEST (test_rtp_new_sender_is_no_loss)
{
  RecRtpSeq seq = { 0 };

  rec_rtp_seq_init (&seq);
  rtp (&seq, 100, 1);
  rtp (&seq, 40000, 2); /* another SSRC */
  rtp (&seq, 40001, 2);
  rtp (&seq, 10000, 2); /* same SSRC, started over */
  rtp (&seq, 10001, 2);
  rtp (&seq, 10002, 2);
  rtp (&seq, 30000, 2); /* a stray */
  rtp (&seq, 10003, 2);
  assert_rtp (&seq, 0, 0, 0, 0);
}

GST_END_TEST;

GST_START_TEST (test_rtp_garbage_is_refused)
{
  RecRtpSeq seq = { 0 };
  guint8 header[REC_RTP_SEQ_HEADER_SIZE] = { 0x40 };

  rec_rtp_seq_init (&seq);
  fail_unless (!rec_rtp_seq_push (&seq, header, sizeof header));
  header[0] = 0x80;
  fail_unless (!rec_rtp_seq_push (&seq, header, sizeof header - 1));
  fail_unless (!rec_rtp_seq_push (&seq, header, 0));
  fail_unless (rec_rtp_seq_push (&seq, header, sizeof header));
}

GST_END_TEST;

/* --- durable lag --------------------------------------------------------- */

GST_START_TEST (test_lag_is_the_age_of_the_oldest_unsafe_byte)
{
  RecSyncLag lag = { 0 };
  guint i;

  fail_unless_equals_uint64 (rec_sync_lag_update (&lag, 0, 0, 0), 0);
  fail_unless_equals_uint64 (rec_sync_lag_update (&lag, 10, 100, 0), 0);
  fail_unless_equals_uint64 (rec_sync_lag_update (&lag, 20, 200, 0), 10);
  fail_unless_equals_uint64 (rec_sync_lag_update (&lag, 30, 300, 100), 10);
  fail_unless_equals_uint64 (rec_sync_lag_update (&lag, 40, 300, 300), 0);
  /* never safe, for long: as long as it really is */
  for (i = 1; i <= 10000; i++)
    fail_unless_equals_uint64 (
        rec_sync_lag_update (&lag, 100 + i, 300 + i, 300), i - 1);
  /* a new recording */
  fail_unless_equals_uint64 (rec_sync_lag_update (&lag, 20000, 5, 0), 0);
}

GST_END_TEST;

/* --- where it is dry ----------------------------------------------------- */

/* network monitor (1) - depayloader - decoder - monitor 2 - encoder -
 * monitor 3 - mux - monitor 4 */
static void
make_chain (RecMonitorReport m[4])
{
  memset (m, 0, 4 * sizeof *m);
  m[0] = (RecMonitorReport){ .id = 1, .next = 2, .rtp = true };
  m[1] = (RecMonitorReport){ .id = 2,
    .next = 3,
    .n_points = 2,
    .points = { { REC_STALL_DECODER, 0 }, { REC_STALL_DEPAYLOADER, 0 } } };
  m[2] = (RecMonitorReport){
    .id = 3, .next = 4, .n_points = 1, .points = { { REC_STALL_ENCODER, 0 } }
  };
  m[3] = (RecMonitorReport){
    .id = 4, .n_points = 1, .points = { { REC_STALL_MUX, 0 } }
  };
}

/* Dry from the given monitor on, and what enters its points from point
 * @points on, counted from the far end. */
static void
dry_from (RecMonitorReport m[4], guint from, guint points, guint64 idle)
{
  guint i, j;

  for (i = from; i < 4; i++) {
    m[i].idle = idle;
    for (j = 0; j < m[i].n_points; j++)
      if (i > from || m[i].n_points - 1 - j >= points)
        m[i].points[j].idle = idle;
  }
}

#define assert_where(m, n, id, stage)                                          \
  fail_unless_equals_string (                                                  \
      rec_stall_stage_name (rec_stall_find_upstream (m, n, id, 2 * S)), stage)

GST_START_TEST (test_the_first_dry_stage_is_named_from_anywhere)
{
  static const struct
  {
    guint from, points;
    const gchar *stage;
  } rows[] = {
    { 0, 0, "network" },
    { 1, 0, "depayloader" }, /* the network gives, nothing enters it */
    { 1, 1, "depayloader" }, /* it gets packets, and gives none */
    { 1, 2, "decoder" },
    { 2, 0, "encoder" },
    { 2, 1, "encoder" },
    { 3, 0, "mux" },
    { 3, 1, "mux" },
  };
  RecMonitorReport m[4];
  guint i, id;

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    for (id = rows[i].from + 1; id <= 4; id++) {
      make_chain (m);
      dry_from (m, rows[i].from, rows[i].points, 2 * S);
      assert_where (m, 4, id, rows[i].stage);
    }
}

GST_END_TEST;

GST_START_TEST (test_one_monitor_alone_names_the_stage_by_what_enters)
{
  RecMonitorReport m = { .id = 7,
    .idle = 2 * S,
    .n_points = 3,
    .points = { { REC_STALL_MUX, 2 * S }, { REC_STALL_ENCODER, 2 * S },
        { REC_STALL_DEPAYLOADER, 2 * S } } };

  assert_where (&m, 1, 7, "network");
  m.points[2].idle = 0;
  assert_where (&m, 1, 7, "depayloader");
  m.points[1].idle = 100 * MS;
  assert_where (&m, 1, 7, "encoder");
  m.points[0].idle = 0;
  assert_where (&m, 1, 7, "mux");
  m.n_points = 0;
  assert_where (&m, 1, 7, "network");
}

GST_END_TEST;

GST_START_TEST (test_after_a_mux_the_earliest_branch_is_named)
{
  RecMonitorReport m[3] = {
    { .id = 1,
        .next = 3,
        .idle = 2 * S,
        .n_points = 1,
        .points = { { REC_STALL_ENCODER, 0 } } },
    { .id = 2, .next = 3, .idle = 2 * S },
    { .id = 3,
        .idle = 2 * S,
        .n_points = 1,
        .points = { { REC_STALL_MUX, 2 * S } } },
  };

  assert_where (m, 3, 3, "network");
  m[1].idle = 0;
  assert_where (m, 3, 3, "mux");
}

GST_END_TEST;

GST_START_TEST (test_loops_and_strangers_do_no_harm)
{
  RecMonitorReport m[2] = { { .id = 1, .next = 2, .idle = 2 * S },
    { .id = 2, .next = 1, .idle = 2 * S } };

  assert_where (m, 2, 1, "network");
  assert_where (m, 2, 9, "network");
  assert_where (m, 0, 1, "network");
}

GST_END_TEST;

GST_START_TEST (test_what_is_blocked_is_named_downstream)
{
  RecMonitorReport m[2] = { { .id = 3, .idle = 2 * S, .blocked = true },
    { .id = 4,
        .idle = 2 * S,
        .n_points = 1,
        .points = { { REC_STALL_MUX, 2 * S } } } };

  fail_unless_equals_int (
      rec_stall_find_downstream (m, 2, 2 * S, true, false), REC_STALL_MUX);
  m[1].blocked = true;
  fail_unless_equals_int (
      rec_stall_find_downstream (m, 2, 2 * S, true, false), REC_STALL_DISK);
  fail_unless_equals_int (
      rec_stall_find_downstream (NULL, 0, 2 * S, true, true), REC_STALL_DISK);
  /* delivers, and the sink writes nothing */
  fail_unless_equals_int (
      rec_stall_find_downstream (NULL, 0, 5 * S, false, true), REC_STALL_MUX);
  fail_unless_equals_int (
      rec_stall_find_downstream (NULL, 0, 5 * S, false, false), REC_STALL_DISK);
}

GST_END_TEST;

static Suite *
moncore_suite (void)
{
  Suite *s = suite_create ("moncore");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_a_rule_is_raised_above_its_limit_only);
  tcase_add_test (tc, test_a_rule_is_cleared_after_it_stayed_calm);
  tcase_add_test (tc, test_a_rule_turned_off_is_cleared_at_once);
  tcase_add_test (tc, test_first_byte_and_later_bytes_have_limits_of_their_own);
  tcase_add_test (tc, test_without_a_sink_nothing_is_said_about_bytes);
  tcase_add_test (tc, test_memory_is_raised_once_and_cleared_once);
  tcase_add_test (tc, test_nothing_applies_after_the_end);
  tcase_add_test (tc, test_rtp_in_order_over_the_wrap_counts_nothing);
  tcase_add_test (tc, test_rtp_lost_late_reordered_and_duplicate);
  tcase_add_test (tc, test_rtp_long_gap_is_all_lost);
  tcase_add_test (tc, test_rtp_gaps_of_every_length_are_counted_exactly);
  tcase_add_test (tc, test_rtp_new_sender_is_no_loss);
  tcase_add_test (tc, test_rtp_garbage_is_refused);
  tcase_add_test (tc, test_lag_is_the_age_of_the_oldest_unsafe_byte);
  tcase_add_test (tc, test_the_first_dry_stage_is_named_from_anywhere);
  tcase_add_test (tc, test_one_monitor_alone_names_the_stage_by_what_enters);
  tcase_add_test (tc, test_after_a_mux_the_earliest_branch_is_named);
  tcase_add_test (tc, test_loops_and_strangers_do_no_harm);
  tcase_add_test (tc, test_what_is_blocked_is_named_downstream);
  return s;
}

GST_CHECK_MAIN (moncore);
