/* gst-tsrec: RTP packets that begin a key frame
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtckeystart.h"

#define H264_STAP_A 24
#define H264_FU_A 28
#define H265_AP 48
#define H265_FU 49
#define FU_START 0x80

/* A slice of an IDR picture, or a parameter set. */
static gboolean
h264_is_key (guint8 header)
{
  guint type = header & 0x1f;

  return type == 5 || type == 7 || type == 8;
}

/* IRAP (H.265 table 7-1), or a parameter set. */
static gboolean
h265_is_key_type (guint type)
{
  return (type >= 16 && type <= 23) || (type >= 32 && type <= 34);
}

static gboolean
h265_is_key (guint8 header)
{
  return h265_is_key_type ((header >> 1) & 0x3f);
}

/* Units behind @at bytes, each after its size. */
static gboolean
aggregate_is_key (const guint8 *payload, gsize size, gsize at,
    gboolean (*is_key) (guint8 header))
{
  while (at + 3 <= size) {
    if (is_key (payload[at + 2]))
      return TRUE;
    at += 2 + ((gsize)payload[at] << 8 | payload[at + 1]);
  }
  return FALSE;
}

static gboolean
h264_starts (const guint8 *payload, gsize size)
{
  guint type = payload[0] & 0x1f;

  if (type == H264_STAP_A)
    return aggregate_is_key (payload, size, 1, h264_is_key);
  if (type == H264_FU_A)
    return size > 1 && (payload[1] & FU_START) && h264_is_key (payload[1]);
  return h264_is_key (payload[0]);
}

static gboolean
h265_starts (const guint8 *payload, gsize size)
{
  guint type = (payload[0] >> 1) & 0x3f;

  if (type == H265_AP)
    return aggregate_is_key (payload, size, 2, h265_is_key);
  if (type == H265_FU)
    return size > 2 && (payload[2] & FU_START) &&
        h265_is_key_type (payload[2] & 0x3f);
  return h265_is_key_type (type);
}

/* The first packet of partition 0, and the bit P of the frame (RFC 7741
 * sections 4.2 and 4.3). */
static gboolean
vp8_starts (const guint8 *payload, gsize size)
{
  gsize header = 1;

  if ((payload[0] & 0x17) != 0x10)
    return FALSE;
  if ((payload[0] & 0x80) && size > 1) {
    guint8 x = payload[1];

    header = 2;
    if ((x & 0x80) && size > 2)
      header += payload[2] & 0x80 ? 2 : 1;
    header += (x & 0x40) != 0;
    header += (x & 0x30) != 0;
  }
  return header < size && !(payload[header] & 1);
}

gboolean
rtc_key_start (const gchar *codec, const guint8 *payload, gsize size)
{
  if (size == 0)
    return FALSE;
  if (g_str_equal (codec, "H264"))
    return h264_starts (payload, size);
  if (g_str_equal (codec, "H265"))
    return h265_starts (payload, size);
  if (g_str_equal (codec, "VP8"))
    return vp8_starts (payload, size);
  /* B without P (RFC 9628 section 4.2). */
  if (g_str_equal (codec, "VP9"))
    return (payload[0] & 0x48) == 0x08;
  if (g_str_equal (codec, "AV1"))
    return (payload[0] & 0x08) != 0;
  return TRUE;
}
