/* gst-tsrec: from caps to the configuration of a track
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "reccodec.h"

#include <string.h>

#define TRANSCODE                                                              \
  "Record with pipelines/record, which transcodes it, or put "                 \
  "\"decodebin ! videoconvert ! x264enc tune=zerolatency ! h264parse\" in "    \
  "between."
#define TRANSCODE_AUDIO                                                        \
  "Put \"decodebin ! audioconvert ! audioresample ! opusenc\" in between."

static const struct
{
  const gchar *name;
  const gchar *reason;
} refusals[] = {
  { "video/x-vp8", "MPEG-TS has no mapping for VP8. " TRANSCODE },
  { "video/x-vp9", "MPEG-TS has no mapping for VP9. " TRANSCODE },
  { "video/x-av1",
      "The mapping of AV1 to MPEG-TS is a draft that no player of the day "
      "reads. " TRANSCODE },
  { "video/x-raw",
      "Raw video is not recorded. Put an encoder and its parser in front of "
      "the pad, for example \"x264enc tune=zerolatency ! h264parse\"." },
  { "image/jpeg", "MPEG-TS has no mapping for JPEG pictures. " TRANSCODE },
  { "audio/x-raw",
      "Raw audio is not recorded. Put an encoder and its parser in front of "
      "the pad, for example \"audioconvert ! avenc_aac ! aacparse\"." },
  { "application/x-rtp",
      "RTP packets are not recorded. Put the depayloader of the codec and its "
      "parser in front of the pad, for example \"rtph264depay ! h264parse\"." },
  { "audio/x-vorbis", "MPEG-TS has no mapping for Vorbis. " TRANSCODE_AUDIO },
  { "audio/x-flac", "MPEG-TS has no mapping for FLAC. " TRANSCODE_AUDIO },
};

const gchar *
rec_codec_get_refusal (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++) {
    if (g_str_equal (refusals[i].name, name))
      return refusals[i].reason;
  }
  return NULL;
}

GstCaps *
rec_codec_get_carried_caps (const gchar *pad_template_name)
{
  if (g_str_has_prefix (pad_template_name, "video"))
    return gst_caps_from_string (REC_VIDEO_CAPS);
  if (g_str_has_prefix (pad_template_name, "audio"))
    return gst_caps_from_string (REC_AUDIO_CAPS);
  return gst_caps_from_string (REC_DATA_CAPS);
}

void
rec_codec_data_clear (RecCodecData *codec_data)
{
  if (codec_data->buffer) {
    gst_buffer_unmap (codec_data->buffer, &codec_data->map);
    gst_clear_buffer (&codec_data->buffer);
  }
}

static gboolean
check_byte_stream (const GstStructure *s, const gchar *parser, gchar **reason)
{
  const gchar *format = gst_structure_get_string (s, "stream-format");
  const gchar *alignment = gst_structure_get_string (s, "alignment");

  if (g_strcmp0 (format, "byte-stream") == 0 &&
      g_strcmp0 (alignment, "au") == 0)
    return TRUE;
  *reason = g_strdup_printf ("stream-format=%s, alignment=%s is not "
                             "byte-stream, au. Put %s in front of the pad.",
      format ? format : "(none)", alignment ? alignment : "(none)", parser);
  return FALSE;
}

static gboolean
configure_aac (const GstStructure *s, TsTrackConfig *config,
    RecCodecData *codec_data, gchar **reason)
{
  const gchar *format = gst_structure_get_string (s, "stream-format");
  const GValue *value = gst_structure_get_value (s, "codec_data");

  if (g_strcmp0 (format, "adts") == 0) {
    config->codec = TS_CODEC_AAC_ADTS;
    return TRUE;
  }
  if (g_strcmp0 (format, "loas") == 0) {
    config->codec = TS_CODEC_AAC_LOAS;
    return TRUE;
  }
  config->codec = TS_CODEC_AAC_RAW;
  if (g_strcmp0 (format, "raw") != 0) {
    *reason = g_strdup_printf ("AAC with stream-format=%s is not adts, raw or "
                               "loas. Put aacparse in front of the pad.",
        format ? format : "(none)");
    return FALSE;
  }
  if (value == NULL || !GST_VALUE_HOLDS_BUFFER (value)) {
    *reason = g_strdup ("raw AAC needs codec_data, and its caps have none. Put "
                        "aacparse in front of the pad.");
    return FALSE;
  }
  codec_data->buffer = gst_buffer_ref (gst_value_get_buffer (value));
  if (!gst_buffer_map (codec_data->buffer, &codec_data->map, GST_MAP_READ)) {
    gst_clear_buffer (&codec_data->buffer);
    *reason = g_strdup ("its codec_data cannot be read.");
    return FALSE;
  }
  config->audio_specific_config = codec_data->map.data;
  config->audio_specific_config_size = codec_data->map.size;
  return TRUE;
}

static void
configure_mpeg_audio (const GstStructure *s, TsTrackConfig *config)
{
  gint version = 1, rate = 44100;

  gst_structure_get_int (s, "mpegaudioversion", &version);
  gst_structure_get_int (s, "rate", &rate);
  config->codec =
      version > 1 || rate < 32000 ? TS_CODEC_MPEG2_AUDIO : TS_CODEC_MPEG1_AUDIO;
}

static void
read_channel_mapping (const GstStructure *s, TsTrackConfig *config)
{
  const GValue *array = gst_structure_get_value (s, "channel-mapping");

  for (guint i = 0; i < G_N_ELEMENTS (config->channel_mapping); i++)
    config->channel_mapping[i] = (guint8)i;
  if (array == NULL || !GST_VALUE_HOLDS_ARRAY (array))
    return;
  for (guint i = 0; i < MIN (gst_value_array_get_size (array), 8); i++) {
    const GValue *value = gst_value_array_get_value (array, i);

    if (G_VALUE_HOLDS_INT (value))
      config->channel_mapping[i] = (guint8)g_value_get_int (value);
  }
}

/* RFC 7845 5.1.1: without a mapping there are one or two channels in one
 * stream. */
