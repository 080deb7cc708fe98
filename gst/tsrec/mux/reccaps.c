/* gst-tsrec: caps as configuration of a track
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "reccaps.h"

#include <string.h>

#define TRANSCODE                                                              \
  "Record with pipelines/record, which transcodes it, or put "                 \
  "\"decodebin ! videoconvert ! x264enc tune=zerolatency ! h264parse\" in "    \
  "between."
#define TRANSCODE_AUDIO                                                        \
  "Put \"decodebin ! audioconvert ! audioresample ! opusenc\" in between."

#define NO_MAPPING(codec) "MPEG-TS has no mapping for " codec ". "
#define NOT_HERE(codec) "This mux does not carry " codec ". "
#define NO_TEXT                                                                \
  "Record it into a file of its own beside the recording, or leave the "       \
  "stream unlinked."

#define CONTAINER(name, demuxer)                                               \
  "It is a container (" name "). Put \"" demuxer                               \
  "\" and the parser of each stream in front of the pads."

static const struct
{
  const gchar *name;
  const gchar *reason;
} refusals[] = {
  { "video/x-vp8", NO_MAPPING ("VP8") TRANSCODE },
  { "video/x-vp9", NO_MAPPING ("VP9") TRANSCODE },
  { "video/x-av1",
      "The mapping of AV1 to MPEG-TS is a draft that no current player "
      "reads. " TRANSCODE },
  { "video/x-raw",
      "Raw video is not recorded. Put an encoder and its parser in front of "
      "the pad, for example \"x264enc tune=zerolatency ! h264parse\"." },
  { "audio/x-raw",
      "Raw audio is not recorded. Put an encoder and its parser in front of "
      "the pad, for example \"audioconvert ! avenc_aac ! aacparse\"." },
  { "application/x-rtp",
      "RTP packets are not recorded. Put the depayloader of the codec and its "
      "parser in front of the pad, for example \"rtph264depay ! h264parse\"." },
  { "video/mpeg",
      "This mux carries MPEG-1 and MPEG-2 video (with mpegvideoparse in front "
      "of the pad), and not MPEG-4 part 2, which few players read from "
      "MPEG-TS. " TRANSCODE },
  { "video/x-divx", NOT_HERE ("MPEG-4 part 2 (DivX)") TRANSCODE },
  { "video/x-xvid", NOT_HERE ("MPEG-4 part 2 (Xvid)") TRANSCODE },
  { "video/x-msmpeg", NO_MAPPING ("the MPEG-4 of Microsoft") TRANSCODE },
  { "video/x-h263", NO_MAPPING ("H.263") TRANSCODE },
  { "video/x-wmv", NOT_HERE ("Windows Media video and VC-1") TRANSCODE },
  { "video/x-vp6", NO_MAPPING ("VP6") TRANSCODE },
  { "video/x-vp6-flash", NO_MAPPING ("VP6") TRANSCODE },
  { "video/x-flash-video", NO_MAPPING ("Flash video") TRANSCODE },
  { "video/x-theora", NO_MAPPING ("Theora") TRANSCODE },
  { "video/x-dirac", NOT_HERE ("Dirac") TRANSCODE },
  { "video/x-prores", NO_MAPPING ("ProRes") TRANSCODE },
  { "video/x-dnxhd", NO_MAPPING ("DNxHD") TRANSCODE },
  { "video/x-dv", NO_MAPPING ("DV") TRANSCODE },
  { "video/x-ffv", NO_MAPPING ("FFV1") TRANSCODE },
  { "video/x-huffyuv", NO_MAPPING ("HuffYUV") TRANSCODE },
  { "image/jpeg", NO_MAPPING ("Motion JPEG") TRANSCODE },
  { "image/png", NO_MAPPING ("PNG") TRANSCODE },
  { "image/x-jpc", NOT_HERE ("JPEG 2000") TRANSCODE },
  { "image/x-j2c", NOT_HERE ("JPEG 2000") TRANSCODE },
  { "image/jp2", NOT_HERE ("JPEG 2000") TRANSCODE },
  { "audio/x-vorbis", NO_MAPPING ("Vorbis") TRANSCODE_AUDIO },
  { "audio/x-flac", NO_MAPPING ("FLAC") TRANSCODE_AUDIO },
  { "audio/x-smpte-302m",
      NOT_HERE ("uncompressed sound by SMPTE 302M") TRANSCODE_AUDIO },
  { "audio/x-private1-lpcm", NOT_HERE ("LPCM") TRANSCODE_AUDIO },
  { "audio/x-private-ts-lpcm", NOT_HERE ("LPCM") TRANSCODE_AUDIO },
  { "audio/x-lpcm", NOT_HERE ("LPCM") TRANSCODE_AUDIO },
  { "audio/x-true-hd", NOT_HERE ("TrueHD") TRANSCODE_AUDIO },
  { "audio/x-ac4", NOT_HERE ("AC-4") TRANSCODE_AUDIO },
  { "audio/x-alaw", NO_MAPPING ("A-law") TRANSCODE_AUDIO },
  { "audio/x-mulaw", NO_MAPPING ("mu-law") TRANSCODE_AUDIO },
  { "audio/x-adpcm", NO_MAPPING ("ADPCM") TRANSCODE_AUDIO },
  { "audio/x-speex", NO_MAPPING ("Speex") TRANSCODE_AUDIO },
  { "audio/AMR", NO_MAPPING ("AMR") TRANSCODE_AUDIO },
  { "audio/AMR-WB", NO_MAPPING ("AMR-WB") TRANSCODE_AUDIO },
  { "audio/x-alac", NO_MAPPING ("ALAC") TRANSCODE_AUDIO },
  { "audio/x-wma", NO_MAPPING ("Windows Media audio") TRANSCODE_AUDIO },
  { "audio/x-wavpack", NO_MAPPING ("WavPack") TRANSCODE_AUDIO },
  { "audio/G722", NO_MAPPING ("G.722") TRANSCODE_AUDIO },
  { "audio/G723", NO_MAPPING ("G.723") TRANSCODE_AUDIO },
  { "audio/G729", NO_MAPPING ("G.729") TRANSCODE_AUDIO },
  { "application/x-scte-35", NOT_HERE ("SCTE-35") NO_TEXT },
  { "text/x-raw", NO_MAPPING ("plain text") NO_TEXT },
  { "subpicture/x-dvd", NO_MAPPING ("DVD subpictures") NO_TEXT },
  { "subpicture/x-pgs", NOT_HERE ("PGS subtitles") NO_TEXT },
  { "subpicture/x-xsub", NO_MAPPING ("XSUB subtitles") NO_TEXT },
  { "application/x-ass", NO_MAPPING ("ASS subtitles") NO_TEXT },
  { "application/x-ssa", NO_MAPPING ("SSA subtitles") NO_TEXT },
  { "application/x-subtitle-vtt", NO_MAPPING ("WebVTT") NO_TEXT },
  { "closedcaption/x-cea-608",
      "MPEG-TS carries closed captions inside the pictures. Put cccombiner in "
      "front of the encoder." },
  { "closedcaption/x-cea-708",
      "MPEG-TS carries closed captions inside the pictures. Put cccombiner in "
      "front of the encoder." },
  { "video/mpegts", CONTAINER ("MPEG-TS", "tsdemux") },
  { "video/quicktime", CONTAINER ("MP4 or QuickTime", "qtdemux") },
  { "audio/x-m4a", CONTAINER ("MP4", "qtdemux") },
  { "application/x-3gp", CONTAINER ("3GP", "qtdemux") },
  { "video/x-matroska", CONTAINER ("Matroska", "matroskademux") },
  { "audio/x-matroska", CONTAINER ("Matroska", "matroskademux") },
  { "video/webm", CONTAINER ("WebM", "matroskademux") },
  { "audio/webm", CONTAINER ("WebM", "matroskademux") },
  { "video/x-flv", CONTAINER ("FLV", "flvdemux") },
  { "video/x-msvideo", CONTAINER ("AVI", "avidemux") },
  { "application/ogg", CONTAINER ("Ogg", "oggdemux") },
  { "audio/ogg", CONTAINER ("Ogg", "oggdemux") },
  { "video/ogg", CONTAINER ("Ogg", "oggdemux") },
  { "application/mxf", CONTAINER ("MXF", "mxfdemux") },
  { "audio/x-wav", CONTAINER ("WAV", "wavparse") },
};

const gchar *
rec_caps_get_refusal (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++) {
    if (g_str_equal (refusals[i].name, name))
      return refusals[i].reason;
  }
  return NULL;
}

/* As rec_caps_get_refusal(). A program stream has the media type of its video.
 */
