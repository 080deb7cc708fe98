/* gst-tsrec: what recwhipsrc and recwhepsrc take from a session description
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "sdputil.h"

#include <stdio.h>
#include <string.h>

G_DEFINE_QUARK (sdp - util - error - quark, sdp_util_error)

/* clang-format off */
static const SdpCodec codecs[] = {
  { "H264", "video",
    "video/x-h264, stream-format=(string)byte-stream, alignment=(string)au",
    "rtph264depay", "h264parse" },
  { "H265", "video",
    "video/x-h265, stream-format=(string)byte-stream, alignment=(string)au",
    "rtph265depay", "h265parse" },
  { "VP8", "video", "video/x-vp8", "rtpvp8depay", NULL },
  { "VP9", "video", "video/x-vp9", "rtpvp9depay", "vp9parse" },
  { "AV1", "video",
    "video/x-av1, stream-format=(string)obu-stream, alignment=(string)tu",
    "rtpav1depay", "av1parse" },
  { "OPUS", "audio", "audio/x-opus", "rtpopusdepay", "opusparse" },
  { NULL, NULL, NULL, NULL, NULL },
};

/* What webrtcbin may know of an m-line, beside its codec and candidates. */
static const gchar *const media_attributes[] = {
  "mid", "rtcp-mux", "rtcp-rsize", "msid", "end-of-candidates", NULL
};

/* Parameters of a BUNDLE group come from its first m-line (RFC 9143
 * section 7.3.3: the offerer tagged one). */
static const gchar *const transport_attributes[] = {
  "ice-ufrag", "ice-pwd", "fingerprint", "setup", NULL
};

static const gchar *const directions[] = {
  "sendrecv", "sendonly", "recvonly", "inactive", NULL
};

/* Feedback that webrtcbin acts upon; the rest is not answered. */
static const gchar *const feedback[] = {
  "nack", "nack pli", "ccm fir", "transport-cc", NULL
};
/* clang-format on */

#define TRANSPORT_CC_URI                                                       \
  "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

/* --- codecs --- */

const SdpCodec *
sdp_util_find_codec (const gchar *media, const gchar *name)
{
  const SdpCodec *codec;

  for (codec = codecs; codec->name; codec++)
    if (g_strcmp0 (codec->media, media) == 0 &&
        g_ascii_strcasecmp (codec->name, name) == 0)
      return codec;
  return NULL;
}

gchar *
sdp_util_codec_names (const gchar *media)
{
  GString *names = g_string_new (NULL);
  const SdpCodec *codec;

  for (codec = codecs; codec->name; codec++)
    if (g_str_equal (codec->media, media))
      g_string_append_printf (
          names, "%s%s", names->len ? ", " : "", codec->name);
  return g_string_free (names, FALSE);
}

const SdpCodec **
sdp_util_parse_codecs (const gchar *media, const gchar *list, GError **error)
{
  gchar **names = g_strsplit (list ? list : "", ",", -1);
  GPtrArray *found = g_ptr_array_new ();
  guint i;

  for (i = 0; names[i]; i++) {
    const gchar *name = g_strstrip (names[i]);
    const SdpCodec *codec;

    if (*name == '\0')
      continue;
    codec = sdp_util_find_codec (media, name);
    if (!codec)
      goto unknown;
    g_ptr_array_add (found, (gpointer)codec);
  }
  g_strfreev (names);
  g_ptr_array_add (found, NULL);
  return (const SdpCodec **)g_ptr_array_free (found, FALSE);

  /* ERRORS */
unknown : {
  gchar *known = sdp_util_codec_names (media);

  g_set_error (error, SDP_UTIL_ERROR, SDP_UTIL_ERROR_UNACCEPTABLE,
      "\"%s\" is not a %s codec that can be received. Known are: %s.", names[i],
      media, known);
  g_free (known);
  g_strfreev (names);
  g_ptr_array_unref (found);
  return NULL;
}
}

/* --- parsing --- */

