/* gst-tsrec: other demuxers extract the input of tsrecmux
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Real encoders, B-frames included, through tsrecmux into a file. They run in
 * a process of their own, so that what is measured here (the time under
 * valgrind, the memory) is the mux's and not theirs. The file is judged by the
 * checker, then read by tsdemux and by ffmpeg: the access units
 * are those that went in, byte for byte (delimiters and repeated parameter sets
 * in front of them aside), and PTS and DTS differ by less than one tick of the
 * 90 kHz clock.
 */

#include "rectest.h"
#include "tscheck.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <gst/video/video.h>
#include <string.h>

/* One tick, and the rounding of two conversions. */
#define TICK (GST_SECOND / 90000 + 2)

typedef struct
{
  GBytes *bytes;
  GstClockTimeDiff pts, dts; /* ns, from an origin that is common to a file */
} Unit;

typedef struct
{
  GPtrArray *video, *audio; /* of Unit */
} Units;

typedef struct
{
  const gchar *name;
  const gchar *video, *audio; /* launch, up to the mux; NULL: none */
  /* Bytes that the mux or a demuxer puts in front of, or takes from, each
   * audio frame: ADTS headers around raw AAC. */
  guint audio_header;
  gboolean may_prefix; /* delimiters are added to the pictures */
  /* Pictures lose their DTS on the way to the mux, as those from Matroska, RTP
   * and RTSP have none. */
  gboolean pts_only;
  gboolean live; /* what comes says that it is */
  const gchar *mux;
} Row;

#define VIDEO                                                                  \
  "videotestsrc num-buffers=75 pattern=ball ! "                                \
  "video/x-raw,width=160,height=120,framerate=25/1 ! "
#define AUDIO                                                                  \
  "audiotestsrc num-buffers=140 samplesperbuffer=1024 ! "                      \
  "audio/x-raw,rate=48000,channels=2 ! "
#define H264                                                                   \
  VIDEO "x264enc bframes=3 b-adapt=false key-int-max=25 ! "                    \
        "video/x-h264,stream-format=byte-stream,alignment=au ! h264parse "     \
        "config-interval=-1"

static const Row rows[] = {
  { "h264-aac", H264,
      AUDIO "avenc_aac ! aacparse ! "
            "audio/mpeg,stream-format=adts",
      0, FALSE, FALSE, FALSE, NULL },
  { "h264-no-delimiters",
      VIDEO "x264enc aud=false tune=zerolatency ! "
            "video/x-h264,stream-format=byte-stream ! "
            "h264parse",
      NULL, 0, TRUE, FALSE, FALSE, NULL },
  { "h265-ac3",
      VIDEO "x265enc option-string=aud=1:bframes=3:keyint=25:"
            "repeat-headers=1:log-level=none ! h265parse ! "
            "video/x-h265,stream-format=byte-stream,alignment=au",
      AUDIO "avenc_ac3 ! ac3parse", 0, TRUE, FALSE, FALSE, NULL },
  { "mpeg2-mp2",
      VIDEO "mpeg2enc format=3 ! "
            "mpegvideoparse",
      AUDIO "avenc_mp2 ! mpegaudioparse", 0, FALSE, FALSE, FALSE, NULL },
  { "h264-opus", H264, AUDIO "opusenc ! opusparse", 0, FALSE, FALSE, FALSE,
      NULL },
  { "aac-raw", NULL,
      AUDIO "avenc_aac ! aacparse ! "
            "audio/mpeg,stream-format=raw",
      7, FALSE, FALSE, FALSE, NULL },
  { "mp3", NULL, AUDIO "lamemp3enc ! mpegaudioparse", 0, FALSE, FALSE, FALSE,
      NULL },
  { "eac3", NULL, AUDIO "avenc_eac3 ! ac3parse", 0, FALSE, FALSE, FALSE, NULL },
};

