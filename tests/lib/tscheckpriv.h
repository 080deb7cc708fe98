/* gst-tsrec: inside of the transport stream checker
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "tscheck.h"

#define PACKET_SIZE 188
#define N_PIDS 8192
#define PIDS_A_PAGE 64
#define NULL_PID 0x1fff
#define SDT_PID 0x11
#define SECTION_SIZE_MAX 1024 /* of ISO/IEC 13818-1 and of the SDT */
#define MAX_STREAMS 64
#define PES_SIZE_MAX (64u << 20)
/* From which size on a bounded packet is taken for one that was full. */
#define PES_SIZE_FULL 65500u
#define REPORT_SIZE 8192
/* Tables of a kind between two PCRs. */
#define MAX_UNPLACED 16

/* Bounds inside the reader: it latches the first read past the end and then
 * yields zero; the caller asks @overrun once. */
typedef struct
{
  const uint8_t *data;
  size_t size; /* bytes */
  size_t bit;
  bool overrun;
} Reader;

static inline uint64_t
reader_get (Reader *reader, unsigned bits)
{
  uint64_t value = 0;

  if (reader->overrun || reader->size * 8 - reader->bit < bits) {
    reader->overrun = true;
    return 0;
  }
  while (bits) {
    unsigned free = 8 - reader->bit % 8, n = bits < free ? bits : free;
    unsigned byte = reader->data[reader->bit / 8] >> (free - n);

    value = value << n | (byte & ((1u << n) - 1));
    reader->bit += n;
    bits -= n;
  }
  return value;
}

static inline size_t
reader_left (const Reader *reader)
{
  return reader->overrun ? 0 : reader->size - (reader->bit + 7) / 8;
}

/* A reader of the next @size bytes, which @reader passes. */
static inline Reader
reader_sub (Reader *reader, size_t size)
{
  Reader sub = { NULL, 0, 0, false };

  if (size > reader_left (reader)) {
    reader->overrun = sub.overrun = true;
    return sub;
  }
  sub.data = reader->data + reader->bit / 8;
  sub.size = size;
  reader->bit += size * 8;
  return sub;
}

/* The tables, one of each, and when they were last complete. */
typedef struct
{
  uint8_t section[SECTION_SIZE_MAX];
  size_t size;     /* 0: never seen */
  int64_t time;    /* PCR, 27 MHz; TS_CHECK_NONE: none yet, or @pending */
  bool pending;    /* the next PES packet gives @time */
  bool recent;     /* no other one came since then; a PCR in it does too */
  bool since_pes;  /* complete since the last PES packet began */
  bool overdue;    /* reported, until the next one */
  int64_t arrival; /* of the last one by 2.4.2.2, 27 MHz, or TS_CHECK_NONE */
  uint64_t unplaced[MAX_UNPLACED]; /* packets, since the last PCR */
  unsigned n_unplaced;
  int version;
} Table;

typedef enum
{
  TABLE_PAT,
  TABLE_PMT,
  TABLE_SDT,
  N_TABLES
} TableId;

typedef enum
{
  PID_UNKNOWN,
  PID_PSI,
  PID_PES
} PidUse;

typedef struct _Pid Pid;

struct _Pid
{
  Pid *next;
  PidUse use;
  bool seen, had_unit, duplicate, said_unreferenced;
  uint8_t counter;
  uint8_t last[PACKET_SIZE];
  /* sections */
  uint8_t section[SECTION_SIZE_MAX];
  size_t section_size;
  bool in_section, section_discontinuity;
  /* PES */
  TsCheckStream stream;
  bool listed; /* in the present PMT */
  uint8_t *pes;
  size_t pes_size, pes_allocated;
  bool in_pes, pes_bad, header_done, said_late;
  size_t pes_expected; /* whole packet, 0: unbounded */
  size_t header_size;
  uint64_t es_offset;
  TsCheckPes current;
  bool rap_psi; /* PSI stood in front of the current PES packet */
  uint64_t epoch;
  int64_t last_dts, last_pts_pcr, last_stamp;
  bool was_full;       /* the PES packet before could hold no more */
  bool had_core;       /* a frame of audio that dependent ones can follow */
  int64_t pcr_missing; /* 90 kHz; unless one comes within this PES packet */
};

struct _TsCheck
{
  TsCheckOptions options;
  TsCheckPesFunc pes_func;
  TsCheckErrorFunc error_func;
  void *user_data;

  uint8_t partial[PACKET_SIZE];
  size_t partial_size;

  Pid **pages[N_PIDS / PIDS_A_PAGE]; /* found by number */
  Pid *first;                        /* all of them */
  Table tables[N_TABLES];
  uint16_t pmt_pid, pcr_pid; /* 0xffff: unknown */
  uint16_t order[MAX_STREAMS];
  unsigned n_streams;

  bool have_pcr, pcr_since_pes;
  bool pcr_fresh;               /* no timestamp since the last PCR */
  int64_t highest_dts, pcr_dts; /* now, and when the last PCR came; 90 kHz */
  int64_t pcr;                  /* unwrapped, 27 MHz */
  uint64_t pcr_packet;          /* which it was in */
  uint64_t epoch;               /* counts time bases */
  uint64_t packet;              /* index of the present one */

  TsCheckStats stats;
  char report[REPORT_SIZE];
  size_t report_size;
};

/* One packet, after its header. */
typedef struct
{
  uint16_t pid;
  bool unit_start, random_access, discontinuity, has_pcr;
  uint64_t pcr; /* 27 MHz, as on the wire */
  const uint8_t *payload;
  size_t payload_size;
} Packet;

void ts_check_error (TsCheck *check, TsCheckRule rule, uint16_t pid,
    const char *format, ...) __attribute__ ((format (printf, 4, 5)));
/* The state of @pid, made when it is new; NULL when memory ran out. */
Pid *ts_check_get_pid (TsCheck *check, uint16_t pid);

/* tscheckpsi.c */
/* A table arrived at @time, 27 MHz: how long after the one before it? */
void ts_check_table_arrival (TsCheck *check, TableId id, int64_t time);
void ts_check_psi_packet (TsCheck *check, Pid *pid, const Packet *packet);

/* tscheckpes.c */
void ts_check_pes_packet (TsCheck *check, Pid *pid, const Packet *packet);
/* The current PES packet is over; @at_end: because the stream is. */
void ts_check_pes_finish (TsCheck *check, Pid *pid, bool at_end);
/* Forgets a PES packet that lost packets. */
void ts_check_pes_drop (Pid *pid);

/* tscheckes.c: the picture inside a video PES packet. */
void ts_check_es (TsCheck *check, Pid *pid, const TsCheckPes *pes);
/* Keeps in mind whether @pes has a frame that others can follow. */
void ts_check_es_note_core (Pid *pid, const TsCheckPes *pes);
/* Returns true if an access unit begins in @pes: not with the frame of a dependent
 * substream, which ends the access unit before it. */
bool ts_check_es_begins_unit (const Pid *pid, const TsCheckPes *pes);
