/* gst-tsrec: certificate fingerprints of session descriptions
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcsdpfingerprint.h"
#include "rtcsdp-private.h"

#include <string.h>

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END "-----END CERTIFICATE-----"
#define MAX_DIGEST 64

typedef struct
{
  const gchar *name;
  GChecksumType type;
  gsize size;
} Hash;

/* Weakest first. */
static const Hash hashes[] = {
  { "sha-1", G_CHECKSUM_SHA1, 20 },
  { "sha-256", G_CHECKSUM_SHA256, 32 },
  { "sha-384", G_CHECKSUM_SHA384, 48 },
  { "sha-512", G_CHECKSUM_SHA512, 64 },
};

/* --- the values of a description --- */

static void
add_values (GPtrArray *values, const GArray *attributes)
{
  guint i;

  for (i = 0; attributes && i < attributes->len; i++) {
    const GstSDPAttribute *a = &g_array_index (attributes, GstSDPAttribute, i);

    if (g_str_equal (a->key, "fingerprint") && a->value)
      g_ptr_array_add (values, g_strdup (a->value));
  }
}

/* Returns the m-line that has the transport attributes of m-line @index. */
static const GstSDPMedia *
transport_media (const GstSDPMessage *sdp, guint index)
{
  guint i, n = gst_sdp_message_medias_len (sdp);
  const GstSDPMedia *media =
      index < n ? gst_sdp_message_get_media (sdp, index) : NULL;
  const GstSDPMedia *tagged = NULL;
  GStrv mids = NULL;

  if (rtc_sdp_find_bundle (sdp, &mids, &tagged) &&
      (!media || gst_sdp_media_get_port (media) == 0 ||
          rtc_sdp_is_bundled ((const gchar *const *)mids, media)))
    media = tagged;
  g_strfreev (mids);
  for (i = 0; i < n && (!media || gst_sdp_media_get_port (media) == 0); i++)
    media = gst_sdp_message_get_media (sdp, i);
  return media;
}

gchar **
rtc_sdp_fingerprint_list (const GstSDPMessage *sdp, guint index)
{
  return rtc_sdp_fingerprint_list_of (sdp, transport_media (sdp, index));
}

gchar **
rtc_sdp_fingerprint_list_of (const GstSDPMessage *sdp, const GstSDPMedia *media)
{
  GPtrArray *values = g_ptr_array_new ();

  if (media)
    add_values (values, media->attributes);
  if (values->len == 0)
    add_values (values, sdp->attributes);
  g_ptr_array_add (values, NULL);
  return (gchar **)g_ptr_array_free (values, FALSE);
}

/* --- verification --- */

/* Parses "sha-256 AB:CD:…". Returns NULL if the syntax or the hash is not
 * known. */
static const Hash *
parse_fingerprint (const gchar *text, guint8 digest[MAX_DIGEST])
{
  const Hash *hash = NULL;
  gsize i, n = strcspn (text, " ");

  for (i = 0; i < G_N_ELEMENTS (hashes); i++)
    if (strlen (hashes[i].name) == n &&
        g_ascii_strncasecmp (hashes[i].name, text, n) == 0)
      hash = &hashes[i];
  if (!hash)
    return NULL;
  text += n;
  text += strspn (text, " ");
  for (i = 0; i < hash->size; i++) {
    if ((i > 0 && *text++ != ':') || !g_ascii_isxdigit (text[0]) ||
        !g_ascii_isxdigit (text[1]))
      return NULL;
    digest[i] = (guint8)(g_ascii_xdigit_value (text[0]) << 4 |
        g_ascii_xdigit_value (text[1]));
    text += 2;
  }
  return text[strspn (text, " \r")] == '\0' ? hash : NULL;
}

static const Hash *
strongest_hash (const gchar *const *fingerprints)
{
  guint8 digest[MAX_DIGEST];
  const Hash *best = NULL;

  for (; *fingerprints; fingerprints++) {
    const Hash *hash = parse_fingerprint (*fingerprints, digest);

    if (hash && (!best || hash > best))
      best = hash;
  }
  return best;
}

gboolean
rtc_sdp_fingerprint_is_usable (const gchar *const *fingerprints)
{
  return strongest_hash (fingerprints) != NULL;
}

/* Returns the DER form of the certificate in @pem, or NULL. */
static guchar *
decode_pem (const gchar *pem, gsize *size)
{
  const gchar *begin = strstr (pem, PEM_BEGIN), *end;
  gchar *base64;
  guchar *der;

  if (!begin)
    return NULL;
  begin += strlen (PEM_BEGIN);
  end = strstr (begin, PEM_END);
  if (!end)
    return NULL;
  base64 = g_strndup (begin, end - begin);
  der = g_base64_decode (base64, size);
  g_free (base64);
  return der;
}

gboolean
rtc_sdp_fingerprint_matches (const gchar *const *fingerprints, const gchar *pem)
{
  const Hash *hash = strongest_hash (fingerprints);
  guint8 digest[MAX_DIGEST], wanted[MAX_DIGEST];
  gsize size = 0, length = sizeof (digest);
  guchar *der = hash && pem ? decode_pem (pem, &size) : NULL;
  GChecksum *checksum;
  gboolean matches = FALSE;

  if (!der || size == 0) {
    g_free (der);
    return FALSE;
  }
  checksum = g_checksum_new (hash->type);
  g_checksum_update (checksum, der, (gssize)size);
  g_checksum_get_digest (checksum, digest, &length);
  g_checksum_free (checksum);
  g_free (der);
  for (; *fingerprints && !matches; fingerprints++)
    matches = parse_fingerprint (*fingerprints, wanted) == hash &&
        length == hash->size && memcmp (digest, wanted, length) == 0;
  return matches;
}
