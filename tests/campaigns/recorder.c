/* gst-tsrec: the recording that the campaigns harm
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *   recorder encode UNITS SECONDS        makes the stream
 *   recorder record UNITS FD SPEED LAUNCH
 *
 * FD is shared memory with a Shared. Each track is pushed by a thread of its
 * own, paced by the clock, as two depayloaders would.
 */

#include "campaign.h"

#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef struct
{
  Shared *shared;
  const UnitStream *stream;
  GstElement *mux;
  GstPad *pads[N_TRACKS];
  gdouble speed;
  gint64 start; /* monotonic, µs */
} Recording;

typedef struct
{
  Recording *recording;
  guint track;
} Track;

static gboolean
answer_latency (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY) {
    gst_query_set_latency (query, TRUE, 0, GST_CLOCK_TIME_NONE);
    return TRUE;
  }
  return gst_pad_query_default (pad, parent, query);
}

static gboolean
link_track (Recording *recording, guint track)
{
  static const gchar *const templates[] = { "video_%u", "audio_%u" };
  GstPad *src = gst_pad_new (NULL, GST_PAD_SRC);
  GstPad *sink =
      gst_element_request_pad_simple (recording->mux, templates[track]);
  GstCaps *caps = gst_caps_from_string (recording->stream->caps[track]);
  GstSegment segment;
  gboolean linked;

  if (!sink)
    sink = gst_element_request_pad_simple (recording->mux, "sink_%d");
  gst_pad_set_query_function (src, answer_latency);
  gst_pad_set_active (src, TRUE);
  linked = sink && gst_pad_link (src, sink) == GST_PAD_LINK_OK;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (src, gst_event_new_stream_start (templates[track]));
  gst_pad_push_event (src, gst_event_new_caps (caps));
  gst_pad_push_event (src, gst_event_new_segment (&segment));
  gst_caps_unref (caps);
  gst_clear_object (&sink);
  recording->pads[track] = src;
  return linked;
}

static void
wait_until (const Recording *recording, guint64 time)
{
  gint64 due =
      recording->start + (gint64)((gdouble)time / 1000.0 / recording->speed);
  gint64 left = due - g_get_monotonic_time ();

  if (left > 0)
    g_usleep ((gulong)left);
}

static gpointer
push_track (gpointer user_data)
{
  Track *track = user_data;
  Recording *recording = track->recording;
  Shared *shared = recording->shared;

  for (guint64 n = 0; !g_atomic_int_get (&shared->stop); n++) {
    guint64 offset;
    const Unit *unit =
        unit_stream_get (recording->stream, track->track, n, &offset);
    GstBuffer *buffer = gst_buffer_new_memdup (unit->data, unit->size);

    GST_BUFFER_PTS (buffer) = unit->pts + offset;
    GST_BUFFER_DTS (buffer) = unit->dts + offset;
    if (!unit->key)
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    wait_until (recording, unit->dts + offset);
    if (gst_pad_push (recording->pads[track->track], buffer) == GST_FLOW_OK)
      g_atomic_int_inc (&shared->accepted[track->track]);
    else
      g_atomic_int_inc (&shared->failed);
  }
  gst_pad_push_event (recording->pads[track->track], gst_event_new_eos ());
  return NULL;
}

static void
copy_stats (const GstStructure *stats, Shared *shared)
{
  const struct
  {
    const gchar *name;
    volatile guint64 *to;
  } fields[] = { { "bytes-written", &shared->bytes_written },
    { "bytes-durable", &shared->bytes_durable },
    { "buffers-written", &shared->buffers_written },
    { "buffers-dropped", &shared->buffers_dropped },
    { "sync-duration-max", &shared->sync_duration_max } };

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    guint64 value;

    if (gst_structure_get_uint64 (stats, fields[i].name, &value))
      *fields[i].to = value;
  }
}

/* The stats of recfilesink, wherever it is in the launch description. */
static void
read_stats (GstElement *pipeline, Shared *shared)
{
  GstIterator *iterator = gst_bin_iterate_recurse (GST_BIN (pipeline));
  GValue item = G_VALUE_INIT;

  while (gst_iterator_next (iterator, &item) == GST_ITERATOR_OK) {
    GObject *element = g_value_get_object (&item);
    GstStructure *stats = NULL;

    if (!strcmp (G_OBJECT_TYPE_NAME (element), "GstRecFileSink"))
      g_object_get (element, "stats", &stats, NULL);
    if (stats)
      copy_stats (stats, shared);
    g_clear_pointer (&stats, gst_structure_free);
    g_value_reset (&item);
  }
  g_value_unset (&item);
  gst_iterator_free (iterator);
}

