/* gst-tsrec: the folder of the recordings, from which no name can escape
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Immutable; any thread.
 */

#pragma once

#include <gio/gio.h>
#include <sys/stat.h>

G_BEGIN_DECLS

typedef struct _RecServerFolder RecServerFolder;

/* Folders within each other that are served. */
#define REC_SERVER_FOLDER_MAX_DEPTH 4

/* Returns NULL with @error if @path cannot be opened. */
RecServerFolder *rec_server_folder_new (const gchar *path, GError **error);
RecServerFolder *rec_server_folder_ref (RecServerFolder *folder);
void rec_server_folder_unref (RecServerFolder *folder);

/* Returns the last component of the path. Caller frees. */
gchar *rec_server_folder_dup_name (RecServerFolder *folder);

/* Returns the MIME type for the suffix of @name, NULL if such files are not
 * served. */
const gchar *rec_server_folder_get_type (const gchar *name);

/* Opens the file @name, with "/" between folders, for reading. @st
 * describes the opened file, even if its name is replaced by a link meanwhile.
 * Links that lead out of the folder, hidden names, devices and FIFOs are refused.
 * Returns -1 with @error (403, 404 or 503). Caller closes. */
int rec_server_folder_open (RecServerFolder *folder, const gchar *name,
    struct stat *st, GError **error);

/* Like rec_server_folder_open(), but for the service itself: for files of any
 * type, and without an error. Returns -1 if there is no such file. */
int rec_server_folder_peek (
    RecServerFolder *folder, const gchar *name, struct stat *st);

/* Returns the contents of a text file of at most 16 MiB, NULL if it cannot be
 * read. Caller frees. */
gchar *rec_server_folder_load (RecServerFolder *folder, const gchar *name);

/* Deletes the file @name. Returns FALSE with @error. */
gboolean rec_server_folder_delete (
    RecServerFolder *folder, const gchar *name, GError **error);

/* @func is called for each file that may be served, in no order, until it
 * returns FALSE. */
typedef gboolean (*RecServerFolderFunc) (const gchar *name, gpointer user_data);
void rec_server_folder_foreach (
    RecServerFolder *folder, RecServerFolderFunc func, gpointer user_data);

/* Returns TRUE if a recorder writes the file (recfilesink locks it). */
gboolean rec_server_folder_is_locked (int fd);

G_END_DECLS
