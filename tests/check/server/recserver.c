/* gst-tsrec: the element recserver and its HTTP API
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rechttp.h"
#include "reclive.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

#define JSON_TYPE "Content-Type: application/json\r\n"

static GstElement *pipeline;
static GstElement *server;
static GstBus *bus;
static gchar *folder;
static gchar *url; /* without a slash at the end */

/* On a machine that needs more than ten seconds for a handshake, and does not
 * encode audio in time. "bad" has another source. */
static const gchar slow_config[] =
    "[path bad]\naudio=copy\n[path *]\naudio=copy\nlaunch={source} name=source "
    "peer-timeout=300000000000 source.video ! {queue} ! {video} ! "
    "recmonitor name=monitor_video stage=video ! tsrecsink name=rec "
    "source.audio ! {queue} ! {audio} ! "
    "recmonitor name=monitor_audio stage=audio ! rec.\n";

static void
set_slow_config (void)
{
  gchar *path = g_strconcat (folder, ".conf", NULL);

  fail_unless (g_file_set_contents (path, slow_config, -1, NULL));
  g_object_set (server, "config", path, NULL);
  g_free (path);
}

static void
remove_slow_config (void)
{
  gchar *path = g_strconcat (folder, ".conf", NULL);

  g_unlink (path);
  g_free (path);
}

static void
start_with (const gchar *property, const gchar *value)
{
  gchar *tools =
      g_build_filename (g_getenv ("REC_SOURCE_DIR"), "pipelines", NULL);

  rec_test_assert_built_here ("recserver");
  folder = g_dir_make_tmp ("recserver-XXXXXX", NULL);
  pipeline = gst_pipeline_new (NULL);
  server = gst_element_factory_make ("recserver", NULL);
  gst_bin_add (GST_BIN (pipeline), server);
  bus = gst_element_get_bus (pipeline);
  g_object_set (
      server, "port", 0, "directory", folder, "tools-directory", tools, NULL);
  if (g_getenv ("REC_SLOW_MACHINE"))
    set_slow_config ();
  if (property)
    gst_util_set_object_arg (G_OBJECT (server), property, value);
  fail_unless (gst_element_set_state (pipeline, GST_STATE_PLAYING) !=
      GST_STATE_CHANGE_FAILURE);
  g_object_get (server, "url", &url, NULL);
  fail_unless (g_str_has_prefix (url, "http://127.0.0.1:"));
  url[strlen (url) - 1] = '\0';
  g_free (tools);
}

static void
remove_folder (void)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir))) {
    gchar *path = g_build_filename (folder, name, NULL);

    g_unlink (path);
    g_free (path);
  }
  g_dir_close (dir);
  g_rmdir (folder);
}

static void
stop (void)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_clear_object (&pipeline);
  remove_folder ();
  remove_slow_config ();
  g_clear_pointer (&folder, g_free);
  g_clear_pointer (&url, g_free);
}

static gchar *
request (const gchar *method, const gchar *path, const gchar *headers,
    const gchar *body)
{
  gchar *where = g_strconcat (url, path, NULL);
  gchar *reply = rec_http (method, where, headers, body);

  g_free (where);
  return reply;
}

/* The JSON object that comes with @status. Caller unrefs. */
static JsonObject *
ask (const gchar *method, const gchar *path, const gchar *body, guint status)
{
  gchar *reply = request (method, path, JSON_TYPE, body);
  gchar *text = strstr (reply, "\r\n\r\n");
  JsonNode *node = text ? json_from_string (text, NULL) : NULL;
  JsonObject *object;

  fail_unless (rec_http_status (reply) == status, "not %u: %s", status, reply);
  fail_unless (node != NULL && JSON_NODE_HOLDS_OBJECT (node), "%s", reply);
  object = json_object_ref (json_node_get_object (node));
  fail_unless (
      json_object_get_boolean_member (object, "success") == (status < 400),
      "%s", reply);
  json_node_unref (node);
  g_free (reply);
  return object;
}

static void
assert_refused (
    const gchar *method, const gchar *path, const gchar *body, guint status)
{
  JsonObject *object = ask (method, path, body, status);

  fail_unless (strlen (json_object_get_string_member (object, "error")) > 3);
  fail_unless (strlen (json_object_get_string_member (object, "detail")) > 10);
  json_object_unref (object);
}

