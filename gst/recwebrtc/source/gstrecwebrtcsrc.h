/* gst-tsrec: base class of recwhipsrc and recwhepsrc
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An abstract bin with the static pads "video" and "audio", at most one session
 * that feeds them, and a control thread. It contains everything that does not
 * depend on which side starts the session.
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
 * @open: NULL to READY; FALSE with @error makes the state change fail
 * @close: READY to NULL
 * @start: READY to PAUSED; on the control thread
 * @stop: PAUSED to READY, before the session is closed; on the control thread
 * @described: the local description of a new session is complete, or @error is
 *   set; on the control thread
 * @ended: a session has ended and was freed; @connected: it had been connected;
 *   on the control thread
 * @category: debug category of the element, used for its sessions
 * @needs_thread: the control thread is its own, for an HTTP client
 * @waits_for_peer: peers connect to this element, so it is normal that no peer
 *   is connected
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
  gboolean needs_thread;
};

/* Runs @function on the control thread; @destroy is always called. Any
 * thread. */
void gst_rec_webrtc_src_invoke (GstRecWebrtcSrc *src, GSourceFunc function,
    gpointer data, GDestroyNotify destroy);

RecWorker *gst_rec_webrtc_src_get_worker (GstRecWebrtcSrc *src);

/* The functions below are for the control thread only. */

/* Returns TRUE between start and stop, unless the stream was finished. */
gboolean gst_rec_webrtc_src_is_accepting (GstRecWebrtcSrc *src);
/* Returns NULL if there is no session, or if it is being drained. */
RtcSession *gst_rec_webrtc_src_get_session (GstRecWebrtcSrc *src);

/* Answers the offer of a peer; there must be no session. The answer is passed
 * to @described of the class. Returns FALSE with @error on failure. */
gboolean gst_rec_webrtc_src_answer (GstRecWebrtcSrc *src,
    const GstSDPMessage *offer, const gchar *remote, GError **error);

/* Makes an offer to @remote, which is passed to @described of the class; there
 * must be no session. Returns FALSE with @error on failure. */
gboolean gst_rec_webrtc_src_offer (
    GstRecWebrtcSrc *src, const gchar *remote, GError **error);

/* Passes the answer to that offer to the session, which must exist. Returns
 * FALSE with @error on failure. */
gboolean gst_rec_webrtc_src_accept (
    GstRecWebrtcSrc *src, const GstSDPMessage *answer, GError **error);

/* Returns sentences for people about tracks that were offered and are not in
 * the session, or NULL. Caller frees. */
gchar *gst_rec_webrtc_src_dup_refusals (GstRecWebrtcSrc *src);

/* The peer is gone: ends the session after the jitter buffers have released
 * their packets. */
void gst_rec_webrtc_src_drain_session (
    GstRecWebrtcSrc *src, const gchar *reason);

/* Ends the session, if there is one, and reports @reason. */
void gst_rec_webrtc_src_end_session (GstRecWebrtcSrc *src, const gchar *reason);

G_END_DECLS
