/* gst-tsrec: tsrecsink shows what its inner elements have
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rectest.h"
#include "tscheck.h"

#include <glib/gstdio.h>
#include <string.h>

/* The property of @bin that stands for @spec of its child called @prefix. */
static GParamSpec *
find_proxy (GObject *bin, GParamSpec *spec, const gchar *prefix)
{
  GObjectClass *klass = G_OBJECT_GET_CLASS (bin);
  gchar *name = g_strconcat (prefix, "-", spec->name, NULL);
  GParamSpec *proxy = g_object_class_find_property (klass, name);

  if (!proxy)
    proxy = g_object_class_find_property (klass, spec->name);
  g_free (name);
  return proxy;
}

/* Of GstBaseSink, and of no use for a recording; and what is on the bin once
 * for both children. */
static const gchar *const not_proxied[] = { "blocksize", "enable-last-sample",
  "last-sample", "max-bitrate", "max-lateness", "processing-deadline", "qos",
  "render-delay", "throttle-time", "ts-offset", NULL };

static void
assert_all_proxied (GstElement *bin, const gchar *child_name)
{
  GstElement *child = gst_bin_get_by_name (GST_BIN (bin), child_name);
  GParamSpec **specs;
  guint i, n;

  if (!child)
    return;
  specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (child), &n);
  for (i = 0; i < n; i++) {
    GParamSpec *proxy = find_proxy (G_OBJECT (bin), specs[i], child_name);

    if (g_type_is_a (GST_TYPE_ELEMENT, specs[i]->owner_type))
      continue;
    if (g_strv_contains (not_proxied, specs[i]->name)) {
      fail_unless (proxy == NULL, "%s", specs[i]->name);
      continue;
    }
    fail_unless (
        proxy != NULL, "no proxy of %s.%s", child_name, specs[i]->name);
    fail_unless (proxy->value_type == specs[i]->value_type);
    fail_unless_equals_string (
        g_param_spec_get_blurb (proxy), g_param_spec_get_blurb (specs[i]));
    fail_unless (
        g_param_values_cmp (specs[i], g_param_spec_get_default_value (proxy),
            g_param_spec_get_default_value (specs[i])) == 0,
        "%s has another default", specs[i]->name);
  }
  g_free (specs);
  gst_object_unref (child);
}

GST_START_TEST (test_every_property_of_the_children_is_on_the_bin)
{
  GstElement *bin = gst_check_setup_element ("tsrecsink");

  assert_all_proxied (bin, "mux");
  assert_all_proxied (bin, "sink");
  gst_check_teardown_element (bin);
}

GST_END_TEST;

static void
count_notify (GObject *object, GParamSpec *spec, guint *count)
{
  (*count)++;
}

GST_START_TEST (test_properties_are_set_and_read_through_the_bin)
{
  GstElement *bin = gst_check_setup_element ("tsrecsink");
  GstElement *sink = gst_bin_get_by_name (GST_BIN (bin), "sink");
  gchar *location;
  guint notified = 0;

  g_signal_connect (
      bin, "notify::location", G_CALLBACK (count_notify), &notified);
  g_object_set (bin, "location", "a.ts", NULL);
  g_object_get (sink, "location", &location, NULL);
  fail_unless_equals_string (location, "a.ts");
  g_free (location);
  fail_unless (notified > 0);
  notified = 0;
  g_object_set (sink, "location", "b.ts", NULL);
  fail_unless_equals_int (notified, 1);
  g_object_get (bin, "location", &location, NULL);
  fail_unless_equals_string (location, "b.ts");
  g_free (location);
  gst_object_unref (sink);
  gst_check_teardown_element (bin);
}

GST_END_TEST;

GST_START_TEST (test_stats_hold_the_fields_of_both_children)
{
  GstElement *bin = gst_check_setup_element ("tsrecsink");
  const gchar *names[] = { "mux-stats", "sink-stats" };
  GstStructure *stats = NULL, *part;
  guint i;
  gint j;

  g_object_get (bin, "stats", &stats, NULL);
  fail_unless (gst_structure_has_name (stats, "application/x-tsrecsink-stats"));
  for (i = 0; i < G_N_ELEMENTS (names); i++) {
    if (!g_object_class_find_property (G_OBJECT_GET_CLASS (bin), names[i]))
      continue;
    g_object_get (bin, names[i], &part, NULL);
    for (j = 0; j < gst_structure_n_fields (part); j++)
      fail_unless (gst_structure_has_field (
          stats, gst_structure_nth_field_name (part, j)));
    gst_structure_free (part);
  }
  gst_structure_free (stats);
  gst_check_teardown_element (bin);
}