static const gchar *
get_reason (const GstStructure *s)
{
  gboolean system = FALSE;

  if (gst_structure_has_name (s, "video/mpeg") &&
      gst_structure_get_boolean (s, "systemstream", &system) && system)
    return CONTAINER ("MPEG-PS", "mpegpsdemux");
  return rec_caps_get_refusal (gst_structure_get_name (s));
}

GstCaps *
rec_caps_get_carried (const gchar *pad_template_name)
{
  if (g_str_has_prefix (pad_template_name, "video"))
    return gst_caps_from_string (REC_VIDEO_CAPS);
  if (g_str_has_prefix (pad_template_name, "audio"))
    return gst_caps_from_string (REC_AUDIO_CAPS);
  return gst_caps_from_string (REC_DATA_CAPS);
}

void
rec_caps_data_clear (RecCapsData *codec_data)
{
  if (codec_data->buffer) {
    gst_buffer_unmap (codec_data->buffer, &codec_data->map);
    gst_clear_buffer (&codec_data->buffer);
  }
}

/* Maps the codec_data of @s. Returns FALSE, with *@reason set, without
 * codec_data. */
static gboolean
map_codec_data (const GstStructure *s, const gchar *what, const gchar *parser,
    RecCapsData *codec_data, gchar **reason)
{
  const GValue *value = gst_structure_get_value (s, "codec_data");

  if (value == NULL || !GST_VALUE_HOLDS_BUFFER (value) ||
      gst_value_get_buffer (value) == NULL) {
    *reason = g_strdup_printf ("%s needs codec_data, and its caps have none. "
                               "Put %s in front of the pad.",
        what, parser);
    return FALSE;
  }
  codec_data->buffer = gst_buffer_ref (gst_value_get_buffer (value));
  if (gst_buffer_map (codec_data->buffer, &codec_data->map, GST_MAP_READ))
    return TRUE;
  gst_clear_buffer (&codec_data->buffer);
  *reason = g_strdup ("its codec_data cannot be read.");
  return FALSE;
}

