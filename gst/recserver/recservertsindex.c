/* gst-tsrec: where a transport stream can be cut, and when that was
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recservertsindex.h"
#include "tspacket.h"

#include <string.h>

/* Time stamps of one track that are further apart are another timeline. */
#define JUMP (30 * 3600 * (gint64)REC_SERVER_TS_CLOCK)
/* Distance of entries of a recording without a picture. */
#define AUDIO_DISTANCE (2 * REC_SERVER_TS_CLOCK)
#define NO_OFFSET G_MAXUINT64

struct _RecServerTsIndex
{
  GArray *entries;
  GArray *tracks;
  gint pmt_pid;   /* -1: no PAT yet */
  guint64 pat_at; /* of a PAT that no media has followed, or NO_OFFSET */
  gboolean has_time;
  gint64 first, last, newest;  /* highest, and as last seen */
  guint8 rest[TS_PACKET_SIZE]; /* of a packet that has not come whole */
  gsize n_rest;
  guint64 next; /* offset of what comes next */
};

/* Table 2-34, and what others have registered. */
static const struct
{
  guint8 stream_type;
  gboolean video;
  const gchar *codec;
} stream_types[] = {
  { 0x01, TRUE, "MPEG-1" },
  { 0x02, TRUE, "MPEG-2" },
  { 0x1b, TRUE, "H.264" },
  { 0x24, TRUE, "H.265" },
  { 0x03, FALSE, "MPEG audio" },
  { 0x04, FALSE, "MPEG audio" },
  { 0x0f, FALSE, "AAC" },
  { 0x11, FALSE, "AAC" },
  { 0x81, FALSE, "AC-3" },
  { 0x87, FALSE, "E-AC-3" },
};

RecServerTsIndex *
rec_server_ts_index_new (void)
{
  RecServerTsIndex *index = g_new0 (RecServerTsIndex, 1);

  index->entries = g_array_new (FALSE, FALSE, sizeof (RecServerTsEntry));
  index->tracks = g_array_new (FALSE, FALSE, sizeof (RecServerTsTrack));
  index->pmt_pid = -1;
  index->pat_at = NO_OFFSET;
  return index;
}

void
rec_server_ts_index_free (RecServerTsIndex *index)
{
  g_array_unref (index->entries);
  g_array_unref (index->tracks);
  g_free (index);
}

/* --- tables, those that fit into one packet --- */

/* The payload of @packet, *@length bytes; NULL when there is none. */
static const guint8 *
find_payload (const guint8 *packet, gsize *length)
{
  gsize at = TS_HEADER_SIZE;

  if (!(packet[3] & 0x10))
    return NULL;
  if (packet[3] & 0x20)
    at += 1 + (gsize)packet[4];
  if (at >= TS_PACKET_SIZE)
    return NULL;
  *length = TS_PACKET_SIZE - at;
  return packet + at;
}

/* The section after pointer_field, without its CRC_32; NULL when it is not
 * whole. */
static const guint8 *
find_section (
    const guint8 *payload, gsize length, guint8 table_id, gsize *section_length)
{
  gsize at = 1 + (gsize)payload[0], n;

  if (at + 8 > length || payload[at] != table_id)
    return NULL;
  n = 3 + (((gsize)payload[at + 1] & 0x0f) << 8 | payload[at + 2]);
  if (n < 12 || at + n > length)
    return NULL;
  *section_length = n - 4;
  return payload + at;
}

static void
read_pat (RecServerTsIndex *index, const guint8 *payload, gsize length)
{
  gsize n;
  const guint8 *section = find_section (payload, length, 0x00, &n);

  for (gsize at = 8; section && at + 4 <= n; at += 4)
    if (section[at] != 0 || section[at + 1] != 0) {
      index->pmt_pid = (section[at + 2] & 0x1f) << 8 | section[at + 3];
      return;
    }
}

