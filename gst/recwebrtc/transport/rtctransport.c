/* gst-tsrec: the ICE-lite, DTLS and SRTP side of one peer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtctransport-private.h"

#include "rtcrtcp.h"

#include <gio/gio.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <string.h>

/* RFC 8445 section 5.3: 24 bits of a ufrag and 128 of a password at least. */
#define UFRAG_SIZE 8
#define PWD_SIZE 24
/* RFC 7675 section 5.1. */
#define CONSENT_TIMEOUT (30 * G_TIME_SPAN_SECOND)
/* What a peer needs a few of. */
#define MAX_DTLS_PER_SECOND 200
#define MAX_CHECKS_PER_SECOND 200

/* The characters of ice-char (RFC 8839 section 5.4). */
static gchar *
make_secret (guint size)
{
  static const gchar characters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  guint8 random[PWD_SIZE];
  gchar *text = g_malloc0 (size + 1);

  if (RAND_bytes (random, (int)size) != 1)
    g_error ("OpenSSL has no random numbers");
  for (guint i = 0; i < size; i++)
    text[i] = characters[random[i] & 63];
  return text;
}

static void
end (RtcTransport *self, RtcTransportEnd reason)
{
  if (self->ended)
    return;
  self->ended = TRUE;
  self->callbacks.ended (reason, self->user_data);
}

/* --- DTLS --- */

static void
send_dtls (const guint8 *data, gsize size, gpointer user_data)
{
  RtcTransport *self = user_data;

  if (!self->selected)
    return;
  if (self->flight_at == 0)
    self->flight_at = g_get_monotonic_time ();
  rtc_udp_port_send (
      self->port, &self->selected->local, &self->selected->remote, data, size);
}

static gboolean
verify_certificate (const gchar *pem, gpointer user_data)
{
  RtcTransport *self = user_data;

  return self->callbacks.verify (pem, self->user_data);
}

static gchar *
describe_pair (RtcTransport *self)
{
  gchar *local = rtc_address_to_string (&self->selected->local);
  gchar *remote = rtc_address_to_string (&self->selected->remote);
  gchar *pair = g_strdup_printf ("%s (host, ICE-lite) and %s", local, remote);

  g_free (local);
  g_free (remote);
  return pair;
}

static void
become_connected (RtcTransport *self)
{
  RtcSrtpKeys keys;
  gchar *pair;

  if (rtc_dtls_get_keys (self->dtls, &keys))
    self->srtp = rtc_srtp_new (&keys);
  OPENSSL_cleanse (&keys, sizeof (keys));
  if (!self->srtp) {
    end (self, RTC_TRANSPORT_FAILED);
    return;
  }
  pair = describe_pair (self);
  self->callbacks.connected (pair, self->user_data);
  g_free (pair);
}

static void
note_dtls_state (RtcTransport *self, RtcDtlsState state, gint64 now)
{
  gint64 timeout = rtc_dtls_get_timeout (self->dtls);

  self->dtls_due = timeout >= 0 ? now + timeout : G_MAXINT64;
  if (self->ended)
    return;
  switch (state) {
    case RTC_DTLS_CONNECTING:
      break;
    case RTC_DTLS_CONNECTED:
      if (!self->srtp)
        become_connected (self);
      break;
    case RTC_DTLS_CLOSED:
      end (self, RTC_TRANSPORT_CLOSED);
      break;
    case RTC_DTLS_FAILED:
      end (self,
          rtc_dtls_is_refused (self->dtls) ? RTC_TRANSPORT_REFUSED
                                           : RTC_TRANSPORT_FAILED);
      break;
  }
}

static void
start_dtls (RtcTransport *self, gint64 now)
{
  static const RtcDtlsCallbacks callbacks = { send_dtls, verify_certificate };

  self->dtls = rtc_dtls_new (self->certificate, self->server, &callbacks, self);
  note_dtls_state (self, rtc_dtls_start (self->dtls), now);
}

/* Counts one of what may come @max times a second. */
static gboolean
is_allowed (gint64 *second, guint *n, guint max, gint64 now)
{
  if (now / G_USEC_PER_SEC != *second) {
    *second = now / G_USEC_PER_SEC;
    *n = 0;
  }
  return ++*n <= max;
}

