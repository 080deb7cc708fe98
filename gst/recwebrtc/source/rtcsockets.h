/* gst-tsrec: the UDP sockets of a webrtcbin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A key frame of some hundred kB arrives at once. The kernel drops what does
 * not fit into the receive buffer of the socket; by default that is about 90
 * packets. So a larger one is asked for, and the drops are counted.
 *
 * Needs libnice; without it there is nothing to ask and to count. Control
 * thread, but for rtc_sockets_get().
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Bytes that are asked for: a picture of 3 MB, as the kernel counts twice the
 * size of a packet and more. */
#define RTC_SOCKETS_WANTED (8 * 1024 * 1024)

typedef struct _RtcSockets RtcSockets;

RtcSockets *rtc_sockets_new (void);
void rtc_sockets_free (RtcSockets *sockets);

/* Looks for new sockets of @webrtc and new drops. To be called again and again.
 * Returns how many packets have been dropped since the last time. */
guint64 rtc_sockets_update (RtcSockets *sockets, GstElement *webrtc);

/* @drops: packets that the kernel has dropped because the buffer was full;
 * @granted: bytes of the smallest receive buffer, as SO_RCVBUF was set, 0 while
 * there is no socket. Any thread. */
void rtc_sockets_get (RtcSockets *sockets, guint64 *drops, guint *granted);

/* The same for one socket; FALSE where the system does not tell. */
guint rtc_sockets_enlarge (gint fd, guint wanted);
gboolean rtc_sockets_get_drops (gint fd, guint32 *drops);

G_END_DECLS
