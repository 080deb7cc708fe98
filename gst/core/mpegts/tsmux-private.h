/* gst-tsrec: the parts of TsMux
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tsmuxpacketize  packets: sections, PCR, PES packets
 * tsmuxpcr        when a PCR is written, and its value
 * tsmuxtables     when PAT, PMT and SDT are written
 * tsmuxtracks     tracks, and the contents of the PMT
 * tsmuxplan       the plan of an output
 * tsmux           configuration, and the two steps of an output
 *
 * Each part uses only parts above it in this list.
 *
 * Times are DTS, PTS and PCR bases in units of 90 kHz unless they say ns. They
 * are not wrapped: they are masked to 33 bits where they are written. "Now" is
 * the highest DTS of all tracks. TS_TIME_NONE: unknown.
 */

#pragma once

#include "tscodec.h"
#include "tslead.h"
#include "tsmux.h"
#include "tspacket.h"
#include "tspsi.h"
#include "tstimeline.h"

/* Audio frames share a PES packet if their times differ by no more than this
 * from those that a reader computes: sources that count in milliseconds do. */
#define TS_PENDING_TOLERANCE (2 * TS_NS_PER_MS)
/* Speed of PCR while it catches up, as a multiple of real time. */
#define TS_PCR_CATCH_UP 2
/* With stuffing, which is longer than PTS and DTS. */
#define TS_PES_MAX_HEADER_SIZE                                                 \
  (TS_PES_HEADER_SIZE + TS_TELETEXT_HEADER_DATA_LENGTH)
/* Payload that fits into a PES packet with a PES_packet_length. */
#define TS_PES_MAX_PAYLOAD                                                     \
  (TS_PES_MAX_LENGTH - (TS_PES_MAX_HEADER_SIZE - TS_PES_START_SIZE))

/**
 * TsTable: a PSI section, ready to be written.
 * @pid: its PID
 * @version: version_number of the next change
 * @section: the section
 * @size: bytes of @section
 * @discontinuity: the next packet gets a discontinuity_indicator
 * @last_now: now, when it was last written
 * @last_pcr: last PCR before it was last written
 */
typedef struct
{
  uint16_t pid;
  uint8_t version;
  uint8_t section[TS_SECTION_MAX_SIZE];
  size_t size;
  bool discontinuity;
  int64_t last_now;
  int64_t last_pcr;
} TsTable;

/**
 * TsTrack:
 * @pid: its PID
 * @stream_id: stream_id of its PES packets
 * @config: its configuration
 * @psi: its entry in the PMT
 * @codec: state of its codec
 * @time: state of its timestamps
 * @needs_random_access: a key frame is wanted, after lost packets
 * @waiting: it waits for its first random access point; pictures before that
 *   are skipped
 * @skipped: number of skipped pictures
 * @skipped_since: time of the first skipped picture, ns
 * @discontinuity: its next packet gets a discontinuity_indicator
 * @lead: parameter sets and SEI that precede the next picture
 * @pending: audio frames that wait for their PES packet (audio_pes_time), or the
 *   end of a picture that waits for the next one (pack)
 * @pending_size: bytes of @pending, 0 if nothing waits
 * @pending_alloc: room of @pending
 * @pending_pts: PTS of the first frame in @pending
 * @pending_dts: DTS of the first frame in @pending
 * @pending_since: DTS of the first frame in @pending, ns
 * @pending_next: expected time of the frame after those in @pending, ns
 * @last_dts: DTS that was last written
 * @lag: delay of its last access unit behind now
 * @distance: DTS of the last access unit minus the DTS before it
 */
struct TsTrack
{
  uint16_t pid;
  uint8_t stream_id;
  TsTrackConfig config;
  TsPsiStream psi;
  TsCodecState codec;
  TsTrackTime time;
  bool needs_random_access;
  bool waiting;
  uint64_t skipped;
  int64_t skipped_since;
  bool discontinuity;
  TsLead lead;
  uint8_t *pending;
  size_t pending_size;
  size_t pending_alloc;
  int64_t pending_pts;
  int64_t pending_dts;
  int64_t pending_since;
  int64_t pending_next;
  int64_t last_dts;
  int64_t lag;
  int64_t distance;
};

typedef enum
{
  TS_PLAN_NONE = 0,
  TS_PLAN_ACCESS_UNIT,
  TS_PLAN_IDLE,
  TS_PLAN_FLUSH
} TsPlanKind;