GST_END_TEST;

static gchar *
give_name (GstElement *bin, guint index, guint *calls)
{
  (*calls)++;
  return g_strdup_printf ("named-%u.ts", index);
}

GST_START_TEST (test_signals_of_the_children_are_on_the_bin)
{
  GstElement *bin = gst_check_setup_element ("tsrecsink");
  GstElement *sink = gst_bin_get_by_name (GST_BIN (bin), "sink");
  GType type = G_OBJECT_TYPE (sink);
  guint *ids, i, n, calls = 0;
  GSignalQuery query;
  gchar *name = NULL;

  ids = g_signal_list_ids (type, &n);
  fail_unless (n >= 2);
  for (i = 0; i < n; i++) {
    g_signal_query (ids[i], &query);
    fail_unless (g_signal_lookup (query.signal_name, G_OBJECT_TYPE (bin)) != 0,
        "no signal %s", query.signal_name);
  }
  g_free (ids);
  /* without a name */
  g_signal_emit_by_name (sink, "format-location", 6, &name);
  fail_unless (name == NULL);
  g_signal_connect (bin, "format-location", G_CALLBACK (give_name), &calls);
  g_signal_emit_by_name (sink, "format-location", 7, &name);
  fail_unless_equals_string (name, "named-7.ts");
  fail_unless_equals_int (calls, 1);
  g_free (name);
  gst_object_unref (sink);
  gst_check_teardown_element (bin);
}

GST_END_TEST;

static void
note_signal (GstElement *sink, guint *calls)
{
  (*calls)++;
}

GST_START_TEST (test_action_signals_of_the_bin_act_on_the_child)
{
  GstElement *bin = gst_check_setup_element ("tsrecsink");
  GstElement *sink = gst_bin_get_by_name (GST_BIN (bin), "sink");
  guint calls = 0;

  g_signal_connect (sink, "split-now", G_CALLBACK (note_signal), &calls);
  g_signal_emit_by_name (bin, "split-now");
  fail_unless_equals_int (calls, 1);
  gst_object_unref (sink);
  gst_check_teardown_element (bin);
}

GST_END_TEST;

static void
setup (void)
{
  rec_test_assert_built_here ("tsrecsink");
}

static void
assert_conformant (const gchar *path)
{
  TsCheck *check = ts_check_new (NULL, NULL, NULL, NULL);
  gchar *contents;
  gsize size;

  fail_unless (g_file_get_contents (path, &contents, &size, NULL));
  ts_check_push (check, (const guint8 *)contents, size);
  fail_unless (ts_check_finish (check) == 0, "%s", ts_check_get_report (check));
  fail_unless (ts_check_get_stats (check)->warnings == 0, "%s",
      ts_check_get_report (check));
  ts_check_free (check);
  g_free (contents);
}

