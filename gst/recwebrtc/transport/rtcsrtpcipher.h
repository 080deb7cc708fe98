/* gst-tsrec: AES-GCM of OpenSSL for libsrtp2
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Debian builds libsrtp2 with NSS, which takes twice as long for a
 * packet of WebRTC: it looks up the key in a table, with locks, and allocates
 * and frees its state for every packet.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Makes libsrtp2, which is initialised, use OpenSSL for AES-128-GCM and
 * AES-256-GCM in sessions that are made from now on, in the whole process.
 * libsrtp2 first tests the ciphers with its own vectors. Returns FALSE if it
 * refuses one of them, and keeps its own then. Once. */
gboolean rtc_srtp_cipher_install (void);

G_END_DECLS
