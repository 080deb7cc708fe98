/* gst-tsrec: recmonitor raises each alert once, in time, and where it belongs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recmontest.h"

/* Takes everything off the bus; how often this rule got this state. */
static guint
count_alerts (GstBus *bus, const gchar *rule, const gchar *state)
{
  GstMessage *msg;
  guint n = 0;

  while ((msg = rec_pop_named (bus, "recmonitor-alert")) != NULL) {
    const GstStructure *s = gst_message_get_structure (msg);

    n += (!rule || g_str_equal (gst_structure_get_string (s, "rule"), rule)) &&
        (!state || g_str_equal (gst_structure_get_string (s, "state"), state));
    gst_message_unref (msg);
  }
  return n;
}

/* Runs the clock tick by tick until an alert is posted, which is returned, or
 * until @limit. */
static GstMessage *
run_until_alert (GstTestClock *clock, GstBus *bus, GstClockTime limit)
{
  GstMessage *msg = NULL;

  while (!msg && gst_clock_get_time (GST_CLOCK (clock)) < limit) {
    rec_run_for (clock, 100 * GST_MSECOND);
    msg = rec_pop_named (bus, "recmonitor-alert");
  }
  return msg;
}

static void
assert_alert (
    GstMessage *msg, const gchar *rule, const gchar *state, const gchar *where)
{
  const GstStructure *s;

  fail_unless (msg != NULL, "no alert");
  s = gst_message_get_structure (msg);
  fail_unless_equals_string (gst_structure_get_string (s, "rule"), rule);
  fail_unless_equals_string (gst_structure_get_string (s, "state"), state);
  fail_unless_equals_string (gst_structure_get_string (s, "where"), where);
  gst_message_unref (msg);
}

GST_START_TEST (test_a_dead_source_is_told_within_1200_ms)
{
  guint phase;

  /* wherever between two checks the last packet came */
  for (phase = 0; phase < 100; phase += 24) {
    RecRig f;
    GstClockTime last;

    rec_rig_init (&f, NULL);
    rec_run_until (f.clock, GST_SECOND / 2);
    last = GST_SECOND / 2 + phase * GST_MSECOND;
    gst_test_clock_set_time (f.clock, last);
    rec_rig_push (&f, 1);
    rec_run_until (f.clock, last + 900 * GST_MSECOND);
    fail_unless_equals_int (count_alerts (f.bus, NULL, NULL), 0);
    rec_run_until (f.clock, last + 1200 * GST_MSECOND);
    fail_unless (
        count_alerts (f.bus, "zero-packet-streak", "raised") == 1, "%u", phase);
    rec_rig_clear (&f);
  }
}

GST_END_TEST;

GST_START_TEST (test_a_dead_source_before_an_encoder_is_told_too)
{
  RecRig f;

  rec_rig_init (&f, rec_test_encoder_new (FALSE));
  rec_rig_push (&f, 1);
  assert_alert (run_until_alert (f.clock, f.bus, 1200 * GST_MSECOND),
      "no-packets", "raised", "network");
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_five_frames_a_second_raise_nothing_in_ten_minutes)
{
  RecRig f;
  guint with_encoder, i;
  guint minutes = g_getenv ("REC_SLOW_MACHINE") ? 1 : 10;

  for (with_encoder = 0; with_encoder < 2; with_encoder++) {
    rec_rig_init (&f, with_encoder ? rec_test_encoder_new (FALSE) : NULL);
    gst_harness_set_drop_buffers (f.h, TRUE);
    for (i = 0; i < minutes * 60 * 5; i++) {
      rec_rig_push (&f, 1);
      /* not in step with the checks */
      rec_run_for (f.clock, (i % 2 ? 170 : 230) * GST_MSECOND);
      fail_unless_equals_int (count_alerts (f.bus, NULL, NULL), 0);
    }
    rec_rig_clear (&f);
  }
}

GST_END_TEST;

