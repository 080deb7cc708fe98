/* gst-tsrec: an MPEG transport stream mux in plain C
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Muxes access units to transport packets: one program, up to
 * TS_MUX_MAX_TRACKS tracks. No track waits for another one. The stream conforms
 * to ISO/IEC 13818-1 and can be cut at every random access point.
 *
 * An access unit is muxed in two steps, so that the packets are written straight
 * into the buffer that is pushed:
 *
 *   size_t size = ts_mux_begin (mux, track, &au);
 *   if (size > 0) {
 *     uint8_t *out = get_a_buffer_of_at_least (size);
 *     size = ts_mux_finish (mux, out, size, &output);
 *   }
 *
 * Time: input timestamps are nanoseconds on one timeline that all tracks share
 * (in GStreamer: the running time; it may be negative). The first access unit
 * gets the TS time `start_offset`. PCR follows the highest DTS at a distance of
 * `preroll`, and never goes back.
 *
 * Errors: a function that fails reports it in its return value and changes
 * nothing. No input makes the stream invalid: impossible timestamps are
 * corrected, damaged access units are dropped, and both are counted in TsStats.
 *
 * Threads: not thread safe; the caller serializes all calls on one TsMux. No
 * function blocks. Memory is allocated when a track is added or configured and
 * when a parameter set changes, never per access unit.
 */

#pragma once

#include "rectime.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limit of the 13-bit fields in the mapping of Opus into MPEG-TS. */
#define TS_OPUS_MAX_TRIM 8191
/* Ambisonics of the fifth order, whose mapping still fits into a descriptor. */
#define TS_OPUS_MAX_CHANNELS 36

/* An unknown time. */
#define TS_TIME_NONE INT64_MIN
#define TS_NS_PER_S REC_NS_PER_S
#define TS_NS_PER_MS REC_NS_PER_MS

/* Number of tracks that fit into one PMT section with their descriptors. */
#define TS_MUX_MAX_TRACKS 32
#define TS_MUX_MAX_NAME 80

typedef enum
{
  TS_CODEC_NONE = 0,
  TS_CODEC_H264,        /* one access unit a call; see decoder_configuration */
  TS_CODEC_H265,        /* one access unit a call; see decoder_configuration */
  TS_CODEC_H266,        /* byte-stream, one access unit a call */
  TS_CODEC_MPEG1_VIDEO, /* one picture a call, with the headers before it */
  TS_CODEC_MPEG2_VIDEO, /* one picture a call, with the headers before it */
  TS_CODEC_AAC_ADTS,    /* one or more ADTS frames a call */
  TS_CODEC_AAC_RAW,     /* one raw_data_block a call; an ADTS header is added */
  TS_CODEC_AAC_LOAS,    /* LATM in AudioSyncStream frames; becomes ADTS */
  TS_CODEC_MPEG1_AUDIO, /* MPEG-1 layer 1, 2 or 3 */
  TS_CODEC_MPEG2_AUDIO, /* low sampling rates of MPEG-2, layer 1, 2 or 3 */
  TS_CODEC_AC3,         /* one or more frames a call, AC-3 or E-AC-3 */
  TS_CODEC_EAC3,        /* one or more frames a call; see ts_ac3_read_frame() */
  TS_CODEC_DTS,         /* one or more frames a call, in words of 16 bits */
  TS_CODEC_OPUS,        /* one Opus packet a call; control header is added */
  TS_CODEC_KLV,         /* SMPTE ST 336, asynchronous carriage */
  TS_CODEC_ID3,         /* ID3v2 tag a call, as Apple's timed metadata */
  TS_CODEC_DVB_SUBTITLE, /* segments of EN 300 743, or a PES data field */
  TS_CODEC_TELETEXT,     /* data units of EN 300 472, or a PES data field */
  TS_N_CODECS
} TsCodec;

typedef struct TsMux TsMux;
typedef struct TsTrack TsTrack;

