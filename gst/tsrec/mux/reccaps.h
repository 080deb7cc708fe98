/* gst-tsrec: caps as configuration of a track
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pure functions on caps. They may be called from any thread.
 */

#pragma once

#include <gst/gst.h>

#include "tsmux.h"

G_BEGIN_DECLS

/* Caps that tsrecmux carries. Those without conversion are first. */
#define REC_VIDEO_CAPS                                                         \
  "video/x-h264, stream-format = (string) byte-stream, "                       \
  "alignment = (string) au; "                                                  \
  "video/x-h265, stream-format = (string) byte-stream, "                       \
  "alignment = (string) au; "                                                  \
  "video/x-h266, stream-format = (string) byte-stream, "                       \
  "alignment = (string) au; "                                                  \
  "video/mpeg, mpegversion = (int) { 1, 2 }, "                                 \
  "systemstream = (boolean) false, parsed = (boolean) true; "                  \
  "video/x-h264, stream-format = (string) { avc, avc3 }, "                     \
  "alignment = (string) au; "                                                  \
  "video/x-h265, stream-format = (string) { hvc1, hev1 }, "                    \
  "alignment = (string) au"
#define REC_AUDIO_CAPS                                                         \
  "audio/mpeg, mpegversion = (int) { 2, 4 }, "                                 \
  "stream-format = (string) { adts, raw, loas }; "                             \
  "audio/mpeg, mpegversion = (int) 1, layer = (int) [ 1, 3 ]; "                \
  "audio/x-opus; "                                                             \
  "audio/x-ac3, framed = (boolean) true; "                                     \
  "audio/x-eac3, framed = (boolean) true; "                                    \
  "audio/x-dts, framed = (boolean) true"
#define REC_DATA_CAPS                                                          \
  "meta/x-klv, parsed = (boolean) true; meta/x-id3; "                          \
  "subpicture/x-dvb; application/x-teletext"

/* Caps that cannot be carried, but can be linked, so that the link is refused
 * with a reason and a remedy. GStreamer refuses caps outside of a template
 * without a reason. */
#define REC_LINK_VIDEO_CAPS                                                    \
  "video/x-h264; video/x-h265; video/x-h266; video/mpeg; video/x-raw; "        \
  "video/x-vp8; video/x-vp9; video/x-av1; video/x-divx; video/x-xvid; "        \
  "video/x-msmpeg; video/x-h263; video/x-wmv; video/x-vp6; "                   \
  "video/x-vp6-flash; video/x-flash-video; video/x-theora; video/x-dirac; "    \
  "video/x-prores; video/x-dnxhd; video/x-dv; video/x-ffv; video/x-huffyuv; "  \
  "image/jpeg; image/png; image/x-jpc; image/x-j2c; image/jp2"
#define REC_LINK_AUDIO_CAPS                                                    \
  "audio/mpeg; audio/x-ac3; audio/x-eac3; audio/x-dts; audio/x-raw; "          \
  "audio/x-vorbis; audio/x-flac; audio/x-smpte-302m; "                         \
  "audio/x-private1-lpcm; audio/x-private-ts-lpcm; audio/x-lpcm; "             \
  "audio/x-true-hd; audio/x-ac4; audio/x-alaw; audio/x-mulaw; "                \
  "audio/x-adpcm; audio/x-speex; audio/AMR; audio/AMR-WB; audio/x-alac; "      \
  "audio/x-wma; audio/x-wavpack; audio/G722; audio/G723; audio/G729"

/* Fills @config from @caps. @config->audio_specific_config points into
 * @codec_data, which the caller unmaps with rec_caps_data_clear(). Returns
 * FALSE, with *@reason (free with g_free) set to a sentence for the operator,
 * if the caps cannot be carried. */
typedef struct
{
  GstBuffer *buffer;
  GstMapInfo map;
} RecCapsData;

gboolean rec_caps_parse (const GstCaps *caps, TsTrackConfig *config,
    RecCapsData *codec_data, gchar **reason);
void rec_caps_data_clear (RecCapsData *codec_data);

/* Returns the caps that pads of @pad_template_name ("video_%u" and others)
 * carry; the caller owns them. */
GstCaps *rec_caps_get_carried (const gchar *pad_template_name);

/* Returns NULL if a pad of that template can carry some of @caps, the caps of
 * the peer. Otherwise returns a sentence for the operator: the reason, and the
 * element to put before the pad (free with g_free). */
gchar *rec_caps_get_link_problem (
    const GstCaps *caps, const gchar *pad_template_name);

/* Returns the reason for the refusal of the media type @name, and a remedy, as
 * a static sentence. NULL if it is not refused. */
const gchar *rec_caps_get_refusal (const gchar *name);

G_END_DECLS
