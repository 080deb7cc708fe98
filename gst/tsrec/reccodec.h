/* gst-tsrec: from caps to the configuration of a track
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pure functions on caps, from any thread.
 */

#pragma once

#include <gst/gst.h>

#include "tsmux.h"

G_BEGIN_DECLS

/* What tsrecmux carries. */
#define REC_VIDEO_CAPS                                                         \
  "video/x-h264, stream-format = (string) byte-stream, "                       \
  "alignment = (string) au; "                                                  \
  "video/x-h265, stream-format = (string) byte-stream, "                       \
  "alignment = (string) au; "                                                  \
  "video/x-h266, stream-format = (string) byte-stream, "                       \
  "alignment = (string) au; "                                                  \
  "video/mpeg, mpegversion = (int) { 1, 2 }, "                                 \
  "systemstream = (boolean) false, parsed = (boolean) true"
#define REC_AUDIO_CAPS                                                         \
  "audio/mpeg, mpegversion = (int) { 2, 4 }, "                                 \
  "stream-format = (string) { adts, raw, loas }; "                             \
  "audio/mpeg, mpegversion = (int) 1, layer = (int) [ 1, 3 ]; "                \
  "audio/x-opus; "                                                             \
  "audio/x-ac3, framed = (boolean) true; "                                     \
  "audio/x-eac3, framed = (boolean) true"
#define REC_DATA_CAPS "meta/x-klv, parsed = (boolean) true; meta/x-id3"

/* What a transport stream has no mapping for. It is in the template of the
 * pads only so that a link is refused by us, with the reason and the way out:
 * what is not in a template is refused by GStreamer without a word of either.
 */
#define REC_REFUSED_VIDEO_CAPS "video/x-vp8; video/x-vp9; video/x-av1"
#define REC_REFUSED_AUDIO_CAPS "audio/x-vorbis; audio/x-flac"

/* Fills @config from @caps. @config->audio_specific_config points into
 * @codec_data, which the caller unmaps with rec_codec_data_clear(). Returns
 * FALSE with *@reason (free with g_free) set to a sentence for the operator
 * when the caps cannot be carried. */
typedef struct
{
  GstBuffer *buffer;
  GstMapInfo map;
} RecCodecData;

gboolean rec_codec_from_caps (const GstCaps *caps, TsTrackConfig *config,
    RecCodecData *codec_data, gchar **reason);
void rec_codec_data_clear (RecCodecData *codec_data);

/* The caps of @pad_template_name ("video_%u", …) that are really carried; the
 * caller owns them. */
GstCaps *rec_codec_get_carried_caps (const gchar *pad_template_name);

/* Why media type @name is refused and what to do about it, as a static
 * sentence, or NULL when it is not one of the refused ones. */
const gchar *rec_codec_get_refusal (const gchar *name);

G_END_DECLS