GST_START_TEST (test_swallowed_frames_name_the_encoder)
{
  RecRig f;
  GstMessage *msg;
  const GstStructure *s;
  guint i;

  rec_rig_init (&f, rec_test_encoder_new (FALSE));
  rec_rig_push (&f, 3);
  rec_run_for (f.clock, 200 * GST_MSECOND);
  rec_test_stage_set_swallow (f.encoder, TRUE);
  for (i = 0; i < 11; i++) {
    fail_unless_equals_int (count_alerts (f.bus, NULL, NULL), 0);
    rec_rig_push (&f, 1);
    rec_run_for (f.clock, 33 * GST_MSECOND);
  }
  rec_run_for (f.clock, 100 * GST_MSECOND);
  msg = rec_pop_named (f.bus, "recmonitor-alert");
  fail_unless (msg != NULL);
  s = gst_message_get_structure (msg);
  fail_unless_equals_uint64 (rec_get_uint64 (s, "value"), 11);
  fail_unless_equals_uint64 (rec_get_uint64 (s, "threshold"), 10);
  fail_unless (strstr (gst_structure_get_string (s, "text"),
                   "11 frames entered the encoder") != NULL);
  assert_alert (msg, "zero-packet-streak", "raised", "encoder");
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_an_alert_is_raised_and_cleared_once)
{
  RecRig f;
  guint i;

  rec_rig_init (&f, NULL);
  rec_run_until (f.clock, 60 * GST_SECOND);
  for (i = 0; i < 30; i++) {
    rec_rig_push (&f, 1);
    rec_run_for (f.clock, 100 * GST_MSECOND);
  }
  rec_run_for (f.clock, 500 * GST_MSECOND);
  {
    GstMessage *msg;
    guint raised = 0, cleared = 0;

    while ((msg = rec_pop_named (f.bus, "recmonitor-alert")) != NULL) {
      const GstStructure *s = gst_message_get_structure (msg);

      if (g_str_equal (gst_structure_get_string (s, "rule"), "no-packets")) {
        if (g_str_equal (gst_structure_get_string (s, "state"), "raised"))
          raised++;
        else
          cleared++;
        fail_unless_equals_string (
            gst_structure_get_string (s, "where"), "network");
      }
      gst_message_unref (msg);
    }
    fail_unless_equals_int (raised, 1);
    fail_unless_equals_int (cleared, 1);
  }
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_a_source_that_comes_and_goes_is_one_alert)
{
  RecRig f;
  guint i;

  rec_rig_init (&f, NULL);
  for (i = 0; i < 20; i++) {
    rec_rig_push (&f, 1);
    rec_run_for (f.clock, 1500 * GST_MSECOND);
  }
  fail_unless_equals_int (count_alerts (f.bus, "zero-packet-streak", NULL), 1);
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_rules_can_be_turned_off)
{
  RecRig f;

  rec_rig_init (&f, NULL);
  g_object_set (f.monitor, "max-zero-packet-streak", G_GUINT64_CONSTANT (0),
      "no-packets-timeout", G_GUINT64_CONSTANT (0), NULL);
  rec_run_until (f.clock, 20 * GST_SECOND);
  fail_unless_equals_int (count_alerts (f.bus, NULL, NULL), 0);
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_memory_above_its_limit_is_told_with_what_queues_hold)
{
  RecRig f;
  GstElement *queue = gst_element_factory_make ("queue", NULL);
  GstMessage *msg;
  const GstStructure *s;

  rec_rig_init (&f, queue);
  /* Hold the queue's output back, and fill it. */
  gst_pad_add_probe (GST_PAD (GST_ELEMENT (queue)->srcpads->data),
      GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER, NULL, NULL, NULL);
  rec_rig_push (&f, 50);
  g_object_set (f.monitor, "max-memory", G_GUINT64_CONSTANT (1000000),
      "max-zero-packet-streak", G_GUINT64_CONSTANT (0), "no-packets-timeout",
      G_GUINT64_CONSTANT (0), NULL);
  msg = run_until_alert (f.clock, f.bus, 2 * GST_SECOND);
  fail_unless (msg != NULL);
  s = gst_message_get_structure (msg);
  fail_unless_equals_uint64 (rec_get_uint64 (s, "threshold"), 1000000);
  fail_unless (rec_get_uint64 (s, "value") > 1000000);
  assert_alert (msg, "memory", "raised", "");
  /* the one buffer that the probe holds has left the queue */
  fail_unless (rec_stat (f.monitor, "memory-queued") >= 49 * 100);
  fail_unless (rec_stat (f.monitor, "memory-queued") <= 50 * 100);
  gst_element_set_state (f.bin, GST_STATE_NULL);
  rec_rig_clear (&f);
}

