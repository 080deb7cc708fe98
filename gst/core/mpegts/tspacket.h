/* gst-tsrec: the transport packet and the PES packet header on the wire
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Setters and getters for the fields of ISO/IEC 13818-1, under the names and in
 * the order of the standard. Each takes a pointer to the first byte of the
 * structure it is named after. Sizes are in bytes.
 *
 * Setters write only the bits of their own field and check nothing: the caller
 * has the room. Getters may be used with packets of any origin: they never read
 * beyond the packet, or beyond the size that is passed.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* 2.4.3.2, transport packet layer */
#define TS_PACKET_SIZE 188
#define TS_HEADER_SIZE 4
#define TS_PAYLOAD_SIZE (TS_PACKET_SIZE - TS_HEADER_SIZE)
#define TS_SYNC_BYTE 0x47
#define TS_PID_MASK 0x1fff
#define TS_CC_MASK 0x0f
#define TS_STUFFING_BYTE 0xff

/* 2.4.3.4, adaptation field: adaptation_field_length and the flags */
#define TS_AF_HEADER_SIZE 2
#define TS_PCR_SIZE 6

/* 2.4.3.6, PES packet */
#define TS_PES_START_CODE_SIZE 3 /* packet_start_code_prefix */
#define TS_PES_START_SIZE 6      /* up to PES_packet_length */
#define TS_PES_HEADER_SIZE 9     /* up to PES_header_data_length */
#define TS_PES_TIMESTAMP_SIZE 5
#define TS_PES_MAX_LENGTH 65535

/* Table 2-22, stream_id assignments */
#define TS_STREAM_ID_PRIVATE_1 0xbd
#define TS_STREAM_ID_AUDIO 0xc0 /* to 0xdf */
#define TS_STREAM_ID_VIDEO 0xe0 /* to 0xef */

/* Table 2-3, PID values, and ETSI EN 300 468 table 1 */
#define TS_PID_PAT 0x0000
#define TS_PID_SDT 0x0011
#define TS_PID_NULL 0x1fff
#define TS_PID_MIN_USER 0x0020
#define TS_PID_MAX_USER 0x1ffa
#define TS_N_PIDS 8192

/* Stands for the continuity_counter of a PID without any packet. */
#define TS_CC_NONE 0xff

/* 33-bit time stamps of 90 kHz, PCR of 27 MHz (2.4.2.1) */
#define TS_TIMESTAMP_MASK ((UINT64_C (1) << 33) - 1)
#define TS_PCR_PER_TIMESTAMP 300
#define TS_TIMESTAMPS_PER_S 90000

/* --- Setters --- */

/* --- Setters --- */

/* 2.4.3.2: starts a packet that has a payload and no adaptation field. */
static inline void
ts_set_header (uint8_t *ts, uint16_t pid, uint8_t continuity_counter)
{
  ts[0] = TS_SYNC_BYTE;
  ts[1] = (uint8_t)(pid >> 8 & 0x1f);
  ts[2] = (uint8_t)(pid & 0xff);
  ts[3] = (uint8_t)(0x10 | (continuity_counter & TS_CC_MASK));
}

static inline void
ts_set_payload_unit_start_indicator (uint8_t *ts)
{
  ts[1] |= 0x40;
}

/* 2.4.3.3, adaptation_field_control: '11', '10' */
static inline void
ts_set_adaptation_field (uint8_t *ts, bool payload)
{
  ts[3] = (uint8_t)((ts[3] & 0x0f) | (payload ? 0x30 : 0x20));
}

/* 2.4.3.4: @length counts the bytes after adaptation_field_length. */
static inline void
ts_set_adaptation_field_length (uint8_t *ts, uint8_t length)
{
  ts[4] = length;
  if (length > 0)
    ts[5] = 0;
}

static inline void
ts_set_discontinuity_indicator (uint8_t *ts)
{
  ts[5] |= 0x80;
}

static inline void
ts_set_random_access_indicator (uint8_t *ts)
{
  ts[5] |= 0x40;
}

