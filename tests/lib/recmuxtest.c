/* gst-tsrec: fixtures of the tests of tsrecmux
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recmuxtest.h"

const gchar *subject = "tsrecmux";

void
use_tsrecmux (void)
{
  subject = "tsrecmux";
}

void
use_tsrecsink (void)
{
  subject = "tsrecsink";
}

static void
show_src_pad (GstElement *bin)
{
  GstElement *mux = gst_bin_get_by_name (GST_BIN (bin), "mux");
  GstElement *sink = gst_bin_get_by_name (GST_BIN (bin), "sink");
  GstPad *src = gst_element_get_static_pad (mux, "src");

  /* the bin still asks it for its properties */
  g_object_set_data_full (G_OBJECT (bin), "sink", sink, gst_object_unref);
  gst_bin_remove (GST_BIN (bin), sink);
  gst_element_add_pad (bin, gst_ghost_pad_new ("src", src));
  gst_object_unref (src);
  gst_object_unref (mux);
}

GstElement *
make_subject (void)
{
  GstElement *element = gst_check_setup_element (subject);

  if (g_str_equal (subject, "tsrecsink")) {
    g_object_set (element, "location", "never-written.ts", NULL);
    show_src_pad (element);
  }
  return element;
}

/* --- A mux with pads, and what it wrote */

void
mux_init (Mux *m, gboolean live)
{
  m->mux = make_subject ();
  m->bus = gst_bus_new ();
  gst_element_set_bus (m->mux, m->bus);
  m->video = gst_harness_new_with_element (m->mux, "video_0", "src");
  m->audio = gst_harness_new_with_element (m->mux, "audio_0", NULL);
  gst_harness_set_live (m->video, live);
  gst_harness_set_live (m->audio, live);
  m->check = ts_check_new (NULL, NULL, NULL, NULL);
  gst_harness_set_src_caps_str (m->video, H264_CAPS);
  gst_harness_set_src_caps_str (m->audio, AAC_CAPS);
}

void
mux_clear (Mux *m)
{
  gst_harness_teardown (m->audio);
  gst_harness_teardown (m->video);
  gst_element_set_bus (m->mux, NULL);
  gst_object_unref (m->bus);
  gst_object_unref (m->mux);
  ts_check_free (m->check);
}

gsize
mux_collect (Mux *m)
{
  GstBuffer *buffer;
  gsize size = 0;

  while ((buffer = gst_harness_try_pull (m->video))) {
    GstMapInfo map;

    fail_unless_equals_int (gst_buffer_n_memory (buffer), 1);
    gst_buffer_map (buffer, &map, GST_MAP_READ);
    fail_unless_equals_int (map.size % PACKET_SIZE, 0);
    ts_check_push (m->check, map.data, map.size);
    size += map.size;
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
  return size;
}

void
mux_assert_conformant (Mux *m)
{
  mux_collect (m);
  fail_unless (
      ts_check_finish (m->check) == 0, "%s", ts_check_get_report (m->check));
  fail_unless (ts_check_get_stats (m->check)->warnings == 0, "%s",
      ts_check_get_report (m->check));
}

guint64
mux_get_stat (Mux *m, const gchar *name)
{
  GstStructure *stats;
  guint64 value = G_MAXUINT64;

  g_object_get (m->mux, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, name, &value), "%s", name);
  gst_structure_free (stats);
  return value;
}

/* --- Access units */

GstBuffer *
stamp (GstBuffer *buffer, GstClockTime time, GstClockTime duration)
{
  GST_BUFFER_PTS (buffer) = time;
  GST_BUFFER_DTS (buffer) = time;
  GST_BUFFER_DURATION (buffer) = duration;
  return buffer;
}

GstBuffer *
new_picture (GstClockTime time, gsize size, gboolean key, gboolean sets)
{
  gsize head = sets ? sizeof (sps) + sizeof (pps) : 0;
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, head + 4 + size, NULL);
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  memset (map.data, 0x55, map.size);
  if (sets) {
    memcpy (map.data, sps, sizeof (sps));
    memcpy (map.data + sizeof (sps), pps, sizeof (pps));
  }
  memcpy (map.data + head, "\0\0\0\1", 4);
  map.data[head + 4] = key ? 0x65 : 0x41;
  map.data[head + 5] = 0x88; /* first_mb_in_slice 0 */
  gst_buffer_unmap (buffer, &map);
  if (!key)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  return stamp (buffer, time, FRAME);
}

GstBuffer *
new_aac (GstClockTime time, gsize size)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, size, NULL);
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  memset (map.data, 0x21, map.size);
  map.data[0] = 0xff;
  map.data[1] = 0xf1;
  map.data[2] = 0x4c;
  map.data[3] = 0x80 | (guint8)(size >> 11);
  map.data[4] = (guint8)(size >> 3);
  map.data[5] = (guint8)((size & 7) << 5 | 0x1f);
  map.data[6] = 0xfc;
  gst_buffer_unmap (buffer, &map);
  return stamp (buffer, time, AAC_FRAME);
}

void
push_picture (Mux *m, guint i)
{
  gboolean key = i % 60 == 0;

  fail_unless_equals_int (
      gst_harness_push (
          m->video, new_picture (i * FRAME, key ? 8000 : 900, key, key)),
      GST_FLOW_OK);
}

void
push_aac (Mux *m, guint i)
{
  fail_unless_equals_int (
      gst_harness_push (m->audio, new_aac (i * AAC_FRAME, 135)), GST_FLOW_OK);
}

void
push_both (Mux *m, GstClockTime from, GstClockTime to, GstClockTime silent_from,
    GstClockTime silent_to)
{
  guint video = (guint)((from + FRAME - 1) / FRAME);
  guint audio = (guint)((from + AAC_FRAME - 1) / AAC_FRAME);

  while (video * FRAME < to || audio * AAC_FRAME < to) {
    if (video * FRAME <= audio * AAC_FRAME) {
      if (video * FRAME < silent_from || video * FRAME >= silent_to)
        push_picture (m, video);
      video++;
    } else {
      push_aac (m, audio++);
    }
  }
}

GstMessage *
pop_element_message (Mux *m, const gchar *name)
{
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (m->bus, GST_MESSAGE_ELEMENT))) {
    if (gst_message_has_name (message, name))
      return message;
    gst_message_unref (message);
  }
  return NULL;
}

gboolean
has_event (Mux *m, GstEventType type)
{
  gboolean found = FALSE;
  GstEvent *event;

  while ((event = gst_harness_try_pull_event (m->video))) {
    found |= GST_EVENT_TYPE (event) == type;
    gst_event_unref (event);
  }
  return found;
}
