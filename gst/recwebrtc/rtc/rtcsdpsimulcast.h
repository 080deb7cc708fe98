/* gst-tsrec: simulcast in session descriptions (RFC 8853, RFC 8851)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The publisher sends one picture in several sizes (layers), each named by a
 * rid, and some publishers send nothing unless each layer is accepted. So all
 * are, and the largest one is recorded; see rtclayers.h. Pure functions, any
 * thread.
 */

#pragma once

#include <gst/sdp/sdp.h>

G_BEGIN_DECLS

#define RTC_SDP_MID_URI "urn:ietf:params:rtp-hdrext:sdes:mid"
#define RTC_SDP_RID_URI "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
#define RTC_SDP_REPAIRED_RID_URI                                               \
  "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"

/* Further ones are neither accepted nor told apart. */
#define RTC_SDP_SIMULCAST_MAX_LAYERS 8

/**
 * RtcSdpLayer:
 * @rid: name of the layer, NULL for one that only its SSRC names
 * @ssrc: 0 unless a=ssrc-group:SIM names it
 * @pixels: at most in a picture, as a=rid says (max-width, max-height, max-fs);
 *   0 when it does not
 */
typedef struct
{
  gchar *rid;
  guint32 ssrc;
  guint pixels;
} RtcSdpLayer;

/* The layers of @media, an m-line of an offer, in which @payload was chosen, in
 * the order of the offer: those of a=simulcast that an a=rid describes and
 * that may carry @payload; a=rid alone; or else, from before RFC 8853, those of
 * a=ssrc-group:SIM. Array of RtcSdpLayer, empty when there is no simulcast. Free
 * with g_array_unref(). */
GArray *rtc_sdp_simulcast_layers (const GstSDPMedia *media, gint payload);

/* Id of the header extension @uri in @media (RFC 8285), 0 when it is not
 * offered. */
guint rtc_sdp_header_extension (const GstSDPMedia *media, const gchar *uri);

/* Accepts all layers of @offered in @answered: a=rid and a=simulcast with
 * "recv", and the header extensions that name the layer of a packet. Adds
 * nothing when no rid is offered. */
void rtc_sdp_simulcast_accept (
    const GstSDPMedia *offered, gint payload, GstSDPMedia *answered);

G_END_DECLS
