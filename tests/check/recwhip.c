/* gst-tsrec: recwhipsink publishes to recwhipsrc over loopback
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "reclive.h"
#include "recproxy.h"
#include "recssrc.h"

#include <gio/gio.h>
#include <gst/app/app.h>
#include <gst/video/video.h>

#define VIDEO                                                                  \
  "videotestsrc is-live=true ! "                                               \
  "video/x-raw,width=160,height=120,framerate=25/1 ! "                         \
  "x264enc name=enc tune=zerolatency speed-preset=ultrafast key-int-max=1000 " \
  "! video/x-h264,profile=constrained-baseline ! sink.video "
#define AUDIO "audiotestsrc is-live=true ! opusenc ! sink.audio "

typedef struct
{
  GstElement *receiver;
  GstElement *src;
  GstElement *video;
  GstElement *audio;
  GstElement *sender;
  GstBus *bus;
  gchar *url;
} Pair;

/* The receiver runs; nobody publishes yet. */
static void
pair_init (Pair *pair, const gchar *properties)
{
  gchar *line = g_strdup_printf (
      "recwhipsrc name=src port=0 latency=100 peer-timeout=300000000000 %s "
      "src.video ! appsink name=v sync=false async=false wait-on-eos=false "
      "src.audio ! appsink name=a sync=false async=false wait-on-eos=false",
      properties);
  GError *error = NULL;

  memset (pair, 0, sizeof (*pair));
  rec_test_assert_built_here ("recwhipsrc");
  rec_test_assert_built_here ("recwhipsink");
  pair->receiver = gst_parse_launch (line, &error);
  fail_unless (error == NULL, "%s", error ? error->message : "");
  pair->src = gst_bin_get_by_name (GST_BIN (pair->receiver), "src");
  rec_live_set_transport (pair->src);
  pair->video = gst_bin_get_by_name (GST_BIN (pair->receiver), "v");
  pair->audio = gst_bin_get_by_name (GST_BIN (pair->receiver), "a");
  pair->bus = gst_element_get_bus (pair->receiver);
  fail_unless_equals_int (
      gst_element_set_state (pair->receiver, GST_STATE_PAUSED),
      GST_STATE_CHANGE_NO_PREROLL);
  fail_unless_equals_int (
      gst_element_set_state (pair->receiver, GST_STATE_PLAYING),
      GST_STATE_CHANGE_SUCCESS);
  g_object_get (pair->src, "url", &pair->url, NULL);
  g_free (line);
}

static void
pair_publish_to (Pair *pair, const gchar *url, const gchar *tracks)
{
  gchar *line =
      g_strdup_printf ("recwhipsink name=sink location=%s %s", url, tracks);
  GError *error = NULL;

  pair->sender = gst_parse_launch (line, &error);
  fail_unless (error == NULL, "%s", error ? error->message : "");
  fail_if (gst_element_set_state (pair->sender, GST_STATE_PLAYING) ==
      GST_STATE_CHANGE_FAILURE);
  g_free (line);
}

static void
pair_publish (Pair *pair, const gchar *tracks)
{
  pair_publish_to (pair, pair->url, tracks);
}

static void
pair_unpublish (Pair *pair)
{
  if (!pair->sender)
    return;
  gst_element_set_state (pair->sender, GST_STATE_NULL);
  gst_clear_object (&pair->sender);
}

static void
pair_clear (Pair *pair)
{
  pair_unpublish (pair);
  gst_element_set_state (pair->receiver, GST_STATE_NULL);
  gst_object_unref (pair->src);
  gst_object_unref (pair->video);
  gst_object_unref (pair->audio);
  gst_object_unref (pair->bus);
  gst_object_unref (pair->receiver);
  g_free (pair->url);
}

/* Waits for the element message @name. Caller frees. */
static GstMessage *
wait_for (GstBus *bus, const gchar *name)
{
  for (;;) {
    GstMessage *message = gst_bus_timed_pop_filtered (
        bus, REC_LIVE_PATIENCE, GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR);

    fail_unless (message != NULL, "no %s", name);
    fail_if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR, "error of %s",
        GST_MESSAGE_SRC_NAME (message));
    if (gst_message_has_name (message, name))
      return message;
    gst_message_unref (message);
  }
}

static const gchar *
field (GstMessage *message, const gchar *name)
{
  return gst_structure_get_string (gst_message_get_structure (message), name);
}

static GstSample *
pull (GstElement *appsink)
{
  GstSample *sample =
      gst_app_sink_try_pull_sample (GST_APP_SINK (appsink), REC_LIVE_PATIENCE);

  fail_unless (
      sample != NULL, "nothing came out of %s", GST_ELEMENT_NAME (appsink));
  return sample;
}