static void
take_dtls (RtcTransport *self, RtcDatagram *datagram)
{
  gint64 now = datagram->arrival;

  if (!self->dtls ||
      !is_allowed (
          &self->dtls_second, &self->n_dtls, MAX_DTLS_PER_SECOND, now)) {
    rtc_udp_port_count_refused (self->port);
    return;
  }
  if (self->flight_at > 0) {
    if (self->round_trip == 0)
      self->round_trip = MAX (now - self->flight_at, 1);
    self->flight_at = 0;
  }
  note_dtls_state (
      self, rtc_dtls_receive (self->dtls, datagram->data, datagram->size), now);
}

/* --- connectivity checks --- */

static void
free_path (gpointer data)
{
  RtcPath *path = data;

  rtc_udp_port_remove_path (path->transport->port, path);
  g_free (path);
}

/* The one of which nothing has been heard for longest gives way. */
static void
drop_oldest_path (RtcTransport *self)
{
  RtcPath *oldest = NULL;

  for (guint i = 0; i < self->paths->len; i++) {
    RtcPath *path = g_ptr_array_index (self->paths, i);

    if (path != self->selected && (!oldest || path->last < oldest->last))
      oldest = path;
  }
  g_ptr_array_remove_fast (self->paths, oldest);
}

/* The address that @datagram, an authentic check, came from. An address that
 * was another peer's has a new owner: a NAT has given it away. */
static RtcPath *
get_path (RtcTransport *self, RtcDatagram *datagram)
{
  RtcPath *path = datagram->path;

  if (path && path->transport != self) {
    RtcTransport *other = path->transport;

    if (other->selected == path)
      other->selected = NULL;
    g_ptr_array_remove_fast (other->paths, path);
    path = NULL;
  }
  if (!path) {
    if (self->paths->len >= RTC_TRANSPORT_MAX_PATHS)
      drop_oldest_path (self);
    path = g_new0 (RtcPath, 1);
    path->transport = self;
    path->remote = datagram->remote;
    g_ptr_array_add (self->paths, path);
    rtc_udp_port_add_path (self->port, path);
  }
  path->local = datagram->local;
  path->last = datagram->arrival;
  return path;
}

static void
reply (RtcTransport *self, RtcDatagram *datagram, const guint8 *data, gsize n)
{
  rtc_udp_port_send (self->port, &datagram->local, &datagram->remote, data, n);
}

static void
reply_error (RtcTransport *self, RtcDatagram *datagram,
    const RtcStunMessage *message, guint code, guint16 unknown,
    const gchar *pwd)
{
  guint8 out[RTC_STUN_MAX_SIZE];

  reply (self, datagram, out,
      rtc_stun_write_error (out, message->id, code, unknown, pwd));
}

static void
reply_success (RtcTransport *self, RtcDatagram *datagram,
    const RtcStunMessage *message, const gchar *pwd)
{
  struct sockaddr_storage name;
  guint8 out[RTC_STUN_MAX_SIZE];

  rtc_address_to_sockaddr (&datagram->remote, &name);
  reply (self, datagram, out,
      rtc_stun_write_success (
          out, message->id, (const struct sockaddr *)&name, pwd));
}

static void
forget_old_ice (RtcTransport *self)
{
  if (!self->old_ufrag)
    return;
  rtc_udp_port_remove_ufrag (self->port, self->old_ufrag);
  g_clear_pointer (&self->old_ufrag, g_free);
  g_clear_pointer (&self->old_pwd, g_free);
}

/* Returns the password that @message was made with, NULL: none of ours. */
static const gchar *
find_password (
    RtcTransport *self, RtcDatagram *datagram, const RtcStunMessage *message)
{
  if (rtc_stun_verify (datagram->data, message, self->pwd))
    return self->pwd;
  if (self->old_pwd && rtc_stun_verify (datagram->data, message, self->old_pwd))
    return self->old_pwd;
  return NULL;
}

static void
take_valid_check (RtcTransport *self, RtcDatagram *datagram,
    const RtcStunMessage *message, const gchar *pwd)
{
  RtcPath *path = get_path (self, datagram);

  self->last_packet = datagram->arrival;
  if (!self->selected || message->use_candidate)
    self->selected = path;
  reply_success (self, datagram, message, pwd);
  if (pwd == self->pwd)
    forget_old_ice (self);
  if (!self->dtls && !self->ended)
    start_dtls (self, datagram->arrival);
  self->touched = TRUE;
}

