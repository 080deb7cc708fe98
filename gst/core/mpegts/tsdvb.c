/* gst-tsrec: DVB subtitles and teletext
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tsdvb.h"

#include <string.h>

/* EN 300 468 table 26: DVB subtitles with no monitor aspect ratio */
#define SUBTITLING_TYPE 0x10
/* EN 300 468 table 94 */
#define TELETEXT_TYPE_INITIAL_PAGE 1
#define TELETEXT_TYPE_SUBTITLE 2

static unsigned
add (TsSpan *spans, unsigned n, const uint8_t *data, size_t size)
{
  if (size == 0)
    return n;
  spans[n].data = data;
  spans[n].size = size;
  return n + 1;
}

static void
put_language (uint8_t *out, const char *language)
{
  memcpy (out, language[0] ? language : "und", 3);
}

/* --- Subtitles --- */

/* EN 300 743 7.1 and 7.2.1 */
#define DATA_IDENTIFIER_SUBTITLE 0x20
#define SUBTITLE_STREAM_ID 0x00
#define SEGMENT_SYNC 0x0f
#define SEGMENT_HEADER_SIZE 6
#define END_OF_PES_DATA_FIELD 0xff

void
ts_dvb_describe_subtitles (
    const TsDvbPages *pages, const char *language, TsPsiStream *psi)
{
  unsigned page = pages->known ? pages->page : 1;
  uint8_t descriptor[] = { 0, 0, 0, SUBTITLING_TYPE, (uint8_t)(page >> 8),
    (uint8_t)page, (uint8_t)(page >> 8), (uint8_t)page };

  put_language (descriptor, language);
  ts_psi_add_descriptor (
      psi, TS_DESCRIPTOR_SUBTITLING, descriptor, sizeof (descriptor));
}

unsigned
ts_dvb_wrap_subtitles (
    const uint8_t *data, size_t size, TsSpan *spans, TsDvbPages *pages)
{
  static const uint8_t head[] = { DATA_IDENTIFIER_SUBTITLE,
    SUBTITLE_STREAM_ID };
  static const uint8_t end[] = { END_OF_PES_DATA_FIELD };
  bool wrapped = size > 2 && data[0] == DATA_IDENTIFIER_SUBTITLE &&
      data[1] == SUBTITLE_STREAM_ID;
  size_t at = wrapped ? 2 : 0;
  unsigned n = 0;

  if (size < at + 1 ||
      (data[at] != SEGMENT_SYNC &&
          !(wrapped && data[at] == END_OF_PES_DATA_FIELD)))
    return 0;
  if (!pages->known && data[at] == SEGMENT_SYNC &&
      size >= at + SEGMENT_HEADER_SIZE) {
    pages->known = true;
    pages->page = (uint16_t)(data[at + 2] << 8 | data[at + 3]);
  }
  if (!wrapped)
    n = add (spans, n, head, sizeof (head));
  n = add (spans, n, data, size);
  while (at + SEGMENT_HEADER_SIZE <= size && data[at] == SEGMENT_SYNC)
    at += SEGMENT_HEADER_SIZE + (size_t)(data[at + 4] << 8 | data[at + 5]);
  if (at >= size || data[at] != END_OF_PES_DATA_FIELD)
    n = add (spans, n, end, sizeof (end));
  return n;
}

/* --- Teletext --- */

/* EN 300 472 4.3 and 4.4 */
#define DATA_IDENTIFIER_EBU 0x10
#define DATA_IDENTIFIER_EBU_LAST 0x1f
#define DATA_UNIT_TELETEXT 0x02
#define DATA_UNIT_SUBTITLE 0x03
#define DATA_UNIT_STUFFING 0xff
#define DATA_UNIT_LENGTH 0x2c
#define DATA_UNIT_SIZE (2 + DATA_UNIT_LENGTH)
/* Four data units fill a transport packet. The PES header with the
 * data_identifier is as long as one of them. */
#define UNITS_PER_PACKET 4

#define FF4 0xff, 0xff, 0xff, 0xff
#define FF44 FF4, FF4, FF4, FF4, FF4, FF4, FF4, FF4, FF4, FF4, FF4
#define STUFFING_UNIT DATA_UNIT_STUFFING, DATA_UNIT_LENGTH, FF44
static const uint8_t stuffing[(UNITS_PER_PACKET - 1) * DATA_UNIT_SIZE] = {
  STUFFING_UNIT, STUFFING_UNIT, STUFFING_UNIT
};

