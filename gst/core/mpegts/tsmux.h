/* gst-tsrec: an MPEG transport stream mux in plain C
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Access units go in, whole 188-byte packets come out: one program, any number
 * of tracks, nothing waits for anything. The stream that comes out conforms to
 * ISO/IEC 13818-1 and can be cut at every random access point.
 *
 * An access unit is muxed in two steps, so that the packets can be written
 * straight into the buffer that leaves:
 *
 *   size_t size = ts_mux_begin (mux, track, &au);
 *   if (size > 0) {
 *     uint8_t *out = get_a_buffer_of_at_least (size);
 *     size = ts_mux_finish (mux, out, size, &output);
 *   }
 *
 * Time: every timestamp that goes in is in nanoseconds on one timeline that
 * all tracks share (in GStreamer: the running time; it may be negative). The
 * first access unit that is written gets the TS time `start_offset`. PCR
 * follows the highest DTS seen, `preroll` behind it, and never goes back.
 *
 * Errors: a function that can fail says so in its return value and changes
 * nothing. No input, however broken, makes the stream invalid: what cannot be
 * right is corrected and counted in TsStats.
 *
 * Threads: none of this is thread safe; the caller serializes all calls on one
 * TsMux. Nothing blocks. Memory is allocated when a track is added or
 * configured and when a parameter set changes, never per access unit.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 13 bits (the mapping of Opus into MPEG-TS). */
#define TS_OPUS_MAX_TRIM 8191
/* Ambisonics of the fifth order; their mapping fits into a descriptor. */
#define TS_OPUS_MAX_CHANNELS 36

/* A time that is not known. */
#define TS_TIME_NONE INT64_MIN
#define TS_NS_PER_S INT64_C (1000000000)
#define TS_NS_PER_MS INT64_C (1000000)

/* The tracks that fit in one PMT section with their descriptors. */
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
  TS_CODEC_MPEG2_AUDIO, /* the same at the low sampling rates of MPEG-2 */
  TS_CODEC_AC3,         /* one or more frames a call, AC-3 or E-AC-3 */
  TS_CODEC_EAC3,        /* the same; see ts_ac3_read_frame() */
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
 * @transport_stream_id: of the PAT and the SDT, 0 to 65535
 * @program_number: 1 to 65535
 * @pmt_pid: PID of the PMT, 0x0020 to 0x1ffa
 * @service_name: UTF-8, at most TS_MUX_MAX_NAME bytes; longer is cut at a
 *   character
 * @service_provider: likewise
 * @start_offset: TS time of the first access unit, ns; raised to @preroll
 *   when it is less
 * @preroll: how far PCR stays behind the highest DTS at least, ns; more when
 *   tracks prove to be later than that after one another
 * @psi_interval: PAT and PMT at least this often, ns
 * @si_interval: SDT at least this often, ns
 * @pcr_interval: PCR at least this often while anything flows, ns; more often
 *   where it is more than a third of @psi_interval or @si_interval
 * @audio_pes_time: audio frames are put together in one PES packet until they
 *   span this time, ns; 0: one PES packet for each
 * @pack: whether the end of a video access unit that does not fill a packet
 *   waits for the next one and leaves in the same packets
 * @wait_for_random_access: whether pictures before the first random access
 *   point of their track are skipped, for ten seconds at most
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
 * @codec: what the access units are
 * @language: ISO 639-2 code of three letters, or all zero: none
 * @stream_number: number in the stream_id (table 2-22) plus one: video 1 to 16,
 *   audio 1 to 32; 0: tracks of a kind are counted
 * @frame_time: video: how long a picture lasts, ns, 0 when it is not known:
 *   where that is longer than the PCR interval, audio has the PCR
 * @channels: Opus: 1 to TS_OPUS_MAX_CHANNELS
 * @mapping_family: Opus: channel mapping family of RFC 7845 and RFC 8486, but 3
 * @stream_count: Opus: coded streams
 * @coupled_count: Opus: how many of them are stereo
 * @channel_mapping: Opus: the stream channel that each channel takes
 * @audio_specific_config: TS_CODEC_AAC_RAW: AudioSpecificConfig of ISO/IEC
 *   14496-3; only read during the call
 * @audio_specific_config_size: its bytes
 * @decoder_configuration: H.264 and H.265: decoder configuration record of
 *   ISO/IEC 14496-15 where NAL units have lengths in front, and become a byte
 *   stream; NULL: they have start codes; only read during the call
 * @decoder_configuration_size: its bytes
 *
 * All zero but the codec is a valid configuration of every codec but
 * TS_CODEC_AAC_RAW and TS_CODEC_OPUS.
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
 * @data: may be NULL when @size is 0; only read between begin and finish
 * @size: bytes
 * @pts: presentation time, ns, TS_TIME_NONE if unknown
 * @dts: decoding time, ns, TS_TIME_NONE if unknown: of pictures that are
 *   reordered it is made, by the depth that the stream declares; of all others
 *   it is @pts
 * @duration: ns, TS_TIME_NONE if unknown; audio: 0 if nothing of it is
 *   presented
 * @now: the time it is now for a live stream, ns on the same timeline, which
 *   unmasks timestamps from the future; TS_TIME_NONE otherwise, and where
 *   ts_track_needs_now() says that it makes no difference
 * @trim_start: Opus: samples at 48 kHz to drop at the start; no more are
 *   dropped than there are
 * @trim_end: Opus: samples at 48 kHz to drop at the end, likewise
 * @discont: something was lost before it
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
  bool discont;
} TsAccessUnit;

