/* gst-tsrec: recmonitor reports by its own clock, and counts right
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recmontest.h"

#include "recquery.h"

static guint64
streak (RecRig *f)
{
  guint64 by_property, by_stats = rec_stat (f->monitor, "zero-packet-streak");

  g_object_get (f->monitor, "zero-packet-streak", &by_property, NULL);
  fail_unless_equals_uint64 (by_property, by_stats);
  return by_stats;
}

GST_START_TEST (test_the_plugin_is_the_one_built_here)
{
  rec_test_assert_built_here ("recmonitor");
}

GST_END_TEST;

GST_START_TEST (test_buffers_and_lists_pass_untouched)
{
  RecRig f;
  GstBufferList *list = gst_buffer_list_new ();
  GstBuffer *in[3], *out;
  guint i;

  rec_rig_init (&f, NULL);
  for (i = 0; i < 3; i++)
    in[i] = gst_buffer_new_allocate (NULL, 10 + i, NULL);
  gst_harness_push (f.h, in[0]);
  gst_buffer_list_add (list, in[1]);
  gst_buffer_list_add (list, in[2]);
  fail_unless_equals_int (gst_pad_push_list (f.h->srcpad, list), GST_FLOW_OK);
  for (i = 0; i < 3; i++) {
    out = gst_harness_pull (f.h);
    fail_unless (out == in[i]);
    gst_buffer_unref (out);
  }
  fail_unless_equals_uint64 (rec_stat (f.monitor, "packets"), 3);
  fail_unless_equals_uint64 (rec_stat (f.monitor, "bytes"), 33);
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_stats_come_although_no_buffer_ever_does)
{
  RecRig f;
  GstMessage *msg;
  const GstStructure *s;
  guint i;

  rec_rig_init (&f, NULL);
  g_object_set (f.monitor, "interval", 500 * GST_MSECOND, "stage", "enc",
      "recording-id", "r1", NULL);
  rec_run_until (f.clock, 2 * GST_SECOND);
  for (i = 1; i <= 4; i++) {
    msg = rec_pop_named (f.bus, "recmonitor-stats");
    fail_unless (msg != NULL);
    s = gst_message_get_structure (msg);
    fail_unless_equals_uint64 (rec_get_uint64 (s, "packets"), 0);
    fail_unless_equals_uint64 (
        rec_get_uint64 (s, "idle-time"), i * 500 * GST_MSECOND);
    fail_unless_equals_uint64 (rec_get_uint64 (s, "zero-packet-streak"), i * 5);
    fail_unless (rec_get_uint64 (s, "memory-rss") > 1 << 20);
    fail_unless (rec_get_uint64 (s, "memory-rss-peak") >=
        rec_get_uint64 (s, "memory-rss"));
    fail_unless_equals_string (gst_structure_get_string (s, "stage"), "enc");
    fail_unless_equals_string (
        gst_structure_get_string (s, "recording-id"), "r1");
    gst_message_unref (msg);
  }
  fail_unless (rec_pop_named (f.bus, "recmonitor-stats") == NULL);
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_stats_go_on_in_paused_and_end_in_ready)
{
  RecRig f;

  rec_rig_init (&f, NULL);
  gst_element_set_state (f.bin, GST_STATE_PAUSED);
  rec_rig_push (&f, 1);
  rec_run_until (f.clock, 3 * GST_SECOND);
  fail_unless_equals_int (rec_count_named (f.bus, "recmonitor-stats"), 3);
  gst_element_set_state (f.bin, GST_STATE_READY);
  fail_unless_equals_int (gst_test_clock_peek_id_count (f.clock), 0);
  /* and start over */
  gst_element_set_state (f.bin, GST_STATE_PAUSED);
  fail_unless_equals_uint64 (rec_stat (f.monitor, "packets"), 0);
  rec_run_for (f.clock, GST_SECOND);
  fail_unless_equals_int (rec_count_named (f.bus, "recmonitor-stats"), 1);
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_rates_are_those_of_the_last_interval)
{
  RecRig f;
  GstMessage *msg;
  gdouble rate = 0;

  rec_rig_init (&f, NULL);
  rec_rig_push (&f, 50);
  rec_run_until (f.clock, 2 * GST_SECOND);
  msg = rec_pop_named (f.bus, "recmonitor-stats");
  fail_unless (gst_structure_get_double (
      gst_message_get_structure (msg), "packet-rate", &rate));
  fail_unless (rate > 49.9 && rate < 50.1);
  fail_unless_equals_uint64 (
      rec_get_uint64 (gst_message_get_structure (msg), "bitrate"), 50 * 800);
  gst_message_unref (msg);
  msg = rec_pop_named (f.bus, "recmonitor-stats");
  fail_unless_equals_uint64 (
      rec_get_uint64 (gst_message_get_structure (msg), "bitrate"), 0);
  gst_message_unref (msg);
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_a_late_timer_skips_instead_of_catching_up)
{
  RecRig f;

  rec_rig_init (&f, NULL);
  rec_run_until (f.clock, GST_SECOND);
  rec_rig_push (&f, 1);
  /* the process slept for 10 s: one look, one message */
  gst_test_clock_set_time (f.clock, 11 * GST_SECOND + 1);
  gst_test_clock_crank (f.clock);
  rec_run_until (f.clock, 11 * GST_SECOND + 2);
  fail_unless_equals_uint64 (streak (&f), 0);
  fail_unless_equals_int (rec_count_named (f.bus, "recmonitor-stats"), 2);
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_streak_without_encoder_counts_ticks)
{
  RecRig f;

  rec_rig_init (&f, NULL);
  rec_run_until (f.clock, 700 * GST_MSECOND);
  fail_unless_equals_uint64 (streak (&f), 7);
  rec_rig_push (&f, 1);
  fail_unless_equals_uint64 (streak (&f), 0);
  rec_run_until (f.clock, 800 * GST_MSECOND);
  fail_unless_equals_uint64 (streak (&f), 0);
  rec_run_until (f.clock, 1900 * GST_MSECOND);
  fail_unless_equals_uint64 (streak (&f), 11);
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_streak_equals_the_frames_an_encoder_swallowed)
{
  RecRig f;
  guint n;

  rec_rig_init (&f, rec_test_encoder_new (FALSE));
  rec_rig_push (&f, 30);
  fail_unless_equals_uint64 (streak (&f), 0);
  rec_test_stage_set_swallow (f.encoder, TRUE);
  for (n = 1; n <= 37; n++) {
    rec_rig_push (&f, 1);
    rec_run_for (f.clock, 33 * GST_MSECOND);
    fail_unless_equals_uint64 (streak (&f), n);
  }
  /* no frame, no rise */
  rec_run_for (f.clock, 5 * GST_SECOND);
  fail_unless_equals_uint64 (streak (&f), 37);
  rec_test_stage_set_swallow (f.encoder, FALSE);
  rec_rig_push (&f, 1);
  fail_unless_equals_uint64 (streak (&f), 0);
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_encoder_can_be_named)
{
  RecRig f;
  GstElement *drop = gst_element_factory_make ("identity", "drop");

  rec_rig_init (&f, drop);
  g_object_set (f.monitor, "encoder", "drop", NULL);
  rec_run_for (f.clock, 100 * GST_MSECOND);
  g_object_set (drop, "drop-probability", 1.0, NULL);
  rec_rig_push (&f, 9);
  fail_unless_equals_uint64 (streak (&f), 9);
  fail_unless (gst_bus_pop_filtered (f.bus, GST_MESSAGE_WARNING) == NULL);
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_a_named_encoder_that_is_missing_is_told_once)
{
  RecRig f;
  GstMessage *msg;

  rec_rig_init (&f, NULL);
  g_object_set (f.monitor, "encoder", "nobody", NULL);
  rec_run_for (f.clock, GST_SECOND);
  msg = gst_bus_pop_filtered (f.bus, GST_MESSAGE_WARNING);
  fail_unless (msg != NULL);
  gst_message_unref (msg);
  fail_unless (gst_bus_pop_filtered (f.bus, GST_MESSAGE_WARNING) == NULL);
  fail_unless_equals_uint64 (streak (&f), 10);
  rec_rig_clear (&f);
}

