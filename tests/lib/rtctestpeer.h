/* gst-tsrec: the other side of an RtcTransport, for tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A full ICE agent with one candidate pair, on a socket of its own. Nothing
 * runs in the background: functions that wait also answer what arrives.
 */

#pragma once

#include "rtcdtls.h"
#include "rtcstun.h"

G_BEGIN_DECLS

/**
 * RtcTestPeer:
 * @tcp: over TCP (RFC 4571)
 * @controlled: says in its checks that it is controlled, which is wrong
 * @refuse: refuses the certificate of the other side
 * @own_pwd: password of this side, with which checks of the other side are
 *   answered; NULL: they are not
 * @last_error: ERROR-CODE of the last answer, 0: success; -1: none came
 * @n_rtcp: RTCP packets that have come
 * @rtcp: the last of them
 */
typedef struct
{
  gint fd;
  struct sockaddr_storage remote;
  socklen_t remote_size;
  gchar *ufrag;
  gchar *pwd;
  const gchar *own_pwd;
  gboolean tcp;
  gboolean controlled;
  gboolean refuse;
  RtcCertificate *certificate;
  RtcDtls *dtls;
  RtcSrtp *srtp;
  gint last_error;
  guint n_answers;
  guint n_rtcp;
  guint8 rtcp[1500];
  gsize rtcp_size;
  guint16 seq;
} RtcTestPeer;

/* @server: of DTLS. @certificate: NULL makes one. */
RtcTestPeer *rtc_test_peer_new (const gchar *address, guint port,
    const gchar *ufrag, const gchar *pwd, gboolean server,
    RtcCertificate *certificate);
void rtc_test_peer_free (RtcTestPeer *peer);
const gchar *rtc_test_peer_get_fingerprint (RtcTestPeer *peer);
/* Another connection, of TCP. */
void rtc_test_peer_use_tcp (RtcTestPeer *peer);
/* Another local port, as behind a NAT that forgets. */
void rtc_test_peer_rebind (RtcTestPeer *peer);

/* Sends a Binding request. */
void rtc_test_peer_check (RtcTestPeer *peer, gboolean use_candidate);
/* Takes what arrives within @timeout ms; returns whether anything did. */
gboolean rtc_test_peer_run (RtcTestPeer *peer, gint timeout);
/* Checks and shakes hands; returns whether that succeeded in @timeout ms. */
gboolean rtc_test_peer_connect (RtcTestPeer *peer, gint timeout);
/* Waits for another answer to a check, and returns its error. */
gint rtc_test_peer_wait_answer (RtcTestPeer *peer);
/* Sends @data, a whole RTP or RTCP packet of at most 1300 bytes, encrypted. */
void rtc_test_peer_send (RtcTestPeer *peer, const guint8 *data, gsize size);
/* Sends @data as it is. */
void rtc_test_peer_send_raw (RtcTestPeer *peer, const guint8 *data, gsize size);
/* An RTP packet of @ssrc with the next sequence number. */
void rtc_test_peer_send_rtp (
    RtcTestPeer *peer, guint32 ssrc, gint payload, guint32 rtp_time);

G_END_DECLS
