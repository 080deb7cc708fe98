/* gst-tsrec: packets that must not reach a depayloader
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcpacketfilter.h"
#include "rtcnal.h"

#include <string.h>

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
  self->cut = 0;
  self->goes_on = FALSE;
  self->tells_end = FALSE;
  return TRUE;
}

gboolean
rtc_packet_filter_note (RtcPacketFilter *self, guint16 seq)
{
  gint16 ahead = self->have_seq ? (gint16)(seq - self->next_seq) : 0;

  /* A repeated or late packet: RFC 3550 section A.1. */
  if (ahead < 0)
    return FALSE;
  self->have_seq = TRUE;
  self->next_seq = (guint16)(seq + 1);
  return ahead > 0;
}

typedef enum
{
  END_UNKNOWN,
  END_MARKED,
  END_MISSING,
} End;

static End
get_fragment_end (const guint8 *payload, gsize size, gsize header)
{
  if (size <= header)
    return END_UNKNOWN;
  return payload[header] & RTC_FU_END ? END_MARKED : END_MISSING;
}

/* Whether a picture may end with a packet. Not every sender of H.264 and H.265
 * sets the marker bit; a NAL unit that is not fragmented may be the last one. */
static End
get_end (const gchar *codec, const guint8 *payload, gsize size, gboolean marker)
{
  if (g_str_equal (codec, "H264"))
    return rec_nal_get_type (REC_NAL_H264, payload) == RTC_H264_FU_A
        ? get_fragment_end (payload, size, 1)
        : END_UNKNOWN;
  if (g_str_equal (codec, "H265"))
    return rec_nal_get_type (REC_NAL_H265, payload) == RTC_H265_FU
        ? get_fragment_end (payload, size, 2)
        : END_UNKNOWN;
  if (g_str_equal (codec, "VP8"))
    return marker ? END_MARKED : END_MISSING;
  /* Bit E: the end of a frame (RFC 9628 section 4.2). */
  if (g_str_equal (codec, "VP9"))
    return marker || payload[0] & 0x04 ? END_MARKED : END_MISSING;
  return END_UNKNOWN;
}