/* 2.4.3.5: @pcr in units of 27 MHz, 33 bit base and extension. */
static inline void
ts_set_pcr (uint8_t *ts, uint64_t pcr)
{
  uint64_t base = pcr / TS_PCR_PER_TIMESTAMP & TS_TIMESTAMP_MASK;
  unsigned extension = (unsigned)(pcr % TS_PCR_PER_TIMESTAMP);

  ts[5] |= 0x10;
  ts[6] = (uint8_t)(base >> 25);
  ts[7] = (uint8_t)(base >> 17);
  ts[8] = (uint8_t)(base >> 9);
  ts[9] = (uint8_t)(base >> 1);
  ts[10] = (uint8_t)((base & 1) << 7 | 0x7e | extension >> 8);
  ts[11] = (uint8_t)extension;
}

/* 2.4.3.6: packet_start_code_prefix and stream_id. */
static inline void
ts_pes_set_start (uint8_t *pes, uint8_t stream_id)
{
  pes[0] = 0x00;
  pes[1] = 0x00;
  pes[2] = 0x01;
  pes[3] = stream_id;
}

/* 2.4.3.7: 0 is allowed for video only: unbounded. */
static inline void
ts_pes_set_length (uint8_t *pes, uint16_t pes_packet_length)
{
  pes[4] = (uint8_t)(pes_packet_length >> 8);
  pes[5] = (uint8_t)pes_packet_length;
}

/* 2.4.3.7: the marker bits '10', and PES_header_data_length. */
static inline void
ts_pes_set_header (
    uint8_t *pes, bool data_alignment_indicator, uint8_t header_data_length)
{
  pes[6] = (uint8_t)(0x80 | (data_alignment_indicator ? 0x04 : 0));
  pes[7] = 0;
  pes[8] = header_data_length;
}

/* 2.4.3.7: the five bytes of a PTS or DTS after the four bits @prefix. */
static inline void
ts_pes_write_timestamp (uint8_t *p, uint8_t prefix, uint64_t ts)
{
  p[0] = (uint8_t)(prefix << 4 | (ts >> 29 & 0x0e) | 1);
  p[1] = (uint8_t)(ts >> 22);
  p[2] = (uint8_t)((ts >> 14 & 0xfe) | 1);
  p[3] = (uint8_t)(ts >> 7);
  p[4] = (uint8_t)((ts << 1 & 0xfe) | 1);
}

/* PTS_DTS_flags '10' */
static inline void
ts_pes_set_pts (uint8_t *pes, uint64_t pts)
{
  pes[7] |= 0x80;
  ts_pes_write_timestamp (pes + 9, 2, pts);
}

/* PTS_DTS_flags '11' */
static inline void
ts_pes_set_pts_dts (uint8_t *pes, uint64_t pts, uint64_t dts)
{
  pes[7] |= 0xc0;
  ts_pes_write_timestamp (pes + 9, 3, pts);
  ts_pes_write_timestamp (pes + 14, 1, dts);
}

/* --- Getters: the transport packet --- */

static inline bool
ts_has_sync_byte (const uint8_t *ts)
{
  return ts[0] == TS_SYNC_BYTE;
}

static inline bool
ts_get_payload_unit_start_indicator (const uint8_t *ts)
{
  return ts[1] & 0x40;
}

static inline uint16_t
ts_get_pid (const uint8_t *ts)
{
  return (uint16_t)((ts[1] << 8 | ts[2]) & TS_PID_MASK);
}

static inline uint8_t
ts_get_cc (const uint8_t *ts)
{
  return ts[3] & TS_CC_MASK;
}

static inline bool
ts_has_adaptation_field (const uint8_t *ts)
{
  return ts[3] & 0x20;
}

static inline bool
ts_has_payload (const uint8_t *ts)
{
  return ts[3] & 0x10;
}

/* Returns the payload and stores its size in @size. Returns NULL, and 0 in
 * @size, if the packet has no payload or its adaptation field leaves no room
 * for one. */
static inline const uint8_t *
ts_get_payload (const uint8_t *ts, size_t *size)
{
  size_t offset = TS_HEADER_SIZE;

  if (ts_has_adaptation_field (ts))
    offset += 1 + (size_t)ts[4];
  if (!ts_has_payload (ts) || offset >= TS_PACKET_SIZE) {
    *size = 0;
    return NULL;
  }
  *size = TS_PACKET_SIZE - offset;
  return ts + offset;
}

/* 2.4.3.4: true if the adaptation field has its byte of flags. */
static inline bool
ts_has_adaptation_field_flags (const uint8_t *ts)
{
  return ts_has_adaptation_field (ts) && ts[4] > 0;
}

