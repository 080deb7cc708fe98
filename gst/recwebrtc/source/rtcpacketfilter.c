/* gst-tsrec: packets that must not reach a depayloader
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcpacketfilter.h"

#include <string.h>

/* Types of packets (RFC 6184 table 1, RFC 7798 section 4.4). */
#define H264_STAP_A 24
#define H264_FU_A 28
#define H265_AP 48
#define H265_FU 49
#define FU_START 0x80

/* RFC 6716 section 3.2.5: at most 120 ms, in units of 2.5 ms. */
#define OPUS_MAX_DURATION 48
/* RFC 6716 section 3.4 [R2], bytes. */
#define OPUS_MAX_FRAME 1275

void
rtc_packet_filter_init (RtcPacketFilter *self)
{
  memset (self, 0, sizeof (*self));
}

gboolean
rtc_packet_filter_begin (RtcPacketFilter *self, guint32 ssrc)
{
  if (self->started && ssrc == self->ssrc)
    return FALSE;
  self->started = TRUE;
  self->ssrc = ssrc;
  self->have_seq = FALSE;
  self->removed = 0;
  return TRUE;
}

gboolean
rtc_packet_filter_note (RtcPacketFilter *self, guint16 seq)
{
  gint16 ahead = self->have_seq ? (gint16)(seq - self->next_seq) : 0;

  /* Repeated or late: RFC 3550 section A.1. */
  if (ahead < 0)
    return FALSE;
  self->have_seq = TRUE;
  self->next_seq = (guint16)(seq + 1);
  return ahead > 0;
}

void
rtc_packet_filter_remove (RtcPacketFilter *self)
{
  self->removed++;
}

guint16
rtc_packet_filter_map (const RtcPacketFilter *self, guint16 seq)
{
  return (guint16)(seq - self->removed);
}

/* Units behind @header bytes, each after its size: at least one is there.
 * Units that are too short are taken out by RtcParamSets. */
static RtcPacketFilterVerdict
check_aggregate (const guint8 *payload, gsize size, gsize header)
{
  return size > header + 2 ? RTC_PACKET_FILTER_PASS
                           : RTC_PACKET_FILTER_MALFORMED;
}

/* @header: bytes in front of the FU header. The first fragment also has a byte
 * of the NAL unit behind its header, which the depayloader reads. */
static RtcPacketFilterVerdict
check_fragment (const guint8 *payload, gsize size, gsize header)
{
  if (size <= header)
    return RTC_PACKET_FILTER_MALFORMED;
  if (payload[header] & FU_START)
    return size > header + 1 ? RTC_PACKET_FILTER_PASS
                             : RTC_PACKET_FILTER_MALFORMED;
  return RTC_PACKET_FILTER_PASS;
}

static RtcPacketFilterVerdict
check_h264 (const guint8 *payload, gsize size)
{
  guint type = payload[0] & 0x1f;

  if (type == H264_STAP_A)
    return check_aggregate (payload, size, 1);
  if (type == H264_FU_A)
    return check_fragment (payload, size, 1);
  /* 25 to 27 and 29 belong to the interleaved mode, which is not negotiated;
   * 0, 30 and 31 are undefined. */
  if (type == 0 || type > 23)
    return RTC_PACKET_FILTER_MALFORMED;
  /* A slice has at least one byte behind the header of its NAL unit. */
  return type > 5 || size >= 2 ? RTC_PACKET_FILTER_PASS
                               : RTC_PACKET_FILTER_MALFORMED;
}

static RtcPacketFilterVerdict
check_h265 (const guint8 *payload, gsize size)
{
  guint type = (payload[0] >> 1) & 0x3f;

  if (size < 2)
    return RTC_PACKET_FILTER_MALFORMED;
  if (type == H265_AP)
    return check_aggregate (payload, size, 2);
  if (type == H265_FU)
    return check_fragment (payload, size, 2);
  /* 50 is PACI, whose use is negotiated; the others are unspecified. */
  if (type > 47)
    return RTC_PACKET_FILTER_MALFORMED;
  return type > 31 || size >= 3 ? RTC_PACKET_FILTER_PASS
                                : RTC_PACKET_FILTER_MALFORMED;
}

/* A payload descriptor of @header bytes in front of the data. Without data it
 * is an empty packet, unless it ends the picture. */
static RtcPacketFilterVerdict
check_descriptor (gsize header, gsize size, gboolean marker)
{
  if (header < size)
    return RTC_PACKET_FILTER_PASS;
  return header == size && !marker ? RTC_PACKET_FILTER_EMPTY
                                   : RTC_PACKET_FILTER_MALFORMED;
}

