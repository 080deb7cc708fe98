/* gst-tsrec: counts the buffers that enter an element
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recflowcounters.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RecInputCounter RecInputCounter;

/* Takes a reference to @flow. One thread at a time uses the counter. */
RecInputCounter *rec_input_counter_new (RecFlowCounters *flow);

/* Counts the buffers that enter @element, NULL for none, with
 * rec_flow_counters_frames(), and removes the probes of the element before. Does
 * nothing if the element and its pads are unchanged. */
void rec_input_counter_set_element (
    RecInputCounter *counter, GstElement *element);

/* Removes the probes. A probe that runs at this moment returns normally. */
void rec_input_counter_free (RecInputCounter *counter);

G_END_DECLS
