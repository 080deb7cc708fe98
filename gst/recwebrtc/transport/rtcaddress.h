/* gst-tsrec: an IP address and a port, as a key
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>
#include <netinet/in.h>
#include <sys/socket.h>

G_BEGIN_DECLS

/**
 * RtcAddress:
 * @bytes: IPv4 in the first four
 * @scope: interface of a link-local IPv6 address, 0: none
 * @port: host byte order
 * @family: AF_INET or AF_INET6; AF_UNSPEC: none
 * @tcp: of TCP, else of UDP
 *
 * Without padding, so that it can be compared as a whole.
 */
typedef struct
{
  guint8 bytes[16];
  guint32 scope;
  guint16 port;
  guint8 family;
  guint8 tcp;
} RtcAddress;

G_STATIC_ASSERT (sizeof (RtcAddress) == 24);

/* Returns an address of AF_UNSPEC for other families. */
RtcAddress rtc_address_from_sockaddr (const struct sockaddr *from);
/* Without @tcp. Returns the size of *@to. */
socklen_t rtc_address_to_sockaddr (
    const RtcAddress *address, struct sockaddr_storage *to);
/* "192.0.2.1:5000", "[2001:db8::1]:5000", "192.0.2.1:5000/tcp". Caller frees. */
gchar *rtc_address_to_string (const RtcAddress *address);
/* GHashFunc, differs between processes. */
guint rtc_address_hash (gconstpointer address);
/* GEqualFunc */
gboolean rtc_address_equal (gconstpointer a, gconstpointer b);
/* Hash of the host: the address without its port, and of IPv6 the first 64 bits,
 * as a host may have all of the others. */
guint rtc_address_hash_host (const RtcAddress *address);
gboolean rtc_address_is_same_host (const RtcAddress *a, const RtcAddress *b);

G_END_DECLS
