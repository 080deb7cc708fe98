/* gst-tsrec: the program map tables at the start of a file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tspmtpatch.h"
#include "tspacket.h"
#include "tspsi.h"

#define TABLE_ID_PMT 0x02
/* 2.4.4.8: up to program_info_length, and of one elementary stream */
#define PMT_HEADER_SIZE 12
#define ES_HEADER_SIZE 5
#define PAT_HEADER_SIZE 8
#define PAT_ENTRY_SIZE 4

void
ts_pmt_patch_init (TsPmtPatch *first, uint64_t offset)
{
  memset (first, 0, sizeof (*first));
  first->watching = true;
  first->pid = -1;
  first->end = offset;
}

/* --- Sections in one packet */

static unsigned
read_u16 (const uint8_t *p)
{
  return (unsigned)p[0] << 8 | p[1];
}

static unsigned
read_length (const uint8_t *p)
{
  return read_u16 (p) & 0x0fff;
}

static int
read_pid (const uint8_t *p)
{
  return (int)(read_u16 (p) & TS_PID_MASK);
}

static bool
is_stuffing (const uint8_t *p, const uint8_t *end)
{
  while (p < end && *p == TS_STUFFING_BYTE)
    p++;
  return p == end;
}

/* The only section in @ts, or NULL; an adaptation field may say
 * discontinuity_indicator and nothing else, as nothing else is kept. */
static const uint8_t *
find_section (const uint8_t *ts, size_t *size, bool *discontinuity)
{
  const uint8_t *p = ts + TS_HEADER_SIZE, *end = ts + TS_PACKET_SIZE;

  *discontinuity = ts[3] & 0x20;
  /* transport_error_indicator, transport_priority, scrambling: 0 */
  if ((ts[1] & 0xe0) != 0x40 || (ts[3] & 0xd0) != 0x10)
    return NULL;
  if (*discontinuity) {
    if (p[0] != TS_AF_HEADER_SIZE - 1 || p[1] != 0x80)
      return NULL;
    p += TS_AF_HEADER_SIZE;
  }
  if (*p++ != 0) /* pointer_field */
    return NULL;
  *size = TS_SECTION_HEADER_SIZE + read_length (p + 1);
  if (*size > (size_t)(end - p) || ts_psi_crc32 (p, *size) != 0)
    return NULL;
  return is_stuffing (p + *size, end) ? p : NULL;
}

static void
note_pat (TsPmtPatch *first, const uint8_t *ts)
{
  bool discontinuity;
  size_t size;
  const uint8_t *pat = find_section (ts, &size, &discontinuity);
  int pid;

  if (pat == NULL || size != PAT_HEADER_SIZE + PAT_ENTRY_SIZE + TS_CRC_SIZE) {
    first->watching = false;
    return;
  }
  pid = read_pid (pat + PAT_HEADER_SIZE + 2);
  if (first->pid >= 0 && first->pid != pid)
    first->watching = false;
  first->pid = pid;
}

/* --- Whether one table says all that another says */

static bool
has_descriptor (const uint8_t *info, size_t length, const uint8_t *descriptor)
{
  size_t size = 2 + (size_t)descriptor[1];

  while (length >= 2 && length >= 2 + (size_t)info[1]) {
    if (info[0] == descriptor[0] && info[1] == descriptor[1] &&
        memcmp (info, descriptor, size) == 0)
      return true;
    length -= 2 + (size_t)info[1];
    info += 2 + (size_t)info[1];
  }
  return false;
}

static bool
has_descriptors (const uint8_t *info, size_t length, const uint8_t *wanted,
    size_t wanted_length)
{
  while (wanted_length >= 2) {
    size_t size = 2 + (size_t)wanted[1];

    if (size > wanted_length || !has_descriptor (info, length, wanted))
      return false;
    wanted += size;
    wanted_length -= size;
  }
  return wanted_length == 0;
}

/* The elementary streams from @pos on; false at the end. */
static bool
next_stream (
    const uint8_t *section, size_t size, size_t *pos, const uint8_t **stream)
{
  size_t end = size - TS_CRC_SIZE, n;

  if (*pos + ES_HEADER_SIZE > end)
    return false;
  *stream = section + *pos;
  n = ES_HEADER_SIZE + read_length (*stream + 3);
  if (n > end - *pos)
    return false;
  *pos += n;
  return true;
}

static size_t
streams_offset (const uint8_t *section)
{
  return PMT_HEADER_SIZE + read_length (section + 10);
}

