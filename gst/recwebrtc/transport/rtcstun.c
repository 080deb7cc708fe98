/* gst-tsrec: STUN Binding messages of ICE
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcstun.h"

#include <netinet/in.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/socket.h>

#define MAGIC_COOKIE 0x2112a442u
#define FINGERPRINT_XOR 0x5354554eu
#define INTEGRITY_SIZE 20

/* Attribute types: RFC 8489 section 18.3, RFC 8445 section 20.1. */
#define ATTRIBUTE_USERNAME 0x0006
#define ATTRIBUTE_INTEGRITY 0x0008
#define ATTRIBUTE_ERROR_CODE 0x0009
#define ATTRIBUTE_UNKNOWN_ATTRIBUTES 0x000a
#define ATTRIBUTE_XOR_MAPPED_ADDRESS 0x0020
#define ATTRIBUTE_PRIORITY 0x0024
#define ATTRIBUTE_USE_CANDIDATE 0x0025
#define ATTRIBUTE_FINGERPRINT 0x8028
#define ATTRIBUTE_CONTROLLED 0x8029
#define ATTRIBUTE_CONTROLLING 0x802a
/* Types below it must be understood (RFC 8489 section 14). */
#define FIRST_OPTIONAL 0x8000

#define FAMILY_IPV4 1
#define FAMILY_IPV6 2

static guint16
read_u16 (const guint8 *data)
{
  return (guint16)(data[0] << 8 | data[1]);
}

static guint32
read_u32 (const guint8 *data)
{
  return (guint32)read_u16 (data) << 16 | read_u16 (data + 2);
}

static void
write_u16 (guint8 *out, guint value)
{
  out[0] = (guint8)(value >> 8);
  out[1] = (guint8)value;
}

static void
write_u32 (guint8 *out, guint32 value)
{
  write_u16 (out, value >> 16);
  write_u16 (out + 2, value & 0xffff);
}

/* --- FINGERPRINT and MESSAGE-INTEGRITY --- */

/* CRC-32 of ITU-T V.42, which neither GLib nor OpenSSL has; four bits at a
 * time. */
static guint32
crc32 (const guint8 *data, gsize size)
{
  static const guint32 table[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8,
    0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c, 0xedb88320,
    0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278,
    0xbdbdf21c };
  guint32 crc = 0xffffffffu;

  for (gsize i = 0; i < size; i++) {
    crc = table[(crc ^ data[i]) & 15] ^ crc >> 4;
    crc = table[(crc ^ data[i] >> 4) & 15] ^ crc >> 4;
  }
  return ~crc;
}

/* HMAC-SHA1 over the message up to @size, with a length field that ends with
 * MESSAGE-INTEGRITY (RFC 8489 section 14.5). */
static void
compute_integrity (const guint8 *data, gsize size, const gchar *password,
    guint8 digest[INTEGRITY_SIZE])
{
  GHmac *hmac =
      g_hmac_new (G_CHECKSUM_SHA1, (const guchar *)password, strlen (password));
  gsize length = INTEGRITY_SIZE;
  guint8 header[4];

  memcpy (header, data, 2);
  write_u16 (header + 2, size + 4 + INTEGRITY_SIZE - RTC_STUN_HEADER_SIZE);
  g_hmac_update (hmac, header, sizeof (header));
  g_hmac_update (
      hmac, data + sizeof (header), (gssize)(size - sizeof (header)));
  g_hmac_get_digest (hmac, digest, &length);
  g_hmac_unref (hmac);
}

/* --- reading --- */

gboolean
rtc_stun_is_stun (const guint8 *data, gsize size)
{
  return size >= RTC_STUN_HEADER_SIZE && data[0] <= 3 &&
      read_u32 (data + 4) == MAGIC_COOKIE;
}

static void
parse_role (RtcStunMessage *message, const guint8 *value, gboolean controlling)
{
  message->tie_breaker = (guint64)read_u32 (value) << 32 | read_u32 (value + 4);
  message->controlling |= controlling;
  message->controlled |= !controlling;
}