/* Pulls @n samples and checks that their timestamps rise from *@last on. */
static void
pull_rising (GstElement *appsink, guint n, GstClockTime *last)
{
  while (n-- > 0) {
    GstSample *sample = pull (appsink);
    GstBuffer *buffer = gst_sample_get_buffer (sample);

    fail_unless (GST_BUFFER_PTS_IS_VALID (buffer));
    fail_unless (
        !GST_CLOCK_TIME_IS_VALID (*last) || GST_BUFFER_PTS (buffer) > *last,
        "%" GST_TIME_FORMAT " after %" GST_TIME_FORMAT,
        GST_TIME_ARGS (GST_BUFFER_PTS (buffer)), GST_TIME_ARGS (*last));
    *last = GST_BUFFER_PTS (buffer);
    gst_sample_unref (sample);
  }
}

static guint64
stat (GstElement *src, const gchar *name)
{
  GstStructure *s = NULL;
  guint64 value = 0;

  g_object_get (src, "stats", &s, NULL);
  fail_unless (gst_structure_get_uint64 (s, name, &value), "no %s", name);
  gst_structure_free (s);
  return value;
}

GST_START_TEST (test_latency_is_answered_before_anybody_has_connected)
{
  GstQuery *query = gst_query_new_latency ();
  GstClockTime min, max;
  gboolean live;
  GstPad *pad;
  Pair pair;

  pair_init (&pair, "");
  pad = gst_element_get_static_pad (pair.src, "video");
  fail_unless (gst_pad_query (pad, query));
  gst_query_parse_latency (query, &live, &min, &max);
  fail_unless (live);
  fail_unless_equals_uint64 (min, 100 * GST_MSECOND);
  fail_unless_equals_uint64 (max, GST_CLOCK_TIME_NONE);
  gst_query_unref (query);
  gst_object_unref (pad);
  pair_clear (&pair);
}

GST_END_TEST;

/* Key frames of some hundred kB arrive at once: as much is asked for as the kernel
 * grants without privileges. */
static void
assert_receive_buffer (GstElement *src)
{
#if HAVE_NICE || HAVE_TRANSPORT
  GstStructure *s = NULL;
  gchar *text = NULL;
  guint buffer = 0, wanted;

#if !HAVE_NICE
  if (!g_getenv ("REC_TEST_UDP_PORT"))
    return;
#endif
  if (!g_file_get_contents ("/proc/sys/net/core/rmem_max", &text, NULL, NULL))
    return;
  wanted = MIN ((guint)g_ascii_strtoull (text, NULL, 10), 8 * 1024 * 1024);
  g_free (text);
  g_object_get (src, "stats", &s, NULL);
  fail_unless (gst_structure_get_uint (s, "socket-buffer", &buffer));
  gst_structure_free (s);
  fail_unless (buffer >= wanted, "%u bytes instead of %u", buffer, wanted);
#endif
}

GST_START_TEST (test_a_publisher_is_received_as_parsed_streams)
{
  GstClockTime video = GST_CLOCK_TIME_NONE, audio = GST_CLOCK_TIME_NONE;
  GstMessage *message;
  GstSample *sample;
  GstStructure *s;
  Pair pair;

  pair_init (&pair, "");
  pair_publish (&pair, VIDEO AUDIO);
  message = wait_for (pair.bus, "recwhip-connected");
  fail_unless_equals_string (field (message, "video-codec"), "H264");
  fail_unless_equals_string (field (message, "audio-codec"), "OPUS");
  fail_unless_equals_string (field (message, "remote"), "127.0.0.1");
  gst_message_unref (message);

  sample = pull (pair.video);
  s = gst_caps_get_structure (gst_sample_get_caps (sample), 0);
  fail_unless (gst_structure_has_name (s, "video/x-h264"));
  fail_unless_equals_string (
      gst_structure_get_string (s, "stream-format"), "byte-stream");
  fail_unless_equals_string (gst_structure_get_string (s, "alignment"), "au");
  /* One can begin with the first picture. */
  fail_if (GST_BUFFER_FLAG_IS_SET (
      gst_sample_get_buffer (sample), GST_BUFFER_FLAG_DELTA_UNIT));
  gst_sample_unref (sample);
  sample = pull (pair.audio);
  s = gst_caps_get_structure (gst_sample_get_caps (sample), 0);
  fail_unless (gst_structure_has_name (s, "audio/x-opus"));
  gst_sample_unref (sample);
  pull_rising (pair.video, 25, &video);
  /* Both are on one timeline, however late one of them began. */
  do
    pull_rising (pair.audio, 1, &audio);
  while (audio < video);
  fail_unless (audio - video < GST_SECOND);

  assert_receive_buffer (pair.src);

  pair_unpublish (&pair);
  message = wait_for (pair.bus, "recwhip-disconnected");
  fail_unless (strstr (field (message, "reason"), "DELETE") != NULL);
  gst_message_unref (message);
  pair_clear (&pair);
}

GST_END_TEST;

