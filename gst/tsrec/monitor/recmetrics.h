/* gst-tsrec: metrics of all monitors of the process
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The process has one registry. Each monitor updates its own sample, and the
 * exposition contains all of them. All functions are thread safe. The lock of the
 * registry is held for copying only, never while a file is written or a request
 * is answered.
 */

#pragma once

#include "recalertrules.h"
#include "recmessage.h"
#include "recquery.h"

G_BEGIN_DECLS

/**
 * RecMetricsSample:
 * @stats: statistics; the strings belong to the caller
 * @written: counters of the sink; all 0 unless a sink answered
 * @elapsed: time since the monitor started, ns
 * @durable_lag: age of the oldest byte that is not durable, ns
 * @source_known: @source is valid
 * @source: state of the source
 * @rtp: the packets are RTP packets
 * @running: FALSE after the end; the other fields hold the last values
 * @raised: state of each rule
 * @where: first stalled stage for each raised rule, static string
 * @raised_count: number of times that each rule was raised
 *
 * Sample of one monitor.
 */
typedef struct
{
  RecMonitorStats stats;
  RecWritten written;
  GstClockTime elapsed;
  GstClockTime durable_lag;
  gboolean source_known;
  RecSource source;
  gboolean rtp;
  gboolean running;
  gboolean raised[REC_ALERT_N_RULES];
  const gchar *where[REC_ALERT_N_RULES];
  guint64 raised_count[REC_ALERT_N_RULES];
} RecMetricsSample;

typedef struct _RecMetricsEntry RecMetricsEntry;

/* Adds an entry, which is exposed once it has a sample. Ended entries are exposed
 * until the next entry is added. */
RecMetricsEntry *rec_metrics_add (void);
void rec_metrics_update (
    RecMetricsEntry *entry, const RecMetricsSample *sample);
/* Exposes @entry as ended. It may still write a file. */
void rec_metrics_end (RecMetricsEntry *entry);
/* Releases @entry. */
void rec_metrics_leave (RecMetricsEntry *entry);

typedef enum
{
  /* Prometheus text format 0.0.4, for the textfile collector and promtool. The
   * UNIT lines of OpenMetrics are comments there. */
  REC_METRICS_TEXT,
  /* OpenMetrics 1.0.0, if the scraper requests it. */
  REC_METRICS_OPENMETRICS,
} RecMetricsFormat;

/* Returns the exposition, which the caller frees. */
gchar *rec_metrics_render (RecMetricsFormat format);

/* --- File --- */

/* Replaces @path atomically with the exposition as text. Returns FALSE and @error
 * if it cannot be written. */
gboolean rec_metrics_write_file (const gchar *path, GError **error);

/* Returns TRUE if @entry is the one that writes @path. Of several monitors with
 * the same file, one writes it. @path NULL: @entry writes no file. */
gboolean rec_metrics_claim_file (RecMetricsEntry *entry, const gchar *path);

G_END_DECLS
