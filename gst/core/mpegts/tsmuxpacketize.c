/* gst-tsrec: turns sections and access units into transport packets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Part of TsMux. One pass: every payload byte is copied once, from the access
 * unit into its packet.
 */

#include "tsmux-private.h"

/* Bytes that a PCR takes in a packet without another adaptation field. */
#define PCR_COST (TS_AF_HEADER_SIZE + TS_PCR_SIZE)
/* With pack, the least bytes of an access unit in the PES packet with its
 * timestamps: its delimiter and the next start code. */
#define MIN_START 16
/* With pack, the longest time that the end of a picture waits for the next
 * picture. */
#define MAX_REMAINDER_TIME (200 * TS_NS_PER_MS)

/* Position in a list of spans. */
typedef struct
{
  const TsSpan *span;
  size_t offset;
} Source;

/* --- Pending data: audio_pes_time and pack --- */

/* Returns true if the end of an access unit of @track that does not fill a packet
 * waits for the next access unit. */
static bool
keeps_remainder (const TsMux *mux, const TsTrack *track)
{
  return mux->config.pack && ts_codec_is_video (track->config.codec);
}

size_t
ts_write_get_pending_room (const TsMux *mux, const TsTrack *track)
{
  if (keeps_remainder (mux, track))
    return TS_PAYLOAD_SIZE;
  return mux->config.audio_pes_time > 0 &&
          ts_codec_is_audio (track->config.codec)
      ? TS_PES_MAX_PAYLOAD
      : 0;
}

int64_t
ts_write_get_pending_time (const TsMux *mux, const TsTrack *track, bool own)
{
  /* The end of a picture from before a silence would keep PCR back. */
  if (ts_codec_is_video (track->config.codec))
    return own ? TS_NS_PER_S : MAX_REMAINDER_TIME;
  return own ? INT64_MAX : mux->config.audio_pes_time;
}

/* --- Packets --- */

size_t
ts_write_get_max_size (size_t size, unsigned n_pcrs)
{
  size_t n_pes = size / TS_PES_MAX_PAYLOAD + 1;
  size_t bytes =
      size + n_pes * TS_PES_MAX_HEADER_SIZE + n_pcrs * PCR_COST + PCR_COST;

  return (bytes / TS_PAYLOAD_SIZE + n_pes + n_pcrs + 1) * TS_PACKET_SIZE;
}

static inline uint8_t *
pull (Source *source, uint8_t *p, size_t size)
{
  while (size > 0) {
    size_t n = source->span->size - source->offset;

    if (n > size) {
      memcpy (p, source->span->data + source->offset, size);
      source->offset += size;
      return p + size;
    }
    if (n > 0)
      memcpy (p, source->span->data + source->offset, n);
    p += n;
    size -= n;
    source->span++;
    source->offset = 0;
  }
  return p;
}

static inline uint8_t *
begin_packet (TsWriter *w, uint16_t pid)
{
  uint8_t *cc = &w->mux->cc[pid];
  uint8_t *ts = w->p;

  w->p += TS_PACKET_SIZE;
  *cc = (uint8_t)((*cc + 1) & TS_CC_MASK);
  ts_set_header (ts, pid, *cc);
  return ts;
}

static bool
take_discontinuity (bool *discontinuity)
{
  bool ret = *discontinuity;

  *discontinuity = false;
  return ret;
}

/* 2.4.4.1: pointer_field in the first packet of a section, stuffing bytes
 * after it. */
void
ts_write_table (TsWriter *w, TsTable *table)
{
  size_t pos = 0;

  while (pos < table->size) {
    uint8_t *ts = begin_packet (w, table->pid);
    uint8_t *p = ts + TS_HEADER_SIZE;
    size_t n;

    if (take_discontinuity (&table->discontinuity)) {
      ts_set_adaptation_field (ts, true);
      ts_set_adaptation_field_length (ts, TS_AF_HEADER_SIZE - 1);
      ts_set_discontinuity_indicator (ts);
      p += TS_AF_HEADER_SIZE;
    }
    if (pos == 0) {
      ts_set_payload_unit_start_indicator (ts);
      *p++ = 0; /* pointer_field */
    }
    n = (size_t)(w->p - p);
    if (n > table->size - pos)
      n = table->size - pos;
    memcpy (p, table->section + pos, n);
    memset (p + n, TS_STUFFING_BYTE, (size_t)(w->p - p) - n);
    w->mux->stats.stuffing_bytes += (size_t)(w->p - p) - n;
    w->mux->stats.psi_packets++;
    pos += n;
  }
}

