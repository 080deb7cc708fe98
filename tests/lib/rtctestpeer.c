/* gst-tsrec: the other side of an RtcTransport, for tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtctestpeer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static void
send_datagram (const guint8 *data, gsize size, gpointer user_data)
{
  RtcTestPeer *self = user_data;
  guint8 frame[2 + 2048] = { (guint8)(size >> 8), (guint8)size };

  if (!self->tcp) {
    if (send (self->fd, data, size, 0) < 0)
      return;
    return;
  }
  memcpy (frame + 2, data, size);
  /* In two pieces, as it may come. */
  if (send (self->fd, frame, 3, MSG_NOSIGNAL) < 0 ||
      send (self->fd, frame + 3, size - 1, MSG_NOSIGNAL) < 0)
    return;
}

static gssize
receive_datagram (RtcTestPeer *self, guint8 *data, gsize size)
{
  guint8 header[2];
  gsize n;

  if (!self->tcp)
    return recv (self->fd, data, size, 0);
  if (recv (self->fd, header, 2, MSG_WAITALL) != 2)
    return -1;
  n = (gsize)header[0] << 8 | header[1];
  g_assert (n <= size);
  return recv (self->fd, data, n, MSG_WAITALL);
}

static gboolean
verify (const gchar *pem, gpointer user_data)
{
  return !((RtcTestPeer *)user_data)->refuse;
}

