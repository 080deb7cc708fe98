/* gst-tsrec: internals of RecServerLibrary
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recserverlibrary.h"
#include "recservertsindex.h"

G_BEGIN_DECLS

struct _RecServerLibrary
{
  gatomicrefcount refcount;
  RecServerFolder *folder;

  GMutex lock;
  /* protected by lock: "device:inode" → facts of the file, and their version */
  GHashTable *facts;
  /* held while an index is read on: "device:inode" → CachedIndex */
  GMutex index_lock;
  GHashTable *indexes;
};

/* Seconds after the last write during which a file counts as growing. */
#define REC_SERVER_LIBRARY_GROWING 5

/* Returns the id of the recording that the file @name belongs to. Reads files.
 * Caller frees. */
gchar *rec_server_library_dup_id (RecServerLibrary *library, const gchar *name);
/* Returns "device:inode". Caller frees. */
gchar *rec_server_library_make_key (const struct stat *st);
gboolean rec_server_library_is_growing (int fd, const struct stat *st);
/* Returns @prefix and the percent-encoded @name. Caller frees. */
gchar *rec_server_library_make_url (const gchar *prefix, const gchar *name);
/* Returns @name with another suffix. Caller frees. */
gchar *rec_server_library_replace_suffix (
    const gchar *name, const gchar *suffix);

/* Returns the files that the playlist @text of @name lists. *@ended: with their
 * end; *@duration: of all, in seconds. Caller unrefs. */
GPtrArray *rec_server_library_read_uris (
    const gchar *name, const gchar *text, gboolean *ended, gdouble *duration);

/* recserverlibrary-delete.c */

/* Deletes the recording @name, its fragments, and what belongs to them. Returns
 * the answer, or NULL with @error: 404, or 409 while it is written. */
JsonObject *rec_server_library_delete_files (
    RecServerLibrary *library, const gchar *name, GError **error);

/* recserverlibrary-facts.c */

/* Member of a row that is not shown: the fragment that has its tracks. */
#define REC_SERVER_LIBRARY_PART "part"

/* Adds duration, tracks and members of the sidecar to the row of a recording.
 * Reads files, unless they have not changed since the last call. */
void rec_server_library_add_facts (RecServerLibrary *library, JsonObject *row);

/* recserverlibrary-playlist.c */

/* Returns the index of the file @fd, extended by what can be read within two
 * seconds. *@whole: the file was read to its end. Owned by @library. Call with
 * index_lock held. */
RecServerTsIndex *rec_server_library_read_index (
    RecServerLibrary *library, int fd, const struct stat *st, gboolean *whole);

void rec_server_library_free_index (gpointer data);

G_END_DECLS
