/* gst-tsrec: DVB subtitles and teletext
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ETSI EN 300 743, EN 300 472 and EN 300 468. Pure functions; every read stays
 * within the given size.
 */

#pragma once

#include "tsopus.h"

/* EN 300 472 4.2: PES_header_data_length of teletext */
#define TS_TELETEXT_HEADER_DATA_LENGTH 0x24

#define TS_DVB_MAX_SPANS 3

/**
 * TsDvbPages: contents of the descriptor of a track.
 * @known: @page was read from the track
 * @page: composition page of subtitles; teletext: magazine (0 to 7) and page
 *   in BCD
 * @subtitle: teletext: the page is a page of subtitles
 */
typedef struct
{
  bool known;
  uint16_t page;
  bool subtitle;
} TsDvbPages;

/* EN 300 468 6.2.41, subtitling_descriptor; @language: three letters, or
 * empty. */
void ts_dvb_describe_subtitles (
    const TsDvbPages *pages, const char *language, TsPsiStream *psi);
/* EN 300 468 6.2.43, teletext_descriptor. */
void ts_dvb_describe_teletext (
    const TsDvbPages *pages, const char *language, TsPsiStream *psi);

/* Makes the PES data field of the segments in @data, which may already have
 * its prefix and its end (EN 300 743 7.1). Fills @spans, which has room for
 * TS_DVB_MAX_SPANS, and returns their number, 0 if @data has no segments. */
unsigned ts_dvb_wrap_subtitles (
    const uint8_t *data, size_t size, TsSpan *spans, TsDvbPages *pages);

/* Makes the PES data field of the data units in @data, with stuffing up to
 * whole transport packets (EN 300 472 4.2). Returns like
 * ts_dvb_wrap_subtitles(). */
unsigned ts_dvb_wrap_teletext (
    const uint8_t *data, size_t size, TsSpan *spans, TsDvbPages *pages);
