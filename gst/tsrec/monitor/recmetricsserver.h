/* gst-tsrec: the metrics of the process over HTTP
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Thread safe.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _RecMetricsServer RecMetricsServer;

/* Serves GET /metrics at @host:@port until the last reference is dropped; the
 * same @port gives the same server. NULL and @error, which names the way out,
 * when the port is in use or this build has no server. */
RecMetricsServer *rec_metrics_server_acquire (
    const gchar *host, guint port, GError **error);
/* Hold no lock. NULL does nothing. */
void rec_metrics_server_release (RecMetricsServer *server);

G_END_DECLS
