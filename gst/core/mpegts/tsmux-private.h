/* gst-tsrec: what the parts of the mux share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tsmux.c knows tracks and PSI and decides what goes out when; tsmuxwrite.c makes
 * packets of it. Times here are DTS, PTS and PCR bases in units of 90 kHz, not
 * wrapped: they are masked to 33 bits where they are written.
 */

#pragma once

#include "tscodec.h"
#include "tslead.h"
#include "tsmux.h"
#include "tspacket.h"
#include "tspsi.h"
#include "tstimeline.h"

#define TS_CC_NONE 0xff
/* Frames that share a PES packet are no further off the times that a reader
 * computes for them: sources that count in milliseconds are. */
#define TS_HELD_TOLERANCE (2 * TS_NS_PER_MS)
/* How much faster than time PCR goes when it catches up. */
#define TS_PCR_CATCH_UP 2
/* With pack, the end of an access unit waits for the next one this long. */
#define TS_TAIL_TIME (200 * TS_NS_PER_MS)
/* With stuffing, which is more than PTS and DTS */
#define TS_PES_MAX_HEADER_SIZE                                                 \
  (TS_PES_HEADER_SIZE + TS_TELETEXT_HEADER_DATA_LENGTH)
/* What PES_packet_length leaves for the payload. */
#define TS_PES_MAX_PAYLOAD                                                     \
  (TS_PES_MAX_LENGTH - (TS_PES_MAX_HEADER_SIZE - TS_PES_START_SIZE))

/* A PSI section, ready to be written. */
typedef struct
{
  uint16_t pid;
  uint8_t version;
  uint8_t section[TS_SECTION_MAX_SIZE];
  size_t size;
  bool discontinuity;
  /* when it was last written: highest DTS (TS_TIME_NONE: never) and PCR */
  int64_t last_now;
  int64_t last_pcr;
} TsTable;

/**
 * TsTrack:
 * @lead: what leads the next picture
 * @held: audio frames that wait for their PES packet (audio_pes_time), or the
 *   end of a picture that waits for the next one (pack)
 * @held_size: bytes of @held, 0 when nothing waits
 * @held_alloc: room of @held
 * @held_pts: PTS of the first frame in @held, 90 kHz
 * @held_dts: its DTS, 90 kHz
 * @held_since: its DTS, ns
 * @held_next: where the frame after those in @held should be, ns
 * @last_dts: DTS that was last written, 90 kHz
 * @lag: how late its last access unit came, 90 kHz
 * @waiting: for its first random access point; pictures before are skipped
 * @skipped: how many were
 * @skipped_since: when the first of them was, ns, or TS_TIME_NONE
 * @distance: from the DTS of the access unit before that one, 90 kHz
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
  uint8_t *held;
  size_t held_size;
  size_t held_alloc;
  int64_t held_pts;
  int64_t held_dts;
  int64_t held_since;
  int64_t held_next;
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
 * TsPlan: what begin decided and finish will write.
 * @size: the most bytes it takes
 * @flush: tracks, by index, whose held data go first
 * @flush_own: what @track holds goes first, in a PES packet of its own
 * @dependent: it is the end of the access unit before
 * @psi: PAT and PMT are due
 * @sdt: SDT is due
 * @n_pcrs: PCRs to write, the last one being @pcr
 * @pcr_jump: @pcr is the only one, after a silence of all tracks: its packet
 *   says discontinuity_indicator
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

struct TsMux
{
  TsMuxConfig config;
  TsTrack *tracks[TS_MUX_MAX_TRACKS];
  unsigned n_tracks;
  TsTrack *pcr_track;
  uint16_t pcr_pid; /* that the last PMT named, 0: none was written */
  TsTimeline timeline;
  TsStats stats;
  TsPlan plan;

  TsTable pat;
  TsTable pmt;
  TsTable sdt;
  bool psi_changed;
  bool started;
  bool resync;
  uint8_t cc[TS_N_PIDS];

  /* TS time is DTS in ns, plus this, in 90 kHz, plus ts_origin. */
  int64_t origin_ns;
  int64_t ts_origin;
  int64_t pcr_interval;
  int64_t last_pcr;
  int64_t last_video;
  int64_t last_now;
  int64_t gap;
  int64_t preroll;
  int64_t last_pcr_now; /* DTS of its day when last_pcr was written */
  bool expecting;
  int64_t resume_ts;      /* the last of the file that is continued */
  int64_t resume_elapsed; /* since then */
  bool resumed;
};

