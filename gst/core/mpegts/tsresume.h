/* gst-tsrec: the end of a recording that an earlier run left
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads the last part of a file and says where its last whole packet ends and
 * in which state the stream was there, so that a mux can go on. Nothing is
 * changed. Packets are 188 bytes from the start of the file on; field names
 * are those of ISO/IEC 13818-1.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TS_RESUME_N_PIDS 8192
#define TS_RESUME_CC_NONE 0xff
#define TS_RESUME_MAX_STREAMS 64

/* A PID that a PMT names, and what was on it last (ts_psi_get_identity()). */
typedef struct
{
  uint16_t pid;
  uint64_t identity;
} TsResumeStream;

typedef struct
{
  bool is_ts;        /* FALSE: some other format, or empty; nothing below */
  uint64_t size;     /* of the file */
  uint64_t whole;    /* where the last whole packet ends */
  uint64_t mtime_ns; /* last written, since 1970 */
  bool has_ts;       /* last_ts is known */
  uint64_t last_ts;  /* highest PCR, PTS or DTS, 90 kHz, 33 bit */
  int pat_version, pmt_version, sdt_version; /* -1: none seen */
  int pmt_pid;                               /* -1: none seen */
  unsigned n_streams;                        /* of @streams */
  TsResumeStream streams[TS_RESUME_MAX_STREAMS];
  uint8_t continuity_counter[TS_RESUME_N_PIDS];
} TsResumeScan;

/* Reads at most the last @window bytes of @path (0: a good default, 16 MiB).
 * 0 or errno; @tail is filled on success only. */
int ts_resume_scan_file (TsResumeScan *tail, const char *path, uint64_t window);

/* The packets of @data, in order; used by ts_resume_scan_file(), and by tests that
 * have no file. Start with ts_resume_scan_init(). */
void ts_resume_scan_init (TsResumeScan *tail);
void ts_resume_scan_add_packet (TsResumeScan *tail, const uint8_t packet[188]);
