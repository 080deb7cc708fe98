/* gst-tsrec: parameter sets that arrive without their picture
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A parser may send parameter sets and SEI as a buffer of their own, often
 * with the only timestamp of the two buffers. They are the beginning of the
 * access unit that follows (H.264 7.4.1.2.3, H.265 7.4.2.4.4), and are kept
 * until it arrives.
 */

#pragma once

#include "tsmux.h"

/**
 * TsLead: all zero is valid, and empty.
 * @data: the kept NAL units, allocated
 * @size: bytes of @data, 0 if it is empty
 * @pts: PTS of the first buffer in @data, TS_TIME_NONE if unknown
 * @dts: DTS of the first buffer in @data, TS_TIME_NONE if unknown
 * @joined: @data and the current access unit, allocated
 */
typedef struct
{
  uint8_t *data;
  size_t size;
  int64_t pts;
  int64_t dts;
  uint8_t *joined;
} TsLead;

void ts_lead_clear (TsLead *lead);

/* Keeps a copy of @au. Returns false if it is too large or without memory; @au
 * is then an access unit of its own. */
bool ts_lead_add (TsLead *lead, const TsAccessUnit *au);

/* Joins the kept NAL units and @au: the first @front bytes of @au (its
 * delimiter), the kept NAL units, and the remainder of @au. The data belong to
 * @lead until the next call. Without timestamps, @au gets those of the kept
 * NAL units. Nothing is kept afterwards. Returns false, with @au unchanged,
 * without memory. */
bool ts_lead_join (TsLead *lead, TsAccessUnit *au, size_t front);
