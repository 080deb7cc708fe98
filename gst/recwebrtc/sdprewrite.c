/* gst-tsrec: descriptions made from descriptions: for webrtcbin, and for the
 * client
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "sdpfingerprint.h"
#include "sdpprivate.h"
#include "sdputil.h"

#include <string.h>

/* clang-format off */
/* What webrtcbin may know of an m-line, beside its codec and candidates. */
static const gchar *const media_attributes[] = {
  "mid", "rtcp-mux", "rtcp-rsize", "msid", "end-of-candidates", NULL
};

/* Parameters of a BUNDLE group come from its first m-line (RFC 9143
 * section 7.3.3: the offerer tagged one). */
static const gchar *const transport_attributes[] = {
  "ice-ufrag", "ice-pwd", "setup", NULL
};

/* Feedback that webrtcbin acts upon; the rest is not answered. */
static const gchar *const feedback[] = {
  "nack", "nack pli", "ccm fir", "transport-cc", NULL
};
/* clang-format on */
#define FEEDBACK_PLI 1
#define FEEDBACK_FIR 2

/* --- the description for webrtcbin --- */

gboolean
sdp_find_bundle (
    const GstSDPMessage *sdp, GStrv *mids, const GstSDPMedia **tagged)
{
  guint i, g;

  for (g = 0; g < gst_sdp_message_attributes_len (sdp); g++) {
    const GstSDPAttribute *attribute = gst_sdp_message_get_attribute (sdp, g);

    if (!g_str_equal (attribute->key, "group") || !attribute->value ||
        !g_str_has_prefix (attribute->value, "BUNDLE "))
      continue;
    *mids = g_strsplit (attribute->value + strlen ("BUNDLE "), " ", -1);
    for (i = 0; i < gst_sdp_message_medias_len (sdp); i++) {
      const GstSDPMedia *media = gst_sdp_message_get_media (sdp, i);

      if (g_strcmp0 (gst_sdp_media_get_attribute_val (media, "mid"),
              (*mids)[0]) == 0) {
        *tagged = media;
        return TRUE;
      }
    }
    g_strfreev (*mids);
    *mids = NULL;
  }
  return FALSE;
}

gboolean
sdp_is_bundled (const gchar *const *mids, const GstSDPMedia *media)
{
  const gchar *mid = gst_sdp_media_get_attribute_val (media, "mid");

  return mids && mid && g_strv_contains (mids, mid);
}

static void
copy_rtx (const GstSDPMedia *from, GstSDPMedia *to, gint payload)
{
  SdpPayloads seen = { { 0 } };
  guint i;

  for (i = 0; i < gst_sdp_media_formats_len (from); i++) {
    const gchar *format = gst_sdp_media_get_format (from, i);
    gchar *apt, *value;
    gint rtx;

    if (!sdp_next_payload (format, &seen, &rtx) ||
        !sdp_payload_is (from, rtx, "rtx"))
      continue;
    apt = sdp_payload_parameter (from, rtx, "apt");
    if (apt && g_ascii_strtoll (apt, NULL, 10) == payload) {
      gst_sdp_media_add_format (to, format);
      value = g_strdup_printf (
          "%d %s", rtx, sdp_payload_attribute (from, "rtpmap", rtx));
      gst_sdp_media_add_attribute (to, "rtpmap", value);
      g_free (value);
      value = g_strdup_printf (
          "%d %s", rtx, sdp_payload_attribute (from, "fmtp", rtx));
      gst_sdp_media_add_attribute (to, "fmtp", value);
      g_free (value);
      g_free (apt);
      return;
    }
    g_free (apt);
  }
}

/* rtpsession sends FIR wherever both are negotiated, and repeats its sequence
 * number, so that all but the first are taken for duplicates (RFC 5104 section
 * 4.3.1.1). PLI has none. Each kind once, in one pass: an offer may have
 * thousands of these lines. */
static void
copy_feedback (const GstSDPMedia *from, GstSDPMedia *to, gint payload)
{
  gboolean offered[G_N_ELEMENTS (feedback)] = { FALSE };
  guint i, kind;

  for (i = 0; i < gst_sdp_media_attributes_len (from); i++) {
    const gchar *value = sdp_attribute_for (
        gst_sdp_media_get_attribute (from, i), "rtcp-fb", payload);

    for (kind = 0; value && feedback[kind]; kind++)
      offered[kind] |= g_str_equal (value, feedback[kind]);
  }
  offered[FEEDBACK_FIR] &= !offered[FEEDBACK_PLI];
  for (kind = 0; feedback[kind]; kind++) {
    gchar *line;

    if (!offered[kind])
      continue;
    line = g_strdup_printf ("%d %s", payload, feedback[kind]);
    gst_sdp_media_add_attribute (to, "rtcp-fb", line);
    g_free (line);
  }
}