/* 2.6.8, registration_descriptor: "Opus", "HEVC" and others on private data. */
static const gchar *
find_registration (const guint8 *d, gsize length, gboolean *video)
{
  *video = FALSE;
  for (gsize at = 0; at + 2 <= length; at += 2 + (gsize)d[at + 1]) {
    if (d[at] != 0x05 || at + 6 > length)
      continue;
    if (memcmp (d + at + 2, "Opus", 4) == 0)
      return "Opus";
    if (memcmp (d + at + 2, "AC-3", 4) == 0)
      return "AC-3";
    *video = memcmp (d + at + 2, "HEVC", 4) == 0;
    if (*video)
      return "H.265";
  }
  return NULL;
}

static RecServerTsTrack *
find_track (RecServerTsIndex *index, guint pid)
{
  for (guint i = 0; i < index->tracks->len; i++) {
    RecServerTsTrack *track =
        &g_array_index (index->tracks, RecServerTsTrack, i);

    if (track->pid == pid)
      return track;
  }
  return NULL;
}

static void
add_track (RecServerTsIndex *index, guint pid, guint8 type,
    const guint8 *descriptors, gsize length)
{
  RecServerTsTrack track = { .pid = pid };

  for (guint i = 0; i < G_N_ELEMENTS (stream_types); i++)
    if (stream_types[i].stream_type == type) {
      track.video = stream_types[i].video;
      track.codec = stream_types[i].codec;
    }
  if (!track.codec && type == 0x06)
    track.codec = find_registration (descriptors, length, &track.video);
  if (track.codec && !find_track (index, pid) &&
      index->tracks->len < REC_SERVER_TS_MAX_TRACKS)
    g_array_append_val (index->tracks, track);
}

static void
read_pmt (RecServerTsIndex *index, const guint8 *payload, gsize length)
{
  gsize n, at;
  const guint8 *section = find_section (payload, length, 0x02, &n);

  if (!section || n < 12)
    return;
  at = 12 + (((gsize)section[10] & 0x0f) << 8 | section[11]);
  while (at + 5 <= n) {
    gsize info = ((gsize)section[at + 3] & 0x0f) << 8 | section[at + 4];

    if (at + 5 + info > n)
      return;
    add_track (index, (section[at + 1] & 0x1fu) << 8 | section[at + 2],
        section[at], section + at + 5, info);
    at += 5 + info;
  }
}

/* --- PES packets --- */

/* 2.4.3.7; FALSE when there is no PTS. */
static gboolean
read_pts (const guint8 *pes, gsize length, gint64 *pts)
{
  const guint8 *p = pes + 9;

  if (length < 14 || pes[0] != 0 || pes[1] != 0 || pes[2] != 1 ||
      !(pes[7] & 0x80))
    return FALSE;
  *pts = (gint64)(p[0] >> 1 & 7) << 30 | (gint64)p[1] << 22 |
      (gint64)(p[2] >> 1) << 15 | (gint64)p[3] << 7 | p[4] >> 1;
  return TRUE;
}

/* @pts on a clock that does not wrap, near what was seen last. */
static gint64
unwrap (RecServerTsIndex *index, gint64 pts)
{
  gint64 wrap = G_GINT64_CONSTANT (1) << 33, distance;

  if (!index->has_time)
    return pts;
  distance = (pts - index->newest) & (wrap - 1);
  if (distance >= wrap / 2)
    distance -= wrap;
  return index->newest + distance;
}

static void
add_entry (RecServerTsIndex *index, guint64 offset, gint64 time)
{
  RecServerTsEntry entry = { offset, time, time, FALSE };

  if (index->entries->len > 0) {
    const RecServerTsEntry *before = &g_array_index (
        index->entries, RecServerTsEntry, index->entries->len - 1);

    entry.jumped = time < before->time || time > before->time + JUMP;
  }
  g_array_append_val (index->entries, entry);
}

