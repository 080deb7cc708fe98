/* gst-tsrec: the answer of an ICE-lite endpoint
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcsdp-lite.h"
#include "rtcsdp-private.h"

#include <string.h>

/* Of the offer, what holds for the answer as it is. */
static const gchar *const kept_attributes[] = { "mid", "rtcp-mux", "rtcp-rsize",
  "extmap", NULL };

static gint
first_payload (const GstSDPMedia *media)
{
  gint payload = -1;

  if (gst_sdp_media_formats_len (media) > 0)
    rtc_sdp_parse_payload (gst_sdp_media_get_format (media, 0), &payload);
  return payload;
}

gboolean
rtc_sdp_lite_offers_feedback (
    const GstSDPMedia *media, gint payload, const gchar *kind)
{
  for (guint i = 0; i < gst_sdp_media_attributes_len (media); i++) {
    const gchar *value = rtc_sdp_attribute_for (
        gst_sdp_media_get_attribute (media, i), "rtcp-fb", payload);

    if (value && g_str_equal (value, kind))
      return TRUE;
  }
  return FALSE;
}

gboolean
rtc_sdp_lite_has_feedback (const GstSDPMedia *media, const gchar *kind)
{
  return rtc_sdp_lite_offers_feedback (media, first_payload (media), kind);
}

/* A pruned m-line has two formats at most, the second for retransmission. */
gint
rtc_sdp_lite_get_rtx (const GstSDPMedia *media)
{
  gint payload = -1;

  if (gst_sdp_media_formats_len (media) < 2 ||
      !rtc_sdp_parse_payload (gst_sdp_media_get_format (media, 1), &payload) ||
      !rtc_sdp_payload_is (media, payload, "rtx"))
    return -1;
  return payload;
}

gboolean
rtc_sdp_lite_is_bundled (const GstSDPMessage *sdp)
{
  const gchar *group = gst_sdp_message_get_attribute_val (sdp, "group");

  return gst_sdp_message_medias_len (sdp) < 2 ||
      (group && g_str_has_prefix (group, "BUNDLE "));
}

/* Copies the attributes of @payload, without retransmission unless @retransmit. */
static void
copy_payload_attributes (
    const GstSDPMedia *from, GstSDPMedia *to, gint payload, gboolean retransmit)
{
  static const gchar *const keys[] = { "rtpmap", "fmtp", "rtcp-fb" };

  for (guint i = 0; i < gst_sdp_media_attributes_len (from); i++) {
    const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (from, i);

    for (guint k = 0; k < G_N_ELEMENTS (keys); k++) {
      const gchar *value = rtc_sdp_attribute_for (attribute, keys[k], payload);

      if (value && (retransmit || !g_str_equal (value, "nack")))
        gst_sdp_media_add_attribute (to, attribute->key, attribute->value);
    }
  }
}

static void
add_codecs (const GstSDPMedia *from, GstSDPMedia *to, gboolean retransmit,
    gboolean remb)
{
  gint rtx = rtc_sdp_lite_get_rtx (from);
  gchar *line = g_strdup_printf ("%d goog-remb", first_payload (from));

  gst_sdp_media_add_format (to, gst_sdp_media_get_format (from, 0));
  copy_payload_attributes (from, to, first_payload (from), retransmit);
  if (remb)
    gst_sdp_media_add_attribute (to, "rtcp-fb", line);
  g_free (line);
  if (rtx < 0 || !retransmit)
    return;
  gst_sdp_media_add_format (to, gst_sdp_media_get_format (from, 1));
  copy_payload_attributes (from, to, rtx, TRUE);
}

static void
add_transport (GstSDPMedia *to, const RtcSdpLiteTransport *transport,
    const gchar *const *candidates)
{
  gst_sdp_media_add_attribute (to, "ice-ufrag", transport->ufrag);
  gst_sdp_media_add_attribute (to, "ice-pwd", transport->pwd);
  gst_sdp_media_add_attribute (to, "fingerprint", transport->fingerprint);
  gst_sdp_media_add_attribute (
      to, "setup", transport->server ? "passive" : "active");
  for (; *candidates; candidates++)
    gst_sdp_media_add_attribute (
        to, "candidate", *candidates + strlen ("candidate:"));
  gst_sdp_media_add_attribute (to, "end-of-candidates", "");
}

static void
add_media (GstSDPMessage *out, const GstSDPMedia *from,
    const RtcSdpLiteTransport *transport, const gchar *const *candidates,
    gboolean retransmit, gboolean remb)
{
  GstSDPMedia *to;

  gst_sdp_media_new (&to);
  gst_sdp_media_set_media (to, gst_sdp_media_get_media (from));
  gst_sdp_media_set_port_info (to, 9, 1);
  gst_sdp_media_set_proto (to, "UDP/TLS/RTP/SAVPF");
  gst_sdp_media_add_connection (to, "IN", "IP4", "0.0.0.0", 0, 0);
  add_codecs (from, to, retransmit, remb);
  for (guint i = 0; i < gst_sdp_media_attributes_len (from); i++) {
    const GstSDPAttribute *attribute = gst_sdp_media_get_attribute (from, i);

    if (g_strv_contains (kept_attributes, attribute->key))
      gst_sdp_media_add_attribute (to, attribute->key, attribute->value);
  }
  gst_sdp_media_add_attribute (to, "recvonly", "");
  add_transport (to, transport, candidates);
  gst_sdp_message_add_media (out, to);
  gst_sdp_media_free (to);
}

GstSDPMessage *
rtc_sdp_lite_answer (const GstSDPMessage *pruned,
    const RtcSdpLiteTransport *transports, const gchar *const *candidates,
    gboolean retransmit_video, gboolean retransmit_audio, gboolean remb)
{
  const gchar *group = gst_sdp_message_get_attribute_val (pruned, "group");
  gboolean bundled = rtc_sdp_lite_is_bundled (pruned);
  gchar *id = g_strdup_printf ("%u", g_random_int ());
  GstSDPMessage *out;

  gst_sdp_message_new (&out);
  gst_sdp_message_set_version (out, "0");
  gst_sdp_message_set_origin (out, "-", id, "0", "IN", "IP4", "0.0.0.0");
  g_free (id);
  gst_sdp_message_set_session_name (out, "-");
  gst_sdp_message_add_time (out, "0", "0", NULL);
  gst_sdp_message_add_attribute (out, "ice-lite", "");
  if (group)
    gst_sdp_message_add_attribute (out, "group", group);
  for (guint i = 0; i < gst_sdp_message_medias_len (pruned); i++) {
    const GstSDPMedia *media = gst_sdp_message_get_media (pruned, i);
    gboolean video = g_str_equal (gst_sdp_media_get_media (media), "video");

    add_media (out, media, &transports[bundled ? 0 : i], candidates,
        video ? retransmit_video : retransmit_audio, video && remb);
  }
  return out;
}
