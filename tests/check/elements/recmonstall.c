/* gst-tsrec: whatever stalls, every monitor of the recording names it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * net - depayloader - decoder - dec - encoder - enc -+- mux - out - sink
 *                                            audio -+
 *
 * net, dec, enc, audio and out are monitors. All of it is stepped by a test
 * clock; two threads push, because a sink that is blocked blocks them.
 */

#include "recmontest.h"

#include "recquery.h"

enum
{
  NET,
  DEC,
  ENC,
  AUDIO,
  OUT,
  N_MONITORS
};

static const gchar *const names[] = { "net", "dec", "enc", "audio", "out" };

/* The source of one track. */
typedef struct
{
  GstPad *srcpad;
  GThread *thread;
  GAsyncQueue *orders; /* how many to push + 1; 0 + 1: end */
  gint done;           /* atomic; orders carried out */
  gint asked;
} Track;

typedef struct
{
  GstElement *bin, *mux, *depay, *decoder, *encoder;
  GstElement *monitor[N_MONITORS];
  GstTestClock *clock[N_MONITORS];
  GstBus *bus;
  GstPad *sink;
  Track video, audio;
  GstClockTime now;
  gboolean backwards; /* the monitors look against the flow */

  GMutex lock;
  GCond cond;
  gboolean blocked, full, silent_sink;
  GstClockTime blocked_since;
  guint64 written;
} Rig;

/* --- the sink ------------------------------------------------------------ */

static GstFlowReturn
sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  Rig *rig = gst_pad_get_element_private (pad);

  g_mutex_lock (&rig->lock);
  while (rig->blocked)
    g_cond_wait (&rig->cond, &rig->lock);
  if (!rig->full)
    rig->written += gst_buffer_get_size (buffer);
  g_mutex_unlock (&rig->lock);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  Rig *rig = gst_pad_get_element_private (pad);
  RecWritten w = { 0 };

  if (!rec_query_is_written (query) || rig->silent_sink)
    return gst_pad_query_default (pad, parent, query);
  g_mutex_lock (&rig->lock);
  w.bytes_written = rig->written;
  w.waiting_for_disk = rig->full;
  if (rig->blocked)
    w.write_blocked = rig->now - rig->blocked_since;
  g_mutex_unlock (&rig->lock);
  rec_query_set_written (query, &w, "rec.ts");
  return TRUE;
}

/* --- the tracks ---------------------------------------------------------- */

static gpointer
track_thread (gpointer data)
{
  Track *track = data;
  guint n;

  while ((n = GPOINTER_TO_UINT (g_async_queue_pop (track->orders)) - 1) > 0) {
    while (n-- > 0) {
      GstBuffer *buffer = gst_buffer_new_allocate (NULL, 100, NULL);

      gst_buffer_memset (buffer, 0, 0, 100);
      gst_pad_push (track->srcpad, buffer);
    }
    g_atomic_int_inc (&track->done);
  }
  return NULL;
}

static void
track_order (Track *track, guint n)
{
  track->asked++;
  g_async_queue_push (track->orders, GUINT_TO_POINTER (n + 1));
}

static void
track_start (Track *track, GstElement *into, const gchar *caps_str)
{
  GstPad *sink = gst_element_get_static_pad (into, "sink");
  GstCaps *caps = gst_caps_from_string (caps_str);
  GstSegment segment;

  track->srcpad = gst_pad_new ("src", GST_PAD_SRC);
  gst_pad_set_active (track->srcpad, TRUE);
  fail_unless_equals_int (gst_pad_link (track->srcpad, sink), GST_PAD_LINK_OK);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (track->srcpad, gst_event_new_stream_start (caps_str));
  gst_pad_push_event (track->srcpad, gst_event_new_caps (caps));
  gst_pad_push_event (track->srcpad, gst_event_new_segment (&segment));
  gst_caps_unref (caps);
  gst_object_unref (sink);
  track->orders = g_async_queue_new ();
  track->thread = g_thread_new ("track", track_thread, track);
}

static void
track_end (Track *track)
{
  g_async_queue_push (track->orders, GUINT_TO_POINTER (1));
  g_thread_join (track->thread);
  g_async_queue_unref (track->orders);
  gst_pad_set_active (track->srcpad, FALSE);
  gst_object_unref (track->srcpad);
}

/* --- the rig ------------------------------------------------------------- */

static GstElement *
add (Rig *rig, GstElement *element)
{
  fail_unless (element != NULL);
  gst_bin_add (GST_BIN (rig->bin), element);
  return element;
}

static void
add_monitors (Rig *rig)
{
  guint i;

  for (i = 0; i < N_MONITORS; i++) {
    rig->clock[i] = GST_TEST_CLOCK (gst_test_clock_new ());
    rig->monitor[i] =
        add (rig, gst_element_factory_make ("recmonitor", names[i]));
    g_object_set (rig->monitor[i], "clock", rig->clock[i], "recording-id", "r",
        "write-timeout", 2 * GST_SECOND, NULL);
  }
}