#define H264_B                                                                 \
  VIDEO "x264enc bframes=3 b-adapt=false b-pyramid=true key-int-max=25 ! "     \
        "video/x-h264,stream-format=byte-stream,alignment=au ! h264parse "     \
        "config-interval=-1"
/* Open GOPs, and sixteen B pictures in a row. */
#define H264_DEEP                                                              \
  VIDEO "x264enc bframes=16 b-adapt=false key-int-max=20 "                     \
        "option-string=open-gop=1 ! "                                          \
        "video/x-h264,stream-format=byte-stream,alignment=au ! h264parse "     \
        "config-interval=-1"
/* As deep as the encoders reorder, and declared. */
#define H264_PYRAMID                                                           \
  VIDEO "x264enc bframes=16 b-adapt=false b-pyramid=true ref=16 "              \
        "key-int-max=40 ! "                                                    \
        "video/x-h264,stream-format=byte-stream,alignment=au ! h264parse "     \
        "config-interval=-1"
#define H265_DEEP                                                              \
  VIDEO "x265enc option-string=aud=1:bframes=16:b-adapt=0:keyint=40:"          \
        "repeat-headers=1:log-level=none ! h265parse ! "                       \
        "video/x-h265,stream-format=byte-stream,alignment=au"
#define H265_B                                                                 \
  VIDEO "x265enc option-string=aud=1:bframes=4:b-adapt=0:keyint=25:"           \
        "repeat-headers=1:log-level=none ! h265parse ! "                       \
        "video/x-h265,stream-format=byte-stream,alignment=au"
#define MPEG2_B VIDEO "mpeg2enc format=3 b-per-refframe=2 ! mpegvideoparse"
#define AAC AUDIO "avenc_aac ! aacparse ! audio/mpeg,stream-format=adts"
#define PTS_ONLY(name, video, audio, live, mux)                                \
  {                                                                            \
    name, video, audio, 0, TRUE, TRUE, live, mux                               \
  }

static const Row pts_only_rows[] = {
  PTS_ONLY ("h264-b", H264_B, NULL, FALSE, "tsrecmux"),
  PTS_ONLY ("h264-b-live", H264_B, NULL, TRUE, "tsrecmux"),
  PTS_ONLY ("h264-b-aac", H264_B, AAC, FALSE, "tsrecmux"),
  PTS_ONLY ("h264-b-aac-live", H264_B, AAC, TRUE, "tsrecmux"),
  PTS_ONLY ("h264-b-sink", H264_B, NULL, FALSE, "tsrecsink"),
  PTS_ONLY ("h264-b-aac-live-sink", H264_B, AAC, TRUE, "tsrecsink"),
  PTS_ONLY ("h264-deep-aac", H264_DEEP, AAC, FALSE, "tsrecmux"),
  PTS_ONLY ("h264-pyramid-live", H264_PYRAMID, NULL, TRUE, "tsrecmux"),
  PTS_ONLY ("h264-pyramid-aac-live", H264_PYRAMID, AAC, TRUE, "tsrecsink"),
  PTS_ONLY ("h265-deep", H265_DEEP, NULL, FALSE, "tsrecsink"),
  PTS_ONLY ("h265-deep-aac-live", H265_DEEP, AAC, TRUE, "tsrecmux"),
  PTS_ONLY ("h265-b", H265_B, NULL, FALSE, "tsrecmux"),
  PTS_ONLY ("h265-b-live", H265_B, NULL, TRUE, "tsrecmux"),
  PTS_ONLY ("h265-b-aac", H265_B, AAC, FALSE, "tsrecmux"),
  PTS_ONLY ("h265-b-aac-live", H265_B, AAC, TRUE, "tsrecmux"),
  PTS_ONLY ("mpeg2-b", MPEG2_B, NULL, FALSE, "tsrecmux"),
  PTS_ONLY ("mpeg2-b-live", MPEG2_B, NULL, TRUE, "tsrecmux"),
  PTS_ONLY ("mpeg2-b-aac", MPEG2_B, AAC, FALSE, "tsrecmux"),
  PTS_ONLY ("mpeg2-b-aac-live", MPEG2_B, AAC, TRUE, "tsrecmux"),
};

