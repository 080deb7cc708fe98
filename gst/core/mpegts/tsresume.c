/* gst-tsrec: the end of a recording of an earlier run
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tsresume.h"

#include "rectime.h"
#include "tspsi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_WINDOW (UINT64_C (16) << 20)
/* Bytes read at a time */
#define BLOCK (1024 * TS_PACKET_SIZE)

void
ts_resume_scan_init (TsResumeScan *scan)
{
  memset (scan, 0, sizeof (*scan));
  scan->pat_version = scan->pmt_version = scan->sdt_version = -1;
  scan->pmt_pid = -1;
  memset (scan->continuity_counter, TS_CC_NONE, TS_N_PIDS);
}

/* --- Time stamps --- */

/* Keeps the later of two timestamps, across the wrap of 33 bits. */
static void
note_ts (TsResumeScan *scan, uint64_t ts)
{
  if (scan->has_ts &&
      ((ts - scan->last_ts) & TS_TIMESTAMP_MASK) > TS_TIMESTAMP_MASK / 2)
    return;
  scan->last_ts = ts;
  scan->has_ts = true;
}

static void
add_pes_start (TsResumeScan *scan, const uint8_t *pes, size_t size)
{
  uint64_t ts;

  if (ts_pes_get_pts (pes, size, &ts))
    note_ts (scan, ts);
  if (ts_pes_get_dts (pes, size, &ts))
    note_ts (scan, ts);
}

/* --- PSI; a table of tsrecmux fits in one packet --- */

static void
add_pat (TsResumeScan *scan, const uint8_t *section, size_t size)
{
  TsPatProgram program;
  size_t pos = 0;

  scan->pat_version = ts_psi_get_version_number (section);
  while (ts_psi_next_program (section, size, &pos, &program)) {
    if (program.program_number == 0)
      continue;
    scan->pmt_pid = program.pid;
    return;
  }
}

static void
add_stream (TsResumeScan *scan, uint16_t pid, uint64_t identity)
{
  unsigned i = 0;

  while (i < scan->n_streams && scan->streams[i].pid != pid)
    i++;
  if (i == TS_RESUME_MAX_STREAMS)
    return;
  scan->streams[i].pid = pid;
  scan->streams[i].identity = identity;
  if (i == scan->n_streams)
    scan->n_streams++;
}

/* @size: bytes of the section in the packet */
static void
add_pmt (TsResumeScan *scan, const uint8_t *section, size_t size)
{
  TsPmtStream stream;
  size_t pos = 0;

  scan->pmt_version = ts_psi_get_version_number (section);
  while (ts_psi_next_stream (section, size, &pos, &stream))
    add_stream (scan, stream.elementary_pid,
        ts_psi_get_identity (
            stream.stream_type, stream.es_info, stream.es_info_length));
}

static void
add_section (TsResumeScan *scan, int pid, const uint8_t *ts)
{
  size_t size;
  const uint8_t *section = ts_psi_find_section (ts, &size);
  uint8_t table_id;

  if (section == NULL)
    return;
  table_id = ts_psi_get_table_id (section);
  if (pid == TS_PID_PAT && table_id == TS_TABLE_ID_PAT)
    add_pat (scan, section, size);
  else if (pid == TS_PID_SDT && table_id == TS_TABLE_ID_SDT_ACTUAL)
    scan->sdt_version = ts_psi_get_version_number (section);
  else if (pid == scan->pmt_pid && table_id == TS_TABLE_ID_PMT)
    add_pmt (scan, section, size);
}

/* --- Packets --- */

void
ts_resume_scan_add_packet (
    TsResumeScan *scan, const uint8_t packet[TS_PACKET_SIZE])
{
  int pid = ts_get_pid (packet);
  const uint8_t *payload;
  uint64_t pcr;
  size_t size;

  if (!ts_has_sync_byte (packet) || pid == TS_PID_NULL)
    return;
  scan->continuity_counter[pid] = ts_get_cc (packet);
  if (ts_get_pcr (packet, &pcr))
    note_ts (scan, pcr / TS_PCR_PER_TIMESTAMP);
  payload = ts_get_payload (packet, &size);
  if (payload == NULL || !ts_get_payload_unit_start_indicator (packet))
    return;
  if (pid == TS_PID_PAT || pid == TS_PID_SDT || pid == scan->pmt_pid)
    add_section (scan, pid, packet);
  else
    add_pes_start (scan, payload, size);
}

