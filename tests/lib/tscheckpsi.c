/* gst-tsrec: a strict checker of MPEG transport streams: PAT, PMT and SDT
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tscheckpriv.h"

#include <stdio.h>
#include <string.h>

/* Annex A: CRC_32, bit by bit; over a whole section it yields 0. */
static uint32_t
crc32_mpeg (const uint8_t *data, size_t size)
{
  uint32_t crc = 0xffffffff;

  for (size_t i = 0; i < size; i++)
    for (int bit = 7; bit >= 0; bit--) {
      bool feedback = ((crc >> 31) ^ (data[i] >> bit)) & 1;
      crc = crc << 1 ^ (feedback ? 0x04c11db7 : 0);
    }
  return crc;
}

static void
content_error (TsCheck *check, uint16_t pid, const char *what)
{
  ts_check_error (check, TS_CHECK_PSI_CONTENT, pid, "%s", what);
}

static void
parse_pat (TsCheck *check, Reader *body)
{
  unsigned programs = 0;

  while (reader_left (body)) {
    unsigned number = (unsigned)reader_get (body, 16);
    unsigned reserved = (unsigned)reader_get (body, 3);
    uint16_t pid = (uint16_t)reader_get (body, 13);
    Pid *state;

    if (body->overrun || reserved != 7 || pid < 0x10 || pid == NULL_PID) {
      content_error (check, 0, "a program of the PAT is malformed");
      return;
    }
    if (number == 0)
      continue;
    programs++;
    check->pmt_pid = pid;
    state = ts_check_get_pid (check, pid);
    if (state)
      state->use = PID_PSI;
  }
  if (programs != 1)
    ts_check_error (
        check, TS_CHECK_PSI_CONTENT, 0, "%u programs, expected 1", programs);
}

/* The kind a registration or DVB descriptor gives to private PES data. */
static TsCheckKind
kind_of_format (const uint8_t *format)
{
  if (!memcmp (format, "Opus", 4) || !memcmp (format, "AC-3", 4) ||
      !memcmp (format, "EAC3", 4) || !memcmp (format, "DTS", 3))
    return TS_CHECK_KIND_AUDIO;
  if (!memcmp (format, "AV01", 4) || !memcmp (format, "HEVC", 4))
    return TS_CHECK_KIND_VIDEO;
  return TS_CHECK_KIND_DATA;
}

static TsCheckKind
kind_of_stream_type (unsigned stream_type)
{
  switch (stream_type) {
    case 0x01:
    case 0x02:
    case 0x10:
    case 0x1b:
    case 0x21:
    case 0x24:
    case 0x33:
      return TS_CHECK_KIND_VIDEO;
    case 0x03:
    case 0x04:
    case 0x0f:
    case 0x11:
    case 0x81:
    case 0x87:
      return TS_CHECK_KIND_AUDIO;
    default:
      return TS_CHECK_KIND_DATA;
  }
}

/* Returns false when the loop is malformed. */
static bool
parse_descriptors (Reader *loop, TsCheckStream *stream)
{
  while (reader_left (loop)) {
    unsigned tag = (unsigned)reader_get (loop, 8);
    unsigned length = (unsigned)reader_get (loop, 8);
    Reader body = reader_sub (loop, length);

    if (body.overrun)
      return false;
    if (!stream)
      continue;
    if (tag == 0x05) {
      if (body.size < 4)
        return false;
      if (stream->stream_type == 0x06)
        stream->kind = kind_of_format (body.data);
    } else if (tag == 0x6a || tag == 0x7a) {
      stream->kind = TS_CHECK_KIND_AUDIO;
    } else if (tag == 0x0a) {
      if (body.size == 0 || body.size % 4)
        return false;
      memcpy (stream->language, body.data, 3);
    }
  }
  return !loop->overrun;
}

static void
add_to_order (TsCheck *check, uint16_t pid)
{
  for (unsigned i = 0; i < check->n_streams; i++)
    if (check->order[i] == pid)
      return;
  if (check->n_streams < MAX_STREAMS)
    check->order[check->n_streams++] = pid;
}

/* One elementary stream of the PMT. Returns false when malformed. */
static bool
parse_stream (TsCheck *check, Reader *body)
{
  unsigned stream_type = (unsigned)reader_get (body, 8);
  unsigned reserved = (unsigned)reader_get (body, 3);
  uint16_t number = (uint16_t)reader_get (body, 13);
  unsigned reserved2 = (unsigned)reader_get (body, 4);
  Reader loop;
  Pid *pid;

  if (reader_get (body, 2) != 0)
    return false;
  loop = reader_sub (body, reader_get (body, 10));
  if (loop.overrun || reserved != 7 || reserved2 != 15 || number < 0x10 ||
      number == NULL_PID || number == check->pmt_pid || stream_type == 0)
    return false;
  pid = ts_check_get_pid (check, number);
  if (!pid)
    return true;
  if (pid->listed)
    ts_check_error (
        check, TS_CHECK_PSI_CONTENT, number, "the PMT lists this PID twice");
  /* Open data on this PID is of the former kind. */
  if (pid->use == PID_PES && pid->stream.stream_type != stream_type)
    ts_check_pes_finish (check, pid, false);
  pid->use = PID_PES;
  pid->listed = true;
  pid->said_unreferenced = false;
  pid->stream.stream_type = (uint8_t)stream_type;
  pid->stream.kind = kind_of_stream_type (stream_type);
  add_to_order (check, number);
  return parse_descriptors (&loop, &pid->stream);
}

