/* gst-tsrec: queues of hooks and commands
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>
#include <string.h>

#include "recserverhooks.h"

/* As many as wait, of each kind. */
#define MAX_WAITING 10000

/* --- a receiver that takes connections and never answers --- */

typedef struct
{
  GSocketService *service;
  GPtrArray *connections;
  gchar *url;
} Receiver;

static gboolean
on_incoming (GSocketService *service, GSocketConnection *connection,
    GObject *source, gpointer data)
{
  g_ptr_array_add (data, g_object_ref (connection));
  return TRUE;
}

static void
receiver_init (Receiver *receiver)
{
  guint16 port;

  receiver->service = g_socket_service_new ();
  receiver->connections = g_ptr_array_new_with_free_func (g_object_unref);
  port = g_socket_listener_add_any_inet_port (
      G_SOCKET_LISTENER (receiver->service), NULL, NULL);
  fail_unless (port != 0);
  g_signal_connect (receiver->service, "incoming", G_CALLBACK (on_incoming),
      receiver->connections);
  receiver->url = g_strdup_printf ("http://127.0.0.1:%u/", port);
}

static void
receiver_clear (Receiver *receiver)
{
  g_socket_service_stop (receiver->service);
  g_socket_listener_close (G_SOCKET_LISTENER (receiver->service));
  g_object_unref (receiver->service);
  g_ptr_array_unref (receiver->connections);
  g_free (receiver->url);
}

static void
wait_for_connection (const Receiver *receiver)
{
  while (receiver->connections->len == 0)
    g_main_context_iteration (NULL, TRUE);
}

static void
drain (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

/* --- tests --- */

GST_START_TEST (test_the_hook_under_way_is_not_the_one_that_is_dropped)
{
  RecServerHooks *hooks = rec_server_hooks_new ();
  JsonObject *object = json_object_new ();
  RecServerHookCounts counts;
  Receiver slow, other;

  receiver_init (&slow);
  receiver_init (&other);
  rec_server_hooks_post (hooks, "a", slow.url, NULL, object);
  wait_for_connection (&slow);
  for (guint i = 0; i < MAX_WAITING + 5; i++)
    rec_server_hooks_post (hooks, "a", slow.url, NULL, object);
  rec_server_hooks_post (hooks, "b", other.url, NULL, object);
  wait_for_connection (&other);
  drain ();
  /* One at a time, in order. */
  fail_unless_equals_int (slow.connections->len, 1);
  rec_server_hooks_get_counts (hooks, &counts);
  fail_unless_equals_int (counts.waiting, MAX_WAITING);
  fail_unless_equals_uint64 (counts.dropped, 7);
  rec_server_hooks_free (hooks);
  drain ();
  json_object_unref (object);
  receiver_clear (&slow);
  receiver_clear (&other);
}
GST_END_TEST

static gint
read_pid (const gchar *path)
{
  gchar *text = NULL;
  gint pid = 0;

  if (g_file_get_contents (path, &text, NULL, NULL) &&
      g_str_has_suffix (text, "\n"))
    pid = (gint)g_ascii_strtoll (text, NULL, 10);
  g_free (text);
  return pid;
}

/* Nobody may be there who reaps it. */
static gboolean
is_running (gint pid)
{
  gchar *path = g_strdup_printf ("/proc/%d/stat", pid), *text = NULL;
  gboolean running = g_file_get_contents (path, &text, NULL, NULL) &&
      strstr (text, ") Z ") == NULL;

  g_free (text);
  g_free (path);
  return running;
}

GST_START_TEST (test_commands_end_with_the_service)
{
  gchar *folder = g_dir_make_tmp ("recserverhooks-XXXXXX", NULL);
  gchar *path = g_build_filename (folder, "pid", NULL);
  gchar *command = g_strdup_printf (
      "sh -c 'sleep 1000 & echo $! > %s.tmp; mv %s.tmp %s; wait'", path, path,
      path);
  RecServerHooks *hooks = rec_server_hooks_new ();
  JsonObject *facts = json_object_new ();
  gint pid;

  rec_server_hooks_run (hooks, "a", command, "/a.ts", facts, NULL, NULL);
  while ((pid = read_pid (path)) == 0)
    g_main_context_iteration (NULL, FALSE);
  rec_server_hooks_free (hooks);
  drain ();
  while (is_running (pid))
    g_thread_yield ();
  json_object_unref (facts);
  g_unlink (path);
  g_rmdir (folder);
  g_free (command);
  g_free (path);
  g_free (folder);
}
GST_END_TEST

static void
note_done (const gchar *path, gpointer data)
{
  g_ptr_array_add (data, g_strdup (path));
}

static void
note_problem (const gchar *id, const gchar *text, gpointer data)
{
  fail_unless_equals_string (id, "a");
  g_ptr_array_add (data, g_strdup (text));
}

GST_START_TEST (test_a_command_that_fails_holds_up_no_other)
{
  RecServerHooks *hooks = rec_server_hooks_new ();
  JsonObject *facts = json_object_new ();
  GPtrArray *done = g_ptr_array_new_with_free_func (g_free);
  GPtrArray *problems = g_ptr_array_new_with_free_func (g_free);
  RecServerHookCounts counts;

  rec_server_hooks_set_problem_func (hooks, note_problem, problems);
  rec_server_hooks_run (
      hooks, "a", "false", "/a-00000.ts", facts, note_done, done);
  rec_server_hooks_run (
      hooks, "a", "true", "/a-00001.ts", facts, note_done, done);
  rec_server_hooks_run (
      hooks, "a", "true", "/a-00002.ts", facts, note_done, done);
  while (done->len < 2)
    g_main_context_iteration (NULL, TRUE);
  fail_unless_equals_string (done->pdata[0], "/a-00001.ts");
  fail_unless_equals_string (done->pdata[1], "/a-00002.ts");
  fail_unless_equals_int (problems->len, 1);
  fail_unless (strstr (problems->pdata[0], "/a-00000.ts") != NULL);
  /* Until its file is deleted. */
  rec_server_hooks_forget (hooks, "/a-0.m3u8");
  rec_server_hooks_forget (hooks, "/b.m3u8");
  rec_server_hooks_get_counts (hooks, &counts);
  fail_unless_equals_int (counts.waiting, 1);
  rec_server_hooks_forget (hooks, "/a.m3u8");
  do {
    rec_server_hooks_get_counts (hooks, &counts);
  } while (counts.waiting > 0 && g_main_context_iteration (NULL, TRUE));
  rec_server_hooks_free (hooks);
  drain ();
  g_ptr_array_unref (done);
  g_ptr_array_unref (problems);
  json_object_unref (facts);
}
GST_END_TEST

static Suite *
recserverhooks_suite (void)
{
  Suite *s = suite_create ("recserverhooks");
  TCase *tc = tcase_create ("general");

  /* valgrind does not carry the exceptions of libproxy. */
  g_setenv ("GIO_USE_PROXY_RESOLVER", "dummy", TRUE);

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_the_hook_under_way_is_not_the_one_that_is_dropped);
  tcase_add_test (tc, test_commands_end_with_the_service);
  tcase_add_test (tc, test_a_command_that_fails_holds_up_no_other);
  return s;
}

GST_CHECK_MAIN (recserverhooks);