/**
 * TsPlan: decided by the first step of an output, written by the second.
 * @kind: what is written
 * @track: track of the access unit, NULL without one
 * @payload: the access unit
 * @au_size: bytes of the access unit
 * @pts_ns: its PTS, ns
 * @dts_ns: its DTS, ns
 * @duration_ns: its duration, ns
 * @pts: its PTS
 * @dts: its DTS
 * @pcr: the last PCR of the plan
 * @n_pcrs: number of PCRs to write
 * @flush: tracks, by index, whose pending data are written first
 * @size: the most bytes that the plan takes
 * @flush_own: pending data of @track are written first, in a PES packet of their
 *   own
 * @pcr_jump: @pcr is the only PCR, after a silence of all tracks; its packet
 *   gets a discontinuity_indicator
 * @dependent: the access unit is the end of the one before
 * @psi: PAT and PMT are due
 * @sdt: SDT is due
 * @random_access: the output starts with a random access point
 * @discontinuity: the timeline of the stream starts again
 */
typedef struct
{
  TsPlanKind kind;
  TsTrack *track;
  TsPayload payload;
  size_t au_size;
  int64_t pts_ns;
  int64_t dts_ns;
  int64_t duration_ns;
  int64_t pts;
  int64_t dts;
  int64_t pcr;
  unsigned n_pcrs;
  uint32_t flush;
  size_t size;
  bool flush_own;
  bool pcr_jump;
  bool dependent;
  bool psi;
  bool sdt;
  bool random_access;
  bool discontinuity;
} TsPlan;

/**
 * TsMux:
 * @config: the configuration, within its ranges
 * @tracks: the tracks
 * @n_tracks: number of @tracks
 * @timeline: the timeline of the tracks
 * @stats: statistics
 * @plan: plan of the current output
 * @cc: last continuity_counter of each PID, TS_CC_NONE before the first packet
 * @started: an access unit has set @origin_ns
 * @resync: packets were lost; the next random access point starts again
 * @origin_ns: DTS of the first access unit, ns
 * @ts_origin: TS time of @origin_ns
 * @resumed: a file is continued
 * @resume_ts: last timestamp of that file
 * @resume_elapsed: time since that timestamp
 * @last_video: now, when video was last written
 * @last_now: now, at the last output
 * @au_distance: usual distance of outputs, for planning
 * @pat: the PAT
 * @pmt: the PMT
 * @sdt: the SDT
 * @psi_changed: the tables have to be built again
 * @pcr_track: track whose PID carries PCR, NULL without a track
 * @pcr_pid: PCR_PID of the last PMT, 0 before the first PMT
 * @pcr_interval: the longest interval of PCR
 * @last_pcr: last PCR that was written
 * @last_pcr_dts: now, when @last_pcr was written
 * @preroll: distance of PCR behind now
 * @expecting: tracks are still to start, see ts_mux_set_expecting()
 */
struct TsMux
{
  TsMuxConfig config;
  TsTrack *tracks[TS_MUX_MAX_TRACKS];
  unsigned n_tracks;
  TsTimeline timeline;
  TsStats stats;
  TsPlan plan;
  uint8_t cc[TS_N_PIDS];

  bool started;
  bool resync;
  int64_t origin_ns;
  int64_t ts_origin;
  bool resumed;
  int64_t resume_ts;
  int64_t resume_elapsed;
  int64_t last_video;
  int64_t last_now;
  int64_t au_distance;

  TsTable pat;
  TsTable pmt;
  TsTable sdt;
  bool psi_changed;

  TsTrack *pcr_track;
  uint16_t pcr_pid;
  int64_t pcr_interval;
  int64_t last_pcr;
  int64_t last_pcr_dts;
  int64_t preroll;
  bool expecting;
};

/* Converts @ns of the input to TS time. */
static inline int64_t
ts_mux_to_ts (const TsMux *mux, int64_t ns)
{
  return mux->ts_origin + ts_time_to_90k (ns - mux->origin_ns);
}

/* --- Tsmuxwrite.c --- */

/**
 * TsWriter: writes the packets of one output.
 * @mux: the mux
 * @out: start of the output
 * @p: next packet
 */
typedef struct
{
  TsMux *mux;
  uint8_t *out;
  uint8_t *p;
} TsWriter;

/* Returns the room that the pending data of @track need, 0 if it keeps none. */
size_t ts_write_get_pending_room (const TsMux *mux, const TsTrack *track);

/* Returns the longest time that data of @track stay pending, ns. @own: an access
 * unit of @track is to be written. */
int64_t ts_write_get_pending_time (
    const TsMux *mux, const TsTrack *track, bool own);

/* Returns the most bytes that @size bytes of payload take with @n_pcrs PCRs. */
size_t ts_write_get_max_size (size_t size, unsigned n_pcrs);

/* Returns the next PCR of the plan. The PCRs of a plan divide the time since the
 * last PCR evenly. */
int64_t ts_mux_get_next_pcr (const TsMux *mux);

