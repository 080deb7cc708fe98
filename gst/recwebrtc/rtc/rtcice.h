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
void rtc_ice_prepare (GstElement *webrtcbin);

/* Restarts ICE (RFC 8445 section 9) on the first stream of @webrtcbin, towards
 * a peer whose new credentials are @ufrag and @pwd. Sets our new ones, which
 * the caller frees. Our candidates stay. FALSE when built without libnice, or
 * the agent refuses. */
gboolean rtc_ice_restart (GstElement *webrtcbin, const gchar *ufrag,
    const gchar *pwd, gchar **local_ufrag, gchar **local_pwd);

/* "LOCAL - REMOTE", the addresses that ICE has chosen for the first stream;
 * NULL when that is not known (yet, or without libnice). Caller frees. */
gchar *rtc_ice_describe_pair (GstElement *webrtcbin);

G_END_DECLS
