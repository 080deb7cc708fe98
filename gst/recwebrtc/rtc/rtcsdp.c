/* gst-tsrec: session descriptions (SDP): codecs, parsing, choice of tracks
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcsdp-private.h"
#include "rtcsdp.h"

#include <stdio.h>
#include <string.h>

// clang-format off
G_DEFINE_QUARK (rtc-sdp-error-quark, rtc_sdp_error)
// clang-format on

/* clang-format off */
static const RtcSdpCodec codecs[] = {
  { "H264", "video",
    "video/x-h264, stream-format=(string)byte-stream, alignment=(string)au",
    "rtph264depay", "h264parse", 90000 },
  { "H265", "video",
    "video/x-h265, stream-format=(string)byte-stream, alignment=(string)au",
    "rtph265depay", "h265parse", 90000 },
  { "VP8", "video", "video/x-vp8", "rtpvp8depay", NULL, 90000 },
  { "VP9", "video", "video/x-vp9", "rtpvp9depay", "vp9parse", 90000 },
  { "AV1", "video",
    "video/x-av1, stream-format=(string)obu-stream, alignment=(string)tu",
    "rtpav1depay", "av1parse", 90000 },
  { "OPUS", "audio", "audio/x-opus", "rtpopusdepay", "opusparse", 48000 },
  { NULL, NULL, NULL, NULL, NULL, 0 },
};

static const gchar *const directions[] = {
  "sendrecv", "sendonly", "recvonly", "inactive", NULL
};

/* clang-format on */

/* --- codecs --- */

const RtcSdpCodec *
rtc_sdp_find_codec (const gchar *media, const gchar *name)
{
  const RtcSdpCodec *codec;

  for (codec = codecs; codec->name; codec++)
    if (g_strcmp0 (codec->media, media) == 0 &&
        g_ascii_strcasecmp (codec->name, name) == 0)
      return codec;
  return NULL;
}

gchar *
rtc_sdp_codec_names (const gchar *media)
{
  GString *names = g_string_new (NULL);
  const RtcSdpCodec *codec;

  for (codec = codecs; codec->name; codec++)
    if (g_str_equal (codec->media, media))
      g_string_append_printf (
          names, "%s%s", names->len ? ", " : "", codec->name);
  return g_string_free (names, FALSE);
}

const RtcSdpCodec **
rtc_sdp_parse_codecs (const gchar *media, const gchar *list, GError **error)
{
  gchar **names = g_strsplit (list ? list : "", ",", -1);
  GPtrArray *found = g_ptr_array_new ();
  guint i;

  for (i = 0; names[i]; i++) {
    const gchar *name = g_strstrip (names[i]);
    const RtcSdpCodec *codec;

    if (*name == '\0')
      continue;
    codec = rtc_sdp_find_codec (media, name);
    if (!codec)
      goto unknown;
    g_ptr_array_add (found, (gpointer)codec);
  }
  g_strfreev (names);
  g_ptr_array_add (found, NULL);
  return (const RtcSdpCodec **)g_ptr_array_free (found, FALSE);

  /* ERRORS */
unknown : {
  gchar *known = rtc_sdp_codec_names (media);

  g_set_error (error, RTC_SDP_ERROR, RTC_SDP_ERROR_UNACCEPTABLE,
      "\"%s\" is not a %s codec that can be received. Known are: %s.", names[i],
      media, known);
  g_free (known);
  g_strfreev (names);
  g_ptr_array_unref (found);
  return NULL;
}
}

/* --- parsing --- */

