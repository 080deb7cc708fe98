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

GST_START_TEST (test_a_repeated_report_keeps_its_arrival)
{
  RtcSenderClock clock = { 0 };
  gint64 utc = 0;

  rtc_sender_clock_add (&clock, ntp (0), 0);
  rtc_sender_clock_add (&clock, ntp (0), SECOND);
  fail_unless (rtc_sender_clock_get_wall_clock (&clock, SECOND, &utc));
  fail_unless_equals_int64 (utc, (UNIX_2026 + 1) * SECOND);
}

GST_END_TEST;

GST_START_TEST (test_the_newest_report_counts_after_a_jump)
{
  RtcSenderClock clock = { 0 };
  gint64 utc = 0;
  guint i;

  for (i = 0; i < 20; i++)
    rtc_sender_clock_add (&clock, ntp (i), i * SECOND);
  rtc_sender_clock_add (&clock, ntp (3600 + i), i * SECOND);
  fail_unless (rtc_sender_clock_get_wall_clock (&clock, i * SECOND, &utc));
  fail_unless_equals_int64 (utc, (UNIX_2026 + 3600 + i) * SECOND);
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
  tcase_add_test (tc, test_a_repeated_report_keeps_its_arrival);
  tcase_add_test (tc, test_the_newest_report_counts_after_a_jump);
  return s;
}

GST_CHECK_MAIN (recclock);
