/* gst-tsrec: parameter sets that are repeated between the slices of a picture
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtcparamsets.h"

#include <gst/check/gstcheck.h>
#include <string.h>

#define SPS 0x67, 0x42, 0xc0
#define PPS 0x68, 0xce
#define OTHER_PPS 0x68, 0xcf
#define SEI 0x06, 0x05
#define IDR 0x65, 0x88, 0x84

static RtcParamSets slices;

/* Passes @payload as a packet of picture @picture, and asserts what is left. */
static void
assert_left (guint picture, const guint8 *payload, gsize size,
    const guint8 *left, gsize left_size)
{
  RtcParamSets copy = slices;
  guint8 *out = g_memdup2 (payload, size);

  fail_unless_equals_uint64 (
      rtc_param_sets_filter (&copy, picture * 3000, payload, size, NULL),
      left_size);
  fail_unless_equals_uint64 (
      rtc_param_sets_filter (&slices, picture * 3000, out, size, out),
      left_size);
  fail_unless (memcmp (out, left, left_size) == 0);
  fail_unless (memcmp (&copy, &slices, sizeof (copy)) == 0);
  g_free (out);
}

#define KEEPS(picture, ...)                                                    \
  G_STMT_START                                                                 \
  {                                                                            \
    const guint8 packet[] = { __VA_ARGS__ };                                   \
    assert_left (picture, packet, sizeof (packet), packet, sizeof (packet));   \
  }                                                                            \
  G_STMT_END
#define EMPTIES(picture, ...)                                                  \
  G_STMT_START                                                                 \
  {                                                                            \
    const guint8 packet[] = { __VA_ARGS__ };                                   \
    assert_left (picture, packet, sizeof (packet), packet, 0);                 \
  }                                                                            \
  G_STMT_END

GST_START_TEST (test_sets_between_the_slices_of_one_picture_are_left_out)
{
  rtc_param_sets_init (&slices, FALSE);
  KEEPS (1, SPS);
  KEEPS (1, PPS);
  KEEPS (1, IDR, 1);
  EMPTIES (1, SPS);
  EMPTIES (1, PPS);
  KEEPS (1, IDR, 2);
  /* The next picture needs its own. */
  KEEPS (2, SPS);
  KEEPS (2, PPS);
  KEEPS (2, IDR, 1);
}

GST_END_TEST;

GST_START_TEST (test_only_what_is_the_same_is_left_out)
{
  rtc_param_sets_init (&slices, FALSE);
  KEEPS (1, SPS);
  KEEPS (1, PPS);
  KEEPS (1, SPS);
  KEEPS (1, SEI);
  KEEPS (1, IDR, 1);
  KEEPS (1, OTHER_PPS);
  EMPTIES (1, PPS);
  KEEPS (1, SEI);
  KEEPS (1, IDR, 2);
  EMPTIES (1, OTHER_PPS);
}

GST_END_TEST;

GST_START_TEST (test_fragments_of_a_slice_are_one)
{
  rtc_param_sets_init (&slices, FALSE);
  KEEPS (1, SPS);
  KEEPS (1, 0x7c, 0x85, 0x88);
  KEEPS (1, 0x7c, 0x45, 0x00);
  EMPTIES (1, SPS);
  /* A fragmented SEI is not. */
  KEEPS (2, SPS);
  KEEPS (2, 0x1c, 0x86, 0x01);
  KEEPS (2, SPS);
}

GST_END_TEST;

GST_START_TEST (test_aggregates_lose_what_is_repeated_in_them)
{
  const guint8 packet[] = { 0x78, 0, 3, SPS, 0, 2, PPS, 0, 3, IDR, 0, 2, PPS, 0,
    3, IDR };
  const guint8 first[] = { 0x78, 0, 3, SPS, 0, 2, PPS, 0, 3, IDR, 0, 3, IDR };
  const guint8 second[] = { 0x78, 0, 3, IDR, 0, 3, IDR };

  rtc_param_sets_init (&slices, FALSE);
  assert_left (1, packet, sizeof (packet), first, sizeof (first));
  assert_left (1, packet, sizeof (packet), second, sizeof (second));
  EMPTIES (1, 0x78, 0, 3, SPS, 0, 2, PPS);
}

GST_END_TEST;

GST_START_TEST (test_h265_has_three_kinds_of_sets)
{
  rtc_param_sets_init (&slices, TRUE);
  KEEPS (1, 0x40, 0x01, 1);
  KEEPS (1, 0x42, 0x01, 2);
  KEEPS (1, 0x44, 0x01, 3);
  KEEPS (1, 0x62, 0x01, 0x93, 0xaf);
  EMPTIES (1, 0x40, 0x01, 1);
  EMPTIES (1, 0x42, 0x01, 2);
  EMPTIES (1, 0x60, 0x01, 0, 3, 0x44, 0x01, 3);
  KEEPS (1, 0x26, 0x01, 0xaf);
}

GST_END_TEST;

GST_START_TEST (test_units_of_an_aggregate_that_are_cut_off_are_left_out)
{
  const guint8 packet[] = { 0x78, 0, 0, 0, 1, 0x65, 0, 1, 0x0a, 0, 3, IDR, 0, 9,
    0x65 };
  const guint8 left[] = { 0x78, 0, 1, 0x0a, 0, 3, IDR };
  const guint8 h265[] = { 0x60, 0x01, 0, 1, 0x26, 0, 2, 0x26, 0x01, 0, 2, 0x4a,
    0x01 };
  const guint8 h265_left[] = { 0x60, 0x01, 0, 2, 0x4a, 0x01 };

  rtc_param_sets_init (&slices, FALSE);
  assert_left (1, packet, sizeof (packet), left, sizeof (left));
  EMPTIES (1, 0x78, 0, 1, 0x65);
  rtc_param_sets_init (&slices, TRUE);
  assert_left (1, h265, sizeof (h265), h265_left, sizeof (h265_left));
}

GST_END_TEST;

GST_START_TEST (test_what_is_broken_passes)
{
  guint i;

  for (i = 0; i < 2; i++) {
    rtc_param_sets_init (&slices, i == 1);
    KEEPS (1, IDR);
    KEEPS (1, 0x78);
    KEEPS (1, 0x7c);
    KEEPS (1, 0x62, 0x01);
    rtc_param_sets_filter (
        &slices, 3000, (const guint8 *)"\x78\xff\xff\x67", 4, NULL);
    rtc_param_sets_filter (
        &slices, 3000, (const guint8 *)"\x60\x01\xff\xff", 4, NULL);
    rtc_param_sets_filter (&slices, 3000, (const guint8 *)"", 0, NULL);
  }
}

GST_END_TEST;

static Suite *
recslices_suite (void)
{
  Suite *s = suite_create ("recslices");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_sets_between_the_slices_of_one_picture_are_left_out);
  tcase_add_test (tc, test_only_what_is_the_same_is_left_out);
  tcase_add_test (tc, test_fragments_of_a_slice_are_one);
  tcase_add_test (tc, test_aggregates_lose_what_is_repeated_in_them);
  tcase_add_test (tc, test_h265_has_three_kinds_of_sets);
  tcase_add_test (tc, test_units_of_an_aggregate_that_are_cut_off_are_left_out);
  tcase_add_test (tc, test_what_is_broken_passes);
  return s;
}

GST_CHECK_MAIN (recslices);