/* Returns FALSE when an attribute has a size that it cannot have. */
static gboolean
parse_attribute (RtcStunMessage *message, guint16 type, const guint8 *value,
    gsize size, gsize offset)
{
  switch (type) {
    case ATTRIBUTE_USERNAME:
      if (size > RTC_STUN_MAX_USERNAME)
        return FALSE;
      message->username = (const gchar *)value;
      message->username_size = size;
      return TRUE;
    case ATTRIBUTE_INTEGRITY:
      message->integrity = offset;
      return size == INTEGRITY_SIZE;
    case ATTRIBUTE_PRIORITY:
      if (size == 4)
        message->priority = read_u32 (value);
      return size == 4;
    case ATTRIBUTE_USE_CANDIDATE:
      message->use_candidate = TRUE;
      return size == 0;
    case ATTRIBUTE_CONTROLLED:
    case ATTRIBUTE_CONTROLLING:
      if (size == 8)
        parse_role (message, value, type == ATTRIBUTE_CONTROLLING);
      return size == 8;
    case ATTRIBUTE_ERROR_CODE:
      if (size >= 4)
        message->error = (value[2] & 7u) * 100 + value[3];
      return size >= 4;
    case ATTRIBUTE_XOR_MAPPED_ADDRESS:
      message->mapped = value;
      message->mapped_size = size;
      return TRUE;
    case ATTRIBUTE_UNKNOWN_ATTRIBUTES:
      return TRUE;
    default:
      if (type < FIRST_OPTIONAL && message->unknown == 0)
        message->unknown = type;
      return TRUE;
  }
}

/* FINGERPRINT is the last attribute (RFC 8489 section 14.7). */
static gboolean
check_fingerprint (const guint8 *data, gsize size, gsize offset)
{
  return offset + 8 == size && read_u16 (data + offset + 2) == 4 &&
      read_u32 (data + offset + 4) == (crc32 (data, offset) ^ FINGERPRINT_XOR);
}

gboolean
rtc_stun_parse (const guint8 *data, gsize size, RtcStunMessage *message)
{
  gsize at = RTC_STUN_HEADER_SIZE;

  memset (message, 0, sizeof (*message));
  if (!rtc_stun_is_stun (data, size) || size % 4 != 0 ||
      read_u16 (data + 2) != size - RTC_STUN_HEADER_SIZE)
    return FALSE;
  message->type = read_u16 (data);
  message->id = data + 8;
  while (at < size) {
    guint16 type = read_u16 (data + at);
    gsize length = read_u16 (data + at + 2);

    if (length > size - at - 4)
      return FALSE;
    if (type == ATTRIBUTE_FINGERPRINT) {
      message->has_fingerprint = check_fingerprint (data, size, at);
      return message->has_fingerprint;
    }
    if (message->integrity == 0 &&
        !parse_attribute (message, type, data + at + 4, length, at))
      return FALSE;
    /* @size is a multiple of 4, so the padding is inside of it. */
    at += 4 + ((length + 3) & ~(gsize)3);
  }
  return TRUE;
}

gboolean
rtc_stun_verify (
    const guint8 *data, const RtcStunMessage *message, const gchar *password)
{
  guint8 digest[INTEGRITY_SIZE];

  if (message->integrity == 0)
    return FALSE;
  compute_integrity (data, message->integrity, password, digest);
  return CRYPTO_memcmp (
             digest, data + message->integrity + 4, INTEGRITY_SIZE) == 0;
}

gboolean
rtc_stun_get_mapped_address (
    const RtcStunMessage *message, struct sockaddr_storage *address)
{
  const guint8 *value = message->mapped;
  guint16 port;

  memset (address, 0, sizeof (*address));
  if (!value || message->mapped_size < 8)
    return FALSE;
  port = read_u16 (value + 2) ^ (MAGIC_COOKIE >> 16);
  if (value[1] == FAMILY_IPV4 && message->mapped_size == 8) {
    struct sockaddr_in *in = (struct sockaddr_in *)address;

    in->sin_family = AF_INET;
    in->sin_port = htons (port);
    in->sin_addr.s_addr = htonl (read_u32 (value + 4) ^ MAGIC_COOKIE);
    return TRUE;
  }
  if (value[1] == FAMILY_IPV6 && message->mapped_size == 20) {
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;
    guint8 mask[16];

    write_u32 (mask, MAGIC_COOKIE);
    memcpy (mask + 4, message->id, RTC_STUN_ID_SIZE);
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons (port);
    for (guint i = 0; i < 16; i++)
      in6->sin6_addr.s6_addr[i] = value[4 + i] ^ mask[i];
    return TRUE;
  }
  return FALSE;
}

/* --- writing --- */

static gsize
write_header (guint8 *out, guint16 type, const guint8 *id)
{
  write_u16 (out, type);
  write_u16 (out + 2, 0);
  write_u32 (out + 4, MAGIC_COOKIE);
  memcpy (out + 8, id, RTC_STUN_ID_SIZE);
  return RTC_STUN_HEADER_SIZE;
}

