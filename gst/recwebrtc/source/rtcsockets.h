/* gst-tsrec: the UDP sockets of a webrtcbin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A key frame of some hundred kB arrives in one burst. The kernel drops packets
 * that do not fit into the receive buffer of the socket, which by default holds
 * about 90 packets. Therefore a larger buffer is requested, and the drops are
 * counted.
 *
 * Both need libnice; without it, nothing is requested or counted. Control
 * thread, except for rtc_sockets_get().
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Receive buffer to request, bytes: enough for a picture of 3 MB, because the
 * kernel counts more than twice the size of a packet. */
#define RTC_SOCKETS_WANTED (8 * 1024 * 1024)

typedef struct _RtcSockets RtcSockets;

RtcSockets *rtc_sockets_new (void);
void rtc_sockets_free (RtcSockets *sockets);

/* Updates the list of sockets of @webrtc and the drop counters. Call it
 * repeatedly. Returns the number of packets dropped since the previous call. */
guint64 rtc_sockets_update (RtcSockets *sockets, GstElement *webrtc);

/* @drops: packets that the kernel dropped because the buffer was full.
 * @granted: size of the smallest receive buffer, bytes, as set with SO_RCVBUF;
 *   0 if there is no socket. Any thread. */
void rtc_sockets_get (RtcSockets *sockets, guint64 *drops, guint *granted);

/* Like rtc_sockets_get(), for one socket. Returns FALSE if the system does not
 * support it. */
guint rtc_sockets_enlarge (gint fd, guint wanted);
gboolean rtc_sockets_get_drops (gint fd, guint32 *drops);

G_END_DECLS