/**
 * TsMuxConfig:
 * @transport_stream_id: transport_stream_id of PAT and SDT, 0 to 65535
 * @program_number: program_number of PAT and PMT, 1 to 65535
 * @pmt_pid: PID of the PMT, 0x0020 to 0x1ffa
 * @service_name: name of the service, UTF-8, at most TS_MUX_MAX_NAME bytes; a
 *   longer name is truncated at a character
 * @service_provider: provider of the service, UTF-8, with the limit of
 *   @service_name
 * @start_offset: TS time of the first access unit, ns; raised to @preroll if
 *   it is less
 * @preroll: least distance of PCR behind the highest DTS, ns; raised if tracks
 *   turn out to be further apart
 * @psi_interval: longest interval of PAT and PMT, ns, 10 ms to 10 s
 * @si_interval: longest interval of the SDT, ns, 10 ms to 10 s
 * @pcr_interval: longest interval of PCR while data flows, ns, 5 ms to 100 ms;
 *   lowered to a third of @psi_interval and @si_interval
 * @audio_pes_time: audio frames share a PES packet until they span this time,
 *   ns; 0: one PES packet for each frame
 * @pack: the end of a video access unit that does not fill a packet waits for
 *   the next access unit and shares its packets
 * @wait_for_random_access: pictures before the first random access point of
 *   their track are skipped, for ten seconds at most
 *
 * Start from ts_mux_config_init().
 */
typedef struct
{
  uint16_t transport_stream_id;
  uint16_t program_number;
  uint16_t pmt_pid;
  char service_name[TS_MUX_MAX_NAME + 1];
  char service_provider[TS_MUX_MAX_NAME + 1];
  int64_t start_offset;
  int64_t preroll;
  int64_t psi_interval;
  int64_t si_interval;
  int64_t pcr_interval;
  int64_t audio_pes_time;
  bool pack;
  bool wait_for_random_access;
} TsMuxConfig;

/**
 * TsTrackConfig:
 * @codec: codec of the access units
 * @language: ISO 639-2 code of three letters, or all zero if unknown
 * @stream_number: number in the stream_id (table 2-22) plus one: video 1 to
 *   16, audio 1 to 32; 0: tracks of a kind are counted
 * @frame_time: video: duration of a picture, ns, 0 if unknown. If it is longer
 *   than the PCR interval, an audio track carries PCR
 * @channels: Opus: 1 to TS_OPUS_MAX_CHANNELS
 * @mapping_family: Opus: channel mapping family of RFC 7845 and RFC 8486,
 *   except 3
 * @stream_count: Opus: number of coded streams
 * @coupled_count: Opus: number of stereo streams among the coded streams
 * @channel_mapping: Opus: index of the decoded channel for each output channel
 * @audio_specific_config: TS_CODEC_AAC_RAW: AudioSpecificConfig of ISO/IEC
 *   14496-3; read during the call only
 * @audio_specific_config_size: bytes of @audio_specific_config
 * @decoder_configuration: H.264 and H.265: decoder configuration record of
 *   ISO/IEC 14496-15, for NAL units with length prefixes, which are converted
 *   to a byte stream; NULL for NAL units with start codes; read during the
 *   call only
 * @decoder_configuration_size: bytes of @decoder_configuration
 *
 * Every codec except TS_CODEC_AAC_RAW and TS_CODEC_OPUS is valid with all
 * other fields zero.
 */
typedef struct
{
  TsCodec codec;
  char language[4];
  uint8_t stream_number;
  int64_t frame_time;
  uint8_t channels;
  uint8_t mapping_family;
  uint8_t stream_count;
  uint8_t coupled_count;
  uint8_t channel_mapping[TS_OPUS_MAX_CHANNELS];
  const uint8_t *audio_specific_config;
  size_t audio_specific_config_size;
  const uint8_t *decoder_configuration;
  size_t decoder_configuration_size;
} TsTrackConfig;