static void
parse_pmt (TsCheck *check, Reader *body)
{
  bool good = reader_get (body, 3) == 7;
  Reader loop;

  check->pcr_pid = (uint16_t)reader_get (body, 13);
  good = good && reader_get (body, 4) == 15 && reader_get (body, 2) == 0;
  loop = reader_sub (body, reader_get (body, 10));
  good = good && !loop.overrun && parse_descriptors (&loop, NULL);
  for (Pid *pid = check->first; pid; pid = pid->next)
    pid->listed = false;
  while (good && reader_left (body))
    good = parse_stream (check, body);
  if (!good || body->overrun)
    content_error (check, check->pmt_pid, "the PMT is malformed");
  for (Pid *pid = check->first; pid; pid = pid->next)
    if (pid->use == PID_PES && !pid->listed) {
      ts_check_pes_finish (check, pid, false);
      pid->use = PID_UNKNOWN;
    }
}

static void
copy_text (char *to, size_t size, const Reader *from)
{
  size_t n = from->size < size - 1 ? from->size : size - 1;

  if (n)
    memcpy (to, from->data, n);
  to[n] = '\0';
}

/* EN 300 468 6.2.33 service_descriptor */
static bool
parse_service (TsCheck *check, Reader *loop)
{
  while (reader_left (loop)) {
    unsigned tag = (unsigned)reader_get (loop, 8);
    Reader body = reader_sub (loop, reader_get (loop, 8));
    Reader text;

    if (body.overrun)
      return false;
    if (tag != 0x48)
      continue;
    reader_get (&body, 8);
    text = reader_sub (&body, reader_get (&body, 8));
    copy_text (check->stats.service_provider,
        sizeof check->stats.service_provider, &text);
    text = reader_sub (&body, reader_get (&body, 8));
    copy_text (
        check->stats.service_name, sizeof check->stats.service_name, &text);
    if (body.overrun || reader_left (&body))
      return false;
  }
  return !loop->overrun;
}

/* EN 300 468 5.2.3 */
static void
parse_sdt (TsCheck *check, Reader *body)
{
  bool good = true;

  reader_get (body, 16);
  reader_get (body, 8);
  while (good && reader_left (body)) {
    Reader loop;

    reader_get (body, 16);
    good = reader_get (body, 6) == 63;
    reader_get (body, 6);
    loop = reader_sub (body, reader_get (body, 12));
    good = good && !loop.overrun && parse_service (check, &loop);
  }
  if (!good || body->overrun)
    content_error (check, SDT_PID, "the SDT is malformed");
}

/* 2.4.4.9: a new version_number, by one, when the content is new. It may also
 * be new because what changed was changed back before it was ever sent. After
 * a discontinuity_indicator anything goes. */
static void
check_version (TsCheck *check, Table *table, uint16_t pid, int version,
    const uint8_t *section, size_t size, bool discontinuity)
{
  bool same = table->size == size && size >= 8 &&
      !memcmp (table->section, section, 5) &&
      !memcmp (table->section + 6, section + 6, size - 10);

  if (table->size == 0 || discontinuity)
    return;
  if (same && version != table->version &&
      version != ((table->version + 1) & 31))
    ts_check_error (check, TS_CHECK_PSI_VERSION, pid,
        "version_number %d to %d, nothing changed", table->version, version);
  if (!same && version != ((table->version + 1) & 31))
    ts_check_error (check, TS_CHECK_PSI_VERSION, pid,
        "the content changed, version_number %d to %d", table->version,
        version);
}

void
ts_check_table_arrival (TsCheck *check, TableId id, int64_t time)
{
  static const TsCheckRule rules[] = { TS_CHECK_PAT_INTERVAL,
    TS_CHECK_PMT_INTERVAL, TS_CHECK_SDT_INTERVAL };
  Table *table = &check->tables[id];
  unsigned ms = id == TABLE_SDT ? check->options.sdt_interval_ms
                                : check->options.psi_interval_ms;

  if (ms > 0 && table->arrival != TS_CHECK_NONE &&
      time - table->arrival > (int64_t)ms * 27000 + 300)
    ts_check_error (check, rules[id], 0xffff, "%.1f ms from one to the next",
        (time - table->arrival) / 27000.0);
  table->arrival = time;
}

