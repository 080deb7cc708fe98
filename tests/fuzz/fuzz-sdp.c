/* gst-tsrec: fuzz target, what a client sends as a session description
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The input is an offer; what is made of it must be an offer again, with the
 * chosen tracks and no others. It is read as an ICE fragment as well.
 */

#include "fuzz.h"
#include "rtcsdp.h"

#include <gst/gst.h>

static void
check_choice (const GstSDPMessage *offer, const RtcSdpChoice *choice)
{
  GstSDPMessage *pruned = rtc_sdp_prune (offer, choice, NULL), *answer;
  guint i, tracks = !!choice->video.codec + !!choice->audio.codec;
  gchar *text, *fragment;

  if (!pruned)
    return;
  FUZZ_ASSERT (gst_sdp_message_medias_len (pruned) == tracks, "%u",
      gst_sdp_message_medias_len (pruned));
  for (i = 0; i < tracks; i++) {
    GstCaps *caps = rtc_sdp_media_caps (gst_sdp_message_get_media (pruned, i));

    FUZZ_ASSERT (caps, "no caps of a chosen m-line");
    gst_caps_unref (caps);
  }
  rtc_sdp_set_bandwidth (pruned, 1000000);
  answer = rtc_sdp_expand_answer (offer, pruned, choice);
  FUZZ_ASSERT (
      gst_sdp_message_medias_len (answer) == gst_sdp_message_medias_len (offer),
      "an m-line got lost");
  text = gst_sdp_message_as_text (answer);
  fragment = rtc_ice_fragment_build (pruned, "u", "p");
  g_free (fragment);
  g_free (text);
  gst_sdp_message_free (answer);
  gst_sdp_message_free (pruned);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const RtcSdpCodec **video, **audio;
  GError *error = NULL;
  GstSDPMessage *offer;
  RtcIceFragment *fragment;
  RtcSdpChoice choice;

  if (!video) {
    gst_init (NULL, NULL);
    /* Log output of GstSDP about invalid data is not tested. */
    gst_debug_set_default_threshold (GST_LEVEL_NONE);
    video = rtc_sdp_parse_codecs ("video", "H264,H265,VP8,VP9,AV1", NULL);
    audio = rtc_sdp_parse_codecs ("audio", "OPUS", NULL);
  }
  offer = rtc_sdp_parse ((const gchar *)data, size, &error);
  FUZZ_ASSERT (!offer == !!error, "an error and a message, or neither");
  g_clear_error (&error);
  if (offer) {
    if (rtc_sdp_choose (offer, (const RtcSdpCodec *const *)video,
            (const RtcSdpCodec *const *)audio, &choice, NULL))
      check_choice (offer, &choice);
    gst_sdp_message_free (offer);
  }
  fragment = rtc_ice_fragment_parse ((const gchar *)data, size, NULL);
  rtc_ice_fragment_free (fragment);
  return 0;
}
