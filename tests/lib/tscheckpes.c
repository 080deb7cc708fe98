/* gst-tsrec: a strict checker of MPEG transport streams: PES packets and time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tscheckpriv.h"

#include <stdlib.h>
#include <string.h>

static void
header_error (TsCheck *check, Pid *pid, const char *what)
{
  ts_check_error (check, TS_CHECK_PES_HEADER, pid->stream.pid, "%s", what);
  pid->pes_bad = true;
}

/* @stamp nearest to @reference, both 90 kHz. */
static int64_t
unwrap (uint64_t stamp, int64_t reference)
{
  const int64_t period = INT64_C (1) << 33;
  int64_t delta = ((int64_t)stamp - reference) % period;

  if (delta < -period / 2)
    delta += period;
  else if (delta >= period / 2)
    delta -= period;
  return reference + delta;
}

static uint64_t
read_stamp (Reader *reader, unsigned prefix, bool *good)
{
  uint64_t stamp;

  *good = reader_get (reader, 4) == prefix && *good;
  stamp = reader_get (reader, 3) << 30;
  *good = reader_get (reader, 1) && *good;
  stamp |= reader_get (reader, 15) << 15;
  *good = reader_get (reader, 1) && *good;
  stamp |= reader_get (reader, 15);
  *good = reader_get (reader, 1) && *good;
  return stamp;
}

/* 2.7.10 and Table 2-22: which stream_id goes with what. */
static bool
stream_id_fits (const TsCheckStream *stream, unsigned id)
{
  switch (stream->kind) {
    case TS_CHECK_KIND_VIDEO:
      return (id & 0xf0) == 0xe0 || id == 0xfd || id == 0xbd;
    case TS_CHECK_KIND_AUDIO:
      return (id & 0xe0) == 0xc0 || id == 0xbd || id == 0xfd;
    default:
      return id == 0xbd || id == 0xbf || id == 0xfc || id == 0xfd;
  }
}

static void
check_interval (
    TsCheck *check, TableId id, TsCheckRule rule, unsigned ms, uint16_t pid)
{
  Table *table = &check->tables[id];

  if (!check->have_pcr)
    return;
  /* Packets before this PES packet belong to its time. */
  table->recent = table->pending;
  if (table->pending) {
    table->pending = false;
    table->time = check->pcr;
  }
  if (ms == 0 || table->overdue)
    return;
  if (table->size == 0) {
    table->overdue = true;
    ts_check_error (check, rule, pid, "a PES packet before the first table");
  } else if (check->pcr - table->time > (int64_t)ms * 27000) {
    table->overdue = true;
    ts_check_error (check, rule, pid, "%.1f ms after the last table",
        (check->pcr - table->time) / 27000.0);
  }
}

/* How long after the last PCR does this PES packet come? Time is what the
 * highest DTS of all PIDs says: a track that lags behind tells nothing. */
static void
check_pcr_interval (TsCheck *check, Pid *pid, int64_t dts)
{
  int64_t passed;

  if (check->highest_dts == TS_CHECK_NONE || dts > check->highest_dts)
    check->highest_dts = dts;
  if (check->pcr_fresh) {
    check->pcr_fresh = false;
    check->pcr_dts = check->highest_dts;
  }
  if (!check->have_pcr)
    return;
  passed = check->highest_dts - check->pcr_dts;
  /* One 90 kHz tick of rounding. */
  if (passed > (int64_t)check->options.pcr_interval_ms * 90 + 1)
    pid->pcr_missing = passed;
}

/* 2.4.2.3, 2.14: no byte waits for longer than 1 s (10 s) in the decoder. */
static void
check_delay (TsCheck *check, Pid *pid)
{
  bool long_delay = pid->stream.stream_type == 0x1b ||
      pid->stream.stream_type == 0x24 || pid->stream.stream_type == 0x33;
  int64_t lead;

  if (pid->current.dts == TS_CHECK_NONE || !check->have_pcr)
    return;
  lead = pid->current.dts - check->pcr / 300;
  if (lead > (long_delay ? 10 : 1) * INT64_C (90000))
    ts_check_error (check, TS_CHECK_DELAY, pid->stream.pid,
        "DTS %.3f s after PCR", lead / 90000.0);
}