static void
rig_init (Rig *rig)
{
  GstPad *src;

  memset (rig, 0, sizeof *rig);
  g_mutex_init (&rig->lock);
  g_cond_init (&rig->cond);
  rig->bin = gst_object_ref_sink (gst_bin_new ("rig"));
  rig->bus = gst_bus_new ();
  gst_element_set_bus (rig->bin, rig->bus);
  add_monitors (rig);
  rig->depay =
      add (rig, rec_test_stage_new ("Codec/Depayloader/Network/RTP", "depay"));
  rig->decoder = add (rig, rec_test_stage_new ("Codec/Decoder/Video", "dec0"));
  rig->encoder = add (rig, rec_test_stage_new ("Codec/Encoder/Video", "enc0"));
  rig->mux = add (rig, rec_test_stage_new ("Codec/Muxer", "mux"));
  fail_unless (gst_element_link_many (rig->monitor[NET], rig->depay,
      rig->decoder, rig->monitor[DEC], rig->encoder, rig->monitor[ENC], NULL));
  fail_unless (
      gst_element_link_pads (rig->monitor[ENC], "src", rig->mux, "sink"));
  fail_unless (
      gst_element_link_pads (rig->monitor[AUDIO], "src", rig->mux, "sink1"));
  fail_unless (gst_element_link (rig->mux, rig->monitor[OUT]));
  rig->sink = gst_pad_new ("sink", GST_PAD_SINK);
  gst_pad_set_element_private (rig->sink, rig);
  gst_pad_set_chain_function (rig->sink, sink_chain);
  gst_pad_set_query_function (rig->sink, sink_query);
  gst_pad_set_active (rig->sink, TRUE);
  src = gst_element_get_static_pad (rig->monitor[OUT], "src");
  fail_unless_equals_int (gst_pad_link (src, rig->sink), GST_PAD_LINK_OK);
  gst_object_unref (src);
  gst_element_set_state (rig->bin, GST_STATE_PLAYING);
  track_start (&rig->video, rig->monitor[NET], "application/x-rtp");
  track_start (&rig->audio, rig->monitor[AUDIO], "audio/x-test");
}

static void
rig_clear (Rig *rig)
{
  guint i;

  g_mutex_lock (&rig->lock);
  rig->blocked = FALSE;
  g_cond_broadcast (&rig->cond);
  g_mutex_unlock (&rig->lock);
  track_end (&rig->video);
  track_end (&rig->audio);
  gst_element_set_state (rig->bin, GST_STATE_NULL);
  gst_element_set_bus (rig->bin, NULL);
  gst_object_unref (rig->bus);
  gst_object_unref (rig->bin);
  gst_pad_set_active (rig->sink, FALSE);
  gst_object_unref (rig->sink);
  for (i = 0; i < N_MONITORS; i++)
    gst_object_unref (rig->clock[i]);
  g_mutex_clear (&rig->lock);
  g_cond_clear (&rig->cond);
}

/* A tenth of a second: three frames and five of audio, if any, then the
 * checks of all monitors, in the order of the table of names or against it. */
static void
tick (Rig *rig, gboolean video, gboolean audio)
{
  guint i;

  if (video)
    track_order (&rig->video, 3);
  if (audio)
    track_order (&rig->audio, 5);
  while (!rig->blocked &&
      (g_atomic_int_get (&rig->video.done) != rig->video.asked ||
          g_atomic_int_get (&rig->audio.done) != rig->audio.asked))
    g_thread_yield ();
  g_mutex_lock (&rig->lock);
  rig->now += 100 * GST_MSECOND;
  g_mutex_unlock (&rig->lock);
  for (i = 0; i < N_MONITORS; i++)
    rec_run_until (
        rig->clock[rig->backwards ? N_MONITORS - 1 - i : i], rig->now);
}

/* --- the table ----------------------------------------------------------- */

typedef enum
{
  SOURCE_DEAD,
  NETWORK_DEAD_BUT_AUDIO,
  DEPAYLOADER_STARVED,
  DECODER_STALLED,
  ENCODER_STALLED,
  AUDIO_SILENT,
  MUX_STALLED,
  DISK_FULL,
  SINK_BLOCKED,
  FOREIGN_SINK_BLOCKED,
} Trouble;

