/* gst-tsrec: tracks the stages and the other monitors around a monitor
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Belongs to the timer thread. The report is a plain struct, which the owner
 * copies for other threads.
 */

#pragma once

#include "recstall.h"
#include "recquery.h"
#include "recstagequery.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RecStageTracker RecStageTracker;

/* @monitor_type: type of the elements at which the walk upstream ends. */
RecStageTracker *rec_stage_tracker_new (GType monitor_type);
void rec_stage_tracker_free (RecStageTracker *stages);

/* Finds the depayloaders, decoders, encoders and muxes between @sinkpad and the
 * monitors upstream, which may have changed, and fills the points of @report. */
void rec_stage_tracker_update (RecStageTracker *stages, GstPad *sinkpad,
    GstClockTime now, RecMonitorReport *report);

/* --- The stalled stage; both functions send queries, so hold no lock --- */

/* Returns the first stalled stage if the monitor of @report has had no packet for
 * @idle. @written: counters of the sink, or NULL. */
RecStallStage rec_stage_tracker_find_stalled (GstPad *sinkpad, GstPad *srcpad,
    const RecMonitorReport *report, GstClockTime idle,
    const RecWritten *written);

/* Returns the first stalled stage if the sink has written nothing for @idle. */
RecStallStage rec_stage_tracker_find_unwritten (GstPad *sinkpad, GstPad *srcpad,
    const RecMonitorReport *report, GstClockTime idle,
    const RecWritten *written);

/* --- Queues --- */

/* Returns the bytes in all queues upstream of @sinkpad. Any thread; hold no
 * lock. */
guint64 rec_stage_tracker_get_queued (GstPad *sinkpad);

G_END_DECLS
