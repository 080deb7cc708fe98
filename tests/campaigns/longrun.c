/* gst-tsrec: 27 hours through the wrap of the clock, and 100,000 caps changes
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Synthetic input, as fast as it goes, through tsrecmux into the checker.
 * Memory is read after a twentieth of the way and at the end.
 */

#include "tscheck.h"

#include <gst/gst.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static gdouble hours = 27;
static gdouble start = 0;
static gint fps = 2;
static gint changes = 10000;

static GOptionEntry options[] = { { "hours", 0, 0, G_OPTION_ARG_DOUBLE, &hours,
                                      "Length of the recording", "H" },
  { "start", 0, 0, G_OPTION_ARG_DOUBLE, &start,
      "Time in the stream at which it starts; the wrap is at 26.5", "H" },
  { "fps", 0, 0, G_OPTION_ARG_INT, &fps, "Pictures, and audio frames, a second",
      "N" },
  { "changes", 0, 0, G_OPTION_ARG_INT, &changes, "Caps changes", "N" },
  { NULL, 0, 0, 0, NULL, NULL, NULL } };

typedef struct
{
  GstElement *mux;
  GstPad *video, *audio, *sink;
  TsCheck *check;
  guint64 units_out, last_dts, backward;
  guint64 rss_early, rss_late;
  gint64 started;
} Run;

static guint64
get_rss (void)
{
  unsigned long pages = 0, resident = 0;
  FILE *file = fopen ("/proc/self/statm", "r");

  if (file && fscanf (file, "%lu %lu", &pages, &resident) != 2)
    resident = 0;
  if (file)
    fclose (file);
  return (guint64)resident * (guint64)sysconf (_SC_PAGESIZE);
}

static void
take_pes (void *user_data, const TsCheckPes *pes)
{
  Run *run = user_data;

  run->units_out++;
}

