/* gst-tsrec: authorization of requests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recserverconfig.h"
#include "recserverrequest.h"

G_BEGIN_DECLS

/* Returns TRUE if the Origin of @request is allowed and, without [auth], its Host
 * is a name of this host. Otherwise sets @error (403 or 421). Adds CORS headers.
 */
gboolean rec_server_auth_check_origin (
    const RecServerConfig *config, RecServerRequest *request, GError **error);

/* Returns TRUE if the token of @request has @role for @id, or for any id if @id
 * is NULL. Otherwise sets @error (401 or 403). If no token of the file allows it
 * and there is an auth-url, returns TRUE and sets *@ask. */
gboolean rec_server_auth_check (const RecServerConfig *config,
    RecServerRequest *request, RecServerRole role, const gchar *id,
    gboolean *ask, GError **error);

/* @error: NULL if the request is allowed; owned by the caller of the function. */
typedef void (*RecServerAuthFunc) (GError *error, gpointer user_data);

/* Sends a request to auth-url. @func is called in the thread-default main context. */
void rec_server_auth_ask (const RecServerConfig *config,
    RecServerRequest *request, RecServerRole role, const gchar *id,
    RecServerAuthFunc func, gpointer user_data);

/* "publish", "watch" or "control". */
const gchar *rec_server_role_get_name (RecServerRole role);

G_END_DECLS