static void
play_to_eos (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *msg;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  msg = gst_bus_timed_pop_filtered (
      bus, 20 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (msg && GST_MESSAGE_TYPE (msg) == GST_MESSAGE_EOS);
  gst_message_unref (msg);
  gst_object_unref (bus);
}

/* --- What a user is told */

/* The error on the way to READY, which the caller frees; NULL: none. */
static gchar *
start_element (GstElement *element)
{
  GstBus *bus = gst_bus_new ();
  GstStateChangeReturn ret;
  GstMessage *msg;
  gchar *text = NULL;

  gst_element_set_bus (element, bus);
  ret = gst_element_set_state (element, GST_STATE_READY);
  msg = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless_equals_int (msg != NULL, ret == GST_STATE_CHANGE_FAILURE);
  if (msg) {
    GError *error;

    gst_message_parse_error (msg, &error, NULL);
    text = g_strdup (error->message);
    g_error_free (error);
    gst_message_unref (msg);
  }
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  return text;
}

GST_START_TEST (test_missing_location_is_an_error_on_the_way_to_ready)
{
  GstElement *bin = gst_check_setup_element ("tsrecsink");
  GstElement *sink = gst_bin_get_by_name (GST_BIN (bin), "sink");
  gchar *text = start_element (bin);
  guint calls = 0;
  gulong id;

  fail_unless (text && strstr (text, "Set location"), "%s", text);
  g_free (text);
  g_object_set (bin, "location", "", NULL);
  text = start_element (bin);
  fail_unless (text && strstr (text, "Set location"), "%s", text);
  g_free (text);
  /* an application may give the name, of the bin or of the sink */
  id =
      g_signal_connect (bin, "format-location", G_CALLBACK (give_name), &calls);
  g_object_set (bin, "location", NULL, NULL);
  fail_unless (start_element (bin) == NULL);
  g_signal_handler_disconnect (bin, id);
  g_signal_connect (sink, "format-location", G_CALLBACK (give_name), &calls);
  fail_unless (start_element (bin) == NULL);
  gst_object_unref (sink);
  gst_check_teardown_element (bin);
}
GST_END_TEST;

/* The values of `recording-id` in all messages of the elements of a recording
 * to @path whose second track is refused. */
static GHashTable *
collect_ids (const gchar *path, const gchar *recording_id)
{
  GHashTable *ids =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GstElement *pipeline = gst_parse_launch (
      "audiotestsrc num-buffers=50 ! avenc_aac ! aacparse ! tsrecsink name=rec "
      "appsrc name=other format=time ! rec.video_0",
      NULL);
  GstElement *other = gst_bin_get_by_name (GST_BIN (pipeline), "other");
  GstBus *bus = gst_element_get_bus (pipeline);
  GstCaps *caps = gst_caps_new_empty_simple ("video/x-vp8");
  GstMessage *msg;
  gboolean eos = FALSE;

  gst_child_proxy_set (GST_CHILD_PROXY (pipeline), "rec::location", path,
      "rec::recording-id", recording_id, NULL);
  g_object_set (other, "caps", caps, NULL);
  gst_caps_unref (caps);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_signal_emit_by_name (other, "end-of-stream", &eos);
  for (eos = FALSE; !eos;) {
    const GstStructure *s = NULL;

    msg = gst_bus_timed_pop (bus, 20 * GST_SECOND);
    fail_unless (msg != NULL);
    eos = GST_MESSAGE_TYPE (msg) == GST_MESSAGE_EOS;
    if (GST_MESSAGE_TYPE (msg) == GST_MESSAGE_ELEMENT)
      s = gst_message_get_structure (msg);
    else if (GST_MESSAGE_TYPE (msg) == GST_MESSAGE_WARNING)
      gst_message_parse_warning_details (msg, &s);
    fail_if (GST_MESSAGE_TYPE (msg) == GST_MESSAGE_ERROR);
    if (s)
      g_hash_table_add (
          ids, g_strdup (gst_structure_get_string (s, "recording-id")));
    gst_message_unref (msg);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (other);
  gst_object_unref (pipeline);
  return ids;
}

GST_START_TEST (test_messages_carry_the_recording_id)
{
  gchar *dir = g_dir_make_tmp ("tsrecsink-XXXXXX", NULL);
  gchar *path = g_build_filename (dir, "hall.ts", NULL);
  gchar *second = g_build_filename (dir, "hall-1.ts", NULL);
  GHashTable *ids = collect_ids (path, "stage 7");

  fail_unless_equals_int (g_hash_table_size (ids), 1);
  fail_unless (g_hash_table_contains (ids, "stage 7"));
  g_hash_table_unref (ids);
  /* else the name in location, the same from the first message on, whatever
   * number the file gets */
  ids = collect_ids (path, NULL);
  fail_unless_equals_int (g_hash_table_size (ids), 1);
  fail_unless (g_hash_table_contains (ids, "hall"));
  g_hash_table_unref (ids);
  g_unlink (path);
  g_unlink (second);
  g_rmdir (dir);
  g_free (path);
  g_free (second);
  g_free (dir);
}
GST_END_TEST;

/* Waits until the timer of the monitor has asked the sink. */
static void
wait_for_name (GstElement *monitor, const gchar *name)
{
  gint64 end = g_get_monotonic_time () + 20 * G_TIME_SPAN_SECOND;
  gboolean found = FALSE;

  while (!found) {
    GstStructure *s;

    fail_unless (g_get_monotonic_time () < end);
    g_usleep (10000);
    g_object_get (monitor, "stats", &s, NULL);
    found = !g_strcmp0 (gst_structure_get_string (s, "recording-id"), name);
    gst_structure_free (s);
  }
}

/* One name for a recording: that of the sink is known to the multiplexer and to the
 * monitors before it. */
GST_START_TEST (test_name_of_the_sink_is_that_of_the_recording)
{
  gchar *dir = g_dir_make_tmp ("tsrecsink-XXXXXX", NULL);
  gchar *path = g_build_filename (dir, "a.ts", NULL);
  GstElement *pipeline =
      gst_parse_launch ("audiotestsrc is-live=true ! avenc_aac ! aacparse ! "
                        "recmonitor name=mon report=false ! tsrecmux name=mux "
                        "! recfilesink name=s",
          NULL);
  GstElement *monitor = gst_bin_get_by_name (GST_BIN (pipeline), "mon");
  GstElement *mux = gst_bin_get_by_name (GST_BIN (pipeline), "mux");
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *msg;
  const GstStructure *s = NULL;

  gst_child_proxy_set (GST_CHILD_PROXY (pipeline), "s::location", path,
      "s::recording-id", "hall", NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  wait_for_name (monitor, "hall");
  GST_ELEMENT_WARNING (mux, STREAM, MUX, (NULL), ("said by the test"));
  do {
    msg =
        gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND, GST_MESSAGE_WARNING);
    fail_unless (msg != NULL);
  } while (GST_MESSAGE_SRC (msg) != GST_OBJECT (mux));
  gst_message_parse_warning_details (msg, &s);
  fail_unless_equals_string (
      gst_structure_get_string (s, "recording-id"), "hall");
  gst_message_unref (msg);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_unlink (path);
  g_rmdir (dir);
  gst_object_unref (mux);
  gst_object_unref (monitor);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  g_free (path);
  g_free (dir);
}
GST_END_TEST;

/* The mux has started over by then: what it writes does not go on where the
 * file ends. */
GST_START_TEST (test_a_new_start_after_eos_makes_a_new_file)
{
  gchar *dir = g_dir_make_tmp ("tsrecsink-XXXXXX", NULL);
  gchar *first = g_build_filename (dir, "rec.ts", NULL);
  gchar *second = g_build_filename (dir, "rec-1.ts", NULL);
  GstElement *pipeline =
      gst_parse_launch ("audiotestsrc num-buffers=100 ! avenc_aac ! aacparse ! "
                        "tsrecsink name=rec",
          NULL);

  gst_child_proxy_set (
      GST_CHILD_PROXY (pipeline), "rec::location", first, NULL);
  play_to_eos (pipeline);
  gst_element_set_state (pipeline, GST_STATE_READY);
  play_to_eos (pipeline);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  assert_conformant (first);
  assert_conformant (second);
  gst_object_unref (pipeline);
  g_unlink (first);
  g_unlink (second);
  g_rmdir (dir);
  g_free (first);
  g_free (second);
  g_free (dir);
}
GST_END_TEST;

/* A binding takes over a floating reference, and frees the template when it
 * has looked at it. */
GST_START_TEST (test_no_template_is_floating)
{
  GstElement *sink = gst_element_factory_make ("tsrecsink", NULL);
  const GList *l = gst_element_get_pad_template_list (sink);

  fail_unless_equals_int (g_list_length ((GList *)l), 3);
  for (; l; l = l->next)
    fail_if (g_object_is_floating (l->data), "%s is floating",
        GST_OBJECT_NAME (l->data));
  gst_object_unref (sink);
}
GST_END_TEST;

static Suite *
tsrecsink_suite (void)
{
  Suite *s = suite_create ("tsrecsink");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, NULL);
  tcase_add_test (tc, test_every_property_of_the_children_is_on_the_bin);
  tcase_add_test (tc, test_properties_are_set_and_read_through_the_bin);
  tcase_add_test (tc, test_stats_hold_the_fields_of_both_children);
  tcase_add_test (tc, test_signals_of_the_children_are_on_the_bin);
  tcase_add_test (tc, test_action_signals_of_the_bin_act_on_the_child);
  tcase_add_test (tc, test_missing_location_is_an_error_on_the_way_to_ready);
  tcase_add_test (tc, test_messages_carry_the_recording_id);
  tcase_add_test (tc, test_name_of_the_sink_is_that_of_the_recording);
  tcase_add_test (tc, test_a_new_start_after_eos_makes_a_new_file);
  tcase_add_test (tc, test_no_template_is_floating);
  return s;
}

GST_CHECK_MAIN (tsrecsink);
