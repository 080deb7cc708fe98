/* gst-tsrec: ICE over TCP, beside a UDP port of the same number
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Accepts connections of peers that cannot send UDP (RFC 6544: we are passive),
 * and gives out the datagrams that they are cut into (RFC 4571). Who belongs to
 * whom, and what is authentic, is decided as for UDP. Not thread safe: the caller
 * locks.
 */

#pragma once

#include "rtcaddress.h"

#include <glib.h>

G_BEGIN_DECLS

/* Connections at a time; further ones are closed at once. */
#define RTC_TCP_PORT_MAX_CONNECTIONS 1024
/* Those of one host that may be of no session. */
#define RTC_TCP_PORT_MAX_STRANGERS 64
/* µs for which a connection may be of no session. */
#define RTC_TCP_PORT_TIMEOUT (10 * G_TIME_SPAN_SECOND)

typedef struct _RtcTcpPort RtcTcpPort;

/**
 * RtcTcpPortCallbacks:
 * @datagram: has come from @remote; @data is aligned, and may be changed
 * @is_used: returns whether @remote belongs to a session
 */
typedef struct
{
  void (*datagram) (guint8 *data, gsize size, const RtcAddress *remote,
      const RtcAddress *local, gint64 arrival, gpointer user_data);
  gboolean (*is_used) (const RtcAddress *remote, gpointer user_data);
} RtcTcpPortCallbacks;

/* Listens at @number; NULL with @error (G_IO_ERROR). */
RtcTcpPort *rtc_tcp_port_new (guint number,
    const RtcTcpPortCallbacks *callbacks, gpointer user_data, GError **error);
/* Closes all connections. NULL is allowed. */
void rtc_tcp_port_free (RtcTcpPort *port);

/* A descriptor that can be read when there is something to do. */
gint rtc_tcp_port_get_fd (RtcTcpPort *port);
/* Takes what has come. Returns how many datagrams. */
guint rtc_tcp_port_receive (RtcTcpPort *port, gint64 now);
/* Closes connections that are of no session, and accepts again after there was no
 * descriptor for one. Returns when it is to be called again, G_MAXINT64: when
 * there are connections. */
gint64 rtc_tcp_port_tick (RtcTcpPort *port, gint64 now);
/* Sends to @remote, an address that has @tcp. What does not fit into the socket
 * is lost. */
void rtc_tcp_port_send (
    RtcTcpPort *port, const RtcAddress *remote, const guint8 *data, gsize size);

G_END_DECLS
