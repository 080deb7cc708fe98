/* gst-tsrec: SRTP by libsrtp2 with the AES-GCM of OpenSSL
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rtcsrtp.h"
#include "rtcsrtpcipher.h"

#include <gst/check/gstcheck.h>
#include <srtp2/srtp.h>
#include <string.h>

#define PAYLOAD 1100

static const guint profiles[] = { RTC_SRTP_AES128_CM_SHA1_80,
  RTC_SRTP_AEAD_AES_128_GCM, RTC_SRTP_AEAD_AES_256_GCM };

/* @turned: as the peer has them. */
static RtcSrtpKeys
make_keys (guint profile, gboolean turned)
{
  RtcSrtpKeys keys = { .profile = profile };

  for (guint i = 0; i < RTC_SRTP_MAX_KEY; i++) {
    (turned ? keys.remote : keys.local)[i] = (guint8)(i * 7 + 1);
    (turned ? keys.local : keys.remote)[i] = (guint8)(i * 11 + 3);
  }
  return keys;
}

static RtcSrtp *
make_session (guint profile, gboolean turned)
{
  RtcSrtpKeys keys = make_keys (profile, turned);
  RtcSrtp *srtp = rtc_srtp_new (&keys);

  fail_unless (srtp != NULL);
  return srtp;
}

static gsize
make_rtp (guint8 *data, guint16 seq, gsize payload)
{
  guint8 header[12] = { 0x80, 96, (guint8)(seq >> 8), (guint8)seq, 0, 0, 1, 2,
    0x11, 0x22, 0x33, 0x44 };

  memcpy (data, header, sizeof (header));
  for (gsize i = 0; i < payload; i++)
    data[sizeof (header) + i] = (guint8)(i * 5 + seq);
  return sizeof (header) + payload;
}

static gsize
make_rtcp (guint8 *data)
{
  guint8 bye[8] = { 0x81, 203, 0, 1, 0x11, 0x22, 0x33, 0x44 };

  memcpy (data, bye, sizeof (bye));
  return sizeof (bye);
}

/* A session that was made before rtc_srtp_init() has the ciphers of libsrtp2. */
static srtp_t
make_plain_session (guint profile, const guint8 *key, srtp_ssrc_type_t type)
{
  srtp_policy_t policy;
  srtp_t session;

  memset (&policy, 0, sizeof (policy));
  srtp_crypto_policy_set_from_profile_for_rtp (
      &policy.rtp, (srtp_profile_t)profile);
  srtp_crypto_policy_set_from_profile_for_rtcp (
      &policy.rtcp, (srtp_profile_t)profile);
  policy.ssrc.type = type;
  policy.key = (guint8 *)key;
  policy.window_size = 1024;
  fail_unless_equals_int (srtp_create (&session, &policy), srtp_err_status_ok);
  return session;
}

GST_START_TEST (test_libsrtp_accepts_the_ciphers)
{
  /* An error the second time in a process. */
  srtp_init ();
  fail_unless (rtc_srtp_cipher_install ());
}

GST_END_TEST;

