/* gst-tsrec: the recording service
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Owns a thread with a GMainContext. Everything runs on it, except operations
 * that may block. Call these functions from other threads only.
 */

#pragma once

#include "recserverconfig.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RecServer RecServer;

/**
 * RecServerMessageFunc: a message for the bus
 * @s: "recserver-recording", or "recserver-warning" with "text" (string): a
 *   warning about the service itself; the callee takes it
 *
 * Called on the service's thread, and by rec_server_new().
 */
typedef void (*RecServerMessageFunc) (GstStructure *s, gpointer user_data);

/* Listens and starts the recordings of paths with a source. Returns NULL with
 * @error, which contains advice. */
RecServer *rec_server_new (RecServerConfig *config, RecServerMessageFunc func,
    gpointer user_data, GError **error);

/* Stops every recording and closes the socket. No callback runs after this has
 * returned. Must not be called from a callback. */
void rec_server_free (RecServer *server);

/* Applies tokens and limits at once, and settings of recordings when they start.
 * The address, the port and the folder do not change. FALSE with @error if
 * everybody who reaches the server would be let in. */
gboolean rec_server_reconfigure (
    RecServer *server, RecServerConfig *config, GError **error);

/* Refuses new recordings, stops all, and calls @func on the service's thread
 * when their files are complete. */
void rec_server_finish (
    RecServer *server, void (*func) (gpointer user_data), gpointer user_data);

guint rec_server_get_port (RecServer *server);
/* Returns the URL of the page. Caller frees. */
gchar *rec_server_dup_url (RecServer *server);

G_END_DECLS
