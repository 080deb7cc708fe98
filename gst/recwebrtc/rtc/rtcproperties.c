/* gst-tsrec: properties that several WebRTC elements have
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "rtcproperties.h"

#define FLAGS                                                                  \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)

/* --- ICE --- */

enum
{
  ICE_STUN_SERVER,
  ICE_TURN_SERVER,
  ICE_PORT_RANGE,
  ICE_PUBLIC_ADDRESS,
};

G_STATIC_ASSERT (ICE_PUBLIC_ADDRESS + 1 == RTC_ICE_N_PROPERTIES);

void
rtc_ice_properties_install (GObjectClass *klass, guint first_id)
{
  /**
   * GstRecWebrtcSrc:stun-server:
   *
   * STUN server that reports the public address of this host,
   * "stun://host:port" (RFC 8489). Type: string. Default: none, which is enough
   * within one network.
   */
  g_object_class_install_property (klass, first_id + ICE_STUN_SERVER,
      g_param_spec_string ("stun-server", "STUN server",
          "STUN server, stun://host:port; none: only addresses of this host",
          NULL, FLAGS));
  /**
   * GstRecWebrtcSrc:turn-server:
   *
   * TURN server to relay through, "turn://user:password@host:port" or
   * "turns://…" (RFC 8656). Type: string. Default: none.
   */
  g_object_class_install_property (klass, first_id + ICE_TURN_SERVER,
      g_param_spec_string ("turn-server", "TURN server",
          "TURN server, turn(s)://user:password@host:port; none: no relaying",
          NULL, FLAGS));
  /**
   * GstRecWebrtcSrc:port-range:
   *
   * UDP ports that ICE listens on, "MIN-MAX", both included. A session uses one
   * port on each address of the host. Type: string. Default: none, the system
   * chooses. An invalid value is an error from NULL to READY.
   */
  g_object_class_install_property (klass, first_id + ICE_PORT_RANGE,
      g_param_spec_string ("port-range", "Port range",
          "UDP ports that ICE may use, MIN-MAX; none: any", NULL, FLAGS));
  /**
   * GstRecWebrtcSrc:public-address:
   *
   * The address of this host outside of a 1:1 NAT. It replaces the address of
   * the host candidates in our session description; the ports do not change. An
   * IPv4 address, an IPv6 address, or one of each separated by a comma.
   * Candidates of another family do not change. Type: string. Default: none. An
   * invalid value is an error from NULL to READY.
   */
  g_object_class_install_property (klass, first_id + ICE_PUBLIC_ADDRESS,
      g_param_spec_string ("public-address", "Public address",
          "Address for our host candidates, of a 1:1 NAT in front of this host "
          "(IPv4, IPv6, or both separated by a comma); none: as they are",
          NULL, FLAGS));
}

/* --- authentication --- */

void
rtc_properties_install_token_file (GObjectClass *klass, guint id)
{
  /**
   * GstRecWebrtcSrc:auth-token-file:
   *
   * File that holds the token. Unlike auth-token, it does not appear in the
   * command line, which all users of the host can read. White space around the
   * token is ignored. Type: string. Default: none. The file is read from NULL
   * to READY. An unreadable file is an error, and so is a file together with
   * auth-token.
   */
  g_object_class_install_property (klass, id,
      g_param_spec_string ("auth-token-file", "Authentication token file",
          "File to read the bearer token from, instead of auth-token", NULL,
          FLAGS));
}

/* --- clients --- */

enum
{
  CLIENT_LOCATION,
  CLIENT_AUTH_TOKEN,
  CLIENT_AUTH_TOKEN_FILE,
  CLIENT_RETRY_TIMEOUT,
  CLIENT_INSECURE_TLS,
};

G_STATIC_ASSERT (CLIENT_INSECURE_TLS + 1 == RTC_CLIENT_N_PROPERTIES);

