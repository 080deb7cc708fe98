/* gst-tsrec: simulcast in session descriptions (RFC 8853, RFC 8851)
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The publisher sends one picture in several sizes (layers), each named by a
 * rid. Some publishers send nothing unless every layer is accepted. Therefore
 * all layers are accepted, and the largest one is recorded; see rtclayers.h.
 * Pure functions, any thread.
 */

#pragma once

#include <gst/sdp/sdp.h>

G_BEGIN_DECLS

#define RTC_SDP_MID_URI "urn:ietf:params:rtp-hdrext:sdes:mid"
#define RTC_SDP_RID_URI "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
#define RTC_SDP_REPAIRED_RID_URI                                               \
  "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"

/* Further layers are not accepted. */
#define RTC_SDP_SIMULCAST_MAX_LAYERS 8

/**
 * RtcSdpLayer:
 * @rid: name of the layer, NULL if only the SSRC identifies it
 * @ssrc: SSRC from a=ssrc-group:SIM; 0: unknown
 * @pixels: limit of a=rid for the size of a picture (max-width, max-height,
 *   max-fs), pixels; 0: none
 */
typedef struct
{
  gchar *rid;
  guint32 ssrc;
  guint pixels;
} RtcSdpLayer;

/* Returns the layers of @media, an m-line of an offer, in the order of the
 * offer. @payload: the chosen payload type. The layers are those of a=simulcast
 * with an a=rid that allows @payload; without a=simulcast, those of a=rid; and
 * without a=rid, those of a=ssrc-group:SIM (older than RFC 8853). The array of
 * RtcSdpLayer is empty without simulcast. Free with g_array_unref(). */
GArray *rtc_sdp_simulcast_layers (const GstSDPMedia *media, gint payload);

/* Returns the id of the header extension @uri in @media (RFC 8285), or 0 if it
 * is not offered. */
guint rtc_sdp_header_extension (const GstSDPMedia *media, const gchar *uri);

/* Accepts all layers of @offered in @answered: adds a=rid and a=simulcast with
 * "recv", and the header extensions that identify the layer of a packet. Adds
 * nothing if no rid is offered. */
void rtc_sdp_simulcast_accept (
    const GstSDPMedia *offered, gint payload, GstSDPMedia *answered);

G_END_DECLS
