/* gst-tsrec: the parameter sets of a track
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Keeps the parameter sets that are in force in a stream of H.264, H.265 or
 * H.266, so that they can be repeated before a random access point without
 * them. Not thread safe.
 */

#pragma once

#include "recnalparse.h"
#include "recnalunit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TS_MAX_PARAMETER_SETS 256
#define TS_MAX_SPS 32
/* Limit of the bytes that are kept for one track, far above any real stream. */
#define TS_MAX_PARAMETER_BYTES 65536

/**
 * TsParameterSet:
 * @data: the NAL unit without a start code, allocated
 * @size: bytes of @data, 0 if there is no such parameter set
 * @serial: number of the last access unit with this parameter set
 */
typedef struct
{
  uint8_t *data;
  size_t size;
  uint32_t serial;
} TsParameterSet;

/**
 * TsParameterSets: all zero is a valid value.
 * @sets: by kind (0 VPS, 1 SPS, 2 PPS) and identifier
 * @serial: number of the current access unit
 * @n_sets: number of parameter sets
 * @n_seen: number of parameter sets in the current access unit
 * @bytes: sum of their sizes, start codes included
 * @joined: all parameter sets with start codes (VPS, SPS, PPS), allocated
 * @joined_size: bytes of @joined
 * @changed: @joined is not up to date
 * @sps: fields of each SPS
 * @pps: fields of each PPS
 * @last_sps: identifier of the last SPS
 */
typedef struct
{
  TsParameterSet sets[3][TS_MAX_PARAMETER_SETS];
  uint32_t serial;
  unsigned n_sets;
  unsigned n_seen;
  size_t bytes;
  uint8_t *joined;
  size_t joined_size;
  bool changed;
  RecNalSps sps[TS_MAX_SPS];
  RecNalPps pps[TS_MAX_PARAMETER_SETS];
  uint8_t last_sps;
} TsParameterSets;

/* Keeps a copy of @nal, a parameter set. A parameter set that has not changed
 * costs one comparison. A damaged one, and one beyond TS_MAX_PARAMETER_BYTES or
 * without memory, is ignored. */
void ts_parameter_sets_keep (
    TsParameterSets *sets, RecNalSyntax syntax, const RecNalUnit *nal);

/* Brings @sets->joined up to date. Returns false without memory. */
bool ts_parameter_sets_join (TsParameterSets *sets);

/* Frees @sets, which were allocated with calloc(); NULL is allowed. */
void ts_parameter_sets_free (TsParameterSets *sets);
