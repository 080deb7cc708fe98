/* gst-tsrec: one DTLS association, for the keys of SRTP
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcdtls.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/srtp.h>
#include <string.h>
#include <sys/time.h>

/* Fits into every path that WebRTC can use. */
#define DTLS_MTU 1200
/* RFC 5764 section 4.2. */
#define EXPORTER_LABEL "EXTRACTOR-dtls_srtp"

struct _RtcDtls
{
  SSL *ssl;
  RtcCertificate *certificate;
  gboolean server;
  RtcDtlsState state;
  gboolean verified;
  gboolean refused;
  RtcDtlsCallbacks callbacks;
  gpointer user_data;
  /* the datagram that is being received, NULL: none */
  const guint8 *input;
  gsize input_size;
};

/* --- a BIO of datagrams --- */

static int
bio_write (BIO *bio, const char *data, int size)
{
  RtcDtls *self = BIO_get_data (bio);

  self->callbacks.send ((const guint8 *)data, (gsize)size, self->user_data);
  return size;
}

/* A datagram is read by one call, as from a socket. */
static int
bio_read (BIO *bio, char *data, int size)
{
  RtcDtls *self = BIO_get_data (bio);
  gsize n;

  BIO_clear_retry_flags (bio);
  if (!self->input) {
    BIO_set_retry_read (bio);
    return -1;
  }
  n = MIN (self->input_size, (gsize)size);
  memcpy (data, self->input, n);
  self->input = NULL;
  return (int)n;
}

static long
bio_ctrl (BIO *bio, int command, long number, void *pointer)
{
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
      return DTLS_MTU;
    default:
      return 0;
  }
}

static BIO_METHOD *
get_bio_method (void)
{
  static BIO_METHOD *method;
  static gsize once = 0;

  if (g_once_init_enter (&once)) {
    method = BIO_meth_new (BIO_get_new_index () | BIO_TYPE_SOURCE_SINK, "rtc");
    BIO_meth_set_write (method, bio_write);
    BIO_meth_set_read (method, bio_read);
    BIO_meth_set_ctrl (method, bio_ctrl);
    g_once_init_leave (&once, 1);
  }
  return method;
}

/* --- the certificate of the peer --- */

static gint
get_ssl_index (void)
{
  static gsize index = 0;

  /* One more, as 0 is a valid index. */
  if (g_once_init_enter (&index))
    g_once_init_leave (
        &index, (gsize)SSL_get_ex_new_index (0, NULL, NULL, NULL, NULL) + 1);
  return (gint)index - 1;
}

static gchar *
make_pem (X509 *x509)
{
  BIO *bio = BIO_new (BIO_s_mem ());
  gchar *pem = NULL;
  char *data;
  long size;

  if (x509 && PEM_write_bio_X509 (bio, x509)) {
    size = BIO_get_mem_data (bio, &data);
    pem = g_strndup (data, (gsize)size);
  }
  BIO_free (bio);
  return pem;
}

/* Called for each certificate of the chain, once or more. Whether OpenSSL
 * trusts it does not count: only the fingerprint of the first one does. */
static int
on_verify (int trusted, X509_STORE_CTX *store)
{
  SSL *ssl =
      X509_STORE_CTX_get_ex_data (store, SSL_get_ex_data_X509_STORE_CTX_idx ());
  RtcDtls *self = SSL_get_ex_data (ssl, get_ssl_index ());
  gchar *pem;
  gboolean valid;

  if (X509_STORE_CTX_get_error_depth (store) != 0)
    return 1;
  pem = make_pem (X509_STORE_CTX_get0_cert (store));
  valid = pem && self->callbacks.verify (pem, self->user_data);
  g_free (pem);
  self->verified = valid;
  self->refused |= !valid;
  return valid;
}

/* --- the association --- */

gboolean
rtc_dtls_is_dtls (const guint8 *data, gsize size)
{
  return size >= 13 && data[0] >= 20 && data[0] <= 63;
}

RtcDtls *
rtc_dtls_new (RtcCertificate *certificate, gboolean server,
    const RtcDtlsCallbacks *callbacks, gpointer user_data)
{
  RtcDtls *self = g_new0 (RtcDtls, 1);
  BIO *bio = BIO_new (get_bio_method ());

  self->certificate = rtc_certificate_ref (certificate);
  self->server = server;
  self->callbacks = *callbacks;
  self->user_data = user_data;
  BIO_set_data (bio, self);
  BIO_set_init (bio, 1);
  self->ssl = SSL_new (rtc_certificate_get_context (certificate));
  SSL_set_ex_data (self->ssl, get_ssl_index (), self);
  SSL_set_verify (
      self->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, on_verify);
  /* Takes the BIO, for both directions. */
  SSL_set_bio (self->ssl, bio, bio);
  SSL_set_mtu (self->ssl, DTLS_MTU);
  if (server)
    SSL_set_accept_state (self->ssl);
  else
    SSL_set_connect_state (self->ssl);
  return self;
}

