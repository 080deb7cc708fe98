/* gst-tsrec: asking for a key frame until there is something to decode
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtckeywatch.h"

#include <gst/check/gstcheck.h>

#define FRAME 40000

static RtcKeyWatch watch;
static gint64 now;
static guint32 rtp_time;
static guint warnings;

static void
setup (void)
{
  rtc_key_watch_init (&watch);
  now = 1;
  rtp_time = 7;
  warnings = 0;
}

/* Pictures of two packets each for @seconds; returns how often to ask. */
static guint
send (guint seconds, gint64 frame)
{
  gint64 end = now + seconds * G_USEC_PER_SEC;
  guint asked = 0, i;

  for (; now < end; now += frame, rtp_time += 3600) {
    for (i = 0; i < 2; i++) {
      RtcKeyWatchVerdict verdict =
          rtc_key_watch_packet (&watch, rtp_time, now + i);

      asked += verdict != RTC_KEY_WATCH_WAIT;
      warnings += verdict == RTC_KEY_WATCH_ASK_AND_WARN;
    }
  }
  return asked;
}

GST_START_TEST (test_it_asks_ever_less_often_but_always)
{
  guint i;

  fail_unless_equals_int (send (1, FRAME), 0);
  fail_unless_equals_int (send (1, FRAME), 1);
  fail_unless_equals_int (send (10, FRAME), 3);
  fail_unless_equals_int (warnings, 1);
  for (i = 0; i < 10; i++)
    fail_unless (send (20, FRAME) >= 1);
  fail_unless_equals_int (warnings, 1);
}
GST_END_TEST;

GST_START_TEST (test_a_picture_ends_the_asking)
{
  send (4, FRAME);
  rtc_key_watch_picture (&watch);
  fail_unless_equals_int (send (1, FRAME), 0);
  rtc_key_watch_picture (&watch);
  /* A long loss in the middle: from the start again. */
  fail_unless_equals_int (send (2, FRAME), 1);
  fail_unless_equals_int (warnings, 0);
}
GST_END_TEST;

/* Its pictures leave the depayloader with the next, a second later. */
GST_START_TEST (test_a_slow_stream_is_not_overdue)
{
  guint i;

  for (i = 0; i < 100; i++) {
    fail_unless_equals_int (send (2, G_USEC_PER_SEC), 0);
    rtc_key_watch_picture (&watch);
  }
}
GST_END_TEST;

static Suite *
reckeywatch_suite (void)
{
  Suite *s = suite_create ("reckeywatch");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, NULL);
  tcase_add_test (tc, test_it_asks_ever_less_often_but_always);
  tcase_add_test (tc, test_a_picture_ends_the_asking);
  tcase_add_test (tc, test_a_slow_stream_is_not_overdue);
  return s;
}

GST_CHECK_MAIN (reckeywatch);
