/* gst-tsrec: fuzz target, payloads of H.264 on their way to access units
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The input is a list of packets: a byte of flags, a byte of size, and the
 * payload, which is passed on as a block of exactly its size. What passes
 * RtcPacketFilter goes to RtcH264Depay, whose access units must begin with a
 * start code and not be larger than what came in.
 */

#include "fuzz.h"
#include "rtch264depay.h"
#include "rtcpacketfilter.h"

#include <string.h>

#define OP_MARKER 0x01
#define OP_GAP 0x02   /* in the sequence numbers, which nobody notes */
#define OP_LOSS 0x04  /* noted */
#define OP_DRAIN 0x08 /* the end of the stream */
#define OP_UNCHECKED 0x10
#define OP_LONG 0x20 /* the same bytes 40 times */

static gsize n_in, n_out;

static void
take_unit (const RtcH264Unit *unit, gpointer user_data)
{
  static const guint8 start_code[] = { 0, 0, 0, 1 };

  FUZZ_ASSERT (unit->size > sizeof (start_code), "an empty access unit");
  FUZZ_ASSERT (memcmp (unit->data, start_code, sizeof (start_code)) == 0,
      "no start code");
  n_out += unit->size;
  FUZZ_ASSERT (n_out <= n_in, "%u bytes of %u", (guint)n_out, (guint)n_in);
}

static void
take_packet (RtcH264Depay *depay, const guint8 *payload, gsize size,
    guint16 seq, guint8 flags)
{
  gboolean marker = flags & OP_MARKER;

  if (size == 0 ||
      (!(flags & OP_UNCHECKED) &&
          rtc_packet_filter_check ("H264", payload, size, marker) !=
              RTC_PACKET_FILTER_PASS))
    return;
  /* An aggregation packet has at least two bytes for each start code, of four
   * bytes, and a byte. */
  n_in += 3 * size + 8;
  FUZZ_ASSERT (rtc_h264_depay_packet (depay, payload, size, seq, marker, seq),
      "too large");
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  RtcH264Depay depay;
  guint16 seq = 0xfff0;
  gsize at = 0;

  n_in = n_out = 0;
  rtc_h264_depay_init (&depay, take_unit, NULL);
  while (at + 2 <= size) {
    guint8 flags = data[at];
    gsize n = MIN (data[at + 1], size - at - 2), times = 1;
    guint8 *payload;

    if (flags & OP_LONG)
      times = 40;
    payload = g_malloc (n * times);
    for (gsize i = 0; i < times; i++)
      if (n > 0)
        memcpy (payload + i * n, data + at + 2, n);
    seq = (guint16)(seq + (flags & OP_GAP ? 2 : 1));
    if (flags & OP_LOSS)
      rtc_h264_depay_note_loss (&depay);
    take_packet (&depay, payload, n * times, seq, flags);
    if (flags & OP_DRAIN)
      rtc_h264_depay_drain (&depay);
    g_free (payload);
    at += 2 + n;
  }
  rtc_h264_depay_drain (&depay);
  rtc_h264_depay_clear (&depay);
  return 0;
}