/* 2.4.3.3: a packet without payload does not count. */
void
ts_write_pcr (TsWriter *w, TsTrack *track, int64_t pcr)
{
  uint8_t *ts = w->p;

  w->p += TS_PACKET_SIZE;
  ts_set_header (ts, track->pid, w->mux->cc[track->pid]);
  ts_set_adaptation_field (ts, false);
  ts_set_adaptation_field_length (ts, TS_PAYLOAD_SIZE - 1);
  if (take_discontinuity (&track->discontinuity) || w->mux->plan.pcr_jump)
    ts_set_discontinuity_indicator (ts);
  ts_set_pcr (ts, ((uint64_t)pcr & TS_TIMESTAMP_MASK) * TS_PCR_PER_TIMESTAMP);
  memset (ts + TS_HEADER_SIZE + PCR_COST, TS_STUFFING_BYTE,
      TS_PAYLOAD_SIZE - PCR_COST);
  w->mux->stats.stuffing_bytes += TS_PAYLOAD_SIZE - PCR_COST;
  w->mux->stats.pcr_packets++;
}

int64_t
ts_mux_get_next_pcr (const TsMux *mux)
{
  const TsPlan *plan = &mux->plan;

  if (plan->n_pcrs > 1 && mux->last_pcr != TS_TIME_NONE)
    return mux->last_pcr + (plan->pcr - mux->last_pcr) / plan->n_pcrs;
  return plan->pcr;
}

int64_t
ts_mux_take_pcr (TsMux *mux)
{
  int64_t pcr = ts_mux_get_next_pcr (mux);

  /* The first tables precede the first PCR. */
  if (mux->last_pcr == TS_TIME_NONE)
    mux->pat.last_pcr = mux->pmt.last_pcr = mux->sdt.last_pcr = pcr;
  mux->plan.n_pcrs--;
  mux->last_pcr = pcr;
  mux->last_pcr_dts = ts_mux_to_ts (mux, mux->timeline.now);
  return pcr;
}

/* Returns true if the next packet gets a PCR. The last PCR of the plan goes
 * into the last packet, which is stuffed anyway, unless there is no room. For
 * a random access point PCR is first, and also after a silence, with a
 * discontinuity_indicator. */
static bool
is_pcr_packet (const TsMux *mux, const TsTrack *track, size_t left,
    bool random_access, bool hold)
{
  size_t last = (left - 1) % TS_PAYLOAD_SIZE + 1;

  if (track != mux->pcr_track || mux->plan.n_pcrs == 0)
    return false;
  return mux->plan.n_pcrs > 1 || mux->plan.pcr_jump || random_access || hold ||
      left <= TS_PAYLOAD_SIZE || last > TS_PAYLOAD_SIZE - PCR_COST;
}

/* Writes one packet with up to @left bytes of @source. Returns their number. */
static size_t
write_packet (TsWriter *w, TsTrack *track, Source *source, size_t left,
    bool start, bool random_access, bool pcr)
{
  uint8_t *ts = begin_packet (w, track->pid);
  uint8_t *p = ts + TS_HEADER_SIZE;
  bool discontinuity = take_discontinuity (&track->discontinuity) ||
      (pcr && w->mux->plan.pcr_jump);
  size_t af = 0, stuffing = 0;

  if (start)
    ts_set_payload_unit_start_indicator (ts);
  if (pcr)
    af = PCR_COST;
  else if (random_access || discontinuity)
    af = TS_AF_HEADER_SIZE;
  if (left > TS_PAYLOAD_SIZE - af)
    left = TS_PAYLOAD_SIZE - af;
  stuffing = TS_PAYLOAD_SIZE - af - left;
  if (af + stuffing > 0) {
    ts_set_adaptation_field (ts, true);
    ts_set_adaptation_field_length (ts, (uint8_t)(af + stuffing - 1));
    if (random_access)
      ts_set_random_access_indicator (ts);
    if (discontinuity)
      ts_set_discontinuity_indicator (ts);
    if (pcr) {
      ts_set_pcr (ts,
          ((uint64_t)ts_mux_take_pcr (w->mux) & TS_TIMESTAMP_MASK) *
              TS_PCR_PER_TIMESTAMP);
    }
    if (af == 0) /* the length and the flags are part of the stuffing */
      af = stuffing < TS_AF_HEADER_SIZE ? stuffing : TS_AF_HEADER_SIZE;
    memset (p + af, TS_STUFFING_BYTE, TS_PAYLOAD_SIZE - left - af);
    p = ts + TS_PACKET_SIZE - left;
    w->mux->stats.stuffing_bytes += stuffing;
  }
  pull (source, p, left);
  return left;
}

/* Copies packets without flags and stuffing, as long as one span lasts.
 * Returns the number of payload bytes. */
static size_t
write_full_packets (TsWriter *w, TsTrack *track, Source *source, size_t left)
{
  size_t n = source->span->size - source->offset;
  const uint8_t *data = source->span->data + source->offset;
  size_t done = 0;

  if (n > left)
    n = left;
  for (; n - done > TS_PAYLOAD_SIZE; done += TS_PAYLOAD_SIZE) {
    uint8_t *ts = begin_packet (w, track->pid);

    memcpy (ts + TS_HEADER_SIZE, data + done, TS_PAYLOAD_SIZE);
  }
  source->offset += done;
  return done;
}

/* Writes a PES packet: @left bytes of @source, its header included.
 * @hold_from: with pack, the offset from which bytes may be left for the next
 * PES packet; otherwise 0. Returns the number of bytes that are left. */
