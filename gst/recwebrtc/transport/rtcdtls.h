/* gst-tsrec: one DTLS association, for the keys of SRTP
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * DTLS 1.2 by OpenSSL (and what of 1.3 the library has), client or server, on
 * datagrams that the caller receives and sends. The certificate of the peer is
 * given to the caller during the handshake, which fails unless the caller
 * accepts it: no byte of a peer counts before that. Not thread safe: one
 * thread at a time.
 */

#pragma once

#include "rtccertificate.h"
#include "rtcsrtp.h"

G_BEGIN_DECLS

typedef struct _RtcDtls RtcDtls;

/**
 * RtcDtlsState:
 * @RTC_DTLS_CONNECTING: the handshake is not complete
 * @RTC_DTLS_CONNECTED: the peer is verified, rtc_dtls_get_keys() has keys
 * @RTC_DTLS_CLOSED: the peer has sent close_notify
 * @RTC_DTLS_FAILED: the handshake failed, or the peer sent a fatal alert
 */
typedef enum
{
  RTC_DTLS_CONNECTING,
  RTC_DTLS_CONNECTED,
  RTC_DTLS_CLOSED,
  RTC_DTLS_FAILED
} RtcDtlsState;

/**
 * RtcDtlsCallbacks:
 * @send: a datagram is to be sent to the peer
 * @verify: returns whether the peer may have the certificate @pem
 *
 * Called from inside of the functions below.
 */
typedef struct
{
  void (*send) (const guint8 *data, gsize size, gpointer user_data);
  gboolean (*verify) (const gchar *pem, gpointer user_data);
} RtcDtlsCallbacks;

/* Returns whether a datagram is DTLS (RFC 7983: its first byte is 20 to 63). */
gboolean rtc_dtls_is_dtls (const guint8 *data, gsize size);

/* @server: waits for the peer, else rtc_dtls_start() begins. Takes a reference
 * of @certificate. */
RtcDtls *rtc_dtls_new (RtcCertificate *certificate, gboolean server,
    const RtcDtlsCallbacks *callbacks, gpointer user_data);
/* Sends close_notify when it is connected. NULL is allowed. */
void rtc_dtls_free (RtcDtls *dtls);

/* Sends the ClientHello of a client; nothing for a server. */
RtcDtlsState rtc_dtls_start (RtcDtls *dtls);
/* A datagram of the peer. Application data is dropped. */
RtcDtlsState rtc_dtls_receive (RtcDtls *dtls, const guint8 *data, gsize size);
RtcDtlsState rtc_dtls_get_state (RtcDtls *dtls);
/* Returns whether the handshake failed because the certificate was refused. */
gboolean rtc_dtls_is_refused (RtcDtls *dtls);

/* Returns µs until rtc_dtls_retransmit() is due, -1: never. */
gint64 rtc_dtls_get_timeout (RtcDtls *dtls);
RtcDtlsState rtc_dtls_retransmit (RtcDtls *dtls);

/* Returns FALSE unless the association is connected and a protection profile
 * of SRTP was agreed on. */
gboolean rtc_dtls_get_keys (RtcDtls *dtls, RtcSrtpKeys *keys);

G_END_DECLS
