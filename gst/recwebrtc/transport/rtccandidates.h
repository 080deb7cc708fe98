/* gst-tsrec: ICE candidates of this host
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Returns "candidate:…" (RFC 8839 section 5.1) for UDP port @number at each
 * address of the host, of the families given by @ipv4 and @ipv6. Free with
 * g_strfreev(). */
gchar **rtc_candidates_list (guint number, gboolean ipv4, gboolean ipv6);

G_END_DECLS
