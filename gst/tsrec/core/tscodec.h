/* gst-tsrec: what each codec needs before it can go into a PES packet
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Access unit delimiters, parameter sets, ADTS and Opus headers; what the PMT
 * says about a stream; what is a random access point. Nothing is copied: an
 * access unit becomes a list of spans.
 */

#pragma once

#include "nalunit.h"
#include "tsaac.h"
#include "tsmux.h"
#include "tspsi.h"

/* ETSI TS 102 366 has no more than 3840 bytes; Opus: 8 * 6 * 1275. One PES
 * packet, and so one of these, ends at 65535 bytes. */
#define TS_OPUS_MAX_SIZE 65000
/* opus_control_header: two bytes, two trims, one byte of size per 255 bytes */
#define TS_OPUS_HEADER_MAX_SIZE (2 + 4 + TS_OPUS_MAX_SIZE / 255 + 1)

#define TS_MAX_SPANS 8

typedef struct
{
  const uint8_t *data;
  size_t size;
} TsSpan;

/**
 * TsPayload: an access unit as it goes into the PES packet.
 * @spans: its bytes, in order
 * @n_spans: of @spans
 * @size: sum of their sizes
 * @random_access: decoding can start here
 */
typedef struct
{
  TsSpan spans[TS_MAX_SPANS];
  unsigned n_spans;
  size_t size;
  bool random_access;
} TsPayload;

/* One parameter set as it came, without a start code, and the serial number of
 * the access unit that had it last. */
typedef struct
{
  uint8_t *data;
  size_t size;
  uint32_t serial;
} TsParameterSet;

#define TS_MAX_PARAMETER_SETS 256
/* More than this in one track is not kept: no real stream comes near it. */
#define TS_MAX_PARAMETER_BYTES 65536

/**
 * TsParameterSets: those in force, and as one byte stream (VPS, SPS, PPS).
 * @sets: by kind (0 VPS, 1 SPS, 2 PPS) and identifier
 * @serial: counts access units
 * @n_sets: how many there are
 * @n_seen: how many of them are in this access unit
 * @bytes: sum of their sizes, start codes included
 * @joined: all of them with start codes, allocated
 * @changed: @joined is not up to date
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
} TsParameterSets;

/* A LATM stream on its way to ADTS. */
typedef struct
{
  TsLoas state;
  uint8_t adts[TS_LOAS_MAX_ADTS_SIZE];
} TsLoasState;

/**
 * TsCodecState: belongs to one track.
 * @codec: of the configuration
 * @syntax: of H.264, H.265 and H.266
 * @sets: of these; allocated
 * @loas: of TS_CODEC_AAC_LOAS; allocated
 * @adts: header of TS_CODEC_AAC_RAW, but for its length
 * @header: where a header of the access unit under way is made
 */
typedef struct
{
  TsCodec codec;
  NalSyntax syntax;
  TsParameterSets *sets;
  TsLoasState *loas;
  uint8_t adts[TS_ADTS_HEADER_SIZE];
  uint8_t header[TS_OPUS_HEADER_MAX_SIZE];
} TsCodecState;

/* Fills @state and @psi (all but its PID) from @config. On failure returns
 * false with *@reason set, and nothing to free. */
bool ts_codec_init (TsCodecState *state, const TsTrackConfig *config,
    TsPsiStream *psi, const char **reason);
void ts_codec_clear (TsCodecState *state);

/* Turns @au into @payload, whose spans point into @au and @state. False when
 * it is not what the codec says. */
bool ts_codec_prepare (
    TsCodecState *state, const TsAccessUnit *au, TsPayload *payload);

/* PES stream_id of @codec. */
uint8_t ts_codec_get_stream_id (TsCodec codec);
