/* gst-tsrec: verification of the DTLS certificate of a peer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * webrtcbin 1.22 accepts any certificate in the DTLS handshake. RtcDtlsVerifier
 * drops all decrypted data of every transport of a webrtcbin, until the
 * certificate of the handshake matches the remote description (RFC 8827 section
 * 6.5). OpenSSL reports the certificate before the handshake has produced keys.
 * Therefore no data of a verified peer is lost, and no data of another peer
 * passes.
 */

#pragma once

#include <gst/sdp/sdp.h>

G_BEGIN_DECLS

typedef struct _RtcDtlsVerifier RtcDtlsVerifier;

/* The reason for the end of a session whose certificate is refused. */
#define RTC_DTLS_VERIFIER_REFUSED                                              \
  "the peer's DTLS certificate does not match the fingerprint in its session " \
  "description (RFC 8827 section 6.5): another party answered, or a proxy "    \
  "changed one of them"

/* A certificate does not match. Called once, on a thread of webrtcbin that holds
 * locks of the DTLS connection: pass it to another thread and return. */
typedef void (*RtcDtlsVerifierRefusedFunc) (gpointer user_data);

/* @webrtc: a webrtcbin without a remote description. A call of @refused may
 * still be running after rtc_dtls_verifier_unref(). @destroy frees @user_data
 * when no further call is possible. */
RtcDtlsVerifier *rtc_dtls_verifier_new (GstElement *webrtc,
    RtcDtlsVerifierRefusedFunc refused, gpointer user_data,
    GDestroyNotify destroy);
/* Called after webrtcbin has stopped. NULL is allowed. */
void rtc_dtls_verifier_unref (RtcDtlsVerifier *peer);

/* Sets the description to verify against, before webrtcbin gets it. Any
 * thread. */
void rtc_dtls_verifier_set_remote (
    RtcDtlsVerifier *peer, const GstSDPMessage *remote);

/* Returns TRUE if the peer sent a certificate, and all its certificates are
 * allowed. Any thread. */
gboolean rtc_dtls_verifier_is_verified (RtcDtlsVerifier *peer);

G_END_DECLS
