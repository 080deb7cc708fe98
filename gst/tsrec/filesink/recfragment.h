/* gst-tsrec: one file of a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recfile.h"

#include <glib.h>

G_BEGIN_DECLS

/**
 * RecFragment:
 * @file: the open file
 * @path: path of the file
 * @directory: folder to be synced with the next sync of the file; NULL: synced
 * @new_folders: number of folders that were created for the file and are synced
 *   with it, counted from the folder of the file upwards
 * @base: retention deletes empty folders below this one; NULL: none
 * @index: number of the fragment
 * @opened_time: running time of the first buffer, ns
 * @last_time: running time of the last buffer, ns
 * @reason: reason for closing the file, static
 * @created: this run created the file
 */
typedef struct
{
  RecFile file;
  gchar *path;
  gchar *directory;
  guint new_folders;
  gchar *base;
  guint index;
  guint64 opened_time;
  guint64 last_time;
  const gchar *reason;
  gboolean created;
} RecFragment;

RecFragment *rec_fragment_new (
    const gchar *path, const RecSyscalls *sys, gint cancel_fd);
/* Closes the file if it is open, and frees. */
void rec_fragment_free (RecFragment *fragment);

G_END_DECLS
