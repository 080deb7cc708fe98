/* gst-tsrec: Opus in MPEG-TS: channel layouts, frames of a packet
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The carriage of Opus in MPEG-2 transport streams (wiki.xiph.org/OpusTS),
 * RFC 6716 and RFC 7845. Pure functions; every read stays within the bytes
 * given.
 */

#pragma once

#include "tsmux.h"
#include "tspsi.h"

/* Streams of a packet that can change places: those of channel_config_code 8.
 */
#define TS_OPUS_MAX_ORDER 5

typedef struct
{
  const uint8_t *data;
  size_t size;
} TsSpan;

/**
 * TsOpus: the layout of one track.
 * @n_streams: Opus packets in each access unit
 * @reorder: they leave in another order, that of a channel_config_code
 * @order: with @reorder, the packet that leaves at each place
 * @length: where a length that one of them needs is made
 */
typedef struct
{
  unsigned n_streams;
  bool reorder;
  uint8_t order[TS_OPUS_MAX_ORDER];
  uint8_t length[2];
} TsOpus;

/* Adds the Opus audio descriptor to @psi: a channel_config_code of 0 to 8,
 * which every reader knows, where the mapping is one of RFC 7845 or becomes one
 * when the streams of a packet change places; 0x82 to 0x88 where all streams
 * are mono; or else 0x81, with the mapping itself. False, with *@reason a
 * static sentence, when the mapping is not valid or has no room. */
bool ts_opus_init (TsOpus *opus, const TsTrackConfig *config, TsPsiStream *psi,
    const char **reason);

/* The packet as it is written: fills @spans, of which there are at least
 * TS_OPUS_MAX_ORDER + 2, and returns how many; 0 when the packet is damaged. */
unsigned ts_opus_order (
    TsOpus *opus, const uint8_t *data, size_t size, TsSpan *spans);

/* Samples at 48 kHz of the packet at @data; 0 when it is damaged. */
unsigned ts_opus_get_samples (const uint8_t *data, size_t size);
