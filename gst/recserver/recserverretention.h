/* gst-tsrec: retention of recordings by age and size
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recserverconfig.h"
#include "recserverfolder.h"

G_BEGIN_DECLS

/* @problem: why a recording could not be deleted, or NULL. */
typedef void (*RecServerRetentionFunc) (
    const gchar *problem, gpointer user_data);

/* Deletes, by keep-time and keep-bytes of each [path], the oldest recordings of
 * @folder, which is at @directory, with what belongs to them: those only whose
 * NAME.json says that the service has made and closed them, and that are not in
 * @kept (absolute paths). Runs on a thread of its own; takes @kept. @func is
 * called in the thread-default main context when that is done. */
void rec_server_retention_run (RecServerConfig *config, RecServerFolder *folder,
    const gchar *directory, gchar **kept, RecServerRetentionFunc func,
    gpointer user_data);

/* Returns TRUE if any [path] has keep-time or keep-bytes. */
gboolean rec_server_retention_is_wanted (const RecServerConfig *config);

G_END_DECLS
