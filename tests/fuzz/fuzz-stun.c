/* gst-tsrec: fuzz target, what anybody may send to the UDP port as STUN
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The input is one datagram. A message that is accepted points into it only,
 * and what is written as an answer is accepted as well.
 */

#include "fuzz.h"
#include "rtcstun.h"

#include <netinet/in.h>

static void
check_answers (const RtcStunMessage *message)
{
  struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = 1 };
  guint8 out[RTC_STUN_MAX_SIZE];
  struct sockaddr_storage mapped;
  RtcStunMessage answer;
  gsize size;

  size = rtc_stun_write_success (
      out, message->id, (struct sockaddr *)&address, "password");
  FUZZ_ASSERT (size <= sizeof (out) && rtc_stun_parse (out, size, &answer) &&
          rtc_stun_verify (out, &answer, "password") &&
          rtc_stun_get_mapped_address (&answer, &mapped),
      "an answer that is not valid");
  size = rtc_stun_write_error (
      out, message->id, RTC_STUN_UNKNOWN_ATTRIBUTE, message->unknown, NULL);
  FUZZ_ASSERT (size <= sizeof (out) && rtc_stun_parse (out, size, &answer),
      "an error that is not valid");
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct sockaddr_storage mapped;
  RtcStunMessage message;

  if (!rtc_stun_parse (data, size, &message))
    return 0;
  FUZZ_ASSERT (!message.username ||
          ((const uint8_t *)message.username >= data &&
              (const uint8_t *)message.username + message.username_size <=
                  data + size),
      "a user name outside of the datagram");
  FUZZ_ASSERT (message.integrity + 24 <= size || message.integrity == 0,
      "a signature outside of the datagram");
  rtc_stun_verify (data, &message, "password");
  rtc_stun_get_mapped_address (&message, &mapped);
  check_answers (&message);
  return 0;
}
