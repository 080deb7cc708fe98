/* gst-tsrec: packets of one SSRC in order, requests for what is missing, and
 * the reports about both
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtcremb.h"
#include "rtcreorder.h"
#include "rtcrtpsource.h"
#include "rtctwcc.h"

#include <gst/check/gstcheck.h>
#include <string.h>

#define MS G_TIME_SPAN_MILLISECOND
#define LATENCY (200 * MS)

static guint n_freed;

static void
free_item (gpointer item)
{
  n_freed++;
}

static RtcReorder *
new_reorder (void)
{
  n_freed = 0;
  return rtc_reorder_new (LATENCY, 1 << 20, free_item);
}

/* Items are their sequence numbers, plus one. */
static RtcReorderResult
add (RtcReorder *reorder, guint16 seq, gint64 now)
{
  return rtc_reorder_add (
      reorder, seq, GUINT_TO_POINTER (seq + 1u), 1000, now, FALSE);
}

static gint
take (RtcReorder *reorder, gint64 now)
{
  return (gint)GPOINTER_TO_UINT (rtc_reorder_take (reorder, now)) - 1;
}

static void
expect_lost (RtcReorder *reorder, guint lost)
{
  RtcReorderStats stats;

  rtc_reorder_get_stats (reorder, &stats);
  fail_unless_equals_uint64 (stats.lost, lost);
}

/* The first packets have left. */
static RtcReorder *
new_started (guint16 seq)
{
  RtcReorder *reorder = new_reorder ();

  add (reorder, seq, 0);
  fail_unless_equals_int (take (reorder, LATENCY), seq);
  return reorder;
}

GST_START_TEST (test_the_first_packet_waits_for_earlier_ones)
{
  RtcReorder *reorder = new_reorder ();

  add (reorder, 10, 0);
  fail_unless_equals_int (take (reorder, LATENCY - 1), -1);
  fail_unless_equals_int64 (rtc_reorder_get_due (reorder), LATENCY);
  add (reorder, 8, 5);
  add (reorder, 9, 6);
  fail_unless_equals_int (take (reorder, LATENCY), 8);
  fail_unless_equals_int (take (reorder, LATENCY), 9);
  fail_unless_equals_int (take (reorder, LATENCY), 10);
  expect_lost (reorder, 0);
  rtc_reorder_free (reorder);
}

GST_END_TEST;

GST_START_TEST (test_packets_in_order_leave_at_once)
{
  RtcReorder *reorder = new_started (65534);

  for (guint i = 1; i < 200000; i++) {
    guint16 seq = (guint16)(65534 + i);

    fail_unless_equals_int (add (reorder, seq, LATENCY + i), RTC_REORDER_ADDED);
    fail_unless_equals_int (take (reorder, LATENCY + i), seq);
  }
  expect_lost (reorder, 0);
  fail_unless (rtc_reorder_get_due (reorder) == RTC_REORDER_NEVER);
  rtc_reorder_free (reorder);
}

GST_END_TEST;

GST_START_TEST (test_a_missing_packet_is_waited_for)
{
  RtcReorder *reorder = new_started (1);
  gint64 now = LATENCY + 10 * MS;

  add (reorder, 3, now);
  fail_unless_equals_int64 (rtc_reorder_get_due (reorder), now + LATENCY);
  fail_unless_equals_int (take (reorder, now + LATENCY - 1), -1);
  add (reorder, 2, now + LATENCY - 1);
  fail_unless_equals_int (take (reorder, now + LATENCY - 1), 2);
  fail_unless_equals_int (take (reorder, now + LATENCY - 1), 3);
  expect_lost (reorder, 0);
  rtc_reorder_free (reorder);
}

GST_END_TEST;

GST_START_TEST (test_what_is_missing_for_longer_than_the_latency_is_lost)
{
  RtcReorder *reorder = new_started (1);
  RtcReorderStats stats;

  add (reorder, 4, 2 * LATENCY);
  fail_unless_equals_int (take (reorder, 3 * LATENCY), 4);
  expect_lost (reorder, 2);
  fail_unless_equals_int (add (reorder, 2, 3 * LATENCY), RTC_REORDER_LATE);
  fail_unless_equals_int (n_freed, 1);
  rtc_reorder_get_stats (reorder, &stats);
  fail_unless_equals_uint64 (stats.late, 1);
  fail_unless_equals_uint64 (stats.received, 2);
  rtc_reorder_free (reorder);
}

GST_END_TEST;

GST_START_TEST (test_a_pause_loses_nothing)
{
  RtcReorder *reorder = new_started (1);

  fail_unless_equals_int (take (reorder, 3600 * (gint64)G_USEC_PER_SEC), -1);
  add (reorder, 2, 3600 * (gint64)G_USEC_PER_SEC);
  fail_unless_equals_int (take (reorder, 3600 * (gint64)G_USEC_PER_SEC), 2);
  expect_lost (reorder, 0);
  rtc_reorder_free (reorder);
}

