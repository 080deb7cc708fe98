/* gst-tsrec: which certificates a session description allows
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * a=fingerprint (RFC 8122) against the certificate of the DTLS handshake: that
 * is all that ties the media to the peer whose description arrived by HTTP
 * (RFC 8827 section 6.5). Pure functions, any thread.
 */

#pragma once

#include <gst/sdp/sdp.h>

G_BEGIN_DECLS

/* The a=fingerprint values that hold for the transport of m-line @media: those
 * of the m-line, or else of the session. Under BUNDLE, and for an m-line that
 * is rejected or missing, they are those of the first m-line of the group, or
 * of the first m-line that is not rejected (RFC 8859: category TRANSPORT).
 * Returns a NULL terminated array, perhaps empty. Free with g_strfreev(). */
gchar **rtc_sdp_fingerprint_list (const GstSDPMessage *sdp, guint media);

/* Those of @media itself, which may be NULL, or else of the session. */
gchar **rtc_sdp_fingerprint_list_of (
    const GstSDPMessage *sdp, const GstSDPMedia *media);

/* Whether one of @fingerprints can be checked: a hash of RFC 8122 section 5
 * that is secure enough (sha-1, sha-256, sha-384, sha-512, in any case; md2 and
 * md5 must not be used) and as many bytes as that hash has. */
gboolean rtc_sdp_fingerprint_is_usable (const gchar *const *fingerprints);

/* Whether @fingerprints allow the certificate @pem. Only those of the strongest
 * hash count, and one of these has to match (RFC 8122 section 5.1). FALSE also
 * when nothing can be checked. */
gboolean rtc_sdp_fingerprint_matches (
    const gchar *const *fingerprints, const gchar *pem);

G_END_DECLS
