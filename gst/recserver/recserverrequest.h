/* gst-tsrec: a request to the recording service, and its response
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * On the service's thread only.
 */

#pragma once

#include "recserverconfig.h"
#include "recserverlistener.h"

#include <json-glib/json-glib.h>
#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _RecServerRequest RecServerRequest;

RecServerRequest *rec_server_request_new (
    RecServerListener *listener, SoupServerMessage *msg);
RecServerRequest *rec_server_request_ref (RecServerRequest *request);
void rec_server_request_unref (RecServerRequest *request);

SoupServerMessage *rec_server_request_get_message (RecServerRequest *request);

/* A component of the path that the route names, NULL if it does not. */
void rec_server_request_set_param (
    RecServerRequest *request, const gchar *name, const gchar *value);
const gchar *rec_server_request_get_param (
    RecServerRequest *request, const gchar *name);
/* Returns a decoded parameter of the query, NULL if it is missing. */
const gchar *rec_server_request_get_query (
    RecServerRequest *request, const gchar *name);
/* Returns a header, or NULL. */
const gchar *rec_server_request_get_header (
    RecServerRequest *request, const gchar *name);
/* Returns the body, which may contain NULs. */
GBytes *rec_server_request_dup_body (RecServerRequest *request);
/* Returns the body as JSON, NULL with @error. Owned by @request. */
JsonObject *rec_server_request_get_json (
    RecServerRequest *request, GError **error);

/* Return the numeric address of the client and of this host, NULL if unknown. */
const gchar *rec_server_request_get_remote (RecServerRequest *request);
const gchar *rec_server_request_get_local (RecServerRequest *request);
/* Returns "http://host:port" as the client sees it. Caller frees. */
gchar *rec_server_request_dup_base (RecServerRequest *request);

/* @authorized: the request has a valid token. */
void rec_server_request_set_authorized (
    RecServerRequest *request, gboolean authorized);
gboolean rec_server_request_is_authorized (RecServerRequest *request);

/* Glob of the IDs that the client may see or change; default "*". */
void rec_server_request_set_pattern (
    RecServerRequest *request, const gchar *pattern);
const gchar *rec_server_request_get_pattern (RecServerRequest *request);

/* The response follows later: exactly one reply function must be called. */
void rec_server_request_pause (RecServerRequest *request);

/* Ends a pause without a reply function, if the response is sent in another way.
 */
void rec_server_request_resume (RecServerRequest *request);

/* Takes @object. */
void rec_server_request_reply_json (
    RecServerRequest *request, guint status, JsonObject *object);
/* Takes @error. */
void rec_server_request_reply_error (RecServerRequest *request, GError *error);
/* @text may be NULL. Copied. */
void rec_server_request_reply_text (RecServerRequest *request, guint status,
    const gchar *type, const gchar *text);
/* Sets a header of the response. Call it before the reply function. */
void rec_server_request_set_header (
    RecServerRequest *request, const gchar *name, const gchar *value);

void rec_server_request_remove_header (
    RecServerRequest *request, const gchar *name);
/* Returns TRUE if the answer has headers only. */
gboolean rec_server_request_is_head (RecServerRequest *request);

/* Replies before the body has been read: the rest of the body is discarded, and
 * the connection is closed after the response. Takes @error. */
void rec_server_request_refuse (RecServerRequest *request, GError *error);

G_END_DECLS
