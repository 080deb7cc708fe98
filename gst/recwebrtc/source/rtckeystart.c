/* gst-tsrec: RTP packets that begin a key frame
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtckeystart.h"
#include "rtcnal.h"

/* Returns TRUE for a slice of a random access point, and for a parameter set,
 * which precedes one. SEI is not parsed. */
static gboolean
type_is_key (RecNalSyntax syntax, guint type)
{
  return rec_nal_get_kind (syntax, type) > REC_NAL_SLICE ||
      rtc_nal_is_parameter_set (syntax, type);
}

/* NAL units after @at bytes, each after its size. */
static gboolean
aggregate_is_key (
    RecNalSyntax syntax, const guint8 *payload, gsize size, gsize at)
{
  while (at + 3 <= size) {
    if (type_is_key (syntax, rec_nal_get_type (syntax, payload + at + 2)))
      return TRUE;
    at += 2 + ((gsize)payload[at] << 8 | payload[at + 1]);
  }
  return FALSE;
}

static gboolean
nal_starts (RecNalSyntax syntax, const guint8 *payload, gsize size)
{
  gsize header = rec_nal_header_size (syntax);
  guint type = rec_nal_get_type (syntax, payload);

  if (type == rtc_nal_get_aggregate_type (syntax))
    return aggregate_is_key (syntax, payload, size, header);
  if (type == rtc_nal_get_fragment_type (syntax))
    return size > header && (payload[header] & RTC_FU_START) &&
        type_is_key (syntax, rtc_nal_get_fu_type (syntax, payload[header]));
  return type_is_key (syntax, type);
}

/* Checks for the first packet of partition 0, and for bit P of the frame (RFC
 * 7741 sections 4.2 and 4.3). */
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
  RecNalSyntax syntax;

  if (size == 0)
    return FALSE;
  if (rtc_nal_get_syntax (codec, &syntax))
    return nal_starts (syntax, payload, size);
  if (g_str_equal (codec, "VP8"))
    return vp8_starts (payload, size);
  /* Bit B without bit P (RFC 9628 section 4.2). */
  if (g_str_equal (codec, "VP9"))
    return (payload[0] & 0x48) == 0x08;
  if (g_str_equal (codec, "AV1"))
    return (payload[0] & 0x08) != 0;
  return TRUE;
}
