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
  guint udp_port;
  guint batch_interval;
  WhipEndpoint *endpoint;

  /* control thread: the offer that is being answered */
  WhipRequest *offer;
};

/* gstrecwhipsrc-properties.c */

void gst_rec_whip_src_install_properties (GObjectClass *klass);
void gst_rec_whip_src_init_props (GstRecWhipSrc *self);
void gst_rec_whip_src_free_props (GstRecWhipSrc *self);

G_END_DECLS
