/* gst-tsrec: program specific information: the sections PAT, PMT and SDT
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tspsi.h"
#include "tspacket.h"

#include <string.h>

/* 2.4.4.3: one program of a PAT */
#define PAT_PROGRAM_SIZE 4
/* 2.4.4.8: a PMT up to program_info_length, and one elementary stream of it up
 * to ES_info_length */
#define PMT_HEADER_SIZE 12
#define PMT_STREAM_SIZE 5

/* EN 300 468 table 87: digital television service */
#define SERVICE_TYPE_DIGITAL_TELEVISION 0x01
/* EN 300 468 table 6 */
#define RUNNING_STATUS_RUNNING 4
/* EN 300 468 annex A: the text that follows is UTF-8 */
#define TEXT_UTF8 0x15
#define MAX_NAME 80

/* A bounds-checked writer: after an overflow nothing more is written, and the
 * section is discarded at the end. */
typedef struct
{
  uint8_t *data;
  size_t size;
  size_t pos;
  bool overflow;
} Writer;

static void
put_bytes (Writer *w, const void *data, size_t size)
{
  if (w->overflow || size > w->size - w->pos) {
    w->overflow = true;
    return;
  }
  if (size > 0)
    memcpy (w->data + w->pos, data, size);
  w->pos += size;
}

static void
put_u8 (Writer *w, unsigned value)
{
  uint8_t byte = (uint8_t)value;

  put_bytes (w, &byte, 1);
}

static void
put_u16 (Writer *w, unsigned value)
{
  uint8_t bytes[2] = { (uint8_t)(value >> 8), (uint8_t)value };

  put_bytes (w, bytes, sizeof (bytes));
}

uint32_t
ts_psi_crc32 (const uint8_t *data, size_t size)
{
  uint32_t crc = 0xffffffff;

  for (size_t i = 0; i < size; i++) {
    crc ^= (uint32_t)data[i] << 24;
    for (int bit = 0; bit < 8; bit++)
      crc = crc << 1 ^ (crc & 0x80000000 ? 0x04c11db7 : 0);
  }
  return crc;
}

/* 2.4.4.11: writes the common start of PAT, PMT and SDT, up to
 * last_section_number. The bits before section_length are '1'
 * (section_syntax_indicator), @private_bit and reserved. */
static void
begin_section (Writer *w, unsigned table_id, unsigned private_bit,
    unsigned table_id_extension, unsigned version_number)
{
  put_u8 (w, table_id);
  put_u16 (
      w, 0xb000 | private_bit << 14); /* section_length is set at the end */
  put_u16 (w, table_id_extension);
  /* reserved, version_number, current_next_indicator */
  put_u8 (w, 0xc0 | (version_number & TS_VERSION_MASK) << 1 | 1);
  put_u8 (w, 0); /* section_number */
  put_u8 (w, 0); /* last_section_number */
}

static void
set_length (Writer *w, size_t pos, size_t length)
{
  if (w->overflow)
    return;
  w->data[pos] = (uint8_t)((w->data[pos] & 0xf0) | (length >> 8 & 0x0f));
  w->data[pos + 1] = (uint8_t)length;
}

static size_t
end_section (Writer *w)
{
  uint32_t crc;

  if (w->overflow || w->size - w->pos < TS_CRC_SIZE)
    return 0;
  set_length (w, 1, w->pos + TS_CRC_SIZE - TS_SECTION_HEADER_SIZE);
  crc = ts_psi_crc32 (w->data, w->pos);
  put_u16 (w, crc >> 16);
  put_u16 (w, crc & 0xffff);
  return w->pos;
}

size_t
ts_psi_build_pat (uint8_t *section, size_t size, uint16_t transport_stream_id,
    uint8_t version_number, uint16_t program_number, uint16_t program_map_pid)
{
  Writer w = { section, size, 0, false };

  begin_section (&w, TS_TABLE_ID_PAT, 0, transport_stream_id, version_number);
  put_u16 (&w, program_number);
  put_u16 (&w, 0xe000 | program_map_pid);
  return end_section (&w);
}

