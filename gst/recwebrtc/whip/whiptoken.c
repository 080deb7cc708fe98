/* gst-tsrec: a bearer token from a property or from a file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "whiptoken.h"

#include <gio/gio.h>
#include <string.h>

/* One word of printable ASCII. */
static gboolean
is_token (const gchar *text)
{
  gsize i, length = strlen (text);

  if (length == 0 || length > WHIP_TOKEN_MAX)
    return FALSE;
  for (i = 0; i < length; i++)
    if (!g_ascii_isgraph (text[i]))
      return FALSE;
  return TRUE;
}

/* Reads at most one byte more than allowed, because the path may be that of a
 * device. */
static gchar *
read_file (const gchar *path, gsize *size, GError **error)
{
  GFile *file = g_file_new_for_path (path);
  GFileInputStream *stream = g_file_read (file, NULL, error);
  gchar *text = NULL;

  if (stream) {
    text = g_malloc0 (WHIP_TOKEN_MAX + 4);
    if (!g_input_stream_read_all (G_INPUT_STREAM (stream), text,
            WHIP_TOKEN_MAX + 3, size, NULL, error))
      g_clear_pointer (&text, g_free);
    g_object_unref (stream);
  }
  g_object_unref (file);
  return text;
}

gboolean
whip_token_load (
    const gchar *token, const gchar *path, gchar **result, GError **error)
{
  GError *reason = NULL;
  gsize size = 0;

  *result = NULL;
  if (token && !*token)
    token = NULL;
  if (path && !*path)
    path = NULL;
  if (token && path)
    goto both;
  *result = path ? read_file (path, &size, &reason) : g_strdup (token);
  if (!path)
    return TRUE;
  if (!*result)
    goto not_read;
  if (strlen (*result) == size && is_token (g_strstrip (*result)))
    return TRUE;
  g_clear_pointer (result, g_free);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
      "The file \"%s\" holds no token. Put one word of at most %d letters, "
      "digits and signs into it, or set auth-token-file to another file.",
      path, WHIP_TOKEN_MAX);
  return FALSE;

  /* ERRORS */
both:
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "Both auth-token and auth-token-file are set. Set one of them.");
  return FALSE;
not_read:
  g_set_error (error, reason->domain, reason->code,
      "Could not read the token: %s. Set auth-token-file to a file that this "
      "process may read.",
      reason->message);
  g_error_free (reason);
  return FALSE;
}
