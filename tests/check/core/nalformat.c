/* gst-tsrec: tests of NAL units with length prefixes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recnalformat.h"

#include <gst/check/gstcheck.h>
#include <string.h>

/* One SPS of three bytes and one PPS of two, lengths of four bytes. */
static const guint8 avcc[] = { 1, 0x42, 0xc0, 0x0d, 0xff, 0xe1, 0, 3, 0x67,
  0x42, 0xc0, 1, 0, 2, 0x68, 0xcb };

/* VPS, SPS and PPS of two bytes each, and an SEI that is not a parameter set;
 * lengths of two bytes. */
static const guint8 hvcc[] = { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0xfd, 4, 0xa0, 0, 1, 0, 2, 0x40, 0x01, 0xa1, 0, 1, 0, 2, 0x42,
  0x01, 0xa2, 0, 1, 0, 2, 0x44, 0x01, 0xa7, 0, 1, 0, 2, 0x4e, 0x01 };

static void
assert_converted (RecNalFormat *format, const guint8 *data, gsize size,
    const guint8 *expected, gsize expected_size)
{
  const guint8 *out;
  gsize out_size;

  fail_unless (rec_nal_format_convert (format, data, size, &out, &out_size));
  fail_unless_equals_int (out_size, expected_size);
  fail_unless (memcmp (out, expected, expected_size) == 0);
}

GST_START_TEST (test_first_access_unit_gets_the_parameter_sets)
{
  static const guint8 au[] = { 0, 0, 0, 2, 0x65, 0x88, 0, 0, 0, 1, 0x0c };
  static const guint8 first[] = { 0, 0, 0, 1, 0x67, 0x42, 0xc0, 0, 0, 0, 1,
    0x68, 0xcb, 0, 0, 0, 1, 0x65, 0x88, 0, 0, 0, 1, 0x0c };
  static const guint8 second[] = { 0, 0, 0, 1, 0x65, 0x88, 0, 0, 0, 1, 0x0c };
  const gchar *reason;
  RecNalFormat format;

  fail_unless (rec_nal_format_init (
      &format, REC_NAL_H264, avcc, sizeof (avcc), &reason));
  fail_unless_equals_int (format.length_size, 4);
  assert_converted (&format, au, sizeof (au), first, sizeof (first));
  assert_converted (&format, au, sizeof (au), second, sizeof (second));
  rec_nal_format_clear (&format);
}
GST_END_TEST;

/* ITU-T H.264 7.4.1.2.3: a delimiter is the first NAL unit. */
GST_START_TEST (test_parameter_sets_follow_a_delimiter)
{
  static const guint8 au[] = { 0, 0, 0, 2, 0x09, 0xf0, 0, 0, 0, 1, 0x65 };
  static const guint8 expected[] = { 0, 0, 0, 1, 0x09, 0xf0, 0, 0, 0, 1, 0x67,
    0x42, 0xc0, 0, 0, 0, 1, 0x68, 0xcb, 0, 0, 0, 1, 0x65 };
  const gchar *reason;
  RecNalFormat format;

  fail_unless (rec_nal_format_init (
      &format, REC_NAL_H264, avcc, sizeof (avcc), &reason));
  assert_converted (&format, au, sizeof (au), expected, sizeof (expected));
  rec_nal_format_clear (&format);
}
GST_END_TEST;

GST_START_TEST (test_sets_of_h265_are_taken_and_nothing_else)
{
  static const guint8 au[] = { 0, 3, 0x26, 0x01, 0xaf };
  static const guint8 expected[] = { 0, 0, 0, 1, 0x40, 0x01, 0, 0, 0, 1, 0x42,
    0x01, 0, 0, 0, 1, 0x44, 0x01, 0, 0, 0, 1, 0x26, 0x01, 0xaf };
  const gchar *reason;
  RecNalFormat format;

  fail_unless (rec_nal_format_init (
      &format, REC_NAL_H265, hvcc, sizeof (hvcc), &reason));
  fail_unless_equals_int (format.length_size, 2);
  assert_converted (&format, au, sizeof (au), expected, sizeof (expected));
  rec_nal_format_clear (&format);
}
GST_END_TEST;

/* A copy that ends where it says, so that a memory checker sees a read past
 * its end. */
static gboolean
init_cut (
    RecNalFormat *format, RecNalSyntax syntax, const guint8 *record, gsize size)
{
  guint8 *copy = g_memdup2 (record, size);
  const gchar *reason = NULL;
  gboolean ok = rec_nal_format_init (format, syntax, copy, size, &reason);

  fail_unless (ok || reason != NULL);
  g_free (copy);
  return ok;
}

GST_START_TEST (test_damaged_records_and_access_units_are_refused)
{
  static const guint8 au[] = { 0, 0, 0, 2, 0x65, 0x88, 0, 0, 0, 1, 0x0c };
  const guint8 *out;
  RecNalFormat format;
  gsize size;

  for (gsize n = 0; n < sizeof (avcc); n++)
    fail_if (init_cut (&format, REC_NAL_H264, avcc, n));
  for (gsize n = 0; n < sizeof (hvcc); n++)
    fail_if (init_cut (&format, REC_NAL_H265, hvcc, n));
  fail_if (init_cut (&format, REC_NAL_H266, avcc, sizeof (avcc)));
  fail_unless (init_cut (&format, REC_NAL_H264, avcc, sizeof (avcc)));
  for (gsize n = 0; n < sizeof (au); n++) {
    guint8 *copy = g_memdup2 (au, n + 1);

    fail_unless_equals_int (
        rec_nal_format_convert (&format, copy, n, &out, &size), n == 6);
    g_free (copy);
  }
  rec_nal_format_clear (&format);
}
GST_END_TEST;

static Suite *
nalformat_suite (void)
{
  Suite *s = suite_create ("nalformat");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_first_access_unit_gets_the_parameter_sets);
  tcase_add_test (tc, test_parameter_sets_follow_a_delimiter);
  tcase_add_test (tc, test_sets_of_h265_are_taken_and_nothing_else);
  tcase_add_test (tc, test_damaged_records_and_access_units_are_refused);
  return s;
}

GST_CHECK_MAIN (nalformat);
