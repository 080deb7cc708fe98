/* gst-tsrec: reading m-lines, for the files rtcsdp*.c
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/sdp/sdp.h>

#include "rtcsdp.h"

G_BEGIN_DECLS

#define RTC_SDP_TRANSPORT_CC_URI                                               \
  "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

/* Returns the attribute @key of @media, or else of the session, or NULL. Owned by
 * them. */
const gchar *rtc_sdp_media_attribute (
    const GstSDPMessage *sdp, const GstSDPMedia *media, const gchar *key);

/* Finds the first BUNDLE group (RFC 9143). @mids: mids of the group (free with
 * g_strfreev()). @tagged: m-line that has the transport of the group. Returns
 * FALSE without a group. */
gboolean rtc_sdp_find_bundle (
    const GstSDPMessage *sdp, GStrv *mids, const GstSDPMedia **tagged);
/* Returns TRUE if the mid of @media is one of @mids, which may be NULL. */
gboolean rtc_sdp_is_bundled (
    const gchar *const *mids, const GstSDPMedia *media);

/* Returns the direction of @media; the default is "sendrecv". Static. */
const gchar *rtc_sdp_media_direction (
    const GstSDPMessage *sdp, const GstSDPMedia *media);
/* Returns TRUE if the peer can send (or with @sends FALSE, receive) RTP in
 * @media: the direction allows it, the profile is secure, and the m-line is not
 * rejected. */
gboolean rtc_sdp_media_is_usable (
    const GstSDPMessage *sdp, const GstSDPMedia *media, gboolean sends);
/* Chooses one track of each kind; see rtc_sdp_choose(). */
void rtc_sdp_choose_tracks (const GstSDPMessage *sdp,
    const RtcSdpCodec *const *video_codecs,
    const RtcSdpCodec *const *audio_codecs, gboolean sends,
    RtcSdpChoice *choice);
/* Returns the codecs of the m-lines, for example "H264, VP8 (video, sendonly);
 * OPUS (audio, sendonly)". Caller frees. */
gchar *rtc_sdp_describe (const GstSDPMessage *sdp);
/* Returns the name of the codec in @rtpmap of an m-line of @kind. The clock rate
 * is added if it is not the one of the codec. Caller frees. */
gchar *rtc_sdp_describe_codec (const gchar *kind, const gchar *rtpmap);
/* Removes tracks from @choice that @answer has on a second transport. */
void rtc_sdp_drop_unbundled (const GstSDPMessage *answer, RtcSdpChoice *choice);

/* Returns the text of @attribute after the payload type, if the attribute is a
 * @key ("rtpmap", "fmtp", "rtcp-fb") of @payload, or else NULL. */
const gchar *rtc_sdp_attribute_for (
    const GstSDPAttribute *attribute, const gchar *key, gint payload);
/* Returns that text from the first such attribute of @media, or NULL. */
const gchar *rtc_sdp_payload_attribute (
    const GstSDPMedia *media, const gchar *key, gint payload);

/* Returns the parameter @name of a=fmtp for @payload, or NULL. Caller frees. */
gchar *rtc_sdp_payload_parameter (
    const GstSDPMedia *media, gint payload, const gchar *name);

/* Returns FALSE if @format is not a payload type (0 to 127). */
gboolean rtc_sdp_parse_payload (const gchar *format, gint *payload);

/**
 * RtcSdpPayloads:
 * @bits: one bit for each payload type
 */
typedef struct
{
  guint64 bits[2];
} RtcSdpPayloads;

/* Like rtc_sdp_parse_payload(), but also returns FALSE for a payload type in
 * @seen, and adds others to it. Each lookup of a payload type is a pass over all
 * attributes, and a hostile m-line repeats one format many thousand times. */
gboolean rtc_sdp_next_payload (
    const gchar *format, RtcSdpPayloads *seen, gint *payload);

/* Returns TRUE if a=rtpmap of @payload has the encoding @name, in any case. */
gboolean rtc_sdp_payload_is (
    const GstSDPMedia *media, gint payload, const gchar *name);

G_END_DECLS
