/* gst-tsrec: the query between the monitors of a pipeline
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
 * No element answers it, so that gst_pad_query() returns FALSE and an element
 * with several pads forwards the query to all of them. Other elements forward it
 * by gst_pad_query_default(). It is sent from a timer; a monitor adds its report
 * without a lock that is held while data is pushed. */

GstQuery *rec_query_new_stages (guint64 asker);
gboolean rec_query_is_stages (GstQuery *query);
/* Returns the monitor that forwarded the query last. A monitor sets its own id
 * while it forwards the query, and restores the previous one afterwards, so that
 * the branches upstream of a mux remain distinct. */
guint64 rec_query_get_stages_asker (GstQuery *query);
void rec_query_set_stages_asker (GstQuery *query, guint64 asker);
/* Adds a copy of @report with the asker as its @next. */
void rec_query_add_stage (GstQuery *query, const RecMonitorReport *report);
/* Returns the @n reports, nearest first. They belong to the query and are valid
 * until it is changed. */
const RecMonitorReport *rec_query_get_stages (GstQuery *query, guint *n);

G_END_DECLS