/* Bounds are checked on the text, before GstSDP allocates anything. */
static gboolean
check_text (const gchar *text, gsize len, gboolean fragment, GError **error)
{
  const gchar *line = text, *end = text + len;
  guint lines = 0, medias = 0;

  if (len > SDP_UTIL_MAX_BYTES)
    goto too_large;
  if (!g_utf8_validate (text, len, NULL))
    goto not_text;
  if (!fragment && (len < 4 || memcmp (text, "v=0", 3) != 0))
    goto not_sdp;
  while (line < end) {
    const gchar *next = memchr (line, '\n', end - line);

    if (end - line >= 2 && memcmp (line, "m=", 2) == 0)
      medias++;
    if (++lines > SDP_UTIL_MAX_LINES || medias > SDP_UTIL_MAX_MEDIAS)
      goto too_large;
    line = next ? next + 1 : end;
  }
  if (!fragment && medias == 0)
    goto no_media;
  return TRUE;

  /* ERRORS */
too_large:
  g_set_error (error, SDP_UTIL_ERROR, SDP_UTIL_ERROR_TOO_LARGE,
      "The session description is too large: at most %d bytes, %d lines and "
      "%d m-lines are accepted.",
      SDP_UTIL_MAX_BYTES, SDP_UTIL_MAX_LINES, SDP_UTIL_MAX_MEDIAS);
  return FALSE;
not_text:
  g_set_error_literal (error, SDP_UTIL_ERROR, SDP_UTIL_ERROR_SYNTAX,
      "The body is not a session description: it is not valid UTF-8 text.");
  return FALSE;
not_sdp:
  g_set_error_literal (error, SDP_UTIL_ERROR, SDP_UTIL_ERROR_SYNTAX,
      "The body is not a session description: it does not begin with \"v=0\" "
      "(RFC 8866).");
  return FALSE;
no_media:
  g_set_error_literal (error, SDP_UTIL_ERROR, SDP_UTIL_ERROR_SYNTAX,
      "The session description has no m-line, so there is nothing to record.");
  return FALSE;
}

GstSDPMessage *
sdp_util_parse (const gchar *text, gsize len, GError **error)
{
  GstSDPMessage *sdp;
  gchar *copy;

  if (!check_text (text, len, FALSE, error))
    return NULL;
  gst_sdp_message_new (&sdp);
  /* GstSDP wants the last line terminated. */
  copy = g_strdup_printf ("%.*s\n", (int)len, text);
  if (gst_sdp_message_parse_buffer ((const guint8 *)copy, strlen (copy), sdp) !=
          GST_SDP_OK ||
      gst_sdp_message_medias_len (sdp) == 0)
    goto broken;
  g_free (copy);
  return sdp;

  /* ERRORS */
broken:
  g_free (copy);
  gst_sdp_message_free (sdp);
  g_set_error_literal (error, SDP_UTIL_ERROR, SDP_UTIL_ERROR_SYNTAX,
      "The session description cannot be parsed.");
  return NULL;
}

/* --- reading m-lines --- */

static const gchar *
media_attribute (
    const GstSDPMessage *sdp, const GstSDPMedia *media, const gchar *key)
{
  const gchar *value = gst_sdp_media_get_attribute_val (media, key);

  return value ? value : gst_sdp_message_get_attribute_val (sdp, key);
}

static const gchar *
media_direction (const GstSDPMessage *sdp, const GstSDPMedia *media)
{
  guint i;

  for (i = 0; directions[i]; i++)
    if (gst_sdp_media_get_attribute_val (media, directions[i]))
      return directions[i];
  for (i = 0; directions[i]; i++)
    if (gst_sdp_message_get_attribute_val (sdp, directions[i]))
      return directions[i];
  return directions[0];
}

/* The value of attribute @key ("rtpmap", "fmtp") for payload type @payload,
 * after the payload type; the @nth of them. NULL when there is none. */
static const gchar *
payload_attribute (
    const GstSDPMedia *media, const gchar *key, gint payload, guint nth)
{
  const gchar *value;
  guint i, found = 0;

  for (i = 0; i < gst_sdp_media_attributes_len (media); i++) {
    const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (media, i);
    gchar *rest;

    if (!g_str_equal (attribute->key, key) || !attribute->value)
      continue;
    value = attribute->value;
    if (*value == '*')
      rest = (gchar *)value + 1;
    else if (g_ascii_strtoll (value, &rest, 10) != payload || rest == value)
      continue;
    if (found++ == nth)
      return rest + strspn (rest, " ");
  }
  return NULL;
}