GST_END_TEST;

GST_START_TEST (test_duplicates_leave_once)
{
  RtcReorder *reorder = new_started (1);

  add (reorder, 3, LATENCY);
  fail_unless_equals_int (add (reorder, 3, LATENCY), RTC_REORDER_DUPLICATE);
  fail_unless_equals_int (n_freed, 1);
  rtc_reorder_free (reorder);
  fail_unless_equals_int (n_freed, 2);
}

GST_END_TEST;

GST_START_TEST (test_a_jump_is_followed_and_loses_neither_side)
{
  RtcReorder *reorder = new_started (100);

  add (reorder, 102, LATENCY);
  fail_unless_equals_int (add (reorder, 20000, LATENCY), RTC_REORDER_SUSPECT);
  fail_unless_equals_int (take (reorder, LATENCY), -1);
  fail_unless_equals_int (add (reorder, 20001, LATENCY), RTC_REORDER_ADDED);
  fail_unless_equals_int (take (reorder, LATENCY), 102);
  fail_unless_equals_int (take (reorder, LATENCY), 20000);
  fail_unless_equals_int (take (reorder, LATENCY), 20001);
  expect_lost (reorder, 1);
  rtc_reorder_free (reorder);
}

GST_END_TEST;

GST_START_TEST (test_a_single_strange_number_changes_nothing)
{
  RtcReorder *reorder = new_started (100);

  add (reorder, 30000, LATENCY);
  add (reorder, 101, LATENCY);
  fail_unless_equals_int (take (reorder, LATENCY), 101);
  add (reorder, 102, LATENCY);
  fail_unless_equals_int (take (reorder, LATENCY), 102);
  expect_lost (reorder, 0);
  rtc_reorder_free (reorder);
  fail_unless_equals_int (n_freed, 1);
}

GST_END_TEST;

GST_START_TEST (test_missing_packets_are_requested_until_they_come)
{
  RtcReorder *reorder = new_started (1);
  guint16 seqs[8];
  gint64 now = LATENCY, due;
  RtcReorderStats stats;

  add (reorder, 5, now);
  due = rtc_reorder_get_request_due (reorder);
  fail_unless (due > now && due <= now + 20 * MS);
  fail_unless_equals_int (
      rtc_reorder_get_missing (reorder, due, 40 * MS, seqs, 8), 3);
  fail_unless (seqs[0] == 2 && seqs[1] == 3 && seqs[2] == 4);
  fail_unless_equals_int (
      rtc_reorder_get_missing (reorder, due + 49 * MS, 40 * MS, seqs, 8), 0);
  fail_unless (rtc_reorder_is_requested (reorder, 3));
  add (reorder, 3, due + 30 * MS);
  fail_unless_equals_int64 (rtc_reorder_get_response_time (reorder), 30 * MS);
  fail_unless (!rtc_reorder_is_requested (reorder, 3));
  fail_unless_equals_int (
      rtc_reorder_get_missing (reorder, due + 50 * MS, 40 * MS, seqs, 8), 2);
  add (reorder, 2, due + 90 * MS);
  /* Requested twice: which of the two was answered is not known. */
  fail_unless_equals_int64 (rtc_reorder_get_response_time (reorder), 0);
  rtc_reorder_get_stats (reorder, &stats);
  fail_unless_equals_uint64 (stats.requested, 5);
  fail_unless_equals_uint64 (stats.retransmitted, 2);
  rtc_reorder_free (reorder);
}

GST_END_TEST;

GST_START_TEST (test_what_is_held_is_bounded)
{
  RtcReorder *reorder = rtc_reorder_new (LATENCY, 10000, free_item);

  add (reorder, 1, 0);
  fail_unless_equals_int (take (reorder, LATENCY), 1);
  for (guint i = 3; i < 14; i++)
    add (reorder, (guint16)i, LATENCY);
  fail_unless_equals_int (take (reorder, LATENCY), 3);
  expect_lost (reorder, 1);
  /* Nobody takes them. */
  for (guint i = 14; i < 1014; i++)
    add (reorder, (guint16)i, LATENCY);
  fail_unless_equals_int (take (reorder, LATENCY), 994);
  expect_lost (reorder, 991);
  rtc_reorder_free (reorder);
}

GST_END_TEST;

