/* gst-tsrec: a reader of bits that knows its bounds
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The first read past the end latches @error, and every read from then on
 * returns 0. The caller checks once, at the end.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * RecBitReader:
 * @data: where it reads, owned by the caller
 * @size: bytes of @data
 * @pos: next bit
 * @emulation_prevention: drop emulation_prevention_three_byte
 * @error: something was read that is not there
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
/* For the payload of a NAL unit: skips emulation_prevention_three_byte. */
void rec_bit_reader_init_nal (
    RecBitReader *reader, const uint8_t *data, size_t size);
/* @n: 0 to 32 */
uint32_t rec_bit_reader_get (RecBitReader *reader, unsigned n);
void rec_bit_reader_skip (RecBitReader *reader, unsigned n);
/* ue(v) of H.264 9.1 */
uint32_t rec_bit_reader_get_ue (RecBitReader *reader);