/* Parameter @name of a=fmtp for @payload. Caller frees. */
static gchar *
payload_parameter (const GstSDPMedia *media, gint payload, const gchar *name)
{
  const gchar *fmtp = payload_attribute (media, "fmtp", payload, 0);
  gchar **parts, *found = NULL;
  guint i;

  if (!fmtp)
    return NULL;
  parts = g_strsplit (fmtp, ";", -1);
  for (i = 0; parts[i] && !found; i++) {
    gchar *part = g_strstrip (parts[i]);
    gsize n = strlen (name);

    if (g_ascii_strncasecmp (part, name, n) == 0 && part[n] == '=')
      found = g_strdup (part + n + 1);
  }
  g_strfreev (parts);
  return found;
}

static gboolean
parse_payload (const gchar *format, gint *payload)
{
  gchar *end;
  gint64 value = g_ascii_strtoll (format ? format : "", &end, 10);

  if (!format || end == format || *end != '\0' || value < 0 || value > 127)
    return FALSE;
  *payload = (gint)value;
  return TRUE;
}

static gboolean
payload_is (const GstSDPMedia *media, gint payload, const gchar *name)
{
  const gchar *rtpmap = payload_attribute (media, "rtpmap", payload, 0);
  gsize n = strlen (name);

  return rtpmap && g_ascii_strncasecmp (rtpmap, name, n) == 0 &&
      rtpmap[n] == '/';
}

/* How well @payload suits; 0 is not at all. rtph264depay takes packetization
 * modes 0 and 1 (RFC 6184 section 5.4); mode 2 is interleaved. */
static guint
payload_rank (const GstSDPMedia *media, gint payload, const SdpCodec *codec)
{
  guint rank = 1;
  gchar *value;

  if (!payload_is (media, payload, codec->name))
    return 0;
  if (!g_str_equal (codec->name, "H264"))
    return rank;
  value = payload_parameter (media, payload, "packetization-mode");
  if (g_strcmp0 (value, "1") == 0)
    rank = 2;
  else if (g_strcmp0 (value, "2") == 0)
    rank = 0;
  g_free (value);
  return rank;
}

/* --- choosing --- */

static gboolean
choose_payload (
    const GstSDPMedia *media, const SdpCodec *codec, SdpTrack *track)
{
  guint i, best = 0;
  gchar *value;

  for (i = 0; i < gst_sdp_media_formats_len (media); i++) {
    gint payload;
    guint rank;

    if (!parse_payload (gst_sdp_media_get_format (media, i), &payload))
      continue;
    rank = payload_rank (media, payload, codec);
    if (rank <= best)
      continue;
    best = rank;
    track->codec = codec;
    track->payload = payload;
  }
  if (best == 0)
    return FALSE;
  value = payload_parameter (media, track->payload, "profile-level-id");
  track->profile_level_id =
      value ? (guint)g_ascii_strtoull (value, NULL, 16) : 0;
  g_free (value);
  return TRUE;
}

static gboolean
media_is_usable (const GstSDPMessage *sdp, const GstSDPMedia *media)
{
  const gchar *direction = media_direction (sdp, media);
  const gchar *proto = gst_sdp_media_get_proto (media);

  if (g_str_equal (direction, "recvonly") ||
      g_str_equal (direction, "inactive"))
    return FALSE;
  if (!proto || !strstr (proto, "RTP/SAVP"))
    return FALSE;
  /* Port 0 is a rejected m-line, or one that exists in the bundle only
   * (RFC 9143 section 6). */
  return gst_sdp_media_get_port (media) != 0 ||
      gst_sdp_media_get_attribute_val (media, "bundle-only") != NULL;
}

static void
choose_track (const GstSDPMessage *sdp, const gchar *kind,
    const SdpCodec *const *list, SdpTrack *track)
{
  guint c, i;

  memset (track, 0, sizeof (*track));
  for (c = 0; list && list[c]; c++) {
    for (i = 0; i < gst_sdp_message_medias_len (sdp); i++) {
      const GstSDPMedia *media = gst_sdp_message_get_media (sdp, i);

      if (g_strcmp0 (gst_sdp_media_get_media (media), kind) != 0 ||
          !media_is_usable (sdp, media) ||
          !choose_payload (media, list[c], track))
        continue;
      track->media = i;
      return;
    }
  }
}