GST_END_TEST;

static gpointer
push_until_told (gpointer data)
{
  gpointer *args = data;

  while (!g_atomic_int_get ((gint *)args[1])) {
    rec_rig_push (args[0], 1);
    g_thread_yield ();
  }
  return NULL;
}

/* Blocks the pad, so that the encoder can be swapped in between two frames. */
static GstPadProbeReturn
swap_encoder (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  RecRig *f = user_data;
  GstElement *next = rec_test_encoder_new (TRUE);
  GstPad *ghost = gst_element_get_static_pad (f->bin, "sink");
  GstPad *sink = gst_element_get_static_pad (next, "sink");

  gst_element_set_state (f->encoder, GST_STATE_NULL);
  gst_bin_remove (GST_BIN (f->bin), f->encoder);
  gst_bin_add (GST_BIN (f->bin), next);
  fail_unless (gst_element_link (next, f->monitor));
  fail_unless (gst_ghost_pad_set_target (GST_GHOST_PAD (ghost), sink));
  gst_element_sync_state_with_parent (next);
  g_atomic_pointer_set (&f->encoder, next);
  gst_object_unref (sink);
  gst_object_unref (ghost);
  return GST_PAD_PROBE_REMOVE;
}

/* A buffer enters an element that is in no pipeline any more. */
static void
enter_elsewhere (GstElement *element)
{
  GstPad *pad = gst_element_get_static_pad (element, "sink");
  GstSegment segment;
  GstEvent *start, *begin;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_set_active (pad, TRUE);
  start = gst_event_new_stream_start ("s");
  begin = gst_event_new_segment (&segment);
  gst_pad_store_sticky_event (pad, start);
  gst_pad_store_sticky_event (pad, begin);
  gst_event_unref (start);
  gst_event_unref (begin);
  gst_pad_chain (pad, gst_buffer_new ());
  gst_pad_set_active (pad, FALSE);
  gst_object_unref (pad);
}

