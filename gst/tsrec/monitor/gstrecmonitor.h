/* gst-tsrec: recmonitor, reports the data flow and its stalls
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_REC_MONITOR (gst_rec_monitor_get_type ())
G_DECLARE_FINAL_TYPE (
    GstRecMonitor, gst_rec_monitor, GST, REC_MONITOR, GstElement)

GST_ELEMENT_REGISTER_DECLARE (recmonitor);

G_END_DECLS
