/* gst-tsrec: records, and acts on the alerts of the monitor
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * record-and-watch [--source LAUNCH] [--output FILE] [--duration SECONDS]
 *                  [--page COMMAND] [--max-memory BYTES]
 *
 * The action depends on the stage that has stalled. If the network is dead, the
 * source is restarted. If a depayloader, decoder or encoder has stalled, a key
 * frame is requested. Otherwise COMMAND pages a person; the text of the alert is
 * its last argument.
 */

#include <gst/gst.h>
#include <gst/video/video.h>
#include <stdio.h>
#include <string.h>

static gchar *source_launch = NULL, *output = NULL, *page_command = NULL;
static gint64 max_memory = 500 * 1000 * 1000;
static gint duration = 0;

static GOptionEntry options[] = {
  { "source", 's', 0, G_OPTION_ARG_STRING, &source_launch,
      "Source to record, as for gst-launch-1.0, ending in parsed H.264 or "
      "H.265",
      "LAUNCH" },
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "Output file (rec.ts)",
      "FILE" },
  { "duration", 'd', 0, G_OPTION_ARG_INT, &duration,
      "Duration (0: until interrupted)", "SECONDS" },
  { "page", 'p', 0, G_OPTION_ARG_STRING, &page_command,
      "Command that pages a person", "COMMAND" },
  { "max-memory", 'm', 0, G_OPTION_ARG_INT64, &max_memory,
      "Page a person above this limit", "BYTES" },
  { NULL, 0, 0, 0, NULL, NULL, NULL }
};

typedef struct
{
  GMainLoop *loop;
  GstElement *pipeline, *source, *monitor;
  int status;
} App;

/* --- actions ------------------------------------------------------------- */

static void
restart_source (App *app)
{
  g_print ("restarting the source\n");
  gst_element_set_state (app->source, GST_STATE_READY);
  gst_element_sync_state_with_parent (app->source);
}

/* Sends the event upstream from the monitor. An encoder produces a key frame,
 * recwhipsrc sends a PLI. */
static void
request_key_frame (App *app)
{
  g_print ("requesting a key frame\n");
  gst_element_send_event (app->monitor,
      gst_video_event_new_upstream_force_key_unit (
          GST_CLOCK_TIME_NONE, TRUE, 0));
}

static void
page_person (const gchar *text)
{
  gchar **args = NULL;
  GError *error = NULL;
  gint n;

  g_print ("paging somebody\n");
  if (!page_command || !g_shell_parse_argv (page_command, &n, &args, &error))
    goto done;
  args = g_renew (gchar *, args, n + 2);
  args[n] = g_strdup (text);
  args[n + 1] = NULL;
  g_spawn_async (
      NULL, args, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &error);
done:
  if (error)
    g_printerr ("could not page: %s\n", error->message);
  g_clear_error (&error);
  g_strfreev (args);
}

/* --- messages ------------------------------------------------------------ */

static void
act_on_alert (App *app, const GstStructure *alert)
{
  const gchar *rule = gst_structure_get_string (alert, "rule");
  const gchar *where = gst_structure_get_string (alert, "where");
  const gchar *text = gst_structure_get_string (alert, "text");

  g_print ("ALERT %s %s%s%s: %s\n", rule,
      gst_structure_get_string (alert, "state"), *where ? " at " : "", where,
      text);
  if (strcmp (gst_structure_get_string (alert, "state"), "raised") != 0)
    return;
  if (strcmp (where, "network") == 0)
    restart_source (app);
  else if (strcmp (where, "depayloader") == 0 ||
      strcmp (where, "decoder") == 0 || strcmp (where, "encoder") == 0)
    request_key_frame (app);
  else
    page_person (text);
}

static gboolean
on_message (GstBus *bus, GstMessage *msg, gpointer user_data)
{
  App *app = user_data;
  GError *error;

  switch (GST_MESSAGE_TYPE (msg)) {
    case GST_MESSAGE_ELEMENT:
      if (gst_message_has_name (msg, "recmonitor-alert"))
        act_on_alert (app, gst_message_get_structure (msg));
      break;
    case GST_MESSAGE_ERROR:
      gst_message_parse_error (msg, &error, NULL);
      g_printerr ("%s\n", error->message);
      page_person (error->message);
      g_error_free (error);
      app->status = 1;
      g_main_loop_quit (app->loop);
      break;
    case GST_MESSAGE_EOS:
      g_main_loop_quit (app->loop);
      break;
    default:
      break;
  }
  return G_SOURCE_CONTINUE;
}

/* EOS finalizes the file. */
static gboolean
end_recording (gpointer user_data)
{
  App *app = user_data;

  gst_element_send_event (app->pipeline, gst_event_new_eos ());
  return G_SOURCE_REMOVE;
}

/* --- the pipeline -------------------------------------------------------- */

static gboolean
build (App *app, GError **error)
{
  GstElement *sink = gst_element_factory_make ("tsrecsink", NULL);

  app->monitor = gst_element_factory_make ("recmonitor", NULL);
  if (!sink || !app->monitor)
    goto no_plugin;
  app->source = gst_parse_bin_from_description (source_launch
          ? source_launch
          : "videotestsrc is-live=true ! video/x-raw,format=I420 ! "
            "x264enc tune=zerolatency ! h264parse config-interval=-1",
      TRUE, error);
  if (!app->source)
    return FALSE;
  app->pipeline = gst_pipeline_new (NULL);
  g_object_set (
      app->monitor, "report", TRUE, "max-memory", (guint64)max_memory, NULL);
  g_object_set (sink, "location", output ? output : "rec.ts", NULL);
  gst_bin_add_many (
      GST_BIN (app->pipeline), app->source, app->monitor, sink, NULL);
  if (gst_element_link_many (app->source, app->monitor, sink, NULL))
    return TRUE;
  g_set_error_literal (error, GST_PARSE_ERROR, GST_PARSE_ERROR_LINK,
      "the source does not end in anything that can be recorded");
  return FALSE;

  /* ERRORS */
no_plugin:
  g_set_error_literal (error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT,
      "no tsrecsink or recmonitor: add the folder of the plugin to "
      "GST_PLUGIN_PATH");
  return FALSE;
}

int
main (int argc, char **argv)
{
  GOptionContext *context = g_option_context_new ("- record and watch");
  GError *error = NULL;
  App app = { 0 };
  GstBus *bus;

  g_option_context_add_main_entries (context, options, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, &argc, &argv, &error) ||
      !build (&app, &error)) {
    g_printerr ("%s\n", error->message);
    return 2;
  }
  setvbuf (stdout, NULL, _IOLBF, 0);
  app.loop = g_main_loop_new (NULL, FALSE);
  bus = gst_element_get_bus (app.pipeline);
  gst_bus_add_watch (bus, on_message, &app);
  if (duration > 0)
    g_timeout_add_seconds (duration, end_recording, &app);
  gst_element_set_state (app.pipeline, GST_STATE_PLAYING);
  g_main_loop_run (app.loop);
  gst_element_set_state (app.pipeline, GST_STATE_NULL);
  gst_bus_remove_watch (bus);
  gst_object_unref (bus);
  gst_object_unref (app.pipeline);
  g_main_loop_unref (app.loop);
  g_option_context_free (context);
  return app.status;
}