/**
 * TsAccessUnit:
 * @data: the access unit; NULL is allowed if @size is 0; read between begin
 *   and finish only
 * @size: bytes of @data
 * @pts: presentation time, ns, TS_TIME_NONE if unknown
 * @dts: decoding time, ns, TS_TIME_NONE if unknown. For reordered pictures an
 *   unknown DTS is generated from the reorder depth of the stream, for others
 *   it is @pts
 * @duration: duration, ns, TS_TIME_NONE if unknown; audio: 0 if a decoder
 *   presents nothing of it
 * @now: current time of a live stream, ns on the same timeline, to detect
 *   timestamps that lie in the future; TS_TIME_NONE for other streams, and if
 *   ts_track_needs_now() returns false
 * @trim_start: Opus: samples at 48 kHz to drop at the start, limited to the
 *   samples of the packet
 * @trim_end: Opus: samples at 48 kHz to drop at the end, limited to the
 *   samples of the packet
 */
typedef struct
{
  const uint8_t *data;
  size_t size;
  int64_t pts;
  int64_t dts;
  int64_t duration;
  int64_t now;
  uint32_t trim_start;
  uint32_t trim_end;
} TsAccessUnit;

/**
 * TsOutput:
 * @size: bytes written, a multiple of TS_PACKET_SIZE
 * @random_access: the packets from @random_access_offset on start with PAT,
 *   PMT, SDT and a PCR, and a random access point follows
 * @random_access_offset: bytes before the random access point, a multiple of
 *   TS_PACKET_SIZE; 0 unless audio_pes_time or pack keeps data back
 * @pts: PTS of the access unit as written, ns on the timeline of the input,
 *   TS_TIME_NONE without an access unit
 * @dts: DTS of the access unit as written, ns on the timeline of the input,
 *   TS_TIME_NONE without an access unit
 * @duration: duration of the picture or frame, ns, from the input, the stream
 *   or the access unit before; TS_TIME_NONE if unknown, and for data
 * @discontinuity: this is the first random access point after ts_mux_resync()
 *   or ts_mux_resume()
 */
typedef struct
{
  size_t size;
  size_t random_access_offset;
  int64_t pts;
  int64_t dts;
  int64_t duration;
  bool random_access;
  bool discontinuity;
} TsOutput;

/**
 * TsStats:
 * @access_units: access units written; a dependent frame counts with the
 *   access unit that it belongs to
 * @access_unit_bytes: input bytes of @access_units
 * @packets: transport packets written
 * @stuffing_bytes: stuffing bytes in @packets
 * @psi_packets: packets with PAT, PMT or SDT
 * @pcr_packets: packets with nothing but a PCR
 * @random_access_points: random access points written
 * @no_timestamp: access units without a timestamp; they get a time after the
 *   access unit before
 * @backward: access units whose DTS was not after the DTS before
 * @jumps: access units whose timestamp was far off the timeline
 * @dts_raised: access units whose DTS was raised and whose PTS was kept
 * @pts_nudged: access units whose PTS was moved by one tick of 90 kHz at most
 * @pts_moved: access units whose PTS was moved by more than a tick, to be
 *   after the DTS before
 * @late: access units whose DTS PCR had already passed; they keep their times,
 *   which is too late by the decoder model (ISO/IEC 13818-1 2.4.2.3)
 * @skipped: pictures skipped before the first random access point
 * @no_random_access: tracks that began without a random access point, because
 *   none arrived in time
 * @empty: access units of zero size, dropped
 * @damaged: access units that do not match their codec, dropped
 */
typedef struct
{
  uint64_t access_units;
  uint64_t access_unit_bytes;
  uint64_t packets;
  uint64_t stuffing_bytes;
  uint64_t psi_packets;
  uint64_t pcr_packets;
  uint64_t random_access_points;
  uint64_t no_timestamp;
  uint64_t backward;
  uint64_t jumps;
  uint64_t late;
  uint64_t skipped;
  uint64_t no_random_access;
  uint64_t dts_raised;
  uint64_t pts_nudged;
  uint64_t pts_moved;
  uint64_t empty;
  uint64_t damaged;
} TsStats;