void
rtc_client_properties_install (GObjectClass *klass, guint first_id,
    const gchar *location_blurb, const gchar *retry_blurb,
    GstClockTime retry_timeout)
{
  /**
   * GstRecWhipSink:location:
   *
   * URL of the WHIP or WHEP endpoint. Type: string. No default: without it the
   * element fails to go to READY.
   */
  g_object_class_install_property (klass, first_id + CLIENT_LOCATION,
      g_param_spec_string (
          "location", "Location", location_blurb, NULL, FLAGS));
  /**
   * GstRecWhipSink:auth-token:
   *
   * Bearer token to send (RFC 6750). Type: string. Default: none. It also
   * follows redirects, except from HTTPS to HTTP.
   */
  g_object_class_install_property (klass, first_id + CLIENT_AUTH_TOKEN,
      g_param_spec_string ("auth-token", "Authentication token",
          "Bearer token to send to the server", NULL, FLAGS));
  rtc_properties_install_token_file (klass, first_id + CLIENT_AUTH_TOKEN_FILE);
  /**
   * GstRecWhipSink:retry-timeout:
   *
   * Time in which failed attempts are repeated, in nanoseconds. recwhipsink
   * counts from its start, and repeats while the server cannot be reached or is
   * busy. recwhepsrc counts from the first failure or from the end of a
   * session, and also repeats while the server has no stream. Afterwards the
   * element posts an error. Type: guint64. Default: 10 s (recwhipsink), 30 s
   * (recwhepsrc). 0: one attempt. 18446744073709551615: no limit.
   */
  g_object_class_install_property (klass, first_id + CLIENT_RETRY_TIMEOUT,
      g_param_spec_uint64 ("retry-timeout", "Retry timeout", retry_blurb, 0,
          G_MAXUINT64, retry_timeout, FLAGS));
  /**
   * GstRecWhipSink:insecure-tls:
   *
   * Accept any certificate of an HTTPS server, for tests with a self-signed
   * certificate. Type: gboolean. Default: FALSE.
   */
  g_object_class_install_property (klass, first_id + CLIENT_INSECURE_TLS,
      g_param_spec_boolean ("insecure-tls", "Insecure TLS",
          "Take any certificate of an HTTPS server", FALSE, FLAGS));
}

static gchar **
get_string_field (RtcClientProperties *self, guint index)
{
  switch (index) {
    case CLIENT_LOCATION:
      return &self->location;
    case CLIENT_AUTH_TOKEN:
      return &self->auth_token;
    case CLIENT_AUTH_TOKEN_FILE:
      return &self->auth_token_file;
    default:
      return NULL;
  }
}

gboolean
rtc_client_properties_set (
    RtcClientProperties *self, guint index, const GValue *value)
{
  gchar **field = get_string_field (self, index);

  if (field) {
    g_free (*field);
    *field = g_value_dup_string (value);
  } else if (index == CLIENT_RETRY_TIMEOUT) {
    self->retry_timeout = g_value_get_uint64 (value);
  } else if (index == CLIENT_INSECURE_TLS) {
    self->insecure_tls = g_value_get_boolean (value);
  } else {
    return FALSE;
  }
  return TRUE;
}

gboolean
rtc_client_properties_get (
    const RtcClientProperties *self, guint index, GValue *value)
{
  gchar **field = get_string_field ((RtcClientProperties *)self, index);

  if (field)
    g_value_set_string (value, *field);
  else if (index == CLIENT_RETRY_TIMEOUT)
    g_value_set_uint64 (value, self->retry_timeout);
  else if (index == CLIENT_INSECURE_TLS)
    g_value_set_boolean (value, self->insecure_tls);
  else
    return FALSE;
  return TRUE;
}

void
rtc_client_properties_clear (RtcClientProperties *self)
{
  g_clear_pointer (&self->location, g_free);
  g_clear_pointer (&self->auth_token, g_free);
  g_clear_pointer (&self->auth_token_file, g_free);
}
