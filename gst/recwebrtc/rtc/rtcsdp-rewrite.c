/* gst-tsrec: descriptions for webrtcbin
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcsdpfingerprint.h"
#include "rtcsdp-private.h"
#include "rtcsdp.h"

#include <string.h>

/* clang-format off */
/* Attributes of an m-line that are passed to webrtcbin, besides codec and
 * candidates. */
static const gchar *const media_attributes[] = {
  "rtcp-mux", "rtcp-rsize", "msid", "end-of-candidates", NULL
};

/* Parameters of a BUNDLE group are those of its first m-line (RFC 9143 section
 * 7.3.3: offerer tagged m-line). */
static const gchar *const transport_attributes[] = {
  "ice-ufrag", "ice-pwd", "setup", NULL
};

/* Feedback that webrtcbin supports; other feedback is not answered. */
static const gchar *const feedback[] = {
  "nack", "nack pli", "ccm fir", "transport-cc", NULL
};
/* clang-format on */
#define FEEDBACK_PLI 1
#define FEEDBACK_FIR 2

/* --- the description for webrtcbin --- */

gboolean
rtc_sdp_find_bundle (
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
rtc_sdp_is_bundled (const gchar *const *mids, const GstSDPMedia *media)
{
  const gchar *mid = gst_sdp_media_get_attribute_val (media, "mid");

  return mids && mid && g_strv_contains (mids, mid);
}

static void
copy_rtx (const GstSDPMedia *from, GstSDPMedia *to, gint payload)
{
  RtcSdpPayloads seen = { { 0 } };
  guint i;

  for (i = 0; i < gst_sdp_media_formats_len (from); i++) {
    const gchar *format = gst_sdp_media_get_format (from, i);
    gchar *apt, *value;
    gint rtx;

    if (!rtc_sdp_next_payload (format, &seen, &rtx) ||
        !rtc_sdp_payload_is (from, rtx, "rtx"))
      continue;
    apt = rtc_sdp_payload_parameter (from, rtx, "apt");
    if (apt && g_ascii_strtoll (apt, NULL, 10) == payload) {
      gst_sdp_media_add_format (to, format);
      value = g_strdup_printf (
          "%d %s", rtx, rtc_sdp_payload_attribute (from, "rtpmap", rtx));
      gst_sdp_media_add_attribute (to, "rtpmap", value);
      g_free (value);
      value = g_strdup_printf (
          "%d %s", rtx, rtc_sdp_payload_attribute (from, "fmtp", rtx));
      gst_sdp_media_add_attribute (to, "fmtp", value);
      g_free (value);
      g_free (apt);
      return;
    }
    g_free (apt);
  }
}

/* Drops FIR if PLI is offered. If both are negotiated, rtpsession sends FIR and
 * repeats its sequence number, so that all further requests are duplicates (RFC
 * 5104 section 4.3.1.1). PLI has no sequence number. One pass and one line for
 * each kind, because an offer may have thousands of these lines. */
static void
copy_feedback (const GstSDPMedia *from, GstSDPMedia *to, gint payload)
{
  gboolean offered[G_N_ELEMENTS (feedback)] = { FALSE };
  guint i, kind;

  for (i = 0; i < gst_sdp_media_attributes_len (from); i++) {
    const gchar *value = rtc_sdp_attribute_for (
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

/* Returns @fmtp, which may be NULL, with stereo=1. The value in the offer is a
 * preference for received audio (RFC 7587 section 6.1), and browsers only send
 * stereo if the answer requests it. Caller frees. */
static gchar *
want_stereo (const gchar *fmtp)
{
  gchar **parts = g_strsplit (fmtp ? fmtp : "", ";", -1);
  GString *out = g_string_new (NULL);
  guint i;

  for (i = 0; parts[i]; i++) {
    const gchar *part = g_strstrip (parts[i]);

    if (*part && g_ascii_strncasecmp (part, "stereo=", 7) != 0)
      g_string_append_printf (out, "%s;", part);
  }
  g_strfreev (parts);
  g_string_append (out, "stereo=1");
  return g_string_free (out, FALSE);
}

static void
copy_codec (const GstSDPMedia *from, GstSDPMedia *to, const RtcSdpTrack *track)
{
  gchar *format = g_strdup_printf ("%d", track->payload);
  const gchar *value;
  gchar *line, *fmtp;

  gst_sdp_media_add_format (to, format);
  line = g_strdup_printf ("%s %s", format,
      rtc_sdp_payload_attribute (from, "rtpmap", track->payload));
  gst_sdp_media_add_attribute (to, "rtpmap", line);
  g_free (line);
  copy_feedback (from, to, track->payload);
  value = rtc_sdp_payload_attribute (from, "fmtp", track->payload);
  fmtp = g_str_equal (track->codec->name, "OPUS") ? want_stereo (value)
                                                  : g_strdup (value);
  if (fmtp) {
    line = g_strdup_printf ("%s %s", format, fmtp);
    gst_sdp_media_add_attribute (to, "fmtp", line);
    g_free (line);
  }
  g_free (fmtp);
  copy_rtx (from, to, track->payload);
  g_free (format);
}

static void
copy_attributes (const GstSDPMedia *from, GstSDPMedia *to)
{
  guint i;

  for (i = 0; i < gst_sdp_media_attributes_len (from); i++) {
    const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (from, i);

    if (g_strv_contains (media_attributes, attribute->key) ||
        (g_str_equal (attribute->key, "extmap") && attribute->value &&
            strstr (attribute->value, RTC_SDP_TRANSPORT_CC_URI)))
      gst_sdp_media_add_attribute (to, attribute->key, attribute->value);
  }
}

static void
copy_candidates (const GstSDPMedia *from, GstSDPMedia *to)
{
  guint i, n = 0;

  for (i = 0;
       i < gst_sdp_media_attributes_len (from) && n < RTC_SDP_MAX_CANDIDATES;
       i++) {
    const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (from, i);

    if (!g_str_equal (attribute->key, "candidate"))
      continue;
    gst_sdp_media_add_attribute (to, attribute->key, attribute->value);
    n++;
  }
}

/* Copies all fingerprints: a description may have one for each hash and for each
 * certificate (RFC 8122 section 5). */
static gboolean
copy_fingerprints (const GstSDPMessage *sdp, const GstSDPMedia *from,
    GstSDPMedia *to, GError **error)
{
  gchar **fingerprints = rtc_sdp_fingerprint_list_of (sdp, from);
  gboolean usable =
      rtc_sdp_fingerprint_is_usable ((const gchar *const *)fingerprints);
  guint i;

  for (i = 0; fingerprints[i]; i++)
    gst_sdp_media_add_attribute (to, "fingerprint", fingerprints[i]);
  if (!usable)
    g_set_error (error, RTC_SDP_ERROR, RTC_SDP_ERROR_UNACCEPTABLE,
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
    const gchar *value = rtc_sdp_media_attribute (sdp, from, key);

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
  g_set_error (error, RTC_SDP_ERROR, RTC_SDP_ERROR_UNACCEPTABLE,
      "The session description has no a=%s, which WebRTC needs (RFC 8829 "
      "section 5.2.1).",
      transport_attributes[i]);
  return FALSE;
}

/* Returns an m-line that is not rejected, without codecs. */
static GstSDPMedia *
new_media (const gchar *kind, const gchar *mid)
{
  GstSDPMedia *media;

  gst_sdp_media_new (&media);
  gst_sdp_media_set_media (media, kind);
  gst_sdp_media_set_port_info (media, 9, 1);
  gst_sdp_media_set_proto (media, "UDP/TLS/RTP/SAVPF");
  gst_sdp_media_add_connection (media, "IN", "IP4", "0.0.0.0", 0, 0);
  gst_sdp_media_add_attribute (media, "mid", mid);
  return media;
}

/* Consumes @media. */
static void
take_media (GstSDPMessage *out, GstSDPMedia *media)
{
  gst_sdp_message_add_media (out, media);
  gst_sdp_media_free (media);
}

/* Adds an m-line for @track, with @mid and @direction, to @out. @tagged: m-line
 * with the transport; NULL: that of @track. */
static gboolean
prune_media (const GstSDPMessage *sdp, const RtcSdpTrack *track,
    const GstSDPMedia *tagged, const gchar *mid, const gchar *direction,
    GstSDPMessage *out, GError **error)
{
  const GstSDPMedia *from = gst_sdp_message_get_media (sdp, track->media);
  GstSDPMedia *to = new_media (track->codec->media, mid);

  copy_codec (from, to, track);
  copy_attributes (from, to);
  gst_sdp_media_add_attribute (to, direction, "");
  if (!copy_transport (sdp, tagged ? tagged : from, to, error)) {
    gst_sdp_media_free (to);
    return FALSE;
  }
  take_media (out, to);
  return TRUE;
}

/* Sets @tracks to the chosen tracks in the order of the offer, and returns their
 * number. */
static guint
sorted_tracks (const RtcSdpChoice *choice, const RtcSdpTrack *tracks[2])
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
  /* A lite peer makes no checks, so we are controlling (RFC 8445 section 6.1.1).
   * webrtcbin derives the role from this attribute. */
  if (gst_sdp_message_get_attribute_val (from, "ice-lite"))
    gst_sdp_message_add_attribute (out, "ice-lite", "");
}

/* Adds a BUNDLE group of the m-lines of @out that are in @mids, if any. */
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
rtc_sdp_prune (
    const GstSDPMessage *offer, const RtcSdpChoice *choice, GError **error)
{
  const GstSDPMedia *tagged = NULL;
  const RtcSdpTrack *tracks[2];
  GStrv mids = NULL;
  GstSDPMessage *out;
  guint i, n = sorted_tracks (choice, tracks);

  rtc_sdp_find_bundle (offer, &mids, &tagged);
  gst_sdp_message_new (&out);
  set_header (out, offer);
  for (i = 0; i < n; i++) {
    const GstSDPMedia *media =
        gst_sdp_message_get_media (offer, tracks[i]->media);
    const gchar *mid = gst_sdp_media_get_attribute_val (media, "mid");
    gboolean bundled = rtc_sdp_is_bundled ((const gchar *const *)mids, media);
    gchar *number = g_strdup_printf ("%u", tracks[i]->media);
    gboolean ok = prune_media (offer, tracks[i], bundled ? tagged : NULL,
        mid ? mid : number, "sendonly", out, error);

    g_free (number);
    if (!ok)
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

/* --- answers to our own offers --- */

/* Returns the m-line of @answer with the common transport: with BUNDLE the first
 * one of the group, otherwise the first accepted one. Returns NULL if no m-line
 * is accepted. */
static const GstSDPMedia *
answered_transport (
    const GstSDPMessage *answer, const RtcSdpChoice *choice, GStrv *mids)
{
  const GstSDPMedia *tagged = NULL;
  const RtcSdpTrack *tracks[2];

  if (rtc_sdp_find_bundle (answer, mids, &tagged) &&
      gst_sdp_media_get_port (tagged) != 0)
    return tagged;
  if (sorted_tracks (choice, tracks) == 0)
    return NULL;
  return gst_sdp_message_get_media (answer, tracks[0]->media);
}

/* Clears @track if it is on another transport than @transport: our offer has
 * only one. */
static void
drop_unbundled (const GstSDPMessage *answer, const GstSDPMedia *transport,
    const gchar *const *mids, RtcSdpTrack *track)
{
  const GstSDPMedia *media;
  const gchar *ufrag;

  if (!track->codec)
    return;
  media = gst_sdp_message_get_media (answer, track->media);
  ufrag = gst_sdp_media_get_attribute_val (media, "ice-ufrag");
  if (media != transport && !rtc_sdp_is_bundled (mids, media) && ufrag &&
      g_strcmp0 (
          ufrag, rtc_sdp_media_attribute (answer, transport, "ice-ufrag")))
    memset (track, 0, sizeof (*track));
}

void
rtc_sdp_drop_unbundled (const GstSDPMessage *answer, RtcSdpChoice *choice)
{
  GStrv mids = NULL;
  const GstSDPMedia *transport = answered_transport (answer, choice, &mids);

  drop_unbundled (
      answer, transport, (const gchar *const *)mids, &choice->video);
  drop_unbundled (
      answer, transport, (const gchar *const *)mids, &choice->audio);
  g_strfreev (mids);
}

/* Adds an inactive m-line with the first offered codec to @out. A rejected m-line
 * may be without attributes, but webrtcbin needs a complete one. */
static gboolean
add_inactive (const GstSDPMedia *offered, const GstSDPMessage *answer,
    const GstSDPMedia *transport, GstSDPMessage *out, GError **error)
{
  const gchar *format = gst_sdp_media_get_format (offered, 0);
  GstSDPMedia *to = new_media (gst_sdp_media_get_media (offered),
      gst_sdp_media_get_attribute_val (offered, "mid"));
  guint i;

  gst_sdp_media_add_format (to, format);
  for (i = 0; i < gst_sdp_media_attributes_len (offered); i++) {
    const GstSDPAttribute *a = gst_sdp_media_get_attribute (offered, i);
    gsize n = strlen (format);

    if ((g_str_equal (a->key, "rtpmap") || g_str_equal (a->key, "fmtp")) &&
        a->value && strncmp (a->value, format, n) == 0 && a->value[n] == ' ')
      gst_sdp_media_add_attribute (to, a->key, a->value);
  }
  gst_sdp_media_add_attribute (to, "rtcp-mux", "");
  gst_sdp_media_add_attribute (to, "inactive", "");
  if (!copy_transport (answer, transport, to, error)) {
    gst_sdp_media_free (to);
    return FALSE;
  }
  take_media (out, to);
  return TRUE;
}

GstSDPMessage *
rtc_sdp_complete_answer (const GstSDPMessage *offer,
    const GstSDPMessage *answer, const RtcSdpChoice *choice, gboolean sends,
    GError **error)
{
  GStrv answered_mids = NULL;
  const GstSDPMedia *transport =
      answered_transport (answer, choice, &answered_mids);
  GPtrArray *mids = g_ptr_array_new ();
  GstSDPMessage *out;
  gboolean ok = TRUE;
  guint i;

  g_strfreev (answered_mids);
  gst_sdp_message_new (&out);
  set_header (out, answer);
  for (i = 0; ok && i < gst_sdp_message_medias_len (offer); i++) {
    const GstSDPMedia *offered = gst_sdp_message_get_media (offer, i);
    const gchar *mid = gst_sdp_media_get_attribute_val (offered, "mid");
    const RtcSdpTrack *track =
        g_str_equal (gst_sdp_media_get_media (offered), "video")
        ? &choice->video
        : &choice->audio;

    g_ptr_array_add (mids, (gpointer)mid);
    ok = track->codec ? prune_media (answer, track, transport, mid,
                            sends ? "sendonly" : "recvonly", out, error)
                      : add_inactive (offered, answer, transport, out, error);
  }
  g_ptr_array_add (mids, NULL);
  set_bundle (out, (const gchar *const *)mids->pdata);
  g_ptr_array_unref (mids);
  if (!ok)
    g_clear_pointer (&out, gst_sdp_message_free);
  return out;
}

static gboolean
keep_unless_attribute (GQuark field, GValue *value, gpointer unused)
{
  return !g_str_has_prefix (g_quark_to_string (field), "a-");
}

GstCaps *
rtc_sdp_media_caps (const GstSDPMedia *media)
{
  gint payload;
  GstCaps *caps;

  if (!rtc_sdp_parse_payload (gst_sdp_media_get_format (media, 0), &payload))
    return NULL;
  caps = gst_sdp_media_get_caps_from_media (media, payload);
  if (!caps)
    return NULL;
  caps = gst_caps_make_writable (caps);
  gst_structure_set_name (
      gst_caps_get_structure (caps, 0), "application/x-rtp");
  /* Adds the header extensions. Other attributes must not get into the answer:
   * they would be the ICE and DTLS parameters of the client itself. */
  gst_sdp_media_attributes_to_caps (media, caps);
  gst_structure_filter_and_map_in_place (
      gst_caps_get_structure (caps, 0), keep_unless_attribute, NULL);
  return caps;
}
