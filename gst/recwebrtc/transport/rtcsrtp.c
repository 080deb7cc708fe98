/* gst-tsrec: SRTP and SRTCP of one transport
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcsrtp.h"

#include "rtcsrtpcipher.h"

#include <srtp2/srtp.h>
#include <string.h>

/* Packets that may arrive behind a newer one. RFC 3711 section 3.3.2 asks for
 * at least 64; at 100 Mb/s and a reordering of 100 ms it takes about 1000. */
#define REPLAY_WINDOW 1024
#define RTP_HEADER_SIZE 12
#define RTCP_HEADER_SIZE 8

struct _RtcSrtp
{
  srtp_t in;
  srtp_t out;
  guint32 ssrcs[RTC_SRTP_MAX_SSRCS];
  guint n_ssrcs;
};

void
rtc_srtp_init (void)
{
  static gsize once = 0;

  if (g_once_init_enter (&once)) {
    srtp_init ();
    if (!rtc_srtp_cipher_install ())
      g_info ("libsrtp2 keeps its own AES-GCM.");
    g_once_init_leave (&once, 1);
  }
}

gboolean
rtc_srtp_get_sizes (guint profile, gsize *key, gsize *salt)
{
  switch (profile) {
    case RTC_SRTP_AES128_CM_SHA1_80:
    case RTC_SRTP_AEAD_AES_128_GCM:
    case RTC_SRTP_AEAD_AES_256_GCM:
      *key = srtp_profile_get_master_key_length ((srtp_profile_t)profile);
      *salt = srtp_profile_get_master_salt_length ((srtp_profile_t)profile);
      return *key > 0 && *key + *salt <= RTC_SRTP_MAX_KEY;
    default:
      return FALSE;
  }
}

static srtp_t
make_session (guint profile, srtp_ssrc_type_t type, const guint8 *key)
{
  srtp_policy_t policy;
  srtp_t session = NULL;

  memset (&policy, 0, sizeof (policy));
  if (srtp_crypto_policy_set_from_profile_for_rtp (
          &policy.rtp, (srtp_profile_t)profile) != srtp_err_status_ok ||
      srtp_crypto_policy_set_from_profile_for_rtcp (
          &policy.rtcp, (srtp_profile_t)profile) != srtp_err_status_ok)
    return NULL;
  policy.ssrc.type = type;
  policy.key = (guint8 *)key;
  policy.window_size = REPLAY_WINDOW;
  if (srtp_create (&session, &policy) != srtp_err_status_ok)
    return NULL;
  return session;
}

RtcSrtp *
rtc_srtp_new (const RtcSrtpKeys *keys)
{
  RtcSrtp *self;
  gsize key, salt;

  rtc_srtp_init ();
  if (!rtc_srtp_get_sizes (keys->profile, &key, &salt))
    return NULL;
  self = g_new0 (RtcSrtp, 1);
  self->in = make_session (keys->profile, ssrc_any_inbound, keys->remote);
  self->out = make_session (keys->profile, ssrc_any_outbound, keys->local);
  if (!self->in || !self->out)
    g_clear_pointer (&self, rtc_srtp_free);
  return self;
}

void
rtc_srtp_free (RtcSrtp *self)
{
  if (!self)
    return;
  if (self->in)
    srtp_dealloc (self->in);
  if (self->out)
    srtp_dealloc (self->out);
  g_free (self);
}

static gboolean
has_ssrc (const RtcSrtp *self, guint32 ssrc)
{
  for (guint i = 0; i < self->n_ssrcs; i++)
    if (self->ssrcs[i] == ssrc)
      return TRUE;
  return FALSE;
}

/* libsrtp2 makes a stream of each SSRC of an authentic packet. */
static gboolean
may_add_ssrc (const RtcSrtp *self, guint32 ssrc)
{
  return has_ssrc (self, ssrc) || self->n_ssrcs < RTC_SRTP_MAX_SSRCS;
}

static void
add_ssrc (RtcSrtp *self, guint32 ssrc)
{
  if (!has_ssrc (self, ssrc))
    self->ssrcs[self->n_ssrcs++] = ssrc;
}

static guint32
read_ssrc (const guint8 *at)
{
  return (guint32)at[0] << 24 | (guint32)at[1] << 16 | (guint32)at[2] << 8 |
      at[3];
}

static gboolean
unprotect (RtcSrtp *self, guint8 *data, gsize *size, guint32 ssrc,
    srtp_err_status_t (*func) (srtp_t, void *, int *))
{
  int length = (int)*size;

  if (!may_add_ssrc (self, ssrc) ||
      func (self->in, data, &length) != srtp_err_status_ok || length < 0)
    return FALSE;
  add_ssrc (self, ssrc);
  *size = (gsize)length;
  return TRUE;
}

gboolean
rtc_srtp_unprotect_rtp (RtcSrtp *self, guint8 *data, gsize *size)
{
  return *size >= RTP_HEADER_SIZE &&
      unprotect (self, data, size, read_ssrc (data + 8), srtp_unprotect);
}

gboolean
rtc_srtp_unprotect_rtcp (RtcSrtp *self, guint8 *data, gsize *size)
{
  return *size >= RTCP_HEADER_SIZE &&
      unprotect (self, data, size, read_ssrc (data + 4), srtp_unprotect_rtcp);
}

static gboolean
protect (RtcSrtp *self, guint8 *data, gsize *size,
    srtp_err_status_t (*func) (srtp_t, void *, int *))
{
  int length = (int)*size;

  if (func (self->out, data, &length) != srtp_err_status_ok)
    return FALSE;
  *size = (gsize)length;
  return TRUE;
}

gboolean
rtc_srtp_protect_rtp (RtcSrtp *self, guint8 *data, gsize *size)
{
  return protect (self, data, size, srtp_protect);
}

gboolean
rtc_srtp_protect_rtcp (RtcSrtp *self, guint8 *data, gsize *size)
{
  return protect (self, data, size, srtp_protect_rtcp);
}

void
rtc_srtp_remove_ssrc (RtcSrtp *self, guint32 ssrc)
{
  for (guint i = 0; i < self->n_ssrcs; i++) {
    if (self->ssrcs[i] != ssrc)
      continue;
    self->ssrcs[i] = self->ssrcs[--self->n_ssrcs];
    srtp_remove_stream (self->in, g_htonl (ssrc));
    return;
  }
}
