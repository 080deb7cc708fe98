/* gst-tsrec: AES-GCM of OpenSSL for libsrtp2
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The functions of a srtp_cipher_type_t (srtp2/cipher.h). libsrtp2 calls, for
 * each packet, set_iv(), set_aad() once or more, and then either decrypt(), with
 * the tag behind the ciphertext, or encrypt() and get_tag().
 */

#include "config.h"

#include "rtcsrtpcipher.h"

#include <openssl/evp.h>
#include <srtp2/cipher.h>
#include <srtp2/srtp.h>

#define IV_SIZE 12
#define TAG_SIZE 16
#define SHORT_TAG_SIZE 8

typedef struct
{
  EVP_CIPHER_CTX *context;
  gsize key_size; /* without the salt, bytes */
  gsize tag_size;
} State;

static const srtp_cipher_type_t aes_128_gcm, aes_256_gcm;

static srtp_err_status_t
deallocate (srtp_cipher_t *cipher)
{
  State *state = cipher->state;

  /* Clears the key. */
  EVP_CIPHER_CTX_free (state->context);
  g_free (state);
  g_free (cipher);
  return srtp_err_status_ok;
}

/* @key_size: with the salt. */
static srtp_err_status_t
allocate (srtp_cipher_t **cipher, int key_size, int tag_size)
{
  gboolean is_128 = key_size == SRTP_AES_GCM_128_KEY_LEN_WSALT;
  State *state;

  if ((!is_128 && key_size != SRTP_AES_GCM_256_KEY_LEN_WSALT) ||
      (tag_size != TAG_SIZE && tag_size != SHORT_TAG_SIZE))
    return srtp_err_status_bad_param;
  state = g_new0 (State, 1);
  state->context = EVP_CIPHER_CTX_new ();
  state->key_size = is_128 ? SRTP_AES_128_KEY_LEN : SRTP_AES_256_KEY_LEN;
  state->tag_size = (gsize)tag_size;
  *cipher = g_new0 (srtp_cipher_t, 1);
  (*cipher)->type = is_128 ? &aes_128_gcm : &aes_256_gcm;
  (*cipher)->state = state;
  (*cipher)->key_len = key_size;
  (*cipher)->algorithm = is_128 ? SRTP_AES_GCM_128 : SRTP_AES_GCM_256;
  if (state->context)
    return srtp_err_status_ok;
  deallocate (*cipher);
  *cipher = NULL;
  return srtp_err_status_alloc_fail;
}

static srtp_err_status_t
set_key (void *data, const guint8 *key)
{
  State *state = data;
  const EVP_CIPHER *type = state->key_size == SRTP_AES_128_KEY_LEN
      ? EVP_aes_128_gcm ()
      : EVP_aes_256_gcm ();

  return EVP_CipherInit_ex (state->context, type, NULL, key, NULL, 0) == 1
      ? srtp_err_status_ok
      : srtp_err_status_init_fail;
}

static srtp_err_status_t
set_iv (void *data, guint8 *iv, srtp_cipher_direction_t direction)
{
  State *state = data;
  int encrypt = direction == srtp_direction_encrypt;

  if (direction != srtp_direction_encrypt &&
      direction != srtp_direction_decrypt)
    return srtp_err_status_bad_param;
  return EVP_CipherInit_ex (state->context, NULL, NULL, NULL, iv, encrypt) == 1
      ? srtp_err_status_ok
      : srtp_err_status_init_fail;
}

static srtp_err_status_t
set_aad (void *data, const guint8 *aad, guint32 size)
{
  State *state = data;
  int n;

  return EVP_CipherUpdate (state->context, NULL, &n, aad, (int)size) == 1
      ? srtp_err_status_ok
      : srtp_err_status_algo_fail;
}

static srtp_err_status_t
encrypt (void *data, guint8 *buffer, guint *size)
{
  State *state = data;
  int n;

  if (EVP_CipherUpdate (state->context, buffer, &n, buffer, (int)*size) != 1 ||
      EVP_CipherFinal_ex (state->context, buffer + n, &n) != 1)
    return srtp_err_status_cipher_fail;
  return srtp_err_status_ok;
}

static srtp_err_status_t
get_tag (void *data, guint8 *tag, guint32 *size)
{
  State *state = data;

  if (EVP_CIPHER_CTX_ctrl (state->context, EVP_CTRL_AEAD_GET_TAG,
          (int)state->tag_size, tag) != 1)
    return srtp_err_status_algo_fail;
  *size = (guint32)state->tag_size;
  return srtp_err_status_ok;
}

static srtp_err_status_t
decrypt (void *data, guint8 *buffer, guint *size)
{
  State *state = data;
  gsize plain;
  int n;

  if (*size < state->tag_size)
    return srtp_err_status_bad_param;
  plain = *size - state->tag_size;
  if (EVP_CIPHER_CTX_ctrl (state->context, EVP_CTRL_AEAD_SET_TAG,
          (int)state->tag_size, buffer + plain) != 1 ||
      EVP_CipherUpdate (state->context, buffer, &n, buffer, (int)plain) != 1 ||
      EVP_CipherFinal_ex (state->context, buffer + n, &n) != 1)
    return srtp_err_status_auth_fail;
  *size = (guint)plain;
  return srtp_err_status_ok;
}

