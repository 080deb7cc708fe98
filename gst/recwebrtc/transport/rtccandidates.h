/* gst-tsrec: ICE candidates of this host
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Returns "candidate:…" (RFC 8839 section 5.1) for UDP port @number at each
 * address of the host, of the families given by @ipv4 and @ipv6; with @tcp, then
 * the passive ones for TCP (RFC 6544 section 4.5). Free with g_strfreev(). */
gchar **rtc_candidates_list (
    guint number, gboolean ipv4, gboolean ipv6, gboolean tcp);

G_END_DECLS
