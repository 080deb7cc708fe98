/* gst-tsrec: the metrics of all monitors of the process
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One registry for the process. Each monitor brings its own sample up to date
 * and the exposition is made of all of them. Everything here is thread safe;
 * the lock of the registry is held for copying only, never while a file is
 * written or a request answered.
 */

#pragma once

#include "recalertrules.h"
#include "recmessage.h"
#include "recquery.h"

G_BEGIN_DECLS

/* What one monitor has to say. The strings belong to whoever passes it. */
typedef struct
{
  RecMonitorStats stats;
  RecWritten written; /* all 0 unless a sink answered */
  GstClockTime elapsed;
  GstClockTime durable_lag;
  gboolean source_known; /* the source tells whether a publisher is connected */
  RecSource source;
  gboolean rtp;
  gboolean running; /* FALSE: ended, these are the last values */
  gboolean raised[REC_ALERT_N_RULES];
  const gchar *where[REC_ALERT_N_RULES]; /* static; when raised */
  guint64 raised_count[REC_ALERT_N_RULES];
} RecMetricsSample;

typedef struct _RecMetricsEntry RecMetricsEntry;

/* A place in the registry; without a sample it is not shown. Those that ended
 * earlier are shown until the next one is added. */
RecMetricsEntry *rec_metrics_add (void);
void rec_metrics_update (
    RecMetricsEntry *entry, const RecMetricsSample *sample);
/* The entry is shown as not running from now on; it may still write a file. */
void rec_metrics_end (RecMetricsEntry *entry);
/* And @entry is gone. */
void rec_metrics_leave (RecMetricsEntry *entry);

typedef enum
{
  /* Prometheus' text format 0.0.4, with the UNIT lines of OpenMetrics, which
   * are comments there: what the textfile collector and promtool read. */
  REC_METRICS_TEXT,
  /* OpenMetrics 1.0.0 to the letter: what a scraper asks for. */
  REC_METRICS_OPENMETRICS,
} RecMetricsFormat;

/* The whole exposition; the caller frees it. */
gchar *rec_metrics_render (RecMetricsFormat format);

/* --- as a file ----------------------------------------------------------- */

/* Replaces @path by the exposition as text, at once: a reader sees the old
 * file or the new one. */
gboolean rec_metrics_write_file (const gchar *path, GError **error);

/* Whether @entry is the one that writes @path, so that monitors that share a
 * file do not all write it. @path NULL: it writes none. */
gboolean rec_metrics_claim_file (RecMetricsEntry *entry, const gchar *path);

G_END_DECLS
