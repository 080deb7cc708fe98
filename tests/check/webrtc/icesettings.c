/* gst-tsrec: the ports and addresses of ICE that are set by properties
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtcicesettings.h"

#include "rectest.h"

#include <gst/check/gstcheck.h>

#define HOST4 "a=candidate:1 1 UDP 2015363327 10.0.0.5 50001 typ host\r\n"
#define LO4 "a=candidate:2 1 UDP 2015363583 127.0.0.1 50001 typ host\r\n"
#define HOST6 "a=candidate:3 1 UDP 2015363839 2001:db8::5 50002 typ host\r\n"
#define TCP4                                                                   \
  "a=candidate:4 1 TCP 1015021823 10.0.0.5 9 typ host tcptype active\r\n"
#define REFLEXIVE                                                              \
  "a=candidate:5 1 UDP 1677722111 198.51.100.7 50001 typ srflx raddr "         \
  "10.0.0.5 rport 50001\r\n"

GST_START_TEST (test_values_are_checked)
{
  static const struct
  {
    const gchar *ports, *address, *named;
  } rows[] = { { NULL, NULL, NULL }, { "", "", NULL },
    { "50000-50099", NULL, NULL }, { "1-65535", NULL, NULL },
    { "7-7", NULL, NULL }, { NULL, "203.0.113.5", NULL },
    { NULL, "2001:db8::1", NULL }, { NULL, "203.0.113.5, 2001:db8::1", NULL },
    { "50000", NULL, "port-range" }, { "0-9", NULL, "port-range" },
    { "9-8", NULL, "port-range" }, { "1-65536", NULL, "port-range" },
    { "1-2-3", NULL, "port-range" }, { "a-b", NULL, "port-range" },
    { "-5-9", NULL, "port-range" }, { NULL, "example.org", "public-address" },
    { NULL, "203.0.113.5:80", "public-address" },
    { NULL, "203.0.113.0/24", "public-address" },
    { NULL, "203.0.113.5,203.0.113.6", "public-address" },
    { NULL, "203.0.113.5,", "public-address" }, { NULL, ",", "public-address" },
    { NULL, "0.0.0.0", "public-address" },
    { NULL, "ff02::1", "public-address" },
    { NULL, "203.0.113.5,2001:db8::1,2001:db8::2", "public-address" } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GError *error = NULL;
    gboolean ok =
        rtc_ice_settings_check (rows[i].ports, rows[i].address, &error);

    fail_unless_equals_int (ok, rows[i].named == NULL);
    fail_unless (
        ok || g_str_has_prefix (error->message, rows[i].named), "row %u", i);
    g_clear_error (&error);
  }
}

GST_END_TEST;

static void
assert_published (
    const gchar *text, const gchar *address, const gchar *expected)
{
  gchar *published = rtc_ice_settings_publish (text, address);

  fail_unless_equals_string (published, expected);
  g_free (published);
}

GST_START_TEST (test_host_candidates_get_the_address)
{
  assert_published (
      "v=0\r\n" HOST4 "a=mid:0\r\n", NULL, "v=0\r\n" HOST4 "a=mid:0\r\n");
  assert_published ("v=0\r\n" HOST4 "a=mid:0\r\n", "203.0.113.5",
      "v=0\r\na=candidate:1 1 UDP 2015363327 203.0.113.5 50001 typ host\r\n"
      "a=mid:0\r\n");
  /* another family stays; what has been found by STUN stays */
  assert_published (HOST6 REFLEXIVE, "203.0.113.5", HOST6 REFLEXIVE);
  assert_published (HOST4 HOST6, "203.0.113.5,2001:0db8:0::1",
      "a=candidate:1 1 UDP 2015363327 203.0.113.5 50001 typ host\r\n"
      "a=candidate:3 1 UDP 2015363839 2001:db8::1 50002 typ host\r\n");
  assert_published (TCP4, "203.0.113.5",
      "a=candidate:4 1 TCP 1015021823 203.0.113.5 9 typ host tcptype active"
      "\r\n");
  assert_published ("a=candidate:broken\r\na=end", "203.0.113.5",
      "a=candidate:broken\r\na=end");
  assert_published ("", "203.0.113.5", "");
}

GST_END_TEST;

GST_START_TEST (test_candidates_that_become_the_same_are_there_once)
{
  static const gchar once[] =
      "a=candidate:1 1 UDP 2015363327 203.0.113.5 50001 typ host\r\n";

  assert_published (HOST4 LO4 "a=x\r\n", "203.0.113.5",
      "a=candidate:1 1 UDP 2015363327 203.0.113.5 50001 typ host\r\na=x\r\n");
  /* in each m-line */
  {
    gchar *text = g_strconcat (
        "m=audio\r\n", HOST4, LO4, "m=video\r\n", HOST4, LO4, NULL);
    gchar *expected =
        g_strconcat ("m=audio\r\n", once, "m=video\r\n", once, NULL);

    assert_published (text, "203.0.113.5", expected);
    g_free (text);
    g_free (expected);
  }
}

GST_END_TEST;

static Suite *
icesettings_suite (void)
{
  Suite *s = suite_create ("icesettings");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_values_are_checked);
  tcase_add_test (tc, test_host_candidates_get_the_address);
  tcase_add_test (tc, test_candidates_that_become_the_same_are_there_once);
  return s;
}

GST_CHECK_MAIN (icesettings);
