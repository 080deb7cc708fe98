/* gst-tsrec: the clock of a sender
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtcsenderclock.h"

#include <gst/check/gstcheck.h>

#define SECOND G_GINT64_CONSTANT (1000000)
/* 2026-01-01 in seconds since 1900 and since 1970. */
#define NTP_2026 G_GUINT64_CONSTANT (3976214400)
#define UNIX_2026 G_GINT64_CONSTANT (1767225600)

static guint64
ntp (gdouble seconds)
{
  return (NTP_2026 << 32) + (guint64)(seconds * 4294967296.0);
}

GST_START_TEST (test_wall_clock_follows_the_reports)
{
  RtcSenderClock clock = { 0 };
  gint64 utc = 0;

  fail_if (rtc_sender_clock_get_wall_clock (&clock, 0, &utc));
  rtc_sender_clock_add (&clock, ntp (0.5), 7 * SECOND);
  fail_unless (rtc_sender_clock_get_wall_clock (&clock, 8 * SECOND, &utc));
  fail_unless_equals_int64 (utc, UNIX_2026 * SECOND + 1500000);
}

GST_END_TEST;

GST_START_TEST (test_uptime_is_no_wall_clock)
{
  RtcSenderClock clock = { 0 };
  gint64 utc;

  rtc_sender_clock_add (&clock, G_GUINT64_CONSTANT (3600) << 32, SECOND);
  fail_if (rtc_sender_clock_get_wall_clock (&clock, SECOND, &utc));
}

GST_END_TEST;

GST_START_TEST (test_drift_is_found_beneath_the_jitter)
{
  RtcSenderClock clock = { 0 };
  gdouble ppm = 0;
  guint i;

  for (i = 0; i < 600; i++) {
    gdouble t = i * 1.0;
    /* ±20 ms that have nothing to do with the time */
    gint64 jitter = (gint64)((i * 7919) % 41) * 1000 - 20000;

    rtc_sender_clock_add (
        &clock, ntp (t * (1 + 100e-6)), (gint64)(t * SECOND) + jitter);
    if (i == 8)
      fail_if (rtc_sender_clock_get_drift (&clock, &ppm));
  }
  fail_unless (rtc_sender_clock_get_drift (&clock, &ppm));
  fail_unless (ppm > 90 && ppm < 110, "%f", ppm);
}

GST_END_TEST;

/* ±20 ms over 12 s would be taken for some 1000 ppm. */
GST_START_TEST (test_drift_within_the_jitter_is_not_told)
{
  RtcSenderClock clock = { 0 };
  gdouble ppm = 0, error = 0;
  guint i, known = 0;

  for (i = 0; i < 600; i++) {
    gint64 jitter = (gint64)((i * 7919) % 41) * 1000 - 20000;

    rtc_sender_clock_add (&clock, ntp (i), i * SECOND + jitter);
    if (i < 12)
      fail_if (rtc_sender_clock_get_drift (&clock, &ppm));
    if (!rtc_sender_clock_get_drift (&clock, &ppm))
      continue;
    known++;
    error = MAX (error, ABS (ppm));
  }
  fail_unless (known > 500, "%u", known);
  fail_unless (error < 600, "%f", error);
}

GST_END_TEST;

GST_START_TEST (test_a_jump_of_the_clock_begins_anew)
{
  RtcSenderClock clock = { 0 };
  gdouble ppm = 0;
  guint i;

  for (i = 0; i < 20; i++)
    rtc_sender_clock_add (&clock, ntp (i), i * SECOND);
  fail_unless (rtc_sender_clock_get_drift (&clock, &ppm));
  rtc_sender_clock_add (&clock, ntp (3600 + i), i * SECOND);
  fail_if (rtc_sender_clock_get_drift (&clock, &ppm));
}

GST_END_TEST;

static Suite *
recclock_suite (void)
{
  Suite *s = suite_create ("recclock");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_wall_clock_follows_the_reports);
  tcase_add_test (tc, test_uptime_is_no_wall_clock);
  tcase_add_test (tc, test_drift_is_found_beneath_the_jitter);
  tcase_add_test (tc, test_drift_within_the_jitter_is_not_told);
  tcase_add_test (tc, test_a_jump_of_the_clock_begins_anew);
  return s;
}

GST_CHECK_MAIN (recclock);
