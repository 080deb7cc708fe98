/* gst-tsrec: tsrecmux
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_TS_REC_MUX (gst_ts_rec_mux_get_type ())
G_DECLARE_FINAL_TYPE (GstTsRecMux, gst_ts_rec_mux, GST, TS_REC_MUX, GstElement)

GST_ELEMENT_REGISTER_DECLARE (tsrecmux)

G_END_DECLS
