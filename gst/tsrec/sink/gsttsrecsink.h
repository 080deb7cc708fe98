/* gst-tsrec: tsrecsink, a multiplexer and a file sink in one element
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_TS_REC_SINK (gst_ts_rec_sink_get_type ())
G_DECLARE_FINAL_TYPE (GstTsRecSink, gst_ts_rec_sink, GST, TS_REC_SINK, GstBin)

GST_ELEMENT_REGISTER_DECLARE (tsrecsink)

G_END_DECLS