/* Checks the limits before GstSDP allocates memory. */
static gboolean
check_text (const gchar *text, gsize len, gboolean fragment, GError **error)
{
  const gchar *line = text, *end = text + len;
  guint lines = 0, medias = 0;

  if (len > RTC_SDP_MAX_BYTES)
    goto too_large;
  if (!g_utf8_validate (text, len, NULL))
    goto not_text;
  if (!fragment && (len < 4 || memcmp (text, "v=0", 3) != 0))
    goto not_sdp;
  while (line < end) {
    const gchar *next = memchr (line, '\n', end - line);

    if (end - line >= 2 && memcmp (line, "m=", 2) == 0)
      medias++;
    if (++lines > RTC_SDP_MAX_LINES || medias > RTC_SDP_MAX_MEDIAS)
      goto too_large;
    line = next ? next + 1 : end;
  }
  if (!fragment && medias == 0)
    goto no_media;
  return TRUE;

  /* ERRORS */
too_large:
  g_set_error (error, RTC_SDP_ERROR, RTC_SDP_ERROR_TOO_LARGE,
      "The session description is too large: at most %d bytes, %d lines and "
      "%d m-lines are accepted.",
      RTC_SDP_MAX_BYTES, RTC_SDP_MAX_LINES, RTC_SDP_MAX_MEDIAS);
  return FALSE;
not_text:
  g_set_error_literal (error, RTC_SDP_ERROR, RTC_SDP_ERROR_SYNTAX,
      "The body is not a session description: it is not valid UTF-8 text.");
  return FALSE;
not_sdp:
  g_set_error_literal (error, RTC_SDP_ERROR, RTC_SDP_ERROR_SYNTAX,
      "The body is not a session description: it does not begin with \"v=0\" "
      "(RFC 8866).");
  return FALSE;
no_media:
  g_set_error_literal (error, RTC_SDP_ERROR, RTC_SDP_ERROR_SYNTAX,
      "The session description has no m-line, so there is nothing to record.");
  return FALSE;
}

GstSDPMessage *
rtc_sdp_parse (const gchar *text, gsize len, GError **error)
{
  GstSDPMessage *sdp;
  gchar *copy;

  if (!check_text (text, len, FALSE, error))
    return NULL;
  gst_sdp_message_new (&sdp);
  /* GstSDP needs a line end after the last line. */
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
  g_set_error_literal (error, RTC_SDP_ERROR, RTC_SDP_ERROR_SYNTAX,
      "The session description cannot be parsed.");
  return NULL;
}

/* --- reading m-lines --- */

const gchar *
rtc_sdp_media_attribute (
    const GstSDPMessage *sdp, const GstSDPMedia *media, const gchar *key)
{
  const gchar *value = gst_sdp_media_get_attribute_val (media, key);

  return value ? value : gst_sdp_message_get_attribute_val (sdp, key);
}

const gchar *
rtc_sdp_media_direction (const GstSDPMessage *sdp, const GstSDPMedia *media)
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

const gchar *
rtc_sdp_attribute_for (
    const GstSDPAttribute *attribute, const gchar *key, gint payload)
{
  const gchar *value = attribute->value;
  gchar *rest;

  if (!g_str_equal (attribute->key, key) || !value)
    return NULL;
  if (*value == '*')
    rest = (gchar *)value + 1;
  else if (g_ascii_strtoll (value, &rest, 10) != payload || rest == value)
    return NULL;
  return rest + strspn (rest, " ");
}

const gchar *
rtc_sdp_payload_attribute (
    const GstSDPMedia *media, const gchar *key, gint payload)
{
  const gchar *value = NULL;
  guint i;

  for (i = 0; i < gst_sdp_media_attributes_len (media) && !value; i++)
    value = rtc_sdp_attribute_for (
        gst_sdp_media_get_attribute (media, i), key, payload);
  return value;
}

