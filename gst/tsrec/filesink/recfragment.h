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
 * @file: open file
 * @path: its name
 * @directory: to be synced with the next sync of the file; NULL: done
 * @new_folders: folders that were made for the file, which are synced with it:
 *   the folder of the file and so many less one above it
 * @base: folder below which empty folders go with the file; NULL: none
 * @index: number of the fragment
 * @opened_time: running time of the first buffer, ns
 * @last_time: running time of the last buffer, ns
 * @reason: why it was closed, static
 * @created: this run made the file
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
/* Closes the file if it is open. */
void rec_fragment_free (RecFragment *fragment);

G_END_DECLS
