/* gst-tsrec: what stands upstream or downstream of a pad
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything here may be called while data flows and while somebody relinks
 * the pipeline: pads and elements are referenced one step at a time, and
 * nothing waits for a streaming thread.
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Called for each element, nearest first along each branch. @pad is the one by
 * which the walk came to it. Return FALSE to go no further along this branch.
 */
typedef gboolean (*RecGraphFunc) (
    GstElement *element, GstPad *pad, gpointer user_data);

/* Walks upstream from a sink pad or downstream from a source pad, through
 * ghost pads into and out of bins; an element is seen once, bins themselves
 * are not, unless their pad has no target. */
void rec_graph_foreach (GstPad *pad, RecGraphFunc func, gpointer user_data);

/* Whether one of the words between the slashes of the element's klass is
 * @word ("Encoder", "Depayloader", …). */
gboolean rec_graph_element_is (GstElement *element, const gchar *word);

/* The encoder that feeds @sinkpad: the nearest one for video, or else the
 * nearest one. The caller owns the reference; NULL when there is none. */
GstElement *rec_graph_find_encoder (GstPad *sinkpad);

G_END_DECLS
