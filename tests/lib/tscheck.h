/* gst-tsrec: a strict checker of MPEG transport streams, for the tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Written from ISO/IEC 13818-1 and ETSI TR 101 290 (priorities 1 and 2); it
 * shares no code with the writer that it judges, and allocates what it needs
 * with malloc. Whatever bytes come in, it reads inside them only.
 *
 * A checker is used by one thread. Callbacks run inside ts_check_push() and
 * ts_check_finish(); what they are given is valid during the call only.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TS_CHECK_NONE INT64_MIN

typedef enum
{
  TS_CHECK_SIZE,             /* the stream ends inside a packet */
  TS_CHECK_SYNC,             /* TR 1.1, 1.2: sync_byte */
  TS_CHECK_TRANSPORT_ERROR,  /* TR 2.1: transport_error_indicator */
  TS_CHECK_SCRAMBLED,        /* transport_scrambling_control */
  TS_CHECK_CONTINUITY,       /* TR 1.4: continuity_counter, duplicates */
  TS_CHECK_ADAPTATION,       /* adaptation_field: length, flags, stuffing */
  TS_CHECK_PAT_INTERVAL,     /* TR 1.3 */
  TS_CHECK_PMT_INTERVAL,     /* TR 1.5 */
  TS_CHECK_SDT_INTERVAL,     /* TR 3.5, at the interval of the options */
  TS_CHECK_PSI_SECTION,      /* section syntax, pointer_field, stuffing */
  TS_CHECK_PSI_CRC,          /* TR 2.2 */
  TS_CHECK_PSI_VERSION,      /* version_number against the content */
  TS_CHECK_PSI_CONTENT,      /* PIDs, descriptors and loops of PAT, PMT, SDT */
  TS_CHECK_PID_UNREFERENCED, /* TR 3.4: a PID that no table names */
  TS_CHECK_PES_HEADER,       /* 2.4.3.6: start code, markers, flags, length */
  TS_CHECK_PES_LENGTH,       /* PES_packet_length against the payload */
  TS_CHECK_PES_TRUNCATED,    /* the stream ends inside a PES packet */
  TS_CHECK_PTS_ORDER,        /* PTS before DTS, or a DTS equal to the PTS */
  TS_CHECK_DTS_ORDER,        /* DTS of a PID goes back or stands */
  TS_CHECK_PTS_INTERVAL,     /* TR 2.5: PTS every 700 ms */
  TS_CHECK_PCR_PID,          /* a PES packet without PCR before it, or a PCR on
                              * another PID than PCR_PID */
  TS_CHECK_PCR_ORDER,        /* TR 2.3b: PCR goes back without a
                              * discontinuity_indicator */
  TS_CHECK_PCR_INTERVAL,     /* TR 2.3a: PCR every 40 ms while anything flows */
  TS_CHECK_PCR_JUMP,         /* TR 2.3b: PCR goes on by more than 100 ms without
                              * a discontinuity_indicator */
  TS_CHECK_PCR_LATE,         /* a warning: PCR after the DTS of what it is sent
                              * with */
  TS_CHECK_DELAY,            /* a warning: 2.4.2.3: DTS too far after PCR */
  TS_CHECK_RAP_INDICATOR,    /* random_access_indicator against the picture */
  TS_CHECK_RAP_PSI,          /* a video random access point without PAT, PMT
                              * (SDT) and PCR in front of it */
  TS_CHECK_AU_DELIMITER,     /* 2.14.1: H.264/H.265 without a delimiter */
  TS_CHECK_AU_PARAMETERS,    /* a random access point without SPS, PPS (VPS) */
  TS_CHECK_N_RULES
} TsCheckRule;

typedef struct
{
  unsigned psi_interval_ms; /* PAT and PMT */
  unsigned sdt_interval_ms; /* 0: no SDT is expected */
  unsigned pcr_interval_ms;
  unsigned pts_interval_ms;
  uint64_t ignored_rules; /* bits 1 << TsCheckRule */
} TsCheckOptions;

/* Rules of the decoder model (T-STD, 2.4.2): the stream is read well, and a
 * decoder with the buffers and the clock of the model gets data too early or
 * too late. They are warnings, which are counted and reported beside errors. */
#define TS_CHECK_WARNINGS                                                      \
  (TS_CHECK_IGNORE (TS_CHECK_PCR_LATE) | TS_CHECK_IGNORE (TS_CHECK_DELAY))

