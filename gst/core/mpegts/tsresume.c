/* gst-tsrec: the end of a recording that an earlier run left
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tsresume.h"

#include "tspsi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PACKET_SIZE 188
#define SYNC_BYTE 0x47
#define DEFAULT_WINDOW (UINT64_C (16) << 20)
/* 1024 packets at a time */
#define BLOCK (1024 * PACKET_SIZE)

#define PAT_PID 0x0000
#define SDT_PID 0x0011
#define NULL_PID 0x1fff
#define PAT_TABLE_ID 0x00
#define PMT_TABLE_ID 0x02
#define SDT_TABLE_ID 0x42

#define TS_BITS 33
#define TS_MASK ((UINT64_C (1) << TS_BITS) - 1)

void
ts_resume_scan_init (TsResumeScan *tail)
{
  memset (tail, 0, sizeof (*tail));
  tail->pat_version = tail->pmt_version = tail->sdt_version = -1;
  tail->pmt_pid = -1;
  memset (tail->continuity_counter, TS_RESUME_CC_NONE, TS_RESUME_N_PIDS);
}

/* --- time stamps */

/* The later of two, across the wrap of 33 bits. */
static void
note_ts (TsResumeScan *tail, uint64_t ts)
{
  if (tail->has_ts && ((ts - tail->last_ts) & TS_MASK) > TS_MASK / 2)
    return;
  tail->last_ts = ts;
  tail->has_ts = true;
}

/* 2.4.3.7: 33 bits in five bytes with marker bits */
static uint64_t
read_pts (const uint8_t *p)
{
  return ((uint64_t)(p[0] >> 1 & 7) << 30) | ((uint64_t)p[1] << 22) |
      ((uint64_t)(p[2] >> 1) << 15) | ((uint64_t)p[3] << 7) | (p[4] >> 1);
}

/* program_clock_reference_base, 2.4.3.5 */
static uint64_t
read_pcr (const uint8_t *p)
{
  return ((uint64_t)p[0] << 25) | ((uint64_t)p[1] << 17) |
      ((uint64_t)p[2] << 9) | ((uint64_t)p[3] << 1) | (p[4] >> 7);
}

static void
add_pes_start (TsResumeScan *tail, const uint8_t *p, size_t size)
{
  unsigned flags;

  if (size < 14 || p[0] != 0 || p[1] != 0 || p[2] != 1)
    return;
  /* stream_ids with a header of that form start with '10' */
  if ((p[6] & 0xc0) != 0x80)
    return;
  flags = p[7] >> 6;
  if (flags & 2)
    note_ts (tail, read_pts (p + 9));
  if (flags == 3 && size >= 19)
    note_ts (tail, read_pts (p + 14));
}

/* --- PSI; a table of ours fits in one packet */

static void
add_pat (TsResumeScan *tail, const uint8_t *section, size_t length)
{
  size_t pos;

  tail->pat_version = (section[5] >> 1) & 0x1f;
  for (pos = 8; pos + 4 + 4 <= length; pos += 4) {
    unsigned program_number = section[pos] << 8 | section[pos + 1];

    if (program_number == 0)
      continue;
    tail->pmt_pid = (section[pos + 2] & 0x1f) << 8 | section[pos + 3];
    return;
  }
}

static void
add_stream (TsResumeScan *tail, uint16_t pid, uint64_t identity)
{
  unsigned i = 0;

  while (i < tail->n_streams && tail->streams[i].pid != pid)
    i++;
  if (i == TS_RESUME_MAX_STREAMS)
    return;
  tail->streams[i].pid = pid;
  tail->streams[i].identity = identity;
  if (i == tail->n_streams)
    tail->n_streams++;
}

/* @length: of the section with its CRC, as far as it is in the packet */
static void
add_pmt (TsResumeScan *tail, const uint8_t *section, size_t length)
{
  size_t pos;

  tail->pmt_version = (section[5] >> 1) & 0x1f;
  if (length < 12)
    return;
  pos = 12 + ((section[10] & 0x0f) << 8 | section[11]);
  while (pos + 5 + 4 <= length) {
    size_t info = (size_t)((section[pos + 3] & 0x0f) << 8 | section[pos + 4]);
    uint16_t pid =
        (uint16_t)((section[pos + 1] & 0x1f) << 8 | section[pos + 2]);

    if (info > length - pos - 5)
      return;
    add_stream (
        tail, pid, ts_psi_get_identity (section[pos], section + pos + 5, info));
    pos += 5 + info;
  }
}

