/* gst-tsrec: lists of buffers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcflow.h"

GstFlowReturn
rtc_flow_chain_each (GstPad *pad, GstObject *parent, GstBufferList *list,
    GstPadChainFunction chain)
{
  GstFlowReturn first = GST_FLOW_OK;
  guint n = gst_buffer_list_length (list);

  for (guint i = 0; i < n; i++) {
    GstFlowReturn ret =
        chain (pad, parent, gst_buffer_ref (gst_buffer_list_get (list, i)));

    if (first == GST_FLOW_OK)
      first = ret;
  }
  gst_buffer_list_unref (list);
  return first;
}