static void
unit_free (gpointer data)
{
  Unit *unit = data;

  g_bytes_unref (unit->bytes);
  g_free (unit);
}

static void
units_init (Units *units)
{
  units->video = g_ptr_array_new_with_free_func (unit_free);
  units->audio = g_ptr_array_new_with_free_func (unit_free);
}

static void
units_clear (Units *units)
{
  g_ptr_array_unref (units->video);
  g_ptr_array_unref (units->audio);
}

static void
add_unit (GPtrArray *to, gconstpointer data, gsize size, GstClockTimeDiff pts,
    GstClockTimeDiff dts)
{
  Unit *unit = g_new (Unit, 1);

  unit->bytes = g_bytes_new (data, size);
  unit->pts = pts;
  unit->dts = dts;
  g_ptr_array_add (to, unit);
}

/* The running time, which all tracks share; it may be negative. */
static GstClockTimeDiff
get_running_time (GstPad *pad, GstClockTime time)
{
  GstEvent *event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;
  guint64 running = 0;
  gint sign;

  fail_unless (event != NULL && GST_CLOCK_TIME_IS_VALID (time));
  gst_event_parse_segment (event, &segment);
  sign = gst_segment_to_running_time_full (
      segment, GST_FORMAT_TIME, time, &running);
  gst_event_unref (event);
  return sign * (GstClockTimeDiff)running;
}

static GstPadProbeReturn
record_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstClockTime pts = GST_BUFFER_PTS (buffer), dts = GST_BUFFER_DTS (buffer);
  GstMapInfo map;

  if (!GST_CLOCK_TIME_IS_VALID (dts))
    dts = pts;
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  add_unit (user_data, map.data, map.size, get_running_time (pad, pts),
      get_running_time (pad, dts));
  gst_buffer_unmap (buffer, &map);
  return GST_PAD_PROBE_OK;
}

static void
run_to_eos (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;
  GError *error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (
      bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "no end of stream");
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  fail_unless (error == NULL, "%s", error ? error->message : "");
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
}

static GstPadProbeReturn
take_dts (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  info->data = gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));
  GST_BUFFER_DTS (info->data) = GST_CLOCK_TIME_NONE;
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
say_live (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);

  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return GST_PAD_PROBE_OK;
  gst_query_set_latency (query, TRUE, 0, GST_CLOCK_TIME_NONE);
  return GST_PAD_PROBE_HANDLED;
}

/* Records what enters the mux into @units. */
static void
watch_mux (GstElement *mux, const Row *row, Units *units)
{
  GstIterator *iterator = gst_element_iterate_sink_pads (mux);
  GValue item = G_VALUE_INIT;

  while (gst_iterator_next (iterator, &item) == GST_ITERATOR_OK) {
    GstPad *pad = g_value_get_object (&item);
    gboolean video = g_str_has_prefix (GST_PAD_NAME (pad), "video");
    GstPad *peer = gst_pad_get_peer (pad);

    if (video && row->pts_only)
      gst_pad_add_probe (peer, GST_PAD_PROBE_TYPE_BUFFER, take_dts, NULL, NULL);
    if (row->live)
      gst_pad_add_probe (
          peer, GST_PAD_PROBE_TYPE_QUERY_UPSTREAM, say_live, NULL, NULL);
    gst_object_unref (peer);
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, record_buffer,
        video ? units->video : units->audio, NULL);
    g_value_reset (&item);
  }
  g_value_unset (&item);
  gst_iterator_free (iterator);
}

/* Encodes by @launch into a file with all that the pads of GStreamer tell each
 * other. Returns its path, or NULL when an element is missing. */