size_t
ts_psi_build_pmt (uint8_t *section, size_t size, uint16_t program_number,
    uint8_t version_number, uint16_t pcr_pid, const uint8_t *program_info,
    size_t program_info_length, const TsPsiStream *streams, size_t n_streams)
{
  Writer w = { section, size < TS_SECTION_MAX_SIZE ? size : TS_SECTION_MAX_SIZE,
    0, false };

  begin_section (&w, TS_TABLE_ID_PMT, 0, program_number, version_number);
  put_u16 (&w, 0xe000 | pcr_pid);
  put_u16 (&w, 0xf000 | (unsigned)program_info_length);
  put_bytes (&w, program_info, program_info_length);
  for (size_t i = 0; i < n_streams; i++) {
    put_u8 (&w, streams[i].stream_type);
    put_u16 (&w, 0xe000 | streams[i].elementary_pid);
    put_u16 (&w, 0xf000 | streams[i].es_info_length);
    put_bytes (&w, streams[i].es_info, streams[i].es_info_length);
  }
  return end_section (&w);
}

/* Writes a name of a service_descriptor: its length, the selector of UTF-8
 * unless it is ASCII, and the text. */
static void
put_name (Writer *w, const char *name)
{
  size_t length = strlen (name);
  bool ascii = true;

  if (length > MAX_NAME) {
    length = MAX_NAME;
    while (length > 0 && ((uint8_t)name[length] & 0xc0) == 0x80)
      length--;
  }
  for (size_t i = 0; i < length; i++)
    ascii = ascii && (uint8_t)name[i] < 0x80;
  put_u8 (w, (unsigned)length + (ascii ? 0 : 1));
  if (!ascii)
    put_u8 (w, TEXT_UTF8);
  put_bytes (w, name, length);
}

size_t
ts_psi_build_sdt (uint8_t *section, size_t size, uint16_t transport_stream_id,
    uint8_t version_number, uint16_t program_number, const char *provider,
    const char *name)
{
  Writer w = { section, size, 0, false };
  size_t loop_pos, descriptor_pos;

  begin_section (
      &w, TS_TABLE_ID_SDT_ACTUAL, 1, transport_stream_id, version_number);
  put_u16 (&w, 0xff01); /* original_network_id: for temporary private use */
  put_u8 (&w, 0xff);    /* reserved_future_use */
  put_u16 (&w, program_number);
  put_u8 (&w, 0xfc); /* no EIT schedule, no EIT present/following */
  loop_pos = w.pos;
  put_u16 (&w, RUNNING_STATUS_RUNNING << 13); /* free_CA_mode 0 */
  descriptor_pos = w.pos;
  put_u8 (&w, TS_DESCRIPTOR_SERVICE);
  put_u8 (&w, 0);
  put_u8 (&w, SERVICE_TYPE_DIGITAL_TELEVISION);
  put_name (&w, provider);
  put_name (&w, name);
  if (!w.overflow)
    section[descriptor_pos + 1] = (uint8_t)(w.pos - descriptor_pos - 2);
  set_length (&w, loop_pos, w.pos - descriptor_pos);
  return end_section (&w);
}

bool
ts_psi_add_descriptor (TsPsiStream *stream, uint8_t descriptor_tag,
    const uint8_t *data, size_t size)
{
  uint8_t *p = stream->es_info + stream->es_info_length;

  if (size > 255 || stream->es_info_length + 2 + size > TS_ES_INFO_MAX_SIZE)
    return false;
  p[0] = descriptor_tag;
  p[1] = (uint8_t)size;
  if (size > 0)
    memcpy (p + 2, data, size);
  stream->es_info_length += (uint16_t)(2 + size);
  return true;
}

/* --- Readers --- */

static uint16_t
read_u16 (const uint8_t *p)
{
  return (uint16_t)(p[0] << 8 | p[1]);
}

static uint16_t
read_pid (const uint8_t *p)
{
  return read_u16 (p) & TS_PID_MASK;
}

/* section_length, program_info_length, ES_info_length: 12 bits */
static size_t
read_length (const uint8_t *p)
{
  return read_u16 (p) & 0x0fff;
}

const uint8_t *
ts_psi_find_section (const uint8_t *ts, size_t *size)
{
  size_t available, section_size, pointer_field;
  const uint8_t *payload = ts_get_payload (ts, &available), *section;

  if (payload == NULL || !ts_get_payload_unit_start_indicator (ts))
    return NULL;
  pointer_field = payload[0];
  if (available < 1 + pointer_field + TS_SECTION_MIN_SIZE)
    return NULL;
  section = payload + 1 + pointer_field;
  available -= 1 + pointer_field;
  section_size = ts_psi_get_section_size (section);
  *size = section_size < available ? section_size : available;
  return *size < TS_SECTION_MIN_SIZE ? NULL : section;
}

