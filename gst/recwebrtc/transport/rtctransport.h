/* gst-tsrec: the ICE-lite, DTLS and SRTP side of one peer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Answers the connectivity checks of a full agent (RFC 8445 section 2.5: we
 * are lite, and therefore controlled), follows the peer to the address that it
 * nominates, sends nothing to a peer that does not consent (RFC 7675), and
 * gives out what is authentic. The certificate of the peer is checked during
 * the DTLS handshake.
 *
 * Threads: callbacks come from the thread of the port, with the lock of the
 * port held: they must not block, and not call a function of another transport
 * or port. Functions may be called from any thread, also from callbacks, unless
 * they say otherwise.
 */

#pragma once

#include "rtcudpport.h"

G_BEGIN_DECLS

typedef struct _RtcTransport RtcTransport;

/**
 * RtcTransportEnd:
 * @RTC_TRANSPORT_CLOSED: the peer has closed DTLS
 * @RTC_TRANSPORT_FAILED: DTLS failed
 * @RTC_TRANSPORT_REFUSED: the certificate was not verified
 * @RTC_TRANSPORT_EXPIRED: the peer no longer consents to be sent to
 */
typedef enum
{
  RTC_TRANSPORT_CLOSED,
  RTC_TRANSPORT_FAILED,
  RTC_TRANSPORT_REFUSED,
  RTC_TRANSPORT_EXPIRED
} RtcTransportEnd;

/**
 * RtcTransportCallbacks:
 * @verify: returns whether the peer may have the certificate @pem
 * @connected: the peer is verified, its media can be decrypted; @pair names the
 *   two addresses
 * @ended: nothing more comes; once
 * @wanted: returns whether an RTP packet, of which only the header can be read
 *   and nothing is authentic, is worth to be decrypted; NULL: each is
 * @rtp: an authentic RTP packet, which may be changed in place; @arrival:
 *   monotonic time at which the kernel got it, µs
 * @rtcp: an authentic RTCP packet
 * @tick: called when it is due, and after a batch in which something came for
 *   this transport; also after @ended. Returns when it is due next, µs of the monotonic time
 */
typedef struct
{
  gboolean (*verify) (const gchar *pem, gpointer user_data);
  void (*connected) (const gchar *pair, gpointer user_data);
  void (*ended) (RtcTransportEnd end, gpointer user_data);
  gboolean (*wanted) (
      const guint8 *data, gsize size, gint64 arrival, gpointer user_data);
  void (*rtp) (guint8 *data, gsize size, gint64 arrival, gpointer user_data);
  void (*rtcp) (
      const guint8 *data, gsize size, gint64 arrival, gpointer user_data);
  gint64 (*tick) (gint64 now, gpointer user_data);
} RtcTransportCallbacks;

/* @server: the peer begins the DTLS handshake (we are a=setup:passive), else we
 * do. Takes a reference of @port. NULL with @error (G_IO_ERROR). */
RtcTransport *rtc_transport_new (RtcUdpPort *port, gboolean server,
    const RtcTransportCallbacks *callbacks, gpointer user_data, GError **error);
/* Says goodbye to the peer. No callback runs after it has returned. NULL is
 * allowed. Not from a callback. */
void rtc_transport_free (RtcTransport *transport);

/* Owned by the transport; change with rtc_transport_restart_ice(). */
const gchar *rtc_transport_get_ufrag (RtcTransport *transport);
const gchar *rtc_transport_get_pwd (RtcTransport *transport);
const gchar *rtc_transport_get_fingerprint (RtcTransport *transport);

/* Takes other credentials (RFC 8445 section 9). Those of before count until a
 * check with the new ones has come. Same thread as rtc_transport_free(). */
void rtc_transport_restart_ice (RtcTransport *transport);

/* Sends @data, one compound RTCP packet. Returns FALSE before the peer is
 * connected, and without its consent. */
gboolean rtc_transport_send_rtcp (
    RtcTransport *transport, const guint8 *data, gsize size);
/* Returns µs of a round trip, seen in the DTLS handshake; 0: unknown. */
gint64 rtc_transport_get_round_trip (RtcTransport *transport);
/* Monotonic time of the last authentic packet of the peer, µs; that of
 * rtc_transport_new() before there was one. */
gint64 rtc_transport_get_last_packet (RtcTransport *transport);
/* @ssrc has ended: another one may take its place. */
void rtc_transport_remove_ssrc (RtcTransport *transport, guint32 ssrc);

G_END_DECLS
