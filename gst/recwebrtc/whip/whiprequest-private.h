/* gst-tsrec: requests, for WhipEndpoint
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "whiplistener.h"
#include "whiprequest.h"

G_BEGIN_DECLS

#define WHIP_TYPE_SDP "application/sdp"
#define WHIP_TYPE_FRAGMENT "application/trickle-ice-sdpfrag"

/* A request whose body is complete; @msg is paused by the caller. @base:
 * location of a session without its identifier, ownership is taken.
 * @ice_servers: values of Link headers, ends with NULL. On the thread of the
 * listener. */
WhipRequest *whip_request_new (WhipListener *server, SoupServerMessage *msg,
    gchar *base, const gchar *session_id, gchar **ice_servers);

/* Sets a response of content type @type. On the thread of the listener. */
void whip_request_set_text (
    SoupServerMessage *msg, guint status, const gchar *type, const gchar *text);

G_END_DECLS
