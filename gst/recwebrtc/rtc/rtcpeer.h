/* gst-tsrec: talking to webrtcbin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>
#include <gst/webrtc/webrtc.h>

G_BEGIN_DECLS

/* A new element (floating), or NULL with @error naming the Debian packages. */
GstElement *rtc_peer_make (const gchar *factory, GError **error);

/* Emits @action ("create-offer", "set-local-description", …) on @webrtc and
 * waits for the reply: never on a thread of webrtcbin, nor with a lock.
 * @description: argument of the set actions, NULL for the others. @out: where
 * the create actions put what they made. FALSE with @error. */
gboolean rtc_peer_run (GstElement *webrtc, const gchar *action,
    GstWebRTCSessionDescription *description, GstWebRTCSessionDescription **out,
    GError **error);

/* Sets @sdp, which is consumed, as the remote description. Certificates are
 * the business of RtcDtlsVerifier. */
gboolean rtc_peer_set_remote (GstElement *webrtc, GstWebRTCSDPType type,
    GstSDPMessage *sdp, GError **error);

/* What is the same in every session. */
void rtc_peer_configure (
    GstElement *webrtc, const gchar *stun_server, const gchar *turn_server);

/* The local description with the candidates found so far, as an offer for a
 * server (rtc_sdp_offer_text()). Caller frees. */
gchar *rtc_peer_get_offer (GstElement *webrtc);

gboolean rtc_peer_is_gathered (GstElement *webrtc);

/* For the log. */
const gchar *rtc_peer_dtls_state_name (GstWebRTCDTLSTransportState state);

/* Marks @element, before it is in use, as part of the session @owner; and
 * tells whether @object is such an element or inside one. Any thread. */
void rtc_peer_set_owner (GstElement *element, gpointer owner);
gboolean rtc_peer_has_owner (GstObject *object, gpointer owner);

G_END_DECLS
