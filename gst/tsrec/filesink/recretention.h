/* gst-tsrec: deletion of old fragments
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Only files that were added are deleted, the oldest first; a fragment is added
 * after it was closed. A file that changed since it was added (inode, size or
 * modification time), or that a recorder has open, is forgotten, not deleted.
 * One thread at a time.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint64 max_files;      /* with the current fragment; 0: no limit */
  guint64 max_bytes;      /* with the current fragment; 0: no limit */
  guint64 min_free_bytes; /* 0: no limit */
} RecRetentionLimits;

typedef struct
{
  GQueue files;  /* oldest first */
  guint64 bytes; /* size of all files */
} RecRetention;

/* Called before the file @path of @bytes is deleted. */
typedef void (*RecRetentionDeleted) (
    const gchar *path, guint64 bytes, gpointer user_data);

void rec_retention_init (RecRetention *self);
void rec_retention_clear (RecRetention *self);

/* Adds the closed fragment @path. Empty folders below @base are deleted
 * together with the file; NULL: no folders. */
void rec_retention_add (
    RecRetention *self, const gchar *path, const gchar *base);

/* Deletes files until the limits are met. @current_files: 1 while a fragment is
 * written, else 0. @current_bytes: size of that fragment. @directory: folder
 * for the test of free space. Returns the number of deleted files. */
guint rec_retention_apply (RecRetention *self, const RecRetentionLimits *limits,
    guint current_files, guint64 current_bytes, const gchar *directory,
    RecRetentionDeleted deleted, gpointer user_data);

G_END_DECLS