/* Whether an entry begins with a PES packet of @track. */
static gboolean
begins_entry (RecServerTsIndex *index, const RecServerTsTrack *track,
    gboolean random_access, gint64 time)
{
  const RecServerTsEntry *last;

  if (track->video)
    return random_access;
  for (guint i = 0; i < index->tracks->len; i++)
    if (g_array_index (index->tracks, RecServerTsTrack, i).video)
      return FALSE;
  if (index->entries->len == 0)
    return TRUE;
  last = &g_array_index (
      index->entries, RecServerTsEntry, index->entries->len - 1);
  return index->pat_at != NO_OFFSET &&
      (time >= last->time + AUDIO_DISTANCE || time < last->time);
}

static void
read_pes (RecServerTsIndex *index, const RecServerTsTrack *track,
    const guint8 *packet, const guint8 *payload, gsize length, guint64 offset)
{
  gboolean random_access =
      (packet[3] & 0x20) && packet[4] > 0 && (packet[5] & 0x40);
  gint64 pts;

  if (!read_pts (payload, length, &pts))
    return;
  pts = unwrap (index, pts);
  if (!index->has_time)
    index->first = index->last = pts;
  index->has_time = TRUE;
  index->newest = pts;
  index->last = MAX (index->last, pts);
  if (begins_entry (index, track, random_access, pts))
    add_entry (index, index->pat_at != NO_OFFSET ? index->pat_at : offset, pts);
  index->pat_at = NO_OFFSET;
  if (index->entries->len > 0) {
    RecServerTsEntry *entry = &g_array_index (
        index->entries, RecServerTsEntry, index->entries->len - 1);

    entry->end = MAX (entry->end, pts);
  }
}

static void
read_packet (RecServerTsIndex *index, const guint8 *packet, guint64 offset)
{
  guint pid = (packet[1] & 0x1fu) << 8 | packet[2];
  const RecServerTsTrack *track;
  const guint8 *payload;
  gsize length;

  if (!(packet[1] & 0x40) || !(payload = find_payload (packet, &length)))
    return;
  if (pid == TS_PID_PAT) {
    index->pat_at = offset;
    read_pat (index, payload, length);
  } else if ((gint)pid == index->pmt_pid)
    read_pmt (index, payload, length);
  else if ((track = find_track (index, pid)))
    read_pes (index, track, packet, payload, length, offset);
}

/* --- bytes --- */

/* Takes what completes a packet that began before. Returns how much. */
static gsize
complete_rest (RecServerTsIndex *index, const guint8 *data, gsize length)
{
  gsize n = MIN (length, TS_PACKET_SIZE - index->n_rest);

  if (index->n_rest == 0)
    return 0;
  memcpy (index->rest + index->n_rest, data, n);
  index->n_rest += n;
  if (index->n_rest == TS_PACKET_SIZE) {
    if (index->rest[0] == TS_SYNC_BYTE)
      read_packet (index, index->rest, index->next + n - TS_PACKET_SIZE);
    index->n_rest = 0;
  }
  return n;
}

void
rec_server_ts_index_push (
    RecServerTsIndex *index, guint64 offset, const guint8 *data, gsize length)
{
  gsize at;

  if (offset != index->next) {
    index->n_rest = 0;
    index->pat_at = NO_OFFSET;
    index->next = offset;
  }
  at = complete_rest (index, data, length);
  while (length - at >= TS_PACKET_SIZE) {
    if (data[at] == TS_SYNC_BYTE) {
      read_packet (index, data + at, offset + at);
      at += TS_PACKET_SIZE;
    } else
      at++;
  }
  if (at < length && index->n_rest == 0) {
    memcpy (index->rest, data + at, length - at);
    index->n_rest = length - at;
  }
  index->next = offset + length;
}

const GArray *
rec_server_ts_index_get_entries (RecServerTsIndex *index)
{
  return index->entries;
}

const GArray *
rec_server_ts_index_get_tracks (RecServerTsIndex *index)
{
  return index->tracks;
}

gboolean
rec_server_ts_index_get_range (
    RecServerTsIndex *index, gint64 *first, gint64 *last)
{
  *first = index->first;
  *last = index->last;
  return index->has_time;
}
