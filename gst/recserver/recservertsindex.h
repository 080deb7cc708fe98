/* gst-tsrec: index of the random access points of a transport stream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads a recording in order. The input is not trusted: bytes that are not a
 * transport packet are skipped. Field names are those of ISO/IEC 13818-1.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REC_SERVER_TS_CLOCK 90000
#define REC_SERVER_TS_MAX_TRACKS 16

/**
 * RecServerTsEntry: a random access point
 * @offset: bytes, of the PAT before it, or of its first packet
 * @end: highest PTS before the next entry, on the clock of @time
 * @time: 90 kHz, on a clock that does not wrap, from the first PTS on
 * @tracks: bit N is set if track N has media before the next entry
 * @jumped: the clock jumped before it, so a new timeline begins
 */
typedef struct
{
  guint64 offset;
  gint64 time;
  gint64 end;
  guint tracks;
  gboolean jumped;
} RecServerTsEntry;

typedef struct
{
  guint pid;
  gboolean video;
  const gchar *codec; /* static */
  guint adts;         /* fixed fields of its last ADTS header, 0: none */
} RecServerTsTrack;

typedef struct _RecServerTsIndex RecServerTsIndex;

RecServerTsIndex *rec_server_ts_index_new (void);
void rec_server_ts_index_free (RecServerTsIndex *index);

/* Reads the @length bytes at @offset. The first ones, and those after a jump of
 * @offset, begin at a packet boundary. */
void rec_server_ts_index_push (
    RecServerTsIndex *index, guint64 offset, const guint8 *data, gsize length);

/* Returns all entries (RecServerTsEntry) in order. Owned by @index. */
const GArray *rec_server_ts_index_get_entries (RecServerTsIndex *index);
/* Returns all tracks (RecServerTsTrack). Owned by @index. */
const GArray *rec_server_ts_index_get_tracks (RecServerTsIndex *index);
/* Tracks with media before the first entry, as in RecServerTsEntry. */
guint rec_server_ts_index_get_early_tracks (RecServerTsIndex *index);
/* Returns TRUE if a track changes its codec, its sampling rate or its channels
 * after the byte @from and before @to. */
gboolean rec_server_ts_index_has_change (
    RecServerTsIndex *index, guint64 from, guint64 to);
/* Gets the first and the highest PTS, on the clock of the entries. Returns FALSE
 * if there is none. */
gboolean rec_server_ts_index_get_range (
    RecServerTsIndex *index, gint64 *first, gint64 *last);

G_END_DECLS
