/* gst-tsrec: a recording that waits for its publisher is not in trouble
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recmontest.h"

#include "recquery.h"
#include "recstatusline.h"

#include <fcntl.h>
#include <unistd.h>

/* Answer of the source of the test, and whether it answers. */
static gboolean answers;
static RecSource source;
static gint asked; /* atomic */

static gboolean
answer_source (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (!answers || !rec_query_is_source (query))
    return gst_pad_query_default (pad, parent, query);
  g_atomic_int_inc (&asked);
  rec_query_set_source (query, &source);
  return TRUE;
}

static void
set_source (gboolean connected, gboolean waiting)
{
  answers = TRUE;
  source.connected = connected;
  source.waiting = waiting;
}

static void
rig_init (RecRig *f, GstElement *encoder)
{
  rec_rig_init (f, encoder);
  gst_pad_set_query_function (f->h->srcpad, answer_source);
}

/* Alerts of @rule and @state on the bus, which is empty afterwards. */
static guint
count_alerts (RecRig *f, const gchar *rule, const gchar *state)
{
  GstMessage *msg;
  guint n = 0;

  while ((msg = rec_pop_named (f->bus, "recmonitor-alert")) != NULL) {
    const GstStructure *s = gst_message_get_structure (msg);

    n += g_str_equal (gst_structure_get_string (s, "rule"), rule) &&
        g_str_equal (gst_structure_get_string (s, "state"), state);
    gst_message_unref (msg);
  }
  return n;
}

static gboolean
is_waiting (RecRig *f)
{
  GstStructure *s = NULL;
  gboolean waiting;

  g_object_get (f->monitor, "stats", &s, NULL);
  fail_unless (gst_structure_get_boolean (s, "waiting", &waiting));
  gst_structure_free (s);
  return waiting;
}

static gchar *
get_metric (const gchar *name)
{
  gchar *path = g_strdup_printf ("%s/metrics-%d", g_get_tmp_dir (), getpid ());
  gchar *text = NULL, *line, *value;

  fail_unless (g_file_get_contents (path, &text, NULL, NULL));
  line = strstr (text, name);
  while (line && line != text && line[-1] != '\n')
    line = strstr (line + 1, name);
  value = line ? g_strndup (strchr (line, '}') + 2, 1) : NULL;
  g_free (text);
  g_free (path);
  return value;
}

GST_START_TEST (test_waiting_for_ten_minutes_raises_nothing)
{
  RecRig f;

  set_source (FALSE, TRUE);
  rig_init (&f, NULL);
  rec_run_until (f.clock, 600 * GST_SECOND);
  fail_unless_equals_int (rec_count_named (f.bus, "recmonitor-alert"), 0);
  fail_unless_equals_uint64 (rec_stat (f.monitor, "zero-packet-streak"), 0);
  fail_unless (is_waiting (&f));
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_waiting_costs_one_check_a_second)
{
  RecRig f;

  set_source (FALSE, TRUE);
  rig_init (&f, NULL);
  rec_run_until (f.clock, 10 * GST_SECOND);
  g_atomic_int_set (&asked, 0);
  rec_run_for (f.clock, 10 * GST_SECOND);
  fail_unless_equals_int (g_atomic_int_get (&asked), 10);
  set_source (TRUE, FALSE);
  rec_run_for (f.clock, GST_SECOND);
  g_atomic_int_set (&asked, 0);
  rec_run_for (f.clock, GST_SECOND);
  fail_unless_equals_int (g_atomic_int_get (&asked), 10);
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_a_connected_publisher_that_sends_nothing_is_told)
{
  RecRig f;

  set_source (FALSE, TRUE);
  rig_init (&f, NULL);
  rec_run_until (f.clock, 60 * GST_SECOND);
  set_source (TRUE, FALSE);
  /* The second begins when it connects. */
  rec_run_for (f.clock, 900 * GST_MSECOND);
  fail_unless_equals_int (rec_count_named (f.bus, "recmonitor-alert"), 0);
  fail_unless (!is_waiting (&f));
  rec_run_for (f.clock, 500 * GST_MSECOND);
  fail_unless_equals_int (count_alerts (&f, "no-packets", "raised"), 1);
  /* It leaves: that is over. */
  set_source (FALSE, TRUE);
  rec_run_for (f.clock, 200 * GST_MSECOND);
  fail_unless_equals_int (count_alerts (&f, "no-packets", "cleared"), 1);
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_a_sound_only_publisher_is_no_dead_picture)
{
  RecRig f;

  set_source (TRUE, TRUE);
  rig_init (&f, NULL);
  rec_run_until (f.clock, 60 * GST_SECOND);
  fail_unless_equals_int (rec_count_named (f.bus, "recmonitor-alert"), 0);
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_frames_left_in_an_encoder_are_no_streak_while_waiting)
{
  RecRig f;

  set_source (TRUE, FALSE);
  rig_init (&f, rec_test_encoder_new (TRUE));
  rec_rig_push (&f, 5);
  fail_unless_equals_uint64 (rec_stat (f.monitor, "zero-packet-streak"), 5);
  set_source (FALSE, TRUE);
  rec_run_for (f.clock, 200 * GST_MSECOND);
  fail_unless_equals_uint64 (rec_stat (f.monitor, "zero-packet-streak"), 0);
  rec_rig_clear (&f);
}

