/* gst-tsrec: WHEP client: receives the media of a server
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "gstrecwebrtcsrc.h"

G_BEGIN_DECLS

#define GST_TYPE_REC_WHEP_SRC (gst_rec_whep_src_get_type ())
G_DECLARE_FINAL_TYPE (
    GstRecWhepSrc, gst_rec_whep_src, GST, REC_WHEP_SRC, GstRecWebrtcSrc)

GST_ELEMENT_REGISTER_DECLARE (recwhepsrc)

G_END_DECLS