/* RFC 7741 section 4.2. */
static RtcPacketFilterVerdict
check_vp8 (const guint8 *payload, gsize size, gboolean marker)
{
  gsize header = 1;
  guint8 x;

  if (!(payload[0] & 0x80))
    return check_descriptor (header, size, marker);
  if (size < 2)
    return RTC_PACKET_FILTER_MALFORMED;
  x = payload[1];
  header = 2;
  if (x & 0x80) {
    if (size <= header)
      return RTC_PACKET_FILTER_MALFORMED;
    header += payload[header] & 0x80 ? 2 : 1;
  }
  header += (x & 0x40) != 0;
  header += (x & 0x30) != 0;
  return check_descriptor (header, size, marker);
}

/* The scalability structure at the start of @data (RFC 9628 section 4.2.1);
 * its size, or 0 when it does not end in @size bytes. */
static gsize
scalability_size (const guint8 *data, gsize size)
{
  gsize at = 1;
  guint i;

  if (size < 1)
    return 0;
  if (data[0] & 0x10)
    at += 4 * ((data[0] >> 5) + 1u);
  if (!(data[0] & 0x08))
    return at <= size ? at : 0;
  if (at >= size)
    return 0;
  for (i = data[at++]; i > 0; i--) {
    if (at >= size)
      return 0;
    at += 1 + ((data[at] >> 2) & 3);
  }
  return at <= size ? at : 0;
}

/* RFC 9628 section 4.2. */
static RtcPacketFilterVerdict
check_vp9 (const guint8 *payload, gsize size, gboolean marker)
{
  guint8 flags = payload[0];
  gsize header = 1;
  guint i;

  if (flags & 0x80) {
    if (header >= size)
      return RTC_PACKET_FILTER_MALFORMED;
    header += payload[header] & 0x80 ? 2 : 1;
  }
  if (flags & 0x20)
    header += flags & 0x10 ? 1 : 2;
  if ((flags & 0x50) == 0x50) {
    for (i = 0; i < 3; i++) {
      if (header >= size)
        return RTC_PACKET_FILTER_MALFORMED;
      if (!(payload[header++] & 1))
        break;
    }
  }
  if (flags & 0x02) {
    gsize structure =
        header < size ? scalability_size (payload + header, size - header) : 0;

    if (structure == 0)
      return RTC_PACKET_FILTER_MALFORMED;
    header += structure;
  }
  return check_descriptor (header, size, marker);
}

/* Duration of one frame in units of 2.5 ms (RFC 6716 table 2). */
static guint
opus_frame_duration (guint config)
{
  static const guint8 silk[] = { 4, 8, 16, 24 };

  if (config < 12)
    return silk[config & 3];
  if (config < 16)
    return config & 1 ? 8 : 4;
  return 1u << (config & 3);
}

/* RFC 6716 section 3.2.1: the length of a frame at @at, of which the end is
 * left behind the length; FALSE when it is cut off or too long. */
static gboolean
opus_read_length (const guint8 *data, gsize size, gsize *at, gsize *length)
{
  if (*at >= size)
    return FALSE;
  *length = data[(*at)++];
  if (*length >= 252) {
    if (*at >= size)
      return FALSE;
    *length += 4 * (gsize)data[(*at)++];
  }
  return TRUE;
}

/* RFC 6716 section 3.2.5, code 3. */
static gboolean
opus_code_3_is_valid (const guint8 *data, gsize size)
{
  guint frames = size >= 2 ? data[1] & 0x3f : 0, i;
  gsize at = 2, padding = 0, sum = 0, length;

  if (frames == 0 ||
      frames * opus_frame_duration (data[0] >> 3) > OPUS_MAX_DURATION)
    return FALSE;
  if (data[1] & 0x40) {
    do {
      if (at >= size)
        return FALSE;
      padding += data[at] == 255 ? 254 : data[at];
    } while (data[at++] == 255);
  }
  if (data[1] & 0x80) {
    for (i = 0; i + 1 < frames; i++) {
      if (!opus_read_length (data, size, &at, &length))
        return FALSE;
      sum += length;
    }
  }
  if (at + padding + sum > size)
    return FALSE;
  length = size - at - padding - sum;
  if (data[1] & 0x80)
    return length <= OPUS_MAX_FRAME;
  return length % frames == 0 && length / frames <= OPUS_MAX_FRAME;
}

/* RFC 6716 section 3.4: a packet that breaks these rules must not be decoded.
 * opusparse looks for another framing in it, behind its end. */
