/* gst-tsrec: access to the ICE agent of webrtcbin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Passes every address of this host to the ICE agent of @webrtcbin. This
 * includes loopback, which libnice omits: on a host with only "lo", gathering
 * would never complete. Disables UPnP, which costs 200 ms. Call it before the
 * local description is set. */
void rtc_ice_prepare (GstElement *webrtcbin);

/* Restarts ICE (RFC 8445 section 9) on the first stream of @webrtcbin. @ufrag
 * and @pwd are the new credentials of the peer. @local_ufrag and @local_pwd
 * return our new credentials, which the caller frees. Our candidates do not
 * change. Returns FALSE in a build without libnice, or if the agent refuses. */
gboolean rtc_ice_restart (GstElement *webrtcbin, const gchar *ufrag,
    const gchar *pwd, gchar **local_ufrag, gchar **local_pwd);

/* Returns the selected candidate pair of the first stream as "LOCAL - REMOTE".
 * Returns NULL before ICE is connected, or in a build without libnice. Caller
 * frees. */
gchar *rtc_ice_describe_pair (GstElement *webrtcbin);

G_END_DECLS
