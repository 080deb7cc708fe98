/* gst-tsrec: what the files of GstRecWhipSink share
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "gstrecwhipsink.h"
#include "rtcpaychain.h"
#include "rtcdtlsverifier.h"
#include "recworker.h"
#include "rtcsdp.h"
#include "whipclient.h"

G_BEGIN_DECLS

struct _GstRecWhipSink
{
  GstBin parent;

  /* under the object lock */
  gchar *location;
  gchar *auth_token;
  gchar *auth_token_file;
  gchar *token; /* what one of these has, from READY on */
  gchar *stun_server;
  gchar *turn_server;
  gchar *port_range;
  gchar *public_address;
  GstClockTime retry_timeout;
  gboolean insecure_tls;
  GList *outputs;
  gboolean connected;
  gchar *session;

  /* control thread */
  RecWorker *worker;
  GstElement *webrtc;
  WhipClient *client;
  GObject *dtls;
  RtcDtlsVerifier *peer;
  gchar *offer;
  RtcSdpChoice choice; /* what the server accepted */
  gboolean running;
  gboolean offering;
  gboolean eos_posted;
  gint64 retry_until;
  guint retry_ms;
  GSource *timer;
};

/* Runs @function with the element on the control thread. Any thread. */
void gst_rec_whip_sink_invoke (GstRecWhipSink *sink, GSourceFunc function);

/* A copy that stays valid while pads come and go. Free with g_list_free(). */
GList *gst_rec_whip_sink_copy_outputs (GstRecWhipSink *sink);

/* On the control thread; @data is the element. */

/* Begins, and ends, the session. */
void gst_rec_whip_sink_start (gpointer data);
void gst_rec_whip_sink_stop (gpointer data);
/* Makes the offer once the caps of every track are known. */
gboolean gst_rec_whip_sink_check_ready (gpointer data);
/* Gives the session back and posts EOS once every track has ended. */
gboolean gst_rec_whip_sink_check_eos (gpointer data);

G_END_DECLS
