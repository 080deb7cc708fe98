/* gst-tsrec: parameter sets that are repeated between the slices of a picture
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A parameter set begins an access unit (H.264 7.4.1.2.3, H.265 7.4.2.4.4).
 * Some senders put theirs in front of every slice of a key frame (rtph264pay
 * with config-interval=-1), and a depayloader then makes an access unit of
 * every slice. What is repeated within one RTP timestamp is left out here, and
 * so are units of an aggregation packet that end before their first byte of
 * data.
 *
 * A plain struct; one thread at a time.
 */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define RTC_PARAM_SETS_MAX 16

/**
 * RtcParamSets:
 * @h265: RFC 7798, otherwise RFC 6184
 * @started: there was a packet
 * @timestamp: RTP timestamp of the picture
 * @slice_seen: a slice of it has come
 * @sets: checksums of its parameter sets so far
 * @n_sets: how many
 */
typedef struct
{
  gboolean h265;
  gboolean started;
  guint32 timestamp;
  gboolean slice_seen;
  guint64 sets[RTC_PARAM_SETS_MAX];
  guint n_sets;
} RtcParamSets;

void rtc_param_sets_init (RtcParamSets *slices, gboolean h265);

/* The payload of the next packet, in order: how many bytes of it are to be
 * passed on, all of them nearly always. Where @out is not NULL they are written
 * there; it may be @payload. */
gsize rtc_param_sets_filter (RtcParamSets *slices, guint32 timestamp,
    const guint8 *payload, gsize size, guint8 *out);

G_END_DECLS
