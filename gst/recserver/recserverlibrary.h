/* gst-tsrec: list, playlists and clips of the recordings in a folder
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files are read on separate threads, and the results are kept until a file
 * changes. Any thread.
 */

#pragma once

#include "recserverfolder.h"
#include "recservertsindex.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct _RecServerLibrary RecServerLibrary;

RecServerLibrary *rec_server_library_new (RecServerFolder *folder);
void rec_server_library_unref (RecServerLibrary *library);
RecServerFolder *rec_server_library_get_folder (RecServerLibrary *library);

typedef void (*RecServerLibraryIdFunc) (const gchar *id, gpointer user_data);

/* Finds the id of the recording that the file @name belongs to: what NAME.json
 * says, otherwise what its name begins with. @func is called in the
 * thread-default main context. */
void rec_server_library_find_id (RecServerLibrary *library, const gchar *name,
    RecServerLibraryIdFunc func, gpointer user_data);

/* @fd: the callee closes it; negative with @error, which the callee takes. */
typedef void (*RecServerLibraryOpenFunc) (
    int fd, const struct stat *st, GError *error, gpointer user_data);

/* As rec_server_folder_open(). @func is called in the thread-default main
 * context. */
void rec_server_library_open (RecServerLibrary *library, const gchar *name,
    RecServerLibraryOpenFunc func, gpointer user_data);

/**
 * RecServerLibraryQuery:
 * @pattern: glob of ids
 * @sort: "modified", "name", "size" or "duration"; descending with "-" in front
 * @name: only this recording; NULL: all
 * @limit: recordings in the answer at most
 */
typedef struct
{
  gchar *pattern;
  gchar *sort;
  gchar *name;
  guint offset;
  guint limit;
} RecServerLibraryQuery;

/* @answer: (nullable): NULL with @error; the callee takes both. */
typedef void (*RecServerLibraryFunc) (
    JsonObject *answer, GError *error, gpointer user_data);

/* Implement GET /api/recordings and DELETE /api/recordings/NAME. @func is
 * called in the thread-default main context. */
void rec_server_library_list (RecServerLibrary *library,
    const RecServerLibraryQuery *query, RecServerLibraryFunc func,
    gpointer user_data);
void rec_server_library_delete (RecServerLibrary *library, const gchar *name,
    RecServerLibraryFunc func, gpointer user_data);

/* Generates a playlist of the MPEG-TS file @name, or loads the playlist @name and
 * adds the end that is missing if its recorder was killed. The answer has the
 * member "text". */
void rec_server_library_make_playlist (RecServerLibrary *library,
    const gchar *name, RecServerLibraryFunc func, gpointer user_data);

/* Bytes that a clip for rec_server_remux() may have before its last track
 * begins. They are held in memory. */
#define REC_SERVER_LIBRARY_MAX_HEAD (64 * 1024 * 1024)

/**
 * RecServerLibraryRange: a range of a recording by wall-clock time
 * @start: µs since 1970; G_MININT64: the start of the recording
 * @duration: µs; G_MAXINT64: until the end of the recording
 * @uniform: each track must keep its format and begin within
 *   REC_SERVER_LIBRARY_MAX_HEAD bytes, and a recording that is being written
 *   ends at its last random access point
 */
typedef struct
{
  gint64 start;
  gint64 duration;
  gboolean uniform;
} RecServerLibraryRange;

typedef struct
{
  guint pid;
  gboolean video;
  gboolean adts;
  const gchar *codec; /* static */
} RecServerLibraryTrack;

/**
 * RecServerLibraryClip: the bytes of a RecServerLibraryRange
 * @fd: the callee closes it
 * @head: bytes from @offset in which every track has begun
 * @tracks: that have media in the clip, @n_tracks of them
 */
typedef struct
{
  int fd;
  struct stat st;
  goffset offset;
  goffset length;
  goffset head;
  RecServerLibraryTrack tracks[REC_SERVER_TS_MAX_TRACKS];
  guint n_tracks;
} RecServerLibraryClip;

/* @clip: NULL with @error, which the callee takes. */
typedef void (*RecServerLibraryClipFunc) (
    const RecServerLibraryClip *clip, GError *error, gpointer user_data);

/* Finds @range in the MPEG-TS file @name: from the random access point at or
 * before its start to the first one at or after its end. Errors: 404 with the
 * nearest recorded times if there is no media in it, 422 if the tracks are not
 * uniform, 503 if the file could not be read in time. @func is called in the
 * thread-default main context. */
void rec_server_library_find_clip (RecServerLibrary *library, const gchar *name,
    const RecServerLibraryRange *range, RecServerLibraryClipFunc func,
    gpointer user_data);

G_END_DECLS
