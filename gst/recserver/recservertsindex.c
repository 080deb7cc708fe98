/* gst-tsrec: index of the random access points of a transport stream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recservertsindex.h"
#include "tspacket.h"
#include "tspsi.h"

#include <string.h>

/* Timestamps further apart belong to different timelines. */
#define JUMP (30 * 3600 * (gint64)REC_SERVER_TS_CLOCK)
/* Interval of the entries of a recording without video. */
#define AUDIO_DISTANCE (2 * REC_SERVER_TS_CLOCK)
/* Sound that comes after so much silence follows a gap: its picture is yet to
 * come. */
#define GAP (3 * REC_SERVER_TS_CLOCK)
#define NO_OFFSET G_MAXUINT64
#define STREAM_TYPE_AAC_LATM 0x11 /* table 2-34; the mux does not write it */

struct _RecServerTsIndex
{
  GArray *entries;
  GArray *tracks;
  GArray *changes;    /* guint64: offsets at which a track changes its format */
  guint early_tracks; /* bits: with media before the first entry */
  gint pmt_pid;       /* -1: no PAT yet */
  guint64 pat_at;     /* of a PAT without media after it, or NO_OFFSET */
  gboolean has_time;
  gint64 first, last, newest;  /* highest, and as last seen */
  guint8 rest[TS_PACKET_SIZE]; /* start of an incomplete packet */
  gsize n_rest;
  guint64 next; /* offset of the next byte */
};

static const struct
{
  guint8 stream_type;
  gboolean video;
  const gchar *codec;
} stream_types[] = {
  { TS_STREAM_TYPE_MPEG1_VIDEO, TRUE, "MPEG-1" },
  { TS_STREAM_TYPE_MPEG2_VIDEO, TRUE, "MPEG-2" },
  { TS_STREAM_TYPE_H264, TRUE, "H.264" },
  { TS_STREAM_TYPE_H265, TRUE, "H.265" },
  { TS_STREAM_TYPE_H266, TRUE, "H.266" },
  { TS_STREAM_TYPE_MPEG1_AUDIO, FALSE, "MPEG audio" },
  { TS_STREAM_TYPE_MPEG2_AUDIO, FALSE, "MPEG audio" },
  { TS_STREAM_TYPE_AAC_ADTS, FALSE, "AAC" },
  { STREAM_TYPE_AAC_LATM, FALSE, "AAC" },
  { TS_STREAM_TYPE_AC3, FALSE, "AC-3" },
  { TS_STREAM_TYPE_EAC3, FALSE, "E-AC-3" },
};

RecServerTsIndex *
rec_server_ts_index_new (void)
{
  RecServerTsIndex *index = g_new0 (RecServerTsIndex, 1);

  index->entries = g_array_new (FALSE, FALSE, sizeof (RecServerTsEntry));
  index->tracks = g_array_new (FALSE, FALSE, sizeof (RecServerTsTrack));
  index->changes = g_array_new (FALSE, FALSE, sizeof (guint64));
  index->pmt_pid = -1;
  index->pat_at = NO_OFFSET;
  return index;
}

void
rec_server_ts_index_free (RecServerTsIndex *index)
{
  g_array_unref (index->entries);
  g_array_unref (index->tracks);
  g_array_unref (index->changes);
  g_free (index);
}

/* --- tables --- */

/* Returns the section @table_id in @packet, and its size. Returns NULL if there
 * is none, or if it continues in another packet. */
static const guint8 *
find_section (const guint8 *packet, guint8 table_id, gsize *size)
{
  const guint8 *section = ts_psi_find_section (packet, size);

  if (!section || ts_psi_get_table_id (section) != table_id ||
      ts_psi_get_section_size (section) > *size)
    return NULL;
  *size = ts_psi_get_section_size (section);
  return section;
}

static void
read_pat (RecServerTsIndex *index, const guint8 *packet)
{
  TsPatProgram program;
  gsize size, pos = 0;
  const guint8 *section = find_section (packet, TS_TABLE_ID_PAT, &size);

  while (section && ts_psi_next_program (section, size, &pos, &program))
    if (program.program_number != 0) {
      index->pmt_pid = program.pid;
      return;
    }
}