/* --- test vectors --- */

/* Cases 4 and 16 of McGrew and Viega, The Galois/Counter Mode of Operation. The
 * salt behind the key is not used by the cipher. */
static const guint8 test_key[SRTP_AES_GCM_256_KEY_LEN_WSALT] = { 0xfe, 0xff,
  0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83,
  0x08, 0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94,
  0x67, 0x30, 0x83, 0x08 };
static guint8 test_iv[IV_SIZE] = { 0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb,
  0xad, 0xde, 0xca, 0xf8, 0x88 };
static const guint8 test_aad[] = { 0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe,
  0xef, 0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda,
  0xd2 };
static const guint8 test_plain[] = { 0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06,
  0xe5, 0xa5, 0x59, 0x09, 0xc5, 0xaf, 0xf5, 0x26, 0x9a, 0x86, 0xa7, 0xa9, 0x53,
  0x15, 0x34, 0xf7, 0xda, 0x2e, 0x4c, 0x30, 0x3d, 0x8a, 0x31, 0x8a, 0x72, 0x1c,
  0x3c, 0x0c, 0x95, 0x95, 0x68, 0x09, 0x53, 0x2f, 0xcf, 0x0e, 0x24, 0x49, 0xa6,
  0xb5, 0x25, 0xb1, 0x6a, 0xed, 0xf5, 0xaa, 0x0d, 0xe6, 0x57, 0xba, 0x63, 0x7b,
  0x39 };
static const guint8 test_cipher_128[] = { 0x42, 0x83, 0x1e, 0xc2, 0x21, 0x77,
  0x74, 0x24, 0x4b, 0x72, 0x21, 0xb7, 0x84, 0xd0, 0xd4, 0x9c, 0xe3, 0xaa, 0x21,
  0x2f, 0x2c, 0x02, 0xa4, 0xe0, 0x35, 0xc1, 0x7e, 0x23, 0x29, 0xac, 0xa1, 0x2e,
  0x21, 0xd5, 0x14, 0xb2, 0x54, 0x66, 0x93, 0x1c, 0x7d, 0x8f, 0x6a, 0x5a, 0xac,
  0x84, 0xaa, 0x05, 0x1b, 0xa3, 0x0b, 0x39, 0x6a, 0x0a, 0xac, 0x97, 0x3d, 0x58,
  0xe0, 0x91, 0x5b, 0xc9, 0x4f, 0xbc, 0x32, 0x21, 0xa5, 0xdb, 0x94, 0xfa, 0xe9,
  0x5a, 0xe7, 0x12, 0x1a, 0x47 };
static const guint8 test_cipher_256[] = { 0x52, 0x2d, 0xc1, 0xf0, 0x99, 0x56,
  0x7d, 0x07, 0xf4, 0x7f, 0x37, 0xa3, 0x2a, 0x84, 0x42, 0x7d, 0x64, 0x3a, 0x8c,
  0xdc, 0xbf, 0xe5, 0xc0, 0xc9, 0x75, 0x98, 0xa2, 0xbd, 0x25, 0x55, 0xd1, 0xaa,
  0x8c, 0xb0, 0x8e, 0x48, 0x59, 0x0d, 0xbb, 0x3d, 0xa7, 0xb0, 0x8b, 0x10, 0x56,
  0x82, 0x88, 0x38, 0xc5, 0xf6, 0x1e, 0x63, 0x93, 0xba, 0x7a, 0x0a, 0xbc, 0xc9,
  0xf6, 0x62, 0x76, 0xfc, 0x6e, 0xce, 0x0f, 0x4e, 0x17, 0x68, 0xcd, 0xdf, 0x88,
  0x53, 0xbb, 0x2d, 0x55, 0x1b };

static const srtp_cipher_test_case_t test_128 = {
  SRTP_AES_GCM_128_KEY_LEN_WSALT, test_key, test_iv, sizeof (test_plain),
  test_plain, sizeof (test_cipher_128), test_cipher_128, sizeof (test_aad),
  test_aad, TAG_SIZE, NULL
};
static const srtp_cipher_test_case_t test_256 = {
  SRTP_AES_GCM_256_KEY_LEN_WSALT, test_key, test_iv, sizeof (test_plain),
  test_plain, sizeof (test_cipher_256), test_cipher_256, sizeof (test_aad),
  test_aad, TAG_SIZE, NULL
};

/* --- types --- */

static const srtp_cipher_type_t aes_128_gcm = { allocate, deallocate, set_key,
  set_aad, encrypt, decrypt, set_iv, get_tag, "AES-128 GCM using OpenSSL",
  &test_128, SRTP_AES_GCM_128 };
static const srtp_cipher_type_t aes_256_gcm = { allocate, deallocate, set_key,
  set_aad, encrypt, decrypt, set_iv, get_tag, "AES-256 GCM using OpenSSL",
  &test_256, SRTP_AES_GCM_256 };

gboolean
rtc_srtp_cipher_install (void)
{
  return srtp_replace_cipher_type (&aes_128_gcm, SRTP_AES_GCM_128) ==
      srtp_err_status_ok &&
      srtp_replace_cipher_type (&aes_256_gcm, SRTP_AES_GCM_256) ==
      srtp_err_status_ok;
}
