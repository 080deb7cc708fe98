/* gst-tsrec: what part of the elapsed time is in the file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recgaps.h"

#include <string.h>

#define PACKET_SIZE 188
#define SYNC_BYTE 0x47
/* Longer steps are pauses, not the duration of an access unit. */
#define MAX_STEP UINT64_C (200000000)

void
rec_gaps_init (RecGaps *gaps, uint64_t threshold)
{
  memset (gaps, 0, sizeof (*gaps));
  gaps->threshold = threshold;
  gaps->begin = gaps->end = REC_TIME_NONE;
}

static void
begin_at (RecGaps *gaps, uint64_t time)
{
  if (gaps->begin == REC_TIME_NONE)
    gaps->begin = gaps->end = time;
}

static void
add_gap (RecGaps *gaps, uint64_t time, RecGap *gap)
{
  gap->begin = gaps->end;
  gap->end = time;
  gap->cause = gaps->lost ? gaps->cause : REC_GAP_NO_INPUT;
  gaps->gaps += time - gaps->end;
  gaps->n_gaps++;
  gaps->end = time;
  gaps->lost = false;
}

static void
cover_until (RecGaps *gaps, uint64_t time)
{
  if (time <= gaps->end)
    return;
  gaps->media += time - gaps->end;
  gaps->end = time;
}

bool
rec_gaps_written (RecGaps *gaps, uint64_t time, uint64_t duration, RecGap *gap)
{
  bool ended = false;

  if (time == REC_TIME_NONE)
    return false;
  begin_at (gaps, time);
  if (time > gaps->end) {
    uint64_t step = time - gaps->end;

    if (gaps->lost || step > gaps->threshold) {
      add_gap (gaps, time, gap);
      ended = true;
    } else {
      cover_until (gaps, time);
      gaps->step = step <= MAX_STEP ? step : gaps->step;
    }
  } else if (gaps->lost && time == gaps->end) {
    gaps->lost = false;
  }
  if (duration != REC_TIME_NONE && duration <= gaps->threshold)
    cover_until (gaps, time + duration);
  return ended;
}

void
rec_gaps_lost (RecGaps *gaps, uint64_t time, RecGapCause cause)
{
  if (time != REC_TIME_NONE)
    begin_at (gaps, time);
  if (gaps->lost || gaps->begin == REC_TIME_NONE)
    return;
  /* the last access unit that was written lasts until this one */
  if (time != REC_TIME_NONE && time > gaps->end &&
      time - gaps->end <= gaps->threshold)
    cover_until (gaps, time);
  gaps->lost = true;
  gaps->cause = cause;
}

bool
rec_gaps_finish (RecGaps *gaps, uint64_t time, RecGap *gap)
{
  if (gaps->begin == REC_TIME_NONE || time == REC_TIME_NONE ||
      time <= gaps->end)
    return false;
  if (!gaps->lost && time - gaps->end <= gaps->threshold) {
    cover_until (gaps, time);
    return false;
  }
  add_gap (gaps, time, gap);
  return true;
}

/* Where the payload of @packet begins; 0: it has none. */
static size_t
payload_offset (const uint8_t *packet)
{
  unsigned control = (packet[3] >> 4) & 3;
  size_t offset = 4;

  if (!(control & 1))
    return 0;
  if (control & 2)
    offset += 1 + (size_t)packet[4];
  return offset + 3 <= PACKET_SIZE ? offset : 0;
}

bool
rec_packets_have_media (const uint8_t *data, size_t size)
{
  size_t pos, offset;

  for (pos = 0; pos + PACKET_SIZE <= size; pos += PACKET_SIZE) {
    const uint8_t *packet = data + pos;

    if (packet[0] != SYNC_BYTE)
      return true; /* not ours to judge */
    if (!(packet[1] & 0x40) || !(offset = payload_offset (packet)))
      continue;
    packet += offset;
    if (packet[0] == 0 && packet[1] == 0 && packet[2] == 1)
      return true;
  }
  return false;
}
