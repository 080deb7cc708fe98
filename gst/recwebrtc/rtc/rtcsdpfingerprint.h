/* gst-tsrec: certificate fingerprints of session descriptions
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Compares a=fingerprint (RFC 8122) with the certificate of the DTLS handshake.
 * Only this comparison ties the media to the peer whose description arrived over
 * HTTP (RFC 8827 section 6.5). Pure functions, any thread.
 */

#pragma once

#include <gst/sdp/sdp.h>

G_BEGIN_DECLS

/* Returns the a=fingerprint values of the transport of m-line @media: those of
 * the m-line, or else those of the session. If the m-line is bundled, rejected
 * or missing, the first m-line of the group is used instead, or else the first
 * m-line that is not rejected (RFC 8859: category TRANSPORT). The array is NULL
 * terminated and may be empty. Free with g_strfreev(). */
gchar **rtc_sdp_fingerprint_list (const GstSDPMessage *sdp, guint media);

/* Returns the a=fingerprint values of @media, which may be NULL, or else those
 * of the session. Free with g_strfreev(). */
gchar **rtc_sdp_fingerprint_list_of (
    const GstSDPMessage *sdp, const GstSDPMedia *media);

/* Returns TRUE if one of @fingerprints can be verified: its hash is sha-1,
 * sha-256, sha-384 or sha-512 (in any case), and its length is that of the hash.
 * RFC 8122 section 5 forbids md2 and md5. */
gboolean rtc_sdp_fingerprint_is_usable (const gchar *const *fingerprints);

/* Returns TRUE if @fingerprints allow the certificate @pem. One of the
 * fingerprints with the strongest hash must match (RFC 8122 section 5.1).
 * Returns FALSE if no fingerprint can be verified. */
gboolean rtc_sdp_fingerprint_matches (
    const gchar *const *fingerprints, const gchar *pem);

G_END_DECLS