GST_END_TEST;

/* How many warnings and errors wait on the bus. */
static guint
count_type (GstBus *bus, GstMessageType type)
{
  GstMessage *msg;
  guint n = 0;

  while ((msg = gst_bus_pop (bus)) != NULL) {
    n += GST_MESSAGE_TYPE (msg) == type;
    gst_message_unref (msg);
  }
  return n;
}

GST_START_TEST (test_on_alert_chooses_what_is_posted_besides)
{
  static const struct
  {
    const gchar *how;
    guint warnings, errors;
  } rows[] = { { "message", 0, 0 }, { "warning", 1, 0 }, { "error", 0, 1 } };
  guint i, pass;

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    for (pass = 0; pass < 2; pass++) {
      RecRig f;

      rec_rig_init (&f, NULL);
      gst_util_set_object_arg (G_OBJECT (f.monitor), "on-alert", rows[i].how);
      g_object_set (
          f.monitor, "no-packets-timeout", G_GUINT64_CONSTANT (0), NULL);
      rec_run_until (f.clock, 3 * GST_SECOND);
      /* and clearing it adds nothing */
      rec_rig_push (&f, 1);
      rec_run_for (f.clock, GST_SECOND / 2);
      fail_unless_equals_int (
          count_type (f.bus, pass ? GST_MESSAGE_ERROR : GST_MESSAGE_WARNING),
          pass ? rows[i].errors : rows[i].warnings);
      rec_rig_clear (&f);
    }
}

GST_END_TEST;

GST_START_TEST (test_an_alert_in_paused_says_that_it_is_paused)
{
  RecRig f;
  GstMessage *msg;

  rec_rig_init (&f, NULL);
  gst_element_set_state (f.bin, GST_STATE_PAUSED);
  msg = run_until_alert (f.clock, f.bus, 2 * GST_SECOND);
  fail_unless (msg != NULL);
  fail_unless (strstr (gst_structure_get_string (
                           gst_message_get_structure (msg), "text"),
                   "PAUSED") != NULL);
  gst_message_unref (msg);
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_reset_clears_and_starts_over)
{
  RecRig f;

  rec_rig_init (&f, rec_test_encoder_new (TRUE));
  rec_rig_push (&f, 50);
  rec_run_until (f.clock, 3 * GST_SECOND);
  fail_unless_equals_int (
      count_alerts (f.bus, "zero-packet-streak", "raised"), 1);
  g_signal_emit_by_name (f.monitor, "reset");
  fail_unless_equals_uint64 (rec_stat (f.monitor, "zero-packet-streak"), 0);
  rec_run_for (f.clock, 100 * GST_MSECOND);
  fail_unless_equals_int (count_alerts (f.bus, NULL, "cleared"), 2);
  /* the source is dead still: told again, by the time it takes */
  rec_run_for (f.clock, 900 * GST_MSECOND);
  fail_unless_equals_int (count_alerts (f.bus, NULL, NULL), 0);
  rec_run_for (f.clock, 300 * GST_MSECOND);
  fail_unless_equals_int (count_alerts (f.bus, "no-packets", "raised"), 1);
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_the_end_of_the_stream_is_no_stall)
{
  RecRig f;

  rec_rig_init (&f, NULL);
  rec_run_until (f.clock, 2 * GST_SECOND);
  fail_unless_equals_int (count_alerts (f.bus, NULL, "raised"), 2);
  rec_rig_push (&f, 1);
  gst_harness_push_event (f.h, gst_event_new_eos ());
  rec_run_for (f.clock, 100 * GST_MSECOND);
  fail_unless_equals_int (count_alerts (f.bus, NULL, "cleared"), 2);
  rec_run_for (f.clock, 60 * GST_SECOND);
  fail_unless_equals_int (count_alerts (f.bus, NULL, NULL), 0);
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_stopping_clears_what_was_raised)
{
  RecRig f;

  rec_rig_init (&f, NULL);
  rec_run_until (f.clock, 2 * GST_SECOND);
  count_alerts (f.bus, NULL, NULL);
  gst_element_set_state (f.monitor, GST_STATE_READY);
  fail_unless_equals_int (count_alerts (f.bus, NULL, "cleared"), 2);
  rec_rig_clear (&f);
}

