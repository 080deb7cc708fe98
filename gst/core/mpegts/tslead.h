/* gst-tsrec: parameter sets that come in front of their picture, alone
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A parser may give what leads a picture (parameter sets, SEI) as a buffer of its
 * own, often with the only timestamp of the two. It is the beginning of the
 * access unit that follows (H.264 7.4.1.2.3, H.265 7.4.2.4.4), and is kept until
 * that comes.
 */

#pragma once

#include "tsmux.h"

/**
 * TsLead: all zero is valid, and empty.
 * @data: what has come; allocated
 * @size: bytes of @data, 0 when nothing is kept
 * @pts: of the first of it, TS_TIME_NONE if unknown
 * @dts: of the first of it, TS_TIME_NONE if unknown
 * @joined: @data and the access unit under way; allocated
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

/* Keeps a copy of @au. False when that is too much or memory is short; @au is
 * then an access unit of its own. */
bool ts_lead_add (TsLead *lead, const TsAccessUnit *au);

/* Makes one access unit of what is kept and @au, whose data then belong to @lead
 * until the next call: the first @front bytes of @au (its delimiter), what is
 * kept, and the rest. It has the timestamps of @au, or without any those of what
 * is kept. Nothing is kept afterwards. False when memory is short; @au is then
 * as it came. */
bool ts_lead_join (TsLead *lead, TsAccessUnit *au, size_t front);
