/* gst-tsrec: the certificate that this process shows in DTLS handshakes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Self-signed, ECDSA with P-256 (RFC 8827 section 6.5), made when it is first
 * needed and replaced after a day: its fingerprint would tell a network that
 * two sessions are of the same recorder. Sessions keep the one that they were
 * described with. Any thread.
 */

#pragma once

#include <glib.h>
#include <openssl/ssl.h>

G_BEGIN_DECLS

typedef struct _RtcCertificate RtcCertificate;

/* Returns the certificate for a new session; caller unrefs. NULL with @error
 * (G_IO_ERROR) when OpenSSL could not make one. */
RtcCertificate *rtc_certificate_get (GError **error);
/* A certificate of its own, for tests. */
RtcCertificate *rtc_certificate_new (GError **error);
RtcCertificate *rtc_certificate_ref (RtcCertificate *certificate);
void rtc_certificate_unref (RtcCertificate *certificate);

/* "sha-256 AB:CD:…", as in a=fingerprint (RFC 8122). */
const gchar *rtc_certificate_get_fingerprint (RtcCertificate *certificate);
/* The settings for DTLS with this certificate; owned by it. */
SSL_CTX *rtc_certificate_get_context (RtcCertificate *certificate);

G_END_DECLS