/* --- The file --- */

static int
read_all (int fd, uint8_t *data, size_t size, uint64_t offset)
{
  size_t done = 0;
  ssize_t r;

  while (done < size) {
    r = pread (fd, data + done, size - done, (off_t)(offset + done));
    if (r < 0 && errno == EINTR)
      continue;
    if (r <= 0)
      return r < 0 ? errno : EIO;
    done += (size_t)r;
  }
  return 0;
}

/* The first packets tell whether the file is a transport stream. */
static int
check_start (TsResumeScan *scan, int fd)
{
  uint8_t data[2 * TS_PACKET_SIZE];
  size_t size = scan->size < sizeof (data) ? (size_t)scan->size : sizeof (data);
  int err;

  if (size < TS_PACKET_SIZE)
    return 0;
  if ((err = read_all (fd, data, size, 0)))
    return err;
  scan->is_ts = ts_has_sync_byte (data) &&
      (size <= TS_PACKET_SIZE || size < 2 * TS_PACKET_SIZE ||
          ts_has_sync_byte (data + TS_PACKET_SIZE) ||
          scan->size < 3 * TS_PACKET_SIZE);
  return 0;
}

/* Finds the end of the last whole packet. After a power cut, the file may be
 * longer than its contents: packets without sync_byte at the end are ignored.
 */
static int
find_whole (TsResumeScan *scan, int fd)
{
  uint8_t sync;
  int err;

  scan->whole = scan->size - scan->size % TS_PACKET_SIZE;
  while (scan->whole > 0) {
    if ((err = read_all (fd, &sync, 1, scan->whole - TS_PACKET_SIZE)))
      return err;
    if (ts_has_sync_byte (&sync))
      break;
    scan->whole -= TS_PACKET_SIZE;
  }
  return 0;
}

static int
scan_packets (TsResumeScan *scan, int fd, uint64_t window)
{
  uint64_t packets = window / TS_PACKET_SIZE, pos = 0;
  uint8_t *block = malloc (BLOCK);
  int err = block ? 0 : ENOMEM;

  if (scan->whole > packets * TS_PACKET_SIZE)
    pos = scan->whole - packets * TS_PACKET_SIZE;
  while (!err && pos < scan->whole) {
    size_t i,
        n = scan->whole - pos < BLOCK ? (size_t)(scan->whole - pos) : BLOCK;

    err = read_all (fd, block, n, pos);
    for (i = 0; !err && i < n; i += TS_PACKET_SIZE)
      ts_resume_scan_add_packet (scan, block + i);
    pos += n;
  }
  free (block);
  return err;
}

static int
scan_fd (TsResumeScan *scan, int fd, uint64_t window)
{
  struct stat st;
  int err;

  if (fstat (fd, &st) < 0)
    return errno;
  scan->size = (uint64_t)st.st_size;
  scan->mtime_ns =
      (uint64_t)st.st_mtim.tv_sec * REC_NS_PER_S + (uint64_t)st.st_mtim.tv_nsec;
  if ((err = check_start (scan, fd)) || !scan->is_ts)
    return err;
  if ((err = find_whole (scan, fd)))
    return err;
  return scan_packets (scan, fd, window ? window : DEFAULT_WINDOW);
}

int
ts_resume_scan_file (TsResumeScan *scan, const char *path, uint64_t window)
{
  TsResumeScan *found;
  int fd, err;

  fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return errno;
  found = malloc (sizeof (*found));
  if (!found) {
    close (fd);
    return ENOMEM;
  }
  ts_resume_scan_init (found);
  err = scan_fd (found, fd, window);
  if (!err)
    *scan = *found;
  free (found);
  close (fd);
  return err;
}
