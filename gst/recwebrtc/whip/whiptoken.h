/* gst-tsrec: a bearer token from a property or from a file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everybody on a host sees the command line of a process (ps), and a token in
 * it; a file has an owner and a mode. Any thread; reading blocks.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define WHIP_TOKEN_MAX 4096

/* Sets @result to @token, or to what the file @path has without white space
 * around it; to NULL when both are NULL or empty. Caller frees. FALSE with
 * @error when both are set, or the file cannot be read, is empty, longer than
 * WHIP_TOKEN_MAX or holds what cannot be in a header. */
gboolean whip_token_load (
    const gchar *token, const gchar *path, gchar **result, GError **error);

G_END_DECLS
