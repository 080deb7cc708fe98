/* gst-tsrec: program specific information: the sections PAT, PMT and SDT
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ISO/IEC 13818-1 2.4.4 and ETSI EN 300 468. Builders write a whole section,
 * CRC included, into a buffer of the caller. They return its size, or 0 if it
 * does not fit; the contents of the buffer are then undefined. Readers point
 * into the section that they read and never read beyond its size. All functions
 * are pure.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 2.4.4.4 and 2.4.4.9: section_length of PAT and PMT shall not exceed 1021. */
#define TS_SECTION_MAX_SIZE 1024
#define TS_SECTION_HEADER_SIZE 3
#define TS_CRC_SIZE 4
/* 2.4.4.11: the fields up to last_section_number, common to the tables here */
#define TS_SECTION_MIN_SIZE 8
#define TS_VERSION_MASK 0x1f

/* Table 2-31, table_id, and EN 300 468 table 2 */
#define TS_TABLE_ID_PAT 0x00
#define TS_TABLE_ID_PMT 0x02
#define TS_TABLE_ID_SDT_ACTUAL 0x42

/* Table 2-34, stream_type, and the values others have registered */
#define TS_STREAM_TYPE_MPEG1_VIDEO 0x01
#define TS_STREAM_TYPE_MPEG2_VIDEO 0x02
#define TS_STREAM_TYPE_MPEG1_AUDIO 0x03
#define TS_STREAM_TYPE_MPEG2_AUDIO 0x04
#define TS_STREAM_TYPE_PRIVATE_PES 0x06
#define TS_STREAM_TYPE_AAC_ADTS 0x0f
#define TS_STREAM_TYPE_METADATA_PES 0x15
#define TS_STREAM_TYPE_H264 0x1b
#define TS_STREAM_TYPE_H265 0x24
#define TS_STREAM_TYPE_H266 0x33
#define TS_STREAM_TYPE_AC3 0x81  /* ATSC A/52 annex A */
#define TS_STREAM_TYPE_EAC3 0x87 /* ATSC A/52 annex G */

/* Descriptor tags: table 2-45, and the service_descriptor of EN 300 468 */
#define TS_DESCRIPTOR_REGISTRATION 0x05
#define TS_DESCRIPTOR_ISO_639_LANGUAGE 0x0a
#define TS_DESCRIPTOR_METADATA_POINTER 0x25
#define TS_DESCRIPTOR_METADATA 0x26
#define TS_DESCRIPTOR_SERVICE 0x48
#define TS_DESCRIPTOR_TELETEXT 0x56   /* EN 300 468 6.2.43 */
#define TS_DESCRIPTOR_SUBTITLING 0x59 /* EN 300 468 6.2.41 */
#define TS_DESCRIPTOR_EXTENSION 0x7f  /* EN 300 468 6.2.16 */

/* Limit of the descriptors of one elementary stream. */
#define TS_ES_INFO_MAX_SIZE 48

/**
 * TsPsiStream: one elementary stream of a PMT that is built.
 * @stream_type: stream_type, table 2-34
 * @elementary_pid: PID of the elementary stream
 * @es_info_length: bytes of @es_info
 * @es_info: descriptors of the elementary stream
 */
typedef struct
{
  uint8_t stream_type;
  uint16_t elementary_pid;
  uint16_t es_info_length;
  uint8_t es_info[TS_ES_INFO_MAX_SIZE];
} TsPsiStream;

/* Returns the CRC-32 of annex A over @size bytes. It is 0 over a section with
 * its CRC. */
uint32_t ts_psi_crc32 (const uint8_t *data, size_t size);

/* 2.4.4.3: builds a PAT with one program. */
size_t ts_psi_build_pat (uint8_t *section, size_t size,
    uint16_t transport_stream_id, uint8_t version_number,
    uint16_t program_number, uint16_t program_map_pid);

/* 2.4.4.8: builds a PMT. @program_info: descriptors of the program, NULL is
 * allowed if the length is 0. */
