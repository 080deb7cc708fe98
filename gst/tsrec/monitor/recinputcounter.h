/* gst-tsrec: counts what enters an element
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recflowcounters.h"

#include <gst/gst.h>

G_BEGIN_DECLS

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