GST_START_TEST (test_an_encoder_swapped_while_running_is_followed)
{
  RecRig f;
  gint told = 0;
  gpointer args[] = { &f, &told };
  GstElement *old = gst_object_ref_sink (rec_test_encoder_new (FALSE));
  GThread *thread;
  GstPad *old_sink, *ghost;

  rec_rig_init (&f, old);
  rec_run_for (f.clock, 100 * GST_MSECOND);
  thread = g_thread_new ("pusher", push_until_told, args);
  ghost = gst_element_get_static_pad (f.bin, "sink");
  gst_pad_add_probe (
      ghost, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, swap_encoder, &f, NULL);
  while (g_atomic_pointer_get (&f.encoder) == old)
    g_thread_yield ();
  rec_run_for (f.clock, 100 * GST_MSECOND);
  g_atomic_int_set (&told, 1);
  g_thread_join (thread);
  gst_object_unref (ghost);

  /* the new one counts exactly, the old one has nothing of ours left */
  {
    guint64 before = streak (&f);

    rec_rig_push (&f, 12);
    fail_unless_equals_uint64 (streak (&f), before + 12);
  }
  /* whatever enters the old one now is its own affair */
  {
    guint64 before = streak (&f);

    enter_elsewhere (old);
    fail_unless_equals_uint64 (streak (&f), before);
  }
  rec_count_named (f.bus, "none"); /* messages hold their source */
  ASSERT_OBJECT_REFCOUNT (old, "old encoder", 1);
  old_sink = gst_element_get_static_pad (old, "sink");
  ASSERT_OBJECT_REFCOUNT (old_sink, "its pad", 2);
  gst_object_unref (old_sink);
  gst_object_unref (old);
  rec_rig_clear (&f);
}

GST_END_TEST;

/* --- what was written ---------------------------------------------------- */

static gboolean
answer_written (GstPad *pad, GstObject *parent, GstQuery *query)
{
  RecWritten w = { 5000, 4000, 100, 3000, 20, 0, FALSE };

  if (!rec_query_is_written (query))
    return gst_pad_query_default (pad, parent, query);
  rec_query_set_written (query, &w, "/a/b/cam 1.ts");
  return TRUE;
}

GST_START_TEST (test_written_bytes_and_name_come_from_the_sink)
{
  RecRig f;
  GstMessage *msg;
  const GstStructure *s;

  rec_rig_init (&f, NULL);
  gst_pad_set_query_function (f.h->sinkpad, answer_written);
  rec_run_until (f.clock, GST_SECOND);
  msg = rec_pop_named (f.bus, "recmonitor-stats");
  s = gst_message_get_structure (msg);
  fail_unless_equals_uint64 (rec_get_uint64 (s, "bytes-written"), 5000);
  fail_unless_equals_uint64 (rec_get_uint64 (s, "bytes-durable"), 4000);
  fail_unless_equals_string (
      gst_structure_get_string (s, "recording-id"), "cam 1");
  gst_message_unref (msg);
  rec_rig_clear (&f);
}