GST_START_TEST (test_downstream_gets_a_key_frame_by_asking)
{
  guint deltas = 0, i;
  Pair pair;

  pair_init (&pair, "keyframe-interval-min=0");
  pair_publish (&pair, VIDEO);
  gst_sample_unref (pull (pair.video));
  /* The encoder makes one of its own every 1000 pictures. */
  for (i = 0; i < 500; i++) {
    GstSample *sample = pull (pair.video);
    gboolean delta = GST_BUFFER_FLAG_IS_SET (
        gst_sample_get_buffer (sample), GST_BUFFER_FLAG_DELTA_UNIT);

    gst_sample_unref (sample);
    if (i == 10) {
      GstPad *pad = gst_element_get_static_pad (pair.video, "sink");

      deltas = 0;
      gst_pad_push_event (pad,
          gst_video_event_new_upstream_force_key_unit (
              GST_CLOCK_TIME_NONE, TRUE, 1));
      gst_object_unref (pad);
    }
    if (i > 10 && !delta)
      break;
    deltas++;
  }
  fail_unless (i < 500, "no key frame in %u pictures", deltas);
  fail_unless (stat (pair.src, "keyframe-requests") >= 2);
  pair_clear (&pair);
}

GST_END_TEST;

/* Counts packets with a marker bit and nothing but parameter sets (RFC 6184,
 * 5.7.1: STAP-A). */
static GstPadProbeReturn
count_parameter_sets (GstPad *pad, GstPadProbeInfo *info, gpointer count)
{
  GstBufferList *list =
      GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER_LIST
      ? GST_PAD_PROBE_INFO_BUFFER_LIST (info)
      : NULL;
  guint8 packet[16];
  guint i;

  for (i = 0; i < (list ? gst_buffer_list_length (list) : 1); i++) {
    GstBuffer *buffer =
        list ? gst_buffer_list_get (list, i) : GST_PAD_PROBE_INFO_BUFFER (info);

    /* 12 bytes of RTP header, STAP-A, the size of the first NAL unit, it */
    if (gst_buffer_extract (buffer, 0, packet, 16) == 16 &&
        (packet[1] & 0x80) && (packet[12] & 0x1f) == 24 &&
        (packet[15] & 0x1f) == 7)
      g_atomic_int_inc ((gint *)count);
  }
  return GST_PAD_PROBE_OK;
}

/* As another sender may do it: in front of every picture, past recwhipsink. */
static GstPadProbeReturn
send_parameter_sets (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstObject *pay = gst_pad_get_parent (pad);

  GST_PAD_EVENTFUNC (pad)
  (pad, pay,
      gst_video_event_new_downstream_force_key_unit (GST_CLOCK_TIME_NONE,
          GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE, TRUE, 1));
  gst_object_unref (pay);
  return GST_PAD_PROBE_OK;
}

static gboolean
has_slice (GstSample *sample)
{
  GstMapInfo map;
  gboolean found = FALSE;
  gsize i;

  gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ);
  for (i = 0; i + 3 < map.size && !found; i++)
    found = map.data[i] == 0 && map.data[i + 1] == 0 && map.data[i + 2] == 1 &&
        (map.data[i + 3] & 0x1f) >= 1 && (map.data[i + 3] & 0x1f) <= 5;
  gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
  return found;
}

/* Requests a key frame with every third picture, and looks at 30 of them. */
static void
pull_pictures (Pair *pair)
{
  GstPad *pad = gst_element_get_static_pad (pair->video, "sink");
  guint i;

  for (i = 0; i < 30; i++) {
    GstSample *sample = pull (pair->video);

    fail_unless (has_slice (sample), "access unit %u has no picture", i);
    gst_sample_unref (sample);
    if (i % 3 == 0)
      gst_pad_push_event (pad,
          gst_video_event_new_upstream_force_key_unit (
              GST_CLOCK_TIME_NONE, TRUE, i));
  }
  gst_object_unref (pad);
}

GST_START_TEST (test_parameter_sets_alone_are_no_access_unit)
{
  GstIterator *payloaders;
  GValue value = G_VALUE_INIT;
  gint count = 0;
  GstPad *pad;
  Pair pair;

  pair_init (&pair, "keyframe-interval-min=0");
  pair_publish (&pair, VIDEO);
  payloaders = gst_bin_iterate_all_by_element_factory_name (
      GST_BIN (pair.sender), "rtph264pay");
  fail_unless (gst_iterator_next (payloaders, &value) == GST_ITERATOR_OK);
  pad = gst_element_get_static_pad (g_value_get_object (&value), "src");
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
      count_parameter_sets, &count, NULL);
  gst_object_unref (pad);
  pull_pictures (&pair);
  fail_unless_equals_int (g_atomic_int_get (&count), 0);

  pad = gst_element_get_static_pad (g_value_get_object (&value), "sink");
  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_BUFFER, send_parameter_sets, NULL, NULL);
  gst_object_unref (pad);
  pull_pictures (&pair);
  fail_unless (g_atomic_int_get (&count) > 0);
  g_value_unset (&value);
  gst_iterator_free (payloaders);
  pair_clear (&pair);
}

GST_END_TEST;