static void
add_section (TsResumeScan *tail, int pid, const uint8_t *p, size_t size)
{
  size_t pointer = p[0], length;
  const uint8_t *section = p + 1 + pointer;

  if (size < 1 + pointer + 8)
    return;
  size -= 1 + pointer;
  length = 3 + ((section[1] & 0x0f) << 8 | section[2]);
  if (pid == PAT_PID && section[0] == PAT_TABLE_ID)
    add_pat (tail, section, length < size ? length : size);
  else if (pid == SDT_PID && section[0] == SDT_TABLE_ID)
    tail->sdt_version = (section[5] >> 1) & 0x1f;
  else if (pid == tail->pmt_pid && section[0] == PMT_TABLE_ID)
    add_pmt (tail, section, length < size ? length : size);
}

/* --- packets */

static void
add_payload (TsResumeScan *tail, int pid, const uint8_t *p, size_t size)
{
  if (pid == PAT_PID || pid == SDT_PID || pid == tail->pmt_pid)
    add_section (tail, pid, p, size);
  else
    add_pes_start (tail, p, size);
}

void
ts_resume_scan_add_packet (TsResumeScan *tail, const uint8_t packet[188])
{
  int pid = (packet[1] & 0x1f) << 8 | packet[2];
  bool has_payload = packet[3] & 0x10, has_adaptation = packet[3] & 0x20;
  size_t offset = 4;

  if (packet[0] != SYNC_BYTE || pid == NULL_PID)
    return;
  tail->continuity_counter[pid] = packet[3] & 0x0f;
  if (has_adaptation) {
    offset += 1 + (size_t)packet[4];
    if (packet[4] >= 7 && (packet[5] & 0x10))
      note_ts (tail, read_pcr (packet + 6));
  }
  if (has_payload && (packet[1] & 0x40) && offset + 1 < PACKET_SIZE)
    add_payload (tail, pid, packet + offset, PACKET_SIZE - offset);
}

/* --- the file */

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

/* The first packets say whether this is a transport stream. */
static int
check_start (TsResumeScan *tail, int fd)
{
  uint8_t data[2 * PACKET_SIZE];
  size_t size = tail->size < sizeof (data) ? (size_t)tail->size : sizeof (data);
  int err;

  if (size < PACKET_SIZE)
    return 0;
  if ((err = read_all (fd, data, size, 0)))
    return err;
  tail->is_ts = data[0] == SYNC_BYTE &&
      (size <= PACKET_SIZE || size < 2 * PACKET_SIZE ||
          data[PACKET_SIZE] == SYNC_BYTE || tail->size < 3 * PACKET_SIZE);
  return 0;
}

/* A power cut may leave a length that was never filled: packets that do not
 * start with a sync_byte at the end are no packets. */
static int
find_whole (TsResumeScan *tail, int fd)
{
  uint8_t sync;
  int err;

  tail->whole = tail->size - tail->size % PACKET_SIZE;
  while (tail->whole > 0) {
    if ((err = read_all (fd, &sync, 1, tail->whole - PACKET_SIZE)))
      return err;
    if (sync == SYNC_BYTE)
      break;
    tail->whole -= PACKET_SIZE;
  }
  return 0;
}

static int
scan_packets (TsResumeScan *tail, int fd, uint64_t window)
{
  uint64_t packets = window / PACKET_SIZE, pos = 0;
  uint8_t *block = malloc (BLOCK);
  int err = block ? 0 : ENOMEM;

  if (tail->whole > packets * PACKET_SIZE)
    pos = tail->whole - packets * PACKET_SIZE;
  while (!err && pos < tail->whole) {
    size_t i,
        n = tail->whole - pos < BLOCK ? (size_t)(tail->whole - pos) : BLOCK;

    err = read_all (fd, block, n, pos);
    for (i = 0; !err && i < n; i += PACKET_SIZE)
      ts_resume_scan_add_packet (tail, block + i);
    pos += n;
  }
  free (block);
  return err;
}

static int
scan_fd (TsResumeScan *tail, int fd, uint64_t window)
{
  struct stat st;
  int err;

  if (fstat (fd, &st) < 0)
    return errno;
  tail->size = (uint64_t)st.st_size;
  tail->mtime_ns = (uint64_t)st.st_mtim.tv_sec * UINT64_C (1000000000) +
      (uint64_t)st.st_mtim.tv_nsec;
  if ((err = check_start (tail, fd)) || !tail->is_ts)
    return err;
  if ((err = find_whole (tail, fd)))
    return err;
  return scan_packets (tail, fd, window ? window : DEFAULT_WINDOW);
}

int
ts_resume_scan_file (TsResumeScan *tail, const char *path, uint64_t window)
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
    *tail = *found;
  free (found);
  close (fd);
  return err;
}
