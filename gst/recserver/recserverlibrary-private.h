/* gst-tsrec: what the files of RecServerLibrary share
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
  /* under lock: "device:inode" → what was read of the file, at which size */
  GHashTable *facts;
  /* held while an index is read on: "device:inode" → CachedIndex */
  GMutex index_lock;
  GHashTable *indexes;
};

/* Seconds for which a file that was written to may still grow. */
#define REC_SERVER_LIBRARY_GROWING 5

/* "device:inode". Caller frees. */
gchar *rec_server_library_make_key (const struct stat *st);
gboolean rec_server_library_is_growing (int fd, const struct stat *st);
/* "/files/NAME" percent-encoded, with @prefix in place of "/files/". Caller
 * frees. */
gchar *rec_server_library_make_url (const gchar *prefix, const gchar *name);
/* @name with its suffix replaced. Caller frees. */
gchar *rec_server_library_replace_suffix (
    const gchar *name, const gchar *suffix);

/* recserverlibrary-playlist.c */

/* The index of the file @fd, read as far as it goes within two seconds. Under
 * index_lock. *@whole: all of it has been read. Belongs to @library. */
RecServerTsIndex *rec_server_library_read_index (
    RecServerLibrary *library, int fd, const struct stat *st, gboolean *whole);

void rec_server_library_free_index (gpointer data);

G_END_DECLS
