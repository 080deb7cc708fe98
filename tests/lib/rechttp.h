/* gst-tsrec: a raw HTTP client for tests of the WHIP endpoint
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Raw, so that requests can be sent that no decent client would make.
 */

#pragma once

#include <gio/gio.h>
#include <gst/check/gstcheck.h>
#include <string.h>

G_BEGIN_DECLS

/* Connects to the port of @url, sends @length bytes and returns everything
 * that comes until the server closes the connection. Caller frees. */
gchar *rec_http_raw (const gchar *url, const gchar *data, gssize length);

/* One request; @headers: lines that end in \r\n, or NULL; @body may be NULL. */
gchar *rec_http_request (const gchar *method, const gchar *url,
    const gchar *headers, const gchar *body);

/* The same, of a client that makes no further request. */
gchar *rec_http (const gchar *method, const gchar *url, const gchar *headers,
    const gchar *body);

guint rec_http_status (const gchar *reply);

/* Fails unless the reply has @status, and @text somewhere. */
void rec_http_assert (gchar *reply, guint status, const gchar *text);

/* Fails unless the reply to a client that may make further requests in the same
 * connection has @status, and says that the connection ends with it. */
void rec_http_assert_closing (gchar *reply, guint status);

#define REC_HTTP_SDP "Content-Type: application/sdp\r\n"
#define REC_HTTP_FRAGMENT "Content-Type: application/trickle-ice-sdpfrag\r\n"

G_END_DECLS
