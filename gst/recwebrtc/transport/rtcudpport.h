/* gst-tsrec: one UDP port for all sessions of the process
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A socket for IPv4 and one for IPv6, and a thread that takes what arrives
 * there in batches and gives it to the RtcTransport it belongs to: STUN by the
 * ufrag of its USERNAME, everything else by the address it comes from, which a
 * valid connectivity check has introduced. What comes from other addresses is
 * dropped at the cost of looking it up; STUN from such an address is limited.
 *
 * Everybody in the process who opens a port number gets the same port.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Transports of one port. */
#define RTC_UDP_PORT_MAX_TRANSPORTS 4096
/* Messages of STUN a second that are not authentic, after which those of a host
 * are not looked at, unless they come from a known address. */
#define RTC_UDP_PORT_MAX_FAILURES 50

typedef struct _RtcUdpPort RtcUdpPort;

/**
 * RtcUdpPortStats:
 * @received: datagrams
 * @unknown: datagrams dropped because nothing is known of where they come from
 * @limited: STUN dropped because an address sends too much of it
 * @refused: datagrams dropped because they are not authentic
 * @skipped: RTP that was not decrypted, as nobody wanted it
 * @drops: datagrams that the kernel dropped because the socket was full
 * @buffer: bytes that the kernel granted the socket, the smaller of two
 */
typedef struct
{
  guint64 received;
  guint64 unknown;
  guint64 limited;
  guint64 refused;
  guint64 skipped;
  guint64 drops;
  guint buffer;
} RtcUdpPortStats;

/* Returns a reference of the port @number, 1 to 65535, which is opened when
 * nobody in this process has it yet; NULL with @error (G_IO_ERROR) when
 * another process has. @batch_interval: µs for which packets gather before the
 * thread wakes up, 0: none; the shortest that anybody asks for counts. Not on a
 * streaming thread. */
RtcUdpPort *rtc_udp_port_open (
    guint number, gint64 batch_interval, GError **error);
/* Accepts ICE over TCP (RFC 6544) at the same number too, for everybody who uses
 * the port, until it is closed. Returns FALSE with @error (G_IO_ERROR). */
gboolean rtc_udp_port_open_tcp (RtcUdpPort *port, GError **error);
/* Closes the port with the last reference. NULL is allowed. Not from a callback
 * of a transport. */
void rtc_udp_port_close (RtcUdpPort *port);

guint rtc_udp_port_get_number (RtcUdpPort *port);
/* Host candidates: "candidate:…" for each address of this host that the port
 * can be reached at (RFC 8839 section 5.1). g_strfreev(). */
gchar **rtc_udp_port_list_candidates (RtcUdpPort *port);
/* Any thread. */
void rtc_udp_port_get_stats (RtcUdpPort *port, RtcUdpPortStats *stats);

G_END_DECLS
