/* gst-tsrec: ICE-lite, DTLS and SRTP on one UDP port
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "reclive.h"
#include "rectasks.h"
#include "rtcrtcp.h"
#include "rtctcpport.h"
#include "rtctestpeer.h"
#include "rtctransport-private.h"

#include <sys/socket.h>

#define TIMEOUT 20000
#define SSRC 0x11223344

/* Arguments that the callbacks got; under lock. */
typedef struct
{
  GMutex lock;
  GCond changed;
  gboolean refuse;
  guint connected;
  guint ended;
  RtcTransportEnd end;
  guint n_rtp;
  guint8 last_rtp[1500];
  gsize last_size;
} Seen;

static Seen seen;
static RtcUdpPort *port;
static RtcTransport *transport;

static gboolean
on_verify (const gchar *pem, gpointer user_data)
{
  return !seen.refuse;
}

static void
on_connected (const gchar *pair, gpointer user_data)
{
  g_mutex_lock (&seen.lock);
  seen.connected++;
  g_cond_broadcast (&seen.changed);
  g_mutex_unlock (&seen.lock);
}

static void
on_ended (RtcTransportEnd end, gpointer user_data)
{
  g_mutex_lock (&seen.lock);
  seen.ended++;
  seen.end = end;
  g_cond_broadcast (&seen.changed);
  g_mutex_unlock (&seen.lock);
}

static void
on_rtp (guint8 *data, gsize size, gint64 arrival, gpointer user_data)
{
  g_mutex_lock (&seen.lock);
  seen.n_rtp++;
  memcpy (seen.last_rtp, data, size);
  seen.last_size = size;
  g_cond_broadcast (&seen.changed);
  g_mutex_unlock (&seen.lock);
}

static void
on_rtcp (const guint8 *data, gsize size, gint64 arrival, gpointer user_data)
{
}

static gint64
on_tick (gint64 now, gpointer user_data)
{
  return G_MAXINT64;
}

static const RtcTransportCallbacks callbacks = { on_verify, on_connected,
  on_ended, NULL, on_rtp, on_rtcp, on_tick };

