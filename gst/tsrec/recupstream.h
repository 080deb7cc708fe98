/* gst-tsrec: what stands upstream of a pad, and frames entering an encoder
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything here may be called while data flows and while somebody relinks
 * the pipeline: pads and elements are referenced one step at a time, and
 * nothing waits for a streaming thread.
 */

#pragma once

#include "flowcount.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* Called for each element, nearest first along each branch. @srcpad is the
 * pad through which its data comes. Return FALSE to go no further up this
 * branch. */
typedef gboolean (*RecUpstreamFunc) (
    GstElement *element, GstPad *srcpad, gpointer user_data);

/* Walks up from @sinkpad, through ghost pads into and out of bins; an element
 * is seen once, bins themselves are not. */
void rec_upstream_walk (
    GstPad *sinkpad, RecUpstreamFunc func, gpointer user_data);

/* Whether one of the words between the slashes of the element's klass is
 * @word ("Encoder", "Depayloader", …). */
gboolean rec_element_is (GstElement *element, const gchar *word);

/* The encoder that feeds @sinkpad: the nearest one for video, or else the
 * nearest one. The caller owns the reference; NULL when there is none. */
GstElement *rec_upstream_find_encoder (GstPad *sinkpad);

/* --- counts the buffers that enter one element --------------------------- */

typedef struct _RecEntryWatch RecEntryWatch;

/* @flow is referenced. The watch belongs to one thread at a time. */
RecEntryWatch *rec_entry_watch_new (FlowCount *flow);

/* From now on the buffers that enter @element (NULL: none) are counted with
 * flow_count_frames(); the probes on the element before are removed. Does
 * nothing when it is the same element with the same pads. */
void rec_entry_watch_set (RecEntryWatch *watch, GstElement *element);

gboolean rec_entry_watch_is_set (const RecEntryWatch *watch);

/* Removes the probes. A call that is under way ends by itself. */
void rec_entry_watch_free (RecEntryWatch *watch);

G_END_DECLS