static gboolean
configure_opus (const GstStructure *s, TsTrackConfig *config, gchar **reason)
{
  gint channels = 2, family = 0, streams = 1, coupled;

  gst_structure_get_int (s, "channels", &channels);
  if (!gst_structure_get_int (s, "channel-mapping-family", &family))
    family = channels > 2 ? 1 : 0;
  coupled = channels == 2 ? 1 : 0;
  gst_structure_get_int (s, "stream-count", &streams);
  gst_structure_get_int (s, "coupled-count", &coupled);
  if (channels < 1 || channels > 8) {
    *reason = g_strdup_printf (
        "Opus with %d channels; MPEG-TS carries 1 to 8.", channels);
    return FALSE;
  }
  config->codec = TS_CODEC_OPUS;
  config->channels = (guint8)channels;
  config->mapping_family = (guint8)CLAMP (family, 0, 255);
  config->stream_count = (guint8)CLAMP (streams, 0, 255);
  config->coupled_count = (guint8)CLAMP (coupled, 0, 255);
  read_channel_mapping (s, config);
  return TRUE;
}

static void
read_frame_time (const GstStructure *s, TsTrackConfig *config)
{
  gint numerator, denominator;

  if (gst_structure_get_fraction (s, "framerate", &numerator, &denominator) &&
      numerator > 0 && denominator > 0)
    config->frame_time =
        (gint64)gst_util_uint64_scale_int (GST_SECOND, denominator, numerator);
}

static gboolean
configure_mpeg_video (
    const GstStructure *s, TsTrackConfig *config, gchar **reason)
{
  gint version = 0;

  gst_structure_get_int (s, "mpegversion", &version);
  if (version != 1 && version != 2) {
    *reason = g_strdup_printf ("MPEG-%d video is not carried; MPEG-1, MPEG-2, "
                               "H.264 and H.265 are.",
        version);
    return FALSE;
  }
  config->codec = version == 1 ? TS_CODEC_MPEG1_VIDEO : TS_CODEC_MPEG2_VIDEO;
  return TRUE;
}

