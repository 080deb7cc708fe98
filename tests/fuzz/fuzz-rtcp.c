/* gst-tsrec: fuzz target, what a peer may send as RTCP, and as anything else
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The input is one decrypted datagram. No datagram is of two kinds (RFC 7983).
 */

#include "fuzz.h"
#include "rtcdtls.h"
#include "rtcrtcp.h"
#include "rtcstun.h"

static guint64 sum;

static void
on_sender_report (
    guint32 ssrc, guint64 ntp, guint32 rtp_time, gpointer user_data)
{
  sum += ssrc + ntp + rtp_time;
}

static void
on_bye (guint32 ssrc, gpointer user_data)
{
  sum += ssrc;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const RtcRtcpCallbacks callbacks = { on_sender_report, on_bye };
  static gboolean initialised;

  if (!initialised) {
    gst_init (NULL, NULL);
    gst_debug_set_default_threshold (GST_LEVEL_NONE);
    initialised = TRUE;
  }
  FUZZ_ASSERT (rtc_stun_is_stun (data, size) + rtc_dtls_is_dtls (data, size) +
              rtc_rtcp_is_rtcp (data, size) <=
          1,
      "a datagram of two kinds");
  rtc_rtcp_parse (data, size, &callbacks, NULL);
  return 0;
}