/* It cannot be started here, and @text of the answer says why. */
static void
assert_missing (const gchar *body, const gchar *text)
{
  JsonObject *object = ask ("POST", "/api/recording/start", body, 422);

  fail_unless (strstr (json_object_get_string_member (object, "detail"), text));
  json_object_unref (object);
}

static const gchar *
get (JsonObject *object, const gchar *name)
{
  return json_object_get_string_member (object, name);
}

/* Waits for "recserver-recording" of @id in @state. */
static void
wait_for_state (const gchar *id, const gchar *state)
{
  for (;;) {
    GstMessage *message = gst_bus_timed_pop_filtered (
        bus, REC_LIVE_PATIENCE, GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR);
    const GstStructure *s;
    gboolean found;

    fail_unless (message != NULL, "%s is never %s", id, state);
    s = gst_message_get_structure (message);
    fail_unless (gst_structure_has_name (s, "recserver-recording"));
    found = g_strcmp0 (gst_structure_get_string (s, "id"), id) == 0 &&
        g_strcmp0 (gst_structure_get_string (s, "state"), state) == 0;
    gst_message_unref (message);
    if (found)
      return;
  }
}

static GstElement *
publish_to (const gchar *id)
{
  gchar *line = g_strdup_printf (
      "recwhipsink name=sink location=%s/whip/%s videotestsrc is-live=true ! "
      "video/x-raw,width=160,height=120,framerate=25/1 ! "
      "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! "
      "video/x-h264,profile=constrained-baseline ! sink.video "
      "audiotestsrc is-live=true ! opusenc ! sink.audio",
      url, id);
  GstElement *sender = gst_parse_launch (line, NULL);

  fail_unless (sender != NULL);
  gst_element_set_state (sender, GST_STATE_PLAYING);
  g_free (line);
  return sender;
}

static void
unpublish (GstElement *sender)
{
  gst_element_set_state (sender, GST_STATE_NULL);
  gst_object_unref (sender);
}

/* Ends @id; its file is what the answer says, to the byte. Returns its path,
 * which the caller frees. */
static gchar *
stop_and_check (const gchar *id)
{
  gchar *body = g_strdup_printf ("{\"id\": \"%s\"}", id);
  JsonObject *end = ask ("POST", "/api/recording/stop", body, 200);
  gchar *path = g_strdup (get (end, "output_path"));
  GStatBuf st;

  fail_unless_equals_string (get (end, "state"), "stopped");
  fail_unless (g_stat (path, &st) == 0, "%s", path);
  fail_unless (st.st_size > 0);
  fail_unless_equals_uint64 (
      json_object_get_int_member (end, "file_size_bytes"), st.st_size);
  fail_unless (json_object_get_double_member (end, "duration_seconds") > 0.0);
  json_object_unref (end);
  g_free (body);
  return path;
}

/* --- the API --- */

GST_START_TEST (test_requests_that_are_wrong_are_refused_with_what_to_do)
{
  gchar *big = g_strnfill (70000, ' '), *deep = g_strnfill (10000, '[');

  start_with (NULL, NULL);
  assert_refused ("POST", "/api/recording/start", "{}", 400);
  assert_refused ("POST", "/api/recording/start", "", 400);
  assert_refused ("POST", "/api/recording/start", "{\"id\": 1}", 400);
  assert_refused ("POST", "/api/recording/start", "{\"id\": \"../a\"}", 400);
  assert_refused ("POST", "/api/recording/start", "{\"id\": \"a\\nb\"}", 400);
  assert_refused (
      "POST", "/api/recording/start", "{\"id\": \"a\\u0000b\"}", 400);
  assert_refused ("POST", "/api/recording/start", "hello", 400);
  assert_refused ("POST", "/api/recording/start", deep, 400);
  assert_refused ("POST", "/api/recording/start", big, 413);
  assert_refused ("POST", "/api/recording/start",
      "{\"id\": \"a\", \"video_quality\": \"best\"}", 422);
  assert_refused ("POST", "/api/recording/start",
      "{\"id\": \"a\", \"output_format\": \"webm\"}", 422);
  assert_missing ("{\"id\": \"a\", \"output_format\": \"mkv\"}",
      "recmkvmux, which is not installed here");
  assert_missing ("{\"id\": \"a\", \"source\": {\"type\": \"livekit\", "
                  "\"url\": \"wss://a\"}}",
      "reclivekitsrc, which is not installed here");
  assert_refused ("POST", "/api/recording/start",
      "{\"id\": \"a\", \"source\": {\"type\": \"livekit\", \"url\": "
      "\"wss://a\"}}",
      422);
  assert_refused ("POST", "/api/recording/start",
      "{\"id\": \"a\", \"source\": {\"type\": \"uri\", \"url\": "
      "\"file:///etc/passwd\"}}",
      400);
  assert_refused ("POST", "/api/recording/start",
      "{\"id\": \"a\", \"source\": {\"type\": \"tape\"}}", 422);
  assert_refused ("POST", "/api/recording/stop", "{\"id\": \"a\"}", 404);
  assert_refused ("GET", "/api/recording/status/a", NULL, 404);
  assert_refused ("GET", "/api/recording/status/%2e%2e", NULL, 404);
  assert_refused ("GET", "/api/recording/status/.a", NULL, 400);
  assert_refused ("GET", "/api/recording/start", NULL, 405);
  assert_refused ("GET", "/nothing", NULL, 404);
  assert_refused ("DELETE", "/whip/a/b", NULL, 404);
  assert_refused ("POST", "/whip/a", "v=0", 415);
  stop ();
  g_free (big);
  g_free (deep);
}
GST_END_TEST

