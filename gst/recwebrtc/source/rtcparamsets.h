/* gst-tsrec: parameter sets that are repeated between the slices of a picture
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A parameter set begins an access unit (H.264 7.4.1.2.3, H.265 7.4.2.4.4).
 * Some senders put their parameter sets in front of every slice of a key frame
 * (rtph264pay with config-interval=-1), and a depayloader then makes an access
 * unit of every slice. This filter removes parameter sets that are repeated
 * within one RTP timestamp. It also removes NAL units of an aggregation packet
 * that end before their first byte of data.
 *
 * A plain struct; one thread at a time.
 */

#pragma once

#include "recnalunit.h"

#include <glib.h>

G_BEGIN_DECLS

#define RTC_PARAM_SETS_MAX 16

/**
 * RtcParamSets:
 * @syntax: REC_NAL_H264 (RFC 6184) or REC_NAL_H265 (RFC 7798)
 * @started: a packet was received
 * @timestamp: RTP timestamp of the picture
 * @slice_seen: a slice of the picture was received
 * @sets: checksums of the parameter sets of the picture
 * @n_sets: number of @sets
 */
typedef struct
{
  RecNalSyntax syntax;
  gboolean started;
  guint32 timestamp;
  gboolean slice_seen;
  guint64 sets[RTC_PARAM_SETS_MAX];
  guint n_sets;
} RtcParamSets;

void rtc_param_sets_init (RtcParamSets *slices, gboolean h265);

/* Filters the payload of the next packet, in order. Returns the number of
 * payload bytes to keep (usually all). If @out is not NULL, these bytes are
 * written to it; it may be @payload. */
gsize rtc_param_sets_filter (RtcParamSets *slices, guint32 timestamp,
    const guint8 *payload, gsize size, guint8 *out);

G_END_DECLS
