/* gst-tsrec: the program map tables at the start of a file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tspmtpatch.h"
#include "tspacket.h"
#include "tspsi.h"

void
ts_pmt_patch_init (TsPmtPatch *patch, uint64_t offset)
{
  memset (patch, 0, sizeof (*patch));
  patch->watching = true;
  patch->pid = -1;
  patch->end = offset;
}

/* --- Sections in one packet --- */

/* Builds the packet with @section and nothing else. Its only possible
 * adaptation field is one with a discontinuity_indicator. */
static void
build_packet (uint8_t *ts, uint16_t pid, uint8_t continuity_counter,
    bool discontinuity, const uint8_t *section, size_t size)
{
  uint8_t *p = ts + TS_HEADER_SIZE;

  ts_set_header (ts, pid, continuity_counter);
  ts_set_payload_unit_start_indicator (ts);
  if (discontinuity) {
    ts_set_adaptation_field (ts, true);
    ts_set_adaptation_field_length (ts, TS_AF_HEADER_SIZE - 1);
    ts_set_discontinuity_indicator (ts);
    p += TS_AF_HEADER_SIZE;
  }
  *p++ = 0; /* pointer_field */
  memcpy (p, section, size);
  p += size;
  memset (p, TS_STUFFING_BYTE, (size_t)(ts + TS_PACKET_SIZE - p));
}

/* Returns the section in @ts if build_packet() builds the same packet from it,
 * as other contents of the packet would be lost. Returns NULL otherwise, and
 * for an incomplete or damaged section. */
static const uint8_t *
find_only_section (const uint8_t *ts, size_t *size)
{
  const uint8_t *section = ts_psi_find_section (ts, size);
  uint8_t rebuilt[TS_PACKET_SIZE];
  bool discontinuity = ts_get_discontinuity_indicator (ts);

  if (section == NULL || *size != ts_psi_get_section_size (section) ||
      *size >
          TS_PMT_PATCH_MAX_SECTION - (discontinuity ? TS_AF_HEADER_SIZE : 0) ||
      ts_psi_crc32 (section, *size) != 0)
    return NULL;
  build_packet (
      rebuilt, ts_get_pid (ts), ts_get_cc (ts), discontinuity, section, *size);
  return memcmp (rebuilt, ts, TS_PACKET_SIZE) == 0 ? section : NULL;
}

static void
note_pat (TsPmtPatch *patch, const uint8_t *ts)
{
  size_t size, pos = 0;
  const uint8_t *pat = find_only_section (ts, &size);
  TsPatProgram program, other;

  if (pat == NULL || !ts_psi_next_program (pat, size, &pos, &program) ||
      ts_psi_next_program (pat, size, &pos, &other)) {
    patch->watching = false;
    return;
  }
  if (patch->pid >= 0 && patch->pid != program.pid)
    patch->watching = false;
  patch->pid = program.pid;
}

/* --- Comparison of two tables --- */

static bool
has_descriptor (const uint8_t *info, size_t length, const TsDescriptor *wanted)
{
  TsDescriptor descriptor;
  size_t pos = 0;

  while (ts_psi_next_descriptor (info, length, &pos, &descriptor)) {
    if (descriptor.tag == wanted->tag && descriptor.size == wanted->size &&
        memcmp (descriptor.data, wanted->data, wanted->size) == 0)
      return true;
  }
  return false;
}

/* False also if @wanted is damaged. */
static bool
has_descriptors (const uint8_t *info, size_t length, const uint8_t *wanted,
    size_t wanted_length)
{
  TsDescriptor descriptor;
  size_t pos = 0;

  while (ts_psi_next_descriptor (wanted, wanted_length, &pos, &descriptor)) {
    if (!has_descriptor (info, length, &descriptor))
      return false;
  }
  return pos == wanted_length;
}