/* Like ts_mux_get_next_pcr(), for a PCR that is written now. */
int64_t ts_mux_take_pcr (TsMux *mux);

void ts_write_table (TsWriter *w, TsTable *table);

/* Writes a packet with nothing but PCR. */
void ts_write_pcr (TsWriter *w, TsTrack *track, int64_t pcr);

/* Writes PES packets with the pending data of @track and @payload. They carry
 * the PCRs of the plan if @track is the PCR track. @pts: TS_TIME_NONE if no
 * access unit begins in them. With pack, bytes that do not fill the last packet
 * become the pending data of @track. */
void ts_write_pes (TsWriter *w, TsTrack *track, const TsPayload *payload,
    int64_t pts, int64_t dts, bool random_access);

/* Writes the pending data of @track. */
void ts_write_pending (TsWriter *w, TsTrack *track);

/* --- Tsmuxpcr.c --- */

/* Notes the lag of @track, whose next access unit has @dts. Counts the access
 * unit as late if PCR has passed @dts. */
void ts_mux_note_dts (TsMux *mux, TsTrack *track, int64_t dts);

/* Returns true if PCR is further behind than it should be, so that it may run
 * faster than time at @now. */
bool ts_mux_is_catching_up (const TsMux *mux, int64_t now);

/* Sets @plan->pcr, @plan->n_pcrs and @plan->pcr_jump. */
void ts_mux_plan_pcr (TsMux *mux, TsPlan *plan, int64_t now);

/* --- Tsmuxtables.c --- */

/* Returns true if @table is due at @now: waiting for the next access unit could
 * exceed its interval, measured in DTS or in PCR. */
bool ts_mux_is_table_due (
    const TsMux *mux, const TsTable *table, int64_t interval_ns, int64_t now);

/* Returns how often @table is written between the PCRs of the plan. @first: it
 * is also written before the first PCR. */
unsigned ts_mux_count_between (
    const TsMux *mux, const TsTable *table, int64_t interval_ns, bool first);

/* Writes the tables that are due before the next PCR of the plan. Returns true
 * if more tables are due before its last PCR. */
bool ts_write_tables_between (TsWriter *w, const TsPlan *plan);

/* Writes the tables of the plan. */
void ts_write_psi (TsWriter *w, const TsPlan *plan);

/* --- Tsmuxtracks.c --- */

void ts_track_free (TsTrack *track);

/* Returns true if @au is to be left out, because pictures before the
 * first random access point cannot be decoded. After some time without one, pictures
 * are written anyway: periodic intra refresh has no random access points, but
 * becomes decodable. Counts both cases in the statistics. */
bool ts_track_skip (
    TsMux *mux, TsTrack *track, const TsAccessUnit *au, bool random_access);

/* Moves PCR to a better track at @now if it is on an audio track that has fallen
 * silent. The next PMT names the new PCR_PID. */
void ts_mux_move_pcr (TsMux *mux, int64_t now);

/* Updates the entry of @track in the PMT from its access units. */
void ts_mux_describe_track (TsMux *mux, TsTrack *track);

/* Returns the longest time between DTS and PTS of a video track, 0 if there is
 * no other track. PCR stays behind by more than that. */
int64_t ts_mux_get_reorder_delay (const TsMux *mux);

/* Builds the sections again. */
void ts_mux_build_tables (TsMux *mux);

/* --- Tsmuxplan.c --- */

/* Sets the discontinuity_indicator of the next packet of each PID. */
void ts_mux_mark_discontinuity (TsMux *mux);

/* Decides the timestamps of the access unit as they are written: DTS after the
 * DTS before. The first access unit starts the stream. */
void ts_plan_time (TsMux *mux, TsTrack *track, TsPlan *plan);

/* Returns the duration of @au, ns, or TS_TIME_NONE. */
int64_t ts_plan_get_duration (
    const TsTrack *track, const TsAccessUnit *au, const TsPlan *plan);

/* Returns true if the audio frame of the plan waits for others. Otherwise the
 * plan writes the pending frames with it, or before it if they do not belong
 * together. */
bool ts_plan_hold (TsMux *mux, TsTrack *track, TsPlan *plan);

/* Returns true if the access unit is the end of the access unit before. It then
 * goes into the same PES packet, or into one in which no access unit begins. */
bool ts_plan_dependent (TsMux *mux, TsTrack *track, TsPlan *plan);

/* Returns true if a dependent access unit was added to pending frames. */
bool ts_plan_hold_dependent (TsTrack *track, const TsPlan *plan);

/* Decides everything else, and returns the most bytes that the plan takes. */
size_t ts_plan_output (TsMux *mux, TsPlan *plan);

/* Like ts_plan_output(), for the pending data of all tracks. */
size_t ts_plan_flush (TsMux *mux, TsPlan *plan);
