/* gst-tsrec: IDs of recordings
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverid.h"
#include "recservererror.h"

#include <string.h>

gboolean
rec_server_id_is_valid (const gchar *id)
{
  gsize length = id ? strlen (id) : 0;

  return length > 0 && length <= REC_SERVER_ID_MAX_LENGTH && id[0] != '.' &&
      strspn (id, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-") == length;
}

gboolean
rec_server_id_check (const gchar *id, GError **error)
{
  if (rec_server_id_is_valid (id))
    return TRUE;
  if (!id)
    rec_server_error_set (error, 400, "no id",
        "The request names no recording. Send {\"id\": \"NAME\"}.");
  else
    rec_server_error_set (error, 400, "invalid id",
        "An id has 1 to %d letters, digits, dots, underscores and hyphens, and "
        "does not begin with a dot.",
        REC_SERVER_ID_MAX_LENGTH);
  return FALSE;
}