/* "H264, VP8 (video); OPUS (audio)": what the client offers to send. */
static gchar *
describe_offer (const GstSDPMessage *sdp)
{
  GString *text = g_string_new (NULL);
  guint i, f;

  for (i = 0; i < gst_sdp_message_medias_len (sdp) && text->len < 512; i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (sdp, i);
    gboolean first = TRUE;

    for (f = 0; f < gst_sdp_media_formats_len (media) && text->len < 512; f++) {
      const gchar *rtpmap = NULL;
      gint payload;

      if (parse_payload (gst_sdp_media_get_format (media, f), &payload))
        rtpmap = payload_attribute (media, "rtpmap", payload, 0);
      if (!rtpmap)
        continue;
      g_string_append (text, !first ? ", " : text->len ? "; " : "");
      g_string_append_len (text, rtpmap, MIN (strcspn (rtpmap, "/\r\n"), 32));
      first = FALSE;
    }
    if (!first)
      g_string_append_printf (text, " (%s, %s)",
          gst_sdp_media_get_media (media), media_direction (sdp, media));
  }
  return g_string_free (text, FALSE);
}

static void
append_names (GString *text, const SdpCodec *const *list, const gchar *kind)
{
  guint i;

  for (i = 0; list && list[i]; i++)
    g_string_append_printf (text, "%s%s",
        i > 0           ? ", "
            : text->len ? "; "
                        : "",
        list[i]->name);
  if (i > 0)
    g_string_append_printf (text, " (%s)", kind);
}

gboolean
sdp_util_choose (const GstSDPMessage *offer,
    const SdpCodec *const *video_codecs, const SdpCodec *const *audio_codecs,
    SdpChoice *choice, GError **error)
{
  choose_track (offer, "video", video_codecs, &choice->video);
  choose_track (offer, "audio", audio_codecs, &choice->audio);
  if (!choice->video.codec && !choice->audio.codec)
    goto nothing;
  return TRUE;

  /* ERRORS */
nothing : {
  gchar *offered = describe_offer (offer);
  GString *wanted = g_string_new (NULL);

  append_names (wanted, video_codecs, "video");
  append_names (wanted, audio_codecs, "audio");
  g_set_error (error, SDP_UTIL_ERROR, SDP_UTIL_ERROR_UNACCEPTABLE,
      "No codec in common: the client offers %s; accepted is %s. Send one of "
      "these, or list another in video-codecs or audio-codecs.",
      *offered ? offered : "nothing that is sent over RTP",
      wanted->len ? wanted->str : "nothing");
  g_string_free (wanted, TRUE);
  g_free (offered);
  return FALSE;
}
}

/* --- the description for webrtcbin --- */

/* TRUE and the m-line whose transport the group uses, when there is one. */
static gboolean
find_bundle (const GstSDPMessage *sdp, GStrv *mids, const GstSDPMedia **tagged)
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

static void
copy_rtx (const GstSDPMedia *from, GstSDPMedia *to, gint payload)
{
  guint i;

  for (i = 0; i < gst_sdp_media_formats_len (from); i++) {
    const gchar *format = gst_sdp_media_get_format (from, i);
    gchar *apt, *value;
    gint rtx;

    if (!parse_payload (format, &rtx) || !payload_is (from, rtx, "rtx"))
      continue;
    apt = payload_parameter (from, rtx, "apt");
    if (apt && g_ascii_strtoll (apt, NULL, 10) == payload) {
      gst_sdp_media_add_format (to, format);
      value = g_strdup_printf (
          "%d %s", rtx, payload_attribute (from, "rtpmap", rtx, 0));
      gst_sdp_media_add_attribute (to, "rtpmap", value);
      g_free (value);
      value = g_strdup_printf (
          "%d %s", rtx, payload_attribute (from, "fmtp", rtx, 0));
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
 * 4.3.1.1). PLI has none. */
static gboolean
is_wanted_feedback (const GstSDPMedia *media, gint payload, const gchar *value)
{
  const gchar *other;
  guint i;

  if (!g_strv_contains (feedback, value))
    return FALSE;
  if (!g_str_equal (value, "ccm fir"))
    return TRUE;
  for (i = 0;
       (other = payload_attribute (media, "rtcp-fb", payload, i)) != NULL; i++)
    if (g_str_equal (other, "nack pli"))
      return FALSE;
  return TRUE;
}

static void
copy_codec (const GstSDPMedia *from, GstSDPMedia *to, const SdpTrack *track)
{
  gchar *format = g_strdup_printf ("%d", track->payload);
  const gchar *value;
  gchar *line;
  guint i;

  gst_sdp_media_add_format (to, format);
  line = g_strdup_printf (
      "%s %s", format, payload_attribute (from, "rtpmap", track->payload, 0));
  gst_sdp_media_add_attribute (to, "rtpmap", line);
  g_free (line);
  for (i = 0;
       (value = payload_attribute (from, "rtcp-fb", track->payload, i)) != NULL;
       i++) {
    if (!is_wanted_feedback (from, track->payload, value))
      continue;
    line = g_strdup_printf ("%s %s", format, value);
    gst_sdp_media_add_attribute (to, "rtcp-fb", line);
    g_free (line);
  }
  value = payload_attribute (from, "fmtp", track->payload, 0);
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
            strstr (attribute->value, TRANSPORT_CC_URI)))
      gst_sdp_media_add_attribute (to, attribute->key, attribute->value);
  }
  gst_sdp_media_add_attribute (to, "sendonly", "");
}