static gchar *
encode (const Row *row, const gchar *launch)
{
  gchar *path = g_strdup_printf ("%s/roundtrip-%s-%d-%s.gdp", g_get_tmp_dir (),
      row->name, (int)getpid (), launch == row->video ? "video" : "audio");
  gchar *line = g_strdup_printf (
      "gst-launch-1.0 -q %s ! gdppay ! filesink location=%s", launch, path);
  gchar **argv = NULL, *complaint = NULL;
  GError *error = NULL;
  GSubprocess *process;

  fail_unless (g_shell_parse_argv (line, NULL, &argv, NULL));
  process = g_subprocess_newv ((const gchar *const *)argv,
      G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE,
      &error);
  fail_unless (process != NULL, "%s", error ? error->message : "");
  g_subprocess_communicate_utf8 (process, NULL, NULL, NULL, &complaint, NULL);
  if (!g_subprocess_get_successful (process)) {
    fail_unless (
        strstr (complaint, "no element") != NULL, "%s: %s", line, complaint);
    g_print ("skipped %s: %s\n", row->name, complaint);
    g_unlink (path);
    g_clear_pointer (&path, g_free);
  }
  g_object_unref (process);
  g_free (complaint);
  g_strfreev (argv);
  g_free (line);
  return path;
}

static void
append_track (
    GString *launch, const gchar *path, const gchar *pad, gboolean paced)
{
  if (path)
    g_string_append_printf (launch,
        "filesrc location=%s ! gdpdepay ! %squeue max-size-time=0 "
        "max-size-buffers=0 max-size-bytes=0 ! m.%s ",
        path, paced ? "clocksync ! " : "", pad);
}

