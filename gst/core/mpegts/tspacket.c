/* gst-tsrec: searches over transport packets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tspacket.h"

bool
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
