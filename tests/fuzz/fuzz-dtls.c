/* gst-tsrec: fuzz target, what a peer may send as DTLS before it is verified
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The input is a sequence of datagrams, each with its size in two bytes in
 * front, for a server and a client that have no other peer. Neither may come to
 * trust it.
 */

#include "fuzz.h"
#include "rtcdtls.h"

static void
ignore (const guint8 *data, gsize size, gpointer user_data)
{
}

static gboolean
refuse (const gchar *pem, gpointer user_data)
{
  return FALSE;
}

static void
feed (RtcCertificate *certificate, gboolean server, FuzzInput input)
{
  static const RtcDtlsCallbacks callbacks = { ignore, refuse };
  RtcDtls *dtls = rtc_dtls_new (certificate, server, &callbacks, NULL);
  RtcSrtpKeys keys;

  rtc_dtls_start (dtls);
  while (input.size > 2) {
    gsize size = fuzz_u16 (&input) & 2047;

    size = MIN (size, input.size);
    rtc_dtls_receive (dtls, input.data, size);
    input.data += size;
    input.size -= size;
  }
  FUZZ_ASSERT (
      rtc_dtls_get_state (dtls) != RTC_DTLS_CONNECTED, "connected to nobody");
  FUZZ_ASSERT (!rtc_dtls_get_keys (dtls, &keys), "keys of nobody");
  rtc_dtls_free (dtls);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static RtcCertificate *certificate;

  if (!certificate)
    certificate = rtc_certificate_new (NULL);
  feed (certificate, TRUE, (FuzzInput){ data, size });
  feed (certificate, FALSE, (FuzzInput){ data, size });
  return 0;
}