GST_END_TEST;

static gboolean
answer_with_id (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (!answer_written (pad, parent, query))
    return FALSE;
  if (rec_query_is_written (query))
    rec_query_set_recording_id (query, "hall");
  return TRUE;
}

static gchar *
dup_id (GstElement *monitor)
{
  GstStructure *s;
  gchar *id;

  g_object_get (monitor, "stats", &s, NULL);
  id = g_strdup (gst_structure_get_string (s, "recording-id"));
  gst_structure_free (s);
  return id;
}

GST_START_TEST (test_sink_names_the_recording)
{
  RecRig f;
  gchar *id;

  rec_rig_init (&f, NULL);
  gst_pad_set_query_function (f.h->sinkpad, answer_with_id);
  rec_run_until (f.clock, GST_SECOND);
  id = dup_id (f.monitor);
  fail_unless_equals_string (id, "hall");
  g_free (id);
  g_object_set (f.monitor, "recording-id", "own", NULL);
  id = dup_id (f.monitor);
  fail_unless_equals_string (id, "own");
  g_free (id);
  /* and when the sink has no name any more, it is that of the file */
  g_object_set (f.monitor, "recording-id", NULL, NULL);
  gst_pad_set_query_function (f.h->sinkpad, answer_written);
  rec_run_for (f.clock, GST_SECOND);
  id = dup_id (f.monitor);
  fail_unless_equals_string (id, "cam 1");
  g_free (id);
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_without_a_sink_the_pipeline_names_the_recording)
{
  RecRig f;
  GstStructure *s;

  rec_rig_init (&f, NULL);
  rec_run_until (f.clock, GST_SECOND);
  g_object_get (f.monitor, "stats", &s, NULL);
  fail_unless_equals_string (
      gst_structure_get_name (s), "application/x-recmonitor-stats");
  fail_unless_equals_string (
      gst_structure_get_string (s, "recording-id"), "rig");
  fail_unless_equals_string (gst_structure_get_string (s, "stage"), "mon");
  fail_unless_equals_uint64 (rec_get_uint64 (s, "bytes-written"), 0);
  gst_structure_free (s);
  rec_rig_clear (&f);
}

GST_END_TEST;

/* --- RTP ----------------------------------------------------------------- */

static GstBuffer *
new_rtp (guint number)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 100, NULL);
  guint8 header[4] = { 0x80, 96, number >> 8, number & 0xff };

  gst_buffer_memset (buffer, 0, 0, 100);
  gst_buffer_fill (buffer, 0, header, sizeof header);
  return buffer;
}

GST_START_TEST (test_rtp_is_counted_by_sequence_number)
{
  RecRig f;
  GstBufferList *list = gst_buffer_list_new ();
  guint i;

  rec_rig_init (&f, NULL);
  gst_harness_set_src_caps_str (f.h, "application/x-rtp");
  for (i = 65501; i < 65700; i++)
    if (i % 50 != 0 && i != 65611)
      gst_harness_push (f.h, new_rtp (i & 0xffff));
  gst_buffer_list_add (list, new_rtp (65600 & 0xffff));
  /* one that was left out comes after 99 others */
  gst_pad_push_list (f.h->srcpad, list);
  gst_harness_push (f.h, new_rtp (65700 & 0xffff));
  gst_harness_push (f.h, new_rtp (65702 & 0xffff));
  gst_harness_push (f.h, new_rtp (65701 & 0xffff));
  fail_unless_equals_uint64 (rec_stat (f.monitor, "packets-late"), 1);
  fail_unless_equals_uint64 (rec_stat (f.monitor, "packets-reordered"), 1);
  /* 65550, 65600 and 65611; 65650 may still come */
  fail_unless_equals_uint64 (rec_stat (f.monitor, "packets-lost"), 3);
  rec_rig_clear (&f);
}

GST_END_TEST;

/* --- memory -------------------------------------------------------------- */

