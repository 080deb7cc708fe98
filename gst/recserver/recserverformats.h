/* gst-tsrec: formats, qualities, codecs and sources of the recording service
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tables. A row whose elements or programs are not installed is refused with
 * their names and the package that has them; a new format, codec or type of
 * source is a row. Any thread.
 */

#pragma once

#include <gst/gst.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define REC_SERVER_FORMAT_NAMES "mpegts|mp4|mkv|webm"
#define REC_SERVER_QUALITY_NAMES "low|medium|high|copy"

/**
 * RecServerFormat:
 * @suffix: of the file, without a dot
 * @program: of the tools directory that makes it of a finished MPEG-TS file,
 *   or NULL: it is recorded directly
 */
typedef struct
{
  const gchar *name;
  const gchar *suffix;
  const gchar *content_type;
  const gchar *program;
  const gchar *elements; /* separated by spaces */
  const gchar *command;  /* on the PATH, or NULL */
  const gchar *package;
} RecServerFormat;

/**
 * RecServerQuality:
 * @video_bitrate: kbit/s, 0: what the sender chooses
 * @audio_bitrate: kbit/s of AAC
 */
typedef struct
{
  const gchar *name;
  guint video_bitrate;
  guint audio_bitrate;
} RecServerQuality;

/**
 * RecServerSource:
 * @elements: separated by spaces
 * @schemes: of its URL, separated by spaces; nothing on this host, as clients
 *   choose the URL. NULL: it has no URL
 */
typedef struct
{
  const gchar *type;
  const gchar *elements;
  const gchar *package;
  const gchar *schemes;
} RecServerSource;

/* Returns TRUE if @url is valid and has one of the schemes of @source. */
gboolean rec_server_source_takes_url (
    const RecServerSource *source, const gchar *url);

/* NULL when there is no row of that name. */
const RecServerFormat *rec_server_format_find (const gchar *name);
const RecServerQuality *rec_server_quality_find (const gchar *name);
const RecServerSource *rec_server_source_find (const gchar *type);

/* Returns TRUE if everything is installed. Otherwise sets @error (status 422).
 * @tools: the tools directory, or NULL. */
gboolean rec_server_format_check (
    const RecServerFormat *format, const gchar *tools, GError **error);
gboolean rec_server_source_check (
    const RecServerSource *source, GError **error);

/* Codecs for the property video-codecs of a WebRTC source, those that MPEG-TS
 * carries first; "" when none works. Caller frees. */
gchar *rec_server_formats_list_video_codecs (void);

/* Launch line that makes of the codec @caps_name what MPEG-TS carries; NULL
 * when nothing does. @audio: "aac" or "copy". Caller frees. */
gchar *rec_server_formats_make_branch (const gchar *caps_name,
    const RecServerQuality *quality, const gchar *audio);
/* Returns the launch line for all video codecs of a WebRTC source: a switchbin named
 * "video_paths", which selects the path of the caps that arrive. Its paths are
 * set after parsing: gst_parse_launch() of GStreamer 1.22 leaks each path that
 * it sets. */
gchar *rec_server_formats_make_video (const RecServerQuality *quality);
void rec_server_formats_set_video_paths (
    GstElement *switchbin, const RecServerQuality *quality);
/* Returns the launch line for the audio codec of a WebRTC source. Caller frees. */
gchar *rec_server_formats_make_audio (
    const RecServerQuality *quality, const gchar *audio);

/* For people: "H.264" of "video/x-h264". Static; NULL when unknown. */
const gchar *rec_server_formats_get_codec_name (const GstCaps *caps);

/* The answer of /api/recording/formats. Caller unrefs. */
JsonObject *rec_server_formats_describe (const gchar *tools);

G_END_DECLS
