/* gst-tsrec: JSON of requests, bounded
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Arrays and objects within each other. */
#define REC_SERVER_JSON_MAX_DEPTH 16

/* An object of @length bytes of @text; "" is an empty one. NULL with @error
 * (status 400). Caller unrefs. */
JsonObject *rec_server_json_parse (
    const gchar *text, gsize length, GError **error);

/* The string @name of @object; NULL when it is not there or null. @error
 * (status 400) is set when it is something else. Belongs to @object. */
const gchar *rec_server_json_get_string (
    JsonObject *object, const gchar *name, GError **error);

/* Takes @object. Caller frees. */
gchar *rec_server_json_to_string (JsonObject *object);

/* UTC in ISO 8601 with milliseconds and "Z"; @us: since 1970. */
void rec_server_json_set_time (
    JsonObject *object, const gchar *name, gint64 us);

G_END_DECLS