size_t
ts_psi_get_section_size (const uint8_t *section)
{
  return TS_SECTION_HEADER_SIZE + read_length (section + 1);
}

uint8_t
ts_psi_get_table_id (const uint8_t *section)
{
  return section[0];
}

uint16_t
ts_psi_get_table_id_extension (const uint8_t *section)
{
  return read_u16 (section + 3);
}

uint8_t
ts_psi_get_version_number (const uint8_t *section)
{
  return section[5] >> 1 & TS_VERSION_MASK;
}

bool
ts_psi_get_current_next_indicator (const uint8_t *section)
{
  return section[5] & 1;
}

bool
ts_psi_next_program (
    const uint8_t *section, size_t size, size_t *pos, TsPatProgram *program)
{
  if (*pos < TS_SECTION_MIN_SIZE)
    *pos = TS_SECTION_MIN_SIZE;
  if (*pos + PAT_PROGRAM_SIZE + TS_CRC_SIZE > size)
    return false;
  program->program_number = read_u16 (section + *pos);
  program->pid = read_pid (section + *pos + 2);
  *pos += PAT_PROGRAM_SIZE;
  return true;
}

bool
ts_psi_is_pmt (const uint8_t *section, size_t size)
{
  return size >= PMT_HEADER_SIZE + TS_CRC_SIZE &&
      ts_psi_get_table_id (section) == TS_TABLE_ID_PMT &&
      PMT_HEADER_SIZE + read_length (section + 10) + TS_CRC_SIZE <= size;
}

uint16_t
ts_psi_get_pcr_pid (const uint8_t *section)
{
  return read_pid (section + 8);
}

const uint8_t *
ts_psi_get_program_info (const uint8_t *section, size_t *length)
{
  *length = read_length (section + 10);
  return section + PMT_HEADER_SIZE;
}

bool
ts_psi_next_stream (
    const uint8_t *section, size_t size, size_t *pos, TsPmtStream *stream)
{
  const uint8_t *p;
  size_t length;

  if (size < PMT_HEADER_SIZE + TS_CRC_SIZE)
    return false;
  if (*pos < PMT_HEADER_SIZE)
    *pos = PMT_HEADER_SIZE + read_length (section + 10);
  if (*pos + PMT_STREAM_SIZE + TS_CRC_SIZE > size)
    return false;
  p = section + *pos;
  length = read_length (p + 3);
  if (length > size - TS_CRC_SIZE - PMT_STREAM_SIZE - *pos)
    return false;
  stream->stream_type = p[0];
  stream->elementary_pid = read_pid (p + 1);
  stream->es_info = p + PMT_STREAM_SIZE;
  stream->es_info_length = length;
  *pos += PMT_STREAM_SIZE + length;
  return true;
}

bool
ts_psi_next_descriptor (
    const uint8_t *info, size_t length, size_t *pos, TsDescriptor *descriptor)
{
  if (*pos + 2 > length || info[*pos + 1] > length - *pos - 2)
    return false;
  descriptor->tag = info[*pos];
  descriptor->size = info[*pos + 1];
  descriptor->data = info + *pos + 2;
  *pos += 2 + descriptor->size;
  return true;
}

/* FNV-1a */
#define HASH_START UINT64_C (0xcbf29ce484222325)
#define HASH_PRIME UINT64_C (0x100000001b3)

static uint64_t
hash (uint64_t h, const uint8_t *data, size_t size)
{
  for (size_t i = 0; i < size; i++)
    h = (h ^ data[i]) * HASH_PRIME;
  return h;
}

uint64_t
ts_psi_get_identity (
    uint8_t stream_type, const uint8_t *es_info, size_t es_info_length)
{
  uint64_t h = hash (HASH_START, &stream_type, 1);
  TsDescriptor descriptor;
  size_t pos = 0;

  while (ts_psi_next_descriptor (es_info, es_info_length, &pos, &descriptor)) {
    if (descriptor.tag != TS_DESCRIPTOR_ISO_639_LANGUAGE)
      h = hash (h, &descriptor.tag, 1);
    if (descriptor.tag == TS_DESCRIPTOR_REGISTRATION && descriptor.size >= 4)
      h = hash (h, descriptor.data, 4);
    else if (descriptor.tag == TS_DESCRIPTOR_EXTENSION)
      h = hash (h, descriptor.data, descriptor.size);
  }
  return h;
}
