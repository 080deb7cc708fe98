/* gst-tsrec: each publisher of recwhipsrc in a file of its own
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "reclive.h"
#include "recevent.h"

#include <gio/gio.h>
#include <glib/gstdio.h>

#define TRACKS                                                                 \
  "videotestsrc is-live=true ! "                                               \
  "video/x-raw,width=160,height=120,framerate=25/1 ! "                         \
  "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! "          \
  "video/x-h264,profile=constrained-baseline ! sink.video "                    \
  "audiotestsrc is-live=true ! opusenc ! sink.audio "

/* Data that has passed a pad of recwhipsrc; streaming thread, then read when it has
 * stopped. */
typedef struct
{
  GPtrArray *sessions;
  guint buffers; /* since the last of them */
} Passed;

static GstElement *receiver, *src;
static GstBus *bus;
static gchar *dir;

static GstPadProbeReturn
on_data (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Passed *passed = user_data;
  const gchar *id;

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    fail_unless (passed->sessions->len > 0, "a buffer without a session");
    passed->buffers++;
    return GST_PAD_PROBE_OK;
  }
  id = rec_event_parse_session (GST_PAD_PROBE_INFO_EVENT (info));
  if (id) {
    fail_if (passed->sessions->len > 0 && passed->buffers == 0);
    g_ptr_array_add (passed->sessions, g_strdup (id));
    passed->buffers = 0;
  }
  return GST_PAD_PROBE_OK;
}

static void
watch (const gchar *name, Passed *passed)
{
  GstPad *pad = gst_element_get_static_pad (src, name);

  passed->sessions = g_ptr_array_new_with_free_func (g_free);
  passed->buffers = 0;
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_data,
      passed, NULL);
  gst_object_unref (pad);
}

static void
start (gboolean new_file)
{
  GError *error = NULL;
  gchar *line;

  rec_test_assert_built_here ("recwhipsrc");
  rec_test_assert_built_here ("tsrecsink");
  dir = g_dir_make_tmp ("recwhipfiles-XXXXXX", NULL);
  line = g_strdup_printf (
      "recwhipsrc name=src port=0 latency=100 tsrecsink name=rec "
      "location=%s/rec-%%05d.ts new-file-per-session=%d "
      "src.video ! h264parse ! queue ! rec. "
      "src.audio ! opusparse ! queue ! rec.",
      dir, new_file);
  receiver = gst_parse_launch (line, &error);
  fail_unless (error == NULL, "%s", error ? error->message : "");
  g_free (line);
  src = gst_bin_get_by_name (GST_BIN (receiver), "src");
  rec_live_set_transport (src);
  bus = gst_element_get_bus (receiver);
  gst_element_set_state (receiver, GST_STATE_PLAYING);
}

static void
stop (void)
{
  GDir *d = g_dir_open (dir, 0, NULL);
  const gchar *name;

  gst_element_set_state (receiver, GST_STATE_NULL);
  while ((name = g_dir_read_name (d))) {
    gchar *file = g_build_filename (dir, name, NULL);

    g_unlink (file);
    g_free (file);
  }
  g_dir_close (d);
  g_rmdir (dir);
  g_clear_pointer (&dir, g_free);
  gst_clear_object (&src);
  gst_clear_object (&bus);
  gst_clear_object (&receiver);
}

static void
wait_for (const gchar *name)
{
  gboolean found = FALSE;

  while (!found) {
    GstMessage *message = gst_bus_timed_pop_filtered (
        bus, REC_LIVE_PATIENCE, GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR);

    fail_unless (message != NULL, "no %s", name);
    fail_if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR);
    found = gst_message_has_name (message, name);
    gst_message_unref (message);
  }
}

static goffset
size_of (guint i)
{
  gchar *name = g_strdup_printf ("%s/rec-%05u.ts", dir, i);
  GStatBuf st = { 0 };
  goffset size = g_stat (name, &st) == 0 ? (goffset)st.st_size : -1;

  g_free (name);
  return size;
}

/* A publisher that comes, has @grow bytes of it written to file @i, and goes. */
static void
publish (guint i, goffset grow)
{
  gint64 end = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;
  goffset target = MAX (size_of (i), 0) + grow;
  GstElement *sender;
  gchar *url, *line;

  g_object_get (src, "url", &url, NULL);
  line = g_strdup_printf ("recwhipsink name=sink location=%s " TRACKS, url);
  sender = gst_parse_launch (line, NULL);
  gst_element_set_state (sender, GST_STATE_PLAYING);
  wait_for ("recwhip-connected");
  while (size_of (i) < target && g_get_monotonic_time () < end)
    g_usleep (10000);
  fail_unless (size_of (i) >= target, "file %u is not written to", i);
  gst_element_set_state (sender, GST_STATE_NULL);
  gst_object_unref (sender);
  wait_for ("recwhip-disconnected");
  g_free (line);
  g_free (url);
}

GST_START_TEST (test_each_publisher_gets_a_file)
{
  Passed video, audio;
  goffset before;

  start (TRUE);
  watch ("video", &video);
  watch ("audio", &audio);
  publish (0, 100000);
  publish (1, 100000);
  before = size_of (0);
  publish (2, 100000);
  fail_unless_equals_int (size_of (0), before);
  fail_unless_equals_int (size_of (3), -1);
  gst_element_set_state (receiver, GST_STATE_NULL);
  fail_unless_equals_int (video.sessions->len, 3);
  fail_unless_equals_int (audio.sessions->len, 3);
  for (guint i = 0; i < 3; i++)
    fail_unless_equals_string (g_ptr_array_index (video.sessions, i),
        g_ptr_array_index (audio.sessions, i));
  fail_if (g_str_equal (g_ptr_array_index (video.sessions, 0),
      g_ptr_array_index (video.sessions, 1)));
  stop ();
  g_ptr_array_unref (video.sessions);
  g_ptr_array_unref (audio.sessions);
}

GST_END_TEST;

GST_START_TEST (test_publishers_share_a_file_unless_asked)
{
  start (FALSE);
  publish (0, 100000);
  publish (0, 100000);
  fail_unless_equals_int (size_of (1), -1);
  stop ();
}

GST_END_TEST;

static Suite *
recwhipfiles_suite (void)
{
  Suite *s = suite_create ("recwhipfiles");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 90);
  rec_live_init (tc);
  tcase_add_test (tc, test_each_publisher_gets_a_file);
  tcase_add_test (tc, test_publishers_share_a_file_unless_asked);
  return s;
}

GST_CHECK_MAIN (recwhipfiles);
