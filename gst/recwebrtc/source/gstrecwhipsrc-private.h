/* gst-tsrec: private to the files of GstRecWhipSrc
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "gstrecwhipsrc.h"
#include "whipendpoint.h"

G_BEGIN_DECLS

struct _GstRecWhipSrc
{
  GstRecWebrtcSrc parent;

  /* under the object lock */
  gchar *host;
  guint port;
  gchar *path;
  gchar *auth_token;
  gchar *auth_token_file;
  gchar *cors_origins;
  gchar *tls_certificate;
  gchar *tls_key;
  guint udp_port;
  guint batch_interval;
  gboolean ice_tcp;
  gboolean listen;
  WhipEndpoint *endpoint;
  gboolean taking_requests; /* handle-request passes requests on */

  /* control thread: the offer that is being answered */
  WhipRequest *offer;
};

/* gstrecwhipsrc-requests.c */

/* For the endpoint, with the element as user data. */
extern const WhipEndpointCallbacks gst_rec_whip_src_callbacks;

/* Returns values of Link headers (RFC 9725 section 4.6). The credentials of a
 * TURN server are only for clients that had to send a token: @authorized. Free
 * it with g_strfreev(). */
gchar **gst_rec_whip_src_make_links (GstRecWhipSrc *self, gboolean authorized);

/* Answers the pending offer: the answer is complete, or it failed. Control
 * thread. */
void gst_rec_whip_src_described (GstRecWebrtcSrc *src, RtcSession *session,
    const gchar *sdp, const GError *error);
/* Answers the pending offer of a session that ended before. Control thread. */
void gst_rec_whip_src_ended (
    GstRecWebrtcSrc *src, const gchar *reason, gboolean connected);

void gst_rec_whip_src_install_signals (GstRecWhipSrcClass *klass);

G_END_DECLS
