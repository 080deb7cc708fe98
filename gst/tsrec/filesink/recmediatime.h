/* gst-tsrec: recorded and missing time of a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Combines RecGaps, which accounts for one run, with the gap between an earlier
 * run and this one, and publishes the sums. The streaming thread calls the
 * functions; any thread may read the published fields.
 */

#pragma once

#include "recgaps.h"

#include <glib.h>
#include <stdatomic.h>

G_BEGIN_DECLS

/**
 * RecMediaTime:
 * @gaps: accounting of this run (streaming thread)
 * @resumed_at: time of the last write of the earlier run, µs since 1970, until
 *   the first write of this run; 0: none (streaming thread)
 * @media: recorded time, ns (any thread)
 * @missing: sum of the gaps, ns (any thread)
 * @n_gaps: number of gaps (any thread)
 */
typedef struct
{
  RecGaps gaps;
  gint64 resumed_at;
  _Atomic guint64 media;
  _Atomic guint64 missing;
  _Atomic guint64 n_gaps;
} RecMediaTime;

void rec_media_time_init (RecMediaTime *self);

/* TRUE once a media access unit with a timestamp was written or dropped. */
gboolean rec_media_time_has_begun (const RecMediaTime *self);

/* The first buffer of a resumed recording was written at running time @time, ns
 * (%REC_TIME_NONE: unknown). Returns TRUE once, with the @gap between the two
 * runs; this gap is not part of the published sums. */
gboolean rec_media_time_end_resume (
    RecMediaTime *self, guint64 time, RecGap *gap);

/* An access unit at running time @time was written. @duration: ns,
 * %REC_TIME_NONE: unknown. Returns TRUE when it ended @gap. */
gboolean rec_media_time_add_written (
    RecMediaTime *self, guint64 time, guint64 duration, RecGap *gap);

/* An access unit at running time @time was dropped because of the disk. */
void rec_media_time_add_dropped (RecMediaTime *self, guint64 time);

G_END_DECLS
