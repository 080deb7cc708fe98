/* gst-tsrec: nothing of a peer is used before its certificate is verified
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * webrtcbin 1.22 takes any certificate in the DTLS handshake. A RtcDtlsVerifier holds
 * every transport of a webrtcbin shut: what comes out of its decryption is
 * dropped until the certificate of the handshake is one that the remote
 * description names (RFC 8827 section 6.5). OpenSSL shows the certificate
 * before the handshake has made any keys, so that nothing of a peer that is
 * verified is lost, and nothing of another one passes.
 */

#pragma once

#include <gst/sdp/sdp.h>

G_BEGIN_DECLS

typedef struct _RtcDtlsVerifier RtcDtlsVerifier;

/* What a session that is refused for its certificate ends with. */
#define RTC_DTLS_VERIFIER_REFUSED                                              \
  "the peer's DTLS certificate does not match the fingerprint in its session " \
  "description (RFC 8827 section 6.5), so it is somebody else, or a proxy "    \
  "that changed one of them"

/* A certificate does not match. Once, on a thread of webrtcbin that holds locks
 * of the DTLS connection: hand it over, and return. */
typedef void (*RtcDtlsVerifierRefusedFunc) (gpointer user_data);

/* @webrtc: a webrtcbin without a remote description. @refused is not called
 * after rtc_dtls_verifier_unref() unless it is running already: @user_data is freed with
 * @destroy when nothing can call it any more. */
RtcDtlsVerifier *rtc_dtls_verifier_new (GstElement *webrtc,
    RtcDtlsVerifierRefusedFunc refused, gpointer user_data,
    GDestroyNotify destroy);
/* Once webrtcbin has stopped. NULL is allowed. */
void rtc_dtls_verifier_unref (RtcDtlsVerifier *peer);

/* The description that webrtcbin gets next. Any thread. */
void rtc_dtls_verifier_set_remote (
    RtcDtlsVerifier *peer, const GstSDPMessage *remote);

/* TRUE when a certificate was shown, and every one that was is allowed. Any
 * thread. */
gboolean rtc_dtls_verifier_is_verified (RtcDtlsVerifier *peer);

G_END_DECLS
