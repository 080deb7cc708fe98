/* gst-tsrec: receive buffers of sockets
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtcsockets.h"

#include <arpa/inet.h>
#include <gst/check/gstcheck.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKET 1200

static gint
make_pair (gint *sender)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t length = sizeof (address);
  gint fd = socket (AF_INET, SOCK_DGRAM, 0);

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  fail_unless (bind (fd, (struct sockaddr *)&address, length) == 0);
  fail_unless (getsockname (fd, (struct sockaddr *)&address, &length) == 0);
  *sender = socket (AF_INET, SOCK_DGRAM, 0);
  fail_unless (connect (*sender, (struct sockaddr *)&address, length) == 0);
  return fd;
}

static void
send_packets (gint fd, guint count)
{
  static const gchar packet[PACKET];

  while (count-- > 0)
    fail_unless_equals_int64 (send (fd, packet, PACKET, 0), PACKET);
}

static guint
count_received (gint fd)
{
  gchar packet[PACKET];
  guint n = 0;

  while (recv (fd, packet, PACKET, MSG_DONTWAIT) == PACKET)
    n++;
  return n;
}

GST_START_TEST (test_what_the_kernel_drops_is_counted)
{
  gint sender, fd = make_pair (&sender), small = 20000;
  guint32 drops = 1;
  guint received;

  fail_unless (
      setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof (small)) == 0);
  fail_unless (rtc_sockets_get_drops (fd, &drops));
  fail_unless_equals_int (drops, 0);
  send_packets (sender, 500);
  received = count_received (fd);
  fail_unless (rtc_sockets_get_drops (fd, &drops));
  fail_unless (drops > 0);
  fail_unless_equals_int (received + drops, 500);
  close (sender);
  close (fd);
}

GST_END_TEST;

GST_START_TEST (test_a_larger_buffer_holds_more)
{
  gint sender, fd = make_pair (&sender), small = 20000;
  guint granted, before;

  fail_unless (
      setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof (small)) == 0);
  send_packets (sender, 500);
  before = count_received (fd);
  granted = rtc_sockets_enlarge (fd, 150000);
  fail_unless (granted > (guint)small, "%u", granted);
  send_packets (sender, 500);
  fail_unless (count_received (fd) > before);
  /* One that is large enough stays as it is. */
  fail_unless_equals_int (rtc_sockets_enlarge (fd, 1000), granted);
  close (sender);
  close (fd);
}

GST_END_TEST;

GST_START_TEST (test_what_is_no_socket_has_no_buffer)
{
  guint32 drops;

  fail_unless_equals_int (rtc_sockets_enlarge (-1, 1000), 0);
  fail_if (rtc_sockets_get_drops (-1, &drops));
}

GST_END_TEST;

static Suite *
recsockets_suite (void)
{
  Suite *s = suite_create ("recsockets");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_what_the_kernel_drops_is_counted);
  tcase_add_test (tc, test_a_larger_buffer_holds_more);
  tcase_add_test (tc, test_what_is_no_socket_has_no_buffer);
  return s;
}

GST_CHECK_MAIN (recsockets);
