/* gst-tsrec: an IP address and a port, as a key
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcaddress.h"

#include <arpa/inet.h>
#include <string.h>

/* Bytes that tell hosts apart: the whole of IPv4, a subnet of IPv6. */
#define HOST_SIZE 8

RtcAddress
rtc_address_from_sockaddr (const struct sockaddr *from)
{
  RtcAddress address;

  memset (&address, 0, sizeof (address));
  if (from->sa_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)from;

    address.family = AF_INET;
    address.port = ntohs (in->sin_port);
    memcpy (address.bytes, &in->sin_addr, 4);
  } else if (from->sa_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;

    address.family = AF_INET6;
    address.port = ntohs (in6->sin6_port);
    address.scope = in6->sin6_scope_id;
    memcpy (address.bytes, &in6->sin6_addr, 16);
  }
  return address;
}

socklen_t
rtc_address_to_sockaddr (const RtcAddress *self, struct sockaddr_storage *to)
{
  memset (to, 0, sizeof (*to));
  if (self->family == AF_INET) {
    struct sockaddr_in *in = (struct sockaddr_in *)to;

    in->sin_family = AF_INET;
    in->sin_port = htons (self->port);
    memcpy (&in->sin_addr, self->bytes, 4);
    return sizeof (*in);
  } else {
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;

    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons (self->port);
    in6->sin6_scope_id = self->scope;
    memcpy (&in6->sin6_addr, self->bytes, 16);
    return sizeof (*in6);
  }
}

gchar *
rtc_address_to_string (const RtcAddress *self)
{
  gchar text[INET6_ADDRSTRLEN] = "";

  if (self->family == AF_UNSPEC)
    return g_strdup ("unknown");
  inet_ntop (self->family, self->bytes, text, sizeof (text));
  return g_strdup_printf (self->family == AF_INET ? "%s:%u%s" : "[%s]:%u%s",
      text, self->port, self->tcp ? "/tcp" : "");
}

/* Not to be guessed: a sender that could would make all of its addresses fall
 * into one bucket. */
static guint64
get_seed (void)
{
  static gsize seed = 0;

  if (g_once_init_enter (&seed))
    g_once_init_leave (
        &seed, ((gsize)g_random_int () << 32 | (gsize)g_random_int ()) | 1);
  return seed;
}

static guint64
mix (guint64 hash, guint64 word)
{
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 29;
}

static guint64
hash_bytes (const RtcAddress *self, gsize size)
{
  guint64 words[2] = { 0 };

  memcpy (words, self->bytes, size);
  return mix (mix (get_seed (), words[0]), words[1]);
}

guint
rtc_address_hash (gconstpointer address)
{
  const RtcAddress *self = address;

  return (guint)mix (hash_bytes (self, sizeof (self->bytes)), self->port);
}

guint
rtc_address_hash_host (const RtcAddress *self)
{
  return (guint)(hash_bytes (self, HOST_SIZE) >> 16);
}

gboolean
rtc_address_is_same_host (const RtcAddress *a, const RtcAddress *b)
{
  return a->family == b->family && memcmp (a->bytes, b->bytes, HOST_SIZE) == 0;
}

gboolean
rtc_address_equal (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (RtcAddress)) == 0;
}