/* @video and @audio: what encode() returned, or NULL for none. */
static void
record (const Row *row, const gchar *video, const gchar *audio,
    const gchar *path, Units *units)
{
  GString *launch = g_string_new (NULL);
  GError *error = NULL;
  GstElement *pipeline, *mux;

  if (row->mux && !strcmp (row->mux, "tsrecsink"))
    g_string_printf (launch, "tsrecsink name=m location=%s ", path);
  else
    g_string_printf (launch, "tsrecmux name=m ! %s location=%s ",
        row->live && video && audio ? "recfilesink" : "filesink", path);
  /* Two live tracks come as fast as each other, but the second one may begin
   * later. tsdemux drops pictures at its PMT, unless that is at the front too. */
  append_track (launch, video, "video_0", row->live && audio);
  append_track (launch, audio, "audio_0", row->live && video);
  pipeline = gst_parse_launch_full (
      launch->str, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  fail_unless (pipeline != NULL, "%s", error ? error->message : "");
  mux = gst_bin_get_by_name (GST_BIN (pipeline), "m");
  watch_mux (mux, row, units);
  run_to_eos (pipeline);
  gst_object_unref (mux);
  gst_object_unref (pipeline);
  g_string_free (launch, TRUE);
}

static void
on_demuxed (GstElement *demux, GstPad *pad, gpointer user_data)
{
  Units *units = user_data;
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  GstObject *bin = gst_object_get_parent (GST_OBJECT (demux));
  GstPad *sink_pad = gst_element_get_static_pad (sink, "sink");
  gboolean video = g_str_has_prefix (GST_PAD_NAME (pad), "video");

  g_object_set (sink, "sync", FALSE, "async", FALSE, NULL);
  gst_bin_add (GST_BIN (bin), sink);
  gst_pad_add_probe (sink_pad, GST_PAD_PROBE_TYPE_BUFFER, record_buffer,
      video ? units->video : units->audio, NULL);
  fail_unless_equals_int (gst_pad_link (pad, sink_pad), GST_PAD_LINK_OK);
  gst_element_sync_state_with_parent (sink);
  gst_object_unref (sink_pad);
  gst_object_unref (bin);
}

static void
demux_with_gstreamer (const gchar *path, Units *units)
{
  gchar *launch =
      g_strdup_printf ("filesrc location=%s ! tsdemux name=d", path);
  GstElement *pipeline = gst_parse_launch (launch, NULL);
  GstElement *demux = gst_bin_get_by_name (GST_BIN (pipeline), "d");

  g_signal_connect (demux, "pad-added", G_CALLBACK (on_demuxed), units);
  run_to_eos (pipeline);
  gst_object_unref (demux);
  gst_object_unref (pipeline);
  g_free (launch);
}

static void
on_pes (void *user_data, const TsCheckPes *pes)
{
  Units *units = user_data;

  add_unit (pes->kind == TS_CHECK_KIND_VIDEO ? units->video : units->audio,
      pes->data, pes->size, pes->pts * 100000 / 9, pes->dts * 100000 / 9);
}

/* On a slow machine one of two live tracks may lag, and PCR with it. */
static void
demux_with_checker (const gchar *path, Units *units)
{
  TsCheckOptions options = TS_CHECK_STRICT;
  TsCheck *check;
  GError *error = NULL;
  gchar *contents;
  gsize size;

  if (g_getenv ("REC_SLOW_MACHINE"))
    options.ignored_rules = TS_CHECK_IGNORE (TS_CHECK_DELAY);
  check = ts_check_new (&options, on_pes, NULL, units);
  fail_unless (g_file_get_contents (path, &contents, &size, &error));
  ts_check_push (check, (guint8 *)contents, size);
  fail_unless (ts_check_finish (check) == 0, "%s", ts_check_get_report (check));
  fail_unless (ts_check_get_stats (check)->warnings == 0, "%s",
      ts_check_get_report (check));
  ts_check_free (check);
  g_free (contents);
}

/* Are @units, of which @out is a part, those of @in? @skip: bytes in front of
 * each that are not looked at. The origin of time is that of the first unit of
 * the first track. */
static void
compare (const GPtrArray *in, const GPtrArray *out, guint skip,
    gboolean may_prefix, gboolean pts_only, GstClockTimeDiff origin,
    const gchar *what)
{
  GstClockTimeDiff last = G_MININT64;

  fail_unless (in->len > 10, "%s: %u units", what, in->len);
  fail_unless (
      in->len == out->len, "%s: %u units of %u", what, out->len, in->len);
  for (guint i = 0; i < in->len; i++) {
    const Unit *one = in->pdata[i], *two = out->pdata[i];
    gsize size, got;
    const guint8 *data = g_bytes_get_data (one->bytes, &size);
    const guint8 *back = g_bytes_get_data (two->bytes, &got);

    fail_unless (got == size + skip || (may_prefix && got >= size),
        "%s %u: %" G_GSIZE_FORMAT " bytes of %" G_GSIZE_FORMAT, what, i, got,
        size);
    fail_unless (!memcmp (back + got - size, data, size),
        "%s %u: the bytes differ", what, i);
    fail_unless (ABS (two->pts - one->pts - origin) <= (gint64)TICK,
        "%s %u: PTS is off by %" G_GINT64_FORMAT " ns", what, i,
        two->pts - one->pts - origin);
    fail_unless (pts_only || ABS (two->dts - one->dts - origin) <= (gint64)TICK,
        "%s %u: DTS is off by %" G_GINT64_FORMAT " ns", what, i,
        two->dts - one->dts - origin);
    fail_unless (two->dts > last && two->dts <= two->pts,
        "%s %u: DTS does not rise, or is after PTS", what, i);
    last = two->dts;
  }
}

/* tsdemux gives no DTS where it is the PTS, and record_buffer() the PTS then.
 */
static void
compare_all (
    const Row *row, const Units *in, const Units *out, const gchar *reader)
{
  const GPtrArray *first = row->video ? in->video : in->audio;
  const GPtrArray *first_out = row->video ? out->video : out->audio;
  /* The control header of Opus, which only demuxers take off. */
  gboolean is_checker = !strcmp (reader, "the checker");
  GstClockTimeDiff origin;
  gchar *what;

  fail_unless (first_out->len > 0, "%s: %s found nothing", row->name, reader);
  origin = row->pts_only
      ? ((Unit *)first_out->pdata[0])->pts - ((Unit *)first->pdata[0])->pts
      : ((Unit *)first_out->pdata[0])->dts - ((Unit *)first->pdata[0])->dts;
  what = g_strdup_printf ("%s by %s, video", row->name, reader);
  if (row->video)
    compare (
        in->video, out->video, 0, row->may_prefix, row->pts_only, origin, what);
  g_free (what);
  what = g_strdup_printf ("%s by %s, audio", row->name, reader);
  if (row->audio)
    compare (in->audio, out->audio, row->audio_header,
        is_checker && strstr (row->audio, "opus"), FALSE, origin, what);
  g_free (what);
}

/* A packet by ffprobe: the MD5 of its bytes instead of the bytes. */
typedef struct
{
  gint64 pts, dts, size;
  gchar md5[33];
  gboolean video;
} Packet;

/* One key=value line of it; data_hash is the last one of a packet. */
static void
parse_line (const gchar *line, Packet *packet, GArray *packets)
{
  const gchar *value = strchr (line, '=');

  if (!value)
    return;
  value++;
  if (g_str_has_prefix (line, "codec_type="))
    packet->video = !strcmp (value, "video");
  else if (g_str_has_prefix (line, "pts="))
    packet->pts = g_ascii_strtoll (value, NULL, 10);
  else if (g_str_has_prefix (line, "dts="))
    packet->dts = g_ascii_strtoll (value, NULL, 10);
  else if (g_str_has_prefix (line, "size="))
    packet->size = g_ascii_strtoll (value, NULL, 10);
  if (!g_str_has_prefix (line, "data_hash=MD5:"))
    return;
  g_strlcpy (packet->md5, value + 4, sizeof packet->md5);
  g_array_append_val (packets, *packet);
}

static GArray *
demux_with_ffmpeg (const gchar *path)
{
  GArray *packets = g_array_new (FALSE, TRUE, sizeof (Packet));
  Packet packet = { 0 };
  GError *error = NULL;
  gchar *out = NULL, *complaint = NULL, **lines;
  GSubprocess *process = g_subprocess_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error,
      "ffprobe", "-v", "error", "-show_packets", "-show_data_hash", "md5",
      "-show_entries", "packet=codec_type,pts,dts,size,data_hash", "-of",
      "default=nw=1", path, NULL);

  fail_unless (process != NULL, "%s", error ? error->message : "");
  g_subprocess_communicate_utf8 (process, NULL, NULL, &out, &complaint, NULL);
  fail_unless (complaint[0] == '\0', "ffprobe: %s", complaint);
  lines = g_strsplit (out, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    parse_line (lines[i], &packet, packets);
  g_strfreev (lines);
  g_free (complaint);
  g_free (out);
  g_object_unref (process);
  return packets;
}

/* Distance of ffmpeg's time of the first track ahead of ours, ns. */
static gint64
find_origin (const Row *row, const Units *in, const GArray *packets)
{
  const Unit *unit = row->video ? in->video->pdata[0] : in->audio->pdata[0];

  for (guint i = 0; i < packets->len; i++) {
    const Packet *packet = &g_array_index (packets, Packet, i);

    if (packet->video == (row->video != NULL))
      return packet->pts * 100000 / 9 - unit->pts;
  }
  fail ("%s: ffmpeg found nothing", row->name);
  return 0;
}

/* ffmpeg's parsers cut audio into frames again, and strip what Opus has in
 * front: the same packets as went in. Delimiters make another hash; then only
 * the timestamps are held against each other. */
static void
compare_ffmpeg (
    const Row *row, const Units *in, const GArray *packets, gboolean video)
{
  const GPtrArray *units = video ? in->video : in->audio;
  gboolean exact = video ? !row->may_prefix : row->audio_header == 0;
  gint64 origin = find_origin (row, in, packets);
  guint n = 0;
  /* ffmpeg makes up a DTS of its own for MPEG-2, as if there were B-frames. */
  gboolean mpeg2 = video && strstr (row->video, "mpeg2enc");

  for (guint i = 0; i < packets->len; i++) {
    const Packet *packet = &g_array_index (packets, Packet, i);
    const Unit *unit;
    gchar *md5;

    if (packet->video != video)
      continue;
    fail_unless (n < units->len, "%s: more than %u units", row->name, n);
    unit = units->pdata[n++];
    md5 = g_compute_checksum_for_bytes (G_CHECKSUM_MD5, unit->bytes);
    fail_unless (!exact || !strcmp (md5, packet->md5),
        "%s by ffmpeg, %s %u: %" G_GINT64_FORMAT " bytes of %" G_GSIZE_FORMAT
        ", and not the same",
        row->name, video ? "video" : "audio", n - 1, packet->size,
        g_bytes_get_size (unit->bytes));
    fail_unless (
        ABS (packet->pts * 100000 / 9 - unit->pts - origin) <= (gint64)TICK &&
            (mpeg2 || (video && row->pts_only) ||
                ABS (packet->dts * 100000 / 9 - unit->dts - origin) <=
                    (gint64)TICK),
        "%s by ffmpeg, %s %u: PTS is off by %" G_GINT64_FORMAT " ns, or DTS is",
        row->name, video ? "video" : "audio", n - 1,
        packet->pts * 100000 / 9 - unit->pts - origin);
    g_free (md5);
  }
  fail_unless_equals_int (n, units->len);
}

static void
compare_with_readers (const Row *row, const Units *in, const gchar *path)
{
  GArray *packets;
  Units out;

  units_init (&out);
  demux_with_checker (path, &out);
  compare_all (row, in, &out, "the checker");
  units_clear (&out);
  units_init (&out);
  demux_with_gstreamer (path, &out);
  compare_all (row, in, &out, "tsdemux");
  units_clear (&out);
  packets = demux_with_ffmpeg (path);
  if (row->video)
    compare_ffmpeg (row, in, packets, TRUE);
  if (row->audio)
    compare_ffmpeg (row, in, packets, FALSE);
  g_array_unref (packets);
}

static void
remove_file (gchar *path)
{
  if (path)
    g_unlink (path);
  g_free (path);
}

static void
check_row (const Row *row)
{
  gchar *path = g_strdup_printf (
      "%s/roundtrip-%s-%d.ts", g_get_tmp_dir (), row->name, (int)getpid ());
  gchar *video = row->video ? encode (row, row->video) : NULL;
  gchar *audio = row->audio ? encode (row, row->audio) : NULL;
  Units in;

  rec_test_assert_built_here ("tsrecmux");
  if (!row->video == !video && !row->audio == !audio) {
    units_init (&in);
    record (row, video, audio, path, &in);
    compare_with_readers (row, &in, path);
    units_clear (&in);
  }
  remove_file (video);
  remove_file (audio);
  remove_file (path);
}

GST_START_TEST (test_demuxers_find_what_went_in)
{
  check_row (&rows[__i__]);
}

GST_END_TEST;

GST_START_TEST (test_pictures_without_dts_keep_their_pts)
{
  check_row (&pts_only_rows[__i__]);
}

GST_END_TEST;

static Suite *
roundtrip_suite (void)
{
  Suite *s = suite_create ("roundtrip");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 120);
  /* A type that caps of video name. GStreamer 1.22 would find it too, and leak
   * the factory that it found it by. */
  g_type_ensure (GST_TYPE_VIDEO_MULTIVIEW_FLAGSET);
  tcase_add_loop_test (
      tc, test_demuxers_find_what_went_in, 0, G_N_ELEMENTS (rows));
  tcase_add_loop_test (tc, test_pictures_without_dts_keep_their_pts, 0,
      G_N_ELEMENTS (pts_only_rows));
  return s;
}

GST_CHECK_MAIN (roundtrip);