/* Waits until *@counter is at least @n. */
static void
wait_for (guint *counter, guint n)
{
  gint64 until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;

  g_mutex_lock (&seen.lock);
  while (*counter < n)
    fail_unless (g_cond_wait_until (&seen.changed, &seen.lock, until),
        "%u instead of %u", *counter, n);
  g_mutex_unlock (&seen.lock);
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

static RtcTestPeer *
start (const gchar *address, gboolean server)
{
  GError *error = NULL;
  guint number = find_port ();

  memset (&seen, 0, sizeof (seen));
  port = rtc_udp_port_open (number, 1000, &error);
  fail_unless (port != NULL, "%s", error ? error->message : "");
  transport = rtc_transport_new (port, server, &callbacks, NULL, &error);
  fail_unless (transport != NULL);
  return rtc_test_peer_new (address, number,
      rtc_transport_get_ufrag (transport), rtc_transport_get_pwd (transport),
      !server, NULL);
}

static void
stop (RtcTestPeer *peer)
{
  rtc_transport_free (transport);
  rtc_udp_port_close (port);
  rtc_test_peer_free (peer);
}

static void
check_media (const gchar *address, gboolean server)
{
  RtcTestPeer *peer = start (address, server);
  guint8 out[RTC_RTCP_MAX_SIZE];

  fail_unless (!rtc_transport_send_rtcp (
      transport, out, rtc_rtcp_write_pli (out, 1, "test", SSRC)));
  fail_unless (rtc_test_peer_connect (peer, TIMEOUT));
  wait_for (&seen.connected, 1);
  for (guint i = 0; i < 100; i++)
    rtc_test_peer_send_rtp (peer, SSRC, 96, i * 3000);
  wait_for (&seen.n_rtp, 100);
  fail_unless_equals_int (seen.last_size, 112);
  fail_unless_equals_int (seen.last_rtp[3], 99);
  fail_unless (rtc_transport_send_rtcp (
      transport, out, rtc_rtcp_write_pli (out, 1, "test", SSRC)));
  while (peer->n_rtcp == 0)
    fail_unless (rtc_test_peer_run (peer, TIMEOUT));
  fail_unless (memcmp (peer->rtcp, out, peer->rtcp_size) == 0);
  stop (peer);
}

GST_START_TEST (test_a_peer_connects_and_is_heard)
{
  check_media ("127.0.0.1", TRUE);
  check_media ("127.0.0.1", FALSE);
}

GST_END_TEST;

/* --- TCP --- */

static gchar *
find_tcp_candidate (void)
{
  gchar **candidates = rtc_udp_port_list_candidates (port), *found = NULL;

  for (guint i = 0; candidates[i] && !found; i++)
    if (strstr (candidates[i], " TCP ") && strstr (candidates[i], "127.0.0.1"))
      found = g_strdup (candidates[i]);
  g_strfreev (candidates);
  return found;
}

static void
check_tcp (const gchar *address, gboolean server)
{
  RtcTestPeer *peer = start (address, server);
  guint8 out[RTC_RTCP_MAX_SIZE];
  GError *error = NULL;
  gchar *candidate;

  fail_unless (find_tcp_candidate () == NULL);
  fail_unless (
      rtc_udp_port_open_tcp (port, &error), "%s", error ? error->message : "");
  candidate = find_tcp_candidate ();
  fail_unless (
      candidate && g_str_has_suffix (candidate, " typ host tcptype passive"),
      "%s", candidate);
  g_free (candidate);
  rtc_test_peer_use_tcp (peer);
  fail_unless (rtc_test_peer_connect (peer, TIMEOUT));
  wait_for (&seen.connected, 1);
  for (guint i = 0; i < 2000; i++)
    rtc_test_peer_send_rtp (peer, SSRC, 96, i * 3000);
  wait_for (&seen.n_rtp, 2000);
  fail_unless (rtc_transport_send_rtcp (
      transport, out, rtc_rtcp_write_pli (out, 1, "test", SSRC)));
  while (peer->n_rtcp == 0)
    fail_unless (rtc_test_peer_run (peer, TIMEOUT));
  fail_unless (memcmp (peer->rtcp, out, peer->rtcp_size) == 0);
  /* From TCP to UDP, and back over another connection. */
  peer->tcp = FALSE;
  rtc_test_peer_rebind (peer);
  rtc_test_peer_check (peer, TRUE);
  fail_unless_equals_int (rtc_test_peer_wait_answer (peer), 0);
  rtc_test_peer_send_rtp (peer, SSRC, 96, 0);
  wait_for (&seen.n_rtp, 2001);
  rtc_test_peer_use_tcp (peer);
  rtc_test_peer_check (peer, TRUE);
  fail_unless_equals_int (rtc_test_peer_wait_answer (peer), 0);
  rtc_test_peer_send_rtp (peer, SSRC, 96, 0);
  wait_for (&seen.n_rtp, 2002);
  stop (peer);
}

GST_START_TEST (test_a_peer_may_use_tcp)
{
  check_tcp ("127.0.0.1", TRUE);
  check_tcp ("127.0.0.1", FALSE);
  check_tcp ("::1", TRUE);
}

GST_END_TEST;

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

GST_START_TEST (test_a_connection_of_no_session_is_closed)
{
  static const RtcTcpPortCallbacks tcp_callbacks = { ignore_datagram, is_used };
  guint number = find_port ();
  RtcTcpPort *tcp = rtc_tcp_port_new (number, &tcp_callbacks, NULL, NULL);
  gint64 now = g_get_monotonic_time ();
  RtcTestPeer *peer;
  guint8 byte;

  fail_unless (tcp != NULL);
  fail_unless (rtc_tcp_port_tick (tcp, now) == G_MAXINT64);
  peer = rtc_test_peer_new ("127.0.0.1", number, "x", "y", FALSE, NULL);
  rtc_test_peer_use_tcp (peer);
  rtc_tcp_port_receive (tcp, now);
  is_of_session = TRUE;
  fail_unless (rtc_tcp_port_tick (tcp, now + G_TIME_SPAN_HOUR) <
      now + G_TIME_SPAN_HOUR + RTC_TCP_PORT_TIMEOUT);
  is_of_session = FALSE;
  now += G_TIME_SPAN_HOUR + RTC_TCP_PORT_TIMEOUT;
  fail_unless (rtc_tcp_port_tick (tcp, now - 1) != G_MAXINT64);
  fail_unless (recv (peer->fd, &byte, 1, MSG_DONTWAIT) < 0);
  fail_unless (rtc_tcp_port_tick (tcp, now) == G_MAXINT64);
  fail_unless_equals_int (recv (peer->fd, &byte, 1, 0), 0);
  rtc_tcp_port_free (tcp);
  rtc_test_peer_free (peer);
}

GST_END_TEST;

/* A connection that sends nonsense is closed. */
GST_START_TEST (test_a_connection_with_nonsense_is_closed)
{
  RtcTestPeer *peer = start ("127.0.0.1", TRUE);
  guint8 nothing[2000] = { 0xff, 0xff };

  fail_unless (rtc_udp_port_open_tcp (port, NULL));
  rtc_test_peer_use_tcp (peer);
  fail_unless (send (peer->fd, nothing, sizeof (nothing), MSG_NOSIGNAL) > 0);
  /* Closed, or reset. */
  fail_unless (recv (peer->fd, nothing, sizeof (nothing), 0) <= 0);
  rtc_test_peer_use_tcp (peer);
  fail_unless (rtc_test_peer_connect (peer, TIMEOUT));
  stop (peer);
}

GST_END_TEST;

GST_START_TEST (test_ipv6_works_like_ipv4)
{
  check_media ("::1", TRUE);
}

GST_END_TEST;

GST_START_TEST (test_a_certificate_that_is_not_accepted_ends_it)
{
  RtcTestPeer *peer = start ("127.0.0.1", TRUE);

  seen.refuse = TRUE;
  fail_unless (!rtc_test_peer_connect (peer, 2000));
  wait_for (&seen.ended, 1);
  fail_unless_equals_int (seen.end, RTC_TRANSPORT_REFUSED);
  fail_unless_equals_int (seen.connected, 0);
  stop (peer);
}

GST_END_TEST;

GST_START_TEST (test_closing_is_noticed)
{
  RtcTestPeer *peer = start ("127.0.0.1", TRUE);

  fail_unless (rtc_test_peer_connect (peer, TIMEOUT));
  wait_for (&seen.connected, 1);
  g_clear_pointer (&peer->dtls, rtc_dtls_free);
  wait_for (&seen.ended, 1);
  fail_unless_equals_int (seen.end, RTC_TRANSPORT_CLOSED);
  stop (peer);
}

GST_END_TEST;

GST_START_TEST (test_who_cannot_authenticate_gets_an_error)
{
  RtcTestPeer *peer = start ("127.0.0.1", TRUE);

  g_free (peer->pwd);
  peer->pwd = g_strdup ("wrong");
  rtc_test_peer_check (peer, TRUE);
  fail_unless_equals_int (
      rtc_test_peer_wait_answer (peer), RTC_STUN_UNAUTHENTICATED);
  stop (peer);
}

GST_END_TEST;

GST_START_TEST (test_a_controlled_peer_has_to_change_its_role)
{
  RtcTestPeer *peer = start ("127.0.0.1", TRUE);

  peer->controlled = TRUE;
  rtc_test_peer_check (peer, FALSE);
  fail_unless_equals_int (
      rtc_test_peer_wait_answer (peer), RTC_STUN_ROLE_CONFLICT);
  peer->controlled = FALSE;
  fail_unless (rtc_test_peer_connect (peer, TIMEOUT));
  stop (peer);
}

GST_END_TEST;

static void
wait_for_unknown (guint64 n)
{
  gint64 until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;
  RtcUdpPortStats stats;

  do {
    fail_unless (g_get_monotonic_time () < until);
    g_usleep (1000);
    rtc_udp_port_get_stats (port, &stats);
  } while (stats.unknown + stats.refused < n);
}

GST_START_TEST (test_another_address_counts_after_a_check)
{
  RtcTestPeer *peer = start ("127.0.0.1", TRUE);
  guint8 out[RTC_RTCP_MAX_SIZE];

  fail_unless (rtc_test_peer_connect (peer, TIMEOUT));
  wait_for (&seen.connected, 1);
  rtc_test_peer_send_rtp (peer, SSRC, 96, 0);
  wait_for (&seen.n_rtp, 1);
  rtc_test_peer_rebind (peer);
  rtc_test_peer_send_rtp (peer, SSRC, 96, 3000);
  wait_for_unknown (1);
  fail_unless_equals_int (seen.n_rtp, 1);
  rtc_test_peer_check (peer, TRUE);
  fail_unless_equals_int (rtc_test_peer_wait_answer (peer), 0);
  rtc_test_peer_send_rtp (peer, SSRC, 96, 6000);
  wait_for (&seen.n_rtp, 2);
  rtc_transport_send_rtcp (
      transport, out, rtc_rtcp_write_pli (out, 1, "test", SSRC));
  while (peer->n_rtcp == 0)
    fail_unless (rtc_test_peer_run (peer, TIMEOUT));
  stop (peer);
}

GST_END_TEST;

GST_START_TEST (test_ice_restarts_below_the_session)
{
  RtcTestPeer *peer = start ("127.0.0.1", TRUE);

  fail_unless (rtc_test_peer_connect (peer, TIMEOUT));
  rtc_transport_restart_ice (transport);
  /* The old credentials count until the new ones are used. */
  rtc_test_peer_check (peer, FALSE);
  fail_unless_equals_int (rtc_test_peer_wait_answer (peer), 0);
  g_free (peer->ufrag);
  g_free (peer->pwd);
  peer->ufrag = g_strdup (rtc_transport_get_ufrag (transport));
  peer->pwd = g_strdup (rtc_transport_get_pwd (transport));
  rtc_test_peer_check (peer, TRUE);
  fail_unless_equals_int (rtc_test_peer_wait_answer (peer), 0);
  rtc_test_peer_send_rtp (peer, SSRC, 96, 0);
  wait_for (&seen.n_rtp, 1);
  fail_unless_equals_int (seen.connected, 1);
  stop (peer);
}

GST_END_TEST;

/* RFC 3711 section 3.3.1: the rollover counter is not sent. */
GST_START_TEST (test_sequence_numbers_roll_over)
{
  RtcTestPeer *peer = start ("127.0.0.1", TRUE);

  fail_unless (rtc_test_peer_connect (peer, TIMEOUT));
  wait_for (&seen.connected, 1);
  peer->seq = 65000;
  for (guint i = 1; i <= 2 * 65536 + 1000; i++) {
    rtc_test_peer_send_rtp (peer, SSRC, 96, 0xffff0000 + i * 9);
    /* No more than the socket can hold. */
    if (i % 200 == 0)
      wait_for (&seen.n_rtp, i);
  }
  wait_for (&seen.n_rtp, 2 * 65536 + 1000);
  stop (peer);
}

GST_END_TEST;

/* A check that the peer has sent at @now. */
static void
take_check (RtcTestPeer *peer, gint64 now)
{
  gchar *username = g_strdup_printf ("%s:peer", peer->ufrag);
  RtcStunRequest request = {
    .username = username, .password = peer->pwd, .controlling = TRUE
  };
  guint8 data[RTC_STUN_MAX_SIZE], id[RTC_STUN_ID_SIZE] = { 1 };
  RtcStunMessage message;
  RtcDatagram datagram = { .data = data,
    .size = rtc_stun_write_request (data, id, &request),
    .remote = transport->selected->remote,
    .local = transport->selected->local,
    .arrival = now,
    .path = transport->selected };

  fail_unless (rtc_stun_parse (data, datagram.size, &message));
  fail_unless (rtc_transport_take_check (transport, &datagram, &message));
  g_free (username);
}

/* RFC 7675: three hours with a check in 25 s, and then none in 30. */
GST_START_TEST (test_consent_lasts_as_long_as_it_is_given)
{
  RtcTestPeer *peer = start ("127.0.0.1", TRUE);
  gint64 now;

  fail_unless (rtc_test_peer_connect (peer, TIMEOUT));
  wait_for (&seen.connected, 1);
  /* The thread of the port waits during the call. */
  rtc_udp_port_lock (port);
  now = g_get_monotonic_time ();
  for (guint i = 0; i < 3 * 3600 / 25; i++) {
    now += 25 * G_TIME_SPAN_SECOND;
    rtc_transport_tick (transport, now);
    take_check (peer, now);
  }
  fail_unless_equals_int (seen.ended, 0);
  rtc_transport_tick (transport, now + 30 * G_TIME_SPAN_SECOND - 1);
  fail_unless_equals_int (seen.ended, 0);
  rtc_transport_tick (transport, now + 30 * G_TIME_SPAN_SECOND);
  fail_unless_equals_int (seen.ended, 1);
  fail_unless_equals_int (seen.end, RTC_TRANSPORT_EXPIRED);
  rtc_udp_port_unlock (port);
  stop (peer);
}

GST_END_TEST;

GST_START_TEST (test_replayed_and_forged_packets_are_dropped)
{
  RtcTestPeer *peer = start ("127.0.0.1", TRUE);
  guint8 data[12 + 40] = { 0x80, 96, 0, 7, 0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44 };
  guint8 sealed[sizeof (data) + RTC_SRTP_MAX_TRAILER];
  gsize size = sizeof (data);

  fail_unless (rtc_test_peer_connect (peer, TIMEOUT));
  wait_for (&seen.connected, 1);
  memcpy (sealed, data, size);
  fail_unless (rtc_srtp_protect_rtp (peer->srtp, sealed, &size));
  rtc_test_peer_send_raw (peer, sealed, size);
  wait_for (&seen.n_rtp, 1);
  rtc_test_peer_send_raw (peer, sealed, size);
  sealed[size - 1] ^= 1;
  sealed[3] = 8;
  rtc_test_peer_send_raw (peer, sealed, size);
  rtc_test_peer_send_raw (peer, data, sizeof (data));
  wait_for_unknown (3);
  fail_unless_equals_int (seen.n_rtp, 1);
  stop (peer);
}

GST_END_TEST;

GST_START_TEST (test_the_number_of_ssrcs_is_bounded)
{
  RtcTestPeer *peer = start ("127.0.0.1", TRUE);

  fail_unless (rtc_test_peer_connect (peer, TIMEOUT));
  wait_for (&seen.connected, 1);
  for (guint i = 0; i < RTC_SRTP_MAX_SSRCS + 4; i++)
    rtc_test_peer_send_rtp (peer, 1000 + i, 96, 0);
  wait_for_unknown (4);
  fail_unless_equals_int (seen.n_rtp, RTC_SRTP_MAX_SSRCS);
  rtc_transport_remove_ssrc (transport, 1000);
  rtc_test_peer_send_rtp (peer, 5000, 96, 0);
  wait_for (&seen.n_rtp, RTC_SRTP_MAX_SSRCS + 1);
  stop (peer);
}

GST_END_TEST;

GST_START_TEST (test_strangers_are_limited)
{
  RtcTestPeer *peer = start ("127.0.0.1", TRUE);
  RtcTestPeer *stranger = rtc_test_peer_new ("127.0.0.1",
      rtc_udp_port_get_number (port), "nobody", "nothing", FALSE, NULL);
  RtcUdpPortStats stats;

  /* Who has been authenticated is not limited with them. */
  fail_unless (rtc_test_peer_connect (peer, TIMEOUT));
  wait_for (&seen.connected, 1);
  do {
    for (guint i = 0; i < 100; i++)
      rtc_test_peer_check (stranger, TRUE);
    rtc_udp_port_get_stats (port, &stats);
  } while (stats.limited == 0);
  rtc_test_peer_check (peer, TRUE);
  fail_unless_equals_int (rtc_test_peer_wait_answer (peer), 0);
  rtc_test_peer_send_rtp (peer, SSRC, 96, 0);
  wait_for (&seen.n_rtp, 1);
  fail_unless_equals_int (stranger->n_answers, 0);
  rtc_test_peer_free (stranger);
  stop (peer);
}

GST_END_TEST;

GST_START_TEST (test_a_port_is_shared_and_freed)
{
  guint number = find_port ();
  RtcUdpPort *first = rtc_udp_port_open (number, 5000, NULL);
  RtcUdpPort *second = rtc_udp_port_open (number, 0, NULL);
  gchar **candidates = rtc_udp_port_list_candidates (first);

  fail_unless (first != NULL && first == second);
  fail_unless (candidates[0] != NULL);
  g_strfreev (candidates);
  rtc_udp_port_close (first);
  rtc_udp_port_close (second);
  first = rtc_udp_port_open (number, 5000, NULL);
  fail_unless (first != NULL);
  rtc_udp_port_close (first);
}

GST_END_TEST;

/* --- RecTask --- */

static GMutex gate;
static gint n_blocked, n_run;

static void
block (gpointer unused)
{
  g_atomic_int_inc (&n_blocked);
  g_mutex_lock (&gate);
  g_mutex_unlock (&gate);
}

static void
count (gpointer unused)
{
  g_atomic_int_inc (&n_run);
}

GST_START_TEST (test_a_task_that_blocks_holds_up_no_other)
{
  RecTask *blocked[8], *other = rec_task_new (REC_TASKS_MEDIA, count, NULL);
  gint64 until = g_get_monotonic_time () + REC_LIVE_PATIENCE / GST_USECOND;

  g_mutex_lock (&gate);
  for (guint i = 0; i < G_N_ELEMENTS (blocked); i++) {
    blocked[i] = rec_task_new (REC_TASKS_MEDIA, block, NULL);
    rec_task_queue (blocked[i]);
  }
  /* As the port does while something waits. */
  do {
    rec_task_queue (other);
    rec_tasks_run_queued (REC_TASKS_MEDIA);
    g_usleep (1000);
    fail_unless (g_get_monotonic_time () < until);
  } while (g_atomic_int_get (&n_blocked) < (gint)G_N_ELEMENTS (blocked) ||
      g_atomic_int_get (&n_run) == 0);
  g_mutex_unlock (&gate);
  for (guint i = 0; i < G_N_ELEMENTS (blocked); i++)
    rec_task_free (blocked[i]);
  rec_task_free (other);
  rec_live_wait_for_threads ();
  fail_unless_equals_int (rec_tasks_count_threads (), 0);
}

GST_END_TEST;

static Suite *
rtctransport_suite (void)
{
  Suite *s = suite_create ("rtctransport");
  TCase *tc = tcase_create ("transport");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_a_peer_connects_and_is_heard);
  tcase_add_test (tc, test_a_peer_may_use_tcp);
  tcase_add_test (tc, test_a_connection_of_no_session_is_closed);
  tcase_add_test (tc, test_a_connection_with_nonsense_is_closed);
  tcase_add_test (tc, test_ipv6_works_like_ipv4);
  tcase_add_test (tc, test_a_certificate_that_is_not_accepted_ends_it);
  tcase_add_test (tc, test_closing_is_noticed);
  tcase_add_test (tc, test_who_cannot_authenticate_gets_an_error);
  tcase_add_test (tc, test_a_controlled_peer_has_to_change_its_role);
  tcase_add_test (tc, test_another_address_counts_after_a_check);
  tcase_add_test (tc, test_ice_restarts_below_the_session);
  tcase_add_test (tc, test_sequence_numbers_roll_over);
  tcase_add_test (tc, test_consent_lasts_as_long_as_it_is_given);
  tcase_add_test (tc, test_replayed_and_forged_packets_are_dropped);
  tcase_add_test (tc, test_the_number_of_ssrcs_is_bounded);
  tcase_add_test (tc, test_strangers_are_limited);
  tcase_add_test (tc, test_a_port_is_shared_and_freed);
  tcase_add_test (tc, test_a_task_that_blocks_holds_up_no_other);
  return s;
}

GST_CHECK_MAIN (rtctransport);
