/* gst-tsrec: which of the layers of simulcast is the largest
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Gives every SSRC of the video a rank, and by that RtcStreamSelect picks the stream
 * that is recorded. Sizes count: of what the packets carry (H.264, H.265, VP8
 * and VP9 tell it with each key frame), before that what a=rid allows. Where
 * neither is known, the order of the offer does, best first (RFC 8853 section
 * 5.2, OBS); that of a=ssrc-group:SIM is the other way round.
 *
 * Any thread.
 */

#pragma once

#include <gst/sdp/sdp.h>

G_BEGIN_DECLS

typedef struct _RtcLayers RtcLayers;

/* The stream @ssrc has another rank now. On the thread that receives, without
 * a lock; must not block. */
typedef void (*RtcLayersFunc) (guint ssrc, guint rank, gpointer user_data);

/* @media: the m-line of the offer, in which @payload with @codec (encoding
 * name, upper case) was chosen. */
RtcLayers *rtc_layers_new (const GstSDPMedia *media, gint payload,
    const gchar *codec, RtcLayersFunc changed, gpointer user_data);
/* After the streams have stopped: nothing is called any more. */
void rtc_layers_free (RtcLayers *layers);

/* FALSE when there is one layer at most, and every rank is 0. */
gboolean rtc_layers_is_simulcast (RtcLayers *layers);

/* Watches the packets of @ssrc, which pass @pad. */
void rtc_layers_watch (RtcLayers *layers, guint ssrc, GstPad *pad);

/* What is known so far; 0: nothing. Pixels of a picture, or less than 100 when
 * only the order is known. */
guint rtc_layers_get_rank (RtcLayers *layers, guint ssrc);

/* Pixels of the picture that begins in @payload, an RTP payload of @codec; 0
 * when it does not tell. */
guint rtc_layers_read_size (
    const gchar *codec, const guint8 *payload, gsize size);

G_END_DECLS