GST_START_TEST (test_key_frame_requests_are_throttled)
{
  GstPad *pad;
  guint64 before;
  Pair pair;
  guint i;

  pair_init (&pair, "keyframe-interval-min=3600000000000");
  pair_publish (&pair, VIDEO);
  gst_sample_unref (pull (pair.video));
  before = stat (pair.src, "keyframe-requests");
  pad = gst_element_get_static_pad (pair.video, "sink");
  for (i = 0; i < 10; i++)
    gst_pad_push_event (pad,
        gst_video_event_new_upstream_force_key_unit (
            GST_CLOCK_TIME_NONE, TRUE, i));
  gst_object_unref (pad);
  fail_unless_equals_uint64 (stat (pair.src, "keyframe-requests"), before);
  pair_clear (&pair);
}

GST_END_TEST;

/* Both tracks reach what is sent now: what was sent before has long passed. */
static void
pull_on (Pair *pair, GstClockTime *video, GstClockTime *audio)
{
  GstClockTime until = MAX (*video, *audio) + 2 * GST_SECOND;

  while (*video < until)
    pull_rising (pair->video, 1, video);
  while (*audio < until)
    pull_rising (pair->audio, 1, audio);
}

static gboolean
has_ended (Pair *pair)
{
  GstMessage *message;
  gboolean ended = FALSE;

  while ((message = gst_bus_pop_filtered (
              pair->bus, GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR)) != NULL) {
    ended |= GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR ||
        gst_message_has_name (message, "recwhip-disconnected");
    gst_message_unref (message);
  }
  return ended;
}

/* An encoder that starts over takes another SSRC, and the first one again. */
GST_START_TEST (test_a_publisher_returns_to_an_ssrc)
{
  GstClockTime video = GST_CLOCK_TIME_NONE, audio = GST_CLOCK_TIME_NONE;
  static RecSsrc streams;
  guint i;
  Pair pair;

  /* Nothing is late on a busy machine. */
  pair_init (&pair, "keyframe-interval-min=0 latency=1000");
  pair_publish (&pair, VIDEO AUDIO);
  pull_rising (pair.video, 10, &video);
  pull_rising (pair.audio, 10, &audio);
  gst_message_unref (wait_for (pair.bus, "recwhip-connected"));
  rec_ssrc_init (&streams, pair.sender);
  for (i = 0; i < 3; i++) {
    g_atomic_int_set (&streams.other, i % 2);
    pull_on (&pair, &video, &audio);
    fail_if (has_ended (&pair), "after %u changes", i);
  }
  fail_unless (g_atomic_int_get (&streams.sent[0]) > 0);
  fail_unless (g_atomic_int_get (&streams.sent[1]) > 0);
  fail_unless_equals_uint64 (stat (pair.src, "video-rtp-lost"), 0);
  pair_clear (&pair);
}

GST_END_TEST;

/* Neither losses nor media. */
GST_START_TEST (test_payload_types_that_were_not_negotiated_are_ignored)
{
  GstClockTime video = GST_CLOCK_TIME_NONE, audio = GST_CLOCK_TIME_NONE;
  const gchar *const counts[] = { "video-rtp-lost", "audio-rtp-lost",
    "video-losses", "audio-losses", "video-pictures-dropped" };
  guint64 before[G_N_ELEMENTS (counts)];
  static RecSsrc streams;
  Pair pair;
  guint i;

  /* Nothing is late on a busy machine. */
  pair_init (&pair, "latency=1000");
  pair_publish (&pair, VIDEO AUDIO);
  pull_rising (pair.video, 10, &video);
  pull_rising (pair.audio, 10, &audio);
  /* A picture in front of the first key frame is dropped too: on a busy machine
   * the sender has begun with it. */
  for (i = 0; i < G_N_ELEMENTS (counts); i++)
    before[i] = stat (pair.src, counts[i]);
  rec_ssrc_init (&streams, pair.sender);
  g_atomic_int_set (&streams.noise, TRUE);
  pull_on (&pair, &video, &audio);
  fail_unless (g_atomic_int_get (&streams.sent_noise) > 0);
  fail_unless (stat (pair.src, "rtp-ignored") > 0);
  for (i = 0; i < G_N_ELEMENTS (counts); i++)
    fail_unless (stat (pair.src, counts[i]) == before[i],
        "%s: %" G_GUINT64_FORMAT, counts[i], stat (pair.src, counts[i]));
  fail_if (has_ended (&pair));
  pair_clear (&pair);
}

GST_END_TEST;

GST_START_TEST (test_publishers_come_and_go_on_one_timeline)
{
  GstClockTime video = GST_CLOCK_TIME_NONE, audio = GST_CLOCK_TIME_NONE;
  Pair pair;

  pair_init (&pair, "");
  pair_publish (&pair, VIDEO AUDIO);
  pull_rising (pair.video, 10, &video);
  pull_rising (pair.audio, 10, &audio);
  pair_unpublish (&pair);
  gst_message_unref (wait_for (pair.bus, "recwhip-disconnected"));
  pair_publish (&pair, AUDIO);
  gst_message_unref (wait_for (pair.bus, "recwhip-connected"));
  pull_rising (pair.audio, 50, &audio);
  pair_unpublish (&pair);
  gst_message_unref (wait_for (pair.bus, "recwhip-disconnected"));
  pair_publish (&pair, VIDEO AUDIO);
  pull_rising (pair.video, 10, &video);
  pair_clear (&pair);
}

