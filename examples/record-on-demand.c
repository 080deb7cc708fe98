/* gst-tsrec: starts and stops recordings of a source that continues
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The same as record_on_demand.py. Reads commands from standard input, one per
 * line:
 *
 *   start LOCATION    start a recording to LOCATION
 *   split LOCATION    continue in a new file (LOCATION has a number: a-%02d.ts)
 *   stop LOCATION     end that recording; the others continue
 *   quit              end all recordings and the program
 */

#include <gst/gst.h>
#include <unistd.h>

#define SOURCE                                                                 \
  "videotestsrc is-live=true ! "                                               \
  "video/x-raw,format=I420,width=320,height=240 ! "                            \
  "x264enc tune=zerolatency key-int-max=30 ! h264parse config-interval=-1 ! "  \
  "tee name=video-tee allow-not-linked=true "                                  \
  "audiotestsrc is-live=true ! audioconvert ! avenc_aac ! aacparse ! "         \
  "tee name=audio-tee allow-not-linked=true"
/* Each recording has its own queues, so a recording that waits for its disk stops
 * neither the source nor the others. */
#define QUEUE                                                                  \
  "queue leaky=upstream max-size-time=10000000000 max-size-bytes=0 "           \
  "max-size-buffers=0 "
#define RECORDING                                                              \
  QUEUE "name=video ! sink.video_0 " QUEUE                                     \
        "name=audio ! sink.audio_0 tsrecsink name=sink"

static const gchar *const kinds[] = { "video", "audio" };

typedef struct
{
  GMainLoop *loop;
  GstElement *pipeline;
  GHashTable *recordings; /* location (owned) to bin (owned by the pipeline) */
  gboolean quitting;
  int status;
} App;

static void
start_recording (App *app, const gchar *location)
{
  GError *error = NULL;
  GstElement *recording =
      gst_parse_bin_from_description (RECORDING, FALSE, &error);
  GstElement *sink;
  guint i;

  if (!recording)
    g_error ("%s", error->message);
  sink = gst_bin_get_by_name (GST_BIN (recording), "sink");
  g_object_set (sink, "location", location, NULL);
  gst_object_unref (sink);
  gst_bin_add (GST_BIN (app->pipeline), recording);
  for (i = 0; i < G_N_ELEMENTS (kinds); i++) {
    GstElement *queue = gst_bin_get_by_name (GST_BIN (recording), kinds[i]);
    GstPad *pad = gst_element_get_static_pad (queue, "sink");

    gst_element_add_pad (recording, gst_ghost_pad_new (kinds[i], pad));
    gst_object_unref (pad);
    gst_object_unref (queue);
  }
  gst_element_sync_state_with_parent (recording);
  for (i = 0; i < G_N_ELEMENTS (kinds); i++) {
    gchar *name = g_strconcat (kinds[i], "-tee", NULL);
    GstElement *tee = gst_bin_get_by_name (GST_BIN (app->pipeline), name);

    gst_element_link_pads (tee, "src_%u", recording, kinds[i]);
    gst_object_unref (tee);
    g_free (name);
  }
  g_hash_table_insert (app->recordings, g_strdup (location), recording);
}

/* Called when no buffer is in transit through the pad. The branch gets its own
 * EOS, which closes the file. */
static GstPadProbeReturn
unlink_branch (GstPad *tee_pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstPad *pad = gst_pad_get_peer (tee_pad);
  GstElement *tee = gst_pad_get_parent_element (tee_pad);

  gst_pad_unlink (tee_pad, pad);
  gst_pad_send_event (pad, gst_event_new_eos ());
  gst_element_release_request_pad (tee, tee_pad);
  gst_object_unref (pad);
  gst_object_unref (tee);
  return GST_PAD_PROBE_REMOVE;
}

static void
end_branches (GstElement *recording)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (kinds); i++) {
    GstPad *pad = gst_element_get_static_pad (recording, kinds[i]);
    GstPad *tee_pad = gst_pad_get_peer (pad);

    if (tee_pad) {
      gst_pad_add_probe (
          tee_pad, GST_PAD_PROBE_TYPE_IDLE, unlink_branch, NULL, NULL);
      gst_object_unref (tee_pad);
    }
    gst_object_unref (pad);
  }
}

static void
remove_recording (App *app, const gchar *location, const gchar *how)
{
  GstElement *recording = g_hash_table_lookup (app->recordings, location);

  gst_element_set_state (recording, GST_STATE_NULL);
  gst_bin_remove (GST_BIN (app->pipeline), recording);
  g_print ("%s %s\n", how, location);
  g_hash_table_remove (app->recordings, location);
  if (app->quitting && g_hash_table_size (app->recordings) == 0)
    g_main_loop_quit (app->loop);
}

/* Returns the location of the recording that @object is, or is part of. */
static const gchar *
find_recording (App *app, GstObject *object)
{
  GHashTableIter iter;
  gpointer location, recording;

  g_hash_table_iter_init (&iter, app->recordings);
  while (g_hash_table_iter_next (&iter, &location, &recording))
    if (object == recording || gst_object_has_as_ancestor (object, recording))
      return location;
  return NULL;
}