/**
 * TsOutput:
 * @size: bytes written, a multiple of 188
 * @random_access: the packets from @random_access_offset on start with PAT,
 *   PMT, SDT and a PCR, and a random access point follows
 * @random_access_offset: bytes that still belong before it, a multiple of 188;
 *   0 unless audio_pes_time or pack hold data back
 * @pts: of the access unit as written, ns on the timeline of the input, or
 *   TS_TIME_NONE when none was written
 * @dts: likewise
 * @duration: how long the picture or frame is presented, ns, by the input, the
 *   stream or the one before; TS_TIME_NONE when unknown, and of data
 * @discontinuity: the first random access point after ts_mux_resync() or
 *   ts_mux_resume()
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
 * @access_units: written; a dependent frame is a part of one
 * @access_unit_bytes: their bytes as they came in
 * @packets: of 188 bytes, written
 * @stuffing_bytes: of these, bytes that carry nothing
 * @psi_packets: of these, with PAT, PMT or SDT
 * @pcr_packets: of these, with nothing but a PCR
 * @random_access_points: written
 * @no_timestamp: access units without a timestamp; they follow their
 *   predecessor
 * @backward: access units whose DTS was not after their predecessor's
 * @jumps: access units whose timestamp was far off the timeline
 * @dts_raised: access units whose DTS was raised and whose PTS is as it came
 * @pts_nudged: access units whose PTS was moved by a tick of 90 kHz at most
 * @pts_moved: access units whose PTS was moved by more, to be after its
 *   predecessor's DTS
 * @late: access units whose DTS PCR had passed already: written as they are,
 *   too late by the decoder model (ISO/IEC 13818-1 2.4.2.3)
 * @skipped: pictures before the first random access point, skipped
 * @no_random_access: tracks that began without one, as none came
 * @empty: access units of zero size, dropped
 * @damaged: access units that are not what the codec says, dropped
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
 * TsResumePoint: where an earlier stream ended.
 * @continuity_counter: last continuity_counter of each of the 8192 PIDs, 0xff
 *   where there was none; only read during the call
 * @pat_version: last version_number, -1 for none
 * @pmt_version: likewise
 * @sdt_version: likewise
 * @last_ts: its highest PCR, DTS or PTS, 90 kHz, 33 bit
 * @elapsed: time since it ended, ns
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

/* Fills @config with the defaults: program 1, start offset 1.4 s, preroll
 * 0.9 s, PSI and SI every 500 ms, PCR every 40 ms, nothing held back. */
void ts_mux_config_init (TsMuxConfig *config);

/* Returns a mux that the caller frees, or NULL when memory is short. Values
 * of @config that are out of range are brought into it. */
TsMux *ts_mux_new (const TsMuxConfig *config);
/* Frees @mux and its tracks. NULL is allowed. */
void ts_mux_free (TsMux *mux);

/* Whether @config can be carried, which is the first thing that
 * ts_mux_add_track() finds out. Returns false with *@reason set to a static
 * sentence. Otherwise *@identity is a number that differs where a reader takes
 * the stream for another one (ts_psi_get_identity()): a track that comes to
 * have another identity needs a PID on which no other one was before. */
bool ts_track_config_check (
    const TsTrackConfig *config, uint64_t *identity, const char **reason);

/* Adds a track, to the PMT as well (its version is bumped when something was
 * written already). @pid: 0x0020 to 0x1ffa, used by nothing else. Returns the
 * track, owned by @mux, or NULL with *@reason set to a static sentence (if
 * @reason is not NULL) when @config cannot be carried, the PID is taken or
 * there are TS_MUX_MAX_TRACKS tracks. */
TsTrack *ts_mux_add_track (
    TsMux *mux, uint16_t pid, const TsTrackConfig *config, const char **reason);

/* Gives @track another codec or codec configuration, between two access
 * units. Readers go on with the codec that they know on a PID: for another
 * identity, remove the track and add one on another PID instead. What the PMT
 * says is changed, with a new version, only if it differs; the same
 * configuration once more changes nothing. Returns false, with
 * *@reason as above and @track as it was, when @config cannot be carried. */
bool ts_mux_configure_track (TsMux *mux, TsTrack *track,
    const TsTrackConfig *config, const char **reason);

