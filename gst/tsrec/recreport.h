/* gst-tsrec: what the monitor says to a person, one line at a time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recmessage.h"

G_BEGIN_DECLS

/* One line without a newline, owned by the caller: elapsed time, size, bit
 * rate, packets/s, streak, memory, and @alerting (names of the rules that are
 * raised, may be NULL). The size is what the sink wrote, or, when no sink
 * answered (@written FALSE), what passed. */
gchar *rec_report_line (const RecMonitorStats *stats, GstClockTime elapsed,
    gboolean written, const gchar *alerting);

G_END_DECLS