static RtcPacketFilterVerdict
check_opus (const guint8 *payload, gsize size)
{
  gsize at = 1, length = 0;
  gboolean valid;

  switch (payload[0] & 3) {
    case 0:
      valid = size - 1 <= OPUS_MAX_FRAME;
      break;
    case 1:
      valid = (size - 1) % 2 == 0 && (size - 1) / 2 <= OPUS_MAX_FRAME;
      break;
    case 2:
      valid = opus_read_length (payload, size, &at, &length) &&
          length <= size - at && size - at - length <= OPUS_MAX_FRAME;
      break;
    default:
      valid = opus_code_3_is_valid (payload, size);
      break;
  }
  return valid ? RTC_PACKET_FILTER_PASS : RTC_PACKET_FILTER_MALFORMED;
}

RtcPacketFilterVerdict
rtc_packet_filter_check (
    const gchar *codec, const guint8 *payload, gsize size, gboolean marker)
{
  if (size == 0)
    return RTC_PACKET_FILTER_EMPTY;
  if (g_str_equal (codec, "H264"))
    return check_h264 (payload, size);
  if (g_str_equal (codec, "H265"))
    return check_h265 (payload, size);
  if (g_str_equal (codec, "VP8"))
    return check_vp8 (payload, size, marker);
  if (g_str_equal (codec, "VP9"))
    return check_vp9 (payload, size, marker);
  if (g_str_equal (codec, "OPUS"))
    return check_opus (payload, size);
  return RTC_PACKET_FILTER_PASS;
}

/* End of sequence and end of bitstream (H.264 table 7-1, H.265 table 7-1). */
static gboolean
is_end_unit (gboolean h264, guint8 header)
{
  guint type = h264 ? header & 0x1f : (header >> 1) & 0x3f;

  return h264 ? type == 10 || type == 11 : type == 36 || type == 37;
}

/* Whether another NAL unit begins at @data, or nothing is left. */
static gboolean
begins_unit (const guint8 *data, const guint8 *end, gsize header)
{
  if (data == end)
    return TRUE;
  if (data[0] == 0 && end - data > 3 && data[1] == 0 && data[2] == 0)
    data++;
  return (gsize)(end - data) >= 3 + header && data[0] == 0 && data[1] == 0 &&
      data[2] == 1;
}

/* These units consist of their header (H.264 7.3.2.5, H.265 7.3.2.6): the
 * parsers look for the next start code right behind it, and post an error when
 * there is something else. */
gboolean
rtc_packet_filter_check_unit (
    const gchar *codec, const guint8 *data, gsize size)
{
  gboolean h264 = g_str_equal (codec, "H264");
  gsize header = h264 ? 1 : 2;
  const guint8 *end = data + size;

  if (!h264 && !g_str_equal (codec, "H265"))
    return TRUE;
  for (; (gsize)(end - data) >= 3 + header; data++) {
    if (data[0] || data[1] || data[2] != 1)
      continue;
    if (is_end_unit (h264, data[3]) &&
        !begins_unit (data + 3 + header, end, header))
      return FALSE;
  }
  return TRUE;
}

/* Subset sequence parameter set (H.264 table 7-1). */
#define H264_SUBSET_SPS 15

/* Returns the distance from @data to the next start code of three bytes, or to
 * @end. */
static gsize
find_start_code (const guint8 *data, const guint8 *end)
{
  const guint8 *at = data;

  for (; end - at >= 3; at++)
    if (at[0] == 0 && at[1] == 0 && at[2] == 1)
      return (gsize)(at - data);
  return (gsize)(end - data);
}

gboolean
rtc_packet_filter_has_subset_sps (const guint8 *data, gsize size)
{
  const guint8 *end = data + size, *at = data;

  for (at += find_start_code (at, end); end - at > 3;
       at += 3, at += find_start_code (at, end))
    if ((at[3] & 0x1f) == H264_SUBSET_SPS)
      return TRUE;
  return FALSE;
}

gsize
rtc_packet_filter_strip_subset_sps (const guint8 *data, gsize size, guint8 *out)
{
  const guint8 *end = data + size, *at = data;
  gsize kept = find_start_code (at, end);

  memcpy (out, at, kept);
  for (at += kept; at < end;) {
    gsize unit = MIN (3, end - at);

    unit += find_start_code (at + unit, end);
    if (unit <= 3 || (at[3] & 0x1f) != H264_SUBSET_SPS) {
      memcpy (out + kept, at, unit);
      kept += unit;
    }
    at += unit;
  }
  return kept;
}
