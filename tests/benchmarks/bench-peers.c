/* gst-tsrec: the peers of the benchmark that are GStreamer, and the bare write
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static gboolean
answer_latency (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY) {
    gst_query_set_latency (query, TRUE, 0, GST_CLOCK_TIME_NONE);
    return TRUE;
  }
  return gst_pad_query_default (pad, parent, query);
}

/* A source pad that is linked to a new request pad of @mux. */
static GstPad *
make_source (GstElement *mux, const gchar *template, const gchar *caps)
{
  static const gchar *const fallback = "sink_%d";
  GstPad *src = gst_pad_new (NULL, GST_PAD_SRC), *sink;
  GstCaps *filter = gst_caps_from_string (caps);
  GstSegment segment;
  gchar *id = g_strdup_printf ("bench/%s", template);

  gst_pad_set_query_function (src, answer_latency);
  sink = gst_element_request_pad_simple (mux, template);
  if (!sink)
    sink = gst_element_request_pad_simple (mux, fallback);
  gst_pad_set_active (src, TRUE);
  if (!sink || gst_pad_link (src, sink) != GST_PAD_LINK_OK) {
    g_printerr ("Could not link to %s\n", GST_ELEMENT_NAME (mux));
    gst_clear_object (&src);
  } else {
    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_pad_push_event (src, gst_event_new_stream_start (id));
    gst_pad_push_event (src, gst_event_new_caps (filter));
    gst_pad_push_event (src, gst_event_new_segment (&segment));
  }
  gst_clear_object (&sink);
  gst_caps_unref (filter);
  g_free (id);
  return src;
}

static GstFlowReturn
push (GstPad *pad, GstBuffer *unit, guint number, gboolean delta)
{
  /* A new buffer each time, as a depayloader makes one; no bytes copied. */
  GstBuffer *buffer = gst_buffer_copy (unit);

  GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) =
      gst_util_uint64_scale (number, GST_SECOND, BENCH_FPS);
  GST_BUFFER_DURATION (buffer) = GST_SECOND / BENCH_FPS;
  if (delta)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  return gst_pad_push (pad, buffer);
}

static gboolean
push_all (GstPad *video, GstPad *audio, const BenchLoad *load)
{
  for (guint i = 0; i < load->pairs; i++) {
    gboolean key = i % BENCH_KEY_EVERY == 0;

    if (push (video, key ? load->key : load->delta, i, !key) != GST_FLOW_OK ||
        push (audio, load->audio, i, FALSE) != GST_FLOW_OK)
      return FALSE;
  }
  return TRUE;
}

/* Waits until everything is written. */
static gboolean
wait_for_eos (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered (
      bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gboolean eos = message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;

  if (message)
    gst_message_unref (message);
  gst_object_unref (bus);
  return eos;
}

guint64
bench_run_launch (
    const BenchPeer *peer, const BenchLoad *load, const gchar *path)
{
  gchar **parts = g_strsplit (peer->launch, "%s", 2);
  gchar *launch = g_strconcat (parts[0], path, parts[1], NULL);
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch_full (launch, NULL,
      GST_PARSE_FLAG_FATAL_ERRORS | GST_PARSE_FLAG_PLACE_IN_BIN, &error);
  GstElement *bin, *mux;
  GstPad *video = NULL, *audio = NULL;
  guint64 start = 0, time = 0;

  g_strfreev (parts);
  if (!pipeline) {
    g_printerr ("%s: %s\n", launch, error->message);
    g_clear_error (&error);
    g_free (launch);
    return 0;
  }
  g_free (launch);
  bin = gst_pipeline_new (NULL);
  gst_bin_add (GST_BIN (bin), pipeline);
  mux = gst_bin_get_by_name (GST_BIN (bin), "s");
  gst_element_set_state (bin, GST_STATE_PLAYING);
  video = make_source (mux, "video_%u",
      "video/x-h264, stream-format=byte-stream, alignment=au, width=320, "
      "height=240, framerate=30/1");
  audio = make_source (mux, "audio_%u",
      "audio/mpeg, mpegversion=4, stream-format=adts, rate=48000, channels=2, "
      "framed=true");
  if (video && audio) {
    start = bench_cpu_time ();
    if (push_all (video, audio, load)) {
      gst_pad_push_event (video, gst_event_new_eos ());
      gst_pad_push_event (audio, gst_event_new_eos ());
      if (wait_for_eos (bin))
        time = bench_cpu_time () - start;
    }
  }
  if (time == 0)
    g_printerr ("%s did not finish\n", peer->name);
  gst_element_set_state (bin, GST_STATE_NULL);
  gst_clear_object (&video);
  gst_clear_object (&audio);
  gst_object_unref (mux);
  gst_object_unref (bin);
  return time;
}

/* Size of an access unit of @size in whole packets. */
static gsize
ts_size (guint size)
{
  return (size + 19 + 183) / 184 * 188;
}

static gboolean
write_whole (int fd, const guint8 *data, gsize size)
{
  return write (fd, data, size) == (gssize)size;
}

gboolean
bench_sync (const gchar *path)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gboolean good = fd >= 0 && fdatasync (fd) == 0;

  if (fd >= 0)
    close (fd);
  return good;
}

guint64
bench_run_write (
    const BenchPeer *peer, const BenchLoad *load, const gchar *path)
{
  gsize video = ts_size (load->video_size), audio = ts_size (load->audio_size);
  guint8 *data = g_malloc (video);
  int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  gboolean good = fd >= 0;
  guint64 time;

  memset (data, 0x55, video);
  time = bench_cpu_time ();
  for (guint i = 0; good && i < load->pairs; i++)
    good = write_whole (fd, data, video) && write_whole (fd, data, audio);
  if (peer->sync)
    good = bench_sync (path) && good;
  time = bench_cpu_time () - time;
  if (!good)
    g_printerr ("Could not write \"%s\": %s\n", path, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  g_free (data);
  return good ? time : 0;
}
