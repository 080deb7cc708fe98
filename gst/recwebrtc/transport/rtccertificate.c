/* gst-tsrec: the certificate that this process shows in DTLS handshakes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtccertificate.h"

#include <gio/gio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#define ROTATE_AFTER (24 * G_TIME_SPAN_HOUR)
/* Clocks of peers may be wrong; nobody looks at these dates in WebRTC. */
#define VALID_BEFORE (-24 * 3600L)
#define VALID_AFTER (30 * 24 * 3600L)
/* What WebRTC requires first (RFC 8827 section 6.5). */
#define CIPHERS                                                                \
  "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"               \
  "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256:"                 \
  "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA"
/* AES-GCM first: one pass over the packet, where the older profile takes two. */
#define SRTP_PROFILES                                                          \
  "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80"

struct _RtcCertificate
{
  gatomicrefcount refcount;
  gint64 made; /* monotonic time, µs */
  SSL_CTX *context;
  gchar *fingerprint;
};

static GMutex current_lock;
static RtcCertificate *current; /* under current_lock */

static gchar *
make_fingerprint (X509 *x509)
{
  guint8 digest[EVP_MAX_MD_SIZE];
  guint size = 0;
  GString *text = g_string_new ("sha-256 ");

  X509_digest (x509, EVP_sha256 (), digest, &size);
  for (guint i = 0; i < size; i++)
    g_string_append_printf (text, "%s%02X", i > 0 ? ":" : "", digest[i]);
  return g_string_free (text, FALSE);
}

static X509 *
make_x509 (EVP_PKEY *key)
{
  X509 *x509 = X509_new ();
  guint8 random[8];
  guint64 serial;
  X509_NAME *name;

  if (!x509 || RAND_bytes (random, sizeof (random)) != 1)
    goto failed;
  memcpy (&serial, random, sizeof (serial));
  name = X509_get_subject_name (x509);
  if (!X509_set_version (x509, X509_VERSION_3) ||
      !ASN1_INTEGER_set_uint64 (
          X509_get_serialNumber (x509), serial >> 1 | 1) ||
      !X509_gmtime_adj (X509_getm_notBefore (x509), VALID_BEFORE) ||
      !X509_gmtime_adj (X509_getm_notAfter (x509), VALID_AFTER) ||
      !X509_set_pubkey (x509, key) ||
      !X509_NAME_add_entry_by_txt (
          name, "CN", MBSTRING_ASC, (const guchar *)"WebRTC", -1, -1, 0) ||
      !X509_set_issuer_name (x509, name) ||
      !X509_sign (x509, key, EVP_sha256 ()))
    goto failed;
  return x509;

  /* ERRORS */
failed:
  X509_free (x509);
  return NULL;
}

/* The certificate of a peer is self-signed: what counts is its fingerprint,
 * which the callback of the connection checks (see rtcdtls.c). */
static SSL_CTX *
make_context (EVP_PKEY *key, X509 *x509)
{
  SSL_CTX *context = SSL_CTX_new (DTLS_method ());

  if (!context || !SSL_CTX_set_min_proto_version (context, DTLS1_2_VERSION) ||
      !SSL_CTX_set_cipher_list (context, CIPHERS) ||
      SSL_CTX_set_tlsext_use_srtp (context, SRTP_PROFILES) != 0 ||
      SSL_CTX_use_certificate (context, x509) != 1 ||
      SSL_CTX_use_PrivateKey (context, key) != 1)
    goto failed;
  SSL_CTX_set_options (context,
      SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
          SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode (context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_read_ahead (context, 1);
  return context;

  /* ERRORS */
failed:
  SSL_CTX_free (context);
  return NULL;
}

RtcCertificate *
rtc_certificate_new (GError **error)
{
  EVP_PKEY *key = EVP_EC_gen ("P-256");
  X509 *x509 = key ? make_x509 (key) : NULL;
  SSL_CTX *context = x509 ? make_context (key, x509) : NULL;
  RtcCertificate *self = NULL;

  if (context) {
    self = g_new0 (RtcCertificate, 1);
    g_atomic_ref_count_init (&self->refcount);
    self->made = g_get_monotonic_time ();
    self->context = context;
    self->fingerprint = make_fingerprint (x509);
  } else {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "OpenSSL could not make a certificate for DTLS: %s",
        ERR_reason_error_string (ERR_get_error ()));
  }
  X509_free (x509);
  EVP_PKEY_free (key);
  return self;
}

RtcCertificate *
rtc_certificate_get (GError **error)
{
  RtcCertificate *self;

  g_mutex_lock (&current_lock);
  if (current && g_get_monotonic_time () - current->made > ROTATE_AFTER)
    g_clear_pointer (&current, rtc_certificate_unref);
  if (!current)
    current = rtc_certificate_new (error);
  self = current ? rtc_certificate_ref (current) : NULL;
  g_mutex_unlock (&current_lock);
  return self;
}

RtcCertificate *
rtc_certificate_ref (RtcCertificate *self)
{
  g_atomic_ref_count_inc (&self->refcount);
  return self;
}

void
rtc_certificate_unref (RtcCertificate *self)
{
  if (!g_atomic_ref_count_dec (&self->refcount))
    return;
  SSL_CTX_free (self->context);
  g_free (self->fingerprint);
  g_free (self);
}

const gchar *
rtc_certificate_get_fingerprint (RtcCertificate *self)
{
  return self->fingerprint;
}

SSL_CTX *
rtc_certificate_get_context (RtcCertificate *self)
{
  return self->context;
}