GST_END_TEST;

/* Elements of sessions that exist: counted up on the control thread, down on
 * whichever thread drops the last reference. */
static gint session_elements;

static void
on_element_gone (gpointer data, GObject *element)
{
  g_atomic_int_add (&session_elements, -1);
}

static void
on_element_added (GstBin *bin, GstElement *element, gpointer user_data)
{
  g_atomic_int_inc (&session_elements);
  g_object_weak_ref (G_OBJECT (element), on_element_gone, NULL);
}

GST_START_TEST (test_a_session_leaves_nothing_behind)
{
  gint64 until;
  Pair pair;

  session_elements = 0;
  pair_init (&pair, "");
  g_signal_connect (
      pair.src, "element-added", G_CALLBACK (on_element_added), NULL);
  pair_publish (&pair, VIDEO AUDIO);
  gst_sample_unref (pull (pair.video));
  fail_unless (g_atomic_int_get (&session_elements) > 0);
  pair_unpublish (&pair);
  gst_message_unref (wait_for (pair.bus, "recwhip-disconnected"));
  until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;
  while (g_atomic_int_get (&session_elements) > 0 &&
      g_get_monotonic_time () < until) {
    /* Messages that nobody has read hold on to who sent them. */
    GstMessage *message = gst_bus_timed_pop (pair.bus, 10 * GST_MSECOND);

    if (message)
      gst_message_unref (message);
  }
  fail_unless_equals_int (g_atomic_int_get (&session_elements), 0);
  pair_clear (&pair);
}

GST_END_TEST;

static void
assert_eos (Pair *pair)
{
  GstMessage *message = gst_bus_timed_pop_filtered (
      pair->bus, REC_LIVE_PATIENCE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);

  fail_unless (message != NULL, "no EOS");
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_message_unref (message);
}

GST_START_TEST (test_eos_leaves_by_both_pads_with_and_without_a_publisher)
{
  Pair pair;

  pair_init (&pair, "");
  gst_element_send_event (pair.receiver, gst_event_new_eos ());
  assert_eos (&pair);
  pair_clear (&pair);

  pair_init (&pair, "");
  pair_publish (&pair, VIDEO);
  gst_sample_unref (pull (pair.video));
  gst_element_send_event (pair.receiver, gst_event_new_eos ());
  assert_eos (&pair);
  pair_clear (&pair);
}

GST_END_TEST;

GST_START_TEST (test_eos_before_the_start_leaves_nothing_behind)
{
  GstElement *src = gst_element_factory_make ("recwhipsrc", NULL);
  gpointer weak = gst_object_ref_sink (src);

  g_object_add_weak_pointer (weak, &weak);
  fail_if (gst_element_send_event (src, gst_event_new_eos ()));
  gst_object_unref (src);
  fail_unless (weak == NULL);
}

GST_END_TEST;

static GstPadProbeReturn
block (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  return GST_PAD_PROBE_OK;
}

GST_START_TEST (test_a_pad_that_is_blocked_keeps_nobody_from_starting)
{
  GstElement *pipeline =
      gst_parse_launch ("recwhipsrc name=src port=0 ! fakesink", NULL);
  GstElement *src = gst_bin_get_by_name (GST_BIN (pipeline), "src");
  GstPad *pad = gst_element_get_static_pad (src, "video");

  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, block, NULL, NULL);
  fail_if (gst_element_set_state (pipeline, GST_STATE_PLAYING) ==
      GST_STATE_CHANGE_FAILURE);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pad);
  gst_object_unref (src);
  gst_object_unref (pipeline);
}

GST_END_TEST;

/* The stream ends with the session: who comes while the last packets leave the
 * jitter buffers would not be recorded. */
GST_START_TEST (test_on_disconnect_eos_takes_nobody_else)
{
  Pair pair;

  pair_init (&pair, "on-disconnect=eos latency=5000");
  pair_publish (&pair, AUDIO);
  gst_message_unref (wait_for (pair.bus, "recwhip-connected"));
  pair_unpublish (&pair);
  rec_http_assert (
      rec_http ("POST", pair.url, REC_HTTP_SDP, "an offer"), 503, NULL);
  pair_clear (&pair);
}

GST_END_TEST;

GST_START_TEST (test_on_disconnect_eos_ends_the_stream)
{
  Pair pair;

  pair_init (&pair, "on-disconnect=eos");
  pair_publish (&pair, AUDIO);
  gst_sample_unref (pull (pair.audio));
  pair_unpublish (&pair);
  assert_eos (&pair);
  pair_clear (&pair);
}

GST_END_TEST;

