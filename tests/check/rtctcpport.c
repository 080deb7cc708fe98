/* gst-tsrec: ICE over TCP, as strangers use it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "reclive.h"
#include "rtctcpport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static gboolean is_of_session;

static void
ignore_datagram (guint8 *data, gsize size, const RtcAddress *remote,
    const RtcAddress *local, gint64 arrival, gpointer user_data)
{
}

static gboolean
is_used (const RtcAddress *remote, gpointer user_data)
{
  return is_of_session;
}

static guint
find_port (void)
{
  GstElement *src = gst_element_factory_make ("recwhipsrc", NULL);
  guint number;

  g_setenv ("REC_TEST_UDP_PORT", "1", TRUE);
  rec_live_set_transport (src);
  g_object_get (src, "udp-port", &number, NULL);
  gst_object_unref (src);
  return number;
}

static RtcTcpPort *
open_tcp (guint *number)
{
  static const RtcTcpPortCallbacks tcp_callbacks = { ignore_datagram, is_used };
  RtcTcpPort *tcp;

  *number = find_port ();
  is_of_session = FALSE;
  tcp = rtc_tcp_port_new (*number, &tcp_callbacks, NULL, NULL);
  fail_unless (tcp != NULL);
  return tcp;
}

/* From @from, a port of 0 is any, to @number of this host. */
static gint
connect_tcp (const gchar *from, guint from_port, guint number)
{
  struct sockaddr_in name = { .sin_family = AF_INET,
    .sin_port = htons ((guint16)from_port) };
  struct linger reset = { 1, 0 };
  gint one = 1, fd = socket (AF_INET, SOCK_STREAM, 0);

  fail_unless (inet_pton (AF_INET, from, &name.sin_addr) == 1);
  setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof (one));
  setsockopt (fd, SOL_SOCKET, SO_LINGER, &reset, sizeof (reset));
  fail_unless (bind (fd, (struct sockaddr *)&name, sizeof (name)) == 0);
  name.sin_port = htons ((guint16)number);
  name.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  fail_unless (connect (fd, (struct sockaddr *)&name, sizeof (name)) == 0);
  return fd;
}

static guint
get_own_port (gint fd)
{
  struct sockaddr_in name;
  socklen_t size = sizeof (name);

  fail_unless (getsockname (fd, (struct sockaddr *)&name, &size) == 0);
  return ntohs (name.sin_port);
}

static gboolean
is_open (gint fd)
{
  guint8 byte;

  return recv (fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* Memory safety: the listener is ready before the connection that was reset, and
 * the one that takes its place is accepted first. */
GST_START_TEST (test_an_address_may_connect_again_after_a_reset)
{
  guint number, own;
  RtcTcpPort *tcp = open_tcp (&number);
  gint64 now = g_get_monotonic_time ();
  gint first = connect_tcp ("127.0.0.1", 0, number), other, second;

  own = get_own_port (first);
  rtc_tcp_port_receive (tcp, now);
  other = connect_tcp ("127.0.0.1", 0, number);
  close (first);
  second = connect_tcp ("127.0.0.1", own, number);
  rtc_tcp_port_receive (tcp, now);
  rtc_tcp_port_receive (tcp, now);
  fail_unless (is_open (second));
  fail_unless (is_open (other));
  rtc_tcp_port_tick (tcp, now + RTC_TCP_PORT_TIMEOUT);
  fail_unless (!is_open (second));
  rtc_tcp_port_free (tcp);
  close (second);
  close (other);
}

GST_END_TEST;

static Suite *
rtctcpport_suite (void)
{
  Suite *s = suite_create ("rtctcpport");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_an_address_may_connect_again_after_a_reset);
  return s;
}

GST_CHECK_MAIN (rtctcpport);
