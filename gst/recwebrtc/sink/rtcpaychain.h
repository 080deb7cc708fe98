/* gst-tsrec: one track that recwhipsink publishes, up to RTP
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * clocksync ! parser ! payloader ! capsfilter, in the bin of the sink. RTP is
 * dropped until the chain is opened. Therefore upstream never waits for the
 * connection, and no old data is sent when the connection is there.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RtcPayChain RtcPayChain;

/**
 * RtcPayChainCallbacks:
 * @ready: the caps of the RTP stream are known
 * @eos: the stream has ended
 *
 * Both are called on the streaming thread, without a lock.
 */
typedef struct
{
  void (*ready) (RtcPayChain *output, gpointer user_data);
  void (*eos) (RtcPayChain *output, gpointer user_data);
} RtcPayChainCallbacks;

/* @kind: "video" (H.264) or "audio" (Opus). Returns NULL with @error if an
 * element is missing. */
RtcPayChain *rtc_pay_chain_new (GstBin *bin, const gchar *kind,
    const RtcPayChainCallbacks *callbacks, gpointer user_data, GError **error);
/* Removes its elements from the bin. */
void rtc_pay_chain_free (RtcPayChain *output);

/* Returns "video" or "audio". */
const gchar *rtc_pay_chain_get_kind (RtcPayChain *output);
/* Returns the target for the ghost pad of the element. Caller unrefs. */
GstPad *rtc_pay_chain_get_sink_pad (RtcPayChain *output);

/* Links to a new pad of @webrtc, whose transceiver only sends. Returns FALSE if
 * that fails. */
gboolean rtc_pay_chain_link (RtcPayChain *output, GstElement *webrtc);
void rtc_pay_chain_unlink (RtcPayChain *output, GstElement *webrtc);

/* Passes RTP on, and requests a key frame from the encoder. Any thread. */
void rtc_pay_chain_open (RtcPayChain *output);
/* Drops RTP from now on. Any thread. */
void rtc_pay_chain_close (RtcPayChain *output);

/* Return TRUE if the caps of the RTP stream are known, or if the stream has
 * ended. Any thread. */
gboolean rtc_pay_chain_is_ready (RtcPayChain *output);
gboolean rtc_pay_chain_is_eos (RtcPayChain *output);
/* Prepares another run: the chain is neither ready nor at EOS. */
void rtc_pay_chain_reset (RtcPayChain *output);

/* Return the number of RTP packets passed on, and their bytes. Any thread. */
void rtc_pay_chain_get_stats (
    RtcPayChain *output, guint64 *packets, guint64 *bytes);

G_END_DECLS
