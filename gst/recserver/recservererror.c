/* gst-tsrec: errors of the recording service
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recservererror.h"

#include <string.h>

G_DEFINE_QUARK (rec - server - error - quark, rec_server_error)

void
rec_server_error_set (GError **error, guint status, const gchar *what,
    const gchar *detail_format, ...)
{
  gchar *text, *detail;
  va_list args;

  va_start (args, detail_format);
  text = g_strdup_vprintf (detail_format, args);
  va_end (args);
  /* Text from a client may have been truncated within a character. */
  detail = g_utf8_make_valid (text, -1);
  g_free (text);
  g_set_error (error, REC_SERVER_ERROR, (gint)status, "%s\n%s", what, detail);
  g_free (detail);
}

guint
rec_server_error_get_status (const GError *error)
{
  return error->domain == REC_SERVER_ERROR ? (guint)error->code : 500;
}

void
rec_server_error_split (const GError *error, gchar **what, gchar **detail)
{
  const gchar *newline = strchr (error->message, '\n');

  if (error->domain == REC_SERVER_ERROR && newline) {
    *what = g_strndup (error->message, newline - error->message);
    *detail = g_strdup (newline + 1);
    return;
  }
  *what = g_strdup ("internal error");
  *detail = g_strdup (error->message);
}