GST_START_TEST (test_bytes_in_queues_of_every_kind_are_added_up)
{
  static const gchar *const kinds[] = { "queue", "queue2",
    "multiqueue max-size-buffers=0" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (kinds); i++) {
    RecRig f;
    GstPad *pad;
    gchar *launch;

    launch = g_strdup_printf ("identity ! %s ! identity", kinds[i]);
    rec_rig_init (&f, gst_parse_bin_from_description (launch, TRUE, NULL));
    g_free (launch);
    pad = gst_element_get_static_pad (f.monitor, "sink");
    gst_pad_add_probe (pad,
        GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER, NULL, NULL, NULL);
    rec_rig_push (&f, 30);
    rec_run_until (f.clock, GST_SECOND);
    fail_unless (rec_stat (f.monitor, "memory-queued") >= 28 * 100,
        "%s: %" G_GUINT64_FORMAT, kinds[i],
        rec_stat (f.monitor, "memory-queued"));
    gst_object_unref (pad);
    gst_element_set_state (f.bin, GST_STATE_NULL);
    rec_rig_clear (&f);
  }
}

GST_END_TEST;

/* --- by the real clock --------------------------------------------------- */

GST_START_TEST (test_the_system_clock_drives_it_by_default)
{
  GstElement *pipeline = gst_parse_launch (
      "fakesrc num-buffers=0 is-live=true ! recmonitor interval=20000000 ! "
      "fakesink async=false",
      NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  guint n = 0;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (n < 5) {
    GstMessage *msg =
        gst_bus_timed_pop_filtered (bus, 10 * GST_SECOND, GST_MESSAGE_ELEMENT);

    fail_unless (msg != NULL, "no message from the timer");
    n += gst_message_has_name (msg, "recmonitor-stats");
    gst_message_unref (msg);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

GST_END_TEST;

GST_START_TEST (test_it_goes_on_while_the_clock_of_the_pipeline_stands_still)
{
  GstElement *pipeline = gst_parse_launch (
      "fakesrc is-live=true do-timestamp=true datarate=10000 sizetype=fixed ! "
      "recmonitor interval=20000000 ! fakesink sync=true async=false",
      NULL);
  GstClock *clock = gst_test_clock_new ();
  GstBus *bus = gst_element_get_bus (pipeline);
  guint n = 0;

  gst_pipeline_use_clock (GST_PIPELINE (pipeline), clock);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (n < 10) {
    GstMessage *msg =
        gst_bus_timed_pop_filtered (bus, 10 * GST_SECOND, GST_MESSAGE_ELEMENT);

    fail_unless (msg != NULL, "no message from the timer");
    n += gst_message_has_name (msg, "recmonitor-stats");
    gst_message_unref (msg);
  }
  fail_unless_equals_uint64 (gst_clock_get_time (clock), 0);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (clock);
  gst_object_unref (pipeline);
}

GST_END_TEST;

static Suite *
recmonitor_suite (void)
{
  Suite *s = suite_create ("recmonitor");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_the_plugin_is_the_one_built_here);
  tcase_add_test (tc, test_buffers_and_lists_pass_untouched);
  tcase_add_test (tc, test_stats_come_although_no_buffer_ever_does);
  tcase_add_test (tc, test_stats_go_on_in_paused_and_end_in_ready);
  tcase_add_test (tc, test_rates_are_those_of_the_last_interval);
  tcase_add_test (tc, test_a_late_timer_skips_instead_of_catching_up);
  tcase_add_test (tc, test_streak_without_encoder_counts_ticks);
  tcase_add_test (tc, test_streak_equals_the_frames_an_encoder_swallowed);
  tcase_add_test (tc, test_encoder_can_be_named);
  tcase_add_test (tc, test_a_named_encoder_that_is_missing_is_told_once);
  tcase_add_test (tc, test_an_encoder_swapped_while_running_is_followed);
  tcase_add_test (tc, test_written_bytes_and_name_come_from_the_sink);
  tcase_add_test (tc, test_sink_names_the_recording);
  tcase_add_test (tc, test_without_a_sink_the_pipeline_names_the_recording);
  tcase_add_test (tc, test_rtp_is_counted_by_sequence_number);
  tcase_add_test (tc, test_bytes_in_queues_of_every_kind_are_added_up);
  tcase_add_test (tc, test_the_system_clock_drives_it_by_default);
  tcase_add_test (
      tc, test_it_goes_on_while_the_clock_of_the_pipeline_stands_still);
  return s;
}

GST_CHECK_MAIN (recmonitor);