static void
table_complete (TsCheck *check, Pid *pid, TableId id, int version)
{
  Table *table = &check->tables[id];
  Reader body = { pid->section + 8, pid->section_size - 12, 0, false };
  bool news = table->size != pid->section_size ||
      memcmp (table->section, pid->section, pid->section_size);

  check_version (check, table, pid->stream.pid, version, pid->section,
      pid->section_size, pid->section_discontinuity);
  if (news && id == TABLE_PMT && table->size)
    check->stats.pmt_changes++;
  table->version = version;
  memcpy (table->section, pid->section, pid->section_size);
  table->size = pid->section_size;
  table->pending = table->since_pes = true;
  table->overdue = false;
  if (table->n_unplaced < MAX_UNPLACED)
    table->unplaced[table->n_unplaced++] = check->packet;
  if (id == TABLE_PAT)
    check->stats.pat_version = version;
  else if (id == TABLE_PMT)
    check->stats.pmt_version = version;
  else
    check->stats.sdt_version = version;
  if (!news)
    return;
  if (id == TABLE_PAT)
    parse_pat (check, &body);
  else if (id == TABLE_PMT)
    parse_pmt (check, &body);
  else
    parse_sdt (check, &body);
}

/* 2.4.4: a whole section stands in pid->section. */
static void
section_complete (TsCheck *check, Pid *pid)
{
  Reader reader = { pid->section, pid->section_size, 0, false };
  uint16_t number = pid->stream.pid;
  unsigned table_id = (unsigned)reader_get (&reader, 8);
  bool syntax = reader_get (&reader, 1), private = reader_get (&reader, 1);
  unsigned reserved = (unsigned)reader_get (&reader, 2), length;
  unsigned reserved2, section_number, last_section_number;
  int version;
  bool current;

  length = (unsigned)reader_get (&reader, 12);
  reader_get (&reader, 16);
  reserved2 = (unsigned)reader_get (&reader, 2);
  version = (int)reader_get (&reader, 5);
  current = reader_get (&reader, 1);
  section_number = (unsigned)reader_get (&reader, 8);
  last_section_number = (unsigned)reader_get (&reader, 8);
  if (number == SDT_PID && table_id != 0x42)
    return; /* another table of DVB */
  if (!syntax || reserved != 3 || reserved2 != 3 || reader.overrun ||
      length < 9 || length > 1021 || (number != SDT_PID && private) ||
      section_number || last_section_number) {
    ts_check_error (check, TS_CHECK_PSI_SECTION, number,
        "the header of the section is malformed");
    return;
  }
  if (crc32_mpeg (pid->section, pid->section_size)) {
    ts_check_error (check, TS_CHECK_PSI_CRC, number, "CRC_32 does not match");
    return;
  }
  if (table_id != (number == 0 ? 0x00u : number == SDT_PID ? 0x42u : 0x02u)) {
    ts_check_error (check, TS_CHECK_PSI_SECTION, number,
        "table_id 0x%02x does not belong here", table_id);
    return;
  }
  if (!current ||
      (number != 0 && number != SDT_PID && number != check->pmt_pid))
    return;
  table_complete (check, pid,
      number == 0             ? TABLE_PAT
          : number == SDT_PID ? TABLE_SDT
                              : TABLE_PMT,
      version);
}

/* Takes bytes of the section in progress. Returns how many it took. */
static size_t
collect (TsCheck *check, Pid *pid, const uint8_t *data, size_t size)
{
  size_t taken = 0;

  while (taken < size && pid->in_section) {
    size_t length = 3;

    pid->section[pid->section_size++] = data[taken++];
    if (pid->section_size >= 3)
      length += (pid->section[1] & 0x0f) << 8 | pid->section[2];
    if (length > SECTION_SIZE_MAX) {
      ts_check_error (check, TS_CHECK_PSI_SECTION, pid->stream.pid,
          "section_length %zu", length - 3);
      pid->in_section = false;
    } else if (pid->section_size >= 3 && pid->section_size == length) {
      pid->in_section = false;
      section_complete (check, pid);
    }
  }
  return taken;
}

void
ts_check_psi_packet (TsCheck *check, Pid *pid, const Packet *packet)
{
  const uint8_t *data = packet->payload;
  size_t size = packet->payload_size, pointer;

  if (packet->discontinuity)
    pid->section_discontinuity = true;
  if (!packet->unit_start) {
    if (!pid->in_section && pid->had_unit && !packet->discontinuity)
      ts_check_error (check, TS_CHECK_PSI_SECTION, packet->pid,
          "a packet that belongs to no section");
    collect (check, pid, data, size);
    return;
  }
  pid->had_unit = true;
  pointer = size ? data[0] : 0;
  if (size == 0 || pointer + 1 >= size) {
    ts_check_error (check, TS_CHECK_PSI_SECTION, packet->pid,
        "pointer_field %zu points out of the packet", pointer);
    pid->in_section = false;
    return;
  }
  collect (check, pid, data + 1, pointer);
  if (pid->in_section)
    ts_check_error (check, TS_CHECK_PSI_SECTION, packet->pid,
        "a section begins inside the one before it");
  for (size_t at = pointer + 1; at < size && data[at] != 0xff;) {
    pid->in_section = true;
    pid->section_size = 0;
    at += collect (check, pid, data + at, size - at);
    if (pid->in_section)
      return;
    for (size_t i = at; i < size && data[at] == 0xff; i++)
      if (data[i] != 0xff) {
        ts_check_error (check, TS_CHECK_PSI_SECTION, packet->pid,
            "stuffing after the section is not 0xff");
        return;
      }
  }
  pid->section_discontinuity = false;
}