static void
check_dts (TsCheck *check, Pid *pid, const TsCheckPes *pes)
{
  TsCheckStream *stream = &pid->stream;

  if (pid->last_dts != TS_CHECK_NONE && pes->dts <= pid->last_dts)
    ts_check_error (check, TS_CHECK_DTS_ORDER, stream->pid,
        "DTS goes back by %.3f ms", (pid->last_dts - pes->dts) / 90.0);
  else if (pid->last_dts != TS_CHECK_NONE &&
      pes->dts - pid->last_dts > stream->max_dts_gap)
    stream->max_dts_gap = pes->dts - pid->last_dts;
  pid->last_dts = pes->dts;
  if (stream->first_dts == TS_CHECK_NONE) {
    stream->first_dts = pes->dts;
    stream->first_pts = pes->pts;
  }
  stream->last_dts = pes->dts;
  if (stream->last_pts == TS_CHECK_NONE || pes->pts > stream->last_pts)
    stream->last_pts = pes->pts;
  check_pcr_interval (check, pid, pes->dts);
}

/* 2.4.3.7: PTS_DTS_flags and what follows from them. */
static void
read_stamps (TsCheck *check, Pid *pid, Reader *reader, unsigned flags)
{
  TsCheckPes *pes = &pid->current;
  int64_t reference = check->have_pcr       ? check->pcr / 300
      : check->highest_dts != TS_CHECK_NONE ? check->highest_dts
                                            : 0;
  bool good = true;
  uint64_t pts;

  pes->pts = pes->dts = TS_CHECK_NONE;
  if (flags == 0)
    return;
  if (flags == 1) {
    header_error (check, pid, "PTS_DTS_flags is '01'");
    return;
  }
  pts = read_stamp (reader, flags, &good);
  pes->pts = pes->dts = unwrap (pts, reference);
  if (flags == 3) {
    pes->dts = unwrap (read_stamp (reader, 1, &good), reference);
    pes->pts = unwrap (pts, pes->dts);
    if (pes->dts >= pes->pts)
      ts_check_error (check, TS_CHECK_PTS_ORDER, pid->stream.pid,
          pes->dts > pes->pts ? "DTS %.3f ms after PTS"
                              : "DTS is coded and equals PTS (%.0f)",
          (pes->dts - pes->pts) / 90.0);
  }
  if (!good)
    header_error (check, pid, "prefix or marker bits of PTS/DTS are wrong");
  pid->stream.timestamps++;
}

/* The optional fields behind the timestamps; they are passed over. */
static void
skip_fields (Reader *reader, unsigned flags)
{
  if (flags & 0x20)
    reader_get (reader, 48);
  if (flags & 0x10)
    reader_get (reader, 24);
  if (flags & 0x08)
    reader_get (reader, 8);
  if (flags & 0x04)
    reader_get (reader, 8);
  if (flags & 0x02)
    reader_get (reader, 16);
  if (flags & 0x01) {
    unsigned extension = (unsigned)reader_get (reader, 8);

    if (extension & 0x80)
      reader_sub (reader, 16);
    if (extension & 0x40)
      reader_sub (reader, reader_get (reader, 8));
    if (extension & 0x20)
      reader_get (reader, 16);
    if (extension & 0x10)
      reader_get (reader, 16);
    if (extension & 0x01) {
      reader_get (reader, 1);
      reader_sub (reader, reader_get (reader, 7));
    }
  }
}

/* 2.4.3.6 PES_packet. Returns false while more bytes are needed. */
static bool
read_header (TsCheck *check, Pid *pid)
{
  Reader reader = { pid->pes, pid->pes_size, 0, false };
  TsCheckPes *pes = &pid->current;
  unsigned length, flags;
  Reader fields;

  if (pid->pes_size < 9)
    return false;
  if (reader_get (&reader, 24) != 1) {
    header_error (check, pid, "no packet_start_code_prefix");
    return true;
  }
  pes->stream_id = (uint8_t)reader_get (&reader, 8);
  if (!stream_id_fits (&pid->stream, pes->stream_id))
    ts_check_error (check, TS_CHECK_PES_HEADER, pid->stream.pid,
        "stream_id 0x%02x with stream_type 0x%02x", pes->stream_id,
        pid->stream.stream_type);
  length = (unsigned)reader_get (&reader, 16);
  pid->pes_expected = length ? length + 6 : 0;
  if (length == 0 && pid->stream.kind != TS_CHECK_KIND_VIDEO)
    ts_check_error (check, TS_CHECK_PES_LENGTH, pid->stream.pid,
        "PES_packet_length 0, and it is not video");
  if (reader_get (&reader, 2) != 2 || reader_get (&reader, 2) != 0) {
    header_error (check, pid, "'10' or PES_scrambling_control is wrong");
    return true;
  }
  reader_get (&reader, 1);
  pes->data_alignment = reader_get (&reader, 1);
  reader_get (&reader, 2);
  flags = (unsigned)reader_get (&reader, 8);
  length = (unsigned)reader_get (&reader, 8);
  if (pid->pes_size < 9u + length)
    return false;
  fields = reader_sub (&reader, length);
  read_stamps (check, pid, &fields, flags >> 6);
  skip_fields (&fields, flags);
  if (fields.overrun)
    header_error (check, pid, "flags ask for more than PES_header_data_length");
  while (reader_left (&fields))
    if (reader_get (&fields, 8) != 0xff)
      header_error (check, pid, "a stuffing byte of the header is not 0xff");
  if (pid->pes_expected && pid->pes_expected < 9u + length)
    header_error (check, pid, "the header is longer than the packet");
  pid->header_size = 9u + length;
  return true;
}