static void
copy_candidates (const GstSDPMedia *from, GstSDPMedia *to)
{
  guint i;

  for (i = 0; i < gst_sdp_media_attributes_len (from); i++) {
    const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (from, i);

    if (g_str_equal (attribute->key, "candidate"))
      gst_sdp_media_add_attribute (to, attribute->key, attribute->value);
  }
}

static gboolean
copy_transport (const GstSDPMessage *sdp, const GstSDPMedia *from,
    GstSDPMedia *to, GError **error)
{
  guint i;

  for (i = 0; transport_attributes[i]; i++) {
    const gchar *key = transport_attributes[i];
    const gchar *value = media_attribute (sdp, from, key);

    if (!value || *value == '\0')
      goto missing;
    gst_sdp_media_add_attribute (to, key, value);
  }
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

  find_bundle (offer, &mids, &tagged);
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

  if (!parse_payload (gst_sdp_media_get_format (media, 0), &payload))
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
  return media_attribute (sdp, gst_sdp_message_get_media (sdp, 0), "ice-ufrag");
}

/* --- trickle --- */

SdpFragment *
sdp_util_parse_fragment (const gchar *text, gsize len, GError **error)
{
  SdpFragment *fragment;
  gchar *copy, **lines;
  guint i;

  if (!check_text (text, len, TRUE, error))
    return NULL;
  fragment = g_new0 (SdpFragment, 1);
  fragment->candidates = g_ptr_array_new_with_free_func (g_free);
  copy = g_strndup (text, len);
  lines = g_strsplit (copy, "\n", -1);
  g_free (copy);
  for (i = 0; lines[i]; i++) {
    gchar *line = g_strchomp (lines[i]);

    if (g_str_has_prefix (line, "a=candidate:"))
      g_ptr_array_add (fragment->candidates, g_strdup (line + 2));
    else if (g_str_has_prefix (line, "a=ice-ufrag:") && !fragment->ufrag)
      fragment->ufrag = g_strdup (line + strlen ("a=ice-ufrag:"));
    else if (g_str_has_prefix (line, "a=ice-pwd:") && !fragment->pwd)
      fragment->pwd = g_strdup (line + strlen ("a=ice-pwd:"));
    else if (g_str_equal (line, "a=end-of-candidates"))
      fragment->end_of_candidates = TRUE;
    else if (*line != '\0' && (strlen (line) < 2 || line[1] != '='))
      goto broken;
  }
  g_strfreev (lines);
  return fragment;

  /* ERRORS */
broken:
  g_strfreev (lines);
  sdp_util_fragment_free (fragment);
  g_set_error_literal (error, SDP_UTIL_ERROR, SDP_UTIL_ERROR_SYNTAX,
      "The body is not a trickle-ice-sdpfrag (RFC 8840): every line is a "
      "letter, \"=\" and a value.");
  return NULL;
}

void
sdp_util_fragment_free (SdpFragment *fragment)
{
  if (!fragment)
    return;
  g_free (fragment->ufrag);
  g_free (fragment->pwd);
  g_ptr_array_unref (fragment->candidates);
  g_free (fragment);
}
