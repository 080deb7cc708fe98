/* gst-tsrec: IDs of recordings
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define REC_SERVER_ID_MAX_LENGTH 128

/* [A-Za-z0-9._-]{1,128}, not beginning with a dot. @id may be NULL. */
gboolean rec_server_id_is_valid (const gchar *id);

/* As above; sets @error (status 400) when it is not. */
gboolean rec_server_id_check (const gchar *id, GError **error);

G_END_DECLS