/* @with_lengths: stream-formats whose NAL units have length prefixes */
static gboolean
configure_nal (const GstStructure *s, const gchar *const *with_lengths,
    const gchar *parser, TsTrackConfig *config, RecCapsData *codec_data,
    gchar **reason)
{
  const gchar *format = gst_structure_get_string (s, "stream-format");
  const gchar *alignment = gst_structure_get_string (s, "alignment");
  gboolean au = g_strcmp0 (alignment, "au") == 0;

  if (au && g_strcmp0 (format, "byte-stream") == 0)
    return TRUE;
  /* flvdemux sets no alignment: its tags are access units. */
  if ((alignment && !au) || !format ||
      !g_strv_contains (with_lengths, format)) {
    *reason = g_strdup_printf ("stream-format=%s, alignment=%s is not "
                               "byte-stream, au. Put %s in front of the pad.",
        format ? format : "(none)", alignment ? alignment : "(none)", parser);
    return FALSE;
  }
  if (!map_codec_data (s, format, parser, codec_data, reason))
    return FALSE;
  config->decoder_configuration = codec_data->map.data;
  config->decoder_configuration_size = codec_data->map.size;
  return TRUE;
}

static gboolean
configure_aac (const GstStructure *s, TsTrackConfig *config,
    RecCapsData *codec_data, gchar **reason)
{
  const gchar *format = gst_structure_get_string (s, "stream-format");

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
  if (!map_codec_data (s, "raw AAC", "aacparse", codec_data, reason))
    return FALSE;
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

/* Without a mapping, the output channels are the decoded channels in their
 * order. */
static void
read_channel_mapping (const GstStructure *s, TsTrackConfig *config)
{
  const GValue *array = gst_structure_get_value (s, "channel-mapping");
  guint size = G_N_ELEMENTS (config->channel_mapping);

  for (guint i = 0; i < size; i++)
    config->channel_mapping[i] = (guint8)i;
  if (array == NULL || !GST_VALUE_HOLDS_ARRAY (array))
    return;
  for (guint i = 0; i < MIN (gst_value_array_get_size (array), size); i++) {
    const GValue *value = gst_value_array_get_value (array, i);

    if (G_VALUE_HOLDS_INT (value))
      config->channel_mapping[i] = (guint8)g_value_get_int (value);
  }
}

/* RFC 7845 5.1.1: without a mapping there is one stream with one or two
 * channels. */
static gboolean
configure_opus (const GstStructure *s, TsTrackConfig *config, gchar **reason)
{
  gint channels = 2, family = 0, streams = 1, coupled;

  gst_structure_get_int (s, "channels", &channels);
  if (!gst_structure_get_int (s, "channel-mapping-family", &family))
    family = channels > 2 ? 1 : 0;
  coupled = channels == 2 ? 1 : 0;
  if (channels > 2 && !gst_structure_has_field (s, "channel-mapping")) {
    *reason = g_strdup_printf ("Opus with %d channels needs channel-mapping, "
                               "and its caps have none. Put opusparse in front "
                               "of the pad.",
        channels);
    return FALSE;
  }
  gst_structure_get_int (s, "stream-count", &streams);
  gst_structure_get_int (s, "coupled-count", &coupled);
  config->codec = TS_CODEC_OPUS;
  config->channels = (guint8)CLAMP (channels, 0, 255);
  config->mapping_family = (guint8)CLAMP (family, 0, 255);
  config->stream_count = (guint8)CLAMP (streams, 0, 255);
  config->coupled_count = (guint8)CLAMP (coupled, 0, 255);
  read_channel_mapping (s, config);
  return TRUE;
}

/* DTS in MPEG-TS has words of 16 bits, most significant byte first; on a CD it
 * has words of 14 bits, least significant byte first. */
static gboolean
configure_dts (const GstStructure *s, TsTrackConfig *config, gchar **reason)
{
  gint depth = 16, endianness = G_BIG_ENDIAN;

  gst_structure_get_int (s, "depth", &depth);
  gst_structure_get_int (s, "endianness", &endianness);
  config->codec = TS_CODEC_DTS;
  if (depth == 16 && endianness == G_BIG_ENDIAN)
    return TRUE;
  *reason = g_strdup_printf ("MPEG-TS carries DTS in words of 16 bits, most "
                             "significant byte first; this has %d bits, %s "
                             "significant byte first. " TRANSCODE_AUDIO,
      depth, endianness == G_BIG_ENDIAN ? "most" : "least");
  return FALSE;
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

/* Other versions are refused with their name. */
static gboolean
configure_mpeg_video (const GstStructure *s, TsTrackConfig *config)
{
  gboolean system = FALSE;
  gint version = 0;

  gst_structure_get_int (s, "mpegversion", &version);
  gst_structure_get_boolean (s, "systemstream", &system);
  if (system || (version != 1 && version != 2))
    return FALSE;
  config->codec = version == 1 ? TS_CODEC_MPEG1_VIDEO : TS_CODEC_MPEG2_VIDEO;
  return TRUE;
}

/* Media types without further fields. */
static const struct
{
  const gchar *name;
  TsCodec codec;
} plain_codecs[] = {
  { "audio/x-ac3", TS_CODEC_AC3 },
  { "audio/x-eac3", TS_CODEC_EAC3 },
  { "meta/x-klv", TS_CODEC_KLV },
  { "meta/x-id3", TS_CODEC_ID3 },
  { "subpicture/x-dvb", TS_CODEC_DVB_SUBTITLE },
  { "application/x-teletext", TS_CODEC_TELETEXT },
};

/* Returns FALSE, with *@reason still NULL, for an unknown media type. */
static gboolean
configure (const GstStructure *s, TsTrackConfig *config,
    RecCapsData *codec_data, gchar **reason)
{
  static const gchar *const avc[] = { "avc", "avc3", NULL };
  static const gchar *const hvc[] = { "hvc1", "hev1", NULL };
  static const gchar *const none[] = { NULL };
  const gchar *name = gst_structure_get_name (s);
  gint version = 0;

  if (g_str_equal (name, "video/x-h264")) {
    config->codec = TS_CODEC_H264;
    return configure_nal (s, avc, "h264parse", config, codec_data, reason);
  }
  if (g_str_equal (name, "video/x-h265")) {
    config->codec = TS_CODEC_H265;
    return configure_nal (s, hvc, "h265parse", config, codec_data, reason);
  }
  if (g_str_equal (name, "video/x-h266")) {
    config->codec = TS_CODEC_H266;
    return configure_nal (s, none, "h266parse", config, codec_data, reason);
  }
  if (g_str_equal (name, "video/mpeg"))
    return configure_mpeg_video (s, config);
  if (g_str_equal (name, "audio/mpeg")) {
    gst_structure_get_int (s, "mpegversion", &version);
    if (version != 1)
      return configure_aac (s, config, codec_data, reason);
    configure_mpeg_audio (s, config);
    return TRUE;
  }
  if (g_str_equal (name, "audio/x-opus"))
    return configure_opus (s, config, reason);
  if (g_str_equal (name, "audio/x-dts"))
    return configure_dts (s, config, reason);
  for (guint i = 0; i < G_N_ELEMENTS (plain_codecs); i++) {
    if (g_str_equal (name, plain_codecs[i].name))
      config->codec = plain_codecs[i].codec;
  }
  return config->codec != TS_CODEC_NONE;
}

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
  { "audio/x-ac3; audio/x-eac3; audio/ac3; audio/x-private1-ac3", "ac3parse" },
  { "audio/x-dts; audio/x-private1-dts", "dcaparse" },
};

static gboolean
may_be (const GstCaps *caps, const gchar *description)
{
  GstCaps *other = gst_caps_from_string (description);
  gboolean ret = gst_caps_can_intersect (caps, other);

  gst_caps_unref (other);
  return ret;
}

/* Returns the sentence that names the parser of @caps (free with g_free), or
 * NULL. */
static gchar *
get_parser_reason (const GstCaps *caps)
{
  for (guint i = 0; i < G_N_ELEMENTS (parsers); i++) {
    if (may_be (caps, parsers[i].caps))
      return g_strdup_printf ("It is not parsed, or its stream-format or "
                              "alignment is not carried. Put %s in front of "
                              "the pad.",
          parsers[i].parser);
  }
  return NULL;
}

/* Returns TRUE if the caps say that buffers are not access units. */
static gboolean
is_unparsed (const GstStructure *s)
{
  gboolean whole = TRUE;

  return (gst_structure_get_boolean (s, "parsed", &whole) ||
             gst_structure_get_boolean (s, "framed", &whole)) &&
      !whole;
}

gboolean
rec_caps_parse (const GstCaps *caps, TsTrackConfig *config,
    RecCapsData *codec_data, gchar **reason)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  const gchar *name = gst_structure_get_name (s);

  memset (config, 0, sizeof (*config));
  memset (codec_data, 0, sizeof (*codec_data));
  *reason = NULL;
  read_frame_time (s, config);
  if (is_unparsed (s))
    *reason = get_parser_reason (caps);
  else if (configure (s, config, codec_data, reason))
    return TRUE;
  if (*reason == NULL)
    *reason = g_strdup (get_reason (s));
  if (*reason == NULL)
    *reason = g_strdup_printf ("MPEG-TS does not carry %s here; "
                               "gst-inspect-1.0 tsrecmux lists what it does.",
        name);
  return FALSE;
}

/* --- Links --- */

/* Returns the kind of pad that carries @caps, or NULL. */
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
rec_caps_get_link_problem (const GstCaps *caps, const gchar *pad_template_name)
{
  GstCaps *carried = rec_caps_get_carried (pad_template_name);
  gboolean ok = gst_caps_is_any (caps) || gst_caps_is_empty (caps) ||
      gst_caps_can_intersect (caps, carried);
  const gchar *refusal, *other;
  const GstStructure *s;
  gchar *parser;

  gst_caps_unref (carried);
  if (ok)
    return NULL;
  other = find_pad_template (caps);
  if (other)
    return g_strdup_printf ("It belongs to a pad %s.", other);
  s = gst_caps_get_structure (caps, 0);
  refusal = get_reason (s);
  if (refusal)
    return g_strdup (refusal);
  parser = get_parser_reason (caps);
  if (parser)
    return parser;
  return g_strdup_printf ("MPEG-TS does not carry %s here; gst-inspect-1.0 "
                          "tsrecmux lists the formats that it carries.",
      gst_structure_get_name (s));
}