GST_START_TEST (test_a_recording_waits_for_its_publisher)
{
  JsonObject *object;
  gchar *expected;

  start_with (NULL, NULL);
  object = ask ("POST", "/api/recording/start", "{\"mint_id\": \"m1\"}", 200);
  fail_unless_equals_string (get (object, "id"), "m1");
  fail_unless_equals_string (get (object, "state"), "waiting");
  fail_unless (g_str_has_suffix (get (object, "output_path"), ".ts"));
  fail_unless (g_str_has_prefix (get (object, "output_path"), folder));
  fail_unless (json_object_has_member (object, "start_time"));
  expected = g_strdup_printf ("http://127.0.0.1/whip/m1");
  fail_unless_equals_string (get (object, "publish_url"), expected);
  g_free (expected);
  json_object_unref (object);
  assert_refused ("POST", "/api/recording/start", "{\"id\": \"m1\"}", 409);
  object = ask ("GET", "/api/recording/active", NULL, 200);
  fail_unless_equals_int (json_object_get_int_member (object, "count"), 1);
  json_object_unref (object);
  object = ask ("GET", "/api/recording/status/m1", NULL, 200);
  fail_if (json_object_get_boolean_member (object, "is_recording"));
  fail_unless (json_object_has_member (
      json_object_get_object_member (object, "stats"), "zero_packet_streak"));
  json_object_unref (object);
  object = ask ("POST", "/api/recording/stop", "{\"mint_id\": \"m1\"}", 200);
  fail_unless_equals_string (get (object, "state"), "stopped");
  fail_unless (json_object_get_null_member (object, "output_path"));
  json_object_unref (object);
  object = ask ("GET", "/api/recording/status/m1", NULL, 200);
  fail_unless_equals_string (get (object, "state"), "stopped");
  json_object_unref (object);
  stop ();
}
GST_END_TEST

GST_START_TEST (test_an_unknown_format_records_mpegts_and_says_so)
{
  JsonObject *object;

  start_with (NULL, NULL);
  object = ask ("POST", "/api/recording/start",
      "{\"id\": \"a\", \"output_format\": \"avi\"}", 200);
  fail_unless_equals_string (get (object, "output_format"), "mpegts");
  fail_unless (strstr (get (object, "warning"), "\"avi\"") != NULL);
  json_object_unref (object);
  stop ();
}
GST_END_TEST

GST_START_TEST (test_one_recording_too_many_is_asked_to_come_back)
{
  gchar *reply;

  start_with ("max-recordings", "1");
  json_object_unref (
      ask ("POST", "/api/recording/start", "{\"id\": \"a\"}", 200));
  reply =
      request ("POST", "/api/recording/start", JSON_TYPE, "{\"id\": \"b\"}");
  fail_unless_equals_int (rec_http_status (reply), 503);
  rec_http_assert (reply, 503, "Retry-After: ");
  json_object_unref (
      ask ("POST", "/api/recording/stop", "{\"id\": \"a\"}", 200));
  json_object_unref (
      ask ("POST", "/api/recording/start", "{\"id\": \"b\"}", 200));
  stop ();
}
GST_END_TEST