/* 27 MHz, by PCR. */
static int64_t
get_time_since_pts (const TsCheck *check, const Pid *pid)
{
  if (!check->have_pcr)
    return 0;
  return pid->last_pts_pcr == TS_CHECK_NONE ? INT64_MAX
                                            : check->pcr - pid->last_pts_pcr;
}

/* A continuation of an earlier access unit has no PTS. */
static void
check_pts_interval (TsCheck *check, const Pid *pid, const TsCheckPes *pes)
{
  if (pid->stream.kind == TS_CHECK_KIND_DATA || pes->dts != TS_CHECK_NONE ||
      pid->was_full ||
      pes->since_pts <= (int64_t)check->options.pts_interval_ms * 27000 ||
      !ts_check_es_begins_unit (pid, pes))
    return;
  ts_check_error (check, TS_CHECK_PTS_INTERVAL, pes->pid,
      "a PES packet without PTS, %.1f ms after the last one",
      pes->since_pts / 27000.0);
}

static void
handle_header (TsCheck *check, Pid *pid)
{
  TsCheckPes *pes = &pid->current;

  pid->header_done = read_header (check, pid);
  if (!pid->header_done || pid->pes_bad)
    return;
  if (pes->dts != TS_CHECK_NONE) {
    check_dts (check, pid, pes);
    pid->last_stamp = pes->dts;
    pid->last_pts_pcr = check->pcr;
  } else {
    pes->since_pts = get_time_since_pts (check, pid);
  }
}

static void
begin_pes (TsCheck *check, Pid *pid, const Packet *packet)
{
  bool sdt =
      check->options.sdt_interval_ms == 0 || check->tables[TABLE_SDT].since_pes;

  pid->in_pes = pid->had_unit = true;
  pid->pes_bad = pid->header_done = pid->said_late = false;
  pid->pes_size = pid->pes_expected = pid->header_size = 0;
  pid->pcr_missing = 0;
  pid->current = (TsCheckPes){ .pid = packet->pid,
    .random_access = packet->random_access,
    .discontinuity = packet->discontinuity,
    .pts = TS_CHECK_NONE,
    .dts = TS_CHECK_NONE,
    .pcr = check->have_pcr ? check->pcr : TS_CHECK_NONE,
    .first_packet = check->packet };
  pid->rap_psi = check->tables[TABLE_PAT].since_pes &&
      check->tables[TABLE_PMT].since_pes && sdt && check->pcr_since_pes;
  if (pid->epoch != check->epoch) {
    pid->epoch = check->epoch;
    pid->last_dts = pid->last_pts_pcr = TS_CHECK_NONE;
  }
  check_interval (check, TABLE_PAT, TS_CHECK_PAT_INTERVAL,
      check->options.psi_interval_ms, 0);
  check_interval (check, TABLE_PMT, TS_CHECK_PMT_INTERVAL,
      check->options.psi_interval_ms, check->pmt_pid);
  check_interval (check, TABLE_SDT, TS_CHECK_SDT_INTERVAL,
      check->options.sdt_interval_ms, SDT_PID);
  for (unsigned i = 0; i < N_TABLES; i++)
    check->tables[i].since_pes = false;
  check->pcr_since_pes = false;
}

void
ts_check_pes_drop (Pid *pid)
{
  pid->in_pes = false;
  pid->pes_size = 0;
}