gchar *
rtc_sdp_payload_parameter (
    const GstSDPMedia *media, gint payload, const gchar *name)
{
  const gchar *fmtp = rtc_sdp_payload_attribute (media, "fmtp", payload);
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

gboolean
rtc_sdp_parse_payload (const gchar *format, gint *payload)
{
  gchar *end;
  gint64 value = g_ascii_strtoll (format ? format : "", &end, 10);

  if (!format || end == format || *end != '\0' || value < 0 || value > 127)
    return FALSE;
  *payload = (gint)value;
  return TRUE;
}

gboolean
rtc_sdp_next_payload (const gchar *format, RtcSdpPayloads *seen, gint *payload)
{
  guint64 bit;

  if (!rtc_sdp_parse_payload (format, payload))
    return FALSE;
  bit = G_GUINT64_CONSTANT (1) << (*payload % 64);
  if (seen->bits[*payload / 64] & bit)
    return FALSE;
  seen->bits[*payload / 64] |= bit;
  return TRUE;
}

gboolean
rtc_sdp_payload_is (const GstSDPMedia *media, gint payload, const gchar *name)
{
  const gchar *rtpmap = rtc_sdp_payload_attribute (media, "rtpmap", payload);
  gsize n = strlen (name);

  return rtpmap && g_ascii_strncasecmp (rtpmap, name, n) == 0 &&
      rtpmap[n] == '/';
}

/* Returns the clock rate in @rtpmap (RFC 8866 section 6.6), or 0. */
static guint64
read_clock_rate (const gchar *rtpmap)
{
  const gchar *slash = strchr (rtpmap, '/');

  return slash ? g_ascii_strtoull (slash + 1, NULL, 10) : 0;
}

gchar *
rtc_sdp_describe_codec (const gchar *kind, const gchar *rtpmap)
{
  gchar *name = g_strndup (rtpmap, MIN (strcspn (rtpmap, "/\r\n "), 32));
  const RtcSdpCodec *codec = rtc_sdp_find_codec (kind, name);
  guint64 rate = read_clock_rate (rtpmap);
  gchar *text;

  if (!codec || rate == codec->clock_rate)
    return name;
  text = g_strdup_printf ("%s with a clock rate of %" G_GUINT64_FORMAT
                          " Hz instead of %u Hz",
      name, rate, codec->clock_rate);
  g_free (name);
  return text;
}

/* Returns the preference for @payload; 0: not usable. rtph264depay supports the
 * packetization modes 0 and 1 (RFC 6184 section 5.4), but not 2 (interleaved).
 * A codec has a fixed clock rate. If a=rtpmap has another one, the rate of the
 * timestamps is unknown. */
static guint
payload_rank (const GstSDPMedia *media, gint payload, const RtcSdpCodec *codec)
{
  guint rank = 1;
  gchar *value;

  if (!rtc_sdp_payload_is (media, payload, codec->name) ||
      read_clock_rate (rtc_sdp_payload_attribute (media, "rtpmap", payload)) !=
          codec->clock_rate)
    return 0;
  if (!g_str_equal (codec->name, "H264"))
    return rank;
  value = rtc_sdp_payload_parameter (media, payload, "packetization-mode");
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
    const GstSDPMedia *media, const RtcSdpCodec *codec, RtcSdpTrack *track)
{
  RtcSdpPayloads seen = { { 0 } };
  guint i, best = 0;
  gchar *value;

  for (i = 0; i < gst_sdp_media_formats_len (media); i++) {
    gint payload;
    guint rank;

    if (!rtc_sdp_next_payload (
            gst_sdp_media_get_format (media, i), &seen, &payload))
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
  value = rtc_sdp_payload_parameter (media, track->payload, "profile-level-id");
  track->profile_level_id =
      value ? (guint)g_ascii_strtoull (value, NULL, 16) : 0;
  g_free (value);
  return TRUE;
}

gboolean
rtc_sdp_media_is_usable (
    const GstSDPMessage *sdp, const GstSDPMedia *media, gboolean sends)
{
  const gchar *direction = rtc_sdp_media_direction (sdp, media);
  const gchar *proto = gst_sdp_media_get_proto (media);

  if (g_str_equal (direction, sends ? "recvonly" : "sendonly") ||
      g_str_equal (direction, "inactive"))
    return FALSE;
  if (!proto || !strstr (proto, "RTP/SAVP"))
    return FALSE;
  /* Port 0 means a rejected m-line, or one that only exists in the bundle (RFC
   * 9143 section 6). */
  return gst_sdp_media_get_port (media) != 0 ||
      gst_sdp_media_get_attribute_val (media, "bundle-only") != NULL;
}

static void
choose_track (const GstSDPMessage *sdp, const gchar *kind,
    const RtcSdpCodec *const *list, gboolean sends, RtcSdpTrack *track)
{
  guint c, i;

  memset (track, 0, sizeof (*track));
  for (c = 0; list && list[c]; c++) {
    for (i = 0; i < gst_sdp_message_medias_len (sdp); i++) {
      const GstSDPMedia *media = gst_sdp_message_get_media (sdp, i);

      if (g_strcmp0 (gst_sdp_media_get_media (media), kind) != 0 ||
          !rtc_sdp_media_is_usable (sdp, media, sends) ||
          !choose_payload (media, list[c], track))
        continue;
      track->media = i;
      return;
    }
  }
}

void
rtc_sdp_choose_tracks (const GstSDPMessage *sdp,
    const RtcSdpCodec *const *video_codecs,
    const RtcSdpCodec *const *audio_codecs, gboolean sends,
    RtcSdpChoice *choice)
{
  choose_track (sdp, "video", video_codecs, sends, &choice->video);
  choose_track (sdp, "audio", audio_codecs, sends, &choice->audio);
}

gchar *
rtc_sdp_describe (const GstSDPMessage *sdp)
{
  GString *text = g_string_new (NULL);
  guint i, f;

  for (i = 0; i < gst_sdp_message_medias_len (sdp) && text->len < 512; i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (sdp, i);
    RtcSdpPayloads seen = { { 0 } };
    gboolean first = TRUE;

    for (f = 0; f < gst_sdp_media_formats_len (media) && text->len < 512; f++) {
      const gchar *rtpmap = NULL;
      gchar *codec;
      gint payload;

      if (rtc_sdp_next_payload (
              gst_sdp_media_get_format (media, f), &seen, &payload))
        rtpmap = rtc_sdp_payload_attribute (media, "rtpmap", payload);
      if (!rtpmap)
        continue;
      codec = rtc_sdp_describe_codec (gst_sdp_media_get_media (media), rtpmap);
      g_string_append_printf (text, "%s%s",
          !first          ? ", "
              : text->len ? "; "
                          : "",
          codec);
      g_free (codec);
      first = FALSE;
    }
    if (!first)
      g_string_append_printf (text, " (%s, %s)",
          gst_sdp_media_get_media (media),
          rtc_sdp_media_direction (sdp, media));
  }
  return g_string_free (text, FALSE);
}

static void
append_names (GString *text, const RtcSdpCodec *const *list, const gchar *kind)
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
rtc_sdp_choose (const GstSDPMessage *offer,
    const RtcSdpCodec *const *video_codecs,
    const RtcSdpCodec *const *audio_codecs, RtcSdpChoice *choice,
    GError **error)
{
  rtc_sdp_choose_tracks (offer, video_codecs, audio_codecs, TRUE, choice);
  if (!choice->video.codec && !choice->audio.codec)
    goto nothing;
  return TRUE;

  /* ERRORS */
nothing : {
  gchar *offered = rtc_sdp_describe (offer);
  GString *wanted = g_string_new (NULL);

  append_names (wanted, video_codecs, "video");
  append_names (wanted, audio_codecs, "audio");
  g_set_error (error, RTC_SDP_ERROR, RTC_SDP_ERROR_UNACCEPTABLE,
      "No codec in common: the client offers %s; accepted is %s. Send one of "
      "these, or list another in video-codecs or audio-codecs.",
      *offered ? offered : "nothing that is sent over RTP",
      wanted->len ? wanted->str : "nothing");
  g_string_free (wanted, TRUE);
  g_free (offered);
  return FALSE;
}
}

/* --- trickle --- */

RtcIceFragment *
rtc_ice_fragment_parse (const gchar *text, gsize len, GError **error)
{
  RtcIceFragment *fragment;
  gchar *copy, **lines;
  guint i;

  if (!check_text (text, len, TRUE, error))
    return NULL;
  fragment = g_new0 (RtcIceFragment, 1);
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
  rtc_ice_fragment_free (fragment);
  g_set_error_literal (error, RTC_SDP_ERROR, RTC_SDP_ERROR_SYNTAX,
      "The body is not a trickle-ice-sdpfrag (RFC 8840): every line is a "
      "letter, \"=\" and a value.");
  return NULL;
}

void
rtc_ice_fragment_free (RtcIceFragment *fragment)
{
  if (!fragment)
    return;
  g_free (fragment->ufrag);
  g_free (fragment->pwd);
  g_ptr_array_unref (fragment->candidates);
  g_free (fragment);
}
