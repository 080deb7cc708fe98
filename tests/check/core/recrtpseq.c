/* gst-tsrec: the counter of RTP sequence numbers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recrtpseq.h"

#include <gst/check/gstcheck.h>

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

static Suite *
recrtpseq_suite (void)
{
  Suite *s = suite_create ("recrtpseq");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_rtp_in_order_over_the_wrap_counts_nothing);
  tcase_add_test (tc, test_rtp_lost_late_reordered_and_duplicate);
  tcase_add_test (tc, test_rtp_long_gap_is_all_lost);
  tcase_add_test (tc, test_rtp_gaps_of_every_length_are_counted_exactly);
  tcase_add_test (tc, test_rtp_new_sender_is_no_loss);
  tcase_add_test (tc, test_rtp_garbage_is_refused);
  return s;
}

GST_CHECK_MAIN (recrtpseq);