static void
copy_codec (const GstSDPMedia *from, GstSDPMedia *to, const SdpTrack *track)
{
  gchar *format = g_strdup_printf ("%d", track->payload);
  const gchar *value;
  gchar *line;

  gst_sdp_media_add_format (to, format);
  line = g_strdup_printf (
      "%s %s", format, sdp_payload_attribute (from, "rtpmap", track->payload));
  gst_sdp_media_add_attribute (to, "rtpmap", line);
  g_free (line);
  copy_feedback (from, to, track->payload);
  value = sdp_payload_attribute (from, "fmtp", track->payload);
  if (value) {
    line = g_strdup_printf ("%s %s", format, value);
    gst_sdp_media_add_attribute (to, "fmtp", line);
    g_free (line);
  }
  copy_rtx (from, to, track->payload);
  g_free (format);
}

static void
copy_attributes (
    const GstSDPMessage *sdp, const GstSDPMedia *from, GstSDPMedia *to)
{
  guint i;

  for (i = 0; i < gst_sdp_media_attributes_len (from); i++) {
    const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (from, i);

    if (g_strv_contains (media_attributes, attribute->key) ||
        (g_str_equal (attribute->key, "extmap") && attribute->value &&
            strstr (attribute->value, SDP_TRANSPORT_CC_URI)))
      gst_sdp_media_add_attribute (to, attribute->key, attribute->value);
  }
  gst_sdp_media_add_attribute (to, "sendonly", "");
}

static void
copy_candidates (const GstSDPMedia *from, GstSDPMedia *to)
{
  guint i, n = 0;

  for (i = 0;
       i < gst_sdp_media_attributes_len (from) && n < SDP_UTIL_MAX_CANDIDATES;
       i++) {
    const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (from, i);

    if (!g_str_equal (attribute->key, "candidate"))
      continue;
    gst_sdp_media_add_attribute (to, attribute->key, attribute->value);
    n++;
  }
}

/* All of them: a description may give one for each hash, and for each
 * certificate (RFC 8122 section 5). */
static gboolean
copy_fingerprints (const GstSDPMessage *sdp, const GstSDPMedia *from,
    GstSDPMedia *to, GError **error)
{
  gchar **fingerprints = sdp_fingerprint_list_of (sdp, from);
  gboolean usable =
      sdp_fingerprint_is_usable ((const gchar *const *)fingerprints);
  guint i;

  for (i = 0; fingerprints[i]; i++)
    gst_sdp_media_add_attribute (to, "fingerprint", fingerprints[i]);
  if (!usable)
    g_set_error (error, SDP_UTIL_ERROR, SDP_UTIL_ERROR_UNACCEPTABLE,
        "The session description has no a=fingerprint that the peer can be "
        "verified by, which WebRTC needs (RFC 8827 section 6.5)%s",
        i == 0 ? "." : ". Known are sha-1, sha-256, sha-384 and sha-512.");
  g_strfreev (fingerprints);
  return usable;
}

static gboolean
copy_transport (const GstSDPMessage *sdp, const GstSDPMedia *from,
    GstSDPMedia *to, GError **error)
{
  guint i;

  for (i = 0; transport_attributes[i]; i++) {
    const gchar *key = transport_attributes[i];
    const gchar *value = sdp_media_attribute (sdp, from, key);

    if (!value || *value == '\0')
      goto missing;
    gst_sdp_media_add_attribute (to, key, value);
  }
  if (!copy_fingerprints (sdp, from, to, error))
    return FALSE;
  copy_candidates (from, to);
  return TRUE;

  /* ERRORS */
missing:
  g_set_error (error, SDP_UTIL_ERROR, SDP_UTIL_ERROR_UNACCEPTABLE,
      "The session description has no a=%s, which WebRTC needs (RFC 8829 "
      "section 5.2.1).",
      transport_attributes[i]);
  return FALSE;
}

