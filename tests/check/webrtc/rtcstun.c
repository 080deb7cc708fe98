/* gst-tsrec: STUN Binding messages of ICE
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtcstun.h"

#include <arpa/inet.h>
#include <gst/check/gstcheck.h>
#include <string.h>

/* RFC 5769 section 2.1: the request of ICE, password VOkJxbRl1RmTxUk/WvJxBt. */
static const guint8 sample_request[] = { 0x00, 0x01, 0x00, 0x58, 0x21, 0x12,
  0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf,
  0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73,
  0x74, 0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e,
  0x00, 0x01, 0xff, 0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9, 0xb1, 0x51, 0x26,
  0x3b, 0x36, 0x00, 0x06, 0x00, 0x09, 0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36,
  0x76, 0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c,
  0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49, 0xc1,
  0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf };
#define SAMPLE_PASSWORD "VOkJxbRl1RmTxUk/WvJxBt"

static const guint8 id[RTC_STUN_ID_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
  12 };

GST_START_TEST (test_the_request_of_rfc_5769_is_read)
{
  RtcStunMessage message;

  fail_unless (
      rtc_stun_parse (sample_request, sizeof (sample_request), &message));
  fail_unless_equals_int (message.type, RTC_STUN_BINDING_REQUEST);
  fail_unless (message.has_fingerprint && message.controlled);
  fail_unless (!message.use_candidate && !message.controlling);
  fail_unless_equals_int (message.username_size, 9);
  fail_unless (memcmp (message.username, "evtj:h6vY", 9) == 0);
  fail_unless_equals_uint64 (message.tie_breaker, 0x932ff9b151263b36);
  fail_unless_equals_int (message.priority, 0x6e0001ff);
  fail_unless (rtc_stun_verify (sample_request, &message, SAMPLE_PASSWORD));
  fail_unless (!rtc_stun_verify (sample_request, &message, "another"));
}

GST_END_TEST;

GST_START_TEST (test_a_changed_byte_is_noticed)
{
  for (guint i = 0; i < sizeof (sample_request); i++) {
    guint8 data[sizeof (sample_request)];
    RtcStunMessage message;

    memcpy (data, sample_request, sizeof (data));
    /* The type of FINGERPRINT: another one is ignored there. */
    if (i >= 100 && i < 104)
      continue;
    data[i] ^= 0x40;
    fail_unless (!rtc_stun_parse (data, sizeof (data), &message) ||
            !rtc_stun_verify (data, &message, SAMPLE_PASSWORD),
        "byte %u", i);
  }
}

GST_END_TEST;

GST_START_TEST (test_a_message_that_is_cut_off_is_refused)
{
  for (gsize size = 0; size < sizeof (sample_request); size++) {
    guint8 *data = g_memdup2 (sample_request, size + 1);
    RtcStunMessage message;

    fail_unless (!rtc_stun_parse (data, size, &message), "%zu", size);
    g_free (data);
  }
}

GST_END_TEST;

GST_START_TEST (test_a_request_is_written_and_read)
{
  const RtcStunRequest request = { "them:us", "secret", TRUE, TRUE,
    0x123456789abcdef0, 12345 };
  guint8 data[RTC_STUN_MAX_SIZE];
  gsize size = rtc_stun_write_request (data, id, &request);
  RtcStunMessage message;

  fail_unless (rtc_stun_is_stun (data, size));
  fail_unless (rtc_stun_parse (data, size, &message));
  fail_unless (message.controlling && message.use_candidate);
  fail_unless (message.has_fingerprint);
  fail_unless_equals_uint64 (message.tie_breaker, request.tie_breaker);
  fail_unless_equals_int (message.priority, 12345);
  fail_unless (memcmp (message.id, id, sizeof (id)) == 0);
  fail_unless (rtc_stun_verify (data, &message, "secret"));
}

GST_END_TEST;

static void
check_mapped (const struct sockaddr *address, gsize length)
{
  guint8 data[RTC_STUN_MAX_SIZE];
  gsize size = rtc_stun_write_success (data, id, address, "secret");
  struct sockaddr_storage mapped;
  RtcStunMessage message;

  fail_unless (rtc_stun_parse (data, size, &message));
  fail_unless_equals_int (message.type, RTC_STUN_BINDING_SUCCESS);
  fail_unless (rtc_stun_verify (data, &message, "secret"));
  fail_unless (rtc_stun_get_mapped_address (&message, &mapped));
  fail_unless (memcmp (&mapped, address, length) == 0);
}

GST_START_TEST (test_a_success_names_the_address_of_the_peer)
{
  struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons (40000) };
  struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
    .sin6_port = htons (40001) };

  inet_pton (AF_INET, "192.0.2.7", &in.sin_addr);
  inet_pton (AF_INET6, "2001:db8::7", &in6.sin6_addr);
  check_mapped ((struct sockaddr *)&in, sizeof (in));
  check_mapped ((struct sockaddr *)&in6, sizeof (in6));
}

GST_END_TEST;

GST_START_TEST (test_an_error_has_its_code)
{
  guint8 data[RTC_STUN_MAX_SIZE];
  gsize size =
      rtc_stun_write_error (data, id, RTC_STUN_ROLE_CONFLICT, 0, "secret");
  RtcStunMessage message;

  fail_unless (rtc_stun_parse (data, size, &message));
  fail_unless_equals_int (message.type, RTC_STUN_BINDING_ERROR);
  fail_unless_equals_int (message.error, 487);
  fail_unless (rtc_stun_verify (data, &message, "secret"));
  size =
      rtc_stun_write_error (data, id, RTC_STUN_UNKNOWN_ATTRIBUTE, 0x7777, NULL);
  fail_unless (rtc_stun_parse (data, size, &message));
  fail_unless_equals_int (message.error, 420);
  fail_unless_equals_int (message.integrity, 0);
}

GST_END_TEST;

static Suite *
rtcstun_suite (void)
{
  Suite *s = suite_create ("rtcstun");
  TCase *tc = tcase_create ("messages");

  tcase_add_test (tc, test_the_request_of_rfc_5769_is_read);
  tcase_add_test (tc, test_a_changed_byte_is_noticed);
  tcase_add_test (tc, test_a_message_that_is_cut_off_is_refused);
  tcase_add_test (tc, test_a_request_is_written_and_read);
  tcase_add_test (tc, test_a_success_names_the_address_of_the_peer);
  tcase_add_test (tc, test_an_error_has_its_code);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (rtcstun);
