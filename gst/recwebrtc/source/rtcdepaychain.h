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

typedef struct _RecChain RecChain;

/**
 * RecChainCounters:
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
} RecChainCounters;

/* Adds the elements to @bin, links them to @out and starts them. @owner: see
 * webrtc_util_set_owner(). A warning in the name of @bin says when video
 * arrives that cannot be decoded. @freeze: drop pictures from a loss until the
 * next key frame. NULL with @error. */
RecChain *rec_chain_new (GstBin *bin, gpointer owner, const SdpTrack *track,
    GstPad *out, gboolean freeze, RecChainCounters *counters, GError **error);

/* Stops and removes the elements. RTP must not flow any more. */
void rec_chain_free (RecChain *chain);

const SdpTrack *rec_chain_get_track (RecChain *chain);
gboolean rec_chain_is_video (RecChain *chain);

/* Where RTP of another SSRC goes in; one of them is recorded: see RecSelect.
 * @rank: preferred to streams of a lower rank. Caller unrefs. Any thread. */
GstPad *rec_chain_add_stream (RecChain *chain, guint rank);
/* Whether the stream of @pad is recorded. Any thread. */
gboolean rec_chain_is_recorded (RecChain *chain, GstPad *pad);
/* Another rank for the stream of @pad, which is not being removed. Any
 * thread. */
void rec_chain_set_rank (RecChain *chain, GstPad *pad, guint rank);
/* @pad, from rec_chain_add_stream(), is unlinked and not needed any more. Any
 * thread. */
void rec_chain_remove_stream (RecChain *chain, GstPad *pad);

/* Where upstream events for the sender go in, force-key-unit for example.
 * Caller unrefs. */
GstPad *rec_chain_get_event_pad (RecChain *chain);

/* Keeps those of @codecs, which ends with NULL, that this system has the
 * elements for, and appends "NAME (ELEMENT)" to @missing for each other one,
 * with commas between. Any thread. */
void rec_chain_keep_available (const SdpCodec **codecs, GString *missing);

G_END_DECLS
