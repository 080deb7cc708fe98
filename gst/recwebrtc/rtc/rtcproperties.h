/* gst-tsrec: properties that several WebRTC elements have
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The functions do not lock: the element holds its object lock while it sets,
 * gets or reads values.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* --- ICE: stun-server, turn-server, port-range, public-address --- */

#define RTC_ICE_N_PROPERTIES 4

/* Installs the four properties, in this order, as @first_id and following. */
void rtc_ice_properties_install (GObjectClass *klass, guint first_id);

/* --- authentication --- */

/* Installs auth-token-file, which clients and servers have. */
void rtc_properties_install_token_file (GObjectClass *klass, guint id);

/* --- clients: location, auth-token, auth-token-file, retry-timeout,
 * insecure-tls --- */

#define RTC_CLIENT_N_PROPERTIES 5

/**
 * RtcClientProperties:
 * @location: URL of the endpoint, or NULL
 * @auth_token: bearer token, or NULL
 * @auth_token_file: path of a file with the token, or NULL
 * @retry_timeout: time in which failed attempts are repeated, ns
 * @insecure_tls: accept any TLS certificate of the server
 */
typedef struct
{
  gchar *location;
  gchar *auth_token;
  gchar *auth_token_file;
  GstClockTime retry_timeout;
  gboolean insecure_tls;
} RtcClientProperties;

/* Installs the five properties, in this order, as @first_id and following.
 * @location_blurb and @retry_blurb: static strings. @retry_timeout: the default
 * of retry-timeout, ns. */
void rtc_client_properties_install (GObjectClass *klass, guint first_id,
    const gchar *location_blurb, const gchar *retry_blurb,
    GstClockTime retry_timeout);

/* Set and get the property number @index (0: location). Return FALSE for any
 * other number. */
gboolean rtc_client_properties_set (
    RtcClientProperties *properties, guint index, const GValue *value);
gboolean rtc_client_properties_get (
    const RtcClientProperties *properties, guint index, GValue *value);

/* Frees the strings. */
void rtc_client_properties_clear (RtcClientProperties *properties);

G_END_DECLS