GST_START_TEST (test_the_publisher_posts_eos_after_the_last_buffer)
{
  GstMessage *message;
  GstBus *bus;
  Pair pair;

  pair_init (&pair, "");
  pair_publish (&pair, AUDIO);
  gst_message_unref (wait_for (pair.bus, "recwhip-connected"));
  bus = gst_element_get_bus (pair.sender);
  message = wait_for (bus, "recwhip-connected");
  fail_unless_equals_string (field (message, "audio-codec"), "OPUS");
  fail_unless_equals_string (field (message, "video-codec"), "");
  gst_message_unref (message);
  gst_element_send_event (pair.sender, gst_event_new_eos ());
  gst_message_unref (wait_for (bus, "recwhip-disconnected"));
  message = gst_bus_timed_pop_filtered (
      bus, REC_LIVE_PATIENCE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_object_unref (bus);
  message = wait_for (pair.bus, "recwhip-disconnected");
  fail_unless (strstr (field (message, "reason"), "DELETE") != NULL);
  gst_message_unref (message);
  pair_clear (&pair);
}

GST_END_TEST;

/* @timeout: how long it may try again, ns */
static void
assert_publish_error_within (
    const gchar *timeout, const gchar *properties, const gchar *text)
{
  gchar *line =
      g_strdup_printf ("recwhipsink name=sink retry-timeout=%s %s "
                       "audiotestsrc is-live=true ! opusenc ! sink.audio",
          timeout, properties);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;
  GError *error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message =
      gst_bus_timed_pop_filtered (bus, REC_LIVE_PATIENCE, GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "no error with %s", properties);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
  fail_if (strstr (error->message, "hunter2") != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  g_free (line);
}

static void
assert_publish_error (const gchar *properties, const gchar *text)
{
  assert_publish_error_within ("0", properties, text);
}

GST_START_TEST (test_publishing_fails_with_the_reason)
{
  gchar *properties;
  Pair pair;

  assert_publish_error ("location=http://127.0.0.1:1/whip", "127.0.0.1:1");
  assert_publish_error (
      "location=http://me:hunter2@127.0.0.1:1/whip?token=hunter2",
      "http://127.0.0.1:1/whip:");
  assert_publish_error ("location=nonsense:hunter2", "Set location");
  assert_publish_error ("", "location");
  pair_init (&pair, "auth-token=secret");
  properties = g_strdup_printf ("location=%s auth-token=wrong", pair.url);
  assert_publish_error (properties, "auth-token");
  g_free (properties);
  pair_clear (&pair);
}

GST_END_TEST;

/* A file with @text, which the caller removes and frees. */
static gchar *
write_token (const gchar *text)
{
  gchar *path = NULL;
  gint fd = g_file_open_tmp ("rec-token-XXXXXX", &path, NULL);

  fail_unless (fd >= 0);
  close (fd);
  fail_unless (g_file_set_contents (path, text, -1, NULL));
  return path;
}

GST_START_TEST (test_a_token_is_read_from_a_file)
{
  gchar *path = write_token ("\n secret-of-a-file \n"), *text;
  gchar *broken = write_token ("two words\n");
  Pair pair;

  text = g_strdup_printf ("auth-token-file=%s", path);
  pair_init (&pair, text);
  rec_http_assert (rec_http ("POST", pair.url, REC_HTTP_SDP, ""), 401, NULL);
  g_free (text);
  text = g_strdup_printf ("auth-token-file=%s " AUDIO, path);
  pair_publish (&pair, text);
  gst_message_unref (wait_for (pair.bus, "recwhip-connected"));
  pair_clear (&pair);
  g_free (text);

  text = g_strdup_printf (
      "location=http://127.0.0.1:1/ auth-token=a auth-token-file=%s", path);
  assert_publish_error (text, "Set one of them");
  g_free (text);
  text = g_strdup_printf (
      "location=http://127.0.0.1:1/ auth-token-file=%s", broken);
  assert_publish_error (text, "holds no token");
  g_free (text);
  unlink (path);
  unlink (broken);
  text =
      g_strdup_printf ("location=http://127.0.0.1:1/ auth-token-file=%s", path);
  assert_publish_error (text, "No such file");
  g_free (text);
  g_free (broken);
  g_free (path);
}

GST_END_TEST;

/* The key in this file protects nothing. */
GST_START_TEST (test_https_is_spoken_and_certificates_are_checked)
{
  gchar *pem = g_build_filename (g_getenv ("REC_SOURCE_DIR"), "tests", "check",
      "data", "tls-test.pem", NULL);
  gchar *properties = g_strdup_printf ("tls-certificate=%s", pem);
  gchar *location;
  Pair pair;

  if (!g_tls_backend_supports_tls (g_tls_backend_get_default ())) {
    g_print ("skipped: no TLS (Debian package glib-networking)\n");
    g_free (properties);
    g_free (pem);
    return;
  }
  pair_init (&pair, properties);
  fail_unless (g_str_has_prefix (pair.url, "https://"), "%s", pair.url);
  location = g_strdup_printf ("location=%s", pair.url);
  /* Another attempt would end in the same way. */
  assert_publish_error_within ("3600000000000", location, "was refused: ");
  pair_publish (&pair, "insecure-tls=true " AUDIO);
  gst_message_unref (wait_for (pair.bus, "recwhip-connected"));
  pair_clear (&pair);
  g_free (location);
  g_free (properties);
  g_free (pem);
}

GST_END_TEST;

/* The publisher is still setting its latency when it is stopped. */
GST_START_TEST (test_stopping_while_connecting_never_hangs)
{
  for (guint i = 0; i < 5; i++) {
    Pair pair;

    pair_init (&pair, "");
    pair_publish (&pair, AUDIO);
    gst_message_unref (wait_for (pair.bus, "recwhip-connected"));
    pair_clear (&pair);
  }
}

GST_END_TEST;

/* --- certificates --- */

/* The text of the next warning or error. Caller frees. */
static gchar *
wait_for_text (GstBus *bus, GstMessageType type)
{
  GstMessage *message =
      gst_bus_timed_pop_filtered (bus, REC_LIVE_PATIENCE, type);
  GError *error = NULL;
  gchar *text;

  fail_unless (message != NULL);
  if (type == GST_MESSAGE_WARNING)
    gst_message_parse_warning (message, &error, NULL);
  else
    gst_message_parse_error (message, &error, NULL);
  text = g_strdup (error->message);
  g_error_free (error);
  gst_message_unref (message);
  return text;
}

static void
assert_nothing_came (GstElement *appsink)
{
  GstSample *sample = gst_app_sink_try_pull_sample (GST_APP_SINK (appsink), 0);

  fail_unless (
      sample == NULL, "something came of %s", GST_OBJECT_NAME (appsink));
}

/* As somebody in the middle has it, who answers in the peer's place: the
 * description arrives with the fingerprint of another certificate. */
GST_START_TEST (test_nothing_is_recorded_of_another_certificate)
{
  GstMessage *message;
  RecProxy proxy;
  gchar *text;
  Pair pair;

  pair_init (&pair, "");
  rec_proxy_start (&proxy, pair.url, rec_proxy_break_fingerprints, NULL);
  pair_publish_to (&pair, proxy.url, VIDEO AUDIO);
  text = wait_for_text (pair.bus, GST_MESSAGE_WARNING);
  fail_unless (strstr (text, "fingerprint") != NULL, "%s", text);
  g_free (text);
  message = wait_for (pair.bus, "recwhip-disconnected");
  fail_unless (strstr (field (message, "reason"), "fingerprint") != NULL);
  gst_message_unref (message);
  assert_nothing_came (pair.video);
  assert_nothing_came (pair.audio);
  pair_unpublish (&pair);
  rec_proxy_stop (&proxy);
  /* The next one is received. */
  pair_publish (&pair, AUDIO);
  gst_sample_unref (pull (pair.audio));
  pair_clear (&pair);
}

GST_END_TEST;

GST_START_TEST (test_nothing_is_sent_to_another_certificate)
{
  GstStructure *stats = NULL;
  GstElement *sink;
  guint64 packets;
  RecProxy proxy;
  GstBus *bus;
  gchar *text;
  Pair pair;

  pair_init (&pair, "");
  rec_proxy_start (&proxy, pair.url, NULL, rec_proxy_break_fingerprints);
  pair_publish_to (&pair, proxy.url, AUDIO);
  bus = gst_element_get_bus (pair.sender);
  text = wait_for_text (bus, GST_MESSAGE_ERROR);
  fail_unless (strstr (text, "fingerprint") != NULL, "%s", text);
  g_free (text);
  sink = gst_bin_get_by_name (GST_BIN (pair.sender), "sink");
  g_object_get (sink, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, "audio-packets", &packets));
  fail_unless_equals_uint64 (packets, 0);
  gst_structure_free (stats);
  gst_object_unref (sink);
  gst_object_unref (bus);
  pair_clear (&pair);
  rec_proxy_stop (&proxy);
}

GST_END_TEST;

/* The first entry of the journal with this name that passes the pad. */
static GstPadProbeReturn
find_refusal (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  const GstStructure *s = gst_event_get_structure (event);
  GstStructure *entry = NULL;

  if (!gst_event_has_name (event, "tsrec-journal") ||
      !gst_structure_get (s, "entry", GST_TYPE_STRUCTURE, &entry, NULL))
    return GST_PAD_PROBE_OK;
  if (gst_structure_has_name (entry, "track-refused") &&
      g_strcmp0 (gst_structure_get_string (entry, "track"), "video") == 0 &&
      g_strcmp0 (gst_structure_get_string (entry, "offered"), "H264") == 0 &&
      g_strcmp0 (gst_structure_get_string (entry, "accepted"), "VP8") == 0)
    g_atomic_int_inc ((gint *)user_data);
  gst_structure_free (entry);
  return GST_PAD_PROBE_OK;
}

GST_START_TEST (test_a_refused_track_is_journalled)
{
  gint found = 0;
  GstPad *pad;
  gchar *text;
  Pair pair;

  pair_init (&pair, "video-codecs=VP8");
  pad = gst_element_get_static_pad (pair.src, "audio");
  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, find_refusal, &found, NULL);
  pair_publish (&pair, VIDEO AUDIO);
  text = wait_for_text (pair.bus, GST_MESSAGE_WARNING);
  fail_unless (strstr (text, "No video is recorded") != NULL, "%s", text);
  g_free (text);
  gst_sample_unref (pull (pair.audio));
  fail_unless_equals_int (g_atomic_int_get (&found), 1);
  gst_object_unref (pad);
  pair_clear (&pair);
}