/* Removes @track, which is freed, from the PMT. What it holds back is lost:
 * ts_mux_flush() first. */
void ts_mux_remove_track (TsMux *mux, TsTrack *track);

uint16_t ts_track_get_pid (const TsTrack *track);
TsCodec ts_track_get_codec (const TsTrack *track);
/* True for a video track that has not had a random access point yet (or not
 * since the last ts_mux_resync()): a key frame is needed. */
bool ts_track_needs_random_access_point (const TsTrack *track);

/* True while pictures of @track are skipped: some were, and no random access
 * point has come yet (TsMuxConfig.wait_for_random_access). */
bool ts_track_is_skipping (const TsTrack *track);

/* Whether an access unit with these timestamps (TS_TIME_NONE: unknown) needs
 * TsAccessUnit.now to be judged: they are missing, or far from what was there
 * before. It spares the caller from reading the clock each time. */
bool ts_track_needs_now (
    const TsMux *mux, const TsTrack *track, int64_t pts, int64_t dts);

/* Whether an access unit with these timestamps needs ts_mux_set_next() to be
 * judged, when there is no TsAccessUnit.now: it is a long step ahead, and
 * nothing that is known so far tells whether that is real. */
bool ts_track_needs_next (
    const TsMux *mux, const TsTrack *track, int64_t pts, int64_t dts);

/* Whether PTS is so far ahead of DTS that only what follows in the same track
 * can show that it is real. ts_track_needs_next() is true then as well. */
bool ts_track_is_apart (const TsTrack *track, int64_t pts, int64_t dts);

/* Says what follows the access unit that ts_mux_begin() is called for next: in
 * @next the DTS, or PTS if it has none, of the one after it in the same track
 * (PTS of that one with ts_track_is_apart()), or of one in another track that
 * is not before it; ns, TS_TIME_NONE when nothing follows. Without a clock it
 * shows whether a long step is real. */
void ts_mux_set_next (TsMux *mux, int64_t next);

/* The next access unit came without a timestamp: the one that it has was taken
 * from what comes after it. */
void ts_mux_note_no_timestamp (TsMux *mux);

/* About what DTS the next access unit of @track will get when it comes with
 * @pts (ns, or TS_TIME_NONE) and without one: its place among other tracks.
 * TS_TIME_NONE when that is not known. */
int64_t ts_track_estimate_dts (const TsTrack *track, int64_t pts);

/* Goes on where another stream ended: continuity counters, versions and time
 * continue, and the first packet of each PID says discontinuity_indicator.
 * Call before the first access unit; returns false afterwards. */
bool ts_mux_resume (TsMux *mux, const TsResumePoint *point);

/* Says that packets were lost on the way to the file. The next random access
 * point has TsOutput.discontinuity, and from it on the first packet of every
 * PID says discontinuity_indicator. */
void ts_mux_resync (TsMux *mux);

/* Sets @preroll before the first access unit (where it raises the start
 * offset if need be); returns false afterwards. */
bool ts_mux_set_preroll (TsMux *mux, int64_t preroll);

/* Says whether tracks that have not started yet are about to. PCR then waits
 * for them at the start of the stream, for five seconds at most, so that an
 * encoder that takes its time is not late. */
void ts_mux_set_expecting (TsMux *mux, bool expecting);

/* First step: looks at @au, decides its timestamps and what goes with it.
 * Returns how many bytes ts_mux_finish() needs at most, a multiple of 188, or
 * 0 when nothing is to be written: the access unit was dropped (and counted)
 * or is held back for the next one. @au->data must stay until
 * ts_mux_finish(). Beginning again without finishing drops the access unit. */
size_t ts_mux_begin (TsMux *mux, TsTrack *track, const TsAccessUnit *au);

/* The same without an access unit: what is due at @time (PSI, PCR, held-back
 * data), when no track has anything. Usually 0. @track: whose time it is, as
 * that of its access units; NULL: none's. @now: as TsAccessUnit.now; what is
 * far ahead of it is not believed. */
size_t ts_mux_begin_idle (
    TsMux *mux, const TsTrack *track, int64_t time, int64_t now);

/* The same for everything that is held back: at the end of the stream, or
 * before a track is removed. */
size_t ts_mux_begin_flush (TsMux *mux);

/* Second step: writes packets to @out, which has room for @size bytes, and
 * fills @output. Returns the bytes written, or 0 without a byte written when
 * nothing was begun or @size is less than what begin returned. */
size_t ts_mux_finish (TsMux *mux, uint8_t *out, size_t size, TsOutput *output);

/* The counters since ts_mux_new(). */
void ts_mux_get_stats (const TsMux *mux, TsStats *stats);

/* "H.264" and so on; "none" for a value out of range. */
const char *ts_codec_get_name (TsCodec codec);
bool ts_codec_is_video (TsCodec codec);
bool ts_codec_is_audio (TsCodec codec);