GST_END_TEST;

/* A person who acts on the message at once, in the thread that posts it. */
static GstBusSyncReply
stop_at_once (GstBus *bus, GstMessage *msg, gpointer user_data)
{
  RecRig *f = user_data;

  if (gst_message_has_name (msg, "recmonitor-alert") &&
      !GST_OBJECT_FLAG_IS_SET (bus, GST_OBJECT_FLAG_LAST)) {
    GST_OBJECT_FLAG_SET (bus, GST_OBJECT_FLAG_LAST);
    gst_element_set_state (f->monitor, GST_STATE_READY);
  }
  return GST_BUS_PASS;
}

GST_START_TEST (test_it_can_be_stopped_from_its_own_message)
{
  RecRig f;

  rec_rig_init (&f, NULL);
  gst_bus_set_sync_handler (f.bus, stop_at_once, &f, NULL);
  while (GST_STATE (f.monitor) != GST_STATE_READY) {
    GstClockID id = NULL;

    if (!gst_test_clock_peek_next_pending_id (f.clock, &id)) {
      g_thread_yield ();
      continue;
    }
    gst_test_clock_set_time (f.clock, gst_clock_id_get_time (id));
    gst_clock_id_unref (id);
    id = gst_test_clock_process_next_clock_id (f.clock);
    if (id)
      gst_clock_id_unref (id);
  }
  gst_bus_set_sync_handler (f.bus, NULL, NULL, NULL);
  rec_rig_clear (&f);
}

GST_END_TEST;

static Suite *
recmonalert_suite (void)
{
  Suite *s = suite_create ("recmonalert");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_a_dead_source_is_told_within_1200_ms);
  tcase_add_test (tc, test_a_dead_source_before_an_encoder_is_told_too);
  tcase_add_test (tc, test_five_frames_a_second_raise_nothing_in_ten_minutes);
  tcase_add_test (tc, test_swallowed_frames_name_the_encoder);
  tcase_add_test (tc, test_an_alert_is_raised_and_cleared_once);
  tcase_add_test (tc, test_a_source_that_comes_and_goes_is_one_alert);
  tcase_add_test (tc, test_rules_can_be_turned_off);
  tcase_add_test (
      tc, test_memory_above_its_limit_is_told_with_what_queues_hold);
  tcase_add_test (tc, test_on_alert_chooses_what_is_posted_besides);
  tcase_add_test (tc, test_an_alert_in_paused_says_that_it_is_paused);
  tcase_add_test (tc, test_reset_clears_and_starts_over);
  tcase_add_test (tc, test_the_end_of_the_stream_is_no_stall);
  tcase_add_test (tc, test_stopping_clears_what_was_raised);
  tcase_add_test (tc, test_it_can_be_stopped_from_its_own_message);
  return s;
}

GST_CHECK_MAIN (recmonalert);
