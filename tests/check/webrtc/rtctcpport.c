/* gst-tsrec: ICE over TCP, as strangers use it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "reclive.h"
#include "rtctcpport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/resource.h>
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

static gboolean
can_be_read (RtcTcpPort *tcp)
{
  struct pollfd fd = { rtc_tcp_port_get_fd (tcp), POLLIN, 0 };

  return poll (&fd, 1, 0) > 0;
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

GST_START_TEST (test_connections_of_one_host_are_limited)
{
  guint number;
  RtcTcpPort *tcp = open_tcp (&number);
  gint64 now = g_get_monotonic_time ();
  gint fds[RTC_TCP_PORT_MAX_STRANGERS + 1], other;

  for (guint i = 0; i < G_N_ELEMENTS (fds); i++) {
    fds[i] = connect_tcp ("127.0.0.1", 0, number);
    rtc_tcp_port_receive (tcp, now);
  }
  fail_unless (is_open (fds[RTC_TCP_PORT_MAX_STRANGERS - 1]));
  fail_unless (!is_open (fds[RTC_TCP_PORT_MAX_STRANGERS]));
  other = connect_tcp ("127.0.0.2", 0, number);
  rtc_tcp_port_receive (tcp, now);
  fail_unless (is_open (other));
  close (other);
  /* Those of sessions do not count. */
  is_of_session = TRUE;
  other = connect_tcp ("127.0.0.1", 0, number);
  rtc_tcp_port_receive (tcp, now);
  fail_unless (is_open (other));
  rtc_tcp_port_free (tcp);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    close (fds[i]);
  close (other);
}

GST_END_TEST;

GST_START_TEST (test_nothing_spins_without_descriptors)
{
  guint number;
  RtcTcpPort *tcp = open_tcp (&number);
  gint64 now = g_get_monotonic_time ();
  gint fd = connect_tcp ("127.0.0.1", 0, number), other;
  struct rlimit before, none;

  getrlimit (RLIMIT_NOFILE, &before);
  none = before;
  none.rlim_cur = 3;
  fail_unless (can_be_read (tcp));
  setrlimit (RLIMIT_NOFILE, &none);
  rtc_tcp_port_receive (tcp, now);
  fail_unless (rtc_tcp_port_tick (tcp, now) <= now + G_USEC_PER_SEC);
  setrlimit (RLIMIT_NOFILE, &before);
  fail_unless (!can_be_read (tcp));
  /* valgrind imitates the limit, and has accepted and closed the first one. */
  other = connect_tcp ("127.0.0.1", 0, number);
  fail_unless (!can_be_read (tcp));
  rtc_tcp_port_tick (tcp, now + G_USEC_PER_SEC);
  fail_unless (can_be_read (tcp));
  rtc_tcp_port_receive (tcp, now + G_USEC_PER_SEC);
  rtc_tcp_port_receive (tcp, now + G_USEC_PER_SEC);
  fail_unless (is_open (other));
  rtc_tcp_port_tick (tcp, now + G_USEC_PER_SEC + RTC_TCP_PORT_TIMEOUT);
  fail_unless (!is_open (other));
  rtc_tcp_port_free (tcp);
  close (other);
  close (fd);
}

GST_END_TEST;

static guint
hash_host_of (const gchar *text, guint number)
{
  struct sockaddr_in6 name = { .sin6_family = AF_INET6,
    .sin6_port = htons ((guint16)number) };
  RtcAddress address;

  fail_unless (inet_pton (AF_INET6, text, &name.sin6_addr) == 1);
  address = rtc_address_from_sockaddr ((struct sockaddr *)&name);
  return rtc_address_hash_host (&address);
}

GST_START_TEST (test_a_subnet_of_ipv6_is_one_host)
{
  fail_unless_equals_int (
      hash_host_of ("2001:db8::1", 1), hash_host_of ("2001:db8::2:3", 2));
  fail_unless (
      hash_host_of ("2001:db8::1", 1) != hash_host_of ("2001:db8:0:1::1", 1));
}

GST_END_TEST;

static Suite *
rtctcpport_suite (void)
{
  Suite *s = suite_create ("rtctcpport");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_an_address_may_connect_again_after_a_reset);
  tcase_add_test (tc, test_connections_of_one_host_are_limited);
  tcase_add_test (tc, test_nothing_spins_without_descriptors);
  tcase_add_test (tc, test_a_subnet_of_ipv6_is_one_host);
  return s;
}

GST_CHECK_MAIN (rtctcpport);
