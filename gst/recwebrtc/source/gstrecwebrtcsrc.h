/* gst-tsrec: what recwhipsrc and recwhepsrc have in common
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An abstract bin: the static pads "video" and "audio", at most one session
 * that feeds them, a control thread, and everything that does not depend on
 * who calls whom.
 */

#pragma once

#include <gst/gst.h>

#include "rtcsession.h"
#include "recworker.h"

G_BEGIN_DECLS

#define GST_TYPE_REC_WEBRTC_SRC (gst_rec_webrtc_src_get_type ())
G_DECLARE_DERIVABLE_TYPE (
    GstRecWebrtcSrc, gst_rec_webrtc_src, GST, REC_WEBRTC_SRC, GstBin)

/**
 * GstRecWebrtcSrcClass:
 * @open: NULL to READY; FALSE with @error fails the state change
 * @close: READY to NULL
 * @start: READY to PAUSED; on the control thread
 * @stop: PAUSED to READY, before the session is taken down; on the control
 *   thread
 * @described: of a session that begins; on the control thread
 * @ended: a session is over and has been freed; @connected: it had been
 *   connected; on the control thread
 * @category: of the element, for what is logged of its sessions
 * @waits_for_peer: to be without a peer is nothing that has to be mended here:
 *   peers come by themselves
 */
struct _GstRecWebrtcSrcClass
{
  GstBinClass parent_class;

  gboolean (*open) (GstRecWebrtcSrc *src, GError **error);
  void (*close) (GstRecWebrtcSrc *src);
  void (*start) (GstRecWebrtcSrc *src);
  void (*stop) (GstRecWebrtcSrc *src);
  void (*described) (GstRecWebrtcSrc *src, RtcSession *session,
      const gchar *sdp, const GError *error);
  void (*ended) (GstRecWebrtcSrc *src, const gchar *reason, gboolean connected);
  GstDebugCategory *category;
  gboolean waits_for_peer;
};

/* Runs @function on the control thread; @destroy runs in any case. */
void gst_rec_webrtc_src_invoke (GstRecWebrtcSrc *src, GSourceFunc function,
    gpointer data, GDestroyNotify destroy);

RecWorker *gst_rec_webrtc_src_get_worker (GstRecWebrtcSrc *src);

/* All below: control thread only. */

/* TRUE between start and stop, unless the stream has been finished. */
gboolean gst_rec_webrtc_src_is_accepting (GstRecWebrtcSrc *src);
/* NULL when there is none, or only what is left of one. */
RtcSession *gst_rec_webrtc_src_get_session (GstRecWebrtcSrc *src);

/* Answers the offer of a peer; there must be no session. The answer goes to
 * @described of the class. FALSE with @error. */
gboolean gst_rec_webrtc_src_answer (GstRecWebrtcSrc *src,
    const GstSDPMessage *offer, const gchar *remote, GError **error);

/* Makes an offer to @remote, which goes to @described of the class; there must
 * be no session. FALSE with @error. */
gboolean gst_rec_webrtc_src_offer (
    GstRecWebrtcSrc *src, const gchar *remote, GError **error);

/* The answer to that offer; there must be a session. FALSE with @error. */
gboolean gst_rec_webrtc_src_accept (
    GstRecWebrtcSrc *src, const GstSDPMessage *answer, GError **error);

/* What was offered and is not in the session, in sentences for a person; NULL
 * when nothing. Caller frees. */
gchar *gst_rec_webrtc_src_dup_refusals (GstRecWebrtcSrc *src);

/* The peer has gone: takes the session down once the jitter buffers have given
 * out what they hold. */
void gst_rec_webrtc_src_drain_session (
    GstRecWebrtcSrc *src, const gchar *reason);

/* Takes the session down, if there is one, and tells everybody why. */
void gst_rec_webrtc_src_end_session (GstRecWebrtcSrc *src, const gchar *reason);

G_END_DECLS
