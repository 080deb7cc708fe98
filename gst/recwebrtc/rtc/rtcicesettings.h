/* gst-tsrec: the properties port-range and public-address
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Error text for a description without candidates; %s: port-range. */
#define RTC_ICE_SETTINGS_NO_PORT                                               \
  "No UDP port of port-range %s is free. Each session uses one: widen the "    \
  "range, or stop the programs that use these ports."

/* Checks both values; NULL and "" mean unset. Returns FALSE with @error
 * (GST_RESOURCE_ERROR_SETTINGS), which names the property and its syntax. */
gboolean rtc_ice_settings_check (
    const gchar *port_range, const gchar *public_address, GError **error);

/* Restricts ICE to the UDP ports of @port_range, unless it is unset. Call it
 * before the local description is set. */
void rtc_ice_settings_set_ports (
    GstElement *webrtcbin, const gchar *port_range);

/* Returns @text, a description or an ICE fragment, with the address of the same
 * family from @public_address in every host candidate (RFC 8839 section 5.1).
 * Candidates that become equal are merged. Caller frees. */
gchar *rtc_ice_settings_publish (
    const gchar *text, const gchar *public_address);

G_END_DECLS
