/* gst-tsrec: the program map tables at the start of a file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The tracks of a live recording do not start at the same time, and no track
 * waits for another one: the first PMTs name only some of the tracks. A reader
 * that finds another PMT a moment later may treat it as another program
 * (GStreamer drops data until the next key frame), or has already decided
 * which streams are in the file. While a file is young, earlier PMTs are
 * therefore replaced by a later one that includes their contents and names
 * more tracks. ISO/IEC 13818-1 2.4.4.8.
 *
 * A TsPmtPatch scans all packets of a file in order, before they are written.
 * It determines which PMTs are to be replaced, from the last to the first, so
 * that a reader finds one change at any time. It accesses no file. All fields
 * except @watching are private.
 */

#pragma once

#include "tspacket.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Number of PMTs that are remembered: key frames twice a second and the tables
 * between them, for much longer than tracks are waited for. */
#define TS_PMT_PATCH_MAX 256
/* A packet without its header and the pointer_field */
#define TS_PMT_PATCH_MAX_SECTION (TS_PAYLOAD_SIZE - 1)

typedef struct
{
  uint64_t offset;
  uint8_t continuity_counter;
  bool discontinuity; /* the packet has a discontinuity_indicator */
} TsPmtPatchPlace;

typedef struct
{
  bool watching; /* false: no table will be replaced any more */
  int pid;       /* PID of the PMT, -1 if unknown */
  uint64_t end;  /* end of the scanned packets */
  uint8_t section[TS_PMT_PATCH_MAX_SECTION];
  size_t size; /* bytes of @section, 0 before the first PMT */
  uint8_t old_section[TS_PMT_PATCH_MAX_SECTION]; /* the PMT before @section */
  size_t old_size;
  unsigned n;
  TsPmtPatchPlace places[TS_PMT_PATCH_MAX];
} TsPmtPatch;

/* Starts to watch a file that is written from @offset on. */
void ts_pmt_patch_init (TsPmtPatch *patch, uint64_t offset);

/* Scans @data, whole packets that will be written at @offset. Returns the
 * number of earlier tables to replace, usually 0. Stops to watch if @offset is
 * not the end of the scanned packets, if a table is unusual or takes more than
 * one packet, or after TS_PMT_PATCH_MAX tables. */
unsigned ts_pmt_patch_scan (
    TsPmtPatch *patch, const uint8_t *data, size_t size, uint64_t offset);

/* Returns the offset of the @i-th table, and stores the replacement in
 * @packet, or with @old the packet that is there now. Valid for the tables
 * that ts_pmt_patch_scan() has returned, until its next call. */
uint64_t ts_pmt_patch_get (const TsPmtPatch *patch, unsigned i, bool old,
    uint8_t packet[TS_PACKET_SIZE]);