/* Who cannot authenticate gets no more answers than requests, and both are
 * limited by the port. Who can is not limited there, as many peers may share
 * the address of a NAT. We are lite and cannot control: who says that it is
 * controlled has to take the other role (RFC 8445 section 7.3.1.1). */
gboolean
rtc_transport_take_check (
    RtcTransport *self, RtcDatagram *datagram, const RtcStunMessage *message)
{
  const gchar *pwd;

  if (!is_allowed (&self->check_second, &self->n_checks, MAX_CHECKS_PER_SECOND,
          datagram->arrival)) {
    rtc_udp_port_count_refused (self->port);
    return TRUE;
  }
  pwd = find_password (self, datagram, message);
  if (!pwd) {
    rtc_udp_port_count_refused (self->port);
    reply_error (self, datagram, message,
        message->integrity == 0 ? RTC_STUN_BAD_REQUEST
                                : RTC_STUN_UNAUTHENTICATED,
        0, NULL);
  } else if (message->unknown != 0) {
    reply_error (self, datagram, message, RTC_STUN_UNKNOWN_ATTRIBUTE,
        message->unknown, pwd);
  } else if (message->controlled) {
    reply_error (self, datagram, message, RTC_STUN_ROLE_CONFLICT, 0, pwd);
  } else {
    take_valid_check (self, datagram, message, pwd);
  }
  return pwd != NULL;
}

/* --- media --- */

static void
take_media (RtcTransport *self, RtcDatagram *datagram)
{
  gboolean rtcp = rtc_rtcp_is_rtcp (datagram->data, datagram->size);
  gsize size = datagram->size;

  if (!self->srtp || self->ended)
    return;
  if (!rtcp && self->callbacks.wanted &&
      !self->callbacks.wanted (
          datagram->data, size, datagram->arrival, self->user_data)) {
    rtc_udp_port_count_skipped (self->port);
    return;
  }
  if (!(rtcp ? rtc_srtp_unprotect_rtcp (self->srtp, datagram->data, &size)
             : rtc_srtp_unprotect_rtp (self->srtp, datagram->data, &size))) {
    rtc_udp_port_count_refused (self->port);
    return;
  }
  self->last_packet = datagram->arrival;
  self->touched = TRUE;
  if (rtcp)
    self->callbacks.rtcp (
        datagram->data, size, datagram->arrival, self->user_data);
  else
    self->callbacks.rtp (
        datagram->data, size, datagram->arrival, self->user_data);
}

/* RFC 7983. */
void
rtc_transport_take (RtcTransport *self, RtcDatagram *datagram)
{
  if (rtc_dtls_is_dtls (datagram->data, datagram->size))
    take_dtls (self, datagram);
  else if (datagram->size >= 12 && datagram->data[0] >> 6 == 2)
    take_media (self, datagram);
  else if (datagram->size >= 8 &&
      rtc_rtcp_is_rtcp (datagram->data, datagram->size))
    take_media (self, datagram);
  else
    rtc_udp_port_count_refused (self->port);
}

static gboolean
has_consent (const RtcTransport *self, gint64 now)
{
  return now - self->last_packet < CONSENT_TIMEOUT;
}

gint64
rtc_transport_tick (RtcTransport *self, gint64 now)
{
  gint64 due = G_MAXINT64;

  if (self->dtls && !self->ended && now >= self->dtls_due)
    note_dtls_state (self, rtc_dtls_retransmit (self->dtls), now);
  if (self->dtls && !self->ended && !has_consent (self, now))
    end (self, RTC_TRANSPORT_EXPIRED);
  if (self->touched || now >= self->due)
    self->due = self->callbacks.tick (now, self->user_data);
  self->touched = FALSE;
  if (self->dtls && !self->ended)
    due = MIN (self->dtls_due, self->last_packet + CONSENT_TIMEOUT);
  return MIN (due, self->due);
}

