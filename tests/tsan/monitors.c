/* gst-tsrec: 64 monitors at 10 Hz while their pipelines come and go
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Made for ThreadSanitizer (tests/tsan/run), right without it too. Sixteen
 * pipelines of four monitors each, round a recording to a file: data flows,
 * properties are set and read from another thread, encoders are swapped, and
 * the pipelines are torn down and set up again.
 */

#include <gst/gst.h>
#include <stdlib.h>

#define PIPELINES 16
#define MONITORS 4
#define ROUNDS 4
#define ROUND_TIME (700 * 1000) /* µs */

typedef struct
{
  guint number;
  const gchar *folder;
  GThread *thread;
  guint stats; /* messages seen */
} Worker;

static gint failures;

static GstElement *
new_pipeline (Worker *w)
{
  gboolean rtp = w->number % 2;
  gchar *launch = g_strdup_printf (
      "fakesrc is-live=true sizetype=fixed sizemax=188 datarate=20000 "
      "do-timestamp=true ! %s ! "
      "recmonitor name=m0 interval=100000000 stage=a recording-id=r%u ! queue "
      "! "
      "identity name=enc silent=true ! "
      "recmonitor name=m1 interval=100000000 stage=b encoder=enc "
      "metrics-file=%s/all.prom ! queue ! "
      "recmonitor name=m2 interval=100000000 stage=c ! "
      "recmonitor name=m3 interval=100000000 stage=d "
      "max-zero-packet-streak=1 ! "
      "%s location=%s/%u.bin",
      rtp ? "application/x-rtp"
          : "video/mpegts,systemstream=true,packetsize=188",
      w->number, w->folder, rtp ? "filesink" : "recfilesink", w->folder,
      w->number);
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (launch, &error);

  if (error)
    g_error ("%s: %s", launch, error->message);
  g_free (launch);
  return pipeline;
}

/* Calls of an application to a monitor from a thread of its own. */
static void
poke (GstElement *pipeline, guint turn)
{
  guint i;

  for (i = 0; i < MONITORS; i++) {
    gchar *name = g_strdup_printf ("m%u", i);
    GstElement *monitor = gst_bin_get_by_name (GST_BIN (pipeline), name);
    GstStructure *stats = NULL;
    guint64 streak;

    g_object_get (
        monitor, "stats", &stats, "zero-packet-streak", &streak, NULL);
    gst_structure_free (stats);
    g_object_set (monitor, "interval", (turn % 2 ? 50 : 100) * GST_MSECOND,
        "stage", turn % 2 ? "odd" : "even", "encoder", turn % 3 ? "enc" : NULL,
        NULL);
    if (turn % 4 == 3)
      g_signal_emit_by_name (monitor, "reset");
    gst_object_unref (monitor);
    g_free (name);
  }
}

static void
count_messages (Worker *w, GstBus *bus)
{
  GstMessage *msg;

  while ((msg = gst_bus_pop (bus)) != NULL) {
    if (gst_message_has_name (msg, "recmonitor-stats"))
      w->stats++;
    if (GST_MESSAGE_TYPE (msg) == GST_MESSAGE_ERROR) {
      GError *error;
      gchar *debug;

      gst_message_parse_error (msg, &error, &debug);
      g_printerr ("pipeline %u: %s (%s)\n", w->number, error->message, debug);
      g_error_free (error);
      g_free (debug);
      g_atomic_int_inc (&failures);
    }
    gst_message_unref (msg);
  }
}

static gpointer
work (gpointer data)
{
  Worker *w = data;
  guint round, turn = 0;

  for (round = 0; round < ROUNDS; round++) {
    GstElement *pipeline = new_pipeline (w);
    GstBus *bus = gst_element_get_bus (pipeline);
    gint64 end = g_get_monotonic_time () + ROUND_TIME + w->number * 10000;

    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    while (g_get_monotonic_time () < end) {
      poke (pipeline, turn++);
      count_messages (w, bus);
      g_usleep (50000);
    }
    gst_element_set_state (pipeline, GST_STATE_NULL);
    count_messages (w, bus);
    gst_object_unref (bus);
    gst_object_unref (pipeline);
  }
  return NULL;
}

int
main (int argc, char **argv)
{
  Worker workers[PIPELINES];
  gchar *folder;
  guint i, stats = 0;
  gchar *remove;

  gst_init (&argc, &argv);
  folder = g_dir_make_tmp ("monitors-XXXXXX", NULL);
  for (i = 0; i < PIPELINES; i++) {
    workers[i] = (Worker){ .number = i, .folder = folder };
    workers[i].thread = g_thread_new ("worker", work, &workers[i]);
  }
  for (i = 0; i < PIPELINES; i++) {
    g_thread_join (workers[i].thread);
    stats += workers[i].stats;
  }
  remove = g_strdup_printf ("rm -r '%s'", folder);
  if (system (remove) != 0)
    g_atomic_int_inc (&failures);
  g_free (remove);
  g_free (folder);
  g_print ("%d monitors, %d rounds: %u stats messages, %d errors\n",
      PIPELINES * MONITORS, ROUNDS, stats, failures);
  /* Each should post 10 a second; a machine that is busy makes it fewer. */
  if (stats < PIPELINES * MONITORS * ROUNDS)
    failures++;
  return failures > 0;
}