void
rtc_dtls_free (RtcDtls *self)
{
  if (!self)
    return;
  if (self->state == RTC_DTLS_CONNECTED)
    SSL_shutdown (self->ssl);
  SSL_free (self->ssl);
  ERR_clear_error ();
  rtc_certificate_unref (self->certificate);
  g_free (self);
}

/* @ret: of the last call on the SSL. */
static void
note_result (RtcDtls *self, int ret)
{
  switch (SSL_get_error (self->ssl, ret)) {
    case SSL_ERROR_NONE:
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      break;
    case SSL_ERROR_ZERO_RETURN:
      self->state = RTC_DTLS_CLOSED;
      break;
    default:
      self->state = RTC_DTLS_FAILED;
      break;
  }
  ERR_clear_error ();
}

static void
continue_handshake (RtcDtls *self)
{
  int ret;

  ERR_clear_error ();
  ret = SSL_do_handshake (self->ssl);
  if (ret == 1)
    self->state = self->verified ? RTC_DTLS_CONNECTED : RTC_DTLS_FAILED;
  else
    note_result (self, ret);
}

RtcDtlsState
rtc_dtls_start (RtcDtls *self)
{
  if (!self->server && self->state == RTC_DTLS_CONNECTING)
    continue_handshake (self);
  return self->state;
}

RtcDtlsState
rtc_dtls_receive (RtcDtls *self, const guint8 *data, gsize size)
{
  guint8 unused[512];
  int ret;

  if (self->state == RTC_DTLS_CLOSED || self->state == RTC_DTLS_FAILED)
    return self->state;
  self->input = data;
  self->input_size = size;
  if (self->state == RTC_DTLS_CONNECTING)
    continue_handshake (self);
  /* Alerts, and retransmissions of the last flight, are read like data. */
  while (self->state == RTC_DTLS_CONNECTED) {
    ERR_clear_error ();
    ret = SSL_read (self->ssl, unused, sizeof (unused));
    if (ret > 0)
      continue;
    note_result (self, ret);
    break;
  }
  self->input = NULL;
  return self->state;
}

RtcDtlsState
rtc_dtls_get_state (RtcDtls *self)
{
  return self->state;
}

gboolean
rtc_dtls_is_refused (RtcDtls *self)
{
  return self->refused;
}

gint64
rtc_dtls_get_timeout (RtcDtls *self)
{
  struct timeval left;

  if (self->state != RTC_DTLS_CONNECTING ||
      !DTLSv1_get_timeout (self->ssl, &left))
    return -1;
  return (gint64)left.tv_sec * G_USEC_PER_SEC + left.tv_usec;
}

RtcDtlsState
rtc_dtls_retransmit (RtcDtls *self)
{
  ERR_clear_error ();
  if (self->state == RTC_DTLS_CONNECTING &&
      DTLSv1_handle_timeout (self->ssl) < 0)
    self->state = RTC_DTLS_FAILED;
  ERR_clear_error ();
  return self->state;
}

/* RFC 5764 section 4.2: client key, server key, client salt, server salt. */
gboolean
rtc_dtls_get_keys (RtcDtls *self, RtcSrtpKeys *keys)
{
  const SRTP_PROTECTION_PROFILE *profile = self->state == RTC_DTLS_CONNECTED
      ? SSL_get_selected_srtp_profile (self->ssl)
      : NULL;
  guint8 material[2 * RTC_SRTP_MAX_KEY];
  guint8 *client = self->server ? keys->remote : keys->local;
  guint8 *server = self->server ? keys->local : keys->remote;
  gsize key, salt;

  if (!profile || !rtc_srtp_get_sizes ((guint)profile->id, &key, &salt) ||
      SSL_export_keying_material (self->ssl, material, 2 * (key + salt),
          EXPORTER_LABEL, strlen (EXPORTER_LABEL), NULL, 0, 0) != 1)
    return FALSE;
  memset (keys, 0, sizeof (*keys));
  keys->profile = (guint)profile->id;
  memcpy (client, material, key);
  memcpy (server, material + key, key);
  memcpy (client + key, material + 2 * key, salt);
  memcpy (server + key, material + 2 * key + salt, salt);
  OPENSSL_cleanse (material, sizeof (material));
  return TRUE;
}
