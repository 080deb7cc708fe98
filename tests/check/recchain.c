/* gst-tsrec: from the RTP of real payloaders to access units
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recchain.h"

#include <gst/check/gstcheck.h>

#define PICTURES 40

typedef struct
{
  guint units;
  guint same_time;
  guint keys;
  guint without_sets;
  GstClockTime last;
  guint most_slices;
  gint eos;
} Seen;

static GstFlowReturn
look (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Seen *seen = pad->chaindata;
  GstMapInfo map;
  gboolean sets = FALSE;
  guint slices = 0;
  gsize i;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  for (i = 0; i + 4 <= map.size; i++) {
    if (map.data[i] || map.data[i + 1] || map.data[i + 2] != 1)
      continue;
    sets |= (map.data[i + 3] & 0x1f) == 7;
    slices += (map.data[i + 3] & 0x1f) == 5 || (map.data[i + 3] & 0x1f) == 1;
  }
  gst_buffer_unmap (buffer, &map);
  seen->units++;
  seen->most_slices = MAX (seen->most_slices, slices);
  if (GST_BUFFER_PTS (buffer) == seen->last)
    seen->same_time++;
  seen->last = GST_BUFFER_PTS (buffer);
  if (!GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT)) {
    seen->keys++;
    seen->without_sets += !sets;
  }
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
look_at_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  Seen *seen = pad->chaindata;

  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    g_atomic_int_set (&seen->eos, TRUE);
  gst_event_unref (event);
  return TRUE;
}

/* Sends PICTURES pictures, every tenth a key frame, through @sender. */
static void
run (const gchar *sender, gboolean freeze, Seen *seen)
{
  gchar *line = g_strdup_printf ("videotestsrc num-buffers=%d ! "
                                 "video/x-raw,width=320,height=240,"
                                 "framerate=25/1 ! %s ! identity name=last",
      PICTURES, sender);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  GstElement *last = gst_bin_get_by_name (GST_BIN (pipeline), "last");
  GstPad *out = gst_pad_new ("out", GST_PAD_SINK);
  GstPad *src = gst_element_get_static_pad (last, "src"), *sink;
  SdpTrack track = { .codec = sdp_util_find_codec ("video", "H264") };
  guint64 held_back = 0;
  RecChain *chain;
  GstMessage *message;

  memset (seen, 0, sizeof (*seen));
  seen->last = GST_CLOCK_TIME_NONE;
  gst_pad_set_chain_function (out, look);
  gst_pad_set_event_function (out, look_at_event);
  out->chaindata = seen;
  gst_pad_set_active (out, TRUE);
  chain = rec_chain_new (
      GST_BIN (pipeline), pipeline, &track, out, freeze, &held_back, NULL);
  fail_unless (chain != NULL);
  sink = rec_chain_get_sink_pad (chain);
  fail_unless_equals_int (gst_pad_link (src, sink), GST_PAD_LINK_OK);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = NULL;
  while (!g_atomic_int_get (&seen->eos) && !message)
    message = gst_bus_timed_pop_filtered (
        GST_ELEMENT_BUS (pipeline), 10 * GST_MSECOND, GST_MESSAGE_ERROR);
  fail_unless (message == NULL);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  fail_unless_equals_uint64 (held_back, 0);
  rec_chain_free (chain);
  gst_object_unref (sink);
  gst_object_unref (src);
  gst_object_unref (last);
  gst_object_unref (pipeline);
  gst_object_unref (out);
  g_free (line);
}

#define SLICED                                                                 \
  "x264enc tune=zerolatency speed-preset=ultrafast threads=4 "                 \
  "sliced-threads=true key-int-max=10"

GST_START_TEST (test_a_picture_of_slices_with_sets_each_is_one_access_unit)
{
  const gchar *const payloaders[] = {
    SLICED " ! rtph264pay config-interval=-1",
    SLICED " ! rtph264pay config-interval=-1 mtu=300",
    SLICED " ! h264parse config-interval=-1 ! rtph264pay",
  };
  Seen seen;
  guint i;

  for (i = 0; i < 2 * G_N_ELEMENTS (payloaders); i++) {
    run (payloaders[i / 2], i % 2 == 0, &seen);
    fail_unless (
        seen.most_slices > 1, "%s: there are no slices", payloaders[i / 2]);
    fail_unless_equals_int (seen.same_time, 0);
    fail_unless (seen.units == PICTURES, "%s: %u access units of %d pictures",
        payloaders[i / 2], seen.units, PICTURES);
    fail_unless (seen.keys >= PICTURES / 10, "%u key frames", seen.keys);
    fail_unless_equals_int (seen.without_sets, 0);
  }
}

GST_END_TEST;

static Suite *
recchain_suite (void)
{
  Suite *s = suite_create ("recchain");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (
      tc, test_a_picture_of_slices_with_sets_each_is_one_access_unit);
  return s;
}

GST_CHECK_MAIN (recchain);