gboolean
rec_codec_from_caps (const GstCaps *caps, TsTrackConfig *config,
    RecCodecData *codec_data, gchar **reason)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  const gchar *name = gst_structure_get_name (s);
  gint version = 0;

  memset (config, 0, sizeof (*config));
  memset (codec_data, 0, sizeof (*codec_data));
  read_frame_time (s, config);
  if (g_str_equal (name, "video/x-h264")) {
    config->codec = TS_CODEC_H264;
    return check_byte_stream (s, "h264parse", reason);
  }
  if (g_str_equal (name, "video/x-h265")) {
    config->codec = TS_CODEC_H265;
    return check_byte_stream (s, "h265parse", reason);
  }
  if (g_str_equal (name, "video/x-h266")) {
    config->codec = TS_CODEC_H266;
    return check_byte_stream (s, "h266parse", reason);
  }
  if (g_str_equal (name, "video/mpeg"))
    return configure_mpeg_video (s, config, reason);
  if (g_str_equal (name, "audio/mpeg")) {
    gst_structure_get_int (s, "mpegversion", &version);
    if (version != 1)
      return configure_aac (s, config, codec_data, reason);
    configure_mpeg_audio (s, config);
    return TRUE;
  }
  if (g_str_equal (name, "audio/x-opus"))
    return configure_opus (s, config, reason);
  if (g_str_equal (name, "audio/x-ac3"))
    config->codec = TS_CODEC_AC3;
  else if (g_str_equal (name, "audio/x-eac3"))
    config->codec = TS_CODEC_EAC3;
  else if (g_str_equal (name, "meta/x-klv"))
    config->codec = TS_CODEC_KLV;
  else if (g_str_equal (name, "meta/x-id3"))
    config->codec = TS_CODEC_ID3;
  if (config->codec != TS_CODEC_NONE)
    return TRUE;
  if (rec_codec_get_refusal (name))
    *reason = g_strdup (rec_codec_get_refusal (name));
  else
    *reason = g_strdup_printf ("MPEG-TS does not carry %s here; "
                               "gst-inspect-1.0 tsrecmux lists what it does.",
        name);
  return FALSE;
}

/* --- Links */

static const struct
{
  const gchar *caps;
  const gchar *parser;
} parsers[] = {
  { "video/x-h264", "h264parse" },
  { "video/x-h265", "h265parse" },
  { "video/x-h266", "h266parse" },
  { "video/mpeg, mpegversion = (int) { 1, 2 }", "mpegvideoparse" },
  { "audio/mpeg, mpegversion = (int) { 2, 4 }", "aacparse" },
  { "audio/mpeg, mpegversion = (int) 1", "mpegaudioparse" },
  { "audio/x-ac3; audio/x-eac3", "ac3parse" },
};

static gboolean
may_be (const GstCaps *caps, const gchar *description)
{
  GstCaps *other = gst_caps_from_string (description);
  gboolean ret = gst_caps_can_intersect (caps, other);

  gst_caps_unref (other);
  return ret;
}

/* The kind of pad that carries @caps, or NULL. */
static const gchar *
find_pad_template (const GstCaps *caps)
{
  if (may_be (caps, REC_VIDEO_CAPS))
    return "video_%u";
  if (may_be (caps, REC_AUDIO_CAPS))
    return "audio_%u";
  return may_be (caps, REC_DATA_CAPS) ? "data_%u" : NULL;
}

gchar *
rec_codec_get_link_problem (const GstCaps *caps, const gchar *pad_template_name)
{
  GstCaps *carried = rec_codec_get_carried_caps (pad_template_name);
  gboolean ok = gst_caps_is_any (caps) || gst_caps_is_empty (caps) ||
      gst_caps_can_intersect (caps, carried);
  const gchar *name, *refusal, *other;

  gst_caps_unref (carried);
  if (ok)
    return NULL;
  other = find_pad_template (caps);
  if (other)
    return g_strdup_printf ("It belongs to a pad %s.", other);
  name = gst_structure_get_name (gst_caps_get_structure (caps, 0));
  refusal = rec_codec_get_refusal (name);
  if (refusal)
    return g_strdup (refusal);
  for (guint i = 0; i < G_N_ELEMENTS (parsers); i++) {
    if (may_be (caps, parsers[i].caps))
      return g_strdup_printf ("It is not parsed, or its stream-format or "
                              "alignment is not carried. Put %s in front of "
                              "the pad.",
          parsers[i].parser);
  }
  return g_strdup_printf ("MPEG-TS does not carry %s here; gst-inspect-1.0 "
                          "tsrecmux lists the formats that it carries.",
      name);
}
