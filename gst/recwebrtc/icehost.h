/* gst-tsrec: the addresses of this host that ICE may use
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Tells the ICE agent of @webrtcbin every address of this host, loopback
 * included, which libnice leaves out by itself: on a host with only "lo"
 * gathering would never complete. Switches UPnP off, which costs 200 ms. To be
 * called before the local description is set. */
void ice_host_prepare (GstElement *webrtcbin);

G_END_DECLS