GST_END_TEST;

/* The proxy takes a prefix off the path and passes Host: without the prefix
 * the DELETE would lead elsewhere. */
GST_START_TEST (test_a_session_behind_a_proxy_is_ended)
{
  GstMessage *message;
  RecProxy proxy;
  Pair pair;

  pair_init (&pair, "");
  rec_proxy_start (&proxy, pair.url, NULL, NULL);
  pair_publish_to (&pair, proxy.url, AUDIO);
  gst_message_unref (wait_for (pair.bus, "recwhip-connected"));
  pair_unpublish (&pair);
  message = wait_for (pair.bus, "recwhip-disconnected");
  fail_unless (strstr (field (message, "reason"), "DELETE") != NULL);
  gst_message_unref (message);
  pair_clear (&pair);
  rec_proxy_stop (&proxy);
}

GST_END_TEST;

/* A recorder of sound: it rejects the first m-line of the offer. */
GST_START_TEST (test_one_track_is_published_where_the_other_is_rejected)
{
  GstMessage *message;
  GstBus *bus;
  gchar *text;
  Pair pair;

  pair_init (&pair, "video-codecs=\"\"");
  pair_publish (&pair, VIDEO AUDIO);
  bus = gst_element_get_bus (pair.sender);
  text = wait_for_text (bus, GST_MESSAGE_WARNING);
  fail_unless (strstr (text, "no video") != NULL, "%s", text);
  g_free (text);
  message = wait_for (bus, "recwhip-connected");
  fail_unless_equals_string (field (message, "video-codec"), "");
  fail_unless_equals_string (field (message, "audio-codec"), "OPUS");
  gst_message_unref (message);
  gst_sample_unref (pull (pair.audio));
  gst_object_unref (bus);
  pair_clear (&pair);
}

