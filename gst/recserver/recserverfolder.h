/* gst-tsrec: the folder of the recordings; a name never leads out of it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A folder does not change once made; any thread.
 */

#pragma once

#include <gio/gio.h>
#include <sys/stat.h>

G_BEGIN_DECLS

typedef struct _RecServerFolder RecServerFolder;

/* Folders within each other that are served. */
#define REC_SERVER_FOLDER_MAX_DEPTH 4

/* NULL with @error when @path cannot be opened. */
RecServerFolder *rec_server_folder_new (const gchar *path, GError **error);
RecServerFolder *rec_server_folder_ref (RecServerFolder *folder);
void rec_server_folder_unref (RecServerFolder *folder);

/* Without the folders above it. Caller frees. */
gchar *rec_server_folder_dup_name (RecServerFolder *folder);

/* The MIME type of a file that may be served, by the end of its @name; NULL
 * when it may not. */
const gchar *rec_server_folder_get_type (const gchar *name);

/* Opens the file @name, with "/" between folders, for reading. What is looked at
 * is what was opened: a link that is put in its place changes nothing. Links
 * that lead out of the folder, hidden names, devices and FIFOs are refused.
 * -1 with @error (status 403, 404 or 503). Caller closes. */
int rec_server_folder_open (RecServerFolder *folder, const gchar *name,
    struct stat *st, GError **error);

/* Likewise, for the service itself: any type; sets no error. -1: not there. */
int rec_server_folder_peek (
    RecServerFolder *folder, const gchar *name, struct stat *st);

/* All of a text of at most 16 MiB. NULL when it cannot be read. Caller
 * frees. */
gchar *rec_server_folder_load (RecServerFolder *folder, const gchar *name);

/* Deletes the file @name. FALSE with @error. */
gboolean rec_server_folder_delete (
    RecServerFolder *folder, const gchar *name, GError **error);

/* @func is called for each file that may be served, in no order, until it
 * returns FALSE. */
typedef gboolean (*RecServerFolderFunc) (const gchar *name, gpointer user_data);
void rec_server_folder_foreach (
    RecServerFolder *folder, RecServerFolderFunc func, gpointer user_data);

/* Whether a recorder holds the file open: recfilesink holds a lock. */
gboolean rec_server_folder_is_locked (int fd);

G_END_DECLS
