/* gst-tsrec: WHIP server source for recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "gstrecwebrtcsrc.h"

G_BEGIN_DECLS

#define GST_TYPE_REC_WHIP_SRC (gst_rec_whip_src_get_type ())
G_DECLARE_FINAL_TYPE (
    GstRecWhipSrc, gst_rec_whip_src, GST, REC_WHIP_SRC, GstRecWebrtcSrc)

GST_ELEMENT_REGISTER_DECLARE (recwhipsrc)

G_END_DECLS
