/* gst-tsrec: conversion of NAL units with length prefixes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * MP4, Matroska and FLV store H.264 and H.265 by ISO/IEC 14496-15: NAL units
 * with length prefixes, and the parameter sets in a decoder configuration
 * record. A transport stream has start codes (annex B), and the parameter sets
 * in the stream.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recnalunit.h"

/**
 * RecNalFormat:
 * @syntax: syntax of the NAL units, H.264 or H.265
 * @length_size: bytes of a length prefix, 1 to 4; 0 for input with start codes
 * @sets: parameter sets of the record with start codes, allocated
 * @sets_size: bytes of @sets
 * @sets_pending: the next access unit gets @sets
 * @out: the last access unit, allocated
 * @out_alloc: room of @out
 *
 * All zero is a valid value: input with start codes. Not thread safe.
 */
typedef struct
{
  RecNalSyntax syntax;
  unsigned length_size;
  uint8_t *sets;
  size_t sets_size;
  bool sets_pending;
  uint8_t *out;
  size_t out_alloc;
} RecNalFormat;

/* Reads the decoder configuration record of H.264 (5.3.3.1) or H.265
 * (8.3.3.1). Returns false, with *@reason set to a static sentence and @format
 * all zero, if the record is damaged or @syntax is H.266. */
bool rec_nal_format_init (RecNalFormat *format, RecNalSyntax syntax,
    const uint8_t *record, size_t size, const char **reason);
void rec_nal_format_clear (RecNalFormat *format);

/* Converts an access unit. The first one after rec_nal_format_init() gets the
 * parameter sets, after an access unit delimiter. Returns false if the lengths
 * do not fill @data exactly, or if memory runs out. *@out is owned by @format and
 * valid until the next call. */
bool rec_nal_format_convert (RecNalFormat *format, const uint8_t *data,
    size_t size, const uint8_t **out, size_t *out_size);