static void
on_forwarded (App *app, const GstStructure *s)
{
  const gchar *location;
  GstMessage *message = NULL;

  gst_structure_get (s, "message", GST_TYPE_MESSAGE, &message, NULL);
  if (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS &&
      GST_OBJECT_PARENT (GST_MESSAGE_SRC (message)) ==
          GST_OBJECT (app->pipeline) &&
      (location = find_recording (app, GST_MESSAGE_SRC (message))))
    remove_recording (app, location, "ended");
  g_clear_pointer (&message, gst_message_unref);
}

/* An error in a recording ends only that recording. */
static void
on_error (App *app, GstMessage *message)
{
  const gchar *location = find_recording (app, GST_MESSAGE_SRC (message));
  GError *error = NULL;
  gchar *debug = NULL;

  gst_message_parse_error (message, &error, &debug);
  g_printerr ("error: %s (%s)\n", error->message, debug ? debug : "");
  g_error_free (error);
  g_free (debug);
  if (location) {
    end_branches (g_hash_table_lookup (app->recordings, location));
    remove_recording (app, location, "failed");
  } else {
    app->status = 1;
    g_main_loop_quit (app->loop);
  }
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  const GstStructure *s = gst_message_get_structure (message);
  App *app = user_data;
  GError *error = NULL;
  guint64 bytes;

  if (gst_message_has_name (message, "GstBinForwarded")) {
    on_forwarded (app, s);
  } else if (gst_message_has_name (message, "recfilesink-closed")) {
    gst_structure_get_uint64 (s, "bytes", &bytes);
    g_print ("closed %s %" G_GUINT64_FORMAT "\n",
        gst_structure_get_string (s, "location"), bytes);
  } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING) {
    /* The disk is full, a track is refused: the recording continues. */
    gst_message_parse_warning (message, &error, NULL);
    g_printerr ("warning: %s\n", error->message);
    g_error_free (error);
  } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    on_error (app, message);
  }
  return G_SOURCE_CONTINUE;
}

static void
quit (App *app)
{
  GHashTableIter iter;
  gpointer recording;

  app->quitting = TRUE;
  g_hash_table_iter_init (&iter, app->recordings);
  while (g_hash_table_iter_next (&iter, NULL, &recording))
    end_branches (recording);
  if (g_hash_table_size (app->recordings) == 0)
    g_main_loop_quit (app->loop);
}

static void
do_command (App *app, const gchar *command, const gchar *location)
{
  GstElement *recording = g_hash_table_lookup (app->recordings, location);

  if (g_str_equal (command, "start") && !recording) {
    start_recording (app, location);
  } else if (g_str_equal (command, "stop") && recording) {
    end_branches (recording);
  } else if (g_str_equal (command, "split") && recording) {
    GstElement *sink = gst_bin_get_by_name (GST_BIN (recording), "sink");

    g_signal_emit_by_name (sink, "split-now");
    gst_object_unref (sink);
  } else {
    g_printerr ("cannot %s %s\n", command, location);
  }
}

static gboolean
on_input (GIOChannel *channel, GIOCondition condition, gpointer user_data)
{
  App *app = user_data;
  gchar *line = NULL;
  gchar **words;

  do {
    if (g_io_channel_read_line (channel, &line, NULL, NULL, NULL) !=
            G_IO_STATUS_NORMAL ||
        g_str_has_prefix (line, "quit")) {
      g_free (line);
      quit (app);
      return G_SOURCE_REMOVE;
    }
    words = g_strsplit (g_strstrip (line), " ", 2);
    if (words[0])
      do_command (app, words[0], words[1] ? words[1] : "");
    g_strfreev (words);
    g_free (line);
    /* The main loop does not see lines in a read buffer. */
  } while (g_io_channel_get_buffer_condition (channel) & G_IO_IN);
  return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
  App app = { 0 };
  GIOChannel *input;
  GError *error = NULL;
  GstBus *bus;

  gst_init (&argc, &argv);
  app.pipeline = gst_parse_launch (SOURCE, &error);
  if (error)
    g_error ("%s", error->message);
  app.loop = g_main_loop_new (NULL, FALSE);
  app.recordings =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  /* Reports the EOS of one recording while the pipeline continues. */
  g_object_set (app.pipeline, "message-forward", TRUE, NULL);
  bus = gst_element_get_bus (app.pipeline);
  gst_bus_add_watch (bus, on_message, &app);
  input = g_io_channel_unix_new (STDIN_FILENO);
  g_io_add_watch (input, G_IO_IN | G_IO_HUP, on_input, &app);
  gst_element_set_state (app.pipeline, GST_STATE_PLAYING);
  g_main_loop_run (app.loop);
  gst_element_set_state (app.pipeline, GST_STATE_NULL);
  gst_bus_remove_watch (bus);
  gst_object_unref (bus);
  g_io_channel_unref (input);
  gst_object_unref (app.pipeline);
  g_hash_table_unref (app.recordings);
  g_main_loop_unref (app.loop);
  return app.status;
}