/* Nobody takes what is there, and the sender starts over again and again. */
GST_START_TEST (test_what_is_held_of_before_new_starts_is_bounded)
{
  RtcReorder *reorder;

  n_freed = 0;
  reorder = rtc_reorder_new (LATENCY, 10000, free_item);
  for (guint i = 0; i < 50; i++) {
    guint16 seq = (guint16)(i % 2 * 20000);

    add (reorder, seq, i);
    add (reorder, (guint16)(seq + 1), i);
  }
  /* 2 * 10000 bytes are left; two packets begin each start. */
  fail_unless_equals_int (n_freed, 80);
  expect_lost (reorder, 80);
  fail_unless_equals_int (take (reorder, LATENCY), 0);
  for (guint i = 0; i < 19; i++)
    fail_unless (take (reorder, LATENCY) >= 0);
  fail_unless_equals_int (take (reorder, LATENCY), -1);
  rtc_reorder_free (reorder);
}

GST_END_TEST;

/* --- receiver reports --- */

GST_START_TEST (test_a_report_counts_what_is_lost)
{
  RtcRtpSource source;
  RtcReport report;

  rtc_rtp_source_init (&source, 7, 90000);
  for (guint i = 0; i < 100; i++)
    if (i % 4 != 3)
      rtc_rtp_source_add (&source, (guint16)(65500 + i), i * 900, i * 10 * MS);
  rtc_rtp_source_add (&source, (guint16)(65500 + 99), 99 * 900, 990 * MS);
  rtc_rtp_source_set_report (&source, 0x1122334455667788, 500 * MS);
  rtc_rtp_source_get_report (&source, 1500 * MS, &report);
  fail_unless_equals_int (report.lost, 24);
  fail_unless_equals_int (report.fraction_lost, 24 * 256 / 100);
  fail_unless_equals_int (report.highest, 65500 + 99);
  fail_unless_equals_int (report.jitter, 0);
  fail_unless_equals_int (report.last_report, 0x33445566);
  fail_unless_equals_int (report.delay, 65536);
  rtc_rtp_source_get_report (&source, 1500 * MS, &report);
  fail_unless_equals_int (report.fraction_lost, 0);
}

GST_END_TEST;

/* --- transport-wide congestion control --- */

static guint
read_u16 (const guint8 *data)
{
  return (guint)(data[0] << 8 | data[1]);
}

/* Reads @fci by the text of the draft, adds arrivals to @out, -1: missing, and
 * returns how many packets it is about. */
static guint
read_feedback (const guint8 *fci, gsize size, guint *base, gint64 *out)
{
  guint n = read_u16 (fci + 2), i = 0, k;
  gint64 time = ((gint64)fci[4] << 16 | fci[5] << 8 | fci[6]) * 64000;
  guint8 statuses[RTC_TWCC_MAX_PACKETS];
  gsize at = 8;

  *base = read_u16 (fci);
  while (i < n) {
    guint chunk = read_u16 (fci + at);

    at += 2;
    if (!(chunk & 0x8000)) {
      for (k = 0; k < (chunk & 0x1fff); k++)
        statuses[i++] = chunk >> 13 & 3;
    } else {
      fail_unless (chunk & 0x4000);
      for (k = 0; k < 7; k++)
        if (i < n)
          statuses[i++] = chunk >> (12 - 2 * k) & 3;
    }
  }
  for (i = 0; i < n; i++) {
    out[i] = -1;
    if (statuses[i] == 1)
      out[i] = time += fci[at++] * 250;
    else if (statuses[i] == 2) {
      out[i] = time += (gint16)read_u16 (fci + at) * 250;
      at += 2;
    }
  }
  fail_unless (at <= size && size - at < 4 && size % 4 == 0);
  return n;
}

GST_START_TEST (test_the_rate_of_a_sender_follows_what_arrives)
{
  gint64 now = 1000 * G_USEC_PER_SEC;
  RtcRemb remb;

  rtc_remb_init (&remb, 0, now);
  fail_unless_equals_int (rtc_remb_update (&remb, 0, now), RTC_REMB_FIRST);
  /* 0.8 Mb/s arrive. */
  rtc_remb_add (&remb, 100000);
  fail_unless_equals_int (
      rtc_remb_update (&remb, 0, now += G_USEC_PER_SEC), 1600000);
  /* A pause takes nothing back, and losses do. */
  fail_unless_equals_int (
      rtc_remb_update (&remb, 0, now += G_USEC_PER_SEC), 1600000);
  rtc_remb_add (&remb, 100000);
  fail_unless_equals_int (
      rtc_remb_update (&remb, 50, now += G_USEC_PER_SEC), 680000);
  fail_unless_equals_int (
      rtc_remb_update (&remb, 255, now += G_USEC_PER_SEC), RTC_REMB_MIN);
  rtc_remb_add (&remb, 1000000000);
  fail_unless_equals_int (
      rtc_remb_update (&remb, 0, now += G_USEC_PER_SEC), RTC_REMB_MAX);
  rtc_remb_init (&remb, 250000, now);
  fail_unless_equals_int (
      rtc_remb_update (&remb, 0, now += G_USEC_PER_SEC), 250000);
}

GST_END_TEST;

