/* gst-tsrec: from RTP to access units, for one track of a session
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Makes and links the elements in the bin of a source: GstRtcStreamSelect,
 * GstRtcPacketFilter, depayloader, GstRtcPictureFilter (with capsfilter and
 * parser).
 */

#pragma once

#include <gst/gst.h>

#include "rtcsdp.h"

G_BEGIN_DECLS

typedef struct _RtcDepayChain RtcDepayChain;

/**
 * RtcDepayChainCounters:
 * @held_back: pictures that were not recorded because of losses
 * @ignored: packets of streams that were not recorded
 * @malformed: packets and access units that were dropped because they break
 *   the payload format or the bitstream format
 *
 * Read and written atomically, by any thread; outlives the chain.
 */
typedef struct
{
  guint64 held_back;
  guint64 ignored;
  guint64 malformed;
} RtcDepayChainCounters;

/* Adds the elements to @bin, links them to @out and starts them. @owner: see
 * rtc_peer_set_owner().
 * @freeze: drop pictures from a loss to the next random access point. If video
 *   arrives that cannot be decoded, a warning is posted in the name of @bin.
 *   Returns NULL with @error on failure. */
RtcDepayChain *rtc_depay_chain_new (GstBin *bin, gpointer owner,
    const RtcSdpTrack *track, GstPad *out, gboolean freeze,
    RtcDepayChainCounters *counters, GError **error);

/* Stops and removes the elements. RTP must not flow any more. */
void rtc_depay_chain_free (RtcDepayChain *chain);

gboolean rtc_depay_chain_is_video (RtcDepayChain *chain);

/* Returns a sink pad for RTP of another SSRC; one stream is recorded, see
 * GstRtcStreamSelect. @rank: streams of a higher rank are preferred. Caller
 * unrefs. Any thread. */
GstPad *rtc_depay_chain_add_stream (RtcDepayChain *chain, guint rank);
/* Returns TRUE if the stream of @pad is recorded. Any thread. */
gboolean rtc_depay_chain_is_recorded (RtcDepayChain *chain, GstPad *pad);
/* Changes the rank of the stream of @pad, which is not being removed. Any
 * thread. */
void rtc_depay_chain_set_rank (RtcDepayChain *chain, GstPad *pad, guint rank);
/* Removes the stream of @pad, from rtc_depay_chain_add_stream(), which is
 * unlinked. Any thread. */
void rtc_depay_chain_remove_stream (RtcDepayChain *chain, GstPad *pad);

/* Returns the pad for upstream events to the sender, force-key-unit for
 * example. Caller unrefs. */
GstPad *rtc_depay_chain_get_event_pad (RtcDepayChain *chain);

/* Removes codecs from @codecs, which ends with NULL, if this system has no
 * elements for them. Appends "NAME (ELEMENT)" to @missing for each one,
 * separated by commas. Any thread. */
void rtc_depay_chain_keep_available (
    const RtcSdpCodec **codecs, GString *missing);

G_END_DECLS