/* Writes packets of one output. */
typedef struct
{
  TsMux *mux;
  uint8_t *out;
  uint8_t *p;
} TsWriter;

/* How many bytes @size bytes of payload take at most, with @n_pcrs PCRs. */
size_t ts_write_get_max_size (size_t size, unsigned n_pcrs);

/* tsmuxtracks.c */
void ts_track_free (TsTrack *track);
/* Whether to leave out @au: nobody can decode a picture that refers to those
 * before the recording. A stream with periodic intra refresh has no random
 * access point at all, but can be decoded after a while: then, or where none
 * comes for another reason, the waiting has an end. Counts what it says. */
bool ts_track_skip (
    TsMux *mux, TsTrack *track, const TsAccessUnit *au, bool random_access);
/* Where PCR stays on audio that has fallen silent, moves it to a better track
 * at @now, which the next PMT says. */
void ts_mux_move_pcr (TsMux *mux, int64_t now);
/* Says in the PMT what @track has learned of its access units. */
void ts_mux_describe_track (TsMux *mux, TsTrack *track);
/* The longest time that a video track needs between DTS and PTS, 90 kHz, 0
 * where there is no other track: PCR stays behind by more than that. */
int64_t ts_mux_get_reorder_delay (const TsMux *mux);
/* Builds the sections anew. */
void ts_mux_build_tables (TsMux *mux);

/* tsmux.c: ns of the input as TS time */
int64_t ts_mux_to_ts (const TsMux *mux, int64_t ns);

/* tsmuxpcr.c: notes how late @dts is, and counts it where PCR has passed it. */
void ts_mux_clamp_dts (TsMux *mux, TsTrack *track, int64_t dts);
/* Whether PCR is further behind than it should be, and may go faster than
 * time at @now. */
bool ts_mux_is_catching_up (const TsMux *mux, int64_t now);
/* Decides about PCR: @plan->pcr and @plan->n_pcrs. @now: the highest DTS. */
void ts_mux_plan_pcr (TsMux *mux, TsPlan *plan, int64_t now);

/* tsmuxtables.c: whether @table has to come at @now: later than that would be too
 * late with the next access unit. */
bool ts_mux_is_table_due (
    const TsMux *mux, const TsTable *table, int64_t interval_ns, int64_t now);
/* How often @table comes between the PCRs of the plan. @now: it goes first. */
unsigned ts_mux_count_between (
    const TsMux *mux, const TsTable *table, int64_t interval_ns, bool now);
/* Writes the tables that have to come before the next PCR of the plan. Returns
 * whether there are others to come before its last one. */
bool ts_write_tables_between (TsWriter *w, const TsPlan *plan);
/* Writes the tables of the plan. */
void ts_write_psi (TsWriter *w, const TsPlan *plan);

/* tsmuxwrite.c */

/* The next PCR of the plan: they divide the time since the last one evenly. */
int64_t ts_mux_get_next_pcr (const TsMux *mux);
/* The same, which is written now. */
int64_t ts_mux_take_pcr (TsMux *mux);

void ts_write_table (TsWriter *w, TsTable *table);
/* A packet with nothing but PCR. */
void ts_write_pcr (TsWriter *w, TsTrack *track, int64_t pcr);
/* PES packets with @payload; PCRs of mux->plan go into them when @track is
 * the PCR track. @pts: TS_TIME_NONE when no access unit begins in them. @hold:
 * keep what does not fill the last packet in
 * @track->held. */
void ts_write_pes (TsWriter *w, TsTrack *track, const TsPayload *payload,
    int64_t pts, int64_t dts, bool random_access, bool hold);
/* What waits in @track. */
void ts_write_held (TsWriter *w, TsTrack *track);
