/* gst-tsrec: one webrtcbin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * RtcPeer owns a webrtcbin: it creates and configures the element, sets the
 * descriptions, waits for ICE candidates, verifies the certificate of the peer,
 * and watches the states of the connection. An object is used for one session.
 * It also keeps the states of a session that another transport receives.
 *
 * Functions and callbacks run on the thread of the context (the control
 * thread), unless noted otherwise. Functions that set a description wait for
 * webrtcbin, so they must not be called on a thread of webrtcbin.
 */

#pragma once

#include <gst/gst.h>
#include <gst/webrtc/webrtc.h>

#include "rtcsdp.h"

G_BEGIN_DECLS

typedef struct _RtcPeer RtcPeer;

/**
 * RtcPeerConfig:
 * @category: debug category of the element
 * @log_prefix: beginning of each line of the log, for example "session 1: "
 * @stun_server: "stun://host:port" or NULL
 * @turn_server: "turn://user:password@host:port" or NULL
 * @port_range: UDP ports of ICE, "MIN-MAX", or NULL
 * @public_address: replaces the address of our host candidates, or NULL
 */
typedef struct
{
  GstDebugCategory *category;
  const gchar *log_prefix;
  const gchar *stun_server;
  const gchar *turn_server;
  const gchar *port_range;
  const gchar *public_address;
} RtcPeerConfig;

/**
 * RtcPeerCallbacks:
 * @gathered: all local candidates are known, or 2 s have passed; called once
 * @connected: ICE and DTLS are connected, and the certificate of the peer is
 *   verified; called once. @pair: addresses of the candidate pair, or "unknown"
 * @ended: the session is over; called once. @reason: a sentence without
 *   initial capital and full stop
 *
 * None of them is called after rtc_peer_close().
 */
typedef struct
{
  void (*gathered) (gpointer user_data);
  void (*connected) (const gchar *pair, gpointer user_data);
  void (*ended) (const gchar *reason, gpointer user_data);
} RtcPeerCallbacks;

/* Without a webrtcbin yet. @bin must outlive the object; @config is copied. */
RtcPeer *rtc_peer_new (GstBin *bin, GMainContext *context,
    const RtcPeerConfig *config, const RtcPeerCallbacks *callbacks,
    gpointer user_data);

/* Any thread. */
RtcPeer *rtc_peer_ref (RtcPeer *peer);
void rtc_peer_unref (RtcPeer *peer);

/* Creates a webrtcbin in the bin. The caller adds signal handlers, and then
 * calls rtc_peer_start(). Returns FALSE with @error if an element is missing. */
gboolean rtc_peer_open (RtcPeer *peer, GError **error);
/* Brings webrtcbin to the state of the bin. */
void rtc_peer_start (RtcPeer *peer);
/* Brings webrtcbin to NULL and leaves it in the bin, so that its sink pads can
 * be unlinked before rtc_peer_close(). */
void rtc_peer_stop (RtcPeer *peer);
/* Removes webrtcbin. */
void rtc_peer_close (RtcPeer *peer);

/* The element, owned by @peer; NULL before open and after close. */
GstElement *rtc_peer_get_webrtcbin (RtcPeer *peer);

/* Sets @sdp, which is consumed, as the remote description. Certificates are
 * verified against it. Returns FALSE with @error (RTC_SDP_ERROR) if webrtcbin
 * refuses it. */
gboolean rtc_peer_set_remote (
    RtcPeer *peer, GstWebRTCSDPType type, GstSDPMessage *sdp, GError **error);

/* Creates an offer or an answer, sets it as the local description, and begins
 * to gather candidates; @gathered follows. @max_bitrate: limit for the video of
 * the peer, bit/s; 0: none. Returns FALSE with @error (RTC_SDP_ERROR) if
 * webrtcbin fails. */
gboolean rtc_peer_set_local (
    RtcPeer *peer, GstWebRTCSDPType type, guint max_bitrate, GError **error);

/* Returns the local description; NULL before rtc_peer_set_local(). Free with
 * gst_webrtc_session_description_free(). */
GstWebRTCSessionDescription *rtc_peer_get_local (RtcPeer *peer);

/* Returns the local description with the candidates gathered so far, as it is
 * sent to the other side. @offer: the offer that it answers with @choice; NULL
 * if it is an offer. Returns NULL with @error if there is no description, or no
 * free port in port-range. Caller frees. */
gchar *rtc_peer_describe (RtcPeer *peer, const GstSDPMessage *offer,
    const RtcSdpChoice *choice, GError **error);

/* Returns @text, a description or an ICE fragment, with public-address in its
 * host candidates. Caller frees. */
gchar *rtc_peer_publish (RtcPeer *peer, const gchar *text);

/* Watches the DTLS transports. They exist once both descriptions are set; some
 * peers close DTLS only, and the connection state of webrtcbin stays. */
void rtc_peer_watch_dtls (RtcPeer *peer);

/* Ends the session, unless it has ended: calls @ended. */
void rtc_peer_end (RtcPeer *peer, const gchar *reason);
/* Like rtc_peer_end(), later on the control thread. Any thread. */
void rtc_peer_fail (RtcPeer *peer, const gchar *reason);

gboolean rtc_peer_has_ended (RtcPeer *peer);
/* Returns TRUE if the session ended because the certificate of the peer is not
 * the one in its description. */
gboolean rtc_peer_is_refused (RtcPeer *peer);
/* Returns TRUE after @connected. Any thread. */
gboolean rtc_peer_is_connected (RtcPeer *peer);

/* --- sessions without a webrtcbin: states of another transport; any thread ---
 */

/* The local candidates are known: @gathered follows. */
void rtc_peer_note_gathered (RtcPeer *peer);
/* The transport is connected, and it has verified the certificate of the peer:
 * @connected follows. */
void rtc_peer_note_connected (RtcPeer *peer, const gchar *pair);
/* The certificate of the peer is not the one in its description: @ended
 * follows. */
void rtc_peer_note_refused (RtcPeer *peer);

/* --- elements of a session; any thread --- */

/* Returns a new element (floating), or NULL with @error, which names the Debian
 * packages. */
GstElement *rtc_peer_make (const gchar *factory, GError **error);

/* Marks @element, before it is used, as part of the session @owner. */
void rtc_peer_set_owner (GstElement *element, gpointer owner);
/* Returns TRUE if @object is an element of the session @owner, or inside one. */
gboolean rtc_peer_has_owner (GstObject *object, gpointer owner);

G_END_DECLS