static size_t
write_pes_packet (TsWriter *w, TsTrack *track, Source *source, size_t left,
    bool random_access, size_t hold_from)
{
  bool hold = hold_from > 0;
  size_t total = left;
  bool start = true;

  while (left > 0) {
    bool pcr = is_pcr_packet (w->mux, track, left, random_access, hold);

    if (hold && !start && left < TS_PAYLOAD_SIZE && total - left >= hold_from)
      return left;
    left -= write_packet (
        w, track, source, left, start, random_access && start, pcr);
    start = false;
    random_access = false;
    if (left > TS_PAYLOAD_SIZE &&
        !is_pcr_packet (w->mux, track, left, false, hold))
      left -= write_full_packets (w, track, source, left);
  }
  return 0;
}

static size_t
make_pes_header (uint8_t *pes, const TsTrack *track, size_t payload_size,
    bool timestamps, int64_t pts, int64_t dts, bool aligned, bool unbounded)
{
  uint64_t wire_pts = (uint64_t)pts & TS_TIMESTAMP_MASK;
  uint64_t wire_dts = (uint64_t)dts & TS_TIMESTAMP_MASK;
  size_t data_length = 0;
  size_t length;

  if (timestamps)
    data_length = TS_PES_TIMESTAMP_SIZE * (pts != dts ? 2 : 1);
  if (track->config.codec == TS_CODEC_TELETEXT) {
    memset (pes + TS_PES_HEADER_SIZE + data_length, TS_STUFFING_BYTE,
        TS_TELETEXT_HEADER_DATA_LENGTH - data_length);
    data_length = TS_TELETEXT_HEADER_DATA_LENGTH;
  }
  length = TS_PES_HEADER_SIZE - TS_PES_START_SIZE + data_length + payload_size;
  ts_pes_set_start (pes, track->stream_id);
  ts_pes_set_length (
      pes, unbounded || length > TS_PES_MAX_LENGTH ? 0 : (uint16_t)length);
  ts_pes_set_header (pes, aligned, (uint8_t)data_length);
  if (timestamps && pts != dts)
    ts_pes_set_pts_dts (pes, wire_pts, wire_dts);
  else if (timestamps)
    ts_pes_set_pts (pes, wire_pts);
  return TS_PES_HEADER_SIZE + data_length;
}

/* The remainder of the access unit becomes the pending data of @track. */
static void
keep_remainder (TsTrack *track, Source *source, size_t left, int64_t dts)
{
  uint8_t rest[TS_PAYLOAD_SIZE];

  pull (source, rest, left);
  memcpy (track->pending, rest, left);
  track->pending_size = left;
  track->pending_dts = dts;
}

void
ts_write_pes (TsWriter *w, TsTrack *track, const TsPayload *payload,
    int64_t pts, int64_t dts, bool random_access)
{
  bool hold = keeps_remainder (w->mux, track);
  bool video = ts_codec_is_video (track->config.codec);
  uint8_t header[TS_PES_MAX_HEADER_SIZE];
  TsSpan spans[TS_MAX_SPANS + 2];
  Source source = { spans, 0 };
  size_t left = payload->size, pending_size = hold ? track->pending_size : 0;
  bool first = true, timed = pts != TS_TIME_NONE;

  spans[0].data = header;
  spans[1].data = track->pending;
  spans[1].size = track->pending_size;
  memcpy (spans + 2, payload->spans, sizeof (payload->spans));
  left += track->pending_size;
  track->pending_size = 0;
  while (left > 0) {
    size_t n = video || left <= TS_PES_MAX_PAYLOAD ? left : TS_PES_MAX_PAYLOAD;
    Source pes = { spans, 0 };
    size_t rest,
        header_size = make_pes_header (header, track, n, first && timed, pts,
            dts, first && timed && pending_size == 0, hold);

    spans[0].size = header_size;
    if (!first) {
      /* Continue at the current position, with another header. */
      TsSpan *span = &spans[source.span - spans];

      span--;
      span->data = header;
      span->size = header_size;
      span[1].data += source.offset;
      span[1].size -= source.offset;
      pes.span = span;
    }
    rest = write_pes_packet (w, track, &pes, header_size + n, random_access,
        hold ? header_size + pending_size + MIN_START : 0);
    if (rest > 0)
      keep_remainder (track, &pes, rest, dts);
    source = pes;
    random_access = false;
    first = false;
    left -= n;
  }
}

void
ts_write_pending (TsWriter *w, TsTrack *track)
{
  TsPayload payload = { .n_spans = 0 };

  if (track->pending_size == 0)
    return;
  if (ts_codec_is_video (track->config.codec)) {
    /* The end of the last access unit, whose PES packet is unbounded. */
    TsSpan span = { track->pending, track->pending_size };
    Source source = { &span, 0 };

    write_packet (w, track, &source, track->pending_size, false, false, false);
    track->pending_size = 0;
  } else {
    ts_write_pes (
        w, track, &payload, track->pending_pts, track->pending_dts, false);
  }
}
