/* gst-tsrec: the answer of an ICE-lite endpoint
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * For sessions on our own UDP port, as webrtcbin does for its own. Pure
 * functions, any thread.
 */

#pragma once

#include "rtcsdp.h"

G_BEGIN_DECLS

/**
 * RtcSdpLiteTransport:
 * @ufrag: our ICE user name fragment
 * @pwd: our ICE password
 * @fingerprint: of our certificate, "sha-256 AB:…"
 * @server: a=setup:passive, else active
 */
typedef struct
{
  const gchar *ufrag;
  const gchar *pwd;
  const gchar *fingerprint;
  gboolean server;
} RtcSdpLiteTransport;

/* Returns whether m-line @media of a pruned description has a=rtcp-fb @kind
 * ("nack", "nack pli", "ccm fir", "transport-cc") for its first payload
 * type. */
gboolean rtc_sdp_lite_has_feedback (
    const GstSDPMedia *media, const gchar *kind);
/* The same for @payload of m-line @media of any description. */
gboolean rtc_sdp_lite_offers_feedback (
    const GstSDPMedia *media, gint payload, const gchar *kind);
/* Payload type of the retransmission (RFC 4588) of the first payload type of
 * m-line @media of a pruned description, -1 without one. */
gint rtc_sdp_lite_get_rtx (const GstSDPMedia *media);
/* Returns whether all m-lines of @sdp share one transport. */
gboolean rtc_sdp_lite_is_bundled (const GstSDPMessage *sdp);

/* The answer to @pruned, of rtc_sdp_prune(): everything that it offers is
 * accepted; retransmission is accepted if @retransmit_video or
 * @retransmit_audio is TRUE. @remb: we send REMB for the video, which it has to
 * have offered. @transports: one for each m-line, or one for all
 * under BUNDLE. @candidates: NULL terminated, "candidate:…". Caller frees. */
GstSDPMessage *rtc_sdp_lite_answer (const GstSDPMessage *pruned,
    const RtcSdpLiteTransport *transports, const gchar *const *candidates,
    gboolean retransmit_video, gboolean retransmit_audio, gboolean remb);

G_END_DECLS
