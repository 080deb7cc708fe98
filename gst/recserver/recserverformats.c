/* gst-tsrec: formats, qualities, codecs and sources of the recording service
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverformats.h"
#include "recservererror.h"

#include <string.h>

#define BAD "gstreamer1.0-plugins-bad"
#define BASE "gstreamer1.0-plugins-base"
#define GOOD "gstreamer1.0-plugins-good"
#define UGLY "gstreamer1.0-plugins-ugly"
#define LIBAV "gstreamer1.0-libav"

/* --- the tables --- */

static const RecServerFormat formats[] = {
  { "mpegts", "ts", "video/mp2t", NULL, "tsrecsink", NULL, "gst-tsrec" },
  { "mp4", "mp4", "video/mp4", "ts-to-mp4", "tsrecsink", "ffmpeg", "ffmpeg" },
  { "mkv", "mkv", "video/x-matroska", NULL, "tsrecsink recmkvmux", NULL,
      "a later version of gst-tsrec" },
  { "webm", "webm", "video/webm", NULL, "tsrecsink recmkvmux", NULL,
      "a later version of gst-tsrec" },
};

static const RecServerQuality qualities[] = {
  { "copy", 0, 128 },
  { "low", 1000, 96 },
  { "medium", 2000, 128 },
  { "high", 4000, 192 },
};

static const RecServerSource sources[] = {
  { "whip", "recwhipsrc webrtcbin nicesrc", "gstreamer1.0-nice and " BAD,
      NULL },
  { "whep", "recwhepsrc webrtcbin nicesrc", "gstreamer1.0-nice and " BAD,
      "http https" },
  { "livekit", "reclivekitsrc", "a later version of gst-tsrec",
      "ws wss http https" },
  { "uri", "urisourcebin parsebin", BASE,
      "rtsp rtsps rtspt rtspu rtmp rtmps srt http https" },
};

/**
 * Codec:
 * @webrtc: name in video-codecs or audio-codecs, or NULL
 * @depayloader: what receives it by WebRTC, or NULL
 * @caps: media type
 * @copy: launch line that copies it into MPEG-TS, NULL: it is not carried
 * @decoders: the first one that is installed decodes it
 */
typedef struct
{
  const gchar *name;
  const gchar *webrtc;
  const gchar *depayloader;
  const gchar *caps;
  const gchar *caps_fields;
  const gchar *copy;
  const gchar *decoders;
  const gchar *package;
  gboolean video;
} Codec;

static const Codec codecs[] = {
  { "H.264", "H264", "rtph264depay", "video/x-h264", "", "h264parse",
      "avdec_h264 openh264dec", GOOD, TRUE },
  { "H.265", "H265", "rtph265depay", "video/x-h265", "", "h265parse",
      "avdec_h265 libde265dec", GOOD, TRUE },
  { "VP8", "VP8", "rtpvp8depay", "video/x-vp8", "", NULL, "vp8dec avdec_vp8",
      GOOD, TRUE },
  { "VP9", "VP9", "rtpvp9depay", "video/x-vp9", "", NULL, "vp9dec avdec_vp9",
      GOOD, TRUE },
  { "AV1", "AV1", "rtpav1depay", "video/x-av1", "", NULL, "dav1ddec av1dec",
      "gst-plugins-rs", TRUE },
  { "MPEG-2", NULL, NULL, "video/mpeg", ", mpegversion=(int)2",
      "mpegvideoparse", NULL, BAD, TRUE },
  { "Opus", "OPUS", "rtpopusdepay", "audio/x-opus", "", "opusparse", "opusdec",
      GOOD, FALSE },
  { "AAC", NULL, NULL, "audio/mpeg", ", mpegversion=(int){ 2, 4 }", "aacparse",
      NULL, GOOD, FALSE },
  { "MPEG audio", NULL, NULL, "audio/mpeg", ", mpegversion=(int)1",
      "mpegaudioparse", NULL, GOOD, FALSE },
  { "AC-3", NULL, NULL, "audio/x-ac3", "", "ac3parse", NULL, GOOD, FALSE },
};

/* In the order in which they are tried. %u is the bit rate in kbit/s. */
static const struct
{
  const gchar *element;
  const gchar *settings;
} encoders[] = {
  { "x264enc",
      "tune=zerolatency speed-preset=veryfast key-int-max=60 bitrate=%u" },
  { "openh264enc", "complexity=low gop-size=60 bitrate=%u000" },
};

/* --- what is installed --- */

