/* gst-tsrec: a bounds-checked bit reader
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recbitreader.h"

void
rec_bit_reader_init (RecBitReader *reader, const uint8_t *data, size_t size)
{
  reader->data = data;
  reader->size = size;
  reader->pos = 0;
  reader->emulation_prevention = false;
  reader->error = false;
}

void
rec_bit_reader_init_nal (RecBitReader *reader, const uint8_t *data, size_t size)
{
  rec_bit_reader_init (reader, data, size);
  reader->emulation_prevention = true;
}

static unsigned
get_bit (RecBitReader *reader)
{
  size_t byte = reader->pos >> 3;
  unsigned shift;

  /* 00 00 03: the 03 is emulation_prevention_three_byte (7.3.1) */
  if (reader->emulation_prevention && (reader->pos & 7) == 0 && byte >= 2 &&
      byte < reader->size && reader->data[byte] == 3 &&
      reader->data[byte - 1] == 0 && reader->data[byte - 2] == 0) {
    reader->pos += 8;
    byte++;
  }
  if (reader->error || byte >= reader->size) {
    reader->error = true;
    return 0;
  }
  shift = 7 - (unsigned)(reader->pos & 7);
  reader->pos++;
  return reader->data[byte] >> shift & 1;
}

uint32_t
rec_bit_reader_get (RecBitReader *reader, unsigned n)
{
  uint32_t value = 0;

  while (n-- > 0)
    value = value << 1 | get_bit (reader);
  return reader->error ? 0 : value;
}

void
rec_bit_reader_skip (RecBitReader *reader, unsigned n)
{
  while (n-- > 0 && !reader->error)
    get_bit (reader);
}

uint32_t
rec_bit_reader_get_ue (RecBitReader *reader)
{
  unsigned zeros = 0;

  while (get_bit (reader) == 0 && !reader->error && zeros < 32)
    zeros++;
  if (zeros >= 32)
    reader->error = true;
  if (reader->error)
    return 0;
  return ((UINT32_C (1) << zeros) - 1) + rec_bit_reader_get (reader, zeros);
}
