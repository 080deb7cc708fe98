/* gst-tsrec: the HTTP side of a WHIP or WHEP client
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Belongs to one GMainContext: every function is called on its thread, every
 * callback arrives there, nothing blocks.
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The code is the HTTP status, 0 when there was no answer. */
#define WHIP_CLIENT_ERROR (whip_client_error_quark ())
GQuark whip_client_error_quark (void);

typedef struct _WhipClient WhipClient;

/**
 * WhipClientAnswerFunc:
 * @answer: session description of the server, or NULL
 * @error: why there is none (WHIP_CLIENT_ERROR): names the URL (without
 *   user, password and query), the status and what the server said; says what
 *   to do
 * @temporary: the same offer may succeed later (no connection, 5xx, 409, 429;
 * not when the certificate of the server is refused)
 */
typedef void (*WhipClientAnswerFunc) (WhipClient *client, const gchar *answer,
    const GError *error, gboolean temporary, gpointer user_data);
/* @error is NULL when the server has removed the session. */
typedef void (*WhipClientDoneFunc) (
    WhipClient *client, const GError *error, gpointer user_data);

/* @context: its thread-default context when called back. @insecure: take any
 * TLS certificate. Strings are copied; @token may be NULL. */
WhipClient *whip_client_new (GMainContext *context, const gchar *url,
    const gchar *token, gboolean insecure);

/* Stops what is under way without a callback. */
void whip_client_free (WhipClient *client);

/* POSTs @offer, following redirects (at most 5; the token goes along, but not
 * from HTTPS to HTTP). One at a time. */
void whip_client_offer (WhipClient *client, const gchar *offer,
    WhipClientAnswerFunc func, gpointer user_data);

/* DELETEs the session that the last offer has opened; calls back at once when
 * there is none. @func may be NULL. */
void whip_client_remove (
    WhipClient *client, WhipClientDoneFunc func, gpointer user_data);

/* The same, waiting for at most @timeout_ms while the context goes on: for the
 * end, when the process may be about to exit. */
void whip_client_remove_sync (WhipClient *client, guint timeout_ms);

/* URL of the session, or NULL. */
const gchar *whip_client_get_session (WhipClient *client);
/* Host that location names, or NULL when that is no URL. Caller frees. */
gchar *whip_client_dup_host (WhipClient *client);

G_END_DECLS
