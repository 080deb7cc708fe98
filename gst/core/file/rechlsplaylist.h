/* gst-tsrec: an HLS media playlist beside a growing recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * RFC 8216, version 4: an EVENT playlist, to which entries are only ever
 * added, closed by EXT-X-ENDLIST. It is replaced as a whole by rename(2), so
 * that a reader sees one state or the next and never a part of one, also when
 * the writer is killed. Nothing of it is kept in memory: each new state is
 * made of the old file.
 *
 * Threads: none of its own; calls on one Playlist must not overlap. Functions
 * return 0 or a positive errno, and after an error the playlist on disk is the
 * one of before, so that the caller may try again with the same entry.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct
{
  char *path;
  char *new_path;           /* beside `path`: the next state of it */
  unsigned target_duration; /* EXT-X-TARGETDURATION of the file, s */
  uint64_t body;            /* where the entries begin in the file, bytes */
  uint64_t entries;
  bool ended;         /* EXT-X-ENDLIST is the last line */
  bool discontinuous; /* a new EXT-X-DISCONTINUITY is due */
} RecHlsPlaylist;

/* One media segment. */
typedef struct
{
  const char *uri;   /* as by rec_hls_playlist_uri() */
  uint64_t offset;   /* of its first byte in the file, bytes */
  uint64_t size;     /* bytes; with whole_file not used */
  bool whole_file;   /* no EXT-X-BYTERANGE */
  uint64_t duration; /* ns */
  int64_t utc_time; /* of its first access unit, µs since 1970; < 0: unknown */
  bool discontinuity; /* timestamps or counters do not go on from the last */
} RecHlsPlaylistEntry;

/* Sets @playlist up and writes an empty one to @path, in place of what was
 * there. @target_duration: what entries are meant to last, ns; an entry that
 * lasts longer raises EXT-X-TARGETDURATION. */
int rec_hls_playlist_create (
    RecHlsPlaylist *playlist, const char *path, uint64_t target_duration);

/* As rec_hls_playlist_create(), but keeps the entries that are in @path, except those
 * that name bytes from @file_size on in the file @uri; the next entry that is
 * added is discontinuous. Creates the playlist where there is none; EINVAL when
 * @path is something other than a media playlist, which is left alone. */
int rec_hls_playlist_continue (RecHlsPlaylist *playlist, const char *path,
    uint64_t target_duration, const char *uri, uint64_t file_size);

int rec_hls_playlist_add (
    RecHlsPlaylist *playlist, const RecHlsPlaylistEntry *entry);

/* Adds EXT-X-ENDLIST. */
int rec_hls_playlist_end (RecHlsPlaylist *playlist);

/* Frees what the struct holds; the file stays as it is. */
void rec_hls_playlist_clear (RecHlsPlaylist *playlist);

/* How the playlist at @playlist_path refers to @file_path: a relative reference
 * where the file is beside or below it, or both paths are relative; else the
 * absolute path; with the characters
 * that a URI does not allow percent-encoded (RFC 3986, 2.1). Free the result;
 * NULL without memory. */
char *rec_hls_playlist_uri (const char *playlist_path, const char *file_path);