static bool
has_stream (const uint8_t *section, size_t size, const TsPmtStream *wanted)
{
  TsPmtStream stream;
  size_t pos = 0;

  while (ts_psi_next_stream (section, size, &pos, &stream)) {
    if (stream.stream_type == wanted->stream_type &&
        stream.elementary_pid == wanted->elementary_pid)
      return has_descriptors (stream.es_info, stream.es_info_length,
          wanted->es_info, wanted->es_info_length);
  }
  return false;
}

/* True if @section has the program_number and the PCR_PID of @old, and all that
 * @old names. */
static bool
includes (
    const uint8_t *section, size_t size, const uint8_t *old, size_t old_size)
{
  size_t length, old_length, pos = 0;
  const uint8_t *info = ts_psi_get_program_info (section, &length);
  const uint8_t *old_info = ts_psi_get_program_info (old, &old_length);
  TsPmtStream stream;

  if (ts_psi_get_table_id_extension (section) !=
          ts_psi_get_table_id_extension (old) ||
      ts_psi_get_pcr_pid (section) != ts_psi_get_pcr_pid (old) ||
      !has_descriptors (info, length, old_info, old_length))
    return false;
  while (ts_psi_next_stream (old, old_size, &pos, &stream)) {
    if (!has_stream (section, size, &stream))
      return false;
  }
  return true;
}

/* --- The tables of a file --- */

/* Returns the number of earlier tables that the new table replaces. */
static unsigned
note_pmt (TsPmtPatch *patch, const uint8_t *ts, uint64_t offset)
{
  TsPmtPatchPlace place = { offset, ts_get_cc (ts),
    ts_get_discontinuity_indicator (ts) };
  unsigned n = 0;
  size_t size = 0;
  const uint8_t *section = find_only_section (ts, &size);

  /* The section may replace one that follows a discontinuity_indicator. */
  if (section == NULL || !ts_psi_is_pmt (section, size) ||
      !ts_psi_get_current_next_indicator (section) ||
      patch->n == TS_PMT_PATCH_MAX ||
      size > TS_PMT_PATCH_MAX_SECTION - TS_AF_HEADER_SIZE)
    goto stop;
  if (size != patch->size || memcmp (section, patch->section, size) != 0) {
    if (patch->size > 0 &&
        !includes (section, size, patch->section, patch->size))
      goto stop;
    n = patch->n;
    memcpy (patch->old_section, patch->section, patch->size);
    patch->old_size = patch->size;
    memcpy (patch->section, section, size);
    patch->size = size;
  }
  patch->places[patch->n++] = place;
  return n;

  /* ERRORS */
stop:
  patch->watching = false;
  return 0;
}

unsigned
ts_pmt_patch_scan (
    TsPmtPatch *patch, const uint8_t *data, size_t size, uint64_t offset)
{
  unsigned before = patch->n, n = 0, more;

  if (offset != patch->end || size % TS_PACKET_SIZE != 0)
    patch->watching = false;
  patch->end = offset + size;
  for (size_t pos = 0; pos < size && patch->watching; pos += TS_PACKET_SIZE) {
    const uint8_t *ts = data + pos;
    uint16_t pid = ts_get_pid (ts);

    if (!ts_has_sync_byte (ts)) {
      patch->watching = false;
    } else if (pid == TS_PID_PAT) {
      note_pat (patch, ts);
    } else if (pid == patch->pid) {
      more = note_pmt (patch, ts, offset + pos);
      /* A second change in the same data: not written by tsrecmux. */
      if (more > before)
        patch->watching = false;
      n = more > n ? more : n;
    }
  }
  return patch->watching ? n : 0;
}

uint64_t
ts_pmt_patch_get (const TsPmtPatch *patch, unsigned i, bool old,
    uint8_t packet[TS_PACKET_SIZE])
{
  const TsPmtPatchPlace *place = &patch->places[i];

  build_packet (packet, (uint16_t)patch->pid, place->continuity_counter,
      place->discontinuity, old ? patch->old_section : patch->section,
      old ? patch->old_size : patch->size);
  return place->offset;
}