static gboolean
is_installed (const gchar *element)
{
  GstElementFactory *factory = gst_element_factory_find (element);

  if (!factory)
    return FALSE;
  gst_object_unref (factory);
  return TRUE;
}

/* The first of @elements that is not there (@wanted FALSE), respectively that
 * is (@wanted TRUE); NULL when there is none. Caller frees. */
static gchar *
first_element (const gchar *elements, gboolean wanted)
{
  gchar **names = g_strsplit (elements ? elements : "", " ", -1);
  gchar *found = NULL;

  for (guint i = 0; names[i] && !found; i++)
    if (*names[i] && is_installed (names[i]) == wanted)
      found = g_strdup (names[i]);
  g_strfreev (names);
  return found;
}

static gchar *
find_program (const gchar *tools, const gchar *program)
{
  gchar *path = tools ? g_build_filename (tools, program, NULL) : NULL;

  if (path && g_file_test (path, G_FILE_TEST_IS_EXECUTABLE))
    return path;
  g_free (path);
  return NULL;
}

/* Returns the first missing requirement of @format, or NULL. Caller frees. */
static gchar *
format_lacks (const RecServerFormat *format, const gchar *tools)
{
  gchar *lacks = first_element (format->elements, FALSE), *path;

  if (!lacks && format->program) {
    path = find_program (tools, format->program);
    if (!path)
      lacks = g_strdup_printf ("the program %s", format->program);
    g_free (path);
  }
  if (!lacks && format->command) {
    path = g_find_program_in_path (format->command);
    if (!path)
      lacks = g_strdup (format->command);
    g_free (path);
  }
  return lacks;
}

static const gchar *
package_of (const gchar *lacking, const gchar *package)
{
  return g_str_has_prefix (lacking, "the program ")
      ? "gst-tsrec, and set tools-directory to its pipelines folder"
      : package;
}

gboolean
rec_server_format_check (
    const RecServerFormat *format, const gchar *tools, GError **error)
{
  gchar *lacks = format_lacks (format, tools);

  if (!lacks)
    return TRUE;
  rec_server_error_set (error, 422, "format not available",
      "The format %s needs %s, which is not installed here. Install %s, or "
      "record mpegts.",
      format->name, lacks, package_of (lacks, format->package));
  g_free (lacks);
  return FALSE;
}

gboolean
rec_server_source_check (const RecServerSource *source, GError **error)
{
  gchar *lacks = first_element (source->elements, FALSE);

  if (!lacks)
    return TRUE;
  rec_server_error_set (error, 422, "source not available",
      "A source of type %s needs the element %s, which is not installed here. "
      "Install %s.",
      source->type, lacks, source->package);
  g_free (lacks);
  return FALSE;
}

const RecServerFormat *
rec_server_format_find (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (g_strcmp0 (formats[i].name, name) == 0)
      return &formats[i];
  return NULL;
}

const RecServerQuality *
rec_server_quality_find (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (qualities); i++)
    if (g_strcmp0 (qualities[i].name, name) == 0)
      return &qualities[i];
  return NULL;
}

const RecServerSource *
rec_server_source_find (const gchar *type)
{
  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    if (g_strcmp0 (sources[i].type, type) == 0)
      return &sources[i];
  return NULL;
}

gboolean
rec_server_source_takes_url (const RecServerSource *source, const gchar *url)
{
  gchar *scheme = url ? g_uri_parse_scheme (url) : NULL;
  gchar **schemes = g_strsplit (source->schemes, " ", -1);
  gboolean ok = scheme &&
      g_strv_contains ((const gchar *const *)schemes, scheme) &&
      g_uri_is_valid (url, G_URI_FLAGS_NONE, NULL);

  g_strfreev (schemes);
  g_free (scheme);
  return ok;
}

/* --- launch lines --- */

/* The nominal frame rate: RTP tells none, and without one x264enc keeps the
 * last picture back. */
static gchar *
make_encoder (const RecServerQuality *quality)
{
  guint kbits = quality->video_bitrate ? quality->video_bitrate : 2000;

  for (guint i = 0; i < G_N_ELEMENTS (encoders); i++) {
    GString *line;

    if (!is_installed (encoders[i].element))
      continue;
    line = g_string_new ("videoconvert ! video/x-raw,format=I420 ! capssetter "
                         "caps=video/x-raw,framerate=30/1 ! ");
    g_string_append_printf (line, "%s ", encoders[i].element);
    G_GNUC_BEGIN_IGNORE_DEPRECATIONS
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    g_string_append_printf (line, encoders[i].settings, kbits);
#pragma GCC diagnostic pop
    G_GNUC_END_IGNORE_DEPRECATIONS
    g_string_append (line, " ! h264parse");
    return g_string_free (line, FALSE);
  }
  return NULL;
}

