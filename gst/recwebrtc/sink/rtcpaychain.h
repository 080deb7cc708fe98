/* gst-tsrec: one track that recwhipsink publishes, up to RTP
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * clocksync ! parser ! payloader ! capsfilter, in the bin of the sink. RTP is
 * dropped until the output is opened, so that upstream never waits for the
 * connection and nothing old is sent when it is there.
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
 * On the streaming thread, with no lock held.
 */
typedef struct
{
  void (*ready) (RtcPayChain *output, gpointer user_data);
  void (*eos) (RtcPayChain *output, gpointer user_data);
} RtcPayChainCallbacks;

/* @kind: "video" (H.264) or "audio" (Opus). NULL with @error when an element
 * is missing. */
RtcPayChain *rtc_pay_chain_new (GstBin *bin, const gchar *kind,
    const RtcPayChainCallbacks *callbacks, gpointer user_data, GError **error);
/* Takes its elements out of the bin. */
void rtc_pay_chain_free (RtcPayChain *output);

/* "video" or "audio". */
const gchar *rtc_pay_chain_get_kind (RtcPayChain *output);
/* Where the element's pad leads. Caller unrefs. */
GstPad *rtc_pay_chain_get_sink_pad (RtcPayChain *output);

/* Links to a new pad of @webrtc, sending only. FALSE when it cannot be. */
gboolean rtc_pay_chain_link (RtcPayChain *output, GstElement *webrtc);
void rtc_pay_chain_unlink (RtcPayChain *output, GstElement *webrtc);

/* Lets RTP through, and asks the encoder for a key frame. Any thread. */
void rtc_pay_chain_open (RtcPayChain *output);
/* Drops RTP again. Any thread. */
void rtc_pay_chain_close (RtcPayChain *output);

/* Caps of the RTP stream are known. Any thread. */
gboolean rtc_pay_chain_is_ready (RtcPayChain *output);
gboolean rtc_pay_chain_is_eos (RtcPayChain *output);
/* For another run: neither ready nor at EOS. */
void rtc_pay_chain_reset (RtcPayChain *output);

/* RTP packets and their bytes that went out. Any thread. */
void rtc_pay_chain_get_stats (
    RtcPayChain *output, guint64 *packets, guint64 *bytes);

G_END_DECLS
