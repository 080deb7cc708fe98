/* gst-tsrec: which of its own fragments a recorder may delete
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Only files that were added are ever deleted, the oldest first; the fragment
 * that is being written is not added before it is closed. A file that is not
 * the one that was added any more (another inode, size or time of change), or
 * that a recorder has open, is forgotten, not deleted.
 * One thread at a time.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint64 max_files;      /* 0: no limit; counts the one being written */
  guint64 max_bytes;      /* 0: no limit; with the one being written */
  guint64 min_free_bytes; /* 0: no limit */
} RecRetentionLimits;

typedef struct
{
  GQueue files; /* oldest first */
  guint64 bytes;
} RecRetention;

/* Called before the file is deleted: name and size. */
typedef void (*RecRetentionDeleted) (
    const gchar *path, guint64 bytes, gpointer user_data);

void rec_retention_init (RecRetention *self);
void rec_retention_clear (RecRetention *self);

/* @path is a finished fragment of this recording. With it go folders that are
 * empty then, up to @base, which stays. NULL: no folders. */
void rec_retention_add (
    RecRetention *self, const gchar *path, const gchar *base);

/* Deletes until the limits hold. @current_files: 1 while a fragment is being
 * written, otherwise 0, and @current_bytes: its size, in @directory. Returns
 * the number of files deleted. */
guint rec_retention_apply (RecRetention *self, const RecRetentionLimits *limits,
    guint current_files, guint64 current_bytes, const gchar *directory,
    RecRetentionDeleted deleted, gpointer user_data);

G_END_DECLS
