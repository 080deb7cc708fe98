/* gst-tsrec: a bearer token from a property or from a file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Other users of a host can read the command line of a process (ps), and a
 * token in it. A file has an owner and a mode. Any thread; reading blocks.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define WHIP_TOKEN_MAX 4096

/* Sets *@result to @token, or to the content of the file @path without white
 * space around it, or to NULL if both are NULL or empty. Caller frees. Returns
 * FALSE with @error if both are set, or if the file cannot be read, is empty,
 * is longer than WHIP_TOKEN_MAX or contains characters that are not valid in a
 * header. */
gboolean whip_token_load (
    const gchar *token, const gchar *path, gchar **result, GError **error);

G_END_DECLS
