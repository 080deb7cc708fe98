/* gst-tsrec: the pads of tsrecsink
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Ghost pads of the pads of the mux, with the same behaviour: they refuse
 * links with the reason of the mux, and the mux, not GStreamer, refuses caps,
 * because GStreamer would stop the pipeline.
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
