/* gst-tsrec: ICE in descriptions: order of candidates, fragments, servers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcsdp-private.h"
#include "rtcsdp.h"

#include <string.h>

/* --- the order of candidates --- */

#define PREFIX "a=candidate:"

typedef enum
{
  RANK_REACHED,
  RANK_IPV4,
  RANK_IPV6,
  RANK_OTHER,
  RANK_LOOPBACK,
} Rank;

static Rank
address_rank (const gchar *text, const gchar *reached_at)
{
  GInetAddress *address = g_inet_address_new_from_string (text);
  Rank rank = RANK_OTHER;

  if (!address)
    return rank;
  if (g_inet_address_get_is_loopback (address))
    rank = RANK_LOOPBACK;
  else if (g_strcmp0 (text, reached_at) == 0)
    rank = RANK_REACHED;
  else if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4)
    rank = RANK_IPV4;
  else
    rank = RANK_IPV6;
  g_object_unref (address);
  return rank;
}

/* @line: "a=candidate:FOUNDATION COMPONENT TRANSPORT PRIORITY ADDRESS PORT typ
 * TYPE" (RFC 8839 section 5.1). */
static Rank
candidate_rank (const gchar *line, const gchar *reached_at)
{
  gchar **fields = g_strsplit (line, " ", 9);
  Rank rank = RANK_OTHER;

  if (g_strv_length (fields) >= 8 &&
      g_ascii_strcasecmp (fields[2], "udp") == 0 &&
      strcmp (g_strchomp (fields[7]), "host") == 0)
    rank = address_rank (fields[4], reached_at);
  g_strfreev (fields);
  return rank;
}

/* Sorts the lines from @first to before @end by rank (stable). */
static void
order_run (gchar **lines, guint first, guint end, const gchar *reached_at)
{
  guint i, j;

  for (i = first + 1; i < end; i++) {
    gchar *line = lines[i];
    Rank rank = candidate_rank (line, reached_at);

    for (j = i; j > first && candidate_rank (lines[j - 1], reached_at) > rank;
         j--)
      lines[j] = lines[j - 1];
    lines[j] = line;
  }
}

gchar *
rtc_sdp_order_candidates (const gchar *text, const gchar *reached_at)
{
  gchar **lines = g_strsplit (text, "\n", -1), *ordered;
  guint i, first = 0;

  for (i = 0; lines[i]; i++) {
    if (g_str_has_prefix (lines[i], PREFIX))
      continue;
    order_run (lines, first, i, reached_at);
    first = i + 1;
  }
  order_run (lines, first, i, reached_at);
  ordered = g_strjoinv ("\n", lines);
  g_strfreev (lines);
  return ordered;
}

guint
rtc_sdp_count_candidates (const GstSDPMessage *sdp)
{
  guint i, j, n = 0;

  for (i = 0; i < gst_sdp_message_medias_len (sdp); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (sdp, i);

    for (j = 0; j < gst_sdp_media_attributes_len (media); j++)
      if (g_str_equal (
              gst_sdp_media_get_attribute (media, j)->key, "candidate"))
        n++;
  }
  return n;
}

const gchar *
rtc_sdp_get_ufrag (const GstSDPMessage *sdp)
{
  if (gst_sdp_message_medias_len (sdp) == 0)
    return gst_sdp_message_get_attribute_val (sdp, "ice-ufrag");
  return rtc_sdp_media_attribute (
      sdp, gst_sdp_message_get_media (sdp, 0), "ice-ufrag");
}

/* --- trickle --- */

gchar *
rtc_ice_fragment_build (
    const GstSDPMessage *sdp, const gchar *ufrag, const gchar *pwd)
{
  const GstSDPMedia *media = gst_sdp_message_get_media (sdp, 0);
  GString *text = g_string_new (NULL);
  guint i;

  g_string_append_printf (text,
      "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\nm=%s 9 UDP/TLS/RTP/SAVPF 0\r\n"
      "a=mid:%s\r\n",
      ufrag, pwd, gst_sdp_media_get_media (media),
      gst_sdp_media_get_attribute_val (media, "mid"));
  for (i = 0; i < gst_sdp_media_attributes_len (media); i++) {
    const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (media, i);

    if (g_str_equal (attribute->key, "candidate"))
      g_string_append_printf (text, "a=candidate:%s\r\n", attribute->value);
  }
  g_string_append (text, "a=end-of-candidates\r\n");
  return g_string_free (text, FALSE);
}

/* --- ICE servers --- */

/* Appends "; name=\"value\"", unescaped. Omits characters that would end the
 * string. */
static void
append_parameter (GString *link, const gchar *name, const gchar *value)
{
  gchar *plain = g_uri_unescape_string (value ? value : "", NULL);

  g_string_append_printf (link, "; %s=\"", name);
  for (const gchar *c = plain ? plain : ""; *c; c++)
    if (*c != '"' && *c != '\\' && !g_ascii_iscntrl (*c))
      g_string_append_c (link, *c);
  g_string_append_c (link, '"');
  g_free (plain);
}

gchar *
rtc_sdp_ice_server_link (const gchar *text)
{
  GUri *uri =
      g_uri_parse (text, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED, NULL);
  const gchar *scheme = uri ? g_uri_get_scheme (uri) : NULL;
  GString *link;

  if (!uri || !g_uri_get_host (uri) || *g_uri_get_host (uri) == '\0' ||
      !(g_str_equal (scheme, "stun") || g_str_equal (scheme, "turn") ||
          g_str_equal (scheme, "turns"))) {
    g_clear_pointer (&uri, g_uri_unref);
    return NULL;
  }
  link = g_string_new (NULL);
  g_string_append_printf (link, "<%s:%s", scheme, g_uri_get_host (uri));
  if (g_uri_get_port (uri) > 0)
    g_string_append_printf (link, ":%d", g_uri_get_port (uri));
  g_string_append (link, ">; rel=\"ice-server\"");
  if (!g_str_equal (scheme, "stun")) {
    append_parameter (link, "username", g_uri_get_user (uri));
    append_parameter (link, "credential", g_uri_get_password (uri));
    append_parameter (link, "credential-type", "password");
  }
  g_uri_unref (uri);
  return g_string_free (link, FALSE);
}
