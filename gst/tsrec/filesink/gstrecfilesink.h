/* gst-tsrec: recfilesink, a file sink that can be killed at any instant
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define GST_TYPE_REC_FILE_SINK (gst_rec_file_sink_get_type ())
G_DECLARE_FINAL_TYPE (
    GstRecFileSink, gst_rec_file_sink, GST, REC_FILE_SINK, GstBaseSink)

GST_ELEMENT_REGISTER_DECLARE (recfilesink)

G_END_DECLS
