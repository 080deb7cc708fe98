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

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _RecStages RecStages;

/* @monitor_type: the walk upstream ends at elements of this type. */
RecStages *rec_stages_new (GType monitor_type);
void rec_stages_free (RecStages *stages);

/* One look: follows depayloaders, decoders, encoders and muxes between
 * @sinkpad and the monitors before it as they come and go, and fills the
 * points of @report. */
void rec_stages_look (
    RecStages *stages, GstPad *sinkpad, GstClockTime now, DryMonitor *report);

/* --- where is it dry; both ask along the pads, so hold no lock ------------ */

/* Nothing comes: seen from the monitor of @report, for @idle. @written: what
 * the sink said, NULL when there is none. */
DryStage rec_stages_find_dry (GstPad *sinkpad, GstPad *srcpad,
    const DryMonitor *report, GstClockTime idle, const RecWritten *written);

/* Nothing is written, for @idle. */
DryStage rec_stages_find_unwritten (GstPad *sinkpad, GstPad *srcpad,
    const DryMonitor *report, GstClockTime idle, const RecWritten *written);

/* --- what the recording holds in memory ---------------------------------- */

/* Bytes in all queues upstream of @sinkpad; any thread, hold no lock. */
guint64 rec_stages_get_queued (GstPad *sinkpad);

G_END_DECLS
