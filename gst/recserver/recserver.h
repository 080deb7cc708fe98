/* gst-tsrec: the recording service
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Owns a thread with a GMainContext, on which everything runs but what may
 * block. The functions here are for any other thread.
 */

#pragma once

#include "recserverconfig.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RecServer RecServer;

/**
 * RecServerFunc: a message of a recording
 * @s: "recserver-recording"; the callee takes it
 *
 * On the service's thread.
 */
typedef void (*RecServerMessageFunc) (GstStructure *s, gpointer user_data);

/* Listens and starts the recordings that always run. NULL with @error, which
 * says what to do. */
RecServer *rec_server_new (RecServerConfig *config, RecServerMessageFunc func,
    gpointer user_data, GError **error);

/* Ends every recording, as a stop would, and closes the socket. No callback
 * runs after this has returned. Not from a callback. */
void rec_server_free (RecServer *server);

/* Settings of recordings, tokens and limits are taken over at once, by
 * recordings when they start; where the server listens and its folder stay.
 * FALSE with @error if that would let everybody in who reaches the server. */
gboolean rec_server_reconfigure (
    RecServer *server, RecServerConfig *config, GError **error);

/* Refuses new recordings, ends every one and calls @func, on the service's
 * thread, when their files are complete. */
void rec_server_finish (
    RecServer *server, void (*func) (gpointer user_data), gpointer user_data);

guint rec_server_get_port (RecServer *server);
/* Where the page is. Caller frees. */
gchar *rec_server_dup_url (RecServer *server);

G_END_DECLS
