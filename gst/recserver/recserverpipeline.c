/* gst-tsrec: creates the pipeline of a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "recserverpipeline.h"
#include "recservererror.h"

#include <string.h>

/* Ten seconds or 64 MiB: what a disk may hang for at no cost. */
#define QUEUE                                                                  \
  "queue max-size-time=10000000000 max-size-bytes=67108864 max-size-buffers=0"

/* For sources with static pads (WebRTC), and with pads that are added later (URI).
 */
#define STATIC_LAUNCH                                                          \
  "{source} name=source source.video ! {queue} ! {video} ! "                   \
  "recmonitor name=monitor_video stage=video ! tsrecsink name=rec "            \
  "source.audio ! {queue} ! {audio} ! "                                        \
  "recmonitor name=monitor_audio stage=audio ! rec."
#define DYNAMIC_LAUNCH                                                         \
  "{source} name=source ! parsebin name=parse tsrecsink name=rec"

/* @text with each "{name}" replaced; frees @text. */
static gchar *
replace (gchar *text, const gchar *name, const gchar *value)
{
  gchar **parts = g_strsplit (text, name, -1);

  g_free (text);
  text = g_strjoinv (value, parts);
  g_strfreev (parts);
  return text;
}

static gchar *
make_launch_line (const RecServerPipelineConfig *config)
{
  gchar **elements = g_strsplit (config->source->elements, " ", 2);
  gboolean is_uri = g_str_equal (config->source->type, "uri");
  gchar *video = rec_server_formats_make_video (config->quality);
  gchar *audio =
      rec_server_formats_make_audio (config->quality, config->path->audio);
  gchar *line = g_strdup (config->path->launch
          ? config->path->launch
          : (is_uri ? DYNAMIC_LAUNCH : STATIC_LAUNCH));

  line = replace (line, "{source}", elements[0]);
  line = replace (line, "{queue}", QUEUE);
  line = replace (line, "{video}", video);
  line = replace (line, "{audio}", audio);
  g_strfreev (elements);
  g_free (video);
  g_free (audio);
  return line;
}

static gboolean
has_property (GstElement *element, const gchar *name)
{
  return g_object_class_find_property (G_OBJECT_GET_CLASS (element), name) !=
      NULL;
}

/* Sets @name where @element has it and @value is one. */
static void
set_string (GstElement *element, const gchar *name, const gchar *value)
{
  if (value && has_property (element, name))
    g_object_set (element, name, value, NULL);
}

/* Escapes "%", which the sink would expand again. */
static gchar *
make_location (const RecServerPipelineConfig *config)
{
  gchar *stem = replace (g_strdup (config->location), "%", "%%"), *location;

  location = g_strconcat (
      stem, config->path->max_size_time ? "-%05d.ts" : ".ts", NULL);
  g_free (stem);
  return location;
}

static void
set_up_sink (GstElement *rec, const RecServerPipelineConfig *config)
{
  const RecServerPath *path = config->path;
  gchar *location = make_location (config);

  g_object_set (rec, "location", location, "recording-id", config->id,
      "sync-interval", path->sync_interval, "resume", config->resume,
      "max-size-time", path->max_size_time, NULL);
  g_free (location);
  if (path->playlist) {
    location = g_strconcat (config->location, ".m3u8", NULL);
    g_object_set (rec, "playlist-location", location, NULL);
    g_free (location);
  }
  if (path->journal) {
    location = g_strconcat (config->location, ".jsonl", NULL);
    g_object_set (rec, "journal-location", location, NULL);
    g_free (location);
  }
}

static void
set_up_webrtc (GstElement *source, const RecServerPipelineConfig *config)
{
  const RecServerConfig *server = config->server;
  gchar *codecs = rec_server_formats_list_video_codecs ();

  set_string (source, "video-codecs", codecs);
  g_free (codecs);
  if (config->quality->video_bitrate && has_property (source, "max-bitrate"))
    g_object_set (
        source, "max-bitrate", config->quality->video_bitrate * 1000, NULL);
  set_string (source, "stun-server", server->stun_server);
  set_string (source, "turn-server", server->turn_server);
  set_string (source, "public-address", server->public_address);
  set_string (source, "port-range", server->port_range);
  if (server->udp_port && has_property (source, "udp-port"))
    g_object_set (source, "udp-port", server->udp_port, NULL);
}

static void
set_up_source (GstElement *source, const RecServerPipelineConfig *config)
{
  if (has_property (source, "listen"))
    g_object_set (source, "listen", FALSE, NULL);
  if (has_property (source, "video-codecs"))
    set_up_webrtc (source, config);
  if (config->path->peer_timeout != G_MAXUINT64 &&
      has_property (source, "peer-timeout"))
    g_object_set (source, "peer-timeout", config->path->peer_timeout, NULL);
  if (has_property (source, "retry-timeout"))
    g_object_set (source, "retry-timeout", G_MAXUINT64, NULL);
  set_string (source, "auth-token", config->token);
  set_string (source, "location", config->url);
  set_string (source, "uri", config->url);
}

/* --- pads that come later --- */

typedef struct
{
  gchar *id;
  const RecServerQuality *quality;
  gchar *audio;
} LinkData;

static void
link_data_free (gpointer data, GClosure *closure)
{
  LinkData *link = data;

  g_free (link->id);
  g_free (link->audio);
  g_free (link);
}

