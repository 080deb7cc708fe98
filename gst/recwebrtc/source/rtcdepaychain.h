/* gst-tsrec: from RTP to access units, for one track of a session
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Depayloader, capsfilter and parser, in the bin of a source.
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
 * rtc_peer_set_owner(). A warning in the name of @bin says when video
 * arrives that cannot be decoded. @freeze: drop pictures from a loss until the
 * next key frame. NULL with @error. */
RtcDepayChain *rtc_depay_chain_new (GstBin *bin, gpointer owner,
    const RtcSdpTrack *track, GstPad *out, gboolean freeze,
    RtcDepayChainCounters *counters, GError **error);

/* Stops and removes the elements. RTP must not flow any more. */
void rtc_depay_chain_free (RtcDepayChain *chain);

const RtcSdpTrack *rtc_depay_chain_get_track (RtcDepayChain *chain);
gboolean rtc_depay_chain_is_video (RtcDepayChain *chain);

/* Where RTP of another SSRC goes in; one of them is recorded: see RtcStreamSelect.
 * @rank: preferred to streams of a lower rank. Caller unrefs. Any thread. */
GstPad *rtc_depay_chain_add_stream (RtcDepayChain *chain, guint rank);
/* Whether the stream of @pad is recorded. Any thread. */
gboolean rtc_depay_chain_is_recorded (RtcDepayChain *chain, GstPad *pad);
/* Another rank for the stream of @pad, which is not being removed. Any
 * thread. */
void rtc_depay_chain_set_rank (RtcDepayChain *chain, GstPad *pad, guint rank);
/* @pad, from rtc_depay_chain_add_stream(), is unlinked and not needed any more. Any
 * thread. */
void rtc_depay_chain_remove_stream (RtcDepayChain *chain, GstPad *pad);

/* Where upstream events for the sender go in, force-key-unit for example.
 * Caller unrefs. */
GstPad *rtc_depay_chain_get_event_pad (RtcDepayChain *chain);

/* Keeps those of @codecs, which ends with NULL, that this system has the
 * elements for, and appends "NAME (ELEMENT)" to @missing for each other one,
 * with commas between. Any thread. */
void rtc_depay_chain_keep_available (
    const RtcSdpCodec **codecs, GString *missing);

G_END_DECLS
