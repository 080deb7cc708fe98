/* gst-tsrec: publishes to recwhipsrc without webrtcbin, for tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "rtctestpeer.h"

G_BEGIN_DECLS

/* Payload types of the offer: H.264, its retransmissions (RFC 4588), Opus. */
#define RTC_TEST_VIDEO_PT 96
#define RTC_TEST_RTX_PT 97
#define RTC_TEST_AUDIO_PT 111

/* Posts an offer to @url, and connects to what the answer says, at 127.0.0.1
 * if that is there, within @timeout ms. Returns NULL when that is refused or fails. Any thread. */
RtcTestPeer *rtc_test_publish (
    const gchar *url, RtcCertificate *certificate, gint timeout);
/* The same with more lines in the m-line of the video, "a=…\r\n". */
RtcTestPeer *rtc_test_publish_lines (const gchar *url,
    RtcCertificate *certificate, const gchar *lines, gint timeout);

G_END_DECLS
