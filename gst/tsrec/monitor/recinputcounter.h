/* gst-tsrec: counts what enters an element
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recflowcounters.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RecInputCounter RecInputCounter;

/* @flow is referenced. The watch belongs to one thread at a time. */
RecInputCounter *rec_input_counter_new (RecFlowCounters *flow);

/* From now on the buffers that enter @element (NULL: none) are counted with
 * rec_flow_counters_frames(); the probes on the element before are removed. Does
 * nothing when it is the same element with the same pads. */
void rec_input_counter_set_element (
    RecInputCounter *watch, GstElement *element);

gboolean rec_input_counter_is_set (const RecInputCounter *watch);

/* Removes the probes. A call that is under way ends by itself. */
void rec_input_counter_free (RecInputCounter *watch);

G_END_DECLS
