/* gst-tsrec: walks the elements upstream or downstream of a pad
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The functions may be called while data flows and while the pipeline is
 * relinked: pads and elements are referenced one step at a time, and nothing
 * waits for a streaming thread.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Called for each element, nearest first along each branch. @pad is the pad by
 * which the walk reached the element. Returns FALSE to end the walk along this
 * branch. */
typedef gboolean (*RecGraphFunc) (
    GstElement *element, GstPad *pad, gpointer user_data);

/* Walks upstream from a sink pad or downstream from a source pad, through
 * ghost pads into and out of bins. Each element is visited once; bins are
 * visited only if their pad has no target. */
void rec_graph_foreach (GstPad *pad, RecGraphFunc func, gpointer user_data);

/* Returns TRUE if @word ("Encoder", "Depayloader", …) is one of the words between
 * the slashes of the klass of @element. */
gboolean rec_graph_element_is (GstElement *element, const gchar *word);

/* Returns the encoder upstream of @sinkpad: the nearest video encoder, else the
 * nearest encoder, or NULL. The caller owns the reference. */
GstElement *rec_graph_find_encoder (GstPad *sinkpad);

G_END_DECLS