/* --- who may ask --- */

GST_START_TEST (test_pages_of_other_origins_are_refused)
{
  start_with (NULL, NULL);
  rec_http_assert (
      request ("POST", "/api/recording/start",
          JSON_TYPE "Origin: https://evil.example\r\n", "{\"id\": \"a\"}"),
      403, "allow-origins");
  rec_http_assert (request ("POST", "/api/recording/start",
                       JSON_TYPE "Origin: null\r\n", "{\"id\": \"a\"}"),
      403, NULL);
  rec_http_assert (
      request ("POST", "/api/recording/start",
          JSON_TYPE "Origin: http://127.0.0.1\r\n", "{\"id\": \"a\"}"),
      200, NULL);
  stop ();
}
GST_END_TEST

GST_START_TEST (test_without_auth_it_listens_on_loopback_only)
{
  GstMessage *message;
  GError *error;

  server = gst_element_factory_make ("recserver", NULL);
  pipeline = gst_pipeline_new (NULL);
  gst_bin_add (GST_BIN (pipeline), server);
  bus = gst_element_get_bus (pipeline);
  g_object_set (server, "host", "0.0.0.0", "port", 0, NULL);
  fail_unless_equals_int (gst_element_set_state (pipeline, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, "[auth]") != NULL);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_clear_object (&pipeline);
}
GST_END_TEST

/* --- recordings --- */

GST_START_TEST (test_the_file_is_what_stop_said_to_the_byte)
{
  GstElement *sender;
  JsonObject *object;
  gchar *path;

  start_with (NULL, NULL);
  json_object_unref (ask ("POST", "/api/recording/start",
      "{\"mint_id\": \"m\", \"output_format\": \"mpegts\", "
      "\"video_quality\": \"medium\"}",
      200));
  sender = publish_to ("m");
  wait_for_state ("m", "recording");
  object = ask ("GET", "/api/recording/status/m", NULL, 200);
  fail_unless (json_object_get_boolean_member (object, "is_recording"));
  json_object_unref (object);
  path = stop_and_check ("m");
  fail_unless (g_str_has_suffix (path, ".ts"));
  unpublish (sender);
  g_free (path);
  stop ();
}
GST_END_TEST

typedef struct
{
  GMutex lock;
  GCond cond;
  gboolean goes_on; /* protected by lock */
} Stall;

static void
run_stalled (GTask *task, gpointer source, gpointer data, GCancellable *c)
{
  Stall *stall = data;

  g_mutex_lock (&stall->lock);
  while (!stall->goes_on)
    g_cond_wait (&stall->cond, &stall->lock);
  g_mutex_unlock (&stall->lock);
  g_task_return_boolean (task, TRUE);
}

/* The threads of GTask are taken by what reads a disk that has stalled: clients
 * that list and download. */
GST_START_TEST (test_a_stalled_disk_does_not_hold_up_start_and_stop)
{
  static Stall stall;
  GTask *tasks[1000];
  JsonObject *object;

  start_with (NULL, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++) {
    tasks[i] = g_task_new (NULL, NULL, NULL, NULL);
    g_task_set_task_data (tasks[i], &stall, NULL);
    g_task_run_in_thread (tasks[i], run_stalled);
  }
  json_object_unref (
      ask ("POST", "/api/recording/start", "{\"id\": \"a\"}", 200));
  object = ask ("POST", "/api/recording/stop", "{\"id\": \"a\"}", 200);
  fail_unless_equals_string (get (object, "state"), "stopped");
  json_object_unref (object);
  g_mutex_lock (&stall.lock);
  stall.goes_on = TRUE;
  g_cond_broadcast (&stall.cond);
  g_mutex_unlock (&stall.lock);
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    g_object_unref (tasks[i]);
  stop ();
}
GST_END_TEST

GST_START_TEST (test_a_publisher_starts_a_recording_and_comes_back_into_it)
{
  GstElement *sender;
  gchar *path;

  start_with (NULL, NULL);
  sender = publish_to ("cam");
  wait_for_state ("cam", "recording");
  unpublish (sender);
  wait_for_state ("cam", "waiting");
  sender = publish_to ("cam");
  wait_for_state ("cam", "recording");
  path = stop_and_check ("cam");
  unpublish (sender);
  g_free (path);
  stop ();
}
GST_END_TEST