/* 2.6.8, registration_descriptor: Opus, HEVC and others as private data. */
static const gchar *
find_registration (const TsPmtStream *stream, gboolean *video)
{
  static const struct
  {
    const gchar *format_identifier;
    const gchar *codec;
    gboolean video;
  } formats[] = {
    { "Opus", "Opus", FALSE },
    { "AC-3", "AC-3", FALSE },
    { "HEVC", "H.265", TRUE },
  };
  TsDescriptor descriptor;
  gsize pos = 0;

  while (ts_psi_next_descriptor (
      stream->es_info, stream->es_info_length, &pos, &descriptor)) {
    if (descriptor.tag != TS_DESCRIPTOR_REGISTRATION || descriptor.size < 4)
      continue;
    for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
      if (memcmp (descriptor.data, formats[i].format_identifier, 4) == 0) {
        *video = formats[i].video;
        return formats[i].codec;
      }
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
add_track (RecServerTsIndex *index, const TsPmtStream *stream, guint64 offset)
{
  RecServerTsTrack track = { .pid = stream->elementary_pid }, *known;

  for (guint i = 0; i < G_N_ELEMENTS (stream_types); i++)
    if (stream_types[i].stream_type == stream->stream_type) {
      track.video = stream_types[i].video;
      track.codec = stream_types[i].codec;
    }
  if (!track.codec && stream->stream_type == TS_STREAM_TYPE_PRIVATE_PES)
    track.codec = find_registration (stream, &track.video);
  known = find_track (index, track.pid);
  if (track.codec && known && g_strcmp0 (known->codec, track.codec) != 0) {
    *known = track;
    g_array_append_val (index->changes, offset);
  } else if (track.codec && !known &&
      index->tracks->len < REC_SERVER_TS_MAX_TRACKS)
    g_array_append_val (index->tracks, track);
}

static void
read_pmt (RecServerTsIndex *index, const guint8 *packet, guint64 offset)
{
  TsPmtStream stream;
  gsize size, pos = 0;
  const guint8 *section = find_section (packet, TS_TABLE_ID_PMT, &size);

  while (section && ts_psi_next_stream (section, size, &pos, &stream))
    add_track (index, &stream, offset);
}

/* --- PES packets --- */

/* Returns @pts on a clock that does not wrap, near the newest PTS. */
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
  RecServerTsEntry entry = { .offset = offset, .time = time, .end = time };

  if (index->entries->len > 0) {
    const RecServerTsEntry *before = &g_array_index (
        index->entries, RecServerTsEntry, index->entries->len - 1);

    entry.jumped = time < before->time || time > before->time + JUMP;
  }
  g_array_append_val (index->entries, entry);
}

/* Returns TRUE if an entry begins with this PES packet of @track. */
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

/* ISO/IEC 14496-3, 1.A.2.2.1 adts_fixed_header: a change of the profile, the
 * sampling frequency or the channels is a change of the format. */
static void
read_adts (RecServerTsIndex *index, RecServerTsTrack *track, const guint8 *pes,
    gsize size, guint64 offset)
{
  gsize start = size > 8 ? 9 + (gsize)pes[8] : size;
  guint adts;

  if (start + 4 > size || pes[start] != 0xff || (pes[start + 1] & 0xf6) != 0xf0)
    return;
  adts = (guint)(pes[start + 2] & 0xfd) << 8 | (pes[start + 3] & 0xc0);
  if (track->adts && track->adts != adts)
    g_array_append_val (index->changes, offset);
  track->adts = adts;
}

static void
read_pes (RecServerTsIndex *index, RecServerTsTrack *track,
    const guint8 *packet, guint64 offset)
{
  guint bit = 1U << (track - (RecServerTsTrack *)index->tracks->data);
  gsize size;
  const guint8 *payload = ts_get_payload (packet, &size);
  guint64 timestamp;
  gint64 pts;

  if (!ts_pes_get_pts (payload, size, &timestamp))
    return;
  if (g_str_equal (track->codec, "AAC"))
    read_adts (index, track, payload, size, offset);
  pts = unwrap (index, (gint64)timestamp);
  if (!index->has_time)
    index->first = index->last = pts;
  index->has_time = TRUE;
  index->newest = pts;
  index->last = MAX (index->last, pts);
  if (begins_entry (index, track, ts_get_random_access_indicator (packet), pts))
    add_entry (index, index->pat_at != NO_OFFSET ? index->pat_at : offset, pts);
  index->pat_at = NO_OFFSET;
  if (index->entries->len > 0) {
    RecServerTsEntry *entry = &g_array_index (
        index->entries, RecServerTsEntry, index->entries->len - 1);

    if (track->video || pts <= entry->end + GAP)
      entry->end = MAX (entry->end, pts);
    entry->tracks |= bit;
  } else
    index->early_tracks |= bit;
}

static void
read_packet (RecServerTsIndex *index, const guint8 *packet, guint64 offset)
{
  guint pid = ts_get_pid (packet);
  RecServerTsTrack *track;

  if (!ts_get_payload_unit_start_indicator (packet))
    return;
  if (pid == TS_PID_PAT) {
    index->pat_at = offset;
    read_pat (index, packet);
  } else if ((gint)pid == index->pmt_pid)
    read_pmt (index, packet, offset);
  else if ((track = find_track (index, pid)))
    read_pes (index, track, packet, offset);
}

/* --- bytes --- */

/* Completes the partial packet. Returns the number of bytes used. */
static gsize
complete_rest (RecServerTsIndex *index, const guint8 *data, gsize length)
{
  gsize n = MIN (length, TS_PACKET_SIZE - index->n_rest);

  if (index->n_rest == 0)
    return 0;
  memcpy (index->rest + index->n_rest, data, n);
  index->n_rest += n;
  if (index->n_rest == TS_PACKET_SIZE) {
    if (ts_has_sync_byte (index->rest))
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
    if (ts_has_sync_byte (data + at)) {
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

guint
rec_server_ts_index_get_early_tracks (RecServerTsIndex *index)
{
  return index->early_tracks;
}

gboolean
rec_server_ts_index_has_change (
    RecServerTsIndex *index, guint64 from, guint64 to)
{
  for (guint i = 0; i < index->changes->len; i++) {
    guint64 offset = g_array_index (index->changes, guint64, i);

    if (offset > from && offset < to)
      return TRUE;
  }
  return FALSE;
}

gboolean
rec_server_ts_index_get_range (
    RecServerTsIndex *index, gint64 *first, gint64 *last)
{
  *first = index->first;
  *last = index->last;
  return index->has_time;
}
