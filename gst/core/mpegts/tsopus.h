/* gst-tsrec: Opus in MPEG-TS: channel layouts, frames of a packet
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The carriage of Opus in MPEG-2 transport streams (wiki.xiph.org/OpusTS), RFC
 * 6716 and RFC 7845. Pure functions; every read stays within the given size.
 */

#pragma once

#include "tsmux.h"
#include "tspsi.h"

/* Number of streams of a packet that can change places: those of
 * channel_config_code 8. */
#define TS_OPUS_MAX_ORDER 5

typedef struct
{
  const uint8_t *data;
  size_t size;
} TsSpan;

/**
 * TsOpus: the layout of one track.
 * @n_streams: Opus packets in each access unit
 * @reorder: the packets are written in the order of a channel_config_code
 * @order: with @reorder: index of the packet at each place
 * @length: buffer for a length field that a packet needs at its new place
 */
typedef struct
{
  unsigned n_streams;
  bool reorder;
  uint8_t order[TS_OPUS_MAX_ORDER];
  uint8_t length[2];
} TsOpus;

/* Adds the Opus audio descriptor to @psi. It has a channel_config_code of 0 to
 * 8, which every reader knows, if the mapping is one of RFC 7845 or becomes
 * one when streams change places; 0x82 to 0x88 if all streams are mono;
 * otherwise 0x81 and the mapping itself. Returns false, with *@reason set to a
 * static sentence, if the mapping is invalid or does not fit. */
bool ts_opus_init (TsOpus *opus, const TsTrackConfig *config, TsPsiStream *psi,
    const char **reason);

/* Fills @spans, which has room for TS_OPUS_MAX_ORDER + 2, with the packet in
 * the order in which it is written. Returns their number, 0 if the packet is
 * damaged. */
unsigned ts_opus_order (
    TsOpus *opus, const uint8_t *data, size_t size, TsSpan *spans);

/* Returns the samples at 48 kHz of the packet @data, 0 if it is damaged. */
unsigned ts_opus_get_samples (const uint8_t *data, size_t size);
