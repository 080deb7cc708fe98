/* gst-tsrec: status line of a recording
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "recmessage.h"

G_BEGIN_DECLS

/**
 * RecStatusLine:
 * @stats: statistics, with the rates since the last line
 * @elapsed: time since the monitor started, ns
 * @written_known: a sink answered, and the size is the number of bytes written;
 *   else it is the number of bytes that passed the monitor
 * @waiting_for_disk: the sink drops data, because the disk is full or failed
 * @connected: a publisher is connected to the source
 * @waiting: no media is expected now
 * @alerts: names of the raised rules, or ""
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

/* Returns one line without a newline, which the caller frees: local date and time
 * (of @stats->utc_time), recording and stage, elapsed time, size, bit rate,
 * packets/s, streak, memory, state of the disk, and alerts. */
gchar *rec_status_line_format (const RecStatusLine *report);

G_END_DECLS
