/* gst-tsrec: program specific information: the sections PAT, PMT and SDT
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ISO/IEC 13818-1 2.4.4 and ETSI EN 300 468. Builders write a whole section,
 * CRC included, into a buffer of the caller and return its size, or 0 when it
 * does not fit (nothing useful is in the buffer then). Pure functions.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 2.4.4.4 and 2.4.4.9: section_length of PAT and PMT shall not exceed 1021. */
#define TS_SECTION_MAX_SIZE 1024
#define TS_SECTION_HEADER_SIZE 3
#define TS_CRC_SIZE 4
#define TS_VERSION_MASK 0x1f

/* Table 2-34, stream_type, and the values others have registered */
#define TS_STREAM_TYPE_MPEG1_VIDEO 0x01
#define TS_STREAM_TYPE_MPEG2_VIDEO 0x02
#define TS_STREAM_TYPE_MPEG1_AUDIO 0x03
#define TS_STREAM_TYPE_MPEG2_AUDIO 0x04
#define TS_STREAM_TYPE_PRIVATE_PES 0x06
#define TS_STREAM_TYPE_AAC_ADTS 0x0f
#define TS_STREAM_TYPE_AAC_LATM 0x11
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

/* The most descriptor bytes one elementary stream has here. */
#define TS_ES_INFO_MAX_SIZE 48

/**
 * TsPsiStream: one elementary stream of the PMT.
 * @stream_type: table 2-34
 * @elementary_pid: its PID
 * @es_info_length: bytes of @es_info
 * @es_info: its descriptors
 */
typedef struct
{
  uint8_t stream_type;
  uint16_t elementary_pid;
  uint16_t es_info_length;
  uint8_t es_info[TS_ES_INFO_MAX_SIZE];
} TsPsiStream;

/* CRC-32 of annex A over @size bytes: 0 over a section with its CRC. */
uint32_t ts_psi_crc32 (const uint8_t *data, size_t size);

/* 2.4.4.3: a PAT with one program. */
size_t ts_psi_build_pat (uint8_t *section, size_t size,
    uint16_t transport_stream_id, uint8_t version_number,
    uint16_t program_number, uint16_t program_map_pid);

/* 2.4.4.8: @program_info are descriptors, may be NULL when its length is 0. */
size_t ts_psi_build_pmt (uint8_t *section, size_t size, uint16_t program_number,
    uint8_t version_number, uint16_t pcr_pid, const uint8_t *program_info,
    size_t program_info_length, const TsPsiStream *streams, size_t n_streams);

/* EN 300 468 5.2.3: the service of one program. The names are UTF-8; at most
 * 80 bytes of each are used. */
size_t ts_psi_build_sdt (uint8_t *section, size_t size,
    uint16_t transport_stream_id, uint8_t version_number,
    uint16_t program_number, const char *provider, const char *name);

/* Appends a descriptor to @stream. False when it does not fit. */
bool ts_psi_add_descriptor (TsPsiStream *stream, uint8_t descriptor_tag,
    const uint8_t *data, size_t size);

/* What a reader takes for the codec of an elementary stream: a number that
 * differs for another stream_type, registration or Opus channel configuration,
 * and for other descriptors; not for another language. @es_info: descriptors,
 * may be cut short. */
uint64_t ts_psi_get_identity (
    uint8_t stream_type, const uint8_t *es_info, size_t es_info_length);
