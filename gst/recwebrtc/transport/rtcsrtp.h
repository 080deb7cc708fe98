/* gst-tsrec: SRTP and SRTCP of one transport
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * RFC 3711 and RFC 7714 by libsrtp2, with the keys of a DTLS handshake
 * (RFC 5764). Authenticates and decrypts in place, keeps the rollover counter
 * and a replay window for each SSRC, and bounds the number of SSRCs. Not
 * thread safe: one thread at a time.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Master key and salt of the largest profile (AEAD_AES_256_GCM: 32 + 12). */
#define RTC_SRTP_MAX_KEY 46
/* Bytes that protecting RTCP may add: tag, index, alignment. */
#define RTC_SRTP_MAX_TRAILER 148
/* SSRCs that a peer may send at a time, those of retransmission included. */
#define RTC_SRTP_MAX_SSRCS 32

/* Protection profiles: the numbers of RFC 5764 section 4.1.2, RFC 7714
 * section 14.2. */
#define RTC_SRTP_AES128_CM_SHA1_80 0x0001
#define RTC_SRTP_AEAD_AES_128_GCM 0x0007
#define RTC_SRTP_AEAD_AES_256_GCM 0x0008

/**
 * RtcSrtpKeys:
 * @profile: one of the protection profiles
 * @local: our master key, followed by our salt
 * @remote: those of the peer
 */
typedef struct
{
  guint profile;
  guint8 local[RTC_SRTP_MAX_KEY];
  guint8 remote[RTC_SRTP_MAX_KEY];
} RtcSrtpKeys;

typedef struct _RtcSrtp RtcSrtp;

/* Initialises libsrtp2, once. Early, as the library is not ready for another
 * thread in the meantime. It says that it failed where GStreamer's own srtp
 * plugin has done so before in the same process, and all is well: whether it is
 * shows with rtc_srtp_new(). */
void rtc_srtp_init (void);

/* Returns FALSE when @profile is none of the above; otherwise how many bytes
 * of master key and of salt it takes. */
gboolean rtc_srtp_get_sizes (guint profile, gsize *key, gsize *salt);

/* Returns NULL when libsrtp2 refuses the keys. */
RtcSrtp *rtc_srtp_new (const RtcSrtpKeys *keys);
void rtc_srtp_free (RtcSrtp *srtp);

/* Return FALSE when the packet is not authentic, was there before, is older
 * than the replay window, or is of one SSRC too many. *@size becomes smaller.
 * @data need not be aligned. */
gboolean rtc_srtp_unprotect_rtp (RtcSrtp *srtp, guint8 *data, gsize *size);
gboolean rtc_srtp_unprotect_rtcp (RtcSrtp *srtp, guint8 *data, gsize *size);
/* @data has room for RTC_SRTP_MAX_TRAILER more bytes. */
gboolean rtc_srtp_protect_rtp (RtcSrtp *srtp, guint8 *data, gsize *size);
gboolean rtc_srtp_protect_rtcp (RtcSrtp *srtp, guint8 *data, gsize *size);

/* Forgets @ssrc of the peer, which has ended, to make room for another one. */
void rtc_srtp_remove_ssrc (RtcSrtp *srtp, guint32 ssrc);

G_END_DECLS
