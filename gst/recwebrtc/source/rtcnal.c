/* gst-tsrec: NAL units in RTP, for the codecs that have them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcnal.h"

gboolean
rtc_nal_get_syntax (const gchar *codec, RecNalSyntax *syntax)
{
  if (g_str_equal (codec, "H264"))
    *syntax = REC_NAL_H264;
  else if (g_str_equal (codec, "H265"))
    *syntax = REC_NAL_H265;
  else
    return FALSE;
  return TRUE;
}

guint
rtc_nal_get_aggregate_type (RecNalSyntax syntax)
{
  return syntax == REC_NAL_H264 ? RTC_H264_STAP_A : RTC_H265_AP;
}

guint
rtc_nal_get_fragment_type (RecNalSyntax syntax)
{
  return syntax == REC_NAL_H264 ? RTC_H264_FU_A : RTC_H265_FU;
}

guint
rtc_nal_get_fu_type (RecNalSyntax syntax, guint8 fu_header)
{
  return fu_header & (syntax == REC_NAL_H264 ? 0x1f : 0x3f);
}

gboolean
rtc_nal_is_slice (RecNalSyntax syntax, guint nal_unit_type)
{
  return rec_nal_get_kind (syntax, nal_unit_type) >= REC_NAL_SLICE;
}

gboolean
rtc_nal_is_parameter_set (RecNalSyntax syntax, guint nal_unit_type)
{
  RecNalKind kind = rec_nal_get_kind (syntax, nal_unit_type);

  return kind >= REC_NAL_VPS && kind <= REC_NAL_PPS;
}
