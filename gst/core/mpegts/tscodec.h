/* gst-tsrec: conversion of access units for PES packets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Adds access unit delimiters, parameter sets, ADTS and Opus headers; detects
 * random access points; describes the stream in the PMT. Nothing is copied: an
 * access unit becomes a list of spans.
 */

#pragma once

#include "recnalformat.h"
#include "recnalunit.h"
#include "tsaac.h"
#include "tsdvb.h"
#include "tsframetime.h"
#include "tsmux.h"
#include "tsopus.h"
#include "tsparametersets.h"
#include "tspicture.h"
#include "tspsi.h"

/* The largest Opus packet has 8 * 6 * 1275 bytes. A PES packet, and with it an
 * access unit of Opus, is limited to 65535 bytes. */
#define TS_OPUS_MAX_SIZE 65000
/* opus_control_header: two bytes, two trims, one byte of size per 255 bytes */
#define TS_OPUS_HEADER_MAX_SIZE (2 + 4 + TS_OPUS_MAX_SIZE / 255 + 1)

/* The Opus control header, and the streams of the packet in another order. */
#define TS_MAX_SPANS (1 + TS_OPUS_MAX_ORDER + 2)
/* The longest header before an access unit. */
#define TS_CODEC_HEADER_MAX_SIZE                                               \
  (TS_ADTS_MAX_PREFIX_SIZE > TS_OPUS_HEADER_MAX_SIZE                           \
          ? TS_ADTS_MAX_PREFIX_SIZE                                            \
          : TS_OPUS_HEADER_MAX_SIZE)

/**
 * TsPayload: payload of PES packets for one access unit.
 * @spans: its bytes, in order
 * @n_spans: number of @spans
 * @size: sum of the sizes of @spans
 * @random_access: decoding can start here
 * @leads: it has parameter sets or SEI, but no picture
 * @dependent: it is the end of the access unit before, and has no time of its
 *   own
 * @described: it has changed the descriptors of the track: call
 *   ts_codec_describe()
 * @picture: video: facts about its picture
 * @duration: audio: duration by its header, ns, 0 if unknown
 */
typedef struct
{
  TsSpan spans[TS_MAX_SPANS];
  unsigned n_spans;
  size_t size;
  bool random_access;
  bool leads;
  bool dependent;
  bool described;
  TsPicture picture;
  int64_t duration;
} TsPayload;

/* State of the conversion of LATM to ADTS. */
typedef struct
{
  TsLoas state;
  uint8_t adts[TS_LOAS_MAX_ADTS_SIZE];
} TsLoasState;

/**
 * TsCodecState: state of one track.
 * @codec: the configured codec
 * @syntax: syntax of H.264, H.265 and H.266
 * @format: H.264 and H.265: conversion of NAL units with length prefixes
 * @has_picture: H.264, H.265 and H.266: a slice has arrived
 * @sets: H.264, H.265 and H.266: parameter sets in force, allocated
 * @loas: state of TS_CODEC_AAC_LOAS, allocated
 * @adts: state of TS_CODEC_AAC_RAW
 * @opus: state of TS_CODEC_OPUS
 * @pages: state of TS_CODEC_DVB_SUBTITLE and TS_CODEC_TELETEXT
 * @dts_samples: TS_CODEC_DTS: samples per frame, 0 before the first frame
 * @has_core: AC-3, E-AC-3, DTS: the frame before can have dependent frames
 * @next_index: TS_CODEC_DTS: the lowest nExtSSIndex that can follow in the
 *   same frame
 * @frame_time: state of audio timestamps
 * @pictures: state of the order of pictures
 * @header: buffer for the header of the current access unit
 */
typedef struct
{
  TsCodec codec;
  RecNalSyntax syntax;
  RecNalFormat format;
  bool has_picture;
  TsParameterSets *sets;
  TsLoasState *loas;
  TsAdts adts;
  TsOpus opus;
  TsDvbPages pages;
  unsigned dts_samples;
  bool has_core;
  unsigned next_index;
  TsFrameTime frame_time;
  TsPictureState pictures;
  uint8_t header[TS_CODEC_HEADER_MAX_SIZE];
} TsCodecState;

/* Fills @state, and @psi except its PID, from @config. Returns false, with
 * *@reason set to a static sentence and nothing to free, if @config cannot be
 * carried. */
bool ts_codec_init (TsCodecState *state, const TsTrackConfig *config,
    TsPsiStream *psi, const char **reason);
void ts_codec_clear (TsCodecState *state);

/* Returns the number of bytes at the start of @data that are an access unit
 * delimiter, 0 without one. */
size_t ts_codec_get_delimiter_size (
    const TsCodecState *state, const uint8_t *data, size_t size);

/* Moves the parameter sets of @old, which has the same codec, to @state.
 * Clears @old. */
void ts_codec_keep_parameter_sets (TsCodecState *state, TsCodecState *old);

/* Converts @au to @payload, whose spans point into @au and @state. Corrects
 * the times of audio frames that are not presented. Returns false if @au does
 * not match the codec. */
bool ts_codec_prepare (
    TsCodecState *state, TsAccessUnit *au, TsPayload *payload);

/* Fills @psi, except its PID, again with facts from access units. Returns like
 * ts_codec_init(). */
bool ts_codec_describe (TsCodecState *state, const TsTrackConfig *config,
    TsPsiStream *psi, const char **reason);

/* Returns the stream_id of PES packets with @codec. */
uint8_t ts_codec_get_stream_id (TsCodec codec);