GST_END_TEST;

GST_START_TEST (test_a_source_that_does_not_tell_is_expected_to_send)
{
  RecRig f;

  answers = FALSE;
  rig_init (&f, NULL);
  rec_run_until (f.clock, 3 * GST_SECOND);
  fail_unless (!is_waiting (&f));
  fail_unless_equals_int (count_alerts (&f, "no-packets", "raised"), 1);
  rec_rig_clear (&f);
}

GST_END_TEST;

/* switchbin has no path, and passes no query on, before the first caps. */
GST_START_TEST (test_a_bin_without_a_path_hides_no_source)
{
  GstElement *bin = gst_bin_new ("switch");
  GstElement *monitor = gst_element_factory_make ("recmonitor", NULL);
  GstTestClock *clock = GST_TEST_CLOCK (gst_test_clock_new ());
  GstElement *stage = rec_test_stage_new ("Source/Network", NULL);
  GstPad *srcpad = gst_element_get_static_pad (stage, "src");
  GstPad *sinkpad = gst_element_get_static_pad (monitor, "sink");
  GstPad *in = gst_ghost_pad_new_no_target ("sink", GST_PAD_SINK);
  GstPad *out = gst_ghost_pad_new_no_target ("src", GST_PAD_SRC);
  GstBus *bus = gst_bus_new ();

  set_source (FALSE, TRUE);
  gst_pad_set_query_function (srcpad, answer_source);
  gst_element_add_pad (bin, in);
  gst_element_add_pad (bin, out);
  fail_unless_equals_int (gst_pad_link (srcpad, in), GST_PAD_LINK_OK);
  fail_unless_equals_int (gst_pad_link (out, sinkpad), GST_PAD_LINK_OK);
  g_object_set (monitor, "clock", clock, NULL);
  gst_element_set_bus (monitor, bus);
  gst_element_set_state (monitor, GST_STATE_PAUSED);
  rec_run_until (clock, 30 * GST_SECOND);
  fail_unless_equals_int (rec_count_named (bus, "recmonitor-alert"), 0);
  gst_element_set_state (monitor, GST_STATE_NULL);
  gst_pad_unlink (srcpad, in);
  gst_pad_unlink (out, sinkpad);
  gst_element_set_bus (monitor, NULL);
  gst_object_unref (bus);
  gst_object_unref (srcpad);
  gst_object_unref (sinkpad);
  gst_object_unref (clock);
  gst_object_unref (monitor);
  gst_object_unref (stage);
  gst_object_unref (bin);
}

GST_END_TEST;

GST_START_TEST (test_the_metric_says_whether_a_publisher_is_connected)
{
  gchar *path = g_strdup_printf ("%s/metrics-%d", g_get_tmp_dir (), getpid ());
  gchar *value;
  RecRig f;

  set_source (FALSE, TRUE);
  rig_init (&f, NULL);
  g_object_set (f.monitor, "metrics-file", path, NULL);
  rec_run_until (f.clock, 2 * GST_SECOND);
  value = get_metric ("recording_publisher_connected{");
  fail_unless_equals_string (value, "0");
  g_free (value);
  set_source (TRUE, FALSE);
  source.packets_dropped = 7;
  rec_run_for (f.clock, 2 * GST_SECOND);
  value = get_metric ("recording_publisher_connected{");
  fail_unless_equals_string (value, "1");
  g_free (value);
  value = get_metric ("recording_socket_dropped_packets_total{");
  fail_unless_equals_string (value, "7");
  g_free (value);
  rec_rig_clear (&f);
  answers = FALSE;
  rig_init (&f, NULL);
  g_object_set (f.monitor, "metrics-file", path, NULL);
  rec_run_until (f.clock, 2 * GST_SECOND);
  fail_unless (get_metric ("recording_publisher_connected{") == NULL);
  rec_rig_clear (&f);
  fail_unless_equals_int (unlink (path), 0);
  g_free (path);
}

GST_END_TEST;

