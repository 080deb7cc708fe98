/* gst-tsrec: the peer of a pad
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pad that a bin shows as a ghost pad is always linked, to the proxy pad of
 * the bin. These functions look through ghost pads of any number of nested
 * bins. They take object locks only, and may be called from any thread.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Returns the peer of @pad, past ghost pads, or NULL. The caller owns the
 * reference. */
GstPad *rec_pad_get_peer (GstPad *pad);

/* Returns TRUE if @pad is linked, past ghost pads. */
gboolean rec_pad_is_linked (GstPad *pad);

/* Returns FALSE if no data can arrive at the sink pad @pad in the current
 * graph: it is not linked, or linked only to elements whose own sink pads are
 * not. */
gboolean rec_pad_is_fed (GstPad *pad);

/* Calls @func with the sink pad @pad and @data whenever @pad, or a ghost pad
 * of it, is unlinked, in the thread that unlinks, without a lock. @pad does
 * not keep @data alive; @func is not called after @pad is freed. Call
 * rec_pad_watch_peer() from the link function of @pad as well. */
typedef void (*RecPadUnlinked) (GstPad *pad, gpointer data);
void rec_pad_watch_unlinked (GstPad *pad, RecPadUnlinked func, gpointer data);

/* If @peer, which is being linked to @pad, is the proxy pad of a ghost pad,
 * watches that ghost pad too. */
void rec_pad_watch_peer (GstPad *pad, GstPad *peer);

G_END_DECLS