/* A branch for a stream of @caps, NULL when MPEG-TS carries no such. */
static GstElement *
make_branch (const LinkData *link, const GstCaps *caps)
{
  gchar *text = gst_caps_to_string (caps);
  gchar *line =
      rec_server_formats_make_branch (text, link->quality, link->audio);
  gboolean video = g_str_has_prefix (text, "video/");
  GstElement *bin = NULL;
  gchar *description;

  if (line) {
    description = g_strdup_printf (QUEUE " ! %s ! recmonitor name=monitor_%s "
                                         "stage=%s recording-id=%s",
        line, video ? "video" : "audio", video ? "video" : "audio", link->id);
    bin = gst_parse_bin_from_description (description, TRUE, NULL);
    g_free (description);
  }
  g_free (line);
  g_free (text);
  return bin;
}

static void
post_rejected (GstElement *parse, GstPad *pad, GstCaps *caps)
{
  gchar *text = caps ? gst_caps_to_string (caps) : g_strdup ("");

  gst_element_post_message (parse,
      gst_message_new_element (GST_OBJECT (parse),
          gst_structure_new ("tsrecmux-track-rejected", "pad", G_TYPE_STRING,
              GST_PAD_NAME (pad), "caps", G_TYPE_STRING, text, "reason",
              G_TYPE_STRING, "no element here copies it into MPEG-TS", NULL)));
  g_free (text);
}

/* A pad of parsebin may come before its caps event: what is behind it is asked
 * then. NULL: not known. */
static GstCaps *
get_stream_caps (GstPad *pad)
{
  GstCaps *caps = gst_pad_get_current_caps (pad);

  if (!caps)
    caps = gst_pad_query_caps (pad, NULL);
  if (gst_caps_is_any (caps) || gst_caps_is_empty (caps))
    gst_clear_caps (&caps);
  return caps;
}

/* On a streaming thread. */
static void
on_pad_added (GstElement *parse, GstPad *pad, gpointer user_data)
{
  GstCaps *caps = get_stream_caps (pad);
  GstElement *pipeline = GST_ELEMENT (gst_element_get_parent (parse));
  GstElement *rec =
      pipeline ? gst_bin_get_by_name (GST_BIN (pipeline), "rec") : NULL;
  GstElement *branch = caps && rec ? make_branch (user_data, caps) : NULL;
  GstPad *sink;

  if (branch) {
    gst_bin_add (GST_BIN (pipeline), branch);
    sink = gst_element_get_static_pad (branch, "sink");
    if (!gst_element_link (branch, rec) ||
        gst_pad_link (pad, sink) != GST_PAD_LINK_OK)
      post_rejected (parse, pad, caps);
    gst_element_sync_state_with_parent (branch);
    gst_object_unref (sink);
  } else if (rec) {
    post_rejected (parse, pad, caps);
  }
  gst_clear_caps (&caps);
  gst_clear_object (&rec);
  gst_clear_object (&pipeline);
}

static void
connect_parse (GstElement *parse, const RecServerPipelineConfig *config)
{
  LinkData *link = g_new0 (LinkData, 1);

  link->id = g_strdup (config->id);
  link->quality = config->quality;
  link->audio = g_strdup (config->path->audio);
  g_signal_connect_data (
      parse, "pad-added", G_CALLBACK (on_pad_added), link, link_data_free, 0);
}

/* --- the whole --- */

static void
name_monitors (GstElement *pipeline, const gchar *id)
{
  static const gchar *const names[] = { "monitor_video", "monitor_audio" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    GstElement *monitor = gst_bin_get_by_name (GST_BIN (pipeline), names[i]);

    if (!monitor)
      continue;
    g_object_set (monitor, "recording-id", id, NULL);
    gst_object_unref (monitor);
  }
}

/* "video_paths" is there if the launch line has {video}. */
static void
set_video_paths (GstElement *pipeline, const RecServerQuality *quality)
{
  GstElement *switchbin =
      gst_bin_get_by_name (GST_BIN (pipeline), "video_paths");

  if (!switchbin)
    return;
  rec_server_formats_set_video_paths (switchbin, quality);
  gst_object_unref (switchbin);
}

static gboolean
set_up (
    GstElement *pipeline, const RecServerPipelineConfig *config, GError **error)
{
  GstElement *rec = gst_bin_get_by_name (GST_BIN (pipeline), "rec");
  GstElement *source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  GstElement *parse = gst_bin_get_by_name (GST_BIN (pipeline), "parse");
  gboolean ok = rec && has_property (rec, "location") && source;

  if (ok) {
    set_up_sink (rec, config);
    set_up_source (source, config);
    name_monitors (pipeline, config->id);
    set_video_paths (pipeline, config->quality);
    if (parse)
      connect_parse (parse, config);
  } else {
    rec_server_error_set (error, 500, "wrong launch line",
        "The launch line of [path %s] needs an element named \"source\" and a "
        "tsrecsink named \"rec\".",
        config->path->pattern);
  }
  gst_clear_object (&rec);
  gst_clear_object (&source);
  gst_clear_object (&parse);
  return ok;
}

GstElement *
rec_server_pipeline_new (const RecServerPipelineConfig *config, GError **error)
{
  gchar *line = make_launch_line (config);
  GError *reason = NULL;
  GstElement *pipeline =
      gst_parse_launch_full (line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &reason);

  g_free (line);
  if (!pipeline)
    goto no_pipeline;
  g_clear_error (&reason);
  if (GST_IS_PIPELINE (pipeline) && set_up (pipeline, config, error))
    return pipeline;
  if (error && !*error)
    rec_server_error_set (error, 500, "wrong launch line",
        "The launch line of [path %s] is no pipeline.", config->path->pattern);
  gst_object_unref (pipeline);
  return NULL;

  /* ERRORS */
no_pipeline:
  rec_server_error_set (error, 500, "no pipeline",
      "The pipeline could not be made: %s. Check the launch line of [path %s] "
      "and whether its elements are installed.",
      reason->message, config->path->pattern);
  g_error_free (reason);
  return NULL;
}