static gchar *
make_aac (const RecServerQuality *quality)
{
  gchar *encoder = first_element ("avenc_aac voaacenc", TRUE), *line;

  if (!encoder)
    return NULL;
  line = g_strdup_printf (
      "audioconvert ! audioresample ! %s bitrate=%u000 ! aacparse", encoder,
      quality->audio_bitrate);
  g_free (encoder);
  return line;
}

/* Returns "DECODER ! ENCODER" for @codec, or NULL if that is not possible. */
static gchar *
make_transcoder (const Codec *codec, const RecServerQuality *quality)
{
  gchar *decoder = first_element (codec->decoders, TRUE);
  gchar *encoder = codec->video ? make_encoder (quality) : make_aac (quality);
  gchar *line = NULL;

  if (decoder && encoder)
    line = g_strdup_printf ("%s%s ! %s", decoder,
        g_str_equal (decoder, "opusdec") ? " plc=true" : "", encoder);
  g_free (decoder);
  g_free (encoder);
  return line;
}

static gchar *
make_branch (
    const Codec *codec, const RecServerQuality *quality, const gchar *audio)
{
  /* Browsers play no Opus in MPEG-TS. */
  gboolean encode = !codec->copy ||
      (!codec->video && codec->decoders && g_str_equal (audio, "aac"));
  gchar *lacks, *line;

  if (encode) {
    line = make_transcoder (codec, quality);
    if (line || !codec->copy)
      return line;
  }
  lacks = first_element (codec->copy, FALSE);
  if (lacks) {
    g_free (lacks);
    return NULL;
  }
  return g_strdup (codec->copy);
}

static const Codec *
find_codec (const GstCaps *caps)
{
  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++) {
    gchar *text = g_strconcat (codecs[i].caps, codecs[i].caps_fields, NULL);
    GstCaps *ours = gst_caps_from_string (text);
    gboolean found = gst_caps_can_intersect (ours, caps);

    gst_caps_unref (ours);
    g_free (text);
    if (found)
      return &codecs[i];
  }
  return NULL;
}

gchar *
rec_server_formats_make_branch (
    const gchar *caps_text, const RecServerQuality *quality, const gchar *audio)
{
  GstCaps *caps = gst_caps_from_string (caps_text);
  const Codec *codec = caps ? find_codec (caps) : NULL;

  gst_clear_caps (&caps);
  return codec ? make_branch (codec, quality, audio) : NULL;
}

static gboolean
is_received (const Codec *codec, gboolean video)
{
  return codec->webrtc && codec->video == video &&
      is_installed (codec->depayloader);
}

gchar *
rec_server_formats_list_video_codecs (void)
{
  GString *list = g_string_new (NULL);

  for (guint pass = 0; pass < 2; pass++) {
    for (guint i = 0; i < G_N_ELEMENTS (codecs); i++) {
      const Codec *codec = &codecs[i];
      gchar *branch;

      if (!is_received (codec, TRUE) || (codec->copy != NULL) != (pass == 0))
        continue;
      branch = make_branch (codec, rec_server_quality_find ("copy"), "copy");
      if (branch)
        g_string_append_printf (
            list, "%s%s", list->len ? "," : "", codec->webrtc);
      g_free (branch);
    }
  }
  return g_string_free (list, FALSE);
}

/* Returns the launch line of the codec @i, with which MPEG-TS carries it; NULL
 * if it is not received, or nothing makes it fit. Caller frees. */
static gchar *
make_video_branch (guint i, const RecServerQuality *quality)
{
  return is_received (&codecs[i], TRUE)
      ? make_branch (&codecs[i], quality, "copy")
      : NULL;
}

gchar *
rec_server_formats_make_video (const RecServerQuality *quality)
{
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++) {
    gchar *branch = make_video_branch (i, quality);

    n += branch != NULL;
    g_free (branch);
  }
  return g_strdup_printf ("switchbin name=video_paths num-paths=%u", n);
}

static void
set_path (GObject *path, const Codec *codec, const gchar *branch)
{
  GstCaps *caps = gst_caps_from_string (codec->caps);

  g_object_set (path, "caps", caps, NULL);
  gst_util_set_object_arg (path, "element", branch);
  gst_caps_unref (caps);
}

