/* gst-tsrec: errors of the recording service
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The code of an error is an HTTP status. Its message is "what\ndetail": what
 * went wrong in a few words, and why and what to do in a sentence or two.
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define REC_SERVER_ERROR rec_server_error_quark ()
GQuark rec_server_error_quark (void);

/* Sets @error, which may be NULL. @what: without a newline. */
void rec_server_error_set (GError **error, guint status, const gchar *what,
    const gchar *detail_format, ...) G_GNUC_PRINTF (4, 5);

/* The HTTP status of @error; 500 when it is of another domain. */
guint rec_server_error_get_status (const GError *error);
/* The two parts of the message. Caller frees both. */
void rec_server_error_split (const GError *error, gchar **what, gchar **detail);

G_END_DECLS