GST_START_TEST (test_eos_ends_every_recording)
{
  GstElement *sender;
  GstMessage *message;

  start_with (NULL, NULL);
  sender = publish_to ("cam");
  wait_for_state ("cam", "recording");
  json_object_unref (
      ask ("POST", "/api/recording/start", "{\"id\": \"idle\"}", 200));
  gst_element_send_event (pipeline, gst_event_new_eos ());
  message = gst_bus_timed_pop_filtered (
      bus, REC_LIVE_PATIENCE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  gst_message_unref (message);
  assert_refused ("POST", "/api/recording/start", "{\"id\": \"a\"}", 503);
  assert_refused ("GET", "/readyz", NULL, 503);
  unpublish (sender);
  stop ();
}
GST_END_TEST

GST_START_TEST (test_a_recording_that_fails_does_not_touch_another)
{
  GstElement *sender;
  JsonObject *object;
  gchar *path;

  start_with (NULL, NULL);
  sender = publish_to ("good");
  wait_for_state ("good", "recording");
  /* A port that nobody listens on: tried again until stopped. */
  json_object_unref (ask ("POST", "/api/recording/start",
      "{\"id\": \"bad\", \"source\": {\"type\": \"uri\", \"url\": "
      "\"rtsp://127.0.0.1:9/\"}}",
      200));
  object = ask ("GET", "/api/recording/status/bad", NULL, 200);
  fail_unless_equals_string (get (object, "state"), "connecting");
  json_object_unref (object);
  json_object_unref (
      ask ("POST", "/api/recording/stop", "{\"id\": \"bad\"}", 200));
  path = stop_and_check ("good");
  unpublish (sender);
  g_free (path);
  stop ();
}
GST_END_TEST

/* --- files --- */

static void
write_file (const gchar *name, const gchar *text, gint64 age)
{
  gchar *path = g_build_filename (folder, name, NULL);
  GFile *file = g_file_new_for_path (path);

  fail_unless (g_file_set_contents (path, text, -1, NULL));
  fail_unless (g_file_set_attribute_uint64 (file,
      G_FILE_ATTRIBUTE_TIME_MODIFIED, g_get_real_time () / G_USEC_PER_SEC - age,
      G_FILE_QUERY_INFO_NONE, NULL, NULL));
  g_object_unref (file);
  g_free (path);
}

GST_START_TEST (test_files_are_served_in_ranges_and_nothing_else_is)
{
  gchar *path;

  start_with (NULL, NULL);
  write_file ("a.ts", "0123456789", 3600);
  write_file ("secret.txt", "no", 3600);
  write_file (".hidden.ts", "no", 3600);
  path = g_build_filename (folder, "link.ts", NULL);
  fail_unless_equals_int (symlink ("/etc/passwd", path), 0);
  rec_http_assert (
      request ("GET", "/files/a.ts", NULL, NULL), 200, "\r\n\r\n0123456789");
  rec_http_assert (request ("GET", "/files/a.ts", "Range: bytes=2-4\r\n", NULL),
      206, "\r\n\r\n234");
  rec_http_assert (request ("GET", "/files/a.ts", "Range: bytes=-3\r\n", NULL),
      206, "Content-Range: bytes 7-9/10");
  rec_http_assert (request ("GET", "/files/a.ts", "Range: bytes=-99\r\n", NULL),
      206, "bytes 0-9/10");
  rec_http_assert (
      request ("GET", "/files/a.ts",
          "Range: bytes=8-99999999999999999999999999999\r\n", NULL),
      206, "bytes 8-9/10");
  rec_http_assert (request ("GET", "/files/a.ts", "Range: bytes=10-\r\n", NULL),
      416, "bytes */10");
  rec_http_assert (
      request ("GET", "/files/a.ts", "Range: bytes=0-1,3-4\r\n", NULL), 200,
      NULL);
  rec_http_assert (
      request ("GET", "/files/a.ts", "If-None-Match: *\r\n", NULL), 304, NULL);
  rec_http_assert (request ("HEAD", "/files/a.ts", NULL, NULL), 200,
      "Content-Length: 10\r\n");
  assert_refused ("GET", "/files/link.ts", NULL, 403);
  assert_refused ("GET", "/files/secret.txt", NULL, 404);
  assert_refused ("GET", "/files/.hidden.ts", NULL, 403);
  assert_refused ("GET", "/files/b.ts", NULL, 404);
  assert_refused ("GET", "/hls/a.ts.m3u8", NULL, 422);
  assert_refused ("POST", "/files/a.ts", NULL, 405);
  stop ();
  g_free (path);
}
GST_END_TEST

/* A client that reuses the connection would not know whether its request was
 * handled. */
GST_START_TEST (test_a_connection_that_is_closed_is_announced)
{
  gchar *file, *list, *other;

  start_with (NULL, NULL);
  write_file ("a.ts", "0123456789", 3600);
  file = g_strconcat (url, "/files/a.ts", NULL);
  list = g_strconcat (url, "/api/recordings", NULL);
  other = g_strconcat (url, "/nothing", NULL);
  rec_http_assert_closing (rec_http_request ("GET", file, NULL, NULL), 200);
  rec_http_assert_closing (rec_http_request ("HEAD", file, NULL, NULL), 200);
  rec_http_assert_closing (
      rec_http_request ("GET", file, "Range: bytes=2-4\r\n", NULL), 206);
  rec_http_assert_closing (rec_http_request ("GET", list, NULL, NULL), 200);
  rec_http_assert_closing (rec_http_request ("GET", other, NULL, NULL), 404);
  g_free (other);
  g_free (list);
  g_free (file);
  stop ();
}
GST_END_TEST

GST_START_TEST (test_recordings_are_listed_sorted_and_deleted)
{
  JsonObject *object;
  JsonArray *rows;

  start_with (NULL, NULL);
  write_file ("b.ts", "0", 7200);
  write_file ("a.ts", "0123456789", 3600);
  write_file ("a.jsonl", "{}", 3600);
  write_file ("now.ts", "0", 0);
  object = ask ("GET", "/api/recordings?sort=size&limit=2", NULL, 200);
  fail_unless_equals_int (json_object_get_int_member (object, "total"), 3);
  rows = json_object_get_array_member (object, "recordings");
  fail_unless_equals_int (json_array_get_length (rows), 2);
  fail_unless_equals_string (
      get (json_array_get_object_element (rows, 0), "name"), "b.ts");
  json_object_unref (object);
  assert_refused ("GET", "/api/recordings?sort=colour", NULL, 400);
  assert_refused ("GET", "/api/recordings?limit=-1", NULL, 400);
  assert_refused ("DELETE", "/api/recordings/now.ts", NULL, 409);
  assert_refused ("DELETE", "/api/recordings/c.ts", NULL, 404);
  json_object_unref (ask ("DELETE", "/api/recordings/a.ts", NULL, 200));
  assert_refused ("DELETE", "/api/recordings/a.ts", NULL, 404);
  object = ask ("GET", "/api/recordings", NULL, 200);
  fail_unless_equals_int (json_object_get_int_member (object, "total"), 2);
  json_object_unref (object);
  stop ();
}
GST_END_TEST

static Suite *
recserver_suite (void)
{
  Suite *s = suite_create ("recserver");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  rec_live_init (tc);
  tcase_add_test (tc, test_requests_that_are_wrong_are_refused_with_what_to_do);
  tcase_add_test (tc, test_a_recording_waits_for_its_publisher);
  tcase_add_test (tc, test_an_unknown_format_records_mpegts_and_says_so);
  tcase_add_test (tc, test_one_recording_too_many_is_asked_to_come_back);
  tcase_add_test (tc, test_pages_of_other_origins_are_refused);
  tcase_add_test (tc, test_without_auth_it_listens_on_loopback_only);
  tcase_add_test (tc, test_the_file_is_what_stop_said_to_the_byte);
  tcase_add_test (tc, test_a_stalled_disk_does_not_hold_up_start_and_stop);
  tcase_add_test (
      tc, test_a_publisher_starts_a_recording_and_comes_back_into_it);
  tcase_add_test (tc, test_eos_ends_every_recording);
  tcase_add_test (tc, test_a_recording_that_fails_does_not_touch_another);
  tcase_add_test (tc, test_files_are_served_in_ranges_and_nothing_else_is);
  tcase_add_test (tc, test_a_connection_that_is_closed_is_announced);
  tcase_add_test (tc, test_recordings_are_listed_sorted_and_deleted);
  return s;
}

GST_CHECK_MAIN (recserver);