/**
 * TsResumePoint: end of an earlier stream.
 * @continuity_counter: last continuity_counter of each of the TS_N_PIDS PIDs,
 *   TS_CC_NONE for a PID without packets; read during the call only
 * @pat_version: last version_number of the PAT, -1 without a PAT
 * @pmt_version: last version_number of the PMT, -1 without a PMT
 * @sdt_version: last version_number of the SDT, -1 without an SDT
 * @last_ts: highest PCR, DTS or PTS, 90 kHz, 33 bit
 * @elapsed: time since the end of the stream, ns
 */
typedef struct
{
  const uint8_t *continuity_counter;
  int pat_version;
  int pmt_version;
  int sdt_version;
  uint64_t last_ts;
  int64_t elapsed;
} TsResumePoint;

/* Fills @config with the defaults: program 1, start offset 1.4 s, preroll 0.9
 * s, PSI and SI every 500 ms, PCR every 40 ms, no data kept back. */
void ts_mux_config_init (TsMuxConfig *config);

/* Returns a mux that the caller frees, or NULL without memory. Values of
 * @config outside of their range are clamped. */
TsMux *ts_mux_new (const TsMuxConfig *config);
/* Frees @mux and its tracks. NULL is allowed. */
void ts_mux_free (TsMux *mux);

/* Returns false, with *@reason set to a static sentence, if @config cannot be
 * carried. Otherwise *@identity is a number that differs if readers regard the
 * stream as a different one, see ts_psi_get_identity(). A track whose identity
 * changes needs a PID that was not used by another stream before. */
bool ts_track_config_check (
    const TsTrackConfig *config, uint64_t *identity, const char **reason);

/* Returns the duration of the access unit @data of a track with @config: of an
 * audio frame by its header, of a picture by its parameter sets or @config. ns,
 * 0 if unknown. */
int64_t ts_track_config_get_duration (
    const TsTrackConfig *config, const uint8_t *data, size_t size);

/* Adds a track, also to the PMT, whose version changes if it was already
 * written. @pid: 0x0020 to 0x1ffa, not in use. Returns the track, owned by
 * @mux. Returns NULL, with *@reason set to a static sentence (if @reason is
 * not NULL), if @config cannot be carried, the PID is in use or there are
 * TS_MUX_MAX_TRACKS tracks. */
TsTrack *ts_mux_add_track (
    TsMux *mux, uint16_t pid, const TsTrackConfig *config, const char **reason);

/* Changes the codec or the codec configuration of @track, between two access
 * units. Readers keep the codec that they know on a PID: for another identity,
 * remove the track and add one on another PID. The PMT gets a new version only
 * if its contents change. Returns false, with *@reason set as by
 * ts_mux_add_track() and @track unchanged, if @config cannot be carried. */
bool ts_mux_configure_track (TsMux *mux, TsTrack *track,
    const TsTrackConfig *config, const char **reason);

/* Removes @track from the PMT and frees it. Its pending data are lost: write
 * them before with ts_mux_begin_flush(). */
void ts_mux_remove_track (TsMux *mux, TsTrack *track);

uint16_t ts_track_get_pid (const TsTrack *track);
TsCodec ts_track_get_codec (const TsTrack *track);
/* Returns true for a video track that needs a key frame: it has had no random
 * access point yet, or none since the last ts_mux_resync(). */
bool ts_track_needs_random_access_point (const TsTrack *track);

/* Returns true while pictures of @track are skipped: at least one was, and no
 * random access point has arrived yet (TsMuxConfig.wait_for_random_access). */
bool ts_track_is_skipping (const TsTrack *track);

/* Returns true if an access unit with these timestamps (TS_TIME_NONE: unknown)
 * needs TsAccessUnit.now: they are missing, or far from those before. Saves
 * the caller from reading the clock each time. */
bool ts_track_needs_now (
    const TsMux *mux, const TsTrack *track, int64_t pts, int64_t dts);

