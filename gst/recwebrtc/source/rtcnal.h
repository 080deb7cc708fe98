/* gst-tsrec: NAL units in RTP, for the codecs that have them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pure functions and constants of RFC 6184 (H264) and RFC 7798 (H265); the NAL
 * units themselves are described in recnalunit.h. Any thread.
 */

#pragma once

#include "recnalunit.h"

#include <glib.h>

G_BEGIN_DECLS

/* Types of packets that are not one whole NAL unit (RFC 6184 table 1, RFC 7798
 * section 4.4). */
#define RTC_H264_STAP_A 24
#define RTC_H264_FU_A 28
#define RTC_H265_AP 48
#define RTC_H265_FU 49

/* Bits S and E of the header of a fragmentation unit. */
#define RTC_FU_START 0x80
#define RTC_FU_END 0x40

/* Sets *@syntax for the encoding names "H264" and "H265". Returns FALSE for
 * other codecs. */
gboolean rtc_nal_get_syntax (const gchar *codec, RecNalSyntax *syntax);

/* The packet type of an aggregation packet, and of a fragmentation unit. */
guint rtc_nal_get_aggregate_type (RecNalSyntax syntax);
guint rtc_nal_get_fragment_type (RecNalSyntax syntax);

/* Returns the type of the NAL unit that @fu_header belongs to. */
guint rtc_nal_get_fu_type (RecNalSyntax syntax, guint8 fu_header);

/* Returns TRUE for a coded slice, TRUE for a parameter set. */
gboolean rtc_nal_is_slice (RecNalSyntax syntax, guint nal_unit_type);
gboolean rtc_nal_is_parameter_set (RecNalSyntax syntax, guint nal_unit_type);

G_END_DECLS