void
rec_server_formats_set_video_paths (
    GstElement *switchbin, const RecServerQuality *quality)
{
  GstChildProxy *paths = GST_CHILD_PROXY (switchbin);
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++) {
    gchar *branch = make_video_branch (i, quality);
    GObject *path =
        branch ? gst_child_proxy_get_child_by_index (paths, n++) : NULL;

    if (path) {
      set_path (path, &codecs[i], branch);
      gst_object_unref (path);
    }
    g_free (branch);
  }
}

gchar *
rec_server_formats_make_audio (
    const RecServerQuality *quality, const gchar *audio)
{
  gchar *line = rec_server_formats_make_branch ("audio/x-opus", quality, audio);

  return line ? line : g_strdup ("opusparse");
}

const gchar *
rec_server_formats_get_codec_name (const GstCaps *caps)
{
  const Codec *codec = find_codec (caps);

  return codec ? codec->name : NULL;
}

/* --- for the API --- */

static void
set_availability (JsonObject *row, const gchar *lacks, const gchar *package)
{
  json_object_set_boolean_member (row, "available", lacks == NULL);
  if (!lacks)
    return;
  json_object_set_string_member (row, "missing", lacks);
  json_object_set_string_member (row, "install", package_of (lacks, package));
}

static JsonArray *
describe_formats (const gchar *tools)
{
  JsonArray *rows = json_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    JsonObject *row = json_object_new ();
    gchar *lacks = format_lacks (&formats[i], tools);

    json_object_set_string_member (row, "name", formats[i].name);
    json_object_set_string_member (row, "suffix", formats[i].suffix);
    json_object_set_string_member (
        row, "content_type", formats[i].content_type);
    set_availability (row, lacks, formats[i].package);
    json_array_add_object_element (rows, row);
    g_free (lacks);
  }
  return rows;
}

static JsonArray *
describe_qualities (void)
{
  JsonArray *rows = json_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (qualities); i++) {
    JsonObject *row = json_object_new ();

    json_object_set_string_member (row, "name", qualities[i].name);
    json_object_set_int_member (row, "video_kbits", qualities[i].video_bitrate);
    json_object_set_int_member (row, "audio_kbits", qualities[i].audio_bitrate);
    json_array_add_object_element (rows, row);
  }
  return rows;
}

static JsonArray *
describe_sources (void)
{
  JsonArray *rows = json_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (sources); i++) {
    JsonObject *row = json_object_new ();
    gchar *lacks = first_element (sources[i].elements, FALSE);

    json_object_set_string_member (row, "type", sources[i].type);
    set_availability (row, lacks, sources[i].package);
    json_array_add_object_element (rows, row);
    g_free (lacks);
  }
  return rows;
}

static void
describe_codec (JsonArray *rows, const Codec *codec)
{
  const RecServerQuality *quality = rec_server_quality_find ("copy");
  JsonObject *row = json_object_new ();
  gchar *branch = make_branch (codec, quality, "copy");
  const gchar *lacks = NULL, *package = codec->package;

  json_object_set_string_member (row, "name", codec->name);
  json_object_set_string_member (row, "kind", codec->video ? "video" : "audio");
  if (codec->depayloader && !is_installed (codec->depayloader))
    lacks = codec->depayloader;
  else if (!branch && codec->copy)
    lacks = codec->copy;
  else if (!branch) {
    gchar *decoder = first_element (codec->decoders, TRUE);

    lacks = decoder ? encoders[0].element : codec->decoders;
    package = decoder ? UGLY : LIBAV;
    g_free (decoder);
  }
  set_availability (row, lacks, package);
  if (!lacks)
    json_object_set_string_member (
        row, "how", codec->copy ? "copied" : "encoded to H.264");
  json_array_add_object_element (rows, row);
  g_free (branch);
}

JsonObject *
rec_server_formats_describe (const gchar *tools)
{
  JsonObject *answer = json_object_new ();
  JsonArray *rows = json_array_new ();

  json_object_set_boolean_member (answer, "success", TRUE);
  json_object_set_array_member (answer, "formats", describe_formats (tools));
  json_object_set_array_member (answer, "qualities", describe_qualities ());
  json_object_set_array_member (answer, "sources", describe_sources ());
  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++)
    describe_codec (rows, &codecs[i]);
  json_object_set_array_member (answer, "codecs", rows);
  return answer;
}
