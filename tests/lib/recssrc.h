/* gst-tsrec: a sender that goes on as another SSRC
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "reclive.h"

#include <gst/rtp/rtp.h>

G_BEGIN_DECLS

/* From the timestamps of the one to those of the other. */
#define REC_SSRC_APART 77777777

/* Comfort noise (RFC 3551 table 4), which is not negotiated here. */
#define REC_SSRC_NOISE 13

/**
 * RecSsrc:
 * @other: the packets are sent as the other stream; atomic
 * @noise: packets of REC_SSRC_NOISE come between those of each SSRC; atomic
 * @sent: packets of each, all tracks; atomic
 * @sent_noise: packets of noise; atomic
 */
typedef struct
{
  gint other;
  gint noise;
  gint sent[2];
  gint sent_noise;
} RecSsrc;

/* All tracks that the webrtcbin in @sender sends, in front of its RTP session,
 * which knows both streams: to be called when they flow. @streams has static
 * storage, because a packet may still be on its way when @sender is freed. */
void rec_ssrc_init (RecSsrc *streams, GstElement *sender);

G_END_DECLS