void
ts_dvb_describe_teletext (
    const TsDvbPages *pages, const char *language, TsPsiStream *psi)
{
  /* page 100, until a page was found */
  unsigned page = pages->known ? pages->page : 0x100;
  unsigned type = pages->known && pages->subtitle ? TELETEXT_TYPE_SUBTITLE
                                                  : TELETEXT_TYPE_INITIAL_PAGE;
  uint8_t descriptor[] = { 0, 0, 0, (uint8_t)(type << 3 | (page >> 8 & 7)),
    (uint8_t)page };

  put_language (descriptor, language);
  ts_psi_add_descriptor (
      psi, TS_DESCRIPTOR_TELETEXT, descriptor, sizeof (descriptor));
}

/* ETS 300 706 8.2: returns the four data bits of a Hamming 8/4 byte, -1 if it
 * is damaged. They are sent least significant bit first, and the bits of a
 * byte of EN 300 472 are in that order. */
static int
read_hamming (uint8_t byte)
{
  for (unsigned value = 0; value < 16; value++) {
    unsigned d1 = value & 1, d2 = value >> 1 & 1, d3 = value >> 2 & 1,
             d4 = value >> 3;
    unsigned p1 = 1 ^ d1 ^ d3 ^ d4, p2 = 1 ^ d1 ^ d2 ^ d4,
             p3 = 1 ^ d1 ^ d2 ^ d3, p4 = 1 ^ p1 ^ d1 ^ p2 ^ d2 ^ p3 ^ d3 ^ d4;

    if (byte ==
        (p1 << 7 | d1 << 6 | p2 << 5 | d2 << 4 | p3 << 3 | d3 << 2 | p4 << 1 |
            d4))
      return (int)value;
  }
  return -1;
}

/* ETS 300 706 9.3.1: finds the first page of subtitles whose header is in the
 * data units. */
static void
find_page (const uint8_t *unit, size_t size, TsDvbPages *pages)
{
  pages->known = true;
  pages->page = 0x100;
  for (; size >= DATA_UNIT_SIZE;
       unit += DATA_UNIT_SIZE, size -= DATA_UNIT_SIZE) {
    /* line, framing code, magazine and packet number (two bytes), then units
     * and tens of the page, and the subcode with the control bits */
    int magazine = read_hamming (unit[4]), row = read_hamming (unit[5]);
    int units = read_hamming (unit[6]), tens = read_hamming (unit[7]);
    int control = read_hamming (unit[11]);

    if ((unit[0] != DATA_UNIT_TELETEXT && unit[0] != DATA_UNIT_SUBTITLE) ||
        magazine < 0 || magazine > 7 || row != 0 || units < 0 || units > 9 ||
        tens < 0 || tens > 9 || control < 0)
      continue;
    if (unit[0] != DATA_UNIT_SUBTITLE && !(control & 8)) /* C6 */
      continue;
    pages->page = (uint16_t)(magazine << 8 | tens << 4 | units);
    pages->subtitle = true;
    return;
  }
}

unsigned
ts_dvb_wrap_teletext (
    const uint8_t *data, size_t size, TsSpan *spans, TsDvbPages *pages)
{
  static const uint8_t head[] = { DATA_IDENTIFIER_EBU };
  bool wrapped =
      data[0] >= DATA_IDENTIFIER_EBU && data[0] <= DATA_IDENTIFIER_EBU_LAST;
  size_t units = wrapped ? size - 1 : size, fill;
  unsigned n = 0;

  if (!wrapped && data[0] != DATA_UNIT_TELETEXT &&
      data[0] != DATA_UNIT_SUBTITLE && data[0] != DATA_UNIT_STUFFING)
    return 0;
  if (!pages->known)
    find_page (data + (wrapped ? 1 : 0), units, pages);
  if (!wrapped)
    n = add (spans, n, head, sizeof (head));
  n = add (spans, n, data, size);
  if (units % DATA_UNIT_SIZE != 0)
    return n;
  fill = UNITS_PER_PACKET - 1 - units / DATA_UNIT_SIZE % UNITS_PER_PACKET;
  return add (spans, n, stuffing, fill * DATA_UNIT_SIZE);
}
