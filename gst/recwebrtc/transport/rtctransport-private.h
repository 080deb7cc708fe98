/* gst-tsrec: what RtcUdpPort and RtcTransport share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "rtcaddress.h"
#include "rtcdtls.h"
#include "rtcstun.h"
#include "rtctransport.h"

G_BEGIN_DECLS

/* Addresses that a transport receives from at a time. */
#define RTC_TRANSPORT_MAX_PATHS 8

/**
 * RtcPath:
 * @remote: address of the peer
 * @local: address of ours that it reached
 * @last: when a check last succeeded, µs
 */
typedef struct
{
  RtcTransport *transport;
  RtcAddress remote;
  RtcAddress local;
  gint64 last;
} RtcPath;

/* All of it under the lock of the port. */
struct _RtcTransport
{
  RtcUdpPort *port;
  RtcTransportCallbacks callbacks;
  gpointer user_data;
  RtcCertificate *certificate;

  gchar *ufrag;
  gchar *pwd;
  gchar *old_ufrag; /* of before ICE was restarted, NULL: none */
  gchar *old_pwd;
  GPtrArray *paths; /* RtcPath */
  RtcPath *selected;

  RtcDtls *dtls;
  gboolean server;
  RtcSrtp *srtp;
  gboolean ended;
  gint64 flight_at; /* when our last flight was sent, 0: it is answered */
  gint64 round_trip;
  gint64 last_packet;
  gint64 dtls_second; /* in which @n_dtls datagrams of DTLS have come */
  guint n_dtls;
  gint64 check_second; /* in which @n_checks checks have come */
  guint n_checks;

  gint64 due;      /* of @callbacks.tick */
  gint64 dtls_due; /* of a retransmission */
  gboolean touched;
};

/**
 * RtcDatagram:
 * @path: known for @remote, NULL: none
 */
typedef struct
{
  guint8 *data;
  gsize size;
  RtcAddress remote;
  RtcAddress local;
  gint64 arrival;
  RtcPath *path;
} RtcDatagram;

/* --- rtcudpport.c; under the lock of the port --- */

void rtc_udp_port_lock (RtcUdpPort *port);
void rtc_udp_port_unlock (RtcUdpPort *port);
RtcUdpPort *rtc_udp_port_ref (RtcUdpPort *port);
/* Returns FALSE when there are too many. */
gboolean rtc_udp_port_add (RtcUdpPort *port, RtcTransport *transport);
void rtc_udp_port_remove (RtcUdpPort *port, RtcTransport *transport);
void rtc_udp_port_add_ufrag (
    RtcUdpPort *port, const gchar *ufrag, RtcTransport *transport);
void rtc_udp_port_remove_ufrag (RtcUdpPort *port, const gchar *ufrag);
void rtc_udp_port_add_path (RtcUdpPort *port, RtcPath *path);
void rtc_udp_port_remove_path (RtcUdpPort *port, RtcPath *path);
void rtc_udp_port_send (RtcUdpPort *port, const RtcAddress *local,
    const RtcAddress *remote, const guint8 *data, gsize size);
void rtc_udp_port_count_refused (RtcUdpPort *port);
void rtc_udp_port_count_skipped (RtcUdpPort *port);

/* --- rtctransport.c; under the lock of the port --- */

/* A Binding request that names @transport. Returns FALSE when it was not
 * authenticated. */
gboolean rtc_transport_take_check (RtcTransport *transport,
    RtcDatagram *datagram, const RtcStunMessage *message);
/* Anything else from a path of @transport. */
void rtc_transport_take (RtcTransport *transport, RtcDatagram *datagram);
/* Runs what is due. Returns when something is due next. */
gint64 rtc_transport_tick (RtcTransport *transport, gint64 now);

G_END_DECLS
