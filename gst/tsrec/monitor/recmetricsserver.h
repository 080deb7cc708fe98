/* gst-tsrec: serves the metrics of the process over HTTP
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Thread safe.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _RecMetricsServer RecMetricsServer;

/* Serves GET /metrics at @host:@port until the last reference is dropped. The
 * same @port returns the same server. Returns NULL and @error, with the remedy,
 * if the port is in use or this build has no server. */
RecMetricsServer *rec_metrics_server_acquire (
    const gchar *host, guint port, GError **error);
/* The caller holds no lock. @server may be NULL. */
void rec_metrics_server_release (RecMetricsServer *server);

G_END_DECLS
