/* gst-tsrec: the stages around a monitor, and what the other monitors say
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Belongs to the timer thread, apart from the report, which is a plain struct
 * that the owner copies to wherever others may read it.
 */

#pragma once

#include "recstall.h"
#include "recquery.h"
#include "recstagequery.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RecStageTracker RecStageTracker;

/* @monitor_type: the walk upstream ends at elements of this type. */
RecStageTracker *rec_stage_tracker_new (GType monitor_type);
void rec_stage_tracker_free (RecStageTracker *stages);

/* One look: follows depayloaders, decoders, encoders and muxes between
 * @sinkpad and the monitors before it as they come and go, and fills the
 * points of @report. */
void rec_stage_tracker_update (RecStageTracker *stages, GstPad *sinkpad,
    GstClockTime now, RecMonitorReport *report);

/* --- where is it dry; both ask along the pads, so hold no lock ------------ */

/* Nothing comes: seen from the monitor of @report, for @idle. @written: what
 * the sink said, NULL when there is none. */
RecStallStage rec_stage_tracker_find_stalled (GstPad *sinkpad, GstPad *srcpad,
    const RecMonitorReport *report, GstClockTime idle,
    const RecWritten *written);

/* Nothing is written, for @idle. */
RecStallStage rec_stage_tracker_find_unwritten (GstPad *sinkpad, GstPad *srcpad,
    const RecMonitorReport *report, GstClockTime idle,
    const RecWritten *written);

/* --- what the recording holds in memory ---------------------------------- */

/* Bytes in all queues upstream of @sinkpad; any thread, hold no lock. */
guint64 rec_stage_tracker_get_queued (GstPad *sinkpad);

G_END_DECLS
