/* gst-tsrec: WHIP client that publishes H.264 and Opus
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_REC_WHIP_SINK (gst_rec_whip_sink_get_type ())
G_DECLARE_FINAL_TYPE (
    GstRecWhipSink, gst_rec_whip_sink, GST, REC_WHIP_SINK, GstBin)

GST_ELEMENT_REGISTER_DECLARE (recwhipsink)

G_END_DECLS