static gboolean
prune_media (const GstSDPMessage *offer, const SdpTrack *track,
    const GstSDPMedia *tagged, GstSDPMessage *out, GError **error)
{
  const GstSDPMedia *from = gst_sdp_message_get_media (offer, track->media);
  GstSDPMedia *to;

  gst_sdp_media_new (&to);
  gst_sdp_media_set_media (to, track->codec->media);
  gst_sdp_media_set_port_info (to, 9, 1);
  gst_sdp_media_set_proto (to, "UDP/TLS/RTP/SAVPF");
  gst_sdp_media_add_connection (to, "IN", "IP4", "0.0.0.0", 0, 0);
  copy_codec (from, to, track);
  copy_attributes (offer, from, to);
  if (!gst_sdp_media_get_attribute_val (to, "mid")) {
    gchar *mid = g_strdup_printf ("%u", track->media);

    gst_sdp_media_add_attribute (to, "mid", mid);
    g_free (mid);
  }
  if (!copy_transport (offer, tagged ? tagged : from, to, error)) {
    gst_sdp_media_free (to);
    return FALSE;
  }
  gst_sdp_message_add_media (out, to);
  gst_sdp_media_free (to);
  return TRUE;
}

/* The chosen tracks in the order of the offer. */
static guint
sorted_tracks (const SdpChoice *choice, const SdpTrack *tracks[2])
{
  guint n = 0;

  if (choice->video.codec)
    tracks[n++] = &choice->video;
  if (choice->audio.codec)
    tracks[n++] = &choice->audio;
  if (n == 2 && tracks[0]->media > tracks[1]->media) {
    tracks[0] = &choice->audio;
    tracks[1] = &choice->video;
  }
  return n;
}

static void
set_header (GstSDPMessage *out, const GstSDPMessage *from)
{
  const GstSDPOrigin *origin = gst_sdp_message_get_origin (from);

  gst_sdp_message_set_version (out, "0");
  gst_sdp_message_set_origin (out, "-",
      origin->sess_id && *origin->sess_id ? origin->sess_id : "0",
      origin->sess_version && *origin->sess_version ? origin->sess_version
                                                    : "0",
      "IN", "IP4", "0.0.0.0");
  gst_sdp_message_set_session_name (out, "-");
  gst_sdp_message_add_time (out, "0", "0", NULL);
  gst_sdp_message_add_attribute (out, "ice-options", "trickle");
}

/* Writes the BUNDLE group of what is left; clients without one get none. */
static void
set_bundle (GstSDPMessage *out, const gchar *const *mids)
{
  GString *group = g_string_new ("BUNDLE");
  guint i;

  for (i = 0; i < gst_sdp_message_medias_len (out); i++) {
    const gchar *mid = gst_sdp_media_get_attribute_val (
        gst_sdp_message_get_media (out, i), "mid");

    if (g_strv_contains (mids, mid))
      g_string_append_printf (group, " %s", mid);
  }
  if (group->len > strlen ("BUNDLE"))
    gst_sdp_message_add_attribute (out, "group", group->str);
  g_string_free (group, TRUE);
}

GstSDPMessage *
sdp_util_prune (
    const GstSDPMessage *offer, const SdpChoice *choice, GError **error)
{
  const GstSDPMedia *tagged = NULL;
  const SdpTrack *tracks[2];
  GStrv mids = NULL;
  GstSDPMessage *out;
  guint i, n = sorted_tracks (choice, tracks);

  sdp_find_bundle (offer, &mids, &tagged);
  gst_sdp_message_new (&out);
  set_header (out, offer);
  for (i = 0; i < n; i++) {
    const gchar *mid = gst_sdp_media_get_attribute_val (
        gst_sdp_message_get_media (offer, tracks[i]->media), "mid");
    gboolean bundled =
        mids && mid && g_strv_contains ((const gchar *const *)mids, mid);

    if (!prune_media (offer, tracks[i], bundled ? tagged : NULL, out, error))
      goto refused;
  }
  if (mids)
    set_bundle (out, (const gchar *const *)mids);
  g_strfreev (mids);
  return out;

  /* ERRORS */
refused:
  g_strfreev (mids);
  gst_sdp_message_free (out);
  return NULL;
}

static gboolean
keep_unless_attribute (GQuark field, GValue *value, gpointer unused)
{
  return !g_str_has_prefix (g_quark_to_string (field), "a-");
}