static gchar *
make_line (RecStatusLine *report)
{
  static RecMonitorStats stats;

  memset (&stats, 0, sizeof (stats));
  stats.recording_id = "rec";
  stats.stage = "video";
  stats.bytes_written = 2400000;
  stats.bytes_dropped = report->waiting_for_disk ? 4200000 : 0;
  stats.bitrate = 1500000;
  stats.packet_rate = 30;
  stats.memory_rss = 61300000;
  report->stats = &stats;
  report->elapsed = 3723 * GST_SECOND;
  report->written_known = TRUE;
  return rec_status_line_format (report);
}

/* Without the date, whose zone is that of the machine. */
static void
assert_line (RecStatusLine report, const gchar *expected)
{
  gchar *line = make_line (&report);

  fail_unless (g_regex_match_simple (
      "^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d ", line, 0, 0));
  fail_unless_equals_string (line + strlen ("1970-01-01 00:00:00 "), expected);
  g_free (line);
}

GST_START_TEST (test_the_line_says_what_an_operator_has_to_know)
{
  assert_line ((RecStatusLine){ .connected = TRUE },
      "rec [video] 01:02:03  2.4 MB written  1.5 Mbit/s  30.0 packets/s  "
      "streak 0  memory 61.3 MB");
  assert_line ((RecStatusLine){ .waiting = TRUE },
      "rec [video] 01:02:03  waiting for a publisher");
  assert_line ((RecStatusLine){ .waiting = TRUE, .connected = TRUE },
      "rec [video] 01:02:03  2.4 MB written  the publisher sends none  memory "
      "61.3 MB");
  assert_line ((RecStatusLine){ .waiting_for_disk = TRUE, .alerts = "memory" },
      "rec [video] 01:02:03  2.4 MB written  1.5 Mbit/s  30.0 packets/s  "
      "streak 0  memory 61.3 MB  DISK FULL  4.2 MB dropped  ALERT memory");
}

GST_END_TEST;

/* Returns how often @text is in the file @path, which is truncated. */
static guint
count_and_truncate (const gchar *path, const gchar *text)
{
  gchar *content = NULL, *at;
  guint n = 0;

  fail_unless (g_file_get_contents (path, &content, NULL, NULL));
  for (at = content; (at = strstr (at, text)) != NULL; at++)
    n++;
  fail_unless_equals_int (truncate (path, 0), 0);
  g_free (content);
  return n;
}

/* Each wait is reported by one line, also if the session in between was shorter
 * than the interval of the lines. */
GST_START_TEST (test_each_wait_has_one_line)
{
  gchar *path = g_strdup_printf ("%s/lines-%d", g_get_tmp_dir (), getpid ());
  gint kept = dup (2), file = open (path, O_CREAT | O_WRONLY | O_APPEND, 0600);
  RecRig f;

  set_source (FALSE, TRUE);
  rig_init (&f, NULL);
  g_object_set (f.monitor, "report", TRUE, NULL);
  fail_unless (dup2 (file, 2) == 2);
  rec_run_until (f.clock, 5 * GST_SECOND);
  fail_unless_equals_int (count_and_truncate (path, "waiting for a pub"), 1);
  set_source (TRUE, FALSE);
  rec_run_for (f.clock, 300 * GST_MSECOND);
  set_source (FALSE, TRUE);
  rec_run_for (f.clock, 3 * GST_SECOND);
  fail_unless_equals_int (count_and_truncate (path, "waiting for a pub"), 1);
  rec_run_for (f.clock, 10 * GST_SECOND);
  fail_unless_equals_int (count_and_truncate (path, "waiting for a pub"), 0);
  dup2 (kept, 2);
  close (kept);
  close (file);
  rec_rig_clear (&f);
  fail_unless_equals_int (unlink (path), 0);
  g_free (path);
}

GST_END_TEST;

static Suite *
recmonwaiting_suite (void)
{
  Suite *s = suite_create ("recmonwaiting");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_waiting_for_ten_minutes_raises_nothing);
  tcase_add_test (tc, test_waiting_costs_one_check_a_second);
  tcase_add_test (tc, test_a_connected_publisher_that_sends_nothing_is_told);
  tcase_add_test (tc, test_a_sound_only_publisher_is_no_dead_picture);
  tcase_add_test (
      tc, test_frames_left_in_an_encoder_are_no_streak_while_waiting);
  tcase_add_test (tc, test_a_source_that_does_not_tell_is_expected_to_send);
  tcase_add_test (tc, test_a_bin_without_a_path_hides_no_source);
  tcase_add_test (tc, test_the_metric_says_whether_a_publisher_is_connected);
  tcase_add_test (tc, test_the_line_says_what_an_operator_has_to_know);
  tcase_add_test (tc, test_each_wait_has_one_line);
  return s;
}

GST_CHECK_MAIN (recmonwaiting);