static void
check_size (TsCheck *check, Pid *pid, bool at_end)
{
  if (pid->pes_expected == 0 || pid->pes_size == pid->pes_expected)
    return;
  ts_check_error (check,
      at_end && pid->pes_size < pid->pes_expected ? TS_CHECK_PES_TRUNCATED
                                                  : TS_CHECK_PES_LENGTH,
      pid->stream.pid, "%zu bytes, PES_packet_length says %zu", pid->pes_size,
      pid->pes_expected);
}

void
ts_check_pes_finish (TsCheck *check, Pid *pid, bool at_end)
{
  TsCheckPes *pes = &pid->current;

  if (!pid->in_pes)
    return;
  pid->in_pes = false;
  if (!pid->header_done && !pid->pes_bad)
    ts_check_error (check,
        at_end ? TS_CHECK_PES_TRUNCATED : TS_CHECK_PES_HEADER, pid->stream.pid,
        "it ends inside its header");
  if (!pid->header_done || pid->pes_bad)
    return;
  check_size (check, pid, at_end);
  if (pid->pcr_missing)
    ts_check_error (check, TS_CHECK_PCR_INTERVAL, pid->stream.pid,
        "%.1f ms after the last PCR", pid->pcr_missing / 90.0);
  if (!check->have_pcr && pid->current.dts != TS_CHECK_NONE)
    ts_check_error (check, TS_CHECK_PCR_PID, pid->stream.pid,
        "a whole PES packet before the first PCR");
  check_delay (check, pid);
  pes->stream_type = pid->stream.stream_type;
  pes->kind = pid->stream.kind;
  pes->data = pid->pes + pid->header_size;
  pes->size = pid->pes_size - pid->header_size;
  pes->offset = pid->es_offset;
  pid->es_offset += pes->size;
  pid->stream.payload_bytes += pes->size;
  pid->stream.pes_packets++;
  pid->stream.random_access += pes->random_access;
  check_pts_interval (check, pid, pes);
  ts_check_es_note_core (pid, pes);
  pid->was_full = pid->pes_expected > PES_SIZE_FULL;
  ts_check_es (check, pid, pes);
  if (check->pes_func)
    check->pes_func (check->user_data, pes);
}

static bool
append (Pid *pid, const Packet *packet)
{
  size_t need = pid->pes_size + packet->payload_size;

  if (need > PES_SIZE_MAX)
    return false;
  if (need > pid->pes_allocated) {
    size_t size = need * 2 < 4096 ? 4096 : need * 2;
    uint8_t *bigger = realloc (pid->pes, size);

    if (!bigger)
      return false;
    pid->pes = bigger;
    pid->pes_allocated = size;
  }
  if (packet->payload_size > 0)
    memcpy (pid->pes + pid->pes_size, packet->payload, packet->payload_size);
  pid->pes_size = need;
  return true;
}

void
ts_check_pes_packet (TsCheck *check, Pid *pid, const Packet *packet)
{
  if (packet->unit_start) {
    /* A cut by a crash is accepted if the stream is marked as continued. */
    if (packet->discontinuity && pid->pes_size < pid->pes_expected)
      ts_check_pes_drop (pid);
    ts_check_pes_finish (check, pid, false);
    begin_pes (check, pid, packet);
  } else if (!pid->in_pes) {
    if (pid->had_unit && !packet->discontinuity && pid->pes_size)
      ts_check_error (check, TS_CHECK_PES_LENGTH, packet->pid,
          "payload after the end of a PES packet");
    return;
  } else if (packet->random_access) {
    ts_check_error (check, TS_CHECK_RAP_INDICATOR, packet->pid,
        "random_access_indicator inside a PES packet");
  }
  if (!append (pid, packet)) {
    ts_check_error (check, TS_CHECK_PES_LENGTH, packet->pid,
        "a PES packet of more than %u bytes", PES_SIZE_MAX);
    ts_check_pes_drop (pid);
    return;
  }
  if (!pid->header_done && !pid->pes_bad)
    handle_header (check, pid);
  /* 2.4.2.3: the last byte too arrives before it is decoded. */
  if (pid->header_done && pid->current.dts != TS_CHECK_NONE &&
      check->have_pcr && check->pcr > pid->current.dts * 300 &&
      !pid->said_late) {
    pid->said_late = true;
    ts_check_error (check, TS_CHECK_PCR_LATE, packet->pid,
        "PCR %.3f ms after DTS",
        (check->pcr - pid->current.dts * 300) / 27000.0);
  }
  /* A bounded packet is over with its last byte. */
  if (pid->header_done && pid->pes_expected &&
      pid->pes_size >= pid->pes_expected)
    ts_check_pes_finish (check, pid, false);
}