/* The promises of gst-tsrec. */
#define TS_CHECK_STRICT                                                        \
  {                                                                            \
    500, 500, 40, 700, 0                                                       \
  }
#define TS_CHECK_IGNORE(rule) (UINT64_C (1) << (rule))

typedef enum
{
  TS_CHECK_KIND_UNKNOWN,
  TS_CHECK_KIND_VIDEO,
  TS_CHECK_KIND_AUDIO,
  TS_CHECK_KIND_DATA
} TsCheckKind;

/* One whole PES packet. Timestamps are in 90 kHz units, unwrapped along the
 * PCR (they may pass 2^33 and be negative), TS_CHECK_NONE when absent; @dts is
 * @pts when the packet has no DTS. @offset is the position of @data in the
 * elementary stream. */
typedef struct
{
  uint16_t pid;
  uint8_t stream_type;
  uint8_t stream_id;
  TsCheckKind kind;
  const uint8_t *data;
  size_t size;
  uint64_t offset;
  int64_t pts, dts;
  int64_t pcr;           /* the last PCR before it, 27 MHz */
  int64_t since_pts;     /* without PTS: PCR since one with it, 27 MHz */
  bool random_access;    /* random_access_indicator */
  bool discontinuity;    /* discontinuity_indicator */
  bool data_alignment;   /* data_alignment_indicator */
  uint64_t first_packet; /* of the stream, counted from 0 */
} TsCheckPes;

typedef struct
{
  uint16_t pid;
  uint8_t stream_type;
  TsCheckKind kind;
  uint64_t packets, pes_packets, payload_bytes, timestamps, random_access;
  int64_t first_pts, last_pts, first_dts, last_dts; /* or TS_CHECK_NONE */
  int64_t max_dts_gap;                              /* 90 kHz */
  char language[4];                                 /* "" when not given */
} TsCheckStream;

typedef struct
{
  uint64_t packets, null_packets, psi_packets, pcr_only_packets;
  uint64_t duplicates, discontinuities, stuffing_bytes, pcrs;
  uint64_t errors;   /* sum of @rule_errors without TS_CHECK_WARNINGS */
  uint64_t warnings; /* sum of @rule_errors of TS_CHECK_WARNINGS */
  uint64_t rule_errors[TS_CHECK_N_RULES];
  int64_t first_pcr, last_pcr, max_pcr_gap;  /* 27 MHz, unwrapped */
  int pat_version, pmt_version, sdt_version; /* -1: none seen */
  uint64_t pmt_changes;
  char service_name[64], service_provider[64];
} TsCheckStats;

typedef struct _TsCheck TsCheck;

typedef void (*TsCheckPesFunc) (void *user_data, const TsCheckPes *pes);
/* @pid: 0xffff where the finding has none. @text: what and where, one line. */
typedef void (*TsCheckErrorFunc) (void *user_data, TsCheckRule rule,
    uint64_t packet, uint16_t pid, const char *text);

/* @options: copied; NULL means TS_CHECK_STRICT. Callbacks may be NULL. The
 * caller owns the checker; NULL when memory ran out. */
TsCheck *ts_check_new (const TsCheckOptions *options, TsCheckPesFunc pes_func,
    TsCheckErrorFunc error_func, void *user_data);
void ts_check_free (TsCheck *check);

/* Any number of bytes, in any cut. */
void ts_check_push (TsCheck *check, const uint8_t *data, size_t size);
/* The stream is over: judges what was still open. Once, after the last push.
 * Returns the number of errors of the whole stream, warnings not among them. */
uint64_t ts_check_finish (TsCheck *check);

const TsCheckStats *ts_check_get_stats (const TsCheck *check);
/* The stream of number @index, in the order of their appearance in the PMT,
 * NULL past the last. */
const TsCheckStream *ts_check_get_stream (const TsCheck *check, unsigned index);
/* The first errors, one a line, "" without any. Owned by @check. */
const char *ts_check_get_report (const TsCheck *check);

const char *ts_check_rule_get_name (TsCheckRule rule);

/* Reads @path to its end. Returns the number of errors, or -1 with errno set
 * when it cannot be read. @report: NULL, or set to a malloced copy of the
 * report. */
int64_t ts_check_file (
    const char *path, const TsCheckOptions *options, char **report);

#ifdef __cplusplus
}
#endif