static inline bool
ts_get_discontinuity_indicator (const uint8_t *ts)
{
  return ts_has_adaptation_field_flags (ts) && (ts[5] & 0x80);
}

static inline bool
ts_get_random_access_indicator (const uint8_t *ts)
{
  return ts_has_adaptation_field_flags (ts) && (ts[5] & 0x40);
}

/* 2.4.3.5: stores the PCR in units of 27 MHz in @pcr. Returns false, with @pcr
 * unchanged, if the packet has none. */
static inline bool
ts_get_pcr (const uint8_t *ts, uint64_t *pcr)
{
  if (!ts_has_adaptation_field (ts) || ts[4] < 1 + TS_PCR_SIZE ||
      !(ts[5] & 0x10))
    return false;
  *pcr = ((uint64_t)ts[6] << 25 | (uint64_t)ts[7] << 17 | (uint64_t)ts[8] << 9 |
             (uint64_t)ts[9] << 1 | ts[10] >> 7) *
          TS_PCR_PER_TIMESTAMP +
      (uint64_t)((ts[10] & 1) << 8 | ts[11]);
  return true;
}

/* --- Getters: the PES packet; @size is the part that is available --- */

static inline bool
ts_pes_has_start (const uint8_t *pes, size_t size)
{
  return size >= TS_PES_START_CODE_SIZE && pes[0] == 0 && pes[1] == 0 &&
      pes[2] == 1;
}

/* 2.4.3.7: the five bytes of a PTS or DTS. */
static inline uint64_t
ts_pes_read_timestamp (const uint8_t *p)
{
  return (uint64_t)(p[0] >> 1 & 7) << 30 | (uint64_t)p[1] << 22 |
      (uint64_t)(p[2] >> 1) << 15 | (uint64_t)p[3] << 7 | p[4] >> 1;
}

/* 2.4.3.7: true for a PES packet whose stream_id has the header with flags,
 * which begins with the bits '10', if that header is available. */
static inline bool
ts_pes_has_header (const uint8_t *pes, size_t size)
{
  return size >= TS_PES_HEADER_SIZE && ts_pes_has_start (pes, size) &&
      (pes[6] & 0xc0) == 0x80;
}

/* Stores the PTS, 90 kHz, 33 bit. Returns false, with @pts unchanged, if the
 * header has none or is incomplete. */
static inline bool
ts_pes_get_pts (const uint8_t *pes, size_t size, uint64_t *pts)
{
  if (!ts_pes_has_header (pes, size) || !(pes[7] & 0x80) ||
      size < TS_PES_HEADER_SIZE + TS_PES_TIMESTAMP_SIZE)
    return false;
  *pts = ts_pes_read_timestamp (pes + TS_PES_HEADER_SIZE);
  return true;
}

/* Stores the DTS, 90 kHz, 33 bit. Returns false, with @dts unchanged, if the
 * header has none or is incomplete. */
static inline bool
ts_pes_get_dts (const uint8_t *pes, size_t size, uint64_t *dts)
{
  if (!ts_pes_has_header (pes, size) || (pes[7] & 0xc0) != 0xc0 ||
      size < TS_PES_HEADER_SIZE + 2 * TS_PES_TIMESTAMP_SIZE)
    return false;
  *dts =
      ts_pes_read_timestamp (pes + TS_PES_HEADER_SIZE + TS_PES_TIMESTAMP_SIZE);
  return true;
}

/* Returns true if one of the whole packets in @data starts a PES packet. Packets
 * with PSI, PCR or stuffing alone start none. A packet without sync_byte counts
 * as the start of a PES packet, because its contents are unknown. */
static inline bool
ts_packets_have_pes_start (const uint8_t *data, size_t size)
{
  for (size_t pos = 0; pos + TS_PACKET_SIZE <= size; pos += TS_PACKET_SIZE) {
    const uint8_t *ts = data + pos, *payload;
    size_t payload_size;

    if (!ts_has_sync_byte (ts))
      return true;
    if (!ts_get_payload_unit_start_indicator (ts))
      continue;
    payload = ts_get_payload (ts, &payload_size);
    if (ts_pes_has_start (payload, payload_size))
      return true;
  }
  return false;
}
