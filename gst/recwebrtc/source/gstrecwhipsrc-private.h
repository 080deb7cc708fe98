/* gst-tsrec: what the files of GstRecWhipSrc share
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
  gboolean listen;
  WhipEndpoint *endpoint;
  gboolean taking_requests; /* by the signal handle-request */

  /* control thread: the offer that is being answered */
  WhipRequest *offer;
};

/* gstrecwhipsrc.c */

/* Answers @request on the control thread. Any thread. */
void gst_rec_whip_src_hand_over (GstRecWhipSrc *self, WhipRequest *request,
    void (*handle) (GstRecWhipSrc *self, WhipRequest *request));
/* On the control thread. */
void gst_rec_whip_src_handle_offer (GstRecWhipSrc *self, WhipRequest *request);
void gst_rec_whip_src_handle_patch (GstRecWhipSrc *self, WhipRequest *request);
void gst_rec_whip_src_handle_remove (GstRecWhipSrc *self, WhipRequest *request);
/* Values of Link headers (RFC 9725 section 4.6); those with credentials only
 * when @authorized. Free with g_strfreev(). */
gchar **gst_rec_whip_src_make_links (GstRecWhipSrc *self, gboolean authorized);

/* gstrecwhipsrc-properties.c */

void gst_rec_whip_src_install_properties (GObjectClass *klass);
void gst_rec_whip_src_init_props (GstRecWhipSrc *self);
void gst_rec_whip_src_free_props (GstRecWhipSrc *self);

/* gstrecwhipsrc-requests.c */

void gst_rec_whip_src_install_signals (GstRecWhipSrcClass *klass);

G_END_DECLS
