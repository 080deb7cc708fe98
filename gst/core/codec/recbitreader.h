/* gst-tsrec: a bounds-checked bit reader
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A read past the end sets @error, and all later reads return 0. The caller
 * checks @error once, at the end.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * RecBitReader:
 * @data: the bytes, owned by the caller
 * @size: bytes of @data
 * @pos: position of the next bit
 * @emulation_prevention: emulation_prevention_three_byte is skipped
 * @error: a read went past the end
 */
typedef struct
{
  const uint8_t *data;
  size_t size;
  size_t pos;
  bool emulation_prevention;
  bool error;
} RecBitReader;

void rec_bit_reader_init (
    RecBitReader *reader, const uint8_t *data, size_t size);
/* Like rec_bit_reader_init(), for the payload of a NAL unit: skips
 * emulation_prevention_three_byte. */
void rec_bit_reader_init_nal (
    RecBitReader *reader, const uint8_t *data, size_t size);
/* Reads @n bits, 0 to 32. */
uint32_t rec_bit_reader_get (RecBitReader *reader, unsigned n);
void rec_bit_reader_skip (RecBitReader *reader, unsigned n);
/* Reads ue(v) of H.264 9.1. */
uint32_t rec_bit_reader_get_ue (RecBitReader *reader);
