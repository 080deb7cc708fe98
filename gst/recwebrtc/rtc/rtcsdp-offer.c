/* gst-tsrec: our own offers, their answers, and refused tracks
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcsdp-private.h"
#include "rtcsdp.h"

#include <string.h>

/* First dynamic payload type (RFC 3551 section 3). */
#define FIRST_PAYLOAD 96

GstCaps *
rtc_sdp_offer_caps (const RtcSdpCodec *const *list)
{
  GstCaps *caps = gst_caps_new_empty ();
  guint i;

  for (i = 0; list && list[i]; i++) {
    gboolean video = g_str_equal (list[i]->media, "video");
    GstStructure *s = gst_structure_new ("application/x-rtp", "media",
        G_TYPE_STRING, list[i]->media, "encoding-name", G_TYPE_STRING,
        list[i]->name, "clock-rate", G_TYPE_INT, (gint)list[i]->clock_rate,
        "payload", G_TYPE_INT, FIRST_PAYLOAD + (video ? 0 : 15) + (gint)i,
        "extmap-1", G_TYPE_STRING, RTC_SDP_TRANSPORT_CC_URI, NULL);

    if (g_str_equal (list[i]->name, "H264"))
      gst_structure_set (s, "packetization-mode", G_TYPE_STRING, "1",
          "profile-level-id", G_TYPE_STRING, "42e01f", NULL);
    if (!video)
      gst_structure_set (s, "encoding-params", G_TYPE_STRING, "2", "stereo",
          G_TYPE_STRING, "1", NULL);
    gst_caps_append_structure (caps, s);
  }
  return caps;
}

/* Removes a=bundle-only (RFC 9143 section 6). webrtcbin offers all m-lines but
 * the first with port 0 and this attribute. Servers that do not know it treat
 * the m-line as rejected. For servers that bundle, the offer does not change. */
gchar *
rtc_sdp_offer_text (const GstSDPMessage *offer)
{
  GstSDPMessage *copy = NULL;
  gchar *text;
  guint i, j;

  gst_sdp_message_copy (offer, &copy);
  for (i = 0; i < gst_sdp_message_medias_len (copy); i++) {
    GstSDPMedia *media = (GstSDPMedia *)gst_sdp_message_get_media (copy, i);

    for (j = gst_sdp_media_attributes_len (media); j-- > 0;) {
      if (!g_str_equal (
              gst_sdp_media_get_attribute (media, j)->key, "bundle-only"))
        continue;
      gst_sdp_media_remove_attribute (media, j);
      if (gst_sdp_media_get_port (media) == 0)
        gst_sdp_media_set_port_info (media, 9, 1);
    }
  }
  text = gst_sdp_message_as_text (copy);
  gst_sdp_message_free (copy);
  return text;
}

/* --- answers --- */

static gboolean
is_offered (const GstSDPMessage *offer, const RtcSdpCodec *codec)
{
  guint i, f;

  for (i = 0; i < gst_sdp_message_medias_len (offer); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (offer, i);

    if (g_strcmp0 (gst_sdp_media_get_media (media), codec->media) != 0)
      continue;
    for (f = 0; f < gst_sdp_media_formats_len (media); f++) {
      gint payload;

      if (rtc_sdp_parse_payload (
              gst_sdp_media_get_format (media, f), &payload) &&
          rtc_sdp_payload_is (media, payload, codec->name))
        return TRUE;
    }
  }
  return FALSE;
}

/* Returns the codecs of @kind in @offer. Free with g_free(). */
static const RtcSdpCodec **
offered_codecs (const GstSDPMessage *offer, const gchar *kind)
{
  gchar *known = rtc_sdp_codec_names (kind);
  const RtcSdpCodec **list = rtc_sdp_parse_codecs (kind, known, NULL);
  guint i, n = 0;

  for (i = 0; list[i]; i++)
    if (is_offered (offer, list[i]))
      list[n++] = list[i];
  list[n] = NULL;
  g_free (known);
  return list;
}

gboolean
rtc_sdp_choose_answered (const GstSDPMessage *offer,
    const GstSDPMessage *answer, gboolean sends, RtcSdpChoice *choice,
    GError **error)
{
  const RtcSdpCodec **video = offered_codecs (offer, "video");
  const RtcSdpCodec **audio = offered_codecs (offer, "audio");
  gchar *ours, *theirs;

  rtc_sdp_choose_tracks (answer, (const RtcSdpCodec *const *)video,
      (const RtcSdpCodec *const *)audio, sends, choice);
  g_free (video);
  g_free (audio);
  rtc_sdp_drop_unbundled (answer, choice);
  if (choice->video.codec || choice->audio.codec)
    return TRUE;
  ours = rtc_sdp_describe (offer);
  theirs = rtc_sdp_describe (answer);
  g_set_error (error, RTC_SDP_ERROR, RTC_SDP_ERROR_UNACCEPTABLE,
      "The server accepted no track. Offered was %s; it answered %s. It has no "
      "such stream, or not in one of these codecs.",
      ours, *theirs ? theirs : "nothing that is sent over RTP");
  g_free (theirs);
  g_free (ours);
  return FALSE;
}

/* --- refused tracks --- */

static void
refusal_free (gpointer data)
{
  RtcSdpRefusal *refusal = data;

  g_free (refusal->offered);
  g_free (refusal->accepted);
  g_free (refusal->text);
  g_free (refusal);
}

