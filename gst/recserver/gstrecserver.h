/* gst-tsrec: the recording service as an element
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_REC_SERVER (gst_rec_server_get_type ())
G_DECLARE_FINAL_TYPE (GstRecServer, gst_rec_server, GST, REC_SERVER, GstElement)

GST_ELEMENT_REGISTER_DECLARE (recserver);

G_END_DECLS
