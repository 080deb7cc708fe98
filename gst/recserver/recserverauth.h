/* gst-tsrec: who may do what
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recserverconfig.h"
#include "recserverrequest.h"

G_BEGIN_DECLS

/* Whether @request comes from a page that may send it, by Origin, and, where
 * there is no [auth], was sent to this host by a name of its own. Otherwise
 * sets @error (status 403 or 421). Adds the headers of CORS. */
gboolean rec_server_auth_check_origin (
    const RecServerConfig *config, RecServerRequest *request, GError **error);

/* Whether the token of @request has @role for @id, or, with @id NULL, for any
 * id. Otherwise sets @error (status 401 or 403). With auth-url and no token of
 * the file that allows it, returns TRUE and sets *@ask. */
gboolean rec_server_auth_check (const RecServerConfig *config,
    RecServerRequest *request, RecServerRole role, const gchar *id,
    gboolean *ask, GError **error);

/* @error: NULL when it is allowed; belongs to the callee. */
typedef void (*RecServerAuthFunc) (GError *error, gpointer user_data);

/* Asks auth-url. @func is called in the thread-default main context. */
void rec_server_auth_ask (const RecServerConfig *config,
    RecServerRequest *request, RecServerRole role, const gchar *id,
    RecServerAuthFunc func, gpointer user_data);

/* "publish", "watch" or "control". */
const gchar *rec_server_role_get_name (RecServerRole role);

G_END_DECLS
