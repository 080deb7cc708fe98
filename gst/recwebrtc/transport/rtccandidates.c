/* gst-tsrec: ICE candidates of this host
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtccandidates.h"
#include "rtcaddress.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>

/* RFC 8445 section 5.1.2.1, type preference of host candidates; lower for TCP
 * (RFC 6544 section 4.2), where a direction preference of 4 is that of passive
 * ones. IPv6 is first (RFC 8421), loopback last. */
static guint32
get_priority (
    const RtcAddress *address, gboolean loopback, gboolean tcp, guint index)
{
  guint local = loopback ? 0 : address->family == AF_INET6 ? 60000 : 40000;

  if (tcp)
    return (90u << 24) |
        (4u << 13 | (local / 8 + 1000 - MIN (index, 999))) << 8 | 255;
  return (126u << 24) | (MAX (local, 1000) - MIN (index, 999)) << 8 | 255;
}

static gchar *
make_candidate (guint number, const struct ifaddrs *interface,
    const gboolean families[2], gboolean tcp, guint index)
{
  gboolean loopback = (interface->ifa_flags & IFF_LOOPBACK) != 0;
  gchar text[INET6_ADDRSTRLEN];
  RtcAddress address;

  if (!interface->ifa_addr || !(interface->ifa_flags & IFF_UP))
    return NULL;
  address = rtc_address_from_sockaddr (interface->ifa_addr);
  if (address.family == AF_UNSPEC || !families[address.family == AF_INET6] ||
      (address.family == AF_INET6 &&
          IN6_IS_ADDR_LINKLOCAL ((struct in6_addr *)address.bytes)) ||
      !inet_ntop (address.family, address.bytes, text, sizeof (text)))
    return NULL;
  return g_strdup_printf ("candidate:%u 1 %s %u %s %u typ host%s", index + 1,
      tcp ? "TCP" : "UDP", get_priority (&address, loopback, tcp, index), text,
      number, tcp ? " tcptype passive" : "");
}

static void
add_candidates (GPtrArray *candidates, const struct ifaddrs *interfaces,
    guint number, const gboolean families[2], gboolean tcp)
{
  for (const struct ifaddrs *i = interfaces; i; i = i->ifa_next) {
    gchar *candidate =
        make_candidate (number, i, families, tcp, candidates->len);

    if (candidate)
      g_ptr_array_add (candidates, candidate);
  }
}

gchar **
rtc_candidates_list (guint number, gboolean ipv4, gboolean ipv6, gboolean tcp)
{
  const gboolean families[2] = { ipv4, ipv6 };
  GPtrArray *candidates = g_ptr_array_new ();
  struct ifaddrs *interfaces = NULL;

  if (getifaddrs (&interfaces) == 0) {
    add_candidates (candidates, interfaces, number, families, FALSE);
    if (tcp)
      add_candidates (candidates, interfaces, number, families, TRUE);
  }
  freeifaddrs (interfaces);
  g_ptr_array_add (candidates, NULL);
  return (gchar **)g_ptr_array_free (candidates, FALSE);
}
