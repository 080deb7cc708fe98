/* gst-tsrec: what the monitor says to a person, one line at a time
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recmessage.h"

G_BEGIN_DECLS

/**
 * RecStatusLine: what one line says.
 * @stats: of the monitor, rates over the time since the last line
 * @elapsed: time since the monitor started, ns
 * @written_known: a sink answered, so that the size is what it wrote; else it
 *   is what passed the monitor
 * @waiting_for_disk: the sink drops what arrives, as the disk is full or failed
 * @connected: a publisher is connected to the source
 * @waiting: nothing is expected now
 * @alerts: names of the rules that are raised, or ""
 */
typedef struct
{
  const RecMonitorStats *stats;
  GstClockTime elapsed;
  gboolean written_known;
  gboolean waiting_for_disk;
  gboolean connected;
  gboolean waiting;
  const gchar *alerts;
} RecStatusLine;

/* One line without a newline, owned by the caller: local date and time (of
 * @stats->utc_time), recording and stage, elapsed time, size, bit rate,
 * packets/s, streak, memory, the state of the disk, and alerts. */
gchar *rec_status_line_format (const RecStatusLine *report);

G_END_DECLS