/* Returns true if an access unit with these timestamps, and without
 * TsAccessUnit.now, needs ts_mux_set_next(): it is a long step ahead, and
 * no fact known so far confirms or refutes the step. */
bool ts_track_needs_next (
    const TsMux *mux, const TsTrack *track, int64_t pts, int64_t dts);

/* Returns true if PTS is so far ahead of DTS that only the next access unit of
 * the track can confirm it. ts_track_needs_next() is true then as well. */
bool ts_track_is_apart (const TsTrack *track, int64_t pts, int64_t dts);

/* Sets the time that follows the access unit of the next ts_mux_begin(), ns.
 * @next: DTS, or PTS without DTS, of the next access unit of the track (its
 * PTS with ts_track_is_apart()), or of an access unit of another track that is
 * not before it. TS_TIME_NONE at the end. Without a clock it shows whether a
 * long step is real. */
void ts_mux_set_next (TsMux *mux, int64_t next);

/* Counts the next access unit as one without a timestamp: the timestamp that it
 * has was derived from later ones. */
void ts_mux_note_no_timestamp (TsMux *mux);

/* Returns an estimate of the DTS of the next access unit of @track, which has
 * @pts (ns, or TS_TIME_NONE) and no DTS. It decides the order among tracks.
 * Returns TS_TIME_NONE if it is unknown. */
int64_t ts_track_estimate_dts (const TsTrack *track, int64_t pts);

/* Continues an earlier stream: its continuity counters, versions and time. The
 * first packet of each PID has a discontinuity_indicator. Call before the
 * first access unit; returns false afterwards. */
bool ts_mux_resume (TsMux *mux, const TsResumePoint *point);

/* Notes that packets were lost downstream. The next random access point has
 * TsOutput.discontinuity, and the first packet of each PID from there on has a
 * discontinuity_indicator. */
void ts_mux_resync (TsMux *mux);

/* Sets @preroll before the first access unit, and raises the start offset to
 * it if necessary. Returns false afterwards. */
bool ts_mux_set_preroll (TsMux *mux, int64_t preroll);

/* Sets whether tracks are still to start. PCR waits for them at the start of
 * the stream, for five seconds at most, so that access units of a slow encoder
 * are not late. */
void ts_mux_set_expecting (TsMux *mux, bool expecting);

/* First step: decides the timestamps of @au and what is written with it.
 * Returns the most bytes that ts_mux_finish() needs, a multiple of
 * TS_PACKET_SIZE. Returns 0 if nothing is written: the access unit was dropped
 * (and counted), or waits for the next one. @au->data must stay valid until
 * ts_mux_finish(). Another begin without finish drops the access unit. */
size_t ts_mux_begin (TsMux *mux, TsTrack *track, const TsAccessUnit *au);

/* Like ts_mux_begin(), but writes only PSI, PCR and pending data that are due
 * at @time. Usually returns 0. @track: track whose timeline @time belongs to,
 * or NULL. @now: as TsAccessUnit.now; a @time far ahead of it is ignored. */
size_t ts_mux_begin_idle (
    TsMux *mux, const TsTrack *track, int64_t time, int64_t now);

/* Like ts_mux_begin(), but writes all pending data: at the end of the stream,
 * or before a track is removed. */
size_t ts_mux_begin_flush (TsMux *mux);

/* Second step: writes packets to @out, which has room for @size bytes, and
 * fills @output. Returns the number of bytes written. Returns 0, with nothing
 * written, if nothing was begun or @size is less than the result of the first
 * step. */
size_t ts_mux_finish (TsMux *mux, uint8_t *out, size_t size, TsOutput *output);

/* Stores the statistics since ts_mux_new(). */
void ts_mux_get_stats (const TsMux *mux, TsStats *stats);

/* Returns a name such as "H.264", or "none" for a value out of range. Static
 * string. */
const char *ts_codec_get_name (TsCodec codec);
bool ts_codec_is_video (TsCodec codec);
bool ts_codec_is_audio (TsCodec codec);