gboolean
rtc_packet_filter_note_end (RtcPacketFilter *self, const gchar *codec,
    const guint8 *payload, gsize size, gboolean marker, guint32 rtp_time,
    guint16 seq)
{
  gint16 ahead = self->have_seq ? (gint16)(seq - self->next_seq) : 0;
  gboolean cut = ahead == 0 && self->goes_on && self->tells_end &&
      rtp_time != self->rtp_time;
  End end = get_end (codec, payload, size, marker);

  if (ahead < 0)
    return FALSE;
  self->goes_on = end == END_MISSING && !marker;
  self->tells_end |= end == END_MARKED;
  self->rtp_time = rtp_time;
  if (cut) {
    self->cut++;
    self->removed--;
  }
  return cut;
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

/* Checks for at least one NAL unit after @header bytes, each after its size.
 * RtcParamSets removes NAL units that are too short. */
static RtcPacketFilterVerdict
check_aggregate (const guint8 *payload, gsize size, gsize header)
{
  return size > header + 2 ? RTC_PACKET_FILTER_PASS
                           : RTC_PACKET_FILTER_MALFORMED;
}

/* @header: bytes in front of the FU header. The first fragment also contains
 *   the byte after the header of the NAL unit, which the depayloader reads. */
static RtcPacketFilterVerdict
check_fragment (const guint8 *payload, gsize size, gsize header)
{
  if (size <= header)
    return RTC_PACKET_FILTER_MALFORMED;
  if (payload[header] & RTC_FU_START)
    return size > header + 1 ? RTC_PACKET_FILTER_PASS
                             : RTC_PACKET_FILTER_MALFORMED;
  return RTC_PACKET_FILTER_PASS;
}

static RtcPacketFilterVerdict
check_h264 (const guint8 *payload, gsize size)
{
  guint type = rec_nal_get_type (REC_NAL_H264, payload);

  if (type == RTC_H264_STAP_A)
    return check_aggregate (payload, size, 1);
  if (type == RTC_H264_FU_A)
    return check_fragment (payload, size, 1);
  /* 25 to 27 and 29 belong to the interleaved mode, which is not negotiated;
   * 0, 30 and 31 are undefined. */
  if (type == 0 || type > 23)
    return RTC_PACKET_FILTER_MALFORMED;
  /* A slice has at least one byte after its NAL unit header. */
  return !rtc_nal_is_slice (REC_NAL_H264, type) || size >= 2
      ? RTC_PACKET_FILTER_PASS
      : RTC_PACKET_FILTER_MALFORMED;
}

static RtcPacketFilterVerdict
check_h265 (const guint8 *payload, gsize size)
{
  guint type = rec_nal_get_type (REC_NAL_H265, payload);

  if (size < 2)
    return RTC_PACKET_FILTER_MALFORMED;
  if (type == RTC_H265_AP)
    return check_aggregate (payload, size, 2);
  if (type == RTC_H265_FU)
    return check_fragment (payload, size, 2);
  /* 50 is PACI, which must be negotiated; the others are unspecified. */
  if (type > 47)
    return RTC_PACKET_FILTER_MALFORMED;
  return !rtc_nal_is_slice (REC_NAL_H265, type) || size >= 3
      ? RTC_PACKET_FILTER_PASS
      : RTC_PACKET_FILTER_MALFORMED;
}

/* A payload descriptor of @header bytes precedes the data. A packet without
 * data is empty, unless it ends the picture. */
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

/* Returns the size of the scalability structure at the start of @data (RFC 9628
 * section 4.2.1), or 0 if it does not end within @size bytes. */
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

/* Reads the length of a frame at *@at (RFC 6716 section 3.2.1), and moves *@at
 * after it. Returns FALSE if the length is truncated or too large. */
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

/* A packet that breaks these rules must not be decoded (RFC 6716 section 3.4).
 * opusparse searches it for another framing, beyond its end. */
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

/* Returns TRUE if another NAL unit begins at @data, or if @data is the end. */
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

/* An end of sequence or end of bitstream NAL unit consists of its header
 * (H.264 7.3.2.5, H.265 7.3.2.6). The parsers expect the next start code
 * right after it, and post an error if there is something else. */
gboolean
rtc_packet_filter_check_unit (
    const gchar *codec, const guint8 *data, gsize size)
{
  const guint8 *end = data + size;
  RecNalSyntax syntax;
  gsize header, at = 0;

  if (!rtc_nal_get_syntax (codec, &syntax))
    return TRUE;
  header = rec_nal_header_size (syntax);
  while ((at = rec_nal_find_start_code (data, size, at)) + 3 + header <= size) {
    guint type = rec_nal_get_type (syntax, data + at + 3);

    at += 3;
    if (rec_nal_get_kind (syntax, type) == REC_NAL_END &&
        !begins_unit (data + at + header, end, header))
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_subset_sps (const guint8 *header)
{
  return rec_nal_get_kind (REC_NAL_H264,
             rec_nal_get_type (REC_NAL_H264, header)) == REC_NAL_SUBSET_SPS;
}

gboolean
rtc_packet_filter_has_subset_sps (const guint8 *data, gsize size)
{
  gsize at = 0;

  while ((at = rec_nal_find_start_code (data, size, at) + 3) < size)
    if (is_subset_sps (data + at))
      return TRUE;
  return FALSE;
}

gsize
rtc_packet_filter_strip_subset_sps (const guint8 *data, gsize size, guint8 *out)
{
  gsize at = rec_nal_find_start_code (data, size, 0);
  gsize kept = at;

  memcpy (out, data, kept);
  while (at < size) {
    gsize next = rec_nal_find_start_code (data, size, at + 3);

    if (next - at <= 3 || !is_subset_sps (data + at + 3)) {
      memcpy (out + kept, data + at, next - at);
      kept += next - at;
    }
    at = next;
  }
  return kept;
}
