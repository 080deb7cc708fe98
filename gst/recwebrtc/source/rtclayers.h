/* gst-tsrec: ranks of simulcast layers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Assigns a rank to every SSRC of the video. GstRtcStreamSelect records the
 * stream with the highest rank. The rank is the size of the pictures that the
 * packets carry: key frames of H.264, H.265, VP8 and VP9 contain it. Before the
 * first key frame it is the size that a=rid allows. If neither is known, the
 * order of the offer counts, best first (RFC 8853 section 5.2, OBS). The order
 * of a=ssrc-group:SIM is the reverse. If the smallest layer or a named one is
 * wanted, ranks are changed so that it has the highest.
 *
 * Any thread.
 */

#pragma once

#include <gst/sdp/sdp.h>

G_BEGIN_DECLS

#define RTC_LAYERS_HIGHEST "highest"
#define RTC_LAYERS_LOWEST "lowest"

typedef struct _RtcLayers RtcLayers;

/* The rank of stream @ssrc has changed. On the thread that receives, without a
 * lock; must not block. */
typedef void (*RtcLayersFunc) (guint ssrc, guint rank, gpointer user_data);

/* @media: m-line of the offer in which @payload with @codec (encoding name,
 *   upper case) was chosen. @wanted: RTC_LAYERS_HIGHEST, RTC_LAYERS_LOWEST, or
 *   the rid of a layer; the largest if it is not offered. */
RtcLayers *rtc_layers_new (const GstSDPMedia *media, gint payload,
    const gchar *codec, const gchar *wanted, RtcLayersFunc changed,
    gpointer user_data);
/* Returns the rids that @media offers, separated by commas, if @wanted is the
 * rid of another layer; else NULL. Caller frees. */
gchar *rtc_layers_find_unavailable (
    const GstSDPMedia *media, gint payload, const gchar *wanted);
/* Call it after the streams have stopped: no callback runs afterwards. */
void rtc_layers_free (RtcLayers *layers);

/* Returns FALSE if there is at most one layer: every rank is then 0. */
gboolean rtc_layers_is_simulcast (RtcLayers *layers);

/* Watches the packets of @ssrc, which pass @pad. */
void rtc_layers_watch (RtcLayers *layers, guint ssrc, GstPad *pad);

/* Returns the rank known so far: pixels of a picture, a number below 100 if
 * only the order is known, or 0 if nothing is known. With RTC_LAYERS_LOWEST,
 * numbers in the same three ranges of which the smallest layer has the highest;
 * the layer whose rid is wanted has G_MAXUINT. */
guint rtc_layers_get_rank (RtcLayers *layers, guint ssrc);

/* Returns the number of pixels of the picture that begins in @payload, an RTP
 * payload of @codec, or 0 if the payload does not contain it. */
guint rtc_layers_read_size (
    const gchar *codec, const guint8 *payload, gsize size);

G_END_DECLS