static void
count_message (GstMessage *message, Shared *shared)
{
  if (gst_message_has_name (message, "recfilesink-disk-full"))
    g_atomic_int_inc (&shared->disk_full);
  else if (gst_message_has_name (message, "recfilesink-recovered"))
    g_atomic_int_inc (&shared->recovered);
  else if (gst_message_has_name (message, "recfilesink-disk-low"))
    g_atomic_int_inc (&shared->disk_low);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
    g_atomic_int_inc (&shared->warnings);
}

/* Returns when all is over: EOS, or an error. */
static int
watch (GstElement *pipeline, Shared *shared)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  int status = -1;

  while (status < 0) {
    GstMessage *message = gst_bus_timed_pop (bus, 10 * GST_MSECOND);
    GError *error = NULL;

    read_stats (pipeline, shared);
    if (!message)
      continue;
    count_message (message, shared);
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS) {
      status = 0;
    } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      gst_message_parse_error (message, &error, NULL);
      g_printerr ("recorder: %s\n", error->message);
      g_clear_error (&error);
      g_atomic_int_inc (&shared->errors);
      status = 1;
    }
    gst_message_unref (message);
  }
  read_stats (pipeline, shared);
  gst_object_unref (bus);
  return status;
}

static int
record (const gchar *units, int fd, gdouble speed, const gchar *launch)
{
  GError *error = NULL;
  Recording recording = { .speed = speed };
  Track tracks[N_TRACKS];
  GThread *threads[N_TRACKS];
  GstElement *pipeline, *bin;
  int status;

  recording.shared =
      mmap (NULL, sizeof (Shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  recording.stream = unit_stream_load (units, &error);
  bin = recording.stream
      ? gst_parse_launch_full (launch, NULL,
            GST_PARSE_FLAG_FATAL_ERRORS | GST_PARSE_FLAG_PLACE_IN_BIN, &error)
      : NULL;
  if (!bin || recording.shared == MAP_FAILED) {
    g_printerr ("recorder: %s\n", error ? error->message : "mmap");
    return 1;
  }
  pipeline = gst_pipeline_new (NULL);
  gst_bin_add (GST_BIN (pipeline), bin);
  recording.mux = gst_bin_get_by_name (GST_BIN (pipeline), "s");
  if (!recording.mux) {
    g_printerr ("recorder: no element is named \"s\"\n");
    return 1;
  }
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < N_TRACKS; i++)
    if (!link_track (&recording, i))
      g_atomic_int_inc (&recording.shared->errors);
  recording.start = recording.shared->started = g_get_monotonic_time ();
  g_atomic_int_set (&recording.shared->playing, 1);
  for (guint i = 0; i < N_TRACKS; i++) {
    tracks[i] = (Track){ &recording, i };
    threads[i] = g_thread_new ("track", push_track, &tracks[i]);
  }
  status = watch (pipeline, recording.shared);
  g_atomic_int_set (&recording.shared->stop, 1);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  for (guint i = 0; i < N_TRACKS; i++)
    g_thread_join (threads[i]);
  return status;
}

static int
encode (const gchar *path, guint seconds)
{
  GError *error = NULL;
  UnitStream *stream = unit_stream_encode (seconds, &error);

  if (stream && unit_stream_save (stream, path, &error)) {
    unit_stream_free (stream);
    return 0;
  }
  g_printerr ("recorder: %s\n", error->message);
  g_clear_error (&error);
  return CAMPAIGN_SKIP;
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  if (argc == 4 && !strcmp (argv[1], "encode"))
    return encode (argv[2], (guint)atoi (argv[3]));
  if (argc == 6 && !strcmp (argv[1], "record"))
    return record (
        argv[2], atoi (argv[3]), g_ascii_strtod (argv[4], NULL), argv[5]);
  g_printerr ("usage: recorder encode UNITS SECONDS\n"
              "       recorder record UNITS FD SPEED LAUNCH\n");
  return 2;
}
