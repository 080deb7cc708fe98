/* gst-tsrec: the program map tables at the start of a file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The tracks of a live recording do not start at the same instant, and nothing
 * waits for the last one, so the first tables name some of them only. A reader
 * that meets another table a moment later takes it for another program
 * (GStreamer drops what it has until the next key frame), or has made up its
 * mind about what is in the file. So while a file is young, the tables that
 * stand in it already become the new one, where that says all that they said
 * and names more. ISO/IEC 13818-1 2.4.4.8.
 *
 * A TsPmtPatch is shown all packets of a file in order, before they are written,
 * and says what is to be replaced, from the last to the first, so that a reader
 * finds one change at any moment. It touches no file. Fields are private but
 * @watching.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TS_PMT_PATCH_PACKET 188
/* All of a key frame twice a second and the tables between, for much longer
 * than tracks are waited for. */
#define TS_PMT_PATCH_MAX 256
/* After the header and the pointer_field */
#define TS_PMT_PATCH_MAX_SECTION 183

typedef struct
{
  uint64_t offset;
  uint8_t continuity_counter;
  bool discontinuity; /* it has a discontinuity_indicator */
} TsPmtPatchPlace;

typedef struct
{
  bool watching; /* FALSE: nothing will be replaced any more */
  int pid;       /* of the PMT, -1: not known yet */
  uint64_t end;  /* of what was shown */
  uint8_t section[TS_PMT_PATCH_MAX_SECTION];
  size_t size;                                   /* of @section, 0: none yet */
  uint8_t old_section[TS_PMT_PATCH_MAX_SECTION]; /* before that */
  size_t old_size;
  unsigned n;
  TsPmtPatchPlace places[TS_PMT_PATCH_MAX];
} TsPmtPatch;

/* Watches a file that is written from @offset on. */
void ts_pmt_patch_init (TsPmtPatch *first, uint64_t offset);

/* @data: whole packets that will be written at @offset. Returns how many
 * tables before them are to be replaced, usually 0. Stops watching where that
 * is not what follows, where a table is not as it should be or takes more than
 * one packet, or after TS_PMT_PATCH_MAX tables. */
unsigned ts_pmt_patch_scan (
    TsPmtPatch *first, const uint8_t *data, size_t size, uint64_t offset);

/* Returns where the @i-th table is, and puts into @packet what takes its place,
 * or with @old what stands there. Valid after ts_pmt_patch_scan() for what it
 * returned, until the next call of that. */
uint64_t ts_pmt_patch_get (const TsPmtPatch *first, unsigned i, bool old,
    uint8_t packet[TS_PMT_PATCH_PACKET]);