static void
append_name (GString *names, const gchar *kind, const gchar *rtpmap)
{
  static const gchar *const helpers[] = { "rtx", "red", "ulpfec", "flexfec-03",
    "CN", "telephone-event", NULL };
  gchar *name = rtc_sdp_describe_codec (kind, rtpmap);
  guint i;

  for (i = 0; helpers[i]; i++)
    if (g_ascii_strcasecmp (name, helpers[i]) == 0)
      *name = '\0';
  if (*name && names->len < 256 && !strstr (names->str, name))
    g_string_append_printf (names, "%s%s", names->len ? ", " : "", name);
  g_free (name);
}

/* Returns the codecs of @media without duplicates, "VP8, VP9". Caller frees. */
static gchar *
media_codecs (const GstSDPMedia *media)
{
  GString *names = g_string_new (NULL);
  RtcSdpPayloads seen = { { 0 } };
  guint i;

  for (i = 0; i < gst_sdp_media_formats_len (media); i++) {
    const gchar *rtpmap = NULL;
    gint payload;

    if (rtc_sdp_next_payload (
            gst_sdp_media_get_format (media, i), &seen, &payload))
      rtpmap = rtc_sdp_payload_attribute (media, "rtpmap", payload);
    if (rtpmap)
      append_name (names, gst_sdp_media_get_media (media), rtpmap);
  }
  return g_string_free (names, FALSE);
}

static gchar *
list_names (const RtcSdpCodec *const *list)
{
  GString *names = g_string_new (NULL);
  guint i;

  for (i = 0; list && list[i]; i++)
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", list[i]->name);
  return g_string_free (names, FALSE);
}

/* Takes ownership of @offered, @accepted and @text. */
static void
add_refusal (GPtrArray *refusals, const gchar *kind, gchar *offered,
    gchar *accepted, gchar *text)
{
  RtcSdpRefusal *refusal = g_new (RtcSdpRefusal, 1);

  refusal->media = kind;
  refusal->offered = offered;
  refusal->accepted = accepted;
  refusal->text = text;
  g_ptr_array_add (refusals, refusal);
}

static void
find_refused (const GstSDPMessage *offer, const gchar *kind,
    const RtcSdpTrack *track, const RtcSdpCodec *const *list,
    GPtrArray *refusals)
{
  guint i;

  /* An empty list means that no track of this kind is wanted. */
  if (!list || !list[0])
    return;
  for (i = 0; i < gst_sdp_message_medias_len (offer); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (offer, i);
    gchar *offered, *accepted, *text;

    if (g_strcmp0 (gst_sdp_media_get_media (media), kind) != 0 ||
        !rtc_sdp_media_is_usable (offer, media, TRUE) ||
        (track->codec && track->media == i))
      continue;
    offered = media_codecs (media);
    accepted = list_names (list);
    if (track->codec)
      text = g_strdup_printf ("One %s track is recorded, and a further one "
                              "(%s) that the publisher offers is not.",
          kind, offered);
    else
      text = g_strdup_printf ("No %s is recorded: the publisher offers %s; "
                              "accepted is %s. Send one of these, or list "
                              "another in %s-codecs.",
          kind, *offered ? offered : "no codec", accepted, kind);
    add_refusal (refusals, kind, offered, accepted, text);
    if (!track->codec)
      return;
  }
}

GPtrArray *
rtc_sdp_find_refused (const GstSDPMessage *offer, const RtcSdpChoice *choice,
    const RtcSdpCodec *const *video_codecs,
    const RtcSdpCodec *const *audio_codecs)
{
  GPtrArray *refusals = g_ptr_array_new_with_free_func (refusal_free);

  find_refused (offer, "video", &choice->video, video_codecs, refusals);
  find_refused (offer, "audio", &choice->audio, audio_codecs, refusals);
  return refusals;
}

/* Returns the codec in which the peer accepted @kind although it is not in
 * @offered, for example because of another clock rate. Returns NULL if there is
 * none. Caller frees. */
static gchar *
answered_codecs (
    const GstSDPMessage *answer, const gchar *kind, const gchar *offered)
{
  gchar *ours = g_ascii_strdown (offered, -1), *names = NULL;
  guint i;

  for (i = 0; i < gst_sdp_message_medias_len (answer) && !names; i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (answer, i);
    gchar *theirs;

    if (g_strcmp0 (gst_sdp_media_get_media (media), kind) != 0 ||
        gst_sdp_media_get_port (media) == 0)
      continue;
    names = media_codecs (media);
    theirs = g_ascii_strdown (names, -1);
    if (strstr (ours, theirs))
      g_clear_pointer (&names, g_free);
    g_free (theirs);
  }
  g_free (ours);
  return names;
}

/* Takes ownership of @offered. */
static void
add_rejected (GPtrArray *refusals, const GstSDPMessage *answer,
    const gchar *kind, gchar *offered)
{
  gchar *answered = answered_codecs (answer, kind, offered);
  gchar *text = answered
      ? g_strdup_printf ("There is no %s in this session: the server answers "
                         "%s (offered was %s).",
            kind, answered, offered)
      : g_strdup_printf ("There is no %s in this session: the server does not "
                         "accept it (offered was %s).",
            kind, offered);

  add_refusal (refusals, kind, offered, g_strdup (""), text);
  g_free (answered);
}

GPtrArray *
rtc_sdp_find_rejected (const GstSDPMessage *offer, const GstSDPMessage *answer,
    const RtcSdpChoice *choice)
{
  GPtrArray *refusals = g_ptr_array_new_with_free_func (refusal_free);
  guint i;

  for (i = 0; i < gst_sdp_message_medias_len (offer); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (offer, i);
    gboolean video = g_str_equal (gst_sdp_media_get_media (media), "video");
    const RtcSdpTrack *track = video ? &choice->video : &choice->audio;

    if (!track->codec)
      add_rejected (
          refusals, answer, video ? "video" : "audio", media_codecs (media));
  }
  return refusals;
}
