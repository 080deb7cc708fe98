/* gst-tsrec: the pads of tsrecsink
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Ghost pads of the pads of the mux. They keep what those promise: they refuse
 * links with the mux's reason, and caps that are not carried are refused by the
 * mux, not by GStreamer, which would end the pipeline.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_TS_REC_SINK_PAD (gst_ts_rec_sink_pad_get_type ())
G_DECLARE_FINAL_TYPE (
    GstTsRecSinkPad, gst_ts_rec_sink_pad, GST, TS_REC_SINK_PAD, GstGhostPad)

/* Returns a new, floating pad with the name of @target, a sink pad. */
GstPad *gst_ts_rec_sink_pad_new (GstPadTemplate *templ, GstPad *target);

G_END_DECLS
