/* gst-tsrec: lists of buffers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Passes the buffers of @list to @chain one by one, also behind one that was
 * refused: GStreamer would drop the rest of the list. Consumes @list. Returns the
 * first result that is not GST_FLOW_OK. Streaming thread. */
GstFlowReturn rtc_flow_chain_each (GstPad *pad, GstObject *parent,
    GstBufferList *list, GstPadChainFunction chain);

G_END_DECLS
