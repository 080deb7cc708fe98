/* gst-tsrec: what the monitors of a pipeline report to each other
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recstall.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* --- query "tsrec-stages": upstream or downstream; a recmonitor asks, and
 * every recmonitor on the way adds a report and passes the query on.
 *
 * Nobody answers it: the return value of gst_pad_query() says nothing, and
 * because it is FALSE an element with several pads sends the query along all
 * of them. Elements that know nothing of it just have to pass it on, which is
 * what gst_pad_query_default() does. It is asked from a timer, so whoever
 * reports takes no lock that is held while data is pushed. */

GstQuery *rec_query_new_stages (guint64 asker);
gboolean rec_query_is_stages (GstQuery *query);
/* The monitor that passed the query on last. A monitor puts its own id there
 * while it passes the query on and the one it found back afterwards, so that
 * upstream of a mux each branch is a branch. */
guint64 rec_query_get_stages_asker (GstQuery *query);
void rec_query_set_stages_asker (GstQuery *query, guint64 asker);
/* Adds a copy of @report, with the asker as its @next. */
void rec_query_add_stage (GstQuery *query, const RecMonitorReport *report);
/* All reports in the order in which they were added, so nearest first, and
 * how many; owned by the query, valid until it is changed. */
const RecMonitorReport *rec_query_get_stages (GstQuery *query, guint *n);

G_END_DECLS
