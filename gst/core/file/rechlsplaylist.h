/* gst-tsrec: file of an HLS media playlist
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * RFC 8216, version 4: an EVENT playlist. Entries are only added, and
 * EXT-X-ENDLIST closes it. The file is replaced as a whole by rename(2), so
 * that a reader never sees part of it, even if the writer is killed. No entries
 * are kept in memory: each new state is a copy of the old file with one
 * addition.
 *
 * Threads: calls on one RecHlsPlaylist must not overlap. Functions return 0 or
 * a positive errno. After an error the playlist on disk is unchanged, and the
 * caller may try again with the same entry.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct
{
  char *path;
  char *new_path;           /* temporary file beside `path` */
  unsigned target_duration; /* EXT-X-TARGETDURATION of the file, s */
  uint64_t body;            /* offset of the first entry in the file, bytes */
  uint64_t entries;
  bool ended;         /* EXT-X-ENDLIST is the last line */
  bool discontinuous; /* the next entry needs EXT-X-DISCONTINUITY */
} RecHlsPlaylist;

/* One media segment. */
typedef struct
{
  const char *uri;   /* result of rec_hls_playlist_uri() */
  uint64_t offset;   /* offset of its first byte in the file, bytes */
  uint64_t size;     /* bytes; not used with `whole_file` */
  bool whole_file;   /* no EXT-X-BYTERANGE */
  uint64_t duration; /* ns */
  int64_t
      utc_time; /* time of its first access unit, µs since 1970; < 0: unknown
                     */
  bool discontinuity; /* timestamps or counters do not continue */
} RecHlsPlaylistEntry;

/* Initializes @playlist and writes an empty one to @path, replacing an existing
 * file. @target_duration: longest expected entry, ns; a longer entry raises
 * EXT-X-TARGETDURATION. */
int rec_hls_playlist_create (
    RecHlsPlaylist *playlist, const char *path, uint64_t target_duration);

/* Like rec_hls_playlist_create(), but keeps the entries of @path, except
 * entries with bytes after @file_size in the file @uri. The next added entry is
 * discontinuous. Creates the playlist if @path does not exist. Returns EINVAL,
 * without changes, if @path is not a media playlist. */
int rec_hls_playlist_continue (RecHlsPlaylist *playlist, const char *path,
    uint64_t target_duration, const char *uri, uint64_t file_size);

/* Adds @entry. Returns EINVAL after rec_hls_playlist_end(), and ENOENT if
 * another process deleted the playlist. */
int rec_hls_playlist_add (
    RecHlsPlaylist *playlist, const RecHlsPlaylistEntry *entry);

/* Adds EXT-X-ENDLIST. */
int rec_hls_playlist_end (RecHlsPlaylist *playlist);

/* Frees the members of @playlist; the file stays as it is. */
void rec_hls_playlist_clear (RecHlsPlaylist *playlist);

/* Returns the reference to @file_path in the playlist at @playlist_path, to be
 * freed; NULL: out of memory. It is relative if the file is in or below the
 * folder of the playlist or if both paths are relative, else absolute.
 * Characters that a URI does not allow are percent-encoded (RFC 3986, 2.1). */
char *rec_hls_playlist_uri (const char *playlist_path, const char *file_path);
