/* gst-tsrec: a request to the recording service, and its answer
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

/* Components of the path that the route names; NULL when it does not. */
void rec_server_request_set_param (
    RecServerRequest *request, const gchar *name, const gchar *value);
const gchar *rec_server_request_get_param (
    RecServerRequest *request, const gchar *name);
/* Of the query, decoded; NULL when it is not there. */
const gchar *rec_server_request_get_query (
    RecServerRequest *request, const gchar *name);
/* A header, or NULL. */
const gchar *rec_server_request_get_header (
    RecServerRequest *request, const gchar *name);
/* The body as text, which may have NULs in it. */
GBytes *rec_server_request_dup_body (RecServerRequest *request);
/* The body as JSON; NULL with @error. Belongs to @request. */
JsonObject *rec_server_request_get_json (
    RecServerRequest *request, GError **error);

/* Numeric addresses of the client and of ours, NULL when unknown. */
const gchar *rec_server_request_get_remote (RecServerRequest *request);
const gchar *rec_server_request_get_local (RecServerRequest *request);
/* "http://host:port" as the client sees it. Caller frees. */
gchar *rec_server_request_dup_base (RecServerRequest *request);

/* Whether the client brought a token. */
void rec_server_request_set_authorized (
    RecServerRequest *request, gboolean authorized);
gboolean rec_server_request_is_authorized (RecServerRequest *request);

/* A glob of the IDs that the client may see or change; "*" unless set. */
void rec_server_request_set_pattern (
    RecServerRequest *request, const gchar *pattern);
const gchar *rec_server_request_get_pattern (RecServerRequest *request);

/* The answer comes later: exactly one of the reply functions is called. */
void rec_server_request_pause (RecServerRequest *request);

/* Ends a pause without a reply function: the answer is being sent otherwise. */
void rec_server_request_resume (RecServerRequest *request);

/* Takes @object. */
void rec_server_request_reply_json (
    RecServerRequest *request, guint status, JsonObject *object);
/* Takes @error. */
void rec_server_request_reply_error (RecServerRequest *request, GError *error);
/* @text may be NULL. Copied. */
void rec_server_request_reply_text (RecServerRequest *request, guint status,
    const gchar *type, const gchar *text);
/* A header of the answer, before the reply. */
void rec_server_request_set_header (
    RecServerRequest *request, const gchar *name, const gchar *value);

void rec_server_request_remove_header (
    RecServerRequest *request, const gchar *name);
/* Returns TRUE if the answer has headers only. */
gboolean rec_server_request_is_head (RecServerRequest *request);

/* What is still to come of the body is not kept, and the connection is closed
 * after the answer. For refusing before a body has been read. Takes @error. */
void rec_server_request_refuse (RecServerRequest *request, GError *error);

G_END_DECLS