static GstFlowReturn
take_buffer (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Run *run = g_object_get_data (G_OBJECT (pad), "run");
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  ts_check_push (run->check, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
take_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gst_event_unref (event);
  return TRUE;
}

static GstPad *
make_source (Run *run, const gchar *template, const gchar *caps_text)
{
  GstPad *src = gst_pad_new (NULL, GST_PAD_SRC);
  GstPad *sink = gst_element_request_pad_simple (run->mux, template);
  GstCaps *caps = gst_caps_from_string (caps_text);
  GstSegment segment;

  gst_pad_set_active (src, TRUE);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_link (src, sink);
  gst_pad_push_event (src, gst_event_new_stream_start (template));
  gst_pad_push_event (src, gst_event_new_caps (caps));
  gst_pad_push_event (src, gst_event_new_segment (&segment));
  gst_caps_unref (caps);
  gst_object_unref (sink);
  return src;
}

#define H264_CAPS                                                              \
  "video/x-h264, stream-format=byte-stream, alignment=au, width=320, "         \
  "height=240"
#define AAC_CAPS(rate)                                                         \
  "audio/mpeg, mpegversion=4, stream-format=adts, framed=true, rate=" rate     \
  ", channels=2"
#define MP2_CAPS                                                               \
  "audio/mpeg, mpegversion=1, layer=2, parsed=true, rate=48000, channels=2"

/* FALSE when there is no tsrecmux. */
static gboolean
run_init (Run *run)
{
  GstPad *src;

  memset (run, 0, sizeof *run);
  run->mux = gst_element_factory_make ("tsrecmux", NULL);
  if (!run->mux)
    return FALSE;
  if (start > 0)
    g_object_set (
        run->mux, "start-offset", (guint64)(start * 3600 * GST_SECOND), NULL);
  run->check = ts_check_new (NULL, take_pes, NULL, run);
  run->sink = gst_pad_new (NULL, GST_PAD_SINK);
  g_object_set_data (G_OBJECT (run->sink), "run", run);
  gst_pad_set_chain_function (run->sink, take_buffer);
  gst_pad_set_event_function (run->sink, take_event);
  gst_pad_set_active (run->sink, TRUE);
  src = gst_element_get_static_pad (run->mux, "src");
  gst_pad_link (src, run->sink);
  gst_object_unref (src);
  gst_element_set_state (run->mux, GST_STATE_PLAYING);
  run->video = make_source (run, "video_%u", H264_CAPS);
  run->audio = make_source (run, "audio_%u", AAC_CAPS ("48000"));
  run->started = g_get_monotonic_time ();
  return TRUE;
}

static void
run_clear (Run *run)
{
  gst_element_set_state (run->mux, GST_STATE_NULL);
  gst_object_unref (run->video);
  gst_object_unref (run->audio);
  gst_object_unref (run->sink);
  gst_object_unref (run->mux);
  ts_check_free (run->check);
}

static GstFlowReturn
push (GstPad *pad, const guint8 *data, gsize size, GstClockTime time,
    gboolean delta)
{
  GstBuffer *buffer = gst_buffer_new_memdup (data, size);

  GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = time;
  if (delta)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  return gst_pad_push (pad, buffer);
}

static GstFlowReturn
push_video (Run *run, GstClockTime time, gboolean key)
{
  static const guint8 idr[] = { 0, 0, 0, 1, 9, 0xf0, 0, 0, 0, 1, 0x67, 0x42,
    0xc0, 0x0a, 0xda, 0x0f, 0x0a, 0, 0, 0, 1, 0x68, 0xce, 0x38, 0x80, 0, 0, 1,
    0x65, 0x88, 0x80, 0x55, 0x55 };
  static const guint8 p[] = { 0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x41, 0x9a, 2,
    0x55 };

  return key ? push (run->video, idr, sizeof idr, time, FALSE)
             : push (run->video, p, sizeof p, time, TRUE);
}

static GstFlowReturn
push_audio (Run *run, GstClockTime time, gboolean mp2)
{
  static const guint8 adts[16] = { 0xff, 0xf1, 0x4c, 0x80, 2, 0x1f, 0xfc, 1, 2,
    3, 4, 5, 6, 7, 8, 9 };
  static const guint8 layer2[96] = { 0xff, 0xfd, 0x14, 4, 1 };

  return mp2 ? push (run->audio, layer2, sizeof layer2, time, FALSE)
             : push (run->audio, adts, sizeof adts, time, FALSE);
}

static gboolean
print_run (Run *run, const gchar *what, guint64 pushed, guint64 media_ns)
{
  const TsCheckStats *stats = ts_check_get_stats (run->check);
  gdouble elapsed = (gdouble)(g_get_monotonic_time () - run->started) / 1e6;
  gboolean flat = run->rss_late < run->rss_early + (1 << 20);

  ts_check_finish (run->check);
  printf ("%s\n%s\n  %-44s %10.0f\n  %-44s %10.2f\n  %-44s "
          "%10" G_GUINT64_FORMAT "\n  %-44s %10" G_GUINT64_FORMAT "\n",
      ts_check_get_report (run->check), what, "seconds of media",
      media_ns / 1e9, "seconds it took", elapsed, "access units pushed", pushed,
      "access units found in the stream", run->units_out);
  printf ("  %-44s %10.3f\n  %-44s %10" G_GUINT64_FORMAT
          "\n  %-44s %10.1f\n  %-44s %10.1f\n  %-44s %10" G_GUINT64_FORMAT "\n",
      "seconds by PCR", (stats->last_pcr - stats->first_pcr) / 27e6,
      "changes of the PMT", (guint64)stats->pmt_changes,
      "resident memory after 5 %, MiB", run->rss_early / 1048576.0,
      "resident memory at the end, MiB", run->rss_late / 1048576.0,
      "errors of the checker", (guint64)stats->errors);
  return stats->errors == 0 && run->units_out == pushed && flat &&
      elapsed < media_ns / 1e9;
}

/* A day and three hours: 33 bits of 90 kHz last for 26 h 30 min. */
static gboolean
record_for_long (void)
{
  Run run;
  guint64 pictures = (guint64)(hours * 3600 * fps), n;
  GstClockTime time = 0;
  gboolean good = run_init (&run);

  for (n = 0; good && n < pictures; n++) {
    time = gst_util_uint64_scale (n, GST_SECOND, (guint64)fps);
    good =
        push_video (&run, time, n % (guint64)(fps * 2) == 0) == GST_FLOW_OK &&
        push_audio (&run, time + GST_MSECOND, FALSE) == GST_FLOW_OK;
    if (n == pictures / 20)
      run.rss_early = get_rss ();
  }
  gst_pad_push_event (run.video, gst_event_new_eos ());
  gst_pad_push_event (run.audio, gst_event_new_eos ());
  run.rss_late = get_rss ();
  good = print_run (&run, "a recording through the wrap", 2 * n, time) && good;
  run_clear (&run);
  return good;
}

static gboolean
change_caps (Run *run, guint n)
{
  static const gchar *const texts[] = { AAC_CAPS ("48000"), MP2_CAPS,
    AAC_CAPS ("44100"), MP2_CAPS };
  GstCaps *caps = gst_caps_from_string (texts[n % G_N_ELEMENTS (texts)]);
  gboolean changed = gst_pad_push_event (run->audio, gst_event_new_caps (caps));

  gst_caps_unref (caps);
  return changed;
}

/* Another codec of the audio track with every frame. */
static gboolean
change_for_long (void)
{
  Run run;
  GstClockTime time = 0;
  guint n;
  gboolean good = run_init (&run);

  for (n = 0; good && n < (guint)changes; n++) {
    time = n * 20 * GST_MSECOND;
    good = push_video (&run, time, n % 50 == 0) == GST_FLOW_OK &&
        change_caps (&run, n + 1) &&
        push_audio (&run, time + GST_MSECOND, n % 2 == 0) == GST_FLOW_OK;
    if (n == (guint)changes / 20)
      run.rss_early = get_rss ();
  }
  gst_pad_push_event (run.video, gst_event_new_eos ());
  gst_pad_push_event (run.audio, gst_event_new_eos ());
  run.rss_late = get_rss ();
  good = print_run (&run, "caps changes", 2 * n, time) && good;
  run_clear (&run);
  return good;
}

int
main (int argc, char **argv)
{
  GOptionContext *context = g_option_context_new (NULL);
  GError *error = NULL;
  gboolean good;

  g_option_context_add_main_entries (context, options, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    fprintf (stderr, "%s\n", error->message);
    return 2;
  }
  g_option_context_free (context);
  good = record_for_long ();
  good = change_for_long () && good;
  return good ? 0 : 1;
}