static void
open_socket (RtcTestPeer *self)
{
  self->fd = socket (self->remote.ss_family,
      (self->tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
  g_assert (self->fd >= 0);
  g_assert (connect (self->fd, (struct sockaddr *)&self->remote,
                self->remote_size) == 0);
}

RtcTestPeer *
rtc_test_peer_new (const gchar *address, guint port, const gchar *ufrag,
    const gchar *pwd, gboolean server, RtcCertificate *certificate)
{
  static const RtcDtlsCallbacks callbacks = { send_datagram, verify };
  RtcTestPeer *self = g_new0 (RtcTestPeer, 1);
  struct sockaddr_in *in = (struct sockaddr_in *)&self->remote;
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&self->remote;

  rtc_srtp_init ();
  if (inet_pton (AF_INET, address, &in->sin_addr) == 1) {
    in->sin_family = AF_INET;
    in->sin_port = htons ((guint16)port);
    self->remote_size = sizeof (*in);
  } else {
    g_assert (inet_pton (AF_INET6, address, &in6->sin6_addr) == 1);
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons ((guint16)port);
    self->remote_size = sizeof (*in6);
  }
  self->ufrag = g_strdup (ufrag);
  self->pwd = g_strdup (pwd);
  self->certificate = certificate ? rtc_certificate_ref (certificate)
                                  : rtc_certificate_new (NULL);
  self->dtls = rtc_dtls_new (self->certificate, server, &callbacks, self);
  open_socket (self);
  return self;
}

void
rtc_test_peer_free (RtcTestPeer *self)
{
  rtc_dtls_free (self->dtls);
  rtc_srtp_free (self->srtp);
  rtc_certificate_unref (self->certificate);
  close (self->fd);
  g_free (self->ufrag);
  g_free (self->pwd);
  g_free (self);
}

const gchar *
rtc_test_peer_get_fingerprint (RtcTestPeer *self)
{
  return rtc_certificate_get_fingerprint (self->certificate);
}

void
rtc_test_peer_rebind (RtcTestPeer *self)
{
  gint old = self->fd;

  open_socket (self);
  close (old);
}

void
rtc_test_peer_use_tcp (RtcTestPeer *self)
{
  self->tcp = TRUE;
  rtc_test_peer_rebind (self);
}

void
rtc_test_peer_check (RtcTestPeer *self, gboolean use_candidate)
{
  gchar *username = g_strdup_printf ("%s:peer", self->ufrag);
  RtcStunRequest request = { .username = username,
    .password = self->pwd,
    .controlling = !self->controlled,
    .use_candidate = use_candidate,
    .tie_breaker = 1,
    .priority = 1 };
  guint8 data[RTC_STUN_MAX_SIZE], id[RTC_STUN_ID_SIZE];

  RAND_bytes (id, sizeof (id));
  rtc_test_peer_send_raw (
      self, data, rtc_stun_write_request (data, id, &request));
  g_free (username);
}

/* A full agent on the other side checks as well. */
static void
answer_check (RtcTestPeer *self, const RtcStunMessage *message)
{
  guint8 out[RTC_STUN_MAX_SIZE];

  if (self->own_pwd)
    rtc_test_peer_send_raw (self, out,
        rtc_stun_write_success (out, message->id,
            (const struct sockaddr *)&self->remote, self->own_pwd));
}

static void
take_answer (RtcTestPeer *self, const guint8 *data, gsize size)
{
  RtcStunMessage message;

  if (!rtc_stun_parse (data, size, &message))
    return;
  if (message.type == RTC_STUN_BINDING_REQUEST) {
    answer_check (self, &message);
    return;
  }
  self->last_error = (gint)message.error;
  if (message.type == RTC_STUN_BINDING_SUCCESS &&
      !rtc_stun_verify (data, &message, self->pwd))
    self->last_error = -2;
  self->n_answers++;
}

static void
take_dtls (RtcTestPeer *self, const guint8 *data, gsize size)
{
  RtcSrtpKeys keys;

  rtc_dtls_receive (self->dtls, data, size);
  if (!self->srtp && rtc_dtls_get_keys (self->dtls, &keys))
    self->srtp = rtc_srtp_new (&keys);
}

gboolean
rtc_test_peer_run (RtcTestPeer *self, gint timeout)
{
  struct pollfd fd = { self->fd, POLLIN, 0 };
  guint8 data[2048];
  gsize size;
  gssize n;

  if (poll (&fd, 1, timeout) <= 0)
    return FALSE;
  n = receive_datagram (self, data, sizeof (data));
  if (n <= 0)
    return FALSE;
  size = (gsize)n;
  if (rtc_stun_is_stun (data, size))
    take_answer (self, data, size);
  else if (rtc_dtls_is_dtls (data, size))
    take_dtls (self, data, size);
  else if (self->srtp && rtc_srtp_unprotect_rtcp (self->srtp, data, &size)) {
    memcpy (self->rtcp, data, MIN (size, sizeof (self->rtcp)));
    self->rtcp_size = size;
    self->n_rtcp++;
  }
  return TRUE;
}

gint
rtc_test_peer_wait_answer (RtcTestPeer *self)
{
  guint before = self->n_answers;
  gint64 until = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;

  while (self->n_answers == before && g_get_monotonic_time () < until)
    rtc_test_peer_run (self, 100);
  return self->n_answers == before ? -1 : self->last_error;
}

gboolean
rtc_test_peer_connect (RtcTestPeer *self, gint timeout)
{
  gint64 until = g_get_monotonic_time () + timeout * G_TIME_SPAN_MILLISECOND;

  rtc_test_peer_check (self, TRUE);
  if (rtc_test_peer_wait_answer (self) != 0)
    return FALSE;
  rtc_dtls_start (self->dtls);
  while (!self->srtp && g_get_monotonic_time () < until &&
      rtc_dtls_get_state (self->dtls) < RTC_DTLS_CLOSED)
    if (!rtc_test_peer_run (self, 50) && rtc_dtls_get_timeout (self->dtls) == 0)
      rtc_dtls_retransmit (self->dtls);
  return self->srtp != NULL;
}

void
rtc_test_peer_send_raw (RtcTestPeer *self, const guint8 *data, gsize size)
{
  send_datagram (data, size, self);
}

void
rtc_test_peer_send (RtcTestPeer *self, const guint8 *data, gsize size)
{
  guint8 out[1300 + RTC_SRTP_MAX_TRAILER];
  gboolean rtcp = data[1] >= 192 && data[1] <= 223;

  memcpy (out, data, size);
  if (rtcp ? rtc_srtp_protect_rtcp (self->srtp, out, &size)
           : rtc_srtp_protect_rtp (self->srtp, out, &size))
    rtc_test_peer_send_raw (self, out, size);
}

void
rtc_test_peer_send_rtp (
    RtcTestPeer *self, guint32 ssrc, gint payload, guint32 rtp_time)
{
  guint8 data[12 + 100] = { 0x80, (guint8)payload };

  data[2] = (guint8)(self->seq >> 8);
  data[3] = (guint8)self->seq++;
  for (guint i = 0; i < 4; i++) {
    data[4 + i] = (guint8)(rtp_time >> (24 - 8 * i));
    data[8 + i] = (guint8)(ssrc >> (24 - 8 * i));
  }
  rtc_test_peer_send (self, data, sizeof (data));
}
