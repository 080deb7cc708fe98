/* gst-tsrec: reading m-lines, for rtcsdp.c and rtcsdp-rewrite.c
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/sdp/sdp.h>

#include "rtcsdp.h"

G_BEGIN_DECLS

#define RTC_SDP_TRANSPORT_CC_URI                                               \
  "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

/* Attribute @key of @media, or else of the session; owned by them. */
const gchar *rtc_sdp_media_attribute (
    const GstSDPMessage *sdp, const GstSDPMedia *media, const gchar *key);

/* TRUE, the mids of the first BUNDLE group (RFC 9143; free with g_strfreev())
 * and the m-line whose transport the group uses, when there is one. */
gboolean rtc_sdp_find_bundle (
    const GstSDPMessage *sdp, GStrv *mids, const GstSDPMedia **tagged);
/* Whether the mid of @media is one of @mids, which may be NULL. */
gboolean rtc_sdp_is_bundled (
    const gchar *const *mids, const GstSDPMedia *media);

/* What each m-line of @sdp does; the default is "sendrecv". Static. */
const gchar *rtc_sdp_media_direction (
    const GstSDPMessage *sdp, const GstSDPMedia *media);
/* Whether RTP can flow in @media, sent by the peer or, with @sends FALSE,
 * received by it: a direction that allows it, a secure profile, not
 * rejected. */
gboolean rtc_sdp_media_is_usable (
    const GstSDPMessage *sdp, const GstSDPMedia *media, gboolean sends);
/* One track of each kind; see rtc_sdp_choose(). */
void rtc_sdp_choose_tracks (const GstSDPMessage *sdp,
    const RtcSdpCodec *const *video_codecs,
    const RtcSdpCodec *const *audio_codecs, gboolean sends,
    RtcSdpChoice *choice);
/* "H264, VP8 (video, sendonly); OPUS (audio, sendonly)": what the m-lines
 * offer. Caller frees. */
gchar *rtc_sdp_describe (const GstSDPMessage *sdp);
/* The name of the codec in @rtpmap of an m-line of @kind, and its clock rate
 * where that is not the one that RTP has for it. Caller frees. */
gchar *sdp_describe_codec (const gchar *kind, const gchar *rtpmap);
/* Takes out of @choice what @answer has on a second transport. */
void rtc_sdp_drop_unbundled (const GstSDPMessage *answer, RtcSdpChoice *choice);

/* What @attribute says of payload type @payload, behind that, when it is one of
 * @key ("rtpmap", "fmtp", "rtcp-fb"); NULL otherwise. */
const gchar *rtc_sdp_attribute_for (
    const GstSDPAttribute *attribute, const gchar *key, gint payload);
/* The first of these in @media; NULL when there is none. */
const gchar *rtc_sdp_payload_attribute (
    const GstSDPMedia *media, const gchar *key, gint payload);

/* Parameter @name of a=fmtp for @payload. Caller frees. */
gchar *rtc_sdp_payload_parameter (
    const GstSDPMedia *media, gint payload, const gchar *name);

/* FALSE when @format is not a payload type (0 to 127). */
gboolean rtc_sdp_parse_payload (const gchar *format, gint *payload);

/**
 * RtcSdpPayloads:
 * @bits: one for each payload type
 */
typedef struct
{
  guint64 bits[2];
} RtcSdpPayloads;

/* Like rtc_sdp_parse_payload(), and FALSE for what is in @seen already: looking up
 * what an m-line says of a payload type takes a pass over its attributes, and
 * a hostile one lists the same format many thousand times. */
gboolean rtc_sdp_next_payload (
    const gchar *format, RtcSdpPayloads *seen, gint *payload);

/* Whether a=rtpmap of @payload names the encoding @name, in any case. */
gboolean rtc_sdp_payload_is (
    const GstSDPMedia *media, gint payload, const gchar *name);

G_END_DECLS
