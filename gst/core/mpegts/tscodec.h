/* gst-tsrec: what each codec needs before it can go into a PES packet
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Access unit delimiters, parameter sets, ADTS and Opus headers; what the PMT
 * says about a stream; what is a random access point. Nothing is copied: an
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
#include "tspicture.h"
#include "tspsi.h"

/* ETSI TS 102 366 has no more than 3840 bytes; Opus: 8 * 6 * 1275. One PES
 * packet, and so one of these, ends at 65535 bytes. */
#define TS_OPUS_MAX_SIZE 65000
/* opus_control_header: two bytes, two trims, one byte of size per 255 bytes */
#define TS_OPUS_HEADER_MAX_SIZE (2 + 4 + TS_OPUS_MAX_SIZE / 255 + 1)

/* The control header of Opus, and its streams in another order */
#define TS_MAX_SPANS (1 + TS_OPUS_MAX_ORDER + 2)
/* What is made in front of an access unit, at most */
#define TS_CODEC_HEADER_MAX_SIZE                                               \
  (TS_ADTS_MAX_PREFIX_SIZE > TS_OPUS_HEADER_MAX_SIZE                           \
          ? TS_ADTS_MAX_PREFIX_SIZE                                            \
          : TS_OPUS_HEADER_MAX_SIZE)

/**
 * TsPayload: an access unit as it goes into the PES packet.
 * @spans: its bytes, in order
 * @n_spans: of @spans
 * @size: sum of their sizes
 * @random_access: decoding can start here
 * @leads: there is no picture in it, but what leads one: parameter sets or SEI
 * @dependent: it is the end of the access unit before it, and has no time
 * @described: something was learned that the PMT has to say:
 * ts_codec_describe()
 * @picture: of video
 * @duration: of audio: how long it lasts by its header, ns, 0 if unknown
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

/* One parameter set as it came, without a start code, and the serial number of
 * the access unit that had it last. */
typedef struct
{
  uint8_t *data;
  size_t size;
  uint32_t serial;
} TsParameterSet;

#define TS_MAX_PARAMETER_SETS 256
#define TS_MAX_SPS 32
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
 * @sps: what the SPS in @sets say
 * @pps: what the PPS in @sets say
 * @last_sps: the identifier of the SPS that came last
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
 * @format: H.264 and H.265: what their NAL units have in front
 * @has_picture: of these: a slice has come
 * @sets: of these; allocated
 * @loas: of TS_CODEC_AAC_LOAS; allocated
 * @adts: of TS_CODEC_AAC_RAW
 * @opus: of TS_CODEC_OPUS
 * @pages: of TS_CODEC_DVB_SUBTITLE and TS_CODEC_TELETEXT
 * @dts_samples: TS_CODEC_DTS: of a frame, 0 until there was one
 * @has_core: AC-3, E-AC-3, DTS: what came before is what a dependent frame
 *   depends on
 * @next_index: TS_CODEC_DTS: the lowest nExtSSIndex that can still follow in
 *   the same frame
 * @frame_time: of audio
 * @pictures: of video
 * @header: where a header of the access unit under way is made
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

/* Fills @state and @psi (all but its PID) from @config. On failure returns
 * false with *@reason set, and nothing to free. */
bool ts_codec_init (TsCodecState *state, const TsTrackConfig *config,
    TsPsiStream *psi, const char **reason);
void ts_codec_clear (TsCodecState *state);

/* How many bytes at the beginning of @data are an access unit delimiter. */
size_t ts_codec_get_delimiter_size (
    const TsCodecState *state, const uint8_t *data, size_t size);

/* The parameter sets of @old, of the same codec, stay in force in @state. Clears
 * @old. */
void ts_codec_keep_parameter_sets (TsCodecState *state, TsCodecState *old);

/* Turns @au into @payload, whose spans point into @au and @state, and corrects
 * the times of audio of which nothing is presented. False when it is not what
 * the codec says. */
bool ts_codec_prepare (
    TsCodecState *state, TsAccessUnit *au, TsPayload *payload);

/* Fills @psi (all but its PID) once more, with what access units have told. */
bool ts_codec_describe (TsCodecState *state, const TsTrackConfig *config,
    TsPsiStream *psi, const char **reason);

/* PES stream_id of @codec. */
uint8_t ts_codec_get_stream_id (TsCodec codec);
