/* gst-tsrec: the HTTP side of a WHIP or WHEP client
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Belongs to one GMainContext: every function is called on its thread, every
 * callback runs there, and no function blocks, except
 * whip_client_remove_sync().
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The code is the HTTP status, 0 if there was no answer. */
#define WHIP_CLIENT_ERROR (whip_client_error_quark ())
GQuark whip_client_error_quark (void);

typedef struct _WhipClient WhipClient;

/**
 * WhipClientAnswerFunc:
 * @answer: session description of the server, or NULL
 * @error: reason if @answer is NULL (WHIP_CLIENT_ERROR). It contains the URL
 *   (without user, password and query), the status, the text of the server and
 *   advice
 * @temporary: the same offer may succeed later (no connection, 5xx, 409, 429).
 *   FALSE if the certificate of the server was refused
 */
typedef void (*WhipClientAnswerFunc) (WhipClient *client, const gchar *answer,
    const GError *error, gboolean temporary, gpointer user_data);
/* @error is NULL if the server has removed the session. */
typedef void (*WhipClientDoneFunc) (
    WhipClient *client, const GError *error, gpointer user_data);

/* @context: thread-default context of the caller. @insecure: accept any TLS
 *   certificate. @token may be NULL. Strings are copied. */
WhipClient *whip_client_new (GMainContext *context, const gchar *url,
    const gchar *token, gboolean insecure);

/* Cancels requests in progress, without a callback. */
void whip_client_free (WhipClient *client);

/* POSTs @offer and follows at most 5 redirects. The token is sent to the new
 * location, but not from HTTPS to HTTP. One offer at a time. */
void whip_client_offer (WhipClient *client, const gchar *offer,
    WhipClientAnswerFunc func, gpointer user_data);

/* DELETEs the session that the last offer has opened. If there is none, @func
 * is called at once. @func may be NULL. */
void whip_client_remove (
    WhipClient *client, WhipClientDoneFunc func, gpointer user_data);

/* Like whip_client_remove(), but runs the context and waits for at most
 * @timeout_ms: for the end of the process. */
void whip_client_remove_sync (WhipClient *client, guint timeout_ms);

/* Returns the URL of the session, or NULL. */
const gchar *whip_client_get_session (WhipClient *client);
/* Returns the host of the location, or NULL if it is not a URL. Caller
 * frees. */
gchar *whip_client_dup_host (WhipClient *client);

G_END_DECLS