/* Returns when both tracks have a packet on its way into the sink. */
static void
block_sink (Rig *rig)
{
  guint64 video = rec_stat (rig->monitor[NET], "packets");
  guint64 audio = rec_stat (rig->monitor[AUDIO], "packets");

  g_mutex_lock (&rig->lock);
  rig->blocked = TRUE;
  rig->blocked_since = rig->now;
  g_mutex_unlock (&rig->lock);
  track_order (&rig->video, 1);
  track_order (&rig->audio, 1);
  while (rec_stat (rig->monitor[NET], "packets") == video ||
      rec_stat (rig->monitor[AUDIO], "packets") == audio)
    g_thread_yield ();
}

static void
make_trouble (Rig *rig, Trouble trouble)
{
  switch (trouble) {
    case DEPAYLOADER_STARVED:
      rec_test_stage_set_swallow (rig->depay, TRUE);
      break;
    case DECODER_STALLED:
      rec_test_stage_set_swallow (rig->decoder, TRUE);
      break;
    case ENCODER_STALLED:
      rec_test_stage_set_swallow (rig->encoder, TRUE);
      break;
    case MUX_STALLED:
      rec_test_stage_set_swallow (rig->mux, TRUE);
      break;
    case DISK_FULL:
      rig->full = TRUE;
      break;
    case FOREIGN_SINK_BLOCKED:
    case SINK_BLOCKED:
      block_sink (rig);
      break;
    default:
      break;
  }
}

/* Every alert that is raised names @where; returns the monitors that raised
 * one as letters n, d, e, a, o. */
static gchar *
collect_alerts (Rig *rig, const gchar *where)
{
  gboolean raised[N_MONITORS] = { FALSE };
  GString *letters = g_string_new (NULL);
  GstMessage *msg;
  guint i;

  while ((msg = rec_pop_named (rig->bus, "recmonitor-alert")) != NULL) {
    const GstStructure *s = gst_message_get_structure (msg);

    for (i = 0; i < N_MONITORS; i++)
      raised[i] |=
          g_str_equal (gst_structure_get_string (s, "stage"), names[i]);
    fail_unless_equals_string (gst_structure_get_string (s, "where"), where);
    fail_unless_equals_string (gst_structure_get_string (s, "state"), "raised");
    gst_message_unref (msg);
  }
  for (i = 0; i < N_MONITORS; i++)
    if (raised[i])
      g_string_append_c (letters, names[i][0]);
  return g_string_free (letters, FALSE);
}

static const struct
{
  Trouble trouble;
  const gchar *where;
  const gchar *who; /* within 1.3 s, and after all timeouts */
  const gchar *in_the_end;
} table[] = {
  { SOURCE_DEAD, "network", "ndeao", "ndeao" },
  { NETWORK_DEAD_BUT_AUDIO, "network", "nde", "" },
  { DEPAYLOADER_STARVED, "depayloader", "de", "" },
  { DECODER_STALLED, "decoder", "de", "" },
  { ENCODER_STALLED, "encoder", "e", "" },
  { AUDIO_SILENT, "network", "a", "" },
  { MUX_STALLED, "mux", "o", "ndeao" },
  { DISK_FULL, "disk", "", "ndeao" },
  { SINK_BLOCKED, "disk", "ndeao", "ndeao" },
  { FOREIGN_SINK_BLOCKED, "disk", "ndeao", "" },
};

GST_START_TEST (test_every_monitor_names_the_stage_that_stalled)
{
  guint row = __i__ % G_N_ELEMENTS (table);
  Trouble trouble = table[row].trouble;
  gboolean video = trouble != SOURCE_DEAD && trouble != NETWORK_DEAD_BUT_AUDIO;
  gboolean audio = trouble != SOURCE_DEAD && trouble != AUDIO_SILENT;
  gchar *who;
  Rig rig;
  guint i;

  rig_init (&rig);
  rig.backwards = (gsize)__i__ >= G_N_ELEMENTS (table);
  rig.silent_sink = trouble == FOREIGN_SINK_BLOCKED;
  for (i = 0; i < 15; i++)
    tick (&rig, TRUE, TRUE);
  who = collect_alerts (&rig, "none");
  fail_unless_equals_string (who, "");
  g_free (who);

  make_trouble (&rig, trouble);
  for (i = 0; i < 13; i++)
    tick (&rig, video, audio);
  who = collect_alerts (&rig, table[row].where);
  fail_unless_equals_string (who, table[row].who);
  g_free (who);
  for (i = 0; i < 12; i++)
    tick (&rig, video, audio);
  who = collect_alerts (&rig, table[row].where);
  fail_unless_equals_string (who, table[row].in_the_end);
  g_free (who);
  rig_clear (&rig);
}

GST_END_TEST;

static Suite *
recmonstall_suite (void)
{
  Suite *s = suite_create ("recmonstall");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_every_monitor_names_the_stage_that_stalled, 0,
      G_N_ELEMENTS (table) * (g_getenv ("REC_SLOW_MACHINE") ? 1 : 2));
  return s;
}

GST_CHECK_MAIN (recmonstall);
