/* gst-tsrec: fixtures of the tests of live WebRTC sessions
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "reclive.h"

void
rec_live_set_transport (GstElement *src)
{
  GInetAddress *any;
  GSocketAddress *address, *bound;
  GSocket *socket;

  if (!g_getenv ("REC_TEST_UDP_PORT"))
    return;
  any = g_inet_address_new_any (G_SOCKET_FAMILY_IPV4);
  address = g_inet_socket_address_new (any, 0);
  socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
      G_SOCKET_PROTOCOL_UDP, NULL);
  fail_unless (g_socket_bind (socket, address, FALSE, NULL));
  bound = g_socket_get_local_address (socket, NULL);
  g_object_set (src, "udp-port",
      (guint)g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)),
      NULL);
  g_object_unref (bound);
  g_object_unref (socket);
  g_object_unref (address);
  g_object_unref (any);
}

/* The name of a thread that is not for the whole life of the process, or NULL.
 * Those of GLib's workers and of GStreamer's clock are. Caller frees. */
static gchar *
rec_live_find_thread (void)
{
  static const gchar *const kept[] = { "gmain", "pool-spawner",
    "GstSystemClock", NULL };
  GDir *dir = g_dir_open ("/proc/self/task", 0, NULL);
  const gchar *id;
  gchar *name = NULL;

  fail_unless (dir != NULL);
  while (!name && (id = g_dir_read_name (dir)) != NULL) {
    gchar *path = g_strdup_printf ("/proc/self/task/%s/comm", id);

    /* One that has just ended has no name any more. */
    if (g_ascii_strtoll (id, NULL, 10) != getpid () &&
        g_file_get_contents (path, &name, NULL, NULL) &&
        g_strv_contains (kept, g_strchomp (name)))
      g_clear_pointer (&name, g_free);
    g_free (path);
  }
  g_dir_close (dir);
  return name;
}

void
rec_live_wait_for_threads (void)
{
  gint64 until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;
  gchar *name;

  while ((name = rec_live_find_thread ()) != NULL) {
    fail_unless (
        g_get_monotonic_time () < until, "thread \"%s\" is left", name);
    g_free (name);
    g_usleep (10000);
  }
}

void
rec_live_init (TCase *tc)
{
  /* libproxy and its unwinder are not what is tested here. */
  g_setenv ("GIO_USE_PROXY_RESOLVER", "dummy", TRUE);
  g_thread_pool_set_max_unused_threads (0);
  tcase_add_checked_fixture (tc, NULL, rec_live_wait_for_threads);
}
