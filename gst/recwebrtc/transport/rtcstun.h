/* gst-tsrec: STUN Binding messages of ICE
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads and writes the messages of connectivity checks: RFC 8489, with the
 * attributes of RFC 8445 section 16. Bounds are checked here, so that the
 * caller can trust what a parsed message says. No thread, no allocation that
 * outlives a call.
 */

#pragma once

#include <glib.h>
#include <sys/socket.h>

G_BEGIN_DECLS

#define RTC_STUN_HEADER_SIZE 20
#define RTC_STUN_ID_SIZE 12
/* Room for every message that this file writes. */
#define RTC_STUN_MAX_SIZE 768
/* RFC 8489 section 14.3. */
#define RTC_STUN_MAX_USERNAME 508

/* Class and method of a message (RFC 8489 section 5). */
#define RTC_STUN_BINDING_REQUEST 0x0001
#define RTC_STUN_BINDING_INDICATION 0x0011
#define RTC_STUN_BINDING_SUCCESS 0x0101
#define RTC_STUN_BINDING_ERROR 0x0111

/* Codes of ERROR-CODE (RFC 8489 section 14.8, RFC 8445 section 16.1). */
#define RTC_STUN_BAD_REQUEST 400
#define RTC_STUN_UNAUTHENTICATED 401
#define RTC_STUN_UNKNOWN_ATTRIBUTE 420
#define RTC_STUN_ROLE_CONFLICT 487

/**
 * RtcStunMessage:
 * @type: class and method
 * @id: transaction id, RTC_STUN_ID_SIZE bytes in the packet
 * @username: in the packet, not terminated; NULL without USERNAME
 * @username_size: bytes in @username
 * @integrity: offset of MESSAGE-INTEGRITY in the packet, 0 without one
 * @has_fingerprint: FINGERPRINT is there, and was right
 * @use_candidate: USE-CANDIDATE is there
 * @controlling: ICE-CONTROLLING is there
 * @controlled: ICE-CONTROLLED is there
 * @tie_breaker: value of the role attribute
 * @priority: PRIORITY, 0 without one
 * @error: ERROR-CODE, 0 without one
 * @unknown: first attribute that must be understood and is not, 0: none
 * @mapped: XOR-MAPPED-ADDRESS in the packet, NULL without one
 * @mapped_size: bytes in @mapped
 *
 * Points into the packet it was parsed from.
 */
typedef struct
{
  guint16 type;
  const guint8 *id;
  const gchar *username;
  gsize username_size;
  gsize integrity;
  gboolean has_fingerprint;
  gboolean use_candidate;
  gboolean controlling;
  gboolean controlled;
  guint64 tie_breaker;
  guint32 priority;
  guint error;
  guint16 unknown;
  const guint8 *mapped;
  gsize mapped_size;
} RtcStunMessage;

/* Returns whether a datagram is STUN rather than DTLS, RTP or RTCP (RFC 7983),
 * by its first byte and the magic cookie. */
gboolean rtc_stun_is_stun (const guint8 *data, gsize size);

/* Returns FALSE when the datagram is not a well-formed STUN message, or its
 * FINGERPRINT is wrong; *@message is then undefined. Attributes behind
 * MESSAGE-INTEGRITY are ignored, except FINGERPRINT (RFC 8489 section 14.5). */
gboolean rtc_stun_parse (
    const guint8 *data, gsize size, RtcStunMessage *message);

/* Returns whether @message, parsed from @data, has a MESSAGE-INTEGRITY made
 * with @password (short-term credentials, RFC 8489 section 9.1). */
gboolean rtc_stun_verify (
    const guint8 *data, const RtcStunMessage *message, const gchar *password);

/**
 * RtcStunRequest:
 * @username: "REMOTE:LOCAL"
 * @password: of the side that is asked
 * @controlling: ICE-CONTROLLING, else ICE-CONTROLLED
 * @use_candidate: nominates the pair
 * @tie_breaker: value of the role attribute
 * @priority: of the peer-reflexive candidate
 */
typedef struct
{
  const gchar *username;
  const gchar *password;
  gboolean controlling;
  gboolean use_candidate;
  guint64 tie_breaker;
  guint32 priority;
} RtcStunRequest;

/* The writers fill @out, RTC_STUN_MAX_SIZE bytes, and return how many of them
 * are used. @id: RTC_STUN_ID_SIZE bytes. */

/* A Binding request, as a full agent sends it. @request->username is at most
 * RTC_STUN_MAX_USERNAME bytes. */
gsize rtc_stun_write_request (
    guint8 *out, const guint8 *id, const RtcStunRequest *request);
/* The answer that a check succeeded: @address is where the request came
 * from. */
gsize rtc_stun_write_success (guint8 *out, const guint8 *id,
    const struct sockaddr *address, const gchar *password);
/* @password: NULL when the request could not be authenticated. @unknown: for
 * RTC_STUN_UNKNOWN_ATTRIBUTE, else 0. */
gsize rtc_stun_write_error (guint8 *out, const guint8 *id, guint code,
    guint16 unknown, const gchar *password);

/* Returns FALSE when @message has no XOR-MAPPED-ADDRESS that can be read. */
gboolean rtc_stun_get_mapped_address (
    const RtcStunMessage *message, struct sockaddr_storage *address);

G_END_DECLS
