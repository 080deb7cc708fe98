/* gst-tsrec: the end of a recording of an earlier run
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads the last part of a file. Finds the end of its last whole packet and
 * the state of the stream there, so that a mux can continue it. The file is
 * not changed. Field names are those of ISO/IEC 13818-1.
 */

#pragma once

#include "tspacket.h"

#include <stdbool.h>
#include <stdint.h>

#define TS_RESUME_MAX_STREAMS 64

/* A PID in a PMT, and the identity of the last stream on it, see
 * ts_psi_get_identity(). */
typedef struct
{
  uint16_t pid;
  uint64_t identity;
} TsResumeStream;

typedef struct
{
  bool is_ts;     /* false: another format, or empty; no other field is set */
  uint64_t size;  /* bytes of the file */
  uint64_t whole; /* end of the last whole packet */
  uint64_t mtime_ns; /* time of the last write, since 1970 */
  bool has_ts;       /* last_ts is known */
  uint64_t last_ts;  /* highest PCR, PTS or DTS, 90 kHz, 33 bit */
  int pat_version, pmt_version, sdt_version; /* -1: not found */
  int pmt_pid;                               /* -1: not found */
  unsigned n_streams;                        /* of @streams */
  TsResumeStream streams[TS_RESUME_MAX_STREAMS];
  uint8_t continuity_counter[TS_N_PIDS];
} TsResumeScan;

/* Reads at most the last @window bytes of @path (0: default, 16 MiB). Returns
 * 0 or errno; @scan is filled on success only. */
int ts_resume_scan_file (TsResumeScan *scan, const char *path, uint64_t window);

/* For ts_resume_scan_file(), and for tests without a file: scans packets in
 * order after ts_resume_scan_init(). */
void ts_resume_scan_init (TsResumeScan *scan);
void ts_resume_scan_add_packet (
    TsResumeScan *scan, const uint8_t packet[TS_PACKET_SIZE]);