/* Returns the offset behind the attribute, padded with zeros. */
static gsize
write_attribute (
    guint8 *out, gsize at, guint16 type, const void *value, gsize size)
{
  gsize padded = (size + 3) & ~(gsize)3;

  write_u16 (out + at, type);
  write_u16 (out + at + 2, size);
  memset (out + at + 4, 0, padded);
  if (size > 0)
    memcpy (out + at + 4, value, size);
  return at + 4 + padded;
}

/* Ends the message with MESSAGE-INTEGRITY, unless @password is NULL, and
 * FINGERPRINT. */
static gsize
finish (guint8 *out, gsize at, const gchar *password)
{
  guint8 digest[INTEGRITY_SIZE], fingerprint[4];

  if (password) {
    compute_integrity (out, at, password, digest);
    at =
        write_attribute (out, at, ATTRIBUTE_INTEGRITY, digest, sizeof (digest));
  }
  write_u16 (out + 2, at + 8 - RTC_STUN_HEADER_SIZE);
  write_u32 (fingerprint, crc32 (out, at) ^ FINGERPRINT_XOR);
  return write_attribute (
      out, at, ATTRIBUTE_FINGERPRINT, fingerprint, sizeof (fingerprint));
}

gsize
rtc_stun_write_request (
    guint8 *out, const guint8 *id, const RtcStunRequest *request)
{
  gsize at = write_header (out, RTC_STUN_BINDING_REQUEST, id);
  guint8 value[8];

  at = write_attribute (out, at, ATTRIBUTE_USERNAME, request->username,
      MIN (strlen (request->username), RTC_STUN_MAX_USERNAME));
  write_u32 (value, request->priority);
  at = write_attribute (out, at, ATTRIBUTE_PRIORITY, value, 4);
  write_u32 (value, (guint32)(request->tie_breaker >> 32));
  write_u32 (value + 4, (guint32)request->tie_breaker);
  at = write_attribute (out, at,
      request->controlling ? ATTRIBUTE_CONTROLLING : ATTRIBUTE_CONTROLLED,
      value, 8);
  if (request->use_candidate)
    at = write_attribute (out, at, ATTRIBUTE_USE_CANDIDATE, NULL, 0);
  return finish (out, at, request->password);
}

gsize
rtc_stun_write_success (guint8 *out, const guint8 *id,
    const struct sockaddr *address, const gchar *password)
{
  gsize at = write_header (out, RTC_STUN_BINDING_SUCCESS, id);
  guint8 value[20] = { 0 };
  gsize size;

  if (address->sa_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;

    value[1] = FAMILY_IPV6;
    write_u16 (value + 2, ntohs (in6->sin6_port) ^ (MAGIC_COOKIE >> 16));
    /* The cookie and the transaction id, as they are in the header. */
    for (guint i = 0; i < 16; i++)
      value[4 + i] = in6->sin6_addr.s6_addr[i] ^ out[4 + i];
    size = 20;
  } else {
    const struct sockaddr_in *in = (const struct sockaddr_in *)address;

    value[1] = FAMILY_IPV4;
    write_u16 (value + 2, ntohs (in->sin_port) ^ (MAGIC_COOKIE >> 16));
    write_u32 (value + 4, ntohl (in->sin_addr.s_addr) ^ MAGIC_COOKIE);
    size = 8;
  }
  at = write_attribute (out, at, ATTRIBUTE_XOR_MAPPED_ADDRESS, value, size);
  return finish (out, at, password);
}

static const gchar *
error_reason (guint code)
{
  switch (code) {
    case RTC_STUN_BAD_REQUEST:
      return "Bad Request";
    case RTC_STUN_UNAUTHENTICATED:
      return "Unauthenticated";
    case RTC_STUN_UNKNOWN_ATTRIBUTE:
      return "Unknown Attribute";
    case RTC_STUN_ROLE_CONFLICT:
      return "Role Conflict";
    default:
      return "Error";
  }
}

gsize
rtc_stun_write_error (guint8 *out, const guint8 *id, guint code,
    guint16 unknown, const gchar *password)
{
  const gchar *reason = error_reason (code);
  gsize at = write_header (out, RTC_STUN_BINDING_ERROR, id);
  guint8 value[4 + 32] = { 0 };

  value[2] = (guint8)(code / 100);
  value[3] = (guint8)(code % 100);
  memcpy (value + 4, reason, strlen (reason));
  at = write_attribute (
      out, at, ATTRIBUTE_ERROR_CODE, value, 4 + strlen (reason));
  if (unknown != 0) {
    write_u16 (value, unknown);
    at = write_attribute (out, at, ATTRIBUTE_UNKNOWN_ATTRIBUTES, value, 2);
  }
  return finish (out, at, password);
}