static bool
has_stream (const uint8_t *section, size_t size, const uint8_t *wanted)
{
  size_t pos = streams_offset (section);
  const uint8_t *stream;

  while (next_stream (section, size, &pos, &stream)) {
    if (stream[0] == wanted[0] &&
        read_pid (stream + 1) == read_pid (wanted + 1))
      return has_descriptors (stream + ES_HEADER_SIZE, read_length (stream + 3),
          wanted + ES_HEADER_SIZE, read_length (wanted + 3));
  }
  return false;
}

/* Same program_number and PCR_PID, and everything that @old names. */
static bool
includes (
    const uint8_t *section, size_t size, const uint8_t *old, size_t old_size)
{
  size_t pos = streams_offset (old);
  const uint8_t *stream;

  if (read_u16 (section + 3) != read_u16 (old + 3) ||
      read_pid (section + 8) != read_pid (old + 8) ||
      !has_descriptors (section + PMT_HEADER_SIZE, read_length (section + 10),
          old + PMT_HEADER_SIZE, read_length (old + 10)))
    return false;
  while (next_stream (old, old_size, &pos, &stream)) {
    if (!has_stream (section, size, stream))
      return false;
  }
  return true;
}

static bool
is_pmt (const uint8_t *section, size_t size)
{
  return section != NULL && section[0] == TABLE_ID_PMT &&
      size >= PMT_HEADER_SIZE + TS_CRC_SIZE &&
      (section[5] & 1) && /* current_next_indicator */
      streams_offset (section) + TS_CRC_SIZE <= size;
}

/* --- The tables of a file */

/* Returns how many tables before this one are to be replaced by it. */
static unsigned
note_pmt (TsPmtPatch *first, const uint8_t *ts, uint64_t offset)
{
  TsPmtPatchPlace place = { offset, ts[3] & TS_CC_MASK, false };
  unsigned n = 0;
  size_t size = 0;
  const uint8_t *section = find_section (ts, &size, &place.discontinuity);

  /* The longest has to fit behind a discontinuity_indicator as well. */
  if (!is_pmt (section, size) || first->n == TS_PMT_PATCH_MAX ||
      size > TS_PMT_PATCH_MAX_SECTION - TS_AF_HEADER_SIZE)
    goto stop;
  if (size != first->size || memcmp (section, first->section, size) != 0) {
    if (first->size > 0 &&
        !includes (section, size, first->section, first->size))
      goto stop;
    n = first->n;
    memcpy (first->old_section, first->section, first->size);
    first->old_size = first->size;
    memcpy (first->section, section, size);
    first->size = size;
  }
  first->places[first->n++] = place;
  return n;

  /* ERRORS */
stop:
  first->watching = false;
  return 0;
}

unsigned
ts_pmt_patch_scan (
    TsPmtPatch *first, const uint8_t *data, size_t size, uint64_t offset)
{
  unsigned before = first->n, n = 0, more;

  if (offset != first->end || size % TS_PACKET_SIZE != 0)
    first->watching = false;
  first->end = offset + size;
  for (size_t pos = 0; pos < size && first->watching; pos += TS_PACKET_SIZE) {
    const uint8_t *ts = data + pos;
    int pid = read_pid (ts + 1);

    if (ts[0] != TS_SYNC_BYTE) {
      first->watching = false;
    } else if (pid == TS_PID_PAT) {
      note_pat (first, ts);
    } else if (pid == first->pid) {
      more = note_pmt (first, ts, offset + pos);
      /* Another one in what is not written yet: not from a mux of ours. */
      if (more > before)
        first->watching = false;
      n = more > n ? more : n;
    }
  }
  return first->watching ? n : 0;
}

uint64_t
ts_pmt_patch_get (const TsPmtPatch *first, unsigned i, bool old,
    uint8_t packet[TS_PMT_PATCH_PACKET])
{
  const TsPmtPatchPlace *place = &first->places[i];
  size_t size = old ? first->old_size : first->size;
  uint8_t *p = packet + TS_HEADER_SIZE;

  ts_set_header (packet, (uint16_t)first->pid, place->continuity_counter);
  ts_set_payload_unit_start_indicator (packet);
  if (place->discontinuity) {
    ts_set_adaptation_field (packet, true);
    ts_set_adaptation_field_length (packet, TS_AF_HEADER_SIZE - 1);
    ts_set_discontinuity_indicator (packet);
    p += TS_AF_HEADER_SIZE;
  }
  *p++ = 0; /* pointer_field */
  memcpy (p, old ? first->old_section : first->section, size);
  p += size;
  memset (p, TS_STUFFING_BYTE, (size_t)(packet + TS_PACKET_SIZE - p));
  return place->offset;
}
