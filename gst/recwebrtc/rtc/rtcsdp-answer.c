/* gst-tsrec: the answer that a client gets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcsdp.h"
#include "rtcsdpsimulcast.h"

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
rtc_sdp_expand_answer (const GstSDPMessage *offer, const GstSDPMessage *answer,
    const RtcSdpChoice *choice)
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
    const GstSDPMedia *offered = gst_sdp_message_get_media (offer, i);
    const RtcSdpTrack *track = NULL;

    if (choice->video.codec && choice->video.media == i)
      track = &choice->video;
    else if (choice->audio.codec && choice->audio.media == i)
      track = &choice->audio;
    if (track && used < gst_sdp_message_medias_len (answer)) {
      GstSDPMedia *media;

      gst_sdp_media_copy (gst_sdp_message_get_media (answer, used++), &media);
      rtc_sdp_simulcast_accept (offered, track->payload, media);
      gst_sdp_message_add_media (out, media);
      gst_sdp_media_free (media);
    } else {
      add_rejected (out, offered);
    }
  }
  return out;
}

void
rtc_sdp_set_bandwidth (GstSDPMessage *sdp, guint bits_per_second)
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