GST_START_TEST (test_feedback_tells_every_arrival)
{
  static RtcTwcc twcc;
  static gint64 sent[3000], got[RTC_TWCC_MAX_PACKETS];
  guint8 fci[RTC_TWCC_MAX_FCI];
  guint base, reported = 0, begin = 65000, messages = 0;
  gint64 time = 123 * G_USEC_PER_SEC;
  GRand *rand = g_rand_new_with_seed (1);
  gsize size;

  rtc_twcc_init (&twcc);
  for (guint i = 0; i < 3000; i++) {
    gint step = g_rand_int_range (rand, 0, 100);

    /* Bursts, pauses that do not fit into a delta, reordering. */
    time += step < 2 ? 20 * G_USEC_PER_SEC : step < 60 ? 300 : 70000;
    sent[i] = g_rand_int_range (rand, 0, 10) == 0 && i > 0 && i < 2999
        ? -1
        : time - (step == 99 ? 100000 : 0);
    if (sent[i] >= 0)
      rtc_twcc_add (&twcc, (guint16)(begin + i), sent[i]);
    if (i % 500 != 499 && i != 2999)
      continue;
    while ((size = rtc_twcc_write (&twcc, fci)) > 0) {
      guint n = read_feedback (fci, size, &base, got);

      fail_unless (size <= RTC_TWCC_MAX_FCI && n > 0);
      fail_unless_equals_int (fci[7], messages & 0xff);
      messages++;
      fail_unless_equals_int (base, (begin + reported) & 0xffff);
      for (guint k = 0; k < n; k++) {
        gint64 expected = sent[reported + k];

        fail_unless ((got[k] < 0) == (expected < 0) &&
                (expected < 0 || ABS (got[k] - expected) < 500),
            "%u", reported + k);
      }
      reported += n;
    }
  }
  fail_unless_equals_int (reported, 3000);
  fail_unless (!rtc_twcc_is_due (&twcc));
  g_rand_free (rand);
}

GST_END_TEST;

/* More packets than one message has room for are lost at a time. */
GST_START_TEST (test_feedback_ends_behind_a_gap_of_any_length)
{
  static RtcTwcc twcc;
  static gint64 got[RTC_TWCC_MAX_PACKETS];
  guint8 fci[RTC_TWCC_MAX_FCI];

  for (guint gap = 1; gap < RTC_TWCC_MAX_PACKETS - 1; gap += 13) {
    gint64 time = 123 * G_USEC_PER_SEC;
    guint messages = 0, base, expected = 0;
    gboolean right = TRUE;
    gsize size;

    rtc_twcc_init (&twcc);
    rtc_twcc_add (&twcc, 0, time);
    rtc_twcc_add (&twcc, (guint16)(gap + 1), time + 1000);
    while ((size = rtc_twcc_write (&twcc, fci)) > 0) {
      guint n = read_feedback (fci, size, &base, got);

      fail_unless (n > 0 && ++messages <= 10, "%u", gap);
      /* A sender that starts over leaves nothing out that it has sent. */
      fail_unless (base == expected || base == gap + 1, "%u", gap);
      for (guint i = 0; i < n; i++)
        right &= (got[i] >= 0) == (base + i == 0 || base + i == gap + 1);
      expected = base + n;
    }
    fail_unless (right, "%u", gap);
    fail_unless_equals_int (expected, gap + 2);
    fail_unless (!rtc_twcc_is_due (&twcc));
  }
}

GST_END_TEST;

static Suite *
rtcreorder_suite (void)
{
  Suite *s = suite_create ("rtcreorder");
  TCase *tc = tcase_create ("packets");

  tcase_add_test (tc, test_the_first_packet_waits_for_earlier_ones);
  tcase_add_test (tc, test_packets_in_order_leave_at_once);
  tcase_add_test (tc, test_a_missing_packet_is_waited_for);
  tcase_add_test (tc, test_what_is_missing_for_longer_than_the_latency_is_lost);
  tcase_add_test (tc, test_a_pause_loses_nothing);
  tcase_add_test (tc, test_duplicates_leave_once);
  tcase_add_test (tc, test_a_jump_is_followed_and_loses_neither_side);
  tcase_add_test (tc, test_a_single_strange_number_changes_nothing);
  tcase_add_test (tc, test_missing_packets_are_requested_until_they_come);
  tcase_add_test (tc, test_what_is_held_is_bounded);
  tcase_add_test (tc, test_what_is_held_of_before_new_starts_is_bounded);
  tcase_add_test (tc, test_a_report_counts_what_is_lost);
  tcase_add_test (tc, test_the_rate_of_a_sender_follows_what_arrives);
  tcase_add_test (tc, test_feedback_tells_every_arrival);
  tcase_add_test (tc, test_feedback_ends_behind_a_gap_of_any_length);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (rtcreorder);