GST_START_TEST (test_a_peer_with_the_ciphers_of_libsrtp_is_understood)
{
  guint profile = profiles[__i__];
  RtcSrtpKeys keys = make_keys (profile, FALSE);
  srtp_t sender, receiver;
  RtcSrtp *srtp;
  guint8 data[PAYLOAD + 256], plain[sizeof (data)];

  srtp_init ();
  sender = make_plain_session (profile, keys.remote, ssrc_any_outbound);
  receiver = make_plain_session (profile, keys.local, ssrc_any_inbound);
  srtp = make_session (profile, FALSE);
  for (guint i = 0; i < 50; i++) {
    gsize size = make_rtp (plain, (guint16)(i * 2), i * 22), sealed;
    int length = (int)size;

    memcpy (data, plain, size);
    fail_unless_equals_int (
        srtp_protect (sender, data, &length), srtp_err_status_ok);
    fail_unless (memcmp (data + 12, plain + 12, size - 12) != 0 || i == 0);
    sealed = (gsize)length;
    fail_unless (rtc_srtp_unprotect_rtp (srtp, data, &sealed));
    fail_unless_equals_int (sealed, size);
    fail_unless (memcmp (data, plain, size) == 0);
    fail_unless (rtc_srtp_protect_rtp (srtp, data, &sealed));
    length = (int)sealed;
    fail_unless_equals_int (
        srtp_unprotect (receiver, data, &length), srtp_err_status_ok);
    fail_unless (memcmp (data, plain, size) == 0);

    length = (int)make_rtcp (data);
    fail_unless_equals_int (
        srtp_protect_rtcp (sender, data, &length), srtp_err_status_ok);
    sealed = (gsize)length;
    fail_unless (rtc_srtp_unprotect_rtcp (srtp, data, &sealed));
    fail_unless (rtc_srtp_protect_rtcp (srtp, data, &sealed));
    length = (int)sealed;
    fail_unless_equals_int (
        srtp_unprotect_rtcp (receiver, data, &length), srtp_err_status_ok);
    fail_unless (sealed != 0 && data[1] == 203);
  }
  rtc_srtp_free (srtp);
  srtp_dealloc (sender);
  srtp_dealloc (receiver);
}

GST_END_TEST;

/* One bit anywhere, in the header, the payload or the tag. */
GST_START_TEST (test_a_changed_bit_is_noticed)
{
  guint profile = profiles[__i__];
  RtcSrtp *sender = make_session (profile, TRUE);
  RtcSrtp *receiver = make_session (profile, FALSE);
  guint8 sealed[256 + RTC_SRTP_MAX_TRAILER], data[sizeof (sealed)];
  gsize size = make_rtp (sealed, 7, 100), n;

  fail_unless (rtc_srtp_protect_rtp (sender, sealed, &size));
  for (gsize i = 0; i < size; i++) {
    memcpy (data, sealed, size);
    data[i] ^= 0x10;
    n = size;
    fail_unless (
        !rtc_srtp_unprotect_rtp (receiver, data, &n), "byte %u", (guint)i);
  }
  for (n = 0; n < size; n++) {
    gsize cut = n;

    memcpy (data, sealed, size);
    fail_unless (!rtc_srtp_unprotect_rtp (receiver, data, &cut));
  }
  fail_unless (rtc_srtp_unprotect_rtp (receiver, sealed, &size));
  fail_unless_equals_int (size, 112);
  rtc_srtp_free (sender);
  rtc_srtp_free (receiver);
}

GST_END_TEST;

GST_START_TEST (test_changed_rtcp_is_noticed)
{
  guint profile = profiles[__i__];
  RtcSrtp *sender = make_session (profile, TRUE);
  RtcSrtp *receiver = make_session (profile, FALSE);
  guint8 sealed[64 + RTC_SRTP_MAX_TRAILER], data[sizeof (sealed)];
  gsize size = make_rtcp (sealed), n;

  fail_unless (rtc_srtp_protect_rtcp (sender, sealed, &size));
  for (gsize i = 0; i < size; i++) {
    memcpy (data, sealed, size);
    data[i] ^= 0x01;
    n = size;
    fail_unless (
        !rtc_srtp_unprotect_rtcp (receiver, data, &n), "byte %u", (guint)i);
  }
  fail_unless (rtc_srtp_unprotect_rtcp (receiver, sealed, &size));
  fail_unless_equals_int (size, 8);
  rtc_srtp_free (sender);
  rtc_srtp_free (receiver);
}

GST_END_TEST;

static Suite *
rtcsrtp_suite (void)
{
  Suite *s = suite_create ("rtcsrtp");
  TCase *tc = tcase_create ("ciphers");
  gint n = G_N_ELEMENTS (profiles);

  tcase_add_test (tc, test_libsrtp_accepts_the_ciphers);
  tcase_add_loop_test (
      tc, test_a_peer_with_the_ciphers_of_libsrtp_is_understood, 0, n);
  tcase_add_loop_test (tc, test_a_changed_bit_is_noticed, 0, n);
  tcase_add_loop_test (tc, test_changed_rtcp_is_noticed, 0, n);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (rtcsrtp);
