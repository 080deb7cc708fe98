/* gst-tsrec: what the recordings in a folder are
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads files, so it runs on threads of its own; what was read of a file is
 * kept until the file changes. Any thread.
 */

#pragma once

#include "recserverfolder.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct _RecServerLibrary RecServerLibrary;

RecServerLibrary *rec_server_library_new (RecServerFolder *folder);
void rec_server_library_unref (RecServerLibrary *library);
RecServerFolder *rec_server_library_get_folder (RecServerLibrary *library);

/**
 * RecServerLibraryQuery:
 * @pattern: glob of names, without folders
 * @sort: "modified", "name", "size" or "duration"; with "-" in front downwards
 * @limit: recordings in the answer at most
 */
typedef struct
{
  gchar *pattern;
  gchar *sort;
  guint offset;
  guint limit;
} RecServerLibraryQuery;

/* @answer: (nullable): the callee takes it; NULL with @error. */
typedef void (*RecServerLibraryFunc) (
    JsonObject *answer, GError *error, gpointer user_data);

/* The answers of GET /api/recordings and DELETE /api/recordings/NAME. @func is
 * called in the thread-default main context. */
void rec_server_library_list (RecServerLibrary *library,
    const RecServerLibraryQuery *query, RecServerLibraryFunc func,
    gpointer user_data);
void rec_server_library_delete (RecServerLibrary *library, const gchar *name,
    RecServerLibraryFunc func, gpointer user_data);

/* A playlist of the MPEG-TS file @name, made by reading it, or, of a playlist
 * @name, what is in it, with an end when its recorder was killed; "text" of the
 * answer. */
void rec_server_library_make_playlist (RecServerLibrary *library,
    const gchar *name, RecServerLibraryFunc func, gpointer user_data);

/**
 * RecServerLibraryClip: where in a file a range by wall-clock time is
 * @fd: the callee closes it
 */
typedef struct
{
  int fd;
  struct stat st;
  goffset offset;
  goffset length;
} RecServerLibraryClip;

/* @clip: NULL with @error, which the callee takes. */
typedef void (*RecServerLibraryClipFunc) (
    const RecServerLibraryClip *clip, GError *error, gpointer user_data);

/* The random access point at or before @start (µs since 1970) in the MPEG-TS file
 * @name, to the first one @duration µs later, or the end. 404 where there is no
 * media, with the nearest. @func is called in the thread-default main context. */
void rec_server_library_find_clip (RecServerLibrary *library, const gchar *name,
    gint64 start, gint64 duration, RecServerLibraryClipFunc func,
    gpointer user_data);

G_END_DECLS
