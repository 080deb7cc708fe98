/* gst-tsrec: what the service reports when the disk refuses
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recserver.h"

#define TS_PACKET_SIZE 188

static GAsyncQueue *warnings; /* gchar * */
static GAsyncQueue *started;  /* gchar *, ids */
static gchar *folder;

static void
on_message (GstStructure *s, gpointer user_data)
{
  if (gst_structure_has_name (s, "recserver-warning"))
    g_async_queue_push (
        warnings, g_strdup (gst_structure_get_string (s, "text")));
  else
    g_async_queue_push (started, g_strdup (gst_structure_get_string (s, "id")));
  gst_structure_free (s);
}

static void
set_up (void)
{
  warnings = g_async_queue_new_full (g_free);
  started = g_async_queue_new_full (g_free);
  folder = g_dir_make_tmp ("recserverdisk-XXXXXX", NULL);
}

static void
write_file (const gchar *name, const gchar *text, gssize length)
{
  gchar *path = g_build_filename (folder, name, NULL);

  fail_unless (g_file_set_contents (path, text, length, NULL));
  g_free (path);
}

/* @length bytes of null packets. */
static void
write_ts (const gchar *name, gsize length)
{
  guint8 *bytes = g_malloc0 (length);

  for (gsize i = 0; i < length; i += TS_PACKET_SIZE) {
    bytes[i] = 0x47;
    if (i + 3 < length) {
      bytes[i + 1] = 0x1f;
      bytes[i + 2] = 0xff;
      bytes[i + 3] = 0x10;
    }
  }
  write_file (name, (const gchar *)bytes, length);
  g_free (bytes);
}

/* Nothing in the folder can be changed any more, by root neither. */
static void
take_permissions (void)
{
  fail_unless (g_chmod (folder, 0555) == 0);
  if (geteuid () == 0)
    fail_unless (seteuid (65534) == 0);
}

static void
give_permissions (void)
{
  if (getuid () == 0)
    fail_unless (seteuid (0) == 0);
  fail_unless (g_chmod (folder, 0755) == 0);
}

static void
tear_down (void)
{
  GDir *dir;
  const gchar *name;

  give_permissions ();
  dir = g_dir_open (folder, 0, NULL);
  while ((name = g_dir_read_name (dir))) {
    gchar *path = g_build_filename (folder, name, NULL);

    g_unlink (path);
    g_free (path);
  }
  g_dir_close (dir);
  g_rmdir (folder);
  g_free (folder);
  g_async_queue_unref (warnings);
  g_async_queue_unref (started);
}

static RecServer *
start (const gchar *paths)
{
  GError *error = NULL;
  RecServerConfig *config =
      rec_server_config_parse (paths, strlen (paths), "test", &error);
  RecServer *server;

  fail_unless (config != NULL, "%s", error ? error->message : "");
  g_free (config->directory);
  config->directory = g_strdup (folder);
  config->port = 0;
  server = rec_server_new (config, on_message, NULL, &error);
  fail_unless (server != NULL, "%s", error ? error->message : "");
  rec_server_config_unref (config);
  return server;
}

static void
wait_for_warning (const gchar *part, const gchar *name)
{
  gchar *text = g_async_queue_pop (warnings);

  fail_unless (strstr (text, part) != NULL && strstr (text, name) != NULL,
      "not \"%s\": %s", part, text);
  g_free (text);
}

GST_START_TEST (test_what_a_crash_left_and_cannot_be_closed_is_reported)
{
  RecServer *server;
  gchar *path;

  set_up ();
  write_ts ("a.ts", 10 * TS_PACKET_SIZE + 7);
  write_file ("a.json", "{\"id\": \"a\", \"ended\": null}", -1);
  path = g_build_filename (folder, "a.ts", NULL);
  fail_unless (g_chmod (path, 0444) == 0);
  take_permissions ();
  server = start ("[path *]\nrun-on-closed=true\n");
  wait_for_warning ("could not be truncated to whole packets", path);
  wait_for_warning ("could not be written", path);
  rec_server_free (server);
  fail_unless_equals_int (g_async_queue_length (warnings), 0);
  g_free (path);
  tear_down ();
}
GST_END_TEST

GST_START_TEST (test_what_cannot_be_deleted_is_reported)
{
  RecServer *server;

  set_up ();
  for (gchar name[] = "a.ts"; *name < 'd'; (*name)++) {
    gchar *sidecar = g_strdup_printf ("%c.json", *name);

    write_ts (name, 10 * TS_PACKET_SIZE);
    write_file (sidecar, "{\"id\": \"x\", \"ended\": \"stop\"}", -1);
    g_free (sidecar);
  }
  take_permissions ();
  server = start ("[path *]\nkeep-bytes=2000\n");
  wait_for_warning ("exceeds keep-time or keep-bytes", "b.ts");
  rec_server_free (server);
  /* One warning, not one for each. */
  fail_unless_equals_int (g_async_queue_length (warnings), 0);
  tear_down ();
}
GST_END_TEST

GST_START_TEST (test_a_source_is_recorded_when_its_folder_can_be_made)
{
  RecServer *server;
  gchar *id, *path;

  set_up ();
  write_file ("sub", "in the way of a folder", -1);
  /* A port that nobody listens on: tried again until stopped. */
  server =
      start ("[path gate]\nsource=rtsp://127.0.0.1:9/\nlocation=sub/{id}\n");
  wait_for_warning ("is not recorded: folder not writable", "gate");
  fail_unless_equals_int (g_async_queue_length (started), 0);
  path = g_build_filename (folder, "sub", NULL);
  fail_unless (g_unlink (path) == 0);
  id = g_async_queue_pop (started);
  fail_unless_equals_string (id, "gate");
  rec_server_free (server);
  fail_unless_equals_int (g_async_queue_length (warnings), 0);
  g_rmdir (path);
  g_free (path);
  g_free (id);
  tear_down ();
}
GST_END_TEST

static Suite *
recserverdisk_suite (void)
{
  Suite *s = suite_create ("recserverdisk");
  TCase *tc = tcase_create ("general");

  /* valgrind does not carry the exceptions of libproxy. */
  g_setenv ("GIO_USE_PROXY_RESOLVER", "dummy", TRUE);

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_what_a_crash_left_and_cannot_be_closed_is_reported);
  tcase_add_test (tc, test_what_cannot_be_deleted_is_reported);
  tcase_add_test (tc, test_a_source_is_recorded_when_its_folder_can_be_made);
  return s;
}

GST_CHECK_MAIN (recserverdisk);
