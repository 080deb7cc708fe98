/* gst-tsrec: the properties port-range and public-address
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* A description without candidates; %s is the port-range. */
#define RTC_ICE_SETTINGS_NO_PORT                                               \
  "No UDP port of port-range %s is free. Each session takes one: widen the "   \
  "range, or stop what uses it."

/* Whether both can be used; NULL and "" are not set. FALSE with @error
 * (GST_RESOURCE_ERROR) that names the property and what it takes. */
gboolean rtc_ice_settings_check (
    const gchar *port_range, const gchar *public_address, GError **error);

/* Has ICE use UDP ports of @port_range only, unless that is not set. To be
 * called before the local description is set. */
void rtc_ice_settings_set_ports (
    GstElement *webrtcbin, const gchar *port_range);

/* @text, a description or a fragment of one, with the address of @public_address
 * of the same family in every host candidate (RFC 8839 section 5.1). Candidates
 * that become the same are there once. Caller frees. */
gchar *rtc_ice_settings_publish (
    const gchar *text, const gchar *public_address);

/* Installs both on @klass. */
void rtc_ice_settings_install_properties (
    GObjectClass *klass, guint port_range_id, guint public_address_id);

G_END_DECLS