gboolean
rtc_transport_send_rtcp (RtcTransport *self, const guint8 *data, gsize size)
{
  guint8 out[RTC_RTCP_MAX_SIZE + RTC_SRTP_MAX_TRAILER];
  gboolean sent = FALSE;

  rtc_udp_port_lock (self->port);
  if (self->srtp && self->selected && !self->ended &&
      size <= RTC_RTCP_MAX_SIZE &&
      has_consent (self, g_get_monotonic_time ())) {
    memcpy (out, data, size);
    sent = rtc_srtp_protect_rtcp (self->srtp, out, &size);
  }
  if (sent)
    rtc_udp_port_send (
        self->port, &self->selected->local, &self->selected->remote, out, size);
  rtc_udp_port_unlock (self->port);
  return sent;
}

gint64
rtc_transport_get_round_trip (RtcTransport *self)
{
  gint64 round_trip;

  rtc_udp_port_lock (self->port);
  round_trip = self->round_trip;
  rtc_udp_port_unlock (self->port);
  return round_trip;
}

gint64
rtc_transport_get_last_packet (RtcTransport *self)
{
  gint64 last;

  rtc_udp_port_lock (self->port);
  last = self->last_packet;
  rtc_udp_port_unlock (self->port);
  return last;
}

void
rtc_transport_remove_ssrc (RtcTransport *self, guint32 ssrc)
{
  rtc_udp_port_lock (self->port);
  if (self->srtp)
    rtc_srtp_remove_ssrc (self->srtp, ssrc);
  rtc_udp_port_unlock (self->port);
}

/* --- life --- */

RtcTransport *
rtc_transport_new (RtcUdpPort *port, gboolean server,
    const RtcTransportCallbacks *callbacks, gpointer user_data, GError **error)
{
  RtcCertificate *certificate = rtc_certificate_get (error);
  RtcTransport *self;
  gboolean added;

  if (!certificate)
    return NULL;
  self = g_new0 (RtcTransport, 1);
  self->port = rtc_udp_port_ref (port);
  self->callbacks = *callbacks;
  self->user_data = user_data;
  self->certificate = certificate;
  self->server = server;
  self->ufrag = make_secret (UFRAG_SIZE);
  self->pwd = make_secret (PWD_SIZE);
  self->paths = g_ptr_array_new_with_free_func (free_path);
  self->dtls_due = self->due = G_MAXINT64;
  self->last_packet = g_get_monotonic_time ();
  rtc_udp_port_lock (port);
  added = rtc_udp_port_add (port, self);
  if (added)
    rtc_udp_port_add_ufrag (port, self->ufrag, self);
  rtc_udp_port_unlock (port);
  if (added)
    return self;
  rtc_transport_free (self);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY,
      "UDP port %u has %u sessions, which is the limit.",
      rtc_udp_port_get_number (port), RTC_UDP_PORT_MAX_TRANSPORTS);
  return NULL;
}

void
rtc_transport_free (RtcTransport *self)
{
  if (!self)
    return;
  rtc_udp_port_lock (self->port);
  self->ended = TRUE;
  rtc_dtls_free (self->dtls);
  rtc_srtp_free (self->srtp);
  forget_old_ice (self);
  rtc_udp_port_remove_ufrag (self->port, self->ufrag);
  g_ptr_array_unref (self->paths);
  rtc_udp_port_remove (self->port, self);
  rtc_udp_port_unlock (self->port);
  rtc_udp_port_close (self->port);
  rtc_certificate_unref (self->certificate);
  g_free (self->ufrag);
  g_free (self->pwd);
  g_free (self);
}

const gchar *
rtc_transport_get_ufrag (RtcTransport *self)
{
  return self->ufrag;
}

const gchar *
rtc_transport_get_pwd (RtcTransport *self)
{
  return self->pwd;
}

const gchar *
rtc_transport_get_fingerprint (RtcTransport *self)
{
  return rtc_certificate_get_fingerprint (self->certificate);
}

void
rtc_transport_restart_ice (RtcTransport *self)
{
  rtc_udp_port_lock (self->port);
  forget_old_ice (self);
  self->old_ufrag = self->ufrag;
  self->old_pwd = self->pwd;
  self->ufrag = make_secret (UFRAG_SIZE);
  self->pwd = make_secret (PWD_SIZE);
  rtc_udp_port_add_ufrag (self->port, self->ufrag, self);
  rtc_udp_port_unlock (self->port);
}