GST_END_TEST;

static Suite *
recwhip_suite (void)
{
  Suite *s = suite_create ("recwhip");
  TCase *tc = tcase_create ("general");

  rec_live_init (tc);
  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_latency_is_answered_before_anybody_has_connected);
  tcase_add_test (tc, test_a_publisher_is_received_as_parsed_streams);
  tcase_add_test (tc, test_publishing_fails_with_the_reason);
  tcase_add_test (tc, test_a_token_is_read_from_a_file);
  tcase_add_test (tc, test_https_is_spoken_and_certificates_are_checked);
  tcase_add_test (tc, test_nothing_is_recorded_of_another_certificate);
  tcase_add_test (tc, test_nothing_is_sent_to_another_certificate);
  tcase_add_test (tc, test_a_session_behind_a_proxy_is_ended);
  tcase_add_test (tc, test_a_refused_track_is_journalled);
  tcase_add_test (tc, test_one_track_is_published_where_the_other_is_rejected);
  tcase_add_test (tc, test_stopping_while_connecting_never_hangs);
  tcase_add_test (tc, test_downstream_gets_a_key_frame_by_asking);
  tcase_add_test (tc, test_parameter_sets_alone_are_no_access_unit);
  tcase_add_test (tc, test_key_frame_requests_are_throttled);
  /* Both allow no loss, and a machine that is too slow loses packets. */
  if (!g_getenv ("REC_SLOW_MACHINE")) {
    tcase_add_test (tc, test_a_publisher_returns_to_an_ssrc);
    tcase_add_test (
        tc, test_payload_types_that_were_not_negotiated_are_ignored);
  }
  tcase_add_test (tc, test_publishers_come_and_go_on_one_timeline);
  tcase_add_test (
      tc, test_eos_leaves_by_both_pads_with_and_without_a_publisher);
  tcase_add_test (tc, test_a_session_leaves_nothing_behind);
  tcase_add_test (tc, test_eos_before_the_start_leaves_nothing_behind);
  tcase_add_test (tc, test_a_pad_that_is_blocked_keeps_nobody_from_starting);
  tcase_add_test (tc, test_on_disconnect_eos_takes_nobody_else);
  tcase_add_test (tc, test_on_disconnect_eos_ends_the_stream);
  tcase_add_test (tc, test_the_publisher_posts_eos_after_the_last_buffer);
  return s;
}

GST_CHECK_MAIN (recwhip);