size_t ts_psi_build_pmt (uint8_t *section, size_t size, uint16_t program_number,
    uint8_t version_number, uint16_t pcr_pid, const uint8_t *program_info,
    size_t program_info_length, const TsPsiStream *streams, size_t n_streams);

/* EN 300 468 5.2.3: builds an SDT with the service of one program. The names
 * are UTF-8; at most 80 bytes of each are used. */
size_t ts_psi_build_sdt (uint8_t *section, size_t size,
    uint16_t transport_stream_id, uint8_t version_number,
    uint16_t program_number, const char *provider, const char *name);

/* Appends a descriptor to @stream. Returns false if it does not fit. */
bool ts_psi_add_descriptor (TsPsiStream *stream, uint8_t descriptor_tag,
    const uint8_t *data, size_t size);

/* --- Readers --- */

/* 2.4.4.1: returns the section that starts in the packet @ts. @size: bytes of
 * the section in this packet, at least TS_SECTION_MIN_SIZE. Returns NULL if no
 * section starts there, or if less of it is in the packet. The CRC is not
 * checked. */
const uint8_t *ts_psi_find_section (const uint8_t *ts, size_t *size);

/* Returns the size of a section by its section_length, which may exceed the
 * available bytes. */
size_t ts_psi_get_section_size (const uint8_t *section);
uint8_t ts_psi_get_table_id (const uint8_t *section);
/* Returns transport_stream_id of a PAT, or program_number of a PMT. */
uint16_t ts_psi_get_table_id_extension (const uint8_t *section);
uint8_t ts_psi_get_version_number (const uint8_t *section);
bool ts_psi_get_current_next_indicator (const uint8_t *section);

/* 2.4.4.3: one program of a PAT. */
typedef struct
{
  uint16_t program_number; /* 0: @pid is the network_PID */
  uint16_t pid;            /* program_map_PID */
} TsPatProgram;

/* Stores the next program of the PAT @section. @pos is 0 for the first call
 * and is advanced. @size: available bytes of the section, with its CRC.
 * Returns false after the last program. */
bool ts_psi_next_program (
    const uint8_t *section, size_t size, size_t *pos, TsPatProgram *program);

/* 2.4.4.8: one elementary stream of a PMT that is read. */
typedef struct
{
  uint8_t stream_type;     /* table 2-34 */
  uint16_t elementary_pid; /* its PID */
  const uint8_t *es_info;  /* its descriptors, in the section */
  size_t es_info_length;   /* bytes of @es_info */
} TsPmtStream;

/* Returns true for a PMT of @size bytes that includes all descriptors of the
 * program. ts_psi_get_pcr_pid() and ts_psi_get_program_info() require such a
 * PMT. */
bool ts_psi_is_pmt (const uint8_t *section, size_t size);
uint16_t ts_psi_get_pcr_pid (const uint8_t *section);
/* Returns the descriptors of the program and stores their length. */
const uint8_t *ts_psi_get_program_info (const uint8_t *section, size_t *length);

/* Like ts_psi_next_program(), for the elementary streams of a PMT. Returns
 * false after the last stream and at one that is not within @size. */
bool ts_psi_next_stream (
    const uint8_t *section, size_t size, size_t *pos, TsPmtStream *stream);

/* 2.6: one descriptor. */
typedef struct
{
  uint8_t tag;
  const uint8_t *data;
  size_t size; /* bytes of @data */
} TsDescriptor;

/* Like ts_psi_next_program(), for the @length bytes of descriptors in @info. */
bool ts_psi_next_descriptor (
    const uint8_t *info, size_t length, size_t *pos, TsDescriptor *descriptor);

/* Returns a number that identifies the codec of an elementary stream. It differs
 * for another stream_type, registration or Opus channel configuration, and for
 * other descriptors, but not for another language. @es_info: descriptors, may
 * be truncated. */
uint64_t ts_psi_get_identity (
    uint8_t stream_type, const uint8_t *es_info, size_t es_info_length);