GstCaps *
sdp_util_media_caps (const GstSDPMedia *media)
{
  gint payload;
  GstCaps *caps;

  if (!sdp_parse_payload (gst_sdp_media_get_format (media, 0), &payload))
    return NULL;
  caps = gst_sdp_media_get_caps_from_media (media, payload);
  if (!caps)
    return NULL;
  caps = gst_caps_make_writable (caps);
  gst_structure_set_name (
      gst_caps_get_structure (caps, 0), "application/x-rtp");
  /* For the header extensions. The rest must not get into the answer, where
   * the client would find its own ICE and DTLS parameters. */
  gst_sdp_media_attributes_to_caps (media, caps);
  gst_structure_filter_and_map_in_place (
      gst_caps_get_structure (caps, 0), keep_unless_attribute, NULL);
  return caps;
}

/* --- the answer for the client --- */

static void
add_rejected (GstSDPMessage *out, const GstSDPMedia *offered)
{
  const gchar *mid = gst_sdp_media_get_attribute_val (offered, "mid");
  GstSDPMedia *media;
  guint i;

  gst_sdp_media_new (&media);
  gst_sdp_media_set_media (media, gst_sdp_media_get_media (offered));
  gst_sdp_media_set_port_info (media, 0, 0);
  gst_sdp_media_set_proto (media, gst_sdp_media_get_proto (offered));
  for (i = 0; i < gst_sdp_media_formats_len (offered); i++)
    gst_sdp_media_add_format (media, gst_sdp_media_get_format (offered, i));
  gst_sdp_media_add_connection (media, "IN", "IP4", "0.0.0.0", 0, 0);
  if (mid)
    gst_sdp_media_add_attribute (media, "mid", mid);
  gst_sdp_media_add_attribute (media, "inactive", "");
  gst_sdp_message_add_media (out, media);
  gst_sdp_media_free (media);
}

GstSDPMessage *
sdp_util_expand_answer (const GstSDPMessage *offer, const GstSDPMessage *answer,
    const SdpChoice *choice)
{
  const GstSDPOrigin *origin = gst_sdp_message_get_origin (answer);
  GstSDPMessage *out;
  guint i, used = 0;

  gst_sdp_message_new (&out);
  gst_sdp_message_set_version (out, "0");
  gst_sdp_message_set_origin (out, origin->username, origin->sess_id,
      origin->sess_version, origin->nettype, origin->addrtype, origin->addr);
  gst_sdp_message_set_session_name (out, "-");
  gst_sdp_message_add_time (out, "0", "0", NULL);
  for (i = 0; i < gst_sdp_message_attributes_len (answer); i++) {
    const GstSDPAttribute *a = gst_sdp_message_get_attribute (answer, i);

    gst_sdp_message_add_attribute (out, a->key, a->value);
  }
  for (i = 0; i < gst_sdp_message_medias_len (offer); i++) {
    gboolean chosen = (choice->video.codec && choice->video.media == i) ||
        (choice->audio.codec && choice->audio.media == i);

    if (chosen && used < gst_sdp_message_medias_len (answer)) {
      GstSDPMedia *media;

      gst_sdp_media_copy (gst_sdp_message_get_media (answer, used++), &media);
      gst_sdp_message_add_media (out, media);
      gst_sdp_media_free (media);
    } else {
      add_rejected (out, gst_sdp_message_get_media (offer, i));
    }
  }
  return out;
}

void
sdp_util_set_bandwidth (GstSDPMessage *sdp, guint bits_per_second)
{
  guint i;

  for (i = 0; bits_per_second > 0 && i < gst_sdp_message_medias_len (sdp);
       i++) {
    GstSDPMedia *media = (GstSDPMedia *)gst_sdp_message_get_media (sdp, i);

    if (g_strcmp0 (gst_sdp_media_get_media (media), "video") != 0 ||
        gst_sdp_media_get_port (media) == 0)
      continue;
    gst_sdp_media_add_bandwidth (
        media, "AS", MAX (1, (bits_per_second + 999) / 1000));
    gst_sdp_media_add_bandwidth (media, "TIAS", bits_per_second);
  }
}

guint
sdp_util_count_candidates (const GstSDPMessage *sdp)
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
sdp_util_get_ufrag (const GstSDPMessage *sdp)
{
  if (gst_sdp_message_medias_len (sdp) == 0)
    return gst_sdp_message_get_attribute_val (sdp, "ice-ufrag");
  return sdp_media_attribute (
      sdp, gst_sdp_message_get_media (sdp, 0), "ice-ufrag");
}

/* --- trickle --- */

gchar *
sdp_util_make_fragment (
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

/* "; name=\"value\"", unescaped, with what would end the string left out. */
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
sdp_util_ice_server_link (const gchar *text)
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
